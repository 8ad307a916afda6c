/* emerging_objects: what sets each group of emerging sessions apart from known sessions.
 *
 * Where the corpus has known sessions the group is compared with all of them as any set of sessions
 * is (contrast.h, combined), near-duplicates told as one (fold.h). Where they are too few
 * (kb_emerging.drawn) it is compared with what the model keeps of its training: how many of its
 * sessions had each object, so that objects are ranked by the lower end of the log odds ratio of
 * presence (odds.h). */
#ifndef KB_EMERGING_OBJECTS_H
#define KB_EMERGING_OBJECTS_H

#include "contrast.h"
#include "emerging.h"

typedef struct kb_emerging_object {
    uint32_t object;        /* corpus id */
    double presence, other; /* shares of the group's and of the known sessions with it */
    kb_effect effect;       /* drawn: log odds ratio of presence; otherwise area of the better of
                               growth and level */
    double q; /* by Benjamini and Hochberg over the objects of the group's sessions and
                 the others' */
    kb_gate gate;
    size_t folded; /* objects that do the same and are not told */
} kb_emerging_object;

typedef struct kb_emerging_ranking {
    kb_emerging_object *objects; /* the first first */
    size_t count;
} kb_emerging_ranking;

/* RANKINGS: one for each group of EMERGING, at most TOP (0: all) objects each; ASSIGNED as
 * kb_emerging_of's. On failure those that were made stay for kb_emerging_rankings_clear. Reports
 * phases of traits.h and contrast.h. */
kb_status kb_emerging_rank(kb_emerging_ranking *rankings, const kb_emerging *emerging,
                           const kb_model *model, const kb_corpus *corpus,
                           const kb_assignment *assigned, size_t top, kb_pool *pool,
                           const kb_progress *progress, kb_error *err);
void kb_emerging_rankings_clear(kb_emerging_ranking *rankings, size_t count);

#endif
