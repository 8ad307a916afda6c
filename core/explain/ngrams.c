#include "ngrams.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

enum { CHECK_EVERY = 1 << 14 };

/* By tuple. Users are gone through one after the other, so the last one seen tells a new one. */
struct tally {
    uint64_t users;
    uint32_t last_user;
};

struct counting {
    kb_ngram_table table;
    struct tally *tallies;
    uint64_t *counts;
    size_t tally_capacity, count_capacity, known;
};

static void counting_clear(struct counting *c)
{
    kb_ngram_table_clear(&c->table);
    free(c->tallies);
    free(c->counts);
}

/* Room for tuple ID, which is the next one. */
static bool begin_tally(struct counting *c, size_t id, uint32_t user)
{
    if (!kb_grow((void **)&c->tallies, &c->tally_capacity, id + 1, sizeof *c->tallies) ||
        !kb_grow((void **)&c->counts, &c->count_capacity, id + 1, sizeof *c->counts))
        return false;
    c->tallies[id] = (struct tally){1, user};
    c->counts[id] = 0;
    c->known = id + 1;
    return true;
}

static bool count_one(struct counting *c, size_t id, uint32_t user)
{
    if (id >= c->known && !begin_tally(c, id, user))
        return false;
    struct tally *tally = &c->tallies[id];
    c->counts[id]++;
    tally->users += tally->last_user != user;
    tally->last_user = user;
    return true;
}

static kb_status count_all(struct counting *c, const kb_events *events, const kb_truncations *t,
                           const kb_progress *progress, kb_error *err)
{
    size_t ids[KB_NGRAM_MAX];
    for (size_t i = 0; i < t->count; i++) {
        if (i % CHECK_EVERY == 0) {
            kb_progress_report(progress, "n-grams", i, t->count);
            if (kb_cancelled(progress))
                return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        }
        size_t found = kb_ngram_table_add(&c->table, events, &t->items[i], ids);
        bool good = found > 0;
        for (size_t j = 0; good && j < found; j++)
            good = count_one(c, ids[j], t->items[i].user);
        if (!good)
            return kb_fail_memory(err, "the n-grams");
    }
    kb_progress_report(progress, "n-grams", t->count, t->count);
    return KB_OK;
}

static int by_rank(const void *a, const void *b, void *ctx)
{
    const kb_ngram_row *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return kb_ngram_compare(x->events, y->events, *(const size_t *)ctx);
}

/* Hands the tuples that are not folded over to OUT, in order. */
static void take_rows(kb_ngrams *out, struct counting *c, const bool *folded)
{
    for (size_t i = 0; i < c->known; i++)
        if (!folded[i])
            out->rows[out->count++] = (kb_ngram_row){kb_tuples_at(&c->table.tuples, i),
                                                     kb_ngram_table_length(&c->table, i),
                                                     c->counts[i], c->tallies[i].users};
    qsort_r(out->rows, out->count, sizeof *out->rows, by_rank, &out->width);
    out->storage = c->table.tuples.ids;
    c->table.tuples.ids = NULL;
}

static kb_status collect(kb_ngrams *out, struct counting *c, double fold, kb_error *err)
{
    out->rows = kb_calloc(c->known, sizeof *out->rows);
    bool *folded = kb_calloc(c->known, sizeof *folded);
    uint64_t *best = kb_calloc(c->known, sizeof *best);
    bool good = out->rows && folded && best;
    if (good) {
        out->folded = kb_ngram_fold(folded, best, c->counts, c->table.parents, c->known, fold);
        take_rows(out, c, folded);
    }
    free(folded);
    free(best);
    return good ? KB_OK : kb_fail_memory(err, "the n-grams");
}

kb_status kb_ngrams_of(kb_ngrams *out, const kb_events *events, const kb_truncations *truncations,
                       const kb_ngram_options *options, const kb_progress *progress, kb_error *err)
{
    memset(out, 0, sizeof *out);
    kb_status status = kb_ngram_check(options, err);
    if (status)
        return status;
    out->width = options->most - 1;
    struct counting c = {0};
    kb_ngram_table_init(&c.table, options);
    status = count_all(&c, events, truncations, progress, err);
    if (!status)
        status = collect(out, &c, options->fold, err);
    counting_clear(&c);
    if (status)
        kb_ngrams_clear(out);
    return status;
}

void kb_ngrams_clear(kb_ngrams *ngrams)
{
    free(ngrams->rows);
    free(ngrams->storage);
    memset(ngrams, 0, sizeof *ngrams);
}
