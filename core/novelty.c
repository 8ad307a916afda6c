#include "novelty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans.h"
#include "memory.h"
#include "outliers.h"
#include "rng.h"
#include "sorting.h"

static const double PART_LIMIT = 30;
/* The least spread of any part as a share of its median. */
static const double LEAST_RELATIVE_SPREAD = .01;
/* Nats of a typical known session at which presence has half of its weight. */
static const double HALF_EVIDENCE = 18;

/* What of its training a model has to compare with. */
enum generation { NOTHING, REFERENCE, COURSES, GENERATIONS };

/* The weight by what the model has. The least spread, in the part's own unit, is for one that may
 * be constant among the known sessions, as the unseen share usually is 0: any deviation would be
 * infinite. Presence weighs most where it can (trust_in_presence), for it sees new combinations,
 * which stand out in little else, and noise of the other parts should not hide them. Weights were
 * chosen on synthetic and real corpora with held-out labels; between half and twice these the area
 * under the curve of novel against known changes by a hundredth. */
static const struct part {
    const char *name;
    double weight[GENERATIONS], least_spread;
} parts[KB_SIGNALS] = {
    [KB_SIGNAL_DISTANCE] = {"distance", {1, 0, 0}, 0},
    [KB_SIGNAL_RESIDUAL] = {"residual", {1, 1, 1}, 0},
    [KB_SIGNAL_UNSEEN] = {"unseen", {1, 1, 1}, .007},
    [KB_SIGNAL_PRESENCE] = {"presence", {0, 3, 12}, .01},
    [KB_SIGNAL_NEIGHBOURS] = {"neighbours", {0, 1, 1}, 0},
    [KB_SIGNAL_OUTLIER] = {"outlier", {0, 1, 1}, 0},
    [KB_SIGNAL_LEVELS] = {"levels", {0, 1.5, 1.5}, 0},
    [KB_SIGNAL_COURSE] = {"course", {0, 0, 2.5}, 0},
};

const char *kb_signal_name(size_t signal)
{
    return parts[signal].name;
}

static enum generation generation_of(const kb_model *model)
{
    if (!model->reference.sessions)
        return NOTHING;
    return model->reference.courses.classes ? COURSES : REFERENCE;
}

double kb_signal_weight(const kb_model *model, size_t signal)
{
    return parts[signal].weight[generation_of(model)];
}

/* --- parts -------------------------------------------------------------------------------- */

static double log_mass(kb_series series)
{
    double sum = 0;
    for (uint32_t i = 0; i < series.count; i++)
        sum += log1p((double)series.values[i]);
    return sum;
}

double kb_unseen_share(const kb_store *store, size_t session, const uint32_t *number)
{
    double all = 0, unseen = 0;
    size_t n = kb_store_series_count(store, session);
    for (size_t i = 0; i < n; i++) {
        kb_series series = kb_store_series(store, session, i);
        double mass = log_mass(series);
        all += mass;
        if (number[series.object] == KB_NAME_NONE)
            unseen += mass;
    }
    return all > 0 ? unseen / all : 0;
}

/* Everything that measuring COUNT sessions needs and a reading does not keep. */
struct measuring {
    const kb_model *model;
    kb_view *view;
    uint32_t *number;         /* by corpus object: its number among those seen */
    double *scratch;          /* two numbers a group */
    float *residual;          /* count */
    kb_matrix leading;        /* count x P */
    double *distance, *ratio; /* count */
};

static kb_status measuring_open(struct measuring *m, const kb_model *model, const kb_corpus *corpus,
                                size_t count, kb_error *err)
{
    size_t floats;
    const kb_reference *reference = &model->reference;
    *m = (struct measuring){.model = model,
                            .number = kb_reference_numbers(model->seen, kb_corpus_store(corpus)),
                            .scratch = kb_calloc(2 * reference->groups, sizeof *m->scratch),
                            .residual = kb_calloc(count, sizeof *m->residual),
                            .distance = kb_calloc(count, sizeof *m->distance),
                            .ratio = kb_calloc(count, sizeof *m->ratio)};
    bool leading = reference->points && model->basis.rank;
    if (leading && kb_size_mul(count, reference->leading, &floats))
        m->leading = kb_matrix_of(kb_calloc(floats, sizeof(float)), count, reference->leading);
    if (!m->number || !m->scratch || !m->residual || !m->distance || !m->ratio ||
        (leading && !m->leading.data))
        return kb_fail_memory(err, "novelty");
    return kb_view_create(&m->view, model->features, corpus, err);
}

static void measuring_close(struct measuring *m)
{
    kb_view_free(m->view);
    free(m->number);
    free(m->scratch);
    free(m->residual);
    free(m->leading.data);
    free(m->distance);
    free(m->ratio);
}

/* Neighbours and outlier. */
static kb_status measure_points(struct measuring *m, kb_readings *r, kb_pool *pool,
                                const kb_progress *progress, kb_error *err)
{
    const kb_reference *ref = &m->model->reference;
    if (!ref->points)
        return KB_OK;
    kb_const_matrix z = kb_matrix_const(r->z);
    kb_const_matrix y = m->leading.data ? kb_matrix_const(m->leading) : z;
    kb_status status = kb_outliers_of(
        m->distance, m->ratio, y, kb_const_matrix_of(ref->y, ref->points, ref->leading),
        ref->spacing, KB_REFERENCE_NEIGHBOURS, false, pool, progress, err);
    for (size_t i = 0; !status && i < r->count; i++)
        r->signals[i].value[KB_SIGNAL_OUTLIER] = m->ratio[i];
    if (!status)
        status = kb_outliers_of(m->distance, NULL, z,
                                kb_const_matrix_of(ref->z, ref->points, ref->latent), NULL,
                                KB_REFERENCE_NEIGHBOURS, false, pool, progress, err);
    for (size_t i = 0; !status && i < r->count; i++)
        r->signals[i].value[KB_SIGNAL_NEIGHBOURS] = m->distance[i];
    return status;
}

static kb_status measure(kb_readings *r, const kb_model *model, const kb_corpus *corpus,
                         const size_t *sessions, kb_pool *pool, const kb_progress *progress,
                         kb_error *err)
{
    const kb_store *store = kb_corpus_store(corpus);
    struct measuring m;
    kb_status status = measuring_open(&m, model, corpus, r->count, err);
    if (!status)
        status = kb_model_embed(model, m.view, sessions, r->count, r->z, m.residual, m.leading,
                                pool, progress, err);
    if (!status)
        status = measure_points(&m, r, pool, progress, err);
    for (size_t i = 0; !status && i < r->count; i++) {
        double *value = r->signals[i].value;
        value[KB_SIGNAL_RESIDUAL] = (double)m.residual[i];
        value[KB_SIGNAL_UNSEEN] = kb_unseen_share(store, sessions[i], m.number);
        kb_group_fit fit =
            kb_reference_fit_of(&model->reference, store, sessions[i], m.number, m.scratch);
        value[KB_SIGNAL_PRESENCE] = -fit.presence;
        value[KB_SIGNAL_LEVELS] = fit.levels;
        value[KB_SIGNAL_COURSE] = fit.course;
    }
    measuring_close(&m);
    return status;
}

kb_status kb_readings_of(kb_readings *out, const kb_model *model, const kb_corpus *corpus,
                         const size_t *sessions, size_t count, kb_pool *pool,
                         const kb_progress *progress, kb_error *err)
{
    size_t floats;
    *out = (kb_readings){.count = count};
    if (kb_size_mul(count, model->layout.latent, &floats))
        out->z = kb_matrix_of(kb_alloc_aligned(floats, sizeof(float)), count, model->layout.latent);
    out->signals = kb_calloc(count, sizeof *out->signals);
    out->nearest = kb_calloc(count, sizeof *out->nearest);
    kb_status status = out->z.data && out->signals && out->nearest
                           ? measure(out, model, corpus, sessions, pool, progress, err)
                           : kb_fail_memory(err, "embeddings");
    if (status)
        kb_readings_clear(out);
    return status;
}

kb_status kb_readings_distances(kb_readings *readings, kb_const_matrix centroids, kb_error *err)
{
    double *distance2 = kb_calloc(readings->count, sizeof *distance2);
    if (!distance2)
        return kb_fail_memory(err, "distances");
    kb_nearest(kb_matrix_const(readings->z), centroids, readings->nearest, distance2);
    for (size_t i = 0; i < readings->count; i++)
        readings->signals[i].value[KB_SIGNAL_DISTANCE] = sqrt(distance2[i]);
    free(distance2);
    return KB_OK;
}

void kb_readings_clear(kb_readings *readings)
{
    free(readings->z.data);
    free(readings->signals);
    free(readings->nearest);
    *readings = (kb_readings){0};
}

/* --- one number --------------------------------------------------------------------------- */

/* The P-quantile of N sorted values, linear between order statistics. */
static double quantile(const double *sorted, size_t n, double p)
{
    double at = p * (double)(n - 1);
    size_t low = (size_t)at;
    if (low + 1 >= n)
        return sorted[n - 1];
    return sorted[low] + (at - (double)low) * (sorted[low + 1] - sorted[low]);
}

/* The share of a normal distribution below Z. */
static double normal_below(double z)
{
    return .5 * erfc(-z / M_SQRT2);
}

/* What one in 2 N of a normal distribution exceeds, by bisection. */
static double top_of(size_t n)
{
    double low = 0, high = 10, above = .5 / (double)n;
    while (high - low > 1e-9) {
        double middle = (low + high) / 2;
        if (normal_below(-middle) > above)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The i-th smallest of n (from 1) stands for the share (i - 1/2) / n. */
static void keep_tail(kb_standard *s, const double *sorted, size_t n)
{
    s->top = top_of(n);
    for (size_t i = 0; i < KB_TAIL; i++) {
        double share = normal_below(s->top * (double)i / (KB_TAIL - 1));
        double at = fmin(fmax(share * (double)n - .5, 0), (double)(n - 1));
        s->tail[i] = (float)quantile(sorted, n, n > 1 ? at / (double)(n - 1) : 0);
    }
}

static kb_standard standard_of(double *values, size_t n, double least_spread)
{
    kb_sort_doubles(values, n);
    double low = quantile(values, n, .25), high = quantile(values, n, .75);
    kb_standard s = {.median = quantile(values, n, .5)};
    s.spread = fmax((high - low) / 1.35, (high - s.median) / .675);
    double least = fmax(least_spread, LEAST_RELATIVE_SPREAD * fabs(s.median));
    s.spread = fmax(s.spread, fmax(least, 1e-12));
    keep_tail(&s, values, n);
    return s;
}

/* The standards of the sessions that are not in fold LEFT_OUT (SIZE_MAX: of all). FOLD: one a
 * session; VALUES: scratch, one a session. */
static void standardise(kb_standard standards[KB_SIGNALS], const kb_readings *readings,
                        const uint32_t *fold, size_t left_out, double *values)
{
    for (size_t s = 0; s < KB_SIGNALS; s++) {
        size_t n = 0;
        for (size_t i = 0; i < readings->count; i++)
            if (fold[i] != left_out)
                values[n++] = readings->signals[i].value[s];
        standards[s] = standard_of(values, n, parts[s].least_spread);
    }
}

/* The score that is exceeded in a normal distribution as often as X is among the known sessions;
 * beyond them it goes on in units of the spread. */
static double normal_score(const kb_standard *s, double x)
{
    const float *tail = s->tail;
    size_t last = KB_TAIL - 1, i = 0;
    if (x >= (double)tail[last])
        return s->top + (x - (double)tail[last]) / s->spread;
    while (i + 1 < last && (double)tail[i + 1] <= x)
        i++;
    double step = (double)tail[i + 1] - (double)tail[i];
    double part = step > 0 ? fmax(x - (double)tail[i], 0) / step : 0;
    return s->top * ((double)i + part) / (double)last;
}

/* 0 .. PART_LIMIT: how unusual a part is, in units of the spread or, where the known sessions'
 * upper tail is heavier than a normal one, by how many of them exceed it. So a part in which
 * unclassifiable sessions stand out does not make as much of them as of what no known session
 * has. */
static double score_of(const kb_standard *s, double x)
{
    double z = (x - s->median) / s->spread;
    if (!(z > 0))
        return 0;
    if (s->top > 0)
        z = fmin(z, normal_score(s, x));
    return fmin(z, PART_LIMIT);
}

/* That no group explains a session says something where groups explain known sessions well: with E
 * nats of evidence for the typical one's group (half the median's square, by its definition),
 * E / (E + HALF_EVIDENCE). */
static double trust_in_presence(const kb_standard *presence)
{
    double root = fmin(presence->median, 0), evidence = root * root / 2;
    return evidence / (evidence + HALF_EVIDENCE);
}

double kb_novelty_of(const kb_signals *signals, const kb_standard standards[KB_SIGNALS],
                     const kb_model *model, kb_novelty novelty)
{
    if (novelty == KB_NOVELTY_DISTANCE)
        return signals->value[KB_SIGNAL_DISTANCE];
    double sum = 0;
    for (size_t s = 0; s < KB_SIGNALS; s++) {
        double weight = kb_signal_weight(model, s);
        if (!(weight > 0))
            continue;
        if (s == KB_SIGNAL_PRESENCE && generation_of(model) == COURSES)
            weight *= trust_in_presence(&standards[s]);
        double z = score_of(&standards[s], signals->value[s]);
        sum += weight * z * z;
    }
    return sum;
}

/* --- calibration -------------------------------------------------------------------------- */

double kb_conformal_threshold(double *values, size_t n, double alpha)
{
    kb_sort_doubles(values, n);
    double rank = ceil((double)(n + 1) * (1 - alpha));
    if (rank < 1)
        return values[0];
    return rank > (double)n ? values[n - 1] : values[(size_t)rank - 1];
}

double kb_known_p_value(const kb_known *known, double novelty)
{
    size_t below = 0, end = known->count;
    if (!known->count)
        return (double)NAN;
    while (below < end) { /* the first that is at least as novel */
        size_t middle = below + (end - below) / 2;
        if ((double)known->novelty[middle] < novelty)
            below = middle + 1;
        else
            end = middle;
    }
    double n = (double)known->sessions;
    double above = n * (double)(known->count - below) / (double)known->count;
    return (1 + above) / (n + 1);
}

enum { FOLDS = 10 };

struct fitting {
    const kb_readings *readings;
    size_t count, folds;
    uint32_t *fold;  /* by session */
    double *novelty; /* by session, with the standards of the other folds */
    double *scratch; /* a number a session */
};

static kb_status fitting_open(struct fitting *f, const kb_readings *readings, uint64_t seed,
                              kb_error *err)
{
    size_t n = readings->count;
    *f = (struct fitting){.readings = readings,
                          .count = n,
                          .folds = n < FOLDS ? n : FOLDS,
                          .fold = kb_calloc(n, sizeof *f->fold),
                          .novelty = kb_calloc(n, sizeof *f->novelty),
                          .scratch = kb_calloc(n, sizeof *f->scratch)};
    size_t *order = kb_calloc(n, sizeof *order);
    kb_status status =
        f->fold && f->novelty && f->scratch && order ? KB_OK : kb_fail_memory(err, "novelty");
    for (size_t i = 0; !status && i < n; i++)
        order[i] = i;
    if (!status) {
        kb_rng rng = kb_rng_start(seed, KB_STREAM_FOLDS);
        kb_rng_shuffle(&rng, order, n);
    }
    for (size_t i = 0; !status && i < n; i++)
        f->fold[order[i]] = (uint32_t)(i % f->folds);
    free(order);
    return status;
}

static void fitting_close(struct fitting *f)
{
    free(f->fold);
    free(f->novelty);
    free(f->scratch);
}

static void cross_fit(struct fitting *f, const kb_model *model, kb_novelty novelty)
{
    for (size_t fold = 0; fold < f->folds; fold++) {
        kb_standard standards[KB_SIGNALS];
        standardise(standards, f->readings, f->fold, fold, f->scratch);
        for (size_t i = 0; i < f->count; i++)
            if (f->fold[i] == fold)
                f->novelty[i] = kb_novelty_of(&f->readings->signals[i], standards, model, novelty);
    }
}

/* How many are above the thresholds of the other folds. */
static size_t count_flagged(struct fitting *f, double alpha)
{
    size_t flagged = 0;
    for (size_t fold = 0; fold < f->folds; fold++) {
        size_t n = 0;
        for (size_t i = 0; i < f->count; i++)
            if (f->fold[i] != fold)
                f->scratch[n++] = f->novelty[i];
        double threshold = kb_conformal_threshold(f->scratch, n, alpha);
        for (size_t i = 0; i < f->count; i++)
            flagged += f->fold[i] == fold && f->novelty[i] > threshold;
    }
    return flagged;
}

static double mean_unseen(const kb_readings *readings)
{
    double sum = 0;
    for (size_t i = 0; i < readings->count; i++)
        sum += readings->signals[i].value[KB_SIGNAL_UNSEEN];
    return sum / (double)readings->count;
}

/* SORTED: n novelties. Of more than KB_KNOWN_MAX the ones in the middle of as many equal parts. */
static kb_status keep_known(kb_known *known, const double *sorted, size_t n, kb_error *err)
{
    known->sessions = n;
    known->count = n < KB_KNOWN_MAX ? n : KB_KNOWN_MAX;
    known->novelty = kb_calloc(known->count, sizeof *known->novelty);
    if (!known->novelty)
        return kb_fail_memory(err, "novelty");
    for (size_t i = 0; i < known->count; i++) {
        double part = (double)n / (double)known->count;
        known->novelty[i] = (float)sorted[(size_t)((double)i * part + part / 2)];
    }
    return KB_OK;
}

kb_status kb_novelty_fit_of(kb_novelty_fit *out, const kb_model *model, const kb_readings *readings,
                            kb_novelty novelty, double alpha, uint64_t seed, kb_error *err)
{
    struct fitting f;
    *out = (kb_novelty_fit){0};
    kb_status status = fitting_open(&f, readings, seed, err);
    if (!status) {
        cross_fit(&f, model, novelty);
        standardise(out->standards, readings, f.fold, SIZE_MAX, f.scratch);
        out->known.flagged = count_flagged(&f, alpha);
        out->known.unseen = mean_unseen(readings);
        out->threshold = kb_conformal_threshold(f.novelty, f.count, alpha);
        status = keep_known(&out->known, f.novelty, f.count, err);
    }
    fitting_close(&f);
    return status;
}
