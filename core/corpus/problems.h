/* problems: what was wrong with the input, each told as FILE:LINE: reason.
 *
 * A collector keeps the first KB_PROBLEMS_KEPT in memory and counts all; a listener sees every one
 * as it is found. Not thread-safe. */
#ifndef KB_PROBLEMS_H
#define KB_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sizes.h"
#include "status.h"

enum { KB_PROBLEMS_KEPT = KB_SIZE(100000, 20) };

/* What is wrong, to count by. */
typedef enum kb_problem_kind {
    KB_PROBLEM_FIELDS,  /* a row with more or fewer than the header */
    KB_PROBLEM_QUOTES,  /* a quoted field without its end, or text behind that */
    KB_PROBLEM_LENGTH,  /* a field or row that is too long */
    KB_PROBLEM_BYTES,   /* a NUL byte, or not UTF-8 */
    KB_PROBLEM_NAME,    /* an empty name, or one that cannot be one */
    KB_PROBLEM_TIME,    /* not a time */
    KB_PROBLEM_NUMBER,  /* a value that is not a number */
    KB_PROBLEM_RANGE,   /* a value that is negative or too large */
    KB_PROBLEM_SESSION, /* one listed twice, or with a split that is none */
    KB_PROBLEM_COLUMN,  /* one that is left out */
    KB_PROBLEM_DAMAGE,  /* a file that breaks off or is corrupt */
    KB_PROBLEM_FILE,    /* one that is left out */
    KB_PROBLEM_OTHER,
    KB_PROBLEM_LATE /* rows of a session that has its label already */
} kb_problem_kind;

enum { KB_PROBLEM_KINDS = KB_PROBLEM_LATE + 1 };

const char *kb_problem_kind_name(kb_problem_kind kind); /* "wrong number of fields", ... */
/* It costs a row, no more and no less. */
bool kb_problem_is_a_row(kb_problem_kind kind);

typedef struct kb_problem {
    const char *file; /* as the user would name it; "-" for standard input */
    uint64_t line;    /* of the row's first line, from 1; 0: the file as a whole */
    kb_problem_kind kind;
    const char *reason;
} kb_problem;

typedef struct kb_problems kb_problems;

typedef struct kb_problem_listener {
    void (*tell)(void *ctx, const kb_problem *problem); /* may be NULL */
    void *ctx;
} kb_problem_listener;

kb_problems *kb_problems_create(kb_problem_listener listener); /* NULL: no memory */
void kb_problems_free(kb_problems *problems);
void kb_problems_add(kb_problems *problems, const char *file, uint64_t line, kb_problem_kind kind,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));
uint64_t kb_problems_count(const kb_problems *problems); /* all of them */
uint64_t kb_problems_of_kind(const kb_problems *problems, kb_problem_kind kind);
size_t kb_problems_kept(const kb_problems *problems); /* those that kb_problems_get knows */
kb_problem kb_problems_get(const kb_problems *problems, size_t i);

/* "FILE:LINE: reason", without LINE where that is 0, into TEXT (SIZE bytes); returns TEXT. */
const char *kb_problem_text(const kb_problem *problem, char *text, size_t size);

/* TEXT without "PATH: " at its beginning, if it has that. */
const char *kb_problem_reason(const char *text, const char *path);

/* Puts '?' in TEXT for what a terminal would act on (control characters, C1 included) and for bytes
 * that are not UTF-8. Reasons have been through it. */
void kb_printable(char *text);

#endif
