/* problems: what was wrong with the input, each told as FILE:LINE: reason.
 *
 * A collector keeps the first KB_PROBLEMS_KEPT in memory and counts all; a listener sees every one
 * as it is found. Not thread-safe. */
#ifndef KB_PROBLEMS_H
#define KB_PROBLEMS_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum { KB_PROBLEMS_KEPT = 10000 };

typedef struct kb_problem {
    const char *file; /* as the user would name it; "-" for standard input */
    uint64_t line;    /* of the row's first line, from 1; 0: the file as a whole */
    const char *reason;
} kb_problem;

typedef struct kb_problems kb_problems;

typedef struct kb_problem_listener {
    void (*tell)(void *ctx, const kb_problem *problem); /* may be NULL */
    void *ctx;
} kb_problem_listener;

kb_problems *kb_problems_create(kb_problem_listener listener); /* NULL: no memory */
void kb_problems_free(kb_problems *problems);
void kb_problems_add(kb_problems *problems, const char *file, uint64_t line, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));
uint64_t kb_problems_count(const kb_problems *problems); /* all of them */
size_t kb_problems_kept(const kb_problems *problems);    /* those that kb_problems_get knows */
kb_problem kb_problems_get(const kb_problems *problems, size_t i);

/* Puts '?' in TEXT for what a terminal would act on (control characters, C1 included) and for bytes
 * that are not UTF-8. Reasons have been through it. */
void kb_printable(char *text);

#endif
