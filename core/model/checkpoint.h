/* checkpoint: a file that an interrupted training goes on from, to the same result.
 *
 * It holds where the training stands, the network's parameters with Adam's moments, the best
 * parameters so far, and a key: "name=value" lines that say what training it is of. Orders and
 * noise are pure functions of seed, epoch and step, so nothing else is needed. It is a container
 * (container.h), written whole or not at all. */
#ifndef KB_CHECKPOINT_H
#define KB_CHECKPOINT_H

#include "network.h"
#include "status.h"

typedef struct kb_training_state {
    size_t epoch;    /* from 1: the one that is being trained */
    size_t position; /* rows of it that were; all of them before it is validated */
    bool finished;   /* nothing is left to train */
    int retries;     /* how often training may still diverge */
    double learning_rate;
    kb_loss loss; /* sums over the rows of this epoch */
    size_t best_epoch, epochs_run;
    double best_loss;
} kb_training_state;

/* BEST: layout.parameters floats. LASTING: as in container.h. */
kb_status kb_checkpoint_write(const char *path, const char *key, const kb_training_state *state,
                              const kb_network *net, const float *best, bool lasting,
                              kb_error *err);

/* NET and BEST (of the layout that KEY speaks of) and *STATE become what they were. KB_ERR_FORMAT
 * when the file is damaged or none of ours, KB_ERR_USAGE with the line that differs when it is of
 * another training; then they are undefined. */
kb_status kb_checkpoint_read(const char *path, const char *key, kb_training_state *state,
                             kb_network *net, float *best, kb_error *err);

/* Whether there is a file at PATH; KB_ERR_FORMAT when it is no checkpoint. */
kb_status kb_checkpoint_look(const char *path, bool *exists, kb_error *err);

#endif
