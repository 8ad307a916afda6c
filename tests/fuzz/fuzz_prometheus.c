/* Responses of Prometheus. A first line "@@LABEL" names the label that names the session; behind a
 * blank may follow the labels to drop. */
#include <stdlib.h>
#include <string.h>

#include "importing.h"
#include "support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_part parts[FUZZ_PARTS];
    kb_import_options options = kb_import_defaults();
    bool named = fuzz_split(parts, data, size) > 1 && !parts[0].size;
    char *label = named ? fuzz_string((const uint8_t *)parts[1].head, parts[1].length) : NULL;
    char *blank = named ? strchr(label, ' ') : NULL;
    if (named)
        options.session_label = label;
    if (blank) {
        *blank = '\0';
        options.drop_labels = blank + 1;
    }
    if (named) {
        size -= (size_t)(parts[1].body - data);
        data = parts[1].body;
    }
    fuzz_import_file(KB_IMPORT_PROMETHEUS, data, size, &options);
    free(label);
    return 0;
}
