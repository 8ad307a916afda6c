/* scaling: what becomes of one object's readings in one session on the way to a model's input.
 *
 * Three ways stand as the documents have them, on the t steps of the window, padded with zeros on
 * the left. The others are views of features that do not depend on a session's length: bins (means
 * over B equal parts of the session) or growth (mean of the last quarter minus that of the first).
 * No view serves every kind of data; view_choice.h picks one. All is in one table, a row a view. */
#ifndef KB_SCALING_H
#define KB_SCALING_H

#include <stdbool.h>
#include <stddef.h>

#include "store.h"

typedef enum kb_scale {
    KB_SCALE_MINMAX, /* (x - min) / (max - min) of the t values, padding included; a constant
                        non-zero series is 1 */
    KB_SCALE_MAX,    /* x / max */
    KB_SCALE_NONE,
    KB_SCALE_BINS_MAX,      /* bins / the largest of them */
    KB_SCALE_BINS_GLOBAL,   /* bins / the object's largest bin in training */
    KB_SCALE_BINS_LOG,      /* log(1 + bin) / its largest in training */
    KB_SCALE_BINS_PRESENCE, /* the share of each bin's steps in which the object is present */
    KB_SCALE_TRAJECTORY,    /* bins, all of the session's together scaled to unit norm */
    KB_SCALE_GROWTH,        /* growth, all of the session's together scaled to unit norm */
    KB_SCALE_GROWTH_ROOT,   /* sign(growth) sqrt |growth|, to unit norm */
    KB_SCALE_GROWTH_SD      /* growth / its deviation in training, to unit norm */
} kb_scale;

/* KB_SCALE_AUTO is no row of the table: training picks one (view_choice.h). */
enum { KB_SCALES = 11, KB_SCALE_AUTO = KB_SCALES, KB_SCALE_DOCUMENTED = 3 };

const char *kb_scale_name(kb_scale scale);            /* "minmax", ...; "auto" */
bool kb_scale_parse(kb_scale *out, const char *text); /* not "auto" */

/* What a view divides each object's values by, fitted on the training sessions. */
typedef enum kb_divisor { KB_DIVISOR_NONE, KB_DIVISOR_MAXIMUM, KB_DIVISOR_DEVIATION } kb_divisor;

bool kb_scale_has_bins(kb_scale scale);
bool kb_scale_is_unit(kb_scale scale); /* each session is scaled to unit norm in the end */
kb_divisor kb_scale_divisor(kb_scale scale);
/* How many values an object has: t, the bins, or 1. */
size_t kb_scale_width(kb_scale scale, size_t timesteps, size_t bins);

/* BLOCK (kb_scale_width floats): the values of SERIES, of a session LENGTH >= 1 steps long, before
 * what they are divided by and the session's norm. */
void kb_scale_series(kb_scale scale, const kb_series *series, size_t length, size_t timesteps,
                     size_t bins, float *block);

#endif
