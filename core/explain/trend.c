#include "trend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

enum {
    EXACT_HITS = 20,         /* with more the normal distribution is near enough */
    EXACT_STEPS = 100000000, /* of the exact sum; more would take too long for one cluster */
};

/* The groups and their sums. */
struct groups {
    const int64_t *scores;
    const uint64_t *hits, *totals;
    size_t count;
    double all, hit;          /* N, X */
    int64_t lowest, highest;  /* scores of groups with any */
    double mean, squares, up; /* S, sum n (s - S)^2, sum x (s - S) */
};

static void add_up(struct groups *g)
{
    double sum = 0;
    for (size_t i = 0; i < g->count; i++) {
        if (!g->totals[i])
            continue;
        if (g->all == 0 || g->scores[i] < g->lowest)
            g->lowest = g->scores[i];
        if (g->all == 0 || g->scores[i] > g->highest)
            g->highest = g->scores[i];
        g->all += (double)g->totals[i];
        g->hit += (double)g->hits[i];
        sum += (double)g->totals[i] * (double)g->scores[i];
    }
    g->mean = sum / g->all;
    for (size_t i = 0; i < g->count; i++) {
        double off = (double)g->scores[i] - g->mean;
        g->squares += (double)g->totals[i] * off * off;
        g->up += (double)g->hits[i] * off;
    }
}

/* --- the exact distribution --------------------------------------------------------------- */

/* ways[h * sums + t]: in how many ways h of the sessions so far, with scores that sum up to t, are
 * the rare ones. */
struct deal {
    double *ways;
    size_t rare, sums;
};

/* Adds a group of TOTAL with SCORE >= 0. Downwards, so that what is read has not been changed:
 * taking x > 0 always comes from fewer hits. */
static void deal_group(struct deal *d, uint64_t total, size_t score)
{
    for (size_t h = d->rare; h > 0; h--) {
        double choices = 1; /* C(total, x) */
        for (size_t x = 1; x <= h && x <= total; x++) {
            choices *= (double)(total - x + 1) / (double)x;
            const double *from = d->ways + (h - x) * d->sums;
            double *to = d->ways + h * d->sums + x * score;
            for (size_t t = 0; t + x * score < d->sums; t++)
                to[t] += choices * from[t];
        }
    }
}

/* The share of all ways whose sum is at least as far from the mean. */
static double far_share(const struct deal *d, double mean, double observed)
{
    const double *ways = d->ways + d->rare * d->sums;
    double far = 0, all = 0, distance = fabs(observed - mean) * (1 - 1e-12);
    for (size_t t = 0; t < d->sums; t++) {
        all += ways[t];
        far += fabs((double)t - mean) >= distance ? ways[t] : 0;
    }
    return far / all;
}

/* *P: the exact one, where it is called for; otherwise it stays. What is dealt out is the rarer of
 * hits and others, which has the same distance from its mean. */
static kb_status exact(double *p, const struct groups *g, kb_error *err)
{
    bool hits_rare = g->hit <= g->all - g->hit;
    double rare = hits_rare ? g->hit : g->all - g->hit, observed = 0;
    double span = (double)g->highest - (double)g->lowest;
    if (rare > EXACT_HITS || rare * rare * (rare * span + 1) * (double)g->count > EXACT_STEPS)
        return KB_OK;
    struct deal d = {.rare = (size_t)rare, .sums = (size_t)(rare * span) + 1};
    d.ways = kb_calloc((d.rare + 1) * d.sums, sizeof *d.ways);
    if (!d.ways)
        return kb_fail_memory(err, "a test of trend");
    d.ways[0] = 1;
    for (size_t i = 0; i < g->count; i++) {
        if (!g->totals[i])
            continue;
        uint64_t mine = hits_rare ? g->hits[i] : g->totals[i] - g->hits[i];
        size_t score = (size_t)(g->scores[i] - g->lowest);
        observed += (double)mine * (double)score;
        deal_group(&d, g->totals[i], score);
    }
    *p = fmin(1, far_share(&d, rare * (g->mean - (double)g->lowest), observed));
    free(d.ways);
    return KB_OK;
}

kb_status kb_cochran_armitage(kb_share_test *out, const int64_t *scores, const uint64_t *hits,
                              const uint64_t *totals, size_t count, kb_error *err)
{
    struct groups g = {.scores = scores, .hits = hits, .totals = totals, .count = count};
    *out = (kb_share_test){(double)NAN, (double)NAN};
    add_up(&g);
    if (g.lowest == g.highest || !(g.hit > 0 && g.hit < g.all))
        return KB_OK;
    double variance = g.hit * (g.all - g.hit) / (g.all * (g.all - 1)) * g.squares;
    out->statistic = g.up / sqrt(variance);
    out->p = kb_normal_two_sided(out->statistic);
    return exact(&out->p, &g, err);
}
