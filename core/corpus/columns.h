/* columns: what a user calls the columns that the corpus format names. */
#ifndef KB_COLUMNS_H
#define KB_COLUMNS_H

#include <stddef.h>

#include "status.h"

typedef enum kb_column_kind {
    KB_COLUMN_SESSION,
    KB_COLUMN_TIME,
    KB_COLUMN_OBJECT,
    KB_COLUMN_VALUE,
    KB_COLUMN_USER,
    KB_COLUMN_VERSION,
    KB_COLUMN_SPLIT,
    KB_COLUMN_LABEL,
    KB_COLUMN_EVENT
} kb_column_kind;

enum { KB_COLUMN_KINDS = 9 };

/* "session", "time", ...: what the format calls it. */
const char *kb_column_name(kb_column_kind kind);

/* By kind: what the files call it, or NULL. */
typedef struct kb_column_names {
    char *names[KB_COLUMN_KINDS];
} kb_column_names;

/* TEXT: "time=ts,object=metric_name", read as one row of CSV, so that a name with a comma in it can
 * be quoted together with its key. What is wrong with it is KB_ERR_USAGE. OUT is cleared with
 * kb_column_names_clear, whatever is returned. TEXT NULL: no names. */
kb_status kb_column_names_parse(kb_column_names *out, const char *text, kb_error *err);
void kb_column_names_clear(kb_column_names *names);

#endif
