/* jsonl: JSON objects, one a line, with a map that says where in them the fields are. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "field_map.h"
#include "importer.h"
#include "json_text.h"
#include "values.h"

/* The fields of a line, or of an element of the array that is gone through. */
struct row {
    kb_cell cells[KB_MAP_KEYS]; /* length 0 and there: an empty text */
    bool there[KB_MAP_KEYS];
    const char *odd[KB_MAP_KEYS]; /* what is there that cannot be used, or NULL */
    struct json_object *readings;
    char rooms[KB_MAP_KEYS][KB_JSON_ROOM];
};

struct jsonl {
    kb_importer *importer;
    kb_json *json;
    kb_field_map *map;
    bool found[KB_MAP_KEYS]; /* in a line at least */
    uint64_t objects;        /* lines that are one */
    uint64_t values;         /* lines of this file, or what else it is made of, so far */
    kb_place at;             /* the line at hand */
    struct row line;
    size_t elements; /* of this line, so far */
};

/* --- finding fields ---------------------------------------------------------------------- */
static struct json_object *member(struct json_object *node, const char *name)
{
    struct json_object *value = NULL;
    if (json_object_is_type(node, json_type_object))
        json_object_object_get_ex(node, name, &value);
    return value;
}

/* The first element of ARRAY that STEP selects. */
static struct json_object *element_with(struct json_object *array, const kb_step *step)
{
    char room[KB_JSON_ROOM];
    kb_cell text;
    size_t length = strlen(step->text);
    if (!json_object_is_type(array, json_type_array))
        return NULL;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct json_object *element = json_object_array_get_idx(array, i);
        if (!kb_json_scalar(member(element, step->member), room, &text) && text.length == length &&
            memcmp(text.text, step->text, length) == 0)
            return element;
    }
    return NULL;
}

/* Where STEP leads, but for the arrays to go through. */
static struct json_object *follow(struct json_object *node, const kb_step *step)
{
    node = member(node, step->name);
    return step->member ? element_with(node, step) : node;
}

/* What PATH leads to from NODE, its steps from FROM on; NULL: it is not there, or null. */
static struct json_object *find(struct json_object *node, const kb_path *path, size_t from)
{
    for (size_t i = from; node && i < path->count; i++)
        node = follow(node, &path->steps[i]);
    return node;
}

/* VALUE is one of the loose readings. */
static bool is_measure(const kb_field_map *map, const char *name, struct json_object *value)
{
    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return false;
    for (size_t i = 0; i < map->used_count; i++)
        if (strcmp(map->used[i], name) == 0)
            return false;
    return true;
}

static bool any_measure(const kb_field_map *map, struct json_object *object)
{
    json_object_object_foreach(object, name, value)
    {
        if (is_measure(map, name, value))
            return true;
    }
    return false;
}

static void set_readings(const kb_field_map *map, struct row *row, struct json_object *value)
{
    bool loose = map->paths[KB_MAP_READINGS].loose;
    row->readings = json_object_is_type(value, json_type_object) ? value : NULL;
    row->there[KB_MAP_READINGS] = row->readings && (!loose || any_measure(map, value));
    row->odd[KB_MAP_READINGS] = row->readings                                 ? NULL
                                : json_object_is_type(value, json_type_array) ? "an array"
                                                                              : "a single value";
}

/* What has a key's name by chance, where the map does not have the key, may be anything. */
static void set_field(const kb_field_map *map, struct row *row, kb_map_key key,
                      struct json_object *value)
{
    row->there[key] = false;
    row->odd[key] = NULL;
    if (!value)
        return;
    if (key == KB_MAP_READINGS) {
        set_readings(map, row, value);
        return;
    }
    const char *odd = kb_json_scalar(value, row->rooms[key], &row->cells[key]);
    row->there[key] = !odd;
    row->odd[key] = map->paths[key].given || json_object_is_type(value, json_type_int) ? odd : NULL;
}

/* The fields that are once in each line, or those that are in each element. */
static void set_fields(struct jsonl *j, struct row *row, struct json_object *node, bool in_element)
{
    for (int key = 0; key < KB_MAP_KEYS; key++) {
        const kb_path *path = &j->map->paths[key];
        if (!path->sought || path->in_element != in_element)
            continue;
        set_field(j->map, row, (kb_map_key)key, find(node, path, path->shared));
        j->found[key] |= row->there[key] || row->odd[key];
    }
}

/* --- rows -------------------------------------------------------------------------------- */
static bool any(const struct row *row, const kb_map_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (row->there[keys[i]])
            return true;
    return false;
}

static bool all(const struct row *row, const kb_map_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!row->there[keys[i]])
            return false;
    return true;
}

static const kb_map_key reading_keys[] = {KB_MAP_SESSION, KB_MAP_TIME, KB_MAP_OBJECT, KB_MAP_VALUE};
static const kb_map_key readings_keys[] = {KB_MAP_SESSION, KB_MAP_TIME, KB_MAP_READINGS};
static const kb_map_key event_keys[] = {KB_MAP_USER, KB_MAP_TIME, KB_MAP_EVENT};
static const kb_map_key trait_keys[KB_TRAITS] = {KB_MAP_USER, KB_MAP_VERSION, KB_MAP_SPLIT,
                                                 KB_MAP_LABEL};
static const kb_map_key row_keys[] = {KB_MAP_TIME, KB_MAP_OBJECT, KB_MAP_VALUE, KB_MAP_READINGS,
                                      KB_MAP_EVENT};

#define COUNT(keys) (sizeof(keys) / sizeof *(keys))

static kb_cell cell(const struct row *row, kb_map_key key)
{
    return row->there[key] ? row->cells[key] : (kb_cell){"", 0};
}

/* *REJECTED: a field of the map is there and cannot be used. */
static kb_status check_fields(struct jsonl *j, const kb_place *at, const struct row *row,
                              bool *rejected, kb_error *err)
{
    *rejected = false;
    for (int key = 0; key < KB_MAP_KEYS; key++) {
        if (!row->odd[key])
            continue;
        *rejected = true;
        return kb_intake_reject(j->importer->intake, at, err, "%s is %s, %s was expected",
                                kb_map_key_name((kb_map_key)key), row->odd[key],
                                key == KB_MAP_READINGS ? "an object" : "text or a number");
    }
    return KB_OK;
}

/* There is something to know of a session that has a name. */
static bool describes(const struct row *row)
{
    return row->there[KB_MAP_SESSION] && row->cells[KB_MAP_SESSION].length &&
           any(row, trait_keys, KB_TRAITS);
}

/* ALONE: there is nothing else in the row, which would tell of a bad name as well. */
static kb_status take_traits(struct jsonl *j, const kb_place *at, const struct row *row, bool alone,
                             kb_error *err)
{
    kb_cell traits[KB_TRAITS];
    char reason[KB_REASON];
    if (!describes(row) ||
        (!alone && !kb_intake_name("session", row->cells[KB_MAP_SESSION], reason)))
        return KB_OK;
    for (size_t t = 0; t < KB_TRAITS; t++)
        traits[t] = cell(row, trait_keys[t]);
    return kb_intake_session(j->importer->intake, at, row->cells[KB_MAP_SESSION], traits, err);
}

static kb_status take_reading(struct jsonl *j, const kb_place *at, const struct row *row,
                              kb_cell object, kb_cell value, kb_error *err)
{
    return kb_intake_reading(j->importer->intake, at, row->cells[KB_MAP_SESSION],
                             row->cells[KB_MAP_TIME], object, value, err);
}

static kb_status take_readings(struct jsonl *j, const kb_place *at, const struct row *row,
                               kb_error *err)
{
    kb_status status = KB_OK;
    json_object_object_foreach(row->readings, name, value)
    {
        char room[KB_JSON_ROOM], where[KB_REASON];
        kb_cell number;
        if (kb_cancelled(j->importer->progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        if (!value || (j->map->paths[KB_MAP_READINGS].loose && !is_measure(j->map, name, value)))
            continue;
        snprintf(where, sizeof where, "%s%s%.100s", at->where ? at->where : "",
                 at->where ? ": " : "", name);
        kb_place here = {at->file, at->line, where};
        const char *odd = kb_json_scalar(value, room, &number);
        status = odd ? kb_intake_reject(j->importer->intake, &here, err, "%s as a value", odd)
                     : take_reading(j, &here, row, (kb_cell){name, strlen(name)}, number, err);
        if (status)
            break;
    }
    return status;
}

/* Appends which of KEYS are not there to TEXT. */
static void list_missing(char *text, size_t size, const struct row *row, const kb_map_key *keys,
                         size_t count)
{
    const char *before = "no ";
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        if (row->there[keys[i]])
            continue;
        snprintf(text + used, size - used, "%s%s", before, kb_map_key_name(keys[i]));
        before = ", ";
    }
}

/* Why ROW is neither a reading nor an event. */
static void explain(const struct jsonl *j, const struct row *row, char *reason)
{
    bool map = j->map->paths[KB_MAP_READINGS].sought;
    char reading[100] = "", event[100] = "";
    list_missing(reading, sizeof reading, row, map ? readings_keys : reading_keys,
                 map ? COUNT(readings_keys) : COUNT(reading_keys));
    list_missing(event, sizeof event, row, event_keys, COUNT(event_keys));
    snprintf(reason, KB_REASON, "neither a reading (%s) nor an event (%s)", reading, event);
}

/* It may still tell of its session, and of nothing else. */
static kb_status take_other(struct jsonl *j, const kb_place *at, const struct row *row,
                            kb_error *err)
{
    char reason[KB_REASON];
    explain(j, row, reason);
    if (!describes(row) || any(row, row_keys, COUNT(row_keys)))
        return kb_intake_reject(j->importer->intake, at, err, "%s", reason);
    kb_intake_idle(j->importer->intake, at, true, reason);
    return KB_OK;
}

/* A reading, an event, both, or only what is known of a session. */
static kb_status take_row(struct jsonl *j, const kb_place *at, const struct row *row, kb_error *err)
{
    bool rejected;
    kb_status status = check_fields(j, at, row, &rejected, err);
    if (status || rejected)
        return status;
    bool reading = all(row, reading_keys, COUNT(reading_keys));
    bool readings = all(row, readings_keys, COUNT(readings_keys));
    bool event = all(row, event_keys, COUNT(event_keys));
    status = take_traits(j, at, row, !reading && !readings && !event, err);
    if (!status && readings)
        status = take_readings(j, at, row, err);
    else if (!status && reading)
        status = take_reading(j, at, row, row->cells[KB_MAP_OBJECT], row->cells[KB_MAP_VALUE], err);
    if (!status && event)
        status = kb_intake_event(j->importer->intake, at, row->cells[KB_MAP_USER],
                                 row->cells[KB_MAP_TIME], row->cells[KB_MAP_EVENT],
                                 cell(row, KB_MAP_SESSION), err);
    if (!status && !reading && !readings && !event)
        status = take_other(j, at, row, err);
    return status;
}

/* --- going through an array -------------------------------------------------------------- */
static kb_status take_element(struct jsonl *j, struct json_object *node, kb_error *err)
{
    char where[KB_REASON];
    struct row row = j->line;
    snprintf(where, sizeof where, "element %zu of %.100s", ++j->elements, j->map->prefix);
    set_fields(j, &row, node, true);
    return take_row(j, &(kb_place){j->at.file, j->at.line, where}, &row, err);
}

/* NODE is what the first STEPS steps of the shared ones led to, but for ARRAYS arrays. */
static kb_status go_through(struct jsonl *j, struct json_object *node, size_t steps, size_t arrays,
                            kb_error *err)
{
    const kb_path *path = j->map->iterating;
    if (!arrays && steps == path->shared)
        return take_element(j, node, err);
    if (!arrays)
        return go_through(j, follow(node, &path->steps[steps]), steps + 1,
                          path->steps[steps].arrays, err);
    if (!json_object_is_type(node, json_type_array))
        return kb_intake_reject(j->importer->intake, &j->at, err, "no array at %.100s",
                                j->map->prefix);
    kb_status status = KB_OK;
    for (size_t i = 0; i < json_object_array_length(node) && !status; i++)
        status = kb_cancelled(j->importer->progress)
                     ? kb_fail(err, KB_ERR_CANCELLED, "cancelled")
                     : go_through(j, json_object_array_get_idx(node, i), steps, arrays - 1, err);
    return status;
}

/* What is known of the session counts even where the array is empty. */
static kb_status take_elements(struct jsonl *j, struct json_object *root, kb_error *err)
{
    bool rejected;
    char reason[KB_REASON];
    j->elements = 0;
    kb_status status = check_fields(j, &j->at, &j->line, &rejected, err);
    if (status || rejected)
        return status;
    status = take_traits(j, &j->at, &j->line, false, err);
    if (!status)
        status = go_through(j, root, 0, 0, err);
    snprintf(reason, sizeof reason, "no element in %.100s", j->map->prefix);
    if (!status && !j->elements)
        kb_intake_idle(j->importer->intake, &j->at, describes(&j->line), reason);
    return status;
}

/* --- a line ------------------------------------------------------------------------------ */
static kb_status take_object(struct jsonl *j, struct json_object *root, kb_error *err)
{
    if (!json_object_is_type(root, json_type_object))
        return kb_intake_reject(j->importer->intake, &j->at, err, "not an object");
    j->objects++;
    j->line = (struct row){0};
    set_fields(j, &j->line, root, false);
    return j->map->iterating ? take_elements(j, root, err) : take_row(j, &j->at, &j->line, err);
}

/* VALUE, at j->at, is no JSON. A line that is the first one may be the beginning of an object. */
static kb_status reject_value(struct jsonl *j, const kb_value *value,
                              const kb_json_verdict *verdict, kb_error *err)
{
    kb_place at = j->at;
    bool broken = verdict->early && j->values == 1;
    if (value->is_line)
        return kb_intake_reject(j->importer->intake, &at, err, "%s (column %zu)%s", verdict->reason,
                                verdict->at + 1,
                                broken ? ": one object a line is expected, and this looks like "
                                         "pretty-printed JSON"
                                       : "");
    for (size_t i = 0; i < verdict->at; i++)
        at.line += value->text[i] == '\n';
    return kb_intake_reject(j->importer->intake, &at, err, "%s", verdict->reason);
}

static kb_status parse_value(struct jsonl *j, const kb_value *value, kb_error *err)
{
    struct json_object *root;
    kb_json_verdict verdict;
    kb_status status = kb_json_parse(j->json, value->text, value->length, j->importer->progress,
                                     &root, &verdict, err);
    if (status)
        return status;
    if (*verdict.reason)
        return reject_value(j, value, &verdict, err);
    status = take_object(j, root, err);
    json_object_put(root);
    return status;
}

static kb_status take_value(void *ctx, const kb_value *value, kb_error *err)
{
    enum { REPORT_EVERY = 64 };
    struct jsonl *j = ctx;
    j->at.line = value->line;
    j->values++;
    kb_status status = value->too_long ? kb_intake_reject(j->importer->intake, &j->at, err,
                                                          "a %s longer than 64 MiB",
                                                          value->is_line ? "line" : "value")
                                       : parse_value(j, value, err);
    if (!status && j->values % REPORT_EVERY == 0)
        status = kb_importer_report(j->importer, value->consumed, err);
    return status;
}

/* --- a file ------------------------------------------------------------------------------ */
static kb_status read_file(void *ctx, const char *path, kb_error *err)
{
    struct jsonl *j = ctx;
    kb_place file = {path, 0, NULL};
    kb_error wrong = {0};
    uint64_t line;
    j->at = file;
    j->values = 0;
    kb_status status = kb_values_read(path, j->importer->progress, take_value, j, &line, &wrong);
    if (status == KB_ERR_DAMAGED)
        return kb_intake_damage(j->importer->intake, path, line, &wrong, err);
    if (status)
        return kb_fail(err, status, "%s", wrong.text);
    if (!j->values)
        kb_intake_idle(j->importer->intake, &file, false, "no line in it");
    return KB_OK;
}

/* --- all of it --------------------------------------------------------------------------- */
/* Keys that lead nowhere. */
static void note_missing(const struct jsonl *j)
{
    for (int key = 0; key < KB_MAP_KEYS; key++) {
        const kb_path *path = &j->map->paths[key];
        if (path->given && !j->found[key] && j->objects)
            kb_importer_note(j->importer, "no line has '%.200s' (%s)", path->written,
                             kb_map_key_name((kb_map_key)key));
    }
}

kb_status kb_jsonl_import(kb_importer *importer, const char *in, kb_error *err)
{
    static const char *const suffixes[] = {".jsonl", ".ndjson", ".json"};
    struct jsonl j = {.importer = importer, .json = kb_json_create()};
    kb_status status = j.json ? kb_field_map_create(&j.map, importer->options->fields, err)
                              : kb_fail_memory(err, "reading JSON");
    if (!status)
        status = kb_importer_files(importer, in, suffixes, COUNT(suffixes), read_file, &j, err);
    if (!status)
        note_missing(&j);
    kb_field_map_free(j.map);
    kb_json_free(j.json);
    return status;
}
