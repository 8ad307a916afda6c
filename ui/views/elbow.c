/* elbow: the four indices over k, the k in use, and a candidate to calibrate with instead. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "chart.h"
#include "memory.h"
#include "parts.h"
#include "theme.h"

enum column {
    K,
    SILHOUETTE,
    DAVIES_BOULDIN,
    CALINSKI_HARABASZ,
    INERTIA,
    CHOSEN,
    JOINT,
    STABILITY,
    COLUMNS
};

static const kb_sheet_column columns[COLUMNS] = {
    [K] = {.name = "k", .width = 4},
    [SILHOUETTE] = {.name = "silhouette", .width = 10},
    [DAVIES_BOULDIN] = {.name = "davies_bouldin", .title = "Davies-B.", .width = 10, .drop = 1},
    [CALINSKI_HARABASZ] = {.name = "calinski_harabasz",
                           .title = "Calinski-H.",
                           .width = 11,
                           .drop = 2},
    [INERTIA] = {.name = "inertia", .width = 11, .drop = 3},
    [CHOSEN] = {.name = "chosen", .width = 6},
    [JOINT] = {.name = "joint_silhouette", .title = "joint sil.", .width = 10, .drop = 4},
    [STABILITY] = {.name = "stability", .width = 9, .drop = 5},
};

static const struct {
    const char *title;
    enum column column;
} charts[] = {
    {"silhouette (higher is better)", SILHOUETTE},
    {"Davies-Bouldin (lower is better)", DAVIES_BOULDIN},
    {"Calinski-Harabasz (higher is better)", CALINSKI_HARABASZ},
    {"inertia (look for the knee)", INERTIA},
};

enum { CHARTS = sizeof charts / sizeof *charts, K_MOST = 1000 };

struct state {
    size_t candidate; /* 0: the k in use */
};

static const kb_elbow *elbow_of(const kb_pane *pane)
{
    return &pane->ui->data->findings->elbow;
}

static double number_of(const kb_elbow_row *row, size_t column)
{
    const double numbers[COLUMNS] = {
        (double)row->k, row->silhouette, row->davies_bouldin, row->calinski_harabasz,
        row->inertia,   row->chosen,     row->joint,          row->stability};
    return numbers[column];
}

static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    kb_value_kind kind = column == K        ? KB_VALUE_COUNT
                         : column == CHOSEN ? KB_VALUE_FLAG
                                            : KB_VALUE_REAL;
    kb_value_number(value, kind, number_of(&elbow_of(ctx)->rows[row], column));
    if (column == CHOSEN)
        value->ink = KB_INK_GOOD;
}

static uint64_t key(void *ctx, size_t row)
{
    return elbow_of(ctx)->rows[row].k;
}

static void refresh(kb_pane *pane)
{
    const kb_data *data = pane->ui->data;
    if (kb_data_wait_findings(data, pane->wait, sizeof pane->wait))
        return;
    if (elbow_of(pane)->count == 0) {
        snprintf(pane->wait, sizeof pane->wait,
                 "The model came calibrated with k = %zu and no elbow table. Press a to compute "
                 "one here.",
                 data->findings->k);
        return;
    }
    pane->sheet = (kb_sheet){.columns = columns,
                             .column_count = COLUMNS,
                             .row_count = elbow_of(pane)->count,
                             .cell = cell,
                             .key = key,
                             .ctx = pane,
                             .version = kb_data_serial(data)};
}

static size_t candidate_of(const kb_pane *pane)
{
    const struct state *state = pane->state;
    if (pane->as_table && kb_list_row(&pane->list) != SIZE_MAX)
        return elbow_of(pane)->rows[kb_list_row(&pane->list)].k;
    return state->candidate ? state->candidate : pane->ui->data->findings->k;
}

/* What the rules say, in one line of 80 columns while k has one digit. */
static void verdict(const kb_pane *pane, char *text, size_t size)
{
    const kb_elbow *elbow = elbow_of(pane);
    char stable[50] = "";
    if (elbow->most_stable)
        snprintf(stable, sizeof stable, ", stability %zu", elbow->most_stable);
    snprintf(text, size,
             "k = %zu in use; silhouette %zu, Davies-Bouldin %zu, knee %zu%s. Candidate: %zu",
             pane->ui->data->findings->k, elbow->best_silhouette, elbow->best_davies_bouldin,
             elbow->knee, stable, candidate_of(pane));
}

static void draw_one(kb_pane *pane, kb_canvas *canvas, kb_rect rect, size_t chart_index, double *x,
                     double *y)
{
    const kb_elbow *elbow = elbow_of(pane);
    for (size_t i = 0; i < elbow->count; i++) {
        x[i] = (double)elbow->rows[i].k;
        y[i] = number_of(&elbow->rows[i], charts[chart_index].column);
    }
    kb_chart_series series = {
        .x = x, .y = y, .count = elbow->count, .ink = KB_INK_FIRST, .points = true};
    kb_chart chart = {.title = charts[chart_index].title,
                      .series = &series,
                      .series_count = 1,
                      .mode = pane->ui->dots,
                      .integers = true,
                      .mark = (double)pane->ui->data->findings->k,
                      .cursor = (double)candidate_of(pane)};
    kb_chart_draw(canvas, rect, &chart);
}

static void draw(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    char text[256];
    verdict(pane, text, sizeof text);
    int used = kb_canvas_wrap(canvas, kb_rect_of(rect.x, rect.y, rect.cols, rect.rows > 8 ? 2 : 1),
                              kb_ink_style(KB_INK_PLAIN), text);
    rect.y += used;
    rect.rows -= used;
    size_t count = elbow_of(pane)->count;
    double *x = kb_calloc(count, sizeof *x), *y = kb_calloc(count, sizeof *y);
    int across = rect.cols >= 60 ? 2 : 1, down = rect.rows >= 12 ? 2 : 1;
    for (int i = 0; x && y && i < across * down && i < CHARTS; i++) {
        int cols = rect.cols / across, rows = rect.rows / down;
        draw_one(pane, canvas,
                 kb_rect_of(rect.x + i % across * cols, rect.y + i / across * rows, cols - 1, rows),
                 (size_t)i, x, y);
    }
    free(x);
    free(y);
}

static int head(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    char text[256];
    if (rect.rows < 6)
        return 0;
    verdict(pane, text, sizeof text);
    return kb_canvas_wrap(canvas, kb_rect_of(rect.x, rect.y, rect.cols, 2),
                          kb_ink_style(KB_INK_PLAIN), text);
}

static void step(kb_pane *pane, int by)
{
    struct state *state = pane->state;
    size_t k = candidate_of(pane);
    if (pane->as_table)
        kb_list_do(&pane->list, &pane->sheet, by > 0 ? KB_DO_DOWN : KB_DO_UP);
    else if (by > 0 ? k < K_MOST : k > 2)
        state->candidate = k + (size_t)by;
}

static void recalibrate(kb_pane *pane, size_t k)
{
    kb_workbench_recalibrate(pane->ui->data->workbench, k);
    if (k)
        kb_ui_say(pane->ui, "calibrating again with k = %zu", k);
    else
        kb_ui_say(pane->ui, "calibrating again; the elbow chooses k");
}

static bool act(kb_pane *pane, kb_do command)
{
    struct state *state = pane->state;
    if (!pane->ui->data->findings)
        return false;
    if (command == KB_DO_MORE || command == KB_DO_LESS) {
        step(pane, command == KB_DO_MORE ? 1 : -1);
    } else if (command == KB_DO_RECALIBRATE) {
        recalibrate(pane, candidate_of(pane));
    } else if (command == KB_DO_AUTOMATIC) {
        state->candidate = 0;
        recalibrate(pane, 0);
    } else {
        return false;
    }
    return true;
}

const kb_view_ops kb_elbow_view = {
    .name = "Elbow",
    .scopes = KB_IN_ELBOW | KB_IN_CHART,
    .state_size = sizeof(struct state),
    .refresh = refresh,
    .draw = draw,
    .head = head,
    .act = act,
};
