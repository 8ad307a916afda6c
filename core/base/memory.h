/* memory: allocation whose sizes are checked before they are used, growing arrays, and an arena.
 *
 * Everything returned here is freed with free(), except what an arena hands out, which lives as
 * long as the arena. */
#ifndef KB_MEMORY_H
#define KB_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* *OUT = A * B; false (and *OUT untouched) on overflow. */
bool kb_size_mul(size_t a, size_t b, size_t *out);
bool kb_size_add(size_t a, size_t b, size_t *out);

/* COUNT zeroed items of SIZE bytes; NULL on overflow or no memory. COUNT 0 gives a unique pointer,
 * never NULL. */
void *kb_calloc(size_t count, size_t size);

/* COUNT uninitialised items, aligned to 64 bytes (for vector code); NULL on overflow or no memory.
 * Freed by free(). */
void *kb_alloc_aligned(size_t count, size_t size);

/* Makes room for at least NEEDED items of SIZE bytes in *ITEMS (capacity *CAPACITY), growing by
 * half at least. False, with both untouched, when it cannot. New items are uninitialised. */
bool kb_grow(void **items, size_t *capacity, size_t needed, size_t size);

/* A copy of S, or NULL. */
char *kb_strdup(const char *s);

/* An arena: one lifetime for many small things. Not thread-safe. */
typedef struct kb_arena kb_arena;
kb_arena *kb_arena_create(void); /* NULL when there is no memory */
void kb_arena_free(kb_arena *arena);
void *kb_arena_alloc(kb_arena *arena,
                     size_t size); /* aligned to 16 bytes, uninitialised; NULL: no memory */
/* LENGTH bytes of S and a NUL. */
char *kb_arena_string(kb_arena *arena, const char *s, size_t length);

#endif
