#include "chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "theme.h"

void kb_chart_bar(kb_canvas *canvas, int x, int y, int cols, double share, kb_style style)
{
    if (!(share > 0) || cols <= 0)
        return;
    int eighths = (int)lround(fmin(share, 1) * cols * 8);
    if (eighths == 0)
        eighths = 1;
    for (int i = 0; i < eighths / 8; i++)
        kb_canvas_put(canvas, x + i, y, U'█', style);
    if (eighths % 8)
        kb_canvas_put(canvas, x + eighths / 8, y, (char32_t)(0x2590 - eighths % 8), style);
}

static double part_maximum(const float *values, size_t from, size_t to)
{
    double most = 0;
    for (size_t i = from; i < to; i++)
        most = values[i] > most ? (double)values[i] : most;
    return most;
}

void kb_chart_sparkline(kb_canvas *canvas, int x, int y, int cols, const float *values,
                        size_t count, double top, kb_style style)
{
    if (!(top > 0))
        top = part_maximum(values, 0, count);
    if (cols <= 0 || count == 0 || !(top > 0))
        return;
    size_t cells = count < (size_t)cols ? count : (size_t)cols;
    for (size_t i = 0; i < cells; i++) {
        double most = part_maximum(values, i * count / cells, (i + 1) * count / cells);
        /* Seven of eight levels: a full one would grow together with the row above. */
        int level = (int)lround(fmin(most / top, 1) * 7);
        if (most > 0)
            kb_canvas_put(canvas, x + (int)i, y, (char32_t)(0x2580 + (level < 1 ? 1 : level)),
                          style);
    }
}

double kb_chart_step(double span, int pieces)
{
    double rough = span / pieces, power = pow(10, floor(log10(rough)));
    static const double steps[] = {1, 2, 5};
    for (int i = 0; i < 3; i++)
        if (power * steps[i] >= rough * (1 - 1e-9))
            return power * steps[i];
    return power * 10;
}

/* --- line charts -------------------------------------------------------------------------- */
struct frame {
    kb_rect plot;
    double x0, x1, y0, y1; /* in the units of the axis: logarithms where it is logarithmic */
    bool logarithmic;
};

static bool usable(const struct frame *frame, double x, double y)
{
    return isfinite(x) && isfinite(y) && (!frame->logarithmic || y > 0);
}

static double on_axis(const struct frame *frame, double y)
{
    return frame->logarithmic ? log10(y) : y;
}

/* The range of all values; false when there is none. */
static bool find_range(struct frame *frame, const kb_chart *chart)
{
    bool any = false;
    for (size_t s = 0; s < chart->series_count; s++) {
        const kb_chart_series *series = &chart->series[s];
        for (size_t i = 0; i < series->count; i++) {
            if (!usable(frame, series->x[i], series->y[i]))
                continue;
            double x = series->x[i], y = on_axis(frame, series->y[i]);
            frame->x0 = any ? fmin(frame->x0, x) : x;
            frame->x1 = any ? fmax(frame->x1, x) : x;
            frame->y0 = any ? fmin(frame->y0, y) : y;
            frame->y1 = any ? fmax(frame->y1, y) : y;
            any = true;
        }
    }
    if (chart->from_zero && !frame->logarithmic)
        frame->y0 = fmin(frame->y0, 0);
    return any;
}

/* A range without width is opened, so that a constant runs through the middle. */
static void open_range(double *low, double *high)
{
    if (*high - *low > 1e-12 * fmax(fabs(*low), fabs(*high)))
        return;
    double half = *low == 0 ? 0.5 : fabs(*low) * 0.1;
    *low -= half;
    *high += half;
}

static double share_of(double value, double low, double high)
{
    return (value - low) / (high - low);
}

static int row_of(const struct frame *frame, double y)
{
    return frame->plot.y +
           (int)lround((1 - share_of(y, frame->y0, frame->y1)) * (frame->plot.rows - 1));
}

static int column_of(const struct frame *frame, double x)
{
    return frame->plot.x + (int)lround(share_of(x, frame->x0, frame->x1) * (frame->plot.cols - 1));
}

static void draw_vertical(kb_canvas *canvas, const struct frame *frame, double x, char32_t glyph,
                          kb_style style)
{
    if (!isfinite(x) || x < frame->x0 || x > frame->x1)
        return;
    kb_canvas_fill(canvas, kb_rect_of(column_of(frame, x), frame->plot.y, 1, frame->plot.rows),
                   glyph, style);
}

static void plot_point(kb_dots *dots, int x, int y, uint8_t ink)
{
    /* One dot of ASCII is half a cell already. */
    if (dots->mode == KB_DOTS_ASCII)
        return;
    static const int8_t around[][2] = {{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}};
    for (size_t i = 0; i < sizeof around / sizeof *around; i++)
        kb_dots_set(dots, x + around[i][0], y + around[i][1], ink);
}

static void plot_series(kb_dots *dots, const struct frame *frame, const kb_chart_series *series)
{
    bool open = false;
    int last_x = 0, last_y = 0;
    for (size_t i = 0; i < series->count; i++) {
        if (!usable(frame, series->x[i], series->y[i])) {
            open = false;
            continue;
        }
        double right = share_of(series->x[i], frame->x0, frame->x1);
        double up = share_of(on_axis(frame, series->y[i]), frame->y0, frame->y1);
        int x = (int)lround(right * (dots->width - 1)),
            y = (int)lround((1 - up) * (dots->height - 1));
        if (open)
            kb_dots_line(dots, last_x, last_y, x, y, series->ink);
        else
            kb_dots_set(dots, x, y, series->ink);
        if (series->points)
            plot_point(dots, x, y, series->ink);
        last_x = x;
        last_y = y;
        open = true;
    }
}

/* The value at the marked x stands out. */
static void draw_marked(kb_canvas *canvas, const struct frame *frame, const kb_chart *chart)
{
    for (size_t s = 0; s < chart->series_count; s++)
        for (size_t i = 0; i < chart->series[s].count; i++) {
            double x = chart->series[s].x[i], y = chart->series[s].y[i];
            if (x == chart->mark && usable(frame, x, y))
                kb_canvas_put(canvas, column_of(frame, x), row_of(frame, on_axis(frame, y)), U'●',
                              kb_bold_style(KB_INK_GOOD));
        }
}

static void draw_series(kb_canvas *canvas, const struct frame *frame, const kb_chart *chart)
{
    kb_dots dots;
    if (!kb_dots_create(&dots, chart->mode, frame->plot.cols, frame->plot.rows))
        return;
    for (size_t s = chart->series_count; s > 0; s--)
        plot_series(&dots, frame, &chart->series[s - 1]);
    kb_dots_draw(&dots, canvas, frame->plot.x, frame->plot.y);
    kb_dots_free(&dots);
    draw_marked(canvas, frame, chart);
}

/* At most seven characters for what is usual. */
static void axis_text(double value, char *text, size_t size)
{
    snprintf(text, size, fabs(value) >= 1000 && fabs(value) < 1e7 ? "%.0f" : "%.3g", value);
}

static void draw_y_labels(kb_canvas *canvas, const struct frame *frame, int x, int cols)
{
    char text[32];
    int labels = frame->plot.rows >= 9 ? 4 : frame->plot.rows >= 4 ? 2 : 1;
    for (int i = 0; i <= labels; i++) {
        double y = frame->y0 + (frame->y1 - frame->y0) * i / labels;
        axis_text(frame->logarithmic ? pow(10, y) : y, text, sizeof text);
        kb_canvas_text_right(canvas, x, row_of(frame, y), cols, kb_ink_style(KB_INK_DIM), text);
    }
}

static void draw_x_labels(kb_canvas *canvas, const struct frame *frame, bool integers)
{
    char text[32];
    int y = frame->plot.y + frame->plot.rows, room = frame->plot.cols / 6;
    double step = kb_chart_step(frame->x1 - frame->x0, room < 1 ? 1 : room);
    if (integers && step < 1)
        step = 1;
    int free_from = frame->plot.x;
    for (double x = ceil(frame->x0 / step - 1e-9) * step; x <= frame->x1 + step * 1e-9; x += step) {
        int length = snprintf(text, sizeof text, "%.6g", fabs(x) < step * 1e-6 ? 0 : x);
        int at = column_of(frame, x), left = at - length / 2;
        kb_canvas_put(canvas, at, y, U'┴', kb_ink_style(KB_INK_DIM));
        if (left + length > frame->plot.x + frame->plot.cols)
            left = frame->plot.x + frame->plot.cols - length;
        if (left < free_from)
            continue;
        kb_canvas_text(canvas, left, y + 1, length, kb_ink_style(KB_INK_DIM), text);
        free_from = left + length + 1;
    }
}

static void draw_axes(kb_canvas *canvas, const struct frame *frame, int label_cols, bool integers)
{
    kb_rect plot = frame->plot;
    kb_style dim = kb_ink_style(KB_INK_DIM);
    kb_canvas_fill(canvas, kb_rect_of(plot.x - 1, plot.y, 1, plot.rows), U'│', dim);
    kb_canvas_fill(canvas, kb_rect_of(plot.x, plot.y + plot.rows, plot.cols, 1), U'─', dim);
    kb_canvas_put(canvas, plot.x - 1, plot.y + plot.rows, U'└', dim);
    draw_y_labels(canvas, frame, plot.x - 1 - label_cols, label_cols);
    draw_x_labels(canvas, frame, integers);
}

static void draw_heading(kb_canvas *canvas, kb_rect rect, const kb_chart *chart)
{
    int used = 0;
    if (chart->title)
        used = kb_canvas_text(canvas, rect.x, rect.y, rect.cols, kb_bold_style(KB_INK_TITLE),
                              chart->title);
    for (size_t s = 0; s < chart->series_count; s++) {
        const char *name = chart->series[s].name;
        if (!name || used + (int)strlen(name) + 5 > rect.cols)
            continue;
        kb_style style = kb_ink_style(chart->series[s].ink);
        kb_canvas_text(canvas, rect.x + used + 2, rect.y, 2, style, "──");
        kb_canvas_text(canvas, rect.x + used + 5, rect.y, rect.cols - used - 5, style, name);
        used += 5 + (int)strlen(name);
    }
}

void kb_chart_draw(kb_canvas *canvas, kb_rect rect, const kb_chart *chart)
{
    enum { LABEL_COLS = 8 };
    struct frame frame = {.plot = rect, .logarithmic = chart->logarithmic};
    kb_rect old = kb_canvas_clip(canvas, rect);
    if (rect.rows >= 3) {
        draw_heading(canvas, rect, chart);
        frame.plot.y++;
        frame.plot.rows--;
    }
    bool axes = rect.cols >= 24 && rect.rows >= 6;
    if (axes) {
        frame.plot.x += LABEL_COLS + 1;
        frame.plot.cols -= LABEL_COLS + 2;
        frame.plot.rows -= 2;
    }
    if (find_range(&frame, chart)) {
        open_range(&frame.x0, &frame.x1);
        open_range(&frame.y0, &frame.y1);
        draw_vertical(canvas, &frame, chart->mark, U'│', kb_ink_style(KB_INK_GOOD));
        draw_vertical(canvas, &frame, chart->cursor, U'┊', kb_ink_style(KB_INK_ACCENT));
        draw_series(canvas, &frame, chart);
        if (axes)
            draw_axes(canvas, &frame, LABEL_COLS, chart->integers);
    } else {
        kb_canvas_text(canvas, frame.plot.x, frame.plot.y, frame.plot.cols,
                       kb_ink_style(KB_INK_DIM), "no values");
    }
    canvas->clip = old;
}
