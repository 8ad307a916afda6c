/* ranktest, odds: against SciPy and statsmodels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "odds.h"
#include "ranktest.h"

enum { VALUES_MOST = 60, TABLES_MOST = 4 };

struct rank_case {
    size_t count, strata;
    kb_rank_value values[VALUES_MOST];
    kb_effect expected;
};

struct odds_case {
    size_t strata;
    kb_table2 tables[TABLES_MOST];
    kb_effect pooled, first; /* of all, and of the first alone; the latter without p */
};

#include "odds.inc"
#include "ranks.inc"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void assert_near(size_t i, const char *what, double is, double should, double within)
{
    if (!(fabs(is - should) <= within))
        fail_msg("case %zu, %s: %.15g instead of %.15g", i, what, is, should);
}

static void assert_effect(size_t i, kb_effect is, kb_effect should)
{
    assert_near(i, "effect", is.value, should.value, 1e-12);
    assert_near(i, "low", is.low, should.low, 1e-9);
    assert_near(i, "high", is.high, should.high, 1e-9);
    assert_near(i, "p", is.p, should.p, 1e-11);
}

static void the_rank_test_is_that_of_scipy(void **state)
{
    (void)state;
    const uint64_t none[2 * KB_STRATA_MAX] = {0};
    for (size_t i = 0; i < COUNT(rank_cases); i++) {
        struct rank_case c = rank_cases[i];
        assert_effect(i, kb_rank_test(c.values, c.count, none, c.strata), c.expected);
    }
}

/* Takes the zeros out of VALUES and counts them in ZEROS. */
static size_t without_zeros(kb_rank_value *values, size_t count, uint64_t *zeros)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (values[i].value == 0)
            zeros[values[i].group]++;
        else
            values[kept++] = values[i];
    }
    return kept;
}

static void zeros_may_be_given_as_counts(void **state)
{
    (void)state;
    size_t taken = 0;
    for (size_t i = 0; i < COUNT(rank_cases); i++) {
        struct rank_case c = rank_cases[i];
        uint64_t zeros[2 * KB_STRATA_MAX] = {0};
        size_t kept = without_zeros(c.values, c.count, zeros);
        taken += c.count - kept;
        assert_effect(i, kb_rank_test(c.values, kept, zeros, c.strata), c.expected);
    }
    assert_true(taken > 50);
}

static void groups_apart_have_an_interval_all_the_same(void **state)
{
    (void)state;
    kb_rank_value values[] = {{1, 0}, {2, 0}, {3, 0}, {4, 1}, {5, 1}, {6, 1}};
    const uint64_t none[2] = {0};
    kb_effect effect = kb_rank_test(values, COUNT(values), none, 1);
    assert_true(effect.value == 1);
    assert_true(effect.low > .3 && effect.low < .8);
    assert_true(effect.high == 1);
    assert_true(effect.p > .05 && effect.p < .1);
}

static void nothing_to_compare_is_no_effect(void **state)
{
    (void)state;
    kb_rank_value values[] = {{1, 1}, {2, 1}};
    const uint64_t none[2] = {0}, equal[2] = {5, 7};
    kb_effect effect = kb_rank_test(values, COUNT(values), none, 1);
    assert_true(isnan(effect.value) && isnan(effect.low) && isnan(effect.high));
    assert_true(effect.p == 1);
    effect = kb_rank_test(values, 0, equal, 1);
    assert_true(effect.value == .5);
    assert_true(effect.p == 1);
}

/* All of the difference between the groups lies between the strata: within them there is none. */
static void strata_take_a_confounder_out(void **state)
{
    (void)state;
    enum { HIGH = 2 };
    kb_rank_value values[40];
    for (uint32_t i = 0; i < COUNT(values); i++) {
        bool inside = i % 2, high = inside ? i % 10 != 1 : i % 10 == 0;
        values[i] = (kb_rank_value){high ? 100 : 1, inside};
    }
    kb_rank_value apart[COUNT(values)];
    for (size_t i = 0; i < COUNT(values); i++)
        apart[i] =
            (kb_rank_value){values[i].value, values[i].group + (values[i].value >= 100 ? HIGH : 0)};
    const uint64_t none[4] = {0};
    kb_effect together = kb_rank_test(values, COUNT(values), none, 1);
    kb_effect given = kb_rank_test(apart, COUNT(apart), none, 2);
    assert_true(together.value > .75 && together.p < .001);
    assert_true(given.value == .5);
    assert_true(given.p == 1);
}

static void the_pooled_odds_are_those_of_statsmodels(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(odds_cases); i++) {
        const struct odds_case *c = &odds_cases[i];
        assert_effect(i, kb_log_odds_stratified(c->tables, c->strata), c->pooled);
    }
}

static void the_odds_of_one_table_are_those_of_statsmodels(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(odds_cases); i++) {
        const struct odds_case *c = &odds_cases[i];
        kb_effect effect = kb_log_odds(&c->tables[0]);
        assert_near(i, "log odds", effect.value, c->first.value, 1e-12);
        assert_near(i, "low", effect.low, c->first.low, 1e-9);
        assert_near(i, "high", effect.high, c->first.high, 1e-9);
        assert_true(effect.p > 0 && effect.p <= 1);
    }
}

static void odds_stay_finite(void **state)
{
    (void)state;
    const kb_table2 all = {9, 0, 0, 20}, none = {0, 9, 4, 16}, empty = {0, 0, 4, 16};
    const kb_table2 whole = {9, 0, 20, 0};
    assert_true(isfinite(kb_log_odds(&all).value) && kb_log_odds(&all).low > 0);
    assert_true(isfinite(kb_log_odds_stratified(&all, 1).value));
    assert_true(isfinite(kb_log_odds_stratified(&none, 1).value));
    assert_true(kb_log_odds_stratified(&none, 1).value < 0);
    assert_true(isnan(kb_log_odds(&empty).value) && kb_log_odds(&empty).p == 1);
    assert_true(isnan(kb_log_odds_stratified(&empty, 1).value));
    assert_true(isnan(kb_log_odds_stratified(&whole, 1).value));
    assert_true(kb_log_odds_stratified(&whole, 1).p == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rank_test_is_that_of_scipy),
        cmocka_unit_test(zeros_may_be_given_as_counts),
        cmocka_unit_test(groups_apart_have_an_interval_all_the_same),
        cmocka_unit_test(nothing_to_compare_is_no_effect),
        cmocka_unit_test(strata_take_a_confounder_out),
        cmocka_unit_test(the_pooled_odds_are_those_of_statsmodels),
        cmocka_unit_test(the_odds_of_one_table_are_those_of_statsmodels),
        cmocka_unit_test(odds_stay_finite),
    };
    return cmocka_run_group_tests_name("effects", tests, NULL, NULL);
}
