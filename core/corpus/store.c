#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "ingest.h"

static const char *const fill_names[KB_FILLS] = {"zero", "hold"};

const char *kb_fill_name(kb_fill fill)
{
    return fill_names[fill];
}

bool kb_fill_parse(kb_fill *out, const char *text)
{
    for (int i = 0; i < KB_FILLS; i++) {
        if (strcmp(text, fill_names[i]) == 0) {
            *out = (kb_fill)i;
            return true;
        }
    }
    return false;
}

size_t kb_store_sessions(const kb_store *store)
{
    return kb_names_count(store->sessions);
}

size_t kb_store_objects(const kb_store *store)
{
    return kb_names_count(store->objects);
}

size_t kb_store_timesteps(const kb_store *store)
{
    return store->timesteps;
}

const char *kb_store_session_name(const kb_store *store, size_t session)
{
    return kb_names_get(store->sessions, (uint32_t)session);
}

const char *kb_store_object_name(const kb_store *store, size_t object)
{
    return kb_names_get(store->objects, (uint32_t)object);
}

static size_t find_name(const kb_names *names, const char *name)
{
    uint32_t id = kb_names_find(names, name, strlen(name));
    return id == KB_NAME_NONE ? SIZE_MAX : id;
}

size_t kb_store_find_session(const kb_store *store, const char *name)
{
    return find_name(store->sessions, name);
}

size_t kb_store_find_object(const kb_store *store, const char *name)
{
    return find_name(store->objects, name);
}

size_t kb_store_length(const kb_store *store, size_t session)
{
    return store->windows[session].length;
}

kb_time kb_store_time(const kb_store *store, size_t session, size_t step)
{
    return store->windows[session].times[step];
}

size_t kb_store_series_count(const kb_store *store, size_t session)
{
    return store->windows[session].run_count;
}

kb_series kb_store_series(const kb_store *store, size_t session, size_t i)
{
    const struct kb_window *w = &store->windows[session];
    const struct kb_run *r = &w->runs[i];
    return (kb_series){r->object, r->first, r->count, w->values + r->offset};
}

bool kb_store_find_series(const kb_store *store, size_t session, uint32_t object, kb_series *out)
{
    const struct kb_window *w = &store->windows[session];
    size_t low = 0, high = w->run_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->runs[middle].object < object)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == w->run_count || w->runs[low].object != object)
        return false;
    *out = kb_store_series(store, session, low);
    return true;
}

uint64_t kb_store_nonzero(const kb_store *store)
{
    return store->nonzero;
}

uint64_t kb_store_bytes(const kb_store *store)
{
    return store->bytes;
}

void kb_store_free(kb_store *store)
{
    if (!store)
        return;
    bool filled = store->sessions && store->windows;
    for (size_t s = 0; filled && s < kb_names_count(store->sessions); s++)
        free(store->windows[s].times);
    free(store->windows);
    kb_names_free(store->sessions);
    kb_names_free(store->objects);
    free(store);
}
