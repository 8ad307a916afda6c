/* baselines: what a sceptic would cluster instead of embeddings, and what else there is to see in
 * the corpus.
 *
 * Each is K-means on simple vectors of sessions. PRESENCE and COMPONENTS are the baselines a model
 * has to beat; LEVELS and GROWTH are there to judge by (appraisal.h). Presence, levels and growth
 * are of the raw counts of the 2,048 objects whose presence varies most; components are the first
 * 64 principal components of the model's input. */
#ifndef KB_BASELINES_H
#define KB_BASELINES_H

#include "model.h"

typedef enum kb_baseline {
    KB_BASELINE_PRESENCE,   /* 1 where the object was there at any time, else 0 */
    KB_BASELINE_COMPONENTS, /* of the inputs, after centring */
    KB_BASELINE_LEVELS,     /* log(1 + mean reading) / the largest of the fitted */
    KB_BASELINE_GROWTH      /* last quarter's mean - first quarter's, each object / its deviation,
                               each session / its norm */
} kb_baseline;

enum { KB_BASELINES = 4, KB_BASELINES_TOLD = 2 };

const char *kb_baseline_name(kb_baseline baseline); /* "presence", "components", ... */

typedef struct kb_baselines kb_baselines;

/* Learns scales and components from COUNT (>= 3) SESSIONS of CORPUS. MODEL and CORPUS outlive it.
 */
kb_status kb_baselines_create(kb_baselines **out, const kb_model *model, const kb_corpus *corpus,
                              const size_t *sessions, size_t count, kb_pool *pool,
                              const kb_progress *progress, kb_error *err);
void kb_baselines_free(kb_baselines *baselines); /* NULL is fine */

size_t kb_baselines_cols(const kb_baselines *baselines, kb_baseline baseline);
/* X (COUNT x cols) = the vectors of SESSIONS. */
kb_status kb_baselines_rows(const kb_baselines *baselines, kb_baseline baseline,
                            const size_t *sessions, size_t count, kb_matrix x,
                            const kb_progress *progress, kb_error *err);

#endif
