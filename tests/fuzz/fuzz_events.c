/* A file of events, which must be the same log for one thread and for three. */
#include <stdio.h>
#include <stdlib.h>

#include "corpus_text.h"
#include "events.h"
#include "support.h"

/* Every name is found where it stands. */
static void check_names(const kb_events *events)
{
    for (size_t u = 0; u < kb_events_users(events); u++)
        fuzz_check(kb_events_find_user(events, kb_events_user_name(events, u)) == u,
                   "a user is elsewhere");
    for (uint32_t k = 0; k < kb_events_kinds(events); k++)
        fuzz_check(kb_events_find_kind(events, kb_events_kind_name(events, k)) == k,
                   "a kind of events is elsewhere");
}

/* Everything that is read and told. The caller frees. */
static char *read_as(const kb_file *file, kb_reading reading)
{
    char *text;
    size_t size;
    kb_error err;
    kb_events *events;
    FILE *f = open_memstream(&text, &size);
    reading.problems = kb_problems_create((kb_problem_listener){print_problem, f});
    kb_status status = kb_events_load(&events, file, 1, NULL, &reading, &err);
    if (status == KB_OK) {
        print_events(f, events);
        check_names(events);
        fprintf(f, "%zu events, %zu sessions\n", kb_events_count(events),
                kb_events_sessions(events));
        kb_events_free(events);
    } else {
        fprintf(f, "error %d: %s\n", (int)status, err.text);
    }
    kb_problems_free(reading.problems);
    fclose(f);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t hash = fuzz_hash(data, size);
    fuzz_file file = fuzz_file_make(data, size);
    kb_files files;
    fuzz_check(kb_files_of_events(&files, file.path, NULL) == KB_OK, "no files");
    kb_reading reading = {.strict = hash % 8 == 0};
    char *one = read_as(files.items, reading);
    reading.pool = fuzz_pool();
    reading.lane_bytes = 1 + hash / 8 % 100;
    char *three = read_as(files.items, reading);
    fuzz_same("one thread and three", one, three);
    free(one);
    free(three);
    kb_files_free(&files);
    fuzz_file_remove(&file);
    return 0;
}
