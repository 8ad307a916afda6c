/* table_layout: which columns stay, and how wide, in the room that there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "table_layout.h"

#define NUMBER(cells, drop_)                                                                       \
    {                                                                                              \
        .natural = (cells), .least = (cells), .floor = (cells), .drop = (drop_)                    \
    }
#define TEXT(cells, least_, drop_)                                                                 \
    {                                                                                              \
        .natural = (cells), .least = (least_), .floor = 8, .drop = (drop_)                         \
    }

/* "7 - 20": the widths, '-' for a column that is left out. */
static void expect(const table_column *columns, size_t count, size_t limit, const char *widths)
{
    table_column laid[8];
    char got[128] = "", *end = got;
    memcpy(laid, columns, count * sizeof *columns);
    table_lay_out(laid, count, limit);
    for (size_t i = 0; i < count; i++) {
        assert_true(laid[i].shown || !laid[i].width);
        if (laid[i].shown)
            end += sprintf(end, "%s%zu", i ? " " : "", laid[i].width);
        else
            end += sprintf(end, "%s-", i ? " " : "");
    }
    assert_string_equal(got, widths);
}

static void where_there_is_room_nothing_changes(void **state)
{
    (void)state;
    const table_column columns[] = {NUMBER(5, 0), TEXT(40, 20, 1), NUMBER(9, 2)};
    assert_int_equal(table_natural(columns, 3), 58);
    expect(columns, 3, 0, "5 40 9");
    expect(columns, 3, 58, "5 40 9");
    expect(columns, 3, 1000, "5 40 9");
}

static void texts_give_way_before_columns_do(void **state)
{
    (void)state;
    const table_column columns[] = {NUMBER(5, 0), TEXT(40, 20, 1), NUMBER(9, 2)};
    expect(columns, 3, 57, "5 39 9");
    expect(columns, 3, 38, "5 20 9");
    expect(columns, 3, 37, "5 30 -");
}

static void larger_numbers_are_left_out_first(void **state)
{
    (void)state;
    const table_column columns[] = {NUMBER(5, 0), NUMBER(6, 3), NUMBER(7, 1), NUMBER(8, 2)};
    expect(columns, 4, 31, "5 - 7 8");
    expect(columns, 4, 24, "5 - 7 8");
    expect(columns, 4, 23, "5 6 7 -");
    expect(columns, 4, 20, "5 - 7 -");
    expect(columns, 4, 13, "5 6 - -");
    expect(columns, 4, 12, "5 - - -");
    expect(columns, 4, 1, "5 - - -");
}

static void of_the_same_number_the_left_one_stays(void **state)
{
    (void)state;
    const table_column columns[] = {NUMBER(5, 0), NUMBER(6, 1), NUMBER(6, 1)};
    expect(columns, 3, 20, "5 6 -");
}

static void room_goes_to_the_narrowest_text(void **state)
{
    (void)state;
    const table_column columns[] = {TEXT(40, 10, 0), TEXT(16, 10, 0), TEXT(40, 14, 0)};
    expect(columns, 3, 38, "10 10 14");
    expect(columns, 3, 44, "13 13 14");
    expect(columns, 3, 60, "20 16 20");
    expect(columns, 3, 99, "40 16 39");
}

/* Columns that are always there are narrowed as far as makes sense, the widest first. */
static void below_that_there_is_a_floor(void **state)
{
    (void)state;
    const table_column columns[] = {NUMBER(5, 0), TEXT(40, 20, 0), TEXT(40, 12, 0), NUMBER(5, 1)};
    expect(columns, 4, 41, "5 20 12 -");
    expect(columns, 4, 35, "5 14 12 -");
    expect(columns, 4, 30, "5 10 11 -");
    expect(columns, 4, 25, "5 8 8 -");
    expect(columns, 4, 1, "5 8 8 -");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_there_is_room_nothing_changes),
        cmocka_unit_test(texts_give_way_before_columns_do),
        cmocka_unit_test(larger_numbers_are_left_out_first),
        cmocka_unit_test(of_the_same_number_the_left_one_stays),
        cmocka_unit_test(room_goes_to_the_narrowest_text),
        cmocka_unit_test(below_that_there_is_a_floor),
    };
    return cmocka_run_group_tests_name("table_layout", tests, NULL, NULL);
}
