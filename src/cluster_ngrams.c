/* ngrams of sessions: what users did before the crashes of each cluster, or of a set that the
 * command line describes, against all others'. */
#include <stdlib.h>

#include "memory.h"
#include "ngram_columns.h"
#include "work.h"

typedef struct cluster_ngrams {
    cli_work work;
    kb_truncations truncations;
    kb_joined joined;
    uint32_t *clusters; /* by session of the corpus: its cluster's number, or 0; NULL: no model */
    uint32_t *groups; /* by session: the place of its cluster in the model, from 1; or 1 for the set
                         described and 2 for the rest; 0: takes no part */
    kb_lifts found;
} cluster_ngrams;

static kb_status load(cluster_ngrams *n, const kb_progress *progress, kb_error *err)
{
    cli_work *work = &n->work;
    kb_status status = cli_work_load(work, progress, err);
    if (status)
        return status;
    if (!kb_corpus_events(work->corpus))
        return kb_fail(err, KB_ERR_FORMAT, "%s: the corpus has no event log (events*.csv)",
                       work->options->operand);
    return work->model ? cli_work_assign(work, progress, err) : KB_OK;
}

static kb_status join(cluster_ngrams *n, const kb_progress *progress, kb_error *err)
{
    const cli_options *options = n->work.options;
    kb_status status = kb_truncations_find(&n->truncations, kb_corpus_events(n->work.corpus), NULL,
                                           &options->starts, progress, err);
    if (status)
        return status;
    return kb_join_sessions(&n->joined, n->work.corpus, &n->truncations, options->starts.start,
                            options->starts.end, &options->joining, progress, err);
}

/* --- who is compared with whom ------------------------------------------------------------ */

static bool is_described(const cluster_ngrams *n)
{
    return n->work.options->where.count || n->work.options->sessions;
}

static void group_by_cluster(cluster_ngrams *n)
{
    const cli_work *work = &n->work;
    for (size_t i = 0; i < work->count; i++)
        for (size_t c = 0; c < kb_model_clusters(work->model); c++)
            if (kb_model_cluster(work->model, c)->number == work->assigned[i].cluster)
                n->groups[work->sessions[i]] = (uint32_t)(c + 1);
}

static kb_status group_by_description(cluster_ngrams *n, const kb_progress *progress, kb_error *err)
{
    const cli_work *work = &n->work;
    size_t sessions = kb_corpus_sessions(work->corpus), members = 0;
    bool *chosen = kb_calloc(sessions, sizeof *chosen);
    if (!chosen)
        return kb_fail_memory(err, "the sessions described");
    for (size_t i = 0; i < work->count; i++) {
        size_t s = work->sessions[i];
        chosen[s] = !work->options->cluster || n->clusters[s] == work->options->cluster;
    }
    kb_status status = cli_select_described(work, chosen, n->clusters, progress, err);
    for (size_t i = 0; i < work->count; i++) {
        size_t s = work->sessions[i];
        n->groups[s] = chosen[s] ? 1 : 2;
        members += chosen[s];
    }
    free(chosen);
    if (!status && !members)
        status = kb_fail(err, KB_ERR_USAGE, "no session of %s is what is asked for",
                         work->options->operand);
    return status;
}

static kb_status group_sessions(cluster_ngrams *n, const kb_progress *progress, kb_error *err)
{
    const cli_work *work = &n->work;
    size_t sessions = kb_corpus_sessions(work->corpus);
    n->groups = kb_calloc(sessions, sizeof *n->groups);
    n->clusters = work->model ? kb_calloc(sessions, sizeof *n->clusters) : NULL;
    if (!n->groups || (work->model && !n->clusters))
        return kb_fail_memory(err, "the sessions' clusters");
    for (size_t i = 0; work->model && i < work->count; i++)
        n->clusters[work->sessions[i]] = work->assigned[i].cluster;
    if (is_described(n))
        return group_by_description(n, progress, err);
    group_by_cluster(n);
    return KB_OK;
}

static kb_status find(void *ctx, const kb_progress *progress, kb_error *err)
{
    cluster_ngrams *n = ctx;
    kb_status status = load(n, progress, err);
    if (!status && n->work.model)
        status = cli_check_cluster(&n->work, err);
    if (!status)
        status = group_sessions(n, progress, err);
    if (!status)
        status = join(n, progress, err);
    if (status)
        return status;
    kb_lift_input input = {.events = kb_corpus_events(n->work.corpus),
                           .truncations = &n->truncations,
                           .sessions = n->joined.sessions,
                           .groups = n->groups,
                           .group_count = is_described(n) ? 2 : kb_model_clusters(n->work.model)};
    return kb_lifts_of(&n->found, &input, &n->work.options->lifts, progress, err);
}

/* --- what is told ------------------------------------------------------------------------- */

static void note_all(cluster_ngrams *n)
{
    char text[256];
    const kb_joined *joined = &n->joined;
    cli_note_truncations(&n->work.console, &n->truncations);
    snprintf(text, sizeof text,
             "%zu of %zu sequences joined to sessions: %zu by name, %zu by time (skew %.6g), %zu "
             "by order",
             joined->count - joined->by[KB_JOIN_AUTO], joined->count, joined->by[KB_JOIN_NAME],
             joined->by[KB_JOIN_TIME], joined->skew, joined->by[KB_JOIN_ORDER]);
    cli_note(&n->work.console, text);
    if (n->found.rare) {
        snprintf(text, sizeof text, "%zu n-grams of fewer than %zu users left out", n->found.rare,
                 n->work.options->lifts.support);
        cli_note(&n->work.console, text);
    }
    cli_note_folded(&n->work.console, n->found.folded);
}

/* The number of a group's cluster; 0 for the set described. */
static uint32_t number_of(const cluster_ngrams *n, uint32_t group)
{
    return is_described(n) ? 0 : kb_model_cluster(n->work.model, group - 1)->number;
}

/* All but the rest of a set described, and all but the one cluster asked for. */
static bool is_wanted(const cluster_ngrams *n, uint32_t group)
{
    size_t wanted = n->work.options->cluster;
    return is_described(n) ? group == 1 : !wanted || number_of(n, group) == wanted;
}

static void write_row(cluster_ngrams *n, output *out, const kb_lift_row *row, size_t rank)
{
    const kb_corpus *corpus = n->work.corpus;
    output_count(out, number_of(n, row->group));
    output_count(out, rank);
    cli_write_ngram(out, kb_corpus_events(corpus), &n->work.options->lifts.ngrams, row->n,
                    row->events);
    output_count(out, row->count);
    output_count(out, row->users);
    output_count(out, row->sessions);
    output_real(out, row->share);
    output_real(out, row->other);
    output_real(out, row->lift);
    output_real(out, row->p);
    output_real(out, row->q);
}

static int write_all(cluster_ngrams *n)
{
    static const output_column first[] = {{.name = "cluster"}, {.name = "rank"}, {.name = NULL}};
    static const output_column last[] = {
        {"count", .drop = 7},   {"users", .drop = 6},   {"sessions", .drop = 4},
        {"share", .drop = 3},   {"other", .drop = 5},   {"lift", .drop = 1},
        {"p_value", .drop = 8}, {"q_value", .drop = 2}, {.name = NULL}};
    const cli_options *options = n->work.options;
    cli_ngram_columns columns;
    cli_ngram_columns_init(&columns, &options->lifts.ngrams, first, last);
    output *out = cli_output(&n->work, columns.items, columns.count);
    uint32_t group = 0;
    size_t rank = 0;
    for (size_t i = 0; out && i < n->found.count; i++) {
        const kb_lift_row *row = &n->found.rows[i];
        rank = row->group == group ? rank + 1 : 1;
        group = row->group;
        if (is_wanted(n, group) && (!options->top || rank <= options->top))
            write_row(n, out, row, rank);
    }
    return cli_finish_output(&n->work.console, out);
}

int cli_cluster_ngrams(const cli_options *options)
{
    cluster_ngrams n = {0};
    cli_work_start(&n.work, options);
    int status = cli_run(&n.work.console, find, &n);
    if (status == CLI_DONE) {
        note_all(&n);
        status = write_all(&n);
    }
    kb_lifts_clear(&n.found);
    free(n.groups);
    free(n.clusters);
    kb_joined_clear(&n.joined);
    kb_truncations_clear(&n.truncations);
    return cli_work_end(&n.work, status);
}
