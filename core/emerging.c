#include "emerging.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "emerging_spread.h"
#include "emerging_view.h"
#include "excess.h"
#include "memory.h"
#include "model_private.h"
#include "rays.h"
#include "representatives.h"
#include "rng.h"
#include "sorting.h"

enum {
    BLOCK = 256 /* sessions whose rows are made at once */
};
static const size_t KNOWN_CELLS = (size_t)1 << 26; /* of rows of known sessions, at most */

/* A list of sessions. */
struct list {
    size_t *ids, count;
};

struct grouping {
    const kb_model *model;
    const kb_corpus *corpus;
    const kb_assignment *assigned;
    uint64_t seed;
    kb_pool *pool;
    const kb_progress *progress;
    struct list emerging; /* those that groups are found on first */
    struct list known;    /* those that are compared with first */
    size_t fitted, compared;
    uint32_t *label;  /* of each of emerging: 0: straggler, 1 .. */
    kb_matrix places; /* of each: along the directions of the view that was taken */
    size_t groups, directions;
    double shared;
    kb_emerging *out;
};

const char *kb_emerging_kind_name(kb_emerging_kind kind)
{
    static const char *const names[] = {"clump", "shift", "stragglers"};
    return names[kind];
}

static kb_status fail_memory(kb_error *err)
{
    return kb_fail_memory(err, "emerging sessions");
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* --- who is who --------------------------------------------------------------------------- */

static kb_status list_sessions(struct grouping *g, const bool *chosen, kb_error *err)
{
    size_t sessions = kb_corpus_sessions(g->corpus);
    g->emerging.ids = kb_calloc(sessions, sizeof *g->emerging.ids);
    g->known.ids = kb_calloc(sessions, sizeof *g->known.ids);
    if (!g->emerging.ids || !g->known.ids)
        return fail_memory(err);
    for (size_t s = 0; s < sessions; s++) {
        if (!g->assigned[s].cluster)
            continue;
        if (!g->assigned[s].emerging)
            g->known.ids[g->known.count++] = s;
        else if (!chosen || chosen[s])
            g->emerging.ids[g->emerging.count++] = s;
    }
    kb_rng rng = kb_rng_start(g->seed, KB_STREAM_EXCESS + 200);
    kb_rng_shuffle(&rng, g->emerging.ids, g->emerging.count);
    kb_rng_shuffle(&rng, g->known.ids, g->known.count);
    size_t room = KNOWN_CELLS / (kb_store_objects(kb_corpus_store(g->corpus)) + 1);
    g->compared = least(g->known.count, least(KB_EMERGING_KNOWN, room > 100 ? room : 100));
    g->fitted = least(g->emerging.count, KB_EMERGING_FITTED);
    g->out->sessions = g->emerging.count;
    g->out->known = g->known.count;
    g->out->drawn = g->known.count < KB_EMERGING_FEW;
    return KB_OK;
}

static kb_status make_matrix(kb_matrix *out, size_t rows, size_t cols, kb_error *err)
{
    size_t floats;
    *out = kb_matrix_of(kb_size_mul(rows, cols, &floats) ? kb_calloc(floats, sizeof(float)) : NULL,
                        rows, cols);
    return out->data ? KB_OK : fail_memory(err);
}

/* --- one view ----------------------------------------------------------------------------- */

struct looking {
    kb_emerging_view view;
    kb_excess excess;
    kb_matrix places; /* E x r */
};

static void looking_clear(struct looking *l)
{
    kb_emerging_view_clear(&l->view);
    kb_excess_clear(&l->excess);
    free(l->places.data);
    *l = (struct looking){0};
}

/* The known sessions' rows, and what is compared with them. */
static kb_status compare_known(struct looking *l, const struct grouping *g, kb_emerging_scale scale,
                               kb_error *err)
{
    const kb_store *store = kb_corpus_store(g->corpus);
    kb_matrix x;
    size_t rows = g->out->drawn ? KB_EMERGING_DRAWN : g->compared;
    kb_status status = make_matrix(&x, rows, kb_store_objects(store), err);
    if (!status && g->out->drawn) {
        status = kb_emerging_view_draw(&l->view, store, g->model, g->seed, x, err);
    } else if (!status) {
        status = kb_emerging_view_fit(&l->view, store, scale, g->known.ids, g->compared, err);
        if (!status)
            kb_emerging_view_fill(&l->view, g->known.ids, g->compared, x);
    }
    if (!status)
        status = kb_excess_open(&l->excess, kb_matrix_const(x), g->pool, g->progress, err);
    free(x.data);
    return status;
}

/* Q: the excess of the emerging sessions from FIRST on. X: room for as many rows. */
static kb_status excess_of(const struct looking *l, const struct grouping *g, size_t first,
                           kb_matrix x, kb_matrix q, kb_error *err)
{
    kb_emerging_view_fill(&l->view, g->emerging.ids + first, x.rows, x);
    return kb_excess_of(&l->excess, kb_matrix_const(x), q, g->pool, g->progress, err);
}

static kb_status find_directions(struct looking *l, const struct grouping *g, kb_error *err)
{
    size_t objects = kb_store_objects(kb_corpus_store(g->corpus));
    kb_matrix x, q = {0};
    kb_status status = make_matrix(&x, g->fitted, objects, err);
    if (!status)
        status = make_matrix(&q, g->fitted, objects, err);
    if (!status)
        status = excess_of(l, g, 0, x, q, err);
    if (!status)
        status = kb_excess_find(&l->excess, kb_matrix_const(q), g->seed, g->progress, err);
    free(x.data);
    free(q.data);
    return status;
}

static kb_status place_all(struct looking *l, const struct grouping *g, kb_error *err)
{
    size_t objects = kb_store_objects(kb_corpus_store(g->corpus)), n = g->emerging.count;
    kb_matrix x, q = {0};
    kb_status status = make_matrix(&l->places, n, l->excess.rank, err);
    if (!status)
        status = make_matrix(&x, least(n, BLOCK), objects, err);
    if (status)
        return status;
    status = make_matrix(&q, x.rows, objects, err);
    for (size_t i = 0; !status && i < n; i += BLOCK) {
        x.rows = q.rows = least(n - i, BLOCK);
        kb_progress_report(g->progress, "placing sessions", i, n);
        status = excess_of(l, g, i, x, q, err);
        if (!status)
            kb_excess_place(&l->excess, kb_matrix_const(q),
                            kb_matrix_of(kb_matrix_row(l->places, i), x.rows, l->excess.rank));
    }
    free(x.data);
    free(q.data);
    return status;
}

static kb_status group_places(struct grouping *g, struct looking *l, kb_error *err)
{
    kb_rays rays;
    kb_const_matrix y = kb_matrix_const(l->places), some = y;
    some.rows = g->fitted;
    kb_status status =
        kb_rays_find(&rays, some, l->excess.radius, g->seed, g->pool, g->progress, err);
    if (status)
        return status;
    kb_rays_assign(&rays, y, g->label);
    g->groups = rays.count;
    g->directions = l->excess.rank;
    free(g->places.data);
    g->places = l->places;
    l->places.data = NULL;
    kb_rays_clear(&rays);
    return KB_OK;
}

/* Looks at the emerging sessions in the view SCALE, and keeps what it finds if they have more in
 * common there than in those before. */
static kb_status look(struct grouping *g, kb_emerging_scale scale, kb_error *err)
{
    struct looking l = {0};
    kb_status status = compare_known(&l, g, scale, err);
    if (!status)
        status = find_directions(&l, g, err);
    if (!status && l.excess.rank && l.excess.shared > g->shared) {
        g->shared = l.excess.shared;
        g->out->view = kb_emerging_scale_name(scale);
        status = place_all(&l, g, err);
        if (!status)
            status = group_places(g, &l, err);
    }
    looking_clear(&l);
    return status;
}

/* --- groups ------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    const kb_emerging_group *x = a, *y = b;
    bool last_x = x->kind == KB_EMERGING_STRAGGLERS, last_y = y->kind == KB_EMERGING_STRAGGLERS;
    if (last_x != last_y)
        return last_x ? 1 : -1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->count ? (*x->sessions > *y->sessions) - (*x->sessions < *y->sessions) : 0;
}

static kb_status find_medoid(const struct grouping *g, kb_emerging_group *group, uint32_t label,
                             kb_error *err)
{
    size_t *rows = kb_calloc(g->emerging.count, sizeof *rows), n = 0;
    kb_representatives found = {0};
    if (!rows)
        return fail_memory(err);
    for (size_t i = 0; i < g->emerging.count; i++)
        if (g->label[i] == label)
            rows[n++] = i;
    kb_status status =
        kb_representatives_of(&found, kb_matrix_const(g->places), rows, n, 0, g->progress, err);
    if (!status && found.count) {
        group->medoid = g->emerging.ids[found.items[0].row];
        group->has_medoid = true;
    }
    kb_representatives_clear(&found);
    free(rows);
    return status;
}

/* Labels with fewer than KB_RAYS_LEAST sessions become stragglers. */
static void dissolve_small(struct grouping *g, const size_t *size)
{
    for (size_t i = 0; i < g->emerging.count; i++)
        if (size[g->label[i]] < KB_RAYS_LEAST)
            g->label[i] = 0;
}

static kb_status take_group(struct grouping *g, uint32_t label, kb_error *err)
{
    kb_emerging_group *group = &g->out->groups[g->out->count];
    *group = (kb_emerging_group){.kind = label ? KB_EMERGING_CLUMP : KB_EMERGING_STRAGGLERS};
    group->sessions = kb_calloc(g->emerging.count, sizeof *group->sessions);
    if (!group->sessions)
        return fail_memory(err);
    g->out->count++;
    for (size_t i = 0; i < g->emerging.count; i++)
        if (g->label[i] == label)
            group->sessions[group->count++] = g->emerging.ids[i];
    kb_sort_sizes(group->sessions, group->count);
    if (label && group->count)
        return find_medoid(g, group, label, err);
    if (!group->count) {
        free(group->sessions);
        g->out->count--;
    }
    return KB_OK;
}

static kb_status take_groups(struct grouping *g, kb_error *err)
{
    size_t size[KB_RAYS_MAX + 1] = {0};
    g->out->groups = kb_calloc(g->groups + 1, sizeof *g->out->groups);
    if (!g->out->groups)
        return fail_memory(err);
    for (size_t i = 0; i < g->emerging.count; i++)
        size[g->label[i]]++;
    dissolve_small(g, size);
    kb_status status = KB_OK;
    for (size_t label = 0; !status && label <= g->groups; label++)
        status = take_group(g, (uint32_t)label, err);
    if (!status)
        qsort(g->out->groups, g->out->count, sizeof *g->out->groups, by_size);
    g->out->directions = g->directions;
    return status;
}

/* --- what is known of a group ------------------------------------------------------------- */

static void take_version(kb_emerging_group *group, const char *version)
{
    if (!*version)
        return;
    if (!*group->first || strverscmp(version, group->first) < 0)
        group->first = version;
    if (!*group->last || strverscmp(version, group->last) > 0)
        group->last = version;
}

static kb_status describe(const struct grouping *g, kb_emerging_group *group, kb_error *err)
{
    kb_names *users = kb_names_create();
    bool ok = users != NULL;
    group->first = group->last = "";
    for (size_t i = 0; ok && i < group->count; i++) {
        const kb_session *session = kb_corpus_session(g->corpus, group->sessions[i]);
        take_version(group, session->version);
        group->novelty += g->assigned[group->sessions[i]].novelty / (double)group->count;
        if (*session->user)
            ok = kb_names_add(users, session->user, strlen(session->user)) != KB_NAME_NONE;
    }
    group->users = ok ? kb_names_count(users) : 0;
    kb_names_free(users);
    return ok ? KB_OK : fail_memory(err);
}

static kb_status judge(const struct grouping *g, kb_error *err)
{
    kb_emerging_spread spread;
    kb_status status =
        kb_emerging_spread_open(&spread, g->model, g->corpus, g->known.ids, g->known.count,
                                g->out->drawn, g->pool, g->progress, err);
    for (size_t i = 0; !status && i < g->out->count; i++) {
        kb_emerging_group *group = &g->out->groups[i];
        status = describe(g, group, err);
        if (!status)
            status = kb_emerging_spread_of(&spread, group, g->pool, g->progress, err);
    }
    g->out->edge = status ? (double)NAN : kb_emerging_spread_edge(&spread);
    kb_emerging_spread_clear(&spread);
    return status;
}

/* --- the whole ---------------------------------------------------------------------------- */

static kb_status find_groups(struct grouping *g, const bool *chosen, kb_error *err)
{
    kb_status status = list_sessions(g, chosen, err);
    if (status || !g->emerging.count)
        return status;
    if (g->out->drawn && !g->model->reference.sessions)
        return kb_fail(
            err, KB_ERR_USAGE,
            "%s has only %zu sessions that are not emerging, and the model keeps none of "
            "its training to compare with",
            kb_corpus_path(g->corpus), g->known.count);
    g->label = kb_calloc(g->emerging.count, sizeof *g->label);
    if (!g->label)
        return fail_memory(err);
    status = look(g, KB_EMERGING_PRESENCE, err);
    if (!status && !g->out->drawn)
        status = look(g, KB_EMERGING_LEVELS, err);
    if (!status)
        status = take_groups(g, err);
    return status ? status : judge(g, err);
}

kb_status kb_emerging_of(kb_emerging *out, const kb_model *model, const kb_corpus *corpus,
                         const kb_assignment *assigned, const bool *chosen, uint64_t seed,
                         kb_pool *pool, const kb_progress *progress, kb_error *err)
{
    struct grouping g = {.model = model,
                         .corpus = corpus,
                         .assigned = assigned,
                         .seed = seed,
                         .pool = pool,
                         .progress = progress,
                         .out = out};
    *out = (kb_emerging){.view = kb_emerging_scale_name(KB_EMERGING_PRESENCE)};
    kb_status status = find_groups(&g, chosen, err);
    free(g.emerging.ids);
    free(g.known.ids);
    free(g.label);
    free(g.places.data);
    if (status)
        kb_emerging_clear(out);
    return status;
}

void kb_emerging_clear(kb_emerging *e)
{
    for (size_t i = 0; i < e->count; i++)
        free(e->groups[i].sessions);
    free(e->groups);
    *e = (kb_emerging){0};
}
