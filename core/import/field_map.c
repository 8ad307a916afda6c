#include "field_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "pairs.h"

const char *kb_map_key_name(kb_map_key key)
{
    static const char *const names[KB_MAP_KEYS] = {"session",  "time", "object", "value",
                                                   "readings", "user", "event",  "version",
                                                   "split",    "label"};
    return names[key];
}

/* --- a path ------------------------------------------------------------------------------ */
/* A copy of the text at *S up to one of the characters in ENDS, or its end, to which *S moves;
 * without its backslashes. NULL: no memory. */
static char *take_text(const char **s, const char *ends)
{
    size_t bytes = 0, length = 0;
    for (const char *c = *s; *c && !strchr(ends, *c); c += c[0] == '\\' && c[1] ? 2 : 1)
        bytes++;
    char *text = malloc(bytes + 1);
    for (; text && length < bytes; (*s)++) {
        if (**s == '\\' && (*s)[1])
            (*s)++;
        text[length++] = **s;
    }
    if (text)
        text[length] = '\0';
    return text;
}

static void clear_step(kb_step *step)
{
    free(step->name);
    free(step->member);
    free(step->text);
}

/* Takes STEP over. */
static bool add_step(kb_path *path, size_t *capacity, kb_step step)
{
    if (!kb_grow((void **)&path->steps, capacity, path->count + 1, sizeof *path->steps)) {
        clear_step(&step);
        return false;
    }
    path->steps[path->count++] = step;
    if (step.arrays)
        path->shared = path->count;
    return true;
}

static kb_status bad_path(const char *text, const char *why, kb_error *err)
{
    return kb_fail(err, KB_ERR_USAGE, "--fields: '%s': %s", text, why);
}

/* "[MEMBER=TEXT]" at *S. */
static kb_status take_selection(kb_step *step, const char *pair, const char **s, kb_error *err)
{
    (*s)++;
    step->member = take_text(s, "=]");
    if (!step->member)
        return kb_fail_memory(err, "a map of fields");
    if (**s != '=' || !*step->member)
        return bad_path(pair, "'[]' or '[MEMBER=TEXT]' was expected behind a name", err);
    (*s)++;
    step->text = take_text(s, "]");
    if (!step->text)
        return kb_fail_memory(err, "a map of fields");
    if (**s != ']')
        return bad_path(pair, "a ']' is missing", err);
    (*s)++;
    return KB_OK;
}

/* A name and what is in brackets behind it. */
static kb_status take_step(kb_step *step, const char *pair, const char **s, kb_error *err)
{
    step->name = take_text(s, ".[");
    if (!step->name)
        return kb_fail_memory(err, "a map of fields");
    if (!*step->name)
        return bad_path(pair, "a name is empty", err);
    for (; strncmp(*s, "[]", 2) == 0; *s += 2)
        step->arrays++;
    if (**s == '[' && step->arrays)
        return bad_path(pair, "'[MEMBER=TEXT]' cannot stand behind '[]'", err);
    kb_status status = **s == '[' ? take_selection(step, pair, s, err) : KB_OK;
    if (!status && **s && **s != '.')
        return bad_path(pair, "'.' or the end was expected behind a name and its brackets", err);
    return status;
}

/* PAIR is all of "KEY=PATH", for messages; MAY_BE_LOOSE: a dot may be the end. */
static kb_status parse_path(kb_path *path, const char *pair, const char *s, bool may_be_loose,
                            kb_error *err)
{
    size_t capacity = 0;
    path->loose = may_be_loose && strcmp(s, ".") == 0;
    while (!path->loose) {
        kb_step step = {0};
        kb_status status = take_step(&step, pair, &s, err);
        if (status) {
            clear_step(&step);
            return status;
        }
        if (!add_step(path, &capacity, step))
            return kb_fail_memory(err, "a map of fields");
        if (!*s)
            return KB_OK;
        s++;
        path->loose = may_be_loose && !*s;
    }
    return KB_OK;
}

static void clear_path(kb_path *path)
{
    for (size_t i = 0; i < path->count; i++)
        clear_step(&path->steps[i]);
    free(path->steps);
    free(path->written);
    *path = (kb_path){0};
}

/* --- the map ----------------------------------------------------------------------------- */
static const char *key_name(unsigned i)
{
    return kb_map_key_name((kb_map_key)i);
}

static kb_status take_path(void *ctx, unsigned key, const char *value, const char *pair,
                           kb_error *err)
{
    kb_path *path = &((kb_field_map *)ctx)->paths[key];
    path->given = path->sought = true;
    path->written = kb_strdup(value);
    if (!path->written)
        return kb_fail_memory(err, "a map of fields");
    return parse_path(path, pair, value, key == KB_MAP_READINGS, err);
}

static kb_status parse_text(kb_field_map *map, const char *text, kb_error *err)
{
    const kb_pairs pairs = {.option = "--fields",
                            .value = "PATH",
                            .key = key_name,
                            .keys = KB_MAP_KEYS,
                            .take = take_path,
                            .ctx = map};
    return kb_pairs_parse(&pairs, text, err);
}

static kb_status own_name(kb_path *path, kb_map_key key, kb_error *err)
{
    size_t capacity = 0;
    kb_step step = {.name = kb_strdup(kb_map_key_name(key))};
    path->sought = step.name && add_step(path, &capacity, step);
    return path->sought ? KB_OK : kb_fail_memory(err, "a map of fields");
}

/* Keys that were not given: their own names, if they are looked for. */
static kb_status complete(kb_field_map *map, kb_error *err)
{
    const kb_path *paths = map->paths;
    bool readings = paths[KB_MAP_READINGS].given;
    if (readings && (paths[KB_MAP_OBJECT].given || paths[KB_MAP_VALUE].given))
        return kb_fail(err, KB_ERR_USAGE,
                       "--fields: readings stand in place of object and value: not both");
    for (int key = 0; key < KB_MAP_KEYS; key++) {
        bool left_out =
            readings ? key == KB_MAP_OBJECT || key == KB_MAP_VALUE : key == KB_MAP_READINGS;
        kb_status status =
            left_out || paths[key].given ? KB_OK : own_name(&map->paths[key], (kb_map_key)key, err);
        if (status)
            return status;
    }
    return KB_OK;
}

/* --- the array that is gone through ------------------------------------------------------ */
static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The first COUNT steps are there in both, and the same. */
static bool same_steps(const kb_path *a, const kb_path *b, size_t count)
{
    if (count > a->count || count > b->count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const kb_step *x = &a->steps[i], *y = &b->steps[i];
        if (x->arrays != y->arrays || strcmp(x->name, y->name) != 0 ||
            !same_text(x->member, y->member) || !same_text(x->text, y->text))
            return false;
    }
    return true;
}

static char *prefix_text(const kb_path *path)
{
    size_t room = 1;
    for (size_t i = 0; i < path->shared; i++) {
        const kb_step *step = &path->steps[i];
        room += strlen(step->name) + 2 * step->arrays + 1;
        room += step->member ? strlen(step->member) + strlen(step->text) + 3 : 0;
    }
    char *text = malloc(room), *end = text;
    for (size_t i = 0; text && i < path->shared; i++) {
        const kb_step *step = &path->steps[i];
        end = stpcpy(stpcpy(end, i ? "." : ""), step->name);
        if (step->member)
            end += sprintf(end, "[%s=%s]", step->member, step->text);
        for (size_t j = 0; j < step->arrays; j++)
            end = stpcpy(end, "[]");
    }
    return text;
}

static kb_status find_array(kb_field_map *map, kb_error *err)
{
    for (size_t key = 0; key < KB_MAP_KEYS; key++) {
        const kb_path *path = &map->paths[key];
        if (!path->shared)
            continue;
        map->paths[key].in_element = true;
        if (map->iterating && (map->iterating->shared != path->shared ||
                               !same_steps(map->iterating, path, path->shared)))
            return kb_fail(err, KB_ERR_USAGE, "--fields: %s and %s go through different arrays",
                           kb_map_key_name((kb_map_key)(map->iterating - map->paths)),
                           kb_map_key_name((kb_map_key)key));
        if (!map->iterating)
            map->iterating = path;
    }
    if (map->iterating)
        map->prefix = prefix_text(map->iterating);
    return map->iterating && !map->prefix ? kb_fail_memory(err, "a map of fields") : KB_OK;
}

/* --- loose readings ---------------------------------------------------------------------- */
/* A dot alone is what a row is made of. */
static void find_used(kb_field_map *map)
{
    kb_path *readings = &map->paths[KB_MAP_READINGS];
    bool alone = readings->loose && !readings->count;
    if (alone)
        readings->in_element = map->iterating != NULL;
    const kb_path *above = alone && map->iterating ? map->iterating : readings;
    size_t steps = alone && map->iterating ? map->iterating->shared : readings->count;
    for (size_t key = 0; key < KB_MAP_KEYS && readings->loose; key++) {
        const kb_path *path = &map->paths[key];
        if (key != KB_MAP_READINGS && path->count > steps && same_steps(path, above, steps))
            map->used[map->used_count++] = path->steps[steps].name;
    }
}

kb_status kb_field_map_create(kb_field_map **out, const char *text, kb_error *err)
{
    *out = NULL;
    kb_field_map *map = kb_calloc(1, sizeof *map);
    if (!map)
        return kb_fail_memory(err, "a map of fields");
    kb_status status = text ? parse_text(map, text, err) : KB_OK;
    if (!status)
        status = complete(map, err);
    if (!status)
        status = find_array(map, err);
    if (!status)
        find_used(map);
    if (status) {
        kb_field_map_free(map);
        return status;
    }
    *out = map;
    return KB_OK;
}

void kb_field_map_free(kb_field_map *map)
{
    if (!map)
        return;
    for (size_t key = 0; key < KB_MAP_KEYS; key++)
        clear_path(&map->paths[key]);
    free(map->prefix);
    free(map);
}

kb_status kb_field_map_check(const char *text, kb_error *err)
{
    kb_field_map *map;
    kb_status status = kb_field_map_create(&map, text, err);
    kb_field_map_free(map);
    return status;
}
