/* profile: what a cluster looks like in terms of objects, whatever network found it: so that
 * clusters of different models can be held against each other without sessions that both know. */
#ifndef KB_PROFILE_H
#define KB_PROFILE_H

#include "corpus.h"
#include "model.h"

/* PROFILES (K x 2m, m objects of FEATURES) = for each cluster the mean over its sessions of
 *
 *   [2j]     log(1 + mean reading of object j over the session's window)
 *   [2j + 1] log(1 + mean of the last quarter of it) - log(1 + mean of the first)
 *
 * SESSIONS: COUNT ids of CORPUS, session i in cluster LABELS[i] < K; a cluster of none has zeros.
 */
kb_status kb_profiles_of(float *profiles, size_t k, const kb_features *features,
                         const kb_corpus *corpus, const size_t *sessions, const uint32_t *labels,
                         size_t count, kb_error *err);

/* SIMILARITY (rows x cols, rows clusters of A and cols of B): how alike PROFILES_A[r] and
 * PROFILES_B[c] are, -1..1. Objects are matched by name; one that a model lacks counts as zeros
 * there. Each value becomes its difference from the mean over all clusters of its model, divided by
 * the root mean square of those of both; an object and value in which no cluster differs is left
 * out. What is told is the cosine of two such rows, 0 where one is nothing but zeros. */
kb_status kb_profile_similarity(double *similarity, const kb_features *a, const float *profiles_a,
                                size_t rows, const kb_features *b, const float *profiles_b,
                                size_t cols, kb_error *err);

#endif
