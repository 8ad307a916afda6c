/* chart: bars, sparklines and line charts with axes, drawn on a canvas. Values that are not finite
 * are left out. */
#ifndef KB_CHART_H
#define KB_CHART_H

#include <stddef.h>

#include "braille.h"
#include "canvas.h"

/* SHARE (0..1) of COLS cells, to an eighth of a cell. */
void kb_chart_bar(kb_canvas *canvas, int x, int y, int cols, double share, kb_style style);

/* COUNT values in COLS cells of one row, each cell the maximum of its part, from 0 to TOP (0: the
 * largest value). Any value above 0 shows. */
void kb_chart_sparkline(kb_canvas *canvas, int x, int y, int cols, const float *values,
                        size_t count, double top, kb_style style);

typedef struct kb_chart_series {
    const char *name; /* in the legend; NULL: none */
    const double *x, *y;
    size_t count;
    uint8_t ink;
    bool points; /* a mark at each value as well as lines between them */
} kb_chart_series;

typedef struct kb_chart {
    const char *title;
    const kb_chart_series *series;
    size_t series_count;
    kb_dots_mode mode;
    bool logarithmic; /* y, where all values are above 0 */
    bool from_zero;   /* the y axis includes 0 */
    bool integers;    /* x holds whole numbers: tick labels without a point */
    double mark;      /* x of a vertical line; NAN: none */
    double cursor;    /* x of a second, dotted line; NAN: none */
} kb_chart;

/* Title and legend in the first row, axes left and below. Small rectangles lose the axes, then the
 * title. */
void kb_chart_draw(kb_canvas *canvas, kb_rect rect, const kb_chart *chart);

/* The step, 1, 2 or 5 times a power of ten, that cuts SPAN (> 0) into at most PIECES (>= 1) pieces.
 */
double kb_chart_step(double span, int pieces);

#endif
