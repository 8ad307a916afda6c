/* Makes the seeds that are better made than kept: small files of the cache, small models, and
 * states of a watch. Usage: make_seeds FOLDER, for FOLDER/cache/NAME, FOLDER/model/NAME,
 * FOLDER/use/NAME (models again) and FOLDER/state/NAME. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "corpus.h"
#include "memory.h"
#include "model_private.h"
#include "modelfile.h"
#include "support.h"
#include "watch_state.h"

static void make_folder(const char *path)
{
    fuzz_check(mkdir(path, 0777) == 0 || errno == EEXIST, "%s: cannot be made", path);
}

static void *need(void *p)
{
    fuzz_check(p != NULL, "no memory");
    return p;
}

/* --- the cache --------------------------------------------------------------------------- */
static const char *const readings[2] = {
    "session,time,object,value\ns,1,o,1\ns,2,o,0\ns,3.5,p,2e3\nt,1,o,7\nt,1\nt,x,o,1\n",
    "session,time,object,value\n\"a, b\",2020-01-01T00:00:00Z,\"two\nlines\",3\nc,-1.25,o,0\n"};
static const char *const sessions[2] = {
    "session,user,version,split,label\ns,u,1.0,later,leak\nnobody,,,,\ns,u,,,\n",
    "session,label\nc,\xC3\xA9\n"};
static const char *const events[2] = {"user,time,event,session\nu,2,b,s\nu,1,a,\nv,1\nv,3,a,t\n",
                                      "user,time,event\nu,1,\"x, y\"\n"};

/* The entries of the cache in FROM become OUT/readings-NUMBER and OUT/events-NUMBER. */
static void take_entries(const char *from, const char *out, int number)
{
    DIR *dir = need(opendir(from));
    for (struct dirent *entry; (entry = readdir(dir));) {
        char old[3 * FUZZ_PATH + 300], new[FUZZ_PATH + 32];
        const char *dot = strrchr(entry->d_name, '.');
        if (entry->d_name[0] == '.' || !dot)
            continue;
        snprintf(old, sizeof old, "%s/%s", from, entry->d_name);
        snprintf(new, sizeof new, "%s/%s-%d", out, dot[1] == 'e' ? "events" : "readings", number);
        fuzz_check(rename(old, new) == 0, "%s: cannot be renamed", old);
    }
    closedir(dir);
}

static void make_entries(const char *out, const char *folder, int number)
{
    char path[2 * FUZZ_PATH], place[2 * FUZZ_PATH];
    kb_corpus *corpus;
    kb_error err;
    snprintf(path, sizeof path, "%s/%d", folder, number);
    snprintf(place, sizeof place, "%s/cache-%d", folder, number);
    make_folder(path);
    fuzz_write(path, "metrics.csv", readings[number], strlen(readings[number]), false);
    fuzz_write(path, "sessions.csv", sessions[number], strlen(sessions[number]), false);
    fuzz_write(path, "events.csv", events[number], strlen(events[number]), false);
    kb_cache cache = kb_cache_defaults(place);
    cache.least = 0;
    cache.settled = -60;
    kb_corpus_options options = kb_corpus_defaults();
    options.timesteps = 12;
    options.fill = number ? KB_FILL_HOLD : KB_FILL_ZERO;
    options.cache = &cache;
    fuzz_check(kb_corpus_load(&corpus, path, &options, NULL, &err) == KB_OK, "%s", err.text);
    kb_corpus_free(corpus);
    take_entries(place, out, number);
}

/* --- models ------------------------------------------------------------------------------ */
static float *make_floats(size_t count)
{
    float *floats = need(kb_alloc_aligned(count, sizeof *floats));
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)i / 4 - 1;
    return floats;
}

static void make_basis(kb_basis *basis, size_t dims, size_t rank)
{
    *basis = (kb_basis){.dims = dims, .rank = rank, .scale = 1.5, .energy = 1, .used_dims = dims};
    basis->mean = make_floats(dims);
    if (rank)
        basis->vectors = make_floats(dims * rank);
}

static void make_lineage(kb_model *m)
{
    kb_lineage *l = &m->lineage;
    size_t profile = 2 * kb_features_objects(m->features);
    *l = (kb_lineage){.calibrations = 3, .until = {1700000000, 5}, .retired_count = 1};
    l->profiles = make_floats(2 * profile);
    l->retired = need(kb_calloc(1, sizeof *l->retired));
    l->retired[0] = (kb_retired){2, 8, 2, {-5, 0}, true, 4};
    l->retired_centroids = make_floats(m->layout.latent);
    l->retired_profiles = make_floats(profile);
    fuzz_check(kb_lineage_set_name(l, 4, "\xC3\xA4 name", NULL) == KB_OK &&
                   kb_lineage_set_name(l, 2, "another", NULL) == KB_OK,
               "no names");
}

static void make_clusters(kb_model *m)
{
    m->dec_clusters = 2;
    m->dec_centroids = make_floats(2 * m->layout.latent);
    m->dec_weights = need(kb_calloc(2, sizeof *m->dec_weights));
    m->dec_weights[1] = 3;
    kb_cluster *clusters = need(kb_calloc(2, sizeof *clusters));
    clusters[0] = (kb_cluster){1, 2, 0.5, 2, .25};
    clusters[1] = (kb_cluster){4, 1, 1e9, 0, 3};
    kb_model_set_clusters(m, 2, clusters, make_floats(2 * m->layout.latent));
    m->next_number = 5;
    make_lineage(m);
    m->novelty = KB_NOVELTY_DISTANCE;
    m->false_alarms = .05;
}

/* One object seen, two groups, three points. */
static void make_reference(kb_model *m)
{
    kb_reference *r = &m->reference;
    size_t rank = m->basis.rank;
    *r = (kb_reference){.sessions = 5,
                        .objects = 1,
                        .groups = 2,
                        .points = 3,
                        .latent = m->layout.latent,
                        .leading = rank ? rank : m->layout.latent,
                        .rates = make_floats(2),
                        .scale = make_floats(1),
                        .levels = make_floats(2),
                        .z = make_floats(3 * m->layout.latent),
                        .spacing = make_floats(3),
                        .edges = make_floats(KB_LEVELS - 1),
                        .counts = make_floats(KB_CLASSES)};
    r->y = make_floats(3 * r->leading);
    r->rates[0] = .25f;
    r->rates[1] = .5f;
    r->scale[0] = 2;
    for (size_t i = 0; i < KB_CLASSES; i++)
        r->counts[i] = i < 5;
    r->courses = (kb_courses){.classes = 3,
                              .groups = 2,
                              .objects = 1,
                              .course = make_floats(3 * KB_COURSE_BINS),
                              .rates = make_floats(6)};
    for (size_t i = 0; i < 6; i++)
        r->courses.rates[i] = .25f;
    for (size_t s = 0; s < KB_SIGNALS; s++) {
        m->signals[s].top = 2;
        for (size_t i = 0; i < KB_TAIL; i++)
            m->signals[s].tail[i] = (float)i;
    }
    m->known = (kb_known){.sessions = 3, .count = 3, .novelty = make_floats(3), .flagged = 1};
}

/* OBJECTS (3 at most) of 3 steps; RANK 0: without a basis. */
static kb_model *make_model(kb_variant variant, kb_scale scale, const char *const *objects,
                            size_t count, size_t rank)
{
    static const float divisors[] = {1, .5f, 1e6f};
    const kb_recipe recipe = {.timesteps = 3,
                              .scale = scale,
                              .min_presence = .25,
                              .bins = kb_scale_has_bins(scale) ? 2 : 0};
    bool divided = kb_scale_divisor(scale) != KB_DIVISOR_NONE;
    size_t dims = count * kb_scale_width(scale, recipe.timesteps, recipe.bins);
    kb_model *m = need(kb_model_create());
    m->variant = variant;
    m->seed = 7;
    fuzz_check(kb_features_create(&m->features, objects, count, &recipe, divided ? divisors : NULL,
                                  NULL) == KB_OK &&
                   kb_layout_make(&m->layout, kb_variant_is_vae(variant), rank ? rank : dims, 2, 2,
                                  NULL) == KB_OK,
               "no model");
    m->weights = make_floats(m->layout.parameters);
    make_basis(&m->basis, dims, rank);
    if (kb_variant_has_dec(variant)) {
        make_clusters(m);
        make_reference(m);
    }
    for (size_t i = 0; i < KB_SIGNALS; i++)
        m->signals[i].spread = 1;
    kb_names_add(m->seen, objects[0], strlen(objects[0]));
    kb_names_add(m->fitted, "s", 1);
    kb_names_add(m->held_out, "a\\\nb", 4);
    free(m->notes);
    m->notes = need(kb_strdup("epochs=3\nloss=0.5\n"));
    return m;
}

static void save_model(kb_model *model, const char *folder, const char *name)
{
    char path[2 * FUZZ_PATH];
    kb_error err;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    fuzz_check(kb_model_save(model, path, &err) == KB_OK, "%s", err.text);
    kb_model_free(model);
}

static void make_models(const char *folder)
{
    static const char *const objects[] = {"java.lang.String", "[B", "two\nlines"};
    save_model(make_model(KB_VARIANT_AE, KB_SCALE_MAX, objects, 2, 0), folder, "ae");
    save_model(make_model(KB_VARIANT_VAE, KB_SCALE_GROWTH, objects, 1, 0), folder, "vae");
    save_model(make_model(KB_VARIANT_AE_DEC, KB_SCALE_BINS_LOG, objects, 3, 1), folder, "ae-dec");
    save_model(make_model(KB_VARIANT_VAE_DEC, KB_SCALE_GROWTH_SD, objects, 3, 2), folder,
               "vae-dec");
}

/* --- states of a watch -------------------------------------------------------------------- */
/* A watch that has read rows and has labels for some of them; EMPTY: one that has just begun. */
static void make_state(const char *out, const char *name, bool empty)
{
    static const uint32_t numbers[] = {1, 2};
    char folder[FUZZ_PATH], path[2 * FUZZ_PATH];
    kb_stream_options options = {.timesteps = 3, .fill = KB_FILL_HOLD, .open = 10};
    kb_follow_options following = {.settle = 1, .timesteps = 3, .fill = KB_FILL_HOLD};
    const kb_watch_about about = {{1, 2, 3}, 5, 7};
    kb_stream_count count = {0};
    kb_stream *stream;
    kb_follow *follow;
    kb_error err;
    bool busy = true;
    kb_rates *rates = need(kb_rates_create(numbers, 2));
    fuzz_folder_make(folder);
    if (!empty)
        fuzz_write(folder, "metrics.csv", readings[0], strlen(readings[0]), false);
    fuzz_check(kb_stream_create(&stream, &options, 5, &err) == KB_OK &&
                   kb_follow_create(&follow, folder, &following, &err) == KB_OK &&
                   kb_follow_look(follow, 0, &err) == KB_OK,
               "%s", err.text);
    for (double now = 1; busy; now++)
        fuzz_check(kb_follow_read(follow, stream, now, &count, &busy, &err) == KB_OK, "%s",
                   err.text);
    for (uint32_t i = 0; !empty && i < 40; i++)
        kb_rates_add(rates, numbers[i % 2], i % 9 == 0);
    kb_rates_close(rates, .01);
    snprintf(path, sizeof path, "%s/%s", out, name);
    fuzz_check(kb_watch_state_write(path, &about, follow, stream, rates, &err) == KB_OK, "%s",
               err.text);
    kb_follow_free(follow);
    kb_stream_free(stream);
    kb_rates_free(rates);
    fuzz_folder_remove(folder);
}

static void make_part(char path[FUZZ_PATH], const char *folder, const char *name)
{
    snprintf(path, FUZZ_PATH, "%s/%s", folder, name);
    make_folder(path);
}

int main(int argc, char **argv)
{
    char path[FUZZ_PATH], folder[FUZZ_PATH];
    fuzz_check(argc == 2 && strlen(argv[1]) < FUZZ_PATH - 16, "usage: make_seeds FOLDER");
    make_folder(argv[1]);
    fuzz_folder_make(folder);
    make_part(path, argv[1], "cache");
    for (int number = 0; number < 2; number++)
        make_entries(path, folder, number);
    fuzz_folder_remove(folder);
    make_part(path, argv[1], "model");
    make_models(path);
    make_part(path, argv[1], "use");
    make_models(path);
    make_part(path, argv[1], "state");
    make_state(path, "new", true);
    make_state(path, "with-rows", false);
    return 0;
}
