/* dec: deep embedded clustering (Xie, Girshick, Farhadi, ICML 2016) on a trained encoder.
 *
 * K centroids start by K-means++ on the embeddings Z of all training sessions. Each epoch: Q =
 * Student-t soft assignment of all sessions, P = its sharpened, size-evened target; each step: the
 * gradient of KL(P || Q) goes into the encoder AND the centroids. Squared distances are divided by
 * a quarter of the mean squared distance to the nearest centroid at the start: with raw large ones
 * q would be 1/K everywhere. */
#ifndef KB_DEC_H
#define KB_DEC_H

#include "network.h"
#include "progress.h"
#include "source.h"

typedef struct kb_dec_options {
    size_t clusters; /* K, 2 <= K <= N */
    size_t epochs;
    size_t batch;
    double learning_rate;
    uint64_t seed;
    /* After each epoch (number from 1) with the mean KL(P || Q); may be NULL. */
    void (*epoch)(void *ctx, size_t number, double loss);
    /* Asked after each, with how many there were: whether that is enough. May be NULL. */
    bool (*stop)(void *ctx, size_t epochs);
    void *ctx;
} kb_dec_options;

/* NET (its max_batch >= options->batch) is trained in place. CENTROIDS: K x Z, WEIGHTS: K, the
 * training sessions nearest to each. Reports phase "clustering". KB_ERR_NUMERIC on divergence, with
 * NET in an undefined state. */
kb_status kb_dec_train(kb_network *net, kb_source *source, const kb_dec_options *options,
                       float *centroids, double *weights, kb_pool *pool,
                       const kb_progress *progress, kb_error *err);

/* Z (source->count x Z) = embeddings of all rows of SOURCE, by batches; what is left when cancelled
 * stays as it was. */
void kb_network_embed_all(kb_network *net, kb_source *source, float *z,
                          const kb_progress *progress);

#endif
