/* ngrams: what users did before a crash or eviction (MISSION S20), counted. */
#ifndef KB_NGRAMS_H
#define KB_NGRAMS_H

#include "ngram_table.h"
#include "progress.h"
#include "truncations.h"

typedef struct kb_ngram_row {
    const uint32_t *events; /* width event ids, oldest first; KB_NAME_NONE: empty */
    size_t n;               /* its length */
    uint64_t count;
    uint64_t users; /* distinct */
} kb_ngram_row;

typedef struct kb_ngrams {
    size_t width;       /* the longest length - 1 */
    kb_ngram_row *rows; /* counts falling, ties by the columns' names bytewise, empty first */
    size_t count;
    size_t folded;     /* further rows, left out */
    uint32_t *storage; /* behind rows[].events */
} kb_ngrams;

/* *OUT owns its arrays until kb_ngrams_clear. Phase "n-grams". */
kb_status kb_ngrams_of(kb_ngrams *out, const kb_events *events, const kb_truncations *truncations,
                       const kb_ngram_options *options, const kb_progress *progress, kb_error *err);
void kb_ngrams_clear(kb_ngrams *ngrams);

#endif
