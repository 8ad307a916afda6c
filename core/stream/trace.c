#include "trace.h"

#include "ingest.h"

static kb_status read_rows(const kb_metrics_reading *metrics, void *data, kb_csv *csv,
                           const char *path, kb_error *err)
{
    bool got = true;
    kb_status status = metrics->wide_form.begin(data, csv, path, true, err);
    while (!status && got) {
        const kb_field *fields;
        status = kb_csv_next(csv, &fields, &got, err);
        if (!status && got && fields)
            status = metrics->wide_form.take(data, csv, fields, err);
    }
    return status;
}

kb_status kb_trace_read(kb_ingest **out, uint64_t *bytes, const char *path,
                        const kb_trace_options *options, kb_error *err)
{
    const kb_ingest_options ingesting = {
        .timesteps = options->timesteps, .fill = options->fill, .one_of_several = true};
    kb_metrics_reading metrics;
    kb_metrics_prepare(&metrics, &ingesting, options->names, 0);
    kb_csv_options reading = {.problems = options->problems, .progress = options->progress};
    kb_csv *csv;
    void *data = NULL;
    *out = NULL;
    kb_status status = kb_csv_open(&csv, path, &reading, err);
    if (status)
        return status;
    status = metrics.collector.open(&data, metrics.collector.ctx, true, err);
    if (!status)
        status = read_rows(&metrics, data, csv, path, err);
    *bytes += kb_csv_bytes(csv);
    kb_csv_close(csv);
    bool keeps = status == KB_OK || status == KB_ERR_DAMAGED;
    kb_status settled = keeps ? kb_ingest_settle(kb_metrics_ingest(data), err) : KB_OK;
    if (keeps && !settled)
        *out = kb_metrics_release(data);
    if (*out && !kb_names_count((*out)->sessions)) {
        kb_ingest_free(*out);
        *out = NULL;
    }
    if (data)
        metrics.collector.close(data);
    return settled ? settled : status;
}
