#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "memory.h"
#include "outfile.h"

enum { HEADER_BYTES = 64, ENTRY_BYTES = 80, ALIGNMENT = 64, NAME_BYTES = 32, FLAG_ZLIB = 1 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are stored as they lie in memory");

static void put_u32(unsigned char *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

static void put_u64(unsigned char *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

static uint32_t get_u32(const unsigned char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint64_t get_u64(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* zlib's lengths are 32 bits wide on the update side; crc32_z takes size_t. */
static uint32_t checksum(const void *bytes, size_t length)
{
    return (uint32_t)crc32_z(0, bytes, length);
}

/* --- writing ------------------------------------------------------------------------------ */

struct pending {
    kb_section section;
    const kb_piece *pieces;
    size_t count;
    kb_piece only; /* the piece where there is one of our own making */
    void *owned;   /* freed with the writer */
};

struct kb_container_writer {
    const kb_container_kind *kind;
    struct pending items[KB_SECTIONS_MAX];
    size_t count;
};

kb_container_writer *kb_container_writer_create(const kb_container_kind *kind)
{
    kb_container_writer *writer = kb_calloc(1, sizeof *writer);
    if (writer)
        writer->kind = kind;
    return writer;
}

void kb_container_writer_free(kb_container_writer *writer)
{
    if (!writer)
        return;
    for (size_t i = 0; i < writer->count; i++)
        free(writer->items[i].owned);
    free(writer);
}

/* The next item, with its name; NULL: there is no room. */
static struct pending *add_item(kb_container_writer *writer, const char *name, kb_error *err)
{
    if (writer->count == KB_SECTIONS_MAX || strlen(name) >= NAME_BYTES) {
        kb_fail(err, KB_ERR_FORMAT, "section %s: too many sections or too long a name", name);
        return NULL;
    }
    struct pending *item = &writer->items[writer->count++];
    *item = (struct pending){0};
    strcpy(item->section.name, name);
    return item;
}

static kb_status add(kb_container_writer *writer, const char *name, kb_piece piece, size_t raw,
                     void *owned, kb_error *err)
{
    struct pending *item = add_item(writer, name, err);
    if (!item) {
        free(owned);
        return KB_ERR_FORMAT;
    }
    item->section.bytes = piece.length;
    item->section.raw_bytes = raw;
    item->section.compressed = owned != NULL;
    item->section.crc = checksum(piece.bytes, piece.length);
    item->only = piece;
    item->pieces = &item->only;
    item->count = 1;
    item->owned = owned;
    return KB_OK;
}

kb_status kb_container_add_pieces(kb_container_writer *writer, const char *name,
                                  const kb_piece *pieces, size_t count, kb_error *err)
{
    struct pending *item = add_item(writer, name, err);
    if (!item)
        return KB_ERR_FORMAT;
    uLong crc = crc32_z(0, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].length)
            crc = crc32_z(crc, pieces[i].bytes, pieces[i].length);
        item->section.bytes += pieces[i].length;
    }
    item->section.raw_bytes = item->section.bytes;
    item->section.crc = (uint32_t)crc;
    item->pieces = pieces;
    item->count = count;
    return KB_OK;
}

kb_status kb_container_add_text(kb_container_writer *writer, const char *name, const char *text,
                                size_t length, kb_error *err)
{
    uLongf packed = compressBound((uLong)length);
    unsigned char *bytes = malloc(packed);
    if (!bytes || compress2(bytes, &packed, (const Bytef *)text, (uLong)length, 6) != Z_OK) {
        free(bytes);
        return kb_fail_memory(err, "a section of a file");
    }
    return add(writer, name, (kb_piece){bytes, packed}, length, bytes, err);
}

kb_status kb_container_add_floats(kb_container_writer *writer, const char *name,
                                  const float *floats, size_t count, kb_error *err)
{
    size_t bytes = count * sizeof *floats;
    return add(writer, name, (kb_piece){floats, bytes}, bytes, NULL, err);
}

static uint64_t align_up(uint64_t offset)
{
    return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* TABLE receives the entries; returns the size of the file. */
static uint64_t make_table(const kb_container_writer *writer, unsigned char *table)
{
    uint64_t offset = HEADER_BYTES + writer->count * ENTRY_BYTES;
    for (size_t i = 0; i < writer->count; i++) {
        const kb_section *s = &writer->items[i].section;
        unsigned char *entry = table + i * ENTRY_BYTES;
        offset = align_up(offset);
        memcpy(entry, s->name, NAME_BYTES);
        put_u64(entry + 32, offset);
        put_u64(entry + 40, s->bytes);
        put_u64(entry + 48, s->raw_bytes);
        put_u32(entry + 56, s->crc);
        put_u32(entry + 60, s->compressed ? FLAG_ZLIB : 0);
        offset += s->bytes;
    }
    return offset;
}

uint64_t kb_container_size(const kb_container_writer *writer)
{
    unsigned char table[KB_SECTIONS_MAX * ENTRY_BYTES] = {0};
    return make_table(writer, table);
}

static void make_header(const kb_container_kind *kind, unsigned char *header, size_t sections,
                        uint64_t size, uint32_t table_crc)
{
    memcpy(header, kind->magic, sizeof kind->magic);
    put_u32(header + 8, kind->version);
    put_u32(header + 12, (uint32_t)sections);
    put_u64(header + 16, size);
    put_u32(header + 24, table_crc);
    put_u32(header + 28, checksum(header, 28));
}

/* In parts, so that it can be cancelled. */
static kb_status write_piece(const kb_piece *piece, kb_outfile *file, const kb_progress *progress,
                             kb_error *err)
{
    enum { PART_BYTES = 1 << 22 };
    kb_status status = KB_OK;
    for (size_t at = 0; !status && at < piece->length; at += PART_BYTES) {
        size_t left = piece->length - at, n = left < PART_BYTES ? left : PART_BYTES;
        status = kb_cancelled(progress)
                     ? kb_fail(err, KB_ERR_CANCELLED, "cancelled")
                     : kb_outfile_write(file, (const char *)piece->bytes + at, n, err);
    }
    return status;
}

static kb_status write_sections(const kb_container_writer *writer, kb_outfile *file,
                                const kb_progress *progress, kb_error *err)
{
    static const char zeros[ALIGNMENT];
    kb_status status = KB_OK;
    for (size_t i = 0; !status && i < writer->count; i++) {
        uint64_t at = kb_outfile_position(file);
        status = kb_outfile_write(file, zeros, (size_t)(align_up(at) - at), err);
        const struct pending *item = &writer->items[i];
        for (size_t p = 0; !status && p < item->count; p++)
            status = write_piece(&item->pieces[p], file, progress, err);
    }
    return status;
}

kb_status kb_container_write(const kb_container_writer *writer, const char *path, bool lasting,
                             const kb_progress *progress, kb_error *err)
{
    unsigned char header[HEADER_BYTES] = {0}, table[KB_SECTIONS_MAX * ENTRY_BYTES] = {0};
    uint64_t size = make_table(writer, table);
    size_t table_bytes = writer->count * ENTRY_BYTES;
    make_header(writer->kind, header, writer->count, size, checksum(table, table_bytes));
    kb_outfile *file;
    kb_status status =
        lasting ? kb_outfile_open(&file, path, err) : kb_outfile_open_private(&file, path, err);
    if (status)
        return status;
    status = kb_outfile_write(file, header, sizeof header, err);
    if (!status)
        status = kb_outfile_write(file, table, table_bytes, err);
    if (!status)
        status = write_sections(writer, file, progress, err);
    if (status) {
        kb_outfile_abort(file);
        return status;
    }
    return kb_outfile_commit(file, err);
}

/* --- reading ------------------------------------------------------------------------------ */

struct kb_container_reader {
    const kb_container_kind *kind;
    char *path;
    int fd;
    uint64_t size;
    uint32_t version;
    size_t count;
    kb_section sections[KB_SECTIONS_MAX];
    uint64_t offsets[KB_SECTIONS_MAX];
    const unsigned char *map; /* the whole file, or NULL */
};

static kb_status read_at(const kb_container_reader *r, void *bytes, size_t length, uint64_t offset,
                         kb_error *err)
{
    char *p = bytes;
    while (length) {
        ssize_t n = pread(r->fd, p, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return kb_fail_errno(err, r->path, "cannot be read", errno);
        if (n == 0)
            return kb_fail(err, KB_ERR_FORMAT, "%s: the file ends too early", r->path);
        p += n;
        length -= (size_t)n;
        offset += (uint64_t)n;
    }
    return KB_OK;
}

static kb_status not_that(const kb_container_reader *r, kb_error *err)
{
    return kb_fail(err, KB_ERR_FORMAT, "%s: not a kaboom %s", r->path, r->kind->noun);
}

static kb_status check_header(kb_container_reader *r, const unsigned char *header, kb_error *err)
{
    if (memcmp(header, r->kind->magic, sizeof r->kind->magic) != 0)
        return not_that(r, err);
    if (get_u32(header + 28) != checksum(header, 28))
        return kb_fail(err, KB_ERR_FORMAT, "%s: damaged header (checksum)", r->path);
    r->version = get_u32(header + 8);
    if (r->version == 0 || r->version > r->kind->version)
        return kb_fail(err, KB_ERR_FORMAT, "%s: %s format %u, this program knows up to %u", r->path,
                       r->kind->noun, r->version, r->kind->version);
    r->count = get_u32(header + 12);
    if (r->count > KB_SECTIONS_MAX)
        return kb_fail(err, KB_ERR_FORMAT, "%s: damaged header (%zu sections)", r->path, r->count);
    if (get_u64(header + 16) != r->size)
        return kb_fail(err, KB_ERR_FORMAT,
                       "%s: %llu bytes, its header says %llu: cut off or damaged", r->path,
                       (unsigned long long)r->size, (unsigned long long)get_u64(header + 16));
    return KB_OK;
}

static kb_status read_entry(kb_container_reader *r, size_t i, const unsigned char *entry,
                            kb_error *err)
{
    kb_section *s = &r->sections[i];
    memcpy(s->name, entry, NAME_BYTES);
    s->name[NAME_BYTES - 1] = '\0';
    r->offsets[i] = get_u64(entry + 32);
    s->bytes = get_u64(entry + 40);
    s->raw_bytes = get_u64(entry + 48);
    s->crc = get_u32(entry + 56);
    s->compressed = get_u32(entry + 60) & FLAG_ZLIB;
    /* deflate cannot pack more than 1,032 to one, so a larger claim is a lie that must not be
     * allocated for. */
    uint64_t most = s->compressed ? s->bytes * 1032 + 64 : s->bytes;
    if (s->bytes > r->size || r->offsets[i] > r->size - s->bytes || s->raw_bytes > most)
        return kb_fail(err, KB_ERR_FORMAT,
                       "%s: section %s: damaged (its place lies outside the file)", r->path,
                       s->name);
    return KB_OK;
}

static kb_status read_table(kb_container_reader *r, kb_error *err)
{
    unsigned char header[HEADER_BYTES], table[KB_SECTIONS_MAX * ENTRY_BYTES];
    if (r->size < HEADER_BYTES)
        return not_that(r, err);
    kb_status status = read_at(r, header, sizeof header, 0, err);
    if (!status)
        status = check_header(r, header, err);
    if (!status)
        status = read_at(r, table, r->count * ENTRY_BYTES, HEADER_BYTES, err);
    if (status)
        return status;
    if (get_u32(header + 24) != checksum(table, r->count * ENTRY_BYTES))
        return kb_fail(err, KB_ERR_FORMAT, "%s: damaged table of sections (checksum)", r->path);
    for (size_t i = 0; !status && i < r->count; i++)
        status = read_entry(r, i, table + i * ENTRY_BYTES, err);
    return status;
}

static kb_status open_file(kb_container_reader *r, const char *path, kb_error *err)
{
    r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (r->fd < 0)
        return kb_fail_errno(err, path, "cannot be opened", errno);
    struct stat st;
    if (fstat(r->fd, &st) != 0)
        return kb_fail_errno(err, path, "cannot be read", errno);
    if (!S_ISREG(st.st_mode))
        return kb_fail(err, KB_ERR_FORMAT, "%s: not a kaboom %s (not a regular file)", path,
                       r->kind->noun);
    r->size = (uint64_t)st.st_size;
    return KB_OK;
}

kb_status kb_container_open(kb_container_reader **out, const kb_container_kind *kind,
                            const char *path, kb_error *err)
{
    *out = NULL;
    kb_container_reader *r = kb_calloc(1, sizeof *r);
    if (!r)
        return kb_fail_memory(err, "a reader");
    r->kind = kind;
    r->fd = -1;
    r->path = kb_strdup(path);
    kb_status status = r->path ? open_file(r, path, err) : kb_fail_memory(err, "a file name");
    if (!status)
        status = read_table(r, err);
    if (status)
        kb_container_close(r);
    else
        *out = r;
    return status;
}

void kb_container_close(kb_container_reader *reader)
{
    if (!reader)
        return;
    if (reader->map)
        munmap((void *)(uintptr_t)reader->map, (size_t)reader->size);
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader->path);
    free(reader);
}

uint32_t kb_container_version(const kb_container_reader *reader)
{
    return reader->version;
}

size_t kb_container_count(const kb_container_reader *reader)
{
    return reader->count;
}

kb_section kb_container_section(const kb_container_reader *reader, size_t i)
{
    return reader->sections[i];
}

static kb_status find_section(const kb_container_reader *r, const char *name, size_t *i,
                              kb_error *err)
{
    for (*i = 0; *i < r->count; ++*i)
        if (strcmp(r->sections[*i].name, name) == 0)
            return KB_OK;
    return kb_fail(err, KB_ERR_FORMAT, "%s: section %s is missing", r->path, name);
}

static kb_status read_section(const kb_container_reader *r, size_t i, void *bytes, kb_error *err)
{
    const kb_section *s = &r->sections[i];
    kb_status status = read_at(r, bytes, (size_t)s->bytes, r->offsets[i], err);
    if (!status && checksum(bytes, (size_t)s->bytes) != s->crc)
        status =
            kb_fail(err, KB_ERR_FORMAT, "%s: section %s: damaged (checksum)", r->path, s->name);
    return status;
}

static kb_status unpack(const kb_container_reader *r, size_t i, char *text, kb_error *err)
{
    const kb_section *s = &r->sections[i];
    unsigned char *packed = malloc(s->bytes ? (size_t)s->bytes : 1);
    if (!packed)
        return kb_fail_memory(err, "a section of a file");
    kb_status status = read_section(r, i, packed, err);
    uLongf length = (uLongf)s->raw_bytes;
    if (!status && (uncompress((Bytef *)text, &length, packed, (uLong)s->bytes) != Z_OK ||
                    length != s->raw_bytes))
        status = kb_fail(err, KB_ERR_FORMAT, "%s: section %s: damaged (cannot be unpacked)",
                         r->path, s->name);
    free(packed);
    return status;
}

kb_status kb_container_text(const kb_container_reader *reader, const char *name, char **text,
                            size_t *length, kb_error *err)
{
    size_t i;
    *text = NULL;
    kb_status status = find_section(reader, name, &i, err);
    if (status)
        return status;
    const kb_section *s = &reader->sections[i];
    if (!s->compressed)
        return kb_fail(err, KB_ERR_FORMAT, "%s: section %s: not a text", reader->path, name);
    char *buffer = malloc((size_t)s->raw_bytes + 1);
    if (!buffer)
        return kb_fail_memory(err, "a section of a file");
    status = unpack(reader, i, buffer, err);
    if (status) {
        free(buffer);
        return status;
    }
    buffer[s->raw_bytes] = '\0';
    *length = (size_t)s->raw_bytes;
    *text = buffer;
    return KB_OK;
}

kb_status kb_container_floats(const kb_container_reader *reader, const char *name, float *floats,
                              size_t count, kb_error *err)
{
    size_t i, bytes;
    kb_status status = find_section(reader, name, &i, err);
    if (status)
        return status;
    const kb_section *s = &reader->sections[i];
    if (s->compressed || !kb_size_mul(count, sizeof *floats, &bytes) || s->bytes != bytes)
        return kb_fail(err, KB_ERR_FORMAT, "%s: section %s: %llu bytes, expected %zu floats",
                       reader->path, name, (unsigned long long)s->bytes, count);
    return read_section(reader, i, floats, err);
}

static kb_status map_file(kb_container_reader *r, kb_error *err)
{
    if (r->map)
        return KB_OK;
    if (r->size > SIZE_MAX)
        return kb_fail_memory(err, "a mapped file");
    void *map = mmap(NULL, (size_t)r->size, PROT_READ, MAP_PRIVATE, r->fd, 0);
    if (map == MAP_FAILED)
        return kb_fail_errno(err, r->path, "cannot be mapped", errno);
    r->map = map;
    return KB_OK;
}

kb_status kb_container_bytes(kb_container_reader *reader, const char *name, const void **bytes,
                             size_t *length, kb_error *err)
{
    size_t i;
    kb_status status = find_section(reader, name, &i, err);
    if (!status)
        status = map_file(reader, err);
    if (status)
        return status;
    const kb_section *s = &reader->sections[i];
    const unsigned char *start = reader->map + reader->offsets[i];
    if (reader->offsets[i] % ALIGNMENT != 0)
        return kb_fail(err, KB_ERR_FORMAT, "%s: section %s: not aligned", reader->path, name);
    if (checksum(start, (size_t)s->bytes) != s->crc)
        return kb_fail(err, KB_ERR_FORMAT, "%s: section %s: damaged (checksum)", reader->path,
                       name);
    *bytes = start;
    *length = (size_t)s->bytes;
    return KB_OK;
}
