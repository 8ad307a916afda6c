/* baselines, appraisal: what weak models are told apart by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "appraisal.h"
#include "model_private.h"
#include "model_support.h"

struct fixture {
    char folder[256];
    kb_corpus *corpus;
    kb_model *model;
    char told[2048];
};

static void calibrate(struct fixture *f, size_t k)
{
    kb_error err = {0};
    kb_elbow elbow;
    kb_calibrate_options o = kb_calibrate_defaults();
    o.k = k;
    if (kb_calibrate(f->model, f->corpus, &o, &elbow, NULL, NULL, &err))
        fail_msg("%s", err.text);
    kb_elbow_clear(&elbow);
}

static void train(struct fixture *f, kb_space space, size_t k)
{
    kb_error err = {0};
    kb_train_options o = kb_train_defaults();
    o.variant = KB_VARIANT_AE_DEC;
    o.space = space;
    o.epochs = 20;
    o.hidden = 32;
    o.latent = 8;
    o.device = KB_DEVICE_CPU;
    if (kb_train(&f->model, f->corpus, &o, NULL, NULL, NULL, &err))
        fail_msg("%s", err.text);
    calibrate(f, k);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->corpus = generated_corpus(f->folder, sizeof f->folder);
    train(f, KB_SPACE_ROW, 4);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    kb_model_free(f->model);
    kb_corpus_free(f->corpus);
    remove_folder(f->folder);
    free(f);
    return 0;
}

static void hear(void *ctx, const char *text)
{
    struct fixture *f = ctx;
    strncat(f->told, text, sizeof f->told - strlen(f->told) - 2);
    strcat(f->told, "\n");
}

static kb_appraisal appraise(struct fixture *f)
{
    kb_error err = {0};
    kb_appraisal a;
    *f->told = '\0';
    if (kb_appraise(&a, f->model, f->corpus, 1, NULL, NULL, &err))
        fail_msg("%s", err.text);
    assert_int_equal(kb_appraisal_tell(&a, f->model, hear, f, NULL), KB_OK);
    return a;
}

static void in_range(const kb_appraised *a)
{
    assert_true(a->agreement >= -1 && a->agreement <= 1);
    assert_true(a->stability >= -1 && a->stability <= 1);
    assert_true(a->silhouette >= -1 && a->silhouette <= 1);
}

static void a_model_is_appraised_and_the_numbers_are_kept(void **state)
{
    struct fixture *f = *state;
    kb_appraisal a = appraise(f), again = appraise(f);
    assert_int_equal(a.clusters, 4);
    assert_true(a.sessions > 50);
    assert_true(a.largest_share > 0 && a.largest_share <= 1);
    in_range(&a.model);
    in_range(&a.baseline[0]);
    in_range(&a.baseline[1]);
    assert_true(a.model.agreement == again.model.agreement);
    assert_non_null(strstr(f->told, "agreement with clusterings of other kinds"));
    const char *notes = kb_model_training_notes(f->model);
    assert_non_null(strstr(notes, "\nmodel_agreement="));
    assert_non_null(strstr(notes, "\npresence_agreement="));
    assert_non_null(strstr(notes, "\ncomponents_presence_silhouette="));
}

/* All centroids but one are taken far away. */
static void one_cluster_of_nearly_all_is_told(void **state)
{
    struct fixture *f = *state;
    for (size_t i = f->model->layout.latent; i < 4 * f->model->layout.latent; i++)
        f->model->centroids[i] = 1e6F;
    kb_appraisal a = appraise(f);
    assert_true(a.largest_share == 1);
    assert_int_equal(a.largest, 1);
    assert_non_null(strstr(f->told, "weak: cluster 1 has 100% of the fitted sessions"));
    assert_true(fabs(a.model.agreement) < 1e-9);
    assert_non_null(strstr(f->told, "weak: K-means on presence does better"));
    calibrate(f, 4);
}

/* The first layer forgets its input: embeddings are noise of the size of a float's last digits. */
static void a_model_that_has_learnt_nothing_is_worse_than_presence(void **state)
{
    struct fixture *f = *state;
    const kb_tensor *w = &f->model->layout.tensors[KB_ENC1_W];
    float *copy = calloc(w->rows * w->cols, sizeof *copy), *at = f->model->weights + w->offset;
    memcpy(copy, at, w->rows * w->cols * sizeof *copy);
    memset(at, 0, w->rows * w->cols * sizeof *copy);
    kb_appraisal a = appraise(f);
    assert_true(kb_appraisal_worse(&a, KB_BASELINE_PRESENCE));
    assert_true(kb_appraisal_worse(&a, KB_BASELINE_COMPONENTS));
    memcpy(at, copy, w->rows * w->cols * sizeof *copy);
    free(copy);
}

static void what_is_not_known_is_not_weak(void **state)
{
    (void)state;
    kb_appraisal a = {.model.agreement = (double)NAN, .baseline[0].agreement = (double)NAN};
    assert_false(kb_appraisal_worse(&a, KB_BASELINE_PRESENCE));
    a.model.agreement = .4;
    a.baseline[0].agreement = .46;
    assert_true(kb_appraisal_worse(&a, KB_BASELINE_PRESENCE));
    a.baseline[0].agreement = .44; /* says little */
    assert_false(kb_appraisal_worse(&a, KB_BASELINE_PRESENCE));
}

static void baselines_assign_every_session(void **state)
{
    struct fixture *f = *state;
    size_t n = kb_corpus_sessions(f->corpus), used[5] = {0};
    kb_assignment *a = calloc(n, sizeof *a);
    for (size_t b = 0; b < KB_BASELINES_TOLD; b++) {
        assert_int_equal(
            kb_baseline_assign(a, f->model, f->corpus, (kb_baseline)b, 1, NULL, NULL, NULL), KB_OK);
        for (size_t i = 0; i < n; i++) {
            assert_in_range(a[i].cluster, 1, 4);
            assert_true(isnan(a[i].novelty));
            used[a[i].cluster]++;
        }
    }
    for (size_t j = 1; j <= 4; j++)
        assert_true(used[j] > 0);
    free(a);
}

static void components_of_a_model_without_a_basis_are_made(void **state)
{
    struct fixture *f = *state, other = {.corpus = f->corpus};
    train(&other, KB_SPACE_INPUT, 4);
    kb_appraisal a = appraise(&other);
    in_range(&a.baseline[KB_BASELINE_COMPONENTS]);
    kb_model_free(other.model);
}

/* Sessions s0, s1, ...: object o is there iff session and object are both even or both odd, plus
 * s % 3 everywhere; its reading at step t is t * (o + 1). */
static void vectors_are_what_the_readings_say(void **state)
{
    (void)state;
    struct fixture f = {0};
    f.corpus = plain_corpus(f.folder, sizeof f.folder, 24);
    train(&f, KB_SPACE_ROW, 3);
    size_t ids[24];
    float x[24 * 3];
    kb_baselines *b;
    for (size_t i = 0; i < 24; i++)
        ids[i] = i;
    assert_int_equal(kb_baselines_create(&b, f.model, f.corpus, ids, 24, NULL, NULL, NULL), KB_OK);
    assert_int_equal(kb_baselines_cols(b, KB_BASELINE_PRESENCE), 3);
    kb_matrix rows = kb_matrix_of(x, 24, 3);
    assert_int_equal(kb_baselines_rows(b, KB_BASELINE_PRESENCE, ids, 24, rows, NULL, NULL), KB_OK);
    for (size_t i = 0; i < 24; i++) {
        size_t s = strtoul(kb_corpus_session(f.corpus, i)->name + 1, NULL, 10);
        size_t present = s % 3 ? 3 : s % 2 ? 1 : 2;
        assert_true(x[i * 3] + x[i * 3 + 1] + x[i * 3 + 2] == (float)present);
    }
    assert_int_equal(kb_baselines_rows(b, KB_BASELINE_LEVELS, ids, 24, rows, NULL, NULL), KB_OK);
    for (size_t i = 0; i < 24 * 3; i++)
        assert_true(x[i] >= 0 && x[i] <= 1.000001F);
    assert_int_equal(kb_baselines_rows(b, KB_BASELINE_GROWTH, ids, 24, rows, NULL, NULL), KB_OK);
    for (size_t i = 0; i < 24; i++) {
        float norm =
            x[i * 3] * x[i * 3] + x[i * 3 + 1] * x[i * 3 + 1] + x[i * 3 + 2] * x[i * 3 + 2];
        assert_true(fabsf(norm - 1) < 1e-5F);
        for (size_t o = 0; o < 3; o++)
            assert_true(x[i * 3 + o] >= 0);
    }
    kb_baselines_free(b);
    kb_model_free(f.model);
    kb_corpus_free(f.corpus);
    remove_folder(f.folder);
}

static void cancelling_stops_an_appraisal(void **state)
{
    struct fixture *f = *state;
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    kb_appraisal a;
    assert_int_equal(kb_appraise(&a, f->model, f->corpus, 1, NULL, &progress, NULL),
                     KB_ERR_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_appraised_and_the_numbers_are_kept),
        cmocka_unit_test(one_cluster_of_nearly_all_is_told),
        cmocka_unit_test(a_model_that_has_learnt_nothing_is_worse_than_presence),
        cmocka_unit_test(what_is_not_known_is_not_weak),
        cmocka_unit_test(baselines_assign_every_session),
        cmocka_unit_test(components_of_a_model_without_a_basis_are_made),
        cmocka_unit_test(vectors_are_what_the_readings_say),
        cmocka_unit_test(cancelling_stops_an_appraisal),
    };
    return cmocka_run_group_tests_name("appraisal", tests, set_up, tear_down);
}
