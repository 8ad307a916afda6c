/* network: the autoencoder and the variational autoencoder, forward and backward.
 *
 *   h = act(x W1 + b1)                       x: B x I, h: B x H
 *   mu = h Wm + bm                           B x Z; the AE's z is mu
 *   lv = clamp(h Wv + bv), z = mu + exp(lv/2) eps      (VAE: Kingma and Welling 2014)
 *   g = act(z W3 + b3), o = g W4 + b4        o: B x I, linear, squared error
 *
 * The activation is tanh for the AE and ELU for the VAE. ONE table (kb_layout) names all tensors,
 * their shapes and places in one block of parameters; initialising, Adam, saving, loading and the
 * gradient check walk it. A network lives on one device and is used by one thread at a time. */
#ifndef KB_NETWORK_H
#define KB_NETWORK_H

#include "device.h"
#include "status.h"

enum { KB_TENSORS_MAX = 10 };

typedef struct kb_tensor {
    const char *name;  /* static */
    size_t rows, cols; /* biases have one row */
    size_t offset;     /* in the block of parameters */
} kb_tensor;

/* The indices of a layout's tensors; logvar's are absent from an AE (their rows are 0). */
enum {
    KB_ENC1_W,
    KB_ENC1_B,
    KB_MU_W,
    KB_MU_B,
    KB_LOGVAR_W,
    KB_LOGVAR_B,
    KB_DEC1_W,
    KB_DEC1_B,
    KB_DEC2_W,
    KB_DEC2_B
};

typedef struct kb_layout {
    bool vae;
    size_t inputs, hidden, latent; /* I, H, Z */
    kb_tensor tensors[KB_TENSORS_MAX];
    size_t parameters; /* floats in the block */
    size_t encoder;    /* the first `encoder` of them are what DEC trains: W1, b1, Wm, bm */
} kb_layout;

/* KB_ERR_MEMORY when the sizes overflow. */
kb_status kb_layout_make(kb_layout *layout, bool vae, size_t inputs, size_t hidden, size_t latent,
                         kb_error *err);
/* W (layout->parameters floats) gets initial values: pre-activations of the first layer have
 * deviation .3 on inputs of unit mean square norm, the others 1/sqrt(fan-in), the log-variance head
 * a tenth of that, the decoder's first DECODER_GAIN times that, biases zero. */
void kb_layout_initialise(const kb_layout *layout, float *w, double decoder_gain, uint64_t seed);

typedef struct kb_network {
    kb_layout layout;
    kb_device *dev;
    size_t batch;                                 /* the largest B */
    kb_buffer *block;                             /* one allocation for everything below */
    kb_span w, gradient, m, v;                    /* parameters, gradients, Adam's moments */
    kb_span x, h, mu, logvar, mask, eps, z, g, o; /* activations of a batch */
    kb_span dh, dmu, dlogvar, dz, dg, d_o;        /* their gradients */
    uint64_t adam_steps;
} kb_network;

/* MAX_BATCH rows at most. */
kb_status kb_network_create(kb_network *net, const kb_layout *layout, kb_device *dev,
                            size_t max_batch, kb_error *err);
void kb_network_free(kb_network *net);                /* fine on a zeroed struct */
void kb_network_put(kb_network *net, const float *w); /* resets Adam too */
void kb_network_get(const kb_network *net, float *w);

typedef struct kb_loss {
    double total, reconstruction, kl; /* means over the batch; total = reconstruction + beta * kl */
} kb_loss;

/* The loss of net->x (B rows, filled by the caller). NOISE: sample z (otherwise z = mu); SEED and
 * STEP choose the noise. */
kb_loss kb_network_forward(kb_network *net, size_t rows, double beta, bool noise, uint64_t seed,
                           uint64_t step);
/* net->gradient = the gradient of the loss that kb_network_forward has just computed (same
 * arguments, noise on for a VAE). */
void kb_network_backward(kb_network *net, size_t rows, double beta);

/* net->mu = the embedding of net->x. */
void kb_network_encode(kb_network *net, size_t rows);
/* Given net->dmu: the gradient of W1, b1, Wm, bm (DEC). */
void kb_network_encode_backward(kb_network *net, size_t rows);

typedef struct kb_optimiser {
    double learning_rate;
    double clip;          /* a gradient of a larger norm is scaled down to it */
    double input_factor;  /* of the learning rate for W1 */
    double output_factor; /* ... for W4 and b4 */
    double weight_decay;  /* with the step weights, not biases, are multiplied by 1 - learning_rate
                           * weight_decay: decoupled, as in AdamW (Loshchilov and Hutter 2019) */
} kb_optimiser;

/* Factors 1, no decay. */
kb_optimiser kb_optimiser_plain(double learning_rate, double clip);

/* One step of Adam over the first COUNT parameters (whole tensors). False when the gradient is not
 * finite (nothing was changed). */
bool kb_network_adam(kb_network *net, const kb_optimiser *optimiser, size_t count);

#endif
