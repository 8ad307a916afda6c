/* quadtree: points in a plane, and sums over all of them as seen from anywhere in it, with those
 * that are far away taken together (Barnes and Hut, Nature 324, 1986; for t-SNE van der Maaten,
 * JMLR 2014).
 *
 * A cell of the tree is taken as one point at its centre of mass when its extent, the longer side
 * of the box about its points, is less than THETA times its distance from whoever looks. Cells are
 * found by sorting the points along the Z curve (Morton order), 2^20 places a side. */
#ifndef KB_QUADTREE_H
#define KB_QUADTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Points that lie together, those of ORDER from FIRST on: they share what they look at. */
typedef struct kb_quadtree_group {
    uint32_t first, count; /* 1..KB_QUADTREE_GROUP */
} kb_quadtree_group;

enum { KB_QUADTREE_GROUP = 64, KB_QUADTREE_MOST = 1 << 24 };

typedef struct kb_quadtree {
    size_t n;
    uint32_t *order;           /* n: the points along the curve */
    float *x, *y;              /* n: their places, in that order */
    kb_quadtree_group *groups; /* all of the points */
    size_t group_count;
    struct kb_quadtree_cell *cells; /* depth first */
    size_t cell_count;
    uint64_t *keys, *spare; /* n: scratch for sorting */
} kb_quadtree;

/* Room for N points, 1 <= N <= KB_QUADTREE_MOST. False when there is no memory. Freed with
 * kb_quadtree_free, which is fine on a zeroed one. */
bool kb_quadtree_make(kb_quadtree *tree, size_t n);
void kb_quadtree_free(kb_quadtree *tree);

/* The tree of N points at (X[i], Y[i]), finite. */
void kb_quadtree_build(kb_quadtree *tree, const float *x, const float *y);

/* What is looked at: points and cells, the latter with the number of their points. */
typedef struct kb_quadtree_view {
    float *x, *y, *mass;
    size_t count;
} kb_quadtree_view;

/* Room for any view of TREE. */
bool kb_quadtree_view_make(kb_quadtree_view *view, const kb_quadtree *tree);
void kb_quadtree_view_free(kb_quadtree_view *view);

/* VIEW becomes what those in the box LOW .. HIGH look at; THETA >= 0, 0: every point by itself. */
void kb_quadtree_look(kb_quadtree_view *view, const kb_quadtree *tree, const float low[2],
                      const float high[2], double theta);
/* The box of the group's points. */
void kb_quadtree_box(const kb_quadtree *tree, kb_quadtree_group group, float low[2], float high[2]);

/* Sums over what VIEW shows, as seen from (X, Y): SUMS = sum w, sum w^2 (x - x_j), sum w^2 (y -
 * y_j), each term times its mass, with w = 1 / (1 + |.|^2). A point that looks at itself adds 1, 0
 * and 0. */
void kb_quadtree_sum(double sums[3], const kb_quadtree_view *view, float x, float y);

#endif
