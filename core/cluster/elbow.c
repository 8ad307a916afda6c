#include "elbow.h"

#include <math.h>
#include <stdlib.h>

#include "kmeans.h"
#include "memory.h"
#include "quality.h"
#include "ward.h"

static const double NEAR_BEST = 0.03; /* of the range of silhouettes */
enum { LEAST_MEMBERS = 2 };           /* one session is no type of crash */

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

kb_status kb_elbow_kmeans(struct kb_kmeans *km_out, kb_const_matrix x, size_t k,
                          const kb_elbow_options *options, kb_pool *pool,
                          const kb_progress *progress, kb_error *err)
{
    *km_out = (kb_kmeans){0};
    if (options->centroids.data && k >= 1 && k <= options->centroids.rows)
        return fit_merged(km_out, x, k, options, pool, progress, err);
    kb_kmeans_options km = kb_kmeans_defaults(k);
    km.seed = options->seed;
    km.restarts = options->restarts;
    return kb_kmeans_fit(km_out, x, &km, pool, progress, err);
}

/* --- which k ------------------------------------------------------------------------------ */

static size_t greatest_silhouette(const kb_elbow *e)
{
    size_t best = 0;
    for (size_t i = 1; i < e->count; i++)
        if (e->rows[i].silhouette > e->rows[best].silhouette || isnan(e->rows[best].silhouette))
            best = i;
    return isnan(e->rows[best].silhouette) ? 0 : best;
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
    double greatest = e->rows[best].silhouette, least = greatest;
    for (size_t i = 0; i < e->count; i++)
        least = fmin(least, e->rows[i].silhouette); /* fmin passes over NAN */
    for (size_t i = e->count - 1; i > best; i--)
        if (e->rows[i].smallest >= LEAST_MEMBERS &&
            e->rows[i].silhouette > greatest - NEAR_BEST * (greatest - least))
            return i;
    return best;
}

void kb_elbow_choose(kb_elbow *elbow)
{
    size_t best = greatest_silhouette(elbow), chosen = chosen_row(elbow, best);
    elbow->best_silhouette = elbow->rows[best].k;
    elbow->best_davies_bouldin = elbow->rows[least_davies_bouldin(elbow)].k;
    elbow->knee = elbow->rows[knee_of(elbow)].k;
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
    size_t count;
    uint32_t **labels; /* count x N */
    size_t *clusters;  /* count */
    double *silhouettes;
};

static void fits_free(struct fits *fits)
{
    for (size_t i = 0; i < fits->count && fits->labels; i++)
        free(fits->labels[i]);
    free(fits->labels);
    free(fits->clusters);
    free(fits->silhouettes);
}

static bool fits_allocate(struct fits *fits, size_t count)
{
    *fits = (struct fits){.count = count};
    fits->labels = kb_calloc(count, sizeof *fits->labels);
    fits->clusters = kb_calloc(count, sizeof *fits->clusters);
    fits->silhouettes = kb_calloc(count, sizeof *fits->silhouettes);
    return fits->labels && fits->clusters && fits->silhouettes;
}

static size_t smallest_size(const kb_kmeans *km)
{
    size_t smallest = km->sizes[0];
    for (size_t j = 1; j < km->clusters; j++)
        if (km->sizes[j] < smallest)
            smallest = km->sizes[j];
    return smallest;
}

static kb_status fit_row(kb_elbow_row *row, struct fits *fits, size_t i, kb_const_matrix x,
                         const kb_elbow_options *options, kb_pool *pool,
                         const kb_progress *progress, kb_error *err)
{
    kb_kmeans km;
    kb_status status = kb_elbow_kmeans(&km, x, row->k, options, pool, progress, err);
    if (status)
        return status;
    row->inertia = km.inertia;
    row->smallest = smallest_size(&km);
    row->davies_bouldin = kb_davies_bouldin(x, km.labels, row->k);
    row->calinski_harabasz = kb_calinski_harabasz(x, km.labels, row->k);
    fits->clusters[i] = row->k;
    fits->labels[i] = km.labels;
    km.labels = NULL;
    kb_kmeans_clear(&km);
    return KB_OK;
}

static kb_status fill(kb_elbow *out, struct fits *fits, kb_const_matrix x,
                      const kb_elbow_options *options, kb_pool *pool, const kb_progress *progress,
                      kb_error *err)
{
    /* The parts are cancelled like the whole, but only the whole is told about. */
    kb_progress quiet = {.outer = progress};
    for (size_t i = 0; i < out->count; i++) {
        kb_progress_report(progress, "elbow", i, out->count);
        kb_status status = fit_row(&out->rows[i], fits, i, x, options, pool, &quiet, err);
        if (status)
            return status;
    }
    kb_status status = kb_silhouettes(fits->silhouettes, x, (const uint32_t *const *)fits->labels,
                                      fits->clusters, fits->count, pool, &quiet, err);
    if (status)
        return status;
    for (size_t i = 0; i < out->count; i++)
        out->rows[i].silhouette = fits->silhouettes[i];
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
    if (fits_allocate(&fits, out->count) && out->rows) {
        for (size_t i = 0; i < out->count; i++)
            out->rows[i].k = first + i;
        status = fill(out, &fits, x, options, pool, progress, err);
    } else {
        status = kb_fail_memory(err, "the elbow table");
    }
    fits_free(&fits);
    if (status)
        kb_elbow_clear(out);
    return status;
}
