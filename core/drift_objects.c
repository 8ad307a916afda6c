/* The objects of drift.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "drift_private.h"
#include "fisher.h"
#include "median.h"
#include "memory.h"
#include "novelty.h"

/* Shares of log mass in objects never seen, beyond that of the calibration. Novelty takes a
 * hundredth for much (least_spread of the unseen part in novelty.c). */
static const double UNSEEN_MODERATE = .01, UNSEEN_DRIFTED = .05;

/* What the reference knows (M of them, by its numbers), then the store's others. */
struct object_counts {
    const kb_reference *reference;
    size_t known, count;
    uint32_t *at;   /* by object of the store: its place in the count */
    double *now;    /* count x KB_CLASSES: weights of the sessions judged; absence stays 0 */
    double weights; /* their sum */
    double judged;  /* sessions of equal weight that say as much: (sum w)^2 / sum w^2 (Kish 1965) */
    double *unseen; /* by session: share of log mass */
};

static void object_counts_close(struct object_counts *o)
{
    free(o->at);
    free(o->now);
    free(o->unseen);
}

/* As long as places of what is not known are not set. */
static kb_status measure_unseen(struct object_counts *o, const kb_drifting *d,
                                const kb_progress *progress, kb_error *err)
{
    const kb_store *store = kb_corpus_store(d->corpus);
    for (size_t i = 0; i < d->count; i++) {
        kb_progress_report(progress, "weighing objects", i, d->count);
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        o->unseen[i] = kb_unseen_share(store, d->ids[i], o->at);
    }
    return KB_OK;
}

static kb_status object_counts_open(struct object_counts *o, const kb_drifting *d,
                                    const kb_progress *progress, kb_error *err)
{
    const kb_store *store = kb_corpus_store(d->corpus);
    size_t cells;
    *o = (struct object_counts){.reference = &d->model->reference,
                                .known = d->model->reference.objects,
                                .at = kb_reference_numbers(d->model->seen, store),
                                .unseen = kb_calloc(d->count, sizeof *o->unseen)};
    if (!o->at || !o->unseen)
        return kb_fail_memory(err, "the objects to compare");
    o->count = o->known;
    kb_status status = measure_unseen(o, d, progress, err);
    if (status)
        return status;
    for (size_t s = 0; s < kb_store_objects(store); s++)
        if (o->at[s] == KB_NAME_NONE)
            o->at[s] = (uint32_t)o->count++;
    if (kb_size_mul(o->count, KB_CLASSES, &cells))
        o->now = kb_calloc(cells, sizeof *o->now);
    return o->now ? KB_OK : kb_fail_memory(err, "the objects to compare");
}

static void count_session(struct object_counts *o, const kb_store *store, size_t session,
                          double weight)
{
    for (size_t i = 0; i < kb_store_series_count(store, session); i++) {
        kb_series series = kb_store_series(store, session, i);
        size_t at = o->at[series.object], class = 1;
        double level = kb_reference_level(&series, kb_store_length(store, session));
        if (at < o->known)
            class = kb_reference_class(o->reference, at, level);
        o->now[at * KB_CLASSES + class] += weight;
    }
}

static kb_status count_sessions(const kb_drifting *d, struct object_counts *o,
                                const kb_progress *progress, kb_error *err)
{
    double squares = 0;
    for (size_t i = 0; i < d->count; i++) {
        double weight = d->weight[i];
        kb_progress_report(progress, "counting objects", i, d->count);
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        if (!(weight > 0))
            continue;
        count_session(o, kb_corpus_store(d->corpus), d->ids[i], weight);
        o->weights += weight;
        squares += weight * weight;
    }
    o->judged = o->weights * o->weights / squares;
    return KB_OK;
}

/* The row of an object with counts WAS and NOW (KB_CLASSES). */
static kb_drift_row object_row(const char *name, const uint64_t *was, const uint64_t *now)
{
    kb_drift_row row = kb_drift_row_of(KB_DRIFT_OBJECT, name);
    uint64_t then = kb_sum_counts(was, KB_CLASSES), here = kb_sum_counts(now, KB_CLASSES);
    uint64_t had = then - was[0], has = here - now[0];
    kb_share_test levels = kb_chi_square_classes(was + 1, now + 1, KB_LEVELS);
    row.was = (double)had / (double)then;
    row.now = (double)has / (double)here;
    kb_drift_set_psi(&row, kb_psi_of(was, now, KB_CLASSES, NULL, NULL));
    row.p = kb_fisher_exact(had, then, has, here);
    if (!isnan(levels.p))
        row.p = fmin(1, 2 * fmin(row.p, levels.p));
    row.level = kb_class_delta(was + 1, now + 1, KB_LEVELS);
    return row;
}

static void known_counts(const struct object_counts *o, size_t object, uint64_t *was)
{
    memset(was, 0, KB_CLASSES * sizeof *was);
    was[0] = o->reference->sessions;
    for (size_t b = 0; object < o->known && b < KB_CLASSES; b++)
        was[b] = (uint64_t)o->reference->counts[object * KB_CLASSES + b];
}

/* NOW (KB_CLASSES) = the weights of OBJECT as counts of as many sessions as say as much. */
static void weighed_counts(const struct object_counts *o, size_t object, uint64_t *now)
{
    uint64_t all = (uint64_t)llround(o->judged), present = 0;
    double share = 0;
    for (size_t b = 1; b < KB_CLASSES; b++) { /* sums are rounded, for them to be as they were */
        share += o->now[object * KB_CLASSES + b] / o->weights;
        uint64_t so_far = (uint64_t)llround(fmin(share, 1) * o->judged);
        now[b] = so_far - present;
        present = so_far;
    }
    now[0] = all - present;
}

/* NAMES (count): by place in the count. */
static kb_status fill_objects(const kb_drifting *d, struct object_counts *o, const char **names,
                              const kb_progress *progress, kb_error *err)
{
    kb_drift *out = d->out;
    const kb_store *store = kb_corpus_store(d->corpus);
    for (size_t s = 0; s < kb_store_objects(store); s++)
        names[o->at[s]] = kb_store_object_name(store, s);
    for (size_t j = 0; j < o->known; j++)
        names[j] = kb_names_get(d->model->seen, (uint32_t)j);
    for (size_t j = 0; j < o->count; j++) {
        uint64_t was[KB_CLASSES], now[KB_CLASSES];
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        known_counts(o, j, was);
        weighed_counts(o, j, now);
        if (was[0] < o->reference->sessions || kb_sum_counts(now + 1, KB_LEVELS))
            out->objects[out->object_count++] = object_row(names[j], was, now);
    }
    return KB_OK;
}

static int by_psi(const void *a, const void *b)
{
    const kb_drift_row *x = a, *y = b;
    if (x->psi != y->psi)
        return x->psi > y->psi ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void sum_objects(const kb_drifting *d, const struct object_counts *o, double *room)
{
    kb_drift *out = d->out;
    kb_drift_row *all = &out->overall[KB_DRIFT_OBJECTS], *unseen = &out->overall[KB_DRIFT_UNSEEN];
    size_t moved = 0;
    for (size_t j = 0; j < out->object_count; j++) {
        moved += out->objects[j].verdict != KB_DRIFT_STABLE;
        room[j] = out->objects[j].psi;
    }
    all->now = out->object_count ? (double)moved / (double)out->object_count : (double)NAN;
    all->psi = kb_median(room, out->object_count);
    for (size_t j = 0; j < out->object_count; j++)
        room[j] = out->objects[j].expected;
    all->expected = kb_median(room, out->object_count);
    if (moved)
        all->verdict = all->now > d->options->objects ? KB_DRIFT_DRIFTED : KB_DRIFT_MODERATE;
    unseen->was = d->model->known.sessions ? d->model->known.unseen : (double)NAN;
    unseen->now = 0;
    for (size_t i = 0; i < d->count; i++)
        unseen->now += o->unseen[i] / (double)d->count;
    double more = unseen->now - (isnan(unseen->was) ? 0 : unseen->was);
    if (more >= UNSEEN_MODERATE)
        unseen->verdict = more >= UNSEEN_DRIFTED ? KB_DRIFT_DRIFTED : KB_DRIFT_MODERATE;
}

static kb_status compare_counted(kb_drifting *d, struct object_counts *o,
                                 const kb_progress *progress, kb_error *err)
{
    kb_drift *out = d->out;
    const char **names = kb_calloc(o->count, sizeof *names);
    double *room = kb_calloc(o->count, sizeof *room);
    out->objects = kb_calloc(o->count, sizeof *out->objects);
    kb_status status =
        names && room && out->objects ? KB_OK : kb_fail_memory(err, "the objects compared");
    if (!status)
        status = fill_objects(d, o, names, progress, err);
    if (!status)
        status = kb_drift_judge(out->objects, out->object_count, d->options->alpha, err);
    if (!status) {
        qsort(out->objects, out->object_count, sizeof *out->objects, by_psi);
        sum_objects(d, o, room);
    }
    free(names);
    free(room);
    return status;
}

kb_status kb_drift_objects(kb_drifting *d, const kb_progress *progress, kb_error *err)
{
    struct object_counts o;
    if (!d->model->reference.sessions)
        return KB_OK;
    kb_status status = object_counts_open(&o, d, progress, err);
    if (!status)
        status = count_sessions(d, &o, progress, err);
    if (!status)
        status = compare_counted(d, &o, progress, err);
    object_counts_close(&o);
    return status;
}
