/* watch: labels for the sessions of a folder that others write to. */
#include "label_file.h"
#include "verbs.h"
#include "work.h"

typedef struct watching {
    cli_work work;
    label_file file;
    atomic_uint hangups;
} watching;

static void say(void *ctx, bool warning, const char *text)
{
    watching *w = ctx;
    if (warning) {
        cli_say(&w->work.console, "%s", text);
        return;
    }
    cli_note(&w->work.console, text);
    cli_tell_more_problems(&w->work.console);
}

/* What is wrong with a file is told once, and not to be lost among bad rows. */
static void tell_problem(void *ctx, const kb_problem *problem)
{
    watching *w = ctx;
    char text[1024];
    if (problem->kind == KB_PROBLEM_FILE)
        cli_say(&w->work.console, "%s", kb_problem_text(problem, text, sizeof text));
    else
        cli_tell_problem(&w->work.console, problem);
}

static kb_status watch(void *ctx, const kb_progress *progress, kb_error *err)
{
    watching *w = ctx;
    const cli_options *options = w->work.options;
    kb_corpus_options reading = cli_reading(&w->work);
    kb_watch_options watching_options = options->watching;
    kb_watch_sink sink;
    watching_options.dir = options->operand;
    watching_options.model = options->model;
    watching_options.state = *options->state_file ? options->state_file : NULL;
    watching_options.columns = reading.columns;
    watching_options.problem = (kb_problem_listener){tell_problem, w};
    watching_options.say = say;
    watching_options.ctx = w;
    watching_options.hangups = &w->hangups;
    kb_status status = kb_pool_create(&w->work.pool, options->threads, err);
    if (!status)
        status = label_file_sink(&w->file, &sink, err);
    if (!status)
        status = kb_watch(&watching_options, &sink, w->work.pool, progress, err);
    return status;
}

int verb_watch(const cli_options *options)
{
    watching w = {0};
    cli_work_start(&w.work, options);
    w.work.console.hangups = &w.hangups;
    cli_catch_hangup();
    if (!*options->state_file)
        cli_note(&w.work.console, "no state is kept: there is no home for it (--state)");
    label_file_prepare(&w.file, &w.work.console, options->output, (output_format)options->format);
    int status = cli_run(&w.work.console, watch, &w);
    int written = label_file_close(&w.file);
    return cli_work_end(&w.work, status == CLI_DONE ? written : status);
}
