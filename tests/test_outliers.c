/* outliers: distances and ratios as a k-d tree finds them (tests/fixtures/novelty), and corners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "neighbours.inc"
#include "outliers.h"

static void near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-5 * (1 + fabs(expected))))
        fail_msg("%.9g, expected %.9g", value, expected);
}

static void distances_and_ratios_are_those_of_a_tree(void **state)
{
    (void)state;
    kb_const_matrix p = kb_const_matrix_of(points, POINTS, DIMS);
    kb_const_matrix x = kb_const_matrix_of(asked, ASKED, DIMS);
    double own[POINTS], distance[ASKED], ratio[ASKED];
    float spacing[POINTS];
    assert_int_equal(kb_outliers_of(own, NULL, p, p, NULL, NEAREST, true, NULL, NULL, NULL), KB_OK);
    for (size_t i = 0; i < POINTS; i++) {
        near(own[i], spacing_expected[i]);
        spacing[i] = (float)own[i];
    }
    assert_int_equal(
        kb_outliers_of(distance, ratio, x, p, spacing, NEAREST, false, NULL, NULL, NULL), KB_OK);
    for (size_t i = 0; i < ASKED; i++) {
        near(distance[i], distance_expected[i]);
        near(ratio[i], ratio_expected[i]);
    }
}

static void threads_change_nothing(void **state)
{
    (void)state;
    kb_pool *pool;
    double one[ASKED], three[ASKED];
    kb_const_matrix p = kb_const_matrix_of(points, POINTS, DIMS);
    kb_const_matrix x = kb_const_matrix_of(asked, ASKED, DIMS);
    assert_int_equal(kb_pool_create(&pool, 3, NULL), KB_OK);
    assert_int_equal(kb_outliers_of(one, NULL, x, p, NULL, 3, false, NULL, NULL, NULL), KB_OK);
    assert_int_equal(kb_outliers_of(three, NULL, x, p, NULL, 3, false, pool, NULL, NULL), KB_OK);
    assert_memory_equal(one, three, sizeof one);
    kb_pool_free(pool);
}

static void fewer_points_than_neighbours_are_all_there_are(void **state)
{
    (void)state;
    const float two[] = {0, 3};
    const float spacing[] = {0, 0};
    kb_const_matrix p = kb_const_matrix_of(two, 2, 1);
    double distance[2], ratio[2];
    assert_int_equal(kb_outliers_of(distance, ratio, p, p, spacing, 5, false, NULL, NULL, NULL),
                     KB_OK);
    near(distance[0], 1.5);
    near(ratio[0], 1); /* nothing is usual around points that have no spacing */
    assert_int_equal(kb_outliers_of(distance, NULL, p, p, NULL, 5, true, NULL, NULL, NULL), KB_OK);
    near(distance[0], 3);
    p.rows = 1;
    assert_int_equal(kb_outliers_of(distance, NULL, p, p, NULL, 5, true, NULL, NULL, NULL), KB_OK);
    near(distance[0], 0);
    assert_int_equal(kb_outliers_of(distance, ratio, p, p, spacing, 5, true, NULL, NULL, NULL),
                     KB_OK);
    near(ratio[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_and_ratios_are_those_of_a_tree),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(fewer_points_than_neighbours_are_all_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
