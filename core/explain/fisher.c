#include "fisher.h"

#include <math.h>

/* Probabilities count as equal within this, as in SciPy and R. */
static const double SLACK = 1e-7;

/* The hypergeometric distribution of a: LEAST..MOST, rising up to its mode and falling from there.
 */
struct margins {
    double inside, outside, with; /* with: a + b */
    double least, most;
};

static double log_choose(double n, double k)
{
    int sign; /* lgamma would write it into a global */
    return lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign);
}

static double log_probability(const struct margins *m, double a)
{
    return log_choose(m->inside, a) + log_choose(m->outside, m->with - a) -
           log_choose(m->inside + m->outside, m->with);
}

/* P(a + 1) / P(a) */
static double ratio_up(const struct margins *m, double a)
{
    return (m->inside - a) * (m->with - a) / ((a + 1) * (m->outside - m->with + a + 1));
}

/* The sum of P(a) / P(FROM) over all a from FROM outwards (STEP 1 or -1), where P falls. Stops when
 * what is left is lost in the sum. */
static double tail(const struct margins *m, double from, double step)
{
    double sum = 1, term = 1;
    for (double a = from; step > 0 ? a < m->most : a > m->least; a += step) {
        term *= step > 0 ? ratio_up(m, a) : 1 / ratio_up(m, a - 1);
        sum += term;
        if (term < sum * 1e-18)
            break;
    }
    return sum;
}

/* The innermost a beyond the mode from FROM (to the side of STEP) whose probability is at most
 * LIMIT's; beyond LEAST or MOST when there is none. Between INNER, which may be likelier, and the
 * end, P falls. */
static double other_side(const struct margins *m, double inner, double step, double limit)
{
    double end = step > 0 ? m->most : m->least;
    if (log_probability(m, end) > limit)
        return end + step;
    double likely = inner, unlikely = end;
    while (fabs(unlikely - likely) > 1) {
        double middle = floor((likely + unlikely) / 2);
        if (log_probability(m, middle) > limit)
            likely = middle;
        else
            unlikely = middle;
    }
    return log_probability(m, likely) <= limit ? likely : unlikely;
}

static double both_tails(const struct margins *m, double a)
{
    double mode = floor((m->inside + 1) * (m->with + 1) / (m->inside + m->outside + 2));
    double at = log_probability(m, a);
    double step = a <= mode ? -1 : 1; /* outwards, on the side of a */
    double inner = step < 0 ? fmax(mode, a + 1) : fmin(mode, a - 1);
    double p = exp(at) * tail(m, a, step);
    if (inner < m->least || inner > m->most)
        return p;
    double other = other_side(m, inner, -step, at + SLACK);
    if (other >= m->least && other <= m->most)
        p += exp(log_probability(m, other)) * tail(m, other, -step);
    return p;
}

double kb_fisher_exact(uint64_t a, uint64_t inside, uint64_t b, uint64_t outside)
{
    struct margins m = {
        .inside = (double)inside, .outside = (double)outside, .with = (double)a + (double)b};
    m.least = fmax(0, m.with - m.outside);
    m.most = fmin(m.with, m.inside);
    if (m.least >= m.most)
        return 1;
    return fmin(1, both_tails(&m, (double)a));
}
