/* follow: the readings of a folder that others write to, as they come.
 *
 * Rows of DIR/metrics*.csv go into a stream as they are appended. A file that is compressed
 * (metrics*.csv.gz) or a session's own (in DIR/traces) is read whole once it has not changed for
 * SETTLE seconds; a trace's session has ended by that. A plain file counts up to its last newline
 * outside of quotes, so that a row that is being written is not seen in parts; once it has gone,
 * and is quiet for SETTLE seconds, to its end.
 *
 * A file is known by its inode, so that it goes on after it was renamed, also to a name that is not
 * looked at (if it is one of the KB_FOLLOW_OPEN that changed last, or was not read to its end), and
 * by the bytes before the place where reading has got to: one that was truncated, or is another one
 * in the same place, is read from its beginning. What was read twice by that does no harm in a
 * stream. Where a name comes back with another inode and the same bytes, as rsync leaves it,
 * reading goes on.
 *
 * Files that cannot be read are told once and tried again. Not thread-safe. */
#ifndef KB_FOLLOW_H
#define KB_FOLLOW_H

#include "stream.h"

typedef struct kb_follow kb_follow;

enum { KB_FOLLOW_OPEN = KB_SIZE(256, 2) }; /* files that are kept open */

typedef struct kb_follow_options {
    double settle;       /* seconds. > 0 */
    const char *columns; /* see columns.h */
    size_t timesteps;    /* of the stream */
    kb_fill fill;
    kb_problem_listener problem;
    const kb_progress *progress; /* only asked for cancellation */
} kb_follow_options;

/* Begins to listen to DIR, which must be there. What OPTIONS points to outlives it. */
kb_status kb_follow_create(kb_follow **out, const char *dir, const kb_follow_options *options,
                           kb_error *err);
void kb_follow_free(kb_follow *follow); /* NULL is fine */
void kb_follow_reshape(kb_follow *follow, size_t timesteps, kb_fill fill);

/* Readable when something has happened in the folder. Owned by FOLLOW. */
int kb_follow_fd(const kb_follow *follow);
/* Takes what has happened (all moments NOW are of one clock that never goes back, in seconds), and
 * looks at the whole folder where that is due: something came or went, or a second has passed. A
 * folder that cannot be listed is told once, and what is known of its files stays. */
kb_status kb_follow_look(kb_follow *follow, double now, kb_error *err);
/* Reads a piece of each file that has something new into STREAM, added to COUNT, but no more once
 * KB_STREAM_BATCH sessions have ended there; what is wrong with rows is told. *BUSY: more is left
 * to be read. */
kb_status kb_follow_read(kb_follow *follow, kb_stream *stream, double now, kb_stream_count *count,
                         bool *busy, kb_error *err);
uint64_t kb_follow_bytes(const kb_follow *follow); /* read so far */
size_t kb_follow_files(const kb_follow *follow);

void kb_follow_save(const kb_follow *follow, kb_record *record);
/* Into a new one. KB_ERR_FORMAT: it is no such record. */
kb_status kb_follow_restore(kb_follow *follow, kb_record_reader *reader, kb_error *err);

/* For tests: how many of the LENGTH bytes at TEXT, which begin with a row, are whole rows. */
size_t kb_follow_whole_rows(const char *text, size_t length);

#endif
