/* fastmath: exp, expm1, tanh, log, and sine and cosine of turns, for floats, written so that a loop
 * over them becomes vector code (calls of libm do not). No branches, no tables; NaN goes in, NaN
 * comes out, so that a diverged training is seen.
 *
 * Largest errors against libm's double functions (the tests hold them): exp, log 1.5 ulp, expm1 2,
 * tanh 3. Coefficients come from fastmath.py. */
#ifndef KB_FASTMATH_H
#define KB_FASTMATH_H

#include <stdint.h>

#define KB_INLINE static inline __attribute__((always_inline))

KB_INLINE float kb_float_of_bits(uint32_t bits)
{
    union {
        uint32_t bits;
        float value;
    } u = {.bits = bits};
    return u.value;
}

KB_INLINE uint32_t kb_bits_of_float(float value)
{
    union {
        float value;
        uint32_t bits;
    } u = {.value = value};
    return u.bits;
}

/* 2^n for -126 <= n <= 127. */
KB_INLINE float kb_power_of_two(int32_t n)
{
    return kb_float_of_bits((uint32_t)(n + 127) << 23);
}

/* Splits x = n ln 2 + r, |r| <= ln(2) / 2, for |x| < 2^21; returns expm1(r). Adding 1.5 * 2^23
 * rounds to a whole number, which then stands in the low bits. */
KB_INLINE float kb_expm1_reduced(float x, int32_t *n)
{
    const float magic = 12582912.0f, per_ln2 = 1.44269504f;
    const float ln2_high = 0.693145752f, ln2_low = 1.42860677e-6f;
    float rounded = x * per_ln2 + magic;
    float whole = rounded - magic;
    float r = (x - whole * ln2_high) - whole * ln2_low;
    *n = (int32_t)(kb_bits_of_float(rounded) - 0x4B400000u);
    float tail = 0.166665487f + r * (0.0416668542f + r * (0.00836604079f + r * 0.00138982248f));
    return r + r * r * (0.5f + r * tail);
}

/* Whole range: underflows to 0 through the subnormals, overflows to infinity. The scale is applied
 * in two halves because 2^n itself may not be a float. */
KB_INLINE float kb_exp(float x)
{
    x = x < -104.0f ? -104.0f : x;
    x = x > 89.0f ? 89.0f : x;
    int32_t n;
    float p = kb_expm1_reduced(x, &n);
    int32_t half = n >> 1; /* gcc and clang shift the sign in */
    return (1.0f + p) * kb_power_of_two(half) * kb_power_of_two(n - half);
}

/* For x <= 80; below -20 the result is -1. */
KB_INLINE float kb_expm1(float x)
{
    x = x < -20.0f ? -20.0f : x;
    int32_t n;
    float p = kb_expm1_reduced(x, &n);
    float scale = kb_power_of_two(n);
    return scale * p + (scale - 1.0f);
}

/* tanh |x| = e / (e + 2), e = expm1(2 |x|): exact where x is small, 1 from 10 on. */
KB_INLINE float kb_tanh(float x)
{
    float a = __builtin_fabsf(x);
    a = a > 10.0f ? 10.0f : a;
    float e = kb_expm1(a + a);
    return __builtin_copysignf(e / (e + 2.0f), x);
}

/* Natural logarithm of a positive normal number: x = 2^n m, m in [sqrt(1/2), sqrt(2)). */
KB_INLINE float kb_log(float x)
{
    const uint32_t root_half = 0x3F3504F3u;
    uint32_t above = kb_bits_of_float(x) - root_half;
    float n = (float)((int32_t)above >> 23);
    float f = kb_float_of_bits((above & 0x7FFFFFu) + root_half) - 1.0f;
    float tail = 0.14201758f + f * (-0.131601824f + f * (0.12761577f + f * -0.0763449653f));
    tail = 0.333333317f + f * (-0.25000821f + f * (0.200012269f + f * (-0.166233573f + f * tail)));
    float near_one = f + f * f * (f * tail - 0.5f);
    return n * 0.693145752f + (near_one + n * 1.42860677e-6f);
}

/* Sine and cosine of 2 pi TURNS, 0 <= turns <= 1. The quadrant is the nearest quarter turn; the
 * rest is at most an eighth. */
KB_INLINE void kb_sincos_turns(float turns, float *sine, float *cosine)
{
    const float magic = 12582912.0f;
    float rounded = turns * 4.0f + magic;
    uint32_t quadrant = kb_bits_of_float(rounded);
    float r = turns - (rounded - magic) * 0.25f, s = r * r;
    float sn = r * (6.28318529f + s * (-41.3416614f + s * (81.592351f + s * -75.3934318f)));
    float cs = 1.0f + s * (-19.7392086f + s * (64.9393107f + s * (-85.442295f + s * 59.2026907f)));
    uint32_t swap = 0u - (quadrant & 1u); /* all ones in an odd quadrant */
    uint32_t sn_bits = kb_bits_of_float(sn), cs_bits = kb_bits_of_float(cs);
    uint32_t change = (sn_bits ^ cs_bits) & swap;
    *sine = kb_float_of_bits((sn_bits ^ change) ^ (quadrant & 2u) << 30);
    *cosine = kb_float_of_bits((cs_bits ^ change) ^ ((quadrant + 1u) & 2u) << 30);
}

#endif
