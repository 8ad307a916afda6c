/* Small corpora: sizes that they can bear, clear errors, and no crash whatever is tried first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appraisal.h"
#include "model_private.h"
#include "model_support.h"
#include "runs.h"

/* Loads SESSIONS sessions of OBJECTS objects and STEPS steps, read with a window of WINDOW steps;
 * readings from VALUE(session, object, step). */
static kb_corpus *corpus_of(char *folder, size_t sessions, size_t objects, size_t steps,
                            size_t window, size_t (*value)(size_t s, size_t o, size_t t))
{
    const char *base = getenv("TMPDIR");
    char path[512];
    snprintf(folder, 256, "%s/kb-small-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/metrics.csv", folder);
    FILE *f = fopen(path, "w");
    fputs("session,time,object,value\n", f);
    for (size_t s = 0; s < sessions; s++)
        for (size_t t = 0; t < steps; t++)
            for (size_t o = 0; o < objects; o++)
                fprintf(f, "s%zu,%zu,o%zu,%zu\n", s, t, o, value(s, o, t));
    fclose(f);
    kb_error err = {0};
    kb_corpus *corpus;
    kb_corpus_options options = kb_corpus_defaults();
    options.timesteps = window;
    if (kb_corpus_load(&corpus, folder, &options, NULL, &err))
        fail_msg("%s", err.text);
    return corpus;
}

static size_t mixed(size_t s, size_t o, size_t t)
{
    return (s * 7 + o * 5 + t * (s % 3 + 1) + s * o) % 11;
}

static size_t always_three(size_t s, size_t o, size_t t)
{
    (void)s, (void)o, (void)t;
    return 3;
}

static size_t one_of_two(size_t s, size_t o, size_t t)
{
    return (s % 2 == o % 2) * (t + 1);
}

static size_t nothing(size_t s, size_t o, size_t t)
{
    (void)s, (void)o, (void)t;
    return 0;
}

static kb_train_options quick(kb_variant variant)
{
    kb_train_options o = kb_train_defaults();
    o.variant = variant;
    o.epochs = 5;
    o.device = KB_DEVICE_CPU;
    return o;
}

/* All that train does; *MODEL is NULL on failure. */
static kb_status train(const kb_corpus *corpus, kb_variant variant, kb_model **model, kb_error *err)
{
    kb_train_options o = quick(variant);
    kb_calibrate_options calibration = kb_calibrate_defaults();
    kb_runs_result result;
    kb_elbow elbow;
    kb_status status =
        kb_train_runs(model, &elbow, &result, corpus, 1, &o, &calibration, NULL, NULL, NULL, err);
    kb_elbow_clear(&elbow);
    return status;
}

static void remove_corpus(kb_corpus *corpus, const char *folder)
{
    kb_corpus_free(corpus);
    remove_folder(folder);
}

static void fewer_than_five_sessions_are_told(void **state)
{
    (void)state;
    for (size_t n = 1; n < 5; n++) {
        char folder[256], wanted[64];
        kb_corpus *corpus = corpus_of(folder, n, 3, 4, 4, mixed);
        kb_error err = {0};
        kb_model *model;
        assert_int_equal(train(corpus, KB_VARIANT_VAE_DEC, &model, &err), KB_ERR_FORMAT);
        assert_null(model);
        snprintf(wanted, sizeof wanted, "%zu sessions to train on, but at least 5", n);
        assert_non_null(strstr(err.text, wanted));
        remove_corpus(corpus, folder);
    }
}

static void every_variant_bears_every_small_number_of_sessions(void **state)
{
    (void)state;
    for (size_t n = 5; n <= 23; n += n < 12 ? 1 : 11) {
        char folder[256];
        kb_corpus *corpus = corpus_of(folder, n, 3, 4, 4, mixed);
        for (int v = 0; v < KB_VARIANTS; v++) {
            kb_error err = {0};
            kb_model *model;
            if (train(corpus, (kb_variant)v, &model, &err))
                fail_msg("%zu sessions: %s", n, err.text);
            size_t fitted = kb_names_count(kb_model_fitted(model));
            assert_true(kb_model_latent(model) <= kb_model_inputs(model));
            assert_true(kb_model_latent(model) <= kb_model_hidden(model) / 2);
            assert_int_equal(kb_model_hidden(model), 32);
            assert_true(kb_model_dec_clusters(model) <= (fitted < 20 ? 2 : fitted / 10));
            assert_true(kb_model_clusters(model) < n);
            kb_model_free(model);
        }
        remove_corpus(corpus, folder);
    }
}

static void one_object_is_enough(void **state)
{
    (void)state;
    char folder[256];
    kb_corpus *corpus = corpus_of(folder, 10, 1, 2, 2, mixed);
    kb_error err = {0};
    kb_model *model;
    if (train(corpus, KB_VARIANT_VAE_DEC, &model, &err))
        fail_msg("%s", err.text);
    assert_true(kb_model_latent(model) <= 2);
    kb_model_free(model);
    remove_corpus(corpus, folder);
}

/* The space that two kinds of session span has one dimension. */
static void the_embedding_is_no_longer_than_the_rank(void **state)
{
    (void)state;
    char folder[256];
    kb_corpus *corpus = corpus_of(folder, 14, 2, 4, 4, one_of_two);
    kb_error err = {0};
    kb_model *model;
    if (train(corpus, KB_VARIANT_AE_DEC, &model, &err))
        fail_msg("%s", err.text);
    assert_int_equal(kb_model_inputs(model), 1);
    assert_int_equal(kb_model_latent(model), 1);
    assert_int_equal(kb_model_clusters(model), 2);
    kb_model_free(model);
    remove_corpus(corpus, folder);
}

static void sessions_all_alike_are_told(void **state)
{
    (void)state;
    char folder[256];
    kb_corpus *corpus = corpus_of(folder, 12, 2, 3, 3, always_three);
    kb_error err = {0};
    kb_model *model;
    assert_int_equal(train(corpus, KB_VARIANT_VAE_DEC, &model, &err), KB_ERR_NUMERIC);
    assert_non_null(strstr(err.text, "alike"));
    remove_corpus(corpus, folder);
}

static void readings_of_nothing_are_told(void **state)
{
    (void)state;
    char folder[256];
    kb_corpus *corpus = corpus_of(folder, 12, 2, 3, 3, nothing);
    kb_error err = {0};
    kb_model *model;
    assert_int_equal(train(corpus, KB_VARIANT_VAE_DEC, &model, &err), KB_ERR_FORMAT);
    assert_non_null(strstr(err.text, "no object is present"));
    remove_corpus(corpus, folder);
}

/* 70 objects of 5 steps in a window of 50: 350 of the 3,500 inputs are ever there. */
static void padding_does_not_count_for_the_hidden_layer(void **state)
{
    (void)state;
    char folder[256];
    kb_corpus *corpus = corpus_of(folder, 20, 70, 5, 50, mixed);
    kb_error err = {0};
    kb_model *model;
    kb_train_options o = quick(KB_VARIANT_AE);
    o.scale = KB_SCALE_MINMAX; /* on the steps, padding included */
    if (kb_train(&model, corpus, &o, NULL, NULL, NULL, &err))
        fail_msg("%s", err.text);
    assert_int_equal(kb_features_dims(kb_model_features(model)), 3500);
    assert_true(model->basis.used_dims <= 350 && model->basis.used_dims > 300);
    assert_int_equal(kb_model_hidden(model), model->basis.used_dims / 8);
    kb_model_free(model);
    remove_corpus(corpus, folder);
}

static void clustering_takes_a_hundred_updates_of_few_sessions(void **state)
{
    (void)state;
    char folder[256];
    kb_corpus *corpus = corpus_of(folder, 12, 3, 4, 4, mixed);
    kb_error err = {0};
    kb_model *model;
    if (train(corpus, KB_VARIANT_AE_DEC, &model, &err))
        fail_msg("%s", err.text);
    const char *line = strstr(kb_model_training_notes(model), "dec_updates=");
    assert_non_null(line);
    assert_true(strtoul(line + strlen("dec_updates="), NULL, 10) >= 100);
    kb_model_free(model);
    remove_corpus(corpus, folder);
}

static void count_notes(void *ctx, const char *text)
{
    size_t *found = ctx;
    found[0] += strstr(text, "too few sessions to tell") != NULL;
    found[1] += strstr(text, "weak: K-means") != NULL;
}

static void of_few_sessions_nothing_is_concluded(void **state)
{
    (void)state;
    char folder[256];
    kb_corpus *corpus = corpus_of(folder, 20, 3, 4, 4, mixed);
    kb_error err = {0};
    kb_model *model;
    size_t found[2] = {0};
    kb_appraisal a;
    if (train(corpus, KB_VARIANT_AE, &model, &err))
        fail_msg("%s", err.text);
    assert_int_equal(kb_appraise(&a, model, corpus, 1, NULL, NULL, NULL), KB_OK);
    assert_int_equal(kb_appraisal_tell(&a, model, count_notes, found, NULL), KB_OK);
    assert_int_equal(found[0], 1);
    assert_int_equal(found[1], 0);
    kb_model_free(model);
    remove_corpus(corpus, folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fewer_than_five_sessions_are_told),
        cmocka_unit_test(every_variant_bears_every_small_number_of_sessions),
        cmocka_unit_test(one_object_is_enough),
        cmocka_unit_test(the_embedding_is_no_longer_than_the_rank),
        cmocka_unit_test(sessions_all_alike_are_told),
        cmocka_unit_test(readings_of_nothing_are_told),
        cmocka_unit_test(padding_does_not_count_for_the_hidden_layer),
        cmocka_unit_test(clustering_takes_a_hundred_updates_of_few_sessions),
        cmocka_unit_test(of_few_sessions_nothing_is_concluded),
    };
    return cmocka_run_group_tests_name("small", tests, NULL, NULL);
}
