/* prometheus: responses of Prometheus's query API, matrix or vector. The outer document is walked;
 * one series at a time is in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "importer.h"
#include "json_reader.h"
#include "json_text.h"
#include "memory.h"

enum { WORD = 400 }; /* of a status or an error's text */

/* One response being read. */
struct response {
    char status[WORD], result_type[WORD], error_type[WORD], error[WORD];
    bool has_result;
};

struct prometheus {
    kb_importer *importer;
    kb_json *json;
    kb_json_reader *reader;
    const char *file;
    struct response response;
    char *object; /* name and labels of the series at hand */
    size_t object_length, object_capacity;
};

/* --- the name of a series ---------------------------------------------------------------- */
static bool append(struct prometheus *p, const char *s, size_t length)
{
    if (!kb_grow((void **)&p->object, &p->object_capacity, p->object_length + length + 1, 1))
        return false;
    memcpy(p->object + p->object_length, s, length);
    p->object_length += length;
    return true;
}

/* As Prometheus writes it: in quotes, with backslashes before what would be misread. */
static bool append_quoted(struct prometheus *p, const char *s, size_t length)
{
    bool fits = append(p, "\"", 1);
    for (size_t i = 0; i < length && fits; i++) {
        if (s[i] == '\n')
            fits = append(p, "\\n", 2);
        else
            fits = ((s[i] != '"' && s[i] != '\\') || append(p, "\\", 1)) && append(p, &s[i], 1);
    }
    return fits && append(p, "\"", 1);
}

struct label {
    const char *name;
    struct json_object *value;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

static bool append_label(struct prometheus *p, const struct label *label, bool first)
{
    return append(p, first ? "{" : ",", 1) && append(p, label->name, strlen(label->name)) &&
           append(p, "=", 1) &&
           append_quoted(p, json_object_get_string(label->value),
                         (size_t)json_object_get_string_len(label->value));
}

/* p->object becomes NAME with LABELS (COUNT of them), which get sorted. */
static bool set_object(struct prometheus *p, struct json_object *name, struct label *labels,
                       size_t count)
{
    bool fits = true;
    p->object_length = 0;
    if (name)
        fits = append(p, json_object_get_string(name), (size_t)json_object_get_string_len(name));
    if (count)
        qsort(labels, count, sizeof *labels, by_name);
    for (size_t i = 0; i < count && fits; i++)
        fits = append_label(p, &labels[i], i == 0);
    if (fits && (count || !name))
        fits = append(p, count ? "}" : "{}", count ? 1 : 2);
    return fits;
}

/* LABELS (room for all of METRIC) becomes all labels but the metric's name and the session's.
 * False: *ODD is not a string. */
static bool take_labels(const struct prometheus *p, struct json_object *metric,
                        struct label *labels, size_t *count, const char **odd)
{
    *count = 0;
    json_object_object_foreach(metric, name, value)
    {
        *odd = name;
        if (!json_object_is_type(value, json_type_string))
            return false;
        if (strcmp(name, "__name__") != 0 && strcmp(name, p->importer->options->session_label) != 0)
            labels[(*count)++] = (struct label){name, value};
    }
    return true;
}

static kb_status reject(struct prometheus *p, uint64_t line, const char *reason, kb_error *err)
{
    kb_place at = {p->file, line, NULL};
    return kb_intake_reject(p->importer->intake, &at, err, "%s", reason);
}

/* p->object becomes the name of METRIC's series. *GOOD false: it was rejected. */
static kb_status name_series(struct prometheus *p, uint64_t line, struct json_object *metric,
                             bool *good, kb_error *err)
{
    size_t count;
    const char *odd = NULL;
    char reason[KB_REASON];
    *good = false;
    struct label *labels =
        kb_calloc((size_t)json_object_object_length(metric), sizeof(struct label));
    if (!labels)
        return kb_fail_memory(err, "the labels of a series");
    bool fits = true, strings = take_labels(p, metric, labels, &count, &odd);
    if (strings)
        fits = set_object(p, json_object_object_get(metric, "__name__"), labels, count);
    free(labels);
    if (!fits)
        return kb_fail_memory(err, "the labels of a series");
    if (!strings)
        snprintf(reason, sizeof reason, "label '%.80s' is not a string", odd);
    *good = strings && kb_intake_name("metric", (kb_cell){p->object, p->object_length}, reason);
    return *good ? KB_OK : reject(p, line, reason, err);
}

/* --- a series ---------------------------------------------------------------------------- */
/* SAMPLE: [time, "value"]. */
static kb_status take_sample(struct prometheus *p, const kb_place *at, kb_cell session,
                             struct json_object *sample, kb_error *err)
{
    char room[2][KB_JSON_ROOM];
    kb_cell cells[2];
    if (!json_object_is_type(sample, json_type_array) || json_object_array_length(sample) != 2)
        return kb_intake_reject(p->importer->intake, at, err, "a sample that is not [time, value]");
    for (size_t i = 0; i < 2; i++) {
        const char *odd = kb_json_scalar(json_object_array_get_idx(sample, i), room[i], &cells[i]);
        if (odd)
            return kb_intake_reject(p->importer->intake, at, err, "%s as the %s of a sample", odd,
                                    i ? "value" : "time");
    }
    return kb_intake_reading(p->importer->intake, at, session, cells[0],
                             (kb_cell){p->object, p->object_length}, cells[1], err);
}

static kb_status take_samples(struct prometheus *p, const kb_place *at, kb_cell session,
                              struct json_object *values, kb_error *err)
{
    enum { ASK_EVERY = 4096 };
    kb_status status = KB_OK;
    if (!json_object_is_type(values, json_type_array))
        return kb_intake_reject(p->importer->intake, at, err, "values that are not an array");
    for (size_t i = 0; i < json_object_array_length(values) && !status; i++) {
        if (i % ASK_EVERY == 0)
            status = kb_importer_report(p->importer, kb_json_reader_consumed(p->reader), err);
        if (!status)
            status = take_sample(p, at, session, json_object_array_get_idx(values, i), err);
    }
    return status;
}

/* Native histograms have "histograms" instead, which are left alone. */
static kb_status take_values(struct prometheus *p, const kb_place *at, kb_cell session,
                             struct json_object *series, kb_error *err)
{
    struct json_object *values = NULL;
    if (json_object_object_get_ex(series, "values", &values))
        return take_samples(p, at, session, values, err);
    if (json_object_object_get_ex(series, "value", &values))
        return take_sample(p, at, session, values, err);
    if (json_object_object_get_ex(series, "histograms", NULL) ||
        json_object_object_get_ex(series, "histogram", NULL))
        return KB_OK;
    return kb_intake_reject(p->importer->intake, at, err, "a series without values");
}

static kb_status take_series(struct prometheus *p, uint64_t line, struct json_object *series,
                             kb_error *err)
{
    struct json_object *metric, *session;
    const char *label = p->importer->options->session_label;
    char reason[KB_REASON];
    bool good;
    if (!json_object_is_type(series, json_type_object))
        return reject(p, line, "a series that is not an object", err);
    metric = json_object_object_get(series, "metric");
    if (!json_object_is_type(metric, json_type_object))
        return reject(p, line, "a series without \"metric\"", err);
    kb_status status = name_series(p, line, metric, &good, err);
    if (status || !good)
        return status;
    session = json_object_object_get(metric, label);
    if (!session) {
        snprintf(reason, sizeof reason, "no label '%.80s' in %.*s", label,
                 (int)(p->object_length < 200 ? p->object_length : 200), p->object);
        return reject(p, line, reason, err);
    }
    kb_place at = {p->file, line, p->object};
    p->object[p->object_length] = '\0'; /* there is always room for it */
    kb_cell name = {json_object_get_string(session), (size_t)json_object_get_string_len(session)};
    return take_values(p, &at, name, series, err);
}

/* --- the document ------------------------------------------------------------------------ */
/* An element of data.result. */
static kb_status take_element(void *ctx, kb_error *err)
{
    struct prometheus *p = ctx;
    kb_json_span span;
    kb_json_verdict verdict;
    struct json_object *series;
    kb_status status = kb_json_reader_keep(p->reader, &span, err);
    if (!status && span.too_long)
        return reject(p, span.line, "a series longer than 64 MiB", err);
    if (!status)
        status = kb_json_parse(p->json, span.text, span.length, p->importer->progress, &series,
                               &verdict, err);
    if (status)
        return status;
    if (*verdict.reason)
        return reject(p, span.line, verdict.reason, err);
    status = take_series(p, span.line, series, err);
    json_object_put(series);
    if (!status)
        status = kb_importer_report(p->importer, kb_json_reader_consumed(p->reader), err);
    return status;
}

/* WORD becomes the text of SPAN, a JSON string; "" where it is anything else. */
static kb_status read_word(struct prometheus *p, const kb_json_span *span, char *word,
                           kb_error *err)
{
    struct json_object *value;
    kb_json_verdict verdict;
    kb_status status =
        kb_json_parse(p->json, span->text, span->length, NULL, &value, &verdict, err);
    bool is_text = !status && json_object_is_type(value, json_type_string);
    snprintf(word, WORD, "%s", is_text ? json_object_get_string(value) : "");
    json_object_put(value);
    return status;
}

/* The same for the value at hand, which is taken. */
static kb_status take_word(struct prometheus *p, char *word, kb_error *err)
{
    kb_json_span span;
    kb_status status = kb_json_reader_keep(p->reader, &span, err);
    return status ? status : read_word(p, &span, word, err);
}

/* The result of a scalar or a string is an array of two; what they are is asked afterwards. */
static kb_status take_result(struct prometheus *p, kb_error *err)
{
    int c;
    kb_status status = kb_json_reader_peek(p->reader, &c, err);
    if (status)
        return status;
    const char *type = p->response.result_type;
    bool wanted = !*type || strcmp(type, "matrix") == 0 || strcmp(type, "vector") == 0;
    p->response.has_result = c == '[';
    if (c != '[' || !wanted)
        return kb_json_reader_skip(p->reader, err);
    return kb_json_reader_array(p->reader, take_element, p, err);
}

static kb_status visit_data(void *ctx, const kb_json_span *span, kb_error *err)
{
    struct prometheus *p = ctx;
    char name[WORD];
    kb_status status = read_word(p, span, name, err);
    if (status)
        return status;
    if (strcmp(name, "resultType") == 0)
        return take_word(p, p->response.result_type, err);
    if (strcmp(name, "result") == 0)
        return take_result(p, err);
    return kb_json_reader_skip(p->reader, err);
}

static kb_status take_data(struct prometheus *p, kb_error *err)
{
    int c;
    kb_status status = kb_json_reader_peek(p->reader, &c, err);
    if (status)
        return status;
    return c == '{' ? kb_json_reader_object(p->reader, visit_data, p, err)
                    : kb_json_reader_skip(p->reader, err);
}

static kb_status visit_response(void *ctx, const kb_json_span *span, kb_error *err)
{
    struct prometheus *p = ctx;
    struct response *response = &p->response;
    char name[WORD];
    kb_status status = read_word(p, span, name, err);
    if (status)
        return status;
    if (strcmp(name, "data") == 0)
        return take_data(p, err);
    char *word = strcmp(name, "status") == 0      ? response->status
                 : strcmp(name, "errorType") == 0 ? response->error_type
                 : strcmp(name, "error") == 0     ? response->error
                                                  : NULL;
    return word ? take_word(p, word, err) : kb_json_reader_skip(p->reader, err);
}

/* A document that is well-formed, but not what was asked for. */
static kb_status judge(const struct prometheus *p, kb_error *err)
{
    const struct response *r = &p->response;
    if (strcmp(r->status, "error") == 0) {
        kb_fail(err, KB_ERR_FORMAT, "%s: the query failed: %s: %s", p->file, r->error_type,
                r->error);
        if (err)
            kb_printable(err->text);
        return KB_ERR_FORMAT;
    }
    if (strcmp(r->result_type, "scalar") == 0 || strcmp(r->result_type, "string") == 0)
        return kb_fail(err, KB_ERR_FORMAT,
                       "%s: the result is a %s, a matrix or a vector was expected", p->file,
                       r->result_type);
    if (strcmp(r->status, "success") != 0 || !r->has_result)
        return kb_fail(err, KB_ERR_FORMAT, "%s: not a response of Prometheus: no %s", p->file,
                       r->has_result ? "\"status\"" : "data.result");
    return KB_OK;
}

/* --- a file ------------------------------------------------------------------------------ */
/* *END: there is no further document. */
static kb_status walk_document(struct prometheus *p, bool first, bool *end, kb_error *err)
{
    int c;
    kb_status status = kb_json_reader_peek(p->reader, &c, err);
    *end = !status && c < 0;
    if (*end && first)
        return kb_fail(err, KB_ERR_DAMAGED, "empty: a response of Prometheus was expected");
    if (status || *end)
        return status;
    p->response = (struct response){0};
    return kb_json_reader_object(p->reader, visit_response, p, err);
}

/* Responses may have been put one behind the other. */
static kb_status read_documents(struct prometheus *p, kb_error *err)
{
    for (bool first = true, end = false;; first = false) {
        kb_error wrong = {0};
        kb_status status = walk_document(p, first, &end, &wrong);
        if (status == KB_ERR_DAMAGED)
            return kb_intake_damage(p->importer->intake, p->file, kb_json_reader_line(p->reader),
                                    &wrong, err);
        if (status)
            return kb_fail(err, status, "%s", wrong.text);
        if (!end)
            status = judge(p, err);
        if (status || end)
            return status;
    }
}

static kb_status read_file(void *ctx, const char *path, kb_error *err)
{
    struct prometheus *p = ctx;
    p->file = path;
    kb_status status = kb_json_reader_open(&p->reader, path, p->importer->progress, err);
    if (!status)
        status = read_documents(p, err);
    kb_json_reader_close(p->reader);
    p->reader = NULL;
    return status;
}

kb_status kb_prometheus_import(kb_importer *importer, const char *in, kb_error *err)
{
    static const char *const suffixes[] = {".json"};
    struct prometheus p = {.importer = importer, .json = kb_json_create()};
    if (!p.json)
        return kb_fail_memory(err, "reading JSON");
    kb_status status = kb_importer_files(importer, in, suffixes, 1, read_file, &p, err);
    kb_json_free(p.json);
    free(p.object);
    return status;
}
