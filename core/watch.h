/* watch: labels for the sessions of a folder that others write to, each session once, whatever
 * happens to the process between.
 *
 * A session is complete when it has been quiet for SETTLE seconds while all that the folder has was
 * read, or when more than OPEN are open (stream.h). Labels go to a sink, which has them on the disk
 * before it returns. What is known is written to a state file now and then: how far each file was
 * read, the open sessions, which sessions were labelled, and how much of the sink's file that
 * covers (ledger.h). It is always written after the sink, so that after a kill the sink may know of
 * more sessions than the state, never of fewer: those are read back from it, files are read on from
 * where the state has got to, and rows of sessions that have a label are dropped. So no session is
 * lost, and none gets a second label, as long as
 *   - the file that labels are appended to can be read back (without: those of the last moments
 *     before a kill come again),
 *   - what was read but is in no label yet was in the state (at the latest a second, or twenty
 * times what writing it takes, ago) or is still in the folder,
 *   - not more than KB_STREAM_REMEMBERED sessions were labelled since. */
#ifndef KB_WATCH_H
#define KB_WATCH_H

#include <stdatomic.h>

#include "filter.h"
#include "follow.h"
#include "ledger.h"
#include "rates.h"

/* Where labels go. */
typedef struct kb_watch_sink {
    kb_label_sink labels;
    /* How much of which file has been written; NULL: it is no file that can be read back. */
    kb_ledger_place (*place)(void *ctx);
    /* Reads back what PLACE does not cover, for each session READER, and opens the file to go on.
     */
    kb_status (*recover)(void *ctx, kb_ledger_place place, kb_ledger_reader reader, kb_error *err);
    /* The file may have been renamed: it is opened again by its name. */
    kb_status (*reopen)(void *ctx, kb_error *err);
    void *ctx; /* for the last three; labels has its own */
} kb_watch_sink;

typedef struct kb_watch_options {
    const char *dir, *model;
    const char *state; /* NULL: none is kept */
    double settle;     /* seconds. Default 2 */
    size_t open;       /* Default 4096 */
    double every;      /* seconds between summaries. Default 60 */
    double alarm;      /* level of the alarms (rates.h); 0: none. Default 1e-5 */
    const char *columns;
    kb_problem_listener problem;
    /* One line; WARNING: to be told even where remarks are not wanted. */
    void (*say)(void *ctx, bool warning, const char *text);
    void *ctx;
    /* Rises with each request to read the model again and to reopen the sink; never NULL. */
    const atomic_uint *hangups;
} kb_watch_options;

kb_watch_options kb_watch_defaults(void);

/* Until it is cancelled (KB_ERR_CANCELLED; the state is written before) or fails. Another watch
 * with the same state file is KB_ERR_USAGE. A model that cannot be read again is told, and the old
 * one stays. While the last state is written the phase is "writing". */
kb_status kb_watch(const kb_watch_options *options, const kb_watch_sink *sink, kb_pool *pool,
                   const kb_progress *progress, kb_error *err);

#endif
