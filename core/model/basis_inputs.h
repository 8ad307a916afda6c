/* basis_inputs: the same basis (basis.h) for a corpus that has fewer inputs than sessions.
 *
 * Xc' Xc (D x D) has the eigenvalues of the Gram matrix Xc Xc' (N x N), and its eigenvectors are V
 * itself. Where D < N it is the smaller of the two: time grows with N D^2 + D^3 instead of N^3, and
 * any number of sessions can be factorised exactly, since they go by in panels. Memory is 3 D^2
 * doubles, and D floats for each row of a panel. */
#ifndef KB_BASIS_INPUTS_H
#define KB_BASIS_INPUTS_H

#include "basis.h"

/* Like kb_basis_fit, and with its result up to rounding. KB_ERR_USAGE when D is over 32,000. */
kb_status kb_basis_fit_inputs(kb_basis *basis, float **coordinates, const kb_blocks *blocks,
                              double energy, kb_pool *pool, const kb_progress *progress,
                              kb_error *err);

#endif
