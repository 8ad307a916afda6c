/* folder: what is in a directory, in bytewise order of names. Owns its texts. */
#ifndef KB_FOLDER_H
#define KB_FOLDER_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef enum kb_entry_kind { KB_ENTRY_FILE, KB_ENTRY_FOLDER, KB_ENTRY_OTHER } kb_entry_kind;

typedef struct kb_entry {
    char *path;
    const char *name;   /* the last part of path */
    kb_entry_kind kind; /* of what a link points to */
    uint64_t bytes;     /* of a file */
} kb_entry;

typedef struct kb_folder {
    kb_entry *entries;
    size_t count;
} kb_folder;

/* Names that begin with a dot are left out. OUT is to be cleared whatever this returns. */
kb_status kb_folder_read(kb_folder *out, const char *path, kb_error *err);
/* A folder that holds but the file (or whatever it is) at PATH; "-" is a file of unknown length. */
kb_status kb_folder_single(kb_folder *out, const char *path, kb_error *err);
void kb_folder_clear(kb_folder *folder);

#endif
