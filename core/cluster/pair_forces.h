/* pair_forces: t-SNE's forces between all pairs of points, exactly: O(N^2) a measurement, each pair
 * looked at once. Sums in float over at most a thousand pairs at a time, then in double. */
#ifndef KB_PAIR_FORCES_H
#define KB_PAIR_FORCES_H

#include "field.h"
#include "pool.h"

typedef struct kb_pair_forces {
    const float *p; /* N x N, symmetric; only what is above the diagonal is read */
    size_t n;
    float *sums;     /* by strip of rows: sums for all points */
    double *weights; /* by strip: sum of w over its pairs */
} kb_pair_forces;

/* P outlives it. False when there is no memory. Freed with kb_pair_forces_free, which is fine on a
 * zeroed one. */
bool kb_pair_forces_make(kb_pair_forces *forces, const float *p, size_t n);
void kb_pair_forces_free(kb_pair_forces *forces);

/* Fills in FIELD's forces and normaliser from its points. The same for any number of threads. */
void kb_pair_forces_measure(kb_pair_forces *forces, kb_field *field, kb_pool *pool);

/* KL(P || Q) = sum p log(p / w) + log Z sum p at the points of FIELD, whose forces are measured.
 * NAN when there is no memory. */
double kb_pair_forces_divergence(const kb_pair_forces *forces, const kb_field *field,
                                 kb_pool *pool);

#endif
