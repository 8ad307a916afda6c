/* Open addressing over the tuples' numbers. */
#include "tuples.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define FREE_SLOT SIZE_MAX

void kb_tuples_clear(kb_tuples *tuples)
{
    free(tuples->ids);
    free(tuples->hashes);
    free(tuples->slots);
    *tuples = (kb_tuples){0};
}

const uint32_t *kb_tuples_at(const kb_tuples *tuples, size_t i)
{
    return tuples->ids + i * tuples->width;
}

/* FNV-1a over whole ids, folded so that the low bits depend on all of them. */
static uint32_t hash_tuple(const uint32_t *tuple, size_t width)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < width; i++)
        h = (h ^ tuple[i]) * 0x100000001B3u;
    h ^= h >> 32;
    return (uint32_t)(h * 0x9E3779B97F4A7C15u >> 32);
}

static bool grow_slots(kb_tuples *tuples)
{
    size_t wanted = tuples->slot_count ? tuples->slot_count * 2 : 256;
    size_t *slots = kb_calloc(wanted, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < wanted; i++)
        slots[i] = FREE_SLOT;
    for (size_t i = 0; i < tuples->count; i++) {
        size_t at = tuples->hashes[i] & (wanted - 1);
        while (slots[at] != FREE_SLOT)
            at = (at + 1) & (wanted - 1);
        slots[at] = i;
    }
    free(tuples->slots);
    tuples->slots = slots;
    tuples->slot_count = wanted;
    return true;
}

static size_t *find_slot(const kb_tuples *tuples, const uint32_t *tuple, uint32_t hash)
{
    size_t mask = tuples->slot_count - 1, bytes = tuples->width * sizeof *tuple;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        size_t i = tuples->slots[at];
        if (i == FREE_SLOT ||
            (tuples->hashes[i] == hash && memcmp(kb_tuples_at(tuples, i), tuple, bytes) == 0))
            return &tuples->slots[at];
    }
}

static bool append(kb_tuples *tuples, const uint32_t *tuple, uint32_t hash)
{
    size_t ids;
    if (!kb_size_mul(tuples->count + 1, tuples->width, &ids) ||
        !kb_grow((void **)&tuples->ids, &tuples->ids_capacity, ids, sizeof *tuples->ids) ||
        !kb_grow((void **)&tuples->hashes, &tuples->hashes_capacity, tuples->count + 1,
                 sizeof *tuples->hashes))
        return false;
    memcpy(tuples->ids + ids - tuples->width, tuple, tuples->width * sizeof *tuple);
    tuples->hashes[tuples->count++] = hash;
    return true;
}

size_t kb_tuples_add(kb_tuples *tuples, const uint32_t *tuple, bool *is_new)
{
    if ((tuples->count + 1) * 2 > tuples->slot_count && !grow_slots(tuples))
        return SIZE_MAX;
    uint32_t hash = hash_tuple(tuple, tuples->width);
    size_t *slot = find_slot(tuples, tuple, hash);
    bool new = *slot == FREE_SLOT;
    if (is_new)
        *is_new = new;
    if (!new)
        return *slot;
    if (!append(tuples, tuple, hash))
        return SIZE_MAX;
    *slot = tuples->count - 1;
    return *slot;
}

size_t kb_tuples_find(const kb_tuples *tuples, const uint32_t *tuple)
{
    if (!tuples->count)
        return SIZE_MAX;
    return *find_slot(tuples, tuple, hash_tuple(tuple, tuples->width));
}
