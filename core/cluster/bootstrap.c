#include "bootstrap.h"

#include <stdlib.h>
#include <string.h>

#include "kmeans.h"
#include "memory.h"
#include "rng.h"
#include "scores.h"

struct bootstrap {
    kb_matrix drawn;  /* N x d */
    uint32_t *labels; /* N: all points by the centroids of those drawn */
};

static void draw(struct bootstrap *b, kb_const_matrix x, uint64_t seed, size_t round)
{
    kb_rng rng = kb_rng_start(seed, KB_STREAM_BOOTSTRAP + 100 * round);
    for (size_t i = 0; i < x.rows; i++)
        memcpy(kb_matrix_row(b->drawn, i),
               kb_const_matrix_row(x, (size_t)kb_rng_below(&rng, x.rows)), x.cols * sizeof *x.data);
}

/* Adds the round's adjusted Rand index to *SUM. */
static kb_status one_round(double *sum, struct bootstrap *b, kb_const_matrix x,
                           const uint32_t *labels, size_t k, uint64_t seed, size_t round,
                           kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    kb_kmeans_options options = kb_kmeans_defaults(k);
    options.restarts = 1;
    options.seed = seed + round;
    kb_kmeans km;
    kb_agreement agreement;
    draw(b, x, seed, round);
    kb_status status = kb_kmeans_fit(&km, kb_matrix_const(b->drawn), &options, pool, progress, err);
    if (status)
        return status;
    kb_nearest(x, kb_const_matrix_of(km.centroids, km.clusters, km.dims), b->labels, NULL);
    kb_kmeans_clear(&km);
    status = kb_agreement_of(&agreement, labels, b->labels, x.rows, err);
    if (!status)
        *sum += agreement.ari;
    return status;
}

kb_status kb_bootstrap_stability(double *out, kb_const_matrix x, const uint32_t *labels, size_t k,
                                 size_t rounds, uint64_t seed, kb_pool *pool,
                                 const kb_progress *progress, kb_error *err)
{
    size_t cells;
    float *data =
        kb_size_mul(x.rows, x.cols, &cells) ? kb_alloc_aligned(cells, sizeof *data) : NULL;
    struct bootstrap b = {kb_matrix_of(data, x.rows, x.cols), kb_calloc(x.rows, sizeof *b.labels)};
    kb_status status = data && b.labels ? KB_OK : kb_fail_memory(err, "bootstrap samples");
    double sum = 0;
    for (size_t round = 0; !status && round < rounds; round++) {
        status = one_round(&sum, &b, x, labels, k, seed, round, pool, progress, err);
    }
    *out = sum / (double)rounds;
    free(data);
    free(b.labels);
    return status;
}
