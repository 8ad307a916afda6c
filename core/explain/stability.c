#include "stability.h"

#include <math.h>

static const double LEAST_EXPECTED = 5;

uint64_t kb_sum_counts(const uint64_t *counts, size_t count)
{
    uint64_t sum = 0;
    for (size_t b = 0; b < count; b++)
        sum += counts[b];
    return sum;
}

kb_psi kb_psi_of(const uint64_t *was, const uint64_t *now, size_t count, double *terms,
                 double *expected)
{
    double n = (double)kb_sum_counts(was, count), m = (double)kb_sum_counts(now, count),
           spread = 1 / n + 1 / m;
    kb_psi psi = {0, 0};
    size_t filled = 0;
    if (!(n > 0 && m > 0))
        psi.value = psi.expected = spread = (double)NAN;
    for (size_t b = 0; b < count; b++)
        filled += was[b] || now[b];
    double k = (double)filled / 2;
    for (size_t b = 0; b < count; b++) {
        double both = (double)was[b] + (double)now[b], share = both / (n + m);
        double p = ((double)was[b] + k * share) / (n + k);
        double q = ((double)now[b] + k * share) / (m + k);
        double term = both > 0 ? (p - q) * log(p / q) : 0;
        double alone = both > 0 ? (1 - share) * spread : 0;
        psi.value += term;
        psi.expected += alone;
        if (terms)
            terms[b] = term;
        if (expected)
            expected[b] = alone;
    }
    return psi;
}

/* --- chi-square --------------------------------------------------------------------------- */

/* Pearson's summands of a class: with shares N and M of all BOTH, the two deviations are equal. */
static double deviation(double was, double now, double n, double m)
{
    double both = was + now, off = was - both * n / (n + m);
    return off * off * (n + m) / both * (1 / n + 1 / m);
}

kb_share_test kb_chi_square_classes(const uint64_t *was, const uint64_t *now, size_t count)
{
    double n = (double)kb_sum_counts(was, count), m = (double)kb_sum_counts(now, count),
           least = fmin(n, m) / (n + m);
    double statistic = 0, a = 0, c = 0, last_a = 0, last_c = 0;
    size_t groups = 0;
    for (size_t b = 0; n > 0 && m > 0 && b < count; b++) {
        a += (double)was[b];
        c += (double)now[b];
        if ((a + c) * least < LEAST_EXPECTED)
            continue;
        if (groups)
            statistic += deviation(last_a, last_c, n, m);
        groups++;
        last_a = a;
        last_c = c;
        a = c = 0;
    }
    if (groups < 2)
        return (kb_share_test){(double)NAN, (double)NAN};
    statistic += deviation(last_a + a, last_c + c, n, m);
    return (kb_share_test){statistic, kb_chi_square_tail(statistic, (double)(groups - 1))};
}

double kb_class_delta(const uint64_t *was, const uint64_t *now, size_t count)
{
    double n = (double)kb_sum_counts(was, count), m = (double)kb_sum_counts(now, count), below = 0,
           delta = 0;
    for (size_t b = 0; b < count; b++) {
        double above = n - below - (double)was[b];
        delta += (double)now[b] * (below - above);
        below += (double)was[b];
    }
    return n > 0 && m > 0 ? delta / (n * m) : (double)NAN;
}
