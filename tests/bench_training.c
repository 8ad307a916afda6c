/* bench_training: what a training step of a given size takes, and how much of that its products
 * would take by themselves.
 *
 *   bench_training VARIANT SESSIONS INPUTS HIDDEN LATENT BATCH THREADS STEPS
 *
 * Runs STEPS steps of Adam on made-up coordinates, with the device's table of operations wrapped so
 * that every product is timed and remembered; after each step OpenBLAS with THREADS threads of its
 * own does the same products on the same memory, so that both see the machine in the same mood.
 * Prints key=value lines; times are those of the best step. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "blas_kernels.h"
#include "memory.h"
#include "network.h"
#include "rng.h"

enum { PRODUCTS_MAX = 64 };

struct product {
    bool ta, tb;
    size_t m, n, k;
    float alpha, beta;
};

/* What passes through the device's table while it is wrapped. The operations get the device that
 * they were opened with, so that it cannot travel with them. */
static struct probe {
    const kb_device_ops *inner;
    struct product products[PRODUCTS_MAX];
    size_t count;
    double products_s, adam_s; /* since they were last zeroed */
} probe;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void timed_gemm(kb_device *dev, bool ta, bool tb, size_t m, size_t n, size_t k, float alpha,
                       kb_span a, kb_span b, float beta, kb_span c)
{
    double begun = now();
    probe.inner->gemm(dev, ta, tb, m, n, k, alpha, a, b, beta, c);
    probe.products_s += now() - begun;
    if (probe.count < PRODUCTS_MAX)
        probe.products[probe.count++] = (struct product){ta, tb, m, n, k, alpha, beta};
}

static void timed_adam(kb_device *dev, kb_span w, kb_span m, kb_span v, kb_span g,
                       kb_adam_step step, size_t count)
{
    double begun = now();
    probe.inner->adam(dev, w, m, v, g, step, count);
    probe.adam_s += now() - begun;
}

static double timed_squares(kb_device *dev, kb_span x, size_t count)
{
    double begun = now(), sum = probe.inner->sum_squares(dev, x, count);
    probe.adam_s += now() - begun;
    return sum;
}

/* Memory of the device as OpenBLAS is to see it: C is scratch, so that nothing is spoilt. */
struct bare {
    float *a, *b, *c;
};

static double bare_product(const struct product *p, const struct bare *s)
{
    double begun = now();
    cblas_sgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans,
                (blasint)p->m, (blasint)p->n, (blasint)p->k, p->alpha, s->a,
                (blasint)(p->ta ? p->m : p->k), s->b, (blasint)(p->tb ? p->k : p->n), p->beta, s->c,
                (blasint)p->n);
    return now() - begun;
}

static double bare_products(const struct bare *s, int threads)
{
    double sum = 0;
    openblas_set_num_threads(threads);
    for (size_t i = 0; i < probe.count; i++)
        sum += bare_product(&probe.products[i], s);
    openblas_set_num_threads(1);
    return sum;
}

static double product_flops(void)
{
    double sum = 0;
    for (size_t i = 0; i < probe.count; i++) {
        const struct product *p = &probe.products[i];
        sum += 2 * (double)p->m * (double)p->n * (double)p->k;
    }
    return sum;
}

struct times {
    double step, products, adam, bare;
};

struct bench {
    size_t sessions, batch;
    int threads;
    kb_network net;
    struct bare scratch;
};

static void keep_least(double *least, double value)
{
    if (*least == 0 || value < *least)
        *least = value;
}

static void one_step(struct bench *b, uint64_t step, struct times *best)
{
    const kb_optimiser adam = {1e-4, 10, .input_factor = 2, .output_factor = 2, .weight_decay = 8};
    double beta = 3e-3;
    probe.count = 0;
    probe.products_s = probe.adam_s = 0;
    double begun = now();
    kb_network_forward(&b->net, b->batch, beta, true, 1, step);
    kb_network_backward(&b->net, b->batch, beta);
    if (!kb_network_adam(&b->net, &adam, b->net.layout.parameters))
        exit(1);
    keep_least(&best->step, now() - begun);
    keep_least(&best->products, probe.products_s);
    keep_least(&best->adam, probe.adam_s);
    keep_least(&best->bare, bare_products(&b->scratch, b->threads));
}

/* --- setting up -------------------------------------------------------------------------- */

static void *must(void *memory)
{
    if (memory)
        return memory;
    fprintf(stderr, "bench_training: no memory\n");
    exit(1);
}

static float *made_up(size_t count, double deviation)
{
    float *x = must(kb_alloc_aligned(count, sizeof *x));
    kb_rng rng = kb_rng_start(1, KB_STREAM_TEST);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(deviation * (2 * kb_rng_uniform(&rng) - 1));
    return x;
}

static void open_network(struct bench *b, kb_device *dev, const kb_layout *layout)
{
    kb_error err;
    if (kb_network_create(&b->net, layout, dev, b->batch, &err)) {
        fprintf(stderr, "bench_training: %s\n", err.text);
        exit(1);
    }
    float *w = must(kb_alloc_aligned(layout->parameters, sizeof *w));
    kb_layout_initialise(layout, w, 1, 1);
    kb_network_put(&b->net, w);
    free(w);
    float *x = made_up(b->batch * layout->inputs, 1 / 32.0);
    dev->ops->put(dev, b->net.x, x, b->batch * layout->inputs);
    free(x);
    size_t widest = layout->inputs > layout->latent ? layout->inputs : layout->latent;
    size_t floats = (widest > b->batch ? widest : b->batch) * layout->hidden;
    b->scratch = (struct bare){made_up(floats, 1), made_up(floats, 1), made_up(floats, 1)};
}

static void print_times(const struct bench *b, const struct times *t)
{
    double flops = product_flops(), steps = (double)b->sessions / (double)b->batch;
    printf(
        "core=%s\ngflop_step=%.2f\nbare_gflops=%.1f\nproducts_gflops=%.1f\nproducts_of_bare=%.3f\n"
        "step_ms=%.1f\nproducts_ms=%.1f\nadam_ms=%.1f\nbare_ms=%.1f\nstep_over_bound=%.3f\n"
        "epoch_s=%.3f\nepochs_1000_min=%.1f\n",
        openblas_get_corename(), flops * 1e-9, flops / t->bare * 1e-9, flops / t->products * 1e-9,
        t->bare / t->products, t->step * 1e3, t->products * 1e3, t->adam * 1e3, t->bare * 1e3,
        t->step / t->bare, t->step * steps, t->step * steps * 1000 / 60);
}

static size_t number(const char *text)
{
    return (size_t)strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
    const char *core = kb_blas_core_wanted();
    if (argc == 2 && strcmp(argv[1], "core") == 0)
        return puts(core ? core : "") < 0;
    if (argc != 9) {
        fprintf(stderr, "usage: bench_training VARIANT SESSIONS INPUTS HIDDEN LATENT BATCH THREADS "
                        "STEPS | bench_training core\n");
        return 2;
    }
    struct bench b = {
        .sessions = number(argv[2]), .batch = number(argv[6]), .threads = (int)number(argv[7])};
    kb_error err;
    kb_pool *pool;
    kb_device *dev;
    kb_layout layout;
    if (kb_pool_create(&pool, number(argv[7]), &err) || kb_device_open_cpu(&dev, pool, &err) ||
        kb_layout_make(&layout, strncmp(argv[1], "vae", 3) == 0, number(argv[3]), number(argv[4]),
                       number(argv[5]), &err)) {
        fprintf(stderr, "bench_training: %s\n", err.text);
        return 1;
    }
    probe.inner = dev->ops;
    kb_device_ops ops = *dev->ops;
    ops.gemm = timed_gemm;
    ops.adam = timed_adam;
    ops.sum_squares = timed_squares;
    dev->ops = &ops;
    open_network(&b, dev, &layout);
    struct times best = {0};
    for (uint64_t step = 0; step < number(argv[8]); step++)
        one_step(&b, step, &best);
    print_times(&b, &best);
    dev->ops = probe.inner;
    kb_network_free(&b.net);
    kb_device_close(dev);
    kb_pool_free(pool);
    free(b.scratch.a);
    free(b.scratch.b);
    free(b.scratch.c);
    return 0;
}
