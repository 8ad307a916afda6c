/* scores, hungarian, ward: agreement and AUROC against scikit-learn, assignments and trees against
 * SciPy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "hungarian.h"
#include "rng.h"
#include "scores.h"
#include "scores.inc"
#include "ward.h"

static void assert_near(double value, double expected, const char *what)
{
    if (!(fabs(value - expected) <= 1e-11))
        fail_msg("%s: %.17g instead of %.17g", what, value, expected);
}

static void agreement_is_that_of_scikit_learn(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof agreements / sizeof *agreements; i++) {
        kb_agreement found;
        assert_int_equal(
            kb_agreement_of(&found, agreements[i].a, agreements[i].b, agreements[i].n, NULL),
            KB_OK);
        assert_near(found.accuracy, agreements[i].expected[0], agreements[i].name);
        assert_near(found.nmi, agreements[i].expected[1], agreements[i].name);
        assert_near(found.ami, agreements[i].expected[2], agreements[i].name);
        assert_near(found.ari, agreements[i].expected[3], agreements[i].name);
    }
}

static void agreement_is_symmetric(void **state)
{
    (void)state;
    kb_agreement ab, ba;
    assert_int_equal(kb_agreement_of(&ab, a_noisy, b_noisy, 200, NULL), KB_OK);
    assert_int_equal(kb_agreement_of(&ba, b_noisy, a_noisy, 200, NULL), KB_OK);
    assert_near(ab.accuracy, ba.accuracy, "accuracy");
    assert_near(ab.nmi, ba.nmi, "nmi");
    assert_near(ab.ami, ba.ami, "ami");
    assert_near(ab.ari, ba.ari, "ari");
}

static void no_labels_are_refused(void **state)
{
    (void)state;
    kb_agreement out;
    assert_int_equal(kb_agreement_of(&out, a_noisy, b_noisy, 0, NULL), KB_ERR_USAGE);
}

static void auroc_with_ties_is_that_of_scikit_learn(void **state)
{
    (void)state;
    assert_near(kb_auroc(roc_score, roc_truth, sizeof roc_truth / sizeof *roc_truth), ROC_AREA,
                "auroc");
}

static void auroc_at_its_edges(void **state)
{
    (void)state;
    const double score[] = {1, 2, 3, 4}, equal[] = {5, 5, 5, 5};
    const double infinite[] = {-INFINITY, 0, 1, INFINITY}, bad[] = {1, NAN, 3, 4};
    const bool high[] = {false, false, true, true}, low[] = {true, true, false, false};
    const bool all[] = {true, true, true, true}, none[4] = {false};
    assert_true(kb_auroc(score, high, 4) == 1);
    assert_true(kb_auroc(score, low, 4) == 0);
    assert_true(kb_auroc(equal, high, 4) == 0.5);
    assert_true(kb_auroc(infinite, high, 4) == 1);
    assert_true(isnan(kb_auroc(bad, high, 4)));
    assert_true(isnan(kb_auroc(score, all, 4)));
    assert_true(isnan(kb_auroc(score, none, 4)));
    assert_true(isnan(kb_auroc(score, none, 0)));
}

static void assignments_are_those_of_scipy(void **state)
{
    (void)state;
    size_t columns[13];
    assert_int_equal(kb_hungarian(wide_cost, 9, 13, columns, NULL), KB_OK);
    for (size_t r = 0; r < 9; r++)
        assert_int_equal(columns[r], wide_columns[r]);
    assert_int_equal(kb_hungarian(high_cost, 13, 9, columns, NULL), KB_OK);
    for (size_t r = 0; r < 13; r++)
        assert_true(columns[r] == (high_columns[r] < 0 ? SIZE_MAX : (size_t)high_columns[r]));
}

static double least_total(const double *cost, size_t n, size_t row, unsigned used)
{
    if (row == n)
        return 0;
    double least = INFINITY;
    for (size_t c = 0; c < n; c++)
        if (!(used >> c & 1))
            least = fmin(least, cost[row * n + c] + least_total(cost, n, row + 1, used | 1u << c));
    return least;
}

/* Small whole numbers tie often; every permutation is tried. */
static void assignments_with_ties_cost_the_least(void **state)
{
    (void)state;
    enum { N = 6 };
    kb_rng rng = kb_rng_start(1, KB_STREAM_TEST);
    for (int round = 0; round < 40; round++) {
        double cost[N * N], total = 0;
        for (size_t i = 0; i < N * N; i++)
            cost[i] = (double)kb_rng_below(&rng, 4) - 2;
        size_t columns[N];
        unsigned used = 0;
        assert_int_equal(kb_hungarian(cost, N, N, columns, NULL), KB_OK);
        for (size_t r = 0; r < N; r++) {
            total += cost[r * N + columns[r]];
            used |= 1u << columns[r];
        }
        assert_int_equal(used, (1u << N) - 1);
        assert_true(total == least_total(cost, N, 0, 0));
    }
}

static void assignments_without_rows_or_columns(void **state)
{
    (void)state;
    size_t columns[2] = {7, 7};
    const double bad[] = {1, NAN};
    kb_error err;
    assert_int_equal(kb_hungarian(bad, 0, 5, columns, NULL), KB_OK);
    assert_int_equal(columns[0], 7);
    assert_int_equal(kb_hungarian(bad, 2, 0, columns, NULL), KB_OK);
    assert_true(columns[0] == SIZE_MAX && columns[1] == SIZE_MAX);
    assert_int_equal(kb_hungarian(bad, 1, 2, columns, &err), KB_ERR_NUMERIC);
    assert_non_null(strstr(err.text, "column 2"));
}

static void ward_cuts_the_tree_of_scipy(void **state)
{
    (void)state;
    const double ones[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    for (size_t groups = 1; groups <= 12; groups++) {
        float merged[12 * 5];
        uint32_t group_of[12];
        assert_int_equal(kb_ward_merge(kb_const_matrix_of(ward_points, 12, 5), ones, groups,
                                       kb_matrix_of(merged, groups, 5), group_of, NULL),
                         KB_OK);
        assert_memory_equal(group_of, ward_groups + (groups - 1) * 12, sizeof group_of);
    }
}

static void ward_weights_count_as_copies(void **state)
{
    (void)state;
    float merged[4 * 5];
    uint32_t group_of[12];
    assert_int_equal(kb_ward_merge(kb_const_matrix_of(ward_points, 12, 5), ward_weights, 4,
                                   kb_matrix_of(merged, 4, 5), group_of, NULL),
                     KB_OK);
    assert_memory_equal(group_of, ward_weighted_groups, sizeof group_of);
    for (size_t i = 0; i < 4 * 5; i++)
        assert_true(fabs((double)merged[i] - ward_weighted_means[i]) < 1e-6);
}

static void ward_absorbs_an_empty_centroid(void **state)
{
    (void)state;
    const float centroids[] = {0, 10, 11, 40};
    const double weights[] = {5, 0, 5, 5};
    float merged[3];
    uint32_t group_of[4];
    assert_int_equal(kb_ward_merge(kb_const_matrix_of(centroids, 4, 1), weights, 3,
                                   kb_matrix_of(merged, 3, 1), group_of, NULL),
                     KB_OK);
    const uint32_t expected[] = {0, 1, 1, 2};
    assert_memory_equal(group_of, expected, sizeof expected);
    assert_true(fabsf(merged[1] - 11) < 1e-4F);
    const double none[4] = {0};
    assert_int_equal(kb_ward_merge(kb_const_matrix_of(centroids, 4, 1), none, 1,
                                   kb_matrix_of(merged, 1, 1), NULL, NULL),
                     KB_OK);
    assert_true(fabsf(merged[0] - 61 / 4.0F) < 1e-4F);
}

static void ward_takes_the_lower_of_equal_pairs(void **state)
{
    (void)state;
    const float centroids[] = {0, 1, 2, 3};
    const double weights[] = {1, 1, 1, 1};
    float merged[3];
    uint32_t group_of[4];
    assert_int_equal(kb_ward_merge(kb_const_matrix_of(centroids, 4, 1), weights, 3,
                                   kb_matrix_of(merged, 3, 1), group_of, NULL),
                     KB_OK);
    const uint32_t expected[] = {0, 0, 1, 2};
    assert_memory_equal(group_of, expected, sizeof expected);
}

static void ward_refuses_what_cannot_be(void **state)
{
    (void)state;
    const float centroids[] = {0, 1};
    const double weights[] = {1, -1};
    float merged[3];
    kb_const_matrix two = kb_const_matrix_of(centroids, 2, 1);
    assert_int_equal(kb_ward_merge(two, weights, 3, kb_matrix_of(merged, 3, 1), NULL, NULL),
                     KB_ERR_USAGE);
    assert_int_equal(kb_ward_merge(two, weights, 0, kb_matrix_of(merged, 0, 1), NULL, NULL),
                     KB_ERR_USAGE);
    assert_int_equal(kb_ward_merge(two, weights, 1, kb_matrix_of(merged, 1, 1), NULL, NULL),
                     KB_ERR_NUMERIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agreement_is_that_of_scikit_learn),
        cmocka_unit_test(agreement_is_symmetric),
        cmocka_unit_test(no_labels_are_refused),
        cmocka_unit_test(auroc_with_ties_is_that_of_scikit_learn),
        cmocka_unit_test(auroc_at_its_edges),
        cmocka_unit_test(assignments_are_those_of_scipy),
        cmocka_unit_test(assignments_with_ties_cost_the_least),
        cmocka_unit_test(assignments_without_rows_or_columns),
        cmocka_unit_test(ward_cuts_the_tree_of_scipy),
        cmocka_unit_test(ward_weights_count_as_copies),
        cmocka_unit_test(ward_absorbs_an_empty_centroid),
        cmocka_unit_test(ward_takes_the_lower_of_equal_pairs),
        cmocka_unit_test(ward_refuses_what_cannot_be),
    };
    return cmocka_run_group_tests_name("scores", tests, NULL, NULL);
}
