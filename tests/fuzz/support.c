#include "support.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* --- checks ------------------------------------------------------------------------------ */
void fuzz_check(bool good, const char *format, ...)
{
    if (good)
        return;
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

void fuzz_same(const char *what, const char *a, const char *b)
{
    fuzz_check(strcmp(a, b) == 0, "%s differ:\n%s\n--- and:\n%s", what, a, b);
}

/* --- inputs ------------------------------------------------------------------------------ */
/* FNV-1a, and its high bits mixed into the low ones. */
uint64_t fuzz_hash(const uint8_t *data, size_t size)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < size; i++)
        h = (h ^ data[i]) * UINT64_C(0x100000001B3);
    return h ^ h >> 32;
}

bool fuzz_is_gzip(const uint8_t *data, size_t size)
{
    return size >= 2 && data[0] == 0x1F && data[1] == 0x8B;
}

char *fuzz_string(const uint8_t *data, size_t size)
{
    size_t length = size ? strnlen((const char *)data, size) : 0;
    char *text = malloc(length + 1);
    fuzz_check(text != NULL, "no memory");
    if (length)
        memcpy(text, data, length);
    text[length] = '\0';
    return text;
}

/* The next line at or behind FROM that begins with "@@"; SIZE: none. */
static size_t find_mark(const uint8_t *data, size_t size, size_t from)
{
    while (from + 2 <= size) {
        if (data[from] == '@' && data[from + 1] == '@')
            return from;
        const uint8_t *newline = memchr(data + from, '\n', size - from);
        from = newline ? (size_t)(newline - data) + 1 : size;
    }
    return size;
}

size_t fuzz_split(fuzz_part parts[FUZZ_PARTS], const uint8_t *data, size_t size)
{
    size_t count = 1, at = find_mark(data, size, 0);
    parts[0] = (fuzz_part){"", 0, data, at};
    while (at < size) {
        const uint8_t *head = data + at + 2;
        const uint8_t *newline = memchr(head, '\n', size - at - 2);
        size_t body = newline ? (size_t)(newline - data) + 1 : size;
        size_t next = count + 1 < FUZZ_PARTS ? find_mark(data, size, body) : size;
        size_t length = body - at - 2 - (newline != NULL);
        parts[count++] = (fuzz_part){(const char *)head, length, data + body, next - body};
        at = next;
    }
    return count;
}

bool fuzz_has(const fuzz_part *part, char c)
{
    return part->size && memchr(part->body, c, part->size);
}

/* --- files ------------------------------------------------------------------------------- */
static void write_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t n = write(fd, bytes, size);
        fuzz_check(n > 0, "a file cannot be written");
        bytes += n;
        size -= (size_t)n;
    }
}

fuzz_file fuzz_file_make(const void *bytes, size_t size)
{
    fuzz_file file = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};
    fuzz_check(file.fd >= 0, "memfd_create fails");
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
    write_all(file.fd, bytes, size);
    return file;
}

void fuzz_file_remove(fuzz_file *file)
{
    close(file->fd);
    file->fd = -1;
}

void fuzz_folder_make(char folder[FUZZ_PATH])
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, FUZZ_PATH, "%s/kb-fuzz-XXXXXX", parent ? parent : "/tmp");
    fuzz_check(mkdtemp(folder) != NULL, "%s: cannot be made", folder);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *ftw)
{
    (void)about;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void fuzz_folder_remove(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void write_packed(const char *path, const void *bytes, size_t size)
{
    gzFile file = gzopen(path, "wb1");
    fuzz_check(file && (!size || gzwrite(file, bytes, (unsigned)size) == (int)size) &&
                   gzclose(file) == Z_OK,
               "%s: cannot be written", path);
}

static void write_plain(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    fuzz_check(fd >= 0, "%s: cannot be written", path);
    write_all(fd, bytes, size);
    close(fd);
}

void fuzz_write(const char *folder, const char *name, const void *bytes, size_t size, bool packed)
{
    char path[2 * FUZZ_PATH];
    const char *slash = strchr(name, '/');
    if (slash) {
        snprintf(path, sizeof path, "%s/%.*s", folder, (int)(slash - name), name);
        mkdir(path, 0700);
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    (packed ? write_packed : write_plain)(path, bytes, size);
}

/* --- threads ----------------------------------------------------------------------------- */
static kb_pool *shared_pool;

static void free_pool(void)
{
    kb_pool_free(shared_pool);
    shared_pool = NULL;
}

kb_pool *fuzz_pool(void)
{
    if (!shared_pool) {
        fuzz_check(kb_pool_create(&shared_pool, 3, NULL) == KB_OK, "no threads");
        atexit(free_pool);
    }
    return shared_pool;
}
