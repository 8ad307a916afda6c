/* split: which sessions a model is fitted on and which are held out (INTERFACE, "Splits"). */
#ifndef KB_SPLIT_H
#define KB_SPLIT_H

#include "corpus.h"
#include "status.h"

typedef struct kb_fit_split {
    size_t *fitted, *held_out; /* corpus ids, rising; sessions without rows are in neither */
    size_t fitted_count, held_out_count;
    bool drawn; /* the held-out ones were drawn from the train split, for want of a validation split
                 */
} kb_fit_split;

/* How many of N are drawn: round(.08 N), at least 50 when N >= 500, at least 1. */
size_t kb_held_out_size(size_t n);

/* KB_ERR_FORMAT when fewer than 4 sessions can be fitted. */
kb_status kb_fit_split_make(kb_fit_split *split, const kb_corpus *corpus, uint64_t seed,
                            kb_error *err);
void kb_fit_split_clear(kb_fit_split *split);

#endif
