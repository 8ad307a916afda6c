/* feature_view: homogenisation, from raw counts to the model's input.
 *
 * A kb_features is the recipe (timesteps, filling, scaling, the model's objects); it is fitted on a
 * corpus or loaded from a model. A kb_view is the recipe applied to one corpus. Input x of a
 * session has D = objects * width floats, object after object: x[j * width + i] is the i-th of the
 * object's values (scaling.h), in the documents' scalings step i of t, the session's last step at
 * i = t - 1, zeros on the left where it is shorter. */
#ifndef KB_FEATURE_VIEW_H
#define KB_FEATURE_VIEW_H

#include "corpus.h"
#include "scaling.h"
#include "status.h"

/* How a corpus is read and looked at. */
typedef struct kb_recipe {
    size_t timesteps;
    kb_fill fill;
    kb_scale scale; /* not KB_SCALE_AUTO */
    double min_presence;
    size_t bins; /* where the scale has bins; otherwise 0 */
} kb_recipe;

typedef struct kb_features kb_features;

/* The objects present in at least MIN_PRESENCE (0..1; at least one session) of the COUNT fitted
 * SESSIONS of CORPUS, in id order; none is KB_ERR_FORMAT. Bins are as many as the sessions' median
 * length, from 4 to 24. */
kb_status kb_features_fit(kb_features **out, const kb_corpus *corpus, const size_t *sessions,
                          size_t count, kb_scale scale, double min_presence, kb_error *err);
/* From a model file. NAMES and DIVISORS (one an object, > 0; NULL where the scale has none) are
 * copied. */
kb_status kb_features_create(kb_features **out, const char *const *names, size_t count,
                             const kb_recipe *recipe, const float *divisors, kb_error *err);
void kb_features_free(kb_features *features);

size_t kb_features_objects(const kb_features *features);
const char *kb_features_object_name(const kb_features *features, size_t j);
size_t kb_features_timesteps(const kb_features *features);
kb_fill kb_features_fill(const kb_features *features);
kb_scale kb_features_scale(const kb_features *features);
double kb_features_min_presence(const kb_features *features);
size_t kb_features_bins(const kb_features *features);
size_t kb_features_width(const kb_features *features);
size_t kb_features_dims(const kb_features *features);           /* D = objects * width */
const float *kb_features_divisors(const kb_features *features); /* one an object; or NULL */

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
/* The sparse form: the values of the session's I-th series (kb_store_series) in BLOCK (width
 * floats); returns the model's object, or SIZE_MAX (BLOCK untouched) when the object is not the
 * model's input. */
size_t kb_view_block(const kb_view *view, size_t session, size_t i, float *block);

#endif
