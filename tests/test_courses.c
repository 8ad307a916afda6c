/* courses: surprises as SciPy finds them (tests/fixtures/novelty), and what surprises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "courses.h"
#include "courses.inc"
#include "memory.h"

/* A store of N sessions of STEPS steps; readings N x OBJECTS x STEPS, all times there. */
static kb_store *store_of(const float *readings, size_t n)
{
    const kb_ingest_options options = {.timesteps = STEPS};
    kb_ingest *ingest;
    kb_store *store;
    assert_int_equal(kb_ingest_create(&ingest, &options, NULL), KB_OK);
    for (size_t i = 0; i < n * OBJECTS * STEPS; i++) {
        char name[16], step[2] = {(char)('1' + (int)(i % STEPS)), 0};
        kb_time time;
        assert_null(kb_time_parse(&time, step, 1));
        int length = snprintf(name, sizeof name, "s%04zu", i / STEPS / OBJECTS);
        uint32_t session = kb_ingest_session(ingest, name, (size_t)length);
        length = snprintf(name, sizeof name, "o%zu", i / STEPS % OBJECTS);
        uint32_t object = kb_ingest_object(ingest, name, (size_t)length);
        assert_int_equal(kb_ingest_add(ingest, session, object, time, readings[i], NULL), KB_OK);
    }
    assert_int_equal(kb_store_assemble(&store, &ingest, 1, NULL, NULL, NULL), KB_OK);
    kb_ingest_free(ingest);
    return store;
}

static const uint32_t number[OBJECTS] = {0, 1, 2, 3};

/* Of the first N training sessions. */
static kb_courses fit(size_t n)
{
    kb_courses courses;
    kb_store *store = store_of(train, TRAINED);
    size_t sessions[TRAINED], groups[TRAINED];
    for (size_t i = 0; i < TRAINED; i++) {
        sessions[i] = i;
        groups[i] = group[i];
    }
    const kb_courses_source source = {store, number, sessions, groups, n, OBJECTS, 2};
    assert_int_equal(kb_courses_fit(&courses, &source, NULL), KB_OK);
    assert_int_equal(kb_courses_finish(&courses, NULL), KB_OK);
    kb_store_free(store);
    return courses;
}

static void sessions_surprise_as_computed_by_scipy(void **state)
{
    (void)state;
    kb_courses courses = fit(TRAINED);
    kb_store *store = store_of(asked, ASKED);
    assert_int_equal(courses.classes, KB_COURSE_CLASSES);
    for (size_t i = 0; i < ASKED; i++)
        for (size_t g = 0; g < 2; g++) {
            double surprise = kb_courses_surprise(&courses, store, i, number, g);
            double expected = surprise_expected[2 * i + g];
            if (!(fabs(surprise - expected) <= 1e-4 * (1 + fabs(expected))))
                fail_msg("session %zu, group %zu: %.9g, expected %.9g", i, g, surprise, expected);
        }
    kb_store_free(store);
    kb_courses_clear(&courses);
}

/* Thrice an amount is the same course; an object without a number is none of those. */
static void amounts_and_unknown_objects_do_not_surprise(void **state)
{
    (void)state;
    const uint32_t unknown[OBJECTS] = {0, KB_NAME_NONE, 2, KB_NAME_NONE};
    float other[ASKED * OBJECTS * STEPS];
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        other[i] = i / STEPS % 2 ? (float)(i % STEPS) : 3 * asked[i];
    kb_courses courses = fit(TRAINED);
    kb_store *store = store_of(asked, ASKED), *changed = store_of(other, ASKED);
    for (size_t i = 0; i < ASKED; i++)
        assert_true(kb_courses_surprise(&courses, store, i, unknown, 0) ==
                    kb_courses_surprise(&courses, changed, i, unknown, 0));
    kb_store_free(store);
    kb_store_free(changed);
    kb_courses_clear(&courses);
}

static void nothing_to_fit_on_is_no_course(void **state)
{
    (void)state;
    kb_courses courses = fit(0);
    kb_store *store = store_of(asked, ASKED);
    assert_int_equal(courses.classes, 0);
    assert_true(kb_courses_surprise(&courses, store, 0, number, 0) == 0);
    kb_store_free(store);
    kb_courses_clear(&courses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_surprise_as_computed_by_scipy),
        cmocka_unit_test(amounts_and_unknown_objects_do_not_surprise),
        cmocka_unit_test(nothing_to_fit_on_is_no_course),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
