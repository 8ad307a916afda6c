/* rays: groups of points that lie in the same direction from the origin, as many as there are, one
 * among them, and the points that lie in none.
 *
 * Points no farther from the origin than RADIUS have no direction. The others are scaled to length
 * 1 and grouped by K-means (spherical K-means: Dhillon and Modha 2001, with centres that are not
 * scaled back) for k = 2, 3, ...; the k with the greatest mean silhouette (Rousseeuw 1987) is taken
 * where that is above .5, "a reasonable structure" (Kaufman and Rousseeuw 1990), and otherwise one
 * group. Groups of fewer than LEAST points are none. At last each point goes to the nearest of the
 * groups' means and the origin. */
#ifndef KB_RAYS_H
#define KB_RAYS_H

#include <stdint.h>

#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

enum {
    KB_RAYS_MAX = 12, /* groups, at most */
    KB_RAYS_LEAST = 5 /* points of a group, at least */
};

/* Owns its array until kb_rays_clear. */
typedef struct kb_rays {
    size_t count;      /* groups; 0: no point lies in any direction with enough others */
    float *centres;    /* (1 + count) x r: the origin, then the groups' means */
    double silhouette; /* of the grouping that was taken; NAN with fewer than 2 groups */
} kb_rays;

/* Y: n x r, finite, r >= 1. Groups are in no order. On failure *OUT is zeroed. Takes n^2 time.
 * Reports phase "grouping". */
kb_status kb_rays_find(kb_rays *out, kb_const_matrix y, double radius, uint64_t seed, kb_pool *pool,
                       const kb_progress *progress, kb_error *err);
/* LABELS (n): 0 for the origin, or the number of the group from 1. Any Y of r columns. */
void kb_rays_assign(const kb_rays *rays, kb_const_matrix y, uint32_t *labels);
void kb_rays_clear(kb_rays *rays); /* frees and zeroes; fine on a zeroed struct */

#endif
