/* emerging: the sessions that a model calls emerging, grouped among themselves, and what sets each
 * group apart from known ones. */
#include <math.h>
#include <stdlib.h>

#include "emerging.h"
#include "emerging_objects.h"
#include "memory.h"
#include "verbs.h"
#include "work.h"

typedef struct looking {
    cli_work work;
    bool *chosen; /* by session of the corpus */
    kb_emerging emerging;
    kb_emerging_ranking *rankings; /* one a group; NULL: objects are not asked for */
} looking;

/* CHOSEN becomes what --split, --where and --sessions leave; WORK gets all sessions, for known ones
 * of any kind are compared with. */
static kb_status choose(looking *l, kb_error *err)
{
    cli_work *work = &l->work;
    l->chosen = kb_calloc(kb_corpus_sessions(work->corpus), sizeof *l->chosen);
    if (!l->chosen)
        return kb_fail_memory(err, "a list of sessions");
    for (size_t i = 0; i < work->count; i++)
        l->chosen[work->sessions[i]] = true;
    work->count = kb_corpus_sessions(work->corpus);
    for (size_t s = 0; s < work->count; s++)
        work->sessions[s] = s; /* there is room for all (cli_select) */
    return KB_OK;
}

static kb_status narrow(looking *l, const kb_progress *progress, kb_error *err)
{
    const cli_work *work = &l->work;
    uint32_t *clusters = kb_calloc(work->count, sizeof *clusters);
    if (!clusters)
        return kb_fail_memory(err, "a list of sessions");
    for (size_t s = 0; s < work->count; s++)
        clusters[s] = work->assigned[s].cluster;
    kb_status status = cli_select_described(work, l->chosen, clusters, progress, err);
    free(clusters);
    return status;
}

static void note_known(looking *l)
{
    if (l->emerging.drawn && l->emerging.count && !l->work.options->quiet)
        cli_say(&l->work.console,
                "%s: only %zu sessions are not emerging: groups are compared with what the model "
                "keeps of its training",
                l->work.options->operand, l->emerging.known);
}

static kb_status look(void *ctx, const kb_progress *progress, kb_error *err)
{
    looking *l = ctx;
    cli_work *work = &l->work;
    const cli_options *options = work->options;
    kb_status status = cli_work_load(work, progress, err);
    if (!status)
        status = choose(l, err);
    if (!status)
        status = cli_work_assign(work, progress, err);
    if (!status)
        status = narrow(l, progress, err);
    if (!status)
        status = kb_emerging_of(&l->emerging, work->model, work->corpus, work->assigned, l->chosen,
                                options->seed, work->pool, progress, err);
    if (status || options->show == CLI_SHOW_SESSIONS)
        return status;
    note_known(l);
    l->rankings = kb_calloc(l->emerging.count, sizeof *l->rankings);
    if (!l->rankings)
        return kb_fail_memory(err, "objects of emerging sessions");
    size_t top = options->show == CLI_SHOW_GROUPS ? 1 : options->top;
    return kb_emerging_rank(l->rankings, &l->emerging, work->model, work->corpus, work->assigned,
                            top, work->pool, progress, err);
}

/* --- rows --------------------------------------------------------------------------------- */

/* Groups are numbered from 1; stragglers are number 0. */
static void write_group_number(output *out, const looking *l, size_t g)
{
    bool stragglers = l->emerging.groups[g].kind == KB_EMERGING_STRAGGLERS;
    output_count(out, stragglers ? 0 : g + 1);
}

static int write_objects(looking *l)
{
    static const output_column columns[] = {
        {.name = "group"},     {.name = "kind"},   {"sessions", .drop = 2}, {"density", .drop = 3},
        {"rank", .drop = 4},   {.name = "object"}, {.name = "presence"},    {.name = "other"},
        {"effect", .drop = 5}, {"q", .drop = 1},   {"gate", .drop = 6},     {"folded", .drop = 7},
    };
    output *out = cli_output(&l->work, columns, sizeof columns / sizeof *columns);
    const kb_store *store = kb_corpus_store(l->work.corpus);
    for (size_t g = 0; out && g < l->emerging.count; g++) {
        const kb_emerging_group *group = &l->emerging.groups[g];
        for (size_t i = 0; i < l->rankings[g].count; i++) {
            const kb_emerging_object *object = &l->rankings[g].objects[i];
            write_group_number(out, l, g);
            output_text(out, kb_emerging_kind_name(group->kind));
            output_count(out, group->count);
            output_real(out, group->density);
            output_count(out, i + 1);
            output_text(out, kb_store_object_name(store, object->object));
            output_real(out, object->presence);
            output_real(out, object->other);
            output_real(out, object->effect.value);
            output_real(out, object->q);
            output_text(out, kb_gate_name(object->gate));
            output_count(out, object->folded);
        }
    }
    return cli_finish_output(&l->work.console, out);
}

static void write_versions(output *out, const kb_emerging_group *group)
{
    output_text(out, group->first);
    output_text(out, group->last);
}

static int write_groups(looking *l)
{
    static const output_column columns[] = {
        {.name = "group"},
        {.name = "kind"},
        {.name = "sessions"},
        {"share", .drop = 5},
        {"users", .drop = 3},
        {"density", .drop = 1},
        {"edge", .drop = 4},
        {"cluster", .drop = 2},
        {"novelty", .drop = 7},
        {"medoid", .least = 8},
        {"first_version", .drop = 8},
        {"last_version", .drop = 6},
        {.name = "object"},
    };
    output *out = cli_output(&l->work, columns, sizeof columns / sizeof *columns);
    const kb_store *store = kb_corpus_store(l->work.corpus);
    for (size_t g = 0; out && g < l->emerging.count; g++) {
        const kb_emerging_group *group = &l->emerging.groups[g];
        const kb_emerging_ranking *ranking = &l->rankings[g];
        write_group_number(out, l, g);
        output_text(out, kb_emerging_kind_name(group->kind));
        output_count(out, group->count);
        output_real(out, (double)group->count / (double)l->emerging.sessions);
        output_count(out, group->users);
        output_real(out, group->density);
        output_real(out, l->emerging.edge);
        output_count(out, group->cluster);
        output_real(out, group->novelty);
        output_text(out, group->has_medoid ? kb_corpus_session(l->work.corpus, group->medoid)->name
                                           : "");
        write_versions(out, group);
        output_text(out,
                    ranking->count ? kb_store_object_name(store, ranking->objects[0].object) : "");
    }
    return cli_finish_output(&l->work.console, out);
}

static int write_sessions(looking *l)
{
    static const output_column columns[] = {{.name = "session"},
                                            {.name = "group"},
                                            {.name = "kind"},
                                            {"novelty", .drop = 1},
                                            {"p_value", .drop = 2}};
    output *out = cli_output(&l->work, columns, sizeof columns / sizeof *columns);
    size_t sessions = kb_corpus_sessions(l->work.corpus);
    size_t *group_of = kb_calloc(sessions, sizeof *group_of); /* + 1; 0: none */
    for (size_t g = 0; group_of && g < l->emerging.count; g++)
        for (size_t i = 0; i < l->emerging.groups[g].count; i++)
            group_of[l->emerging.groups[g].sessions[i]] = g + 1;
    for (size_t s = 0; out && group_of && s < sessions; s++) {
        if (!group_of[s])
            continue;
        output_text(out, kb_corpus_session(l->work.corpus, s)->name);
        write_group_number(out, l, group_of[s] - 1);
        output_text(out, kb_emerging_kind_name(l->emerging.groups[group_of[s] - 1].kind));
        output_real(out, l->work.assigned[s].novelty);
        output_real(out, l->work.assigned[s].p_value);
    }
    if (!group_of)
        cli_say(&l->work.console, "no memory for the sessions' groups");
    int status = cli_finish_output(&l->work.console, out);
    int done = group_of ? status : CLI_FAILED;
    free(group_of);
    return done;
}

static int write_result(looking *l)
{
    switch (l->work.options->show) {
    case CLI_SHOW_GROUPS:
        return write_groups(l);
    case CLI_SHOW_SESSIONS:
        return write_sessions(l);
    default:
        return write_objects(l);
    }
}

int verb_emerging(const cli_options *options)
{
    looking l = {0};
    cli_work_start(&l.work, options);
    int status = cli_run(&l.work.console, look, &l);
    if (status == CLI_DONE)
        status = write_result(&l);
    kb_emerging_rankings_clear(l.rankings, l.emerging.count);
    free(l.rankings);
    kb_emerging_clear(&l.emerging);
    free(l.chosen);
    return cli_work_end(&l.work, status);
}
