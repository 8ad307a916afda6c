/* excess: differences from the nearest known points and what they share, as NumPy and SciPy find
 * them (tests/fixtures/emerging), and corners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "excess.h"
#include "excess.inc"

static void near(double value, double expected)
{
    if (!(fabs(value - expected) <= 2e-6))
        fail_msg("%.9g, expected %.9g", value, expected);
}

static void open_known(kb_excess *e, kb_pool *pool)
{
    assert_int_equal(kb_excess_open(e, kb_const_matrix_of(known, POINTS, DIMS), pool, NULL, NULL),
                     KB_OK);
}

static void differences_are_those_of_a_tree(void **state)
{
    (void)state;
    kb_excess e;
    float q[POINTS * DIMS];
    open_known(&e, NULL);
    assert_int_equal(kb_excess_of(&e, kb_const_matrix_of(new_points, POINTS, DIMS),
                                  kb_matrix_of(q, POINTS, DIMS), NULL, NULL, NULL),
                     KB_OK);
    for (size_t i = 0; i < POINTS * DIMS; i++) {
        near((double)e.q[i], known_q[i]);
        near((double)q[i], q_expected[i]);
    }
    kb_excess_clear(&e);
}

static void what_is_shared_is_that_of_a_singular_value_decomposition(void **state)
{
    (void)state;
    kb_excess e;
    float q[POINTS * DIMS], y[POINTS * RANK];
    kb_matrix rows = kb_matrix_of(q, POINTS, DIMS);
    open_known(&e, NULL);
    kb_excess_of(&e, kb_const_matrix_of(new_points, POINTS, DIMS), rows, NULL, NULL, NULL);
    assert_int_equal(kb_excess_find(&e, kb_matrix_const(rows), 1, NULL, NULL), KB_OK);
    assert_int_equal(e.rank, RANK);
    near(e.radius, radius_expected);
    near(e.shared, shared_expected);
    kb_excess_place(&e, kb_matrix_const(rows), kb_matrix_of(y, POINTS, RANK));
    for (size_t i = 0; i < POINTS * RANK; i++)
        near((double)y[i], places_expected[i]);
    kb_excess_clear(&e);
}

/* A second look at other points forgets the first. */
static void known_points_share_nothing_beyond_themselves(void **state)
{
    (void)state;
    kb_excess e;
    open_known(&e, NULL);
    assert_int_equal(kb_excess_find(&e, kb_const_matrix_of(e.q, POINTS, DIMS), 1, NULL, NULL),
                     KB_OK);
    assert_int_equal(e.rank, 0);
    assert_true(e.shared <= 0 && e.radius <= 0);
    kb_excess_clear(&e);
}

static void units_and_places_change_nothing(void **state)
{
    (void)state;
    kb_excess e, far;
    float moved[POINTS * DIMS], q[POINTS * DIMS];
    for (size_t i = 0; i < POINTS * DIMS; i++)
        moved[i] = 4096 * known[i] + 1024;
    open_known(&e, NULL);
    assert_int_equal(
        kb_excess_open(&far, kb_const_matrix_of(moved, POINTS, DIMS), NULL, NULL, NULL), KB_OK);
    for (size_t i = 0; i < POINTS * DIMS; i++) {
        near((double)far.q[i], (double)e.q[i]);
        moved[i] = 4096 * new_points[i] + 1024;
    }
    kb_excess_of(&far, kb_const_matrix_of(moved, POINTS, DIMS), kb_matrix_of(q, POINTS, DIMS), NULL,
                 NULL, NULL);
    for (size_t i = 0; i < POINTS * DIMS; i++)
        near((double)q[i], q_expected[i]);
    kb_excess_clear(&e);
    kb_excess_clear(&far);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    kb_excess one, three;
    kb_pool *pool;
    assert_int_equal(kb_pool_create(&pool, 3, NULL), KB_OK);
    open_known(&one, NULL);
    open_known(&three, pool);
    assert_memory_equal(one.q, three.q, POINTS * DIMS * sizeof(float));
    kb_excess_clear(&one);
    kb_excess_clear(&three);
    kb_pool_free(pool);
}

/* Known points that are all the same differ in nothing. */
static void points_without_a_difference_have_no_excess(void **state)
{
    (void)state;
    kb_excess e;
    float same[4 * 2] = {1, 2, 1, 2, 1, 2, 1, 2}, q[2 * 2], y[2 * KB_EXCESS_RANK];
    const float x[2 * 2] = {1, 2, 1, 5};
    assert_int_equal(kb_excess_open(&e, kb_const_matrix_of(same, 4, 2), NULL, NULL, NULL), KB_OK);
    kb_excess_of(&e, kb_const_matrix_of(x, 2, 2), kb_matrix_of(q, 2, 2), NULL, NULL, NULL);
    const float expected[2 * 2] = {0, 0, 0, 1};
    assert_memory_equal(q, expected, sizeof q);
    assert_int_equal(kb_excess_find(&e, kb_const_matrix_of(q, 2, 2), 1, NULL, NULL), KB_OK);
    assert_int_equal(e.rank, 1);
    kb_excess_place(&e, kb_const_matrix_of(q, 2, 2), kb_matrix_of(y, 2, 1));
    near((double)y[0], 0);
    near((double)y[1], 1);
    kb_excess_clear(&e);
}

static void too_few_known_points_and_cancelling_are_told(void **state)
{
    (void)state;
    kb_excess e;
    kb_error err;
    atomic_bool cancel = true;
    const kb_progress progress = {.cancel = &cancel};
    assert_int_equal(kb_excess_open(&e, kb_const_matrix_of(known, 2, DIMS), NULL, NULL, &err),
                     KB_ERR_USAGE);
    assert_null(e.points);
    open_known(&e, NULL);
    assert_int_equal(kb_excess_find(&e, kb_const_matrix_of(e.q, POINTS, DIMS), 1, &progress, &err),
                     KB_ERR_CANCELLED);
    kb_excess_clear(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_are_those_of_a_tree),
        cmocka_unit_test(what_is_shared_is_that_of_a_singular_value_decomposition),
        cmocka_unit_test(known_points_share_nothing_beyond_themselves),
        cmocka_unit_test(units_and_places_change_nothing),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(points_without_a_difference_have_no_excess),
        cmocka_unit_test(too_few_known_points_and_cancelling_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
