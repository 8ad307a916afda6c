#include "ngram_table.h"

#include <stdlib.h>

#include "memory.h"

kb_ngram_options kb_ngram_defaults(void)
{
    return (kb_ngram_options){.least = 3, .most = 3, .fold = 0.95};
}

kb_status kb_ngram_check(const kb_ngram_options *options, kb_error *err)
{
    if (options->least < 2 || options->most < options->least || options->most > KB_NGRAM_MAX)
        return kb_fail(err, KB_ERR_USAGE, "n is %zu to %zu; it must be between 2 and %d, and rise",
                       options->least, options->most, KB_NGRAM_MAX);
    if (!(options->fold >= 0 && options->fold <= 1))
        return kb_fail(err, KB_ERR_USAGE, "fold is %g; it must be between 0 and 1", options->fold);
    return KB_OK;
}

void kb_ngram_table_init(kb_ngram_table *table, const kb_ngram_options *options)
{
    *table = (kb_ngram_table){
        .least = options->least, .most = options->most, .tuples = {.width = options->most - 1}};
}

void kb_ngram_table_clear(kb_ngram_table *table)
{
    kb_tuples_clear(&table->tuples);
    free(table->parents);
    *table = (kb_ngram_table){0};
}

/* TUPLE becomes the EVENTS events before log[start], at the end of WIDTH, with empty ones in front;
 * EVENTS <= start. */
static void look_back(uint32_t *tuple, size_t width, const kb_event *log, size_t start,
                      size_t events)
{
    for (size_t i = 0; i < width - events; i++)
        tuple[i] = KB_NAME_NONE;
    for (size_t i = 0; i < events; i++)
        tuple[width - events + i] = log[start - events + i].event;
}

static bool keep_parent(kb_ngram_table *table, size_t id, size_t parent)
{
    if (!kb_grow((void **)&table->parents, &table->parents_capacity, id + 1,
                 sizeof *table->parents))
        return false;
    table->parents[id] = parent;
    return true;
}

size_t kb_ngram_table_add(kb_ngram_table *table, const kb_events *events, const kb_truncation *t,
                          size_t *ids)
{
    uint32_t tuple[KB_NGRAM_MAX - 1];
    size_t length, start = (size_t)t->start, count = 0, width = table->most - 1;
    const kb_event *log = kb_events_of(events, t->user, &length);
    for (size_t n = table->least; n <= table->most; n++) {
        bool new;
        if (n > table->least && n - 1 > start)
            break;
        look_back(tuple, width, log, start, n - 1 < start ? n - 1 : start);
        size_t id = kb_tuples_add(&table->tuples, tuple, &new);
        if (id == SIZE_MAX || (new && !keep_parent(table, id, count ? ids[count - 1] : SIZE_MAX)))
            return 0;
        ids[count++] = id;
    }
    return count;
}

size_t kb_ngram_table_length(const kb_ngram_table *table, size_t i)
{
    const uint32_t *tuple = kb_tuples_at(&table->tuples, i);
    size_t n = table->most;
    for (size_t e = 0; n > table->least && tuple[e] == KB_NAME_NONE; e++)
        n--;
    return n;
}

/* Ids of events follow the order of their names; KB_NAME_NONE + 1 wraps to 0, so an empty event
 * comes first. */
int kb_ngram_compare(const uint32_t *a, const uint32_t *b, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        uint32_t p = a[i] + 1, q = b[i] + 1;
        if (p != q)
            return p < q ? -1 : 1;
    }
    return 0;
}

/* From the longest to the shortest, each row hands on to its parent the largest count among itself,
 * unless it is folded, and the rows behind it: best. */
size_t kb_ngram_fold(bool *folded, uint64_t *best, const uint64_t *counts, const size_t *parents,
                     size_t count, double share)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        best[i] = 0;
    for (size_t i = count; i-- > 0;) {
        folded[i] = share > 0 && best[i] && (double)best[i] >= share * (double)counts[i];
        sum += folded[i];
        uint64_t shown = folded[i] || best[i] > counts[i] ? best[i] : counts[i];
        if (parents[i] != SIZE_MAX && shown > best[parents[i]])
            best[parents[i]] = shown;
    }
    return sum;
}
