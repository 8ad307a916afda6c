#include "cpu_kernels.h"

#include <math.h>
#include <string.h>

#include "fastmath.h"
#include "rng.h"
#include "simd.h"

enum { LANES = 16 };

KB_INLINE double add_lanes(const double *lanes)
{
    double sum = 0;
    for (size_t l = 0; l < LANES; l++)
        sum += lanes[l];
    return sum;
}

/* --- activations --- */

KB_SIMD static void bias_linear(float *restrict y, const float *restrict bias, size_t rows,
                                size_t cols)
{
    for (size_t i = 0; i < rows; i++, y += cols)
        for (size_t j = 0; j < cols; j++)
            y[j] += bias[j];
}

KB_SIMD static void bias_tanh(float *restrict y, const float *restrict bias, size_t rows,
                              size_t cols)
{
    for (size_t i = 0; i < rows; i++, y += cols)
        for (size_t j = 0; j < cols; j++)
            y[j] = kb_tanh(y[j] + bias[j]);
}

KB_SIMD static void bias_elu(float *restrict y, const float *restrict bias, size_t rows,
                             size_t cols)
{
    for (size_t i = 0; i < rows; i++, y += cols)
        for (size_t j = 0; j < cols; j++) {
            float x = y[j] + bias[j], below = kb_expm1(x > 0 ? 0.0f : x);
            y[j] = x > 0 ? x : below;
        }
}

void kb_cpu_bias_activate(kb_activation act, float *y, const float *bias, size_t rows, size_t cols)
{
    switch (act) {
    case KB_ACT_LINEAR:
        bias_linear(y, bias, rows, cols);
        break;
    case KB_ACT_TANH:
        bias_tanh(y, bias, rows, cols);
        break;
    case KB_ACT_ELU:
        bias_elu(y, bias, rows, cols);
        break;
    }
}

KB_SIMD static void tanh_backward(float *restrict dy, const float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dy[i] *= 1.0f - y[i] * y[i];
}

KB_SIMD static void elu_backward(float *restrict dy, const float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dy[i] *= y[i] > 0 ? 1.0f : y[i] + 1.0f;
}

void kb_cpu_activate_backward(kb_activation act, float *dy, const float *y, size_t n)
{
    if (act == KB_ACT_TANH)
        tanh_backward(dy, y, n);
    else if (act == KB_ACT_ELU)
        elu_backward(dy, y, n);
}

KB_SIMD void kb_cpu_column_sums(double *restrict sums, const float *restrict y, size_t rows,
                                size_t cols, size_t stride)
{
    for (size_t j = 0; j < cols; j++)
        sums[j] = 0;
    for (size_t i = 0; i < rows; i++, y += stride)
        for (size_t j = 0; j < cols; j++)
            sums[j] += (double)y[j];
}

/* --- losses --- */

KB_SIMD double kb_cpu_squared_error(const float *restrict pred, const float *restrict target,
                                    size_t n)
{
    double lanes[LANES] = {0};
    size_t whole = n - n % LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            double e = (double)(pred[i + l] - target[i + l]);
            lanes[l] += e * e;
        }
    for (size_t i = whole; i < n; i++) {
        double e = (double)(pred[i] - target[i]);
        lanes[i - whole] += e * e;
    }
    return add_lanes(lanes);
}

KB_SIMD double kb_cpu_squared_error_gradient(const float *restrict pred,
                                             const float *restrict target, float *restrict dpred,
                                             float factor, size_t n)
{
    double lanes[LANES] = {0};
    size_t whole = n - n % LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            float e = pred[i + l] - target[i + l];
            dpred[i + l] = factor * e;
            lanes[l] += (double)e * (double)e;
        }
    for (size_t i = whole; i < n; i++) {
        float e = pred[i] - target[i];
        dpred[i] = factor * e;
        lanes[i - whole] += (double)e * (double)e;
    }
    return add_lanes(lanes);
}

KB_SIMD double kb_cpu_sum_squares(const float *restrict x, size_t n)
{
    double lanes[LANES] = {0};
    size_t whole = n - n % LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes[l] += (double)x[i + l] * (double)x[i + l];
    for (size_t i = whole; i < n; i++)
        lanes[i - whole] += (double)x[i] * (double)x[i];
    return add_lanes(lanes);
}

/* --- the variational part --- */

enum { BLOCKS = 256 }; /* Philox blocks at a time; each gives four numbers */

/* The block function of rng.h on BLOCKS counters at once: WORDS[w][b] is word w of block FIRST + b.
 */
KB_SIMD static void philox_blocks(uint32_t words[restrict 4][BLOCKS], uint64_t first, uint64_t key,
                                  uint64_t stream)
{
    for (size_t b = 0; b < BLOCKS; b++) {
        uint64_t position = first + b;
        uint32_t c0 = (uint32_t)position, c1 = (uint32_t)(position >> 32);
        uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
        uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
        for (int round = 0; round < 10; round++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
            c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
            c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
            c1 = (uint32_t)p1;
            c3 = (uint32_t)p0;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        words[0][b] = c0;
        words[1][b] = c1;
        words[2][b] = c2;
        words[3][b] = c3;
    }
}

/* (0, 1]: the upper 24 bits and a half, which a float holds but for the last rounding. */
KB_INLINE float unit_interval(uint32_t word)
{
    return ((float)(int32_t)(word >> 8) + 0.5f) * 0x1p-24f;
}

/* Box and Muller 1958: two uniform numbers to two normal ones. */
KB_SIMD static void box_muller(float *restrict eps, uint32_t words[restrict 4][BLOCKS])
{
    for (size_t b = 0; b < BLOCKS; b++) {
        float r0 = sqrtf(-2.0f * kb_log(unit_interval(words[0][b])));
        float r1 = sqrtf(-2.0f * kb_log(unit_interval(words[2][b])));
        float s0, c0, s1, c1;
        kb_sincos_turns(unit_interval(words[1][b]), &s0, &c0);
        kb_sincos_turns(unit_interval(words[3][b]), &s1, &c1);
        eps[4 * b] = r0 * c0;
        eps[4 * b + 1] = r0 * s0;
        eps[4 * b + 2] = r1 * c1;
        eps[4 * b + 3] = r1 * s1;
    }
}

void kb_cpu_normals(float *eps, uint64_t first, size_t n, uint64_t key, uint64_t stream)
{
    uint32_t words[4][BLOCKS];
    float last[4 * BLOCKS];
    for (size_t done = 0; done < n; done += 4 * BLOCKS) {
        size_t part = n - done < 4 * BLOCKS ? n - done : 4 * BLOCKS;
        philox_blocks(words, (first + done) / 4, key, stream);
        box_muller(part == 4 * BLOCKS ? eps + done : last, words);
        if (part < 4 * BLOCKS)
            memcpy(eps + done, last, part * sizeof *eps);
    }
}

KB_SIMD void kb_cpu_reparameterise(float *restrict z, const float *restrict eps,
                                   const float *restrict mu, const float *restrict logvar, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = mu[i] + kb_exp(0.5f * logvar[i]) * eps[i];
}

KB_SIMD double kb_cpu_gaussian_kl(float *restrict dmu, float *restrict dlogvar,
                                  const float *restrict dz, const float *restrict eps,
                                  const float *restrict mu, const float *restrict logvar,
                                  float kl_scale, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float deviation = kb_exp(0.5f * logvar[i]);
        dmu[i] = dz[i] + kl_scale * mu[i];
        dlogvar[i] =
            0.5f * (dz[i] * eps[i] * deviation + kl_scale * (deviation * deviation - 1.0f));
    }
    double lanes[LANES] = {0};
    size_t whole = n - n % LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            float m = mu[i + l], v = logvar[i + l];
            lanes[l] += (double)m * (double)m + ((double)kb_exp(v) - 1.0 - (double)v);
        }
    for (size_t i = whole; i < n; i++)
        lanes[i - whole] +=
            (double)mu[i] * (double)mu[i] + ((double)kb_exp(logvar[i]) - 1.0 - (double)logvar[i]);
    return add_lanes(lanes);
}

/* --- element by element --- */

KB_SIMD void kb_cpu_clamp(float *restrict x, float *restrict mask, float low, float high, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float v = x[i];
        mask[i] = ((v >= low) & (v <= high)) ? 1.0f : 0.0f;
        v = v < low ? low : v;
        x[i] = v > high ? high : v;
    }
}

KB_SIMD void kb_cpu_multiply(float *restrict x, const float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= y[i];
}

KB_SIMD void kb_cpu_scale(float *restrict x, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

KB_SIMD void kb_cpu_adam(float *restrict w, float *restrict m, float *restrict v,
                         const float *restrict g, kb_adam_step step, size_t n)
{
    const float b1 = step.beta1, b2 = step.beta2, epsilon = step.epsilon, decay = step.decay;
    const float rate = step.learning_rate / step.correction1, per_c2 = 1.0f / step.correction2;
    for (size_t i = 0; i < n; i++) {
        float mi = b1 * m[i] + (1.0f - b1) * g[i];
        float vi = b2 * v[i] + (1.0f - b2) * (g[i] * g[i]);
        m[i] = mi;
        v[i] = vi;
        w[i] -= rate * mi / (sqrtf(vi * per_c2) + epsilon) + decay * w[i];
    }
}

/* --- distances and deep embedded clustering --- */

KB_SIMD void kb_cpu_finish_distances(float *restrict d2, const float *restrict z,
                                     const float *restrict c_norms, size_t rows, size_t k,
                                     size_t stride, size_t d)
{
    for (size_t i = 0; i < rows; i++, d2 += stride, z += d) {
        float z_norm = (float)kb_cpu_sum_squares(z, d);
        for (size_t j = 0; j < k; j++) {
            float x = d2[j] + (z_norm + c_norms[j]);
            d2[j] = x < 0 ? 0.0f : x;
        }
    }
}

KB_SIMD static void divide_by_sum(float *restrict row, size_t k)
{
    double sum = 0;
    for (size_t j = 0; j < k; j++)
        sum += (double)row[j];
    float factor = (float)(1.0 / sum);
    for (size_t j = 0; j < k; j++)
        row[j] *= factor;
}

KB_SIMD void kb_cpu_soft_assign(float *restrict q, const float *restrict d2, float scale,
                                size_t rows, size_t k)
{
    float per_scale = 1.0f / scale;
    for (size_t i = 0; i < rows; i++, q += k, d2 += k) {
        for (size_t j = 0; j < k; j++)
            q[j] = 1.0f / (1.0f + d2[j] * per_scale);
        divide_by_sum(q, k);
    }
}

KB_SIMD void kb_cpu_sharpen(float *restrict p, const float *restrict q,
                            const double *restrict frequency, size_t rows, size_t cols,
                            size_t stride)
{
    for (size_t i = 0; i < rows; i++, p += stride, q += stride)
        for (size_t j = 0; j < cols; j++)
            p[j] = (float)((double)q[j] * (double)q[j] / frequency[j]);
}

void kb_cpu_normalise_rows(float *p, size_t rows, size_t k)
{
    for (size_t i = 0; i < rows; i++)
        divide_by_sum(p + i * k, k);
}

KB_SIMD static void dec_weights(float *restrict w, const float *restrict p, const float *restrict q,
                                const float *restrict d2, float per_scale, size_t n)
{
    for (size_t i = 0; i < n; i++)
        w[i] = (p[i] - q[i]) / (1.0f + d2[i] * per_scale);
}

double kb_cpu_dec_weights(float *w, const float *p, const float *q, const float *d2,
                          float dist_scale, size_t n)
{
    dec_weights(w, p, q, d2, 1.0f / dist_scale, n);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (p[i] != 0) /* lets NaN through */
            sum += (double)p[i] * log((double)p[i] / (double)q[i]);
    return sum;
}

KB_SIMD void kb_cpu_add_row_sums(float *restrict dz, const float *restrict w,
                                 const float *restrict z, float factor, size_t rows, size_t k,
                                 size_t d)
{
    for (size_t i = 0; i < rows; i++, dz += d, w += k, z += d) {
        double sum = 0;
        for (size_t j = 0; j < k; j++)
            sum += (double)w[j];
        float weight = factor * (float)sum;
        for (size_t j = 0; j < d; j++)
            dz[j] += weight * z[j];
    }
}
