/* object: one object across the clusters, and the sessions that have it: those of the target's
 * cluster, or all. */
#include <stdio.h>
#include <stdlib.h>

#include "chart.h"
#include "memory.h"
#include "parts.h"
#include "theme.h"

enum column { GLYPH, SESSION, CLUSTER, SPARK, MOST, LAST, SPLIT, COLUMNS };

static const kb_sheet_column columns[COLUMNS] = {
    [GLYPH] = {.name = "glyph", .title = " ", .width = 1, .drop = 5, .graphic = true},
    [SESSION] = {.name = "session", .width = 14, .flexible = true},
    [CLUSTER] = {.name = "cluster", .width = 7, .drop = 4},
    [SPARK] = {.name = "spark",
               .title = "counts over time",
               .width = 20,
               .drop = 2,
               .flexible = true,
               .graphic = true},
    [MOST] = {.name = "max", .width = 9, .drop = 1},
    [LAST] = {.name = "last", .width = 9, .drop = 3},
    [SPLIT] = {.name = "split", .width = 10, .drop = 6},
};

enum cluster_column { C_CLUSTER, C_SESSIONS, C_WITH, C_PRESENCE, C_BAR, C_COLUMNS };

static const kb_sheet_column cluster_columns[C_COLUMNS] = {
    [C_CLUSTER] = {.name = "cluster", .width = 7},
    [C_SESSIONS] = {.name = "sessions", .width = 8},
    [C_WITH] = {.name = "with_object", .title = "with it", .width = 8},
    [C_PRESENCE] = {.name = "presence", .width = 8},
    [C_BAR] = {.name = "bar", .title = "", .width = 20, .drop = 1, .graphic = true},
};

struct entry {
    size_t session;
    float most, last;
};

struct state {
    struct entry *entries; /* sessions with the object, of the target's cluster or all */
    size_t count, capacity;
    size_t *with, *readable; /* for each of data->clusters */
    uint64_t version;
};

/* --- the sessions ------------------------------------------------------------------------- */
static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const struct state *state = pane->state;
    const struct entry *entry = &state->entries[row];
    const kb_session *session = kb_corpus_session(pane->ui->data->corpus, entry->session);
    const kb_assignment *assigned = kb_data_assigned(pane->ui->data, entry->session);
    if (column == SESSION)
        kb_value_text(value, session->name);
    else if (column == SPLIT)
        kb_value_text(value, kb_split_name(session->split));
    else if (column == MOST || column == LAST)
        kb_value_number(value, KB_VALUE_REAL, (double)(column == MOST ? entry->most : entry->last));
    else if (assigned) {
        kb_value_number(value, KB_VALUE_COUNT, assigned->cluster);
        value->ink = kb_theme_cluster(assigned->cluster);
    }
}

static void paint(void *ctx, size_t row, size_t column, kb_canvas *canvas, kb_rect rect)
{
    const kb_pane *pane = ctx;
    const struct state *state = pane->state;
    size_t session = state->entries[row].session;
    if (column == GLYPH)
        kb_canvas_put(canvas, rect.x, rect.y, U'●',
                      kb_ink_style(kb_theme_cluster(kb_data_cluster_of(pane->ui->data, session))));
    else
        kb_draw_series(pane->ui, canvas, rect, session, pane->target.object);
}

static uint64_t key(void *ctx, size_t row)
{
    const kb_pane *pane = ctx;
    const struct state *state = pane->state;
    return state->entries[row].session;
}

/* --- the clusters ------------------------------------------------------------------------- */
static double presence_in(const struct state *state, size_t i)
{
    return state->readable[i] ? (double)state->with[i] / (double)state->readable[i] : 0;
}

static void cluster_cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const struct state *state = pane->state;
    const double counts[] = {pane->ui->data->clusters[row].number, (double)state->readable[row],
                             (double)state->with[row]};
    if (column == C_PRESENCE)
        kb_value_number(value, KB_VALUE_SHARE, presence_in(state, row));
    else if (column < C_PRESENCE)
        kb_value_number(value, KB_VALUE_COUNT, counts[column]);
}

static void cluster_paint(void *ctx, size_t row, size_t column, kb_canvas *canvas, kb_rect rect)
{
    const kb_pane *pane = ctx;
    (void)column;
    kb_chart_bar(canvas, rect.x, rect.y, rect.cols, presence_in(pane->state, row),
                 kb_ink_style(kb_theme_cluster(pane->ui->data->clusters[row].number)));
}

/* --- collecting --------------------------------------------------------------------------- */
static void add_entry(struct state *state, size_t session, const kb_series *series, size_t length)
{
    if (!kb_grow((void **)&state->entries, &state->capacity, state->count + 1,
                 sizeof *state->entries))
        return;
    struct entry entry = {.session = session};
    for (uint32_t i = 0; i < series->count; i++)
        entry.most = series->values[i] > entry.most ? series->values[i] : entry.most;
    if ((size_t)series->first + series->count == length)
        entry.last = series->values[series->count - 1];
    state->entries[state->count++] = entry;
}

static void tally(struct state *state, const kb_data *data, uint32_t cluster, bool with)
{
    for (size_t i = 0; i < data->cluster_count; i++)
        if (data->clusters[i].number == cluster) {
            state->readable[i]++;
            state->with[i] += with;
        }
}

static void collect(kb_pane *pane)
{
    struct state *state = pane->state;
    const kb_data *data = pane->ui->data;
    const kb_store *store = kb_corpus_store(data->corpus);
    free(state->with);
    free(state->readable);
    state->count = 0;
    state->with = kb_calloc(data->cluster_count, sizeof *state->with);
    state->readable = kb_calloc(data->cluster_count, sizeof *state->readable);
    for (size_t s = 0; state->with && state->readable && s < kb_store_sessions(store); s++) {
        kb_series series;
        uint32_t cluster = kb_data_cluster_of(data, s);
        bool with = kb_store_find_series(store, s, pane->target.object, &series);
        if (kb_corpus_session(data->corpus, s)->has_rows)
            tally(state, data, cluster, with);
        if (with && (!pane->target.cluster || pane->target.cluster == cluster))
            add_entry(state, s, &series, kb_store_length(store, s));
    }
}

static void refresh(kb_pane *pane)
{
    struct state *state = pane->state;
    const kb_data *data = pane->ui->data;
    if (kb_data_wait_corpus(data, pane->wait, sizeof pane->wait))
        return;
    if (state->version != kb_version_of(kb_data_serial(data), 1)) {
        collect(pane);
        state->version = kb_version_of(kb_data_serial(data), 1);
    }
    pane->sheet = (kb_sheet){.columns = columns,
                             .column_count = COLUMNS,
                             .row_count = state->count,
                             .cell = cell,
                             .paint = paint,
                             .key = key,
                             .ctx = pane,
                             .version = kb_version_of(state->version, 0)};
    if (pane->as_table)
        pane->sheet =
            (kb_sheet){.columns = cluster_columns,
                       .column_count = C_COLUMNS,
                       .row_count = state->with && state->readable ? data->cluster_count : 0,
                       .cell = cluster_cell,
                       .paint = cluster_paint,
                       .ctx = pane,
                       .version = kb_version_of(state->version, 1)};
}

static void title(kb_pane *pane, char *text, size_t size)
{
    snprintf(text, size, "%.200s",
             kb_store_object_name(kb_corpus_store(pane->ui->data->corpus), pane->target.object));
}

/* Presence in each cluster, in as many columns of little bars as there is room for. */
static int head(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    enum { CELL = 26, BAR = 10 };
    const struct state *state = pane->state;
    const kb_data *data = pane->ui->data;
    if (pane->as_table || rect.rows < 10 || !data->cluster_count || !state->with ||
        !state->readable)
        return 0;
    int across = rect.cols / CELL > 0 ? rect.cols / CELL : 1;
    int rows = ((int)data->cluster_count + across - 1) / across, most = rect.rows / 3;
    rows = rows > most ? most : rows;
    kb_canvas_text(canvas, rect.x, rect.y, rect.cols, kb_bold_style(KB_INK_TITLE),
                   "presence in each cluster (t: table)");
    for (int i = 0; i < rows * across && (size_t)i < data->cluster_count; i++) {
        uint32_t number = data->clusters[i].number;
        int x = rect.x + i % across * CELL, y = rect.y + 1 + i / across;
        kb_draw_cluster(canvas, x, y, number);
        kb_chart_bar(canvas, x + 6, y, BAR, presence_in(state, (size_t)i),
                     kb_ink_style(kb_theme_cluster(number)));
        kb_canvas_print(canvas, x + 7 + BAR, y, 7, kb_ink_style(KB_INK_PLAIN), "%.1f%%",
                        100 * presence_in(state, (size_t)i));
    }
    if (pane->target.cluster)
        kb_canvas_print(canvas, rect.x, rect.y + rows + 1, rect.cols, kb_bold_style(KB_INK_TITLE),
                        "sessions of C%u that have it", pane->target.cluster);
    else
        kb_canvas_text(canvas, rect.x, rect.y + rows + 1, rect.cols, kb_bold_style(KB_INK_TITLE),
                       "sessions that have it");
    return rows + 2;
}

static void aside(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    const struct state *state = pane->state;
    size_t row = kb_pane_row(pane);
    if (row != SIZE_MAX)
        kb_draw_series_beside(pane->ui, canvas, rect, state->entries[row].session,
                              pane->target.object);
}

static bool act(kb_pane *pane, kb_do command)
{
    const struct state *state = pane->state;
    size_t row = kb_pane_row(pane);
    if (command != KB_DO_OPEN || row == SIZE_MAX)
        return false;
    if (pane->as_table && pane->ui->data->clusters[row].number)
        kb_ui_open(pane->ui, &kb_cluster_objects_view,
                   (kb_target){.cluster = pane->ui->data->clusters[row].number});
    else if (!pane->as_table)
        kb_ui_open(
            pane->ui, &kb_series_view,
            (kb_target){.session = state->entries[row].session, .object = pane->target.object});
    return true;
}

static void leave(kb_pane *pane)
{
    struct state *state = pane->state;
    free(state->entries);
    free(state->with);
    free(state->readable);
}

const kb_view_ops kb_object_view = {
    .name = "object",
    .scopes = KB_IN_CHART,
    .state_size = sizeof(struct state),
    .title = title,
    .refresh = refresh,
    .head = head,
    .aside = aside,
    .act = act,
    .leave = leave,
};
