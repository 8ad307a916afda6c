/* emerging: groups that were planted are found, told apart and explained, whatever there is to
 * compare with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "corpus_files.h"
#include "emerging.h"
#include "emerging_objects.h"
#include "memory.h"
#include "pipeline.h"
#include "rng.h"
#include "train.h"

enum {
    TYPES = 3,
    KNOWN = 240,
    NEW = 24,     /* with objects of their own */
    MIX = 20,     /* with four known objects of each type */
    SHIFTED = 36, /* of known types, with objects of another name */
    STRAY = 4,    /* with an object each */
    SESSIONS = KNOWN + NEW + MIX + SHIFTED + STRAY,
    TYPICAL = 12, /* objects of a type */
    BACKGROUND = 40,
    STEPS = 6,
    GROUPS_MAX = 13
};

struct fixture {
    char folder[256];
    kb_corpus *corpus;
    kb_model *model;
    kb_assignment assigned[SESSIONS];
};

/* --- a corpus ----------------------------------------------------------------------------- */

static void put(FILE *f, const char *session, const char *object, unsigned number, kb_rng *rng)
{
    for (unsigned t = 0; t < STEPS; t++)
        fprintf(f, "%s,%u,%s%u,%u\n", session, t, object, number,
                1 + (t + 1) * (unsigned)kb_rng_below(rng, 20));
}

/* Background objects that a third of all sessions have; of shifted ones most have new names. */
static void put_background(FILE *f, const char *session, bool shifted, kb_rng *rng)
{
    for (unsigned o = 0; o < BACKGROUND; o++)
        if (kb_rng_below(rng, 3) == 0)
            put(f, session, shifted && o < 3 * BACKGROUND / 4 ? "moved" : "back", o, rng);
}

/* FIRST of COUNT objects of TYPE, nearly always. */
static void put_type(FILE *f, const char *session, unsigned type, unsigned first, unsigned count,
                     kb_rng *rng)
{
    for (unsigned o = first; o < first + count; o++)
        if (kb_rng_below(rng, 20))
            put(f, session, "type", type * 100 + o, rng);
}

static void put_session(FILE *f, FILE *listing, const char *kind, unsigned i, kb_rng *rng)
{
    char name[32];
    snprintf(name, sizeof name, "%s%03u", kind, i);
    bool known = strcmp(kind, "known") == 0, shifted = strcmp(kind, "shift") == 0;
    fprintf(listing, "%s,u%u,%s,%s\n", name, i / 2,
            known   ? "1.9"
            : i % 2 ? "1.10"
                    : "1.11",
            !known       ? "emerging"
            : i % 4 == 3 ? "validation"
                         : "train");
    put_background(f, name, shifted, rng);
    if (known || shifted)
        put_type(f, name, i % TYPES, 0, TYPICAL, rng);
    for (unsigned type = 0; strcmp(kind, "mix") == 0 && type < TYPES; type++)
        put_type(f, name, type, 0, 4, rng);
    if (strcmp(kind, "new") == 0)
        put_type(f, name, 7, 0, TYPICAL, rng);
    if (strcmp(kind, "stray") == 0)
        put(f, name, "stray", i, rng);
}

static void write_corpus(const char *folder)
{
    static const struct {
        const char *kind;
        unsigned count;
    } parts[] = {
        {"known", KNOWN}, {"new", NEW}, {"mix", MIX}, {"shift", SHIFTED}, {"stray", STRAY}};
    char path[2][512];
    snprintf(path[0], sizeof path[0], "%s/metrics.csv", folder);
    snprintf(path[1], sizeof path[1], "%s/sessions.csv", folder);
    FILE *f = fopen(path[0], "w"), *listing = fopen(path[1], "w");
    assert_non_null(f);
    assert_non_null(listing);
    kb_rng rng = kb_rng_start(9, KB_STREAM_TEST);
    fputs("session,time,object,value\n", f);
    fputs("session,user,version,split\n", listing);
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
        for (unsigned i = 0; i < parts[p].count; i++)
            put_session(f, listing, parts[p].kind, i, &rng);
    fclose(f);
    fclose(listing);
}

static void train(struct fixture *f)
{
    kb_error err = {0};
    kb_train_options o = kb_train_defaults();
    o.scale = KB_SCALE_MINMAX;
    o.epochs = 100;
    o.dec_epochs = 10;
    o.hidden = 32;
    o.latent = 6;
    o.device = KB_DEVICE_CPU;
    if (kb_train(&f->model, f->corpus, &o, NULL, NULL, NULL, &err))
        fail_msg("%s", err.text);
    kb_calibrate_options c = kb_calibrate_defaults();
    kb_elbow elbow = {0};
    c.k = TYPES;
    if (kb_calibrate(f->model, f->corpus, &c, &elbow, NULL, NULL, &err))
        fail_msg("%s", err.text);
    kb_elbow_clear(&elbow);
}

static const char *name_of(const struct fixture *f, size_t session)
{
    return kb_corpus_session(f->corpus, session)->name;
}

static bool is_kind(const struct fixture *f, size_t session, const char *kind)
{
    return strncmp(name_of(f, session), kind, strlen(kind)) == 0;
}

/* What was planted is emerging, whatever the model says. */
static int open_fixture(void **state)
{
    static struct fixture f;
    kb_error err = {0};
    kb_corpus_options options = kb_corpus_defaults();
    make_folder(f.folder, sizeof f.folder);
    write_corpus(f.folder);
    if (kb_corpus_load(&f.corpus, f.folder, &options, NULL, &err))
        fail_msg("%s", err.text);
    assert_int_equal(kb_corpus_sessions(f.corpus), SESSIONS);
    train(&f);
    size_t ids[SESSIONS];
    for (size_t s = 0; s < SESSIONS; s++)
        ids[s] = s;
    if (kb_assign(f.assigned, f.model, f.corpus, ids, SESSIONS, NULL, NULL, &err))
        fail_msg("%s", err.text);
    for (size_t s = 0; s < SESSIONS; s++)
        f.assigned[s].emerging = !is_kind(&f, s, "known");
    *state = &f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    kb_corpus_free(f->corpus);
    kb_model_free(f->model);
    remove_folder(f->folder);
    return 0;
}

static void group(const struct fixture *f, const kb_assignment *assigned, const bool *chosen,
                  kb_emerging *out)
{
    kb_error err = {0};
    if (kb_emerging_of(out, f->model, f->corpus, assigned, chosen, 1, NULL, NULL, &err))
        fail_msg("%s", err.text);
}

/* The group in which all sessions of KIND are, and nobody else. */
static const kb_emerging_group *group_of(const struct fixture *f, const kb_emerging *e,
                                         const char *kind, size_t count)
{
    for (size_t g = 0; g < e->count; g++) {
        if (!is_kind(f, e->groups[g].sessions[0], kind))
            continue;
        assert_int_equal(e->groups[g].count, count);
        for (size_t i = 0; i < count; i++)
            assert_true(is_kind(f, e->groups[g].sessions[i], kind));
        return &e->groups[g];
    }
    fail_msg("no group begins with a session of %s", kind);
    return NULL;
}

/* --- claims ------------------------------------------------------------------------------- */

static void planted_groups_are_found_and_told_apart(void **state)
{
    const struct fixture *f = *state;
    kb_emerging e;
    group(f, f->assigned, NULL, &e);
    assert_int_equal(e.sessions, SESSIONS - KNOWN);
    assert_int_equal(e.known, KNOWN);
    assert_false(e.drawn);
    assert_int_equal(e.count, 4);
    assert_int_equal(group_of(f, &e, "shift", SHIFTED)->kind, KB_EMERGING_SHIFT);
    assert_int_equal(group_of(f, &e, "new", NEW)->kind, KB_EMERGING_CLUMP);
    assert_int_equal(group_of(f, &e, "mix", MIX)->kind, KB_EMERGING_CLUMP);
    assert_int_equal(group_of(f, &e, "stray", STRAY)->kind, KB_EMERGING_STRAGGLERS);
    assert_true(e.groups[0].count >= e.groups[1].count && e.groups[1].count >= e.groups[2].count);
    assert_true(e.groups[0].density < e.edge && e.groups[1].density >= e.edge);
    kb_emerging_clear(&e);
}

static void groups_are_described(void **state)
{
    const struct fixture *f = *state;
    kb_emerging e;
    group(f, f->assigned, NULL, &e);
    const kb_emerging_group *new = group_of(f, &e, "new", NEW);
    double novelty = 0;
    for (size_t i = 0; i < NEW; i++)
        novelty += f->assigned[new->sessions[i]].novelty / NEW;
    assert_true(fabs(novelty - new->novelty) < 1e-9 * novelty);
    assert_int_equal(new->users, NEW / 2);
    assert_string_equal(new->first, "1.10");
    assert_string_equal(new->last, "1.11");
    assert_true(new->has_medoid &&is_kind(f, new->medoid, "new"));
    assert_false(group_of(f, &e, "stray", STRAY)->has_medoid);
    kb_emerging_clear(&e);
}

static void rank(const struct fixture *f, const kb_emerging *e, kb_emerging_ranking *rankings,
                 const kb_assignment *assigned, size_t top)
{
    kb_error err = {0};
    if (kb_emerging_rank(rankings, e, f->model, f->corpus, assigned, top, NULL, NULL, &err))
        fail_msg("%s", err.text);
}

/* The new kind's objects, type700 .. type711, which no known session has, come first. */
static void expect_new_objects(const struct fixture *f, const kb_emerging *e,
                               const kb_emerging_ranking *rankings)
{
    const kb_emerging_ranking *r = &rankings[group_of(f, e, "new", NEW) - e->groups];
    assert_int_equal(r->count, 5);
    for (size_t i = 0; i < r->count; i++) {
        const kb_emerging_object *object = &r->objects[i];
        const char *name = kb_store_object_name(kb_corpus_store(f->corpus), object->object);
        assert_memory_equal(name, "type7", 5);
        assert_true(object->presence > .7 && object->other <= 0);
        assert_true(object->q < 1e-6 && object->gate == KB_GATE_OK);
    }
}

static void objects_that_set_a_group_apart_come_first(void **state)
{
    const struct fixture *f = *state;
    kb_emerging e;
    kb_emerging_ranking rankings[GROUPS_MAX] = {0};
    group(f, f->assigned, NULL, &e);
    rank(f, &e, rankings, f->assigned, 5);
    expect_new_objects(f, &e, rankings);
    const kb_emerging_ranking *shift = &rankings[group_of(f, &e, "shift", SHIFTED) - e.groups];
    for (size_t i = 0; i < shift->count; i++)
        assert_memory_equal(
            kb_store_object_name(kb_corpus_store(f->corpus), shift->objects[i].object), "moved", 5);
    kb_emerging_rankings_clear(rankings, e.count);
    kb_emerging_clear(&e);
}

/* Other emerging sessions are neither grouped nor known. */
static void only_chosen_sessions_take_part(void **state)
{
    const struct fixture *f = *state;
    kb_emerging e;
    kb_emerging_ranking rankings[2] = {0};
    bool chosen[SESSIONS] = {false};
    for (size_t s = 0; s < SESSIONS; s++)
        chosen[s] = is_kind(f, s, "new") || is_kind(f, s, "known");
    group(f, f->assigned, chosen, &e);
    assert_int_equal(e.sessions, NEW);
    assert_int_equal(e.known, KNOWN);
    assert_int_equal(e.count, 1);
    rank(f, &e, rankings, f->assigned, 5);
    expect_new_objects(f, &e, rankings);
    kb_emerging_rankings_clear(rankings, e.count);
    kb_emerging_clear(&e);
}

/* Without known sessions the model's training takes their place. */
static void what_the_model_keeps_stands_for_known_sessions(void **state)
{
    const struct fixture *f = *state;
    kb_emerging e;
    kb_emerging_ranking rankings[GROUPS_MAX] = {0};
    kb_assignment assigned[SESSIONS];
    for (size_t s = 0; s < SESSIONS; s++) {
        assigned[s] = f->assigned[s];
        assigned[s].cluster = is_kind(f, s, "known") ? 0 : assigned[s].cluster;
    }
    group(f, assigned, NULL, &e);
    assert_true(e.drawn);
    assert_int_equal(e.known, 0);
    assert_string_equal(e.view, "presence");
    assert_int_equal(group_of(f, &e, "new", NEW)->kind, KB_EMERGING_CLUMP);
    assert_int_equal(group_of(f, &e, "shift", SHIFTED)->kind, KB_EMERGING_SHIFT);
    rank(f, &e, rankings, assigned, 5);
    expect_new_objects(f, &e, rankings);
    kb_emerging_rankings_clear(rankings, e.count);
    kb_emerging_clear(&e);
}

static void few_or_no_sessions_are_no_group(void **state)
{
    const struct fixture *f = *state;
    kb_emerging e;
    bool chosen[SESSIONS] = {false};
    group(f, f->assigned, chosen, &e);
    assert_int_equal(e.count, 0);
    kb_emerging_clear(&e);
    for (size_t s = 0; s < SESSIONS; s++)
        chosen[s] = is_kind(f, s, "new00") && name_of(f, s)[5] < '4';
    group(f, f->assigned, chosen, &e);
    assert_int_equal(e.sessions, 4);
    assert_int_equal(e.count, 1);
    assert_int_equal(e.groups[0].kind, KB_EMERGING_STRAGGLERS);
    kb_emerging_clear(&e);
}

static void threads_change_nothing(void **state)
{
    const struct fixture *f = *state;
    kb_emerging one, three;
    kb_pool *pool;
    assert_int_equal(kb_pool_create(&pool, 3, NULL), KB_OK);
    group(f, f->assigned, NULL, &one);
    assert_int_equal(
        kb_emerging_of(&three, f->model, f->corpus, f->assigned, NULL, 1, pool, NULL, NULL), KB_OK);
    assert_int_equal(one.count, three.count);
    for (size_t g = 0; g < one.count; g++) {
        assert_int_equal(one.groups[g].count, three.groups[g].count);
        assert_memory_equal(one.groups[g].sessions, three.groups[g].sessions,
                            one.groups[g].count * sizeof(size_t));
        assert_memory_equal(&one.groups[g].density, &three.groups[g].density, sizeof(double));
    }
    kb_emerging_clear(&one);
    kb_emerging_clear(&three);
    kb_pool_free(pool);
}

/* Raises a flag at the report of a number. */
struct stopping {
    atomic_bool cancel;
    size_t reports, at;
};

static void stop_at(void *ctx, const kb_progress_state *progress)
{
    struct stopping *s = ctx;
    (void)progress;
    if (s->reports++ == s->at)
        atomic_store(&s->cancel, true);
}

static void it_can_be_cancelled_wherever_it_is(void **state)
{
    const struct fixture *f = *state;
    size_t reports = SIZE_MAX;
    for (size_t at = 0; at < reports; at++) {
        kb_emerging e;
        kb_error err;
        struct stopping stopping = {.at = at};
        const kb_progress progress = {
            .report = stop_at, .ctx = &stopping, .cancel = &stopping.cancel};
        kb_status status =
            kb_emerging_of(&e, f->model, f->corpus, f->assigned, NULL, 1, NULL, &progress, &err);
        if (status == KB_OK) { /* the last report comes when all is done */
            kb_emerging_clear(&e);
            reports = stopping.reports;
            continue;
        }
        assert_int_equal(status, KB_ERR_CANCELLED);
        assert_int_equal(e.count, 0);
    }
    assert_true(reports > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_groups_are_found_and_told_apart),
        cmocka_unit_test(groups_are_described),
        cmocka_unit_test(objects_that_set_a_group_apart_come_first),
        cmocka_unit_test(only_chosen_sessions_take_part),
        cmocka_unit_test(what_the_model_keeps_stands_for_known_sessions),
        cmocka_unit_test(few_or_no_sessions_are_no_group),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(it_can_be_cancelled_wherever_it_is),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
