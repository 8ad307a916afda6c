/* The order of work: split -> features -> basis -> sizes -> autoencoder epochs -> DEC -> model. */
#include "train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "activity.h"
#include "autoencoder.h"
#include "basis_inputs.h"
#include "blocks.h"
#include "checkpoint.h"
#include "dec.h"
#include "memory.h"
#include "model_private.h"
#include "range_finder.h"
#include "rng.h"
#include "source.h"
#include "split.h"
#include "train_reference.h"
#include "view_choice.h"

enum {
    AUTOENCODER_STEPS = 600, /* optimiser steps of the fast preset at least, however small the
                                corpus, and epochs at least, however large */
    LEAST_AE_EPOCHS = 20,
    LEAST_VAE_EPOCHS = 40,
    GRADIENT_CLIP = 10,
    DOCUMENT_EPOCHS = 1000,
    DOCUMENT_WEIGHT_DECAY = 4,
    DEC_STEPS = 100,
    DEC_EPOCHS = 10,
    DEC_BATCH = 256,
    DEFAULT_BATCH = 128,
    DOCUMENT_BATCH = 320,
    FAST_HIDDEN = 512,
    LEAST_HIDDEN = 32,
    WEAK_PART = 20 /* fewer active units than this part of them are told */
};
static const double DENSE_DECODER_GAIN = .25;
static const double AUTOENCODER_SHARE = .8; /* of --time-limit, if clustering follows */

struct trainer {
    const kb_corpus *corpus;
    const kb_train_options *options;
    const kb_train_observer *observer;
    kb_pool *pool;
    const kb_progress *progress;
    kb_model *model;
    struct timespec begun;

    kb_fit_split split;
    kb_view_choice choice;
    kb_view *view;
    kb_device *dev;
    kb_source *fitted, *held_out;
    kb_network net;
    size_t batch;
    double best_loss; /* the model has the weights that gave it */
    size_t epochs, best_epoch, epochs_run;
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

/* Even batches: a last one of two sessions would make a step of pure noise. A document-sized
 * network has so many parameters that its batches are DOCUMENT_BATCH at least, lest Adam's traffic
 * rule; others are at most what is wanted. */
static void choose_batch(struct trainer *t)
{
    const kb_train_options *o = t->options;
    size_t n = t->split.fitted_count, wanted = o->batch ? o->batch : DEFAULT_BATCH;
    if (!o->batch && o->preset == KB_PRESET_DOCUMENT)
        t->batch = ceil_div(n, size_max(n / DOCUMENT_BATCH, 1));
    else
        t->batch = ceil_div(n, ceil_div(n, wanted));
}

/* "view 'bins-log'; scores: bins-log 0.63, growth 0.60, ...", the best first. */
static void tell_choice(struct trainer *t)
{
    const kb_view_choice *c = &t->choice;
    char text[1024];
    int n = snprintf(text, sizeof text, "view '%s'", kb_scale_name(c->scale));
    size_t used = (size_t)n;
    for (size_t i = 0; i < c->view_count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %s %.2f",
                                 i ? "," : "; scores:", kb_scale_name(c->views[i].scale),
                                 c->views[i].score);
    tell_note(t, text);
}

/* The documents' preset has the documents' scaling; who has chosen a view is not asked about it. */
static kb_status choose_view(struct trainer *t, kb_error *err)
{
    const kb_train_options *o = t->options;
    bool given = o->scale != (kb_scale)KB_SCALE_AUTO;
    if (given || o->preset == KB_PRESET_DOCUMENT) {
        t->choice.scale = given ? o->scale : KB_SCALE_MINMAX;
        return KB_OK;
    }
    const kb_view_choice_options options = {o->min_presence, o->seed};
    size_t fitted = t->split.fitted_count, known = fitted + t->split.held_out_count;
    size_t *sessions = kb_calloc(known, sizeof *sessions);
    if (!sessions)
        return kb_fail_memory(err, "session ids");
    memcpy(sessions, t->split.fitted, fitted * sizeof *sessions);
    memcpy(sessions + fitted, t->split.held_out, (known - fitted) * sizeof *sessions);
    kb_status status =
        kb_view_choose(&t->choice, t->corpus, sessions, known, &options, t->pool, t->progress, err);
    free(sessions);
    if (status)
        return status;
    tell_choice(t);
    return KB_OK;
}

static kb_status homogenise(struct trainer *t, kb_error *err)
{
    kb_model *model = t->model;
    kb_status status = kb_fit_split_make(&t->split, t->corpus, t->options->seed, err);
    if (status)
        return status;
    choose_batch(t);
    status = choose_view(t, err);
    if (!status)
        status =
            kb_features_fit(&model->features, t->corpus, t->split.fitted, t->split.fitted_count,
                            t->choice.scale, t->options->min_presence, err);
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

/* The exact factorisation of the smaller of N x N and D x D, or the range finder where that would
 * be too much. */
static kb_status fit_basis(struct trainer *t, float **y, const kb_blocks *fitted, kb_error *err)
{
    kb_basis *basis = &t->model->basis;
    double energy = t->options->energy;
    size_t dims = fitted->objects * fitted->width;
    if (dims < fitted->count && dims <= KB_BASIS_EXACT_SESSIONS)
        return kb_basis_fit_inputs(basis, y, fitted, energy, t->pool, t->progress, err);
    if (fitted->count <= KB_BASIS_EXACT_SESSIONS)
        return kb_basis_fit(basis, y, fitted, energy, t->pool, t->progress, err);
    kb_range_options options = kb_range_defaults();
    options.energy = energy;
    options.seed = t->options->seed;
    kb_status status =
        kb_basis_fit_randomised(basis, y, fitted, &options, t->pool, t->progress, err);
    if (!status && basis->rank == options.most && basis->energy < energy) {
        char text[128];
        snprintf(text, sizeof text,
                 "the row space was cut to %zu dimensions, which keep %.4g of the variance, not %g",
                 basis->rank, basis->energy, energy);
        tell_note(t, text);
    }
    return status;
}

static kb_status coordinate_sources(struct trainer *t, const kb_blocks *fitted,
                                    const kb_blocks *held_out, kb_error *err)
{
    kb_basis *basis = &t->model->basis;
    float *y = NULL, *held = NULL;
    kb_status status = fit_basis(t, &y, fitted, err);
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

/* Steps so large lead the AE's tanh to its flat ends: its loss is better without. */
static bool dense_by_preset(const kb_train_options *o)
{
    return o->preset == KB_PRESET_DOCUMENT && kb_variant_is_vae(o->variant);
}

static kb_adam adam_of(const kb_train_options *o)
{
    if (o->adam != KB_ADAM_AUTO)
        return o->adam;
    return dense_by_preset(o) ? KB_ADAM_DENSE : KB_ADAM_PLAIN;
}

static double weight_decay_of(const kb_train_options *o)
{
    if (!isnan(o->weight_decay))
        return o->weight_decay;
    return dense_by_preset(o) ? fmin(DOCUMENT_WEIGHT_DECAY, 1 / o->learning_rate) : 0;
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
    if (!model->weights)
        return kb_fail(err, KB_ERR_MEMORY, "no memory for a network of %zu parameters",
                       model->layout.parameters);
    status = kb_network_create(&t->net, &model->layout, t->dev, size_max(t->batch, DEC_BATCH), err);
    if (status)
        return status;
    kb_layout_initialise(&model->layout, model->weights,
                         adam_of(t->options) == KB_ADAM_DENSE ? DENSE_DECODER_GAIN : 1,
                         t->options->seed);
    kb_network_put(&t->net, model->weights);
    return KB_OK;
}

/* --- checkpoints --------------------------------------------------------------------------- */

/* A sum over what the network is fitted on: names of sessions, and the mean and (in the row space)
 * its coordinates, in which every reading has a part. */
static unsigned long fingerprint(const struct trainer *t)
{
    const kb_basis *basis = &t->model->basis;
    unsigned long sum = crc32(0, NULL, 0);
    for (uint32_t i = 0; i < kb_names_count(t->model->fitted); i++) {
        const char *name = kb_names_get(t->model->fitted, i);
        sum = crc32_z(sum, (const unsigned char *)name, strlen(name) + 1);
    }
    sum = crc32_z(sum, (const unsigned char *)basis->mean, basis->dims * sizeof *basis->mean);
    sum = crc32_z(sum, (const unsigned char *)&basis->scale, sizeof basis->scale);
    if (basis->rank)
        sum =
            crc32_z(sum, (const unsigned char *)basis->offset, basis->rank * sizeof *basis->offset);
    return sum;
}

/* All that the parameters depend on, a line for each; *KEY is the caller's to free. Sums depend on
 * the threads. */
static kb_status write_key(const struct trainer *t, char **key, kb_error *err)
{
    const kb_train_options *o = t->options;
    const kb_layout *layout = &t->model->layout;
    char text[1024];
    snprintf(text, sizeof text,
             "variant=%s\npreset=%s\nscale=%s\nmin_presence=%.17g\nspace=%s\nenergy=%.17g\n"
             "epochs=%zu\npatience=%zu\nbatch=%zu\nhidden=%zu\nlatent=%zu\nlearning_rate=%.17g\n"
             "kl_weight=%.17g\nadam=%s\nweight_decay=%.17g\nseed=%llu\ndevice=%s\nthreads=%"
             "zu\ninputs=%zu\ndimensions=%zu\n"
             "fitted_sessions=%zu\nheld_out_sessions=%zu\ncorpus=%08lx\n",
             kb_variant_is_vae(o->variant) ? "vae" : "ae", kb_preset_name(o->preset),
             kb_scale_name(t->choice.scale), o->min_presence, kb_space_name(o->space), o->energy,
             o->epochs, o->patience, t->batch, layout->hidden, layout->latent, o->learning_rate,
             o->kl_weight, kb_adam_name(adam_of(o)), weight_decay_of(o),
             (unsigned long long)o->seed, t->dev->ops->name, kb_pool_threads(t->pool),
             layout->inputs, t->model->basis.dims, t->split.fitted_count, t->split.held_out_count,
             fingerprint(t));
    *key = kb_strdup(text);
    return *key ? KB_OK : kb_fail_memory(err, "a checkpoint");
}

/* What cannot be gone on from is told before the work begins. */
static kb_status look_at_checkpoint(const struct trainer *t, kb_error *err)
{
    bool exists;
    return t->options->checkpoint ? kb_checkpoint_look(t->options->checkpoint, &exists, err)
                                  : KB_OK;
}

/* --- the autoencoder ---------------------------------------------------------------------- */

static size_t choose_epochs(const struct trainer *t)
{
    const kb_train_options *o = t->options;
    size_t least = kb_variant_is_vae(o->variant) ? LEAST_VAE_EPOCHS : LEAST_AE_EPOCHS;
    size_t steps = ceil_div(AUTOENCODER_STEPS, ceil_div(t->split.fitted_count, t->batch));
    if (o->epochs)
        return o->epochs;
    return o->preset == KB_PRESET_DOCUMENT ? DOCUMENT_EPOCHS : size_max(steps, least);
}

/* Adam moves every weight by about the learning rate, however large its gradient. In a network on D
 * undivided inputs W1 so moves by rate sqrt(D H) in all, and acts on inputs of root mean square
 * norm s; here the r coordinates are of norm 1 and W1 has r rows, so that as far is s sqrt(D/r)
 * times as far for each weight. The outputs likewise, divided by s: sqrt(D/r) / s, of which twice
 * was best for the held-out loss, anything from once to three times close by. (On the inputs
 * themselves r = D.) */
static kb_optimiser choose_optimiser(const struct trainer *t)
{
    const kb_train_options *o = t->options;
    kb_optimiser optimiser = kb_optimiser_plain(o->learning_rate, GRADIENT_CLIP);
    optimiser.weight_decay = weight_decay_of(o);
    if (adam_of(o) == KB_ADAM_DENSE) {
        double s = t->model->basis.scale;
        double spread = sqrt((double)t->model->basis.used_dims / (double)t->fitted->cols);
        optimiser.input_factor = s * spread;
        optimiser.output_factor = 2 * spread / s;
    }
    return optimiser;
}

/* Seconds that are left of the SHARE of --time-limit. */
static double seconds_left(const struct trainer *t, double share)
{
    double limit = t->options->time_limit;
    return limit > 0 ? share * limit - seconds_since(&t->begun) : INFINITY;
}

static void autoencoder_epoch_done(void *ctx, const kb_autoencoder_epoch *epoch)
{
    struct trainer *t = ctx;
    tell_row(t, (kb_train_row){.phase = "autoencoder",
                               .epoch = epoch->number,
                               .epochs = t->epochs,
                               .loss = epoch->loss.total,
                               .reconstruction = epoch->loss.reconstruction,
                               .kl = t->net.layout.vae ? epoch->loss.kl : (double)NAN,
                               .clustering = (double)NAN,
                               .validation = epoch->validation});
}

static void pass_note(void *ctx, const char *text)
{
    tell_note(ctx, text);
}

static kb_status train_autoencoder(struct trainer *t, kb_error *err)
{
    const kb_train_options *o = t->options;
    double share = kb_variant_has_dec(o->variant) ? AUTOENCODER_SHARE : 1;
    char *key = NULL;
    kb_status status = o->checkpoint ? write_key(t, &key, err) : KB_OK;
    if (status)
        return status;
    t->epochs = choose_epochs(t);
    const kb_autoencoder_options options = {.batch = t->batch,
                                            .epochs = t->epochs,
                                            .patience = o->patience ? o->patience
                                                                    : size_max(10, t->epochs / 4),
                                            .optimiser = choose_optimiser(t),
                                            .kl_weight = o->kl_weight,
                                            .seed = o->seed,
                                            .seconds = seconds_left(t, share),
                                            .checkpoint = o->checkpoint,
                                            .key = key,
                                            .checkpoint_every = o->checkpoint_every,
                                            .epoch = autoencoder_epoch_done,
                                            .note = pass_note,
                                            .ctx = t};
    kb_autoencoder_result result = {0};
    status = kb_autoencoder_train(&t->net, t->model->weights, t->fitted, t->held_out, &options,
                                  &result, t->progress, err);
    free(key);
    t->epochs_run = result.epochs;
    t->best_epoch = result.best_epoch;
    t->best_loss = result.best_loss;
    return status;
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

/* Asked after an epoch, so that there is always one. */
static bool dec_out_of_time(void *ctx, size_t epochs)
{
    struct trainer *t = ctx;
    if (epochs >= t->dec_epochs || seconds_left(t, 1) > 0)
        return false;
    char text[96];
    snprintf(text, sizeof text, "--time-limit: clustering stopped after epoch %zu of %zu", epochs,
             t->dec_epochs);
    tell_note(t, text);
    return true;
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
        .stop = dec_out_of_time,
        .note = pass_note,
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
             "preset=%s\nspace=%s\nenergy=%.6g\ndevice=%s\nlearning_rate=%.6g\nadam=%s\n"
             "weight_decay=%.6g\nkl_weight=%.6g\nbatch=%zu\n"
             "epochs=%zu\nbest_epoch=%zu\nvalidation_loss=%.6g\ndec_clusters=%zu\ndec_loss=%.6g\n"
             "fitted_sessions=%zu\nheld_out_sessions=%zu\n",
             kb_preset_name(o->preset), kb_space_name(o->space), basis->energy, t->dev->ops->name,
             o->learning_rate, kb_adam_name(adam_of(o)), weight_decay_of(o), o->kl_weight, t->batch,
             t->epochs_run, t->best_epoch, t->best_loss, t->model->dec_clusters, t->dec_loss,
             t->split.fitted_count, t->split.held_out_count);
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
    kb_status status = look_at_checkpoint(t, err);
    if (!status)
        status = open_device(t, err);
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
        status = kb_train_reference(t->model, &t->net, t->fitted, kb_corpus_store(t->corpus),
                                    t->split.fitted, t->pool, t->progress, err);
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
