#include "importing.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "corpus.h"
#include "support.h"

static void hear(void *ctx, const kb_problem *problem)
{
    fuzz_check(*problem->reason, "a problem without a reason");
    ++*(uint64_t *)ctx;
}

static void note(void *ctx, const char *text)
{
    (void)ctx;
    fuzz_check(*text, "an empty remark");
}

static void check_events(const char *out, const kb_import_result *result)
{
    kb_files files;
    kb_events *events = NULL;
    kb_error err;
    if (!result->events)
        return;
    kb_reading reading = {.strict = true, .problems = kb_problems_create((kb_problem_listener){0})};
    kb_status status = kb_files_of_events(&files, out, &err);
    if (status == KB_OK)
        status = kb_events_load(&events, files.items, files.count, NULL, &reading, &err);
    fuzz_check(status == KB_OK, "events that were written cannot be read: %s", err.text);
    fuzz_check(kb_events_count(events) == result->events, "%" PRIu64 " events written, %zu read",
               result->events, kb_events_count(events));
    fuzz_check(kb_events_users(events) == result->users, "%" PRIu64 " users written, %zu read",
               result->users, kb_events_users(events));
    kb_events_free(events);
    kb_files_free(&files);
    kb_problems_free(reading.problems);
}

static void check_readings(const char *out, const kb_import_result *result)
{
    kb_corpus *corpus;
    kb_error err;
    kb_corpus_options options = kb_corpus_defaults();
    options.strict = true;
    if (!result->readings)
        return;
    fuzz_check(kb_corpus_load(&corpus, out, &options, NULL, &err) == KB_OK,
               "what was written cannot be read: %s", err.text);
    fuzz_check(kb_corpus_rows(corpus) == result->readings,
               "%" PRIu64 " readings written, %" PRIu64 " read", result->readings,
               kb_corpus_rows(corpus));
    fuzz_check(kb_corpus_sessions(corpus) == result->sessions,
               "%" PRIu64 " sessions written, %zu read", result->sessions,
               kb_corpus_sessions(corpus));
    size_t objects = kb_store_objects(kb_corpus_store(corpus));
    fuzz_check(objects == result->objects, "%" PRIu64 " objects written, %zu read", result->objects,
               objects);
    kb_corpus_free(corpus);
}

void fuzz_import(kb_import_format format, const char *in, const char *folder,
                 kb_import_options options)
{
    char out[2 * FUZZ_PATH];
    uint64_t heard = 0;
    kb_import_result result;
    kb_error err;
    snprintf(out, sizeof out, "%s/out", folder);
    if (kb_import_check(format, in, &options, NULL) != KB_OK)
        return;
    options.problem = (kb_problem_listener){hear, &heard};
    options.note = note;
    kb_status status = kb_import(&result, format, in, out, &options, NULL, &err);
    bool done = status == KB_OK;
    fuzz_check(done || status == KB_ERR_FORMAT, "status %d: %s", (int)status, err.text);
    fuzz_check((access(out, F_OK) == 0) == done, "a corpus is there, or not, against the status");
    if (!done)
        return;
    fuzz_check(heard == result.problems, "%" PRIu64 " problems told, %" PRIu64 " counted", heard,
               result.problems);
    check_readings(out, &result);
    check_events(out, &result);
}

void fuzz_import_file(kb_import_format format, const void *bytes, size_t size,
                      const kb_import_options *options)
{
    char folder[FUZZ_PATH];
    fuzz_folder_make(folder);
    fuzz_file file = fuzz_file_make(bytes, size);
    fuzz_import(format, file.path, folder, *options);
    fuzz_file_remove(&file);
    fuzz_folder_remove(folder);
}
