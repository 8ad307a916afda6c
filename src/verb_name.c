/* name: what users call the clusters of a model. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "judgement.h"
#include "memory.h"
#include "modelfile.h"
#include "verbs.h"

typedef struct naming {
    cli_judgement judgement; /* with --from: A is OLD, B is MODEL. Otherwise A is MODEL */
    kb_comparison comparison;
    bool *carried;   /* by row of the comparison */
    uint32_t number; /* the cluster to be named */
    struct stat before;
} naming;

/* --- the file ----------------------------------------------------------------------------- */
/* A file is renamed over the old one, so that it alone would not be asked whether it may be
 * written. */
static kb_status check_writable(naming *n, const char *path, kb_error *err)
{
    if (stat(path, &n->before) != 0)
        return kb_fail_errno(err, path, "cannot be read", errno);
    if (S_ISREG(n->before.st_mode) && !(n->before.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)))
        return kb_fail_errno(err, path, "cannot be written", EACCES);
    return cli_check_target(path, err);
}

/* A calibration that ended meanwhile must not be undone. */
static kb_status check_unchanged(const naming *n, const char *path, kb_error *err)
{
    struct stat now;
    if (stat(path, &now) != 0)
        return kb_fail_errno(err, path, "is not there any more", errno);
    if (now.st_dev != n->before.st_dev || now.st_ino != n->before.st_ino ||
        now.st_size != n->before.st_size || now.st_mtim.tv_sec != n->before.st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != n->before.st_mtim.tv_nsec)
        return kb_fail(err, KB_ERR_IO, "%s: was changed meanwhile; nothing was written", path);
    return KB_OK;
}

static kb_status save(const naming *n, const kb_model *model, const kb_progress *progress,
                      kb_error *err)
{
    const char *path = n->judgement.work.options->operand;
    kb_status status = check_unchanged(n, path, err);
    if (status || kb_cancelled(progress))
        return status ? status : kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    kb_progress_report(progress, cli_phase_writing, 0, 0);
    return kb_model_save(model, path, err);
}

/* --- three things that it does ------------------------------------------------------------ */
static kb_status list(void *ctx, const kb_progress *progress, kb_error *err)
{
    naming *n = ctx;
    (void)progress;
    return kb_model_load(&n->judgement.a, n->judgement.name_a, err);
}

static kb_status give(void *ctx, const kb_progress *progress, kb_error *err)
{
    naming *n = ctx;
    const cli_options *options = n->judgement.work.options;
    kb_error why;
    kb_status status = check_writable(n, options->operand, err);
    if (!status)
        status = kb_model_load(&n->judgement.a, n->judgement.name_a, err);
    if (status)
        return status;
    status = kb_model_set_cluster_name(n->judgement.a, n->number, options->operands[2], &why);
    if (status)
        return kb_fail(err, status, "%s: %s", options->operand, why.text);
    return save(n, n->judgement.a, progress, err);
}

static kb_status carry(void *ctx, const kb_progress *progress, kb_error *err)
{
    naming *n = ctx;
    cli_judgement *j = &n->judgement;
    kb_status status = check_writable(n, j->name_b, err);
    if (!status)
        status = cli_judge(j, progress, err);
    if (!status)
        status = cli_compare(j, &n->comparison, err);
    if (status)
        return status;
    n->carried = kb_calloc(n->comparison.count, sizeof *n->carried);
    if (!n->carried)
        return kb_fail_memory(err, "names");
    status = kb_carry_names(j->b, j->a, &n->comparison, n->carried, err);
    return status ? status : save(n, j->b, progress, err);
}

/* --- results ------------------------------------------------------------------------------ */
static void write_time(output *out, uint32_t calibration, kb_time until)
{
    char text[64];
    if (calibration)
        output_text(out, kb_time_format(until, text, sizeof text));
    else
        output_missing(out);
}

static void write_current(output *out, const kb_model *model, const kb_cluster *cluster)
{
    const kb_lineage *lineage = kb_model_lineage(model);
    output_count(out, cluster->number);
    output_text(out, kb_model_cluster_name(model, cluster->number));
    output_count(out, cluster->size);
    output_text(out, "current");
    output_count(out, lineage->calibrations);
    write_time(out, lineage->calibrations, lineage->until);
    output_missing(out);
}

static void write_retired(output *out, const kb_model *model, const kb_retired *retired)
{
    output_count(out, retired->number);
    output_text(out, kb_model_cluster_name(model, retired->number));
    output_count(out, retired->size);
    output_text(out, retired->back_as ? "back" : "retired");
    output_count(out, retired->calibration);
    write_time(out, retired->calibration, retired->until);
    if (retired->back_as)
        output_count(out, retired->back_as);
    else
        output_missing(out);
}

static int write_list(naming *n)
{
    static const output_column columns[] = {{.name = "cluster"},        {.name = "name"},
                                            {"sessions", .drop = 1},    {"state", .drop = 2},
                                            {"calibration", .drop = 4}, {"until", .drop = 3},
                                            {"back_as", .drop = 5}};
    const kb_model *model = n->judgement.a;
    const kb_lineage *lineage = kb_model_lineage(model);
    output *out = cli_output(&n->judgement.work, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < kb_model_clusters(model); i++)
        write_current(out, model, kb_model_cluster(model, i));
    for (size_t i = 0; i < lineage->retired_count; i++)
        write_retired(out, model, &lineage->retired[i]);
    return cli_finish_output(&n->judgement.work.console, out);
}

static int write_carried(naming *n)
{
    static const output_column columns[] = {
        {.name = "cluster"}, {.name = "name"}, {.name = "from"}};
    output *out = cli_output(&n->judgement.work, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < n->comparison.count; i++) {
        const kb_change_row *row = &n->comparison.rows[i];
        if (!n->carried[i])
            continue;
        output_count(out, row->b);
        output_text(out, kb_model_cluster_name(n->judgement.b, row->b));
        output_count(out, row->a);
    }
    return cli_finish_output(&n->judgement.work.console, out);
}

/* --- the verb ----------------------------------------------------------------------------- */
static int check_operands(naming *n, const cli_options *o)
{
    const char *number = o->operands[1];
    kb_error err;
    if (o->from && number)
        return cli_usage_error(CLI_NAME, "--from takes all names: what is '%s'?", number);
    const kb_comparison_options defaults = kb_comparison_defaults();
    if (!o->from && o->corpus)
        return cli_usage_error(CLI_NAME, "--corpus needs --from");
    if (!o->from && o->comparison.overlap != defaults.overlap)
        return cli_usage_error(CLI_NAME, "--overlap needs --from");
    if (!o->from && o->comparison.similarity != defaults.similarity)
        return cli_usage_error(CLI_NAME, "--similarity needs --from");
    if (!o->corpus && (o->split != CLI_SPLIT_ALL || o->timesteps || o->fill || o->reading.columns))
        return cli_usage_error(CLI_NAME, "options of reading need --corpus");
    if (!number)
        return CLI_DONE;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(number, &end, 10);
    if (*number < '0' || *number > '9' || *end || errno || !value || value > UINT32_MAX)
        return cli_usage_error(CLI_NAME, "'%s' is not the number of a cluster", number);
    n->number = (uint32_t)value;
    if (!o->operands[2])
        return cli_usage_error(CLI_NAME, "what shall cluster %s be called?", number);
    if (*o->operands[2] && kb_cluster_name_check(o->operands[2], &err))
        return cli_usage_error(CLI_NAME, "%s", err.text);
    return CLI_DONE;
}

int verb_name(const cli_options *options)
{
    naming n = {0};
    cli_judgement *j = &n.judgement;
    int status = check_operands(&n, options);
    if (status)
        return status;
    cli_work_start(&j->work, options);
    j->name_a = options->from ? options->from : options->operand;
    j->name_b = options->operand;
    j->corpora[0] = options->corpus;
    kb_job_work *work = options->from ? carry : n.number ? give : list;
    status = cli_run(&j->work.console, work, &n);
    if (status == CLI_DONE && work == carry)
        status = write_carried(&n);
    else if (status == CLI_DONE && work == list)
        status = write_list(&n);
    free(n.carried);
    kb_comparison_clear(&n.comparison);
    return cli_judgement_end(j, status);
}
