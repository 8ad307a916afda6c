/* job: one piece of long work on a thread of its own, watched from another.
 *
 * The watcher polls kb_job_fd() beside its keyboard; the worker reports through the kb_progress it
 * is given. Progress is coalesced: the fd becomes readable at most 20 times a second for progress
 * (the last report is never lost), and at once when the work ends. The worker blocks every signal
 * but those of a fault of its own (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT), for which it has an
 * alternate stack, so that a handler which restores the terminal works there too. */
#ifndef KB_JOB_H
#define KB_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "progress.h"
#include "status.h"

typedef struct kb_job kb_job;

/* The work. Runs on the job's thread; returns KB_ERR_CANCELLED soon after PROGRESS->cancel is
 * raised. PROGRESS lives as long as the job, and its report may be called from any thread that the
 * work starts. */
typedef kb_status kb_job_work(void *ctx, const kb_progress *progress, kb_error *err);

typedef struct kb_job_state {
    char phase[48];       /* "training", "training 2/5"; "" before the first report */
    uint64_t done, total; /* of the phase; total 0: unknown */
    bool bytes;           /* done and total are bytes */
    uint64_t rows;        /* read so far in the phase; 0 where there are none */
    double phase_seconds; /* since the phase began; stands still once finished */
    double seconds;       /* since the job began; stands still once finished */
    bool finished;
    kb_status status; /* once finished */
    kb_error error;   /* once finished and status is not KB_OK */
} kb_job_state;

/* CTX is not owned; it must live until the job is freed. KB_ERR_MEMORY or KB_ERR_IO when no thread
 * or no descriptor is to be had. */
kb_status kb_job_start(kb_job **out, kb_job_work *work, void *ctx, kb_error *err);
int kb_job_fd(
    const kb_job *job); /* readable when there is news; drained by kb_job_poll; owned by the job */
void kb_job_poll(kb_job *job, kb_job_state *state);
/* From the worker: makes the fd readable now (a snapshot was published). */
void kb_job_poke(kb_job *job);
void kb_job_cancel(kb_job *job); /* async-signal-safe */
/* Waits at most SECONDS (negative: for ever) for the work to end; true when it has. */
bool kb_job_wait(kb_job *job, double seconds);
/* Joins and frees; the work must have ended (kb_job_wait true), otherwise this waits for it. NULL
 * is fine. */
void kb_job_free(kb_job *job);

#endif
