/* strata: sessions parted by what one object did in them, so that others are compared between
 * sessions in which it did the same. */
#ifndef KB_STRATA_H
#define KB_STRATA_H

#include "ranktest.h"
#include "traits.h"

typedef enum kb_strata_kind {
    KB_STRATA_PRESENCE, /* without it, with it */
    KB_STRATA_LEVEL,    /* without it, then by quarters of its level */
    KB_STRATA_RISE      /* without it, then by quarters of its rise */
} kb_strata_kind;

typedef struct kb_strata {
    size_t count;
    uint8_t *stratum;                  /* by session; NULL: all in one */
    uint64_t sizes[2 * KB_STRATA_MAX]; /* 2 * stratum + inside: sessions considered */
} kb_strata;

/* GROUP: by session, 0 outside, 1 inside, 2 not considered. Cleared with kb_strata_clear. */
void kb_strata_none(kb_strata *out, const uint8_t *group, size_t sessions);
/* Quarters are those of the sessions considered that have OBJECT; equal values stay together, so
 * there may be fewer. */
kb_status kb_strata_by(kb_strata *out, const kb_traits *traits, uint32_t object,
                       kb_strata_kind kind, const uint8_t *group, kb_error *err);
void kb_strata_clear(kb_strata *strata); /* fine on a zeroed struct */

static inline uint32_t kb_strata_group(const kb_strata *strata, size_t session, uint8_t inside)
{
    return 2u * (strata->stratum ? strata->stratum[session] : 0u) + inside;
}

#endif
