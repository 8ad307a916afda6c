/* appraisal: is a calibrated model worth more than plain K-means? Told without labels.
 *
 * Distances of different embeddings do not compare, and a clustering's own indices praise what it
 * was made for. So clusterings are judged by what they were not made from: the AGREEMENT of one is
 * its mean adjusted mutual information with two witnesses, K-means on how much there is of each
 * object and on how that grows (levels and growth in baselines.h). A clustering that finds what is
 * there is confirmed by them; one that finds its own noise is not. The model is no better than
 * K-means on presence, or on principal components, where its agreement is clearly lower than theirs
 * at the same number of clusters; where the two are about the same, that is told without a verdict.
 *
 * What that is worth, over comparisons in which normalised mutual information with the labels
 * differed by more than .03: the sign was right in 19 of 19 on the four corpora that the witnesses
 * were chosen on (two synthetic ones, heap dumps, vowels) and in 12 of 12 on two fresh synthetic
 * ones; on images (fashion), where what is present says nearly all of levels and growth, it took
 * K-means on presence for better than it was in 2 of 2. A third witness that is compared itself
 * (components) was wrong in a quarter of the comparisons with presence: it confirms what was made
 * from the same input. Likewise a model whose input is levels or growth is flattered.
 *
 * Beside it, for the user to see: STABILITY, the adjusted Rand index between two K-means of halves
 * of the sessions, each extended to all (for the model in its latent space, with the encoder as it
 * is, which flatters it), and the SILHOUETTE of each clustering in one fixed space, presence (which
 * flatters K-means on presence). */
#ifndef KB_APPRAISAL_H
#define KB_APPRAISAL_H

#include "baselines.h"
#include "pipeline.h"

/* What is weak. */
#define KB_WEAK_SHARE .6 /* of the fitted sessions in one cluster */
/* Differences of agreement that say little: of 30 comparisons on samples and small worlds, those
 * within .05 had either sign whatever the labels said, and the 4 beyond it were right. */
#define KB_CLOSE .05
/* With fewer sessions the numbers are mostly chance, and no judgement is told. */
enum { KB_APPRAISAL_LEAST = 30 };

typedef struct kb_appraised {
    double agreement, stability, silhouette;
} kb_appraised;

typedef struct kb_appraisal {
    size_t sessions; /* looked at: fitted and calibration sessions, at most 1,000, drawn by seed */
    size_t clusters;
    uint32_t largest; /* number of the cluster with most of the fitted sessions */
    double largest_share;
    kb_appraised model, baseline[KB_BASELINES_TOLD];
} kb_appraisal;

/* MODEL is calibrated. Fewer than 4 sessions, or all of them alike, leave NANs. */
kb_status kb_appraise(kb_appraisal *out, const kb_model *model, const kb_corpus *corpus,
                      uint64_t seed, kb_pool *pool, const kb_progress *progress, kb_error *err);

/* The model's agreement is lower than that of BASELINE by more than KB_CLOSE; false where it is not
 * known. */
bool kb_appraisal_worse(const kb_appraisal *appraisal, kb_baseline baseline);

/* Tells what was measured and what is weak through NOTE(CTX), and keeps it in MODEL's notes. */
kb_status kb_appraisal_tell(const kb_appraisal *appraisal, kb_model *model,
                            void (*note)(void *ctx, const char *text), void *ctx, kb_error *err);

/* OUT (one for each session of CORPUS): the clusters of K-means on BASELINE at the model's number
 * of clusters, fitted on the sessions that an appraisal looks at, numbered from 1 without meaning;
 * distances and novelties are NAN, and a session without rows is in cluster 0. */
kb_status kb_baseline_assign(kb_assignment *out, const kb_model *model, const kb_corpus *corpus,
                             kb_baseline baseline, uint64_t seed, kb_pool *pool,
                             const kb_progress *progress, kb_error *err);

#endif
