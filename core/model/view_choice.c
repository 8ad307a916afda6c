#include "view_choice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "basis.h"
#include "kmeans.h"
#include "memory.h"
#include "rng.h"
#include "scores.h"
#include "sorting.h"

static const kb_scale panel[KB_PANEL] = {
    KB_SCALE_BINS_MAX,   KB_SCALE_BINS_GLOBAL, KB_SCALE_BINS_LOG,    KB_SCALE_BINS_PRESENCE,
    KB_SCALE_TRAJECTORY, KB_SCALE_GROWTH,      KB_SCALE_GROWTH_ROOT, KB_SCALE_GROWTH_SD};

static const size_t trial_k[] = {3, 4, 6, 9, 12, 15};

enum {
    TRIALS = sizeof trial_k / sizeof *trial_k,
    COMPONENTS = 64,
    MOST_SESSIONS = 1000,
    LEAST_A_CLUSTER = 4, /* sessions for each of k clusters, on average */
    ROUNDS = 4,          /* K-means with other starts, or other halves */
    RESTARTS = 4,
    BEST_TRIALS = 3
};
static const double ENERGY = .99;

/* One view of the sampled sessions. */
struct view {
    kb_scale scale;
    bool usable;
    float *points; /* N x rank */
    size_t rank;
    uint32_t *labels[TRIALS]; /* N each; NULL where k was too large */
    double stability[TRIALS];
    double agreement[TRIALS][KB_PANEL]; /* with each other view */
};

struct choice {
    const kb_corpus *corpus;
    const kb_view_choice_options *options;
    kb_pool *pool;
    const kb_progress *progress;
    kb_progress quiet; /* for parts that would report on their own */
    size_t *ids;       /* sampled sessions, rising */
    size_t n, trials;  /* of those k for which there are enough sessions */
    size_t *order;     /* N: which sessions are in which half */
    struct view views[KB_PANEL];
    size_t round;
    size_t done; /* steps, for progress */
};

/* --- which sessions, which views --------------------------------------------------------- */

static kb_status draw_sample(struct choice *c, const size_t *sessions, size_t count, kb_error *err)
{
    c->ids = kb_calloc(count, sizeof *c->ids);
    c->order = kb_calloc(count, sizeof *c->order);
    if (!c->ids || !c->order)
        return kb_fail_memory(err, "a sample of sessions");
    memcpy(c->ids, sessions, count * sizeof *sessions);
    c->n = count;
    if (count <= MOST_SESSIONS)
        return KB_OK;
    kb_rng rng = kb_rng_start(c->options->seed, KB_STREAM_VIEWS);
    kb_rng_shuffle(&rng, c->ids, count);
    c->n = MOST_SESSIONS;
    kb_sort_sizes(c->ids, c->n);
    return KB_OK;
}

static kb_status step_done(struct choice *c, kb_error *err)
{
    kb_progress_report(c->progress, "choosing a view", ++c->done, 2 * KB_PANEL);
    return kb_check_cancelled(c->progress, err);
}

/* --- a view as points --------------------------------------------------------------------- */

static kb_status reduce(struct choice *c, struct view *view, const kb_view *features, kb_error *err)
{
    kb_blocks blocks;
    kb_status status = kb_blocks_create(&blocks, features, c->ids, c->n, err);
    if (status)
        return status;
    status = kb_basis_components(&view->points, &view->rank, &blocks, COMPONENTS, ENERGY, c->pool,
                                 &c->quiet, err);
    view->usable = !status;
    kb_blocks_clear(&blocks);
    return status;
}

/* A view in which all sessions are alike cannot be used, and that is no error. */
static kb_status make_points(struct choice *c, struct view *view, kb_error *err)
{
    kb_features *features;
    kb_view *applied = NULL;
    kb_error why;
    kb_status status = kb_features_fit(&features, c->corpus, c->ids, c->n, view->scale,
                                       c->options->min_presence, err);
    if (status)
        return status;
    status = kb_view_create(&applied, features, c->corpus, err);
    if (!status) {
        status = reduce(c, view, applied, &why);
        if (status == KB_ERR_NUMERIC)
            status = KB_OK;
        else if (status)
            status = kb_fail(err, status, "%s", why.text);
    }
    kb_view_free(applied);
    kb_features_free(features);
    return status;
}

/* --- clusterings -------------------------------------------------------------------------- */

static kb_kmeans_options kmeans_options(const struct choice *c, size_t k)
{
    kb_kmeans_options options = kb_kmeans_defaults(k);
    options.seed = c->options->seed + c->round;
    options.restarts = RESTARTS;
    return options;
}

/* *LABELS (N, the caller frees) = K-means of VIEW at K. */
static kb_status cluster(const struct choice *c, const struct view *view, size_t k,
                         uint32_t **labels, kb_error *err)
{
    kb_kmeans km;
    kb_kmeans_options options = kmeans_options(c, k);
    kb_const_matrix x = kb_const_matrix_of(view->points, c->n, view->rank);
    kb_status status = kb_kmeans_fit(&km, x, &options, c->pool, &c->quiet, err);
    if (status)
        return status;
    *labels = km.labels;
    km.labels = NULL;
    kb_kmeans_clear(&km);
    return KB_OK;
}

/* HALF (the caller frees): the rows of VIEW that are first, third, ... in the order, from START on.
 */
static float *copy_half(const struct choice *c, const struct view *view, size_t start, size_t *rows)
{
    *rows = (c->n - start + 1) / 2;
    float *half = kb_calloc(*rows, view->rank * sizeof *half);
    for (size_t i = 0; half && i < *rows; i++)
        memcpy(half + i * view->rank, view->points + c->order[2 * i + start] * view->rank,
               view->rank * sizeof *half);
    return half;
}

/* LABELS of all sessions by the centroids of one half. */
static kb_status cluster_half(const struct choice *c, const struct view *view, size_t k,
                              size_t start, uint32_t *labels, kb_error *err)
{
    kb_kmeans km;
    kb_kmeans_options options = kmeans_options(c, k);
    size_t rows;
    float *half = copy_half(c, view, start, &rows);
    if (!half)
        return kb_fail_memory(err, "half of the sessions");
    kb_status status = kb_kmeans_fit(&km, kb_const_matrix_of(half, rows, view->rank), &options,
                                     c->pool, &c->quiet, err);
    free(half);
    if (status)
        return status;
    kb_nearest(kb_const_matrix_of(view->points, c->n, view->rank),
               kb_const_matrix_of(km.centroids, k, view->rank), labels, NULL);
    kb_kmeans_clear(&km);
    return KB_OK;
}

/* *ARI of the labels by either half, in the order at hand. */
static kb_status halves_agree(const struct choice *c, const struct view *view, size_t k,
                              double *ari, kb_error *err)
{
    uint32_t *a = kb_calloc(c->n, sizeof *a), *b = kb_calloc(c->n, sizeof *b);
    kb_agreement agreement = {0};
    kb_status status = a && b ? KB_OK : kb_fail_memory(err, "labels");
    if (!status)
        status = cluster_half(c, view, k, 0, a, err);
    if (!status)
        status = cluster_half(c, view, k, 1, b, err);
    if (!status)
        status = kb_agreement_of(&agreement, a, b, c->n, err);
    *ari = agreement.ari;
    free(a);
    free(b);
    return status;
}

/* The mean over the rounds, 0 at least. */
static kb_status stability_of(struct choice *c, const struct view *view, size_t k,
                              double *stability, kb_error *err)
{
    kb_status status = KB_OK;
    double sum = 0;
    for (c->round = 0; c->round < ROUNDS && !status; c->round++) {
        double ari;
        kb_rng rng = kb_rng_start(c->options->seed, KB_STREAM_VIEWS + 100 * (c->round + 1));
        for (size_t i = 0; i < c->n; i++)
            c->order[i] = i;
        kb_rng_shuffle(&rng, c->order, c->n);
        status = halves_agree(c, view, k, &ari, err);
        sum += ari;
    }
    c->round = 0;
    *stability = fmax(sum / ROUNDS, 0);
    return status;
}

static kb_status cluster_view(struct choice *c, struct view *view, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; i < c->trials && !status; i++) {
        status = cluster(c, view, trial_k[i], &view->labels[i], err);
        if (!status)
            status = stability_of(c, view, trial_k[i], &view->stability[i], err);
    }
    return status;
}

/* --- agreement ---------------------------------------------------------------------------- */

/* The adjusted mutual information of two views in each trial. */
static kb_status compare(const struct choice *c, struct view *a, struct view *b, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; i < c->trials && !status; i++) {
        kb_agreement agreement = {0};
        status = kb_agreement_of(&agreement, a->labels[i], b->labels[i], c->n, err);
        a->agreement[i][b - c->views] = b->agreement[i][a - c->views] = agreement.ami;
    }
    return status;
}

/* Views of raw amounts: the objects of which there is most decide. In the others all objects count
 * alike. */
static bool is_raw(kb_scale scale)
{
    return kb_scale_is_unit(scale) && kb_scale_divisor(scale) == KB_DIVISOR_NONE;
}

/* The usable view that VIEW agrees with most in a TRIAL, but TAKEN (NULL: none), and not a raw one
 * where NO_RAW is set; NULL: there is none. */
static const struct view *nearest(const struct choice *c, const struct view *view, size_t trial,
                                  const struct view *taken, bool no_raw)
{
    const double *agreement = view->agreement[trial];
    size_t best = KB_PANEL;
    for (size_t v = 0; v < KB_PANEL; v++) {
        const struct view *other = &c->views[v];
        if (other == view || other == taken || !other->usable || (no_raw && is_raw(other->scale)))
            continue;
        if (best == KB_PANEL || agreement[v] > agreement[best])
            best = v;
    }
    return best < KB_PANEL ? &c->views[best] : NULL;
}

/* The mean of what VIEW has in common in a TRIAL with the two usable views that it agrees with
 * most, of which, for a raw one, at most one may be raw; NAN where there are no two. */
static double confirmation(const struct choice *c, const struct view *view, size_t trial)
{
    const struct view *first = nearest(c, view, trial, NULL, false);
    bool no_raw = first && is_raw(view->scale) && is_raw(first->scale);
    const struct view *second = first ? nearest(c, view, trial, first, no_raw) : NULL;
    if (!second)
        return (double)NAN;
    const double *agreement = view->agreement[trial];
    return (agreement[first - c->views] + agreement[second - c->views]) / 2;
}

static int by_score(const void *a, const void *b)
{
    const kb_view_score *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->scale > y->scale) - (x->scale < y->scale);
}

/* VIEW in one trial. The score is below 0 where it cannot be compared. */
static kb_view_score score_trial(const struct choice *c, const struct view *view, size_t i)
{
    double agreement = confirmation(c, view, i);
    if (isnan(agreement))
        return (kb_view_score){.score = -1};
    return (kb_view_score){view->scale, agreement, view->stability[i],
                           fmax(agreement, 0) * view->stability[i]};
}

/* The mean of VIEW's best trials; false where it cannot be compared. */
static bool score_view(const struct choice *c, const struct view *view, kb_view_score *out)
{
    kb_view_score trials[TRIALS];
    size_t best = c->trials < BEST_TRIALS ? c->trials : BEST_TRIALS;
    for (size_t i = 0; i < c->trials; i++)
        trials[i] = score_trial(c, view, i);
    qsort(trials, c->trials, sizeof *trials, by_score);
    if (!view->usable || trials[best - 1].score < 0)
        return false;
    *out = (kb_view_score){.scale = view->scale};
    for (size_t i = 0; i < best; i++) {
        out->agreement += trials[i].agreement / (double)best;
        out->stability += trials[i].stability / (double)best;
        out->score += trials[i].score / (double)best;
    }
    return true;
}

static void rank_views(const struct choice *c, kb_view_choice *out)
{
    for (size_t v = 0; v < KB_PANEL; v++)
        out->view_count += score_view(c, &c->views[v], &out->views[out->view_count]);
    qsort(out->views, out->view_count, sizeof *out->views, by_score);
}

/* --- all of it ---------------------------------------------------------------------------- */

static kb_status choose(struct choice *c, kb_view_choice *out, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t v = 0; v < KB_PANEL && !status; v++) {
        status = make_points(c, &c->views[v], err);
        if (!status)
            status = step_done(c, err);
    }
    for (size_t v = 0; v < KB_PANEL && !status; v++) {
        if (c->views[v].usable)
            status = cluster_view(c, &c->views[v], err);
        for (size_t u = 0; u < v && !status; u++)
            if (c->views[u].usable && c->views[v].usable)
                status = compare(c, &c->views[u], &c->views[v], err);
        if (!status)
            status = step_done(c, err);
    }
    if (status)
        return status;
    rank_views(c, out);
    if (out->view_count)
        out->scale = out->views[0].scale;
    return KB_OK;
}

static void clear(struct choice *c)
{
    for (size_t v = 0; v < KB_PANEL; v++) {
        free(c->views[v].points);
        for (size_t i = 0; i < TRIALS; i++)
            free(c->views[v].labels[i]);
    }
    free(c->ids);
    free(c->order);
}

kb_status kb_view_choose(kb_view_choice *out, const kb_corpus *corpus, const size_t *sessions,
                         size_t count, const kb_view_choice_options *options, kb_pool *pool,
                         const kb_progress *progress, kb_error *err)
{
    struct choice c = {.corpus = corpus, .options = options, .pool = pool, .progress = progress};
    c.quiet = (kb_progress){.outer = progress};
    for (size_t v = 0; v < KB_PANEL; v++)
        c.views[v].scale = panel[v];
    *out = (kb_view_choice){.scale = panel[0]};
    kb_status status = draw_sample(&c, sessions, count, err);
    while (c.trials < TRIALS && trial_k[c.trials] * LEAST_A_CLUSTER <= c.n)
        c.trials++;
    if (!status && c.trials)
        status = choose(&c, out, err);
    clear(&c);
    return status;
}
