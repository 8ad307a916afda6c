#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "memory.h"
#include "outfile.h"

static const char MAGIC[8] = {'K', 'A', 'B', 'O', 'O', 'M', 'D', 'L'};

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

/* --- writing
 * ------------------------------------------------------------------------------------------------------------
 */

struct pending {
    kb_section section;
    const void *bytes;
    void *owned; /* freed with the writer */
};

struct kb_container_writer {
    struct pending items[KB_SECTIONS_MAX];
    size_t count;
};

kb_container_writer *kb_container_writer_create(void)
{
    return kb_calloc(1, sizeof(kb_container_writer));
}

void kb_container_writer_free(kb_container_writer *writer)
{
    if (!writer)
        return;
    for (size_t i = 0; i < writer->count; i++)
        free(writer->items[i].owned);
    free(writer);
}

static kb_status add(kb_container_writer *writer, const char *name, const void *bytes,
                     size_t length, size_t raw, bool compressed, void *owned, kb_error *err)
{
    if (writer->count == KB_SECTIONS_MAX || strlen(name) >= NAME_BYTES) {
        free(owned);
        return kb_fail(err, KB_ERR_FORMAT, "section %s: too many sections or too long a name",
                       name);
    }
    struct pending *item = &writer->items[writer->count++];
    *item = (struct pending){.section = {.bytes = length,
                                         .raw_bytes = raw,
                                         .compressed = compressed,
                                         .crc = checksum(bytes, length)},
                             .bytes = bytes,
                             .owned = owned};
    strcpy(item->section.name, name);
    return KB_OK;
}

kb_status kb_container_add_text(kb_container_writer *writer, const char *name, const char *text,
                                size_t length, kb_error *err)
{
    uLongf packed = compressBound((uLong)length);
    unsigned char *bytes = malloc(packed);
    if (!bytes || compress2(bytes, &packed, (const Bytef *)text, (uLong)length, 6) != Z_OK) {
        free(bytes);
        return kb_fail_memory(err, "a model section");
    }
    return add(writer, name, bytes, packed, length, true, bytes, err);
}

kb_status kb_container_add_floats(kb_container_writer *writer, const char *name,
                                  const float *floats, size_t count, kb_error *err)
{
    size_t bytes = count * sizeof *floats;
    return add(writer, name, floats, bytes, bytes, false, NULL, err);
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

static void make_header(unsigned char *header, size_t sections, uint64_t size, uint32_t table_crc)
{
    memcpy(header, MAGIC, sizeof MAGIC);
    put_u32(header + 8, KB_CONTAINER_VERSION);
    put_u32(header + 12, (uint32_t)sections);
    put_u64(header + 16, size);
    put_u32(header + 24, table_crc);
    put_u32(header + 28, checksum(header, 28));
}

static kb_status write_sections(const kb_container_writer *writer, kb_outfile *file, kb_error *err)
{
    static const char zeros[ALIGNMENT];
    kb_status status = KB_OK;
    for (size_t i = 0; !status && i < writer->count; i++) {
        uint64_t at = kb_outfile_position(file);
        status = kb_outfile_write(file, zeros, (size_t)(align_up(at) - at), err);
        if (!status)
            status = kb_outfile_write(file, writer->items[i].bytes,
                                      (size_t)writer->items[i].section.bytes, err);
    }
    return status;
}

kb_status kb_container_write(const kb_container_writer *writer, const char *path, kb_error *err)
{
    unsigned char header[HEADER_BYTES] = {0}, table[KB_SECTIONS_MAX * ENTRY_BYTES] = {0};
    uint64_t size = make_table(writer, table);
    size_t table_bytes = writer->count * ENTRY_BYTES;
    make_header(header, writer->count, size, checksum(table, table_bytes));
    kb_outfile *file;
    kb_status status = kb_outfile_open(&file, path, err);
    if (status)
        return status;
    status = kb_outfile_write(file, header, sizeof header, err);
    if (!status)
        status = kb_outfile_write(file, table, table_bytes, err);
    if (!status)
        status = write_sections(writer, file, err);
    if (status) {
        kb_outfile_abort(file);
        return status;
    }
    return kb_outfile_commit(file, err);
}

/* --- reading
 * ------------------------------------------------------------------------------------------------------------
 */

struct kb_container_reader {
    char *path;
    int fd;
    uint64_t size;
    uint32_t version;
    size_t count;
    kb_section sections[KB_SECTIONS_MAX];
    uint64_t offsets[KB_SECTIONS_MAX];
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

static kb_status check_header(kb_container_reader *r, const unsigned char *header, kb_error *err)
{
    if (memcmp(header, MAGIC, sizeof MAGIC) != 0)
        return kb_fail(err, KB_ERR_FORMAT, "%s: not a kaboom model", r->path);
    if (get_u32(header + 28) != checksum(header, 28))
        return kb_fail(err, KB_ERR_FORMAT, "%s: damaged header (checksum)", r->path);
    r->version = get_u32(header + 8);
    if (r->version == 0 || r->version > KB_CONTAINER_VERSION)
        return kb_fail(err, KB_ERR_FORMAT, "%s: model format %u, this program knows up to %d",
                       r->path, r->version, (int)KB_CONTAINER_VERSION);
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
        return kb_fail(err, KB_ERR_FORMAT, "%s: not a kaboom model", r->path);
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
        return kb_fail(err, KB_ERR_FORMAT, "%s: not a kaboom model (not a regular file)", path);
    r->size = (uint64_t)st.st_size;
    return KB_OK;
}

kb_status kb_container_open(kb_container_reader **out, const char *path, kb_error *err)
{
    *out = NULL;
    kb_container_reader *r = kb_calloc(1, sizeof *r);
    if (!r)
        return kb_fail_memory(err, "a model reader");
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
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader->path);
    free(reader);
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
        return kb_fail_memory(err, "a model section");
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
        return kb_fail_memory(err, "a model section");
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
