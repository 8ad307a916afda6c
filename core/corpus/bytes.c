#include "bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "files.h"
#include "memory.h"
#include "sizes.h"

enum { INPUT_BYTES = KB_SIZE(128 * 1024, 64), POLL_MS = 100 };

/* What the next byte of the file belongs to. */
enum place { AT_START, IN_PLAIN, IN_MEMBER, BETWEEN_MEMBERS };

struct kb_bytes {
    int fd;
    bool owned;     /* fd is ours to close */
    bool may_block; /* a pipe, a terminal: wait with poll, so that cancelling works */
    bool ended;     /* the file has no more bytes, or they cannot be read */
    bool inflating; /* zlib's state exists */
    enum place place;
    char *label;
    const kb_progress *progress;
    kb_idle idle;
    uint64_t read;     /* from the file */
    uint64_t offset;   /* in the file of what is read next */
    uint64_t size;     /* of a regular file when it was opened */
    struct stat about; /* likewise */
    kb_error failure;  /* why it ended if that is not its end; told behind what came before it */
    z_stream z;        /* next_in/avail_in: what of INPUT is not used yet, also for plain bytes */
    unsigned char input[INPUT_BYTES];
};

static kb_status inspect(kb_bytes *bytes, kb_error *err)
{
    if (fstat(bytes->fd, &bytes->about) != 0)
        return kb_fail_errno(err, bytes->label, "cannot read", errno);
    if (S_ISDIR(bytes->about.st_mode))
        return kb_fail(err, KB_ERR_IO, "%s: is a directory, a file was expected", bytes->label);
    bytes->may_block = !S_ISREG(bytes->about.st_mode);
    bytes->size = bytes->may_block ? 0 : (uint64_t)bytes->about.st_size;
    return KB_OK;
}

/* O_NONBLOCK keeps a FIFO without a writer from holding us in open(), where nobody could cancel. */
kb_status kb_bytes_open(kb_bytes **out, const char *path, const char *label,
                        const kb_progress *progress, kb_error *err)
{
    *out = NULL;
    kb_bytes *bytes = kb_calloc(1, sizeof *bytes);
    if (!bytes)
        return kb_fail_memory(err, "reading a file");
    bool standard = strcmp(path, "-") == 0;
    bytes->owned = !standard;
    bytes->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    int reason = errno;
    bytes->label = kb_strdup(label);
    bytes->progress = progress;
    kb_status status = KB_OK;
    if (!bytes->label)
        status = kb_fail_memory(err, "reading a file");
    else if (bytes->fd < 0)
        status = kb_fail_errno(err, label, "cannot open", reason);
    else
        status = inspect(bytes, err);
    if (status != KB_OK) {
        kb_bytes_close(bytes);
        return status;
    }
    *out = bytes;
    return KB_OK;
}

void kb_bytes_close(kb_bytes *bytes)
{
    if (!bytes)
        return;
    if (bytes->inflating)
        inflateEnd(&bytes->z);
    if (bytes->owned && bytes->fd >= 0)
        close(bytes->fd);
    free(bytes->label);
    free(bytes);
}

void kb_bytes_expect(kb_bytes *bytes, uint64_t size)
{
    if (!bytes->may_block && size > bytes->size)
        bytes->size = size;
}

void kb_bytes_on_idle(kb_bytes *bytes, kb_idle idle)
{
    bytes->idle = idle;
}

bool kb_bytes_are_of(const kb_bytes *bytes, const struct kb_file *file)
{
    const struct stat *st = &bytes->about;
    bool same = (uint64_t)st->st_dev == file->device && (uint64_t)st->st_ino == file->inode;
    bool grown = (uint64_t)st->st_size > file->size;
    return same && (grown || (st->st_mtim.tv_sec == file->modified[0] &&
                              st->st_mtim.tv_nsec == file->modified[1]));
}

bool kb_bytes_is_worth_a_thread(const kb_bytes *bytes)
{
    return bytes->inflating && !bytes->may_block;
}

uint64_t kb_bytes_consumed(const kb_bytes *bytes)
{
    return bytes->read;
}

static kb_status cancelled(kb_error *err)
{
    return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
}

/* Something was written to the file while it was read, and not only behind what there was. */
static bool has_changed(const kb_bytes *bytes)
{
    struct stat now;
    return fstat(bytes->fd, &now) == 0 && now.st_size == bytes->about.st_size &&
           (now.st_mtim.tv_sec != bytes->about.st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != bytes->about.st_mtim.tv_nsec);
}

/* The file has no more bytes: are those all that there were? Standard input may have been read from
 * before, so that its offset says nothing. */
static void end_of_file(kb_bytes *bytes)
{
    bytes->ended = true;
    if (!bytes->owned || bytes->may_block)
        return;
    if (has_changed(bytes))
        kb_fail(&bytes->failure, KB_ERR_DAMAGED, "%s: changed while it was read", bytes->label);
    if (bytes->offset < bytes->size)
        kb_fail(&bytes->failure, KB_ERR_DAMAGED,
                "%s: shrank while it was read: it had %" PRIu64 " bytes, %" PRIu64 " could be read",
                bytes->label, bytes->size, bytes->offset);
}

/* What was read before stands. */
static void read_error(kb_bytes *bytes, int reason)
{
    bytes->ended = true;
    kb_fail_errno(&bytes->failure, bytes->label, "cannot read", reason);
    if (bytes->read)
        bytes->failure.status = KB_ERR_DAMAGED;
}

/* All that came of the file is given. */
static kb_status end_of_stream(const kb_bytes *bytes, kb_error *err)
{
    if (bytes->failure.status == KB_OK)
        return KB_OK;
    return kb_fail(err, bytes->failure.status, "%s", bytes->failure.text);
}

/* A pipe or a terminal has something to say. */
static bool can_read(const kb_bytes *bytes)
{
    struct pollfd wait = {bytes->fd, POLLIN, 0};
    if (!bytes->idle.call)
        return poll(&wait, 1, POLL_MS) > 0;
    if (poll(&wait, 1, 0) > 0)
        return true;
    bytes->idle.call(bytes->idle.ctx);
    return poll(&wait, 1, POLL_MS) > 0;
}

/* Up to ROOM bytes of the file as they are; 0 when it has ended. */
static kb_status read_file(kb_bytes *bytes, void *buffer, size_t room, size_t *got, kb_error *err)
{
    *got = 0;
    while (!bytes->ended) {
        if (kb_cancelled(bytes->progress))
            return cancelled(err);
        if (bytes->may_block && !can_read(bytes))
            continue;
        ssize_t n = read(bytes->fd, buffer, room);
        if (n > 0) {
            bytes->read += (uint64_t)n;
            bytes->offset += (uint64_t)n;
            *got = (size_t)n;
            return KB_OK;
        }
        if (n == 0)
            end_of_file(bytes);
        else if (errno != EINTR && errno != EAGAIN)
            read_error(bytes, errno);
    }
    return KB_OK;
}

/* Puts more bytes of the file behind those that INPUT still holds. */
static kb_status fill(kb_bytes *bytes, kb_error *err)
{
    size_t left = bytes->z.avail_in, got;
    if (left)
        memmove(bytes->input, bytes->z.next_in, left);
    kb_status status = read_file(bytes, bytes->input + left, sizeof bytes->input - left, &got, err);
    bytes->z.next_in = bytes->input;
    bytes->z.avail_in = (uInt)(left + got);
    return status;
}

static kb_status begin_inflating(kb_bytes *bytes, kb_error *err)
{
    enum { GZIP_ONLY = 16 };
    if (inflateInit2(&bytes->z, MAX_WBITS + GZIP_ONLY) != Z_OK)
        return kb_fail_memory(err, "decompression");
    bytes->inflating = true;
    bytes->place = IN_MEMBER;
    return KB_OK;
}

/* Looks at the first two bytes. No text in UTF-8 starts with gzip's magic number. */
static kb_status find_out(kb_bytes *bytes, kb_error *err)
{
    while (bytes->z.avail_in < 2 && !bytes->ended) {
        kb_status status = fill(bytes, err);
        if (status != KB_OK)
            return status;
    }
    const unsigned char *in = bytes->z.next_in;
    if (bytes->z.avail_in >= 2 && in[0] == 0x1F && in[1] == 0x8B)
        return begin_inflating(bytes, err);
    bytes->place = IN_PLAIN;
    return KB_OK;
}

static kb_status read_plain(kb_bytes *bytes, char *buffer, size_t room, size_t *got, kb_error *err)
{
    size_t left = bytes->z.avail_in;
    if (!left) {
        kb_status status = read_file(bytes, buffer, room, got, err);
        return status || *got ? status : end_of_stream(bytes, err);
    }
    *got = left < room ? left : room;
    memcpy(buffer, bytes->z.next_in, *got);
    bytes->z.next_in += *got;
    bytes->z.avail_in -= (uInt)*got;
    return KB_OK;
}

/* A checksum stands at the end of what it is for, which has been handed out by then. */
static kb_status corrupt(const kb_bytes *bytes, const char *what, kb_error *err)
{
    if (strncmp(what, "incorrect ", strlen("incorrect ")) == 0)
        return kb_fail(err, KB_ERR_DAMAGED,
                       "%s: the gzip data are corrupt: %s, so that some of what was read is wrong",
                       bytes->label, what);
    return kb_fail(err, KB_ERR_DAMAGED, "%s: the gzip data are corrupt: %s", bytes->label, what);
}

/* Behind a member: another one, padding, or the end. */
static kb_status next_member(kb_bytes *bytes, kb_error *err)
{
    while (bytes->z.avail_in && *bytes->z.next_in == 0) {
        bytes->z.next_in++;
        bytes->z.avail_in--;
    }
    if (!bytes->z.avail_in)
        return KB_OK;
    if (*bytes->z.next_in != 0x1F)
        return corrupt(bytes, "other bytes follow the compressed ones", err);
    inflateReset(&bytes->z);
    bytes->place = IN_MEMBER;
    return KB_OK;
}

/* One call of inflate() into [next_out, avail_out). */
static kb_status inflate_some(kb_bytes *bytes, kb_error *err)
{
    uInt in = bytes->z.avail_in, out = bytes->z.avail_out;
    int result = inflate(&bytes->z, Z_NO_FLUSH);
    bool stuck = bytes->ended && in == 0 && out == bytes->z.avail_out;
    if (result == Z_STREAM_END)
        bytes->place = BETWEEN_MEMBERS;
    else if (result == Z_MEM_ERROR)
        return kb_fail_memory(err, "decompression");
    else if (result != Z_OK && result != Z_BUF_ERROR)
        return corrupt(bytes, bytes->z.msg ? bytes->z.msg : "unknown reason", err);
    else if (stuck && bytes->failure.status)
        return end_of_stream(bytes, err);
    else if (stuck)
        return kb_fail(err, KB_ERR_DAMAGED, "%s: truncated: the gzip data end early", bytes->label);
    return KB_OK;
}

/* Bytes made before an error are handed out first: zlib repeats the error in the next call. */
static kb_status read_gzip(kb_bytes *bytes, char *buffer, size_t room, size_t *got, kb_error *err)
{
    uInt limit = room < (1u << 30) ? (uInt)room : 1u << 30;
    bytes->z.next_out = (unsigned char *)buffer;
    bytes->z.avail_out = limit;
    kb_status status = KB_OK;
    while (status == KB_OK && bytes->z.avail_out == limit) {
        if (!bytes->z.avail_in && !bytes->ended)
            status = fill(bytes, err);
        else if (bytes->place == IN_MEMBER)
            status = inflate_some(bytes, err);
        else if (bytes->z.avail_in)
            status = next_member(bytes, err);
        else
            return end_of_stream(bytes, err);
    }
    *got = limit - bytes->z.avail_out;
    return *got ? KB_OK : status;
}

kb_status kb_bytes_read(kb_bytes *bytes, char *buffer, size_t room, size_t *got, kb_error *err)
{
    *got = 0;
    if (bytes->place == AT_START) {
        kb_status status = find_out(bytes, err);
        if (status != KB_OK)
            return status;
    }
    if (bytes->place == IN_PLAIN)
        return read_plain(bytes, buffer, room, got, err);
    return read_gzip(bytes, buffer, room, got, err);
}

kb_status kb_bytes_seek(kb_bytes *bytes, uint64_t offset, kb_error *err)
{
    if (bytes->place != IN_PLAIN || bytes->may_block)
        return kb_fail(err, KB_ERR_DAMAGED,
                       "%s: changed while it was read: it has no middle to go to", bytes->label);
    if (lseek(bytes->fd, (off_t)offset, SEEK_SET) < 0)
        return kb_fail_errno(err, bytes->label, "cannot read", errno);
    bytes->z.avail_in = 0;
    bytes->ended = false;
    bytes->failure = (kb_error){0};
    bytes->read = 0;
    bytes->offset = offset;
    return KB_OK;
}
