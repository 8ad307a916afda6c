#include "field_map.h"

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
/* How many bytes the name at S has, backslashes included. */
static size_t name_bytes(const char *s)
{
    size_t n = 0;
    for (; s[n] && s[n] != '.' && s[n] != '['; n++)
        if (s[n] == '\\' && s[n + 1])
            n++;
    return n;
}

/* The name at *S, which moves behind it, copied to NAME without its backslashes; its length. */
static size_t take_name(const char **s, char *name)
{
    size_t length = 0;
    for (; **s && **s != '.' && **s != '['; (*s)++) {
        if (**s == '\\' && (*s)[1])
            (*s)++;
        name[length++] = **s;
    }
    name[length] = '\0';
    return length;
}

static bool add_step(kb_path *path, size_t *capacity, kb_step step)
{
    if (!step.name ||
        !kb_grow((void **)&path->steps, capacity, path->count + 1, sizeof *path->steps)) {
        free(step.name);
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

/* PAIR is all of "KEY=PATH", for messages. */
static kb_status parse_path(kb_path *path, const char *pair, const char *s, kb_error *err)
{
    size_t capacity = 0;
    for (;;) {
        kb_step step = {malloc(name_bytes(s) + 1), 0};
        if (!step.name)
            return kb_fail_memory(err, "a map of fields");
        size_t length = take_name(&s, step.name);
        for (; strncmp(s, "[]", 2) == 0; s += 2)
            step.arrays++;
        if (!length) {
            free(step.name);
            return bad_path(pair, "a name is empty", err);
        }
        if (!add_step(path, &capacity, step))
            return kb_fail_memory(err, "a map of fields");
        if (!*s)
            return KB_OK;
        if (*s != '.')
            return bad_path(pair, "'[]', '.' or the end was expected behind a name", err);
        s++;
    }
}

static void clear_path(kb_path *path)
{
    for (size_t i = 0; i < path->count; i++)
        free(path->steps[i].name);
    free(path->steps);
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
    kb_field_map *map = ctx;
    map->paths[key].given = true;
    return parse_path(&map->paths[key], pair, value, err);
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
    bool added = add_step(path, &capacity, (kb_step){kb_strdup(kb_map_key_name(key)), 0});
    return added ? KB_OK : kb_fail_memory(err, "a map of fields");
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
static bool same_prefix(const kb_path *a, const kb_path *b)
{
    if (a->shared != b->shared)
        return false;
    for (size_t i = 0; i < a->shared; i++)
        if (a->steps[i].arrays != b->steps[i].arrays ||
            strcmp(a->steps[i].name, b->steps[i].name) != 0)
            return false;
    return true;
}

static char *prefix_text(const kb_path *path)
{
    size_t room = 1;
    for (size_t i = 0; i < path->shared; i++)
        room += strlen(path->steps[i].name) + 2 * path->steps[i].arrays + 1;
    char *text = malloc(room), *end = text;
    for (size_t i = 0; text && i < path->shared; i++) {
        end = stpcpy(end, i ? "." : "");
        end = stpcpy(end, path->steps[i].name);
        for (size_t j = 0; j < path->steps[i].arrays; j++)
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
        if (map->iterating && !same_prefix(map->iterating, path))
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
