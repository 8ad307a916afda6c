/* A map: what is read of it, written down again, must be the same map. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map_file.h"
#include "support.h"

/* As CSV, every name quoted. The caller frees. */
static char *text_of(const kb_map_file *map)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    fputs("session,x,y\n", f);
    for (uint32_t id = 0; id < kb_names_count(map->sessions); id++) {
        const float *place = map->places + 2 * (size_t)id;
        fuzz_check(isfinite(place[0]) && isfinite(place[1]), "a place is not finite");
        fputc('"', f);
        for (const char *c = kb_names_get(map->sessions, id); *c; c++) {
            if (*c == '"')
                fputc('"', f);
            fputc(*c, f);
        }
        fprintf(f, "\",%.9g,%.9g\n", (double)place[0], (double)place[1]);
    }
    fclose(f);
    return text;
}

static void check_again(const char *text)
{
    kb_map_file map;
    fuzz_file file = fuzz_file_make(text, strlen(text));
    fuzz_check(kb_map_file_load(&map, file.path, NULL, NULL) == KB_OK, "not read again");
    char *again = text_of(&map);
    fuzz_same("a map and what was written of it", text, again);
    free(again);
    kb_map_file_clear(&map);
    fuzz_file_remove(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    kb_map_file map;
    kb_error err = {0};
    fuzz_file file = fuzz_file_make(data, size);
    kb_status status = kb_map_file_load(&map, file.path, NULL, &err);
    fuzz_check(status == KB_OK || *err.text, "it is not said what is wrong");
    if (status == KB_OK) {
        char *text = text_of(&map);
        check_again(text);
        free(text);
    }
    kb_map_file_clear(&map);
    fuzz_file_remove(&file);
    return 0;
}
