/* table_layout: which columns of a table a terminal has room for, and how wide they are. Numbers
 * and a grid of cells only; output.c writes. */
#ifndef KB_CLI_TABLE_LAYOUT_H
#define KB_CLI_TABLE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

enum { TABLE_GAP = 2 }; /* blank cells between columns */

typedef struct table_column {
    size_t natural; /* cells of the widest of its cells and its name */
    size_t least;   /* cells it keeps where others would have to go instead: NATURAL for numbers */
    size_t floor;   /* cells it keeps in any case, at most LEAST */
    unsigned drop;  /* columns with larger numbers go first; 0 is always there */
    bool shown;     /* the result */
    size_t width;   /* likewise: cells, 0 where it is not shown */
} table_column;

/* The cells of a line in which every column has its natural width. */
size_t table_natural(const table_column *columns, size_t count);

/* Sets SHOWN and WIDTH. Columns get a place by rising DROP (of the same from left to right) where
 * at their least width they still fit into LIMIT cells (0: no limit). Those of DROP 0 are shown
 * even where they do not, down to their floors. What room is left goes to those that are narrower
 * than their nature, the narrowest first. */
void table_lay_out(table_column *columns, size_t count, size_t limit);

#endif
