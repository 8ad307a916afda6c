/* output: the result on standard output, as a table for people, CSV (RFC 4180) or JSON (an array of
 * objects, or an object a line).
 *
 * Cells are written row by row, left to right; every row has as many cells as there are columns.
 * Writing never fails in the middle: what went wrong is kept and told by output_close. Numbers have
 * nine digits in CSV and JSON, six in a table. */
#ifndef KB_CLI_OUTPUT_H
#define KB_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum output_format {
    OUTPUT_TABLE,
    OUTPUT_CSV,
    OUTPUT_JSON,
    OUTPUT_AUTO /* a table on a terminal, CSV otherwise */
} output_format;

enum { OUTPUT_FORMATS = 4 };

const char *output_format_name(output_format format);

typedef struct output output;

typedef struct output_column {
    const char *name;
    unsigned drop; /* tables: where the terminal is too narrow, columns with larger numbers are left
                      out first; 0 never is */
    unsigned width; /* cells in a streamed table, if that is more than the name's */
    unsigned least; /* cells that its texts keep before other columns are left out; 0: 20 */
    bool whole;     /* its texts are never shortened */
} output_column;

/* FILE is closed by output_close. COLUMNS (COUNT) must live as long. STREAMED: a table is written
 * as it comes, for results that may not fit into memory; otherwise it is kept until its widths are
 * known. NULL: no memory.
 *
 * Where FILE is a terminal, a table keeps to its width (terminal_width): long texts lose their
 * middle, columns are left out by their DROP, and a line behind the table says which, and how all
 * of it can be had. CSV, JSON and tables in files and pipes have everything. */
output *output_open(FILE *file, output_format format, const output_column *columns, size_t count,
                    bool streamed);

/* For rows that come one by one and are wanted at once: a table is streamed, and JSON is an object
 * a line instead of an array. HEADER false: the columns are not named, since FILE goes on. */
output *output_open_rows(FILE *file, output_format format, const output_column *columns,
                         size_t count, bool header);
/* What was written goes to the file: 0, or the errno of what has failed so far. */
int output_flush(output *out);

void output_text(output *out, const char *text);
void output_count(output *out, uint64_t value);
void output_real(output *out, double value); /* NAN and infinities: a missing cell */
/* Texts: an array in JSON; otherwise one after the other with ';' between them, and a '\\' before
 * each ';' and '\\' that is in one of them. None: empty, or []. */
void output_list(output *out, const char *const *texts, size_t count);
void output_missing(output *out); /* empty in a table and CSV, null in JSON */

/* Frees OUT (NULL: it could not be opened) and closes its file. 0, or an errno: EPIPE when the
 * reader has gone. */
int output_close(output *out);

/* Flushes and closes FILE (help, version): 0, or the errno of what failed. */
int output_end(FILE *file);

/* Writes TEXT as one CSV field, quoted where it has to be. */
void output_csv_field(FILE *file, const char *text);

#endif
