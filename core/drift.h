/* drift: how far sessions have moved from those that a model was trained and calibrated on, object
 * by object and cluster by cluster, and whether that asks for a new model.
 *
 * Two things make sessions unlike the old ones, and they want different answers. A new crash type
 * is a clump of emerging sessions; all others are as they were, and a model that tells the clump
 * apart does what it is there for. Drift is a change of what sessions are made of in general: then
 * also those that are not emerging have objects in other shares and amounts, and lie farther out.
 * So everything but the rate of emerging sessions itself is measured on sessions that are not
 * emerging; only where these are less than a tenth it is measured on all.
 *
 * Shares of clusters that change take those of their objects with them. Where they have moved,
 * sessions are weighted such that each cluster has its share of the calibration, and what is told
 * of objects is what remains.
 *
 * Figures: PSI (stability.h) with what it is without a change, a test, and its q-value by Benjamini
 * and Hochberg among rows of the same kind. Objects: classes are absence and the five ranges of
 * level, log(1 + mean reading), that the training sessions with the object fill evenly; the test is
 * the better of Fisher's on presence and chi-square on the ranges, its p-value doubled for having
 * picked. Clusters: shares against those of the calibration, Fisher's test of each against the
 * rest. */
#ifndef KB_DRIFT_H
#define KB_DRIFT_H

#include "corpus.h"
#include "model.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

typedef enum kb_drift_kind { KB_DRIFT_OVERALL, KB_DRIFT_CLUSTER, KB_DRIFT_OBJECT } kb_drift_kind;

const char *kb_drift_kind_name(kb_drift_kind kind); /* "overall", "cluster", "object" */

typedef enum kb_drift_verdict {
    KB_DRIFT_STABLE,   /* below .1 beyond what is expected, or not significant */
    KB_DRIFT_MODERATE, /* below .25 */
    KB_DRIFT_DRIFTED
} kb_drift_verdict;

const char *kb_drift_verdict_name(kb_drift_verdict verdict); /* "stable", "moderate", "drifted" */

/* What is told of all together. */
typedef enum kb_drift_figure {
    KB_DRIFT_CLUSTERS, /* PSI of the clusters' shares */
    KB_DRIFT_EMERGING, /* share of emerging sessions: of the calibration's by thresholds found
                          without them, of all now. Its PSI is of two classes */
    KB_DRIFT_NOVELTY,  /* .5, and how often a session that is not emerging is more novel than such
                          a one of the calibration. PSI of ten ranges of novelty that the latter
                          fill evenly; the rank test (ranktest.h) */
    KB_DRIFT_OBJECTS,  /* share of objects that are moderate or drifted; its PSI is the median one.
                          Moderate where there is any, drifted above options.objects */
    KB_DRIFT_UNSEEN,   /* mean share of log mass in objects that no fitted session had, of all
                          sessions, the emerging ones too. Moderate from .01 beyond what it was on,
                          drifted from .05 on */
    KB_DRIFT_FIGURES   /* how many */
} kb_drift_figure;

typedef struct kb_drift_row {
    kb_drift_kind kind;
    const char *name; /* a figure's or an object's; "" for a cluster. Lives as long as the model and
                         the corpus */
    uint32_t cluster; /* its number; 0 in other rows */
    double was, now;  /* shares: of (weighted) sessions with the object, of the cluster */
    double psi, expected; /* of a cluster: its summand. NAN where there is none, like all others */
    double p, q;
    double level;    /* objects: P(more) - P(less) of what sessions with it have of it, -1..1 */
    double distance; /* clusters: median distance to the centroid, in units of the calibration's */
    kb_drift_verdict verdict;
} kb_drift_row;

typedef enum kb_advice { KB_ADVICE_KEEP, KB_ADVICE_RECALIBRATE, KB_ADVICE_RETRAIN } kb_advice;

const char *kb_advice_name(kb_advice advice); /* "keep", "recalibrate", "retrain" */

/* Why, as bits. */
enum {
    KB_REASON_OBJECTS = 1,  /* retrain: more than options.objects of the objects have moved */
    KB_REASON_NOVELTY = 2,  /* retrain: sessions that are not emerging lie farther out */
    KB_REASON_FEW = 4,      /* retrain: less than a tenth of the sessions is not emerging */
    KB_REASON_CLUSTERS = 8, /* recalibrate: shares of clusters have moved */
    KB_REASON_EMERGING = 16 /* no reason for either: more sessions are emerging than false alarms
                               explain; what they are is for a closer look */
};

typedef struct kb_drift_options {
    double alpha;   /* 0..1: q up to which a change is believed. Default .01 */
    double objects; /* 0..1: share of objects that may have moved. Default .05 */
} kb_drift_options;

kb_drift_options kb_drift_defaults(void);

typedef struct kb_drift {
    size_t sessions; /* that have a cluster */
    size_t emerging; /* of them */
    size_t judged;   /* that rows of clusters and objects are of */
    kb_drift_row overall[KB_DRIFT_FIGURES];
    kb_drift_row *clusters; /* by number */
    size_t cluster_count;
    kb_drift_row *objects; /* of training sessions or of those judged: psi falling, then by name */
    size_t object_count;   /* 0 in a model from before there was a reference */
    kb_advice advice;
    unsigned reasons;
} kb_drift;

/* SESSIONS (COUNT ids of CORPUS), session i as ASSIGNED[i] says; those without a cluster are left
 * out, and none with one is KB_ERR_FORMAT. In a model calibrated before they were kept, emerging
 * sessions are held against its rate of false alarms, and there is no novelty, no distance and no
 * earlier share of mass. OUT is cleared by the caller on success. Reports phases "weighing objects"
 * and "counting objects". Any thread. */
kb_status kb_drift_of(kb_drift *out, const kb_model *model, const kb_corpus *corpus,
                      const size_t *sessions, const kb_assignment *assigned, size_t count,
                      const kb_drift_options *options, const kb_progress *progress, kb_error *err);
void kb_drift_clear(kb_drift *drift); /* frees and zeroes; fine on a zeroed struct */

#endif
