/* basis: the row space against plain dense arithmetic in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "basis.h"
#include "basis_inputs.h"
#include "model_support.h"
#include "range_finder.h"

struct fixture {
    char folder[256];
    kb_corpus *corpus;
    size_t *fitted, *others;
    size_t n, m, d; /* fitted, others, inputs */
    kb_features *features;
    kb_view *view;
    kb_blocks blocks, other_blocks;
    double *x, *o; /* centred and scaled: n x d, m x d */
    double *mean, scale;
};

static void dense_inputs(struct fixture *f)
{
    float *row = malloc(f->d * sizeof *row);
    f->x = calloc(f->n * f->d, sizeof *f->x);
    f->o = calloc(f->m * f->d, sizeof *f->o);
    f->mean = calloc(f->d, sizeof *f->mean);
    for (size_t i = 0; i < f->n; i++) {
        kb_view_row(f->view, f->fitted[i], row);
        for (size_t k = 0; k < f->d; k++) {
            f->x[i * f->d + k] = row[k];
            f->mean[k] += (double)row[k] / (double)f->n;
        }
    }
    double variance = 0;
    for (size_t i = 0; i < f->n * f->d; i++) {
        f->x[i] -= f->mean[i % f->d];
        variance += f->x[i] * f->x[i] / (double)f->n;
    }
    f->scale = sqrt(variance);
    for (size_t i = 0; i < f->n * f->d; i++)
        f->x[i] /= f->scale;
    for (size_t i = 0; i < f->m; i++) {
        kb_view_row(f->view, f->others[i], row);
        for (size_t k = 0; k < f->d; k++)
            f->o[i * f->d + k] = ((double)row[k] - f->mean[k]) / f->scale;
    }
    free(row);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->corpus = generated_corpus(f->folder, sizeof f->folder);
    size_t sessions = kb_corpus_sessions(f->corpus);
    f->fitted = calloc(sessions, sizeof *f->fitted);
    f->others = calloc(sessions, sizeof *f->others);
    f->n = kb_corpus_select(f->corpus, KB_SPLIT_TRAIN, f->fitted);
    f->m = kb_corpus_select(f->corpus, KB_SPLIT_VALIDATION, f->others);
    kb_features_fit(&f->features, f->corpus, f->fitted, f->n, KB_SCALE_MINMAX, .02, NULL);
    kb_view_create(&f->view, f->features, f->corpus, NULL);
    f->d = kb_features_dims(f->features);
    kb_blocks_create(&f->blocks, f->view, f->fitted, f->n, NULL);
    kb_blocks_create(&f->other_blocks, f->view, f->others, f->m, NULL);
    dense_inputs(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    kb_blocks_clear(&f->blocks);
    kb_blocks_clear(&f->other_blocks);
    kb_view_free(f->view);
    kb_features_free(f->features);
    kb_corpus_free(f->corpus);
    remove_folder(f->folder);
    free(f->fitted);
    free(f->others);
    free(f->x);
    free(f->o);
    free(f->mean);
    free(f);
    return 0;
}

static void mean_and_scale_are_those_of_the_dense_matrix(void **state)
{
    struct fixture *f = *state;
    kb_basis basis;
    assert_int_equal(kb_basis_centre(&basis, &f->blocks, NULL), KB_OK);
    assert_true(fabs(basis.scale - f->scale) < 1e-5 * f->scale);
    for (size_t k = 0; k < f->d; k++)
        assert_true(fabs((double)basis.mean[k] - f->mean[k]) < 1e-5);
    kb_basis_clear(&basis);
}

/* Every STEP_I-th vector is of length 1 and at right angles to every STEP_J-th from there on. */
static void assert_orthonormal(const kb_basis *b, size_t step_i, size_t step_j, double tolerance)
{
    for (size_t i = 0; i < b->rank; i += step_i)
        for (size_t j = i; j < b->rank; j += step_j) {
            double dot = 0;
            for (size_t k = 0; k < b->dims; k++)
                dot += (double)b->vectors[k * b->rank + i] * (double)b->vectors[k * b->rank + j];
            assert_true(fabs(dot - (i == j)) < tolerance);
        }
}

/* The fitted sessions project to Y, f->n x rank. */
static void assert_projects_to(const struct fixture *f, const kb_basis *b, const float *y,
                               double tolerance)
{
    float *again = calloc(f->n * b->rank, sizeof *again);
    kb_basis_project(b, &f->blocks, kb_matrix_of(again, f->n, b->rank), NULL, NULL, NULL);
    for (size_t i = 0; i < f->n * b->rank; i++)
        assert_true(fabs((double)again[i] - (double)y[i]) < tolerance);
    free(again);
}

static void vectors_are_orthonormal(void **state)
{
    struct fixture *f = *state;
    kb_basis b;
    float *y;
    assert_int_equal(kb_basis_fit(&b, &y, &f->blocks, .99, NULL, NULL, NULL), KB_OK);
    assert_orthonormal(&b, 7, 5, 1e-3);
    free(y);
    kb_basis_clear(&b);
}

static void coordinates_keep_all_distances_at_full_energy(void **state)
{
    struct fixture *f = *state;
    kb_basis b;
    float *y;
    assert_int_equal(kb_basis_fit(&b, &y, &f->blocks, 1, NULL, NULL, NULL), KB_OK);
    assert_true(b.rank <= f->n - 1);
    for (size_t i = 0; i + 1 < f->n; i++) {
        double dense = 0, reduced = 0;
        for (size_t k = 0; k < f->d; k++)
            dense += pow(f->x[i * f->d + k] - f->x[(i + 1) * f->d + k], 2);
        for (size_t k = 0; k < b.rank; k++)
            reduced += pow((double)y[i * b.rank + k] - (double)y[(i + 1) * b.rank + k], 2);
        assert_true(fabs(dense - reduced) < 1e-3 * (dense + 1));
    }
    free(y);
    kb_basis_clear(&b);
}

static void rank_is_the_least_that_keeps_the_energy(void **state)
{
    struct fixture *f = *state;
    kb_basis all, part;
    float *y, *z;
    kb_basis_fit(&all, &y, &f->blocks, 1, NULL, NULL, NULL);
    kb_basis_fit(&part, &z, &f->blocks, .9, NULL, NULL, NULL);
    double total = 0, kept = 0, without_last = 0;
    for (size_t i = 0; i < f->n; i++)
        for (size_t k = 0; k < all.rank; k++) {
            double square = pow((double)y[i * all.rank + k], 2);
            total += square;
            kept += k < part.rank ? square : 0;
            without_last += k + 1 < part.rank ? square : 0;
        }
    assert_true(kept >= .9 * total * .9999);
    assert_true(without_last < .9 * total);
    assert_true(fabs(part.energy - kept / total) < 1e-3);
    free(y);
    free(z);
    kb_basis_clear(&all);
    kb_basis_clear(&part);
}

static void projecting_training_sessions_gives_their_coordinates(void **state)
{
    struct fixture *f = *state;
    kb_basis b;
    float *y;
    kb_basis_fit(&b, &y, &f->blocks, .95, NULL, NULL, NULL);
    assert_projects_to(f, &b, y, 2e-4);
    free(y);
    kb_basis_clear(&b);
}

static void new_sessions_project_as_the_dense_product_says(void **state)
{
    struct fixture *f = *state;
    kb_basis b;
    float *y;
    kb_basis_fit(&b, &y, &f->blocks, .95, NULL, NULL, NULL);
    float *z = calloc(f->m * b.rank, sizeof *z), *residual = calloc(f->m, sizeof *residual);
    assert_int_equal(
        kb_basis_project(&b, &f->other_blocks, kb_matrix_of(z, f->m, b.rank), residual, NULL, NULL),
        KB_OK);
    for (size_t i = 0; i < f->m; i++) {
        double outside = 0;
        for (size_t k = 0; k < f->d; k++)
            outside += f->o[i * f->d + k] * f->o[i * f->d + k];
        for (size_t j = 0; j < b.rank; j++) {
            double dot = 0;
            for (size_t k = 0; k < f->d; k++)
                dot += f->o[i * f->d + k] * (double)b.vectors[k * b.rank + j];
            assert_true(fabs(dot - (double)z[i * b.rank + j]) < 1e-4);
            outside -= dot * dot;
        }
        assert_true(fabs(sqrt(outside) - (double)residual[i]) < 1e-3);
        assert_true(residual[i] > 0);
    }
    free(z);
    free(residual);
    free(y);
    kb_basis_clear(&b);
}

static void sessions_that_are_all_alike_are_refused(void **state)
{
    struct fixture *f = *state;
    size_t same[3] = {f->fitted[0], f->fitted[0], f->fitted[0]};
    kb_blocks blocks;
    kb_basis b;
    kb_error err;
    kb_blocks_create(&blocks, f->view, same, 3, NULL);
    assert_int_equal(kb_basis_centre(&b, &blocks, &err), KB_ERR_NUMERIC);
    assert_non_null(strstr(err.text, "alike"));
    float *y;
    size_t rank;
    assert_int_equal(kb_basis_components(&y, &rank, &blocks, 2, 1, NULL, NULL, &err),
                     KB_ERR_NUMERIC);
    assert_non_null(strstr(err.text, "alike"));
    assert_null(y);
    kb_blocks_clear(&blocks);
}

static void components_are_the_leading_coordinates(void **state)
{
    struct fixture *f = *state;
    kb_basis all;
    float *y, *leading;
    size_t rank;
    kb_basis_fit(&all, &y, &f->blocks, 1, NULL, NULL, NULL);
    assert_int_equal(kb_basis_components(&leading, &rank, &f->blocks, 5, 1, NULL, NULL, NULL),
                     KB_OK);
    assert_int_equal(rank, 5);
    for (size_t i = 0; i < f->n; i++)
        for (size_t k = 0; k < rank; k++)
            assert_true(fabs((double)(y[i * all.rank + k] - leading[i * rank + k])) < 1e-4);
    free(leading);
    kb_basis_components(&leading, &rank, &f->blocks, f->n, .5, NULL, NULL, NULL);
    kb_basis part;
    float *z;
    kb_basis_fit(&part, &z, &f->blocks, .5, NULL, NULL, NULL);
    assert_int_equal(rank, part.rank);
    free(leading);
    free(y);
    free(z);
    kb_basis_clear(&all);
    kb_basis_clear(&part);
}

/* --- by the inputs' products ---------------------------------------------------------------- */

/* Coordinates may differ by rounding in directions of nearly equal variance, distances may not. */
static void the_inputs_products_give_the_coordinates_of_the_gram_matrix(void **state)
{
    struct fixture *f = *state;
    const double energies[] = {.5, .9, .99};
    for (size_t e = 0; e < sizeof energies / sizeof *energies; e++) {
        kb_basis gram, inputs;
        float *y, *z;
        assert_int_equal(kb_basis_fit(&gram, &y, &f->blocks, energies[e], NULL, NULL, NULL), KB_OK);
        assert_int_equal(
            kb_basis_fit_inputs(&inputs, &z, &f->blocks, energies[e], NULL, NULL, NULL), KB_OK);
        assert_int_equal(inputs.rank, gram.rank);
        assert_int_equal(inputs.used_dims, gram.used_dims);
        assert_true(fabs(inputs.energy - gram.energy) < 1e-5);
        for (size_t i = 0; i < f->n; i++)
            for (size_t j = 0; j < 3; j++)
                assert_true(fabs((double)y[i * gram.rank + j] - (double)z[i * gram.rank + j]) <
                            1e-3);
        for (size_t i = 0; i + 1 < f->n; i++) {
            double a = 0, b = 0;
            for (size_t k = 0; k < gram.rank; k++) {
                size_t at = i * gram.rank + k;
                a += pow((double)y[at] - (double)y[at + gram.rank], 2);
                b += pow((double)z[at] - (double)z[at + gram.rank], 2);
            }
            assert_true(fabs(a - b) < 1e-3 * (a + 1));
        }
        free(y);
        free(z);
        kb_basis_clear(&gram);
        kb_basis_clear(&inputs);
    }
}

static void
the_inputs_products_vectors_are_orthonormal_and_project_to_their_coordinates(void **state)
{
    struct fixture *f = *state;
    kb_basis b;
    float *y;
    assert_int_equal(kb_basis_fit_inputs(&b, &y, &f->blocks, .99, NULL, NULL, NULL), KB_OK);
    assert_orthonormal(&b, 3, 2, 1e-4);
    assert_projects_to(f, &b, y, 2e-4);
    free(y);
    kb_basis_clear(&b);
}

static void the_inputs_products_are_cancelled(void **state)
{
    struct fixture *f = *state;
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    kb_basis b;
    float *y;
    assert_int_equal(kb_basis_fit_inputs(&b, &y, &f->blocks, .9, NULL, &progress, NULL),
                     KB_ERR_CANCELLED);
    assert_null(y);
    assert_null(b.vectors);
}

/* --- the range finder ---------------------------------------------------------------------- */

static kb_range_options narrow(double energy)
{
    kb_range_options o = kb_range_defaults();
    o.energy = energy;
    o.first = 8; /* to be doubled until it is enough */
    return o;
}

/* What it costs: at the same rank it keeps nearly the energy that the exact factorisation keeps,
 * and the exact leading vectors lie nearly within its space. */
static void the_range_finder_keeps_nearly_what_the_exact_factorisation_keeps(void **state)
{
    struct fixture *f = *state;
    const double energies[] = {.5, .8, .9, .95};
    for (size_t e = 0; e < sizeof energies / sizeof *energies; e++) {
        kb_basis exact, random;
        float *y, *z;
        kb_range_options o = narrow(energies[e]);
        kb_basis_fit(&exact, &y, &f->blocks, energies[e], NULL, NULL, NULL);
        assert_int_equal(kb_basis_fit_randomised(&random, &z, &f->blocks, &o, NULL, NULL, NULL),
                         KB_OK);
        assert_true(random.energy >= energies[e]);
        assert_true(random.rank >= exact.rank && random.rank <= exact.rank + exact.rank / 20 + 1);
        double within = 0, leading = (double)(exact.rank / 2);
        for (size_t i = 0; i < exact.rank / 2; i++)
            for (size_t j = 0; j < random.rank; j++) {
                double dot = 0;
                for (size_t k = 0; k < f->d; k++)
                    dot += (double)exact.vectors[k * exact.rank + i] *
                           (double)random.vectors[k * random.rank + j];
                within += dot * dot;
            }
        if (within < .97 * leading)
            fail_msg("energy %g: %g of %g leading vectors", energies[e], within, leading);
        free(y);
        free(z);
        kb_basis_clear(&exact);
        kb_basis_clear(&random);
    }
}

static void the_range_finders_vectors_are_orthonormal_and_project_to_its_coordinates(void **state)
{
    struct fixture *f = *state;
    kb_basis b;
    float *y;
    kb_range_options o = narrow(.95);
    assert_int_equal(kb_basis_fit_randomised(&b, &y, &f->blocks, &o, NULL, NULL, NULL), KB_OK);
    assert_orthonormal(&b, 3, 2, 2e-3);
    assert_projects_to(f, &b, y, 5e-4);
    free(y);
    kb_basis_clear(&b);
}

static void the_range_finder_finds_the_full_rank(void **state)
{
    struct fixture *f = *state;
    kb_basis b, exact;
    float *y, *z;
    kb_range_options o = narrow(1);
    assert_int_equal(kb_basis_fit_randomised(&b, &y, &f->blocks, &o, NULL, NULL, NULL), KB_OK);
    kb_basis_fit(&exact, &z, &f->blocks, 1, NULL, NULL, NULL);
    assert_true(b.rank <= f->n - 1 && b.rank + 2 >= exact.rank);
    assert_true(b.energy > 1 - 1e-4);
    free(y);
    free(z);
    kb_basis_clear(&b);
    kb_basis_clear(&exact);
}

static void the_range_finder_depends_on_its_seed_alone(void **state)
{
    struct fixture *f = *state;
    kb_basis a, b;
    float *y, *z;
    kb_range_options o = narrow(.9);
    kb_basis_fit_randomised(&a, &y, &f->blocks, &o, NULL, NULL, NULL);
    kb_basis_fit_randomised(&b, &z, &f->blocks, &o, NULL, NULL, NULL);
    assert_int_equal(a.rank, b.rank);
    assert_memory_equal(y, z, f->n * a.rank * sizeof *y);
    assert_memory_equal(a.vectors, b.vectors, f->d * a.rank * sizeof *a.vectors);
    free(y);
    free(z);
    kb_basis_clear(&a);
    kb_basis_clear(&b);
}

static void the_range_finder_keeps_to_its_cap_and_says_what_it_keeps(void **state)
{
    struct fixture *f = *state;
    kb_basis b;
    float *y;
    kb_range_options o = narrow(.99);
    o.most = 12;
    assert_int_equal(kb_basis_fit_randomised(&b, &y, &f->blocks, &o, NULL, NULL, NULL), KB_OK);
    assert_int_equal(b.rank, 12);
    double kept = 0;
    for (size_t i = 0; i < f->n * b.rank; i++)
        kept += (double)y[i] * (double)y[i] / (double)f->n;
    assert_true(b.energy < .99 && fabs(b.energy - kept) < 1e-3);
    free(y);
    kb_basis_clear(&b);
}

static void the_range_finder_is_cancelled(void **state)
{
    struct fixture *f = *state;
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    kb_basis b;
    float *y;
    kb_range_options o = narrow(.9);
    assert_int_equal(kb_basis_fit_randomised(&b, &y, &f->blocks, &o, NULL, &progress, NULL),
                     KB_ERR_CANCELLED);
    assert_null(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_and_scale_are_those_of_the_dense_matrix),
        cmocka_unit_test(vectors_are_orthonormal),
        cmocka_unit_test(coordinates_keep_all_distances_at_full_energy),
        cmocka_unit_test(rank_is_the_least_that_keeps_the_energy),
        cmocka_unit_test(projecting_training_sessions_gives_their_coordinates),
        cmocka_unit_test(new_sessions_project_as_the_dense_product_says),
        cmocka_unit_test(sessions_that_are_all_alike_are_refused),
        cmocka_unit_test(components_are_the_leading_coordinates),
        cmocka_unit_test(the_inputs_products_give_the_coordinates_of_the_gram_matrix),
        cmocka_unit_test(
            the_inputs_products_vectors_are_orthonormal_and_project_to_their_coordinates),
        cmocka_unit_test(the_inputs_products_are_cancelled),
        cmocka_unit_test(the_range_finder_keeps_nearly_what_the_exact_factorisation_keeps),
        cmocka_unit_test(the_range_finders_vectors_are_orthonormal_and_project_to_its_coordinates),
        cmocka_unit_test(the_range_finder_finds_the_full_rank),
        cmocka_unit_test(the_range_finder_depends_on_its_seed_alone),
        cmocka_unit_test(the_range_finder_keeps_to_its_cap_and_says_what_it_keeps),
        cmocka_unit_test(the_range_finder_is_cancelled),
    };
    return cmocka_run_group_tests_name("basis", tests, set_up, tear_down);
}
