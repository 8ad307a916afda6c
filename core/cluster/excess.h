/* excess: what new points have beyond the known ones most like them, and the few directions in
 * which many new points have it in common.
 *
 * Every point is compared with the mean of its KB_EXCESS_NEAR nearest known points (no point with
 * itself), so that what known points also do, each in its own way, cancels; the mean difference of
 * the known points is taken off, and what is left is scaled to length 1: a point's excess q.
 *
 * Directions are the leading right singular vectors of the new points' q (not centred: what all of
 * them share counts). The j-th is kept while its singular value exceeds the greatest j-th one of
 * DRAWS samples of as many known points: parallel analysis (Horn 1965) with known points for noise.
 * Legend: K known points, n new ones, d dimensions, r directions. */
#ifndef KB_EXCESS_H
#define KB_EXCESS_H

#include <stdint.h>

#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

enum {
    KB_EXCESS_NEAR = 10,  /* known points that one is compared with, fewer where there are fewer */
    KB_EXCESS_RANK = 16,  /* directions, at most */
    KB_EXCESS_DRAWS = 10, /* samples of known points */
    KB_EXCESS_LEAST = 3   /* known points, at least */
};

/* Owns its arrays until kb_excess_clear. */
typedef struct kb_excess {
    size_t known, dims;
    float *points; /* K x d: the known points, centred and scaled by 2^-exponent */
    double *mean;  /* d */
    int exponent;
    float *usual; /* d: mean difference of known points from those nearest to them */
    float *q;     /* K x d: the known points' excess */
    /* After kb_excess_find. */
    size_t rank;   /* r; 0: new points have nothing in common that known ones have not */
    float *axes;   /* r x d, orthonormal */
    double radius; /* 95% of the known points have coordinates no longer than this */
    double shared; /* mean over the new points of the part of |q|^2 = 1 that the directions have
                      beyond what they have by chance: sum of (s_j^2 - chance_j^2) / n */
} kb_excess;

/* KNOWN: K x d, finite, K >= KB_EXCESS_LEAST, d >= 1 (else KB_ERR_USAGE). On failure *OUT is
 * zeroed. Reports phase "comparing sessions". */
kb_status kb_excess_open(kb_excess *out, kb_const_matrix known, kb_pool *pool,
                         const kb_progress *progress, kb_error *err);
/* Q: n x d receives the excess of X (n x d, finite); a row of zeros where there is none. */
kb_status kb_excess_of(const kb_excess *excess, kb_const_matrix x, kb_matrix q, kb_pool *pool,
                       const kb_progress *progress, kb_error *err);
/* The directions of Q (n x d, n >= 1; takes n^2 memory and n^3 time), samples drawn by SEED. Each
 * direction is turned to where more of Q lies. Reports phase "finding what is shared". */
kb_status kb_excess_find(kb_excess *excess, kb_const_matrix q, uint64_t seed,
                         const kb_progress *progress, kb_error *err);
/* Y: n x r receives the coordinates of Q (n x d) along the directions. */
void kb_excess_place(const kb_excess *excess, kb_const_matrix q, kb_matrix y);
void kb_excess_clear(kb_excess *excess); /* frees and zeroes; fine on a zeroed struct */

#endif
