/* model_private: the fields of a kb_model, for the files that make, calibrate, save and load one.
 */
#ifndef KB_MODEL_PRIVATE_H
#define KB_MODEL_PRIVATE_H

#include "basis.h"
#include "centroids.h"
#include "lineage.h"
#include "model.h"
#include "network.h"
#include "reference.h"

enum { KB_TAIL = 32 };

/* A score's median and spread among the held-out sessions: z = (x - median) / spread; and its upper
 * half: TAIL[i] is the score that as many of the n sessions exceed as of a normal distribution
 * exceed TOP i / (KB_TAIL - 1), TOP being what one in 2n exceeds. TOP is 0 in a model from before
 * the tail was kept. */
typedef struct kb_standard {
    double median, spread, top;
    float tail[KB_TAIL]; /* rising */
} kb_standard;

/* The parts of the combined novelty (core/novelty.h). Models keep them by number: new ones go to
 * the end. */
enum {
    KB_SIGNAL_DISTANCE,
    KB_SIGNAL_RESIDUAL,
    KB_SIGNAL_UNSEEN,
    KB_SIGNAL_PRESENCE,
    KB_SIGNAL_NEIGHBOURS,
    KB_SIGNAL_OUTLIER,
    KB_SIGNAL_LEVELS,
    KB_SIGNAL_COURSE,
    KB_SIGNALS
};

enum { KB_KNOWN_MAX = 4096 };

/* The novelty of known sessions, each measured without itself. */
typedef struct kb_known {
    size_t sessions; /* n that were measured; 0 in a model from before they were kept */
    size_t count;    /* of NOVELTY: n, or KB_KNOWN_MAX evenly spaced ones of more */
    float *novelty;  /* count, rising */
    size_t flagged;  /* of the n, by thresholds that were found without them */
    double unseen;   /* mean over the n of the share of log mass in objects that no fitted session
                        had; NAN in a model from before it was kept */
} kb_known;

struct kb_model {
    kb_variant variant;
    uint64_t seed;
    kb_features *features;
    kb_basis basis;
    kb_layout layout;
    float *weights;     /* layout.parameters */
    kb_names *seen;     /* objects present in any fitted session */
    kb_names *fitted;   /* names of sessions */
    kb_names *held_out; /* names of sessions drawn from the fitted ones; empty when the corpus had a
                           validation split */
    char *notes;        /* "key=value" lines */
    kb_reference reference;

    size_t dec_clusters;           /* K; 0 without DEC */
    float *dec_centroids;          /* K x Z */
    double *dec_weights;           /* K: training sessions nearest to each */
    kb_centroid_trait *dec_traits; /* K; NULL in a model from before they were kept */

    /* Calibration. */
    size_t clusters;      /* k'; 0 before */
    kb_cluster *cluster;  /* k', by rising number */
    float *centroids;     /* k' x Z */
    uint32_t next_number; /* the next cluster that matches none gets it */
    kb_novelty novelty;
    double false_alarms;
    kb_standard signals[KB_SIGNALS];
    kb_known known;
    kb_lineage lineage;
};

/* What a calibration changes, for taking it back. */
typedef struct kb_clustering {
    size_t clusters;
    kb_cluster *cluster;
    float *centroids;
    uint32_t next_number;
    kb_novelty novelty;
    double false_alarms;
    kb_standard signals[KB_SIGNALS];
    kb_known known;
    kb_lineage lineage;
} kb_clustering;

/* A copy of MODEL's; the caller gives it back to the model or clears it. */
kb_status kb_clustering_copy(kb_clustering *out, const kb_model *model, kb_error *err);
/* MODEL gets it, and owns its arrays; *CLUSTERING is zeroed. */
void kb_clustering_restore(kb_clustering *clustering, kb_model *model);
void kb_clustering_clear(kb_clustering *clustering);

kb_status kb_known_copy(kb_known *out, const kb_known *known, kb_error *err);
void kb_known_clear(kb_known *known); /* frees and zeroes; fine on a zeroed struct */

/* A model with empty name tables; NULL when there is no memory. */
kb_model *kb_model_create(void);

/* Adds "key=value" lines to the notes. KB_ERR_MEMORY leaves them as they were. */
kb_status kb_model_note(kb_model *model, kb_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Replaces the clusters by K new ones; CLUSTER (K) and CENTROIDS (K x Z) are taken over and freed
 * with the model. */
void kb_model_set_clusters(kb_model *model, size_t k, kb_cluster *cluster, float *centroids);

#endif
