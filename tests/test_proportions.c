/* fisher, fdr: against SciPy, whole numbers and statsmodels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "fdr.h"
#include "fisher.h"

struct fisher_case {
    uint64_t a, inside, b, outside;
    double p;
};

struct fdr_case {
    double p, q;
};

#include "fdr.inc"
#include "fisher.inc"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void assert_fisher(const struct fisher_case *c, double relative)
{
    double p = kb_fisher_exact(c->a, c->inside, c->b, c->outside);
    if (!(fabs(p - c->p) <= relative * c->p))
        fail_msg("%lu/%lu against %lu/%lu: %.17g instead of %.17g", (unsigned long)c->a,
                 (unsigned long)c->inside, (unsigned long)c->b, (unsigned long)c->outside, p, c->p);
}

static void fisher_is_that_of_scipy(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fisher_scipy); i++)
        assert_fisher(&fisher_scipy[i], 1e-9);
}

static void fisher_of_large_tables_is_that_of_whole_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fisher_exact_large); i++)
        assert_fisher(&fisher_exact_large[i], 1e-7);
}

static void the_groups_may_change_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fisher_scipy); i++) {
        const struct fisher_case *c = &fisher_scipy[i];
        assert_fisher(&(struct fisher_case){c->b, c->outside, c->a, c->inside, c->p}, 1e-9);
        assert_fisher(
            &(struct fisher_case){c->inside - c->a, c->inside, c->outside - c->b, c->outside, c->p},
            1e-9);
    }
}

static void a_table_that_could_not_be_otherwise_proves_nothing(void **state)
{
    (void)state;
    static const struct fisher_case certain[] = {
        {0, 0, 0, 0, 1}, {0, 0, 3, 9, 1}, {3, 9, 0, 0, 1}, {0, 9, 0, 9, 1}, {9, 9, 4, 4, 1},
    };
    for (size_t i = 0; i < COUNT(certain); i++)
        assert_true(kb_fisher_exact(certain[i].a, certain[i].inside, certain[i].b,
                                    certain[i].outside) == 1);
}

static void a_hopeless_table_gives_nothing_but_a_number(void **state)
{
    (void)state;
    double p = kb_fisher_exact(1000000, 1000000, 0, 1000000);
    assert_true(p >= 0 && p < 1e-300);
    p = kb_fisher_exact(500000, 1000000, 500000, 1000000);
    assert_true(p > 0.99 && p <= 1);
}

static void fdr_is_that_of_statsmodels(void **state)
{
    (void)state;
    double p[COUNT(fdr_statsmodels)], q[COUNT(fdr_statsmodels)];
    for (size_t i = 0; i < COUNT(p); i++)
        p[i] = fdr_statsmodels[i].p;
    assert_int_equal(kb_fdr(q, p, COUNT(p), NULL), 0);
    for (size_t i = 0; i < COUNT(q); i++)
        assert_true(fabs(q[i] - fdr_statsmodels[i].q) <= 1e-14);
}

static void no_q_is_less_than_its_p(void **state)
{
    (void)state;
    double p[49], q[49];
    for (size_t n = 1; n <= 49; n++) {
        for (size_t i = 0; i < n; i++)
            p[i] = (double)(i + 1) / 49;
        assert_int_equal(kb_fdr(q, p, n, NULL), 0);
        for (size_t i = 0; i < n; i++)
            assert_true(q[i] >= p[i]);
    }
}

static void what_was_not_tested_does_not_count(void **state)
{
    (void)state;
    double p[] = {NAN, 0.01, NAN, 0.04, NAN};
    assert_int_equal(kb_fdr(p, p, COUNT(p), NULL), 0);
    assert_true(isnan(p[0]) && isnan(p[2]) && isnan(p[4]));
    assert_true(fabs(p[1] - 0.02) < 1e-15 && fabs(p[3] - 0.04) < 1e-15);
    assert_int_equal(kb_fdr(p, p, 0, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fisher_is_that_of_scipy),
        cmocka_unit_test(fisher_of_large_tables_is_that_of_whole_numbers),
        cmocka_unit_test(the_groups_may_change_places),
        cmocka_unit_test(a_table_that_could_not_be_otherwise_proves_nothing),
        cmocka_unit_test(a_hopeless_table_gives_nothing_but_a_number),
        cmocka_unit_test(fdr_is_that_of_statsmodels),
        cmocka_unit_test(no_q_is_less_than_its_p),
        cmocka_unit_test(what_was_not_tested_does_not_count),
    };
    return cmocka_run_group_tests_name("proportions", tests, NULL, NULL);
}
