/* ngram_table: the distinct n-grams of several lengths before truncated sequences, and which of
 * them say no more than a longer one.
 *
 * The n-gram of length n of a sequence are the n - 1 events before its START, oldest first. All
 * lengths share one width: shorter ones have empty events (KB_NAME_NONE) in front. A sequence whose
 * log begins too late for a length has none of that length, except of the shortest, where the
 * events that do not exist are empty. */
#ifndef KB_NGRAM_TABLE_H
#define KB_NGRAM_TABLE_H

#include "events.h"
#include "status.h"
#include "truncations.h"
#include "tuples.h"

enum { KB_NGRAM_MAX = 64 };

typedef struct kb_ngram_options {
    size_t least, most; /* lengths, 2 <= least <= most <= KB_NGRAM_MAX. Default 3, 3 */
    double fold; /* 0..1: a shorter n-gram is left out when a longer one of those shown, which
                    it ends, has at least this share of its count; 0: never. Default 0.95 */
} kb_ngram_options;

kb_ngram_options kb_ngram_defaults(void);
/* What is wrong with OPTIONS, as KB_ERR_USAGE. */
kb_status kb_ngram_check(const kb_ngram_options *options, kb_error *err);

typedef struct kb_ngram_table {
    size_t least, most;
    kb_tuples tuples; /* width most - 1 */
    size_t *parents;  /* by tuple: the one without the oldest event, which comes before it in the
                         table; SIZE_MAX: there is none */
    size_t parents_capacity;
} kb_ngram_table;

/* OPTIONS are checked ones. */
void kb_ngram_table_init(kb_ngram_table *table, const kb_ngram_options *options);
void kb_ngram_table_clear(kb_ngram_table *table);
/* IDS (room for KB_NGRAM_MAX) becomes the numbers in table->tuples of what came before T, of rising
 * length. Returns how many, >= 1; 0: no memory. */
size_t kb_ngram_table_add(kb_ngram_table *table, const kb_events *events, const kb_truncation *t,
                          size_t *ids);
/* The length of tuple I: its events + 1, and the least for a shorter one. */
size_t kb_ngram_table_length(const kb_ngram_table *table, size_t i);
/* < 0, 0, > 0 as the events of A come before those of B (WIDTH ids each): by the names' bytes,
 * empty first. */
int kb_ngram_compare(const uint32_t *a, const uint32_t *b, size_t width);

/* FOLDED[i] becomes whether row i is left out by the rule of kb_ngram_options.fold = SHARE, of
 * COUNT rows with COUNTS; PARENTS[i] < i, or SIZE_MAX. BEST: scratch, COUNT items. Returns how
 * many. */
size_t kb_ngram_fold(bool *folded, uint64_t *best, const uint64_t *counts, const size_t *parents,
                     size_t count, double share);

#endif
