/* device: the one seam between the model and what computes it.
 *
 * A device is a table of operations over opaque buffers of floats (and of indices). No layer, loss
 * or optimiser knows which device it runs on; the CPU implementation (device_cpu.c) is the oracle
 * that every other is compared with. All matrices are row-major and contiguous (leading dimension =
 * cols). Operations on one device are queued in order; those that return a number wait for it. A
 * device is used by one thread at a time. Legend: B rows of a batch, N sessions, H hidden, Z
 * latent, K centroids. */
#ifndef KB_DEVICE_H
#define KB_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool.h"
#include "rng.h"
#include "status.h"

enum { KB_DEVICE_ABI = 2 };

typedef enum kb_activation { KB_ACT_LINEAR, KB_ACT_TANH, KB_ACT_ELU } kb_activation;

typedef struct kb_device kb_device;
typedef struct kb_buffer kb_buffer; /* device memory; on the CPU, floats aligned to 64 bytes */

/* A place in device memory: COUNT floats from OFFSET on; the shape is told by each operation. */
typedef struct kb_span {
    kb_buffer *buffer;
    size_t offset;
} kb_span;

/* The stream of the noise of optimiser step STEP, apart from all that kb_rng_start is given. */
static inline uint64_t kb_noise_stream(uint64_t step)
{
    return (uint64_t)KB_STREAM_NOISE << 56 ^ step;
}

static inline kb_span kb_span_at(kb_span s, size_t offset)
{
    return (kb_span){s.buffer, s.offset + offset};
}

typedef struct kb_adam_step {
    float learning_rate, beta1, beta2, epsilon;
    float correction1, correction2; /* 1 - beta^t */
    float decay;                    /* d: the share that weights lose, apart from the gradient */
} kb_adam_step;

typedef struct kb_device_ops {
    uint32_t abi; /* KB_DEVICE_ABI */
    const char *name;

    void (*close)(kb_device *dev);
    /* COUNT floats, zeroed. NULL when there is no memory. No other operation allocates. */
    kb_buffer *(*alloc)(kb_device *dev, size_t count);
    void (*release)(kb_device *dev, kb_buffer *buffer);
    void (*put)(kb_device *dev, kb_span to, const float *from, size_t count);
    void (*get)(kb_device *dev, float *to, kb_span from, size_t count);
    void (*copy)(kb_device *dev, kb_span to, kb_span from, size_t count);
    void (*fill)(kb_device *dev, kb_span to, float value, size_t count);
    /* TO (count x cols): row i is row ROWS[i] of FROM (host indices). */
    void (*gather)(kb_device *dev, kb_span to, kb_span from, const size_t *rows, size_t count,
                   size_t cols);

    /* C (m x n) = alpha * op(A) op(B) + beta * C, op transposes when its flag is set; op(A) is m x
     * k, op(B) k x n. */
    void (*gemm)(kb_device *dev, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha,
                 kb_span a, kb_span b, float beta, kb_span c);
    /* Y (rows x cols) = act(Y + bias), bias: cols. ELU has alpha 1. */
    void (*bias_activate)(kb_device *dev, kb_activation act, kb_span y, kb_span bias, size_t rows,
                          size_t cols);
    /* dY (count) *= act'(.) expressed in the activation's output Y: tanh 1 - y^2,
     * ELU y > 0 ? 1 : y + 1. */
    void (*activate_backward)(kb_device *dev, kb_activation act, kb_span dy, kb_span y,
                              size_t count);
    /* SUMS (cols) = column sums of Y (rows x cols). */
    void (*column_sums)(kb_device *dev, kb_span sums, kb_span y, size_t rows, size_t cols);

    /* Returns scale * sum (pred - target)^2 over COUNT numbers; DPRED = 2 * scale * (pred - target)
     * (DPRED.buffer NULL: not wanted). */
    double (*squared_error)(kb_device *dev, kb_span pred, kb_span target, kb_span dpred,
                            double scale, size_t count);
    /* Z (count) = MU + exp(LOGVAR / 2) * eps; EPS (count) receives the standard normals that were
     * drawn: element i of step STEP under SEED is a pure function of (seed, step, i), the same (to
     * a few ulp) on every device. Philox4x32-10 with key SEED and counter (i / 4,
     * kb_noise_stream(STEP)), low words first, gives four words w; u(w) = ((w >> 8) + 1/2) / 2^24,
     * the sum rounded to a float.
     * Elements 4b and 4b + 1 are sqrt(-2 log u(w0)) times cosine and sine of 2 pi u(w1); 4b + 2 and
     * 4b + 3 the same of w2 and w3 (Box and Muller 1958). */
    void (*reparameterise)(kb_device *dev, kb_span z, kb_span eps, kb_span mu, kb_span logvar,
                           uint64_t seed, uint64_t step, size_t count);
    /* Given dZ: DMU = dZ + kl_scale * mu; DLOGVAR = dZ * eps * exp(logvar / 2) / 2 + kl_scale *
     * (exp(logvar) - 1) / 2. Returns the KL term, kl_scale * sum (mu^2 + exp(logvar) - 1 - logvar)
     * / 2. */
    double (*gaussian_kl)(kb_device *dev, kb_span dmu, kb_span dlogvar, kb_span dz, kb_span eps,
                          kb_span mu, kb_span logvar, double kl_scale, size_t count);
    /* X (count) = min(max(x, low), high), NAN stays; MASK (count) = 1 where x was inside or on an
     * edge, else 0 (the clamp's derivative). */
    void (*clamp)(kb_device *dev, kb_span x, kb_span mask, float low, float high, size_t count);
    void (*multiply)(kb_device *dev, kb_span x, kb_span y, size_t count); /* x *= y */

    /* D2 (n x k): squared distances between the rows of Z (n x d) and C (k x d); never negative. */
    void (*squared_distances)(kb_device *dev, kb_span d2, kb_span z, kb_span c, size_t n, size_t k,
                              size_t d);
    /* Q (n x k): Student-t soft assignment with one degree of freedom, q_ij = (1 + d2_ij /
     * scale)^-1, rows normalised. */
    void (*soft_assign)(kb_device *dev, kb_span q, kb_span d2, float scale, size_t n, size_t k);
    /* P (n x k): DEC's target, p_ij = (q_ij^2 / f_j) / sum_j', f_j = sum_i q_ij over all n rows. */
    void (*target_distribution)(kb_device *dev, kb_span p, kb_span q, size_t n, size_t k);
    /* Returns scale * sum p log(p / q) over the batch, and its gradients: W_ij = (p_ij - q_ij) / (1
     * + d2_ij / dist_scale), dz_i = scale * 2 / dist_scale * sum_j W_ij (z_i - c_j), dc_j = -scale
     * * 2 / dist_scale * sum_i W_ij (z_i - c_j). (DEC paper, equations 4 and 5, alpha = 1.) W (n x
     * k) is workspace that receives W. */
    double (*dec_loss)(kb_device *dev, kb_span dz, kb_span dc, kb_span w, kb_span p, kb_span q,
                       kb_span d2, kb_span z, kb_span c, float dist_scale, double scale, size_t n,
                       size_t k, size_t d);

    double (*sum_squares)(kb_device *dev, kb_span x, size_t count); /* NAN or INF when any x is */
    void (*scale)(kb_device *dev, kb_span x, float factor, size_t count);
    /* Kingma and Ba 2015: m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= lr (m / c1) /
     * (sqrt(v / c2) + eps) + d w, which is AdamW (Loshchilov and Hutter 2019). */
    void (*adam)(kb_device *dev, kb_span w, kb_span m, kb_span v, kb_span g, kb_adam_step step,
                 size_t count);
    /* A failure of an earlier queued operation; on the CPU only a product with more than INT_MAX
     * rows or columns. */
    kb_status (*status)(kb_device *dev, kb_error *err);
} kb_device_ops;

/* Every device begins with its table. */
struct kb_device {
    const kb_device_ops *ops;
};

/* POOL (NULL: one thread; not owned, must outlive the device) does all the work. OpenBLAS is told
 * to use one thread, which is a setting of the whole process: products are shared out by the pool.
 * KB_ERR_MEMORY when there is none. */
kb_status kb_device_open_cpu(kb_device **out, kb_pool *pool, kb_error *err);

/* Looks for a compute module (kaboom-NAME.so in the library folder; its kb_device_module symbol is
 * a kb_device_module_table) and opens its device; for "cuda" the driver is asked first. A module
 * that works stays loaded. KB_ERR_DEVICE with one line saying why when there is none that works. */
kb_status kb_device_open_module(kb_device **out, const char *name, kb_error *err);

void kb_device_close(kb_device *dev); /* NULL is fine */

/* What a module exports under the name "kb_device_module". open: like kb_device_open_cpu;
 * KB_ERR_DEVICE with the reason when there is no device that works. The program exports nothing to
 * its modules: what one needs of core/base (status.c) is linked into it. */
typedef struct kb_device_module_table {
    uint32_t abi;
    kb_status (*open)(kb_device **out, kb_error *err);
} kb_device_module_table;

#endif
