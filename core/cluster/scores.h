/* scores: agreement of a clustering with labels, and of a score with a yes/no truth, defined as in
 * scikit-learn. */
#ifndef KB_SCORES_H
#define KB_SCORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef struct kb_agreement {
    double accuracy; /* under the best one-to-one matching (Hungarian), as in the DEC paper */
    double nmi; /* normalised mutual information, arithmetic mean; 1 when both have one class */
    double ami; /* adjusted mutual information, arithmetic mean (Vinh et al. 2010) */
    double ari; /* adjusted Rand index (Hubert and Arabie 1985) */
} kb_agreement;

/* A and B: N small numbers each (any values; used as names, not as sizes of arrays). N >= 1, else
 * KB_ERR_USAGE. With A and B naming R and C classes, needs R x C doubles and up to min^2 x max
 * steps for the matching: meant for up to about a thousand classes. */
kb_status kb_agreement_of(kb_agreement *out, const uint32_t *a, const uint32_t *b, size_t n,
                          kb_error *err);

/* Area under the ROC curve of SCORE for TRUTH, ties counted half (Mann-Whitney); infinite scores
 * are in order. NAN when one class is missing, a score is NAN, or there is no memory. */
double kb_auroc(const double *score, const bool *truth, size_t n);

#endif
