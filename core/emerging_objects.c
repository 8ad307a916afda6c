#include "emerging_objects.h"

#include <math.h>
#include <stdlib.h>

#include "emerging_view.h"
#include "fdr.h"
#include "fold.h"
#include "memory.h"
#include "model_private.h"
#include "odds.h"

static kb_status fail_memory(kb_error *err)
{
    return kb_fail_memory(err, "objects of emerging sessions");
}

static kb_status make_ranking(kb_emerging_ranking *ranking, size_t most, kb_error *err)
{
    ranking->objects = kb_calloc(most, sizeof *ranking->objects);
    return ranking->objects ? KB_OK : fail_memory(err);
}

/* --- against known sessions of the corpus ------------------------------------------------- */

struct comparing {
    kb_traits traits;
    bool *known, *member, *considered; /* by session */
    size_t sessions, top;
    kb_pool *pool;
    const kb_progress *progress;
};

static kb_status comparing_open(struct comparing *c, const kb_corpus *corpus,
                                const kb_assignment *assigned, kb_error *err)
{
    c->sessions = kb_corpus_sessions(corpus);
    c->known = kb_calloc(c->sessions, sizeof *c->known);
    c->member = kb_calloc(c->sessions, sizeof *c->member);
    c->considered = kb_calloc(c->sessions, sizeof *c->considered);
    if (!c->known || !c->member || !c->considered)
        return fail_memory(err);
    for (size_t s = 0; s < c->sessions; s++)
        c->known[s] = assigned[s].cluster && !assigned[s].emerging;
    return kb_traits_create(&c->traits, corpus, c->pool, c->progress, err);
}

static void comparing_close(struct comparing *c)
{
    free(c->known);
    free(c->member);
    free(c->considered);
    kb_traits_clear(&c->traits);
}

static size_t count_folded(const size_t *leader, size_t place, size_t ranked)
{
    size_t n = 0;
    for (size_t i = place + 1; i < ranked; i++)
        n += leader[i] == place;
    return n;
}

static kb_emerging_object object_of(const kb_contrast *contrast, const kb_contrast_row *row)
{
    return (kb_emerging_object){.object = row->object,
                                .presence = row->presence.presence,
                                .other = row->presence.other,
                                .effect = row->effect[KB_TEST_COMBINED],
                                .q = row->q[KB_TEST_COMBINED],
                                .gate = kb_contrast_gate(contrast, row, KB_BY_COMBINED)};
}

static kb_status take_rows(kb_emerging_ranking *ranking, const struct comparing *c,
                           const kb_contrast *contrast, kb_error *err)
{
    size_t *order = kb_calloc(contrast->count, sizeof *order);
    size_t *leader = kb_calloc(contrast->count, sizeof *leader);
    kb_status status = order && leader ? KB_OK : fail_memory(err);
    size_t ranked = status ? 0 : kb_contrast_order(contrast, KB_BY_COMBINED, order);
    if (!status)
        status = kb_fold(leader, contrast, &c->traits, order, ranked, c->top, c->progress, err);
    if (!status)
        status = make_ranking(ranking, ranked, err);
    for (size_t i = 0; !status && i < ranked; i++) {
        if (leader[i] != i || (c->top && ranking->count == c->top))
            continue;
        kb_emerging_object *object = &ranking->objects[ranking->count++];
        *object = object_of(contrast, &contrast->rows[order[i]]);
        object->folded = count_folded(leader, i, ranked);
    }
    free(order);
    free(leader);
    return status;
}

static kb_status compare_group(kb_emerging_ranking *ranking, struct comparing *c,
                               const kb_emerging_group *group, kb_error *err)
{
    kb_contrast contrast = {0};
    kb_contrast_options options = kb_contrast_defaults();
    for (size_t s = 0; s < c->sessions; s++) {
        c->member[s] = false;
        c->considered[s] = c->known[s];
    }
    for (size_t i = 0; i < group->count; i++)
        c->member[group->sessions[i]] = c->considered[group->sessions[i]] = true;
    kb_status status = kb_contrast_of(&contrast, &c->traits, c->member, c->considered, &options,
                                      c->pool, c->progress, err);
    if (!status)
        status = take_rows(ranking, c, &contrast, err);
    kb_contrast_clear(&contrast);
    return status;
}

/* --- against the model's training --------------------------------------------------------- */

static int by_rank(const void *a, const void *b)
{
    const kb_emerging_object *x = a, *y = b;
    bool ok_x = x->gate == KB_GATE_OK, ok_y = y->gate == KB_GATE_OK;
    if (ok_x != ok_y)
        return ok_x ? -1 : 1;
    if (x->effect.low < y->effect.low || x->effect.low > y->effect.low)
        return x->effect.low > y->effect.low ? -1 : 1;
    return (x->object > y->object) - (x->object < y->object);
}

/* The rules of contrast.h's gates. */
static kb_gate gate_of(const kb_contrast_row *row, const kb_contrast *contrast)
{
    return kb_contrast_gate(contrast, row, KB_BY_ODDS);
}

/* WITH: by object, sessions of the group. */
static void take_odds(kb_emerging_ranking *ranking, const kb_model *model, const uint32_t *number,
                      const uint32_t *with, size_t objects, size_t size, double *p)
{
    const kb_reference *r = &model->reference;
    for (size_t o = 0; o < objects; o++) {
        if (!with[o])
            continue;
        uint64_t without = number[o] == KB_NAME_NONE
                               ? r->sessions
                               : (uint64_t)r->counts[(size_t)number[o] * KB_CLASSES];
        kb_table2 table = {with[o], size - with[o], r->sessions - without, without};
        kb_emerging_object *object = &ranking->objects[ranking->count];
        *object = (kb_emerging_object){.object = (uint32_t)o,
                                       .presence = (double)with[o] / (double)size,
                                       .other = (double)table.out_with / (double)r->sessions,
                                       .effect = kb_log_odds(&table)};
        p[ranking->count++] = object->effect.p;
    }
}

static void conclude_odds(kb_emerging_ranking *ranking, const double *q, size_t size, size_t top)
{
    kb_contrast contrast = {.set_size = size};
    for (size_t i = 0; i < ranking->count; i++) {
        kb_emerging_object *object = &ranking->objects[i];
        kb_contrast_row row = {.presence = {.presence = object->presence, .other = object->other}};
        row.presence.inside = (uint32_t)lround(object->presence * (double)size);
        row.q[KB_TEST_ODDS] = object->q = q[i];
        object->gate = gate_of(&row, &contrast);
    }
    qsort(ranking->objects, ranking->count, sizeof *ranking->objects, by_rank);
    if (top && ranking->count > top)
        ranking->count = top;
}

static kb_status odds_of_group(kb_emerging_ranking *ranking, const kb_emerging_group *group,
                               const kb_model *model, const kb_store *store, const uint32_t *number,
                               size_t top, kb_error *err)
{
    size_t objects = kb_store_objects(store);
    uint32_t *with = kb_calloc(objects, sizeof *with);
    double *p = kb_calloc(objects, sizeof *p);
    kb_status status = with && p ? make_ranking(ranking, objects, err) : fail_memory(err);
    for (size_t i = 0; !status && i < group->count; i++)
        for (size_t j = 0; j < kb_store_series_count(store, group->sessions[i]); j++)
            with[kb_store_series(store, group->sessions[i], j).object]++;
    if (!status) {
        take_odds(ranking, model, number, with, objects, group->count, p);
        status = kb_fdr(p, p, ranking->count, err);
    }
    if (!status)
        conclude_odds(ranking, p, group->count, top);
    free(with);
    free(p);
    return status;
}

/* --- the whole ---------------------------------------------------------------------------- */

static kb_status rank_by_odds(kb_emerging_ranking *rankings, const kb_emerging *emerging,
                              const kb_model *model, const kb_corpus *corpus, size_t top,
                              kb_error *err)
{
    const kb_store *store = kb_corpus_store(corpus);
    uint32_t *number = kb_reference_numbers(model->seen, store);
    kb_status status = number ? KB_OK : fail_memory(err);
    for (size_t g = 0; !status && g < emerging->count; g++)
        status = odds_of_group(&rankings[g], &emerging->groups[g], model, store, number, top, err);
    free(number);
    return status;
}

kb_status kb_emerging_rank(kb_emerging_ranking *rankings, const kb_emerging *emerging,
                           const kb_model *model, const kb_corpus *corpus,
                           const kb_assignment *assigned, size_t top, kb_pool *pool,
                           const kb_progress *progress, kb_error *err)
{
    if (emerging->drawn)
        return rank_by_odds(rankings, emerging, model, corpus, top, err);
    struct comparing c = {.top = top, .pool = pool, .progress = progress};
    kb_status status = comparing_open(&c, corpus, assigned, err);
    for (size_t g = 0; !status && g < emerging->count; g++)
        status = compare_group(&rankings[g], &c, &emerging->groups[g], err);
    comparing_close(&c);
    return status;
}

void kb_emerging_rankings_clear(kb_emerging_ranking *rankings, size_t count)
{
    for (size_t g = 0; rankings && g < count; g++)
        free(rankings[g].objects);
}
