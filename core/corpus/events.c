#include "events.h"

#include <stdlib.h>
#include <string.h>

#include "csv_rows.h"
#include "memory.h"
#include "order.h"

struct kb_events {
    kb_names *users, *kinds, *sessions;
    kb_event *items; /* by user, then by time */
    uint64_t *ends;  /* by user: where its events end */
    size_t count;
};

/* The log as it is read: items in file order, with each one's user beside it. */
struct reader {
    kb_names *users, *kinds, *sessions;
    kb_event *items;
    uint32_t *of_user;
    size_t count, items_capacity, of_user_capacity;
    const kb_progress *progress;
    uint64_t done; /* bytes of the files before this one */
};

enum { USER, TIME, EVENT, SESSION, COLUMNS };

static const kb_column columns[COLUMNS] = {
    {"user", true, NULL}, {"time", true, NULL}, {"event", true, NULL}, {"session", false, NULL}};

enum { REPORT_ROWS = 4096 };

static kb_status no_memory(kb_error *err)
{
    return kb_fail_memory(err, "the event log");
}

static kb_status append(struct reader *r, const kb_field *fields, kb_time time, kb_error *err)
{
    uint32_t user = kb_names_add(r->users, fields[USER].text, fields[USER].length);
    uint32_t kind = kb_names_add(r->kinds, fields[EVENT].text, fields[EVENT].length);
    uint32_t session = KB_NAME_NONE;
    const kb_field *name = &fields[SESSION];
    if (name->length) {
        session = kb_names_add(r->sessions, name->text, name->length);
        if (session == KB_NAME_NONE)
            return no_memory(err);
    }
    if (user == KB_NAME_NONE || kind == KB_NAME_NONE ||
        !kb_grow((void **)&r->items, &r->items_capacity, r->count + 1, sizeof *r->items) ||
        !kb_grow((void **)&r->of_user, &r->of_user_capacity, r->count + 1, sizeof *r->of_user))
        return no_memory(err);
    r->items[r->count] = (kb_event){time, kind, session};
    r->of_user[r->count++] = user;
    return KB_OK;
}

static kb_status take_row(struct reader *r, kb_csv *csv, const kb_field *fields, kb_error *err)
{
    if (!fields[USER].length)
        return kb_csv_reject(csv, err, "empty user");
    if (!fields[EVENT].length)
        return kb_csv_reject(csv, err, "empty event");
    kb_time time;
    const char *wrong = kb_time_parse(&time, fields[TIME].text, fields[TIME].length);
    if (wrong)
        return kb_csv_reject(csv, err, "time '%.60s': %s", fields[TIME].text, wrong);
    return append(r, fields, time, err);
}

static kb_status read_rows(struct reader *r, kb_csv *csv, kb_error *err)
{
    const kb_field *fields;
    bool got = true;
    for (uint64_t rows = 0;; rows++) {
        if (rows % REPORT_ROWS == 0)
            kb_progress_report(r->progress, "reading", r->done + kb_csv_bytes(csv), 0);
        kb_status status = kb_csv_next(csv, &fields, &got, err);
        if (status == KB_OK && got)
            status = take_row(r, csv, fields, err);
        if (status != KB_OK || !got)
            return status;
    }
}

static kb_status read_file(struct reader *r, const char *path, bool strict, kb_problems *problems,
                           kb_error *err)
{
    kb_csv *csv;
    kb_csv_options options = {.columns = columns,
                              .column_count = COLUMNS,
                              .strict = strict,
                              .problems = problems,
                              .progress = r->progress};
    kb_status status = kb_csv_open(&csv, path, &options, err);
    if (status != KB_OK)
        return status;
    status = read_rows(r, csv, err);
    r->done += kb_csv_bytes(csv);
    kb_csv_close(csv);
    return status;
}

/* --- in order of user and time
 * -------------------------------------------------------------------------------------- */

/* Merges the runs [0, MIDDLE) and [MIDDLE, COUNT) of ITEMS; at equal times the left one goes first.
 */
static void merge(kb_event *items, size_t middle, size_t count, kb_event *scratch)
{
    memcpy(scratch, items, middle * sizeof *items);
    size_t left = 0, right = middle, out = 0;
    while (left < middle && right < count) {
        bool take_right = kb_time_compare(items[right].time, scratch[left].time) < 0;
        items[out++] = take_right ? items[right++] : scratch[left++];
    }
    memcpy(items + out, scratch + left, (middle - left) * sizeof *items);
}

/* A merge sort, since equal times must keep their order. A log that is in order already takes one
 * comparison per merge. */
static void sort_by_time(kb_event *items, size_t count, kb_event *scratch)
{
    if (count < 2)
        return;
    size_t middle = count / 2;
    sort_by_time(items, middle, scratch);
    sort_by_time(items + middle, count - middle, scratch);
    if (kb_time_compare(items[middle].time, items[middle - 1].time) < 0)
        merge(items, middle, count, scratch);
}

/* Counting sort by user, which keeps the order of reading, with the names' final ids. */
static void scatter(kb_events *events, const struct reader *r, const uint32_t *user_id,
                    const uint32_t *kind_id)
{
    size_t users = kb_names_count(events->users);
    for (size_t i = 0; i < r->count; i++)
        events->ends[user_id[r->of_user[i]] + 1]++;
    for (size_t u = 0; u < users; u++)
        events->ends[u + 1] += events->ends[u];
    for (size_t i = 0; i < r->count; i++) {
        kb_event *item = &events->items[events->ends[user_id[r->of_user[i]]]++];
        *item = r->items[i];
        item->event = kind_id[item->event];
    }
}

static bool arrange(kb_events *events, struct reader *r)
{
    uint32_t *user_id = NULL, *kind_id = NULL;
    events->users = kb_names_in_order(r->users, &user_id);
    events->kinds = kb_names_in_order(r->kinds, &kind_id);
    events->items = kb_calloc(r->count, sizeof *events->items);
    events->ends = kb_calloc(kb_names_count(r->users) + 1, sizeof *events->ends);
    bool good = events->users && events->kinds && events->items && events->ends;
    if (good) {
        scatter(events, r, user_id, kind_id);
        events->count = r->count;
        for (size_t u = 0; u < kb_names_count(events->users); u++) {
            size_t begin = u ? events->ends[u - 1] : 0;
            /* the items as read are not needed any more: their room is the scratch */
            sort_by_time(events->items + begin, events->ends[u] - begin, r->items);
        }
        events->sessions = r->sessions;
        r->sessions = NULL;
    }
    free(user_id);
    free(kind_id);
    return good;
}

static kb_status build(kb_events **out, struct reader *r, kb_error *err)
{
    kb_events *events = kb_calloc(1, sizeof *events);
    if (!events || !arrange(events, r)) {
        kb_events_free(events);
        return no_memory(err);
    }
    *out = events;
    return KB_OK;
}

kb_status kb_events_load(kb_events **out, const char *const *paths, size_t count, bool strict,
                         kb_problems *problems, const kb_progress *progress, kb_error *err)
{
    *out = NULL;
    struct reader r = {.progress = progress};
    r.users = kb_names_create();
    r.kinds = kb_names_create();
    r.sessions = kb_names_create();
    kb_status status = r.users && r.kinds && r.sessions ? KB_OK : no_memory(err);
    for (size_t i = 0; status == KB_OK && i < count; i++)
        status = read_file(&r, paths[i], strict, problems, err);
    if (status == KB_OK)
        status = build(out, &r, err);
    kb_names_free(r.users);
    kb_names_free(r.kinds);
    kb_names_free(r.sessions);
    free(r.items);
    free(r.of_user);
    return status;
}

void kb_events_free(kb_events *events)
{
    if (!events)
        return;
    kb_names_free(events->users);
    kb_names_free(events->kinds);
    kb_names_free(events->sessions);
    free(events->items);
    free(events->ends);
    free(events);
}

/* --- asking
 * ---------------------------------------------------------------------------------------------------------
 */

size_t kb_events_count(const kb_events *events)
{
    return events->count;
}

size_t kb_events_users(const kb_events *events)
{
    return kb_names_count(events->users);
}

const char *kb_events_user_name(const kb_events *events, size_t user)
{
    return kb_names_get(events->users, (uint32_t)user);
}

size_t kb_events_find_user(const kb_events *events, const char *name)
{
    uint32_t id = kb_names_find(events->users, name, strlen(name));
    return id == KB_NAME_NONE ? SIZE_MAX : id;
}

const kb_event *kb_events_of(const kb_events *events, size_t user, size_t *count)
{
    size_t begin = user ? events->ends[user - 1] : 0;
    *count = events->ends[user] - begin;
    return events->items + begin;
}

size_t kb_events_kinds(const kb_events *events)
{
    return kb_names_count(events->kinds);
}

const char *kb_events_kind_name(const kb_events *events, uint32_t event)
{
    return kb_names_get(events->kinds, event);
}

uint32_t kb_events_find_kind(const kb_events *events, const char *name)
{
    return kb_names_find(events->kinds, name, strlen(name));
}

size_t kb_events_sessions(const kb_events *events)
{
    return kb_names_count(events->sessions);
}

const char *kb_events_session_name(const kb_events *events, uint32_t session)
{
    return kb_names_get(events->sessions, session);
}
