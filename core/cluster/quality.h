/* quality: internal indices of a clustering, defined as in scikit-learn.
 *
 * Silhouette: Rousseeuw 1987 (0 for a member of a cluster of one). Davies-Bouldin 1979 (Euclidean, mean distance to the
 * centroid). Calinski-Harabasz 1974. All need 2 <= used clusters <= N - 1; otherwise they are NAN. Labels without
 * members are ignored. X: N x d; LABELS: N values in 0..K-1. */
#ifndef KB_QUALITY_H
#define KB_QUALITY_H

#include <stdint.h>

#include "matrix.h"
#include "pool.h"
#include "progress.h"

/* O(N^2 d). NAN too when cancelled. */
double kb_silhouette(kb_const_matrix x, const uint32_t *labels, size_t clusters, kb_pool *pool,
                     const kb_progress *progress);
double kb_davies_bouldin(kb_const_matrix x, const uint32_t *labels, size_t clusters);
double kb_calinski_harabasz(kb_const_matrix x, const uint32_t *labels, size_t clusters);

#endif
