/* modelfile: files that no training makes, but that can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lineage_support.h"
#include "memory.h"
#include "model_private.h"
#include "modelfile.h"

static const kb_container_kind kind = {
    .magic = {'K', 'A', 'B', 'O', 'O', 'M', 'D', 'L'}, .version = 1, .noun = "model"};

static const char *path_of(void)
{
    static char path[256];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/kb-modelfile-%ld", folder ? folder : "/tmp", (long)getpid());
    return path;
}

/* An untrained model of one object and one step, with K clusters in Z dimensions. */
static kb_model *make_model(size_t k, size_t z)
{
    const char *const objects[] = {"o"};
    const kb_recipe recipe = {.timesteps = 1};
    kb_model *m = kb_model_create();
    assert_int_equal(kb_features_create(&m->features, objects, 1, &recipe, NULL, NULL), KB_OK);
    assert_int_equal(kb_layout_make(&m->layout, false, 1, 1, z, NULL), KB_OK);
    m->weights = kb_calloc(m->layout.parameters, sizeof *m->weights);
    m->basis = (kb_basis){.dims = 1, .mean = kb_calloc(1, sizeof(float)), .scale = 1, .energy = 1};
    kb_cluster *clusters = kb_calloc(k, sizeof *clusters);
    float *centroids = kb_calloc(k * z, sizeof *centroids);
    for (size_t i = 0; i < k; i++)
        clusters[i] = (kb_cluster){(uint32_t)i + 1, i % 7, 1.0 / (double)(i + 3), i % 7, 1};
    kb_model_set_clusters(m, k, clusters, centroids);
    m->next_number = (uint32_t)k + 1;
    return m;
}

static void save(const kb_model *model)
{
    kb_error err;
    if (kb_model_save(model, path_of(), &err))
        fail_msg("%s", err.text);
}

/* A copy of the file in which the section NAME is TEXT, a text, or is not there if TEXT is NULL.
 * The others keep what they are. */
static void replace(const char *name, const char *text)
{
    kb_container_reader *r;
    kb_container_writer *w = kb_container_writer_create(&kind);
    void *owned[KB_SECTIONS_MAX] = {NULL};
    assert_int_equal(kb_container_open(&r, &kind, path_of(), NULL), KB_OK);
    for (size_t i = 0; i < kb_container_count(r); i++) {
        kb_section s = kb_container_section(r, i);
        char *bytes;
        size_t length;
        if (strcmp(s.name, name) == 0)
            continue;
        if (s.compressed) {
            assert_int_equal(kb_container_text(r, s.name, &bytes, &length, NULL), KB_OK);
            assert_int_equal(kb_container_add_text(w, s.name, bytes, length, NULL), KB_OK);
            owned[i] = bytes;
        } else {
            float *floats = owned[i] = malloc(s.bytes + 1);
            size_t count = s.bytes / sizeof *floats;
            assert_int_equal(kb_container_floats(r, s.name, floats, count, NULL), KB_OK);
            assert_int_equal(kb_container_add_floats(w, s.name, floats, count, NULL), KB_OK);
        }
    }
    if (text)
        assert_int_equal(kb_container_add_text(w, name, text, strlen(text), NULL), KB_OK);
    kb_container_close(r);
    assert_int_equal(kb_container_write(w, path_of(), true, NULL, NULL), KB_OK);
    kb_container_writer_free(w);
    for (size_t i = 0; i < KB_SECTIONS_MAX; i++)
        free(owned[i]);
}

static void expect_refused(const char *what)
{
    kb_model *model;
    kb_error err;
    assert_int_equal(kb_model_load(&model, path_of(), &err), KB_ERR_FORMAT);
    if (!strstr(err.text, what))
        fail_msg("'%s' lacks '%s'", err.text, what);
    unlink(path_of());
}

/* MODEL's file is refused with WHAT once the section NAME is TEXT. */
static void refuse_with(const kb_model *model, const char *name, const char *text, const char *what)
{
    save(model);
    replace(name, text);
    expect_refused(what);
}

/* Were the text gone through anew for each of them, this would take many minutes. */
static void many_clusters_are_loaded_in_linear_time(void **state)
{
    (void)state;
    enum { MANY = 1000000 };
    kb_model *model = make_model(MANY, 1), *loaded;
    save(model);
    assert_int_equal(kb_model_load(&loaded, path_of(), NULL), KB_OK);
    assert_int_equal(kb_model_clusters(loaded), MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_memory_equal(kb_model_cluster(loaded, i), kb_model_cluster(model, i),
                            sizeof(kb_cluster));
    kb_model_free(loaded);
    kb_model_free(model);
    unlink(path_of());
}

static void clusters_that_make_no_sense_are_named_by_line(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"", "line 1 "},
        {"1 2\n2 3 4\n", "line 2 "},
        {"1 2 3\n2 3\n", "line 2 "},
        {"1 2 3\n1 3 4\n", "line 2 "},
        {"1 2 3\n0 3 4\n", "line 2 "},
        {"1 2 3\n3 3 4\n", "line 2 "},
        {"1 2 3\n4294967298 3 4\n", "line 2 "},
        {"-1 2 3\n2 3 4\n", "line 1 "},
        {"1 -2 3\n2 3 4\n", "line 1 "},
        {"1 2 nan\n2 3 4\n", "line 1 "},
        {"1 2 3 2 3 x\n", "line 2 "},
        {"1.5 2 3\n2 3 4\n", "line 1 "},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        kb_model *model = make_model(2, 1);
        refuse_with(model, "clusters", texts[i][0], texts[i][1]);
        kb_model_free(model);
    }
}

/* Nothing may be allocated on the word of a file that does not have it: these would be 1 TiB. */
static void tensors_that_are_not_there_take_no_memory(void **state)
{
    (void)state;
    kb_model *model = make_model(2, 1024);
    char *text, *end;
    size_t length;
    kb_container_reader *r;
    save(model);
    assert_int_equal(kb_container_open(&r, &kind, path_of(), NULL), KB_OK);
    assert_int_equal(kb_container_text(r, "model", &text, &length, NULL), KB_OK);
    kb_container_close(r);
    char *changed = malloc(length + 100), *at = strstr(text, "dec_clusters=0");
    assert_non_null(at);
    end = stpncpy(changed, text, (size_t)(at - text));
    sprintf(end, "dec_clusters=%d%s", 1 << 28, at + strlen("dec_clusters=0"));
    replace("model", changed);
    expect_refused("section dec.centroids is missing");
    free(changed);
    free(text);
    kb_model_free(model);
}

/* With names, profiles and a retired cluster (3). */
static kb_model *make_old_hand(void)
{
    kb_model *m = make_model(2, 2);
    kb_lineage *l = &m->lineage;
    m->next_number = 4;
    *l = (kb_lineage){.calibrations = 7, .until = {-12, 5}, .retired_count = 1};
    l->profiles = kb_calloc(4, sizeof(float));
    l->profiles[3] = 1.5F;
    l->retired = kb_calloc(1, sizeof *l->retired);
    l->retired[0] = (kb_retired){3, 9, 6, {-40, 0}, true, 0};
    l->retired_centroids = kb_calloc(2, sizeof(float));
    l->retired_centroids[1] = 2.5F;
    l->retired_profiles = kb_calloc(2, sizeof(float));
    l->retired_profiles[0] = 3.5F;
    assert_int_equal(kb_model_set_cluster_name(m, 2, "two", NULL), KB_OK);
    assert_int_equal(kb_model_set_cluster_name(m, 3, "three", NULL), KB_OK);
    return m;
}

static void names_and_earlier_clusters_are_loaded(void **state)
{
    (void)state;
    kb_model *model = make_old_hand(), *loaded;
    save(model);
    assert_int_equal(kb_model_load(&loaded, path_of(), NULL), KB_OK);
    const kb_lineage *l = kb_model_lineage(loaded);
    assert_int_equal(l->calibrations, 7);
    assert_int_equal(l->until.whole, -12);
    assert_int_equal(l->until.atto, 5);
    assert_true(l->profiles[3] == 1.5F);
    assert_int_equal(l->retired_count, 1);
    assert_same_retired(&l->retired[0], &model->lineage.retired[0]);
    assert_true(l->retired_centroids[1] == 2.5F && l->retired_profiles[0] == 3.5F);
    assert_string_equal(kb_model_cluster_name(loaded, 2), "two");
    assert_string_equal(kb_model_cluster_name(loaded, 3), "three");
    assert_string_equal(kb_model_cluster_name(loaded, 1), "");
    kb_model_free(loaded);
    kb_model_free(model);
    unlink(path_of());
}

/* The section "model" without the lines that begin with one of KEYS. */
static void drop_lines(const char *const *keys, size_t count)
{
    kb_container_reader *r;
    char *text, *kept;
    size_t length;
    assert_int_equal(kb_container_open(&r, &kind, path_of(), NULL), KB_OK);
    assert_int_equal(kb_container_text(r, "model", &text, &length, NULL), KB_OK);
    kb_container_close(r);
    kept = kb_calloc(length + 1, 1);
    for (char *line = text; *line; line += strcspn(line, "\n") + 1) {
        bool drop = false;
        for (size_t i = 0; i < count; i++)
            drop = drop || strncmp(line, keys[i], strlen(keys[i])) == 0;
        if (!drop)
            strncat(kept, line, strcspn(line, "\n") + 1);
    }
    replace("model", kept);
    free(kept);
    free(text);
}

static void models_from_before_there_were_names_load(void **state)
{
    (void)state;
    static const char *const keys[] = {"calibrations=", "until=", "until_atto="};
    kb_model *model = make_model(2, 2), *loaded;
    save(model);
    drop_lines(keys, 3);
    assert_int_equal(kb_model_load(&loaded, path_of(), NULL), KB_OK);
    const kb_lineage *l = kb_model_lineage(loaded);
    assert_int_equal(l->calibrations, 0);
    assert_null(l->profiles);
    assert_int_equal(l->retired_count + l->name_count, 0);
    kb_model_free(loaded);
    kb_model_free(model);
    unlink(path_of());
}

static void models_from_before_clusters_were_measured_load(void **state)
{
    (void)state;
    static const char *const key = "known_unseen=";
    kb_model *model = make_model(2, 2), *loaded;
    float known[] = {1, 2};
    model->known = (kb_known){.sessions = 2, .count = 2, .novelty = known, .unseen = .25};
    save(model);
    assert_int_equal(kb_model_load(&loaded, path_of(), NULL), KB_OK);
    assert_true(loaded->known.unseen == .25);
    kb_model_free(loaded);
    replace("clusters.known", NULL);
    drop_lines(&key, 1);
    assert_int_equal(kb_model_load(&loaded, path_of(), NULL), KB_OK);
    assert_true(isnan(loaded->known.unseen));
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(kb_model_cluster(loaded, i)->known, kb_model_cluster(loaded, i)->size);
        assert_true(isnan(kb_model_cluster(loaded, i)->distance));
    }
    save(loaded); /* and stay what they are */
    kb_model_free(loaded);
    assert_int_equal(kb_model_load(&loaded, path_of(), NULL), KB_OK);
    assert_true(isnan(loaded->known.unseen) && isnan(kb_model_cluster(loaded, 0)->distance));
    kb_model_free(loaded);
    model->known = (kb_known){0};
    kb_model_free(model);
    unlink(path_of());
}

static void measures_of_clusters_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const char *const texts[][2] = {{"0 1\n2 1\n", "line 2 "}, /* of one */
                                           {"0 1\n", "line 2 "},
                                           {"0 -1\n1 1\n", "line 1 "},
                                           {"0 nan\n1 1\n", "line 1 "},
                                           {"x 1\n1 1\n", "line 1 "}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        kb_model *model = make_model(2, 2);
        refuse_with(model, "clusters.known", texts[i][0], texts[i][1]);
        kb_model_free(model);
    }
}

static void lineages_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const char *const texts[][3] = {
        {"names", "2 two\n2 zwei\n", "section names: line 2 "},
        {"names", "4 four\n", "section names: line 1 "},
        {"names", "2 t\x1bwo\n", "section names: line 1 "},
        {"retired", "2 9 6 -40 0 1 0\n", "cluster 2 is not retired"},
        {"retired", "3 9 6\n", "section retired: line 1 "},
        {"retired.centroids", NULL, "section retired.centroids is missing"},
        {"retired.profiles", NULL, "section retired.profiles is missing"},
        {"profiles", "abc", "section profiles: "},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        kb_model *model = make_old_hand();
        refuse_with(model, texts[i][0], texts[i][1], texts[i][2]);
        kb_model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_clusters_are_loaded_in_linear_time),
        cmocka_unit_test(clusters_that_make_no_sense_are_named_by_line),
        cmocka_unit_test(names_and_earlier_clusters_are_loaded),
        cmocka_unit_test(models_from_before_there_were_names_load),
        cmocka_unit_test(models_from_before_clusters_were_measured_load),
        cmocka_unit_test(measures_of_clusters_that_make_no_sense_are_refused),
        cmocka_unit_test(lineages_that_make_no_sense_are_refused),
        cmocka_unit_test(tensors_that_are_not_there_take_no_memory),
    };
    return cmocka_run_group_tests_name("modelfile", tests, NULL, NULL);
}
