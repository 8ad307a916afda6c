/* Times become steps first; then each object's row is laid out in full, layer over layer and
 * readings over them, and encoded again. Nothing is compared with anything but times with times. */
#include "partial.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "secret.h"

#define NONE UINT32_MAX

/* All that is known of one object: its rows in the layers, as a list, and its readings. */
struct group {
    uint32_t object;
    uint32_t first_part, last_part; /* into parts, or NONE */
    uint32_t begin, end;            /* of its readings */
};

struct part {
    uint32_t layer, row, next;
};

struct kb_combiner {
    size_t timesteps;
    bool hold, keep_zeros;
    uint64_t seed, factor; /* of the hash: secrets */

    kb_time *times; /* distinct ones, in the order of their finding */
    size_t time_count, times_capacity;
    uint32_t *slots; /* hash table of indices into times */
    size_t slot_count, slots_capacity;
    uint32_t *sorted; /* indices into times, rising */
    size_t sorted_capacity;
    uint32_t *steps; /* by index into times: step of the new window, or NONE */
    size_t steps_capacity;
    size_t length;          /* of the new window */
    uint32_t *layer_places; /* by time of each layer: index into times */
    size_t *layer_starts;   /* by layer: where its part of layer_places starts */
    size_t layer_places_capacity, layer_starts_capacity;
    uint32_t *places; /* by sample: index into times */
    size_t places_capacity;

    uint32_t *group_of; /* by object: index into groups + 1; all 0 between sessions */
    size_t group_of_capacity;
    struct group *groups;
    size_t group_count, groups_capacity;
    struct part *parts;
    size_t part_count, parts_capacity;
    uint32_t *grouped_places; /* the readings by group, then by arrival */
    float *grouped_values;
    size_t grouped_places_capacity, grouped_values_capacity;

    float *row;       /* one object's steps; all 0 between objects */
    uint32_t *zero;   /* a bit for each step where the reading is zero; likewise */
    size_t low, high; /* row and zero are 0 outside of [low, high) */
    bool has_zero;
    struct kb_carry carry;

    struct kb_row *rows;
    struct kb_carry *carries;
    uint32_t *zeros;
    float *values;
    size_t row_count, rows_capacity, carries_capacity;
    size_t zero_count, zeros_capacity, value_count, values_capacity;
};

#define GROW(c, what, needed)                                                                      \
    kb_grow((void **)&(c)->what, &(c)->what##_capacity, needed, sizeof *(c)->what)

static const struct kb_carry no_carry = {{0, 0}, -1};

static size_t words(size_t bits)
{
    return (bits + 31) / 32;
}

static bool get_bit(const uint32_t *bits, size_t i)
{
    return bits[i / 32] >> i % 32 & 1;
}

kb_combiner *kb_combiner_create(size_t timesteps, bool hold, bool keep_zeros)
{
    kb_combiner *c = kb_calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->timesteps = timesteps;
    c->hold = hold;
    c->keep_zeros = hold || keep_zeros;
    c->seed = kb_secret();
    c->factor = kb_secret();
    c->low = SIZE_MAX;
    c->carry = no_carry;
    c->row = kb_calloc(timesteps, sizeof *c->row);
    c->zero = kb_calloc(words(timesteps), sizeof *c->zero);
    if (!c->row || !c->zero) {
        kb_combiner_free(c);
        return NULL;
    }
    return c;
}

void kb_combiner_free(kb_combiner *c)
{
    if (!c)
        return;
    free(c->times);
    free(c->slots);
    free(c->sorted);
    free(c->steps);
    free(c->layer_places);
    free(c->layer_starts);
    free(c->places);
    free(c->group_of);
    free(c->groups);
    free(c->parts);
    free(c->grouped_places);
    free(c->grouped_values);
    free(c->row);
    free(c->zero);
    free(c->rows);
    free(c->carries);
    free(c->zeros);
    free(c->values);
    free(c);
}

bool kb_combiner_objects(kb_combiner *c, size_t objects)
{
    size_t before = c->group_of_capacity;
    if (!GROW(c, group_of, objects))
        return false;
    if (c->group_of_capacity > before)
        memset(c->group_of + before, 0, (c->group_of_capacity - before) * sizeof *c->group_of);
    return true;
}

/* --- times into steps --------------------------------------------------------------------- */

static bool same_time(kb_time a, kb_time b)
{
    return a.whole == b.whole && a.atto == b.atto;
}

static size_t hash_time(const kb_combiner *c, kb_time t)
{
    uint64_t h = ((uint64_t)t.whole ^ c->seed) * c->factor;
    h = (h ^ (h >> 32) ^ t.atto) * c->factor;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9u;
    return (size_t)(h >> 32);
}

/* The slot that holds T, or the free one where it belongs. */
static size_t find_slot(const kb_combiner *c, kb_time t)
{
    size_t mask = c->slot_count - 1, i = hash_time(c, t) & mask;
    while (c->slots[i] != NONE && !same_time(c->times[c->slots[i]], t))
        i = (i + 1) & mask;
    return i;
}

/* A table of at least twice NEEDED slots, filled with the times there are. */
static bool build_slots(kb_combiner *c, size_t needed)
{
    size_t count = 256;
    while (count < 2 * needed)
        count *= 2;
    if (!GROW(c, slots, count))
        return false;
    c->slot_count = count;
    memset(c->slots, 0xFF, count * sizeof *c->slots);
    for (size_t i = 0; i < c->time_count; i++)
        c->slots[find_slot(c, c->times[i])] = (uint32_t)i;
    return true;
}

/* The index of T among the session's times; NONE: no memory. */
static uint32_t intern_time(kb_combiner *c, kb_time t)
{
    size_t slot = find_slot(c, t);
    if (c->slots[slot] != NONE)
        return c->slots[slot];
    if (!GROW(c, times, c->time_count + 1))
        return NONE;
    uint32_t index = (uint32_t)c->time_count++;
    c->times[index] = t;
    c->slots[slot] = index;
    if (2 * c->time_count > c->slot_count && !build_slots(c, 2 * c->time_count))
        return NONE;
    return index;
}

/* PLACES[i] becomes the index of TIMES[i]. Most samples carry the time of the one before or the one
 * after that, which spares the table. */
static bool place_times(kb_combiner *c, const kb_time *times, size_t count, uint32_t *places)
{
    size_t hint = 0;
    for (size_t i = 0; i < count; i++) {
        kb_time t = times[i];
        if (hint + 1 < c->time_count && same_time(c->times[hint + 1], t)) {
            hint++;
        } else if (hint >= c->time_count || !same_time(c->times[hint], t)) {
            hint = intern_time(c, t);
            if (hint == NONE)
                return false;
        }
        places[i] = (uint32_t)hint;
    }
    return true;
}

/* The first layer's times are distinct and rising: they are taken over as they are. */
static bool place_layers(kb_combiner *c, const struct kb_layer *layers, size_t count)
{
    size_t total = 0, first = count ? layers[0].partial->length : 0;
    if (!GROW(c, layer_starts, count))
        return false;
    for (size_t l = 0; l < count; l++) {
        c->layer_starts[l] = total;
        total += layers[l].partial->length;
    }
    if (!GROW(c, layer_places, total) || !GROW(c, times, first))
        return false;
    c->time_count = first;
    for (size_t i = 0; i < first; i++) {
        c->times[i] = layers[0].partial->times[i];
        c->layer_places[i] = (uint32_t)i;
    }
    if (!build_slots(c, first + 1))
        return false;
    for (size_t l = 1; l < count; l++) {
        const struct kb_partial *p = layers[l].partial;
        if (!place_times(c, p->times, p->length, c->layer_places + c->layer_starts[l]))
            return false;
    }
    return true;
}

static int by_time(const void *a, const void *b, void *ctx)
{
    const kb_time *times = ctx;
    return kb_time_compare(times[*(const uint32_t *)a], times[*(const uint32_t *)b]);
}

/* Fills sorted and steps. */
static bool set_steps(kb_combiner *c)
{
    size_t n = c->time_count, dropped = n > c->timesteps ? n - c->timesteps : 0;
    if (!GROW(c, sorted, n) || !GROW(c, steps, n))
        return false;
    bool rising = true;
    for (size_t i = 0; i < n; i++) {
        c->sorted[i] = (uint32_t)i;
        rising &= i == 0 || kb_time_compare(c->times[i - 1], c->times[i]) < 0;
    }
    if (!rising)
        qsort_r(c->sorted, n, sizeof *c->sorted, by_time, c->times);
    for (size_t i = 0; i < n; i++)
        c->steps[c->sorted[i]] = i < dropped ? NONE : (uint32_t)(i - dropped);
    c->length = n - dropped;
    return true;
}

/* --- what there is of each object --------------------------------------------------------- */

/* The group of OBJECT, a new one if need be; NULL: no memory. */
static struct group *group_of(kb_combiner *c, uint32_t object)
{
    uint32_t *g = &c->group_of[object];
    if (!*g) {
        if (!GROW(c, groups, c->group_count + 1))
            return NULL;
        c->groups[c->group_count++] = (struct group){object, NONE, NONE, 0, 0};
        *g = (uint32_t)c->group_count;
    }
    return &c->groups[*g - 1];
}

static void forget_groups(kb_combiner *c)
{
    for (size_t g = 0; g < c->group_count; g++)
        c->group_of[c->groups[g].object] = 0;
    c->group_count = c->part_count = 0;
}

static bool group_rows(kb_combiner *c, const struct kb_layer *layers, size_t count)
{
    for (size_t l = 0; l < count; l++) {
        const struct kb_partial *p = layers[l].partial;
        if (!GROW(c, parts, c->part_count + p->row_count))
            return false;
        for (size_t r = 0; r < p->row_count; r++) {
            uint32_t object = p->rows[r].object, i = (uint32_t)c->part_count++;
            struct group *g = group_of(c, layers[l].new_ids ? layers[l].new_ids[object] : object);
            if (!g)
                return false;
            c->parts[i] = (struct part){(uint32_t)l, (uint32_t)r, NONE};
            if (g->last_part == NONE)
                g->first_part = i;
            else
                c->parts[g->last_part].next = i;
            g->last_part = i;
        }
    }
    return true;
}

/* Counts each group's readings in end - begin, begin being where the first run of them starts;
 * *RUNS becomes the number of runs of samples of one object. */
static bool count_readings(kb_combiner *c, const struct kb_samples *s, size_t *runs)
{
    *runs = 0;
    for (size_t i = 0, begin; i < s->count;) {
        uint32_t object = s->objects[i];
        for (begin = i; i < s->count && s->objects[i] == object;)
            i++;
        if (object == KB_NO_OBJECT)
            continue;
        struct group *g = group_of(c, object);
        if (!g)
            return false;
        ++*runs;
        if (g->begin == g->end)
            g->begin = g->end = (uint32_t)begin;
        g->end += (uint32_t)(i - begin);
    }
    return true;
}

/* Counting sort: after it each group's readings lie together, in order of arrival. */
static bool sort_readings(kb_combiner *c, const struct kb_samples *s)
{
    if (!GROW(c, grouped_places, s->count) || !GROW(c, grouped_values, s->count))
        return false;
    uint32_t total = 0;
    for (size_t g = 0; g < c->group_count; g++) {
        uint32_t size = c->groups[g].end - c->groups[g].begin;
        c->groups[g].begin = c->groups[g].end = total;
        total += size;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (s->objects[i] == KB_NO_OBJECT)
            continue;
        uint32_t at = c->groups[c->group_of[s->objects[i]] - 1].end++;
        c->grouped_places[at] = c->places[i];
        c->grouped_values[at] = s->values[i];
    }
    return true;
}

/* *PLACES and *VALUES become the readings by group. Where samples come object after object they are
 * that already. */
static bool group_samples(kb_combiner *c, const struct kb_samples *s, const uint32_t **places,
                          const float **values)
{
    size_t runs, with_readings = 0;
    if (!count_readings(c, s, &runs))
        return false;
    for (size_t g = 0; g < c->group_count; g++)
        with_readings += c->groups[g].begin < c->groups[g].end;
    *places = c->places;
    *values = s->values;
    if (runs == with_readings)
        return true;
    if (!sort_readings(c, s))
        return false;
    *places = c->grouped_places;
    *values = c->grouped_values;
    return true;
}

/* --- one object's row --------------------------------------------------------------------- */

static void widen(kb_combiner *c, size_t begin, size_t end)
{
    c->low = begin < c->low ? begin : c->low;
    c->high = end > c->high ? end : c->high;
}

static void put(kb_combiner *c, size_t step, float value)
{
    c->row[step] = value;
    widen(c, step, step + 1);
    if (!c->keep_zeros)
        return;
    uint32_t bit = UINT32_C(1) << step % 32;
    if (value > 0) {
        c->zero[step / 32] &= ~bit;
    } else {
        c->zero[step / 32] |= bit;
        c->has_zero = true;
    }
}

/* A reading before the window: of the latest ones the last that arrives is carried into it. */
static void put_before(kb_combiner *c, kb_time time, float value)
{
    if (c->hold && (c->carry.value < 0 || kb_time_compare(time, c->carry.time) >= 0))
        c->carry = (struct kb_carry){time, value};
}

static void put_reading(kb_combiner *c, uint32_t place, float value)
{
    uint32_t step = c->steps[place];
    if (step != NONE)
        put(c, step, value);
    else
        put_before(c, c->times[place], value);
}

/* The values of ROW where they lie in one piece on nothing, as they mostly do; false: they do not.
 */
static bool put_whole(kb_combiner *c, const struct kb_row *row, const float *values,
                      const uint32_t *places)
{
    if (c->low < c->high || !row->count)
        return false;
    uint32_t begin = c->steps[places[row->first]];
    uint32_t last = c->steps[places[row->first + row->count - 1]];
    if (begin == NONE || last - begin != row->count - 1u)
        return false;
    memcpy(c->row + begin, values, row->count * sizeof *values);
    widen(c, begin, last + 1u);
    return true;
}

static void put_row(kb_combiner *c, const struct kb_partial *p, size_t r, const uint32_t *places)
{
    const struct kb_row *row = &p->rows[r];
    const float *values = p->values + row->values;
    if (p->carries && p->carries[r].value >= 0)
        put_before(c, p->carries[r].time, p->carries[r].value);
    if (!put_whole(c, row, values, places))
        for (size_t j = 0; j < row->count; j++)
            if (values[j] > 0)
                put_reading(c, places[row->first + j], values[j]);
    if (row->zeros == KB_NO_ZEROS)
        return;
    for (size_t i = 0; i < p->length; i++)
        if (get_bit(p->zeros + row->zeros, i))
            put_reading(c, places[i], 0);
}

static void clear_row(kb_combiner *c)
{
    if (c->low < c->high)
        memset(c->row + c->low, 0, (c->high - c->low) * sizeof *c->row);
    if (c->has_zero)
        memset(c->zero, 0, words(c->length) * sizeof *c->zero);
    c->low = SIZE_MAX;
    c->high = 0;
    c->has_zero = false;
    c->carry = no_carry;
}

/* Trims [*FIRST, *END) to the readings that are not zero. */
static void trim(const float *row, size_t *first, size_t *end)
{
    while (*first < *end && row[*first] == 0)
        ++*first;
    while (*end > *first && row[*end - 1] == 0)
        --*end;
}

static bool append_zeros(kb_combiner *c, uint32_t *start)
{
    size_t n = words(c->length);
    *start = KB_NO_ZEROS;
    if (!c->has_zero)
        return true;
    if (c->zero_count > KB_NO_ZEROS - 1 - n || !GROW(c, zeros, c->zero_count + n))
        return false;
    *start = (uint32_t)c->zero_count;
    memcpy(c->zeros + c->zero_count, c->zero, n * sizeof *c->zeros);
    c->zero_count += n;
    return true;
}

static bool append_values(kb_combiner *c, size_t first, size_t count)
{
    if (!GROW(c, values, c->value_count + count))
        return false;
    if (count)
        memcpy(c->values + c->value_count, c->row + first, count * sizeof *c->values);
    c->value_count += count;
    return true;
}

/* Appends the row of OBJECT, if it holds anything, and clears it. */
static bool encode_row(kb_combiner *c, uint32_t object)
{
    size_t first = c->low < c->high ? c->low : c->high, end = c->high, values = c->value_count;
    trim(c->row, &first, &end);
    if (first < end || c->has_zero || c->carry.value >= 0) {
        uint32_t zeros;
        if (!GROW(c, rows, c->row_count + 1) || !append_zeros(c, &zeros) ||
            !append_values(c, first, end - first))
            return false;
        if (c->hold && !GROW(c, carries, c->row_count + 1))
            return false;
        if (c->hold)
            c->carries[c->row_count] = c->carry;
        c->rows[c->row_count++] =
            (struct kb_row){values, zeros, object, (uint16_t)first, (uint16_t)(end - first)};
    }
    clear_row(c);
    return true;
}

/* --- combining ---------------------------------------------------------------------------- */

static bool encode_groups(kb_combiner *c, const struct kb_layer *layers, const uint32_t *places,
                          const float *values)
{
    c->row_count = c->zero_count = c->value_count = 0;
    for (size_t g = 0; g < c->group_count; g++) {
        const struct group *group = &c->groups[g];
        for (uint32_t i = group->first_part; i != NONE; i = c->parts[i].next) {
            const struct part *part = &c->parts[i];
            put_row(c, layers[part->layer].partial, part->row,
                    c->layer_places + c->layer_starts[part->layer]);
        }
        for (uint32_t i = group->begin; i < group->end; i++)
            put_reading(c, places[i], values[i]);
        if (!encode_row(c, group->object))
            return false;
    }
    return true;
}

static bool add_bytes(size_t *bytes, size_t count, size_t size)
{
    size_t part;
    return kb_size_mul(count, size, &part) && kb_size_add(*bytes, part, bytes);
}

/* Copies what the growing arrays hold into one block. */
static bool make_partial(const kb_combiner *c, struct kb_partial *out)
{
    size_t bytes = 0, carries = c->hold ? c->row_count : 0;
    if (!add_bytes(&bytes, c->length, sizeof *out->times) ||
        !add_bytes(&bytes, carries, sizeof *out->carries) ||
        !add_bytes(&bytes, c->row_count, sizeof *out->rows) ||
        !add_bytes(&bytes, c->zero_count, sizeof *out->zeros) ||
        !add_bytes(&bytes, c->value_count, sizeof *out->values))
        return false;
    char *block = malloc(bytes ? bytes : 1);
    if (!block)
        return false;
    *out = (struct kb_partial){.length = c->length,
                               .row_count = c->row_count,
                               .zero_count = c->zero_count,
                               .value_count = c->value_count};
    out->times = (kb_time *)(void *)block;
    struct kb_carry *carry = (struct kb_carry *)(void *)(out->times + c->length);
    out->carries = c->hold ? carry : NULL;
    out->rows = (struct kb_row *)(void *)(carry + carries);
    out->zeros = (uint32_t *)(void *)(out->rows + c->row_count);
    out->values = (float *)(void *)(out->zeros + c->zero_count);
    for (size_t i = 0; i < c->length; i++)
        out->times[i] = c->times[c->sorted[c->time_count - c->length + i]];
    if (carries)
        memcpy(out->carries, c->carries, carries * sizeof *carry);
    if (c->row_count)
        memcpy(out->rows, c->rows, c->row_count * sizeof *out->rows);
    if (c->zero_count)
        memcpy(out->zeros, c->zeros, c->zero_count * sizeof *out->zeros);
    if (c->value_count)
        memcpy(out->values, c->values, c->value_count * sizeof *out->values);
    return true;
}

bool kb_combine(kb_combiner *c, struct kb_partial *out, const struct kb_layer *layers, size_t count,
                const struct kb_samples *samples)
{
    static const struct kb_samples none;
    const struct kb_samples *s = samples ? samples : &none;
    const uint32_t *places;
    const float *values;
    bool done = place_layers(c, layers, count) && GROW(c, places, s->count) &&
                place_times(c, s->times, s->count, c->places) && set_steps(c) &&
                group_rows(c, layers, count) && group_samples(c, s, &places, &values) &&
                encode_groups(c, layers, places, values) && make_partial(c, out);
    forget_groups(c);
    clear_row(c);
    return done;
}

/* --- concluding --------------------------------------------------------------------------- */

/* Steps without a reading get that of the step before, the first ones the carry. */
static void hold_row(kb_combiner *c)
{
    float last = c->carry.value > 0 ? c->carry.value : 0;
    for (size_t i = 0; i < c->length; i++) {
        if (c->row[i] > 0 || get_bit(c->zero, i))
            last = c->row[i];
        else
            c->row[i] = last;
    }
    widen(c, 0, c->length);
}

static int by_object(const void *a, const void *b)
{
    uint32_t x = ((const struct kb_run *)a)->object, y = ((const struct kb_run *)b)->object;
    return x < y ? -1 : x > y;
}

static bool make_window(const kb_combiner *c, struct kb_window *out, const kb_time *times)
{
    size_t bytes = 0;
    if (!add_bytes(&bytes, c->length, sizeof *out->times) ||
        !add_bytes(&bytes, c->row_count, sizeof *out->runs) ||
        !add_bytes(&bytes, c->value_count, sizeof *out->values))
        return false;
    char *block = malloc(bytes ? bytes : 1);
    if (!block)
        return false;
    out->times = (kb_time *)(void *)block;
    out->runs = (struct kb_run *)(void *)(out->times + c->length);
    out->values = (float *)(void *)(out->runs + c->row_count);
    out->length = c->length;
    out->run_count = c->row_count;
    out->value_count = c->value_count;
    memcpy(out->times, times, c->length * sizeof *times);
    for (size_t r = 0; r < c->row_count; r++) {
        const struct kb_row *row = &c->rows[r];
        out->runs[r] = (struct kb_run){row->object, row->first, row->count, row->values};
    }
    if (c->row_count) {
        memcpy(out->values, c->values, c->value_count * sizeof *out->values);
        qsort(out->runs, c->row_count, sizeof *out->runs, by_object);
    }
    return true;
}

bool kb_conclude(kb_combiner *c, struct kb_window *out, const struct kb_layer *layer)
{
    const struct kb_partial *p = layer->partial;
    if (!place_layers(c, layer, 1) || !set_steps(c))
        return false;
    c->row_count = c->zero_count = c->value_count = 0;
    for (size_t r = 0; r < p->row_count; r++) {
        uint32_t object = p->rows[r].object;
        put_row(c, p, r, c->layer_places);
        if (c->hold)
            hold_row(c);
        c->has_zero = false;
        memset(c->zero, 0, words(c->length) * sizeof *c->zero);
        c->carry = no_carry;
        if (!encode_row(c, layer->new_ids ? layer->new_ids[object] : object))
            return false;
    }
    return make_window(c, out, p->times);
}
