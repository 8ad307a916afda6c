/* pairs: the argument of an option that is a list "KEY=VALUE,KEY=VALUE": one row of CSV, so that a
 * pair with a comma in its value can be quoted. Blanks around a pair that is not quoted are
 * dropped. */
#ifndef KB_PAIRS_H
#define KB_PAIRS_H

#include <stddef.h>

#include "status.h"

typedef struct kb_pairs {
    const char *option; /* "--columns", in messages */
    const char *value;  /* what a value is: "NAME", likewise */
    const char *(*key)(unsigned i);
    unsigned keys; /* at most 32 */
    /* Hears of each pair: the key's number and the value, which is not empty. PAIR is all of it. */
    kb_status (*take)(void *ctx, unsigned key, const char *value, const char *pair, kb_error *err);
    void *ctx;
} kb_pairs;

/* What is wrong with TEXT is KB_ERR_USAGE: no row, no pair, an unknown key, one that is there
 * twice, or what take says. */
kb_status kb_pairs_parse(const kb_pairs *pairs, const char *text, kb_error *err);

#endif
