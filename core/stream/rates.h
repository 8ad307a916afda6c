/* rates: the share of emerging sessions and of each cluster's, and whether it departs from its
 * history.
 *
 * Counts of a window of n sessions, k of them of one kind, are held against the K of N sessions
 * before it. With a rate that is known from K of N alone (Jeffreys' prior), k follows a
 * beta-binomial distribution: P(k) = C(n, k) B(k + a, n - k + b) / B(a, b), a = K + 1/2, b = N - K
 * + 1/2. The p-value is twice the tail on k's side, at most 1. A rate departs when its p-value
 * times the number of rates (Bonferroni) is below the level that was asked for, and is as usual
 * again when that is above .05. Windows go into the history with exponentially falling weight, so
 * that it is worth KB_RATES_HISTORY sessions at most; below KB_RATES_LEAST nothing is judged. Not
 * thread-safe.
 */
#ifndef KB_RATES_H
#define KB_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"
#include "status.h"

enum {
    KB_RATES_HISTORY = 20000,
    KB_RATES_LEAST = 200,
    KB_RATES_WINDOW = 100000000 /* sessions of a window that is restored, at most */
};

typedef struct kb_rates kb_rates;

typedef struct kb_rate {
    uint32_t cluster;    /* 0: emerging */
    uint64_t window;     /* k */
    double history;      /* K, weighted */
    double p;            /* of the last window that was judged; 1: none was */
    bool departs, tells; /* is out of the ordinary; became so or stopped with the last window */
} kb_rate;

/* Of clusters with these NUMBERS. NULL: no memory. */
kb_rates *kb_rates_create(const uint32_t *numbers, size_t count);
void kb_rates_free(kb_rates *rates); /* NULL is fine */

/* One more session in the window; a cluster that is none of the numbers only counts as a session.
 */
void kb_rates_add(kb_rates *rates, uint32_t cluster, bool emerging);
/* Judges the window at LEVEL (0..1) and puts it into the history. What was counted can be asked for
 * until the next session is added. */
void kb_rates_close(kb_rates *rates, double level);

size_t kb_rates_count(const kb_rates *rates); /* emerging, then the clusters */
kb_rate kb_rates_get(const kb_rates *rates, size_t i);
uint64_t kb_rates_window(const kb_rates *rates); /* n */
double kb_rates_history(const kb_rates *rates);  /* N */

/* P as above, for 0 <= K <= N of history (weights) and k <= n. */
double kb_rate_p(double history_k, double history_n, uint64_t k, uint64_t n);

void kb_rates_save(const kb_rates *rates, kb_record *record);
/* Into rates of the same clusters, with counts that can be: KB_ERR_FORMAT otherwise, and they are
 * as new. */
kb_status kb_rates_restore(kb_rates *rates, kb_record_reader *reader, kb_error *err);

#endif
