/* objects: every object of the corpus and in how many sessions it is present. */
#include "chart.h"
#include "parts.h"
#include "theme.h"

enum column { OBJECT, SESSIONS, PRESENCE, BAR, COLUMNS };

static const kb_sheet_column columns[COLUMNS] = {
    [OBJECT] = {.name = "object", .width = 12, .flexible = true},
    [SESSIONS] = {.name = "sessions", .width = 8},
    [PRESENCE] = {.name = "presence", .width = 8, .drop = 1},
    [BAR] = {.name = "bar", .title = "", .width = 20, .drop = 2, .graphic = true},
};

static double presence(const kb_data *data, size_t object)
{
    size_t readable = kb_corpus_sessions(data->corpus) - data->unreadable;
    return data->object_sessions && readable ? data->object_sessions[object] / (double)readable : 0;
}

static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const kb_data *data = pane->ui->data;
    if (column == OBJECT)
        kb_value_text(value, kb_store_object_name(kb_corpus_store(data->corpus), row));
    else if (!data->object_sessions)
        return;
    else if (column == SESSIONS)
        kb_value_number(value, KB_VALUE_COUNT, data->object_sessions[row]);
    else
        kb_value_number(value, KB_VALUE_SHARE, presence(data, row));
}

static void paint(void *ctx, size_t row, size_t column, kb_canvas *canvas, kb_rect rect)
{
    const kb_pane *pane = ctx;
    (void)column;
    kb_chart_bar(canvas, rect.x, rect.y, rect.cols, presence(pane->ui->data, row),
                 kb_ink_style(KB_INK_FIRST));
}

static void refresh(kb_pane *pane)
{
    const kb_data *data = pane->ui->data;
    if (kb_data_wait_corpus(data, pane->wait, sizeof pane->wait))
        return;
    pane->sheet = (kb_sheet){.columns = columns,
                             .column_count = COLUMNS,
                             .row_count = kb_store_objects(kb_corpus_store(data->corpus)),
                             .cell = cell,
                             .paint = paint,
                             .ctx = pane,
                             .version = data->object_sessions ? 2 : 1};
    /* Once they are counted the most common come first, unless the user has asked for another
     * order. */
    bool *sorted = pane->state;
    if (data->object_sessions && !*sorted && pane->list.sort < 0)
        kb_list_sort_by(&pane->list, SESSIONS, true);
    *sorted = *sorted || data->object_sessions;
}

static bool act(kb_pane *pane, kb_do command)
{
    size_t row = kb_pane_row(pane);
    if (command != KB_DO_OPEN || row == SIZE_MAX)
        return false;
    kb_ui_open(pane->ui, &kb_object_view, (kb_target){.object = (uint32_t)row});
    return true;
}

const kb_view_ops kb_objects_view = {
    .name = "Objects",
    .state_size = sizeof(bool),
    .refresh = refresh,
    .act = act,
};
