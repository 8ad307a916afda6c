/* One job at a time; kb_workbench_update() starts the next when one has ended. What a job makes
 * becomes visible in two ways: small things that grow (log, notes, snapshots) under the lock while
 * it runs; corpus and model when it has ended, on the screen's thread. */
#include "workbench.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "memory.h"
#include "model_private.h"
#include "modelfile.h"
#include "runs.h"

struct counted_findings {
    atomic_size_t references;
    kb_findings findings;
};

struct counted_map {
    atomic_size_t references;
    kb_map map;
};

enum { MAP_EVERY = 20 /* iterations between map snapshots */ };

struct kb_workbench {
    kb_workbench_options options; /* strings are owned */
    kb_pool *pool;
    int epoll;
    kb_job *job; /* NULL when idle */
    kb_stage stage;
    kb_job_state last;
    bool failed, cancelled;
    bool cancelling; /* asked for; the stage may end well all the same, but is the last */

    /* Requests, taken up when the job has ended; only the screen's thread. */
    bool want_calibration, want_training;
    size_t want_k;
    uint64_t seed; /* of the next training */
    uint64_t trainings;

    /* Written by the worker while its job runs, by the screen's thread otherwise. */
    kb_corpus *corpus_made;
    kb_model *model_made;
    kb_model *model;    /* calibrated in place by the worker */
    size_t k;           /* of the running calibration */
    bool recalibrating; /* even if the model has clusters */

    /* Only the screen's thread. */
    kb_corpus *corpus;
    bool mapped; /* the map belongs to the present model */

    atomic_ullong problems;
    pthread_mutex_t lock; /* guards everything below */
    uint64_t serial;
    struct counted_findings *findings;
    struct counted_map *map;
    kb_train_row *log;
    size_t log_count, log_capacity;
    char **notes;
    size_t note_count, note_capacity;
};

/* --- snapshots ---------------------------------------------------------------------------- */

static struct counted_findings *counted_of_findings(const kb_findings *findings)
{
    return (struct counted_findings *)((char *)(uintptr_t)findings -
                                       offsetof(struct counted_findings, findings));
}

static struct counted_map *counted_of_map(const kb_map *map)
{
    return (struct counted_map *)((char *)(uintptr_t)map - offsetof(struct counted_map, map));
}

void kb_findings_release(const kb_findings *findings)
{
    if (!findings)
        return;
    struct counted_findings *c = counted_of_findings(findings);
    if (atomic_fetch_sub(&c->references, 1) != 1)
        return;
    kb_elbow_clear(&c->findings.elbow);
    free(c->findings.clusters);
    for (size_t i = 0; c->findings.names && i < c->findings.k; i++)
        free(c->findings.names[i]);
    free(c->findings.names);
    free(c->findings.assigned);
    free(c);
}

void kb_map_release(const kb_map *map)
{
    if (!map)
        return;
    struct counted_map *c = counted_of_map(map);
    if (atomic_fetch_sub(&c->references, 1) != 1)
        return;
    free(c->map.layout);
    free(c);
}

/* Takes over the caller's reference. */
static void publish_findings(kb_workbench *wb, struct counted_findings *c)
{
    pthread_mutex_lock(&wb->lock);
    struct counted_findings *old = wb->findings;
    c->findings.serial = ++wb->serial;
    wb->findings = c;
    pthread_mutex_unlock(&wb->lock);
    if (old)
        kb_findings_release(&old->findings);
}

static void publish_map(kb_workbench *wb, struct counted_map *c)
{
    pthread_mutex_lock(&wb->lock);
    struct counted_map *old = wb->map;
    c->map.serial = ++wb->serial;
    wb->map = c;
    pthread_mutex_unlock(&wb->lock);
    if (old)
        kb_map_release(&old->map);
}

const kb_findings *kb_workbench_findings(kb_workbench *wb)
{
    pthread_mutex_lock(&wb->lock);
    struct counted_findings *c = wb->findings;
    if (c)
        atomic_fetch_add(&c->references, 1);
    pthread_mutex_unlock(&wb->lock);
    return c ? &c->findings : NULL;
}

const kb_map *kb_workbench_map(kb_workbench *wb)
{
    pthread_mutex_lock(&wb->lock);
    struct counted_map *c = wb->map;
    if (c)
        atomic_fetch_add(&c->references, 1);
    pthread_mutex_unlock(&wb->lock);
    return c ? &c->map : NULL;
}

/* --- what a worker tells ------------------------------------------------------------------ */

static void log_row(void *ctx, const kb_train_row *row)
{
    kb_workbench *wb = ctx;
    pthread_mutex_lock(&wb->lock);
    if (kb_grow((void **)&wb->log, &wb->log_capacity, wb->log_count + 1, sizeof *wb->log))
        wb->log[wb->log_count++] = *row;
    pthread_mutex_unlock(&wb->lock);
}

static void add_note(void *ctx, const char *text)
{
    kb_workbench *wb = ctx;
    char *copy = kb_strdup(text);
    pthread_mutex_lock(&wb->lock);
    if (copy &&
        kb_grow((void **)&wb->notes, &wb->note_capacity, wb->note_count + 1, sizeof *wb->notes))
        wb->notes[wb->note_count++] = copy;
    else
        free(copy);
    pthread_mutex_unlock(&wb->lock);
}

static void count_problem(void *ctx, const kb_problem *problem)
{
    (void)problem;
    kb_workbench *wb = ctx;
    atomic_fetch_add_explicit(&wb->problems, 1, memory_order_relaxed);
}

/* --- the stages' work, on the job's thread ------------------------------------------------ */

/* A model comes first: it says how long the windows of the corpus are. */
static kb_status load_work(void *ctx, const kb_progress *progress, kb_error *err)
{
    kb_workbench *wb = ctx;
    kb_corpus_options reading = wb->options.reading;
    reading.pool = wb->pool;
    if (wb->options.model) {
        kb_status status = kb_model_load(&wb->model_made, wb->options.model, err);
        if (status)
            return status;
        status =
            kb_features_adopt(kb_model_features(wb->model_made), &reading, wb->options.model, err);
        if (status)
            return status;
    }
    kb_status status =
        kb_corpus_load(&wb->corpus_made, wb->options.corpus, &reading, progress, err);
    if (!status && *kb_corpus_cache_note(wb->corpus_made))
        add_note(wb, kb_corpus_cache_note(wb->corpus_made));
    return status;
}

static kb_status train_work(void *ctx, const kb_progress *progress, kb_error *err)
{
    kb_workbench *wb = ctx;
    const kb_train_observer observer = {.live = log_row, .note = add_note, .ctx = wb};
    kb_calibrate_options calibration = wb->options.calibration;
    calibration.k = wb->k;
    kb_runs_result result;
    kb_elbow elbow; /* the next stage makes its own, with the findings */
    kb_status status =
        kb_train_runs(&wb->model_made, &elbow, &result, wb->corpus, wb->options.runs,
                      &wb->options.training, &calibration, &observer, wb->pool, progress, err);
    kb_elbow_clear(&elbow);
    return status;
}

static kb_status assign_all(kb_workbench *wb, kb_findings *f, const kb_progress *progress,
                            kb_error *err)
{
    f->sessions = kb_corpus_sessions(wb->corpus);
    f->assigned = kb_calloc(f->sessions, sizeof *f->assigned);
    size_t *ids = kb_calloc(f->sessions, sizeof *ids);
    kb_status status = f->assigned && ids ? KB_OK : kb_fail_memory(err, "assignments");
    for (size_t s = 0; !status && s < f->sessions; s++)
        ids[s] = s;
    if (!status)
        status = kb_assign(f->assigned, wb->model, wb->corpus, ids, f->sessions, wb->pool, progress,
                           err);
    free(ids);
    return status;
}

static kb_status copy_clusters(const kb_model *model, kb_findings *f, kb_error *err)
{
    f->k = kb_model_clusters(model);
    f->clusters = kb_calloc(f->k, sizeof *f->clusters);
    f->names = kb_calloc(f->k, sizeof *f->names);
    if (!f->clusters || !f->names)
        return kb_fail_memory(err, "clusters");
    for (size_t i = 0; i < f->k; i++) {
        f->clusters[i] = *kb_model_cluster(model, i);
        f->names[i] = kb_strdup(kb_model_cluster_name(model, f->clusters[i].number));
        if (!f->names[i])
            return kb_fail_memory(err, "names of clusters");
    }
    f->parameters = kb_model_parameters(model);
    f->latent = kb_model_latent(model);
    f->hidden = kb_model_hidden(model);
    f->inputs = kb_model_inputs(model);
    f->variant = kb_model_variant(model);
    return KB_OK;
}

/* Clusters, unless the model came with its own and nobody asked for others; then only the elbow,
 * which is left empty where there are too few sessions for one. */
static kb_status cluster_sessions(kb_workbench *wb, kb_elbow *elbow, const kb_progress *progress,
                                  kb_error *err)
{
    kb_calibrate_options options = wb->options.calibration;
    options.k = wb->k;
    if (!kb_model_calibrated(wb->model) || wb->recalibrating)
        return kb_calibrate(wb->model, wb->corpus, &options, elbow, wb->pool, progress, err);
    kb_status status =
        kb_elbow_of(elbow, wb->model, wb->corpus, &options, wb->pool, progress, NULL);
    return kb_cancelled(progress)    ? kb_fail(err, KB_ERR_CANCELLED, "cancelled")
           : status == KB_ERR_MEMORY ? kb_fail_memory(err, "the elbow")
                                     : KB_OK;
}

static kb_status make_findings(kb_workbench *wb, kb_findings *findings, const kb_progress *progress,
                               kb_error *err)
{
    kb_status status = cluster_sessions(wb, &findings->elbow, progress, err);
    if (!status)
        status = copy_clusters(wb->model, findings, err);
    if (!status)
        status = assign_all(wb, findings, progress, err);
    return status;
}

/* A calibration that is cancelled or fails half-way leaves the model as the screen knows it. */
static kb_status calibrate_work(void *ctx, const kb_progress *progress, kb_error *err)
{
    kb_workbench *wb = ctx;
    kb_clustering before;
    kb_status status = kb_clustering_copy(&before, wb->model, err);
    if (status)
        return status;
    struct counted_findings *c = kb_calloc(1, sizeof *c);
    if (!c) {
        kb_clustering_clear(&before);
        return kb_fail_memory(err, "findings");
    }
    atomic_init(&c->references, 1);
    status = make_findings(wb, &c->findings, progress, err);
    if (status) {
        kb_clustering_restore(&before, wb->model);
        kb_findings_release(&c->findings);
    } else {
        kb_clustering_clear(&before);
        publish_findings(wb, c);
    }
    return status;
}

struct mapping {
    kb_workbench *wb;
    size_t *ids; /* sessions with rows */
    size_t count, iterations;
};

/* LAYOUT (count x 2) spread over all sessions of the corpus. Without memory the snapshot is
 * skipped. */
static void publish_layout(void *ctx, const float *layout, size_t iteration)
{
    struct mapping *m = ctx;
    size_t sessions = kb_corpus_sessions(m->wb->corpus);
    struct counted_map *c = kb_calloc(1, sizeof *c);
    float *all = kb_calloc(sessions, 2 * sizeof *all);
    if (!c || !all) {
        free(c);
        free(all);
        return;
    }
    for (size_t i = 0; i < 2 * sessions; i++)
        all[i] = NAN;
    for (size_t i = 0; i < m->count; i++)
        memcpy(all + 2 * m->ids[i], layout + 2 * i, 2 * sizeof *all);
    atomic_init(&c->references, 1);
    c->map = (kb_map){
        .iteration = iteration, .iterations = m->iterations, .layout = all, .sessions = sessions};
    publish_map(m->wb, c);
}

static kb_status map_work(void *ctx, const kb_progress *progress, kb_error *err)
{
    kb_workbench *wb = ctx;
    size_t sessions = kb_corpus_sessions(wb->corpus);
    kb_tsne_options options = wb->options.map;
    struct mapping m = {
        .wb = wb, .ids = kb_calloc(sessions, sizeof(size_t)), .iterations = options.iterations};
    for (size_t s = 0; m.ids && s < sessions; s++)
        if (kb_corpus_session(wb->corpus, s)->has_rows)
            m.ids[m.count++] = s;
    float *layout = kb_calloc(m.count, 2 * sizeof *layout);
    options.snapshot = publish_layout;
    options.ctx = &m;
    options.report_every = MAP_EVERY;
    kb_status status = m.ids && layout ? KB_OK : kb_fail_memory(err, "the map");
    if (!status)
        status = kb_project(layout, wb->model, wb->corpus, m.ids, m.count, &options, wb->pool,
                            progress, err);
    if (!status)
        publish_layout(&m, layout, options.iterations);
    free(m.ids);
    free(layout);
    return status;
}

/* --- from stage to stage ------------------------------------------------------------------ */

static kb_job_work *const stage_work[] = {[KB_STAGE_LOAD] = load_work,
                                          [KB_STAGE_TRAIN] = train_work,
                                          [KB_STAGE_CALIBRATE] = calibrate_work,
                                          [KB_STAGE_MAP] = map_work};

static void fail_stage(kb_workbench *wb, const kb_error *err)
{
    wb->stage = KB_STAGE_IDLE;
    wb->failed = true;
    wb->last.finished = true;
    wb->last.status = err->status;
    wb->last.error = *err;
}

static void start_stage(kb_workbench *wb, kb_stage stage)
{
    kb_error err;
    wb->stage = stage;
    wb->failed = wb->cancelled = wb->cancelling = false;
    if (kb_job_start(&wb->job, stage_work[stage], wb, &err)) {
        fail_stage(wb, &err);
        return;
    }
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(wb->epoll, EPOLL_CTL_ADD, kb_job_fd(wb->job), &event) != 0) {
        kb_fail_errno(&err, "epoll", "cannot watch a job", errno);
        kb_job_cancel(wb->job);
        kb_job_free(wb->job); /* waits: nobody could be told of its end */
        wb->job = NULL;
        fail_stage(wb, &err);
    }
}

static void start_training(kb_workbench *wb)
{
    wb->want_training = false;
    wb->trainings++;
    wb->options.training.seed = wb->seed;
    pthread_mutex_lock(&wb->lock);
    wb->log_count = 0;
    pthread_mutex_unlock(&wb->lock);
    start_stage(wb, KB_STAGE_TRAIN);
}

static void start_calibration(kb_workbench *wb, size_t k, bool again)
{
    wb->want_calibration = false;
    wb->k = k;
    wb->recalibrating = again;
    start_stage(wb, KB_STAGE_CALIBRATE);
}

/* A new model takes the old one's place; the map was the old one's. */
static void install_model(kb_workbench *wb)
{
    kb_model_free(wb->model);
    wb->model = wb->model_made;
    wb->model_made = NULL;
    wb->mapped = false;
}

/* Takes what the stage has made; returns the stage that follows it. */
static kb_stage finish_stage(kb_workbench *wb)
{
    switch (wb->stage) {
    case KB_STAGE_LOAD:
        wb->corpus = wb->corpus_made;
        wb->corpus_made = NULL;
        if (!wb->model_made)
            return KB_STAGE_TRAIN;
        install_model(wb);
        return KB_STAGE_CALIBRATE;
    case KB_STAGE_TRAIN:
        install_model(wb);
        return KB_STAGE_CALIBRATE;
    case KB_STAGE_CALIBRATE:
        return wb->want_calibration ? KB_STAGE_CALIBRATE
               : wb->mapped         ? KB_STAGE_IDLE
                                    : KB_STAGE_MAP;
    case KB_STAGE_MAP:
        wb->mapped = true;
        return KB_STAGE_IDLE;
    case KB_STAGE_IDLE:
        break;
    }
    return KB_STAGE_IDLE;
}

static void stage_done(kb_workbench *wb)
{
    kb_stage next = finish_stage(wb);
    if (wb->cancelling && next != KB_STAGE_IDLE) {
        wb->stage = KB_STAGE_IDLE;
        wb->cancelled = true;
    } else if (next == KB_STAGE_TRAIN) {
        start_training(wb);
    } else if (next == KB_STAGE_CALIBRATE) {
        bool asked = wb->want_calibration;
        start_calibration(wb, asked ? wb->want_k : wb->options.calibration.k, asked);
    } else if (next == KB_STAGE_MAP) {
        start_stage(wb, next);
    } else {
        wb->stage = next;
    }
}

static void stage_failed(kb_workbench *wb)
{
    wb->cancelled = wb->last.status == KB_ERR_CANCELLED;
    wb->failed = !wb->cancelled;
    if (wb->failed) /* what was asked for since a cancel stands */
        wb->want_training = wb->want_calibration = false;
    wb->stage = KB_STAGE_IDLE;
}

/* Requests wait for an idle bench, so that there is never more than one job. */
static void take_request(kb_workbench *wb)
{
    if (wb->job || wb->stage != KB_STAGE_IDLE || !wb->corpus)
        return;
    if (wb->want_training)
        start_training(wb);
    else if (wb->want_calibration && wb->model)
        start_calibration(wb, wb->want_k, true);
}

void kb_workbench_update(kb_workbench *wb, kb_work_state *state)
{
    if (wb->job) {
        kb_job_poll(wb->job, &wb->last);
        if (wb->last.finished) {
            kb_job_free(wb->job); /* closing its descriptor takes it out of the epoll set */
            wb->job = NULL;
            if (wb->last.status == KB_OK)
                stage_done(wb);
            else
                stage_failed(wb);
        }
    }
    take_request(wb);
    *state = (kb_work_state){.stage = wb->stage,
                             .job = wb->last,
                             .paused_by_error = wb->failed,
                             .cancelled = wb->cancelled,
                             .trainings = wb->trainings,
                             .problems = atomic_load_explicit(&wb->problems, memory_order_relaxed)};
    pthread_mutex_lock(&wb->lock);
    state->log_rows = wb->log_count;
    pthread_mutex_unlock(&wb->lock);
}

/* --- opening and closing ------------------------------------------------------------------ */

static void dispose(kb_workbench *wb)
{
    kb_job_free(wb->job);
    if (wb->findings)
        kb_findings_release(&wb->findings->findings);
    if (wb->map)
        kb_map_release(&wb->map->map);
    for (size_t i = 0; i < wb->note_count; i++)
        free(wb->notes[i]);
    free(wb->notes);
    free(wb->log);
    kb_model_free(wb->model);
    kb_model_free(wb->model_made);
    kb_corpus_free(wb->corpus);
    kb_corpus_free(wb->corpus_made);
    kb_pool_free(wb->pool);
    free((void *)(uintptr_t)wb->options.corpus);
    free((void *)(uintptr_t)wb->options.model);
    if (wb->epoll >= 0)
        close(wb->epoll);
    pthread_mutex_destroy(&wb->lock);
    free(wb);
}

static kb_status set_up(kb_workbench *wb, const kb_workbench_options *options, kb_error *err)
{
    wb->options.corpus = kb_strdup(options->corpus);
    wb->options.model = options->model ? kb_strdup(options->model) : NULL;
    if (!wb->options.corpus || (options->model && !wb->options.model))
        return kb_fail_memory(err, "the workbench");
    wb->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (wb->epoll < 0)
        return kb_fail_errno(err, "epoll", "cannot be made", errno);
    return kb_pool_create(&wb->pool, options->threads, err);
}

kb_status kb_workbench_open(kb_workbench **out, const kb_workbench_options *options, kb_error *err)
{
    *out = NULL;
    kb_workbench *wb = kb_calloc(1, sizeof *wb);
    if (!wb)
        return kb_fail_memory(err, "the workbench");
    wb->options = *options;
    wb->options.corpus = wb->options.model = NULL;
    wb->options.reading.problem = (kb_problem_listener){count_problem, wb};
    wb->seed = options->training.seed;
    wb->epoll = -1;
    pthread_mutex_init(&wb->lock, NULL);
    kb_status status = set_up(wb, options, err);
    if (status) {
        dispose(wb);
        return status;
    }
    start_stage(wb, KB_STAGE_LOAD);
    *out = wb;
    return KB_OK;
}

bool kb_workbench_close(kb_workbench *wb, double seconds)
{
    if (wb->job) {
        kb_job_cancel(wb->job);
        if (!kb_job_wait(wb->job, seconds))
            return false;
    }
    dispose(wb);
    return true;
}

/* --- small things ------------------------------------------------------------------------- */

int kb_workbench_fd(const kb_workbench *wb)
{
    return wb->epoll;
}

const kb_corpus *kb_workbench_corpus(const kb_workbench *wb)
{
    return wb->corpus;
}

size_t kb_workbench_log(kb_workbench *wb, size_t from, kb_train_row *rows, size_t max)
{
    pthread_mutex_lock(&wb->lock);
    size_t count = from < wb->log_count ? wb->log_count - from : 0;
    if (count > max)
        count = max;
    if (count)
        memcpy(rows, wb->log + from, count * sizeof *rows);
    pthread_mutex_unlock(&wb->lock);
    return count;
}

size_t kb_workbench_notes(kb_workbench *wb, size_t i, const char **text)
{
    pthread_mutex_lock(&wb->lock);
    size_t count = wb->note_count;
    if (i < count && text)
        *text = wb->notes[i];
    pthread_mutex_unlock(&wb->lock);
    return count;
}

void kb_workbench_recalibrate(kb_workbench *wb, size_t k)
{
    if (!wb->model)
        return;
    wb->want_k = k;
    wb->want_calibration = true;
    take_request(wb);
}

void kb_workbench_retrain(kb_workbench *wb)
{
    wb->want_training = true;
    wb->seed++;
    take_request(wb);
}

void kb_workbench_cancel(kb_workbench *wb)
{
    wb->want_training = wb->want_calibration = false;
    if (wb->job) {
        wb->cancelling = true;
        kb_job_cancel(wb->job);
    }
}

kb_status kb_workbench_save_model(kb_workbench *wb, const char *path, kb_error *err)
{
    if (!wb->model)
        return kb_fail(err, KB_ERR_USAGE, "there is no model to write yet");
    if (wb->job && wb->stage == KB_STAGE_CALIBRATE)
        return kb_fail(err, KB_ERR_USAGE, "the model is being calibrated: try again in a moment");
    return kb_model_save(wb->model, path, err);
}
