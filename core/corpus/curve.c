#include "curve.h"

#include <math.h>

static double between(kb_rng *rng, double low, double high)
{
    return low + (high - low) * kb_rng_uniform(rng);
}

/* Step i as a time in 0..1. */
static double moment(size_t i, size_t length)
{
    return length > 1 ? (double)i / (double)(length - 1) : 1;
}

static void plateau(kb_rng *rng, double *y, size_t length)
{
    double floor = between(rng, 0, .4), rise = between(rng, .02, .25);
    for (size_t i = 0; i < length; i++)
        y[i] = floor + 1 - exp(-(moment(i, length) + .01) / rise);
}

static void growth(kb_rng *rng, double *y, size_t length)
{
    double floor = between(rng, .02, .5), power = between(rng, .5, 2);
    for (size_t i = 0; i < length; i++)
        y[i] = floor + pow(moment(i, length), power);
}

/* Shot noise: exponential impulses that decay geometrically. */
static void bursts(kb_rng *rng, double *y, size_t length)
{
    double keep = between(rng, .6, .92), level = kb_rng_exponential(rng);
    for (size_t i = 0; i < length; i++) {
        level *= keep;
        if (kb_rng_uniform(rng) < .06)
            level += kb_rng_exponential(rng);
        y[i] = .1 + level;
    }
}

static void step(kb_rng *rng, double *y, size_t length)
{
    double onset = between(rng, .15, .7), slope = .2 * kb_rng_normal(rng);
    for (size_t i = 0; i < length; i++) {
        double t = moment(i, length);
        y[i] = t < onset ? 0 : fmax(1 + slope * (t - onset), .1);
    }
}

/* The path of a leak whose age x runs from 0 (its onset) to 1 (the crash). TEETH: stairs or teeth
 * on the way. */
static double leak_at(kb_curve kind, double x, double teeth)
{
    double tooth = x * teeth - floor(x * teeth);
    switch (kind) {
    case KB_CURVE_EXPONENTIAL:
        return expm1(4 * x) / expm1(4);
    case KB_CURVE_STAIRCASE:
        return ceil(x * teeth) / teeth;
    case KB_CURVE_SAWTOOTH:
        return x < 1 ? .7 * x + .3 * tooth * sqrt(x) : 1;
    default:
        return x;
    }
}

static void leak(kb_curve kind, kb_rng *rng, double *y, size_t length)
{
    double floor = between(rng, .03, .2), onset = between(rng, .5, .8), teeth = between(rng, 3, 6);
    for (size_t i = 0; i < length; i++) {
        double t = moment(i, length);
        y[i] = floor + (t > onset ? leak_at(kind, (t - onset) / (1 - onset), round(teeth)) : 0);
    }
}

static void add_noise(kb_rng *rng, double *y, size_t length)
{
    for (size_t i = 0; i < length; i++)
        y[i] *= fmax(1 + .03 * kb_rng_normal(rng), 0);
}

static void normalise(double *y, size_t length)
{
    double highest = 0;
    for (size_t i = 0; i < length; i++)
        highest = fmax(highest, y[i]);
    for (size_t i = 0; i < length && highest > 0; i++)
        y[i] /= highest;
}

void kb_curve_draw(kb_curve kind, kb_rng *rng, double *y, size_t length)
{
    switch (kind) {
    case KB_CURVE_PLATEAU:
        plateau(rng, y, length);
        break;
    case KB_CURVE_GROWTH:
        growth(rng, y, length);
        break;
    case KB_CURVE_BURSTS:
        bursts(rng, y, length);
        break;
    case KB_CURVE_STEP:
        step(rng, y, length);
        break;
    default:
        leak(kind, rng, y, length);
        break;
    }
    add_noise(rng, y, length);
    normalise(y, length);
}
