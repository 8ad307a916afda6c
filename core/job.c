/* The descriptor is a timer: progress arms it for the earliest moment that the pace allows, an end
 * or a poke for now. So reports are coalesced without a thread of their own, and the last one
 * before a silence is still told. */
#include "job.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "thread.h"

enum { STACK_BYTES = 64 * 1024 };

static const int64_t SECOND = 1000000000, PACE = 50000000; /* ns */

struct kb_job {
    kb_job_work *work;
    void *ctx;
    kb_progress progress;
    int timer;
    pthread_t thread;
    void *signal_stack;
    atomic_bool cancel; /* written by anyone, read by the work */

    pthread_mutex_t lock; /* guards what follows: written by the worker, read by the watcher */
    pthread_cond_t ended;
    kb_job_state state;
    int64_t began, phase_began, finished_at;
    int64_t due; /* when the timer goes, or last went, off */
    bool news;   /* armed and not yet drained by the watcher */
};

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

/* Under the lock. A time that has passed makes the descriptor readable at once. */
static void arm(kb_job *job, int64_t due)
{
    struct itimerspec when = {.it_value = {due / SECOND, due % SECOND}};
    timerfd_settime(job->timer, TFD_TIMER_ABSTIME, &when, NULL);
    job->due = due;
    job->news = true;
}

static void tell_now(kb_job *job)
{
    int64_t t = now();
    if (!job->news || job->due > t)
        arm(job, t);
}

/* "training", or "training 2/5". */
static void set_phase(kb_job *job, const kb_progress_state *progress, int64_t t)
{
    char phase[sizeof job->state.phase];
    if (progress->parts)
        snprintf(phase, sizeof phase, "%.24s %u/%u", progress->phase, progress->part,
                 progress->parts);
    else
        snprintf(phase, sizeof phase, "%s", progress->phase);
    if (strcmp(job->state.phase, phase) == 0)
        return;
    memcpy(job->state.phase, phase, sizeof phase);
    job->phase_began = t;
}

static void report(void *ctx, const kb_progress_state *progress)
{
    kb_job *job = ctx;
    int64_t t = now();
    pthread_mutex_lock(&job->lock);
    set_phase(job, progress, t);
    job->state.done = progress->done;
    job->state.total = progress->total;
    job->state.bytes = progress->bytes;
    job->state.rows = progress->rows;
    if (!job->news)
        arm(job, job->due + PACE > t ? job->due + PACE : t);
    pthread_mutex_unlock(&job->lock);
}

static void finish(kb_job *job, kb_status status, const kb_error *error)
{
    pthread_mutex_lock(&job->lock);
    job->finished_at = now();
    job->state.finished = true;
    job->state.status = status;
    if (status) {
        job->state.error = *error;
        job->state.error.status = status;
    }
    tell_now(job);
    pthread_cond_broadcast(&job->ended);
    pthread_mutex_unlock(&job->lock);
}

static void *run(void *arg)
{
    kb_job *job = arg;
    stack_t own = {.ss_sp = job->signal_stack, .ss_size = STACK_BYTES}, before;
    sigaltstack(&own, &before);
    kb_error error = {.status = KB_OK, .text = ""};
    kb_status status = job->work(job->ctx, &job->progress, &error);
    sigaltstack(&before, NULL);
    finish(job, status, &error);
    return NULL;
}

static void init_lock(kb_job *job)
{
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&job->lock, NULL);
    pthread_cond_init(&job->ended, &clock);
    pthread_condattr_destroy(&clock);
}

static void dispose(kb_job *job)
{
    if (job->timer >= 0)
        close(job->timer);
    pthread_cond_destroy(&job->ended);
    pthread_mutex_destroy(&job->lock);
    free(job->signal_stack);
    free(job);
}

kb_status kb_job_start(kb_job **out, kb_job_work *work, void *ctx, kb_error *err)
{
    *out = NULL;
    kb_job *job = kb_calloc(1, sizeof *job);
    if (!job)
        return kb_fail_memory(err, "a job");
    job->work = work;
    job->ctx = ctx;
    atomic_init(&job->cancel, false);
    job->progress = (kb_progress){.report = report, .ctx = job, .cancel = &job->cancel};
    job->began = job->phase_began = now();
    job->due = job->began - PACE;
    init_lock(job);
    job->signal_stack = malloc(STACK_BYTES);
    job->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    int error = job->timer < 0       ? errno
                : !job->signal_stack ? ENOMEM
                                     : kb_thread_start(&job->thread, run, job);
    if (error) {
        dispose(job);
        return kb_fail_errno(err, "background work", "cannot be started", error);
    }
    *out = job;
    return KB_OK;
}

int kb_job_fd(const kb_job *job)
{
    return job->timer;
}

static double seconds_between(int64_t from, int64_t to)
{
    return (double)(to - from) / (double)SECOND;
}

void kb_job_poll(kb_job *job, kb_job_state *state)
{
    pthread_mutex_lock(&job->lock);
    uint64_t expirations;
    if (read(job->timer, &expirations, sizeof expirations) > 0)
        job->news = false;
    *state = job->state;
    int64_t t = state->finished ? job->finished_at : now();
    state->seconds = seconds_between(job->began, t);
    state->phase_seconds = seconds_between(job->phase_began, t);
    pthread_mutex_unlock(&job->lock);
}

void kb_job_poke(kb_job *job)
{
    pthread_mutex_lock(&job->lock);
    tell_now(job);
    pthread_mutex_unlock(&job->lock);
}

void kb_job_cancel(kb_job *job)
{
    atomic_store_explicit(&job->cancel, true, memory_order_relaxed);
}

static struct timespec deadline_after(double seconds)
{
    const double longest = 1e9; /* about 30 years: more would not fit the clock's type everywhere */
    int64_t t = now() + (int64_t)((seconds < longest ? seconds : longest) * (double)SECOND);
    return (struct timespec){t / SECOND, t % SECOND};
}

bool kb_job_wait(kb_job *job, double seconds)
{
    struct timespec deadline = deadline_after(seconds < 0 ? 0 : seconds);
    int error = 0;
    pthread_mutex_lock(&job->lock);
    while (!job->state.finished && error != ETIMEDOUT)
        error = seconds < 0 ? pthread_cond_wait(&job->ended, &job->lock)
                            : pthread_cond_timedwait(&job->ended, &job->lock, &deadline);
    bool finished = job->state.finished;
    pthread_mutex_unlock(&job->lock);
    return finished;
}

void kb_job_free(kb_job *job)
{
    if (!job)
        return;
    pthread_join(job->thread, NULL);
    dispose(job);
}
