#include "ranktest.h"

#include <math.h>
#include <stdlib.h>

/* One stratum's counts, and what is summed up on the way through its values in rising order. */
struct stratum {
    double inside, outside;
    double below;     /* values so far */
    double rank_sum;  /* of the inside values so far */
    double tie_cubes; /* sum of t^3 - t */
    double weight;
};

double kb_normal_p(double z)
{
    return erfc(fabs(z) / sqrt(2));
}

static int by_value(const void *a, const void *b)
{
    double x = ((const kb_rank_value *)a)->value, y = ((const kb_rank_value *)b)->value;
    return x < y ? -1 : x > y;
}

/* A and B values of STRATUM, inside and outside, are equal and the next in order. */
static void take_tied(struct stratum *stratum, double a, double b)
{
    double t = a + b;
    stratum->rank_sum += a * (stratum->below + (t + 1) / 2);
    stratum->tie_cubes += t * (t * t - 1);
    stratum->below += t;
}

static void take_all_tied(struct stratum *strata, size_t count, const uint64_t *tied)
{
    for (size_t h = 0; h < count; h++)
        take_tied(&strata[h], (double)tied[2 * h + 1], (double)tied[2 * h]);
}

static void count_groups(struct stratum *strata, size_t n, const kb_rank_value *values,
                         size_t count, const uint64_t *zeros)
{
    uint64_t sizes[2 * KB_STRATA_MAX] = {0};
    for (size_t i = 0; i < count; i++)
        sizes[values[i].group]++;
    for (size_t h = 0; h < n; h++) {
        strata[h] = (struct stratum){.inside = (double)(sizes[2 * h + 1] + zeros[2 * h + 1]),
                                     .outside = (double)(sizes[2 * h] + zeros[2 * h])};
        strata[h].weight = 1 / (strata[h].inside + strata[h].outside + 1);
    }
}

/* Walks through the values in rising order, the zeros in their place. */
static void sum_ranks(struct stratum *strata, size_t n, const kb_rank_value *values, size_t count,
                      const uint64_t *zeros)
{
    bool zeros_due = true;
    for (size_t i = 0; i < count || zeros_due;) {
        uint64_t tied[2 * KB_STRATA_MAX] = {0};
        double value = i < count ? values[i].value : 0;
        if (zeros_due && (i == count || value >= 0)) {
            value = 0;
            zeros_due = false;
            for (size_t g = 0; g < 2 * n; g++)
                tied[g] = zeros[g];
        }
        for (; i < count && values[i].value == value; i++)
            tied[values[i].group]++;
        take_all_tied(strata, n, tied);
    }
}

/* The variance of U, when the groups do not differ. */
static double null_variance(const struct stratum *s)
{
    double n = s->inside + s->outside;
    if (n < 2)
        return 0;
    double ties = s->tie_cubes / (n * (n - 1));
    return s->inside * s->outside / 12 * (n + 1 - ties);
}

/* Hanley's and McNeil's variance of an area A between groups of M and N, in Newcombe's form. */
static double area_variance(double a, double m, double n)
{
    double star = (m + n) / 2 - 1;
    return a * (1 - a) * (1 + star * (1 - a) / (2 - a) + star * a / (1 + a)) / (m * n);
}

/* Deviation of the weighed area, were A the truth in each stratum. */
static double area_deviation(const struct stratum *strata, size_t n, double a)
{
    double variance = 0, total = 0;
    for (size_t h = 0; h < n; h++) {
        double pairs = strata[h].weight * strata[h].inside * strata[h].outside;
        if (pairs > 0)
            variance += pairs * pairs * area_variance(a, strata[h].inside, strata[h].outside);
        total += pairs;
    }
    return sqrt(variance) / total;
}

/* The end of the interval between AREA and LIMIT (0 or 1), by bisection: at AREA it is inside. */
static double interval_end(const struct stratum *strata, size_t n, double area, double limit)
{
    enum { STEPS = 60 };
    double in = area, out = limit;
    for (int i = 0; i < STEPS; i++) {
        double middle = (in + out) / 2;
        bool inside = fabs(area - middle) <= KB_Z95 * area_deviation(strata, n, middle);
        *(inside ? &in : &out) = middle;
    }
    return (in + out) / 2;
}

static kb_effect effect_of(const struct stratum *strata, size_t n)
{
    double w = 0, expected = 0, variance = 0, least = INFINITY;
    for (size_t h = 0; h < n; h++) {
        const struct stratum *s = &strata[h];
        if (s->inside == 0 || s->outside == 0)
            continue;
        double u = s->rank_sum - s->inside * (s->inside + 1) / 2;
        w += s->weight * u;
        expected += s->weight * s->inside * s->outside / 2;
        variance += s->weight * s->weight * null_variance(s);
        least = s->weight < least ? s->weight : least;
    }
    if (!(expected > 0))
        return (kb_effect){NAN, NAN, NAN, 1};
    kb_effect effect = {.value = w / (2 * expected), .p = 1};
    effect.low = interval_end(strata, n, effect.value, 0);
    effect.high = interval_end(strata, n, effect.value, 1);
    double beyond = fabs(w - expected) - least / 2;
    if (variance > 0 && beyond > 0)
        effect.p = kb_normal_p(beyond / sqrt(variance));
    return effect;
}

kb_effect kb_rank_test(kb_rank_value *values, size_t count, const uint64_t *zeros, size_t strata)
{
    struct stratum parts[KB_STRATA_MAX];
    count_groups(parts, strata, values, count, zeros);
    qsort(values, count, sizeof *values, by_value);
    sum_ranks(parts, strata, values, count, zeros);
    return effect_of(parts, strata);
}
