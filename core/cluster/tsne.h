/* tsne: t-distributed stochastic neighbour embedding to two dimensions.
 *
 * van der Maaten and Hinton, JMLR 2008; start and learning rate after Belkina et al. 2019 and Kobak
 * and Berens 2019: first two principal components scaled so that the first has sigma 1e-4,
 * exaggeration 4 (12 above 10,000 points) for 250 iterations, learning rate max(N / exaggeration /
 * 4, 50) on the gradient as written below (its factor 4 included, hence the division by 4),
 * momentum .5 then .8, gains as in the reference implementation. Legend: N points, d dimensions,
 * p_ij affinities, q_ij = w_ij / sum of w, w_ij = 1 / (1 + |y_i - y_j|^2).
 *
 * Up to 5,000 points it is exact (pair_forces.h): O(N^2) a step, 4 N^2 bytes. Above that only the 3
 * perplexity + 1 nearest neighbours of each point attract it (neighbours.h: exact, O(N^2 d) once),
 * and repulsion goes through a quadtree (tree_forces.h): O(N log N) a step, memory in proportion to
 * N perplexity. Single precision, with all sums over points in double. */
#ifndef KB_TSNE_H
#define KB_TSNE_H

#include <stdint.h>

#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

enum {
    KB_TSNE_MOST_POINTS = 1000000,
    KB_TSNE_MOST_EXACT = 20000 /* 1.6 GB of affinities */
};

typedef struct kb_tsne_options {
    double perplexity; /* the effective number of neighbours, 1..N-1; 0: min(30, (N - 1) / 3) */
    size_t iterations; /* all of them, exaggeration included. Default 750 */
    size_t exaggeration_iterations; /* default 250 */
    double exaggeration;            /* >= 1; 0: as above */
    double learning_rate;           /* > 0; 0: as above */
    size_t exact_most; /* points up to which it is exact, at most KB_TSNE_MOST_EXACT. Default 5000;
                          more, up to that, when the neighbours would be a quarter of all points */
    double theta; /* of the quadtree, >= 0: how coarse it may look. Default .3; the repulsive forces
                     are then off by some .003 of their root mean square */
    uint64_t seed; /* of a jitter, a hundredth of the start's sigma, which lets identical points and
                      points on a line part */
    /* Called every REPORT_EVERY iterations (0: never) on the working thread with the N x 2 layout
     * so far (NULL: not wanted); ITERATION counts those done. The layout is valid during the call
     * only. */
    void (*snapshot)(void *ctx, const float *layout, size_t iteration);
    void *ctx;
    size_t report_every;
} kb_tsne_options;

/* Everything as stated, seed 1, no snapshots. */
kb_tsne_options kb_tsne_defaults(void);

/* X: N x d, finite, 1 <= N <= KB_TSNE_MOST_POINTS, d >= 1. Up to three points have no
 * neighbourhoods to speak of: they get their principal components, scaled to at most 1. LAYOUT: N x
 * 2 floats, centred at 0, finite whatever X is; unspecified on failure. *KL: the final KL
 * divergence, 0 for up to three points (NULL: not wanted). Reports phases "neighbours" (see there)
 * and "t-SNE", a unit an iteration. The same for any number of threads. KB_ERR_USAGE: an option or
 * N out of range, or so high a perplexity for so many points that memory would not do;
 * KB_ERR_NUMERIC: X not finite. */
kb_status kb_tsne(float *layout, double *kl, kb_const_matrix x, const kb_tsne_options *options,
                  kb_pool *pool, const kb_progress *progress, kb_error *err);

/* The affinities, for tests: P (N x N, symmetric, sums to 1) of squared distances D2 (N x N, the
 * diagonal ignored) at PERPLEXITY: each point's conditional p_j|i ~ exp(-beta_i d2_ij) has entropy
 * log PERPLEXITY as nearly as its ties allow; P = (p_j|i + p_i|j) / 2N. P may be D2 itself. N >= 2.
 */
kb_status kb_tsne_affinities(float *p, const float *d2, size_t n, double perplexity, kb_error *err);

/* The gradient (N x 2) at LAYOUT (N x 2) for P, and the KL divergence, for tests: dC/dy_i = 4 sum_j
 * (p_ij - q_ij) w_ij (y_i - y_j), w_ij = 1 / (1 + |y_i - y_j|^2). NAN when there is no memory. */
double kb_tsne_gradient(float *gradient, const float *layout, const float *p, size_t n,
                        kb_pool *pool);

#endif
