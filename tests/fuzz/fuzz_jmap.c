/* Class histograms: the input is several files (support.h), and the heads of its parts are their
 * names, "FILE" or "SESSION/FILE". Without parts it is one file. An "i" in the first part counts
 * instances. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "importing.h"
#include "support.h"

/* NAME becomes the head as a name of a file, if it can be one: at most one folder, no part empty or
 * with a dot first. */
static bool take_name(char *name, size_t room, const fuzz_part *part)
{
    if (!part->length || part->length >= room || memchr(part->head, 0, part->length))
        return false;
    memcpy(name, part->head, part->length);
    name[part->length] = '\0';
    const char *slash = strchr(name, '/');
    if (name[0] == '.' || name[0] == '/')
        return false;
    return !slash || (slash[1] && slash[1] != '.' && !strchr(slash + 1, '/'));
}

static void write_files(const char *folder, const fuzz_part *parts, size_t count)
{
    char name[200], path[4 * FUZZ_PATH];
    mkdir(folder, 0700);
    for (size_t i = 1; i < count; i++) {
        struct stat about;
        if (!take_name(name, sizeof name, &parts[i]))
            continue;
        /* a folder cannot be where a file is, nor the other way round */
        const char *slash = strchr(name, '/');
        snprintf(path, sizeof path, "%s/%.*s", folder, slash ? (int)(slash - name) : 200, name);
        if (stat(path, &about) == 0 && S_ISDIR(about.st_mode) != (slash != NULL))
            continue;
        fuzz_write(folder, name, parts[i].body, parts[i].size, false);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_part parts[FUZZ_PARTS];
    size_t count = fuzz_split(parts, data, size);
    char folder[FUZZ_PATH], in[2 * FUZZ_PATH];
    kb_import_options options = kb_import_defaults();
    if (count > 1 && fuzz_has(&parts[0], 'i'))
        options.value = KB_JMAP_INSTANCES;
    fuzz_folder_make(folder);
    snprintf(in, sizeof in, "%s/in", folder);
    if (count == 1)
        fuzz_write(folder, "in", data, size, false);
    else
        write_files(in, parts, count);
    fuzz_import(KB_IMPORT_JMAP, in, folder, options);
    fuzz_folder_remove(folder);
    return 0;
}
