/* metrics: readings as rows of files, long form and wide form, on their way into an ingest. */
#ifndef KB_METRICS_H
#define KB_METRICS_H

#include "columns.h"
#include "lanes.h"
#include "store.h"

enum { KB_METRIC_COLUMNS = 4 };

/* A row of the long form. */
typedef struct kb_reading_row {
    kb_field session, object; /* as long as the row's fields */
    kb_time time;
    float value;
} kb_reading_row;

/* FIELDS: of the columns that kb_metrics_columns gives. *GOOD false: the row is bad, which was
 * told; under STRICT that is an error. */
kb_status kb_metrics_parse(kb_reading_row *row, bool *good, kb_csv *csv, const kb_field *fields,
                           kb_error *err);
/* The columns of the long form, as NAMES (NULL: nobody) call them. */
void kb_metrics_columns(kb_column columns[KB_METRIC_COLUMNS], const kb_column_names *names);

/* How files of readings are read, and what they are read into. Made on the stack by
 * kb_metrics_prepare; the collector and the readers point into it. */
typedef struct kb_metrics_reading {
    kb_ingest_options options;
    bool apart; /* no two files have readings of one session */
    kb_column columns[KB_METRIC_COLUMNS];
    kb_collector collector;
    kb_reader long_form, wide_form;
} kb_metrics_reading;

/* COLLECTOR: the number of the collector among those of the lanes. NAMES are borrowed. */
void kb_metrics_prepare(kb_metrics_reading *reading, const kb_ingest_options *options,
                        const kb_column_names *names, size_t collector);
/* Looks at the files that will be read (those of other kinds are passed over) and sets apart. */
void kb_metrics_look_at(kb_metrics_reading *reading, const kb_file *files, size_t count);

/* What a lane has collected: the lane's to close. */
kb_ingest *kb_metrics_ingest(void *data);
kb_ingest *kb_metrics_release(void *data);  /* the caller's from here on */
uint64_t kb_metrics_rows(const void *data); /* good ones */

#endif
