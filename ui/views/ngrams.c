/* ngrams: what users did before a crash: everybody, most frequent first; or in the sessions of one
 * cluster, what sets it apart from all others first. */
#include <math.h>
#include <stdio.h>

#include "parts.h"
#include "theme.h"

enum { N_DEFAULT = 3, N_LEAST = 2, N_MOST = 12, FIGURES_MOST = 7 };

struct state {
    size_t n; /* 0: not chosen yet */
    kb_sheet_column columns[N_MOST - 1 + FIGURES_MOST];
    char names[N_MOST][24];
    size_t first; /* of a cluster: its rows' first among those of all, since the last refresh */
};

static size_t length_of(const kb_pane *pane)
{
    const struct state *state = pane->state;
    return state->n ? state->n : N_DEFAULT;
}

/* --- cells -------------------------------------------------------------------------------- */
static void event_cell(const kb_pane *pane, uint32_t event, kb_value *value)
{
    if (event != KB_NAME_NONE)
        kb_value_text(value, kb_events_kind_name(kb_corpus_events(pane->ui->data->corpus), event));
}

static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const kb_ngrams *ngrams = kb_data_ngrams(pane->ui->data, length_of(pane));
    if (!ngrams || row >= ngrams->count)
        return;
    const kb_ngram_row *r = &ngrams->rows[row];
    if (column < ngrams->width)
        event_cell(pane, r->events[column], value);
    else
        kb_value_number(value, KB_VALUE_COUNT,
                        (double)(column == ngrams->width ? r->count : r->users));
}

enum { COUNT, USERS, SHARE, OTHER, LIFT, P, Q };

static void figure(const kb_lift_row *row, size_t column, kb_value *value)
{
    switch (column) {
    case COUNT:
    case USERS:
        kb_value_number(value, KB_VALUE_COUNT, (double)(column == COUNT ? row->count : row->users));
        break;
    case SHARE:
    case OTHER:
        kb_value_number(value, KB_VALUE_SHARE, column == SHARE ? row->share : row->other);
        break;
    case LIFT:
        if (isfinite(row->lift))
            kb_value_number(value, KB_VALUE_REAL, row->lift);
        break;
    default:
        kb_value_number(value, KB_VALUE_REAL, column == P ? row->p : row->q);
    }
}

static void cluster_cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const kb_lifts *lifts = kb_data_lifts(pane->ui->data, length_of(pane));
    size_t at = ((const struct state *)pane->state)->first + row;
    if (!lifts || at >= lifts->count)
        return;
    if (column < lifts->width)
        event_cell(pane, lifts->rows[at].events[column], value);
    else
        figure(&lifts->rows[at], column - lifts->width, value);
}

/* --- columns ------------------------------------------------------------------------------ */
static const kb_sheet_column everybodys[] = {{.name = "count", .width = 8},
                                             {.name = "users", .width = 8, .drop = 1}};
static const kb_sheet_column clusters[] = {
    {.name = "count", .width = 7, .drop = 1},
    {.name = "users", .width = 7, .drop = 20},
    {.name = "share", .width = 7},
    {.name = "other", .width = 7, .drop = 2},
    {.name = "lift", .width = 8, .drop = 1},
    {.name = "p_value", .title = "p", .width = 10, .drop = 21},
    {.name = "q_value", .title = "q", .width = 10}};

/* Events in the order of time, then figures. Narrow screens lose the oldest events first. */
static size_t name_columns(struct state *state, size_t n, const kb_sheet_column *figures,
                           size_t count)
{
    for (size_t i = 0; i + 1 < n; i++) {
        snprintf(state->names[i], sizeof state->names[i], "e%zu", i);
        state->columns[i] = (kb_sheet_column){.name = state->names[i],
                                              .width = 10,
                                              .flexible = true,
                                              .drop = (uint8_t)(i + 2 < n ? n - i : 0)};
    }
    for (size_t i = 0; i < count; i++)
        state->columns[n - 1 + i] = figures[i];
    return n - 1 + count;
}

static bool must_wait(kb_pane *pane)
{
    kb_data *data = pane->ui->data;
    if (kb_data_wait_corpus(data, pane->wait, sizeof pane->wait) ||
        (pane->target.cluster && kb_data_wait_findings(data, pane->wait, sizeof pane->wait)))
        return true;
    if (!kb_corpus_events(data->corpus))
        snprintf(pane->wait, sizeof pane->wait,
                 "The corpus has no event log (events*.csv with the columns user, time, event).");
    return pane->wait[0] != '\0';
}

static void refresh(kb_pane *pane)
{
    struct state *state = pane->state;
    size_t n = length_of(pane);
    if (must_wait(pane))
        return;
    const kb_ngrams *ngrams = kb_data_ngrams(pane->ui->data, n);
    size_t columns = name_columns(state, n, everybodys, sizeof everybodys / sizeof *everybodys);
    pane->sheet = (kb_sheet){.columns = state->columns,
                             .column_count = columns,
                             .row_count = ngrams ? ngrams->count : 0,
                             .cell = cell,
                             .ctx = pane,
                             .version = kb_version_of(kb_data_serial(pane->ui->data), n)};
}

static void cluster_refresh(kb_pane *pane)
{
    struct state *state = pane->state;
    kb_data *data = pane->ui->data;
    size_t n = length_of(pane), count = 0;
    if (must_wait(pane))
        return;
    const kb_lifts *lifts = kb_data_lifts(data, n);
    if (lifts)
        state->first = kb_data_lift_rows(data, lifts, pane->target.cluster, &count);
    size_t columns = name_columns(state, n, clusters, sizeof clusters / sizeof *clusters);
    pane->sheet = (kb_sheet){.columns = state->columns,
                             .column_count = columns,
                             .row_count = count,
                             .cell = cluster_cell,
                             .ctx = pane,
                             .version = kb_version_of(kb_data_serial(data), n)};
}

/* --- around them -------------------------------------------------------------------------- */
static void title(kb_pane *pane, char *text, size_t size)
{
    if (pane->target.cluster)
        snprintf(text, size, "C%u n-grams (n = %zu)", pane->target.cluster, length_of(pane));
    else
        snprintf(text, size, "N-grams (n = %zu)", length_of(pane));
}

static int head(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    const kb_data *data = pane->ui->data;
    kb_style style = kb_ink_style(KB_INK_DIM);
    if (rect.rows < 6)
        return 0;
    if (pane->target.cluster)
        kb_canvas_print(canvas, rect.x, rect.y, rect.cols, style,
                        "before a launch without a clean end, against all other clusters; %zu of "
                        "%zu such launches have a session",
                        data->joined.count - data->joined.by[KB_JOIN_AUTO], data->joined.count);
    else
        kb_canvas_print(canvas, rect.x, rect.y, rect.cols, style,
                        "the last %zu events before a launch without a clean end; all users",
                        length_of(pane) - 1);
    return 1;
}

static bool act(kb_pane *pane, kb_do command)
{
    struct state *state = pane->state;
    size_t n = length_of(pane);
    if (command != KB_DO_MORE && command != KB_DO_LESS)
        return false;
    if (command == KB_DO_MORE)
        state->n = n < N_MOST ? n + 1 : n;
    else
        state->n = n > N_LEAST ? n - 1 : n;
    kb_list_sort_by(&pane->list, -1, false);
    return true;
}

const kb_view_ops kb_ngrams_view = {
    .name = "N-grams",
    .scopes = KB_IN_NGRAMS,
    .state_size = sizeof(struct state),
    .title = title,
    .refresh = refresh,
    .head = head,
    .act = act,
};

const kb_view_ops kb_cluster_ngrams_view = {
    .name = "cluster-ngrams",
    .scopes = KB_IN_NGRAMS | KB_IN_CLUSTER,
    .state_size = sizeof(struct state),
    .title = title,
    .refresh = cluster_refresh,
    .head = head,
    .act = act,
};
