/* generate: a synthetic corpus, written to a folder. */
#include "verbs.h"
#include "work.h"

static kb_status generate(void *ctx, const kb_progress *progress, kb_error *err)
{
    const cli_options *options = ctx;
    return kb_generate(options->operand, &options->generation, progress, err);
}

int verb_generate(const cli_options *options)
{
    cli_console console;
    cli_options copy = *options;
    cli_console_start(&console, options);
    return cli_run(&console, generate, &copy);
}
