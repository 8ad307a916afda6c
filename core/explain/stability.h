/* stability: is a variable spread in one population as it is in another, judged by counts in
 * classes? Pure functions of their arguments; any thread. Legend: B classes, a[b] of N sessions
 * then, c[b] of M now.
 *
 * The population stability index is the symmetric divergence of the two (Jeffreys 1946; as an index
 * of scorecards, Lewis, "An Introduction to Credit Scoring", 1992):
 *
 *     PSI = sum over b of (p_b - q_b) ln(p_b / q_b),
 *     p_b = (a_b + k s_b) / (N + k),  q_b = (c_b + k s_b) / (M + k)
 *
 * with s_b = (a_b + c_b) / (N + M) and k half the classes that are not empty, so that a class that
 * is empty on one side weighs much, but not infinitely, and populations of equal shares are at 0
 * whatever N and M. By custom less than .1 is nothing, and .25 or more a different population.
 *
 * It is biased upwards: without any change PSI / (1/N + 1/M) is about chi-square with B - 1 degrees
 * of freedom, so that it is (B - 1)(1/N + 1/M) on average (Yurdakul, "Statistical Properties of
 * Population Stability Index", Western Michigan University 2018). */
#ifndef KB_STABILITY_H
#define KB_STABILITY_H

#include <stddef.h>
#include <stdint.h>

#include "shares.h"

/* Below 2^64 in all. */
uint64_t kb_sum_counts(const uint64_t *counts, size_t count);

typedef struct kb_psi {
    double value;    /* NAN where N or M is 0 */
    double expected; /* of no change, with B the classes that are not empty */
} kb_psi;

/* Of WAS and NOW (COUNT classes each). TERMS (COUNT; NULL: not wanted): the summands, and EXPECTED
 * (COUNT; NULL likewise) what each is without a change, (1 - s_b)(1/N + 1/M); 0 for empty classes.
 */
kb_psi kb_psi_of(const uint64_t *was, const uint64_t *now, size_t count, double *terms,
                 double *expected);

/* Pearson's chi-square of the same shares in both, without a correction. Neighbouring classes are
 * put together, from the first on, until each side expects at least 5 in them (Cochran 1954); what
 * is left over goes to the last. NAN where fewer than two remain. */
kb_share_test kb_chi_square_classes(const uint64_t *was, const uint64_t *now, size_t count);

/* P(now > was) - P(now < was) of the classes, which have an order: -1..1 (Cliff's delta); NAN where
 * N or M is 0. */
double kb_class_delta(const uint64_t *was, const uint64_t *now, size_t count);

#endif
