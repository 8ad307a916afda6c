/* range_finder: a basis (basis.h) for more sessions than an N x N eigensolver can bear.
 *
 * Randomised subspace iteration (Halko, Martinsson, Tropp, SIAM Review 53, 2011): a random block of
 * l columns goes through the Gram matrix G = Xc Xc' three times and is made orthonormal after each,
 * Q (N x l); the eigenvectors W of Q' G Q (Rayleigh and Ritz) give the values and, with U = Q W,
 * the weights U / S and the coordinates G U / S. G is never formed: G Q is a sum over objects of
 * two thin products. Memory is 2 N l + 2 N r + D r floats, and time grows with l times the
 * readings.
 *
 * The energy that a rank keeps is known exactly, since the trace of G is N; the rank may be a
 * little larger than the least, as the last vectors have not converged. */
#ifndef KB_RANGE_FINDER_H
#define KB_RANGE_FINDER_H

#include "basis.h"

/* From here on kb_train prefers it to the exact factorisation. */
enum { KB_BASIS_EXACT_SESSIONS = 8000 };

typedef struct kb_range_options {
    double energy; /* (0, 1] */
    size_t first;  /* l at first; at least doubled until the energy is kept */
    size_t most;   /* the cap on the rank; l is up to an eighth more */
    uint64_t seed;
} kb_range_options;

/* energy .99, first 1,024, most 4,096, seed 1 */
kb_range_options kb_range_defaults(void);

/* Like kb_basis_fit. When even MOST columns do not keep the energy, basis->energy says what they
 * keep. Cancellable but inside LAPACK (orthonormal columns, and the eigenvalues of an l x l
 * matrix). */
kb_status kb_basis_fit_randomised(kb_basis *basis, float **coordinates, const kb_blocks *blocks,
                                  const kb_range_options *options, kb_pool *pool,
                                  const kb_progress *progress, kb_error *err);

#endif
