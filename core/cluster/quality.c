#include "quality.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "points.h"
#include "simd.h"

/* --- silhouette --------------------------------------------------------------------------- */

/* Rows are taken 16 at a time, one a lane: sums[k][lane] gathers the distances of 16 points to
 * cluster k side by side. A batch of BATCH_PIECES such blocks is shared out over the threads
 * between two looks at the cancel flag. */
enum { TILE_ROWS = 64, BATCH_PIECES = 64 };

struct silhouettes {
    kb_const_matrix x;
    const uint32_t *const *labels; /* count x N */
    const size_t *clusters;        /* count */
    size_t count;
    size_t **sizes;     /* count x clusters[c] */
    double *totals;     /* count x N: each point's silhouette */
    size_t first;       /* row at which the batch starts */
    size_t sums_length; /* 16 doubles for each cluster of each labelling */
    double *sums;       /* BATCH_PIECES x sums_length */
    float *lanes;       /* BATCH_PIECES x d x 16 */
    float *tiles;       /* BATCH_PIECES x TILE_ROWS x 16 */
    const kb_progress *progress;
};

static KB_SIMD void square_roots(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = __builtin_sqrtf(values[i]);
}

/* SUMS[label of row j][lane] += DISTANCES[j][lane]. */
static KB_SIMD void add_by_label(double *sums, const float *distances, const uint32_t *labels,
                                 size_t rows)
{
    for (size_t j = 0; j < rows; j++) {
        const float *from = distances + j * KB_LANES;
        double *to = sums + labels[j] * (size_t)KB_LANES;
        for (size_t r = 0; r < KB_LANES; r += 4)
            *(kb_double4 *)(to + r) +=
                __builtin_convertvector(*(const kb_float4 *)(from + r), kb_double4);
    }
}

/* One point: A its mean distance to its own cluster, B the least mean distance to another. */
static double point_silhouette(const double *sums, const size_t *sizes, size_t clusters, size_t own,
                               size_t lane)
{
    if (sizes[own] == 1)
        return 0;
    double a = sums[own * KB_LANES + lane] / (double)(sizes[own] - 1), b = INFINITY;
    for (size_t k = 0; k < clusters; k++)
        if (k != own && sizes[k])
            b = fmin(b, sums[k * KB_LANES + lane] / (double)sizes[k]);
    double greater = fmax(a, b);
    return greater > 0 ? (b - a) / greater : 0;
}

static void gather_sums(const struct silhouettes *s, const float *lanes, float *tile, double *sums)
{
    size_t n = s->x.rows;
    memset(sums, 0, s->sums_length * sizeof *sums);
    for (size_t j = 0; j < n; j += TILE_ROWS) {
        size_t rows = n - j < TILE_ROWS ? n - j : TILE_ROWS;
        kb_const_matrix part = {kb_const_matrix_row(s->x, j), rows, s->x.cols, s->x.stride};
        kb_lanes_distance2(tile, lanes, part);
        square_roots(tile, rows * KB_LANES);
        double *to = sums;
        for (size_t c = 0; c < s->count; c++) {
            add_by_label(to, tile, s->labels[c] + j, rows);
            to += s->clusters[c] * KB_LANES;
        }
    }
}

static void silhouette_piece(void *ctx, size_t piece)
{
    struct silhouettes *s = ctx;
    size_t first = s->first + piece * KB_LANES, n = s->x.rows;
    if (first >= n || kb_cancelled(s->progress))
        return;
    size_t rows[KB_LANES], count = n - first < KB_LANES ? n - first : KB_LANES;
    for (size_t r = 0; r < count; r++)
        rows[r] = first + r;
    float *lanes = s->lanes + piece * s->x.cols * KB_LANES;
    double *sums = s->sums + piece * s->sums_length;
    kb_lanes_pack(lanes, s->x, rows, count);
    gather_sums(s, lanes, s->tiles + piece * TILE_ROWS * KB_LANES, sums);
    for (size_t c = 0; c < s->count; c++) {
        for (size_t r = 0; r < count; r++)
            s->totals[c * n + first + r] =
                point_silhouette(sums, s->sizes[c], s->clusters[c], s->labels[c][first + r], r);
        sums += s->clusters[c] * KB_LANES;
    }
}

static size_t used_clusters(const size_t *sizes, size_t clusters)
{
    size_t used = 0;
    for (size_t k = 0; k < clusters; k++)
        used += sizes[k] > 0;
    return used;
}

static bool defined(size_t used, size_t n)
{
    return used >= 2 && used < n;
}

static bool allocate(struct silhouettes *s)
{
    size_t values, lanes, sums, clusters = 0;
    for (size_t c = 0; c < s->count; c++)
        if (!kb_size_add(clusters, s->clusters[c], &clusters))
            return false;
    if (!kb_size_mul(clusters, KB_LANES, &s->sums_length) ||
        !kb_size_mul(s->sums_length, BATCH_PIECES, &sums) ||
        !kb_size_mul(s->count, s->x.rows, &values) ||
        !kb_size_mul(s->x.cols, KB_LANES * BATCH_PIECES, &lanes))
        return false;
    s->sizes = kb_calloc(s->count, sizeof *s->sizes);
    s->totals = kb_calloc(values, sizeof *s->totals);
    s->sums = kb_alloc_aligned(sums, sizeof *s->sums);
    s->lanes = kb_alloc_aligned(lanes, sizeof *s->lanes);
    s->tiles = kb_alloc_aligned((size_t)BATCH_PIECES * TILE_ROWS * KB_LANES, sizeof *s->tiles);
    bool made = s->sizes && s->totals && s->sums && s->lanes && s->tiles;
    for (size_t c = 0; c < s->count && made; c++) {
        s->sizes[c] = kb_calloc(s->clusters[c], sizeof **s->sizes);
        made = s->sizes[c] != NULL;
        if (made)
            kb_label_sizes(s->sizes[c], s->labels[c], s->x.rows, s->clusters[c]);
    }
    return made;
}

static void release(struct silhouettes *s)
{
    for (size_t c = 0; c < s->count && s->sizes; c++)
        free(s->sizes[c]);
    free(s->sizes);
    free(s->totals);
    free(s->sums);
    free(s->lanes);
    free(s->tiles);
}

static void run_batches(struct silhouettes *s, kb_pool *pool)
{
    size_t n = s->x.rows;
    for (s->first = 0; s->first < n && !kb_cancelled(s->progress);) {
        kb_progress_report(s->progress, "silhouette", s->first, n);
        kb_pool_run(pool, BATCH_PIECES, silhouette_piece, s);
        s->first += (size_t)BATCH_PIECES * KB_LANES;
    }
}

static double mean_silhouette(const struct silhouettes *s, size_t c)
{
    size_t n = s->x.rows;
    if (!defined(used_clusters(s->sizes[c], s->clusters[c]), n))
        return NAN;
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += s->totals[c * n + i];
    return total / (double)n;
}

kb_status kb_silhouettes(double *out, kb_const_matrix x, const uint32_t *const *labels,
                         const size_t *clusters, size_t count, kb_pool *pool,
                         const kb_progress *progress, kb_error *err)
{
    struct silhouettes s = {
        .x = x, .labels = labels, .clusters = clusters, .count = count, .progress = progress};
    kb_status status = KB_OK;
    for (size_t c = 0; c < count; c++)
        out[c] = NAN;
    if (allocate(&s)) {
        run_batches(&s, pool);
        if (kb_cancelled(progress))
            status = kb_fail(err, KB_ERR_CANCELLED, "the silhouette was stopped");
        for (size_t c = 0; c < count && !status; c++)
            out[c] = mean_silhouette(&s, c);
    } else {
        status = kb_fail_memory(err, "silhouettes");
    }
    release(&s);
    return status;
}

double kb_silhouette(kb_const_matrix x, const uint32_t *labels, size_t clusters, kb_pool *pool,
                     const kb_progress *progress)
{
    double out;
    kb_silhouettes(&out, x, &labels, &clusters, 1, pool, progress, NULL);
    return out;
}

/* --- indices from the centroids ----------------------------------------------------------- */

/* The clusters that have members, numbered afresh, with their means. */
struct groups {
    size_t used;      /* clusters with members */
    size_t *sizes;    /* used */
    double *means;    /* used x d */
    double *mean;     /* d: of all points */
    uint32_t *labels; /* N */
    double *spreads;  /* used: sum of distances to the mean, squared or not */
};

static void groups_free(struct groups *g)
{
    free(g->sizes);
    free(g->means);
    free(g->mean);
    free(g->labels);
    free(g->spreads);
}

/* NUMBER[k] = the new number of cluster k. */
static void renumber(struct groups *g, uint32_t *number, const uint32_t *labels, size_t n,
                     size_t clusters)
{
    for (size_t k = 0; k < clusters; k++) {
        number[k] = (uint32_t)g->used;
        if (g->sizes[k])
            g->sizes[g->used++] = g->sizes[k];
    }
    for (size_t i = 0; i < n; i++)
        g->labels[i] = number[labels[i]];
}

/* G's means where they are of use: not with too few or too many clusters. */
static bool groups_make(struct groups *g, kb_const_matrix x, const uint32_t *labels,
                        size_t clusters)
{
    *g = (struct groups){0};
    uint32_t *number = kb_calloc(clusters, sizeof *number);
    g->sizes = kb_calloc(clusters, sizeof *g->sizes);
    g->labels = kb_calloc(x.rows, sizeof *g->labels);
    bool made = number && g->sizes && g->labels;
    if (made) {
        kb_label_sizes(g->sizes, labels, x.rows, clusters);
        renumber(g, number, labels, x.rows, clusters);
    }
    free(number);
    size_t cells;
    if (!made || !defined(g->used, x.rows))
        return made;
    g->means = kb_size_mul(g->used, x.cols, &cells) ? kb_calloc(cells, sizeof *g->means) : NULL;
    g->spreads = kb_calloc(g->used, sizeof *g->spreads);
    g->mean = kb_calloc(x.cols, sizeof *g->mean);
    if (!g->means || !g->spreads || !g->mean)
        return false;
    kb_label_means(g->means, x, g->labels, g->sizes, g->used, 0, x.cols);
    return true;
}

static double to_mean2(const float *row, const double *mean, size_t d)
{
    double sum = 0;
    for (size_t f = 0; f < d; f++)
        sum += ((double)row[f] - mean[f]) * ((double)row[f] - mean[f]);
    return sum;
}

static double between_means2(const double *a, const double *b, size_t d)
{
    double sum = 0;
    for (size_t f = 0; f < d; f++)
        sum += (a[f] - b[f]) * (a[f] - b[f]);
    return sum;
}

/* max over other clusters of (s_a + s_b) / |m_a - m_b|, s the mean distance to the mean; coincident
 * means count as infinitely far, as scikit-learn has it. */
static double worst_ratio(const struct groups *g, size_t a, size_t d)
{
    double worst = 0;
    for (size_t b = 0; b < g->used; b++) {
        double apart = sqrt(between_means2(g->means + a * d, g->means + b * d, d));
        double spread = g->spreads[a] / (double)g->sizes[a] + g->spreads[b] / (double)g->sizes[b];
        if (b != a && apart > 0)
            worst = fmax(worst, spread / apart);
    }
    return worst;
}

static double davies_bouldin(const struct groups *g, kb_const_matrix x)
{
    double sum = 0;
    for (size_t i = 0; i < x.rows; i++)
        g->spreads[g->labels[i]] +=
            sqrt(to_mean2(kb_const_matrix_row(x, i), g->means + g->labels[i] * x.cols, x.cols));
    for (size_t k = 0; k < g->used; k++)
        sum += worst_ratio(g, k, x.cols) / (double)g->used;
    return sum;
}

static double within_squares(const struct groups *g, kb_const_matrix x)
{
    double sum = 0;
    for (size_t i = 0; i < x.rows; i++)
        sum += to_mean2(kb_const_matrix_row(x, i), g->means + g->labels[i] * x.cols, x.cols);
    return sum;
}

static double between_squares(const struct groups *g, const double *mean, size_t d)
{
    double sum = 0;
    for (size_t k = 0; k < g->used; k++)
        sum += (double)g->sizes[k] * between_means2(g->means + k * d, mean, d);
    return sum;
}

static double calinski_harabasz(const struct groups *g, kb_const_matrix x)
{
    for (size_t k = 0; k < g->used; k++)
        for (size_t f = 0; f < x.cols; f++)
            g->mean[f] += g->means[k * x.cols + f] * (double)g->sizes[k] / (double)x.rows;
    double within = within_squares(g, x), between = between_squares(g, g->mean, x.cols);
    double k = (double)g->used, n = (double)x.rows;
    return within > 0 ? between * (n - k) / (within * (k - 1)) : 1;
}

kb_status kb_mean_indices_of(kb_mean_indices *out, kb_const_matrix x, const uint32_t *labels,
                             size_t clusters, kb_error *err)
{
    struct groups g;
    *out = (kb_mean_indices){(double)NAN, (double)NAN};
    bool made = groups_make(&g, x, labels, clusters);
    if (made && g.means) {
        out->davies_bouldin = davies_bouldin(&g, x);
        out->calinski_harabasz = calinski_harabasz(&g, x);
    }
    groups_free(&g);
    return made ? KB_OK : kb_fail_memory(err, "indices of clusters");
}
