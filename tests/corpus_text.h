/* All of a corpus as a text, for comparing two. */
#ifndef KB_TEST_CORPUS_TEXT_H
#define KB_TEST_CORPUS_TEXT_H

#include <stdio.h>
#include <stdlib.h>

#include "corpus.h"

static inline void print_store(FILE *f, const kb_store *store)
{
    for (size_t s = 0; s < kb_store_sessions(store); s++) {
        fprintf(f, "session %s:", kb_store_session_name(store, s));
        for (size_t i = 0; i < kb_store_length(store, s); i++) {
            char time[64];
            fprintf(f, " %s", kb_time_format(kb_store_time(store, s, i), time, sizeof time));
        }
        for (size_t i = 0; i < kb_store_series_count(store, s); i++) {
            kb_series series = kb_store_series(store, s, i);
            fprintf(f, "\n  %s@%u:", kb_store_object_name(store, series.object), series.first);
            for (uint32_t j = 0; j < series.count; j++)
                fprintf(f, " %.9g", (double)series.values[j]);
        }
        fprintf(f, "\n");
    }
    fprintf(f, "%zu objects, %llu readings, %llu bytes\n", kb_store_objects(store),
            (unsigned long long)kb_store_nonzero(store), (unsigned long long)kb_store_bytes(store));
}

static inline void print_events(FILE *f, const kb_events *events)
{
    for (size_t u = 0; u < kb_events_users(events); u++) {
        size_t count;
        const kb_event *items = kb_events_of(events, u, &count);
        fprintf(f, "user %s:", kb_events_user_name(events, u));
        for (size_t i = 0; i < count; i++)
            fprintf(f, " %s/%s", kb_events_kind_name(events, items[i].event),
                    items[i].session == KB_NAME_NONE
                        ? "-"
                        : kb_events_session_name(events, items[i].session));
        fprintf(f, "\n");
    }
}

static inline void print_problem(void *ctx, const kb_problem *problem)
{
    fprintf(ctx, "%s:%llu: %s\n", problem->file, (unsigned long long)problem->line,
            problem->reason);
}

static inline void print_sessions(FILE *f, const kb_corpus *corpus)
{
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++) {
        const kb_session *session = kb_corpus_session(corpus, s);
        fprintf(f, "%s: %s %s %s %s %d\n", session->name, session->user, session->version,
                session->label, kb_split_name(session->split), session->has_rows);
    }
}

/* What loading PATH by OPTIONS gives: everything told, in order, and everything loaded. *NOTE
 * (NULL: not asked; 256 bytes) becomes the cache's. The caller frees. */
static inline char *load_text(const char *path, kb_corpus_options options, char *note)
{
    char *s;
    size_t size;
    FILE *f = open_memstream(&s, &size);
    options.problem = (kb_problem_listener){print_problem, f};
    kb_corpus *corpus;
    kb_error err;
    kb_status status = kb_corpus_load(&corpus, path, &options, NULL, &err);
    if (status == KB_OK) {
        print_store(f, kb_corpus_store(corpus));
        print_sessions(f, corpus);
        if (kb_corpus_events(corpus))
            print_events(f, kb_corpus_events(corpus));
        fprintf(f, "%llu rows, %llu bad, %zu damaged\n", (unsigned long long)kb_corpus_rows(corpus),
                (unsigned long long)kb_corpus_bad_rows(corpus), kb_corpus_damaged(corpus));
        if (note)
            snprintf(note, 256, "%s", kb_corpus_cache_note(corpus));
        kb_corpus_free(corpus);
    } else {
        fprintf(f, "error %d: %s\n", (int)status, err.text);
    }
    fclose(f);
    return s;
}

#endif
