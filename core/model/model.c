#include "model.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "device.h"
#include "memory.h"
#include "model_private.h"

kb_model *kb_model_create(void)
{
    kb_model *model = kb_calloc(1, sizeof *model);
    if (!model)
        return NULL;
    model->seen = kb_names_create();
    model->fitted = kb_names_create();
    model->held_out = kb_names_create();
    model->notes = kb_strdup("");
    model->next_number = 1;
    if (!model->seen || !model->fitted || !model->held_out || !model->notes) {
        kb_model_free(model);
        return NULL;
    }
    return model;
}

void kb_model_free(kb_model *model)
{
    if (!model)
        return;
    kb_features_free(model->features);
    kb_basis_clear(&model->basis);
    kb_reference_clear(&model->reference);
    kb_known_clear(&model->known);
    kb_names_free(model->seen);
    kb_names_free(model->fitted);
    kb_names_free(model->held_out);
    free(model->weights);
    free(model->notes);
    free(model->dec_centroids);
    free(model->dec_weights);
    free(model->dec_traits);
    free(model->cluster);
    free(model->centroids);
    kb_lineage_clear(&model->lineage);
    free(model);
}

kb_status kb_model_note(kb_model *model, kb_error *err, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t old = strlen(model->notes), added = length > 0 ? strlen(text) : 0;
    char *notes = kb_calloc(old + added + 1, 1);
    if (!notes)
        return kb_fail_memory(err, "training notes");
    memcpy(notes, model->notes, old);
    memcpy(notes + old, text, added);
    free(model->notes);
    model->notes = notes;
    return KB_OK;
}

void kb_model_set_clusters(kb_model *model, size_t k, kb_cluster *cluster, float *centroids)
{
    free(model->cluster);
    free(model->centroids);
    model->clusters = k;
    model->cluster = cluster;
    model->centroids = centroids;
}

kb_status kb_known_copy(kb_known *out, const kb_known *known, kb_error *err)
{
    *out = *known;
    out->novelty = kb_calloc(known->count, sizeof *out->novelty);
    if (!out->novelty) {
        *out = (kb_known){0};
        return kb_fail_memory(err, "novelty");
    }
    if (known->count)
        memcpy(out->novelty, known->novelty, known->count * sizeof *out->novelty);
    return KB_OK;
}

void kb_known_clear(kb_known *known)
{
    free(known->novelty);
    *known = (kb_known){0};
}

static kb_status copy_lineage(kb_clustering *out, const kb_model *model, kb_error *err)
{
    size_t profile = 2 * kb_features_objects(model->features);
    kb_status status = kb_lineage_copy(&out->lineage, &model->lineage, model->clusters,
                                       model->layout.latent, profile, err);
    if (status)
        kb_clustering_clear(out);
    return status;
}

kb_status kb_clustering_copy(kb_clustering *out, const kb_model *model, kb_error *err)
{
    size_t k = model->clusters, floats = k * model->layout.latent;
    *out = (kb_clustering){.clusters = k,
                           .next_number = model->next_number,
                           .novelty = model->novelty,
                           .false_alarms = model->false_alarms};
    memcpy(out->signals, model->signals, sizeof out->signals);
    kb_status status = kb_known_copy(&out->known, &model->known, err);
    if (status)
        return status;
    if (!k)
        return copy_lineage(out, model, err);
    out->cluster = kb_calloc(k, sizeof *out->cluster);
    out->centroids = kb_alloc_aligned(floats, sizeof *out->centroids);
    if (!out->cluster || !out->centroids) {
        kb_clustering_clear(out);
        return kb_fail_memory(err, "clusters");
    }
    memcpy(out->cluster, model->cluster, k * sizeof *out->cluster);
    memcpy(out->centroids, model->centroids, floats * sizeof *out->centroids);
    return copy_lineage(out, model, err);
}

void kb_clustering_restore(kb_clustering *clustering, kb_model *model)
{
    kb_model_set_clusters(model, clustering->clusters, clustering->cluster, clustering->centroids);
    model->next_number = clustering->next_number;
    model->novelty = clustering->novelty;
    model->false_alarms = clustering->false_alarms;
    memcpy(model->signals, clustering->signals, sizeof model->signals);
    kb_known_clear(&model->known);
    model->known = clustering->known;
    kb_lineage_clear(&model->lineage);
    model->lineage = clustering->lineage;
    *clustering = (kb_clustering){0};
}

void kb_clustering_clear(kb_clustering *clustering)
{
    free(clustering->cluster);
    free(clustering->centroids);
    kb_known_clear(&clustering->known);
    kb_lineage_clear(&clustering->lineage);
    *clustering = (kb_clustering){0};
}

kb_variant kb_model_variant(const kb_model *model)
{
    return model->variant;
}

const kb_features *kb_model_features(const kb_model *model)
{
    return model->features;
}

size_t kb_model_inputs(const kb_model *model)
{
    return model->layout.inputs;
}

size_t kb_model_hidden(const kb_model *model)
{
    return model->layout.hidden;
}

size_t kb_model_latent(const kb_model *model)
{
    return model->layout.latent;
}

size_t kb_model_parameters(const kb_model *model)
{
    return model->layout.parameters;
}

uint64_t kb_model_seed(const kb_model *model)
{
    return model->seed;
}

bool kb_model_calibrated(const kb_model *model)
{
    return model->clusters > 0;
}

size_t kb_model_clusters(const kb_model *model)
{
    return model->clusters;
}

const kb_cluster *kb_model_cluster(const kb_model *model, size_t i)
{
    return &model->cluster[i];
}

kb_const_matrix kb_model_centroids(const kb_model *model)
{
    return kb_const_matrix_of(model->centroids, model->clusters, model->layout.latent);
}

const char *kb_model_cluster_name(const kb_model *model, uint32_t number)
{
    return kb_lineage_name(&model->lineage, number);
}

static bool has_cluster(const kb_model *model, uint32_t number)
{
    for (size_t i = 0; i < model->clusters; i++)
        if (model->cluster[i].number == number)
            return true;
    for (size_t i = 0; i < model->lineage.retired_count; i++)
        if (model->lineage.retired[i].number == number)
            return true;
    return false;
}

kb_status kb_model_set_cluster_name(kb_model *model, uint32_t number, const char *text,
                                    kb_error *err)
{
    if (!has_cluster(model, number))
        return kb_fail(err, KB_ERR_USAGE, "there is no cluster %u", (unsigned)number);
    return kb_lineage_set_name(&model->lineage, number, text, err);
}

const kb_lineage *kb_model_lineage(const kb_model *model)
{
    return &model->lineage;
}

size_t kb_model_dec_clusters(const kb_model *model)
{
    return model->dec_clusters;
}

bool kb_model_dec_catch_all(const kb_model *model, size_t j)
{
    return model->dec_traits && model->dec_traits[j].catch_all;
}

kb_novelty kb_model_novelty(const kb_model *model)
{
    return model->novelty;
}

double kb_model_false_alarms(const kb_model *model)
{
    return model->false_alarms;
}

size_t kb_model_known(const kb_model *model, size_t *flagged)
{
    *flagged = model->known.flagged;
    return model->known.sessions;
}

const kb_names *kb_model_held_out(const kb_model *model)
{
    return model->held_out;
}

const kb_names *kb_model_fitted(const kb_model *model)
{
    return model->fitted;
}

const char *kb_model_training_notes(const kb_model *model)
{
    return model->notes;
}

/* --- embedding ---------------------------------------------------------------------------- */

enum { EMBED_ROWS = 256 };

/* X (count x I) = what the network sees of the sessions. */
static kb_status network_inputs(const kb_model *model, const kb_view *view, const size_t *sessions,
                                size_t count, kb_matrix x, float *residual,
                                const kb_progress *progress, kb_error *err)
{
    if (!model->basis.rank) {
        for (size_t i = 0; i < count; i++) {
            kb_view_row(view, sessions[i], kb_matrix_row(x, i));
            kb_basis_standardise(&model->basis, kb_matrix_row(x, i));
            if (residual)
                residual[i] = 0;
        }
        return KB_OK;
    }
    kb_blocks blocks;
    kb_status status = kb_blocks_create(&blocks, view, sessions, count, err);
    if (status)
        return status;
    status = kb_basis_project(&model->basis, &blocks, x, residual, progress, err);
    kb_blocks_clear(&blocks);
    return status;
}

struct embedding {
    kb_device *dev;
    kb_network net;
    float *x; /* EMBED_ROWS x I */
};

static kb_status embedding_open(struct embedding *e, const kb_model *model, kb_pool *pool,
                                kb_error *err)
{
    *e = (struct embedding){0};
    size_t floats;
    if (kb_size_mul(EMBED_ROWS, model->layout.inputs, &floats))
        e->x = kb_alloc_aligned(floats, sizeof *e->x);
    if (!e->x)
        return kb_fail_memory(err, "a batch of sessions");
    kb_status status = kb_device_open_cpu(&e->dev, pool, err);
    if (!status)
        status = kb_network_create(&e->net, &model->layout, e->dev, EMBED_ROWS, err);
    if (!status)
        kb_network_put(&e->net, model->weights);
    return status;
}

static void embedding_close(struct embedding *e)
{
    kb_network_free(&e->net);
    kb_device_close(e->dev);
    free(e->x);
}

/* M without its first I rows; nothing of nothing. */
static kb_matrix rows_from(kb_matrix m, size_t i)
{
    if (m.data)
        m.data = kb_matrix_row(m, i);
    return m;
}

/* Z = the embeddings of COUNT rows of x. As many rows at a time as kb_basis_project takes, whatever
 * COUNT is: products round differently where shapes differ, and an embedding may not depend on
 * those that are made with it. */
static void encode(struct embedding *e, const kb_layout *layout, size_t count, float *z)
{
    size_t inputs = layout->inputs, rows;
    for (size_t i = 0; i < count; i += rows) {
        rows = count - i < KB_PRODUCT_ROWS ? count - i : KB_PRODUCT_ROWS;
        if (rows < KB_PRODUCT_ROWS)
            memset(e->x + (i + rows) * inputs, 0, (KB_PRODUCT_ROWS - rows) * inputs * sizeof *e->x);
        e->dev->ops->put(e->dev, e->net.x, e->x + i * inputs, KB_PRODUCT_ROWS * inputs);
        kb_network_encode(&e->net, KB_PRODUCT_ROWS);
        e->dev->ops->get(e->dev, z + i * layout->latent, e->net.mu, rows * layout->latent);
    }
}

static kb_status embed_batch(struct embedding *e, const kb_model *model, const kb_view *view,
                             const size_t *sessions, size_t count, float *z, float *residual,
                             kb_matrix leading, const kb_progress *progress, kb_error *err)
{
    const kb_layout *layout = &model->layout;
    kb_matrix x = kb_matrix_of(e->x, count, layout->inputs);
    kb_status status = network_inputs(model, view, sessions, count, x, residual, progress, err);
    if (status)
        return status;
    for (size_t i = 0; leading.data && i < count; i++)
        memcpy(kb_matrix_row(leading, i), kb_matrix_row(x, i), leading.cols * sizeof *leading.data);
    encode(e, layout, count, z);
    return e->dev->ops->status(e->dev, err);
}

kb_status kb_model_embed(const kb_model *model, const kb_view *view, const size_t *sessions,
                         size_t count, kb_matrix z, float *residual, kb_matrix leading,
                         kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    struct embedding e;
    kb_status status = embedding_open(&e, model, pool, err);
    for (size_t i = 0; !status && i < count; i += EMBED_ROWS) {
        size_t rows = count - i < EMBED_ROWS ? count - i : EMBED_ROWS;
        kb_progress_report(progress, "embedding", i, count);
        if (kb_cancelled(progress))
            status = kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        else
            status =
                embed_batch(&e, model, view, sessions + i, rows, kb_matrix_row(z, i),
                            residual ? residual + i : NULL, rows_from(leading, i), progress, err);
    }
    embedding_close(&e);
    return status;
}
