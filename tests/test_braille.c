/* braille and chart: dots in cells, colours by majority, bars, sparklines and line charts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "braille.h"
#include "chart.h"
#include "theme.h"

static char32_t glyph_of(const kb_dots *dots, int col, int row)
{
    uint8_t ink;
    return kb_dots_glyph(dots, col, row, &ink);
}

static const char *row_of(const kb_canvas *canvas, int y)
{
    static char text[1024];
    kb_canvas_row_text(canvas, y, text, sizeof text);
    return text;
}

/* Unicode numbers the dots of a braille cell 1 2 3 7 down the left and 4 5 6 8 down the right. */
static void each_braille_dot_has_unicodes_bit(void **state)
{
    static const unsigned bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    (void)state;
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 2; x++) {
            kb_dots dots;
            assert_true(kb_dots_create(&dots, KB_DOTS_BRAILLE, 3, 2));
            kb_dots_set(&dots, 2 + x, 4 + y, 1);
            assert_int_equal(glyph_of(&dots, 1, 1), 0x2800 + bits[y][x]);
            assert_int_equal(glyph_of(&dots, 0, 1), ' ');
            kb_dots_free(&dots);
        }
}

static void blocks_and_ascii_stand_in_for_braille(void **state)
{
    static const char32_t corners[2][2] = {{U'▘', U'▝'}, {U'▖', U'▗'}};
    (void)state;
    for (int y = 0; y < 2; y++)
        for (int x = 0; x < 2; x++) {
            kb_dots dots;
            assert_true(kb_dots_create(&dots, KB_DOTS_BLOCK, 1, 1));
            kb_dots_set(&dots, x, y, 1);
            assert_int_equal(glyph_of(&dots, 0, 0), corners[y][x]);
            kb_dots_free(&dots);
        }
    kb_dots dots;
    assert_true(kb_dots_create(&dots, KB_DOTS_ASCII, 3, 1));
    kb_dots_set(&dots, 0, 0, 1);
    kb_dots_set(&dots, 1, 1, 1);
    kb_dots_line(&dots, 2, 0, 2, 1, 1);
    assert_int_equal(glyph_of(&dots, 0, 0), '\'');
    assert_int_equal(glyph_of(&dots, 1, 0), '.');
    assert_int_equal(glyph_of(&dots, 2, 0), ':');
    kb_dots_free(&dots);
}

static void a_cell_takes_the_ink_of_most_of_its_dots(void **state)
{
    uint8_t ink;
    kb_dots dots;
    (void)state;
    assert_true(kb_dots_create(&dots, KB_DOTS_BRAILLE, 1, 1));
    kb_dots_set(&dots, 0, 0, 9);
    kb_dots_set(&dots, 1, 0, 4);
    kb_dots_glyph(&dots, 0, 0, &ink);
    assert_int_equal(ink, 4); /* the smallest of equals */
    kb_dots_set(&dots, 0, 1, 9);
    kb_dots_glyph(&dots, 0, 0, &ink);
    assert_int_equal(ink, 9);
    kb_dots_free(&dots);
}

static void a_line_reaches_both_ends_and_has_no_gaps(void **state)
{
    static const int ends[][4] = {
        {0, 0, 19, 7}, {19, 7, 0, 0}, {3, 11, 5, 0}, {7, 7, 7, 7}, {0, 11, 19, 11}};
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        kb_dots dots;
        int count = 0;
        assert_true(kb_dots_create(&dots, KB_DOTS_BRAILLE, 10, 3));
        kb_dots_line(&dots, ends[i][0], ends[i][1], ends[i][2], ends[i][3], 1);
        for (int at = 0; at < dots.width * dots.height; at++)
            count += dots.ink[at];
        int dx = abs(ends[i][2] - ends[i][0]), dy = abs(ends[i][3] - ends[i][1]);
        assert_int_equal(count, (dx > dy ? dx : dy) + 1);
        assert_int_equal(dots.ink[ends[i][1] * dots.width + ends[i][0]], 1);
        assert_int_equal(dots.ink[ends[i][3] * dots.width + ends[i][2]], 1);
        kb_dots_free(&dots);
    }
}

static void dots_outside_are_dropped(void **state)
{
    kb_dots dots;
    (void)state;
    assert_false(kb_dots_create(&dots, KB_DOTS_BRAILLE, 0, 4));
    kb_dots_set(&dots, 0, 0, 1);
    assert_true(kb_dots_create(&dots, KB_DOTS_BLOCK, 2, 2));
    kb_dots_line(&dots, -5, -5, 20, 20, 3);
    kb_dots_set(&dots, 4, 0, 3);
    assert_int_equal(glyph_of(&dots, 0, 0), U'▚');
    assert_int_equal(glyph_of(&dots, 9, 9), ' ');
    kb_dots_free(&dots);
}

static kb_canvas canvas_of(int cols, int rows)
{
    kb_canvas canvas = {0};
    assert_true(kb_canvas_resize(&canvas, cols, rows));
    return canvas;
}

static void a_bar_is_true_to_an_eighth_of_a_cell(void **state)
{
    (void)state;
    kb_canvas canvas = canvas_of(12, 5);
    kb_chart_bar(&canvas, 0, 0, 10, 1, kb_ink_style(1));
    kb_chart_bar(&canvas, 0, 1, 10, 0.25, kb_ink_style(1));
    kb_chart_bar(&canvas, 0, 2, 10, 0, kb_ink_style(1));
    kb_chart_bar(&canvas, 0, 3, 10, 1e-9, kb_ink_style(1));
    kb_chart_bar(&canvas, 0, 4, 10, NAN, kb_ink_style(1));
    assert_string_equal(row_of(&canvas, 0), "██████████");
    assert_string_equal(row_of(&canvas, 1), "██▌");
    assert_string_equal(row_of(&canvas, 2), "");
    assert_string_equal(row_of(&canvas, 3), "▏"); /* a little is not nothing */
    assert_string_equal(row_of(&canvas, 4), "");
    kb_canvas_free(&canvas);
}

static void a_sparkline_shows_each_parts_maximum(void **state)
{
    static const float values[] = {0, 7, 1, 0, 0, 0, 3.5f, 2};
    (void)state;
    kb_canvas canvas = canvas_of(8, 3);
    kb_chart_sparkline(&canvas, 0, 0, 8, values, 8, 0, kb_ink_style(1));
    kb_chart_sparkline(&canvas, 0, 1, 4, values, 8, 0, kb_ink_style(1));
    kb_chart_sparkline(&canvas, 0, 2, 8, values, 0, 0, kb_ink_style(1));
    assert_string_equal(row_of(&canvas, 0), " ▇▁   ▄▂");
    assert_string_equal(row_of(&canvas, 1), "▇▁ ▄");
    assert_string_equal(row_of(&canvas, 2), "");
    kb_canvas_free(&canvas);
}

static void steps_are_one_two_or_five(void **state)
{
    (void)state;
    assert_true(kb_chart_step(18, 4) == 5);
    assert_true(kb_chart_step(100, 10) == 10);
    assert_true(kb_chart_step(7, 4) == 2);
    assert_true(fabs(kb_chart_step(0.3, 3) - 0.1) < 1e-12);
}

static kb_chart chart_of(const kb_chart_series *series)
{
    return (kb_chart){.title = "title",
                      .series = series,
                      .series_count = 1,
                      .mode = KB_DOTS_ASCII,
                      .mark = NAN,
                      .cursor = NAN};
}

static void a_chart_spans_its_values_and_names_them(void **state)
{
    static const double x[] = {0, 1, 2, 3, 4}, y[] = {10, 20, NAN, 40, 50};
    (void)state;
    kb_canvas canvas = canvas_of(40, 12);
    canvas.ascii = true;
    kb_chart_series series = {.name = "loss", .x = x, .y = y, .count = 5, .ink = KB_INK_FIRST};
    kb_chart chart = chart_of(&series);
    kb_chart_draw(&canvas, kb_rect_of(0, 0, 40, 12), &chart);
    assert_string_equal(row_of(&canvas, 0), "title  -- loss");
    assert_non_null(strstr(row_of(&canvas, 1), "50|"));
    assert_int_equal(kb_canvas_at(&canvas, 38, 1)->glyph, '\''); /* the largest at the top right */
    assert_non_null(strstr(row_of(&canvas, 9), "10|"));
    assert_int_equal(kb_canvas_at(&canvas, 9, 9)->glyph, '.'); /* the smallest at the bottom left */
    kb_canvas_free(&canvas);
}

static void a_chart_of_any_size_and_any_values_is_drawn_safely(void **state)
{
    static const double x[] = {1, 1, 1}, y[] = {INFINITY, NAN, -1}, same[] = {3, 3, 3};
    (void)state;
    kb_canvas canvas = canvas_of(50, 20);
    for (int cols = 0; cols < 50; cols += 7)
        for (int rows = 0; rows < 20; rows++)
            for (int logarithmic = 0; logarithmic < 2; logarithmic++) {
                kb_chart_series series = {.x = x,
                                          .y = rows % 2 ? y : same,
                                          .count = (size_t)rows % 4,
                                          .ink = 1,
                                          .points = true};
                kb_chart chart = chart_of(&series);
                chart.logarithmic = logarithmic;
                chart.mark = 1;
                chart.mode = (kb_dots_mode)(rows % 3);
                kb_chart_draw(&canvas, kb_rect_of(0, 0, cols, rows), &chart);
            }
    kb_canvas_free(&canvas);
}

/* Every depth gives colours that exist there, and no two clusters within the palette share one
 * where there are 256. */
static void every_depth_has_its_colors(void **state)
{
    static const struct {
        kb_depth depth;
        int most;
    } depths[] = {{KB_DEPTH_MONO, -1},
                  {KB_DEPTH_8, 7},
                  {KB_DEPTH_16, 15},
                  {KB_DEPTH_256, 255},
                  {KB_DEPTH_DIRECT, 0xFFFFFF}};
    (void)state;
    for (size_t d = 0; d < sizeof depths / sizeof *depths; d++)
        for (unsigned ink = 0; ink < KB_INKS; ink++) {
            assert_in_range(kb_theme_ink(depths[d].depth, ink) + 1, 0, depths[d].most + 1);
            if (depths[d].depth >= KB_DEPTH_256 && ink > KB_INK_CLUSTER)
                for (unsigned other = KB_INK_CLUSTER; other < ink; other++)
                    assert_int_not_equal(kb_theme_ink(depths[d].depth, ink),
                                         kb_theme_ink(depths[d].depth, other));
        }
    assert_int_equal(kb_theme_depth(8, false), KB_DEPTH_8);
    assert_int_equal(kb_theme_depth(-1, false), KB_DEPTH_MONO);
    assert_int_equal(kb_theme_depth(0x1000000, true), KB_DEPTH_DIRECT);
    assert_int_equal(kb_theme_glyph(3), '3');
    assert_int_equal(kb_theme_glyph(10), 'A');
    assert_int_equal(kb_theme_glyph(4000000), '?');
    assert_true(kb_theme_attributes(KB_DEPTH_MONO, (kb_style){.paper = KB_PAPER_SELECTED}) &
                KB_REVERSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_braille_dot_has_unicodes_bit),
        cmocka_unit_test(blocks_and_ascii_stand_in_for_braille),
        cmocka_unit_test(a_cell_takes_the_ink_of_most_of_its_dots),
        cmocka_unit_test(a_line_reaches_both_ends_and_has_no_gaps),
        cmocka_unit_test(dots_outside_are_dropped),
        cmocka_unit_test(a_bar_is_true_to_an_eighth_of_a_cell),
        cmocka_unit_test(a_sparkline_shows_each_parts_maximum),
        cmocka_unit_test(steps_are_one_two_or_five),
        cmocka_unit_test(a_chart_spans_its_values_and_names_them),
        cmocka_unit_test(a_chart_of_any_size_and_any_values_is_drawn_safely),
        cmocka_unit_test(every_depth_has_its_colors),
    };
    return cmocka_run_group_tests_name("braille", tests, NULL, NULL);
}
