#include "pca.h"

#include <lapacke.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lapack.h"
#include "memory.h"
#include "points.h"
#include "rng.h"
#include "simd.h"

/* WIDTH - 2 spare directions: the wanted two converge as the ninth eigenvalue to the second, not as
 * the third. */
enum { WIDTH = 8, ROUNDS = 60, ROWS = 256, STRIP = 16 };
static const double SETTLED = 1e-9;   /* relative change of the two eigenvalues' sum */
static const double VANISHED = 1e-10; /* what is left of a vector that depends on those before it */

struct iteration {
    kb_const_matrix x;          /* N x d */
    double *basis;              /* V: d x 8, orthonormal columns, or zero ones when d < 8 */
    double *images;             /* Y = X V: N x 8 */
    double *next;               /* X^T Y: d x 8 */
    double ritz[WIDTH];         /* eigenvalues of V^T X^T X V, rising */
    double turn[WIDTH * WIDTH]; /* their vectors, one a row */
};

static KB_SIMD void image_rows(struct iteration *it, size_t first, size_t last)
{
    for (size_t i = first; i < last; i++) {
        const float *row = kb_const_matrix_row(it->x, i);
        kb_double4 low = {0}, high = {0};
        for (size_t f = 0; f < it->x.cols; f++) {
            low += (double)row[f] * *(const kb_double4 *)(it->basis + f * WIDTH);
            high += (double)row[f] * *(const kb_double4 *)(it->basis + f * WIDTH + 4);
        }
        *(kb_double4 *)(it->images + i * WIDTH) = low;
        *(kb_double4 *)(it->images + i * WIDTH + 4) = high;
    }
}

static void image_piece(void *ctx, size_t piece)
{
    struct iteration *it = ctx;
    size_t first = piece * ROWS, left = it->x.rows - first;
    image_rows(it, first, first + (left < ROWS ? left : ROWS));
}

/* next[f] += sum over rows FIRST .. LAST-1 of x[f] y, for COUNT <= 4 columns from f on, held in
 * registers meanwhile. */
static KB_SIMD void add_columns(struct iteration *it, size_t f, size_t count, size_t first,
                                size_t last)
{
    kb_double4 low[4] = {{0}}, high[4] = {{0}};
    size_t at[4];
    for (size_t c = 0; c < 4; c++)
        at[c] = f + (c < count ? c : 0);
    for (size_t i = first; i < last; i++) {
        const float *row = kb_const_matrix_row(it->x, i);
        kb_double4 image_low = *(const kb_double4 *)(it->images + i * WIDTH);
        kb_double4 image_high = *(const kb_double4 *)(it->images + i * WIDTH + 4);
        for (size_t c = 0; c < 4; c++) {
            low[c] += (double)row[at[c]] * image_low;
            high[c] += (double)row[at[c]] * image_high;
        }
    }
    for (size_t c = 0; c < count; c++) {
        *(kb_double4 *)(it->next + (f + c) * WIDTH) += low[c];
        *(kb_double4 *)(it->next + (f + c) * WIDTH + 4) += high[c];
    }
}

/* A block of rows at a time, whose part of the strip stays in the cache for all its columns. */
static void next_columns(struct iteration *it, size_t first, size_t last)
{
    memset(it->next + first * WIDTH, 0, (last - first) * WIDTH * sizeof *it->next);
    for (size_t i = 0; i < it->x.rows; i += ROWS) {
        size_t end = it->x.rows - i < ROWS ? it->x.rows : i + ROWS;
        for (size_t f = first; f < last; f += 4)
            add_columns(it, f, last - f < 4 ? last - f : 4, i, end);
    }
}

static void next_piece(void *ctx, size_t piece)
{
    struct iteration *it = ctx;
    size_t first = piece * STRIP, left = it->x.cols - first;
    next_columns(it, first, first + (left < STRIP ? left : STRIP));
}

static double column_dot(const double *m, size_t rows, size_t a, size_t b)
{
    double sum = 0;
    for (size_t f = 0; f < rows; f++)
        sum += m[f * WIDTH + a] * m[f * WIDTH + b];
    return sum;
}

static void scale_column(double *m, size_t rows, size_t c, double factor)
{
    for (size_t f = 0; f < rows; f++)
        m[f * WIDTH + c] *= factor;
}

/* Gram-Schmidt, done twice for each column ("twice is enough"); a column that depends on those
 * before it becomes zero. */
static void orthonormalise(double *m, size_t rows)
{
    for (size_t c = 0; c < WIDTH; c++) {
        double before = sqrt(column_dot(m, rows, c, c));
        for (int pass = 0; pass < 2; pass++) {
            for (size_t b = 0; b < c; b++) {
                double along = column_dot(m, rows, b, c);
                for (size_t f = 0; f < rows; f++)
                    m[f * WIDTH + c] -= along * m[f * WIDTH + b];
            }
        }
        double after = sqrt(column_dot(m, rows, c, c));
        scale_column(m, rows, c, after > VANISHED * before ? 1 / after : 0);
    }
}

/* Eigenvalues of V^T C V = Y^T Y. */
static kb_status rayleigh_ritz(struct iteration *it, kb_error *err)
{
    double *g = it->turn;
    memset(g, 0, sizeof it->turn);
    for (size_t i = 0; i < it->x.rows; i++) {
        const double *y = it->images + i * WIDTH;
        for (size_t a = 0; a < WIDTH; a++)
            for (size_t b = 0; b <= a; b++)
                g[b * WIDTH + a] += y[a] * y[b];
    }
    /* The lower triangle in column order, which is what LAPACK reads without a transposition;
     * vectors come back one a row. */
    lapack_int info = LAPACKE_dsyev(LAPACK_COL_MAJOR, 'V', 'L', WIDTH, g, WIDTH, it->ritz);
    return info ? kb_fail_lapack(err, "the search for principal components", "dsyev", (int)info)
                : KB_OK;
}

/* V = start, then V = orthonormal basis of X^T X V until the eigenvalues settle. */
static kb_status iterate(struct iteration *it, kb_pool *pool, const kb_progress *progress,
                         kb_error *err)
{
    size_t n = it->x.rows, d = it->x.cols;
    kb_rng rng = kb_rng_start(1, KB_STREAM_TSNE);
    for (size_t i = 0; i < d * WIDTH; i++)
        it->basis[i] = (double)kb_rng_normal(&rng);
    orthonormalise(it->basis, d);
    double sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "principal components were stopped");
        kb_pool_run(pool, (n + ROWS - 1) / ROWS, image_piece, it);
        kb_status status = rayleigh_ritz(it, err);
        if (status)
            return status;
        double before = sum;
        sum = it->ritz[WIDTH - 1] + it->ritz[WIDTH - 2];
        if (round > 1 && fabs(sum - before) <= SETTLED * sum)
            break;
        kb_pool_run(pool, (d + STRIP - 1) / STRIP, next_piece, it);
        memcpy(it->basis, it->next, d * WIDTH * sizeof *it->basis);
        orthonormalise(it->basis, d);
    }
    kb_pool_run(pool, (n + ROWS - 1) / ROWS, image_piece, it);
    return rayleigh_ritz(it, err);
}

/* +1 or -1: the sign that makes the greatest loading of component VECTOR (in basis coordinates)
 * positive. */
static double sign_of(const struct iteration *it, const double *vector)
{
    double greatest = 0;
    for (size_t f = 0; f < it->x.cols; f++) {
        double loading = 0;
        for (size_t c = 0; c < WIDTH; c++)
            loading += it->basis[f * WIDTH + c] * vector[c];
        /* A hair's breadth more, so that rounding does not decide between equals. */
        if (fabs(loading) > fabs(greatest) * (1 + 1e-6))
            greatest = loading;
    }
    return greatest < 0 ? -1 : 1;
}

static void project(double *scores, const struct iteration *it)
{
    for (size_t k = 0; k < 2; k++) {
        const double *vector = it->turn + (WIDTH - 1 - k) * WIDTH;
        bool exists = it->ritz[WIDTH - 1 - k] > VANISHED * it->ritz[WIDTH - 1];
        double sign = exists ? sign_of(it, vector) : 0;
        for (size_t i = 0; i < it->x.rows; i++) {
            double sum = 0;
            for (size_t c = 0; c < WIDTH; c++)
                sum += it->images[i * WIDTH + c] * vector[c];
            scores[i * 2 + k] = sign * sum;
        }
    }
}

kb_status kb_pca2(double *scores, kb_const_matrix x, kb_pool *pool, const kb_progress *progress,
                  kb_error *err)
{
    struct iteration it = {.x = x};
    it.basis = kb_alloc_aligned(x.cols, WIDTH * sizeof(double));
    it.next = kb_alloc_aligned(x.cols, WIDTH * sizeof(double));
    it.images = kb_alloc_aligned(x.rows, WIDTH * sizeof(double));
    kb_status status = KB_OK;
    if (it.basis && it.next && it.images)
        status = iterate(&it, pool, progress, err);
    else
        status = kb_fail_memory(err, "principal components");
    if (!status)
        project(scores, &it);
    free(it.basis);
    free(it.next);
    free(it.images);
    return status;
}
