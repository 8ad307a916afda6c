/* prometheus: responses of Prometheus's query API, matrix or vector. The outer document is walked;
 * one series at a time is in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "importer.h"
#include "json_reader.h"
#include "json_text.h"
#include "label_list.h"
#include "labels.h"
#include "telltale.h"
#include "twins.h"

enum { WORD = 400 }; /* of a status or an error's text */

/* One response being read. */
struct response {
    uint64_t line; /* where it begins */
    char status[WORD], result_type[WORD], error_type[WORD], error[WORD];
    bool has_result, has_series;
};

struct prometheus {
    kb_importer *importer;
    kb_json *json;
    kb_json_reader *reader;
    const char *file;
    struct response response;
    kb_names *drop;  /* labels */
    kb_twins *twins; /* NULL: no label is dropped */
    kb_telltale *telltale;
    /* the series at hand */
    kb_labels labels;
    kb_text object, text; /* its name, and a text for messages */
};

/* --- a series ---------------------------------------------------------------------------- */
static kb_status reject(struct prometheus *p, uint64_t line, const char *reason, kb_error *err)
{
    kb_place at = {p->file, line, NULL};
    return kb_intake_reject(p->importer->intake, &at, err, "%s", reason);
}

/* All samples of SERIES are left out. */
static kb_status reject_series(struct prometheus *p, const kb_place *at, struct json_object *series,
                               const char *reason, kb_error *err)
{
    struct json_object *values = json_object_object_get(series, "values");
    bool many = json_object_is_type(values, json_type_array);
    kb_intake_left_out(p->importer->intake, many ? json_object_array_length(values) : 1);
    return kb_intake_tell(p->importer->intake, at, err, "%s", reason);
}

/* The samples that follow are those of the series at hand. */
static kb_status begin_series(struct prometheus *p, kb_cell session, kb_error *err)
{
    kb_cell object = {p->object.s, p->object.length}, dropped = {p->text.s, p->text.length};
    bool fits = !p->twins || kb_twins_begin(p->twins, session, object, dropped);
    for (size_t i = 0; i < p->labels.count && fits && !kb_intake_shared(p->importer->intake); i++) {
        const kb_label *label = &p->labels.items[i];
        kb_cell value = {json_object_get_string(label->value),
                         (size_t)json_object_get_string_len(label->value)};
        fits = label->dropped || kb_telltale_add(p->telltale, session, label->name, value);
    }
    return fits ? KB_OK : kb_fail_memory(err, "the labels of series");
}

/* Another series may have come to the same object and have this time, too. */
static kb_status look_for_twin(struct prometheus *p, const kb_place *at, kb_cell session,
                               kb_cell time, kb_error *err)
{
    const char *other;
    if (!p->twins)
        return KB_OK;
    if (!kb_twins_sample(p->twins, time, &other))
        return kb_fail_memory(err, "the times of series");
    if (!other)
        return KB_OK;
    return kb_intake_tell(p->importer->intake, at, err,
                          "session '%.60s' has this twice at one time, as %.120s and as %.120s: "
                          "the last one counts; see --drop-labels",
                          session.text, other, p->text.s);
}

/* SAMPLE: [time, "value"]. */
static kb_status take_sample(struct prometheus *p, const kb_place *at, kb_cell session,
                             struct json_object *sample, kb_error *err)
{
    char room[2][KB_JSON_ROOM];
    kb_cell cells[2];
    kb_intake *intake = p->importer->intake;
    if (!json_object_is_type(sample, json_type_array) || json_object_array_length(sample) != 2)
        return kb_intake_reject(intake, at, err, "a sample that is not [time, value]");
    for (size_t i = 0; i < 2; i++) {
        const char *odd = kb_json_scalar(json_object_array_get_idx(sample, i), room[i], &cells[i]);
        if (odd)
            return kb_intake_reject(intake, at, err, "%s as the %s of a sample", odd,
                                    i ? "value" : "time");
    }
    uint64_t before = kb_intake_rows(intake);
    kb_cell object = {p->object.s, p->object.length};
    kb_status status = kb_intake_reading(intake, at, session, cells[0], object, cells[1], err);
    bool good = !status && kb_intake_rows(intake) > before;
    return good ? look_for_twin(p, at, session, cells[0], err) : status;
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
        json_object_object_get_ex(series, "histogram", NULL)) {
        kb_intake_idle(p->importer->intake, at, false, "a native histogram, which is passed over");
        return KB_OK;
    }
    return kb_intake_tell(p->importer->intake, at, err, "a series without values");
}

/* The labels are set. */
static kb_status take_labelled(struct prometheus *p, uint64_t line, struct json_object *series,
                               kb_error *err)
{
    char reason[KB_REASON];
    kb_place at = {p->file, line, NULL};
    if (!kb_labels_text(&p->labels, KB_LABELS_OBJECT, &p->object) ||
        !kb_labels_text(&p->labels, p->labels.session ? KB_LABELS_DROPPED : KB_LABELS_ALL,
                        &p->text))
        return kb_fail_memory(err, "the labels of a series");
    if (!kb_intake_name("metric", (kb_cell){p->object.s, p->object.length}, reason))
        return reject_series(p, &at, series, reason, err);
    if (strlen(p->text.s) < p->text.length)
        return reject_series(p, &at, series, "a label with a NUL character", err);
    if (!p->labels.session) {
        snprintf(reason, sizeof reason, "no label '%.80s' in %.200s",
                 p->importer->options->session_label, p->text.s);
        return reject_series(p, &at, series, reason, err);
    }
    at.where = p->object.s;
    kb_cell session = {json_object_get_string(p->labels.session),
                       (size_t)json_object_get_string_len(p->labels.session)};
    if (!kb_intake_name("session", session, reason))
        return reject_series(p, &at, series, reason, err);
    kb_status status = begin_series(p, session, err);
    return status ? status : take_values(p, &at, session, series, err);
}

static kb_status take_series(struct prometheus *p, uint64_t line, struct json_object *series,
                             kb_error *err)
{
    const char *odd;
    char reason[KB_REASON];
    kb_place at = {p->file, line, NULL};
    if (!json_object_is_type(series, json_type_object))
        return reject(p, line, "a series that is not an object", err);
    struct json_object *metric = json_object_object_get(series, "metric");
    if (!json_object_is_type(metric, json_type_object))
        return reject_series(p, &at, series, "a series without \"metric\"", err);
    kb_status status =
        kb_labels_set(&p->labels, metric, p->importer->options->session_label, p->drop, &odd, err);
    if (status || !odd)
        return status ? status : take_labelled(p, line, series, err);
    snprintf(reason, sizeof reason, "label '%.80s' is not a string", odd);
    return reject_series(p, &at, series, reason, err);
}

/* --- the document ------------------------------------------------------------------------ */
/* An element of data.result. */
static kb_status take_element(void *ctx, kb_error *err)
{
    struct prometheus *p = ctx;
    kb_json_span span;
    kb_json_verdict verdict;
    struct json_object *series;
    p->response.has_series = true;
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
    p->response = (struct response){.line = kb_json_reader_line(p->reader)};
    return kb_json_reader_object(p->reader, visit_response, p, err);
}

/* A document of a directory that is not what was asked for is one file's damage. */
static kb_status end_document(const struct prometheus *p, kb_error *err)
{
    kb_error wrong = {0};
    kb_place at = {p->file, p->response.line, NULL};
    kb_status status = judge(p, &wrong);
    if (status && p->importer->directory)
        return kb_intake_damage(p->importer->intake, p->file, at.line, &wrong, err);
    if (status)
        return kb_fail(err, status, "%s", wrong.text);
    if (!p->response.has_series)
        kb_intake_idle(p->importer->intake, &at, false, "no series in the result");
    return KB_OK;
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
            status = end_document(p, err);
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

/* --- all of it --------------------------------------------------------------------------- */
static kb_status begin(struct prometheus *p, kb_error *err)
{
    kb_status status = kb_label_list_parse(&p->drop, p->importer->options->drop_labels, err);
    if (status)
        return status;
    p->json = kb_json_create();
    p->telltale = kb_telltale_create();
    p->twins = kb_names_count(p->drop) ? kb_twins_create() : NULL;
    bool twins = p->twins || !kb_names_count(p->drop);
    return p->json && p->telltale && twins ? KB_OK : kb_fail_memory(err, "reading JSON");
}

static void end(struct prometheus *p)
{
    kb_json_free(p->json);
    kb_telltale_free(p->telltale);
    kb_twins_free(p->twins);
    kb_names_free(p->drop);
    kb_labels_clear(&p->labels);
    kb_text_clear(&p->object);
    kb_text_clear(&p->text);
}

/* What to do where every session has objects of its own. */
static void advise(const struct prometheus *p)
{
    char list[200];
    const char *dropped = p->importer->options->drop_labels;
    size_t count = kb_telltale_list(p->telltale, list, sizeof list);
    bool none = strcmp(dropped, "none") == 0;
    if (count)
        snprintf(p->importer->advice, sizeof p->importer->advice,
                 "; %s %s differ%s from session to session: leave %s out with "
                 "--drop-labels %.200s%s%s",
                 count == 1 ? "the label" : "the labels", list, count == 1 ? "s" : "",
                 count == 1 ? "it" : "them", none ? "" : dropped, none ? "" : ",", list);
    else
        snprintf(p->importer->advice, sizeof p->importer->advice,
                 "; --drop-labels leaves labels out of their names");
}

kb_status kb_prometheus_import(kb_importer *importer, const char *in, kb_error *err)
{
    static const char *const suffixes[] = {".json"};
    struct prometheus p = {.importer = importer};
    kb_status status = begin(&p, err);
    if (!status)
        status = kb_importer_files(importer, in, suffixes, 1, read_file, &p, err);
    if (!status)
        advise(&p);
    end(&p);
    return status;
}
