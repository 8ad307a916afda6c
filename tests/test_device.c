/* device: every operation of the CPU device against a double-precision reference, at odd sizes and
 * with one and three threads; gradients against signed central differences; compute modules that
 * the loader must take or refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "device_load.h"
#include "fastmath.h"
#include "memory.h"
#include "rng.h"

/* --- devices, arrays and comparisons --- */

enum { LANES = 2 }; /* the same work on two devices: one thread and three */

static const size_t sizes[] = {1, 3, 17, 1000, 70001};
#define SIZES (sizeof sizes / sizeof *sizes)

struct bench {
    kb_pool *pools[LANES];
    kb_device *devices[LANES];
};

static int open_devices(void **state)
{
    static struct bench bench;
    for (int l = 0; l < LANES; l++) {
        if (kb_pool_create(&bench.pools[l], l ? 3 : 1, NULL) ||
            kb_device_open_cpu(&bench.devices[l], bench.pools[l], NULL))
            return -1;
    }
    *state = &bench;
    return 0;
}

static int close_devices(void **state)
{
    struct bench *bench = *state;
    for (int l = 0; l < LANES; l++) {
        kb_device_close(bench->devices[l]);
        kb_pool_free(bench->pools[l]);
    }
    kb_device_close(NULL);
    return 0;
}

static float *numbers(size_t count, uint64_t seed, double low, double high)
{
    kb_rng rng = kb_rng_start(seed, KB_STREAM_TEST);
    float *x = kb_alloc_aligned(count, sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(low + (high - low) * kb_rng_uniform(&rng));
    return x;
}

/* A span of its own buffer that begins at an odd place, so that kernels cannot count on alignment.
 */
static kb_span upload(kb_device *dev, const float *x, size_t count)
{
    kb_buffer *buffer = dev->ops->alloc(dev, count + 3);
    assert_non_null(buffer);
    kb_span s = {buffer, 3};
    if (x)
        dev->ops->put(dev, s, x, count);
    return s;
}

static float *download(kb_device *dev, kb_span s, size_t count)
{
    float *x = kb_alloc_aligned(count, sizeof *x);
    assert_non_null(x);
    dev->ops->get(dev, x, s, count);
    return x;
}

static void drop(kb_device *dev, kb_span s)
{
    dev->ops->release(dev, s.buffer);
}

static void check_near(const char *what, size_t i, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * (1 + fabs(expected))))
        fail_msg("%s, element %zu: %.9g, expected %.9g", what, i, got, expected);
}

static void check_all(const char *what, const float *got, const double *expected, size_t count,
                      double tolerance)
{
    for (size_t i = 0; i < count; i++)
        check_near(what, i, (double)got[i], expected[i], tolerance);
}

/* Results of the two devices, which must be the same bytes. Frees both. */
static float *same(float *results[LANES], size_t count)
{
    assert_memory_equal(results[0], results[1], count * sizeof(float));
    free(results[1]);
    return results[0];
}

static double *doubles(size_t count)
{
    double *x = kb_calloc(count, sizeof *x);
    assert_non_null(x);
    return x;
}

/* --- fast mathematics --- */

static double ulps(float got, double expected)
{
    float e = (float)expected;
    double unit = (double)nextafterf(fabsf(e), INFINITY) - fabs((double)e);
    return fabs((double)got - expected) / unit;
}

/* The largest error in ulp of F over STEPS points of LOW .. HIGH. */
static double worst(float (*f)(float), double (*reference)(double), double low, double high,
                    int steps)
{
    double most = 0;
    for (int i = 0; i <= steps; i++) {
        float x = (float)(low + (high - low) * i / steps);
        double error = ulps(f(x), reference((double)x));
        most = error > most ? error : most;
    }
    return most;
}

static float fast_exp(float x)
{
    return kb_exp(x);
}

static float fast_expm1(float x)
{
    return kb_expm1(x);
}

static float fast_tanh(float x)
{
    return kb_tanh(x);
}

static float fast_log(float x)
{
    return kb_log(x);
}

static void fast_functions_are_within_their_ulps_of_libm(void **state)
{
    (void)state;
    enum { STEPS = 300000 };
    assert_true(worst(fast_exp, exp, -87, 88.7, STEPS) <= 1.5);
    assert_true(worst(fast_exp, exp, -1e-3, 1e-3, STEPS) <= 1.5);
    assert_true(worst(fast_expm1, expm1, -25, 5, STEPS) <= 2);
    assert_true(worst(fast_expm1, expm1, -1e-3, 1e-3, STEPS) <= 2);
    assert_true(worst(fast_tanh, tanh, -12, 12, STEPS) <= 3);
    assert_true(worst(fast_tanh, tanh, -1e-3, 1e-3, STEPS) <= 3);
    assert_true(worst(fast_log, log, 1e-9, 1e-3, STEPS) <= 1.5);
    assert_true(worst(fast_log, log, 1e-3, 1, STEPS) <= 1.5);
}

static void fast_functions_end_where_floats_do(void **state)
{
    (void)state;
    assert_true(kb_exp(0) == 1 && kb_exp(-1000) == 0 && isinf(kb_exp(1000)));
    assert_true(isinf(kb_exp(INFINITY)) && kb_exp(-INFINITY) == 0);
    assert_true(kb_exp(-100) > 0 && kb_exp(-100) < FLT_MIN);
    assert_true(kb_expm1(0) == 0 && kb_expm1(-INFINITY) == -1);
    assert_true(kb_tanh(0) == 0 && kb_tanh(INFINITY) == 1 && kb_tanh(-INFINITY) == -1);
    assert_true(isnan(kb_exp(NAN)) && isnan(kb_expm1(NAN)) && isnan(kb_tanh(NAN)));
    assert_true(kb_log(1) == 0);
}

static void sines_and_cosines_of_turns_match_libm(void **state)
{
    (void)state;
    for (int i = 0; i <= 100000; i++) {
        float turns = (float)i / 100000, s, c;
        kb_sincos_turns(turns, &s, &c);
        check_near("sine", (size_t)i, (double)s, sin(2 * M_PI * (double)turns), 2e-7);
        check_near("cosine", (size_t)i, (double)c, cos(2 * M_PI * (double)turns), 2e-7);
    }
}

/* --- memory --- */

static void memory_is_zeroed_and_moves_unchanged(void **state)
{
    struct bench *bench = *state;
    kb_device *dev = bench->devices[1];
    for (size_t s = 0; s < SIZES; s++) {
        size_t n = sizes[s];
        float *x = numbers(n, n, -1, 1);
        kb_span empty = upload(dev, NULL, n), full = upload(dev, x, n);
        float *got = download(dev, empty, n);
        for (size_t i = 0; i < n; i++)
            assert_true(got[i] == 0);
        dev->ops->copy(dev, empty, full, n);
        dev->ops->get(dev, got, empty, n);
        assert_memory_equal(got, x, n * sizeof *x);
        dev->ops->fill(dev, empty, 2.5f, n);
        dev->ops->get(dev, got, empty, n);
        for (size_t i = 0; i < n; i++)
            assert_true(got[i] == 2.5f);
        drop(dev, empty);
        drop(dev, full);
        free(got);
        free(x);
    }
    dev->ops->release(dev, NULL);
}

static void a_buffer_that_no_memory_holds_is_null(void **state)
{
    struct bench *bench = *state;
    kb_device *dev = bench->devices[0];
    assert_null(dev->ops->alloc(dev, SIZE_MAX / 2));
}

static void gather_takes_rows_in_the_order_asked(void **state)
{
    struct bench *bench = *state;
    enum { ROWS = 300, COLS = 131, COUNT = 517 };
    float *x = numbers((size_t)ROWS * COLS, 3, -1, 1);
    size_t rows[COUNT];
    kb_rng rng = kb_rng_start(5, KB_STREAM_TEST);
    for (size_t i = 0; i < COUNT; i++)
        rows[i] = (size_t)kb_rng_below(&rng, ROWS);
    for (int l = 0; l < LANES; l++) {
        kb_device *dev = bench->devices[l];
        kb_span from = upload(dev, x, (size_t)ROWS * COLS),
                to = upload(dev, NULL, (size_t)COUNT * COLS);
        dev->ops->gather(dev, to, from, rows, COUNT, COLS);
        float *got = download(dev, to, (size_t)COUNT * COLS);
        for (size_t i = 0; i < COUNT; i++)
            assert_memory_equal(got + i * COLS, x + rows[i] * COLS, COLS * sizeof *x);
        drop(dev, from);
        drop(dev, to);
        free(got);
    }
    free(x);
}

/* --- layers --- */

static double naive_product(const float *a, const float *b, bool ta, bool tb, size_t i, size_t j,
                            const size_t mnk[3])
{
    double sum = 0;
    for (size_t t = 0; t < mnk[2]; t++)
        sum += (double)(ta ? a[t * mnk[0] + i] : a[i * mnk[2] + t]) *
               (double)(tb ? b[j * mnk[2] + t] : b[t * mnk[1] + j]);
    return sum;
}

static void check_gemm(kb_device *dev, bool ta, bool tb, const size_t mnk[3])
{
    size_t m = mnk[0], n = mnk[1], k = mnk[2];
    float *a = numbers(m * k, 1, -1, 1), *b = numbers(k * n, 2, -1, 1),
          *c = numbers(m * n, 3, -1, 1);
    kb_span sa = upload(dev, a, m * k), sb = upload(dev, b, k * n), sc = upload(dev, c, m * n);
    dev->ops->gemm(dev, ta, tb, m, n, k, 0.5f, sa, sb, 2, sc);
    float *got = download(dev, sc, m * n);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            check_near("gemm", i * n + j, (double)got[i * n + j],
                       0.5 * naive_product(a, b, ta, tb, i, j, mnk) + 2 * (double)c[i * n + j],
                       2e-5);
    drop(dev, sa);
    drop(dev, sb);
    drop(dev, sc);
    free(got);
    free(a);
    free(b);
    free(c);
}

static void products_match_in_all_four_transpositions(void **state)
{
    struct bench *bench = *state;
    static const size_t shapes[][3] = {
        {1, 1, 1}, {3, 17, 5}, {17, 3, 129}, {65, 33, 100}, {1, 129, 7}};
    for (int l = 0; l < LANES; l++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
            for (int t = 0; t < 4; t++)
                check_gemm(bench->devices[l], t & 1, t & 2, shapes[s]);
}

static void a_product_forgets_what_beta_zero_overwrites(void **state)
{
    struct bench *bench = *state;
    kb_device *dev = bench->devices[0];
    static const float two[] = {2}, three[] = {3}, nan[] = {NAN};
    kb_span a = upload(dev, two, 1), b = upload(dev, three, 1), c = upload(dev, nan, 1);
    float got;
    dev->ops->gemm(dev, false, false, 1, 1, 1, 1, a, b, 0, c);
    dev->ops->get(dev, &got, c, 1);
    assert_true(got == 6);
    dev->ops->gemm(dev, false, false, 1, 1, 0, 1, a, b, 0.5f,
                   c); /* an empty inner dimension leaves beta C */
    dev->ops->get(dev, &got, c, 1);
    assert_true(got == 3);
    dev->ops->gemm(dev, true, true, 0, 1, 1, 1, a, b, 0, c);
    drop(dev, a);
    drop(dev, b);
    drop(dev, c);
    assert_int_equal(dev->ops->status(dev, NULL), KB_OK);
}

static double activation(kb_activation act, double x)
{
    return act == KB_ACT_TANH ? tanh(x) : act == KB_ACT_ELU && x < 0 ? expm1(x) : x;
}

static void check_activation(struct bench *bench, kb_activation act, size_t rows, size_t cols)
{
    float *y = numbers(rows * cols, 1, -6, 6), *bias = numbers(cols, 2, -1, 1), *got[LANES];
    for (int l = 0; l < LANES; l++) {
        kb_device *dev = bench->devices[l];
        kb_span sy = upload(dev, y, rows * cols), sb = upload(dev, bias, cols);
        dev->ops->bias_activate(dev, act, sy, sb, rows, cols);
        got[l] = download(dev, sy, rows * cols);
        drop(dev, sy);
        drop(dev, sb);
    }
    float *out = same(got, rows * cols);
    for (size_t i = 0; i < rows * cols; i++)
        check_near("activation", i, (double)out[i],
                   activation(act, (double)y[i] + (double)bias[i % cols]), 1e-6);
    free(out);
    free(y);
    free(bias);
}

static const size_t shapes[][2] = {{1, 1},     {3, 17},   {17, 3},  {128, 1000},
                                   {1000, 64}, {9, 5003}, {5003, 1}};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void activations_match_libm(void **state)
{
    for (size_t s = 0; s < SHAPES; s++)
        for (int act = KB_ACT_LINEAR; act <= KB_ACT_ELU; act++)
            check_activation(*state, (kb_activation)act, shapes[s][0], shapes[s][1]);
}

/* The derivative, in terms of the output, against a central difference of the activation itself. */
static void the_derivatives_of_activations_match_central_differences(void **state)
{
    struct bench *bench = *state;
    const double h = 1e-6;
    for (int act = KB_ACT_LINEAR; act <= KB_ACT_ELU; act++)
        for (size_t s = 0; s < SIZES; s++) {
            size_t n = sizes[s];
            float *x = numbers(n, 7, -4, 4), *dy = numbers(n, 8, -2, 2), *y = numbers(n, 9, 0, 1),
                  *got[LANES];
            for (size_t i = 0; i < n; i++) {
                x[i] = fabsf(x[i]) < 1e-3f ? 0.5f : x[i]; /* ELU's second derivative jumps at 0 */
                y[i] = (float)activation((kb_activation)act, (double)x[i]);
            }
            for (int l = 0; l < LANES; l++) {
                kb_device *dev = bench->devices[l];
                kb_span sdy = upload(dev, dy, n), sy = upload(dev, y, n);
                dev->ops->activate_backward(dev, (kb_activation)act, sdy, sy, n);
                got[l] = download(dev, sdy, n);
                drop(dev, sdy);
                drop(dev, sy);
            }
            float *out = same(got, n);
            for (size_t i = 0; i < n; i++) {
                double rise = activation((kb_activation)act, (double)x[i] + h) -
                              activation((kb_activation)act, (double)x[i] - h);
                check_near("derivative", i, (double)out[i], (double)dy[i] * rise / (2 * h), 2e-6);
            }
            free(out);
            free(x);
            free(dy);
            free(y);
        }
}

static void column_sums_match(void **state)
{
    struct bench *bench = *state;
    for (size_t s = 0; s < SHAPES; s++) {
        size_t rows = shapes[s][0], cols = shapes[s][1];
        float *y = numbers(rows * cols, 1, -1, 1), *got[LANES];
        double *expected = doubles(cols);
        for (size_t i = 0; i < rows * cols; i++)
            expected[i % cols] += (double)y[i];
        for (int l = 0; l < LANES; l++) {
            kb_device *dev = bench->devices[l];
            kb_span sy = upload(dev, y, rows * cols), sums = upload(dev, NULL, cols);
            dev->ops->column_sums(dev, sums, sy, rows, cols);
            got[l] = download(dev, sums, cols);
            drop(dev, sy);
            drop(dev, sums);
        }
        float *out = same(got, cols);
        check_all("column sum", out, expected, cols, 1e-6);
        free(out);
        free(expected);
        free(y);
    }
}

/* --- losses --- */

static double reference_error(const double *pred, const float *target, double scale, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (pred[i] - (double)target[i]) * (pred[i] - (double)target[i]);
    return scale * sum;
}

static void check_error_gradient(const float *gradient, const float *pred, const float *target,
                                 double scale, size_t n)
{
    const double h = 1e-4;
    double *p = doubles(n);
    for (size_t i = 0; i < n; i++)
        p[i] = (double)pred[i];
    for (size_t i = 0; i < n; i += 1 + n / 20) {
        p[i] = (double)pred[i] + h;
        double above = reference_error(p, target, scale, n);
        p[i] = (double)pred[i] - h;
        double below = reference_error(p, target, scale, n);
        p[i] = (double)pred[i];
        check_near("squared error gradient", i, (double)gradient[i], (above - below) / (2 * h),
                   1e-5);
    }
    free(p);
}

static void squared_error_and_its_gradient_match(void **state)
{
    struct bench *bench = *state;
    const double scale = 0.37;
    for (size_t s = 0; s < SIZES; s++) {
        size_t n = sizes[s];
        float *pred = numbers(n, 1, -1, 1), *target = numbers(n, 2, 0, 1), *gradients[LANES];
        double losses[LANES];
        for (int l = 0; l < LANES; l++) {
            kb_device *dev = bench->devices[l];
            kb_span p = upload(dev, pred, n), t = upload(dev, target, n), d = upload(dev, NULL, n);
            losses[l] = dev->ops->squared_error(dev, p, t, d, scale, n);
            assert_true(losses[l] ==
                        dev->ops->squared_error(dev, p, t, (kb_span){NULL, 0}, scale, n));
            gradients[l] = download(dev, d, n);
            drop(dev, p);
            drop(dev, t);
            drop(dev, d);
        }
        assert_true(losses[0] == losses[1]);
        float *gradient = same(gradients, n);
        double *p = doubles(n);
        for (size_t i = 0; i < n; i++)
            p[i] = (double)pred[i];
        check_near("squared error", n, losses[0], reference_error(p, target, scale, n), 1e-6);
        check_error_gradient(gradient, pred, target, scale, n);
        free(p);
        free(gradient);
        free(pred);
        free(target);
    }
}

/* Element I of the noise, from the definition in device.h. */
static double reference_normal(uint64_t seed, uint64_t step, uint64_t i)
{
    uint64_t stream = kb_noise_stream(step);
    uint32_t counter[4] = {(uint32_t)(i / 4), (uint32_t)(i / 4 >> 32), (uint32_t)stream,
                           (uint32_t)(stream >> 32)};
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)}, words[4];
    kb_philox4x32(counter, key, words);
    const uint32_t *pair = words + i % 4 / 2 * 2;
    double u = (double)((float)(pair[0] >> 8) + 0.5f) / 16777216;
    double v = (double)((float)(pair[1] >> 8) + 0.5f) / 16777216;
    double radius = sqrt(-2 * log(u)), angle = 2 * M_PI * v;
    return radius * (i % 2 ? sin(angle) : cos(angle));
}

static void noise_is_a_function_of_seed_step_and_place(void **state)
{
    struct bench *bench = *state;
    static const uint64_t keys[][2] = {{1, 0}, {1, 1}, {0x123456789ABCDEFu, 0x1FFFFFFFFu}};
    for (size_t k = 0; k < 3; k++)
        for (size_t s = 0; s < SIZES; s++) {
            size_t n = sizes[s];
            float *mu = numbers(n, 1, -1, 1), *logvar = numbers(n, 2, -6, 6), *zs[LANES],
                  *noises[LANES];
            for (int l = 0; l < LANES; l++) {
                kb_device *dev = bench->devices[l];
                kb_span z = upload(dev, NULL, n), e = upload(dev, NULL, n), m = upload(dev, mu, n),
                        v = upload(dev, logvar, n);
                dev->ops->reparameterise(dev, z, e, m, v, keys[k][0], keys[k][1], n);
                zs[l] = download(dev, z, n);
                noises[l] = download(dev, e, n);
                drop(dev, z);
                drop(dev, e);
                drop(dev, m);
                drop(dev, v);
            }
            float *z = same(zs, n), *eps = same(noises, n);
            for (size_t i = 0; i < n; i++) {
                check_near("noise", i, (double)eps[i], reference_normal(keys[k][0], keys[k][1], i),
                           2e-6);
                check_near("z", i, (double)z[i],
                           (double)mu[i] + exp((double)logvar[i] / 2) * (double)eps[i], 2e-6);
            }
            free(z);
            free(eps);
            free(mu);
            free(logvar);
        }
}

static void noise_has_the_moments_of_a_normal(void **state)
{
    struct bench *bench = *state;
    kb_device *dev = bench->devices[1];
    enum { N = 200000 };
    kb_span z = upload(dev, NULL, N), e = upload(dev, NULL, N), zero = upload(dev, NULL, N);
    dev->ops->reparameterise(dev, z, e, zero, zero, 3, 4, N);
    float *eps = download(dev, e, N);
    double moments[4] = {0};
    for (size_t i = 0; i < N; i++)
        for (int p = 0; p < 4; p++)
            moments[p] += pow((double)eps[i], p + 1) / N;
    assert_true(fabs(moments[0]) < 0.01 && fabs(moments[1] - 1) < 0.02);
    assert_true(fabs(moments[2]) < 0.03 && fabs(moments[3] - 3) < 0.1);
    drop(dev, z);
    drop(dev, e);
    drop(dev, zero);
    free(eps);
}

/* What gaussian_kl differentiates: sum dz z(mu, logvar) + KL, with dz and eps held. */
static double kl_of(double mu, double logvar, double kl_scale)
{
    return kl_scale * (mu * mu + exp(logvar) - 1 - logvar) / 2;
}

static double vae_term(double mu, double logvar, double dz, double eps, double kl_scale)
{
    return dz * (mu + exp(logvar / 2) * eps) + kl_of(mu, logvar, kl_scale);
}

static void check_kl_gradients(const float *dmu, const float *dlogvar, float *const in[4],
                               double kl_scale, size_t n)
{
    const double h = 1e-5;
    for (size_t i = 0; i < n; i++) {
        double m = (double)in[0][i], v = (double)in[1][i], dz = (double)in[2][i],
               e = (double)in[3][i];
        double by_mu = vae_term(m + h, v, dz, e, kl_scale) - vae_term(m - h, v, dz, e, kl_scale);
        double by_v = vae_term(m, v + h, dz, e, kl_scale) - vae_term(m, v - h, dz, e, kl_scale);
        check_near("dmu", i, (double)dmu[i], by_mu / (2 * h), 1e-5);
        check_near("dlogvar", i, (double)dlogvar[i], by_v / (2 * h), 1e-5);
    }
}

static void the_kl_term_and_its_gradients_match(void **state)
{
    struct bench *bench = *state;
    const double kl_scale = 0.3;
    for (size_t s = 0; s < SIZES; s++) {
        size_t n = sizes[s];
        float *in[4] = {numbers(n, 1, -2, 2), numbers(n, 2, -5, 3), numbers(n, 3, -1, 1),
                        numbers(n, 4, -3, 3)};
        float *dmus[LANES], *dlogvars[LANES];
        double kl[LANES], expected = 0;
        for (int l = 0; l < LANES; l++) {
            kb_device *dev = bench->devices[l];
            kb_span dmu = upload(dev, NULL, n), dlogvar = upload(dev, NULL, n), spans[4];
            for (int i = 0; i < 4; i++)
                spans[i] = upload(dev, in[i], n);
            kl[l] = dev->ops->gaussian_kl(dev, dmu, dlogvar, spans[2], spans[3], spans[0], spans[1],
                                          kl_scale, n);
            dmus[l] = download(dev, dmu, n);
            dlogvars[l] = download(dev, dlogvar, n);
            drop(dev, dmu);
            drop(dev, dlogvar);
            for (int i = 0; i < 4; i++)
                drop(dev, spans[i]);
        }
        assert_true(kl[0] == kl[1]);
        for (size_t i = 0; i < n; i++)
            expected += kl_of((double)in[0][i], (double)in[1][i], kl_scale);
        check_near("kl", n, kl[0], expected, 1e-6);
        float *dmu = same(dmus, n), *dlogvar = same(dlogvars, n);
        check_kl_gradients(dmu, dlogvar, in, kl_scale, n);
        free(dmu);
        free(dlogvar);
        for (int i = 0; i < 4; i++)
            free(in[i]);
    }
}

static void clamp_cuts_and_marks_what_it_left_alone(void **state)
{
    struct bench *bench = *state;
    for (size_t s = 0; s < SIZES; s++) {
        size_t n = sizes[s];
        float *x = numbers(n, 1, -20, 20), *xs[LANES], *masks[LANES];
        x[0] = -10;
        x[n / 2] = NAN;
        for (int l = 0; l < LANES; l++) {
            kb_device *dev = bench->devices[l];
            kb_span sx = upload(dev, x, n), m = upload(dev, NULL, n);
            dev->ops->clamp(dev, sx, m, -10, 10, n);
            xs[l] = download(dev, sx, n);
            masks[l] = download(dev, m, n);
            drop(dev, sx);
            drop(dev, m);
        }
        float *got = same(xs, n), *mask = same(masks, n);
        for (size_t i = 0; i < n; i++) {
            if (isnan(x[i]))
                assert_true(isnan(got[i]) && mask[i] == 0);
            else
                assert_true(got[i] == fminf(fmaxf(x[i], -10), 10) &&
                            mask[i] == (x[i] >= -10 && x[i] <= 10));
        }
        free(got);
        free(mask);
        free(x);
    }
}

static void products_and_scales_of_vectors_match(void **state)
{
    struct bench *bench = *state;
    for (size_t s = 0; s < SIZES; s++) {
        size_t n = sizes[s];
        float *x = numbers(n, 1, -2, 2), *y = numbers(n, 2, -2, 2), *got[LANES];
        for (int l = 0; l < LANES; l++) {
            kb_device *dev = bench->devices[l];
            kb_span sx = upload(dev, x, n), sy = upload(dev, y, n);
            dev->ops->multiply(dev, sx, sy, n);
            dev->ops->scale(dev, sx, 0.25f, n);
            got[l] = download(dev, sx, n);
            drop(dev, sx);
            drop(dev, sy);
        }
        float *out = same(got, n);
        for (size_t i = 0; i < n; i++)
            check_near("product", i, (double)out[i], 0.25 * (double)x[i] * (double)y[i], 2e-7);
        free(out);
        free(x);
        free(y);
    }
}

static void sums_of_squares_match_and_show_what_is_not_finite(void **state)
{
    struct bench *bench = *state;
    for (size_t s = 0; s < SIZES; s++) {
        size_t n = sizes[s];
        float *x = numbers(n, 1, -2, 2);
        x[0] = 1e25f; /* its square is no float */
        double got[LANES], expected = 0;
        for (size_t i = 0; i < n; i++)
            expected += (double)x[i] * (double)x[i];
        for (int l = 0; l < LANES; l++) {
            kb_device *dev = bench->devices[l];
            kb_span sx = upload(dev, x, n);
            got[l] = dev->ops->sum_squares(dev, sx, n);
            static const float bad[] = {NAN, INFINITY};
            for (int b = 0; b < 2; b++) {
                dev->ops->put(dev, kb_span_at(sx, n - 1), &bad[b], 1);
                assert_false(isfinite(dev->ops->sum_squares(dev, sx, n)));
            }
            drop(dev, sx);
        }
        assert_true(got[0] == got[1]);
        check_near("sum of squares", n, got[0], expected, 1e-12);
        free(x);
    }
}

/* --- deep embedded clustering --- */

static const size_t clusterings[][3] = {{1, 1, 1},     {3, 2, 17},     {17, 3, 1},
                                        {128, 20, 64}, {1000, 20, 32}, {300, 301, 5}};
#define CLUSTERINGS (sizeof clusterings / sizeof *clusterings)

static void squared_distances_match_and_are_never_negative(void **state)
{
    struct bench *bench = *state;
    for (size_t s = 0; s < CLUSTERINGS; s++) {
        size_t n = clusterings[s][0], k = clusterings[s][1], d = clusterings[s][2];
        float *z = numbers(n * d, 1, -3, 3), *c = numbers(k * d, 2, -3, 3);
        memcpy(c, z, d * sizeof *c); /* the first centroid stands on the first row */
        for (int l = 0; l < LANES; l++) {
            kb_device *dev = bench->devices[l];
            kb_span sz = upload(dev, z, n * d), sc = upload(dev, c, k * d),
                    d2 = upload(dev, NULL, n * k);
            dev->ops->squared_distances(dev, d2, sz, sc, n, k, d);
            float *got = download(dev, d2, n * k);
            for (size_t i = 0; i < n * k; i++) {
                double expected = 0, scale = 1;
                for (size_t t = 0; t < d; t++) {
                    double a = (double)z[i / k * d + t], b = (double)c[i % k * d + t];
                    expected += (a - b) * (a - b);
                    scale += a * a + b * b;
                }
                assert_true(got[i] >= 0);
                assert_true(fabs((double)got[i] - expected) <= 1e-6 * scale);
            }
            drop(dev, sz);
            drop(dev, sc);
            drop(dev, d2);
            free(got);
        }
        free(z);
        free(c);
    }
}

static void reference_assign(double *q, const double *d2, double scale, size_t n, size_t k)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t j = 0; j < k; j++)
            sum += q[i * k + j] = 1 / (1 + d2[i * k + j] / scale);
        for (size_t j = 0; j < k; j++)
            q[i * k + j] /= sum;
    }
}

static void reference_target(double *p, const double *q, size_t n, size_t k)
{
    double *frequency = doubles(k);
    for (size_t i = 0; i < n * k; i++)
        frequency[i % k] += q[i];
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t j = 0; j < k; j++)
            sum += p[i * k + j] = q[i * k + j] * q[i * k + j] / frequency[j];
        for (size_t j = 0; j < k; j++)
            p[i * k + j] /= sum;
    }
    free(frequency);
}

static void soft_assignments_and_targets_match_the_formula(void **state)
{
    struct bench *bench = *state;
    for (size_t s = 0; s < CLUSTERINGS; s++) {
        size_t n = clusterings[s][0], k = clusterings[s][1];
        float *d2 = numbers(n * k, 1, 0, 50), *qs[LANES], *ps[LANES];
        double *dd = doubles(n * k), *eq = doubles(n * k), *ep = doubles(n * k);
        for (size_t i = 0; i < n * k; i++)
            dd[i] = (double)d2[i];
        for (int l = 0; l < LANES; l++) {
            kb_device *dev = bench->devices[l];
            kb_span sd = upload(dev, d2, n * k), q = upload(dev, NULL, n * k),
                    p = upload(dev, NULL, n * k);
            dev->ops->soft_assign(dev, q, sd, 2.5f, n, k);
            dev->ops->target_distribution(dev, p, q, n, k);
            qs[l] = download(dev, q, n * k);
            ps[l] = download(dev, p, n * k);
            drop(dev, sd);
            drop(dev, q);
            drop(dev, p);
        }
        float *q = same(qs, n * k), *p = same(ps, n * k);
        reference_assign(eq, dd, 2.5, n, k);
        reference_target(ep, eq, n, k);
        check_all("q", q, eq, n * k, 1e-6);
        check_all("p", p, ep, n * k, 1e-6);
        free(q);
        free(p);
        free(d2);
        free(dd);
        free(eq);
        free(ep);
    }
}

/* A problem of deep embedded clustering in double precision: the loss as a function of places and
 * centroids, with P held. */
struct dec {
    size_t n, k, d;
    double dist_scale, scale;
    double *z, *c, *p, *q, *d2;
};

static double dec_value(struct dec *t)
{
    for (size_t i = 0; i < t->n * t->k; i++) {
        const double *z = t->z + i / t->k * t->d, *c = t->c + i % t->k * t->d;
        t->d2[i] = 0;
        for (size_t e = 0; e < t->d; e++)
            t->d2[i] += (z[e] - c[e]) * (z[e] - c[e]);
    }
    reference_assign(t->q, t->d2, t->dist_scale, t->n, t->k);
    double sum = 0;
    for (size_t i = 0; i < t->n * t->k; i++)
        sum += t->p[i] > 0 ? t->p[i] * log(t->p[i] / t->q[i]) : 0;
    return t->scale * sum;
}

static double dec_slope(struct dec *t, double *x)
{
    const double h = 1e-5, kept = *x;
    *x = kept + h;
    double above = dec_value(t);
    *x = kept - h;
    double below = dec_value(t);
    *x = kept;
    return (above - below) / (2 * h);
}

static double *widen(const float *x, size_t count)
{
    double *wide = doubles(count);
    for (size_t i = 0; i < count; i++)
        wide[i] = (double)x[i];
    return wide;
}

static void check_dec(struct bench *bench, size_t n, size_t k, size_t d)
{
    const float dist_scale = 3;
    const double scale = 0.7 / (double)n;
    float *z = numbers(n * d, 1, -2, 2), *c = numbers(k * d, 2, -2, 2),
          *p = numbers(n * k, 3, 0, 1);
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        p[i * k] = k > 1 ? 0 : p[i * k]; /* a target may be 0 */
        for (size_t j = 0; j < k; j++)
            sum += (double)p[i * k + j];
        for (size_t j = 0; j < k; j++)
            p[i * k + j] /= (float)sum;
    }
    struct dec t = {n,
                    k,
                    d,
                    (double)dist_scale,
                    scale,
                    widen(z, n * d),
                    widen(c, k * d),
                    widen(p, n * k),
                    doubles(n * k),
                    doubles(n * k)};
    for (int l = 0; l < LANES; l++) {
        kb_device *dev = bench->devices[l];
        kb_span sz = upload(dev, z, n * d), sc = upload(dev, c, k * d), sp = upload(dev, p, n * k);
        kb_span d2 = upload(dev, NULL, n * k), q = upload(dev, NULL, n * k),
                w = upload(dev, NULL, n * k);
        kb_span sdz = upload(dev, NULL, n * d), sdc = upload(dev, NULL, k * d);
        dev->ops->squared_distances(dev, d2, sz, sc, n, k, d);
        dev->ops->soft_assign(dev, q, d2, dist_scale, n, k);
        double loss =
            dev->ops->dec_loss(dev, sdz, sdc, w, sp, q, d2, sz, sc, dist_scale, scale, n, k, d);
        float *dz = download(dev, sdz, n * d), *dc = download(dev, sdc, k * d),
              *weights = download(dev, w, n * k);
        check_near("dec loss", n, loss, dec_value(&t), 2e-6);
        for (size_t i = 0; i < n * k; i++)
            check_near("W", i, (double)weights[i], (t.p[i] - t.q[i]) / (1 + t.d2[i] / t.dist_scale),
                       2e-6);
        for (size_t i = 0; i < n * d; i += 1 + n * d / 40)
            check_near("dz", i, (double)dz[i] / scale, dec_slope(&t, t.z + i) / scale, 2e-5);
        for (size_t i = 0; i < k * d; i += 1 + k * d / 40)
            check_near("dc", i, (double)dc[i] / scale, dec_slope(&t, t.c + i) / scale, 1e-4);
        kb_span spans[] = {sz, sc, sp, d2, q, w, sdz, sdc};
        for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
            drop(dev, spans[i]);
        free(dz);
        free(dc);
        free(weights);
    }
    void *kept[] = {z, c, p, t.z, t.c, t.p, t.q, t.d2};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        free(kept[i]);
}

static void the_clustering_loss_and_its_gradients_match(void **state)
{
    static const size_t small[][3] = {
        {1, 1, 1}, {3, 2, 17}, {17, 3, 1}, {64, 20, 16}, {40, 261, 3}};
    for (size_t s = 0; s < sizeof small / sizeof *small; s++)
        check_dec(*state, small[s][0], small[s][1], small[s][2]);
}

/* --- the optimiser --- */

static void reference_adam(double *x[4], size_t n, kb_adam_step s)
{
    for (size_t i = 0; i < n; i++) {
        double g = x[3][i], b1 = (double)s.beta1, b2 = (double)s.beta2;
        x[1][i] = b1 * x[1][i] + (1 - b1) * g;
        x[2][i] = b2 * x[2][i] + (1 - b2) * g * g;
        x[0][i] -= (double)s.learning_rate * (x[1][i] / (double)s.correction1) /
                       (sqrt(x[2][i] / (double)s.correction2) + (double)s.epsilon) +
                   (double)s.decay * x[0][i];
    }
}

static void adam_matches_its_paper_over_steps(void **state)
{
    struct bench *bench = *state;
    for (size_t s = 0; s < SIZES; s++) {
        size_t n = sizes[s];
        float *start = numbers(n, 1, -1, 1), *g = numbers(n, 2, -1, 1), *weights[LANES];
        double *x[4] = {widen(start, n), doubles(n), doubles(n), widen(g, n)};
        for (int l = 0; l < LANES; l++) {
            kb_device *dev = bench->devices[l];
            kb_span w = upload(dev, start, n), m = upload(dev, NULL, n), v = upload(dev, NULL, n),
                    sg = upload(dev, g, n);
            for (int t = 1; t <= 5; t++) {
                kb_adam_step step = {1e-2f,
                                     0.9f,
                                     0.999f,
                                     1e-8f,
                                     1 - powf(0.9f, (float)t),
                                     1 - powf(0.999f, (float)t),
                                     t % 2 ? 8e-3f : 0};
                dev->ops->adam(dev, w, m, v, sg, step, n);
                if (l == 0)
                    reference_adam(x, n, step);
            }
            weights[l] = download(dev, w, n);
            drop(dev, w);
            drop(dev, m);
            drop(dev, v);
            drop(dev, sg);
        }
        float *w = same(weights, n);
        check_all("weight", w, x[0], n, 2e-6);
        free(w);
        free(start);
        free(g);
        for (int i = 0; i < 4; i++)
            free(x[i]);
    }
}

static void adam_stands_still_without_a_gradient(void **state)
{
    struct bench *bench = *state;
    kb_device *dev = bench->devices[0];
    static const float one[] = {1};
    kb_span w = upload(dev, one, 1), m = upload(dev, NULL, 1), v = upload(dev, NULL, 1),
            g = upload(dev, NULL, 1);
    dev->ops->adam(dev, w, m, v, g, (kb_adam_step){1e-3f, 0.9f, 0.999f, 1e-8f, 0.1f, 0.001f, 0}, 1);
    float got;
    dev->ops->get(dev, &got, w, 1);
    assert_true(got == 1);
    drop(dev, w);
    drop(dev, m);
    drop(dev, v);
    drop(dev, g);
}

/* --- modules --- */

/* The test modules lie beside this program; the build says where that is. */
static void own_folder(char *path, size_t size)
{
    const char *build = getenv("top_builddir");
    char folder[512];
    snprintf(folder, sizeof folder, "%s/tests", build ? build : ".");
    char *real = realpath(folder, NULL);
    assert_non_null(real);
    snprintf(path, size, "%s", real);
    free(real);
}

static void check_refused(const char *name, const char *first, const char *second)
{
    char folder[1024];
    own_folder(folder, sizeof folder);
    kb_device *dev = (kb_device *)folder;
    kb_error err;
    assert_int_equal(kb_device_open_module_in(&dev, folder, name, &err), KB_ERR_DEVICE);
    assert_null(dev);
    assert_int_equal(err.status, KB_ERR_DEVICE);
    if (!strstr(err.text, first) || !strstr(err.text, second) || strchr(err.text, '\n'))
        fail_msg("'%s' does not say '%s' and '%s' in one line", err.text, first, second);
}

static void a_module_that_fits_is_opened_and_closed(void **state)
{
    (void)state;
    char folder[1024];
    own_folder(folder, sizeof folder);
    for (int i = 0; i < 2; i++) {
        kb_device *dev;
        assert_int_equal(kb_device_open_module_in(&dev, folder, "good", NULL), KB_OK);
        assert_string_equal(dev->ops->name, "good");
        kb_device_close(dev);
    }
}

static void modules_that_do_not_fit_are_refused_with_the_reason(void **state)
{
    (void)state;
    check_refused("nowhere", "'nowhere' is not installed", "kaboom-nowhere.so");
    check_refused("old", "kaboom-old.so", "interface 0, this program has 2");
    check_refused("mixed", "kaboom-mixed.so", "interface 99, this program 2");
    check_refused("hollow", "kaboom-hollow.so", "not a compute module");
    check_refused("sorry", "sorry, it is broken", "");
    check_refused("../tests/kaboom", "is not a name", "../tests/kaboom");
    check_refused("", "is not a name", "''");
}

static void a_file_that_is_no_library_is_refused(void **state)
{
    (void)state;
    char folder[] = "/tmp/kb-test-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/kaboom-text.so", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("text\n", f);
    fclose(f);
    kb_device *dev;
    kb_error err;
    assert_int_equal(kb_device_open_module_in(&dev, folder, "text", &err), KB_ERR_DEVICE);
    assert_non_null(strstr(err.text, "cannot be loaded"));
    assert_non_null(strstr(err.text, path));
    unlink(path);
    rmdir(folder);
}

static void a_driver_is_asked_before_its_module(void **state)
{
    (void)state;
    char folder[1024], path[1100];
    own_folder(folder, sizeof folder);
    kb_error err;
    snprintf(path, sizeof path, "%s/driver-ok.so", folder);
    assert_int_equal(kb_device_probe_cuda(path, &err), KB_OK);
    snprintf(path, sizeof path, "%s/driver-empty.so", folder);
    assert_int_equal(kb_device_probe_cuda(path, &err), KB_ERR_DEVICE);
    assert_non_null(strstr(err.text, "no GPU was found (cuInit: 100)"));
    snprintf(path, sizeof path, "%s/kaboom-hollow.so", folder);
    assert_int_equal(kb_device_probe_cuda(path, &err), KB_ERR_DEVICE);
    assert_non_null(strstr(err.text, "no usable GPU"));
    assert_int_equal(kb_device_probe_cuda("libkaboom-no-such-driver.so", &err), KB_ERR_DEVICE);
    assert_non_null(strstr(err.text, "the NVIDIA driver cannot be loaded"));
    assert_non_null(strstr(err.text, "libkaboom-no-such-driver.so"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fast_functions_are_within_their_ulps_of_libm),
        cmocka_unit_test(fast_functions_end_where_floats_do),
        cmocka_unit_test(sines_and_cosines_of_turns_match_libm),
        cmocka_unit_test(memory_is_zeroed_and_moves_unchanged),
        cmocka_unit_test(a_buffer_that_no_memory_holds_is_null),
        cmocka_unit_test(gather_takes_rows_in_the_order_asked),
        cmocka_unit_test(products_match_in_all_four_transpositions),
        cmocka_unit_test(a_product_forgets_what_beta_zero_overwrites),
        cmocka_unit_test(activations_match_libm),
        cmocka_unit_test(the_derivatives_of_activations_match_central_differences),
        cmocka_unit_test(column_sums_match),
        cmocka_unit_test(squared_error_and_its_gradient_match),
        cmocka_unit_test(noise_is_a_function_of_seed_step_and_place),
        cmocka_unit_test(noise_has_the_moments_of_a_normal),
        cmocka_unit_test(the_kl_term_and_its_gradients_match),
        cmocka_unit_test(clamp_cuts_and_marks_what_it_left_alone),
        cmocka_unit_test(products_and_scales_of_vectors_match),
        cmocka_unit_test(sums_of_squares_match_and_show_what_is_not_finite),
        cmocka_unit_test(squared_distances_match_and_are_never_negative),
        cmocka_unit_test(soft_assignments_and_targets_match_the_formula),
        cmocka_unit_test(the_clustering_loss_and_its_gradients_match),
        cmocka_unit_test(adam_matches_its_paper_over_steps),
        cmocka_unit_test(adam_stands_still_without_a_gradient),
        cmocka_unit_test(a_module_that_fits_is_opened_and_closed),
        cmocka_unit_test(modules_that_do_not_fit_are_refused_with_the_reason),
        cmocka_unit_test(a_file_that_is_no_library_is_refused),
        cmocka_unit_test(a_driver_is_asked_before_its_module),
    };
    return cmocka_run_group_tests_name("device", tests, open_devices, close_devices);
}
