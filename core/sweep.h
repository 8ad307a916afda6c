/* sweep: labels for the sessions of a corpus that is too large to be held in memory.
 *
 * Its files are read one after the other through a stream (stream.h), and what is kept of a session
 * is its name and its label. That is right as long as the rows of each session lie together, or not
 * farther apart than there are sessions that may be open; where that turns out to be otherwise, the
 * corpus has to be read whole. */
#ifndef KB_SWEEP_H
#define KB_SWEEP_H

#include "filter.h"

typedef struct kb_swept {
    const char *name; /* in the sweep's names */
    kb_assignment assigned;
} kb_swept;

typedef struct kb_sweep {
    kb_names *names;
    kb_swept *items; /* by name */
    size_t count;
    bool spread; /* the rows of a session lie too far apart, or there are none: nothing is known */
    size_t damaged;        /* files whose end is lost */
    kb_problems *problems; /* found, in the order of the files */
} kb_sweep;

/* How much memory PATH may take when it is read whole, about: a fifth of its text. 0: not known. */
uint64_t kb_sweep_estimate(const char *path);

/* READING: timesteps, fill and columns count. Bad rows are left out, and problems not told yet.
 * SPLIT: a kb_split, or KB_SPLITS for all sessions. OUT is cleared with kb_sweep_clear, whatever is
 * returned. */
kb_status kb_sweep_assign(kb_sweep *out, const char *path, const kb_model *model,
                          const kb_corpus_options *reading, int split, kb_pool *pool,
                          const kb_progress *progress, kb_error *err);
void kb_sweep_clear(kb_sweep *sweep);

#endif
