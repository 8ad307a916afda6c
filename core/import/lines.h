/* lines: a text file, plain or gzip-compressed, line by line. Newlines ("\n" or "\r\n") and a byte
 * order mark at the beginning are taken away. Memory follows the longest line, up to
 * KB_LINE_MAX. */
#ifndef KB_LINES_H
#define KB_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "progress.h"
#include "sizes.h"
#include "status.h"

enum { KB_LINE_MAX = KB_SIZE(64 * 1024 * 1024, 2000) };

typedef struct kb_lines kb_lines;

typedef struct kb_line {
    const char *text; /* LENGTH bytes and a NUL; valid until the next call */
    size_t length;
    uint64_t number; /* from 1 */
    bool too_long;   /* more than KB_LINE_MAX bytes: skipped, text is "" */
} kb_line;

/* As kb_bytes_open; PROGRESS is only asked for cancellation. */
kb_status kb_lines_open(kb_lines **out, const char *path, const kb_progress *progress,
                        kb_error *err);
/* The same for BYTES, of which the LENGTH bytes at HEAD were read already. Takes BYTES over,
 * whatever it returns. */
kb_status kb_lines_open_behind(kb_lines **out, kb_bytes *bytes, const char *head, size_t length,
                               const kb_progress *progress, kb_error *err);
void kb_lines_close(kb_lines *lines); /* NULL is fine */
/* *GOT false at the end. A damaged file (see bytes.h) delivers the whole lines before the damage,
 * then KB_ERR_DAMAGED. */
kb_status kb_lines_next(kb_lines *lines, kb_line *line, bool *got, kb_error *err);
uint64_t kb_lines_consumed(const kb_lines *lines); /* bytes of the file read so far */

#endif
