/* progress: how long work tells where it is and learns that it should stop.
 *
 * Every function that may run longer than about 100 ms takes a `const kb_progress *` (NULL: nobody
 * listens, never cancelled), reports into it, and returns KB_ERR_CANCELLED soon after the flag is
 * raised. The listener is called on the thread that does the work; it must be quick and must not
 * call back into the library. */
#ifndef KB_PROGRESS_H
#define KB_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "status.h"

/* Where work is. */
typedef struct kb_progress_state {
    const char *phase;    /* a short noun phrase with static lifetime: "reading", "training" */
    uint64_t done, total; /* in any unit that grows evenly; total 0 when unknown */
    bool bytes;           /* the unit is bytes */
    uint64_t rows;        /* read so far; 0 where there are none */
    unsigned part,
        parts; /* the same work is done PARTS times and this is the PART-th, from 1; 0: once */
} kb_progress_state;

typedef struct kb_progress {
    void (*report)(void *ctx, const kb_progress_state *state); /* may be NULL */
    void *ctx;
    /* Set by any thread or a signal handler, read by the worker; may be NULL. */
    const atomic_bool *cancel;
    /* Work that is part of other work is cancelled with it; may be NULL. */
    const struct kb_progress *outer;
} kb_progress;

static inline void kb_progress_tell(const kb_progress *progress, const kb_progress_state *state)
{
    if (progress && progress->report)
        progress->report(progress->ctx, state);
}

static inline void kb_progress_report(const kb_progress *progress, const char *phase, uint64_t done,
                                      uint64_t total)
{
    kb_progress_state state = {.phase = phase, .done = done, .total = total};
    kb_progress_tell(progress, &state);
}

static inline bool kb_cancelled(const kb_progress *progress)
{
    for (; progress; progress = progress->outer)
        if (progress->cancel && atomic_load_explicit(progress->cancel, memory_order_relaxed))
            return true;
    return false;
}

/* KB_ERR_CANCELLED where it is, for work that ends there. */
static inline kb_status kb_check_cancelled(const kb_progress *progress, kb_error *err)
{
    return kb_cancelled(progress) ? kb_fail(err, KB_ERR_CANCELLED, "cancelled") : KB_OK;
}

#endif
