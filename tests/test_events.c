/* events: one sequence per user by time, equal times in order of reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "corpus_files.h"
#include "events.h"
#include "rng.h"

static kb_status load_as(kb_events **out, const char *const *paths, size_t count,
                         const kb_reading *reading, kb_error *err)
{
    kb_file files[8];
    assert_true(count <= 8);
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        assert_int_equal(stat(paths[i], &st), 0);
        files[i] = (kb_file){.path = (char *)(uintptr_t)paths[i],
                             .kind = KB_FILE_EVENTS,
                             .regular = true,
                             .size = (uint64_t)st.st_size};
    }
    return kb_events_load(out, files, count, NULL, reading, err);
}

static kb_events *load(const char *const *paths, size_t count, kb_problems *problems)
{
    kb_events *events;
    kb_error err;
    if (load_as(&events, paths, count, &(kb_reading){.problems = problems}, &err) != KB_OK)
        fail_msg("%s", err.text);
    return events;
}

/* "kind@time " of each of the user's events. */
static const char *sequence(const kb_events *events, const char *user)
{
    static char text[1024];
    size_t count, used = 0, id = kb_events_find_user(events, user);
    assert_int_not_equal(id, SIZE_MAX);
    assert_string_equal(kb_events_user_name(events, id), user);
    const kb_event *items = kb_events_of(events, id, &count);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char time[64];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s@%s ",
                                 kb_events_kind_name(events, items[i].event),
                                 kb_time_format(items[i].time, time, sizeof time));
    }
    return text;
}

static void streams_are_ordered_by_user_and_time(void **state)
{
    (void)state;
    char folder[256], first[1024], second[1024];
    make_folder(folder, sizeof folder);
    snprintf(first, sizeof first, "%s",
             write_text(folder, "events-a.csv",
                        "event,time,user,more\nz,2,u2,\nb,5,u1,\na,5,u1,\nstart,-1.5,u1,\n"));
    snprintf(
        second, sizeof second, "%s",
        write_text(folder, "events-b.csv.gz",
                   "user,time,event,session\nu1,5,c,s9\nu1,1970-01-01T00:00:01Z,d,\nu10,0,e,s8\n"));
    const char *const paths[] = {first, second};
    kb_problems *problems = kb_problems_create((kb_problem_listener){0});
    kb_events *events = load(paths, 2, problems);
    assert_int_equal(kb_events_count(events), 7);
    assert_int_equal(kb_events_users(events), 3);
    assert_string_equal(kb_events_user_name(events, 0), "u1");
    assert_string_equal(kb_events_user_name(events, 1), "u10");
    assert_string_equal(sequence(events, "u1"), "start@-1.5 d@1 b@5 a@5 c@5 ");
    assert_string_equal(sequence(events, "u2"), "z@2 ");
    assert_string_equal(sequence(events, "u10"), "e@0 ");
    assert_int_equal(kb_events_kinds(events), 7);
    for (uint32_t k = 1; k < 7; k++)
        assert_true(strcmp(kb_events_kind_name(events, k - 1), kb_events_kind_name(events, k)) < 0);
    assert_int_equal(kb_events_find_kind(events, "b"), 1);
    assert_int_equal(kb_events_find_kind(events, "none"), KB_NAME_NONE);
    assert_int_equal(kb_events_find_user(events, "none"), SIZE_MAX);
    size_t count;
    const kb_event *items = kb_events_of(events, 0, &count);
    assert_int_equal(items[0].session, KB_NAME_NONE);
    assert_int_equal(items[1].session, KB_NAME_NONE);
    assert_string_equal(kb_events_session_name(events, items[4].session), "s9");
    assert_int_equal(kb_events_sessions(events), 2);
    assert_int_equal(kb_problems_count(problems), 0);
    kb_events_free(events);
    kb_problems_free(problems);
    remove_folder(folder);
}

/* Each event's kind is its line number, so that a stable order can be told from any other. */
static void equal_times_keep_the_order_of_reading(void **state)
{
    (void)state;
    enum { N = 5000 };
    char *text = malloc(N * 32), *end = text, folder[256];
    end += sprintf(end, "user,time,event\n");
    kb_rng rng = kb_rng_start(21, KB_STREAM_TEST);
    for (int i = 0; i < N; i++)
        end +=
            sprintf(end, "u%d,%d,%d\n", (int)kb_rng_below(&rng, 3), (int)kb_rng_below(&rng, 50), i);
    make_folder(folder, sizeof folder);
    const char *path = write_text(folder, "events.csv", text);
    kb_problems *problems = kb_problems_create((kb_problem_listener){0});
    kb_events *events = load(&path, 1, problems);
    size_t total = 0;
    for (size_t u = 0; u < kb_events_users(events); u++) {
        size_t count;
        const kb_event *e = kb_events_of(events, u, &count);
        total += count;
        for (size_t i = 1; i < count; i++) {
            int order = kb_time_compare(e[i - 1].time, e[i].time);
            assert_true(order <= 0);
            if (order == 0)
                assert_true(atoi(kb_events_kind_name(events, e[i - 1].event)) <
                            atoi(kb_events_kind_name(events, e[i].event)));
        }
    }
    assert_int_equal(total, N);
    kb_events_free(events);
    kb_problems_free(problems);
    remove_folder(folder);
    free(text);
}

static void bad_rows_are_told_and_left_out(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder, sizeof folder);
    const char *path =
        write_text(folder, "events.csv", "user,time,event\n,1,a\nu,1,\nu,x,a\nu,1\nu,1,good\n");
    kb_problems *problems = kb_problems_create((kb_problem_listener){0});
    kb_events *events = load(&path, 1, problems);
    assert_int_equal(kb_events_count(events), 1);
    assert_int_equal(kb_problems_count(problems), 4);
    static const char *const reasons[] = {"empty user", "empty event",
                                          "time 'x': neither a number nor ISO 8601",
                                          "2 fields, the header has 3"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(kb_problems_get(problems, i).line, i + 2);
        assert_string_equal(kb_problems_get(problems, i).reason, reasons[i]);
        assert_string_equal(kb_problems_get(problems, i).file, path);
    }
    kb_events_free(events);
    kb_error err;
    assert_int_equal(
        load_as(&events, &path, 1, &(kb_reading){.strict = true, .problems = problems}, &err),
        KB_ERR_FORMAT);
    assert_non_null(strstr(err.text, "events.csv:2: empty user"));
    kb_problems_free(problems);
    remove_folder(folder);
}

static void a_log_without_a_column_is_refused(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder, sizeof folder);
    const char *path = write_text(folder, "events.csv", "user,time\nu,1\n");
    kb_problems *problems = kb_problems_create((kb_problem_listener){0});
    kb_events *events;
    kb_error err;
    assert_int_equal(load_as(&events, &path, 1, &(kb_reading){.problems = problems}, &err),
                     KB_ERR_FORMAT);
    assert_non_null(strstr(err.text, "'event'"));
    assert_null(events);
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    assert_int_equal(load_as(&events, &path, 1,
                             &(kb_reading){.problems = problems, .progress = &progress}, &err),
                     KB_ERR_CANCELLED);
    path = write_text(folder, "events.csv", "user,time,event\n");
    events = load(&path, 1, problems);
    assert_int_equal(kb_events_count(events), 0);
    assert_int_equal(kb_events_users(events), 0);
    kb_events_free(events);
    kb_problems_free(problems);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_ordered_by_user_and_time),
        cmocka_unit_test(equal_times_keep_the_order_of_reading),
        cmocka_unit_test(bad_rows_are_told_and_left_out),
        cmocka_unit_test(a_log_without_a_column_is_refused),
    };
    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
