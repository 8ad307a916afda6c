#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rates.h"
#include "rng.h"

struct reference {
    double before, total;
    uint64_t k, n;
    double p;
};

static const struct reference references[] = {
#include "rates.inc"
};

static void p_values_are_those_of_scipy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        const struct reference *r = &references[i];
        double p = kb_rate_p(r->before, r->total, r->k, r->n);
        assert_true(fabs(p - r->p) <= 1e-7 * r->p + 1e-300);
    }
}

static void a_tail_too_small_for_a_number_is_none(void **state)
{
    (void)state;
    assert_true(kb_rate_p(0, 20000, 1000000, 1000000) == 0);
    assert_true(kb_rate_p(20000, 20000, 0, 1000000) == 0);
    assert_true(kb_rate_p(0, 20000, UINT64_MAX, UINT64_MAX) <= 1); /* and it ends */
}

static void add(kb_rates *rates, size_t count, size_t emerging, uint32_t cluster)
{
    for (size_t i = 0; i < count; i++)
        kb_rates_add(rates, cluster, i < emerging);
}

static void nothing_is_judged_before_there_is_a_history(void **state)
{
    (void)state;
    const uint32_t numbers[] = {3, 7};
    kb_rates *rates = kb_rates_create(numbers, 2);
    add(rates, KB_RATES_LEAST - 1, 0, 3);
    kb_rates_close(rates, .01);
    add(rates, 100, 100, 7);
    kb_rates_close(rates, .01);
    assert_false(kb_rates_get(rates, 0).departs);
    add(rates, 100, 0, 7);
    kb_rates_close(rates, .01);
    assert_true(kb_rates_get(rates, 2).departs); /* all of cluster 7, a third before */
    kb_rates_free(rates);
}

static void a_departure_is_told_once_and_so_is_its_end(void **state)
{
    (void)state;
    const uint32_t numbers[] = {1};
    kb_rates *rates = kb_rates_create(numbers, 1);
    add(rates, 2000, 100, 1);
    kb_rates_close(rates, 1e-4);
    assert_false(kb_rates_get(rates, 0).departs);
    for (int i = 0; i < 2; i++) {
        add(rates, 100, 60, 1);
        kb_rates_close(rates, 1e-4);
        assert_true(kb_rates_get(rates, 0).departs);
        assert_int_equal(kb_rates_get(rates, 0).tells, i == 0);
        assert_int_equal(kb_rates_window(rates), 100);
        assert_int_equal(kb_rates_get(rates, 0).window, 60);
    }
    add(rates, 100, 10, 1);
    kb_rates_close(rates, 1e-4);
    assert_false(kb_rates_get(rates, 0).departs);
    assert_true(kb_rates_get(rates, 0).tells);
    kb_rates_free(rates);
}

static void a_history_is_worth_so_many_sessions_at_most(void **state)
{
    (void)state;
    kb_rates *rates = kb_rates_create(NULL, 0);
    for (int i = 0; i < 50; i++) {
        add(rates, 1000, 100, 0);
        kb_rates_close(rates, .01);
    }
    assert_true(fabs(kb_rates_history(rates) - KB_RATES_HISTORY) < 1e-6);
    assert_true(fabs(kb_rates_get(rates, 0).history - .1 * KB_RATES_HISTORY) < 1e-6);
    kb_rates_free(rates);
}

/* Windows of 50 sessions at a constant rate: the test may be cautious, since counts are whole, but
 * not the other way round. */
static void false_alarms_keep_to_the_level(void **state)
{
    (void)state;
    enum { WINDOWS = 4000 };
    kb_rng rng = kb_rng_start(5, 1);
    size_t below = 0;
    double kept = 0, total = 0;
    for (int i = 0; i < WINDOWS; i++) {
        uint64_t k = 0;
        for (int j = 0; j < 50; j++)
            k += kb_rng_uniform(&rng) < .08;
        if (total >= KB_RATES_LEAST)
            below += kb_rate_p(kept, total, k, 50) < .05;
        kept += (double)k;
        total += 50;
    }
    assert_in_range(below, WINDOWS / 100, WINDOWS * 55 / 1000);
}

static void what_is_saved_comes_back(void **state)
{
    (void)state;
    const uint32_t numbers[] = {2, 4}, others[] = {2, 5};
    kb_rates *a = kb_rates_create(numbers, 2), *b = kb_rates_create(numbers, 2),
             *c = kb_rates_create(others, 2);
    add(a, 300, 20, 2);
    kb_rates_close(a, .01);
    add(a, 40, 30, 4);
    kb_record record = {0};
    kb_rates_save(a, &record);
    kb_record_reader reader = {record.bytes, record.length, false};
    assert_int_equal(kb_rates_restore(b, &reader, NULL), KB_OK);
    kb_rates_close(a, .01);
    kb_rates_close(b, .01);
    for (size_t i = 0; i < 3; i++) {
        assert_true(kb_rates_get(a, i).p == kb_rates_get(b, i).p);
        assert_true(kb_rates_get(a, i).history == kb_rates_get(b, i).history);
    }
    reader = (kb_record_reader){record.bytes, record.length, false};
    assert_int_equal(kb_rates_restore(c, &reader, NULL), KB_ERR_FORMAT);
    assert_true(kb_rates_history(c) == 0);
    for (size_t n = 0; n < record.length; n++) {
        reader = (kb_record_reader){record.bytes, n, false};
        assert_int_equal(kb_rates_restore(b, &reader, NULL), KB_ERR_FORMAT);
    }
    kb_record_clear(&record);
    kb_rates_free(a);
    kb_rates_free(b);
    kb_rates_free(c);
}

static void a_window_that_cannot_be_is_not_restored(void **state)
{
    (void)state;
    const uint32_t number = 1;
    for (uint64_t beyond = 0; beyond < 2; beyond++) {
        kb_rates *rates = kb_rates_create(&number, 1);
        kb_record record = {0};
        kb_record_u64(&record, 2);
        kb_record_u64(&record, KB_RATES_WINDOW + beyond);
        kb_record_real(&record, 300);
        for (uint32_t cluster = 0; cluster < 2; cluster++) {
            kb_record_u32(&record, cluster);
            kb_record_u32(&record, 0);
            kb_record_u64(&record, 3);
            kb_record_real(&record, 150);
        }
        kb_record_reader reader = {record.bytes, record.length, false};
        assert_int_equal(kb_rates_restore(rates, &reader, NULL), beyond ? KB_ERR_FORMAT : KB_OK);
        assert_int_equal(kb_rates_window(rates), beyond ? 0 : KB_RATES_WINDOW);
        kb_record_clear(&record);
        kb_rates_free(rates);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p_values_are_those_of_scipy),
        cmocka_unit_test(a_tail_too_small_for_a_number_is_none),
        cmocka_unit_test(nothing_is_judged_before_there_is_a_history),
        cmocka_unit_test(a_departure_is_told_once_and_so_is_its_end),
        cmocka_unit_test(a_history_is_worth_so_many_sessions_at_most),
        cmocka_unit_test(false_alarms_keep_to_the_level),
        cmocka_unit_test(what_is_saved_comes_back),
        cmocka_unit_test(a_window_that_cannot_be_is_not_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
