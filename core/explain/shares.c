#include "shares.h"

#include <math.h>

static const double Z95 = 1.959963984540054; /* P(|Z| <= Z95) = .95 */

kb_interval kb_wilson(uint64_t hits, uint64_t total)
{
    if (!total)
        return (kb_interval){(double)NAN, (double)NAN};
    double n = (double)total, share = (double)hits / n, z2 = Z95 * Z95;
    double centre = (share + z2 / (2 * n)) / (1 + z2 / n);
    double half = Z95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n));
    return (kb_interval){hits ? fmax(0, centre - half) : 0,
                         hits < total ? fmin(1, centre + half) : 1};
}

double kb_normal_two_sided(double z)
{
    return erfc(fabs(z) / M_SQRT2);
}

/* --- chi-square --------------------------------------------------------------------------- */

/* ln of the gamma function; lgamma alone writes a global. */
static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

enum { TERMS_MAX = 100000 };

/* P(a, x) by its series, for x < a + 1. */
static double lower_gamma(double a, double x)
{
    double term = 1 / a, sum = term;
    for (int i = 1; i < TERMS_MAX && term > sum * 1e-17; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return sum * exp(a * log(x) - x - log_gamma(a));
}

/* Q(a, x) by its continued fraction (Lentz's method as Thompson and Barnett changed it), for
 * x >= a + 1. */
static double upper_gamma(double a, double x)
{
    double b = x + 1 - a, c = 1e300, d = 1 / b, fraction = d;
    for (int i = 1; i < TERMS_MAX; i++) {
        double an = -i * (i - a);
        b += 2;
        d = an * d + b;
        d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
        c = b + an / c;
        c = fabs(c) < 1e-300 ? 1e-300 : c;
        fraction *= c * d;
        if (fabs(c * d - 1) < 1e-15)
            break;
    }
    return fraction * exp(a * log(x) - x - log_gamma(a));
}

double kb_chi_square_tail(double x, double df)
{
    double a = df / 2, half = x / 2;
    if (isnan(x))
        return (double)NAN;
    if (half <= 0)
        return 1;
    return half < a + 1 ? 1 - lower_gamma(a, half) : upper_gamma(a, half);
}

kb_share_test kb_chi_square_shares(const uint64_t *hits, const uint64_t *totals, size_t count)
{
    double hit = 0, all = 0, statistic = 0;
    size_t groups = 0;
    for (size_t g = 0; g < count; g++) {
        hit += (double)hits[g];
        all += (double)totals[g];
        groups += totals[g] > 0;
    }
    if (groups < 2 || !(hit > 0 && hit < all))
        return (kb_share_test){(double)NAN, (double)NAN};
    double share = hit / all;
    for (size_t g = 0; g < count; g++) {
        double off = (double)hits[g] - share * (double)totals[g];
        if (totals[g])
            statistic += off * off / (share * (1 - share) * (double)totals[g]);
    }
    return (kb_share_test){statistic, kb_chi_square_tail(statistic, (double)(groups - 1))};
}

/* --- cases judged twice ------------------------------------------------------------------- */

static double log_choose(uint64_t n, uint64_t k)
{
    return log_gamma((double)n + 1) - log_gamma((double)k + 1) - log_gamma((double)(n - k) + 1);
}

double kb_mcnemar_exact(uint64_t only_a, uint64_t only_b)
{
    uint64_t n = only_a + only_b, smaller = only_a < only_b ? only_a : only_b;
    double sum = 0;
    for (uint64_t x = smaller + 1; x-- > 0;) {
        double weight = exp(log_choose(n, x) - (double)n * M_LN2);
        sum += weight;
        if (weight < 1e-30 * sum)
            break; /* only smaller ones follow */
    }
    return fmin(1, 2 * sum);
}
