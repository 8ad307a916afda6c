/* lineage: what a model remembers of its clusters beyond the last calibration: the names that users
 * gave them, what each looks like in terms of objects, and those of earlier calibrations that are
 * gone ("retired"), so that one which comes back is known again.
 *
 * Part of a kb_model; reading is as thread-safe as that. Rows of `centroids` are Z long, rows of
 * profiles P = 2 x the model's objects. */
#ifndef KB_LINEAGE_H
#define KB_LINEAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "number.h"
#include "status.h"

enum {
    KB_CLUSTER_NAME_MAX = 128, /* bytes of a name */
    KB_RETIRED_MAX = 100       /* clusters kept; the one that was seen longest ago goes first */
};

/* A cluster that the last calibration did not find. */
typedef struct kb_retired {
    uint32_t number;
    size_t size;          /* sessions in it when it was seen last */
    uint32_t calibration; /* the last that had it, from 1; 0: before they were counted */
    kb_time until;        /* latest reading of that calibration's sessions; 0 with calibration 0 */
    bool profiled;        /* its profile is known */
    uint32_t back_as;     /* the number under which it came back; 0: it has not */
} kb_retired;

typedef struct kb_cluster_name {
    uint32_t number;
    char *text; /* never empty */
} kb_cluster_name;

typedef struct kb_lineage {
    uint32_t calibrations; /* so far; 0: none, or not known */
    kb_time until;         /* latest reading of the last one's sessions */
    float *profiles;       /* k' x P, rows as the model's clusters; NULL: not known */
    size_t retired_count;
    kb_retired *retired;      /* by rising number */
    float *retired_centroids; /* retired_count x Z */
    float *retired_profiles;  /* retired_count x P; zeros where not profiled */
    size_t name_count;
    kb_cluster_name *names; /* by rising number; of clusters and of retired ones */
} kb_lineage;

void kb_lineage_clear(kb_lineage *lineage);
/* OUT becomes a copy, for K clusters in Z dimensions with profiles of P. KB_ERR_MEMORY: cleared. */
kb_status kb_lineage_copy(kb_lineage *out, const kb_lineage *lineage, size_t k, size_t z, size_t p,
                          kb_error *err);

/* --- names -------------------------------------------------------------------------------- */
/* KB_ERR_USAGE, with what is wrong, unless TEXT is valid UTF-8 of 1..KB_CLUSTER_NAME_MAX bytes,
 * with something to be seen in it, and without control characters or such as turn the direction of
 * writing or break lines. */
kb_status kb_cluster_name_check(const char *text, kb_error *err);
/* The name of NUMBER, "" without one. Good until names change. */
const char *kb_lineage_name(const kb_lineage *lineage, uint32_t number);
/* TEXT becomes the name; empty: it has none any more. As kb_cluster_name_check; KB_ERR_MEMORY. Does
 * not ask whether there is such a cluster. */
kb_status kb_lineage_set_name(kb_lineage *lineage, uint32_t number, const char *text,
                              kb_error *err);

/* --- calibration -------------------------------------------------------------------------- */
/* What a calibration hands over. */
typedef struct kb_lineage_step {
    size_t z, p;
    /* The clusters that were: K of them, with their NUMBERS and SIZES, CENTROIDS (k x z). */
    size_t k;
    const uint32_t *numbers;
    const size_t *sizes;
    const float *centroids;
    /* The clusters that are now: NEW_K, with NEW_NUMBERS and PROFILES (new_k x p). */
    size_t new_k;
    const uint32_t *new_numbers;
    const uint32_t
        *back;       /* new_k: the number of the retired cluster that this is, or 0; NULL: none */
    float *profiles; /* taken over on success */
    kb_time until;   /* latest reading of the sessions */
} kb_lineage_step;

/* OUT becomes LINEAGE after the step: clusters that are no more are retired, those that are back
 * are told so and their names go to the new numbers, names of what is forgotten are dropped.
 * LINEAGE stays as it is. */
kb_status kb_lineage_step_on(kb_lineage *out, const kb_lineage *lineage,
                             const kb_lineage_step *step, kb_error *err);

/* --- as text, for the model file ---------------------------------------------------------- */
/* "NUMBER NAME" a line; the caller frees *TEXT. KB_ERR_MEMORY. */
kb_status kb_lineage_write_names(const kb_lineage *lineage, char **text, size_t *length,
                                 kb_error *err);
/* Reads them back; numbers rise and are below LIMIT. 0, or the line that makes no sense, from 1;
 * SIZE_MAX: no memory. */
size_t kb_lineage_read_names(kb_lineage *lineage, const char *text, uint32_t limit);
/* "NUMBER SIZE CALIBRATION WHOLE ATTO PROFILED BACK_AS" a line, likewise. */
kb_status kb_lineage_write_retired(const kb_lineage *lineage, char **text, size_t *length,
                                   kb_error *err);
size_t kb_lineage_read_retired(kb_lineage *lineage, const char *text, uint32_t limit);

#endif
