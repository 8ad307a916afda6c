/* cluster: the objects of one cluster, ranked by F: how often each is present here and elsewhere.
 */
#include <stdio.h>

#include "chart.h"
#include "parts.h"
#include "theme.h"

enum column {
    CLUSTER,
    RANK,
    OBJECT,
    PRESENCE,
    PRESENCE_BAR,
    OTHER,
    OTHER_BAR,
    F1,
    F1_BAR,
    HERE,
    ELSEWHERE,
    COLUMNS
};

static const kb_sheet_column columns[COLUMNS] = {
    [CLUSTER] = {.name = "cluster", .width = 7, .drop = 9},
    [RANK] = {.name = "rank", .width = 5, .drop = 3},
    [OBJECT] = {.name = "object", .width = 22, .flexible = true},
    [PRESENCE] = {.name = "presence", .title = "here", .width = 7, .drop = 1},
    [OTHER] = {.name = "other", .title = "elsewhere", .width = 9, .drop = 2},
    [F1] = {.name = "f1", .title = "F", .width = 7},
    [PRESENCE_BAR] = {.name = "presence_bar", .title = "", .width = 10, .drop = 4, .graphic = true},
    [OTHER_BAR] = {.name = "other_bar", .title = "", .width = 10, .drop = 5, .graphic = true},
    [F1_BAR] = {.name = "f1_bar", .title = "", .width = 10, .drop = 6, .graphic = true},
    [HERE] = {.name = "sessions", .title = "of these", .width = 8, .drop = 7},
    [ELSEWHERE] = {.name = "other_sessions", .title = "of others", .width = 9, .drop = 8},
};

static const kb_presence_row *row_of(const kb_pane *pane, size_t row)
{
    const kb_presence *presence = kb_data_presence(pane->ui->data, pane->target.cluster);
    return presence && row < presence->count ? &presence->rows[row] : NULL;
}

static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const kb_presence_row *facts = row_of(pane, row);
    if (!facts)
        return;
    switch ((enum column)column) {
    case CLUSTER:
        kb_value_number(value, KB_VALUE_COUNT, pane->target.cluster);
        break;
    case RANK:
        kb_value_number(value, KB_VALUE_COUNT, (double)row + 1);
        break;
    case OBJECT:
        kb_value_text(value,
                      kb_store_object_name(kb_corpus_store(pane->ui->data->corpus), facts->object));
        break;
    case PRESENCE:
        kb_value_number(value, KB_VALUE_SHARE, facts->presence);
        break;
    case OTHER:
        kb_value_number(value, KB_VALUE_SHARE, facts->other);
        break;
    case F1:
        kb_value_number(value, KB_VALUE_REAL, facts->f1);
        break;
    case HERE:
        kb_value_number(value, KB_VALUE_COUNT, facts->inside);
        break;
    case ELSEWHERE:
        kb_value_number(value, KB_VALUE_COUNT, facts->outside);
        break;
    case PRESENCE_BAR:
    case OTHER_BAR:
    case F1_BAR:
    case COLUMNS:
        break;
    }
}

static void paint(void *ctx, size_t row, size_t column, kb_canvas *canvas, kb_rect rect)
{
    const kb_pane *pane = ctx;
    const kb_presence_row *facts = row_of(pane, row);
    if (!facts)
        return;
    double share = column == PRESENCE_BAR ? facts->presence
                   : column == OTHER_BAR  ? facts->other
                                          : facts->f1;
    uint8_t ink = column == PRESENCE_BAR ? kb_theme_cluster(pane->target.cluster)
                  : column == OTHER_BAR  ? KB_INK_DIM
                                         : KB_INK_ACCENT;
    kb_chart_bar(canvas, rect.x, rect.y, rect.cols, share, kb_ink_style(ink));
}

static uint64_t key(void *ctx, size_t row)
{
    const kb_presence_row *facts = row_of(ctx, row);
    return facts ? facts->object : UINT64_MAX;
}

static void refresh(kb_pane *pane)
{
    kb_data *data = pane->ui->data;
    if (kb_data_wait_findings(data, pane->wait, sizeof pane->wait))
        return;
    const kb_presence *presence = kb_data_presence(data, pane->target.cluster);
    pane->sheet = (kb_sheet){.columns = columns,
                             .column_count = COLUMNS,
                             .row_count = presence ? presence->count : 0,
                             .cell = cell,
                             .paint = paint,
                             .key = key,
                             .ctx = pane,
                             .version = kb_data_serial(data)};
}

static void title(kb_pane *pane, char *text, size_t size)
{
    const kb_cluster_facts *facts = kb_data_cluster(pane->ui->data, pane->target.cluster);
    if (facts && *facts->name)
        snprintf(text, size, "C%u objects: %s", pane->target.cluster, facts->name);
    else
        snprintf(text, size, "C%u objects", pane->target.cluster);
}

static int head(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    char text[160];
    const kb_cluster_facts *facts = kb_data_cluster(pane->ui->data, pane->target.cluster);
    if (rect.rows < 6 || !facts) {
        if (!facts)
            kb_canvas_text(canvas, rect.x, rect.y, rect.cols, kb_ink_style(KB_INK_WARN),
                           "The newest calibration has no cluster of this number.");
        return !facts;
    }
    int x = rect.x + 2 + kb_draw_cluster(canvas, rect.x, rect.y, facts->number);
    snprintf(text, sizeof text, "%zu: %zu train, %zu validation, %zu emerging, %zu later",
             facts->sessions, facts->split[0], facts->split[1], facts->split[2], facts->split[3]);
    x += kb_draw_fact(canvas, x, rect.y, rect.x + rect.cols - x, "sessions", text);
    snprintf(text, sizeof text, "%zu", facts->emerging);
    kb_draw_fact(canvas, x, rect.y, rect.x + rect.cols - x, "flagged", text);
    return 1;
}

static bool act(kb_pane *pane, kb_do command)
{
    size_t row = kb_pane_row(pane);
    const kb_presence_row *facts = row == SIZE_MAX ? NULL : row_of(pane, row);
    if (command != KB_DO_OPEN || !facts)
        return false;
    kb_ui_open(pane->ui, &kb_object_view,
               (kb_target){.cluster = pane->target.cluster, .object = facts->object});
    return true;
}

const kb_view_ops kb_cluster_objects_view = {
    .name = "cluster-objects",
    .scopes = KB_IN_CLUSTER,
    .title = title,
    .refresh = refresh,
    .head = head,
    .act = act,
};
