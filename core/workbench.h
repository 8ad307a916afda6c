/* workbench: what the explorer looks at. It loads, trains or reads a model, calibrates and lays out
 * the map in a background job, and hands out immutable snapshots of what is known so far.
 *
 * One thread (the screen's) calls all functions here. Snapshots are reference-counted and never
 * change once handed out; each has a serial, and later ones have larger serials. Nothing here
 * blocks. */
#ifndef KB_WORKBENCH_H
#define KB_WORKBENCH_H

#include "job.h"
#include "pipeline.h"

typedef struct kb_workbench_options {
    const char *corpus; /* path */
    const char *model;  /* path to load; NULL: train */
    kb_corpus_options reading;
    kb_train_options training;
    kb_calibrate_options calibration;
    kb_tsne_options map;
    size_t runs; /* trainings, of which one is kept (runs.h); 0: as many as the corpus needs */
    size_t threads;
} kb_workbench_options;

typedef struct kb_workbench kb_workbench;

/* The stages, in order. A stage that failed or was cancelled leaves what earlier ones made. */
typedef enum kb_stage {
    KB_STAGE_LOAD,
    KB_STAGE_TRAIN,     /* or reading the model */
    KB_STAGE_CALIBRATE, /* elbow, clusters, assignments */
    KB_STAGE_MAP,       /* t-SNE */
    KB_STAGE_IDLE       /* everything asked for is done, failed or cancelled */
} kb_stage;

/* Clusters and assignments of one calibration. */
typedef struct kb_findings {
    uint64_t serial;
    kb_elbow elbow; /* empty where a loaded model meets too few sessions for one */
    size_t k;
    kb_cluster *clusters;    /* k, by rising number */
    char **names;            /* k: what users call them; "" without */
    kb_assignment *assigned; /* one a session of the corpus */
    size_t sessions;
    size_t parameters, latent, hidden, inputs; /* of the model */
    kb_variant variant;
} kb_findings;

/* Places of sessions in the plane. */
typedef struct kb_map {
    uint64_t serial;
    size_t iteration, iterations; /* equal once final */
    float *layout;                /* sessions x 2; NAN for a session without rows */
    size_t sessions;
} kb_map;

typedef struct kb_work_state {
    kb_stage stage;
    kb_job_state job;     /* of the running stage (or the last one) */
    bool paused_by_error; /* the last stage failed: job.error says how */
    bool cancelled;       /* the last stage was cancelled */
    uint64_t log_rows;    /* kb_workbench_log has this many */
    uint64_t trainings;   /* begun so far; each begins the log anew */
    uint64_t problems;    /* bad rows found so far */
} kb_work_state;

/* Starts at once with KB_STAGE_LOAD. OPTIONS and its strings are copied. */
kb_status kb_workbench_open(kb_workbench **out, const kb_workbench_options *options, kb_error *err);
int kb_workbench_fd(const kb_workbench *wb); /* poll for reading; drained by kb_workbench_update */
/* Takes the news, starts the next stage when one has ended, and fills STATE. Call when the fd is
 * readable (or any time). */
void kb_workbench_update(kb_workbench *wb, kb_work_state *state);

/* NULL until loaded; then valid as long as the workbench. */
const kb_corpus *kb_workbench_corpus(const kb_workbench *wb);
/* The newest snapshot, or NULL; the caller releases it. */
const kb_findings *kb_workbench_findings(kb_workbench *wb);
void kb_findings_release(const kb_findings *findings);
const kb_map *kb_workbench_map(kb_workbench *wb);
void kb_map_release(const kb_map *map);
/* Copies training log rows from FROM on, at most MAX; returns how many. */
size_t kb_workbench_log(kb_workbench *wb, size_t from, kb_train_row *rows, size_t max);
/* Notes for the user (kb_train_observer.note), newest last; returns how many there are; *TEXT
 * (static until the workbench is freed) the I-th. */
size_t kb_workbench_notes(kb_workbench *wb, size_t i, const char **text);

/* Requests. A request is taken up when the running
 * stage has ended, before the map; a cancel drops those made before it. */
void kb_workbench_recalibrate(kb_workbench *wb,
                              size_t k); /* 0: by the elbow; needs a model, otherwise ignored */
void kb_workbench_retrain(
    kb_workbench *wb); /* trains again from the start (after a cancel) with the next seed */
void kb_workbench_cancel(
    kb_workbench *wb); /* stops the running stage; later stages of the same chain are dropped */
/* Saves the current model; KB_ERR_USAGE while there is none or it is being changed. */
kb_status kb_workbench_save_model(kb_workbench *wb, const char *path, kb_error *err);

/* Cancels, waits at most SECONDS for the worker. True: stopped and everything freed. False: the
 * worker is inside a call that cannot be interrupted; nothing was freed, and the caller should
 * restore its terminal and _exit(). */
bool kb_workbench_close(kb_workbench *wb, double seconds);

#endif
