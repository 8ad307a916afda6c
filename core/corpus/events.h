/* events: the log stream, one sequence per user in order of time (equal times keep the order of
 * reading). Immutable once built. */
#ifndef KB_EVENTS_H
#define KB_EVENTS_H

#include "columns.h"
#include "lanes.h"
#include "names.h"
#include "number.h"

typedef struct kb_event {
    kb_time time;
    uint32_t event;   /* id of its name */
    uint32_t session; /* id in the log's own session names, or KB_NAME_NONE */
} kb_event;

typedef struct kb_events kb_events;

/* --- reading: columns user, time, event (+ session) */
enum { KB_EVENT_COLUMNS = 4 };

/* How event files are read, and what they are read into. Made on the stack by kb_events_prepare;
 * the collector and the reader point into it. */
typedef struct kb_events_reading {
    kb_column columns[KB_EVENT_COLUMNS];
    kb_collector collector;
    kb_reader reader;
} kb_events_reading;

/* COLLECTOR: the number of the collector among those of the lanes. NAMES are borrowed. */
void kb_events_prepare(kb_events_reading *reading, const kb_column_names *names, size_t collector);
/* The log of all lanes' events, which are used up: what the lanes have can only be closed. */
kb_status kb_events_assemble(kb_events **out, const kb_lanes *lanes, size_t collector,
                             const kb_progress *progress, kb_error *err);

/* Reads COUNT files in the order given. */
kb_status kb_events_load(kb_events **out, const kb_file *inputs, size_t count,
                         const kb_column_names *names, const kb_reading *reading, kb_error *err);
void kb_events_free(kb_events *events);

/* --- asking */
size_t kb_events_count(const kb_events *events);
size_t kb_events_users(const kb_events *events); /* user ids follow the bytewise order of names */
const char *kb_events_user_name(const kb_events *events, size_t user);
size_t kb_events_find_user(const kb_events *events, const char *name); /* SIZE_MAX: not there */
/* The user's events by rising time. */
const kb_event *kb_events_of(const kb_events *events, size_t user, size_t *count);
size_t kb_events_kinds(
    const kb_events *events); /* distinct event names; ids follow their bytewise order */
const char *kb_events_kind_name(const kb_events *events, uint32_t event);
uint32_t kb_events_find_kind(const kb_events *events,
                             const char *name); /* KB_NAME_NONE: not there */
uint32_t kb_events_find_kind_n(const kb_events *events, const char *name,
                               size_t length); /* the same for LENGTH bytes */
size_t kb_events_sessions(
    const kb_events *events); /* distinct sessions named in the log; ids by reading */
const char *kb_events_session_name(const kb_events *events, uint32_t session);

#endif
