#include "histogram.h"

#include <stdbool.h>
#include <string.h>

static const char *skip_blanks(const char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

static const char *skip_digits(const char *s)
{
    while (*s >= '0' && *s <= '9')
        s++;
    return s;
}

/* --- a row ------------------------------------------------------------------------------- */
/* The digits at *S up to a blank; *S moves behind them. */
static const char *take_number(const char **s, uint64_t *value, const char *missing)
{
    const char *start = skip_blanks(*s), *end = skip_digits(start);
    if (end == start || (*end != ' ' && *end != '\t' && *end != '\0'))
        return missing;
    *value = 0;
    for (const char *d = start; d < end; d++)
        if (__builtin_mul_overflow(*value, 10u, value) ||
            __builtin_add_overflow(*value, (uint64_t)(*d - '0'), value))
            return "a number beyond 64 bits";
    *s = end;
    return NULL;
}

/* S is behind the colon. The class's name ends where its module begins, or with the line. */
static void parse_row(kb_histogram_row *row, const char *s, const char *end)
{
    *row = (kb_histogram_row){0};
    row->wrong = take_number(&s, &row->instances, "no number of instances");
    if (!row->wrong)
        row->wrong = take_number(&s, &row->bytes, "no number of bytes");
    if (row->wrong)
        return;
    s = skip_blanks(s);
    const char *module = strstr(s, " (");
    if (module)
        end = module;
    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    row->class = s;
    row->length = (size_t)(end - s);
    if (end == s)
        row->wrong = "no name of a class";
}

size_t kb_histogram_address(const char *s, const char *end)
{
    const char *start = s + 1;
    if ((*s != '/' && *s != '+') || start == end)
        return 0;
    bool hex = end - start > 2 && start[0] == '0' && start[1] == 'x';
    if (*s == '+' && !hex)
        return 0;
    start += hex ? 2 : 0;
    const char *d = start;
    while (d < end && ((*d >= '0' && *d <= '9') || (hex && *d >= 'a' && *d <= 'f')))
        d++;
    return d > start && (d == end || *d == ';') ? (size_t)(d - s) : 0;
}

/* --- lines ------------------------------------------------------------------------------- */
enum kind { BLANK, HEADER, RULE, FIRST_ROW, ROW, BAD_ROW, TOTAL, PROCESS, OTHER };

static enum kind classify(const char *text, size_t length, kb_histogram_row *row)
{
    const char *s = skip_blanks(text), *number = skip_digits(s);
    *row = (kb_histogram_row){0};
    if (!*s)
        return BLANK;
    if (strstr(s, "num ") && strstr(s, "#instances"))
        return HEADER;
    if (number > s && *number == ':') {
        if (!*skip_blanks(number + 1)) /* jcmd names the process before what it has to say */
            return PROCESS;
        parse_row(row, number + 1, text + length);
        return row->wrong ? BAD_ROW : number - s == 1 && *s == '1' ? FIRST_ROW : ROW;
    }
    if (strncmp(s, "---", 3) == 0)
        return RULE;
    return strncmp(s, "Total ", 6) == 0 ? TOTAL : OTHER;
}

static kb_histogram_step take_row(kb_histogram_place *place, bool first)
{
    if (*place == KB_HISTOGRAM_BEHIND)
        return KB_HISTOGRAM_NO_HEADER;
    bool cut = first && *place == KB_HISTOGRAM_ROWS;
    *place = KB_HISTOGRAM_ROWS;
    return cut ? KB_HISTOGRAM_CUT : KB_HISTOGRAM_ROW;
}

kb_histogram_step kb_histogram_line(kb_histogram_place *place, const char *text, size_t length,
                                    kb_histogram_row *row)
{
    bool in = kb_histogram_is_in(*place);
    kb_histogram_step odd =
        *place == KB_HISTOGRAM_BEFORE ? KB_HISTOGRAM_NOTHING : KB_HISTOGRAM_STRAY;
    enum kind kind = classify(text, length, row);
    switch (kind) {
    case HEADER:
        *place = KB_HISTOGRAM_HEAD;
        return in ? KB_HISTOGRAM_CUT : KB_HISTOGRAM_BEGIN;
    case FIRST_ROW:
    case ROW:
        return take_row(place, kind == FIRST_ROW);
    case BAD_ROW:
        return in ? KB_HISTOGRAM_BAD_ROW : odd;
    case TOTAL:
        *place = in ? KB_HISTOGRAM_BEHIND : *place;
        return in ? KB_HISTOGRAM_END : odd;
    case PROCESS:
        return in ? KB_HISTOGRAM_STRAY : KB_HISTOGRAM_NOTHING;
    case OTHER:
        return odd;
    case BLANK:
    case RULE:
        break;
    }
    return KB_HISTOGRAM_NOTHING;
}
