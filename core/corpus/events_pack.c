#include "events_pack.h"

#include "events_private.h"

_Static_assert(sizeof(kb_event) == 24, "the layout of a packed event has holes");

kb_status kb_events_pack(const kb_events *events, kb_packer *packer, kb_error *err)
{
    kb_status status = kb_pack_names(packer, "users", events->users, err);
    if (!status)
        status = kb_pack_names(packer, "kinds", events->kinds, err);
    if (!status)
        status = kb_pack_names(packer, "sessions", events->sessions, err);
    if (!status)
        status = kb_pack_array(packer, "items", events->items, events->count, sizeof *events->items,
                               err);
    return status ? status
                  : kb_pack_array(packer, "ends", events->ends, kb_names_count(events->users),
                                  sizeof *events->ends, err);
}

static bool items_make_sense(const kb_events *events)
{
    size_t kinds = kb_names_count(events->kinds), sessions = kb_names_count(events->sessions);
    for (size_t i = 0; i < events->count; i++) {
        const kb_event *e = &events->items[i];
        if (e->event >= kinds || e->time.atto >= UINT64_C(1000000000000000000) ||
            (e->session != KB_NAME_NONE && e->session >= sessions))
            return false;
    }
    return true;
}

/* The users' parts follow each other, each by time. */
static bool ends_make_sense(const kb_events *events)
{
    size_t users = kb_names_count(events->users), begin = 0;
    for (size_t u = 0; u < users; u++) {
        if (events->ends[u] < begin || events->ends[u] > events->count)
            return false;
        for (size_t i = begin + 1; i < events->ends[u]; i++)
            if (kb_time_compare(events->items[i - 1].time, events->items[i].time) > 0)
                return false;
        begin = (size_t)events->ends[u];
    }
    return begin == events->count;
}

static kb_status unpack(kb_events *events, kb_container_reader *reader, kb_error *err)
{
    const void *items, *ends;
    size_t users;
    kb_status status = kb_unpack_names(reader, "users", true, &events->users, err);
    if (!status)
        status = kb_unpack_names(reader, "kinds", true, &events->kinds, err);
    if (!status)
        status = kb_unpack_names(reader, "sessions", false, &events->sessions, err);
    if (!status)
        status =
            kb_unpack_array(reader, "items", sizeof *events->items, &items, &events->count, err);
    if (!status)
        status = kb_unpack_array(reader, "ends", sizeof *events->ends, &ends, &users, err);
    if (status)
        return status;
    events->items = (kb_event *)(uintptr_t)items;
    events->ends = (uint64_t *)(uintptr_t)ends;
    if (users != kb_names_count(events->users) || !ends_make_sense(events))
        return kb_unpack_nonsense("ends", err);
    return items_make_sense(events) ? KB_OK : kb_unpack_nonsense("items", err);
}

kb_status kb_events_unpack(kb_events **out, kb_container_reader *reader, kb_error *err)
{
    *out = NULL;
    kb_events *events = kb_calloc(1, sizeof *events);
    if (!events)
        return kb_fail_memory(err, "the event log");
    events->borrowed = true;
    kb_status status = unpack(events, reader, err);
    if (status)
        kb_events_free(events);
    else
        *out = events;
    return status;
}
