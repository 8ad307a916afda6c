/* labels: the labels of one series of Prometheus, and the texts that they make: the name of its
 * object, and what is left out of that. One kb_labels serves one series after the other; names and
 * values stay those of the JSON that they come from, and live as long. */
#ifndef KB_LABELS_H
#define KB_LABELS_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>

#include "names.h"
#include "status.h"

typedef struct kb_label {
    const char *name;
    struct json_object *value; /* a string */
    bool dropped;              /* not in the object's name */
} kb_label;

typedef struct kb_labels {
    struct json_object *metric;  /* the metric's name, a string; or NULL */
    struct json_object *session; /* the value of the label that names the session; or NULL */
    kb_label *items;             /* all others, by name */
    size_t count, capacity;
} kb_labels;

/* LABELS, all zeros or set before, become those of the object METRIC; those in DROP are dropped.
 * *ODD is the name of one that is not a string, or NULL; with one LABELS are of no use. Fails for
 * no memory only. */
kb_status kb_labels_set(kb_labels *labels, struct json_object *metric, const char *session_label,
                        const kb_names *drop, const char **odd, kb_error *err);
void kb_labels_clear(kb_labels *labels);

typedef enum kb_labels_part {
    KB_LABELS_OBJECT,  /* the metric's name and the labels that are not dropped */
    KB_LABELS_DROPPED, /* those that are, without a name */
    KB_LABELS_ALL      /* the name and both */
} kb_labels_part;

/* A text that grows; LENGTH bytes and a NUL. */
typedef struct kb_text {
    char *s;
    size_t length, capacity;
} kb_text;

/* OUT becomes PART as Prometheus writes it: name{a="x",b="y"}; a name alone has no braces. False:
 * no memory. */
bool kb_labels_text(const kb_labels *labels, kb_labels_part part, kb_text *out);
void kb_text_clear(kb_text *text);

#endif
