/* session_join: which session of the corpus each truncated sequence belongs to.
 *
 * Its moment is the time of its last event, the one before the START; its run are the events from
 * the START before it (or the log's beginning) up to there. In the order of trust:
 *
 * - By name: the last event of the run that names a session says which. A name that the corpus does
 *   not have joins nothing.
 * - By time, among the user's sessions with rows. The skew is a constant difference between the
 *   clocks of log and readings: the median of (session's end - moment) over the users with one
 *   session and one sequence, where there are at least 5 of them and their median absolute
 * deviation from it is less than half of it; otherwise 0. With the skew taken from the sessions'
 * times, (1) a sequence belongs to the session whose first and last reading enclose its moment; of
 *       several to the one that ends first, then to the one with the smaller id;
 *   (2) of the sessions and sequences left, a session and a sequence belong together that are each
 *       other's nearest, by |end - moment|, and not further apart than a tolerance. Of several
 *       equally near sequences the earlier, of such sessions the one that ends first, then the one
 *       with the smaller id, is the nearest.
 * - By order: where sessions' times count from their own beginning, and so say nothing. A user's
 *   runs that END does not close, the last one included although no START follows it, are the
 *   user's sessions in the order of their names, provided there are as many of them.
 *
 * Automatic is by name where a run has one; else by time if the range of the log's times meets that
 * of the sessions' (all of the corpus), else by order. */
#ifndef KB_SESSION_JOIN_H
#define KB_SESSION_JOIN_H

#include "corpus.h"
#include "truncations.h"

typedef enum kb_join { KB_JOIN_AUTO, KB_JOIN_NAME, KB_JOIN_TIME, KB_JOIN_ORDER } kb_join;

enum { KB_JOINS = 4 };

const char *kb_join_name(kb_join join); /* "auto", "session", "time", "order" */

typedef struct kb_join_options {
    kb_join how;
    double tolerance; /* of (2), in units of the time columns; >= 0. Default 3600 */
} kb_join_options;

kb_join_options kb_join_defaults(void);

typedef struct kb_joined {
    size_t *sessions;    /* by truncation: the session's id, or SIZE_MAX */
    size_t count;        /* of truncations */
    size_t by[KB_JOINS]; /* how many were joined by each; by[KB_JOIN_AUTO]: by none */
    double skew;         /* what was taken from the sessions' times; 0 where time was not used */
} kb_joined;

/* START and END as for kb_truncations_find. The corpus has a log. *OUT owns its array until
 * kb_joined_clear. */
kb_status kb_join_sessions(kb_joined *out, const kb_corpus *corpus,
                           const kb_truncations *truncations, const char *start, const char *end,
                           const kb_join_options *options, const kb_progress *progress,
                           kb_error *err);
void kb_joined_clear(kb_joined *joined);

#endif
