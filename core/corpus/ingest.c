/* Samples wait in three arrays in the order of their arrival, cut into segments of one session.
 * When there are enough of them the segments are sorted by session (counting sort, so that arrival
 * order holds within a session) and each session's are laid over its partial. */
#include "ingest.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define GROW(ingest, what, needed)                                                                 \
    kb_grow((void **)&(ingest)->what, &(ingest)->what##_capacity, needed, sizeof *(ingest)->what)

/* --- working in --------------------------------------------------------------------------- */

static bool make_room(kb_ingest *in)
{
    if (!kb_combiner_objects(in->combiner, kb_names_count(in->objects)) ||
        !GROW(in, order, in->segment_count) || !GROW(in, ends, in->partials_count + 1))
        return false;
    memset(in->ends, 0, (in->partials_count + 1) * sizeof *in->ends);
    return true;
}

/* Counting sort: order becomes the segments' numbers by session, ends[s] the end of the part of
 * session s. */
static void order_segments(kb_ingest *in)
{
    for (size_t i = 0; i < in->segment_count; i++)
        in->ends[in->segments[i].session + 1]++;
    for (size_t s = 0; s < in->partials_count; s++)
        in->ends[s + 1] += in->ends[s];
    for (size_t i = 0; i < in->segment_count; i++)
        in->order[in->ends[in->segments[i].session]++] = (uint32_t)i;
}

/* The samples of COUNT segments one after the other. */
static bool gather(kb_ingest *in, const uint32_t *order, size_t count, struct kb_samples *out)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        total += in->segments[order[i]].count;
    if (!GROW(in, gathered_times, total) || !GROW(in, gathered_objects, total) ||
        !GROW(in, gathered_values, total))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct kb_segment *s = &in->segments[order[i]];
        size_t n = s->count;
        memcpy(in->gathered_times + at, in->times + s->begin, n * sizeof *in->times);
        memcpy(in->gathered_objects + at, in->sample_objects + s->begin,
               n * sizeof *in->sample_objects);
        memcpy(in->gathered_values + at, in->values + s->begin, n * sizeof *in->values);
        at += n;
    }
    *out =
        (struct kb_samples){in->gathered_times, in->gathered_objects, in->gathered_values, total};
    return true;
}

/* What laying samples over PARTIAL costs: rows that are all zero have no values. */
static uint64_t size_of(const struct kb_partial *partial)
{
    return (uint64_t)partial->value_count + partial->row_count + partial->zero_count +
           partial->length;
}

/* Lays the samples of COUNT segments over SESSION's partial. */
static bool work_in(kb_ingest *in, size_t session, const uint32_t *order, size_t count)
{
    const struct kb_segment *first = &in->segments[order[0]];
    struct kb_samples samples = {in->times + first->begin, in->sample_objects + first->begin,
                                 in->values + first->begin, first->count};
    struct kb_partial *partial = &in->partials[session], made;
    struct kb_layer layer = {partial, NULL};
    if ((count > 1 && !gather(in, order, count, &samples)) ||
        !kb_combine(in->combiner, &made, &layer, partial->times != NULL, &samples))
        return false;
    in->stored += size_of(&made);
    in->stored -= size_of(partial);
    free(partial->times);
    *partial = made;
    return true;
}

/* Samples take ten times the room of what they become. So that laying them over what is stored
 * stays a fixed fraction of the work when every session gets samples all the time, more may wait
 * the more is stored. With a sample for 32 values both the room and the work are a third of the
 * rest. */
static void set_limit(kb_ingest *in)
{
    uint64_t share = in->stored / 32;
    in->limit = share < in->budget       ? in->budget
                : share > UINT32_MAX / 2 ? UINT32_MAX / 2
                                         : (size_t)share;
}

kb_status kb_ingest_settle(kb_ingest *in, kb_error *err)
{
    if (!in->count)
        return KB_OK;
    if (!make_room(in))
        return kb_fail_memory(err, "sorting samples");
    order_segments(in);
    uint32_t begin = 0;
    for (size_t s = 0; s < in->partials_count; s++) {
        uint32_t end = in->ends[s];
        if (end > begin && !work_in(in, s, in->order + begin, end - begin))
            return kb_fail_memory(err, "a session's window");
        begin = end;
    }
    in->count = in->segment_count = 0;
    set_limit(in);
    return KB_OK;
}

/* --- taking samples ----------------------------------------------------------------------- */

kb_status kb_ingest_create(kb_ingest **out, const kb_ingest_options *options, kb_error *err)
{
    *out = NULL;
    if (options->timesteps < 1 || options->timesteps > UINT16_MAX)
        return kb_fail(err, KB_ERR_USAGE, "timesteps: %zu is not in 1..65535", options->timesteps);
    kb_ingest *in = kb_calloc(1, sizeof *in);
    if (!in)
        return kb_fail_memory(err, "a corpus");
    in->options = *options;
    in->sessions = kb_names_create();
    in->objects = kb_names_create();
    in->combiner = kb_combiner_create(options->timesteps, options->fill == KB_FILL_HOLD,
                                      options->one_of_several);
    kb_ingest_set_budget(in, KB_INGEST_BUDGET);
    if (!in->sessions || !in->objects || !in->combiner) {
        kb_ingest_free(in);
        return kb_fail_memory(err, "a corpus");
    }
    *out = in;
    return KB_OK;
}

void kb_ingest_set_budget(kb_ingest *in, size_t samples)
{
    in->budget = samples;
    set_limit(in);
}

void kb_ingest_rest(kb_ingest *in)
{
    free(in->times);
    free(in->sample_objects);
    free(in->values);
    free(in->segments);
    free(in->order);
    free(in->ends);
    free(in->gathered_times);
    free(in->gathered_objects);
    free(in->gathered_values);
    kb_names_trail_clear(&in->session_trail);
    kb_names_trail_clear(&in->object_trail);
    kb_combiner_free(in->combiner);
    in->combiner = NULL;
    in->times = in->gathered_times = NULL;
    in->sample_objects = in->gathered_objects = in->order = in->ends = NULL;
    in->values = in->gathered_values = NULL;
    in->segments = NULL;
}

void kb_ingest_free(kb_ingest *in)
{
    if (!in)
        return;
    for (size_t s = 0; s < in->partials_count; s++)
        free(in->partials[s].times);
    free(in->partials);
    kb_ingest_rest(in);
    kb_names_free(in->sessions);
    kb_names_free(in->objects);
    free(in);
}

uint32_t kb_ingest_session(kb_ingest *in, const char *name, size_t length)
{
    uint32_t id = kb_names_add_along(in->sessions, &in->session_trail, name, length);
    if (id == KB_NAME_NONE || id < in->partials_count)
        return id;
    if (!GROW(in, partials, in->partials_count + 1))
        return KB_NAME_NONE;
    in->partials[in->partials_count++] = (struct kb_partial){0};
    return id;
}

uint32_t kb_ingest_object(kb_ingest *in, const char *name, size_t length)
{
    return kb_names_add_along(in->objects, &in->object_trail, name, length);
}

/* Held readings may come from any time before the window. */
static bool is_too_old(const kb_ingest *in, uint32_t session, kb_time time)
{
    const struct kb_partial *partial = &in->partials[session];
    return partial->length == in->options.timesteps && in->options.fill != KB_FILL_HOLD &&
           kb_time_compare(time, partial->times[0]) < 0;
}

static bool begin_segment(kb_ingest *in, uint32_t session)
{
    if (!GROW(in, segments, in->segment_count + 1))
        return false;
    in->segments[in->segment_count++] = (struct kb_segment){session, (uint32_t)in->count, 0};
    return true;
}

kb_status kb_ingest_add(kb_ingest *in, uint32_t session, uint32_t object, kb_time time, float value,
                        kb_error *err)
{
    if (is_too_old(in, session, time))
        return KB_OK;
    if (in->count >= in->limit) {
        kb_status status = kb_ingest_settle(in, err);
        if (status != KB_OK)
            return status;
    }
    size_t i = in->count;
    if ((i == in->times_capacity && !GROW(in, times, i + 1)) ||
        (i == in->sample_objects_capacity && !GROW(in, sample_objects, i + 1)) ||
        (i == in->values_capacity && !GROW(in, values, i + 1)))
        return kb_fail_memory(err, "samples");
    bool continues = in->segment_count && in->segments[in->segment_count - 1].session == session;
    if (!continues && !begin_segment(in, session))
        return kb_fail_memory(err, "samples");
    in->times[i] = time;
    in->sample_objects[i] = object;
    in->values[i] = value;
    in->segments[in->segment_count - 1].count++;
    in->count++;
    return KB_OK;
}

kb_status kb_ingest_add_time(kb_ingest *in, uint32_t session, kb_time time, kb_error *err)
{
    return kb_ingest_add(in, session, KB_NO_OBJECT, time, 0, err);
}

/* --- moving ------------------------------------------------------------------------------- */

/* The rows of PARTIAL get the ids that TO has for their objects. */
static bool renumber(kb_ingest *to, const kb_ingest *from, const struct kb_partial *partial)
{
    for (size_t r = 0; r < partial->row_count; r++) {
        uint32_t *object = &partial->rows[r].object;
        const char *name = kb_names_get(from->objects, *object);
        *object = kb_ingest_object(to, name, kb_names_length(from->objects, *object));
        if (*object == KB_NAME_NONE)
            return false;
    }
    return true;
}

/* PARTIAL, whose objects are IN's, over what SESSION has, as IN's options want it. */
static bool lay_over(kb_ingest *in, uint32_t session, const struct kb_partial *partial)
{
    struct kb_partial *target = &in->partials[session], made;
    struct kb_layer layers[2] = {{target, NULL}, {partial, NULL}};
    size_t first = !target->times;
    if (!kb_combiner_objects(in->combiner, kb_names_count(in->objects)) ||
        !kb_combine(in->combiner, &made, layers + first, 2 - first, NULL))
        return false;
    in->stored -= size_of(target);
    free(target->times);
    *target = made;
    in->stored += size_of(target);
    return true;
}

static bool is_as_wanted(const kb_ingest *in, const struct kb_partial *partial)
{
    bool hold = in->options.fill == KB_FILL_HOLD;
    return partial->length <= in->options.timesteps && hold == (partial->carries != NULL);
}

kb_status kb_ingest_move(kb_ingest *to, uint32_t to_session, kb_ingest *from, uint32_t session,
                         kb_error *err)
{
    struct kb_partial partial = from->partials[session];
    from->partials[session] = (struct kb_partial){0};
    from->stored -= size_of(&partial);
    if (!partial.times)
        return KB_OK;
    kb_status status = kb_ingest_settle(to, err);
    bool fits = status == KB_OK && renumber(to, from, &partial);
    if (fits && !to->partials[to_session].times && is_as_wanted(to, &partial)) {
        to->partials[to_session] = partial;
        to->stored += size_of(&partial);
        return KB_OK;
    }
    fits = fits && lay_over(to, to_session, &partial);
    free(partial.times);
    return fits ? KB_OK : status ? status : kb_fail_memory(err, "a session's window");
}

kb_status kb_ingest_drop(kb_ingest *in, uint32_t session, kb_error *err)
{
    kb_status status = kb_ingest_settle(in, err);
    if (status)
        return status;
    in->stored -= size_of(&in->partials[session]);
    free(in->partials[session].times);
    in->partials[session] = (struct kb_partial){0};
    return KB_OK;
}
