/* container: a file of named, checksummed sections. Knows nothing about models.
 *
 *   header, 64 bytes: magic "KABOOMDL", u32 version, u32 sections, u64 file size, u32 CRC-32 of the
 * table, u32 CRC-32 of the 28 bytes before it, zeros table: 80 bytes a section: name (32,
 * NUL-padded), u64 offset, u64 bytes, u64 raw bytes, u32 CRC-32 of the stored bytes, u32 flags (1:
 * zlib), zeros sections, each aligned to 64 bytes All integers little-endian. */
#ifndef KB_CONTAINER_H
#define KB_CONTAINER_H

#include "modelfile.h"
#include "status.h"

enum { KB_CONTAINER_VERSION = 1, KB_SECTIONS_MAX = 64 };

/* --- writing: collect, then write whole or not at all
 * ---------------------------------------------------------------- */
typedef struct kb_container_writer kb_container_writer;

kb_container_writer *kb_container_writer_create(void); /* NULL: no memory */
void kb_container_writer_free(kb_container_writer *writer);
/* TEXT (LENGTH bytes) is compressed at once. */
kb_status kb_container_add_text(kb_container_writer *writer, const char *name, const char *text,
                                size_t length, kb_error *err);
/* FLOATS are borrowed until the writer is freed. */
kb_status kb_container_add_floats(kb_container_writer *writer, const char *name,
                                  const float *floats, size_t count, kb_error *err);
kb_status kb_container_write(const kb_container_writer *writer, const char *path, kb_error *err);

/* --- reading
 * ------------------------------------------------------------------------------------------------------------
 */
typedef struct kb_container_reader kb_container_reader;

/* Checks magic, version, sizes and the table's checksum; sections are checked as they are read. */
kb_status kb_container_open(kb_container_reader **out, const char *path, kb_error *err);
void kb_container_close(kb_container_reader *reader);
size_t kb_container_count(const kb_container_reader *reader);
kb_section kb_container_section(const kb_container_reader *reader, size_t i);
/* *TEXT: the unpacked section and a NUL; the caller frees it. A missing section is KB_ERR_FORMAT.
 */
kb_status kb_container_text(const kb_container_reader *reader, const char *name, char **text,
                            size_t *length, kb_error *err);
/* FLOATS (COUNT): the section must have just that size. */
kb_status kb_container_floats(const kb_container_reader *reader, const char *name, float *floats,
                              size_t count, kb_error *err);

#endif
