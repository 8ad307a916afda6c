/* tree_forces: t-SNE's forces on many points: attraction along the entries of a sparse matrix,
 * repulsion through a quadtree. O(N log N) a measurement. */
#ifndef KB_TREE_FORCES_H
#define KB_TREE_FORCES_H

#include "affinity.h"
#include "field.h"
#include "pool.h"
#include "progress.h"
#include "quadtree.h"

typedef struct kb_tree_forces {
    const kb_sparse *p;
    double theta;
    kb_quadtree tree;
    kb_quadtree_view *views; /* by share */
    size_t shares;
    double *weight; /* N: sum_j w_ij, j != i */
} kb_tree_forces;

/* P outlives it; its N is 2..KB_QUADTREE_MOST. THREADS: of the pool that measures, at most. False
 * when there is no memory. Freed with kb_tree_forces_free, which is fine on a zeroed one. */
bool kb_tree_forces_make(kb_tree_forces *forces, const kb_sparse *p, double theta, size_t threads);
void kb_tree_forces_free(kb_tree_forces *forces);

/* Fills in FIELD's forces and normaliser from its points. The same for any number of threads.
 * Nothing of it counts when PROGRESS is cancelled meanwhile. */
void kb_tree_forces_measure(kb_tree_forces *forces, kb_field *field, kb_pool *pool,
                            const kb_progress *progress);

/* KL(P || Q) = sum p log(p / w) + log Z sum p at the points of FIELD, whose forces are measured. Z
 * is the quadtree's; the rest is exact. */
double kb_tree_forces_divergence(const kb_tree_forces *forces, const kb_field *field);

#endif
