/* store: the raw counts of ALL objects over each session's window, and nothing else.
 *
 * A window is a session's last t distinct times. Only objects that are present (any non-zero
 * reading in the window) take room, as one run of floats from their first to their last non-zero
 * reading. Selection and scaling are views of the store (feature_view.h). Session ids and object
 * ids follow the bytewise order of their names, so that they do not depend on how the files were
 * cut or read. Built once, then immutable: any number of threads may read it. */
#ifndef KB_STORE_H
#define KB_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "names.h"
#include "number.h"
#include "pool.h"
#include "progress.h"
#include "status.h"

typedef struct kb_store kb_store;

/* One present object of one session. values[j] is the reading at step first + j; steps outside the
 * run are zero. */
typedef struct kb_series {
    uint32_t object;
    uint32_t first, count; /* 0 <= first, count >= 1, first + count <= kb_store_length() */
    const float *values;
} kb_series;

size_t kb_store_sessions(const kb_store *store);
size_t kb_store_objects(const kb_store *store);
size_t kb_store_timesteps(const kb_store *store); /* t: no window is longer */
const char *kb_store_session_name(const kb_store *store, size_t session);
const char *kb_store_object_name(const kb_store *store, size_t object);
/* The id, or SIZE_MAX. */
size_t kb_store_find_session(const kb_store *store, const char *name);
size_t kb_store_find_object(const kb_store *store, const char *name);

size_t kb_store_length(const kb_store *store,
                       size_t session); /* steps in the window, 0 for a session without rows */
kb_time kb_store_time(const kb_store *store, size_t session, size_t step);
size_t kb_store_series_count(const kb_store *store, size_t session);
kb_series kb_store_series(const kb_store *store, size_t session,
                          size_t i); /* by rising object id */
bool kb_store_find_series(const kb_store *store, size_t session, uint32_t object, kb_series *out);

uint64_t kb_store_nonzero(const kb_store *store); /* readings that are not zero */
uint64_t kb_store_bytes(const kb_store *store);   /* memory held */

void kb_store_free(kb_store *store);

/* --- building
 * ----------------------------------------------------------------------------------------------------
 * Samples arrive in any order; of rows equal in session, object and time the last one added wins.
 * Memory follows the windows, not the input: what has slid out of a session's window is dropped as
 * rows come in. Several ingests may be filled at once, one by one thread each, with what lies
 * earlier and later in the input; any way to cut it gives the same store. */
typedef enum kb_fill {
    KB_FILL_ZERO, /* a sample that is not there is 0 */
    KB_FILL_HOLD  /* it is as the object's last one before it, also from before the window */
} kb_fill;

enum { KB_FILLS = 2 };

const char *kb_fill_name(kb_fill fill); /* "zero", "hold" */
bool kb_fill_parse(kb_fill *out, const char *text);

typedef struct kb_ingest_options {
    size_t timesteps; /* 1..65535 */
    kb_fill fill;
    bool one_of_several; /* the store is assembled from more than this one */
} kb_ingest_options;

typedef struct kb_ingest kb_ingest;

kb_status kb_ingest_create(kb_ingest **out, const kb_ingest_options *options, kb_error *err);
void kb_ingest_free(kb_ingest *ingest); /* NULL is fine */
/* Interns names (non-empty, <= KB_FIELD_MAX bytes, valid UTF-8: the caller has checked);
 * KB_NAME_NONE: no memory. */
uint32_t kb_ingest_session(kb_ingest *ingest, const char *name, size_t length);
uint32_t kb_ingest_object(kb_ingest *ingest, const char *name, size_t length);
kb_status kb_ingest_add(kb_ingest *ingest, uint32_t session, uint32_t object, kb_time time,
                        float value, kb_error *err);
/* A row of the session at TIME, without a reading: the time counts. */
kb_status kb_ingest_add_time(kb_ingest *ingest, uint32_t session, kb_time time, kb_error *err);
/* Works all samples that wait into their windows. */
kb_status kb_ingest_settle(kb_ingest *ingest, kb_error *err);
/* Frees what only reading needs; no samples may be added any more. */
void kb_ingest_rest(kb_ingest *ingest);

/* The store of COUNT (> 0) INGESTS, of equal options, each later in the input than those before.
 * Whatever it returns they are used up and can only be freed. Reports phase "sorting". */
kb_status kb_store_assemble(kb_store **out, kb_ingest **ingests, size_t count, kb_pool *pool,
                            const kb_progress *progress, kb_error *err);

#endif
