#include "list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "theme.h"

enum { FLEXIBLE_MAX = 120, GRAPHIC_MAX = 100, GAP = 1 };

void kb_list_init(kb_list *list)
{
    *list = (kb_list){.sort = -1, .version = UINT64_MAX, .page = 1};
}

void kb_list_free(kb_list *list)
{
    free(list->order);
    kb_list_init(list);
}

/* --- order -------------------------------------------------------------------------------- */
static bool row_matches(const kb_sheet *sheet, size_t row, const char *text)
{
    char number[64];
    for (size_t c = 0; c < sheet->column_count; c++) {
        if (sheet->columns[c].graphic)
            continue;
        kb_value value = kb_sheet_cell(sheet, row, c);
        if (strcasestr(kb_value_shown(&value, number, sizeof number), text))
            return true;
    }
    return false;
}

struct sort_item {
    kb_value value;
    size_t row;
};

struct sorting {
    const struct sort_item *items;
    int sign;
};

static int compare_items(const void *a, const void *b, void *ctx)
{
    const struct sorting *sorting = ctx;
    const struct sort_item *x = &sorting->items[*(const size_t *)a],
                           *y = &sorting->items[*(const size_t *)b];
    int order = kb_value_compare(&x->value, &y->value);
    /* Rows without a value stay at the end whichever way the others go. */
    if (x->value.kind != KB_VALUE_NONE && y->value.kind != KB_VALUE_NONE)
        order *= sorting->sign;
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* Values are fetched once, not once for each comparison. Without memory the rows stay as they are.
 */
static void sort_rows(kb_list *list, const kb_sheet *sheet)
{
    struct sort_item *items = kb_calloc(list->shown, sizeof *items);
    size_t *positions = kb_calloc(list->shown, sizeof *positions);
    for (size_t i = 0; items && positions && i < list->shown; i++) {
        items[i].row = list->order[i];
        items[i].value = kb_sheet_cell(sheet, list->order[i], (size_t)list->sort);
        positions[i] = i;
    }
    if (items && positions) {
        struct sorting sorting = {items, list->descending ? -1 : 1};
        qsort_r(positions, list->shown, sizeof *positions, compare_items, &sorting);
        for (size_t i = 0; i < list->shown; i++)
            list->order[i] = items[positions[i]].row;
    }
    free(items);
    free(positions);
}

/* What flexible columns would like to have. */
static void measure(kb_list *list, const kb_sheet *sheet)
{
    char number[64];
    for (size_t c = 0; c < sheet->column_count && c < KB_SHEET_COLUMNS_MAX; c++) {
        const kb_sheet_column *column = &sheet->columns[c];
        list->widths[c] = column->graphic && column->flexible ? GRAPHIC_MAX : column->width;
        for (size_t i = 0; column->flexible && !column->graphic && i < list->shown &&
                           list->widths[c] < FLEXIBLE_MAX;
             i++) {
            kb_value value = kb_sheet_cell(sheet, list->order[i], c);
            int cells = kb_text_cells(kb_value_shown(&value, number, sizeof number), false);
            if (cells > list->widths[c])
                list->widths[c] = cells < FLEXIBLE_MAX ? cells : FLEXIBLE_MAX;
        }
    }
}

static void collect_rows(kb_list *list, const kb_sheet *sheet)
{
    list->shown = 0;
    if (!kb_grow((void **)&list->order, &list->capacity, sheet->row_count + 1, sizeof *list->order))
        return;
    for (size_t row = 0; row < sheet->row_count; row++)
        if (!list->filter[0] || row_matches(sheet, row, list->filter))
            list->order[list->shown++] = row;
}

void kb_list_sync(kb_list *list, const kb_sheet *sheet)
{
    if (list->version == sheet->version && !list->stale)
        return;
    if (list->sort >= (int)sheet->column_count)
        list->sort = -1;
    collect_rows(list, sheet);
    if (list->sort >= 0)
        sort_rows(list, sheet);
    measure(list, sheet);
    list->version = sheet->version;
    list->stale = false;
    if (!list->moved || !kb_list_select_key(list, sheet, list->key))
        kb_list_select(list, sheet, list->moved ? list->cursor : 0);
}

/* --- selection ---------------------------------------------------------------------------- */
size_t kb_list_row(const kb_list *list)
{
    return list->cursor < list->shown ? list->order[list->cursor] : SIZE_MAX;
}

void kb_list_select(kb_list *list, const kb_sheet *sheet, size_t position)
{
    if (position >= list->shown)
        position = list->shown ? list->shown - 1 : 0;
    list->cursor = position;
    if (list->shown)
        list->key = kb_sheet_key(sheet, list->order[position]);
}

bool kb_list_select_key(kb_list *list, const kb_sheet *sheet, uint64_t key)
{
    for (size_t i = 0; i < list->shown; i++)
        if (kb_sheet_key(sheet, list->order[i]) == key) {
            kb_list_select(list, sheet, i);
            return true;
        }
    return false;
}

void kb_list_sort_by(kb_list *list, int column, bool descending)
{
    list->sort = column;
    list->descending = descending;
    list->stale = true;
}

void kb_list_set_filter(kb_list *list, const char *text)
{
    snprintf(list->filter, sizeof list->filter, "%s", text);
    if (text[0])
        snprintf(list->search, sizeof list->search, "%s", text);
    list->stale = true;
}

static void move_by(kb_list *list, const kb_sheet *sheet, long by)
{
    long to = (long)list->cursor + by, last = (long)list->shown - 1;
    kb_list_select(list, sheet, (size_t)(to < 0 ? 0 : to > last ? (last < 0 ? 0 : last) : to));
    list->moved = true;
}

/* To the next (STEP 1) or previous (-1) row with the last filter's text, around the end. */
static void find_match(kb_list *list, const kb_sheet *sheet, long step)
{
    long count = (long)list->shown;
    if (!list->search[0])
        return;
    for (long i = 1; i <= count; i++) {
        size_t at = (size_t)((((long)list->cursor + step * i) % count + count) % count);
        if (row_matches(sheet, list->order[at], list->search)) {
            kb_list_select(list, sheet, at);
            list->moved = true;
            return;
        }
    }
}

/* Numbers are most often wanted largest first, names from A on. */
static bool descends_at_first(const kb_list *list, const kb_sheet *sheet, int column)
{
    for (size_t i = 0; i < list->shown; i++) {
        kb_value value = kb_sheet_cell(sheet, list->order[i], (size_t)column);
        if (value.kind != KB_VALUE_NONE)
            return value.kind != KB_VALUE_TEXT;
    }
    return false;
}

static void sort_step(kb_list *list, const kb_sheet *sheet, int step)
{
    int columns = (int)sheet->column_count, column = list->sort;
    for (int tries = 0; tries <= columns; tries++) {
        column += step;
        column = column >= columns ? -1 : column < -1 ? columns - 1 : column;
        if (column == -1 || !sheet->columns[column].graphic)
            break;
    }
    kb_list_sort_by(list, column, column >= 0 && descends_at_first(list, sheet, column));
}

bool kb_list_do(kb_list *list, const kb_sheet *sheet, kb_do command)
{
    long page = list->page > 1 ? list->page - 1 : 1;
    switch (command) {
    case KB_DO_UP:
        move_by(list, sheet, -1);
        return true;
    case KB_DO_DOWN:
        move_by(list, sheet, 1);
        return true;
    case KB_DO_PAGE_UP:
        move_by(list, sheet, -page);
        return true;
    case KB_DO_PAGE_DOWN:
        move_by(list, sheet, page);
        return true;
    case KB_DO_FIRST:
        move_by(list, sheet, -(long)list->cursor);
        return true;
    case KB_DO_LAST:
        move_by(list, sheet, (long)list->shown);
        return true;
    case KB_DO_NEXT_MATCH:
        find_match(list, sheet, 1);
        return true;
    case KB_DO_PREVIOUS_MATCH:
        find_match(list, sheet, -1);
        return true;
    case KB_DO_SORT_NEXT:
        sort_step(list, sheet, 1);
        return true;
    case KB_DO_SORT_PREVIOUS:
        sort_step(list, sheet, -1);
        return true;
    case KB_DO_SORT_REVERSE:
        kb_list_sort_by(list, list->sort < 0 ? 0 : list->sort, !list->descending);
        return true;
    default:
        return false;
    }
}

/* --- drawing ------------------------------------------------------------------------------ */
struct layout {
    int x[KB_SHEET_COLUMNS_MAX], width[KB_SHEET_COLUMNS_MAX]; /* width 0: not shown */
    size_t count;
};

static int total_width(const struct layout *layout)
{
    int total = 0;
    for (size_t c = 0; c < layout->count; c++)
        total += layout->width[c] ? layout->width[c] + GAP : 0;
    return total - GAP;
}

/* The column to be given up first: the largest drop number, the last of equals. -1: none may go. */
static int first_to_go(const struct layout *layout, const kb_sheet *sheet)
{
    int worst = -1;
    for (size_t c = 0; c < layout->count; c++)
        if (layout->width[c] && sheet->columns[c].drop &&
            (worst < 0 || sheet->columns[c].drop >= sheet->columns[worst].drop))
            worst = (int)c;
    return worst;
}

/* What may not go gives way: flexible columns, the widest first. */
static void shrink(struct layout *layout, const kb_sheet *sheet, int cols)
{
    enum { LEAST = 6 };
    for (int over = total_width(layout) - cols; over > 0; over--) {
        int widest = -1;
        for (size_t c = 0; c < layout->count; c++)
            if (sheet->columns[c].flexible && layout->width[c] > LEAST &&
                (widest < 0 || layout->width[c] > layout->width[widest]))
                widest = (int)c;
        if (widest < 0)
            return;
        layout->width[widest]--;
    }
}

static void give_room(struct layout *layout, const kb_list *list, const kb_sheet *sheet, int cols)
{
    bool given = true;
    for (int room = cols - total_width(layout); room > 0 && given;) {
        given = false;
        for (size_t c = 0; c < layout->count && room > 0; c++)
            if (layout->width[c] && sheet->columns[c].flexible &&
                layout->width[c] < list->widths[c]) {
                layout->width[c]++;
                room--;
                given = true;
            }
    }
}

/* The sign of the sorted column must not cost it its heading. */
static int needed_width(const kb_list *list, const kb_sheet *sheet, size_t c)
{
    const kb_sheet_column *column = &sheet->columns[c];
    int heading = (int)strlen(column->title ? column->title : column->name) + 1;
    return list->sort == (int)c && heading > column->width ? heading : column->width;
}

static void lay_out(struct layout *layout, const kb_list *list, const kb_sheet *sheet, int cols)
{
    layout->count =
        sheet->column_count < KB_SHEET_COLUMNS_MAX ? sheet->column_count : KB_SHEET_COLUMNS_MAX;
    for (size_t c = 0; c < layout->count; c++)
        layout->width[c] = needed_width(list, sheet, c);
    while (total_width(layout) > cols) {
        int worst = first_to_go(layout, sheet);
        if (worst < 0)
            break;
        layout->width[worst] = 0;
    }
    shrink(layout, sheet, cols);
    give_room(layout, list, sheet, cols);
    int x = 0;
    for (size_t c = 0; c < layout->count; c++) {
        layout->x[c] = x;
        x += layout->width[c] ? layout->width[c] + GAP : 0;
    }
}

static bool is_right(const kb_value *value)
{
    return value->kind != KB_VALUE_TEXT && value->kind != KB_VALUE_NONE &&
           value->kind != KB_VALUE_FLAG;
}

/* Headings stand over their column's values: right over numbers. */
static void draw_heading(const kb_list *list, const kb_sheet *sheet, const struct layout *layout,
                         kb_canvas *canvas, kb_rect rect)
{
    char text[64];
    for (size_t c = 0; c < layout->count; c++) {
        const kb_sheet_column *column = &sheet->columns[c];
        bool sorted = list->sort == (int)c;
        if (!layout->width[c])
            continue;
        snprintf(text, sizeof text, "%s%s", sorted ? list->descending ? "▼" : "▲" : "",
                 column->title ? column->title : column->name);
        kb_value value = {0};
        if (list->shown && !column->graphic)
            value = kb_sheet_cell(sheet, list->order[0], c);
        kb_style style = sorted ? kb_bold_style(KB_INK_ACCENT) : kb_bold_style(KB_INK_TITLE);
        if (is_right(&value))
            kb_canvas_text_right(canvas, rect.x + layout->x[c], rect.y, layout->width[c], style,
                                 text);
        else
            kb_canvas_text(canvas, rect.x + layout->x[c], rect.y, layout->width[c], style, text);
    }
}

static void draw_row(const kb_sheet *sheet, const struct layout *layout, size_t row,
                     kb_canvas *canvas, int x, int y)
{
    char number[64];
    for (size_t c = 0; c < layout->count; c++) {
        kb_rect at = kb_rect_of(x + layout->x[c], y, layout->width[c], 1);
        if (!at.cols)
            continue;
        if (sheet->columns[c].graphic) {
            if (sheet->paint)
                sheet->paint(sheet->ctx, row, c, canvas, at);
            continue;
        }
        kb_value value = kb_sheet_cell(sheet, row, c);
        const char *text = kb_value_shown(&value, number, sizeof number);
        if (is_right(&value))
            kb_canvas_text_right(canvas, at.x, y, at.cols, kb_ink_style(value.ink), text);
        else
            kb_canvas_text(canvas, at.x, y, at.cols, kb_ink_style(value.ink), text);
    }
}

static void draw_scrollbar(const kb_list *list, kb_canvas *canvas, kb_rect rows)
{
    if (list->shown <= (size_t)rows.rows || rows.rows < 3)
        return;
    size_t span = list->shown - (size_t)rows.rows;
    int thumb = rows.rows * rows.rows / (int)list->shown;
    thumb = thumb < 1 ? 1 : thumb;
    int at = (int)(list->top * (size_t)(rows.rows - thumb) / span);
    kb_canvas_fill(canvas, kb_rect_of(rows.x + rows.cols - 1, rows.y, 1, rows.rows), U'│',
                   kb_ink_style(KB_INK_DIM));
    kb_canvas_fill(canvas, kb_rect_of(rows.x + rows.cols - 1, rows.y + at, 1, thumb), U'█',
                   kb_ink_style(KB_INK_DIM));
}

/* Scrolls so that the cursor is in sight. */
static void follow_cursor(kb_list *list, int rows)
{
    size_t page = rows > 0 ? (size_t)rows : 1;
    list->page = (int)page;
    if (list->cursor < list->top)
        list->top = list->cursor;
    if (list->cursor >= list->top + page)
        list->top = list->cursor - page + 1;
    if (list->top + page > list->shown)
        list->top = list->shown > page ? list->shown - page : 0;
}

static int heading_rows(kb_rect rect)
{
    return rect.rows > 2 ? 1 : 0;
}

void kb_list_draw(kb_list *list, const kb_sheet *sheet, kb_canvas *canvas, kb_rect rect,
                  int *cursor_row)
{
    struct layout layout;
    kb_rect old = kb_canvas_clip(canvas, rect);
    int heading = heading_rows(rect);
    kb_rect rows = kb_rect_of(rect.x, rect.y + heading, rect.cols, rect.rows - heading);
    kb_list_sync(list, sheet);
    lay_out(&layout, list, sheet, rect.cols - 2);
    follow_cursor(list, rows.rows);
    *cursor_row = -1;
    if (heading)
        draw_heading(list, sheet, &layout, canvas, rect);
    for (int i = 0; i < rows.rows && list->top + (size_t)i < list->shown; i++) {
        size_t position = list->top + (size_t)i;
        draw_row(sheet, &layout, list->order[position], canvas, rows.x, rows.y + i);
        if (position != list->cursor)
            continue;
        *cursor_row = rows.y + i;
        kb_canvas_tint(canvas, kb_rect_of(rows.x, rows.y + i, rows.cols - 1, 1),
                       (kb_style){.ink = KB_INK_SELECTED, .paper = KB_PAPER_SELECTED});
    }
    if (!list->shown)
        kb_canvas_text(canvas, rows.x, rows.y, rows.cols, kb_ink_style(KB_INK_DIM),
                       list->filter[0] ? "no row matches the filter" : "nothing here");
    draw_scrollbar(list, canvas, rows);
    canvas->clip = old;
}

static void click_heading(kb_list *list, const kb_sheet *sheet, kb_rect rect, int x)
{
    struct layout layout;
    lay_out(&layout, list, sheet, rect.cols - 2);
    for (size_t c = 0; c < layout.count; c++) {
        int left = rect.x + layout.x[c];
        if (sheet->columns[c].graphic || x < left || x >= left + layout.width[c])
            continue;
        bool again = list->sort == (int)c;
        kb_list_sort_by(list, (int)c,
                        again ? !list->descending : descends_at_first(list, sheet, (int)c));
    }
}

bool kb_list_click(kb_list *list, const kb_sheet *sheet, kb_rect rect, int x, int y)
{
    int heading = heading_rows(rect);
    if (heading && y == rect.y) {
        click_heading(list, sheet, rect, x);
        return false;
    }
    int row = y - rect.y - heading;
    if (row < 0 || row >= list->page || list->top + (size_t)row >= list->shown)
        return false;
    size_t position = list->top + (size_t)row;
    bool again = list->moved && position == list->cursor;
    kb_list_select(list, sheet, position);
    list->moved = true;
    return again;
}
