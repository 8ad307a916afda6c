/* A model's file. One that can be loaded is looked at as a whole; saved and loaded again it must be
 * the same. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_private.h"
#include "modelfile.h"
#include "sections.h"
#include "support.h"

/* As modelfile.c has it. */
static const kb_container_kind kind = {
    .magic = {'K', 'A', 'B', 'O', 'O', 'M', 'D', 'L'}, .version = 1, .noun = "model"};

/* --- all that a model says --------------------------------------------------------------- */
static void print_floats(FILE *f, const float *floats, size_t count)
{
    fprintf(f, "%zu floats, %016" PRIx64 "\n", count,
            fuzz_hash((const uint8_t *)floats, count * sizeof *floats));
}

static void print_features(FILE *f, const kb_features *features)
{
    fprintf(f, "%zu steps, %s, %s, %zu bins, %.17g, %zu inputs:", kb_features_timesteps(features),
            kb_fill_name(kb_features_fill(features)), kb_scale_name(kb_features_scale(features)),
            kb_features_bins(features), kb_features_min_presence(features),
            kb_features_dims(features));
    for (size_t j = 0; j < kb_features_objects(features); j++)
        fprintf(f, " %s", kb_features_object_name(features, j));
    fputc('\n', f);
    if (kb_features_divisors(features))
        print_floats(f, kb_features_divisors(features), kb_features_objects(features));
}

static void print_names(FILE *f, const kb_names *names)
{
    for (uint32_t id = 0; id < kb_names_count(names); id++)
        fprintf(f, "%s,", kb_names_get(names, id));
    fputc('\n', f);
}

static void print_clusters(FILE *f, const kb_model *m)
{
    for (size_t i = 0; i < kb_model_clusters(m); i++) {
        const kb_cluster *c = kb_model_cluster(m, i);
        fprintf(f, "cluster %" PRIu32 " %zu %.17g %zu %.17g\n", c->number, c->size, c->threshold,
                c->known, c->distance);
    }
    kb_const_matrix centroids = kb_model_centroids(m);
    for (size_t i = 0; i < centroids.rows; i++)
        print_floats(f, kb_const_matrix_row(centroids, i), centroids.cols);
    for (size_t j = 0; j < m->dec_clusters; j++)
        fprintf(f, "centroid of %.17g\n", m->dec_weights[j]);
    if (m->dec_clusters)
        print_floats(f, m->dec_centroids, m->dec_clusters * m->layout.latent);
    for (size_t i = 0; i < KB_SIGNALS; i++)
        fprintf(f, "signal %.17g %.17g %.17g\n", m->signals[i].median, m->signals[i].spread,
                m->signals[i].top);
    for (size_t i = 0; i < KB_SIGNALS; i++)
        print_floats(f, m->signals[i].tail, KB_TAIL);
    fprintf(f, "known %zu, flagged %zu, unseen %.17g\n", m->known.sessions, m->known.flagged,
            m->known.unseen);
    print_floats(f, m->known.novelty, m->known.count);
}

static void print_reference(FILE *f, const kb_reference *r)
{
    fprintf(f, "reference %zu sessions, %zu groups, %zu points, %zu objects\n", r->sessions,
            r->groups, r->points, r->objects);
    if (!r->sessions)
        return;
    print_floats(f, r->rates, r->groups * r->objects);
    print_floats(f, r->scale, r->objects);
    print_floats(f, r->levels, r->groups * r->objects);
    print_floats(f, r->z, r->points * r->latent);
    print_floats(f, r->y, r->points * r->leading);
    print_floats(f, r->spacing, r->points);
    print_floats(f, r->edges, r->objects * (KB_LEVELS - 1));
    print_floats(f, r->counts, r->objects * KB_CLASSES);
    if (!r->courses.classes)
        return;
    print_floats(f, r->courses.course, r->courses.classes * KB_COURSE_BINS);
    print_floats(f, r->courses.rates, r->groups * r->objects * r->courses.classes);
}

static void print_basis(FILE *f, const kb_basis *b)
{
    fprintf(f, "basis %zu x %zu, %.17g, %.17g, %zu\n", b->dims, b->rank, b->scale, b->energy,
            b->used_dims);
    print_floats(f, b->mean, b->dims);
    if (b->rank)
        print_floats(f, b->vectors, b->dims * b->rank);
}

static void print_lineage(FILE *f, const kb_model *m)
{
    const kb_lineage *l = kb_model_lineage(m);
    size_t n = l->retired_count, profile = 2 * kb_features_objects(kb_model_features(m));
    fprintf(f, "lineage %" PRIu32 " %" PRId64 " %" PRIu64 "\n", l->calibrations, l->until.whole,
            l->until.atto);
    for (size_t i = 0; i < n; i++)
        fprintf(f, "retired %" PRIu32 " %zu %" PRIu32 " %" PRId64 " %d %" PRIu32 "\n",
                l->retired[i].number, l->retired[i].size, l->retired[i].calibration,
                l->retired[i].until.whole, l->retired[i].profiled, l->retired[i].back_as);
    for (size_t i = 0; i < l->name_count; i++)
        fprintf(f, "name %" PRIu32 " %s\n", l->names[i].number, l->names[i].text);
    if (l->profiles)
        print_floats(f, l->profiles, kb_model_clusters(m) * profile);
    if (n) {
        print_floats(f, l->retired_centroids, n * kb_model_latent(m));
        print_floats(f, l->retired_profiles, n * profile);
    }
}

/* The caller frees. */
static char *print_model(const kb_model *m)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    fprintf(f, "%s %zu %zu %zu %zu %" PRIu64 " %d %s %.17g\n", kb_variant_name(kb_model_variant(m)),
            kb_model_inputs(m), kb_model_hidden(m), kb_model_latent(m), kb_model_parameters(m),
            kb_model_seed(m), kb_model_calibrated(m), kb_novelty_name(kb_model_novelty(m)),
            kb_model_false_alarms(m));
    print_features(f, kb_model_features(m));
    print_names(f, kb_model_held_out(m));
    print_names(f, kb_model_fitted(m));
    print_names(f, m->seen);
    print_clusters(f, m);
    print_lineage(f, m);
    print_basis(f, &m->basis);
    print_reference(f, &m->reference);
    print_floats(f, m->weights, m->layout.parameters);
    fprintf(f, "%s", kb_model_training_notes(m));
    fclose(f);
    return text;
}

/* --- checks ------------------------------------------------------------------------------ */
static void check_copy(const kb_model *model)
{
    kb_clustering copy;
    if (kb_clustering_copy(&copy, model, NULL) == KB_OK)
        kb_clustering_clear(&copy);
}

static void check_saving(const kb_model *model, const char *text)
{
    char folder[FUZZ_PATH], path[2 * FUZZ_PATH];
    kb_error err;
    kb_model *again;
    fuzz_folder_make(folder);
    snprintf(path, sizeof path, "%s/model", folder);
    fuzz_check(kb_model_save(model, path, &err) == KB_OK, "not saved: %s", err.text);
    fuzz_check(kb_model_load(&again, path, &err) == KB_OK, "not loaded again: %s", err.text);
    char *second = print_model(again);
    fuzz_same("a model and what was saved of it", text, second);
    free(second);
    kb_model_free(again);
    fuzz_folder_remove(folder);
}

static void check_table(const char *path)
{
    kb_section *sections;
    size_t count;
    uint32_t version;
    if (kb_model_sections(path, &sections, &count, &version, NULL) != KB_OK)
        return;
    for (size_t i = 0; i < count; i++)
        fuzz_check(strnlen(sections[i].name, sizeof sections[i].name) < sizeof sections[i].name,
                   "a name without an end");
    free(sections);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *fixed = fuzz_sections_fixed(data, size);
    fuzz_file file = fuzz_file_make(fixed, size);
    kb_model *model;
    kb_error err;
    fuzz_sections_walk(&kind, file.path);
    check_table(file.path);
    bool likely = kb_model_looks_like(file.path);
    kb_status status = kb_model_load(&model, file.path, &err);
    fuzz_check(status == KB_OK || status == KB_ERR_FORMAT, "status %d: %s", (int)status, err.text);
    if (status == KB_OK) {
        fuzz_check(likely, "a model that does not look like one");
        char *text = print_model(model);
        check_copy(model);
        check_saving(model, text);
        free(text);
        kb_model_free(model);
    }
    fuzz_file_remove(&file);
    free(fixed);
    return 0;
}
