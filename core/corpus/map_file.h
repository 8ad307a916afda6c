/* map_file: a map as "kaboom project" prints it: session,x,y,... in CSV, plain or gzipped. */
#ifndef KB_MAP_FILE_H
#define KB_MAP_FILE_H

#include "names.h"
#include "progress.h"
#include "status.h"

/* Owns both until kb_map_file_clear. */
typedef struct kb_map_file {
    kb_names *sessions; /* those that have a place, in the file's order */
    float *places;      /* by id in SESSIONS: x, y */
    size_t capacity;    /* of places */
} kb_map_file;

/* Columns session, x and y are required, others do not matter. Rows with neither x nor y are of
 * sessions without a place and are left out. Any row that is not good is KB_ERR_FORMAT and named:
 * part of a map would be another map. So is a session that is there twice, and a map without a
 * place; a file that is cut off is KB_ERR_DAMAGED. OUT is cleared, whatever is returned. */
kb_status kb_map_file_load(kb_map_file *out, const char *path, const kb_progress *progress,
                           kb_error *err);
void kb_map_file_clear(kb_map_file *map);

#endif
