#include "label_list.h"

#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* NAME (LENGTH bytes) is one of TEXT's. */
static kb_status add(kb_names *names, const char *text, const char *name, size_t length,
                     kb_error *err)
{
    for (; length && is_blank(*name); name++)
        length--;
    while (length && is_blank(name[length - 1]))
        length--;
    if (!length)
        return kb_fail(err, KB_ERR_USAGE, "--drop-labels: '%s': a name is empty", text);
    if (length == strlen("__name__") && memcmp(name, "__name__", length) == 0)
        return kb_fail(err, KB_ERR_USAGE,
                       "--drop-labels: __name__ is the metric's name, which cannot be left out");
    return kb_names_add(names, name, length) == KB_NAME_NONE ? kb_fail_memory(err, "--drop-labels")
                                                             : KB_OK;
}

static kb_status add_all(kb_names *names, const char *text, kb_error *err)
{
    kb_status status = KB_OK;
    if (strcmp(text, "none") == 0)
        return KB_OK;
    for (const char *s = text, *end; s && !status; s = *end ? end + 1 : NULL) {
        end = s + strcspn(s, ",");
        status = add(names, text, s, (size_t)(end - s), err);
    }
    return status;
}

kb_status kb_label_list_parse(kb_names **out, const char *text, kb_error *err)
{
    *out = NULL;
    kb_names *names = kb_names_create();
    kb_status status = names ? add_all(names, text, err) : kb_fail_memory(err, "--drop-labels");
    if (status) {
        kb_names_free(names);
        return status;
    }
    *out = names;
    return KB_OK;
}

kb_status kb_label_list_check(const char *text, kb_error *err)
{
    kb_names *names;
    kb_status status = kb_label_list_parse(&names, text, err);
    kb_names_free(names);
    return status;
}
