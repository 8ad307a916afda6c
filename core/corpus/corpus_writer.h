/* corpus_writer: the files of a new corpus, written together: all of them or none.
 *
 * A writer belongs to one directory. Its tables are CSV files (RFC 4180) that are opened when they
 * are asked for; the first one makes the directory if it is missing. Nothing has its name before
 * commit, and an abort, or a commit that fails, takes away everything the writer made, the
 * directory included. A corpus that is there already is never touched. Not thread-safe. */
#ifndef KB_CORPUS_WRITER_H
#define KB_CORPUS_WRITER_H

#include <stddef.h>

#include "status.h"

typedef struct kb_corpus_writer kb_corpus_writer;
typedef struct kb_table kb_table; /* one of its files; lives until the writer is done with */

/* LENGTH bytes; need not end in NUL. */
typedef struct kb_cell {
    const char *text;
    size_t length;
} kb_cell;

/* Makes nothing yet. KB_ERR_IO when DIR holds files of a corpus. */
kb_status kb_corpus_writer_open(kb_corpus_writer **out, const char *dir, kb_error *err);

/* Begins DIR/NAME (gzip-compressed when NAME ends in ".gz") with the row HEADER, names joined by
 * commas. A file of that name that is there already is KB_ERR_IO. */
kb_status kb_corpus_writer_table(kb_corpus_writer *writer, kb_table **out, const char *name,
                                 const char *header, kb_error *err);

/* One row: cells are quoted where they have to be. */
kb_status kb_table_row(kb_table *table, const kb_cell *cells, size_t count, kb_error *err);
/* Bytes as they are, for who writes whole rows that need no quotes. */
kb_status kb_table_bytes(kb_table *table, const char *bytes, size_t length, kb_error *err);

/* Both free WRITER and its tables, whatever they return. */
kb_status kb_corpus_writer_commit(kb_corpus_writer *writer, kb_error *err);
void kb_corpus_writer_abort(kb_corpus_writer *writer); /* NULL is fine */

#endif
