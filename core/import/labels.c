#include "labels.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* --- which there are --------------------------------------------------------------------- */
static int by_name(const void *a, const void *b)
{
    return strcmp(((const kb_label *)a)->name, ((const kb_label *)b)->name);
}

kb_status kb_labels_set(kb_labels *labels, struct json_object *metric, const char *session_label,
                        const kb_names *drop, const char **odd, kb_error *err)
{
    size_t all = (size_t)json_object_object_length(metric);
    *odd = NULL;
    labels->metric = labels->session = NULL;
    labels->count = 0;
    if (all && !kb_grow((void **)&labels->items, &labels->capacity, all, sizeof *labels->items))
        return kb_fail_memory(err, "the labels of a series");
    json_object_object_foreach(metric, name, value)
    {
        *odd = json_object_is_type(value, json_type_string) ? NULL : name;
        if (*odd)
            return KB_OK;
        bool dropped = kb_names_find(drop, name, strlen(name)) != KB_NAME_NONE;
        if (strcmp(name, "__name__") == 0)
            labels->metric = value;
        if (strcmp(name, session_label) == 0)
            labels->session = value;
        else if (value != labels->metric)
            labels->items[labels->count++] = (kb_label){name, value, dropped};
    }
    if (labels->count)
        qsort(labels->items, labels->count, sizeof *labels->items, by_name);
    return KB_OK;
}

void kb_labels_clear(kb_labels *labels)
{
    free(labels->items);
    *labels = (kb_labels){0};
}

/* --- texts ------------------------------------------------------------------------------- */
static bool append(kb_text *out, const char *s, size_t length)
{
    if (!kb_grow((void **)&out->s, &out->capacity, out->length + length + 1, 1))
        return false;
    memcpy(out->s + out->length, s, length);
    out->length += length;
    out->s[out->length] = '\0';
    return true;
}

static bool append_string(kb_text *out, struct json_object *string)
{
    return append(out, json_object_get_string(string), (size_t)json_object_get_string_len(string));
}

/* As Prometheus writes it: in quotes, with backslashes before what would be misread. */
static bool append_quoted(kb_text *out, struct json_object *string)
{
    const char *s = json_object_get_string(string);
    size_t length = (size_t)json_object_get_string_len(string);
    bool fits = append(out, "\"", 1);
    for (size_t i = 0; i < length && fits; i++) {
        if (s[i] == '\n')
            fits = append(out, "\\n", 2);
        else
            fits = ((s[i] != '"' && s[i] != '\\') || append(out, "\\", 1)) && append(out, &s[i], 1);
    }
    return fits && append(out, "\"", 1);
}

static bool append_label(kb_text *out, const kb_label *label, bool first)
{
    return append(out, first ? "{" : ",", 1) && append(out, label->name, strlen(label->name)) &&
           append(out, "=", 1) && append_quoted(out, label->value);
}

bool kb_labels_text(const kb_labels *labels, kb_labels_part part, kb_text *out)
{
    bool named = labels->metric && part != KB_LABELS_DROPPED, first = true;
    out->length = 0;
    bool fits = append(out, "", 0) && (!named || append_string(out, labels->metric));
    for (size_t i = 0; i < labels->count && fits; i++) {
        const kb_label *label = &labels->items[i];
        if (part != KB_LABELS_ALL && label->dropped != (part == KB_LABELS_DROPPED))
            continue;
        fits = append_label(out, label, first);
        first = false;
    }
    if (fits && !first)
        fits = append(out, "}", 1);
    else if (fits && !named)
        fits = append(out, "{}", 2);
    return fits;
}

void kb_text_clear(kb_text *text)
{
    free(text->s);
    *text = (kb_text){0};
}
