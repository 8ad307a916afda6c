/* mutation: which objects a model's clusters hang on, by changing one object of one session at a
 * time and looking whether the session leaves its cluster.
 *
 * An object that is present is set to zero; one that is absent gets its mean scaled curve, the mean
 * of its values over the sessions that have it, after scaling (before it, any constant would scale
 * to the same). Where a view scales each session to unit norm, the changed session is scaled to it
 * anew. Legend: N sessions, D inputs, w values an object, r rank of the basis (D without one), H
 * hidden units, k clusters.
 *
 * Nothing is embedded anew. Only the object's w rows of the first layer change its pre-activation,
 *
 *     a' = a0 + g (P +- x_j U_j),  U_j = V_j W1 / s  (w x H),  P = x V W1 / s,
 *
 * with a0 the pre-activation of x = 0 and g the new scale to unit norm, 1 for other views; and of
 * the latent space only the nearest centroid is asked for, argmax h (Wm C') + bm C' - |C|^2 / 2 (H
 * x k instead of H x Z). So M objects in N sessions cost M w r H + N M H (k + 1) steps. */
#ifndef KB_MUTATION_H
#define KB_MUTATION_H

#include "model.h"

typedef struct kb_mutation {
    uint32_t object; /* corpus id */
    /* Sessions of the group that have it, and how many of them leave their cluster without it;
     * those that lack it, and how many leave with its mean curve. */
    uint32_t zeroed, zeroed_flips, injected, injected_flips;
} kb_mutation;

typedef struct kb_mutations {
    size_t groups, objects; /* the model's objects that the corpus knows */
    kb_mutation *rows;      /* groups x objects, by rising object */
} kb_mutations;

enum { KB_NO_GROUP = UINT32_MAX };

/* SESSIONS (COUNT ids, all with rows): over those the mean curves are. GROUP[i] < GROUPS: where
 * SESSIONS[i] is mutated and counted; KB_NO_GROUP: it is not. Reports phase "mutating objects".
 * KB_ERR_USAGE when MODEL has no clusters. One thread calls it, POOL works; MODEL and CORPUS are
 * only read. *OUT owns its rows until kb_mutations_clear. */
kb_status kb_mutations_of(kb_mutations *out, const kb_model *model, const kb_corpus *corpus,
                          const size_t *sessions, const uint32_t *group, size_t count,
                          size_t groups, kb_pool *pool, const kb_progress *progress, kb_error *err);
void kb_mutations_clear(kb_mutations *mutations); /* fine on a zeroed struct */

/* ORDER (mutations->objects) becomes the places of the objects of GROUP: the share of its sessions
 * that leave falling, then the share that leave when it is zeroed, then object id. */
void kb_mutations_order(const kb_mutations *mutations, size_t group, size_t *order);

/* The share of a group's sessions that leave their cluster, with Wilson's 95% interval. */
typedef struct kb_share {
    double value, low, high; /* NAN of none */
} kb_share;

kb_share kb_share_of(size_t part, size_t whole);

#endif
