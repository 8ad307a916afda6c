#include "sections.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "support.h"

enum { HEADER = 64, ENTRY = 80, NAME = 32, PACKED = 1, MOST = 1 << 20 };

/* --- numbers ----------------------------------------------------------------------------- */
static uint64_t get(const uint8_t *p, size_t bytes)
{
    uint64_t v = 0;
    memcpy(&v, p, bytes);
    return v;
}

static void put(uint8_t *p, uint64_t v, size_t bytes)
{
    memcpy(p, &v, bytes);
}

static uint32_t checksum(const uint8_t *bytes, size_t size)
{
    return (uint32_t)crc32_z(0, bytes, size);
}

/* How many entries of the table lie in the file. */
static size_t entries_of(const uint8_t *data, size_t size)
{
    if (size < HEADER)
        return 0;
    uint64_t count = get(data + 12, 4), room = (size - HEADER) / ENTRY;
    count = count < room ? count : room;
    return count < KB_SECTIONS_MAX ? (size_t)count : KB_SECTIONS_MAX;
}

/* Where the stored bytes are of the section that ENTRY tells of; false: not in the file of SIZE. */
static bool find_bytes(const uint8_t *entry, size_t size, size_t *offset, size_t *bytes)
{
    uint64_t o = get(entry + 32, 8), n = get(entry + 40, 8);
    *offset = (size_t)o;
    *bytes = (size_t)n;
    return n <= size && o <= size - n;
}

/* --- checksums --------------------------------------------------------------------------- */
uint8_t *fuzz_sections_fixed(const uint8_t *data, size_t size)
{
    uint8_t *fixed = malloc(size ? size : 1);
    fuzz_check(fixed != NULL, "no memory");
    if (size)
        memcpy(fixed, data, size);
    if (size < HEADER)
        return fixed;
    size_t count = entries_of(fixed, size), offset, bytes;
    for (size_t i = 0; i < count; i++) {
        uint8_t *entry = fixed + HEADER + i * ENTRY;
        if (find_bytes(entry, size, &offset, &bytes) && offset >= HEADER + count * ENTRY)
            put(entry + 56, checksum(fixed + offset, bytes), 4);
    }
    put(fixed + 16, size, 8);
    put(fixed + 24, checksum(fixed + HEADER, count * ENTRY), 4);
    put(fixed + 28, checksum(fixed, 28), 4);
    return fixed;
}

/* --- reading ----------------------------------------------------------------------------- */
static void walk_section(kb_container_reader *reader, const kb_section *section)
{
    char *text;
    const void *bytes;
    size_t length;
    if (kb_container_text(reader, section->name, &text, &length, NULL) == KB_OK) {
        fuzz_check(text[length] == '\0', "a text without its end");
        (void)fuzz_hash((const uint8_t *)text, length);
    }
    free(text);
    if (kb_container_bytes(reader, section->name, &bytes, &length, NULL) == KB_OK)
        (void)fuzz_hash(bytes, length);
    size_t count = (size_t)(section->bytes / sizeof(float));
    float *floats = malloc(count ? count * sizeof *floats : 1);
    fuzz_check(floats != NULL, "no memory");
    (void)kb_container_floats(reader, section->name, floats, count, NULL);
    free(floats);
}

void fuzz_sections_walk(const kb_container_kind *kind, const char *path)
{
    kb_container_reader *reader;
    if (kb_container_open(&reader, kind, path, NULL) != KB_OK)
        return;
    fuzz_check(kb_container_version(reader) <= kind->version, "a version from the future");
    for (size_t i = 0; i < kb_container_count(reader); i++) {
        kb_section section = kb_container_section(reader, i);
        walk_section(reader, &section);
    }
    kb_container_close(reader);
}

/* --- taking apart and putting together --------------------------------------------------- */
struct section {
    char name[NAME];
    uint8_t *bytes; /* unpacked */
    size_t size;
    bool packed;
};

struct sections {
    uint8_t header[HEADER];
    struct section items[KB_SECTIONS_MAX];
    size_t count;
};

/* What cannot be unpacked stays as it is, as if it were not packed. */
static void take_section(struct section *s, const uint8_t *entry, const uint8_t *stored,
                         size_t bytes)
{
    uint64_t raw = get(entry + 48, 8);
    bool packed = get(entry + 60, 4) & PACKED;
    uLongf size = packed && raw < MOST ? (uLongf)raw : 0;
    memcpy(s->name, entry, NAME);
    s->bytes = malloc(size > bytes ? size : bytes + 1);
    fuzz_check(s->bytes != NULL, "no memory");
    s->packed = packed && uncompress(s->bytes, &size, stored, (uLong)bytes) == Z_OK;
    s->size = s->packed ? (size_t)size : bytes;
    if (!s->packed && bytes)
        memcpy(s->bytes, stored, bytes);
}

static void take_apart(struct sections *out, const uint8_t *data, size_t size)
{
    out->count = 0;
    if (size >= HEADER)
        memcpy(out->header, data, HEADER);
    for (size_t i = 0; i < entries_of(data, size); i++) {
        const uint8_t *entry = data + HEADER + i * ENTRY;
        size_t offset, bytes;
        if (find_bytes(entry, size, &offset, &bytes) && bytes < MOST)
            take_section(&out->items[out->count++], entry, data + offset, bytes);
    }
}

static void forget(struct sections *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->items[i].bytes);
}

/* The section's stored bytes go to OUT; returns how many, SIZE_MAX if ROOM is too small. */
static size_t store(const struct section *s, uint8_t *out, size_t room)
{
    uLongf size = (uLongf)room;
    if (s->packed)
        return compress2(out, &size, s->bytes, (uLong)s->size, 6) == Z_OK ? (size_t)size : SIZE_MAX;
    if (s->size > room)
        return SIZE_MAX;
    if (s->size)
        memcpy(out, s->bytes, s->size);
    return s->size;
}

/* Returns the file's size, 0 if ROOM is too small. Checksums are left to fuzz_sections_fixed. */
static size_t put_together(const struct sections *s, uint8_t *data, size_t room)
{
    size_t at = HEADER + s->count * ENTRY;
    if (at > room)
        return 0;
    memset(data, 0, at);
    memcpy(data, s->header, HEADER);
    put(data + 12, s->count, 4);
    for (size_t i = 0; i < s->count; i++) {
        uint8_t *entry = data + HEADER + i * ENTRY;
        size_t aligned = (at + 63) / 64 * 64;
        if (aligned > room)
            return 0;
        memset(data + at, 0, aligned - at);
        size_t stored = store(&s->items[i], data + aligned, room - aligned);
        if (stored == SIZE_MAX)
            return 0;
        memcpy(entry, s->items[i].name, NAME);
        put(entry + 32, aligned, 8);
        put(entry + 40, stored, 8);
        put(entry + 48, s->items[i].size, 8);
        put(entry + 60, s->items[i].packed ? PACKED : 0, 4);
        at = aligned + stored;
    }
    return at;
}

/* --- changes ----------------------------------------------------------------------------- */
static void change_bytes(struct section *s)
{
    size_t room = s->size + s->size / 2 + 64;
    uint8_t *bytes = realloc(s->bytes, room);
    fuzz_check(bytes != NULL, "no memory");
    s->bytes = bytes;
    s->size = LLVMFuzzerMutate(s->bytes, s->size, room);
}

static void remove_section(struct sections *s, size_t i)
{
    free(s->items[i].bytes);
    s->items[i] = s->items[--s->count];
}

/* Mostly what one section holds, or of two; sometimes a name, the way it is stored, or whether it
 * is there at all. */
static void change(struct sections *s, unsigned seed)
{
    struct section *item = &s->items[seed % s->count];
    unsigned how = seed / 64 % 32;
    if (how == 0)
        remove_section(s, seed % s->count);
    else if (how == 1)
        item->packed = !item->packed;
    else if (how == 2)
        LLVMFuzzerMutate((uint8_t *)item->name, strnlen(item->name, NAME), NAME);
    else
        change_bytes(item);
    if (how > 24 && s->count)
        change_bytes(&s->items[seed / 4096 % s->count]);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    struct sections s;
    if (seed % 16 == 0)
        return LLVMFuzzerMutate(data, size, room);
    take_apart(&s, data, size);
    if (s.count)
        change(&s, seed / 16);
    size_t made = s.count ? put_together(&s, data, room) : 0;
    forget(&s);
    return made ? made : LLVMFuzzerMutate(data, size, room);
}
