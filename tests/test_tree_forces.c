/* quadtree, tree_forces, pair_forces: forces against plain sums and central differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "affinity.h"
#include "pair_forces.h"
#include "rng.h"
#include "tree_forces.h"

enum { N = 3000, D = 6 };

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.17g instead of %.17g", value, expected);
}

/* A layout as maps have them: clumps of all sizes, some points that lie alone, some upon each
 * other. */
static float *made_layout(void)
{
    float *y = malloc(2 * N * sizeof *y);
    kb_rng rng = kb_rng_start(5, KB_STREAM_TEST);
    for (size_t i = 0; i < N; i++) {
        size_t clump = i * i % 12;
        for (size_t c = 0; c < 2; c++)
            y[2 * i + c] = (float)(20 * cos((double)(clump * (c + 1)))) +
                           (0.3F + 0.3F * (float)clump) * kb_rng_normal(&rng);
    }
    y[0] = 300;
    for (size_t i = 40; i < 60; i++)
        memcpy(y + 2 * i, y + 2 * 20, 2 * sizeof *y);
    return y;
}

/* P of random points, their 31 nearest. */
static kb_sparse made_affinities(void)
{
    float *x = malloc(N * D * sizeof *x);
    kb_rng rng = kb_rng_start(6, KB_STREAM_TEST);
    for (size_t i = 0; i < N * D; i++)
        x[i] = 0.2F * kb_rng_normal(&rng);
    kb_neighbours near;
    kb_sparse p;
    kb_const_matrix points = kb_const_matrix_of(x, N, D);
    assert_int_equal(kb_neighbours_find(&near, points, points, 31, true, NULL, NULL, NULL), KB_OK);
    assert_int_equal(kb_affinities_sparse(&p, &near, 10, NULL, NULL, NULL), KB_OK);
    kb_neighbours_clear(&near);
    free(x);
    return p;
}

/* The same with zeros. */
static float *made_dense(const kb_sparse *p)
{
    float *dense = calloc((size_t)N * N, sizeof *dense);
    for (size_t i = 0; i < N; i++)
        for (size_t e = p->begin[i]; e < p->begin[i + 1]; e++)
            dense[i * N + p->column[e]] = p->p[e];
    return dense;
}

/* PULL, PUSH: N x 2, by their definitions, in double; returns Z. */
static double plain_forces(double *pull, double *push, const float *y, const float *p)
{
    double z = 0;
    memset(pull, 0, 2 * N * sizeof *pull);
    memset(push, 0, 2 * N * sizeof *push);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            double dx = (double)y[2 * i] - y[2 * j], dy = (double)y[2 * i + 1] - y[2 * j + 1];
            double w = i == j ? 0 : 1 / (1 + dx * dx + dy * dy), pij = p[i * N + j];
            z += w;
            pull[2 * i] += pij * w * dx;
            pull[2 * i + 1] += pij * w * dy;
            push[2 * i] += w * w * dx;
            push[2 * i + 1] += w * w * dy;
        }
    }
    return z;
}

struct errors {
    double push, pull; /* root mean square of the error over that of the force */
    double normaliser; /* relative */
};

static struct errors errors_of(const kb_field *f, const double *pull, const double *push, double z)
{
    double wrong[2] = {0}, all[2] = {0};
    const double *const have[2][2] = {{f->pull_x, f->pull_y}, {f->push_x, f->push_y}};
    for (size_t i = 0; i < N; i++) {
        for (size_t c = 0; c < 2; c++) {
            wrong[0] += pow(have[0][c][i] - pull[2 * i + c], 2);
            wrong[1] += pow(have[1][c][i] - push[2 * i + c], 2);
            all[0] += pow(pull[2 * i + c], 2);
            all[1] += pow(push[2 * i + c], 2);
        }
    }
    return (struct errors){sqrt(wrong[1] / all[1]), sqrt(wrong[0] / all[0]),
                           fabs(f->normaliser / z - 1)};
}

struct setting {
    float *y, *dense;
    kb_sparse p;
    double *pull, *push, z;
    kb_field field;
};

static int set_up(void **state)
{
    struct setting *s = calloc(1, sizeof *s);
    s->y = made_layout();
    s->p = made_affinities();
    s->dense = made_dense(&s->p);
    s->pull = malloc(2 * N * sizeof *s->pull);
    s->push = malloc(2 * N * sizeof *s->push);
    s->z = plain_forces(s->pull, s->push, s->y, s->dense);
    assert_true(kb_field_make(&s->field, N));
    kb_field_set(&s->field, s->y);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *s = *state;
    kb_field_free(&s->field);
    kb_sparse_clear(&s->p);
    free(s->y);
    free(s->dense);
    free(s->pull);
    free(s->push);
    free(s);
    return 0;
}

static struct errors tree_errors(struct setting *s, double theta)
{
    kb_tree_forces tree;
    assert_true(kb_tree_forces_make(&tree, &s->p, theta, 1));
    kb_tree_forces_measure(&tree, &s->field, NULL, NULL);
    kb_tree_forces_free(&tree);
    return errors_of(&s->field, s->pull, s->push, s->z);
}

static void all_pairs_are_exact(void **state)
{
    struct setting *s = *state;
    kb_pair_forces pairs;
    assert_true(kb_pair_forces_make(&pairs, s->dense, N));
    kb_pair_forces_measure(&pairs, &s->field, NULL);
    struct errors e = errors_of(&s->field, s->pull, s->push, s->z);
    assert_near(e.push, 0, 1e-6);
    assert_near(e.pull, 0, 1e-6);
    assert_near(e.normaliser, 0, 1e-7);
    kb_pair_forces_free(&pairs);
}

/* Only points that cannot be told apart are taken together. */
static void a_tree_that_looks_at_every_point_is_exact(void **state)
{
    struct errors e = tree_errors(*state, 0);
    assert_near(e.push, 0, 1e-5);
    assert_near(e.pull, 0, 1e-6);
    assert_near(e.normaliser, 0, 1e-6);
}

static void errors_grow_with_theta_and_are_bounded(void **state)
{
    const double thetas[] = {0.3, 0.5, 0.8}, push[] = {5e-3, 1e-2, 3e-2},
                 normaliser[] = {2e-3, 1e-2, 2e-2};
    for (size_t t = 0; t < 3; t++) {
        struct errors e = tree_errors(*state, thetas[t]);
        assert_near(e.push, 0, push[t]);
        assert_near(e.normaliser, 0, normaliser[t]);
        assert_near(e.pull, 0, 1e-6);
        assert_true(e.push > 1e-5); /* it does take points together */
    }
}

static void divergences_agree(void **state)
{
    struct setting *s = *state;
    kb_pair_forces pairs;
    kb_tree_forces tree;
    assert_true(kb_pair_forces_make(&pairs, s->dense, N));
    assert_true(kb_tree_forces_make(&tree, &s->p, 0.5, 1));
    kb_pair_forces_measure(&pairs, &s->field, NULL);
    double exact = kb_pair_forces_divergence(&pairs, &s->field, NULL);
    assert_near(kb_tree_forces_divergence(&tree, &s->field), exact, 1e-9 * exact);
    kb_tree_forces_measure(&tree, &s->field, NULL, NULL);
    assert_near(kb_tree_forces_divergence(&tree, &s->field), exact, 1e-2);
    kb_pair_forces_free(&pairs);
    kb_tree_forces_free(&tree);
}

/* The divergence at the layout with coordinate C moved by H, Z and all by their definitions. */
static double divergence_at(const struct setting *s, size_t coordinate, double h)
{
    double kl = 0, z = 0;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = i + 1; j < N; j++) {
            double d2 = 1;
            for (size_t c = 0; c < 2; c++) {
                double a = (double)s->y[2 * i + c] + (2 * i + c == coordinate ? h : 0);
                double b = (double)s->y[2 * j + c] + (2 * j + c == coordinate ? h : 0);
                d2 += (a - b) * (a - b);
            }
            double p = (double)s->dense[i * N + j];
            z += 2 / d2;
            kl += p > 0 ? 2 * p * log(p * d2) : 0;
        }
    }
    return kl + log(z);
}

/* Signed; a few points, since each costs two divergences. A gradient is what pull and push leave of
 * each other, so what the tree gets wrong is held against the push. */
static void gradients_agree_with_central_differences(void **state)
{
    struct setting *s = *state;
    const double h = 1e-3, thetas[] = {0, 0.3};
    for (size_t t = 0; t < 2; t++) {
        kb_tree_forces tree;
        assert_true(kb_tree_forces_make(&tree, &s->p, thetas[t], 1));
        kb_tree_forces_measure(&tree, &s->field, NULL, NULL);
        for (size_t c = 100; c < 2 * N; c += 1000) {
            double expected = (divergence_at(s, c, h) - divergence_at(s, c, -h)) / (2 * h);
            double pull = 4 * (c % 2 ? s->field.pull_y : s->field.pull_x)[c / 2];
            double push = 4 * (c % 2 ? s->field.push_y : s->field.push_x)[c / 2];
            push /= s->field.normaliser;
            assert_near(pull - push, expected, t ? 0.02 * fabs(push) : 1e-3 * fabs(expected));
            assert_true(fabs(expected) > 1e-6);
        }
        kb_tree_forces_free(&tree);
    }
}

static void threads_do_not_change_a_force(void **state)
{
    struct setting *s = *state;
    double first[4 * N];
    for (size_t threads = 1; threads <= 3; threads++) {
        kb_pool *pool;
        kb_tree_forces tree;
        assert_int_equal(kb_pool_create(&pool, threads, NULL), KB_OK);
        assert_true(kb_tree_forces_make(&tree, &s->p, 0.5, threads));
        kb_tree_forces_measure(&tree, &s->field, pool, NULL);
        if (threads == 1)
            memcpy(first, s->field.pull_x, sizeof first);
        assert_memory_equal(first, s->field.pull_x, sizeof first);
        kb_tree_forces_free(&tree);
        kb_pool_free(pool);
    }
}

/* Layouts of no extent, on a line, and with a point so far away that the others share a key. */
static void odd_layouts_have_their_forces(void **state)
{
    struct setting *s = *state;
    for (size_t shape = 0; shape < 3; shape++) {
        float *y = calloc(2 * N, sizeof *y);
        for (size_t i = 0; i < N; i++)
            y[2 * i] = shape == 0 ? 0 : (float)i * (shape == 1 ? 0.01F : 1e-7F);
        if (shape == 2)
            y[1] = 1e6F;
        double *pull = malloc(2 * N * sizeof *pull), *push = malloc(2 * N * sizeof *push);
        double z = plain_forces(pull, push, y, s->dense);
        kb_tree_forces tree;
        assert_true(kb_tree_forces_make(&tree, &s->p, 0.3, 1));
        kb_field_set(&s->field, y);
        kb_tree_forces_measure(&tree, &s->field, NULL, NULL);
        assert_near(s->field.normaliser / z, 1, 1e-2);
        for (size_t i = 0; i < N; i++) {
            assert_near(s->field.push_x[i], push[2 * i], 0.03 * fabs(push[2 * i]) + 0.1);
            assert_true(isfinite(s->field.push_y[i]));
        }
        kb_tree_forces_free(&tree);
        free(y);
        free(pull);
        free(push);
    }
}

int main(void)
{
#define ON_A_LAYOUT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ON_A_LAYOUT(all_pairs_are_exact),
        ON_A_LAYOUT(a_tree_that_looks_at_every_point_is_exact),
        ON_A_LAYOUT(errors_grow_with_theta_and_are_bounded),
        ON_A_LAYOUT(divergences_agree),
        ON_A_LAYOUT(gradients_agree_with_central_differences),
        ON_A_LAYOUT(threads_do_not_change_a_force),
        ON_A_LAYOUT(odd_layouts_have_their_forces),
    };
    return cmocka_run_group_tests_name("tree_forces", tests, NULL, NULL);
}
