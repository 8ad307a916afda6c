/* trend: does a share rise or fall along groups that have an order? */
#ifndef KB_TREND_H
#define KB_TREND_H

#include <stdint.h>

#include "shares.h"
#include "status.h"

/* The test of Cochran and Armitage (Armitage 1955) for HITS[g] of TOTALS[g] along the integer
 * SCORES[g] (COUNT groups, any order). With s the scores, x the hits, n the totals, N all, X all
 * hits and S = sum n s / N:
 *
 *   statistic = sum x (s - S) / sqrt(X (N - X) / (N (N - 1)) sum n (s - S)^2)
 *
 * the variance being the one that permutations have; positive when the share rises. p is of the
 * normal distribution; where X or N - X is at most 20 and that takes little time, it is the exact
 * one, that of |sum x (s - S)| over all ways to deal out the hits. NAN, NAN with fewer than two
 * scores, no hit, or nothing but hits. KB_ERR_MEMORY. */
kb_status kb_cochran_armitage(kb_share_test *out, const int64_t *scores, const uint64_t *hits,
                              const uint64_t *totals, size_t count, kb_error *err);

#endif
