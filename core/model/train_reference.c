#include "train_reference.h"

#include <stdlib.h>
#include <string.h>

#include "dec.h"
#include "kmeans.h"
#include "memory.h"
#include "rng.h"

enum { GROUPED_SESSIONS = 4000, RESTARTS = 3, SESSIONS_A_GROUP = 10 };

struct making {
    kb_model *model;
    kb_network *net;
    kb_source *fitted;
    kb_pool *pool;
    const kb_progress *progress;
    kb_matrix z;     /* N x Z: all embeddings */
    size_t *order;   /* N: a permutation; points and what is clustered are its first */
    uint32_t *group; /* N */
};

static size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The first COUNT of the order, as rows. */
static float *gather(const struct making *m, size_t count)
{
    size_t floats, cols = m->z.cols;
    float *rows = kb_size_mul(count, cols, &floats) ? kb_alloc_aligned(floats, sizeof *rows) : NULL;
    for (size_t i = 0; rows && i < count; i++)
        memcpy(rows + i * cols, kb_matrix_row(m->z, m->order[i]), cols * sizeof *rows);
    return rows;
}

static kb_status embed(struct making *m, kb_error *err)
{
    size_t n = m->fitted->count, floats;
    m->order = kb_calloc(n, sizeof *m->order);
    m->group = kb_calloc(n, sizeof *m->group);
    if (kb_size_mul(n, m->model->layout.latent, &floats))
        m->z = kb_matrix_of(kb_alloc_aligned(floats, sizeof(float)), n, m->model->layout.latent);
    if (!m->order || !m->group || !m->z.data)
        return kb_fail_memory(err, "embeddings");
    kb_network_embed_all(m->net, m->fitted, m->z.data, m->progress);
    if (kb_cancelled(m->progress))
        return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    kb_rng rng = kb_rng_start(m->model->seed, KB_STREAM_REFERENCE);
    for (size_t i = 0; i < n; i++)
        m->order[i] = i;
    kb_rng_shuffle(&rng, m->order, n);
    return m->net->dev->ops->status(m->net->dev, err);
}

static kb_status find_groups(struct making *m, size_t *groups, kb_error *err)
{
    size_t n = m->z.rows, some = size_min(n, GROUPED_SESSIONS);
    kb_progress quiet = {.outer = m->progress};
    *groups = size_min(KB_REFERENCE_GROUPS, n / SESSIONS_A_GROUP);
    if (*groups < 2) {
        *groups = 1;
        return KB_OK;
    }
    float *rows = gather(m, some);
    if (!rows)
        return kb_fail_memory(err, "embeddings");
    kb_kmeans_options options = kb_kmeans_defaults(*groups);
    options.restarts = RESTARTS;
    options.seed = m->model->seed;
    kb_kmeans km;
    kb_status status = kb_kmeans_fit(&km, kb_const_matrix_of(rows, some, m->z.cols), &options,
                                     m->pool, &quiet, err);
    if (!status)
        kb_nearest(kb_matrix_const(m->z), kb_const_matrix_of(km.centroids, *groups, m->z.cols),
                   m->group, NULL);
    free(rows);
    if (!status)
        kb_kmeans_clear(&km);
    return status;
}

/* Y (R x P): the leading coordinates of the points. */
static kb_status take_coordinates(const struct making *m, kb_matrix y, kb_error *err)
{
    kb_device *dev = m->net->dev;
    size_t cols = m->fitted->cols, step = m->net->batch, floats;
    float *rows = kb_size_mul(step, cols, &floats) ? kb_alloc_aligned(floats, sizeof *rows) : NULL;
    if (!rows)
        return kb_fail_memory(err, "points to compare with");
    for (size_t i = 0; i < y.rows; i += step) {
        size_t n = size_min(step, y.rows - i);
        m->fitted->fill(m->fitted, dev, m->net->x, m->order + i, n);
        dev->ops->get(dev, rows, m->net->x, n * cols);
        for (size_t r = 0; r < n; r++)
            memcpy(kb_matrix_row(y, i + r), rows + r * cols, y.cols * sizeof *rows);
    }
    free(rows);
    return dev->ops->status(dev, err);
}

static kb_status add_points(struct making *m, kb_reference *reference, kb_error *err)
{
    size_t points = size_min(m->z.rows, KB_REFERENCE_POINTS), floats;
    size_t leading = size_min(m->model->basis.rank, KB_REFERENCE_LEADING);
    float *z = gather(m, points), *y = NULL;
    kb_status status = z ? KB_OK : kb_fail_memory(err, "points to compare with");
    kb_const_matrix latent = kb_const_matrix_of(z, points, m->z.cols), lead = latent;
    if (!status && leading) {
        if (kb_size_mul(points, leading, &floats))
            y = kb_calloc(floats, sizeof *y);
        status = y ? take_coordinates(m, kb_matrix_of(y, points, leading), err)
                   : kb_fail_memory(err, "points to compare with");
        lead = kb_const_matrix_of(y, points, leading);
    }
    if (!status)
        status = kb_reference_add_points(reference, latent, lead, m->pool, m->progress, err);
    free(z);
    free(y);
    return status;
}

kb_status kb_train_reference(kb_model *model, kb_network *net, kb_source *fitted,
                             const kb_store *store, const size_t *sessions, kb_pool *pool,
                             const kb_progress *progress, kb_error *err)
{
    struct making m = {
        .model = model, .net = net, .fitted = fitted, .pool = pool, .progress = progress};
    kb_reference *reference = &model->reference;
    size_t groups = 0;
    kb_progress_report(progress, "keeping a reference", 0, 0);
    kb_network_put(net, model->weights);
    kb_status status = embed(&m, err);
    if (!status)
        status = find_groups(&m, &groups, err);
    if (!status) {
        const kb_reference_source source = {store,   model->seen,   sessions,
                                            m.group, fitted->count, groups};
        status = kb_reference_fit(reference, &source, err);
    }
    if (!status)
        status = add_points(&m, reference, err);
    if (!status)
        status = kb_reference_finish(reference, err);
    free(m.z.data);
    free(m.order);
    free(m.group);
    return status;
}
