#include "split.h"

#include <math.h>
#include <stdlib.h>

#include "memory.h"
#include "rng.h"
#include "sorting.h"

enum { LEAST_FITTED = 4 };

size_t kb_held_out_size(size_t n)
{
    size_t size = (size_t)lround(.08 * (double)n);
    if (n >= 500 && size < 50)
        size = 50;
    return size ? size : 1;
}

static size_t select_with_rows(const kb_corpus *corpus, kb_split split, size_t *ids)
{
    size_t found = kb_corpus_select(corpus, split, ids), kept = 0;
    for (size_t i = 0; i < found; i++)
        if (kb_corpus_session(corpus, ids[i])->has_rows)
            ids[kept++] = ids[i];
    return kept;
}

/* Moves a random part of the fitted sessions to the held-out ones. */
static void draw_held_out(kb_fit_split *split, uint64_t seed)
{
    size_t n = split->fitted_count, size = kb_held_out_size(n);
    kb_rng rng = kb_rng_start(seed, KB_STREAM_SPLIT);
    kb_rng_shuffle(&rng, split->fitted, n);
    for (size_t i = 0; i < size; i++)
        split->held_out[i] = split->fitted[n - size + i];
    split->fitted_count = n - size;
    split->held_out_count = size;
    split->drawn = true;
    kb_sort_sizes(split->fitted, split->fitted_count);
    kb_sort_sizes(split->held_out, size);
}

kb_status kb_fit_split_make(kb_fit_split *split, const kb_corpus *corpus, uint64_t seed,
                            kb_error *err)
{
    size_t sessions = kb_corpus_sessions(corpus);
    *split = (kb_fit_split){.fitted = kb_calloc(sessions, sizeof(size_t)),
                            .held_out = kb_calloc(sessions, sizeof(size_t))};
    if (!split->fitted || !split->held_out) {
        kb_fit_split_clear(split);
        return kb_fail_memory(err, "the split");
    }
    split->fitted_count = select_with_rows(corpus, KB_SPLIT_TRAIN, split->fitted);
    split->held_out_count = select_with_rows(corpus, KB_SPLIT_VALIDATION, split->held_out);
    size_t usable = split->fitted_count;
    if (usable > LEAST_FITTED && !split->held_out_count)
        draw_held_out(split, seed);
    if (split->fitted_count < LEAST_FITTED || !split->held_out_count) {
        kb_fit_split_clear(split);
        return kb_fail(err, KB_ERR_FORMAT,
                       "%s: %zu sessions to train on, but at least %d are needed",
                       kb_corpus_path(corpus), usable, LEAST_FITTED + 1);
    }
    return KB_OK;
}

void kb_fit_split_clear(kb_fit_split *split)
{
    free(split->fitted);
    free(split->held_out);
    *split = (kb_fit_split){0};
}
