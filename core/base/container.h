/* container: a file of named, checksummed sections. Knows nothing about what they hold.
 *
 *   header, 64 bytes: magic (8 bytes), u32 version, u32 sections, u64 file size, u32 CRC-32 of the
 *   table, u32 CRC-32 of the 28 bytes before it, zeros
 *   table, 80 bytes a section: name (32, NUL-padded), u64 offset, u64 bytes, u64 raw bytes, u32
 *   CRC-32 of the stored bytes, u32 flags (1: zlib), zeros
 *   sections, each aligned to 64 bytes
 *
 * All integers little-endian. */
#ifndef KB_CONTAINER_H
#define KB_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "progress.h"
#include "status.h"

enum { KB_SECTIONS_MAX = 64 };

/* What a container is for. */
typedef struct kb_container_kind {
    char magic[8];
    uint32_t version; /* written; files from 1 up to it are read */
    const char *noun; /* "model", in errors */
} kb_container_kind;

typedef struct kb_section {
    char name[32];
    uint64_t bytes;     /* in the file */
    uint64_t raw_bytes; /* once unpacked */
    bool compressed;
    uint32_t crc;
} kb_section;

/* Bytes of somebody else. */
typedef struct kb_piece {
    const void *bytes;
    size_t length;
} kb_piece;

/* --- writing: collect, then write whole or not at all ------------------------------------- */
typedef struct kb_container_writer kb_container_writer;

/* NULL: no memory. KIND outlives the writer. */
kb_container_writer *kb_container_writer_create(const kb_container_kind *kind);
void kb_container_writer_free(kb_container_writer *writer); /* NULL is fine */
/* TEXT (LENGTH bytes) is compressed at once. */
kb_status kb_container_add_text(kb_container_writer *writer, const char *name, const char *text,
                                size_t length, kb_error *err);
/* FLOATS are borrowed until the writer is freed. */
kb_status kb_container_add_floats(kb_container_writer *writer, const char *name,
                                  const float *floats, size_t count, kb_error *err);
/* COUNT pieces one after the other; PIECES and what they point to are borrowed likewise. */
kb_status kb_container_add_pieces(kb_container_writer *writer, const char *name,
                                  const kb_piece *pieces, size_t count, kb_error *err);
/* What the file will have. */
uint64_t kb_container_size(const kb_container_writer *writer);
/* LASTING: the file survives a crash of the machine, with the usual permissions; otherwise it is
 * for this user only, and of little worth (see outfile.h). PROGRESS is only asked for cancellation.
 */
kb_status kb_container_write(const kb_container_writer *writer, const char *path, bool lasting,
                             const kb_progress *progress, kb_error *err);

/* --- reading ------------------------------------------------------------------------------ */
typedef struct kb_container_reader kb_container_reader;

/* Checks magic, version, sizes and the table's checksum; sections are checked as they are read. */
kb_status kb_container_open(kb_container_reader **out, const kb_container_kind *kind,
                            const char *path, kb_error *err);
void kb_container_close(kb_container_reader *reader); /* NULL is fine */
uint32_t kb_container_version(const kb_container_reader *reader);
size_t kb_container_count(const kb_container_reader *reader);
kb_section kb_container_section(const kb_container_reader *reader, size_t i);
/* *TEXT: the unpacked section and a NUL; the caller frees it. A missing section is KB_ERR_FORMAT.
 */
kb_status kb_container_text(const kb_container_reader *reader, const char *name, char **text,
                            size_t *length, kb_error *err);
/* FLOATS (COUNT): the section must have just that size. */
kb_status kb_container_floats(const kb_container_reader *reader, const char *name, float *floats,
                              size_t count, kb_error *err);
/* *BYTES: the section as it is stored, aligned to 64 bytes, in memory that the reader maps and that
 * goes with it. */
kb_status kb_container_bytes(kb_container_reader *reader, const char *name, const void **bytes,
                             size_t *length, kb_error *err);

#endif
