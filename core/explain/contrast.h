/* contrast: what sets any set of sessions apart from the rest, object by object. One computation
 * gives every measure that looks at the sessions alone: counts, shares and F of the published
 * method, means, effect sizes with 95% intervals, tests, false discovery rates, gates, and a score
 * to rank by. Clusters are only the common case; a selection on a screen is as good.
 *
 * Tests. ODDS: is it present more often (odds.h, Fisher's exact test). MEAN: are its means higher
 * where it is present. LEVEL, RISE: are these traits (traits.h) higher, an absent object's being 0
 * (ranktest.h). COMBINED: the better of RISE and LEVEL, its p-value doubled for having picked.
 *
 * Score of LEVEL and RISE, what rank and growth go by:
 *     e = (2A - 1) n / (n + 5) + d / 20,
 *     d = (mean inside - mean outside) / (sd + a tenth of the median object's sd),
 * A the area of the rank test, n the sessions inside, sd over all. A alone is robust where amounts
 * are spread over decades but cannot tell apart the many objects that are always higher; d can, and
 * leads in sets of a few sessions, where A proves little. COMBINED: max(e of RISE, .7 e of LEVEL),
 * because growing is what a leak does, while a high level often only comes along with it.
 *
 * Any thread; several contrasts may be made at once from the same traits. */
#ifndef KB_CONTRAST_H
#define KB_CONTRAST_H

#include "presence.h"
#include "ranktest.h"
#include "traits.h"

typedef enum kb_test {
    KB_TEST_ODDS,
    KB_TEST_MEAN,
    KB_TEST_LEVEL,
    KB_TEST_RISE,
    KB_TEST_COMBINED,
    KB_TESTS
} kb_test;

/* What rows may be ranked by. */
typedef enum kb_measure {
    KB_BY_COMBINED,
    KB_BY_GROWTH,
    KB_BY_RANK,
    KB_BY_ODDS,
    KB_BY_PRESENCE,
    KB_BY_ABSENCE,
    KB_BY_MEAN,
    KB_MEASURES
} kb_measure;

const char *kb_measure_name(kb_measure measure); /* "combined", ... */
/* The test behind a measure; KB_TESTS where the published method has none (presence, absence). */
kb_test kb_measure_test(kb_measure measure);

/* Why a row should not be believed, the first that applies. Rows that pass come first where a
 * measure has a test. */
typedef enum kb_gate {
    KB_GATE_OK,
    KB_GATE_FEW,   /* fewer than 5 sessions inside have the object */
    KB_GATE_WEAK,  /* the difference is below .15: of shares, or 2A - 1, which is the same for
                      something that is there or not */
    KB_GATE_UNSURE /* the false discovery rate is above .05 */
} kb_gate;

const char *kb_gate_name(kb_gate gate); /* "ok", "few", "weak", "unsure" */

/* Moments of one trait over the sessions considered, absent ones as 0. */
typedef struct kb_moments {
    double inside, outside; /* means */
    double mean, sd;        /* of both together; sd as of a population */
    double d, low, high;    /* effect size as above with its 95% interval (Hedges and Olkin 1985) */
} kb_moments;

typedef struct kb_contrast_row {
    uint32_t object;
    kb_presence_row presence, absence; /* absence: of sessions without the object */
    double mean, mean_other; /* over the steps and sessions where it is present; NAN: in none */
    kb_moments level, rise;
    kb_effect effect[KB_TESTS]; /* ODDS: log odds ratio; others: areas */
    double q[KB_TESTS];
    kb_effect given[KB_TESTS]; /* what remains given the object of the options; NAN without one, and
                                  for MEAN */
    double given_q[KB_TESTS];
    double score[KB_TESTS]; /* of LEVEL, RISE and COMBINED */
    kb_test lead;           /* KB_TEST_RISE or KB_TEST_LEVEL: whose effect COMBINED's is */
} kb_contrast_row;

enum { KB_NO_OBJECT = UINT32_MAX };

typedef struct kb_contrast_options {
    uint32_t given; /* object id: sessions are compared within strata of what this object did, so
                       that what remains is not its doing. ODDS: those with it and those without.
                       Others: those without it, and the others by quarters of its level or rise.
                       Then scores are (2A - 1) n / (n + 5) with A what remains. KB_NO_OBJECT (the
                       default): no strata */
} kb_contrast_options;

kb_contrast_options kb_contrast_defaults(void);

typedef struct kb_contrast {
    kb_contrast_row *rows; /* objects present in any session considered, by object id */
    size_t count;
    size_t set_size, rest_size;
    bool stratified;
    uint8_t *group; /* by session: 0 outside, 1 inside, 2 not considered */
} kb_contrast;

/* MEMBER[s]: session s belongs to the set; CONSIDERED[s] (NULL: all with rows): it takes part at
 * all. Arrays of kb_corpus_sessions flags. Reports phase "comparing objects". *OUT owns its arrays
 * until kb_contrast_clear. */
kb_status kb_contrast_of(kb_contrast *out, const kb_traits *traits, const bool *member,
                         const bool *considered, const kb_contrast_options *options, kb_pool *pool,
                         const kb_progress *progress, kb_error *err);
void kb_contrast_clear(kb_contrast *contrast); /* fine on a zeroed struct */

/* ORDER (room for contrast->count) becomes the indices of the rows that MEASURE ranks, the first
 * first; returns how many. Presence: F, see presence.h, objects present inside. Absence: the same
 * for absent ones. Mean: mean / mean_other, objects present in at least 5% of the set. Odds: lower
 * end of the interval. Others: score. */
size_t kb_contrast_order(const kb_contrast *contrast, kb_measure measure, size_t *order);

/* Presence, absence and mean have no gate: KB_GATE_OK. */
kb_gate kb_contrast_gate(const kb_contrast *contrast, const kb_contrast_row *row,
                         kb_measure measure);

#endif
