/* presence: how often each object is present in a set of sessions against the rest (MISSION S15).
 *
 * An object is present in a session with any non-zero reading in its window. For a set A and the
 * rest B: presence = |A with it| / |A|,  other = |B with it| / |B|,  F = presence / (presence +
 * (presence + other) / 2). Works for ANY set of sessions; clusters are only the common case. Raw
 * counts, all objects. */
#ifndef KB_PRESENCE_H
#define KB_PRESENCE_H

#include "corpus.h"
#include "status.h"

/* F as above; 0 when both are 0. */
double kb_presence_f1(double presence, double other);

typedef struct kb_presence_row {
    uint32_t object;          /* corpus object id */
    uint32_t inside, outside; /* sessions with it in the set, in the rest */
    double presence, other, f1;
} kb_presence_row;

/* A row of INSIDE of the SET_SIZE sessions and OUTSIDE of the REST_SIZE. */
kb_presence_row kb_presence_row_of(uint32_t object, uint32_t inside, uint32_t outside,
                                   size_t set_size, size_t rest_size);
/* Negative when X ranks before Y: F falling, then presence falling, then object id. Exact: equal
 * counts tie whatever the rounding of F. Rows of one set. */
int kb_presence_compare(const kb_presence_row *x, const kb_presence_row *y);

typedef struct kb_presence {
    kb_presence_row *rows; /* objects present in at least one session of the set: F falling, then
                              presence falling, then name */
    size_t count;
    size_t set_size, rest_size;
} kb_presence;

/* MEMBER[s]: session s belongs to the set; CONSIDERED[s] (NULL: all with rows): it takes part at
 * all. Arrays of kb_corpus_sessions flags. An empty rest gives other = 0. *OUT owns rows until
 * kb_presence_clear. */
kb_status kb_presence_of(kb_presence *out, const kb_corpus *corpus, const bool *member,
                         const bool *considered, kb_error *err);
void kb_presence_clear(kb_presence *presence);

#endif
