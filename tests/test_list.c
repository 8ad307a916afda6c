/* sheet and list: what is shown, in which order, and the same as a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "list.h"
#include "theme.h"

struct row {
    const char *name;
    double number;
};

static const kb_sheet_column columns[] = {
    {.name = "name", .width = 6, .flexible = true},
    {.name = "number", .title = "No.", .width = 6},
    {.name = "bar", .width = 4, .drop = 1, .graphic = true},
    {.name = "yes", .width = 4, .drop = 2},
};

static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const struct row *rows = ctx;
    if (column == 0)
        kb_value_text(value, rows[row].name);
    else
        kb_value_number(value, column == 1 ? KB_VALUE_REAL : KB_VALUE_FLAG,
                        column == 1 ? rows[row].number : row % 2);
}

static uint64_t key(void *ctx, size_t row)
{
    const struct row *rows = ctx;
    return (uint64_t)(unsigned char)rows[row].name[0];
}

static kb_sheet sheet_of(const struct row *rows, size_t count, uint64_t version)
{
    return (kb_sheet){.columns = columns,
                      .column_count = 4,
                      .row_count = count,
                      .cell = cell,
                      .key = key,
                      .ctx = (void *)(uintptr_t)rows,
                      .version = version};
}

static const struct row fruit[] = {{"pear", 2}, {"apple", NAN}, {"fig", -1}, {"Date", 10}};

static const char *order_of(const kb_list *list, const struct row *rows)
{
    static char text[128];
    text[0] = '\0';
    for (size_t i = 0; i < list->shown; i++)
        sprintf(text + strlen(text), "%s%s", i ? " " : "", rows[list->order[i]].name);
    return text;
}

static void rows_sort_by_number_or_text_with_nothing_last(void **state)
{
    kb_list list;
    kb_sheet sheet = sheet_of(fruit, 4, 1);
    (void)state;
    kb_list_init(&list);
    kb_list_sync(&list, &sheet);
    assert_string_equal(order_of(&list, fruit), "pear apple fig Date");
    kb_list_sort_by(&list, 1, false);
    kb_list_sync(&list, &sheet);
    assert_string_equal(order_of(&list, fruit), "fig pear Date apple");
    kb_list_do(&list, &sheet, KB_DO_SORT_REVERSE);
    kb_list_sync(&list, &sheet);
    assert_string_equal(order_of(&list, fruit), "Date pear fig apple");
    kb_list_sort_by(&list, 0, false);
    kb_list_sync(&list, &sheet);
    assert_string_equal(order_of(&list, fruit), "Date apple fig pear");
    kb_list_free(&list);
}

static void stepping_through_columns_leaves_out_pictures(void **state)
{
    static const int expected[] = {0, 1, 3, -1, 0};
    kb_list list;
    kb_sheet sheet = sheet_of(fruit, 4, 1);
    (void)state;
    kb_list_init(&list);
    kb_list_sync(&list, &sheet);
    for (size_t i = 0; i < 5; i++) {
        kb_list_do(&list, &sheet, KB_DO_SORT_NEXT);
        assert_int_equal(list.sort, expected[i]);
    }
    kb_list_do(&list, &sheet, KB_DO_SORT_PREVIOUS);
    assert_int_equal(list.sort, -1);
    kb_list_do(&list, &sheet, KB_DO_SORT_PREVIOUS);
    assert_int_equal(list.sort, 3);
    kb_list_free(&list);
}

static void the_selected_row_stays_selected(void **state)
{
    static const struct row later[] = {{"zebra", 0}, {"grape", 3}, {"fig", 4}};
    kb_list list;
    kb_sheet sheet = sheet_of(fruit, 4, 1);
    (void)state;
    kb_list_init(&list);
    kb_list_sync(&list, &sheet);
    kb_list_do(&list, &sheet, KB_DO_DOWN);
    kb_list_do(&list, &sheet, KB_DO_DOWN);
    assert_int_equal(kb_list_row(&list), 2);
    kb_list_sort_by(&list, 1, false);
    kb_list_sync(&list, &sheet);
    assert_int_equal(list.cursor, 0);
    assert_int_equal(kb_list_row(&list), 2);
    sheet = sheet_of(later, 3, 2); /* other rows, the fig among them */
    kb_list_sync(&list, &sheet);
    assert_int_equal(kb_list_row(&list), 2);
    sheet = sheet_of(later, 1, 3); /* the fig is gone */
    kb_list_sync(&list, &sheet);
    assert_int_equal(kb_list_row(&list), 0);
    sheet = sheet_of(later, 0, 4);
    kb_list_sync(&list, &sheet);
    assert_int_equal(kb_list_row(&list), SIZE_MAX);
    kb_list_do(&list, &sheet, KB_DO_LAST);
    kb_list_do(&list, &sheet, KB_DO_NEXT_MATCH);
    assert_int_equal(kb_list_row(&list), SIZE_MAX);
    kb_list_free(&list);
}

static void a_filter_looks_into_every_cell_whatever_the_case(void **state)
{
    kb_list list;
    kb_sheet sheet = sheet_of(fruit, 4, 1);
    (void)state;
    kb_list_init(&list);
    kb_list_set_filter(&list, "E");
    kb_list_sync(&list, &sheet);
    assert_string_equal(order_of(&list, fruit), "pear apple Date");
    kb_list_set_filter(&list, "10");
    kb_list_sync(&list, &sheet);
    assert_string_equal(order_of(&list, fruit), "Date");
    kb_list_set_filter(&list, "");
    kb_list_sync(&list, &sheet);
    assert_int_equal(list.shown, 4);
    kb_list_do(&list, &sheet, KB_DO_FIRST);
    kb_list_do(&list, &sheet, KB_DO_NEXT_MATCH); /* of "10" */
    assert_int_equal(kb_list_row(&list), 3);
    kb_list_free(&list);
}

static const char *row_text(const kb_canvas *canvas, int y)
{
    static char text[256];
    kb_canvas_row_text(canvas, y, text, sizeof text);
    return text;
}

static void a_list_scrolls_with_its_cursor_and_drops_columns(void **state)
{
    struct row rows[100];
    char names[100][8];
    kb_list list;
    kb_canvas canvas = {0};
    int at;
    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(names[i], sizeof names[i], "row%02d", i);
        rows[i] = (struct row){names[i], i};
    }
    kb_sheet sheet = sheet_of(rows, 100, 1);
    sheet.key = NULL;
    kb_list_init(&list);
    assert_true(kb_canvas_resize(&canvas, 30, 6));
    kb_list_draw(&list, &sheet, &canvas, kb_rect_of(0, 0, 30, 6), &at);
    assert_string_equal(row_text(&canvas, 0), "name      No. bar  yes");
    assert_int_equal(at, 1);
    for (int i = 0; i < 50; i++)
        kb_list_do(&list, &sheet, KB_DO_DOWN);
    kb_canvas_clear(&canvas);
    kb_list_draw(&list, &sheet, &canvas, kb_rect_of(0, 0, 30, 6), &at);
    assert_int_equal(at, 5);
    assert_non_null(strstr(row_text(&canvas, 5), "row50"));
    assert_int_equal(kb_canvas_at(&canvas, 0, 5)->style.paper, KB_PAPER_SELECTED);
    kb_list_do(&list, &sheet, KB_DO_LAST);
    kb_canvas_clear(&canvas);
    kb_list_draw(&list, &sheet, &canvas, kb_rect_of(0, 0, 16, 6), &at);
    assert_null(strstr(row_text(&canvas, 0), "yes")); /* the larger drop number goes first */
    assert_null(strstr(row_text(&canvas, 0), "bar"));
    assert_non_null(strstr(row_text(&canvas, 5), "row99"));
    assert_false(kb_list_click(&list, &sheet, kb_rect_of(0, 0, 16, 6), 2, 3));
    assert_int_equal(kb_list_row(&list), 97);
    assert_true(kb_list_click(&list, &sheet, kb_rect_of(0, 0, 16, 6), 2, 3)); /* again: open it */
    kb_list_click(&list, &sheet, kb_rect_of(0, 0, 16, 6), 9, 0);
    assert_int_equal(list.sort, 1);
    assert_true(list.descending);
    kb_list_free(&list);
    kb_canvas_free(&canvas);
}

static void any_rectangle_is_drawn_safely(void **state)
{
    kb_list list;
    kb_canvas canvas = {0};
    kb_sheet sheet = sheet_of(fruit, 4, 1);
    int at;
    (void)state;
    kb_list_init(&list);
    assert_true(kb_canvas_resize(&canvas, 12, 8));
    for (int cols = 0; cols <= 12; cols++)
        for (int rows = 0; rows <= 8; rows++)
            kb_list_draw(&list, &sheet, &canvas, kb_rect_of(12 - cols, 8 - rows, cols, rows), &at);
    kb_list_free(&list);
    kb_canvas_free(&canvas);
}

static void a_file_holds_what_is_shown_as_rfc_4180_wants_it(void **state)
{
    static const struct row odd[] = {{"plain", 1.0 / 3},
                                     {"a,b", 1e-7},
                                     {"say \"hi\"", 123456789},
                                     {"two\nlines", NAN},
                                     {" blank", 0}};
    static const size_t order[] = {1, 0, 2, 3, 4};
    char path[] = "/tmp/kb-list-XXXXXX", text[512];
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    kb_sheet sheet = sheet_of(odd, 5, 1);
    assert_int_equal(kb_sheet_write(&sheet, order, 5, path, NULL), KB_OK);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    unlink(path);
    assert_string_equal(
        text,
        "name,number,yes\n\"a,b\",1e-07,1\nplain,0.333333333,0\n\"say \"\"hi\"\"\",123456789,0\n"
        "\"two\nlines\",,1\n\" blank\",0,0\n");
    kb_error err;
    assert_int_equal(kb_sheet_write(&sheet, NULL, 0, "/nonexistent-folder/x.csv", &err), KB_ERR_IO);
    assert_non_null(strstr(err.text, "/nonexistent-folder/x.csv"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_sort_by_number_or_text_with_nothing_last),
        cmocka_unit_test(stepping_through_columns_leaves_out_pictures),
        cmocka_unit_test(the_selected_row_stays_selected),
        cmocka_unit_test(a_filter_looks_into_every_cell_whatever_the_case),
        cmocka_unit_test(a_list_scrolls_with_its_cursor_and_drops_columns),
        cmocka_unit_test(any_rectangle_is_drawn_safely),
        cmocka_unit_test(a_file_holds_what_is_shown_as_rfc_4180_wants_it),
    };
    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
