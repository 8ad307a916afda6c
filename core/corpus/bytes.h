/* bytes: a file or standard input as a stream of plain bytes, whether it is gzip-compressed or not.
 *
 * Told apart by content, not by name. Concatenated gzip members are one stream; zeros behind the
 * last one are padding. What came before a damage is delivered before the damage is reported (all
 * of a member whose checksum is not right: which of it is wrong is not known); a regular file that
 * ends earlier than it did when it was opened, or listed, is damaged too, and one that has been
 * written to since without having grown. */
#ifndef KB_BYTES_H
#define KB_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "progress.h"
#include "status.h"

struct kb_file;

typedef struct kb_bytes kb_bytes;

/* PATH: "-" is standard input. LABEL names it in errors. PROGRESS (NULL is fine) is only asked for
 * cancellation, also while a pipe or a terminal has nothing to say; it outlives the stream. A
 * directory is an error. */
kb_status kb_bytes_open(kb_bytes **out, const char *path, const char *label,
                        const kb_progress *progress, kb_error *err);
void kb_bytes_close(kb_bytes *bytes); /* NULL is fine */
/* The file is known to have had SIZE bytes: fewer are a damage. */
void kb_bytes_expect(kb_bytes *bytes, uint64_t size);
/* CALL(CTX) whenever a pipe or a terminal has nothing to say, before it is waited for, and ten
 * times a second while it is. It may not touch BYTES. */
typedef struct kb_idle {
    void (*call)(void *ctx); /* NULL: nobody */
    void *ctx;
} kb_idle;
void kb_bytes_on_idle(kb_bytes *bytes, kb_idle idle);
/* What is read is FILE (files.h) as it was listed, or has grown since. */
bool kb_bytes_are_of(const kb_bytes *bytes, const struct kb_file *file);

/* Up to ROOM (> 0) bytes into BUFFER; *GOT 0 is the end. A truncated or corrupt gzip stream, a file
 * that has shrunk and one that cannot be read any further are KB_ERR_DAMAGED; the error's text
 * begins with LABEL and ": ". */
kb_status kb_bytes_read(kb_bytes *bytes, char *buffer, size_t room, size_t *got, kb_error *err);

/* Goes on reading at OFFSET of a regular file that is not compressed: otherwise it is not what it
 * was, and damaged. At least one byte must have been read, so that this is known. */
kb_status kb_bytes_seek(kb_bytes *bytes, uint64_t offset, kb_error *err);

/* A regular file that is compressed, as far as is known: another thread may read it without ever
 * waiting for somebody else. */
bool kb_bytes_is_worth_a_thread(const kb_bytes *bytes);
uint64_t kb_bytes_consumed(const kb_bytes *bytes); /* bytes of the file (compressed) read so far */

#endif
