#include "neighbours.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "points.h"
#include "simd.h"

enum {
    QUERIES = 256, /* rows of a product: queries that a thread has in hand */
    TILE = 1024,   /* its columns */
    GROUP = 64,    /* of them looked at in one go */
    SPARE = 128    /* candidates that wait until they are compared in double */
};

struct candidate {
    double distance2; /* NAN: not yet known */
    uint32_t index;
};

/* What is known of a query so far: the first `known` candidates are its nearest, the farthest of
 * them last once there are k. */
struct query {
    struct candidate *candidates; /* k + SPARE */
    size_t known, count;
    double norm2; /* |x|^2 */
    float limit;  /* products above that are farther than the k nearest */
};

/* What a thread works with. */
struct bench {
    struct query queries[QUERIES];
    struct candidate *candidates; /* QUERIES x (k + SPARE) */
    float *products;              /* QUERIES x TILE */
};

struct search {
    kb_neighbours *out;
    kb_const_matrix x, points;
    bool self;
    float *norms2;   /* M: |point|^2 */
    float *greatest; /* by tile: the greatest of its norms |point| */
    struct bench *benches;
    size_t bench_count, first; /* of the blocks that this round begins with */
    const kb_progress *progress;
};

/* --- one query ---------------------------------------------------------------------------- */

/* How far |y|^2 - 2 x.y in float may be from the truth: a sum of d products in any order is off by
 * at most d u sum |x_f y_f|, which Cauchy-Schwarz bounds by the norms; 8 more u cover the rounding
 * of |y|^2 and of the additions. */
static double product_error(size_t dims, double x, double y)
{
    return FLT_EPSILON / 2 * (double)(dims + 8) * (2 * x * y + y * y) + FLT_MIN;
}

/* A product is out of the question when even less its error it is above what the k-th nearest so
 * far would have: d2 - |x|^2. One that is there already and 0 cannot be undercut, and comes first.
 */
static void set_limit(struct query *q, size_t k, size_t dims, double greatest)
{
    if (q->known < k) {
        q->limit = INFINITY;
        return;
    }
    double last = q->candidates[k - 1].distance2;
    double limit = last - q->norm2 + product_error(dims, sqrt(q->norm2), greatest);
    q->limit = last > 0 ? (float)(limit + FLT_EPSILON * fabs(limit)) : -INFINITY;
}

static bool is_nearer(struct candidate a, struct candidate b)
{
    return a.distance2 < b.distance2 || (a.distance2 == b.distance2 && a.index < b.index);
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *first = a, *second = b;
    return is_nearer(*second, *first) - is_nearer(*first, *second);
}

/* The K nearest of COUNT > K come first, the k-th at its place (Hoare's selection; the pivot is the
 * middle one, and no two candidates are equal). */
static void select_nearest(struct candidate *c, size_t count, size_t k)
{
    size_t low = 0, high = count - 1;
    while (low < high) {
        struct candidate pivot = c[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (is_nearer(c[i], pivot))
                i++;
            while (is_nearer(pivot, c[j]))
                j--;
            if (i >= j)
                break;
            struct candidate swapped = c[i];
            c[i++] = c[j];
            c[j--] = swapped;
        }
        /* low .. j are no farther than the pivot, j+1 .. high no nearer, and neither is all. */
        if (k - 1 <= j)
            high = j;
        else
            low = j + 1;
    }
}

/* Those that wait are compared in double; the k nearest stay, the farthest of them last. */
static void settle(struct query *q, const float *x, kb_const_matrix points, size_t k)
{
    for (size_t c = q->known; c < q->count; c++) {
        const float *point = kb_const_matrix_row(points, q->candidates[c].index);
        q->candidates[c].distance2 = kb_point_distance2(x, point, points.cols);
    }
    if (q->count > k)
        select_nearest(q->candidates, q->count, k);
    q->count = q->count < k ? q->count : k;
    q->known = q->count;
}

/* Bit g of the answer: some of the products of group g may be within LIMIT. COUNT <= TILE; the
 * NORMS2 are added to PRODUCTS. */
static KB_SIMD uint32_t add_norms(float *products, const float *norms2, size_t count, float limit)
{
    uint32_t groups = 0;
    for (size_t j = 0, g = 0; j < count; j += GROUP, g++) {
        size_t end = count - j < GROUP ? count : j + GROUP;
        unsigned within = 0;
        for (size_t c = j; c < end; c++) {
            products[c] += norms2[c];
            within |= products[c] <= limit;
        }
        groups |= within << g;
    }
    return groups;
}

/* --- a block of queries ------------------------------------------------------------------- */

/* Query Q, which is row ROW of x, against tile FROM .. FROM + COUNT-1. */
static void scan_row(const struct search *s, struct query *q, size_t row, float *products,
                     size_t from, size_t count, double greatest)
{
    size_t k = s->out->k, dims = s->x.cols;
    const float *x = kb_const_matrix_row(s->x, row);
    set_limit(q, k, dims, greatest);
    uint32_t groups = add_norms(products, s->norms2 + from, count, q->limit);
    for (size_t g = 0; groups >> g; g++) {
        size_t end = (g + 1) * GROUP < count ? (g + 1) * GROUP : count;
        for (size_t c = g * GROUP; groups >> g & 1 && c < end; c++) {
            if (!(products[c] <= q->limit) || (s->self && from + c == row))
                continue;
            q->candidates[q->count++] = (struct candidate){(double)NAN, (uint32_t)(from + c)};
            if (q->count == k + SPARE) {
                settle(q, x, s->points, k);
                set_limit(q, k, dims, greatest);
            }
        }
    }
}

static void start_queries(const struct search *s, struct bench *b, size_t first, size_t count)
{
    size_t room = s->out->k + SPARE;
    for (size_t r = 0; r < count; r++) {
        const float *x = kb_const_matrix_row(s->x, first + r);
        double norm2 = 0;
        for (size_t f = 0; f < s->x.cols; f++)
            norm2 += (double)x[f] * (double)x[f];
        b->queries[r] = (struct query){.candidates = b->candidates + r * room, .norm2 = norm2};
    }
}

static void keep_nearest(const struct search *s, struct query *q, size_t row)
{
    size_t k = s->out->k;
    settle(q, kb_const_matrix_row(s->x, row), s->points, k);
    qsort(q->candidates, k, sizeof *q->candidates, compare_candidates);
    for (size_t e = 0; e < k; e++) {
        s->out->index[row * k + e] = q->candidates[e].index;
        s->out->distance2[row * k + e] = (float)q->candidates[e].distance2;
    }
}

static void search_block(void *ctx, size_t which)
{
    struct search *s = ctx;
    struct bench *b = &s->benches[which];
    size_t n = s->x.rows, m = s->points.rows, first = (s->first + which) * QUERIES;
    size_t count = n - first < QUERIES ? n - first : QUERIES;
    int d = (int)s->x.cols;
    start_queries(s, b, first, count);
    for (size_t from = 0; from < m; from += TILE) {
        if (kb_cancelled(s->progress))
            return;
        size_t width = m - from < TILE ? m - from : TILE;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, (int)width, d, -2,
                    kb_const_matrix_row(s->x, first), (int)s->x.stride,
                    kb_const_matrix_row(s->points, from), (int)s->points.stride, 0, b->products,
                    TILE);
        for (size_t r = 0; r < count; r++)
            scan_row(s, &b->queries[r], first + r, b->products + r * TILE, from, width,
                     (double)s->greatest[from / TILE]);
    }
    for (size_t r = 0; r < count; r++)
        keep_nearest(s, &b->queries[r], first + r);
}

/* --- all of them -------------------------------------------------------------------------- */

static void measure_norms(struct search *s)
{
    for (size_t j = 0; j < s->points.rows; j++) {
        const float *point = kb_const_matrix_row(s->points, j);
        double norm2 = 0;
        for (size_t f = 0; f < s->points.cols; f++)
            norm2 += (double)point[f] * (double)point[f];
        s->norms2[j] = (float)norm2;
        float *greatest = &s->greatest[j / TILE], norm = (float)sqrt(norm2) * (1 + FLT_EPSILON);
        *greatest = norm > *greatest ? norm : *greatest;
    }
}

static bool make_benches(struct search *s)
{
    size_t cells;
    s->benches = kb_calloc(s->bench_count, sizeof *s->benches);
    if (!s->benches || !kb_size_mul(QUERIES, s->out->k + SPARE, &cells))
        return false;
    for (size_t b = 0; b < s->bench_count; b++) {
        s->benches[b].candidates = kb_calloc(cells, sizeof(struct candidate));
        s->benches[b].products = kb_alloc_aligned(QUERIES * TILE, sizeof(float));
        if (!s->benches[b].candidates || !s->benches[b].products)
            return false;
    }
    return true;
}

static bool make_room(struct search *s)
{
    size_t cells, m = s->points.rows;
    if (!kb_size_mul(s->out->n, s->out->k, &cells))
        return false;
    s->out->index = kb_alloc_aligned(cells, sizeof *s->out->index);
    s->out->distance2 = kb_alloc_aligned(cells, sizeof *s->out->distance2);
    s->norms2 = kb_calloc(m, sizeof *s->norms2);
    s->greatest = kb_calloc(m / TILE + 1, sizeof *s->greatest);
    return s->out->index && s->out->distance2 && s->norms2 && s->greatest && make_benches(s);
}

static void free_room(struct search *s)
{
    for (size_t b = 0; s->benches && b < s->bench_count; b++) {
        free(s->benches[b].candidates);
        free(s->benches[b].products);
    }
    free(s->benches);
    free(s->norms2);
    free(s->greatest);
}

/* A block a thread, round after round. The threads are the pool's; the library gets none. */
static void search_blocks(struct search *s, kb_pool *pool)
{
    size_t n = s->x.rows, blocks = (n + QUERIES - 1) / QUERIES;
    int threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
    for (; s->first < blocks && !kb_cancelled(s->progress); s->first += s->bench_count) {
        kb_progress_report(s->progress, "neighbours", s->first * QUERIES, n);
        size_t left = blocks - s->first;
        kb_pool_run(pool, left < s->bench_count ? left : s->bench_count, search_block, s);
    }
    openblas_set_num_threads(threads);
}

kb_status kb_neighbours_find(kb_neighbours *out, kb_const_matrix x, kb_const_matrix points,
                             size_t k, bool self, kb_pool *pool, const kb_progress *progress,
                             kb_error *err)
{
    *out = (kb_neighbours){.n = x.rows, .k = k};
    struct search s = {.out = out,
                       .x = x,
                       .points = points,
                       .self = self,
                       .bench_count = kb_pool_threads(pool),
                       .progress = progress};
    bool room = make_room(&s);
    if (room) {
        measure_norms(&s);
        search_blocks(&s, pool);
    }
    free_room(&s);
    if (room && !kb_cancelled(progress))
        return KB_OK;
    kb_neighbours_clear(out);
    return room ? kb_fail(err, KB_ERR_CANCELLED, "the search for neighbours was stopped")
                : kb_fail_memory(err, "nearest neighbours");
}

void kb_neighbours_clear(kb_neighbours *neighbours)
{
    free(neighbours->index);
    free(neighbours->distance2);
    *neighbours = (kb_neighbours){0};
}
