#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "corpus_files.h"
#include "follow.h"

/* A folder that is followed by a clock of the test's own. */
struct fixture {
    char folder[256];
    kb_follow *follow;
    kb_stream *stream;
    kb_stream_count count;
    double now;
    char told[4096];
};

static void hear(void *ctx, const kb_problem *problem)
{
    struct fixture *x = ctx;
    size_t used = strlen(x->told);
    const char *name = strrchr(problem->file, '/');
    snprintf(x->told + used, sizeof x->told - used, "%s:%d: %s\n", name ? name + 1 : problem->file,
             (int)problem->line, problem->reason);
}

static void begin(struct fixture *x)
{
    kb_follow_options following = {
        .settle = 1, .timesteps = 10, .fill = KB_FILL_ZERO, .problem = {hear, x}};
    kb_stream_options streaming = {.timesteps = 10, .open = 100, .overlaid = true};
    assert_int_equal(kb_follow_create(&x->follow, x->folder, &following, NULL), KB_OK);
    assert_int_equal(kb_stream_create(&x->stream, &streaming, 1, NULL), KB_OK);
    x->count = (kb_stream_count){0};
}

static void end(struct fixture *x)
{
    kb_follow_free(x->follow);
    kb_stream_free(x->stream);
}

static int set_up(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);
    make_folder(x->folder, sizeof x->folder);
    x->now = 100;
    begin(x);
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *x = *state;
    end(x);
    remove_folder(x->folder);
    free(x);
    return 0;
}

/* Looks and reads until there is nothing more, SECONDS later. Returns how many rows were taken. */
static uint64_t go_on(struct fixture *x, double seconds)
{
    bool busy = true;
    uint64_t before = x->count.rows;
    x->now += seconds;
    assert_int_equal(kb_follow_look(x->follow, x->now, NULL), KB_OK);
    while (busy)
        assert_int_equal(kb_follow_read(x->follow, x->stream, x->now, &x->count, &busy, NULL),
                         KB_OK);
    return x->count.rows - before;
}

static void append(const struct fixture *x, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", x->folder, name);
    FILE *f = fopen(path, "a");
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void move(const struct fixture *x, const char *from, const char *to)
{
    char a[512], b[512];
    snprintf(a, sizeof a, "%s/%s", x->folder, from);
    snprintf(b, sizeof b, "%s/%s", x->folder, to);
    assert_int_equal(rename(a, b), 0);
}

static void restart(struct fixture *x)
{
    kb_record record = {0};
    kb_follow_save(x->follow, &record);
    end(x);
    begin(x);
    kb_record_reader reader = {record.bytes, record.length, false};
    assert_int_equal(kb_follow_restore(x->follow, &reader, NULL), KB_OK);
    for (size_t n = 0; n < record.length; n++) {
        kb_follow *other;
        kb_follow_options options = {.settle = 1, .timesteps = 10};
        assert_int_equal(kb_follow_create(&other, x->folder, &options, NULL), KB_OK);
        reader = (kb_record_reader){record.bytes, n, false};
        assert_int_equal(kb_follow_restore(other, &reader, NULL), KB_ERR_FORMAT);
        kb_follow_free(other);
    }
    kb_record_clear(&record);
}

#define HEADER "session,time,object,value\n"

static void rows_count_once_they_have_their_ends(void **state)
{
    struct fixture *x = *state;
    append(x, "metrics.csv", "session,time,obj");
    assert_int_equal(go_on(x, 2), 0);
    append(x, "metrics.csv", "ect,value\na,1,x,1\na,2,x");
    assert_int_equal(go_on(x, 2), 1);
    append(x, "metrics.csv", ",3\n\"b\nb\",1,\"x");
    assert_int_equal(go_on(x, 2), 1);
    append(x, "metrics.csv", "\ny\",1\nbad row\n");
    assert_int_equal(go_on(x, 2), 1);
    append(x, "metrics.csv", "b,x,y,1\n");
    assert_int_equal(go_on(x, 2), 0);
    assert_string_equal(x->told, "metrics.csv:7: 1 field, the header has 4\n"
                                 "metrics.csv:8: time 'x': neither a number nor ISO 8601\n");
}

static void whole_rows(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t whole;
    } cases[] = {{"", 0},           {"a", 0},         {"a\n", 2},      {"a\nb", 2},
                 {"\"a\n", 0},      {"\"a\n\"\n", 5}, {"a\n\"b\n", 2}, {"\"a\"\"\n\"\nb\n", 9},
                 {"a\"b\nc\"\n", 7}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(kb_follow_whole_rows(cases[i].text, strlen(cases[i].text)),
                         cases[i].whole);
    size_t length = 200000; /* a quote that nobody closes does not hold up the file */
    char *text = malloc(length);
    memset(text, 'x', length);
    text[0] = '"';
    for (size_t i = 99; i < length; i += 100)
        text[i] = '\n';
    assert_in_range(kb_follow_whole_rows(text, length), length - 70000, length);
    free(text);
}

static void renamed_files_go_on(void **state)
{
    struct fixture *x = *state;
    append(x, "metrics-1.csv", HEADER "a,1,x,1\n");
    assert_int_equal(go_on(x, 2), 1);
    move(x, "metrics-1.csv", "metrics-1.csv.1");
    append(x, "metrics-1.csv.1", "a,2,x,1\n");
    append(x, "metrics-1.csv", HEADER "a,3,x,1\n");
    assert_int_equal(go_on(x, 2), 2);
    append(x, "metrics-1.csv.1", "a,4,x,1\n");
    restart(x);
    assert_int_equal(go_on(x, 2), 1);
    append(x, "metrics-1.csv.1", "a,5,x,1\na,6,x,1");
    assert_int_equal(go_on(x, 2), 1);
    assert_int_equal(go_on(x, 2), 1); /* nobody will end its last line */
    assert_int_equal(go_on(x, 200), 0);
    assert_int_equal(kb_follow_files(x->follow), 1);
    move(x, "metrics-1.csv", "metrics-2.csv");
    append(x, "metrics-2.csv", "a,7,x,1\n");
    assert_int_equal(go_on(x, 2), 1);
    assert_string_equal(x->told, "");
}

static void truncated_and_replaced_files_begin_again(void **state)
{
    struct fixture *x = *state;
    append(x, "metrics.csv", HEADER "a,1,x,1\na,2,x,1\n");
    assert_int_equal(go_on(x, 2), 2);
    write_text(x->folder, "metrics.csv", HEADER "b,1,x,1\n");
    assert_int_equal(go_on(x, 2), 1);
    write_text(x->folder, "metrics.csv", HEADER "c,1,x,1\nc,2,x,1\nc,3,x,1\n");
    assert_int_equal(go_on(x, 2), 3);
    assert_string_equal(x->told,
                        "metrics.csv:0: was truncated: it is read from its beginning\n"
                        "metrics.csv:0: has other contents than before: it is read from its "
                        "beginning\n");
}

static void copies_that_have_grown_go_on(void **state)
{
    struct fixture *x = *state;
    append(x, "metrics.csv", HEADER "a,1,x,1\n");
    assert_int_equal(go_on(x, 2), 1);
    append(x, "copy", HEADER "a,1,x,1\na,2,x,1\n");
    move(x, "copy", "metrics.csv");
    assert_int_equal(go_on(x, 2), 1);
    append(x, "copy", HEADER "b,1,x,1\nb,2,x,1\nb,3,x,1\n");
    move(x, "copy", "metrics.csv");
    assert_int_equal(go_on(x, 2), 3);
}

static void whole_files_are_read_once_they_are_quiet(void **state)
{
    struct fixture *x = *state;
    char traces[300];
    snprintf(traces, sizeof traces, "%s/traces", x->folder);
    assert_int_equal(mkdir(traces, 0777), 0);
    assert_int_equal(go_on(x, 2), 0);
    append(x, "traces/a.csv", "time,x,y\n1,2,3\n");
    write_text(x->folder, "metrics.csv.gz", HEADER "b,1,x,1\nb,2,x,1\n");
    assert_int_equal(go_on(x, .5), 0);
    assert_int_equal(go_on(x, 2), 3);
    assert_int_equal(kb_stream_ended(x->stream), 1); /* the trace's */
    assert_int_equal(kb_stream_open(x->stream), 1);
    restart(x);
    assert_int_equal(go_on(x, 2), 0);
    append(x, "traces/empty.csv", "time,x,y\n");
    assert_int_equal(go_on(x, 2), 0);
    assert_int_equal(go_on(x, 2), 1);
    assert_int_equal(kb_stream_ended(x->stream), 1); /* a session without rows */
    assert_string_equal(x->told, "");
    unlink("traces");
    char path[400];
    snprintf(path, sizeof path, "%s/a.csv", traces);
    unlink(path);
    snprintf(path, sizeof path, "%s/empty.csv", traces);
    unlink(path);
}

static void what_cannot_be_read_is_told_once(void **state)
{
    struct fixture *x = *state;
    append(x, "metrics-1.csv", "x,y\n1,2\n");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(go_on(x, 2), 0);
        append(x, "metrics-1.csv", "1,2\n");
    }
    assert_string_equal(x->told, "metrics-1.csv:0: no column 'session' (the header has: x, y)\n");
    x->told[0] = '\0';
    char path[600], bytes[200];
    write_text(x->folder, "other.gz", HEADER "b,1,x,1\nb,2,x,1\n");
    snprintf(path, sizeof path, "%s/other.gz", x->folder);
    FILE *f = fopen(path, "rb");
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    f = fopen(strcat(strcpy(path, x->folder), "/metrics-2.csv.gz"), "wb");
    fwrite(bytes, 1, n - 9, f);
    fclose(f);
    go_on(x, .5);
    for (int i = 0; i < 3; i++)
        assert_int_equal(go_on(x, 2), 0);
    assert_string_equal(x->told, "metrics-2.csv.gz:0: truncated: the gzip data end early\n");
    f = fopen(path, "ab");
    fwrite(bytes + n - 9, 1, 9, f);
    fclose(f);
    go_on(x, .5);
    assert_int_equal(go_on(x, 2), 2);
    char away[300];
    snprintf(away, sizeof away, "%s.away", x->folder);
    assert_int_equal(rename(x->folder, away), 0);
    x->told[0] = '\0';
    go_on(x, 2);
    go_on(x, 2);
    assert_non_null(strstr(x->told, "it is tried again"));
    assert_null(strstr(strstr(x->told, "it is tried again") + 1, "it is tried again"));
    assert_int_equal(rename(away, x->folder), 0);
    append(x, "metrics-3.csv", HEADER "c,1,x,1\n");
    assert_int_equal(go_on(x, 2), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_count_once_they_have_their_ends, set_up, tear_down),
        cmocka_unit_test(whole_rows),
        cmocka_unit_test_setup_teardown(renamed_files_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(truncated_and_replaced_files_begin_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(copies_that_have_grown_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whole_files_are_read_once_they_are_quiet, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_told_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
