/* csv_text: the text of a CSV file as a window that moves over it, by lines and by marks. The
 * inside of csv_rows; everybody else sees csv_rows.h.
 *
 * Bytes [row, end) of the buffer are not done with; [row, at) of them have been parsed. Whoever
 * reads rows sets row to at when one begins: what lies before row may go when more is read, and all
 * offsets into the buffer move with it. */
#ifndef KB_CSV_TEXT_H
#define KB_CSV_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ahead.h"
#include "bytes.h"
#include "progress.h"
#include "sizes.h"
#include "status.h"

enum { KB_ROW_BYTES_MAX = KB_SIZE(64 * 1024 * 1024, 4000) }; /* so that memory stays bounded */

typedef struct kb_csv_text {
    kb_bytes *bytes;
    kb_ahead *ahead; /* reads the bytes, or NULL */
    char *buffer;
    size_t capacity, row, at, end;
    size_t searched; /* [at, searched) holds no newline */
    uint64_t origin; /* offset of buffer[0] in the text */
    uint64_t line;   /* of the byte at AT, from 1 */
    bool ended;      /* nothing comes after END */
    kb_error damage; /* why it ended, when not at the end of the file; otherwise KB_OK */

    /* marks[0 .. mark_count) are those of [known, marked) and perhaps some of earlier bytes; from
     * MARK on they are those of [at, marked), and of earlier bytes too once lines were read, until
     * kb_csv_text_resync */
    uint32_t *marks;
    size_t mark, mark_count, known, marked;
    size_t segment;                /* where the part begins whose marks were looked for last */
    unsigned flags, earlier_flags; /* KB_HAS_* of that part, and of what is left before it */
} kb_csv_text;

kb_status kb_csv_text_open(kb_csv_text *text, const char *path, const char *label,
                           const kb_progress *progress, kb_error *err);
void kb_csv_text_close(kb_csv_text *text); /* an all-zero TEXT is fine */
/* Has the rest decompressed by a thread of its own, if it is worth that and there is one. */
void kb_csv_text_go_ahead(kb_csv_text *text);
uint64_t kb_csv_text_consumed(const kb_csv_text *text); /* see kb_bytes_consumed */
/* Goes on at OFFSET of a plain file, as line 1. */
kb_status kb_csv_text_seek(kb_csv_text *text, uint64_t offset, kb_error *err);

/* *LENGTH becomes that of the line at AT with its newline (a last line without one gets one); 0 at
 * the end of the text; SIZE_MAX when the row is longer than KB_ROW_BYTES_MAX. */
kb_status kb_csv_text_find_line(kb_csv_text *text, size_t *length, kb_error *err);
/* Moves AT over N (> 0) bytes, of which the last may be a newline. */
static inline void kb_csv_text_step(kb_csv_text *text, size_t n)
{
    text->at += n;
    if (text->buffer[text->at - 1] == '\n')
        text->line++;
    if (text->searched < text->at)
        text->searched = text->at;
}

/* Looks for marks in more of the text; *MORE false: at its end, or since the row at AT is too long
 * or has too many of them. */
kb_status kb_csv_text_more_marks(kb_csv_text *text, bool *more, kb_error *err);
/* Forgets marks before AT, after lines were read. */
static inline void kb_csv_text_resync(kb_csv_text *text)
{
    while (text->mark < text->mark_count && text->marks[text->mark] < text->at)
        text->mark++;
    if (text->marked < text->at)
        text->marked = text->known = text->at;
}
/* Goes back to the end of the line that begins at ROW, which is LINE. */
void kb_csv_text_back(kb_csv_text *text, uint64_t line);
/* KB_HAS_* of what begins at AT and ends before MARKED; more may be set. */
static inline unsigned kb_csv_text_flags(const kb_csv_text *text)
{
    return text->at < text->segment ? text->flags | text->earlier_flags : text->flags;
}

#endif
