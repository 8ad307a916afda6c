#include "pairs.h"

#include <csv.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct parsing {
    const kb_pairs *pairs;
    uint32_t seen; /* a bit for each key */
    size_t rows;
    kb_status status;
    kb_error *err;
};

static kb_status unknown_key(const kb_pairs *pairs, const char *pair, size_t length, kb_error *err)
{
    char keys[256] = "";
    for (unsigned i = 0; i < pairs->keys; i++) {
        size_t used = strlen(keys);
        snprintf(keys + used, sizeof keys - used, "%s%s", i ? ", " : "", pairs->key(i));
    }
    return kb_fail(err, KB_ERR_USAGE, "%s: '%.*s' is not one of %s", pairs->option, (int)length,
                   pair, keys);
}

static kb_status take_pair(struct parsing *p, const char *pair)
{
    const kb_pairs *pairs = p->pairs;
    const char *sign = strchr(pair, '=');
    size_t length = sign ? (size_t)(sign - pair) : 0;
    if (!sign || !length || !sign[1])
        return kb_fail(p->err, KB_ERR_USAGE, "%s: '%s' is not KEY=%s", pairs->option, pair,
                       pairs->value);
    unsigned key = 0;
    while (key < pairs->keys &&
           (strlen(pairs->key(key)) != length || memcmp(pairs->key(key), pair, length) != 0))
        key++;
    if (key == pairs->keys)
        return unknown_key(pairs, pair, length, p->err);
    if (p->seen >> key & 1)
        return kb_fail(p->err, KB_ERR_USAGE, "%s: %s is there twice", pairs->option,
                       pairs->key(key));
    p->seen |= UINT32_C(1) << key;
    return pairs->take(pairs->ctx, key, sign + 1, pair, p->err);
}

static void take_field(void *text, size_t length, void *ctx)
{
    struct parsing *p = ctx;
    (void)length; /* the text comes from a string and is given back as one */
    if (p->status == KB_OK && !p->rows)
        p->status = take_pair(p, text ? text : "");
}

static void take_row(int terminator, void *ctx)
{
    (void)terminator;
    ((struct parsing *)ctx)->rows++;
}

kb_status kb_pairs_parse(const kb_pairs *pairs, const char *text, kb_error *err)
{
    struct parsing p = {.pairs = pairs, .err = err};
    struct csv_parser csv;
    csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL);
    size_t length = strlen(text);
    if (!length)
        p.status = take_pair(&p, text);
    bool whole = csv_parse(&csv, text, length, take_field, take_row, &p) == length &&
                 csv_fini(&csv, take_field, take_row, &p) == 0;
    bool no_memory = csv_error(&csv) == CSV_ENOMEM;
    csv_free(&csv);
    if (p.status)
        return p.status;
    if (no_memory)
        return kb_fail_memory(err, pairs->option);
    return whole && p.rows == 1
               ? KB_OK
               : kb_fail(err, KB_ERR_USAGE, "%s: '%s' is not one row of CSV", pairs->option, text);
}
