/* tsne, pca: affinities, gradient and components against scikit-learn; layouts that keep
 * neighbours; edge cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "map.inc"
#include "pca.h"
#include "points.h"
#include "rng.h"
#include "tsne.h"
#include "tsne.inc"

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g instead of %.17g", value, expected);
}

static void affinities_are_those_of_scikit_learn(void **state)
{
    (void)state;
    float p[TSNE_N * TSNE_N];
    assert_int_equal(kb_tsne_affinities(p, tsne_d2, TSNE_N, 10, NULL), KB_OK);
    double total = 0;
    for (size_t i = 0; i < TSNE_N * TSNE_N; i++) {
        /* scikit-learn stops its bisection at an entropy within 1e-5, which shows in small p. */
        assert_near(p[i], tsne_p[i], 1e-3 * tsne_p[i] + 1e-10);
        assert_near(p[i], tsne_p_exact[i], 1e-6 * tsne_p_exact[i] + 1e-12);
        assert_true(p[i] == p[i % TSNE_N * TSNE_N + i / TSNE_N]);
        total += p[i];
    }
    assert_near(total, 1, 1e-6);
}

static void affinities_in_place(void **state)
{
    (void)state;
    float apart[TSNE_N * TSNE_N], same[TSNE_N * TSNE_N];
    memcpy(same, tsne_d2, sizeof same);
    assert_int_equal(kb_tsne_affinities(apart, tsne_d2, TSNE_N, 7.5, NULL), KB_OK);
    assert_int_equal(kb_tsne_affinities(same, same, TSNE_N, 7.5, NULL), KB_OK);
    assert_memory_equal(apart, same, sizeof same);
}

/* Distances of zero, of any scale, and perplexities that no beta reaches. */
static void affinities_are_finite_whatever_the_distances(void **state)
{
    (void)state;
    enum { N = 12 };
    const double perplexities[] = {1, 3, 8, 11};
    const float scales[] = {0, 1e-30F, 1, 1e30F};
    for (size_t s = 0; s < 4; s++) {
        for (size_t q = 0; q < 4; q++) {
            float d2[N * N], p[N * N];
            for (size_t i = 0; i < N * N; i++) {
                float difference = (float)(i / N / 3) - (float)(i % N / 3); /* each point thrice */
                d2[i] = difference * difference * scales[s];
            }
            assert_int_equal(kb_tsne_affinities(p, d2, N, perplexities[q], NULL), KB_OK);
            double total = 0;
            for (size_t i = 0; i < N * N; i++) {
                assert_true(p[i] >= 0 && p[i] <= 1);
                total += p[i];
            }
            assert_near(total, 1, 1e-6);
        }
    }
}

static void perplexity_out_of_range_is_refused(void **state)
{
    (void)state;
    kb_error err;
    float p[TSNE_N * TSNE_N];
    assert_int_equal(kb_tsne_affinities(p, tsne_d2, TSNE_N, TSNE_N, &err), KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "perplexity: 41"));
    assert_int_equal(kb_tsne_affinities(p, tsne_d2, TSNE_N, 0.5, &err), KB_ERR_USAGE);
    assert_int_equal(kb_tsne_affinities(p, tsne_d2, TSNE_N, NAN, &err), KB_ERR_USAGE);
}

static void divergence_and_gradient_are_those_of_scikit_learn(void **state)
{
    (void)state;
    float gradient[2 * TSNE_N];
    double kl = kb_tsne_gradient(gradient, tsne_layout, tsne_p, TSNE_N, NULL);
    assert_near(kl, TSNE_KL, 1e-6);
    for (size_t i = 0; i < 2 * TSNE_N; i++)
        assert_near(gradient[i], tsne_gradient[i], 1e-7);
}

/* KL by its definition, at a layout in double. */
static double plain_divergence(const double *y, const float *p, size_t n)
{
    double z = 0, kl = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < n; j++) {
                double dx = y[2 * i] - y[2 * j], dy = y[2 * i + 1] - y[2 * j + 1];
                double w = 1 / (1 + dx * dx + dy * dy), pij = (double)p[i * n + j];
                if (i == j)
                    continue;
                if (pass == 0)
                    z += w;
                else if (pij > 0)
                    kl += pij * log(pij / (w / z));
            }
        }
    }
    return kl;
}

/* Signed, so that a gradient that points the wrong way fails. */
static void gradient_agrees_with_central_differences(void **state)
{
    (void)state;
    float gradient[2 * TSNE_N];
    double y[2 * TSNE_N], greatest = 0;
    kb_tsne_gradient(gradient, tsne_layout, tsne_p, TSNE_N, NULL);
    for (size_t i = 0; i < 2 * TSNE_N; i++)
        y[i] = tsne_layout[i];
    for (size_t i = 0; i < 2 * TSNE_N; i++) {
        const double h = 1e-5, kept = y[i];
        y[i] = kept + h;
        double up = plain_divergence(y, tsne_p, TSNE_N);
        y[i] = kept - h;
        double down = plain_divergence(y, tsne_p, TSNE_N);
        y[i] = kept;
        assert_near(gradient[i], (up - down) / (2 * h), 1e-6);
        greatest = fmax(greatest, fabs((up - down) / (2 * h)));
    }
    assert_true(greatest > 1e-3);
}

static void components_are_those_of_scikit_learn(void **state)
{
    (void)state;
    float centred[TSNE_N * TSNE_D];
    double mean[TSNE_D], scores[2 * TSNE_N];
    int e = kb_points_centre(centred, mean, kb_const_matrix_of(tsne_x, TSNE_N, TSNE_D));
    assert_int_equal(kb_pca2(scores, kb_const_matrix_of(centred, TSNE_N, TSNE_D), NULL, NULL, NULL),
                     KB_OK);
    for (size_t i = 0; i < 2 * TSNE_N; i++)
        assert_near(ldexp(scores[i], e), tsne_components[i], 1e-4);
}

/* Points spread along one axis after another: the greatest loading is that axis's, so the scores
 * must rise with it. */
static void components_have_their_greatest_loading_positive(void **state)
{
    (void)state;
    enum { N = 20, D = 10 };
    for (size_t axis = 0; axis < D; axis++) {
        float x[N * D] = {0};
        double scores[2 * N];
        for (size_t i = 0; i < N; i++)
            x[i * D + axis] = (float)i / N - (N - 1) / 2.0F / N;
        assert_int_equal(kb_pca2(scores, kb_const_matrix_of(x, N, D), NULL, NULL, NULL), KB_OK);
        for (size_t i = 0; i < N; i++) {
            assert_near(scores[2 * i], x[i * D + axis], 1e-9);
            assert_true(scores[2 * i + 1] == 0);
        }
    }
}

/* N points in GROUPS blobs, 12 deviations apart. */
static float *make_blobs(size_t n, size_t d, size_t groups)
{
    float *x = malloc(n * d * sizeof *x);
    kb_rng rng = kb_rng_start(8, KB_STREAM_TEST);
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < d; f++)
            x[i * d + f] = (f % groups == i % groups ? 6.0F : 0.0F) + kb_rng_normal(&rng);
    return x;
}

/* The share of points whose nearest neighbour in LAYOUT is of their own blob. */
static double kept_neighbours(const float *layout, size_t n, size_t groups)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        size_t nearest = i;
        float least = INFINITY;
        for (size_t j = 0; j < n; j++) {
            float dx = layout[2 * i] - layout[2 * j], dy = layout[2 * i + 1] - layout[2 * j + 1];
            if (j != i && dx * dx + dy * dy < least) {
                least = dx * dx + dy * dy;
                nearest = j;
            }
        }
        kept += nearest % groups == i % groups;
    }
    return (double)kept / (double)n;
}

static void assert_finite_and_centred(const float *layout, size_t n)
{
    double mean[2] = {0}, greatest = 0;
    for (size_t i = 0; i < 2 * n; i++) {
        assert_true(isfinite(layout[i]));
        mean[i % 2] += layout[i] / (double)n;
        greatest = fmax(greatest, fabs(layout[i]));
    }
    assert_near(mean[0], 0, 1e-5 * greatest);
    assert_near(mean[1], 0, 1e-5 * greatest);
}

static void blobs_keep_their_neighbours(void **state)
{
    (void)state;
    enum { N = 300, D = 12, GROUPS = 3 };
    float *x = make_blobs(N, D, GROUPS), layout[2 * N];
    kb_tsne_options options = kb_tsne_defaults();
    double kl;
    assert_int_equal(kb_tsne(layout, &kl, kb_const_matrix_of(x, N, D), &options, NULL, NULL, NULL),
                     KB_OK);
    assert_true(kept_neighbours(layout, N, GROUPS) >= 0.99);
    assert_finite_and_centred(layout, N);
    assert_true(kl > 0 && kl < 1);
    free(x);
}

/* Ranks of all other points by their distance from point I. */
static void rank_others(size_t *rank, const float *x, size_t n, size_t d, size_t i)
{
    double d2[MAP_N];
    for (size_t j = 0; j < n; j++)
        d2[j] = kb_point_distance2(x + i * d, x + j * d, d);
    for (size_t j = 0; j < n; j++) {
        rank[j] = 0;
        for (size_t l = 0; l < n && j != i; l++)
            rank[j] += l != i && (d2[l] < d2[j] || (d2[l] == d2[j] && l <= j));
    }
}

/* Venna and Kaski 2001: 1 less what points are worth that are among the K nearest in the layout and
 * not in the data. */
static double trustworthiness(const float *layout, size_t k)
{
    double lost = 0, n = MAP_N;
    for (size_t i = 0; i < MAP_N; i++) {
        size_t data[MAP_N], map[MAP_N];
        rank_others(data, map_x, MAP_N, MAP_D, i);
        rank_others(map, layout, MAP_N, 2, i);
        for (size_t j = 0; j < MAP_N; j++)
            lost += j != i && map[j] <= k && data[j] > k ? (double)(data[j] - k) : 0;
    }
    return 1 - lost * 2 / (n * (double)k * (2 * n - 3 * (double)k - 1));
}

static void trustworthiness_is_measured_as_scikit_learn_does(void **state)
{
    (void)state;
    assert_near(trustworthiness(map_layout, 10), MAP_TRUST_BARNES_HUT, 1e-6);
}

/* Exactly, and through neighbours and a quadtree: as good as scikit-learn's best of a few seeds in
 * the same number of iterations. */
static void maps_are_as_good_as_those_of_scikit_learn(void **state)
{
    (void)state;
    const double expected[2][2] = {{MAP_KL_EXACT, MAP_TRUST_EXACT},
                                   {MAP_KL_BARNES_HUT, MAP_TRUST_BARNES_HUT}};
    for (size_t method = 0; method < 2; method++) {
        float layout[2 * MAP_N];
        double kl;
        kb_tsne_options options = kb_tsne_defaults();
        options.exact_most = method ? 0 : MAP_N;
        options.perplexity = 20; /* 61 neighbours are fewer than a quarter of all */
        assert_int_equal(kb_tsne(layout, &kl, kb_const_matrix_of(map_x, MAP_N, MAP_D), &options,
                                 NULL, NULL, NULL),
                         KB_OK);
        assert_true(kl <= 1.02 * expected[method][0]);
        assert_true(trustworthiness(layout, 10) >= expected[method][1] - 0.003);
    }
}

/* Exactly, and through neighbours and a quadtree. */
static void threads_do_not_change_the_layout(void **state)
{
    (void)state;
    enum { N = 157, D = 9 };
    float *x = make_blobs(N, D, 3), first[2 * N], layout[2 * N];
    kb_const_matrix points = kb_const_matrix_of(x, N, D);
    kb_tsne_options options = kb_tsne_defaults();
    options.iterations = 100;
    options.perplexity = 12;
    for (options.exact_most = 0; options.exact_most <= N; options.exact_most += N) {
        double first_kl, kl;
        assert_int_equal(kb_tsne(first, &first_kl, points, &options, NULL, NULL, NULL), KB_OK);
        for (size_t threads = 2; threads <= 3; threads++) {
            kb_pool *pool;
            assert_int_equal(kb_pool_create(&pool, threads, NULL), KB_OK);
            assert_int_equal(kb_tsne(layout, &kl, points, &options, pool, NULL, NULL), KB_OK);
            assert_memory_equal(layout, first, sizeof first);
            assert_true(kl == first_kl);
            kb_pool_free(pool);
        }
    }
    free(x);
}

static void one_to_five_points(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 0, -3, 2, 8, 8};
    float layout[10];
    kb_tsne_options options = kb_tsne_defaults();
    for (size_t n = 1; n <= 5; n++) {
        assert_int_equal(
            kb_tsne(layout, NULL, kb_const_matrix_of(x, n, 2), &options, NULL, NULL, NULL), KB_OK);
        assert_finite_and_centred(layout, n);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < i; j++)
                assert_true(layout[2 * i] != layout[2 * j] ||
                            layout[2 * i + 1] != layout[2 * j + 1]);
    }
    assert_int_equal(kb_tsne(layout, NULL, kb_const_matrix_of(x, 1, 2), &options, NULL, NULL, NULL),
                     KB_OK);
    assert_true(layout[0] == 0 && layout[1] == 0);
}

static void identical_points_part(void **state)
{
    (void)state;
    enum { N = 40 };
    float x[N * 3], layout[2 * N];
    for (size_t i = 0; i < N * 3; i++)
        x[i] = 7;
    kb_tsne_options options = kb_tsne_defaults();
    assert_int_equal(kb_tsne(layout, NULL, kb_const_matrix_of(x, N, 3), &options, NULL, NULL, NULL),
                     KB_OK);
    assert_finite_and_centred(layout, N);
    for (size_t i = 1; i < N; i++)
        assert_true(layout[2 * i] != layout[0] || layout[2 * i + 1] != layout[1]);
}

static void points_on_a_line_use_both_axes(void **state)
{
    (void)state;
    enum { N = 60 };
    float x[N], layout[2 * N], widest = 0;
    for (size_t i = 0; i < N; i++)
        x[i] = (float)i;
    kb_tsne_options options = kb_tsne_defaults();
    assert_int_equal(kb_tsne(layout, NULL, kb_const_matrix_of(x, N, 1), &options, NULL, NULL, NULL),
                     KB_OK);
    assert_finite_and_centred(layout, N);
    for (size_t i = 0; i < N; i++)
        widest = fmaxf(widest, fabsf(layout[2 * i + 1]));
    assert_true(widest > 0.1F);
}

static void extreme_values_and_rates_stay_finite(void **state)
{
    (void)state;
    enum { N = 50, D = 4 };
    float *x = make_blobs(N, D, 2), layout[2 * N];
    for (size_t i = 0; i < N * D; i++)
        x[i] *= i % D ? 1e37F : 1e-30F;
    x[0] = -3e38F;
    kb_tsne_options options = kb_tsne_defaults();
    assert_int_equal(kb_tsne(layout, NULL, kb_const_matrix_of(x, N, D), &options, NULL, NULL, NULL),
                     KB_OK);
    assert_finite_and_centred(layout, N);
    options.learning_rate = 1e30;
    options.exaggeration = 1e10;
    double kl;
    assert_int_equal(kb_tsne(layout, &kl, kb_const_matrix_of(x, N, D), &options, NULL, NULL, NULL),
                     KB_OK);
    assert_true(isfinite(kl));
    for (size_t i = 0; i < 2 * N; i++)
        assert_true(isfinite(layout[i]));
    free(x);
}

struct watch {
    size_t calls, last;
    atomic_bool *cancel;
    size_t cancel_at;
};

static void watch_snapshot(void *ctx, const float *layout, size_t iteration)
{
    struct watch *watch = ctx;
    assert_true(isfinite(layout[0]));
    watch->calls++;
    watch->last = iteration;
    if (iteration == watch->cancel_at)
        atomic_store(watch->cancel, true);
}

static void snapshots_come_as_asked_and_a_raised_flag_stops_it(void **state)
{
    (void)state;
    enum { N = 50, D = 4 };
    float *x = make_blobs(N, D, 2), layout[2 * N];
    atomic_bool cancel = false;
    struct watch watch = {.cancel = &cancel};
    kb_progress progress = {.cancel = &cancel};
    kb_tsne_options options = kb_tsne_defaults();
    options.iterations = 60;
    options.snapshot = watch_snapshot;
    options.ctx = &watch;
    options.report_every = 25;
    assert_int_equal(
        kb_tsne(layout, NULL, kb_const_matrix_of(x, N, D), &options, NULL, &progress, NULL), KB_OK);
    assert_int_equal(watch.calls, 2);
    assert_int_equal(watch.last, 50);
    watch = (struct watch){.cancel = &cancel, .cancel_at = 25};
    assert_int_equal(
        kb_tsne(layout, NULL, kb_const_matrix_of(x, N, D), &options, NULL, &progress, NULL),
        KB_ERR_CANCELLED);
    assert_int_equal(watch.calls, 1);
    free(x);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    const float x[] = {1, 2, INFINITY, 4, 5};
    float layout[10];
    kb_error err;
    kb_tsne_options options = kb_tsne_defaults();
    assert_int_equal(kb_tsne(layout, NULL, kb_const_matrix_of(x, 5, 1), &options, NULL, NULL, &err),
                     KB_ERR_NUMERIC);
    assert_non_null(strstr(err.text, "point 3"));
    assert_int_equal(kb_tsne(layout, NULL, kb_const_matrix_of(x, 0, 1), &options, NULL, NULL, &err),
                     KB_ERR_USAGE);
    assert_int_equal(kb_tsne(layout, NULL, kb_const_matrix_of(x, KB_TSNE_MOST_POINTS + 1, 1),
                             &options, NULL, NULL, &err),
                     KB_ERR_USAGE);
    options.perplexity = 5;
    assert_int_equal(kb_tsne(layout, NULL, kb_const_matrix_of(x, 2, 1), &options, NULL, NULL, &err),
                     KB_OK);
    const float good[] = {1, 2, 3, 4, 5};
    assert_int_equal(
        kb_tsne(layout, NULL, kb_const_matrix_of(good, 5, 1), &options, NULL, NULL, &err),
        KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "perplexity: 5"));
    options = kb_tsne_defaults();
    options.exaggeration = 0.5;
    assert_int_equal(
        kb_tsne(layout, NULL, kb_const_matrix_of(good, 5, 1), &options, NULL, NULL, &err),
        KB_ERR_USAGE);
    options = kb_tsne_defaults();
    options.theta = -1;
    assert_int_equal(
        kb_tsne(layout, NULL, kb_const_matrix_of(good, 5, 1), &options, NULL, NULL, &err),
        KB_ERR_USAGE);
    options = kb_tsne_defaults();
    options.exact_most = KB_TSNE_MOST_EXACT + 1;
    assert_int_equal(
        kb_tsne(layout, NULL, kb_const_matrix_of(good, 5, 1), &options, NULL, NULL, &err),
        KB_ERR_USAGE);
    options = kb_tsne_defaults();
    options.learning_rate = -1;
    assert_int_equal(
        kb_tsne(layout, NULL, kb_const_matrix_of(good, 5, 1), &options, NULL, NULL, &err),
        KB_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(affinities_are_those_of_scikit_learn),
        cmocka_unit_test(affinities_in_place),
        cmocka_unit_test(affinities_are_finite_whatever_the_distances),
        cmocka_unit_test(perplexity_out_of_range_is_refused),
        cmocka_unit_test(divergence_and_gradient_are_those_of_scikit_learn),
        cmocka_unit_test(gradient_agrees_with_central_differences),
        cmocka_unit_test(components_are_those_of_scikit_learn),
        cmocka_unit_test(components_have_their_greatest_loading_positive),
        cmocka_unit_test(blobs_keep_their_neighbours),
        cmocka_unit_test(trustworthiness_is_measured_as_scikit_learn_does),
        cmocka_unit_test(maps_are_as_good_as_those_of_scikit_learn),
        cmocka_unit_test(threads_do_not_change_the_layout),
        cmocka_unit_test(one_to_five_points),
        cmocka_unit_test(identical_points_part),
        cmocka_unit_test(points_on_a_line_use_both_axes),
        cmocka_unit_test(extreme_values_and_rates_stay_finite),
        cmocka_unit_test(snapshots_come_as_asked_and_a_raised_flag_stops_it),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests_name("tsne", tests, NULL, NULL);
}
