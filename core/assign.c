/* Using a model: assignments, embeddings, the map. */
#include <math.h>
#include <stdlib.h>

#include "memory.h"
#include "novelty.h"
#include "pipeline.h"

/* Splits SESSIONS into those with rows (their positions in AT) and the others, which get cluster 0.
 */
static size_t leave_out_empty(kb_assignment *out, const kb_corpus *corpus, const size_t *sessions,
                              size_t count, size_t *ids, size_t *at)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        out[i] = (kb_assignment){
            .distance = (double)NAN, .novelty = (double)NAN, .p_value = (double)NAN};
        if (!kb_corpus_session(corpus, sessions[i])->has_rows)
            continue;
        ids[n] = sessions[i];
        at[n++] = i;
    }
    return n;
}

static kb_assignment assignment_of(const kb_model *model, const kb_readings *r, size_t i)
{
    const kb_cluster *cluster = &model->cluster[r->nearest[i]];
    double novelty = kb_novelty_of(&r->signals[i], model->signals, model, model->novelty);
    return (kb_assignment){cluster->number, r->signals[i].value[KB_SIGNAL_DISTANCE], novelty,
                           kb_known_p_value(&model->known, novelty), novelty > cluster->threshold};
}

kb_status kb_assign(kb_assignment *out, const kb_model *model, const kb_corpus *corpus,
                    const size_t *sessions, size_t count, kb_pool *pool,
                    const kb_progress *progress, kb_error *err)
{
    if (!kb_model_calibrated(model))
        return kb_fail(err, KB_ERR_USAGE, "the model has no clusters yet: run `kaboom calibrate`");
    size_t *ids = kb_calloc(count, sizeof *ids), *at = kb_calloc(count, sizeof *at);
    kb_readings readings = {0};
    kb_status status = ids && at ? KB_OK : kb_fail_memory(err, "session ids");
    size_t n = status ? 0 : leave_out_empty(out, corpus, sessions, count, ids, at);
    if (!status && n)
        status = kb_readings_of(&readings, model, corpus, ids, n, pool, progress, err);
    if (!status && n)
        status = kb_readings_distances(&readings, kb_model_centroids(model), err);
    for (size_t i = 0; !status && i < n; i++)
        out[at[i]] = assignment_of(model, &readings, i);
    kb_readings_clear(&readings);
    free(ids);
    free(at);
    return status;
}

kb_status kb_embed(kb_matrix *z, const kb_model *model, const kb_corpus *corpus,
                   const size_t *sessions, size_t count, kb_pool *pool, const kb_progress *progress,
                   kb_error *err)
{
    kb_readings readings;
    kb_status status =
        kb_readings_of(&readings, model, corpus, sessions, count, pool, progress, err);
    if (status)
        return status;
    *z = readings.z;
    readings.z.data = NULL;
    kb_readings_clear(&readings);
    return KB_OK;
}

kb_status kb_project(float *layout, const kb_model *model, const kb_corpus *corpus,
                     const size_t *sessions, size_t count, const kb_tsne_options *options,
                     kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    kb_matrix z;
    kb_status status = kb_embed(&z, model, corpus, sessions, count, pool, progress, err);
    if (status)
        return status;
    status = kb_tsne(layout, NULL, kb_matrix_const(z), options, pool, progress, err);
    free(z.data);
    return status;
}

kb_status kb_project_into(float *places, const kb_model *model, const kb_corpus *corpus,
                          const size_t *sessions, size_t count, const kb_map_anchors *anchors,
                          const kb_place_options *options, kb_pool *pool,
                          const kb_progress *progress, kb_error *err)
{
    kb_matrix z = {0}, reference = {0};
    if (!count)
        return KB_OK;
    kb_status status = kb_embed(&z, model, corpus, sessions, count, pool, progress, err);
    if (!status)
        status = kb_embed(&reference, model, anchors->corpus, anchors->sessions, anchors->count,
                          pool, progress, err);
    if (!status)
        status = kb_tsne_place(places, kb_matrix_const(z), kb_matrix_const(reference),
                               anchors->places, options, pool, progress, err);
    free(z.data);
    free(reference.data);
    return status;
}
