/* import: a corpus from what engineers already have, and what was found in it. */
#include <stdio.h>

#include "describe.h"
#include "verbs.h"
#include "work.h"

typedef struct import_work {
    const cli_options *options;
    cli_console console;
    kb_import_result result;
} import_work;

/* How many problems there were, and what became of the rows; a failed import has none. */
static void sum_problems(import_work *w, kb_status status)
{
    unsigned long long problems = w->console.problems, rows = w->result.left_out;
    char left_out[64] = "", above[40] = "";
    if (!problems)
        return;
    if (!status && rows)
        snprintf(left_out, sizeof left_out, "; %llu row%s left out", rows,
                 rows == 1 ? " was" : "s were");
    else if (!status)
        snprintf(left_out, sizeof left_out, "; no row was left out");
    if (problems > CLI_PROBLEMS_TOLD)
        snprintf(above, sizeof above, " (the first %d are above)", CLI_PROBLEMS_TOLD);
    cli_say(&w->console, "%s: %llu problem%s%s%s", w->options->operands[1], problems,
            problems == 1 ? "" : "s", left_out, above);
}

static kb_status import(void *ctx, const kb_progress *progress, kb_error *err)
{
    import_work *w = ctx;
    const cli_options *options = w->options;
    kb_import_options importing = options->importing;
    importing.note = cli_note;
    importing.note_ctx = &w->console;
    if (!importing.strict) /* under --strict the one problem is the error, and told once */
        importing.problem = (kb_problem_listener){cli_tell_problem, &w->console};
    kb_status status = kb_import(&w->result, options->import_format, options->operands[1],
                                 options->operands[2], &importing, progress, err);
    sum_problems(w, status);
    return status;
}

/* What the user would wonder about next. */
static int tell_more(import_work *w, int status)
{
    const kb_import_result *r = &w->result;
    const char *out = w->options->operands[2];
    char text[512];
    if (status != CLI_DONE)
        return status;
    snprintf(
        text, sizeof text,
        "%.200s: events and no readings: 'kaboom ngrams %.200s' is what that is for; check, info "
        "and the explorer need readings",
        out, out);
    if (r->events && !r->readings)
        cli_note(&w->console, text);
    if (!r->damaged)
        return CLI_DONE;
    cli_say(&w->console, "%llu file%s damaged: the result lacks what should be in %s",
            (unsigned long long)r->damaged, r->damaged == 1 ? " is" : "s are",
            r->damaged == 1 ? "it" : "them");
    return CLI_FAILED;
}

static int write_result(import_work *w)
{
    static const output_column columns[] = {{.name = "item"}, {.name = "value"}};
    const kb_import_result *r = &w->result;
    output *out = output_open(stdout, (output_format)w->options->format, columns, 2, false);
    cli_item_text(out, "corpus", w->options->operands[2]);
    cli_item_count(out, "sessions", r->sessions);
    cli_item_count(out, "objects", r->objects);
    cli_item_count(out, "readings", r->readings);
    cli_item_count(out, "users", r->users);
    cli_item_count(out, "events", r->events);
    cli_item_count(out, "rows left out", r->left_out);
    cli_item_count(out, "problems", r->problems);
    return cli_finish_output(&w->console, out);
}

int verb_import(const cli_options *options)
{
    import_work w = {.options = options};
    cli_console_start(&w.console, options);
    int status = cli_run(&w.console, import, &w);
    if (status == CLI_DONE)
        status = write_result(&w);
    return tell_more(&w, status);
}
