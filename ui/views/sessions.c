/* sessions: all sessions of the corpus, or those of one cluster. */
#include "parts.h"
#include "theme.h"

#include <stdio.h>

static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const kb_ids *ids = pane->state;
    kb_session_cell(pane->ui->data, ids->items[row], column, value);
}

static void paint(void *ctx, size_t row, size_t column, kb_canvas *canvas, kb_rect rect)
{
    const kb_pane *pane = ctx;
    const kb_ids *ids = pane->state;
    uint32_t cluster = kb_data_cluster_of(pane->ui->data, ids->items[row]);
    (void)column;
    kb_canvas_put(canvas, rect.x, rect.y, U'●', kb_ink_style(kb_theme_cluster(cluster)));
}

static uint64_t key(void *ctx, size_t row)
{
    const kb_pane *pane = ctx;
    const kb_ids *ids = pane->state;
    return ids->items[row];
}

/* Those of the target's cluster, or all for cluster 0 of a pane without a cluster. */
static void collect(kb_pane *pane, bool all)
{
    const kb_data *data = pane->ui->data;
    kb_ids *ids = pane->state;
    uint64_t version = kb_version_of(kb_data_serial(data), 1);
    if (ids->version == version)
        return;
    if (!all || ids->version == 0) {
        ids->count = 0;
        for (size_t s = 0; s < kb_corpus_sessions(data->corpus); s++)
            if (all || kb_data_cluster_of(data, s) == pane->target.cluster)
                kb_ids_add(ids, s);
    }
    ids->version = version;
}

static void fill_sheet(kb_pane *pane)
{
    const kb_ids *ids = pane->state;
    pane->sheet = (kb_sheet){.columns = kb_session_columns,
                             .column_count = KB_SESSION_COLUMNS,
                             .row_count = ids->count,
                             .cell = cell,
                             .paint = paint,
                             .key = key,
                             .ctx = pane,
                             .version = ids->version};
}

static void refresh_all(kb_pane *pane)
{
    if (kb_data_wait_corpus(pane->ui->data, pane->wait, sizeof pane->wait))
        return;
    collect(pane, true);
    fill_sheet(pane);
}

static void refresh_cluster(kb_pane *pane)
{
    if (kb_data_wait_findings(pane->ui->data, pane->wait, sizeof pane->wait))
        return;
    collect(pane, false);
    fill_sheet(pane);
}

static void title_cluster(kb_pane *pane, char *text, size_t size)
{
    snprintf(text, size, "C%u sessions", pane->target.cluster);
}

static bool act(kb_pane *pane, kb_do command)
{
    const kb_ids *ids = pane->state;
    size_t row = kb_pane_row(pane);
    if (command != KB_DO_OPEN || row == SIZE_MAX)
        return false;
    kb_ui_open(pane->ui, &kb_session_view, (kb_target){.session = ids->items[row]});
    return true;
}

static void aside(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    const kb_ids *ids = pane->state;
    size_t row = kb_pane_row(pane);
    if (row == SIZE_MAX)
        return;
    size_t session = ids->items[row];
    kb_canvas_text(canvas, rect.x, rect.y, rect.cols, kb_bold_style(KB_INK_TITLE),
                   kb_corpus_session(pane->ui->data->corpus, session)->name);
    rect.y++;
    int used = kb_draw_session_facts(pane->ui, canvas, rect, session) + 1;
    kb_draw_session_objects(pane->ui, canvas,
                            kb_rect_of(rect.x, rect.y + used, rect.cols, rect.rows - used - 1),
                            session);
}

static void leave(kb_pane *pane)
{
    kb_ids_free(pane->state);
}

const kb_view_ops kb_sessions_view = {
    .name = "Sessions",
    .state_size = sizeof(kb_ids),
    .refresh = refresh_all,
    .aside = aside,
    .act = act,
    .leave = leave,
};

const kb_view_ops kb_cluster_sessions_view = {
    .name = "cluster-sessions",
    .scopes = KB_IN_CLUSTER,
    .state_size = sizeof(kb_ids),
    .title = title_cluster,
    .refresh = refresh_cluster,
    .aside = aside,
    .act = act,
    .leave = leave,
};
