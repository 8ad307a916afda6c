#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"

const kb_container_kind kb_cache_kind = {
    .magic = {'K', 'A', 'B', 'O', 'O', 'M', 'C', 'H'}, .version = 1, .noun = "cache file"};

/* Raised whenever the same files and options come to mean something else. */
enum { READING_VERSION = 2 };

enum { HASH_DIGITS = 16, ABANDONED_SECONDS = 24 * 60 * 60 };

kb_cache kb_cache_defaults(const char *folder)
{
    return (kb_cache){.folder = folder, .limit = UINT64_C(4) << 30, .least = 1 << 18, .settled = 2};
}

/* --- keys --------------------------------------------------------------------------------- */

/* FNV-1a. A collision costs an entry, since the whole key is compared. */
static uint64_t hash_text(const char *text)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    return h;
}

static char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/* NULL: no memory. */
static char *format(const char *pattern, ...)
{
    char *text;
    va_list args;
    va_start(args, pattern);
    int n = vasprintf(&text, pattern, args);
    va_end(args);
    return n < 0 ? NULL : text;
}

static double since(const int64_t when[2], const struct timespec *now)
{
    return (double)(now->tv_sec - when[0]) + 1e-9 * (double)(now->tv_nsec - when[1]);
}

static bool are_settled(const kb_cache *cache, const kb_file *files, size_t count)
{
    struct timespec now;
    uint64_t bytes = 0;
    clock_gettime(CLOCK_REALTIME, &now);
    for (size_t i = 0; i < count; i++) {
        if (!files[i].regular || since(files[i].modified, &now) < cache->settled ||
            since(files[i].changed, &now) < cache->settled)
            return false;
        bytes += files[i].size;
    }
    return count && bytes >= cache->least &&
           kb_files_unchanged(&(kb_files){.items = (kb_file *)(uintptr_t)files, .count = count});
}

/* "file=NAME" with all that tells the file from another one. Newlines in names do no harm: the text
 * is only ever compared as a whole. */
static char *describe_files(const kb_file *files, size_t count)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const kb_file *file = &files[i];
        const char *slash = strrchr(file->path, '/');
        fprintf(f,
                "file=%s %d %" PRIx64 " %" PRIx64 " %" PRIu64 " %" PRId64 ".%09" PRId64 " %" PRId64
                ".%09" PRId64 "\n",
                slash ? slash + 1 : file->path, (int)file->kind, file->device, file->inode,
                file->size, file->modified[0], file->modified[1], file->changed[0],
                file->changed[1]);
    }
    bool good = !ferror(f);
    if (fclose(f) != 0 || !good) {
        free(text);
        return NULL;
    }
    return text;
}

bool kb_cache_key_make(kb_cache_key *out, const kb_cache *cache, const char *kind,
                       const char *corpus, const char *options, const kb_file *files, size_t count)
{
    *out = (kb_cache_key){0};
    if (!cache || !are_settled(cache, files, count))
        return false;
    char *place = realpath(corpus, NULL), *list = describe_files(files, count);
    char *what = place ? format("corpus=%s\nprogram=%s\nreading=%d\n%s", place, PACKAGE_VERSION,
                                (int)READING_VERSION, options)
                       : NULL;
    if (what && list) {
        out->path =
            format("%s/%0*" PRIx64 ".%s", cache->folder, (int)HASH_DIGITS, hash_text(what), kind);
        out->text = format("%s%s", what, list);
    }
    free(place);
    free(list);
    free(what);
    if (out->path && out->text)
        return true;
    kb_cache_key_clear(out);
    return false;
}

void kb_cache_key_clear(kb_cache_key *key)
{
    free(key->path);
    free(key->text);
    *key = (kb_cache_key){0};
}

/* --- entries ------------------------------------------------------------------------------ */

/* Nobody else may have written the file. */
static kb_status check_owner(const char *path, kb_error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return kb_fail_errno(err, path, "cannot be opened", errno);
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
        return kb_fail(err, KB_ERR_FORMAT, "%s: not a file that only this user can write", path);
    return KB_OK;
}

static kb_status check_key(kb_container_reader *reader, const kb_cache_key *key, kb_error *err)
{
    const void *text;
    size_t length, wanted = strlen(key->text);
    kb_status status = kb_container_bytes(reader, "key", &text, &length, err);
    if (status)
        return status;
    if (length != wanted || memcmp(text, key->text, length) != 0)
        return kb_fail(err, KB_ERR_FORMAT, "%s: was made from other files, or otherwise",
                       key->path);
    return KB_OK;
}

kb_status kb_cache_open(kb_container_reader **out, const kb_cache_key *key, kb_error *err)
{
    *out = NULL;
    kb_container_reader *reader = NULL;
    kb_status status = check_owner(key->path, err);
    if (!status)
        status = kb_container_open(&reader, &kb_cache_kind, key->path, err);
    if (!status)
        status = check_key(reader, key, err);
    if (status) {
        kb_container_close(reader);
        return status;
    }
    utimensat(AT_FDCWD, key->path, NULL, 0); /* for the order in which entries go */
    *out = reader;
    return KB_OK;
}

/* --- the folder --------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);
    return n >= s && strcmp(name + n - s, suffix) == 0;
}

static bool is_name_of_ours(const char *name)
{
    return strspn(name, "0123456789abcdef") == HASH_DIGITS && name[HASH_DIGITS] == '.';
}

static bool is_unfinished(const char *name)
{
    return is_name_of_ours(name) && ends_with(name, ".tmp");
}

/* The corpus that an entry tells of, "" if it does not. NULL: no memory. */
static char *corpus_of(const char *path)
{
    static const char first[] = "corpus=";
    kb_container_reader *reader;
    const void *text;
    size_t length, n = sizeof first - 1;
    char *corpus = NULL;
    if (kb_container_open(&reader, &kb_cache_kind, path, NULL) != KB_OK)
        return kb_strdup("");
    if (kb_container_bytes(reader, "key", &text, &length, NULL) == KB_OK && length > n &&
        memcmp(text, first, n) == 0) {
        const char *from = (const char *)text + n, *end = memchr(from, '\n', length - n);
        corpus = end ? strndup(from, (size_t)(end - from)) : NULL;
    }
    kb_container_close(reader);
    return corpus ? corpus : kb_strdup("");
}

static bool add_entry(kb_cache_entries *out, const char *folder, const char *name, bool ask)
{
    struct stat st;
    char *path = format("%s/%s", folder, name);
    if (!path)
        return false;
    bool there = lstat(path, &st) == 0 && S_ISREG(st.st_mode), good = true;
    if (there) {
        good = kb_grow((void **)&out->items, &out->capacity, out->count + 1, sizeof *out->items);
        if (good)
            out->items[out->count++] =
                (kb_cache_entry){kb_strdup(name), ask ? corpus_of(path) : kb_strdup(""),
                                 (uint64_t)st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
        good = good && out->items[out->count - 1].name && out->items[out->count - 1].corpus;
    }
    free(path);
    return good;
}

static int last_used_first(const void *a, const void *b)
{
    const kb_cache_entry *x = a, *y = b;
    if (x->used != y->used)
        return x->used > y->used ? -1 : 1;
    if (x->used_ns != y->used_ns)
        return x->used_ns > y->used_ns ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* ASK: each entry for its corpus, too. */
static kb_status list_folder(kb_cache_entries *out, const char *folder, bool ask, kb_error *err)
{
    *out = (kb_cache_entries){0};
    DIR *dir = opendir(folder);
    if (!dir)
        return errno == ENOENT ? KB_OK : kb_fail_errno(err, folder, "cannot list", errno);
    bool good = true;
    for (struct dirent *entry; good && (entry = readdir(dir));)
        if (is_name_of_ours(entry->d_name))
            good = add_entry(out, folder, entry->d_name, ask && !is_unfinished(entry->d_name));
    closedir(dir);
    if (!good) {
        kb_cache_entries_free(out);
        return kb_fail_memory(err, "a list of files");
    }
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, last_used_first);
    return KB_OK;
}

kb_status kb_cache_list(kb_cache_entries *out, const char *folder, kb_error *err)
{
    kb_status status = list_folder(out, folder, true, err);
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++) {
        if (is_unfinished(out->items[i].name)) {
            free(out->items[i].name);
            free(out->items[i].corpus);
        } else {
            out->items[kept++] = out->items[i];
        }
    }
    out->count = kept;
    return status;
}

void kb_cache_entries_free(kb_cache_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        free(entries->items[i].name);
        free(entries->items[i].corpus);
    }
    free(entries->items);
    *entries = (kb_cache_entries){0};
}

/* One that is gone already is as good as removed. */
static kb_status remove_entry(const char *folder, const char *name, kb_error *err)
{
    char *path = format("%s/%s", folder, name);
    if (!path)
        return kb_fail_memory(err, "a file name");
    kb_status status = KB_OK;
    if (unlink(path) != 0 && errno != ENOENT)
        status = kb_fail_errno(err, path, "cannot be removed", errno);
    free(path);
    return status;
}

kb_status kb_cache_clear(const char *folder, kb_error *err)
{
    kb_cache_entries entries;
    kb_status status = list_folder(&entries, folder, false, err);
    for (size_t i = 0; i < entries.count && status == KB_OK; i++)
        status = remove_entry(folder, entries.items[i].name, err);
    kb_cache_entries_free(&entries);
    return status;
}

/* Entries beyond the limit go, and what a process that was killed has left. */
static kb_status keep_to_limit(const kb_cache *cache, kb_error *err)
{
    kb_cache_entries entries;
    kb_status status = list_folder(&entries, cache->folder, false, err);
    uint64_t bytes = 0;
    time_t now = time(NULL);
    for (size_t i = 0; i < entries.count && status == KB_OK; i++) {
        const kb_cache_entry *entry = &entries.items[i];
        bool abandoned = is_unfinished(entry->name) && now - entry->used > ABANDONED_SECONDS;
        bytes += entry->bytes;
        if (abandoned || bytes > cache->limit)
            status = remove_entry(cache->folder, entry->name, err);
    }
    kb_cache_entries_free(&entries);
    return status;
}

/* mkdir -p: the folders that are missing, for this user only. */
static kb_status make_folder(const char *folder, kb_error *err)
{
    char *path = kb_strdup(folder);
    if (!path)
        return kb_fail_memory(err, "a file name");
    int failed = 0;
    for (char *slash = path; !failed && (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        failed = mkdir(path, 0700) != 0 && errno != EEXIST ? errno : 0;
        *slash = '/';
    }
    if (!failed && mkdir(path, 0700) != 0 && errno != EEXIST)
        failed = errno;
    free(path);
    return failed ? kb_fail_errno(err, folder, "cannot be made", failed) : KB_OK;
}

/* A link in the entry's place would be followed when it is replaced. */
static kb_status make_way(const char *path, kb_error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0 || S_ISREG(st.st_mode) || unlink(path) == 0)
        return KB_OK;
    return kb_fail_errno(err, path, "cannot be replaced", errno);
}

kb_status kb_cache_write(const kb_cache *cache, const kb_cache_key *key,
                         kb_container_writer *writer, const kb_progress *progress, kb_error *err)
{
    const kb_piece text = {key->text, strlen(key->text)};
    kb_status status = kb_container_add_pieces(writer, "key", &text, 1, err);
    if (!status && kb_container_size(writer) > cache->limit)
        status = kb_fail(err, KB_ERR_IO, "%s: would be larger than the cache may be", key->path);
    if (!status)
        status = make_folder(cache->folder, err);
    if (!status)
        status = make_way(key->path, err);
    if (!status)
        status = kb_container_write(writer, key->path, false, progress, err);
    return status ? status : keep_to_limit(cache, err);
}
