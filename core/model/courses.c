#include "courses.h"

#include <math.h>
#include <stdlib.h>

#include "kmeans.h"
#include "memory.h"
#include "scaling.h"

enum { B = KB_COURSE_BINS };

/* Of more series than that, evenly spaced ones say what classes there are. */
static const size_t SAMPLE_MOST = 10000;
static const size_t RESTARTS = 2, ITERATIONS = 50;
/* How many series of all sessions a group's shares are drawn with, and of all objects an object's.
 */
static const double PRIOR_SERIES = .5;

static void course_of(const kb_series *series, size_t length, float course[B])
{
    kb_scale_series(KB_SCALE_BINS_MAX, series, length, B, B, course);
}

static size_t class_of(const kb_courses *c, const kb_series *series, size_t length)
{
    float course[B];
    uint32_t label;
    course_of(series, length, course);
    kb_nearest(kb_const_matrix_of(course, 1, B), kb_const_matrix_of(c->course, c->classes, B),
               &label, NULL);
    return label;
}

/* Calls EACH for every series of an object that has a number. */
static void
walk(const kb_courses_source *s,
     void (*each)(void *ctx, size_t i, size_t o, const kb_series *series, size_t length), void *ctx)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t session = s->sessions[i], length = kb_store_length(s->store, session);
        for (size_t j = 0; j < kb_store_series_count(s->store, session); j++) {
            kb_series series = kb_store_series(s->store, session, j);
            if (s->number[series.object] != KB_NAME_NONE)
                each(ctx, i, s->number[series.object], &series, length);
        }
    }
}

/* --- classes ------------------------------------------------------------------------------ */

struct sample {
    size_t seen, total; /* series */
    size_t count, most; /* of them that are taken */
    float *course;      /* most x B */
};

static void count_series(void *ctx, size_t i, size_t o, const kb_series *series, size_t length)
{
    struct sample *s = ctx;
    (void)i, (void)o, (void)series, (void)length;
    s->total++;
}

static void take_series(void *ctx, size_t i, size_t o, const kb_series *series, size_t length)
{
    struct sample *s = ctx;
    (void)i, (void)o;
    s->seen++;
    if (s->count < (size_t)((double)s->most * (double)s->seen / (double)s->total))
        course_of(series, length, s->course + s->count++ * B);
}

static kb_status find_classes(kb_courses *c, const kb_courses_source *source, kb_error *err)
{
    struct sample s = {0};
    walk(source, count_series, &s);
    if (!s.total || !c->groups)
        return KB_OK;
    s.most = s.total < SAMPLE_MOST ? s.total : SAMPLE_MOST;
    s.course = kb_calloc(s.most, B * sizeof *s.course);
    if (!s.course)
        return kb_fail_memory(err, "courses");
    walk(source, take_series, &s);
    kb_kmeans km;
    kb_kmeans_options options =
        kb_kmeans_defaults(s.count < KB_COURSE_CLASSES ? s.count : KB_COURSE_CLASSES);
    options.restarts = RESTARTS;
    options.max_iterations = ITERATIONS;
    kb_status status =
        kb_kmeans_fit(&km, kb_const_matrix_of(s.course, s.count, B), &options, NULL, NULL, err);
    free(s.course);
    if (status)
        return status;
    c->classes = km.clusters;
    c->course = km.centroids;
    km.centroids = NULL;
    kb_kmeans_clear(&km);
    return KB_OK;
}

/* --- shares ------------------------------------------------------------------------------- */

struct tally {
    kb_courses *courses;
    const size_t *group;
    double *all; /* (M + 1) x C: of each object in all sessions; the last row: of all objects */
};

static void count_class(void *ctx, size_t i, size_t o, const kb_series *series, size_t length)
{
    struct tally *t = ctx;
    kb_courses *c = t->courses;
    size_t k = class_of(c, series, length);
    t->all[o * c->classes + k] += 1;
    t->all[c->objects * c->classes + k] += 1;
    if (t->group[i] != SIZE_MAX)
        c->rates[(t->group[i] * c->objects + o) * c->classes + k] += 1;
}

static double sum_of(const double *count, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += count[i];
    return sum;
}

/* COUNT (C) becomes shares, with PRIOR_SERIES that are as PRIOR says. */
static void draw_towards(double *count, size_t classes, const double *prior)
{
    double n = sum_of(count, classes);
    for (size_t k = 0; k < classes; k++)
        count[k] = (count[k] + PRIOR_SERIES * prior[k]) / (n + PRIOR_SERIES);
}

static void conclude(kb_courses *c, double *all)
{
    const size_t classes = c->classes;
    double even[KB_COURSE_CLASSES], shares[KB_COURSE_CLASSES];
    double *any = all + c->objects * classes;
    for (size_t k = 0; k < classes; k++)
        even[k] = 1 / (double)classes;
    draw_towards(any, classes, even);
    for (size_t o = 0; o < c->objects; o++)
        draw_towards(all + o * classes, classes, any);
    for (size_t i = 0; i < c->groups * c->objects; i++) {
        float *rates = c->rates + i * classes;
        for (size_t k = 0; k < classes; k++)
            shares[k] = (double)rates[k];
        draw_towards(shares, classes, all + i % c->objects * classes);
        for (size_t k = 0; k < classes; k++) /* as a share of 0 would surprise without bounds */
            rates[k] = fmaxf((float)shares[k], 1e-9F);
    }
}

static kb_status count_classes(kb_courses *c, const kb_courses_source *source, kb_error *err)
{
    size_t cells;
    struct tally t = {.courses = c, .group = source->group};
    t.all = kb_calloc(c->objects + 1, c->classes * sizeof *t.all);
    if (kb_size_mul(c->groups, c->objects, &cells))
        c->rates = kb_calloc(cells, c->classes * sizeof *c->rates);
    if (!t.all || !c->rates) {
        free(t.all);
        return kb_fail_memory(err, "courses");
    }
    walk(source, count_class, &t);
    conclude(c, t.all);
    free(t.all);
    return KB_OK;
}

/* --- the whole ---------------------------------------------------------------------------- */

kb_status kb_courses_fit(kb_courses *out, const kb_courses_source *source, kb_error *err)
{
    *out = (kb_courses){.groups = source->groups, .objects = source->objects};
    kb_status status = find_classes(out, source, err);
    if (!status && out->classes)
        status = count_classes(out, source, err);
    if (status)
        kb_courses_clear(out);
    return status;
}

kb_status kb_courses_finish(kb_courses *c, kb_error *err)
{
    if (!c->classes)
        return KB_OK;
    size_t cells = c->groups * c->objects;
    c->expected = kb_calloc(cells, sizeof *c->expected);
    c->spread2 = kb_calloc(cells, sizeof *c->spread2);
    if (!c->expected || !c->spread2)
        return kb_fail_memory(err, "courses");
    for (size_t i = 0; i < cells; i++) {
        double mean = 0, square = 0;
        for (size_t k = 0; k < c->classes; k++) {
            double p = (double)c->rates[i * c->classes + k], h = -log(p);
            mean += p * h;
            square += p * h * h;
        }
        c->expected[i] = (float)mean;
        c->spread2[i] = (float)fmax(square - mean * mean, 0);
    }
    return KB_OK;
}

void kb_courses_clear(kb_courses *c)
{
    free(c->course);
    free(c->rates);
    free(c->expected);
    free(c->spread2);
    *c = (kb_courses){0};
}

double kb_courses_surprise(const kb_courses *c, const kb_store *store, size_t session,
                           const uint32_t *number, size_t g)
{
    double sum = 0, spread2 = 0;
    size_t length = kb_store_length(store, session);
    if (!c->classes)
        return 0;
    for (size_t i = 0; i < kb_store_series_count(store, session); i++) {
        kb_series series = kb_store_series(store, session, i);
        uint32_t o = number[series.object];
        if (o == KB_NAME_NONE)
            continue;
        size_t cell = g * c->objects + o;
        float rate = c->rates[cell * c->classes + class_of(c, &series, length)];
        sum += -log((double)rate) - (double)c->expected[cell];
        spread2 += (double)c->spread2[cell];
    }
    return sum / sqrt(fmax(spread2, 1));
}
