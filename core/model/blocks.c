#include "blocks.h"

#include <stdlib.h>

#include "memory.h"

/* Calls for each series of each session that is one of the model's objects. */
static void count_entries(kb_blocks *b, const kb_store *store)
{
    for (size_t row = 0; row < b->count; row++) {
        size_t n = kb_store_series_count(store, b->sessions[row]);
        for (size_t i = 0; i < n; i++) {
            size_t column =
                kb_view_column(b->view, kb_store_series(store, b->sessions[row], i).object);
            if (column != SIZE_MAX)
                b->start[column + 1]++;
        }
    }
    for (size_t j = 0; j < b->objects; j++) {
        if (b->start[j + 1] > b->widest)
            b->widest = b->start[j + 1];
        b->start[j + 1] += b->start[j];
    }
}

static void place_entries(kb_blocks *b, const kb_store *store, size_t *next)
{
    for (size_t row = 0; row < b->count; row++) {
        size_t n = kb_store_series_count(store, b->sessions[row]);
        for (size_t i = 0; i < n; i++) {
            size_t column =
                kb_view_column(b->view, kb_store_series(store, b->sessions[row], i).object);
            if (column != SIZE_MAX)
                b->entries[next[column]++] = (kb_block_entry){(uint32_t)row, (uint32_t)i};
        }
    }
}

kb_status kb_blocks_create(kb_blocks *blocks, const kb_view *view, const size_t *sessions,
                           size_t count, kb_error *err)
{
    const kb_features *features = kb_view_features(view);
    const kb_store *store = kb_corpus_store(kb_view_corpus(view));
    *blocks = (kb_blocks){.view = view,
                          .sessions = sessions,
                          .count = count,
                          .objects = kb_features_objects(features),
                          .width = kb_features_width(features)};
    blocks->start = kb_calloc(blocks->objects + 1, sizeof *blocks->start);
    size_t *next = kb_calloc(blocks->objects + 1, sizeof *next);
    if (blocks->start && next) {
        count_entries(blocks, store);
        blocks->entries = kb_calloc(blocks->start[blocks->objects], sizeof *blocks->entries);
    }
    if (!blocks->entries) {
        free(next);
        kb_blocks_clear(blocks);
        return kb_fail_memory(err, "the index of present objects");
    }
    for (size_t j = 0; j < blocks->objects; j++)
        next[j] = blocks->start[j];
    place_entries(blocks, store, next);
    free(next);
    return KB_OK;
}

void kb_blocks_clear(kb_blocks *blocks)
{
    free(blocks->start);
    free(blocks->entries);
    *blocks = (kb_blocks){0};
}

void kb_blocks_fill(const kb_blocks *blocks, size_t object, float *block)
{
    for (size_t e = blocks->start[object]; e < blocks->start[object + 1]; e++) {
        kb_block_entry entry = blocks->entries[e];
        kb_view_block(blocks->view, blocks->sessions[entry.row], entry.series, block);
        block += blocks->width;
    }
}
