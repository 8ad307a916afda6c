#include "feature_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "sorting.h"

struct kb_features {
    kb_names *names; /* id: j */
    kb_recipe recipe;
    size_t width, dims;
    float *divisors; /* by j; NULL: the scale has none */
};

struct kb_view {
    const kb_features *features;
    const kb_corpus *corpus;
    const kb_store *store;
    size_t *columns; /* by corpus object: j, or SIZE_MAX */
    float *factors;  /* by session: 1 / norm; NULL: the scale has none */
};

enum { LEAST_BINS = 4, MOST_BINS = 24 };

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
    if (kb_scale_has_bins(r->scale) && (r->bins < 1 || r->bins > UINT16_MAX))
        return kb_fail(err, KB_ERR_USAGE, "bins: %zu is not in 1..65535", r->bins);
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

static kb_status set_dims(kb_features *features, kb_error *err)
{
    const kb_recipe *r = &features->recipe;
    features->width = kb_scale_width(r->scale, r->timesteps, r->bins);
    return kb_size_mul(kb_names_count(features->names), features->width, &features->dims)
               ? KB_OK
               : no_memory(err);
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

/* --- what is fitted beside the objects ---------------------------------------------------- */

/* The median length of the sessions, within bounds. */
static kb_status choose_bins(size_t *bins, const kb_store *store, const size_t *sessions,
                             size_t count, kb_error *err)
{
    size_t *lengths = kb_calloc(count, sizeof *lengths);
    if (!lengths)
        return kb_fail_memory(err, "the sessions' lengths");
    for (size_t i = 0; i < count; i++)
        lengths[i] = kb_store_length(store, sessions[i]);
    kb_sort_sizes(lengths, count);
    size_t median = count ? lengths[count / 2] : 0;
    free(lengths);
    *bins = median < LEAST_BINS ? LEAST_BINS : median > MOST_BINS ? MOST_BINS : median;
    return KB_OK;
}

/* Of one object's values over all fitted sessions; those without it are zeros. */
struct spread {
    double maximum, sum, squares;
};

static void add_series(struct spread *spread, const float *values, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        double x = (double)values[i];
        spread->maximum = x > spread->maximum ? x : spread->maximum;
        spread->sum += x;
        spread->squares += x * x;
    }
}

/* COUNT: values that went into SPREAD, zeros included. Never 0, so that it can be divided by. */
static float divisor_of(kb_divisor kind, const struct spread *spread, double count)
{
    double mean = spread->sum / count, variance = spread->squares / count - mean * mean;
    double deviation = variance > 1e-12 * spread->squares / count ? sqrt(variance) : 0;
    float divisor = (float)(kind == KB_DIVISOR_MAXIMUM ? spread->maximum : deviation);
    return divisor > 0 && isfinite(divisor) ? divisor : 1;
}

static void measure(struct spread *spreads, float *block, const kb_view *view,
                    const size_t *sessions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = kb_store_series_count(view->store, sessions[i]);
        for (size_t k = 0; k < n; k++) {
            size_t j = kb_view_block(view, sessions[i], k, block);
            if (j != SIZE_MAX)
                add_series(&spreads[j], block, view->features->width);
        }
    }
}

/* VIEW divides by nothing yet. */
static kb_status fit_divisors(kb_features *features, const kb_view *view, const size_t *sessions,
                              size_t count, kb_error *err)
{
    kb_divisor kind = kb_scale_divisor(features->recipe.scale);
    size_t objects = kb_names_count(features->names);
    struct spread *spreads = kb_calloc(objects, sizeof *spreads);
    float *block = kb_calloc(features->width, sizeof *block);
    float *divisors = kb_calloc(objects, sizeof *divisors);
    bool fits = spreads && block && divisors;
    if (fits) {
        measure(spreads, block, view, sessions, count);
        for (size_t j = 0; j < objects; j++)
            divisors[j] = divisor_of(kind, &spreads[j], (double)(count * features->width));
        features->divisors = divisors;
    } else {
        free(divisors);
    }
    free(spreads);
    free(block);
    return fits ? KB_OK : no_memory(err);
}

static kb_status open_view(kb_view **out, const kb_features *features, const kb_corpus *corpus,
                           kb_error *err);

static kb_status fit(kb_features *features, const kb_corpus *corpus, const size_t *sessions,
                     size_t count, kb_error *err)
{
    const kb_store *store = kb_corpus_store(corpus);
    size_t *counts = kb_calloc(kb_store_objects(store), sizeof *counts);
    if (!counts)
        return no_memory(err);
    count_presence(store, sessions, count, counts);
    kb_status status = pick_objects(features, store, counts, count, err);
    free(counts);
    if (!status)
        status = set_dims(features, err);
    if (status || kb_scale_divisor(features->recipe.scale) == KB_DIVISOR_NONE)
        return status;
    kb_view *view;
    status = open_view(&view, features, corpus, err);
    if (!status)
        status = fit_divisors(features, view, sessions, count, err);
    kb_view_free(view);
    return status;
}

kb_status kb_features_fit(kb_features **out, const kb_corpus *corpus, const size_t *sessions,
                          size_t count, kb_scale scale, double min_presence, kb_error *err)
{
    *out = NULL;
    const kb_store *store = kb_corpus_store(corpus);
    kb_recipe recipe = {kb_store_timesteps(store), kb_corpus_fill(corpus), scale, min_presence, 0};
    kb_status status = KB_OK;
    if ((unsigned)scale < KB_SCALES && kb_scale_has_bins(scale))
        status = choose_bins(&recipe.bins, store, sessions, count, err);
    if (!status)
        status = check_recipe(&recipe, err);
    if (status)
        return status;
    kb_features *features = allocate(&recipe);
    status = features ? fit(features, corpus, sessions, count, err) : no_memory(err);
    if (status)
        kb_features_free(features);
    else
        *out = features;
    return status;
}

static kb_status add_names(kb_features *features, const char *const *names, size_t count,
                           kb_error *err)
{
    for (size_t j = 0; j < count; j++) {
        uint32_t id = kb_names_add(features->names, names[j], strlen(names[j]));
        if (id == KB_NAME_NONE)
            return no_memory(err);
        if (id != j)
            return kb_fail(err, KB_ERR_FORMAT, "the model names object '%.200s' twice", names[j]);
    }
    return KB_OK;
}

static kb_status copy_divisors(kb_features *features, const float *divisors, size_t count,
                               kb_error *err)
{
    if (!divisors != (kb_scale_divisor(features->recipe.scale) == KB_DIVISOR_NONE))
        return kb_fail(err, KB_ERR_FORMAT, "divisors and the scale '%s' do not fit",
                       kb_scale_name(features->recipe.scale));
    if (!divisors)
        return KB_OK;
    for (size_t j = 0; j < count; j++)
        if (!(divisors[j] > 0) || !isfinite(divisors[j]))
            return kb_fail(err, KB_ERR_FORMAT, "divisor %zu is not above 0", j);
    features->divisors = kb_calloc(count, sizeof *features->divisors);
    if (!features->divisors)
        return no_memory(err);
    memcpy(features->divisors, divisors, count * sizeof *divisors);
    return KB_OK;
}

kb_status kb_features_create(kb_features **out, const char *const *names, size_t count,
                             const kb_recipe *recipe, const float *divisors, kb_error *err)
{
    *out = NULL;
    kb_status status = check_recipe(recipe, err);
    if (status != KB_OK)
        return status;
    kb_features *features = allocate(recipe);
    if (!features)
        return no_memory(err);
    status = add_names(features, names, count, err);
    if (!status)
        status = copy_divisors(features, divisors, count, err);
    if (!status)
        status = set_dims(features, err);
    if (status)
        kb_features_free(features);
    else
        *out = features;
    return status;
}

void kb_features_free(kb_features *features)
{
    if (!features)
        return;
    kb_names_free(features->names);
    free(features->divisors);
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

size_t kb_features_bins(const kb_features *features)
{
    return features->recipe.bins;
}

size_t kb_features_width(const kb_features *features)
{
    return features->width;
}

size_t kb_features_dims(const kb_features *features)
{
    return features->dims;
}

const float *kb_features_divisors(const kb_features *features)
{
    return features->divisors;
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

/* A view without its sessions' norms. */
static kb_status open_view(kb_view **out, const kb_features *features, const kb_corpus *corpus,
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
    *view = (kb_view){features, corpus, store, kb_calloc(kb_store_objects(store), sizeof(size_t)),
                      NULL};
    if (!view->columns) {
        kb_view_free(view);
        return no_memory(err);
    }
    map_columns(view);
    *out = view;
    return KB_OK;
}

/* 1 / norm of the session's input; 1 where that is all zeros. */
static float factor_of(const kb_view *view, size_t session, float *block)
{
    size_t n = kb_store_series_count(view->store, session);
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        if (kb_view_block(view, session, i, block) == SIZE_MAX)
            continue;
        for (size_t k = 0; k < view->features->width; k++)
            squares += (double)block[k] * (double)block[k];
    }
    float factor = (float)(1 / sqrt(squares));
    return isfinite(factor) ? factor : 1;
}

static kb_status set_factors(kb_view *view, kb_error *err)
{
    size_t sessions = kb_store_sessions(view->store);
    float *factors = kb_calloc(sessions, sizeof *factors);
    float *block = kb_calloc(view->features->width, sizeof *block);
    bool fits = factors && block;
    for (size_t s = 0; fits && s < sessions; s++)
        factors[s] = factor_of(view, s, block);
    free(block);
    if (!fits) {
        free(factors);
        return kb_fail_memory(err, "the sessions' norms");
    }
    view->factors = factors;
    return KB_OK;
}

kb_status kb_view_create(kb_view **out, const kb_features *features, const kb_corpus *corpus,
                         kb_error *err)
{
    kb_status status = open_view(out, features, corpus, err);
    if (!status && kb_scale_is_unit(features->recipe.scale))
        status = set_factors(*out, err);
    if (status) {
        kb_view_free(*out);
        *out = NULL;
    }
    return status;
}

void kb_view_free(kb_view *view)
{
    if (!view)
        return;
    free(view->columns);
    free(view->factors);
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
    const kb_features *features = view->features;
    const kb_recipe *recipe = &features->recipe;
    kb_series series = kb_store_series(view->store, session, i);
    size_t j = view->columns[series.object];
    if (j == SIZE_MAX)
        return j;
    kb_scale_series(recipe->scale, &series, kb_store_length(view->store, session),
                    recipe->timesteps, recipe->bins, block);
    float factor = view->factors ? view->factors[session] : 1;
    if (features->divisors)
        factor /= features->divisors[j];
    for (size_t k = 0; k < features->width && (features->divisors || view->factors); k++)
        block[k] *= factor;
    return j;
}

void kb_view_row(const kb_view *view, size_t session, float *x)
{
    size_t count = kb_store_series_count(view->store, session);
    memset(x, 0, view->features->dims * sizeof *x);
    for (size_t i = 0; i < count; i++) {
        kb_series series = kb_store_series(view->store, session, i);
        size_t j = view->columns[series.object];
        if (j != SIZE_MAX)
            kb_view_block(view, session, i, x + j * view->features->width);
    }
}
