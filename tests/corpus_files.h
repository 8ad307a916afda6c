/* Files for the tests of the corpus: fixtures that come with the source, and files made on the spot
 * in a folder of their own. */
#ifndef KB_TEST_CORPUS_FILES_H
#define KB_TEST_CORPUS_FILES_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* Where the fixture NAME is. */
static inline const char *fixture(const char *name)
{
    static char path[1024];
    const char *source = getenv("srcdir");
    snprintf(path, sizeof path, "%s/tests/files/%s", source ? source : ".", name);
    return path;
}

/* A new empty folder. */
static inline char *make_folder(char *path, size_t size)
{
    const char *parent = getenv("TMPDIR");
    snprintf(path, size, "%s/kb-corpus-XXXXXX", parent ? parent : "/tmp");
    assert_non_null(mkdtemp(path));
    return path;
}

static inline void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char item[1024];
        snprintf(item, sizeof item, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlink(item) != 0)
            rmdir(item);
    }
    closedir(folder);
    rmdir(path);
}

/* Writes LENGTH bytes to FOLDER/NAME, compressed when the name ends in .gz; returns its path until
 * the next call. */
static inline const char *write_bytes(const char *folder, const char *name, const void *bytes,
                                      size_t length)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    size_t n = strlen(name);
    gzFile file = gzopen(path, n > 3 && strcmp(name + n - 3, ".gz") == 0 ? "wb" : "wbT");
    assert_non_null(file);
    assert_true(length == 0 || gzwrite(file, bytes, (unsigned)length) == (int)length);
    assert_int_equal(gzclose(file), Z_OK);
    return path;
}

static inline const char *write_text(const char *folder, const char *name, const char *text)
{
    return write_bytes(folder, name, text, strlen(text));
}

#endif
