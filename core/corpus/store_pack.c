/* The windows' arrays lie one behind the other, session by session; a table tells how long each
 * session's part is. */
#include "store_pack.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "ingest.h"
#include "simd.h"

/* A session's part of times, runs and values. */
struct lengths {
    uint64_t values;
    uint32_t runs, times;
};

struct counts {
    uint64_t nonzero, bytes;
};

_Static_assert(sizeof(struct kb_run) == 16 && sizeof(kb_time) == 16 &&
                   sizeof(struct lengths) == 16 && sizeof(struct counts) == 16,
               "the layout of a packed store has holes");

/* --- packing ------------------------------------------------------------------------------ */

static kb_piece times_of(const struct kb_window *w)
{
    return (kb_piece){w->times, w->length * sizeof *w->times};
}

static kb_piece runs_of(const struct kb_window *w)
{
    return (kb_piece){w->runs, w->run_count * sizeof *w->runs};
}

static kb_piece values_of(const struct kb_window *w)
{
    return (kb_piece){w->values, w->value_count * sizeof *w->values};
}

static kb_status pack_windows(const kb_store *store, kb_packer *packer, const char *section,
                              kb_piece (*part)(const struct kb_window *), kb_error *err)
{
    size_t sessions = kb_store_sessions(store), bytes;
    kb_piece *pieces =
        kb_size_mul(sessions, sizeof *pieces, &bytes) ? kb_arena_alloc(packer->arena, bytes) : NULL;
    if (!pieces)
        return kb_fail_memory(err, section);
    for (size_t s = 0; s < sessions; s++)
        pieces[s] = part(&store->windows[s]);
    return kb_container_add_pieces(packer->writer, section, pieces, sessions, err);
}

static kb_status pack_lengths(const kb_store *store, kb_packer *packer, kb_error *err)
{
    size_t sessions = kb_store_sessions(store), bytes;
    struct lengths *lengths = kb_size_mul(sessions, sizeof *lengths, &bytes)
                                  ? kb_arena_alloc(packer->arena, bytes)
                                  : NULL;
    if (!lengths)
        return kb_fail_memory(err, "windows");
    for (size_t s = 0; s < sessions; s++) {
        const struct kb_window *w = &store->windows[s];
        lengths[s] = (struct lengths){w->value_count, (uint32_t)w->run_count, (uint32_t)w->length};
    }
    return kb_pack_array(packer, "windows", lengths, sessions, sizeof *lengths, err);
}

kb_status kb_store_pack(const kb_store *store, kb_packer *packer, kb_error *err)
{
    struct counts *counts = kb_arena_alloc(packer->arena, sizeof *counts);
    if (!counts)
        return kb_fail_memory(err, "counts");
    *counts = (struct counts){store->nonzero, store->bytes};
    kb_status status = kb_pack_array(packer, "store", counts, 1, sizeof *counts, err);
    if (!status)
        status = kb_pack_names(packer, "sessions", store->sessions, err);
    if (!status)
        status = kb_pack_names(packer, "objects", store->objects, err);
    if (!status)
        status = pack_lengths(store, packer, err);
    if (!status)
        status = pack_windows(store, packer, "times", times_of, err);
    if (!status)
        status = pack_windows(store, packer, "runs", runs_of, err);
    return status ? status : pack_windows(store, packer, "values", values_of, err);
}

/* --- unpacking ---------------------------------------------------------------------------- */

struct unpacking {
    kb_store *store;
    const struct lengths *lengths;
    const kb_time *times;
    const struct kb_run *runs;
    const float *values;
    size_t sessions, time_count, run_count, value_count;
};

static bool times_make_sense(const struct kb_window *w)
{
    for (size_t i = 0; i < w->length; i++)
        if (w->times[i].atto >= UINT64_C(1000000000000000000) ||
            (i && kb_time_compare(w->times[i - 1], w->times[i]) >= 0))
            return false;
    return true;
}

static bool runs_make_sense(const struct kb_window *w, size_t objects)
{
    for (size_t r = 0; r < w->run_count; r++) {
        const struct kb_run *run = &w->runs[r];
        if (run->object >= objects || (r && run->object <= run[-1].object) || !run->count ||
            (size_t)run->first + run->count > w->length || run->offset > w->value_count ||
            run->count > w->value_count - run->offset)
            return false;
    }
    return true;
}

/* Finite and not negative; comparisons with a NaN are false. */
KB_SIMD static bool values_make_sense(const float *values, size_t count)
{
    unsigned bad = 0;
    for (size_t i = 0; i < count; i++)
        bad |= !(values[i] >= 0 && values[i] <= FLT_MAX);
    return !bad;
}

/* The windows become parts of the sections; false: they do not fit. */
static bool cut_windows(struct unpacking *u)
{
    size_t times = 0, runs = 0, values = 0, objects = kb_names_count(u->store->objects);
    for (size_t s = 0; s < u->sessions; s++) {
        const struct lengths *n = &u->lengths[s];
        if (n->times > u->time_count - times || n->runs > u->run_count - runs ||
            n->values > u->value_count - values || n->times > u->store->timesteps)
            return false;
        struct kb_window *w = &u->store->windows[s];
        *w = (struct kb_window){(kb_time *)(uintptr_t)(u->times + times),
                                (struct kb_run *)(uintptr_t)(u->runs + runs),
                                (float *)(uintptr_t)(u->values + values),
                                n->times,
                                n->runs,
                                (size_t)n->values};
        if (!times_make_sense(w) || !runs_make_sense(w, objects))
            return false;
        times += n->times;
        runs += n->runs;
        values += (size_t)n->values;
    }
    return times == u->time_count && runs == u->run_count && values == u->value_count;
}

static kb_status find_arrays(struct unpacking *u, kb_container_reader *reader, kb_error *err)
{
    const void *lengths, *times, *runs, *values;
    kb_status status =
        kb_unpack_array(reader, "windows", sizeof *u->lengths, &lengths, &u->sessions, err);
    if (!status)
        status = kb_unpack_array(reader, "times", sizeof *u->times, &times, &u->time_count, err);
    if (!status)
        status = kb_unpack_array(reader, "runs", sizeof *u->runs, &runs, &u->run_count, err);
    if (!status)
        status =
            kb_unpack_array(reader, "values", sizeof *u->values, &values, &u->value_count, err);
    if (status)
        return status;
    u->lengths = lengths;
    u->times = times;
    u->runs = runs;
    u->values = values;
    if (u->sessions != kb_names_count(u->store->sessions))
        return kb_unpack_nonsense("windows", err);
    return values_make_sense(u->values, u->value_count) ? KB_OK : kb_unpack_nonsense("values", err);
}

static kb_status unpack(struct unpacking *u, kb_container_reader *reader, kb_error *err)
{
    kb_store *store = u->store;
    const void *counts;
    size_t one;
    kb_status status = kb_unpack_array(reader, "store", sizeof(struct counts), &counts, &one, err);
    if (!status && one != 1)
        status = kb_unpack_nonsense("store", err);
    if (!status)
        status = kb_unpack_names(reader, "sessions", true, &store->sessions, err);
    if (!status)
        status = kb_unpack_names(reader, "objects", true, &store->objects, err);
    if (!status)
        status = find_arrays(u, reader, err);
    if (status)
        return status;
    store->nonzero = ((const struct counts *)counts)->nonzero;
    store->bytes = ((const struct counts *)counts)->bytes;
    store->windows = kb_calloc(u->sessions, sizeof *store->windows);
    if (!store->windows)
        return kb_fail_memory(err, "a corpus");
    return cut_windows(u) ? KB_OK : kb_unpack_nonsense("windows", err);
}

kb_status kb_store_unpack(kb_store **out, kb_container_reader *reader, size_t timesteps,
                          kb_error *err)
{
    *out = NULL;
    struct unpacking u = {.store = kb_calloc(1, sizeof *u.store)};
    if (!u.store)
        return kb_fail_memory(err, "a corpus");
    u.store->timesteps = timesteps;
    u.store->borrowed = true;
    kb_status status = unpack(&u, reader, err);
    if (status)
        kb_store_free(u.store);
    else
        *out = u.store;
    return status;
}
