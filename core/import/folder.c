#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "memory.h"

/* Takes PATH over. What cannot be looked at is taken for a file: opening it will say why. */
static kb_status add(kb_folder *folder, size_t *capacity, char *path, kb_error *err)
{
    if (!path ||
        !kb_grow((void **)&folder->entries, capacity, folder->count + 1, sizeof *folder->entries)) {
        free(path);
        return kb_fail_memory(err, "a list of files");
    }
    const char *slash = strrchr(path, '/');
    kb_entry entry = {.path = path, .name = slash ? slash + 1 : path};
    struct stat about;
    if (strcmp(path, "-") != 0 && stat(path, &about) == 0) {
        entry.kind = S_ISREG(about.st_mode)   ? KB_ENTRY_FILE
                     : S_ISDIR(about.st_mode) ? KB_ENTRY_FOLDER
                                              : KB_ENTRY_OTHER;
        entry.bytes = entry.kind == KB_ENTRY_FILE ? (uint64_t)about.st_size : 0;
    }
    folder->entries[folder->count++] = entry;
    return KB_OK;
}

static char *join(const char *dir, const char *name)
{
    size_t d = strlen(dir), n = strlen(name);
    bool slash = d && dir[d - 1] != '/';
    char *path = malloc(d + slash + n + 1);
    if (path)
        snprintf(path, d + slash + n + 1, "%s%s%s", dir, slash ? "/" : "", name);
    return path;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const kb_entry *)a)->name, ((const kb_entry *)b)->name);
}

static kb_status list(kb_folder *out, DIR *stream, const char *path, kb_error *err)
{
    size_t capacity = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (!entry)
            return errno ? kb_fail_errno(err, path, "cannot list", errno) : KB_OK;
        if (entry->d_name[0] == '.')
            continue;
        kb_status status = add(out, &capacity, join(path, entry->d_name), err);
        if (status)
            return status;
    }
}

kb_status kb_folder_read(kb_folder *out, const char *path, kb_error *err)
{
    *out = (kb_folder){0};
    DIR *stream = opendir(path);
    if (!stream)
        return kb_fail_errno(err, path, "cannot list", errno);
    kb_status status = list(out, stream, path, err);
    closedir(stream);
    if (!status && out->count)
        qsort(out->entries, out->count, sizeof *out->entries, by_name);
    return status;
}

kb_status kb_folder_single(kb_folder *out, const char *path, kb_error *err)
{
    size_t capacity = 0;
    *out = (kb_folder){0};
    return add(out, &capacity, kb_strdup(path), err);
}

void kb_folder_clear(kb_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++)
        free(folder->entries[i].path);
    free(folder->entries);
    *folder = (kb_folder){0};
}
