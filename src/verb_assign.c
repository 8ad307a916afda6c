/* assign: each session's cluster, its distance and its novelty. */
#include "verbs.h"
#include "work.h"

static kb_status assign(void *ctx, const kb_progress *progress, kb_error *err)
{
    cli_work *work = ctx;
    kb_status status = cli_work_load(work, progress, err);
    return status ? status : cli_work_assign(work, progress, err);
}

static int write_assignments(cli_work *work)
{
    static const char *const columns[] = {"session", "cluster",  "distance",
                                          "novelty", "emerging", "p_value"};
    output *out = cli_output(work, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < work->count; i++) {
        const kb_assignment *a = &work->assigned[i];
        output_text(out, cli_work_session(work, i)->name);
        output_count(out, a->cluster);
        output_real(out, a->distance);
        output_real(out, a->novelty);
        output_count(out, a->emerging);
        output_real(out, a->p_value);
    }
    return cli_finish_output(&work->console, out);
}

int verb_assign(const cli_options *options)
{
    cli_work work;
    cli_work_start(&work, options);
    int status = cli_run(&work.console, assign, &work);
    if (status == CLI_DONE)
        status = write_assignments(&work);
    return cli_work_end(&work, status);
}
