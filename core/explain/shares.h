/* shares: how sure a share is, and whether shares differ. Pure functions of their arguments; any
 * thread. Fisher's test is in fisher.h, a trend along ordered groups in trend.h. */
#ifndef KB_SHARES_H
#define KB_SHARES_H

#include <stddef.h>
#include <stdint.h>

typedef struct kb_interval {
    double low, high; /* NAN, NAN: undefined */
} kb_interval;

/* The 95% score interval of a share, HITS of TOTAL (Wilson 1927), 0 <= low <= high <= 1. NAN where
 * TOTAL is 0. */
kb_interval kb_wilson(uint64_t hits, uint64_t total);

/* P(|Z| >= |z|) of the standard normal; NAN for NAN. */
double kb_normal_two_sided(double z);

/* P(X >= x) of the chi-square distribution with DF > 0 degrees of freedom; 1 for x <= 0, NAN for
 * NAN. */
double kb_chi_square_tail(double x, double df);

/* McNemar's exact test, two-sided: of cases judged twice, ONLY_A were hits at the first time alone
 * and ONLY_B at the second alone; min(1, 2 P(X <= smaller)), X binomial with 1/2. 1 for 0 and 0. */
double kb_mcnemar_exact(uint64_t only_a, uint64_t only_b);

/* What a test says. */
typedef struct kb_share_test {
    double statistic; /* NAN: there is nothing to test */
    double p;         /* two-sided; NAN likewise */
} kb_share_test;

/* Pearson's chi-square of equal shares in COUNT groups, HITS[g] of TOTALS[g], without a correction;
 * groups of none are left out. NAN with fewer than two groups, no hit, or nothing but hits. */
kb_share_test kb_chi_square_shares(const uint64_t *hits, const uint64_t *totals, size_t count);

#endif
