/* dec: deep embedded clustering (Xie, Girshick, Farhadi, ICML 2016) on a trained encoder.
 *
 * K centroids start by K-means++ on the embeddings Z of all training sessions, the best of several
 * starts. Each epoch: Q = Student-t soft assignment of all sessions, P = its sharpened, size-evened
 * target; each step: the gradient of KL(P || Q) goes into the encoder AND the centroids. Squared
 * distances are divided by a quarter of the mean squared distance to the nearest centroid at the
 * start: with raw large ones q would be 1/K everywhere.
 *
 * During the first three quarters of the epochs, centroids that have met are merged and those
 * without sessions get half of the widest cluster (centroids.h); later ones could not settle any
 * more. At the end both are left out, so fewer than K may come back. */
#ifndef KB_DEC_H
#define KB_DEC_H

#include "centroids.h"
#include "network.h"
#include "progress.h"
#include "source.h"

typedef struct kb_dec_options {
    size_t clusters; /* K, 2 <= K <= N */
    size_t epochs;   /* at most */
    size_t batch;
    size_t restarts; /* K-means++ starts; 0: 10 */
    /* Stop once the share of sessions that changed their nearest centroid in the last 20 updates or
     * more is below TOLERANCE (0: never), but not within the first LEAST_UPDATES. */
    double tolerance;
    size_t least_updates;
    double learning_rate;
    uint64_t seed;
    kb_const_matrix init; /* K x Z first centroids; data NULL: K-means++ */
    /* After each epoch (number from 1) with the mean KL(P || Q); may be NULL. */
    void (*epoch)(void *ctx, size_t number, double loss);
    /* Asked after each, with how many there were: whether that is enough. May be NULL. */
    bool (*stop)(void *ctx, size_t epochs);
    /* What the user should know of (divergence); may be NULL. */
    void (*note)(void *ctx, const char *text);
    void *ctx;
} kb_dec_options;

typedef struct kb_dec_result {
    size_t clusters;           /* K' <= K */
    float *centroids;          /* K' x Z */
    kb_centroid_trait *traits; /* K' */
    size_t epochs, updates;    /* that were run; updates of an epoch that diverged not counted */
    size_t reseeded, merged;   /* centroids, over all epochs */
    size_t divergences;
    double changed; /* share of sessions that moved at the last look; NAN when there was none */
    bool stopped;   /* by the tolerance */
} kb_dec_result;

/* NET (its max_batch >= options->batch) is trained in place. On divergence it goes back to the last
 * good epoch, or to the state before the first, with a tenth of the learning rate, twice at most;
 * the third time that state is the result. Either is noted. Reports phase "clustering". *OUT owns
 * its arrays until kb_dec_result_clear; on failure it is zeroed. KB_ERR_NUMERIC when the embeddings
 * are not finite before anything was trained. */
kb_status kb_dec_train(kb_dec_result *out, kb_network *net, kb_source *source,
                       const kb_dec_options *options, kb_pool *pool, const kb_progress *progress,
                       kb_error *err);
void kb_dec_result_clear(kb_dec_result *result); /* frees and zeroes; fine on a zeroed struct */

/* Z (source->count x Z) = embeddings of all rows of SOURCE, by batches; what is left when cancelled
 * stays as it was. */
void kb_network_embed_all(kb_network *net, kb_source *source, float *z,
                          const kb_progress *progress);

#endif
