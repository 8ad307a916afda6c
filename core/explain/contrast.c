#include "contrast.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "fdr.h"
#include "median.h"
#include "memory.h"
#include "odds.h"
#include "strata.h"

static const double STEADY = 5; /* sessions inside at which the area counts half */
static const double D_WEIGHT = .05, LEVEL_WEIGHT = .7, LEAST_SD = .1;

kb_contrast_options kb_contrast_defaults(void)
{
    return (kb_contrast_options){.given = KB_NO_OBJECT};
}

/* What the pieces of work share; each writes the row of its own object. */
struct comparison {
    const kb_traits *traits;
    kb_contrast *out;
    uint32_t given;
    kb_strata alone, by_presence, by_level, by_rise; /* the latter three only with GIVEN */
    const kb_progress *progress;
    atomic_bool no_memory; /* set by any piece, read when all are done */
};

/* --- one object --------------------------------------------------------------------------- */

typedef float trait_field(const kb_trait *item);

static float mean_field(const kb_trait *item)
{
    return item->mean;
}

static float level_field(const kb_trait *item)
{
    return item->level;
}

static float rise_field(const kb_trait *item)
{
    return item->rise;
}

/* The items of one object, with room for as many values. */
struct object_items {
    const kb_trait *items;
    size_t count;
    const uint8_t *group; /* of the contrast */
    kb_rank_value *values;
};

/* The rank test of a trait within STRATA; ABSENT: sessions without the object count as 0. */
static kb_effect rank_trait(const struct object_items *o, trait_field *field,
                            const kb_strata *strata, bool absent)
{
    uint64_t zeros[2 * KB_STRATA_MAX] = {0};
    for (size_t g = 0; g < 2 * strata->count && absent; g++)
        zeros[g] = strata->sizes[g];
    size_t n = 0;
    for (size_t i = 0; i < o->count; i++) {
        const kb_trait *item = &o->items[i];
        if (o->group[item->session] > 1)
            continue;
        uint32_t group = kb_strata_group(strata, item->session, o->group[item->session]);
        o->values[n++] = (kb_rank_value){(double)field(item), group};
        zeros[group] -= absent;
    }
    return kb_rank_test(o->values, n, zeros, strata->count);
}

static kb_effect odds_of(const struct object_items *o, const kb_strata *strata)
{
    kb_table2 tables[KB_STRATA_MAX];
    for (size_t h = 0; h < strata->count; h++)
        tables[h] = (kb_table2){.in_without = strata->sizes[2 * h + 1],
                                .out_without = strata->sizes[2 * h]};
    for (size_t i = 0; i < o->count; i++) {
        size_t session = o->items[i].session;
        if (o->group[session] > 1)
            continue;
        uint32_t group = kb_strata_group(strata, session, o->group[session]);
        kb_table2 *table = &tables[group / 2];
        *(group % 2 ? &table->in_with : &table->out_with) += 1;
        *(group % 2 ? &table->in_without : &table->out_without) -= 1;
    }
    return strata->count == 1 ? kb_log_odds(&tables[0])
                              : kb_log_odds_stratified(tables, strata->count);
}

/* Means and deviation; d follows when all objects' deviations are known. */
static kb_moments moments_of(const struct object_items *o, trait_field *field,
                             const kb_contrast *out)
{
    double sums[2] = {0}, squares = 0, n = (double)(out->set_size + out->rest_size);
    for (size_t i = 0; i < o->count; i++) {
        uint8_t group = o->group[o->items[i].session];
        if (group < 2)
            sums[group] += (double)field(&o->items[i]);
    }
    double mean = (sums[0] + sums[1]) / n, present = 0;
    for (size_t i = 0; i < o->count; i++) {
        if (o->group[o->items[i].session] > 1)
            continue;
        double off = (double)field(&o->items[i]) - mean;
        squares += off * off;
        present++;
    }
    squares += (n - present) * mean * mean;
    return (kb_moments){.inside = out->set_size ? sums[1] / (double)out->set_size : 0,
                        .outside = out->rest_size ? sums[0] / (double)out->rest_size : 0,
                        .mean = mean,
                        .sd = sqrt(squares / n)};
}

/* Counts of sessions, and the means over all steps at which the object is present. */
static void count_sessions(kb_contrast_row *row, const struct object_items *o,
                           const kb_contrast *out)
{
    uint32_t counts[2] = {0};
    double sums[2] = {0}, steps[2] = {0};
    for (size_t i = 0; i < o->count; i++) {
        const kb_trait *item = &o->items[i];
        uint8_t group = o->group[item->session];
        if (group > 1)
            continue;
        counts[group]++;
        sums[group] += (double)item->mean * (double)item->steps;
        steps[group] += (double)item->steps;
    }
    uint32_t set = (uint32_t)out->set_size, rest = (uint32_t)out->rest_size;
    row->presence = kb_presence_row_of(row->object, counts[1], counts[0], set, rest);
    row->absence = kb_presence_row_of(row->object, set - counts[1], rest - counts[0], set, rest);
    row->mean = counts[1] ? sums[1] / steps[1] : (double)NAN;
    row->mean_other = counts[0] ? sums[0] / steps[0] : (double)NAN;
}

static void compare_given(kb_contrast_row *row, const struct object_items *o,
                          const struct comparison *c)
{
    const kb_effect nothing = {(double)NAN, (double)NAN, (double)NAN, 1};
    for (int t = 0; t < KB_TESTS; t++)
        row->given[t] = nothing;
    if (!c->out->stratified || row->object == c->given)
        return;
    row->given[KB_TEST_ODDS] = odds_of(o, &c->by_presence);
    row->given[KB_TEST_LEVEL] = rank_trait(o, level_field, &c->by_level, true);
    row->given[KB_TEST_RISE] = rank_trait(o, rise_field, &c->by_rise, true);
}

static void compare_object(void *ctx, size_t j)
{
    struct comparison *c = ctx;
    kb_contrast_row *row = &c->out->rows[j];
    struct object_items o = {c->traits->items + c->traits->start[j], kb_traits_count(c->traits, j),
                             c->out->group, NULL};
    row->object = (uint32_t)j;
    count_sessions(row, &o, c->out);
    if (kb_cancelled(c->progress) || row->presence.inside + row->presence.outside == 0)
        return;
    o.values = kb_calloc(o.count, sizeof *o.values);
    if (!o.values) {
        atomic_store(&c->no_memory, true);
        return;
    }
    row->level = moments_of(&o, level_field, c->out);
    row->rise = moments_of(&o, rise_field, c->out);
    row->effect[KB_TEST_ODDS] = odds_of(&o, &c->alone);
    row->effect[KB_TEST_MEAN] = rank_trait(&o, mean_field, &c->alone, false);
    row->effect[KB_TEST_LEVEL] = rank_trait(&o, level_field, &c->alone, true);
    row->effect[KB_TEST_RISE] = rank_trait(&o, rise_field, &c->alone, true);
    compare_given(row, &o, c);
    free(o.values);
}

/* --- all objects together ----------------------------------------------------------------- */

static void keep_present(kb_contrast *out, size_t objects)
{
    for (size_t j = 0; j < objects; j++) {
        if (out->rows[j].presence.inside + out->rows[j].presence.outside)
            out->rows[out->count++] = out->rows[j];
    }
}

static kb_moments *moments(kb_contrast_row *row, kb_test test)
{
    return test == KB_TEST_RISE ? &row->rise : &row->level;
}

/* d = difference / (sd + LEAST_SD * the median object's), its variance 1/m + 1/n + d^2 / 2(m + n).
 */
static void set_effect_sizes(kb_contrast *out, kb_test test, double *room)
{
    double m = (double)out->set_size, n = (double)out->rest_size;
    size_t count = 0;
    for (size_t i = 0; i < out->count; i++) {
        double sd = moments(&out->rows[i], test)->sd;
        if (sd > 0)
            room[count++] = sd;
    }
    double least = count ? LEAST_SD * kb_median(room, count) : 0;
    for (size_t i = 0; i < out->count; i++) {
        kb_moments *of = moments(&out->rows[i], test);
        double scale = of->sd + least;
        of->d = scale > 0 && m > 0 && n > 0 ? (of->inside - of->outside) / scale : 0;
        double half = KB_Z95 * sqrt(1 / m + 1 / n + of->d * of->d / (2 * (m + n)));
        of->low = of->d - half;
        of->high = of->d + half;
    }
}

static double score_of(const kb_contrast *out, kb_contrast_row *row, kb_test test)
{
    double n = (double)out->set_size, steady = n / (n + STEADY);
    double area = out->stratified ? row->given[test].value : row->effect[test].value;
    if (isnan(area))
        return -INFINITY;
    double d = out->stratified ? 0 : moments(row, test)->d;
    return steady * kb_rank_delta(area) + D_WEIGHT * d;
}

static kb_effect twice_tested(const kb_effect *lead, const kb_effect *other)
{
    kb_effect effect = *lead;
    double p = 2 * (lead->p < other->p ? lead->p : other->p);
    effect.p = p < 1 ? p : 1;
    return effect;
}

static void combine(const kb_contrast *out, kb_contrast_row *row)
{
    row->score[KB_TEST_LEVEL] = score_of(out, row, KB_TEST_LEVEL);
    row->score[KB_TEST_RISE] = score_of(out, row, KB_TEST_RISE);
    double rise = row->score[KB_TEST_RISE], level = LEVEL_WEIGHT * row->score[KB_TEST_LEVEL];
    row->lead = level > rise ? KB_TEST_LEVEL : KB_TEST_RISE;
    row->score[KB_TEST_COMBINED] = level > rise ? level : rise;
    kb_test other = row->lead == KB_TEST_RISE ? KB_TEST_LEVEL : KB_TEST_RISE;
    row->effect[KB_TEST_COMBINED] = twice_tested(&row->effect[row->lead], &row->effect[other]);
    row->given[KB_TEST_COMBINED] = twice_tested(&row->given[row->lead], &row->given[other]);
}

/* Q of one test of all rows; GIVEN: of what remains. */
static kb_status control(kb_contrast *out, kb_test test, bool given, double *room, kb_error *err)
{
    for (size_t i = 0; i < out->count; i++) {
        const kb_effect *effect = given ? &out->rows[i].given[test] : &out->rows[i].effect[test];
        room[i] = isnan(effect->value) ? (double)NAN : effect->p;
    }
    kb_status status = kb_fdr(room, room, out->count, err);
    for (size_t i = 0; i < out->count && !status; i++)
        *(given ? &out->rows[i].given_q[test] : &out->rows[i].q[test]) = room[i];
    return status;
}

static kb_status finish(kb_contrast *out, kb_error *err)
{
    double *room = kb_calloc(out->count, sizeof *room);
    if (!room)
        return kb_fail_memory(err, "comparing objects");
    set_effect_sizes(out, KB_TEST_LEVEL, room);
    set_effect_sizes(out, KB_TEST_RISE, room);
    for (size_t i = 0; i < out->count; i++)
        combine(out, &out->rows[i]);
    kb_status status = KB_OK;
    for (kb_test t = 0; t < KB_TESTS && !status; t++) {
        status = control(out, t, false, room, err);
        if (!status)
            status = control(out, t, true, room, err);
    }
    free(room);
    return status;
}

/* --- the whole ---------------------------------------------------------------------------- */

static void set_groups(kb_contrast *out, const kb_corpus *corpus, const bool *member,
                       const bool *considered)
{
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++) {
        bool part = considered ? considered[s] : kb_corpus_session(corpus, s)->has_rows;
        out->group[s] = part ? member[s] : 2;
        out->set_size += part && member[s];
        out->rest_size += part && !member[s];
    }
}

static kb_status make_strata(struct comparison *c, size_t sessions, kb_error *err)
{
    const uint8_t *group = c->out->group;
    kb_strata_none(&c->alone, group, sessions);
    kb_status status = KB_OK;
    if (c->out->stratified)
        status = kb_strata_by(&c->by_presence, c->traits, c->given, KB_STRATA_PRESENCE, group, err);
    if (!status && c->out->stratified)
        status = kb_strata_by(&c->by_level, c->traits, c->given, KB_STRATA_LEVEL, group, err);
    if (!status && c->out->stratified)
        status = kb_strata_by(&c->by_rise, c->traits, c->given, KB_STRATA_RISE, group, err);
    return status;
}

static kb_status compare_all(struct comparison *c, kb_pool *pool, kb_error *err)
{
    kb_contrast *out = c->out;
    size_t objects = c->traits->objects;
    kb_status status = make_strata(c, kb_corpus_sessions(c->traits->corpus), err);
    if (status)
        return status;
    kb_progress_report(c->progress, "comparing objects", 0, objects);
    kb_pool_run(pool, objects, compare_object, c);
    if (kb_cancelled(c->progress))
        return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    if (atomic_load(&c->no_memory))
        return kb_fail_memory(err, "comparing objects");
    keep_present(out, objects);
    return finish(out, err);
}

kb_status kb_contrast_of(kb_contrast *out, const kb_traits *traits, const bool *member,
                         const bool *considered, const kb_contrast_options *options, kb_pool *pool,
                         const kb_progress *progress, kb_error *err)
{
    size_t sessions = kb_corpus_sessions(traits->corpus);
    struct comparison c = {
        .traits = traits, .out = out, .given = options->given, .progress = progress};
    *out = (kb_contrast){.stratified = options->given != KB_NO_OBJECT};
    out->rows = kb_calloc(traits->objects, sizeof *out->rows);
    out->group = kb_calloc(sessions, sizeof *out->group);
    kb_status status = KB_OK;
    if (!out->rows || !out->group) {
        status = kb_fail_memory(err, "comparing objects");
    } else {
        set_groups(out, traits->corpus, member, considered);
        status = compare_all(&c, pool, err);
    }
    kb_strata_clear(&c.alone);
    kb_strata_clear(&c.by_presence);
    kb_strata_clear(&c.by_level);
    kb_strata_clear(&c.by_rise);
    if (status)
        kb_contrast_clear(out);
    return status;
}

void kb_contrast_clear(kb_contrast *contrast)
{
    free(contrast->rows);
    free(contrast->group);
    *contrast = (kb_contrast){0};
}
