#include "corpus.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "metrics.h"

struct kb_corpus {
    char *path;
    kb_fill fill;
    kb_store *store;
    kb_session *sessions; /* by id */
    kb_listing listing;   /* behind user, version and label */
    kb_events *events;
    kb_problems *problems;
    uint64_t rows;
    size_t damaged, files[KB_FILE_KINDS];
};

/* The numbers of the collectors. */
enum { READINGS, EVENTS };

struct loader {
    kb_corpus *corpus;
    const kb_corpus_options *options;
    const kb_progress *progress;
    kb_column_names names;
    kb_files inputs;
    kb_reading_count count;
    kb_reading reading;
};

/* --- options
 * ---------------------------------------------------------------------------------------------------------
 */

kb_corpus_options kb_corpus_defaults(void)
{
    return (kb_corpus_options){.timesteps = 100};
}

kb_status kb_corpus_check(const kb_corpus_options *options, kb_error *err)
{
    kb_column_names names;
    kb_status status = kb_column_names_parse(&names, options->columns, err);
    kb_column_names_clear(&names);
    if (status == KB_OK && (options->timesteps < 1 || options->timesteps > UINT16_MAX))
        status =
            kb_fail(err, KB_ERR_USAGE, "timesteps: %zu is not in 1..65535", options->timesteps);
    return status;
}

/* --- reading
 * ---------------------------------------------------------------------------------------------------------
 */

/* How many of the inputs, from BEGIN on, are of KIND; they lie together. */
static size_t count_kind(const kb_files *inputs, size_t begin, kb_file_kind kind)
{
    size_t end = begin;
    while (end < inputs->count && inputs->items[end].kind == kind)
        end++;
    return end - begin;
}

static kb_status read_listing(struct loader *l, size_t count, kb_error *err)
{
    kb_status status =
        kb_listing_load(&l->corpus->listing, l->inputs.items, count, &l->names, &l->reading, err);
    l->corpus->damaged += l->corpus->listing.damaged;
    return status;
}

/* Listed sessions are in the store, with rows or without; they come last, so that ids do not
 * matter.
 */
static kb_status add_listed(struct loader *l, kb_ingest *ingest, kb_error *err)
{
    const kb_names *sessions = l->corpus->listing.sessions;
    for (uint32_t id = 0; id < kb_names_count(sessions); id++) {
        const char *name = kb_names_get(sessions, id);
        if (kb_ingest_session(ingest, name, kb_names_length(sessions, id)) == KB_NAME_NONE)
            return kb_fail_memory(err, "the list of sessions");
    }
    return KB_OK;
}

static kb_status assemble_readings(struct loader *l, const kb_lanes *lanes, kb_error *err)
{
    kb_ingest **ingests = kb_calloc(lanes->count, sizeof *ingests);
    size_t count = 0;
    if (!ingests)
        return kb_fail_memory(err, "a corpus");
    for (size_t i = 0; i < lanes->count; i++) {
        if (!lanes->data[i][READINGS])
            continue;
        ingests[count++] = kb_metrics_ingest(lanes->data[i][READINGS]);
        l->corpus->rows += kb_metrics_rows(lanes->data[i][READINGS]);
    }
    kb_status status = add_listed(l, ingests[0], err);
    if (status == KB_OK)
        status = kb_store_assemble(&l->corpus->store, ingests, count, l->options->pool, l->progress,
                                   err);
    free(ingests);
    return status;
}

static kb_status assemble(struct loader *l, const kb_lanes *lanes, bool events, kb_error *err)
{
    l->corpus->damaged += lanes->damaged;
    kb_status status = assemble_readings(l, lanes, err);
    if (status == KB_OK && events)
        status = kb_events_assemble(&l->corpus->events, lanes, EVENTS, err);
    return status;
}

/* Readings and events together, so that neither leaves a thread without work. */
static kb_status read_rows(struct loader *l, const kb_file *inputs, size_t count, kb_error *err)
{
    kb_metrics_reading metrics;
    kb_events_reading events;
    kb_ingest_options options = {.timesteps = l->options->timesteps, .fill = l->options->fill};
    kb_metrics_prepare(&metrics, &options, &l->names, READINGS);
    kb_events_prepare(&events, &l->names, EVENTS);
    const kb_collector collectors[KB_COLLECTORS] = {metrics.collector, events.collector};
    const kb_reader **readers = kb_calloc(count, sizeof *readers);
    if (!readers)
        return kb_fail_memory(err, "reading files");
    for (size_t i = 0; i < count; i++)
        readers[i] = inputs[i].kind == KB_FILE_EVENTS  ? &events.reader
                     : inputs[i].kind == KB_FILE_TRACE ? &metrics.wide_form
                                                       : &metrics.long_form;
    kb_lanes lanes;
    kb_status status = kb_lanes_read(&lanes, inputs, readers, count, collectors, &l->reading, err);
    if (status == KB_OK)
        status = assemble(l, &lanes, inputs[count - 1].kind == KB_FILE_EVENTS, err);
    kb_lanes_clear(&lanes, collectors);
    free(readers);
    return status;
}

/* --- sessions
 * ------------------------------------------------------------------------------------------------------
 */

static kb_session describe(const kb_corpus *corpus, size_t id)
{
    const kb_listing *listing = &corpus->listing;
    const char *name = kb_store_session_name(corpus->store, id);
    kb_session session = {name, "", "", "", KB_SPLIT_TRAIN, kb_store_length(corpus->store, id) > 0};
    uint32_t listed = kb_names_find(listing->sessions, name, strlen(name));
    if (listed == KB_NAME_NONE)
        return session;
    const kb_listed *item = &listing->items[listed];
    session.user = kb_names_get(listing->texts, item->user);
    session.version = kb_names_get(listing->texts, item->version);
    session.label = kb_names_get(listing->texts, item->label);
    session.split = item->split;
    return session;
}

static kb_status describe_sessions(kb_corpus *corpus, kb_error *err)
{
    size_t count = kb_store_sessions(corpus->store), usable = 0;
    corpus->sessions = kb_calloc(count, sizeof *corpus->sessions);
    if (!corpus->sessions)
        return kb_fail_memory(err, "the list of sessions");
    for (size_t id = 0; id < count; id++) {
        corpus->sessions[id] = describe(corpus, id);
        usable += corpus->sessions[id].has_rows;
    }
    if (!usable)
        return kb_fail(err, KB_ERR_FORMAT,
                       "%s: no usable session: not one good row, %" PRIu64 " bad", corpus->path,
                       kb_problems_count(corpus->problems));
    return KB_OK;
}

/* --- the whole
 * ------------------------------------------------------------------------------------------------------
 */

/* Events come last among the inputs, and are left out by count. */
static kb_status load_inputs(struct loader *l, kb_error *err)
{
    size_t listed = count_kind(&l->inputs, 0, KB_FILE_SESSIONS), end = l->inputs.count;
    while (l->options->skip_events && l->inputs.items[end - 1].kind == KB_FILE_EVENTS)
        end--;
    for (size_t i = 0; i < end; i++) {
        l->count.total += l->inputs.items[i].size;
        l->corpus->files[l->inputs.items[i].kind]++;
    }
    kb_status status = read_listing(l, listed, err);
    if (status == KB_OK)
        status = read_rows(l, l->inputs.items + listed, end - listed, err);
    return status == KB_OK ? describe_sessions(l->corpus, err) : status;
}

static kb_status load(struct loader *l, const char *path, kb_error *err)
{
    kb_corpus *corpus = l->corpus;
    kb_status status = kb_column_names_parse(&l->names, l->options->columns, err);
    if (status != KB_OK)
        return status;
    corpus->path = kb_strdup(path);
    corpus->problems = kb_problems_create(l->options->problem);
    corpus->fill = l->options->fill;
    if (!corpus->path || !corpus->problems)
        return kb_fail_memory(err, "a corpus");
    l->reading = (kb_reading){.strict = l->options->strict,
                              .lane_bytes = l->options->lane_bytes,
                              .problems = corpus->problems,
                              .count = &l->count,
                              .pool = l->options->pool,
                              .progress = l->progress};
    status = kb_files_of_corpus(&l->inputs, path, err);
    return status == KB_OK ? load_inputs(l, err) : status;
}

kb_status kb_corpus_load(kb_corpus **out, const char *path, const kb_corpus_options *options,
                         const kb_progress *progress, kb_error *err)
{
    *out = NULL;
    const kb_corpus_options defaults = kb_corpus_defaults();
    kb_corpus *corpus = kb_calloc(1, sizeof *corpus);
    if (!corpus)
        return kb_fail_memory(err, "a corpus");
    struct loader l = {
        .corpus = corpus, .options = options ? options : &defaults, .progress = progress};
    kb_status status = load(&l, path, err);
    kb_files_free(&l.inputs);
    kb_column_names_clear(&l.names);
    if (status != KB_OK) {
        kb_corpus_free(corpus);
        return status;
    }
    *out = corpus;
    return KB_OK;
}

void kb_corpus_free(kb_corpus *corpus)
{
    if (!corpus)
        return;
    kb_store_free(corpus->store);
    kb_events_free(corpus->events);
    kb_problems_free(corpus->problems);
    kb_listing_clear(&corpus->listing);
    free(corpus->sessions);
    free(corpus->path);
    free(corpus);
}

/* --- asking
 * ---------------------------------------------------------------------------------------------------------
 */

const char *kb_corpus_path(const kb_corpus *corpus)
{
    return corpus->path;
}

const kb_store *kb_corpus_store(const kb_corpus *corpus)
{
    return corpus->store;
}

kb_fill kb_corpus_fill(const kb_corpus *corpus)
{
    return corpus->fill;
}

size_t kb_corpus_sessions(const kb_corpus *corpus)
{
    return kb_store_sessions(corpus->store);
}

const kb_session *kb_corpus_session(const kb_corpus *corpus, size_t id)
{
    return &corpus->sessions[id];
}

const kb_events *kb_corpus_events(const kb_corpus *corpus)
{
    return corpus->events;
}

const kb_problems *kb_corpus_problems(const kb_corpus *corpus)
{
    return corpus->problems;
}

uint64_t kb_corpus_rows(const kb_corpus *corpus)
{
    return corpus->rows;
}

uint64_t kb_corpus_bad_rows(const kb_corpus *corpus)
{
    return kb_problems_count(corpus->problems);
}

size_t kb_corpus_damaged(const kb_corpus *corpus)
{
    return corpus->damaged;
}

size_t kb_corpus_files(const kb_corpus *corpus, kb_file_kind kind)
{
    return corpus->files[kind];
}

size_t kb_corpus_select(const kb_corpus *corpus, kb_split split, size_t *ids)
{
    size_t count = 0;
    for (size_t id = 0; id < kb_corpus_sessions(corpus); id++)
        if (corpus->sessions[id].split == split)
            ids[count++] = id;
    return count;
}
