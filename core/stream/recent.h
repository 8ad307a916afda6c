/* recent: which of the last names were there. A set of the 64-bit hashes of the last N names that
 * were added; the oldest goes when one more comes.
 *
 * Two names are taken for one with a chance of 2^-64 for each pair. The hash depends on a seed that
 * goes with what is kept on disk, so that nobody can write names that collide. Not thread-safe. */
#ifndef KB_RECENT_H
#define KB_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kb_recent kb_recent;

/* ROOM (> 0) names, all memory at once. NULL: no memory. */
kb_recent *kb_recent_create(size_t room, uint64_t seed);
void kb_recent_free(kb_recent *recent); /* NULL is fine */

uint64_t kb_recent_seed(const kb_recent *recent);
uint64_t kb_recent_hash(const kb_recent *recent, const char *name, size_t length);

/* By hash, as kb_recent_hash gives it. One that is there already stays where it is. */
bool kb_recent_has(const kb_recent *recent, uint64_t hash);
void kb_recent_add(kb_recent *recent, uint64_t hash);

size_t kb_recent_count(const kb_recent *recent);
uint64_t kb_recent_get(const kb_recent *recent, size_t i); /* the oldest first */

#endif
