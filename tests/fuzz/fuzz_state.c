/* What a watch keeps on disk. A state that is understood and written again is understood as the
 * same; any other is refused, and leaves parts that can be used or freed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sections.h"
#include "support.h"
#include "watch_state.h"

/* As watch_state.c has it. */
static const kb_container_kind kind = {"KBWATCH", 1, "state of a watch"};

struct parts {
    kb_watch_about about;
    kb_follow *follow;
    kb_stream *stream;
    kb_rates *rates;
};

static void parts_make(struct parts *p)
{
    static const uint32_t numbers[] = {1, 2};
    kb_stream_options options = {.timesteps = 3, .fill = KB_FILL_HOLD, .open = 10};
    kb_follow_options following = {.settle = 1, .timesteps = 3, .fill = KB_FILL_HOLD};
    *p = (struct parts){.rates = kb_rates_create(numbers, 2)};
    fuzz_check(p->rates && kb_stream_create(&p->stream, &options, 5, NULL) == KB_OK &&
                   kb_follow_create(&p->follow, "/", &following, NULL) == KB_OK,
               "create");
}

static void parts_free(struct parts *p)
{
    kb_follow_free(p->follow);
    kb_stream_free(p->stream);
    kb_rates_free(p->rates);
}

static bool refused(kb_status status, const kb_error *err)
{
    fuzz_check(status == KB_OK || status == KB_ERR_FORMAT, "status %d: %s", (int)status, err->text);
    fuzz_check(status == KB_OK || *err->text, "refused without a word");
    return status != KB_OK;
}

/* True where all of PATH was understood. */
static bool read_state(struct parts *p, const char *path)
{
    kb_watch_state *state;
    kb_error err = {0};
    if (refused(kb_watch_state_open(&state, &p->about, path, &err), &err))
        return false;
    bool good = !refused(kb_watch_state_read(state, p->follow, p->stream, 0, &err), &err);
    good = !refused(kb_watch_state_read_rates(state, p->rates, &err), &err) && good;
    kb_watch_state_close(state);
    return good;
}

/* The bytes of what is written. The caller frees. */
static char *write_state(struct parts *p, const char *path, size_t *size)
{
    kb_error err;
    fuzz_check(kb_watch_state_write(path, &p->about, p->follow, p->stream, p->rates, &err) == KB_OK,
               "%s", err.text);
    FILE *f = fopen(path, "rb");
    char *bytes = malloc(1u << 20);
    fuzz_check(f && bytes, "%s: cannot be read", path);
    *size = fread(bytes, 1, 1u << 20, f);
    fclose(f);
    return bytes;
}

static void check_writing(struct parts *p)
{
    char folder[FUZZ_PATH], path[2 * FUZZ_PATH];
    struct parts again;
    size_t size[2];
    fuzz_folder_make(folder);
    snprintf(path, sizeof path, "%s/state", folder);
    char *first = write_state(p, path, &size[0]);
    parts_make(&again);
    fuzz_check(read_state(&again, path), "a state of our own is refused");
    char *second = write_state(&again, path, &size[1]);
    fuzz_check(size[0] == size[1] && memcmp(first, second, size[0]) == 0,
               "a state and what was read of it differ");
    parts_free(&again);
    free(first);
    free(second);
    fuzz_folder_remove(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct parts p;
    uint8_t *fixed = fuzz_sections_fixed(data, size);
    fuzz_file file = fuzz_file_make(fixed, size);
    fuzz_sections_walk(&kind, file.path);
    parts_make(&p);
    if (read_state(&p, file.path))
        check_writing(&p);
    kb_rates_close(p.rates, .01);
    parts_free(&p);
    fuzz_file_remove(&file);
    free(fixed);
    return 0;
}
