/* A corpus has two parts, readings with what is known of sessions, and events. Each is taken from
 * the cache or else read, those that have to be read together, so that neither leaves a thread
 * without work. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "corpus_pack.h"
#include "corpus_private.h"
#include "memory.h"
#include "metrics.h"

/* The parts; also the numbers of their collectors and readers. */
enum { READINGS, EVENTS, PARTS };

_Static_assert((int)PARTS <= (int)KB_COLLECTORS && (int)PARTS == (int)KB_CORPUS_READERS,
               "each part has a collector and a reader");

struct part {
    const kb_file *files;
    size_t count;
    bool keyed;
    kb_cache_key key;
    kb_container_reader *entry; /* in the cache, or NULL */
    bool there;                 /* the corpus has it */
};

struct loader {
    kb_corpus *corpus;
    const kb_corpus_options *options;
    const kb_progress *progress;
    kb_column_names names;
    kb_files files;
    struct part parts[PARTS];
    size_t listed; /* how many of the first files are of sessions */
    kb_listing listing;
    kb_reading_count count;
    kb_reading reading;
};

/* --- reading ------------------------------------------------------------------------------ */

/* Listed sessions are in the store, with rows or without. */
static kb_status add_listed(struct loader *l, kb_ingest *ingest, kb_error *err)
{
    const kb_names *sessions = l->listing.sessions;
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

static bool is_to_be_read(const struct part *part)
{
    return part->count && !part->there && !part->entry;
}

static kb_status assemble(struct loader *l, const kb_lanes *lanes, kb_error *err)
{
    kb_status status = KB_OK;
    if (is_to_be_read(&l->parts[READINGS]))
        status = assemble_readings(l, lanes, err);
    if (status == KB_OK && is_to_be_read(&l->parts[EVENTS]))
        status = kb_events_assemble(&l->corpus->events, lanes, EVENTS, l->progress, err);
    return status;
}

static kb_status read_files(struct loader *l, const kb_file *files, size_t count, kb_error *err)
{
    kb_metrics_reading metrics;
    kb_events_reading events;
    kb_ingest_options options = {.timesteps = l->options->timesteps, .fill = l->options->fill};
    kb_metrics_prepare(&metrics, &options, &l->names, READINGS);
    kb_metrics_look_at(&metrics, files, count);
    kb_events_prepare(&events, &l->names, EVENTS);
    const kb_collector collectors[KB_COLLECTORS] = {
        [READINGS] = metrics.collector, [EVENTS] = events.collector};
    const kb_reader **readers = kb_calloc(count, sizeof *readers);
    if (!readers)
        return kb_fail_memory(err, "reading files");
    for (size_t i = 0; i < count; i++)
        readers[i] = files[i].kind == KB_FILE_EVENTS  ? &events.reader
                     : files[i].kind == KB_FILE_TRACE ? &metrics.wide_form
                                                      : &metrics.long_form;
    kb_lanes lanes;
    kb_status status = kb_lanes_read(&lanes, files, readers, count, collectors, &l->reading, err);
    if (status == KB_OK)
        status = assemble(l, &lanes, err);
    kb_lanes_clear(&lanes, collectors);
    free(readers);
    return status;
}

/* --- sessions ----------------------------------------------------------------------------- */

static kb_session describe(const struct loader *l, size_t id)
{
    const kb_store *store = l->corpus->store;
    const char *name = kb_store_session_name(store, id);
    kb_session session = {name, "", "", "", KB_SPLIT_TRAIN, kb_store_length(store, id) > 0};
    uint32_t listed = kb_names_find(l->listing.sessions, name, strlen(name));
    if (listed == KB_NAME_NONE)
        return session;
    const kb_listed *item = &l->listing.items[listed];
    session.user = kb_names_get(l->listing.texts, item->user);
    session.version = kb_names_get(l->listing.texts, item->version);
    session.label = kb_names_get(l->listing.texts, item->label);
    session.split = item->split;
    return session;
}

static kb_status nothing_usable(const kb_corpus *corpus, kb_error *err)
{
    uint64_t bad = kb_corpus_bad_rows(corpus);
    uint64_t lost =
        kb_corpus_damaged(corpus) + kb_problems_of_kind(corpus->problems, KB_PROBLEM_FILE);
    char files[64] = "";
    if (lost)
        snprintf(files, sizeof files, ", %" PRIu64 " file%s damaged or left out", lost,
                 lost == 1 ? "" : "s");
    return kb_fail(err, KB_ERR_FORMAT, "%s: no usable session: not one good row, %" PRIu64 " bad%s",
                   corpus->path, bad, files);
}

static kb_status describe_sessions(struct loader *l, kb_error *err)
{
    kb_corpus *corpus = l->corpus;
    size_t count = kb_store_sessions(corpus->store), usable = 0;
    corpus->sessions = kb_calloc(count, sizeof *corpus->sessions);
    if (!corpus->sessions)
        return kb_fail_memory(err, "the list of sessions");
    for (size_t id = 0; id < count; id++) {
        corpus->sessions[id] = describe(l, id);
        usable += corpus->sessions[id].has_rows;
    }
    corpus->texts = l->listing.texts;
    l->listing.texts = NULL;
    return usable ? KB_OK : nothing_usable(corpus, err);
}

static kb_status read_listing(struct loader *l, kb_error *err)
{
    return kb_listing_load(&l->listing, l->files.items, l->listed, &l->names, &l->reading, err);
}

/* What is to be read lies together, since the parts do, once the files of sessions are left out. */
static kb_status read_parts(struct loader *l, kb_error *err)
{
    const struct part *readings = &l->parts[READINGS], *events = &l->parts[EVENTS];
    bool both = is_to_be_read(readings);
    size_t begin = both ? l->listed : readings->count;
    size_t end = is_to_be_read(events) ? readings->count + events->count : readings->count;
    for (size_t i = both ? 0 : begin; i < end; i++)
        l->count.total += l->files.items[i].size;
    kb_status status = both ? read_listing(l, err) : KB_OK;
    if (status == KB_OK && begin < end)
        status = read_files(l, l->files.items + begin, end - begin, err);
    if (status == KB_OK && both)
        status = describe_sessions(l, err);
    for (int p = 0; p < PARTS; p++)
        l->parts[p].there |= is_to_be_read(&l->parts[p]);
    return status;
}

/* --- the cache ---------------------------------------------------------------------------- */

static const char *const part_names[PARTS] = {[READINGS] = "corpus", [EVENTS] = "events"};

static void make_key(struct loader *l, int p)
{
    const kb_corpus_options *o = l->options;
    struct part *part = &l->parts[p];
    char options[128] = "";
    size_t n = p == EVENTS ? 0
                           : (size_t)snprintf(options, sizeof options, "timesteps=%zu\nfill=%s\n",
                                              o->timesteps, kb_fill_name(o->fill));
    size_t size = n + sizeof "columns=\n" + (o->columns ? strlen(o->columns) : 0);
    char *text = malloc(size);
    if (!text)
        return;
    snprintf(text, size, "%.*scolumns=%s\n", (int)n, options, o->columns ? o->columns : "");
    part->keyed = kb_cache_key_make(&part->key, o->cache, part_names[p], l->corpus->path, text,
                                    part->files, part->count);
    free(text);
}

static kb_status unpack(struct loader *l, int p, kb_container_reader *reader, kb_error *err)
{
    const struct part *part = &l->parts[p];
    const kb_corpus_options *o = l->options;
    if (p == EVENTS)
        return kb_corpus_unpack_events(l->corpus, reader, part->files, part->count, o->strict, err);
    return kb_corpus_unpack_readings(l->corpus, reader, part->files, part->count, o->timesteps,
                                     o->strict, err);
}

static void find_entry(struct loader *l, int p)
{
    struct part *part = &l->parts[p];
    make_key(l, p);
    if (part->keyed && !l->options->fresh)
        (void)kb_cache_open(&part->entry, &part->key, NULL);
}

/* An entry that turns out to be damaged is as if it were not there. */
static void take_entry(struct loader *l, int p)
{
    struct part *part = &l->parts[p];
    if (!part->entry)
        return;
    part->there = unpack(l, p, part->entry, NULL) == KB_OK;
    if (part->there)
        l->corpus->readers[p] = part->entry;
    else
        kb_container_close(part->entry);
    part->entry = NULL;
}

static kb_status pack(const struct loader *l, int p, kb_packer *packer, kb_error *err)
{
    const struct part *part = &l->parts[p];
    return p == EVENTS ? kb_corpus_pack_events(l->corpus, packer, part->files, part->count, err)
                       : kb_corpus_pack_readings(l->corpus, packer, part->files, part->count, err);
}

/* A part that changed while it was read is not what its key says. */
static kb_status keep_part(const struct loader *l, int p, kb_error *err)
{
    const struct part *part = &l->parts[p];
    kb_packer packer = {kb_container_writer_create(&kb_cache_kind), kb_arena_create()};
    kb_status status = packer.writer && packer.arena ? KB_OK : kb_fail_memory(err, "a cache file");
    if (!status)
        status = pack(l, p, &packer, err);
    const kb_files files = {.items = (kb_file *)(uintptr_t)part->files, .count = part->count};
    if (!status && !kb_files_unchanged(&files))
        status = kb_fail(err, KB_ERR_IO, "the files change while they are read");
    if (!status)
        status = kb_cache_write(l->options->cache, &part->key, packer.writer, l->progress, err);
    kb_container_writer_free(packer.writer);
    kb_arena_free(packer.arena);
    return status;
}

/* Without a cache everything works as well: what is wrong with it is a remark. */
static void keep_in_cache(struct loader *l)
{
    kb_corpus *corpus = l->corpus;
    bool readings = corpus->readers[READINGS] != NULL, events = corpus->readers[EVENTS] != NULL;
    if (readings || events)
        snprintf(corpus->cache_note, sizeof corpus->cache_note, "%s%s%s taken from the cache",
                 readings ? "readings" : "", readings && events ? " and " : "",
                 events ? "events" : "");
    /* What only a survey puts up with is not kept for others. */
    bool whole = !l->options->survey || !kb_problems_of_kind(corpus->problems, KB_PROBLEM_FILE);
    for (int p = 0; p < PARTS && whole && !kb_cancelled(l->progress); p++) {
        kb_error err = {0};
        if (!l->parts[p].keyed || corpus->readers[p])
            continue;
        kb_progress_report(l->progress, "caching", 0, 0);
        if (keep_part(l, p, &err) != KB_OK)
            snprintf(corpus->cache_note, sizeof corpus->cache_note, "not kept in the cache: %.200s",
                     err.text);
    }
}

/* --- the whole ---------------------------------------------------------------------------- */

static void find_parts(struct loader *l)
{
    const kb_files *files = &l->files;
    struct part *readings = &l->parts[READINGS], *events = &l->parts[EVENTS];
    size_t end = files->count;
    while (end && files->items[end - 1].kind == KB_FILE_EVENTS)
        end--;
    *readings = (struct part){.files = files->items, .count = end};
    *events = (struct part){.files = files->items + end,
                            .count = l->options->skip_events ? 0 : files->count - end};
    while (l->listed < end && files->items[l->listed].kind == KB_FILE_SESSIONS)
        l->listed++;
    for (size_t i = 0; i < readings->count + events->count; i++)
        l->corpus->files[files->items[i].kind]++;
}

/* What is taken from the cache tells its problems at once. They are told in the order of the files,
 * so that an entry of events waits until the readings are there. */
static kb_status load_parts(struct loader *l, kb_error *err)
{
    find_parts(l);
    for (int p = 0; p < PARTS; p++)
        find_entry(l, p);
    take_entry(l, READINGS);
    if (l->parts[READINGS].there)
        take_entry(l, EVENTS);
    kb_status status = read_parts(l, err);
    if (status == KB_OK && l->parts[EVENTS].entry) {
        take_entry(l, EVENTS);
        status = read_parts(l, err);
    }
    if (status == KB_OK)
        keep_in_cache(l);
    return status;
}

static kb_status load(struct loader *l, const char *path, kb_error *err)
{
    kb_corpus *corpus = l->corpus;
    kb_status status = kb_corpus_check(l->options, err);
    if (status == KB_OK)
        status = kb_column_names_parse(&l->names, l->options->columns, err);
    if (status != KB_OK)
        return status;
    corpus->path = kb_strdup(path);
    corpus->problems = kb_problems_create(l->options->problem);
    corpus->fill = l->options->fill;
    if (!corpus->path || !corpus->problems)
        return kb_fail_memory(err, "a corpus");
    l->reading = (kb_reading){.strict = l->options->strict,
                              .survey = l->options->survey,
                              .lane_bytes = l->options->lane_bytes,
                              .problems = corpus->problems,
                              .count = &l->count,
                              .pool = l->options->pool,
                              .progress = l->progress};
    status = kb_files_of_corpus(&l->files, path, err);
    return status == KB_OK ? load_parts(l, err) : status;
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
    for (int p = 0; p < PARTS; p++) {
        kb_cache_key_clear(&l.parts[p].key);
        kb_container_close(l.parts[p].entry);
    }
    kb_listing_clear(&l.listing);
    kb_files_free(&l.files);
    kb_column_names_clear(&l.names);
    if (status != KB_OK) {
        kb_corpus_free(corpus);
        return status;
    }
    *out = corpus;
    return KB_OK;
}
