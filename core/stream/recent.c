/* A ring in the order of adding, and a table with linear probing over it; taking one out moves
 * those behind it up, so that no marks of what was there pile up. */
#include "recent.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct kb_recent {
    uint64_t seed;
    uint64_t *ring; /* room; 0 is no hash */
    size_t room, begin, count;
    uint64_t *slots; /* 0: free */
    size_t mask;
};

kb_recent *kb_recent_create(size_t room, uint64_t seed)
{
    kb_recent *recent = kb_calloc(1, sizeof *recent);
    size_t slots = 4;
    while (recent && slots < 2 * room)
        slots *= 2;
    if (!recent)
        return NULL;
    *recent = (kb_recent){.seed = seed,
                          .ring = kb_calloc(room, sizeof *recent->ring),
                          .room = room,
                          .slots = kb_calloc(slots, sizeof *recent->slots),
                          .mask = slots - 1};
    if (recent->ring && recent->slots)
        return recent;
    kb_recent_free(recent);
    return NULL;
}

void kb_recent_free(kb_recent *recent)
{
    if (!recent)
        return;
    free(recent->ring);
    free(recent->slots);
    free(recent);
}

uint64_t kb_recent_seed(const kb_recent *recent)
{
    return recent->seed;
}

/* MurmurHash3's finaliser (Appleby, public domain): every bit depends on every bit. */
static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
    h = (h ^ h >> 33) * UINT64_C(0xC4CEB9FE1A85EC53);
    return h ^ h >> 33;
}

uint64_t kb_recent_hash(const kb_recent *recent, const char *name, size_t length)
{
    uint64_t h = mix(recent->seed ^ length);
    for (; length >= 8; name += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, name, sizeof word);
        h = mix(h + word) + recent->seed;
    }
    uint64_t last = 0;
    memcpy(&last, name, length);
    h = mix(h + last);
    return h ? h : 1;
}

/* The slot that has HASH, or the free one where it belongs. */
static size_t find(const kb_recent *recent, uint64_t hash)
{
    size_t i = hash & recent->mask;
    while (recent->slots[i] && recent->slots[i] != hash)
        i = (i + 1) & recent->mask;
    return i;
}

bool kb_recent_has(const kb_recent *recent, uint64_t hash)
{
    return recent->slots[find(recent, hash)] != 0;
}

/* What lies behind the hole at I and may not lie before its own place moves into it. */
static void take_out(kb_recent *recent, size_t i)
{
    size_t hole = i;
    for (size_t j = (i + 1) & recent->mask; recent->slots[j]; j = (j + 1) & recent->mask) {
        size_t home = recent->slots[j] & recent->mask;
        if (((j - home) & recent->mask) >= ((j - hole) & recent->mask)) {
            recent->slots[hole] = recent->slots[j];
            hole = j;
        }
    }
    recent->slots[hole] = 0;
}

void kb_recent_add(kb_recent *recent, uint64_t hash)
{
    if (!hash || kb_recent_has(recent, hash))
        return;
    if (recent->count == recent->room) {
        take_out(recent, find(recent, recent->ring[recent->begin]));
        recent->begin = (recent->begin + 1) % recent->room;
        recent->count--;
    }
    recent->ring[(recent->begin + recent->count++) % recent->room] = hash;
    recent->slots[find(recent, hash)] = hash;
}

size_t kb_recent_count(const kb_recent *recent)
{
    return recent->count;
}

uint64_t kb_recent_get(const kb_recent *recent, size_t i)
{
    return recent->ring[(recent->begin + i) % recent->room];
}
