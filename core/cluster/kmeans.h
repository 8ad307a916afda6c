/* kmeans: Lloyd's algorithm from K-means++ starts.
 *
 * Lloyd, "Least squares quantization in PCM", 1982; Arthur and Vassilvitskii, "k-means++", SODA 2007 (greedy variant: of
 * 2 + floor(ln k) candidates the one that lowers the inertia most, as scikit-learn does). */
#ifndef KB_KMEANS_H
#define KB_KMEANS_H

#include <stdint.h>

#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

typedef struct kb_kmeans_options {
    size_t clusters;       /* K, 1..N */
    size_t restarts;       /* K-means++ starts, the one with least inertia is kept; ignored with INIT. Default 10 */
    size_t max_iterations; /* default 300 */
    double tolerance;      /* stop when the squared centroid shift is <= tolerance * mean feature variance. Default 1e-4 */
    uint64_t seed;
    kb_const_matrix init; /* K x d first centroids; data NULL: K-means++ */
} kb_kmeans_options;

kb_kmeans_options kb_kmeans_defaults(size_t clusters);

typedef struct kb_kmeans {
    size_t clusters, dims;
    float *centroids;  /* K x d */
    uint32_t *labels;  /* N, 0..K-1; ties go to the lower number */
    size_t *sizes;     /* K; none is 0 unless the data has fewer than K distinct points */
    double inertia;    /* sum of squared distances to the nearest centroid */
    size_t iterations; /* of the kept run */
} kb_kmeans;

/* X: N x d. Empty clusters are reseeded with the point farthest from its centroid. On success *OUT owns its arrays until
 * kb_kmeans_clear. The result depends on X, options and nothing else (not on the number of threads). */
kb_status kb_kmeans_fit(kb_kmeans *out, kb_const_matrix x, const kb_kmeans_options *options,
                        kb_pool *pool, const kb_progress *progress, kb_error *err);
void kb_kmeans_clear(kb_kmeans *km); /* frees and zeroes; fine on a zeroed struct */

/* LABELS[i] = the nearest row of CENTROIDS (K x d) to X's row i, DISTANCE2[i] its squared Euclidean distance (NULL: not
 * wanted). */
void kb_nearest(kb_const_matrix x, kb_const_matrix centroids, uint32_t *labels, double *distance2);

#endif
