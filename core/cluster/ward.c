#include "ward.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* The tree as it stands: slot k holds the group whose lowest member is k, until a lower slot takes
 * it in. */
struct ward {
    size_t count, dims; /* K, d */
    double *means;      /* K x d */
    double *weights;    /* K */
    double *costs; /* K x K, symmetric: what merging two slots would add to the sum of squares */
    uint32_t *slot_of; /* K: the slot each input is in */
    bool *gone;        /* K: taken in by another */
};

static void ward_free(struct ward *w)
{
    free(w->means);
    free(w->weights);
    free(w->costs);
    free(w->slot_of);
    free(w->gone);
}

static bool ward_allocate(struct ward *w)
{
    size_t cells, squares;
    if (!kb_size_mul(w->count, w->dims, &cells) || !kb_size_mul(w->count, w->count, &squares))
        return false;
    w->means = kb_calloc(cells, sizeof *w->means);
    w->weights = kb_calloc(w->count, sizeof *w->weights);
    w->costs = kb_calloc(squares, sizeof *w->costs);
    w->slot_of = kb_calloc(w->count, sizeof *w->slot_of);
    w->gone = kb_calloc(w->count, sizeof *w->gone);
    return w->means && w->weights && w->costs && w->slot_of && w->gone;
}

static double merge_cost(const struct ward *w, size_t a, size_t b)
{
    double distance2 = 0;
    for (size_t f = 0; f < w->dims; f++) {
        double difference = w->means[a * w->dims + f] - w->means[b * w->dims + f];
        distance2 += difference * difference;
    }
    return w->weights[a] * w->weights[b] / (w->weights[a] + w->weights[b]) * distance2;
}

static void measure_slot(struct ward *w, size_t a)
{
    for (size_t b = 0; b < w->count; b++)
        if (b != a && !w->gone[b])
            w->costs[a * w->count + b] = w->costs[b * w->count + a] = merge_cost(w, a, b);
}

/* An empty centroid joins another almost for free, and moves it by next to nothing. */
static double lightest_weight(const double *weights, size_t count)
{
    double least = INFINITY;
    for (size_t k = 0; k < count; k++)
        if (weights[k] > 0)
            least = fmin(least, weights[k]);
    return isfinite(least) ? least * 1e-6 : 1;
}

static void ward_fill(struct ward *w, kb_const_matrix centroids, const double *weights)
{
    double light = lightest_weight(weights, w->count);
    for (size_t k = 0; k < w->count; k++) {
        w->weights[k] = weights[k] > 0 ? weights[k] : light;
        w->slot_of[k] = (uint32_t)k;
        for (size_t f = 0; f < w->dims; f++)
            w->means[k * w->dims + f] = (double)kb_const_matrix_row(centroids, k)[f];
    }
    for (size_t k = 0; k < w->count; k++)
        measure_slot(w, k);
}

/* The cheapest pair A < B. */
static void cheapest_pair(const struct ward *w, size_t *a, size_t *b)
{
    double least = INFINITY;
    for (size_t i = 0; i < w->count; i++) {
        for (size_t j = i + 1; j < w->count && !w->gone[i]; j++) {
            if (!w->gone[j] && w->costs[i * w->count + j] < least) {
                least = w->costs[i * w->count + j];
                *a = i;
                *b = j;
            }
        }
    }
}

static void merge_pair(struct ward *w, size_t a, size_t b)
{
    double sum = w->weights[a] + w->weights[b];
    for (size_t f = 0; f < w->dims; f++)
        w->means[a * w->dims + f] = (w->weights[a] * w->means[a * w->dims + f] +
                                     w->weights[b] * w->means[b * w->dims + f]) /
                                    sum;
    w->weights[a] = sum;
    w->gone[b] = true;
    for (size_t k = 0; k < w->count; k++)
        if (w->slot_of[k] == b)
            w->slot_of[k] = (uint32_t)a;
    measure_slot(w, a);
}

/* Slots are named after their lowest members, so their order is the order of the groups. */
static void ward_read(const struct ward *w, kb_matrix merged, uint32_t *group_of)
{
    size_t group = 0;
    for (size_t k = 0; k < w->count; k++) {
        if (w->gone[k])
            continue;
        for (size_t f = 0; f < w->dims; f++)
            kb_matrix_row(merged, group)[f] = (float)w->means[k * w->dims + f];
        for (size_t i = 0; i < w->count && group_of; i++)
            if (w->slot_of[i] == k)
                group_of[i] = (uint32_t)group;
        group++;
    }
}

static kb_status check(kb_const_matrix centroids, const double *weights, size_t groups,
                       kb_matrix merged, kb_error *err)
{
    if (groups < 1 || groups > centroids.rows)
        return kb_fail(err, KB_ERR_USAGE, "groups: %zu is not in 1..%zu, the number of centroids",
                       groups, centroids.rows);
    if (merged.rows != groups || merged.cols != centroids.cols)
        return kb_fail(err, KB_ERR_USAGE, "merged centroids: %zu x %zu instead of %zu x %zu",
                       merged.rows, merged.cols, groups, centroids.cols);
    for (size_t k = 0; k < centroids.rows; k++) {
        bool finite = isfinite(weights[k]) && weights[k] >= 0;
        for (size_t f = 0; f < centroids.cols; f++)
            finite = finite && isfinite(kb_const_matrix_row(centroids, k)[f]);
        if (!finite)
            return kb_fail(err, KB_ERR_NUMERIC, "centroid %zu or its weight is not a finite number",
                           k + 1);
    }
    return KB_OK;
}

kb_status kb_ward_merge(kb_const_matrix centroids, const double *weights, size_t groups,
                        kb_matrix merged, uint32_t *group_of, kb_error *err)
{
    kb_status status = check(centroids, weights, groups, merged, err);
    if (status)
        return status;
    struct ward w = {.count = centroids.rows, .dims = centroids.cols};
    if (ward_allocate(&w)) {
        ward_fill(&w, centroids, weights);
        for (size_t left = w.count; left > groups; left--) {
            size_t a = 0, b = 1;
            cheapest_pair(&w, &a, &b);
            merge_pair(&w, a, b);
        }
        ward_read(&w, merged, group_of);
    } else {
        status = kb_fail_memory(err, "merging centroids");
    }
    ward_free(&w);
    return status;
}
