/* train, modelfile, calibration: from a small generated corpus to a calibrated model on disk and
 * back. */
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

#include "model_support.h"
#include "modelfile.h"
#include "novelty.h"
#include "pipeline.h"

struct fixture {
    char folder[256];
    kb_corpus *corpus;
    size_t sessions, *all;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->corpus = generated_corpus(f->folder, sizeof f->folder);
    f->sessions = kb_corpus_sessions(f->corpus);
    f->all = calloc(f->sessions, sizeof *f->all);
    for (size_t i = 0; i < f->sessions; i++)
        f->all[i] = i;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    kb_corpus_free(f->corpus);
    remove_folder(f->folder);
    free(f->all);
    free(f);
    return 0;
}

static kb_train_options quick(kb_variant variant)
{
    kb_train_options o = kb_train_defaults();
    o.variant = variant;
    o.epochs = 12;
    o.dec_epochs = 3;
    o.hidden = 32;
    o.latent = 8;
    o.device = KB_DEVICE_CPU;
    return o;
}

static kb_model *train(struct fixture *f, const kb_train_options *o,
                       const kb_train_observer *observer)
{
    kb_error err = {0};
    kb_model *model = NULL;
    if (kb_train(&model, f->corpus, o, observer, NULL, NULL, &err))
        fail_msg("%s", err.text);
    return model;
}

static void calibrate(struct fixture *f, kb_model *model, size_t k)
{
    kb_error err = {0};
    kb_elbow elbow = {0};
    kb_calibrate_options o = kb_calibrate_defaults();
    o.k = k;
    if (kb_calibrate(model, f->corpus, &o, &elbow, NULL, NULL, &err))
        fail_msg("%s", err.text);
    if (k)
        assert_int_equal(kb_elbow_chosen(&elbow), k);
    assert_int_equal(kb_elbow_chosen(&elbow), kb_model_clusters(model));
    kb_elbow_clear(&elbow);
}

static kb_assignment *assign(struct fixture *f, const kb_model *model)
{
    kb_error err = {0};
    kb_assignment *a = calloc(f->sessions, sizeof *a);
    if (kb_assign(a, model, f->corpus, f->all, f->sessions, NULL, NULL, &err))
        fail_msg("%s", err.text);
    return a;
}

struct record {
    size_t autoencoder, dec;
    double first, last; /* validation */
    double first_loss, last_loss;
};

static void record_row(void *ctx, const kb_train_row *row)
{
    struct record *r = ctx;
    if (strcmp(row->phase, "dec") == 0) {
        r->dec++;
        assert_true(isfinite(row->clustering));
        return;
    }
    if (!r->autoencoder++) {
        r->first = row->validation;
        r->first_loss = row->loss;
    }
    r->last = row->validation;
    r->last_loss = row->loss;
    assert_int_equal(row->epoch, r->autoencoder);
}

static void every_variant_trains_and_learns(void **state)
{
    struct fixture *f = *state;
    for (int v = 0; v < KB_VARIANTS; v++) {
        struct record r = {0};
        kb_train_options o = quick((kb_variant)v);
        kb_model *model = train(f, &o, &(kb_train_observer){.row = record_row, .ctx = &r});
        assert_int_equal(r.autoencoder, 12);
        assert_int_equal(r.dec, kb_variant_has_dec((kb_variant)v) ? 3 : 0);
        assert_true(r.last < r.first);
        assert_int_equal(kb_model_latent(model), 8);
        assert_int_equal(kb_model_hidden(model), 32);
        kb_model_free(model);
    }
}

static void same_bytes(const kb_model *a, const kb_model *b, const char *folder)
{
    char one[512], two[512];
    snprintf(one, sizeof one, "%s/one.kb", folder);
    snprintf(two, sizeof two, "%s/two.kb", folder);
    assert_int_equal(kb_model_save(a, one, NULL), KB_OK);
    assert_int_equal(kb_model_save(b, two, NULL), KB_OK);
    FILE *f = fopen(one, "rb"), *g = fopen(two, "rb");
    int c;
    do {
        c = getc(f);
        assert_int_equal(c, getc(g));
    } while (c != EOF);
    fclose(f);
    fclose(g);
    unlink(one);
    unlink(two);
}

static void the_same_seed_gives_the_same_model_to_the_byte(void **state)
{
    struct fixture *f = *state;
    kb_train_options o = quick(KB_VARIANT_VAE_DEC);
    kb_model *a = train(f, &o, NULL), *b = train(f, &o, NULL);
    calibrate(f, a, 0);
    calibrate(f, b, 0);
    same_bytes(a, b, f->folder);
    kb_model_free(a);
    kb_model_free(b);
}

static void input_space_trains_too(void **state)
{
    struct fixture *f = *state;
    struct record r = {0};
    kb_train_options o = quick(KB_VARIANT_AE);
    o.space = KB_SPACE_INPUT;
    o.epochs = 60;
    kb_model *model = train(f, &o, &(kb_train_observer){.row = record_row, .ctx = &r});
    assert_int_equal(kb_model_inputs(model), kb_features_dims(kb_model_features(model)));
    assert_true(r.last < r.first);
    if (r.last_loss >= .8 * r.first_loss)
        fail_msg("training loss from %g to %g", r.first_loss, r.last_loss);
    calibrate(f, model, 3);
    free(assign(f, model));
    kb_model_free(model);
}

static void a_model_comes_back_from_disk_and_assigns_alike(void **state)
{
    struct fixture *f = *state;
    kb_error err = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/model.kb", f->folder);
    kb_train_options o = quick(KB_VARIANT_VAE_DEC);
    kb_model *model = train(f, &o, NULL), *loaded = NULL;
    calibrate(f, model, 4);
    assert_int_equal(kb_model_save(model, path, &err), KB_OK);
    if (kb_model_load(&loaded, path, &err))
        fail_msg("%s", err.text);
    kb_assignment *a = assign(f, model), *b = assign(f, loaded);
    for (size_t i = 0; i < f->sessions; i++) {
        assert_int_equal(a[i].cluster, b[i].cluster);
        assert_true(a[i].distance == b[i].distance || isnan(a[i].distance));
        assert_true(a[i].novelty == b[i].novelty || isnan(a[i].novelty));
        assert_int_equal(a[i].emerging, b[i].emerging);
    }
    assert_int_equal(kb_names_count(kb_model_fitted(model)),
                     kb_names_count(kb_model_fitted(loaded)));
    same_bytes(model, loaded, f->folder);
    unlink(path);
    free(a);
    free(b);
    kb_model_free(model);
    kb_model_free(loaded);
}

static kb_model *save_and_load(struct fixture *f, const kb_model *model)
{
    kb_error err = {0};
    kb_model *loaded;
    char path[512];
    snprintf(path, sizeof path, "%s/again.kb", f->folder);
    assert_int_equal(kb_model_save(model, path, NULL), KB_OK);
    if (kb_model_load(&loaded, path, &err))
        fail_msg("%s", err.text);
    unlink(path);
    return loaded;
}

static void catch_alls_are_kept_and_older_models_have_none(void **state)
{
    struct fixture *f = *state;
    kb_train_options o = quick(KB_VARIANT_AE_DEC);
    kb_model *model = train(f, &o, NULL);
    assert_true(kb_model_dec_clusters(model) >= 2);
    model->dec_traits[0].catch_all = false;
    model->dec_traits[1].catch_all = true;
    kb_model *loaded = save_and_load(f, model);
    for (size_t j = 0; j < kb_model_dec_clusters(model); j++) {
        assert_int_equal(kb_model_dec_catch_all(loaded, j), kb_model_dec_catch_all(model, j));
        assert_true(loaded->dec_traits[j].norm == model->dec_traits[j].norm);
        assert_true(loaded->dec_traits[j].confidence == model->dec_traits[j].confidence);
        assert_true(loaded->dec_traits[j].size == model->dec_traits[j].size);
    }
    kb_model_free(loaded);
    free(model->dec_traits); /* as a release without them wrote it */
    model->dec_traits = NULL;
    loaded = save_and_load(f, model);
    assert_null(loaded->dec_traits);
    assert_false(kb_model_dec_catch_all(loaded, 1));
    kb_model_free(loaded);
    kb_model_free(model);
}

static void clusters_are_numbered_by_size_from_one(void **state)
{
    struct fixture *f = *state;
    kb_train_options o = quick(KB_VARIANT_AE_DEC);
    kb_model *model = train(f, &o, NULL);
    calibrate(f, model, 4);
    assert_int_equal(kb_model_clusters(model), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(kb_model_cluster(model, i)->number, i + 1);
        if (i)
            assert_true(kb_model_cluster(model, i)->size <= kb_model_cluster(model, i - 1)->size);
    }
    kb_model_free(model);
}

static void recalibration_keeps_numbers_and_reuses_none(void **state)
{
    struct fixture *f = *state;
    kb_train_options o = quick(KB_VARIANT_AE_DEC);
    kb_model *model = train(f, &o, NULL);
    calibrate(f, model, 4);
    kb_assignment *before = assign(f, model);
    calibrate(f, model, 4);
    kb_assignment *after = assign(f, model);
    for (size_t i = 0; i < f->sessions; i++)
        assert_int_equal(before[i].cluster, after[i].cluster);
    calibrate(f, model, 5); /* one more than before: its number is new */
    assert_int_equal(kb_model_cluster(model, 4)->number, 5);
    calibrate(f, model, 2);
    uint32_t kept = kb_model_cluster(model, 0)->number;
    assert_true(kept <= 5);
    calibrate(f, model, 6);
    uint32_t largest = kb_model_cluster(model, 5)->number;
    assert_true(largest > 6); /* 2 were kept at most, so 4 are new, and 1..5 are taken for ever */
    free(before);
    free(after);
    kb_model_free(model);
}

static size_t flagged(struct fixture *f, kb_model *model, kb_novelty novelty, double false_alarms)
{
    kb_calibrate_options c = kb_calibrate_defaults();
    c.false_alarms = false_alarms;
    c.novelty = novelty;
    kb_elbow elbow;
    assert_int_equal(kb_calibrate(model, f->corpus, &c, &elbow, NULL, NULL, NULL), KB_OK);
    kb_elbow_clear(&elbow);
    size_t *ids = calloc(f->sessions, sizeof *ids);
    size_t n = kb_calibration_sessions(model, f->corpus, ids), count = 0;
    kb_assignment *a = assign(f, model);
    for (size_t i = 0; i < n; i++)
        count += a[ids[i]].emerging;
    for (size_t i = 0; i < f->sessions && novelty == KB_NOVELTY_DISTANCE; i++)
        assert_true(a[i].novelty == a[i].distance);
    assert_true((double)count <= false_alarms * (double)n);
    free(a);
    free(ids);
    return count;
}

static void no_more_known_sessions_are_flagged_than_asked(void **state)
{
    struct fixture *f = *state;
    kb_train_options o = quick(KB_VARIANT_VAE_DEC);
    kb_model *model = train(f, &o, NULL);
    for (int novelty = 0; novelty < KB_NOVELTIES; novelty++) {
        size_t few = flagged(f, model, (kb_novelty)novelty, .05);
        assert_true(flagged(f, model, (kb_novelty)novelty, .7) > few);
    }
    kb_model_free(model);
}

/* With many clusters on few sessions each centroid sits close to the sessions that it was made of.
 * Were they not measured as if left out, most of the others would look new. */
static void measured_as_if_left_out_most_other_sessions_are_not_flagged(void **state)
{
    struct fixture *f = *state;
    kb_train_options o = quick(KB_VARIANT_VAE_DEC);
    kb_model *model = train(f, &o, NULL);
    kb_calibrate_options c = kb_calibrate_defaults();
    kb_elbow elbow;
    c.k = 8;
    c.false_alarms = .2;
    c.novelty = KB_NOVELTY_DISTANCE;
    assert_int_equal(kb_calibrate(model, f->corpus, &c, &elbow, NULL, NULL, NULL), KB_OK);
    kb_elbow_clear(&elbow);
    kb_assignment *a = assign(f, model);
    size_t others = 0, alarms = 0;
    for (size_t i = 0; i < f->sessions; i++)
        if (kb_corpus_session(f->corpus, i)->split == KB_SPLIT_TRAIN) {
            others++;
            alarms += a[i].emerging;
        }
    if (2 * alarms > others)
        fail_msg("%zu of %zu flagged", alarms, others);
    free(a);
    kb_model_free(model);
}

static void numbers_that_are_not_finite_are_refused(void **state)
{
    struct fixture *f = *state;
    char path[512];
    kb_error err;
    snprintf(path, sizeof path, "%s/nan.kb", f->folder);
    kb_train_options o = quick(KB_VARIANT_AE);
    kb_model *model = train(f, &o, NULL), *loaded;
    model->weights[3] = NAN;
    assert_int_equal(kb_model_save(model, path, NULL), KB_OK);
    assert_int_equal(kb_model_load(&loaded, path, &err), KB_ERR_FORMAT);
    assert_non_null(strstr(err.text, "enc1.weight"));
    unlink(path);
    kb_model_free(model);
}

static void the_threshold_is_the_conformal_quantile(void **state)
{
    (void)state;
    double values[] = {9, 1, 8, 2, 7, 3, 6, 4, 5};
    assert_true(kb_conformal_threshold(values, 9, .2) == 8);  /* ceil(10 * .8) = 8th of 9 */
    assert_true(kb_conformal_threshold(values, 9, .05) == 9); /* the 10th: beyond, so the largest */
    assert_true(kb_conformal_threshold(values, 9, .5) == 5);
}

/* Few sessions, no splits, no labels: what a person tries first must work to the end. */
static void small_plain_corpora_are_trained_and_calibrated(void **state)
{
    (void)state;
    for (size_t n = 5; n <= 33; n += 7) {
        struct fixture f = {0};
        f.corpus = plain_corpus(f.folder, sizeof f.folder, n);
        f.sessions = n;
        f.all = calloc(n, sizeof *f.all);
        for (size_t i = 0; i < n; i++)
            f.all[i] = i;
        kb_train_options o = quick(KB_VARIANT_VAE_DEC);
        o.hidden = o.latent = 0;
        kb_model *model = train(&f, &o, NULL);
        calibrate(&f, model, 0);
        kb_assignment *a = assign(&f, model);
        for (size_t i = 0; i < n; i++)
            assert_true(a[i].cluster >= 1 && isfinite(a[i].novelty));
        free(a);
        kb_model_free(model);
        kb_corpus_free(f.corpus);
        remove_folder(f.folder);
        free(f.all);
    }
}

static void batches_may_be_larger_than_the_default(void **state)
{
    (void)state;
    struct fixture f = {0};
    f.corpus = generated_corpus_of(f.folder, sizeof f.folder, 400, 40, 10);
    kb_train_options o = quick(KB_VARIANT_AE_DEC);
    o.space = KB_SPACE_INPUT;
    o.batch = 400;
    o.epochs = 2;
    kb_model_free(train(&f, &o, NULL));
    kb_corpus_free(f.corpus);
    remove_folder(f.folder);
}

static void cancelling_stops_training(void **state)
{
    struct fixture *f = *state;
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    kb_train_options o = quick(KB_VARIANT_VAE_DEC);
    kb_model *model = (kb_model *)f;
    assert_int_equal(kb_train(&model, f->corpus, &o, NULL, NULL, &progress, NULL),
                     KB_ERR_CANCELLED);
    assert_null(model);
}

static void options_out_of_range_are_named(void **state)
{
    struct fixture *f = *state;
    kb_error err;
    kb_model *model;
    kb_train_options o = quick(KB_VARIANT_AE);
    o.energy = 1.5;
    assert_int_equal(kb_train(&model, f->corpus, &o, NULL, NULL, NULL, &err), KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "--energy"));
    o = quick(KB_VARIANT_AE);
    o.clusters = 1;
    assert_int_equal(kb_train(&model, f->corpus, &o, NULL, NULL, NULL, &err), KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "--clusters"));
    kb_elbow elbow = {0};
    o = quick(KB_VARIANT_AE);
    model = train(f, &o, NULL);
    kb_calibrate_options c = kb_calibrate_defaults();
    c.k = 9999;
    assert_int_equal(kb_calibrate(model, f->corpus, &c, &elbow, NULL, NULL, &err), KB_ERR_USAGE);
    assert_false(kb_model_calibrated(model));
    kb_assignment a;
    assert_int_equal(kb_assign(&a, model, f->corpus, f->all, 1, NULL, NULL, &err), KB_ERR_USAGE);
    kb_model_free(model);
}

/* What NOTES says on the line "adam=..." and the next. */
static void assert_steps(struct fixture *f, const kb_train_options *o, const char *expected)
{
    kb_model *model = train(f, o, NULL);
    if (!strstr(model->notes, expected))
        fail_msg("no '%s' in:\n%s", expected, model->notes);
    kb_model_free(model);
}

static void the_document_preset_steps_a_vae_like_the_dense_network(void **state)
{
    kb_train_options o = quick(KB_VARIANT_VAE);
    o.epochs = 2;
    assert_steps(*state, &o, "adam=plain\nweight_decay=0\n");
    o.preset = KB_PRESET_DOCUMENT;
    assert_steps(*state, &o, "adam=dense\nweight_decay=4\n");
    o.weight_decay = .5;
    o.adam = KB_ADAM_PLAIN;
    assert_steps(*state, &o, "adam=plain\nweight_decay=0.5\n");
    o = quick(KB_VARIANT_AE);
    o.epochs = 2;
    o.preset = KB_PRESET_DOCUMENT;
    assert_steps(*state, &o, "adam=plain\nweight_decay=0\n");
}

static void steps_and_decay_change_the_weights(void **state)
{
    struct fixture *f = *state;
    kb_train_options o = quick(KB_VARIANT_VAE), decaying = o, dense = o;
    decaying.weight_decay = 10;
    dense.adam = KB_ADAM_DENSE;
    kb_model *models[] = {train(f, &o, NULL), train(f, &decaying, NULL), train(f, &dense, NULL)};
    for (size_t i = 0; i < 3; i++) {
        assert_memory_not_equal(models[i]->weights, models[(i + 1) % 3]->weights,
                                models[i]->layout.parameters * sizeof(float));
    }
    for (size_t i = 0; i < 3; i++)
        kb_model_free(models[i]);
}

static void learning_rates_that_diverge_end_in_an_error_or_a_finite_model(void **state)
{
    struct fixture *f = *state;
    kb_train_options o = quick(KB_VARIANT_VAE);
    o.learning_rate = 1;
    o.kl_weight = 1000;
    kb_error err;
    kb_model *model;
    kb_status status = kb_train(&model, f->corpus, &o, NULL, NULL, NULL, &err);
    if (status) {
        assert_int_equal(status, KB_ERR_NUMERIC);
        return;
    }
    calibrate(f, model, 2);
    kb_assignment *a = assign(f, model);
    for (size_t i = 0; i < f->sessions; i++)
        assert_true(isfinite(a[i].distance) || !a[i].cluster);
    free(a);
    kb_model_free(model);
}

/* Every byte of the text sections' region damaged in turn would take long: a spread of places is.
 */
static void damaged_models_are_refused(void **state)
{
    struct fixture *f = *state;
    char path[512];
    kb_error err;
    snprintf(path, sizeof path, "%s/damaged.kb", f->folder);
    kb_train_options o = quick(KB_VARIANT_AE_DEC);
    kb_model *model = train(f, &o, NULL), *loaded;
    calibrate(f, model, 3);
    kb_model_save(model, path, NULL);
    FILE *file = fopen(path, "r+b");
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    for (long at = 64; at < size; at += size / 97 + 1) {
        unsigned char byte;
        fseek(file, at, SEEK_SET);
        assert_int_equal(fread(&byte, 1, 1, file), 1);
        byte ^= 0x10;
        fseek(file, at, SEEK_SET);
        fwrite(&byte, 1, 1, file);
        fflush(file);
        if (kb_model_load(&loaded, path, &err) == KB_OK)
            kb_model_free(loaded); /* padding */
        else
            assert_non_null(strstr(err.text, path));
        byte ^= 0x10;
        fseek(file, at, SEEK_SET);
        fwrite(&byte, 1, 1, file);
        fflush(file);
    }
    fclose(file);
    assert_int_equal(kb_model_load(&loaded, path, NULL), KB_OK);
    kb_model_free(loaded);
    unlink(path);
    kb_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_trains_and_learns),
        cmocka_unit_test(the_same_seed_gives_the_same_model_to_the_byte),
        cmocka_unit_test(input_space_trains_too),
        cmocka_unit_test(a_model_comes_back_from_disk_and_assigns_alike),
        cmocka_unit_test(catch_alls_are_kept_and_older_models_have_none),
        cmocka_unit_test(clusters_are_numbered_by_size_from_one),
        cmocka_unit_test(recalibration_keeps_numbers_and_reuses_none),
        cmocka_unit_test(no_more_known_sessions_are_flagged_than_asked),
        cmocka_unit_test(measured_as_if_left_out_most_other_sessions_are_not_flagged),
        cmocka_unit_test(numbers_that_are_not_finite_are_refused),
        cmocka_unit_test(the_threshold_is_the_conformal_quantile),
        cmocka_unit_test(small_plain_corpora_are_trained_and_calibrated),
        cmocka_unit_test(batches_may_be_larger_than_the_default),
        cmocka_unit_test(cancelling_stops_training),
        cmocka_unit_test(options_out_of_range_are_named),
        cmocka_unit_test(the_document_preset_steps_a_vae_like_the_dense_network),
        cmocka_unit_test(steps_and_decay_change_the_weights),
        cmocka_unit_test(learning_rates_that_diverge_end_in_an_error_or_a_finite_model),
        cmocka_unit_test(damaged_models_are_refused),
    };
    return cmocka_run_group_tests_name("train", tests, set_up, tear_down);
}
