/* cache: a folder of the user's with files that spare reading what was read before.
 *
 * An entry is made from input files by options; its name is a hash of where the input is and how it
 * is read, and it holds the whole of that and what each input file was then (files.h). Whatever
 * lies in the folder may be stale, cut, damaged or foreign: an entry that is not exactly what is
 * asked for is as if it were not there. Only files with names of ours are ever touched. */
#ifndef KB_CACHE_H
#define KB_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "container.h"
#include "files.h"
#include "status.h"

typedef struct kb_cache {
    const char *folder; /* made when it is needed */
    uint64_t limit;     /* bytes of all entries together. Default 4 GiB */
    uint64_t least;     /* input of fewer bytes is read faster than looked up. Default 256 KiB */
    double settled;     /* seconds since the input changed, or another change might not show in its
                           times. Default 2 */
} kb_cache;

kb_cache kb_cache_defaults(const char *folder);

extern const kb_container_kind kb_cache_kind;

/* What an entry is of. */
typedef struct kb_cache_key {
    char *path; /* of the entry */
    char *text; /* what it must say of itself: lines "corpus=PATH", options, "file=..." */
} kb_cache_key;

/* KIND: the entry's suffix. CORPUS: what the user named. OPTIONS: lines "name=value". False: FILES
 * cannot be known again, are too small, have changed since they were listed or only just; or there
 * is no memory. */
bool kb_cache_key_make(kb_cache_key *out, const kb_cache *cache, const char *kind,
                       const char *corpus, const char *options, const kb_file *files, size_t count);
void kb_cache_key_clear(kb_cache_key *key);

/* The entry of KEY; it is marked as used now. KB_ERR_FORMAT, KB_ERR_IO or KB_ERR_MEMORY: there is
 * none that could be used. */
kb_status kb_cache_open(kb_container_reader **out, const kb_cache_key *key, kb_error *err);
/* Writes an entry with the sections of WRITER, which belong to KEY, and removes those that were not
 * used for the longest time until all keep to the limit. */
kb_status kb_cache_write(const kb_cache *cache, const kb_cache_key *key,
                         kb_container_writer *writer, const kb_progress *progress, kb_error *err);

typedef struct kb_cache_entry {
    char *name;
    char *corpus; /* "" if it does not tell */
    uint64_t bytes;
    int64_t used, used_ns; /* of its last use: seconds since 1970, and nanoseconds */
} kb_cache_entry;

typedef struct kb_cache_entries {
    kb_cache_entry *items; /* last used first */
    size_t count, capacity;
} kb_cache_entries;

/* A folder that is not there has no entries. The caller frees with kb_cache_entries_free. */
kb_status kb_cache_list(kb_cache_entries *out, const char *folder, kb_error *err);
void kb_cache_entries_free(kb_cache_entries *entries);
/* Removes all entries. */
kb_status kb_cache_clear(const char *folder, kb_error *err);

#endif
