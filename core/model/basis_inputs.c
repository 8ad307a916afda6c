#include "basis_inputs.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "lapack.h"
#include "memory.h"

/* PANEL_ROWS: sessions at a time. MOST_INPUTS: dsyevd's workspace, 1 + 6 D + 2 D^2, must fit
 * LAPACK's 32-bit sizes. */
enum { PANEL_ROWS = 512, MOST_INPUTS = 32000 };

struct workspace {
    float *panel;   /* PANEL_ROWS x D: rows of Xc */
    float *product; /* D x D: panel' panel */
    double *sum;    /* D x D: Xc' Xc, later its eigenvectors (row i: the i-th) */
    double *values; /* D eigenvalues, rising */
};

static void workspace_clear(struct workspace *w)
{
    free(w->panel);
    free(w->product);
    free(w->sum);
    free(w->values);
}

static kb_status workspace_create(struct workspace *w, size_t dims, kb_error *err)
{
    *w = (struct workspace){0};
    size_t pairs, floats;
    if (!kb_size_mul(dims, dims, &pairs) || !kb_size_mul(dims, PANEL_ROWS, &floats))
        return kb_fail_memory(err, "the inputs' products");
    w->panel = kb_alloc_aligned(floats, sizeof *w->panel);
    w->product = kb_alloc_aligned(pairs, sizeof *w->product);
    w->sum = kb_calloc(pairs, sizeof *w->sum);
    w->values = kb_calloc(dims, sizeof *w->values);
    return w->panel && w->product && w->sum && w->values
               ? KB_OK
               : kb_fail_memory(err, "the inputs' products");
}

/* Xc' Xc += panel' panel (lower triangle), the sum over panels in double. */
static void add_panel(struct workspace *w, size_t rows, size_t d)
{
    cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, (blasint)d, (blasint)rows, 1, w->panel,
                (blasint)d, 0, w->product, (blasint)d);
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++)
            w->sum[i * d + j] += (double)w->product[i * d + j];
}

static kb_status add_sessions(struct workspace *w, const kb_basis *basis, const kb_blocks *blocks,
                              const kb_progress *progress, kb_error *err)
{
    size_t d = basis->dims, rows = 0;
    for (size_t i = 0; i < blocks->count; i++) {
        float *row = w->panel + rows * d;
        kb_view_row(blocks->view, blocks->sessions[i], row);
        kb_basis_standardise(basis, row);
        if (++rows < PANEL_ROWS && i + 1 < blocks->count)
            continue;
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        add_panel(w, rows, d);
        kb_progress_report(progress, "factorising", i + 1, blocks->count);
        rows = 0;
    }
    return KB_OK;
}

/* V (D x r) = the leading eigenvectors, as columns. */
static kb_status take_vectors(kb_basis *basis, const struct workspace *w, kb_error *err)
{
    size_t d = basis->dims, r = basis->rank, floats;
    if (kb_size_mul(d, r, &floats))
        basis->vectors = kb_alloc_aligned(floats, sizeof *basis->vectors);
    if (!basis->vectors)
        return kb_fail_memory(err, "the basis");
    for (size_t i = 0; i < r; i++) {
        const double *vector = w->sum + (d - 1 - i) * d;
        for (size_t j = 0; j < d; j++)
            basis->vectors[j * r + i] = (float)vector[j];
    }
    return kb_basis_finish(basis, err);
}

/* As in the other factorisations: of each coordinate the entry of largest size is positive. */
static void settle_signs(kb_basis *basis, float *y, size_t n)
{
    size_t r = basis->rank;
    for (size_t i = 0; i < r; i++) {
        float largest = 0;
        for (size_t s = 0; s < n; s++)
            if (fabsf(y[s * r + i]) > fabsf(largest))
                largest = y[s * r + i];
        if (!(largest < 0))
            continue;
        for (size_t s = 0; s < n; s++)
            y[s * r + i] = -y[s * r + i];
        for (size_t j = 0; j < basis->dims; j++)
            basis->vectors[j * r + i] = -basis->vectors[j * r + i];
        basis->offset[i] = -basis->offset[i];
    }
}

/* Y = Xc V. */
static kb_status coordinates_of(kb_basis *basis, float **y, const kb_blocks *blocks,
                                const kb_progress *progress, kb_error *err)
{
    size_t floats;
    if (kb_size_mul(blocks->count, basis->rank, &floats))
        *y = kb_alloc_aligned(floats, sizeof **y);
    if (!*y)
        return kb_fail_memory(err, "the basis");
    kb_status status = kb_basis_project(basis, blocks, kb_matrix_of(*y, blocks->count, basis->rank),
                                        NULL, progress, err);
    if (!status)
        settle_signs(basis, *y, blocks->count);
    return status;
}

static kb_status factorise(kb_basis *basis, struct workspace *w, float **coordinates,
                           const kb_blocks *blocks, double energy, const kb_progress *progress,
                           kb_error *err)
{
    lapack_int d = (lapack_int)basis->dims;
    kb_status status = add_sessions(w, basis, blocks, progress, err);
    if (status)
        return status;
    /* Our lower triangle by rows is LAPACK's upper one, its eigenvector columns are our rows. */
    lapack_int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', d, w->sum, d, w->values);
    if (info != 0)
        return kb_fail_lapack(err, "the eigensolver", "dsyevd", (int)info);
    if (kb_cancelled(progress))
        return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    basis->rank = kb_basis_choose_rank(
        w->values, basis->dims, kb_basis_trace(w->values, basis->dims), energy, &basis->energy);
    if (!basis->rank)
        return kb_fail(err, KB_ERR_NUMERIC, "the fitted sessions have no variance");
    status = take_vectors(basis, w, err);
    return status ? status : coordinates_of(basis, coordinates, blocks, progress, err);
}

kb_status kb_basis_fit_inputs(kb_basis *basis, float **coordinates, const kb_blocks *blocks,
                              double energy, kb_pool *pool, const kb_progress *progress,
                              kb_error *err)
{
    *coordinates = NULL;
    if (blocks->objects * blocks->width > MOST_INPUTS)
        return kb_fail(err, KB_ERR_USAGE, "%zu inputs, their factorisation takes up to %d",
                       blocks->objects * blocks->width, (int)MOST_INPUTS);
    kb_status status = kb_basis_centre(basis, blocks, err);
    if (status)
        return status;
    struct workspace w;
    status = workspace_create(&w, basis->dims, err);
    if (!status) {
        openblas_set_num_threads((int)kb_pool_threads(pool));
        status = factorise(basis, &w, coordinates, blocks, energy, progress, err);
        openblas_set_num_threads(1);
    }
    workspace_clear(&w);
    return kb_basis_end(basis, coordinates, status);
}
