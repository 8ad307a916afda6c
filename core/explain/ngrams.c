/* Tuples are found through an open-addressing table of their numbers and kept, one after the other,
 * in one growing array. */
#include "ngrams.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

enum { N_MAX = 64, CHECK_EVERY = 1 << 16 };

kb_ngram_options kb_ngram_defaults(void)
{
    return (kb_ngram_options){.n = 3, .start = "app.launched", .end = "app.terminated"};
}

static kb_status check(const kb_ngram_options *options, kb_error *err)
{
    if (options->n < 2 || options->n > N_MAX)
        return kb_fail(err, KB_ERR_USAGE, "n is %zu; it must be between 2 and %d", options->n,
                       N_MAX);
    if (!options->start || !*options->start)
        return kb_fail(err, KB_ERR_USAGE, "the start event needs a name");
    if (!options->end || !*options->end)
        return kb_fail(err, KB_ERR_USAGE, "the end event needs a name");
    return KB_OK;
}

/* What is known of one tuple. Users are gone through one after the other, so the last one seen
 * tells a new one. */
struct tally {
    uint64_t count, users;
    size_t last_user;
    uint32_t hash;
};

#define FREE_SLOT SIZE_MAX

struct table {
    size_t width; /* n - 1 */
    struct tally *tallies;
    uint32_t *tuples; /* count x width */
    size_t count, tally_capacity, tuple_capacity;
    size_t *slots;     /* number of a tuple, or FREE_SLOT */
    size_t slot_count; /* a power of two, more than count */
};

static void table_clear(struct table *table)
{
    free(table->tallies);
    free(table->tuples);
    free(table->slots);
}

/* FNV-1a over whole ids, folded so that the low bits depend on all of them. */
static uint32_t hash_tuple(const uint32_t *tuple, size_t width)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < width; i++)
        h = (h ^ tuple[i]) * 0x100000001B3u;
    h ^= h >> 32;
    return (uint32_t)(h * 0x9E3779B97F4A7C15u >> 32);
}

static const uint32_t *tuple_at(const struct table *table, size_t i)
{
    return table->tuples + i * table->width;
}

static bool grow_slots(struct table *table)
{
    size_t wanted = table->slot_count ? table->slot_count * 2 : 256;
    size_t *slots = kb_calloc(wanted, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < wanted; i++)
        slots[i] = FREE_SLOT;
    for (size_t i = 0; i < table->count; i++) {
        size_t at = table->tallies[i].hash & (wanted - 1);
        while (slots[at] != FREE_SLOT)
            at = (at + 1) & (wanted - 1);
        slots[at] = i;
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = wanted;
    return true;
}

static size_t *find_slot(struct table *table, const uint32_t *tuple, uint32_t hash)
{
    size_t mask = table->slot_count - 1, bytes = table->width * sizeof *tuple;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        size_t i = table->slots[at];
        if (i == FREE_SLOT ||
            (table->tallies[i].hash == hash && memcmp(tuple_at(table, i), tuple, bytes) == 0))
            return &table->slots[at];
    }
}

static bool table_append(struct table *table, const uint32_t *tuple, uint32_t hash, size_t user)
{
    size_t ids;
    if (!kb_size_mul(table->count + 1, table->width, &ids) ||
        !kb_grow((void **)&table->tuples, &table->tuple_capacity, ids, sizeof *table->tuples) ||
        !kb_grow((void **)&table->tallies, &table->tally_capacity, table->count + 1,
                 sizeof *table->tallies))
        return false;
    memcpy(table->tuples + ids - table->width, tuple, table->width * sizeof *tuple);
    table->tallies[table->count++] = (struct tally){1, 1, user, hash};
    return true;
}

static bool table_add(struct table *table, const uint32_t *tuple, size_t user)
{
    if ((table->count + 1) * 2 > table->slot_count && !grow_slots(table))
        return false;
    uint32_t hash = hash_tuple(tuple, table->width);
    size_t *slot = find_slot(table, tuple, hash);
    if (*slot == FREE_SLOT) {
        *slot = table->count;
        return table_append(table, tuple, hash, user);
    }
    struct tally *tally = &table->tallies[*slot];
    tally->count++;
    tally->users += tally->last_user != user;
    tally->last_user = user;
    return true;
}

/* TUPLE becomes the WIDTH events before events[at], oldest first, KB_NAME_NONE before the log's
 * first. */
static void look_back(uint32_t *tuple, size_t width, const kb_event *events, size_t at)
{
    for (size_t i = 0; i < width; i++)
        tuple[i] = at + i < width ? KB_NAME_NONE : events[at + i - width].event;
}

static kb_status count_user(struct table *table, const kb_events *events, size_t user,
                            uint32_t start, uint32_t end, const kb_progress *progress,
                            kb_error *err)
{
    uint32_t tuple[N_MAX - 1];
    size_t length;
    const kb_event *log = kb_events_of(events, user, &length);
    for (size_t i = 1; i < length; i++) {
        if (i % CHECK_EVERY == 0 && kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        if (log[i].event != start || log[i - 1].event == end)
            continue;
        look_back(tuple, table->width, log, i);
        if (!table_add(table, tuple, user))
            return kb_fail_memory(err, "the n-grams");
    }
    return KB_OK;
}

static kb_status count_all(struct table *table, const kb_events *events, const bool *users,
                           const kb_ngram_options *options, const kb_progress *progress,
                           kb_error *err)
{
    uint32_t start = kb_events_find_kind(events, options->start);
    uint32_t end = kb_events_find_kind(events, options->end);
    size_t count = kb_events_users(events);
    for (size_t user = 0; user < count && start != KB_NAME_NONE; user++) {
        if (user % 1024 == 0)
            kb_progress_report(progress, "n-grams", user, count);
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        if (users && !users[user])
            continue;
        kb_status status = count_user(table, events, user, start, end, progress, err);
        if (status)
            return status;
    }
    kb_progress_report(progress, "n-grams", count, count);
    return KB_OK;
}

/* Ids of events follow the order of their names; KB_NAME_NONE + 1 wraps to 0, so an empty column
 * comes first. */
static int by_rank(const void *a, const void *b, void *ctx)
{
    const kb_ngram_row *x = a, *y = b;
    size_t width = *(const size_t *)ctx;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    for (size_t i = 0; i < width; i++) {
        uint32_t p = x->events[i] + 1, q = y->events[i] + 1;
        if (p != q)
            return p < q ? -1 : 1;
    }
    return 0;
}

/* Hands the tuples over to OUT, in order. */
static kb_status collect(kb_ngrams *out, struct table *table, kb_error *err)
{
    kb_ngram_row *rows = kb_calloc(table->count, sizeof *rows);
    if (!rows)
        return kb_fail_memory(err, "the n-grams");
    for (size_t i = 0; i < table->count; i++)
        rows[i] =
            (kb_ngram_row){tuple_at(table, i), table->tallies[i].count, table->tallies[i].users};
    qsort_r(rows, table->count, sizeof *rows, by_rank, &table->width);
    out->rows = rows;
    out->count = table->count;
    out->storage = table->tuples;
    table->tuples = NULL;
    return KB_OK;
}

kb_status kb_ngrams_of(kb_ngrams *out, const kb_events *events, const bool *users,
                       const kb_ngram_options *options, const kb_progress *progress, kb_error *err)
{
    memset(out, 0, sizeof *out);
    kb_status status = check(options, err);
    if (status)
        return status;
    out->n = options->n;
    struct table table = {.width = options->n - 1};
    status = count_all(&table, events, users, options, progress, err);
    if (!status)
        status = collect(out, &table, err);
    table_clear(&table);
    return status;
}

void kb_ngrams_clear(kb_ngrams *ngrams)
{
    free(ngrams->rows);
    free(ngrams->storage);
    memset(ngrams, 0, sizeof *ngrams);
}
