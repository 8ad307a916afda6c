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

typedef struct kb_progress {
    /* PHASE is a short noun phrase with static lifetime ("reading", "training"); DONE of TOTAL in
     * any unit that grows evenly (bytes, epochs, iterations); TOTAL 0 when unknown. May be NULL. */
    void (*report)(void *ctx, const char *phase, uint64_t done, uint64_t total);
    void *ctx;
    /* Set by any thread or a signal handler, read by the worker; may be NULL. */
    const atomic_bool *cancel;
} kb_progress;

static inline void kb_progress_report(const kb_progress *progress, const char *phase, uint64_t done,
                                      uint64_t total)
{
    if (progress && progress->report)
        progress->report(progress->ctx, phase, done, total);
}

static inline bool kb_cancelled(const kb_progress *progress)
{
    return progress && progress->cancel &&
           atomic_load_explicit(progress->cancel, memory_order_relaxed);
}

#endif
