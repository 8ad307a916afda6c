#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "outliers.h"
#include "sorting.h"

/* How many sessions of all a group's rate is drawn with: an object that none of ten sessions had is
 * rare there, not impossible. */
static const double PRIOR_SESSIONS = 4;
static const size_t LEAST_GROUP = 12;
static const float LEAST_SCALE = .1F; /* of the median deviation */

uint32_t *kb_reference_numbers(const kb_names *seen, const kb_store *store)
{
    size_t objects = kb_store_objects(store);
    uint32_t *number = kb_calloc(objects, sizeof *number);
    for (size_t o = 0; number && o < objects; o++) {
        const char *name = kb_store_object_name(store, o);
        number[o] = kb_names_find(seen, name, strlen(name));
    }
    return number;
}

/* --- levels ------------------------------------------------------------------------------- */

double kb_reference_level(const kb_series *series, size_t length)
{
    double sum = 0;
    for (uint32_t i = 0; i < series->count; i++)
        sum += (double)series->values[i];
    return log1p(sum / (double)length);
}

size_t kb_reference_class(const kb_reference *reference, size_t o, double level)
{
    const float *edge = reference->edges + o * (KB_LEVELS - 1);
    size_t class = 1;
    while (class < KB_LEVELS && (float)level > edge[class - 1]) /* as edges are rounded */
        class ++;
    return class;
}

/* Levels of all objects, one run an object. */
struct levels {
    size_t *start; /* M + 1 */
    float *value;
};

/* Calls EACH for every series of an object in SEEN. */
static void walk(const kb_reference_source *s, const uint32_t *number,
                 void (*each)(void *ctx, size_t i, size_t o, double level), void *ctx)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t session = s->sessions[i], length = kb_store_length(s->store, session);
        for (size_t j = 0; j < kb_store_series_count(s->store, session); j++) {
            kb_series series = kb_store_series(s->store, session, j);
            uint32_t o = number[series.object];
            if (o != KB_NAME_NONE)
                each(ctx, i, o, kb_reference_level(&series, length));
        }
    }
}

static void count_series(void *ctx, size_t i, size_t o, double level)
{
    size_t *start = ctx;
    (void)i;
    (void)level;
    start[o + 1]++;
}

static void put_level(void *ctx, size_t i, size_t o, double level)
{
    struct levels *l = ctx;
    (void)i;
    l->value[l->start[o]++] = (float)level;
}

static kb_status gather_levels(struct levels *l, const kb_reference *r,
                               const kb_reference_source *s, const uint32_t *number, kb_error *err)
{
    *l = (struct levels){.start = kb_calloc(r->objects + 1, sizeof *l->start)};
    if (!l->start)
        return kb_fail_memory(err, "levels");
    walk(s, number, count_series, l->start);
    for (size_t o = 0; o < r->objects; o++)
        l->start[o + 1] += l->start[o];
    l->value = kb_calloc(l->start[r->objects], sizeof *l->value);
    if (!l->value)
        return kb_fail_memory(err, "levels");
    walk(s, number, put_level, l);
    /* Each start has moved to the end of its run. */
    memmove(l->start + 1, l->start, r->objects * sizeof *l->start);
    l->start[0] = 0;
    return KB_OK;
}

/* The upper end of level B (1 ..) of N sorted values: the ceil(B n / KB_LEVELS)-th. */
static float edge_of(const float *sorted, size_t n, size_t b)
{
    size_t rank = (b * n + KB_LEVELS - 1) / KB_LEVELS;
    return n ? sorted[rank ? rank - 1 : 0] : 0;
}

static void fit_levels(kb_reference *r, struct levels *l)
{
    for (size_t o = 0; o < r->objects; o++) {
        float *value = l->value + l->start[o];
        size_t n = l->start[o + 1] - l->start[o];
        kb_sort_floats(value, n);
        for (size_t b = 1; b < KB_LEVELS; b++)
            r->edges[o * (KB_LEVELS - 1) + b - 1] = edge_of(value, n, b);
        r->counts[o * KB_CLASSES] = (float)(r->sessions - n);
        for (size_t i = 0; i < n; i++)
            r->counts[o * KB_CLASSES + kb_reference_class(r, o, (double)value[i])] += 1;
    }
}

/* Scales, from the levels of the sessions that have an object and zeros for the others. */
static kb_status fit_scales(kb_reference *r, const struct levels *l, kb_error *err)
{
    float *sorted = kb_calloc(r->objects, sizeof *sorted);
    r->scale = kb_calloc(r->objects, sizeof *r->scale);
    if (!sorted || !r->scale) {
        free(sorted);
        return kb_fail_memory(err, "levels");
    }
    for (size_t o = 0; o < r->objects; o++) {
        double sum = 0, sum2 = 0, n = (double)r->sessions;
        for (size_t i = l->start[o]; i < l->start[o + 1]; i++) {
            sum += (double)l->value[i];
            sum2 += (double)l->value[i] * (double)l->value[i];
        }
        sorted[o] = r->scale[o] = (float)sqrt(fmax(sum2 / n - sum / n * (sum / n), 0));
    }
    kb_sort_floats(sorted, r->objects);
    float median = r->objects ? sorted[r->objects / 2] : 0;
    float least = median > 0 ? LEAST_SCALE * median : LEAST_SCALE;
    for (size_t o = 0; o < r->objects; o++)
        r->scale[o] += least;
    free(sorted);
    return KB_OK;
}

/* --- groups ------------------------------------------------------------------------------- */

/* The share of all sessions that have object O, never 0 or 1. */
static double base_rate(const kb_reference *r, size_t o)
{
    double with = (double)r->sessions - (double)r->counts[o * KB_CLASSES];
    return (with + .5) / ((double)r->sessions + 1);
}

struct tally {
    const uint32_t *group;
    const size_t *place; /* by group: its row in rates; SIZE_MAX when left out */
    kb_reference *reference;
};

static void count_presence(void *ctx, size_t i, size_t o, double level)
{
    struct tally *t = ctx;
    kb_reference *r = t->reference;
    size_t g = t->place[t->group[i]];
    if (g == SIZE_MAX)
        return;
    r->rates[g * r->objects + o] += 1;
    r->levels[g * r->objects + o] += (float)level / r->scale[o];
}

/* PLACE: where each group goes; returns how many are kept. SIZE: sessions of each. */
static size_t keep_groups(const kb_reference_source *s, size_t *size, size_t *place)
{
    size_t kept = 0, least = s->count / (4 * s->groups);
    for (size_t i = 0; i < s->count; i++)
        size[s->group[i]]++;
    for (size_t g = 0; g < s->groups; g++) {
        bool large = size[g] > 0 && size[g] >= (least < LEAST_GROUP ? least : LEAST_GROUP);
        place[g] = large ? kept++ : SIZE_MAX;
        if (large)
            size[place[g]] = size[g];
    }
    return kept;
}

/* rate = (with + PRIOR_SESSIONS base) / (size + PRIOR_SESSIONS); levels become means. */
static void conclude_groups(kb_reference *r, const size_t *size)
{
    for (size_t g = 0; g < r->groups; g++)
        for (size_t o = 0; o < r->objects; o++) {
            float *rate = &r->rates[g * r->objects + o];
            *rate = (float)(((double)*rate + PRIOR_SESSIONS * base_rate(r, o)) /
                            ((double)size[g] + PRIOR_SESSIONS));
            r->levels[g * r->objects + o] /= (float)size[g];
        }
}

static kb_status fit_courses(kb_reference *r, const kb_reference_source *s, const uint32_t *number,
                             const size_t *place, kb_error *err)
{
    size_t *group = kb_calloc(s->count, sizeof *group);
    if (!group)
        return kb_fail_memory(err, "courses");
    for (size_t i = 0; i < s->count; i++)
        group[i] = place[s->group[i]];
    const kb_courses_source source = {s->store, number,     s->sessions, group,
                                      s->count, r->objects, r->groups};
    kb_status status = kb_courses_fit(&r->courses, &source, err);
    free(group);
    return status;
}

static kb_status fit_groups(kb_reference *r, const kb_reference_source *s, const uint32_t *number,
                            kb_error *err)
{
    size_t *size = kb_calloc(s->groups, sizeof *size), *place = kb_calloc(s->groups, sizeof *place);
    kb_status status = size && place ? KB_OK : kb_fail_memory(err, "groups of sessions");
    if (!status) {
        size_t cells;
        r->groups = keep_groups(s, size, place);
        if (kb_size_mul(r->groups, r->objects, &cells)) {
            r->rates = kb_calloc(cells, sizeof *r->rates);
            r->levels = kb_calloc(cells, sizeof *r->levels);
        }
        if (!r->rates || !r->levels)
            status = kb_fail_memory(err, "groups of sessions");
    }
    if (!status) {
        struct tally tally = {s->group, place, r};
        walk(s, number, count_presence, &tally);
        conclude_groups(r, size);
        status = fit_courses(r, s, number, place, err);
    }
    free(size);
    free(place);
    return status;
}

/* --- the whole ---------------------------------------------------------------------------- */

kb_status kb_reference_fit(kb_reference *out, const kb_reference_source *source, kb_error *err)
{
    kb_reference *r = out;
    *r = (kb_reference){.sessions = source->count, .objects = kb_names_count(source->seen)};
    uint32_t *number = kb_reference_numbers(source->seen, source->store);
    struct levels levels = {0};
    r->edges = kb_calloc(r->objects, (KB_LEVELS - 1) * sizeof *r->edges);
    r->counts = kb_calloc(r->objects, KB_CLASSES * sizeof *r->counts);
    kb_status status =
        number && r->edges && r->counts ? KB_OK : kb_fail_memory(err, "levels of objects");
    if (!status)
        status = gather_levels(&levels, r, source, number, err);
    if (!status) {
        fit_levels(r, &levels);
        status = fit_scales(r, &levels, err);
    }
    if (!status)
        status = fit_groups(r, source, number, err);
    free(levels.start);
    free(levels.value);
    free(number);
    if (status)
        kb_reference_clear(r);
    return status;
}

static float *copy_rows(kb_const_matrix m)
{
    size_t floats;
    float *rows =
        kb_size_mul(m.rows, m.cols, &floats) ? kb_alloc_aligned(floats, sizeof *rows) : NULL;
    for (size_t i = 0; rows && i < m.rows; i++)
        memcpy(rows + i * m.cols, kb_const_matrix_row(m, i), m.cols * sizeof *rows);
    return rows;
}

kb_status kb_reference_add_points(kb_reference *r, kb_const_matrix z, kb_const_matrix y,
                                  kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    double *distance = kb_calloc(y.rows, sizeof *distance);
    r->points = z.rows;
    r->latent = z.cols;
    r->leading = y.cols;
    r->z = copy_rows(z);
    r->y = copy_rows(y);
    r->spacing = kb_calloc(y.rows, sizeof *r->spacing);
    kb_status status = distance && r->z && r->y && r->spacing
                           ? KB_OK
                           : kb_fail_memory(err, "points to compare with");
    if (!status)
        status = kb_outliers_of(distance, NULL, y, y, NULL, KB_REFERENCE_NEIGHBOURS, true, pool,
                                progress, err);
    for (size_t i = 0; !status && i < y.rows; i++)
        r->spacing[i] = (float)distance[i];
    free(distance);
    return status;
}

kb_status kb_reference_finish(kb_reference *r, kb_error *err)
{
    size_t cells;
    r->offset = kb_calloc(r->groups, sizeof *r->offset);
    r->gain = kb_size_mul(r->groups, r->objects, &cells) ? kb_calloc(cells, sizeof *r->gain) : NULL;
    r->norm2 = kb_calloc(r->groups, sizeof *r->norm2);
    r->column = r->gain ? kb_calloc(cells, sizeof *r->column) : NULL;
    if (!r->offset || !r->gain || !r->norm2 || !r->column)
        return kb_fail_memory(err, "groups of sessions");
    for (size_t g = 0; g < r->groups; g++)
        for (size_t o = 0; o < r->objects; o++) {
            double base = base_rate(r, o), rate = (double)r->rates[g * r->objects + o];
            double absent = log1p(-rate) - log1p(-base);
            r->offset[g] += absent;
            r->gain[o * r->groups + g] = log(rate) - log(base) - absent;
            float level = r->levels[g * r->objects + o];
            r->column[o * r->groups + g] = level;
            r->norm2[g] += (double)level * (double)level;
        }
    return kb_courses_finish(&r->courses, err);
}

void kb_reference_clear(kb_reference *r)
{
    free(r->rates);
    free(r->z);
    free(r->y);
    free(r->spacing);
    free(r->edges);
    free(r->counts);
    free(r->offset);
    free(r->gain);
    free(r->scale);
    free(r->levels);
    free(r->norm2);
    free(r->column);
    kb_courses_clear(&r->courses);
    *r = (kb_reference){0};
}

/* SCRATCH: the groups' log likelihood ratios, then the squared distances of levels. *BEST: the
 * group of the largest ratio. */
static kb_group_fit best_of(const kb_reference *r, const double *scratch, double norm2,
                            size_t *best)
{
    const double *ratio = scratch, *distance2 = scratch + r->groups;
    double least = distance2[0];
    *best = 0;
    for (size_t g = 1; g < r->groups; g++) {
        *best = ratio[g] > ratio[*best] ? g : *best;
        least = fmin(least, distance2[g]);
    }
    double most = ratio[*best];
    return (kb_group_fit){.presence = copysign(sqrt(2 * fabs(most)), most),
                          .levels = sqrt(fmax(least + norm2, 0))};
}

/* |x - m|^2 = |m|^2 + |x|^2 - 2 x m, of which the latter two cost what is present. */
kb_group_fit kb_reference_fit_of(const kb_reference *r, const kb_store *store, size_t session,
                                 const uint32_t *number, double *scratch)
{
    double norm2 = 0, *ratio = scratch, *distance2 = scratch + r->groups;
    if (!r->groups)
        return (kb_group_fit){0};
    memcpy(ratio, r->offset, r->groups * sizeof *ratio);
    memcpy(distance2, r->norm2, r->groups * sizeof *distance2);
    for (size_t i = 0; i < kb_store_series_count(store, session); i++) {
        kb_series series = kb_store_series(store, session, i);
        uint32_t o = number[series.object];
        if (o == KB_NAME_NONE)
            continue;
        double x =
            kb_reference_level(&series, kb_store_length(store, session)) / (double)r->scale[o];
        norm2 += x * x;
        for (size_t g = 0; g < r->groups; g++) {
            ratio[g] += r->gain[o * r->groups + g];
            distance2[g] -= 2 * x * (double)r->column[o * r->groups + g];
        }
    }
    size_t best;
    kb_group_fit fit = best_of(r, scratch, norm2, &best);
    fit.course = kb_courses_surprise(&r->courses, store, session, number, best);
    return fit;
}
