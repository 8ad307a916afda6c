#include "tsne.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "pca.h"
#include "points.h"
#include "rng.h"
#include "simd.h"

enum {
    VECTOR = 16,     /* points side by side in the force loop */
    PIECE_ROWS = 32, /* rows of forces that a thread takes at a time */
    TILE = 64,       /* side of a block when transposing */
    STREAM_JITTER = KB_STREAM_TSNE + 100
};

/* Padding points stand so far away that they exert no force, yet the square of the distance to them
 * is a number. */
static const float FAR_AWAY = 1e15F;
/* No layout is ever this wide; a learning rate that is far too high is kept from overflowing. */
static const float WIDEST = 1e6F;
static const double START_SIGMA = 1e-4, JITTER = 1e-2;

kb_tsne_options kb_tsne_defaults(void)
{
    return (kb_tsne_options){.iterations = 750, .exaggeration_iterations = 250, .seed = 1};
}

static size_t pieces_of(size_t count, size_t size)
{
    return (count + size - 1) / size;
}

static size_t piece_end(size_t piece, size_t count, size_t size)
{
    return count - piece * size < size ? count : (piece + 1) * size;
}

/* --- affinities --------------------------------------------------------------------------- */

struct affinities {
    float *p; /* N x N: squared distances, then p_j|i, then p_ij */
    size_t n;
    double entropy;  /* log perplexity */
    double *scratch; /* a row for each thread's piece in flight: pieces x N */
    size_t pieces;
    const kb_progress *progress;
};

/* e^t for t <= 0, good to about 1e-13; 0 below e^-700. Written so that loops over it become vector
 * code, which calls of exp do not. */
static inline __attribute__((always_inline)) double quick_exp(double t)
{
    double clamped = t > -700 ? t : -700;
    double rounded = clamped * 1.4426950408889634 + 0x1.8p52; /* low bits: the power of two */
    double power = rounded - 0x1.8p52;
    double r = clamped - power * 0.693147180369123816490 - power * 1.90821492927058770002e-10;
    double e =
        1 +
        r * (1 +
             r * (1.0 / 2 +
                  r * (1.0 / 6 +
                       r * (1.0 / 24 +
                            r * (1.0 / 120 +
                                 r * (1.0 / 720 + r * (1.0 / 5040 +
                                                       r * (1.0 / 40320 + r * (1.0 / 362880 +
                                                                               r / 3628800)))))))));
    int64_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    bits = (int64_t)((uint64_t)bits << 52) + 0x3FF0000000000000;
    double scale;
    memcpy(&scale, &bits, sizeof scale);
    return t > -700 ? e * scale : 0;
}

/* Sums over one point's neighbours of e = exp(-beta d), e d and e d^2; eight partial sums each, in
 * a fixed order. */
struct moments {
    double sum, first, second;
};

static KB_SIMD void measure_moments(struct moments *m, const double *d, size_t n, double beta)
{
    double sum[8] = {0}, first[8] = {0}, second[8] = {0};
    size_t j = 0;
    for (; j + 8 <= n; j += 8) {
        for (size_t r = 0; r < 8; r++) {
            double e = quick_exp(-beta * d[j + r]), ed = e * d[j + r];
            sum[r] += e;
            first[r] += ed;
            second[r] += ed * d[j + r];
        }
    }
    for (; j < n; j++) {
        double e = quick_exp(-beta * d[j]), ed = e * d[j];
        sum[0] += e;
        first[0] += ed;
        second[0] += ed * d[j];
    }
    *m = (struct moments){0};
    for (size_t r = 0; r < 8; r++) {
        m->sum += sum[r];
        m->first += first[r];
        m->second += second[r];
    }
}

/* The beta at which exp(-beta d), normalised, has ENTROPY. H = log S + beta E[d] falls with beta,
 * and dH/d(log beta) = -beta^2 Var[d]: Newton's step on log beta, held inside the bracket found so
 * far, and bisection where it leaves that. Where so many points tie for nearest that no beta will
 * do, beta grows until only they are left. */
static double solve_beta(const double *d, size_t n, double mean, double entropy, double *sum)
{
    double beta = 1 / mean, low = 0, high = INFINITY;
    struct moments m;
    for (int step = 0; step < 100; step++) {
        measure_moments(&m, d, n, beta);
        double expected = m.first / m.sum;
        double variance = fmax(m.second / m.sum - expected * expected, 0);
        double excess = log(m.sum) + beta * expected - entropy;
        if (fabs(excess) < 1e-9 || step == 99)
            break;
        *(excess > 0 ? &low : &high) = beta;
        double next = beta * exp(fmin(fmax(excess / (beta * beta * variance), -3), 3));
        if (!(next > low && next < high))
            next = isinf(high) ? beta * 8 : (low + high) / 2;
        beta = next;
    }
    *sum = m.sum;
    return beta;
}

static KB_SIMD void write_row(float *p, const double *d, size_t n, double beta, double sum)
{
    double factor = 1 / sum;
    for (size_t j = 0; j < n; j++)
        p[j] = (float)(quick_exp(-beta * d[j]) * factor);
}

/* Row I of squared distances becomes p_j|i. D: N doubles. Distances count from the nearest
 * neighbour's, which changes nothing but keeps the greatest exponential at 1. */
static void condition_row(float *row, double *d, size_t i, size_t n, double entropy)
{
    double least = INFINITY, total = 0;
    for (size_t j = 0; j < n; j++)
        if (j != i)
            least = fmin(least, (double)row[j]);
    for (size_t j = 0, at = 0; j < n; j++)
        if (j != i)
            total += d[at++] = (double)row[j] - least;
    double sum = (double)(n - 1), beta = 0;
    if (total > 0)
        beta = solve_beta(d, n - 1, total / (double)(n - 1), entropy, &sum);
    write_row(row, d, i, beta, sum);
    write_row(row + i + 1, d + i, n - 1 - i, beta, sum);
    row[i] = 0;
}

static void condition_piece(void *ctx, size_t piece)
{
    struct affinities *a = ctx;
    for (size_t i = piece; i < a->n && !kb_cancelled(a->progress); i += a->pieces)
        condition_row(a->p + i * a->n, a->scratch + piece * a->n, i, a->n, a->entropy);
}

/* A strip of TILE rows and, mirrored, of TILE columns from the diagonal on: each pair belongs to
 * one strip alone. */
static void symmetrise_piece(void *ctx, size_t piece)
{
    struct affinities *a = ctx;
    size_t n = a->n, first = piece * TILE, last = piece_end(piece, n, TILE);
    double share = 0.5 / (double)n;
    for (size_t j0 = first; j0 < n && !kb_cancelled(a->progress); j0 += TILE) {
        size_t j1 = n - j0 < TILE ? n : j0 + TILE;
        for (size_t i = first; i < last; i++) {
            for (size_t j = j0 > i ? j0 : i + 1; j < j1; j++) {
                double both = (double)a->p[i * n + j] + (double)a->p[j * n + i];
                a->p[i * n + j] = a->p[j * n + i] = (float)(both * share);
            }
        }
    }
}

/* P: squared distances in, affinities out. */
static kb_status make_affinities(float *p, size_t n, double perplexity, kb_pool *pool,
                                 const kb_progress *progress, kb_error *err)
{
    struct affinities a = {.p = p, .n = n, .entropy = log(perplexity), .progress = progress};
    a.pieces = kb_pool_threads(pool) * 4;
    size_t cells;
    a.scratch = kb_size_mul(a.pieces, n, &cells) ? kb_alloc_aligned(cells, sizeof(double)) : NULL;
    if (!a.scratch)
        return kb_fail_memory(err, "t-SNE affinities");
    kb_pool_run(pool, a.pieces, condition_piece, &a);
    if (!kb_cancelled(progress))
        kb_pool_run(pool, pieces_of(n, TILE), symmetrise_piece, &a);
    free(a.scratch);
    return kb_cancelled(progress) ? kb_fail(err, KB_ERR_CANCELLED, "t-SNE was stopped") : KB_OK;
}

static kb_status check_perplexity(double perplexity, size_t n, kb_error *err)
{
    if (perplexity >= 1 && perplexity <= (double)(n - 1))
        return KB_OK;
    return kb_fail(err, KB_ERR_USAGE, "perplexity: %g is not in 1..%zu (%zu points)", perplexity,
                   n - 1, n);
}

kb_status kb_tsne_affinities(float *p, const float *d2, size_t n, double perplexity, kb_error *err)
{
    if (n < 2)
        return kb_fail(err, KB_ERR_USAGE, "t-SNE: %zu points have no affinities", n);
    kb_status status = check_perplexity(perplexity, n, err);
    if (status)
        return status;
    if (p != d2)
        memcpy(p, d2, n * n * sizeof *p);
    return make_affinities(p, n, perplexity, NULL, NULL, err);
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

/* One float array a coordinate, so that the force loop reads 16 points at once; padded to whole
 * vectors with points FAR_AWAY. */
struct field {
    size_t n, padded;
    const float *p;          /* N x N */
    float *x, *y;            /* padded */
    double *pull_x, *pull_y; /* N: sum_j p_ij w_ij (y_i - y_j) */
    double *push_x, *push_y; /* N: sum_j w_ij^2 (y_i - y_j) */
    double *weight;          /* N: sum_j w_ij, the point itself (w = 1) left out */
    double *row_kl, *row_p;  /* N: sum_j p_ij log(p_ij / w_ij), sum_j p_ij; NULL: not wanted */
    double normaliser;       /* sum of weight */
};

/* One vector of neighbours after another; P, X, Y: whole vectors. OUT: pull x, y, push x, y,
 * weight, added to. */
static KB_SIMD void add_forces(double out[5], const float *p, const float *x, const float *y,
                               size_t n, float xi, float yi)
{
    float pull_x[VECTOR] = {0}, pull_y[VECTOR] = {0}, push_x[VECTOR] = {0}, push_y[VECTOR] = {0};
    float weight[VECTOR] = {0};
    for (size_t j = 0; j < n; j += VECTOR) {
        const float *pj = p + j, *xj = x + j, *yj = y + j;
        for (size_t r = 0; r < VECTOR; r++) {
            float dx = xi - xj[r], dy = yi - yj[r];
            float w = 1.0F / (1.0F + dx * dx + dy * dy);
            float pull = pj[r] * w, push = w * w;
            pull_x[r] += pull * dx;
            pull_y[r] += pull * dy;
            push_x[r] += push * dx;
            push_y[r] += push * dy;
            weight[r] += w;
        }
    }
    for (size_t r = 0; r < VECTOR; r++) {
        out[0] += (double)pull_x[r];
        out[1] += (double)pull_y[r];
        out[2] += (double)push_x[r];
        out[3] += (double)push_y[r];
        out[4] += (double)weight[r];
    }
}

/* Lanes are emptied into doubles this often, which keeps their error from growing with N. */
enum { CHUNK = 64 * VECTOR };

static void row_forces(struct field *f, size_t i)
{
    const float *p = f->p + i * f->n;
    double sums[5] = {0};
    size_t whole = f->n / VECTOR * VECTOR;
    for (size_t j = 0; j < whole; j += CHUNK)
        add_forces(sums, p + j, f->x + j, f->y + j, whole - j < CHUNK ? whole - j : CHUNK, f->x[i],
                   f->y[i]);
    if (whole < f->n) {
        float rest[VECTOR] = {0};
        memcpy(rest, p + whole, (f->n - whole) * sizeof *rest);
        add_forces(sums, rest, f->x + whole, f->y + whole, VECTOR, f->x[i], f->y[i]);
    }
    f->pull_x[i] = sums[0];
    f->pull_y[i] = sums[1];
    f->push_x[i] = sums[2];
    f->push_y[i] = sums[3];
    f->weight[i] = sums[4] - 1;
}

static void force_piece(void *ctx, size_t piece)
{
    struct field *f = ctx;
    size_t last = piece_end(piece, f->n, PIECE_ROWS);
    for (size_t i = piece * PIECE_ROWS; i < last; i++)
        row_forces(f, i);
}

static void measure_forces(struct field *f, kb_pool *pool)
{
    kb_pool_run(pool, pieces_of(f->n, PIECE_ROWS), force_piece, f);
    f->normaliser = 0;
    for (size_t i = 0; i < f->n; i++)
        f->normaliser += f->weight[i];
    /* Points that are all infinitely far apart push nobody. */
    f->normaliser = fmax(f->normaliser, 1e-300);
}

static void kl_piece(void *ctx, size_t piece)
{
    struct field *f = ctx;
    size_t last = piece_end(piece, f->n, PIECE_ROWS);
    for (size_t i = piece * PIECE_ROWS; i < last; i++) {
        f->row_kl[i] = f->row_p[i] = 0;
        for (size_t j = 0; j < f->n; j++) {
            double p = (double)f->p[i * f->n + j];
            double dx = (double)f->x[i] - (double)f->x[j], dy = (double)f->y[i] - (double)f->y[j];
            if (p > 0 && j != i) {
                f->row_kl[i] += p * log(p * (1 + dx * dx + dy * dy));
                f->row_p[i] += p;
            }
        }
    }
}

/* KL = sum p log(p / q) = sum p log(p / w) + log Z sum p. The forces are measured. */
static double divergence(struct field *f, kb_pool *pool)
{
    kb_pool_run(pool, pieces_of(f->n, PIECE_ROWS), kl_piece, f);
    double kl = 0, total = 0;
    for (size_t i = 0; i < f->n; i++) {
        kl += f->row_kl[i];
        total += f->row_p[i];
    }
    return kl + total * log(f->normaliser);
}

static void field_free(struct field *f)
{
    free(f->x);
    free(f->y);
    free(f->pull_x);
}

static bool field_make(struct field *f, size_t n, const float *p)
{
    *f = (struct field){.n = n, .padded = pieces_of(n, VECTOR) * VECTOR, .p = p};
    f->x = kb_alloc_aligned(f->padded, sizeof *f->x);
    f->y = kb_alloc_aligned(f->padded, sizeof *f->y);
    f->pull_x = kb_calloc(n, 7 * sizeof *f->pull_x); /* all seven, in one block */
    if (!f->x || !f->y || !f->pull_x) {
        field_free(f);
        return false;
    }
    f->pull_y = f->pull_x + n;
    f->push_x = f->pull_x + 2 * n;
    f->push_y = f->pull_x + 3 * n;
    f->weight = f->pull_x + 4 * n;
    f->row_kl = f->pull_x + 5 * n;
    f->row_p = f->pull_x + 6 * n;
    for (size_t i = 0; i < f->padded; i++)
        f->x[i] = f->y[i] = i < n ? 0 : FAR_AWAY;
    return true;
}

double kb_tsne_gradient(float *gradient, const float *layout, const float *p, size_t n,
                        kb_pool *pool)
{
    struct field f;
    if (!field_make(&f, n, p))
        return NAN;
    for (size_t i = 0; i < n; i++) {
        f.x[i] = layout[2 * i];
        f.y[i] = layout[2 * i + 1];
    }
    measure_forces(&f, pool);
    for (size_t i = 0; i < n; i++) {
        gradient[2 * i] = (float)(4 * (f.pull_x[i] - f.push_x[i] / f.normaliser));
        gradient[2 * i + 1] = (float)(4 * (f.pull_y[i] - f.push_y[i] / f.normaliser));
    }
    double kl = divergence(&f, pool);
    field_free(&f);
    return kl;
}

/* --- descent ------------------------------------------------------------------------------ */

struct descent {
    struct field field;
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

static void step(struct descent *d, bool exaggerated, kb_pool *pool)
{
    struct field *f = &d->field;
    double exaggeration = exaggerated ? d->exaggeration : 1, momentum = exaggerated ? 0.5 : 0.8;
    measure_forces(f, pool);
    move_coordinate(f->x, d->velocity, d->gain, f->pull_x, f->push_x, d, exaggeration, momentum);
    move_coordinate(f->y, d->velocity + f->n, d->gain + f->n, f->pull_y, f->push_y, d, exaggeration,
                    momentum);
}

static void write_layout(float *layout, const struct field *f)
{
    for (size_t i = 0; i < f->n; i++) {
        layout[2 * i] = f->x[i];
        layout[2 * i + 1] = f->y[i];
    }
}

static kb_status descend(struct descent *d, float *layout, const kb_tsne_options *options,
                         kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    for (size_t i = 0; i < options->iterations; i++) {
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "t-SNE was stopped");
        kb_progress_report(progress, "t-SNE", i, options->iterations);
        step(d, i < options->exaggeration_iterations, pool);
        if (options->snapshot && options->report_every && (i + 1) % options->report_every == 0) {
            write_layout(layout, &d->field);
            options->snapshot(options->ctx, layout, i + 1);
        }
    }
    kb_progress_report(progress, "t-SNE", options->iterations, options->iterations);
    write_layout(layout, &d->field);
    return KB_OK;
}

/* --- start -------------------------------------------------------------------------------- */

/* Principal components, the first of sigma 1e-4, and the jitter. */
static void place_start(struct field *f, const double *scores, uint64_t seed)
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

static double default_perplexity(size_t n)
{
    double third = (double)(n - 1) / 3;
    return third < 30 ? third : 30;
}

static double default_exaggeration(size_t n)
{
    return n > 10000 ? 12 : 4;
}

static kb_status embed(float *layout, double *kl, float *p, const double *scores, size_t n,
                       const kb_tsne_options *options, kb_pool *pool, const kb_progress *progress,
                       kb_error *err)
{
    struct descent d = {.exaggeration = options->exaggeration > 0 ? options->exaggeration
                                                                  : default_exaggeration(n),
                        .velocity = kb_calloc(n, 2 * sizeof(float)),
                        .gain = kb_calloc(n, 2 * sizeof(float))};
    d.learning_rate = options->learning_rate > 0 ? options->learning_rate
                                                 : fmax((double)n / d.exaggeration / 4, 50);
    kb_status status = KB_OK;
    if (field_make(&d.field, n, p) && d.velocity && d.gain) {
        for (size_t i = 0; i < 2 * n; i++)
            d.gain[i] = 1;
        place_start(&d.field, scores, options->seed);
        status = descend(&d, layout, options, pool, progress, err);
        if (!status && kl) {
            measure_forces(&d.field, pool);
            *kl = divergence(&d.field, pool);
        }
    } else {
        status = kb_fail_memory(err, "a t-SNE layout");
    }
    field_free(&d.field);
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
    if (!kb_points_finite(x, &row))
        return kb_fail(err, KB_ERR_NUMERIC, "t-SNE: point %zu is not finite", row + 1);
    return n > 3 && options->perplexity != 0 ? check_perplexity(options->perplexity, n, err)
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
    float *p = kb_alloc_aligned(n * n, sizeof *p); /* n is at most KB_TSNE_MOST_POINTS */
    if (!p)
        return kb_fail_memory(err, "t-SNE affinities");
    kb_status status = measure_distances(p, x, pool, progress, err);
    if (!status)
        status = make_affinities(p, n, perplexity, pool, progress, err);
    if (!status)
        status = embed(layout, kl, p, scores, n, options, pool, progress, err);
    free(p);
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
