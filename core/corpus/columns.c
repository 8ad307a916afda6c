#include "columns.h"

#include <stdlib.h>

#include "memory.h"
#include "pairs.h"

static const char *const kind_names[KB_COLUMN_KINDS] = {
    "session", "time", "object", "value", "user", "version", "split", "label", "event"};

const char *kb_column_name(kb_column_kind kind)
{
    return kind_names[kind];
}

static const char *key_name(unsigned i)
{
    return kind_names[i];
}

static kb_status take_name(void *ctx, unsigned key, const char *value, const char *pair,
                           kb_error *err)
{
    kb_column_names *out = ctx;
    (void)pair;
    out->names[key] = kb_strdup(value);
    return out->names[key] ? KB_OK : kb_fail_memory(err, "the names of columns");
}

kb_status kb_column_names_parse(kb_column_names *out, const char *text, kb_error *err)
{
    *out = (kb_column_names){0};
    const kb_pairs pairs = {.option = "--columns",
                            .value = "NAME",
                            .key = key_name,
                            .keys = KB_COLUMN_KINDS,
                            .take = take_name,
                            .ctx = out};
    return text ? kb_pairs_parse(&pairs, text, err) : KB_OK;
}

void kb_column_names_clear(kb_column_names *names)
{
    for (size_t k = 0; k < KB_COLUMN_KINDS; k++)
        free(names->names[k]);
    *names = (kb_column_names){0};
}
