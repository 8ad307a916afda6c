/* drift: how far sessions have moved from those that a model knows, and what to do about it. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drift.h"
#include "memory.h"
#include "verbs.h"
#include "work.h"

typedef struct drifting {
    cli_work work;
    kb_drift drift;
} drifting;

/* Leaves those sessions of WORK that --where and --sessions describe. */
static kb_status describe(cli_work *work, const kb_progress *progress, kb_error *err)
{
    size_t all = kb_corpus_sessions(work->corpus), left = 0;
    bool *chosen = kb_calloc(all, sizeof *chosen);
    uint32_t *clusters = kb_calloc(all, sizeof *clusters);
    kb_status status = chosen && clusters ? KB_OK : kb_fail_memory(err, "the sessions described");
    for (size_t i = 0; !status && i < work->count; i++) {
        chosen[work->sessions[i]] = true;
        clusters[work->sessions[i]] = work->assigned[i].cluster;
    }
    if (!status)
        status = cli_select_described(work, chosen, clusters, progress, err);
    for (size_t i = 0; !status && i < work->count; i++)
        if (chosen[work->sessions[i]]) {
            work->sessions[left] = work->sessions[i];
            work->assigned[left++] = work->assigned[i];
        }
    if (!status)
        work->count = left;
    free(chosen);
    free(clusters);
    return status;
}

static kb_status compare(void *ctx, const kb_progress *progress, kb_error *err)
{
    drifting *d = ctx;
    cli_work *work = &d->work;
    kb_status status = cli_work_load(work, progress, err);
    if (!status)
        status = cli_work_assign(work, progress, err);
    if (!status)
        status = describe(work, progress, err);
    if (!status && !work->count)
        status = kb_fail(err, KB_ERR_USAGE, "no session of %s is what is asked for",
                         work->options->operand);
    if (!status)
        status = kb_drift_of(&d->drift, work->model, work->corpus, work->sessions, work->assigned,
                             work->count, &work->options->drift, progress, err);
    return status;
}

/* --- the table ---------------------------------------------------------------------------- */

static void write_row(output *out, const kb_drift_row *row)
{
    output_text(out, kb_drift_kind_name(row->kind));
    if (row->cluster)
        output_count(out, row->cluster);
    else
        output_text(out, row->name);
    output_real(out, row->was);
    output_real(out, row->now);
    output_real(out, row->psi);
    output_real(out, row->p);
    output_real(out, row->q);
    output_text(out, kb_drift_verdict_name(row->verdict));
    output_real(out, row->expected);
    output_real(out, row->level);
    output_real(out, row->distance);
}

static void write_advice(output *out, const kb_drift *drift)
{
    output_text(out, kb_drift_kind_name(KB_DRIFT_OVERALL));
    output_text(out, "recommendation");
    for (size_t i = 0; i < 5; i++)
        output_missing(out);
    output_text(out, kb_advice_name(drift->advice));
    for (size_t i = 0; i < 3; i++)
        output_missing(out);
}

static int write_drift(drifting *d)
{
    static const output_column columns[] = {
        {.name = "kind"},       {.name = "name"},       {"was", .drop = 2},
        {"now", .drop = 1},     {"psi", .drop = 3},     {"p_value", .drop = 8},
        {"q_value", .drop = 4}, {.name = "verdict"},    {"expected", .drop = 5},
        {"level", .drop = 6},   {"distance", .drop = 7}};
    const kb_drift *drift = &d->drift;
    size_t top = d->work.options->top;
    output *out = cli_output(&d->work, columns, sizeof columns / sizeof *columns);
    write_advice(out, drift);
    for (size_t i = 0; i < KB_DRIFT_FIGURES; i++)
        write_row(out, &drift->overall[i]);
    for (size_t i = 0; i < drift->cluster_count; i++)
        write_row(out, &drift->clusters[i]);
    for (size_t i = 0; i < drift->object_count && (!top || i < top); i++)
        write_row(out, &drift->objects[i]);
    return cli_finish_output(&d->work.console, out);
}

/* --- in words ----------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void add(char *text, size_t size, const char *format,
                                                      ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

/* What has moved and what has not, as one line. */
static void describe_advice(const drifting *d, char *text, size_t size)
{
    const kb_drift *drift = &d->drift;
    const kb_drift_row *all = drift->overall;
    snprintf(text, size, "%s", kb_advice_name(drift->advice));
    if (drift->reasons & KB_REASON_FEW)
        add(text, size, ": hardly a session is known to the model");
    else if (drift->object_count)
        add(text, size, ": %.1f%% of the objects have moved (retrain above %.3g%%)",
            100 * all[KB_DRIFT_OBJECTS].now, 100 * d->work.options->drift.objects);
    else
        add(text, size, ": what objects were is not known");
    if (drift->reasons & KB_REASON_FEW)
        return; /* all other reasons follow from it */
    if (drift->reasons & KB_REASON_NOVELTY)
        add(text, size, "; sessions of known kinds are more novel, %.2f against .50",
            all[KB_DRIFT_NOVELTY].now);
    if (drift->reasons & KB_REASON_CLUSTERS)
        add(text, size, "; the clusters' shares have moved, PSI %.2f", all[KB_DRIFT_CLUSTERS].psi);
}

static void tell(drifting *d)
{
    const kb_drift *drift = &d->drift;
    const kb_drift_row *emerging = &drift->overall[KB_DRIFT_EMERGING];
    char text[400];
    if (!drift->object_count)
        cli_note(&d->work.console, "the model is from before anything was kept of its training "
                                   "sessions' objects: train it anew to have them compared");
    if (drift->reasons & KB_REASON_EMERGING) {
        snprintf(text, sizeof text,
                 "%.1f%% of the sessions are emerging, %.1f%% of those of the calibration: "
                 "`kaboom emerging` groups them and tells what sets each group apart",
                 100 * emerging->now, 100 * emerging->was);
        cli_note(&d->work.console, text);
    }
    describe_advice(d, text, sizeof text);
    cli_note(&d->work.console, text);
}

/* What DRIFT exits with under --exit-status. */
static int exit_status_of(const kb_drift *drift)
{
    static const int status[] = {[KB_ADVICE_KEEP] = CLI_DONE,
                                 [KB_ADVICE_RECALIBRATE] = CLI_RECALIBRATE,
                                 [KB_ADVICE_RETRAIN] = CLI_RETRAIN};
    return status[drift->advice];
}

int verb_drift(const cli_options *options)
{
    drifting d = {0};
    cli_work_start(&d.work, options);
    int status = cli_run(&d.work.console, compare, &d);
    bool compared = status == CLI_DONE;
    int advised = exit_status_of(&d.drift);
    if (compared)
        status = write_drift(&d);
    if (compared)
        tell(&d);
    kb_drift_clear(&d.drift);
    status = cli_work_end(&d.work, status);
    return status == CLI_DONE && options->exit_status ? advised : status;
}
