#include "json_text.h"

#include <inttypes.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "number.h"
#include "sizes.h"

/* The text is fed in pieces, between which cancelling is asked for. */
enum { PIECE_BYTES = KB_SIZE(1 << 20, 48) };

/* What json-c needs, at most: for an object its table of the first names, for each value its node,
 * its name, its slot in a table that has grown, and its text. */
enum { OBJECT_BYTES = 1024, VALUE_BYTES = 256 };
static const size_t memory_most = KB_SIZE((size_t)1 << 30, (size_t)1 << 16);

struct kb_json {
    struct json_tokener *tokener;
};

kb_json *kb_json_create(void)
{
    kb_json *json = kb_calloc(1, sizeof *json);
    if (!json)
        return NULL;
    json->tokener = json_tokener_new_ex(KB_JSON_DEPTH);
    if (!json->tokener) {
        free(json);
        return NULL;
    }
    json_tokener_set_flags(json->tokener, JSON_TOKENER_STRICT);
    return json;
}

void kb_json_free(kb_json *json)
{
    if (!json)
        return;
    json_tokener_free(json->tokener);
    free(json);
}

/* --- before json-c sees it --------------------------------------------------------------- */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Where the string that begins behind START ends: at its quote, or at END. *NUL: it has the escape
 * of a NUL character. */
static const char *string_end(const char *s, const char *end, bool *nul)
{
    *nul = false;
    for (; s < end && *s != '"'; s++) {
        if (*s != '\\')
            continue;
        *nul |= end - s >= 6 && memcmp(s, "\\u0000", 6) == 0;
        s++;
        if (s == end)
            break;
    }
    return s;
}

static bool is_member_name(const char *behind, const char *end)
{
    while (behind < end && is_blank(*behind))
        behind++;
    return behind < end && *behind == ':';
}

/* json-c takes single quotes around the names of members, cuts these names off at a NUL, and its
 * objects may need three hundred times the bytes of their text. */
static const char *survey(const char *text, size_t length, size_t *at)
{
    const char *end = text + length;
    size_t memory = length;
    for (const char *s = text; s < end; s++) {
        bool nul = false;
        const char *from = s;
        if (*s == '"')
            s = string_end(s + 1, end, &nul);
        else if (*s == '{')
            memory += OBJECT_BYTES;
        else if (*s == '[' || *s == ',')
            memory += VALUE_BYTES;
        *at = (size_t)(from - text);
        if (*from == '\'')
            return "not JSON: a single quote";
        if (nul && is_member_name(s + 1, end))
            return "a member name with a NUL character";
        if (memory > memory_most)
            return "more values than fit into 1 GiB";
    }
    return NULL;
}

static bool refuse(kb_json_verdict *verdict, const char *reason, size_t at)
{
    snprintf(verdict->reason, sizeof verdict->reason, "%s", reason);
    verdict->at = at;
    return false;
}

static bool is_acceptable(const char *text, size_t length, kb_json_verdict *verdict)
{
    size_t at = 0;
    const char *nul = memchr(text, 0, length);
    if (nul)
        return refuse(verdict, "a NUL byte", (size_t)(nul - text));
    if (!kb_utf8_valid(text, length))
        return refuse(verdict, "not UTF-8", 0);
    const char *reason = survey(text, length, &at);
    return reason ? refuse(verdict, reason, at) : true;
}

/* --- json-c ------------------------------------------------------------------------------ */
/* How many of the LENGTH bytes at TEXT to feed: if not all, up to behind a comma, where no number
 * and no character is torn apart, or where at least no character is. */
static size_t piece_of(const char *text, size_t length)
{
    if (length <= PIECE_BYTES)
        return length;
    size_t n = PIECE_BYTES;
    while (n && text[n - 1] != ',')
        n--;
    if (n)
        return n;
    n = PIECE_BYTES;
    while (((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    return n;
}

static void describe(enum json_tokener_error error, kb_json_verdict *verdict)
{
    if (error == json_tokener_error_depth)
        snprintf(verdict->reason, sizeof verdict->reason, "nested deeper than %d levels",
                 KB_JSON_DEPTH - 1);
    else if (error == json_tokener_continue || error == json_tokener_error_parse_eof)
        verdict->early = !refuse(verdict, "the JSON ends early", verdict->at);
    else
        snprintf(verdict->reason, sizeof verdict->reason, "not JSON: %s",
                 json_tokener_error_desc(error));
}

/* Feeds all of TEXT, and a blank that ends a number. */
static kb_status feed(kb_json *json, const char *text, size_t length, const kb_progress *progress,
                      struct json_object **out, kb_json_verdict *verdict, kb_error *err)
{
    enum json_tokener_error error = json_tokener_continue;
    size_t at = 0;
    while (at < length && error == json_tokener_continue) {
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        size_t piece = piece_of(text + at, length - at);
        *out = json_tokener_parse_ex(json->tokener, text + at, (int)piece);
        error = json_tokener_get_error(json->tokener);
        at += json_tokener_get_parse_end(json->tokener);
    }
    if (error == json_tokener_continue) {
        *out = json_tokener_parse_ex(json->tokener, " ", 1);
        error = json_tokener_get_error(json->tokener);
    }
    while (error == json_tokener_success && at < length && is_blank(text[at]))
        at++;
    verdict->at = at;
    if (error == json_tokener_success && at < length)
        refuse(verdict, "not JSON: more text behind its end", at);
    else if (error != json_tokener_success)
        describe(error, verdict);
    return KB_OK;
}

kb_status kb_json_parse(kb_json *json, const char *text, size_t length, const kb_progress *progress,
                        struct json_object **out, kb_json_verdict *verdict, kb_error *err)
{
    *out = NULL;
    *verdict = (kb_json_verdict){0};
    if (!is_acceptable(text, length, verdict))
        return KB_OK;
    kb_status status = feed(json, text, length, progress, out, verdict, err);
    if (status || *verdict->reason) {
        json_object_put(*out);
        *out = NULL;
        json_tokener_reset(json->tokener);
    }
    return status;
}

/* --- values ------------------------------------------------------------------------------ */
/* json-c clips a whole number to 64 bits without a word, so that the outermost are not to be
 * trusted. */
static const char *whole_number(struct json_object *value, char *room, kb_cell *out)
{
    int64_t negative = json_object_get_int64(value);
    uint64_t positive = json_object_get_uint64(value);
    if (negative == INT64_MIN || positive == UINT64_MAX)
        return "a whole number beyond 64 bits";
    int n = negative < 0 ? snprintf(room, KB_JSON_ROOM, "%" PRId64, negative)
                         : snprintf(room, KB_JSON_ROOM, "%" PRIu64, positive);
    *out = (kb_cell){room, (size_t)n};
    return NULL;
}

const char *kb_json_scalar(struct json_object *value, char *room, kb_cell *out)
{
    *out = (kb_cell){"", 0};
    switch (json_object_get_type(value)) {
    case json_type_null:
        return "nothing";
    case json_type_boolean:
        return "a truth value";
    case json_type_object:
        return "an object";
    case json_type_array:
        return "an array";
    case json_type_int:
        return whole_number(value, room, out);
    case json_type_double:
        out->text = json_object_to_json_string(value);
        out->length = strlen(out->text);
        return NULL;
    case json_type_string:
        *out = (kb_cell){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
        return NULL;
    }
    return "nothing";
}
