/* project: a map of the sessions, with their clusters. A session of which no row parsed has a
 * cluster, 0, and no place. */
#include <stdlib.h>

#include "memory.h"
#include "verbs.h"
#include "work.h"

/* The sessions that have a place, in the order of the work's; the map's rows are theirs. */
static size_t *placed_sessions(const cli_work *work, size_t *count)
{
    size_t *ids = kb_calloc(work->count, sizeof *ids);
    *count = 0;
    for (size_t i = 0; ids && i < work->count; i++) {
        if (cli_work_session(work, i)->has_rows)
            ids[(*count)++] = work->sessions[i];
    }
    return ids;
}

static kb_status lay_out(cli_work *work, const kb_progress *progress, kb_error *err)
{
    size_t count;
    size_t *ids = placed_sessions(work, &count);
    float *places = kb_calloc(count, 2 * sizeof *places);
    work->points = kb_matrix_of(places, count, 2);
    kb_status status = KB_OK;
    if (!ids || !places)
        status = kb_fail_memory(err, "the map");
    else if (count)
        status = kb_project(places, work->model, work->corpus, ids, count, &work->options->map,
                            work->pool, progress, err);
    free(ids);
    return status;
}

static kb_status project(void *ctx, const kb_progress *progress, kb_error *err)
{
    cli_work *work = ctx;
    kb_status status = cli_work_load(work, progress, err);
    if (!status)
        status = cli_work_assign(work, progress, err);
    return status ? status : lay_out(work, progress, err);
}

static int write_map(cli_work *work)
{
    static const char *const columns[] = {"session", "x", "y", "cluster"};
    output *out = cli_output(work, columns, sizeof columns / sizeof *columns);
    size_t placed = 0;
    for (size_t i = 0; i < work->count; i++) {
        const kb_session *session = cli_work_session(work, i);
        output_text(out, session->name);
        if (session->has_rows) {
            const float *place = kb_matrix_row(work->points, placed++);
            output_real(out, (double)place[0]);
            output_real(out, (double)place[1]);
        } else {
            output_missing(out);
            output_missing(out);
        }
        output_count(out, work->assigned[i].cluster);
    }
    return cli_finish_output(&work->console, out);
}

int verb_project(const cli_options *options)
{
    cli_work work;
    cli_work_start(&work, options);
    int status = cli_run(&work.console, project, &work);
    if (status == CLI_DONE)
        status = write_map(&work);
    return cli_work_end(&work, status);
}
