/* number: decimal numbers and points in time, parsed exactly and independently of the locale. */
#ifndef KB_NUMBER_H
#define KB_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A point in time: whole + atto * 1e-18 units (seconds where it came from ISO 8601), 0 <= atto <
 * 1e18. Compared exactly. */
typedef struct kb_time {
    int64_t whole;
    uint64_t atto;
} kb_time;

static inline int kb_time_compare(kb_time a, kb_time b)
{
    if (a.whole != b.whole)
        return a.whole < b.whole ? -1 : 1;
    return a.atto < b.atto ? -1 : a.atto > b.atto;
}

double kb_time_to_double(kb_time t);
/* The shortest decimal that parses back to T, in BUFFER (64 bytes are enough); returns BUFFER. */
char *kb_time_format(kb_time t, char *buffer, size_t size);

/* LENGTH bytes at S, all of them: an optional sign, digits with an optional point, an optional
 * exponent; or ISO 8601 date and time (2026-05-01T10:00:00.250Z; "T" or a blank between; offset Z,
 * +hh:mm, +hhmm, +hh or none = UTC; a date alone is midnight). NULL on success, otherwise what is
 * wrong with it (static text). */
const char *kb_time_parse(kb_time *out, const char *s, size_t length);

/* A reading: a decimal number, 0 <= value <= FLT_MAX after rounding to the nearest float ("-0" is
 * 0; a positive number too small for a float becomes the smallest one, so that it still counts as
 * present). NULL on success, otherwise what is wrong ("not a number", "negative", "larger than
 * FLT_MAX"). */
const char *kb_value_parse(float *out, const char *s, size_t length);

/* The text is valid UTF-8 (RFC 3629: no surrogates, no overlong forms). NUL counts as valid here.
 */
bool kb_utf8_valid(const char *s, size_t length);

#endif
