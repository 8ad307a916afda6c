/* network: gradients of the whole autoencoder and VAE by signed central differences; embedding;
 * Adam. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "network.h"
#include "rng.h"

enum { ROWS = 6, INPUTS = 7, HIDDEN = 5, LATENT = 3 };

struct fixture {
    kb_device *dev;
    kb_network net;
    float *w;
};

static void open_network(struct fixture *f, bool vae)
{
    kb_layout layout;
    assert_int_equal(kb_layout_make(&layout, vae, INPUTS, HIDDEN, LATENT, NULL), KB_OK);
    assert_int_equal(kb_device_open_cpu(&f->dev, NULL, NULL), KB_OK);
    assert_int_equal(kb_network_create(&f->net, &layout, f->dev, ROWS, NULL), KB_OK);
    f->w = malloc(layout.parameters * sizeof *f->w);
    kb_layout_initialise(&layout, f->w, 1, 5);
    kb_rng rng = kb_rng_start(3, KB_STREAM_TEST);
    for (size_t i = 0; i < layout.parameters; i++) /* biases too, and a decoder that matters */
        f->w[i] += .3f * kb_rng_normal(&rng);
    kb_network_put(&f->net, f->w);
    float x[ROWS * INPUTS];
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        x[i] = kb_rng_normal(&rng);
    f->dev->ops->put(f->dev, f->net.x, x, ROWS * INPUTS);
}

static void close_network(struct fixture *f)
{
    kb_network_free(&f->net);
    kb_device_close(f->dev);
    free(f->w);
}

/* Compares every gradient with (L(w + h) - L(w - h)) / 2h, sign included. Floats limit the
 * difference's accuracy, so the test asks for 2% of the gradient's largest entry of the tensor, per
 * tensor. */
static void check_gradients(bool vae, double beta)
{
    struct fixture f;
    open_network(&f, vae);
    const kb_layout *layout = &f.net.layout;
    float *gradient = malloc(layout->parameters * sizeof *gradient);
    kb_network_forward(&f.net, ROWS, beta, true, 9, 4);
    kb_network_backward(&f.net, ROWS, beta);
    f.dev->ops->get(f.dev, gradient, f.net.gradient, layout->parameters);
    const float h = 4e-3f;
    for (size_t k = 0; k < KB_TENSORS_MAX; k++) {
        const kb_tensor *t = &layout->tensors[k];
        size_t count = t->rows * t->cols;
        double largest = 0, worst = 0;
        for (size_t i = 0; i < count; i++) {
            float *w = &f.w[t->offset + i], kept = *w;
            *w = kept + h;
            f.dev->ops->put(f.dev, f.net.w, f.w, layout->parameters);
            double above = kb_network_forward(&f.net, ROWS, beta, true, 9, 4).total;
            *w = kept - h;
            f.dev->ops->put(f.dev, f.net.w, f.w, layout->parameters);
            double below = kb_network_forward(&f.net, ROWS, beta, true, 9, 4).total;
            *w = kept;
            double expected = (above - below) / (2.0 * h), actual = gradient[t->offset + i];
            largest = fmax(largest, fabs(expected));
            worst = fmax(worst, fabs(expected - actual));
        }
        if (count && (largest < 1e-3 || worst > .02 * largest))
            fail_msg("%s: gradients up to %g, off by up to %g", t->name, largest, worst);
    }
    free(gradient);
    close_network(&f);
}

static void gradients_of_the_autoencoder_match_differences(void **state)
{
    (void)state;
    check_gradients(false, 0);
}

static void gradients_of_the_vae_match_differences(void **state)
{
    (void)state;
    check_gradients(true, .1);
}

/* The encoder's own backward pass, for L = sum of mu * c. */
static void gradients_of_the_encoder_match_differences(void **state)
{
    (void)state;
    struct fixture f;
    open_network(&f, true);
    const kb_layout *layout = &f.net.layout;
    float c[ROWS * LATENT], mu[ROWS * LATENT];
    kb_rng rng = kb_rng_start(8, KB_STREAM_TEST);
    for (size_t i = 0; i < ROWS * LATENT; i++)
        c[i] = kb_rng_normal(&rng);
    kb_network_encode(&f.net, ROWS);
    f.dev->ops->put(f.dev, f.net.dmu, c, ROWS * LATENT);
    kb_network_encode_backward(&f.net, ROWS);
    float *gradient = malloc(layout->encoder * sizeof *gradient);
    f.dev->ops->get(f.dev, gradient, f.net.gradient, layout->encoder);
    const float h = 4e-3f;
    double worst = 0, largest = 0;
    for (size_t i = 0; i < layout->encoder; i++) {
        double value[2];
        float kept = f.w[i];
        for (int side = 0; side < 2; side++) {
            f.w[i] = kept + (side ? -h : h);
            f.dev->ops->put(f.dev, f.net.w, f.w, layout->parameters);
            kb_network_encode(&f.net, ROWS);
            f.dev->ops->get(f.dev, mu, f.net.mu, ROWS * LATENT);
            value[side] = 0;
            for (size_t j = 0; j < ROWS * LATENT; j++)
                value[side] += (double)mu[j] * c[j];
        }
        f.w[i] = kept;
        double expected = (value[0] - value[1]) / (2.0 * h);
        largest = fmax(largest, fabs(expected));
        worst = fmax(worst, fabs(expected - gradient[i]));
    }
    assert_true(largest > .1);
    assert_true(worst < .02 * largest);
    free(gradient);
    close_network(&f);
}

static void adam_lowers_the_loss(void **state)
{
    (void)state;
    for (int vae = 0; vae < 2; vae++) {
        struct fixture f;
        open_network(&f, vae);
        const kb_optimiser adam = kb_optimiser_plain(1e-2, 10);
        double first = kb_network_forward(&f.net, ROWS, .003, false, 0, 0).total;
        for (uint64_t step = 0; step < 300; step++) {
            kb_network_forward(&f.net, ROWS, .003, true, 1, step);
            kb_network_backward(&f.net, ROWS, .003);
            assert_true(kb_network_adam(&f.net, &adam, f.net.layout.parameters));
        }
        double last = kb_network_forward(&f.net, ROWS, .003, false, 0, 0).total;
        assert_true(last < .5 * first);
        close_network(&f);
    }
}

/* AdamW: without a gradient the decay alone is left, and biases have none. */
static void weights_decay_apart_from_the_gradient(void **state)
{
    (void)state;
    struct fixture f;
    open_network(&f, true);
    size_t p = f.net.layout.parameters;
    float *after = malloc(p * sizeof *after);
    for (size_t i = 0; i < p; i++)
        f.w[i] += .5f; /* biases begin at zero */
    kb_network_put(&f.net, f.w);
    kb_optimiser adam = kb_optimiser_plain(1e-2, 10);
    adam.weight_decay = 8;
    f.dev->ops->fill(f.dev, f.net.gradient, 0, p);
    assert_true(kb_network_adam(&f.net, &adam, p));
    kb_network_get(&f.net, after);
    for (size_t k = 0; k < KB_TENSORS_MAX; k++) {
        const kb_tensor *t = &f.net.layout.tensors[k];
        for (size_t i = t->offset; i < t->offset + t->rows * t->cols; i++)
            assert_true(fabsf(after[i] - (k % 2 ? 1 : .92f) * f.w[i]) <= 1e-6f);
    }
    free(after);
    close_network(&f);
}

/* A network on inputs divided by s, with W1 s times and W4 and b4 1/s times those of one on the
 * inputs themselves: the same outputs but for the division, and squared errors of 1/s^2. As Adam's
 * steps do not depend on the size of a gradient, the factors s and 1/s keep it so. */
static void factors_make_up_for_divided_inputs(void **state)
{
    (void)state;
    enum { STEPS = 30 };
    static const double s = 7, beta = .01;
    struct fixture f, divided;
    open_network(&f, true);
    open_network(&divided, true);
    const kb_tensor *t = f.net.layout.tensors;
    size_t p = f.net.layout.parameters, inputs = ROWS * f.net.layout.inputs;
    float *factor = malloc(p * sizeof *factor), *w = malloc(p * sizeof *w);
    for (size_t i = 0; i < p; i++) {
        factor[i] = i < t[KB_ENC1_B].offset    ? (float)s
                    : i >= t[KB_DEC2_W].offset ? 1 / (float)s
                                               : 1;
        w[i] = factor[i] * f.w[i];
    }
    kb_network_put(&divided.net, w);
    divided.dev->ops->scale(divided.dev, divided.net.x, 1 / (float)s, inputs);
    const kb_optimiser plain = kb_optimiser_plain(1e-3, 1e9), made_up = {1e-3, 1e9, s, 1 / s, 0};
    for (uint64_t step = 0; step < STEPS; step++) {
        double loss = kb_network_forward(&f.net, ROWS, beta * s * s, true, 1, step).total;
        double part = kb_network_forward(&divided.net, ROWS, beta, true, 1, step).total;
        assert_true(fabs(part * s * s - loss) < 1e-4 * loss);
        kb_network_backward(&f.net, ROWS, beta * s * s);
        kb_network_backward(&divided.net, ROWS, beta);
        assert_true(kb_network_adam(&f.net, &plain, p));
        assert_true(kb_network_adam(&divided.net, &made_up, p));
    }
    free(factor);
    free(w);
    close_network(&f);
    close_network(&divided);
}

static void a_gradient_that_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    struct fixture f;
    open_network(&f, false);
    const kb_optimiser adam = kb_optimiser_plain(1e-2, 10);
    size_t p = f.net.layout.parameters;
    f.dev->ops->fill(f.dev, f.net.gradient, NAN, p);
    assert_false(kb_network_adam(&f.net, &adam, p));
    float *after = malloc(p * sizeof *after);
    kb_network_get(&f.net, after);
    assert_memory_equal(after, f.w, p * sizeof *after);
    free(after);
    close_network(&f);
}

static void a_size_that_overflows_is_refused(void **state)
{
    (void)state;
    kb_layout layout;
    assert_int_equal(kb_layout_make(&layout, true, SIZE_MAX / 8, 64, 2, NULL), KB_ERR_MEMORY);
}

static void the_table_covers_the_block_without_gaps(void **state)
{
    (void)state;
    kb_layout layout;
    kb_layout_make(&layout, true, INPUTS, HIDDEN, LATENT, NULL);
    size_t at = 0;
    for (size_t k = 0; k < KB_TENSORS_MAX; k++) {
        assert_int_equal(layout.tensors[k].offset, at);
        at += layout.tensors[k].rows * layout.tensors[k].cols;
    }
    assert_int_equal(layout.parameters, at);
    assert_int_equal(layout.encoder, INPUTS * HIDDEN + HIDDEN + HIDDEN * LATENT + LATENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_the_autoencoder_match_differences),
        cmocka_unit_test(gradients_of_the_vae_match_differences),
        cmocka_unit_test(gradients_of_the_encoder_match_differences),
        cmocka_unit_test(adam_lowers_the_loss),
        cmocka_unit_test(weights_decay_apart_from_the_gradient),
        cmocka_unit_test(factors_make_up_for_divided_inputs),
        cmocka_unit_test(a_gradient_that_is_not_finite_changes_nothing),
        cmocka_unit_test(a_size_that_overflows_is_refused),
        cmocka_unit_test(the_table_covers_the_block_without_gaps),
    };
    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
