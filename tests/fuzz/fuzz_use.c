/* A model in use. Whatever its file holds that can be loaded: sessions are assigned, grouped and
 * compared with it, and it is calibrated anew. What comes out must be numbers of clusters that
 * there are, and shares that are shares, or a word about what is wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drift.h"
#include "emerging.h"
#include "emerging_objects.h"
#include "model_private.h"
#include "modelfile.h"
#include "pipeline.h"
#include "sections.h"
#include "support.h"

enum { SESSIONS = 30, KNOWN = 22 };

struct used {
    kb_model *model;
    kb_corpus *corpus;
    size_t ids[SESSIONS];
    kb_assignment assigned[SESSIONS];
};

/* --- a corpus ----------------------------------------------------------------------------- */

/* With the objects of the models that make_seeds makes, and one that they do not know. */
static void write_rows(FILE *f)
{
    static const char *const objects[] = {"java.lang.String", "[B", "\"two\nlines\"", "new"};
    fputs("session,time,object,value\n", f);
    for (unsigned s = 0; s < SESSIONS; s++)
        for (unsigned t = 0; t < 3; t++)
            for (unsigned o = 0; o < 4; o++)
                if ((s + o) % 3 || (o == 3) == (s >= KNOWN))
                    fprintf(f, "s%u,%u,%s,%u\n", s, t, objects[o], (s * 7 + t * 3 + o) % 11);
}

/* The same file for all inputs. */
static const char *rows(size_t *size)
{
    static char *text;
    static size_t length;
    if (!text) {
        FILE *f = open_memstream(&text, &length);
        write_rows(f);
        fclose(f);
    }
    *size = length;
    return text;
}

static void load_corpus(struct used *u)
{
    size_t size;
    const char *text = rows(&size);
    fuzz_file file = fuzz_file_make(text, size);
    kb_error err;
    kb_corpus_options options = kb_corpus_defaults();
    options.timesteps = kb_features_timesteps(u->model->features);
    options.fill = kb_features_fill(u->model->features);
    fuzz_check(kb_corpus_load(&u->corpus, file.path, &options, NULL, &err) == KB_OK, "%s",
               err.text);
    fuzz_file_remove(&file);
    fuzz_check(kb_corpus_sessions(u->corpus) == SESSIONS, "not the corpus that was meant");
    for (size_t s = 0; s < SESSIONS; s++)
        u->ids[s] = s;
}

/* --- what can be done with a model -------------------------------------------------------- */

/* True where it was done; where not, why is said. */
static bool done(kb_status status, const kb_error *err)
{
    fuzz_check(status == KB_OK || status == KB_ERR_USAGE || status == KB_ERR_NUMERIC,
               "status %d: %s", (int)status, err->text);
    fuzz_check(status == KB_OK || *err->text, "status %d without a word", (int)status);
    return status == KB_OK;
}

static bool has_cluster(const kb_model *model, uint32_t number)
{
    for (size_t i = 0; i < kb_model_clusters(model); i++)
        if (kb_model_cluster(model, i)->number == number)
            return true;
    return false;
}

static bool assign(struct used *u)
{
    kb_error err = {0};
    if (!done(kb_assign(u->assigned, u->model, u->corpus, u->ids, SESSIONS, NULL, NULL, &err),
              &err))
        return false;
    for (size_t s = 0; s < SESSIONS; s++) {
        const kb_assignment *a = &u->assigned[s];
        fuzz_check(has_cluster(u->model, a->cluster), "cluster %u is none", (unsigned)a->cluster);
        fuzz_check(a->distance >= 0, "distance %g", a->distance);
        fuzz_check(!isnan(a->novelty), "novelty %g", a->novelty);
        fuzz_check(isnan(a->p_value) || (a->p_value >= 0 && a->p_value <= 1), "p %g", a->p_value);
    }
    return true;
}

static void check_ranking(const kb_emerging_ranking *ranking)
{
    for (size_t i = 0; i < ranking->count; i++) {
        const kb_emerging_object *o = &ranking->objects[i];
        fuzz_check(o->presence >= 0 && o->presence <= 1, "presence %g", o->presence);
        fuzz_check(o->other >= 0 && o->other <= 1, "presence of others %g", o->other);
        fuzz_check(o->q >= 0 && o->q <= 1, "q %g", o->q);
    }
}

static void group(struct used *u)
{
    kb_emerging emerging;
    kb_error err = {0};
    if (!done(
            kb_emerging_of(&emerging, u->model, u->corpus, u->assigned, NULL, 1, NULL, NULL, &err),
            &err))
        return;
    kb_emerging_ranking rankings[SESSIONS] = {0};
    size_t sessions = 0;
    fuzz_check(emerging.count <= SESSIONS, "%zu groups", emerging.count);
    for (size_t g = 0; g < emerging.count; g++) {
        sessions += emerging.groups[g].count;
        fuzz_check(has_cluster(u->model, emerging.groups[g].cluster), "a group next to no cluster");
    }
    fuzz_check(sessions == emerging.sessions, "%zu sessions of %zu", sessions, emerging.sessions);
    if (done(kb_emerging_rank(rankings, &emerging, u->model, u->corpus, u->assigned, 0, NULL, NULL,
                              &err),
             &err))
        for (size_t g = 0; g < emerging.count; g++)
            check_ranking(&rankings[g]);
    kb_emerging_rankings_clear(rankings, emerging.count);
    kb_emerging_clear(&emerging);
}

/* As the model has it, as if the last ones were emerging, and as if all were. */
static void group_all_ways(struct used *u)
{
    group(u);
    for (size_t s = 0; s < SESSIONS; s++)
        u->assigned[s].emerging = s >= KNOWN;
    group(u);
    for (size_t s = 0; s < SESSIONS; s++)
        u->assigned[s].emerging = true;
    group(u);
}

static void compare(struct used *u)
{
    kb_drift drift;
    kb_drift_options options = kb_drift_defaults();
    kb_error err = {0};
    if (!done(kb_drift_of(&drift, u->model, u->corpus, u->ids, u->assigned, SESSIONS, &options,
                          NULL, &err),
              &err))
        return;
    for (size_t i = 0; i < drift.object_count; i++) {
        const kb_drift_row *row = &drift.objects[i];
        fuzz_check(row->now >= 0 && row->now <= 1, "share %g now", row->now);
        fuzz_check(row->was >= 0 && row->was <= 1, "share %g of old", row->was);
    }
    kb_drift_clear(&drift);
}

static void calibrate(struct used *u)
{
    kb_elbow elbow = {0};
    kb_calibrate_options options = kb_calibrate_defaults();
    kb_error err = {0};
    options.kmax = 3;
    options.bootstraps = 1;
    uint32_t before = u->model->next_number;
    if (done(kb_calibrate(u->model, u->corpus, &options, &elbow, NULL, NULL, &err), &err)) {
        fuzz_check(u->model->next_number >= before, "numbers begin anew");
        assign(u);
    }
    kb_elbow_clear(&elbow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *fixed = fuzz_sections_fixed(data, size);
    fuzz_file file = fuzz_file_make(fixed, size);
    struct used u = {0};
    if (kb_model_load(&u.model, file.path, NULL) == KB_OK) {
        load_corpus(&u);
        if (assign(&u)) {
            compare(&u);
            group_all_ways(&u);
        }
        calibrate(&u);
        kb_corpus_free(u.corpus);
        kb_model_free(u.model);
    }
    fuzz_file_remove(&file);
    free(fixed);
    return 0;
}
