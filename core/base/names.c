/* Open addressing over a power-of-two table of ids; hashes are kept so that growing never rereads a
 * string. */
#include "names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "secret.h"

struct entry {
    const char *text;
    uint32_t length;
    uint32_t hash;
};

struct kb_names {
    kb_arena *arena;
    struct entry *entries; /* by id */
    size_t count, capacity;
    uint32_t *slots; /* id or KB_NAME_NONE */
    size_t slot_count;
    uint64_t seed, factor; /* of the hash: secrets */
};

static uint32_t load32(const char *s)
{
    uint32_t v;
    memcpy(&v, s, sizeof v);
    return v;
}

/* Four bytes a step with a 64-bit multiply and fold. Which names collide depends on the table's
 * secrets; a collision costs a memcmp, never a wrong answer. */
static uint32_t hash_bytes(const kb_names *names, const char *s, size_t length)
{
    uint64_t h = names->seed ^ length, factor = names->factor;
    for (; length >= 4; s += 4, length -= 4) {
        h = (h ^ load32(s)) * factor;
        h ^= h >> 32;
    }
    for (; length; s++, length--)
        h = (h ^ (unsigned char)*s) * factor;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9u;
    return (uint32_t)(h >> 32);
}

kb_names *kb_names_create(void)
{
    kb_names *names = kb_calloc(1, sizeof *names);
    if (!names)
        return NULL;
    names->seed = kb_secret();
    names->factor = kb_secret();
    names->arena = kb_arena_create();
    if (!names->arena) {
        free(names);
        return NULL;
    }
    return names;
}

void kb_names_free(kb_names *names)
{
    if (!names)
        return;
    kb_arena_free(names->arena);
    free(names->entries);
    free(names->slots);
    free(names);
}

size_t kb_names_count(const kb_names *names)
{
    return names->count;
}

/* The slot that holds the name, or the free slot where it belongs. Needs slot_count > count. */
static size_t find_slot(const kb_names *names, const char *s, size_t length, uint32_t hash)
{
    size_t mask = names->slot_count - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t id = names->slots[i];
        if (id == KB_NAME_NONE)
            return i;
        const struct entry *e = &names->entries[id];
        if (e->hash == hash && e->length == length && memcmp(e->text, s, length) == 0)
            return i;
    }
}

static int grow_slots(kb_names *names)
{
    size_t wanted = names->slot_count ? names->slot_count * 2 : 64;
    uint32_t *slots = kb_calloc(wanted, sizeof *slots);
    if (!slots)
        return 0;
    memset(slots, 0xFF, wanted * sizeof *slots);
    for (size_t id = 0; id < names->count; id++) {
        size_t i = names->entries[id].hash & (wanted - 1);
        while (slots[i] != KB_NAME_NONE)
            i = (i + 1) & (wanted - 1);
        slots[i] = (uint32_t)id;
    }
    free(names->slots);
    names->slots = slots;
    names->slot_count = wanted;
    return 1;
}

uint32_t kb_names_add(kb_names *names, const char *s, size_t length)
{
    if (length >= UINT32_MAX || names->count >= KB_NAME_NONE - 1)
        return KB_NAME_NONE;
    if ((names->count + 1) * 2 > names->slot_count && !grow_slots(names))
        return KB_NAME_NONE;
    uint32_t hash = hash_bytes(names, s, length);
    size_t slot = find_slot(names, s, length, hash);
    if (names->slots[slot] != KB_NAME_NONE)
        return names->slots[slot];
    if (!kb_grow((void **)&names->entries, &names->capacity, names->count + 1,
                 sizeof *names->entries))
        return KB_NAME_NONE;
    const char *text = kb_arena_string(names->arena, s, length);
    if (!text)
        return KB_NAME_NONE;
    uint32_t id = (uint32_t)names->count++;
    names->entries[id] = (struct entry){text, (uint32_t)length, hash};
    names->slots[slot] = id;
    return id;
}

static bool is_name(const kb_names *names, uint32_t id, const char *s, size_t length)
{
    const struct entry *e = &names->entries[id];
    return e->length == length && memcmp(e->text, s, length) == 0;
}

/* ID follows the last name. Without memory nothing is remembered. */
static uint32_t follow(kb_names_trail *trail, uint32_t id)
{
    if (trail->last) {
        size_t before = trail->capacity;
        if (!kb_grow((void **)&trail->next, &trail->capacity, trail->last, sizeof *trail->next))
            return id;
        for (size_t i = before; i < trail->capacity; i++)
            trail->next[i] = 0;
        trail->next[trail->last - 1] = id + 1;
    }
    trail->last = id + 1;
    return id;
}

uint32_t kb_names_add_along(kb_names *names, kb_names_trail *trail, const char *s, size_t length)
{
    uint32_t last = trail->last;
    if (last && is_name(names, last - 1, s, length))
        return last - 1;
    uint32_t guess = last && last <= trail->capacity ? trail->next[last - 1] : 0;
    if (guess && is_name(names, guess - 1, s, length)) {
        trail->last = guess;
        return guess - 1;
    }
    uint32_t id = kb_names_add(names, s, length);
    return id == KB_NAME_NONE ? id : follow(trail, id);
}

void kb_names_trail_clear(kb_names_trail *trail)
{
    free(trail->next);
    *trail = (kb_names_trail){0};
}

uint32_t kb_names_find(const kb_names *names, const char *s, size_t length)
{
    if (!names->count)
        return KB_NAME_NONE;
    return names->slots[find_slot(names, s, length, hash_bytes(names, s, length))];
}

const char *kb_names_get(const kb_names *names, uint32_t id)
{
    return names->entries[id].text;
}

size_t kb_names_length(const kb_names *names, uint32_t id)
{
    return names->entries[id].length;
}

static int by_name(const void *a, const void *b, void *ctx)
{
    const kb_names *names = ctx;
    return strcmp(names->entries[*(const uint32_t *)a].text,
                  names->entries[*(const uint32_t *)b].text);
}

void kb_names_sorted(const kb_names *names, uint32_t *order)
{
    for (size_t id = 0; id < names->count; id++)
        order[id] = (uint32_t)id;
    qsort_r(order, names->count, sizeof *order, by_name, (void *)(uintptr_t)names);
}
