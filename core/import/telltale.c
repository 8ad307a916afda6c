#include "telltale.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "names.h"

/* What is known of one label. */
struct label {
    kb_names *values;
    uint32_t *owners; /* by value: the session that had it first */
    size_t capacity;
    uint32_t session; /* one that has the label */
    bool several;     /* there are others */
    bool common;      /* a value occurs in two: then nothing else matters */
};

struct kb_telltale {
    kb_names *sessions, *names; /* names of labels */
    struct label *labels;       /* by id in names */
    size_t capacity;
};

kb_telltale *kb_telltale_create(void)
{
    kb_telltale *telltale = kb_calloc(1, sizeof *telltale);
    if (!telltale)
        return NULL;
    telltale->sessions = kb_names_create();
    telltale->names = kb_names_create();
    if (telltale->sessions && telltale->names)
        return telltale;
    kb_telltale_free(telltale);
    return NULL;
}

static void clear_label(struct label *label)
{
    kb_names_free(label->values);
    free(label->owners);
    label->values = NULL;
    label->owners = NULL;
    label->capacity = 0;
}

void kb_telltale_free(kb_telltale *telltale)
{
    if (!telltale)
        return;
    for (size_t i = 0; telltale->names && i < kb_names_count(telltale->names); i++)
        clear_label(&telltale->labels[i]);
    kb_names_free(telltale->sessions);
    kb_names_free(telltale->names);
    free(telltale->labels);
    free(telltale);
}

/* Room comes before the name, so that each name has its label. NULL: no memory. */
static struct label *find(kb_telltale *telltale, const char *name, uint32_t session)
{
    size_t before = kb_names_count(telltale->names);
    if (!kb_grow((void **)&telltale->labels, &telltale->capacity, before + 1,
                 sizeof *telltale->labels))
        return NULL;
    uint32_t id = kb_names_add(telltale->names, name, strlen(name));
    if (id == KB_NAME_NONE)
        return NULL;
    struct label *label = &telltale->labels[id];
    if (id == before)
        *label = (struct label){.values = kb_names_create(), .session = session};
    return label->values || label->common ? label : NULL;
}

bool kb_telltale_add(kb_telltale *telltale, kb_cell session, const char *name, kb_cell value)
{
    uint32_t s = kb_names_add(telltale->sessions, session.text, session.length);
    struct label *label = s == KB_NAME_NONE ? NULL : find(telltale, name, s);
    if (!label)
        return false;
    if (label->common)
        return true;
    size_t before = kb_names_count(label->values);
    uint32_t id = kb_names_add(label->values, value.text, value.length);
    if (id == KB_NAME_NONE ||
        !kb_grow((void **)&label->owners, &label->capacity, (size_t)id + 1, sizeof *label->owners))
        return false;
    if (id == before)
        label->owners[id] = s;
    label->several |= label->session != s;
    label->common = label->owners[id] != s;
    if (label->common)
        clear_label(label);
    return true;
}

size_t kb_telltale_list(const kb_telltale *telltale, char *list, size_t size)
{
    size_t count = 0;
    *list = '\0';
    for (uint32_t id = 0; id < kb_names_count(telltale->names); id++) {
        const struct label *label = &telltale->labels[id];
        size_t used = strlen(list);
        if (!label->several || label->common)
            continue;
        snprintf(list + used, size - used, "%s%s", count++ ? "," : "",
                 kb_names_get(telltale->names, id));
    }
    return count;
}
