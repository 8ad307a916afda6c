/* score: how well the clusters agree with labels that the model never saw. */
#include "appraisal.h"
#include "verbs.h"
#include "work.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* The model's clusters, then those of the baselines. */
enum { CLUSTERINGS = 1 + KB_BASELINES_TOLD };

typedef struct scores {
    kb_score_row rows[KB_SPLITS + 1];
    size_t count;
} scores;

typedef struct scoring {
    cli_work work;
    scores of[CLUSTERINGS];
} scoring;

static kb_status score_one(scoring *s, size_t c, kb_error *err)
{
    return kb_score_against_labels(s->of[c].rows, &s->of[c].count, s->work.corpus, s->work.assigned,
                                   err);
}

/* All sessions are assigned whatever --split says: it picks the rows that are printed. */
static kb_status score(void *ctx, const kb_progress *progress, kb_error *err)
{
    scoring *s = ctx;
    cli_work *work = &s->work;
    kb_status status = cli_work_load(work, progress, err);
    if (status)
        return status;
    work->count = kb_corpus_sessions(work->corpus);
    for (size_t i = 0; i < work->count; i++)
        work->sessions[i] = i;
    status = cli_work_assign(work, progress, err);
    if (!status)
        status = score_one(s, 0, err);
    for (size_t b = 0; !status && work->options->baselines && b < KB_BASELINES_TOLD; b++) {
        status = kb_baseline_assign(work->assigned, work->model, work->corpus, (kb_baseline)b,
                                    work->options->seed, work->pool, progress, err);
        if (!status)
            status = score_one(s, 1 + b, err);
    }
    return status;
}

static bool is_wanted(const scoring *s, const kb_score_row *row)
{
    unsigned split = s->work.options->split;
    return split == CLI_SPLIT_ALL || strcmp(row->split, kb_split_name((kb_split)split)) == 0;
}

static void write_row(output *out, const kb_score_row *row)
{
    output_text(out, row->split);
    output_count(out, row->sessions);
    output_real(out, row->accuracy);
    output_real(out, row->nmi);
    output_real(out, row->ari);
    output_real(out, row->emerging_auroc);
}

static int write_scores(scoring *s)
{
    static const output_column columns[] = {{.name = "split"},       {"sessions", .drop = 5},
                                            {"accuracy", .drop = 1}, {"nmi", .drop = 2},
                                            {"ari", .drop = 3},      {"emerging_auroc", .drop = 4},
                                            {.name = "clustering"}};
    bool baselines = s->work.options->baselines;
    output *out = cli_output(&s->work, columns, sizeof columns / sizeof *columns - !baselines);
    for (size_t c = 0; c < CLUSTERINGS; c++)
        for (size_t i = 0; i < s->of[c].count; i++) {
            if (!is_wanted(s, &s->of[c].rows[i]))
                continue;
            write_row(out, &s->of[c].rows[i]);
            if (baselines)
                output_text(out, c ? kb_baseline_name((kb_baseline)(c - 1)) : "model");
        }
    return cli_finish_output(&s->work.console, out);
}

int verb_score(const cli_options *options)
{
    scoring s = {0};
    cli_work_start(&s.work, options);
    int status = cli_run(&s.work.console, score, &s);
    if (status == CLI_DONE)
        status = write_scores(&s);
    return cli_work_end(&s.work, status);
}
