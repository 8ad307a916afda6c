/* workbench: the stages run in order and hand out snapshots; requests wait; cancel and close are
 * quick and free everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model_support.h"
#include "modelfile.h"
#include "workbench.h"

static char folder[256];

static int set_up(void **state)
{
    (void)state;
    kb_corpus_free(generated_corpus(folder, sizeof folder));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(folder);
    return 0;
}

static kb_workbench_options quick(void)
{
    kb_workbench_options o = {.corpus = folder,
                              .reading = kb_corpus_defaults(),
                              .training = kb_train_defaults(),
                              .calibration = kb_calibrate_defaults(),
                              .map = kb_tsne_defaults(),
                              .runs = 2,
                              .threads = 2};
    o.reading.timesteps = 40;
    o.training.epochs = 10;
    o.training.dec_epochs = 3;
    o.training.device = KB_DEVICE_CPU;
    o.map.iterations = 300;
    return o;
}

static kb_workbench *open_bench(const kb_workbench_options *o)
{
    kb_error err;
    kb_workbench *wb;
    if (kb_workbench_open(&wb, o, &err))
        fail_msg("%s", err.text);
    return wb;
}

/* Follows the news until STAGE is reached; the test stops when nothing comes for 60 seconds. */
static kb_work_state run_until(kb_workbench *wb, kb_stage stage)
{
    kb_work_state state;
    for (;;) {
        kb_workbench_update(wb, &state);
        if (state.stage >= stage)
            return state;
        struct pollfd fd = {.fd = kb_workbench_fd(wb), .events = POLLIN};
        if (poll(&fd, 1, 60000) == 0)
            fail_msg("no news from stage %d", (int)state.stage);
    }
}

static void the_whole_chain_ends_with_clusters_and_a_map(void **state)
{
    (void)state;
    kb_workbench_options o = quick();
    kb_workbench *wb = open_bench(&o);
    assert_null(kb_workbench_corpus(wb));
    assert_null(kb_workbench_findings(wb));
    kb_work_state s = run_until(wb, KB_STAGE_TRAIN);
    assert_non_null(kb_workbench_corpus(wb)); /* browsable while the model trains */
    s = run_until(wb, KB_STAGE_IDLE);
    if (s.paused_by_error)
        fail_msg("%s", s.job.error.text);
    assert_int_equal(s.log_rows, 2 * 13); /* of both runs */
    kb_train_row rows[30];
    assert_int_equal(kb_workbench_log(wb, 0, rows, 30), 2 * 13);
    assert_string_equal(rows[0].phase, "autoencoder");
    assert_string_equal(rows[12].phase, "dec");
    assert_int_equal(kb_workbench_log(wb, 2 * 13 - 1, rows, 20), 1);
    const kb_findings *f = kb_workbench_findings(wb);
    assert_non_null(f);
    assert_int_equal(f->k, kb_elbow_chosen(&f->elbow));
    assert_int_equal(f->sessions, 120);
    size_t members = 0;
    for (size_t i = 0; i < f->sessions; i++)
        members += f->assigned[i].cluster > 0;
    assert_int_equal(members, 120);
    const kb_map *map = kb_workbench_map(wb);
    assert_non_null(map);
    assert_int_equal(map->iteration, map->iterations);
    assert_true(isfinite(map->layout[0]));
    assert_true(map->serial > f->serial);
    kb_map_release(map);
    kb_findings_release(f);
    assert_true(kb_workbench_close(wb, 10));
}

static void another_k_makes_a_new_snapshot_and_leaves_the_old_one_alone(void **state)
{
    (void)state;
    kb_workbench_options o = quick();
    kb_workbench *wb = open_bench(&o);
    run_until(wb, KB_STAGE_IDLE);
    const kb_findings *before = kb_workbench_findings(wb);
    size_t k = before->k == 3 ? 4 : 3;
    kb_workbench_recalibrate(wb, k);
    run_until(wb, KB_STAGE_IDLE);
    const kb_findings *after = kb_workbench_findings(wb);
    assert_int_equal(after->k, k);
    assert_int_equal(kb_elbow_chosen(&after->elbow), k);
    assert_true(after->serial > before->serial);
    assert_int_not_equal(before->k, k);
    kb_findings_release(before);
    kb_findings_release(after);
    assert_true(kb_workbench_close(wb, 10));
}

static void a_saved_model_opens_without_training(void **state)
{
    (void)state;
    char path[512];
    kb_error err;
    snprintf(path, sizeof path, "%s/model.kb", folder);
    kb_workbench_options o = quick();
    kb_workbench *wb = open_bench(&o);
    assert_int_equal(kb_workbench_save_model(wb, path, &err), KB_ERR_USAGE);
    run_until(wb, KB_STAGE_IDLE);
    const kb_findings *trained = kb_workbench_findings(wb);
    assert_int_equal(kb_workbench_save_model(wb, path, &err), KB_OK);
    assert_true(kb_workbench_close(wb, 10));
    o.model = path;
    o.reading.timesteps = 100; /* the model knows better */
    wb = open_bench(&o);
    kb_work_state s = run_until(wb, KB_STAGE_IDLE);
    assert_false(s.paused_by_error);
    assert_int_equal(s.log_rows, 0);
    const kb_findings *loaded = kb_workbench_findings(wb);
    assert_int_equal(loaded->k, trained->k);
    for (size_t i = 0; i < loaded->sessions; i++)
        assert_int_equal(loaded->assigned[i].cluster, trained->assigned[i].cluster);
    kb_findings_release(trained);
    kb_findings_release(loaded);
    assert_true(kb_workbench_close(wb, 10));
    unlink(path);
}

static void a_failed_load_is_told(void **state)
{
    (void)state;
    kb_workbench_options o = quick();
    o.corpus = "/nonexistent/corpus";
    kb_workbench *wb = open_bench(&o);
    kb_work_state s = run_until(wb, KB_STAGE_IDLE);
    assert_true(s.paused_by_error);
    assert_non_null(strstr(s.job.error.text, "/nonexistent/corpus"));
    kb_workbench_recalibrate(wb, 3); /* nothing to do it with: ignored */
    kb_workbench_retrain(wb);
    kb_workbench_update(wb, &s);
    assert_int_equal(s.stage, KB_STAGE_IDLE);
    assert_true(kb_workbench_close(wb, 10));
}

static void training_can_be_cancelled_and_begun_again(void **state)
{
    (void)state;
    kb_workbench_options o = quick();
    o.training.epochs = 1000000;
    o.training.patience = 1000000;
    kb_workbench *wb = open_bench(&o);
    run_until(wb, KB_STAGE_TRAIN);
    kb_workbench_cancel(wb);
    kb_work_state s = run_until(wb, KB_STAGE_IDLE);
    assert_true(s.cancelled);
    assert_false(s.paused_by_error);
    assert_non_null(kb_workbench_corpus(wb));
    kb_workbench_retrain(wb);
    kb_workbench_update(wb, &s);
    assert_int_equal(s.stage, KB_STAGE_TRAIN);
    assert_true(kb_workbench_close(wb, 10)); /* in the middle of it */
}

static void a_retraining_asked_for_while_stopping_is_not_lost(void **state)
{
    (void)state;
    kb_workbench_options o = quick();
    o.training.epochs = 1000000;
    o.training.patience = 1000000;
    kb_workbench *wb = open_bench(&o);
    run_until(wb, KB_STAGE_TRAIN);
    kb_work_state s;
    kb_workbench_cancel(wb);
    kb_workbench_retrain(wb); /* before the worker has noticed */
    do {
        struct pollfd fd = {.fd = kb_workbench_fd(wb), .events = POLLIN};
        poll(&fd, 1, 1000);
        kb_workbench_update(wb, &s);
    } while (s.trainings < 2 && s.stage != KB_STAGE_IDLE);
    assert_int_equal(s.trainings, 2);
    assert_int_equal(s.stage, KB_STAGE_TRAIN);
    assert_true(kb_workbench_close(wb, 10));
}

static void a_k_asked_for_early_is_the_one_that_is_used(void **state)
{
    (void)state;
    kb_workbench_options o = quick();
    kb_workbench *wb = open_bench(&o);
    run_until(wb, KB_STAGE_IDLE);
    kb_workbench_retrain(wb);
    kb_workbench_recalibrate(wb, 5);
    kb_work_state s;
    kb_workbench_update(wb, &s);
    s = run_until(wb, KB_STAGE_IDLE);
    assert_false(s.paused_by_error);
    const kb_findings *f = kb_workbench_findings(wb);
    assert_int_equal(f->k, 5);
    kb_findings_release(f);
    assert_true(kb_workbench_close(wb, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_chain_ends_with_clusters_and_a_map),
        cmocka_unit_test(another_k_makes_a_new_snapshot_and_leaves_the_old_one_alone),
        cmocka_unit_test(a_saved_model_opens_without_training),
        cmocka_unit_test(a_failed_load_is_told),
        cmocka_unit_test(training_can_be_cancelled_and_begun_again),
        cmocka_unit_test(a_retraining_asked_for_while_stopping_is_not_lost),
        cmocka_unit_test(a_k_asked_for_early_is_the_one_that_is_used),
    };
    return cmocka_run_group_tests_name("workbench", tests, set_up, tear_down);
}
