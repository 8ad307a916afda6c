#include "map_file.h"

#include <stdlib.h>

#include "csv_rows.h"
#include "memory.h"
#include "number.h"

enum { M_SESSION, M_X, M_Y, M_COLUMNS };

/* A coordinate may be negative, which a reading may not. */
static const char *parse_coordinate(float *out, const kb_field *field)
{
    bool negative = field->length && *field->text == '-';
    const char *digits = field->text + negative;
    bool again = negative && (*digits == '-' || *digits == '+');
    const char *wrong =
        again ? "not a number" : kb_value_parse(out, digits, field->length - negative);
    if (!wrong && negative)
        *out = -*out;
    return wrong;
}

static kb_status add_place(kb_map_file *map, const kb_field *session, const float place[2],
                           kb_error *err)
{
    uint32_t id = kb_names_add(map->sessions, session->text, session->length);
    if (id == KB_NAME_NONE ||
        !kb_grow((void **)&map->places, &map->capacity, 2 * ((size_t)id + 1), sizeof *map->places))
        return kb_fail_memory(err, "a map");
    map->places[2 * id] = place[0];
    map->places[2 * id + 1] = place[1];
    return KB_OK;
}

static kb_status take_row(kb_map_file *map, kb_csv *csv, const kb_field *f, kb_error *err)
{
    float place[2];
    if (!f[M_SESSION].length)
        return kb_csv_reject(csv, err, KB_PROBLEM_NAME, "empty session");
    if (!f[M_X].length && !f[M_Y].length)
        return KB_OK;
    for (size_t c = 0; c < 2; c++) {
        const char *wrong = parse_coordinate(&place[c], &f[M_X + c]);
        if (wrong)
            return kb_csv_reject(csv, err, KB_PROBLEM_NUMBER, "%s '%.60s': %s", c ? "y" : "x",
                                 f[M_X + c].text, wrong);
    }
    if (kb_names_find(map->sessions, f[M_SESSION].text, f[M_SESSION].length) != KB_NAME_NONE)
        return kb_csv_reject(csv, err, KB_PROBLEM_SESSION, "session '%.60s' is there twice",
                             f[M_SESSION].text);
    return add_place(map, &f[M_SESSION], place, err);
}

static kb_status take_rows(kb_map_file *map, kb_csv *csv, const kb_progress *progress,
                           kb_error *err)
{
    kb_status status = KB_OK;
    bool got = true;
    while (!status && got) {
        const kb_field *fields;
        status = kb_csv_next(csv, &fields, &got, err);
        if (!status && got && fields)
            status = take_row(map, csv, fields, err);
        if (!status && kb_cancelled(progress))
            status = kb_fail(err, KB_ERR_CANCELLED, "reading a map was stopped");
    }
    return status;
}

kb_status kb_map_file_load(kb_map_file *out, const char *path, const kb_progress *progress,
                           kb_error *err)
{
    static const kb_column columns[M_COLUMNS] = {
        {"session", true, NULL}, {"x", true, NULL}, {"y", true, NULL}};
    *out = (kb_map_file){.sessions = kb_names_create()};
    kb_problems *problems = kb_problems_create((kb_problem_listener){0});
    const kb_csv_options options = {.columns = columns,
                                    .column_count = M_COLUMNS,
                                    .strict = true,
                                    .problems = problems,
                                    .progress = progress};
    kb_csv *csv = NULL;
    kb_status status = out->sessions && problems ? kb_csv_open(&csv, path, &options, err)
                                                 : kb_fail_memory(err, "a map");
    if (!status)
        status = take_rows(out, csv, progress, err);
    if (!status && !kb_names_count(out->sessions))
        status = kb_fail(err, KB_ERR_FORMAT, "%s: no session has a place", path);
    kb_csv_close(csv);
    kb_problems_free(problems);
    return status;
}

void kb_map_file_clear(kb_map_file *map)
{
    kb_names_free(map->sessions);
    free(map->places);
    *map = (kb_map_file){0};
}
