#include "twins.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "names.h"
#include "number.h"

/* Samples of one series, at FIRST + i * STEP for i < COUNT, in microseconds. */
struct stretch {
    int64_t first, step;
    uint64_t count;
    uint32_t series; /* its id in dropped */
};

/* An object of a session. */
struct pair {
    struct stretch *stretches; /* the oldest first */
    uint32_t count, capacity;
};

struct kb_twins {
    kb_names *sessions, *objects, *dropped;
    kb_names *keys; /* of pairs: the ids of session and object, as text */
    struct pair *pairs;
    size_t pair_capacity;
    bool *told; /* by object */
    size_t told_capacity;
    /* the series at hand */
    size_t pair;
    uint32_t object, series;
};

kb_twins *kb_twins_create(void)
{
    kb_twins *twins = kb_calloc(1, sizeof *twins);
    if (!twins)
        return NULL;
    twins->sessions = kb_names_create();
    twins->objects = kb_names_create();
    twins->dropped = kb_names_create();
    twins->keys = kb_names_create();
    if (twins->sessions && twins->objects && twins->dropped && twins->keys)
        return twins;
    kb_twins_free(twins);
    return NULL;
}

void kb_twins_free(kb_twins *twins)
{
    if (!twins)
        return;
    for (size_t i = 0; twins->keys && i < kb_names_count(twins->keys); i++)
        free(twins->pairs[i].stretches);
    kb_names_free(twins->sessions);
    kb_names_free(twins->objects);
    kb_names_free(twins->dropped);
    kb_names_free(twins->keys);
    free(twins->pairs);
    free(twins->told);
    free(twins);
}

/* --- the series at hand ------------------------------------------------------------------ */
static bool find_object(kb_twins *twins, kb_cell object)
{
    size_t before = kb_names_count(twins->objects);
    twins->object = kb_names_add(twins->objects, object.text, object.length);
    if (twins->object == KB_NAME_NONE || !kb_grow((void **)&twins->told, &twins->told_capacity,
                                                  (size_t)twins->object + 1, sizeof *twins->told))
        return false;
    if (twins->object == before)
        twins->told[before] = false;
    return true;
}

/* Room comes before the key, so that each key has its pair. */
static bool find_pair(kb_twins *twins, uint32_t session)
{
    char key[24];
    size_t before = kb_names_count(twins->keys);
    int n = snprintf(key, sizeof key, "%" PRIx32 " %" PRIx32, session, twins->object);
    if (!kb_grow((void **)&twins->pairs, &twins->pair_capacity, before + 1, sizeof *twins->pairs))
        return false;
    uint32_t id = kb_names_add(twins->keys, key, (size_t)n);
    if (id == before)
        twins->pairs[before] = (struct pair){0};
    twins->pair = id;
    return id != KB_NAME_NONE;
}

bool kb_twins_begin(kb_twins *twins, kb_cell session, kb_cell object, kb_cell dropped)
{
    uint32_t s = kb_names_add(twins->sessions, session.text, session.length);
    if (s == KB_NAME_NONE || !find_object(twins, object))
        return false;
    if (twins->told[twins->object])
        return true;
    twins->series = kb_names_add(twins->dropped, dropped.text, dropped.length);
    return twins->series != KB_NAME_NONE && find_pair(twins, s);
}

/* --- times ------------------------------------------------------------------------------- */
/* Differences of two such times are in range as well. */
static bool microseconds(kb_cell time, int64_t *out)
{
    static const int64_t most = INT64_C(4000000000000);
    static const uint64_t atto_in_micro = UINT64_C(1000000000000);
    kb_time parsed;
    if (kb_time_parse(&parsed, time.text, time.length) || parsed.whole > most ||
        parsed.whole < -most || parsed.atto % atto_in_micro)
        return false;
    *out = parsed.whole * 1000000 + (int64_t)(parsed.atto / atto_in_micro);
    return true;
}

static bool has(const struct stretch *stretch, int64_t time)
{
    int64_t behind = time - stretch->first;
    if (behind <= 0 || stretch->count == 1)
        return behind == 0;
    return behind % stretch->step == 0 && (uint64_t)(behind / stretch->step) < stretch->count;
}

/* TIME goes on where STRETCH ends. */
static bool extend(struct stretch *stretch, int64_t time)
{
    int64_t behind = time - stretch->first;
    if (behind <= 0)
        return false;
    if (stretch->count == 1)
        stretch->step = behind;
    else if (behind % stretch->step || (uint64_t)(behind / stretch->step) != stretch->count)
        return false;
    stretch->count++;
    return true;
}

/* Forgets a stretch if there are too many: the oldest of SERIES, or of all. */
static void make_room(struct pair *pair, uint32_t series)
{
    uint32_t own = 0, first = 0;
    for (uint32_t i = pair->count; i-- > 0;)
        if (pair->stretches[i].series == series) {
            own++;
            first = i;
        }
    if (own < KB_STRETCHES / 2 && pair->count < KB_STRETCHES)
        return;
    if (own < KB_STRETCHES / 2)
        first = 0;
    pair->count--;
    memmove(pair->stretches + first, pair->stretches + first + 1,
            (pair->count - first) * sizeof *pair->stretches);
}

/* False: no memory. Mostly there is but one, so that kb_grow would be too much. */
static bool add_stretch(struct pair *pair, struct stretch stretch)
{
    make_room(pair, stretch.series);
    if (pair->count == pair->capacity) {
        uint32_t room = pair->capacity ? 2 * pair->capacity : 1;
        struct stretch *grown = realloc(pair->stretches, room * sizeof *grown);
        if (!grown)
            return false;
        pair->stretches = grown;
        pair->capacity = room;
    }
    pair->stretches[pair->count++] = stretch;
    return true;
}

static bool remember(kb_twins *twins, struct pair *pair, int64_t time)
{
    for (uint32_t i = pair->count; i-- > 0;)
        if (pair->stretches[i].series == twins->series &&
            (has(&pair->stretches[i], time) || extend(&pair->stretches[i], time)))
            return true;
    return add_stretch(pair, (struct stretch){time, 0, 1, twins->series});
}

bool kb_twins_sample(kb_twins *twins, kb_cell time, const char **other)
{
    int64_t at;
    *other = NULL;
    if (twins->told[twins->object] || !microseconds(time, &at))
        return true;
    struct pair *pair = &twins->pairs[twins->pair];
    for (uint32_t i = 0; i < pair->count; i++) {
        const struct stretch *stretch = &pair->stretches[i];
        if (stretch->series == twins->series || !has(stretch, at))
            continue;
        twins->told[twins->object] = true;
        *other = kb_names_get(twins->dropped, stretch->series);
        return true;
    }
    return remember(twins, pair, at);
}
