#include "affinity.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "simd.h"

enum { TILE = 64 }; /* side of a block when transposing; rows that a thread takes at a time */

static size_t piece_end(size_t piece, size_t count, size_t size)
{
    return count - piece * size < size ? count : (piece + 1) * size;
}

static size_t pieces_of(size_t count, size_t size)
{
    return (count + size - 1) / size;
}

/* --- one point ---------------------------------------------------------------------------- */

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

/* The beta and the sum for distances D that count from the least of them, which changes nothing but
 * keeps the greatest exponential at 1. */
static double fit_beta(const double *d, size_t n, double entropy, double *sum)
{
    double total = 0;
    for (size_t j = 0; j < n; j++)
        total += d[j];
    *sum = (double)n;
    return total > 0 ? solve_beta(d, n, total / (double)n, entropy, sum) : 0;
}

void kb_affinity_row(float *p, double *scratch, const float *d2, size_t n, double entropy)
{
    double least = INFINITY, sum;
    for (size_t j = 0; j < n; j++)
        least = fmin(least, (double)d2[j]);
    for (size_t j = 0; j < n; j++)
        scratch[j] = (double)d2[j] - least;
    double beta = fit_beta(scratch, n, entropy, &sum);
    write_row(p, scratch, n, beta, sum);
}

kb_status kb_affinity_check(double perplexity, size_t neighbours, kb_error *err)
{
    if (perplexity >= 1 && perplexity <= (double)neighbours)
        return KB_OK;
    return kb_fail(err, KB_ERR_USAGE, "perplexity: %g is not in 1..%zu (%zu points)", perplexity,
                   neighbours, neighbours + 1);
}

/* --- between all points ------------------------------------------------------------------- */

struct affinities {
    float *p; /* N x N: squared distances, then p_j|i, then p_ij */
    size_t n;
    double entropy;  /* log perplexity */
    double *scratch; /* a row for each thread's piece in flight: pieces x N */
    size_t pieces;
    const kb_progress *progress;
};

/* Row I of squared distances, less the one to itself, becomes p_j|i. */
static void condition_row(float *row, double *scratch, size_t i, size_t n, double entropy)
{
    memmove(row + i, row + i + 1, (n - 1 - i) * sizeof *row);
    kb_affinity_row(row, scratch, row, n - 1, entropy);
    memmove(row + i + 1, row + i, (n - 1 - i) * sizeof *row);
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

kb_status kb_affinities_dense(float *p, size_t n, double perplexity, kb_pool *pool,
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

/* --- between near points ------------------------------------------------------------------ */

struct entry {
    uint32_t column;
    float value;
};

struct sparse {
    const kb_neighbours *near;
    kb_sparse *out;
    struct entry *given; /* N x k: p_j|i by rising j */
    size_t *begin;       /* N + 1: where those that have a point for a neighbour begin in back */
    struct entry *back;  /* N k: p_i|j of them, by rising j */
    double entropy;
    float *row;      /* pieces x k */
    double *scratch; /* pieces x k */
    size_t pieces;
    const kb_progress *progress;
};

static int compare_columns(const void *a, const void *b)
{
    uint32_t first = ((const struct entry *)a)->column, second = ((const struct entry *)b)->column;
    return (first > second) - (first < second);
}

static void condition_neighbours(struct sparse *s, size_t i, float *row, double *scratch)
{
    size_t k = s->near->k;
    struct entry *given = s->given + i * k;
    kb_affinity_row(row, scratch, s->near->distance2 + i * k, k, s->entropy);
    for (size_t e = 0; e < k; e++)
        given[e] = (struct entry){s->near->index[i * k + e], row[e]};
    qsort(given, k, sizeof *given, compare_columns);
}

static void condition_near_piece(void *ctx, size_t piece)
{
    struct sparse *s = ctx;
    size_t k = s->near->k;
    for (size_t i = piece; i < s->near->n && !kb_cancelled(s->progress); i += s->pieces)
        condition_neighbours(s, i, s->row + piece * k, s->scratch + piece * k);
}

/* BACK becomes GIVEN the other way round. */
static void turn_round(struct sparse *s)
{
    size_t n = s->near->n, k = s->near->k;
    for (size_t e = 0; e < n * k; e++)
        s->begin[s->given[e].column + 1]++;
    for (size_t i = 0; i < n; i++)
        s->begin[i + 1] += s->begin[i];
    /* Each point's place moves on to where the next one's began; all are moved back after that. */
    for (size_t i = 0; i < n && !kb_cancelled(s->progress); i++) {
        for (size_t e = i * k; e < (i + 1) * k; e++)
            s->back[s->begin[s->given[e].column]++] =
                (struct entry){(uint32_t)i, s->given[e].value};
    }
    memmove(s->begin + 1, s->begin, n * sizeof *s->begin);
    s->begin[0] = 0;
}

/* Row I of the sum of both, times SHARE, to COLUMN and P (NULL: only counted). Returns how many. */
static size_t merge_row(const struct sparse *s, size_t i, double share, uint32_t *column, float *p)
{
    const struct entry *a = s->given + i * s->near->k, *a_end = a + s->near->k;
    const struct entry *b = s->back + s->begin[i], *b_end = s->back + s->begin[i + 1];
    size_t count = 0;
    while (a < a_end || b < b_end) {
        uint32_t next = b == b_end || (a < a_end && a->column < b->column) ? a->column : b->column;
        double both = 0;
        if (a < a_end && a->column == next)
            both += (double)a++->value;
        if (b < b_end && b->column == next)
            both += (double)b++->value;
        if (column) {
            column[count] = next;
            p[count] = (float)(both * share);
        }
        count++;
    }
    return count;
}

static void count_tile(void *ctx, size_t tile)
{
    struct sparse *s = ctx;
    size_t last = piece_end(tile, s->near->n, TILE);
    for (size_t i = tile * TILE; i < last; i++)
        s->out->begin[i + 1] = merge_row(s, i, 0, NULL, NULL);
}

static void merge_tile(void *ctx, size_t tile)
{
    struct sparse *s = ctx;
    kb_sparse *out = s->out;
    size_t last = piece_end(tile, out->n, TILE);
    for (size_t i = tile * TILE; i < last; i++)
        merge_row(s, i, 0.5 / (double)out->n, out->column + out->begin[i], out->p + out->begin[i]);
}

/* OUT = (given + back) / 2N. */
static bool merge(struct sparse *s, kb_pool *pool)
{
    kb_sparse *out = s->out;
    size_t n = s->near->n, tiles = pieces_of(n, TILE);
    out->n = n;
    out->begin = kb_calloc(n + 1, sizeof *out->begin);
    if (!out->begin)
        return false;
    kb_pool_run(pool, tiles, count_tile, s);
    for (size_t i = 0; i < n; i++)
        out->begin[i + 1] += out->begin[i];
    out->column = kb_alloc_aligned(out->begin[n], sizeof *out->column);
    out->p = kb_alloc_aligned(out->begin[n], sizeof *out->p);
    if (!out->column || !out->p)
        return false;
    kb_pool_run(pool, tiles, merge_tile, s);
    return true;
}

static bool make_room(struct sparse *s)
{
    size_t k = s->near->k, cells, scratch;
    if (!kb_size_mul(s->near->n, k, &cells) || !kb_size_mul(s->pieces, k, &scratch))
        return false;
    s->given = kb_alloc_aligned(cells, sizeof *s->given);
    s->back = kb_alloc_aligned(cells, sizeof *s->back);
    s->begin = kb_calloc(s->near->n + 1, sizeof *s->begin);
    s->row = kb_alloc_aligned(scratch, sizeof *s->row);
    s->scratch = kb_alloc_aligned(scratch, sizeof *s->scratch);
    return s->given && s->back && s->begin && s->row && s->scratch;
}

kb_status kb_affinities_sparse(kb_sparse *out, const kb_neighbours *near, double perplexity,
                               kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    struct sparse s = {.near = near,
                       .out = out,
                       .entropy = log(perplexity),
                       .pieces = kb_pool_threads(pool) * 4,
                       .progress = progress};
    *out = (kb_sparse){0};
    bool room = make_room(&s);
    if (room) {
        kb_pool_run(pool, s.pieces, condition_near_piece, &s);
        if (!kb_cancelled(progress))
            turn_round(&s);
        if (!kb_cancelled(progress))
            room = merge(&s, pool);
    }
    free(s.given);
    free(s.back);
    free(s.begin);
    free(s.row);
    free(s.scratch);
    if (!room)
        return kb_fail_memory(err, "t-SNE affinities");
    return kb_cancelled(progress) ? kb_fail(err, KB_ERR_CANCELLED, "t-SNE was stopped") : KB_OK;
}

void kb_sparse_clear(kb_sparse *matrix)
{
    free(matrix->begin);
    free(matrix->column);
    free(matrix->p);
    *matrix = (kb_sparse){0};
}
