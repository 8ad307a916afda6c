/* csv_rows: rows and line numbers, damage and how reading goes on after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "corpus_files.h"
#include "csv_rows.h"

enum { COLUMNS = 4 };

static const kb_column columns[COLUMNS] = {
    {"session", true, NULL}, {"time", true, NULL}, {"object", true, NULL}, {"value", true, NULL}};

/* Everything a file gave: "LINE session|time|object|value;" of good rows, "LINE reason;" of bad
 * ones. */
struct outcome {
    kb_status status;
    kb_error err;
    size_t rows, problems;
    uint64_t first, stop, lines;
    char good[65536];
    char bad[65536];
};

static void append(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

static void hear(void *ctx, const kb_problem *problem)
{
    struct outcome *o = ctx;
    if (o->problems++ < 100)
        append(o->bad, sizeof o->bad, "%llu %s;", (unsigned long long)problem->line,
               problem->reason);
}

static kb_status read_all(struct outcome *o, kb_csv *csv)
{
    for (;;) {
        const kb_field *f;
        bool got;
        kb_status status = kb_csv_next(csv, &f, &got, &o->err);
        if (status != KB_OK || !got)
            return status;
        if (!f)
            continue;
        o->rows++;
        append(o->good, sizeof o->good, "%llu %s|%s|%s|%s;", (unsigned long long)kb_csv_line(csv),
               f[0].text, f[1].text, f[2].text, f[3].text);
        for (size_t i = 0; i < COLUMNS; i++)
            assert_int_equal(strlen(f[i].text), f[i].length);
    }
}

static void read_with(struct outcome *o, const char *path, kb_csv_options *options)
{
    memset(o, 0, sizeof *o);
    kb_problems *problems = kb_problems_create((kb_problem_listener){hear, o});
    kb_csv *csv;
    options->columns = columns;
    options->column_count = COLUMNS;
    options->problems = problems;
    o->status = kb_csv_open(&csv, path, options, &o->err);
    if (o->status == KB_OK) {
        o->status = read_all(o, csv);
        o->first = kb_csv_first(csv);
        o->stop = kb_csv_stop(csv);
        o->lines = kb_csv_next_line(csv) - 1;
        kb_csv_close(csv);
    }
    kb_problems_free(problems);
}

/* Rows cut at their marks must be those that libcsv parses, whatever the file is: each file is read
 * in both ways. */
static struct outcome *read_path(const char *path, bool strict, const kb_progress *progress)
{
    static struct outcome o, slow;
    kb_csv_options options = {.strict = strict, .progress = progress};
    read_with(&o, path, &options);
    if (progress || strcmp(path, "-") == 0)
        return &o;
    options.slow = true;
    read_with(&slow, path, &options);
    assert_int_equal(o.status, slow.status);
    assert_string_equal(o.good, slow.good);
    assert_string_equal(o.bad, slow.bad);
    assert_int_equal(o.stop, slow.stop);
    assert_int_equal(o.lines, slow.lines);
    if (o.status)
        assert_string_equal(o.err.text, slow.err.text);
    return &o;
}

/* The outcome of a file that holds these bytes below the usual header. */
static struct outcome *read_bytes(const char *bytes, size_t length)
{
    static const char header[] = "session,time,object,value\n";
    char folder[256], *whole = malloc(sizeof header + length);
    memcpy(whole, header, sizeof header - 1);
    memcpy(whole + sizeof header - 1, bytes, length);
    make_folder(folder, sizeof folder);
    const char *path = write_bytes(folder, "rows.csv", whole, sizeof header - 1 + length);
    struct outcome *o = read_path(path, false, NULL);
    remove_folder(folder);
    free(whole);
    return o;
}

static struct outcome *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void quoted_and_plain_fields_are_read(void **state)
{
    (void)state;
    struct outcome *o = read_path(fixture("good-quoted.csv"), true, NULL);
    assert_int_equal(o->status, KB_OK);
    assert_string_equal(o->good, "2 s1|1|a, b|3;3 s1|2|say \"hi\"|4.5;4 s1|3|two\nlines|5;"
                                 "6  s2 |4| blanks kept |6;8 s1|5|plain \"inner\" quotes|7;"
                                 "9 s1|6|last|8;");
    assert_string_equal(o->bad, "");
}

static void a_mark_and_crlf_are_skipped(void **state)
{
    (void)state;
    struct outcome *o = read_path(fixture("good-crlf-bom.csv"), true, NULL);
    assert_int_equal(o->status, KB_OK);
    assert_string_equal(o->good, "2 s1|1|\xC3\xA9|3;4 s1|2|x\r\ny|4;");
}

static void blanks_and_tabs_are_kept_whatever_the_quotes(void **state)
{
    (void)state;
    struct outcome *o = read_text(" s ,1,\to\t,1\n\" s \",1,\"\to\t\",1\n");
    assert_string_equal(o->good, "2  s |1|\to\t|1;3  s |1|\to\t|1;");
}

static void a_lone_carriage_return_ends_a_row(void **state)
{
    (void)state;
    struct outcome *o = read_text("s,1,a,1\rs,2,a,2\r\ns,3,\"a\rb\",3\r\r\ns,4,a,4\r");
    assert_string_equal(o->good, "2 s|1|a|1;2 s|2|a|2;3 s|3|a\rb|3;4 s|4|a|4;");
    assert_string_equal(o->bad, "");
}

static void every_kind_of_bad_row_is_told_by_line(void **state)
{
    (void)state;
    struct outcome *o = read_path(fixture("bad-rows.csv"), false, NULL);
    assert_int_equal(o->status, KB_OK);
    assert_string_equal(o->bad, "3 3 fields, the header has 4;4 5 fields, the header has 4;"
                                "11 a NUL byte;12 not UTF-8;13 not UTF-8;");
    assert_int_equal(o->rows, 11);
}

static void strict_stops_at_the_first_bad_row(void **state)
{
    (void)state;
    struct outcome *o = read_path(fixture("bad-rows.csv"), true, NULL);
    assert_int_equal(o->status, KB_ERR_FORMAT);
    assert_string_equal(o->good, "2 s1|1|a|1;");
    assert_non_null(strstr(o->err.text, "bad-rows.csv:3: 3 fields"));
}

/* "a,b without an end: the row is given up and the lines behind it are rows again. */
static void an_open_quote_costs_one_line(void **state)
{
    (void)state;
    struct outcome *o = read_path(fixture("bad-open-quote.csv"), false, NULL);
    assert_int_equal(o->status, KB_OK);
    assert_string_equal(o->good, "2 s1|1|a|1;4 s1|3|a|3;5 s1|4|b|4;");
    assert_string_equal(o->bad, "3 text behind a closing quote;6 a quoted field that never ends;");
}

static void an_open_quote_at_the_end_costs_one_line(void **state)
{
    (void)state;
    struct outcome *o = read_text("\"s,1,a,1\ns,2,a,2\n\ns,3,a,3");
    assert_string_equal(o->good, "3 s|2|a|2;5 s|3|a|3;");
    assert_string_equal(o->bad, "2 a quoted field that never ends;");
}

static void text_behind_a_closing_quote_costs_one_line(void **state)
{
    (void)state;
    struct outcome *o = read_text("\"s\"x,1,a,1\ns,2,\"a\" ,2\ns,3,\"a\",3\n");
    assert_string_equal(o->good, "4 s|3|a|3;");
    assert_string_equal(o->bad, "2 text behind a closing quote;3 text behind a closing quote;");
}

static void fields_may_have_4096_bytes_and_not_one_more(void **state)
{
    (void)state;
    struct outcome *o = read_path(fixture("bad-long-field.csv"), false, NULL);
    assert_int_equal(o->status, KB_OK);
    assert_int_equal(o->rows, 3);
    assert_string_equal(o->bad, "3 a quoted field longer than 4096 bytes;"
                                "5 a field longer than 4096 bytes;");
}

/* The limit is found wherever the field lies: complete on its line, spread over lines, with
 * escapes, in a column nobody wants. */
static void long_quoted_fields_are_found_everywhere(void **state)
{
    (void)state;
    enum { LONG = 4097 };
    char *text = malloc(40 * LONG), *end = text;
    end += sprintf(end, "s,1,a,\"");
    for (int i = 0; i < LONG; i++)
        end += sprintf(end, "\"\"");
    end += sprintf(end, "\"\ns,2,a,2\ns,3,\"");
    for (int i = 0; i < LONG; i++)
        end += sprintf(end, "\n");
    end += sprintf(end, "\",3\ns,4,a,4\n");
    struct outcome *o = read_bytes(text, (size_t)(end - text));
    assert_string_equal(o->good, "3 s|2|a|2;4102 s|4|a|4;");
    /* the second one's closing quote opens a field of its own: ",3 up to the end of the file */
    assert_string_equal(o->bad, "2 a quoted field longer than 4096 bytes;"
                                "4 a quoted field longer than 4096 bytes;"
                                "4101 a quoted field that never ends;");
    free(text);
}

static void a_long_field_in_an_unknown_column_is_bad_when_quoted_only(void **state)
{
    (void)state;
    char folder[256], text[20000], *end = text;
    end += sprintf(end, "extra,session,time,object,value\n");
    end += sprintf(end, "%05000d,s,1,a,1\n", 7);
    end += sprintf(end, "\"%05000d\",s,2,a,2\n", 7);
    make_folder(folder, sizeof folder);
    struct outcome *o = read_path(write_text(folder, "x.csv", text), false, NULL);
    assert_string_equal(o->good, "2 s|1|a|1;");
    assert_string_equal(o->bad, "3 a quoted field longer than 4096 bytes;");
    remove_folder(folder);
}

static void lines_longer_than_the_buffer_are_read(void **state)
{
    (void)state;
    enum { WIDE = 700000 };
    char *text = malloc(2 * WIDE + 100), folder[256];
    int n = sprintf(text, "extra,session,time,object,value\n");
    memset(text + n, 'x', WIDE);
    sprintf(text + n + WIDE, ",s,1,a,1\ny,s,2,a,2\n");
    make_folder(folder, sizeof folder);
    struct outcome *o = read_path(write_text(folder, "wide.csv.gz", text), false, NULL);
    assert_string_equal(o->good, "2 s|1|a|1;3 s|2|a|2;");
    assert_string_equal(o->bad, "");
    remove_folder(folder);
    free(text);
}

static void a_line_without_an_end_is_skipped(void **state)
{
    (void)state;
    enum { HUGE_LINE = 65 * 1024 * 1024 };
    char *text = malloc(HUGE_LINE + 100), folder[256];
    int n = sprintf(text, "session,time,object,value\ns,1,a,1\n");
    memset(text + n, 'x', HUGE_LINE);
    sprintf(text + n + HUGE_LINE, "\ns,2,a,2\n");
    make_folder(folder, sizeof folder);
    struct outcome *o = read_path(write_text(folder, "huge.csv.gz", text), false, NULL);
    assert_string_equal(o->good, "2 s|1|a|1;4 s|2|a|2;");
    assert_string_equal(o->bad, "3 a line longer than 64 MiB;");
    remove_folder(folder);
    free(text);
}

/* Whether a row of about 64 MiB is too long must not depend on where in the buffer it comes to lie.
 */
static void a_row_is_too_long_wherever_it_lies(void **state)
{
    (void)state;
    enum { LIMIT = 64 * 1024 * 1024 };
    char *text = malloc(LIMIT + 400000), folder[256];
    make_folder(folder, sizeof folder);
    for (size_t shift = 1; shift < 200000; shift += 131072) {
        size_t n = (size_t)sprintf(text, "session,time,object,value\n");
        for (size_t i = 0; i < shift; i++)
            text[n++] = '\n';
        memset(text + n, 'x', LIMIT + 1); /* with its newline LIMIT + 2, which fits into a buffer */
        n += LIMIT + 1;
        n += (size_t)sprintf(text + n, "\ns,2,a,2\n");
        struct outcome *o = read_path(write_bytes(folder, "x.csv", text, n), false, NULL);
        char expected[64];
        snprintf(expected, sizeof expected, "%zu a line longer than 64 MiB;", shift + 2);
        assert_string_equal(o->bad, expected);
        assert_int_equal(o->rows, 1);
    }
    remove_folder(folder);
    free(text);
}

/* Many rows of changing kinds, so that rows of every kind come to lie across the ends of the
 * buffer. */
static void rows_across_buffers_are_read(void **state)
{
    (void)state;
    enum { ROWS = 60000 };
    char *text = malloc(ROWS * 40), *end = text, folder[256];
    end += sprintf(end, "session,time,object,value\n");
    for (int i = 0; i < ROWS; i++)
        end += sprintf(end,
                       i % 7 == 3   ? "s,%d,\"o\n%d\",1\r\n"
                       : i % 7 == 5 ? "s,%d,\xC3\xA9 %d,1\n"
                                    : "s,%d,o%d,1\n",
                       i, i);
    make_folder(folder, sizeof folder);
    const char *path = write_text(folder, "many.csv", text);
    kb_problems *problems = kb_problems_create((kb_problem_listener){0});
    kb_csv *csv;
    kb_csv_options options = {
        .columns = columns, .column_count = COLUMNS, .strict = true, .problems = problems};
    assert_int_equal(kb_csv_open(&csv, path, &options, NULL), KB_OK);
    uint64_t line = 2;
    for (int i = 0;; i++) {
        const kb_field *f;
        bool got;
        assert_int_equal(kb_csv_next(csv, &f, &got, NULL), KB_OK);
        if (!got) {
            assert_int_equal(i, ROWS);
            break;
        }
        char object[32];
        snprintf(object, sizeof object,
                 i % 7 == 3   ? "o\n%d"
                 : i % 7 == 5 ? "\xC3\xA9 %d"
                              : "o%d",
                 i);
        assert_int_equal(atoi(f[1].text), i);
        assert_string_equal(f[2].text, object);
        assert_int_equal(kb_csv_line(csv), line);
        line += i % 7 == 3 ? 2 : 1;
    }
    assert_int_equal(kb_csv_bytes(csv), end - text);
    kb_csv_close(csv);
    kb_problems_free(problems);
    remove_folder(folder);
    free(text);
}

static void concatenated_members_are_one_file(void **state)
{
    (void)state;
    struct outcome *o = read_path(fixture("good-members.csv.gz"), true, NULL);
    assert_int_equal(o->status, KB_OK);
    assert_int_equal(o->rows, 600);
    assert_non_null(strstr(o->good, "2 s0|0|o0|0;"));
    assert_non_null(strstr(o->good, "601 s2|85|o84|"));
}

static void rows_before_a_damage_are_kept(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } files[] = {{"bad-truncated.csv.gz", "truncated"},
                 {"bad-corrupt.csv.gz", "corrupt"},
                 {"bad-checksum.csv.gz", "incorrect data check"},
                 {"bad-trailing.csv.gz", "other bytes follow"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct outcome *o = read_path(fixture(files[i].name), false, NULL);
        assert_int_equal(o->status, KB_ERR_DAMAGED);
        assert_non_null(strstr(o->err.text, files[i].name));
        assert_non_null(strstr(o->err.text, files[i].text));
        assert_true(o->rows > 200);
        assert_string_equal(o->bad, ""); /* the cut line is no row, and no bad row either */
        assert_true(i < 2 || o->rows == 600);
    }
}

/* zlib may still have bytes to give when a file turns out to end too early: how many rows there are
 * does not depend on whether that is known. */
static void a_compressed_file_that_shrank_keeps_its_rows(void **state)
{
    (void)state;
    enum { ROWS = 256 * 1024 / 8 + 30 }; /* a little more than a buffer */
    static struct outcome cut, shrunk;
    char *text = malloc(8 * ROWS + 100), folder[256];
    make_folder(folder, sizeof folder);
    size_t n = (size_t)sprintf(text, "session,time,object,value\n");
    for (size_t i = 0; i < ROWS; i++, n += 8)
        memcpy(text + n, "s,1,a,1\n", 8);
    for (off_t lost = 8; lost < 20; lost++) {
        struct stat about;
        const char *path = write_bytes(folder, "x.csv.gz", text, n);
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(truncate(path, about.st_size - lost), 0);
        read_with(&cut, path, &(kb_csv_options){0});
        read_with(&shrunk, path, &(kb_csv_options){.size = (uint64_t)about.st_size});
        assert_int_equal(shrunk.status, KB_ERR_DAMAGED);
        assert_non_null(strstr(shrunk.err.text, "shrank while it was read"));
        assert_true(cut.rows > ROWS / 2);
        assert_int_equal(shrunk.rows, cut.rows);
    }
    remove_folder(folder);
    free(text);
}

static void a_missing_column_is_told_with_those_found(void **state)
{
    (void)state;
    struct outcome *o = read_path(fixture("bad-no-column.csv"), false, NULL);
    assert_int_equal(o->status, KB_ERR_FORMAT);
    assert_non_null(strstr(o->err.text, "bad-no-column.csv"));
    assert_non_null(strstr(o->err.text, "'time'"));
    assert_non_null(strstr(o->err.text, "session, ts, object, value"));
}

static void expect_no_header(const char *folder, const char *text, size_t length,
                             const char *expected)
{
    struct outcome *o = read_path(write_bytes(folder, "x.csv", text, length), false, NULL);
    bool damaged = !length || text[0] == '\x1F';
    assert_int_equal(o->status, damaged ? KB_ERR_DAMAGED : KB_ERR_FORMAT);
    assert_non_null(strstr(o->err.text, "x.csv"));
    if (!strstr(o->err.text, expected))
        fail_msg("'%s' instead of '%s'", o->err.text, expected);
}

static void files_without_a_usable_header_are_refused(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder, sizeof folder);
    expect_no_header(folder, "", 0, "empty");
    expect_no_header(folder, "\n\r\n\n", 4, "empty");
    expect_no_header(folder, "\xEF\xBB\xBF", 3, "empty");
    expect_no_header(folder, "session,time,object,value,time\n", 31, "'time' is there twice");
    expect_no_header(folder, "session,time,\"object,value\n", 27, "never ends");
    expect_no_header(folder, "session,time\xFF,object,value\n", 27, "not UTF-8");
    expect_no_header(folder, "s\0e\0s\0", 6, "NUL");
    expect_no_header(folder, "\x1F\x8B\x08", 3, "truncated");
    expect_no_header(folder, "\x1F\x8B\x07\x00xxxxxxxxxxxx", 16, "corrupt");
    expect_no_header(folder, "a\x1B[2Jb\n", 8, "a?[2Jb");
    remove_folder(folder);
}

static void files_of_other_kinds_are_told_what_they_are(void **state)
{
    (void)state;
    static const struct {
        size_t length;
        const char *bytes, *what;
    } kinds[] = {
        {8, "\x28\xB5\x2F\xFD\x04\x58\x05\x01", "compressed with zstd"},
        {8, "\xFD\x37zXZ\0\0\x04", "compressed with xz"},
        {12, "BZh91AY&SY\xC1\xC0", "compressed with bzip2"},
        {8, "\x04\x22\x4D\x18\x64\x40\xA7\n", "compressed with lz4"},
        {8, "PK\x03\x04\x14\0\0\0", "a zip archive"},
        {8, "PAR1\x15\x04\x15\x10", "a Parquet file"},
        {18, "SQLite format 3\0\x10\0", "an SQLite database"},
        {10, "\xFF\xFEs\0e\0s\0\n\0", "text in UTF-16"},
        {10, "\xFE\xFF\0s\0e\0s\0\n", "text in UTF-16"},
    };
    char folder[256];
    make_folder(folder, sizeof folder);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        expect_no_header(folder, kinds[i].bytes, kinds[i].length, kinds[i].what);
    char path[300], command[700];
    snprintf(path, sizeof path, "%s/twice.gz", folder);
    snprintf(command, sizeof command, "printf 'a,b\\n' | gzip | gzip >'%s'", path);
    assert_int_equal(system(command), 0);
    struct outcome *o = read_path(path, false, NULL);
    assert_int_equal(o->status, KB_ERR_FORMAT);
    assert_non_null(strstr(o->err.text, "compressed with gzip twice"));
    remove_folder(folder);
}

/* Words that begin like another kind of file are a header all the same. */
static void names_may_look_like_magic(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder, sizeof folder);
    expect_no_header(folder, "BZh,time,object,value\n", 22, "the header has: BZh, time");
    expect_no_header(folder, "PAR1,PK,ARROW1\n", 15, "the header has: PAR1, PK, ARROW1");
    expect_no_header(folder, "session, time,,\"a,b\",c \n", 24,
                     "the header has: session, ' time', '', 'a,b', 'c ')");
    remove_folder(folder);
}

static void a_header_alone_has_no_rows(void **state)
{
    (void)state;
    struct outcome *o = read_text("");
    assert_int_equal(o->status, KB_OK);
    assert_int_equal(o->rows, 0);
    assert_string_equal(o->bad, "");
}

static void what_cannot_be_read_is_named(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder, sizeof folder);
    struct outcome *o = read_path(folder, false, NULL);
    assert_int_equal(o->status, KB_ERR_IO);
    assert_non_null(strstr(o->err.text, folder));
    assert_non_null(strstr(o->err.text, "directory"));
    remove_folder(folder);
    o = read_path(folder, false, NULL);
    assert_int_equal(o->status, KB_ERR_IO);
    assert_non_null(strstr(o->err.text, folder));
}

static void optional_columns_may_be_missing(void **state)
{
    (void)state;
    static const kb_column wanted[2] = {{"session", true, NULL}, {"label", false, NULL}};
    kb_problems *problems = kb_problems_create((kb_problem_listener){0});
    char folder[256];
    make_folder(folder, sizeof folder);
    const char *path = write_text(folder, "x.csv", "session\n\"x\"\n");
    kb_csv *csv;
    kb_csv_options options = {.label = "short",
                              .columns = wanted,
                              .column_count = 2,
                              .strict = true,
                              .problems = problems};
    assert_int_equal(kb_csv_open(&csv, path, &options, NULL), KB_OK);
    const kb_field *f;
    bool got;
    assert_int_equal(kb_csv_next(csv, &f, &got, NULL), KB_OK);
    assert_true(got);
    assert_string_equal(f[0].text, "x");
    assert_string_equal(f[1].text, "");
    kb_error err;
    assert_int_equal(kb_csv_reject(csv, &err, KB_PROBLEM_RANGE, "value '%s'", "\x1B[31m\xFF"),
                     KB_ERR_FORMAT);
    assert_string_equal(err.text, "short:2: value '?[31m?'");
    assert_string_equal(kb_problems_get(problems, 0).reason, "value '?[31m?'");
    assert_string_equal(kb_problems_get(problems, 0).file, "short");
    kb_csv_close(csv);
    kb_problems_free(problems);
    remove_folder(folder);
}

static void standard_input_is_a_file(void **state)
{
    (void)state;
    int before = dup(STDIN_FILENO), ends[2];
    assert_int_equal(pipe(ends), 0);
    static const char text[] = "session,time,object,value\ns,1,a,1";
    assert_int_equal(write(ends[1], text, sizeof text - 1), sizeof text - 1);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    struct outcome *o = read_path("-", false, NULL);
    dup2(before, STDIN_FILENO);
    close(before);
    assert_int_equal(o->status, KB_OK);
    assert_string_equal(o->good, "2 s|1|a|1;");
}

static void waiting_for_a_silent_pipe_can_be_cancelled(void **state)
{
    (void)state;
    char folder[256], path[512];
    make_folder(folder, sizeof folder);
    snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    assert_int_equal(read_path(path, false, &progress)->status, KB_ERR_CANCELLED);
    remove_folder(folder);
}

/* Each line opens a quote when a row starts with it, and closes one and opens another inside of a
 * row: were each row followed to the end of the file before it is given up, this would take hours.
 */
static void a_file_of_open_quotes_is_read_in_linear_time(void **state)
{
    (void)state;
    enum { LINES = 300000 };
    char *text = malloc(LINES * 5 + 100), *end = text, folder[256];
    end += sprintf(end, "session,time,object,value\n");
    for (int i = 0; i < LINES; i++)
        end += sprintf(end, "x\",\"\n");
    sprintf(end, "s,1,a,1\n");
    make_folder(folder, sizeof folder);
    struct outcome *o = read_path(write_text(folder, "x.csv", text), false, NULL);
    assert_int_equal(o->status, KB_OK);
    assert_string_equal(o->good, "300002 s|1|a|1;");
    assert_int_equal(o->problems, LINES);
    remove_folder(folder);
    free(text);
}

/* Any damage must end in rows and problems, never in a crash or a hang: bytes that mean something
 * to the reader, in any order. */
static void random_bytes_are_survived(void **state)
{
    (void)state;
    static const char alphabet[] = {'"', '"', ',', '\n', '\r', 'a', ' ', '\0', (char)0xC3};
    uint32_t seed = 1;
    for (int i = 0; i < 300; i++) {
        char bytes[500];
        for (size_t b = 0; b < sizeof bytes; b++) {
            seed = seed * 1664525 + 1013904223;
            bytes[b] = alphabet[(seed >> 16) % sizeof alphabet];
        }
        assert_int_equal(read_bytes(bytes, sizeof bytes)->status, KB_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quoted_and_plain_fields_are_read),
        cmocka_unit_test(a_mark_and_crlf_are_skipped),
        cmocka_unit_test(blanks_and_tabs_are_kept_whatever_the_quotes),
        cmocka_unit_test(a_lone_carriage_return_ends_a_row),
        cmocka_unit_test(every_kind_of_bad_row_is_told_by_line),
        cmocka_unit_test(strict_stops_at_the_first_bad_row),
        cmocka_unit_test(an_open_quote_costs_one_line),
        cmocka_unit_test(an_open_quote_at_the_end_costs_one_line),
        cmocka_unit_test(text_behind_a_closing_quote_costs_one_line),
        cmocka_unit_test(fields_may_have_4096_bytes_and_not_one_more),
        cmocka_unit_test(long_quoted_fields_are_found_everywhere),
        cmocka_unit_test(a_long_field_in_an_unknown_column_is_bad_when_quoted_only),
        cmocka_unit_test(lines_longer_than_the_buffer_are_read),
        cmocka_unit_test(a_line_without_an_end_is_skipped),
        cmocka_unit_test(a_row_is_too_long_wherever_it_lies),
        cmocka_unit_test(rows_across_buffers_are_read),
        cmocka_unit_test(concatenated_members_are_one_file),
        cmocka_unit_test(rows_before_a_damage_are_kept),
        cmocka_unit_test(a_compressed_file_that_shrank_keeps_its_rows),
        cmocka_unit_test(a_missing_column_is_told_with_those_found),
        cmocka_unit_test(files_without_a_usable_header_are_refused),
        cmocka_unit_test(files_of_other_kinds_are_told_what_they_are),
        cmocka_unit_test(names_may_look_like_magic),
        cmocka_unit_test(a_header_alone_has_no_rows),
        cmocka_unit_test(what_cannot_be_read_is_named),
        cmocka_unit_test(optional_columns_may_be_missing),
        cmocka_unit_test(standard_input_is_a_file),
        cmocka_unit_test(waiting_for_a_silent_pipe_can_be_cancelled),
        cmocka_unit_test(a_file_of_open_quotes_is_read_in_linear_time),
        cmocka_unit_test(random_bytes_are_survived),
    };
    return cmocka_run_group_tests_name("csv_rows", tests, NULL, NULL);
}
