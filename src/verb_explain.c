/* explain: for each cluster, the objects that set it apart from the other sessions considered. */
#include <stdlib.h>

#include "memory.h"
#include "presence.h"
#include "verbs.h"
#include "work.h"

typedef struct explanation {
    cli_work work;
    kb_presence *clusters; /* one for each of the model's, in its order */
} explanation;

/* MEMBER: the sessions that were given CLUSTER. CONSIDERED: those with any cluster. Returns how
 * many members there are. */
static size_t mark(const cli_work *work, uint32_t cluster, bool *member, bool *considered)
{
    size_t members = 0;
    for (size_t i = 0; i < work->count; i++) {
        uint32_t given = work->assigned[i].cluster;
        member[work->sessions[i]] = given == cluster;
        considered[work->sessions[i]] = given != 0;
        members += given == cluster;
    }
    return members;
}

static kb_status explain_clusters(explanation *e, bool *member, bool *considered, kb_error *err)
{
    const cli_work *work = &e->work;
    size_t wanted = work->options->cluster;
    kb_status status = KB_OK;
    for (size_t c = 0; !status && c < kb_model_clusters(work->model); c++) {
        uint32_t number = kb_model_cluster(work->model, c)->number;
        if ((!wanted || wanted == number) && mark(work, number, member, considered))
            status = kb_presence_of(&e->clusters[c], work->corpus, member, considered, err);
    }
    return status;
}

static kb_status explain(void *ctx, const kb_progress *progress, kb_error *err)
{
    explanation *e = ctx;
    cli_work *work = &e->work;
    kb_status status = cli_work_load(work, progress, err);
    if (!status)
        status = cli_check_cluster(work, err);
    if (!status)
        status = cli_work_assign(work, progress, err);
    if (status)
        return status;
    size_t sessions = kb_corpus_sessions(work->corpus);
    e->clusters = kb_calloc(kb_model_clusters(work->model), sizeof *e->clusters);
    bool *member = kb_calloc(sessions, sizeof *member);
    bool *considered = kb_calloc(sessions, sizeof *considered);
    if (e->clusters && member && considered)
        status = explain_clusters(e, member, considered, err);
    else
        status = kb_fail_memory(err, "explanations");
    free(member);
    free(considered);
    return status;
}

static void write_cluster(explanation *e, output *out, size_t c)
{
    const kb_presence *found = &e->clusters[c];
    const kb_store *store = kb_corpus_store(e->work.corpus);
    size_t top = e->work.options->top;
    for (size_t i = 0; i < found->count && (!top || i < top); i++) {
        const kb_presence_row *row = &found->rows[i];
        output_count(out, kb_model_cluster(e->work.model, c)->number);
        output_count(out, i + 1);
        output_text(out, kb_store_object_name(store, row->object));
        output_real(out, row->presence);
        output_real(out, row->other);
        output_real(out, row->f1);
    }
}

static int write_explanation(explanation *e)
{
    static const char *const columns[] = {"cluster", "rank", "object", "presence", "other", "f1"};
    output *out = cli_output(&e->work, columns, sizeof columns / sizeof *columns);
    for (size_t c = 0; c < kb_model_clusters(e->work.model); c++)
        write_cluster(e, out, c);
    return cli_finish_output(&e->work.console, out);
}

int verb_explain(const cli_options *options)
{
    explanation e = {0};
    cli_work_start(&e.work, options);
    int status = cli_run(&e.work.console, explain, &e);
    if (status == CLI_DONE)
        status = write_explanation(&e);
    for (size_t c = 0; e.clusters && c < kb_model_clusters(e.work.model); c++)
        kb_presence_clear(&e.clusters[c]);
    free(e.clusters);
    return cli_work_end(&e.work, status);
}
