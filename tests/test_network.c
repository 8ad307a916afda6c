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
    kb_layout_initialise(&layout, f->w, 5);
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
        double first = kb_network_forward(&f.net, ROWS, .003, false, 0, 0).total;
        for (uint64_t step = 0; step < 300; step++) {
            kb_network_forward(&f.net, ROWS, .003, true, 1, step);
            kb_network_backward(&f.net, ROWS, .003);
            assert_true(kb_network_adam(&f.net, 1e-2, 10, f.net.layout.parameters));
        }
        double last = kb_network_forward(&f.net, ROWS, .003, false, 0, 0).total;
        assert_true(last < .5 * first);
        close_network(&f);
    }
}

static void a_gradient_that_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    struct fixture f;
    open_network(&f, false);
    size_t p = f.net.layout.parameters;
    f.dev->ops->fill(f.dev, f.net.gradient, NAN, p);
    assert_false(kb_network_adam(&f.net, 1e-2, 10, p));
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
        cmocka_unit_test(a_gradient_that_is_not_finite_changes_nothing),
        cmocka_unit_test(a_size_that_overflows_is_refused),
        cmocka_unit_test(the_table_covers_the_block_without_gaps),
    };
    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
