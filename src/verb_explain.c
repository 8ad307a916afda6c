/* explain: for each cluster, or a set of sessions that was described, the objects that set it apart
 * from the other sessions considered, or the sessions that stand for it. */
#include <stdlib.h>

#include "explain_groups.h"
#include "fold.h"
#include "memory.h"
#include "verbs.h"

static kb_status load(explanation *e, const kb_progress *progress, kb_error *err)
{
    cli_work *work = &e->work;
    kb_status status = cli_work_load(work, progress, err);
    if (!status && work->model)
        status = cli_check_cluster(work, err);
    if (!status && work->model)
        status = cli_work_assign(work, progress, err);
    return status ? status : explain_find_groups(e, progress, err);
}

/* --- by comparing sessions ---------------------------------------------------------------- */

static kb_status find_given(uint32_t *given, const cli_work *work, kb_error *err)
{
    const char *name = work->options->given;
    if (!name)
        return KB_OK;
    size_t object = kb_store_find_object(kb_corpus_store(work->corpus), name);
    if (object == SIZE_MAX)
        return kb_fail(err, KB_ERR_USAGE, "--given: %s has no object '%.200s'",
                       work->options->operand, name);
    *given = (uint32_t)object;
    return KB_OK;
}

static kb_status rank_rows(explanation *e, explain_group *group, const kb_progress *progress,
                           kb_error *err)
{
    const cli_options *options = e->work.options;
    kb_measure measure = (kb_measure)options->by;
    size_t rows = group->contrast.count;
    group->order = kb_calloc(rows, sizeof *group->order);
    group->leader = kb_calloc(rows, sizeof *group->leader);
    if (!group->order || !group->leader)
        return kb_fail_memory(err, "ranked objects");
    group->ranked = kb_contrast_order(&group->contrast, measure, group->order);
    for (size_t i = 0; i < group->ranked; i++)
        group->leader[i] = i;
    kb_test test = kb_measure_test(measure);
    bool published = test == KB_TESTS || test == KB_TEST_MEAN;
    if (published || options->fold == CLI_FOLD_OFF)
        return KB_OK;
    return kb_fold(group->leader, &group->contrast, &e->traits, group->order, group->ranked,
                   options->top, progress, err);
}

static kb_status compare_groups(explanation *e, const kb_progress *progress, kb_error *err)
{
    cli_work *work = &e->work;
    kb_contrast_options options = kb_contrast_defaults();
    kb_status status = find_given(&options.given, work, err);
    if (!status)
        status = kb_traits_create(&e->traits, work->corpus, work->pool, progress, err);
    for (size_t g = 0; !status && g < e->count; g++) {
        explain_group *group = &e->groups[g];
        status = kb_contrast_of(&group->contrast, &e->traits, group->member, e->considered,
                                &options, work->pool, progress, err);
        if (!status)
            status = rank_rows(e, group, progress, err);
    }
    return status;
}

/* --- by mutation, and representatives ----------------------------------------------------- */

/* IDS: the sessions considered. OF: the group of each. Returns how many. */
static size_t list_considered(const explanation *e, size_t *ids, uint32_t *of)
{
    size_t n = 0;
    for (size_t s = 0; s < kb_corpus_sessions(e->work.corpus); s++) {
        if (!e->considered[s])
            continue;
        ids[n] = s;
        of[n] = KB_NO_GROUP;
        for (size_t g = 0; g < e->count; g++) {
            if (e->groups[g].member[s])
                of[n] = (uint32_t)g;
        }
        n++;
    }
    return n;
}

static kb_status mutate_groups(explanation *e, const size_t *ids, const uint32_t *of, size_t count,
                               const kb_progress *progress, kb_error *err)
{
    kb_status status = kb_mutations_of(&e->mutations, e->work.model, e->work.corpus, ids, of, count,
                                       e->count, e->work.pool, progress, err);
    for (size_t g = 0; !status && g < e->count; g++) {
        explain_group *group = &e->groups[g];
        group->order = kb_calloc(e->mutations.objects, sizeof *group->order);
        if (!group->order)
            return kb_fail_memory(err, "ranked objects");
        kb_mutations_order(&e->mutations, g, group->order);
        group->ranked = e->mutations.objects;
    }
    return status;
}

/* The rows of the representatives become ids of sessions. */
static kb_status represent_group(explanation *e, size_t g, kb_const_matrix z, const size_t *ids,
                                 const uint32_t *of, const kb_progress *progress, kb_error *err)
{
    kb_representatives *found = &e->groups[g].representatives;
    size_t *rows = kb_calloc(z.rows, sizeof *rows), n = 0;
    if (!rows)
        return kb_fail_memory(err, "representative sessions");
    for (size_t i = 0; i < z.rows; i++) {
        if (of[i] == g)
            rows[n++] = i;
    }
    kb_status status =
        kb_representatives_of(found, z, rows, n, e->work.options->representatives, progress, err);
    for (size_t i = 0; i < found->count; i++)
        found->items[i].row = ids[found->items[i].row];
    free(rows);
    return status;
}

static kb_status represent_groups(explanation *e, const size_t *ids, const uint32_t *of,
                                  size_t count, const kb_progress *progress, kb_error *err)
{
    cli_work *work = &e->work;
    if (!count)
        return KB_OK;
    kb_status status =
        kb_embed(&work->points, work->model, work->corpus, ids, count, work->pool, progress, err);
    for (size_t g = 0; !status && g < e->count; g++)
        status = represent_group(e, g, kb_matrix_const(work->points), ids, of, progress, err);
    return status;
}

static kb_status explain(void *ctx, const kb_progress *progress, kb_error *err)
{
    explanation *e = ctx;
    const cli_options *options = e->work.options;
    kb_status status = load(e, progress, err);
    if (status || (!options->representatives && options->by != CLI_BY_MUTATION))
        return status ? status : compare_groups(e, progress, err);
    size_t sessions = kb_corpus_sessions(e->work.corpus);
    size_t *ids = kb_calloc(sessions, sizeof *ids);
    uint32_t *of = kb_calloc(sessions, sizeof *of);
    if (ids && of) {
        size_t count = list_considered(e, ids, of);
        status = options->representatives ? represent_groups(e, ids, of, count, progress, err)
                                          : mutate_groups(e, ids, of, count, progress, err);
    } else {
        status = kb_fail_memory(err, "the sessions to explain");
    }
    free(ids);
    free(of);
    return status;
}

int verb_explain(const cli_options *options)
{
    explanation e = {0};
    cli_work_start(&e.work, options);
    int status = cli_run(&e.work.console, explain, &e);
    if (status == CLI_DONE)
        status = explain_write(&e);
    explain_clear_groups(&e);
    kb_traits_clear(&e.traits);
    kb_mutations_clear(&e.mutations);
    return cli_work_end(&e.work, status);
}
