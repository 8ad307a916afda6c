/* kmeans: Lloyd's algorithm from K-means++ starts.
 *
 * Lloyd, "Least squares quantization in PCM", 1982; Arthur and Vassilvitskii, "k-means++", SODA
 * 2007 (greedy variant: of 2 + floor(ln k) candidates the one that lowers the inertia most, as
 * scikit-learn does). Legend: N points, d dimensions, K clusters. */
#ifndef KB_KMEANS_H
#define KB_KMEANS_H

#include <stdint.h>

#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

typedef struct kb_kmeans_options {
    size_t clusters; /* K, 1..N */
    size_t restarts; /* K-means++ starts, the one with least inertia is kept; ignored with INIT. 0:
                        10 */
    size_t max_iterations; /* of one start; 0: 300 */
    double tolerance; /* >= 0: stop when the squared centroid shift is <= tolerance * mean feature
                         variance. Default 1e-4; it stops anyway once no label changes */
    uint64_t seed;
    kb_const_matrix init; /* K x d first centroids, finite; data NULL: K-means++ */
} kb_kmeans_options;

/* 10 restarts, 300 iterations, tolerance 1e-4, seed 1. */
kb_kmeans_options kb_kmeans_defaults(size_t clusters);

typedef struct kb_kmeans {
    size_t clusters, dims;
    float *centroids;  /* K x d */
    uint32_t *labels;  /* N, 0..K-1: the nearest of CENTROIDS as kb_nearest finds it; ties go to the
                          lower number */
    size_t *sizes;     /* K; none is 0 unless the data has fewer than K distinct points */
    double inertia;    /* sum of squared distances to the nearest centroid */
    size_t iterations; /* of the kept run */
} kb_kmeans;

/* X: N x d, finite. Empty clusters are reseeded with the point farthest from its centroid. On
 * success *OUT owns its arrays until kb_kmeans_clear; on failure it is zeroed. The result depends
 * on X, options and nothing else (not on the number of threads, ours or the BLAS library's:
 * products in float only rule out centroids that are farther by more than their error, and what is
 * left is compared in double). Reports phase "clustering", a unit a start. KB_ERR_USAGE: an option
 * out of range; KB_ERR_NUMERIC: X or INIT not finite. */
kb_status kb_kmeans_fit(kb_kmeans *out, kb_const_matrix x, const kb_kmeans_options *options,
                        kb_pool *pool, const kb_progress *progress, kb_error *err);
void kb_kmeans_clear(kb_kmeans *km); /* frees and zeroes; fine on a zeroed struct */

/* LABELS[i] = the nearest row of CENTROIDS (K x d, K >= 1) to X's row i, DISTANCE2[i] its squared
 * Euclidean distance (NULL: not wanted). Compared in double; ties go to the lower number. */
void kb_nearest(kb_const_matrix x, kb_const_matrix centroids, uint32_t *labels, double *distance2);

#endif
