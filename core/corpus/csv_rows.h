/* csv_rows: rows of an RFC 4180 file, plain or gzip-compressed, and what becomes of damaged
 * ones.
 *
 * The first row names the columns; a reader is opened with the columns that its user wants and
 * delivers those fields only. Rows that do not parse are told to the problem collector and left
 * out: a wrong number of fields, a NUL byte, bad UTF-8, a quoted field over KB_FIELD_MAX bytes or
 * still open at the end (reading resumes on the line after its first). Blank lines are skipped.
 * Parsing is libcsv's; bytes come through zlib. */
#ifndef KB_CSV_ROWS_H
#define KB_CSV_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "problems.h"
#include "progress.h"
#include "status.h"

enum { KB_FIELD_MAX = 4096 };

typedef struct kb_field {
    const char *text; /* NUL-terminated; valid until the next row is read */
    size_t length;
} kb_field;

typedef struct kb_column {
    const char *name;
    bool required;
} kb_column;

typedef struct kb_csv kb_csv;

/* Opens PATH ("-": standard input) and reads its header. A missing required column is KB_ERR_FORMAT
 * and names the columns that were found; so are a file without a header and a column that is wanted
 * and there twice. LABEL is how the file is named in problems (NULL: PATH). STRICT makes the first
 * bad row fatal. PROGRESS is only asked for cancellation. COLUMNS, PROBLEMS and PROGRESS outlive
 * the reader. */
kb_status kb_csv_open(kb_csv **out, const char *path, const char *label, const kb_column *columns,
                      size_t count, bool strict, kb_problems *problems, const kb_progress *progress,
                      kb_error *err);
void kb_csv_close(kb_csv *csv);

/* The next good row: *GOT true and FIELDS[i] the field of columns[i] ({"", 0} where the file lacks
 * an optional one), or *GOT false at the end. A truncated or corrupt gzip stream delivers the rows
 * before the damage, then returns KB_ERR_FORMAT naming the file. */
kb_status kb_csv_next(kb_csv *csv, kb_field *fields, bool *got, kb_error *err);

/* Tells the collector that the row last delivered is bad after all (a value that does not parse);
 * under STRICT returns KB_ERR_FORMAT. */
kb_status kb_csv_reject(kb_csv *csv, kb_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

bool kb_csv_has_column(const kb_csv *csv, size_t column);
uint64_t kb_csv_line(const kb_csv *csv);  /* first line of the row last delivered */
uint64_t kb_csv_bytes(const kb_csv *csv); /* compressed bytes read so far, for progress */

#endif
