/* traits: what an object did in each session that has it, in three numbers, so that any set of
 * sessions can be compared with any other without reading the corpus again.
 *
 *     mean   over the steps at which it is present (not zero)
 *     level  over all steps of the session's window: the mean of the whole
 *     rise   mean of the window's last quarter - the largest mean of the quarters before it: how
 * far the end goes beyond anything there was. What filled up early, comes in bursts or climbed a
 * step once has none; what leaks has. A window of fewer than four steps is cut into as many parts
 * as it has steps; one step has no rise.
 *
 * Raw counts, all objects. Immutable once made; any number of threads may read it. */
#ifndef KB_TRAITS_H
#define KB_TRAITS_H

#include "corpus.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

typedef struct kb_trait {
    uint32_t session; /* corpus id */
    uint32_t steps;   /* at which it is present, >= 1 */
    float mean, level, rise;
} kb_trait;

typedef struct kb_traits {
    const kb_corpus *corpus; /* borrowed */
    size_t objects;
    size_t *start;   /* objects + 1: those of object j are items start[j] .. start[j + 1] - 1 */
    kb_trait *items; /* by object, then by rising session */
} kb_traits;

/* CORPUS outlives TRAITS. Reports phase "measuring objects". *OUT owns its arrays until
 * kb_traits_clear. */
kb_status kb_traits_create(kb_traits *out, const kb_corpus *corpus, kb_pool *pool,
                           const kb_progress *progress, kb_error *err);
void kb_traits_clear(kb_traits *traits); /* fine on a zeroed struct */

static inline size_t kb_traits_count(const kb_traits *traits, size_t object)
{
    return traits->start[object + 1] - traits->start[object];
}

/* The traits of SERIES in a window of LENGTH (>= 1) steps; session is left 0. */
kb_trait kb_trait_of(const kb_series *series, size_t length);

#endif
