#include "emerging_spread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans.h"
#include "memory.h"
#include "model_private.h"
#include "pipeline.h"
#include "points.h"
#include "sorting.h"

enum { LEAST_SESSIONS = 5 /* of a cluster, to tell how wide it is */ };

static kb_status fail_memory(kb_error *err)
{
    return kb_fail_memory(err, "distances of sessions");
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The median of N numbers, which are sorted; NAN of none. */
static double median_of(float *values, size_t n)
{
    kb_sort_floats(values, n);
    return n ? ((double)values[(n - 1) / 2] + (double)values[n / 2]) / 2 : (double)NAN;
}

enum { ANY = UINT32_MAX };

/* DISTANCE becomes those of the pairs of Z's rows that are both in group A, or, where that is ANY,
 * in different groups; returns how many. GROUP NULL: all pairs. */
static size_t take_distances(float *distance, kb_const_matrix z, const uint32_t *group, uint32_t a,
                             const kb_progress *progress)
{
    size_t n = 0;
    for (size_t i = 0; i < z.rows && !kb_cancelled(progress); i++)
        for (size_t j = 0; j < i; j++) {
            bool counts =
                !group || (a == ANY ? group[i] != group[j] : group[i] == a && group[j] == a);
            if (counts)
                distance[n++] = (float)sqrt(kb_point_distance2(kb_const_matrix_row(z, i),
                                                               kb_const_matrix_row(z, j), z.cols));
        }
    return n;
}

/* Room for the distances of all pairs of COUNT rows; NULL: no memory. */
static float *room_for_pairs(size_t count)
{
    return kb_calloc(count * (count - (count > 0)) / 2, sizeof(float));
}

/* --- known sessions ----------------------------------------------------------------------- */

static kb_status take_points(kb_emerging_spread *s, kb_error *err)
{
    const kb_reference *r = &s->model->reference;
    size_t rows = least(r->points, KB_EMERGING_SPREAD), floats;
    float *z = kb_size_mul(rows, r->latent, &floats) ? kb_calloc(floats, sizeof *z) : NULL;
    if (!z)
        return fail_memory(err);
    memcpy(z, r->z, floats * sizeof *z);
    s->z = kb_matrix_of(z, rows, r->latent);
    return KB_OK;
}

static bool is_fitted(const kb_emerging_spread *s, size_t session)
{
    const char *name = kb_corpus_session(s->corpus, session)->name;
    return kb_names_find(s->model->fitted, name, strlen(name)) != KB_NAME_NONE;
}

static kb_status embed_known(kb_emerging_spread *s, const size_t *known, size_t count,
                             kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    size_t *unfitted = kb_calloc(count, sizeof *unfitted), n = 0;
    if (!unfitted)
        return fail_memory(err);
    for (size_t i = 0; i < count; i++)
        if (!is_fitted(s, known[i]))
            unfitted[n++] = known[i];
    bool enough = n >= KB_EMERGING_UNFITTED;
    kb_status status = kb_embed(&s->z, s->model, s->corpus, enough ? unfitted : known,
                                least(enough ? n : count, KB_EMERGING_SPREAD), pool, progress, err);
    free(unfitted);
    return status;
}

/* How wide clusters are, and how far from each other. */
static kb_status measure_known(kb_emerging_spread *s, const kb_progress *progress, kb_error *err)
{
    size_t clusters = kb_model_clusters(s->model), n = 0;
    kb_const_matrix z = kb_matrix_const(s->z);
    float *distance = room_for_pairs(z.rows), *width = kb_calloc(clusters, sizeof *width);
    size_t *size = kb_calloc(clusters, sizeof *size);
    bool ok = distance && width && size;
    if (ok) {
        s->different = median_of(distance, take_distances(distance, z, s->cluster, ANY, progress));
        kb_label_sizes(size, s->cluster, z.rows, clusters);
    }
    for (uint32_t c = 0; ok && c < clusters; c++)
        if (size[c] >= LEAST_SESSIONS)
            width[n++] =
                (float)median_of(distance, take_distances(distance, z, s->cluster, c, progress));
    if (ok)
        s->width = median_of(width, n);
    free(distance);
    free(width);
    free(size);
    return ok ? kb_check_cancelled(progress, err) : fail_memory(err);
}

double kb_emerging_spread_edge(const kb_emerging_spread *s)
{
    return sqrt(s->width / s->different);
}

kb_status kb_emerging_spread_open(kb_emerging_spread *out, const kb_model *model,
                                  const kb_corpus *corpus, const size_t *known, size_t count,
                                  bool drawn, kb_pool *pool, const kb_progress *progress,
                                  kb_error *err)
{
    kb_emerging_spread *s = out;
    *s = (kb_emerging_spread){.model = model, .corpus = corpus};
    kb_status status =
        drawn ? take_points(s, err) : embed_known(s, known, count, pool, progress, err);
    if (status)
        return status;
    kb_const_matrix z = kb_matrix_const(s->z);
    s->cluster = kb_calloc(z.rows, sizeof *s->cluster);
    if (!s->cluster)
        return fail_memory(err);
    kb_nearest(z, kb_model_centroids(model), s->cluster, NULL);
    return measure_known(s, progress, err);
}

void kb_emerging_spread_clear(kb_emerging_spread *s)
{
    free(s->z.data);
    free(s->cluster);
    *s = (kb_emerging_spread){0};
}

/* --- a group ------------------------------------------------------------------------------ */

static kb_status nearest_cluster(const kb_emerging_spread *s, kb_const_matrix z, uint32_t *cluster,
                                 kb_error *err)
{
    uint32_t *all = kb_calloc(z.rows, sizeof *all);
    double *mean = kb_calloc(z.cols, sizeof *mean);
    float *centre = kb_calloc(z.cols, sizeof *centre);
    if (all && mean && centre) {
        kb_label_means(mean, z, all, &z.rows, 1, 0, z.cols);
        for (size_t f = 0; f < z.cols; f++)
            centre[f] = (float)mean[f];
        kb_nearest(kb_const_matrix_of(centre, 1, z.cols), kb_model_centroids(s->model), cluster,
                   NULL);
    }
    bool ok = all && mean && centre;
    free(all);
    free(mean);
    free(centre);
    return ok ? KB_OK : fail_memory(err);
}

/* *Z: the embeddings of GROUP's sessions, of many as many as are looked at, evenly from all. */
static kb_status embed_group(const kb_emerging_spread *s, const kb_emerging_group *group,
                             kb_matrix *z, kb_pool *pool, const kb_progress *progress,
                             kb_error *err)
{
    size_t n = least(group->count, KB_EMERGING_SPREAD);
    size_t *ids = kb_calloc(n, sizeof *ids);
    if (!ids)
        return fail_memory(err);
    for (size_t i = 0; i < n; i++)
        ids[i] = group->sessions[i * group->count / n];
    kb_status status = kb_embed(z, s->model, s->corpus, ids, n, pool, progress, err);
    free(ids);
    return status;
}

kb_status kb_emerging_spread_of(const kb_emerging_spread *s, kb_emerging_group *group,
                                kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    kb_matrix z = {0};
    uint32_t cluster = 0;
    kb_status status = embed_group(s, group, &z, pool, progress, err);
    if (!status)
        status = nearest_cluster(s, kb_matrix_const(z), &cluster, err);
    float *distance = status ? NULL : room_for_pairs(z.rows);
    if (!status && !distance)
        status = fail_memory(err);
    if (!status) {
        size_t pairs = take_distances(distance, kb_matrix_const(z), NULL, ANY, progress);
        group->density = s->width / median_of(distance, pairs);
        group->cluster = kb_model_cluster(s->model, cluster)->number;
        status = kb_check_cancelled(progress, err);
    }
    if (group->kind != KB_EMERGING_STRAGGLERS)
        group->kind =
            group->density < kb_emerging_spread_edge(s) ? KB_EMERGING_SHIFT : KB_EMERGING_CLUMP;
    free(distance);
    free(z.data);
    return status;
}
