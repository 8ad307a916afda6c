/* shares, trend: intervals and tests against statsmodels and SciPy, exact trends against counting
 * them out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "shares.h"
#include "trend.h"

struct wilson {
    uint64_t hits, total;
    double low, high;
};
struct tail {
    double x, df, p;
};
struct pair {
    double z, p;
};
struct judged {
    uint64_t only_a, only_b;
    double p;
};
struct homogeneity {
    uint64_t hits[6], totals[6];
    size_t count;
    double statistic, p;
};
struct trend {
    int64_t scores[6];
    uint64_t hits[6], totals[6];
    size_t count;
    double z, p;
};

#include "shares.inc"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance * fabs(expected)))
        fail_msg("%.17g instead of %.17g", value, expected);
}

static void intervals_are_those_of_statsmodels(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wilsons); i++) {
        const struct wilson *w = &wilsons[i];
        kb_interval interval = kb_wilson(w->hits, w->total);
        assert_near(interval.low, w->low, 1e-12);
        assert_near(interval.high, w->high, 1e-12);
    }
    assert_true(isnan(kb_wilson(0, 0).low) && isnan(kb_wilson(0, 0).high));
}

static void tails_are_those_of_scipy(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tails); i++)
        assert_near(kb_chi_square_tail(tails[i].x, tails[i].df), tails[i].p, 1e-9);
    for (size_t i = 0; i < COUNT(normals); i++)
        assert_near(kb_normal_two_sided(normals[i].z), normals[i].p, 1e-11);
    assert_true(kb_chi_square_tail(0, 3) >= 1);
    assert_true(isnan(kb_chi_square_tail((double)NAN, 3)));
    assert_true(isnan(kb_normal_two_sided((double)NAN)));
}

static void cases_judged_twice_are_tested_as_by_statsmodels(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(mcnemars); i++)
        assert_near(kb_mcnemar_exact(mcnemars[i].only_a, mcnemars[i].only_b), mcnemars[i].p, 1e-9);
    assert_true(kb_mcnemar_exact(0, 0) >= 1);
}

static void equal_shares_are_tested_as_by_scipy(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(homogeneities); i++) {
        const struct homogeneity *h = &homogeneities[i];
        kb_share_test test = kb_chi_square_shares(h->hits, h->totals, h->count);
        assert_near(test.statistic, h->statistic, 1e-12);
        assert_near(test.p, h->p, 1e-10);
    }
}

static void trends_are_those_of_statsmodels_and_of_counting(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(trends); i++) {
        const struct trend *t = &trends[i];
        kb_share_test test;
        assert_int_equal(kb_cochran_armitage(&test, t->scores, t->hits, t->totals, t->count, NULL),
                         KB_OK);
        assert_near(test.statistic, t->z, 1e-10);
        assert_near(test.p, t->p, 1e-9);
    }
}

/* Of two groups the exact trend is one of two tails of the hypergeometric distribution, so that
 * dealing out few hits of very many sessions has to come out right as well: 3 hits in a million,
 * all in the second half: twice 1/8. */
static void an_exact_trend_of_many_sessions(void **state)
{
    (void)state;
    const int64_t scores[] = {0, 1};
    const uint64_t hits[] = {0, 3}, totals[] = {500000, 500000};
    kb_share_test test;
    assert_int_equal(kb_cochran_armitage(&test, scores, hits, totals, 2, NULL), KB_OK);
    assert_near(test.p, .25, 1e-5);
    const uint64_t others[] = {500000, 499997};
    assert_int_equal(kb_cochran_armitage(&test, scores, others, totals, 2, NULL), KB_OK);
    assert_near(test.p, .25, 1e-5);
}

static void nothing_to_test_is_no_number(void **state)
{
    (void)state;
    const int64_t scores[] = {4, 4, 7};
    const uint64_t none[] = {0, 0, 0}, some[] = {1, 0, 0}, one_score[] = {2, 3, 0};
    kb_share_test test;
    assert_int_equal(kb_cochran_armitage(&test, scores, some, one_score, 3, NULL), KB_OK);
    assert_true(isnan(test.statistic) && isnan(test.p));
    assert_int_equal(kb_cochran_armitage(&test, scores, none, one_score, 3, NULL), KB_OK);
    assert_true(isnan(test.p));
    assert_int_equal(kb_cochran_armitage(&test, scores, none, none, 3, NULL), KB_OK);
    assert_true(isnan(test.p));
    assert_true(isnan(kb_chi_square_shares(one_score, one_score, 3).p));
    assert_true(isnan(kb_chi_square_shares(none, one_score, 3).p));
    assert_true(isnan(kb_chi_square_shares(some, one_score, 1).p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_are_those_of_statsmodels),
        cmocka_unit_test(tails_are_those_of_scipy),
        cmocka_unit_test(cases_judged_twice_are_tested_as_by_statsmodels),
        cmocka_unit_test(equal_shares_are_tested_as_by_scipy),
        cmocka_unit_test(trends_are_those_of_statsmodels_and_of_counting),
        cmocka_unit_test(an_exact_trend_of_many_sessions),
        cmocka_unit_test(nothing_to_test_is_no_number),
    };
    return cmocka_run_group_tests_name("shares", tests, NULL, NULL);
}
