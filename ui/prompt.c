#include "prompt.h"

#include <stdio.h>
#include <string.h>

#include "canvas.h"
#include "keys.h"

void kb_prompt_set(kb_prompt *prompt, const char *text)
{
    snprintf(prompt->text, sizeof prompt->text, "%s", text);
    prompt->length = prompt->cursor = strlen(prompt->text);
}

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

static size_t before(const kb_prompt *prompt, size_t at)
{
    while (at > 0 && continues(prompt->text[--at]))
        ;
    return at;
}

static size_t after(const kb_prompt *prompt, size_t at)
{
    if (at < prompt->length)
        at++;
    while (at < prompt->length && continues(prompt->text[at]))
        at++;
    return at;
}

static void erase_between(kb_prompt *prompt, size_t from, size_t to)
{
    memmove(prompt->text + from, prompt->text + to, prompt->length - to + 1);
    prompt->length -= to - from;
    prompt->cursor = from;
}

static void insert(kb_prompt *prompt, char32_t c)
{
    char bytes[4];
    size_t length = kb_utf8_encode(c, bytes);
    if (prompt->length + length >= sizeof prompt->text)
        return;
    memmove(prompt->text + prompt->cursor + length, prompt->text + prompt->cursor,
            prompt->length - prompt->cursor + 1);
    memcpy(prompt->text + prompt->cursor, bytes, length);
    prompt->length += length;
    prompt->cursor += length;
}

static void erase_word(kb_prompt *prompt)
{
    size_t from = prompt->cursor;
    while (from > 0 && prompt->text[from - 1] == ' ')
        from--;
    while (from > 0 && prompt->text[from - 1] != ' ')
        from--;
    erase_between(prompt, from, prompt->cursor);
}

enum {
    CONTROL_A = 1,
    CONTROL_E = 5,
    CONTROL_H = 8,
    CONTROL_K = 11,
    CONTROL_U = 21,
    CONTROL_W = 23
};

bool kb_prompt_key(kb_prompt *prompt, int32_t key)
{
    switch (key) {
    case KB_KEY_LEFT:
        prompt->cursor = before(prompt, prompt->cursor);
        return true;
    case KB_KEY_RIGHT:
        prompt->cursor = after(prompt, prompt->cursor);
        return true;
    case KB_KEY_HOME:
    case CONTROL_A:
        prompt->cursor = 0;
        return true;
    case KB_KEY_END:
    case CONTROL_E:
        prompt->cursor = prompt->length;
        return true;
    case KB_KEY_BACKSPACE:
    case CONTROL_H:
        erase_between(prompt, before(prompt, prompt->cursor), prompt->cursor);
        return true;
    case KB_KEY_DELETE:
        erase_between(prompt, prompt->cursor, after(prompt, prompt->cursor));
        return true;
    case CONTROL_K:
        erase_between(prompt, prompt->cursor, prompt->length);
        return true;
    case CONTROL_U:
        erase_between(prompt, 0, prompt->cursor);
        return true;
    case CONTROL_W:
        erase_word(prompt);
        return true;
    default:
        if (key < ' ' || key >= 0x110000)
            return false;
        insert(prompt, (char32_t)key);
        return true;
    }
}

/* --- commands ----------------------------------------------------------------------------- */
static const struct {
    const char *name;
    kb_order order;
    const char *usage;
} orders[] = {
    {"bind", KB_ORDER_BIND, "KEY COMMAND"},
    {"cancel", KB_ORDER_CANCEL, ""},
    {"export", KB_ORDER_EXPORT, "FILE"},
    {"filter", KB_ORDER_FILTER, "TEXT"},
    {"goto", KB_ORDER_GOTO, "VIEW, SESSION or OBJECT"},
    {"help", KB_ORDER_HELP, ""},
    {"k", KB_ORDER_K, "NUMBER or auto"},
    {"quit", KB_ORDER_QUIT, ""},
    {"retrain", KB_ORDER_RETRAIN, ""},
    {"sort", KB_ORDER_SORT, "COLUMN"},
    {"write", KB_ORDER_WRITE, "FILE"},
};

enum { ORDERS = sizeof orders / sizeof *orders };

const char *kb_order_usage(kb_order order)
{
    for (size_t i = 0; i < ORDERS; i++)
        if (orders[i].order == order)
            return orders[i].usage;
    return "";
}

static kb_order find_order(const char *name)
{
    kb_order found = KB_ORDER_UNKNOWN;
    size_t length = strlen(name);
    for (size_t i = 0; i < ORDERS; i++) {
        if (strcmp(orders[i].name, name) == 0)
            return orders[i].order;
        if (strncmp(orders[i].name, name, length) == 0)
            found = found == KB_ORDER_UNKNOWN ? orders[i].order : KB_ORDER_AMBIGUOUS;
    }
    return found;
}

kb_order_line kb_order_parse(const char *line)
{
    kb_order_line out = {.order = KB_ORDER_NONE, .argument = ""};
    line += strspn(line, " :");
    size_t length = strcspn(line, " !");
    if (length == 0)
        return out;
    snprintf(out.name, sizeof out.name, "%.*s", length < sizeof out.name ? (int)length : 31, line);
    out.order = find_order(out.name);
    line += length;
    out.forced = *line == '!';
    line += out.forced;
    out.argument = line + strspn(line, " ");
    return out;
}

/* Candidates that begin with what is there, and how far they agree. */
struct agreement {
    const char *first;
    size_t count, common;
};

static void agree(struct agreement *agreement, const char *text, size_t length,
                  const char *candidate, char *shown, size_t size)
{
    if (strncmp(candidate, text, length) != 0)
        return;
    if (agreement->count++ == 0) {
        agreement->first = candidate;
        agreement->common = strlen(candidate);
    }
    while (strncmp(candidate, agreement->first, agreement->common) != 0)
        agreement->common--;
    while (agreement->common > 0 && continues(agreement->first[agreement->common]))
        agreement->common--;
    size_t used = strlen(shown);
    if (used + strlen(candidate) + 2 < size)
        snprintf(shown + used, size - used, "%s%s", used ? "  " : "", candidate);
}

static void agree_on_all(struct agreement *agreement, kb_order order, bool naming, const char *text,
                         kb_candidates *candidates, void *ctx, char *shown, size_t size)
{
    const char *candidate;
    if (naming) {
        for (size_t i = 0; i < ORDERS; i++)
            agree(agreement, text, strlen(text), orders[i].name, shown, size);
        return;
    }
    for (size_t i = 0; candidates && (candidate = candidates(ctx, order, i)); i++)
        agree(agreement, text, strlen(text), candidate, shown, size);
}

size_t kb_prompt_complete(kb_prompt *prompt, kb_candidates *candidates, void *ctx, char *shown,
                          size_t size)
{
    char word[KB_PROMPT_MAX];
    kb_order_line line = kb_order_parse(prompt->text);
    bool naming = !strchr(prompt->text, ' ');
    size_t from = naming ? 0 : (size_t)(line.argument - prompt->text);
    struct agreement agreement = {0};
    shown[0] = '\0';
    if (!naming && line.order <= KB_ORDER_AMBIGUOUS)
        return 0;
    snprintf(word, sizeof word, "%s", prompt->text + from);
    agree_on_all(&agreement, line.order, naming, word, candidates, ctx, shown, size);
    if (agreement.count && from + agreement.common + 2 < sizeof prompt->text) {
        memcpy(prompt->text + from, agreement.first, agreement.common);
        prompt->text[from + agreement.common] = '\0';
        if (agreement.count == 1 && naming)
            strcat(prompt->text, " ");
    }
    prompt->length = prompt->cursor = strlen(prompt->text);
    if (agreement.count < 2)
        shown[0] = '\0';
    return agreement.count;
}
