/* The arguments of --columns and --fields. */
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "corpus.h"
#include "field_map.h"
#include "import.h"
#include "support.h"

static void check_columns(const char *text)
{
    kb_column_names names;
    kb_error err;
    kb_status status = kb_column_names_parse(&names, text, &err);
    fuzz_check(status == KB_OK || status == KB_ERR_USAGE, "status %d", (int)status);
    size_t given = 0;
    for (size_t k = 0; k < KB_COLUMN_KINDS && status == KB_OK; k++) {
        fuzz_check(!names.names[k] || *names.names[k], "an empty name");
        given += names.names[k] != NULL;
    }
    fuzz_check(status != KB_OK || given, "no name");
    kb_column_names_clear(&names);
    kb_corpus_options options = kb_corpus_defaults();
    options.columns = text;
    fuzz_check(kb_corpus_check(&options, NULL) == status, "two opinions of one text");
}

static size_t check_path(const kb_path *path)
{
    size_t bytes = 0;
    fuzz_check(path->shared <= path->count, "more shared steps than steps");
    for (size_t i = 0; i < path->count; i++) {
        fuzz_check(*path->steps[i].name, "an empty step");
        bytes += strlen(path->steps[i].name) + path->steps[i].arrays;
    }
    return bytes;
}

static void check_map(const char *text)
{
    kb_field_map *map;
    kb_error err;
    kb_status status = kb_field_map_create(&map, text, &err);
    fuzz_check(status == KB_OK || status == KB_ERR_USAGE, "status %d", (int)status);
    fuzz_check(kb_field_map_check(text, NULL) == status, "two opinions of one text");
    if (status != KB_OK)
        return;
    size_t bytes = 0;
    for (size_t key = 0; key < KB_MAP_KEYS; key++)
        bytes += check_path(&map->paths[key]);
    fuzz_check(bytes > 0, "no step at all");
    fuzz_check(!map->iterating == !map->prefix, "an array without its name");
    fuzz_check(!map->prefix || *map->prefix, "an array with an empty name");
    kb_field_map_free(map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    check_columns(text);
    check_map(text);
    free(text);
    return 0;
}
