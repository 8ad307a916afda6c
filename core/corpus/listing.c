#include "listing.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

enum { S_SESSION, S_USER, S_VERSION, S_SPLIT, S_LABEL, S_COLUMNS };

struct listing_reading {
    kb_listing *listing;
    kb_column columns[S_COLUMNS];
};

/* --- splits ------------------------------------------------------------------------------- */

static const char *const split_names[KB_SPLITS] = {"train", "validation", "emerging", "later"};

const char *kb_split_name(kb_split split)
{
    return split_names[split];
}

bool kb_split_parse(kb_split *out, const char *text)
{
    for (int i = 0; i < KB_SPLITS; i++) {
        if (strcmp(text, split_names[i]) == 0) {
            *out = (kb_split)i;
            return true;
        }
    }
    return false;
}

/* --- rows --------------------------------------------------------------------------------- */

static bool add_text(kb_listing *listing, const kb_field *field, uint32_t *id)
{
    *id = kb_names_add(listing->texts, field->text, field->length);
    return *id != KB_NAME_NONE;
}

static kb_status add_item(kb_listing *listing, const kb_field *f, kb_split split, kb_error *err)
{
    kb_listed item = {.split = split};
    uint32_t id = kb_names_add(listing->sessions, f[S_SESSION].text, f[S_SESSION].length);
    if (id == KB_NAME_NONE || !add_text(listing, &f[S_USER], &item.user) ||
        !add_text(listing, &f[S_VERSION], &item.version) ||
        !add_text(listing, &f[S_LABEL], &item.label) ||
        !kb_grow((void **)&listing->items, &listing->capacity, (size_t)id + 1,
                 sizeof *listing->items))
        return kb_fail_memory(err, "the list of sessions");
    listing->items[id] = item;
    return KB_OK;
}

/* A column that may be lacking is missed when somebody has asked for it by its name. */
static kb_status look_for_names(void *data, kb_csv *csv, const char *path, bool first,
                                kb_error *err)
{
    const struct listing_reading *reading = data;
    kb_status status = KB_OK;
    (void)path;
    for (size_t c = 0; c < S_COLUMNS && first && status == KB_OK; c++) {
        size_t place = 0;
        const kb_column *column = &reading->columns[c], named = {column->mapped, false, NULL};
        if (column->mapped && !column->required)
            status = kb_csv_find_column(csv, &named, &place, err);
        if (status == KB_OK && place == SIZE_MAX)
            status = kb_csv_tell(csv, kb_csv_header_line(csv), err, KB_PROBLEM_COLUMN,
                                 "no column '%.100s', which --columns names for %s", column->mapped,
                                 column->name);
    }
    return status;
}

static kb_status take_session(void *data, kb_csv *csv, const kb_field *f, kb_error *err)
{
    kb_listing *listing = ((const struct listing_reading *)data)->listing;
    kb_split split = KB_SPLIT_TRAIN;
    if (!f[S_SESSION].length)
        return kb_csv_reject(csv, err, KB_PROBLEM_NAME, "empty session");
    if (f[S_SPLIT].length && !kb_split_parse(&split, f[S_SPLIT].text))
        return kb_csv_reject(csv, err, KB_PROBLEM_SESSION,
                             "split '%.60s': not train, validation, emerging, later or empty",
                             f[S_SPLIT].text);
    if (kb_names_find(listing->sessions, f[S_SESSION].text, f[S_SESSION].length) != KB_NAME_NONE)
        return kb_csv_reject(csv, err, KB_PROBLEM_SESSION,
                             "session '%.60s' is listed twice; its first line counts",
                             f[S_SESSION].text);
    return add_item(listing, f, split, err);
}

/* --- for the lanes ------------------------------------------------------------------------ */

static kb_status open_listing(void **data, void *ctx, bool several, kb_error *err)
{
    (void)several;
    (void)err;
    *data = ctx;
    return KB_OK;
}

static void close_listing(void *data)
{
    (void)data; /* it is the caller's */
}

kb_status kb_listing_load(kb_listing *out, const kb_file *inputs, size_t count,
                          const kb_column_names *names, const kb_reading *reading, kb_error *err)
{
    static const kb_column_kind kinds[S_COLUMNS] = {
        KB_COLUMN_SESSION, KB_COLUMN_USER, KB_COLUMN_VERSION, KB_COLUMN_SPLIT, KB_COLUMN_LABEL};
    *out = (kb_listing){.sessions = kb_names_create(), .texts = kb_names_create()};
    if (!out->sessions || !out->texts || kb_names_add(out->texts, "", 0) == KB_NAME_NONE)
        return kb_fail_memory(err, "the list of sessions");
    struct listing_reading whole = {.listing = out};
    for (size_t c = 0; c < S_COLUMNS; c++)
        whole.columns[c] = (kb_column){kb_column_name(kinds[c]), c == S_SESSION,
                                       names ? names->names[kinds[c]] : NULL};
    const kb_reader reader = {.columns = whole.columns,
                              .column_count = S_COLUMNS,
                              .begin = look_for_names,
                              .take = take_session};
    const kb_collector collectors[KB_COLLECTORS] = {{open_listing, close_listing, NULL, &whole}};
    kb_reading alone = *reading;
    alone.pool = NULL; /* of a session listed twice the first line counts */
    kb_status status = KB_OK;
    for (size_t i = 0; status == KB_OK && i < count; i++) {
        const kb_reader *readers[1] = {&reader};
        kb_lanes lanes;
        status = kb_lanes_read(&lanes, &inputs[i], readers, 1, collectors, &alone, err);
        kb_lanes_clear(&lanes, collectors);
    }
    return status;
}

void kb_listing_clear(kb_listing *listing)
{
    kb_names_free(listing->sessions);
    kb_names_free(listing->texts);
    free(listing->items);
    *listing = (kb_listing){0};
}
