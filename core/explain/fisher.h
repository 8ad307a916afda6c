/* fisher: is something more, or less, common in one group than in another?
 *
 * Fisher's exact test of a 2 x 2 table with fixed margins, two-sided by probabilities (Fisher 1935;
 * the rule of R's fisher.test and SciPy's fisher_exact): the sum of the hypergeometric
 * probabilities of all tables that are no likelier than the one at hand.
 *
 *              with it      without it
 *     inside   a            inside - a
 *     outside  b            outside - b
 *
 *     P(a) = C(inside, a) C(outside, b) / C(inside + outside, a + b)
 *
 * Pure functions of their arguments; any thread. */
#ifndef KB_FISHER_H
#define KB_FISHER_H

#include <stdint.h>

/* The p-value of A of INSIDE against B of OUTSIDE (A <= INSIDE, B <= OUTSIDE, all below 2^52), in
 * 0..1: 0 only where it is less than the smallest double; 1 where a group is empty, or nothing or
 * everything has it. Its relative error grows as N log N, N = INSIDE + OUTSIDE: below 1e-7 at a
 * million. Tables within 1e-7 of the probability at hand count as no likelier, so that rounding
 * parts no equals. Takes a number of steps that is at most the smaller margin. */
double kb_fisher_exact(uint64_t a, uint64_t inside, uint64_t b, uint64_t outside);

#endif
