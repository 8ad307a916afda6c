/* bytes: a file or standard input as a stream of plain bytes, whether it is gzip-compressed or not.
 *
 * Told apart by content, not by name. Concatenated gzip members are one stream; zeros behind the
 * last one are padding. What came before a damage is delivered before the damage is reported. */
#ifndef KB_BYTES_H
#define KB_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "progress.h"
#include "status.h"

typedef struct kb_bytes kb_bytes;

/* PATH: "-" is standard input. LABEL names it in errors. PROGRESS (NULL is fine) is only asked for
 * cancellation, also while a pipe or a terminal has nothing to say; it outlives the stream. A
 * directory is an error. */
kb_status kb_bytes_open(kb_bytes **out, const char *path, const char *label,
                        const kb_progress *progress, kb_error *err);
void kb_bytes_close(kb_bytes *bytes); /* NULL is fine */

/* Up to ROOM (> 0) bytes into BUFFER; *GOT 0 is the end. A truncated or corrupt gzip stream is
 * KB_ERR_FORMAT. */
kb_status kb_bytes_read(kb_bytes *bytes, char *buffer, size_t room, size_t *got, kb_error *err);

uint64_t kb_bytes_consumed(const kb_bytes *bytes); /* bytes of the file (compressed) read so far */

#endif
