/* truncations: where users' logs say that the app went away without a word (MISSION S20).
 *
 * Per user by time: a START whose previous event exists and is not END was preceded by a crash or
 * an eviction; what led up to it is a truncated sequence. Some such starts have a harmless reason,
 * and can be left out: the user's first, and those beside an event that tells of an update or a
 * kill. */
#ifndef KB_TRUNCATIONS_H
#define KB_TRUNCATIONS_H

#include "events.h"
#include "progress.h"
#include "status.h"

typedef struct kb_truncation_options {
    const char *start;  /* default "app.launched" */
    const char *end;    /* default "app.terminated" */
    bool no_first;      /* leave out the first START of each user's log */
    const char *after;  /* "EVENT,EVENT...": leave out a START right after one; NULL: none */
    const char *before; /* the same for one right before such an event: what an app logs of an
                           update when it is back */
    bool no_explained;  /* kb_explaining_events, on either side, too */
} kb_truncation_options;

kb_truncation_options kb_truncation_defaults(void);
/* What is wrong with OPTIONS, as KB_ERR_USAGE. */
kb_status kb_truncation_check(const kb_truncation_options *options, kb_error *err);

/* Names that logs commonly have for what explains a start: updates of the app or the system, a
 * reboot, the user's ending the app. NULL ends the list. */
extern const char *const kb_explaining_events[];

typedef struct kb_truncation {
    uint32_t user;
    uint64_t start; /* place of the START among the user's events, >= 1 */
} kb_truncation;

/* Why a START was left out: the first of these that holds. */
typedef enum kb_left_out { KB_LEFT_FIRST, KB_LEFT_AFTER, KB_LEFT_BEFORE } kb_left_out;

enum { KB_LEFT_OUT = 3 };

typedef struct kb_truncations {
    kb_truncation *items; /* by user, then by time */
    size_t count, capacity;
    uint64_t left_out[KB_LEFT_OUT]; /* beyond count */
    size_t unknown; /* events of the lists of after and before (not of the well-known) that the log
                       does not have */
} kb_truncations;

/* USERS[u] (kb_events_users flags; NULL: everybody): whose logs are looked at. *OUT owns its array
 * until kb_truncations_clear. Phase "looking for starts". */
kb_status kb_truncations_find(kb_truncations *out, const kb_events *events, const bool *users,
                              const kb_truncation_options *options, const kb_progress *progress,
                              kb_error *err);
void kb_truncations_clear(kb_truncations *truncations);

#endif
