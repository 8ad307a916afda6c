/* filter: labels for sessions whose rows come as one stream, each as soon as its session is
 * complete.
 *
 * Which that is follows the options, as in stream.h: where rows are grouped a session ends where
 * another begins; otherwise when more sessions are open than may be, the one that has been quiet
 * for the longest; with SETTLE also each one that had no row for so many seconds; and all at the
 * end. */
#ifndef KB_FILTER_H
#define KB_FILTER_H

#include "pipeline.h"
#include "stream.h"

/* COUNT labels, in the order in which their sessions became complete. */
typedef struct kb_labels {
    const kb_corpus *corpus; /* the sessions, with their rows */
    const size_t *sessions;  /* COUNT: ids in it */
    const kb_assignment *assigned;
    size_t count;
} kb_labels;

const char *kb_label_name(const kb_labels *labels, size_t i);

/* TAKE has them on their way before it returns: what it has taken is final. */
typedef struct kb_label_sink {
    kb_status (*take)(void *ctx, const kb_labels *labels, kb_error *err);
    void *ctx;
} kb_label_sink;

/* Hands on the labels of all that has ended in STREAM. Cancelling is up to the caller: an error of
 * SINK loses what it did not take. */
kb_status kb_label_ended(kb_stream *stream, const kb_model *model, kb_label_sink sink,
                         kb_pool *pool, kb_error *err);

typedef struct kb_filter_options {
    bool grouped;
    size_t open;         /* > 0. Default 4096 */
    double settle;       /* seconds; 0: no session ends by the clock. Default 0 */
    bool strict;         /* the first bad or late row is fatal */
    const char *columns; /* see columns.h */
    kb_problem_listener problem;
} kb_filter_options;

kb_filter_options kb_filter_defaults(void);

typedef struct kb_filter_result {
    kb_stream_count count;
    uint64_t sessions; /* labels handed on */
    bool damaged;      /* the end of the stream is lost, which was told */
} kb_filter_result;

/* PATH ("-": standard input) is in long form. MODEL must be calibrated (KB_ERR_USAGE). Reports
 * phase "reading". A stream without a good row is KB_ERR_FORMAT. */
kb_status kb_filter(kb_filter_result *out, const char *path, const kb_model *model,
                    const kb_filter_options *options, kb_label_sink sink, kb_pool *pool,
                    const kb_progress *progress, kb_error *err);

#endif
