/* autoencoder: the first phase of training. Epochs of Adam with warm-up and cosine decay over the
 * fitted sessions, the loss of the held-out ones after each, and the parameters kept that did best
 * there. Divergence leads back to them; a checkpoint leads on from where it stopped. */
#ifndef KB_AUTOENCODER_H
#define KB_AUTOENCODER_H

#include "network.h"
#include "progress.h"
#include "source.h"

typedef struct kb_autoencoder_epoch {
    size_t number;     /* from 1 */
    kb_loss loss;      /* means over the fitted sessions that it saw */
    double validation; /* mean over the held-out ones, without noise */
} kb_autoencoder_epoch;

typedef struct kb_autoencoder_options {
    size_t batch;           /* up to the network's */
    size_t epochs;          /* at most */
    size_t patience;        /* epochs without a better validation loss before it stops */
    kb_optimiser optimiser; /* its learning rate is the highest */
    double kl_weight;
    uint64_t seed;
    double seconds; /* it may take; INFINITY: as long as it needs. One step is always made */
    /* NULL: none. Where there is one it goes on from it; see checkpoint.h for KEY. */
    const char *checkpoint, *key;
    double checkpoint_every;                                     /* seconds */
    void (*epoch)(void *ctx, const kb_autoencoder_epoch *epoch); /* after each; may be NULL */
    void (*note)(void *ctx, const char *text);                   /* may be NULL */
    void *ctx;
} kb_autoencoder_options;

typedef struct kb_autoencoder_result {
    size_t epochs, best_epoch; /* run, of the best validation loss */
    double best_loss;
} kb_autoencoder_result;

/* NET has its initial parameters, WEIGHTS (layout.parameters floats) are the same; both become the
 * best. Reports phase "training", and "writing" for the checkpoint of a training that is cancelled.
 * Allocates before the first epoch only, but for checkpoints. KB_ERR_NUMERIC when it diverges again
 * and again; KB_ERR_USAGE or _FORMAT for a checkpoint that is not of this training. */
kb_status kb_autoencoder_train(kb_network *net, float *weights, kb_source *fitted,
                               kb_source *held_out, const kb_autoencoder_options *options,
                               kb_autoencoder_result *result, const kb_progress *progress,
                               kb_error *err);

#endif
