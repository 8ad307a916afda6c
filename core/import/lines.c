#include "lines.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "sizes.h"

enum { CHUNK_BYTES = KB_SIZE(256 * 1024, 64) };

struct kb_lines {
    kb_bytes *bytes;
    const kb_progress *progress;
    /* bytes [at, end) of buffer are not given yet, of which [at, searched) hold no newline */
    char *buffer;
    size_t capacity, at, searched, end;
    uint64_t number; /* of the line last given */
    bool ended;
};

kb_status kb_lines_open_behind(kb_lines **out, kb_bytes *bytes, const char *head, size_t length,
                               const kb_progress *progress, kb_error *err)
{
    *out = NULL;
    kb_lines *lines = kb_calloc(1, sizeof *lines);
    if (!lines ||
        !kb_grow((void **)&lines->buffer, &lines->capacity, length + CHUNK_BYTES + 1, 1)) {
        kb_bytes_close(bytes);
        free(lines);
        return kb_fail_memory(err, "reading a file");
    }
    lines->bytes = bytes;
    lines->progress = progress;
    memcpy(lines->buffer, head, length);
    lines->end = length;
    *out = lines;
    return KB_OK;
}

kb_status kb_lines_open(kb_lines **out, const char *path, const kb_progress *progress,
                        kb_error *err)
{
    kb_bytes *bytes;
    *out = NULL;
    kb_status status = kb_bytes_open(&bytes, path, path, progress, err);
    return status ? status : kb_lines_open_behind(out, bytes, "", 0, progress, err);
}

void kb_lines_close(kb_lines *lines)
{
    if (!lines)
        return;
    kb_bytes_close(lines->bytes);
    free(lines->buffer);
    free(lines);
}

uint64_t kb_lines_consumed(const kb_lines *lines)
{
    return kb_bytes_consumed(lines->bytes);
}

/* Reads more bytes behind those of the line at hand. */
static kb_status refill(kb_lines *lines, kb_error *err)
{
    size_t kept = lines->end - lines->at, got;
    if (lines->at && kept)
        memmove(lines->buffer, lines->buffer + lines->at, kept);
    lines->searched -= lines->at;
    lines->at = 0;
    lines->end = kept;
    if (kb_cancelled(lines->progress))
        return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    if (!kb_grow((void **)&lines->buffer, &lines->capacity, kept + CHUNK_BYTES + 1, 1))
        return kb_fail_memory(err, "a line of a file");
    kb_status status = kb_bytes_read(lines->bytes, lines->buffer + kept, CHUNK_BYTES, &got, err);
    lines->end += got;
    lines->ended = !status && !got;
    return status;
}

/* *FOUND: the newline of the line at hand is at searched, or the file has ended without one. */
static kb_status find_newline(kb_lines *lines, bool *found, kb_error *err)
{
    *found = true;
    for (;;) {
        size_t left = lines->end - lines->searched;
        const char *newline = left ? memchr(lines->buffer + lines->searched, '\n', left) : NULL;
        lines->searched = newline ? (size_t)(newline - lines->buffer) : lines->end;
        if (newline || lines->ended)
            return KB_OK;
        if (lines->end - lines->at > KB_LINE_MAX) {
            *found = false;
            return KB_OK;
        }
        kb_status status = refill(lines, err);
        if (status)
            return status;
    }
}

/* Forgets a line of which no end is in sight, as often as that takes. */
static kb_status skip_line(kb_lines *lines, kb_error *err)
{
    bool found = false;
    kb_status status = KB_OK;
    while (!status && !found) {
        lines->at = lines->searched = lines->end;
        status = find_newline(lines, &found, err);
    }
    lines->at = lines->searched;
    return status;
}

static void skip_mark(kb_lines *lines)
{
    if (lines->searched >= 3 && memcmp(lines->buffer, "\xEF\xBB\xBF", 3) == 0)
        lines->at = 3;
}

kb_status kb_lines_next(kb_lines *lines, kb_line *line, bool *got, kb_error *err)
{
    bool found;
    *got = false;
    kb_status status = find_newline(lines, &found, err);
    if (!status && !found)
        status = skip_line(lines, err);
    if (status || (lines->ended && lines->at == lines->end && found))
        return status;
    if (!lines->number)
        skip_mark(lines);
    char *text = lines->buffer + lines->at;
    size_t length = lines->searched - lines->at;
    lines->at = lines->searched += lines->searched < lines->end;
    if (length && text[length - 1] == '\r')
        length--;
    text[length] = '\0';
    *line = (kb_line){text, length, ++lines->number, !found || length > KB_LINE_MAX};
    if (line->too_long)
        *line = (kb_line){"", 0, lines->number, true};
    *got = true;
    return KB_OK;
}
