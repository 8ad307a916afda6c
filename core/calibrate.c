/* Elbow, clusters, their numbers and thresholds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hungarian.h"
#include "kmeans.h"
#include "median.h"
#include "memory.h"
#include "novelty.h"
#include "pipeline.h"
#include "profile.h"
#include "rng.h"

kb_calibrate_options kb_calibrate_defaults(void)
{
    return (kb_calibrate_options){.kmin = 2,
                                  .kmax = 20,
                                  .false_alarms = .05,
                                  .split = KB_SPLITS,
                                  .bootstraps = 10,
                                  .seed = 1};
}

kb_status kb_calibrate_check(const kb_calibrate_options *o, kb_error *err)
{
    if (o->kmin < 2 || o->kmax < o->kmin || o->kmax > 10000)
        return kb_fail(err, KB_ERR_USAGE,
                       "--kmin %zu --kmax %zu: expected 2 <= kmin <= kmax <= 10000", o->kmin,
                       o->kmax);
    if (o->k == 1 || o->k > 10000)
        return kb_fail(err, KB_ERR_USAGE, "-k %zu: expected auto or 2..10000", o->k);
    if (!(o->false_alarms > 0 && o->false_alarms < 1))
        return kb_fail(err, KB_ERR_USAGE, "--false-alarms: %g is not between 0 and 1",
                       o->false_alarms);
    return KB_OK;
}

/* LEAST_SESSIONS: fewer cannot be clustered, so that the next rule is asked. */
enum { LEAST_SESSIONS = 3, RESTARTS = 10, SUPPORT_MOST = 2000 };

/* --- which sessions ----------------------------------------------------------------------- */

static size_t select_split(const kb_corpus *corpus, kb_split split, size_t *ids)
{
    size_t n = 0;
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++) {
        const kb_session *session = kb_corpus_session(corpus, s);
        if (session->has_rows && session->split == split)
            ids[n++] = s;
    }
    return n;
}

static size_t select_all(const kb_corpus *corpus, size_t *ids)
{
    size_t n = 0;
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++)
        if (kb_corpus_session(corpus, s)->has_rows)
            ids[n++] = s;
    return n;
}

static bool is_fitted(const kb_model *model, const kb_corpus *corpus, size_t session)
{
    const char *name = kb_corpus_session(corpus, session)->name;
    return kb_names_find(model->fitted, name, strlen(name)) != KB_NAME_NONE;
}

size_t kb_unfitted_sessions(const kb_model *model, const kb_corpus *corpus, size_t *ids)
{
    size_t all = select_all(corpus, ids), n = 0;
    for (size_t i = 0; i < all; i++)
        if (!is_fitted(model, corpus, ids[i]))
            ids[n++] = ids[i];
    return n;
}

size_t kb_calibration_sessions(const kb_model *model, const kb_corpus *corpus, size_t *ids)
{
    size_t n = select_split(corpus, KB_SPLIT_VALIDATION, ids);
    if (n < LEAST_SESSIONS)
        n = kb_unfitted_sessions(model, corpus, ids);
    if (n < LEAST_SESSIONS)
        n = select_all(corpus, ids);
    return n;
}

/* --- one calibration ---------------------------------------------------------------------- */

struct calibration {
    const kb_model *model;
    const kb_corpus *corpus;
    const kb_calibrate_options *options;
    size_t *ids;
    kb_readings readings;
    kb_matrix support; /* latent vectors of fitted sessions that help to find the clusters */
    kb_elbow elbow;
    kb_kmeans km;  /* labels and sizes are those of the calibration sessions */
    size_t *found; /* k: sessions, support included, from which each cluster was found */
    /* By new cluster index: */
    uint32_t *number;
    uint32_t *back; /* the number of the retired cluster that it is, or 0 */
    uint32_t next_number;
};

static void calibration_clear(struct calibration *c)
{
    free(c->ids);
    free(c->found);
    free(c->support.data);
    free(c->number);
    free(c->back);
    kb_readings_clear(&c->readings);
    kb_elbow_clear(&c->elbow);
    kb_kmeans_clear(&c->km);
}

static kb_elbow_options elbow_options(const struct calibration *c)
{
    const kb_model *m = c->model;
    size_t k = c->options->k;
    kb_elbow_options o = {.kmin = c->options->kmin,
                          .kmax = c->options->kmax,
                          .seed = c->options->seed,
                          .restarts = RESTARTS,
                          .support = kb_matrix_const(c->support),
                          .bootstraps = c->options->bootstraps};
    if (k && k < o.kmin)
        o.kmin = k;
    if (k && k > o.kmax)
        o.kmax = k;
    if (m->dec_clusters) {
        o.centroids = kb_const_matrix_of(m->dec_centroids, m->dec_clusters, m->layout.latent);
        o.weights = m->dec_weights;
    }
    return o;
}

/* Held-out sessions are few, and small types have only some of them: fitted sessions of the corpus
 * help to find the clusters, SUPPORT_MOST of them at most, drawn by the seed. Not where the user
 * chose the sessions. */
static kb_status find_support(struct calibration *c, size_t n, kb_pool *pool,
                              const kb_progress *progress, kb_error *err)
{
    size_t count = 0, sessions = kb_corpus_sessions(c->corpus);
    size_t *ids = kb_calloc(sessions, sizeof *ids);
    bool *taken = kb_calloc(sessions, sizeof *taken);
    kb_status status = ids && taken ? KB_OK : kb_fail_memory(err, "session ids");
    for (size_t i = 0; !status && i < n; i++)
        taken[c->ids[i]] = true;
    for (size_t s = 0; !status && s < sessions; s++)
        if (!taken[s] && kb_corpus_session(c->corpus, s)->has_rows &&
            is_fitted(c->model, c->corpus, s))
            ids[count++] = s;
    if (!status && count > SUPPORT_MOST) {
        kb_rng rng = kb_rng_start(c->options->seed, KB_STREAM_SUPPORT);
        kb_rng_shuffle(&rng, ids, count);
        count = SUPPORT_MOST;
    }
    if (!status && count)
        status = kb_embed(&c->support, c->model, c->corpus, ids, count, pool, progress, err);
    free(ids);
    free(taken);
    return status;
}

/* Embeds the calibration sessions and their support. */
static kb_status begin(struct calibration *c, const kb_corpus *corpus, kb_pool *pool,
                       const kb_progress *progress, kb_error *err)
{
    kb_status status = kb_calibrate_check(c->options, err);
    if (status)
        return status;
    c->ids = kb_calloc(kb_corpus_sessions(corpus), sizeof *c->ids);
    if (!c->ids)
        return kb_fail_memory(err, "session ids");
    size_t n = c->options->split == KB_SPLITS
                   ? kb_calibration_sessions(c->model, corpus, c->ids)
                   : select_split(corpus, (kb_split)c->options->split, c->ids);
    if (n < LEAST_SESSIONS)
        return kb_fail(err, KB_ERR_FORMAT,
                       "%s: %zu sessions to calibrate on, at least %d are needed",
                       kb_corpus_path(corpus), n, (int)LEAST_SESSIONS);
    if (c->options->k > n - 1)
        return kb_fail(err, KB_ERR_USAGE, "-k %zu: at most %zu with %zu calibration sessions",
                       c->options->k, n - 1, n);
    if (!c->options->k && c->options->kmin > n - 1)
        return kb_fail(err, KB_ERR_USAGE, "--kmin %zu: at most %zu with %zu calibration sessions",
                       c->options->kmin, n - 1, n);
    status = kb_readings_of(&c->readings, c->model, corpus, c->ids, n, pool, progress, err);
    if (!status && c->options->split == KB_SPLITS)
        status = find_support(c, n, pool, progress, err);
    return status;
}

static kb_status run_elbow(struct calibration *c, kb_pool *pool, const kb_progress *progress,
                           kb_error *err)
{
    kb_elbow_options options = elbow_options(c);
    kb_status status =
        kb_elbow_run(&c->elbow, kb_matrix_const(c->readings.z), &options, pool, progress, err);
    if (!status && c->options->k)
        for (size_t i = 0; i < c->elbow.count; i++)
            c->elbow.rows[i].chosen = c->elbow.rows[i].k == c->options->k;
    return status;
}

kb_status kb_elbow_of(kb_elbow *out, const kb_model *model, const kb_corpus *corpus,
                      const kb_calibrate_options *options, kb_pool *pool,
                      const kb_progress *progress, kb_error *err)
{
    struct calibration c = {.model = model, .corpus = corpus, .options = options};
    kb_status status = begin(&c, corpus, pool, progress, err);
    if (!status)
        status = run_elbow(&c, pool, progress, err);
    if (!status) {
        *out = c.elbow;
        c.elbow = (kb_elbow){0};
    }
    calibration_clear(&c);
    return status;
}

/* --- numbers ------------------------------------------------------------------------------ */

/* How many sessions each new cluster shares with each old one. */
struct overlap {
    size_t k, old;
    double *cost;  /* k x old: minus those shared, as the Hungarian algorithm wants it */
    size_t *size;  /* old: sessions of each */
    size_t *match; /* k: the old one, or SIZE_MAX */
};

static void overlap_clear(struct overlap *o)
{
    free(o->cost);
    free(o->size);
    free(o->match);
}

/* OLD_OF (one a session of the calibration): its old cluster, or SIZE_MAX. */
static kb_status overlap_of(struct overlap *o, const struct calibration *c, size_t old,
                            const size_t *old_of, kb_error *err)
{
    size_t k = c->km.clusters, cells;
    *o = (struct overlap){.k = k, .old = old};
    o->cost = kb_size_mul(k, old, &cells) ? kb_calloc(cells, sizeof *o->cost) : NULL;
    o->size = kb_calloc(old, sizeof *o->size);
    o->match = kb_calloc(k, sizeof *o->match);
    if (!o->cost || !o->size || !o->match)
        return kb_fail_memory(err, "cluster numbers");
    for (size_t i = 0; i < c->readings.count; i++) {
        if (old_of[i] == SIZE_MAX)
            continue;
        o->size[old_of[i]]++;
        o->cost[c->km.labels[i] * old + old_of[i]] -= !c->back[c->km.labels[i]];
    }
    return kb_hungarian(o->cost, k, old, o->match, err);
}

/* Sessions that new cluster J shares with its match; 0 without one. */
static double shared(const struct overlap *o, size_t j)
{
    return o->match[j] == SIZE_MAX ? 0 : -o->cost[j * o->old + o->match[j]];
}

/* A retired cluster is back in the new one with which it shares at least half of the sessions of
 * either; what is then its is no longer that of any other old one. OLD_OF (sessions): on entry the
 * nearest cluster of the last calibration; SIZE_MAX on return where a retired one has come back.
 * RETIRED (sessions): as find_old says. */
static kb_status find_returned(struct calibration *c, const size_t *retired, size_t *old_of,
                               kb_error *err)
{
    const kb_lineage *lineage = kb_model_lineage(c->model);
    struct overlap o;
    kb_status status = overlap_of(&o, c, lineage->retired_count, retired, err);
    for (size_t j = 0; !status && j < o.k; j++) {
        double n = shared(&o, j);
        if (!(n > 0 && 2 * n >= (double)c->km.sizes[j] && 2 * n >= (double)o.size[o.match[j]]))
            continue;
        c->back[j] = lineage->retired[o.match[j]].number;
        for (size_t i = 0; i < c->readings.count; i++)
            if (retired[i] == o.match[j])
                old_of[i] = SIZE_MAX;
    }
    overlap_clear(&o);
    return status;
}

/* Old clusters keep their number in the new cluster that shares most sessions with them, if those
 * are at least half of the smaller of the two. */
static kb_status keep_numbers(struct calibration *c, const size_t *old_of, kb_error *err)
{
    struct overlap o;
    kb_status status = overlap_of(&o, c, c->model->clusters, old_of, err);
    for (size_t j = 0; !status && j < o.k; j++) {
        double n = shared(&o, j);
        if (n > 0 && (2 * n >= (double)c->km.sizes[j] || 2 * n >= (double)o.size[o.match[j]]))
            c->number[j] = c->model->cluster[o.match[j]].number;
    }
    overlap_clear(&o);
    return status;
}

/* OLD_OF, RETIRED (sessions): the nearest cluster of the last calibration; the retired one that is
 * nearer still, or SIZE_MAX. */
static kb_status find_old(struct calibration *c, size_t *old_of, size_t *retired, kb_error *err)
{
    const kb_lineage *lineage = kb_model_lineage(c->model);
    size_t n = c->readings.count, z = c->model->layout.latent;
    double *known = kb_calloc(n, sizeof *known);
    if (!known)
        return kb_fail_memory(err, "cluster numbers");
    kb_status status = kb_readings_distances(&c->readings, kb_model_centroids(c->model), err);
    for (size_t i = 0; !status && i < n; i++) {
        old_of[i] = c->readings.nearest[i];
        retired[i] = SIZE_MAX;
        known[i] = c->readings.signals[i].value[KB_SIGNAL_DISTANCE];
    }
    if (!status && lineage->retired_count)
        status = kb_readings_distances(
            &c->readings, kb_const_matrix_of(lineage->retired_centroids, lineage->retired_count, z),
            err);
    for (size_t i = 0; !status && lineage->retired_count && i < n; i++)
        if (c->readings.signals[i].value[KB_SIGNAL_DISTANCE] < known[i] &&
            !lineage->retired[c->readings.nearest[i]].back_as)
            retired[i] = c->readings.nearest[i];
    free(known);
    return status;
}

/* Retired clusters come first: to the clusters that took their place when they went, the sessions
 * of one that is back look like an even better match. */
static kb_status take_old_numbers(struct calibration *c, kb_error *err)
{
    size_t n = c->readings.count;
    if (!c->model->clusters)
        return KB_OK;
    size_t *old_of = kb_calloc(n, sizeof *old_of), *retired = kb_calloc(n, sizeof *retired);
    kb_status status = old_of && retired ? find_old(c, old_of, retired, err)
                                         : kb_fail_memory(err, "cluster numbers");
    if (!status && kb_model_lineage(c->model)->retired_count)
        status = find_returned(c, retired, old_of, err);
    if (!status)
        status = keep_numbers(c, old_of, err);
    free(old_of);
    free(retired);
    return status;
}

/* The largest cluster without a number; ties go to the lower index. SIZE_MAX when all have one. */
static size_t largest_unnumbered(const struct calibration *c)
{
    size_t best = SIZE_MAX;
    for (size_t j = 0; j < c->km.clusters; j++)
        if (!c->number[j] && (best == SIZE_MAX || c->km.sizes[j] > c->km.sizes[best]))
            best = j;
    return best;
}

static kb_status number_clusters(struct calibration *c, kb_error *err)
{
    c->number = kb_calloc(c->km.clusters, sizeof *c->number);
    c->back = kb_calloc(c->km.clusters, sizeof *c->back);
    if (!c->number || !c->back)
        return kb_fail_memory(err, "cluster numbers");
    kb_status status = take_old_numbers(c, err);
    c->next_number = c->model->next_number;
    for (size_t j; !status && (j = largest_unnumbered(c)) != SIZE_MAX;)
        c->number[j] = c->next_number++;
    return status;
}

/* ORDER (k): cluster indices by rising number. */
static void order_by_number(const struct calibration *c, size_t *order)
{
    for (size_t j = 0; j < c->km.clusters; j++) {
        size_t at = j;
        for (; at > 0 && c->number[order[at - 1]] > c->number[j]; at--)
            order[at] = order[at - 1];
        order[at] = j;
    }
}

/* --- thresholds and the result ------------------------------------------------------------ */

/* The distance from Z to the nearest of the centroids but OWN; INFINITY when there is no other. */
static double distance_to_others(const struct calibration *c, const float *z, size_t own)
{
    double nearest = INFINITY;
    for (size_t j = 0; j < c->km.clusters; j++) {
        double sum = 0;
        const float *centroid = c->km.centroids + j * c->km.dims;
        for (size_t i = 0; j != own && i < c->km.dims; i++) {
            double difference = (double)z[i] - (double)centroid[i];
            sum += difference * difference;
        }
        if (j != own && sum < nearest)
            nearest = sum;
    }
    return sqrt(nearest);
}

/* A session lies nearer to a centroid that it helped to place than a new one like it would. So each
 * calibration session is measured as if it had been left out: a cluster of m without it has its
 * centroid at m / (m - 1) times the distance. */
static void leave_one_out(struct calibration *c)
{
    for (size_t i = 0; i < c->readings.count; i++) {
        size_t own = c->readings.nearest[i], m = c->found[own];
        double *distance = &c->readings.signals[i].value[KB_SIGNAL_DISTANCE];
        double others = distance_to_others(c, kb_matrix_row(c->readings.z, i), own);
        double alone = m > 1 ? *distance * (double)m / (double)(m - 1) : others;
        if (isfinite(fmin(alone, others)))
            *distance = fmin(alone, others);
    }
}

static kb_time latest_reading(const struct calibration *c)
{
    const kb_store *store = kb_corpus_store(c->corpus);
    kb_time latest = {0, 0};
    for (size_t i = 0; i < c->readings.count; i++) {
        kb_time last = kb_store_time(store, c->ids[i], kb_store_length(store, c->ids[i]) - 1);
        if (!i || kb_time_compare(last, latest) > 0)
            latest = last;
    }
    return latest;
}

/* PROFILES (k x P) in ORDER. */
static kb_status make_profiles(const struct calibration *c, const size_t *order, float **profiles,
                               kb_error *err)
{
    size_t k = c->km.clusters, width = 2 * kb_features_objects(c->model->features), cells;
    size_t n = c->readings.count;
    uint32_t *place = kb_calloc(k, sizeof *place), *labels = kb_calloc(n, sizeof *labels);
    *profiles = kb_size_mul(k, width, &cells) ? kb_alloc_aligned(cells, sizeof **profiles) : NULL;
    kb_status status = KB_OK;
    if (place && labels && *profiles) {
        for (size_t i = 0; i < k; i++)
            place[order[i]] = (uint32_t)i;
        for (size_t i = 0; i < n; i++)
            labels[i] = place[c->km.labels[i]];
        status =
            kb_profiles_of(*profiles, k, c->model->features, c->corpus, c->ids, labels, n, err);
    } else {
        status = kb_fail_memory(err, "profiles of clusters");
    }
    free(place);
    free(labels);
    return status;
}

/* OUT = the lineage of CLUSTER, the new ones in ORDER. */
static kb_status continue_lineage(const struct calibration *c, const kb_cluster *cluster,
                                  const size_t *order, kb_lineage *out, kb_error *err)
{
    const kb_model *m = c->model;
    size_t old = m->clusters, k = c->km.clusters;
    uint32_t *numbers = kb_calloc(old, sizeof *numbers), *now = kb_calloc(k, sizeof *now);
    uint32_t *back = kb_calloc(k, sizeof *back);
    size_t *sizes = kb_calloc(old, sizeof *sizes);
    float *profiles = NULL;
    kb_status status = numbers && now && back && sizes ? make_profiles(c, order, &profiles, err)
                                                       : kb_fail_memory(err, "clusters");
    for (size_t i = 0; !status && i < old; i++) {
        numbers[i] = m->cluster[i].number;
        sizes[i] = m->cluster[i].size;
    }
    for (size_t i = 0; !status && i < k; i++) {
        now[i] = cluster[i].number;
        back[i] = c->back[order[i]];
    }
    const kb_lineage_step step = {.z = m->layout.latent,
                                  .p = 2 * kb_features_objects(m->features),
                                  .k = old,
                                  .numbers = numbers,
                                  .sizes = sizes,
                                  .centroids = m->centroids,
                                  .new_k = k,
                                  .new_numbers = now,
                                  .back = back,
                                  .profiles = profiles,
                                  .until = latest_reading(c)};
    if (!status)
        status = kb_lineage_step_on(out, &m->lineage, &step, err);
    if (status)
        free(profiles);
    free(numbers);
    free(now);
    free(back);
    free(sizes);
    return status;
}

/* The new cluster J with thresholds by FIT; SCRATCH: a number a session. */
static kb_cluster describe_cluster(const struct calibration *c, size_t j, const kb_novelty_fit *fit,
                                   double *scratch)
{
    kb_cluster cluster = {
        .number = c->number[j], .size = c->km.sizes[j], .threshold = fit->threshold};
    size_t n = 0, first = 0;
    for (size_t i = 0; i < c->readings.count; i++) {
        const kb_signals *signals = &c->readings.signals[i];
        if (c->km.labels[i] != j)
            continue;
        double novelty = kb_novelty_of(signals, fit->standards, c->model, c->options->novelty);
        bool known = novelty <= fit->threshold;
        scratch[n] = scratch[first]; /* the known ones come first */
        scratch[known ? first : n] = signals->value[KB_SIGNAL_DISTANCE];
        n++;
        first += known;
    }
    cluster.known = first;
    if (n)
        cluster.distance = kb_median(scratch, first ? first : n);
    return cluster;
}

/* --- thresholds --------------------------------------------------------------------------- */

/* Sessions that may be called emerging have no say in when one is. Those of the calibration that
 * count as known are, of these rules the first that leaves enough: those that were drawn from the
 * fitted ones and held out, if two of them may be false alarms; those that the
 * corpus does not call emerging; all. Where there are validation sessions, or the user chose a
 * split, they are all known. */
static bool chosen_by_name(const struct calibration *c)
{
    return c->options->split != KB_SPLITS ||
           kb_corpus_session(c->corpus, c->ids[0])->split == KB_SPLIT_VALIDATION;
}

static bool is_held_out(const struct calibration *c, size_t i)
{
    const char *name = kb_corpus_session(c->corpus, c->ids[i])->name;
    return kb_names_find(c->model->held_out, name, strlen(name)) != KB_NAME_NONE;
}

static bool is_not_emerging(const struct calibration *c, size_t i)
{
    return kb_corpus_session(c->corpus, c->ids[i])->split != KB_SPLIT_EMERGING;
}

static size_t take_signals(const struct calibration *c, kb_signals *out,
                           bool (*known)(const struct calibration *c, size_t i))
{
    size_t n = 0;
    for (size_t i = 0; i < c->readings.count; i++)
        if (known(c, i))
            out[n++] = c->readings.signals[i];
    return n;
}

static kb_status fit_novelty(const struct calibration *c, kb_novelty_fit *fit, kb_error *err)
{
    const kb_calibrate_options *o = c->options;
    kb_readings known = {.count = c->readings.count,
                         .signals = kb_calloc(c->readings.count, sizeof *known.signals)};
    if (!known.signals)
        return kb_fail_memory(err, "novelty");
    memcpy(known.signals, c->readings.signals, known.count * sizeof *known.signals);
    if (!chosen_by_name(c)) {
        size_t n = take_signals(c, known.signals, is_held_out);
        if ((double)(n + 1) * o->false_alarms < 2)
            n = take_signals(c, known.signals, is_not_emerging);
        if (n >= LEAST_SESSIONS)
            known.count = n;
        else
            memcpy(known.signals, c->readings.signals, known.count * sizeof *known.signals);
    }
    kb_status status =
        kb_novelty_fit_of(fit, c->model, &known, o->novelty, o->false_alarms, o->seed, err);
    free(known.signals);
    return status;
}

/* Everything is computed before the model is touched, so that a failure leaves it as it was. */
static kb_status install(struct calibration *c, kb_model *model, kb_error *err)
{
    size_t k = c->km.clusters, z = model->layout.latent, floats;
    kb_novelty_fit fit = {0};
    kb_status status =
        kb_readings_distances(&c->readings, kb_const_matrix_of(c->km.centroids, k, z), err);
    if (!status) {
        leave_one_out(c);
        status = fit_novelty(c, &fit, err);
    }
    if (status)
        return status;
    kb_cluster *cluster = kb_calloc(k, sizeof *cluster);
    float *centroids =
        kb_size_mul(k, z, &floats) ? kb_alloc_aligned(floats, sizeof *centroids) : NULL;
    size_t *order = kb_calloc(k, sizeof *order);
    double *scratch = kb_calloc(c->readings.count, sizeof *scratch);
    if (!cluster || !centroids || !order || !scratch) {
        free(cluster);
        free(centroids);
        free(order);
        free(scratch);
        kb_known_clear(&fit.known);
        return kb_fail_memory(err, "clusters");
    }
    order_by_number(c, order);
    for (size_t i = 0; i < k; i++) {
        cluster[i] = describe_cluster(c, order[i], &fit, scratch);
        memcpy(centroids + i * z, c->km.centroids + order[i] * z, z * sizeof *centroids);
    }
    kb_lineage lineage;
    status = continue_lineage(c, cluster, order, &lineage, err);
    free(order);
    free(scratch);
    if (status) {
        free(cluster);
        free(centroids);
        kb_known_clear(&fit.known);
        return status;
    }
    kb_model_set_clusters(model, k, cluster, centroids);
    memcpy(model->signals, fit.standards, sizeof fit.standards);
    kb_known_clear(&model->known);
    model->known = fit.known;
    kb_lineage_clear(&model->lineage);
    model->lineage = lineage;
    model->novelty = c->options->novelty;
    model->false_alarms = c->options->false_alarms;
    model->next_number = c->next_number;
    return KB_OK;
}

static kb_status find_clusters(struct calibration *c, kb_pool *pool, const kb_progress *progress,
                               kb_error *err)
{
    kb_elbow_options options = elbow_options(c);
    kb_status status = kb_elbow_kmeans(&c->km, kb_matrix_const(c->readings.z),
                                       kb_elbow_chosen(&c->elbow), &options, pool, progress, err);
    if (status)
        return status;
    size_t k = c->km.clusters;
    c->found = kb_calloc(k, sizeof *c->found);
    if (!c->found)
        return kb_fail_memory(err, "clusters");
    memcpy(c->found, c->km.sizes, k * sizeof *c->found);
    memset(c->km.sizes, 0, k * sizeof *c->km.sizes);
    for (size_t i = 0; i < c->readings.count; i++)
        c->km.sizes[c->km.labels[i]]++;
    return KB_OK;
}

kb_status kb_calibrate(kb_model *model, const kb_corpus *corpus,
                       const kb_calibrate_options *options, kb_elbow *elbow, kb_pool *pool,
                       const kb_progress *progress, kb_error *err)
{
    struct calibration c = {.model = model, .corpus = corpus, .options = options};
    kb_status status = begin(&c, corpus, pool, progress, err);
    if (!status)
        status = run_elbow(&c, pool, progress, err);
    if (!status)
        status = find_clusters(&c, pool, progress, err);
    if (!status)
        status = number_clusters(&c, err);
    if (!status)
        status = install(&c, model, err);
    if (!status) {
        *elbow = c.elbow;
        c.elbow = (kb_elbow){0};
    }
    calibration_clear(&c);
    return status;
}
