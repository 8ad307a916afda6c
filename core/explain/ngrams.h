/* ngrams: what users did before a crash or eviction (MISSION S20).
 *
 * Per user by time: a START whose previous event exists and is not END was preceded by a crash; the
 * n - 1 events before it, oldest first, START itself left out, are one n-gram. Windows cross
 * earlier STARTs and ENDs; events that do not exist are empty leading columns. */
#ifndef KB_NGRAMS_H
#define KB_NGRAMS_H

#include "events.h"
#include "progress.h"
#include "status.h"

typedef struct kb_ngram_options {
    size_t n;          /* >= 2, <= 64. Default 3 */
    const char *start; /* default "app.launched" */
    const char *end;   /* default "app.terminated" */
} kb_ngram_options;

kb_ngram_options kb_ngram_defaults(void);

typedef struct kb_ngram_row {
    const uint32_t *events; /* n - 1 event ids, oldest first; KB_NAME_NONE: empty */
    uint64_t count;
    uint64_t users; /* distinct */
} kb_ngram_row;

typedef struct kb_ngrams {
    size_t n;
    kb_ngram_row *rows; /* counts falling, ties by the columns' names bytewise, empty first */
    size_t count;
    uint32_t *storage; /* behind rows[].events */
} kb_ngrams;

/* USERS[u] (kb_events_users flags; NULL: everybody): whose streams are counted. *OUT owns its
 * arrays until kb_ngrams_clear. */
kb_status kb_ngrams_of(kb_ngrams *out, const kb_events *events, const bool *users,
                       const kb_ngram_options *options, const kb_progress *progress, kb_error *err);
void kb_ngrams_clear(kb_ngrams *ngrams);

#endif
