/* listing: what sessions.csv says of each session. */
#ifndef KB_LISTING_H
#define KB_LISTING_H

#include <stdbool.h>

#include "columns.h"
#include "lanes.h"
#include "names.h"

typedef enum kb_split {
    KB_SPLIT_TRAIN,      /* also: empty, or not listed in sessions.csv */
    KB_SPLIT_VALIDATION, /* early stop, clusters, thresholds */
    KB_SPLIT_EMERGING,   /* never fitted */
    KB_SPLIT_LATER       /* never fitted */
} kb_split;

enum { KB_SPLITS = 4 };

/* "train", "validation", "emerging", "later". */
const char *kb_split_name(kb_split split);
bool kb_split_parse(kb_split *out, const char *text);

typedef struct kb_listed {
    uint32_t user, version, label; /* ids in texts */
    kb_split split;
} kb_listed;

/* Owns its names and texts. */
typedef struct kb_listing {
    kb_names *sessions, *texts; /* texts has id 0 for "" */
    kb_listed *items;           /* by id in sessions */
    size_t capacity;
} kb_listing;

/* Reads COUNT files of sessions. OUT is cleared with kb_listing_clear, whatever is returned. */
kb_status kb_listing_load(kb_listing *out, const kb_file *inputs, size_t count,
                          const kb_column_names *names, const kb_reading *reading, kb_error *err);
void kb_listing_clear(kb_listing *listing);

#endif
