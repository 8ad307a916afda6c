/* tsne_place: new points put into a map that is there already and does not move.
 *
 * The way of openTSNE's transform (Poličar, Stražar, Zupan, Machine Learning 2021): a point starts
 * at the median place of its K nearest reference points and then descends, for itself,
 *
 *     C_i = sum_j p_j|i log(p_j|i / q_ij), q_ij = w_ij / sum_j w_ij, j over the reference points,
 *
 * with p_j|i at a low perplexity, the attraction exaggerated, and gradients clipped. So where a
 * point goes depends on the map and on itself, not on what else is placed. Legend: N new points, M
 * reference points, d dimensions. */
#ifndef KB_TSNE_PLACE_H
#define KB_TSNE_PLACE_H

#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

typedef struct kb_place_options {
    size_t neighbours;   /* K >= 1: of whom a point takes the median and who attract it; default 25.
                            All reference points where there are fewer */
    double perplexity;   /* >= 1, default 5; at most a third of the neighbours there are, or 1 */
    double exaggeration; /* >= 1, default 1.5 */
    size_t iterations;   /* default 250 */
    double learning_rate; /* > 0, default .1 */
    double momentum;      /* 0..1, default .8 */
    double clip;          /* longest gradient, > 0, default .25 */
    size_t exact_most;    /* reference points up to which each of them repels by itself; above, they
                             do through a quadtree. Default 5000 */
    double theta;         /* of the quadtree, >= 0, default .3 */
} kb_place_options;

kb_place_options kb_place_defaults(void);

/* PLACES (N x 2) for X (N x d) in the MAP (M x 2) of REFERENCE (M x d); M >= 1, N >= 0, all finite.
 * Reports phases "neighbours" and "placing", a unit a point. The same for any number of threads.
 * KB_ERR_USAGE: no reference, other dimensions, an option out of range; KB_ERR_NUMERIC: a value is
 * not finite. */
kb_status kb_tsne_place(float *places, kb_const_matrix x, kb_const_matrix reference,
                        const float *map, const kb_place_options *options, kb_pool *pool,
                        const kb_progress *progress, kb_error *err);

#endif
