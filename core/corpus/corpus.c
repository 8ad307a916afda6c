#include "corpus.h"

#include <stdlib.h>
#include <string.h>

#include "corpus_private.h"
#include "memory.h"

/* --- options ------------------------------------------------------------------------------ */

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

void kb_corpus_free(kb_corpus *corpus)
{
    if (!corpus)
        return;
    kb_store_free(corpus->store);
    kb_events_free(corpus->events);
    kb_problems_free(corpus->problems);
    kb_names_free(corpus->texts);
    for (size_t i = 0; i < KB_CORPUS_READERS; i++)
        kb_container_close(corpus->readers[i]);
    free(corpus->sessions);
    free(corpus->path);
    free(corpus);
}

static void describe_sessions(kb_corpus *corpus)
{
    for (size_t id = 0; id < kb_store_sessions(corpus->store); id++)
        corpus->sessions[id] = (kb_session){.name = kb_store_session_name(corpus->store, id),
                                            .user = "",
                                            .version = "",
                                            .label = "",
                                            .split = KB_SPLIT_TRAIN,
                                            .has_rows = kb_store_length(corpus->store, id) > 0};
}

kb_status kb_corpus_of_store(kb_corpus **out, kb_store *store, kb_fill fill, const char *path,
                             kb_error *err)
{
    kb_corpus *corpus = kb_calloc(1, sizeof *corpus);
    *out = NULL;
    if (!corpus) {
        kb_store_free(store);
        return kb_fail_memory(err, "a corpus");
    }
    corpus->store = store;
    corpus->fill = fill;
    corpus->path = kb_strdup(path);
    corpus->problems = kb_problems_create((kb_problem_listener){0});
    corpus->sessions = kb_calloc(kb_store_sessions(store), sizeof *corpus->sessions);
    if (!corpus->path || !corpus->problems || !corpus->sessions) {
        kb_corpus_free(corpus);
        return kb_fail_memory(err, "a corpus");
    }
    describe_sessions(corpus);
    *out = corpus;
    return KB_OK;
}

/* --- asking ------------------------------------------------------------------------------- */

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
    uint64_t rows = 0;
    for (int kind = 0; kind < KB_PROBLEM_KINDS; kind++)
        if (kb_problem_is_a_row((kb_problem_kind)kind))
            rows += kb_problems_of_kind(corpus->problems, (kb_problem_kind)kind);
    return rows;
}

size_t kb_corpus_damaged(const kb_corpus *corpus)
{
    return (size_t)kb_problems_of_kind(corpus->problems, KB_PROBLEM_DAMAGE);
}

size_t kb_corpus_files(const kb_corpus *corpus, kb_file_kind kind)
{
    return corpus->files[kind];
}

const char *kb_corpus_cache_note(const kb_corpus *corpus)
{
    return corpus->cache_note;
}

size_t kb_corpus_select(const kb_corpus *corpus, kb_split split, size_t *ids)
{
    size_t count = 0;
    for (size_t id = 0; id < kb_corpus_sessions(corpus); id++)
        if (corpus->sessions[id].split == split)
            ids[count++] = id;
    return count;
}
