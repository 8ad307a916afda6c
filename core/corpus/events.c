#include "events.h"

#include <stdlib.h>
#include <string.h>

#include "events_private.h"
#include "memory.h"
#include "order.h"

/* What one lane has read: items in the order of reading, with each one's user beside it. */
struct log {
    kb_names *users, *kinds, *sessions;
    kb_names_trail user_trail, kind_trail, session_trail;
    kb_event *items;
    uint32_t *of_user;
    size_t count, items_capacity, of_user_capacity;
};

enum { USER, TIME, EVENT, SESSION };

enum { AT_ONCE = 1 << 18 }; /* events between two questions whether to go on */

static kb_status no_memory(kb_error *err)
{
    return kb_fail_memory(err, "the event log");
}

/* --- rows --------------------------------------------------------------------------------- */

static void close_log(void *data)
{
    struct log *log = data;
    kb_names_free(log->users);
    kb_names_free(log->kinds);
    kb_names_free(log->sessions);
    kb_names_trail_clear(&log->user_trail);
    kb_names_trail_clear(&log->kind_trail);
    kb_names_trail_clear(&log->session_trail);
    free(log->items);
    free(log->of_user);
    free(log);
}

static kb_status open_log(void **data, void *ctx, bool several, kb_error *err)
{
    (void)ctx;
    (void)several;
    struct log *log = kb_calloc(1, sizeof *log);
    if (!log)
        return no_memory(err);
    log->users = kb_names_create();
    log->kinds = kb_names_create();
    log->sessions = kb_names_create();
    if (!log->users || !log->kinds || !log->sessions) {
        close_log(log);
        return no_memory(err);
    }
    *data = log;
    return KB_OK;
}

static kb_status append(struct log *log, const kb_field *fields, kb_time time, kb_error *err)
{
    uint32_t user =
        kb_names_add_along(log->users, &log->user_trail, fields[USER].text, fields[USER].length);
    uint32_t kind =
        kb_names_add_along(log->kinds, &log->kind_trail, fields[EVENT].text, fields[EVENT].length);
    uint32_t session = KB_NAME_NONE;
    const kb_field *name = &fields[SESSION];
    if (name->length) {
        session = kb_names_add_along(log->sessions, &log->session_trail, name->text, name->length);
        if (session == KB_NAME_NONE)
            return no_memory(err);
    }
    if (user == KB_NAME_NONE || kind == KB_NAME_NONE ||
        !kb_grow((void **)&log->items, &log->items_capacity, log->count + 1, sizeof *log->items) ||
        !kb_grow((void **)&log->of_user, &log->of_user_capacity, log->count + 1,
                 sizeof *log->of_user))
        return no_memory(err);
    log->items[log->count] = (kb_event){time, kind, session};
    log->of_user[log->count++] = user;
    return KB_OK;
}

static kb_status take_event(void *data, kb_csv *csv, const kb_field *fields, kb_error *err)
{
    if (!fields[USER].length)
        return kb_csv_reject(csv, err, KB_PROBLEM_NAME, "empty user");
    if (!fields[EVENT].length)
        return kb_csv_reject(csv, err, KB_PROBLEM_NAME, "empty event");
    kb_time time;
    const char *wrong = kb_time_parse(&time, fields[TIME].text, fields[TIME].length);
    if (wrong)
        return kb_csv_reject(csv, err, KB_PROBLEM_TIME, "time '%.60s': %s", fields[TIME].text,
                             wrong);
    return append(data, fields, time, err);
}

void kb_events_prepare(kb_events_reading *r, const kb_column_names *names, size_t collector)
{
    static const kb_column_kind kinds[KB_EVENT_COLUMNS] = {KB_COLUMN_USER, KB_COLUMN_TIME,
                                                           KB_COLUMN_EVENT, KB_COLUMN_SESSION};
    for (size_t c = 0; c < KB_EVENT_COLUMNS; c++)
        r->columns[c] = (kb_column){kb_column_name(kinds[c]), c != SESSION,
                                    names ? names->names[kinds[c]] : NULL};
    r->collector = (kb_collector){open_log, close_log, NULL, NULL};
    r->reader = (kb_reader){.collector = collector,
                            .columns = r->columns,
                            .column_count = KB_EVENT_COLUMNS,
                            .take = take_event};
}

/* --- in order of user and time ------------------------------------------------------------ */

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
static void sort_by_time(kb_event *items, size_t count, kb_event *scratch,
                         const kb_progress *progress)
{
    if (count < 2 || (count > AT_ONCE && kb_cancelled(progress)))
        return;
    size_t middle = count / 2;
    sort_by_time(items, middle, scratch, progress);
    sort_by_time(items + middle, count - middle, scratch, progress);
    if (kb_time_compare(items[middle].time, items[middle - 1].time) < 0)
        merge(items, middle, count, scratch);
}

/* --- from lanes to one log ---------------------------------------------------------------- */

/* *MAP (by id in NAMES) becomes the ids in ALL, which gets what it lacks. */
static bool rename_all(kb_names *all, const kb_names *names, uint32_t **map)
{
    size_t count = kb_names_count(names);
    *map = kb_calloc(count, sizeof **map);
    for (uint32_t id = 0; *map && id < count; id++) {
        (*map)[id] = kb_names_add(all, kb_names_get(names, id), kb_names_length(names, id));
        if ((*map)[id] == KB_NAME_NONE)
            return false;
    }
    return *map != NULL;
}

/* Replaces NAMES by the same names in order, and what MAPS (by lane, each by the lane's ids, which
 * COUNT counts) say. */
static bool put_in_order(kb_names **names, uint32_t **maps, const size_t *counts, size_t lanes)
{
    uint32_t *new_id;
    kb_names *ordered = kb_names_in_order(*names, &new_id);
    if (!ordered)
        return false;
    for (size_t l = 0; l < lanes; l++)
        for (size_t id = 0; id < counts[l]; id++)
            maps[l][id] = new_id[maps[l][id]];
    free(new_id);
    kb_names_free(*names);
    *names = ordered;
    return true;
}

/* The logs of all lanes that have one, with their renamings. */
struct logs {
    struct log **items;
    uint32_t **user, **kind, **session; /* by log: by id there, the id in the whole */
    size_t *counts;                     /* of the names at hand */
    size_t count, events;
};

static bool find_logs(struct logs *logs, const kb_lanes *lanes, size_t collector)
{
    logs->items = kb_calloc(lanes->count, sizeof *logs->items);
    logs->user = kb_calloc(lanes->count, sizeof *logs->user);
    logs->kind = kb_calloc(lanes->count, sizeof *logs->kind);
    logs->session = kb_calloc(lanes->count, sizeof *logs->session);
    logs->counts = kb_calloc(lanes->count, sizeof *logs->counts);
    if (!logs->items || !logs->user || !logs->kind || !logs->session || !logs->counts)
        return false;
    for (size_t l = 0; l < lanes->count; l++) {
        struct log *log = lanes->data[l][collector];
        if (!log)
            continue;
        logs->items[logs->count++] = log;
        logs->events += log->count;
    }
    return true;
}

static void forget_logs(struct logs *logs)
{
    for (size_t l = 0; l < logs->count; l++) {
        free(logs->user[l]);
        free(logs->kind[l]);
        free(logs->session[l]);
    }
    free(logs->items);
    free(logs->user);
    free(logs->kind);
    free(logs->session);
    free(logs->counts);
}

/* Names of users and kinds get ids by their bytes, those of sessions by reading. */
static bool name_all(kb_events *events, struct logs *logs)
{
    bool good = events->users && events->kinds && events->sessions;
    for (size_t l = 0; good && l < logs->count; l++) {
        const struct log *log = logs->items[l];
        good = rename_all(events->users, log->users, &logs->user[l]) &&
               rename_all(events->kinds, log->kinds, &logs->kind[l]) &&
               rename_all(events->sessions, log->sessions, &logs->session[l]);
        logs->counts[l] = kb_names_count(log->users);
    }
    good = good && put_in_order(&events->users, logs->user, logs->counts, logs->count);
    for (size_t l = 0; good && l < logs->count; l++)
        logs->counts[l] = kb_names_count(logs->items[l]->kinds);
    return good && put_in_order(&events->kinds, logs->kind, logs->counts, logs->count);
}

/* Counting sort by user, which keeps the order of reading. */
static void scatter(kb_events *events, const struct logs *logs, const kb_progress *progress)
{
    size_t users = kb_names_count(events->users);
    for (size_t l = 0; l < logs->count; l++)
        for (size_t i = 0; i < logs->items[l]->count; i++)
            events->ends[logs->user[l][logs->items[l]->of_user[i]] + 1]++;
    for (size_t u = 0; u < users; u++)
        events->ends[u + 1] += events->ends[u];
    for (size_t l = 0; l < logs->count; l++) {
        const struct log *log = logs->items[l];
        for (size_t i = 0; i < log->count; i++) {
            if (i % AT_ONCE == 0 && kb_cancelled(progress))
                return;
            kb_event *item = &events->items[events->ends[logs->user[l][log->of_user[i]]]++];
            *item = log->items[i];
            item->event = logs->kind[l][item->event];
            if (item->session != KB_NAME_NONE)
                item->session = logs->session[l][item->session];
        }
    }
}

/* Frees the lanes' items on the way: their room is needed for sorting. */
static bool arrange(kb_events *events, struct logs *logs, const kb_progress *progress)
{
    events->users = kb_names_create();
    events->kinds = kb_names_create();
    events->sessions = kb_names_create();
    if (!name_all(events, logs))
        return false;
    size_t users = kb_names_count(events->users), longest = 0;
    events->items = kb_calloc(logs->events, sizeof *events->items);
    events->ends = kb_calloc(users + 1, sizeof *events->ends);
    if (!events->items || !events->ends)
        return false;
    scatter(events, logs, progress);
    events->count = logs->events;
    if (kb_cancelled(progress))
        return true;
    for (size_t l = 0; l < logs->count; l++) {
        free(logs->items[l]->items);
        logs->items[l]->items = NULL;
    }
    for (size_t u = 0; u < users; u++) {
        size_t count;
        kb_events_of(events, u, &count);
        longest = count > longest ? count : longest;
    }
    kb_event *scratch = kb_calloc(longest, sizeof *scratch);
    for (size_t u = 0; scratch && u < users; u++) {
        size_t begin = u ? events->ends[u - 1] : 0;
        sort_by_time(events->items + begin, events->ends[u] - begin, scratch, progress);
    }
    free(scratch);
    return scratch != NULL;
}

kb_status kb_events_assemble(kb_events **out, const kb_lanes *lanes, size_t collector,
                             const kb_progress *progress, kb_error *err)
{
    kb_progress_report(progress, "sorting", 0, 0);
    struct logs logs = {0};
    kb_events *events = kb_calloc(1, sizeof *events);
    bool good = events && find_logs(&logs, lanes, collector) && arrange(events, &logs, progress);
    forget_logs(&logs);
    if (!good || kb_cancelled(progress)) {
        kb_events_free(events);
        return good ? kb_fail(err, KB_ERR_CANCELLED, "cancelled") : no_memory(err);
    }
    *out = events;
    return KB_OK;
}

kb_status kb_events_load(kb_events **out, const kb_file *inputs, size_t count,
                         const kb_column_names *names, const kb_reading *reading, kb_error *err)
{
    *out = NULL;
    kb_events_reading how;
    kb_lanes lanes = {0};
    kb_events_prepare(&how, names, 0);
    const kb_reader **readers = kb_calloc(count, sizeof *readers);
    kb_status status = readers ? KB_OK : no_memory(err);
    for (size_t i = 0; readers && i < count; i++)
        readers[i] = &how.reader;
    const kb_collector collectors[KB_COLLECTORS] = {how.collector};
    if (status == KB_OK)
        status = kb_lanes_read(&lanes, inputs, readers, count, collectors, reading, err);
    if (status == KB_OK)
        status = kb_events_assemble(out, &lanes, 0, reading->progress, err);
    kb_lanes_clear(&lanes, collectors);
    free(readers);
    return status;
}

void kb_events_free(kb_events *events)
{
    if (!events)
        return;
    kb_names_free(events->users);
    kb_names_free(events->kinds);
    kb_names_free(events->sessions);
    if (!events->borrowed) {
        free(events->items);
        free(events->ends);
    }
    free(events);
}

/* --- asking ------------------------------------------------------------------------------- */

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
    return kb_events_find_kind_n(events, name, strlen(name));
}

uint32_t kb_events_find_kind_n(const kb_events *events, const char *name, size_t length)
{
    return kb_names_find(events->kinds, name, length);
}

size_t kb_events_sessions(const kb_events *events)
{
    return kb_names_count(events->sessions);
}

const char *kb_events_session_name(const kb_events *events, uint32_t session)
{
    return kb_names_get(events->sessions, session);
}
