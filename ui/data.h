/* data: what the views look at: the workbench's newest snapshots, and what was worked out from
 * them.
 *
 * Answers that cost a pass over the corpus are computed once for each snapshot and kept; the larger
 * ones are cut into slices that kb_data_work does between two frames. Used by the screen's thread
 * only. Pointers handed out are good until the next kb_data_update. */
#ifndef KB_DATA_H
#define KB_DATA_H

#include "ngram_lift.h"
#include "ngrams.h"
#include "presence.h"
#include "session_join.h"
#include "workbench.h"

/* What is known of one cluster over the whole corpus. */
typedef struct kb_cluster_facts {
    uint32_t number;  /* 0: sessions of which no row parsed */
    const char *name; /* that a user gave it; "" without */
    size_t sessions, emerging, split[KB_SPLITS];
    size_t calibrated;   /* sessions of the calibration in it */
    double threshold;    /* NAN for 0 */
    bool has_top;        /* top_object is known (it takes a pass over the corpus) */
    uint32_t top_object; /* KB_NAME_NONE: it has no object */
    double top_f1;
} kb_cluster_facts;

enum { KB_PRESENCES = 64, KB_NGRAM_TABLES = 16, KB_LIFT_TABLES = 4 };

/* What a kept answer is about; beside it, at the same place of another array, is the answer. */
typedef struct kb_slot {
    bool made;
    uint32_t cluster;
    size_t n;
    kb_status status; /* not KB_OK: it could not be worked out, and is not tried again */
    uint64_t used;    /* when it was asked for last */
} kb_slot;

typedef struct kb_data {
    kb_workbench *workbench;
    kb_work_state state;
    kb_stage reached;            /* the last stage that was running */
    const kb_corpus *corpus;     /* NULL until loaded */
    size_t longest;              /* steps of the longest window in it */
    const kb_findings *findings; /* NULL until there are any */
    const kb_map *map;           /* NULL until there is one */
    kb_train_row *log;
    size_t log_count, log_capacity;
    uint64_t log_training; /* the training it is of */
    uint64_t version;      /* grows with every change of anything here */

    kb_cluster_facts *clusters; /* of the findings, by rising number, 0 first if there is one */
    size_t cluster_count;

    size_t splits[KB_SPLITS], unreadable; /* sessions; those without a good row */
    uint32_t *object_sessions; /* sessions in which each object is present; NULL until counted */
    uint32_t *counting;        /* the same, half way */
    size_t counted;            /* sessions gone through */

    kb_slot presence_slots[KB_PRESENCES];
    kb_presence presences[KB_PRESENCES];
    bool has_sequences; /* the next two are made; their counts stay 0 without memory */
    kb_truncations truncations;
    kb_joined joined;
    kb_slot ngram_slots[KB_NGRAM_TABLES];
    kb_ngrams ngrams[KB_NGRAM_TABLES];
    kb_slot lift_slots[KB_LIFT_TABLES];
    kb_lifts lifts[KB_LIFT_TABLES];
    uint64_t clock;
} kb_data;

/* DATA takes the workbench over, but does not close it. */
void kb_data_init(kb_data *data, kb_workbench *workbench);
/* Frees all but the workbench. */
void kb_data_free(kb_data *data);
/* Takes the news; true when something has changed. */
bool kb_data_update(kb_data *data);
/* Does one slice (some milliseconds) of what is worth knowing before it is asked for; true when
 * there is more. */
bool kb_data_work(kb_data *data);

/* The serial of the findings; 0 without. */
uint64_t kb_data_serial(const kb_data *data);
const kb_cluster_facts *kb_data_cluster(const kb_data *data,
                                        uint32_t number); /* NULL: no such cluster */
/* NULL without findings (or where the findings are of another corpus). */
const kb_assignment *kb_data_assigned(const kb_data *data, size_t session);
/* Cluster of the session, 0 when unknown. */
uint32_t kb_data_cluster_of(const kb_data *data, size_t session);
/* Objects of the cluster against all others (kb_presence_of); NULL without findings or memory. */
const kb_presence *kb_data_presence(kb_data *data, uint32_t cluster);
/* N-grams of length N before everybody's truncated sequences; NULL without an event log or memory.
 */
const kb_ngrams *kb_data_ngrams(kb_data *data, size_t n);
/* Those of each cluster's sessions against all others; groups are the findings' clusters, counted
 * from 1 in their order. NULL without findings, too. */
const kb_lifts *kb_data_lifts(kb_data *data, size_t n);
/* The first row of CLUSTER among those of LIFTS, and *COUNT, how many there are. */
size_t kb_data_lift_rows(const kb_data *data, const kb_lifts *lifts, uint32_t cluster,
                         size_t *count);
/* Why the panes that need the corpus, findings or map have to wait, in words for the user; NULL
 * when they need not. */
const char *kb_data_wait_corpus(const kb_data *data, char *text, size_t size);
const char *kb_data_wait_findings(const kb_data *data, char *text, size_t size);
const char *kb_data_wait_map(const kb_data *data, char *text, size_t size);

const char *kb_stage_name(kb_stage stage);

#endif
