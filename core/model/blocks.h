/* blocks: a set of sessions seen object by object, so that products with their input matrix X (n x
 * D) cost what is present, not n x D.
 *
 * For each of the model's objects: the rows of X in which it is present, and their values as
 * one dense block (rows x width). */
#ifndef KB_BLOCKS_H
#define KB_BLOCKS_H

#include "feature_view.h"
#include "status.h"

typedef struct kb_block_entry {
    uint32_t row;    /* position in the set */
    uint32_t series; /* index for kb_view_block */
} kb_block_entry;

typedef struct kb_blocks {
    const kb_view *view;
    const size_t *sessions; /* borrowed */
    size_t count;           /* n */
    size_t objects, width;
    size_t *start; /* objects + 1: entries of object j are start[j] .. start[j + 1] - 1, by rising
                      row */
    kb_block_entry *entries;
    size_t widest; /* the most rows any object has */
} kb_blocks;

/* VIEW and SESSIONS (COUNT corpus ids) outlive BLOCKS. */
kb_status kb_blocks_create(kb_blocks *blocks, const kb_view *view, const size_t *sessions,
                           size_t count, kb_error *err);
void kb_blocks_clear(kb_blocks *blocks);

static inline size_t kb_blocks_rows(const kb_blocks *blocks, size_t object)
{
    return blocks->start[object + 1] - blocks->start[object];
}

/* BLOCK (rows x width) becomes the values of OBJECT in its rows. */
void kb_blocks_fill(const kb_blocks *blocks, size_t object, float *block);

#endif
