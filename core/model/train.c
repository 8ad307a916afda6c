/* The order of work: split -> features -> basis -> sizes -> autoencoder epochs -> DEC -> model. */
#include "train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "activity.h"
#include "blocks.h"
#include "dec.h"
#include "memory.h"
#include "model_private.h"
#include "rng.h"
#include "source.h"
#include "split.h"

enum {
    AUTOENCODER_STEPS = 600, /* optimiser steps of the fast preset, whatever the corpus' size */
    DEC_STEPS = 100,
    DEC_EPOCHS = 10,
    DEC_BATCH = 256,
    DEFAULT_BATCH = 128,
    WARM_UP_STEPS = 50,
    FAST_HIDDEN = 512,
    LEAST_HIDDEN = 32,
    WEAK_PART = 20 /* fewer active units than this part of them are told */
};
static const double GRADIENT_CLIP = 10;

struct trainer {
    const kb_corpus *corpus;
    const kb_train_options *options;
    const kb_train_observer *observer;
    kb_pool *pool;
    const kb_progress *progress;
    kb_model *model;
    struct timespec begun;

    kb_fit_split split;
    kb_view *view;
    kb_device *dev;
    kb_source *fitted, *held_out;
    kb_network net;
    size_t batch;
    size_t *order; /* fitted_count */
    float *best;   /* parameters at the best validation loss */
    double best_loss;
    size_t best_epoch, epochs_run;
    size_t active_units; /* of a VAE */
    size_t dec_epochs;
    double dec_loss;
    kb_dec_result dec; /* its arrays go to the model */
};

static double seconds_since(const struct timespec *begun)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begun->tv_sec) + 1e-9 * (double)(now.tv_nsec - begun->tv_nsec);
}

static void tell_row(struct trainer *t, kb_train_row row)
{
    row.seconds = seconds_since(&t->begun);
    if (t->observer && t->observer->row)
        t->observer->row(t->observer->ctx, &row);
}

static void tell_note(struct trainer *t, const char *text)
{
    if (t->observer && t->observer->note)
        t->observer->note(t->observer->ctx, text);
}

static size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t size_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* --- the device --------------------------------------------------------------------------- */

static kb_status open_device(struct trainer *t, kb_error *err)
{
    if (t->options->device != KB_DEVICE_CPU) {
        kb_error reason;
        if (kb_device_open_module(&t->dev, "cuda", &reason) == KB_OK)
            return KB_OK;
        if (t->options->device == KB_DEVICE_CUDA)
            return kb_fail(err, KB_ERR_DEVICE, "--device cuda: %s", reason.text);
        char text[sizeof reason.text + 64];
        snprintf(text, sizeof text, "training on the CPU (%s)", reason.text);
        tell_note(t, text);
    }
    return kb_device_open_cpu(&t->dev, t->pool, err);
}

/* --- from sessions to sources ------------------------------------------------------------- */

static kb_status add_session_names(kb_names *names, const kb_corpus *corpus, const size_t *ids,
                                   size_t count, kb_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = kb_corpus_session(corpus, ids[i])->name;
        if (kb_names_add(names, name, strlen(name)) == KB_NAME_NONE)
            return kb_fail_memory(err, "session names");
    }
    return KB_OK;
}

/* All objects that the fitted sessions have, in id order: what is not among them is new to the
 * model. */
static kb_status note_seen_objects(struct trainer *t, kb_error *err)
{
    const kb_store *store = kb_corpus_store(t->corpus);
    bool *seen = kb_calloc(kb_store_objects(store), sizeof *seen);
    if (!seen)
        return kb_fail_memory(err, "object names");
    for (size_t i = 0; i < t->split.fitted_count; i++) {
        size_t n = kb_store_series_count(store, t->split.fitted[i]);
        for (size_t j = 0; j < n; j++)
            seen[kb_store_series(store, t->split.fitted[i], j).object] = true;
    }
    kb_status status = KB_OK;
    for (size_t o = 0; !status && o < kb_store_objects(store); o++) {
        const char *name = kb_store_object_name(store, o);
        if (seen[o] && kb_names_add(t->model->seen, name, strlen(name)) == KB_NAME_NONE)
            status = kb_fail_memory(err, "object names");
    }
    free(seen);
    return status;
}

/* Even batches: a last one of two sessions would make a step of pure noise. */
static void choose_batch(struct trainer *t)
{
    size_t n = t->split.fitted_count,
           wanted = t->options->batch ? t->options->batch : DEFAULT_BATCH;
    t->batch = ceil_div(n, ceil_div(n, wanted));
}

static kb_status homogenise(struct trainer *t, kb_error *err)
{
    kb_model *model = t->model;
    kb_status status = kb_fit_split_make(&t->split, t->corpus, t->options->seed, err);
    if (status)
        return status;
    choose_batch(t);
    if (!status)
        status =
            kb_features_fit(&model->features, t->corpus, t->split.fitted, t->split.fitted_count,
                            t->options->scale, t->options->min_presence, err);
    if (!status)
        status = kb_view_create(&t->view, model->features, t->corpus, err);
    if (!status)
        status = note_seen_objects(t, err);
    if (!status)
        status = add_session_names(model->fitted, t->corpus, t->split.fitted, t->split.fitted_count,
                                   err);
    if (!status && t->split.drawn)
        status = add_session_names(model->held_out, t->corpus, t->split.held_out,
                                   t->split.held_out_count, err);
    return status;
}

static kb_status coordinate_sources(struct trainer *t, const kb_blocks *fitted,
                                    const kb_blocks *held_out, kb_error *err)
{
    kb_basis *basis = &t->model->basis;
    float *y = NULL, *held = NULL;
    kb_status status =
        kb_basis_fit(basis, &y, fitted, t->options->energy, t->pool, t->progress, err);
    if (status)
        return status;
    size_t floats;
    if (kb_size_mul(held_out->count, basis->rank, &floats))
        held = kb_alloc_aligned(floats, sizeof *held);
    status =
        held ? kb_basis_project(basis, held_out, kb_matrix_of(held, held_out->count, basis->rank),
                                NULL, t->progress, err)
             : kb_fail_memory(err, "the held-out coordinates");
    if (!status)
        status = kb_source_coordinates(&t->fitted, t->dev, y, fitted->count, basis->rank, err);
    if (!status)
        status =
            kb_source_coordinates(&t->held_out, t->dev, held, held_out->count, basis->rank, err);
    free(y);
    free(held);
    return status;
}

static kb_status input_sources(struct trainer *t, const kb_blocks *fitted, kb_error *err)
{
    kb_basis *basis = &t->model->basis;
    size_t most_rows = size_max(t->batch, DEC_BATCH);
    kb_status status = kb_basis_centre(basis, fitted, err);
    if (!status)
        status = kb_source_inputs(&t->fitted, t->view, basis, t->split.fitted,
                                  t->split.fitted_count, most_rows, err);
    if (!status)
        status = kb_source_inputs(&t->held_out, t->view, basis, t->split.held_out,
                                  t->split.held_out_count, most_rows, err);
    return status;
}

static kb_status make_sources(struct trainer *t, kb_error *err)
{
    kb_blocks fitted = {0}, held_out = {0};
    kb_status status =
        kb_blocks_create(&fitted, t->view, t->split.fitted, t->split.fitted_count, err);
    if (!status)
        status =
            kb_blocks_create(&held_out, t->view, t->split.held_out, t->split.held_out_count, err);
    if (!status)
        status = t->options->space == KB_SPACE_ROW ? coordinate_sources(t, &fitted, &held_out, err)
                                                   : input_sources(t, &fitted, err);
    kb_blocks_clear(&fitted);
    kb_blocks_clear(&held_out);
    return status;
}

/* --- the network -------------------------------------------------------------------------- */

/* H and Z: the option, else the preset's, within what a small corpus can bear. */
static void choose_sizes(const struct trainer *t, size_t *hidden, size_t *latent)
{
    const kb_train_options *o = t->options;
    bool vae = kb_variant_is_vae(o->variant), document = o->preset == KB_PRESET_DOCUMENT;
    size_t d = t->model->basis.used_dims, rank = t->fitted->cols;
    size_t h = document ? d / 8 : size_min(FAST_HIDDEN, d / 8);
    *hidden = o->hidden ? o->hidden : size_max(h, LEAST_HIDDEN);
    size_t z = document ? (vae ? 256 : size_max(d / 64, 2)) : vae ? 256 : 64;
    z = size_min(z, size_min(*hidden / 2, rank));
    *latent = o->latent ? o->latent : size_max(z, 1);
}

static kb_status make_network(struct trainer *t, kb_error *err)
{
    kb_model *model = t->model;
    size_t hidden, latent;
    choose_sizes(t, &hidden, &latent);
    kb_status status = kb_layout_make(&model->layout, kb_variant_is_vae(t->options->variant),
                                      t->fitted->cols, hidden, latent, err);
    if (status)
        return status;
    model->weights = kb_alloc_aligned(model->layout.parameters, sizeof *model->weights);
    t->best = kb_alloc_aligned(model->layout.parameters, sizeof *t->best);
    t->order = kb_calloc(t->split.fitted_count, sizeof *t->order);
    if (!model->weights || !t->best || !t->order)
        return kb_fail(err, KB_ERR_MEMORY, "no memory for a network of %zu parameters",
                       model->layout.parameters);
    status = kb_network_create(&t->net, &model->layout, t->dev, size_max(t->batch, DEC_BATCH), err);
    if (status)
        return status;
    kb_layout_initialise(&model->layout, model->weights, t->options->seed);
    kb_network_put(&t->net, model->weights);
    return KB_OK;
}

/* --- the autoencoder's epochs ------------------------------------------------------------- */

struct schedule {
    size_t epochs, steps; /* steps: of all epochs */
    size_t patience;
    double learning_rate;
};

static struct schedule make_schedule(const struct trainer *t)
{
    const kb_train_options *o = t->options;
    size_t per_epoch = ceil_div(t->split.fitted_count, t->batch);
    size_t epochs = o->epochs                         ? o->epochs
                    : o->preset == KB_PRESET_DOCUMENT ? 1000
                                                      : ceil_div(AUTOENCODER_STEPS, per_epoch);
    return (struct schedule){.epochs = epochs,
                             .steps = epochs * per_epoch,
                             .patience = o->patience ? o->patience : size_max(10, epochs / 4),
                             .learning_rate = o->learning_rate};
}

/* Warm-up, then a cosine to zero. STEP counts from 0. */
static double learning_rate_at(const struct schedule *s, size_t step)
{
    double warm = (double)size_min(WARM_UP_STEPS, s->steps / 4 + 1);
    double rate =
        s->learning_rate * .5 * (1 + cos(3.14159265358979 * (double)step / (double)s->steps));
    return (double)step < warm ? rate * (double)(step + 1) / warm : rate;
}

/* One pass over the fitted sessions in a new order. *LOSS: means over the epoch. */
static kb_status run_epoch(struct trainer *t, const struct schedule *s, size_t epoch, kb_loss *loss,
                           kb_error *err)
{
    size_t n = t->split.fitted_count, step = (epoch - 1) * ceil_div(n, t->batch);
    kb_rng rng = kb_rng_start(t->options->seed, KB_STREAM_SHUFFLE + 100 * epoch);
    for (size_t i = 0; i < n; i++)
        t->order[i] = i;
    kb_rng_shuffle(&rng, t->order, n);
    *loss = (kb_loss){0};
    for (size_t i = 0; i < n; i += t->batch, step++) {
        if (kb_cancelled(t->progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        size_t rows = size_min(t->batch, n - i);
        double share = (double)rows / (double)n;
        t->fitted->fill(t->fitted, t->dev, t->net.x, t->order + i, rows);
        kb_loss part =
            kb_network_forward(&t->net, rows, t->options->kl_weight, true, t->options->seed, step);
        kb_network_backward(&t->net, rows, t->options->kl_weight);
        if (!isfinite(part.total) || !kb_network_adam(&t->net, learning_rate_at(s, step),
                                                      GRADIENT_CLIP, t->net.layout.parameters))
            return kb_fail(err, KB_ERR_NUMERIC, "training diverged in epoch %zu", epoch);
        loss->total += share * part.total;
        loss->reconstruction += share * part.reconstruction;
        loss->kl += share * part.kl;
    }
    return KB_OK;
}

/* Mean loss on the held-out sessions, without noise. */
static double validate(struct trainer *t)
{
    size_t rows[DEC_BATCH], n = t->held_out->count;
    double sum = 0;
    for (size_t i = 0; i < n && !kb_cancelled(t->progress); i += DEC_BATCH) {
        size_t part = size_min(DEC_BATCH, n - i);
        for (size_t r = 0; r < part; r++)
            rows[r] = i + r;
        t->held_out->fill(t->held_out, t->dev, t->net.x, rows, part);
        sum += (double)part *
               kb_network_forward(&t->net, part, t->options->kl_weight, false, 0, 0).total;
    }
    return sum / (double)n;
}

/* One epoch and what follows it: validation, the log, the best weights. *STOP: patience has run
 * out. */
static kb_status train_epoch(struct trainer *t, const struct schedule *s, size_t epoch, bool *stop,
                             kb_error *err)
{
    kb_loss loss;
    kb_status status = run_epoch(t, s, epoch, &loss, err);
    if (status)
        return status;
    double validation = validate(t);
    if (kb_cancelled(t->progress))
        return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    if (validation < t->best_loss) {
        t->best_loss = validation;
        t->best_epoch = epoch;
        kb_network_get(&t->net, t->best);
    }
    t->epochs_run = epoch;
    kb_progress_report(t->progress, "training", epoch, s->epochs);
    tell_row(t, (kb_train_row){.phase = "autoencoder",
                               .epoch = epoch,
                               .epochs = s->epochs,
                               .loss = loss.total,
                               .reconstruction = loss.reconstruction,
                               .kl = t->net.layout.vae ? loss.kl : (double)NAN,
                               .clustering = (double)NAN,
                               .validation = validation});
    *stop = epoch - t->best_epoch >= s->patience;
    return t->dev->ops->status(t->dev, err);
}

/* After divergence: back to the best weights so far (or the initial ones), the learning rate a
 * tenth. */
static void step_back(struct trainer *t, struct schedule *s)
{
    s->learning_rate /= 10;
    kb_network_put(&t->net, t->best_epoch ? t->best : t->model->weights);
    tell_note(t, "training diverged: back to the best weights, with a tenth of the learning rate");
}

static kb_status train_autoencoder(struct trainer *t, kb_error *err)
{
    struct schedule schedule = make_schedule(t);
    bool stop = false;
    int retries = 2;
    t->best_loss = INFINITY;
    kb_progress_report(t->progress, "training", 0, schedule.epochs);
    for (size_t epoch = 1; epoch <= schedule.epochs && !stop; epoch++) {
        kb_status status = train_epoch(t, &schedule, epoch, &stop, err);
        if (status == KB_ERR_NUMERIC && retries-- > 0)
            step_back(t, &schedule);
        else if (status)
            return status;
    }
    if (!t->best_epoch)
        return kb_fail(err, KB_ERR_NUMERIC, "training never reached a finite validation loss");
    memcpy(t->model->weights, t->best, t->model->layout.parameters * sizeof *t->best);
    kb_network_put(&t->net, t->best);
    return KB_OK;
}

/* --- collapsed units ---------------------------------------------------------------------- */

/* Few active units mean that the divergence from the prior has won: the reconstruction is then
 * little more than the mean session. */
static kb_status count_active_units(struct trainer *t, kb_error *err)
{
    size_t z = t->net.layout.latent;
    double *kl = kb_calloc(z, sizeof *kl);
    if (!kl)
        return kb_fail_memory(err, "latent units");
    kb_status status = kb_unit_divergence(kl, &t->net, t->fitted, t->progress, err);
    t->active_units = kb_active_units(kl, z);
    free(kl);
    if (!status && t->active_units < size_max(1, z / WEAK_PART)) {
        char text[160];
        snprintf(
            text, sizeof text,
            "weak: only %zu of %zu latent units carry anything; a smaller --kl-weight may help",
            t->active_units, z);
        tell_note(t, text);
    }
    return status;
}

/* --- DEC ---------------------------------------------------------------------------------- */

static void dec_epoch_done(void *ctx, size_t number, double loss)
{
    struct trainer *t = ctx;
    t->dec_loss = loss;
    tell_row(t, (kb_train_row){.phase = "dec",
                               .epoch = number,
                               .epochs = t->dec_epochs,
                               .loss = loss,
                               .reconstruction = (double)NAN,
                               .kl = (double)NAN,
                               .clustering = loss,
                               .validation = (double)NAN});
}

static void dec_note(void *ctx, const char *text)
{
    tell_note(ctx, text);
}

/* Epochs for at least DEC_STEPS updates, however few sessions there are. */
static size_t dec_epochs(const struct trainer *t)
{
    size_t per_epoch = ceil_div(t->split.fitted_count, DEC_BATCH);
    return t->options->dec_epochs ? t->options->dec_epochs
                                  : size_max(DEC_EPOCHS, ceil_div(DEC_STEPS, per_epoch));
}

static kb_status train_dec(struct trainer *t, kb_error *err)
{
    kb_model *model = t->model;
    t->dec_epochs = dec_epochs(t);
    kb_dec_options options = {
        .clusters = size_max(2, size_min(t->options->clusters, t->split.fitted_count / 10)),
        .epochs = t->dec_epochs,
        .batch = DEC_BATCH,
        .tolerance = t->options->dec_tolerance,
        .least_updates = DEC_STEPS,
        .learning_rate = t->options->learning_rate,
        .seed = t->options->seed,
        .epoch = dec_epoch_done,
        .note = dec_note,
        .ctx = t};
    kb_dec_result *r = &t->dec;
    kb_status status = kb_dec_train(r, &t->net, t->fitted, &options, t->pool, t->progress, err);
    if (status)
        return status;
    model->dec_weights = kb_calloc(r->clusters, sizeof *model->dec_weights);
    if (!model->dec_weights)
        return kb_fail_memory(err, "centroids");
    for (size_t j = 0; j < r->clusters; j++)
        model->dec_weights[j] = r->traits[j].size;
    model->dec_clusters = r->clusters;
    model->dec_centroids = r->centroids;
    model->dec_traits = r->traits;
    r->centroids = NULL;
    r->traits = NULL;
    kb_network_get(&t->net, model->weights);
    return KB_OK;
}

/* --- the whole ---------------------------------------------------------------------------- */

static kb_status note_dec(struct trainer *t, kb_error *err)
{
    const kb_dec_result *r = &t->dec;
    size_t catch_alls = 0;
    for (size_t j = 0; j < t->model->dec_clusters; j++)
        catch_alls += t->model->dec_traits[j].catch_all;
    char changed[32] = "unknown";
    if (isfinite(r->changed))
        snprintf(changed, sizeof changed, "%.6g", r->changed);
    return kb_model_note(t->model, err,
                         "dec_epochs=%zu\ndec_updates=%zu\ndec_stopped=%s\ndec_changed=%s\n"
                         "dec_reseeded=%zu\ndec_merged=%zu\ndec_catch_alls=%zu\n"
                         "dec_divergences=%zu\n",
                         r->epochs, r->updates, r->stopped ? "settled" : "epochs", changed,
                         r->reseeded, r->merged, catch_alls, r->divergences);
}

static kb_status write_notes(struct trainer *t, kb_error *err)
{
    const kb_train_options *o = t->options;
    const kb_basis *basis = &t->model->basis;
    char text[1024];
    snprintf(text, sizeof text,
             "preset=%s\nspace=%s\nenergy=%.6g\ndevice=%s\nlearning_rate=%.6g\nkl_weight=%."
             "6g\nbatch=%zu\n"
             "epochs=%zu\nbest_epoch=%zu\nvalidation_loss=%.6g\ndec_clusters=%zu\ndec_loss=%.6g\n"
             "fitted_sessions=%zu\nheld_out_sessions=%zu\n",
             kb_preset_name(o->preset), kb_space_name(o->space), basis->energy, t->dev->ops->name,
             o->learning_rate, o->kl_weight, t->batch, t->epochs_run, t->best_epoch, t->best_loss,
             t->model->dec_clusters, t->dec_loss, t->split.fitted_count, t->split.held_out_count);
    free(t->model->notes);
    t->model->notes = kb_strdup(text);
    if (!t->model->notes)
        return kb_fail_memory(err, "training notes");
    kb_status status = KB_OK;
    if (kb_variant_is_vae(o->variant))
        status = kb_model_note(t->model, err, "active_units=%zu\n", t->active_units);
    return !status && t->model->dec_clusters ? note_dec(t, err) : status;
}

static kb_status run(struct trainer *t, kb_error *err)
{
    kb_status status = open_device(t, err);
    if (!status)
        status = homogenise(t, err);
    if (!status)
        status = make_sources(t, err);
    if (!status)
        status = make_network(t, err);
    if (!status)
        status = train_autoencoder(t, err);
    if (!status && kb_variant_is_vae(t->options->variant))
        status = count_active_units(t, err);
    if (!status && kb_variant_has_dec(t->options->variant))
        status = train_dec(t, err);
    if (!status)
        status = write_notes(t, err);
    return status;
}

static void clean_up(struct trainer *t)
{
    kb_network_free(&t->net);
    kb_source_free(t->fitted);
    kb_source_free(t->held_out);
    kb_device_close(t->dev);
    kb_view_free(t->view);
    kb_fit_split_clear(&t->split);
    kb_dec_result_clear(&t->dec);
    free(t->order);
    free(t->best);
}

kb_status kb_train(kb_model **out, const kb_corpus *corpus, const kb_train_options *options,
                   const kb_train_observer *observer, kb_pool *pool, const kb_progress *progress,
                   kb_error *err)
{
    *out = NULL;
    kb_status status = kb_train_check(options, err);
    if (status)
        return status;
    struct trainer t = {.corpus = corpus,
                        .options = options,
                        .observer = observer,
                        .pool = pool,
                        .progress = progress};
    clock_gettime(CLOCK_MONOTONIC, &t.begun);
    t.model = kb_model_create();
    if (!t.model)
        return kb_fail_memory(err, "a model");
    t.model->variant = options->variant;
    t.model->seed = options->seed;
    status = run(&t, err);
    clean_up(&t);
    if (status)
        kb_model_free(t.model);
    else
        *out = t.model;
    return status;
}
