/* canvas: cells, clipping, wide and combining characters, and text from outside made harmless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"

static const kb_style plain;

static const char *row_of(const kb_canvas *canvas, int y)
{
    static char text[512];
    kb_canvas_row_text(canvas, y, text, sizeof text);
    return text;
}

static kb_canvas canvas_of(int cols, int rows)
{
    kb_canvas canvas = {0};
    assert_true(kb_canvas_resize(&canvas, cols, rows));
    return canvas;
}

static void text_that_does_not_fit_ends_in_an_ellipsis(void **state)
{
    (void)state;
    kb_canvas canvas = canvas_of(10, 2);
    assert_int_equal(kb_canvas_text(&canvas, 0, 0, 10, plain, "0123456789"), 10);
    assert_string_equal(row_of(&canvas, 0), "0123456789");
    assert_int_equal(kb_canvas_text(&canvas, 0, 1, 6, plain, "0123456789"), 6);
    assert_string_equal(row_of(&canvas, 1), "01234…");
    kb_canvas_free(&canvas);
}

static void nothing_is_drawn_outside_the_clip(void **state)
{
    (void)state;
    kb_canvas canvas = canvas_of(8, 3);
    kb_rect old = kb_canvas_clip(&canvas, kb_rect_of(2, 1, 4, 1));
    for (int y = -2; y < 6; y++)
        kb_canvas_text(&canvas, -3, y, 100, plain, "abcdefghijklmnopq");
    kb_canvas_fill(&canvas, kb_rect_of(-5, -5, 3, 3), U'#', plain);
    kb_canvas_box(&canvas, kb_rect_of(-1, -1, 50, 50), plain, "far");
    canvas.clip = old;
    assert_string_equal(row_of(&canvas, 0), "");
    assert_string_equal(row_of(&canvas, 1), "  fghi");
    assert_string_equal(row_of(&canvas, 2), "");
    kb_canvas_free(&canvas);
}

static void wide_characters_take_two_cells_and_are_never_halved(void **state)
{
    (void)state;
    kb_canvas canvas = canvas_of(6, 2);
    assert_int_equal(kb_text_cells("漢字", false), 4);
    kb_canvas_text(&canvas, 0, 0, 6, plain, "漢字x");
    assert_string_equal(row_of(&canvas, 0), "漢字x");
    kb_canvas_put(&canvas, 1, 0, U'!', plain); /* the right half of the first */
    assert_string_equal(row_of(&canvas, 0), " !字x");
    kb_canvas_put(&canvas, 2, 0, U'?', plain); /* the left half of the second */
    assert_string_equal(row_of(&canvas, 0), " !? x");
    assert_int_equal(kb_canvas_text(&canvas, 0, 1, 4, plain, "漢字x"), 3);
    assert_string_equal(row_of(&canvas, 1), "漢…");
    kb_canvas_free(&canvas);
}

static void a_combining_mark_stays_on_its_letter(void **state)
{
    (void)state;
    kb_canvas canvas = canvas_of(6, 1);
    assert_int_equal(kb_canvas_text(&canvas, 0, 0, 6, plain, "e\xCC\x81x"), 2);
    assert_int_equal(kb_canvas_at(&canvas, 0, 0)->mark, 0x301);
    assert_int_equal(kb_canvas_at(&canvas, 1, 0)->glyph, 'x');
    kb_canvas_free(&canvas);
}

static void what_could_harm_a_terminal_is_shown_as_an_escape(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"a\033[2Jb", "a\\x1b[2Jb"},
        {"a\tb\nc\rd", "a\\tb\\nc\\rd"},
        {"bell\a", "bell\\x07"},
        {"del\x7F", "del\\x7f"},
        {"c1 \xC2\x9B", "c1 \\u{9b}"},
        {"\xE2\x80\xAEright to left", "\\u{202e}right to left"},
        {"zero\xE2\x80\x8Bwidth", "zero\\u{200b}width"},
        {"\xF3\xA0\x80\x81tag", "\\u{e0001}tag"},
        {"bad \xFF\xC0\x80 \xE2\x82", "bad \\xff\\xc0\\x80 \\xe2\\x82"},
        {"\xED\xA0\x80", "\\xed\\xa0\\x80"}, /* half of a surrogate pair */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kb_canvas canvas = canvas_of(60, 1);
        kb_canvas_text(&canvas, 0, 0, 60, plain, cases[i].text);
        assert_string_equal(row_of(&canvas, 0), cases[i].shown);
        assert_int_equal(kb_text_cells(cases[i].text, false), (int)strlen(cases[i].shown));
        for (int x = 0; x < 60; x++)
            assert_true(kb_canvas_at(&canvas, x, 0)->glyph >= 0x20 &&
                        kb_canvas_at(&canvas, x, 0)->glyph < 0x7F);
        kb_canvas_free(&canvas);
    }
}

static void ascii_shows_ornaments_as_look_alikes_and_letters_as_escapes(void **state)
{
    (void)state;
    kb_canvas canvas = canvas_of(20, 3);
    canvas.ascii = true;
    kb_canvas_box(&canvas, kb_rect_of(0, 0, 20, 3), plain, NULL);
    kb_canvas_text(&canvas, 1, 1, 18, plain, "é › █");
    assert_string_equal(row_of(&canvas, 0), "+------------------+");
    assert_string_equal(row_of(&canvas, 1), "|\\u{e9} > #        |");
    for (int i = 0; i < 60; i++)
        assert_true(canvas.cells[i].glyph < 0x7F);
    kb_canvas_free(&canvas);
}

static void utf8_goes_there_and_back(void **state)
{
    static const char32_t characters[] = {1, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFD, 0x10000, 0x10FFFF};
    (void)state;
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
        char bytes[5] = {0};
        char32_t back = 0;
        size_t length = kb_utf8_encode(characters[i], bytes);
        assert_int_equal(kb_utf8_decode(bytes, &back), length);
        assert_int_equal(back, characters[i]);
    }
    char32_t unused;
    assert_int_equal(kb_utf8_decode("\xF4\x90\x80\x80", &unused), 0); /* beyond U+10FFFF */
    assert_int_equal(kb_utf8_decode("\xC1\xBF", &unused), 0);         /* overlong */
    assert_int_equal(kb_utf8_decode("", &unused), 0);
}

static void text_wraps_at_blanks_and_cuts_long_words(void **state)
{
    (void)state;
    kb_canvas canvas = canvas_of(10, 5);
    assert_int_equal(
        kb_canvas_wrap(&canvas, kb_rect_of(0, 0, 10, 5), plain, "one two three 0123456789abc"), 4);
    assert_string_equal(row_of(&canvas, 0), "one two");
    assert_string_equal(row_of(&canvas, 1), "three");
    assert_string_equal(row_of(&canvas, 2), "0123456789");
    assert_string_equal(row_of(&canvas, 3), "abc");
    kb_canvas_free(&canvas);
}

static void a_canvas_without_room_takes_any_drawing(void **state)
{
    (void)state;
    kb_canvas canvas = {0};
    assert_false(kb_canvas_resize(&canvas, 0, 5));
    kb_canvas_text(&canvas, 0, 0, 10, plain, "text");
    kb_canvas_box(&canvas, kb_rect_of(0, 0, 10, 10), plain, "box");
    kb_canvas_tint(&canvas, kb_rect_of(0, 0, 10, 10), plain);
    assert_null(kb_canvas_at(&canvas, 0, 0));
    kb_canvas_free(&canvas);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_does_not_fit_ends_in_an_ellipsis),
        cmocka_unit_test(nothing_is_drawn_outside_the_clip),
        cmocka_unit_test(wide_characters_take_two_cells_and_are_never_halved),
        cmocka_unit_test(a_combining_mark_stays_on_its_letter),
        cmocka_unit_test(what_could_harm_a_terminal_is_shown_as_an_escape),
        cmocka_unit_test(ascii_shows_ornaments_as_look_alikes_and_letters_as_escapes),
        cmocka_unit_test(utf8_goes_there_and_back),
        cmocka_unit_test(text_wraps_at_blanks_and_cuts_long_words),
        cmocka_unit_test(a_canvas_without_room_takes_any_drawing),
    };
    /* Widths are the locale's business; without one that knows UTF-8 there is nothing to test. */
    if (!setlocale(LC_CTYPE, "C.UTF-8") && !setlocale(LC_CTYPE, "en_US.UTF-8"))
        return 77;
    return cmocka_run_group_tests_name("canvas", tests, NULL, NULL);
}
