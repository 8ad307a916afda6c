/* store and ingest: windows, last wins, present objects, against a naive reckoning over all
 * samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest.h"
#include "rng.h"
#include "store.h"

struct row {
    unsigned session, object;
    kb_time time;
    float value;
};

static kb_time at(int64_t whole)
{
    return (kb_time){whole, 0};
}

static void add(kb_ingest *ingest, const struct row *row)
{
    char text[32];
    int n = snprintf(text, sizeof text, "s%u", row->session);
    uint32_t session = kb_ingest_session(ingest, text, (size_t)n);
    n = snprintf(text, sizeof text, "o%u", row->object);
    uint32_t object = kb_ingest_object(ingest, text, (size_t)n);
    assert_int_equal(kb_ingest_add(ingest, session, object, row->time, row->value, NULL), KB_OK);
}

/* How a store is built; none of it but the first two may be seen in the result. */
struct recipe {
    size_t timesteps;
    kb_fill fill;
    size_t budget, lanes;
};

static kb_ingest *create(const struct recipe *r)
{
    kb_ingest *ingest;
    kb_ingest_options options = {r->timesteps, r->fill, r->lanes > 1};
    assert_int_equal(kb_ingest_create(&ingest, &options, NULL), KB_OK);
    kb_ingest_set_budget(ingest, r->budget);
    return ingest;
}

static kb_store *assemble(kb_ingest **ingests, size_t count)
{
    kb_store *store;
    kb_pool *pool;
    assert_int_equal(kb_pool_create(&pool, 2, NULL), KB_OK);
    assert_int_equal(kb_store_assemble(&store, ingests, count, pool, NULL, NULL), KB_OK);
    for (size_t l = 0; l < count; l++)
        kb_ingest_free(ingests[l]);
    kb_pool_free(pool);
    return store;
}

static kb_store *build_as(const struct row *rows, size_t count, const struct recipe *r)
{
    kb_ingest *ingests[8];
    assert_true(r->lanes >= 1 && r->lanes <= 8);
    for (size_t l = 0; l < r->lanes; l++) {
        ingests[l] = create(r);
        for (size_t i = count * l / r->lanes; i < count * (l + 1) / r->lanes; i++)
            add(ingests[l], &rows[i]);
    }
    return assemble(ingests, r->lanes);
}

static kb_store *build(const struct row *rows, size_t count, size_t timesteps, size_t budget)
{
    return build_as(rows, count, &(struct recipe){timesteps, KB_FILL_ZERO, budget, 1});
}

/* --- the naive reckoning ------------------------------------------------------------------ */

/* How many distinct times later than T the session has, in any row. */
static size_t later_times(const struct row *rows, size_t count, unsigned session, kb_time t)
{
    size_t later = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].session != session || kb_time_compare(rows[i].time, t) <= 0)
            continue;
        bool known = false;
        for (size_t j = 0; j < i && !known; j++)
            known = rows[j].session == session && kb_time_compare(rows[j].time, rows[i].time) == 0;
        later += !known;
    }
    return later;
}

/* The reading by the last row equal in session, object and time; when there is none 0, or where
 * readings are held that of the latest time before. */
static float last_reading(const struct row *rows, size_t count, unsigned session, unsigned object,
                          kb_time t, kb_fill fill)
{
    const struct row *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].session != session || rows[i].object != object)
            continue;
        int order = kb_time_compare(rows[i].time, t);
        bool counts = fill == KB_FILL_HOLD ? order <= 0 : order == 0;
        if (counts && (!best || kb_time_compare(rows[i].time, best->time) >= 0))
            best = &rows[i];
    }
    return best ? best->value : 0;
}

static float stored(const kb_store *store, size_t session, size_t object, size_t step)
{
    kb_series series;
    if (!kb_store_find_series(store, session, (uint32_t)object, &series))
        return 0;
    return step >= series.first && step < series.first + series.count
               ? series.values[step - series.first]
               : 0;
}

/* Each row's time must be in the window exactly when fewer than t later ones exist, at the step
 * that says how many. */
static size_t check_windows(const kb_store *store, const struct row *rows, size_t count,
                            const struct recipe *recipe, unsigned objects)
{
    size_t checked = 0;
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "s%u", rows[i].session);
        size_t session = kb_store_find_session(store, name);
        assert_int_not_equal(session, SIZE_MAX);
        size_t length = kb_store_length(store, session);
        size_t later = later_times(rows, count, rows[i].session, rows[i].time);
        if (later >= recipe->timesteps)
            continue;
        assert_true(later < length);
        size_t step = length - 1 - later;
        assert_int_equal(kb_time_compare(kb_store_time(store, session, step), rows[i].time), 0);
        for (unsigned o = 0; o < objects; o++) {
            snprintf(name, sizeof name, "o%u", o);
            size_t object = kb_store_find_object(store, name);
            float expected =
                last_reading(rows, count, rows[i].session, o, rows[i].time, recipe->fill);
            float found = object == SIZE_MAX ? 0 : stored(store, session, object, step);
            assert_true(found == expected);
            checked++;
        }
    }
    return checked;
}

/* What must hold of any store. */
static void check_shape(const kb_store *store, size_t timesteps)
{
    uint64_t nonzero = 0;
    for (size_t s = 0; s < kb_store_sessions(store); s++) {
        size_t length = kb_store_length(store, s);
        assert_true(length <= timesteps);
        for (size_t i = 1; i < length; i++)
            assert_true(
                kb_time_compare(kb_store_time(store, s, i - 1), kb_store_time(store, s, i)) < 0);
        for (size_t i = 0; i < kb_store_series_count(store, s); i++) {
            kb_series series = kb_store_series(store, s, i);
            assert_true(series.count >= 1 && series.first + series.count <= length);
            assert_true(series.values[0] > 0 && series.values[series.count - 1] > 0);
            assert_true(i == 0 || kb_store_series(store, s, i - 1).object < series.object);
            for (uint32_t j = 0; j < series.count; j++)
                nonzero += series.values[j] > 0;
        }
    }
    assert_int_equal(kb_store_nonzero(store), nonzero);
    for (size_t s = 1; s < kb_store_sessions(store); s++)
        assert_true(strcmp(kb_store_session_name(store, s - 1), kb_store_session_name(store, s)) <
                    0);
    for (size_t o = 1; o < kb_store_objects(store); o++)
        assert_true(strcmp(kb_store_object_name(store, o - 1), kb_store_object_name(store, o)) < 0);
}

enum { ROWS = 400, OBJECTS = 6, SESSIONS = 4 };

static void make_rows(struct row *rows, kb_rng *rng, bool rising)
{
    for (size_t i = 0; i < ROWS; i++) {
        int64_t when =
            rising ? (int64_t)(i / 9 + kb_rng_below(rng, 4)) : (int64_t)kb_rng_below(rng, 30) - 10;
        rows[i].session = (unsigned)kb_rng_below(rng, SESSIONS);
        rows[i].object = (unsigned)kb_rng_below(rng, OBJECTS);
        rows[i].time = (kb_time){when, kb_rng_below(rng, 2)};
        rows[i].value = kb_rng_below(rng, 3) ? (float)kb_rng_below(rng, 1000) : 0;
    }
}

static size_t check_recipe(kb_rng *rng, bool rising, const struct recipe *recipe)
{
    struct row rows[ROWS];
    make_rows(rows, rng, rising);
    kb_store *store = build_as(rows, ROWS, recipe);
    check_shape(store, recipe->timesteps);
    size_t checked = check_windows(store, rows, ROWS, recipe, OBJECTS);
    kb_store_free(store);
    return checked;
}

static void windows_are_those_of_a_naive_reckoning(void **state)
{
    (void)state;
    static const size_t budgets[] = {1, 7, 50, 100000}, lengths[] = {1, 2, 5, 20, 1000},
                        lanes[] = {1, 2, 3, 8};
    kb_rng rng = kb_rng_start(11, KB_STREAM_TEST);
    size_t checked = 0;
    for (size_t b = 0; b < 4; b++)
        for (size_t t = 0; t < 5; t++)
            for (size_t l = 0; l < 4; l++)
                for (int fill = 0; fill < KB_FILLS; fill++)
                    checked += check_recipe(
                        &rng, (b + t + l) % 2,
                        &(struct recipe){lengths[t], (kb_fill)fill, budgets[b], lanes[l]});
    assert_true(checked > 100000);
}

static void assert_same_store(const kb_store *a, const kb_store *b)
{
    assert_int_equal(kb_store_sessions(a), kb_store_sessions(b));
    assert_int_equal(kb_store_objects(a), kb_store_objects(b));
    for (size_t s = 0; s < kb_store_sessions(a); s++) {
        assert_string_equal(kb_store_session_name(a, s), kb_store_session_name(b, s));
        assert_int_equal(kb_store_length(a, s), kb_store_length(b, s));
        for (size_t i = 0; i < kb_store_length(a, s); i++)
            assert_int_equal(kb_time_compare(kb_store_time(a, s, i), kb_store_time(b, s, i)), 0);
        assert_int_equal(kb_store_series_count(a, s), kb_store_series_count(b, s));
        for (size_t i = 0; i < kb_store_series_count(a, s); i++) {
            kb_series x = kb_store_series(a, s, i), y = kb_store_series(b, s, i);
            assert_int_equal(x.object, y.object);
            assert_int_equal(x.first, y.first);
            assert_int_equal(x.count, y.count);
            assert_memory_equal(x.values, y.values, x.count * sizeof *x.values);
        }
    }
}

/* Without rows that replace each other the order of arrival is of no interest. */
static void the_order_of_rows_does_not_matter(void **state)
{
    (void)state;
    enum { T = 12, TIMES = 40, N = SESSIONS * OBJECTS * TIMES };
    struct row *rows = calloc(N, sizeof *rows), *mixed = calloc(N, sizeof *mixed);
    size_t *order = calloc(N, sizeof *order);
    for (unsigned i = 0; i < N; i++) {
        order[i] = i;
        rows[i] = (struct row){i / (OBJECTS * TIMES), i / TIMES % OBJECTS, at(i % TIMES),
                               (float)(i * 7919 % 13)};
    }
    kb_store *sorted = build(rows, N, T, 100000);
    kb_rng rng = kb_rng_start(12, KB_STREAM_TEST);
    for (int round = 0; round < 5; round++) {
        kb_rng_shuffle(&rng, order, N);
        for (size_t i = 0; i < N; i++)
            mixed[i] = rows[order[i]];
        kb_store *store = build(mixed, N, T, 37);
        assert_same_store(sorted, store);
        kb_store_free(store);
    }
    kb_store_free(sorted);
    free(rows);
    free(mixed);
    free(order);
}

static void an_explicit_zero_is_a_time_and_replaces(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {0, 0, {1, 0}, 5}, {0, 0, {2, 0}, 6}, {0, 1, {3, 0}, 0}, {0, 0, {2, 0}, 0}};
    for (size_t budget = 1; budget < 6; budget++) {
        kb_store *store = build(rows, 4, 2, budget);
        assert_int_equal(kb_store_length(store, 0), 2);
        assert_int_equal(kb_store_time(store, 0, 0).whole, 2);
        assert_int_equal(kb_store_time(store, 0, 1).whole, 3);
        assert_int_equal(kb_store_series_count(store, 0), 0);
        assert_int_equal(kb_store_objects(store), 2);
        assert_int_equal(kb_store_nonzero(store), 0);
        kb_store_free(store);
    }
}

/* 3 and 4 push 1 out of a window of two; a late row for 1 stays outside, one for 3 replaces. */
static void a_late_row_replaces_only_inside_of_the_window(void **state)
{
    (void)state;
    static const struct row rows[] = {{0, 0, {1, 0}, 5}, {0, 0, {3, 0}, 6}, {0, 0, {4, 0}, 7},
                                      {0, 0, {1, 0}, 8}, {0, 0, {3, 0}, 9}, {0, 0, {2, 0}, 1}};
    for (size_t budget = 1; budget < 8; budget++) {
        kb_store *store = build(rows, 6, 2, budget);
        kb_series series = kb_store_series(store, 0, 0);
        assert_int_equal(kb_store_length(store, 0), 2);
        assert_int_equal(series.count, 2);
        assert_true(series.values[0] == 9 && series.values[1] == 7);
        kb_store_free(store);
    }
}

/* Two lanes know of the same reading: the later one's zero is a reading, its silence is none. */
static void a_zero_replaces_what_an_earlier_lane_read(void **state)
{
    (void)state;
    static const struct row rows[] = {{0, 0, {1, 0}, 5}, {0, 0, {2, 0}, 6}, {0, 1, {2, 0}, 7},
                                      {0, 0, {2, 0}, 0}, {0, 2, {2, 0}, 8}, {0, 2, {1, 0}, 0}};
    kb_store *store = build_as(rows, 6, &(struct recipe){9, KB_FILL_ZERO, 100, 2});
    assert_int_equal(kb_store_series_count(store, 0), 3);
    kb_series first = kb_store_series(store, 0, 0), third = kb_store_series(store, 0, 2);
    assert_true(first.first == 0 && first.count == 1 && first.values[0] == 5);
    assert_true(kb_store_series(store, 0, 1).values[0] == 7);
    assert_true(third.first == 1 && third.count == 1 && third.values[0] == 8);
    kb_store_free(store);
}

static void a_time_without_a_reading_is_a_step(void **state)
{
    (void)state;
    for (size_t budget = 1; budget < 6; budget++) {
        kb_ingest *ingest = create(&(struct recipe){2, KB_FILL_ZERO, budget, 1});
        add(ingest, &(struct row){0, 0, {1, 0}, 5});
        add(ingest, &(struct row){0, 0, {2, 0}, 6});
        assert_int_equal(kb_ingest_add_time(ingest, 0, at(3), NULL), KB_OK);
        kb_store *store = assemble(&ingest, 1);
        assert_int_equal(kb_store_length(store, 0), 2);
        assert_int_equal(kb_store_time(store, 0, 1).whole, 3);
        assert_int_equal(kb_store_series(store, 0, 0).count, 1);
        assert_int_equal(kb_store_objects(store), 1);
        kb_store_free(store);
    }
}

/* What was read before the window goes on into it, as long as no later reading says otherwise. */
static void held_readings_come_from_before_the_window(void **state)
{
    (void)state;
    static const struct row rows[] = {{0, 0, {1, 0}, 5}, {0, 1, {1, 0}, 4}, {0, 2, {2, 0}, 3},
                                      {0, 2, {9, 0}, 1}, {0, 1, {8, 0}, 0}, {0, 0, {2, 0}, 6},
                                      {0, 0, {1, 0}, 7}, {0, 3, {9, 0}, 0}};
    for (size_t lanes = 1; lanes <= 8; lanes++) {
        kb_store *store = build_as(rows, 8, &(struct recipe){2, KB_FILL_HOLD, 1, lanes});
        assert_int_equal(kb_store_series_count(store, 0), 2); /* object 1 is 0 from time 8 on */
        kb_series held = kb_store_series(store, 0, 0), changed = kb_store_series(store, 0, 1);
        assert_true(held.first == 0 && held.count == 2);
        assert_true(held.values[0] == 6 && held.values[1] == 6);
        assert_true(changed.values[0] == 3 && changed.values[1] == 1);
        kb_store_free(store);
    }
}

static void fills_have_names(void **state)
{
    (void)state;
    kb_fill fill;
    for (int i = 0; i < KB_FILLS; i++) {
        assert_true(kb_fill_parse(&fill, kb_fill_name((kb_fill)i)));
        assert_int_equal(fill, i);
    }
    assert_false(kb_fill_parse(&fill, "last"));
}

static void memory_follows_the_window(void **state)
{
    (void)state;
    kb_ingest *ingest = create(&(struct recipe){10, KB_FILL_ZERO, 1000, 1});
    for (unsigned i = 0; i < 100000; i++) {
        struct row row = {0, i % 3, at(i / 3), 1};
        add(ingest, &row);
    }
    kb_store *store = assemble(&ingest, 1);
    assert_int_equal(kb_store_nonzero(store), 28); /* the last time has one reading */
    assert_true(kb_store_bytes(store) < 2000);
    kb_store_free(store);
}

/* Rows by time, so that all sessions get some each time that those that wait are worked in. Were
 * what is known gone through each time, however few are new, this would take minutes. */
static void zeros_are_worked_in_in_linear_time(void **state)
{
    (void)state;
    enum { MANY_SESSIONS = 2000, MANY_OBJECTS = 800 };
    for (int fill = 0; fill < KB_FILLS; fill++) {
        kb_ingest *ingest = create(&(struct recipe){100, (kb_fill)fill, 2000, 2});
        for (unsigned object = 0; object < MANY_OBJECTS; object++)
            for (unsigned session = 0; session < MANY_SESSIONS; session++)
                add(ingest, &(struct row){session, object, at(object % 100), object == 7});
        kb_store *store = assemble(&ingest, 1);
        assert_int_equal(kb_store_sessions(store), MANY_SESSIONS);
        assert_int_equal(kb_store_objects(store), MANY_OBJECTS);
        assert_int_equal(kb_store_series_count(store, 0), 1);
        kb_store_free(store);
    }
}

static void ids_follow_the_bytes_of_names(void **state)
{
    (void)state;
    static const char *const names[] = {"b", "\xC3\xA9", "B", "ba", "a b", "10", "9"};
    static const char *const sorted[] = {"10", "9", "B", "a b", "b", "ba", "\xC3\xA9"};
    kb_ingest *ingest = create(&(struct recipe){3, KB_FILL_ZERO, 100, 1});
    for (size_t i = 0; i < 7; i++) {
        uint32_t session = kb_ingest_session(ingest, names[i], strlen(names[i]));
        uint32_t object = kb_ingest_object(ingest, names[6 - i], strlen(names[6 - i]));
        kb_ingest_add(ingest, session, object, at(0), (float)i, NULL);
    }
    kb_store *store = assemble(&ingest, 1);
    for (size_t i = 0; i < 7; i++) {
        assert_string_equal(kb_store_session_name(store, i), sorted[i]);
        assert_string_equal(kb_store_object_name(store, i), sorted[i]);
        assert_int_equal(kb_store_find_session(store, sorted[i]), i);
    }
    assert_int_equal(kb_store_find_object(store, "none"), SIZE_MAX);
    kb_series series;
    size_t session = kb_store_find_session(store, "\xC3\xA9");
    assert_false(kb_store_find_series(store, session, 1, &series));
    assert_true(
        kb_store_find_series(store, session, (uint32_t)kb_store_find_object(store, "10"), &series));
    assert_true(series.values[0] == 1);
    kb_store_free(store);
}

static void a_session_without_rows_is_empty(void **state)
{
    (void)state;
    kb_ingest *ingest = create(&(struct recipe){3, KB_FILL_ZERO, 100, 1});
    kb_ingest_session(ingest, "listed", 6);
    kb_store *store = assemble(&ingest, 1);
    assert_int_equal(kb_store_sessions(store), 1);
    assert_int_equal(kb_store_length(store, 0), 0);
    assert_int_equal(kb_store_series_count(store, 0), 0);
    kb_store_free(store);
    ingest = create(&(struct recipe){3, KB_FILL_ZERO, 100, 1});
    store = assemble(&ingest, 1);
    assert_int_equal(kb_store_sessions(store), 0);
    kb_store_free(store);
}

static void timesteps_out_of_range_are_refused(void **state)
{
    (void)state;
    kb_ingest *ingest;
    kb_error err;
    kb_ingest_options options = {.timesteps = 0};
    assert_int_equal(kb_ingest_create(&ingest, &options, &err), KB_ERR_USAGE);
    options.timesteps = 65536;
    assert_int_equal(kb_ingest_create(&ingest, &options, &err), KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "65536"));
    assert_null(ingest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_those_of_a_naive_reckoning),
        cmocka_unit_test(the_order_of_rows_does_not_matter),
        cmocka_unit_test(an_explicit_zero_is_a_time_and_replaces),
        cmocka_unit_test(a_late_row_replaces_only_inside_of_the_window),
        cmocka_unit_test(a_zero_replaces_what_an_earlier_lane_read),
        cmocka_unit_test(a_time_without_a_reading_is_a_step),
        cmocka_unit_test(held_readings_come_from_before_the_window),
        cmocka_unit_test(fills_have_names),
        cmocka_unit_test(memory_follows_the_window),
        cmocka_unit_test(zeros_are_worked_in_in_linear_time),
        cmocka_unit_test(ids_follow_the_bytes_of_names),
        cmocka_unit_test(a_session_without_rows_is_empty),
        cmocka_unit_test(timesteps_out_of_range_are_refused),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
