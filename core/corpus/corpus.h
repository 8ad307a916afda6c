/* corpus: a directory (or one file, or standard input) of crash sessions, read into memory.
 *
 * Owns the store, what sessions.csv says of each session, the event log and the problems found.
 * Immutable once loaded. The set of sessions is every session with a good row, a trace of its own
 * or a line in sessions.csv; ids are the store's. */
#ifndef KB_CORPUS_H
#define KB_CORPUS_H

#include "cache.h"
#include "events.h"
#include "files.h"
#include "listing.h"
#include "pool.h"
#include "problems.h"
#include "progress.h"
#include "status.h"
#include "store.h"

typedef struct kb_session {
    const char *name;
    const char *user, *version, *label; /* "" when unknown */
    kb_split split;
    bool has_rows; /* at least one of its rows parsed */
} kb_session;

typedef struct kb_corpus_options {
    size_t timesteps;                 /* t, 1..65535. Default 100 */
    kb_fill fill;                     /* what a sample that is not there counts as. Default zero */
    bool timesteps_given, fill_given; /* somebody asked for them: a model must not contradict */
    const char *columns;         /* names of columns, see columns.h; NULL: those of the format */
    bool strict;                 /* the first bad row is fatal */
    bool survey;                 /* a file that cannot be read is a problem, and not fatal */
    bool skip_events;            /* leave the event log alone */
    uint64_t lane_bytes;         /* see lanes.h; for tests. Default 0 */
    const kb_cache *cache;       /* where what was read is kept; NULL: nowhere */
    bool fresh;                  /* read the files even if the cache has them */
    kb_pool *pool;               /* threads that read; NULL: the caller alone */
    kb_problem_listener problem; /* hears of each problem, in the order of the files */
} kb_corpus_options;

kb_corpus_options kb_corpus_defaults(void);
/* What is wrong with OPTIONS, as KB_ERR_USAGE. */
kb_status kb_corpus_check(const kb_corpus_options *options, kb_error *err);

typedef struct kb_corpus kb_corpus;

/* PATH: a directory with metrics*.csv[.gz] or traces/SESSION.csv[.gz] (and sessions.csv[.gz],
 * events*.csv[.gz]), one such file of readings, or "-". Files are read in name order. No usable
 * session is KB_ERR_FORMAT. Reports phases "reading" (in compressed bytes) and "sorting". */
kb_status kb_corpus_load(kb_corpus **out, const char *path, const kb_corpus_options *options,
                         const kb_progress *progress, kb_error *err);
void kb_corpus_free(kb_corpus *corpus); /* NULL is fine */

/* A corpus of STORE, read with FILL, and nothing else known of its sessions. It owns STORE, which
 * is freed on an error too. PATH names it. */
kb_status kb_corpus_of_store(kb_corpus **out, kb_store *store, kb_fill fill, const char *path,
                             kb_error *err);

const char *kb_corpus_path(const kb_corpus *corpus);
const kb_store *kb_corpus_store(const kb_corpus *corpus);
kb_fill kb_corpus_fill(const kb_corpus *corpus);
size_t kb_corpus_sessions(const kb_corpus *corpus);
const kb_session *kb_corpus_session(const kb_corpus *corpus, size_t id);
const kb_events *kb_corpus_events(const kb_corpus *corpus); /* NULL: the corpus has no log */
const kb_problems *kb_corpus_problems(const kb_corpus *corpus);
uint64_t kb_corpus_rows(const kb_corpus *corpus);     /* good rows of readings */
uint64_t kb_corpus_bad_rows(const kb_corpus *corpus); /* rows left out, of all files */
size_t kb_corpus_damaged(const kb_corpus *corpus);    /* files whose end is lost */
size_t kb_corpus_files(const kb_corpus *corpus, kb_file_kind kind); /* that were read */
/* What became of the cache, "" if nothing: "readings and events taken from the cache", either of
 * them, or why something was not kept there. */
const char *kb_corpus_cache_note(const kb_corpus *corpus);

/* IDS (room for all sessions) becomes the ids with SPLIT, rising; returns how many. */
size_t kb_corpus_select(const kb_corpus *corpus, kb_split split, size_t *ids);

#endif
