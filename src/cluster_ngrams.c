/* ngrams with a model: what users did before the crashes of each cluster, against all others'. */
#include <stdlib.h>

#include "memory.h"
#include "ngram_columns.h"
#include "work.h"

typedef struct cluster_ngrams {
    cli_work work;
    kb_truncations truncations;
    kb_joined joined;
    kb_lifts found; /* groups are the model's clusters, counted from 1 in its order */
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
    return cli_work_assign(work, progress, err);
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

/* By session of the corpus: the place of its cluster in the model, from 1; 0 for one that has none
 * or was not asked for. */
static uint32_t *group_sessions(const cli_work *work)
{
    uint32_t *groups = kb_calloc(kb_corpus_sessions(work->corpus), sizeof *groups);
    for (size_t i = 0; groups && i < work->count; i++)
        for (size_t c = 0; c < kb_model_clusters(work->model); c++)
            if (kb_model_cluster(work->model, c)->number == work->assigned[i].cluster)
                groups[work->sessions[i]] = (uint32_t)(c + 1);
    return groups;
}

static kb_status find(void *ctx, const kb_progress *progress, kb_error *err)
{
    cluster_ngrams *n = ctx;
    kb_status status = load(n, progress, err);
    if (!status)
        status = cli_check_cluster(&n->work, err);
    if (!status)
        status = join(n, progress, err);
    if (status)
        return status;
    uint32_t *groups = group_sessions(&n->work);
    if (!groups)
        return kb_fail_memory(err, "the sessions' clusters");
    kb_lift_input input = {.events = kb_corpus_events(n->work.corpus),
                           .truncations = &n->truncations,
                           .sessions = n->joined.sessions,
                           .groups = groups,
                           .group_count = kb_model_clusters(n->work.model)};
    status = kb_lifts_of(&n->found, &input, &n->work.options->lifts, progress, err);
    free(groups);
    return status;
}

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

static void write_row(cluster_ngrams *n, output *out, const kb_lift_row *row, size_t rank)
{
    const kb_corpus *corpus = n->work.corpus;
    output_count(out, kb_model_cluster(n->work.model, row->group - 1)->number);
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
    static const char *const first[] = {"cluster", "rank", NULL};
    static const char *const last[] = {"count", "users",   "sessions", "share", "other",
                                       "lift",  "p_value", "q_value",  NULL};
    const cli_options *options = n->work.options;
    cli_ngram_columns columns;
    cli_ngram_columns_init(&columns, &options->lifts.ngrams, first, last);
    output *out = cli_output(&n->work, columns.names, columns.count);
    uint32_t group = 0;
    size_t rank = 0;
    for (size_t i = 0; out && i < n->found.count; i++) {
        const kb_lift_row *row = &n->found.rows[i];
        rank = row->group == group ? rank + 1 : 1;
        group = row->group;
        bool wanted = !options->cluster ||
                      kb_model_cluster(n->work.model, group - 1)->number == options->cluster;
        if (wanted && (!options->top || rank <= options->top))
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
    kb_joined_clear(&n.joined);
    kb_truncations_clear(&n.truncations);
    return cli_work_end(&n.work, status);
}
