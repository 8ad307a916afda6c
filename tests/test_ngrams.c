/* ngrams: what came before a START that no END came before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ngrams.h"

/* LOG: rows of user,time,event. */
static kb_events *load(const char *log)
{
    const char *folder = getenv("TMPDIR");
    char path[256];
    snprintf(path, sizeof path, "%s/kb-ngrams-%ld.csv", folder ? folder : "/tmp", (long)getpid());
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fprintf(f, "user,time,event\n%s", log) > 0);
    assert_int_equal(fclose(f), 0);
    kb_problems *problems = kb_problems_create((kb_problem_listener){0});
    kb_events *events;
    kb_error err;
    kb_file file = {.path = path, .kind = KB_FILE_EVENTS};
    kb_reading reading = {.strict = true, .problems = problems};
    if (kb_events_load(&events, &file, 1, NULL, &reading, &err))
        fail_msg("%s", err.text);
    kb_problems_free(problems);
    unlink(path);
    return events;
}

/* The result as text: "e0 e1 count/users" a row, an empty column as "-". */
static void print_rows(char *text, size_t size, const kb_ngrams *ngrams, const kb_events *events)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < ngrams->count; i++) {
        const kb_ngram_row *row = &ngrams->rows[i];
        for (size_t j = 0; j < ngrams->width; j++) {
            bool empty = row->events[j] == KB_NAME_NONE;
            used += (size_t)snprintf(text + used, size - used, "%s ",
                                     empty ? "-" : kb_events_kind_name(events, row->events[j]));
        }
        used += (size_t)snprintf(text + used, size - used, "%llu/%llu\n",
                                 (unsigned long long)row->count, (unsigned long long)row->users);
    }
}

/* What is counted: the starts and the lengths. */
struct question {
    kb_truncation_options starts;
    kb_ngram_options lengths;
};

static kb_status count_with(kb_ngrams *out, const kb_events *events, const bool *users,
                            const struct question *question, const kb_progress *progress,
                            kb_error *err)
{
    kb_truncations truncations;
    *out = (kb_ngrams){0};
    kb_status status =
        kb_truncations_find(&truncations, events, users, &question->starts, progress, err);
    if (!status)
        status = kb_ngrams_of(out, events, &truncations, &question->lengths, progress, err);
    kb_truncations_clear(&truncations);
    return status;
}

static void assert_ngrams_with(const char *log, const bool *users, struct question question,
                               const char *expected)
{
    kb_events *events = load(log);
    kb_ngrams ngrams;
    kb_error err;
    if (count_with(&ngrams, events, users, &question, NULL, &err))
        fail_msg("%s", err.text);
    char text[4096];
    print_rows(text, sizeof text, &ngrams, events);
    assert_string_equal(text, expected);
    kb_ngrams_clear(&ngrams);
    kb_events_free(events);
}

/* S starts, E ends. */
static struct question short_names(size_t n)
{
    return (struct question){.starts = {.start = "S", .end = "E"},
                             .lengths = {.least = n, .most = n}};
}

static void assert_ngrams(const char *log, size_t n, const char *expected)
{
    assert_ngrams_with(log, NULL, short_names(n), expected);
}

static void a_start_after_anything_but_end_is_a_crash(void **state)
{
    (void)state;
    assert_ngrams("u,1,a\nu,2,b\nu,3,S\nu,4,c\nu,5,E\nu,6,S\n", 3, "a b 1/1\n");
}

static void the_default_names_are_those_of_the_app(void **state)
{
    (void)state;
    assert_ngrams_with("u,1,app.launched\nu,2,x\nu,3,y\nu,4,app.launched\nu,5,app.terminated\n"
                       "u,6,app.launched\n",
                       NULL, (struct question){kb_truncation_defaults(), kb_ngram_defaults()},
                       "x y 1/1\n");
}

static void a_start_with_nothing_before_it_does_not_count(void **state)
{
    (void)state;
    assert_ngrams("u,1,S\nv,1,S\nv,2,S\n", 2, "S 1/1\n");
}

static void missing_events_are_empty_leading_columns(void **state)
{
    (void)state;
    assert_ngrams("u,1,a\nu,2,S\n", 2, "a 1/1\n");
    assert_ngrams("u,1,a\nu,2,S\n", 3, "- a 1/1\n");
    assert_ngrams("u,1,a\nu,2,b\nu,3,S\n", 5, "- - a b 1/1\n");
}

static void windows_cross_earlier_starts_and_ends(void **state)
{
    (void)state;
    static const char log[] = "u,1,a\nu,2,E\nu,3,S\nu,4,b\nu,5,S\nu,6,S\n";
    assert_ngrams(log, 2, "S 1/1\nb 1/1\n");
    assert_ngrams(log, 3, "S b 1/1\nb S 1/1\n");
    assert_ngrams(log, 4, "E S b 1/1\nS b S 1/1\n");
    assert_ngrams(log, 5, "E S b S 1/1\na E S b 1/1\n");
}

static void users_do_not_run_into_each_other(void **state)
{
    (void)state;
    assert_ngrams("u,1,a\nv,2,S\nu,3,b\nv,4,c\nu,5,S\nv,6,S\n", 3, "S c 1/1\na b 1/1\n");
}

static void equal_times_keep_the_order_of_the_file(void **state)
{
    (void)state;
    assert_ngrams("u,5,S\nu,1,b\nu,1,a\nu,1,c\n", 4, "b a c 1/1\n");
    assert_ngrams("u,1,a\nu,1,S\nu,1,E\nu,1,S\n", 2, "a 1/1\n");
}

static void counts_fall_and_users_are_distinct(void **state)
{
    (void)state;
    assert_ngrams("u,1,a\nu,2,S\nu,3,a\nu,4,S\nu,5,a\nu,6,S\nv,1,b\nv,2,S\nw,1,b\nw,2,S\n", 2,
                  "a 3/1\nb 2/2\n");
    assert_ngrams("u,1,a\nu,2,S\nv,3,a\nv,4,S\nu,5,b\nu,6,S\nu,7,a\nu,8,S\n", 2, "a 3/2\nb 1/1\n");
}

static void ties_follow_the_bytes_with_empty_first(void **state)
{
    (void)state;
    assert_ngrams("u,1,b\nu,2,S\nv,1,B\nv,2,a\nv,3,S\nw,1,\xC3\xA9\nw,2,S\nx,1,ba\nx,2,S\n", 3,
                  "- b 1/1\n- ba 1/1\n- \xC3\xA9 1/1\nB a 1/1\n");
}

static void only_the_flagged_users_are_counted(void **state)
{
    (void)state;
    static const char log[] = "u,1,a\nu,2,S\nv,1,a\nv,2,S\nw,1,b\nw,2,S\n";
    assert_ngrams_with(log, (const bool[]){true, false, true}, short_names(2), "a 1/1\nb 1/1\n");
    assert_ngrams_with(log, (const bool[]){false, false, false}, short_names(2), "");
}

static void one_name_for_both_ends_is_taken_as_it_stands(void **state)
{
    (void)state;
    struct question options = short_names(2);
    options.starts.end = "S";
    assert_ngrams_with("u,1,S\nu,2,S\nu,3,a\nu,4,S\n", NULL, options, "a 1/1\n");
}

static void a_log_without_the_start_has_no_ngrams(void **state)
{
    (void)state;
    assert_ngrams("u,1,a\nu,2,b\nu,3,E\n", 3, "");
}

static void a_log_without_the_end_has_only_crashes(void **state)
{
    (void)state;
    assert_ngrams("u,1,a\nu,2,S\nu,3,S\n", 2, "S 1/1\na 1/1\n");
}

/* Enough tuples to make the table grow many times, each of them twice. */
static void many_tuples_stay_apart(void **state)
{
    (void)state;
    enum { KINDS = 60, USERS = KINDS * KINDS };
    char *log = malloc(USERS * 128);
    assert_non_null(log);
    size_t used = 0;
    for (int u = 0; u < USERS; u++)
        used += (size_t)sprintf(log + used, "u%d,1,k%d\nu%d,2,k%d\nu%d,3,S\nu%d,4,k%d\nu%d,5,S\n",
                                u, u / KINDS, u, u % KINDS, u, u, u % KINDS, u);
    kb_events *events = load(log);
    free(log);
    kb_ngrams ngrams;
    struct question options = short_names(3);
    assert_int_equal(count_with(&ngrams, events, NULL, &options, NULL, NULL), KB_OK);
    assert_int_equal(ngrams.count, USERS + KINDS);
    uint64_t sum = 0;
    for (size_t i = 0; i < ngrams.count; i++) {
        assert_int_equal(ngrams.rows[i].count, i < KINDS ? KINDS : 1);
        assert_int_equal(ngrams.rows[i].users, ngrams.rows[i].count);
        sum += ngrams.rows[i].count;
    }
    assert_int_equal(sum, 2 * USERS);
    kb_ngrams_clear(&ngrams);
    kb_events_free(events);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    kb_events *events = load("u,1,a\nu,2,S\n");
    static const struct question bad[] = {
        {{.start = "S", .end = "E"}, {1, 1, 0}},
        {{.start = "S", .end = "E"}, {0, 0, 0}},
        {{.start = "S", .end = "E"}, {65, 65, 0}},
        {{.start = "S", .end = "E"}, {3, 2, 0}},
        {{.start = "S", .end = "E"}, {2, 65, 0}},
        {{.start = "S", .end = "E"}, {3, 3, 1.1}},
        {{.start = "S", .end = "E"}, {3, 3, NAN}},
        {{.start = "", .end = "E"}, {3, 3, 0}},
        {{.start = "S", .end = ""}, {3, 3, 0}},
        {{.start = NULL, .end = "E"}, {3, 3, 0}},
        {{.start = "S", .end = "E", .after = "a,"}, {3, 3, 0}},
        {{.start = "S", .end = "E", .before = " , a"}, {3, 3, 0}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kb_ngrams ngrams;
        kb_error err = {0};
        assert_int_equal(count_with(&ngrams, events, NULL, &bad[i], NULL, &err), KB_ERR_USAGE);
        assert_true(strlen(err.text) > 0);
        kb_ngrams_clear(&ngrams);
    }
    kb_events_free(events);
}

static void a_cancelled_count_says_so(void **state)
{
    (void)state;
    kb_events *events = load("u,1,a\nu,2,S\n");
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    kb_ngrams ngrams;
    struct question options = short_names(2);
    assert_int_equal(count_with(&ngrams, events, NULL, &options, &progress, NULL),
                     KB_ERR_CANCELLED);
    assert_int_equal(ngrams.count, 0);
    kb_events_free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_after_anything_but_end_is_a_crash),
        cmocka_unit_test(the_default_names_are_those_of_the_app),
        cmocka_unit_test(a_start_with_nothing_before_it_does_not_count),
        cmocka_unit_test(missing_events_are_empty_leading_columns),
        cmocka_unit_test(windows_cross_earlier_starts_and_ends),
        cmocka_unit_test(users_do_not_run_into_each_other),
        cmocka_unit_test(equal_times_keep_the_order_of_the_file),
        cmocka_unit_test(counts_fall_and_users_are_distinct),
        cmocka_unit_test(ties_follow_the_bytes_with_empty_first),
        cmocka_unit_test(only_the_flagged_users_are_counted),
        cmocka_unit_test(one_name_for_both_ends_is_taken_as_it_stands),
        cmocka_unit_test(a_log_without_the_start_has_no_ngrams),
        cmocka_unit_test(a_log_without_the_end_has_only_crashes),
        cmocka_unit_test(many_tuples_stay_apart),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(a_cancelled_count_says_so),
    };
    return cmocka_run_group_tests_name("ngrams", tests, NULL, NULL);
}
