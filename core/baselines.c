#include "baselines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "memory.h"
#include "model_private.h"

/* More objects tell hardly more apart, and memory follows them. */
enum { MOST_OBJECTS = 2048, MOST_COMPONENTS = 64 };

struct kb_baselines {
    const kb_model *model;
    const kb_corpus *corpus;
    kb_view *view;
    kb_basis own; /* where the model has none */
    const kb_basis *basis;
    size_t objects;         /* that are looked at */
    size_t *column;         /* by corpus object: its place, or SIZE_MAX */
    double *level, *growth; /* by place: largest level, deviation of growth */
};

const char *kb_baseline_name(kb_baseline baseline)
{
    static const char *const names[KB_BASELINES] = {"presence", "components", "levels", "growth"};
    return names[baseline];
}

/* --- one reading of a session -------------------------------------------------------------- */

static double mean_level(kb_series series, size_t length)
{
    double sum = 0;
    for (uint32_t i = 0; i < series.count; i++)
        sum += (double)series.values[i];
    return log1p(sum / (double)length);
}

/* Mean over the last quarter of the session minus that over the first. */
static double growth_of(kb_series series, size_t length)
{
    size_t part = (length + 3) / 4;
    double sum = 0;
    for (uint32_t i = 0; i < series.count; i++) {
        size_t step = series.first + i;
        sum += step >= length - part ? (double)series.values[i] : 0;
        sum -= step < part ? (double)series.values[i] : 0;
    }
    return sum / (double)part;
}

static double read_series(kb_baseline baseline, kb_series series, size_t length)
{
    if (baseline == KB_BASELINE_PRESENCE)
        return 1;
    return baseline == KB_BASELINE_LEVELS ? mean_level(series, length) : growth_of(series, length);
}

/* --- what is learnt ------------------------------------------------------------------------ */

struct ranked {
    size_t object;
    double variance; /* of presence, in sessions^2 */
};

static int by_variance(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->variance != y->variance)
        return x->variance > y->variance ? -1 : 1;
    return x->object < y->object ? -1 : x->object > y->object;
}

/* The objects whose presence varies most; objects that are always there still have levels. */
static kb_status choose_objects(kb_baselines *b, const size_t *sessions, size_t count,
                                kb_error *err)
{
    const kb_store *store = kb_corpus_store(b->corpus);
    size_t all = kb_store_objects(store);
    struct ranked *ranked = kb_calloc(all, sizeof *ranked);
    b->column = kb_calloc(all, sizeof *b->column);
    if (!ranked || !b->column) {
        free(ranked);
        return kb_fail_memory(err, "the baselines");
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < kb_store_series_count(store, sessions[i]); j++)
            ranked[kb_store_series(store, sessions[i], j).object].variance += 1;
    for (size_t o = 0; o < all; o++) {
        double n = ranked[o].variance;
        ranked[o] = (struct ranked){o, n > 0 ? n * ((double)count - n) : -1};
        b->column[o] = SIZE_MAX;
    }
    qsort(ranked, all, sizeof *ranked, by_variance);
    while (b->objects < all && b->objects < MOST_OBJECTS && ranked[b->objects].variance >= 0) {
        b->column[ranked[b->objects].object] = b->objects;
        b->objects++;
    }
    free(ranked);
    return KB_OK;
}

/* The largest level and the root mean square of growth of each object. */
static kb_status learn_scales(kb_baselines *b, const size_t *sessions, size_t count, kb_error *err)
{
    const kb_store *store = kb_corpus_store(b->corpus);
    b->level = kb_calloc(b->objects, sizeof *b->level);
    b->growth = kb_calloc(b->objects, sizeof *b->growth);
    if (!b->level || !b->growth)
        return kb_fail_memory(err, "the baselines");
    for (size_t i = 0; i < count; i++) {
        size_t length = kb_store_length(store, sessions[i]);
        for (size_t j = 0; j < kb_store_series_count(store, sessions[i]); j++) {
            kb_series series = kb_store_series(store, sessions[i], j);
            size_t at = b->column[series.object];
            if (at == SIZE_MAX)
                continue;
            double growth = growth_of(series, length);
            b->level[at] = fmax(b->level[at], mean_level(series, length));
            b->growth[at] += growth * growth / (double)count;
        }
    }
    for (size_t at = 0; at < b->objects; at++)
        b->growth[at] = sqrt(b->growth[at]);
    return KB_OK;
}

/* The model's basis, or one of SESSIONS where the network works on the inputs. */
static kb_status learn_components(kb_baselines *b, const size_t *sessions, size_t count,
                                  kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    b->basis = &b->model->basis;
    kb_status status = kb_view_create(&b->view, b->model->features, b->corpus, err);
    if (status || b->basis->rank)
        return status;
    kb_blocks blocks = {0};
    float *coordinates = NULL;
    status = kb_blocks_create(&blocks, b->view, sessions, count, err);
    if (!status)
        status =
            kb_basis_fit(&b->own, &coordinates, &blocks, b->basis->energy, pool, progress, err);
    free(coordinates);
    kb_blocks_clear(&blocks);
    b->basis = &b->own;
    return status;
}

kb_status kb_baselines_create(kb_baselines **out, const kb_model *model, const kb_corpus *corpus,
                              const size_t *sessions, size_t count, kb_pool *pool,
                              const kb_progress *progress, kb_error *err)
{
    *out = NULL;
    kb_baselines *b = kb_calloc(1, sizeof *b);
    if (!b)
        return kb_fail_memory(err, "the baselines");
    b->model = model;
    b->corpus = corpus;
    kb_status status = choose_objects(b, sessions, count, err);
    if (!status)
        status = learn_scales(b, sessions, count, err);
    if (!status)
        status = learn_components(b, sessions, count, pool, progress, err);
    if (status)
        kb_baselines_free(b);
    else
        *out = b;
    return status;
}

void kb_baselines_free(kb_baselines *b)
{
    if (!b)
        return;
    kb_view_free(b->view);
    kb_basis_clear(&b->own);
    free(b->column);
    free(b->level);
    free(b->growth);
    free(b);
}

/* --- vectors ------------------------------------------------------------------------------- */

size_t kb_baselines_cols(const kb_baselines *b, kb_baseline baseline)
{
    if (baseline != KB_BASELINE_COMPONENTS)
        return b->objects;
    return b->basis->rank < MOST_COMPONENTS ? b->basis->rank : MOST_COMPONENTS;
}

static void normalise(float *x, size_t cols)
{
    double sum = 0;
    for (size_t f = 0; f < cols; f++)
        sum += (double)x[f] * (double)x[f];
    for (size_t f = 0; f < cols && sum > 0; f++)
        x[f] = (float)((double)x[f] / sqrt(sum));
}

static void session_row(const kb_baselines *b, kb_baseline baseline, size_t session, float *x)
{
    const kb_store *store = kb_corpus_store(b->corpus);
    const double *scale = baseline == KB_BASELINE_LEVELS   ? b->level
                          : baseline == KB_BASELINE_GROWTH ? b->growth
                                                           : NULL;
    memset(x, 0, b->objects * sizeof *x);
    for (size_t j = 0; j < kb_store_series_count(store, session); j++) {
        kb_series series = kb_store_series(store, session, j);
        size_t at = b->column[series.object];
        double unit = at == SIZE_MAX ? 0 : scale ? scale[at] : 1;
        if (unit > 0)
            x[at] = (float)(read_series(baseline, series, kb_store_length(store, session)) / unit);
    }
    if (baseline == KB_BASELINE_GROWTH)
        normalise(x, b->objects);
}

/* All coordinates are computed, a part of the sessions at a time, and the first kept: they are
 * ordered by variance. */
static kb_status component_rows(const kb_baselines *b, const size_t *sessions, size_t count,
                                kb_matrix x, const kb_progress *progress, kb_error *err)
{
    enum { PART = 256 };
    size_t rank = b->basis->rank, floats;
    float *y = kb_size_mul(PART, rank, &floats) ? kb_alloc_aligned(floats, sizeof *y) : NULL;
    kb_status status = y ? KB_OK : kb_fail_memory(err, "the baselines");
    for (size_t i = 0; !status && i < count; i += PART) {
        size_t n = count - i < PART ? count - i : PART;
        kb_blocks blocks;
        status = kb_blocks_create(&blocks, b->view, sessions + i, n, err);
        if (status)
            break;
        status = kb_basis_project(b->basis, &blocks, kb_matrix_of(y, n, rank), NULL, progress, err);
        kb_blocks_clear(&blocks);
        for (size_t r = 0; !status && r < n; r++)
            memcpy(kb_matrix_row(x, i + r), y + r * rank, x.cols * sizeof *y);
    }
    free(y);
    return status;
}

kb_status kb_baselines_rows(const kb_baselines *b, kb_baseline baseline, const size_t *sessions,
                            size_t count, kb_matrix x, const kb_progress *progress, kb_error *err)
{
    if (baseline == KB_BASELINE_COMPONENTS)
        return component_rows(b, sessions, count, x, progress, err);
    for (size_t i = 0; i < count; i++) {
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        session_row(b, baseline, sessions[i], kb_matrix_row(x, i));
    }
    return KB_OK;
}
