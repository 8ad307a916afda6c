#include "session_join.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "median.h"
#include "memory.h"

enum { LEAST_FOR_SKEW = 5 };

const char *kb_join_name(kb_join join)
{
    static const char *const names[KB_JOINS] = {"auto", "session", "time", "order"};
    return names[join];
}

kb_join_options kb_join_defaults(void)
{
    return (kb_join_options){.tolerance = 3600};
}

/* A session that a sequence may belong to. */
struct candidate {
    uint32_t user;
    size_t session;
    double first, last; /* times, without the skew */
    bool taken;         /* a sequence lies inside it */
};

struct join {
    kb_joined *out;
    const kb_corpus *corpus;
    const kb_events *events;
    const kb_truncations *truncations;
    const kb_progress *progress;
    uint32_t start, end;
    struct candidate *candidates; /* by user; a user's by last, then session (by time), or by
                                     session (by order) */
    size_t candidate_count;
    double *moments; /* by truncation */
    double *scratch; /* as many as candidates */
    size_t *heap;    /* as many as candidates */
    size_t heap_count;
};

static kb_status fail(const struct join *j, kb_error *err)
{
    if (kb_cancelled(j->progress))
        return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    return kb_fail_memory(err, "the sessions of sequences");
}

/* --- by name ------------------------------------------------------------------------------ */

/* The name of a run's session, or KB_NAME_NONE. */
static uint32_t named_session(const struct join *j, const kb_truncation *t)
{
    size_t length;
    const kb_event *log = kb_events_of(j->events, t->user, &length);
    for (uint64_t i = t->start; i-- > 0;) {
        if (log[i].session != KB_NAME_NONE)
            return log[i].session;
        if (log[i].event == j->start)
            break;
    }
    return KB_NAME_NONE;
}

/* A sequence whose run has a name is not DECIDED by anything else. */
static bool join_by_name(struct join *j, bool *decided)
{
    size_t names = kb_events_sessions(j->events);
    size_t *sessions = kb_calloc(names, sizeof *sessions);
    if (!sessions)
        return false;
    for (uint32_t s = 0; s < names; s++)
        sessions[s] =
            kb_store_find_session(kb_corpus_store(j->corpus), kb_events_session_name(j->events, s));
    for (size_t i = 0; i < j->truncations->count && !kb_cancelled(j->progress); i++) {
        uint32_t name = named_session(j, &j->truncations->items[i]);
        decided[i] = name != KB_NAME_NONE;
        if (!decided[i] || sessions[name] == SIZE_MAX)
            continue;
        j->out->sessions[i] = sessions[name];
        j->out->by[KB_JOIN_NAME]++;
    }
    free(sessions);
    return !kb_cancelled(j->progress);
}

/* --- candidates --------------------------------------------------------------------------- */

static int by_end(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->user != y->user)
        return x->user < y->user ? -1 : 1;
    if (x->last != y->last)
        return x->last < y->last ? -1 : 1;
    return (x->session > y->session) - (x->session < y->session);
}

static int by_id(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->user != y->user)
        return x->user < y->user ? -1 : 1;
    return (x->session > y->session) - (x->session < y->session);
}

/* The sessions with rows of users that the log knows. */
static bool find_candidates(struct join *j)
{
    const kb_store *store = kb_corpus_store(j->corpus);
    size_t sessions = kb_corpus_sessions(j->corpus);
    j->candidates = kb_calloc(sessions, sizeof *j->candidates);
    j->scratch = kb_calloc(sessions, sizeof *j->scratch);
    j->heap = kb_calloc(sessions, sizeof *j->heap);
    if (!j->candidates || !j->scratch || !j->heap)
        return false;
    for (size_t s = 0; s < sessions; s++) {
        size_t length = kb_store_length(store, s);
        size_t user = kb_events_find_user(j->events, kb_corpus_session(j->corpus, s)->user);
        if (!length || user == SIZE_MAX)
            continue;
        j->candidates[j->candidate_count++] =
            (struct candidate){.user = (uint32_t)user,
                               .session = s,
                               .first = kb_time_to_double(kb_store_time(store, s, 0)),
                               .last = kb_time_to_double(kb_store_time(store, s, length - 1))};
    }
    return true;
}

static bool find_moments(struct join *j)
{
    size_t length;
    j->moments = kb_calloc(j->truncations->count, sizeof *j->moments);
    for (size_t i = 0; j->moments && i < j->truncations->count; i++) {
        const kb_truncation *t = &j->truncations->items[i];
        j->moments[i] =
            kb_time_to_double(kb_events_of(j->events, t->user, &length)[t->start - 1].time);
    }
    return j->moments != NULL;
}

/* One user's sequences and candidates, as ranges. */
struct share {
    size_t sequence, sequence_end, candidate, candidate_end;
};

/* The next user with sequences, and its candidates; SHARE begins as all zeros. */
static bool next_user(const struct join *j, struct share *share)
{
    const kb_truncations *t = j->truncations;
    share->sequence = share->sequence_end;
    if (share->sequence == t->count)
        return false;
    uint32_t user = t->items[share->sequence].user;
    while (share->sequence_end < t->count && t->items[share->sequence_end].user == user)
        share->sequence_end++;
    share->candidate = share->candidate_end;
    while (share->candidate < j->candidate_count && j->candidates[share->candidate].user < user)
        share->candidate++;
    share->candidate_end = share->candidate;
    while (share->candidate_end < j->candidate_count &&
           j->candidates[share->candidate_end].user == user)
        share->candidate_end++;
    return true;
}

/* --- by time: the skew -------------------------------------------------------------------- */

static void take_skew_away(struct join *j)
{
    size_t count = 0;
    for (struct share s = {0}; next_user(j, &s);)
        if (s.sequence_end - s.sequence == 1 && s.candidate_end - s.candidate == 1)
            j->scratch[count++] = j->candidates[s.candidate].last - j->moments[s.sequence];
    if (count < LEAST_FOR_SKEW)
        return;
    double skew = kb_median(j->scratch, count);
    for (size_t i = 0; i < count; i++)
        j->scratch[i] = fabs(j->scratch[i] - skew);
    if (kb_median(j->scratch, count) >= fabs(skew) / 2)
        return;
    j->out->skew = skew;
    for (size_t c = 0; c < j->candidate_count; c++) {
        j->candidates[c].first -= skew;
        j->candidates[c].last -= skew;
    }
}

/* --- by time: inside ---------------------------------------------------------------------- */

/* A heap of candidates, the one that ends first on top. Candidates are in that order, so their
 * places compare. */
static void heap_push(struct join *j, size_t candidate)
{
    size_t at = j->heap_count++;
    while (at && j->heap[(at - 1) / 2] > candidate) {
        j->heap[at] = j->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    j->heap[at] = candidate;
}

static void heap_pop(struct join *j)
{
    size_t last = j->heap[--j->heap_count], at = 0, child;
    while ((child = 2 * at + 1) < j->heap_count) {
        child += child + 1 < j->heap_count && j->heap[child + 1] < j->heap[child];
        if (last <= j->heap[child])
            break;
        j->heap[at] = j->heap[child];
        at = child;
    }
    j->heap[at] = last;
}

struct beginning {
    double first;
    size_t candidate;
};

static int by_beginning(const void *a, const void *b)
{
    const struct beginning *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (x->candidate > y->candidate) - (x->candidate < y->candidate);
}

static void join_to(struct join *j, size_t sequence, size_t candidate, kb_join how)
{
    j->out->sessions[sequence] = j->candidates[candidate].session;
    j->out->by[how]++;
    j->candidates[candidate].taken = true;
}

/* As the moments rise, sessions that have begun come in and those that have ended go. */
static void join_inside(struct join *j, const struct share *s, const bool *decided,
                        struct beginning *order)
{
    size_t count = s->candidate_end - s->candidate, begun = 0;
    for (size_t c = 0; c < count; c++)
        order[c] = (struct beginning){j->candidates[s->candidate + c].first, s->candidate + c};
    qsort(order, count, sizeof *order, by_beginning);
    j->heap_count = 0;
    for (size_t i = s->sequence; i < s->sequence_end; i++) {
        while (begun < count && order[begun].first <= j->moments[i])
            heap_push(j, order[begun++].candidate);
        while (j->heap_count && j->candidates[j->heap[0]].last < j->moments[i])
            heap_pop(j);
        if (j->heap_count && !decided[i])
            join_to(j, i, j->heap[0], KB_JOIN_TIME);
    }
}

/* --- by time: each other's nearest --------------------------------------------------------- */

/* The place of the value in VALUES[PLACES[0..COUNT)], rising, that is nearest to X; of two the
 * first, and of equal ones the first. COUNT > 0. */
static size_t nearest(const double *values, size_t count, double x)
{
    size_t low = 0, high = count; /* the first that is >= x */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (values[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count || (low && x - values[low - 1] <= values[low] - x)) {
        low--;
        while (low && values[low - 1] == values[low])
            low--;
    }
    return low;
}

/* The user's sequences and sessions that are not joined. */
struct left {
    double *moments, *ends;
    size_t *sequences, *candidates;
    size_t sequence_count, candidate_count;
};

static void find_left(const struct join *j, const struct share *s, const bool *decided,
                      struct left *left)
{
    left->sequence_count = left->candidate_count = 0;
    for (size_t i = s->sequence; i < s->sequence_end; i++) {
        if (decided[i] || j->out->sessions[i] != SIZE_MAX)
            continue;
        left->moments[left->sequence_count] = j->moments[i];
        left->sequences[left->sequence_count++] = i;
    }
    for (size_t c = s->candidate; c < s->candidate_end; c++) {
        if (j->candidates[c].taken)
            continue;
        left->ends[left->candidate_count] = j->candidates[c].last;
        left->candidates[left->candidate_count++] = c;
    }
}

static void join_nearest(struct join *j, const struct left *left, double tolerance)
{
    if (!left->sequence_count || !left->candidate_count)
        return;
    for (size_t c = 0; c < left->candidate_count; c++) {
        size_t at = nearest(left->moments, left->sequence_count, left->ends[c]);
        if (fabs(left->moments[at] - left->ends[c]) <= tolerance &&
            nearest(left->ends, left->candidate_count, left->moments[at]) == c)
            join_to(j, left->sequences[at], left->candidates[c], KB_JOIN_TIME);
    }
}

static bool left_create(struct left *left, size_t sequences, size_t candidates)
{
    left->moments = kb_calloc(sequences, sizeof *left->moments);
    left->sequences = kb_calloc(sequences, sizeof *left->sequences);
    left->ends = kb_calloc(candidates, sizeof *left->ends);
    left->candidates = kb_calloc(candidates, sizeof *left->candidates);
    return left->moments && left->sequences && left->ends && left->candidates;
}

static void left_free(struct left *left)
{
    free(left->moments);
    free(left->sequences);
    free(left->ends);
    free(left->candidates);
}

static bool join_by_time(struct join *j, const bool *decided, double tolerance)
{
    struct left left = {0};
    struct beginning *order = kb_calloc(j->candidate_count, sizeof *order);
    bool good = order && left_create(&left, j->truncations->count, j->candidate_count);
    if (good) {
        qsort(j->candidates, j->candidate_count, sizeof *j->candidates, by_end);
        take_skew_away(j);
    }
    for (struct share s = {0}; good && next_user(j, &s);) {
        join_inside(j, &s, decided, order);
        find_left(j, &s, decided, &left);
        join_nearest(j, &left, tolerance);
        good = !kb_cancelled(j->progress);
    }
    free(order);
    left_free(&left);
    return good;
}

/* --- by order ----------------------------------------------------------------------------- */

/* How many of the user's runs END does not close; NUMBERS[i] (by sequence of S) becomes the number
 * of the run, counted from 0, that ends before it. */
static size_t number_runs(const struct join *j, const struct share *s, size_t *numbers)
{
    size_t length, runs = 0, i = s->sequence;
    const kb_event *log = kb_events_of(j->events, j->truncations->items[i].user, &length);
    for (size_t e = 1; e <= length; e++) {
        if ((e < length && log[e].event != j->start) || log[e - 1].event == j->end)
            continue;
        if (i < s->sequence_end && j->truncations->items[i].start == e)
            numbers[i++ - s->sequence] = runs;
        runs++;
    }
    return runs;
}

static bool join_by_order(struct join *j, const bool *decided)
{
    size_t *numbers = kb_calloc(j->truncations->count, sizeof *numbers);
    bool good = numbers != NULL;
    if (good)
        qsort(j->candidates, j->candidate_count, sizeof *j->candidates, by_id);
    for (struct share s = {0}; good && next_user(j, &s);) {
        size_t count = s.candidate_end - s.candidate;
        if (number_runs(j, &s, numbers) == count)
            for (size_t i = s.sequence; i < s.sequence_end; i++)
                if (!decided[i])
                    join_to(j, i, s.candidate + numbers[i - s.sequence], KB_JOIN_ORDER);
        good = !kb_cancelled(j->progress);
    }
    free(numbers);
    return good;
}

/* --- which ------------------------------------------------------------------------------- */

/* Whether the times of the log and of the sessions have a moment in common. */
static bool times_meet(const struct join *j)
{
    double log_first = INFINITY, log_last = -INFINITY, first = INFINITY, last = -INFINITY;
    for (size_t u = 0; u < kb_events_users(j->events); u++) {
        size_t length;
        const kb_event *log = kb_events_of(j->events, u, &length);
        if (!length)
            continue;
        log_first = fmin(log_first, kb_time_to_double(log[0].time));
        log_last = fmax(log_last, kb_time_to_double(log[length - 1].time));
    }
    for (size_t c = 0; c < j->candidate_count; c++) {
        first = fmin(first, j->candidates[c].first);
        last = fmax(last, j->candidates[c].last);
    }
    return first <= log_last && log_first <= last;
}

static bool join_all(struct join *j, const kb_join_options *options, bool *decided)
{
    kb_join how = options->how;
    if ((how == KB_JOIN_AUTO || how == KB_JOIN_NAME) && !join_by_name(j, decided))
        return false;
    if (how == KB_JOIN_NAME)
        return true;
    if (!find_candidates(j) || !find_moments(j))
        return false;
    if (how == KB_JOIN_TIME || (how == KB_JOIN_AUTO && times_meet(j)))
        return join_by_time(j, decided, options->tolerance);
    return join_by_order(j, decided);
}

kb_status kb_join_sessions(kb_joined *out, const kb_corpus *corpus,
                           const kb_truncations *truncations, const char *start, const char *end,
                           const kb_join_options *options, const kb_progress *progress,
                           kb_error *err)
{
    *out = (kb_joined){.count = truncations->count};
    struct join j = {.out = out,
                     .corpus = corpus,
                     .events = kb_corpus_events(corpus),
                     .truncations = truncations,
                     .progress = progress};
    j.start = kb_events_find_kind(j.events, start);
    j.end = kb_events_find_kind(j.events, end);
    kb_progress_report(progress, "joining sessions", 0, 0);
    out->sessions = kb_calloc(truncations->count, sizeof *out->sessions);
    bool *decided = kb_calloc(truncations->count, sizeof *decided);
    bool good = out->sessions && decided;
    for (size_t i = 0; good && i < truncations->count; i++)
        out->sessions[i] = SIZE_MAX;
    good = good && join_all(&j, options, decided);
    kb_status status = good ? KB_OK : fail(&j, err);
    out->by[KB_JOIN_AUTO] =
        out->count - out->by[KB_JOIN_NAME] - out->by[KB_JOIN_TIME] - out->by[KB_JOIN_ORDER];
    free(decided);
    free(j.candidates);
    free(j.moments);
    free(j.scratch);
    free(j.heap);
    if (status)
        kb_joined_clear(out);
    return status;
}

void kb_joined_clear(kb_joined *joined)
{
    free(joined->sessions);
    *joined = (kb_joined){0};
}
