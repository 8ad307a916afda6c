#include "columns.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static const char *const kind_names[KB_COLUMN_KINDS] = {
    "session", "time", "object", "value", "user", "version", "split", "label", "event"};

const char *kb_column_name(kb_column_kind kind)
{
    return kind_names[kind];
}

struct parsing {
    kb_column_names *out;
    kb_status status;
    kb_error *err;
};

static size_t find_kind(const char *text, size_t length)
{
    size_t k = 0;
    while (k < KB_COLUMN_KINDS &&
           (strlen(kind_names[k]) != length || memcmp(kind_names[k], text, length) != 0))
        k++;
    return k;
}

static kb_status take_pair(kb_column_names *out, const char *text, size_t length, kb_error *err)
{
    const char *sign = memchr(text, '=', length);
    size_t key = sign ? (size_t)(sign - text) : length, kind = find_kind(text, key);
    if (!sign || key + 1 == length)
        return kb_fail(err, KB_ERR_USAGE, "--columns: '%.*s' is not KEY=NAME", (int)length, text);
    if (kind == KB_COLUMN_KINDS)
        return kb_fail(err, KB_ERR_USAGE,
                       "--columns: '%.*s' is not one of session, time, object, value, user, "
                       "version, split, label, event",
                       (int)key, text);
    if (out->names[kind])
        return kb_fail(err, KB_ERR_USAGE, "--columns: %s is there twice", kind_names[kind]);
    out->names[kind] = malloc(length - key);
    if (!out->names[kind])
        return kb_fail_memory(err, "the names of columns");
    memcpy(out->names[kind], sign + 1, length - key - 1);
    out->names[kind][length - key - 1] = '\0';
    return KB_OK;
}

static void take_field(void *text, size_t length, void *ctx)
{
    struct parsing *p = ctx;
    if (p->status == KB_OK)
        p->status = take_pair(p->out, text ? text : "", length, p->err);
}

static int never_blank(unsigned char c)
{
    (void)c;
    return 0;
}

kb_status kb_column_names_parse(kb_column_names *out, const char *text, kb_error *err)
{
    *out = (kb_column_names){0};
    if (!text)
        return KB_OK;
    struct parsing p = {out, KB_OK, err};
    struct csv_parser parser;
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_space_func(&parser, never_blank);
    size_t length = strlen(text);
    if (!length)
        p.status = take_pair(out, text, length, err);
    bool parsed = csv_parse(&parser, text, length, take_field, NULL, &p) == length &&
                  csv_fini(&parser, take_field, NULL, &p) == 0;
    csv_free(&parser);
    if (p.status == KB_OK && !parsed)
        return kb_fail(err, KB_ERR_USAGE, "--columns: '%s' does not parse as a row of CSV", text);
    return p.status;
}

void kb_column_names_clear(kb_column_names *names)
{
    for (size_t k = 0; k < KB_COLUMN_KINDS; k++)
        free(names->names[k]);
    *names = (kb_column_names){0};
}
