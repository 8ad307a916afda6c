/* outliers: how far points lie from the nearest of a set of others, and how lonely that makes them.
 *
 * The ratio is that of Breunig, Kriegel, Ng and Sander, "LOF: identifying density-based local
 * outliers", SIGMOD 2000, with plain distances instead of reachability distances: mean distance to
 * the k nearest over what that distance is for those k themselves. Legend: n rows asked about, R
 * points. */
#ifndef KB_OUTLIERS_H
#define KB_OUTLIERS_H

#include <stdbool.h>

#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

/* DISTANCE (n): mean Euclidean distance of each row of X to its K nearest rows of POINTS (fewer
 * where there are fewer; 0 where there are none). RATIO (n; NULL: not wanted): DISTANCE over the
 * mean of SPACING (R, their own such distances) of those rows; 1 where that is 0. ITSELF: X is
 * POINTS, and no row is its own neighbour. What kb_neighbours_find asks of the values goes here,
 * too. The same for any number of threads. K >= 1. */
kb_status kb_outliers_of(double *distance, double *ratio, kb_const_matrix x, kb_const_matrix points,
                         const float *spacing, size_t k, bool itself, kb_pool *pool,
                         const kb_progress *progress, kb_error *err);

#endif
