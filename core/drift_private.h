/* drift_private: what the parts of drift.h share. */
#ifndef KB_DRIFT_PRIVATE_H
#define KB_DRIFT_PRIVATE_H

#include "drift.h"
#include "model_private.h"
#include "stability.h"

typedef struct kb_drifting {
    const kb_model *model;
    const kb_corpus *corpus;
    const kb_drift_options *options;
    kb_drift *out;
    /* The sessions with a cluster: */
    size_t *ids;
    kb_assignment *assigned;
    double *weight; /* for how many each counts among the objects; 0: it is not judged */
    size_t count;
    bool few; /* hardly any is not emerging, and all are judged */
} kb_drifting;

/* Session I of them takes part in all but the count of emerging ones. */
bool kb_drift_is_judged(const kb_drifting *d, size_t i);

/* A row in which nothing is known. */
kb_drift_row kb_drift_row_of(kb_drift_kind kind, const char *name);
void kb_drift_set_psi(kb_drift_row *row, kb_psi psi);
/* Q-values of COUNT rows from their p, and what follows for each. KB_ERR_MEMORY. */
kb_status kb_drift_judge(kb_drift_row *rows, size_t count, double alpha, kb_error *err);

/* Objects, the figures of all of them, and of what no fitted session had. */
kb_status kb_drift_objects(kb_drifting *d, const kb_progress *progress, kb_error *err);

#endif
