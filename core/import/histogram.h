/* histogram: class histograms of a JVM, as "jmap -histo" and "jcmd GC.class_histogram" print them,
 * line by line: what a line is, and where one of them begins and ends. Knows no files and keeps
 * nothing but where it is. */
#ifndef KB_HISTOGRAM_H
#define KB_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "   1:   12345   1234567  [B (java.base@17.0.15)" */
typedef struct kb_histogram_row {
    uint64_t instances, bytes;
    const char *class; /* LENGTH bytes of the line, without the module; NULL: there is no row */
    size_t length;
    const char *wrong; /* with the row, or NULL; then the rest means nothing */
} kb_histogram_row;

/* Where a line leaves us. */
typedef enum kb_histogram_place {
    KB_HISTOGRAM_BEFORE, /* the first one */
    KB_HISTOGRAM_HEAD,   /* in one of which no row was seen yet */
    KB_HISTOGRAM_ROWS,   /* in one */
    KB_HISTOGRAM_BEHIND  /* one */
} kb_histogram_place;

static inline bool kb_histogram_is_in(kb_histogram_place place)
{
    return place == KB_HISTOGRAM_HEAD || place == KB_HISTOGRAM_ROWS;
}

/* What a line is. A histogram begins with its header or, when there was none before, with a row
 * that is one; it ends with its line Total, without which it was cut off. */
typedef enum kb_histogram_step {
    KB_HISTOGRAM_NOTHING, /* a rule, a blank line, or what may be said before and between them */
    KB_HISTOGRAM_BEGIN,   /* a header */
    KB_HISTOGRAM_CUT,     /* one begins, but the one before has no end: a header, which may stand
                             behind what is left of a line, or a row "1:", which is filled in */
    KB_HISTOGRAM_ROW,
    KB_HISTOGRAM_BAD_ROW, /* a row of one that says what is wrong with it */
    KB_HISTOGRAM_END,
    KB_HISTOGRAM_NO_HEADER, /* a row behind an end */
    KB_HISTOGRAM_STRAY      /* in one or behind it, and no line of one */
} kb_histogram_step;

/* TEXT is the next line, LENGTH bytes and a NUL. *PLACE begins as KB_HISTOGRAM_BEFORE. ROW is all
 * zeros unless the line is one. */
kb_histogram_step kb_histogram_line(kb_histogram_place *place, const char *text, size_t length,
                                    kb_histogram_row *row);

/* How many bytes at S (before END) are the address of a hidden class, which is another in each run:
 * "/0x000001000c0840", "/1831932724", "+0x00007f9751002220"; 0: none. */
size_t kb_histogram_address(const char *s, const char *end);

#endif
