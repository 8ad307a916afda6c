#include "dec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans.h"
#include "memory.h"
#include "points.h"
#include "rng.h"

/* The unit of distance, as a share of the mean squared distance to the nearest centroid. At 1 the
 * far centroids of a latent space of hundreds of dimensions are hardly farther than the nearest,
 * and Q is too flat to sharpen. */
static const double DIST_SCALE = .25;

/* LOOK_UPDATES: an epoch of a small corpus is one update, in which hardly a session can move. */
enum { RETRIES = 2, LOOK_UPDATES = 20, GRADIENT_CLIP = 10 };

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
 * of a batch, and the last good state; on the host, what tending the centroids needs. */
struct dec {
    kb_network *net;
    kb_source *source;
    const kb_dec_options *options;
    kb_pool *pool;
    kb_dec_result *result;
    size_t n, k, z; /* N, K, Z */
    kb_buffer *block;
    kb_span centroids, dcentroids, m, v; /* K x Z each */
    kb_span zs, d2, q, p;                /* N x Z, N x K */
    kb_span batch_d2, batch_q, batch_p, work;
    kb_span good_encoder, good_centroids;
    float dist_scale;
    double learning_rate;
    uint64_t steps; /* of Adam on the centroids */
    int retries;
    size_t *order;
    float *host_z;         /* N x Z */
    float *host_c;         /* K x Z */
    kb_membership members; /* of host_z and host_c */
    bool *moved;           /* K */
    uint32_t *before;      /* N: labels when they were last looked at */
    size_t looked_at;      /* updates then; SIZE_MAX: never */
};

static kb_status alloc_device(struct dec *d, kb_error *err)
{
    size_t n = d->n, k = d->k, z = d->z, b = d->options->batch, e = d->net->layout.encoder;
    const size_t sizes[] = {k * z, k * z, k * z, k * z, n * z, n * k, n * k,
                            n * k, b * k, b * k, b * k, b * k, e,     k * z};
    kb_span *spans[] = {&d->centroids,
                        &d->dcentroids,
                        &d->m,
                        &d->v,
                        &d->zs,
                        &d->d2,
                        &d->q,
                        &d->p,
                        &d->batch_d2,
                        &d->batch_q,
                        &d->batch_p,
                        &d->work,
                        &d->good_encoder,
                        &d->good_centroids};
    size_t total = 0, nz, nk;
    if (!kb_size_mul(n, z, &nz) || !kb_size_mul(n, k, &nk))
        return kb_fail_memory(err, "the soft assignment");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        *spans[i] = (kb_span){NULL, total};
        if (!kb_size_add(total, (sizes[i] + 15) / 16 * 16, &total))
            return kb_fail_memory(err, "the soft assignment");
    }
    d->block = d->net->dev->ops->alloc(d->net->dev, total);
    if (!d->block)
        return kb_fail_memory(err, "the soft assignment");
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        spans[i]->buffer = d->block;
    return KB_OK;
}

static kb_status alloc_host(struct dec *d, kb_error *err)
{
    size_t nz, kz;
    if (!kb_size_mul(d->n, d->z, &nz) || !kb_size_mul(d->k, d->z, &kz))
        return kb_fail_memory(err, "the soft assignment");
    d->order = kb_calloc(d->n, sizeof *d->order);
    d->host_z = kb_alloc_aligned(nz, sizeof *d->host_z);
    d->host_c = kb_alloc_aligned(kz, sizeof *d->host_c);
    d->members = (kb_membership){kb_calloc(d->n, sizeof(uint32_t)), kb_calloc(d->n, sizeof(double)),
                                 kb_calloc(d->k, sizeof(double))};
    d->moved = kb_calloc(d->k, sizeof *d->moved);
    d->before = kb_calloc(d->n, sizeof *d->before);
    bool all = d->order && d->host_z && d->host_c && d->members.labels && d->members.distance2 &&
               d->members.sizes && d->moved && d->before;
    return all ? KB_OK : kb_fail_memory(err, "the soft assignment");
}

static void dec_free(struct dec *d)
{
    if (d->block)
        d->net->dev->ops->release(d->net->dev, d->block);
    free(d->order);
    free(d->host_z);
    free(d->host_c);
    free(d->members.labels);
    free(d->members.distance2);
    free(d->members.sizes);
    free(d->moved);
    free(d->before);
}

static kb_const_matrix points(const struct dec *d)
{
    return kb_const_matrix_of(d->host_z, d->n, d->z);
}

static kb_matrix places(const struct dec *d)
{
    return kb_matrix_of(d->host_c, d->k, d->z);
}

/* --- good states -------------------------------------------------------------------------- */

/* Adam's moments belong to another loss, or to steps that led astray. */
static void forget_moments(struct dec *d)
{
    kb_network *net = d->net;
    const kb_device_ops *ops = net->dev->ops;
    ops->fill(net->dev, net->m, 0, net->layout.parameters);
    ops->fill(net->dev, net->v, 0, net->layout.parameters);
    ops->fill(net->dev, d->m, 0, d->k * d->z);
    ops->fill(net->dev, d->v, 0, d->k * d->z);
    net->adam_steps = 0;
    d->steps = 0;
}

static void save_state(struct dec *d)
{
    kb_device *dev = d->net->dev;
    dev->ops->copy(dev, d->good_encoder, d->net->w, d->net->layout.encoder);
    dev->ops->copy(dev, d->good_centroids, d->centroids, d->k * d->z);
}

static void restore_state(struct dec *d)
{
    kb_device *dev = d->net->dev;
    dev->ops->copy(dev, d->net->w, d->good_encoder, d->net->layout.encoder);
    dev->ops->copy(dev, d->centroids, d->good_centroids, d->k * d->z);
    forget_moments(d);
}

/* True: go on from the last good state. */
static bool step_back(struct dec *d)
{
    const kb_dec_options *o = d->options;
    bool again = d->retries-- > 0;
    restore_state(d);
    d->learning_rate /= 10;
    d->result->divergences++;
    if (o->note)
        o->note(o->ctx, again ? "clustering diverged: back to the last good epoch, with a tenth of "
                                "the learning rate"
                              : "clustering diverged again: it ends with its last good epoch");
    return again;
}

/* The embeddings and centroids as they are now, on the host too. KB_ERR_NUMERIC when one of them is
 * not finite. */
static kb_status look(struct dec *d, const kb_progress *progress, kb_error *err)
{
    kb_device *dev = d->net->dev;
    size_t row;
    kb_network_embed_all(d->net, d->source, d->host_z, progress);
    if (kb_cancelled(progress))
        return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    dev->ops->get(dev, d->host_c, d->centroids, d->k * d->z);
    kb_status status = dev->ops->status(dev, err);
    if (status)
        return status;
    if (!kb_points_finite(points(d), &row) || !kb_points_finite(kb_matrix_const(places(d)), &row))
        return kb_fail(err, KB_ERR_NUMERIC, "deep embedded clustering diverged");
    kb_membership_of(&d->members, points(d), kb_matrix_const(places(d)));
    return KB_OK;
}

/* --- an epoch ----------------------------------------------------------------------------- */

static kb_status start_centroids(struct dec *d, const kb_progress *progress, kb_error *err)
{
    const kb_dec_options *o = d->options;
    kb_network_embed_all(d->net, d->source, d->host_z, progress);
    if (kb_cancelled(progress))
        return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    kb_kmeans_options options = kb_kmeans_defaults(d->k);
    options.seed = o->seed;
    options.restarts = o->restarts;
    kb_kmeans km;
    kb_status status = kb_kmeans_fit(&km, points(d), &options, d->pool, progress, err);
    if (status)
        return status;
    const float *first = o->init.data ? o->init.data : km.centroids;
    d->net->dev->ops->put(d->net->dev, d->centroids, first, d->k * d->z);
    double scale = DIST_SCALE * km.inertia / (double)d->n;
    d->dist_scale = scale > 1e-12 ? (float)scale : 1e-12f;
    kb_kmeans_clear(&km);
    return KB_OK;
}

/* Merges and reseeds; the device learns of it. */
static kb_status tend(struct dec *d, size_t number, kb_error *err)
{
    kb_device *dev = d->net->dev;
    size_t reseeded;
    size_t merged = kb_centroids_merge(places(d), points(d), &d->members);
    kb_status status =
        kb_centroids_reseed(places(d), points(d), &d->members, d->options->seed + number, d->moved,
                            &reseeded, d->pool, err);
    if (status || (!merged && !reseeded))
        return status;
    d->result->merged += merged;
    d->result->reseeded += reseeded;
    dev->ops->put(dev, d->centroids, d->host_c, d->k * d->z);
    for (size_t j = 0; j < d->k; j++)
        if (d->moved[j]) {
            dev->ops->fill(dev, kb_span_at(d->m, j * d->z), 0, d->z);
            dev->ops->fill(dev, kb_span_at(d->v, j * d->z), 0, d->z);
        }
    return KB_OK;
}

/* True when hardly a session has moved since the last look, if there has been enough to see. */
static bool has_settled(struct dec *d)
{
    kb_dec_result *r = d->result;
    if (d->looked_at != SIZE_MAX && r->updates - d->looked_at < LOOK_UPDATES)
        return false;
    size_t moved = 0;
    for (size_t i = 0; i < d->n; i++)
        moved += d->members.labels[i] != d->before[i];
    bool first = d->looked_at == SIZE_MAX;
    memcpy(d->before, d->members.labels, d->n * sizeof *d->before);
    d->looked_at = r->updates;
    if (first)
        return false;
    r->changed = (double)moved / (double)d->n;
    return r->updates >= d->options->least_updates && r->changed < d->options->tolerance;
}

/* Z, Q and P of all sessions under the present weights, which are good if they get here. */
static kb_status begin_epoch(struct dec *d, size_t number, const kb_progress *progress,
                             kb_error *err)
{
    kb_device *dev = d->net->dev;
    kb_status status = look(d, progress, err);
    if (!status && 4 * number <= 3 * d->options->epochs)
        status = tend(d, number, err);
    if (status)
        return status;
    save_state(d);
    d->result->stopped = has_settled(d);
    dev->ops->put(dev, d->zs, d->host_z, d->n * d->z);
    dev->ops->squared_distances(dev, d->d2, d->zs, d->centroids, d->n, d->k, d->z);
    dev->ops->soft_assign(dev, d->q, d->d2, d->dist_scale, d->n, d->k);
    dev->ops->target_distribution(dev, d->p, d->q, d->n, d->k);
    return KB_OK;
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
    const kb_optimiser optimiser = kb_optimiser_plain(d->learning_rate, GRADIENT_CLIP);
    if (!isfinite(loss) || !kb_network_adam(net, &optimiser, net->layout.encoder))
        return NAN;
    d->steps++;
    kb_adam_step step = {(float)d->learning_rate,
                         .9f,
                         .999f,
                         1e-8f,
                         (float)(1 - pow(.9, (double)d->steps)),
                         (float)(1 - pow(.999, (double)d->steps)),
                         0};
    ops->adam(dev, d->centroids, d->m, d->v, d->dcentroids, step, d->k * d->z);
    return loss;
}

static kb_status run_epoch(struct dec *d, size_t number, const kb_progress *progress, kb_error *err)
{
    const kb_dec_options *o = d->options;
    kb_rng rng = kb_rng_start(o->seed, KB_STREAM_SHUFFLE + 100 * (1000000 + number));
    for (size_t i = 0; i < d->n; i++)
        d->order[i] = i;
    kb_rng_shuffle(&rng, d->order, d->n);
    double sum = 0;
    size_t updates = 0;
    for (size_t i = 0; i < d->n; i += o->batch, updates++) {
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        size_t n = d->n - i < o->batch ? d->n - i : o->batch;
        double loss = dec_step(d, d->order + i, n);
        if (isnan(loss))
            return kb_fail(err, KB_ERR_NUMERIC, "deep embedded clustering diverged in epoch %zu",
                           number);
        sum += loss * (double)n;
    }
    d->result->updates += updates;
    d->result->epochs = number;
    kb_progress_report(progress, "clustering", number, o->epochs);
    if (o->epoch)
        o->epoch(o->ctx, number, sum / (double)d->n);
    return KB_OK;
}

static kb_status run_epochs(struct dec *d, const kb_progress *progress, kb_error *err)
{
    bool enough = false;
    for (size_t number = 1; number <= d->options->epochs && !d->result->stopped && !enough;) {
        kb_status status = begin_epoch(d, number, progress, err);
        if (!status && !d->result->stopped)
            status = run_epoch(d, number, progress, err);
        if (status == KB_ERR_NUMERIC && !step_back(d))
            return KB_OK;
        if (status && status != KB_ERR_NUMERIC)
            return status;
        if (!status && !d->result->stopped && d->options->stop)
            enough = d->options->stop(d->options->ctx, number);
        number += status == KB_OK;
    }
    return KB_OK;
}

/* --- the result --------------------------------------------------------------------------- */

static kb_status take_result(struct dec *d, kb_error *err)
{
    kb_dec_result *r = d->result;
    r->merged += kb_centroids_merge(places(d), points(d), &d->members);
    r->clusters = kb_centroids_compact(places(d), &d->members, d->n);
    r->centroids = kb_alloc_aligned(r->clusters * d->z, sizeof *r->centroids);
    r->traits = kb_calloc(r->clusters, sizeof *r->traits);
    if (!r->centroids || !r->traits)
        return kb_fail_memory(err, "centroids");
    memcpy(r->centroids, d->host_c, r->clusters * d->z * sizeof *r->centroids);
    kb_const_matrix centroids = kb_const_matrix_of(r->centroids, r->clusters, d->z);
    kb_membership_of(&d->members, points(d), centroids);
    return kb_centroid_traits(r->traits, centroids, points(d), &d->members, (double)d->dist_scale,
                              err);
}

/* The last epoch may have been the one that led astray. */
static kb_status finish(struct dec *d, const kb_progress *progress, kb_error *err)
{
    kb_status status = look(d, progress, err);
    if (status == KB_ERR_NUMERIC) {
        d->retries = 0;
        step_back(d);
        status = look(d, progress, err);
    }
    return status ? status : take_result(d, err);
}

kb_status kb_dec_train(kb_dec_result *out, kb_network *net, kb_source *source,
                       const kb_dec_options *options, kb_pool *pool, const kb_progress *progress,
                       kb_error *err)
{
    *out = (kb_dec_result){.changed = (double)NAN};
    struct dec d = {.net = net,
                    .source = source,
                    .options = options,
                    .pool = pool,
                    .result = out,
                    .n = source->count,
                    .k = options->clusters,
                    .z = net->layout.latent,
                    .learning_rate = options->learning_rate,
                    .retries = RETRIES,
                    .looked_at = SIZE_MAX};
    kb_status status = alloc_device(&d, err);
    if (!status)
        status = alloc_host(&d, err);
    if (!status)
        status = start_centroids(&d, progress, err);
    if (!status) {
        forget_moments(&d);
        save_state(&d);
        status = run_epochs(&d, progress, err);
    }
    if (!status)
        status = finish(&d, progress, err);
    dec_free(&d);
    if (status)
        kb_dec_result_clear(out);
    return status;
}

void kb_dec_result_clear(kb_dec_result *result)
{
    free(result->centroids);
    free(result->traits);
    *result = (kb_dec_result){0};
}
