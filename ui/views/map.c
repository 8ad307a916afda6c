/* map: the sessions in the plane (t-SNE), a dot each in the colour of its cluster, under a
 * crosshair.
 *
 * Each drawing bins the sessions into the cells of the screen once; the answer to "what is in this
 * cell" comes from the same bins. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "parts.h"
#include "theme.h"

enum column { SESSION, X, Y, CLUSTER, SPLIT, EMERGING, COLUMNS };

static const kb_sheet_column columns[COLUMNS] = {
    [SESSION] = {.name = "session", .width = 12, .flexible = true},
    [X] = {.name = "x", .width = 10},
    [Y] = {.name = "y", .width = 10},
    [CLUSTER] = {.name = "cluster", .width = 7},
    [SPLIT] = {.name = "split", .width = 10, .drop = 1},
    [EMERGING] = {.name = "emerging", .width = 8, .drop = 2},
};

/* What lies in a cell of the screen. */
struct bin {
    uint32_t count, emerging;
    bool overlay_emerging, overlay_later;
    uint32_t
        candidate; /* the cluster of most of the points, if any has most (Boyer and Moore 1981) */
    int32_t lead;
};

struct label {
    uint32_t cluster;
    double x, y;
};

struct state {
    bool moved;           /* the user has chosen the window; before that it is the whole extent */
    double x, y, per_dot; /* centre of the window and units to a dot */
    kb_rect plot;         /* where the plot was drawn last */
    int cross_x, cross_y; /* cell of the crosshair within the plot; -1: not placed yet */
    bool show_emerging, show_later;
    struct bin *bins;
    size_t bin_capacity;
    size_t nearest; /* session nearest to the crosshair; SIZE_MAX: none */
    struct label *labels;
    size_t label_count;
    uint64_t labelled; /* version of map and findings that the labels are of */
};

/* --- the table ---------------------------------------------------------------------------- */
static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const kb_data *data = pane->ui->data;
    const kb_session *session = kb_corpus_session(data->corpus, row);
    const kb_assignment *assigned = kb_data_assigned(data, row);
    if (column == SESSION)
        kb_value_text(value, session->name);
    else if (column == SPLIT)
        kb_value_text(value, kb_split_name(session->split));
    else if (column == X || column == Y)
        kb_value_number(value, KB_VALUE_REAL, (double)data->map->layout[2 * row + (column == Y)]);
    else if (assigned && column == EMERGING)
        kb_value_number(value, KB_VALUE_FLAG, assigned->emerging);
    else if (assigned)
        kb_value_number(value, KB_VALUE_COUNT, assigned->cluster);
    if (column == CLUSTER && assigned)
        value->ink = kb_theme_cluster(assigned->cluster);
}

static uint64_t version_of(const kb_data *data)
{
    return kb_version_of(data->map->serial, kb_data_serial(data));
}

static void refresh(kb_pane *pane)
{
    const kb_data *data = pane->ui->data;
    if (kb_data_wait_map(data, pane->wait, sizeof pane->wait))
        return;
    size_t sessions = kb_corpus_sessions(data->corpus);
    pane->sheet =
        (kb_sheet){.columns = columns,
                   .column_count = COLUMNS,
                   .row_count = data->map->sessions < sessions ? data->map->sessions : sessions,
                   .cell = cell,
                   .ctx = pane,
                   .version = version_of(data)};
}

static void title(kb_pane *pane, char *text, size_t size)
{
    const kb_map *map = pane->ui->data->map;
    if (map && map->iteration < map->iterations)
        snprintf(text, size, "Map (iteration %zu of %zu)", map->iteration, map->iterations);
    else
        snprintf(text, size, "Map");
}

/* --- geometry ----------------------------------------------------------------------------- */
/* The place of a session; false for one without. */
static bool place(const kb_data *data, size_t session, double *x, double *y)
{
    *x = (double)data->map->layout[2 * session];
    *y = (double)data->map->layout[2 * session + 1];
    return isfinite(*x) && isfinite(*y);
}

/* Dots as if every cell had 2 x 4, which are near to square on a screen. */
enum { DOTS_ACROSS = 2, DOTS_DOWN = 4 };

static void fit(struct state *state, const kb_data *data, size_t sessions, kb_rect plot)
{
    double x, y, x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
    for (size_t s = 0; s < sessions; s++) {
        if (!place(data, s, &x, &y))
            continue;
        x0 = fmin(x0, x);
        x1 = fmax(x1, x);
        y0 = fmin(y0, y);
        y1 = fmax(y1, y);
    }
    if (!(x0 <= x1))
        x0 = x1 = y0 = y1 = 0;
    state->x = (x0 + x1) / 2;
    state->y = (y0 + y1) / 2;
    double across = (x1 - x0) / (plot.cols * DOTS_ACROSS - 2 > 0 ? plot.cols * DOTS_ACROSS - 2 : 1);
    double down = (y1 - y0) / (plot.rows * DOTS_DOWN - 2 > 0 ? plot.rows * DOTS_DOWN - 2 : 1);
    state->per_dot = fmax(across, down);
    if (!(state->per_dot > 0))
        state->per_dot = 1;
}

/* In dots from the plot's top left; y grows downwards on the screen. */
static void to_dots(const struct state *state, double x, double y, double *across, double *down)
{
    *across = (x - state->x) / state->per_dot + state->plot.cols * DOTS_ACROSS / 2.0;
    *down = (state->y - y) / state->per_dot + state->plot.rows * DOTS_DOWN / 2.0;
}

static bool in_plot(const struct state *state, double across, double down)
{
    return across >= 0 && down >= 0 && across < state->plot.cols * DOTS_ACROSS &&
           down < state->plot.rows * DOTS_DOWN;
}

static double distance_to_cross(const struct state *state, double across, double down)
{
    return hypot(across - (state->cross_x + 0.5) * DOTS_ACROSS,
                 down - (state->cross_y + 0.5) * DOTS_DOWN);
}

/* --- drawing ------------------------------------------------------------------------------ */
static struct bin *bin_at(const struct state *state, int col, int row)
{
    return &state->bins[(size_t)row * (size_t)state->plot.cols + (size_t)col];
}

static bool make_bins(struct state *state)
{
    size_t count = (size_t)state->plot.cols * (size_t)state->plot.rows;
    if (!kb_grow((void **)&state->bins, &state->bin_capacity, count, sizeof *state->bins))
        return false;
    memset(state->bins, 0, count * sizeof *state->bins);
    return true;
}

static void add_to_bin(const struct state *state, const kb_data *data, struct bin *bin,
                       size_t session)
{
    const kb_assignment *assigned = kb_data_assigned(data, session);
    kb_split split = kb_corpus_session(data->corpus, session)->split;
    uint32_t cluster = assigned ? assigned->cluster : 0;
    bin->count++;
    bin->emerging += assigned && assigned->emerging;
    bin->overlay_emerging |= state->show_emerging && split == KB_SPLIT_EMERGING;
    bin->overlay_later |= state->show_later && split == KB_SPLIT_LATER;
    if (bin->lead == 0)
        bin->candidate = cluster;
    bin->lead += bin->candidate == cluster ? 1 : -1;
}

/* One pass: bins, dots and the session nearest to the crosshair. */
static void bin_sessions(kb_pane *pane, kb_dots *dots)
{
    struct state *state = pane->state;
    const kb_data *data = pane->ui->data;
    double least = INFINITY;
    state->nearest = SIZE_MAX;
    for (size_t i = 0; i < pane->list.shown; i++) {
        double x, y, across, down;
        size_t session = pane->list.order[i];
        if (!place(data, session, &x, &y))
            continue;
        to_dots(state, x, y, &across, &down);
        if (!in_plot(state, across, down))
            continue;
        add_to_bin(state, data, bin_at(state, (int)across / DOTS_ACROSS, (int)down / DOTS_DOWN),
                   session);
        kb_dots_set(dots, (int)across * kb_dots_across(dots->mode) / DOTS_ACROSS,
                    (int)down * kb_dots_down(dots->mode) / DOTS_DOWN,
                    kb_theme_cluster(kb_data_cluster_of(data, session)));
        if (distance_to_cross(state, across, down) < least) {
            least = distance_to_cross(state, across, down);
            state->nearest = session;
        }
    }
}

/* Without dots to tell clusters apart by place and colour, a cell shows its cluster's sign. */
static void draw_signs(const struct state *state, kb_canvas *canvas)
{
    for (int row = 0; row < state->plot.rows; row++)
        for (int col = 0; col < state->plot.cols; col++) {
            const struct bin *bin = bin_at(state, col, row);
            if (bin->count)
                kb_canvas_put(canvas, state->plot.x + col, state->plot.y + row,
                              (char32_t)kb_theme_glyph(bin->candidate),
                              kb_ink_style(kb_theme_cluster(bin->candidate)));
        }
}

/* Cells where most points are flagged as emerging, and those of the splits laid over. */
static void draw_marks(const struct state *state, kb_canvas *canvas)
{
    for (int row = 0; row < state->plot.rows; row++)
        for (int col = 0; col < state->plot.cols; col++) {
            const struct bin *bin = bin_at(state, col, row);
            char32_t mark = bin->overlay_emerging                          ? U'◆'
                            : bin->overlay_later                           ? U'○'
                            : bin->count && 2 * bin->emerging > bin->count ? U'×'
                                                                           : 0;
            if (mark)
                kb_canvas_put(canvas, state->plot.x + col, state->plot.y + row, mark,
                              kb_bold_style(kb_theme_cluster(bin->candidate)));
        }
}

/* A cluster's label stands at the session nearest to the mean of its sessions. */
static void place_label(struct label *label, const kb_data *data, size_t sessions)
{
    double x, y, sum_x = 0, sum_y = 0, least = INFINITY;
    size_t count = 0;
    for (size_t s = 0; s < sessions; s++)
        if (kb_data_cluster_of(data, s) == label->cluster && place(data, s, &x, &y)) {
            sum_x += x;
            sum_y += y;
            count++;
        }
    label->x = label->y = NAN;
    for (size_t s = 0; s < sessions && count; s++) {
        if (kb_data_cluster_of(data, s) != label->cluster || !place(data, s, &x, &y))
            continue;
        double far = hypot(x - sum_x / (double)count, y - sum_y / (double)count);
        if (far < least) {
            least = far;
            label->x = x;
            label->y = y;
        }
    }
}

static void make_labels(struct state *state, const kb_data *data, size_t sessions)
{
    if (state->labelled == version_of(data))
        return;
    free(state->labels);
    state->label_count = 0;
    state->labels = kb_calloc(data->cluster_count, sizeof *state->labels);
    state->labelled = version_of(data);
    for (size_t i = 0; state->labels && i < data->cluster_count; i++) {
        if (data->clusters[i].number == 0)
            continue;
        struct label *label = &state->labels[state->label_count++];
        label->cluster = data->clusters[i].number;
        place_label(label, data, sessions);
    }
}

static void draw_labels(const struct state *state, kb_canvas *canvas)
{
    for (size_t i = 0; i < state->label_count; i++) {
        double across, down;
        const struct label *label = &state->labels[i];
        to_dots(state, label->x, label->y, &across, &down);
        if (!isfinite(across) || !in_plot(state, across, down))
            continue;
        kb_style style = kb_bold_style(kb_theme_cluster(label->cluster));
        style.attributes |= KB_REVERSE;
        kb_canvas_print(canvas, state->plot.x + (int)across / DOTS_ACROSS,
                        state->plot.y + (int)down / DOTS_DOWN, 4, style, "%u", label->cluster);
    }
}

static void draw_cross(kb_pane *pane, kb_canvas *canvas)
{
    struct state *state = pane->state;
    kb_rect plot = state->plot;
    int x = plot.x + state->cross_x, y = plot.y + state->cross_y;
    kb_style style = kb_bold_style(KB_INK_ACCENT);
    static const int offsets[][2] = {{-2, 0}, {-1, 0}, {1, 0}, {2, 0}, {0, -1}, {0, 1}};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
        kb_canvas_put(canvas, x + offsets[i][0], y + offsets[i][1], offsets[i][1] ? U'│' : U'─',
                      style);
    pane->ui->cursor_x = x;
    pane->ui->cursor_y = y;
}

/* --- what is under the crosshair ---------------------------------------------------------- */
/* "14 points: 12 of C3, 2 of C7" of the crosshair's cell: a second pass, for one cell only. */
static void cell_text(kb_pane *pane, char *text, size_t size)
{
    const struct state *state = pane->state;
    const kb_data *data = pane->ui->data;
    const struct bin *bin = bin_at(state, state->cross_x, state->cross_y);
    int used = snprintf(text, size, "%u point%s", bin->count, bin->count == 1 ? "" : "s");
    if (!bin->count)
        return;
    const char *separator = ": ";
    for (size_t c = 0; c < data->cluster_count && (size_t)used < size; c++) {
        size_t count = 0;
        for (size_t i = 0; i < pane->list.shown; i++) {
            double x, y, across, down;
            size_t session = pane->list.order[i];
            if (kb_data_cluster_of(data, session) != data->clusters[c].number ||
                !place(data, session, &x, &y))
                continue;
            to_dots(state, x, y, &across, &down);
            count += in_plot(state, across, down) && (int)across / DOTS_ACROSS == state->cross_x &&
                     (int)down / DOTS_DOWN == state->cross_y;
        }
        if (count) {
            used += snprintf(text + used, size - (size_t)used, "%s%zu of C%u", separator, count,
                             data->clusters[c].number);
            separator = ", ";
        }
    }
    if (bin->emerging && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, "; %u emerging", bin->emerging);
}

static void draw_status(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    char text[512];
    const struct state *state = pane->state;
    const kb_data *data = pane->ui->data;
    cell_text(pane, text, sizeof text);
    int used = kb_canvas_text(canvas, rect.x, rect.y, rect.cols, kb_ink_style(KB_INK_PLAIN), text);
    if (state->nearest == SIZE_MAX || used + 12 > rect.cols)
        return;
    const kb_assignment *assigned = kb_data_assigned(data, state->nearest);
    snprintf(text, sizeof text, "   nearest: %.200s%s",
             kb_corpus_session(data->corpus, state->nearest)->name,
             assigned && assigned->emerging ? " (emerging)" : "");
    kb_canvas_text(canvas, rect.x + used, rect.y, rect.cols - used, kb_ink_style(KB_INK_DIM), text);
}

/* --- legend ------------------------------------------------------------------------------- */
static void draw_legend_row(const kb_data *data, kb_canvas *canvas, kb_rect rect)
{
    int x = rect.x;
    for (size_t i = 0; i < data->cluster_count && x + 6 < rect.x + rect.cols; i++)
        x += kb_draw_cluster(canvas, x, rect.y, data->clusters[i].number) + 1;
}

static int draw_legend_marks(const struct state *state, kb_canvas *canvas, kb_rect rect, int row)
{
    const struct {
        const char *text;
        bool shown;
    } marks[] = {{"× mostly emerging", true},
                 {"◆ split emerging (e)", state->show_emerging},
                 {"○ split later (d)", state->show_later}};
    for (size_t i = 0; i < 3; i++)
        if (row < rect.rows)
            kb_canvas_text(canvas, rect.x, rect.y + row++, rect.cols,
                           kb_ink_style(marks[i].shown ? KB_INK_PLAIN : KB_INK_DIM), marks[i].text);
    return row;
}

static void draw_legend(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    const struct state *state = pane->state;
    const kb_data *data = pane->ui->data;
    int row = (int)data->cluster_count < rect.rows - 4 ? (int)data->cluster_count : rect.rows - 4;
    kb_draw_clusters(pane->ui, canvas, kb_rect_of(rect.x, rect.y, rect.cols, row));
    row = draw_legend_marks(state, canvas, rect, row + 1) + 1;
    if (state->nearest == SIZE_MAX || row + 4 > rect.rows)
        return;
    kb_rect rest = kb_rect_of(rect.x, rect.y + row, rect.cols, rect.rows - row);
    kb_canvas_text(canvas, rest.x, rest.y++, rest.cols, kb_bold_style(KB_INK_TITLE),
                   kb_corpus_session(data->corpus, state->nearest)->name);
    rest.rows--;
    int used = kb_draw_session_facts(pane->ui, canvas, rest, state->nearest);
    rest.y += used;
    rest.rows -= used;
    kb_draw_session_objects(pane->ui, canvas, rest, state->nearest);
}

/* --- the view ----------------------------------------------------------------------------- */
static void clamp_cross(struct state *state)
{
    if (state->cross_x >= state->plot.cols)
        state->cross_x = state->plot.cols - 1;
    if (state->cross_y >= state->plot.rows)
        state->cross_y = state->plot.rows - 1;
    state->cross_x = state->cross_x < 0 ? 0 : state->cross_x;
    state->cross_y = state->cross_y < 0 ? 0 : state->cross_y;
}

/* The crosshair starts at the session nearest to the middle. */
static void place_cross(struct state *state, const kb_data *data, size_t sessions)
{
    double least = INFINITY, x, y, across, down;
    state->cross_x = state->plot.cols / 2;
    state->cross_y = state->plot.rows / 2;
    int best_x = state->cross_x, best_y = state->cross_y;
    for (size_t s = 0; s < sessions; s++) {
        if (!place(data, s, &x, &y))
            continue;
        to_dots(state, x, y, &across, &down);
        double far = distance_to_cross(state, across, down);
        if (far < least) {
            least = far;
            best_x = (int)across / DOTS_ACROSS;
            best_y = (int)down / DOTS_DOWN;
        }
    }
    state->cross_x = best_x;
    state->cross_y = best_y;
}

/* The plot within RECT: legends and status take their part first. */
static void set_plot(kb_pane *pane, kb_rect plot)
{
    struct state *state = pane->state;
    const kb_data *data = pane->ui->data;
    bool resized = plot.cols != state->plot.cols || plot.rows != state->plot.rows,
         fresh = state->per_dot == 0;
    bool moving = data->map->iteration < data->map->iterations;
    state->plot = plot;
    if (fresh || (!state->moved && (resized || moving)))
        fit(state, data, pane->sheet.row_count, plot);
    if (fresh)
        place_cross(state, data, pane->sheet.row_count);
    clamp_cross(state);
}

static void draw(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    struct state *state = pane->state;
    kb_dots dots;
    int legend = rect.cols >= 110 ? rect.cols / 4 < 40 ? 34 : rect.cols * 3 / 10 : 0;
    int below = rect.rows >= 8 && !legend ? 2 : 1;
    kb_rect plot =
        kb_rect_of(rect.x, rect.y, rect.cols - (legend ? legend + 2 : 0), rect.rows - below);
    if (plot.cols < 2 || plot.rows < 2)
        return;
    kb_list_sync(&pane->list, &pane->sheet);
    set_plot(pane, plot);
    if (!make_bins(state) || !kb_dots_create(&dots, pane->ui->dots, plot.cols, plot.rows))
        return;
    kb_rect old = kb_canvas_clip(canvas, plot);
    bin_sessions(pane, &dots);
    if (pane->ui->dots == KB_DOTS_ASCII)
        draw_signs(state, canvas);
    else
        kb_dots_draw(&dots, canvas, plot.x, plot.y);
    kb_dots_free(&dots);
    draw_marks(state, canvas);
    make_labels(state, pane->ui->data, pane->sheet.row_count);
    draw_labels(state, canvas);
    draw_cross(pane, canvas);
    canvas->clip = old;
    draw_status(pane, canvas, kb_rect_of(rect.x, rect.y + rect.rows - 1, rect.cols, 1));
    if (legend)
        draw_legend(pane, canvas,
                    kb_rect_of(rect.x + plot.cols + 2, rect.y, legend, rect.rows - 1));
    else if (below == 2)
        draw_legend_row(pane->ui->data, canvas,
                        kb_rect_of(rect.x, rect.y + rect.rows - 2, rect.cols, 1));
}

/* Zooms about the crosshair, which keeps pointing at the same place. */
static void zoom(struct state *state, double factor)
{
    double across = (state->cross_x + 0.5) * DOTS_ACROSS - state->plot.cols * DOTS_ACROSS / 2.0;
    double down = (state->cross_y + 0.5) * DOTS_DOWN - state->plot.rows * DOTS_DOWN / 2.0;
    double change = state->per_dot * (1 - 1 / factor);
    state->x += across * change;
    state->y -= down * change;
    state->per_dot /= factor;
    state->moved = true;
}

static void pan(struct state *state, int across, int down)
{
    state->x += across * state->per_dot * state->plot.cols * DOTS_ACROSS / 8.0;
    state->y -= down * state->per_dot * state->plot.rows * DOTS_DOWN / 8.0;
    state->moved = true;
}

/* A crosshair that meets the edge pushes the window on. */
static void move_cross(struct state *state, int across, int down)
{
    int x = state->cross_x + across, y = state->cross_y + down;
    if (x < 0 || x >= state->plot.cols)
        pan(state, across, 0);
    if (y < 0 || y >= state->plot.rows)
        pan(state, 0, down);
    state->cross_x = x;
    state->cross_y = y;
    clamp_cross(state);
}

static bool open_nearest(kb_pane *pane)
{
    const struct state *state = pane->state;
    size_t session = pane->as_table ? kb_pane_row(pane) : state->nearest;
    if (session == SIZE_MAX)
        return false;
    kb_ui_open(pane->ui, &kb_session_view, (kb_target){.session = session});
    return true;
}

static void reset(struct state *state)
{
    state->moved = false;
    state->per_dot = 0;
}

static bool act_on_picture(struct state *state, kb_do command)
{
    switch (command) {
    case KB_DO_UP:
    case KB_DO_DOWN:
        move_cross(state, 0, command == KB_DO_DOWN ? 1 : -1);
        return true;
    case KB_DO_LEFT:
    case KB_DO_RIGHT:
        move_cross(state, command == KB_DO_RIGHT ? 1 : -1, 0);
        return true;
    case KB_DO_PAN_UP:
    case KB_DO_PAN_DOWN:
        pan(state, 0, command == KB_DO_PAN_DOWN ? 1 : -1);
        return true;
    case KB_DO_PAN_LEFT:
    case KB_DO_PAN_RIGHT:
        pan(state, command == KB_DO_PAN_RIGHT ? 1 : -1, 0);
        return true;
    case KB_DO_MORE:
    case KB_DO_LESS:
        zoom(state, command == KB_DO_MORE ? 1.5 : 1 / 1.5);
        return true;
    case KB_DO_RESET:
        reset(state);
        return true;
    default:
        return false;
    }
}

static bool act(kb_pane *pane, kb_do command)
{
    struct state *state = pane->state;
    if (command == KB_DO_OPEN)
        return open_nearest(pane);
    if (command == KB_DO_EMERGING)
        return state->show_emerging = !state->show_emerging, true;
    if (command == KB_DO_LATER)
        return state->show_later = !state->show_later, true;
    return !pane->as_table && state->per_dot > 0 && act_on_picture(state, command);
}

static bool mouse(kb_pane *pane, kb_rect rect, const kb_mouse *event)
{
    struct state *state = pane->state;
    (void)rect;
    if (!(state->per_dot > 0) || !kb_rect_holds(state->plot, event->x, event->y))
        return false;
    bool same =
        state->cross_x == event->x - state->plot.x && state->cross_y == event->y - state->plot.y;
    if (event->kind == KB_MOUSE_PRESS && event->button == 1 && same)
        return open_nearest(pane);
    if (event->kind == KB_MOUSE_RELEASE)
        return false;
    state->cross_x = event->x - state->plot.x;
    state->cross_y = event->y - state->plot.y;
    if (event->kind == KB_MOUSE_WHEEL_UP || event->kind == KB_MOUSE_WHEEL_DOWN)
        zoom(state, event->kind == KB_MOUSE_WHEEL_UP ? 1.25 : 1 / 1.25);
    return true;
}

static void leave(kb_pane *pane)
{
    struct state *state = pane->state;
    free(state->bins);
    free(state->labels);
}

const kb_view_ops kb_map_view = {
    .name = "Map",
    .scopes = KB_IN_MAP | KB_IN_CHART,
    .state_size = sizeof(struct state),
    .title = title,
    .refresh = refresh,
    .draw = draw,
    .act = act,
    .mouse = mouse,
    .leave = leave,
};
