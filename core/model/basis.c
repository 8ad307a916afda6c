#include "basis.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lapack.h"
#include "memory.h"

/* Sums over sessions of x and of x^2, in double; mean, scale and used_dims from them. */
static kb_status centre_on(kb_basis *basis, const kb_blocks *blocks, float *block, kb_error *err)
{
    size_t t = blocks->width;
    double n = (double)blocks->count, squares = 0;
    for (size_t j = 0; j < blocks->objects; j++) {
        size_t rows = kb_blocks_rows(blocks, j);
        kb_blocks_fill(blocks, j, block);
        for (size_t i = 0; i < t; i++) {
            double sum = 0;
            bool used = false;
            for (size_t r = 0; r < rows; r++) {
                double x = (double)block[r * t + i];
                sum += x;
                squares += x * x;
                used = used || x != 0;
            }
            basis->mean[j * t + i] = (float)(sum / n);
            basis->used_dims += used;
        }
    }
    basis->mean_norm2 = 0;
    for (size_t d = 0; d < basis->dims; d++)
        basis->mean_norm2 += (double)basis->mean[d] * (double)basis->mean[d];
    double variance = squares / n - basis->mean_norm2;
    if (!(variance > 1e-12 * squares / n) || !isfinite(variance))
        return kb_fail(err, KB_ERR_NUMERIC,
                       "all %zu fitted sessions are alike: there is nothing to learn",
                       blocks->count);
    basis->scale = sqrt(variance);
    return KB_OK;
}

static float *alloc_widest(const kb_blocks *blocks)
{
    size_t floats;
    if (!kb_size_mul(blocks->widest, blocks->width, &floats))
        return NULL;
    return kb_alloc_aligned(floats, sizeof(float));
}

kb_status kb_basis_centre(kb_basis *basis, const kb_blocks *blocks, kb_error *err)
{
    *basis = (kb_basis){.dims = blocks->objects * blocks->width, .energy = 1};
    basis->mean = kb_calloc(basis->dims, sizeof *basis->mean);
    float *block = alloc_widest(blocks);
    kb_status status = basis->mean && block ? centre_on(basis, blocks, block, err)
                                            : kb_fail_memory(err, "the mean");
    free(block);
    if (status)
        kb_basis_clear(basis);
    return status;
}

/* dsyevd's workspace, 1 + 6 N + 2 N^2, must fit LAPACK's 32-bit sizes. */
enum { MOST_SESSIONS = 32000 };

/* What the factorisation works in; one lifetime. */
struct workspace {
    float *block;   /* widest x t */
    float *product; /* widest x widest */
    double *gram;   /* N x N, later its eigenvectors (row i: eigenvector i, LAPACK's column) */
    double *values; /* N eigenvalues, rising */
    float *weights; /* U / S: N x r */
};

static void workspace_clear(struct workspace *w)
{
    free(w->block);
    free(w->product);
    free(w->gram);
    free(w->values);
    free(w->weights);
}

static kb_status workspace_create(struct workspace *w, const kb_blocks *blocks, kb_error *err)
{
    *w = (struct workspace){0};
    size_t pairs, wide;
    if (!kb_size_mul(blocks->count, blocks->count, &pairs) ||
        !kb_size_mul(blocks->widest, blocks->widest, &wide))
        return kb_fail_memory(err, "the Gram matrix");
    w->block = alloc_widest(blocks);
    w->product = kb_alloc_aligned(wide, sizeof *w->product);
    w->gram = kb_calloc(pairs, sizeof *w->gram);
    w->values = kb_calloc(blocks->count, sizeof *w->values);
    return w->block && w->product && w->gram && w->values ? KB_OK
                                                          : kb_fail_memory(err, "the Gram matrix");
}

/* G += the part of object j: products of the rows that have it (lower triangle). */
static void add_object(struct workspace *w, const kb_blocks *blocks, size_t j)
{
    size_t rows = kb_blocks_rows(blocks, j), t = blocks->width, n = blocks->count;
    if (!rows)
        return;
    kb_blocks_fill(blocks, j, w->block);
    cblas_ssyrk(CblasRowMajor, CblasLower, CblasNoTrans, (blasint)rows, (blasint)t, 1, w->block,
                (blasint)t, 0, w->product, (blasint)rows);
    const kb_block_entry *entries = blocks->entries + blocks->start[j];
    for (size_t a = 0; a < rows; a++) {
        double *row = w->gram + entries[a].row * n;
        for (size_t b = 0; b <= a; b++)
            row[entries[b].row] += (double)w->product[a * rows + b];
    }
}

static kb_status gram_matrix(struct workspace *w, const kb_blocks *blocks,
                             const kb_progress *progress, kb_error *err)
{
    for (size_t j = 0; j < blocks->objects; j++) {
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        kb_progress_report(progress, "factorising", j, blocks->objects);
        add_object(w, blocks, j);
    }
    return KB_OK;
}

/* G = (I - 11'/N) G (I - 11'/N) / s^2, from and to the lower triangle. */
static kb_status centre_gram(double *gram, size_t n, double scale, kb_error *err)
{
    double *means = kb_calloc(n, sizeof *means);
    if (!means)
        return kb_fail_memory(err, "the Gram matrix");
    double total = 0;
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b <= a; b++) {
            means[a] += gram[a * n + b];
            if (a != b)
                means[b] += gram[a * n + b];
        }
    for (size_t a = 0; a < n; a++) {
        means[a] /= (double)n;
        total += means[a] / (double)n;
    }
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b <= a; b++)
            gram[a * n + b] = (gram[a * n + b] - means[a] - means[b] + total) / (scale * scale);
    free(means);
    return KB_OK;
}

double kb_basis_trace(const double *values, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += values[i] > 0 ? values[i] : 0;
    return total;
}

size_t kb_basis_choose_rank(const double *values, size_t n, double total, double energy,
                            double *kept)
{
    double sum = 0;
    size_t rank = 0;
    while (rank < n) {
        double value = values[n - 1 - rank];
        if (value <= 1e-6 * values[n - 1] || (rank > 0 && sum >= energy * total))
            break;
        sum += value;
        rank++;
    }
    *kept = total > 0 ? sum / total : 0;
    return rank;
}

/* The sign of an eigenvector U is arbitrary; the entry of largest size is made positive, so that
 * the result does not depend on the LAPACK at hand. */
static double sign_of(const double *u, size_t n)
{
    double largest = 0;
    for (size_t s = 0; s < n; s++)
        if (fabs(u[s]) > fabs(largest))
            largest = u[s];
    return largest < 0 ? -1 : 1;
}

/* Y = U S and the weights U / S, both N x r, by falling eigenvalue. */
static void coordinates_of(const struct workspace *w, size_t n, size_t rank, float *y)
{
    for (size_t i = 0; i < rank; i++) {
        const double *u = w->gram + (n - 1 - i) * n;
        double root = sqrt(w->values[n - 1 - i]), sign = sign_of(u, n);
        for (size_t s = 0; s < n; s++) {
            y[s * rank + i] = (float)(sign * u[s] * root);
            w->weights[s * rank + i] = (float)(sign * u[s] / root);
        }
    }
}

/* V_j (t x r) = (block of j)' (weights of its rows) / s. */
static void vectors_of(kb_basis *basis, const kb_blocks *blocks, size_t j, const float *weights,
                       float *block, float *gathered)
{
    size_t rows = kb_blocks_rows(blocks, j), t = blocks->width, r = basis->rank;
    if (!rows)
        return;
    kb_blocks_fill(blocks, j, block);
    const kb_block_entry *entries = blocks->entries + blocks->start[j];
    for (size_t a = 0; a < rows; a++)
        memcpy(gathered + a * r, weights + entries[a].row * r, r * sizeof(float));
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)t, (blasint)r, (blasint)rows,
                (float)(1 / basis->scale), block, (blasint)t, gathered, (blasint)r, 0,
                basis->vectors + j * t * r, (blasint)r);
}

kb_status kb_basis_make_vectors(kb_basis *basis, const kb_blocks *blocks, const float *weights,
                                const kb_progress *progress, kb_error *err)
{
    size_t v_floats, g_floats;
    float *block = alloc_widest(blocks), *gathered = NULL;
    if (kb_size_mul(blocks->widest, basis->rank, &g_floats))
        gathered = kb_alloc_aligned(g_floats, sizeof *gathered);
    if (kb_size_mul(basis->dims, basis->rank, &v_floats))
        basis->vectors = kb_calloc(v_floats, sizeof *basis->vectors);
    kb_status status =
        block && gathered && basis->vectors ? KB_OK : kb_fail_memory(err, "the basis");
    for (size_t j = 0; !status && j < blocks->objects; j++) {
        if (kb_cancelled(progress))
            status = kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        else
            vectors_of(basis, blocks, j, weights, block, gathered);
    }
    free(block);
    free(gathered);
    return status ? status : kb_basis_finish(basis, err);
}

static kb_status alloc_coordinates(struct workspace *w, size_t count, size_t rank,
                                   float **coordinates, kb_error *err)
{
    size_t floats;
    if (!kb_size_mul(count, rank, &floats))
        return kb_fail_memory(err, "the basis");
    *coordinates = kb_alloc_aligned(floats, sizeof **coordinates);
    w->weights = kb_alloc_aligned(floats, sizeof *w->weights);
    return *coordinates && w->weights ? KB_OK : kb_fail_memory(err, "the basis");
}

static kb_status factorise(kb_basis *basis, struct workspace *w, const kb_blocks *blocks,
                           float **coordinates, double energy, const kb_progress *progress,
                           kb_error *err)
{
    size_t n = blocks->count;
    kb_status status = gram_matrix(w, blocks, progress, err);
    if (!status)
        status = centre_gram(w->gram, n, basis->scale, err);
    if (status)
        return status;
    /* LAPACK reads columns: our lower triangle by rows is its upper one, and its eigenvector
     * columns are our rows. */
    lapack_int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', (lapack_int)n, w->gram,
                                     (lapack_int)n, w->values);
    if (info != 0)
        return kb_fail_lapack(err, "the eigensolver", "dsyevd", (int)info);
    if (kb_cancelled(progress))
        return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    basis->rank =
        kb_basis_choose_rank(w->values, n, kb_basis_trace(w->values, n), energy, &basis->energy);
    if (!basis->rank)
        return kb_fail(err, KB_ERR_NUMERIC, "the fitted sessions have no variance");
    status = alloc_coordinates(w, n, basis->rank, coordinates, err);
    if (status)
        return status;
    coordinates_of(w, n, basis->rank, *coordinates);
    /* U is orthogonal to 1, so the mean needs no correction. */
    status = kb_basis_make_vectors(basis, blocks, w->weights, progress, err);
    kb_progress_report(progress, "factorising", blocks->objects, blocks->objects);
    return status;
}

kb_status kb_basis_end(kb_basis *basis, float **coordinates, kb_status status)
{
    if (status) {
        free(*coordinates);
        *coordinates = NULL;
        kb_basis_clear(basis);
    }
    return status;
}

kb_status kb_basis_fit(kb_basis *basis, float **coordinates, const kb_blocks *blocks, double energy,
                       kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    *coordinates = NULL;
    if (blocks->count > MOST_SESSIONS)
        return kb_fail(err, KB_ERR_USAGE,
                       "%zu sessions to fit, the exact factorisation takes up to %d", blocks->count,
                       (int)MOST_SESSIONS);
    kb_status status = kb_basis_centre(basis, blocks, err);
    if (status)
        return status;
    struct workspace w;
    status = workspace_create(&w, blocks, err);
    if (!status) {
        /* The eigensolver cannot be cut into pieces of ours: for its time the threads are
         * OpenBLAS's. */
        openblas_set_num_threads((int)kb_pool_threads(pool));
        status = factorise(basis, &w, blocks, coordinates, energy, progress, err);
        openblas_set_num_threads(1);
    }
    workspace_clear(&w);
    return kb_basis_end(basis, coordinates, status);
}

/* --- leading components ------------------------------------------------------------------- */

/* The COUNT largest eigenvalues (rising) and their vectors (rows of U, COUNT x N) of the N x N
 * matrix in W, which is destroyed. */
static kb_status leading_pairs(struct workspace *w, size_t n, size_t count, double *u,
                               kb_error *err)
{
    lapack_int found = 0, *support = kb_calloc(2 * count, sizeof *support);
    if (!support)
        return kb_fail_memory(err, "the Gram matrix");
    lapack_int info =
        LAPACKE_dsyevr(LAPACK_COL_MAJOR, 'V', 'I', 'U', (lapack_int)n, w->gram, (lapack_int)n, 0, 0,
                       (lapack_int)(n - count + 1), (lapack_int)n, 0, &found, w->values, u,
                       (lapack_int)n, support);
    free(support);
    if (info != 0 || (size_t)found != count)
        return kb_fail_lapack(err, "the eigensolver", "dsyevr", (int)info);
    return KB_OK;
}

/* Y (N x RANK) = U S, by falling eigenvalue. */
static kb_status keep_leading(const struct workspace *w, const double *u, size_t n, size_t count,
                              size_t rank, float **y, kb_error *err)
{
    *y = kb_alloc_aligned(n * rank, sizeof **y); /* rank <= n, whose square was allocated */
    if (!*y)
        return kb_fail_memory(err, "principal components");
    for (size_t i = 0; i < rank; i++) {
        const double *vector = u + (count - 1 - i) * n;
        double factor = sign_of(vector, n) * sqrt(w->values[count - 1 - i]);
        for (size_t s = 0; s < n; s++)
            (*y)[s * rank + i] = (float)(vector[s] * factor);
    }
    return KB_OK;
}

static double trace_of(const double *gram, size_t n)
{
    double trace = 0;
    for (size_t i = 0; i < n; i++)
        trace += gram[i * n + i];
    return trace;
}

static kb_status leading_coordinates(struct workspace *w, const kb_blocks *blocks, size_t most,
                                     double energy, float **y, size_t *rank,
                                     const kb_progress *progress, kb_error *err)
{
    size_t n = blocks->count, count = most < n ? most : n;
    kb_status status = gram_matrix(w, blocks, progress, err);
    double squares = trace_of(w->gram, n), kept;
    if (!status)
        status = centre_gram(w->gram, n, 1, err);
    if (status)
        return status;
    double trace = trace_of(w->gram, n);
    if (!(trace > 1e-12 * squares) || !isfinite(trace))
        return kb_fail(err, KB_ERR_NUMERIC, "all %zu sessions are alike", n);
    for (size_t i = 0; i < n * n; i++) /* to a mean of |x|^2 of 1 */
        w->gram[i] *= (double)n / trace;
    double *u = kb_calloc(count * n, sizeof *u);
    if (!u)
        return kb_fail_memory(err, "principal components");
    status = leading_pairs(w, n, count, u, err);
    if (!status)
        *rank = kb_basis_choose_rank(w->values, count, (double)n, energy, &kept);
    if (!status && !*rank)
        status = kb_fail(err, KB_ERR_NUMERIC, "the fitted sessions have no variance");
    if (!status)
        status = keep_leading(w, u, n, count, *rank, y, err);
    free(u);
    return status;
}

kb_status kb_basis_components(float **coordinates, size_t *rank, const kb_blocks *blocks,
                              size_t most, double energy, kb_pool *pool,
                              const kb_progress *progress, kb_error *err)
{
    *coordinates = NULL;
    *rank = 0;
    if (blocks->count > MOST_SESSIONS)
        return kb_fail(err, KB_ERR_USAGE, "%zu sessions, components are found of up to %d",
                       blocks->count, (int)MOST_SESSIONS);
    struct workspace w;
    kb_status status = workspace_create(&w, blocks, err);
    if (!status) {
        openblas_set_num_threads((int)kb_pool_threads(pool));
        status = leading_coordinates(&w, blocks, most, energy, coordinates, rank, progress, err);
        openblas_set_num_threads(1);
    }
    workspace_clear(&w);
    return status;
}

/* --- projection --------------------------------------------------------------------------- */

struct projection {
    float *block;   /* widest x t, to whole products */
    float *product; /* KB_PRODUCT_ROWS x r */
    double *norm2;  /* |x - mean|^2 of each row */
};

/* Y rows += x_j V_j, norm2 += |x_j|^2 - 2 x_j . mean_j, for the COUNT rows from FIRST on of those
 * that have object j. */
static void project_rows(const kb_basis *basis, const kb_blocks *blocks, size_t j, size_t first,
                         size_t count, kb_matrix y, struct projection *p)
{
    size_t t = blocks->width, r = basis->rank;
    const float *mean = basis->mean + j * t, *block = p->block + first * t;
    const kb_block_entry *entries = blocks->entries + blocks->start[j] + first;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, KB_PRODUCT_ROWS, (blasint)r, (blasint)t,
                1, block, (blasint)t, basis->vectors + j * t * r, (blasint)r, 0, p->product,
                (blasint)r);
    for (size_t a = 0; a < count; a++) {
        float *target = kb_matrix_row(y, entries[a].row);
        for (size_t i = 0; i < r; i++)
            target[i] += p->product[a * r + i];
        for (size_t i = 0; i < t; i++) {
            double x = (double)block[a * t + i];
            p->norm2[entries[a].row] += x * (x - 2 * (double)mean[i]);
        }
    }
}

static void project_object(const kb_basis *basis, const kb_blocks *blocks, size_t j, kb_matrix y,
                           struct projection *p)
{
    size_t rows = kb_blocks_rows(blocks, j), t = blocks->width;
    size_t padded = (rows + KB_PRODUCT_ROWS - 1) / KB_PRODUCT_ROWS * KB_PRODUCT_ROWS;
    kb_blocks_fill(blocks, j, p->block);
    if (padded > rows)
        memset(p->block + rows * t, 0, (padded - rows) * t * sizeof *p->block);
    for (size_t first = 0; first < rows; first += KB_PRODUCT_ROWS) {
        size_t count = rows - first < KB_PRODUCT_ROWS ? rows - first : KB_PRODUCT_ROWS;
        project_rows(basis, blocks, j, first, count, y, p);
    }
}

/* y = (y - mean V) / s; residual^2 = |x - mean|^2 / s^2 - |y|^2. */
static void finish_row(const kb_basis *basis, float *y, double norm2, float *residual)
{
    double inside = 0;
    for (size_t i = 0; i < basis->rank; i++) {
        double value = ((double)y[i] - basis->offset[i]) / basis->scale;
        inside += value * value;
        y[i] = (float)value;
    }
    double outside = (norm2 + basis->mean_norm2) / (basis->scale * basis->scale) - inside;
    if (residual)
        *residual = (float)sqrt(outside > 0 ? outside : 0);
}

kb_status kb_basis_project(const kb_basis *basis, const kb_blocks *blocks, kb_matrix y,
                           float *residual, const kb_progress *progress, kb_error *err)
{
    struct projection p = {0};
    size_t floats;
    if (kb_size_mul(KB_PRODUCT_ROWS, basis->rank, &floats))
        p.product = kb_alloc_aligned(floats, sizeof *p.product);
    if (kb_size_mul(blocks->widest + KB_PRODUCT_ROWS, blocks->width, &floats))
        p.block = kb_alloc_aligned(floats, sizeof *p.block);
    p.norm2 = kb_calloc(blocks->count, sizeof *p.norm2);
    kb_status status = KB_OK;
    if (!p.block || !p.product || !p.norm2)
        status = kb_fail_memory(err, "a projection");
    for (size_t i = 0; !status && i < blocks->count; i++)
        memset(kb_matrix_row(y, i), 0, basis->rank * sizeof(float));
    for (size_t j = 0; !status && j < blocks->objects; j++) {
        if (kb_cancelled(progress))
            status = kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        else
            project_object(basis, blocks, j, y, &p);
    }
    for (size_t i = 0; !status && i < blocks->count; i++)
        finish_row(basis, kb_matrix_row(y, i), p.norm2[i], residual ? residual + i : NULL);
    free(p.block);
    free(p.product);
    free(p.norm2);
    return status;
}

void kb_basis_standardise(const kb_basis *basis, float *x)
{
    for (size_t d = 0; d < basis->dims; d++)
        x[d] = (float)(((double)x[d] - (double)basis->mean[d]) / basis->scale);
}

kb_status kb_basis_finish(kb_basis *basis, kb_error *err)
{
    basis->mean_norm2 = 0;
    for (size_t d = 0; d < basis->dims; d++)
        basis->mean_norm2 += (double)basis->mean[d] * (double)basis->mean[d];
    free(basis->offset);
    basis->offset = kb_calloc(basis->rank, sizeof *basis->offset);
    if (!basis->offset)
        return kb_fail_memory(err, "the basis");
    for (size_t d = 0; d < basis->dims; d++) {
        double mean = (double)basis->mean[d];
        if (mean == 0)
            continue;
        const float *row = basis->vectors + d * basis->rank;
        for (size_t i = 0; i < basis->rank; i++)
            basis->offset[i] += mean * (double)row[i];
    }
    return KB_OK;
}

void kb_basis_clear(kb_basis *basis)
{
    free(basis->mean);
    free(basis->vectors);
    free(basis->offset);
    *basis = (kb_basis){0};
}
