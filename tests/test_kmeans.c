/* kmeans: scikit-learn's result from the same start, exact labels, empty clusters, edge cases,
 * independence of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans.h"
#include "kmeans.inc"
#include "rng.h"

static kb_const_matrix fixture(void)
{
    return kb_const_matrix_of(kmeans_x, KMEANS_N, KMEANS_D);
}

static void a_given_start_ends_where_scikit_learn_ends(void **state)
{
    (void)state;
    kb_kmeans_options options = kb_kmeans_defaults(KMEANS_K);
    options.tolerance = 0;
    options.init = kb_const_matrix_of(kmeans_init, KMEANS_K, KMEANS_D);
    kb_kmeans km;
    assert_int_equal(kb_kmeans_fit(&km, fixture(), &options, NULL, NULL, NULL), KB_OK);
    assert_memory_equal(km.labels, kmeans_labels, sizeof kmeans_labels);
    assert_true(fabs(km.inertia / KMEANS_INERTIA - 1) < 1e-6);
    for (size_t i = 0; i < KMEANS_K * KMEANS_D; i++)
        assert_true(fabs(km.centroids[i] - kmeans_centroids[i]) < 1e-4);
    assert_true(km.iterations > 1);
    kb_kmeans_clear(&km);
}

static void restarts_find_what_scikit_learn_finds(void **state)
{
    (void)state;
    kb_kmeans_options options = kb_kmeans_defaults(KMEANS_K);
    kb_kmeans km;
    assert_int_equal(kb_kmeans_fit(&km, fixture(), &options, NULL, NULL, NULL), KB_OK);
    assert_true(km.inertia < KMEANS_BEST_INERTIA * 1.001);
    kb_kmeans_clear(&km);
}

/* N x d normal numbers around GROUPS centres. */
static float *make_points(size_t n, size_t d, size_t groups, float apart)
{
    float *x = malloc(n * d * sizeof *x);
    float *centres = malloc(groups * d * sizeof *centres);
    kb_rng rng = kb_rng_start(5, KB_STREAM_TEST);
    for (size_t i = 0; i < groups * d; i++)
        centres[i] = apart * kb_rng_normal(&rng);
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < d; f++)
            x[i * d + f] = centres[i % groups * d + f] + kb_rng_normal(&rng);
    free(centres);
    return x;
}

static double plain_distance2(const float *a, const float *b, size_t d)
{
    double sum = 0;
    for (size_t f = 0; f < d; f++)
        sum += ((double)a[f] - (double)b[f]) * ((double)a[f] - (double)b[f]);
    return sum;
}

/* What the header promises of every result. */
static void check_result(const kb_kmeans *km, const float *x, size_t n)
{
    double inertia = 0;
    size_t *sizes = calloc(km->clusters, sizeof *sizes);
    for (size_t i = 0; i < n; i++) {
        double own =
            plain_distance2(x + i * km->dims, km->centroids + km->labels[i] * km->dims, km->dims);
        for (size_t k = 0; k < km->clusters; k++) {
            double other =
                plain_distance2(x + i * km->dims, km->centroids + k * km->dims, km->dims);
            assert_true(own <= other * (1 + 1e-12));
        }
        inertia += own;
        sizes[km->labels[i]]++;
    }
    assert_memory_equal(sizes, km->sizes, km->clusters * sizeof *sizes);
    assert_true(fabs(inertia - km->inertia) <= 1e-9 * inertia);
    free(sizes);
}

static void labels_are_nearest_and_no_cluster_is_empty(void **state)
{
    (void)state;
    enum { N = 500, D = 24 };
    float *x = make_points(N, D, 3, 0);
    for (size_t k = 1; k <= N; k = k * 3 + 1) {
        kb_kmeans_options options = kb_kmeans_defaults(k);
        options.restarts = 2;
        kb_kmeans km;
        assert_int_equal(
            kb_kmeans_fit(&km, kb_const_matrix_of(x, N, D), &options, NULL, NULL, NULL), KB_OK);
        check_result(&km, x, N);
        for (size_t c = 0; c < k; c++)
            assert_true(km.sizes[c] > 0);
        kb_kmeans_clear(&km);
    }
    free(x);
}

static void fit_with(kb_kmeans *km, kb_const_matrix x, const kb_kmeans_options *options,
                     size_t threads)
{
    kb_pool *pool;
    assert_int_equal(kb_pool_create(&pool, threads, NULL), KB_OK);
    assert_int_equal(kb_kmeans_fit(km, x, options, pool, NULL, NULL), KB_OK);
    kb_pool_free(pool);
}

static void check_threads(size_t n, size_t d, kb_kmeans_options options)
{
    float *x = make_points(n, d, 9, 0.7F);
    kb_kmeans one, three;
    fit_with(&one, kb_const_matrix_of(x, n, d), &options, 1);
    fit_with(&three, kb_const_matrix_of(x, n, d), &options, 3);
    assert_memory_equal(one.labels, three.labels, n * sizeof *one.labels);
    assert_memory_equal(one.centroids, three.centroids, options.clusters * d * sizeof(float));
    assert_true(one.inertia == three.inertia);
    kb_kmeans_clear(&one);
    kb_kmeans_clear(&three);
    free(x);
}

static void threads_do_not_change_the_result(void **state)
{
    (void)state;
    kb_kmeans_options runs = kb_kmeans_defaults(9);
    check_threads(700, 33, runs); /* starts are shared out */
    kb_kmeans_options rows = kb_kmeans_defaults(9);
    rows.restarts = 1;
    check_threads(1100, 33, rows); /* the rows of the only start are */
}

static void coincident_starts_are_reseeded(void **state)
{
    (void)state;
    enum { N = 90, D = 2 };
    float *x = make_points(N, D, 3, 50);
    float init[3 * D] = {x[0], x[1], x[0], x[1], x[0], x[1]};
    kb_kmeans_options options = kb_kmeans_defaults(3);
    options.init = kb_const_matrix_of(init, 3, D);
    kb_kmeans km;
    assert_int_equal(kb_kmeans_fit(&km, kb_const_matrix_of(x, N, D), &options, NULL, NULL, NULL),
                     KB_OK);
    for (size_t k = 0; k < 3; k++)
        assert_int_equal(km.sizes[k], 30);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(km.labels[i], km.labels[i % 3]);
    kb_kmeans_clear(&km);
    free(x);
}

static void fewer_distinct_points_than_clusters(void **state)
{
    (void)state;
    const float x[] = {1, 1, 1, 5, 5, 1};
    kb_kmeans_options options = kb_kmeans_defaults(4);
    kb_kmeans km;
    assert_int_equal(kb_kmeans_fit(&km, kb_const_matrix_of(x, 6, 1), &options, NULL, NULL, NULL),
                     KB_OK);
    assert_true(km.inertia == 0);
    assert_int_equal(km.labels[0], km.labels[5]);
    assert_int_equal(km.labels[3], km.labels[4]);
    assert_int_not_equal(km.labels[0], km.labels[3]);
    check_result(&km, x, 6);
    for (size_t k = 0; k < 4; k++)
        assert_true(isfinite(km.centroids[k]));
    kb_kmeans_clear(&km);
}

static void each_point_its_own_cluster(void **state)
{
    (void)state;
    float *x = make_points(12, 7, 2, 1);
    kb_kmeans_options options = kb_kmeans_defaults(12);
    kb_kmeans km;
    assert_int_equal(kb_kmeans_fit(&km, kb_const_matrix_of(x, 12, 7), &options, NULL, NULL, NULL),
                     KB_OK);
    for (size_t k = 0; k < 12; k++)
        assert_int_equal(km.sizes[k], 1);
    assert_true(km.inertia == 0);
    kb_kmeans_clear(&km);
    free(x);
}

static void numbers_of_any_scale_cluster_alike(void **state)
{
    (void)state;
    static const float scales[] = {1, 0x1p-90F, 0x1p90F};
    enum { N = 120, D = 12 };
    float *x = make_points(N, D, 4, 3), scaled[N * D];
    kb_kmeans first = {0};
    for (size_t s = 0; s < 3; s++) {
        for (size_t i = 0; i < N * D; i++)
            scaled[i] = x[i] * scales[s];
        kb_kmeans_options options = kb_kmeans_defaults(6);
        kb_kmeans km;
        assert_int_equal(
            kb_kmeans_fit(&km, kb_const_matrix_of(scaled, N, D), &options, NULL, NULL, NULL),
            KB_OK);
        if (s)
            assert_memory_equal(km.labels, first.labels, N * sizeof *km.labels);
        if (s) {
            kb_kmeans_clear(&km);
            continue;
        }
        first = km;
    }
    kb_kmeans_clear(&first);
    free(x);
}

static void ties_go_to_the_lower_number(void **state)
{
    (void)state;
    const float x[] = {-0x1p-20F, 0, 0x1p-20F, 0, 5}, centroids[] = {-1, 1, -1};
    const uint32_t expected[] = {0, 0, 1, 0, 1};
    uint32_t labels[5];
    double d2[5];
    kb_nearest(kb_const_matrix_of(x, 5, 1), kb_const_matrix_of(centroids, 3, 1), labels, d2);
    assert_memory_equal(labels, expected, sizeof expected);
    assert_true(d2[1] == 1 && d2[4] == 16);
}

/* A multiple of 1 / STEPS in -1 .. 1. */
static float grid_value(kb_rng *rng, uint64_t steps)
{
    return ((float)kb_rng_below(rng, 2 * steps + 1) - (float)steps) / (float)steps;
}

/* Two centroids so near to each other that products in float put some points on the wrong side. One
 * step must move them to the means of the right sides. Points come in opposite pairs on a grid, so
 * that centring and scaling them is exact. */
static void near_ties_are_decided_exactly(void **state)
{
    (void)state;
    enum { N = 512, D = 100 };
    float *x = malloc(N * D * sizeof *x), init[2 * D];
    double sums[2 * D] = {0}, counts[2] = {0};
    uint32_t labels[N];
    kb_rng rng = kb_rng_start(3, KB_STREAM_TEST);
    for (size_t f = 0; f < D; f++) {
        init[f] = grid_value(&rng, 1 << 12);
        init[D + f] = init[f] + grid_value(&rng, 4) * 0x1p-20F;
    }
    for (size_t i = 0; i < N * D; i++)
        x[i] = i / D % 2 ? -x[i - D] : grid_value(&rng, 1 << 8);
    kb_nearest(kb_const_matrix_of(x, N, D), kb_const_matrix_of(init, 2, D), labels, NULL);
    for (size_t i = 0; i < N; i++) {
        counts[labels[i]]++;
        for (size_t f = 0; f < D; f++)
            sums[labels[i] * D + f] += x[i * D + f];
    }
    kb_kmeans_options options = kb_kmeans_defaults(2);
    options.init = kb_const_matrix_of(init, 2, D);
    options.max_iterations = 1;
    kb_kmeans km;
    assert_int_equal(kb_kmeans_fit(&km, kb_const_matrix_of(x, N, D), &options, NULL, NULL, NULL),
                     KB_OK);
    for (size_t i = 0; i < 2 * D; i++)
        assert_true(fabs(km.centroids[i] - sums[i] / counts[i / D]) < 1e-6);
    kb_kmeans_clear(&km);
    free(x);
}

static void views_with_a_stride_are_read_by_rows(void **state)
{
    (void)state;
    enum { PAD = 5 };
    float *wide = malloc(KMEANS_N * (KMEANS_D + PAD) * sizeof *wide);
    for (size_t i = 0; i < KMEANS_N; i++)
        for (size_t f = 0; f < KMEANS_D + PAD; f++)
            wide[i * (KMEANS_D + PAD) + f] = f < KMEANS_D ? kmeans_x[i * KMEANS_D + f] : 1e30F;
    kb_kmeans_options options = kb_kmeans_defaults(KMEANS_K);
    kb_kmeans plain, strided;
    kb_const_matrix view = {wide, KMEANS_N, KMEANS_D, KMEANS_D + PAD};
    assert_int_equal(kb_kmeans_fit(&plain, fixture(), &options, NULL, NULL, NULL), KB_OK);
    assert_int_equal(kb_kmeans_fit(&strided, view, &options, NULL, NULL, NULL), KB_OK);
    assert_memory_equal(plain.labels, strided.labels, sizeof kmeans_labels);
    assert_true(plain.inertia == strided.inertia);
    kb_kmeans_clear(&plain);
    kb_kmeans_clear(&strided);
    free(wide);
}

static void bad_options_are_told_by_name(void **state)
{
    (void)state;
    kb_error err;
    kb_kmeans km;
    kb_kmeans_options options = kb_kmeans_defaults(KMEANS_N + 1);
    assert_int_equal(kb_kmeans_fit(&km, fixture(), &options, NULL, NULL, &err), KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "clusters: 241"));
    options.clusters = 0;
    assert_int_equal(kb_kmeans_fit(&km, fixture(), &options, NULL, NULL, &err), KB_ERR_USAGE);
    options = kb_kmeans_defaults(3);
    options.tolerance = -1;
    assert_int_equal(kb_kmeans_fit(&km, fixture(), &options, NULL, NULL, &err), KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "tolerance"));
    options = kb_kmeans_defaults(3);
    options.init = fixture();
    assert_int_equal(kb_kmeans_fit(&km, fixture(), &options, NULL, NULL, &err), KB_ERR_USAGE);
    const float bad[] = {1, 2, NAN, 3};
    options = kb_kmeans_defaults(2);
    assert_int_equal(kb_kmeans_fit(&km, kb_const_matrix_of(bad, 4, 1), &options, NULL, NULL, &err),
                     KB_ERR_NUMERIC);
    assert_non_null(strstr(err.text, "point 3"));
    assert_null(km.centroids);
}

static void a_raised_flag_stops_it(void **state)
{
    (void)state;
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    kb_kmeans_options options = kb_kmeans_defaults(4);
    kb_kmeans km;
    assert_int_equal(kb_kmeans_fit(&km, fixture(), &options, NULL, &progress, NULL),
                     KB_ERR_CANCELLED);
    assert_null(km.labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_given_start_ends_where_scikit_learn_ends),
        cmocka_unit_test(restarts_find_what_scikit_learn_finds),
        cmocka_unit_test(labels_are_nearest_and_no_cluster_is_empty),
        cmocka_unit_test(threads_do_not_change_the_result),
        cmocka_unit_test(coincident_starts_are_reseeded),
        cmocka_unit_test(fewer_distinct_points_than_clusters),
        cmocka_unit_test(each_point_its_own_cluster),
        cmocka_unit_test(numbers_of_any_scale_cluster_alike),
        cmocka_unit_test(ties_go_to_the_lower_number),
        cmocka_unit_test(near_ties_are_decided_exactly),
        cmocka_unit_test(views_with_a_stride_are_read_by_rows),
        cmocka_unit_test(bad_options_are_told_by_name),
        cmocka_unit_test(a_raised_flag_stops_it),
    };
    return cmocka_run_group_tests_name("kmeans", tests, NULL, NULL);
}
