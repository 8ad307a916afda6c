/* ingest: the inside of a store and of what builds it. For store.c, ingest.c, assemble.c and their
 * tests only; everybody else sees store.h. */
#ifndef KB_INGEST_H
#define KB_INGEST_H

#include "names.h"
#include "partial.h"
#include "sizes.h"
#include "store.h"

struct kb_store {
    kb_names *sessions, *objects; /* ids in bytewise order */
    struct kb_window *windows;    /* by session */
    size_t timesteps;
    uint64_t nonzero, bytes;
    bool borrowed; /* the windows are somebody else's memory */
};

/* Consecutive samples of one session among those that wait. */
struct kb_segment {
    uint32_t session, begin, count;
};

/* What one thread has read: samples wait in the order of their arrival, and are worked into their
 * sessions' partials when there are enough of them. */
struct kb_ingest {
    kb_ingest_options options;
    size_t budget;
    kb_names *sessions, *objects;
    kb_names_trail session_trail, object_trail;
    struct kb_partial *partials; /* by session */
    size_t partials_count, partials_capacity;
    uint64_t stored; /* in all partials: values, rows, words of zeros, times */

    kb_time *times;
    uint32_t *sample_objects;
    float *values;
    size_t count, limit; /* worked in when count reaches limit */
    size_t times_capacity, sample_objects_capacity, values_capacity;
    struct kb_segment *segments;
    size_t segment_count, segments_capacity;

    kb_combiner *combiner;
    uint32_t *order; /* segments by session */
    uint32_t *ends;  /* by session: where its part of order ends */
    size_t order_capacity, ends_capacity;
    kb_time *gathered_times; /* a session's samples where its segments are several */
    uint32_t *gathered_objects;
    float *gathered_values;
    size_t gathered_times_capacity, gathered_objects_capacity, gathered_values_capacity;
};

/* How many samples may wait before they are worked in (default KB_INGEST_BUDGET). Any value gives
 * the same store. */
enum { KB_INGEST_BUDGET = KB_SIZE(1 << 18, 16) };
void kb_ingest_set_budget(kb_ingest *ingest, size_t samples);

/* Forgets the rows of SESSION. */
kb_status kb_ingest_drop(kb_ingest *ingest, uint32_t session, kb_error *err);
/* SESSION of FROM, settled, moves into TO as its session TO_SESSION, over what that has already;
 * FROM knows nothing of it any more but its name. Options of the two may differ: the window becomes
 * TO's. KB_ERR_MEMORY leaves both good, the session's rows lost. */
kb_status kb_ingest_move(kb_ingest *to, uint32_t to_session, kb_ingest *from, uint32_t session,
                         kb_error *err);

#endif
