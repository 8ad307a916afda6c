/* ngram_lift: which n-grams are more, or less, common before the crashes of one group of sessions
 * than before those of all other groups.
 *
 * Groups are clusters or any other partition of sessions. Sequences without a session, and those of
 * sessions without a group, take no part. Of an n-gram x and a group,
 *
 *     share = sequences of the group with x / sequences of the group
 *     other = the same for all other groups together
 *     lift  = share / other, INFINITY where other is 0
 *
 * The p-value does not count sequences, nor sessions: one user's crashes repeat that user's habits,
 * and habits that have nothing to do with the group would look like evidence as often as they
 * repeat. Each user has one vote on each side: the first of their sequences in the group, and the
 * first of theirs outside it. "At least one of their sequences" would not do either, since who
 * crashes more often has more chances: tests/fixtures/ngrams/units.py measures all three. p is
 * Fisher's exact test of the votes (fisher.h),
 *
 *                inside the group    outside
 *     with x     votes               votes
 *     without    votes               votes
 *
 * q is Benjamini and Hochberg's (fdr.h) over all pairs of a group with users and an n-gram of at
 * least SUPPORT distinct users in all, whether or not the group has it: that gate does not look at
 * groups, so it leaves the p-values what they are. */
#ifndef KB_NGRAM_LIFT_H
#define KB_NGRAM_LIFT_H

#include "ngram_table.h"
#include "progress.h"

typedef struct kb_lift_input {
    const kb_events *events;
    const kb_truncations *truncations;
    const size_t *sessions; /* by truncation: its session's id, or SIZE_MAX */
    const uint32_t *groups; /* by session: 1..group_count, or 0: none */
    size_t group_count;
} kb_lift_input;

typedef struct kb_lift_options {
    kb_ngram_options ngrams;
    size_t support; /* >= 1. Default 5 */
    bool rare;      /* n-grams below the support are rows too, after all others of their group, with
                       p and q NAN; they are not folded, and no row is folded for them */
} kb_lift_options;

kb_lift_options kb_lift_defaults(void);

typedef struct kb_lift_row {
    uint32_t group;
    size_t n;
    const uint32_t *events;   /* width event ids, oldest first; KB_NAME_NONE: empty */
    uint64_t count;           /* sequences of the group, >= 1 */
    uint64_t users, sessions; /* distinct, behind them */
    double share, other, lift, p, q;
} kb_lift_row;

typedef struct kb_lifts {
    size_t width;
    kb_lift_row *rows; /* by group; within it those of a lift above 1 first, then p rising, lift
                          falling, count falling, and the events' names */
    size_t count;
    size_t tested; /* pairs that have a p-value, shown or not */
    size_t rare;   /* n-grams below the support */
    size_t folded; /* rows left out for a longer one of their group */
    uint32_t *storage;
} kb_lifts;

/* Memory: about 100 bytes for each pair of a group and an n-gram that occurs, 40 for each pair
 * tested. *OUT owns its arrays until kb_lifts_clear. Phases "n-grams" and "testing". */
kb_status kb_lifts_of(kb_lifts *out, const kb_lift_input *input, const kb_lift_options *options,
                      const kb_progress *progress, kb_error *err);
void kb_lifts_clear(kb_lifts *lifts);

#endif
