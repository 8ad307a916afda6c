/* quality: the three internal indices against scikit-learn, and where they are not defined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "quality.h"
#include "quality.inc"

static kb_const_matrix points(void)
{
    return kb_const_matrix_of(quality_x, QUALITY_N, QUALITY_D);
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance * (1 + fabs(expected))))
        fail_msg("%.17g instead of %.17g", value, expected);
}

static kb_mean_indices indices_of(kb_const_matrix x, const uint32_t *labels, size_t clusters)
{
    kb_mean_indices indices;
    assert_int_equal(kb_mean_indices_of(&indices, x, labels, clusters, NULL), KB_OK);
    return indices;
}

static void check_all(kb_const_matrix x, const uint32_t *labels, size_t clusters,
                      const double *expected)
{
    assert_near(kb_silhouette(x, labels, clusters, NULL, NULL), expected[0], 1e-6);
    kb_mean_indices indices = indices_of(x, labels, clusters);
    assert_near(indices.davies_bouldin, expected[1], 1e-12);
    assert_near(indices.calinski_harabasz, expected[2], 1e-12);
}

static void indices_are_those_of_scikit_learn(void **state)
{
    (void)state;
    check_all(points(), quality_labels_blobs, 4, quality_blobs);
    check_all(points(), quality_labels_random, 7, quality_random);
}

static void lone_members_and_unused_numbers(void **state)
{
    (void)state;
    check_all(points(), quality_labels_lone, 7, quality_lone);
    check_all(points(), quality_labels_lone, 40, quality_lone);
}

static void repeated_points_and_coincident_centres(void **state)
{
    (void)state;
    check_all(kb_const_matrix_of(quality_x_repeated, 7, 2), quality_labels_repeated, 3,
              quality_repeated);
    check_all(kb_const_matrix_of(quality_x_coincident, 7, 2), quality_labels_coincident, 3,
              quality_coincident);
}

static void one_cluster_or_one_for_each_point_is_undefined(void **state)
{
    (void)state;
    uint32_t labels[QUALITY_N] = {0};
    assert_true(isnan(kb_silhouette(points(), labels, 4, NULL, NULL)));
    assert_true(isnan(indices_of(points(), labels, 4).davies_bouldin));
    assert_true(isnan(indices_of(points(), labels, 4).calinski_harabasz));
    for (uint32_t i = 0; i < QUALITY_N; i++)
        labels[i] = i;
    assert_true(isnan(kb_silhouette(points(), labels, QUALITY_N, NULL, NULL)));
    assert_true(isnan(indices_of(points(), labels, QUALITY_N).davies_bouldin));
    assert_true(isnan(indices_of(points(), labels, QUALITY_N).calinski_harabasz));
}

static void perfectly_tight_clusters(void **state)
{
    (void)state;
    const float x[] = {0, 0, 0, 8, 8};
    const uint32_t labels[] = {0, 0, 0, 1, 1};
    kb_const_matrix view = kb_const_matrix_of(x, 5, 1);
    assert_true(kb_silhouette(view, labels, 2, NULL, NULL) == 1);
    assert_true(indices_of(view, labels, 2).davies_bouldin == 0);
    assert_true(indices_of(view, labels, 2).calinski_harabasz == 1);
}

static void several_labellings_at_once_are_as_one_by_one(void **state)
{
    (void)state;
    const uint32_t *labels[] = {quality_labels_random, quality_labels_blobs, quality_labels_lone};
    const size_t clusters[] = {7, 4, 7};
    double together[3];
    kb_pool *pool;
    assert_int_equal(kb_pool_create(&pool, 3, NULL), KB_OK);
    assert_int_equal(kb_silhouettes(together, points(), labels, clusters, 3, pool, NULL, NULL),
                     KB_OK);
    for (size_t c = 0; c < 3; c++)
        assert_true(together[c] == kb_silhouette(points(), labels[c], clusters[c], NULL, NULL));
    kb_pool_free(pool);
}

static void a_raised_flag_stops_it(void **state)
{
    (void)state;
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    assert_true(isnan(kb_silhouette(points(), quality_labels_blobs, 4, NULL, &progress)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indices_are_those_of_scikit_learn),
        cmocka_unit_test(lone_members_and_unused_numbers),
        cmocka_unit_test(repeated_points_and_coincident_centres),
        cmocka_unit_test(one_cluster_or_one_for_each_point_is_undefined),
        cmocka_unit_test(perfectly_tight_clusters),
        cmocka_unit_test(several_labellings_at_once_are_as_one_by_one),
        cmocka_unit_test(a_raised_flag_stops_it),
    };
    return cmocka_run_group_tests_name("quality", tests, NULL, NULL);
}
