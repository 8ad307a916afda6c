/* N-grams: the input is a corpus of several files (support.h). The heads of its parts say which:
 * "m" readings, "s" sessions, "e" events. In the first part are options: digits "ab" are lengths
 * from 1 + a to 1 + b, "f" folds, "x" leaves out first starts, "k" known events, "t" joins by time,
 * "o" by order, "n" by name.
 *
 * Starts are app.launched. What is counted and joined must be what counting and joining the long
 * way gives. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus.h"
#include "ngram_lift.h"
#include "ngrams.h"
#include "session_join.h"
#include "support.h"

enum { GROUPS = 3 };

static kb_ngram_options choose(const fuzz_part *part)
{
    kb_ngram_options options = kb_ngram_defaults();
    size_t digits[2] = {2, 2}, count = 0;
    for (size_t i = 0; i < part->size && count < 2; i++)
        if (part->body[i] >= '1' && part->body[i] <= '9')
            digits[count++] = (size_t)(part->body[i] - '0');
    options.least = 1 + digits[0];
    options.most = count == 2 && digits[1] > digits[0] ? 1 + digits[1] : options.least;
    options.fold = fuzz_has(part, 'f') ? 0.6 : 0;
    return options;
}

static void write_files(const char *folder, const fuzz_part *parts, size_t count)
{
    static const char one[] = "session,time,object,value\ns,1,o,1\n";
    fuzz_write(folder, "metrics.csv", one, strlen(one), false);
    for (size_t i = 1; i < count; i++) {
        char kind = parts[i].length ? parts[i].head[0] : 'm', name[64];
        if (kind == 's')
            snprintf(name, sizeof name, "sessions.csv");
        else
            snprintf(name, sizeof name, "%s%zu.csv", kind == 'e' ? "events" : "metrics", i);
        fuzz_write(folder, name, parts[i].body, parts[i].size, false);
    }
}

/* --- the long way ------------------------------------------------------------------------ */

struct all {
    const kb_corpus *corpus;
    const kb_events *events;
    kb_truncations truncations;
    kb_joined joined;
    kb_ngram_options options;
    uint32_t *groups; /* by session */
};

static const kb_event *before(const struct all *a, size_t sequence, size_t steps)
{
    size_t length;
    const kb_truncation *t = &a->truncations.items[sequence];
    const kb_event *log = kb_events_of(a->events, t->user, &length);
    return steps <= t->start ? &log[t->start - steps] : NULL;
}

static uint32_t group_of(const struct all *a, size_t sequence)
{
    size_t session = a->joined.sessions[sequence];
    return session == SIZE_MAX ? 0 : a->groups[session];
}

/* Whether the sequence has the n-gram EVENTS of length N. */
static bool has(const struct all *a, size_t sequence, const uint32_t *events, size_t n)
{
    size_t width = a->options.most - 1;
    for (size_t step = 1; step < n; step++) {
        const kb_event *event = before(a, sequence, step);
        if ((event ? event->event : KB_NAME_NONE) != events[width - step])
            return false;
    }
    return n == a->options.least || before(a, sequence, n - 1);
}

/* GROUP 0: all sequences, with a session or without. */
static void check_counts(const struct all *a, const uint32_t *events, size_t n, uint32_t group,
                         uint64_t count, uint64_t users)
{
    uint32_t last = KB_NAME_NONE;
    for (size_t i = 0; i < a->truncations.count; i++) {
        if ((group && group_of(a, i) != group) || !has(a, i, events, n))
            continue;
        count--;
        users -= last != a->truncations.items[i].user;
        last = a->truncations.items[i].user;
    }
    fuzz_check(!count && !users, "a row of length %zu of group %u is miscounted", n, group);
}

static void check_ngrams(const struct all *a)
{
    kb_ngrams found;
    uint64_t sum = 0;
    fuzz_check(!kb_ngrams_of(&found, a->events, &a->truncations, &a->options, NULL, NULL),
               "n-grams");
    for (size_t i = 0; i < found.count; i++) {
        const kb_ngram_row *row = &found.rows[i];
        fuzz_check(!i || found.rows[i - 1].count >= row->count, "rows out of order");
        check_counts(a, row->events, row->n, 0, row->count, row->users);
        sum += row->n == a->options.least ? row->count : 0;
    }
    fuzz_check(a->options.fold > 0 || sum == a->truncations.count, "a sequence is not counted");
    kb_ngrams_clear(&found);
}

static void check_lifts(const struct all *a)
{
    kb_lifts found;
    kb_lift_input input = {a->events, &a->truncations, a->joined.sessions, a->groups, GROUPS};
    kb_lift_options options = {a->options, .support = 1};
    fuzz_check(!kb_lifts_of(&found, &input, &options, NULL, NULL), "lifts");
    for (size_t i = 0; i < found.count; i++) {
        const kb_lift_row *row = &found.rows[i];
        check_counts(a, row->events, row->n, row->group, row->count, row->users);
        fuzz_check(row->p >= 0 && row->p <= row->q && row->q <= 1, "p %g, q %g", row->p, row->q);
        fuzz_check(row->users <= row->count && row->sessions <= row->count, "more than there are");
        fuzz_check(row->share > 0 && row->share <= 1 && row->other >= 0 && row->other <= 1,
                   "shares %g, %g", row->share, row->other);
    }
    kb_lifts_clear(&found);
}

/* The session that rule (1) gives a moment, or SIZE_MAX. */
static size_t session_around(const struct all *a, uint32_t user, double moment)
{
    const kb_store *store = kb_corpus_store(a->corpus);
    size_t best = SIZE_MAX;
    double best_end = 0;
    for (size_t s = 0; s < kb_corpus_sessions(a->corpus); s++) {
        size_t length = kb_store_length(store, s);
        if (!length ||
            kb_events_find_user(a->events, kb_corpus_session(a->corpus, s)->user) != user)
            continue;
        double first = kb_time_to_double(kb_store_time(store, s, 0)) - a->joined.skew;
        double end = kb_time_to_double(kb_store_time(store, s, length - 1)) - a->joined.skew;
        if (first <= moment && moment <= end && (best == SIZE_MAX || end < best_end)) {
            best = s;
            best_end = end;
        }
    }
    return best;
}

/* Where time alone decides, within a tolerance that lets nothing else in. */
static void check_join(struct all *a)
{
    kb_join_options options = {KB_JOIN_TIME, 0};
    kb_joined_clear(&a->joined);
    fuzz_check(!kb_join_sessions(&a->joined, a->corpus, &a->truncations, "app.launched",
                                 "app.terminated", &options, NULL, NULL),
               "joining");
    for (size_t i = 0; i < a->truncations.count; i++) {
        double moment = kb_time_to_double(before(a, i, 1)->time);
        size_t around = session_around(a, a->truncations.items[i].user, moment);
        fuzz_check(around == SIZE_MAX || around == a->joined.sessions[i], "joined otherwise");
    }
}

static void check_corpus(const kb_corpus *corpus, const fuzz_part *part)
{
    struct all a = {.corpus = corpus, .events = kb_corpus_events(corpus), .options = choose(part)};
    kb_truncation_options starts = kb_truncation_defaults();
    starts.no_first = fuzz_has(part, 'x');
    starts.no_explained = fuzz_has(part, 'k');
    kb_join_options joining = {fuzz_has(part, 't')   ? KB_JOIN_TIME
                               : fuzz_has(part, 'o') ? KB_JOIN_ORDER
                               : fuzz_has(part, 'n') ? KB_JOIN_NAME
                                                     : KB_JOIN_AUTO,
                               5};
    size_t sessions = kb_corpus_sessions(corpus);
    a.groups = calloc(sessions + 1, sizeof *a.groups);
    for (size_t s = 0; s < sessions; s++)
        a.groups[s] = (uint32_t)(s % (GROUPS + 1));
    fuzz_check(!kb_truncations_find(&a.truncations, a.events, NULL, &starts, NULL, NULL), "starts");
    fuzz_check(!kb_join_sessions(&a.joined, corpus, &a.truncations, "app.launched",
                                 "app.terminated", &joining, NULL, NULL),
               "joining");
    check_ngrams(&a);
    check_lifts(&a);
    check_join(&a);
    kb_joined_clear(&a.joined);
    kb_truncations_clear(&a.truncations);
    free(a.groups);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_part parts[FUZZ_PARTS];
    char folder[FUZZ_PATH];
    size_t count = fuzz_split(parts, data, size);
    fuzz_folder_make(folder);
    write_files(folder, parts, count);
    kb_corpus *corpus = NULL;
    kb_corpus_options options = kb_corpus_defaults();
    if (kb_corpus_load(&corpus, folder, &options, NULL, NULL) == KB_OK && kb_corpus_events(corpus))
        check_corpus(corpus, &parts[0]);
    kb_corpus_free(corpus);
    fuzz_folder_remove(folder);
    return 0;
}
