#include "problems.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "names.h"
#include "number.h"

struct kept {
    uint32_t file; /* id in files */
    uint64_t line;
    kb_problem_kind kind;
    const char *reason; /* in the arena */
};

struct kb_problems {
    kb_problem_listener listener;
    kb_names *files;
    kb_arena *arena;
    struct kept *kept;
    size_t kept_count, capacity;
    uint64_t count, of_kind[KB_PROBLEM_KINDS];
};

const char *kb_problem_kind_name(kb_problem_kind kind)
{
    static const char *const names[KB_PROBLEM_KINDS] = {
        [KB_PROBLEM_FIELDS] = "wrong number of fields",
        [KB_PROBLEM_QUOTES] = "broken quotes",
        [KB_PROBLEM_LENGTH] = "too long",
        [KB_PROBLEM_BYTES] = "not text in UTF-8",
        [KB_PROBLEM_NAME] = "no name",
        [KB_PROBLEM_TIME] = "not a time",
        [KB_PROBLEM_NUMBER] = "not a number",
        [KB_PROBLEM_RANGE] = "number out of range",
        [KB_PROBLEM_SESSION] = "bad line of a session",
        [KB_PROBLEM_COLUMN] = "column left out",
        [KB_PROBLEM_DAMAGE] = "damaged file",
        [KB_PROBLEM_FILE] = "file left out",
        [KB_PROBLEM_OTHER] = "other",
        [KB_PROBLEM_LATE] = "late",
    };
    return names[kind];
}

bool kb_problem_is_a_row(kb_problem_kind kind)
{
    return kind != KB_PROBLEM_COLUMN && kind != KB_PROBLEM_DAMAGE && kind != KB_PROBLEM_FILE &&
           kind != KB_PROBLEM_LATE;
}

const char *kb_problem_reason(const char *text, const char *path)
{
    size_t n = strlen(path);
    return strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

const char *kb_problem_text(const kb_problem *problem, char *text, size_t size)
{
    if (problem->line)
        snprintf(text, size, "%s:%" PRIu64 ": %s", problem->file, problem->line, problem->reason);
    else
        snprintf(text, size, "%s: %s", problem->file, problem->reason);
    return text;
}

kb_problems *kb_problems_create(kb_problem_listener listener)
{
    kb_problems *problems = kb_calloc(1, sizeof *problems);
    if (!problems)
        return NULL;
    problems->listener = listener;
    problems->files = kb_names_create();
    problems->arena = kb_arena_create();
    if (!problems->files || !problems->arena) {
        kb_problems_free(problems);
        return NULL;
    }
    return problems;
}

void kb_problems_free(kb_problems *problems)
{
    if (!problems)
        return;
    kb_names_free(problems->files);
    kb_arena_free(problems->arena);
    free(problems->kept);
    free(problems);
}

/* Bytes of the UTF-8 character that S (LENGTH bytes left) starts with and a terminal may be sent;
 * 0: none. */
static size_t harmless(const char *s, size_t length)
{
    unsigned char c = (unsigned char)*s;
    if (c < 0x80)
        return c >= 0x20 && c != 0x7F;
    size_t n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (n > length || !kb_utf8_valid(s, n))
        return 0;
    bool c1 = c == 0xC2 && (unsigned char)s[1] < 0xA0;
    return c1 ? 0 : n;
}

void kb_printable(char *text)
{
    size_t left = strlen(text);
    while (left) {
        size_t n = harmless(text, left);
        if (!n) {
            *text = '?';
            n = 1;
        }
        text += n;
        left -= n;
    }
}

/* Keeping is best effort: when memory runs out the problem is still counted and told to the
 * listener. */
static void keep(kb_problems *problems, const kb_problem *problem)
{
    if (problems->kept_count >= KB_PROBLEMS_KEPT)
        return;
    uint32_t file = kb_names_add(problems->files, problem->file, strlen(problem->file));
    const char *reason = kb_arena_string(problems->arena, problem->reason, strlen(problem->reason));
    if (file == KB_NAME_NONE || !reason ||
        !kb_grow((void **)&problems->kept, &problems->capacity, problems->kept_count + 1,
                 sizeof *problems->kept))
        return;
    problems->kept[problems->kept_count++] =
        (struct kept){file, problem->line, problem->kind, reason};
}

void kb_problems_add(kb_problems *problems, const char *file, uint64_t line, kb_problem_kind kind,
                     const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    kb_printable(reason);
    kb_problem problem = {file, line, kind, reason};
    problems->count++;
    problems->of_kind[kind]++;
    keep(problems, &problem);
    if (problems->listener.tell)
        problems->listener.tell(problems->listener.ctx, &problem);
}

uint64_t kb_problems_count(const kb_problems *problems)
{
    return problems->count;
}

uint64_t kb_problems_of_kind(const kb_problems *problems, kb_problem_kind kind)
{
    return problems->of_kind[kind];
}

size_t kb_problems_kept(const kb_problems *problems)
{
    return problems->kept_count;
}

kb_problem kb_problems_get(const kb_problems *problems, size_t i)
{
    const struct kept *k = &problems->kept[i];
    return (kb_problem){kb_names_get(problems->files, k->file), k->line, k->kind, k->reason};
}
