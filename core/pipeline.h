/* pipeline: corpus -> model -> clusters -> assignments -> map, as functions that a verb or a job
 * calls.
 *
 * Each step takes what the one before made, a pool, and a kb_progress; none prints. The explorer
 * and the verbs run the same ones. */
#ifndef KB_PIPELINE_H
#define KB_PIPELINE_H

#include "corpus.h"
#include "elbow.h"
#include "model.h"
#include "train.h"
#include "tsne.h"
#include "tsne_place.h"

/* --- which sessions ----------------------------------------------------------------------- */
/* IDS (room for all sessions of the corpus): validation sessions of the corpus; else every session
 * that MODEL was not fitted on; else all. A rule that gives fewer than 3 sessions
 * passes on to the next. Sessions without rows are left out. Returns how many. */
size_t kb_calibration_sessions(const kb_model *model, const kb_corpus *corpus, size_t *ids);
/* The second of these rules alone. */
size_t kb_unfitted_sessions(const kb_model *model, const kb_corpus *corpus, size_t *ids);

/* --- elbow and calibration ---------------------------------------------------------------- */
typedef struct kb_calibrate_options {
    size_t k;            /* 0: by the elbow */
    size_t kmin, kmax;   /* the elbow's range. Default 2, 20 */
    double false_alarms; /* share of known sessions flagged. Default .05 */
    kb_novelty novelty;
    int split; /* calibrate on the sessions of this kb_split and on them alone; KB_SPLITS (the
                  default): by the rule of kb_calibration_sessions, with fitted sessions of the
                  corpus (2,000 of them at most) as support in finding the clusters (elbow.h) */
    size_t bootstraps; /* rounds of bootstrap stability for each k; 0: none. Default 10 */
    uint64_t seed;
} kb_calibrate_options;

kb_calibrate_options kb_calibrate_defaults(void);
kb_status kb_calibrate_check(const kb_calibrate_options *options, kb_error *err);

/* The elbow on the calibration sessions. The caller clears *OUT. */
kb_status kb_elbow_of(kb_elbow *out, const kb_model *model, const kb_corpus *corpus,
                      const kb_calibrate_options *options, kb_pool *pool,
                      const kb_progress *progress, kb_error *err);

/* Finds k' clusters on the calibration sessions, their centroids, numbers, sizes and emerging
 * thresholds, and puts them into MODEL in place of the old ones (numbers of clusters that match old
 * ones are kept). *ELBOW as above, with `chosen` at the k that was used. */
kb_status kb_calibrate(kb_model *model, const kb_corpus *corpus,
                       const kb_calibrate_options *options, kb_elbow *elbow, kb_pool *pool,
                       const kb_progress *progress, kb_error *err);

/* --- using a calibrated model ------------------------------------------------------------- */
/* OUT[i] for SESSIONS[i], i < COUNT. Phase "embedding". KB_ERR_USAGE when MODEL is not calibrated.
 */
kb_status kb_assign(kb_assignment *out, const kb_model *model, const kb_corpus *corpus,
                    const size_t *sessions, size_t count, kb_pool *pool,
                    const kb_progress *progress, kb_error *err);

/* Embeddings, COUNT x latent, in *Z (kb_alloc_aligned; the caller frees z->data). */
kb_status kb_embed(kb_matrix *z, const kb_model *model, const kb_corpus *corpus,
                   const size_t *sessions, size_t count, kb_pool *pool, const kb_progress *progress,
                   kb_error *err);

/* LAYOUT: COUNT x 2, the t-SNE of the embeddings. */
kb_status kb_project(float *layout, const kb_model *model, const kb_corpus *corpus,
                     const size_t *sessions, size_t count, const kb_tsne_options *options,
                     kb_pool *pool, const kb_progress *progress, kb_error *err);

/* Sessions that have their place in a map. */
typedef struct kb_map_anchors {
    const kb_corpus *corpus;
    const size_t *sessions; /* of the corpus; each with rows */
    const float *places;    /* count x 2 */
    size_t count;
} kb_map_anchors;

/* PLACES: COUNT x 2, for SESSIONS of CORPUS, each with rows, in the map that ANCHORS (at least one)
 * are in, which does not change: by the embeddings of both, as kb_tsne_place does it. */
kb_status kb_project_into(float *places, const kb_model *model, const kb_corpus *corpus,
                          const size_t *sessions, size_t count, const kb_map_anchors *anchors,
                          const kb_place_options *options, kb_pool *pool,
                          const kb_progress *progress, kb_error *err);

/* --- against labels ----------------------------------------------------------------------- */
typedef struct kb_score_row {
    const char *split; /* a split's name, or "all" */
    size_t sessions;   /* with a label and a cluster */
    double accuracy, nmi, ari;
    double emerging_auroc; /* NAN but in "all": novelty over every non-train session; novel = split
                              emerging and a label that train lacks */
} kb_score_row;

/* ROWS: room for KB_SPLITS + 1; only splits with labelled sessions get a row, "all" comes last.
 * ASSIGNED: one a session of the corpus. KB_ERR_FORMAT when the corpus has no labels. */
kb_status kb_score_against_labels(kb_score_row *rows, size_t *count, const kb_corpus *corpus,
                                  const kb_assignment *assigned, kb_error *err);

#endif
