/* partial: what some of a corpus's rows say of one session. A window that still tells a reading of
 * zero from none at all, so that several can be laid over each other, and samples over them. The
 * inside of the store and of what builds it; everybody else sees store.h.
 *
 * Of a full window only the last t distinct times are kept: once a time has been pushed out it can
 * never come back, since t later ones are known. Where readings are held, the last one before the
 * window is kept of each object (its carry), by the same argument. */
#ifndef KB_PARTIAL_H
#define KB_PARTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "number.h"

/* A present object's readings: values[offset .. offset + count) of its window, from step FIRST on.
 */
struct kb_run {
    uint32_t object;
    uint16_t first, count;
    size_t offset;
};

/* One session's window in the store. The three arrays are one block of memory, which starts at
 * times; NULL without rows. */
struct kb_window {
    kb_time *times;      /* length, rising */
    struct kb_run *runs; /* by rising object */
    float *values;
    size_t length, run_count, value_count;
};

#define KB_NO_ZEROS UINT32_MAX

/* What is known of an object: as in a run, the readings from the first to the last that is not
 * zero; and a bit for each step where the reading is zero, the others being unknown. */
struct kb_row {
    size_t values;
    uint32_t zeros; /* where its (length + 31) / 32 words start, or KB_NO_ZEROS */
    uint32_t object;
    uint16_t first, count;
};

/* The last reading before the window; value < 0: none. */
struct kb_carry {
    kb_time time;
    float value;
};

/* The five arrays are one block, which starts at times; all zero: nothing is known. */
struct kb_partial {
    kb_time *times;           /* length, rising */
    struct kb_carry *carries; /* by row; NULL unless readings are held */
    struct kb_row *rows;
    uint32_t *zeros;
    float *values;
    size_t length, row_count, zero_count, value_count;
};

/* A sample without an object is only a time. */
#define KB_NO_OBJECT UINT32_MAX

struct kb_samples {
    const kb_time *times;
    const uint32_t *objects;
    const float *values;
    size_t count; /* < 2^32 */
};

/* A partial and what its object ids become; NULL: they stay. */
struct kb_layer {
    const struct kb_partial *partial;
    const uint32_t *new_ids;
};

/* Room to work in, used again for each session. One thread at a time. */
typedef struct kb_combiner kb_combiner;

/* TIMESTEPS: t. OBJECTS: more than any object id; may be raised later. HOLD: carries are kept.
 * KEEP_ZEROS: zeros are told from unknown readings (also if HOLD), which must be where a result is
 * laid over another one. NULL: no memory. */
kb_combiner *kb_combiner_create(size_t timesteps, bool hold, bool keep_zeros);
void kb_combiner_free(kb_combiner *combiner); /* NULL is fine */
bool kb_combiner_objects(kb_combiner *combiner, size_t objects);

/* OUT (a new block) becomes COUNT layers, each over the one before, and SAMPLES (NULL: none) over
 * all of them in their order; what falls out of the window is left out. False: no memory. OUT may
 * not be one of the layers. */
bool kb_combine(kb_combiner *combiner, struct kb_partial *out, const struct kb_layer *layers,
                size_t count, const struct kb_samples *samples);

/* OUT (a new block) becomes the store's window of LAYER: readings held or zero where they are not
 * known, objects that are present only, by their ids. False: no memory. */
bool kb_conclude(kb_combiner *combiner, struct kb_window *out, const struct kb_layer *layer);

#endif
