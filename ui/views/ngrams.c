/* ngrams: what users did before a crash, most frequent first: all users, or those of one cluster.
 */
#include <stdio.h>

#include "parts.h"
#include "theme.h"

enum { N_DEFAULT = 3, N_LEAST = 2, N_MOST = 12 };

struct state {
    size_t n; /* 0: not chosen yet */
    kb_sheet_column columns[N_MOST + 1];
    char names[N_MOST][24];
};

static size_t length_of(const kb_pane *pane)
{
    const struct state *state = pane->state;
    return state->n ? state->n : N_DEFAULT;
}

static const kb_ngrams *table_of(const kb_pane *pane)
{
    return kb_data_ngrams(pane->ui->data, pane->target.cluster, length_of(pane));
}

static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const kb_ngrams *ngrams = table_of(pane);
    if (!ngrams || row >= ngrams->count)
        return;
    if (column < ngrams->width) {
        uint32_t event = ngrams->rows[row].events[column];
        if (event != KB_NAME_NONE)
            kb_value_text(value,
                          kb_events_kind_name(kb_corpus_events(pane->ui->data->corpus), event));
    } else {
        bool users = column == ngrams->width + 1;
        kb_value_number(value, KB_VALUE_COUNT,
                        (double)(users ? ngrams->rows[row].users : ngrams->rows[row].count));
    }
}

/* Events in the order of time, then count and users. */
static void name_columns(struct state *state, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        snprintf(state->names[i], sizeof state->names[i], "e%zu", i);
        state->columns[i] = (kb_sheet_column){.name = state->names[i],
                                              .width = 10,
                                              .flexible = true,
                                              .drop = (uint8_t)(i + 2 < n ? n - i : 0)};
    }
    state->columns[n - 1] = (kb_sheet_column){.name = "count", .width = 8};
    state->columns[n] = (kb_sheet_column){.name = "users", .width = 8, .drop = 1};
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
    const kb_ngrams *ngrams = table_of(pane);
    name_columns(state, n);
    pane->sheet = (kb_sheet){.columns = state->columns,
                             .column_count = n + 1,
                             .row_count = ngrams ? ngrams->count : 0,
                             .cell = cell,
                             .ctx = pane,
                             .version = kb_version_of(kb_data_serial(pane->ui->data), n)};
}

static void title(kb_pane *pane, char *text, size_t size)
{
    if (pane->target.cluster)
        snprintf(text, size, "C%u n-grams (n = %zu)", pane->target.cluster, length_of(pane));
    else
        snprintf(text, size, "N-grams (n = %zu)", length_of(pane));
}

static int head(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    const char *whose = pane->target.cluster ? "users of this cluster's sessions" : "all users";
    if (rect.rows < 6)
        return 0;
    kb_canvas_print(canvas, rect.x, rect.y, rect.cols, kb_ink_style(KB_INK_DIM),
                    "the last %zu events before a launch without a clean end; %s",
                    length_of(pane) - 1, whose);
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
    .refresh = refresh,
    .head = head,
    .act = act,
};
