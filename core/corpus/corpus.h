/* corpus: a directory (or one file, or standard input) of crash sessions, read into memory.
 *
 * Owns the store, what sessions.csv says of each session, the event log and the problems found.
 * Immutable once loaded. The set of sessions is every session with a good row or a line in
 * sessions.csv; ids are the store's. */
#ifndef KB_CORPUS_H
#define KB_CORPUS_H

#include "events.h"
#include "problems.h"
#include "progress.h"
#include "status.h"
#include "store.h"

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

typedef struct kb_session {
    const char *name;
    const char *user, *version, *label; /* "" when unknown */
    kb_split split;
    bool has_rows; /* at least one of its rows parsed */
} kb_session;

typedef struct kb_corpus_options {
    size_t timesteps;            /* t, 1..65535. Default 100 */
    bool strict;                 /* the first bad row is fatal */
    bool skip_events;            /* leave the event log alone */
    kb_problem_listener problem; /* hears of each problem as it is found */
} kb_corpus_options;

kb_corpus_options kb_corpus_defaults(void);

typedef struct kb_corpus kb_corpus;

/* PATH: a directory with metrics*.csv[.gz] (and sessions.csv[.gz], events*.csv[.gz]), one metrics
 * file, or "-". Files are read in name order. No usable session is KB_ERR_FORMAT. Reports phase
 * "reading" in compressed bytes. */
kb_status kb_corpus_load(kb_corpus **out, const char *path, const kb_corpus_options *options,
                         const kb_progress *progress, kb_error *err);
void kb_corpus_free(kb_corpus *corpus); /* NULL is fine */

const char *kb_corpus_path(const kb_corpus *corpus);
const kb_store *kb_corpus_store(const kb_corpus *corpus);
size_t kb_corpus_sessions(const kb_corpus *corpus);
const kb_session *kb_corpus_session(const kb_corpus *corpus, size_t id);
const kb_events *kb_corpus_events(const kb_corpus *corpus); /* NULL: the corpus has no log */
const kb_problems *kb_corpus_problems(const kb_corpus *corpus);
uint64_t kb_corpus_rows(const kb_corpus *corpus);     /* good metric rows read */
uint64_t kb_corpus_bad_rows(const kb_corpus *corpus); /* rows left out, of all files */

/* IDS (room for all sessions) becomes the ids with SPLIT, rising; returns how many. */
size_t kb_corpus_select(const kb_corpus *corpus, kb_split split, size_t *ids);

/* The file list behind PATH by kind, for `check` and `ngrams`: names matching PREFIX*.csv[.gz] in
 * DIR in name order. The caller frees with kb_paths_free. */
typedef struct kb_paths {
    char **items;
    size_t count;
} kb_paths;
kb_status kb_paths_list(kb_paths *out, const char *dir, const char *prefix, kb_error *err);
void kb_paths_free(kb_paths *paths);

#endif
