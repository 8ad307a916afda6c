/* train: corpus -> model, calibrated and written; the log beside it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "memory.h"
#include "modelfile.h"
#include "outfile.h"
#include "runs.h"
#include "verbs.h"
#include "work.h"

typedef struct trainer {
    cli_work work;
    kb_train_row *rows; /* of the log; filled on the job's thread */
    size_t count, capacity;
    bool rows_lost; /* no memory for one */
} trainer;

static void keep_row(void *ctx, const kb_train_row *row)
{
    trainer *t = ctx;
    void *rows = t->rows;
    if (!kb_grow(&rows, &t->capacity, t->count + 1, sizeof *t->rows)) {
        t->rows_lost = true;
        return;
    }
    t->rows = rows;
    t->rows[t->count++] = *row;
}

static void pass_note(void *ctx, const char *text)
{
    trainer *t = ctx;
    cli_note(&t->work.console, text);
}

/* --- the log ----------------------------------------------------------------------------- */
static kb_status write_number(kb_outfile *file, double value, char end, kb_error *err)
{
    char text[48];
    int n = isfinite(value) ? snprintf(text, sizeof text, "%.9g%c", value, end)
                            : snprintf(text, sizeof text, "%c", end);
    return kb_outfile_write(file, text, (size_t)n, err);
}

static kb_status write_row(kb_outfile *file, const kb_train_row *row, kb_error *err)
{
    char text[64];
    const double values[] = {row->loss,       row->reconstruction, row->kl,
                             row->clustering, row->validation,     row->seconds};
    size_t last = sizeof values / sizeof *values - 1;
    int n = snprintf(text, sizeof text, "%s,%zu,", row->phase, row->epoch);
    kb_status status = kb_outfile_write(file, text, (size_t)n, err);
    for (size_t i = 0; !status && i <= last; i++)
        status = write_number(file, values[i], i == last ? '\n' : ',', err);
    return status;
}

static const char header[] = "phase,epoch,loss,reconstruction,kl,clustering,validation,seconds\n";

static kb_status write_log(const trainer *t, kb_error *err)
{
    const char *path = t->work.options->log;
    if (!path)
        return KB_OK;
    if (t->rows_lost)
        return kb_fail_memory(err, "the training log");
    kb_outfile *file;
    kb_status status = kb_outfile_open(&file, path, err);
    if (status)
        return status;
    status = kb_outfile_write(file, header, sizeof header - 1, err);
    for (size_t i = 0; !status && i < t->count; i++)
        status = write_row(file, &t->rows[i], err);
    if (!status)
        return kb_outfile_commit(file, err);
    kb_outfile_abort(file);
    return status;
}

/* --- the work ---------------------------------------------------------------------------- */
static bool looks_like_a_log(const char *path)
{
    char text[sizeof header] = "";
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(text, 1, sizeof header - 1, file) : 0;
    if (file)
        fclose(file);
    return n == sizeof header - 1 && strcmp(text, header) == 0;
}

/* What is there already is written over if it IS_ONE of what comes there, or empty: anything else
 * is more likely to be there by a mistake in the command than to be unwanted. */
static kb_status check_target(const char *path, bool (*is_one)(const char *), const char *what,
                              kb_error *err)
{
    struct stat st;
    kb_status status = cli_check_target(path, err);
    if (!status && stat(path, &st) == 0 && st.st_size > 0 && !is_one(path))
        status = kb_fail(err, KB_ERR_IO, "%s: is not %s, and is not written over", path, what);
    return status;
}

/* Whether what is there is a checkpoint, training asks itself. */
static kb_status check_checkpoint(const cli_options *options, kb_error *err)
{
    const char *path = options->training.checkpoint;
    if (options->runs > 1) /* it is that of one seed */
        return kb_fail(err, KB_ERR_USAGE, "--checkpoint goes with one run only");
    if (strcmp(path, options->output) == 0 || (options->log && strcmp(path, options->log) == 0))
        return kb_fail(err, KB_ERR_USAGE, "--checkpoint: %s is where something else goes", path);
    return cli_check_target(path, err);
}

static kb_status check_targets(const cli_options *options, kb_error *err)
{
    kb_status status = check_target(options->output, kb_model_looks_like, "a model", err);
    if (!status && options->training.checkpoint)
        status = check_checkpoint(options, err);
    if (status || !options->log)
        return status;
    if (strcmp(options->output, options->log) == 0)
        return kb_fail(err, KB_ERR_USAGE, "--log: %s is where the model goes", options->log);
    return check_target(options->log, looks_like_a_log, "a training log", err);
}

static kb_status make_model(trainer *t, const kb_progress *progress, kb_error *err)
{
    cli_work *work = &t->work;
    const cli_options *o = work->options;
    const kb_train_observer observer = {.row = keep_row, .note = pass_note, .ctx = t};
    kb_elbow elbow;
    kb_runs_result result;
    kb_status status =
        kb_train_runs(&work->model, &elbow, &result, work->corpus, o->runs, &o->training,
                      &o->calibration, &observer, work->pool, progress, err);
    kb_elbow_clear(&elbow);
    if (!status)
        cli_note_calibration(work);
    return status;
}

static kb_status train(void *ctx, const kb_progress *progress, kb_error *err)
{
    trainer *t = ctx;
    cli_work *work = &t->work;
    kb_status status = check_targets(work->options, err);
    if (!status)
        status = cli_work_load(work, progress, err);
    if (!status)
        status = make_model(t, progress, err);
    if (status || kb_cancelled(progress))
        return status ? status : KB_ERR_CANCELLED;
    kb_progress_report(progress, cli_phase_writing, 0, 0);
    status = write_log(t, err);
    if (!status)
        status = kb_model_save(work->model, work->options->output, err);
    if (!status && work->options->training.checkpoint)
        (void)remove(work->options->training.checkpoint); /* it would only lead here again */
    return status;
}

int verb_train(const cli_options *options)
{
    trainer t = {0};
    cli_work_start(&t.work, options);
    int status = cli_run(&t.work.console, train, &t);
    free(t.rows);
    return cli_work_end(&t.work, status);
}
