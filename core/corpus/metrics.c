#include "metrics.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* What one lane collects. */
struct metrics {
    kb_ingest *ingest;
    const kb_metrics_reading *reading;
    uint64_t rows;
    /* Of the trace being read: */
    uint32_t trace; /* the session, KB_NAME_NONE: its rows are not wanted */
    size_t time, width;
    bool begun;        /* a row of it has been taken */
    kb_time latest;    /* of those */
    uint32_t *objects; /* by column; KB_NAME_NONE: not an object */
    float *values;     /* by column: of the row being read */
    size_t objects_capacity, values_capacity;
};

enum { SESSION, TIME, OBJECT, VALUE };

/* --- both forms --------------------------------------------------------------------------- */

static void close_metrics(void *data)
{
    struct metrics *m = data;
    kb_ingest_free(m->ingest);
    free(m->objects);
    free(m->values);
    free(m);
}

static kb_status open_metrics(void **out, void *ctx, bool several, kb_error *err)
{
    const kb_metrics_reading *reading = ctx;
    struct metrics *m = kb_calloc(1, sizeof *m);
    if (!m)
        return kb_fail_memory(err, "a corpus");
    kb_ingest_options options = reading->options;
    options.one_of_several = several && !reading->apart;
    m->reading = reading;
    kb_status status = kb_ingest_create(&m->ingest, &options, err);
    if (status != KB_OK)
        close_metrics(m);
    else
        *out = m;
    return status;
}

static kb_status finish_metrics(void *data, kb_error *err)
{
    struct metrics *m = data;
    kb_status status = kb_ingest_settle(m->ingest, err);
    kb_ingest_rest(m->ingest);
    return status;
}

static kb_status no_memory(kb_error *err)
{
    return kb_fail_memory(err, "names");
}

static kb_problem_kind value_kind(const char *wrong)
{
    return strcmp(wrong, "not a number") == 0 ? KB_PROBLEM_NUMBER : KB_PROBLEM_RANGE;
}

static kb_status parse_time(kb_csv *csv, const kb_field *field, kb_time *time, bool *good,
                            kb_error *err)
{
    const char *wrong = kb_time_parse(time, field->text, field->length);
    *good = !wrong;
    return *good ? KB_OK
                 : kb_csv_reject(csv, err, KB_PROBLEM_TIME, "time '%.60s': %s", field->text, wrong);
}

/* --- long form: a reading a row ----------------------------------------------------------- */

kb_status kb_metrics_parse(kb_reading_row *row, bool *good, kb_csv *csv, const kb_field *f,
                           kb_error *err)
{
    *good = false;
    if (!f[SESSION].length)
        return kb_csv_reject(csv, err, KB_PROBLEM_NAME, "empty session");
    if (!f[OBJECT].length)
        return kb_csv_reject(csv, err, KB_PROBLEM_NAME, "empty object");
    kb_status status = parse_time(csv, &f[TIME], &row->time, good, err);
    if (!*good)
        return status;
    const char *wrong = kb_value_parse(&row->value, f[VALUE].text, f[VALUE].length);
    *good = !wrong;
    if (wrong)
        return kb_csv_reject(csv, err, value_kind(wrong), "value '%.60s': %s", f[VALUE].text,
                             wrong);
    row->session = f[SESSION];
    row->object = f[OBJECT];
    return KB_OK;
}

static kb_status take_reading(void *data, kb_csv *csv, const kb_field *f, kb_error *err)
{
    struct metrics *m = data;
    kb_reading_row row;
    bool good;
    kb_status status = kb_metrics_parse(&row, &good, csv, f, err);
    if (!good)
        return status;
    uint32_t session = kb_ingest_session(m->ingest, row.session.text, row.session.length);
    uint32_t object = kb_ingest_object(m->ingest, row.object.text, row.object.length);
    if (session == KB_NAME_NONE || object == KB_NAME_NONE)
        return no_memory(err);
    m->rows++;
    return kb_ingest_add(m->ingest, session, object, row.time, row.value, err);
}

/* --- wide form: a session a file, an object a column -------------------------------------- */

/* A trace with no good row is a session without rows. */
static kb_status name_trace(struct metrics *m, kb_csv *csv, const char *path, bool first,
                            kb_error *err)
{
    size_t length;
    const char *name = kb_file_stem(path, &length);
    const char *wrong = !length                        ? "empty"
                        : length > KB_FIELD_MAX        ? "longer than 4096 bytes"
                        : !kb_utf8_valid(name, length) ? "not UTF-8"
                                                       : NULL;
    m->trace = KB_NAME_NONE;
    if (wrong)
        return first ? kb_csv_tell(csv, 0, err, KB_PROBLEM_FILE,
                                   "the session's name, which is the file's, is %s", wrong)
                     : KB_OK;
    m->trace = kb_ingest_session(m->ingest, name, length);
    return m->trace == KB_NAME_NONE ? no_memory(err) : KB_OK;
}

static bool names_an_object(const struct metrics *m, const kb_csv *csv, size_t i)
{
    return i != m->time && kb_csv_name(csv, i).length;
}

static kb_status look_for_twins(const struct metrics *m, const kb_csv *csv, kb_error *err)
{
    kb_names *seen = kb_names_create();
    kb_status status = seen ? KB_OK : no_memory(err);
    for (size_t i = 0; status == KB_OK && i < m->width; i++) {
        kb_field name = kb_csv_name(csv, i);
        size_t before = kb_names_count(seen);
        if (!names_an_object(m, csv, i))
            continue;
        if (kb_names_add(seen, name.text, name.length) == KB_NAME_NONE)
            status = no_memory(err);
        else if (kb_names_count(seen) == before)
            status = kb_fail(err, KB_ERR_FORMAT, "%s: column '%.200s' is there twice",
                             kb_csv_label(csv), name.text);
    }
    kb_names_free(seen);
    return status;
}

/* OBJECTS[i] becomes the id of the object that column I names. */
static kb_status name_column(struct metrics *m, const kb_csv *csv, size_t i, kb_error *err)
{
    kb_field name = kb_csv_name(csv, i);
    m->objects[i] = KB_NAME_NONE;
    if (!names_an_object(m, csv, i))
        return KB_OK;
    m->objects[i] = kb_ingest_object(m->ingest, name.text, name.length);
    return m->objects[i] == KB_NAME_NONE ? no_memory(err) : KB_OK;
}

static kb_status tell_nameless(const struct metrics *m, kb_csv *csv, kb_error *err)
{
    size_t count = 0, first = 0;
    uint64_t line = kb_csv_header_line(csv);
    for (size_t i = m->width; i-- > 0;) {
        bool nameless = i != m->time && m->objects[i] == KB_NAME_NONE;
        count += nameless;
        first = nameless ? i + 1 : first;
    }
    if (count < 2)
        return count
                   ? kb_csv_tell(csv, line, err, KB_PROBLEM_COLUMN,
                                 "column %zu has no name of 1 to 4096 bytes: it is left out", first)
                   : KB_OK;
    return kb_csv_tell(csv, line, err, KB_PROBLEM_COLUMN,
                       "%zu columns have no name of 1 to 4096 bytes and are left out, "
                       "the first of them column %zu",
                       count, first);
}

static kb_status name_columns(struct metrics *m, kb_csv *csv, bool first, kb_error *err)
{
    m->width = kb_csv_width(csv);
    bool room = kb_grow((void **)&m->objects, &m->objects_capacity, m->width, sizeof *m->objects) &&
                kb_grow((void **)&m->values, &m->values_capacity, m->width, sizeof *m->values);
    kb_status status = room ? look_for_twins(m, csv, err) : no_memory(err);
    for (size_t i = 0; status == KB_OK && i < m->width; i++)
        status = name_column(m, csv, i, err);
    return status == KB_OK && first ? tell_nameless(m, csv, err) : status;
}

static kb_status begin_trace(void *data, kb_csv *csv, const char *path, bool first, kb_error *err)
{
    struct metrics *m = data;
    m->begun = false;
    kb_status status = kb_csv_find_column(csv, &m->reading->columns[TIME], &m->time, err);
    if (status == KB_OK)
        status = name_columns(m, csv, first, err);
    return status == KB_OK ? name_trace(m, csv, path, first, err) : status;
}

/* Fills values, < 0 for an empty cell; *GOOD false: a cell does not parse, which was told. */
static kb_status parse_cells(struct metrics *m, kb_csv *csv, const kb_field *f, bool *good,
                             kb_error *err)
{
    for (size_t i = 0; i < m->width; i++) {
        m->values[i] = -1;
        if (m->objects[i] == KB_NAME_NONE || !f[i].length)
            continue;
        unsigned digit = (unsigned char)*f[i].text - (unsigned)'0';
        if (f[i].length == 1 && digit <= 9) { /* most cells */
            m->values[i] = (float)digit;
            continue;
        }
        const char *wrong = kb_value_parse(&m->values[i], f[i].text, f[i].length);
        *good = !wrong;
        if (wrong)
            return kb_csv_reject(csv, err, value_kind(wrong), "column '%.100s': value '%.60s': %s",
                                 kb_csv_name(csv, i).text, f[i].text, wrong);
    }
    return KB_OK;
}

/* Where nothing else can have a reading at TIME, one of zero is as good as none. */
static bool zeros_count(struct metrics *m, kb_time time)
{
    bool later = !m->begun || kb_time_compare(time, m->latest) > 0;
    if (later)
        m->latest = time;
    m->begun = true;
    return !later || !m->reading->apart || m->reading->options.fill != KB_FILL_ZERO;
}

static kb_status take_cells(void *data, kb_csv *csv, const kb_field *f, kb_error *err)
{
    struct metrics *m = data;
    kb_time time;
    bool good;
    if (m->trace == KB_NAME_NONE)
        return KB_OK;
    kb_status status = parse_time(csv, &f[m->time], &time, &good, err);
    if (good)
        status = parse_cells(m, csv, f, &good, err);
    if (!good)
        return status;
    m->rows++;
    float least = zeros_count(m, time) ? 0 : FLT_TRUE_MIN;
    status = kb_ingest_add_time(m->ingest, m->trace, time, err);
    for (size_t i = 0; status == KB_OK && i < m->width; i++)
        if (m->values[i] >= least)
            status = kb_ingest_add(m->ingest, m->trace, m->objects[i], time, m->values[i], err);
    return status;
}

/* --- for the lanes ------------------------------------------------------------------------ */

void kb_metrics_columns(kb_column columns[KB_METRIC_COLUMNS], const kb_column_names *names)
{
    static const kb_column_kind kinds[KB_METRIC_COLUMNS] = {KB_COLUMN_SESSION, KB_COLUMN_TIME,
                                                            KB_COLUMN_OBJECT, KB_COLUMN_VALUE};
    for (size_t c = 0; c < KB_METRIC_COLUMNS; c++)
        columns[c] =
            (kb_column){kb_column_name(kinds[c]), true, names ? names->names[kinds[c]] : NULL};
}

void kb_metrics_prepare(kb_metrics_reading *r, const kb_ingest_options *options,
                        const kb_column_names *names, size_t collector)
{
    r->options = *options;
    r->apart = false;
    kb_metrics_columns(r->columns, names);
    r->collector = (kb_collector){open_metrics, close_metrics, finish_metrics, r};
    r->long_form = (kb_reader){.collector = collector,
                               .columns = r->columns,
                               .column_count = KB_METRIC_COLUMNS,
                               .take = take_reading};
    r->wide_form = (kb_reader){
        .collector = collector, .whole = true, .begin = begin_trace, .take = take_cells};
}

void kb_metrics_look_at(kb_metrics_reading *r, const kb_file *files, size_t count)
{
    kb_names *traces = kb_names_create();
    r->apart = traces != NULL;
    for (size_t i = 0; i < count && r->apart; i++) {
        size_t length, before = kb_names_count(traces);
        const char *name = kb_file_stem(files[i].path, &length);
        if (files[i].kind == KB_FILE_METRICS)
            r->apart = false;
        else if (files[i].kind == KB_FILE_TRACE)
            r->apart = kb_names_add(traces, name, length) == before; /* neither known nor failed */
    }
    kb_names_free(traces);
}

kb_ingest *kb_metrics_ingest(void *data)
{
    return ((struct metrics *)data)->ingest;
}

kb_ingest *kb_metrics_release(void *data)
{
    struct metrics *m = data;
    kb_ingest *ingest = m->ingest;
    m->ingest = NULL;
    return ingest;
}

uint64_t kb_metrics_rows(const void *data)
{
    return ((const struct metrics *)data)->rows;
}
