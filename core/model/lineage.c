#include "lineage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

void kb_lineage_clear(kb_lineage *lineage)
{
    for (size_t i = 0; i < lineage->name_count; i++)
        free(lineage->names[i].text);
    free(lineage->names);
    free(lineage->profiles);
    free(lineage->retired);
    free(lineage->retired_centroids);
    free(lineage->retired_profiles);
    *lineage = (kb_lineage){0};
}

/* --- names -------------------------------------------------------------------------------- */

/* The character at *S, which is valid UTF-8; *S moves behind it. */
static uint32_t next_character(const unsigned char **s)
{
    uint32_t c = *(*s)++;
    int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0 ? 1 : 0;
    if (more)
        c &= 0x3FU >> more;
    while (more--)
        c = c << 6 | (*(*s)++ & 0x3FU);
    return c;
}

/* Controls (C0, DEL, C1), line and paragraph separators, marks and overrides of the direction of
 * writing, the byte order mark. */
static bool is_forbidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

static bool is_blank(uint32_t c)
{
    return c == ' ' || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200D) || c == 0x202F ||
           c == 0x205F || c == 0x2060 || c == 0x3000;
}

kb_status kb_cluster_name_check(const char *text, kb_error *err)
{
    size_t length = strlen(text);
    if (length > KB_CLUSTER_NAME_MAX)
        return kb_fail(err, KB_ERR_USAGE, "a name of %zu bytes; at most %d", length,
                       (int)KB_CLUSTER_NAME_MAX);
    if (!kb_utf8_valid(text, length))
        return kb_fail(err, KB_ERR_USAGE, "the name is not valid UTF-8");
    bool seen = false;
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        uint32_t c = next_character(&s);
        if (is_forbidden(c))
            return kb_fail(err, KB_ERR_USAGE, "the name holds the control character U+%04X",
                           (unsigned)c);
        seen = seen || !is_blank(c);
    }
    return seen ? KB_OK : kb_fail(err, KB_ERR_USAGE, "the name has nothing in it to be seen");
}

/* The place of the first name whose number is at least NUMBER. */
static size_t place_of(const kb_lineage *lineage, uint32_t number)
{
    size_t low = 0, high = lineage->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lineage->names[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_named(const kb_lineage *lineage, size_t place, uint32_t number)
{
    return place < lineage->name_count && lineage->names[place].number == number;
}

const char *kb_lineage_name(const kb_lineage *lineage, uint32_t number)
{
    size_t at = place_of(lineage, number);
    return is_named(lineage, at, number) ? lineage->names[at].text : "";
}

static void drop_name(kb_lineage *lineage, size_t at)
{
    free(lineage->names[at].text);
    lineage->name_count--;
    memmove(lineage->names + at, lineage->names + at + 1,
            (lineage->name_count - at) * sizeof *lineage->names);
}

/* Room for one more at AT. */
static kb_status open_gap(kb_lineage *lineage, size_t at, kb_error *err)
{
    kb_cluster_name *names =
        realloc(lineage->names, (lineage->name_count + 1) * sizeof *lineage->names);
    if (!names)
        return kb_fail_memory(err, "a name");
    memmove(names + at + 1, names + at, (lineage->name_count - at) * sizeof *names);
    lineage->names = names;
    lineage->name_count++;
    return KB_OK;
}

kb_status kb_lineage_set_name(kb_lineage *lineage, uint32_t number, const char *text, kb_error *err)
{
    size_t at = place_of(lineage, number);
    bool named = is_named(lineage, at, number);
    if (!*text) {
        if (named)
            drop_name(lineage, at);
        return KB_OK;
    }
    kb_status status = kb_cluster_name_check(text, err);
    if (status)
        return status;
    char *copy = kb_strdup(text);
    if (!copy)
        return kb_fail_memory(err, "a name");
    if (named)
        free(lineage->names[at].text);
    else if ((status = open_gap(lineage, at, err))) {
        free(copy);
        return status;
    }
    lineage->names[at] = (kb_cluster_name){number, copy};
    return KB_OK;
}

/* --- copies ------------------------------------------------------------------------------- */

/* A copy of ROWS x COLS floats; NULL stays NULL. False: no memory. */
static bool copy_floats(float **out, const float *floats, size_t rows, size_t cols)
{
    size_t count;
    *out = NULL;
    if (!floats)
        return true;
    *out = kb_size_mul(rows, cols, &count) ? kb_alloc_aligned(count, sizeof **out) : NULL;
    if (*out)
        memcpy(*out, floats, count * sizeof **out);
    return *out != NULL;
}

static kb_status copy_names(kb_lineage *out, const kb_lineage *lineage, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; !status && i < lineage->name_count; i++)
        status = kb_lineage_set_name(out, lineage->names[i].number, lineage->names[i].text, err);
    return status;
}

kb_status kb_lineage_copy(kb_lineage *out, const kb_lineage *lineage, size_t k, size_t z, size_t p,
                          kb_error *err)
{
    size_t n = lineage->retired_count;
    *out = (kb_lineage){.calibrations = lineage->calibrations, .until = lineage->until};
    out->retired = kb_calloc(n, sizeof *out->retired);
    bool ok = out->retired && copy_floats(&out->profiles, lineage->profiles, k, p) &&
              copy_floats(&out->retired_centroids, lineage->retired_centroids, n, z) &&
              copy_floats(&out->retired_profiles, lineage->retired_profiles, n, p);
    if (ok && n)
        memcpy(out->retired, lineage->retired, n * sizeof *out->retired);
    out->retired_count = ok ? n : 0;
    kb_status status =
        ok ? copy_names(out, lineage, err) : kb_fail_memory(err, "clusters of earlier times");
    if (status)
        kb_lineage_clear(out);
    return status;
}

/* --- calibration -------------------------------------------------------------------------- */

static bool has_number(const uint32_t *numbers, size_t count, uint32_t number)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

/* One that may go into the list: where its rows come from. */
struct candidate {
    kb_retired item;
    const float *centroid, *profile; /* profile: NULL if not known */
};

/* The one to be forgotten first goes first; ties by the higher number. */
static int by_age(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->item.calibration != y->item.calibration)
        return x->item.calibration < y->item.calibration ? -1 : 1;
    return x->item.number > y->item.number ? -1 : x->item.number < y->item.number;
}

static int by_number(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return x->item.number < y->item.number ? -1 : x->item.number > y->item.number;
}

/* The number that the retired cluster NUMBER has from now on, 0 if it is not back. */
static uint32_t new_number(const kb_lineage_step *step, uint32_t number)
{
    for (size_t i = 0; step->back && i < step->new_k; i++)
        if (step->back[i] == number)
            return step->new_numbers[i];
    return 0;
}

/* LIST (room for retired + k) becomes those that were retired, and those that the step ends. */
static size_t gather(struct candidate *list, const kb_lineage *l, const kb_lineage_step *step)
{
    size_t n = 0;
    for (size_t i = 0; i < l->retired_count; i++) {
        list[n] =
            (struct candidate){l->retired[i], l->retired_centroids + i * step->z,
                               l->retired[i].profiled ? l->retired_profiles + i * step->p : NULL};
        if (!list[n].item.back_as)
            list[n].item.back_as = new_number(step, list[n].item.number);
        n++;
    }
    for (size_t i = 0; i < step->k; i++) {
        if (has_number(step->new_numbers, step->new_k, step->numbers[i]))
            continue;
        const kb_retired item = {.number = step->numbers[i],
                                 .size = step->sizes[i],
                                 .calibration = l->calibrations,
                                 .until = l->until,
                                 .profiled = l->profiles != NULL};
        list[n++] = (struct candidate){item, step->centroids + i * step->z,
                                       l->profiles ? l->profiles + i * step->p : NULL};
    }
    return n;
}

static kb_status put_retired(kb_lineage *out, const struct candidate *list, size_t n, size_t z,
                             size_t p, kb_error *err)
{
    size_t floats;
    out->retired = kb_calloc(n, sizeof *out->retired);
    out->retired_centroids = kb_size_mul(n, z, &floats) ? kb_calloc(floats, sizeof(float)) : NULL;
    out->retired_profiles = kb_size_mul(n, p, &floats) ? kb_calloc(floats, sizeof(float)) : NULL;
    if (!out->retired || !out->retired_centroids || !out->retired_profiles)
        return kb_fail_memory(err, "clusters of earlier times");
    out->retired_count = n;
    for (size_t i = 0; i < n; i++) {
        out->retired[i] = list[i].item;
        memcpy(out->retired_centroids + i * z, list[i].centroid, z * sizeof(float));
        if (list[i].profile)
            memcpy(out->retired_profiles + i * p, list[i].profile, p * sizeof(float));
    }
    return KB_OK;
}

static bool is_kept(const kb_lineage *out, const kb_lineage_step *step, uint32_t number)
{
    for (size_t i = 0; i < out->retired_count; i++)
        if (out->retired[i].number == number)
            return true;
    return has_number(step->new_numbers, step->new_k, number);
}

static kb_status keep_names(kb_lineage *out, const kb_lineage *l, const kb_lineage_step *step,
                            kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; !status && i < l->name_count; i++) {
        uint32_t back = new_number(step, l->names[i].number);
        uint32_t number = back ? back : l->names[i].number;
        if (is_kept(out, step, number))
            status = kb_lineage_set_name(out, number, l->names[i].text, err);
    }
    return status;
}

kb_status kb_lineage_step_on(kb_lineage *out, const kb_lineage *l, const kb_lineage_step *step,
                             kb_error *err)
{
    *out = (kb_lineage){.calibrations = l->calibrations + (l->calibrations < UINT32_MAX),
                        .until = step->until};
    struct candidate *list = kb_calloc(l->retired_count + step->k, sizeof *list);
    if (!list)
        return kb_fail_memory(err, "clusters of earlier times");
    size_t n = gather(list, l, step), forgotten = n > KB_RETIRED_MAX ? n - KB_RETIRED_MAX : 0;
    qsort(list, n, sizeof *list, by_age);
    qsort(list + forgotten, n - forgotten, sizeof *list, by_number);
    kb_status status = put_retired(out, list + forgotten, n - forgotten, step->z, step->p, err);
    if (!status)
        status = keep_names(out, l, step, err);
    free(list);
    if (status)
        kb_lineage_clear(out);
    else
        out->profiles = step->profiles;
    return status;
}

/* --- text --------------------------------------------------------------------------------- */

static kb_status finish_text(FILE *f, kb_error *err)
{
    bool failed = !f || ferror(f);
    if (f && fclose(f) != 0)
        failed = true;
    return failed ? kb_fail_memory(err, "a model section") : KB_OK;
}

kb_status kb_lineage_write_names(const kb_lineage *lineage, char **text, size_t *length,
                                 kb_error *err)
{
    *text = NULL;
    FILE *f = open_memstream(text, length);
    for (size_t i = 0; f && i < lineage->name_count; i++)
        fprintf(f, "%" PRIu32 " %s\n", lineage->names[i].number, lineage->names[i].text);
    return finish_text(f, err);
}

kb_status kb_lineage_write_retired(const kb_lineage *lineage, char **text, size_t *length,
                                   kb_error *err)
{
    *text = NULL;
    FILE *f = open_memstream(text, length);
    for (size_t i = 0; f && i < lineage->retired_count; i++) {
        const kb_retired *r = &lineage->retired[i];
        fprintf(f, "%" PRIu32 " %zu %" PRIu32 " %" PRId64 " %" PRIu64 " %d %" PRIu32 "\n",
                r->number, r->size, r->calibration, r->until.whole, r->until.atto, r->profiled,
                r->back_as);
    }
    return finish_text(f, err);
}

/* A whole number 0..LIMIT at *S, with a minus sign where *NEGATIVE may be set; *S moves behind it
 * and behind the one character END that has to follow. */
static bool take(const char **s, uint64_t limit, char end, bool *negative, uint64_t *out)
{
    char *behind;
    if (negative && (*negative = **s == '-'))
        ++*s;
    if (**s < '0' || **s > '9')
        return false;
    errno = 0;
    *out = strtoull(*s, &behind, 10);
    *s = behind + 1;
    return errno == 0 && *out <= limit && *behind == end;
}

size_t kb_lineage_read_names(kb_lineage *lineage, const char *text, uint32_t limit)
{
    uint64_t number, last = 0;
    for (size_t line = 1; *text; line++) {
        char name[KB_CLUSTER_NAME_MAX + 1];
        if (!take(&text, UINT32_MAX, ' ', NULL, &number) || number <= last || number >= limit)
            return line;
        size_t length = strcspn(text, "\n");
        if (text[length] != '\n' || length > KB_CLUSTER_NAME_MAX)
            return line;
        memcpy(name, text, length);
        name[length] = '\0';
        kb_status status = kb_cluster_name_check(name, NULL);
        if (!status)
            status = kb_lineage_set_name(lineage, (uint32_t)number, name, NULL);
        if (status)
            return status == KB_ERR_MEMORY ? SIZE_MAX : line;
        last = number;
        text += length + 1;
    }
    return 0;
}

static bool take_retired(const char **text, kb_retired *r)
{
    uint64_t number, size, calibration, whole, atto, profiled, back;
    bool negative;
    if (!take(text, UINT32_MAX, ' ', NULL, &number) || !take(text, SIZE_MAX, ' ', NULL, &size) ||
        !take(text, UINT32_MAX, ' ', NULL, &calibration) ||
        !take(text, INT64_MAX, ' ', &negative, &whole) ||
        !take(text, UINT64_C(999999999999999999), ' ', NULL, &atto) ||
        !take(text, 1, ' ', NULL, &profiled) || !take(text, UINT32_MAX, '\n', NULL, &back))
        return false;
    *r = (kb_retired){.number = (uint32_t)number,
                      .size = (size_t)size,
                      .calibration = (uint32_t)calibration,
                      .until = {negative ? -(int64_t)whole : (int64_t)whole, atto},
                      .profiled = profiled != 0,
                      .back_as = (uint32_t)back};
    return true;
}

size_t kb_lineage_read_retired(kb_lineage *lineage, const char *text, uint32_t limit)
{
    uint32_t last = 0;
    lineage->retired = kb_calloc(KB_RETIRED_MAX, sizeof *lineage->retired);
    if (!lineage->retired)
        return SIZE_MAX;
    for (size_t line = 1; *text; line++) {
        kb_retired r;
        if (line > KB_RETIRED_MAX || !take_retired(&text, &r) || r.number <= last ||
            r.number >= limit || r.back_as >= limit || (r.back_as && r.back_as <= r.number))
            return line;
        lineage->retired[lineage->retired_count++] = r;
        last = r.number;
    }
    return 0;
}
