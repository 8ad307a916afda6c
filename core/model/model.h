/* model: everything a trained kaboom model knows, from homogenisation to thresholds.
 *
 * Made by training (train.h) or read from a file (modelfile.h); `calibrate` fills in clusters. A
 * model is changed only by kb_train, kb_calibrate and kb_model_set_cluster_name; while nobody
 * changes it, any number of threads may read it. */
#ifndef KB_MODEL_H
#define KB_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "corpus.h"
#include "feature_view.h"
#include "lineage.h"
#include "matrix.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

typedef enum kb_variant {
    KB_VARIANT_AE,
    KB_VARIANT_VAE,
    KB_VARIANT_AE_DEC,
    KB_VARIANT_VAE_DEC
} kb_variant;

enum { KB_VARIANTS = 4 };

const char *kb_variant_name(kb_variant variant); /* "ae", "vae", "ae+dec", "vae+dec" */
bool kb_variant_parse(kb_variant *out, const char *text);
bool kb_variant_is_vae(kb_variant variant);
bool kb_variant_has_dec(kb_variant variant);

/* How `novelty` is measured; the choice is made at calibration and kept in the model. */
typedef enum kb_novelty {
    KB_NOVELTY_COMBINED, /* sum of several robustly standardised parts (core/novelty.h) */
    KB_NOVELTY_DISTANCE  /* the documents' rule: distance to the nearest centroid */
} kb_novelty;

enum { KB_NOVELTIES = 2 };

const char *kb_novelty_name(kb_novelty novelty); /* "combined", "distance" */
bool kb_novelty_parse(kb_novelty *out, const char *text);

/* One cluster of the calibration. Numbers start at 1 and are never reused in a model's life. */
typedef struct kb_cluster {
    uint32_t number;
    size_t size;      /* sessions of the calibration in it */
    double threshold; /* emerging: novelty above it */
    size_t known;     /* of SIZE those that are not above it; SIZE where that was not kept */
    double distance;  /* their median distance to the centroid, each measured without itself (of all
                         where there are none). NAN where it was not kept: in a model calibrated
                         before it was */
} kb_cluster;

/* What `assign` says of a session. */
typedef struct kb_assignment {
    uint32_t cluster; /* number; 0: no row of the session parsed, distance and novelty are NAN */
    double distance;  /* to the cluster's centroid in the latent space */
    double novelty;   /* one score, comparable across clusters */
    double p_value; /* how often a known session is that novel: (1 + those at least as novel) / (n +
                       1) among the n of the calibration. NAN with cluster 0, and where the model
                       is from before this was kept */
    bool emerging;
} kb_assignment;

typedef struct kb_model kb_model;

void kb_model_free(kb_model *model); /* NULL is fine */

/* --- what it holds ------------------------------------------------------------------------ */
kb_variant kb_model_variant(const kb_model *model);
const kb_features *kb_model_features(const kb_model *model);
size_t kb_model_inputs(const kb_model *model); /* what the network sees: r of the basis, or D */
size_t kb_model_hidden(const kb_model *model);
size_t kb_model_latent(const kb_model *model); /* Z */
size_t kb_model_parameters(const kb_model *model);
uint64_t kb_model_seed(const kb_model *model);
bool kb_model_calibrated(const kb_model *model);
size_t kb_model_clusters(const kb_model *model);                     /* k'; 0 before calibration */
const kb_cluster *kb_model_cluster(const kb_model *model, size_t i); /* by rising number */
kb_const_matrix kb_model_centroids(const kb_model *model); /* k' x Z, rows as kb_model_cluster */
/* The name that a user gave the cluster NUMBER, or a retired one; "" without. Good until the model
 * changes. */
const char *kb_model_cluster_name(const kb_model *model, uint32_t number);
/* TEXT (see kb_cluster_name_check) becomes the name; empty: it has none any more. KB_ERR_USAGE also
 * where MODEL has no such cluster, not even a retired one. */
kb_status kb_model_set_cluster_name(kb_model *model, uint32_t number, const char *text,
                                    kb_error *err);
/* Profiles, retired clusters, names. */
const kb_lineage *kb_model_lineage(const kb_model *model);
/* Centroids that DEC ended with (0 without it), and whether the j-th is a catch-all, near to which
 * nothing follows for a session (false in models from before this was kept). */
size_t kb_model_dec_clusters(const kb_model *model);
bool kb_model_dec_catch_all(const kb_model *model, size_t j);
kb_novelty kb_model_novelty(const kb_model *model);
double kb_model_false_alarms(const kb_model *model);
/* Of how many known sessions of the calibration (0: not measured, the model is from before) how
 * many were called emerging by thresholds that were found without them. */
size_t kb_model_known(const kb_model *model, size_t *flagged);
/* Names of the sessions that were held out because the corpus had no validation split (possibly
 * none), and of those fitted. */
const kb_names *kb_model_held_out(const kb_model *model);
const kb_names *kb_model_fitted(const kb_model *model);
/* Free-form "key=value" lines about training (options, epochs run, losses), for `info`.
 * NUL-terminated. */
const char *kb_model_training_notes(const kb_model *model);

/* --- what it does ------------------------------------------------------------------------- */
/* Z (COUNT x latent, contiguous): the embeddings (mu for a VAE) of SESSIONS (ids of the view's
 * corpus). RESIDUAL (COUNT, or NULL): norm of the part of each centred input outside the basis (0
 * without one). LEADING (COUNT rows; data NULL: not wanted): as many of the network's inputs as it
 * has columns, at most kb_model_inputs: the leading coordinates in the basis. Sessions without rows
 * embed like all zeros. Reports phase "embedding". The view is of kb_model_features(). */
kb_status kb_model_embed(const kb_model *model, const kb_view *view, const size_t *sessions,
                         size_t count, kb_matrix z, float *residual, kb_matrix leading,
                         kb_pool *pool, const kb_progress *progress, kb_error *err);

#endif
