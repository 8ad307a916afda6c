/* csv_marks: where the bytes lie that structure a CSV text: comma, quote, carriage return and
 * newline. Finding them many at a time is what makes plain rows cheap. */
#ifndef KB_CSV_MARKS_H
#define KB_CSV_MARKS_H

#include <stddef.h>
#include <stdint.h>

/* What a text holds that makes its rows want a closer look. */
enum {
    KB_HAS_NUL = 1,
    KB_HAS_HIGH = 2 /* bytes above 0x7F */
};

/* MARKS (room for LENGTH) becomes the offsets of all marks in the LENGTH (< 2^32) bytes at S, each
 * with BASE added; returns how many. Adds KB_HAS_* to *FLAGS. */
size_t kb_csv_marks(const char *s, size_t length, uint32_t base, uint32_t *marks, unsigned *flags);

#endif
