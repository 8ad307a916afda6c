/* novelty: how unlike the known sessions a session is, as one number comparable across clusters.
 *
 * Three signals: distance to the nearest centroid in the latent space, norm of the input outside
 * the basis, and the share of log mass (sum of log(1 + reading)) in objects that no fitted session
 * had. Each is standardised by its median and spread (interquartile range / 1.35) among the
 * calibration sessions; the combined novelty is sum max(z, 0)^2 with z cut at 30, so that no signal
 * drowns the others and none can cancel another. */
#ifndef KB_NOVELTY_H
#define KB_NOVELTY_H

#include "model_private.h"

/* One session's signals. */
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

/* Embeds SESSIONS and measures residual and unseen share. */
kb_status kb_readings_of(kb_readings *out, const kb_model *model, const kb_corpus *corpus,
                         const size_t *sessions, size_t count, kb_pool *pool,
                         const kb_progress *progress, kb_error *err);
/* nearest and the distance signal, for CENTROIDS (k x Z). */
kb_status kb_readings_distances(kb_readings *readings, kb_const_matrix centroids, kb_error *err);
void kb_readings_clear(kb_readings *readings);

/* Median and spread of each signal. */
kb_status kb_signal_standards(kb_standard standards[KB_SIGNALS], const kb_readings *readings,
                              kb_error *err);
double kb_novelty_of(const kb_signals *signals, const kb_standard standards[KB_SIGNALS],
                     kb_novelty novelty);

/* The conformal threshold: the ceil((n + 1)(1 - ALPHA))-th smallest of the N novelties of known
 * sessions (the largest when that is beyond n). A new session exceeds it with probability at most
 * ALPHA + 1/(n + 1) if the N were measured as it is, with nothing fitted on them. VALUES is sorted
 * in place. */
double kb_conformal_threshold(double *values, size_t n, double alpha);

#endif
