#include "feature_view.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct kb_features {
    kb_names *names; /* id: j */
    kb_recipe recipe;
    size_t dims;
};

struct kb_view {
    const kb_features *features;
    const kb_corpus *corpus;
    const kb_store *store;
    size_t *columns; /* by corpus object: j, or SIZE_MAX */
};

/* --- scaling ------------------------------------------------------------------------------ */

static const char *const scale_names[KB_SCALES] = {"minmax", "max", "none"};

const char *kb_scale_name(kb_scale scale)
{
    return scale_names[scale];
}

bool kb_scale_parse(kb_scale *out, const char *text)
{
    for (int i = 0; i < KB_SCALES; i++) {
        if (strcmp(text, scale_names[i]) == 0) {
            *out = (kb_scale)i;
            return true;
        }
    }
    return false;
}

/* x' = (x - min) / (max - min), 1 for a constant that is not 0. */
static void scale_minmax(float *x, size_t n)
{
    float min = x[0], max = x[0];
    for (size_t i = 1; i < n; i++) {
        min = x[i] < min ? x[i] : min;
        max = x[i] > max ? x[i] : max;
    }
    float range = max - min;
    for (size_t i = 0; i < n; i++)
        x[i] = range > 0 ? (x[i] - min) / range : max > 0;
}

static void scale_max(float *x, size_t n)
{
    float max = 0;
    for (size_t i = 0; i < n; i++)
        max = x[i] > max ? x[i] : max;
    for (size_t i = 0; i < n && max > 0; i++)
        x[i] /= max;
}

void kb_scale_series(kb_scale scale, const kb_series *series, size_t length, size_t timesteps,
                     float *block)
{
    size_t padding = timesteps - length;
    memset(block, 0, timesteps * sizeof *block);
    memcpy(block + padding + series->first, series->values, series->count * sizeof *block);
    switch (scale) {
    case KB_SCALE_MINMAX:
        scale_minmax(block, timesteps);
        break;
    case KB_SCALE_MAX:
        scale_max(block, timesteps);
        break;
    case KB_SCALE_NONE:
        break;
    }
}

/* --- the recipe --------------------------------------------------------------------------- */

static kb_status no_memory(kb_error *err)
{
    return kb_fail_memory(err, "the model's objects");
}

static kb_status check_recipe(const kb_recipe *r, kb_error *err)
{
    if (r->timesteps < 1 || r->timesteps > UINT16_MAX)
        return kb_fail(err, KB_ERR_USAGE, "timesteps: %zu is not in 1..65535", r->timesteps);
    if ((unsigned)r->fill >= KB_FILLS)
        return kb_fail(err, KB_ERR_USAGE, "fill: %d is none of the known ones", (int)r->fill);
    if ((unsigned)r->scale >= KB_SCALES)
        return kb_fail(err, KB_ERR_USAGE, "scale: %d is none of the known ones", (int)r->scale);
    if (!(r->min_presence >= 0 && r->min_presence <= 1))
        return kb_fail(err, KB_ERR_USAGE, "min-presence: %g is not in 0..1", r->min_presence);
    return KB_OK;
}

static kb_features *allocate(const kb_recipe *recipe)
{
    kb_features *features = kb_calloc(1, sizeof *features);
    if (!features)
        return NULL;
    features->names = kb_names_create();
    features->recipe = *recipe;
    if (!features->names) {
        free(features);
        return NULL;
    }
    return features;
}

static kb_status finish(kb_features **out, kb_features *features, kb_error *err)
{
    if (!kb_size_mul(kb_names_count(features->names), features->recipe.timesteps,
                     &features->dims)) {
        kb_features_free(features);
        return no_memory(err);
    }
    *out = features;
    return KB_OK;
}

/* counts[object]: how many of the SESSIONS have it. */
static void count_presence(const kb_store *store, const size_t *sessions, size_t count,
                           size_t *counts)
{
    for (size_t i = 0; i < count; i++) {
        size_t series = kb_store_series_count(store, sessions[i]);
        for (size_t k = 0; k < series; k++)
            counts[kb_store_series(store, sessions[i], k).object]++;
    }
}

/* Compared as a quotient: 7 of 100 are 0.07, while 0.07 * 100 is a little more than 7. */
static bool is_frequent(size_t present, size_t sessions, double min_presence)
{
    return present && (double)present / (double)sessions >= min_presence;
}

static kb_status pick_objects(kb_features *features, const kb_store *store, const size_t *counts,
                              size_t sessions, kb_error *err)
{
    for (size_t object = 0; object < kb_store_objects(store); object++) {
        if (!is_frequent(counts[object], sessions, features->recipe.min_presence))
            continue;
        const char *name = kb_store_object_name(store, object);
        if (kb_names_add(features->names, name, strlen(name)) == KB_NAME_NONE)
            return no_memory(err);
    }
    if (!kb_names_count(features->names))
        return kb_fail(err, KB_ERR_FORMAT,
                       "no object is present in at least %g of the %zu fitted sessions",
                       features->recipe.min_presence, sessions);
    return KB_OK;
}

kb_status kb_features_fit(kb_features **out, const kb_corpus *corpus, const size_t *sessions,
                          size_t count, kb_scale scale, double min_presence, kb_error *err)
{
    *out = NULL;
    const kb_store *store = kb_corpus_store(corpus);
    const kb_recipe recipe = {kb_store_timesteps(store), kb_corpus_fill(corpus), scale,
                              min_presence};
    kb_status status = check_recipe(&recipe, err);
    if (status != KB_OK)
        return status;
    kb_features *features = allocate(&recipe);
    size_t *counts = kb_calloc(kb_store_objects(store), sizeof *counts);
    if (features && counts) {
        count_presence(store, sessions, count, counts);
        status = pick_objects(features, store, counts, count, err);
    } else {
        status = no_memory(err);
    }
    free(counts);
    if (status != KB_OK) {
        kb_features_free(features);
        return status;
    }
    return finish(out, features, err);
}

kb_status kb_features_create(kb_features **out, const char *const *names, size_t count,
                             const kb_recipe *recipe, kb_error *err)
{
    *out = NULL;
    kb_status status = check_recipe(recipe, err);
    if (status != KB_OK)
        return status;
    kb_features *features = allocate(recipe);
    if (!features)
        return no_memory(err);
    for (size_t j = 0; status == KB_OK && j < count; j++) {
        uint32_t id = kb_names_add(features->names, names[j], strlen(names[j]));
        if (id == KB_NAME_NONE)
            status = no_memory(err);
        else if (id != j)
            status = kb_fail(err, KB_ERR_FORMAT, "the model names object '%.200s' twice", names[j]);
    }
    if (status != KB_OK) {
        kb_features_free(features);
        return status;
    }
    return finish(out, features, err);
}

void kb_features_free(kb_features *features)
{
    if (!features)
        return;
    kb_names_free(features->names);
    free(features);
}

size_t kb_features_objects(const kb_features *features)
{
    return kb_names_count(features->names);
}

const char *kb_features_object_name(const kb_features *features, size_t j)
{
    return kb_names_get(features->names, (uint32_t)j);
}

size_t kb_features_timesteps(const kb_features *features)
{
    return features->recipe.timesteps;
}

kb_fill kb_features_fill(const kb_features *features)
{
    return features->recipe.fill;
}

kb_scale kb_features_scale(const kb_features *features)
{
    return features->recipe.scale;
}

double kb_features_min_presence(const kb_features *features)
{
    return features->recipe.min_presence;
}

size_t kb_features_dims(const kb_features *features)
{
    return features->dims;
}

kb_status kb_features_adopt(const kb_features *features, kb_corpus_options *reading,
                            const char *model, kb_error *err)
{
    const kb_recipe *recipe = &features->recipe;
    if (reading->timesteps_given && reading->timesteps != recipe->timesteps)
        return kb_fail(err, KB_ERR_USAGE,
                       "--timesteps: %zu contradicts %s, which was trained with %zu",
                       reading->timesteps, model, recipe->timesteps);
    if (reading->fill_given && reading->fill != recipe->fill)
        return kb_fail(err, KB_ERR_USAGE, "--fill: %s contradicts %s, which was trained with %s",
                       kb_fill_name(reading->fill), model, kb_fill_name(recipe->fill));
    reading->timesteps = recipe->timesteps;
    reading->fill = recipe->fill;
    return KB_OK;
}

/* --- the recipe on a corpus --------------------------------------------------------------- */

static void map_columns(kb_view *view)
{
    for (size_t object = 0; object < kb_store_objects(view->store); object++) {
        const char *name = kb_store_object_name(view->store, object);
        uint32_t j = kb_names_find(view->features->names, name, strlen(name));
        view->columns[object] = j == KB_NAME_NONE ? SIZE_MAX : j;
    }
}

kb_status kb_view_create(kb_view **out, const kb_features *features, const kb_corpus *corpus,
                         kb_error *err)
{
    *out = NULL;
    const kb_store *store = kb_corpus_store(corpus);
    if (kb_store_timesteps(store) != features->recipe.timesteps)
        return kb_fail(err, KB_ERR_USAGE,
                       "timesteps: the corpus was read with %zu, the model has %zu",
                       kb_store_timesteps(store), features->recipe.timesteps);
    if (kb_corpus_fill(corpus) != features->recipe.fill)
        return kb_fail(err, KB_ERR_USAGE, "fill: the corpus was read with %s, the model has %s",
                       kb_fill_name(kb_corpus_fill(corpus)), kb_fill_name(features->recipe.fill));
    kb_view *view = kb_calloc(1, sizeof *view);
    if (!view)
        return no_memory(err);
    *view = (kb_view){features, corpus, store, kb_calloc(kb_store_objects(store), sizeof(size_t))};
    if (!view->columns) {
        kb_view_free(view);
        return no_memory(err);
    }
    map_columns(view);
    *out = view;
    return KB_OK;
}

void kb_view_free(kb_view *view)
{
    if (!view)
        return;
    free(view->columns);
    free(view);
}

const kb_features *kb_view_features(const kb_view *view)
{
    return view->features;
}

const kb_corpus *kb_view_corpus(const kb_view *view)
{
    return view->corpus;
}

size_t kb_view_column(const kb_view *view, uint32_t object)
{
    return view->columns[object];
}

size_t kb_view_block(const kb_view *view, size_t session, size_t i, float *block)
{
    kb_series series = kb_store_series(view->store, session, i);
    size_t j = view->columns[series.object];
    if (j != SIZE_MAX)
        kb_scale_series(view->features->recipe.scale, &series,
                        kb_store_length(view->store, session), view->features->recipe.timesteps,
                        block);
    return j;
}

void kb_view_row(const kb_view *view, size_t session, float *x)
{
    size_t t = view->features->recipe.timesteps,
           count = kb_store_series_count(view->store, session);
    memset(x, 0, view->features->dims * sizeof *x);
    for (size_t i = 0; i < count; i++) {
        kb_series series = kb_store_series(view->store, session, i);
        size_t j = view->columns[series.object];
        if (j != SIZE_MAX)
            kb_view_block(view, session, i, x + j * t);
    }
}
