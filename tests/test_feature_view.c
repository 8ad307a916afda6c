/* feature_view: the model's objects, padding and scaling, against values reckoned by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus_files.h"
#include "feature_view.h"

/* Four sessions, t = 4. Present: x in a b c, y in a, z in d, w in b; v is only ever 0. */
static const char metrics[] = "session,time,object,value\n"
                              "a,1,x,2\na,2,x,6\na,3,x,4\na,4,x,2\n"
                              "a,1,y,5\na,2,y,5\na,3,y,5\na,4,y,5\n"
                              "b,1,x,3\nb,2,x,9\nb,2,w,1\nb,2,v,0\n"
                              "c,1,x,7\n"
                              "d,9,z,1e30\nd,10,z,0\n";

static kb_corpus *load(size_t timesteps)
{
    char folder[256];
    kb_corpus *corpus;
    kb_corpus_options options = kb_corpus_defaults();
    options.timesteps = timesteps;
    make_folder(folder, sizeof folder);
    assert_int_equal(
        kb_corpus_load(&corpus, write_text(folder, "metrics.csv", metrics), &options, NULL, NULL),
        KB_OK);
    remove_folder(folder);
    return corpus;
}

static void expect_objects(const kb_corpus *corpus, size_t count, double min_presence,
                           const char *expected)
{
    static const size_t sessions[] = {0, 1, 2, 3};
    kb_features *f;
    char names[64] = "";
    assert_int_equal(
        kb_features_fit(&f, corpus, sessions, count, KB_SCALE_MINMAX, min_presence, NULL), KB_OK);
    for (size_t j = 0; j < kb_features_objects(f); j++)
        strcat(names, kb_features_object_name(f, j));
    assert_string_equal(names, expected);
    assert_int_equal(kb_features_dims(f), 4 * strlen(expected));
    assert_true(kb_features_min_presence(f) == min_presence);
    kb_features_free(f);
}

static void objects_are_those_present_often_enough(void **state)
{
    (void)state;
    kb_corpus *corpus = load(4);
    expect_objects(corpus, 4, 0, "wxyz"); /* v is never present */
    expect_objects(corpus, 4, 0.25, "wxyz");
    expect_objects(corpus, 4, 0.26, "x");
    expect_objects(corpus, 4, 0.75, "x");
    expect_objects(corpus, 3, 1.0, "x");
    expect_objects(corpus, 1, 0.01, "xy");
    kb_corpus_free(corpus);
}

static void a_fit_without_objects_is_refused(void **state)
{
    (void)state;
    static const size_t sessions[] = {0, 1, 2, 3};
    kb_corpus *corpus = load(4);
    kb_features *f;
    kb_error err;
    assert_int_equal(kb_features_fit(&f, corpus, sessions, 4, KB_SCALE_MAX, 1, &err),
                     KB_ERR_FORMAT);
    assert_int_equal(kb_features_fit(&f, corpus, sessions, 0, KB_SCALE_MAX, 0, &err),
                     KB_ERR_FORMAT);
    assert_int_equal(kb_features_fit(&f, corpus, sessions, 4, KB_SCALE_MAX, 1.5, &err),
                     KB_ERR_USAGE);
    assert_int_equal(kb_features_fit(&f, corpus, sessions, 4, KB_SCALE_MAX, NAN, &err),
                     KB_ERR_USAGE);
    assert_null(f);
    kb_corpus_free(corpus);
}

/* Seven of a hundred are 0.07, although 0.07 * 100 > 7 in doubles. */
static void the_threshold_is_met_exactly(void **state)
{
    (void)state;
    char folder[256], text[8192], *end = text;
    end += sprintf(end, "session,time,object,value\n");
    for (int s = 0; s < 100; s++)
        end += sprintf(end, "s%02d,1,%s,1\n", s, s < 7 ? "rare" : "common");
    make_folder(folder, sizeof folder);
    kb_corpus *corpus;
    assert_int_equal(kb_corpus_load(&corpus, write_text(folder, "m.csv", text), NULL, NULL, NULL),
                     KB_OK);
    size_t sessions[100];
    assert_int_equal(kb_corpus_select(corpus, KB_SPLIT_TRAIN, sessions), 100);
    kb_features *f;
    assert_int_equal(kb_features_fit(&f, corpus, sessions, 100, KB_SCALE_MAX, 0.07, NULL), KB_OK);
    assert_int_equal(kb_features_objects(f), 2);
    kb_features_free(f);
    kb_corpus_free(corpus);
    remove_folder(folder);
}

static void expect_row(const kb_view *view, size_t session, const float *expected, size_t count)
{
    float x[16];
    for (size_t i = 0; i < 16; i++)
        x[i] = -1;
    kb_view_row(view, session, x);
    for (size_t i = 0; i < count; i++)
        if (x[i] != expected[i])
            fail_msg("session %zu, x[%zu] = %g instead of %g", session, i, (double)x[i],
                     (double)expected[i]);
    for (size_t i = count; i < 16; i++)
        assert_true(x[i] == -1);
}

/* The model's objects x, y, and one that the corpus lacks. */
static kb_view *view_of(const kb_corpus *corpus, kb_scale scale, kb_features **features)
{
    static const char *const names[] = {"y", "gone", "x"};
    kb_view *view;
    assert_int_equal(kb_features_create(features, names, 3,
                                        &(kb_recipe){4, KB_FILL_ZERO, scale, 0.01, 0}, NULL, NULL),
                     KB_OK);
    assert_int_equal(kb_view_create(&view, *features, corpus, NULL), KB_OK);
    return view;
}

static void expect_rows(kb_scale scale, const float *a, const float *b, const float *c)
{
    static const float nothing[12] = {0};
    kb_corpus *corpus = load(4);
    kb_features *features;
    kb_view *view = view_of(corpus, scale, &features);
    expect_row(view, 0, a, 12);
    expect_row(view, 1, b, 12);
    expect_row(view, 2, c, 12);
    expect_row(view, 3, nothing, 12); /* only objects that the model does not know */
    assert_ptr_equal(kb_view_features(view), features);
    assert_ptr_equal(kb_view_corpus(view), corpus);
    kb_view_free(view);
    kb_features_free(features);
    kb_corpus_free(corpus);
}

static void minmax_scales_each_series_with_its_padding(void **state)
{
    (void)state;
    static const float a[] = {1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0.5f, 0}; /* y: constant */
    static const float b[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3.0f / 9, 1};
    static const float c[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    expect_rows(KB_SCALE_MINMAX, a, b, c);
}

static void max_divides_by_the_largest(void **state)
{
    (void)state;
    static const float a[] = {1, 1, 1, 1, 0, 0, 0, 0, 2.0f / 6, 1, 4.0f / 6, 2.0f / 6};
    static const float b[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3.0f / 9, 1};
    static const float c[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    expect_rows(KB_SCALE_MAX, a, b, c);
}

static void none_leaves_the_counts(void **state)
{
    (void)state;
    static const float a[] = {5, 5, 5, 5, 0, 0, 0, 0, 2, 6, 4, 2};
    static const float b[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 9};
    static const float c[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
    expect_rows(KB_SCALE_NONE, a, b, c);
}

static void blocks_are_the_rows_parts(void **state)
{
    (void)state;
    kb_corpus *corpus = load(4);
    const kb_store *store = kb_corpus_store(corpus);
    kb_features *features;
    kb_view *view = view_of(corpus, KB_SCALE_MINMAX, &features);
    size_t known = 0;
    for (size_t s = 0; s < 4; s++) {
        float row[12];
        kb_view_row(view, s, row);
        for (size_t i = 0; i < kb_store_series_count(store, s); i++) {
            float block[4] = {-1, -1, -1, -1};
            size_t j = kb_view_block(view, s, i, block);
            assert_int_equal(j, kb_view_column(view, kb_store_series(store, s, i).object));
            if (j == SIZE_MAX) {
                assert_true(block[0] == -1 && block[3] == -1);
                continue;
            }
            known++;
            assert_memory_equal(block, row + 4 * j, sizeof block);
        }
    }
    assert_int_equal(known, 4);
    assert_int_equal(kb_view_column(view, (uint32_t)kb_store_find_object(store, "y")), 0);
    assert_int_equal(kb_view_column(view, (uint32_t)kb_store_find_object(store, "z")), SIZE_MAX);
    kb_view_free(view);
    kb_features_free(features);
    kb_corpus_free(corpus);
}

static void extreme_counts_scale_into_range(void **state)
{
    (void)state;
    static const float values[][2] = {
        {FLT_MAX, 1}, {FLT_TRUE_MIN, 0}, {FLT_TRUE_MIN, 2 * FLT_TRUE_MIN}, {FLT_MAX, FLT_MAX}};
    for (size_t i = 0; i < 4; i++) {
        for (int scale = KB_SCALE_MINMAX; scale <= KB_SCALE_MAX; scale++) {
            kb_series series = {0, 0, 2, values[i]};
            float block[3];
            kb_scale_series((kb_scale)scale, &series, 2, 3, 0, block);
            float most = 0;
            for (size_t j = 0; j < 3; j++) {
                assert_true(block[j] >= 0 && block[j] <= 1);
                most = block[j] > most ? block[j] : most;
            }
            assert_true(most == 1);
            assert_true(block[0] == 0);
        }
    }
}

static void a_view_needs_the_same_timesteps_and_filling(void **state)
{
    (void)state;
    static const char *const names[] = {"x"};
    kb_corpus *corpus = load(3);
    kb_features *features;
    kb_view *view;
    kb_error err;
    assert_int_equal(kb_features_create(&features, names, 1,
                                        &(kb_recipe){4, KB_FILL_ZERO, KB_SCALE_MAX, 0, 0}, NULL,
                                        NULL),
                     KB_OK);
    assert_int_equal(kb_view_create(&view, features, corpus, &err), KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "3"));
    assert_non_null(strstr(err.text, "4"));
    assert_null(view);
    kb_features_free(features);
    const kb_recipe holding = {3, KB_FILL_HOLD, KB_SCALE_MAX, 0, 0};
    assert_int_equal(kb_features_create(&features, names, 1, &holding, NULL, NULL), KB_OK);
    assert_int_equal(kb_features_fill(features), KB_FILL_HOLD);
    assert_int_equal(kb_view_create(&view, features, corpus, &err), KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "hold"));
    kb_features_free(features);
    kb_corpus_free(corpus);
}

static void a_reading_is_made_that_of_the_recipe(void **state)
{
    (void)state;
    static const char *const names[] = {"x"};
    const kb_recipe recipe = {7, KB_FILL_HOLD, KB_SCALE_MAX, 0, 0};
    kb_features *features;
    kb_error err;
    assert_int_equal(kb_features_create(&features, names, 1, &recipe, NULL, NULL), KB_OK);
    kb_corpus_options reading = kb_corpus_defaults();
    assert_int_equal(kb_features_adopt(features, &reading, "m.kb", NULL), KB_OK);
    assert_int_equal(reading.timesteps, 7);
    assert_int_equal(reading.fill, KB_FILL_HOLD);
    reading.timesteps_given = reading.fill_given = true;
    assert_int_equal(kb_features_adopt(features, &reading, "m.kb", NULL), KB_OK);
    reading.fill = KB_FILL_ZERO;
    assert_int_equal(kb_features_adopt(features, &reading, "m.kb", &err), KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "--fill: zero contradicts m.kb"));
    reading.timesteps = 8;
    assert_int_equal(kb_features_adopt(features, &reading, "m.kb", &err), KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "--timesteps: 8 contradicts m.kb"));
    kb_features_free(features);
}

static void recipes_are_checked(void **state)
{
    (void)state;
    static const char *const twice[] = {"x", "y", "x"};
    const kb_recipe recipe = {4, KB_FILL_ZERO, KB_SCALE_MAX, 0, 0};
    kb_features *f;
    kb_error err;
    assert_int_equal(kb_features_create(&f, twice, 3, &recipe, NULL, &err), KB_ERR_FORMAT);
    assert_non_null(strstr(err.text, "'x'"));
    assert_int_equal(
        kb_features_create(&f, twice, 2, &(kb_recipe){.scale = KB_SCALE_MAX}, NULL, &err),
        KB_ERR_USAGE);
    assert_int_equal(kb_features_create(&f, twice, 2,
                                        &(kb_recipe){4, KB_FILL_ZERO, (kb_scale)KB_SCALES, 0, 0},
                                        NULL, &err),
                     KB_ERR_USAGE);
    assert_null(f);
    kb_scale scale;
    for (int i = 0; i < KB_SCALES; i++) {
        assert_true(kb_scale_parse(&scale, kb_scale_name((kb_scale)i)));
        assert_int_equal(scale, i);
    }
    assert_false(kb_scale_parse(&scale, "auto"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_those_present_often_enough),
        cmocka_unit_test(a_fit_without_objects_is_refused),
        cmocka_unit_test(the_threshold_is_met_exactly),
        cmocka_unit_test(minmax_scales_each_series_with_its_padding),
        cmocka_unit_test(max_divides_by_the_largest),
        cmocka_unit_test(none_leaves_the_counts),
        cmocka_unit_test(blocks_are_the_rows_parts),
        cmocka_unit_test(extreme_counts_scale_into_range),
        cmocka_unit_test(a_view_needs_the_same_timesteps_and_filling),
        cmocka_unit_test(a_reading_is_made_that_of_the_recipe),
        cmocka_unit_test(recipes_are_checked),
    };
    return cmocka_run_group_tests_name("feature_view", tests, NULL, NULL);
}
