/* Each start is a run of its own. Small problems share the runs out over the threads; large ones
 * take the runs one by one and share out the rows of each. Both give the same numbers, since no
 * sum's order depends on the shares. */
#include "kmeans.h"

#include <cblas.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "points.h"
#include "rng.h"

enum {
    BLOCK_ROWS = 128,        /* rows a matrix product covers */
    PRODUCT_LEAST = 64,      /* below this K * d, plain distances are quicker than products */
    LARGE_PROBLEM = 1 << 25, /* N * K * d from which rows are shared out instead of runs */
    TRIVIAL_PROBLEM = 1 << 16,
    STREAM_STEP = 100 /* between the random streams of two starts */
};

/* What all runs share: the points centred and scaled (kb_points_centre), so that |values| <= 1. */
struct problem {
    const kb_kmeans_options *options;
    kb_const_matrix x;  /* N x d, contiguous */
    const float *norms; /* N: |x_i| */
    const float *init;  /* K x d, centred and scaled like x; NULL: K-means++ */
    size_t clusters, max_iterations;
    double least_shift;
    const kb_progress *progress;
};

struct run {
    const struct problem *problem;
    kb_pool *pool;    /* shares out the rows; NULL: this run is itself a share */
    size_t shares;    /* of rows and columns */
    float *centroids; /* K x d */
    uint32_t *labels; /* N */
    double inertia;
    size_t iterations;
    kb_status status;
    /* Scratch, gone when the run is over. */
    double *means;     /* K x d */
    size_t *sizes;     /* K */
    float *norms2;     /* K: |c_k|^2 */
    float greatest;    /* max |c_k| */
    float *products;   /* shares x BLOCK_ROWS x K */
    size_t *changed;   /* shares: labels that changed */
    float *lanes;      /* d x 16: candidates of K-means++ */
    float *to_lanes;   /* N x 16 */
    double *distance2; /* N: to the nearest centroid so far */
};

kb_kmeans_options kb_kmeans_defaults(size_t clusters)
{
    return (kb_kmeans_options){
        .clusters = clusters, .restarts = 10, .max_iterations = 300, .tolerance = 1e-4, .seed = 1};
}

void kb_kmeans_clear(kb_kmeans *km)
{
    free(km->centroids);
    free(km->labels);
    free(km->sizes);
    *km = (kb_kmeans){0};
}

static kb_const_matrix rows_of(kb_const_matrix x, size_t first, size_t last)
{
    return (kb_const_matrix){x.data + first * x.stride, last - first, x.cols, x.stride};
}

/* Where share S of SHARES begins in 0..COUNT; share S ends where S + 1 begins. */
static size_t share_start(size_t count, size_t s, size_t shares)
{
    return count / shares * s + (s < count % shares ? s : count % shares);
}

/* The nearest centroid of one point among all: the rule that every quicker way must agree with. */
static uint32_t nearest_of_all(const float *point, kb_const_matrix centroids, double *distance2)
{
    uint32_t nearest = 0;
    double least = INFINITY;
    for (size_t k = 0; k < centroids.rows; k++) {
        double d2 = kb_point_distance2(point, kb_const_matrix_row(centroids, k), centroids.cols);
        if (d2 < least) {
            least = d2;
            nearest = (uint32_t)k;
        }
    }
    *distance2 = least;
    return nearest;
}

void kb_nearest(kb_const_matrix x, kb_const_matrix centroids, uint32_t *labels, double *distance2)
{
    for (size_t i = 0; i < x.rows; i++) {
        double d2;
        labels[i] = nearest_of_all(kb_const_matrix_row(x, i), centroids, &d2);
        if (distance2)
            distance2[i] = d2;
    }
}

/* --- K-means++ ---------------------------------------------------------------------------- */

static void measure_lanes(void *ctx, size_t share)
{
    struct run *run = ctx;
    kb_const_matrix x = run->problem->x;
    size_t first = share_start(x.rows, share, run->shares);
    size_t last = share_start(x.rows, share + 1, run->shares);
    kb_lanes_distance2(run->to_lanes + first * KB_LANES, run->lanes, rows_of(x, first, last));
}

/* to_lanes = squared distances of all points to the candidates (at most 16). */
static void measure_candidates(struct run *run, const size_t *candidates, size_t count)
{
    kb_lanes_pack(run->lanes, run->problem->x, candidates, count);
    kb_pool_run(run->pool, run->shares, measure_lanes, run);
}

/* A point drawn with a chance in proportion to its squared distance; any point where all are 0. */
static size_t draw_far_point(const struct run *run, double total, kb_rng *rng)
{
    size_t n = run->problem->x.rows;
    if (!(total > 0))
        return (size_t)kb_rng_below(rng, n);
    double left = kb_rng_uniform(rng) * total;
    size_t drawn = 0;
    for (size_t i = 0; i < n; i++) {
        if (run->distance2[i] > 0) {
            drawn = i;
            left -= run->distance2[i];
            if (left < 0)
                break;
        }
    }
    return drawn;
}

/* The lane whose point, as a further centroid, leaves the least inertia. */
static size_t best_candidate(const struct run *run, size_t count)
{
    double inertia[KB_LANES] = {0};
    for (size_t i = 0; i < run->problem->x.rows; i++)
        for (size_t r = 0; r < count; r++)
            inertia[r] += fmin(run->distance2[i], (double)run->to_lanes[i * KB_LANES + r]);
    size_t best = 0;
    for (size_t r = 1; r < count; r++)
        if (inertia[r] < inertia[best])
            best = r;
    return best;
}

/* Point CHOSEN (in lane LANE of to_lanes) becomes centroid K; returns the inertia it leaves. */
static double take_centroid(struct run *run, size_t k, size_t chosen, size_t lane)
{
    kb_const_matrix x = run->problem->x;
    memcpy(run->centroids + k * x.cols, kb_const_matrix_row(x, chosen), x.cols * sizeof(float));
    double total = 0;
    for (size_t i = 0; i < x.rows; i++) {
        run->distance2[i] = fmin(run->distance2[i], (double)run->to_lanes[i * KB_LANES + lane]);
        total += run->distance2[i];
    }
    return total;
}

static void choose_start(struct run *run, kb_rng rng)
{
    size_t n = run->problem->x.rows, clusters = run->problem->clusters;
    size_t tries = 2 + (size_t)log((double)clusters);
    tries = tries < KB_LANES ? tries : KB_LANES;
    size_t candidates[KB_LANES] = {(size_t)kb_rng_below(&rng, n)};
    for (size_t i = 0; i < n; i++)
        run->distance2[i] = INFINITY;
    measure_candidates(run, candidates, 1);
    double total = take_centroid(run, 0, candidates[0], 0);
    for (size_t k = 1; k < clusters && !kb_cancelled(run->problem->progress); k++) {
        for (size_t r = 0; r < tries; r++)
            candidates[r] = draw_far_point(run, total, &rng);
        measure_candidates(run, candidates, tries);
        size_t best = best_candidate(run, tries);
        total = take_centroid(run, k, candidates[best], best);
    }
}

/* --- Lloyd's iteration -------------------------------------------------------------------- */

static kb_const_matrix centroids_of(const struct run *run)
{
    return kb_const_matrix_of(run->centroids, run->problem->clusters, run->problem->x.cols);
}

static void measure_centroids(struct run *run)
{
    size_t d = run->problem->x.cols;
    double greatest = 0;
    for (size_t k = 0; k < run->problem->clusters; k++) {
        double norm2 = 0;
        for (size_t f = 0; f < d; f++)
            norm2 += (double)run->centroids[k * d + f] * (double)run->centroids[k * d + f];
        run->norms2[k] = (float)norm2;
        greatest = fmax(greatest, norm2);
    }
    run->greatest = (float)sqrt(greatest) * (1 + FLT_EPSILON);
}

/* How far |c|^2 - 2 x.c in float may be from the truth: a sum of d products in any order is off by
 * at most d u sum |x_f c_f|, which Cauchy-Schwarz bounds by the norms; 8 more u cover the rounding
 * of |c|^2 and of the last addition. */
static float product_error(const struct run *run, size_t i)
{
    float u = FLT_EPSILON / 2, c = run->greatest;
    return u * (float)(run->problem->x.cols + 8) * (2 * run->problem->norms[i] * c + c * c) +
           FLT_MIN;
}

/* The nearest centroid of point I, given PRODUCTS[k] = -2 x_i.c_k. Mostly one centroid is nearer
 * than the others by more than the error; the points between two are compared exactly. */
static uint32_t nearest_by_products(const struct run *run, size_t i, float *products)
{
    size_t clusters = run->problem->clusters, nearest = 0, close = 0;
    for (size_t k = 0; k < clusters; k++) {
        products[k] += run->norms2[k];
        nearest = products[k] < products[nearest] ? k : nearest;
    }
    float limit = products[nearest] + 2 * product_error(run, i);
    for (size_t k = 0; k < clusters; k++)
        close += products[k] <= limit;
    if (close == 1)
        return (uint32_t)nearest;
    double least = INFINITY;
    const float *point = kb_const_matrix_row(run->problem->x, i);
    for (size_t k = 0; k < clusters; k++) {
        if (!(products[k] <= limit))
            continue;
        size_t d = run->problem->x.cols;
        double d2 = kb_point_distance2(point, run->centroids + k * d, d);
        if (d2 < least) {
            least = d2;
            nearest = k;
        }
    }
    return (uint32_t)nearest;
}

static void assign_block(struct run *run, size_t first, size_t count, float *products,
                         uint32_t *labels)
{
    kb_const_matrix x = run->problem->x;
    size_t clusters = run->problem->clusters;
    if (clusters * x.cols < PRODUCT_LEAST) {
        kb_nearest(rows_of(x, first, first + count), centroids_of(run), labels, NULL);
        return;
    }
    int m = (int)count, n = (int)clusters, d = (int)x.cols;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, d, -2, kb_const_matrix_row(x, first),
                d, run->centroids, d, 0, products, n);
    for (size_t r = 0; r < count; r++)
        labels[r] = nearest_by_products(run, first + r, products + r * clusters);
}

static void assign_share(void *ctx, size_t share)
{
    struct run *run = ctx;
    size_t n = run->problem->x.rows, changed = 0;
    size_t last = share_start(n, share + 1, run->shares);
    float *products = run->products + share * BLOCK_ROWS * run->problem->clusters;
    uint32_t labels[BLOCK_ROWS];
    for (size_t i = share_start(n, share, run->shares); i < last; i += BLOCK_ROWS) {
        size_t count = last - i < BLOCK_ROWS ? last - i : BLOCK_ROWS;
        assign_block(run, i, count, products, labels);
        for (size_t r = 0; r < count; r++)
            changed += labels[r] != run->labels[i + r];
        memcpy(run->labels + i, labels, count * sizeof *labels);
    }
    run->changed[share] = changed;
}

/* Labels every point; how many labels changed. */
static size_t assign(struct run *run)
{
    measure_centroids(run);
    kb_pool_run(run->pool, run->shares, assign_share, run);
    size_t changed = 0;
    for (size_t s = 0; s < run->shares; s++)
        changed += run->changed[s];
    kb_label_sizes(run->sizes, run->labels, run->problem->x.rows, run->problem->clusters);
    return changed;
}

/* distance2 = squared distances of the points to their own centroids; the sum of them. */
static double measure_own(struct run *run)
{
    kb_const_matrix x = run->problem->x;
    double total = 0;
    for (size_t i = 0; i < x.rows; i++) {
        const float *own = run->centroids + run->labels[i] * x.cols;
        run->distance2[i] = kb_point_distance2(kb_const_matrix_row(x, i), own, x.cols);
        total += run->distance2[i];
    }
    return total;
}

/* The point farthest from its centroid that can leave it (not alone there, not upon it), or
 * SIZE_MAX. */
static size_t farthest_point(const double *distance2, const uint32_t *labels, const size_t *sizes,
                             size_t n)
{
    size_t farthest = SIZE_MAX;
    double greatest = 0;
    for (size_t i = 0; i < n; i++) {
        if (distance2[i] > greatest && sizes[labels[i]] > 1) {
            greatest = distance2[i];
            farthest = i;
        }
    }
    return farthest;
}

/* distance2 shrinks to the distance from point SEED where that is less. */
static void count_seed(struct run *run, size_t seed)
{
    kb_const_matrix x = run->problem->x;
    for (size_t i = 0; i < x.rows; i++) {
        double d2 =
            kb_point_distance2(kb_const_matrix_row(x, i), kb_const_matrix_row(x, seed), x.cols);
        run->distance2[i] = fmin(run->distance2[i], d2);
    }
}

/* Gives each empty cluster the point farthest from all centroids, those just given counted, lest
 * two go to one far group. */
static void fill_empty(struct run *run)
{
    bool measured = false;
    for (size_t k = 0; k < run->problem->clusters; k++) {
        if (run->sizes[k])
            continue;
        if (!measured)
            measure_own(run);
        measured = true;
        size_t i = farthest_point(run->distance2, run->labels, run->sizes, run->problem->x.rows);
        if (i == SIZE_MAX)
            return;
        run->sizes[run->labels[i]]--;
        run->sizes[k]++;
        run->labels[i] = (uint32_t)k;
        count_seed(run, i);
    }
}

static void mean_share(void *ctx, size_t share)
{
    struct run *run = ctx;
    const struct problem *p = run->problem;
    kb_label_means(run->means, p->x, run->labels, run->sizes, p->clusters,
                   share_start(p->x.cols, share, run->shares),
                   share_start(p->x.cols, share + 1, run->shares));
}

/* Moves each centroid to the mean of its points; the sum of the squared moves. A cluster without
 * points stays. */
static double move_centroids(struct run *run)
{
    size_t d = run->problem->x.cols;
    kb_pool_run(run->pool, run->shares, mean_share, run);
    double shift = 0;
    for (size_t k = 0; k < run->problem->clusters; k++) {
        for (size_t f = 0; f < d && run->sizes[k]; f++) {
            double move = run->means[k * d + f] - (double)run->centroids[k * d + f];
            shift += move * move;
            run->centroids[k * d + f] = (float)run->means[k * d + f];
        }
    }
    return shift;
}

static void iterate(struct run *run)
{
    const struct problem *p = run->problem;
    memset(run->labels, 0xFF, p->x.rows * sizeof *run->labels);
    while (run->iterations < p->max_iterations && !kb_cancelled(p->progress)) {
        run->iterations++;
        size_t changed = assign(run);
        fill_empty(run);
        double shift = move_centroids(run);
        if (!changed || shift <= p->least_shift)
            break;
    }
    run->inertia = run->iterations ? measure_own(run) : INFINITY;
    if (kb_cancelled(p->progress))
        run->status = KB_ERR_CANCELLED;
}

/* --- runs --------------------------------------------------------------------------------- */

static void free_scratch(struct run *run)
{
    free(run->means);
    free(run->sizes);
    free(run->norms2);
    free(run->products);
    free(run->changed);
    free(run->lanes);
    free(run->to_lanes);
    free(run->distance2);
}

static bool allocate_run(struct run *run)
{
    const struct problem *p = run->problem;
    size_t n = p->x.rows, d = p->x.cols, k = p->clusters, block;
    run->shares = kb_pool_threads(run->pool);
    /* K x d fits: the caller has checked it. */
    run->centroids = kb_alloc_aligned(k * d, sizeof *run->centroids);
    run->labels = kb_alloc_aligned(n, sizeof *run->labels);
    run->means = kb_alloc_aligned(k * d, sizeof *run->means);
    run->sizes = kb_calloc(k, sizeof *run->sizes);
    run->norms2 = kb_calloc(k, sizeof *run->norms2);
    run->changed = kb_calloc(run->shares, sizeof *run->changed);
    run->distance2 = kb_alloc_aligned(n, sizeof *run->distance2);
    if (kb_size_mul(run->shares * BLOCK_ROWS, k, &block))
        run->products = kb_alloc_aligned(block, sizeof *run->products);
    bool made = run->centroids && run->labels && run->means && run->sizes && run->norms2 &&
                run->changed && run->distance2 && run->products;
    if (!p->init) {
        run->lanes = kb_alloc_aligned(d, KB_LANES * sizeof *run->lanes);
        run->to_lanes = kb_alloc_aligned(n, KB_LANES * sizeof *run->to_lanes);
        made = made && run->lanes && run->to_lanes;
    }
    return made;
}

static void execute(struct run *run, size_t number)
{
    const struct problem *p = run->problem;
    if (kb_cancelled(p->progress)) {
        run->status = KB_ERR_CANCELLED;
    } else if (!allocate_run(run)) {
        run->status = KB_ERR_MEMORY;
    } else {
        uint64_t stream = KB_STREAM_KMEANS + (uint64_t)STREAM_STEP * number;
        if (p->init)
            memcpy(run->centroids, p->init, p->clusters * p->x.cols * sizeof *p->init);
        else
            choose_start(run, kb_rng_start(p->options->seed, stream));
        iterate(run);
    }
    free_scratch(run);
}

static void execute_piece(void *ctx, size_t i)
{
    struct run *runs = ctx;
    execute(&runs[i], i);
}

static void execute_all(struct run *runs, size_t count, kb_pool *pool, const struct problem *p)
{
    size_t work = p->clusters * p->x.cols;
    bool large = !kb_size_mul(work, p->x.rows, &work) || work >= LARGE_PROBLEM;
    for (size_t i = 0; i < count; i++) {
        bool share_rows = large || (count == 1 && work >= TRIVIAL_PROBLEM);
        runs[i] = (struct run){.problem = p, .pool = share_rows ? pool : NULL};
    }
    kb_progress_report(p->progress, "clustering", 0, count);
    if (!large && count > 1)
        kb_pool_run(pool, count, execute_piece, runs);
    for (size_t i = 0; i < count; i++) {
        if (large || count == 1)
            execute(&runs[i], i);
        kb_progress_report(p->progress, "clustering", i + 1, count);
    }
}

/* --- the result, in the coordinates of the caller ----------------------------------------- */

struct labelling {
    kb_const_matrix x, centroids;
    uint32_t *labels;
    double *distance2;
    size_t shares;
};

static void label_share(void *ctx, size_t share)
{
    struct labelling *l = ctx;
    size_t first = share_start(l->x.rows, share, l->shares);
    size_t last = share_start(l->x.rows, share + 1, l->shares);
    kb_nearest(rows_of(l->x, first, last), l->centroids, l->labels + first, l->distance2 + first);
}

static size_t first_empty(const kb_kmeans *km)
{
    size_t k = 0;
    while (k < km->clusters && km->sizes[k])
        k++;
    return k;
}

/* Labels, sizes and inertia of OUT's centroids. Rounding them to float, or a stop before the labels
 * had settled, may leave one empty: it moves to the farthest point, which lowers the inertia, so
 * this ends. */
static void settle(kb_kmeans *out, kb_const_matrix x, double *distance2, kb_pool *pool)
{
    struct labelling l = {x, kb_const_matrix_of(out->centroids, out->clusters, out->dims),
                          out->labels, distance2, kb_pool_threads(pool)};
    for (;;) {
        kb_pool_run(pool, l.shares, label_share, &l);
        kb_label_sizes(out->sizes, out->labels, x.rows, out->clusters);
        size_t empty = first_empty(out);
        size_t i = empty < out->clusters
                       ? farthest_point(distance2, out->labels, out->sizes, x.rows)
                       : SIZE_MAX;
        if (i == SIZE_MAX)
            break;
        memcpy(out->centroids + empty * out->dims, kb_const_matrix_row(x, i),
               out->dims * sizeof(float));
    }
    out->inertia = 0;
    for (size_t i = 0; i < x.rows; i++)
        out->inertia += distance2[i];
}

/* The centroids are means of the points as given, not of the scaled ones, to lose nothing; one
 * without points, which has no mean, is put upon the first point. */
static kb_status conclude(kb_kmeans *out, struct run *run, kb_const_matrix x, kb_pool *pool,
                          kb_error *err)
{
    size_t clusters = run->problem->clusters, count = clusters * x.cols;
    *out = (kb_kmeans){.clusters = clusters, .dims = x.cols, .iterations = run->iterations};
    out->labels = run->labels;
    out->centroids = run->centroids;
    run->labels = NULL;
    run->centroids = NULL;
    out->sizes = kb_calloc(clusters, sizeof *out->sizes);
    double *means = kb_alloc_aligned(count, sizeof *means);
    double *distance2 = kb_alloc_aligned(x.rows, sizeof *distance2);
    if (!out->sizes || !means || !distance2) {
        free(means);
        free(distance2);
        kb_kmeans_clear(out);
        return kb_fail_memory(err, "the clusters");
    }
    kb_label_sizes(out->sizes, out->labels, x.rows, clusters);
    kb_label_means(means, x, out->labels, out->sizes, clusters, 0, x.cols);
    for (size_t k = 0; k < clusters; k++)
        for (size_t f = 0; f < x.cols; f++)
            out->centroids[k * x.cols + f] =
                out->sizes[k] ? (float)means[k * x.cols + f] : x.data[f];
    settle(out, x, distance2, pool);
    free(means);
    free(distance2);
    return KB_OK;
}

/* --- the whole ---------------------------------------------------------------------------- */

static kb_status check(kb_const_matrix x, const kb_kmeans_options *options, kb_error *err)
{
    size_t row, k = options->clusters, d = x.cols, bytes;
    if (k < 1 || k > x.rows)
        return kb_fail(err, KB_ERR_USAGE, "clusters: %zu is not in 1..%zu, the number of points", k,
                       x.rows);
    if (!d || d > INT_MAX || k > INT_MAX || !kb_size_mul(k, d, &bytes) ||
        !kb_size_mul(bytes, sizeof(double), &bytes) || !kb_size_mul(x.rows, d, &bytes))
        return kb_fail(err, KB_ERR_USAGE, "clusters: %zu of %zu dimensions cannot be held", k, d);
    if (!(options->tolerance >= 0))
        return kb_fail(err, KB_ERR_USAGE, "tolerance: %g is below 0", options->tolerance);
    if (!kb_points_finite(x, &row))
        return kb_fail(err, KB_ERR_NUMERIC, "clustering: point %zu is not finite", row + 1);
    if (!options->init.data)
        return KB_OK;
    if (options->init.rows != k || options->init.cols != d)
        return kb_fail(err, KB_ERR_USAGE, "first centroids: %zu x %zu instead of %zu x %zu",
                       options->init.rows, options->init.cols, k, d);
    if (!kb_points_finite(options->init, &row))
        return kb_fail(err, KB_ERR_NUMERIC, "first centroids: number %zu is not finite", row + 1);
    return KB_OK;
}

/* Mean over the features of their variance; X is centred. */
static double mean_variance(kb_const_matrix x, float *norms)
{
    double total = 0;
    for (size_t i = 0; i < x.rows; i++) {
        double norm2 = 0;
        for (size_t f = 0; f < x.cols; f++)
            norm2 += (double)kb_const_matrix_row(x, i)[f] * (double)kb_const_matrix_row(x, i)[f];
        norms[i] = (float)sqrt(norm2) * (1 + FLT_EPSILON);
        total += norm2;
    }
    return total / (double)x.rows / (double)x.cols;
}

static void shift_init(float *init, kb_const_matrix given, const double *mean, int exponent)
{
    for (size_t k = 0; k < given.rows; k++)
        for (size_t f = 0; f < given.cols; f++) {
            double value =
                ((double)kb_const_matrix_row(given, k)[f] - mean[f]) * ldexp(1, -exponent);
            /* A centroid far outside the points attracts none of them however far it is. */
            init[k * given.cols + f] = (float)fmin(fmax(value, -1e15), 1e15);
        }
}

/* The best of COUNT runs, the first among equals; NULL with ERR filled when any has failed. */
static struct run *best_run(struct run *runs, size_t count, kb_error *err)
{
    struct run *best = &runs[0];
    for (size_t i = 0; i < count; i++) {
        if (runs[i].status == KB_ERR_MEMORY) {
            kb_fail_memory(err, "clustering");
            return NULL;
        }
        if (runs[i].status) {
            kb_fail(err, runs[i].status, "clustering was stopped");
            return NULL;
        }
        if (runs[i].inertia < best->inertia)
            best = &runs[i];
    }
    return best;
}

static kb_status fit(kb_kmeans *out, kb_const_matrix x, const struct problem *p, kb_pool *pool,
                     kb_error *err)
{
    size_t wanted = p->options->restarts ? p->options->restarts : 10;
    size_t count = p->init ? 1 : wanted;
    struct run *runs = kb_calloc(count, sizeof *runs);
    if (!runs)
        return kb_fail_memory(err, "clustering");
    execute_all(runs, count, pool, p);
    kb_error failure = {0};
    struct run *best = best_run(runs, count, &failure);
    kb_status status =
        best ? conclude(out, best, x, pool, err) : kb_fail(err, failure.status, "%s", failure.text);
    for (size_t i = 0; i < count; i++) {
        free(runs[i].centroids);
        free(runs[i].labels);
    }
    free(runs);
    return status;
}

kb_status kb_kmeans_fit(kb_kmeans *out, kb_const_matrix x, const kb_kmeans_options *options,
                        kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    *out = (kb_kmeans){0};
    kb_status status = check(x, options, err);
    if (status)
        return status;
    size_t k = options->clusters;
    float *centred = kb_alloc_aligned(x.rows * x.cols, sizeof *centred);
    float *norms = kb_alloc_aligned(x.rows, sizeof *norms);
    float *init = kb_alloc_aligned(k * x.cols, sizeof *init);
    double *mean = kb_calloc(x.cols, sizeof *mean);
    if (centred && norms && init && mean) {
        int exponent = kb_points_centre(centred, mean, x);
        struct problem p = {.options = options,
                            .x = kb_const_matrix_of(centred, x.rows, x.cols),
                            .norms = norms,
                            .clusters = k,
                            .max_iterations =
                                options->max_iterations ? options->max_iterations : 300,
                            .progress = progress};
        p.least_shift = options->tolerance * mean_variance(p.x, norms);
        if (options->init.data) {
            shift_init(init, options->init, mean, exponent);
            p.init = init;
        }
        status = fit(out, x, &p, pool, err);
    } else {
        status = kb_fail_memory(err, "clustering");
    }
    free(centred);
    free(norms);
    free(init);
    free(mean);
    return status;
}
