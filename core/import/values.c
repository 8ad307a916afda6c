#include "values.h"

#include <string.h>

#include "json_reader.h"
#include "lines.h"

struct walk {
    kb_json_reader *reader;
    kb_status (*visit)(void *ctx, const kb_value *value, kb_error *err);
    void *ctx;
};

/* --- line by line ------------------------------------------------------------------------ */
static bool is_blank(const kb_line *line)
{
    return strspn(line->text, " \t\r") == line->length && !line->too_long;
}

static kb_status read_lines(const struct walk *walk, kb_lines *lines, kb_error *err)
{
    for (;;) {
        kb_line line;
        bool got;
        kb_status status = kb_lines_next(lines, &line, &got, err);
        if (status || !got)
            return status;
        if (is_blank(&line))
            continue;
        const kb_value value = {.text = line.text,
                                .length = line.length,
                                .line = line.number,
                                .is_line = true,
                                .too_long = line.too_long,
                                .consumed = kb_lines_consumed(lines)};
        status = walk->visit(walk->ctx, &value, err);
        if (status)
            return status;
    }
}

/* --- value by value ---------------------------------------------------------------------- */
static kb_status take_value(void *ctx, kb_error *err)
{
    const struct walk *walk = ctx;
    kb_json_span span;
    kb_status status = kb_json_reader_keep(walk->reader, &span, err);
    if (status)
        return status;
    const kb_value value = {.text = span.text,
                            .length = span.length,
                            .line = span.line,
                            .too_long = span.too_long,
                            .consumed = kb_json_reader_consumed(walk->reader)};
    return walk->visit(walk->ctx, &value, err);
}

static kb_status read_values(struct walk *walk, kb_error *err)
{
    for (;;) {
        int c;
        kb_status status = kb_json_reader_peek(walk->reader, &c, err);
        if (status || c < 0)
            return status;
        status = c == '[' ? kb_json_reader_array(walk->reader, take_value, walk, err)
                          : take_value(walk, err);
        if (status)
            return status;
    }
}

/* --- which of both ----------------------------------------------------------------------- */
enum shape { SHAPE_UNKNOWN, SHAPE_LINES, SHAPE_VALUES };

/* Of a file that begins with LENGTH bytes at TEXT. END: there are no more to look at. */
static enum shape shape_of(const char *text, size_t length, bool end)
{
    size_t at = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    if (length < 3 && !end)
        return SHAPE_UNKNOWN;
    while (at < length && memchr(" \t\r\n", text[at], 4))
        at++;
    if (at < length && text[at] == '[')
        return SHAPE_VALUES;
    if (at < length && text[at] != '{')
        return SHAPE_LINES;
    for (at++; at < length && memchr(" \t\r", text[at], 3);)
        at++;
    if (at >= length)
        return end ? SHAPE_LINES : SHAPE_UNKNOWN;
    return text[at] == '\n' ? SHAPE_VALUES : SHAPE_LINES;
}

/* The first bytes of a file. */
struct head {
    char text[KB_JSON_HEAD];
    size_t length;
};

/* Reads as far as it takes to know the shape. Who reads on hears of a damage again. */
static kb_status read_head(kb_bytes *bytes, struct head *head, enum shape *shape, kb_error *err)
{
    bool end = false;
    head->length = 0;
    for (*shape = SHAPE_UNKNOWN; *shape == SHAPE_UNKNOWN && !end;) {
        size_t got = 0, room = sizeof head->text - head->length;
        kb_status status =
            room ? kb_bytes_read(bytes, head->text + head->length, room, &got, err) : KB_OK;
        if (status && status != KB_ERR_DAMAGED)
            return status;
        head->length += got;
        end = !got;
        *shape = shape_of(head->text, head->length, end);
    }
    return KB_OK;
}

/* Takes BYTES over. */
static kb_status read_as_lines(const struct walk *walk, kb_bytes *bytes, const struct head *head,
                               const kb_progress *progress, kb_error *err)
{
    kb_lines *lines;
    kb_status status = kb_lines_open_behind(&lines, bytes, head->text, head->length, progress, err);
    if (!status)
        status = read_lines(walk, lines, err);
    kb_lines_close(lines);
    return status;
}

/* Takes BYTES over. */
static kb_status read_as_values(struct walk *walk, kb_bytes *bytes, const struct head *head,
                                const kb_progress *progress, uint64_t *line, kb_error *err)
{
    kb_status status =
        kb_json_reader_open_behind(&walk->reader, bytes, head->text, head->length, progress, err);
    if (!status)
        status = read_values(walk, err);
    if (status == KB_ERR_DAMAGED)
        *line = kb_json_reader_line(walk->reader);
    kb_json_reader_close(walk->reader);
    return status;
}

kb_status kb_values_read(const char *path, const kb_progress *progress,
                         kb_status (*visit)(void *ctx, const kb_value *value, kb_error *err),
                         void *ctx, uint64_t *line, kb_error *err)
{
    struct walk walk = {.visit = visit, .ctx = ctx};
    kb_bytes *bytes;
    enum shape shape;
    struct head head;
    *line = 0;
    kb_status status = kb_bytes_open(&bytes, path, path, progress, err);
    if (status)
        return status;
    status = read_head(bytes, &head, &shape, err);
    if (status) {
        kb_bytes_close(bytes);
        return status;
    }
    return shape == SHAPE_VALUES ? read_as_values(&walk, bytes, &head, progress, line, err)
                                 : read_as_lines(&walk, bytes, &head, progress, err);
}
