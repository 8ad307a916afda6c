/* An entry of the cache, of readings or of events or of both. What is taken from it is looked at as
 * a whole, and made a model's input of, as if it had been read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "corpus_pack.h"
#include "corpus_private.h"
#include "corpus_text.h"
#include "feature_view.h"
#include "memory.h"
#include "sections.h"
#include "support.h"

enum { STEPS = 12, FILES = 3 };

static kb_corpus *make_corpus(void)
{
    kb_corpus *corpus = kb_calloc(1, sizeof *corpus);
    fuzz_check(corpus != NULL, "no memory");
    corpus->path = kb_strdup("cached");
    corpus->problems = kb_problems_create((kb_problem_listener){0});
    return corpus;
}

/* --- looking at everything --------------------------------------------------------------- */
static void check_ids(const kb_store *store)
{
    for (size_t s = 0; s < kb_store_sessions(store); s++)
        fuzz_check(kb_store_find_session(store, kb_store_session_name(store, s)) == s,
                   "a session is elsewhere");
    for (size_t o = 0; o < kb_store_objects(store); o++)
        fuzz_check(kb_store_find_object(store, kb_store_object_name(store, o)) == o,
                   "an object is elsewhere");
}

static void check_series(const kb_store *store)
{
    kb_series found;
    for (size_t s = 0; s < kb_store_sessions(store); s++) {
        fuzz_check(kb_store_length(store, s) <= STEPS, "a window that is too long");
        for (size_t i = 0; i < kb_store_series_count(store, s); i++) {
            kb_series series = kb_store_series(store, s, i);
            fuzz_check(kb_store_find_series(store, s, series.object, &found) &&
                           found.values == series.values,
                       "a series is elsewhere");
        }
    }
}

/* What models are made of. */
static void check_view(const kb_corpus *corpus)
{
    size_t count = kb_corpus_sessions(corpus);
    size_t *ids = kb_calloc(count, sizeof *ids);
    kb_features *features;
    kb_view *view;
    for (size_t s = 0; s < count; s++)
        ids[s] = s;
    if (kb_features_fit(&features, corpus, ids, count, KB_SCALE_MINMAX, 0, NULL) == KB_OK) {
        fuzz_check(kb_view_create(&view, features, corpus, NULL) == KB_OK, "no view");
        float *row = kb_calloc(kb_features_dims(features), sizeof *row);
        for (size_t s = 0; s < count; s++)
            kb_view_row(view, s, row);
        free(row);
        kb_view_free(view);
        kb_features_free(features);
    }
    for (int split = 0; split < KB_SPLITS; split++)
        (void)kb_corpus_select(corpus, (kb_split)split, ids);
    free(ids);
}

static void print_all(const kb_corpus *corpus)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (kb_corpus_store(corpus)) {
        print_store(f, kb_corpus_store(corpus));
        print_sessions(f, corpus);
    }
    if (kb_corpus_events(corpus))
        print_events(f, kb_corpus_events(corpus));
    for (size_t i = 0; i < kb_problems_kept(corpus->problems); i++) {
        kb_problem problem = kb_problems_get(corpus->problems, i);
        print_problem(f, &problem);
    }
    fclose(f);
    free(text);
}

/* --- both parts -------------------------------------------------------------------------- */
static void check_packing(const kb_corpus *corpus, const kb_file *files, bool events)
{
    kb_packer packer = {kb_container_writer_create(&kb_cache_kind), kb_arena_create()};
    kb_status status = events ? kb_corpus_pack_events(corpus, &packer, files, FILES, NULL)
                              : kb_corpus_pack_readings(corpus, &packer, files, FILES, NULL);
    bool many = kb_problems_kept(corpus->problems) != kb_problems_count(corpus->problems);
    fuzz_check(status == (many ? KB_ERR_USAGE : KB_OK), "what was unpacked cannot be packed");
    kb_container_writer_free(packer.writer);
    kb_arena_free(packer.arena);
}

static void check_part(const char *path, bool events)
{
    const kb_file files[FILES] = {{.path = (char *)(uintptr_t) "a"},
                                  {.path = (char *)(uintptr_t) "b"},
                                  {.path = (char *)(uintptr_t) "c"}};
    kb_container_reader *reader;
    if (kb_container_open(&reader, &kb_cache_kind, path, NULL) != KB_OK)
        return;
    kb_corpus *corpus = make_corpus();
    corpus->readers[0] = reader;
    kb_status status =
        events ? kb_corpus_unpack_events(corpus, reader, files, FILES, false, NULL)
               : kb_corpus_unpack_readings(corpus, reader, files, FILES, STEPS, false, NULL);
    if (status == KB_OK) {
        print_all(corpus);
        check_packing(corpus, files, events);
    }
    if (status == KB_OK && !events) {
        check_ids(kb_corpus_store(corpus));
        check_series(kb_corpus_store(corpus));
        check_view(corpus);
    }
    kb_corpus_free(corpus);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *fixed = fuzz_sections_fixed(data, size);
    fuzz_file file = fuzz_file_make(fixed, size);
    fuzz_sections_walk(&kb_cache_kind, file.path);
    check_part(file.path, false);
    check_part(file.path, true);
    fuzz_file_remove(&file);
    free(fixed);
    return 0;
}
