/* cell_text: texts are cut by cells, not by bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell_text.h"

/* TEXT in CELLS is EXPECTED, which takes TAKEN. */
static void expect(const char *text, size_t cells, const char *expected, size_t taken)
{
    char *got = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&got, &size);
    size_t said = cell_text_write(f, text, cells);
    fclose(f);
    assert_string_equal(got, expected);
    assert_int_equal(said, taken);
    assert_int_equal(cell_text_width(got), taken);
    free(got);
}

static void what_fits_is_left_alone(void **state)
{
    (void)state;
    expect("", 1, "", 0);
    expect("abcdef", 6, "abcdef", 6);
    expect("abcdef", SIZE_MAX, "abcdef", 6);
    expect("日本", 4, "日本", 4);
}

static void the_middle_gives_way(void **state)
{
    (void)state;
    expect("com.example.ViewHolder", 11, "com.e…older", 11);
    expect("abcdef", 5, "ab…ef", 5);
    expect("abcdef", 4, "ab…f", 4);
    expect("abcdef", 2, "a…", 2);
    expect("abcdef", 1, "…", 1);
}

/* A wide character takes two cells or none. */
static void wide_characters_are_never_halved(void **state)
{
    (void)state;
    assert_int_equal(cell_text_width("日本語文字列"), 12);
    expect("日本語文字列", 9, "日本…字列", 9);
    expect("日本語文字列", 8, "日本…列", 7);
    expect("日本語文字列", 4, "日…", 3);
    expect("a日本語b", 5, "a…b", 3);
}

/* e and a combining acute accent: one cell, three bytes. */
#define E "e\xCC\x81"

static void what_combines_stays_with_its_character(void **state)
{
    (void)state;
    assert_int_equal(cell_text_width(E E E E E E), 6);
    expect(E E E E E E, 5, E E "…" E E, 5);
    expect("x" E "yz" E "w", 3, "x…w", 3);
    expect("x" E "yz" E, 5, "x" E "yz" E, 5);
    expect("x" E "yyz" E, 4, "x" E "…" E, 4);
}

static void bytes_that_are_no_characters_take_a_cell(void **state)
{
    (void)state;
    assert_int_equal(cell_text_width("\xFF\xFE\xFD"), 3);
    expect("\xFF\xFE\xFD\xFC", 3, "\xFF…\xFC", 3);
}

static void another_locale_has_another_mark(void **state)
{
    (void)state;
    assert_string_equal(cell_text_mark(), "…");
    setlocale(LC_CTYPE, "C");
    expect("abcdef", 5, "ab~ef", 5);
    setlocale(LC_CTYPE, "C.UTF-8");
}

int main(void)
{
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_left_alone),
        cmocka_unit_test(the_middle_gives_way),
        cmocka_unit_test(wide_characters_are_never_halved),
        cmocka_unit_test(what_combines_stays_with_its_character),
        cmocka_unit_test(bytes_that_are_no_characters_take_a_cell),
        cmocka_unit_test(another_locale_has_another_mark),
    };
    return cmocka_run_group_tests_name("cell_text", tests, NULL, NULL);
}
