#include "sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"
#include "memory.h"
#include "secret.h"
#include "trace.h"

enum { OPEN = 4096, ROWS_A_LOOK = 4096 };

struct reading {
    kb_sweep *out;
    const kb_model *model;
    const kb_corpus_options *options;
    kb_pool *pool;
    const kb_progress *progress;
    kb_column_names names;
    kb_column columns[KB_METRIC_COLUMNS];
    kb_files files;
    kb_listing listing;
    kb_stream *stream;
    kb_stream_count count;
    uint64_t bytes, total; /* of files: read, all */
    size_t capacity;
    bool usable; /* a session has rows */
};

/* Text packs by a factor of eight, about. */
static uint64_t text_bytes(const kb_files *files)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < files->count; i++) {
        const kb_file *file = &files->items[i];
        size_t n = strlen(file->path);
        bool packed = n > 3 && strcmp(file->path + n - 3, ".gz") == 0;
        if (file->kind == KB_FILE_METRICS || file->kind == KB_FILE_TRACE)
            bytes += packed ? 8 * file->size : file->size;
    }
    return bytes;
}

uint64_t kb_sweep_estimate(const char *path)
{
    kb_files files;
    if (kb_files_of_corpus(&files, path, NULL))
        return 0;
    uint64_t bytes = text_bytes(&files) / 5;
    kb_files_free(&files);
    return bytes;
}

/* --- labels ------------------------------------------------------------------------------- */

static bool keep(struct reading *r, const char *name, const kb_assignment *assigned)
{
    size_t before = r->out->count;
    uint32_t id = kb_names_add(r->out->names, name, strlen(name));
    if (id == KB_NAME_NONE ||
        !kb_grow((void **)&r->out->items, &r->capacity, before + 1, sizeof *r->out->items))
        return false;
    if (id < before) {
        r->out->spread = true; /* it has a label */
        return true;
    }
    r->out->items[r->out->count++] = (kb_swept){NULL, *assigned};
    return true;
}

static kb_status take(void *ctx, const kb_labels *labels, kb_error *err)
{
    struct reading *r = ctx;
    for (size_t i = 0; i < labels->count; i++) {
        if (!keep(r, kb_label_name(labels, i), &labels->assigned[i]))
            return kb_fail_memory(err, "labels");
        r->usable |= labels->assigned[i].cluster != 0;
    }
    return KB_OK;
}

static kb_status label(struct reading *r, size_t least, kb_error *err)
{
    if (kb_stream_ended(r->stream) < least)
        return KB_OK;
    return kb_label_ended(r->stream, r->model, (kb_label_sink){take, r}, r->pool, err);
}

/* --- files -------------------------------------------------------------------------------- */

static void report(const struct reading *r, uint64_t more)
{
    kb_progress_state state = {.phase = "reading",
                               .done = r->bytes + more,
                               .total = r->total,
                               .bytes = true,
                               .rows = r->count.rows};
    kb_progress_tell(r->progress, &state);
}

static kb_status read_rows(struct reading *r, kb_csv *csv, kb_error *err)
{
    bool got = true;
    kb_status status = KB_OK;
    for (size_t i = 0; !status && got && !r->out->spread; i++) {
        const kb_field *fields;
        if (i % ROWS_A_LOOK == 0) {
            report(r, kb_csv_bytes(csv));
            if (kb_cancelled(r->progress))
                return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        }
        status = kb_csv_next(csv, &fields, &got, err);
        if (!status && got && fields)
            status = kb_stream_row(r->stream, csv, fields, 0, &r->count, err);
        r->out->spread |= r->count.late > 0;
        if (!status)
            status = label(r, KB_STREAM_BATCH, err);
    }
    return status;
}

static kb_status read_long(struct reading *r, const char *path, uint64_t *line, kb_error *err)
{
    kb_csv_options options = {.columns = r->columns,
                              .column_count = KB_METRIC_COLUMNS,
                              .ahead = kb_pool_threads(r->pool) > 1,
                              .problems = r->out->problems,
                              .progress = r->progress};
    kb_csv *csv;
    kb_status status = kb_csv_open(&csv, path, &options, err);
    if (status)
        return status;
    status = read_rows(r, csv, err);
    r->bytes += kb_csv_bytes(csv);
    *line = kb_csv_next_line(csv);
    kb_csv_close(csv);
    return status;
}

static kb_status read_wide(struct reading *r, const char *path, kb_error *err)
{
    const kb_trace_options options = {.timesteps = r->options->timesteps,
                                      .fill = r->options->fill,
                                      .names = &r->names,
                                      .problems = r->out->problems,
                                      .progress = r->progress};
    kb_ingest *ingest;
    size_t length;
    bool late = false;
    const char *name = kb_file_stem(path, &length);
    kb_status read = kb_trace_read(&ingest, &r->bytes, path, &options, err), status = KB_OK;
    report(r, 0);
    if (!ingest)
        return read;
    status = kb_stream_adopt(r->stream, ingest, name, length, 0, &late, err);
    kb_stream_end(r->stream, name, length);
    r->out->spread |= late;
    kb_ingest_free(ingest);
    if (!status)
        status = label(r, KB_STREAM_BATCH, err);
    return status ? status : read;
}

static kb_status read_file(struct reading *r, const kb_file *file, kb_error *err)
{
    kb_error why = {0};
    uint64_t line = 0;
    kb_status status = file->kind == KB_FILE_TRACE ? read_wide(r, file->path, &why)
                                                   : read_long(r, file->path, &line, &why);
    if (status == KB_ERR_DAMAGED) {
        kb_problems_add(r->out->problems, file->path, line, KB_PROBLEM_DAMAGE,
                        "%s; the rows before that are kept",
                        kb_problem_reason(why.text, file->path));
        return KB_OK;
    }
    return status ? kb_fail(err, status, "%s", why.text) : KB_OK;
}

static kb_status read_files(struct reading *r, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; !status && i < r->files.count && !r->out->spread; i++) {
        const kb_file *file = &r->files.items[i];
        if (file->kind == KB_FILE_METRICS || file->kind == KB_FILE_TRACE)
            status = read_file(r, file, err);
    }
    if (status || r->out->spread)
        return status;
    kb_stream_end_all(r->stream);
    return label(r, 0, err);
}

/* --- sessions that are listed ------------------------------------------------------------- */

static kb_status read_listing(struct reading *r, kb_error *err)
{
    size_t listed = 0;
    while (listed < r->files.count && r->files.items[listed].kind == KB_FILE_SESSIONS)
        listed++;
    kb_reading reading = {.problems = r->out->problems, .progress = r->progress};
    return kb_listing_load(&r->listing, r->files.items, listed, &r->names, &reading, err);
}

/* Those without a row have a label of their own. */
static kb_status add_listed(struct reading *r, kb_error *err)
{
    const kb_names *sessions = r->listing.sessions;
    const kb_assignment none = {
        .distance = (double)NAN, .novelty = (double)NAN, .p_value = (double)NAN};
    for (uint32_t id = 0; id < kb_names_count(sessions); id++) {
        const char *name = kb_names_get(sessions, id);
        if (kb_names_find(r->out->names, name, kb_names_length(sessions, id)) == KB_NAME_NONE &&
            !keep(r, name, &none))
            return kb_fail_memory(err, "labels");
    }
    return KB_OK;
}

static int split_of(const struct reading *r, const char *name)
{
    uint32_t id = kb_names_find(r->listing.sessions, name, strlen(name));
    return id == KB_NAME_NONE ? KB_SPLIT_TRAIN : (int)r->listing.items[id].split;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const kb_swept *)a)->name, ((const kb_swept *)b)->name);
}

static void put_in_order(struct reading *r, int split)
{
    kb_sweep *out = r->out;
    size_t kept = 0;
    for (uint32_t i = 0; i < out->count; i++) {
        const char *name = kb_names_get(out->names, i);
        if (split != KB_SPLITS && split_of(r, name) != split)
            continue;
        out->items[kept] = out->items[i];
        out->items[kept++].name = name;
    }
    out->count = kept;
    if (kept)
        qsort(out->items, kept, sizeof *out->items, by_name);
}

/* --- all of it ---------------------------------------------------------------------------- */

static kb_status sweep(struct reading *r, const char *path, int split, kb_error *err)
{
    kb_stream_options streaming = {.timesteps = r->options->timesteps,
                                   .fill = r->options->fill,
                                   .open = OPEN,
                                   .overlaid = true};
    kb_status status = kb_column_names_parse(&r->names, r->options->columns, err);
    kb_metrics_columns(r->columns, &r->names);
    if (!status)
        status = kb_files_of_corpus(&r->files, path, err);
    if (!status)
        status = read_listing(r, err);
    if (!status)
        status = kb_stream_create(&r->stream, &streaming, kb_secret(), err);
    r->total = kb_files_bytes(&r->files);
    if (!status)
        status = read_files(r, err);
    r->out->spread |= !r->usable;
    r->out->damaged = (size_t)kb_problems_of_kind(r->out->problems, KB_PROBLEM_DAMAGE);
    if (!status && !r->out->spread)
        status = add_listed(r, err);
    if (!status && !r->out->spread)
        put_in_order(r, split);
    return status;
}

kb_status kb_sweep_assign(kb_sweep *out, const char *path, const kb_model *model,
                          const kb_corpus_options *reading, int split, kb_pool *pool,
                          const kb_progress *progress, kb_error *err)
{
    struct reading r = {
        .out = out, .model = model, .options = reading, .pool = pool, .progress = progress};
    *out = (kb_sweep){.names = kb_names_create(),
                      .problems = kb_problems_create((kb_problem_listener){0})};
    kb_status status =
        out->names && out->problems ? sweep(&r, path, split, err) : kb_fail_memory(err, "labels");
    kb_stream_free(r.stream);
    kb_listing_clear(&r.listing);
    kb_files_free(&r.files);
    kb_column_names_clear(&r.names);
    return status;
}

void kb_sweep_clear(kb_sweep *sweep)
{
    kb_names_free(sweep->names);
    kb_problems_free(sweep->problems);
    free(sweep->items);
    *sweep = (kb_sweep){0};
}
