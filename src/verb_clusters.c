/* clusters: how many sessions each has, and how that changes by day and by version. */
#include <math.h>
#include <stdlib.h>

#include "tally.h"
#include "verbs.h"
#include "work.h"

typedef struct counting {
    cli_work work;
    kb_tally tallies[KB_TALLY_BYS]; /* those that are asked for */
} counting;

static bool wanted(const counting *c, unsigned by)
{
    unsigned asked = c->work.options->tally_by;
    return asked == CLI_TALLY_ALL || asked == by + 1;
}

static kb_status count(void *ctx, const kb_progress *progress, kb_error *err)
{
    counting *c = ctx;
    cli_work *work = &c->work;
    kb_status status = cli_work_load(work, progress, err);
    if (!status)
        status = cli_work_assign(work, progress, err);
    for (unsigned by = 0; !status && by < KB_TALLY_BYS; by++) {
        kb_tally_options options = work->options->tally;
        options.by = (kb_tally_by)by;
        if (wanted(c, by))
            status = kb_tally_of(&c->tallies[by], work->model, work->corpus, work->sessions,
                                 work->assigned, work->count, &options, err);
    }
    return status;
}

static void write_cluster(output *out, const kb_model *model, uint32_t number)
{
    if (number)
        output_count(out, number);
    else
        output_text(out, "emerging");
    output_text(out, number ? kb_model_cluster_name(model, number) : "");
}

static void write_test(output *out, const kb_tally_row *row)
{
    output_real(out, row->trend.statistic);
    output_real(out, row->trend.p);
    output_real(out, row->q);
}

static int write_totals(counting *c)
{
    static const output_column columns[] = {
        {.name = "cluster"},       {.name = "name"},         {.name = "sessions"},
        {"share", .drop = 1},      {"share_low", .drop = 6}, {"share_high", .drop = 7},
        {"users", .drop = 3},      {"emerging", .drop = 2},  {"day_trend", .drop = 8},
        {"day_p", .drop = 10},     {"day_q", .drop = 4},     {"version_trend", .drop = 9},
        {"version_p", .drop = 11}, {"version_q", .drop = 5}};
    const kb_tally *days = &c->tallies[KB_BY_DAY], *versions = &c->tallies[KB_BY_VERSION];
    output *out = cli_output(&c->work, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < days->row_count; i++) {
        const kb_tally_row *row = &days->rows[i];
        write_cluster(out, c->work.model, row->cluster);
        output_count(out, row->sessions);
        output_real(out, row->share);
        output_real(out, row->interval.low);
        output_real(out, row->interval.high);
        output_count(out, row->users);
        output_count(out, row->emerging);
        write_test(out, row);
        write_test(out, &versions->rows[i]);
    }
    return cli_finish_output(&c->work.console, out);
}

static void write_cell(output *out, const counting *c, const kb_tally_row *row,
                       const kb_tally_group *group, const kb_tally_cell *cell)
{
    kb_interval interval = kb_wilson(cell->sessions, group->sessions);
    write_cluster(out, c->work.model, row->cluster);
    output_text(out, group->name);
    output_count(out, cell->sessions);
    output_count(out, group->sessions);
    output_real(out,
                group->sessions ? (double)cell->sessions / (double)group->sessions : (double)NAN);
    output_real(out, interval.low);
    output_real(out, interval.high);
    output_count(out, cell->users);
    write_test(out, row);
}

static int write_groups(counting *c, kb_tally_by by)
{
    const output_column columns[] = {
        {.name = "cluster"},      {.name = "name"},          {.name = kb_tally_by_name(by)},
        {.name = "sessions"},     {"of", .drop = 3},         {"share", .drop = 1},
        {"share_low", .drop = 6}, {"share_high", .drop = 7}, {"users", .drop = 4},
        {"trend", .drop = 5},     {"p", .drop = 8},          {"q", .drop = 2}};
    const kb_tally *tally = &c->tallies[by];
    output *out = cli_output(&c->work, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < tally->row_count; i++)
        for (size_t g = 0; g < tally->group_count; g++)
            write_cell(out, c, &tally->rows[i], &tally->groups[g], &tally->rows[i].cells[g]);
    return cli_finish_output(&c->work.console, out);
}

int verb_clusters(const cli_options *options)
{
    counting c = {0};
    cli_work_start(&c.work, options);
    int status = cli_run(&c.work.console, count, &c);
    if (status == CLI_DONE)
        status = options->tally_by == CLI_TALLY_ALL
                     ? write_totals(&c)
                     : write_groups(&c, (kb_tally_by)(options->tally_by - 1));
    for (unsigned by = 0; by < KB_TALLY_BYS; by++)
        kb_tally_clear(&c.tallies[by]);
    return cli_work_end(&c.work, status);
}
