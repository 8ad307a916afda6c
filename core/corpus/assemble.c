/* From what several threads have read to one store: names in one order, then session by session the
 * partials laid over each other, on all threads. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ingest.h"
#include "memory.h"
#include "order.h"

/* A piece is some sessions: few, so that threads end together; and a piece has to make room for all
 * objects, so that there are not too many pieces either. */
enum { SESSIONS_A_PIECE = 16, PIECES_MAX = 1024 };

/* Which partials a session has. */
struct source {
    uint32_t lane, session;
};

struct assembly {
    kb_ingest **lanes;
    size_t lane_count;
    kb_store *store;
    const kb_progress *progress;
    uint32_t **new_session, **new_object; /* by lane: by id there, the id in the store */
    struct source *sources;               /* by session of the store, then by lane */
    size_t *starts;                       /* by session: where its sources start; one more */
    size_t piece;                         /* sessions of one */
    bool hold;
    atomic_bool no_memory;
    atomic_size_t done;
    atomic_uint_fast64_t nonzero, bytes;
};

/* --- names -------------------------------------------------------------------------------- */

static kb_names *names_of(const kb_ingest *lane, bool objects)
{
    return objects ? lane->objects : lane->sessions;
}

/* MAPS[lane][id there] becomes the id among all names. */
static bool number_names(const struct assembly *a, bool objects, kb_names *all, uint32_t **maps)
{
    for (size_t l = 0; l < a->lane_count; l++) {
        const kb_names *names = names_of(a->lanes[l], objects);
        size_t count = kb_names_count(names);
        maps[l] = kb_calloc(count, sizeof **maps);
        if (!maps[l])
            return false;
        for (uint32_t id = 0; id < count; id++) {
            maps[l][id] = kb_names_add(all, kb_names_get(names, id), kb_names_length(names, id));
            if (maps[l][id] == KB_NAME_NONE)
                return false;
        }
    }
    return true;
}

/* Also maps all names to those in order; NULL: no memory. */
static kb_names *order_names(const struct assembly *a, bool objects, uint32_t **maps)
{
    kb_names *all = kb_names_create(), *ordered = NULL;
    uint32_t *new_id = NULL;
    if (all && number_names(a, objects, all, maps))
        ordered = kb_names_in_order(all, &new_id);
    for (size_t l = 0; ordered && l < a->lane_count; l++) {
        size_t count = kb_names_count(names_of(a->lanes[l], objects));
        for (size_t id = 0; id < count; id++)
            maps[l][id] = new_id[maps[l][id]];
    }
    free(new_id);
    kb_names_free(all);
    return ordered;
}

/* --- sessions ----------------------------------------------------------------------------- */

/* Counting sort of all lanes' sessions by the store's. */
static bool find_sources(struct assembly *a)
{
    size_t sessions = kb_names_count(a->store->sessions), total = 0;
    for (size_t l = 0; l < a->lane_count; l++)
        total += a->lanes[l]->partials_count;
    a->starts = kb_calloc(sessions + 2, sizeof *a->starts);
    a->sources = kb_calloc(total, sizeof *a->sources);
    if (!a->starts || !a->sources)
        return false;
    for (size_t l = 0; l < a->lane_count; l++)
        for (size_t s = 0; s < a->lanes[l]->partials_count; s++)
            a->starts[a->new_session[l][s] + 2]++;
    for (size_t s = 2; s < sessions + 2; s++)
        a->starts[s] += a->starts[s - 1];
    for (size_t l = 0; l < a->lane_count; l++)
        for (size_t s = 0; s < a->lanes[l]->partials_count; s++)
            a->sources[a->starts[a->new_session[l][s] + 1]++] =
                (struct source){(uint32_t)l, (uint32_t)s};
    return true;
}

static void count_window(struct assembly *a, const struct kb_window *window)
{
    uint64_t nonzero = 0;
    for (size_t i = 0; i < window->value_count; i++)
        nonzero += window->values[i] != 0;
    atomic_fetch_add(&a->nonzero, nonzero);
    atomic_fetch_add(&a->bytes, window->length * sizeof *window->times +
                                    window->run_count * sizeof *window->runs +
                                    window->value_count * sizeof *window->values);
}

/* Lays COUNT layers over each other and concludes. */
static bool merge_layers(kb_combiner *merger, kb_combiner *concluder, size_t objects,
                         struct kb_window *out, const struct kb_layer *layers, size_t count)
{
    struct kb_partial merged;
    if (!kb_combiner_objects(merger, objects) || !kb_combine(merger, &merged, layers, count, NULL))
        return false;
    bool done = kb_conclude(concluder, out, &(struct kb_layer){&merged, NULL});
    free(merged.times);
    return done;
}

/* LAYERS has room for all lanes. */
static bool build_session(struct assembly *a, size_t session, kb_combiner *merger,
                          kb_combiner *concluder, struct kb_layer *layers)
{
    const struct source *from = &a->sources[a->starts[session]];
    size_t sources = a->starts[session + 1] - a->starts[session], count = 0;
    struct kb_window *window = &a->store->windows[session];
    for (size_t i = 0; i < sources; i++) {
        const struct kb_partial *p = &a->lanes[from[i].lane]->partials[from[i].session];
        if (p->times)
            layers[count++] = (struct kb_layer){p, a->new_object[from[i].lane]};
    }
    bool done = count == 0   ? true
                : count == 1 ? kb_conclude(concluder, window, layers)
                             : merge_layers(merger, concluder, kb_names_count(a->store->objects),
                                            window, layers, count);
    for (size_t i = 0; i < sources; i++) {
        struct kb_partial *p = &a->lanes[from[i].lane]->partials[from[i].session];
        free(p->times);
        *p = (struct kb_partial){0};
    }
    if (done)
        count_window(a, window);
    return done;
}

static void build_piece(void *ctx, size_t piece)
{
    struct assembly *a = ctx;
    size_t sessions = kb_names_count(a->store->sessions);
    size_t begin = piece * a->piece, end = begin + a->piece;
    if (atomic_load(&a->no_memory) || kb_cancelled(a->progress))
        return;
    kb_combiner *merger = kb_combiner_create(a->store->timesteps, a->hold, true);
    kb_combiner *concluder = kb_combiner_create(a->store->timesteps, a->hold, false);
    struct kb_layer *layers = kb_calloc(a->lane_count, sizeof *layers);
    bool done = merger && concluder && layers;
    for (size_t s = begin; done && s < end && s < sessions && !kb_cancelled(a->progress); s++)
        done = build_session(a, s, merger, concluder, layers);
    if (!done)
        atomic_store(&a->no_memory, true);
    kb_combiner_free(merger);
    kb_combiner_free(concluder);
    free(layers);
    size_t ready = atomic_fetch_add(&a->done, a->piece) + a->piece;
    kb_progress_report(a->progress, "sorting", ready < sessions ? ready : sessions, sessions);
}

/* --- the store ---------------------------------------------------------------------------- */

/* What a table of names takes, about: text, entry, and two slots of the hash table. */
static uint64_t names_bytes(const kb_names *names)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < kb_names_count(names); i++)
        bytes += kb_names_length(names, (uint32_t)i) + 40;
    return bytes;
}

static bool prepare(struct assembly *a)
{
    kb_store *store = a->store;
    a->new_session = kb_calloc(a->lane_count, sizeof *a->new_session);
    a->new_object = kb_calloc(a->lane_count, sizeof *a->new_object);
    if (!a->new_session || !a->new_object)
        return false;
    store->sessions = order_names(a, false, a->new_session);
    store->objects = order_names(a, true, a->new_object);
    if (!store->sessions || !store->objects)
        return false;
    store->windows = kb_calloc(kb_names_count(store->sessions), sizeof *store->windows);
    return store->windows && find_sources(a);
}

static void dispose(struct assembly *a)
{
    for (size_t l = 0; l < a->lane_count; l++) {
        if (a->new_session)
            free(a->new_session[l]);
        if (a->new_object)
            free(a->new_object[l]);
    }
    free(a->new_session);
    free(a->new_object);
    free(a->sources);
    free(a->starts);
}

static kb_status build(struct assembly *a, kb_pool *pool, kb_error *err)
{
    kb_store *store = a->store;
    if (!prepare(a))
        return kb_fail_memory(err, "a corpus");
    size_t sessions = kb_names_count(store->sessions);
    a->piece = sessions / PIECES_MAX < SESSIONS_A_PIECE ? SESSIONS_A_PIECE : sessions / PIECES_MAX;
    kb_pool_run(pool, (sessions + a->piece - 1) / a->piece, build_piece, a);
    if (atomic_load(&a->no_memory))
        return kb_fail_memory(err, "a corpus");
    if (kb_cancelled(a->progress))
        return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    store->nonzero = atomic_load(&a->nonzero);
    store->bytes = atomic_load(&a->bytes) + sessions * sizeof *store->windows +
                   names_bytes(store->sessions) + names_bytes(store->objects);
    return KB_OK;
}

kb_status kb_store_assemble(kb_store **out, kb_ingest **lanes, size_t count, kb_pool *pool,
                            const kb_progress *progress, kb_error *err)
{
    *out = NULL;
    struct assembly a = {.lanes = lanes, .lane_count = count, .progress = progress};
    kb_status status = KB_OK;
    for (size_t l = 0; status == KB_OK && l < count; l++) {
        status = kb_ingest_settle(lanes[l], err);
        kb_ingest_rest(lanes[l]);
    }
    a.store = status == KB_OK ? kb_calloc(1, sizeof *a.store) : NULL;
    if (status == KB_OK && !a.store)
        status = kb_fail_memory(err, "a corpus");
    if (status == KB_OK) {
        a.store->timesteps = lanes[0]->options.timesteps;
        a.hold = lanes[0]->options.fill == KB_FILL_HOLD;
        status = build(&a, pool, err);
    }
    dispose(&a);
    if (status != KB_OK) {
        kb_store_free(a.store);
        return status;
    }
    *out = a.store;
    return KB_OK;
}
