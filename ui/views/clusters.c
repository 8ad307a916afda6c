/* clusters: one row a cluster of the newest findings; the selected one's objects beside it. */
#include <stdio.h>

#include "chart.h"
#include "parts.h"
#include "theme.h"

enum column {
    GLYPH,
    NUMBER,
    NAME,
    SESSIONS,
    SHARE,
    BAR,
    EMERGING,
    CALIBRATED,
    TRAIN,
    VALIDATION,
    IN_EMERGING,
    LATER,
    TOP,
    F1,
    THRESHOLD,
    COLUMNS
};

#define COLUMNS_BUT_NAME                                                                           \
    [GLYPH] = {.name = "glyph", .title = " ", .width = 1, .graphic = true},                        \
    [NUMBER] = {.name = "cluster", .width = 7}, [SESSIONS] = {.name = "sessions", .width = 8},     \
    [SHARE] = {.name = "share", .width = 6, .drop = 3},                                            \
    [BAR] = {.name = "bar", .title = "", .width = 12, .drop = 4, .graphic = true},                 \
    [EMERGING] = {.name = "emerging", .width = 8, .drop = 2},                                      \
    [TOP] = {.name = "top_object",                                                                 \
             .title = "top object",                                                                \
             .width = 20,                                                                          \
             .drop = 1,                                                                            \
             .flexible = true},                                                                    \
    [F1] = {.name = "f1", .title = "F", .width = 6, .drop = 5},                                    \
    [CALIBRATED] = {.name = "calibrated", .width = 10, .drop = 8},                                 \
    [TRAIN] = {.name = "train", .width = 6, .drop = 9},                                            \
    [VALIDATION] = {.name = "validation", .title = "valid.", .width = 6, .drop = 10},              \
    [IN_EMERGING] = {.name = "emerging_split", .title = "new", .width = 6, .drop = 11},            \
    [LATER] = {.name = "later", .width = 6, .drop = 12},                                           \
    [THRESHOLD] = {.name = "threshold", .width = 9, .drop = 7}

/* Where there are names they are the last to go on a narrow screen, otherwise the first. */
static const kb_sheet_column columns[COLUMNS] = {
    COLUMNS_BUT_NAME, [NAME] = {.name = "name", .width = 20, .drop = 13}};
static const kb_sheet_column columns_with_names[COLUMNS] = {
    COLUMNS_BUT_NAME, [NAME] = {.name = "name", .width = 20, .drop = 1}};

static double share(const kb_data *data, const kb_cluster_facts *facts)
{
    size_t all = kb_corpus_sessions(data->corpus);
    return all ? (double)facts->sessions / (double)all : 0;
}

static void top_cell(const kb_data *data, const kb_cluster_facts *facts, kb_value *value)
{
    if (!facts->has_top)
        kb_value_text(value, "…");
    else if (facts->top_object != KB_NAME_NONE)
        kb_value_text(value,
                      kb_store_object_name(kb_corpus_store(data->corpus), facts->top_object));
}

static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const kb_data *data = pane->ui->data;
    const kb_cluster_facts *facts = &data->clusters[row];
    const double counts[COLUMNS] = {[NUMBER] = facts->number,
                                    [SESSIONS] = (double)facts->sessions,
                                    [EMERGING] = (double)facts->emerging,
                                    [CALIBRATED] = (double)facts->calibrated,
                                    [TRAIN] = (double)facts->split[KB_SPLIT_TRAIN],
                                    [VALIDATION] = (double)facts->split[KB_SPLIT_VALIDATION],
                                    [IN_EMERGING] = (double)facts->split[KB_SPLIT_EMERGING],
                                    [LATER] = (double)facts->split[KB_SPLIT_LATER]};
    if (column == NAME)
        kb_value_text(value, facts->name);
    else if (column == TOP)
        top_cell(data, facts, value);
    else if (column == F1 && facts->has_top)
        kb_value_number(value, KB_VALUE_REAL, facts->top_f1);
    else if (column == THRESHOLD)
        kb_value_number(value, KB_VALUE_REAL, facts->threshold);
    else if (column == SHARE)
        kb_value_number(value, KB_VALUE_SHARE, share(data, facts));
    else if (column != F1)
        kb_value_number(value, KB_VALUE_COUNT, counts[column]);
    if (column == NUMBER)
        value->ink = kb_theme_cluster(facts->number);
    if (column == EMERGING && facts->emerging)
        value->ink = KB_INK_WARN;
}

static void paint(void *ctx, size_t row, size_t column, kb_canvas *canvas, kb_rect rect)
{
    const kb_pane *pane = ctx;
    const kb_cluster_facts *facts = &pane->ui->data->clusters[row];
    kb_style style = kb_ink_style(kb_theme_cluster(facts->number));
    if (column == GLYPH)
        kb_canvas_put(canvas, rect.x, rect.y, U'●', style);
    else
        kb_chart_bar(canvas, rect.x, rect.y, rect.cols, share(pane->ui->data, facts), style);
}

static uint64_t key(void *ctx, size_t row)
{
    const kb_pane *pane = ctx;
    return pane->ui->data->clusters[row].number;
}

static size_t tops_known(const kb_data *data)
{
    size_t known = 0;
    for (size_t i = 0; i < data->cluster_count; i++)
        known += data->clusters[i].has_top;
    return known;
}

static bool any_name(const kb_data *data)
{
    for (size_t i = 0; i < data->cluster_count; i++)
        if (*data->clusters[i].name)
            return true;
    return false;
}

static void refresh(kb_pane *pane)
{
    const kb_data *data = pane->ui->data;
    if (kb_data_wait_findings(data, pane->wait, sizeof pane->wait))
        return;
    pane->sheet = (kb_sheet){.columns = any_name(data) ? columns_with_names : columns,
                             .column_count = COLUMNS,
                             .row_count = data->cluster_count,
                             .cell = cell,
                             .paint = paint,
                             .key = key,
                             .ctx = pane,
                             .version = kb_version_of(kb_data_serial(data), tops_known(data))};
}

static void title(kb_pane *pane, char *text, size_t size)
{
    const kb_data *data = pane->ui->data;
    if (data->findings)
        snprintf(text, size, "Clusters (%zu)", data->findings->k);
    else
        snprintf(text, size, "Clusters");
}

static bool act(kb_pane *pane, kb_do command)
{
    size_t row = kb_pane_row(pane);
    if (command != KB_DO_OPEN || row == SIZE_MAX)
        return false;
    uint32_t number = pane->ui->data->clusters[row].number;
    /* The sessions of which nothing could be read have no objects to rank. */
    kb_ui_open(pane->ui, number ? &kb_cluster_objects_view : &kb_cluster_sessions_view,
               (kb_target){.cluster = number});
    return true;
}

static void aside(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    size_t row = kb_pane_row(pane);
    if (row != SIZE_MAX && pane->ui->data->clusters[row].number)
        kb_draw_cluster_objects(pane->ui, canvas, rect, pane->ui->data->clusters[row].number);
}

const kb_view_ops kb_clusters_view = {
    .name = "Clusters",
    .title = title,
    .refresh = refresh,
    .aside = aside,
    .act = act,
};
