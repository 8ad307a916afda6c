/* emerging_view: sessions as rows over all objects of a corpus, in the two views that emerging
 * sessions are compared in (emerging.h says what they are). */
#ifndef KB_EMERGING_VIEW_H
#define KB_EMERGING_VIEW_H

#include "corpus.h"
#include "matrix.h"
#include "model.h"

typedef enum kb_emerging_scale {
    KB_EMERGING_PRESENCE,
    KB_EMERGING_LEVELS,
    KB_EMERGING_SCALES
} kb_emerging_scale;

const char *kb_emerging_scale_name(kb_emerging_scale scale); /* "presence", "levels" */

/* Owns weights until kb_emerging_view_clear; the store outlives it. */
typedef struct kb_emerging_view {
    const kb_store *store;
    kb_emerging_scale scale;
    float *weight; /* by object, > 0: what presence counts, or one unit of level */
} kb_emerging_view;

/* The weights by KNOWN sessions (COUNT ids of STORE, at least one). */
kb_status kb_emerging_view_fit(kb_emerging_view *out, const kb_store *store,
                               kb_emerging_scale scale, const size_t *known, size_t count,
                               kb_error *err);
/* The presence view by MODEL's training reference (which it has), and X (rows x M): sessions drawn
 * from it by SEED. */
kb_status kb_emerging_view_draw(kb_emerging_view *out, const kb_store *store, const kb_model *model,
                                uint64_t seed, kb_matrix x, kb_error *err);
/* X: COUNT x M, the rows of SESSIONS. */
void kb_emerging_view_fill(const kb_emerging_view *view, const size_t *sessions, size_t count,
                           kb_matrix x);
void kb_emerging_view_clear(kb_emerging_view *view); /* fine on a zeroed struct */

/* Share of the training sessions of MODEL's reference with its object NUMBER
 * (kb_reference_numbers), KB_NAME_NONE: one that none had. Never 0 or 1. */
double kb_emerging_base_rate(const kb_model *model, uint32_t number);

#endif
