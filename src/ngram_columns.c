#include "ngram_columns.h"

#include <stdio.h>

/* Where a terminal is narrow. The length shows in the events as well; their names may be shortened
 * so far before columns of numbers are left out. */
enum { DROP_N = 20, EVENT_LEAST = 14 };

void cli_ngram_columns_init(cli_ngram_columns *columns, const kb_ngram_options *lengths,
                            const output_column *first, const output_column *last)
{
    size_t count = 0;
    for (; first->name; first++)
        columns->items[count++] = *first;
    if (lengths->least < lengths->most)
        columns->items[count++] = (output_column){"n", .drop = DROP_N};
    for (size_t e = 0; e + 1 < lengths->most; e++) {
        snprintf(columns->events[e], sizeof columns->events[e], "e%zu", e);
        columns->items[count++] = (output_column){columns->events[e], .least = EVENT_LEAST};
    }
    for (; last->name; last++)
        columns->items[count++] = *last;
    columns->count = count;
}

void cli_write_ngram(output *out, const kb_events *events, const kb_ngram_options *lengths,
                     size_t n, const uint32_t *row)
{
    if (lengths->least < lengths->most)
        output_count(out, n);
    for (size_t e = 0; e + 1 < lengths->most; e++) {
        if (row[e] == KB_NAME_NONE)
            output_missing(out);
        else
            output_text(out, kb_events_kind_name(events, row[e]));
    }
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

void cli_note_truncations(cli_console *console, const kb_truncations *t)
{
    char text[256];
    uint64_t first = t->left_out[KB_LEFT_FIRST], after = t->left_out[KB_LEFT_AFTER];
    uint64_t before = t->left_out[KB_LEFT_BEFORE], sum = first + after + before;
    if (t->unknown) {
        snprintf(text, sizeof text, "%zu event%s to exclude starts by %s not in the log",
                 t->unknown, plural(t->unknown), t->unknown == 1 ? "is" : "are");
        cli_note(console, text);
    }
    if (!sum)
        return;
    snprintf(text, sizeof text,
             "%llu of %llu starts excluded: %llu the first of a user, %llu after an event, %llu "
             "before one",
             (unsigned long long)sum, (unsigned long long)(sum + t->count),
             (unsigned long long)first, (unsigned long long)after, (unsigned long long)before);
    cli_note(console, text);
}

void cli_note_folded(cli_console *console, size_t folded)
{
    char text[96];
    if (!folded)
        return;
    snprintf(text, sizeof text, "%zu shorter row%s folded into longer ones", folded,
             plural(folded));
    cli_note(console, text);
}
