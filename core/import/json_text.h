/* json_text: one JSON value in memory, parsed by json-c, with what json-c leaves to its users: the
 * text is checked to be UTF-8 without NUL bytes, memory is bounded by what the text can be made to
 * need, and work on a long text can be cancelled. A name that occurs twice in an object counts as
 * it stands last. */
#ifndef KB_JSON_TEXT_H
#define KB_JSON_TEXT_H

#include <json-c/json_object.h>
#include <json-c/linkhash.h> /* json_object_object_foreach */
#include <stdbool.h>
#include <stddef.h>

#include "corpus_writer.h"
#include "progress.h"
#include "status.h"

enum { KB_JSON_DEPTH = 64 };

typedef struct kb_json kb_json; /* a parser; good for any number of texts */

typedef struct kb_json_verdict {
    char reason[160]; /* why it is no JSON; empty when it is */
    size_t at;        /* the byte where that shows */
    bool early;       /* it would be the beginning of one */
} kb_json_verdict;

kb_json *kb_json_create(void);    /* NULL: no memory */
void kb_json_free(kb_json *json); /* NULL is fine */

/* *OUT is the value of the LENGTH bytes at TEXT, for the caller to json_object_put; NULL for null,
 * and where *VERDICT says why it is none. Fails for no memory and when cancelled only. */
kb_status kb_json_parse(kb_json *json, const char *text, size_t length, const kb_progress *progress,
                        struct json_object **out, kb_json_verdict *verdict, kb_error *err);

/* Room for the digits of a whole number. */
enum { KB_JSON_ROOM = 32 };

/* The text of a string or a number, as it was written; it lives in VALUE or in ROOM (KB_JSON_ROOM
 * bytes). NULL, or what is wrong: "an object", "an array", "a truth value", "nothing" (null), "a
 * whole number beyond 64 bits". */
const char *kb_json_scalar(struct json_object *value, char *room, kb_cell *out);

#endif
