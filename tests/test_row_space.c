/* row space: a network trained by plain gradient descent on the coordinates of the row space is the
 * network trained on the inputs themselves. Both begin with the same function: the direct one with
 * W1 = V A, Wout = B V', bout = V b, so that nothing of it lies outside the row space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "basis.h"
#include "model_support.h"
#include "network.h"
#include "source.h"

enum { HIDDEN = 16, LATENT = 4, BATCH = 24, STEPS = 60 };
static const double BETA = 1e-2;
static const float RATE = .05f;

/* One way to train: a network and where its batches come from. */
struct side {
    kb_network net;
    kb_source *source;
    float *w, *gradient; /* layout.parameters */
};

struct fixture {
    char folder[256];
    kb_corpus *corpus;
    size_t *fitted, n;
    kb_features *features;
    kb_view *view;
    kb_blocks blocks;
    kb_basis basis;
    float *y; /* n x r */
    kb_device *dev;
    struct side rows, inputs;
};

static void open_corpus(struct fixture *f)
{
    f->corpus = generated_corpus_of(f->folder, sizeof f->folder, 100, 40, 20);
    f->fitted = calloc(kb_corpus_sessions(f->corpus), sizeof *f->fitted);
    f->n = kb_corpus_select(f->corpus, KB_SPLIT_TRAIN, f->fitted);
    kb_features_fit(&f->features, f->corpus, f->fitted, f->n, KB_SCALE_MINMAX, .02, NULL);
    kb_view_create(&f->view, f->features, f->corpus, NULL);
    kb_blocks_create(&f->blocks, f->view, f->fitted, f->n, NULL);
    assert_int_equal(kb_basis_fit(&f->basis, &f->y, &f->blocks, 1, NULL, NULL, NULL), KB_OK);
}

static void open_side(struct fixture *f, struct side *side, bool vae)
{
    kb_layout layout;
    kb_layout_make(&layout, vae, side->source->cols, HIDDEN, LATENT, NULL);
    assert_int_equal(kb_network_create(&side->net, &layout, f->dev, BATCH, NULL), KB_OK);
    side->w = calloc(layout.parameters, sizeof *side->w);
    side->gradient = calloc(layout.parameters, sizeof *side->gradient);
}

/* TO (rows x D) = FROM (rows x r) V'. */
static void map_back(const kb_basis *basis, float *to, const float *from, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t d = 0; d < basis->dims; d++) {
            double sum = 0;
            for (size_t k = 0; k < basis->rank; k++)
                sum +=
                    (double)from[i * basis->rank + k] * (double)basis->vectors[d * basis->rank + k];
            to[i * basis->dims + d] = (float)sum;
        }
}

/* TO (D x HIDDEN) = V FROM (r x HIDDEN). */
static void map_first(const kb_basis *basis, float *to, const float *from)
{
    for (size_t d = 0; d < basis->dims; d++)
        for (size_t h = 0; h < HIDDEN; h++) {
            double sum = 0;
            for (size_t k = 0; k < basis->rank; k++)
                sum += (double)basis->vectors[d * basis->rank + k] * (double)from[k * HIDDEN + h];
            to[d * HIDDEN + h] = (float)sum;
        }
}

/* The parameters of the direct network that is the same function as W (row space). */
static void map_parameters(const struct fixture *f, float *to, const float *w)
{
    const kb_tensor *from = f->rows.net.layout.tensors, *at = f->inputs.net.layout.tensors;
    map_first(&f->basis, to + at[KB_ENC1_W].offset, w + from[KB_ENC1_W].offset);
    size_t inner = from[KB_DEC2_W].offset - from[KB_ENC1_B].offset;
    memcpy(to + at[KB_ENC1_B].offset, w + from[KB_ENC1_B].offset, inner * sizeof *to);
    map_back(&f->basis, to + at[KB_DEC2_W].offset, w + from[KB_DEC2_W].offset, HIDDEN);
    map_back(&f->basis, to + at[KB_DEC2_B].offset, w + from[KB_DEC2_B].offset, 1);
}

static void open_fixture(struct fixture *f, bool vae)
{
    *f = (struct fixture){0};
    open_corpus(f);
    kb_device_open_cpu(&f->dev, NULL, NULL);
    kb_source_coordinates(&f->rows.source, f->dev, f->y, f->n, f->basis.rank, NULL);
    kb_source_inputs(&f->inputs.source, f->view, &f->basis, f->fitted, f->n, BATCH, NULL);
    open_side(f, &f->rows, vae);
    open_side(f, &f->inputs, vae);
    kb_layout_initialise(&f->rows.net.layout, f->rows.w, 1, 1);
    map_parameters(f, f->inputs.w, f->rows.w);
    kb_network_put(&f->rows.net, f->rows.w);
    kb_network_put(&f->inputs.net, f->inputs.w);
}

static void close_side(struct side *side)
{
    kb_network_free(&side->net);
    kb_source_free(side->source);
    free(side->w);
    free(side->gradient);
}

static void close_fixture(struct fixture *f)
{
    close_side(&f->rows);
    close_side(&f->inputs);
    kb_device_close(f->dev);
    free(f->y);
    kb_basis_clear(&f->basis);
    kb_blocks_clear(&f->blocks);
    kb_view_free(f->view);
    kb_features_free(f->features);
    kb_corpus_free(f->corpus);
    remove_folder(f->folder);
    free(f->fitted);
}

/* w -= rate g; returns the loss before. */
static double descend(struct side *side, const size_t *rows, size_t n, uint64_t step)
{
    kb_network *net = &side->net;
    size_t p = net->layout.parameters;
    side->source->fill(side->source, net->dev, net->x, rows, n);
    double loss = kb_network_forward(net, n, BETA, true, 1, step).total;
    kb_network_backward(net, n, BETA);
    net->dev->ops->get(net->dev, side->gradient, net->gradient, p);
    for (size_t i = 0; i < p; i++)
        side->w[i] -= RATE * side->gradient[i];
    net->dev->ops->put(net->dev, net->w, side->w, p);
    return loss;
}

/* |a - b| / |b| of each tensor. */
static void compare_weights(const struct fixture *f)
{
    const kb_layout *layout = &f->inputs.net.layout;
    float *expected = calloc(layout->parameters, sizeof *expected);
    map_parameters(f, expected, f->rows.w);
    for (size_t k = 0; k < KB_TENSORS_MAX; k++) {
        const kb_tensor *t = &layout->tensors[k];
        double off = 0, size = 0;
        for (size_t i = t->offset; i < t->offset + t->rows * t->cols; i++) {
            off += pow((double)expected[i] - (double)f->inputs.w[i], 2);
            size += pow((double)expected[i], 2);
        }
        if (sqrt(off) > 1e-3 * sqrt(size))
            fail_msg("%s: off by %g of %g", t->name, sqrt(off), sqrt(size));
    }
    free(expected);
}

static void train_both(bool vae)
{
    struct fixture f;
    open_fixture(&f, vae);
    double first = 0, last = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        size_t rows[BATCH];
        for (size_t i = 0; i < BATCH; i++)
            rows[i] = (step * BATCH + i) % f.n;
        double here = descend(&f.rows, rows, BATCH, step);
        double there = descend(&f.inputs, rows, BATCH, step);
        if (fabs(here - there) > 1e-4 * there)
            fail_msg("step %d: loss %.9g in the row space, %.9g outside", (int)step, here, there);
        first = step ? first : here;
        last = here;
    }
    assert_true(last < .8 * first); /* it did learn */
    compare_weights(&f);
    close_fixture(&f);
}

static void an_autoencoder_trains_alike_in_both_spaces(void **state)
{
    (void)state;
    train_both(false);
}

static void a_vae_trains_alike_in_both_spaces(void **state)
{
    (void)state;
    train_both(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_autoencoder_trains_alike_in_both_spaces),
        cmocka_unit_test(a_vae_trains_alike_in_both_spaces),
    };
    return cmocka_run_group_tests_name("row space", tests, NULL, NULL);
}
