#include "elbow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap.h"
#include "kmeans.h"
#include "memory.h"
#include "quality.h"
#include "ward.h"

static const double NEAR_BEST = 0.005; /* of the range of silhouettes */
enum { LEAST_MEMBERS = 2 };            /* one session is no type of crash */

/* --- K-means at one k --------------------------------------------------------------------- */

static kb_status fit_merged(kb_kmeans *out, kb_const_matrix x, size_t k,
                            const kb_elbow_options *options, kb_pool *pool,
                            const kb_progress *progress, kb_error *err)
{
    size_t cells, d = options->centroids.cols;
    float *merged = kb_size_mul(k, d, &cells) ? kb_alloc_aligned(cells, sizeof *merged) : NULL;
    if (!merged)
        return kb_fail_memory(err, "merged centroids");
    kb_kmeans_options km = kb_kmeans_defaults(k);
    km.seed = options->seed;
    km.init = kb_const_matrix_of(merged, k, d);
    kb_status status = kb_ward_merge(options->centroids, options->weights, k,
                                     kb_matrix_of(merged, k, d), NULL, err);
    if (!status)
        status = kb_kmeans_fit(out, x, &km, pool, progress, err);
    free(merged);
    return status;
}

static kb_status fit(kb_kmeans *km_out, kb_const_matrix x, size_t k,
                     const kb_elbow_options *options, kb_pool *pool, const kb_progress *progress,
                     kb_error *err)
{
    *km_out = (kb_kmeans){0};
    if (options->centroids.data && k >= 1 && k <= options->centroids.rows)
        return fit_merged(km_out, x, k, options, pool, progress, err);
    kb_kmeans_options km = kb_kmeans_defaults(k);
    km.seed = options->seed;
    km.restarts = options->restarts;
    return kb_kmeans_fit(km_out, x, &km, pool, progress, err);
}

/* OWNED: NULL, or what *JOINT lies in, for the caller to free. */
static kb_status join(kb_const_matrix *joint, float **owned, kb_const_matrix x,
                      kb_const_matrix support, kb_error *err)
{
    size_t rows, cells;
    *joint = x;
    *owned = NULL;
    if (!support.data || !support.rows)
        return KB_OK;
    if (!kb_size_add(x.rows, support.rows, &rows) || !kb_size_mul(rows, x.cols, &cells) ||
        !(*owned = kb_alloc_aligned(cells, sizeof **owned)))
        return kb_fail_memory(err, "points of the elbow");
    kb_matrix copy = kb_matrix_of(*owned, rows, x.cols);
    for (size_t i = 0; i < rows; i++)
        memcpy(kb_matrix_row(copy, i),
               i < x.rows ? kb_const_matrix_row(x, i) : kb_const_matrix_row(support, i - x.rows),
               x.cols * sizeof **owned);
    *joint = kb_matrix_const(copy);
    return KB_OK;
}

kb_status kb_elbow_kmeans(struct kb_kmeans *km_out, kb_const_matrix x, size_t k,
                          const kb_elbow_options *options, kb_pool *pool,
                          const kb_progress *progress, kb_error *err)
{
    kb_const_matrix joint;
    float *owned;
    *km_out = (kb_kmeans){0};
    kb_status status = join(&joint, &owned, x, options->support, err);
    if (!status)
        status = fit(km_out, joint, k, options, pool, progress, err);
    free(owned);
    return status;
}

/* --- which k ------------------------------------------------------------------------------ */

static double silhouette_of(const kb_elbow_row *row)
{
    return row->silhouette;
}

static double joint_of(const kb_elbow_row *row)
{
    return row->joint;
}

/* The first row at which VALUE is greatest; 0 where it is NAN in all. */
static size_t greatest(const kb_elbow *e, double (*value)(const kb_elbow_row *row))
{
    size_t best = 0;
    for (size_t i = 1; i < e->count; i++)
        if (value(&e->rows[i]) > value(&e->rows[best]) || isnan(value(&e->rows[best])))
            best = i;
    return isnan(value(&e->rows[best])) ? 0 : best;
}

/* Its k; 0 where no row has a stability. */
static size_t most_stable_k(const kb_elbow *e)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < e->count; i++)
        if (!isnan(e->rows[i].stability) &&
            (best == SIZE_MAX || e->rows[i].stability >= e->rows[best].stability))
            best = i;
    return best == SIZE_MAX ? 0 : e->rows[best].k;
}

static size_t least_davies_bouldin(const kb_elbow *e)
{
    size_t best = 0;
    for (size_t i = 1; i < e->count; i++)
        if (e->rows[i].davies_bouldin < e->rows[best].davies_bouldin ||
            isnan(e->rows[best].davies_bouldin))
            best = i;
    return isnan(e->rows[best].davies_bouldin) ? 0 : best;
}

/* The row farthest below the chord; distance to it and height under it are largest at the same row.
 */
static size_t knee_of(const kb_elbow *e)
{
    const kb_elbow_row *first = &e->rows[0], *last = &e->rows[e->count - 1];
    double slope =
        e->count > 1 ? (last->inertia - first->inertia) / (double)(last->k - first->k) : 0;
    size_t knee = 0;
    double deepest = 0;
    for (size_t i = 0; i < e->count; i++) {
        double chord = first->inertia + slope * (double)(e->rows[i].k - first->k);
        if (chord - e->rows[i].inertia > deepest) {
            deepest = chord - e->rows[i].inertia;
            knee = i;
        }
    }
    return knee;
}

/* The last row whose silhouette is nearly the best and whose clusters all have company. */
static size_t chosen_row(const kb_elbow *e, size_t best)
{
    double highest = e->rows[best].joint, least = highest;
    for (size_t i = 0; i < e->count; i++)
        least = fmin(least, e->rows[i].joint); /* fmin passes over NAN */
    for (size_t i = e->count - 1; i > best; i--)
        if (e->rows[i].smallest >= LEAST_MEMBERS &&
            e->rows[i].joint > highest - NEAR_BEST * (highest - least))
            return i;
    return best;
}

void kb_elbow_choose(kb_elbow *elbow)
{
    size_t chosen = chosen_row(elbow, greatest(elbow, joint_of));
    elbow->best_silhouette = elbow->rows[greatest(elbow, silhouette_of)].k;
    elbow->best_davies_bouldin = elbow->rows[least_davies_bouldin(elbow)].k;
    elbow->knee = elbow->rows[knee_of(elbow)].k;
    elbow->most_stable = most_stable_k(elbow);
    for (size_t i = 0; i < elbow->count; i++)
        elbow->rows[i].chosen = i == chosen;
}

size_t kb_elbow_chosen(const kb_elbow *elbow)
{
    for (size_t i = 0; i < elbow->count; i++)
        if (elbow->rows[i].chosen)
            return elbow->rows[i].k;
    return 0;
}

void kb_elbow_clear(kb_elbow *elbow)
{
    free(elbow->rows);
    *elbow = (kb_elbow){0};
}

/* --- the table ---------------------------------------------------------------------------- */

/* The labels of every k are kept until the end, so that the silhouettes share one pass over the
 * distances. */
struct fits {
    kb_const_matrix x, joint; /* N x d; (N + M) x d, the same rows first */
    float *owned;             /* what joint lies in, or NULL */
    size_t count;
    uint32_t **labels; /* count x (N + M) */
    size_t *clusters;  /* count */
    double *silhouettes;
    double *distance2; /* N */
};

static void fits_free(struct fits *fits)
{
    for (size_t i = 0; i < fits->count && fits->labels; i++)
        free(fits->labels[i]);
    free(fits->labels);
    free(fits->clusters);
    free(fits->silhouettes);
    free(fits->distance2);
    free(fits->owned);
}

static kb_status fits_allocate(struct fits *fits, kb_const_matrix x, kb_const_matrix support,
                               size_t count, kb_error *err)
{
    *fits = (struct fits){.x = x, .count = count};
    fits->labels = kb_calloc(count, sizeof *fits->labels);
    fits->clusters = kb_calloc(count, sizeof *fits->clusters);
    fits->silhouettes = kb_calloc(count, sizeof *fits->silhouettes);
    fits->distance2 = kb_calloc(x.rows, sizeof *fits->distance2);
    if (!fits->labels || !fits->clusters || !fits->silhouettes || !fits->distance2)
        return kb_fail_memory(err, "the elbow table");
    return join(&fits->joint, &fits->owned, x, support, err);
}

static size_t smallest_size(const kb_kmeans *km)
{
    size_t smallest = km->sizes[0];
    for (size_t j = 1; j < km->clusters; j++)
        if (km->sizes[j] < smallest)
            smallest = km->sizes[j];
    return smallest;
}

/* Of the points alone: with support they are not all that K-means had. */
static double inertia_of(struct fits *fits, const kb_kmeans *km)
{
    if (!fits->owned)
        return km->inertia;
    double sum = 0;
    /* The labels come out as they are: K-means gives each point to the nearest too. */
    kb_nearest(fits->x, kb_const_matrix_of(km->centroids, km->clusters, km->dims), km->labels,
               fits->distance2);
    for (size_t i = 0; i < fits->x.rows; i++)
        sum += fits->distance2[i];
    return sum;
}

static kb_status fit_row(kb_elbow_row *row, struct fits *fits, size_t i,
                         const kb_elbow_options *options, kb_pool *pool,
                         const kb_progress *progress, kb_error *err)
{
    kb_kmeans km;
    kb_mean_indices indices;
    kb_status status = fit(&km, fits->joint, row->k, options, pool, progress, err);
    if (status)
        return status;
    row->inertia = inertia_of(fits, &km);
    row->smallest = smallest_size(&km);
    status = kb_mean_indices_of(&indices, fits->x, km.labels, row->k, err);
    row->davies_bouldin = indices.davies_bouldin;
    row->calinski_harabasz = indices.calinski_harabasz;
    row->stability = (double)NAN;
    if (!status && options->bootstraps)
        status = kb_bootstrap_stability(&row->stability, fits->joint, km.labels, row->k,
                                        options->bootstraps, options->seed, pool, progress, err);
    fits->clusters[i] = row->k;
    fits->labels[i] = km.labels;
    km.labels = NULL;
    kb_kmeans_clear(&km);
    return status;
}

static kb_status fill_silhouettes(kb_elbow *out, struct fits *fits, kb_pool *pool,
                                  const kb_progress *progress, kb_error *err)
{
    const uint32_t *const *labels = (const uint32_t *const *)fits->labels;
    kb_status status = kb_silhouettes(fits->silhouettes, fits->joint, labels, fits->clusters,
                                      fits->count, pool, progress, err);
    for (size_t i = 0; !status && i < out->count; i++)
        out->rows[i].joint = out->rows[i].silhouette = fits->silhouettes[i];
    if (status || !fits->owned)
        return status;
    status = kb_silhouettes(fits->silhouettes, fits->x, labels, fits->clusters, fits->count, pool,
                            progress, err);
    for (size_t i = 0; !status && i < out->count; i++)
        out->rows[i].silhouette = fits->silhouettes[i];
    return status;
}

static kb_status fill(kb_elbow *out, struct fits *fits, const kb_elbow_options *options,
                      kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    /* The parts are cancelled like the whole, but only the whole is told about. */
    kb_progress quiet = {.outer = progress};
    for (size_t i = 0; i < out->count; i++) {
        kb_progress_report(progress, "elbow", i, out->count);
        kb_status status = fit_row(&out->rows[i], fits, i, options, pool, &quiet, err);
        if (status)
            return status;
    }
    kb_status status = fill_silhouettes(out, fits, pool, &quiet, err);
    if (status)
        return status;
    kb_elbow_choose(out);
    kb_progress_report(progress, "elbow", out->count, out->count);
    return KB_OK;
}

static kb_status check(kb_const_matrix x, const kb_elbow_options *options, kb_error *err)
{
    if (x.rows < 3)
        return kb_fail(err, KB_ERR_USAGE, "elbow: %zu points, at least 3 are needed", x.rows);
    if (options->kmin < 2)
        return kb_fail(err, KB_ERR_USAGE, "kmin: %zu is below 2", options->kmin);
    if (options->kmax < options->kmin)
        return kb_fail(err, KB_ERR_USAGE, "kmax: %zu is below kmin, %zu", options->kmax,
                       options->kmin);
    if (options->centroids.data && !options->weights)
        return kb_fail(err, KB_ERR_USAGE, "elbow: first centroids without weights");
    return KB_OK;
}

kb_status kb_elbow_run(kb_elbow *out, kb_const_matrix x, const kb_elbow_options *options,
                       kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    *out = (kb_elbow){0};
    kb_status status = check(x, options, err);
    if (status)
        return status;
    size_t most = x.rows - 1, first = options->kmin < most ? options->kmin : most;
    size_t last = options->kmax < most ? options->kmax : most;
    struct fits fits;
    out->count = last - first + 1;
    out->rows = kb_calloc(out->count, sizeof *out->rows);
    status = fits_allocate(&fits, x, options->support, out->count, err);
    if (!status && !out->rows)
        status = kb_fail_memory(err, "the elbow table");
    for (size_t i = 0; !status && i < out->count; i++)
        out->rows[i].k = first + i;
    if (!status)
        status = fill(out, &fits, options, pool, progress, err);
    fits_free(&fits);
    if (status)
        kb_elbow_clear(out);
    return status;
}
