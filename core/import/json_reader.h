/* json_reader: a stream of JSON documents, walked member by member, so that memory follows one
 * value and not the file. The walker decides at each value whether to go into it, to keep its text,
 * or to step over it. Lines are counted, for messages.
 *
 * Every function fails with KB_ERR_DAMAGED where the text is no JSON or ends early; the error's
 * text does not name the file then, and kb_json_reader_line says where. The reader is of no use
 * after that.
 */
#ifndef KB_JSON_READER_H
#define KB_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "progress.h"
#include "sizes.h"
#include "status.h"

enum { KB_JSON_VALUE_MAX = KB_SIZE(64 * 1024 * 1024, 2000), KB_JSON_HEAD = KB_SIZE(4096, 40) };

typedef struct kb_json_reader kb_json_reader;

/* The text of a value. */
typedef struct kb_json_span {
    const char *text; /* valid until the next call */
    size_t length;
    uint64_t line; /* where it begins */
    bool too_long; /* more than KB_JSON_VALUE_MAX bytes: text is "" */
} kb_json_span;

/* As kb_bytes_open. */
kb_status kb_json_reader_open(kb_json_reader **out, const char *path, const kb_progress *progress,
                              kb_error *err);
/* The same for BYTES, of which the LENGTH bytes at HEAD were read already: at most KB_JSON_HEAD,
 * and not only a part of a byte order mark. Takes BYTES over, whatever it returns. */
kb_status kb_json_reader_open_behind(kb_json_reader **out, kb_bytes *bytes, const char *head,
                                     size_t length, const kb_progress *progress, kb_error *err);
void kb_json_reader_close(kb_json_reader *reader); /* NULL is fine */
uint64_t kb_json_reader_line(const kb_json_reader *reader);
uint64_t kb_json_reader_consumed(const kb_json_reader *reader); /* bytes of the file so far */

/* The next byte that is no blank, which stays there; -1 at the end of the file. */
kb_status kb_json_reader_peek(kb_json_reader *reader, int *c, kb_error *err);
/* The value at hand, kept or stepped over. */
kb_status kb_json_reader_keep(kb_json_reader *reader, kb_json_span *out, kb_error *err);
kb_status kb_json_reader_skip(kb_json_reader *reader, kb_error *err);
/* Goes into the object at hand: VISIT is called with the reader at the value of each member and
 * must take it. NAME is the name's text with its quotes, valid until VISIT uses the reader. */
kb_status kb_json_reader_object(kb_json_reader *reader,
                                kb_status (*visit)(void *ctx, const kb_json_span *name,
                                                   kb_error *err),
                                void *ctx, kb_error *err);
/* Goes into the array at hand: VISIT is called with the reader at each element and must take it. */
kb_status kb_json_reader_array(kb_json_reader *reader, kb_status (*visit)(void *ctx, kb_error *err),
                               void *ctx, kb_error *err);

#endif
