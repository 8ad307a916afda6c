/* events: the log stream, one sequence per user in order of time (equal times keep the order of
 * reading). Immutable once built. */
#ifndef KB_EVENTS_H
#define KB_EVENTS_H

#include "names.h"
#include "number.h"
#include "problems.h"
#include "progress.h"
#include "status.h"

typedef struct kb_event {
    kb_time time;
    uint32_t event;   /* id of its name */
    uint32_t session; /* id in the log's own session names, or KB_NAME_NONE */
} kb_event;

typedef struct kb_events kb_events;

/* Reads the files in the order given ("-": standard input); columns user, time, event (+ session).
 */
kb_status kb_events_load(kb_events **out, const char *const *paths, size_t count, bool strict,
                         kb_problems *problems, const kb_progress *progress, kb_error *err);
void kb_events_free(kb_events *events);

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
size_t kb_events_sessions(
    const kb_events *events); /* distinct sessions named in the log; ids by reading */
const char *kb_events_session_name(const kb_events *events, uint32_t session);

#endif
