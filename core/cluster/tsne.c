#include "tsne.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "affinity.h"
#include "memory.h"
#include "neighbours.h"
#include "pair_forces.h"
#include "pca.h"
#include "points.h"
#include "rng.h"
#include "tree_forces.h"

enum {
    TILE = 64, /* side of a block of distances */
    STREAM_JITTER = KB_STREAM_TSNE + 100
};

/* No layout is ever this wide; a learning rate that is far too high is kept from overflowing. */
static const float WIDEST = 1e6F;
static const double START_SIGMA = 1e-4, JITTER = 1e-2;
static const double MOST_NEIGHBOURS = 1 << 27; /* entries of a sparse matrix: about 5 GB */

kb_tsne_options kb_tsne_defaults(void)
{
    return (kb_tsne_options){.iterations = 750,
                             .exaggeration_iterations = 250,
                             .seed = 1,
                             .exact_most = 5000,
                             .theta = 0.3};
}

kb_status kb_tsne_affinities(float *p, const float *d2, size_t n, double perplexity, kb_error *err)
{
    if (n < 2)
        return kb_fail(err, KB_ERR_USAGE, "t-SNE: %zu points have no affinities", n);
    kb_status status = kb_affinity_check(perplexity, n - 1, err);
    if (status)
        return status;
    if (p != d2)
        memcpy(p, d2, n * n * sizeof *p);
    return kb_affinities_dense(p, n, perplexity, NULL, NULL, err);
}

/* --- which way ---------------------------------------------------------------------------- */

static double default_perplexity(size_t n)
{
    double third = (double)(n - 1) / 3;
    return third < 30 ? third : 30;
}

/* Neighbours that count in a sparse matrix: three times the perplexity, beyond which there is next
 * to nothing. */
static size_t near_points(size_t n, double perplexity)
{
    double wanted = floor(3 * perplexity) + 1;
    return wanted < (double)(n - 1) ? (size_t)wanted : n - 1;
}

/* All pairs, too, where a sparse matrix would not be sparse. */
static bool is_exact(size_t n, double perplexity, const kb_tsne_options *options)
{
    return n <= options->exact_most ||
           (n <= KB_TSNE_MOST_EXACT && near_points(n, perplexity) > n / 4);
}

/* --- squared distances -------------------------------------------------------------------- */

struct distances {
    float *d2; /* N x N */
    kb_const_matrix x;
    float *lanes; /* pieces x d x 16 */
    float *tiles; /* pieces x TILE x 16 */
    size_t pieces;
    const kb_progress *progress;
};

/* The rows FIRST .. FIRST + COUNT-1 of d2, with room for one block of lanes and one tile. */
static void distance_rows(struct distances *s, size_t first, size_t count, float *lanes,
                          float *tile)
{
    size_t rows[KB_LANES], n = s->x.rows;
    for (size_t r = 0; r < count; r++)
        rows[r] = first + r;
    kb_lanes_pack(lanes, s->x, rows, count);
    for (size_t j0 = 0; j0 < n; j0 += TILE) {
        size_t width = n - j0 < TILE ? n - j0 : TILE;
        kb_const_matrix part = {kb_const_matrix_row(s->x, j0), width, s->x.cols, s->x.stride};
        kb_lanes_distance2(tile, lanes, part);
        for (size_t r = 0; r < count; r++)
            for (size_t j = 0; j < width; j++)
                s->d2[(first + r) * n + j0 + j] = tile[j * KB_LANES + r];
    }
}

static void distance_piece(void *ctx, size_t piece)
{
    struct distances *s = ctx;
    float *lanes = s->lanes + piece * s->x.cols * KB_LANES;
    float *tile = s->tiles + piece * TILE * KB_LANES;
    size_t n = s->x.rows, step = s->pieces * KB_LANES;
    for (size_t i = piece * KB_LANES; i < n && !kb_cancelled(s->progress); i += step)
        distance_rows(s, i, n - i < KB_LANES ? n - i : KB_LANES, lanes, tile);
}

static kb_status measure_distances(float *d2, kb_const_matrix x, kb_pool *pool,
                                   const kb_progress *progress, kb_error *err)
{
    struct distances s = {.d2 = d2, .x = x, .progress = progress};
    s.pieces = kb_pool_threads(pool) * 4;
    size_t cells;
    if (kb_size_mul(s.pieces * KB_LANES, x.cols, &cells))
        s.lanes = kb_alloc_aligned(cells, sizeof *s.lanes);
    s.tiles = kb_alloc_aligned(s.pieces, TILE * KB_LANES * sizeof *s.tiles);
    kb_status status = KB_OK;
    if (s.lanes && s.tiles)
        kb_pool_run(pool, s.pieces, distance_piece, &s);
    else
        status = kb_fail_memory(err, "t-SNE distances");
    free(s.lanes);
    free(s.tiles);
    return status;
}

/* --- forces ------------------------------------------------------------------------------- */

/* Both ways to measure them; one is made. */
struct forces {
    bool exact;
    float *dense; /* N x N: affinities */
    kb_pair_forces pairs;
    kb_sparse sparse;
    kb_tree_forces tree;
};

static void forces_free(struct forces *f)
{
    kb_pair_forces_free(&f->pairs);
    kb_tree_forces_free(&f->tree);
    kb_sparse_clear(&f->sparse);
    free(f->dense);
}

static void measure(struct forces *f, kb_field *field, kb_pool *pool, const kb_progress *progress)
{
    if (f->exact)
        kb_pair_forces_measure(&f->pairs, field, pool);
    else
        kb_tree_forces_measure(&f->tree, field, pool, progress);
}

static double divergence(struct forces *f, const kb_field *field, kb_pool *pool)
{
    return f->exact ? kb_pair_forces_divergence(&f->pairs, field, pool)
                    : kb_tree_forces_divergence(&f->tree, field);
}

static kb_status make_pair_forces(struct forces *f, kb_const_matrix x, double perplexity,
                                  kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    size_t n = x.rows;
    f->dense = kb_alloc_aligned(n * n, sizeof *f->dense); /* n is at most KB_TSNE_MOST_EXACT */
    if (!f->dense)
        return kb_fail_memory(err, "t-SNE affinities");
    kb_status status = measure_distances(f->dense, x, pool, progress, err);
    if (!status)
        status = kb_affinities_dense(f->dense, n, perplexity, pool, progress, err);
    if (!status && !kb_pair_forces_make(&f->pairs, f->dense, n))
        status = kb_fail_memory(err, "t-SNE forces");
    return status;
}

static kb_status make_tree_forces(struct forces *f, kb_const_matrix x, double perplexity,
                                  double theta, kb_pool *pool, const kb_progress *progress,
                                  kb_error *err)
{
    size_t k = near_points(x.rows, perplexity);
    if ((double)k * (double)x.rows > MOST_NEIGHBOURS)
        return kb_fail(err, KB_ERR_USAGE, "perplexity: %g is too high for a map of %zu points",
                       perplexity, x.rows);
    kb_neighbours near;
    kb_status status = kb_neighbours_find(&near, x, x, k, true, pool, progress, err);
    if (!status)
        status = kb_affinities_sparse(&f->sparse, &near, perplexity, pool, progress, err);
    kb_neighbours_clear(&near);
    if (!status && !kb_tree_forces_make(&f->tree, &f->sparse, theta, kb_pool_threads(pool)))
        status = kb_fail_memory(err, "t-SNE forces");
    return status;
}

double kb_tsne_gradient(float *gradient, const float *layout, const float *p, size_t n,
                        kb_pool *pool)
{
    kb_field f;
    kb_pair_forces pairs;
    bool made = kb_pair_forces_make(&pairs, p, n);
    if (!kb_field_make(&f, n) || !made) {
        kb_field_free(&f);
        kb_pair_forces_free(&pairs);
        return (double)NAN;
    }
    kb_field_set(&f, layout);
    kb_pair_forces_measure(&pairs, &f, pool);
    for (size_t i = 0; i < n; i++) {
        gradient[2 * i] = (float)(4 * (f.pull_x[i] - f.push_x[i] / f.normaliser));
        gradient[2 * i + 1] = (float)(4 * (f.pull_y[i] - f.push_y[i] / f.normaliser));
    }
    double kl = kb_pair_forces_divergence(&pairs, &f, pool);
    kb_field_free(&f);
    kb_pair_forces_free(&pairs);
    return kl;
}

/* --- descent ------------------------------------------------------------------------------ */

struct descent {
    kb_field field;
    struct forces *forces;
    float *velocity; /* x of all, then y of all: 2 N */
    float *gain;     /* likewise */
    double learning_rate, exaggeration;
};

/* One coordinate of all points: V = momentum V - rate gain g; a gain grows while its gradient keeps
 * pointing along the way the point moves (.2 more), and shrinks (to 4/5) when it turns. */
static void move_coordinate(float *at, float *velocity, float *gain, const double *pull,
                            const double *push, const struct descent *d, double exaggeration,
                            double momentum)
{
    size_t n = d->field.n;
    double mean = 0;
    for (size_t i = 0; i < n; i++) {
        double g = 4 * (exaggeration * pull[i] - push[i] / d->field.normaliser);
        bool onward = (g > 0) != (velocity[i] > 0);
        gain[i] = onward ? gain[i] + 0.2F : fmaxf(gain[i] * 0.8F, 0.01F);
        double moved = momentum * (double)velocity[i] - d->learning_rate * (double)gain[i] * g;
        velocity[i] = (float)fmin(fmax(moved, -(double)WIDEST), (double)WIDEST);
        at[i] = fminf(fmaxf(at[i] + velocity[i], -WIDEST), WIDEST);
        mean += (double)at[i];
    }
    mean /= (double)n;
    for (size_t i = 0; i < n; i++)
        at[i] = (float)((double)at[i] - mean);
}

static void step(struct descent *d, bool exaggerated, kb_pool *pool, const kb_progress *progress)
{
    kb_field *f = &d->field;
    double exaggeration = exaggerated ? d->exaggeration : 1, momentum = exaggerated ? 0.5 : 0.8;
    measure(d->forces, f, pool, progress);
    if (kb_cancelled(progress))
        return;
    move_coordinate(f->x, d->velocity, d->gain, f->pull_x, f->push_x, d, exaggeration, momentum);
    move_coordinate(f->y, d->velocity + f->n, d->gain + f->n, f->pull_y, f->push_y, d, exaggeration,
                    momentum);
}

static kb_status descend(struct descent *d, float *layout, const kb_tsne_options *options,
                         kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    for (size_t i = 0; i < options->iterations; i++) {
        kb_progress_report(progress, "t-SNE", i, options->iterations);
        step(d, i < options->exaggeration_iterations, pool, progress);
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "t-SNE was stopped");
        if (options->snapshot && options->report_every && (i + 1) % options->report_every == 0) {
            kb_field_get(&d->field, layout);
            options->snapshot(options->ctx, layout, i + 1);
        }
    }
    kb_progress_report(progress, "t-SNE", options->iterations, options->iterations);
    kb_field_get(&d->field, layout);
    return KB_OK;
}

/* --- start -------------------------------------------------------------------------------- */

/* Principal components, the first of sigma 1e-4, and the jitter. */
static void place_start(kb_field *f, const double *scores, uint64_t seed)
{
    double squares = 0;
    for (size_t i = 0; i < f->n; i++)
        squares += scores[2 * i] * scores[2 * i];
    double sigma = sqrt(squares / (double)f->n);
    double scale = sigma > 0 ? START_SIGMA / sigma : 0;
    kb_rng rng = kb_rng_start(seed, STREAM_JITTER);
    for (size_t i = 0; i < f->n; i++) {
        double jitter_x = START_SIGMA * JITTER * (double)kb_rng_normal(&rng);
        double jitter_y = START_SIGMA * JITTER * (double)kb_rng_normal(&rng);
        f->x[i] = (float)(scores[2 * i] * scale + jitter_x);
        f->y[i] = (float)(scores[2 * i + 1] * scale + jitter_y);
    }
}

/* Three points or fewer: their principal components, the greatest coordinate at 1. */
static void place_few(float *layout, const double *scores, size_t n)
{
    double greatest = 0;
    for (size_t i = 0; i < 2 * n; i++)
        greatest = fmax(greatest, fabs(scores[i]));
    for (size_t i = 0; i < 2 * n; i++)
        layout[i] = greatest > 0 ? (float)(scores[i] / greatest) : 0;
}

static double default_exaggeration(size_t n)
{
    return n > 10000 ? 12 : 4;
}

static kb_status embed(float *layout, double *kl, struct forces *forces, const double *scores,
                       size_t n, const kb_tsne_options *options, kb_pool *pool,
                       const kb_progress *progress, kb_error *err)
{
    struct descent d = {.forces = forces,
                        .exaggeration = options->exaggeration > 0 ? options->exaggeration
                                                                  : default_exaggeration(n),
                        .velocity = kb_calloc(n, 2 * sizeof(float)),
                        .gain = kb_calloc(n, 2 * sizeof(float))};
    d.learning_rate = options->learning_rate > 0 ? options->learning_rate
                                                 : fmax((double)n / d.exaggeration / 4, 50);
    kb_status status = KB_OK;
    if (kb_field_make(&d.field, n) && d.velocity && d.gain) {
        for (size_t i = 0; i < 2 * n; i++)
            d.gain[i] = 1;
        place_start(&d.field, scores, options->seed);
        status = descend(&d, layout, options, pool, progress, err);
        if (!status && kl) {
            measure(forces, &d.field, pool, NULL);
            *kl = divergence(forces, &d.field, pool);
        }
    } else {
        status = kb_fail_memory(err, "a t-SNE layout");
    }
    kb_field_free(&d.field);
    free(d.velocity);
    free(d.gain);
    return status;
}

static kb_status check(kb_const_matrix x, const kb_tsne_options *options, kb_error *err)
{
    size_t row, n = x.rows;
    if (n < 1 || n > KB_TSNE_MOST_POINTS || !x.cols)
        return kb_fail(err, KB_ERR_USAGE,
                       "t-SNE: %zu points of %zu dimensions; it takes 1..%d points", n, x.cols,
                       KB_TSNE_MOST_POINTS);
    if (!(options->exaggeration == 0 || options->exaggeration >= 1) ||
        !isfinite(options->exaggeration))
        return kb_fail(err, KB_ERR_USAGE, "exaggeration: %g is below 1", options->exaggeration);
    if (!(options->learning_rate >= 0) || !isfinite(options->learning_rate))
        return kb_fail(err, KB_ERR_USAGE, "learning rate: %g is not a positive number",
                       options->learning_rate);
    if (options->exact_most > KB_TSNE_MOST_EXACT)
        return kb_fail(err, KB_ERR_USAGE, "t-SNE: exact for up to %zu points, more than %d",
                       options->exact_most, KB_TSNE_MOST_EXACT);
    if (!(options->theta >= 0) || !isfinite(options->theta))
        return kb_fail(err, KB_ERR_USAGE, "theta: %g is negative", options->theta);
    if (!kb_points_finite(x, &row))
        return kb_fail(err, KB_ERR_NUMERIC, "t-SNE: point %zu is not finite", row + 1);
    return n > 3 && options->perplexity != 0 ? kb_affinity_check(options->perplexity, n - 1, err)
                                             : KB_OK;
}

/* X is centred and scaled, SCORES holds its principal components. */
static kb_status lay_out(float *layout, double *kl, kb_const_matrix x, const double *scores,
                         const kb_tsne_options *options, kb_pool *pool, const kb_progress *progress,
                         kb_error *err)
{
    size_t n = x.rows;
    if (n <= 3) {
        place_few(layout, scores, n);
        return KB_OK;
    }
    double perplexity = options->perplexity > 0 ? options->perplexity : default_perplexity(n);
    struct forces forces = {.exact = is_exact(n, perplexity, options)};
    kb_status status = forces.exact ? make_pair_forces(&forces, x, perplexity, pool, progress, err)
                                    : make_tree_forces(&forces, x, perplexity, options->theta, pool,
                                                       progress, err);
    if (!status)
        status = embed(layout, kl, &forces, scores, n, options, pool, progress, err);
    forces_free(&forces);
    return status;
}

kb_status kb_tsne(float *layout, double *kl, kb_const_matrix x, const kb_tsne_options *options,
                  kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    kb_status status = check(x, options, err);
    if (status)
        return status;
    if (kl)
        *kl = 0;
    size_t n = x.rows, cells;
    float *centred =
        kb_size_mul(n, x.cols, &cells) ? kb_alloc_aligned(cells, sizeof *centred) : NULL;
    double *mean = kb_calloc(x.cols, sizeof *mean), *scores = kb_calloc(n, 2 * sizeof *scores);
    if (centred && mean && scores) {
        kb_points_centre(centred, mean, x);
        kb_const_matrix points = kb_const_matrix_of(centred, n, x.cols);
        status = kb_pca2(scores, points, pool, progress, err);
        if (!status)
            status = lay_out(layout, kl, points, scores, options, pool, progress, err);
    } else {
        status = kb_fail_memory(err, "t-SNE");
    }
    free(centred);
    free(mean);
    free(scores);
    return status;
}
