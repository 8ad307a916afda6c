/* quality: internal indices of a clustering, defined as in scikit-learn.
 *
 * Silhouette: Rousseeuw 1987 (0 for a member of a cluster of one). Davies-Bouldin 1979 (Euclidean,
 * mean distance to the centroid). Calinski-Harabasz 1974. All need 2 <= used clusters <= N - 1;
 * otherwise they are NAN. Labels without members are ignored.
 * X: N x d, finite; LABELS: N values in 0..CLUSTERS-1. The same for any number of threads. */
#ifndef KB_QUALITY_H
#define KB_QUALITY_H

#include <stdint.h>

#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

/* O(N^2 d). NAN too when cancelled, or when there is no memory. Reports phase "silhouette". */
double kb_silhouette(kb_const_matrix x, const uint32_t *labels, size_t clusters, kb_pool *pool,
                     const kb_progress *progress);

/* The silhouettes of COUNT labellings of the same points for little more than the price of one:
 * distances are computed once. LABELS[c] and CLUSTERS[c] as above; OUT: COUNT. */
kb_status kb_silhouettes(double *out, kb_const_matrix x, const uint32_t *const *labels,
                         const size_t *clusters, size_t count, kb_pool *pool,
                         const kb_progress *progress, kb_error *err);

/* What the clusters' means say. */
typedef struct kb_mean_indices {
    double davies_bouldin, calinski_harabasz;
} kb_mean_indices;

/* Fails for want of memory alone. */
kb_status kb_mean_indices_of(kb_mean_indices *out, kb_const_matrix x, const uint32_t *labels,
                             size_t clusters, kb_error *err);

#endif
