/* ngrams: what users did before the app went away without saying so. */
#include <stdlib.h>
#include <sys/stat.h>

#include "memory.h"
#include "verbs.h"
#include "work.h"

typedef struct ngram_work {
    const cli_options *options;
    cli_console console;
    kb_events *events;
    kb_ngrams found;
} ngram_work;

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static kb_status read_events(ngram_work *n, const char *const *paths, size_t count,
                             const kb_progress *progress, kb_error *err)
{
    bool strict = n->options->reading.strict;
    kb_problem_listener listener = {strict ? NULL : cli_tell_problem, &n->console};
    kb_problems *problems = kb_problems_create(listener);
    if (!problems)
        return kb_fail_memory(err, "a list of problems");
    kb_status status = kb_events_load(&n->events, paths, count, strict, problems, progress, err);
    kb_problems_free(problems);
    cli_sum_problems(&n->console, n->options->operand);
    return status;
}

static kb_status read_folder(ngram_work *n, const kb_progress *progress, kb_error *err)
{
    const char *folder = n->options->operand;
    kb_paths paths;
    kb_status status = kb_paths_list(&paths, folder, "events", err);
    if (status)
        return status;
    if (paths.count)
        status = read_events(n, (const char *const *)paths.items, paths.count, progress, err);
    else
        status = kb_fail(err, KB_ERR_FORMAT, "%s: no events*.csv or events*.csv.gz in it", folder);
    kb_paths_free(&paths);
    return status;
}

static kb_status count_ngrams(void *ctx, const kb_progress *progress, kb_error *err)
{
    ngram_work *n = ctx;
    const char *path = n->options->operand;
    kb_status status =
        is_folder(path) ? read_folder(n, progress, err) : read_events(n, &path, 1, progress, err);
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
    output *out =
        output_open(stdout, (output_format)n->options->format, columns, events + 2, false);
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
    return status;
}
