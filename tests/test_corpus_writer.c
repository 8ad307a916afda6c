/* corpus_writer: rows that read back as they were, and files that are all there or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "corpus_files.h"
#include "corpus_writer.h"
#include "csv_rows.h"

struct place {
    char parent[512], dir[600];
};

static void begin(struct place *place)
{
    make_folder(place->parent, sizeof place->parent);
    snprintf(place->dir, sizeof place->dir, "%s/corpus", place->parent);
}

static const char *inside(const struct place *place, const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", place->dir, name);
    return path;
}

static bool there(const struct place *place, const char *name)
{
    return access(inside(place, name), F_OK) == 0;
}

static void end(const struct place *place)
{
    if (access(place->dir, F_OK) == 0)
        remove_folder(place->dir);
    remove_folder(place->parent);
}

static kb_corpus_writer *opened(const struct place *place)
{
    kb_corpus_writer *writer;
    kb_error err = {0};
    if (kb_corpus_writer_open(&writer, place->dir, &err))
        fail_msg("%s", err.text);
    return writer;
}

static kb_table *table(kb_corpus_writer *writer, const char *name)
{
    kb_table *table;
    kb_error err = {0};
    if (kb_corpus_writer_table(writer, &table, name, "session,time,object,value", &err))
        fail_msg("%s", err.text);
    return table;
}

static void add_row(kb_table *table, const char *session, size_t length)
{
    const kb_cell cells[4] = {{session, length}, {"1", 1}, {"o", 1}, {"2", 1}};
    assert_int_equal(kb_table_row(table, cells, 4, NULL), KB_OK);
}

static void commit(kb_corpus_writer *writer)
{
    kb_error err = {0};
    if (kb_corpus_writer_commit(writer, &err))
        fail_msg("%s", err.text);
}

/* --- rows -------------------------------------------------------------------------------- */
static void every_text_reads_back_as_it_was(void **state)
{
    (void)state;
    char quotes[KB_FIELD_MAX + 1];
    memset(quotes, '"', KB_FIELD_MAX);
    quotes[KB_FIELD_MAX] = '\0';
    const char *const names[] = {"plain",      "a,b",        "say \"hi\"", "\"",
                                 "two\nlines", "cr\rlf\r\n", " kept ",     "\xC3\xA9\xE2\x82\xAC",
                                 ",",          quotes,       "\n",         "#"};
    enum { NAMES = sizeof names / sizeof *names };
    struct place place;
    begin(&place);
    kb_corpus_writer *writer = opened(&place);
    kb_table *metrics = table(writer, "metrics.csv.gz");
    for (size_t i = 0; i < NAMES; i++)
        add_row(metrics, names[i], strlen(names[i]));
    commit(writer);

    static const kb_column columns[] = {{.name = "session", .required = true}};
    kb_problems *problems = kb_problems_create((kb_problem_listener){0});
    kb_csv *csv;
    const kb_field *field;
    bool got;
    kb_csv_options options = {
        .columns = columns, .column_count = 1, .strict = true, .problems = problems};
    assert_int_equal(kb_csv_open(&csv, inside(&place, "metrics.csv.gz"), &options, NULL), KB_OK);
    for (size_t i = 0; i < NAMES; i++) {
        assert_int_equal(kb_csv_next(csv, &field, &got, NULL), KB_OK);
        assert_true(got);
        assert_int_equal(field->length, strlen(names[i]));
        assert_memory_equal(field->text, names[i], field->length);
    }
    assert_int_equal(kb_csv_next(csv, &field, &got, NULL), KB_OK);
    assert_false(got);
    kb_csv_close(csv);
    kb_problems_free(problems);
    end(&place);
}

static void only_what_needs_quotes_has_them(void **state)
{
    (void)state;
    struct place place;
    begin(&place);
    kb_corpus_writer *writer = opened(&place);
    kb_table *sessions = table(writer, "sessions.csv");
    add_row(sessions, "plain one", 9);
    add_row(sessions, "a,b", 3);
    add_row(sessions, "x\"y", 3);
    commit(writer);
    char text[200] = "";
    FILE *file = fopen(inside(&place, "sessions.csv"), "rb");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, "session,time,object,value\nplain one,1,o,2\n\"a,b\",1,o,2\n"
                              "\"x\"\"y\",1,o,2\n");
    end(&place);
}

/* --- all or none ------------------------------------------------------------------------- */
static void nothing_has_its_name_before_commit(void **state)
{
    (void)state;
    struct place place;
    begin(&place);
    kb_corpus_writer *writer = opened(&place);
    assert_false(there(&place, ""));
    add_row(table(writer, "metrics.csv.gz"), "s", 1);
    assert_true(there(&place, ""));
    assert_false(there(&place, "metrics.csv.gz"));
    commit(writer);
    assert_true(there(&place, "metrics.csv.gz"));
    assert_false(there(&place, "events.csv.gz"));
    end(&place);
}

static void an_abort_removes_what_was_made_and_nothing_else(void **state)
{
    (void)state;
    struct place place;
    begin(&place);
    kb_corpus_writer *writer = opened(&place);
    add_row(table(writer, "metrics.csv.gz"), "s", 1);
    add_row(table(writer, "sessions.csv"), "s", 1);
    kb_corpus_writer_abort(writer);
    assert_false(there(&place, ""));

    assert_int_equal(mkdir(place.dir, 0777), 0);
    writer = opened(&place);
    add_row(table(writer, "metrics.csv.gz"), "s", 1);
    kb_corpus_writer_abort(writer);
    assert_true(there(&place, ""));
    assert_int_equal(rmdir(place.dir), 0); /* it is empty */
    end(&place);
}

static void a_commit_that_fails_takes_back_the_files_before_it(void **state)
{
    (void)state;
    struct place place;
    begin(&place);
    kb_corpus_writer *writer = opened(&place);
    add_row(table(writer, "metrics.csv.gz"), "s", 1);
    add_row(table(writer, "sessions.csv"), "s", 1);
    assert_int_equal(mkdir(inside(&place, "sessions.csv"), 0777),
                     0); /* no file can take its place */
    kb_error err = {0};
    assert_int_equal(kb_corpus_writer_commit(writer, &err), KB_ERR_IO);
    assert_non_null(strstr(err.text, "sessions.csv"));
    assert_false(there(&place, "metrics.csv.gz"));
    assert_int_equal(rmdir(inside(&place, "sessions.csv")), 0);
    assert_int_equal(rmdir(place.dir), 0);
    end(&place);
}

static void a_corpus_that_is_there_is_left_alone(void **state)
{
    (void)state;
    static const char *const files[] = {"metrics-1.csv", "events.csv.gz", "sessions.csv",
                                        "traces/s-1.csv"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct place place;
        begin(&place);
        assert_int_equal(mkdir(place.dir, 0777), 0);
        char traces[640];
        snprintf(traces, sizeof traces, "%s/traces", place.dir);
        assert_int_equal(mkdir(traces, 0777), 0);
        write_text(place.dir, files[i], "x\n");
        kb_corpus_writer *writer;
        kb_error err = {0};
        assert_int_equal(kb_corpus_writer_open(&writer, place.dir, &err), KB_ERR_IO);
        assert_null(writer);
        assert_non_null(strstr(err.text, files[i]));
        remove_folder(traces);
        end(&place);
    }
}

static void a_table_that_is_there_is_left_alone(void **state)
{
    (void)state;
    struct place place;
    begin(&place);
    assert_int_equal(mkdir(place.dir, 0777), 0);
    write_text(place.dir, "truth.csv", "x\n");
    kb_corpus_writer *writer = opened(&place);
    kb_table *truth;
    kb_error err = {0};
    assert_int_equal(kb_corpus_writer_table(writer, &truth, "truth.csv", "a", &err), KB_ERR_IO);
    assert_non_null(strstr(err.text, "truth.csv"));
    kb_corpus_writer_abort(writer);
    assert_true(there(&place, "truth.csv"));
    end(&place);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    kb_corpus_writer *writer;
    kb_table *metrics;
    kb_error err = {0};
    assert_int_equal(kb_corpus_writer_open(&writer, "/nonexistent-folder/x", &err), KB_OK);
    assert_int_equal(kb_corpus_writer_table(writer, &metrics, "metrics.csv.gz", "a", &err),
                     KB_ERR_IO);
    assert_non_null(strstr(err.text, "/nonexistent-folder/x"));
    kb_corpus_writer_abort(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_reads_back_as_it_was),
        cmocka_unit_test(only_what_needs_quotes_has_them),
        cmocka_unit_test(nothing_has_its_name_before_commit),
        cmocka_unit_test(an_abort_removes_what_was_made_and_nothing_else),
        cmocka_unit_test(a_commit_that_fails_takes_back_the_files_before_it),
        cmocka_unit_test(a_corpus_that_is_there_is_left_alone),
        cmocka_unit_test(a_table_that_is_there_is_left_alone),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests_name("corpus_writer", tests, NULL, NULL);
}
