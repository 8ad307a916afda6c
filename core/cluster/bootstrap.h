/* bootstrap: does a clustering come back when the points are drawn anew?
 *
 * Each of B rounds draws n of the n points with replacement, clusters them by K-means (one
 * K-means++ start, so that nothing of the clustering in question helps) and gives every point to
 * the nearest of those centroids. Told is the mean adjusted Rand index with the clustering in
 * question: 1 where it always comes back, about 0 where chance alone rules. Bootstrap resampling of
 * a clustering, the fixed points compared in whole: Hennig 2007, Cluster-wise assessment of cluster
 * stability; Fang and Wang 2012, Selection of the number of clusters via the bootstrap method.
 *
 * It shows whether K is too large for what the points say, and seldom whether it is too small: a
 * few broad groups come back as well. */
#ifndef KB_BOOTSTRAP_H
#define KB_BOOTSTRAP_H

#include <stdint.h>

#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

/* *OUT = stability of LABELS (N, 0..K-1) of X (N x d, finite, N >= K >= 2) over ROUNDS >= 1. The
 * same for any number of threads; no progress of its own, cancelled between iterations. */
kb_status kb_bootstrap_stability(double *out, kb_const_matrix x, const uint32_t *labels, size_t k,
                                 size_t rounds, uint64_t seed, kb_pool *pool,
                                 const kb_progress *progress, kb_error *err);

#endif
