#include "scores.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hungarian.h"
#include "memory.h"
#include "sorting.h"

/* The contingency table of two labellings. */
struct table {
    size_t n, rows, cols;
    double *cells;     /* rows x cols: how many items have class r in A and c in B */
    double *row_sizes; /* rows */
    double *col_sizes; /* cols */
};

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The distinct values of LABELS in rising order; *COUNT of them. NULL: no memory. */
static uint32_t *distinct(const uint32_t *labels, size_t n, size_t *count)
{
    uint32_t *values = kb_calloc(n, sizeof *values);
    if (!values)
        return NULL;
    memcpy(values, labels, n * sizeof *values);
    qsort(values, n, sizeof *values, by_number);
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (!i || values[i] != values[*count - 1])
            values[(*count)++] = values[i];
    return values;
}

static size_t class_of(uint32_t label, const uint32_t *values, size_t count)
{
    const uint32_t *found = bsearch(&label, values, count, sizeof *values, by_number);
    return (size_t)(found - values);
}

static void table_free(struct table *t)
{
    free(t->cells);
    free(t->row_sizes);
    free(t->col_sizes);
}

static bool table_fill(struct table *t, const uint32_t *a, const uint32_t *b,
                       const uint32_t *a_values, const uint32_t *b_values)
{
    size_t cells;
    if (!kb_size_mul(t->rows, t->cols, &cells))
        return false;
    t->cells = kb_calloc(cells, sizeof *t->cells);
    t->row_sizes = kb_calloc(t->rows, sizeof *t->row_sizes);
    t->col_sizes = kb_calloc(t->cols, sizeof *t->col_sizes);
    if (!t->cells || !t->row_sizes || !t->col_sizes)
        return false;
    for (size_t i = 0; i < t->n; i++) {
        size_t r = class_of(a[i], a_values, t->rows), c = class_of(b[i], b_values, t->cols);
        t->cells[r * t->cols + c]++;
        t->row_sizes[r]++;
        t->col_sizes[c]++;
    }
    return true;
}

static bool table_make(struct table *t, const uint32_t *a, const uint32_t *b, size_t n)
{
    *t = (struct table){.n = n};
    uint32_t *a_values = distinct(a, n, &t->rows), *b_values = distinct(b, n, &t->cols);
    bool made = a_values && b_values && table_fill(t, a, b, a_values, b_values);
    free(a_values);
    free(b_values);
    return made;
}

/* --- accuracy and the adjusted Rand index ------------------------------------------------- */

static kb_status accuracy_of(double *out, const struct table *t, kb_error *err)
{
    double *cost = kb_calloc(t->rows * t->cols, sizeof *cost); /* no overflow: the cells exist */
    size_t *column_of = kb_calloc(t->rows, sizeof *column_of);
    kb_status status = KB_OK;
    if (cost && column_of) {
        for (size_t i = 0; i < t->rows * t->cols; i++)
            cost[i] = -t->cells[i];
        status = kb_hungarian(cost, t->rows, t->cols, column_of, err);
        double matched = 0;
        for (size_t r = 0; r < t->rows && !status; r++)
            if (column_of[r] != SIZE_MAX)
                matched += t->cells[r * t->cols + column_of[r]];
        *out = matched / (double)t->n;
    } else {
        status = kb_fail_memory(err, "matching clusters with labels");
    }
    free(cost);
    free(column_of);
    return status;
}

static double sum_of_squares(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sum;
}

/* From ordered pairs of items: together in both, in A only, in B only, in neither. */
static double rand_index(const struct table *t)
{
    double n = (double)t->n, both = sum_of_squares(t->cells, t->rows * t->cols);
    double only_a = sum_of_squares(t->row_sizes, t->rows) - both;
    double only_b = sum_of_squares(t->col_sizes, t->cols) - both;
    double neither = n * n - both - only_a - only_b;
    both -= n;
    if (only_a == 0 && only_b == 0)
        return 1;
    return 2 * (both * neither - only_a * only_b) /
           ((both + only_a) * (only_a + neither) + (both + only_b) * (only_b + neither));
}

/* --- mutual information ------------------------------------------------------------------- */

static double entropy(const double *sizes, size_t count, double n)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum -= sizes[i] / n * (log(sizes[i]) - log(n));
    return count > 1 ? sum : 0;
}

static double mutual_information(const struct table *t)
{
    double n = (double)t->n, sum = 0;
    for (size_t r = 0; r < t->rows; r++) {
        for (size_t c = 0; c < t->cols; c++) {
            double both = t->cells[r * t->cols + c];
            if (both > 0) {
                double term =
                    both / n * (log(both) + log(n) - log(t->row_sizes[r]) - log(t->col_sizes[c]));
                sum += fabs(term) < DBL_EPSILON ? 0 : term;
            }
        }
    }
    return fmax(sum, 0);
}

/* Sorts SIZES and folds equal ones: TIMES[i] = how often SIZES[i] occurs. How many are left. */
static size_t fold_sizes(double *sizes, double *times, size_t count)
{
    kb_sort_doubles(sizes, count);
    size_t folded = 0;
    for (size_t i = 0; i < count; i++) {
        if (!folded || sizes[i] != sizes[folded - 1]) {
            sizes[folded] = sizes[i];
            times[folded++] = 0;
        }
        times[folded - 1]++;
    }
    return folded;
}

/* The expected contribution of one pair of classes of sizes A and B: a sum over all overlaps,
 * weighted by their hypergeometric chance. LOGF[i] = log i!. */
static double expected_term(size_t a, size_t b, size_t n, const double *logf)
{
    size_t least = a + b > n ? a + b - n : 1, most = a < b ? a : b;
    least = least ? least : 1;
    double fixed = logf[a] + logf[b] + logf[n - a] + logf[n - b] - logf[n], sum = 0;
    double shift = log((double)n) - log((double)a) - log((double)b);
    for (size_t both = least; both <= most; both++) {
        double chance =
            exp(fixed - logf[both] - logf[a - both] - logf[b - both] - logf[n - a - b + both]);
        sum += (double)both / (double)n * (log((double)both) + shift) * chance;
    }
    return sum;
}

/* Expected mutual information of two random labellings with the same class sizes (Vinh et al. 2010,
 * eq. 24a). Classes of one size contribute alike, so each pair of sizes is summed once. Reorders
 * the table's sizes. False: no memory. */
static bool expected_information(double *out, struct table *t)
{
    double *logf = kb_calloc(t->n + 1, sizeof *logf);
    double *row_times = kb_calloc(t->rows, sizeof *row_times);
    double *col_times = kb_calloc(t->cols, sizeof *col_times);
    bool made = logf && row_times && col_times;
    if (made) {
        for (size_t i = 2; i <= t->n; i++)
            logf[i] = logf[i - 1] + log((double)i);
        size_t rows = fold_sizes(t->row_sizes, row_times, t->rows);
        size_t cols = fold_sizes(t->col_sizes, col_times, t->cols);
        *out = 0;
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < cols; c++)
                *out += row_times[r] * col_times[c] *
                        expected_term((size_t)t->row_sizes[r], (size_t)t->col_sizes[c], t->n, logf);
    }
    free(logf);
    free(row_times);
    free(col_times);
    return made;
}

/* Spends the table's sizes. */
static kb_status information_of(kb_agreement *out, struct table *t, kb_error *err)
{
    if (t->rows == 1 && t->cols == 1) {
        out->nmi = out->ami = 1;
        return KB_OK;
    }
    double n = (double)t->n, mi = mutual_information(t), expected;
    double mean = (entropy(t->row_sizes, t->rows, n) + entropy(t->col_sizes, t->cols, n)) / 2;
    if (!expected_information(&expected, t))
        return kb_fail_memory(err, "the expected mutual information");
    out->nmi = mi < DBL_EPSILON ? 0 : mi / mean;
    double room = mean - expected;
    room = room < 0 ? fmin(room, -DBL_EPSILON) : fmax(room, DBL_EPSILON);
    out->ami = (mi - expected) / room;
    return KB_OK;
}

kb_status kb_agreement_of(kb_agreement *out, const uint32_t *a, const uint32_t *b, size_t n,
                          kb_error *err)
{
    *out = (kb_agreement){0};
    if (!n)
        return kb_fail(err, KB_ERR_USAGE, "agreement: there are no labels to compare");
    struct table t;
    kb_status status = KB_OK;
    if (table_make(&t, a, b, n)) {
        out->ari = rand_index(&t);
        status = accuracy_of(&out->accuracy, &t, err);
        if (!status)
            status = information_of(out, &t, err);
    } else {
        status = kb_fail_memory(err, "a table of clusters and labels");
    }
    table_free(&t);
    return status;
}

/* --- the ROC curve ------------------------------------------------------------------------ */

struct scored {
    double score;
    bool truth;
};

static int by_score(const void *a, const void *b)
{
    double x = ((const struct scored *)a)->score, y = ((const struct scored *)b)->score;
    return (x > y) - (x < y);
}

/* Pairs (a true one, a false one) in the right order, equal scores counted half; ITEMS are sorted.
 */
static double ordered_pairs(const struct scored *items, size_t n)
{
    double pairs = 0, falses_below = 0;
    for (size_t i = 0, end; i < n; i = end) {
        double trues = 0, falses = 0;
        for (end = i; end < n && items[end].score == items[i].score; end++) {
            trues += items[end].truth;
            falses += !items[end].truth;
        }
        pairs += trues * (falses_below + falses / 2);
        falses_below += falses;
    }
    return pairs;
}

double kb_auroc(const double *score, const bool *truth, size_t n)
{
    double trues = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(score[i]))
            return NAN;
        trues += truth[i];
    }
    double falses = (double)n - trues;
    struct scored *items = kb_calloc(n, sizeof *items);
    if (!items || !(trues > 0) || !(falses > 0)) {
        free(items);
        return NAN;
    }
    for (size_t i = 0; i < n; i++)
        items[i] = (struct scored){score[i], truth[i]};
    qsort(items, n, sizeof *items, by_score);
    double pairs = ordered_pairs(items, n);
    free(items);
    return pairs / trues / falses;
}
