/* emerging: what the sessions that a model calls emerging are among themselves: one new kind of
 * crash, several, a change that all sessions have, or nothing in particular.
 *
 * Groups are made in a space that sees objects no training session had (the latent space does not):
 * all objects of the corpus, in two views, of which the one is taken in which emerging sessions
 * have more in common (kb_excess.shared). presence  sqrt(-log p) where the object is present, p the
 * share of known sessions with it: the squared distance of two sessions is the surprise at what
 * only one of them has levels    log(1 + mean reading) / (deviation among known sessions + a tenth
 * of the median one) What each session has beyond the known ones most like it (excess.h) is
 * projected on the few directions that many have in common, and grouped there by direction
 * (rays.h). Sessions in no group are stragglers. Known are all sessions of the corpus that are not
 * emerging (of more than KB_EMERGING_KNOWN a sample); where they are fewer than KB_EMERGING_FEW,
 * sessions drawn from what the model keeps of its training: each object present by itself with the
 * rate of a group of training sessions, in the presence view only.
 *
 * Clump or shift. S = median distance of two sessions in the latent space: of the group; of known
 * sessions of one cluster, the median over clusters; and of known sessions of different clusters:
 *     density = S_cluster / S_group,   edge = sqrt(S_cluster / S_different)
 * A new kind of crash lies about as close together as a cluster does (the nearest one is no
 * measure: novelties lie next to sessions that nobody can classify, which are far apart); a change
 * that goes through all kinds leaves their sessions about as far apart as clusters are. A group is
 * a clump where its density is at least the edge, halfway between both by ratio, and else a shift.
 * Known
 * sessions are here those of the corpus that the model was not fitted on, which lie as new ones do;
 * all of the corpus where these are fewer than KB_EMERGING_UNFITTED; and where known sessions are
 * few the points of the model's training sample.
 *
 * Legend: E emerging sessions that are grouped, M objects of the corpus. */
#ifndef KB_EMERGING_H
#define KB_EMERGING_H

#include "corpus.h"
#include "model.h"

enum {
    KB_EMERGING_FEW = 20,     /* known sessions */
    KB_EMERGING_KNOWN = 2000, /* that are compared with, at most */
    KB_EMERGING_FITTED = 600, /* emerging sessions that groups are found on, at most */
    KB_EMERGING_UNFITTED = 50,
    KB_EMERGING_SPREAD = 1000, /* sessions that distances are taken of, at most */
    KB_EMERGING_DRAWN = 500    /* sessions drawn from the model where known ones are few */
};

typedef enum kb_emerging_kind {
    KB_EMERGING_CLUMP,
    KB_EMERGING_SHIFT,
    KB_EMERGING_STRAGGLERS
} kb_emerging_kind;

const char *kb_emerging_kind_name(kb_emerging_kind kind); /* "clump", "shift", "stragglers" */

typedef struct kb_emerging_group {
    kb_emerging_kind kind;
    size_t *sessions; /* corpus ids, rising */
    size_t count;
    size_t users;             /* different names; sessions without a user are of none */
    const char *first, *last; /* versions, in their order; "" where none is known */
    double density;           /* NAN for one session */
    uint32_t cluster;         /* whose centroid is nearest to the group's mean */
    double novelty;           /* mean */
    size_t medoid;            /* corpus id: least mean distance to the others, in the directions */
    bool has_medoid;          /* stragglers have none */
} kb_emerging_group;

/* Owns everything but the names until kb_emerging_clear; the corpus outlives it. */
typedef struct kb_emerging {
    kb_emerging_group *groups; /* the largest first, stragglers last */
    size_t count;              /* 0: no session is emerging */
    size_t sessions;           /* E */
    size_t known;              /* sessions of the corpus that are not emerging */
    bool drawn;                /* known sessions are too few: the model's were taken */
    double edge;               /* NAN: known sessions are of one cluster, and all groups clumps */
    const char *view;          /* "presence", "levels" */
    size_t directions;
} kb_emerging;

/* ASSIGNED: one for each session of CORPUS; CHOSEN (NULL: all): the emerging ones to group; those
 * not chosen are left out altogether. KB_ERR_USAGE where known sessions are too few and the model
 * keeps nothing of its training. On failure *OUT is zeroed. */
kb_status kb_emerging_of(kb_emerging *out, const kb_model *model, const kb_corpus *corpus,
                         const kb_assignment *assigned, const bool *chosen, uint64_t seed,
                         kb_pool *pool, const kb_progress *progress, kb_error *err);
void kb_emerging_clear(kb_emerging *emerging); /* frees and zeroes; fine on a zeroed struct */

#endif
