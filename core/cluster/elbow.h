/* elbow: K-means for a range of k with the three internal indices, and the k that they suggest. */
#ifndef KB_ELBOW_H
#define KB_ELBOW_H

#include <stdbool.h>
#include <stdint.h>

#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

typedef struct kb_elbow_row {
    size_t k;
    double silhouette, davies_bouldin, calinski_harabasz; /* of the K-means result at k, on the same points */
    double inertia;
    bool chosen; /* exactly one row has it */
} kb_elbow_row;

typedef struct kb_elbow {
    kb_elbow_row *rows; /* by rising k */
    size_t count;
    size_t best_silhouette, best_davies_bouldin, knee; /* the k each rule would take; equal where they agree */
} kb_elbow;

typedef struct kb_elbow_options {
    size_t kmin, kmax; /* 2 <= kmin <= kmax; kmax is cut to N - 1 */
    uint64_t seed;
    size_t restarts;
    /* First centroids: K0 x d with weights (DEC's), merged by Ward down to each k <= K0; data NULL, or k > K0: K-means++.
     * With both, K-means++ restarts run as well and the least inertia is kept only without these. */
    kb_const_matrix centroids;
    const double *weights;
} kb_elbow_options;

/* The K-means start for one k under OPTIONS: what kb_elbow_run does at each k, and what calibration does at the chosen one. The caller
 * clears *KM_OUT (a kb_kmeans). */
struct kb_kmeans;
kb_status kb_elbow_kmeans(struct kb_kmeans *km_out, kb_const_matrix x, size_t k,
                          const kb_elbow_options *options, kb_pool *pool,
                          const kb_progress *progress, kb_error *err);

/* X: N x d, N >= 3. *OUT owns rows until kb_elbow_clear. Reports phase "elbow". */
kb_status kb_elbow_run(kb_elbow *out, kb_const_matrix x, const kb_elbow_options *options,
                       kb_pool *pool, const kb_progress *progress, kb_error *err);
void kb_elbow_clear(kb_elbow *elbow);

/* The k with chosen set; 0 for an empty table. */
size_t kb_elbow_chosen(const kb_elbow *elbow);

#endif
