/* no memory, once a corpus is loaded: whichever allocation fails, the elbow, a calibration, groups
 * of emerging sessions and drift end well or with KB_ERR_MEMORY, and give back all that they took.
 * A calibration that fails leaves the model as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus_files.h"
#include "drift.h"
#include "emerging.h"
#include "emerging_objects.h"
#include "failing_memory.h"
#include "memory.h"
#include "model_private.h"
#include "pipeline.h"
#include "rng.h"
#include "train.h"

#if defined(__GLIBC__) && !defined(KB_SANITIZED)

enum {
    TYPES = 2,
    KNOWN = 48,
    NEW = 8, /* with objects of their own */
    SESSIONS = KNOWN + NEW,
    TYPICAL = 6 /* objects of a type */
};

struct fixture {
    kb_corpus *corpus;
    kb_model *model;
    size_t ids[SESSIONS];
    kb_assignment assigned[SESSIONS];
};

/* --- a corpus and its model --------------------------------------------------------------- */

static void write_session(FILE *f, size_t session, kb_rng *rng)
{
    size_t type = session < KNOWN ? session % TYPES : TYPES;
    for (size_t o = 0; o < TYPICAL; o++)
        if (kb_rng_below(rng, 10))
            fprintf(f, "s%02zu,1,o%zu-%zu,%d\n", session, type, o, 1 + (int)kb_rng_below(rng, 9));
    fprintf(f, "s%02zu,1,always,1\n", session);
}

static void load(struct fixture *f)
{
    char folder[256], *text;
    size_t size;
    kb_corpus_options reading = kb_corpus_defaults();
    kb_rng rng = kb_rng_start(3, KB_STREAM_TEST);
    FILE *file = open_memstream(&text, &size);
    fputs("session,time,object,value\n", file);
    for (size_t s = 0; s < SESSIONS; s++)
        write_session(file, s, &rng);
    fclose(file);
    make_folder(folder, sizeof folder);
    write_bytes(folder, "metrics.csv", text, size);
    write_text(folder, "sessions.csv",
               "session,split\ns48,emerging\ns49,emerging\ns50,emerging\n"
               "s51,emerging\ns52,emerging\ns53,emerging\ns54,emerging\n"
               "s55,emerging\ns00,validation\ns05,validation\n"
               "s10,validation\ns15,validation\ns20,validation\n"
               "s25,validation\n");
    free(text);
    assert_int_equal(kb_corpus_load(&f->corpus, folder, &reading, NULL, NULL), KB_OK);
    remove_folder(folder);
}

static kb_calibrate_options calibrating(void)
{
    kb_calibrate_options options = kb_calibrate_defaults();
    options.kmax = 3;
    options.bootstraps = 1;
    return options;
}

static int open_fixture(void **state)
{
    static struct fixture f;
    kb_error err = {0};
    kb_elbow elbow = {0};
    kb_train_options options = kb_train_defaults();
    kb_calibrate_options calibration = calibrating();
    options.scale = KB_SCALE_MINMAX;
    options.epochs = 5;
    options.dec_epochs = 2;
    options.hidden = 8;
    options.latent = 3;
    options.clusters = 4;
    options.device = KB_DEVICE_CPU;
    load(&f);
    if (kb_train(&f.model, f.corpus, &options, NULL, NULL, NULL, &err) ||
        kb_calibrate(f.model, f.corpus, &calibration, &elbow, NULL, NULL, &err))
        fail_msg("%s", err.text);
    kb_elbow_clear(&elbow);
    for (size_t s = 0; s < SESSIONS; s++)
        f.ids[s] = s;
    assert_int_equal(kb_assign(f.assigned, f.model, f.corpus, f.ids, SESSIONS, NULL, NULL, NULL),
                     KB_OK);
    for (size_t s = 0; s < SESSIONS; s++)
        f.assigned[s].emerging = s >= KNOWN;
    *state = &f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    kb_model_free(f->model);
    kb_corpus_free(f->corpus);
    return 0;
}

/* --- the work ----------------------------------------------------------------------------- */

typedef kb_status job(struct fixture *f);

/* Fails each allocation in turn until WORK needs none of them; returns how many that were. */
static size_t fail_each(struct fixture *f, job *work)
{
    assert_int_equal(work(f), KB_OK); /* what libraries allocate once and keep */
    for (long n = 0;; n++) {
        long before = atomic_load(&live);
        atomic_store(&until_fail, n);
        kb_status status = work(f);
        bool reached = atomic_exchange(&until_fail, -1) < 0;
        if (status != KB_OK && status != KB_ERR_MEMORY)
            fail_msg("allocation %ld fails with status %d", n, (int)status);
        if (atomic_load(&live) != before)
            fail_msg("allocation %ld: %ld are not given back", n, atomic_load(&live) - before);
        if (!reached) {
            assert_int_equal(status, KB_OK);
            return (size_t)n;
        }
    }
}

/* The same rows, whatever was short of memory on the way. */
static kb_status make_elbow(struct fixture *f)
{
    static kb_elbow_row first[2];
    kb_calibrate_options options = calibrating();
    kb_elbow elbow;
    kb_error err;
    kb_status status = kb_elbow_of(&elbow, f->model, f->corpus, &options, NULL, NULL, &err);
    if (status)
        return status;
    assert_int_equal(elbow.count, 2);
    if (!first[0].k)
        memcpy(first, elbow.rows, sizeof first);
    for (size_t i = 0; i < 2; i++) {
        assert_true(elbow.rows[i].davies_bouldin == first[i].davies_bouldin);
        assert_true(elbow.rows[i].calinski_harabasz == first[i].calinski_harabasz);
        assert_true(elbow.rows[i].silhouette == first[i].silhouette);
        assert_true(elbow.rows[i].stability == first[i].stability);
        assert_true(elbow.rows[i].inertia == first[i].inertia);
    }
    kb_elbow_clear(&elbow);
    return KB_OK;
}

/* What it did is taken back, so that each calibration is the second one. */
static kb_status calibrate(struct fixture *f)
{
    kb_calibrate_options options = calibrating();
    kb_elbow elbow = {0};
    kb_error err;
    kb_clustering before;
    uint32_t calibrations = kb_model_lineage(f->model)->calibrations;
    kb_status status = kb_clustering_copy(&before, f->model, &err);
    if (status)
        return status;
    status = kb_calibrate(f->model, f->corpus, &options, &elbow, NULL, NULL, &err);
    if (status)
        assert_int_equal(kb_model_lineage(f->model)->calibrations, calibrations);
    else
        kb_clustering_restore(&before, f->model);
    kb_clustering_clear(&before);
    kb_elbow_clear(&elbow);
    return status;
}

static kb_status group(struct fixture *f)
{
    kb_emerging emerging;
    kb_error err;
    kb_status status =
        kb_emerging_of(&emerging, f->model, f->corpus, f->assigned, NULL, 1, NULL, NULL, &err);
    if (status) {
        assert_int_equal(emerging.count, 0);
        return status;
    }
    kb_emerging_ranking ranking[SESSIONS] = {0};
    status =
        kb_emerging_rank(ranking, &emerging, f->model, f->corpus, f->assigned, 0, NULL, NULL, &err);
    kb_emerging_rankings_clear(ranking, emerging.count);
    kb_emerging_clear(&emerging);
    return status;
}

/* With too few known sessions, so that the model's stand for them. */
static kb_status group_alone(struct fixture *f)
{
    kb_assignment kept[SESSIONS];
    memcpy(kept, f->assigned, sizeof kept);
    for (size_t s = 0; s < KNOWN; s++)
        f->assigned[s].cluster = 0;
    kb_status status = group(f);
    memcpy(f->assigned, kept, sizeof kept);
    return status;
}

static kb_status drift(struct fixture *f)
{
    kb_drift_options options = kb_drift_defaults();
    kb_drift drift;
    kb_error err;
    kb_status status = kb_drift_of(&drift, f->model, f->corpus, f->ids, f->assigned, SESSIONS,
                                   &options, NULL, &err);
    kb_drift_clear(&drift);
    return status;
}

/* --- the tests ---------------------------------------------------------------------------- */

static void any_allocation_may_fail_in_an_elbow(void **state)
{
    assert_true(fail_each(*state, make_elbow) > 50);
}

static void any_allocation_may_fail_in_a_calibration(void **state)
{
    assert_true(fail_each(*state, calibrate) > 50);
}

static void any_allocation_may_fail_in_grouping_emerging_sessions(void **state)
{
    assert_true(fail_each(*state, group) > 50);
    assert_true(fail_each(*state, group_alone) > 50);
}

static void any_allocation_may_fail_in_looking_for_drift(void **state)
{
    assert_true(fail_each(*state, drift) > 10);
}

int main(void)
{
    if (!is_ours()) {
        printf(
            "skip test_no_memory_core: another allocator is in place of the one that can fail\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail_in_an_elbow),
        cmocka_unit_test(any_allocation_may_fail_in_a_calibration),
        cmocka_unit_test(any_allocation_may_fail_in_grouping_emerging_sessions),
        cmocka_unit_test(any_allocation_may_fail_in_looking_for_drift),
    };
    return cmocka_run_group_tests_name("no_memory_core", tests, open_fixture, close_fixture);
}

#else

int main(void)
{
    printf("skip test_no_memory_core: the allocator is not ours to replace here\n");
    return 77;
}

#endif
