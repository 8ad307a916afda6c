/* neighbours: the K nearest points of each point, exactly, by comparing all with all.
 *
 * Matrix products in float rule out the points that are farther than the K nearest so far by more
 * than the products' error; the few that are left are compared in double. Embeddings have tens to
 * hundreds of dimensions, where trees over the space (vantage points, k-d) end up looking at nearly
 * everything one by one, while a product looks at everything at the processor's full speed. */
#ifndef KB_NEIGHBOURS_H
#define KB_NEIGHBOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

/* Owns its arrays until kb_neighbours_clear. */
typedef struct kb_neighbours {
    size_t n, k;
    uint32_t *index;  /* n x k: rows of the points, nearest first; ties go to the lower number */
    float *distance2; /* n x k: squared distances */
} kb_neighbours;

/* The K nearest of POINTS' M rows to each of X's N rows. SELF: X is POINTS, and no point is its own
 * neighbour. 1 <= K <= M (M - 1 with SELF), M < 2^32, d >= 1; values of order 1 (kb_points_centre),
 * finite. Room for N K pairs, and threads' own that do not grow with N. Does not depend on the
 * number of threads. Reports phase "neighbours", a unit a query. On failure *OUT is zeroed. */
kb_status kb_neighbours_find(kb_neighbours *out, kb_const_matrix x, kb_const_matrix points,
                             size_t k, bool self, kb_pool *pool, const kb_progress *progress,
                             kb_error *err);
void kb_neighbours_clear(kb_neighbours *neighbours);

#endif
