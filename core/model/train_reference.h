/* train_reference: the last step of training, which measures what stays of the training sessions in
 * the model (reference.h). */
#ifndef KB_TRAIN_REFERENCE_H
#define KB_TRAIN_REFERENCE_H

#include "model_private.h"
#include "source.h"

/* MODEL has its weights (which NET gets), basis and `seen`; FITTED are the sessions of SESSIONS,
 * in their order. Groups are K-means of at most 4,000 embeddings, points a sample drawn by the
 * model's seed. Reports phase "keeping a reference". */
kb_status kb_train_reference(kb_model *model, kb_network *net, kb_source *fitted,
                             const kb_store *store, const size_t *sessions, kb_pool *pool,
                             const kb_progress *progress, kb_error *err);

#endif
