#include "profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* --- of sessions -------------------------------------------------------------------------- */

/* Mean of the steps BEGIN..END (not in it) of a window. */
static double mean_of(const kb_series *series, size_t begin, size_t end)
{
    double sum = 0;
    size_t first = series->first, behind = first + series->count;
    for (size_t step = begin > first ? begin : first; step < end && step < behind; step++)
        sum += (double)series->values[step - first];
    return end > begin ? sum / (double)(end - begin) : 0;
}

static void add_session(double *sums, const kb_view *view, const kb_store *store, size_t session)
{
    size_t length = kb_store_length(store, session), quarter = (length + 3) / 4;
    for (size_t i = 0; i < kb_store_series_count(store, session); i++) {
        kb_series series = kb_store_series(store, session, i);
        size_t j = kb_view_column(view, series.object);
        if (j == SIZE_MAX)
            continue;
        sums[2 * j] += log1p(mean_of(&series, 0, length));
        sums[2 * j + 1] +=
            log1p(mean_of(&series, length - quarter, length)) - log1p(mean_of(&series, 0, quarter));
    }
}

kb_status kb_profiles_of(float *profiles, size_t k, const kb_features *features,
                         const kb_corpus *corpus, const size_t *sessions, const uint32_t *labels,
                         size_t count, kb_error *err)
{
    size_t width = 2 * kb_features_objects(features), cells;
    kb_view *view;
    kb_status status = kb_view_create(&view, features, corpus, err);
    if (status)
        return status;
    double *sums = kb_size_mul(k, width, &cells) ? kb_calloc(cells, sizeof *sums) : NULL;
    size_t *sizes = kb_calloc(k, sizeof *sizes);
    if (sums && sizes) {
        for (size_t i = 0; i < count; i++) {
            add_session(sums + labels[i] * width, view, kb_corpus_store(corpus), sessions[i]);
            sizes[labels[i]]++;
        }
        for (size_t i = 0; i < cells; i++)
            profiles[i] = sizes[i / width] ? (float)(sums[i] / (double)sizes[i / width]) : 0;
    } else {
        status = kb_fail_memory(err, "profiles of clusters");
    }
    free(sums);
    free(sizes);
    kb_view_free(view);
    return status;
}

/* --- held against each other -------------------------------------------------------------- */

/* Rows as long as WIDTH: what A's clusters, and what B's have in each object of either. */
struct tables {
    size_t rows, cols, width;
    double *a, *b;
};

/* TABLE (count x width) = PROFILES, object j at AT[j], less the mean of the clusters. */
static void spread_out(double *table, size_t width, const float *profiles, size_t count,
                       size_t objects, const size_t *at)
{
    for (size_t j = 0; j < 2 * objects; j++) {
        double mean = 0;
        for (size_t c = 0; c < count; c++)
            mean += (double)profiles[c * 2 * objects + j] / (double)count;
        for (size_t c = 0; c < count; c++)
            table[c * width + 2 * at[j / 2] + j % 2] = (double)profiles[c * 2 * objects + j] - mean;
    }
}

/* Divides each column by its root mean square over all rows of both. */
static void even_out(struct tables *t)
{
    for (size_t j = 0; j < t->width; j++) {
        double squares = 0;
        for (size_t r = 0; r < t->rows; r++)
            squares += t->a[r * t->width + j] * t->a[r * t->width + j];
        for (size_t c = 0; c < t->cols; c++)
            squares += t->b[c * t->width + j] * t->b[c * t->width + j];
        double scale = squares > 0 ? sqrt((double)(t->rows + t->cols) / squares) : 0;
        for (size_t r = 0; r < t->rows; r++)
            t->a[r * t->width + j] *= scale;
        for (size_t c = 0; c < t->cols; c++)
            t->b[c * t->width + j] *= scale;
    }
}

static double cosine(const double *x, const double *y, size_t n)
{
    double xy = 0, xx = 0, yy = 0;
    for (size_t i = 0; i < n; i++) {
        xy += x[i] * y[i];
        xx += x[i] * x[i];
        yy += y[i] * y[i];
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

/* AT (objects of FEATURES): the place of each in NAMES, which gets those that it lacks. */
static size_t *place_objects(kb_names *names, const kb_features *features)
{
    size_t m = kb_features_objects(features), *at = kb_calloc(m, sizeof *at);
    for (size_t j = 0; at && j < m; j++) {
        const char *name = kb_features_object_name(features, j);
        uint32_t id = kb_names_add(names, name, strlen(name));
        if (id == KB_NAME_NONE) {
            free(at);
            return NULL;
        }
        at[j] = id;
    }
    return at;
}

static bool make_tables(struct tables *t)
{
    size_t a, b;
    if (!kb_size_mul(t->rows, t->width, &a) || !kb_size_mul(t->cols, t->width, &b))
        return false;
    t->a = kb_calloc(a, sizeof *t->a);
    t->b = kb_calloc(b, sizeof *t->b);
    return t->a && t->b;
}

kb_status kb_profile_similarity(double *similarity, const kb_features *a, const float *profiles_a,
                                size_t rows, const kb_features *b, const float *profiles_b,
                                size_t cols, kb_error *err)
{
    struct tables t = {.rows = rows, .cols = cols};
    kb_names *names = kb_names_create();
    size_t *at_a = names ? place_objects(names, a) : NULL;
    size_t *at_b = at_a ? place_objects(names, b) : NULL;
    t.width = names ? 2 * kb_names_count(names) : 0;
    bool ok = at_b && make_tables(&t);
    if (ok) {
        spread_out(t.a, t.width, profiles_a, rows, kb_features_objects(a), at_a);
        spread_out(t.b, t.width, profiles_b, cols, kb_features_objects(b), at_b);
        even_out(&t);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < cols; c++)
                similarity[r * cols + c] = cosine(t.a + r * t.width, t.b + c * t.width, t.width);
    }
    free(t.a);
    free(t.b);
    free(at_a);
    free(at_b);
    kb_names_free(names);
    return ok ? KB_OK : kb_fail_memory(err, "profiles of clusters");
}
