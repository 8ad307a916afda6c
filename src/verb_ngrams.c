/* ngrams: what users did before the app went away without saying so. */
#include <stdlib.h>

#include "memory.h"
#include "ngram_columns.h"
#include "ngrams.h"
#include "verbs.h"
#include "work.h"

typedef struct ngram_work {
    const cli_options *options;
    cli_console console;
    kb_events *events;
    size_t damaged; /* files whose end is lost */
    kb_truncations truncations;
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
    if (!status)
        status = kb_truncations_find(&n->truncations, n->events, NULL, &n->options->starts,
                                     progress, err);
    return status ? status
                  : kb_ngrams_of(&n->found, n->events, &n->truncations, &n->options->lifts.ngrams,
                                 progress, err);
}

static void write_rows(ngram_work *n, output *out)
{
    size_t top = n->options->top;
    for (size_t i = 0; i < n->found.count && (!top || i < top); i++) {
        const kb_ngram_row *row = &n->found.rows[i];
        cli_write_ngram(out, n->events, &n->options->lifts.ngrams, row->n, row->events);
        output_count(out, row->count);
        output_count(out, row->users);
    }
}

static int write_ngrams(ngram_work *n)
{
    static const output_column first[] = {{.name = NULL}},
                               last[] = {{.name = "count"}, {"users", .drop = 1}, {.name = NULL}};
    cli_ngram_columns columns;
    cli_ngram_columns_init(&columns, &n->options->lifts.ngrams, first, last);
    cli_note_truncations(&n->console, &n->truncations);
    cli_note_folded(&n->console, n->found.folded);
    output *out =
        output_open(stdout, (output_format)n->options->format, columns.items, columns.count, false);
    if (out)
        write_rows(n, out);
    return cli_finish_output(&n->console, out);
}

int verb_ngrams(const cli_options *options)
{
    if (options->model || options->where.count || options->sessions)
        return cli_cluster_ngrams(options);
    ngram_work n = {.options = options};
    cli_console_start(&n.console, options);
    int status = cli_run(&n.console, count_ngrams, &n);
    if (status == CLI_DONE)
        status = write_ngrams(&n);
    kb_ngrams_clear(&n.found);
    kb_truncations_clear(&n.truncations);
    kb_events_free(n.events);
    return cli_end_damaged(&n.console, n.damaged, status);
}
