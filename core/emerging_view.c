#include "emerging_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "model_private.h"
#include "rng.h"
#include "sorting.h"

static const double LEAST_SCALE = .1; /* of the median deviation */

const char *kb_emerging_scale_name(kb_emerging_scale scale)
{
    return scale == KB_EMERGING_PRESENCE ? "presence" : "levels";
}

static double level_in(const kb_store *store, size_t session, const kb_series *series)
{
    return kb_reference_level(series, kb_store_length(store, session));
}

/* --- weights ------------------------------------------------------------------------------ */

static float surprise(double rate)
{
    return (float)sqrt(-log(rate));
}

/* The median of the deviations that are not 0; 1 where all are. */
static double median_deviation(const double *deviation, double *sorted, size_t objects)
{
    size_t n = 0;
    for (size_t o = 0; o < objects; o++)
        if (deviation[o] > 0)
            sorted[n++] = deviation[o];
    kb_sort_doubles(sorted, n);
    return n ? sorted[n / 2] : 1;
}

/* SUM and SUM2 of the levels; SUM becomes the deviations. An object without any is as if it had the
 * median one. */
static void weigh_levels(float *weight, double *sum, double *sum2, size_t objects, double count)
{
    for (size_t o = 0; o < objects; o++) {
        double mean = sum[o] / count;
        sum[o] = sqrt(fmax(sum2[o] / count - mean * mean, 0));
    }
    double median = median_deviation(sum, sum2, objects);
    for (size_t o = 0; o < objects; o++)
        weight[o] = (float)(1 / (sum[o] > 0 ? sum[o] + LEAST_SCALE * median : median));
}

kb_status kb_emerging_view_fit(kb_emerging_view *out, const kb_store *store,
                               kb_emerging_scale scale, const size_t *known, size_t count,
                               kb_error *err)
{
    size_t objects = kb_store_objects(store);
    double *sum = kb_calloc(objects, sizeof *sum), *sum2 = kb_calloc(objects, sizeof *sum2);
    *out = (kb_emerging_view){store, scale, kb_calloc(objects, sizeof *out->weight)};
    bool ok = sum && sum2 && out->weight;
    for (size_t i = 0; ok && i < count; i++)
        for (size_t j = 0; j < kb_store_series_count(store, known[i]); j++) {
            kb_series series = kb_store_series(store, known[i], j);
            double x = scale == KB_EMERGING_PRESENCE ? 1 : level_in(store, known[i], &series);
            sum[series.object] += x;
            sum2[series.object] += x * x;
        }
    if (ok && scale == KB_EMERGING_LEVELS)
        weigh_levels(out->weight, sum, sum2, objects, (double)count);
    for (size_t o = 0; ok && scale == KB_EMERGING_PRESENCE && o < objects; o++)
        out->weight[o] = surprise((sum[o] + .5) / ((double)count + 1));
    free(sum);
    free(sum2);
    return ok ? KB_OK : kb_fail_memory(err, "objects of emerging sessions");
}

/* --- rows --------------------------------------------------------------------------------- */

void kb_emerging_view_fill(const kb_emerging_view *view, const size_t *sessions, size_t count,
                           kb_matrix x)
{
    for (size_t i = 0; i < count; i++) {
        float *row = kb_matrix_row(x, i);
        memset(row, 0, x.cols * sizeof *row);
        for (size_t j = 0; j < kb_store_series_count(view->store, sessions[i]); j++) {
            kb_series series = kb_store_series(view->store, sessions[i], j);
            float weight = view->weight[series.object];
            row[series.object] = view->scale == KB_EMERGING_PRESENCE
                                     ? weight
                                     : weight * (float)level_in(view->store, sessions[i], &series);
        }
    }
}

/* --- from the model ----------------------------------------------------------------------- */

double kb_emerging_base_rate(const kb_model *model, uint32_t number)
{
    const kb_reference *r = &model->reference;
    double n = (double)r->sessions;
    double with = number == KB_NAME_NONE ? 0 : n - (double)r->counts[(size_t)number * KB_CLASSES];
    return (with + .5) / (n + 1);
}

kb_status kb_emerging_view_draw(kb_emerging_view *out, const kb_store *store, const kb_model *model,
                                uint64_t seed, kb_matrix x, kb_error *err)
{
    const kb_reference *r = &model->reference;
    size_t objects = kb_store_objects(store);
    uint32_t *number = kb_reference_numbers(model->seen, store);
    *out = (kb_emerging_view){store, KB_EMERGING_PRESENCE, kb_calloc(objects, sizeof(float))};
    if (!number || !out->weight) {
        free(number);
        return kb_fail_memory(err, "objects of emerging sessions");
    }
    kb_rng rng = kb_rng_start(seed, KB_STREAM_EXCESS + 100);
    for (size_t o = 0; o < objects; o++)
        out->weight[o] = surprise(kb_emerging_base_rate(model, number[o]));
    for (size_t i = 0; i < x.rows; i++) {
        const float *rates = r->rates + i % r->groups * r->objects;
        float *row = kb_matrix_row(x, i);
        for (size_t o = 0; o < objects; o++) {
            bool seen = number[o] != KB_NAME_NONE;
            bool present = seen && kb_rng_uniform(&rng) < (double)rates[number[o]];
            row[o] = present ? out->weight[o] : 0;
        }
    }
    free(number);
    return KB_OK;
}

void kb_emerging_view_clear(kb_emerging_view *view)
{
    free(view->weight);
    *view = (kb_emerging_view){0};
}
