/* ingest: the inside of a store and of what builds it. For store.c, ingest.c and their tests only;
 * everybody else sees store.h. */
#ifndef KB_INGEST_H
#define KB_INGEST_H

#include "store.h"

/* A present object's readings: values[offset .. offset + count) of its window, from step FIRST on.
 */
struct kb_run {
    uint32_t object;
    uint16_t first, count;
    size_t offset;
};

/* One session's window. The three arrays are one block of memory, which starts at times; NULL
 * without rows. */
struct kb_window {
    kb_time *times; /* length, rising */
    struct kb_run *runs;
    float *values;
    size_t length, run_count, value_count;
};

struct kb_store {
    kb_names *sessions, *objects; /* ids in bytewise order */
    struct kb_window *windows;    /* by session */
    size_t timesteps;
    uint64_t nonzero, bytes;
};

/* How many samples may wait before they are worked into their windows (default KB_INGEST_BUDGET).
 * Any value gives the same store. */
enum { KB_INGEST_BUDGET = 1 << 20 };
void kb_ingest_set_budget(kb_ingest *ingest, size_t samples);

#endif
