/* view_choice: planted groups are seen in the view that shows them, whatever the threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "corpus_files.h"
#include "rng.h"
#include "view_choice.h"

enum { OBJECTS = 24, STEPS = 12, TYPES = 6 };

/* SESSIONS of TYPES types: each has large amounts of some objects, other ones in each session, that
 * stay as they are, but for the one of its type, which grows by a part of that; and of others a
 * little, which comes and goes at random. */
static kb_corpus *leaking_corpus(char *folder, size_t size, size_t sessions)
{
    make_folder(folder, size);
    char path[1024];
    snprintf(path, sizeof path, "%s/metrics.csv", folder);
    FILE *file = fopen(path, "w");
    kb_rng rng = kb_rng_start(1, KB_STREAM_TEST);
    assert_non_null(file);
    fprintf(file, "session,time,object,value\n");
    for (size_t s = 0; s < sessions; s++) {
        for (size_t j = 0; j < OBJECTS; j++) {
            double level = 1000 * (1 + kb_rng_uniform(&rng)), turn = kb_rng_uniform(&rng);
            for (size_t i = 0; i < STEPS; i++) {
                double growth = j == s % TYPES ? 40 * (double)i : 0;
                double little = 20 * ((double)i < turn * STEPS) * kb_rng_uniform(&rng);
                fprintf(file, "s%03zu,%zu,o%zu,%.3f\n", s, i, j,
                        j < TYPES ? level + growth + kb_rng_uniform(&rng) : little);
            }
        }
    }
    assert_int_equal(fclose(file), 0);
    kb_corpus *corpus;
    assert_int_equal(kb_corpus_load(&corpus, folder, NULL, NULL, NULL), KB_OK);
    return corpus;
}

static kb_status choose(kb_view_choice *out, const kb_corpus *corpus, size_t threads,
                        const kb_progress *progress)
{
    const kb_view_choice_options options = {.min_presence = .01, .seed = 1};
    size_t ids[200], n = kb_corpus_sessions(corpus);
    kb_pool *pool;
    assert_int_equal(kb_pool_create(&pool, threads, NULL), KB_OK);
    for (size_t i = 0; i < n; i++)
        ids[i] = i;
    kb_status status = kb_view_choose(out, corpus, ids, n, &options, pool, progress, NULL);
    kb_pool_free(pool);
    return status;
}

static void leaks_are_seen_in_growth(void **state)
{
    (void)state;
    char folder[256];
    kb_corpus *corpus = leaking_corpus(folder, sizeof folder, 120);
    kb_view_choice choice;
    assert_int_equal(choose(&choice, corpus, 2, NULL), KB_OK);
    assert_int_equal(choice.scale, choice.views[0].scale);
    if (choice.scale != KB_SCALE_GROWTH && choice.scale != KB_SCALE_GROWTH_ROOT &&
        choice.scale != KB_SCALE_GROWTH_SD)
        fail_msg("the choice is %s", kb_scale_name(choice.scale));
    assert_true(choice.views[0].stability > .8 && choice.views[0].agreement > .8);
    for (size_t i = 0; i < choice.view_count; i++) {
        const kb_view_score *v = &choice.views[i];
        /* the mean of products, not the product of means */
        assert_float_equal(v->score, (v->agreement > 0 ? v->agreement : 0) * v->stability, .1);
        assert_true(v->score >= 0 && v->score <= 1);
        assert_true(i == 0 || v[-1].score >= v->score);
    }
    kb_corpus_free(corpus);
    remove_folder(folder);
}

static void the_choice_does_not_depend_on_threads(void **state)
{
    (void)state;
    char folder[256];
    kb_corpus *corpus = leaking_corpus(folder, sizeof folder, 60);
    kb_view_choice one, three;
    assert_int_equal(choose(&one, corpus, 1, NULL), KB_OK);
    assert_int_equal(choose(&three, corpus, 3, NULL), KB_OK);
    assert_int_equal(one.scale, three.scale);
    assert_int_equal(one.view_count, three.view_count);
    for (size_t i = 0; i < one.view_count; i++) {
        assert_int_equal(one.views[i].scale, three.views[i].scale);
        assert_true(one.views[i].score == three.views[i].score);
    }
    kb_corpus_free(corpus);
    remove_folder(folder);
}

static void few_sessions_say_nothing(void **state)
{
    (void)state;
    char folder[256];
    for (size_t n = 1; n <= 7; n += 3) {
        kb_corpus *corpus = leaking_corpus(folder, sizeof folder, n);
        kb_view_choice choice;
        assert_int_equal(choose(&choice, corpus, 1, NULL), KB_OK);
        assert_int_equal(choice.view_count, 0);
        assert_int_equal(choice.scale, KB_SCALE_BINS_MAX);
        kb_corpus_free(corpus);
        remove_folder(folder);
    }
}

static void it_can_be_cancelled(void **state)
{
    (void)state;
    char folder[256];
    kb_corpus *corpus = leaking_corpus(folder, sizeof folder, 60);
    const atomic_bool cancel = true;
    const kb_progress progress = {.cancel = &cancel};
    kb_view_choice choice;
    assert_int_equal(choose(&choice, corpus, 1, &progress), KB_ERR_CANCELLED);
    kb_corpus_free(corpus);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaks_are_seen_in_growth),
        cmocka_unit_test(the_choice_does_not_depend_on_threads),
        cmocka_unit_test(few_sessions_say_nothing),
        cmocka_unit_test(it_can_be_cancelled),
    };
    return cmocka_run_group_tests_name("view_choice", tests, NULL, NULL);
}
