#include "rates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static const double usual_again = .05;

struct kb_rates {
    kb_rate *items; /* emerging first */
    size_t count;
    uint64_t n;
    double total;
    bool closed; /* the window has been judged */
};

kb_rates *kb_rates_create(const uint32_t *numbers, size_t count)
{
    kb_rates *rates = kb_calloc(1, sizeof *rates);
    if (!rates)
        return NULL;
    rates->count = count + 1;
    rates->items = kb_calloc(rates->count, sizeof *rates->items);
    if (!rates->items) {
        kb_rates_free(rates);
        return NULL;
    }
    for (size_t i = 0; i < rates->count; i++)
        rates->items[i] = (kb_rate){.cluster = i ? numbers[i - 1] : 0, .p = 1};
    return rates;
}

void kb_rates_free(kb_rates *rates)
{
    if (!rates)
        return;
    free(rates->items);
    free(rates);
}

static void open_window(kb_rates *rates)
{
    rates->n = 0;
    rates->closed = false;
    for (size_t i = 0; i < rates->count; i++)
        rates->items[i].window = 0;
}

void kb_rates_add(kb_rates *rates, uint32_t cluster, bool emerging)
{
    if (rates->closed)
        open_window(rates);
    rates->n++;
    rates->items[0].window += emerging;
    for (size_t i = 1; i < rates->count; i++)
        rates->items[i].window += rates->items[i].cluster == cluster;
}

/* --- the test ----------------------------------------------------------------------------- */

static double log_beta(double a, double b)
{
    return lgamma(a) + lgamma(b) - lgamma(a + b);
}

/* P(X = k) of the beta-binomial. */
static double probability(double k, double n, double a, double b)
{
    double ways = -log(n + 1) - log_beta(k + 1, n - k + 1); /* of C(n, k) */
    return exp(ways + log_beta(k + a, n - k + b) - log_beta(a, b));
}

/* The sum of P from k on away from the mean, each term from the one before by
 * P(k + 1) / P(k) = (n - k) (k + a) / ((k + 1) (n - k - 1 + b)). */
static double tail(double k, double n, double a, double b, bool upper)
{
    double term = probability(k, n, a, b), sum = term;
    while (upper ? k < n : k > 0) {
        if (upper) {
            term *= (n - k) * (k + a) / ((k + 1) * (n - k - 1 + b));
            k++;
        } else {
            term *= k * (n - k + b) / ((n - k + 1) * (k - 1 + a));
            k--;
        }
        sum += term;
        if (!(term > 1e-17 * sum)) /* nor if all of it is too small for a number */
            break;
    }
    return sum;
}

double kb_rate_p(double history_k, double history_n, uint64_t k, uint64_t n)
{
    double a = history_k + .5, b = history_n - history_k + .5;
    if (!n)
        return 1;
    bool upper = (double)k >= (double)n * a / (a + b);
    return fmin(1, 2 * tail((double)k, (double)n, a, b, upper));
}

static void judge(const kb_rates *rates, kb_rate *rate, double level)
{
    rate->p = kb_rate_p(rate->history, rates->total, rate->window, rates->n);
    double corrected = rate->p * (double)rates->count;
    bool before = rate->departs;
    if (corrected < level)
        rate->departs = true;
    else if (corrected > usual_again)
        rate->departs = false;
    rate->tells = rate->departs != before;
}

void kb_rates_close(kb_rates *rates, double level)
{
    if (rates->closed)
        open_window(rates);
    rates->closed = true;
    for (size_t i = 0; i < rates->count; i++) {
        rates->items[i].tells = false;
        if (rates->total >= KB_RATES_LEAST && rates->n)
            judge(rates, &rates->items[i], level);
    }
    double whole = rates->total + (double)rates->n;
    double weight = whole > KB_RATES_HISTORY ? KB_RATES_HISTORY / whole : 1;
    rates->total = weight * whole;
    for (size_t i = 0; i < rates->count; i++) {
        kb_rate *rate = &rates->items[i];
        rate->history = weight * (rate->history + (double)rate->window);
    }
}

/* --- asking ------------------------------------------------------------------------------- */

size_t kb_rates_count(const kb_rates *rates)
{
    return rates->count;
}

kb_rate kb_rates_get(const kb_rates *rates, size_t i)
{
    return rates->items[i];
}

uint64_t kb_rates_window(const kb_rates *rates)
{
    return rates->n;
}

double kb_rates_history(const kb_rates *rates)
{
    return rates->total;
}

/* --- on disk ------------------------------------------------------------------------------ */

void kb_rates_save(const kb_rates *rates, kb_record *record)
{
    kb_record_u64(record, rates->count);
    kb_record_u64(record, rates->closed ? 0 : rates->n);
    kb_record_real(record, rates->total);
    for (size_t i = 0; i < rates->count; i++) {
        const kb_rate *rate = &rates->items[i];
        kb_record_u32(record, rate->cluster);
        kb_record_u32(record, rate->departs);
        kb_record_u64(record, rates->closed ? 0 : rate->window);
        kb_record_real(record, rate->history);
    }
}

static bool read_rate(kb_rate *rate, uint64_t n, double total, kb_record_reader *reader)
{
    uint32_t cluster = kb_read_u32(reader);
    rate->departs = kb_read_u32(reader) != 0;
    rate->window = kb_read_u64(reader);
    rate->history = kb_read_real(reader);
    return cluster == rate->cluster && rate->window <= n && rate->history >= 0 &&
           rate->history <= total * (1 + 1e-9);
}

kb_status kb_rates_restore(kb_rates *rates, kb_record_reader *reader, kb_error *err)
{
    bool good = kb_read_u64(reader) == rates->count;
    rates->n = kb_read_u64(reader);
    rates->total = kb_read_real(reader);
    good = good && rates->n <= KB_RATES_WINDOW && rates->total >= 0 &&
           rates->total <= KB_RATES_HISTORY;
    for (size_t i = 0; good && i < rates->count; i++)
        good = read_rate(&rates->items[i], rates->n, rates->total, reader);
    if (good && !reader->broken)
        return KB_OK;
    open_window(rates);
    rates->total = 0;
    for (size_t i = 0; i < rates->count; i++)
        rates->items[i] = (kb_rate){.cluster = rates->items[i].cluster, .p = 1};
    return kb_fail(err, KB_ERR_FORMAT, "the rates are those of other clusters");
}
