#include "pair_forces.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "points.h"
#include "simd.h"

enum {
    LANES = KB_FIELD_LANES,
    ROWS = 4,           /* points whose pairs are measured at once */
    CHUNK = 64 * LANES, /* columns until lanes are emptied into doubles */
    STRIPS = 16         /* shares of the rows, each with sums of its own */
};

/* The sums of a strip, one array each. */
enum { PULL_X, PULL_Y, PUSH_X, PUSH_Y, SUMS };

bool kb_pair_forces_make(kb_pair_forces *forces, const float *p, size_t n)
{
    size_t padded = (n / LANES + 2) * LANES, cells;
    *forces = (kb_pair_forces){.p = p, .n = n};
    if (kb_size_mul(padded, SUMS * STRIPS, &cells))
        forces->sums = kb_alloc_aligned(cells, sizeof *forces->sums);
    forces->weights = kb_calloc(STRIPS, sizeof *forces->weights);
    if (forces->sums && forces->weights)
        return true;
    kb_pair_forces_free(forces);
    return false;
}

void kb_pair_forces_free(kb_pair_forces *forces)
{
    free(forces->sums);
    free(forces->weights);
    *forces = (kb_pair_forces){0};
}

/* --- a strip of rows ---------------------------------------------------------------------- */

struct strip {
    const kb_field *field;
    float *sums[SUMS]; /* padded: what acts on each point */
    double weight;
};

/* ROWS points against COUNT others (whole vectors): P[r] affinities, X and Y the others' places,
 * OTHERS their sums. OWN[r]: the sums of the rows; WEIGHT: of w; both added to. */
static KB_SIMD void add_pairs(double own[ROWS][SUMS], double *weight, const float *const p[ROWS],
                              const float xi[ROWS], const float yi[ROWS], const float *x,
                              const float *y, float *const others[SUMS], size_t count)
{
    kb_float16 sums[ROWS][SUMS] = {{{0}}}, total = {0};
    for (size_t j = 0; j < count; j += LANES) {
        kb_float16 xj = *(const kb_float16 *)(x + j), yj = *(const kb_float16 *)(y + j);
        kb_float16 back[SUMS];
        for (size_t s = 0; s < SUMS; s++)
            back[s] = *(const kb_float16 *)(others[s] + j);
#pragma GCC unroll 4
        for (size_t r = 0; r < ROWS; r++) {
            kb_float16 dx = xi[r] - xj, dy = yi[r] - yj;
            kb_float16 w = 1.0F / (1.0F + dx * dx + dy * dy);
            kb_float16 pull = *(const kb_float16 *)(p[r] + j) * w, push = w * w;
            total += w;
            sums[r][PULL_X] += pull * dx;
            sums[r][PULL_Y] += pull * dy;
            sums[r][PUSH_X] += push * dx;
            sums[r][PUSH_Y] += push * dy;
            back[PULL_X] -= pull * dx;
            back[PULL_Y] -= pull * dy;
            back[PUSH_X] -= push * dx;
            back[PUSH_Y] -= push * dy;
        }
        for (size_t s = 0; s < SUMS; s++)
            *(kb_float16 *)(others[s] + j) = back[s];
    }
    for (size_t l = 0; l < LANES; l++) {
        *weight += (double)total[l];
        for (size_t r = 0; r < ROWS; r++)
            for (size_t s = 0; s < SUMS; s++)
                own[r][s] += (double)sums[r][s][l];
    }
}

/* The COUNT <= ROWS points from FIRST on among themselves. */
static void add_corner(struct strip *strip, double own[ROWS][SUMS], const float *p, size_t n,
                       size_t first, size_t count)
{
    const float *x = strip->field->x + first, *y = strip->field->y + first;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            double dx = (double)x[i] - (double)x[j], dy = (double)y[i] - (double)y[j];
            double w = 1 / (1 + dx * dx + dy * dy);
            double pull = (double)p[(first + i) * n + first + j] * w, push = w * w;
            const double force[SUMS] = {pull * dx, pull * dy, push * dx, push * dy};
            strip->weight += w;
            for (size_t s = 0; s < SUMS; s++) {
                own[i][s] += force[s];
                own[j][s] -= force[s];
            }
        }
    }
}

/* COUNT columns from J on, the last vector of them perhaps not whole. */
static void add_columns(struct strip *strip, double own[ROWS][SUMS], const float *p, size_t n,
                        size_t first, size_t j, size_t count)
{
    const kb_field *f = strip->field;
    const float *rows[ROWS];
    float *others[SUMS], rest[ROWS][LANES] = {{0}};
    size_t whole = count / LANES * LANES;
    for (size_t r = 0; r < ROWS; r++)
        rows[r] = p + (first + r) * n + j;
    for (size_t s = 0; s < SUMS; s++)
        others[s] = strip->sums[s] + j;
    add_pairs(own, &strip->weight, rows, f->x + first, f->y + first, f->x + j, f->y + j, others,
              whole);
    if (whole == count)
        return;
    for (size_t r = 0; r < ROWS; r++) {
        memcpy(rest[r], rows[r] + whole, (count - whole) * sizeof *rest[r]);
        rows[r] = rest[r];
    }
    for (size_t s = 0; s < SUMS; s++)
        others[s] += whole;
    add_pairs(own, &strip->weight, rows, f->x + first, f->y + first, f->x + j + whole,
              f->y + j + whole, others, LANES);
}

static void add_rows(struct strip *strip, const float *p, size_t n, size_t first)
{
    double own[ROWS][SUMS] = {{0}};
    size_t rows = n - first < ROWS ? n - first : ROWS;
    add_corner(strip, own, p, n, first, rows);
    for (size_t j = first + rows; j < n; j += CHUNK)
        add_columns(strip, own, p, n, first, j, n - j < CHUNK ? n - j : CHUNK);
    for (size_t r = 0; r < rows; r++)
        for (size_t s = 0; s < SUMS; s++)
            strip->sums[s][first + r] += (float)own[r][s];
}

/* --- all of them -------------------------------------------------------------------------- */

struct measurement {
    kb_pair_forces *forces;
    kb_field *field;
};

/* Rows are dealt out in turn, since the first ones have the most pairs. */
static void measure_strip(void *ctx, size_t s)
{
    struct measurement *m = ctx;
    size_t n = m->field->n, padded = m->field->padded;
    struct strip strip = {.field = m->field};
    for (size_t i = 0; i < SUMS; i++)
        strip.sums[i] = m->forces->sums + (s * SUMS + i) * padded;
    memset(strip.sums[0], 0, SUMS * padded * sizeof(float));
    for (size_t first = s * ROWS; first < n; first += STRIPS * ROWS)
        add_rows(&strip, m->forces->p, n, first);
    m->forces->weights[s] = strip.weight;
}

static void collect(void *ctx, size_t which)
{
    struct measurement *m = ctx;
    double *const out[SUMS] = {m->field->pull_x, m->field->pull_y, m->field->push_x,
                               m->field->push_y};
    for (size_t i = 0; i < m->field->n; i++)
        out[which][i] = 0;
    for (size_t s = 0; s < STRIPS; s++) {
        const float *sums = m->forces->sums + (s * SUMS + which) * m->field->padded;
        for (size_t i = 0; i < m->field->n; i++)
            out[which][i] += (double)sums[i];
    }
}

void kb_pair_forces_measure(kb_pair_forces *forces, kb_field *field, kb_pool *pool)
{
    struct measurement m = {forces, field};
    kb_pool_run(pool, STRIPS, measure_strip, &m);
    kb_pool_run(pool, SUMS, collect, &m);
    double total = 0;
    for (size_t s = 0; s < STRIPS; s++)
        total += 2 * forces->weights[s];
    /* Points that are all infinitely far apart push nobody. */
    field->normaliser = fmax(total, 1e-300);
}

/* --- divergence --------------------------------------------------------------------------- */

struct divergence {
    const float *p;
    const kb_field *field;
    double *kl, *total; /* n: sums over the pairs of each row, above the diagonal */
};

static void diverge_strip(void *ctx, size_t s)
{
    struct divergence *d = ctx;
    const kb_field *f = d->field;
    for (size_t i = s; i < f->n; i += STRIPS) {
        for (size_t j = i + 1; j < f->n; j++) {
            double p = (double)d->p[i * f->n + j];
            double dx = (double)f->x[i] - (double)f->x[j], dy = (double)f->y[i] - (double)f->y[j];
            if (p > 0) {
                d->kl[i] += p * log(p * (1 + dx * dx + dy * dy));
                d->total[i] += p;
            }
        }
    }
}

double kb_pair_forces_divergence(const kb_pair_forces *forces, const kb_field *field, kb_pool *pool)
{
    struct divergence d = {forces->p, field, kb_calloc(field->n, 2 * sizeof(double)), NULL};
    if (!d.kl)
        return (double)NAN;
    d.total = d.kl + field->n;
    kb_pool_run(pool, STRIPS, diverge_strip, &d);
    double kl = 0, total = 0;
    for (size_t i = 0; i < field->n; i++) {
        kl += 2 * d.kl[i];
        total += 2 * d.total[i];
    }
    free(d.kl);
    return kl + total * log(field->normaliser);
}
