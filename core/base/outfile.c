#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "secret.h"

enum { BUFFER_BYTES = 1 << 16 };

struct kb_outfile {
    char *path, *temporary;
    int fd;
    bool private;
    uint64_t position;
    size_t buffered;
    char buffer[BUFFER_BYTES];
};

static const char suffix[] = ".xxxxxx.tmp";

static void dispose(kb_outfile *file)
{
    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
    free(file->temporary);
    free(file);
}

/* Makes a file beside the target by a name that nothing has yet. It is an ordinary file with the
 * mode of what it is to replace, if there is something; or else for this user only. */
static bool make_temporary(kb_outfile *file)
{
    enum { TRIES = 100 };
    struct stat st;
    mode_t mode = file->private ? 0600 : 0666; /* which the umask applies to */
    char *digits = file->temporary + strlen(file->path) + 1;
    errno = EEXIST;
    for (int i = 0; i < TRIES && file->fd < 0 && errno == EEXIST; i++) {
        snprintf(digits, sizeof suffix - 1, "%06x.tmp", (unsigned)(kb_secret() >> 40));
        file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    }
    if (file->fd >= 0 && !file->private && stat(file->path, &st) == 0)
        (void)!fchmod(file->fd, st.st_mode & 07777);
    return file->fd >= 0;
}

/* Where the file really goes: behind a link it is the file that the link leads to that is replaced,
 * and the link itself where that is not there. A device or a pipe would be replaced by the rename
 * too, which nobody can want. */
static kb_status set_names(kb_outfile *file, const char *path, kb_error *err)
{
    struct stat st;
    bool exists = stat(path, &st) == 0;
    if (exists && !S_ISREG(st.st_mode))
        return kb_fail(err, KB_ERR_IO, "%s: cannot be written: not a regular file", path);
    file->path = exists ? realpath(path, NULL) : kb_strdup(path);
    if (!file->path)
        return kb_fail_memory(err, "a file name");
    size_t bytes = strlen(file->path) + sizeof suffix;
    file->temporary = malloc(bytes);
    if (!file->temporary)
        return kb_fail_memory(err, "a file name");
    snprintf(file->temporary, bytes, "%s%s", file->path, suffix);
    return KB_OK;
}

static kb_status open_file(kb_outfile **out, const char *path, bool private, kb_error *err)
{
    *out = NULL;
    kb_outfile *file = kb_calloc(1, sizeof *file);
    if (!file)
        return kb_fail_memory(err, "a file buffer");
    file->fd = -1;
    kb_status status = set_names(file, path, err);
    if (status) {
        dispose(file);
        return status;
    }
    file->private = private;
    if (!make_temporary(file)) {
        kb_fail_errno(err, path, "cannot be written", errno);
        dispose(file);
        return KB_ERR_IO;
    }
    *out = file;
    return KB_OK;
}

kb_status kb_outfile_open(kb_outfile **out, const char *path, kb_error *err)
{
    return open_file(out, path, false, err);
}

kb_status kb_outfile_open_private(kb_outfile **out, const char *path, kb_error *err)
{
    return open_file(out, path, true, err);
}

static kb_status write_all(kb_outfile *file, const char *p, size_t length, kb_error *err)
{
    while (length) {
        ssize_t n = write(file->fd, p, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return kb_fail_errno(err, file->path, "cannot be written", errno);
        p += n;
        length -= (size_t)n;
    }
    return KB_OK;
}

static kb_status flush_buffer(kb_outfile *file, kb_error *err)
{
    kb_status status = write_all(file, file->buffer, file->buffered, err);
    file->buffered = 0;
    return status;
}

kb_status kb_outfile_write(kb_outfile *file, const void *bytes, size_t length, kb_error *err)
{
    file->position += length;
    if (length > BUFFER_BYTES - file->buffered) {
        kb_status status = flush_buffer(file, err);
        if (status || length >= BUFFER_BYTES)
            return status ? status : write_all(file, bytes, length, err);
    }
    if (length)
        memcpy(file->buffer + file->buffered, bytes, length);
    file->buffered += length;
    return KB_OK;
}

uint64_t kb_outfile_position(const kb_outfile *file)
{
    return file->position;
}

/* A rename is durable once the folder is synced; some file systems refuse to sync a folder, which
 * is no failure. */
static void sync_folder(const char *path)
{
    char *copy = kb_strdup(path);
    if (!copy)
        return;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!fsync(fd);
        close(fd);
    }
    free(copy);
}

kb_status kb_outfile_commit(kb_outfile *file, kb_error *err)
{
    kb_status status = flush_buffer(file, err);
    bool lasting = !file->private;
    if (!status && lasting && fsync(file->fd) != 0 && errno != EINVAL && errno != EROFS)
        status = kb_fail_errno(err, file->path, "cannot be synced", errno);
    int fd = file->fd;
    file->fd = -1;
    if (close(fd) != 0 && !status)
        status = kb_fail_errno(err, file->path, "cannot be written", errno);
    if (!status && rename(file->temporary, file->path) != 0)
        status = kb_fail_errno(err, file->path, "cannot be replaced", errno);
    if (status)
        unlink(file->temporary);
    else if (lasting)
        sync_folder(file->path);
    dispose(file);
    return status;
}

void kb_outfile_abort(kb_outfile *file)
{
    if (!file)
        return;
    unlink(file->temporary);
    dispose(file);
}
