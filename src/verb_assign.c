/* assign: each session's cluster, its distance and its novelty. Of a corpus all at the end, by
 * name; of standard input each as soon as its session is complete. */
#include <string.h>
#include <unistd.h>

#include "label_rows.h"
#include "sweep.h"
#include "verbs.h"
#include "work.h"

/* --- a corpus ---------------------------------------------------------------------------- */
typedef struct assigning {
    cli_work work;
    kb_sweep sweep; /* with items where the corpus is not held in memory */
} assigning;

/* Half of the machine's memory, unless --memory says otherwise. */
static uint64_t memory_limit(const cli_options *options)
{
    long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGE_SIZE);
    if (options->memory)
        return (uint64_t)options->memory << 20;
    return pages > 0 && bytes > 0 ? (uint64_t)pages / 2 * (uint64_t)bytes : UINT64_MAX;
}

static bool is_too_large(const cli_options *options)
{
    return !options->reading.strict && kb_sweep_estimate(options->operand) > memory_limit(options);
}

/* What was found wrong is told once it is known that the result stands. */
static void tell_problems(assigning *a)
{
    const kb_problems *problems = a->sweep.problems;
    for (size_t i = 0; i < kb_problems_kept(problems); i++) {
        kb_problem problem = kb_problems_get(problems, i);
        cli_tell_problem(&a->work.console, &problem);
    }
    cli_sum_problems(&a->work.console, a->work.options->operand);
}

static kb_status sweep(assigning *a, const kb_progress *progress, kb_error *err)
{
    cli_work *work = &a->work;
    const cli_options *options = work->options;
    kb_corpus_options reading = cli_reading(work);
    int split = options->split == CLI_SPLIT_ALL ? KB_SPLITS : (int)options->split;
    kb_status status = kb_pool_create(&work->pool, options->threads, err);
    if (!status)
        status = cli_load_model(work, &reading, err);
    if (!status)
        status = kb_sweep_assign(&a->sweep, options->operand, work->model, &reading, split,
                                 work->pool, progress, err);
    if (!status && !a->sweep.spread) {
        tell_problems(a);
        return KB_OK;
    }
    if (!status)
        cli_note(&work->console, "rows of a session lie far apart: the corpus is read into memory");
    kb_sweep_clear(&a->sweep);
    kb_model_free(work->model);
    kb_pool_free(work->pool);
    work->model = NULL;
    work->pool = NULL;
    return status;
}

static kb_status assign(void *ctx, const kb_progress *progress, kb_error *err)
{
    assigning *a = ctx;
    kb_status status = is_too_large(a->work.options) ? sweep(a, progress, err) : KB_OK;
    if (status || a->sweep.names)
        return status;
    status = cli_work_load(&a->work, progress, err);
    return status ? status : cli_work_assign(&a->work, progress, err);
}

static int write_assignments(assigning *a)
{
    cli_work *work = &a->work;
    output *out = cli_output(work, cli_label_columns, CLI_LABEL_COLUMNS);
    for (size_t i = 0; i < a->sweep.count; i++)
        cli_write_label(out, a->sweep.items[i].name, &a->sweep.items[i].assigned);
    for (size_t i = 0; i < work->count; i++)
        cli_write_label(out, cli_work_session(work, i)->name, &work->assigned[i]);
    return cli_finish_output(&work->console, out);
}

static int assign_corpus(const cli_options *options)
{
    assigning a = {0};
    cli_work_start(&a.work, options);
    int status = cli_run(&a.work.console, assign, &a);
    if (status == CLI_DONE)
        status = write_assignments(&a);
    status = cli_end_damaged(&a.work.console, a.sweep.damaged, status);
    kb_sweep_clear(&a.sweep);
    return cli_work_end(&a.work, status);
}

/* --- standard input ---------------------------------------------------------------------- */
typedef struct filtering {
    cli_work work;
    output *out;
    kb_filter_result result;
} filtering;

static kb_status take_labels(void *ctx, const kb_labels *labels, kb_error *err)
{
    filtering *f = ctx;
    return cli_write_labels(f->out, labels, "standard output", err);
}

static kb_status filter(void *ctx, const kb_progress *progress, kb_error *err)
{
    filtering *f = ctx;
    cli_work *work = &f->work;
    const cli_options *options = work->options;
    kb_corpus_options reading = cli_reading(work);
    kb_filter_options filtering_options = options->filtering;
    filtering_options.strict = reading.strict;
    filtering_options.columns = reading.columns;
    filtering_options.problem = reading.problem;
    kb_status status = kb_pool_create(&work->pool, options->threads, err);
    if (!status)
        status = cli_load_model(work, &reading, err);
    if (!status)
        status = kb_filter(&f->result, options->operand, work->model, &filtering_options,
                           (kb_label_sink){take_labels, f}, work->pool, progress, err);
    return status;
}

/* Late rows are missing from labels that were written, which is a failure, like a damage. */
static int tell_late(filtering *f, int status)
{
    unsigned long long late = f->result.count.late;
    if (status != CLI_DONE || !late)
        return status;
    cli_say(&f->work.console,
            "%llu row%s came after the label of %s session (more may be open: --open)", late,
            late == 1 ? "" : "s", late == 1 ? "its" : "their");
    return CLI_FAILED;
}

static int assign_stream(const cli_options *options)
{
    filtering f = {0};
    cli_work_start(&f.work, options);
    f.out = output_open_rows(stdout, (output_format)options->format, cli_label_columns,
                             CLI_LABEL_COLUMNS, true);
    int status = cli_run(&f.work.console, filter, &f);
    cli_sum_problems(&f.work.console, options->operand);
    status = tell_late(&f, status);
    status = cli_end_damaged(&f.work.console, f.result.damaged, status);
    int written = cli_finish_output(&f.work.console, f.out);
    return cli_work_end(&f.work, status == CLI_DONE ? written : status);
}

int verb_assign(const cli_options *options)
{
    return strcmp(options->operand, "-") == 0 ? assign_stream(options) : assign_corpus(options);
}
