/* reference: edges, counts and fits as SciPy finds them (tests/fixtures/novelty). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "reference.h"
#include "reference.inc"

static void near(const char *what, double value, double expected)
{
    if (!(fabs(value - expected) <= 2e-5 * (1 + fabs(expected))))
        fail_msg("%s: %.9g, expected %.9g", what, value, expected);
}

/* A store of N sessions of one step; readings N x OBJECTS. */
static kb_store *store_of(const float *readings, size_t n)
{
    const kb_ingest_options options = {.timesteps = 4};
    kb_ingest *ingest;
    kb_store *store;
    kb_time time;
    assert_int_equal(kb_ingest_create(&ingest, &options, NULL), KB_OK);
    assert_null(kb_time_parse(&time, "1", 1));
    for (size_t i = 0; i < n; i++) {
        char name[16];
        int length = snprintf(name, sizeof name, "s%04zu", i);
        uint32_t session = kb_ingest_session(ingest, name, (size_t)length);
        for (size_t o = 0; o < OBJECTS; o++) {
            length = snprintf(name, sizeof name, "o%zu", o);
            uint32_t object = kb_ingest_object(ingest, name, (size_t)length);
            assert_int_equal(
                kb_ingest_add(ingest, session, object, time, readings[i * OBJECTS + o], NULL),
                KB_OK);
        }
    }
    assert_int_equal(kb_store_assemble(&store, &ingest, 1, NULL, NULL, NULL), KB_OK);
    kb_ingest_free(ingest);
    return store;
}

struct fitted {
    kb_store *store;
    kb_names *seen;
    size_t sessions[TRAINED];
    kb_reference reference;
};

static void fit(struct fitted *f, const uint32_t *groups, size_t count, size_t sessions)
{
    f->store = store_of(train, TRAINED);
    f->seen = kb_names_create();
    for (size_t o = 0; o < OBJECTS; o++) {
        const char *name = kb_store_object_name(f->store, o);
        kb_names_add(f->seen, name, strlen(name));
    }
    for (size_t i = 0; i < TRAINED; i++)
        f->sessions[i] = i;
    const kb_reference_source source = {f->store, f->seen, f->sessions, groups, sessions, count};
    assert_int_equal(kb_reference_fit(&f->reference, &source, NULL), KB_OK);
    assert_int_equal(kb_reference_finish(&f->reference, NULL), KB_OK);
}

static void clear(struct fitted *f)
{
    kb_reference_clear(&f->reference);
    kb_names_free(f->seen);
    kb_store_free(f->store);
}

static void levels_are_cut_into_even_parts(void **state)
{
    (void)state;
    struct fitted f;
    fit(&f, group, GROUPS, TRAINED);
    assert_int_equal(f.reference.groups, GROUPS);
    for (size_t i = 0; i < sizeof edges_expected / sizeof *edges_expected; i++)
        near("edge", (double)f.reference.edges[i], edges_expected[i]);
    for (size_t i = 0; i < sizeof counts_expected / sizeof *counts_expected; i++)
        near("count", (double)f.reference.counts[i], counts_expected[i]);
    clear(&f);
}

static void sessions_fit_groups_as_computed_by_hand(void **state)
{
    (void)state;
    struct fitted f;
    fit(&f, group, GROUPS, TRAINED);
    kb_store *store = store_of(asked, ASKED);
    uint32_t *number = kb_reference_numbers(f.seen, store);
    double scratch[2 * GROUPS];
    for (size_t i = 0; i < ASKED; i++) {
        kb_group_fit fitness = kb_reference_fit_of(&f.reference, store, i, number, scratch);
        near("presence", fitness.presence, presence_expected[i]);
        near("levels", fitness.levels, levels_expected[i]);
    }
    free(number);
    kb_store_free(store);
    clear(&f);
}

static void small_groups_are_left_out(void **state)
{
    (void)state;
    uint32_t uneven[TRAINED] = {0};
    struct fitted f;
    for (size_t i = 0; i < 6; i++)
        uneven[i] = 1; /* a quarter of 90 / 3 is 7 */
    for (size_t i = 6; i < 13; i++)
        uneven[i] = 2;
    fit(&f, uneven, 3, TRAINED);
    assert_int_equal(f.reference.groups, 2);
    for (size_t i = 0; i < f.reference.groups * OBJECTS; i++)
        assert_true(f.reference.rates[i] > 0 && f.reference.rates[i] < 1);
    clear(&f);
}

static void one_group_explains_no_better_than_all(void **state)
{
    (void)state;
    const uint32_t same[TRAINED] = {0};
    struct fitted f;
    fit(&f, same, 1, TRAINED);
    uint32_t *number = kb_reference_numbers(f.seen, f.store);
    double scratch[2];
    for (size_t i = 0; i < TRAINED; i++) {
        kb_group_fit fitness = kb_reference_fit_of(&f.reference, f.store, i, number, scratch);
        assert_true(fabs(fitness.presence) < .5);
    }
    free(number);
    clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_cut_into_even_parts),
        cmocka_unit_test(sessions_fit_groups_as_computed_by_hand),
        cmocka_unit_test(small_groups_are_left_out),
        cmocka_unit_test(one_group_explains_no_better_than_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
