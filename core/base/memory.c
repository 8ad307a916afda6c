#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool kb_size_mul(size_t a, size_t b, size_t *out)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

bool kb_size_add(size_t a, size_t b, size_t *out)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

void *kb_calloc(size_t count, size_t size)
{
    return calloc(count ? count : 1, size ? size : 1);
}

void *kb_alloc_aligned(size_t count, size_t size)
{
    size_t bytes;
    if (!kb_size_mul(count, size, &bytes) || bytes > SIZE_MAX - 64)
        return NULL;
    bytes = bytes ? (bytes + 63) / 64 * 64 : 64;
    return aligned_alloc(64, bytes);
}

bool kb_grow(void **items, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return true;
    size_t room = *capacity + *capacity / 2;
    if (room < needed)
        room = needed;
    if (room < 16)
        room = 16;
    size_t bytes;
    if (!kb_size_mul(room, size, &bytes))
        return false;
    void *grown = realloc(*items, bytes);
    if (!grown)
        return false;
    *items = grown;
    *capacity = room;
    return true;
}

char *kb_strdup(const char *s)
{
    size_t bytes = strlen(s) + 1;
    char *copy = malloc(bytes);
    return copy ? memcpy(copy, s, bytes) : NULL;
}

/* A list of blocks, newest first; each block is one malloc, its bytes follow the header. */
struct block {
    struct block *older;
    size_t used, size;
};

enum { BLOCK_BYTES = 64 * 1024, BLOCK_ALIGN = 16 };

struct kb_arena {
    struct block *newest;
};

static size_t header_bytes(void)
{
    return (sizeof(struct block) + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
}

kb_arena *kb_arena_create(void)
{
    return kb_calloc(1, sizeof(kb_arena));
}

void kb_arena_free(kb_arena *arena)
{
    if (!arena)
        return;
    for (struct block *b = arena->newest, *older; b; b = older) {
        older = b->older;
        free(b);
    }
    free(arena);
}

static struct block *add_block(kb_arena *arena, size_t size)
{
    size_t bytes;
    if (!kb_size_add(size < BLOCK_BYTES ? BLOCK_BYTES : size, header_bytes(), &bytes))
        return NULL;
    struct block *b = malloc(bytes);
    if (!b)
        return NULL;
    *b = (struct block){arena->newest, header_bytes(), bytes};
    arena->newest = b;
    return b;
}

void *kb_arena_alloc(kb_arena *arena, size_t size)
{
    if (size > SIZE_MAX - BLOCK_ALIGN)
        return NULL;
    size = (size + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
    struct block *b = arena->newest;
    if (!b || b->size - b->used < size)
        b = add_block(arena, size);
    if (!b)
        return NULL;
    void *p = (char *)b + b->used;
    b->used += size;
    return p;
}

char *kb_arena_string(kb_arena *arena, const char *s, size_t length)
{
    if (length == SIZE_MAX)
        return NULL;
    char *copy = kb_arena_alloc(arena, length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, s, length);
    copy[length] = '\0';
    return copy;
}
