/* info: what a model file or a corpus holds, as items and values. */
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "memory.h"
#include "modelfile.h"
#include "verbs.h"
#include "work.h"

typedef struct information {
    cli_work work;
    kb_section *sections;
    size_t count;
    uint32_t version;
} information;

/* --- a model ----------------------------------------------------------------------------- */
static void describe_network(output *out, const kb_model *model)
{
    const kb_features *features = kb_model_features(model);
    cli_item_text(out, "variant", kb_variant_name(kb_model_variant(model)));
    cli_item_count(out, "timesteps", kb_features_timesteps(features));
    cli_item_count(out, "objects", kb_features_objects(features));
    cli_item_text(out, "fill", kb_fill_name(kb_features_fill(features)));
    cli_item_text(out, "scale", kb_scale_name(kb_features_scale(features)));
    cli_item_real(out, "min presence", kb_features_min_presence(features));
    cli_item_count(out, "dimensions", kb_features_dims(features));
    cli_item_count(out, "inputs", kb_model_inputs(model));
    cli_item_count(out, "hidden", kb_model_hidden(model));
    cli_item_count(out, "latent", kb_model_latent(model));
    cli_item_count(out, "parameters", kb_model_parameters(model));
    cli_item_count(out, "seed", kb_model_seed(model));
    cli_item_count(out, "fitted sessions", kb_names_count(kb_model_fitted(model)));
    cli_item_count(out, "held out sessions", kb_names_count(kb_model_held_out(model)));
}

static void describe_clusters(output *out, const kb_model *model)
{
    cli_item_count(out, "clusters", kb_model_clusters(model));
    if (!kb_model_calibrated(model))
        return;
    cli_item_text(out, "novelty", kb_novelty_name(kb_model_novelty(model)));
    cli_item_real(out, "false alarms", kb_model_false_alarms(model));
    size_t flagged, known = kb_model_known(model, &flagged);
    if (known) {
        cli_item_count(out, "known sessions", known);
        cli_item_real(out, "false alarms measured", (double)flagged / (double)known);
    }
    for (size_t c = 0; c < kb_model_clusters(model); c++) {
        const kb_cluster *cluster = kb_model_cluster(model, c);
        char name[48];
        const char *called = kb_model_cluster_name(model, cluster->number);
        snprintf(name, sizeof name, "cluster %u name", (unsigned)cluster->number);
        if (*called)
            cli_item_text(out, name, called);
        snprintf(name, sizeof name, "cluster %u sessions", (unsigned)cluster->number);
        cli_item_count(out, name, cluster->size);
        snprintf(name, sizeof name, "cluster %u threshold", (unsigned)cluster->number);
        cli_item_real(out, name, cluster->threshold);
    }
}

static void describe_retired(output *out, const kb_model *model)
{
    const kb_lineage *lineage = kb_model_lineage(model);
    cli_item_count(out, "calibrations", lineage->calibrations);
    cli_item_count(out, "retired clusters", lineage->retired_count);
    for (size_t i = 0; i < lineage->retired_count; i++) {
        const kb_retired *retired = &lineage->retired[i];
        const char *called = kb_model_cluster_name(model, retired->number);
        char name[64];
        snprintf(name, sizeof name, "retired cluster %u name", (unsigned)retired->number);
        if (*called)
            cli_item_text(out, name, called);
        snprintf(name, sizeof name, "retired cluster %u calibration", (unsigned)retired->number);
        cli_item_count(out, name, retired->calibration);
        snprintf(name, sizeof name, "retired cluster %u back as", (unsigned)retired->number);
        if (retired->back_as)
            cli_item_count(out, name, retired->back_as);
    }
}

/* Lines "key=value". */
static void describe_training(output *out, const char *notes)
{
    while (*notes) {
        size_t line = strcspn(notes, "\n"), key = strcspn(notes, "=\n");
        char name[80], value[512];
        size_t skip = key < line ? key + 1 : line;
        snprintf(name, sizeof name, "training %.*s", (int)key, notes);
        snprintf(value, sizeof value, "%.*s", (int)(line - skip), notes + skip);
        if (line)
            cli_item_text(out, name, value);
        notes += line + (notes[line] == '\n');
    }
}

static void describe_file(output *out, const information *info)
{
    cli_item_text(out, "model", info->work.options->operand);
    cli_item_count(out, "format version", info->version);
    for (size_t i = 0; i < info->count; i++) {
        char name[64];
        snprintf(name, sizeof name, "section %s bytes", info->sections[i].name);
        cli_item_count(out, name, info->sections[i].bytes);
    }
}

static kb_status read_model(information *info, kb_error *err)
{
    const cli_options *options = info->work.options;
    if (options->timesteps || options->fill)
        return kb_fail(err, KB_ERR_USAGE, "--%s: %s is a model and has its own",
                       options->timesteps ? "timesteps" : "fill", options->operand);
    kb_status status =
        kb_model_sections(options->operand, &info->sections, &info->count, &info->version, err);
    return status ? status : kb_model_load(&info->work.model, options->operand, err);
}

static kb_status read_any(void *ctx, const kb_progress *progress, kb_error *err)
{
    information *info = ctx;
    cli_work *work = &info->work;
    if (kb_model_looks_like(work->options->operand))
        return read_model(info, err);
    kb_status status = kb_pool_create(&work->pool, work->options->threads, err);
    if (status)
        return status;
    kb_corpus_options reading = cli_reading(work);
    return cli_load_corpus(work, &reading, progress, err);
}

static int write_information(information *info)
{
    static const output_column columns[] = {{.name = "item"}, {.name = "value"}};
    output *out = cli_output(&info->work, columns, 2);
    if (info->work.corpus) {
        cli_describe_corpus(out, info->work.corpus);
    } else {
        describe_file(out, info);
        describe_network(out, info->work.model);
        describe_clusters(out, info->work.model);
        describe_retired(out, info->work.model);
        describe_training(out, kb_model_training_notes(info->work.model));
    }
    return cli_finish_output(&info->work.console, out);
}

int verb_info(const cli_options *options)
{
    information info = {0};
    cli_work_start(&info.work, options);
    int status = cli_run(&info.work.console, read_any, &info);
    if (status == CLI_DONE)
        status = write_information(&info);
    free(info.sections);
    return cli_work_end(&info.work, status);
}
