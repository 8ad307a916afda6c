/* basis: the row space of the training matrix, in which a network with a linear first and last
 * layer can be trained exactly.
 *
 * Let Xc (N x D) be the centred training inputs divided by s, the root of their total variance (so
 * the mean of |x|^2 is 1). Its Gram matrix G = Xc Xc' (N x N) = U L U' gives Xc = U S V' with S =
 * sqrt(L). The coordinates Y = U S (N x r) are what the network sees, with r the least rank that
 * keeps `energy` of the variance; V (D x r) takes new sessions there: y = ((x - mean) / s) V. What
 * is left of x outside the space, |x - y V'|, tells how unlike the training sessions it is. */
#ifndef KB_BASIS_H
#define KB_BASIS_H

#include "blocks.h"
#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

/* Rows of the products that take new sessions through basis and network, whatever their number;
 * zeros stand for missing ones. A product rounds differently where its shape is another, and some
 * kernels treat the rows of a larger one in unequal groups; what comes of a session may not depend
 * on those that come with it. */
enum { KB_PRODUCT_ROWS = 8 };

typedef struct kb_basis {
    size_t dims, rank; /* D, r; rank 0: the identity (the network sees the D inputs themselves) */
    float *mean;       /* D */
    double scale;      /* s > 0 */
    float *vectors;    /* V: D x r, orthonormal columns; NULL when rank is 0 */
    double mean_norm2; /* |mean|^2 */
    double *offset;    /* r: mean V */
    double energy;     /* share of the variance that V keeps */
    size_t used_dims;  /* inputs that are not zero in every training session */
} kb_basis;

/* Only mean and scale (rank 0). */
kb_status kb_basis_centre(kb_basis *basis, const kb_blocks *blocks, kb_error *err);

/* Fits mean, scale and V on the sessions of BLOCKS (N >= 2), ENERGY in (0, 1]. COORDINATES: Y, N x
 * r, kb_alloc_aligned, the caller frees it. Reports phase "factorising"; cancellable but inside the
 * eigensolver. KB_ERR_NUMERIC when all sessions are alike. */
kb_status kb_basis_fit(kb_basis *basis, float **coordinates, const kb_blocks *blocks, double energy,
                       kb_pool *pool, const kb_progress *progress, kb_error *err);

/* Only the first MOST columns of Y (fewer where ENERGY is reached before), for looking at sessions
 * and not for a model: no V, which is most of the work, and no eigenvectors that nobody asked for.
 * COORDINATES: N x *RANK, kb_alloc_aligned, the caller frees it. Otherwise like kb_basis_fit. */
kb_status kb_basis_components(float **coordinates, size_t *rank, const kb_blocks *blocks,
                              size_t most, double energy, kb_pool *pool,
                              const kb_progress *progress, kb_error *err);

/* What every factorisation ends with. The sum of those of N eigenvalues that are above 0; and the
 * least r whose eigenvalues (VALUES: the N largest, rising) hold ENERGY of TOTAL, never one that is
 * rounding noise, a millionth of the largest. *KEPT: the share that they hold. */
double kb_basis_trace(const double *values, size_t n);
size_t kb_basis_choose_rank(const double *values, size_t n, double total, double energy,
                            double *kept);

/* V = Xc' WEIGHTS (N x rank, columns orthogonal to 1), offset and mean_norm2 from it: how a
 * factorisation of BASIS's own ends, once mean, scale and rank are there. */
kb_status kb_basis_make_vectors(kb_basis *basis, const kb_blocks *blocks, const float *weights,
                                const kb_progress *progress, kb_error *err);

/* The end of a factorisation that came to STATUS, which is returned: after a failure BASIS is
 * cleared and COORDINATES freed and NULL. */
kb_status kb_basis_end(kb_basis *basis, float **coordinates, kb_status status);

/* Y (count x r) = the coordinates of the sessions of BLOCKS, RESIDUAL (count, or NULL) = the norm
 * of what is outside the space, in units of s. Needs rank > 0. */
kb_status kb_basis_project(const kb_basis *basis, const kb_blocks *blocks, kb_matrix y,
                           float *residual, const kb_progress *progress, kb_error *err);

/* X (D floats, a kb_view_row) becomes (x - mean) / s. */
void kb_basis_standardise(const kb_basis *basis, float *x);

/* Recomputes offset and mean_norm2 (after loading). */
kb_status kb_basis_finish(kb_basis *basis, kb_error *err);
void kb_basis_clear(kb_basis *basis);

#endif
