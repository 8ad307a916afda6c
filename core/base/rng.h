/* rng: counter-based random numbers (Philox 4x32-10).
 *
 * Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The numbers
 * are a pure function of (seed, stream, position): the same on every machine, device and number of
 * threads. Give each use its own stream (KB_STREAM_*), so that a change in one place does not shift
 * the numbers of another. */
#ifndef KB_RNG_H
#define KB_RNG_H

#include <stddef.h>
#include <stdint.h>

enum {
    KB_STREAM_SPLIT = 1, /* which sessions are held out */
    KB_STREAM_INIT,      /* initial weights */
    KB_STREAM_SHUFFLE,   /* order of sessions in an epoch */
    KB_STREAM_NOISE,     /* the VAE's reparameterisation */
    KB_STREAM_KMEANS,
    KB_STREAM_TSNE,
    KB_STREAM_GENERATE,
    KB_STREAM_TEST,
    KB_STREAM_RANGE,     /* where the range finder starts */
    KB_STREAM_VIEWS,     /* which sessions views are compared on */
    KB_STREAM_REFERENCE, /* which training sessions a model keeps as points */
    KB_STREAM_FOLDS,     /* folds of the calibration sessions */
    KB_STREAM_EXCESS,    /* which of many sessions are looked at */
    KB_STREAM_BOOTSTRAP, /* resampled points */
    KB_STREAM_SUPPORT    /* which fitted sessions support a choice of k */
};

/* The block function: OUT = Philox4x32-10(COUNTER, KEY). */
void kb_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

typedef struct kb_rng {
    uint32_t key[2];
    uint32_t counter[4]; /* position (64 bits), stream (64 bits) */
    uint32_t block[4];
    unsigned left; /* unused words of block */
    float spare_normal;
    int has_spare;
} kb_rng;

/* STREAM is usually a KB_STREAM_* value, with a sub-number above it where needed: KB_STREAM_KMEANS
 * + 100 * restart. */
kb_rng kb_rng_start(uint64_t seed, uint64_t stream);
uint32_t kb_rng_u32(kb_rng *rng);
double kb_rng_uniform(kb_rng *rng);                 /* [0, 1), 53 bits */
uint64_t kb_rng_below(kb_rng *rng, uint64_t bound); /* 0 .. bound-1 without bias; bound > 0 */
float kb_rng_normal(kb_rng *rng);                   /* standard normal, Box-Muller */
double kb_rng_exponential(kb_rng *rng);             /* mean 1 */
void kb_rng_shuffle(kb_rng *rng, size_t *items, size_t count); /* Fisher-Yates */

#endif
