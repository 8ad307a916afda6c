/* centroids: what goes wrong with the centroids of deep embedded clustering, found and put right.
 *
 * A centroid that no session is nearest to learns nothing; two that have met count everything
 * twice; and one among sessions that nobody can tell apart swallows what is new. All of this is on
 * matrices of the caller's. Legend: N sessions, d dimensions of the latent space, K centroids. */
#ifndef KB_CENTROIDS_H
#define KB_CENTROIDS_H

#include <stdbool.h>
#include <stdint.h>

#include "matrix.h"
#include "pool.h"
#include "status.h"

/* A centroid as the sessions around it see it. */
typedef struct kb_centroid_trait {
    double size;       /* sessions that it is the nearest to */
    double norm;       /* its distance from the origin, as a share of the median of all */
    double confidence; /* mean over its sessions of their largest q, as a share of the median */
    bool catch_all;    /* see kb_centroid_traits */
} kb_centroid_trait;

/* Where each of N sessions belongs. */
typedef struct kb_membership {
    uint32_t *labels;  /* N: the nearest centroid */
    double *distance2; /* N: its squared distance */
    double *sizes;     /* K */
} kb_membership;

/* Fills in the arrays, which are the caller's. */
void kb_membership_of(kb_membership *members, kb_const_matrix z, kb_const_matrix centroids);

/* Centroids nearer to each other than a tenth of the root mean square distance of sessions from
 * theirs are one: the larger takes over sessions and place (their mean, weighed by size), the other
 * is left with size 0 where it was. Returns how many were. */
size_t kb_centroids_merge(kb_matrix centroids, kb_const_matrix z, kb_membership *members);

/* Each centroid of size 0 gets half of the cluster with the largest sum of squared distances, which
 * K-means cuts in two. MOVED (K) tells which centroids were placed anew (both of each pair); none
 * is where no cluster has four sessions apart from each other. MEMBERS holds again afterwards.
 * *COUNT: how many got sessions. */
kb_status kb_centroids_reseed(kb_matrix centroids, kb_const_matrix z, kb_membership *members,
                              uint64_t seed, bool *moved, size_t *count, kb_pool *pool,
                              kb_error *err);

/* Leaves out centroids of size 0; returns how many remain, which are the first rows (and sizes).
 * Labels follow. */
size_t kb_centroids_compact(kb_matrix centroids, kb_membership *members, size_t n);

/* TRAITS (K). SCALE: the unit of squared distance in q. A catch-all is one of too few sessions
 * (fewer than 12, or than a quarter of N/K where that is less), nearer to the origin than .85 of
 * the median, or of less than .6 of the median confidence: being near to it tells nothing of a
 * session. Never are all of them catch-alls. KB_ERR_MEMORY. */
kb_status kb_centroid_traits(kb_centroid_trait *traits, kb_const_matrix centroids,
                             kb_const_matrix z, const kb_membership *members, double scale,
                             kb_error *err);

#endif
