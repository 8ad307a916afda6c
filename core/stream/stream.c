/* The windows are those of an ingest, whose ids number the sessions. Beside it each id has a place
 * in a list: that of open sessions by their last rows, or that of ended ones in the order of
 * ending. Names cannot be taken out of an ingest. When most are of sessions that have gone, what is
 * still there moves to a new one. */
#include "stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ingest.h"
#include "memory.h"

#define NONE UINT32_MAX

/* Names that may be there for nothing. */
enum { SPARE_SESSIONS = KB_SIZE(4096, 8), SPARE_OBJECTS = KB_SIZE(65536, 16) };

enum place { UNKNOWN, OPEN, ENDED };

struct slot {
    uint32_t before, behind;
    enum place place;
    double last; /* when its last row came */
};

struct list {
    uint32_t first, last;
    size_t count;
};

struct kb_stream {
    kb_stream_options options;
    kb_ingest *ingest;
    struct slot *slots; /* by session of the ingest */
    size_t slot_count, slots_capacity;
    struct list open, ended;
    uint32_t current;     /* the session of the last row that was taken, or NONE */
    size_t objects_moved; /* names of objects after the last move */
    kb_recent *recent;
    uint64_t late;   /* hash of the session that was told to be late last */
    kb_names *again; /* sessions whose rows are not told to be late; NULL: none */
};

static const struct list empty = {NONE, NONE, 0};

/* --- lists -------------------------------------------------------------------------------- */

static struct list *list_of(kb_stream *s, uint32_t id)
{
    return s->slots[id].place == OPEN ? &s->open : &s->ended;
}

static void unlink_slot(kb_stream *s, uint32_t id)
{
    struct slot *slot = &s->slots[id];
    if (slot->place == UNKNOWN)
        return;
    struct list *list = list_of(s, id);
    if (slot->before == NONE)
        list->first = slot->behind;
    else
        s->slots[slot->before].behind = slot->behind;
    if (slot->behind == NONE)
        list->last = slot->before;
    else
        s->slots[slot->behind].before = slot->before;
    list->count--;
    slot->place = UNKNOWN;
}

static void append_slot(kb_stream *s, uint32_t id, enum place place)
{
    unlink_slot(s, id);
    struct slot *slot = &s->slots[id];
    slot->place = place;
    struct list *list = list_of(s, id);
    slot->before = list->last;
    slot->behind = NONE;
    if (list->last == NONE)
        list->first = id;
    else
        s->slots[list->last].behind = id;
    list->last = id;
    list->count++;
}

/* --- making and moving -------------------------------------------------------------------- */

static kb_status new_ingest(kb_ingest **out, const kb_stream_options *options, kb_error *err)
{
    kb_ingest_options reading = {.timesteps = options->timesteps,
                                 .fill = options->fill,
                                 .one_of_several = options->overlaid};
    return kb_ingest_create(out, &reading, err);
}

kb_status kb_stream_create(kb_stream **out, const kb_stream_options *options, uint64_t seed,
                           kb_error *err)
{
    *out = NULL;
    kb_stream *s = kb_calloc(1, sizeof *s);
    if (!s)
        return kb_fail_memory(err, "a stream");
    s->options = *options;
    s->open = s->ended = empty;
    s->current = NONE;
    s->recent = kb_recent_create(KB_STREAM_REMEMBERED, seed);
    kb_status status =
        s->recent ? new_ingest(&s->ingest, options, err) : kb_fail_memory(err, "a stream");
    if (status)
        kb_stream_free(s);
    else
        *out = s;
    return status;
}

void kb_stream_free(kb_stream *s)
{
    if (!s)
        return;
    kb_ingest_free(s->ingest);
    kb_recent_free(s->recent);
    kb_names_free(s->again);
    free(s->slots);
    free(s);
}

/* The id of a session, with a slot; NONE: no memory. */
static uint32_t intern(kb_stream *s, const char *name, size_t length)
{
    uint32_t id = kb_ingest_session(s->ingest, name, length);
    if (id == KB_NAME_NONE || id < s->slot_count)
        return id;
    if (!kb_grow((void **)&s->slots, &s->slots_capacity, (size_t)id + 1, sizeof *s->slots))
        return NONE;
    s->slots[s->slot_count++] = (struct slot){NONE, NONE, UNKNOWN, 0};
    return id;
}

/* The sessions of LIST, of the slots BEFORE, get new ids in their order. */
static kb_status move_list(kb_stream *s, kb_ingest *from, const struct slot *before,
                           struct list list, kb_error *err)
{
    kb_status status = KB_OK;
    for (uint32_t old = list.first; !status && old != NONE; old = before[old].behind) {
        uint32_t id =
            intern(s, kb_names_get(from->sessions, old), kb_names_length(from->sessions, old));
        if (id == NONE)
            return kb_fail_memory(err, "a stream");
        append_slot(s, id, before[old].place);
        s->slots[id].last = before[old].last;
        status = kb_ingest_move(s->ingest, id, from, old, err);
    }
    return status;
}

/* All sessions move to a new ingest of the options. */
static kb_status move_all(kb_stream *s, kb_error *err)
{
    kb_ingest *from = s->ingest, *to;
    kb_status status = kb_ingest_settle(from, err);
    if (!status)
        status = new_ingest(&to, &s->options, err);
    if (status)
        return status;
    struct slot *before = s->slots;
    struct list open = s->open, ended = s->ended;
    s->ingest = to;
    s->slots = NULL;
    s->slot_count = s->slots_capacity = 0;
    s->open = s->ended = empty;
    s->current = NONE;
    status = move_list(s, from, before, ended, err);
    if (!status)
        status = move_list(s, from, before, open, err);
    s->objects_moved = kb_names_count(s->ingest->objects);
    kb_ingest_free(from);
    free(before);
    return status;
}

/* Where sessions are grouped the current one goes on after a move: it is the last of the open ones.
 */
static kb_status move_if_many(kb_stream *s, kb_error *err)
{
    size_t used = s->open.count + s->ended.count, objects = kb_names_count(s->ingest->objects);
    if (s->slot_count <= 2 * used + SPARE_SESSIONS &&
        objects <= 2 * s->objects_moved + SPARE_OBJECTS)
        return KB_OK;
    bool goes_on = s->current != NONE;
    kb_status status = move_all(s, err);
    s->current = goes_on ? s->open.last : NONE;
    return status;
}

kb_status kb_stream_reshape(kb_stream *s, size_t timesteps, kb_fill fill, kb_error *err)
{
    if (timesteps == s->options.timesteps && fill == s->options.fill)
        return KB_OK;
    s->options.timesteps = timesteps;
    s->options.fill = fill;
    return move_all(s, err);
}

/* --- rows --------------------------------------------------------------------------------- */

static void end_slot(kb_stream *s, uint32_t id)
{
    append_slot(s, id, ENDED);
    if (s->current == id)
        s->current = NONE;
}

static uint64_t hash_of(const kb_stream *s, uint32_t id)
{
    const kb_names *names = s->ingest->sessions;
    return kb_recent_hash(s->recent, kb_names_get(names, id), kb_names_length(names, id));
}

static bool is_late(const kb_stream *s, uint32_t id)
{
    enum place place = s->slots[id].place;
    return place == ENDED || (place == UNKNOWN && kb_recent_has(s->recent, hash_of(s, id)));
}

/* ID has a row at NOW: it becomes the last of the open ones, and others end by that. */
static void touch(kb_stream *s, uint32_t id, double now)
{
    s->slots[id].last = now;
    if (s->current == id)
        return;
    if (s->options.grouped && s->current != NONE)
        end_slot(s, s->current);
    append_slot(s, id, OPEN);
    s->current = id;
    if (s->open.count > s->options.open)
        end_slot(s, s->open.first);
}

/* The id of the session, which is open now, or else *LATE. */
static kb_status open_session(kb_stream *s, const char *name, size_t length, double now,
                              uint32_t *id, bool *late, kb_error *err)
{
    kb_status status = move_if_many(s, err);
    if (status)
        return status;
    *id = intern(s, name, length);
    if (*id == NONE)
        return kb_fail_memory(err, "names");
    *late = is_late(s, *id);
    if (!*late)
        touch(s, *id, now);
    return KB_OK;
}

kb_status kb_stream_add(kb_stream *s, const kb_reading_row *row, double now, bool *late,
                        kb_error *err)
{
    uint32_t id;
    kb_status status = open_session(s, row->session.text, row->session.length, now, &id, late, err);
    if (status || *late)
        return status;
    uint32_t object = kb_ingest_object(s->ingest, row->object.text, row->object.length);
    if (object == KB_NAME_NONE)
        return kb_fail_memory(err, "names");
    return kb_ingest_add(s->ingest, id, object, row->time, row->value, err);
}

static bool is_read_again(const kb_stream *s, const char *name, size_t length)
{
    return s->again && kb_names_find(s->again, name, length) != KB_NAME_NONE;
}

void kb_stream_forget_again(kb_stream *s)
{
    kb_names_free(s->again);
    s->again = NULL;
}

/* Once for all rows of a session that lie together; under STRICT it is an error. */
static kb_status tell_late(kb_stream *s, kb_csv *csv, const kb_field *session, kb_error *err)
{
    uint64_t hash = kb_recent_hash(s->recent, session->text, session->length);
    if (hash == s->late)
        return KB_OK;
    s->late = hash;
    return kb_csv_reject(csv, err, KB_PROBLEM_LATE,
                         "late: session '%.200s' has its label; its rows are left out",
                         session->text);
}

kb_status kb_stream_row(kb_stream *s, kb_csv *csv, const kb_field *fields, double now,
                        kb_stream_count *count, kb_error *err)
{
    kb_reading_row row;
    bool good, late;
    kb_status status = kb_metrics_parse(&row, &good, csv, fields, err);
    if (!good)
        return status;
    status = kb_stream_add(s, &row, now, &late, err);
    if (status)
        return status;
    bool again = late && is_read_again(s, row.session.text, row.session.length);
    count->rows += !late;
    count->again += again;
    count->late += late && !again;
    return late && !again ? tell_late(s, csv, &row.session, err) : KB_OK;
}

kb_status kb_stream_adopt(kb_stream *s, kb_ingest *ingest, const char *name, size_t length,
                          double now, bool *late, kb_error *err)
{
    uint32_t id;
    kb_status status = open_session(s, name, length, now, &id, late, err);
    if (status || *late)
        return status;
    uint32_t from = kb_names_find(ingest->sessions, name, length);
    return from == KB_NAME_NONE ? KB_OK : kb_ingest_move(s->ingest, id, ingest, from, err);
}

/* --- ending ------------------------------------------------------------------------------- */

void kb_stream_end(kb_stream *s, const char *name, size_t length)
{
    uint32_t id = kb_names_find(s->ingest->sessions, name, length);
    if (id != KB_NAME_NONE && id < s->slot_count && s->slots[id].place == OPEN)
        end_slot(s, id);
}

void kb_stream_end_quiet(kb_stream *s, double before)
{
    while (s->open.first != NONE && s->slots[s->open.first].last <= before)
        end_slot(s, s->open.first);
}

void kb_stream_end_all(kb_stream *s)
{
    while (s->open.first != NONE)
        end_slot(s, s->open.first);
}

size_t kb_stream_open(const kb_stream *s)
{
    return s->open.count;
}

size_t kb_stream_ended(const kb_stream *s)
{
    return s->ended.count;
}

double kb_stream_quiet_since(const kb_stream *s)
{
    return s->open.first == NONE ? (double)INFINITY : s->slots[s->open.first].last;
}

kb_status kb_stream_remember(kb_stream *s, const char *name, size_t length, kb_error *err)
{
    if (!s->again)
        s->again = kb_names_create();
    if (!s->again || kb_names_add(s->again, name, length) == KB_NAME_NONE)
        return kb_fail_memory(err, "sessions");
    kb_recent_add(s->recent, kb_recent_hash(s->recent, name, length));
    uint32_t id = kb_names_find(s->ingest->sessions, name, length);
    if (id == KB_NAME_NONE || id >= s->slot_count || s->slots[id].place == UNKNOWN)
        return KB_OK;
    unlink_slot(s, id);
    if (s->current == id)
        s->current = NONE;
    return kb_ingest_drop(s->ingest, id, err);
}

/* --- taking ------------------------------------------------------------------------------- */

/* The first COUNT ended sessions move to INGEST, whose names say in which order they ended. */
static kb_status take_sessions(kb_stream *s, kb_ingest *ingest, size_t count, kb_error *err)
{
    const kb_names *names = s->ingest->sessions;
    kb_status status = kb_ingest_settle(s->ingest, err);
    for (size_t i = 0; !status && i < count; i++) {
        uint32_t from = s->ended.first;
        uint32_t to =
            kb_ingest_session(ingest, kb_names_get(names, from), kb_names_length(names, from));
        if (to == KB_NAME_NONE)
            return kb_fail_memory(err, "sessions");
        status = kb_ingest_move(ingest, to, s->ingest, from, err);
        kb_recent_add(s->recent, hash_of(s, from));
        unlink_slot(s, from);
    }
    return status;
}

/* INGEST is used up. ids[i] becomes the store's id of its session i. */
static kb_status make_batch(kb_stream *s, kb_stream_batch *out, kb_ingest *ingest, kb_error *err)
{
    kb_store *store;
    kb_names *names = ingest->sessions;
    out->count = kb_names_count(names);
    out->ids = kb_calloc(out->count, sizeof *out->ids);
    if (!out->ids)
        return kb_fail_memory(err, "sessions");
    kb_status status = kb_store_assemble(&store, &ingest, 1, NULL, NULL, err);
    if (status)
        return status;
    for (uint32_t i = 0; i < out->count; i++)
        out->ids[i] = kb_store_find_session(store, kb_names_get(names, i));
    return kb_corpus_of_store(&out->corpus, store, s->options.fill, "stream", err);
}

kb_status kb_stream_take(kb_stream *s, kb_stream_batch *out, size_t most, kb_error *err)
{
    *out = (kb_stream_batch){0};
    size_t count = s->ended.count < most ? s->ended.count : most;
    if (!count)
        return KB_OK;
    kb_ingest *ingest;
    kb_status status = new_ingest(&ingest, &s->options, err);
    if (status)
        return status;
    status = take_sessions(s, ingest, count, err);
    if (!status)
        status = make_batch(s, out, ingest, err);
    kb_ingest_free(ingest);
    if (status)
        kb_stream_batch_clear(out);
    return status;
}

void kb_stream_batch_clear(kb_stream_batch *batch)
{
    kb_corpus_free(batch->corpus);
    free(batch->ids);
    *batch = (kb_stream_batch){0};
}

/* --- on disk ------------------------------------------------------------------------------ */
/* remembered: count, hashes
 * objects: count, names
 * sessions, those that have ended first: count; each
 *     name; count of times, the times (whole, atto)
 *     count of readings; each object (number among the objects), step, value
 *     count of carries; each object, time, value
 * A reading that is known to be zero is one of value 0. */

static void save_time(kb_record *r, kb_time t)
{
    kb_record_u64(r, (uint64_t)t.whole);
    kb_record_u64(r, t.atto);
}

static bool is_zero(const struct kb_partial *p, const struct kb_row *row, size_t step)
{
    return row->zeros != KB_NO_ZEROS && (p->zeros[row->zeros + step / 32] >> step % 32 & 1);
}

/* The reading of ROW at STEP; < 0: none. */
static float reading_at(const struct kb_partial *p, const struct kb_row *row, size_t step)
{
    float value = step >= row->first && step - row->first < row->count
                      ? p->values[row->values + step - row->first]
                      : 0;
    return value > 0 || is_zero(p, row, step) ? value : -1;
}

/* Counts the readings first, then writes them behind their number. */
static void save_readings(kb_record *r, const struct kb_partial *p)
{
    uint64_t count = 0;
    for (int writing = 0; writing < 2; writing++) {
        if (writing)
            kb_record_u64(r, count);
        for (size_t i = 0; i < p->row_count; i++)
            for (size_t step = 0; step < p->length; step++) {
                float value = reading_at(p, &p->rows[i], step);
                if (value < 0)
                    continue;
                count++;
                if (!writing)
                    continue;
                kb_record_u32(r, p->rows[i].object);
                kb_record_u32(r, (uint32_t)step);
                kb_record_float(r, value);
            }
    }
}

static void save_carries(kb_record *r, const struct kb_partial *p)
{
    uint64_t count = 0;
    for (size_t i = 0; p->carries && i < p->row_count; i++)
        count += p->carries[i].value >= 0;
    kb_record_u64(r, count);
    for (size_t i = 0; p->carries && i < p->row_count; i++) {
        if (p->carries[i].value < 0)
            continue;
        kb_record_u32(r, p->rows[i].object);
        save_time(r, p->carries[i].time);
        kb_record_float(r, p->carries[i].value);
    }
}

static void save_list(kb_stream *s, kb_record *r, struct list list)
{
    for (uint32_t id = list.first; id != NONE; id = s->slots[id].behind) {
        const struct kb_partial *p = &s->ingest->partials[id];
        kb_record_text(r, kb_names_get(s->ingest->sessions, id),
                       kb_names_length(s->ingest->sessions, id));
        kb_record_u64(r, p->length);
        for (size_t i = 0; i < p->length; i++)
            save_time(r, p->times[i]);
        save_readings(r, p);
        save_carries(r, p);
    }
}

void kb_stream_save(kb_stream *s, kb_record *r)
{
    const kb_names *objects = s->ingest->objects;
    if (kb_ingest_settle(s->ingest, NULL)) {
        r->no_memory = true;
        return;
    }
    kb_record_u64(r, kb_recent_count(s->recent));
    for (size_t i = 0; i < kb_recent_count(s->recent); i++)
        kb_record_u64(r, kb_recent_get(s->recent, i));
    kb_record_u64(r, kb_names_count(objects));
    for (uint32_t o = 0; o < kb_names_count(objects); o++)
        kb_record_text(r, kb_names_get(objects, o), kb_names_length(objects, o));
    kb_record_u64(r, s->ended.count + s->open.count);
    save_list(s, r, s->ended);
    save_list(s, r, s->open);
}

/* Texts of somebody else: what a reader of rows would have refused is refused here. */
static bool is_name(const char *text, size_t length)
{
    return length && length <= KB_FIELD_MAX && !memchr(text, 0, length) &&
           kb_utf8_valid(text, length);
}

static bool restore_time(kb_record_reader *r, kb_time *t)
{
    t->whole = (int64_t)kb_read_u64(r);
    t->atto = kb_read_u64(r);
    return !r->broken && t->atto < UINT64_C(1000000000000000000);
}

/* OBJECTS: the ids of the record's COUNT. */
struct restoring {
    kb_stream *stream;
    kb_record_reader *reader;
    uint32_t *objects;
    size_t count;
};

static bool restore_reading(struct restoring *x, uint32_t id, uint32_t object, kb_time time,
                            float value, kb_error *err)
{
    bool good = !x->reader->broken && object < x->count && value >= 0 && isfinite(value);
    return good &&
           kb_ingest_add(x->stream->ingest, id, x->objects[object], time, value, err) == KB_OK;
}

static bool restore_rows(struct restoring *x, uint32_t id, kb_time *times, size_t length,
                         kb_error *err)
{
    kb_record_reader *r = x->reader;
    size_t readings = kb_read_count(r, 12);
    bool good = !r->broken;
    for (size_t i = 0; good && i < readings; i++) {
        uint32_t object = kb_read_u32(r), step = kb_read_u32(r);
        float value = kb_read_float(r);
        good = step < length && restore_reading(x, id, object, times[step], value, err);
    }
    size_t carries = kb_read_count(r, 24);
    good = good && !r->broken;
    for (size_t i = 0; good && i < carries; i++) {
        kb_time time;
        uint32_t object = kb_read_u32(r);
        good = restore_time(r, &time);
        good = good && restore_reading(x, id, object, time, kb_read_float(r), err);
    }
    return good;
}

/* Every time of the window first, so that a carry is before it and not in it. */
static bool restore_window(struct restoring *x, uint32_t id, kb_error *err)
{
    size_t length = kb_read_count(x->reader, 16);
    kb_time *times = kb_calloc(length, sizeof *times);
    bool good = times != NULL;
    for (size_t i = 0; good && i < length; i++)
        good = restore_time(x->reader, &times[i]) &&
               kb_ingest_add_time(x->stream->ingest, id, times[i], err) == KB_OK;
    good = good && restore_rows(x, id, times, length, err);
    free(times);
    return good;
}

static bool restore_session(struct restoring *x, double now, kb_error *err)
{
    size_t length;
    const char *name = kb_read_text(x->reader, &length);
    if (!is_name(name, length))
        return false;
    uint32_t id = intern(x->stream, name, length);
    if (id == NONE || x->stream->slots[id].place != UNKNOWN)
        return false;
    append_slot(x->stream, id, OPEN);
    x->stream->slots[id].last = now;
    return restore_window(x, id, err);
}

static bool restore_objects(struct restoring *x)
{
    x->count = kb_read_count(x->reader, 8);
    x->objects = kb_calloc(x->count, sizeof *x->objects);
    bool good = x->objects && !x->reader->broken;
    for (size_t o = 0; good && o < x->count; o++) {
        size_t length;
        const char *name = kb_read_text(x->reader, &length);
        x->objects[o] = is_name(name, length) ? kb_ingest_object(x->stream->ingest, name, length)
                                              : KB_NAME_NONE;
        good = x->objects[o] != KB_NAME_NONE;
    }
    return good;
}

kb_status kb_stream_restore(kb_stream *s, kb_record_reader *reader, double now, kb_error *err)
{
    struct restoring x = {.stream = s, .reader = reader};
    for (size_t n = kb_read_count(reader, 8); n; n--)
        kb_recent_add(s->recent, kb_read_u64(reader));
    bool good = restore_objects(&x);
    size_t sessions = good ? kb_read_count(reader, 32) : 0;
    for (size_t i = 0; good && i < sessions; i++)
        good = restore_session(&x, now, err);
    free(x.objects);
    if (!good || reader->broken)
        return kb_fail(err, KB_ERR_FORMAT, "the open sessions are not what they should be");
    return kb_ingest_settle(s->ingest, err);
}
