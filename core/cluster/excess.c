#include "excess.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lapack.h"
#include "memory.h"
#include "neighbours.h"
#include "points.h"
#include "rng.h"
#include "sorting.h"

static const double INSIDE = .95;    /* of the known points that are within the radius */
static const double ROUNDING = 1e-5; /* of singular values, products being in float */
static const double NOTHING = 1e-9;  /* a difference shorter than that, values being of order 1 */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static kb_status fail_memory(kb_error *err)
{
    return kb_fail_memory(err, "what sessions have beyond known ones");
}

/* --- differences -------------------------------------------------------------------------- */

/* DIFFERENCES (n x d) = POINTS - the mean of their nearest known ones. ITSELF: they are these. */
static kb_status subtract_nearest(const kb_excess *e, kb_const_matrix points, bool itself,
                                  kb_matrix differences, kb_pool *pool, const kb_progress *progress,
                                  kb_error *err)
{
    kb_const_matrix known = kb_const_matrix_of(e->points, e->known, e->dims);
    size_t k = least(KB_EXCESS_NEAR, e->known - itself);
    kb_neighbours nearest;
    kb_progress quiet = {.outer = progress};
    kb_status status = kb_neighbours_find(&nearest, points, known, k, itself, pool, &quiet, err);
    if (status)
        return status;
    for (size_t i = 0; i < points.rows; i++) {
        float *row = kb_matrix_row(differences, i);
        memcpy(row, kb_const_matrix_row(points, i), e->dims * sizeof *row);
        for (size_t j = 0; j < k; j++)
            cblas_saxpy((blasint)e->dims, -1 / (float)k,
                        kb_const_matrix_row(known, nearest.index[i * k + j]), 1, row, 1);
    }
    kb_neighbours_clear(&nearest);
    return KB_OK;
}

/* Each row less USUAL, and of length 1. */
static void conclude(const kb_excess *e, kb_matrix q)
{
    for (size_t i = 0; i < q.rows; i++) {
        float *row = kb_matrix_row(q, i);
        double norm2 = 0;
        for (size_t f = 0; f < q.cols; f++) {
            row[f] -= e->usual[f];
            norm2 += (double)row[f] * (double)row[f];
        }
        float factor = norm2 > NOTHING * NOTHING ? (float)(1 / sqrt(norm2)) : 0;
        for (size_t f = 0; f < q.cols; f++)
            row[f] *= factor;
    }
}

static void find_usual(kb_excess *e)
{
    for (size_t f = 0; f < e->dims; f++) {
        double sum = 0;
        for (size_t i = 0; i < e->known; i++)
            sum += (double)e->q[i * e->dims + f];
        e->usual[f] = (float)(sum / (double)e->known);
    }
}

kb_status kb_excess_open(kb_excess *out, kb_const_matrix known, kb_pool *pool,
                         const kb_progress *progress, kb_error *err)
{
    size_t floats;
    kb_excess *e = out;
    *e = (kb_excess){.known = known.rows, .dims = known.cols};
    if (known.rows < KB_EXCESS_LEAST || !known.cols)
        return kb_fail(err, KB_ERR_USAGE, "%zu known sessions are too few to compare with",
                       known.rows);
    kb_progress_report(progress, "comparing sessions", 0, 0);
    if (kb_size_mul(known.rows, known.cols, &floats)) {
        e->points = kb_alloc_aligned(floats, sizeof *e->points);
        e->q = kb_alloc_aligned(floats, sizeof *e->q);
    }
    e->mean = kb_calloc(known.cols, sizeof *e->mean);
    e->usual = kb_calloc(known.cols, sizeof *e->usual);
    kb_status status = e->points && e->q && e->mean && e->usual ? KB_OK : fail_memory(err);
    kb_matrix q = kb_matrix_of(e->q, e->known, e->dims);
    if (!status) {
        e->exponent = kb_points_centre(e->points, e->mean, known);
        status = subtract_nearest(e, kb_const_matrix_of(e->points, e->known, e->dims), true, q,
                                  pool, progress, err);
    }
    if (status) {
        kb_excess_clear(e);
        return status;
    }
    find_usual(e);
    conclude(e, q);
    return KB_OK;
}

kb_status kb_excess_of(const kb_excess *e, kb_const_matrix x, kb_matrix q, kb_pool *pool,
                       const kb_progress *progress, kb_error *err)
{
    size_t floats;
    float *points =
        kb_size_mul(x.rows, x.cols, &floats) ? kb_alloc_aligned(floats, sizeof *points) : NULL;
    if (!points)
        return fail_memory(err);
    for (size_t i = 0; i < x.rows; i++)
        for (size_t f = 0; f < x.cols; f++)
            points[i * x.cols + f] =
                (float)ldexp((double)kb_const_matrix_row(x, i)[f] - e->mean[f], -e->exponent);
    kb_status status = subtract_nearest(e, kb_const_matrix_of(points, x.rows, x.cols), false, q,
                                        pool, progress, err);
    if (!status)
        conclude(e, q);
    free(points);
    return status;
}

/* --- directions --------------------------------------------------------------------------- */

/* What the singular values of n rows are found with. */
struct spectrum {
    size_t rows, count; /* n, and how many of its largest are wanted */
    float *gram;        /* n x n */
    double *matrix;     /* the same in double, which LAPACK uses up */
    double *values;     /* n */
    double *vectors;    /* count x n, one a row */
    lapack_int *failed; /* n */
};

static kb_status spectrum_open(struct spectrum *s, size_t rows, size_t cols, kb_error *err)
{
    size_t cells;
    *s = (struct spectrum){.rows = rows, .count = least(least(rows, cols), KB_EXCESS_RANK)};
    if (kb_size_mul(rows, rows, &cells)) {
        s->gram = kb_calloc(cells, sizeof *s->gram);
        s->matrix = kb_calloc(cells, sizeof *s->matrix);
    }
    s->values = kb_calloc(rows, sizeof *s->values);
    s->vectors = kb_calloc(rows, KB_EXCESS_RANK * sizeof *s->vectors);
    s->failed = kb_calloc(rows, sizeof *s->failed);
    return s->gram && s->matrix && s->values && s->vectors && s->failed ? KB_OK : fail_memory(err);
}

static void spectrum_close(struct spectrum *s)
{
    free(s->gram);
    free(s->matrix);
    free(s->values);
    free(s->vectors);
    free(s->failed);
}

/* VALUES become the COUNT largest eigenvalues of Q Q^T, rising, VECTORS theirs. */
static kb_status spectrum_of(struct spectrum *s, kb_const_matrix q, kb_error *err)
{
    blasint n = (blasint)q.rows;
    lapack_int found = 0, first = (lapack_int)(s->rows - s->count + 1);
    cblas_ssyrk(CblasRowMajor, CblasLower, CblasNoTrans, n, (blasint)q.cols, 1, q.data,
                (blasint)q.stride, 0, s->gram, n);
    for (size_t i = 0; i < s->rows * s->rows; i++)
        s->matrix[i] = (double)s->gram[i];
    /* Lower by rows is upper by columns. */
    lapack_int info = LAPACKE_dsyevx(LAPACK_COL_MAJOR, 'V', 'I', 'U', n, s->matrix, n, 0, 0, first,
                                     n, 0, &found, s->values, s->vectors, n, s->failed);
    if (info || (size_t)found != s->count)
        return kb_fail_lapack(err, "finding what sessions share", "dsyevx", (int)info);
    return KB_OK;
}

static double singular_value(const struct spectrum *s, size_t j)
{
    return sqrt(fmax(s->values[s->count - 1 - j], 0));
}

/* CHANCE (KB_EXCESS_RANK): the greatest singular values, place by place, of samples of as many
 * known points as there are new ones, N; where there are fewer, of all, as if each were N / K of
 * them. */
static kb_status find_chance(const kb_excess *e, size_t n, uint64_t seed, double *chance,
                             const kb_progress *progress, kb_error *err)
{
    struct spectrum s;
    size_t rows = least(n, e->known), floats;
    size_t *order = kb_calloc(e->known, sizeof *order);
    float *sample =
        kb_size_mul(rows, e->dims, &floats) ? kb_alloc_aligned(floats, sizeof *sample) : NULL;
    kb_status status = spectrum_open(&s, rows, e->dims, err);
    if (!status && !(order && sample))
        status = fail_memory(err);
    for (size_t i = 0; !status && i < e->known; i++)
        order[i] = i;
    kb_rng rng = kb_rng_start(seed, KB_STREAM_EXCESS);
    for (size_t draw = 0; !status && draw < KB_EXCESS_DRAWS; draw++) {
        kb_progress_report(progress, "finding what is shared", draw, KB_EXCESS_DRAWS + 1);
        kb_rng_shuffle(&rng, order, e->known);
        for (size_t i = 0; i < rows; i++)
            memcpy(sample + i * e->dims, e->q + order[i] * e->dims, e->dims * sizeof *sample);
        status = kb_check_cancelled(progress, err);
        if (!status)
            status = spectrum_of(&s, kb_const_matrix_of(sample, rows, e->dims), err);
        for (size_t j = 0; !status && j < s.count; j++)
            chance[j] = fmax(chance[j], singular_value(&s, j) * sqrt((double)n / (double)rows));
    }
    spectrum_close(&s);
    free(order);
    free(sample);
    return status;
}

/* The J-th direction: Q^T u / s, turned to where the sum of u is not negative. */
static void take_axis(kb_excess *e, const struct spectrum *s, kb_const_matrix q, size_t j)
{
    const double *u = s->vectors + (s->count - 1 - j) * s->rows;
    float *axis = e->axes + j * e->dims;
    double sum = 0, value = singular_value(s, j);
    for (size_t i = 0; i < q.rows; i++)
        sum += u[i];
    for (size_t i = 0; i < q.rows; i++)
        cblas_saxpy((blasint)e->dims, (float)((sum < 0 ? -u[i] : u[i]) / value),
                    kb_const_matrix_row(q, i), 1, axis, 1);
}

static kb_status take_axes(kb_excess *e, const struct spectrum *s, kb_const_matrix q,
                           const double *chance, kb_error *err)
{
    e->rank = 0;
    e->shared = 0;
    free(e->axes);
    e->axes = kb_calloc(e->dims, KB_EXCESS_RANK * sizeof *e->axes);
    if (!e->axes)
        return fail_memory(err);
    while (e->rank < s->count &&
           singular_value(s, e->rank) > chance[e->rank] * (1 + ROUNDING) + NOTHING) {
        double value = singular_value(s, e->rank), usual = chance[e->rank];
        e->shared += (value * value - usual * usual) / (double)q.rows;
        take_axis(e, s, q, e->rank++);
    }
    return KB_OK;
}

static kb_status find_radius(kb_excess *e, kb_error *err)
{
    float *y = kb_calloc(e->known, KB_EXCESS_RANK * sizeof *y);
    double *length = kb_calloc(e->known, sizeof *length);
    if (y && length) {
        kb_matrix places = kb_matrix_of(y, e->known, e->rank);
        kb_excess_place(e, kb_const_matrix_of(e->q, e->known, e->dims), places);
        for (size_t i = 0; i < e->known; i++)
            length[i] = (double)cblas_snrm2((blasint)e->rank, kb_matrix_row(places, i), 1);
        kb_sort_doubles(length, e->known);
        size_t rank = (size_t)ceil(INSIDE * (double)e->known);
        e->radius = length[rank ? rank - 1 : 0];
    }
    free(y);
    free(length);
    return y && length ? KB_OK : fail_memory(err);
}

kb_status kb_excess_find(kb_excess *e, kb_const_matrix q, uint64_t seed,
                         const kb_progress *progress, kb_error *err)
{
    struct spectrum s = {0};
    double chance[KB_EXCESS_RANK] = {0};
    kb_status status = find_chance(e, q.rows, seed, chance, progress, err);
    if (!status)
        status = spectrum_open(&s, q.rows, e->dims, err);
    if (!status)
        status = spectrum_of(&s, q, err);
    if (!status)
        status = take_axes(e, &s, q, chance, err);
    spectrum_close(&s);
    return status ? status : find_radius(e, err);
}

void kb_excess_place(const kb_excess *e, kb_const_matrix q, kb_matrix y)
{
    if (q.rows && e->rank)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)q.rows, (blasint)e->rank,
                    (blasint)e->dims, 1, q.data, (blasint)q.stride, e->axes, (blasint)e->dims, 0,
                    y.data, (blasint)y.stride);
}

void kb_excess_clear(kb_excess *e)
{
    free(e->points);
    free(e->mean);
    free(e->usual);
    free(e->q);
    free(e->axes);
    *e = (kb_excess){0};
}
