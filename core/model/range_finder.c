#include "range_finder.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lapack.h"
#include "memory.h"
#include "rng.h"

enum {
    ITERATIONS = 3, /* times that the random block goes through G before it is measured */
    CHUNK = 2048    /* rows of an object that are gathered at a time */
};

struct finder {
    const kb_blocks *blocks;
    const kb_progress *progress;
    const kb_basis *basis; /* its mean and scale */
    size_t n, l;           /* N, columns */
    float *q, *z;          /* N x l: an orthonormal block, and G times it */
    float *block;          /* widest x t: the rows of an object */
    float *rows;           /* CHUNK x l: those rows of Q, later what is to be added to Z */
    float *between;        /* t x l: (block of j)' Q */
    double *small;         /* l x l: Q' G Q, later its eigenvectors (row i: the i-th) */
    double *values;        /* l, rising */
    double *sums;          /* l: of Q's columns */
    size_t done, total;    /* objects, for progress */
};

kb_range_options kb_range_defaults(void)
{
    return (kb_range_options){.energy = .99, .first = 1024, .most = 4096, .seed = 1};
}

/* --- memory ------------------------------------------------------------------------------ */

static float *alloc_floats(size_t rows, size_t cols)
{
    size_t floats;
    return kb_size_mul(rows, cols, &floats) ? kb_alloc_aligned(floats, sizeof(float)) : NULL;
}

static void finder_clear(struct finder *f)
{
    free(f->q);
    free(f->z);
    free(f->block);
    free(f->rows);
    free(f->between);
    free(f->small);
    free(f->values);
    free(f->sums);
}

static kb_status finder_create(struct finder *f, const kb_blocks *blocks, const kb_basis *basis,
                               size_t l, const kb_progress *progress, kb_error *err)
{
    size_t pairs;
    *f = (struct finder){.blocks = blocks,
                         .progress = progress,
                         .basis = basis,
                         .n = blocks->count,
                         .l = l,
                         .total = (ITERATIONS + 1) * blocks->objects};
    f->q = alloc_floats(f->n, l);
    f->z = alloc_floats(f->n, l);
    f->block = alloc_floats(blocks->widest, blocks->width);
    f->rows = alloc_floats(CHUNK, l);
    f->between = alloc_floats(blocks->width, l);
    f->small = kb_size_mul(l, l, &pairs) ? kb_calloc(pairs, sizeof *f->small) : NULL;
    f->values = kb_calloc(l, sizeof *f->values);
    f->sums = kb_calloc(l, sizeof *f->sums);
    return f->q && f->z && f->block && f->rows && f->between && f->small && f->values && f->sums
               ? KB_OK
               : kb_fail_memory(err, "the row space");
}

/* --- products with G --------------------------------------------------------------------- */

/* SUMS (l) = the sums of the columns of X (n x l). */
static void sum_columns(double *sums, const float *x, size_t n, size_t l)
{
    for (size_t k = 0; k < l; k++)
        sums[k] = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < l; k++)
            sums[k] += (double)x[i * l + k];
}

static void centre_columns(struct finder *f, float *x)
{
    sum_columns(f->sums, x, f->n, f->l);
    for (size_t i = 0; i < f->n; i++)
        for (size_t k = 0; k < f->l; k++)
            x[i * f->l + k] -= (float)(f->sums[k] / (double)f->n);
}

static size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* BETWEEN = (block of j, centred)' Q. */
static void pass_down(struct finder *f, const kb_block_entry *entries, size_t count,
                      const float *mean)
{
    size_t t = f->blocks->width, l = f->l;
    for (size_t from = 0; from < count; from += CHUNK) {
        size_t rows = size_min(CHUNK, count - from);
        for (size_t a = 0; a < rows; a++)
            memcpy(f->rows + a * l, f->q + entries[from + a].row * l, l * sizeof(float));
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)t, (blasint)l, (blasint)rows,
                    1, f->block + from * t, (blasint)t, f->rows, (blasint)l, from ? 1 : 0,
                    f->between, (blasint)l);
    }
    for (size_t i = 0; i < t; i++)
        for (size_t k = 0; k < l; k++)
            f->between[i * l + k] -= (float)((double)mean[i] * f->sums[k]);
}

/* Its rows of Z += (block of j) BETWEEN / s^2. */
static void pass_up(struct finder *f, const kb_block_entry *entries, size_t count)
{
    size_t t = f->blocks->width, l = f->l;
    float factor = (float)(1 / (f->basis->scale * f->basis->scale));
    for (size_t from = 0; from < count; from += CHUNK) {
        size_t rows = size_min(CHUNK, count - from);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)rows, (blasint)l,
                    (blasint)t, factor, f->block + from * t, (blasint)t, f->between, (blasint)l, 0,
                    f->rows, (blasint)l);
        for (size_t a = 0; a < rows; a++) {
            float *target = f->z + entries[from + a].row * l;
            for (size_t k = 0; k < l; k++)
                target[k] += f->rows[a * l + k];
        }
    }
}

/* Z = G Q = (I - 11'/N) X Xc' Q / s^2. */
static kb_status multiply(struct finder *f, kb_error *err)
{
    memset(f->z, 0, f->n * f->l * sizeof *f->z);
    sum_columns(f->sums, f->q, f->n, f->l);
    for (size_t j = 0; j < f->blocks->objects; j++) {
        if (kb_cancelled(f->progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        kb_progress_report(f->progress, "factorising", f->done++, f->total);
        size_t count = kb_blocks_rows(f->blocks, j);
        if (!count)
            continue;
        kb_blocks_fill(f->blocks, j, f->block);
        pass_down(f, f->blocks->entries + f->blocks->start[j], count,
                  f->basis->mean + j * f->blocks->width);
        pass_up(f, f->blocks->entries + f->blocks->start[j], count);
    }
    centre_columns(f, f->z);
    return KB_OK;
}

/* --- Rayleigh and Ritz ------------------------------------------------------------------- */

static void draw(struct finder *f, uint64_t seed)
{
    kb_rng rng = kb_rng_start(seed, KB_STREAM_RANGE);
    for (size_t i = 0; i < f->n * f->l; i++)
        f->q[i] = kb_rng_normal(&rng);
}

/* Q = an orthonormal basis of Z's columns. Our rows are LAPACK's columns: it is asked for the LQ
 * factors of an l x N matrix. */
static kb_status orthonormalise(struct finder *f, kb_error *err)
{
    float *swap = f->q;
    f->q = f->z;
    f->z = swap;
    float *tau = kb_calloc(f->l, sizeof *tau);
    if (!tau)
        return kb_fail_memory(err, "the row space");
    lapack_int l = (lapack_int)f->l, n = (lapack_int)f->n;
    lapack_int info = LAPACKE_sgelqf(LAPACK_COL_MAJOR, l, n, f->q, l, tau);
    if (!info)
        info = LAPACKE_sorglq(LAPACK_COL_MAJOR, l, n, l, f->q, l, tau);
    free(tau);
    return info ? kb_fail_lapack(err, "the range finder", "sgelqf", (int)info) : KB_OK;
}

/* The eigenvalues and vectors of Q' Z = Q' G Q. */
static kb_status measure(struct finder *f, kb_error *err)
{
    size_t l = f->l;
    float *product = alloc_floats(l, l);
    if (!product)
        return kb_fail_memory(err, "the row space");
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)l, (blasint)l, (blasint)f->n, 1,
                f->q, (blasint)l, f->z, (blasint)l, 0, product, (blasint)l);
    for (size_t i = 0; i < l; i++)
        for (size_t k = 0; k < l; k++)
            f->small[i * l + k] = ((double)product[i * l + k] + (double)product[k * l + i]) / 2;
    free(product);
    lapack_int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', (lapack_int)l, f->small,
                                     (lapack_int)l, f->values);
    return info ? kb_fail_lapack(err, "the eigensolver", "dsyevd", (int)info) : KB_OK;
}

static kb_status iterate(struct finder *f, uint64_t seed, kb_error *err)
{
    kb_status status = KB_OK;
    draw(f, seed);
    for (int i = 0; i < ITERATIONS && !status; i++) {
        status = multiply(f, err);
        if (!status)
            status = orthonormalise(f, err);
    }
    if (!status)
        status = multiply(f, err);
    return status ? status : measure(f, err);
}

/* The least rank that keeps ENERGY of the trace of G, which is N, but no more than MOST and never
 * one that is the rounding of floats. *ENOUGH: more columns would find nothing better; an eighth of
 * them is to spare, as the last have not converged. */
static size_t choose_rank(const struct finder *f, double energy, size_t most, bool *enough)
{
    double sum = 0, total = (double)f->n, least = 1e-6 * f->values[f->l - 1];
    size_t r = 0;
    while (r < size_min(f->l, most) && f->values[f->l - 1 - r] > least && sum < energy * total)
        sum += f->values[f->l - 1 - r++];
    *enough = r + f->l / 8 <= f->l;
    return r;
}

/* --- the basis --------------------------------------------------------------------------- */

/* TO (l x r) = W / S by falling eigenvalue. */
static void ritz_weights(const struct finder *f, size_t r, float *to)
{
    for (size_t i = 0; i < r; i++) {
        const double *w = f->small + (f->l - 1 - i) * f->l;
        double root = sqrt(f->values[f->l - 1 - i]);
        for (size_t k = 0; k < f->l; k++)
            to[k * r + i] = (float)(w[k] / root);
    }
}

/* As in the exact factorisation: the entry of largest size of each column is positive. */
static void settle_signs(float *weights, float *y, size_t n, size_t r)
{
    for (size_t i = 0; i < r; i++) {
        float largest = 0;
        for (size_t s = 0; s < n; s++)
            if (fabsf(weights[s * r + i]) > fabsf(largest))
                largest = weights[s * r + i];
        for (size_t s = 0; s < n && largest < 0; s++) {
            weights[s * r + i] = -weights[s * r + i];
            y[s * r + i] = -y[s * r + i];
        }
    }
}

/* WEIGHTS = Q W / S = U / S, Y = G U / S. */
static kb_status coordinates_of(struct finder *f, size_t r, float **weights, float **y,
                                kb_error *err)
{
    float *ritz = alloc_floats(f->l, r);
    *weights = alloc_floats(f->n, r);
    *y = alloc_floats(f->n, r);
    if (!ritz || !*weights || !*y) {
        free(ritz);
        return kb_fail_memory(err, "the basis");
    }
    ritz_weights(f, r, ritz);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)f->n, (blasint)r, (blasint)f->l,
                1, f->q, (blasint)f->l, ritz, (blasint)r, 0, *weights, (blasint)r);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)f->n, (blasint)r, (blasint)f->l,
                1, f->z, (blasint)f->l, ritz, (blasint)r, 0, *y, (blasint)r);
    settle_signs(*weights, *y, f->n, r);
    free(ritz);
    return KB_OK;
}

/* How many columns to try next: twice as many, or more where even a spectrum that falls no further
 * than the last value would need them. */
static size_t next_columns(const struct finder *f, double energy)
{
    double sum = 0, last = f->values[0];
    for (size_t i = 0; i < f->l; i++)
        sum += f->values[i];
    double missing = (energy * (double)f->n - sum) / last;
    if (!(last > 0 && missing > 0 && missing < (double)f->n))
        return 2 * f->l;
    size_t needed = f->l + (size_t)missing;
    needed += needed / 7; /* the rank is seven eighths of the columns at most */
    return needed > 2 * f->l ? needed : 2 * f->l;
}

/* More than the rank may be, so that the last of its vectors are good ones, too. */
static size_t most_columns(const kb_range_options *options, const kb_blocks *blocks)
{
    return size_min(options->most + options->most / 8, blocks->count - 1);
}

/* The share of the variance that Y (n x r) has. */
static double energy_of(const float *y, size_t n, size_t r)
{
    double sum = 0;
    for (size_t i = 0; i < n * r; i++)
        sum += (double)y[i] * (double)y[i];
    return sum < (double)n ? sum / (double)n : 1;
}

/* One attempt with *L columns, which become those of the next where they are not *ENOUGH. */
static kb_status attempt(kb_basis *basis, float **coordinates, const kb_blocks *blocks,
                         const kb_range_options *options, size_t *l, bool *enough,
                         const kb_progress *progress, kb_error *err)
{
    struct finder f;
    float *weights = NULL;
    kb_status status = finder_create(&f, blocks, basis, *l, progress, err);
    if (!status)
        status = iterate(&f, options->seed, err);
    if (!status) {
        basis->rank = choose_rank(&f, options->energy, options->most, enough);
        *enough = *enough || *l >= most_columns(options, blocks);
        *l = size_min(next_columns(&f, options->energy), most_columns(options, blocks));
        if (!basis->rank)
            status = kb_fail(err, KB_ERR_NUMERIC, "the fitted sessions have no variance");
    }
    if (!status && *enough)
        status = coordinates_of(&f, basis->rank, &weights, coordinates, err);
    finder_clear(&f);
    if (!status && *enough) {
        basis->energy = energy_of(*coordinates, blocks->count, basis->rank);
        status = kb_basis_make_vectors(basis, blocks, weights, progress, err);
    }
    free(weights);
    return status;
}

kb_status kb_basis_fit_randomised(kb_basis *basis, float **coordinates, const kb_blocks *blocks,
                                  const kb_range_options *options, kb_pool *pool,
                                  const kb_progress *progress, kb_error *err)
{
    *coordinates = NULL;
    kb_status status = kb_basis_centre(basis, blocks, err);
    if (status)
        return status;
    size_t l = size_min(options->first, most_columns(options, blocks));
    bool enough = false;
    openblas_set_num_threads((int)kb_pool_threads(pool));
    while (!status && !enough)
        status = attempt(basis, coordinates, blocks, options, &l, &enough, progress, err);
    openblas_set_num_threads(1);
    return kb_basis_end(basis, coordinates, status);
}
