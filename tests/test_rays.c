/* rays: groups as scikit-learn's K-means and silhouettes give them (tests/fixtures/emerging), one
 * group, none, and points near the origin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "rays.h"
#include "rays.inc"
#include "rng.h"

static void find(kb_rays *rays, const float *y, size_t n, size_t dims, double inside)
{
    assert_int_equal(
        kb_rays_find(rays, kb_const_matrix_of(y, n, dims), inside, 1, NULL, NULL, NULL), KB_OK);
}

/* The same partition; the origin is 0 in both. */
static void groups_are_those_of_k_means_and_silhouettes(void **state)
{
    (void)state;
    kb_rays rays;
    uint32_t labels[RAYS], number_of[GROUPS + 1] = {0};
    find(&rays, points, RAYS, 3, radius);
    assert_int_equal(rays.count, GROUPS);
    assert_true(fabs(rays.silhouette - silhouette_expected) < 1e-6);
    kb_rays_assign(&rays, kb_const_matrix_of(points, RAYS, 3), labels);
    for (size_t i = 0; i < RAYS; i++) {
        uint32_t *number = &number_of[labels_expected[i]];
        if (!*number)
            *number = labels[i];
        assert_int_equal(labels[i], *number);
        assert_int_equal(labels[i] == 0, labels_expected[i] == 0);
    }
    for (size_t a = 1; a <= GROUPS; a++)
        for (size_t b = 1; b < a; b++)
            assert_int_not_equal(number_of[a], number_of[b]);
    kb_rays_clear(&rays);
}

/* Points around SIGN times the first axis, COUNT of DIMS floats each. */
static void put_points(float *y, size_t count, size_t dims, float sign, kb_rng *rng)
{
    for (size_t i = 0; i < count; i++)
        for (size_t f = 0; f < dims; f++)
            y[i * dims + f] = (f ? 0 : sign) + .2F * kb_rng_normal(rng);
}

static void one_direction_is_one_group(void **state)
{
    (void)state;
    enum { N = 40, DIMS = 5 };
    kb_rays rays;
    kb_rng rng = kb_rng_start(4, KB_STREAM_TEST);
    float y[N * DIMS];
    uint32_t labels[N];
    put_points(y, N, DIMS, 1, &rng);
    find(&rays, y, N, DIMS, .3);
    assert_int_equal(rays.count, 1);
    assert_true(isnan(rays.silhouette));
    kb_rays_assign(&rays, kb_const_matrix_of(y, N, DIMS), labels);
    size_t inside = 0;
    for (size_t i = 0; i < N; i++)
        inside += labels[i] == 1;
    assert_int_equal(inside, N);
    kb_rays_clear(&rays);
}

static void opposite_directions_are_two_groups_on_a_line(void **state)
{
    (void)state;
    kb_rays rays;
    const float y[] = {1, 2, 1.5F, 1, 3, -1, -2, -1, -1.5F, -1, 0, .1F};
    uint32_t labels[12];
    find(&rays, y, 12, 1, .5);
    assert_int_equal(rays.count, 2);
    kb_rays_assign(&rays, kb_const_matrix_of(y, 12, 1), labels);
    assert_int_not_equal(labels[0], labels[5]);
    assert_int_equal(labels[10], 0);
    assert_int_equal(labels[11], 0);
    kb_rays_clear(&rays);
}

static void fewer_than_five_points_are_no_group(void **state)
{
    (void)state;
    kb_rays rays;
    const float y[] = {1, 0, 1, .1F, 1, 0, 1, 0};
    uint32_t labels[4];
    find(&rays, y, 4, 2, .5);
    assert_int_equal(rays.count, 0);
    kb_rays_assign(&rays, kb_const_matrix_of(y, 4, 2), labels);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(labels[i], 0);
    kb_rays_clear(&rays);
}

static void nothing_beyond_the_radius_is_no_group(void **state)
{
    (void)state;
    kb_rays rays;
    find(&rays, points, RAYS, 3, 10);
    assert_int_equal(rays.count, 0);
    kb_rays_clear(&rays);
}

static void cancelling_is_told(void **state)
{
    (void)state;
    kb_rays rays;
    kb_error err;
    atomic_bool cancel = true;
    const kb_progress progress = {.cancel = &cancel};
    assert_int_equal(
        kb_rays_find(&rays, kb_const_matrix_of(points, RAYS, 3), radius, 1, NULL, &progress, &err),
        KB_ERR_CANCELLED);
    assert_null(rays.centres);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_those_of_k_means_and_silhouettes),
        cmocka_unit_test(one_direction_is_one_group),
        cmocka_unit_test(opposite_directions_are_two_groups_on_a_line),
        cmocka_unit_test(fewer_than_five_points_are_no_group),
        cmocka_unit_test(nothing_beyond_the_radius_is_no_group),
        cmocka_unit_test(cancelling_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
