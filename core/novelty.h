/* novelty: how unlike the known sessions a session is, as one number comparable across clusters,
 * and as a p-value.
 *
 * The combined novelty is made of parts that see different things:
 *   unseen      share of the log mass (sum of log(1 + reading)) in objects that no fitted session
 * had presence    objects that no group of training sessions has together (kb_reference_fit_of,
 *               negated): new combinations of known objects
 *   neighbours  mean distance to the 5 nearest points of the training sample, in the latent space
 *   residual    norm of the input outside the basis: curves that the row space cannot draw
 *   outlier     distance to the 5 nearest points in the leading coordinates, over what is usual
 *               around those points
 *   levels      distance of the amounts of all objects to those of the nearest group of training
 *               sessions
 *   course      how much the courses of its objects' readings surprise in the group that explains
 *               best which objects it has (kb_courses_surprise)
 *   distance    to the nearest centroid in the latent space; only in models from before the
 *               training sample was kept, in which presence, neighbours, outlier and levels are not
 *               known
 *
 * Each is standardised by its median and spread among the calibration sessions (interquartile range
 * / 1.35, or where the upper half is wider, its quartile / .675), and where more of those are far
 * above than in a normal distribution, z is no more than their ranks allow. z is cut to 0..30, so
 * that no part drowns the others and none can cancel another; novelty = sum of weight * z^2. The
 * parts depend on training alone, never on the calibrated clusters. Models from before courses were
 * kept have no such part, other weights and no ranks.
 *
 * Thresholds and p-values are conformal: they come from the ranks of known sessions that were held
 * out, whatever the shape of their novelties, so that the few that belong to no cluster count as
 * what they are, known. The calibration is cross-fitted: a held-out session's novelty is by the
 * medians and spreads of the other folds, as that of a new session will be. */
#ifndef KB_NOVELTY_H
#define KB_NOVELTY_H

#include "model_private.h"

/* One session's parts. */
typedef struct kb_signals {
    double value[KB_SIGNALS];
} kb_signals;

/* What assigning COUNT sessions computes; arrays are owned until kb_readings_clear. */
typedef struct kb_readings {
    size_t count;
    kb_matrix z;         /* count x Z */
    kb_signals *signals; /* count; distance is filled in by kb_readings_distances */
    uint32_t *nearest;   /* count: index of the nearest centroid */
} kb_readings;

/* Embeds SESSIONS and measures every part but the distance; those that MODEL has nothing to measure
 * with are 0. */
kb_status kb_readings_of(kb_readings *out, const kb_model *model, const kb_corpus *corpus,
                         const size_t *sessions, size_t count, kb_pool *pool,
                         const kb_progress *progress, kb_error *err);
/* nearest and the distance, for CENTROIDS (k x Z). */
kb_status kb_readings_distances(kb_readings *readings, kb_const_matrix centroids, kb_error *err);
void kb_readings_clear(kb_readings *readings);

/* The share of the session's log mass, the sum of log(1 + reading), in objects that NUMBER (as by
 * kb_reference_numbers) does not know; 0 for a session without readings. */
double kb_unseen_share(const kb_store *store, size_t session, const uint32_t *number);

/* The part's name and its weight in the novelty of MODEL, at most; 0: it is not in it. */
const char *kb_signal_name(size_t signal);
double kb_signal_weight(const kb_model *model, size_t signal);

double kb_novelty_of(const kb_signals *signals, const kb_standard standards[KB_SIGNALS],
                     const kb_model *model, kb_novelty novelty);

/* --- calibration -------------------------------------------------------------------------- */
typedef struct kb_novelty_fit {
    kb_standard standards[KB_SIGNALS];
    double threshold;
    kb_known known;
} kb_novelty_fit;

/* From the READINGS of known sessions, all but MODEL's calibration being known; in ten folds drawn
 * by SEED, or as many as there are sessions. ALPHA: the share of known sessions that the threshold
 * may call emerging. The caller clears (*OUT).known or gives it to the model. */
kb_status kb_novelty_fit_of(kb_novelty_fit *out, const kb_model *model, const kb_readings *readings,
                            kb_novelty novelty, double alpha, uint64_t seed, kb_error *err);

/* The conformal threshold: the ceil((n + 1)(1 - ALPHA))-th smallest of the N novelties of known
 * sessions (the largest when that is beyond n). A new session exceeds it with probability at most
 * ALPHA + 1/(n + 1) if the N were measured as it is, with nothing fitted on them. VALUES is sorted
 * in place. */
double kb_conformal_threshold(double *values, size_t n, double alpha);

/* (1 + known sessions at least as novel) / (n + 1); NAN without any. */
double kb_known_p_value(const kb_known *known, double novelty);

#endif
