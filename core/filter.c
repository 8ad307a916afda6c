#include "filter.h"

#include <stdlib.h>
#include <time.h>

#include "memory.h"
#include "secret.h"

/* Rows between two looks at the clock, and seconds between two batches that are not full. */
enum { ROWS_A_LOOK = 256 };
static const double batch_every = .05;

/* --- labels ------------------------------------------------------------------------------- */

const char *kb_label_name(const kb_labels *labels, size_t i)
{
    return kb_corpus_session(labels->corpus, labels->sessions[i])->name;
}

static kb_status label_batch(const kb_stream_batch *batch, const kb_model *model,
                             kb_label_sink sink, kb_pool *pool, kb_error *err)
{
    kb_assignment *assigned = kb_calloc(batch->count, sizeof *assigned);
    if (!assigned)
        return kb_fail_memory(err, "assignments");
    kb_status status =
        kb_assign(assigned, model, batch->corpus, batch->ids, batch->count, pool, NULL, err);
    kb_labels labels = {batch->corpus, batch->ids, assigned, batch->count};
    if (!status)
        status = sink.take(sink.ctx, &labels, err);
    free(assigned);
    return status;
}

kb_status kb_label_ended(kb_stream *stream, const kb_model *model, kb_label_sink sink,
                         kb_pool *pool, kb_error *err)
{
    kb_status status = KB_OK;
    while (!status && kb_stream_ended(stream)) {
        kb_stream_batch batch;
        status = kb_stream_take(stream, &batch, KB_STREAM_BATCH, err);
        if (!status)
            status = label_batch(&batch, model, sink, pool, err);
        kb_stream_batch_clear(&batch);
    }
    return status;
}

/* --- a stream ----------------------------------------------------------------------------- */

kb_filter_options kb_filter_defaults(void)
{
    return (kb_filter_options){.open = 4096};
}

struct filter {
    kb_filter_result *out;
    const kb_model *model;
    const kb_filter_options *options;
    kb_label_sink sink;
    kb_pool *pool;
    const kb_progress *progress;
    kb_stream *stream;
    kb_csv *csv;
    double now, labelled; /* the clock as it was seen last, and at the last batch */
    kb_status status;     /* of what was done while waiting */
    kb_error error;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void look_at_clock(struct filter *f)
{
    f->now = seconds();
    if (f->options->settle > 0)
        kb_stream_end_quiet(f->stream, f->now - f->options->settle);
}

static kb_status label(struct filter *f, kb_error *err)
{
    size_t ended = kb_stream_ended(f->stream);
    kb_status status = kb_label_ended(f->stream, f->model, f->sink, f->pool, err);
    f->out->sessions += status ? 0 : ended;
    f->labelled = seconds();
    return status;
}

/* Nothing comes: what is complete goes out. */
static void on_idle(void *ctx)
{
    struct filter *f = ctx;
    look_at_clock(f);
    if (!f->status && kb_stream_ended(f->stream) && f->now - f->labelled >= batch_every)
        f->status = label(f, &f->error);
}

static void report(const struct filter *f)
{
    kb_progress_state state = {.phase = "reading",
                               .done = kb_csv_bytes(f->csv),
                               .bytes = true,
                               .rows = f->out->count.rows};
    kb_progress_tell(f->progress, &state);
}

static kb_status read_row(struct filter *f, bool *got, kb_error *err)
{
    const kb_field *fields;
    kb_status status = kb_csv_next(f->csv, &fields, got, err);
    if (!status && f->status)
        status = kb_fail(err, f->status, "%s", f->error.text);
    if (!status && *got && fields)
        status = kb_stream_row(f->stream, f->csv, fields, f->now, &f->out->count, err);
    return status;
}

static kb_status read_rows(struct filter *f, kb_error *err)
{
    bool got = true;
    kb_status status = KB_OK;
    for (size_t i = 0; !status && got; i++) {
        if (i % ROWS_A_LOOK == 0) {
            look_at_clock(f);
            report(f);
            if (kb_cancelled(f->progress))
                return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        }
        status = read_row(f, &got, err);
        if (!status && kb_stream_ended(f->stream) >= KB_STREAM_BATCH)
            status = label(f, err);
    }
    return status;
}

/* What came before a damage counts. */
static kb_status read_stream(struct filter *f, const char *path, kb_problems *problems,
                             kb_error *err)
{
    kb_error damage = {0};
    kb_status status = read_rows(f, &damage);
    if (status == KB_ERR_DAMAGED && !f->options->strict) {
        kb_problems_add(problems, path, kb_csv_next_line(f->csv), KB_PROBLEM_DAMAGE,
                        "%s; the rows before that are kept", kb_problem_reason(damage.text, path));
        f->out->damaged = true;
        status = KB_OK;
    }
    if (status)
        return kb_fail(err, status, "%s", damage.text);
    if (!f->out->count.rows && !f->out->count.late)
        return kb_fail(err, KB_ERR_FORMAT, "%s: no usable session: not one good row, %llu bad",
                       path, (unsigned long long)kb_problems_count(problems));
    kb_stream_end_all(f->stream);
    return label(f, err);
}

static kb_status open_and_read(struct filter *f, const char *path, kb_problems *problems,
                               kb_error *err)
{
    kb_column columns[KB_METRIC_COLUMNS];
    kb_column_names names;
    kb_status status = kb_column_names_parse(&names, f->options->columns, err);
    kb_metrics_columns(columns, &names);
    kb_csv_options reading = {.columns = columns,
                              .column_count = KB_METRIC_COLUMNS,
                              .strict = f->options->strict,
                              .ahead = kb_pool_threads(f->pool) > 1,
                              .problems = problems,
                              .progress = f->progress};
    if (!status)
        status = kb_csv_open(&f->csv, path, &reading, err);
    if (!status) {
        kb_csv_on_idle(f->csv, (kb_idle){on_idle, f});
        status = read_stream(f, path, problems, err);
    }
    kb_csv_close(f->csv);
    kb_column_names_clear(&names);
    return status;
}

kb_status kb_filter(kb_filter_result *out, const char *path, const kb_model *model,
                    const kb_filter_options *options, kb_label_sink sink, kb_pool *pool,
                    const kb_progress *progress, kb_error *err)
{
    *out = (kb_filter_result){0};
    struct filter f = {.out = out,
                       .model = model,
                       .options = options,
                       .sink = sink,
                       .pool = pool,
                       .progress = progress,
                       .now = seconds()};
    const kb_features *features = kb_model_features(model);
    kb_stream_options streaming = {.timesteps = kb_features_timesteps(features),
                                   .fill = kb_features_fill(features),
                                   .grouped = options->grouped,
                                   .open = options->open};
    if (!kb_model_calibrated(model))
        return kb_fail(err, KB_ERR_USAGE, "the model has no clusters yet: run `kaboom calibrate`");
    kb_problems *problems = kb_problems_create(options->problem);
    kb_status status = problems ? kb_stream_create(&f.stream, &streaming, kb_secret(), err)
                                : kb_fail_memory(err, "problems");
    if (!status)
        status = open_and_read(&f, path, problems, err);
    kb_stream_free(f.stream);
    kb_problems_free(problems);
    return status;
}
