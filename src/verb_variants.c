/* compare-variants: the four kinds of model side by side, trained on the same corpus with the same
 * options: the elbow of each, what labels say, what it cost. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memory.h"
#include "peak_memory.h"
#include "verbs.h"
#include "work.h"

typedef struct variant_result {
    kb_elbow elbow;
    bool labelled;
    kb_score_row score;
    double seconds, memory;
} variant_result;

typedef struct comparison {
    cli_work work;
    kb_variant now; /* being trained */
    variant_result of[KB_VARIANTS];
} comparison;

static void pass_note(void *ctx, const char *text)
{
    comparison *c = ctx;
    char line[512];
    snprintf(line, sizeof line, "%s: %s", kb_variant_name(c->now), text);
    cli_note(&c->work.console, line);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool has_labels(const kb_corpus *corpus)
{
    for (size_t i = 0; i < kb_corpus_sessions(corpus); i++)
        if (*kb_corpus_session(corpus, i)->label)
            return true;
    return false;
}

/* The row of the validation sessions, which were not fitted and are what the elbow is of; where
 * none has a label, that of all. */
static kb_status score_variant(comparison *c, variant_result *r, const kb_progress *progress,
                               kb_error *err)
{
    cli_work *work = &c->work;
    kb_score_row rows[KB_SPLITS + 1];
    size_t count = 0, wanted = 0;
    if (!has_labels(work->corpus))
        return KB_OK;
    kb_status status = cli_work_assign(work, progress, err);
    if (!status)
        status = kb_score_against_labels(rows, &count, work->corpus, work->assigned, err);
    free(work->assigned);
    work->assigned = NULL;
    if (status || !count)
        return status;
    const char *validation = kb_split_name(KB_SPLIT_VALIDATION);
    while (wanted + 1 < count && strcmp(rows[wanted].split, validation) != 0)
        wanted++;
    r->score = rows[wanted];
    r->labelled = true;
    return KB_OK;
}

static kb_status try_variant(comparison *c, kb_variant variant, const kb_progress *progress,
                             kb_error *err)
{
    cli_work *work = &c->work;
    variant_result *r = &c->of[variant];
    kb_train_options training = work->options->training;
    const kb_train_observer observer = {.note = pass_note, .ctx = c};
    c->now = training.variant = variant;
    cli_peak_reset();
    double begun = seconds_now();
    kb_status status =
        kb_train(&work->model, work->corpus, &training, &observer, work->pool, progress, err);
    kb_calibrate_options calibration = work->options->calibration;
    calibration.bootstraps = 0;
    if (!status)
        status = kb_calibrate(work->model, work->corpus, &calibration, &r->elbow, work->pool,
                              progress, err);
    r->seconds = seconds_now() - begun;
    r->memory = cli_peak_mib();
    if (!status)
        status = score_variant(c, r, progress, err);
    kb_model_free(work->model);
    work->model = NULL;
    return status;
}

static kb_status compare(void *ctx, const kb_progress *progress, kb_error *err)
{
    comparison *c = ctx;
    kb_status status = cli_work_load(&c->work, progress, err);
    for (size_t v = 0; !status && v < KB_VARIANTS; v++)
        status = try_variant(c, (kb_variant)v, progress, err);
    return status;
}

/* --- the table ---------------------------------------------------------------------------- */
static void write_row(output *out, const char *variant, const variant_result *r,
                      const kb_elbow_row *row)
{
    bool scored = row->chosen && r->labelled;
    output_text(out, variant);
    cli_write_elbow_row(out, row);
    output_real(out, scored ? r->score.accuracy : (double)NAN);
    output_real(out, scored ? r->score.nmi : (double)NAN);
    output_real(out, scored ? r->score.ari : (double)NAN);
    output_real(out, row->chosen ? r->seconds : (double)NAN);
    output_real(out, row->chosen ? r->memory : (double)NAN);
}

static int write_comparison(comparison *c)
{
    static const output_column columns[] = {{.name = "variant"},
                                            {.name = "k"},
                                            {"silhouette", .drop = 1},
                                            {"davies_bouldin", .drop = 4},
                                            {"calinski_harabasz", .drop = 5},
                                            {"inertia", .drop = 6},
                                            {.name = "chosen"},
                                            {"accuracy", .drop = 7},
                                            {"nmi", .drop = 2},
                                            {"ari", .drop = 3},
                                            {"seconds", .drop = 8},
                                            {"memory", .drop = 9}};
    output *out = cli_output(&c->work, columns, sizeof columns / sizeof *columns);
    for (size_t v = 0; v < KB_VARIANTS; v++)
        for (size_t i = 0; i < c->of[v].elbow.count; i++)
            write_row(out, kb_variant_name((kb_variant)v), &c->of[v], &c->of[v].elbow.rows[i]);
    return cli_finish_output(&c->work.console, out);
}

int verb_variants(const cli_options *options)
{
    comparison c = {0};
    cli_work_start(&c.work, options);
    int status = cli_run(&c.work.console, compare, &c);
    if (status == CLI_DONE) {
        cli_say(&c.work.console,
                "warning: silhouette, davies_bouldin, calinski_harabasz and inertia are distances "
                "in each variant's own embedding: compare them along k, not between variants");
        status = write_comparison(&c);
    }
    for (size_t v = 0; v < KB_VARIANTS; v++)
        kb_elbow_clear(&c.of[v].elbow);
    return cli_work_end(&c.work, status);
}
