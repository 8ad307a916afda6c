/* Rows are added one at a time. Each is matched along the shortest augmenting path in reduced
 * costs, which the potentials of rows and columns keep at zero or above (Jonker and Volgenant
 * 1987). */
#include "hungarian.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static const size_t FREE = SIZE_MAX;

/* The problem turned so that it is at least as wide as high; every row gets a column. */
struct assignment {
    const double *cost;
    size_t rows, cols;         /* rows <= cols */
    size_t row_step, col_step; /* cost of (r, c) is cost[r * row_step + c * col_step] */
    double *row_value;         /* potentials: row_value[r] + col_value[c] <= cost(r, c) */
    double *col_value;
    size_t *row_of;   /* cols: the row matched to each column, or FREE */
    double *distance; /* cols: of the shortest path to each column */
    size_t *previous; /* cols: the column before it on that path, or FREE */
    bool *reached;    /* cols: its distance is final */
};

static double reduced_cost(const struct assignment *a, size_t r, size_t c)
{
    return a->cost[r * a->row_step + c * a->col_step] - a->row_value[r] - a->col_value[c];
}

/* Shortens the paths to the columns not reached by going through ROW, which stands at DISTANCE
 * behind column FROM. */
static void relax(struct assignment *a, size_t row, size_t from, double distance)
{
    for (size_t c = 0; c < a->cols; c++) {
        double through = distance + reduced_cost(a, row, c);
        if (!a->reached[c] && through < a->distance[c]) {
            a->distance[c] = through;
            a->previous[c] = from;
        }
    }
}

static size_t nearest_column(const struct assignment *a)
{
    size_t nearest = FREE;
    for (size_t c = 0; c < a->cols; c++)
        if (!a->reached[c] && (nearest == FREE || a->distance[c] < a->distance[nearest]))
            nearest = c;
    return nearest;
}

/* Keeps reduced costs at zero or above, and at zero along the path. */
static void update_values(struct assignment *a, size_t start, double length)
{
    a->row_value[start] += length;
    for (size_t c = 0; c < a->cols; c++) {
        if (a->reached[c]) {
            double slack = length - a->distance[c];
            a->row_value[a->row_of[c]] += slack;
            a->col_value[c] -= slack;
        }
    }
}

static void match_row(struct assignment *a, size_t start)
{
    for (size_t c = 0; c < a->cols; c++) {
        a->distance[c] = INFINITY;
        a->reached[c] = false;
    }
    relax(a, start, FREE, 0);
    size_t end = nearest_column(a);
    while (a->row_of[end] != FREE) {
        a->reached[end] = true;
        relax(a, a->row_of[end], end, a->distance[end]);
        end = nearest_column(a);
    }
    update_values(a, start, a->distance[end]);
    for (size_t c = end; c != FREE; c = a->previous[c])
        a->row_of[c] = a->previous[c] == FREE ? start : a->row_of[a->previous[c]];
}

static void read_columns(const struct assignment *a, bool turned, size_t *column_of, size_t rows)
{
    for (size_t r = 0; r < rows; r++)
        column_of[r] = SIZE_MAX;
    for (size_t c = 0; c < a->cols; c++) {
        if (turned)
            column_of[c] = a->row_of[c];
        else if (a->row_of[c] != FREE)
            column_of[a->row_of[c]] = c;
    }
}

static bool allocate(struct assignment *a)
{
    a->row_value = kb_calloc(a->rows, sizeof *a->row_value);
    a->col_value = kb_calloc(a->cols, sizeof *a->col_value);
    a->row_of = kb_calloc(a->cols, sizeof *a->row_of);
    a->distance = kb_calloc(a->cols, sizeof *a->distance);
    a->previous = kb_calloc(a->cols, sizeof *a->previous);
    a->reached = kb_calloc(a->cols, sizeof *a->reached);
    return a->row_value && a->col_value && a->row_of && a->distance && a->previous && a->reached;
}

static void release(struct assignment *a)
{
    free(a->row_value);
    free(a->col_value);
    free(a->row_of);
    free(a->distance);
    free(a->previous);
    free(a->reached);
}

kb_status kb_hungarian(const double *cost, size_t rows, size_t cols, size_t *column_of,
                       kb_error *err)
{
    size_t cells;
    if (!kb_size_mul(rows, cols, &cells))
        return kb_fail(err, KB_ERR_MEMORY, "assignment: %zu x %zu costs are too many", rows, cols);
    for (size_t i = 0; i < cells; i++)
        if (!isfinite(cost[i]))
            return kb_fail(err, KB_ERR_NUMERIC,
                           "assignment: the cost of row %zu, column %zu is not finite",
                           i / cols + 1, i % cols + 1);
    bool turned = rows > cols;
    struct assignment a = {.cost = cost,
                           .rows = turned ? cols : rows,
                           .cols = turned ? rows : cols,
                           .row_step = turned ? 1 : cols,
                           .col_step = turned ? cols : 1};
    kb_status status = KB_OK;
    if (allocate(&a)) {
        for (size_t c = 0; c < a.cols; c++)
            a.row_of[c] = FREE;
        for (size_t r = 0; r < a.rows; r++)
            match_row(&a, r);
        read_columns(&a, turned, column_of, rows);
    } else {
        status = kb_fail_memory(err, "an assignment");
    }
    release(&a);
    return status;
}
