/* stream: sessions whose rows are still coming in, until each is complete and can be labelled.
 *
 * A session is open from its first row on. It ends, by the options, where another session's row
 * comes, when one more is open than may be and it has been quiet for the longest, when its user
 * says so, or that all quiet ones end. A row of a session that has ended is late: the session is
 * not opened again. The last KB_STREAM_REMEMBERED sessions that were taken are remembered for that;
 * a name from before is a new session.
 *
 * Memory follows what is open, not what has come: windows as in a store (store.h), names of
 * sessions and objects until many of them are not used any more. Which sessions end, and in which
 * order, is a matter of the rows alone, unless it is left to a clock. Not thread-safe. */
#ifndef KB_STREAM_H
#define KB_STREAM_H

#include "corpus.h"
#include "metrics.h"
#include "recent.h"
#include "record.h"

typedef struct kb_stream kb_stream;

enum {
    KB_STREAM_REMEMBERED = KB_SIZE(1 << 18, 64),
    KB_STREAM_BATCH = KB_SIZE(512, 4) /* sessions that are worth taking at once */
};

typedef struct kb_stream_options {
    size_t timesteps; /* 1..65535 */
    kb_fill fill;
    bool grouped;  /* the rows of a session lie together: it ends where another one begins */
    size_t open;   /* > 0: that many may be open */
    bool overlaid; /* whole sessions may be laid over open ones (kb_stream_adopt) */
} kb_stream_options;

/* SEED: of kb_recent; any number, the same where what is saved is to be restored. */
kb_status kb_stream_create(kb_stream **out, const kb_stream_options *options, uint64_t seed,
                           kb_error *err);
void kb_stream_free(kb_stream *stream); /* NULL is fine */

/* ROW at the moment NOW of a clock that never goes back. *LATE: its session has ended, and the row
 * is left out. */
kb_status kb_stream_add(kb_stream *stream, const kb_reading_row *row, double now, bool *late,
                        kb_error *err);
/* The same for the row FIELDS of CSV, which is open with the columns of kb_metrics_columns: what is
 * wrong with it is told, and that it is late, once for rows of a session that lie together. COUNT
 * is added to. */
typedef struct kb_stream_count {
    uint64_t rows, late; /* taken; left out since they are late */
    uint64_t again;      /* left out since kb_stream_remember was called for their session */
} kb_stream_count;
kb_status kb_stream_row(kb_stream *stream, kb_csv *csv, const kb_field *fields, double now,
                        kb_stream_count *count, kb_error *err);
/* The session of INGEST, settled, that is called NAME: all that it has is laid over what is open of
 * it (or opens it, also without rows). *LATE as above. */
kb_status kb_stream_adopt(kb_stream *stream, kb_ingest *ingest, const char *name, size_t length,
                          double now, bool *late, kb_error *err);

/* Ends the session NAME if it is open. */
void kb_stream_end(kb_stream *stream, const char *name, size_t length);
/* Ends those whose last row came at BEFORE or earlier; the one quiet for the longest first. */
void kb_stream_end_quiet(kb_stream *stream, double before);
void kb_stream_end_all(kb_stream *stream);
size_t kb_stream_open(const kb_stream *stream);
size_t kb_stream_ended(const kb_stream *stream); /* and not yet taken */
/* When the one quiet for the longest had its last row; INFINITY: none is open. */
double kb_stream_quiet_since(const kb_stream *stream);

/* Sessions that have ended, as a corpus: id[i] is the one that ended as the i-th of them. */
typedef struct kb_stream_batch {
    kb_corpus *corpus;
    size_t *ids;
    size_t count;
} kb_stream_batch;

/* The first of those that have ended, at most MOST (> 0). They are remembered, and the stream knows
 * nothing else of them any more. None: an empty batch. The caller clears it. */
kb_status kb_stream_take(kb_stream *stream, kb_stream_batch *out, size_t most, kb_error *err);
void kb_stream_batch_clear(kb_stream_batch *batch);
/* NAME has a label that the stream does not know of. If it is open its rows are dropped, and rows
 * that come later are no news, but only read again: until kb_stream_forget_again they are not told.
 */
kb_status kb_stream_remember(kb_stream *stream, const char *name, size_t length, kb_error *err);

void kb_stream_forget_again(kb_stream *stream);

/* What is open becomes windows of TIMESTEPS and FILL; what has slid out of shorter ones stays lost.
 * KB_ERR_MEMORY may lose sessions: the stream can only be freed. */
kb_status kb_stream_reshape(kb_stream *stream, size_t timesteps, kb_fill fill, kb_error *err);

/* All that is open, ended and remembered, in RECORD, and from there into a new stream; NOW: when
 * the last row of each is taken to have come. What has ended is open again. KB_ERR_FORMAT: it is no
 * such record. */
void kb_stream_save(kb_stream *stream, kb_record *record);
kb_status kb_stream_restore(kb_stream *stream, kb_record_reader *reader, double now, kb_error *err);

#endif
