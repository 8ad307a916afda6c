/* representatives: which points of a set to look at first.
 *
 * MEDOID: the point with the least mean distance to the others, a real member that stands for all.
 * TYPICAL: those nearest to the mean of the set. EXTREME: those farthest from it, where a set frays
 * or holds what does not belong. In sets of more than 2048 points the medoid is looked for among
 * the 2048 that are nearest to the mean. Any thread. */
#ifndef KB_REPRESENTATIVES_H
#define KB_REPRESENTATIVES_H

#include "matrix.h"
#include "progress.h"
#include "status.h"

typedef enum kb_representative_kind {
    KB_REPRESENTATIVE_MEDOID,
    KB_REPRESENTATIVE_TYPICAL,
    KB_REPRESENTATIVE_EXTREME
} kb_representative_kind;

const char *kb_representative_name(kb_representative_kind kind); /* "medoid", ... */

typedef struct kb_representative {
    kb_representative_kind kind;
    size_t rank;     /* from 1, in its kind */
    size_t row;      /* of the matrix */
    double distance; /* MEDOID: mean distance to the others; otherwise: from the mean */
} kb_representative;

typedef struct kb_representatives {
    kb_representative *items; /* the medoid, then typical ones, then extreme ones */
    size_t count;
} kb_representatives;

/* Of the points in ROWS (COUNT rows of Z, rising), the medoid and EACH (or COUNT, if less) of the
 * others; equal distances by row. An empty set has none. *OUT owns its items until
 * kb_representatives_clear. */
kb_status kb_representatives_of(kb_representatives *out, kb_const_matrix z, const size_t *rows,
                                size_t count, size_t each, const kb_progress *progress,
                                kb_error *err);
void kb_representatives_clear(kb_representatives *representatives);

#endif
