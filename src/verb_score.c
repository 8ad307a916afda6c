/* score: how well the clusters agree with labels that the model never saw. */
#include "verbs.h"
#include "work.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

typedef struct scoring {
    cli_work work;
    kb_score_row rows[KB_SPLITS + 1];
    size_t count;
} scoring;

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
    return status ? status
                  : kb_score_against_labels(s->rows, &s->count, work->corpus, work->assigned, err);
}

static bool is_wanted(const scoring *s, const kb_score_row *row)
{
    unsigned split = s->work.options->split;
    return split == CLI_SPLIT_ALL || strcmp(row->split, kb_split_name((kb_split)split)) == 0;
}

static int write_scores(scoring *s)
{
    static const char *const columns[] = {"split", "sessions", "accuracy",
                                          "nmi",   "ari",      "emerging_auroc"};
    output *out = cli_output(&s->work, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < s->count; i++) {
        const kb_score_row *row = &s->rows[i];
        if (!is_wanted(s, row))
            continue;
        output_text(out, row->split);
        output_count(out, row->sessions);
        output_real(out, row->accuracy);
        output_real(out, row->nmi);
        output_real(out, row->ari);
        output_real(out, row->emerging_auroc);
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
