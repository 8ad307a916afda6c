/* project: a map of the sessions, with their clusters: a new one, or the places that they get in an
 * earlier one (--into). A session of which no row parsed has a cluster, 0, and no place. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "map_file.h"
#include "memory.h"
#include "verbs.h"
#include "work.h"

struct projection {
    cli_work work;
    float *places; /* work.count x 2, NAN where there is none */
    kb_map_file map;
    kb_corpus *other; /* of --map-corpus */
};

/* Those of the work's sessions that are still without a place and have rows: their positions in AT,
 * their ids in IDS. */
static size_t unplaced(const struct projection *p, size_t *at, size_t *ids)
{
    size_t count = 0;
    for (size_t i = 0; i < p->work.count; i++) {
        if (!cli_work_session(&p->work, i)->has_rows || !isnan(p->places[2 * i]))
            continue;
        at[count] = i;
        ids[count++] = p->work.sessions[i];
    }
    return count;
}

/* --- into a map --------------------------------------------------------------------------- */

static uint32_t find_in_map(const kb_map_file *map, const kb_session *session)
{
    return kb_names_find(map->sessions, session->name, strlen(session->name));
}

/* Sessions that are in the map keep their place. */
static void keep_places(struct projection *p)
{
    for (size_t i = 0; i < p->work.count; i++) {
        uint32_t id = find_in_map(&p->map, cli_work_session(&p->work, i));
        if (id != KB_NAME_NONE)
            memcpy(p->places + 2 * i, p->map.places + 2 * (size_t)id, 2 * sizeof *p->places);
    }
}

/* IDS and PLACES (room for all sessions of CORPUS) of those that are in the map and have rows. */
static kb_map_anchors find_anchors(const kb_map_file *map, const kb_corpus *corpus, size_t *ids,
                                   float *places)
{
    size_t count = 0;
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++) {
        const kb_session *session = kb_corpus_session(corpus, s);
        uint32_t id = find_in_map(map, session);
        if (id == KB_NAME_NONE || !session->has_rows)
            continue;
        ids[count] = s;
        memcpy(places + 2 * count++, map->places + 2 * (size_t)id, 2 * sizeof *places);
    }
    return (kb_map_anchors){corpus, ids, places, count};
}

static kb_status load_other(struct projection *p, const kb_progress *progress, kb_error *err)
{
    const cli_options *options = p->work.options;
    kb_corpus_options reading = cli_reading(&p->work);
    reading.skip_events = true;
    kb_status status =
        kb_features_adopt(kb_model_features(p->work.model), &reading, options->model, err);
    if (!status)
        status = kb_corpus_load(&p->other, options->map_corpus, &reading, progress, err);
    cli_sum_problems(&p->work.console, options->map_corpus);
    return status;
}

static kb_status check_anchors(struct projection *p, const kb_map_anchors *anchors, kb_error *err)
{
    const cli_options *options = p->work.options;
    size_t mapped = kb_names_count(p->map.sessions);
    if (!anchors->count)
        return kb_fail(err, KB_ERR_FORMAT,
                       "%s: none of its sessions is in %s (--map-corpus names where they are)",
                       options->into, kb_corpus_path(anchors->corpus));
    if (anchors->count < mapped && !p->work.console.quiet)
        cli_say(&p->work.console, "%s: %zu of its %zu sessions are in %s, and count", options->into,
                anchors->count, mapped, kb_corpus_path(anchors->corpus));
    return KB_OK;
}

/* PLACES of the COUNT sessions IDS. */
static kb_status place(struct projection *p, float *places, const size_t *ids, size_t count,
                       const kb_progress *progress, kb_error *err)
{
    const cli_work *work = &p->work;
    const kb_corpus *corpus = p->other ? p->other : work->corpus;
    size_t all = kb_corpus_sessions(corpus);
    size_t *anchor_ids = kb_calloc(all, sizeof *anchor_ids);
    float *anchor_places = kb_calloc(all, 2 * sizeof *anchor_places);
    kb_status status =
        anchor_ids && anchor_places ? KB_OK : kb_fail_memory(err, "the sessions of a map");
    if (!status) {
        kb_map_anchors anchors = find_anchors(&p->map, corpus, anchor_ids, anchor_places);
        status = check_anchors(p, &anchors, err);
        if (!status)
            status = kb_project_into(places, work->model, work->corpus, ids, count, &anchors,
                                     &work->options->placing, work->pool, progress, err);
    }
    free(anchor_ids);
    free(anchor_places);
    return status;
}

/* --- both ways ---------------------------------------------------------------------------- */

static kb_status lay_out(struct projection *p, const kb_progress *progress, kb_error *err)
{
    const cli_work *work = &p->work;
    size_t *at = kb_calloc(work->count, sizeof *at), *ids = kb_calloc(work->count, sizeof *ids);
    float *places = kb_calloc(work->count, 2 * sizeof *places);
    kb_status status = at && ids && places ? KB_OK : kb_fail_memory(err, "the map");
    size_t count = status ? 0 : unplaced(p, at, ids);
    if (!status && work->options->into)
        status = place(p, places, ids, count, progress, err);
    else if (!status && count)
        status = kb_project(places, work->model, work->corpus, ids, count, &work->options->map,
                            work->pool, progress, err);
    for (size_t i = 0; !status && i < count; i++)
        memcpy(p->places + 2 * at[i], places + 2 * i, 2 * sizeof *places);
    free(at);
    free(ids);
    free(places);
    return status;
}

static kb_status load_map(struct projection *p, const kb_progress *progress, kb_error *err)
{
    kb_status status = kb_map_file_load(&p->map, p->work.options->into, progress, err);
    return !status && p->work.options->map_corpus ? load_other(p, progress, err) : status;
}

static kb_status project(void *ctx, const kb_progress *progress, kb_error *err)
{
    struct projection *p = ctx;
    kb_status status = cli_work_load(&p->work, progress, err);
    if (!status && p->work.options->into)
        status = load_map(p, progress, err);
    if (!status)
        status = cli_work_assign(&p->work, progress, err);
    if (status)
        return status;
    p->places = kb_calloc(p->work.count, 2 * sizeof *p->places);
    if (!p->places)
        return kb_fail_memory(err, "the map");
    for (size_t i = 0; i < 2 * p->work.count; i++)
        p->places[i] = NAN;
    if (p->work.options->into)
        keep_places(p);
    return lay_out(p, progress, err);
}

static int write_map(struct projection *p)
{
    static const output_column columns[] = {
        {.name = "session"}, {.name = "x"}, {.name = "y"}, {.name = "cluster"}};
    cli_work *work = &p->work;
    output *out = cli_output(work, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < work->count; i++) {
        output_text(out, cli_work_session(work, i)->name);
        output_real(out, (double)p->places[2 * i]); /* a missing value where it is not a number */
        output_real(out, (double)p->places[2 * i + 1]);
        output_count(out, work->assigned[i].cluster);
    }
    return cli_finish_output(&work->console, out);
}

int verb_project(const cli_options *options)
{
    struct projection p = {0};
    cli_work_start(&p.work, options);
    int status = cli_run(&p.work.console, project, &p);
    if (status == CLI_DONE)
        status = write_map(&p);
    free(p.places);
    kb_map_file_clear(&p.map);
    if (p.other)
        status = cli_end_damaged(&p.work.console, kb_corpus_damaged(p.other), status);
    kb_corpus_free(p.other);
    return cli_work_end(&p.work, status);
}
