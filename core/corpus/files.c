#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "memory.h"
#include "problems.h"

/* --- names of files ----------------------------------------------------------------------- */

static bool ends_with(const char *name, size_t length, const char *suffix)
{
    size_t s = strlen(suffix);
    return length >= s && memcmp(name + length - s, suffix, s) == 0;
}

/* How many bytes at the end of NAME are ".csv" or ".csv.gz"; 0: it ends otherwise. */
static size_t suffix_of(const char *name)
{
    static const char *const suffixes[] = {".csv", ".csv.gz"};
    for (size_t i = 0; i < 2; i++)
        if (ends_with(name, strlen(name), suffixes[i]))
            return strlen(suffixes[i]);
    return 0;
}

const char *kb_file_stem(const char *path, size_t *length)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    *length = strlen(name) - suffix_of(name);
    return name;
}

static char *join(const char *dir, const char *name)
{
    size_t d = strlen(dir), n = strlen(name);
    bool slash = d && dir[d - 1] != '/';
    char *path = malloc(d + slash + n + 1);
    if (!path)
        return NULL;
    memcpy(path, dir, d);
    if (slash)
        path[d] = '/';
    memcpy(path + d + slash, name, n + 1);
    return path;
}

/* --- lists of paths ----------------------------------------------------------------------- */

static kb_status add_path(kb_paths *paths, size_t *capacity, const char *dir, const char *name,
                          kb_error *err)
{
    if (!kb_grow((void **)&paths->items, capacity, paths->count + 1, sizeof *paths->items))
        return kb_fail_memory(err, "a list of files");
    paths->items[paths->count] = join(dir, name);
    if (!paths->items[paths->count])
        return kb_fail_memory(err, "a list of files");
    paths->count++;
    return KB_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static kb_status add_matching(kb_paths *out, DIR *folder, const char *dir, const char *prefix,
                              kb_error *err)
{
    size_t capacity = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(folder);
        if (!entry)
            return errno ? kb_fail_errno(err, dir, "cannot list", errno) : KB_OK;
        bool hidden = entry->d_name[0] == '.'; /* copies leave such files behind */
        if (hidden || strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
            !suffix_of(entry->d_name))
            continue;
        kb_status status = add_path(out, &capacity, dir, entry->d_name, err);
        if (status != KB_OK)
            return status;
    }
}

kb_status kb_paths_list(kb_paths *out, const char *dir, const char *prefix, kb_error *err)
{
    *out = (kb_paths){0};
    DIR *folder = opendir(dir);
    if (!folder)
        return kb_fail_errno(err, dir, "cannot list", errno);
    kb_status status = add_matching(out, folder, dir, prefix, err);
    closedir(folder);
    if (status != KB_OK)
        kb_paths_free(out);
    else if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_bytes);
    return status;
}

void kb_paths_free(kb_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->items[i]);
    free(paths->items);
    *paths = (kb_paths){0};
}

/* --- files with their identities ---------------------------------------------------------- */

/* What cannot be looked at is told when it is opened. */
static void identify(kb_file *input)
{
    struct stat st;
    if (strcmp(input->path, "-") == 0 || stat(input->path, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    input->regular = true;
    input->device = (uint64_t)st.st_dev;
    input->inode = (uint64_t)st.st_ino;
    input->size = (uint64_t)st.st_size;
    input->modified[0] = st.st_mtim.tv_sec;
    input->modified[1] = st.st_mtim.tv_nsec;
    input->changed[0] = st.st_ctim.tv_sec;
    input->changed[1] = st.st_ctim.tv_nsec;
}

static kb_status add_input(kb_files *inputs, const char *path, kb_file_kind kind, kb_error *err)
{
    if (!kb_grow((void **)&inputs->items, &inputs->capacity, inputs->count + 1,
                 sizeof *inputs->items))
        return kb_fail_memory(err, "a list of files");
    kb_file *input = &inputs->items[inputs->count];
    *input = (kb_file){.path = kb_strdup(path), .kind = kind};
    if (!input->path)
        return kb_fail_memory(err, "a list of files");
    inputs->count++;
    identify(input);
    return KB_OK;
}

/* EXACT: the files PREFIX.csv and PREFIX.csv.gz only; others may start with the same word. */
static kb_status add_listed(kb_files *inputs, const char *dir, const char *prefix, bool exact,
                            kb_file_kind kind, kb_error *err)
{
    kb_paths paths;
    kb_status status = kb_paths_list(&paths, dir, prefix, err);
    for (size_t i = 0; status == KB_OK && i < paths.count; i++) {
        size_t length;
        kb_file_stem(paths.items[i], &length);
        if (!exact || length == strlen(prefix))
            status = add_input(inputs, paths.items[i], kind, err);
    }
    kb_paths_free(&paths);
    return status;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static kb_status add_traces(kb_files *inputs, const char *dir, kb_error *err)
{
    char *traces = join(dir, "traces");
    if (!traces)
        return kb_fail_memory(err, "a list of files");
    kb_status status =
        is_folder(traces) ? add_listed(inputs, traces, "", false, KB_FILE_TRACE, err) : KB_OK;
    free(traces);
    return status;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The first names in the folder DIR, so that the error shows what was taken for a corpus. */
static void name_contents(char *text, size_t size, const char *dir)
{
    enum { NAMED = 4 };
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, is_shown, by_name);
    size_t used = (size_t)snprintf(text, size, "%s", count ? "it has " : "it is empty");
    for (int i = 0; i < count; i++) {
        if (i < NAMED && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%.40s", i ? ", " : "",
                                     entries[i]->d_name);
        free(entries[i]);
    }
    if (count > NAMED && used < size)
        snprintf(text + used, size - used, " and %d more", count - NAMED);
    free(entries);
    if (count < 0)
        snprintf(text, size, "which cannot be listed");
}

static kb_status nothing_usable(const char *dir, kb_error *err)
{
    char contents[240];
    name_contents(contents, sizeof contents, dir);
    kb_printable(contents);
    return kb_fail(err, KB_ERR_FORMAT,
                   "%s: no metrics*.csv or metrics*.csv.gz in this directory, nor traces/*.csv "
                   "(%s)",
                   dir, contents);
}

static kb_status list_corpus(kb_files *inputs, const char *dir, kb_error *err)
{
    kb_status status = add_listed(inputs, dir, "sessions", true, KB_FILE_SESSIONS, err);
    size_t before = inputs->count;
    if (status == KB_OK)
        status = add_listed(inputs, dir, "metrics", false, KB_FILE_METRICS, err);
    if (status == KB_OK)
        status = add_traces(inputs, dir, err);
    if (status == KB_OK && inputs->count == before)
        return nothing_usable(dir, err);
    return status ? status : add_listed(inputs, dir, "events", false, KB_FILE_EVENTS, err);
}

static bool names_traces(const char *path)
{
    static const char folder[] = "traces";
    const char *slash = strrchr(path, '/');
    if (!slash)
        return false;
    while (slash > path && slash[-1] == '/')
        slash--;
    size_t length = (size_t)(slash - path), n = sizeof folder - 1;
    return ends_with(path, length, folder) && (length == n || path[length - n - 1] == '/');
}

/* Also where the folder's name is not in PATH: since one is inside it, or by a link. */
static bool lies_in_traces(const char *path)
{
    if (names_traces(path))
        return true;
    size_t length;
    const char *name = kb_file_stem(path, &length);
    char *folder = name == path ? kb_strdup(".") : strndup(path, (size_t)(name - path));
    char *real = folder ? realpath(folder, NULL) : NULL, *whole = real ? join(real, "x") : NULL;
    bool lies = whole && names_traces(whole);
    free(whole);
    free(real);
    free(folder);
    return lies;
}

static kb_status conclude(kb_files *out, kb_status status)
{
    if (status != KB_OK)
        kb_files_free(out);
    return status;
}

kb_status kb_files_of_corpus(kb_files *out, const char *path, kb_error *err)
{
    struct stat st;
    *out = (kb_files){0};
    bool standard = strcmp(path, "-") == 0;
    if (!standard && stat(path, &st) != 0)
        return kb_fail_errno(err, path, "cannot open", errno);
    if (!standard && S_ISDIR(st.st_mode))
        return conclude(out, list_corpus(out, path, err));
    kb_file_kind kind = lies_in_traces(path) ? KB_FILE_TRACE : KB_FILE_METRICS;
    return conclude(out, add_input(out, path, kind, err));
}

kb_status kb_files_of_events(kb_files *out, const char *path, kb_error *err)
{
    *out = (kb_files){0};
    if (!is_folder(path))
        return conclude(out, add_input(out, path, KB_FILE_EVENTS, err));
    kb_status status = add_listed(out, path, "events", false, KB_FILE_EVENTS, err);
    if (status == KB_OK && !out->count)
        status = kb_fail(err, KB_ERR_FORMAT, "%s: no events*.csv or events*.csv.gz in it", path);
    return conclude(out, status);
}

void kb_files_free(kb_files *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        free(inputs->items[i].path);
    free(inputs->items);
    *inputs = (kb_files){0};
}

uint64_t kb_files_bytes(const kb_files *inputs)
{
    uint64_t total = 0;
    for (size_t i = 0; i < inputs->count; i++)
        total += inputs->items[i].size;
    return total;
}

static bool is_same_file(const kb_file *a, const kb_file *b)
{
    return a->regular == b->regular && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && memcmp(a->modified, b->modified, sizeof a->modified) == 0 &&
           memcmp(a->changed, b->changed, sizeof a->changed) == 0;
}

bool kb_files_unchanged(const kb_files *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        kb_file now = {.path = inputs->items[i].path};
        identify(&now);
        if (!now.regular || !is_same_file(&now, &inputs->items[i]))
            return false;
    }
    return true;
}
