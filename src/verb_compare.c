/* compare: what became of the clusters from one model to another, or of one model's from one corpus
 * to another. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "judgement.h"
#include "modelfile.h"
#include "verbs.h"

typedef struct comparing {
    cli_judgement judgement;
    kb_comparison result;
} comparing;

static kb_status compare(void *ctx, const kb_progress *progress, kb_error *err)
{
    comparing *c = ctx;
    kb_status status = cli_judge(&c->judgement, progress, err);
    return status ? status : cli_compare(&c->judgement, &c->result, err);
}

/* Two models, or two corpora: by what the files begin with. Beside a model, what cannot be read is
 * taken for one, so that loading it tells why. */
static int find_sides(cli_judgement *j, const cli_options *o)
{
    const char *a = o->operands[0], *b = o->operands[1];
    bool models = kb_model_looks_like(a), alike = models == kb_model_looks_like(b);
    if (!alike && access(models ? b : a, R_OK) != 0)
        models = alike = true;
    if (!alike)
        return cli_usage_error(
            CLI_COMPARE,
            "'%s' is a model and '%s' is not: compare two models, or two corpora "
            "with -m MODEL",
            models ? a : b, models ? b : a);
    if (models && o->model)
        return cli_usage_error(CLI_COMPARE,
                               "-m belongs to the comparison of two corpora; %s and %s "
                               "are models",
                               a, b);
    if (!models && !o->model)
        return cli_usage_error(CLI_COMPARE,
                               "which model? Give it with -m MODEL, or name two models");
    if (!models && (o->corpus || o->corpus_b))
        return cli_usage_error(CLI_COMPARE, "--corpus%s belongs to the comparison of two models",
                               o->corpus ? "" : "-b");
    if (o->corpus_b && !o->corpus)
        return cli_usage_error(CLI_COMPARE, "--corpus-b needs --corpus");
    j->name_a = models ? a : o->model;
    j->name_b = models ? b : o->model;
    j->corpora[0] = models ? o->corpus : a;
    j->corpora[1] = models ? o->corpus_b : b;
    if (j->corpora[1] && !strcmp(j->corpora[0], "-") && !strcmp(j->corpora[1], "-"))
        return cli_usage_error(CLI_COMPARE, "standard input cannot be both corpora");
    return CLI_DONE;
}

/* A number and its name, or "emerging" with none. */
static void write_cluster(output *out, const kb_model *model, uint32_t number, bool emerging)
{
    if (number)
        output_count(out, number);
    else if (emerging)
        output_text(out, "emerging");
    else
        output_missing(out);
    output_text(out, number ? kb_model_cluster_name(model, number) : "");
}

static void write_row(output *out, const comparing *c, const kb_change_row *row)
{
    const cli_judgement *j = &c->judgement;
    bool emerging = !row->a && !row->b, members = c->result.kind == KB_MATCH_MEMBERS;
    write_cluster(out, j->a, row->a, emerging);
    write_cluster(out, j->b, row->b, emerging);
    output_text(out, kb_change_name(row->change));
    if (members)
        output_count(out, row->shared);
    else
        output_missing(out);
    output_real(out, row->jaccard);
    output_real(out, row->a_in_b);
    output_real(out, row->b_in_a);
    output_real(out, row->similarity);
    output_count(out, row->sessions_a);
    output_real(out, row->share_a);
    output_count(out, row->sessions_b);
    output_real(out, row->share_b);
    output_real(out, row->p);
    output_real(out, row->q);
}

static int write_comparison(comparing *c)
{
    static const output_column columns[] = {
        {.name = "cluster_a"},     {"name_a", .drop = 1},     {.name = "cluster_b"},
        {"name_b", .drop = 2},     {.name = "change"},        {"shared", .drop = 6},
        {"jaccard", .drop = 10},   {"a_in_b", .drop = 11},    {"b_in_a", .drop = 12},
        {"similarity", .drop = 7}, {"sessions_a", .drop = 8}, {"share_a", .drop = 3},
        {"sessions_b", .drop = 9}, {"share_b", .drop = 4},    {"p", .drop = 13},
        {"q", .drop = 5}};
    const cli_work *work = &c->judgement.work;
    output *out = cli_output(work, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < c->result.count; i++)
        write_row(out, c, &c->result.rows[i]);
    return cli_finish_output(&c->judgement.work.console, out);
}

int verb_compare(const cli_options *options)
{
    comparing c = {0};
    int status = find_sides(&c.judgement, options);
    if (status)
        return status;
    cli_work_start(&c.judgement.work, options);
    status = cli_run(&c.judgement.work.console, compare, &c);
    if (status == CLI_DONE)
        status = write_comparison(&c);
    kb_comparison_clear(&c.result);
    return cli_judgement_end(&c.judgement, status);
}
