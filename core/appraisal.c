#include "appraisal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans.h"
#include "memory.h"
#include "model_private.h"
#include "quality.h"
#include "rng.h"
#include "scores.h"

enum { MOST_SESSIONS = 1000, LEAST_SESSIONS = 4, RESTARTS = 5, ASSIGN_ROWS = 256 };
/* The clusterings: those of the baselines by their numbers, then the model's. */
enum { MODEL = KB_BASELINES, CLUSTERINGS };

struct appraiser {
    const kb_model *model;
    const kb_corpus *corpus;
    uint64_t seed;
    kb_pool *pool;
    const kb_progress *progress;
    kb_appraisal *out;
    size_t n, k;
    size_t *ids; /* n, in random order */
    kb_baselines *baselines;
    uint32_t *labels; /* CLUSTERINGS x n */
    uint32_t *halves; /* 2 x n */
};

/* --- which sessions ----------------------------------------------------------------------- */

static bool was_fitted(const struct appraiser *a, size_t session)
{
    const char *name = kb_corpus_session(a->corpus, session)->name;
    return kb_names_find(a->model->fitted, name, strlen(name)) != KB_NAME_NONE;
}

static kb_status draw_sessions(struct appraiser *a, kb_error *err)
{
    size_t all = kb_corpus_sessions(a->corpus);
    size_t *calibration = kb_calloc(all, sizeof *calibration);
    bool *wanted = kb_calloc(all, sizeof *wanted);
    a->ids = kb_calloc(all, sizeof *a->ids);
    if (!calibration || !wanted || !a->ids) {
        free(calibration);
        free(wanted);
        return kb_fail_memory(err, "the appraisal");
    }
    size_t n = kb_calibration_sessions(a->model, a->corpus, calibration);
    for (size_t i = 0; i < n; i++)
        wanted[calibration[i]] = true;
    for (size_t s = 0; s < all; s++)
        if (kb_corpus_session(a->corpus, s)->has_rows && (wanted[s] || was_fitted(a, s)))
            a->ids[a->n++] = s;
    free(calibration);
    free(wanted);
    kb_rng rng = kb_rng_start(a->seed, KB_STREAM_SPLIT + 100);
    kb_rng_shuffle(&rng, a->ids, a->n);
    a->n = a->n < MOST_SESSIONS ? a->n : MOST_SESSIONS;
    a->out->sessions = a->n;
    return KB_OK;
}

/* --- clusterings -------------------------------------------------------------------------- */

static uint32_t *labels_of(const struct appraiser *a, size_t clustering)
{
    return a->labels + clustering * a->n;
}

static kb_status fit(const struct appraiser *a, kb_const_matrix x, kb_kmeans *km, kb_error *err)
{
    kb_kmeans_options options = kb_kmeans_defaults(a->k < x.rows ? a->k : x.rows);
    options.restarts = RESTARTS;
    options.seed = a->seed;
    return kb_kmeans_fit(km, x, &options, a->pool, a->progress, err);
}

/* LABELS (n): K-means on COUNT rows of the n from FIRST on, extended to all. */
static kb_status cluster(const struct appraiser *a, kb_const_matrix x, size_t first, size_t count,
                         uint32_t *labels, kb_error *err)
{
    kb_kmeans km;
    kb_const_matrix part = {kb_const_matrix_row(x, first), count, x.cols, x.stride};
    kb_status status = fit(a, part, &km, err);
    if (status)
        return status;
    kb_nearest(x, kb_const_matrix_of(km.centroids, km.clusters, km.dims), labels, NULL);
    kb_kmeans_clear(&km);
    return KB_OK;
}

static kb_status measure_stability(const struct appraiser *a, kb_const_matrix x, double *stability,
                                   kb_error *err)
{
    size_t half = a->n / 2;
    kb_agreement agreement;
    kb_status status = cluster(a, x, 0, half, a->halves, err);
    if (!status)
        status = cluster(a, x, half, a->n - half, a->halves + a->n, err);
    if (!status)
        status = kb_agreement_of(&agreement, a->halves, a->halves + a->n, a->n, err);
    if (!status)
        *stability = agreement.ari;
    return status;
}

static kb_status cluster_baseline(struct appraiser *a, kb_baseline b, kb_error *err)
{
    size_t cols = kb_baselines_cols(a->baselines, b), floats;
    float *x = kb_size_mul(a->n, cols, &floats) ? kb_alloc_aligned(floats, sizeof *x) : NULL;
    if (!x)
        return kb_fail_memory(err, "the baselines");
    kb_const_matrix points = kb_const_matrix_of(x, a->n, cols);
    kb_status status = kb_baselines_rows(a->baselines, b, a->ids, a->n, kb_matrix_of(x, a->n, cols),
                                         a->progress, err);
    if (!status)
        status = cluster(a, points, 0, a->n, labels_of(a, b), err);
    if (!status && (size_t)b < KB_BASELINES_TOLD)
        status = measure_stability(a, points, &a->out->baseline[b].stability, err);
    free(x);
    return status;
}

static kb_status cluster_model(struct appraiser *a, kb_error *err)
{
    kb_matrix z = {0};
    kb_status status = kb_embed(&z, a->model, a->corpus, a->ids, a->n, a->pool, a->progress, err);
    if (status)
        return status;
    kb_nearest(kb_matrix_const(z), kb_model_centroids(a->model), labels_of(a, MODEL), NULL);
    status = measure_stability(a, kb_matrix_const(z), &a->out->model.stability, err);
    free(z.data);
    return status;
}

static void find_largest(struct appraiser *a)
{
    const uint32_t *labels = labels_of(a, MODEL);
    size_t fitted = 0;
    double *sizes = kb_calloc(a->k, sizeof *sizes);
    for (size_t i = 0; sizes && i < a->n; i++)
        if (was_fitted(a, a->ids[i])) {
            fitted++;
            sizes[labels[i]] += 1;
        }
    size_t most = 0;
    for (size_t j = 1; sizes && j < a->k; j++)
        if (sizes[j] > sizes[most])
            most = j;
    if (sizes && fitted) {
        a->out->largest = kb_model_cluster(a->model, most)->number;
        a->out->largest_share = sizes[most] / (double)fitted;
    }
    free(sizes);
}

/* --- comparisons -------------------------------------------------------------------------- */

/* Mean adjusted mutual information of a clustering with those of the witnesses. */
static kb_status measure_agreement(const struct appraiser *a, size_t who, double *agreement,
                                   kb_error *err)
{
    double sum = 0;
    kb_status status = KB_OK;
    for (size_t w = KB_BASELINES_TOLD; !status && w < KB_BASELINES; w++) {
        kb_agreement with = {0};
        status = kb_agreement_of(&with, labels_of(a, who), labels_of(a, w), a->n, err);
        sum += with.ami;
    }
    *agreement = sum / (KB_BASELINES - KB_BASELINES_TOLD);
    return status;
}

static kb_status measure_silhouettes(struct appraiser *a, kb_error *err)
{
    size_t cols = kb_baselines_cols(a->baselines, KB_BASELINE_PRESENCE), floats;
    float *x = kb_size_mul(a->n, cols, &floats) ? kb_alloc_aligned(floats, sizeof *x) : NULL;
    if (!x)
        return kb_fail_memory(err, "the baselines");
    const uint32_t *labels[] = {labels_of(a, KB_BASELINE_PRESENCE),
                                labels_of(a, KB_BASELINE_COMPONENTS), labels_of(a, MODEL)};
    const size_t clusters[] = {a->k, a->k, a->k};
    double silhouettes[3];
    kb_status status = kb_baselines_rows(a->baselines, KB_BASELINE_PRESENCE, a->ids, a->n,
                                         kb_matrix_of(x, a->n, cols), a->progress, err);
    if (!status)
        status = kb_silhouettes(silhouettes, kb_const_matrix_of(x, a->n, cols), labels, clusters, 3,
                                a->pool, a->progress, err);
    free(x);
    if (status)
        return status;
    for (size_t b = 0; b < KB_BASELINES_TOLD; b++)
        a->out->baseline[b].silhouette = silhouettes[b];
    a->out->model.silhouette = silhouettes[2];
    return KB_OK;
}

static kb_status appraise(struct appraiser *a, kb_error *err)
{
    size_t labels;
    if (kb_size_mul(a->n, CLUSTERINGS, &labels))
        a->labels = kb_calloc(labels, sizeof *a->labels);
    a->halves = kb_calloc(2 * a->n, sizeof *a->halves);
    if (!a->labels || !a->halves)
        return kb_fail_memory(err, "the appraisal");
    kb_status status = cluster_model(a, err);
    if (status)
        return status;
    find_largest(a);
    status = kb_baselines_create(&a->baselines, a->model, a->corpus, a->ids, a->n, a->pool,
                                 a->progress, err);
    for (size_t b = 0; !status && b < KB_BASELINES; b++)
        status = cluster_baseline(a, (kb_baseline)b, err);
    if (!status)
        status = measure_silhouettes(a, err);
    if (!status)
        status = measure_agreement(a, MODEL, &a->out->model.agreement, err);
    for (size_t b = 0; !status && b < KB_BASELINES_TOLD; b++)
        status = measure_agreement(a, b, &a->out->baseline[b].agreement, err);
    return status;
}

kb_status kb_appraise(kb_appraisal *out, const kb_model *model, const kb_corpus *corpus,
                      uint64_t seed, kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    const kb_appraised unknown = {(double)NAN, (double)NAN, (double)NAN};
    *out = (kb_appraisal){.clusters = kb_model_clusters(model),
                          .largest_share = (double)NAN,
                          .model = unknown,
                          .baseline = {unknown, unknown}};
    if (!out->clusters)
        return kb_fail(err, KB_ERR_USAGE, "the model is not calibrated");
    struct appraiser a = {.model = model,
                          .corpus = corpus,
                          .seed = seed,
                          .pool = pool,
                          .progress = progress,
                          .out = out,
                          .k = out->clusters};
    kb_status status = draw_sessions(&a, err);
    if (!status && a.n >= LEAST_SESSIONS)
        status = appraise(&a, err);
    kb_baselines_free(a.baselines);
    free(a.ids);
    free(a.labels);
    free(a.halves);
    return status;
}

/* --- a baseline's clusters of all sessions ------------------------------------------------- */

static kb_status fit_baseline(const struct appraiser *a, kb_baseline b, kb_kmeans *km,
                              kb_error *err)
{
    size_t cols = kb_baselines_cols(a->baselines, b), floats;
    float *x = kb_size_mul(a->n, cols, &floats) ? kb_alloc_aligned(floats, sizeof *x) : NULL;
    if (!x)
        return kb_fail_memory(err, "the baselines");
    kb_status status = kb_baselines_rows(a->baselines, b, a->ids, a->n, kb_matrix_of(x, a->n, cols),
                                         a->progress, err);
    if (!status)
        status = fit(a, kb_const_matrix_of(x, a->n, cols), km, err);
    free(x);
    return status;
}

/* Sessions FROM .. FROM + COUNT - 1 of the corpus; X has room for COUNT rows. */
static kb_status assign_part(const struct appraiser *a, kb_baseline b, const kb_kmeans *km,
                             size_t from, kb_matrix x, kb_assignment *out, kb_error *err)
{
    size_t ids[ASSIGN_ROWS];
    uint32_t labels[ASSIGN_ROWS];
    for (size_t i = 0; i < x.rows; i++)
        ids[i] = from + i;
    kb_status status = kb_baselines_rows(a->baselines, b, ids, x.rows, x, a->progress, err);
    if (status)
        return status;
    kb_nearest(kb_matrix_const(x), kb_const_matrix_of(km->centroids, km->clusters, km->dims),
               labels, NULL);
    for (size_t i = 0; i < x.rows; i++) {
        bool rows = kb_corpus_session(a->corpus, ids[i])->has_rows;
        out[ids[i]] =
            (kb_assignment){rows ? labels[i] + 1 : 0, (double)NAN, (double)NAN, (double)NAN, false};
    }
    return KB_OK;
}

static kb_status assign_baseline(const struct appraiser *a, kb_baseline b, kb_assignment *out,
                                 kb_error *err)
{
    size_t cols = kb_baselines_cols(a->baselines, b), all = kb_corpus_sessions(a->corpus), floats;
    kb_kmeans km;
    kb_status status = fit_baseline(a, b, &km, err);
    if (status)
        return status;
    float *x = kb_size_mul(ASSIGN_ROWS, cols, &floats) ? kb_alloc_aligned(floats, sizeof *x) : NULL;
    if (!x)
        status = kb_fail_memory(err, "the baselines");
    for (size_t i = 0; !status && i < all; i += ASSIGN_ROWS) {
        size_t n = all - i < ASSIGN_ROWS ? all - i : ASSIGN_ROWS;
        status = assign_part(a, b, &km, i, kb_matrix_of(x, n, cols), out, err);
    }
    free(x);
    kb_kmeans_clear(&km);
    return status;
}

kb_status kb_baseline_assign(kb_assignment *out, const kb_model *model, const kb_corpus *corpus,
                             kb_baseline baseline, uint64_t seed, kb_pool *pool,
                             const kb_progress *progress, kb_error *err)
{
    kb_appraisal unused;
    struct appraiser a = {.model = model,
                          .corpus = corpus,
                          .seed = seed,
                          .pool = pool,
                          .progress = progress,
                          .out = &unused,
                          .k = kb_model_clusters(model)};
    kb_status status = draw_sessions(&a, err);
    if (!status && !(a.k && a.n))
        status = kb_fail(err, KB_ERR_USAGE, "%s: no session to fit the baselines on",
                         kb_corpus_path(corpus));
    if (!status)
        status = kb_baselines_create(&a.baselines, model, corpus, a.ids, a.n, pool, progress, err);
    if (!status)
        status = assign_baseline(&a, baseline, out, err);
    kb_baselines_free(a.baselines);
    free(a.ids);
    return status;
}

/* --- telling ------------------------------------------------------------------------------ */

bool kb_appraisal_worse(const kb_appraisal *a, kb_baseline b)
{
    return a->model.agreement < a->baseline[b].agreement - KB_CLOSE;
}

static kb_status note_appraised(kb_model *model, const char *name, const kb_appraised *a,
                                kb_error *err)
{
    return kb_model_note(model, err,
                         "%s_agreement=%.6g\n%s_stability=%.6g\n%s_presence_silhouette=%.6g\n",
                         name, a->agreement, name, a->stability, name, a->silhouette);
}

static kb_status keep_notes(const kb_appraisal *a, kb_model *model, kb_error *err)
{
    kb_status status = kb_model_note(model, err,
                                     "appraised_sessions=%zu\nlargest_cluster=%" PRIu32
                                     "\nlargest_cluster_share=%.6g\n",
                                     a->sessions, a->largest, a->largest_share);
    if (!status)
        status = note_appraised(model, "model", &a->model, err);
    for (size_t b = 0; !status && b < KB_BASELINES_TOLD; b++)
        status = note_appraised(model, kb_baseline_name((kb_baseline)b), &a->baseline[b], err);
    return status;
}

static void tell_comparison(const kb_appraisal *a, void (*note)(void *ctx, const char *text),
                            void *ctx)
{
    static const char *const names[KB_BASELINES_TOLD] = {"presence", "principal components"};
    char text[128];
    for (size_t b = 0; b < KB_BASELINES_TOLD; b++) {
        bool worse = kb_appraisal_worse(a, (kb_baseline)b);
        snprintf(text, sizeof text,
                 worse ? "weak: K-means on %s does better" : "K-means on %s may do about as well",
                 names[b]);
        if (worse || a->model.agreement <= a->baseline[b].agreement)
            note(ctx, text);
    }
}

kb_status kb_appraisal_tell(const kb_appraisal *a, kb_model *model,
                            void (*note)(void *ctx, const char *text), void *ctx, kb_error *err)
{
    char text[256];
    if (a->largest_share > KB_WEAK_SHARE) {
        snprintf(text, sizeof text, "weak: cluster %" PRIu32 " has %.0f%% of the fitted sessions",
                 a->largest, 100 * a->largest_share);
        note(ctx, text);
    }
    if (isfinite(a->model.agreement)) {
        snprintf(
            text, sizeof text,
            "agreement with clusterings of other kinds: the model's %.2f, K-means' on presence "
            "%.2f, on principal components %.2f",
            a->model.agreement, a->baseline[KB_BASELINE_PRESENCE].agreement,
            a->baseline[KB_BASELINE_COMPONENTS].agreement);
        note(ctx, text);
    }
    if (a->sessions < KB_APPRAISAL_LEAST)
        note(ctx, "too few sessions to tell whether the clusters are better than K-means'");
    else
        tell_comparison(a, note, ctx);
    return keep_notes(a, model, err);
}
