/* ranktest: does one group of numbers tend to be higher than another, and how surely?
 *
 * The effect is the area A = P(x > y) + P(x = y) / 2 for x of the group inside and y of the one
 * outside: .5 where neither is higher, 1 where each x is above each y (the area under the ROC
 * curve, the probability of superiority). The test is Wilcoxon's, Mann's and Whitney's with
 * midranks, their normal approximation corrected for ties and continuity (SciPy's mannwhitneyu,
 * "asymptotic"). With strata only sessions of the same stratum are compared, strata weighed by
 * 1 / (N_h + 1) (van Elteren 1960), and the rest is the same:
 *
 *     W = sum_h w_h U_h,  A = W / sum_h w_h m_h n_h,  z = (|W - E W| - c) / sd W,
 *     var U_h = m_h n_h / 12 (N_h + 1 - sum (t^3 - t) / (N_h (N_h - 1)))
 *
 * with c half the smallest weight, so that one stratum gives the test above. The 95% interval is
 * Newcombe's (2006, method 5): the B at which |A - B| = 1.96 sd(B), sd by Hanley and McNeil (1982).
 * It stays within 0..1 and has a width even where the groups do not overlap; ties make it too wide
 * rather than too narrow.
 *
 * Zeros are given as counts, not as numbers: most objects are absent from most sessions. Pure
 * functions of their arguments, any thread. */
#ifndef KB_RANKTEST_H
#define KB_RANKTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KB_STRATA_MAX = 8 };

typedef struct kb_rank_value {
    double value;   /* finite */
    uint32_t group; /* 2 * stratum + (1 if inside) */
} kb_rank_value;

/* An effect with its 95% interval and p-value. */
typedef struct kb_effect {
    double value, low, high; /* NAN where there is nothing to compare */
    double p;                /* two-sided; 1 where there is nothing to compare */
} kb_effect;

/* VALUES (COUNT) is sorted in place. ZEROS[2 * h + inside]: how many more values of 0 each group
 * has. STRATA: 1..KB_STRATA_MAX. */
kb_effect kb_rank_test(kb_rank_value *values, size_t count, const uint64_t *zeros, size_t strata);

/* Twice the area minus 1: -1..1, 0 where neither is higher (Cliff's delta). */
static inline double kb_rank_delta(double area)
{
    return 2 * area - 1;
}

/* Two-sided p of a standard normal Z. */
double kb_normal_p(double z);

/* The 97.5% quantile of the standard normal: half an interval's width in deviations. */
#define KB_Z95 1.959963984540054

#endif
