/* watch_state: what a watch keeps on disk, as a container (container.h): sections "watch" (how much
 * of the output is covered, which model, its name), "files" (follow.h), "sessions" (stream.h) and
 * "rates" (rates.h). */
#ifndef KB_WATCH_STATE_H
#define KB_WATCH_STATE_H

#include "follow.h"
#include "ledger.h"
#include "rates.h"

typedef struct kb_watch_about {
    kb_ledger_place place;
    uint64_t seed;  /* of the stream */
    uint64_t model; /* a number that tells models from each other */
} kb_watch_about;

/* Written whole or not at all, and on the disk. */
kb_status kb_watch_state_write(const char *path, const kb_watch_about *about,
                               const kb_follow *follow, kb_stream *stream, const kb_rates *rates,
                               kb_error *err);

typedef struct kb_watch_state kb_watch_state;

/* *OUT NULL: there is no such file. What it holds is handed out part by part, since the stream
 * needs the seed to be made. */
kb_status kb_watch_state_open(kb_watch_state **out, kb_watch_about *about, const char *path,
                              kb_error *err);
kb_status kb_watch_state_read(kb_watch_state *state, kb_follow *follow, kb_stream *stream,
                              double now, kb_error *err);
/* KB_ERR_FORMAT where the clusters are others, and RATES are as new. */
kb_status kb_watch_state_read_rates(kb_watch_state *state, kb_rates *rates, kb_error *err);
void kb_watch_state_close(kb_watch_state *state); /* NULL is fine */

#endif
