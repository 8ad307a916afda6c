/* embed: each session's place in the latent space. A session of which no row parsed has none. */
#include <stdlib.h>

#include "memory.h"
#include "verbs.h"
#include "work.h"

enum { NAME_ROOM = 24 };

static kb_status embed(void *ctx, const kb_progress *progress, kb_error *err)
{
    cli_work *work = ctx;
    kb_status status = cli_work_load(work, progress, err);
    return status ? status
                  : kb_embed(&work->points, work->model, work->corpus, work->sessions, work->count,
                             work->pool, progress, err);
}

static void write_rows(cli_work *work, output *out)
{
    for (size_t i = 0; i < work->count; i++) {
        const kb_session *session = cli_work_session(work, i);
        const float *z = kb_matrix_row(work->points, i);
        output_text(out, session->name);
        for (size_t d = 0; d < work->points.cols; d++) {
            if (session->has_rows)
                output_real(out, (double)z[d]);
            else
                output_missing(out);
        }
    }
}

static int write_embeddings(cli_work *work)
{
    size_t latent = kb_model_latent(work->model);
    char(*names)[NAME_ROOM] = kb_calloc(latent + 1, sizeof *names);
    output_column *columns = kb_calloc(latent + 1, sizeof *columns);
    output *out = NULL;
    if (names && columns) {
        columns[0].name = "session";
        for (size_t d = 1; d <= latent; d++) {
            snprintf(names[d], NAME_ROOM, "z%zu", d);
            columns[d] = (output_column){names[d], .drop = (unsigned)d};
        }
        out = cli_output(work, columns, latent + 1);
    }
    if (out)
        write_rows(work, out);
    int status = cli_finish_output(&work->console, out);
    free(columns);
    free(names);
    return status;
}

int verb_embed(const cli_options *options)
{
    cli_work work;
    cli_work_start(&work, options);
    int status = cli_run(&work.console, embed, &work);
    if (status == CLI_DONE)
        status = write_embeddings(&work);
    return cli_work_end(&work, status);
}
