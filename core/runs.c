#include "runs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "appraisal.h"
#include "median.h"
#include "memory.h"
#include "model_private.h"
#include "scores.h"
#include "split.h"

struct run {
    kb_model *model;
    kb_elbow elbow;
    uint32_t *labels; /* of the sessions that are compared */
    kb_train_row *rows;
    size_t count, capacity;
    char **notes;
    size_t note_count, note_capacity;
    bool lost; /* a row or a note */
};

struct runs {
    const kb_corpus *corpus;
    const kb_train_observer *observer;
    kb_pool *pool;
    const kb_progress *progress;
    size_t count;
    struct run *runs;
    size_t *ids, sessions; /* that are compared */
    double *agreement;     /* count x count */
    struct run *now;       /* being trained */
};

/* --- rows and notes wait until it is known whose are wanted ------------------------------- */

static void keep_row(void *ctx, const kb_train_row *row)
{
    struct run *run = ((struct runs *)ctx)->now;
    void *rows = run->rows;
    if (!kb_grow(&rows, &run->capacity, run->count + 1, sizeof *run->rows)) {
        run->lost = true;
        return;
    }
    run->rows = rows;
    run->rows[run->count++] = *row;
    const kb_train_observer *o = ((struct runs *)ctx)->observer;
    if (o && o->live)
        o->live(o->ctx, row);
}

static void keep_note(void *ctx, const char *text)
{
    struct run *run = ((struct runs *)ctx)->now;
    void *notes = run->notes;
    char *copy = kb_strdup(text);
    if (!copy || !kb_grow(&notes, &run->note_capacity, run->note_count + 1, sizeof *run->notes)) {
        run->lost = true;
        free(copy);
        return;
    }
    run->notes = notes;
    run->notes[run->note_count++] = copy;
}

static void pass_note(void *ctx, const char *text)
{
    const kb_train_observer *o = ((struct runs *)ctx)->observer;
    if (o && o->note)
        o->note(o->ctx, text);
}

static kb_status hand_on(struct runs *r, const struct run *kept, kb_error *err)
{
    if (kept->lost)
        return kb_fail_memory(err, "the training log");
    for (size_t i = 0; i < kept->note_count; i++)
        pass_note(r, kept->notes[i]);
    for (size_t i = 0; r->observer && r->observer->row && i < kept->count; i++)
        r->observer->row(r->observer->ctx, &kept->rows[i]);
    return KB_OK;
}

/* --- the runs ----------------------------------------------------------------------------- */

static kb_status label_sessions(const struct runs *r, struct run *run, const kb_progress *progress,
                                kb_error *err)
{
    kb_assignment *assigned = kb_calloc(r->sessions, sizeof *assigned);
    run->labels = kb_calloc(r->sessions, sizeof *run->labels);
    kb_status status = assigned && run->labels ? kb_assign(assigned, run->model, r->corpus, r->ids,
                                                           r->sessions, r->pool, progress, err)
                                               : kb_fail_memory(err, "assignments");
    for (size_t i = 0; !status && i < r->sessions; i++)
        run->labels[i] = assigned[i].cluster;
    free(assigned);
    return status;
}

static void tell_part(void *ctx, const kb_progress_state *state)
{
    const struct runs *r = ctx;
    kb_progress_state part = *state;
    if (r->count > 1) {
        part.part = (unsigned)(r->now - r->runs) + 1;
        part.parts = (unsigned)r->count;
    }
    kb_progress_tell(r->progress, &part);
}

static kb_status run_one(struct runs *r, size_t i, kb_train_options training,
                         kb_calibrate_options calibration, kb_error *err)
{
    struct run *run = r->now = &r->runs[i];
    const kb_train_observer observer = {
        .row = keep_row, .note = r->count > 1 ? keep_note : pass_note, .ctx = r};
    const kb_progress progress = {.report = tell_part, .ctx = r, .outer = r->progress};
    training.seed += i;
    calibration.seed += i;
    calibration.bootstraps = 0; /* nobody sees the table */
    kb_status status =
        kb_train(&run->model, r->corpus, &training, &observer, r->pool, &progress, err);
    if (!status)
        status =
            kb_calibrate(run->model, r->corpus, &calibration, &run->elbow, r->pool, &progress, err);
    if (status || r->count == 1)
        return status;
    if (i == 0)
        r->sessions = kb_calibration_sessions(run->model, r->corpus, r->ids);
    return label_sessions(r, run, &progress, err);
}

static kb_status compare(struct runs *r, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; !status && i < r->count; i++)
        for (size_t j = 0; !status && j < i; j++) {
            kb_agreement a = {0};
            status = kb_agreement_of(&a, r->runs[i].labels, r->runs[j].labels, r->sessions, err);
            r->agreement[i * r->count + j] = r->agreement[j * r->count + i] = a.ari;
        }
    return status;
}

/* --- the one that is kept ----------------------------------------------------------------- */

static double others(const double *agreement, size_t r, size_t i)
{
    double sum = 0;
    for (size_t j = 0; j < r; j++)
        if (j != i)
            sum += agreement[i * r + j];
    return sum;
}

size_t kb_medoid(const double *agreement, size_t r)
{
    size_t best = 0;
    for (size_t i = 1; i < r; i++)
        if (others(agreement, r, i) > others(agreement, r, best))
            best = i;
    return best;
}

double kb_median_agreement(const double *agreement, size_t r, size_t i)
{
    double *row = kb_calloc(r, sizeof *row), median = (double)NAN;
    size_t n = 0;
    for (size_t j = 0; row && j < r; j++)
        if (j != i)
            row[n++] = agreement[i * r + j];
    if (n > 0) {
        median = kb_median(row, n);
    }
    free(row);
    return median;
}

static kb_runs_result summarise(const struct runs *r, size_t kept)
{
    double pairs = (double)(r->count * (r->count - 1)), sum = 0;
    for (size_t i = 0; i < r->count; i++)
        sum += others(r->agreement, r->count, i);
    kb_runs_result result = {.runs = r->count,
                             .seed = kb_model_seed(r->runs[kept].model),
                             .agreement = (double)NAN,
                             .kept_agreement = (double)NAN,
                             .kept_median = kb_median_agreement(r->agreement, r->count, kept)};
    if (r->count > 1) {
        result.agreement = sum / pairs;
        result.kept_agreement = others(r->agreement, r->count, kept) / (double)(r->count - 1);
    }
    return result;
}

static kb_status tell(struct runs *r, kb_model *model, const kb_runs_result *s, kb_error *err)
{
    char text[256];
    snprintf(text, sizeof text,
             "%zu runs agree by %.2f (mean adjusted Rand index of their clusters); seed %" PRIu64
             " is kept, which agrees with the others by %.2f",
             s->runs, s->agreement, s->seed, s->kept_agreement);
    pass_note(r, text);
    if (s->kept_median < KB_RUNS_WEAK)
        pass_note(r, "weak: the clusters depend on the seed");
    return kb_model_note(model, err,
                         "runs=%zu\nruns_agreement=%.6g\nruns_kept_seed=%" PRIu64
                         "\nruns_kept_agreement=%.6g\n",
                         s->runs, s->agreement, s->seed, s->kept_agreement);
}

static kb_status appraise(struct runs *r, kb_model *model, kb_error *err)
{
    kb_appraisal appraisal;
    kb_status status =
        kb_appraise(&appraisal, model, r->corpus, kb_model_seed(model), r->pool, r->progress, err);
    return status ? status : kb_appraisal_tell(&appraisal, model, pass_note, r, err);
}

static kb_status keep(struct runs *r, kb_model **out, kb_elbow *elbow, kb_runs_result *result,
                      kb_error *err)
{
    size_t kept = kb_medoid(r->agreement, r->count);
    struct run *run = &r->runs[kept];
    *result = summarise(r, kept);
    kb_status status = hand_on(r, run, err);
    if (!status && r->count > 1)
        status = tell(r, run->model, result, err);
    if (!status)
        status = appraise(r, run->model, err);
    if (status)
        return status;
    *out = run->model;
    *elbow = run->elbow;
    run->model = NULL;
    run->elbow = (kb_elbow){0};
    return KB_OK;
}

static void clear(struct runs *r)
{
    for (size_t i = 0; r->runs && i < r->count; i++) {
        kb_model_free(r->runs[i].model);
        kb_elbow_clear(&r->runs[i].elbow);
        free(r->runs[i].labels);
        free(r->runs[i].rows);
        for (size_t j = 0; j < r->runs[i].note_count; j++)
            free(r->runs[i].notes[j]);
        free(r->runs[i].notes);
    }
    free(r->runs);
    free(r->ids);
    free(r->agreement);
}

kb_status kb_runs_auto(size_t *runs, const kb_corpus *corpus, const kb_train_options *training,
                       kb_error *err)
{
    *runs = 1;
    if (training->preset == KB_PRESET_DOCUMENT || training->checkpoint || training->time_limit > 0)
        return KB_OK;
    kb_fit_split split;
    kb_status status = kb_fit_split_make(&split, corpus, training->seed, err);
    if (status)
        return status;
    if (split.fitted_count <= KB_SMALL_CORPUS)
        *runs = KB_RUNS_SMALL;
    kb_fit_split_clear(&split);
    return KB_OK;
}

kb_status kb_train_runs(kb_model **out, kb_elbow *elbow, kb_runs_result *result,
                        const kb_corpus *corpus, size_t runs, const kb_train_options *training,
                        const kb_calibrate_options *calibration, const kb_train_observer *observer,
                        kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    *out = NULL;
    *elbow = (kb_elbow){0};
    if (runs > KB_RUNS_MAX)
        return kb_fail(err, KB_ERR_USAGE, "--runs: %zu is not in 1..%d", runs, (int)KB_RUNS_MAX);
    kb_status status = runs ? KB_OK : kb_runs_auto(&runs, corpus, training, err);
    if (status)
        return status;
    struct runs r = {.corpus = corpus,
                     .observer = observer,
                     .pool = pool,
                     .progress = progress,
                     .count = runs,
                     .runs = kb_calloc(runs, sizeof *r.runs),
                     .ids = kb_calloc(kb_corpus_sessions(corpus), sizeof *r.ids),
                     .agreement = kb_calloc(runs * runs, sizeof *r.agreement)};
    status = r.runs && r.ids && r.agreement ? KB_OK : kb_fail_memory(err, "several models");
    for (size_t i = 0; !status && i < runs; i++)
        status = run_one(&r, i, *training, *calibration, err);
    if (!status && runs > 1)
        status = compare(&r, err);
    if (!status)
        status = keep(&r, out, elbow, result, err);
    clear(&r);
    return status;
}
