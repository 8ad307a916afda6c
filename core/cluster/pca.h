/* pca: the two leading principal components, by subspace iteration (a block power method with
 * Rayleigh-Ritz, Halko et al. 2011). Made for starting a layout: memory and time grow with N d, and
 * neither N x N nor d x d matrices are formed. */
#ifndef KB_PCA_H
#define KB_PCA_H

#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

/* X: N x d, columns centred, values of order 1 (kb_points_centre). SCORES: N x 2, the projections
 * on the first two components; a component that does not exist (d = 1, points on a line) gives
 * zeros. Each component's loading of greatest magnitude is positive. The same for any number of
 * threads. */
kb_status kb_pca2(double *scores, kb_const_matrix x, kb_pool *pool, const kb_progress *progress,
                  kb_error *err);

#endif
