#include "rays.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans.h"
#include "memory.h"
#include "points.h"
#include "quality.h"

static const double REASONABLE = .5; /* silhouette of a structure that is believed */

/* The points that have a direction, m of n. */
struct grouping {
    kb_matrix units; /* m x r */
    size_t *row;     /* m: of y */
    uint32_t *best;  /* m: labels of the grouping that was taken */
    size_t groups;   /* of it */
    double silhouette;
};

static kb_status fail_memory(kb_error *err)
{
    return kb_fail_memory(err, "groups of sessions");
}

static double length_of(const float *point, size_t dims)
{
    double sum = 0;
    for (size_t f = 0; f < dims; f++)
        sum += (double)point[f] * (double)point[f];
    return sqrt(sum);
}

static kb_status take_units(struct grouping *g, kb_const_matrix y, double radius, kb_error *err)
{
    size_t floats;
    float *units = kb_size_mul(y.rows, y.cols, &floats) ? kb_calloc(floats, sizeof *units) : NULL;
    g->units = kb_matrix_of(units, 0, y.cols);
    g->row = kb_calloc(y.rows, sizeof *g->row);
    g->best = kb_calloc(y.rows, sizeof *g->best);
    if (!units || !g->row || !g->best)
        return fail_memory(err);
    for (size_t i = 0; i < y.rows; i++) {
        const float *point = kb_const_matrix_row(y, i);
        double length = length_of(point, y.cols);
        if (!(length > radius))
            continue;
        float *unit = units + g->units.rows * y.cols;
        for (size_t f = 0; f < y.cols; f++)
            unit[f] = (float)((double)point[f] / length);
        g->row[g->units.rows++] = i;
    }
    return KB_OK;
}

static kb_status try_groups(struct grouping *g, size_t k, uint64_t seed, kb_pool *pool,
                            const kb_progress *progress, kb_error *err)
{
    kb_kmeans km;
    kb_progress quiet = {.outer = progress};
    kb_kmeans_options options = kb_kmeans_defaults(k);
    options.seed = seed;
    kb_status status = kb_kmeans_fit(&km, kb_matrix_const(g->units), &options, pool, &quiet, err);
    if (status)
        return status;
    double silhouette;
    const uint32_t *labels = km.labels;
    status =
        kb_silhouettes(&silhouette, kb_matrix_const(g->units), &labels, &k, 1, pool, &quiet, err);
    if (!status && silhouette > REASONABLE && !(silhouette <= g->silhouette)) {
        g->silhouette = silhouette;
        g->groups = k;
        memcpy(g->best, labels, g->units.rows * sizeof *labels);
    }
    kb_kmeans_clear(&km);
    return status;
}

static kb_status choose_groups(struct grouping *g, uint64_t seed, kb_pool *pool,
                               const kb_progress *progress, kb_error *err)
{
    size_t most = g->units.rows / KB_RAYS_LEAST;
    kb_status status = KB_OK;
    g->groups = 1;
    g->silhouette = (double)NAN;
    for (size_t k = 2; !status && k <= most && k <= KB_RAYS_MAX; k++) {
        kb_progress_report(progress, "grouping", k - 2, KB_RAYS_MAX - 1);
        status = try_groups(g, k, seed, pool, progress, err);
    }
    return status;
}

/* The means of groups that are large enough. */
static kb_status take_centres(kb_rays *rays, const struct grouping *g, kb_const_matrix y,
                              kb_error *err)
{
    size_t size[KB_RAYS_MAX] = {0}, place[KB_RAYS_MAX] = {0};
    rays->centres = kb_calloc(KB_RAYS_MAX + 1, y.cols * sizeof *rays->centres);
    if (!rays->centres)
        return fail_memory(err);
    kb_label_sizes(size, g->best, g->units.rows, g->groups);
    for (size_t k = 0; k < g->groups; k++)
        if (size[k] >= KB_RAYS_LEAST)
            place[k] = ++rays->count;
    for (size_t i = 0; i < g->units.rows; i++) {
        size_t group = g->best[i];
        const float *point = kb_const_matrix_row(y, g->row[i]);
        for (size_t f = 0; place[group] && f < y.cols; f++)
            rays->centres[place[group] * y.cols + f] += point[f] / (float)size[group];
    }
    rays->silhouette = rays->count > 1 ? g->silhouette : (double)NAN;
    return KB_OK;
}

kb_status kb_rays_find(kb_rays *out, kb_const_matrix y, double radius, uint64_t seed, kb_pool *pool,
                       const kb_progress *progress, kb_error *err)
{
    struct grouping g = {0};
    *out = (kb_rays){0};
    kb_status status = take_units(&g, y, radius, err);
    if (!status)
        status = choose_groups(&g, seed, pool, progress, err);
    if (!status)
        status = take_centres(out, &g, y, err);
    free(g.units.data);
    free(g.row);
    free(g.best);
    return status;
}

void kb_rays_assign(const kb_rays *rays, kb_const_matrix y, uint32_t *labels)
{
    kb_nearest(y, kb_const_matrix_of(rays->centres, rays->count + 1, y.cols), labels, NULL);
}

void kb_rays_clear(kb_rays *rays)
{
    free(rays->centres);
    *rays = (kb_rays){0};
}
