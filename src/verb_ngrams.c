/* ngrams: what users did before the app went away without saying so. */
#include <stdlib.h>

#include "memory.h"
#include "verbs.h"
#include "work.h"

typedef struct ngram_work {
    const cli_options *options;
    cli_console console;
    kb_events *events;
    size_t damaged; /* files whose end is lost */
    kb_ngrams found;
} ngram_work;

static kb_status read_inputs(ngram_work *n, const kb_files *inputs, const kb_column_names *names,
                             const kb_progress *progress, kb_error *err)
{
    bool strict = n->options->reading.strict;
    kb_reading_count count = {.total = kb_files_bytes(inputs)};
    kb_reading reading = {.strict = strict,
                          .problems = kb_problems_create(
                              (kb_problem_listener){strict ? NULL : cli_tell_problem, &n->console}),
                          .count = &count,
                          .progress = progress};
    if (!reading.problems)
        return kb_fail_memory(err, "a list of problems");
    kb_status status = kb_pool_create(&reading.pool, n->options->threads, err);
    if (!status)
        status = kb_events_load(&n->events, inputs->items, inputs->count, names, &reading, err);
    kb_pool_free(reading.pool);
    n->damaged = (size_t)kb_problems_of_kind(reading.problems, KB_PROBLEM_DAMAGE);
    kb_problems_free(reading.problems);
    cli_sum_problems(&n->console, n->options->operand);
    return status;
}

static kb_status read_events(ngram_work *n, const kb_progress *progress, kb_error *err)
{
    kb_column_names names;
    kb_files inputs = {0};
    kb_status status = kb_column_names_parse(&names, n->options->reading.columns, err);
    if (!status)
        status = kb_files_of_events(&inputs, n->options->operand, err);
    if (!status)
        status = read_inputs(n, &inputs, &names, progress, err);
    kb_files_free(&inputs);
    kb_column_names_clear(&names);
    return status;
}

static kb_status count_ngrams(void *ctx, const kb_progress *progress, kb_error *err)
{
    ngram_work *n = ctx;
    kb_status status = read_events(n, progress, err);
    return status ? status
                  : kb_ngrams_of(&n->found, n->events, NULL, &n->options->ngrams, progress, err);
}

static void write_rows(ngram_work *n, output *out)
{
    size_t top = n->options->top;
    for (size_t i = 0; i < n->found.count && (!top || i < top); i++) {
        const kb_ngram_row *row = &n->found.rows[i];
        for (size_t e = 0; e + 1 < n->found.n; e++) {
            if (row->events[e] == KB_NAME_NONE)
                output_missing(out);
            else
                output_text(out, kb_events_kind_name(n->events, row->events[e]));
        }
        output_count(out, row->count);
        output_count(out, row->users);
    }
}

static int write_ngrams(ngram_work *n)
{
    enum { MOST = 64, NAME_ROOM = 24 }; /* n is at most 64 */
    char names[MOST][NAME_ROOM];
    const char *columns[MOST + 1];
    size_t events = n->found.n - 1;
    for (size_t e = 0; e < events; e++) {
        snprintf(names[e], NAME_ROOM, "e%zu", e);
        columns[e] = names[e];
    }
    columns[events] = "count";
    columns[events + 1] = "users";
    output *out = output_open(stdout, (output_format)n->options->format, columns, events + 2, 0);
    if (out)
        write_rows(n, out);
    return cli_finish_output(&n->console, out);
}

int verb_ngrams(const cli_options *options)
{
    ngram_work n = {.options = options};
    cli_console_start(&n.console, options);
    int status = cli_run(&n.console, count_ngrams, &n);
    if (status == CLI_DONE)
        status = write_ngrams(&n);
    kb_ngrams_clear(&n.found);
    kb_events_free(n.events);
    return cli_end_damaged(&n.console, n.damaged, status);
}
