#include "centroids.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans.h"
#include "median.h"
#include "memory.h"
#include "points.h"

/* Of the mean squared distance of sessions from their centroids. */
static const double COINCIDENT = .01;
static const double LEAST_NORM = .85, LEAST_CONFIDENCE = .6;
enum { LEAST_SIZE = 12, LEAST_TO_CUT = 4 };

void kb_membership_of(kb_membership *members, kb_const_matrix z, kb_const_matrix centroids)
{
    kb_nearest(z, centroids, members->labels, members->distance2);
    for (size_t j = 0; j < centroids.rows; j++)
        members->sizes[j] = 0;
    for (size_t i = 0; i < z.rows; i++)
        members->sizes[members->labels[i]] += 1;
}

/* --- coincident centroids ----------------------------------------------------------------- */

static double mean_distance2(const kb_membership *members, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += members->distance2[i];
    return n ? sum / (double)n : 0;
}

/* Row TO takes over row FROM, which is not larger. */
static void take_over(kb_matrix centroids, kb_membership *members, size_t n, size_t to, size_t from)
{
    double a = members->sizes[to], b = members->sizes[from];
    float *x = kb_matrix_row(centroids, to), *y = kb_matrix_row(centroids, from);
    for (size_t f = 0; f < centroids.cols && a + b > 0; f++)
        x[f] = (float)((a * (double)x[f] + b * (double)y[f]) / (a + b));
    for (size_t i = 0; i < n; i++)
        if (members->labels[i] == from)
            members->labels[i] = (uint32_t)to;
    members->sizes[to] = a + b;
    members->sizes[from] = 0;
}

size_t kb_centroids_merge(kb_matrix centroids, kb_const_matrix z, kb_membership *members)
{
    double within = COINCIDENT * mean_distance2(members, z.rows);
    size_t merged = 0;
    for (size_t i = 0; i < centroids.rows; i++)
        for (size_t j = 0; j < i; j++) {
            bool both = members->sizes[i] > 0 && members->sizes[j] > 0;
            if (!both || kb_point_distance2(kb_matrix_row(centroids, i),
                                            kb_matrix_row(centroids, j), centroids.cols) > within)
                continue;
            bool first = members->sizes[j] >= members->sizes[i];
            take_over(centroids, members, z.rows, first ? j : i, first ? i : j);
            merged++;
        }
    return merged;
}

/* --- empty centroids ---------------------------------------------------------------------- */

static size_t worst_cluster(const kb_membership *members, size_t n, size_t k, double *sums)
{
    for (size_t j = 0; j < k; j++)
        sums[j] = 0;
    for (size_t i = 0; i < n; i++)
        sums[members->labels[i]] += members->distance2[i];
    size_t worst = 0;
    for (size_t j = 1; j < k; j++)
        if (sums[j] > sums[worst])
            worst = j;
    return sums[worst] > 0 && members->sizes[worst] >= LEAST_TO_CUT ? worst : SIZE_MAX;
}

/* Cluster WORST is cut in two: its own centroid and that of EMPTY. *CUT: both have sessions. */
static kb_status cut(kb_matrix centroids, kb_const_matrix z, const kb_membership *members,
                     size_t worst, size_t empty, uint64_t seed, bool *done, kb_pool *pool,
                     kb_error *err)
{
    size_t d = z.cols, n = (size_t)members->sizes[worst], floats, at = 0;
    float *own = kb_size_mul(n, d, &floats) ? kb_alloc_aligned(floats, sizeof *own) : NULL;
    if (!own)
        return kb_fail_memory(err, "an empty cluster");
    for (size_t i = 0; i < z.rows; i++)
        if (members->labels[i] == worst)
            memcpy(own + d * at++, kb_const_matrix_row(z, i), d * sizeof *own);
    kb_kmeans_options options = kb_kmeans_defaults(2);
    options.seed = seed;
    kb_kmeans km;
    kb_status status = kb_kmeans_fit(&km, kb_const_matrix_of(own, n, d), &options, pool, NULL, err);
    *done = !status && km.sizes[0] && km.sizes[1];
    if (*done) {
        memcpy(kb_matrix_row(centroids, worst), km.centroids, d * sizeof *own);
        memcpy(kb_matrix_row(centroids, empty), km.centroids + d, d * sizeof *own);
    }
    if (!status)
        kb_kmeans_clear(&km);
    free(own);
    return status;
}

kb_status kb_centroids_reseed(kb_matrix centroids, kb_const_matrix z, kb_membership *members,
                              uint64_t seed, bool *moved, size_t *count, kb_pool *pool,
                              kb_error *err)
{
    double *sums = kb_calloc(centroids.rows, sizeof *sums);
    kb_status status = sums ? KB_OK : kb_fail_memory(err, "an empty cluster");
    bool done = true;
    *count = 0;
    for (size_t j = 0; !status && j < centroids.rows; j++)
        moved[j] = false;
    for (size_t j = 0; !status && done && j < centroids.rows; j++) {
        if (members->sizes[j] > 0)
            continue;
        size_t worst = worst_cluster(members, z.rows, centroids.rows, sums);
        if (worst == SIZE_MAX)
            break;
        status = cut(centroids, z, members, worst, j, seed, &done, pool, err);
        if (!status && done) {
            moved[j] = moved[worst] = true;
            ++*count;
            kb_membership_of(members, z, kb_matrix_const(centroids));
        }
    }
    free(sums);
    return status;
}

size_t kb_centroids_compact(kb_matrix centroids, kb_membership *members, size_t n)
{
    size_t kept = 0;
    for (size_t j = 0; j < centroids.rows; j++) {
        if (!(members->sizes[j] > 0))
            continue;
        if (kept < j) {
            memcpy(kb_matrix_row(centroids, kept), kb_matrix_row(centroids, j),
                   centroids.cols * sizeof *centroids.data);
            for (size_t i = 0; i < n; i++)
                if (members->labels[i] == j)
                    members->labels[i] = (uint32_t)kept;
            members->sizes[kept] = members->sizes[j];
        }
        kept++;
    }
    return kept;
}

/* --- catch-alls --------------------------------------------------------------------------- */

/* The largest of Student-t's q for one session. */
static double largest_q(const float *z, kb_const_matrix centroids, double nearest2, double scale)
{
    double sum = 0;
    for (size_t j = 0; j < centroids.rows; j++)
        sum += 1 / (1 + kb_point_distance2(z, kb_const_matrix_row(centroids, j), centroids.cols) /
                            scale);
    return 1 / (1 + nearest2 / scale) / sum;
}

static double norm_of(const float *x, size_t d)
{
    double sum = 0;
    for (size_t f = 0; f < d; f++)
        sum += (double)x[f] * (double)x[f];
    return sqrt(sum);
}

static void measure(kb_centroid_trait *traits, kb_const_matrix centroids, kb_const_matrix z,
                    const kb_membership *members, double scale)
{
    size_t k = centroids.rows;
    for (size_t j = 0; j < k; j++)
        traits[j] = (kb_centroid_trait){.size = members->sizes[j],
                                        .norm = norm_of(kb_const_matrix_row(centroids, j), z.cols)};
    for (size_t i = 0; i < z.rows; i++)
        traits[members->labels[i]].confidence +=
            largest_q(kb_const_matrix_row(z, i), centroids, members->distance2[i], scale);
    for (size_t j = 0; j < k; j++)
        if (traits[j].size > 0)
            traits[j].confidence /= traits[j].size;
}

/* Norms and confidences become shares of their medians. SCRATCH: K. */
static void relate(kb_centroid_trait *traits, size_t k, double *scratch)
{
    for (size_t j = 0; j < k; j++)
        scratch[j] = traits[j].norm;
    double norm = kb_median(scratch, k);
    for (size_t j = 0; j < k; j++)
        scratch[j] = traits[j].confidence;
    double confidence = kb_median(scratch, k);
    for (size_t j = 0; j < k; j++) {
        traits[j].norm = norm > 0 ? traits[j].norm / norm : 1;
        traits[j].confidence = confidence > 0 ? traits[j].confidence / confidence : 1;
    }
}

kb_status kb_centroid_traits(kb_centroid_trait *traits, kb_const_matrix centroids,
                             kb_const_matrix z, const kb_membership *members, double scale,
                             kb_error *err)
{
    size_t k = centroids.rows, good = 0;
    double *scratch = kb_calloc(k, sizeof *scratch);
    if (!scratch)
        return kb_fail_memory(err, "centroids");
    measure(traits, centroids, z, members, scale);
    relate(traits, k, scratch);
    free(scratch);
    double least = fmin(LEAST_SIZE, (double)z.rows / (4 * (double)k));
    for (size_t j = 0; j < k; j++) {
        traits[j].catch_all = traits[j].size < least || traits[j].norm < LEAST_NORM ||
                              traits[j].confidence < LEAST_CONFIDENCE;
        good += !traits[j].catch_all;
    }
    for (size_t j = 0; j < k && !good; j++)
        traits[j].catch_all = false;
    return KB_OK;
}
