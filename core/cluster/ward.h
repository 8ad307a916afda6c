/* ward: agglomerates weighted centroids by Ward's criterion (Ward 1963): the pair whose merging
 * raises the within-cluster sum of squares least, d(a,b) = w_a w_b / (w_a + w_b) * |c_a - c_b|^2,
 * is merged first; ties take the lower numbers. Meant for tens to hundreds of centroids: O(K^3 +
 * K^2 d) time, K^2 doubles of memory. */
#ifndef KB_WARD_H
#define KB_WARD_H

#include <stdint.h>

#include "matrix.h"
#include "status.h"

/* CENTROIDS: K x d, WEIGHTS: K, >= 0 (sizes; a weight of 0 counts as a millionth of the least
 * positive one). MERGED: GROUPS x d, receives the weighted means, groups numbered by their lowest
 * member; GROUP_OF: K, the group of each input (NULL: not wanted). 1 <= GROUPS <= K, else
 * KB_ERR_USAGE; KB_ERR_NUMERIC when a number is not finite. */
kb_status kb_ward_merge(kb_const_matrix centroids, const double *weights, size_t groups,
                        kb_matrix merged, uint32_t *group_of, kb_error *err);

#endif
