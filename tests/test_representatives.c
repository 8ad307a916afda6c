/* representatives: against distances of all pairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdatomic.h>

#include "representatives.h"
#include "rng.h"

enum { POINTS = 40, COLS = 3 };

static double apart(const float *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < COLS; i++)
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sqrt(sum);
}

static double mean_distance(float points[][COLS], const size_t *rows, size_t count, size_t row)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double other[COLS];
        for (size_t c = 0; c < COLS; c++)
            other[c] = (double)points[rows[i]][c];
        sum += apart(points[row], other);
    }
    return sum / (double)(count - 1);
}

static void the_medoid_is_nearest_to_all_others(void **state)
{
    (void)state;
    kb_rng rng = kb_rng_start(3, 5);
    float points[POINTS][COLS];
    size_t rows[POINTS / 2];
    for (size_t i = 0; i < POINTS; i++)
        for (size_t c = 0; c < COLS; c++)
            points[i][c] = (float)exp((double)kb_rng_normal(&rng)); /* skewed: not the mean's */
    for (size_t i = 0; i < POINTS / 2; i++)
        rows[i] = 2 * i;
    kb_representatives r;
    assert_int_equal(kb_representatives_of(&r, kb_const_matrix_of(points[0], POINTS, COLS), rows,
                                           POINTS / 2, 2, NULL, NULL),
                     KB_OK);
    assert_int_equal(r.count, 5);
    assert_int_equal(r.items[0].kind, KB_REPRESENTATIVE_MEDOID);
    double least = mean_distance(points, rows, POINTS / 2, r.items[0].row);
    assert_true(fabs(r.items[0].distance - least) < 1e-9);
    for (size_t i = 0; i < POINTS / 2; i++)
        assert_true(mean_distance(points, rows, POINTS / 2, rows[i]) >= least);
    kb_representatives_clear(&r);
}

static void typical_and_extreme_are_by_distance_from_the_mean(void **state)
{
    (void)state;
    float line[] = {0, 1, 2, 3, 4, 20, 999}; /* the last is not asked for; the mean is 5 */
    const size_t rows[] = {0, 1, 2, 3, 4, 5};
    static const kb_representative expected[] = {
        {KB_REPRESENTATIVE_MEDOID, 1, 2, 24. / 5}, {KB_REPRESENTATIVE_TYPICAL, 1, 4, 1},
        {KB_REPRESENTATIVE_TYPICAL, 2, 3, 2},      {KB_REPRESENTATIVE_EXTREME, 1, 5, 15},
        {KB_REPRESENTATIVE_EXTREME, 2, 0, 5},
    };
    kb_representatives r;
    assert_int_equal(
        kb_representatives_of(&r, kb_const_matrix_of(line, 7, 1), rows, 6, 2, NULL, NULL), KB_OK);
    assert_int_equal(r.count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < r.count; i++) {
        assert_int_equal(r.items[i].kind, expected[i].kind);
        assert_int_equal(r.items[i].rank, expected[i].rank);
        assert_int_equal(r.items[i].row, expected[i].row);
        assert_true(fabs(r.items[i].distance - expected[i].distance) < 1e-12);
    }
    kb_representatives_clear(&r);
}

static void small_sets_have_no_more_than_they_are(void **state)
{
    (void)state;
    float line[] = {1, 2};
    const size_t rows[] = {1};
    kb_representatives r;
    assert_int_equal(
        kb_representatives_of(&r, kb_const_matrix_of(line, 2, 1), rows, 0, 3, NULL, NULL), KB_OK);
    assert_int_equal(r.count, 0);
    assert_int_equal(
        kb_representatives_of(&r, kb_const_matrix_of(line, 2, 1), rows, 1, 3, NULL, NULL), KB_OK);
    assert_int_equal(r.count, 3);
    for (size_t i = 0; i < r.count; i++) {
        assert_int_equal(r.items[i].row, 1);
        assert_true(r.items[i].distance == 0);
    }
    kb_representatives_clear(&r);
}

static void the_search_can_be_cancelled(void **state)
{
    (void)state;
    float line[] = {1, 2};
    const size_t rows[] = {0, 1};
    atomic_bool cancel = true;
    const kb_progress progress = {.cancel = &cancel};
    kb_representatives r;
    assert_int_equal(
        kb_representatives_of(&r, kb_const_matrix_of(line, 2, 1), rows, 2, 3, &progress, NULL),
        KB_ERR_CANCELLED);
    assert_null(r.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_medoid_is_nearest_to_all_others),
        cmocka_unit_test(typical_and_extreme_are_by_distance_from_the_mean),
        cmocka_unit_test(small_sets_have_no_more_than_they_are),
        cmocka_unit_test(the_search_can_be_cancelled),
    };
    return cmocka_run_group_tests_name("representatives", tests, NULL, NULL);
}
