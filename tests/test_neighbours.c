/* neighbours, affinity: nearest points and their affinities against scikit-learn and against plain
 * loops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "affinity.h"
#include "map.inc"
#include "neighbours.h"
#include "points.h"
#include "rng.h"

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g instead of %.17g", value, expected);
}

static float *random_points(size_t n, size_t d, uint64_t seed)
{
    float *x = malloc(n * d * sizeof *x);
    kb_rng rng = kb_rng_start(seed, KB_STREAM_TEST);
    for (size_t i = 0; i < n * d; i++)
        x[i] = 0.2F * kb_rng_normal(&rng);
    return x;
}

static void neighbours_are_those_of_scikit_learn(void **state)
{
    (void)state;
    float *centred = malloc(sizeof map_x);
    double mean[MAP_D];
    int e = kb_points_centre(centred, mean, kb_const_matrix_of(map_x, MAP_N, MAP_D));
    kb_const_matrix x = kb_const_matrix_of(centred, MAP_N, MAP_D);
    kb_neighbours near;
    assert_int_equal(kb_neighbours_find(&near, x, x, MAP_K, true, NULL, NULL, NULL), KB_OK);
    assert_memory_equal(near.index, map_neighbours, sizeof map_neighbours);
    for (size_t i = 0; i < MAP_ROWS * MAP_K; i++)
        assert_near(ldexp((double)near.distance2[i], 2 * e), map_distance2[i],
                    1e-6 * map_distance2[i]);
    kb_neighbours_clear(&near);
    free(centred);
}

/* The definition: each distance in double, the lower number first among equals. */
static void assert_nearest(const kb_neighbours *near, kb_const_matrix x, kb_const_matrix points,
                           bool self)
{
    for (size_t i = 0; i < x.rows; i++) {
        double last = -1;
        size_t last_index = 0;
        for (size_t e = 0; e < near->k; e++) { /* the e-th: the least above the one before it */
            double least = INFINITY;
            size_t nearest = SIZE_MAX;
            for (size_t j = 0; j < points.rows; j++) {
                double d2 = kb_point_distance2(kb_const_matrix_row(x, i),
                                               kb_const_matrix_row(points, j), x.cols);
                bool after = d2 > last || (d2 == last && j > last_index);
                if (!(self && i == j) && after && d2 < least) {
                    least = d2;
                    nearest = j;
                }
            }
            assert_int_equal(near->index[i * near->k + e], nearest);
            assert_true(near->distance2[i * near->k + e] == (float)least);
            last = least;
            last_index = nearest;
        }
    }
}

/* Several blocks of queries and tiles of points, neither of them whole. */
static void nothing_is_missed_in_any_number_of_threads(void **state)
{
    (void)state;
    enum { N = 700, M = 2500, D = 11, K = 9 };
    float *x = random_points(N, D, 1), *points = random_points(M, D, 2);
    for (size_t threads = 1; threads <= 3; threads++) {
        kb_pool *pool;
        kb_neighbours near;
        assert_int_equal(kb_pool_create(&pool, threads, NULL), KB_OK);
        kb_const_matrix a = kb_const_matrix_of(x, N, D), b = kb_const_matrix_of(points, M, D);
        assert_int_equal(kb_neighbours_find(&near, a, b, K, false, pool, NULL, NULL), KB_OK);
        assert_nearest(&near, a, b, false);
        kb_neighbours_clear(&near);
        kb_pool_free(pool);
    }
    free(x);
    free(points);
}

/* Where products in float cannot tell points apart, and where doubles cannot either. */
static void ties_go_to_the_lower_number(void **state)
{
    (void)state;
    enum { N = 600, D = 3 };
    float *x = malloc(N * D * sizeof *x);
    for (size_t i = 0; i < N * D; i++)
        x[i] = 0.7F + 1e-7F * (float)(i / D % 5); /* five places, a float apart or two */
    kb_const_matrix points = kb_const_matrix_of(x, N, D);
    for (size_t k = 1; k <= 401; k += 200) {
        kb_neighbours near;
        assert_int_equal(kb_neighbours_find(&near, points, points, k, true, NULL, NULL, NULL),
                         KB_OK);
        assert_nearest(&near, points, points, true);
        kb_neighbours_clear(&near);
    }
    free(x);
}

static void all_others_can_be_asked_for(void **state)
{
    (void)state;
    enum { N = 5, D = 2 };
    float *x = random_points(N, D, 3);
    kb_const_matrix points = kb_const_matrix_of(x, N, D);
    kb_neighbours near;
    assert_int_equal(kb_neighbours_find(&near, points, points, N - 1, true, NULL, NULL, NULL),
                     KB_OK);
    assert_nearest(&near, points, points, true);
    kb_neighbours_clear(&near);
    assert_int_equal(kb_neighbours_find(&near, points, points, N, false, NULL, NULL, NULL), KB_OK);
    assert_nearest(&near, points, points, false);
    kb_neighbours_clear(&near);
    free(x);
}

static void calibration_is_that_of_scikit_learn(void **state)
{
    (void)state;
    for (size_t i = 0; i < MAP_ROWS; i++) {
        float p[MAP_K];
        double scratch[MAP_K], entropy = 0;
        kb_affinity_row(p, scratch, map_distance2 + i * MAP_K, MAP_K, log(10));
        for (size_t e = 0; e < MAP_K; e++) {
            /* scikit-learn stops its bisection at an entropy within 1e-5. */
            assert_near(p[e], map_conditional[i * MAP_K + e], 1e-4 * p[e] + 1e-7);
            entropy -= p[e] > 0 ? p[e] * log(p[e]) : 0;
        }
        assert_near(exp(entropy), 10, 1e-5);
    }
}

/* With all others as neighbours the sparse matrix is the dense one. */
static void sparse_affinities_of_all_are_the_dense_ones(void **state)
{
    (void)state;
    enum { N = 130, D = 5 };
    float *x = random_points(N, D, 4), *p = malloc(N * N * sizeof *p);
    kb_const_matrix points = kb_const_matrix_of(x, N, D);
    for (size_t i = 0; i < N * N; i++)
        p[i] = (float)kb_point_distance2(x + i / N * D, x + i % N * D, D);
    assert_int_equal(kb_affinities_dense(p, N, 20, NULL, NULL, NULL), KB_OK);
    kb_neighbours near;
    kb_sparse sparse;
    assert_int_equal(kb_neighbours_find(&near, points, points, N - 1, true, NULL, NULL, NULL),
                     KB_OK);
    assert_int_equal(kb_affinities_sparse(&sparse, &near, 20, NULL, NULL, NULL), KB_OK);
    assert_int_equal(sparse.begin[N], N * (N - 1));
    for (size_t i = 0; i < N; i++) {
        for (size_t e = sparse.begin[i]; e < sparse.begin[i + 1]; e++) {
            double expected = p[i * N + sparse.column[e]];
            assert_near(sparse.p[e], expected, 1e-5 * expected + 1e-12);
        }
    }
    kb_sparse_clear(&sparse);
    kb_neighbours_clear(&near);
    free(x);
    free(p);
}

static float entry_at(const kb_sparse *s, size_t i, size_t j)
{
    for (size_t e = s->begin[i]; e < s->begin[i + 1]; e++)
        if (s->column[e] == j)
            return s->p[e];
    return 0;
}

static void sparse_affinities_are_symmetric_and_sum_to_one(void **state)
{
    (void)state;
    enum { N = 500, D = 4, K = 31 };
    float *x = random_points(N, D, 5);
    kb_const_matrix points = kb_const_matrix_of(x, N, D);
    kb_neighbours near;
    kb_sparse sparse[2];
    assert_int_equal(kb_neighbours_find(&near, points, points, K, true, NULL, NULL, NULL), KB_OK);
    for (size_t t = 0; t < 2; t++) {
        kb_pool *pool;
        assert_int_equal(kb_pool_create(&pool, 2 * t + 1, NULL), KB_OK);
        assert_int_equal(kb_affinities_sparse(&sparse[t], &near, 10, pool, NULL, NULL), KB_OK);
        kb_pool_free(pool);
    }
    double total = 0;
    for (size_t i = 0; i < N; i++) {
        for (size_t e = sparse[0].begin[i]; e < sparse[0].begin[i + 1]; e++) {
            assert_true(sparse[0].p[e] == entry_at(&sparse[0], sparse[0].column[e], i));
            assert_true(e == sparse[0].begin[i] || sparse[0].column[e - 1] < sparse[0].column[e]);
            total += sparse[0].p[e];
        }
    }
    assert_near(total, 1, 1e-6);
    assert_memory_equal(sparse[0].begin, sparse[1].begin, (N + 1) * sizeof(size_t));
    assert_memory_equal(sparse[0].p, sparse[1].p, sparse[0].begin[N] * sizeof(float));
    kb_sparse_clear(&sparse[0]);
    kb_sparse_clear(&sparse[1]);
    kb_neighbours_clear(&near);
    free(x);
}

static void a_raised_flag_stops_the_search(void **state)
{
    (void)state;
    enum { N = 300, D = 4 };
    float *x = random_points(N, D, 6);
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    kb_const_matrix points = kb_const_matrix_of(x, N, D);
    kb_neighbours near;
    assert_int_equal(kb_neighbours_find(&near, points, points, 5, true, NULL, &progress, NULL),
                     KB_ERR_CANCELLED);
    assert_null(near.index); /* so that nothing is left to free */
    assert_null(near.distance2);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_those_of_scikit_learn),
        cmocka_unit_test(nothing_is_missed_in_any_number_of_threads),
        cmocka_unit_test(ties_go_to_the_lower_number),
        cmocka_unit_test(all_others_can_be_asked_for),
        cmocka_unit_test(calibration_is_that_of_scikit_learn),
        cmocka_unit_test(sparse_affinities_of_all_are_the_dense_ones),
        cmocka_unit_test(sparse_affinities_are_symmetric_and_sum_to_one),
        cmocka_unit_test(a_raised_flag_stops_the_search),
    };
    return cmocka_run_group_tests_name("neighbours", tests, NULL, NULL);
}
