/* output: tables, CSV and JSON as their readers expect them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

static const output_column columns[] = {{.name = "name"}, {.name = "n"}, {.name = "x"}};
static const output_column wide_columns[] = {
    {"name", .width = 16}, {"n", .width = 16}, {"x", .width = 16}};

/* Two rows with everything that needs care, as FORMAT; the caller frees the text. */
static char *written(output_format format, bool streamed)
{
    char *text = NULL;
    size_t size = 0;
    output *out = output_open(open_memstream(&text, &size), format,
                              streamed ? wide_columns : columns, 3, streamed);
    assert_non_null(out);
    output_text(out, "a,\"b\"");
    output_count(out, UINT64_MAX);
    output_real(out, 1.0 / 3);
    output_text(out, "");
    output_missing(out);
    output_real(out, NAN);
    assert_int_equal(output_close(out), 0);
    return text;
}

static void expect(output_format format, bool streamed, const char *expected)
{
    char *text = written(format, streamed);
    assert_string_equal(text, expected);
    free(text);
}

static void csv_quotes_what_must_be_quoted(void **state)
{
    (void)state;
    expect(OUTPUT_CSV, false, "name,n,x\n\"a,\"\"b\"\"\",18446744073709551615,0.333333333\n,,\n");
}

static void what_is_no_terminal_gets_csv(void **state)
{
    (void)state;
    expect(OUTPUT_AUTO, false, "name,n,x\n\"a,\"\"b\"\"\",18446744073709551615,0.333333333\n,,\n");
}

static void json_is_an_array_of_objects(void **state)
{
    (void)state;
    expect(OUTPUT_JSON, false,
           "[\n{\"name\":\"a,\\\"b\\\"\",\"n\":18446744073709551615,\"x\":0.333333333},\n"
           "{\"name\":\"\",\"n\":null,\"x\":null}\n]\n");
}

static void a_table_sets_numbers_to_the_right(void **state)
{
    (void)state;
    expect(OUTPUT_TABLE, false,
           "name                      n         x\n"
           "a,\"b\"  18446744073709551615  0.333333\n"
           "                                     \n");
}

static void a_streamed_table_has_fixed_columns(void **state)
{
    (void)state;
    expect(OUTPUT_TABLE, true,
           "name              n                 x\n"
           "a,\"b\"             18446744073709551615  0.333333\n"
           "                                    \n");
}

static char *one_cell(output_format format, const char *cell)
{
    static const output_column only[] = {{.name = "c"}};
    char *text = NULL;
    size_t size = 0;
    output *out = output_open(open_memstream(&text, &size), format, only, 1, false);
    output_text(out, cell);
    assert_int_equal(output_close(out), 0);
    return text;
}

static void expect_cell(output_format format, const char *cell, const char *expected)
{
    char *text = one_cell(format, cell);
    assert_string_equal(text, expected);
    free(text);
}

static void a_table_prints_no_control_characters(void **state)
{
    (void)state;
    expect_cell(OUTPUT_TABLE, "a\033[2Jb\nc", "c\na?[2Jb?c\n");
}

static void a_table_counts_columns_and_not_bytes(void **state)
{
    (void)state;
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        skip();
    static const output_column two[] = {{.name = "c"}, {.name = "d"}};
    char *text = NULL;
    size_t size = 0;
    output *out = output_open(open_memstream(&text, &size), OUTPUT_TABLE, two, 2, false);
    output_text(out, "\xC3\xA9\xE6\x97\xA5");
    output_text(out, "x");
    assert_int_equal(output_close(out), 0);
    setlocale(LC_CTYPE, "C");
    assert_string_equal(text, "c    d\n\xC3\xA9\xE6\x97\xA5  x\n");
    free(text);
}

static void json_escapes_what_is_no_text(void **state)
{
    (void)state;
    expect_cell(OUTPUT_JSON, "\t\\\x7F", "[\n{\"c\":\"\\u0009\\\\\\u007f\"}\n]\n");
    expect_cell(OUTPUT_JSON, "\xC3\xA9\xFFz\xC3", "[\n{\"c\":\"\xC3\xA9\\ufffdz\\ufffd\"}\n]\n");
}

static char *one_list(output_format format, const char *const *texts, size_t count)
{
    static const output_column two[] = {{.name = "c"}, {.name = "d"}};
    char *text = NULL;
    size_t size = 0;
    output *out = output_open(open_memstream(&text, &size), format, two, 2, false);
    output_list(out, texts, count);
    output_count(out, 7);
    assert_int_equal(output_close(out), 0);
    return text;
}

static void expect_list(output_format format, const char *const *texts, size_t count,
                        const char *expected)
{
    char *text = one_list(format, texts, count);
    assert_string_equal(text, expected);
    free(text);
}

static void lists_can_be_read_back(void **state)
{
    (void)state;
    static const char *const texts[] = {"a b", "c;d\\", "\"e,\"", ""};
    expect_list(OUTPUT_JSON, texts, 4,
                "[\n{\"c\":[\"a b\",\"c;d\\\\\",\"\\\"e,\\\"\",\"\"],\"d\":7}\n]\n");
    expect_list(OUTPUT_CSV, texts, 4, "c,d\n\"a b;c\\;d\\\\;\"\"e,\"\";\",7\n");
    expect_list(OUTPUT_TABLE, texts, 2, "c           d\na b;c\\;d\\\\  7\n");
    expect_list(OUTPUT_JSON, NULL, 0, "[\n{\"c\":[],\"d\":7}\n]\n");
    expect_list(OUTPUT_CSV, NULL, 0, "c,d\n,7\n");
}

static void an_empty_json_result_is_an_empty_array(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    output *out = output_open(open_memstream(&text, &size), OUTPUT_JSON, columns, 3, false);
    assert_int_equal(output_close(out), 0);
    assert_string_equal(text, "[]\n");
    free(text);
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    for (int format = OUTPUT_TABLE; format <= OUTPUT_JSON; format++) {
        FILE *full = fopen("/dev/full", "w");
        if (!full)
            skip();
        output *out = output_open(full, (output_format)format, columns, 3, false);
        for (int i = 0; i < 3000; i++)
            output_count(out, 1);
        assert_int_equal(output_close(out), ENOSPC);
    }
}

static void a_reader_that_has_gone_is_told(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    output *out = output_open(fdopen(ends[1], "w"), OUTPUT_CSV, columns, 3, false);
    for (int i = 0; i < 30000; i++)
        output_count(out, 1);
    assert_int_equal(output_close(out), EPIPE);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_quotes_what_must_be_quoted),
        cmocka_unit_test(what_is_no_terminal_gets_csv),
        cmocka_unit_test(json_is_an_array_of_objects),
        cmocka_unit_test(a_table_sets_numbers_to_the_right),
        cmocka_unit_test(a_streamed_table_has_fixed_columns),
        cmocka_unit_test(a_table_prints_no_control_characters),
        cmocka_unit_test(a_table_counts_columns_and_not_bytes),
        cmocka_unit_test(json_escapes_what_is_no_text),
        cmocka_unit_test(lists_can_be_read_back),
        cmocka_unit_test(an_empty_json_result_is_an_empty_array),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(a_reader_that_has_gone_is_told),
    };
    return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
