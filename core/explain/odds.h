/* odds: how much likelier something is in one group than in another, as a log odds ratio.
 *
 * One table: log (a d / b c) with half a session added to each cell (Haldane 1956, Anscombe 1956),
 * which keeps it finite, and Woolf's 95% interval; its p-value is fisher.h's. Several tables, one
 * a stratum: Mantel's and Haenszel's common odds ratio R / S, R = sum a d / N, S = sum b c / N,
 * with the interval of Robins, Breslow and Greenland (1986) and the test of Cochran, Mantel and
 * Haenszel without correction (statsmodels' StratifiedTable). Pure functions, any thread. */
#ifndef KB_ODDS_H
#define KB_ODDS_H

#include <stddef.h>
#include <stdint.h>

#include "ranktest.h"

/* With it and without it, inside and outside. */
typedef struct kb_table2 {
    uint64_t in_with, in_without, out_with, out_without;
} kb_table2;

/* NAN with p 1 where a group is empty. */
kb_effect kb_log_odds(const kb_table2 *table);

/* COUNT strata; those in which a group is empty, or nothing or everything has it, say nothing. Half
 * a session is added to each cell where the ratio would be 0 or infinite. NAN with p 1 where no
 * stratum says anything. */
kb_effect kb_log_odds_stratified(const kb_table2 *tables, size_t count);

#endif
