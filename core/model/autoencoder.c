#include "autoencoder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "checkpoint.h"
#include "memory.h"
#include "rng.h"

enum { WARM_UP_STEPS = 50, VALIDATED_AT_ONCE = 256, RETRIES = 2 };

struct run {
    kb_network *net;
    float *best; /* the caller's weights */
    kb_source *fitted, *held_out;
    const kb_autoencoder_options *options;
    const kb_progress *progress;
    kb_training_state state;
    size_t *order; /* of the fitted sessions */
    double begun, saved;
    bool out_of_time;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void tell(const struct run *r, const char *text)
{
    if (r->options->note)
        r->options->note(r->options->ctx, text);
}

/* --- checkpoints ------------------------------------------------------------------------- */

static kb_status save(struct run *r, bool lasting, kb_error *err)
{
    r->saved = now();
    if (!r->options->checkpoint)
        return KB_OK;
    return kb_checkpoint_write(r->options->checkpoint, r->options->key, &r->state, r->net, r->best,
                               lasting, err);
}

/* Who has cancelled does not wait for long: the file is not made to last. */
static kb_status cancelled(struct run *r, kb_error *err)
{
    if (r->options->checkpoint) {
        kb_error reason;
        kb_progress_report(r->progress, "writing", 0, 0);
        if (save(r, false, &reason))
            tell(r, reason.text);
    }
    return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
}

/* Goes on where a checkpoint says, if there is one. */
static kb_status resume(struct run *r, kb_error *err)
{
    bool exists = false;
    kb_status status = KB_OK;
    if (r->options->checkpoint)
        status = kb_checkpoint_look(r->options->checkpoint, &exists, err);
    if (status || !exists)
        return status;
    kb_training_state *s = &r->state;
    status = kb_checkpoint_read(r->options->checkpoint, r->options->key, s, r->net, r->best, err);
    if (status)
        return status;
    if (s->position > r->fitted->count || s->best_epoch > s->epoch)
        return kb_fail(err, KB_ERR_FORMAT, "%s: the state of the training makes no sense",
                       r->options->checkpoint);
    char text[96];
    snprintf(text, sizeof text, "the checkpoint leads on from epoch %zu", s->epoch);
    tell(r, text);
    return KB_OK;
}

/* --- an epoch ---------------------------------------------------------------------------- */

static size_t steps_an_epoch(const struct run *r)
{
    return (r->fitted->count + r->options->batch - 1) / r->options->batch;
}

/* Warm-up, then a cosine to zero. STEP counts from 0. */
static double learning_rate_at(const struct run *r, size_t step)
{
    size_t steps = r->options->epochs * steps_an_epoch(r);
    double warm = (double)size_min(WARM_UP_STEPS, steps / 4 + 1);
    double rate =
        r->state.learning_rate * .5 * (1 + cos(3.14159265358979 * (double)step / (double)steps));
    return (double)step < warm ? rate * (double)(step + 1) / warm : rate;
}

static void draw_order(struct run *r)
{
    kb_rng rng = kb_rng_start(r->options->seed, KB_STREAM_SHUFFLE + 100 * r->state.epoch);
    for (size_t i = 0; i < r->fitted->count; i++)
        r->order[i] = i;
    kb_rng_shuffle(&rng, r->order, r->fitted->count);
}

/* A batch: forward, backward, Adam. False when it diverged. */
static bool one_step(struct run *r, size_t step)
{
    const kb_autoencoder_options *o = r->options;
    kb_training_state *s = &r->state;
    size_t rows = size_min(o->batch, r->fitted->count - s->position);
    r->fitted->fill(r->fitted, r->net->dev, r->net->x, r->order + s->position, rows);
    kb_loss part = kb_network_forward(r->net, rows, o->kl_weight, true, o->seed, step);
    kb_network_backward(r->net, rows, o->kl_weight);
    kb_optimiser optimiser = o->optimiser;
    optimiser.learning_rate = learning_rate_at(r, step);
    if (!isfinite(part.total) || !kb_network_adam(r->net, &optimiser, r->net->layout.parameters))
        return false;
    s->position += rows;
    s->loss.total += (double)rows * part.total;
    s->loss.reconstruction += (double)rows * part.reconstruction;
    s->loss.kl += (double)rows * part.kl;
    return true;
}

/* The rest of the epoch, until the time is up. */
static kb_status run_epoch(struct run *r, kb_error *err)
{
    kb_training_state *s = &r->state;
    size_t step = (s->epoch - 1) * steps_an_epoch(r) + s->position / r->options->batch;
    draw_order(r);
    for (; s->position < r->fitted->count && !r->out_of_time; step++) {
        if (kb_cancelled(r->progress))
            return cancelled(r, err);
        if (!one_step(r, step))
            return kb_fail(err, KB_ERR_NUMERIC, "training diverged in epoch %zu", s->epoch);
        r->out_of_time = now() - r->begun >= r->options->seconds;
    }
    return KB_OK;
}

/* Mean loss on the held-out sessions, without noise. */
static double validate(struct run *r)
{
    size_t rows[VALIDATED_AT_ONCE], n = r->held_out->count;
    size_t most = size_min(VALIDATED_AT_ONCE, r->net->batch);
    double sum = 0;
    for (size_t i = 0; i < n && !kb_cancelled(r->progress); i += most) {
        size_t part = size_min(most, n - i);
        for (size_t k = 0; k < part; k++)
            rows[k] = i + k;
        r->held_out->fill(r->held_out, r->net->dev, r->net->x, rows, part);
        sum += (double)part *
               kb_network_forward(r->net, part, r->options->kl_weight, false, 0, 0).total;
    }
    return sum / (double)n;
}

static void tell_epoch(const struct run *r, double validation)
{
    const kb_training_state *s = &r->state;
    double seen = (double)s->position;
    kb_progress_report(r->progress, "training", s->epoch, r->options->epochs);
    kb_autoencoder_epoch epoch = {
        s->epoch,
        {s->loss.total / seen, s->loss.reconstruction / seen, s->loss.kl / seen},
        validation};
    if (r->options->epoch)
        r->options->epoch(r->options->ctx, &epoch);
}

static void next_epoch(struct run *r)
{
    kb_training_state *s = &r->state;
    s->finished = s->epoch >= r->options->epochs || r->out_of_time ||
                  s->epoch - s->best_epoch >= r->options->patience;
    s->epoch++;
    s->position = 0;
    s->loss = (kb_loss){0};
}

/* One epoch and what follows it: validation, the best weights. */
static kb_status train_epoch(struct run *r, kb_error *err)
{
    kb_training_state *s = &r->state;
    kb_status status = run_epoch(r, err);
    if (status)
        return status;
    double validation = validate(r);
    if (kb_cancelled(r->progress))
        return cancelled(r, err);
    if (validation < s->best_loss) {
        s->best_loss = validation;
        s->best_epoch = s->epoch;
        kb_network_get(r->net, r->best);
    }
    s->epochs_run = s->epoch;
    tell_epoch(r, validation);
    next_epoch(r);
    return r->net->dev->ops->status(r->net->dev, err);
}

/* After divergence: back to the best weights so far (or the initial ones), the learning rate a
 * tenth; the epoch is lost. Once that has been done too often, the best weights are the result. */
static kb_status step_back(struct run *r, kb_error *err)
{
    kb_training_state *s = &r->state;
    if (!s->retries && !s->best_epoch)
        return kb_fail(err, KB_ERR_NUMERIC, "training diverged in epoch %zu", s->epoch);
    kb_network_put(r->net, r->best);
    next_epoch(r);
    if (!s->retries) {
        s->finished = true;
        tell(r, "training diverged again: it ends with the best weights so far");
        return KB_OK;
    }
    s->retries--;
    s->learning_rate /= 10;
    tell(r, "training diverged: back to the best weights, with a tenth of the learning rate");
    return KB_OK;
}

static void tell_time(const struct run *r)
{
    char text[160];
    snprintf(text, sizeof text,
             "--time-limit: the autoencoder stopped in epoch %zu of %zu; the best weights are of "
             "epoch %zu",
             r->state.epochs_run, r->options->epochs, r->state.best_epoch);
    tell(r, text);
}

static kb_status run(struct run *r, kb_error *err)
{
    while (!r->state.finished) {
        kb_status status = train_epoch(r, err);
        if (status == KB_ERR_NUMERIC)
            status = step_back(r, err);
        if (!status && (now() - r->saved >= r->options->checkpoint_every || r->state.finished))
            status = save(r, true, err);
        if (status)
            return status;
    }
    return r->state.best_epoch
               ? KB_OK
               : kb_fail(err, KB_ERR_NUMERIC, "training never reached a finite validation loss");
}

kb_status kb_autoencoder_train(kb_network *net, float *weights, kb_source *fitted,
                               kb_source *held_out, const kb_autoencoder_options *options,
                               kb_autoencoder_result *result, const kb_progress *progress,
                               kb_error *err)
{
    struct run r = {.net = net,
                    .best = weights,
                    .fitted = fitted,
                    .held_out = held_out,
                    .options = options,
                    .progress = progress,
                    .state = {.epoch = 1,
                              .retries = RETRIES,
                              .learning_rate = options->optimiser.learning_rate,
                              .best_loss = INFINITY},
                    .begun = now(),
                    .saved = now()};
    r.order = kb_calloc(fitted->count, sizeof *r.order);
    kb_status status = r.order ? resume(&r, err) : kb_fail_memory(err, "an order of sessions");
    kb_progress_report(progress, "training", r.state.epoch - 1, options->epochs);
    if (!status)
        status = run(&r, err);
    free(r.order);
    if (status)
        return status;
    if (r.out_of_time)
        tell_time(&r);
    kb_network_put(net, weights);
    *result = (kb_autoencoder_result){r.state.epochs_run, r.state.best_epoch, r.state.best_loss};
    return KB_OK;
}
