/* runs: several seeds, their agreement, the medoid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model_support.h"
#include "runs.h"

static void the_medoid_agrees_most_with_the_others(void **state)
{
    (void)state;
    const double a[9] = {1, .2, .3, .2, 1, .9, .3, .9, 1};
    assert_int_equal(kb_medoid(a, 3), 2);
    const double pair[4] = {1, .5, .5, 1};
    assert_int_equal(kb_medoid(pair, 2), 0);
    const double alone[1] = {1};
    assert_int_equal(kb_medoid(alone, 1), 0);
    assert_true(fabs(kb_median_agreement(a, 3, 2) - .6) < 1e-12);
    assert_true(isnan(kb_median_agreement(alone, 1, 0)));
}

static void one_odd_run_hardly_moves_the_median(void **state)
{
    (void)state;
    const double a[16] = {1, .1, .9, .8, .1, 1, .2, .3, .9, .2, 1, .7, .8, .3, .7, 1};
    assert_true(fabs(kb_median_agreement(a, 4, 0) - .8) < 1e-12);
    assert_true(fabs(kb_median_agreement(a, 4, 1) - .2) < 1e-12);
}

struct fixture {
    char folder[256];
    kb_corpus *corpus;
    size_t rows, live, notes;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->corpus = generated_corpus(f->folder, sizeof f->folder);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    kb_corpus_free(f->corpus);
    remove_folder(f->folder);
    free(f);
    return 0;
}

static void count_row(void *ctx, const kb_train_row *row)
{
    struct fixture *f = ctx;
    f->rows++;
    assert_true(row->epoch >= 1);
}

static void count_live(void *ctx, const kb_train_row *row)
{
    (void)row;
    ((struct fixture *)ctx)->live++;
}

static void count_note(void *ctx, const char *text)
{
    struct fixture *f = ctx;
    f->notes += strncmp(text, "view '", 6) == 0;
}

static kb_train_options quick(void)
{
    kb_train_options o = kb_train_defaults();
    o.variant = KB_VARIANT_AE_DEC;
    o.epochs = 5;
    o.dec_epochs = 3;
    o.hidden = 16;
    o.latent = 4;
    o.device = KB_DEVICE_CPU;
    o.seed = 3;
    return o;
}

static kb_model *run(struct fixture *f, size_t runs, const kb_train_options *training,
                     kb_runs_result *result)
{
    kb_error err = {0};
    kb_model *model;
    kb_elbow elbow;
    kb_calibrate_options calibration = kb_calibrate_defaults();
    calibration.k = 4;
    calibration.seed = training->seed;
    const kb_train_observer observer = {
        .row = count_row, .note = count_note, .live = count_live, .ctx = f};
    f->rows = f->live = f->notes = 0;
    if (kb_train_runs(&model, &elbow, result, f->corpus, runs, training, &calibration, &observer,
                      NULL, NULL, &err))
        fail_msg("%s", err.text);
    assert_true(kb_model_calibrated(model));
    assert_true(elbow.count > 0);
    kb_elbow_clear(&elbow);
    return model;
}

static kb_assignment *assign(struct fixture *f, const kb_model *model)
{
    size_t n = kb_corpus_sessions(f->corpus);
    size_t *ids = calloc(n, sizeof *ids);
    kb_assignment *a = calloc(n, sizeof *a);
    for (size_t i = 0; i < n; i++)
        ids[i] = i;
    assert_int_equal(kb_assign(a, model, f->corpus, ids, n, NULL, NULL, NULL), KB_OK);
    free(ids);
    return a;
}

static void the_kept_model_is_what_its_seed_gives_alone(void **state)
{
    struct fixture *f = *state;
    kb_train_options o = quick();
    kb_runs_result several, alone;
    kb_model *kept = run(f, 3, &o, &several);
    assert_int_equal(f->rows, 5 + 3); /* of one run */
    assert_int_equal(f->notes, 1);    /* of one run */
    assert_true(several.seed >= 3 && several.seed <= 5);
    assert_true(several.agreement <= 1 && several.agreement >= -1);
    assert_true(several.kept_agreement >= several.agreement);
    const char *notes = kb_model_training_notes(kept);
    assert_non_null(strstr(notes, "\nruns=3\n"));
    assert_non_null(strstr(notes, "\nruns_agreement="));
    o.seed = several.seed;
    kb_model *single = run(f, 1, &o, &alone);
    assert_true(isnan(alone.agreement));
    assert_int_equal(f->notes, 1);
    assert_null(strstr(kb_model_training_notes(single), "runs"));
    kb_assignment *a = assign(f, kept), *b = assign(f, single);
    for (size_t i = 0; i < kb_corpus_sessions(f->corpus); i++) {
        assert_int_equal(a[i].cluster, b[i].cluster);
        assert_true(a[i].novelty == b[i].novelty || isnan(a[i].novelty));
    }
    free(a);
    free(b);
    kb_model_free(kept);
    kb_model_free(single);
}

static void cancelling_stops_all_runs(void **state)
{
    struct fixture *f = *state;
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    kb_train_options o = quick();
    kb_calibrate_options calibration = kb_calibrate_defaults();
    kb_runs_result result;
    kb_model *model;
    kb_elbow elbow;
    assert_int_equal(kb_train_runs(&model, &elbow, &result, f->corpus, 3, &o, &calibration, NULL,
                                   NULL, &progress, NULL),
                     KB_ERR_CANCELLED);
    assert_null(model);
}

static void a_small_corpus_is_trained_several_times_by_default(void **state)
{
    struct fixture *f = *state;
    kb_train_options o = quick();
    size_t runs = 0;
    assert_int_equal(kb_runs_auto(&runs, f->corpus, &o, NULL), KB_OK);
    assert_int_equal(runs, KB_RUNS_SMALL);
    o.time_limit = 1;
    assert_int_equal(kb_runs_auto(&runs, f->corpus, &o, NULL), KB_OK);
    assert_int_equal(runs, 1);
    o.time_limit = 0;
    kb_runs_result result;
    kb_model *model = run(f, 0, &o, &result);
    assert_int_equal(result.runs, KB_RUNS_SMALL);
    assert_int_equal(f->rows, 5 + 3);                   /* of the kept run */
    assert_int_equal(f->live, (5 + 3) * KB_RUNS_SMALL); /* of every run */
    kb_model_free(model);
}

static void too_many_runs_are_wrong_usage(void **state)
{
    struct fixture *f = *state;
    kb_error err;
    kb_train_options o = quick();
    kb_calibrate_options calibration = kb_calibrate_defaults();
    kb_runs_result result;
    kb_model *model;
    kb_elbow elbow;
    assert_int_equal(kb_train_runs(&model, &elbow, &result, f->corpus, KB_RUNS_MAX + 1, &o,
                                   &calibration, NULL, NULL, NULL, &err),
                     KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "--runs"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_medoid_agrees_most_with_the_others),
        cmocka_unit_test(one_odd_run_hardly_moves_the_median),
        cmocka_unit_test(the_kept_model_is_what_its_seed_gives_alone),
        cmocka_unit_test(cancelling_stops_all_runs),
        cmocka_unit_test(a_small_corpus_is_trained_several_times_by_default),
        cmocka_unit_test(too_many_runs_are_wrong_usage),
    };
    return cmocka_run_group_tests_name("runs", tests, set_up, tear_down);
}
