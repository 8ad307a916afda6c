#include "traits.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

enum { PARTS_MOST = 4 };

/* The mean over steps BEGIN..END - 1 of the window; outside the run there are zeros. */
static double mean_over(const kb_series *series, size_t begin, size_t end)
{
    size_t first = series->first, last = first + series->count;
    double sum = 0;
    for (size_t i = begin > first ? begin : first; i < end && i < last; i++)
        sum += (double)series->values[i - first];
    return sum / (double)(end - begin);
}

static double rise_of(const kb_series *series, size_t length)
{
    size_t parts = length < PARTS_MOST ? length : PARTS_MOST;
    if (parts < 2)
        return 0;
    double before = 0, last = 0;
    for (size_t i = 0; i < parts; i++) {
        before = last > before ? last : before;
        last = mean_over(series, length * i / parts, length * (i + 1) / parts);
    }
    return last - before;
}

kb_trait kb_trait_of(const kb_series *series, size_t length)
{
    double sum = 0;
    uint32_t steps = 0;
    for (uint32_t i = 0; i < series->count; i++) {
        sum += (double)series->values[i];
        steps += series->values[i] != 0;
    }
    return (kb_trait){.steps = steps,
                      .mean = (float)(sum / (double)steps),
                      .level = (float)(sum / (double)length),
                      .rise = (float)rise_of(series, length)};
}

/* Where the next trait of each object goes in a lane's sessions. */
struct measuring {
    kb_traits *traits;
    size_t *offset; /* sessions + 1: number of series before each */
    size_t *place;  /* by series, in the order of sessions: its item */
    const kb_progress *progress;
};

static void count_items(kb_traits *traits, const kb_store *store)
{
    for (size_t s = 0; s < kb_store_sessions(store); s++) {
        size_t n = kb_store_series_count(store, s);
        for (size_t i = 0; i < n; i++)
            traits->start[kb_store_series(store, s, i).object + 1]++;
    }
    for (size_t j = 0; j < traits->objects; j++)
        traits->start[j + 1] += traits->start[j];
}

static void place_items(struct measuring *m, const kb_store *store, size_t *next)
{
    size_t at = 0;
    for (size_t s = 0; s < kb_store_sessions(store); s++) {
        size_t n = kb_store_series_count(store, s);
        m->offset[s] = at;
        for (size_t i = 0; i < n; i++)
            m->place[at++] = next[kb_store_series(store, s, i).object]++;
    }
}

static void measure_session(void *ctx, size_t s)
{
    const struct measuring *m = ctx;
    const kb_store *store = kb_corpus_store(m->traits->corpus);
    size_t n = kb_store_series_count(store, s), length = kb_store_length(store, s);
    if (kb_cancelled(m->progress))
        return;
    for (size_t i = 0; i < n; i++) {
        kb_series series = kb_store_series(store, s, i);
        kb_trait *item = &m->traits->items[m->place[m->offset[s] + i]];
        *item = kb_trait_of(&series, length);
        item->session = (uint32_t)s;
    }
}

static kb_status measure_all(kb_traits *traits, kb_pool *pool, const kb_progress *progress,
                             kb_error *err)
{
    const kb_store *store = kb_corpus_store(traits->corpus);
    size_t sessions = kb_store_sessions(store), all = traits->start[traits->objects];
    size_t *next = kb_calloc(traits->objects, sizeof *next);
    struct measuring m = {traits, kb_calloc(sessions, sizeof *m.offset),
                          kb_calloc(all, sizeof *m.place), progress};
    kb_status status = KB_OK;
    if (next && m.offset && m.place) {
        memcpy(next, traits->start, traits->objects * sizeof *next);
        place_items(&m, store, next);
        kb_progress_report(progress, "measuring objects", 0, sessions);
        kb_pool_run(pool, sessions, measure_session, &m);
        if (kb_cancelled(progress))
            status = kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    } else {
        status = kb_fail_memory(err, "what objects did");
    }
    free(next);
    free(m.offset);
    free(m.place);
    return status;
}

kb_status kb_traits_create(kb_traits *out, const kb_corpus *corpus, kb_pool *pool,
                           const kb_progress *progress, kb_error *err)
{
    const kb_store *store = kb_corpus_store(corpus);
    *out = (kb_traits){.corpus = corpus, .objects = kb_store_objects(store)};
    out->start = kb_calloc(out->objects + 1, sizeof *out->start);
    if (out->start) {
        count_items(out, store);
        out->items = kb_calloc(out->start[out->objects], sizeof *out->items);
    }
    kb_status status = out->items ? measure_all(out, pool, progress, err)
                                  : kb_fail_memory(err, "what objects did");
    if (status)
        kb_traits_clear(out);
    return status;
}

void kb_traits_clear(kb_traits *traits)
{
    free(traits->start);
    free(traits->items);
    *traits = (kb_traits){0};
}
