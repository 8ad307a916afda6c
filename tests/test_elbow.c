/* elbow: the rules by hand-made tables, the table on planted groups, DEC's centroids as a start,
 * edge cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elbow.h"
#include "kmeans.h"
#include "quality.h"
#include "rng.h"
#include "ward.h"

enum { N = 200, D = 6, GROUPS = 5 };

/* GROUPS far apart corners with N / GROUPS points each. */
static void make_groups(float *x)
{
    kb_rng rng = kb_rng_start(11, KB_STREAM_TEST);
    for (size_t i = 0; i < N; i++)
        for (size_t f = 0; f < D; f++)
            x[i * D + f] = (f == i % GROUPS ? 20.0F : 0.0F) + kb_rng_normal(&rng);
}

static kb_elbow_options range(size_t kmin, size_t kmax)
{
    return (kb_elbow_options){.kmin = kmin, .kmax = kmax, .seed = 1};
}

static void planted_groups_are_counted(void **state)
{
    (void)state;
    float x[N * D];
    make_groups(x);
    kb_const_matrix view = kb_const_matrix_of(x, N, D);
    kb_elbow_options options = range(2, 12);
    kb_elbow e;
    assert_int_equal(kb_elbow_run(&e, view, &options, NULL, NULL, NULL), KB_OK);
    assert_int_equal(e.count, 11);
    assert_int_equal(kb_elbow_chosen(&e), GROUPS);
    assert_int_equal(e.best_silhouette, GROUPS);
    assert_int_equal(e.best_davies_bouldin, GROUPS);
    assert_int_equal(e.knee, GROUPS);
    size_t chosen = 0;
    for (size_t i = 0; i < e.count; i++) {
        chosen += e.rows[i].chosen;
        assert_int_equal(e.rows[i].k, i + 2);
        assert_true(!i || e.rows[i].inertia < e.rows[i - 1].inertia);
    }
    assert_int_equal(chosen, 1);
    kb_elbow_clear(&e);
}

static kb_mean_indices indices_of(kb_const_matrix x, const uint32_t *labels, size_t k)
{
    kb_mean_indices indices;
    assert_int_equal(kb_mean_indices_of(&indices, x, labels, k, NULL), KB_OK);
    return indices;
}

static void each_row_is_the_clustering_at_its_k(void **state)
{
    (void)state;
    float x[N * D];
    make_groups(x);
    kb_const_matrix view = kb_const_matrix_of(x, N, D);
    kb_elbow_options options = range(3, 7);
    kb_pool *pool;
    kb_elbow e;
    assert_int_equal(kb_pool_create(&pool, 2, NULL), KB_OK);
    assert_int_equal(kb_elbow_run(&e, view, &options, pool, NULL, NULL), KB_OK);
    for (size_t i = 0; i < e.count; i++) {
        kb_kmeans km;
        size_t k = e.rows[i].k;
        assert_int_equal(kb_elbow_kmeans(&km, view, k, &options, NULL, NULL, NULL), KB_OK);
        assert_true(e.rows[i].inertia == km.inertia);
        assert_true(e.rows[i].silhouette == kb_silhouette(view, km.labels, k, NULL, NULL));
        kb_mean_indices indices = indices_of(view, km.labels, k);
        assert_true(e.rows[i].davies_bouldin == indices.davies_bouldin);
        assert_true(e.rows[i].calinski_harabasz == indices.calinski_harabasz);
        kb_kmeans_clear(&km);
    }
    kb_elbow_clear(&e);
    kb_pool_free(pool);
}

static void choose(kb_elbow *e, kb_elbow_row *rows, size_t count)
{
    *e = (kb_elbow){.rows = rows, .count = count};
    for (size_t i = 0; i < count; i++) {
        rows[i].joint = rows[i].silhouette;
        rows[i].stability = (double)NAN;
    }
    kb_elbow_choose(e);
}

static void the_largest_k_near_the_best_silhouette_is_chosen(void **state)
{
    (void)state;
    kb_elbow_row rows[] = {
        {.k = 2, .silhouette = 0.10, .davies_bouldin = 3, .inertia = 100, .smallest = 4},
        {.k = 3, .silhouette = 0.50, .davies_bouldin = 2, .inertia = 40, .smallest = 4},
        {.k = 4, .silhouette = 0.4985, .davies_bouldin = 1, .inertia = 25, .smallest = 4},
        {.k = 5, .silhouette = 0.4975, .davies_bouldin = 1, .inertia = 20, .smallest = 4},
        {.k = 6, .silhouette = 0.30, .davies_bouldin = 2, .inertia = 18, .smallest = 4},
    };
    kb_elbow e;
    choose(&e, rows, 5);
    assert_int_equal(kb_elbow_chosen(&e), 4); /* .4975 misses .5 - .005 * .4 */
    assert_int_equal(e.best_silhouette, 3);
    rows[2].smallest = 1;
    kb_elbow_choose(&e);
    assert_int_equal(kb_elbow_chosen(&e), 3); /* a cluster of one at k = 4 */
    assert_int_equal(e.best_davies_bouldin, 4);
    assert_int_equal(
        e.knee, 3); /* the chord is at 79.5 there and at 59 at k = 4: 39.5 and 34 above the curve */
}

static void undefined_silhouettes_are_passed_over(void **state)
{
    (void)state;
    kb_elbow_row rows[] = {
        {.k = 3, .silhouette = NAN, .davies_bouldin = NAN, .inertia = 5},
        {.k = 4, .silhouette = 0.2, .davies_bouldin = NAN, .inertia = 5},
        {.k = 5, .silhouette = 0.4, .davies_bouldin = 1, .inertia = 5},
    };
    kb_elbow e;
    choose(&e, rows, 3);
    assert_int_equal(kb_elbow_chosen(&e), 5);
    assert_int_equal(e.best_davies_bouldin, 5);
    assert_int_equal(e.knee, 3);
    rows[1].silhouette = rows[2].silhouette = rows[2].davies_bouldin = NAN;
    choose(&e, rows, 3);
    assert_int_equal(kb_elbow_chosen(&e), 3);
    assert_int_equal(e.best_silhouette, 3);
    assert_int_equal(e.best_davies_bouldin, 3);
}

static void identical_points_choose_kmin(void **state)
{
    (void)state;
    float x[40] = {0};
    kb_elbow_options options = range(3, 6);
    kb_elbow e;
    assert_int_equal(kb_elbow_run(&e, kb_const_matrix_of(x, 20, 2), &options, NULL, NULL, NULL),
                     KB_OK);
    assert_int_equal(kb_elbow_chosen(&e), 3);
    assert_true(isnan(e.rows[0].silhouette));
    kb_elbow_clear(&e);
}

static void k_is_cut_to_the_number_of_points(void **state)
{
    (void)state;
    const float x[] = {0, 1, 10, 11, 30};
    kb_elbow_options options = range(2, 20);
    kb_elbow e;
    assert_int_equal(kb_elbow_run(&e, kb_const_matrix_of(x, 5, 1), &options, NULL, NULL, NULL),
                     KB_OK);
    assert_int_equal(e.count, 3);
    assert_int_equal(e.rows[2].k, 4);
    kb_elbow_clear(&e);
    options = range(8, 20);
    assert_int_equal(kb_elbow_run(&e, kb_const_matrix_of(x, 5, 1), &options, NULL, NULL, NULL),
                     KB_OK);
    assert_int_equal(e.count, 1);
    assert_int_equal(kb_elbow_chosen(&e), 4);
    kb_elbow_clear(&e);
}

/* Two centroids in each group: merged to GROUPS, each start is the mean of a pair. */
static void given_centroids_are_merged_to_start(void **state)
{
    (void)state;
    float x[N * D];
    make_groups(x);
    kb_const_matrix view = kb_const_matrix_of(x, N, D);
    double weights[2 * GROUPS];
    for (size_t i = 0; i < 2 * GROUPS; i++)
        weights[i] = 1 + (double)(i % 3);
    kb_elbow_options options = range(2, 12);
    options.centroids =
        kb_const_matrix_of(x, 2 * GROUPS, D); /* rows i and i + GROUPS: same group */
    options.weights = weights;

    float merged[GROUPS * D];
    kb_kmeans_options plain = kb_kmeans_defaults(GROUPS);
    plain.init = kb_const_matrix_of(merged, GROUPS, D);
    assert_int_equal(kb_ward_merge(options.centroids, weights, GROUPS,
                                   kb_matrix_of(merged, GROUPS, D), NULL, NULL),
                     KB_OK);
    kb_kmeans from_merged, from_options;
    assert_int_equal(kb_kmeans_fit(&from_merged, view, &plain, NULL, NULL, NULL), KB_OK);
    assert_int_equal(kb_elbow_kmeans(&from_options, view, GROUPS, &options, NULL, NULL, NULL),
                     KB_OK);
    assert_memory_equal(from_merged.labels, from_options.labels, N * sizeof(uint32_t));
    for (size_t i = 0; i < N; i++) /* groups are numbered by their lowest member */
        assert_int_equal(from_options.labels[i], i % GROUPS);
    kb_kmeans_clear(&from_merged);
    kb_kmeans_clear(&from_options);

    kb_elbow e;
    assert_int_equal(kb_elbow_run(&e, view, &options, NULL, NULL, NULL), KB_OK);
    assert_int_equal(kb_elbow_chosen(&e), GROUPS);
    assert_int_equal(e.rows[e.count - 1].k, 12); /* more than the centroids: K-means++ */
    kb_elbow_clear(&e);
}

/* Three groups on a line: ten points each in two of them, two in the third, of which the support
 * has ten more. */
enum { SEEN = 22, MORE = 30 };

static void make_line(float *seen, float *more)
{
    kb_rng rng = kb_rng_start(12, KB_STREAM_TEST);
    for (size_t i = 0; i < SEEN; i++)
        seen[i] = (i < 20 ? 40.0F * (float)(i % 2) : 30.0F) + kb_rng_normal(&rng);
    for (size_t i = 0; i < MORE; i++)
        more[i] = (i % 3 < 2 ? 40.0F * (float)(i % 3) : 30.0F) + kb_rng_normal(&rng);
}

static void support_finds_clusters_that_the_points_are_too_few_for(void **state)
{
    (void)state;
    float seen[SEEN], more[MORE];
    make_line(seen, more);
    kb_const_matrix x = kb_const_matrix_of(seen, SEEN, 1);
    kb_elbow_options options = range(2, 6);
    options.support = kb_const_matrix_of(more, MORE, 1);
    kb_elbow e;
    kb_kmeans km;
    assert_int_equal(kb_elbow_run(&e, x, &options, NULL, NULL, NULL), KB_OK);
    assert_int_equal(kb_elbow_chosen(&e), 3);
    assert_int_equal(e.rows[1].smallest, 12);
    assert_int_equal(kb_elbow_kmeans(&km, x, 3, &options, NULL, NULL, NULL), KB_OK);
    assert_int_equal(km.sizes[0] + km.sizes[1] + km.sizes[2], SEEN + MORE);
    double inertia = 0;
    for (size_t i = 0; i < SEEN; i++)
        inertia += pow((double)seen[i] - (double)km.centroids[km.labels[i]], 2);
    assert_float_equal(e.rows[1].inertia, inertia, 1e-4 * inertia);
    assert_true(e.rows[1].silhouette == kb_silhouette(x, km.labels, 3, NULL, NULL));
    assert_true(e.rows[1].davies_bouldin == indices_of(x, km.labels, 3).davies_bouldin);
    assert_true(e.rows[1].joint != e.rows[1].silhouette);
    kb_kmeans_clear(&km);
    kb_elbow_clear(&e);
}

static void clusters_that_are_there_come_back_in_bootstrap_samples(void **state)
{
    (void)state;
    float x[N * D];
    make_groups(x);
    kb_const_matrix view = kb_const_matrix_of(x, N, D);
    kb_elbow_options options = range(2, 12);
    options.bootstraps = 8;
    kb_pool *pool;
    kb_elbow e, again;
    assert_int_equal(kb_pool_create(&pool, 2, NULL), KB_OK);
    assert_int_equal(kb_elbow_run(&e, view, &options, NULL, NULL, NULL), KB_OK);
    assert_int_equal(kb_elbow_run(&again, view, &options, pool, NULL, NULL), KB_OK);
    assert_int_equal(e.most_stable, GROUPS);
    for (size_t i = 0; i < e.count; i++) {
        assert_true(e.rows[i].stability == again.rows[i].stability);
        assert_true(e.rows[i].stability > -.5 && e.rows[i].stability <= 1);
    }
    assert_true(e.rows[GROUPS - 2].stability > .85); /* one start may fall into a lesser optimum */
    assert_true(e.rows[2 * GROUPS - 2].stability < e.rows[GROUPS - 2].stability);
    kb_elbow_clear(&e);
    kb_elbow_clear(&again);
    kb_pool_free(pool);
}

static void bad_ranges_are_told_by_name(void **state)
{
    (void)state;
    const float x[] = {0, 1, 10, 11, 30};
    kb_error err;
    kb_elbow e;
    kb_elbow_options options = range(1, 4);
    assert_int_equal(kb_elbow_run(&e, kb_const_matrix_of(x, 5, 1), &options, NULL, NULL, &err),
                     KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "kmin"));
    options = range(4, 3);
    assert_int_equal(kb_elbow_run(&e, kb_const_matrix_of(x, 5, 1), &options, NULL, NULL, &err),
                     KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "kmax"));
    options = range(2, 3);
    assert_int_equal(kb_elbow_run(&e, kb_const_matrix_of(x, 2, 1), &options, NULL, NULL, &err),
                     KB_ERR_USAGE);
    assert_null(e.rows);
    assert_int_equal(kb_elbow_chosen(&e), 0);
}

static void stop_at_third(void *ctx, const kb_progress_state *at)
{
    assert_string_equal(at->phase, "elbow");
    assert_int_equal(at->total, 11);
    if (at->done == 2)
        atomic_store((atomic_bool *)ctx, true);
}

static void a_raised_flag_stops_it(void **state)
{
    (void)state;
    float x[N * D];
    make_groups(x);
    atomic_bool cancel = false;
    kb_progress progress = {.report = stop_at_third, .ctx = &cancel, .cancel = &cancel};
    kb_elbow_options options = range(2, 12);
    kb_elbow e;
    assert_int_equal(kb_elbow_run(&e, kb_const_matrix_of(x, N, D), &options, NULL, &progress, NULL),
                     KB_ERR_CANCELLED);
    assert_null(e.rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_groups_are_counted),
        cmocka_unit_test(each_row_is_the_clustering_at_its_k),
        cmocka_unit_test(the_largest_k_near_the_best_silhouette_is_chosen),
        cmocka_unit_test(undefined_silhouettes_are_passed_over),
        cmocka_unit_test(identical_points_choose_kmin),
        cmocka_unit_test(k_is_cut_to_the_number_of_points),
        cmocka_unit_test(given_centroids_are_merged_to_start),
        cmocka_unit_test(support_finds_clusters_that_the_points_are_too_few_for),
        cmocka_unit_test(clusters_that_are_there_come_back_in_bootstrap_samples),
        cmocka_unit_test(bad_ranges_are_told_by_name),
        cmocka_unit_test(a_raised_flag_stops_it),
    };
    return cmocka_run_group_tests_name("elbow", tests, NULL, NULL);
}
