#include "source.h"

#include <stdlib.h>

#include "memory.h"

struct coordinates {
    kb_source base;
    kb_device *dev;
    kb_buffer *buffer;
};

static void coordinates_fill(kb_source *source, kb_device *dev, kb_span to, const size_t *rows,
                             size_t n)
{
    struct coordinates *c = (struct coordinates *)source;
    dev->ops->gather(dev, to, (kb_span){c->buffer, 0}, rows, n, source->cols);
}

static void coordinates_free(kb_source *source)
{
    struct coordinates *c = (struct coordinates *)source;
    if (c->buffer)
        c->dev->ops->release(c->dev, c->buffer);
    free(c);
}

kb_status kb_source_coordinates(kb_source **out, kb_device *dev, const float *y, size_t count,
                                size_t cols, kb_error *err)
{
    size_t floats;
    struct coordinates *c = kb_calloc(1, sizeof *c);
    if (!c || !kb_size_mul(count, cols, &floats)) {
        free(c);
        return kb_fail_memory(err, "the training coordinates");
    }
    c->base = (kb_source){count, cols, coordinates_fill, coordinates_free};
    c->dev = dev;
    c->buffer = dev->ops->alloc(dev, floats);
    if (!c->buffer) {
        free(c);
        return kb_fail_memory(err, "the training coordinates");
    }
    dev->ops->put(dev, (kb_span){c->buffer, 0}, y, floats);
    *out = &c->base;
    return KB_OK;
}

struct inputs {
    kb_source base;
    const kb_view *view;
    const kb_basis *basis;
    const size_t *sessions;
    float *staging; /* max_rows x D */
};

static void inputs_fill(kb_source *source, kb_device *dev, kb_span to, const size_t *rows, size_t n)
{
    struct inputs *s = (struct inputs *)source;
    for (size_t i = 0; i < n; i++) {
        float *x = s->staging + i * source->cols;
        kb_view_row(s->view, s->sessions[rows[i]], x);
        kb_basis_standardise(s->basis, x);
    }
    dev->ops->put(dev, to, s->staging, n * source->cols);
}

static void inputs_free(kb_source *source)
{
    struct inputs *s = (struct inputs *)source;
    free(s->staging);
    free(s);
}

kb_status kb_source_inputs(kb_source **out, const kb_view *view, const kb_basis *basis,
                           const size_t *sessions, size_t count, size_t max_rows, kb_error *err)
{
    size_t cols = kb_features_dims(kb_view_features(view)), floats;
    struct inputs *s = kb_calloc(1, sizeof *s);
    if (s && kb_size_mul(max_rows, cols, &floats))
        s->staging = kb_alloc_aligned(floats, sizeof *s->staging);
    if (!s || !s->staging) {
        free(s);
        return kb_fail_memory(err, "a batch of inputs");
    }
    s->base = (kb_source){count, cols, inputs_fill, inputs_free};
    s->view = view;
    s->basis = basis;
    s->sessions = sessions;
    *out = &s->base;
    return KB_OK;
}

void kb_source_free(kb_source *source)
{
    if (source)
        source->free(source);
}
