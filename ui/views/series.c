/* series: one object in one session: its raw counts over time. */
#include <stdio.h>
#include <stdlib.h>

#include "memory.h"
#include "parts.h"

enum column { STEP, TIME, VALUE, COLUMNS };

static const kb_sheet_column columns[COLUMNS] = {
    [STEP] = {.name = "step", .width = 6},
    [TIME] = {.name = "time", .width = 24, .drop = 1},
    [VALUE] = {.name = "value", .width = 14},
};

struct state {
    double *x, *y; /* timesteps of the session's window */
    size_t count;
};

static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const struct state *state = pane->state;
    const kb_store *store = kb_corpus_store(pane->ui->data->corpus);
    if (column == STEP) {
        kb_value_number(value, KB_VALUE_COUNT, state->x[row]);
    } else if (column == VALUE) {
        kb_value_number(value, KB_VALUE_REAL, state->y[row]);
    } else {
        kb_time_format(kb_store_time(store, pane->target.session, row), value->buffer,
                       sizeof value->buffer);
        kb_value_text(value, NULL);
    }
}

/* The corpus never changes, so the readings are taken once. */
static void load(kb_pane *pane)
{
    struct state *state = pane->state;
    const kb_store *store = kb_corpus_store(pane->ui->data->corpus);
    size_t length = kb_store_length(store, pane->target.session);
    kb_series series = {0};
    if (state->x)
        return;
    state->x = kb_calloc(length, sizeof *state->x);
    state->y = kb_calloc(length, sizeof *state->y);
    if (!state->x || !state->y)
        return;
    state->count = length;
    bool found = kb_store_find_series(store, pane->target.session, pane->target.object, &series);
    for (size_t i = 0; i < length; i++)
        state->x[i] = (double)i + 1;
    for (uint32_t i = 0; found && i < series.count; i++)
        state->y[series.first + i] = (double)series.values[i];
}

static void refresh(kb_pane *pane)
{
    const struct state *state = pane->state;
    load(pane);
    pane->sheet = (kb_sheet){.columns = columns,
                             .column_count = COLUMNS,
                             .row_count = state->count,
                             .cell = cell,
                             .ctx = pane,
                             .version = state->count};
}

static void title(kb_pane *pane, char *text, size_t size)
{
    const kb_corpus *corpus = pane->ui->data->corpus;
    snprintf(text, size, "%.120s in %.120s",
             kb_store_object_name(kb_corpus_store(corpus), pane->target.object),
             kb_corpus_session(corpus, pane->target.session)->name);
}

static void draw(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    kb_draw_series_chart(pane->ui, canvas, rect, pane->target.session, pane->target.object);
}

static void leave(kb_pane *pane)
{
    struct state *state = pane->state;
    free(state->x);
    free(state->y);
}

const kb_view_ops kb_series_view = {
    .name = "series",
    .scopes = KB_IN_CHART,
    .state_size = sizeof(struct state),
    .title = title,
    .refresh = refresh,
    .draw = draw,
    .leave = leave,
};
