#include "dec.h"

#include <math.h>
#include <stdlib.h>

#include "kmeans.h"
#include "memory.h"
#include "rng.h"

/* The unit of distance, as a share of the mean squared distance to the nearest centroid. At 1 the
 * far centroids of a latent space of hundreds of dimensions are hardly farther than the nearest,
 * and Q is too flat to sharpen. */
static const double DIST_SCALE = .25;

void kb_network_embed_all(kb_network *net, kb_source *source, float *z, const kb_progress *progress)
{
    kb_device *dev = net->dev;
    size_t latent = net->layout.latent, rows[256];
    size_t step = net->batch < 256 ? net->batch : 256;
    for (size_t i = 0; i < source->count && !kb_cancelled(progress); i += step) {
        size_t n = source->count - i < step ? source->count - i : step;
        for (size_t r = 0; r < n; r++)
            rows[r] = i + r;
        source->fill(source, dev, net->x, rows, n);
        kb_network_encode(net, n);
        dev->ops->get(dev, z + i * latent, net->mu, n * latent);
    }
}

/* The run's memory: on the device, the centroids with their moments, Z, Q and P of all sessions and
 * of a batch; on the host, an order of sessions and the embeddings. */
struct dec {
    kb_network *net;
    kb_source *source;
    const kb_dec_options *options;
    size_t n, k, z; /* N, K, Z */
    kb_buffer *block;
    kb_span centroids, dcentroids, m, v; /* K x Z each */
    kb_span zs, d2, q, p;                /* N x Z, N x K */
    kb_span batch_d2, batch_q, batch_p, work;
    float dist_scale;
    uint64_t steps;
    size_t *order;
    float *host_z; /* N x Z */
};

static kb_status dec_alloc(struct dec *d, kb_error *err)
{
    size_t n = d->n, k = d->k, z = d->z, b = d->options->batch;
    const size_t sizes[] = {k * z, k * z, k * z, k * z, n * z, n * k,
                            n * k, n * k, b * k, b * k, b * k, b * k};
    kb_span *spans[] = {&d->centroids, &d->dcentroids, &d->m,       &d->v,
                        &d->zs,        &d->d2,         &d->q,       &d->p,
                        &d->batch_d2,  &d->batch_q,    &d->batch_p, &d->work};
    size_t total = 0, nz, nk;
    if (!kb_size_mul(n, z, &nz) || !kb_size_mul(n, k, &nk))
        return kb_fail_memory(err, "the soft assignment");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        *spans[i] = (kb_span){NULL, total};
        if (!kb_size_add(total, (sizes[i] + 15) / 16 * 16, &total))
            return kb_fail_memory(err, "the soft assignment");
    }
    kb_device *dev = d->net->dev;
    d->block = dev->ops->alloc(dev, total);
    d->order = kb_calloc(n, sizeof *d->order);
    d->host_z = kb_alloc_aligned(nz, sizeof *d->host_z);
    if (!d->block || !d->order || !d->host_z)
        return kb_fail_memory(err, "the soft assignment");
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        spans[i]->buffer = d->block;
    return KB_OK;
}

static void dec_free(struct dec *d)
{
    if (d->block)
        d->net->dev->ops->release(d->net->dev, d->block);
    free(d->order);
    free(d->host_z);
}

static kb_status start_centroids(struct dec *d, kb_pool *pool, const kb_progress *progress,
                                 kb_error *err)
{
    kb_network_embed_all(d->net, d->source, d->host_z, progress);
    kb_kmeans_options options = kb_kmeans_defaults(d->k);
    options.seed = d->options->seed;
    kb_kmeans km;
    kb_status status = kb_kmeans_fit(&km, kb_const_matrix_of(d->host_z, d->n, d->z), &options, pool,
                                     progress, err);
    if (status)
        return status;
    d->net->dev->ops->put(d->net->dev, d->centroids, km.centroids, d->k * d->z);
    double scale = DIST_SCALE * km.inertia / (double)d->n;
    d->dist_scale = scale > 1e-12 ? (float)scale : 1e-12f;
    kb_kmeans_clear(&km);
    return KB_OK;
}

/* Z, Q and P of all sessions under the present weights. */
static void update_target(struct dec *d, const kb_progress *progress)
{
    kb_device *dev = d->net->dev;
    kb_network_embed_all(d->net, d->source, d->host_z, progress);
    dev->ops->put(dev, d->zs, d->host_z, d->n * d->z);
    dev->ops->squared_distances(dev, d->d2, d->zs, d->centroids, d->n, d->k, d->z);
    dev->ops->soft_assign(dev, d->q, d->d2, d->dist_scale, d->n, d->k);
    dev->ops->target_distribution(dev, d->p, d->q, d->n, d->k);
}

/* One batch: forward, KL(P || Q), backward, Adam on the encoder and on the centroids. Returns the
 * loss, NAN on divergence. */
static double dec_step(struct dec *d, const size_t *rows, size_t n)
{
    kb_network *net = d->net;
    kb_device *dev = net->dev;
    const kb_device_ops *ops = dev->ops;
    d->source->fill(d->source, dev, net->x, rows, n);
    kb_network_encode(net, n);
    ops->squared_distances(dev, d->batch_d2, net->mu, d->centroids, n, d->k, d->z);
    ops->soft_assign(dev, d->batch_q, d->batch_d2, d->dist_scale, n, d->k);
    ops->gather(dev, d->batch_p, d->p, rows, n, d->k);
    double loss =
        ops->dec_loss(dev, net->dmu, d->dcentroids, d->work, d->batch_p, d->batch_q, d->batch_d2,
                      net->mu, d->centroids, d->dist_scale, 1 / (double)n, n, d->k, d->z);
    kb_network_encode_backward(net, n);
    if (!isfinite(loss) ||
        !kb_network_adam(net, d->options->learning_rate, 10, net->layout.encoder))
        return NAN;
    d->steps++;
    kb_adam_step step = {(float)d->options->learning_rate,
                         .9f,
                         .999f,
                         1e-8f,
                         (float)(1 - pow(.9, (double)d->steps)),
                         (float)(1 - pow(.999, (double)d->steps))};
    ops->adam(dev, d->centroids, d->m, d->v, d->dcentroids, step, d->k * d->z);
    return loss;
}

static kb_status dec_epoch(struct dec *d, size_t number, const kb_progress *progress, kb_error *err)
{
    size_t b = d->options->batch;
    kb_rng rng = kb_rng_start(d->options->seed, KB_STREAM_SHUFFLE + 100 * (1000000 + number));
    for (size_t i = 0; i < d->n; i++)
        d->order[i] = i;
    kb_rng_shuffle(&rng, d->order, d->n);
    update_target(d, progress);
    double sum = 0;
    for (size_t i = 0; i < d->n; i += b) {
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        size_t n = d->n - i < b ? d->n - i : b;
        double loss = dec_step(d, d->order + i, n);
        if (isnan(loss))
            return kb_fail(err, KB_ERR_NUMERIC, "deep embedded clustering diverged in epoch %zu",
                           number);
        sum += loss * (double)n;
    }
    kb_progress_report(progress, "clustering", number, d->options->epochs);
    if (d->options->epoch)
        d->options->epoch(d->options->ctx, number, sum / (double)d->n);
    return KB_OK;
}

static kb_status weigh_centroids(struct dec *d, float *centroids, double *weights,
                                 const kb_progress *progress, kb_error *err)
{
    uint32_t *labels = kb_calloc(d->n, sizeof *labels);
    if (!labels)
        return kb_fail_memory(err, "labels");
    d->net->dev->ops->get(d->net->dev, centroids, d->centroids, d->k * d->z);
    kb_network_embed_all(d->net, d->source, d->host_z, progress);
    kb_nearest(kb_const_matrix_of(d->host_z, d->n, d->z), kb_const_matrix_of(centroids, d->k, d->z),
               labels, NULL);
    for (size_t j = 0; j < d->k; j++)
        weights[j] = 0;
    for (size_t i = 0; i < d->n; i++)
        weights[labels[i]] += 1;
    free(labels);
    return kb_cancelled(progress) ? kb_fail(err, KB_ERR_CANCELLED, "cancelled") : KB_OK;
}

kb_status kb_dec_train(kb_network *net, kb_source *source, const kb_dec_options *options,
                       float *centroids, double *weights, kb_pool *pool,
                       const kb_progress *progress, kb_error *err)
{
    struct dec d = {.net = net,
                    .source = source,
                    .options = options,
                    .n = source->count,
                    .k = options->clusters,
                    .z = net->layout.latent};
    kb_device *dev = net->dev;
    kb_status status = dec_alloc(&d, err);
    if (!status)
        status = start_centroids(&d, pool, progress, err);
    if (!status) {
        /* Adam's moments belong to the other loss. */
        dev->ops->fill(dev, net->m, 0, net->layout.parameters);
        dev->ops->fill(dev, net->v, 0, net->layout.parameters);
        net->adam_steps = 0;
    }
    bool enough = false;
    for (size_t e = 1; !status && !enough && e <= options->epochs; e++) {
        status = dec_epoch(&d, e, progress, err);
        enough = options->stop && options->stop(options->ctx, e);
    }
    if (!status)
        status = weigh_centroids(&d, centroids, weights, progress, err);
    dec_free(&d);
    return status;
}
