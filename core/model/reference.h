/* reference: what of the training sessions stays in a model, for novelty and drift to compare with.
 *
 * Four things: how often each object is present in each of G groups of training sessions (K-means
 * of their embeddings) and how much there is of it, which courses its readings take there, a sample
 * of at most KB_REFERENCE_POINTS of them as points, and how the levels of each object were spread.
 * All of it is bounded by objects and groups, not by sessions. Legend: N fitted sessions, M objects
 * seen in any of them (in the order of the model's `seen`), G groups, R points, Z latent units, P
 * leading coordinates, C = KB_LEVELS
 * + 1 classes. */
#ifndef KB_REFERENCE_H
#define KB_REFERENCE_H

#include "corpus.h"
#include "courses.h"
#include "matrix.h"
#include "names.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

enum {
    KB_REFERENCE_GROUPS = 20,    /* at most */
    KB_REFERENCE_POINTS = 1000,  /* at most */
    KB_REFERENCE_LEADING = 64,   /* coordinates of a point, at most */
    KB_REFERENCE_NEIGHBOURS = 5, /* that a session is compared with */
    KB_LEVELS = 5,               /* classes of level that training sessions fill evenly */
    KB_CLASSES = KB_LEVELS + 1   /* and "absent" */
};

typedef struct kb_reference {
    size_t sessions; /* N; 0: there is none (a model from before it was kept) */
    size_t objects;  /* M */
    size_t groups;   /* G; 1 where sessions are too few to tell any apart */
    size_t points;   /* R */
    size_t latent;   /* Z */
    size_t leading;  /* P */
    float *rates;    /* G x M: share of the group's sessions with the object, drawn towards that of
                        all; in (0, 1) */
    float *scale;    /* M: deviation of the object's level, log(1 + mean reading) or 0 where absent,
                        plus    a tenth of the median one; > 0 */
    float *levels;   /* G x M: the group's mean level, in units of scale */
    float *z;        /* R x Z: embeddings */
    float *y;        /* R x P: leading coordinates in the row space, or, without one, z again */
    float *spacing;  /* R: mean distance from y's row to its nearest others */
    float *edges;    /* M x (KB_LEVELS - 1): upper ends of all levels but the last, rising */
    float *counts;   /* M x C: training sessions without the object, then those in each level */
    kb_courses courses; /* of the same groups and objects */
    /* Made from the above by kb_reference_finish. */
    double *offset; /* G: log likelihood ratio of a session without any object */
    double *gain;   /* M x G: what presence of the object adds to it */
    double *norm2;  /* G: |levels|^2 */
    float *column;  /* M x G: levels, transposed */
} kb_reference;

/* What a reference is fitted on. The points' rows are among the N in any order. */
typedef struct kb_reference_source {
    const kb_store *store;
    const kb_names *seen;   /* M */
    const size_t *sessions; /* N ids of the store */
    const uint32_t *group;  /* N: 0 .. groups-1 */
    size_t count, groups;
} kb_reference_source;

/* Fills in all but the points; they are added before kb_reference_finish. Groups of
 * fewer than 12 sessions, or than a quarter of N / groups where that is less, are left out: what is
 * present in few sessions is little to go by. */
kb_status kb_reference_fit(kb_reference *out, const kb_reference_source *source, kb_error *err);
/* R points; z and y (R rows each) are copied. SPACING is measured. */
kb_status kb_reference_add_points(kb_reference *reference, kb_const_matrix z, kb_const_matrix y,
                                  kb_pool *pool, const kb_progress *progress, kb_error *err);
/* What is made from the rest (after fitting or loading). */
kb_status kb_reference_finish(kb_reference *reference, kb_error *err);
void kb_reference_clear(kb_reference *reference); /* frees and zeroes; fine on a zeroed struct */

/* OF (objects of STORE): the number of each in SEEN, or KB_NAME_NONE. The caller frees it; NULL: no
 * memory. */
uint32_t *kb_reference_numbers(const kb_names *seen, const kb_store *store);

/* A session against the groups. */
typedef struct kb_group_fit {
    double presence, levels, course;
} kb_group_fit;

/* presence: how well the best group explains which objects a session has, against all training
 * sessions together: the signed root of twice the log likelihood ratio, sign(L) sqrt(2 |L|) with
 *   L = max over g of sum over o of log p(x_o | g) / p(x_o),   x_o: present or not
 * which takes objects as independent within a group. Sessions of a known kind have a large one;
 * those that are like none, whether unclassifiable or a new combination of known objects, one near
 * 0. levels: distance from the session's levels (in units of scale) to the nearest group's. course:
 * kb_courses_surprise by the best group. NUMBER
 * as by kb_reference_numbers; SCRATCH: 2 G. All are 0 without groups. */
kb_group_fit kb_reference_fit_of(const kb_reference *reference, const kb_store *store,
                                 size_t session, const uint32_t *number, double *scratch);

/* The level of a series in a session LENGTH steps long: log(1 + mean reading). */
double kb_reference_level(const kb_series *series, size_t length);
/* The class of a level of object O: 1 .. KB_LEVELS (0 is absence). */
size_t kb_reference_class(const kb_reference *reference, size_t o, double level);

#endif
