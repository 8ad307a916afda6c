/* runs: several trainings of the same corpus from different seeds, and the one among them that the
 * others agree with most.
 *
 * How far clusterings from different seeds agree is the one thing about their quality that can be
 * seen without labels and without comparing distances of different embeddings. */
#ifndef KB_RUNS_H
#define KB_RUNS_H

#include "pipeline.h"

/* Where the kept run agrees with half of the others by less, the clusters are told to depend on the
 * seed. */
#define KB_RUNS_WEAK .7

typedef struct kb_runs_result {
    size_t runs;
    uint64_t seed;         /* of the run that was kept */
    double agreement;      /* mean adjusted Rand index over all pairs; NAN with one run */
    double kept_agreement; /* of the kept run with each of the others, mean */
    double kept_median;    /* of the same; one odd run in five moves it little */
} kb_runs_result;

/* Trains and calibrates RUNS (1..KB_RUNS_MAX) models. Run r has the seeds of both options raised by
 * r, and is the model that these seeds give alone, its drawn validation sessions included. What is
 * compared are the clusters of the first model's calibration sessions; *OUT, *ELBOW (cleared by the
 * caller) are the model and table of the medoid, the run of highest mean agreement, the first of
 * equals, appraised (appraisal.h). With several runs the agreement is in the model's notes.
 * OBSERVER hears the notes and the rows of the kept run alone, once it is known; its LIVE
 * hears every run's rows as they come. All models are in memory together. */
enum { KB_RUNS_MAX = 100 };

/* RUNS 0 is as many as kb_runs_auto says: KB_RUNS_SMALL where at most KB_SMALL_CORPUS sessions are
 * fitted, since there one seed's clusters differ much from another's and training takes a second or
 * two; else 1. One also for the documents' sizes, and where there is a time limit or a checkpoint,
 * which are one training's. (Measured on two worlds of 800 sessions: held-out adjusted Rand index
 * .58 .. .99 with one run by seed, .977 .. .989 with five.) */
enum { KB_RUNS_SMALL = 5, KB_SMALL_CORPUS = 1500 };
kb_status kb_runs_auto(size_t *runs, const kb_corpus *corpus, const kb_train_options *training,
                       kb_error *err);

kb_status kb_train_runs(kb_model **out, kb_elbow *elbow, kb_runs_result *result,
                        const kb_corpus *corpus, size_t runs, const kb_train_options *training,
                        const kb_calibrate_options *calibration, const kb_train_observer *observer,
                        kb_pool *pool, const kb_progress *progress, kb_error *err);

/* AGREEMENT (R x R, symmetric): the row with the largest sum outside the diagonal; the first of
 * equals. */
size_t kb_medoid(const double *agreement, size_t r);

/* The median of row I of AGREEMENT outside the diagonal, the mean of two middle ones; NAN for R = 1
 * or without memory. */
double kb_median_agreement(const double *agreement, size_t r, size_t i);

#endif
