/* feature_view: homogenisation, from raw counts to the model's input.
 *
 * A kb_features is the recipe (timesteps, filling, scaling, the model's objects); it is fitted on a
 * corpus or loaded from a model. A kb_view is the recipe applied to one corpus. Input x of a
 * session has D = objects * timesteps floats, object after object: x[j * t + i] is object j at step
 * i, the session's last step at i = t - 1, zeros on the left where it is shorter. */
#ifndef KB_FEATURE_VIEW_H
#define KB_FEATURE_VIEW_H

#include "corpus.h"
#include "status.h"

typedef enum kb_scale {
    KB_SCALE_MINMAX, /* (x - min) / (max - min) of the t values, padding included; a constant
                        non-zero series is 1 */
    KB_SCALE_MAX,    /* x / max */
    KB_SCALE_NONE
} kb_scale;

enum { KB_SCALES = 3 };

const char *kb_scale_name(kb_scale scale); /* "minmax", ... */
bool kb_scale_parse(kb_scale *out, const char *text);

/* How a corpus is read and looked at. */
typedef struct kb_recipe {
    size_t timesteps;
    kb_fill fill;
    kb_scale scale;
    double min_presence;
} kb_recipe;

typedef struct kb_features kb_features;

/* The objects present in at least MIN_PRESENCE (0..1; at least one session) of the COUNT fitted
 * SESSIONS of CORPUS, in id order; none is KB_ERR_FORMAT. */
kb_status kb_features_fit(kb_features **out, const kb_corpus *corpus, const size_t *sessions,
                          size_t count, kb_scale scale, double min_presence, kb_error *err);
/* From a model file. NAMES are copied. */
kb_status kb_features_create(kb_features **out, const char *const *names, size_t count,
                             const kb_recipe *recipe, kb_error *err);
void kb_features_free(kb_features *features);

size_t kb_features_objects(const kb_features *features);
const char *kb_features_object_name(const kb_features *features, size_t j);
size_t kb_features_timesteps(const kb_features *features);
kb_fill kb_features_fill(const kb_features *features);
kb_scale kb_features_scale(const kb_features *features);
double kb_features_min_presence(const kb_features *features);
size_t kb_features_dims(const kb_features *features); /* D */

/* Makes READING that of the recipe. KB_ERR_USAGE when it was given otherwise; MODEL names where the
 * recipe is from. */
kb_status kb_features_adopt(const kb_features *features, kb_corpus_options *reading,
                            const char *model, kb_error *err);

typedef struct kb_view kb_view;

/* FEATURES and CORPUS outlive the view. The corpus must have been loaded with the features'
 * timesteps and filling (KB_ERR_USAGE). */
kb_status kb_view_create(kb_view **out, const kb_features *features, const kb_corpus *corpus,
                         kb_error *err);
void kb_view_free(kb_view *view);

const kb_features *kb_view_features(const kb_view *view);
const kb_corpus *kb_view_corpus(const kb_view *view);
/* The model's object for a corpus object id, or SIZE_MAX. */
size_t kb_view_column(const kb_view *view, uint32_t object);
/* X (D floats) becomes the input of SESSION. */
void kb_view_row(const kb_view *view, size_t session, float *x);
/* The sparse form: the scaled t values of the session's I-th series (kb_store_series) in BLOCK (t
 * floats); returns the model's object, or SIZE_MAX (BLOCK untouched) when the object is not the
 * model's input. */
size_t kb_view_block(const kb_view *view, size_t session, size_t i, float *block);
/* One object's series, padded and scaled in the way of SCALE, for showing: t values from a
 * kb_series of a session LENGTH steps long. */
void kb_scale_series(kb_scale scale, const kb_series *series, size_t length, size_t timesteps,
                     float *block);

#endif
