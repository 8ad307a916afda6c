#include "work.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "modelfile.h"
#include "selection.h"

void cli_work_start(cli_work *work, const cli_options *options)
{
    *work = (cli_work){.options = options};
    cli_console_start(&work->console, options);
}

int cli_work_end(cli_work *work, int status)
{
    if (work->corpus)
        status = cli_end_damaged(&work->console, kb_corpus_damaged(work->corpus), status);
    free(work->points.data);
    free(work->assigned);
    free(work->sessions);
    kb_corpus_free(work->corpus);
    kb_model_free(work->model);
    kb_pool_free(work->pool);
    return status;
}

kb_corpus_options cli_reading(cli_work *work)
{
    kb_corpus_options reading = work->options->reading;
    reading.pool = work->pool;
    if (!reading.strict)
        reading.problem = (kb_problem_listener){cli_tell_problem, &work->console};
    return reading;
}

kb_status cli_load_model(cli_work *work, kb_corpus_options *reading, kb_error *err)
{
    const cli_options *options = work->options;
    if (!options->model)
        return KB_OK;
    kb_status status = kb_model_load(&work->model, options->model, err);
    if (status)
        return status;
    return kb_features_adopt(kb_model_features(work->model), reading, options->model, err);
}

kb_status cli_read_corpus(cli_work *work, kb_corpus **out, const char *path,
                          const kb_corpus_options *reading, const kb_progress *progress,
                          kb_error *err)
{
    kb_status status = kb_corpus_load(out, path, reading, progress, err);
    cli_sum_problems(&work->console, path);
    if (!status && work->console.verbose)
        cli_say(&work->console, "%s: %zu sessions, %zu objects, %llu rows", path,
                kb_corpus_sessions(*out), kb_store_objects(kb_corpus_store(*out)),
                (unsigned long long)kb_corpus_rows(*out));
    if (!status && work->console.verbose && *kb_corpus_cache_note(*out))
        cli_say(&work->console, "%s: %s", path, kb_corpus_cache_note(*out));
    return status;
}

kb_status cli_load_corpus(cli_work *work, const kb_corpus_options *reading,
                          const kb_progress *progress, kb_error *err)
{
    return cli_read_corpus(work, &work->corpus, work->options->operand, reading, progress, err);
}

kb_status cli_select(const cli_work *work, const kb_corpus *corpus, size_t **ids, size_t *count,
                     kb_error *err)
{
    size_t all = kb_corpus_sessions(corpus);
    *ids = kb_calloc(all, sizeof **ids);
    if (!*ids)
        return kb_fail_memory(err, "a list of sessions");
    if (work->options->split == CLI_SPLIT_UNFITTED) {
        *count = kb_unfitted_sessions(work->model, corpus, *ids);
        return KB_OK;
    }
    if (work->options->split != CLI_SPLIT_ALL) {
        *count = kb_corpus_select(corpus, (kb_split)work->options->split, *ids);
        return KB_OK;
    }
    for (size_t i = 0; i < all; i++)
        (*ids)[i] = i;
    *count = all;
    return KB_OK;
}

kb_status cli_select_described(const cli_work *work, bool *chosen, const uint32_t *clusters,
                               const kb_progress *progress, kb_error *err)
{
    const cli_options *options = work->options;
    const kb_selecting selecting = {work->corpus, clusters};
    kb_error inner = {0};
    for (size_t i = 0; i < options->where.count; i++) {
        if (kb_select_where(chosen, &selecting, options->where.items[i], &inner))
            return kb_fail(err, inner.status, "--where: %s", inner.text);
    }
    if (!options->sessions)
        return KB_OK;
    return kb_select_named(chosen, work->corpus, options->sessions, progress, err);
}

kb_status cli_work_load(cli_work *work, const kb_progress *progress, kb_error *err)
{
    kb_status status = kb_pool_create(&work->pool, work->options->threads, err);
    kb_corpus_options reading = cli_reading(work);
    reading.skip_events = work->options->verb != CLI_NGRAMS; /* no other looks at the log */
    if (!status)
        status = cli_load_model(work, &reading, err);
    if (!status)
        status = cli_load_corpus(work, &reading, progress, err);
    return status ? status : cli_select(work, work->corpus, &work->sessions, &work->count, err);
}

kb_status cli_work_assign(cli_work *work, const kb_progress *progress, kb_error *err)
{
    work->assigned = kb_calloc(work->count, sizeof *work->assigned);
    if (!work->assigned)
        return kb_fail_memory(err, "assignments");
    return kb_assign(work->assigned, work->model, work->corpus, work->sessions, work->count,
                     work->pool, progress, err);
}

kb_status cli_check_cluster(const cli_work *work, kb_error *err)
{
    size_t wanted = work->options->cluster, count = kb_model_clusters(work->model);
    for (size_t c = 0; c < count; c++) {
        if (!wanted || kb_model_cluster(work->model, c)->number == wanted)
            return KB_OK;
    }
    if (!count)
        return KB_OK; /* not calibrated: assigning says so */
    return kb_fail(err, KB_ERR_USAGE, "--cluster: %s has no cluster %zu", work->options->model,
                   wanted);
}

const kb_session *cli_work_session(const cli_work *work, size_t i)
{
    return kb_corpus_session(work->corpus, work->sessions[i]);
}

output *cli_output(const cli_work *work, const output_column *columns, size_t count)
{
    return output_open(stdout, (output_format)work->options->format, columns, count, false);
}

/* A file is written beside its target and renamed over it, so the folder must be writable, and a
 * device or a pipe must not be there to be replaced. */
kb_status cli_check_target(const char *path, kb_error *err)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return kb_fail(err, KB_ERR_IO, "%s: cannot be written: not a regular file", path);
    char *copy = kb_strdup(path);
    if (!copy)
        return kb_fail_memory(err, "a file name");
    int reason = access(dirname(copy), W_OK | X_OK) == 0 ? 0 : errno;
    free(copy);
    return reason ? kb_fail_errno(err, path, "cannot be written", reason) : KB_OK;
}

void cli_note_calibration(cli_work *work)
{
    double false_alarms = work->options->calibration.false_alarms;
    size_t sessions = 0;
    for (size_t i = 0; i < kb_model_clusters(work->model); i++)
        sessions += kb_model_cluster(work->model, i)->size;
    if ((double)(sessions + 1) * false_alarms >= 1)
        return;
    char text[160];
    snprintf(text, sizeof text,
             "calibrated on only %zu sessions: false alarms cannot be held to %g", sessions,
             false_alarms);
    cli_note(&work->console, text);
}

kb_status cli_work_calibrate(cli_work *work, kb_elbow *elbow, const kb_progress *progress,
                             kb_error *err)
{
    kb_status status = kb_calibrate(work->model, work->corpus, &work->options->calibration, elbow,
                                    work->pool, progress, err);
    if (!status)
        cli_note_calibration(work);
    return status;
}
