#include "network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "rng.h"

static const float LOGVAR_MIN = -12, LOGVAR_MAX = 8;

kb_status kb_layout_make(kb_layout *layout, bool vae, size_t inputs, size_t hidden, size_t latent,
                         kb_error *err)
{
    const size_t i = inputs, h = hidden, z = latent;
    *layout = (kb_layout){.vae = vae,
                          .inputs = i,
                          .hidden = h,
                          .latent = z,
                          .tensors = {[KB_ENC1_W] = {"enc1.weight", i, h, 0},
                                      [KB_ENC1_B] = {"enc1.bias", 1, h, 0},
                                      [KB_MU_W] = {"mu.weight", h, z, 0},
                                      [KB_MU_B] = {"mu.bias", 1, z, 0},
                                      [KB_LOGVAR_W] = {"logvar.weight", vae ? h : 0, z, 0},
                                      [KB_LOGVAR_B] = {"logvar.bias", vae ? 1 : 0, z, 0},
                                      [KB_DEC1_W] = {"dec1.weight", z, h, 0},
                                      [KB_DEC1_B] = {"dec1.bias", 1, h, 0},
                                      [KB_DEC2_W] = {"dec2.weight", h, i, 0},
                                      [KB_DEC2_B] = {"dec2.bias", 1, i, 0}}};
    for (size_t k = 0; k < KB_TENSORS_MAX; k++) {
        kb_tensor *tensor = &layout->tensors[k];
        size_t floats;
        tensor->offset = layout->parameters;
        if (!kb_size_mul(tensor->rows, tensor->cols, &floats) ||
            !kb_size_add(layout->parameters, floats, &layout->parameters))
            return kb_fail_memory(err, "a network of this size");
        if (k == KB_MU_B)
            layout->encoder = layout->parameters;
    }
    return KB_OK;
}

/* The deviation of a tensor's initial values; 0 for biases. */
static double initial_deviation(const kb_layout *layout, size_t k)
{
    switch (k) {
    case KB_ENC1_W:
        return .3;
    case KB_LOGVAR_W:
        return .1 / sqrt((double)layout->hidden);
    case KB_MU_W:
        return 1 / sqrt((double)layout->hidden);
    case KB_DEC1_W:
        return 1 / sqrt((double)layout->latent);
    case KB_DEC2_W: /* keeps |o|^2 near 1 whatever the width of the output */
        return 1 / sqrt((double)layout->hidden * (double)layout->inputs);
    default:
        return 0;
    }
}

void kb_layout_initialise(const kb_layout *layout, float *w, double decoder_gain, uint64_t seed)
{
    for (size_t k = 0; k < KB_TENSORS_MAX; k++) {
        const kb_tensor *tensor = &layout->tensors[k];
        kb_rng rng = kb_rng_start(seed, KB_STREAM_INIT + 100 * k);
        double deviation = initial_deviation(layout, k) * (k == KB_DEC1_W ? decoder_gain : 1);
        for (size_t i = 0; i < tensor->rows * tensor->cols; i++)
            w[tensor->offset + i] =
                deviation > 0 ? (float)(deviation * (double)kb_rng_normal(&rng)) : 0;
    }
}

/* Hands out the spans of a network from one block; with a NULL block it only counts. */
struct carver {
    kb_buffer *buffer;
    size_t used;
    bool overflow;
};

static kb_span carve(struct carver *c, size_t rows, size_t cols)
{
    kb_span span = {c->buffer, c->used};
    size_t floats;
    if (!kb_size_mul(rows, cols, &floats) || !kb_size_add(floats, 15, &floats) ||
        !kb_size_add(c->used, floats / 16 * 16, &c->used))
        c->overflow = true;
    return span;
}

static void carve_network(kb_network *net, struct carver *c)
{
    const size_t i = net->layout.inputs, h = net->layout.hidden, z = net->layout.latent;
    const size_t p = net->layout.parameters, b = net->batch, v = net->layout.vae ? b : 0;
    net->w = carve(c, 1, p);
    net->gradient = carve(c, 1, p);
    net->m = carve(c, 1, p);
    net->v = carve(c, 1, p);
    net->x = carve(c, b, i);
    net->h = carve(c, b, h);
    net->mu = carve(c, b, z);
    net->logvar = carve(c, v, z);
    net->mask = carve(c, v, z);
    net->eps = carve(c, v, z);
    net->z = carve(c, b, z);
    net->g = carve(c, b, h);
    net->o = carve(c, b, i);
    net->dh = carve(c, b, h);
    net->dmu = carve(c, b, z);
    net->dlogvar = carve(c, v, z);
    net->dz = carve(c, b, z);
    net->dg = carve(c, b, h);
    net->d_o = carve(c, b, i);
}

kb_status kb_network_create(kb_network *net, const kb_layout *layout, kb_device *dev,
                            size_t max_batch, kb_error *err)
{
    *net = (kb_network){.layout = *layout, .dev = dev, .batch = max_batch};
    struct carver counting = {0};
    carve_network(net, &counting);
    if (!counting.overflow)
        net->block = dev->ops->alloc(dev, counting.used);
    if (!net->block)
        return kb_fail(err, KB_ERR_MEMORY, "no memory for a network of %zu parameters",
                       layout->parameters);
    carve_network(net, &(struct carver){.buffer = net->block});
    return KB_OK;
}

void kb_network_free(kb_network *net)
{
    if (net->block)
        net->dev->ops->release(net->dev, net->block);
    *net = (kb_network){0};
}

void kb_network_put(kb_network *net, const float *w)
{
    const kb_device_ops *ops = net->dev->ops;
    size_t p = net->layout.parameters;
    ops->put(net->dev, net->w, w, p);
    ops->fill(net->dev, net->m, 0, p);
    ops->fill(net->dev, net->v, 0, p);
    net->adam_steps = 0;
}

void kb_network_get(const kb_network *net, float *w)
{
    net->dev->ops->get(net->dev, w, net->w, net->layout.parameters);
}

static kb_span weight(const kb_network *net, size_t k)
{
    return kb_span_at(net->w, net->layout.tensors[k].offset);
}

static kb_span weight_gradient(const kb_network *net, size_t k)
{
    return kb_span_at(net->gradient, net->layout.tensors[k].offset);
}

static kb_activation activation(const kb_network *net)
{
    return net->layout.vae ? KB_ACT_ELU : KB_ACT_TANH;
}

/* y (rows x n) = act(x (rows x m) W + b); the bias follows its weight in the table. */
static void dense_forward(kb_network *net, kb_activation act, kb_span y, kb_span x, size_t k,
                          size_t rows)
{
    const kb_device_ops *ops = net->dev->ops;
    const kb_tensor *w = &net->layout.tensors[k];
    ops->gemm(net->dev, false, false, rows, w->cols, w->rows, 1, x, weight(net, k), 0, y);
    ops->bias_activate(net->dev, act, y, weight(net, k + 1), rows, w->cols);
}

/* dW = x' dy, db = column sums of dy. */
static void dense_backward_weights(kb_network *net, kb_span dy, kb_span x, size_t k, size_t rows)
{
    const kb_device_ops *ops = net->dev->ops;
    const kb_tensor *w = &net->layout.tensors[k];
    ops->gemm(net->dev, true, false, w->rows, w->cols, rows, 1, x, dy, 0, weight_gradient(net, k));
    ops->column_sums(net->dev, weight_gradient(net, k + 1), dy, rows, w->cols);
}

/* dx = dy W' + beta dx. */
static void dense_backward_input(kb_network *net, kb_span dx, kb_span dy, size_t k, size_t rows,
                                 float beta)
{
    const kb_tensor *w = &net->layout.tensors[k];
    net->dev->ops->gemm(net->dev, false, true, rows, w->rows, w->cols, 1, dy, weight(net, k), beta,
                        dx);
}

void kb_network_encode(kb_network *net, size_t rows)
{
    dense_forward(net, activation(net), net->h, net->x, KB_ENC1_W, rows);
    dense_forward(net, KB_ACT_LINEAR, net->mu, net->h, KB_MU_W, rows);
}

/* The KL term alone, for a z that is not sampled: computed with the gradients' operation into spare
 * spans. */
static double sample_latent(kb_network *net, size_t rows, double beta, bool noise, uint64_t seed,
                            uint64_t step)
{
    const kb_device_ops *ops = net->dev->ops;
    size_t count = rows * net->layout.latent;
    dense_forward(net, KB_ACT_LINEAR, net->logvar, net->h, KB_LOGVAR_W, rows);
    ops->clamp(net->dev, net->logvar, net->mask, LOGVAR_MIN, LOGVAR_MAX, count);
    if (noise) {
        ops->reparameterise(net->dev, net->z, net->eps, net->mu, net->logvar, seed, step, count);
    } else {
        ops->copy(net->dev, net->z, net->mu, count);
        ops->fill(net->dev, net->eps, 0, count);
    }
    ops->fill(net->dev, net->dz, 0, count);
    return ops->gaussian_kl(net->dev, net->dmu, net->dlogvar, net->dz, net->eps, net->mu,
                            net->logvar, beta / (double)rows, count);
}

kb_loss kb_network_forward(kb_network *net, size_t rows, double beta, bool noise, uint64_t seed,
                           uint64_t step)
{
    const kb_device_ops *ops = net->dev->ops;
    kb_loss loss = {0};
    kb_network_encode(net, rows);
    kb_span z = net->mu;
    double kl = 0;
    if (net->layout.vae) {
        kl = sample_latent(net, rows, beta, noise, seed, step);
        z = net->z;
    }
    dense_forward(net, activation(net), net->g, z, KB_DEC1_W, rows);
    dense_forward(net, KB_ACT_LINEAR, net->o, net->g, KB_DEC2_W, rows);
    loss.reconstruction = ops->squared_error(net->dev, net->o, net->x, net->d_o, 1 / (double)rows,
                                             rows * net->layout.inputs);
    loss.kl = beta > 0 ? kl / beta : 0;
    loss.total = loss.reconstruction + kl;
    return loss;
}

void kb_network_encode_backward(kb_network *net, size_t rows)
{
    size_t hidden = rows * net->layout.hidden;
    dense_backward_weights(net, net->dmu, net->h, KB_MU_W, rows);
    dense_backward_input(net, net->dh, net->dmu, KB_MU_W, rows, 0);
    net->dev->ops->activate_backward(net->dev, activation(net), net->dh, net->h, hidden);
    dense_backward_weights(net, net->dh, net->x, KB_ENC1_W, rows);
}

/* dz -> dmu and dlogvar, and the gradient of the log-variance head. */
static void latent_backward(kb_network *net, size_t rows, double beta)
{
    const kb_device_ops *ops = net->dev->ops;
    size_t count = rows * net->layout.latent;
    ops->gaussian_kl(net->dev, net->dmu, net->dlogvar, net->dz, net->eps, net->mu, net->logvar,
                     beta / (double)rows, count);
    ops->multiply(net->dev, net->dlogvar, net->mask, count);
    dense_backward_weights(net, net->dlogvar, net->h, KB_LOGVAR_W, rows);
}

void kb_network_backward(kb_network *net, size_t rows, double beta)
{
    const kb_device_ops *ops = net->dev->ops;
    const kb_layout *layout = &net->layout;
    kb_span z = layout->vae ? net->z : net->mu, dz = layout->vae ? net->dz : net->dmu;
    dense_backward_weights(net, net->d_o, net->g, KB_DEC2_W, rows);
    dense_backward_input(net, net->dg, net->d_o, KB_DEC2_W, rows, 0);
    ops->activate_backward(net->dev, activation(net), net->dg, net->g, rows * layout->hidden);
    dense_backward_weights(net, net->dg, z, KB_DEC1_W, rows);
    dense_backward_input(net, dz, net->dg, KB_DEC1_W, rows, 0);
    if (layout->vae)
        latent_backward(net, rows, beta);
    dense_backward_weights(net, net->dmu, net->h, KB_MU_W, rows);
    dense_backward_input(net, net->dh, net->dmu, KB_MU_W, rows, 0);
    if (layout->vae)
        dense_backward_input(net, net->dh, net->dlogvar, KB_LOGVAR_W, rows, 1);
    ops->activate_backward(net->dev, activation(net), net->dh, net->h, rows * layout->hidden);
    dense_backward_weights(net, net->dh, net->x, KB_ENC1_W, rows);
}

kb_optimiser kb_optimiser_plain(double learning_rate, double clip)
{
    return (kb_optimiser){learning_rate, clip, .input_factor = 1, .output_factor = 1};
}

static double factor_of(const kb_optimiser *o, size_t k)
{
    return k == KB_ENC1_W ? o->input_factor : k >= KB_DEC2_W ? o->output_factor : 1;
}

static void adam_tensor(kb_network *net, const kb_optimiser *o, kb_adam_step step, size_t k)
{
    const kb_device_ops *ops = net->dev->ops;
    const kb_tensor *w = &net->layout.tensors[k];
    size_t at = w->offset, size = w->rows * w->cols;
    if (k % 2 == 0) /* a bias follows its weight */
        step.decay = (float)(o->learning_rate * o->weight_decay);
    step.learning_rate = (float)(o->learning_rate * factor_of(o, k));
    ops->adam(net->dev, weight(net, k), kb_span_at(net->m, at), kb_span_at(net->v, at),
              weight_gradient(net, k), step, size);
}

bool kb_network_adam(kb_network *net, const kb_optimiser *o, size_t count)
{
    const kb_device_ops *ops = net->dev->ops;
    double norm = sqrt(ops->sum_squares(net->dev, net->gradient, count));
    if (!isfinite(norm))
        return false;
    if (norm > o->clip)
        ops->scale(net->dev, net->gradient, (float)(o->clip / norm), count);
    net->adam_steps++;
    double t = (double)net->adam_steps;
    kb_adam_step step = {(float)o->learning_rate,   .9f, .999f, 1e-8f, (float)(1 - pow(.9, t)),
                         (float)(1 - pow(.999, t)), 0};
    if (o->weight_decay <= 0 && o->input_factor == 1 && o->output_factor == 1) {
        ops->adam(net->dev, net->w, net->m, net->v, net->gradient, step, count);
        return true;
    }
    for (size_t k = 0; k < KB_TENSORS_MAX; k++)
        if (net->layout.tensors[k].rows && net->layout.tensors[k].offset < count)
            adam_tensor(net, o, step, k);
    return true;
}
