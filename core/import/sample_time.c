#include "sample_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "number.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* --- names ------------------------------------------------------------------------------- */
static size_t without_gz(const char *name)
{
    size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, ".gz") == 0 ? length - 3 : length;
}

size_t kb_sample_stem(const char *name)
{
    size_t length = without_gz(name), dot = length;
    bool letter = false;
    while (dot > 0 && name[dot - 1] != '.')
        letter |= is_letter(name[--dot]);
    return dot > 1 && letter ? dot - 1 : length;
}

/* --- the last number --------------------------------------------------------------------- */
static bool number_in(char *out, const char *name)
{
    size_t end = kb_sample_stem(name);
    while (end > 0 && !is_digit(name[end - 1]))
        end--;
    size_t start = end;
    while (start > 0 && is_digit(name[start - 1]))
        start--;
    size_t whole = start;
    if (whole > 1 && name[whole - 1] == '.' && is_digit(name[whole - 2])) {
        whole--;
        while (whole > 0 && is_digit(name[whole - 1]))
            whole--;
        start = whole;
    }
    kb_time time;
    if (start == end || kb_time_parse(&time, name + start, end - start))
        return false;
    kb_time_format(time, out, KB_SAMPLE_TIME_ROOM);
    return true;
}

/* --- a date and a time of day ------------------------------------------------------------ */
/* What is copied so far, and what is still to be read. */
struct stamp {
    char *out;
    size_t length;
    const char *s;
};

/* Copies the next bytes if they look like PATTERN: '0' any digit, ':' also as '-', 'T' also as '_'
 * or a blank, anything else as it is. */
static bool take(struct stamp *stamp, const char *pattern)
{
    size_t n = strlen(pattern);
    for (size_t i = 0; i < n; i++) {
        char c = stamp->s[i], p = pattern[i];
        bool fits = p == '0'   ? is_digit(c)
                    : p == ':' ? c == ':' || c == '-'
                    : p == 'T' ? c == 'T' || c == '_' || c == ' '
                               : c == p;
        if (!fits || stamp->length + i + 1 >= KB_SAMPLE_TIME_ROOM)
            return false;
        stamp->out[stamp->length + i] = p == '0' ? c : p;
    }
    stamp->length += n;
    stamp->s += n;
    return true;
}

static void take_fraction(struct stamp *stamp)
{
    if (stamp->s[0] != '.' || !is_digit(stamp->s[1]))
        return;
    take(stamp, ".");
    while (take(stamp, "0"))
        ;
}

/* West of Greenwich only with a colon: "-0001" may as well be a number behind the stamp. */
static void take_offset(struct stamp *stamp)
{
    bool west = strlen(stamp->s) >= 4 && stamp->s[3] == ':';
    if (!take(stamp, "Z") && !take(stamp, "+00:00") && !take(stamp, "+0000") && west)
        (void)take(stamp, "-00:00");
}

/* A stamp that begins at S. */
static bool stamp_at(char *out, const char *s)
{
    struct stamp stamp = {out, 0, s};
    kb_time time;
    if (!take(&stamp, "0000-00-00") || is_digit(*stamp.s))
        return false;
    if (take(&stamp, "T00:00")) {
        if (take(&stamp, ":00"))
            take_fraction(&stamp);
        take_offset(&stamp);
    }
    out[stamp.length] = '\0';
    return kb_time_parse(&time, out, stamp.length) == NULL;
}

static bool stamp_in(char *out, const char *name)
{
    for (const char *s = name; *s; s++)
        if (is_digit(*s) && (s == name || !is_digit(s[-1])) && stamp_at(out, s))
            return true;
    return false;
}

/* --- all of them ------------------------------------------------------------------------- */
struct taken {
    kb_time time;
    size_t name;
};

static int by_time(const void *a, const void *b)
{
    const struct taken *x = a, *y = b;
    int order = kb_time_compare(x->time, y->time);
    return order ? order : (x->name > y->name) - (x->name < y->name);
}

static bool all_differ(char (*times)[KB_SAMPLE_TIME_ROOM], size_t count, kb_sample_fault *fault)
{
    struct taken *taken = kb_calloc(count, sizeof *taken);
    *fault = (kb_sample_fault){0, true};
    if (!taken)
        return false;
    for (size_t i = 0; i < count; i++) {
        (void)kb_time_parse(&taken[i].time, times[i], strlen(times[i]));
        taken[i].name = i;
    }
    qsort(taken, count, sizeof *taken, by_time);
    bool differ = true;
    for (size_t i = 1; i < count && differ; i++) {
        differ = kb_time_compare(taken[i - 1].time, taken[i].time) != 0;
        fault->name = taken[i].name;
    }
    free(taken);
    return differ;
}

/* *SOME: a name at least has such a time. */
static bool take_all(char (*times)[KB_SAMPLE_TIME_ROOM], const char *const *names, size_t count,
                     bool (*time_in)(char *out, const char *name), bool *some,
                     kb_sample_fault *fault)
{
    bool all = true;
    *some = false;
    for (size_t i = 0; i < count; i++) {
        bool taken = time_in(times[i], names[i]);
        *some |= taken;
        if (!taken && all)
            *fault = (kb_sample_fault){i, false};
        all &= taken;
    }
    return all && all_differ(times, count, fault);
}

bool kb_sample_times(char (*times)[KB_SAMPLE_TIME_ROOM], const char *const *names, size_t count,
                     kb_sample_fault *fault)
{
    kb_sample_fault of_numbers;
    bool stamps, numbers;
    if (take_all(times, names, count, stamp_in, &stamps, fault) ||
        take_all(times, names, count, number_in, &numbers, &of_numbers))
        return true;
    if (!stamps)
        *fault = of_numbers;
    return false;
}
