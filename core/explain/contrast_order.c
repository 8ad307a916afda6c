/* Names, gates and orders of a contrast's rows. */
#include <math.h>
#include <stdlib.h>

#include "contrast.h"

static const double LEAST_SHARE = .05;      /* of the set, below which a mean says nothing */
static const double LEAST_DIFFERENCE = .15; /* of a gate */
static const double MOST_FALSE = .05;
enum { LEAST_SUPPORT = 5 };

typedef int comparing(const kb_contrast *contrast, const kb_contrast_row *x,
                      const kb_contrast_row *y);

struct measure_row {
    const char *name;
    kb_test test;
    comparing *compare;
};

static const struct measure_row *measure_row(kb_measure measure);

const char *kb_measure_name(kb_measure measure)
{
    return measure_row(measure)->name;
}

kb_test kb_measure_test(kb_measure measure)
{
    return measure_row(measure)->test;
}

const char *kb_gate_name(kb_gate gate)
{
    static const char *const names[] = {"ok", "few", "weak", "unsure"};
    return names[gate];
}

/* --- gates -------------------------------------------------------------------------------- */

static double difference(const kb_contrast *contrast, const kb_contrast_row *row, kb_test test)
{
    if (test == KB_TEST_ODDS)
        return row->presence.presence - row->presence.other;
    double area = contrast->stratified ? row->given[test].value : row->effect[test].value;
    return kb_rank_delta(area);
}

kb_gate kb_contrast_gate(const kb_contrast *contrast, const kb_contrast_row *row,
                         kb_measure measure)
{
    kb_test test = kb_measure_test(measure);
    if (test == KB_TESTS || test == KB_TEST_MEAN)
        return KB_GATE_OK;
    if (row->presence.inside < LEAST_SUPPORT)
        return KB_GATE_FEW;
    if (!(fabs(difference(contrast, row, test)) >= LEAST_DIFFERENCE))
        return KB_GATE_WEAK;
    double q = contrast->stratified ? row->given_q[test] : row->q[test];
    return q <= MOST_FALSE ? KB_GATE_OK : KB_GATE_UNSURE;
}

/* --- orders ------------------------------------------------------------------------------- */

/* The larger first, NAN last; 0 where they are equal. */
static int falling(double x, double y)
{
    if (isnan(x) || isnan(y))
        return isnan(x) - isnan(y);
    return (x < y) - (x > y);
}

static int by_name(const kb_contrast_row *x, const kb_contrast_row *y)
{
    return (x->object > y->object) - (x->object < y->object);
}

static int by_presence(const kb_contrast *contrast, const kb_contrast_row *x,
                       const kb_contrast_row *y)
{
    (void)contrast;
    return kb_presence_compare(&x->presence, &y->presence);
}

static int by_absence(const kb_contrast *contrast, const kb_contrast_row *x,
                      const kb_contrast_row *y)
{
    (void)contrast;
    return kb_presence_compare(&x->absence, &y->absence);
}

/* An object that nothing else has is infinitely more there. */
static double ratio_of(const kb_contrast_row *row)
{
    return isnan(row->mean_other) ? (double)INFINITY : row->mean / row->mean_other;
}

static int by_mean(const kb_contrast *contrast, const kb_contrast_row *x, const kb_contrast_row *y)
{
    (void)contrast;
    int order = falling(ratio_of(x), ratio_of(y));
    if (!order)
        order = falling(x->mean, y->mean);
    return order ? order : by_name(x, y);
}

static int by_gate(const kb_contrast *contrast, kb_measure measure, const kb_contrast_row *x,
                   const kb_contrast_row *y)
{
    bool passes_x = kb_contrast_gate(contrast, x, measure) == KB_GATE_OK;
    bool passes_y = kb_contrast_gate(contrast, y, measure) == KB_GATE_OK;
    return passes_y - passes_x;
}

static int by_odds(const kb_contrast *contrast, const kb_contrast_row *x, const kb_contrast_row *y)
{
    int order = by_gate(contrast, KB_BY_ODDS, x, y);
    bool given = contrast->stratified;
    if (!order)
        order = falling(given ? x->given[KB_TEST_ODDS].low : x->effect[KB_TEST_ODDS].low,
                        given ? y->given[KB_TEST_ODDS].low : y->effect[KB_TEST_ODDS].low);
    return order ? order : by_name(x, y);
}

static int by_score(const kb_contrast *contrast, kb_measure measure, const kb_contrast_row *x,
                    const kb_contrast_row *y)
{
    kb_test test = kb_measure_test(measure);
    int order = by_gate(contrast, measure, x, y);
    if (!order)
        order = falling(x->score[test], y->score[test]);
    return order ? order : by_name(x, y);
}

static int by_level(const kb_contrast *contrast, const kb_contrast_row *x, const kb_contrast_row *y)
{
    return by_score(contrast, KB_BY_RANK, x, y);
}

static int by_rise(const kb_contrast *contrast, const kb_contrast_row *x, const kb_contrast_row *y)
{
    return by_score(contrast, KB_BY_GROWTH, x, y);
}

static int by_combined(const kb_contrast *contrast, const kb_contrast_row *x,
                       const kb_contrast_row *y)
{
    return by_score(contrast, KB_BY_COMBINED, x, y);
}

static const struct measure_row *measure_row(kb_measure measure)
{
    static const struct measure_row rows[KB_MEASURES] = {
        [KB_BY_COMBINED] = {"combined", KB_TEST_COMBINED, by_combined},
        [KB_BY_GROWTH] = {"growth", KB_TEST_RISE, by_rise},
        [KB_BY_RANK] = {"rank", KB_TEST_LEVEL, by_level},
        [KB_BY_ODDS] = {"odds", KB_TEST_ODDS, by_odds},
        [KB_BY_PRESENCE] = {"presence", KB_TESTS, by_presence},
        [KB_BY_ABSENCE] = {"absence", KB_TESTS, by_absence},
        [KB_BY_MEAN] = {"mean", KB_TEST_MEAN, by_mean},
    };
    return &rows[measure];
}

static bool is_ranked(const kb_contrast_row *row, kb_measure measure)
{
    if (measure == KB_BY_PRESENCE)
        return row->presence.inside > 0;
    if (measure == KB_BY_ABSENCE)
        return row->absence.inside > 0;
    if (measure == KB_BY_MEAN)
        return row->presence.inside > 0 && row->presence.presence >= LEAST_SHARE;
    return true;
}

struct sorting {
    const kb_contrast *contrast;
    comparing *compare;
};

static int compare_rows(const void *a, const void *b, void *ctx)
{
    const struct sorting *s = ctx;
    const kb_contrast_row *rows = s->contrast->rows;
    return s->compare(s->contrast, &rows[*(const size_t *)a], &rows[*(const size_t *)b]);
}

size_t kb_contrast_order(const kb_contrast *contrast, kb_measure measure, size_t *order)
{
    struct sorting sorting = {contrast, measure_row(measure)->compare};
    size_t count = 0;
    for (size_t i = 0; i < contrast->count; i++) {
        if (is_ranked(&contrast->rows[i], measure))
            order[count++] = i;
    }
    qsort_r(order, count, sizeof *order, compare_rows, &sorting);
    return count;
}
