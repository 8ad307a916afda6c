/* check: every problem of a corpus, as it is found, and then what the corpus holds. */
#include <pthread.h>

#include "describe.h"
#include "verbs.h"
#include "work.h"

typedef struct checking {
    cli_work work;
    output *out; /* written by the job's thread until that has ended, then by the main thread */
    uint64_t problems; /* likewise */
} checking;

static void write_row(checking *c, const char *text)
{
    output_text(c->out, "problem");
    output_text(c->out, text);
    c->problems++;
}

static void write_problem(void *ctx, const kb_problem *problem)
{
    enum { TEXT_ROOM = 8192 };
    char text[TEXT_ROOM];
    write_row(ctx, kb_problem_text(problem, text, sizeof text));
}

static kb_status check(void *ctx, const kb_progress *progress, kb_error *err)
{
    checking *c = ctx;
    kb_status status = kb_pool_create(&c->work.pool, c->work.options->threads, err);
    if (status)
        return status;
    kb_corpus_options reading = cli_reading(&c->work);
    reading.problem = (kb_problem_listener){write_problem, c};
    reading.survey = true;
    status = kb_corpus_load(&c->work.corpus, c->work.options->operand, &reading, progress, err);
    bool told = reading.strict && c->problems; /* the error is the problem above */
    if ((status == KB_ERR_IO || status == KB_ERR_FORMAT) && !told)
        write_row(c, err->text); /* there is no corpus, and that is a finding too */
    return status;
}

enum { ITEM_WIDTH = 32 }; /* "problems: wrong number of fields" */

int verb_check(const cli_options *options)
{
    static const output_column columns[] = {{"item", .width = ITEM_WIDTH},
                                            {"value", .whole = true}};
    checking c = {0};
    cli_work_start(&c.work, options);
    c.out = output_open(stdout, (output_format)options->format, columns, 2, true);
    int status = cli_run(&c.work.console, check, &c);
    if (status == CLI_DONE)
        cli_describe_corpus(c.out, c.work.corpus);
    int written = cli_finish_output(&c.work.console, c.out);
    if (status == CLI_DONE)
        status = written;
    status = cli_work_end(&c.work, status);
    return status == CLI_DONE && c.problems ? CLI_FAILED : status;
}
