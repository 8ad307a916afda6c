/* files: which files a corpus is made of, in the order in which they count, and what tells each
 * from any other file or an earlier state of itself. */
#ifndef KB_FILES_H
#define KB_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* In the order of reading. */
typedef enum kb_file_kind {
    KB_FILE_SESSIONS, /* sessions.csv[.gz] */
    KB_FILE_METRICS,  /* metrics*.csv[.gz]: long form */
    KB_FILE_TRACE,    /* traces/SESSION.csv[.gz]: wide form */
    KB_FILE_EVENTS    /* events*.csv[.gz] */
} kb_file_kind;

enum { KB_FILE_KINDS = 4 };

typedef struct kb_file {
    char *path; /* "-": standard input */
    kb_file_kind kind;
    bool regular; /* a regular file; the rest is 0 otherwise */
    uint64_t device, inode, size;
    int64_t modified[2], changed[2]; /* seconds and nanoseconds */
} kb_file;

typedef struct kb_files {
    kb_file *items; /* by kind, then by name */
    size_t count, capacity;
} kb_files;

/* What belongs to the corpus at PATH: a directory, a file of readings (wide form if it lies in a
 * directory called "traces"), or "-". A directory without readings is KB_ERR_FORMAT. */
kb_status kb_files_of_corpus(kb_files *out, const char *path, kb_error *err);
/* The event files only, of a directory (none is KB_ERR_FORMAT), or PATH itself. */
kb_status kb_files_of_events(kb_files *out, const char *path, kb_error *err);
void kb_files_free(kb_files *inputs);

/* The file's name without folders and without ".csv" or ".csv.gz": the session of a trace. Returns
 * where it starts in PATH. */
const char *kb_file_stem(const char *path, size_t *length);

/* Bytes of all regular files. */
uint64_t kb_files_bytes(const kb_files *inputs);
/* Each file is on the disk just as it was when it was listed, and is a regular file. */
bool kb_files_unchanged(const kb_files *inputs);

/* The paths of files in DIR that are called PREFIX*.csv or PREFIX*.csv.gz, in bytewise order, those
 * that begin with a dot left out. The caller frees with kb_paths_free. */
typedef struct kb_paths {
    char **items;
    size_t count;
} kb_paths;
kb_status kb_paths_list(kb_paths *out, const char *dir, const char *prefix, kb_error *err);
void kb_paths_free(kb_paths *paths);

#endif
