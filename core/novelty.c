#include "novelty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans.h"
#include "memory.h"

static const double SIGNAL_LIMIT = 30;
/* The least spread of each signal, as a share of its median or in its own unit: without it a signal
 * that is constant among the known sessions (the unseen share usually is 0) would turn any
 * deviation into infinity. */
static const double LEAST_UNSEEN_SPREAD = .01, LEAST_RELATIVE_SPREAD = .01;

/* --- signals ------------------------------------------------------------------------------ */

static double log_mass(kb_series series)
{
    double sum = 0;
    for (uint32_t i = 0; i < series.count; i++)
        sum += log1p((double)series.values[i]);
    return sum;
}

/* NEW_OBJECT[o]: no fitted session had corpus object o. */
static double unseen_share(const kb_store *store, size_t session, const bool *new_object)
{
    double all = 0, unseen = 0;
    size_t n = kb_store_series_count(store, session);
    for (size_t i = 0; i < n; i++) {
        kb_series series = kb_store_series(store, session, i);
        double mass = log_mass(series);
        all += mass;
        if (new_object[series.object])
            unseen += mass;
    }
    return all > 0 ? unseen / all : 0;
}

static bool *find_new_objects(const kb_model *model, const kb_store *store)
{
    size_t objects = kb_store_objects(store);
    bool *new_object = kb_calloc(objects, sizeof *new_object);
    for (size_t o = 0; new_object && o < objects; o++) {
        const char *name = kb_store_object_name(store, o);
        new_object[o] = kb_names_find(model->seen, name, strlen(name)) == KB_NAME_NONE;
    }
    return new_object;
}

static kb_status measure(kb_readings *r, const kb_model *model, const kb_corpus *corpus,
                         const size_t *sessions, kb_pool *pool, const kb_progress *progress,
                         kb_error *err)
{
    const kb_store *store = kb_corpus_store(corpus);
    kb_view *view = NULL;
    float *residual = kb_calloc(r->count, sizeof *residual);
    bool *new_object = find_new_objects(model, store);
    kb_status status = residual && new_object ? KB_OK : kb_fail_memory(err, "novelty");
    if (!status)
        status = kb_view_create(&view, model->features, corpus, err);
    if (!status)
        status =
            kb_model_embed(model, view, sessions, r->count, r->z, residual, pool, progress, err);
    for (size_t i = 0; !status && i < r->count; i++) {
        r->signals[i].value[KB_SIGNAL_RESIDUAL] = (double)residual[i];
        r->signals[i].value[KB_SIGNAL_UNSEEN] = unseen_share(store, sessions[i], new_object);
    }
    kb_view_free(view);
    free(residual);
    free(new_object);
    return status;
}

kb_status kb_readings_of(kb_readings *out, const kb_model *model, const kb_corpus *corpus,
                         const size_t *sessions, size_t count, kb_pool *pool,
                         const kb_progress *progress, kb_error *err)
{
    size_t floats;
    *out = (kb_readings){.count = count};
    if (kb_size_mul(count, model->layout.latent, &floats))
        out->z = kb_matrix_of(kb_alloc_aligned(floats, sizeof(float)), count, model->layout.latent);
    out->signals = kb_calloc(count, sizeof *out->signals);
    out->nearest = kb_calloc(count, sizeof *out->nearest);
    kb_status status = out->z.data && out->signals && out->nearest
                           ? measure(out, model, corpus, sessions, pool, progress, err)
                           : kb_fail_memory(err, "embeddings");
    if (status)
        kb_readings_clear(out);
    return status;
}

kb_status kb_readings_distances(kb_readings *readings, kb_const_matrix centroids, kb_error *err)
{
    double *distance2 = kb_calloc(readings->count, sizeof *distance2);
    if (!distance2)
        return kb_fail_memory(err, "distances");
    kb_nearest(kb_matrix_const(readings->z), centroids, readings->nearest, distance2);
    for (size_t i = 0; i < readings->count; i++)
        readings->signals[i].value[KB_SIGNAL_DISTANCE] = sqrt(distance2[i]);
    free(distance2);
    return KB_OK;
}

void kb_readings_clear(kb_readings *readings)
{
    free(readings->z.data);
    free(readings->signals);
    free(readings->nearest);
    *readings = (kb_readings){0};
}

/* --- one number --------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The P-quantile of N sorted values, linear between order statistics. */
static double quantile(const double *sorted, size_t n, double p)
{
    double at = p * (double)(n - 1);
    size_t low = (size_t)at;
    if (low + 1 >= n)
        return sorted[n - 1];
    return sorted[low] + (at - (double)low) * (sorted[low + 1] - sorted[low]);
}

static kb_standard standard_of(double *values, size_t n, double least_spread)
{
    qsort(values, n, sizeof *values, by_value);
    kb_standard s = {quantile(values, n, .5),
                     (quantile(values, n, .75) - quantile(values, n, .25)) / 1.35};
    double least = fmax(least_spread, LEAST_RELATIVE_SPREAD * fabs(s.median));
    s.spread = fmax(s.spread, fmax(least, 1e-12));
    return s;
}

kb_status kb_signal_standards(kb_standard standards[KB_SIGNALS], const kb_readings *readings,
                              kb_error *err)
{
    double *values = kb_calloc(readings->count, sizeof *values);
    if (!values)
        return kb_fail_memory(err, "novelty");
    for (size_t s = 0; s < KB_SIGNALS; s++) {
        for (size_t i = 0; i < readings->count; i++)
            values[i] = readings->signals[i].value[s];
        standards[s] =
            standard_of(values, readings->count, s == KB_SIGNAL_UNSEEN ? LEAST_UNSEEN_SPREAD : 0);
    }
    free(values);
    return KB_OK;
}

double kb_novelty_of(const kb_signals *signals, const kb_standard standards[KB_SIGNALS],
                     kb_novelty novelty)
{
    if (novelty == KB_NOVELTY_DISTANCE)
        return signals->value[KB_SIGNAL_DISTANCE];
    double sum = 0;
    for (size_t s = 0; s < KB_SIGNALS; s++) {
        double z = (signals->value[s] - standards[s].median) / standards[s].spread;
        z = fmin(fmax(z, 0), SIGNAL_LIMIT);
        sum += z * z;
    }
    return sum;
}

double kb_conformal_threshold(double *values, size_t n, double alpha)
{
    qsort(values, n, sizeof *values, by_value);
    double rank = ceil((double)(n + 1) * (1 - alpha));
    if (rank < 1)
        return values[0];
    return rank > (double)n ? values[n - 1] : values[(size_t)rank - 1];
}
