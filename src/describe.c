#include "describe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

void cli_item_text(output *out, const char *item, const char *value)
{
    output_text(out, item);
    output_text(out, value);
}

void cli_item_count(output *out, const char *item, uint64_t value)
{
    output_text(out, item);
    output_count(out, value);
}

void cli_item_real(output *out, const char *item, double value)
{
    output_text(out, item);
    output_real(out, value);
}

static void describe_files(output *out, const kb_corpus *corpus)
{
    static const char *const names[KB_FILE_KINDS] = {
        [KB_FILE_SESSIONS] = "files of sessions",
        [KB_FILE_METRICS] = "files of readings",
        [KB_FILE_TRACE] = "traces",
        [KB_FILE_EVENTS] = "files of events",
    };
    for (int kind = 0; kind < KB_FILE_KINDS; kind++)
        cli_item_count(out, names[kind], kb_corpus_files(corpus, (kb_file_kind)kind));
    cli_item_count(out, "damaged files", kb_corpus_damaged(corpus));
}

/* --- sessions ----------------------------------------------------------------------------- */
static void describe_splits(output *out, const kb_corpus *corpus)
{
    size_t splits[KB_SPLITS] = {0}, labelled = 0, empty = 0;
    for (size_t i = 0; i < kb_corpus_sessions(corpus); i++) {
        const kb_session *session = kb_corpus_session(corpus, i);
        splits[session->split]++;
        labelled += *session->label != '\0';
        empty += !session->has_rows;
    }
    cli_item_count(out, "sessions", kb_corpus_sessions(corpus));
    for (size_t s = 0; s < KB_SPLITS; s++) {
        char name[32];
        snprintf(name, sizeof name, "%s sessions", kb_split_name((kb_split)s));
        cli_item_count(out, name, splits[s]);
    }
    cli_item_count(out, "labelled sessions", labelled);
    cli_item_count(out, "sessions without rows", empty);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* How many sessions each version has, by its bytes; none where no version is known. */
static void describe_versions(output *out, const kb_corpus *corpus)
{
    size_t sessions = kb_corpus_sessions(corpus);
    const char **versions = kb_calloc(sessions, sizeof *versions);
    if (!versions)
        return; /* a table with less in it is better than none */
    for (size_t i = 0; i < sessions; i++)
        versions[i] = kb_corpus_session(corpus, i)->version;
    qsort(versions, sessions, sizeof *versions, by_text);
    for (size_t i = 0, begin; i < sessions;) {
        for (begin = i; i < sessions && strcmp(versions[i], versions[begin]) == 0;)
            i++;
        char name[256];
        snprintf(name, sizeof name, "version %.200s sessions", versions[begin]);
        if (*versions[begin])
            cli_item_count(out, name, i - begin);
    }
    free(versions);
}

/* --- readings ----------------------------------------------------------------------------- */
struct ranges {
    size_t sessions; /* with rows */
    size_t shortest, longest;
    uint64_t steps, series;
    kb_time earliest, latest;
    double shortest_span, longest_span;
};

static void add_session(struct ranges *r, const kb_store *store, size_t session)
{
    size_t length = kb_store_length(store, session);
    if (!length)
        return;
    kb_time first = kb_store_time(store, session, 0);
    kb_time last = kb_store_time(store, session, length - 1);
    double span = kb_time_to_double(last) - kb_time_to_double(first);
    if (!r->sessions || kb_time_compare(first, r->earliest) < 0)
        r->earliest = first;
    if (!r->sessions || kb_time_compare(last, r->latest) > 0)
        r->latest = last;
    if (!r->sessions || length < r->shortest)
        r->shortest = length;
    if (!r->sessions || span < r->shortest_span)
        r->shortest_span = span;
    r->longest = length > r->longest ? length : r->longest;
    r->longest_span = span > r->longest_span ? span : r->longest_span;
    r->steps += length;
    r->series += kb_store_series_count(store, session);
    r->sessions++;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : (double)NAN;
}

static void describe_times(output *out, const struct ranges *r)
{
    char time[64];
    cli_item_count(out, "shortest session", r->shortest);
    cli_item_count(out, "longest session", r->longest);
    cli_item_text(out, "earliest time", kb_time_format(r->earliest, time, sizeof time));
    cli_item_text(out, "latest time", kb_time_format(r->latest, time, sizeof time));
    cli_item_real(out, "shortest time span", r->shortest_span);
    cli_item_real(out, "longest time span", r->longest_span);
}

/* Density: of the steps of all sessions, times all objects, how many readings are not zero.
 * Presence: of the objects, how many a session has, on the average. */
static void describe_store(output *out, const kb_store *store)
{
    struct ranges r = {0};
    for (size_t i = 0; i < kb_store_sessions(store); i++)
        add_session(&r, store, i);
    double objects = (double)kb_store_objects(store);
    cli_item_count(out, "objects", kb_store_objects(store));
    cli_item_real(out, "presence", share((double)r.series, (double)r.sessions * objects));
    cli_item_count(out, "readings not zero", kb_store_nonzero(store));
    cli_item_real(out, "density",
                  share((double)kb_store_nonzero(store), (double)r.steps * objects));
    cli_item_count(out, "timesteps", kb_store_timesteps(store));
    describe_times(out, &r);
    cli_item_count(out, "bytes in memory", kb_store_bytes(store));
}

/* --- the whole ---------------------------------------------------------------------------- */
static void describe_problems(output *out, const kb_problems *problems)
{
    cli_item_count(out, "problems", kb_problems_count(problems));
    for (int kind = 0; kind < KB_PROBLEM_KINDS; kind++) {
        uint64_t count = kb_problems_of_kind(problems, (kb_problem_kind)kind);
        char name[64];
        snprintf(name, sizeof name, "problems: %s", kb_problem_kind_name((kb_problem_kind)kind));
        if (count)
            cli_item_count(out, name, count);
    }
}

void cli_describe_corpus(output *out, const kb_corpus *corpus)
{
    const kb_events *events = kb_corpus_events(corpus);
    cli_item_text(out, "corpus", kb_corpus_path(corpus));
    describe_files(out, corpus);
    describe_splits(out, corpus);
    describe_versions(out, corpus);
    describe_store(out, kb_corpus_store(corpus));
    cli_item_text(out, "fill", kb_fill_name(kb_corpus_fill(corpus)));
    cli_item_count(out, "rows", kb_corpus_rows(corpus));
    cli_item_count(out, "rows left out", kb_corpus_bad_rows(corpus));
    cli_item_count(out, "events", events ? kb_events_count(events) : 0);
    cli_item_count(out, "users", events ? kb_events_users(events) : 0);
    cli_item_count(out, "kinds of event", events ? kb_events_kinds(events) : 0);
    describe_problems(out, kb_corpus_problems(corpus));
}
