/* tsne_place: new points in a frozen map, against openTSNE's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "map.inc"
#include "tsne_place.h"

static kb_const_matrix reference(void)
{
    return kb_const_matrix_of(map_x, MAP_N, MAP_D);
}

static kb_const_matrix later(void)
{
    return kb_const_matrix_of(map_later, MAP_NEW, MAP_D);
}

static void assert_places(const float *places, const float *expected, float tolerance)
{
    for (size_t i = 0; i < 2 * MAP_NEW; i++)
        if (!(fabsf(places[i] - expected[i]) <= tolerance))
            fail_msg("%zu: %.9g instead of %.9g", i, (double)places[i], (double)expected[i]);
}

static void places_start_at_the_median_of_their_neighbours(void **state)
{
    (void)state;
    float places[2 * MAP_NEW];
    kb_place_options options = kb_place_defaults();
    options.iterations = 0;
    assert_int_equal(
        kb_tsne_place(places, later(), reference(), map_layout, &options, NULL, NULL, NULL), KB_OK);
    assert_places(places, map_start, 1e-5F);
}

static void places_are_those_of_opentsne(void **state)
{
    (void)state;
    float places[2 * MAP_NEW];
    kb_place_options options = kb_place_defaults();
    assert_int_equal(
        kb_tsne_place(places, later(), reference(), map_layout, &options, NULL, NULL, NULL), KB_OK);
    assert_places(places, map_placed, 0.01F);
}

static void a_quadtree_puts_them_nearly_there(void **state)
{
    (void)state;
    float places[2 * MAP_NEW];
    kb_place_options options = kb_place_defaults();
    options.exact_most = 0;
    assert_int_equal(
        kb_tsne_place(places, later(), reference(), map_layout, &options, NULL, NULL, NULL), KB_OK);
    assert_places(places, map_placed, 0.2F);
    options.theta = 0;
    assert_int_equal(
        kb_tsne_place(places, later(), reference(), map_layout, &options, NULL, NULL, NULL), KB_OK);
    assert_places(places, map_placed, 0.01F);
}

/* Whatever else is placed, and by however many threads. */
static void a_place_is_a_points_own(void **state)
{
    (void)state;
    for (size_t most = 0; most <= MAP_N; most += MAP_N) {
        float all[2 * MAP_NEW], one[2];
        kb_place_options options = kb_place_defaults();
        options.exact_most = most;
        kb_pool *pool;
        assert_int_equal(kb_pool_create(&pool, 3, NULL), KB_OK);
        assert_int_equal(
            kb_tsne_place(all, later(), reference(), map_layout, &options, pool, NULL, NULL),
            KB_OK);
        kb_pool_free(pool);
        for (size_t i = 0; i < MAP_NEW; i++) {
            kb_const_matrix x = kb_const_matrix_of(map_later + i * MAP_D, 1, MAP_D);
            assert_int_equal(
                kb_tsne_place(one, x, reference(), map_layout, &options, NULL, NULL, NULL), KB_OK);
            assert_true(fabsf(one[0] - all[2 * i]) <= 1e-4F);
            assert_true(fabsf(one[1] - all[2 * i + 1]) <= 1e-4F);
        }
    }
}

static void one_reference_point_is_enough(void **state)
{
    (void)state;
    const float map[2] = {3, -4};
    float places[2 * MAP_NEW];
    kb_place_options options = kb_place_defaults();
    kb_const_matrix only = kb_const_matrix_of(map_x, 1, MAP_D);
    assert_int_equal(kb_tsne_place(places, later(), only, map, &options, NULL, NULL, NULL), KB_OK);
    for (size_t i = 0; i < MAP_NEW; i++)
        assert_true(hypotf(places[2 * i] - 3, places[2 * i + 1] + 4) < 5);
    assert_int_equal(kb_tsne_place(places, kb_const_matrix_of(map_later, 0, MAP_D), only, map,
                                   &options, NULL, NULL, NULL),
                     KB_OK);
}

/* A point far outside stays in sight of the map: gradients are clipped. */
static void strangers_and_the_known_stay_in_the_map(void **state)
{
    (void)state;
    float x[2 * MAP_D], places[4], widest = 0;
    memcpy(x, map_x, MAP_D * sizeof *x); /* a reference point itself */
    for (size_t f = 0; f < MAP_D; f++)
        x[MAP_D + f] = 1e6F;
    for (size_t i = 0; i < 2 * MAP_N; i++)
        widest = fmaxf(widest, fabsf(map_layout[i]));
    kb_place_options options = kb_place_defaults();
    assert_int_equal(kb_tsne_place(places, kb_const_matrix_of(x, 2, MAP_D), reference(), map_layout,
                                   &options, NULL, NULL, NULL),
                     KB_OK);
    for (size_t i = 0; i < 4; i++)
        assert_true(fabsf(places[i]) <= 2 * widest);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    float places[2 * MAP_NEW], x[MAP_D] = {NAN};
    kb_error err;
    kb_place_options options = kb_place_defaults();
    kb_const_matrix none = kb_const_matrix_of(map_x, 0, MAP_D);
    kb_const_matrix narrow = kb_const_matrix_of(map_x, MAP_N, MAP_D - 1);
    assert_int_equal(kb_tsne_place(places, later(), none, map_layout, &options, NULL, NULL, &err),
                     KB_ERR_USAGE);
    assert_int_equal(kb_tsne_place(places, later(), narrow, map_layout, &options, NULL, NULL, &err),
                     KB_ERR_USAGE);
    assert_int_equal(kb_tsne_place(places, kb_const_matrix_of(x, 1, MAP_D), reference(), map_layout,
                                   &options, NULL, NULL, &err),
                     KB_ERR_NUMERIC);
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    assert_int_equal(
        kb_tsne_place(places, later(), reference(), map_layout, &options, NULL, &progress, &err),
        KB_ERR_CANCELLED);
    options.clip = 0;
    assert_int_equal(
        kb_tsne_place(places, later(), reference(), map_layout, &options, NULL, NULL, &err),
        KB_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_start_at_the_median_of_their_neighbours),
        cmocka_unit_test(places_are_those_of_opentsne),
        cmocka_unit_test(a_quadtree_puts_them_nearly_there),
        cmocka_unit_test(a_place_is_a_points_own),
        cmocka_unit_test(one_reference_point_is_enough),
        cmocka_unit_test(strangers_and_the_known_stay_in_the_map),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests_name("tsne_place", tests, NULL, NULL);
}
