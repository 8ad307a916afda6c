/* tuples: a set of tuples of ids, all of one width, each known by a small number, counted from 0 in
 * the order of adding.
 *
 * Memory is 4 bytes an id, 4 a tuple and at most 32 a tuple for finding. Not thread-safe while
 * adding. */
#ifndef KB_TUPLES_H
#define KB_TUPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kb_tuples {
    size_t width; /* >= 1; set by the caller, all else zero, before the first is added */
    size_t count;
    uint32_t *ids;    /* count x width, one after the other */
    uint32_t *hashes; /* count */
    size_t ids_capacity, hashes_capacity;
    size_t *slots;     /* number of a tuple, or SIZE_MAX */
    size_t slot_count; /* a power of two, at least twice count */
} kb_tuples;

/* The number of TUPLE (width ids), which is added if it is new; SIZE_MAX: no memory. *IS_NEW (NULL:
 * not asked) tells which. */
size_t kb_tuples_add(kb_tuples *tuples, const uint32_t *tuple, bool *is_new);
/* The number, or SIZE_MAX. */
size_t kb_tuples_find(const kb_tuples *tuples, const uint32_t *tuple);
const uint32_t *kb_tuples_at(const kb_tuples *tuples, size_t i);
void kb_tuples_clear(kb_tuples *tuples);

#endif
