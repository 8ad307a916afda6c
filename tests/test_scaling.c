/* scaling: the values of each view for small series, reckoned by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "scaling.h"

/* FIRST steps of nothing, then VALUES, in a session LENGTH steps long; t is 8. */
static void expect_bins(kb_scale scale, size_t first, const float *values, size_t count,
                        size_t length, const float *expected, size_t bins)
{
    float block[8];
    const kb_series series = {0, (uint32_t)first, (uint32_t)count, values};
    assert_int_equal(kb_scale_width(scale, 8, bins), bins);
    kb_scale_series(scale, &series, length, 8, bins, block);
    for (size_t i = 0; i < bins; i++)
        if (fabsf(block[i] - expected[i]) > 1e-6f)
            fail_msg("%s: bin %zu is %g instead of %g", kb_scale_name(scale), i, (double)block[i],
                     (double)expected[i]);
}

static void bins_are_means_over_equal_parts(void **state)
{
    (void)state;
    static const float values[] = {2, 4, 6, 2};
    expect_bins(KB_SCALE_BINS_GLOBAL, 2, values, 4, 6, (float[]){0, 3, 4}, 3);
    expect_bins(KB_SCALE_TRAJECTORY, 2, values, 4, 6, (float[]){0, 3, 4}, 3);
    expect_bins(KB_SCALE_BINS_MAX, 2, values, 4, 6, (float[]){0, .75f, 1}, 3);
    expect_bins(KB_SCALE_BINS_PRESENCE, 3, values, 3, 6, (float[]){0, .5f, 1}, 3);
    expect_bins(KB_SCALE_BINS_LOG, 2, values, 4, 6, (float[]){0, logf(4), logf(5)}, 3);
}

static void a_step_across_an_edge_counts_for_both_sides(void **state)
{
    (void)state;
    static const float values[] = {3, 6, 9};
    expect_bins(KB_SCALE_BINS_GLOBAL, 0, values, 3, 3, (float[]){4, 8}, 2);
    /* fewer steps than bins: each is spread over several */
    expect_bins(KB_SCALE_BINS_GLOBAL, 0, values, 2, 2, (float[]){3, 4.5f, 6}, 3);
    expect_bins(KB_SCALE_BINS_PRESENCE, 0, values, 1, 1, (float[]){1, 1, 1, 1}, 4);
}

static void bins_do_not_depend_on_the_length_of_a_session(void **state)
{
    (void)state;
    static const float once[] = {1, 2, 3}, twice[] = {1, 1, 2, 2, 3, 3};
    const float expected[] = {1, 2, 3};
    expect_bins(KB_SCALE_BINS_GLOBAL, 0, once, 3, 3, expected, 3);
    expect_bins(KB_SCALE_BINS_GLOBAL, 0, twice, 6, 6, expected, 3);
}

static void growth_is_the_last_quarter_less_the_first(void **state)
{
    (void)state;
    static const float values[] = {1, 3, 5, 7, 9, 9, 11, 11};
    float block[1];
    const kb_series all = {0, 0, 8, values}, late = {0, 4, 4, values};
    assert_int_equal(kb_scale_width(KB_SCALE_GROWTH, 8, 5), 1);
    kb_scale_series(KB_SCALE_GROWTH, &all, 8, 8, 0, block);
    assert_float_equal(block[0], 9, 1e-6);
    kb_scale_series(KB_SCALE_GROWTH_ROOT, &all, 8, 8, 0, block);
    assert_float_equal(block[0], 3, 1e-6);
    kb_scale_series(KB_SCALE_GROWTH_SD, &late, 8, 8, 0, block);
    assert_float_equal(block[0], 6, 1e-6);
    const kb_series falling = {0, 0, 2, values + 2};
    kb_scale_series(KB_SCALE_GROWTH_ROOT, &falling, 8, 8, 0, block);
    assert_float_equal(block[0], -sqrtf(6), 1e-6);
}

static void names_are_read_as_they_are_written(void **state)
{
    (void)state;
    kb_scale scale;
    for (int i = 0; i < KB_SCALES; i++) {
        assert_true(kb_scale_parse(&scale, kb_scale_name((kb_scale)i)));
        assert_int_equal(scale, i);
        assert_int_equal(kb_scale_has_bins(scale), kb_scale_width(scale, 8, 5) == 5);
    }
    assert_string_equal(kb_scale_name((kb_scale)KB_SCALE_AUTO), "auto");
    assert_false(kb_scale_parse(&scale, "auto"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_are_means_over_equal_parts),
        cmocka_unit_test(a_step_across_an_edge_counts_for_both_sides),
        cmocka_unit_test(bins_do_not_depend_on_the_length_of_a_session),
        cmocka_unit_test(growth_is_the_last_quarter_less_the_first),
        cmocka_unit_test(names_are_read_as_they_are_written),
    };
    return cmocka_run_group_tests_name("scaling", tests, NULL, NULL);
}
