/* list: a sheet on the screen: which rows, in which order, from where on, and which one is
 * selected.
 *
 * The order is worked out once when the sheet, the sort or the filter changes; drawing touches the
 * visible rows only. */
#ifndef KB_LIST_H
#define KB_LIST_H

#include "keys.h"
#include "sheet.h"

enum { KB_FILTER_MAX = 128, KB_SHEET_COLUMNS_MAX = 80 };

typedef struct kb_list {
    size_t *order; /* rows of the sheet as shown */
    size_t shown, capacity;
    size_t cursor, top; /* positions in order */
    int page;           /* rows that the last drawing had room for */
    uint64_t key;       /* of the selected row */
    int sort;           /* column, or -1: as the sheet has them */
    bool descending;
    char filter[KB_FILTER_MAX]; /* rows with this text in any cell, whatever its case; "" all */
    char search[KB_FILTER_MAX]; /* the last filter, for next and previous */
    int widths[KB_SHEET_COLUMNS_MAX]; /* what flexible columns need */
    uint64_t version; /* of the sheet that order was made from; UINT64_MAX: none yet */
    bool stale;
    bool moved; /* the user has chosen a row: it is kept when the order changes; before that the
                   first row is */
} kb_list;

void kb_list_init(kb_list *list);
void kb_list_free(kb_list *list);
/* Brings the order up to date; keeps the selected row selected if it is still there. Without memory
 * nothing is shown. */
void kb_list_sync(kb_list *list, const kb_sheet *sheet);
/* The row of the sheet under the cursor, or SIZE_MAX. */
size_t kb_list_row(const kb_list *list);
void kb_list_select(kb_list *list, const kb_sheet *sheet, size_t position);
/* Moves the cursor to the row known by KEY; false when it is not shown. */
bool kb_list_select_key(kb_list *list, const kb_sheet *sheet, uint64_t key);
void kb_list_sort_by(kb_list *list, int column, bool descending);
void kb_list_set_filter(kb_list *list, const char *text);
/* Does what COMMAND means for any list; false when it means nothing. */
bool kb_list_do(kb_list *list, const kb_sheet *sheet, kb_do command);
/* Draws the heading and rows into RECT. *CURSOR_ROW: the screen row of the selection, or -1. */
void kb_list_draw(kb_list *list, const kb_sheet *sheet, kb_canvas *canvas, kb_rect rect,
                  int *cursor_row);
/* A click at X, Y of the RECT last drawn into: selects a row or sorts by a heading. True when it
 * hit the row that was selected already. */
bool kb_list_click(kb_list *list, const kb_sheet *sheet, kb_rect rect, int x, int y);

#endif
