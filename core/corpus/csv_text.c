#include "csv_text.h"

#include <stdlib.h>
#include <string.h>

#include "csv_marks.h"
#include "memory.h"
#include "sizes.h"

enum {
    CHUNK_BYTES = KB_SIZE(256 * 1024, 96),
    SEGMENT_BYTES =
        KB_SIZE(32 * 1024, 80), /* whose marks are looked for at once: they stay in the cache */
    MARKS_ROOM = 4 * SEGMENT_BYTES
};

kb_status kb_csv_text_open(kb_csv_text *text, const char *path, const char *label,
                           const kb_progress *progress, kb_error *err)
{
    *text = (kb_csv_text){.line = 1};
    text->marks = kb_calloc(MARKS_ROOM, sizeof *text->marks);
    if (!text->marks || !kb_grow((void **)&text->buffer, &text->capacity, CHUNK_BYTES + 1, 1))
        return kb_fail_memory(err, "reading a file");
    return kb_bytes_open(&text->bytes, path, label, progress, err);
}

void kb_csv_text_close(kb_csv_text *text)
{
    kb_ahead_free(text->ahead);
    kb_bytes_close(text->bytes);
    free(text->buffer);
    free(text->marks);
    *text = (kb_csv_text){0};
}

void kb_csv_text_go_ahead(kb_csv_text *text)
{
    if (!text->ended && kb_bytes_is_worth_a_thread(text->bytes))
        (void)kb_ahead_start(&text->ahead, text->bytes, NULL);
}

uint64_t kb_csv_text_consumed(const kb_csv_text *text)
{
    return text->ahead ? kb_ahead_consumed(text->ahead) : kb_bytes_consumed(text->bytes);
}

kb_status kb_csv_text_seek(kb_csv_text *text, uint64_t offset, kb_error *err)
{
    text->row = text->at = text->end = text->searched = 0;
    text->mark = text->mark_count = text->known = text->marked = text->segment = 0;
    text->flags = text->earlier_flags = 0;
    text->origin = offset;
    text->line = 1;
    text->ended = false;
    text->damage = (kb_error){0};
    return kb_bytes_seek(text->bytes, offset, err);
}

/* --- bytes -------------------------------------------------------------------------------- */

static void drop_marks(kb_csv_text *text)
{
    text->mark = text->mark_count = 0;
    text->known = text->marked = text->at;
}

/* The first of the marks at or behind PLACE. */
static size_t first_mark(const kb_csv_text *text, size_t place)
{
    size_t i = text->mark;
    while (i > 0 && text->marks[i - 1] >= place)
        i--;
    while (i < text->mark_count && text->marks[i] < place)
        i++;
    return i;
}

/* A damaged text ends like a file, except that its last line was cut somewhere and is not a row. */
static void end_of_bytes(kb_csv_text *text, bool damaged)
{
    text->ended = true;
    if (damaged) {
        text->end = text->searched = text->at;
        drop_marks(text);
    } else if (text->end > text->at && text->buffer[text->end - 1] != '\n') {
        text->buffer[text->end++] = '\n';
    }
}

/* Drops what lies before row. */
static void move_to_front(kb_csv_text *text)
{
    size_t n = text->row;
    if (!n)
        return;
    if (text->marked < text->at)
        drop_marks(text);
    size_t gone = first_mark(text, n);
    for (size_t i = gone; i < text->mark_count; i++)
        text->marks[i - gone] = text->marks[i] - (uint32_t)n;
    text->mark -= gone < text->mark ? gone : text->mark;
    text->mark_count -= gone;
    text->known -= n < text->known ? n : text->known;
    text->marked -= n;
    text->segment -= n < text->segment ? n : text->segment;
    memmove(text->buffer, text->buffer + n, text->end - n);
    text->origin += n;
    text->at -= n;
    text->searched -= n;
    text->end -= n;
    text->row = 0;
}

/* Reads more bytes behind those of the row being read. */
static kb_status refill(kb_csv_text *text, kb_error *err)
{
    move_to_front(text);
    if (!kb_grow((void **)&text->buffer, &text->capacity, text->end + CHUNK_BYTES + 1, 1))
        return kb_fail_memory(err, "a line of a file");
    size_t got;
    kb_error damage = {0};
    char *room = text->buffer + text->end;
    kb_status status = text->ahead ? kb_ahead_read(text->ahead, room, CHUNK_BYTES, &got, &damage)
                                   : kb_bytes_read(text->bytes, room, CHUNK_BYTES, &got, &damage);
    if (status == KB_ERR_CANCELLED || status == KB_ERR_MEMORY)
        return kb_fail(err, status, "%s", damage.text);
    if (status != KB_OK || !got) {
        text->damage = damage;
        text->damage.status = status;
        end_of_bytes(text, status != KB_OK);
        return KB_OK;
    }
    text->end += got;
    return KB_OK;
}

/* --- lines -------------------------------------------------------------------------------- */

kb_status kb_csv_text_find_line(kb_csv_text *text, size_t *length, kb_error *err)
{
    for (;;) {
        const char *newline =
            memchr(text->buffer + text->searched, '\n', text->end - text->searched);
        if (newline) {
            text->searched = (size_t)(newline - text->buffer);
            bool fits = text->searched + 1 - text->row <= KB_ROW_BYTES_MAX;
            *length = fits ? text->searched + 1 - text->at : SIZE_MAX;
            return KB_OK;
        }
        text->searched = text->end;
        *length = text->end - text->row > KB_ROW_BYTES_MAX ? SIZE_MAX : 0;
        if (*length || text->ended)
            return KB_OK;
        kb_status status = refill(text, err);
        if (status != KB_OK)
            return status;
    }
}

/* --- marks -------------------------------------------------------------------------------- */

void kb_csv_text_back(kb_csv_text *text, uint64_t line)
{
    const char *newline = memchr(text->buffer + text->row, '\n', text->end - text->row);
    text->at = newline ? (size_t)(newline + 1 - text->buffer) : text->end;
    text->searched = text->at;
    text->line = line + 1;
    if (text->known <= text->at && text->at <= text->marked)
        text->mark = first_mark(text, text->at);
    else
        drop_marks(text);
}

/* Marks of the row at AT that there are already move to the front. */
static void forget_marks(kb_csv_text *text)
{
    size_t kept = text->mark_count - text->mark;
    if (kept)
        memmove(text->marks, text->marks + text->mark, kept * sizeof *text->marks);
    text->mark = 0;
    text->mark_count = kept;
    text->known = text->at;
}

kb_status kb_csv_text_more_marks(kb_csv_text *text, bool *more, kb_error *err)
{
    *more = false;
    if (text->marked == text->end && !text->ended && text->end - text->row < KB_ROW_BYTES_MAX) {
        kb_status status = refill(text, err);
        if (status != KB_OK)
            return status;
    }
    forget_marks(text);
    size_t n = text->end - text->marked;
    if (n > SEGMENT_BYTES)
        n = SEGMENT_BYTES;
    if (!n || text->mark_count + n > MARKS_ROOM || text->end > UINT32_MAX)
        return KB_OK;
    text->earlier_flags =
        text->at < text->segment ? text->earlier_flags | text->flags : text->flags;
    text->flags = 0;
    text->segment = text->marked;
    text->mark_count += kb_csv_marks(text->buffer + text->marked, n, (uint32_t)text->marked,
                                     text->marks + text->mark_count, &text->flags);
    text->marked += n;
    *more = true;
    return KB_OK;
}
