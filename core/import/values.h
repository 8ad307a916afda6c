/* values: a file, plain or gzip-compressed, as JSON values: its lines; or, where it begins with an
 * array or with a line that is a brace and no more, the elements of its arrays and the values
 * between them, which may be printed over several lines. What a value says is left to who looks at
 * it. Memory follows the longest value. */
#ifndef KB_VALUES_H
#define KB_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "progress.h"
#include "status.h"

typedef struct kb_value {
    const char *text; /* LENGTH bytes; valid until the visitor returns */
    size_t length;
    uint64_t line;     /* where it begins, from 1 */
    bool is_line;      /* all of a line; otherwise it may go over several, or be a part of one */
    bool too_long;     /* more than 64 MiB: text is "" */
    uint64_t consumed; /* bytes of the file that are read so far */
} kb_value;

/* Hands each value of the file at PATH (see kb_bytes_open) to VISIT, which ends it all with
 * anything but KB_OK. Blank lines are none. Where the file is damaged, or its arrays are no JSON,
 * the result is KB_ERR_DAMAGED, and *LINE where that shows (0: in the file); what came before was
 * visited. */
kb_status kb_values_read(const char *path, const kb_progress *progress,
                         kb_status (*visit)(void *ctx, const kb_value *value, kb_error *err),
                         void *ctx, uint64_t *line, kb_error *err);

#endif
