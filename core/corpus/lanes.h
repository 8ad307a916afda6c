/* lanes: many files read by several threads, with the outcome as if one thread had read them one
 * after the other.
 *
 * The bytes of all files, in order, are cut into as many lanes as there are threads: between files,
 * or at ends of rows inside a big plain one. Each lane is read by one thread into collections of
 * its own; whoever asked lays them together in the order of the lanes. Where a cut turns out to lie
 * inside a row (in a quoted field with a newline), the lane behind it is read again from where that
 * row ends. Problems are told in the order of the files, with their lines. */
#ifndef KB_LANES_H
#define KB_LANES_H

#include <stdatomic.h>

#include "csv_rows.h"
#include "files.h"
#include "pool.h"

enum { KB_COLLECTORS = 2 }; /* what one reading can fill */

/* What a lane's rows go into. */
typedef struct kb_collector {
    /* SEVERAL: there are other lanes. */
    kb_status (*open)(void **data, void *ctx, bool several, kb_error *err);
    void (*close)(void *data);
    kb_status (*finish)(void *data, kb_error *err); /* after the lane's last row; may be NULL */
    void *ctx;
} kb_collector;

/* How a file is read. */
typedef struct kb_reader {
    size_t collector;         /* which one gets the rows */
    bool whole;               /* a file is never cut: all of it is in one lane */
    const kb_column *columns; /* as in kb_csv_options */
    size_t column_count;
    /* Before the first row of PATH or of a part of it; FIRST: the part with the header. May be
     * NULL.
     */
    kb_status (*begin)(void *data, kb_csv *csv, const char *path, bool first, kb_error *err);
    kb_status (*take)(void *data, kb_csv *csv, const kb_field *fields, kb_error *err);
} kb_reader;

/* How far reading is: shared by the lanes, and by one reading after the other. */
typedef struct kb_reading_count {
    atomic_uint_fast64_t bytes, rows;
    uint64_t total; /* bytes of all files */
} kb_reading_count;

typedef struct kb_reading {
    bool strict;         /* the first bad row, or damage, is fatal */
    bool survey;         /* a file that cannot be opened, or has no such header, is not */
    uint64_t lane_bytes; /* no lane has fewer bytes of text, about. 0: the default */
    kb_problems *problems;
    kb_reading_count *count;     /* added to; NULL: nobody wants it */
    kb_pool *pool;               /* NULL: one thread */
    const kb_progress *progress; /* phase "reading" */
} kb_reading;

typedef struct kb_lanes {
    size_t count;
    void *(
        *data)[KB_COLLECTORS]; /* by lane: what each collector has; NULL where no file fills it */
} kb_lanes;

/* READERS[i] reads INPUTS[i] (COUNT > 0). A file that is damaged or shrinks is a problem, and its
 * rows before that are kept; any other error ends the reading, unless it is about one file and this
 * is a survey: then it is a problem, and that file is left out. What OUT holds is closed by
 * kb_lanes_clear; on an error it is empty. */
kb_status kb_lanes_read(kb_lanes *out, const kb_file *inputs, const kb_reader *const *readers,
                        size_t count, const kb_collector *collectors, const kb_reading *reading,
                        kb_error *err);
void kb_lanes_clear(kb_lanes *lanes, const kb_collector *collectors);

#endif
