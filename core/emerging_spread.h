/* emerging_spread: how far apart sessions of a group lie in the latent space, against those of one
 * known cluster and of different ones (emerging.h has the formula). */
#ifndef KB_EMERGING_SPREAD_H
#define KB_EMERGING_SPREAD_H

#include "emerging.h"
#include "matrix.h"

/* Owns its arrays until kb_emerging_spread_clear; model and corpus outlive it. */
typedef struct kb_emerging_spread {
    const kb_model *model;
    const kb_corpus *corpus;
    kb_matrix z;       /* R x Z: known sessions, at most KB_EMERGING_SPREAD */
    uint32_t *cluster; /* R: index of the nearest centroid */
    double width;      /* median over clusters of the median distance of two of their sessions */
    double different;  /* median distance of sessions of different clusters; NAN: there are none */
} kb_emerging_spread;

/* Of KNOWN (COUNT ids of CORPUS, in random order) the first that MODEL was not fitted on, or the
 * first of all; DRAWN: the points of its training sample instead. */
kb_status kb_emerging_spread_open(kb_emerging_spread *out, const kb_model *model,
                                  const kb_corpus *corpus, const size_t *known, size_t count,
                                  bool drawn, kb_pool *pool, const kb_progress *progress,
                                  kb_error *err);
/* Density at and above which a group is a clump; NAN: any is. */
double kb_emerging_spread_edge(const kb_emerging_spread *spread);
/* Sets density, cluster and, unless it is stragglers, the kind of GROUP. */
kb_status kb_emerging_spread_of(const kb_emerging_spread *spread, kb_emerging_group *group,
                                kb_pool *pool, const kb_progress *progress, kb_error *err);
void kb_emerging_spread_clear(kb_emerging_spread *spread); /* fine on a zeroed struct */

#endif
