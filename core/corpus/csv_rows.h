/* csv_rows: rows of an RFC 4180 file, plain or gzip-compressed, and what becomes of damaged
 * ones.
 *
 * The first row names the columns; a reader is opened with the columns that its user wants and
 * delivers those fields only. Rows that do not parse are told to the problem collector and left
 * out: a wrong number of fields, a NUL byte, bad UTF-8, a quoted field over KB_FIELD_MAX bytes or
 * still open at the end (reading resumes on the line after its first). Blank lines are skipped.
 * Bytes come through zlib. Rows of plain fields, quoted or not, are cut at their marks
 * (csv_marks.h); whatever else a row may hold is libcsv's to parse. */
#ifndef KB_CSV_ROWS_H
#define KB_CSV_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "problems.h"
#include "progress.h"
#include "sizes.h"
#include "status.h"

enum { KB_FIELD_MAX = KB_SIZE(4096, 200), KB_COLUMNS_MAX = KB_SIZE(1 << 20, 300) };

typedef struct kb_field {
    const char *text; /* NUL-terminated; valid until the next row is read */
    size_t length;
} kb_field;

typedef struct kb_column {
    const char *name;
    bool required;
    const char *mapped; /* the name to look for first, or NULL */
} kb_column;

struct kb_file;

typedef struct kb_csv kb_csv;

typedef struct kb_csv_options {
    const char *label;        /* how the file is named in problems; NULL: the path */
    const kb_column *columns; /* what is wanted; NULL: every column, in the file's order */
    size_t column_count;
    bool strict; /* the first bad row is fatal */
    bool slow;   /* libcsv parses every row: for comparison */
    bool ahead;  /* there is a thread to spare for decompression */
    /* Of a plain file only the rows that begin at BEGIN <= offset < END; both 0: all of them. BEGIN
     * is the beginning of a row if EXACT; otherwise the first row is taken to begin behind the
     * first newline at or behind BEGIN - 1. */
    uint64_t begin, end;
    bool exact;
    uint64_t size; /* see kb_bytes_expect */
    kb_problems *problems;
    const kb_progress *progress; /* only asked for cancellation; may be NULL */
} kb_csv_options;

/* Opens PATH ("-": standard input) and reads its header. A missing required column is KB_ERR_FORMAT
 * and names the columns that were found; so are a file without a header, one with more than
 * KB_COLUMNS_MAX columns and a column that is wanted and there twice. What OPTIONS points to
 * outlives the reader. */
kb_status kb_csv_open(kb_csv **out, const char *path, const kb_csv_options *options, kb_error *err);
void kb_csv_close(kb_csv *csv); /* NULL is fine */

/* See kb_bytes_on_idle: while a row is waited for. The call may not touch CSV. */
void kb_csv_on_idle(kb_csv *csv, kb_idle idle);

const char *kb_csv_label(const kb_csv *csv);
/* See kb_bytes_are_of. */
bool kb_csv_is_of(const kb_csv *csv, const struct kb_file *file);
uint64_t kb_csv_header_line(const kb_csv *csv); /* its first line */
/* How many fields a row has as it is delivered: the columns wanted, or those of the file. */
size_t kb_csv_width(const kb_csv *csv);
/* The name of the file's column I, "" if it is longer than KB_FIELD_MAX. */
kb_field kb_csv_name(const kb_csv *csv, size_t i);
/* *PLACE becomes the file's column that COLUMN is, SIZE_MAX if it has none; errors as in
 * kb_csv_open. */
kb_status kb_csv_find_column(const kb_csv *csv, const kb_column *column, size_t *place,
                             kb_error *err);

/* The next good row: *GOT true and (*FIELDS)[i] the field of columns[i] ({"", 0} where the file
 * lacks an optional one), or *GOT false at the end. Among many bad rows *FIELDS is NULL now and
 * then, for the caller to say where reading is. A damaged file (see bytes.h) delivers the rows
 * before the damage, then is KB_ERR_DAMAGED. */
kb_status kb_csv_next(kb_csv *csv, const kb_field **fields, bool *got, kb_error *err);

/* Tells the collector that the row last delivered is bad after all (a value that does not parse);
 * under STRICT returns KB_ERR_FORMAT. */
kb_status kb_csv_reject(kb_csv *csv, kb_error *err, kb_problem_kind kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for another line of the file (0: the file as a whole). */
kb_status kb_csv_tell(kb_csv *csv, uint64_t line, kb_error *err, kb_problem_kind kind,
                      const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Lines count from 1 at the beginning of the file, or of the range. */
uint64_t kb_csv_line(const kb_csv *csv);      /* first line of the row last delivered */
uint64_t kb_csv_next_line(const kb_csv *csv); /* of what follows it */
/* Offsets in the plain text: of the first row, and of what follows the row last read. */
uint64_t kb_csv_first(const kb_csv *csv);
uint64_t kb_csv_stop(const kb_csv *csv);
uint64_t kb_csv_bytes(const kb_csv *csv); /* compressed bytes read so far, for progress */

#endif
