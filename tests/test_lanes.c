/* lanes: however the files are cut and however many threads read them, the corpus is that of one
 * thread, and so are the problems, with their lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "corpus.h"
#include "corpus_files.h"
#include "corpus_text.h"
#include "rng.h"

#define HEADER "session,time,object,value\n"

/* What loading PATH in one way gives. The caller frees. */
static char *load_as(const char *path, size_t threads, uint64_t lane_bytes, bool strict)
{
    kb_pool *pool;
    assert_int_equal(kb_pool_create(&pool, threads, NULL), KB_OK);
    kb_corpus_options options = kb_corpus_defaults();
    options.timesteps = 7;
    options.strict = strict;
    options.pool = pool;
    options.lane_bytes = lane_bytes;
    char *text = load_text(path, options, NULL);
    kb_pool_free(pool);
    return text;
}

/* Cuts the corpus at PATH in many ways; returns what it is, for the caller to free. */
static char *check_cuts(const char *path, bool strict)
{
    static const uint64_t lane_bytes[] = {1, 10, 64, 300, 5000};
    char *one = load_as(path, 1, 0, strict);
    for (size_t threads = 2; threads <= 9; threads += threads < 4 ? 1 : 5) {
        for (size_t b = 0; b < sizeof lane_bytes / sizeof *lane_bytes; b++) {
            char *many = load_as(path, threads, lane_bytes[b], strict);
            if (strcmp(one, many) != 0)
                fail_msg("with %zu threads and lanes of %llu bytes:\n%s\ninstead of:\n%s", threads,
                         (unsigned long long)lane_bytes[b], many, one);
            free(many);
        }
    }
    return one;
}

static void expect_everywhere(const char *path, const char *what)
{
    char *text = check_cuts(path, false);
    if (!strstr(text, what))
        fail_msg("'%s' is not in:\n%s", what, text);
    free(text);
}

/* --- the tests ---------------------------------------------------------------------------- */

/* Rows of every kind: plain, quoted, over several lines, late, doubled, bad. */
static void print_row(FILE *f, kb_rng *rng, bool mean)
{
    unsigned session = (unsigned)kb_rng_below(rng, 5), object = (unsigned)kb_rng_below(rng, 4);
    unsigned time = (unsigned)kb_rng_below(rng, 20), value = (unsigned)kb_rng_below(rng, 4);
    switch (kb_rng_below(rng, mean ? 12 : 8)) {
    case 0:
        fprintf(f, "\"s%u\",%u,\"o%u\",%u\r\n", session, time, object, value);
        break;
    case 1:
        fprintf(f, "s%u,%u,\"two\nlines %u\",%u\n", session, time, object, value);
        break;
    case 2:
        fprintf(f, "s%u,%u,\"a \"\"b\"\", %u\",%u\n\n", session, time, object, value);
        break;
    case 8:
        fprintf(f, "s%u,%u,\"open %u,%u\n", session, time, object, value);
        break;
    case 9:
        fprintf(f, "s%u,%u,o%u\n", session, time, object);
        break;
    case 10:
        fprintf(f, "s%u,%u,\xFF%u,%u\n", session, time, object, value);
        break;
    case 11:
        fprintf(f, "s%u,%u,o%u,-%u\r", session, time, object, value + 1);
        break;
    default:
        fprintf(f, "s%u,%u,o%u,%u\n", session, time, object, value);
    }
}

static void write_rows(const char *folder, const char *name, kb_rng *rng, size_t rows, bool mean)
{
    char *s;
    size_t size;
    FILE *f = open_memstream(&s, &size);
    fputs(HEADER, f);
    for (size_t i = 0; i < rows; i++)
        print_row(f, rng, mean);
    fclose(f);
    write_bytes(folder, name, s, size);
    free(s);
}

static void a_corpus_does_not_depend_on_how_it_is_cut(void **state)
{
    (void)state;
    kb_rng rng = kb_rng_start(21, KB_STREAM_TEST);
    for (int round = 0; round < 30; round++) {
        char folder[256], *text;
        make_folder(folder, sizeof folder);
        write_rows(folder, "metrics-a.csv", &rng, kb_rng_below(&rng, 200), round % 2);
        write_rows(folder, "metrics-b.csv.gz", &rng, 1 + kb_rng_below(&rng, 60), round % 2);
        write_rows(folder, "metrics-c.csv", &rng, kb_rng_below(&rng, 30), false);
        write_text(folder, "events-1.csv", "user,time,event\nu,1,a\nu,1,b\nv,2,c\nu,0,\"d\n\"\n");
        write_text(folder, "events-2.csv.gz", "user,time,event,session\nu,1,e,s1\nv,1\nv,1,f,s2\n");
        write_text(folder, "sessions.csv", "session,split\ns1,later\nnobody,\ns1,train\n");
        text = check_cuts(folder, false);
        assert_non_null(strstr(text, "user u: d"));
        free(text);
        free(check_cuts(folder, true));
        remove_folder(folder);
    }
}

/* What a corpus has of sessions and readings, however its rows are counted. The caller frees. */
static char *load_store(const char *path, size_t threads, kb_fill fill)
{
    kb_pool *pool;
    assert_int_equal(kb_pool_create(&pool, threads, NULL), KB_OK);
    kb_corpus_options options = kb_corpus_defaults();
    options.timesteps = 7;
    options.fill = fill;
    options.pool = pool;
    options.lane_bytes = 50;
    char *text = load_text(path, options, NULL), *end = strstr(text, " objects, ");
    assert_non_null(end);
    *strchr(end, '\n') = '\0';
    kb_pool_free(pool);
    return text;
}

enum { OBJECTS = 4 };

/* A row of a trace, and the same as rows in long form. */
static void print_cells(FILE *wide, FILE *tall, kb_rng *rng, unsigned session, unsigned time)
{
    for (unsigned o = 0; o < OBJECTS; o++) {
        unsigned value = (unsigned)kb_rng_below(rng, o ? 5 : 4); /* 4: no reading */
        if (o == 2)
            fprintf(wide, "%u,", time);
        if (value < 4) {
            fprintf(tall, "s%u,%u,o%u,%u\n", session, time, o, 9 * value);
            fprintf(wide, "%u", 9 * value);
        }
        fputs(o + 1 < OBJECTS ? "," : "\n", wide);
    }
}

/* Times come again and late, zeros replace; BOTH: the first trace is there once more, packed, which
 * comes later. */
static void write_forms(const char *traces, const char *folder, kb_rng *rng, bool in_order,
                        bool both)
{
    enum { ROWS = 25, SESSIONS = 3 };
    char *text, *rows, name[32];
    size_t length, size;
    FILE *tall = open_memstream(&rows, &size);
    fputs(HEADER, tall);
    for (unsigned s = 0; s < (unsigned)SESSIONS + both; s++) {
        FILE *wide = open_memstream(&text, &length);
        fputs("o0,o1,time,o2,o3\n", wide);
        for (unsigned i = 0; i < ROWS; i++)
            print_cells(wide, tall, rng, s % SESSIONS,
                        in_order ? i : (unsigned)kb_rng_below(rng, 15));
        fclose(wide);
        snprintf(name, sizeof name, "s%u.csv%s", s % SESSIONS, s < SESSIONS ? "" : ".gz");
        write_bytes(traces, name, text, length);
        free(text);
    }
    fclose(tall);
    write_bytes(folder, "metrics.csv", rows, size);
    free(rows);
}

static void a_trace_is_its_rows_in_long_form(void **state)
{
    (void)state;
    kb_rng rng = kb_rng_start(22, KB_STREAM_TEST);
    for (int round = 0; round < 60; round++) {
        char wide[256], tall[256], traces[512];
        make_folder(wide, sizeof wide);
        make_folder(tall, sizeof tall);
        snprintf(traces, sizeof traces, "%s/traces", wide);
        assert_int_equal(mkdir(traces, 0700), 0);
        write_forms(traces, tall, &rng, round % 3 == 0, round % 2);
        for (int fill = 0; fill < KB_FILLS; fill++) {
            char *expected = load_store(tall, 1, (kb_fill)fill);
            for (size_t threads = 1; threads < 5; threads++) {
                char *found = load_store(wide, threads, (kb_fill)fill);
                assert_string_equal(found, expected);
                free(found);
            }
            free(expected);
        }
        remove_folder(traces);
        remove_folder(wide);
        remove_folder(tall);
    }
}

/* Every newline but the rows' last is inside of a quoted field: whatever the cut, it is wrong. */
static void a_cut_inside_of_a_row_is_put_right(void **state)
{
    (void)state;
    char folder[256], *s;
    size_t size;
    FILE *f = open_memstream(&s, &size);
    fputs(HEADER, f);
    for (int row = 0; row < 4; row++) {
        fprintf(f, "s%d,1,\"", row);
        for (int line = 0; line < 100; line++)
            fprintf(f, "s9,%d,x,%d\n", line, line);
        fprintf(f, "\",%d\nbad row %d\n", row + 1, row);
    }
    fclose(f);
    make_folder(folder, sizeof folder);
    const char *path = write_bytes(folder, "metrics.csv", s, size);
    char *text = check_cuts(path, false);
    assert_null(strstr(text, "session s9"));
    assert_non_null(strstr(text, ":103: 1 field, the header has 4"));
    assert_non_null(strstr(text, ":409: 1 field, the header has 4"));
    free(text);
    free(s);
    remove_folder(folder);
}

static void rows_before_a_damage_count_and_so_do_other_files(void **state)
{
    (void)state;
    char folder[256], path[2048], *text;
    make_folder(folder, sizeof folder);
    write_text(folder, "metrics-0.csv", HEADER "first,1,o,1\n");
    snprintf(path, sizeof path, "cp '%s' '%s/metrics-1.csv.gz'", fixture("bad-truncated.csv.gz"),
             folder);
    assert_int_equal(system(path), 0);
    write_text(folder, "metrics-2.csv", HEADER "last,1,o,1\n");
    text = check_cuts(folder, false);
    assert_non_null(strstr(text, "session first"));
    assert_non_null(strstr(text, "session last"));
    assert_non_null(strstr(text, "session s1"));
    assert_non_null(
        strstr(text, "truncated: the gzip data end early; the rows before that are kept"));
    assert_non_null(strstr(text, "0 bad, 1 damaged"));
    free(text);
    text = check_cuts(folder, true);
    assert_non_null(strstr(text, "error"));
    assert_non_null(strstr(text, "metrics-1.csv.gz:"));
    free(text);
    remove_folder(folder);
}

/* A gzip file that breaks off at once, in its header. */
static void a_file_without_a_good_byte_is_damaged(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder, sizeof folder);
    write_text(folder, "metrics-0.csv", HEADER "first,1,o,1\n");
    FILE *f = fopen(write_text(folder, "metrics-1.csv.gz", ""), "w");
    assert_int_equal(fwrite("\x1F\x8B\x08", 1, 3, f), 3);
    fclose(f);
    expect_everywhere(folder, "0 bad, 1 damaged");
    write_text(folder, "metrics-2.csv", "");
    expect_everywhere(folder, "metrics-2.csv:0: empty, a header row was expected\n");
    expect_everywhere(folder, "0 bad, 2 damaged");
    remove_folder(folder);
}

/* More problems than can be kept: they are all told, in order, with any number of lanes. */
static void any_number_of_problems_is_told_in_order(void **state)
{
    (void)state;
    enum { ROWS = 2 * KB_PROBLEMS_KEPT + 500 };
    char folder[256], *s;
    size_t size;
    FILE *f = open_memstream(&s, &size);
    fputs(HEADER "s,1,o,1\n", f);
    for (int i = 0; i < ROWS; i++)
        fprintf(f, "bad %d\n", i % 10);
    fputs("s,2,o,1\n", f);
    fclose(f);
    make_folder(folder, sizeof folder);
    const char *path = write_bytes(folder, "metrics.csv", s, size);
    char *one = load_as(path, 1, 0, false), *two = load_as(path, 2, 1000, false);
    assert_string_equal(one, two);
    assert_non_null(strstr(two, "200500 bad"));
    free(one);
    free(two);
    free(s);
    remove_folder(folder);
}

static void the_first_error_in_the_order_of_files_is_told(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder, sizeof folder);
    write_text(folder, "metrics-0.csv", HEADER "a,1,o,1\na,1,o\nb,1,o,1\nc,1,o,1\n");
    write_text(folder, "metrics-1.csv", "session,when,object,value\na,1,o,1\n");
    write_text(folder, "metrics-2.csv", "session,time,what,value\na,1,o,1\n");
    expect_everywhere(folder, "metrics-1.csv: no column 'time'");
    char *text = check_cuts(folder, true);
    assert_non_null(strstr(text, "metrics-0.csv:3: 3 fields"));
    free(text);
    remove_folder(folder);
}

/* A file that loses its end while it is read, as a log that is rotated: what is left counts once.
 */
struct shrinking {
    const char *path;
    atomic_bool done;
};

static void shrink(void *ctx, const kb_progress_state *state)
{
    struct shrinking *s = ctx;
    if (state->rows && !atomic_exchange(&s->done, true))
        assert_int_equal(truncate(s->path, 1 << 20), 0);
}

static void a_file_that_shrinks_keeps_what_it_had(void **state)
{
    (void)state;
    char folder[256], *s;
    size_t size;
    FILE *f = open_memstream(&s, &size);
    fputs(HEADER, f);
    for (int i = 0; i < 400000; i++)
        fprintf(f, "s%d,%d,object,%d\n", i / 1000, i, i % 10 + 1);
    fclose(f);
    make_folder(folder, sizeof folder);
    for (size_t threads = 1; threads <= 4; threads++) {
        const char *path = write_bytes(folder, "metrics.csv", s, size);
        struct shrinking shrinking = {.path = path};
        kb_progress progress = {.report = shrink, .ctx = &shrinking};
        kb_pool *pool;
        kb_corpus *corpus;
        kb_error err;
        assert_int_equal(kb_pool_create(&pool, threads, NULL), KB_OK);
        kb_corpus_options options = kb_corpus_defaults();
        options.pool = pool;
        options.lane_bytes = 1 << 20;
        if (kb_corpus_load(&corpus, path, &options, &progress, &err) != KB_OK)
            fail_msg("%s", err.text);
        assert_int_equal(kb_corpus_damaged(corpus), 1);
        assert_true(kb_corpus_rows(corpus) < 400000 && kb_corpus_rows(corpus) > 1000);
        kb_problem problem = kb_problems_get(kb_corpus_problems(corpus), 0);
        assert_non_null(strstr(problem.reason, "shrank while it was read"));
        kb_corpus_free(corpus);
        kb_pool_free(pool);
    }
    free(s);
    remove_folder(folder);
}

/* Puts another file in its place once some of it has been read. */
struct replacing {
    const char *path, *other;
    atomic_bool done;
};

static void replace(void *ctx, const kb_progress_state *state)
{
    struct replacing *r = ctx;
    if (state->rows && !atomic_exchange(&r->done, true))
        assert_int_equal(rename(r->other, r->path), 0);
}

/* Rows of many lines, so that the place where the second lane begins is surely inside of one, and
 * that lane is read again when the first one has ended. */
static char *rows_of_many_lines(size_t *size, int value)
{
    char *s;
    FILE *f = open_memstream(&s, size);
    fputs(HEADER, f);
    for (int i = 0; i < 30000; i++) {
        fprintf(f, "s%d,%d,\"object", i / 1000, i);
        for (int line = 0; line < 40; line++)
            fputs("\n", f);
        fprintf(f, "\",%d\n", value);
    }
    fclose(f);
    return s;
}

static void a_file_that_is_replaced_is_not_mixed_with_the_other(void **state)
{
    (void)state;
    char folder[256], *old, *new;
    size_t old_size, new_size;
    old = rows_of_many_lines(&old_size, 3);
    new = rows_of_many_lines(&new_size, 5);
    make_folder(folder, sizeof folder);
    for (size_t threads = 1; threads <= 2; threads++) {
        char path[1024], other[1024];
        snprintf(path, sizeof path, "%s", write_bytes(folder, "metrics.csv", old, old_size));
        snprintf(other, sizeof other, "%s", write_bytes(folder, "other", new, new_size));
        struct replacing replacing = {.path = path, .other = other};
        kb_progress progress = {.report = replace, .ctx = &replacing};
        kb_pool *pool;
        kb_corpus *corpus;
        assert_int_equal(kb_pool_create(&pool, threads, NULL), KB_OK);
        kb_corpus_options options = kb_corpus_defaults();
        options.pool = pool;
        options.lane_bytes = 1 << 16;
        assert_int_equal(kb_corpus_load(&corpus, path, &options, &progress, NULL), KB_OK);
        assert_true(atomic_load(&replacing.done));
        const kb_store *store = kb_corpus_store(corpus);
        for (size_t s = 0; s < kb_corpus_sessions(corpus); s++)
            assert_true(kb_store_series(store, s, 0).values[0] == 3);
        assert_int_equal(kb_corpus_damaged(corpus), threads - 1);
        if (threads == 1)
            assert_int_equal(kb_corpus_rows(corpus), 30000);
        else
            assert_string_equal(kb_problems_get(kb_corpus_problems(corpus), 0).reason,
                                "changed while it was read; the rows before that are kept");
        kb_corpus_free(corpus);
        kb_pool_free(pool);
    }
    free(old);
    free(new);
    remove_folder(folder);
}

/* Writes over what was read, without the file becoming longer or shorter. */
static void overwrite(void *ctx, const kb_progress_state *state)
{
    struct replacing *r = ctx;
    if (!state->rows || atomic_exchange(&r->done, true))
        return;
    FILE *f = fopen(r->path, "r+");
    assert_non_null(f);
    fputs("S", f);
    fclose(f);
}

static void a_file_that_is_written_over_is_told(void **state)
{
    (void)state;
    char folder[256], *s;
    size_t size;
    kb_corpus *corpus;
    s = rows_of_many_lines(&size, 3);
    make_folder(folder, sizeof folder);
    const char *path = write_bytes(folder, "metrics.csv", s, size);
    const struct timespec times[2] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    struct replacing replacing = {.path = path};
    kb_progress progress = {.report = overwrite, .ctx = &replacing};
    assert_int_equal(kb_corpus_load(&corpus, path, NULL, &progress, NULL), KB_OK);
    assert_int_equal(kb_corpus_damaged(corpus), 1);
    kb_corpus_free(corpus);
    free(s);
    remove_folder(folder);
}

/* Gives up once the reading tells where it is. */
struct impatience {
    atomic_bool cancel;
    size_t told;
};

static void lose_patience(void *ctx, const kb_progress_state *state)
{
    struct impatience *i = ctx;
    if (state->done)
        atomic_store(&i->cancel, true);
}

static void count_problem(void *ctx, const kb_problem *problem)
{
    struct impatience *i = ctx;
    (void)problem;
    i->told++;
}

static void bad_rows_are_progress_and_can_be_cancelled(void **state)
{
    (void)state;
    enum { ROWS = 300000 };
    char folder[256], path[1024], command[1200], *s;
    size_t size;
    FILE *f = open_memstream(&s, &size);
    fputs(HEADER, f);
    for (int i = 0; i < ROWS; i++)
        fputs("x\n", f);
    fclose(f);
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s", write_bytes(folder, "metrics.csv", s, size));
    snprintf(command, sizeof command, "gzip '%s'", path);
    assert_int_equal(system(command), 0);
    struct impatience impatience = {.told = 0};
    const kb_progress progress = {
        .report = lose_patience, .ctx = &impatience, .cancel = &impatience.cancel};
    kb_corpus_options options = kb_corpus_defaults();
    options.problem = (kb_problem_listener){count_problem, &impatience};
    kb_corpus *corpus;
    assert_int_equal(kb_corpus_load(&corpus, folder, &options, &progress, NULL), KB_ERR_CANCELLED);
    assert_true(impatience.told > 0 && impatience.told < ROWS / 10);
    free(s);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_corpus_does_not_depend_on_how_it_is_cut),
        cmocka_unit_test(a_trace_is_its_rows_in_long_form),
        cmocka_unit_test(a_cut_inside_of_a_row_is_put_right),
        cmocka_unit_test(rows_before_a_damage_count_and_so_do_other_files),
        cmocka_unit_test(a_file_without_a_good_byte_is_damaged),
        cmocka_unit_test(any_number_of_problems_is_told_in_order),
        cmocka_unit_test(the_first_error_in_the_order_of_files_is_told),
        cmocka_unit_test(a_file_that_shrinks_keeps_what_it_had),
        cmocka_unit_test(a_file_that_is_replaced_is_not_mixed_with_the_other),
        cmocka_unit_test(a_file_that_is_written_over_is_told),
        cmocka_unit_test(bad_rows_are_progress_and_can_be_cancelled),
    };
    return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
