/* session: one session: its facts, and every object in it as a sparkline, in the order of its
 * cluster's ranking. */
#include <stdio.h>
#include <stdlib.h>

#include "parts.h"
#include "theme.h"

enum column { RANK, OBJECT, SPARK, MOST, LAST, PRESENCE, OTHER, F1, COLUMNS };

static const kb_sheet_column columns[COLUMNS] = {
    [RANK] = {.name = "rank", .width = 5, .drop = 4},
    [OBJECT] = {.name = "object", .width = 20, .flexible = true},
    [SPARK] = {.name = "spark",
               .title = "counts over time",
               .width = 20,
               .drop = 2,
               .flexible = true,
               .graphic = true},
    [MOST] = {.name = "max", .width = 9, .drop = 1},
    [LAST] = {.name = "last", .width = 9, .drop = 3},
    [PRESENCE] = {.name = "presence", .title = "in cluster", .width = 10, .drop = 6},
    [OTHER] = {.name = "other", .title = "elsewhere", .width = 9, .drop = 7},
    [F1] = {.name = "f1", .title = "F", .width = 6, .drop = 5},
};

struct state {
    kb_session_object *objects;
    size_t count;
    uint64_t version;
};

static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const struct state *state = pane->state;
    const kb_session_object *object = &state->objects[row];
    if (column == OBJECT)
        kb_value_text(
            value, kb_store_object_name(kb_corpus_store(pane->ui->data->corpus), object->object));
    else if (column == MOST)
        kb_value_number(value, KB_VALUE_REAL, (double)object->most);
    else if (column == LAST)
        kb_value_number(value, KB_VALUE_REAL, (double)object->last);
    else if (!object->ranked)
        return;
    else if (column == RANK)
        kb_value_number(value, KB_VALUE_COUNT, (double)object->rank);
    else if (column == F1)
        kb_value_number(value, KB_VALUE_REAL, object->f1);
    else
        kb_value_number(value, KB_VALUE_SHARE,
                        column == PRESENCE ? object->presence : object->other);
}

static void paint(void *ctx, size_t row, size_t column, kb_canvas *canvas, kb_rect rect)
{
    const kb_pane *pane = ctx;
    const struct state *state = pane->state;
    (void)column;
    kb_draw_series(pane->ui, canvas, rect, pane->target.session, state->objects[row].object);
}

static uint64_t key(void *ctx, size_t row)
{
    const kb_pane *pane = ctx;
    const struct state *state = pane->state;
    return state->objects[row].object;
}

static void refresh(kb_pane *pane)
{
    kb_data *data = pane->ui->data;
    struct state *state = pane->state;
    if (kb_data_wait_corpus(data, pane->wait, sizeof pane->wait))
        return;
    uint64_t version = kb_version_of(kb_data_serial(data), 1);
    if (state->version != version) {
        free(state->objects);
        state->count = kb_session_objects(data, pane->target.session, &state->objects);
        state->version = version;
    }
    pane->sheet = (kb_sheet){.columns = columns,
                             .column_count = COLUMNS,
                             .row_count = state->count,
                             .cell = cell,
                             .paint = paint,
                             .key = key,
                             .ctx = pane,
                             .version = version};
}

static void title(kb_pane *pane, char *text, size_t size)
{
    snprintf(text, size, "%.200s",
             kb_corpus_session(pane->ui->data->corpus, pane->target.session)->name);
}

static int head(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    return rect.rows < 8 ? 0 : kb_draw_session_facts(pane->ui, canvas, rect, pane->target.session);
}

static void aside(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    const struct state *state = pane->state;
    size_t row = kb_pane_row(pane);
    if (row != SIZE_MAX)
        kb_draw_series_beside(pane->ui, canvas, rect, pane->target.session,
                              state->objects[row].object);
}

static bool act(kb_pane *pane, kb_do command)
{
    const struct state *state = pane->state;
    size_t row = kb_pane_row(pane);
    if (command != KB_DO_OPEN || row == SIZE_MAX)
        return false;
    kb_ui_open(pane->ui, &kb_series_view,
               (kb_target){.session = pane->target.session, .object = state->objects[row].object});
    return true;
}

static void leave(kb_pane *pane)
{
    struct state *state = pane->state;
    free(state->objects);
}

const kb_view_ops kb_session_view = {
    .name = "session",
    .state_size = sizeof(struct state),
    .title = title,
    .refresh = refresh,
    .head = head,
    .aside = aside,
    .act = act,
    .leave = leave,
};
