#include "tsne_place.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "affinity.h"
#include "memory.h"
#include "neighbours.h"
#include "points.h"
#include "quadtree.h"
#include "sorting.h"

enum { SHARE_POINTS = 16 }; /* that a thread places in a round */

kb_place_options kb_place_defaults(void)
{
    return (kb_place_options){.neighbours = 25,
                              .perplexity = 5,
                              .exaggeration = 1.5,
                              .iterations = 250,
                              .learning_rate = 0.1,
                              .momentum = 0.8,
                              .clip = 0.25,
                              .exact_most = 5000,
                              .theta = 0.3};
}

/* What a thread works with: k each. */
struct bench {
    double *scratch;
    float *p, *x, *y;      /* affinities to the neighbours, and where those are */
    kb_quadtree_view view; /* where the quadtree decides: what the point sees */
};

struct placing {
    const kb_place_options *options;
    float *places;
    const float *map;
    size_t n, k, first; /* of the points of this round */
    double entropy;
    bool exact;
    kb_neighbours near;
    kb_quadtree tree;
    kb_quadtree_view all; /* where it is exact: every reference point */
    struct bench *benches;
    size_t bench_count;
    const kb_progress *progress;
};

/* --- one point ---------------------------------------------------------------------------- */

/* Of K values at V, which are sorted. */
static double median(float *v, size_t k)
{
    kb_sort_floats(v, k);
    return ((double)v[(k - 1) / 2] + (double)v[k / 2]) / 2;
}

static void find_neighbours(const struct placing *t, const struct bench *b, size_t i)
{
    for (size_t e = 0; e < t->k; e++) {
        const float *place = t->map + 2 * (size_t)t->near.index[i * t->k + e];
        b->x[e] = place[0];
        b->y[e] = place[1];
    }
}

/* The gradient at AT for one point, clipped. */
static void measure(const struct placing *t, struct bench *b, const double at[2],
                    double gradient[2])
{
    const float place[2] = {(float)at[0], (float)at[1]};
    double sums[3], pull[2] = {0};
    if (!t->exact)
        kb_quadtree_look(&b->view, &t->tree, place, place, t->options->theta);
    kb_quadtree_sum(sums, t->exact ? &t->all : &b->view, place[0], place[1]);
    for (size_t e = 0; e < t->k; e++) {
        double dx = at[0] - (double)b->x[e], dy = at[1] - (double)b->y[e];
        double force = (double)b->p[e] / (1 + dx * dx + dy * dy);
        pull[0] += force * dx;
        pull[1] += force * dy;
    }
    double normaliser = fmax(sums[0], 1e-300);
    for (size_t c = 0; c < 2; c++)
        gradient[c] = t->options->exaggeration * pull[c] - sums[1 + c] / normaliser;
    double length = hypot(gradient[0], gradient[1]), most = t->options->clip;
    for (size_t c = 0; c < 2 && length > most; c++)
        gradient[c] *= most / length;
}

static int sign_of(double v)
{
    return (v > 0) - (v < 0);
}

static void place_point(const struct placing *t, struct bench *b, size_t i)
{
    const kb_place_options *o = t->options;
    find_neighbours(t, b, i);
    double at[2] = {median(b->x, t->k), median(b->y, t->k)};
    double velocity[2] = {0}, gain[2] = {1, 1}, gradient[2];
    find_neighbours(t, b, i); /* the medians have changed their order */
    kb_affinity_row(b->p, b->scratch, t->near.distance2 + i * t->k, t->k, t->entropy);
    for (size_t s = 0; s < o->iterations; s++) {
        measure(t, b, at, gradient);
        for (size_t c = 0; c < 2; c++) {
            bool onward = sign_of(velocity[c]) != sign_of(gradient[c]);
            gain[c] = onward ? gain[c] + 0.2 : gain[c] * 0.8 + 0.01;
            velocity[c] = o->momentum * velocity[c] - o->learning_rate * gain[c] * gradient[c];
            at[c] += velocity[c];
        }
    }
    t->places[2 * i] = (float)at[0];
    t->places[2 * i + 1] = (float)at[1];
}

static void place_share(void *ctx, size_t share)
{
    struct placing *t = ctx;
    size_t first = t->first + share * SHARE_POINTS;
    for (size_t i = first; i < first + SHARE_POINTS && i < t->n; i++) {
        if (kb_cancelled(t->progress))
            return;
        place_point(t, &t->benches[share], i);
    }
}

/* --- all of them -------------------------------------------------------------------------- */

static bool make_benches(struct placing *t)
{
    t->benches = kb_calloc(t->bench_count, sizeof *t->benches);
    bool made = t->benches;
    for (size_t b = 0; made && b < t->bench_count; b++) {
        struct bench *bench = &t->benches[b];
        bench->scratch = kb_calloc(t->k, sizeof *bench->scratch);
        bench->p = kb_calloc(t->k, sizeof *bench->p);
        bench->x = kb_calloc(t->k, sizeof *bench->x);
        bench->y = kb_calloc(t->k, sizeof *bench->y);
        made = bench->scratch && bench->p && bench->x && bench->y &&
               (t->exact || kb_quadtree_view_make(&bench->view, &t->tree));
    }
    return made;
}

static void free_benches(struct placing *t)
{
    for (size_t b = 0; t->benches && b < t->bench_count; b++) {
        free(t->benches[b].scratch);
        free(t->benches[b].p);
        free(t->benches[b].x);
        free(t->benches[b].y);
        kb_quadtree_view_free(&t->benches[b].view);
    }
    free(t->benches);
}

/* The quadtree of the M places of the map, and what of it does not depend on who looks. */
static bool make_tree(struct placing *t, size_t m)
{
    float *x = kb_calloc(m, sizeof *x), *y = kb_calloc(m, sizeof *y);
    const float anywhere[2] = {0, 0}; /* whoever looks with theta 0 sees every point */
    bool made = x && y && kb_quadtree_make(&t->tree, m);
    if (made) {
        for (size_t j = 0; j < m; j++) {
            x[j] = t->map[2 * j];
            y[j] = t->map[2 * j + 1];
        }
        kb_quadtree_build(&t->tree, x, y);
        if (t->exact)
            made = kb_quadtree_view_make(&t->all, &t->tree);
        if (made && t->exact)
            kb_quadtree_look(&t->all, &t->tree, anywhere, anywhere, 0);
    }
    free(x);
    free(y);
    return made;
}

static kb_status place_all(struct placing *t, size_t m, kb_pool *pool, kb_error *err)
{
    if (!make_tree(t, m) || !make_benches(t))
        return kb_fail_memory(err, "a map");
    for (; t->first < t->n && !kb_cancelled(t->progress);
         t->first += SHARE_POINTS * t->bench_count) {
        kb_progress_report(t->progress, "placing", t->first, t->n);
        kb_pool_run(pool, t->bench_count, place_share, t);
    }
    return kb_cancelled(t->progress) ? kb_fail(err, KB_ERR_CANCELLED, "placing was stopped")
                                     : KB_OK;
}

/* OUT ((M + N) x d): reference and new points, centred and scaled together. */
static kb_status join(float **out, kb_const_matrix reference, kb_const_matrix x, kb_error *err)
{
    size_t m = reference.rows, d = x.cols, cells;
    double *mean = kb_calloc(d, sizeof *mean);
    if (kb_size_mul(m + x.rows, d, &cells))
        *out = kb_alloc_aligned(cells, sizeof **out);
    if (mean && *out) {
        for (size_t i = 0; i < m + x.rows; i++)
            memcpy(*out + i * d,
                   i < m ? kb_const_matrix_row(reference, i) : kb_const_matrix_row(x, i - m),
                   d * sizeof **out);
        kb_points_centre(*out, mean, kb_const_matrix_of(*out, m + x.rows, d));
    }
    free(mean);
    return mean && *out ? KB_OK : kb_fail_memory(err, "points to be placed");
}

static kb_status check(kb_const_matrix x, kb_const_matrix reference, const float *map,
                       const kb_place_options *o, kb_error *err)
{
    size_t row;
    if (!reference.rows || reference.rows > KB_QUADTREE_MOST || reference.cols != x.cols || !x.cols)
        return kb_fail(err, KB_ERR_USAGE,
                       "placing: %zu reference points of %zu dimensions for %zu points of %zu",
                       reference.rows, reference.cols, x.rows, x.cols);
    if (!(o->neighbours >= 1 && o->perplexity >= 1 && o->exaggeration >= 1 &&
          o->learning_rate > 0 && o->momentum >= 0 && o->momentum <= 1 && o->clip > 0 &&
          o->theta >= 0))
        return kb_fail(err, KB_ERR_USAGE, "placing: an option is out of range");
    if (!kb_points_finite(x, &row))
        return kb_fail(err, KB_ERR_NUMERIC, "placing: point %zu is not finite", row + 1);
    if (!kb_points_finite(reference, &row))
        return kb_fail(err, KB_ERR_NUMERIC, "placing: reference point %zu is not finite", row + 1);
    if (!kb_points_finite(kb_const_matrix_of(map, reference.rows, 2), &row))
        return kb_fail(err, KB_ERR_NUMERIC, "placing: place %zu is not finite", row + 1);
    return KB_OK;
}

kb_status kb_tsne_place(float *places, kb_const_matrix x, kb_const_matrix reference,
                        const float *map, const kb_place_options *options, kb_pool *pool,
                        const kb_progress *progress, kb_error *err)
{
    size_t m = reference.rows, d = x.cols;
    float *joined = NULL;
    kb_status status = check(x, reference, map, options, err);
    if (status || !x.rows)
        return status;
    struct placing t = {.options = options,
                        .places = places,
                        .map = map,
                        .n = x.rows,
                        .k = options->neighbours < m ? options->neighbours : m,
                        .exact = m <= options->exact_most,
                        .bench_count = kb_pool_threads(pool),
                        .progress = progress};
    t.entropy = log(fmax(fmin(options->perplexity, (double)t.k / 3), 1));
    status = join(&joined, reference, x, err);
    if (!status)
        status =
            kb_neighbours_find(&t.near, kb_const_matrix_of(joined + m * d, x.rows, d),
                               kb_const_matrix_of(joined, m, d), t.k, false, pool, progress, err);
    free(joined);
    if (!status)
        status = place_all(&t, m, pool, err);
    free_benches(&t);
    kb_quadtree_view_free(&t.all);
    kb_quadtree_free(&t.tree);
    kb_neighbours_clear(&t.near);
    return status;
}
