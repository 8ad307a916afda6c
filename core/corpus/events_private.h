/* events_private: the inside of a log, for events.c and events_pack.c only. */
#ifndef KB_EVENTS_PRIVATE_H
#define KB_EVENTS_PRIVATE_H

#include "events.h"

struct kb_events {
    kb_names *users, *kinds, *sessions;
    kb_event *items; /* by user, then by time */
    uint64_t *ends;  /* by user: where its events end */
    size_t count;
    bool borrowed; /* items and ends are somebody else's memory */
};

#endif
