#include "strata.h"

#include <stdlib.h>

#include "memory.h"
#include "sorting.h"

enum { QUARTERS = 4 };

static void count_sizes(kb_strata *strata, const uint8_t *group, size_t sessions)
{
    for (size_t s = 0; s < sessions; s++) {
        if (group[s] < 2)
            strata->sizes[kb_strata_group(strata, s, group[s])]++;
    }
}

void kb_strata_none(kb_strata *out, const uint8_t *group, size_t sessions)
{
    *out = (kb_strata){.count = 1};
    count_sizes(out, group, sessions);
}

static float value_of(const kb_trait *item, kb_strata_kind kind)
{
    return kind == KB_STRATA_LEVEL ? item->level : kind == KB_STRATA_RISE ? item->rise : 0;
}

/* CUTS (QUARTERS - 1): the values above which the next quarter begins. */
static bool find_cuts(float *cuts, const kb_trait *items, size_t count, kb_strata_kind kind,
                      const uint8_t *group)
{
    float *values = kb_calloc(count, sizeof *values);
    size_t n = 0;
    for (size_t i = 0; values && i < count; i++) {
        if (group[items[i].session] < 2)
            values[n++] = value_of(&items[i], kind);
    }
    if (values)
        kb_sort_floats(values, n);
    for (size_t q = 1; values && q < QUARTERS; q++)
        cuts[q - 1] = n ? values[(n * q + QUARTERS - 1) / QUARTERS - 1] : 0;
    free(values);
    return values != NULL;
}

static uint8_t quarter_of(float value, const float *cuts)
{
    uint8_t quarter = 0;
    while (quarter < QUARTERS - 1 && value > cuts[quarter])
        quarter++;
    return quarter;
}

kb_status kb_strata_by(kb_strata *out, const kb_traits *traits, uint32_t object,
                       kb_strata_kind kind, const uint8_t *group, kb_error *err)
{
    const kb_trait *items = traits->items + traits->start[object];
    size_t count = kb_traits_count(traits, object);
    size_t sessions = kb_corpus_sessions(traits->corpus);
    float cuts[QUARTERS - 1];
    *out = (kb_strata){.count = kind == KB_STRATA_PRESENCE ? 2 : 1 + QUARTERS};
    out->stratum = kb_calloc(sessions, sizeof *out->stratum);
    if (!out->stratum || !find_cuts(cuts, items, count, kind, group)) {
        kb_strata_clear(out);
        return kb_fail_memory(err, "strata of sessions");
    }
    for (size_t i = 0; i < count; i++)
        out->stratum[items[i].session] = (uint8_t)(1 + quarter_of(value_of(&items[i], kind), cuts));
    count_sizes(out, group, sessions);
    return KB_OK;
}

void kb_strata_clear(kb_strata *strata)
{
    free(strata->stratum);
    *strata = (kb_strata){0};
}
