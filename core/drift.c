#include "drift_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fdr.h"
#include "fisher.h"
#include "median.h"
#include "memory.h"
#include "ranktest.h"
#include "stability.h"

/* The customary reading of a PSI. */
static const double MODERATE = .1, DRIFTED = .25;
/* The share of sessions that must not be emerging for these to stand for all. */
static const double LEAST_JUDGED = .1;

enum { NOVELTY_CLASSES = 10 };

const char *kb_drift_kind_name(kb_drift_kind kind)
{
    static const char *const names[] = {"overall", "cluster", "object"};
    return names[kind];
}

const char *kb_drift_verdict_name(kb_drift_verdict verdict)
{
    static const char *const names[] = {"stable", "moderate", "drifted"};
    return names[verdict];
}

const char *kb_advice_name(kb_advice advice)
{
    static const char *const names[] = {"keep", "recalibrate", "retrain"};
    return names[advice];
}

kb_drift_options kb_drift_defaults(void)
{
    return (kb_drift_options){.alpha = .01, .objects = .05};
}

kb_drift_row kb_drift_row_of(kb_drift_kind kind, const char *name)
{
    return (kb_drift_row){.kind = kind,
                          .name = name,
                          .was = (double)NAN,
                          .now = (double)NAN,
                          .psi = (double)NAN,
                          .expected = (double)NAN,
                          .p = (double)NAN,
                          .q = (double)NAN,
                          .level = (double)NAN,
                          .distance = (double)NAN};
}

void kb_drift_set_psi(kb_drift_row *row, kb_psi psi)
{
    row->psi = psi.value;
    row->expected = psi.expected;
}

kb_status kb_drift_judge(kb_drift_row *rows, size_t count, double alpha, kb_error *err)
{
    double *p = kb_calloc(count, sizeof *p);
    kb_status status = p ? KB_OK : kb_fail_memory(err, "the q-values");
    for (size_t i = 0; !status && i < count; i++)
        p[i] = rows[i].p;
    if (!status)
        status = kb_fdr(p, p, count, err);
    for (size_t i = 0; !status && i < count; i++) {
        double beyond = rows[i].psi - rows[i].expected;
        rows[i].q = p[i];
        if (p[i] <= alpha && beyond >= MODERATE)
            rows[i].verdict = beyond >= DRIFTED ? KB_DRIFT_DRIFTED : KB_DRIFT_MODERATE;
    }
    free(p);
    return status;
}

/* --- what is compared --------------------------------------------------------------------- */

static void drifting_close(kb_drifting *d)
{
    free(d->ids);
    free(d->assigned);
    free(d->weight);
}

bool kb_drift_is_judged(const kb_drifting *d, size_t i)
{
    return d->few || !d->assigned[i].emerging;
}

static kb_status drifting_open(kb_drifting *d, const size_t *sessions,
                               const kb_assignment *assigned, size_t count, kb_error *err)
{
    kb_drift *out = d->out;
    d->ids = kb_calloc(count, sizeof *d->ids);
    d->assigned = kb_calloc(count, sizeof *d->assigned);
    if (!d->ids || !d->assigned)
        return kb_fail_memory(err, "the sessions to compare");
    for (size_t i = 0; i < count; i++) {
        if (!assigned[i].cluster)
            continue;
        d->ids[d->count] = sessions[i];
        d->assigned[d->count++] = assigned[i];
        out->emerging += assigned[i].emerging;
    }
    out->sessions = d->count;
    if (!out->sessions)
        return kb_fail(err, KB_ERR_FORMAT, "%s: no sessions to compare", kb_corpus_path(d->corpus));
    d->few = (double)(out->sessions - out->emerging) < LEAST_JUDGED * (double)out->sessions;
    out->judged = d->few ? out->sessions : out->sessions - out->emerging;
    return KB_OK;
}

/* --- clusters ----------------------------------------------------------------------------- */

/* Median distance of the sessions judged in cluster NUMBER; ROOM: one each. */
static double distance_in(const kb_drifting *d, uint32_t number, double *room)
{
    size_t n = 0;
    for (size_t i = 0; i < d->count; i++)
        if (kb_drift_is_judged(d, i) && d->assigned[i].cluster == number)
            room[n++] = d->assigned[i].distance;
    return kb_median(room, n);
}

/* WAS, NOW (k): sessions of each cluster. Where all are judged, so are all of the calibration. */
static void count_clusters(const kb_drifting *d, uint64_t *was, uint64_t *now)
{
    const kb_model *m = d->model;
    size_t k = kb_model_clusters(m);
    for (size_t c = 0; c < k; c++) {
        const kb_cluster *cluster = kb_model_cluster(m, c);
        was[c] = d->few ? cluster->size : cluster->known;
        for (size_t i = 0; i < d->count; i++)
            now[c] += kb_drift_is_judged(d, i) && d->assigned[i].cluster == cluster->number;
    }
}

static void fill_clusters(const kb_drifting *d, const uint64_t *was, const uint64_t *now,
                          double *room)
{
    kb_drift *out = d->out;
    size_t k = out->cluster_count;
    double *terms = room, *expected = room + k, *distances = room + 2 * k;
    uint64_t then = kb_sum_counts(was, k), here = kb_sum_counts(now, k);
    kb_drift_row *all = &out->overall[KB_DRIFT_CLUSTERS];
    kb_drift_set_psi(all, kb_psi_of(was, now, k, terms, expected));
    all->p = kb_chi_square_classes(was, now, k).p;
    for (size_t c = 0; c < k; c++) {
        const kb_cluster *cluster = kb_model_cluster(d->model, c);
        kb_drift_row *row = &out->clusters[c];
        *row = kb_drift_row_of(KB_DRIFT_CLUSTER, "");
        row->cluster = cluster->number;
        row->was = (double)was[c] / (double)then;
        row->now = (double)now[c] / (double)here;
        kb_drift_set_psi(row, (kb_psi){terms[c], expected[c]});
        row->p = kb_fisher_exact(was[c], then, now[c], here);
        row->distance = distance_in(d, cluster->number, distances) / cluster->distance;
    }
}

/* Sessions count as many times as there would be of their cluster if shares were as they were. */
static void weigh_sessions(kb_drifting *d)
{
    kb_drift *out = d->out;
    for (size_t i = 0; i < d->count; i++) {
        size_t c = 0;
        while (out->clusters[c].cluster != d->assigned[i].cluster)
            c++;
        const kb_drift_row *row = &out->clusters[c];
        d->weight[i] = kb_drift_is_judged(d, i) ? row->was / row->now : 0;
    }
}

static kb_status compare_clusters(kb_drifting *d, kb_error *err)
{
    kb_drift *out = d->out;
    size_t k = kb_model_clusters(d->model);
    uint64_t *was = kb_calloc(k, sizeof *was), *now = kb_calloc(k, sizeof *now);
    double *room = kb_calloc(2 * k + d->count, sizeof *room);
    out->clusters = kb_calloc(k, sizeof *out->clusters);
    out->cluster_count = k;
    d->weight = kb_calloc(d->count, sizeof *d->weight);
    kb_status status = was && now && room && out->clusters && d->weight
                           ? KB_OK
                           : kb_fail_memory(err, "the shares of clusters");
    if (!status) {
        count_clusters(d, was, now);
        fill_clusters(d, was, now, room);
        weigh_sessions(d);
        status = kb_drift_judge(out->clusters, k, d->options->alpha, err);
    }
    free(was);
    free(now);
    free(room);
    return status;
}

/* --- emerging sessions and novelty -------------------------------------------------------- */

static void compare_emerging(kb_drifting *d)
{
    const kb_model *m = d->model;
    kb_drift_row *row = &d->out->overall[KB_DRIFT_EMERGING];
    uint64_t then = m->known.sessions, flagged = m->known.flagged;
    if (!then) { /* what the thresholds were set for */
        for (size_t c = 0; c < kb_model_clusters(m); c++)
            then += kb_model_cluster(m, c)->size;
        flagged = (uint64_t)round(m->false_alarms * (double)then);
    }
    const uint64_t was[2] = {then - flagged, flagged};
    const uint64_t now[2] = {d->out->sessions - d->out->emerging, d->out->emerging};
    row->was = (double)flagged / (double)then;
    row->now = (double)now[1] / (double)d->out->sessions;
    kb_drift_set_psi(row, kb_psi_of(was, now, 2, NULL, NULL));
    row->p = kb_fisher_exact(flagged, then, now[1], d->out->sessions);
}

/* VALUES: COUNT novelties of the calibration, of which the first KNOWN are not emerging, rising,
 * then all that are judged now. */
static void compare_values(const kb_drifting *d, kb_rank_value *values, size_t known, size_t count)
{
    kb_drift_row *row = &d->out->overall[KB_DRIFT_NOVELTY];
    uint64_t was[NOVELTY_CLASSES] = {0}, now[NOVELTY_CLASSES] = {0};
    const uint64_t zeros[2] = {0, 0};
    double edges[NOVELTY_CLASSES - 1];
    for (size_t b = 1; b < NOVELTY_CLASSES; b++)
        edges[b - 1] = values[(b * known - 1) / NOVELTY_CLASSES].value;
    for (size_t i = 0; i < count; i++) {
        size_t b = 0;
        while (b + 1 < NOVELTY_CLASSES && values[i].value > edges[b])
            b++;
        (values[i].group ? now : was)[b]++;
    }
    kb_drift_set_psi(row, kb_psi_of(was, now, NOVELTY_CLASSES, NULL, NULL));
    kb_effect effect = kb_rank_test(values, count, zeros, 1);
    row->was = .5;
    row->now = effect.value;
    row->p = effect.p;
}

static kb_status compare_novelty(kb_drifting *d, kb_error *err)
{
    const kb_known *known = &d->model->known;
    double threshold = d->few ? INFINITY : kb_model_cluster(d->model, 0)->threshold;
    size_t n = 0, count;
    if (!known->count || !d->out->judged)
        return KB_OK;
    kb_rank_value *values = kb_calloc(known->count + d->count, sizeof *values);
    if (!values)
        return kb_fail_memory(err, "novelties");
    for (; n < known->count && (double)known->novelty[n] <= threshold; n++)
        values[n] = (kb_rank_value){(double)known->novelty[n], 0};
    count = n;
    for (size_t i = 0; i < d->count; i++)
        if (kb_drift_is_judged(d, i))
            values[count++] = (kb_rank_value){d->assigned[i].novelty, 1};
    if (n)
        compare_values(d, values, n, count);
    free(values);
    return KB_OK;
}

static void weigh_alike(kb_drifting *d)
{
    for (size_t i = 0; i < d->count; i++)
        d->weight[i] = kb_drift_is_judged(d, i);
}

/* --- what follows ------------------------------------------------------------------------- */

static void advise(kb_drifting *d)
{
    kb_drift *out = d->out;
    const kb_drift_row *o = out->overall;
    bool moved[KB_DRIFT_FIGURES];
    for (size_t i = 0; i < KB_DRIFT_FIGURES; i++)
        moved[i] = o[i].verdict != KB_DRIFT_STABLE;
    if (o[KB_DRIFT_OBJECTS].verdict == KB_DRIFT_DRIFTED)
        out->reasons |= KB_REASON_OBJECTS;
    if (moved[KB_DRIFT_NOVELTY] && o[KB_DRIFT_NOVELTY].now > .5)
        out->reasons |= KB_REASON_NOVELTY;
    if (d->few)
        out->reasons |= KB_REASON_FEW;
    out->advice = out->reasons ? KB_ADVICE_RETRAIN : KB_ADVICE_KEEP;
    if (moved[KB_DRIFT_CLUSTERS]) {
        out->reasons |= KB_REASON_CLUSTERS;
        if (out->advice == KB_ADVICE_KEEP)
            out->advice = KB_ADVICE_RECALIBRATE;
    }
    if (o[KB_DRIFT_EMERGING].q <= d->options->alpha &&
        o[KB_DRIFT_EMERGING].now > o[KB_DRIFT_EMERGING].was)
        out->reasons |= KB_REASON_EMERGING;
}

kb_status kb_drift_of(kb_drift *out, const kb_model *model, const kb_corpus *corpus,
                      const size_t *sessions, const kb_assignment *assigned, size_t count,
                      const kb_drift_options *options, const kb_progress *progress, kb_error *err)
{
    static const char *const names[KB_DRIFT_FIGURES] = {"clusters", "emerging", "novelty",
                                                        "objects", "unseen"};
    kb_drifting d = {.model = model, .corpus = corpus, .options = options, .out = out};
    *out = (kb_drift){0};
    for (size_t i = 0; i < KB_DRIFT_FIGURES; i++)
        out->overall[i] = kb_drift_row_of(KB_DRIFT_OVERALL, names[i]);
    kb_status status = drifting_open(&d, sessions, assigned, count, err);
    if (!status)
        status = compare_clusters(&d, err);
    if (!status)
        compare_emerging(&d);
    if (!status)
        status = compare_novelty(&d, err);
    if (!status) /* the objects' is no test, and has its own rule */
        status = kb_drift_judge(out->overall, KB_DRIFT_OBJECTS, options->alpha, err);
    if (!status && (d.few || out->overall[KB_DRIFT_CLUSTERS].verdict == KB_DRIFT_STABLE))
        weigh_alike(&d);
    if (!status)
        status = kb_drift_objects(&d, progress, err);
    if (!status)
        advise(&d);
    drifting_close(&d);
    if (status)
        kb_drift_clear(out);
    return status;
}

void kb_drift_clear(kb_drift *drift)
{
    free(drift->clusters);
    free(drift->objects);
    *drift = (kb_drift){0};
}
