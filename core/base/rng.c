#include "rng.h"

#include <math.h>

static const uint32_t MULTIPLIER_0 = 0xD2511F53u, MULTIPLIER_1 = 0xCD9E8D57u;
static const uint32_t WEYL_0 = 0x9E3779B9u, WEYL_1 = 0xBB67AE85u;

void kb_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)MULTIPLIER_0 * c0, p1 = (uint64_t)MULTIPLIER_1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += WEYL_0;
        k1 += WEYL_1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

kb_rng kb_rng_start(uint64_t seed, uint64_t stream)
{
    kb_rng rng = {.key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
                  .counter = {0, 0, (uint32_t)stream, (uint32_t)(stream >> 32)}};
    return rng;
}

uint32_t kb_rng_u32(kb_rng *rng)
{
    if (!rng->left) {
        kb_philox4x32(rng->counter, rng->key, rng->block);
        if (++rng->counter[0] == 0)
            rng->counter[1]++;
        rng->left = 4;
    }
    return rng->block[4 - rng->left--];
}

static uint64_t next_u64(kb_rng *rng)
{
    uint64_t low = kb_rng_u32(rng);
    return (uint64_t)kb_rng_u32(rng) << 32 | low;
}

double kb_rng_uniform(kb_rng *rng)
{
    return (double)(next_u64(rng) >> 11) * 0x1p-53;
}

uint64_t kb_rng_below(kb_rng *rng, uint64_t bound)
{
    /* Values below 2^64 mod bound would be drawn once too often: draw again. */
    uint64_t threshold = (0 - bound) % bound;
    for (;;) {
        uint64_t x = next_u64(rng);
        if (x >= threshold)
            return x % bound;
    }
}

float kb_rng_normal(kb_rng *rng)
{
    if (rng->has_spare) {
        rng->has_spare = 0;
        return rng->spare_normal;
    }
    double radius = sqrt(-2.0 * log(1.0 - kb_rng_uniform(rng)));
    double angle = 6.283185307179586 * kb_rng_uniform(rng);
    rng->spare_normal = (float)(radius * sin(angle));
    rng->has_spare = 1;
    return (float)(radius * cos(angle));
}

double kb_rng_exponential(kb_rng *rng)
{
    return -log(1.0 - kb_rng_uniform(rng));
}

void kb_rng_shuffle(kb_rng *rng, size_t *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)kb_rng_below(rng, i);
        size_t kept = items[i - 1];
        items[i - 1] = items[j];
        items[j] = kept;
    }
}
