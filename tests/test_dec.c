/* dec, centroids: empty, coincident and catch-all centroids, the stop rule, divergence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dec.h"
#include "rng.h"

enum { BLOBS = 3, EACH = 40, N = BLOBS * EACH, DIMS = 6, LATENT = 3, BATCH = 32 };

/* --- on matrices -------------------------------------------------------------------------- */

/* N points around BLOBS places on the axes, 10 from the origin. */
static void make_blobs(float *x, size_t dims, float spread)
{
    kb_rng rng = kb_rng_start(7, KB_STREAM_TEST);
    for (size_t i = 0; i < N; i++)
        for (size_t f = 0; f < dims; f++)
            x[i * dims + f] = spread * kb_rng_normal(&rng) + (f == i % BLOBS ? 10.F : 0.F);
}

struct members {
    uint32_t labels[N];
    double distance2[N], sizes[8];
    kb_membership as;
};

static kb_membership *members_of(struct members *m, const float *z, const float *c, size_t k)
{
    m->as = (kb_membership){m->labels, m->distance2, m->sizes};
    kb_membership_of(&m->as, kb_const_matrix_of(z, N, LATENT), kb_const_matrix_of(c, k, LATENT));
    return &m->as;
}

static void an_empty_centroid_gets_half_of_the_widest_cluster(void **state)
{
    (void)state;
    float z[N * LATENT];
    /* The first is between two blobs, the third where nobody is. */
    float c[3 * LATENT] = {5, 5, 0, 0, 0, 10, 500, 500, 500};
    struct members m;
    make_blobs(z, LATENT, .2F);
    members_of(&m, z, c, 3);
    assert_true(m.sizes[0] == 2 * EACH && m.sizes[2] == 0);
    bool moved[3];
    size_t count;
    assert_int_equal(kb_centroids_reseed(kb_matrix_of(c, 3, LATENT),
                                         kb_const_matrix_of(z, N, LATENT), &m.as, 1, moved, &count,
                                         NULL, NULL),
                     KB_OK);
    assert_int_equal(count, 1);
    assert_true(moved[0] && !moved[1] && moved[2]);
    for (size_t j = 0; j < 3; j++)
        assert_true(m.sizes[j] == EACH);
}

static void points_all_alike_leave_a_centroid_empty(void **state)
{
    (void)state;
    float z[N * LATENT], c[2 * LATENT] = {1, 1, 1, 9, 9, 9};
    struct members m;
    for (size_t i = 0; i < N * LATENT; i++)
        z[i] = 1;
    bool moved[2];
    size_t count;
    assert_int_equal(kb_centroids_reseed(kb_matrix_of(c, 2, LATENT),
                                         kb_const_matrix_of(z, N, LATENT), members_of(&m, z, c, 2),
                                         1, moved, &count, NULL, NULL),
                     KB_OK);
    assert_int_equal(count, 0);
    assert_true(m.sizes[0] == N && m.sizes[1] == 0);
}

static void coincident_centroids_become_one(void **state)
{
    (void)state;
    float z[N * LATENT];
    float c[4 * LATENT] = {10, 0, 0, 0, 10, 0, 0, 0, 10, 10.01F, 0, 0};
    struct members m;
    make_blobs(z, LATENT, .5F);
    members_of(&m, z, c, 4);
    assert_true(m.sizes[0] > 0 && m.sizes[3] > 0);
    assert_int_equal(
        kb_centroids_merge(kb_matrix_of(c, 4, LATENT), kb_const_matrix_of(z, N, LATENT), &m.as), 1);
    assert_int_equal(kb_centroids_compact(kb_matrix_of(c, 4, LATENT), &m.as, N), 3);
    for (size_t j = 0; j < 3; j++)
        assert_true(m.sizes[j] == EACH);
    for (size_t i = 0; i < N; i++)
        assert_true(m.labels[i] < 3 && m.labels[i] == m.labels[i % BLOBS]);
}

static void centroids_that_lie_apart_stay_apart(void **state)
{
    (void)state;
    float z[N * LATENT], c[3 * LATENT] = {10, 0, 0, 0, 10, 0, 0, 0, 10};
    struct members m;
    make_blobs(z, LATENT, .5F);
    members_of(&m, z, c, 3);
    assert_int_equal(
        kb_centroids_merge(kb_matrix_of(c, 3, LATENT), kb_const_matrix_of(z, N, LATENT), &m.as), 0);
    assert_int_equal(kb_centroids_compact(kb_matrix_of(c, 3, LATENT), &m.as, N), 3);
}

/* Every fourth session is moved to near the origin, where a centroid of its own waits. */
static void a_centroid_near_the_origin_is_a_catch_all(void **state)
{
    (void)state;
    float z[N * LATENT], c[4 * LATENT] = {10, 0, 0, 0, 10, 0, 0, 0, 10, 0, 0, 0};
    struct members m;
    make_blobs(z, LATENT, 1);
    for (size_t i = 0; i < N; i += 4)
        z[i * LATENT + i % BLOBS] -= 10;
    kb_centroid_trait traits[4];
    assert_int_equal(kb_centroid_traits(traits, kb_const_matrix_of(c, 4, LATENT),
                                        kb_const_matrix_of(z, N, LATENT), members_of(&m, z, c, 4),
                                        1, NULL),
                     KB_OK);
    for (size_t j = 0; j < 4; j++)
        assert_int_equal(traits[j].catch_all, j == 3);
    assert_true(traits[3].size == N / 4 && traits[3].norm < .1 && traits[0].norm > .9);
}

/* Sessions half-way between others: far from the origin, but near to nothing. */
static void a_centroid_of_the_undecided_is_a_catch_all(void **state)
{
    (void)state;
    float z[N * LATENT], c[4 * LATENT] = {10, 0, 0, 0, 10, 0, 0, 0, 10, 6, 6, 6};
    struct members m;
    make_blobs(z, LATENT, .01F);
    for (size_t i = 0; i < N; i += 4)
        for (size_t f = 0; f < LATENT; f++)
            z[i * LATENT + f] = f == i % LATENT ? 2 : 9.5F;
    kb_centroid_trait traits[4];
    assert_int_equal(kb_centroid_traits(traits, kb_const_matrix_of(c, 4, LATENT),
                                        kb_const_matrix_of(z, N, LATENT), members_of(&m, z, c, 4),
                                        4, NULL),
                     KB_OK);
    assert_true(traits[3].norm > .85 && traits[3].confidence < .6);
    for (size_t j = 0; j < 4; j++)
        assert_int_equal(traits[j].catch_all, j == 3);
}

static void never_are_all_centroids_catch_alls(void **state)
{
    (void)state;
    float z[N * LATENT], c[1 * LATENT] = {0, 0, 0};
    struct members m;
    make_blobs(z, LATENT, 1);
    kb_centroid_trait trait;
    assert_int_equal(kb_centroid_traits(&trait, kb_const_matrix_of(c, 1, LATENT),
                                        kb_const_matrix_of(z, N, LATENT), members_of(&m, z, c, 1),
                                        1, NULL),
                     KB_OK);
    assert_false(trait.catch_all);
}

/* --- training ----------------------------------------------------------------------------- */

/* A source whose fills number BAD_FROM up to BAD_TO hand out NAN. */
struct troubled {
    kb_source base;
    const float *x;
    size_t fills, bad_from, bad_to;
};

static void troubled_fill(kb_source *source, kb_device *dev, kb_span to, const size_t *rows,
                          size_t n)
{
    struct troubled *t = (struct troubled *)source;
    float batch[256 * DIMS];
    bool bad = t->fills >= t->bad_from && t->fills < t->bad_to;
    t->fills++;
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < DIMS; f++)
            batch[i * DIMS + f] = bad ? NAN : t->x[rows[i] * DIMS + f];
    dev->ops->put(dev, to, batch, n * DIMS);
}

static void nothing_to_free(kb_source *source)
{
    (void)source;
}

struct fixture {
    float x[N * DIMS];
    kb_device *dev;
    kb_network net;
    struct troubled source;
    size_t notes, epochs;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    kb_layout layout;
    make_blobs(f->x, DIMS, .5F);
    for (size_t i = 0; i < N * DIMS; i++)
        f->x[i] /= 10;
    assert_int_equal(kb_layout_make(&layout, false, DIMS, 8, LATENT, NULL), KB_OK);
    assert_int_equal(kb_device_open_cpu(&f->dev, NULL, NULL), KB_OK);
    assert_int_equal(kb_network_create(&f->net, &layout, f->dev, BATCH, NULL), KB_OK);
    float *w = calloc(layout.parameters, sizeof *w);
    kb_layout_initialise(&layout, w, 1, 1);
    kb_network_put(&f->net, w);
    free(w);
    f->source = (struct troubled){.base = {N, DIMS, troubled_fill, nothing_to_free}, .x = f->x};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    kb_network_free(&f->net);
    kb_device_close(f->dev);
    free(f);
    return 0;
}

static void count_note(void *ctx, const char *text)
{
    struct fixture *f = ctx;
    assert_non_null(strstr(text, "diverged"));
    f->notes++;
}

static void count_epoch(void *ctx, size_t number, double loss)
{
    struct fixture *f = ctx;
    assert_true(isfinite(loss));
    f->epochs = number;
}

static kb_dec_options options_of(struct fixture *f)
{
    return (kb_dec_options){.clusters = 4,
                            .epochs = 30,
                            .batch = BATCH,
                            .least_updates = 40,
                            .learning_rate = 1e-3,
                            .seed = 1,
                            .epoch = count_epoch,
                            .note = count_note,
                            .ctx = f};
}

static kb_dec_result dec(struct fixture *f, const kb_dec_options *o)
{
    kb_error err = {0};
    kb_dec_result r;
    f->source.fills = 0;
    if (kb_dec_train(&r, &f->net, &f->source.base, o, NULL, NULL, &err))
        fail_msg("%s", err.text);
    double sessions = 0;
    for (size_t j = 0; j < r.clusters; j++) {
        assert_true(r.traits[j].size > 0);
        sessions += r.traits[j].size;
    }
    assert_true(sessions == N);
    for (size_t i = 0; i < r.clusters * LATENT; i++)
        assert_true(isfinite(r.centroids[i]));
    return r;
}

static void centroids_far_from_everything_come_back(void **state)
{
    struct fixture *f = *state;
    float z[N * LATENT];
    kb_network_embed_all(&f->net, &f->source.base, z, NULL);
    float init[4 * LATENT];
    memcpy(init, z, sizeof init); /* of three blobs, and one that stays */
    for (size_t i = 0; i < LATENT; i++)
        init[3 * LATENT + i] = 1000;
    kb_dec_options o = options_of(f);
    o.init = kb_const_matrix_of(init, 4, LATENT);
    kb_dec_result r = dec(f, &o);
    assert_true(r.reseeded >= 1);
    for (size_t i = 0; i < r.clusters * LATENT; i++)
        assert_true(fabsf(r.centroids[i]) < 100);
    kb_dec_result_clear(&r);
}

static void centroids_that_start_together_are_told_apart_or_merged(void **state)
{
    struct fixture *f = *state;
    float z[N * LATENT], init[4 * LATENT];
    kb_network_embed_all(&f->net, &f->source.base, z, NULL);
    memcpy(init, z, 3 * LATENT * sizeof *init);
    for (size_t i = 0; i < LATENT; i++) /* not equal, or one would have no sessions */
        init[3 * LATENT + i] = z[i] + 1e-5F;
    kb_dec_options o = options_of(f);
    o.init = kb_const_matrix_of(init, 4, LATENT);
    kb_dec_result r = dec(f, &o);
    assert_true(r.merged + r.reseeded >= 1);
    kb_dec_result_clear(&r);
}

static void the_stop_rule_waits_for_the_least_updates(void **state)
{
    struct fixture *f = *state;
    kb_dec_options o = options_of(f);
    o.tolerance = 1; /* whatever moves is little */
    kb_dec_result r = dec(f, &o);
    assert_true(r.stopped);
    assert_true(r.updates >= o.least_updates);
    assert_true(r.updates < o.epochs * ((N + BATCH - 1) / BATCH));
    assert_int_equal(r.epochs, f->epochs);
    kb_dec_result_clear(&r);
}

static void without_a_tolerance_all_epochs_are_run(void **state)
{
    struct fixture *f = *state;
    kb_dec_options o = options_of(f);
    kb_dec_result r = dec(f, &o);
    assert_false(r.stopped);
    assert_int_equal(r.epochs, o.epochs);
    assert_int_equal(r.updates, o.epochs * ((N + BATCH - 1) / BATCH));
    kb_dec_result_clear(&r);
}

/* Each look at all sessions is as many fills as an epoch has updates. */
enum { FILLS = (N + BATCH - 1) / BATCH };

static void divergence_goes_back_and_on(void **state)
{
    struct fixture *f = *state;
    kb_dec_options o = options_of(f);
    f->source.bad_from = (1 + 2 * 5 + 1) * FILLS + 1; /* a batch of the sixth epoch */
    f->source.bad_to = f->source.bad_from + 1;
    kb_dec_result r = dec(f, &o);
    assert_int_equal(f->notes, 1);
    assert_int_equal(r.divergences, 1);
    assert_int_equal(r.epochs, o.epochs);
    kb_dec_result_clear(&r);
}

static void divergence_in_the_first_epoch_leaves_the_encoder_as_it_was(void **state)
{
    struct fixture *f = *state;
    size_t count = f->net.layout.parameters;
    float *before = calloc(count, sizeof *before), *after = calloc(count, sizeof *after);
    kb_network_get(&f->net, before);
    kb_dec_options o = options_of(f);
    f->source.bad_from = 2 * FILLS + 1; /* each try fails in its second batch */
    f->source.bad_to = 2 * FILLS + 2;
    o.epochs = 1;
    kb_dec_result r = dec(f, &o);
    assert_int_equal(r.divergences, 1);
    kb_dec_result_clear(&r);

    kb_network_put(&f->net, before);
    f->source.bad_from = FILLS; /* three looks: all but the first and the last */
    f->source.bad_to = 4 * FILLS;
    r = dec(f, &o);
    assert_int_equal(r.divergences, 3);
    assert_int_equal(r.updates, 0);
    kb_network_get(&f->net, after);
    assert_memory_equal(before, after, count * sizeof *before);
    kb_dec_result_clear(&r);
    free(before);
    free(after);
}

static void embeddings_that_are_not_finite_at_first_are_an_error(void **state)
{
    struct fixture *f = *state;
    kb_dec_options o = options_of(f);
    kb_dec_result r;
    f->source.bad_to = SIZE_MAX;
    assert_int_equal(kb_dec_train(&r, &f->net, &f->source.base, &o, NULL, NULL, NULL),
                     KB_ERR_NUMERIC);
    assert_null(r.centroids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_centroid_gets_half_of_the_widest_cluster),
        cmocka_unit_test(points_all_alike_leave_a_centroid_empty),
        cmocka_unit_test(coincident_centroids_become_one),
        cmocka_unit_test(centroids_that_lie_apart_stay_apart),
        cmocka_unit_test(a_centroid_near_the_origin_is_a_catch_all),
        cmocka_unit_test(a_centroid_of_the_undecided_is_a_catch_all),
        cmocka_unit_test(never_are_all_centroids_catch_alls),
        cmocka_unit_test_setup_teardown(centroids_far_from_everything_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(centroids_that_start_together_are_told_apart_or_merged,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_stop_rule_waits_for_the_least_updates, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_tolerance_all_epochs_are_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(divergence_goes_back_and_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(divergence_in_the_first_epoch_leaves_the_encoder_as_it_was,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(embeddings_that_are_not_finite_at_first_are_an_error,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests_name("dec", tests, NULL, NULL);
}
