#include "truncations.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

enum { CHECK_EVERY = 1 << 16 };

const char *const kb_explaining_events[] = {"app.installed",
                                            "app.reinstalled",
                                            "app.updated",
                                            "app.upgraded",
                                            "app.restored",
                                            "os.updated",
                                            "os.upgraded",
                                            "device.rebooted",
                                            "device.restarted",
                                            "device.shutdown",
                                            "app.killed_by_user",
                                            "app.user_killed",
                                            "app.user_terminated",
                                            "app.force_quit",
                                            "app.force_stopped",
                                            "app.swiped_away",
                                            NULL};

kb_truncation_options kb_truncation_defaults(void)
{
    return (kb_truncation_options){.start = "app.launched", .end = "app.terminated"};
}

/* --- lists of events ---------------------------------------------------------------------- */

/* The next name of the list at *AT, without blanks around it, and its LENGTH; *AT moves on, and is
 * NULL after the last. */
static const char *next_name(const char **at, size_t *length)
{
    const char *name = *at + strspn(*at, " \t"), *comma = strchr(name, ',');
    *length = comma ? (size_t)(comma - name) : strlen(name);
    while (*length && (name[*length - 1] == ' ' || name[*length - 1] == '\t'))
        --*length;
    *at = comma ? comma + 1 : NULL;
    return name;
}

static kb_status check_list(const char *list, const char *option, kb_error *err)
{
    size_t length;
    while (list) {
        next_name(&list, &length);
        if (!length)
            return kb_fail(err, KB_ERR_USAGE, "%s: an event needs a name", option);
    }
    return KB_OK;
}

kb_status kb_truncation_check(const kb_truncation_options *options, kb_error *err)
{
    if (!options->start || !*options->start)
        return kb_fail(err, KB_ERR_USAGE, "the start event needs a name");
    if (!options->end || !*options->end)
        return kb_fail(err, KB_ERR_USAGE, "the end event needs a name");
    kb_status status = check_list(options->after, "--exclude-after", err);
    return status ? status : check_list(options->before, "--exclude-before", err);
}

/* Which kinds of events are in LIST. *UNKNOWN grows by those that are not in the log. */
static void flag_list(bool *flags, const char *list, const kb_events *events, size_t *unknown)
{
    size_t length;
    while (list) {
        const char *name = next_name(&list, &length);
        uint32_t kind = kb_events_find_kind_n(events, name, length);
        if (kind == KB_NAME_NONE)
            ++*unknown;
        else
            flags[kind] = true;
    }
}

/* --- looking ------------------------------------------------------------------------------ */

struct search {
    kb_truncations *out;
    const kb_events *events;
    const kb_progress *progress;
    uint32_t start, end;
    bool no_first;
    bool *after, *before; /* by kind of event */
};

static kb_status prepare(struct search *s, const kb_truncation_options *options, kb_error *err)
{
    size_t kinds = kb_events_kinds(s->events), unknown = 0;
    s->start = kb_events_find_kind(s->events, options->start);
    s->end = kb_events_find_kind(s->events, options->end);
    s->no_first = options->no_first;
    s->after = kb_calloc(kinds, sizeof *s->after);
    s->before = kb_calloc(kinds, sizeof *s->before);
    if (!s->after || !s->before)
        return kb_fail_memory(err, "the kinds of events");
    flag_list(s->after, options->after, s->events, &s->out->unknown);
    flag_list(s->before, options->before, s->events, &s->out->unknown);
    for (size_t i = 0; options->no_explained && kb_explaining_events[i]; i++) {
        flag_list(s->after, kb_explaining_events[i], s->events, &unknown);
        flag_list(s->before, kb_explaining_events[i], s->events, &unknown);
    }
    return KB_OK;
}

/* True: LOG[i] is counted as left out. FIRST: no START comes before it. */
static bool leave_out(struct search *s, const kb_event *log, size_t length, size_t i, bool first)
{
    kb_left_out why;
    if (s->no_first && first)
        why = KB_LEFT_FIRST;
    else if (s->after[log[i - 1].event])
        why = KB_LEFT_AFTER;
    else if (i + 1 < length && s->before[log[i + 1].event])
        why = KB_LEFT_BEFORE;
    else
        return false;
    s->out->left_out[why]++;
    return true;
}

static kb_status search_user(struct search *s, size_t user, kb_error *err)
{
    kb_truncations *out = s->out;
    size_t length;
    const kb_event *log = kb_events_of(s->events, user, &length);
    bool first = true;
    for (size_t i = 0; i < length; i++) {
        if (i % CHECK_EVERY == 0 && kb_cancelled(s->progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        if (log[i].event != s->start)
            continue;
        bool truncated = i && log[i - 1].event != s->end && !leave_out(s, log, length, i, first);
        first = false;
        if (!truncated)
            continue;
        if (!kb_grow((void **)&out->items, &out->capacity, out->count + 1, sizeof *out->items))
            return kb_fail_memory(err, "the truncated sequences");
        out->items[out->count++] = (kb_truncation){(uint32_t)user, i};
    }
    return KB_OK;
}

static kb_status search_all(struct search *s, const bool *users, kb_error *err)
{
    size_t count = kb_events_users(s->events);
    for (size_t user = 0; user < count && s->start != KB_NAME_NONE; user++) {
        if (user % 1024 == 0)
            kb_progress_report(s->progress, "looking for starts", user, count);
        kb_status status = !users || users[user] ? search_user(s, user, err) : KB_OK;
        if (status)
            return status;
    }
    kb_progress_report(s->progress, "looking for starts", count, count);
    return kb_check_cancelled(s->progress, err);
}

kb_status kb_truncations_find(kb_truncations *out, const kb_events *events, const bool *users,
                              const kb_truncation_options *options, const kb_progress *progress,
                              kb_error *err)
{
    *out = (kb_truncations){0};
    struct search s = {.out = out, .events = events, .progress = progress};
    kb_status status = kb_truncation_check(options, err);
    if (!status)
        status = prepare(&s, options, err);
    if (!status)
        status = search_all(&s, users, err);
    free(s.after);
    free(s.before);
    if (status)
        kb_truncations_clear(out);
    return status;
}

void kb_truncations_clear(kb_truncations *truncations)
{
    free(truncations->items);
    *truncations = (kb_truncations){0};
}
