/* prompt: the line of text at the bottom of the screen, and the commands that can be given on it.
 */
#ifndef KB_PROMPT_H
#define KB_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KB_PROMPT_MAX = 1024 };

typedef struct kb_prompt {
    char text[KB_PROMPT_MAX]; /* UTF-8 */
    size_t length, cursor;    /* bytes; the cursor stands on a character's first byte */
} kb_prompt;

/* Starts with TEXT and the cursor behind it. */
void kb_prompt_set(kb_prompt *prompt, const char *text);
/* Edits: characters, arrows, Home, End, Backspace, Del, C-a, C-e, C-k, C-u, C-w. False when KEY
 * edits nothing (Enter, Esc, Tab, ...). */
bool kb_prompt_key(kb_prompt *prompt, int32_t key);

typedef enum kb_order {
    KB_ORDER_NONE, /* an empty line */
    KB_ORDER_UNKNOWN,
    KB_ORDER_AMBIGUOUS,
    KB_ORDER_BIND,
    KB_ORDER_CANCEL,
    KB_ORDER_EXPORT,
    KB_ORDER_FILTER,
    KB_ORDER_GOTO,
    KB_ORDER_HELP,
    KB_ORDER_K,
    KB_ORDER_QUIT,
    KB_ORDER_RETRAIN,
    KB_ORDER_SORT,
    KB_ORDER_WRITE
} kb_order;

typedef struct kb_order_line {
    kb_order order;
    bool forced;          /* "!" behind the name */
    const char *argument; /* within the line, without blanks around it; "" when there is none */
    char name[32];
} kb_order_line;

/* Takes LINE (without the colon) apart. A name may be cut short as long as only one begins so; "q"
 * is quit, "w" is write. */
kb_order_line kb_order_parse(const char *line);
/* What follows the name: "FILE", "COLUMN", "" ... */
const char *kb_order_usage(kb_order order);

/* The I-th candidate for the argument of ORDER, or NULL behind the last. */
typedef const char *kb_candidates(void *ctx, kb_order order, size_t i);

/* Completes the prompt as far as all candidates agree. Returns how many fit; their names, with
 * blanks between, go to SHOWN when there is more than one. */
size_t kb_prompt_complete(kb_prompt *prompt, kb_candidates *candidates, void *ctx, char *shown,
                          size_t size);

#endif
