#include "presence.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

double kb_presence_f1(double presence, double other)
{
    double denominator = presence + (presence + other) / 2;
    return denominator > 0 ? presence / denominator : 0;
}

static bool takes_part(const kb_corpus *corpus, const bool *considered, size_t s)
{
    return considered ? considered[s] : kb_corpus_session(corpus, s)->has_rows;
}

/* TALLY: one row an object of the store. The store keeps a series only for objects that are
 * present. */
static void tally_session(kb_presence_row *tally, const kb_store *store, size_t s, bool inside)
{
    size_t count = kb_store_series_count(store, s);
    for (size_t i = 0; i < count; i++) {
        kb_presence_row *row = &tally[kb_store_series(store, s, i).object];
        *(inside ? &row->inside : &row->outside) += 1;
    }
}

static void tally_all(kb_presence *out, const kb_corpus *corpus, const bool *member,
                      const bool *considered)
{
    const kb_store *store = kb_corpus_store(corpus);
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++) {
        if (!takes_part(corpus, considered, s))
            continue;
        *(member[s] ? &out->set_size : &out->rest_size) += 1;
        tally_session(out->rows, store, s, member[s]);
    }
}

static double share(uint32_t part, size_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

kb_presence_row kb_presence_row_of(uint32_t object, uint32_t inside, uint32_t outside,
                                   size_t set_size, size_t rest_size)
{
    double presence = share(inside, set_size), other = share(outside, rest_size);
    return (kb_presence_row){.object = object,
                             .inside = inside,
                             .outside = outside,
                             .presence = presence,
                             .other = other,
                             .f1 = kb_presence_f1(presence, other)};
}

/* Moves the rows of objects that the set has to the front, with their fractions, and forgets the
 * others. */
static void keep_present(kb_presence *out, size_t objects)
{
    for (size_t j = 0; j < objects; j++) {
        kb_presence_row row = out->rows[j];
        if (row.inside)
            out->rows[out->count++] = kb_presence_row_of((uint32_t)j, row.inside, row.outside,
                                                         out->set_size, out->rest_size);
    }
}

/* F = 2 / (3 + other / presence) falls as outside / inside rises. Compared as whole numbers: equal
 * ones must tie, and F as computed differs in its last bit. Object ids follow the bytewise order of
 * the names. */
int kb_presence_compare(const kb_presence_row *x, const kb_presence_row *y)
{
    uint64_t p = (uint64_t)x->outside * y->inside, q = (uint64_t)y->outside * x->inside;
    if (p != q)
        return p < q ? -1 : 1;
    if (x->inside != y->inside)
        return x->inside > y->inside ? -1 : 1;
    return (x->object > y->object) - (x->object < y->object);
}

static int by_rank(const void *a, const void *b)
{
    return kb_presence_compare(a, b);
}

kb_status kb_presence_of(kb_presence *out, const kb_corpus *corpus, const bool *member,
                         const bool *considered, kb_error *err)
{
    memset(out, 0, sizeof *out);
    size_t objects = kb_store_objects(kb_corpus_store(corpus));
    out->rows = kb_calloc(objects, sizeof *out->rows);
    if (!out->rows)
        return kb_fail_memory(err, "the presence of objects");
    tally_all(out, corpus, member, considered);
    keep_present(out, objects);
    qsort(out->rows, out->count, sizeof *out->rows, by_rank);
    return KB_OK;
}

void kb_presence_clear(kb_presence *presence)
{
    free(presence->rows);
    memset(presence, 0, sizeof *presence);
}
