#include "odds.h"

#include <math.h>
#include <stdbool.h>

#include "fisher.h"

/* A table as real numbers: a, b inside, c, d outside, with and without. */
struct cells {
    double a, b, c, d;
};

static struct cells cells_of(const kb_table2 *t, double added)
{
    return (struct cells){(double)t->in_with + added, (double)t->in_without + added,
                          (double)t->out_with + added, (double)t->out_without + added};
}

static const kb_effect nothing = {NAN, NAN, NAN, 1};

static void set_interval(kb_effect *effect, double variance)
{
    effect->low = effect->value - KB_Z95 * sqrt(variance);
    effect->high = effect->value + KB_Z95 * sqrt(variance);
}

kb_effect kb_log_odds(const kb_table2 *table)
{
    uint64_t inside = table->in_with + table->in_without;
    uint64_t outside = table->out_with + table->out_without;
    if (!inside || !outside)
        return nothing;
    struct cells t = cells_of(table, .5);
    kb_effect effect = {.value = log(t.a * t.d / (t.b * t.c)),
                        .p = kb_fisher_exact(table->in_with, inside, table->out_with, outside)};
    set_interval(&effect, 1 / t.a + 1 / t.b + 1 / t.c + 1 / t.d);
    return effect;
}

static bool says_something(const kb_table2 *t)
{
    return (t->in_with || t->in_without) && (t->out_with || t->out_without) &&
           (t->in_with || t->out_with) && (t->in_without || t->out_without);
}

/* Sums over the strata; P, Q, R, S as Robins, Breslow and Greenland have them. */
struct sums {
    double r, s, pr, ps_qr, qs;
    double a, expected, variance;
};

static void add_stratum(struct sums *sums, const struct cells *t)
{
    double n = t->a + t->b + t->c + t->d;
    double p = (t->a + t->d) / n, q = (t->b + t->c) / n;
    double r = t->a * t->d / n, s = t->b * t->c / n;
    sums->r += r;
    sums->s += s;
    sums->pr += p * r;
    sums->ps_qr += p * s + q * r;
    sums->qs += q * s;
    sums->a += t->a;
    sums->expected += (t->a + t->b) * (t->a + t->c) / n;
    sums->variance +=
        (t->a + t->b) * (t->c + t->d) * (t->a + t->c) * (t->b + t->d) / (n * n * (n - 1));
}

static struct sums sum_up(const kb_table2 *tables, size_t count, double added)
{
    struct sums sums = {0};
    for (size_t h = 0; h < count; h++) {
        if (!says_something(&tables[h]))
            continue;
        struct cells cells = cells_of(&tables[h], added);
        add_stratum(&sums, &cells);
    }
    return sums;
}

kb_effect kb_log_odds_stratified(const kb_table2 *tables, size_t count)
{
    struct sums plain = sum_up(tables, count, 0), sums = plain;
    if (plain.variance <= 0)
        return nothing;
    if (plain.r <= 0 || plain.s <= 0)
        sums = sum_up(tables, count, .5);
    kb_effect effect = {.value = log(sums.r / sums.s),
                        .p = kb_normal_p((plain.a - plain.expected) / sqrt(plain.variance))};
    set_interval(&effect, sums.pr / (2 * sums.r * sums.r) + sums.ps_qr / (2 * sums.r * sums.s) +
                              sums.qs / (2 * sums.s * sums.s));
    return effect;
}
