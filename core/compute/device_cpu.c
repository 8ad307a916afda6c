/* The CPU device: single-threaded OpenBLAS for products, one pool of threads for everything.
 *
 * Every operation but a product is cut into pieces that depend on its sizes alone, and sums are
 * added piece by piece in order, so results do not depend on the number of threads. A product is
 * cut into as many panels as there are threads; sgemm rounds differently at other panel edges.
 * Nothing is allocated but by alloc. */
#include <cblas.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_kernels.h"
#include "device.h"
#include "memory.h"
#include "rng.h"

enum {
    PIECE = 4096,         /* elements a piece; a multiple of the four normals of a Philox block */
    POOL_WORTH_IT = 32768 /* elements from which waking the pool costs less than it gains */
};

struct kb_buffer {
    float *data;
};

struct cpu_device {
    kb_device base;
    kb_pool *pool;
    double *partials; /* a piece's share of a sum; room for the pieces of the largest buffer */
    size_t partial_room;
    bool too_large; /* a product did not fit the integers of OpenBLAS */
};

static struct cpu_device *cpu(kb_device *dev)
{
    return (struct cpu_device *)dev;
}

static float *at(kb_span s)
{
    return s.buffer->data + s.offset;
}

/* --- sharing out work --- */

struct share {
    void *args;
    double (*kernel)(void *args, size_t begin, size_t end);
    size_t count, step;
    double *partials;
};

static void run_piece(void *ctx, size_t i)
{
    const struct share *s = ctx;
    size_t begin = i * s->step, end = s->count - begin < s->step ? s->count : begin + s->step;
    double partial = s->kernel(s->args, begin, end);
    if (s->partials)
        s->partials[i] = partial;
}

/* Calls KERNEL for pieces of STEP units of COUNT; a unit is WIDTH elements. */
static size_t share_out(struct cpu_device *dev, struct share *s, size_t width)
{
    size_t pieces = s->count / s->step + (s->count % s->step != 0);
    kb_pool_run(s->count * width < POOL_WORTH_IT ? NULL : dev->pool, pieces, run_piece, s);
    return pieces;
}

static size_t rows_a_piece(size_t cols)
{
    return cols && cols < PIECE ? PIECE / cols : 1;
}

typedef double kernel(void *args, size_t begin, size_t end);

static void each_element(kb_device *dev, size_t count, kernel *f, void *args)
{
    struct share s = {args, f, count, PIECE, NULL};
    share_out(cpu(dev), &s, 1);
}

static void each_row(kb_device *dev, size_t rows, size_t cols, kernel *f, void *args)
{
    struct share s = {args, f, rows, rows_a_piece(cols), NULL};
    share_out(cpu(dev), &s, cols);
}

static double sum_shares(struct cpu_device *dev, struct share *s, size_t width)
{
    s->partials = dev->partials;
    size_t pieces = share_out(dev, s, width);
    double sum = 0;
    for (size_t i = 0; i < pieces; i++)
        sum += dev->partials[i];
    return sum;
}

static double sum_elements(kb_device *dev, size_t count, kernel *f, void *args)
{
    struct share s = {args, f, count, PIECE, NULL};
    return sum_shares(cpu(dev), &s, 1);
}

static double sum_rows(kb_device *dev, size_t rows, size_t cols, kernel *f, void *args)
{
    struct share s = {args, f, rows, rows_a_piece(cols), NULL};
    return sum_shares(cpu(dev), &s, cols);
}

/* --- memory --- */

static void cpu_close(kb_device *dev)
{
    free(cpu(dev)->partials);
    free(dev);
}

/* A piece holds at least PIECE / 2 elements unless it is the last, whatever the shape. */
static bool make_room(struct cpu_device *dev, size_t count)
{
    size_t room = count / (PIECE / 2) + 2;
    if (room <= dev->partial_room)
        return true;
    double *partials = kb_calloc(room, sizeof *partials);
    if (!partials)
        return false;
    free(dev->partials);
    dev->partials = partials;
    dev->partial_room = room;
    return true;
}

static kb_buffer *cpu_alloc(kb_device *dev, size_t count)
{
    kb_buffer *buffer = kb_calloc(1, sizeof *buffer);
    float *data = kb_alloc_aligned(count, sizeof *data);
    if (!buffer || !data || !make_room(cpu(dev), count)) {
        free(buffer);
        free(data);
        return NULL;
    }
    memset(data, 0, count * sizeof *data);
    buffer->data = data;
    return buffer;
}

static void cpu_release(kb_device *dev, kb_buffer *buffer)
{
    (void)dev;
    if (!buffer)
        return;
    free(buffer->data);
    free(buffer);
}

static void cpu_put(kb_device *dev, kb_span to, const float *from, size_t count)
{
    (void)dev;
    memcpy(at(to), from, count * sizeof *from);
}

static void cpu_get(kb_device *dev, float *to, kb_span from, size_t count)
{
    (void)dev;
    memcpy(to, at(from), count * sizeof *to);
}

static void cpu_copy(kb_device *dev, kb_span to, kb_span from, size_t count)
{
    (void)dev;
    memmove(at(to), at(from), count * sizeof(float));
}

struct fill_args {
    float *x, value;
};

static double fill_piece(void *args, size_t begin, size_t end)
{
    const struct fill_args *a = args;
    for (size_t i = begin; i < end; i++)
        a->x[i] = a->value;
    return 0;
}

static void cpu_fill(kb_device *dev, kb_span to, float value, size_t count)
{
    struct fill_args a = {at(to), value};
    each_element(dev, count, fill_piece, &a);
}

struct gather_args {
    float *to;
    const float *from;
    const size_t *rows;
    size_t cols;
};

static double gather_piece(void *args, size_t begin, size_t end)
{
    const struct gather_args *a = args;
    for (size_t i = begin; i < end; i++)
        memcpy(a->to + i * a->cols, a->from + a->rows[i] * a->cols, a->cols * sizeof *a->to);
    return 0;
}

static void cpu_gather(kb_device *dev, kb_span to, kb_span from, const size_t *rows, size_t count,
                       size_t cols)
{
    struct gather_args a = {at(to), at(from), rows, cols};
    each_row(dev, count, cols, gather_piece, &a);
}

/* --- layers --- */

/* A product, cut into panels of C: of its rows when it is taller than wide, of its columns
 * otherwise. Each panel is one single-threaded sgemm, so that there is one pool of threads and none
 * of them spins. */
struct gemm_args {
    bool ta, tb, by_rows;
    size_t m, n, k, panel; /* panel: rows or columns of C in one piece */
    float alpha, beta;
    const float *a, *b;
    float *c;
};

enum {
    PANEL_UNIT = 16,
    POOLED_PRODUCT = 1 << 19 /* multiplications that are worth waking a thread */
};

static void gemm_panel(void *args, size_t i)
{
    const struct gemm_args *g = args;
    size_t whole = g->by_rows ? g->m : g->n, from = i * g->panel;
    size_t width = whole - from < g->panel ? whole - from : g->panel;
    size_t m = g->by_rows ? width : g->m, n = g->by_rows ? g->n : width;
    size_t row = g->by_rows ? from : 0, col = g->by_rows ? 0 : from;
    size_t lda = g->ta ? g->m : g->k, ldb = g->tb ? g->k : g->n;
    cblas_sgemm(CblasRowMajor, g->ta ? CblasTrans : CblasNoTrans, g->tb ? CblasTrans : CblasNoTrans,
                (int)m, (int)n, (int)g->k, g->alpha, g->a + (g->ta ? row : row * lda),
                lda ? (int)lda : 1, g->b + (g->tb ? col * ldb : col), ldb ? (int)ldb : 1, g->beta,
                g->c + row * g->n + col, (int)g->n);
}

static void cpu_gemm(kb_device *dev, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha,
                     kb_span a, kb_span b, float beta, kb_span c)
{
    if (!m || !n)
        return;
    if (m > INT_MAX || n > INT_MAX || k > INT_MAX) {
        cpu(dev)->too_large = true;
        return;
    }
    kb_pool *pool = cpu(dev)->pool;
    struct gemm_args g = {.ta = ta,
                          .tb = tb,
                          .by_rows = m > n,
                          .m = m,
                          .n = n,
                          .k = k,
                          .alpha = alpha,
                          .beta = beta,
                          .a = at(a),
                          .b = at(b),
                          .c = at(c)};
    size_t whole = g.by_rows ? m : n;
    size_t pieces = (double)m * (double)n * (double)k < POOLED_PRODUCT ? 1 : kb_pool_threads(pool);
    g.panel = (whole + pieces - 1) / pieces;
    g.panel = (g.panel + PANEL_UNIT - 1) / PANEL_UNIT * PANEL_UNIT;
    kb_pool_run(pool, (whole + g.panel - 1) / g.panel, gemm_panel, &g);
}

struct bias_args {
    kb_activation act;
    float *y;
    const float *bias;
    size_t cols;
};

static double bias_piece(void *args, size_t begin, size_t end)
{
    const struct bias_args *a = args;
    kb_cpu_bias_activate(a->act, a->y + begin * a->cols, a->bias, end - begin, a->cols);
    return 0;
}

static void cpu_bias_activate(kb_device *dev, kb_activation act, kb_span y, kb_span bias,
                              size_t rows, size_t cols)
{
    struct bias_args a = {act, at(y), at(bias), cols};
    each_row(dev, rows, cols, bias_piece, &a);
}

struct activate_args {
    kb_activation act;
    float *dy;
    const float *y;
};

static double activate_piece(void *args, size_t begin, size_t end)
{
    const struct activate_args *a = args;
    kb_cpu_activate_backward(a->act, a->dy + begin, a->y + begin, end - begin);
    return 0;
}

static void cpu_activate_backward(kb_device *dev, kb_activation act, kb_span dy, kb_span y,
                                  size_t count)
{
    struct activate_args a = {act, at(dy), at(y)};
    if (act != KB_ACT_LINEAR)
        each_element(dev, count, activate_piece, &a);
}

/* Pieces of columns: each is summed from the first row to the last by one thread. */
struct column_args {
    float *sums;
    const float *y;
    size_t rows, cols;
};

static double column_piece(void *args, size_t begin, size_t end)
{
    const struct column_args *a = args;
    double sums[KB_COLUMN_BLOCK];
    kb_cpu_column_sums(sums, a->y + begin, a->rows, end - begin, a->cols);
    for (size_t j = begin; j < end; j++)
        a->sums[j] = (float)sums[j - begin];
    return 0;
}

static void cpu_column_sums(kb_device *dev, kb_span sums, kb_span y, size_t rows, size_t cols)
{
    struct column_args a = {at(sums), at(y), rows, cols};
    struct share s = {&a, column_piece, cols, KB_COLUMN_BLOCK, NULL};
    share_out(cpu(dev), &s, rows);
}

/* --- losses --- */

struct error_args {
    const float *pred, *target;
    float *dpred; /* NULL: not wanted */
    float factor;
};

static double error_piece(void *args, size_t begin, size_t end)
{
    const struct error_args *a = args;
    size_t n = end - begin;
    if (!a->dpred)
        return kb_cpu_squared_error(a->pred + begin, a->target + begin, n);
    return kb_cpu_squared_error_gradient(a->pred + begin, a->target + begin, a->dpred + begin,
                                         a->factor, n);
}

static double cpu_squared_error(kb_device *dev, kb_span pred, kb_span target, kb_span dpred,
                                double scale, size_t count)
{
    struct error_args a = {at(pred), at(target), dpred.buffer ? at(dpred) : NULL,
                           (float)(2 * scale)};
    return scale * sum_elements(dev, count, error_piece, &a);
}

struct vae_args {
    float *z, *new_eps;
    uint64_t seed, stream;
    float *dmu, *dlogvar;
    const float *dz, *eps, *mu, *logvar;
    float kl_scale;
};

static double reparameterise_piece(void *args, size_t begin, size_t end)
{
    const struct vae_args *a = args;
    size_t n = end - begin;
    kb_cpu_normals(a->new_eps + begin, begin, n, a->seed, a->stream);
    kb_cpu_reparameterise(a->z + begin, a->new_eps + begin, a->mu + begin, a->logvar + begin, n);
    return 0;
}

static void cpu_reparameterise(kb_device *dev, kb_span z, kb_span eps, kb_span mu, kb_span logvar,
                               uint64_t seed, uint64_t step, size_t count)
{
    struct vae_args a = {.z = at(z),
                         .new_eps = at(eps),
                         .mu = at(mu),
                         .logvar = at(logvar),
                         .seed = seed,
                         .stream = kb_noise_stream(step)};
    each_element(dev, count, reparameterise_piece, &a);
}

static double kl_piece(void *args, size_t begin, size_t end)
{
    const struct vae_args *a = args;
    return kb_cpu_gaussian_kl(a->dmu + begin, a->dlogvar + begin, a->dz + begin, a->eps + begin,
                              a->mu + begin, a->logvar + begin, a->kl_scale, end - begin);
}

static double cpu_gaussian_kl(kb_device *dev, kb_span dmu, kb_span dlogvar, kb_span dz, kb_span eps,
                              kb_span mu, kb_span logvar, double kl_scale, size_t count)
{
    struct vae_args a = {.dmu = at(dmu),
                         .dlogvar = at(dlogvar),
                         .dz = at(dz),
                         .eps = at(eps),
                         .mu = at(mu),
                         .logvar = at(logvar),
                         .kl_scale = (float)kl_scale};
    return kl_scale / 2 * sum_elements(dev, count, kl_piece, &a);
}

struct clamp_args {
    float *x, *mask, low, high;
};

static double clamp_piece(void *args, size_t begin, size_t end)
{
    const struct clamp_args *a = args;
    kb_cpu_clamp(a->x + begin, a->mask + begin, a->low, a->high, end - begin);
    return 0;
}

static void cpu_clamp(kb_device *dev, kb_span x, kb_span mask, float low, float high, size_t count)
{
    struct clamp_args a = {at(x), at(mask), low, high};
    each_element(dev, count, clamp_piece, &a);
}

struct vector_args {
    float *x;
    const float *y;
    float factor;
};

static double multiply_piece(void *args, size_t begin, size_t end)
{
    const struct vector_args *a = args;
    kb_cpu_multiply(a->x + begin, a->y + begin, end - begin);
    return 0;
}

static void cpu_multiply(kb_device *dev, kb_span x, kb_span y, size_t count)
{
    struct vector_args a = {.x = at(x), .y = at(y)};
    each_element(dev, count, multiply_piece, &a);
}

/* --- deep embedded clustering --- */

struct distance_args {
    float *d2;
    const float *z;
    float c_norms[KB_COLUMN_BLOCK];
    size_t block, k, d; /* centroids of this block, of all */
};

static double distance_piece(void *args, size_t begin, size_t end)
{
    const struct distance_args *a = args;
    kb_cpu_finish_distances(a->d2 + begin * a->k, a->z + begin * a->d, a->c_norms, end - begin,
                            a->block, a->k, a->d);
    return 0;
}

/* |z - c|^2 = |z|^2 + |c|^2 - 2 z c; rounding may take it below zero. */
static void cpu_squared_distances(kb_device *dev, kb_span d2, kb_span z, kb_span c, size_t n,
                                  size_t k, size_t d)
{
    cpu_gemm(dev, false, true, n, k, d, -2, z, c, 0, d2);
    for (size_t first = 0; first < k; first += KB_COLUMN_BLOCK) {
        struct distance_args a = {.d2 = at(d2) + first, .z = at(z), .k = k, .d = d};
        a.block = k - first < KB_COLUMN_BLOCK ? k - first : KB_COLUMN_BLOCK;
        for (size_t j = 0; j < a.block; j++)
            a.c_norms[j] = (float)kb_cpu_sum_squares(at(c) + (first + j) * d, d);
        each_row(dev, n, a.block + d, distance_piece, &a);
    }
}

struct assign_args {
    float *q, *p, *w, *dz;
    const float *in_p, *in_q, *d2, *z;
    float scale, factor;
    size_t n, k, d;
};

static double assign_piece(void *args, size_t begin, size_t end)
{
    const struct assign_args *a = args;
    kb_cpu_soft_assign(a->q + begin * a->k, a->d2 + begin * a->k, a->scale, end - begin, a->k);
    return 0;
}

static void cpu_soft_assign(kb_device *dev, kb_span q, kb_span d2, float scale, size_t n, size_t k)
{
    struct assign_args a = {.q = at(q), .d2 = at(d2), .scale = scale, .k = k};
    each_row(dev, n, k, assign_piece, &a);
}

static double sharpen_piece(void *args, size_t begin, size_t end)
{
    const struct assign_args *a = args;
    double frequency[KB_COLUMN_BLOCK];
    kb_cpu_column_sums(frequency, a->in_q + begin, a->n, end - begin, a->k);
    kb_cpu_sharpen(a->p + begin, a->in_q + begin, frequency, a->n, end - begin, a->k);
    return 0;
}

static double normalise_piece(void *args, size_t begin, size_t end)
{
    const struct assign_args *a = args;
    kb_cpu_normalise_rows(a->p + begin * a->k, end - begin, a->k);
    return 0;
}

static void cpu_target_distribution(kb_device *dev, kb_span p, kb_span q, size_t n, size_t k)
{
    struct assign_args a = {.p = at(p), .in_q = at(q), .n = n, .k = k};
    struct share columns = {&a, sharpen_piece, k, KB_COLUMN_BLOCK, NULL};
    share_out(cpu(dev), &columns, n);
    each_row(dev, n, k, normalise_piece, &a);
}

static double weights_piece(void *args, size_t begin, size_t end)
{
    const struct assign_args *a = args;
    size_t i = begin * a->k;
    return kb_cpu_dec_weights(a->w + i, a->in_p + i, a->in_q + i, a->d2 + i, a->scale,
                              (end - begin) * a->k);
}

static double row_sums_piece(void *args, size_t begin, size_t end)
{
    const struct assign_args *a = args;
    kb_cpu_add_row_sums(a->dz + begin * a->d, a->w + begin * a->k, a->z + begin * a->d, a->factor,
                        end - begin, a->k, a->d);
    return 0;
}

/* dc_j += factor * (sum_i w_ij) * c_j */
static void add_column_sums(float *dc, const float *w, const float *c, float factor, size_t n,
                            size_t k, size_t d)
{
    double sums[KB_COLUMN_BLOCK];
    for (size_t first = 0; first < k; first += KB_COLUMN_BLOCK) {
        size_t block = k - first < KB_COLUMN_BLOCK ? k - first : KB_COLUMN_BLOCK;
        kb_cpu_column_sums(sums, w + first, n, block, k);
        for (size_t j = 0; j < block; j++) {
            float weight = factor * (float)sums[j];
            for (size_t e = (first + j) * d; e < (first + j + 1) * d; e++)
                dc[e] += weight * c[e];
        }
    }
}

/* sum_j W_ij (z_i - c_j) = (sum_j W_ij) z_i - (W C)_i, and the same for the centroids with W
 * transposed. */
static double cpu_dec_loss(kb_device *dev, kb_span dz, kb_span dc, kb_span w, kb_span p, kb_span q,
                           kb_span d2, kb_span z, kb_span c, float dist_scale, double scale,
                           size_t n, size_t k, size_t d)
{
    float factor = (float)(scale * 2 / (double)dist_scale);
    struct assign_args a = {.w = at(w),
                            .dz = at(dz),
                            .in_p = at(p),
                            .in_q = at(q),
                            .d2 = at(d2),
                            .z = at(z),
                            .scale = dist_scale,
                            .factor = factor,
                            .k = k,
                            .d = d};
    double loss = sum_rows(dev, n, k, weights_piece, &a);
    cpu_gemm(dev, false, false, n, d, k, -factor, w, c, 0, dz);
    each_row(dev, n, k + d, row_sums_piece, &a);
    cpu_gemm(dev, true, false, k, d, n, -factor, w, z, 0, dc);
    add_column_sums(at(dc), at(w), at(c), factor, n, k, d);
    return scale * loss;
}

/* --- the optimiser --- */

static double squares_piece(void *args, size_t begin, size_t end)
{
    const struct vector_args *a = args;
    return kb_cpu_sum_squares(a->x + begin, end - begin);
}

static double cpu_sum_squares(kb_device *dev, kb_span x, size_t count)
{
    struct vector_args a = {.x = at(x)};
    return sum_elements(dev, count, squares_piece, &a);
}

static double scale_piece(void *args, size_t begin, size_t end)
{
    const struct vector_args *a = args;
    kb_cpu_scale(a->x + begin, a->factor, end - begin);
    return 0;
}

static void cpu_scale(kb_device *dev, kb_span x, float factor, size_t count)
{
    struct vector_args a = {.x = at(x), .factor = factor};
    each_element(dev, count, scale_piece, &a);
}

struct adam_args {
    float *w, *m, *v;
    const float *g;
    kb_adam_step step;
};

static double adam_piece(void *args, size_t begin, size_t end)
{
    const struct adam_args *a = args;
    kb_cpu_adam(a->w + begin, a->m + begin, a->v + begin, a->g + begin, a->step, end - begin);
    return 0;
}

static void cpu_adam(kb_device *dev, kb_span w, kb_span m, kb_span v, kb_span g, kb_adam_step step,
                     size_t count)
{
    struct adam_args a = {at(w), at(m), at(v), at(g), step};
    each_element(dev, count, adam_piece, &a);
}

static kb_status cpu_status(kb_device *dev, kb_error *err)
{
    if (cpu(dev)->too_large)
        return kb_fail(err, KB_ERR_DEVICE,
                       "a matrix has more than %d rows or columns, too many for the CPU's products",
                       INT_MAX);
    return KB_OK;
}

static const kb_device_ops cpu_ops = {
    .abi = KB_DEVICE_ABI,
    .name = "cpu",
    .close = cpu_close,
    .alloc = cpu_alloc,
    .release = cpu_release,
    .put = cpu_put,
    .get = cpu_get,
    .copy = cpu_copy,
    .fill = cpu_fill,
    .gather = cpu_gather,
    .gemm = cpu_gemm,
    .bias_activate = cpu_bias_activate,
    .activate_backward = cpu_activate_backward,
    .column_sums = cpu_column_sums,
    .squared_error = cpu_squared_error,
    .reparameterise = cpu_reparameterise,
    .gaussian_kl = cpu_gaussian_kl,
    .clamp = cpu_clamp,
    .multiply = cpu_multiply,
    .squared_distances = cpu_squared_distances,
    .soft_assign = cpu_soft_assign,
    .target_distribution = cpu_target_distribution,
    .dec_loss = cpu_dec_loss,
    .sum_squares = cpu_sum_squares,
    .scale = cpu_scale,
    .adam = cpu_adam,
    .status = cpu_status,
};

kb_status kb_device_open_cpu(kb_device **out, kb_pool *pool, kb_error *err)
{
    *out = NULL;
    struct cpu_device *dev = kb_calloc(1, sizeof *dev);
    if (!dev)
        return kb_fail_memory(err, "the CPU device");
    dev->base.ops = &cpu_ops;
    dev->pool = pool;
    openblas_set_num_threads(1); /* see gemm_panel */
    *out = &dev->base;
    return KB_OK;
}
