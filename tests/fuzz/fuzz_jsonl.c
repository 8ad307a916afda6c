/* JSON objects, one a line. A first line "@@MAP" is the argument of --fields. */
#include <stdlib.h>

#include "importing.h"
#include "support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_part parts[FUZZ_PARTS];
    kb_import_options options = kb_import_defaults();
    bool mapped = fuzz_split(parts, data, size) > 1 && !parts[0].size;
    char *map = mapped ? fuzz_string((const uint8_t *)parts[1].head, parts[1].length) : NULL;
    if (mapped) {
        options.fields = map;
        size -= (size_t)(parts[1].body - data);
        data = parts[1].body;
    }
    fuzz_import_file(KB_IMPORT_JSONL, data, size, &options);
    free(map);
    return 0;
}
