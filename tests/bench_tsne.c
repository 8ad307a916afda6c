/* bench_tsne: what a map of a given size takes.
 *
 *   bench_tsne POINTS DIMENSIONS ITERATIONS THREADS FILE
 *
 * Points of fifteen groups, some of which overlap, as embeddings have them; they are also written
 * to FILE, floats row by row, for others to lay out. Prints key=value lines: the seconds of the
 * whole layout and of what comes before the first iteration, the final divergence, and, for a
 * twentieth of the points left out of the map, the seconds it takes to place them into it. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "memory.h"
#include "rng.h"
#include "tsne.h"
#include "tsne_place.h"

enum { GROUPS = 15 };

struct bench {
    double begun, first; /* when the layout, and its first iteration, began */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void note_first(void *ctx, const kb_progress_state *state)
{
    struct bench *b = ctx;
    if (state->phase[0] == 't' && !state->done) /* "t-SNE" */
        b->first = now();
}

static float *made_up(size_t n, size_t d)
{
    float *x = kb_alloc_aligned(n * d, sizeof *x), centres[GROUPS][8];
    if (!x)
        return NULL;
    kb_rng rng = kb_rng_start(1, KB_STREAM_TEST);
    for (size_t g = 0; g < GROUPS; g++)
        for (size_t f = 0; f < 8; f++)
            centres[g][f] = 3 * kb_rng_normal(&rng);
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < d; f++)
            x[i * d + f] = centres[i % GROUPS][f % 8] / (1 + (float)(f / 8)) +
                           kb_rng_normal(&rng) / (1 + (float)f / 8);
    return x;
}

static int fail(const char *what)
{
    fprintf(stderr, "bench_tsne: %s\n", what);
    return 1;
}

static int put(const char *path, const float *x, size_t count)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(x, sizeof *x, count, f) != count || fclose(f) != 0)
        return fail("cannot write the points");
    return 0;
}

static size_t number(const char *text)
{
    return (size_t)strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return fail("usage: bench_tsne POINTS DIMENSIONS ITERATIONS THREADS FILE");
    size_t n = number(argv[1]), d = number(argv[2]), later = n / 20;
    kb_error err;
    kb_pool *pool;
    float *x = made_up(n + later, d), *layout = kb_calloc(n + later, 2 * sizeof *layout);
    if (!x || !layout || kb_pool_create(&pool, number(argv[4]), &err))
        return fail("no memory, or no threads");
    if (put(argv[5], x, n * d))
        return 1;
    struct bench b;
    double kl;
    kb_progress progress = {.report = note_first, .ctx = &b};
    kb_tsne_options options = kb_tsne_defaults();
    kb_place_options placing = kb_place_defaults();
    options.iterations = number(argv[3]);
    kb_const_matrix points = kb_const_matrix_of(x, n, d);
    b.begun = now();
    if (kb_tsne(layout, &kl, points, &options, pool, &progress, &err))
        return fail(err.text);
    double laid_out = now();
    if (kb_tsne_place(layout + 2 * n, kb_const_matrix_of(x + n * d, later, d), points, layout,
                      &placing, pool, NULL, &err))
        return fail(err.text);
    double placed = now();
    printf("seconds=%.3f\nprepare_s=%.3f\niteration_ms=%.3f\nkl=%.4f\nlater=%zu\nplace_s=%.3f\n",
           laid_out - b.begun, b.first - b.begun,
           1e3 * (laid_out - b.first) / (double)options.iterations, kl, later, placed - laid_out);
    kb_pool_free(pool);
    free(x);
    free(layout);
    return 0;
}
