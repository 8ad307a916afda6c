/* stability: against NumPy and SciPy (tests/fixtures/stability), and against what chance gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>

#include "rng.h"
#include "stability.h"

enum { CLASSES = 10 };

struct stability_case {
    size_t count;
    uint64_t was[CLASSES], now[CLASSES];
    double terms[CLASSES];
    double psi, expected, statistic, p, delta;
};

#include "stability.inc"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void near(size_t i, const char *what, double is, double should)
{
    bool same = isnan(should) ? isnan(is) : fabs(is - should) <= 1e-12 * (1 + fabs(should));
    if (!same)
        fail_msg("case %zu, %s: %.17g instead of %.17g", i, what, is, should);
}

static void psi_is_that_of_its_definition(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stability_cases); i++) {
        const struct stability_case *c = &stability_cases[i];
        double terms[CLASSES], expected[CLASSES], sum = 0;
        kb_psi psi = kb_psi_of(c->was, c->now, c->count, terms, expected);
        near(i, "PSI", psi.value, c->psi);
        near(i, "expected", psi.expected, c->expected);
        for (size_t b = 0; b < c->count; b++) {
            near(i, "summand", terms[b], c->terms[b]);
            sum += expected[b];
        }
        near(i, "sum of what is expected", sum, c->expected);
    }
}

static void chi_square_is_that_of_scipy(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stability_cases); i++) {
        const struct stability_case *c = &stability_cases[i];
        kb_share_test test = kb_chi_square_classes(c->was, c->now, c->count);
        near(i, "chi-square", test.statistic, c->statistic);
        near(i, "p", test.p, c->p);
    }
}

static void delta_is_that_of_all_pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stability_cases); i++) {
        const struct stability_case *c = &stability_cases[i];
        near(i, "delta", kb_class_delta(c->was, c->now, c->count), c->delta);
    }
}

static void the_two_may_change_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stability_cases); i++) {
        const struct stability_case *c = &stability_cases[i];
        near(i, "PSI", kb_psi_of(c->now, c->was, c->count, NULL, NULL).value, c->psi);
        near(i, "p", kb_chi_square_classes(c->now, c->was, c->count).p, c->p);
        near(i, "delta", kb_class_delta(c->now, c->was, c->count), -c->delta);
    }
}

static void nothing_is_told_of_nobody(void **state)
{
    (void)state;
    const uint64_t some[3] = {1, 2, 3}, none[3] = {0};
    assert_true(isnan(kb_psi_of(some, none, 3, NULL, NULL).value));
    assert_true(isnan(kb_psi_of(none, some, 3, NULL, NULL).expected));
    assert_true(isnan(kb_chi_square_classes(none, some, 3).p));
    assert_true(isnan(kb_class_delta(some, none, 3)));
}

/* N draws from the shares 1, 2, 3, ... of COUNT classes. */
static void draw(kb_rng *rng, uint64_t *counts, size_t count, size_t n)
{
    for (size_t b = 0; b < count; b++)
        counts[b] = 0;
    for (size_t i = 0; i < n; i++) {
        double at = kb_rng_uniform(rng) * (double)(count * (count + 1)) / 2;
        size_t b = 0;
        while (b + 1 < count && at >= (double)((b + 1) * (b + 2)) / 2)
            b++;
        counts[b]++;
    }
}

/* Mean and spread over many pairs of samples of one population: PSI is what it is expected to be,
 * and one in twenty tests is below .05. */
static void without_a_change_psi_is_as_expected(void **state)
{
    (void)state;
    enum { PAIRS = 4000, THEN = 800, NOW = 200 };
    kb_rng rng = kb_rng_start(1, 0);
    double sum = 0, below = 0, expected = 0;
    for (size_t i = 0; i < PAIRS; i++) {
        uint64_t was[6], now[6];
        draw(&rng, was, 6, THEN);
        draw(&rng, now, 6, NOW);
        kb_psi psi = kb_psi_of(was, now, 6, NULL, NULL);
        expected = psi.expected;
        sum += psi.value / PAIRS;
        below += kb_chi_square_classes(was, now, 6).p < .05;
    }
    assert_true(fabs(expected - 5 * (1. / THEN + 1. / NOW)) < 1e-15);
    if (!(fabs(sum / expected - 1) < .05))
        fail_msg("PSI is %g on average, %g expected", sum, expected);
    if (!(below / PAIRS > .035 && below / PAIRS < .065))
        fail_msg("%g of the tests are below .05", below / PAIRS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(psi_is_that_of_its_definition),
        cmocka_unit_test(chi_square_is_that_of_scipy),
        cmocka_unit_test(delta_is_that_of_all_pairs),
        cmocka_unit_test(the_two_may_change_places),
        cmocka_unit_test(nothing_is_told_of_nobody),
        cmocka_unit_test(without_a_change_psi_is_as_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
