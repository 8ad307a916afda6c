#include "scaling.h"

#include <math.h>
#include <string.h>

enum shape { SHAPE_STEPS, SHAPE_BINS, SHAPE_GROWTH };
enum { QUARTERS = 4 };

static float as_it_is(float x)
{
    return x;
}

static float presence(float x)
{
    return x > 0 ? 1.0f : 0.0f;
}

static float signed_root(float x)
{
    return copysignf(sqrtf(fabsf(x)), x);
}

/* x' = (x - min) / (max - min), 1 for a constant that is not 0. */
static void to_minmax(float *x, size_t n)
{
    float min = x[0], max = x[0];
    for (size_t i = 1; i < n; i++) {
        min = x[i] < min ? x[i] : min;
        max = x[i] > max ? x[i] : max;
    }
    float range = max - min;
    for (size_t i = 0; i < n; i++)
        x[i] = range > 0 ? (x[i] - min) / range : max > 0;
}

static void to_max(float *x, size_t n)
{
    float max = 0;
    for (size_t i = 0; i < n; i++)
        max = x[i] > max ? x[i] : max;
    for (size_t i = 0; i < n && max > 0; i++)
        x[i] /= max;
}

static void leave(float *x, size_t n)
{
    (void)x;
    (void)n;
}

static const struct view {
    const char *name;
    enum shape shape;
    float (*reading)(float x);          /* before bins are made */
    float (*value)(float x);            /* of a bin, or of the growth */
    void (*within)(float *x, size_t n); /* over all of the series' values */
    kb_divisor divisor;
    bool unit;
} views[KB_SCALES] = {
    [KB_SCALE_MINMAX] = {"minmax", SHAPE_STEPS, as_it_is, as_it_is, to_minmax, KB_DIVISOR_NONE, 0},
    [KB_SCALE_MAX] = {"max", SHAPE_STEPS, as_it_is, as_it_is, to_max, KB_DIVISOR_NONE, 0},
    [KB_SCALE_NONE] = {"none", SHAPE_STEPS, as_it_is, as_it_is, leave, KB_DIVISOR_NONE, 0},
    [KB_SCALE_BINS_MAX] = {"bins-max", SHAPE_BINS, as_it_is, as_it_is, to_max, KB_DIVISOR_NONE, 0},
    [KB_SCALE_BINS_GLOBAL] = {"bins-global", SHAPE_BINS, as_it_is, as_it_is, leave,
                              KB_DIVISOR_MAXIMUM, 0},
    [KB_SCALE_BINS_LOG] = {"bins-log", SHAPE_BINS, as_it_is, log1pf, leave, KB_DIVISOR_MAXIMUM, 0},
    [KB_SCALE_BINS_PRESENCE] = {"bins-presence", SHAPE_BINS, presence, as_it_is, leave,
                                KB_DIVISOR_NONE, 0},
    [KB_SCALE_TRAJECTORY] = {"trajectory", SHAPE_BINS, as_it_is, as_it_is, leave, KB_DIVISOR_NONE,
                             1},
    [KB_SCALE_GROWTH] = {"growth", SHAPE_GROWTH, as_it_is, as_it_is, leave, KB_DIVISOR_NONE, 1},
    [KB_SCALE_GROWTH_ROOT] = {"growth-root", SHAPE_GROWTH, as_it_is, signed_root, leave,
                              KB_DIVISOR_NONE, 1},
    [KB_SCALE_GROWTH_SD] = {"growth-sd", SHAPE_GROWTH, as_it_is, as_it_is, leave,
                            KB_DIVISOR_DEVIATION, 1},
};

const char *kb_scale_name(kb_scale scale)
{
    return (int)scale == KB_SCALE_AUTO ? "auto" : views[scale].name;
}

bool kb_scale_parse(kb_scale *out, const char *text)
{
    for (int i = 0; i < KB_SCALES; i++) {
        if (strcmp(text, views[i].name) == 0) {
            *out = (kb_scale)i;
            return true;
        }
    }
    return false;
}

bool kb_scale_has_bins(kb_scale scale)
{
    return views[scale].shape == SHAPE_BINS;
}

bool kb_scale_is_unit(kb_scale scale)
{
    return views[scale].unit;
}

kb_divisor kb_scale_divisor(kb_scale scale)
{
    return views[scale].divisor;
}

size_t kb_scale_width(kb_scale scale, size_t timesteps, size_t bins)
{
    switch (views[scale].shape) {
    case SHAPE_STEPS:
        return timesteps;
    case SHAPE_BINS:
        return bins;
    case SHAPE_GROWTH:
        break;
    }
    return 1;
}

/* BLOCK: the last LENGTH of t steps. */
static void pad(const kb_series *series, size_t length, size_t timesteps, float *block)
{
    size_t padding = timesteps - length;
    memset(block, 0, timesteps * sizeof *block);
    memcpy(block + padding + series->first, series->values, series->count * sizeof *block);
}

/* BLOCK: means over BINS equal parts of LENGTH steps. A step that lies across an edge counts for
 * each side by how much of it is there, so that LENGTH may also be less than BINS. */
static void resample(const kb_series *series, size_t length, size_t bins, float (*reading)(float x),
                     float *block)
{
    double step = (double)bins / (double)length; /* in bins */
    memset(block, 0, bins * sizeof *block);
    for (size_t i = 0; i < series->count; i++) {
        float x = reading(series->values[i]);
        double from = (double)(series->first + i) * step, to = from + step;
        for (size_t b = (size_t)from; x != 0 && b < bins && (double)b < to; b++) {
            double left = from > (double)b ? from : (double)b;
            double right = to < (double)(b + 1) ? to : (double)(b + 1);
            block[b] += x * (float)(right - left);
        }
    }
}

void kb_scale_series(kb_scale scale, const kb_series *series, size_t length, size_t timesteps,
                     size_t bins, float *block)
{
    const struct view *view = &views[scale];
    float quarters[QUARTERS];
    size_t width = kb_scale_width(scale, timesteps, bins);
    switch (view->shape) {
    case SHAPE_STEPS:
        pad(series, length, timesteps, block);
        break;
    case SHAPE_BINS:
        resample(series, length, bins, view->reading, block);
        break;
    case SHAPE_GROWTH:
        resample(series, length, QUARTERS, view->reading, quarters);
        block[0] = quarters[QUARTERS - 1] - quarters[0];
        break;
    }
    for (size_t i = 0; i < width && view->value != as_it_is; i++)
        block[i] = view->value(block[i]);
    view->within(block, width);
}
