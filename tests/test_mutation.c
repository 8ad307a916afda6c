/* mutation: what changes the first layer only where an object is, against mutated inputs that go
 * through the whole network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "model_private.h"
#include "model_support.h"
#include "mutation.h"
#include "pipeline.h"

enum { GROUPS = 2 };

struct fixture {
    char folder[256];
    kb_corpus *corpus;
    kb_model *model;
    size_t count, *sessions;
    uint32_t *group;
};

static kb_model *train(kb_corpus *corpus, kb_variant variant, kb_scale scale, kb_space space)
{
    kb_train_options o = kb_train_defaults();
    o.variant = variant;
    o.scale = scale;
    o.space = space;
    o.epochs = 4;
    o.dec_epochs = 1;
    o.hidden = 24;
    o.latent = 6;
    o.device = KB_DEVICE_CPU;
    kb_error err = {0};
    kb_model *model = NULL;
    if (kb_train(&model, corpus, &o, NULL, NULL, NULL, &err))
        fail_msg("%s", err.text);
    kb_calibrate_options c = kb_calibrate_defaults();
    kb_elbow elbow = {0};
    c.k = 4;
    if (kb_calibrate(model, corpus, &c, &elbow, NULL, NULL, &err))
        fail_msg("%s", err.text);
    kb_elbow_clear(&elbow);
    return model;
}

/* Every fifth session is in no group. */
static struct fixture open_fixture(kb_variant variant, kb_scale scale, kb_space space)
{
    struct fixture f = {0};
    f.corpus = generated_corpus_of(f.folder, sizeof f.folder, 60, 40, 16);
    f.model = train(f.corpus, variant, scale, space);
    f.sessions = kb_calloc(kb_corpus_sessions(f.corpus), sizeof *f.sessions);
    f.group = kb_calloc(kb_corpus_sessions(f.corpus), sizeof *f.group);
    for (size_t s = 0; s < kb_corpus_sessions(f.corpus); s++) {
        f.group[f.count] = s % 5 == 4 ? KB_NO_GROUP : (uint32_t)(s % GROUPS);
        f.sessions[f.count++] = s;
    }
    return f;
}

static void close_fixture(struct fixture *f)
{
    kb_model_free(f->model);
    kb_corpus_free(f->corpus);
    remove_folder(f->folder);
    free(f->sessions);
    free(f->group);
}

static const float *tensor(const kb_model *model, size_t t)
{
    return model->weights + model->layout.tensors[t].offset;
}

/* TO (n) = FROM (m) W (m x n) + BIAS. */
static void dense(double *to, const double *from, const float *w, const float *bias, size_t m,
                  size_t n)
{
    for (size_t j = 0; j < n; j++) {
        to[j] = (double)bias[j];
        for (size_t i = 0; i < m; i++)
            to[j] += from[i] * (double)w[i * n + j];
    }
}

/* The nearest centroid of input X (D); *MARGIN: how much nearer than the next, squared. */
static size_t nearest_of(const kb_model *model, const double *x, double *margin)
{
    const kb_layout *l = &model->layout;
    size_t dims = kb_features_dims(model->features);
    double y[4096] = {0}, h[64], mu[16], best = INFINITY;
    for (size_t d = 0; d < dims; d++) {
        double value = (x[d] - (double)model->basis.mean[d]) / model->basis.scale;
        for (size_t i = 0; i < model->basis.rank; i++)
            y[i] += value * (double)model->basis.vectors[d * model->basis.rank + i];
        if (!model->basis.rank)
            y[d] = value;
    }
    dense(h, y, tensor(model, KB_ENC1_W), tensor(model, KB_ENC1_B), l->inputs, l->hidden);
    for (size_t i = 0; i < l->hidden; i++)
        h[i] = l->vae ? (h[i] > 0 ? h[i] : expm1(h[i])) : tanh(h[i]);
    dense(mu, h, tensor(model, KB_MU_W), tensor(model, KB_MU_B), l->hidden, l->latent);
    size_t nearest = 0;
    *margin = INFINITY;
    for (size_t c = 0; c < model->clusters; c++) {
        double d2 = 0;
        for (size_t i = 0; i < l->latent; i++) {
            double off = mu[i] - (double)model->centroids[c * l->latent + i];
            d2 += off * off;
        }
        if (d2 < best) {
            *margin = best - d2;
            best = d2;
            nearest = c;
        } else {
            *margin = fmin(*margin, d2 - best);
        }
    }
    return nearest;
}

/* The session's input, all of them: N x D. */
static double *inputs_of(const struct fixture *f, size_t dims)
{
    kb_view *view;
    assert_int_equal(kb_view_create(&view, f->model->features, f->corpus, NULL), KB_OK);
    float *row = kb_calloc(dims, sizeof *row);
    double *x = kb_calloc(f->count * dims, sizeof *x);
    for (size_t i = 0; i < f->count; i++) {
        kb_view_row(view, f->sessions[i], row);
        for (size_t d = 0; d < dims; d++)
            x[i * dims + d] = (double)row[d];
    }
    free(row);
    kb_view_free(view);
    return x;
}

static bool is_there(const double *x, size_t w)
{
    for (size_t i = 0; i < w; i++) {
        if (x[i] != 0)
            return true;
    }
    return false;
}

static void to_unit(double *x, size_t dims)
{
    double norm2 = 0;
    for (size_t d = 0; d < dims; d++)
        norm2 += x[d] * x[d];
    for (size_t d = 0; d < dims && norm2 > 0; d++)
        x[d] /= sqrt(norm2);
}

/* CURVE (w): the object's mean over the sessions that have it. */
static void mean_curve(double *curve, const struct fixture *f, const double *x, size_t object,
                       size_t j, size_t w, size_t dims)
{
    size_t have = 0;
    memset(curve, 0, w * sizeof *curve);
    for (size_t i = 0; i < f->count; i++) {
        kb_series series;
        if (!kb_store_find_series(kb_corpus_store(f->corpus), f->sessions[i], (uint32_t)object,
                                  &series))
            continue;
        have++;
        for (size_t c = 0; c < w; c++)
            curve[c] += x[i * dims + j * w + c];
    }
    for (size_t c = 0; c < w && have; c++)
        curve[c] /= (double)have;
}

/* Counts that may be off because a session lies between two centroids. */
struct tally {
    kb_mutation counts[GROUPS];
    size_t unclear, flips;
};

static void mutate_session(struct tally *t, const struct fixture *f, const double *x, size_t i,
                           uint32_t object, size_t j, const double *curve)
{
    size_t w = kb_features_width(f->model->features), dims = kb_features_dims(f->model->features);
    double changed[4096], margin, before_margin;
    kb_series series;
    kb_mutation *of = &t->counts[f->group[i]];
    bool has = kb_store_find_series(kb_corpus_store(f->corpus), f->sessions[i], object, &series);
    if (!has && !is_there(curve, w))
        return;
    memcpy(changed, x, dims * sizeof *changed);
    for (size_t c = 0; c < w; c++)
        changed[j * w + c] = has ? 0 : curve[c];
    if (kb_scale_is_unit(kb_features_scale(f->model->features)))
        to_unit(changed, dims);
    bool flipped =
        nearest_of(f->model, changed, &margin) != nearest_of(f->model, x, &before_margin);
    *(has ? &of->zeroed : &of->injected) += 1;
    *(has ? &of->zeroed_flips : &of->injected_flips) += flipped;
    t->unclear += fmin(margin, before_margin) < 1e-4;
    t->flips += flipped;
}

static size_t apart(uint32_t a, uint32_t b)
{
    return a > b ? a - b : b - a;
}

static void assert_counts(const kb_mutation *is, const kb_mutation *should, size_t unclear)
{
    assert_int_equal(is->zeroed, should->zeroed);
    assert_int_equal(is->injected, should->injected);
    if (apart(is->zeroed_flips, should->zeroed_flips) +
            apart(is->injected_flips, should->injected_flips) >
        unclear)
        fail_msg("object %u: %u of %u and %u of %u leave instead of %u and %u", is->object,
                 is->zeroed_flips, is->zeroed, is->injected_flips, is->injected,
                 should->zeroed_flips, should->injected_flips);
}

/* Returns how many flips there were. */
static size_t compare_with_whole_network(kb_variant variant, kb_scale scale, kb_space space)
{
    struct fixture f = open_fixture(variant, scale, space);
    size_t w = kb_features_width(f.model->features), dims = kb_features_dims(f.model->features);
    size_t unclear = 0, flips = 0;
    double *x = inputs_of(&f, dims), *curve = kb_calloc(w, sizeof *curve);
    kb_view *view;
    kb_mutations m;
    assert_int_equal(kb_view_create(&view, f.model->features, f.corpus, NULL), KB_OK);
    assert_int_equal(kb_mutations_of(&m, f.model, f.corpus, f.sessions, f.group, f.count, GROUPS,
                                     NULL, NULL, NULL),
                     KB_OK);
    assert_int_equal(m.objects, kb_features_objects(f.model->features));
    for (size_t o = 0; o < m.objects; o++) {
        struct tally t = {0};
        uint32_t object = m.rows[o].object;
        size_t j = kb_view_column(view, object);
        mean_curve(curve, &f, x, object, j, w, dims);
        for (size_t i = 0; i < f.count; i++) {
            if (f.group[i] != KB_NO_GROUP)
                mutate_session(&t, &f, x + i * dims, i, object, j, curve);
        }
        for (size_t g = 0; g < GROUPS; g++)
            assert_counts(&m.rows[g * m.objects + o], &t.counts[g], t.unclear);
        unclear += t.unclear;
        flips += t.flips;
    }
    assert_true(unclear < f.count * m.objects / 50);
    kb_mutations_clear(&m);
    kb_view_free(view);
    free(x);
    free(curve);
    close_fixture(&f);
    return flips;
}

static void mutations_in_the_row_space_are_those_of_the_whole_network(void **state)
{
    (void)state;
    assert_true(compare_with_whole_network(KB_VARIANT_AE_DEC, KB_SCALE_MINMAX, KB_SPACE_ROW) > 0);
    assert_true(compare_with_whole_network(KB_VARIANT_VAE, KB_SCALE_BINS_LOG, KB_SPACE_ROW) > 0);
}

static void mutations_on_the_inputs_are_those_of_the_whole_network(void **state)
{
    (void)state;
    assert_true(compare_with_whole_network(KB_VARIANT_VAE, KB_SCALE_MAX, KB_SPACE_INPUT) > 0);
}

static void a_session_of_unit_norm_is_scaled_to_it_anew(void **state)
{
    (void)state;
    assert_true(compare_with_whole_network(KB_VARIANT_AE, KB_SCALE_TRAJECTORY, KB_SPACE_ROW) > 0);
    assert_true(compare_with_whole_network(KB_VARIANT_AE, KB_SCALE_GROWTH_SD, KB_SPACE_ROW) > 0);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    struct fixture f = open_fixture(KB_VARIANT_AE, KB_SCALE_MINMAX, KB_SPACE_ROW);
    kb_pool *pool;
    kb_mutations one, three;
    assert_int_equal(kb_pool_create(&pool, 3, NULL), KB_OK);
    assert_int_equal(kb_mutations_of(&one, f.model, f.corpus, f.sessions, f.group, f.count, GROUPS,
                                     NULL, NULL, NULL),
                     KB_OK);
    assert_int_equal(kb_mutations_of(&three, f.model, f.corpus, f.sessions, f.group, f.count,
                                     GROUPS, pool, NULL, NULL),
                     KB_OK);
    assert_int_equal(one.objects, three.objects);
    assert_memory_equal(one.rows, three.rows, GROUPS * one.objects * sizeof *one.rows);
    kb_mutations_clear(&one);
    kb_mutations_clear(&three);
    kb_pool_free(pool);
    close_fixture(&f);
}

static void the_order_is_by_the_share_that_leaves(void **state)
{
    (void)state;
    kb_mutation rows[] = {{0, 4, 0, 6, 0}, {1, 4, 1, 6, 2}, {2, 4, 3, 6, 0}, {3, 9, 0, 1, 1}};
    kb_mutations m = {.groups = 1, .objects = 4, .rows = rows};
    size_t order[4];
    kb_mutations_order(&m, 0, order);
    assert_int_equal(order[0], 2);
    assert_int_equal(order[1], 1);
    assert_int_equal(order[2], 3);
    assert_int_equal(order[3], 0);
}

/* statsmodels: proportion_confint(7, 20, method="wilson"), (0, 20), (20, 20). */
static void the_interval_of_a_share_is_wilsons(void **state)
{
    (void)state;
    kb_share share = kb_share_of(7, 20);
    assert_true(share.value == .35);
    assert_true(fabs(share.low - 0.18119182410108203) < 1e-12);
    assert_true(fabs(share.high - 0.5671457233147638) < 1e-12);
    assert_true(kb_share_of(0, 20).low == 0);
    assert_true(fabs(kb_share_of(0, 20).high - 0.1611251580528194) < 1e-12);
    assert_true(fabs(kb_share_of(20, 20).low - (1 - 0.1611251580528194)) < 1e-12);
    assert_true(kb_share_of(20, 20).high == 1);
    assert_true(isnan(kb_share_of(0, 0).value));
}

/* Raises the flag when the work tells that it is mutating. */
static void raise_when_mutating(void *ctx, const kb_progress_state *where)
{
    if (strcmp(where->phase, "mutating objects") == 0 && where->done > 2)
        atomic_store((atomic_bool *)ctx, true);
}

static void it_can_be_cancelled(void **state)
{
    (void)state;
    struct fixture f = open_fixture(KB_VARIANT_AE, KB_SCALE_MINMAX, KB_SPACE_ROW);
    atomic_bool cancel = false;
    const kb_progress progress = {.report = raise_when_mutating, .ctx = &cancel, .cancel = &cancel};
    kb_mutations m;
    assert_int_equal(kb_mutations_of(&m, f.model, f.corpus, f.sessions, f.group, f.count, GROUPS,
                                     NULL, &progress, NULL),
                     KB_ERR_CANCELLED);
    assert_null(m.rows);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutations_in_the_row_space_are_those_of_the_whole_network),
        cmocka_unit_test(mutations_on_the_inputs_are_those_of_the_whole_network),
        cmocka_unit_test(a_session_of_unit_norm_is_scaled_to_it_anew),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(the_order_is_by_the_share_that_leaves),
        cmocka_unit_test(the_interval_of_a_share_is_wilsons),
        cmocka_unit_test(it_can_be_cancelled),
    };
    return cmocka_run_group_tests_name("mutation", tests, NULL, NULL);
}
