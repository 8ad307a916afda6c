/* cpu_kernels: the inner loops of the CPU device, on plain arrays and one thread. Each is compiled
 * for several instruction sets.
 *
 * Arrays that one call takes must not overlap, except where a parameter is both read and written.
 * Sums are kept in LANES doubles (element i goes to lane i mod LANES) that are added in order at
 * the end, so a sum does not depend on the width of the vectors. */
#ifndef KB_CPU_KERNELS_H
#define KB_CPU_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "device.h"

/* Most columns that a kernel marked "block" takes at a time: its sums stand on the stack. */
enum { KB_COLUMN_BLOCK = 256 };

/* y (rows x cols) = act(y + bias). */
void kb_cpu_bias_activate(kb_activation act, float *y, const float *bias, size_t rows, size_t cols);
/* dy *= act'(y). */
void kb_cpu_activate_backward(kb_activation act, float *dy, const float *y, size_t n);
/* sums (cols <= KB_COLUMN_BLOCK) = column sums of y (rows x cols, rows STRIDE apart), a block. */
void kb_cpu_column_sums(double *sums, const float *y, size_t rows, size_t cols, size_t stride);

/* Sum of (pred - target)^2. */
double kb_cpu_squared_error(const float *pred, const float *target, size_t n);
/* The same, and dpred = factor * (pred - target). */
double kb_cpu_squared_error_gradient(const float *pred, const float *target, float *dpred,
                                     float factor, size_t n);
double kb_cpu_sum_squares(const float *x, size_t n);

/* eps = elements FIRST (a multiple of 4) .. FIRST + n - 1 of the normals of (KEY, STREAM); see
 * reparameterise in device.h. */
void kb_cpu_normals(float *eps, uint64_t first, size_t n, uint64_t key, uint64_t stream);
/* z = mu + exp(logvar / 2) * eps. */
void kb_cpu_reparameterise(float *z, const float *eps, const float *mu, const float *logvar,
                           size_t n);
/* Returns sum (mu^2 + exp(logvar) - 1 - logvar); writes the gradients of device.h. */
double kb_cpu_gaussian_kl(float *dmu, float *dlogvar, const float *dz, const float *eps,
                          const float *mu, const float *logvar, float kl_scale, size_t n);

void kb_cpu_clamp(float *x, float *mask, float low, float high, size_t n);
void kb_cpu_multiply(float *x, const float *y, size_t n);
void kb_cpu_scale(float *x, float factor, size_t n);
void kb_cpu_adam(float *w, float *m, float *v, const float *g, kb_adam_step step, size_t n);

/* d2 (rows x k, rows STRIDE apart) holds -2 z c on entry, the squared distances on return; c_norms:
 * |c_j|^2; z: rows x d. */
void kb_cpu_finish_distances(float *d2, const float *z, const float *c_norms, size_t rows, size_t k,
                             size_t stride, size_t d);
void kb_cpu_soft_assign(float *q, const float *d2, float scale, size_t rows, size_t k);
/* p (rows x cols, both STRIDE apart) = q^2 / frequency, a block. */
void kb_cpu_sharpen(float *p, const float *q, const double *frequency, size_t rows, size_t cols,
                    size_t stride);
void kb_cpu_normalise_rows(float *p, size_t rows, size_t k);
/* w = (p - q) / (1 + d2 / dist_scale); returns sum p log(p / q), where p = 0 counts 0. */
double kb_cpu_dec_weights(float *w, const float *p, const float *q, const float *d2,
                          float dist_scale, size_t n);
/* dz_i += factor * (sum_j w_ij) * z_i. dz, z: rows x d; w: rows x k. */
void kb_cpu_add_row_sums(float *dz, const float *w, const float *z, float factor, size_t rows,
                         size_t k, size_t d);

#endif
