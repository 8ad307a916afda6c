/* novelty: what each part sees, p-values and thresholds by their definitions, and models from
 * before there was a training reference. */
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

#include "memory.h"
#include "model_support.h"
#include "modelfile.h"
#include "novelty.h"
#include "pipeline.h"
#include "rng.h"
#include "scores.h"

/* --- numbers ------------------------------------------------------------------------------ */

enum { KNOWN = 200 };

/* A model with nothing but a reference, or without. */
static kb_model bare_model(bool reference)
{
    return (kb_model){.reference = {.sessions = reference}};
}

static kb_readings readings_of(size_t n, uint64_t stream)
{
    kb_rng rng = kb_rng_start(3, KB_STREAM_TEST + 100 * stream);
    kb_readings r = {.count = n, .signals = kb_calloc(n, sizeof *r.signals)};
    for (size_t i = 0; i < n; i++)
        for (size_t s = 0; s < KB_SIGNALS; s++)
            r.signals[i].value[s] =
                s == KB_SIGNAL_UNSEEN ? 0 : 5 + (double)s + (double)kb_rng_normal(&rng);
    return r;
}

static void p_values_are_shares_of_known_sessions(void **state)
{
    (void)state;
    float novelty[] = {1, 2, 2, 4};
    const kb_known known = {.sessions = 4, .count = 4, .novelty = novelty};
    const double asked[][2] = {{0, 1}, {1, 1}, {1.5, .8}, {2, .8}, {3, .4}, {4, .4}, {5, .2}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        assert_true(fabs(kb_known_p_value(&known, asked[i][0]) - asked[i][1]) < 1e-12);
    assert_true(isnan(kb_known_p_value(&(kb_known){0}, 1)));
}

static void emerging_is_a_p_value_of_at_most_alpha(void **state)
{
    (void)state;
    const double alphas[] = {.01, .05, .1, .5};
    kb_model model = bare_model(true);
    kb_readings known = readings_of(KNOWN, 1), asked = readings_of(500, 2);
    for (size_t a = 0; a < sizeof alphas / sizeof *alphas; a++) {
        kb_novelty_fit fit;
        assert_int_equal(
            kb_novelty_fit_of(&fit, &model, &known, KB_NOVELTY_COMBINED, alphas[a], 1, NULL),
            KB_OK);
        size_t flagged = 0;
        for (size_t i = 0; i < asked.count; i++) {
            double novelty =
                kb_novelty_of(&asked.signals[i], fit.standards, &model, KB_NOVELTY_COMBINED);
            bool emerging = novelty > fit.threshold;
            assert_int_equal(emerging, kb_known_p_value(&fit.known, novelty) <= alphas[a] + 1e-12);
            flagged += emerging;
        }
        /* Sessions like the known ones: the share is alpha, within three deviations of both. */
        double share = (double)flagged / (double)asked.count;
        double deviation = sqrt(alphas[a] * (1 - alphas[a]) * (1. / KNOWN + 1. / 500));
        assert_true(fabs(share - alphas[a]) < 3 * deviation + 1. / KNOWN);
        double measured = (double)fit.known.flagged / KNOWN;
        assert_true(fabs(measured - alphas[a]) <= 10. / (KNOWN + 1.));
        kb_known_clear(&fit.known);
    }
    kb_readings_clear(&known);
    kb_readings_clear(&asked);
}

/* Two are a hundred deviations away, as sessions that belong nowhere are: median and spread are
 * those of the others, and the rest are flagged no less. */
static void unclassifiable_sessions_leave_the_scale_alone(void **state)
{
    (void)state;
    kb_model model = bare_model(true);
    kb_readings known = readings_of(KNOWN, 1);
    kb_novelty_fit clean, dirty;
    assert_int_equal(kb_novelty_fit_of(&clean, &model, &known, KB_NOVELTY_COMBINED, .05, 1, NULL),
                     KB_OK);
    known.signals[7].value[KB_SIGNAL_PRESENCE] += 100;
    known.signals[9].value[KB_SIGNAL_RESIDUAL] += 100;
    assert_int_equal(kb_novelty_fit_of(&dirty, &model, &known, KB_NOVELTY_COMBINED, .05, 1, NULL),
                     KB_OK);
    for (size_t s = 0; s < KB_SIGNALS; s++)
        assert_true(fabs(clean.standards[s].spread - dirty.standards[s].spread) < .1);
    assert_true(dirty.threshold < 1.5 * clean.threshold);
    kb_known_clear(&clean.known);
    kb_known_clear(&dirty.known);
    kb_readings_clear(&known);
}

static void each_part_adds_and_none_cancels(void **state)
{
    (void)state;
    kb_model model = bare_model(true), older = bare_model(false);
    kb_standard standards[KB_SIGNALS];
    kb_signals usual, strange, low;
    for (size_t s = 0; s < KB_SIGNALS; s++) {
        standards[s] = (kb_standard){.median = 2, .spread = .5};
        usual.value[s] = 2;
        low.value[s] = -100;
    }
    assert_true(kb_novelty_of(&usual, standards, &model, KB_NOVELTY_COMBINED) == 0);
    for (size_t s = 0; s < KB_SIGNALS; s++) {
        strange = low;
        strange.value[s] = 3; /* two spreads */
        double expected = 4 * kb_signal_weight(&model, s);
        assert_true(kb_novelty_of(&strange, standards, &model, KB_NOVELTY_COMBINED) == expected);
        assert_true(kb_novelty_of(&strange, standards, &older, KB_NOVELTY_COMBINED) ==
                    4 * kb_signal_weight(&older, s));
        strange.value[s] = 1e9; /* as far as thirty, and no farther */
        assert_true(kb_novelty_of(&strange, standards, &model, KB_NOVELTY_COMBINED) ==
                    900 * kb_signal_weight(&model, s));
    }
}

/* A part alone, all others being usual. */
static double novelty_of_part(const kb_model *model, const kb_standard standards[KB_SIGNALS],
                              size_t part, double value)
{
    kb_signals signals;
    for (size_t s = 0; s < KB_SIGNALS; s++)
        signals.value[s] = -1e6;
    signals.value[part] = value;
    return kb_novelty_of(&signals, standards, model, KB_NOVELTY_COMBINED);
}

/* A twentieth of the known sessions are far off in one part, as unclassifiable ones are: whatever
 * is as far there is as unusual as one in twenty to one in forty, and what is as far in another
 * part, where no known session is, is so by its distance. Beyond all of them distance counts again.
 */
static void what_known_sessions_are_too_is_less_novel(void **state)
{
    (void)state;
    kb_model model = bare_model(true);
    kb_readings known = readings_of(KNOWN, 1);
    kb_novelty_fit fit;
    model.reference.courses.classes = 1;
    for (size_t i = 0; i < KNOWN; i += 20)
        known.signals[i].value[KB_SIGNAL_NEIGHBOURS] += 10 + (double)i / 100;
    assert_int_equal(kb_novelty_fit_of(&fit, &model, &known, KB_NOVELTY_COMBINED, .05, 1, NULL),
                     KB_OK);
    const kb_standard *s = fit.standards;
    double there = s[KB_SIGNAL_NEIGHBOURS].median + 11, other = s[KB_SIGNAL_OUTLIER].median + 11;
    double common = sqrt(novelty_of_part(&model, s, KB_SIGNAL_NEIGHBOURS, there));
    assert_true(common > 1.6 && common < 2.3);
    assert_true(sqrt(novelty_of_part(&model, s, KB_SIGNAL_OUTLIER, other)) > 8);
    assert_true(sqrt(novelty_of_part(&model, s, KB_SIGNAL_NEIGHBOURS, there + 20)) > 10);
    double before = 0; /* it never falls */
    for (double x = 0; x < 30; x += .01) {
        double now = novelty_of_part(&model, s, KB_SIGNAL_NEIGHBOURS, x);
        assert_true(now >= before);
        before = now;
    }
    kb_known_clear(&fit.known);
    kb_readings_clear(&known);
}

/* E nats of evidence for the group of a typical session: E / (E + 18) of the weight. */
static void presence_weighs_by_how_well_groups_explain(void **state)
{
    (void)state;
    kb_model model = bare_model(true);
    kb_standard standards[KB_SIGNALS];
    const double medians[][2] = {{-6, .5}, {-18, .9}, {0, 0}, {2, 0}};
    model.reference.courses.classes = 1;
    for (size_t i = 0; i < sizeof medians / sizeof *medians; i++) {
        for (size_t s = 0; s < KB_SIGNALS; s++)
            standards[s] = (kb_standard){.median = medians[i][0], .spread = 1};
        double novelty = novelty_of_part(&model, standards, KB_SIGNAL_PRESENCE, medians[i][0] + 2);
        double weight = kb_signal_weight(&model, KB_SIGNAL_PRESENCE);
        assert_true(fabs(novelty - 4 * weight * medians[i][1]) < 1e-9);
    }
}

static void many_known_sessions_take_bounded_room(void **state)
{
    (void)state;
    enum { MANY = 3 * KB_KNOWN_MAX + 5 };
    kb_model model = bare_model(true);
    kb_readings known = readings_of(MANY, 4);
    kb_novelty_fit fit;
    assert_int_equal(kb_novelty_fit_of(&fit, &model, &known, KB_NOVELTY_COMBINED, .05, 1, NULL),
                     KB_OK);
    assert_int_equal(fit.known.sessions, MANY);
    assert_int_equal(fit.known.count, KB_KNOWN_MAX);
    assert_true(fabs(kb_known_p_value(&fit.known, fit.threshold) - .05) < .001);
    assert_true(kb_known_p_value(&fit.known, 1e9) == 1. / (MANY + 1.));
    kb_known_clear(&fit.known);
    kb_readings_clear(&known);
}

/* --- a trained model ---------------------------------------------------------------------- */

struct trained {
    char folder[256];
    kb_corpus *corpus;
    kb_model *model;
    kb_assignment *assigned;
    size_t sessions, *ids;
};

static void assign(struct trained *t)
{
    for (size_t i = 0; i < t->sessions; i++)
        t->ids[i] = i;
    assert_int_equal(
        kb_assign(t->assigned, t->model, t->corpus, t->ids, t->sessions, NULL, NULL, NULL), KB_OK);
}

static int set_up(void **state)
{
    static struct trained t;
    kb_train_options options = kb_train_defaults();
    kb_calibrate_options calibration = kb_calibrate_defaults();
    kb_elbow elbow;
    kb_error err = {0};
    options.scale = KB_SCALE_BINS_MAX;
    options.epochs = 5;
    options.device = KB_DEVICE_CPU;
    t.corpus = generated_corpus_of(t.folder, sizeof t.folder, 400, 80, 20);
    t.sessions = kb_corpus_sessions(t.corpus);
    t.ids = kb_calloc(t.sessions, sizeof *t.ids);
    t.assigned = kb_calloc(t.sessions, sizeof *t.assigned);
    if (kb_train(&t.model, t.corpus, &options, NULL, NULL, NULL, &err) ||
        kb_calibrate(t.model, t.corpus, &calibration, &elbow, NULL, NULL, &err))
        fail_msg("%s", err.text);
    kb_elbow_clear(&elbow);
    *state = &t;
    return 0;
}

static int tear_down(void **state)
{
    struct trained *t = *state;
    kb_model_free(t->model);
    kb_corpus_free(t->corpus);
    remove_folder(t->folder);
    free(t->ids);
    free(t->assigned);
    return 0;
}

static void sessions_of_new_objects_are_more_novel_than_known_ones(void **state)
{
    struct trained *t = *state;
    assign(t);
    double *novelty = kb_calloc(t->sessions, sizeof *novelty);
    bool *novel = kb_calloc(t->sessions, sizeof *novel);
    size_t n = 0;
    for (size_t i = 0; i < t->sessions; i++) {
        const kb_session *s = kb_corpus_session(t->corpus, i);
        if (s->split == KB_SPLIT_TRAIN || strcmp(s->label, "emerging-mix") == 0)
            continue; /* a new mix of so few objects is seldom new */
        novel[n] = s->split == KB_SPLIT_EMERGING;
        novelty[n++] = t->assigned[i].novelty;
        assert_true(t->assigned[i].p_value > 0 && t->assigned[i].p_value <= 1);
    }
    assert_true(kb_auroc(novelty, novel, n) > .9);
    free(novelty);
    free(novel);
}

static const char *path_of(const struct trained *t)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/model", t->folder);
    return path;
}

static void what_novelty_needs_comes_back_from_disk(void **state)
{
    struct trained *t = *state;
    kb_model *kept = t->model;
    kb_assignment *before = kb_calloc(t->sessions, sizeof *before);
    kb_error err;
    assign(t);
    memcpy(before, t->assigned, t->sessions * sizeof *before);
    if (kb_model_save(kept, path_of(t), &err) || kb_model_load(&t->model, path_of(t), &err))
        fail_msg("%s", err.text);
    assign(t);
    for (size_t i = 0; i < t->sessions; i++) {
        assert_true(before[i].novelty == t->assigned[i].novelty);
        assert_true(before[i].p_value == t->assigned[i].p_value);
    }
    size_t flagged, loaded;
    assert_int_equal(kb_model_known(kept, &flagged), kb_model_known(t->model, &loaded));
    assert_int_equal(flagged, loaded);
    kb_model_free(t->model);
    t->model = kept;
    free(before);
    unlink(path_of(t));
}

/* As models were before a reference and the novelties of known sessions were kept. */
static void older_models_do_with_the_parts_they_have(void **state)
{
    struct trained *t = *state;
    kb_model *kept = t->model;
    kb_calibrate_options calibration = kb_calibrate_defaults();
    kb_elbow elbow;
    kb_error err;
    if (kb_model_save(kept, path_of(t), &err) || kb_model_load(&t->model, path_of(t), &err))
        fail_msg("%s", err.text);
    kb_reference_clear(&t->model->reference);
    kb_known_clear(&t->model->known);
    if (kb_model_save(t->model, path_of(t), &err))
        fail_msg("%s", err.text);
    kb_model_free(t->model);
    if (kb_model_load(&t->model, path_of(t), &err))
        fail_msg("%s", err.text);
    assert_int_equal(t->model->reference.sessions, 0);
    assign(t);
    assert_true(isnan(t->assigned[0].p_value) && isfinite(t->assigned[0].novelty));
    assert_true(kb_signal_weight(t->model, KB_SIGNAL_DISTANCE) > 0);
    assert_true(kb_signal_weight(t->model, KB_SIGNAL_PRESENCE) <= 0);
    if (kb_calibrate(t->model, t->corpus, &calibration, &elbow, NULL, NULL, &err))
        fail_msg("%s", err.text);
    kb_elbow_clear(&elbow);
    assign(t);
    assert_true(t->assigned[0].p_value > 0);
    kb_model_free(t->model);
    t->model = kept;
    unlink(path_of(t));
}

/* As models were before courses and the upper halves of the parts were kept. */
static void models_without_courses_do_without(void **state)
{
    struct trained *t = *state;
    kb_model *kept = t->model;
    kb_error err;
    if (kb_model_save(kept, path_of(t), &err) || kb_model_load(&t->model, path_of(t), &err))
        fail_msg("%s", err.text);
    kb_courses_clear(&t->model->reference.courses);
    for (size_t s = 0; s < KB_SIGNALS; s++)
        t->model->signals[s].top = 0;
    if (kb_model_save(t->model, path_of(t), &err))
        fail_msg("%s", err.text);
    kb_model_free(t->model);
    if (kb_model_load(&t->model, path_of(t), &err))
        fail_msg("%s", err.text);
    assert_int_equal(t->model->reference.courses.classes, 0);
    assert_true(kb_signal_weight(t->model, KB_SIGNAL_COURSE) <= 0);
    assert_true(kb_signal_weight(t->model, KB_SIGNAL_PRESENCE) > 0);
    assign(t);
    assert_true(isfinite(t->assigned[0].novelty));
    kb_model_free(t->model);
    t->model = kept;
    unlink(path_of(t));
}

static void a_calibration_that_is_taken_back_leaves_nothing(void **state)
{
    struct trained *t = *state;
    kb_calibrate_options calibration = kb_calibrate_defaults();
    kb_clustering clustering;
    kb_elbow elbow;
    kb_error err;
    assign(t);
    double before = t->assigned[3].p_value;
    assert_int_equal(kb_clustering_copy(&clustering, t->model, NULL), KB_OK);
    calibration.split = KB_SPLIT_TRAIN;
    if (kb_calibrate(t->model, t->corpus, &calibration, &elbow, NULL, NULL, &err))
        fail_msg("%s", err.text);
    kb_elbow_clear(&elbow);
    kb_clustering_restore(&clustering, t->model);
    assign(t);
    assert_true(t->assigned[3].p_value == before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p_values_are_shares_of_known_sessions),
        cmocka_unit_test(emerging_is_a_p_value_of_at_most_alpha),
        cmocka_unit_test(unclassifiable_sessions_leave_the_scale_alone),
        cmocka_unit_test(each_part_adds_and_none_cancels),
        cmocka_unit_test(what_known_sessions_are_too_is_less_novel),
        cmocka_unit_test(presence_weighs_by_how_well_groups_explain),
        cmocka_unit_test(many_known_sessions_take_bounded_room),
        cmocka_unit_test(sessions_of_new_objects_are_more_novel_than_known_ones),
        cmocka_unit_test(what_novelty_needs_comes_back_from_disk),
        cmocka_unit_test(older_models_do_with_the_parts_they_have),
        cmocka_unit_test(models_without_courses_do_without),
        cmocka_unit_test(a_calibration_that_is_taken_back_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
