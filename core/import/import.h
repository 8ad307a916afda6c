/* import: a corpus made from what engineers already have. One module a format reads files and hands
 * readings, events and what is known of sessions to an intake, which checks them as the reader of a
 * corpus would and writes them; what does not pass is left out, counted and told. */
#ifndef KB_IMPORT_H
#define KB_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "problems.h"
#include "progress.h"
#include "status.h"

typedef enum kb_import_format {
    KB_IMPORT_JMAP,       /* class histograms of a JVM, a folder a session, a file a sample */
    KB_IMPORT_PROMETHEUS, /* responses of Prometheus's query API */
    KB_IMPORT_JSONL       /* JSON objects, one a line */
} kb_import_format;

enum { KB_IMPORT_FORMATS = 3 };

const char *kb_import_format_name(kb_import_format format);
bool kb_import_format_parse(kb_import_format *out, const char *text);

/* Which column of a histogram is the reading. */
typedef enum kb_jmap_value { KB_JMAP_BYTES, KB_JMAP_INSTANCES } kb_jmap_value;

enum { KB_JMAP_VALUES = 2 };

const char *kb_jmap_value_name(kb_jmap_value value);

typedef struct kb_import_options {
    kb_jmap_value value; /* jmap. Default bytes */
    const char
        *session_label;      /* prometheus: the label that names the session. Default "instance" */
    const char *drop_labels; /* prometheus: labels that are no part of an object's name, see
                                label_list.h. Default "instance,pod,node,host,hostname" */
    const char *fields;      /* jsonl: KEY=PATH,..., see field_map.h. Default NULL: own names */
    bool strict;             /* the first thing to leave out is fatal */
    kb_problem_listener problem;               /* hears of each problem as it is found */
    void (*note)(void *ctx, const char *text); /* a remark for people; may be NULL */
    void *note_ctx;
} kb_import_options;

typedef struct kb_import_result {
    uint64_t sessions, objects, users; /* distinct names; users are those of events */
    uint64_t readings, events;         /* rows written */
    uint64_t left_out, problems;       /* rows that were not, and all that was told */
    uint64_t damaged; /* files that are cut off or not what they should be; what came before that
                         was written, but no part of a histogram that has no end */
} kb_import_result;

kb_import_options kb_import_defaults(void);
/* What is wrong with OPTIONS for FORMAT and IN, as KB_ERR_USAGE. */
kb_status kb_import_check(kb_import_format format, const char *in, const kb_import_options *options,
                          kb_error *err);

/* Reads IN (a file, a directory, or "-" where the format allows it) and writes metrics.csv.gz,
 * events.csv.gz and sessions.csv, those that have a row, into DIR: all of them or none. DIR is made
 * if it is missing; one that holds a corpus is KB_ERR_IO. Without a usable reading or event the
 * result is KB_ERR_FORMAT, which says why, and nothing is written. Notes what makes a corpus of
 * little use, though nothing is wrong with it. Reports phase "importing" in compressed bytes. */
kb_status kb_import(kb_import_result *out, kb_import_format format, const char *in, const char *dir,
                    const kb_import_options *options, const kb_progress *progress, kb_error *err);

#endif
