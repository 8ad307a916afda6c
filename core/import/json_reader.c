#include "json_reader.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "sizes.h"

enum { CHUNK_BYTES = KB_SIZE(256 * 1024, 64), KINDS = 64 };

static const char mark[] = {'\xEF', '\xBB', '\xBF'}; /* of the byte order, first in a file */

struct kb_json_reader {
    kb_bytes *bytes;
    const kb_progress *progress;
    char buffer[CHUNK_BYTES];
    size_t at, end; /* of what is not used yet */
    bool ended;
    uint64_t line;
    /* the value being kept */
    bool keeping, too_long;
    char *text;
    size_t length, capacity;
};

_Static_assert((int)KB_JSON_HEAD <= (int)CHUNK_BYTES, "the buffer is smaller than a head");

static void skip_mark(kb_json_reader *reader)
{
    if (reader->end >= sizeof mark && memcmp(reader->buffer, mark, sizeof mark) == 0)
        reader->at = sizeof mark;
}

kb_status kb_json_reader_open_behind(kb_json_reader **out, kb_bytes *bytes, const char *head,
                                     size_t length, const kb_progress *progress, kb_error *err)
{
    *out = NULL;
    kb_json_reader *reader = kb_calloc(1, sizeof *reader);
    if (!reader) {
        kb_bytes_close(bytes);
        return kb_fail_memory(err, "reading a file");
    }
    reader->bytes = bytes;
    reader->progress = progress;
    reader->line = 1;
    memcpy(reader->buffer, head, length);
    reader->end = length;
    skip_mark(reader);
    *out = reader;
    return KB_OK;
}

kb_status kb_json_reader_open(kb_json_reader **out, const char *path, const kb_progress *progress,
                              kb_error *err)
{
    kb_bytes *bytes;
    *out = NULL;
    kb_status status = kb_bytes_open(&bytes, path, path, progress, err);
    return status ? status : kb_json_reader_open_behind(out, bytes, "", 0, progress, err);
}

void kb_json_reader_close(kb_json_reader *reader)
{
    if (!reader)
        return;
    kb_bytes_close(reader->bytes);
    free(reader->text);
    free(reader);
}

uint64_t kb_json_reader_line(const kb_json_reader *reader)
{
    return reader->line;
}

uint64_t kb_json_reader_consumed(const kb_json_reader *reader)
{
    return kb_bytes_consumed(reader->bytes);
}

/* --- bytes ------------------------------------------------------------------------------- */
/* Puts more bytes behind those of the buffer. */
static kb_status read_more(kb_json_reader *reader, kb_error *err)
{
    size_t got;
    kb_status status = kb_bytes_read(reader->bytes, reader->buffer + reader->end,
                                     CHUNK_BYTES - reader->end, &got, err);
    reader->end += got;
    reader->ended = !status && !got;
    return status;
}

/* A pipe may give the byte order mark in pieces. */
static kb_status refill(kb_json_reader *reader, kb_error *err)
{
    bool first = !kb_bytes_consumed(reader->bytes);
    if (kb_cancelled(reader->progress))
        return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    reader->at = reader->end = 0;
    kb_status status = read_more(reader, err);
    while (first && !status && !reader->ended && reader->end < sizeof mark)
        status = read_more(reader, err);
    if (first)
        skip_mark(reader);
    return status;
}

/* *C is the next byte, which stays there; -1 at the end. */
static inline kb_status look(kb_json_reader *reader, int *c, kb_error *err)
{
    while (reader->at == reader->end && !reader->ended) {
        kb_status status = refill(reader, err);
        if (status)
            return status;
    }
    *c = reader->at < reader->end ? (unsigned char)reader->buffer[reader->at] : -1;
    return KB_OK;
}

/* A value that becomes too long is not kept any more. */
static kb_status keep_bytes(kb_json_reader *reader, const char *bytes, size_t n, kb_error *err)
{
    if (reader->too_long || reader->length + n > KB_JSON_VALUE_MAX) {
        reader->too_long = true;
        return KB_OK;
    }
    if (!kb_grow((void **)&reader->text, &reader->capacity, reader->length + n + 1, 1))
        return kb_fail_memory(err, "a JSON value");
    memcpy(reader->text + reader->length, bytes, n);
    reader->length += n;
    return KB_OK;
}

/* Steps over N bytes of the buffer. */
static inline kb_status step(kb_json_reader *reader, size_t n, kb_error *err)
{
    const char *from = reader->buffer + reader->at;
    for (size_t i = 0; i < n; i++)
        reader->line += from[i] == '\n';
    reader->at += n;
    return reader->keeping ? keep_bytes(reader, from, n, err) : KB_OK;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

kb_status kb_json_reader_peek(kb_json_reader *reader, int *c, kb_error *err)
{
    for (;;) {
        kb_status status = look(reader, c, err);
        if (!status && is_blank(*c))
            status = step(reader, 1, err);
        else
            return status;
        if (status)
            return status;
    }
}

/* --- what is wrong ----------------------------------------------------------------------- */
static kb_status cut_off(kb_error *err)
{
    return kb_fail(err, KB_ERR_DAMAGED, "truncated: the JSON ends early");
}

static kb_status unexpected(int c, const char *wanted, kb_error *err)
{
    if (c < 0)
        return cut_off(err);
    if (c > ' ' && c < 0x7F)
        return kb_fail(err, KB_ERR_DAMAGED, "'%c' where %s was expected", c, wanted);
    return kb_fail(err, KB_ERR_DAMAGED, "byte %d where %s was expected", c, wanted);
}

/* --- values ------------------------------------------------------------------------------ */
/* How many bytes of the buffer come before the first that ENDS says yes to. */
static inline size_t run_until(const kb_json_reader *reader, bool (*ends)(int c))
{
    size_t n = reader->at;
    while (n < reader->end && !ends((unsigned char)reader->buffer[n]))
        n++;
    return n - reader->at;
}

static bool ends_plain_text(int c)
{
    return c == '"' || c == '\\';
}

/* From a quote to the next that no backslash stands before. */
static kb_status take_string(kb_json_reader *reader, kb_error *err)
{
    bool escaped = true; /* the first quote opens it */
    for (;;) {
        int c;
        kb_status status = look(reader, &c, err);
        if (!status && c < 0)
            status = cut_off(err);
        if (status)
            return status;
        size_t plain = escaped ? 0 : run_until(reader, ends_plain_text);
        status = step(reader, plain ? plain : 1, err);
        if (status || (!plain && !escaped && c == '"'))
            return status;
        escaped = !plain && !escaped && c == '\\';
    }
}

static bool ends_word(int c)
{
    return c < 0 || is_blank(c) || strchr(",:]}[{\"", c) != NULL;
}

/* A number, true, false, null: what they say is left to who looks at them. */
static kb_status take_word(kb_json_reader *reader, kb_error *err)
{
    for (;;) {
        int c;
        kb_status status = look(reader, &c, err);
        if (status || ends_word(c))
            return status;
        status = step(reader, run_until(reader, ends_word), err);
        if (status)
            return status;
    }
}

/* Brackets that are open; the kinds of those in the first KINDS levels. */
struct nesting {
    size_t depth;
    uint64_t braces;
};

static void open_bracket(struct nesting *nesting, int c)
{
    if (nesting->depth < KINDS) {
        uint64_t bit = UINT64_C(1) << nesting->depth;
        nesting->braces = c == '{' ? nesting->braces | bit : nesting->braces & ~bit;
    }
    nesting->depth++;
}

static kb_status close_bracket(struct nesting *nesting, int c, kb_error *err)
{
    if (!nesting->depth)
        return unexpected(c, "a value", err);
    nesting->depth--;
    bool brace = nesting->depth >= KINDS ? c == '}' : nesting->braces >> nesting->depth & 1;
    if (brace != (c == '}'))
        return unexpected(c, brace ? "'}'" : "']'", err);
    return KB_OK;
}

static kb_status take_punctuation(kb_json_reader *reader, struct nesting *nesting, int c,
                                  kb_error *err)
{
    kb_status status = KB_OK;
    if (c == '{' || c == '[')
        open_bracket(nesting, c);
    else if (c == '}' || c == ']')
        status = close_bracket(nesting, c, err);
    else if (!nesting->depth) /* a comma or a colon */
        status = unexpected(c, "a value", err);
    return status ? status : step(reader, 1, err);
}

/* The value at hand, as far as brackets and quotes tell where it ends. */
static kb_status take_value(kb_json_reader *reader, kb_error *err)
{
    struct nesting nesting = {0};
    int c;
    kb_status status = KB_OK;
    do {
        status = kb_json_reader_peek(reader, &c, err);
        if (status)
            return status;
        if (c < 0)
            return cut_off(err);
        if (c == '"')
            status = take_string(reader, err);
        else if (ends_word(c))
            status = take_punctuation(reader, &nesting, c, err);
        else
            status = take_word(reader, err);
    } while (!status && nesting.depth);
    return status;
}

kb_status kb_json_reader_skip(kb_json_reader *reader, kb_error *err)
{
    return take_value(reader, err);
}

kb_status kb_json_reader_keep(kb_json_reader *reader, kb_json_span *out, kb_error *err)
{
    int c;
    kb_status status = kb_json_reader_peek(reader, &c, err);
    if (status)
        return status;
    uint64_t line = reader->line;
    reader->keeping = true;
    reader->too_long = false;
    reader->length = 0;
    status = take_value(reader, err);
    reader->keeping = false;
    bool lost = reader->too_long || !reader->length;
    *out =
        (kb_json_span){lost ? "" : reader->text, lost ? 0 : reader->length, line, reader->too_long};
    return status;
}

/* --- going into them --------------------------------------------------------------------- */
static kb_status expect(kb_json_reader *reader, int wanted, const char *name, kb_error *err)
{
    int c;
    kb_status status = kb_json_reader_peek(reader, &c, err);
    if (status)
        return status;
    return c == wanted ? step(reader, 1, err) : unexpected(c, name, err);
}

/* Behind a member or an element: a comma, or CLOSE and *MORE false. */
static kb_status go_on(kb_json_reader *reader, int close, bool *more, const char *names,
                       kb_error *err)
{
    int c;
    kb_status status = kb_json_reader_peek(reader, &c, err);
    if (status)
        return status;
    *more = c == ',';
    return *more || c == close ? step(reader, 1, err) : unexpected(c, names, err);
}

/* Right behind the opening bracket: *MORE false, and over CLOSE, when nothing is in it. */
static kb_status go_in(kb_json_reader *reader, int close, bool *more, kb_error *err)
{
    int c;
    kb_status status = kb_json_reader_peek(reader, &c, err);
    *more = c != close;
    return status || *more ? status : step(reader, 1, err);
}

kb_status kb_json_reader_object(kb_json_reader *reader,
                                kb_status (*visit)(void *ctx, const kb_json_span *name,
                                                   kb_error *err),
                                void *ctx, kb_error *err)
{
    kb_json_span name;
    bool more = false;
    int c;
    kb_status status = expect(reader, '{', "an object", err);
    if (!status)
        status = go_in(reader, '}', &more, err);
    while (!status && more) {
        status = kb_json_reader_peek(reader, &c, err);
        if (!status && c != '"')
            status = unexpected(c, "a member's name", err);
        if (!status)
            status = kb_json_reader_keep(reader, &name, err);
        if (!status)
            status = expect(reader, ':', "':'", err);
        if (!status)
            status = visit(ctx, &name, err);
        if (!status)
            status = go_on(reader, '}', &more, "',' or '}'", err);
    }
    return status;
}

kb_status kb_json_reader_array(kb_json_reader *reader, kb_status (*visit)(void *ctx, kb_error *err),
                               void *ctx, kb_error *err)
{
    bool more = false;
    kb_status status = expect(reader, '[', "an array", err);
    if (!status)
        status = go_in(reader, ']', &more, err);
    while (!status && more) {
        status = visit(ctx, err);
        if (!status)
            status = go_on(reader, ']', &more, "',' or ']'", err);
    }
    return status;
}
