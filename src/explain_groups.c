#include "explain_groups.h"

#include <stdlib.h>

#include "memory.h"

/* --- who takes part ----------------------------------------------------------------------- */

static kb_status consider(explanation *e, kb_error *err)
{
    const cli_work *work = &e->work;
    size_t sessions = kb_corpus_sessions(work->corpus);
    e->considered = kb_calloc(sessions, sizeof *e->considered);
    if (work->model)
        e->cluster = kb_calloc(sessions, sizeof *e->cluster);
    if (!e->considered || (work->model && !e->cluster))
        return kb_fail_memory(err, "the sessions to explain");
    for (size_t i = 0; i < work->count; i++) {
        size_t s = work->sessions[i];
        e->considered[s] = kb_corpus_session(work->corpus, s)->has_rows;
        if (e->cluster)
            e->cluster[s] = work->assigned[i].cluster;
    }
    return KB_OK;
}

static explain_group *add_group(explanation *e, uint32_t number, kb_error *err)
{
    explain_group *group = &e->groups[e->count];
    group->number = number;
    group->member = kb_calloc(kb_corpus_sessions(e->work.corpus), sizeof *group->member);
    if (!group->member) {
        kb_fail_memory(err, "the sessions to explain");
        return NULL;
    }
    e->count++;
    return group;
}

/* The sessions considered that are in CLUSTER (0: all). */
static void take_members(const explanation *e, explain_group *group, uint32_t cluster)
{
    for (size_t s = 0; s < kb_corpus_sessions(e->work.corpus); s++)
        group->member[s] = e->considered[s] && (!cluster || e->cluster[s] == cluster);
}

static void count_members(const explanation *e, explain_group *group)
{
    group->size = 0;
    for (size_t s = 0; s < kb_corpus_sessions(e->work.corpus); s++)
        group->size += group->member[s];
}

/* --- clusters ----------------------------------------------------------------------------- */

static kb_status find_clusters(explanation *e, kb_error *err)
{
    size_t wanted = e->work.options->cluster;
    for (size_t c = 0; c < kb_model_clusters(e->work.model); c++) {
        uint32_t number = kb_model_cluster(e->work.model, c)->number;
        if (wanted && wanted != number)
            continue;
        explain_group *group = add_group(e, number, err);
        if (!group)
            return err->status;
        take_members(e, group, number);
        count_members(e, group);
        if (!group->size) {
            free(group->member);
            *group = (explain_group){0};
            e->count--;
        }
    }
    return KB_OK;
}

/* --- a set that is described -------------------------------------------------------------- */

static kb_status find_selection(explanation *e, const kb_progress *progress, kb_error *err)
{
    explain_group *group = add_group(e, 0, err);
    if (!group)
        return err->status;
    take_members(e, group, (uint32_t)e->work.options->cluster);
    kb_status status = cli_select_described(&e->work, group->member, e->cluster, progress, err);
    if (status)
        return status;
    count_members(e, group);
    if (!group->size)
        return kb_fail(err, KB_ERR_USAGE, "no session of %s is what is asked for",
                       e->work.options->operand);
    return KB_OK;
}

kb_status explain_find_groups(explanation *e, const kb_progress *progress, kb_error *err)
{
    const cli_options *options = e->work.options;
    bool described = options->where.count || options->sessions;
    size_t clusters = e->work.model ? kb_model_clusters(e->work.model) : 0;
    kb_status status = consider(e, err);
    if (status)
        return status;
    e->groups = kb_calloc(clusters + 1, sizeof *e->groups);
    if (!e->groups)
        return kb_fail_memory(err, "the sessions to explain");
    return described ? find_selection(e, progress, err) : find_clusters(e, err);
}

void explain_clear_groups(explanation *e)
{
    for (size_t g = 0; g < e->count; g++) {
        explain_group *group = &e->groups[g];
        free(group->member);
        free(group->order);
        free(group->leader);
        kb_contrast_clear(&group->contrast);
        kb_representatives_clear(&group->representatives);
    }
    free(e->groups);
    free(e->considered);
    free(e->cluster);
}
