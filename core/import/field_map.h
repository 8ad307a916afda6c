/* field_map: where in a JSON object the fields of a corpus are, as "KEY=PATH,KEY=PATH". A PATH is
 * names of members joined by dots. "[]" behind a name goes through the elements of an array;
 * "[MEMBER=TEXT]" takes the first of them that has MEMBER with that text or number. A backslash
 * makes a dot, a bracket, an equals sign or a backslash part of a name. The whole is one row of
 * CSV, so that a pair with a comma in it can be quoted. Immutable once made. */
#ifndef KB_FIELD_MAP_H
#define KB_FIELD_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"

typedef enum kb_map_key {
    KB_MAP_SESSION,
    KB_MAP_TIME,
    KB_MAP_OBJECT,
    KB_MAP_VALUE,
    KB_MAP_READINGS, /* an object whose members are readings, in place of object and value. With a
                        dot behind it only those that are numbers and that no other key uses; a dot
                        alone is the line, or the element of the array that is gone through */
    KB_MAP_USER,
    KB_MAP_EVENT,
    KB_MAP_VERSION,
    KB_MAP_SPLIT,
    KB_MAP_LABEL,
    KB_MAP_KEYS
} kb_map_key;

const char *kb_map_key_name(kb_map_key key);

typedef struct kb_step {
    char *name;          /* of a member */
    size_t arrays;       /* how many "[]" follow */
    char *member, *text; /* of "[MEMBER=TEXT]"; NULL: there is none. Not both this and "[]" */
} kb_step;

typedef struct kb_path {
    kb_step *steps;
    size_t count;
    size_t shared;   /* of the steps, those up to the last "[]": they are the same in all paths that
                        have any */
    bool sought;     /* otherwise nothing is looked for */
    bool given;      /* in the map; otherwise the key's own name */
    bool in_element; /* of the array that is gone through, behind the shared steps; otherwise the
                        field is there once in each line */
    bool loose;      /* readings with a dot behind it */
    char *written;   /* the path as it is in the map; NULL where it is not given */
} kb_path;

typedef struct kb_field_map {
    kb_path paths[KB_MAP_KEYS];
    const kb_path *iterating;      /* one of those with shared steps, or NULL */
    char *prefix;                  /* the shared steps as they are written, for messages; or NULL */
    const char *used[KB_MAP_KEYS]; /* members that loose readings leave to other keys */
    size_t used_count;
} kb_field_map;

/* TEXT NULL: every key by its own name, except readings. KB_ERR_USAGE says what is wrong. */
kb_status kb_field_map_create(kb_field_map **out, const char *text, kb_error *err);
void kb_field_map_free(kb_field_map *map); /* NULL is fine */
/* Only whether TEXT is a map. */
kb_status kb_field_map_check(const char *text, kb_error *err);

#endif
