/* import: a corpus from what engineers already have, and what was found in it. */
#include "describe.h"
#include "verbs.h"
#include "work.h"

typedef struct import_work {
    const cli_options *options;
    cli_console console;
    kb_import_result result;
} import_work;

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
    cli_sum_problems(&w->console, options->operands[1]);
    return status;
}

static int write_result(import_work *w)
{
    static const char *const columns[] = {"item", "value"};
    const kb_import_result *r = &w->result;
    output *out = output_open(stdout, (output_format)w->options->format, columns, 2, 0);
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
    return cli_end_damaged(&w.console, (size_t)w.result.damaged, status);
}
