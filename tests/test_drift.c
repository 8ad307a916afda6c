/* drift: sessions made up such that what has moved is known, and how far. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "corpus_files.h"
#include "drift.h"
#include "fdr.h"
#include "fisher.h"
#include "memory.h"
#include "model_private.h"
#include "stability.h"

/* Of a model's training sessions half have each object, its level evenly spread over five ranges;
 * but the last object, TIED, is that of cluster 1, which half of the sessions are in. */
enum { OBJECTS = 40, TIED = OBJECTS - 1, TRAINED = 400, KNOWN = 200, SESSIONS = 200, CLUSTERS = 2 };

static const double THRESHOLD = 195;

struct fixture {
    kb_model *model;
    kb_corpus *corpus;
    size_t ids[SESSIONS];
    kb_assignment assigned[SESSIONS];
    kb_drift drift;
};

static void make_reference(kb_reference *r)
{
    *r = (kb_reference){.sessions = TRAINED, .objects = OBJECTS};
    r->edges = kb_calloc(OBJECTS * (KB_LEVELS - 1), sizeof *r->edges);
    r->counts = kb_calloc(OBJECTS * KB_CLASSES, sizeof *r->counts);
    for (size_t o = 0; o < OBJECTS; o++) {
        for (size_t b = 0; b < KB_LEVELS - 1; b++)
            r->edges[o * (KB_LEVELS - 1) + b] = (float)log1p((double)b + 1);
        r->counts[o * KB_CLASSES] = (float)TRAINED / 2;
        for (size_t b = 1; b < KB_CLASSES; b++)
            r->counts[o * KB_CLASSES + b] = (float)TRAINED / 2 / KB_LEVELS;
    }
}

/* Two clusters of 100, of which 98 each are not above the threshold; novelties 0 to 199. */
static kb_model *make_model(void)
{
    kb_model *m = kb_model_create();
    kb_cluster *clusters = kb_calloc(CLUSTERS, sizeof *clusters);
    assert_non_null(m);
    clusters[0] = (kb_cluster){1, 100, THRESHOLD, 98, 2};
    clusters[1] = (kb_cluster){3, 100, THRESHOLD, 98, 2};
    kb_model_set_clusters(m, CLUSTERS, clusters, NULL);
    make_reference(&m->reference);
    for (size_t o = 0; o < OBJECTS; o++) {
        char name[16];
        int length = snprintf(name, sizeof name, "o%02zu", o);
        kb_names_add(m->seen, name, (size_t)length);
    }
    m->false_alarms = .05;
    m->known = (kb_known){.sessions = KNOWN, .count = KNOWN, .flagged = 2};
    m->known.novelty = kb_calloc(KNOWN, sizeof *m->known.novelty);
    for (size_t i = 0; i < KNOWN; i++)
        m->known.novelty[i] = (float)i;
    return m;
}

/* What is to be made of the sessions. */
struct plan {
    size_t moved;      /* objects of which nine in ten have one, instead of half */
    size_t risen;      /* objects, after those, of which all have the most */
    size_t emerging;   /* sessions, the last ones, which have an object of their own and no other */
    size_t first;      /* sessions of cluster 1; 0: half */
    double novelty;    /* added */
    bool without_rows; /* the sessions are in no cluster */
};

static bool in_first(const struct plan *p, size_t s)
{
    return s < (p->first ? p->first : SESSIONS / 2);
}

/* Each object is in the sessions that it is in at equal distances, so that shares are exact. */
static void write_session(FILE *f, const struct plan *p, size_t s)
{
    if (s >= SESSIONS - p->emerging) {
        fprintf(f, "s%03zu,1,novel,3\n", s);
        return;
    }
    fprintf(f, "s%03zu,1,always,1\n", s);
    for (size_t o = 0; o < OBJECTS; o++) {
        size_t at = (s + 3 * o) % 10;
        bool there = o == TIED ? in_first(p, s) : at < (o < p->moved ? 9U : 5U);
        bool risen = o >= p->moved && o < p->moved + p->risen;
        if (there)
            fprintf(f, "s%03zu,1,o%02zu,%zu\n", s, o, risen ? 5 : 1 + (s / 10 + at) % 5);
    }
}

static void start(struct fixture *f, const struct plan *p)
{
    char folder[256], *text;
    size_t size;
    kb_corpus_options reading = kb_corpus_defaults();
    FILE *file = open_memstream(&text, &size);
    *f = (struct fixture){.model = make_model()};
    kb_names_add(f->model->seen, "always", 6);
    fputs("session,time,object,value\n", file);
    for (size_t s = 0; s < SESSIONS; s++) {
        bool emerging = s >= SESSIONS - p->emerging;
        write_session(file, p, s);
        f->ids[s] = s;
        f->assigned[s] = (kb_assignment){
            .cluster = p->without_rows  ? 0
                       : in_first(p, s) ? 1
                                        : 3,
            .distance = 1 + (double)(s % 2),
            .novelty = emerging ? 1000 : fmin((double)(s * 37 % 196) + p->novelty, THRESHOLD),
            .emerging = emerging};
    }
    fclose(file);
    make_folder(folder, sizeof folder);
    write_bytes(folder, "metrics.csv", text, size);
    free(text);
    assert_int_equal(kb_corpus_load(&f->corpus, folder, &reading, NULL, NULL), KB_OK);
    remove_folder(folder);
}

/* "always" is in all sessions, those of training too. */
static void know_always(kb_reference *r)
{
    float *edges = kb_calloc((OBJECTS + 1) * (KB_LEVELS - 1), sizeof *edges);
    float *counts = kb_calloc((OBJECTS + 1) * KB_CLASSES, sizeof *counts);
    memcpy(edges, r->edges, OBJECTS * (KB_LEVELS - 1) * sizeof *edges);
    memcpy(counts, r->counts, OBJECTS * KB_CLASSES * sizeof *counts);
    for (size_t b = 0; b < KB_LEVELS - 1; b++)
        edges[OBJECTS * (KB_LEVELS - 1) + b] = (float)log1p(1.);
    counts[OBJECTS * KB_CLASSES + 1] = TRAINED;
    free(r->edges);
    free(r->counts);
    r->edges = edges;
    r->counts = counts;
    r->objects++;
}

static void compare(struct fixture *f, const struct plan *p)
{
    const kb_drift_options options = kb_drift_defaults();
    kb_error err = {0};
    start(f, p);
    know_always(&f->model->reference);
    if (kb_drift_of(&f->drift, f->model, f->corpus, f->ids, f->assigned, SESSIONS, &options, NULL,
                    &err))
        fail_msg("%s", err.text);
}

static void end(struct fixture *f)
{
    kb_drift_clear(&f->drift);
    kb_corpus_free(f->corpus);
    kb_model_free(f->model);
}

static const kb_drift_row *object(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->drift.object_count; i++)
        if (!strcmp(f->drift.objects[i].name, name))
            return &f->drift.objects[i];
    return NULL;
}

static void near(double is, double should)
{
    if (!(fabs(is - should) <= 1e-12 * (1 + fabs(should))))
        fail_msg("%.17g instead of %.17g", is, should);
}

static void sessions_like_the_old_ones_are_stable(void **state)
{
    (void)state;
    struct fixture f;
    compare(&f, &(struct plan){0});
    assert_int_equal(f.drift.advice, KB_ADVICE_KEEP);
    assert_int_equal(f.drift.reasons, 0);
    assert_int_equal(f.drift.object_count, OBJECTS + 1);
    for (size_t i = 0; i < f.drift.object_count; i++)
        assert_int_equal(f.drift.objects[i].verdict, KB_DRIFT_STABLE);
    for (size_t i = 0; i < KB_DRIFT_FIGURES; i++)
        assert_int_equal(f.drift.overall[i].verdict, KB_DRIFT_STABLE);
    near(object(&f, "o05")->was, .5);
    near(object(&f, "o05")->now, .5);
    near(object(&f, "always")->psi, 0);
    near(f.drift.overall[KB_DRIFT_EMERGING].was, .01);
    near(f.drift.overall[KB_DRIFT_EMERGING].now, 0);
    near(f.drift.clusters[0].was, .5);
    near(f.drift.clusters[1].now, .5);
    near(f.drift.clusters[0].distance, .75); /* a median of 1.5, and it was 2 */
    end(&f);
}

static void objects_that_moved_come_first_with_their_figures(void **state)
{
    (void)state;
    struct fixture f;
    compare(&f, &(struct plan){.moved = 4});
    assert_int_equal(f.drift.advice, KB_ADVICE_RETRAIN);
    assert_int_equal(f.drift.reasons, KB_REASON_OBJECTS);
    near(f.drift.overall[KB_DRIFT_OBJECTS].now, 4. / (OBJECTS + 1));
    double p[OBJECTS + 1], q[OBJECTS + 1];
    for (size_t i = 0; i < f.drift.object_count; i++) {
        const kb_drift_row *row = &f.drift.objects[i];
        p[i] = row->p;
        assert_true(!i || row->psi <= row[-1].psi);
        assert_int_equal(row->verdict != KB_DRIFT_STABLE, i < 4);
        assert_true((i < 4) == (strcmp(row->name, "o04") < 0 && row->name[0] == 'o'));
    }
    assert_int_equal(kb_fdr(q, p, f.drift.object_count, NULL), KB_OK);
    for (size_t i = 0; i < f.drift.object_count; i++)
        near(f.drift.objects[i].q, q[i]);
    const uint64_t was[] = {200, 40, 40, 40, 40, 40}, now[] = {20, 36, 36, 36, 36, 36};
    const kb_drift_row *row = &f.drift.objects[0];
    near(row->now, .9);
    near(row->psi, kb_psi_of(was, now, KB_CLASSES, NULL, NULL).value);
    near(row->expected, 5 * (1. / 400 + 1. / 200));
    near(row->p, 2 * kb_fisher_exact(200, 400, 180, 200));
    near(row->level, 0);
    end(&f);
}

static void amounts_move_without_presence(void **state)
{
    (void)state;
    struct fixture f;
    compare(&f, &(struct plan){.risen = 3});
    assert_int_equal(f.drift.reasons, KB_REASON_OBJECTS);
    for (size_t i = 0; i < 3; i++) {
        near(f.drift.objects[i].now, .5);
        near(f.drift.objects[i].level, .8);
        assert_int_equal(f.drift.objects[i].verdict, KB_DRIFT_DRIFTED);
    }
    end(&f);
}

static void few_objects_that_moved_ask_for_nothing(void **state)
{
    (void)state;
    struct fixture f;
    compare(&f, &(struct plan){.moved = 2});
    assert_int_equal(f.drift.advice, KB_ADVICE_KEEP);
    assert_int_equal(f.drift.overall[KB_DRIFT_OBJECTS].verdict, KB_DRIFT_MODERATE);
    end(&f);
}

static void a_clump_of_emerging_sessions_is_no_drift(void **state)
{
    (void)state;
    struct fixture f;
    compare(&f, &(struct plan){.emerging = 60, .first = 70});
    assert_int_equal(f.drift.advice, KB_ADVICE_KEEP);
    assert_int_equal(f.drift.reasons, KB_REASON_EMERGING);
    assert_int_equal(f.drift.judged, SESSIONS - 60);
    assert_null(object(&f, "novel"));
    near(f.drift.overall[KB_DRIFT_EMERGING].now, .3);
    near(f.drift.overall[KB_DRIFT_EMERGING].p, kb_fisher_exact(2, KNOWN, 60, SESSIONS));
    near(f.drift.overall[KB_DRIFT_UNSEEN].now, .3);
    assert_int_equal(f.drift.overall[KB_DRIFT_UNSEEN].verdict, KB_DRIFT_DRIFTED);
    end(&f);
}

static void shares_that_moved_take_no_objects_with_them(void **state)
{
    (void)state;
    struct fixture f;
    compare(&f, &(struct plan){.first = 20});
    assert_int_equal(f.drift.advice, KB_ADVICE_RECALIBRATE);
    assert_int_equal(f.drift.reasons, KB_REASON_CLUSTERS);
    near(f.drift.clusters[0].now, .1);
    near(f.drift.clusters[0].p, kb_fisher_exact(98, 196, 20, SESSIONS));
    near(f.drift.clusters[0].psi + f.drift.clusters[1].psi, f.drift.overall[KB_DRIFT_CLUSTERS].psi);
    char tied[16];
    snprintf(tied, sizeof tied, "o%02d", TIED);
    /* 20 sessions of weight 5 and 180 of 5/9 say as much as 72. */
    near(object(&f, tied)->now, .5);
    near(object(&f, tied)->expected, 5 * (1. / 400 + 1. / 72));
    end(&f);
}

static void novelty_of_known_sessions_that_rose_asks_for_training(void **state)
{
    (void)state;
    struct fixture f;
    compare(&f, &(struct plan){.novelty = 90});
    assert_int_equal(f.drift.advice, KB_ADVICE_RETRAIN);
    assert_int_equal(f.drift.reasons, KB_REASON_NOVELTY);
    assert_true(f.drift.overall[KB_DRIFT_NOVELTY].now > .7);
    end(&f);
    compare(&f, &(struct plan){.novelty = -90}); /* less novel is no reason */
    assert_int_equal(f.drift.advice, KB_ADVICE_KEEP);
    end(&f);
}

static void where_nothing_is_known_all_are_judged(void **state)
{
    (void)state;
    struct fixture f;
    compare(&f, &(struct plan){.emerging = 190});
    assert_int_equal(f.drift.advice, KB_ADVICE_RETRAIN);
    assert_true(f.drift.reasons & KB_REASON_FEW);
    assert_int_equal(f.drift.judged, SESSIONS);
    near(object(&f, "novel")->was, 0);
    near(object(&f, "novel")->now, .95);
    end(&f);
}

static void what_an_old_model_lacks_is_left_out(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, &(struct plan){.first = 20});
    const kb_drift_options options = kb_drift_defaults();
    kb_reference_clear(&f.model->reference);
    kb_known_clear(&f.model->known);
    f.model->cluster[0].distance = f.model->cluster[1].distance = (double)NAN;
    assert_int_equal(
        kb_drift_of(&f.drift, f.model, f.corpus, f.ids, f.assigned, SESSIONS, &options, NULL, NULL),
        KB_OK);
    assert_int_equal(f.drift.object_count, 0);
    assert_true(isnan(f.drift.clusters[0].distance));
    assert_true(isnan(f.drift.overall[KB_DRIFT_NOVELTY].psi));
    assert_true(isnan(f.drift.overall[KB_DRIFT_OBJECTS].now));
    near(f.drift.overall[KB_DRIFT_EMERGING].was, .05);
    assert_int_equal(f.drift.advice, KB_ADVICE_RECALIBRATE);
    end(&f);
}

static void it_stops_when_told_to_and_says_when_there_is_nobody(void **state)
{
    (void)state;
    struct fixture f;
    atomic_bool cancel = true;
    const kb_progress progress = {.cancel = &cancel};
    const kb_drift_options options = kb_drift_defaults();
    start(&f, &(struct plan){0});
    assert_int_equal(kb_drift_of(&f.drift, f.model, f.corpus, f.ids, f.assigned, SESSIONS, &options,
                                 &progress, NULL),
                     KB_ERR_CANCELLED);
    assert_null(f.drift.objects);
    end(&f);
    start(&f, &(struct plan){.without_rows = true});
    assert_int_equal(
        kb_drift_of(&f.drift, f.model, f.corpus, f.ids, f.assigned, SESSIONS, &options, NULL, NULL),
        KB_ERR_FORMAT);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_like_the_old_ones_are_stable),
        cmocka_unit_test(objects_that_moved_come_first_with_their_figures),
        cmocka_unit_test(amounts_move_without_presence),
        cmocka_unit_test(few_objects_that_moved_ask_for_nothing),
        cmocka_unit_test(a_clump_of_emerging_sessions_is_no_drift),
        cmocka_unit_test(shares_that_moved_take_no_objects_with_them),
        cmocka_unit_test(novelty_of_known_sessions_that_rose_asks_for_training),
        cmocka_unit_test(where_nothing_is_known_all_are_judged),
        cmocka_unit_test(what_an_old_model_lacks_is_left_out),
        cmocka_unit_test(it_stops_when_told_to_and_says_when_there_is_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
