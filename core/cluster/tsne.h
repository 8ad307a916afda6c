/* tsne: exact t-distributed stochastic neighbour embedding to two dimensions.
 *
 * van der Maaten and Hinton, JMLR 2008; start and learning rate after Belkina et al. 2019 and Kobak and Berens 2019: first two
 * principal components scaled to sigma 1e-4, exaggeration 4 (12 above 10,000 points) for 250 iterations, learning rate
 * max(N / exaggeration, 50), momentum .5 then .8, gains as in the reference implementation. O(N^2) a step. */
#ifndef KB_TSNE_H
#define KB_TSNE_H

#include <stdint.h>

#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

typedef struct kb_tsne_options {
    double perplexity;   /* 0: min(30, (N - 1) / 3) */
    size_t iterations;   /* all of them, exaggeration included. Default 750 */
    size_t exaggeration_iterations; /* default 250 */
    double exaggeration; /* 0: as above */
    double learning_rate; /* 0: as above */
    uint64_t seed;       /* only breaks ties of identical points */
    /* Called every REPORT_EVERY iterations on the working thread with the N x 2 layout so far (NULL: not wanted). */
    void (*snapshot)(void *ctx, const float *layout, size_t iteration);
    void *ctx;
    size_t report_every;
} kb_tsne_options;

kb_tsne_options kb_tsne_defaults(void);

/* X: N x d, N >= 1 (1..3 points get a trivial layout). LAYOUT: N x 2 floats, centred at 0. *KL: the final KL divergence (NULL: not
 * wanted). Reports phase "t-SNE". The same for any number of threads. */
kb_status kb_tsne(float *layout, double *kl, kb_const_matrix x, const kb_tsne_options *options,
                  kb_pool *pool, const kb_progress *progress, kb_error *err);

/* The affinities, for tests: P (N x N, symmetric, sums to 1) of squared distances D2 (N x N) at PERPLEXITY. */
kb_status kb_tsne_affinities(float *p, const float *d2, size_t n, double perplexity, kb_error *err);

/* The gradient at LAYOUT (N x 2) for P, and the KL divergence, for tests: dC/dy_i = 4 sum_j (p_ij - q_ij) w_ij (y_i - y_j),
 * w_ij = 1 / (1 + |y_i - y_j|^2). */
double kb_tsne_gradient(float *gradient, const float *layout, const float *p, size_t n, kb_pool *pool);

#endif
