/* Samples wait in one array in the order of their arrival. When there are enough of them they are
 * sorted by session (counting sort, so that arrival order holds within a session) and each
 * session's are worked into its window: times into steps, what is older than the last t distinct
 * times is dropped, and per object the old run is laid out in a row, the new readings are written
 * over it in order of arrival, and the row is encoded again. No sample is compared with another,
 * and a time once pushed out of a full window can never come back, since t later ones are known. */
#include "ingest.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "order.h"

#define DROPPED UINT32_MAX

struct sample {
    kb_time time;
    uint32_t session, object;
    float value;
};

/* The samples of one object: readings[begin .. end). */
struct group {
    uint32_t object;
    uint32_t begin, end;
};

struct reading {
    uint32_t step;
    float value;
};

/* Growing arrays, used again for each session. */
struct work {
    uint32_t *order; /* sample numbers by session */
    size_t order_capacity;
    uint32_t *ends; /* by session: where its part of order ends */
    size_t ends_capacity;

    kb_time *times; /* the session's distinct times, the old window's first */
    size_t time_count, times_capacity;
    uint32_t *slots; /* hash table of indices into times */
    size_t slot_count, slots_capacity;
    uint32_t *sorted; /* indices into times, rising */
    size_t sorted_capacity;
    uint32_t *steps; /* by index into times: step of the new window, or DROPPED */
    size_t steps_capacity;
    uint32_t *places; /* by the session's samples: index into times */
    size_t places_capacity;

    uint32_t *group_of; /* by object: index into groups + 1; all 0 between sessions */
    size_t group_of_capacity;
    struct group *groups;
    size_t group_count, groups_capacity;
    struct reading *readings; /* by group, then by arrival */
    size_t readings_capacity;

    float *row;       /* one object's steps; all 0 between objects */
    size_t low, high; /* row is 0 outside of [low, high) */
    struct kb_run *runs;
    size_t run_count, runs_capacity;
    float *values;
    size_t value_count, values_capacity;
};

struct kb_ingest {
    size_t timesteps, budget;
    kb_names *sessions, *objects;
    struct kb_window *windows; /* by session */
    size_t windows_count, windows_capacity;
    struct sample *samples;
    size_t count, capacity, limit; /* compacted when count reaches limit */
    uint64_t stored;               /* floats in all windows */
    struct work work;
};

#define GROW(work, what, needed)                                                                   \
    kb_grow((void **)&(work)->what, &(work)->what##_capacity, needed, sizeof *(work)->what)

static bool same_time(kb_time a, kb_time b)
{
    return a.whole == b.whole && a.atto == b.atto;
}

/* --- times into steps
 * -----------------------------------------------------------------------------------------------
 */

static size_t hash_time(kb_time t)
{
    uint64_t h = (uint64_t)t.whole * 0x9E3779B97F4A7C15u ^ t.atto * 0xD6E8FEB86659FD93u;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9u;
    return (size_t)(h >> 32);
}

/* The slot that holds T, or the free one where it belongs. */
static size_t find_slot(const struct work *w, kb_time t)
{
    size_t mask = w->slot_count - 1, i = hash_time(t) & mask;
    while (w->slots[i] != DROPPED && !same_time(w->times[w->slots[i]], t))
        i = (i + 1) & mask;
    return i;
}

/* A table of at least twice NEEDED slots, filled with the times there are. */
static bool build_slots(struct work *w, size_t needed)
{
    size_t count = 256;
    while (count < 2 * needed)
        count *= 2;
    if (!GROW(w, slots, count))
        return false;
    w->slot_count = count;
    memset(w->slots, 0xFF, count * sizeof *w->slots);
    for (size_t i = 0; i < w->time_count; i++)
        w->slots[find_slot(w, w->times[i])] = (uint32_t)i;
    return true;
}

/* The index of T among the session's times; DROPPED: no memory. */
static uint32_t intern_time(struct work *w, kb_time t)
{
    size_t slot = find_slot(w, t);
    if (w->slots[slot] != DROPPED)
        return w->slots[slot];
    if (!GROW(w, times, w->time_count + 1))
        return DROPPED;
    uint32_t index = (uint32_t)w->time_count++;
    w->times[index] = t;
    w->slots[slot] = index;
    if (2 * w->time_count > w->slot_count && !build_slots(w, 2 * w->time_count))
        return DROPPED;
    return index;
}

/* Fills times and places. Most samples carry the time of the one before or the one after that,
 * which spares the table. */
static bool place_samples(struct work *w, const struct kb_window *old, const struct sample *samples,
                          const uint32_t *order, size_t count)
{
    if (!GROW(w, times, old->length) || !GROW(w, places, count))
        return false;
    w->time_count = old->length;
    if (old->length)
        memcpy(w->times, old->times, old->length * sizeof *w->times);
    if (!build_slots(w, old->length + 1))
        return false;
    size_t hint = 0;
    for (size_t i = 0; i < count; i++) {
        kb_time t = samples[order[i]].time;
        if (hint < w->time_count && same_time(w->times[hint], t)) {
            w->places[i] = (uint32_t)hint;
        } else if (hint + 1 < w->time_count && same_time(w->times[hint + 1], t)) {
            w->places[i] = (uint32_t)++hint;
        } else {
            hint = w->places[i] = intern_time(w, t);
            if (hint == DROPPED)
                return false;
        }
    }
    return true;
}

static int by_time(const void *a, const void *b, void *ctx)
{
    const kb_time *times = ctx;
    return kb_time_compare(times[*(const uint32_t *)a], times[*(const uint32_t *)b]);
}

/* Fills sorted and steps; returns how many of the oldest times fall out of a window of TIMESTEPS,
 * or SIZE_MAX without memory. */
static size_t set_steps(struct work *w, size_t timesteps)
{
    size_t n = w->time_count, dropped = n > timesteps ? n - timesteps : 0;
    if (!GROW(w, sorted, n) || !GROW(w, steps, n))
        return SIZE_MAX;
    bool rising = true;
    for (size_t i = 0; i < n; i++) {
        w->sorted[i] = (uint32_t)i;
        rising &= i == 0 || kb_time_compare(w->times[i - 1], w->times[i]) < 0;
    }
    if (!rising)
        qsort_r(w->sorted, n, sizeof *w->sorted, by_time, w->times);
    for (size_t i = 0; i < n; i++)
        w->steps[w->sorted[i]] = i < dropped ? DROPPED : (uint32_t)(i - dropped);
    return dropped;
}

/* --- samples by object
 * ---------------------------------------------------------------------------------------------- */

static bool count_groups(struct work *w, const struct sample *samples, const uint32_t *order,
                         size_t count)
{
    w->group_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (w->steps[w->places[i]] == DROPPED)
            continue;
        uint32_t *g = &w->group_of[samples[order[i]].object];
        if (!*g) {
            if (!GROW(w, groups, w->group_count + 1))
                return false;
            w->groups[w->group_count++] = (struct group){samples[order[i]].object, 0, 0};
            *g = (uint32_t)w->group_count;
        }
        w->groups[*g - 1].end++;
    }
    return true;
}

/* Counting sort: after it each group's readings lie together, in order of arrival. */
static bool group_samples(struct work *w, const struct sample *samples, const uint32_t *order,
                          size_t count)
{
    if (!count_groups(w, samples, order, count) || !GROW(w, readings, count))
        return false;
    uint32_t total = 0;
    for (size_t g = 0; g < w->group_count; g++) {
        uint32_t size = w->groups[g].end;
        w->groups[g].begin = w->groups[g].end = total;
        total += size;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t step = w->steps[w->places[i]];
        if (step == DROPPED)
            continue;
        const struct sample *s = &samples[order[i]];
        w->readings[w->groups[w->group_of[s->object] - 1].end++] = (struct reading){step, s->value};
    }
    return true;
}

/* --- rows into runs
 * -------------------------------------------------------------------------------------------------
 */

static void put(struct work *w, size_t step, float value)
{
    w->row[step] = value;
    w->low = step < w->low ? step : w->low;
    w->high = step >= w->high ? step + 1 : w->high;
}

/* Appends the row as a run of OBJECT, if it holds anything, and clears it. */
static bool encode_row(struct work *w, uint32_t object)
{
    size_t first = w->low < w->high ? w->low : w->high, end = w->high; /* nothing put: empty */
    while (first < end && w->row[first] == 0)
        first++;
    while (end > first && w->row[end - 1] == 0)
        end--;
    size_t count = end - first;
    if (count) {
        if (!GROW(w, runs, w->run_count + 1) || !GROW(w, values, w->value_count + count))
            return false;
        w->runs[w->run_count++] =
            (struct kb_run){object, (uint16_t)first, (uint16_t)count, w->value_count};
        memcpy(w->values + w->value_count, w->row + first, count * sizeof *w->values);
        w->value_count += count;
    }
    if (w->low < w->high)
        memset(w->row + w->low, 0, (w->high - w->low) * sizeof *w->row);
    w->low = SIZE_MAX;
    w->high = 0;
    return true;
}

static void put_run(struct work *w, const struct kb_window *old, const struct kb_run *run)
{
    for (size_t j = 0; j < run->count; j++) {
        uint32_t step = w->steps[run->first + j];
        if (step != DROPPED)
            put(w, step, old->values[run->offset + j]);
    }
}

static void put_group(struct work *w, struct group *group)
{
    for (uint32_t i = group->begin; i < group->end; i++)
        put(w, w->readings[i].step, w->readings[i].value);
    group->end = group->begin; /* done */
}

static bool encode_rows(struct work *w, const struct kb_window *old)
{
    w->run_count = w->value_count = 0;
    for (size_t r = 0; r < old->run_count; r++) {
        uint32_t object = old->runs[r].object, g = w->group_of[object];
        put_run(w, old, &old->runs[r]);
        if (g)
            put_group(w, &w->groups[g - 1]);
        if (!encode_row(w, object))
            return false;
    }
    for (size_t g = 0; g < w->group_count; g++) {
        put_group(w, &w->groups[g]);
        if (!encode_row(w, w->groups[g].object))
            return false;
    }
    return true;
}

/* Replaces WINDOW by what the work arrays hold. */
static bool replace_window(struct kb_window *window, const struct work *w, size_t dropped)
{
    size_t length = w->time_count - dropped, bytes, part;
    if (!kb_size_mul(w->value_count, sizeof *w->values, &bytes) ||
        !kb_size_mul(w->run_count, sizeof *w->runs, &part) || !kb_size_add(bytes, part, &bytes) ||
        !kb_size_mul(length, sizeof *w->times, &part) || !kb_size_add(bytes, part, &bytes))
        return false;
    kb_time *times = malloc(bytes);
    if (!times)
        return false;
    struct kb_run *runs = (struct kb_run *)(void *)(times + length);
    float *values = (float *)(void *)(runs + w->run_count);
    for (size_t i = 0; i < length; i++)
        times[i] = w->times[w->sorted[dropped + i]];
    if (w->run_count) {
        memcpy(runs, w->runs, w->run_count * sizeof *runs);
        memcpy(values, w->values, w->value_count * sizeof *values);
    }
    free(window->times);
    *window = (struct kb_window){times, runs, values, length, w->run_count, w->value_count};
    return true;
}

/* Works COUNT samples of one session into its window. */
static bool update_window(struct work *w, struct kb_window *window, size_t timesteps,
                          const struct sample *samples, const uint32_t *order, size_t count)
{
    if (!place_samples(w, window, samples, order, count))
        return false;
    size_t dropped = set_steps(w, timesteps);
    if (dropped == SIZE_MAX)
        return false;
    bool done = group_samples(w, samples, order, count) && encode_rows(w, window) &&
                replace_window(window, w, dropped);
    for (size_t g = 0; g < w->group_count; g++)
        w->group_of[w->groups[g].object] = 0;
    return done;
}

/* --- all sessions
 * ---------------------------------------------------------------------------------------------------
 */

static bool make_room(kb_ingest *ingest)
{
    struct work *w = &ingest->work;
    size_t objects = kb_names_count(ingest->objects), before = w->group_of_capacity;
    if (!GROW(w, group_of, objects) || !GROW(w, order, ingest->count) ||
        !GROW(w, ends, ingest->windows_count + 1))
        return false;
    memset(w->group_of + before, 0, (w->group_of_capacity - before) * sizeof *w->group_of);
    memset(w->ends, 0, (ingest->windows_count + 1) * sizeof *w->ends);
    return true;
}

/* Counting sort: order becomes the samples' numbers by session, ends[s] the end of the part of
 * session s. */
static void order_samples(kb_ingest *ingest)
{
    struct work *w = &ingest->work;
    for (size_t i = 0; i < ingest->count; i++)
        w->ends[ingest->samples[i].session + 1]++;
    for (size_t s = 0; s < ingest->windows_count; s++)
        w->ends[s + 1] += w->ends[s];
    for (size_t i = 0; i < ingest->count; i++)
        w->order[w->ends[ingest->samples[i].session]++] = (uint32_t)i;
}

/* So that rereading the windows stays a fixed fraction of the work when every session gets samples
 * all the time, more may wait the more is stored; up to four budgets, so that memory follows the
 * windows. */
static void set_limit(kb_ingest *ingest)
{
    uint64_t share = ingest->stored / 4, most = 4 * (uint64_t)ingest->budget;
    uint64_t limit = share < ingest->budget ? ingest->budget : share > most ? most : share;
    ingest->limit = (size_t)limit;
}

static kb_status compact(kb_ingest *ingest, kb_error *err)
{
    if (!ingest->count)
        return KB_OK;
    if (!make_room(ingest))
        return kb_fail_memory(err, "sorting samples");
    order_samples(ingest);
    struct work *w = &ingest->work;
    uint32_t begin = 0;
    for (size_t s = 0; s < ingest->windows_count; s++) {
        uint32_t end = w->ends[s];
        struct kb_window *window = &ingest->windows[s];
        size_t before = window->value_count;
        if (end > begin && !update_window(w, window, ingest->timesteps, ingest->samples,
                                          w->order + begin, end - begin))
            return kb_fail_memory(err, "a session's window");
        ingest->stored += window->value_count - before;
        begin = end;
    }
    ingest->count = 0;
    set_limit(ingest);
    return KB_OK;
}

/* --- the builder
 * ----------------------------------------------------------------------------------------------------
 */

kb_status kb_ingest_create(kb_ingest **out, size_t timesteps, kb_error *err)
{
    *out = NULL;
    if (timesteps < 1 || timesteps > UINT16_MAX)
        return kb_fail(err, KB_ERR_USAGE, "timesteps: %zu is not in 1..65535", timesteps);
    kb_ingest *ingest = kb_calloc(1, sizeof *ingest);
    if (!ingest)
        return kb_fail_memory(err, "a corpus");
    ingest->timesteps = timesteps;
    ingest->sessions = kb_names_create();
    ingest->objects = kb_names_create();
    ingest->work.row = kb_calloc(timesteps, sizeof *ingest->work.row);
    ingest->work.low = SIZE_MAX;
    kb_ingest_set_budget(ingest, KB_INGEST_BUDGET);
    if (!ingest->sessions || !ingest->objects || !ingest->work.row) {
        kb_ingest_free(ingest);
        return kb_fail_memory(err, "a corpus");
    }
    *out = ingest;
    return KB_OK;
}

void kb_ingest_set_budget(kb_ingest *ingest, size_t samples)
{
    ingest->budget = samples;
    set_limit(ingest);
}

static void free_work(struct work *w)
{
    free(w->order);
    free(w->ends);
    free(w->times);
    free(w->slots);
    free(w->sorted);
    free(w->steps);
    free(w->places);
    free(w->group_of);
    free(w->groups);
    free(w->readings);
    free(w->row);
    free(w->runs);
    free(w->values);
    *w = (struct work){0};
}

void kb_ingest_free(kb_ingest *ingest)
{
    if (!ingest)
        return;
    for (size_t s = 0; s < ingest->windows_count; s++)
        free(ingest->windows[s].times);
    free(ingest->windows);
    free(ingest->samples);
    free_work(&ingest->work);
    kb_names_free(ingest->sessions);
    kb_names_free(ingest->objects);
    free(ingest);
}

uint32_t kb_ingest_session(kb_ingest *ingest, const char *name, size_t length)
{
    uint32_t id = kb_names_add(ingest->sessions, name, length);
    if (id == KB_NAME_NONE || id < ingest->windows_count)
        return id;
    if (!GROW(ingest, windows, ingest->windows_count + 1))
        return KB_NAME_NONE;
    ingest->windows[ingest->windows_count++] = (struct kb_window){0};
    return id;
}

uint32_t kb_ingest_object(kb_ingest *ingest, const char *name, size_t length)
{
    return kb_names_add(ingest->objects, name, length);
}

static bool is_too_old(const kb_ingest *ingest, uint32_t session, kb_time time)
{
    const struct kb_window *window = &ingest->windows[session];
    return window->length == ingest->timesteps && kb_time_compare(time, window->times[0]) < 0;
}

kb_status kb_ingest_add(kb_ingest *ingest, uint32_t session, uint32_t object, kb_time time,
                        float value, kb_error *err)
{
    if (is_too_old(ingest, session, time))
        return KB_OK;
    if (ingest->count >= ingest->limit) {
        kb_status status = compact(ingest, err);
        if (status != KB_OK)
            return status;
    }
    if (ingest->count == ingest->capacity && !kb_grow((void **)&ingest->samples, &ingest->capacity,
                                                      ingest->count + 1, sizeof *ingest->samples))
        return kb_fail_memory(err, "samples");
    ingest->samples[ingest->count++] = (struct sample){time, session, object, value};
    return KB_OK;
}

/* --- from the builder to the store
 * ---------------------------------------------------------------------------------- */

static int by_object(const void *a, const void *b)
{
    uint32_t x = ((const struct kb_run *)a)->object, y = ((const struct kb_run *)b)->object;
    return x < y ? -1 : x > y;
}

static void count_window(kb_store *store, const struct kb_window *window)
{
    for (size_t i = 0; i < window->value_count; i++)
        store->nonzero += window->values[i] != 0;
    store->bytes += window->length * sizeof *window->times +
                    window->run_count * sizeof *window->runs +
                    window->value_count * sizeof *window->values;
}

/* What a table of names takes, about: text, entry, and two slots of the hash table. */
static uint64_t names_bytes(const kb_names *names)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < kb_names_count(names); i++)
        bytes += kb_names_length(names, (uint32_t)i) + 40;
    return bytes;
}

/* Moves the windows over and gives sessions and objects their final ids. */
static void move_windows(kb_ingest *ingest, kb_store *store, const uint32_t *new_session,
                         const uint32_t *new_object)
{
    for (size_t s = 0; s < ingest->windows_count; s++) {
        struct kb_window *window = &store->windows[new_session[s]];
        *window = ingest->windows[s];
        ingest->windows[s] = (struct kb_window){0};
        for (size_t r = 0; r < window->run_count; r++)
            window->runs[r].object = new_object[window->runs[r].object];
        if (window->run_count)
            qsort(window->runs, window->run_count, sizeof *window->runs, by_object);
        count_window(store, window);
    }
}

static bool build_store(kb_ingest *ingest, kb_store *store)
{
    uint32_t *new_session = NULL, *new_object = NULL;
    store->timesteps = ingest->timesteps;
    store->sessions = kb_names_in_order(ingest->sessions, &new_session);
    store->objects = kb_names_in_order(ingest->objects, &new_object);
    store->windows = kb_calloc(ingest->windows_count, sizeof *store->windows);
    bool done = store->sessions && store->objects && store->windows;
    if (done) {
        move_windows(ingest, store, new_session, new_object);
        store->bytes += ingest->windows_count * sizeof *store->windows +
                        names_bytes(store->sessions) + names_bytes(store->objects);
    }
    free(new_session);
    free(new_object);
    return done;
}

kb_status kb_ingest_finish(kb_ingest *ingest, kb_store **out, kb_error *err)
{
    *out = NULL;
    kb_status status = compact(ingest, err);
    free(ingest->samples);
    ingest->samples = NULL;
    free_work(&ingest->work);
    kb_store *store = NULL;
    if (status == KB_OK) {
        store = kb_calloc(1, sizeof *store);
        if (!store || !build_store(ingest, store)) {
            kb_store_free(store);
            store = NULL;
            status = kb_fail_memory(err, "a corpus");
        }
    }
    kb_ingest_free(ingest);
    *out = store;
    return status;
}
