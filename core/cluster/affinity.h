/* affinity: how much points belong together, as t-SNE sees it (van der Maaten and Hinton, JMLR
 * 2008): each point's conditional p_j|i ~ exp(-beta_i d2_ij) has entropy log PERPLEXITY as nearly
 * as its ties allow, and p_ij = (p_j|i + p_i|j) / 2N. */
#ifndef KB_AFFINITY_H
#define KB_AFFINITY_H

#include <stddef.h>
#include <stdint.h>

#include "neighbours.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

/* KB_ERR_USAGE unless 1 <= PERPLEXITY <= NEIGHBOURS. */
kb_status kb_affinity_check(double perplexity, size_t neighbours, kb_error *err);

/* P (N >= 1) of the squared distances D2 to N neighbours, at ENTROPY = log perplexity; P sums to 1,
 * and may be D2 itself. SCRATCH: N. */
void kb_affinity_row(float *p, double *scratch, const float *d2, size_t n, double entropy);

/* P (N x N, N >= 2): squared distances in, the diagonal ignored, p_ij out: symmetric, the sum is 1.
 * The same for any number of threads. KB_ERR_CANCELLED, KB_ERR_MEMORY. */
kb_status kb_affinities_dense(float *p, size_t n, double perplexity, kb_pool *pool,
                              const kb_progress *progress, kb_error *err);

/* A symmetric N x N matrix of which few entries are not zero. */
typedef struct kb_sparse {
    size_t n;
    size_t *begin;    /* N + 1: where the entries of each row begin */
    uint32_t *column; /* begin[N], rising in each row */
    float *p;         /* begin[N] */
} kb_sparse;

/* The same of N points of which only the K nearest neighbours of each count (p_j|i = 0 for all
 * others), 1 <= PERPLEXITY <= K. Up to 2 N K entries. OUT is cleared with kb_sparse_clear, whatever
 * is returned. */
kb_status kb_affinities_sparse(kb_sparse *out, const kb_neighbours *near, double perplexity,
                               kb_pool *pool, const kb_progress *progress, kb_error *err);
void kb_sparse_clear(kb_sparse *matrix);

#endif
