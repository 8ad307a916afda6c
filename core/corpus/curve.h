/* curve: how the count of one object may move over a session; what synthetic corpora are drawn
 * with. */
#ifndef KB_CURVE_H
#define KB_CURVE_H

#include <stddef.h>

#include "rng.h"

typedef enum kb_curve {
    /* What healthy objects do. */
    KB_CURVE_PLATEAU, /* fills up early, then stays: caches, pools */
    KB_CURVE_GROWTH,  /* grows all along, fast or slow: history, logs */
    KB_CURVE_BURSTS,  /* comes with each action and dies away: requests, temporaries */
    KB_CURVE_STEP,    /* there from some moment on: a screen was opened */
    /* What a leak does. Each starts in the second half of the session and ends at its highest. */
    KB_CURVE_LINEAR,
    KB_CURVE_EXPONENTIAL,
    KB_CURVE_STAIRCASE, /* one batch after the other, none given back */
    KB_CURVE_SAWTOOTH   /* given back each time, but never all of it: the floor rises */
} kb_curve;

enum {
    KB_CURVES_BACKGROUND = 4, /* the first of them */
    KB_CURVES = 8
};

/* Y (LENGTH values) becomes a curve of KIND with its own random shape and noise: >= 0, the highest
 * value 1. */
void kb_curve_draw(kb_curve kind, kb_rng *rng, double *y, size_t length);

#endif
