#include "ledger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "sizes.h"

enum { CHUNK = KB_SIZE(1 << 18, 16), ROW_MAX = KB_SIZE(1 << 16, 300) };

/* --- one row ------------------------------------------------------------------------------ */

/* A quoted field: "" stands for a quote. */
static bool csv_name(const char *row, size_t length, char *name, size_t *got)
{
    *got = 0;
    if (row[0] != '"') {
        const char *comma = memchr(row, ',', length);
        *got = comma ? (size_t)(comma - row) : 0;
        memcpy(name, row, *got);
        return *got > 0;
    }
    for (size_t i = 1; i < length; i++) {
        if (row[i] == '"' && (i + 1 == length || row[i + 1] != '"'))
            return *got > 0 && i + 1 < length && row[i + 1] == ',';
        i += row[i] == '"';
        name[(*got)++] = row[i];
    }
    return false;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What is escaped is a quote, a backslash or a control character. */
static bool json_name(const char *row, size_t length, char *name, size_t *got)
{
    static const char opening[] = "{\"session\":\"";
    size_t i = sizeof opening - 1;
    *got = 0;
    if (length < i || memcmp(row, opening, i) != 0)
        return false;
    for (; i < length && row[i] != '"'; i++) {
        char c = row[i];
        if (c == '\\' && i + 1 < length && (row[i + 1] == '"' || row[i + 1] == '\\')) {
            c = row[++i];
        } else if (c == '\\') {
            int high = i + 5 < length ? hex(row[i + 4]) : -1;
            int low = high < 0 ? -1 : hex(row[i + 5]);
            if (low < 0 || memcmp(row + i, "\\u00", 4) != 0)
                return false;
            c = (char)(16 * high + low);
            i += 5;
        }
        name[(*got)++] = c;
    }
    return *got > 0 && i < length;
}

bool kb_ledger_name(kb_ledger_form form, const char *row, size_t length, char *name, size_t *got)
{
    return form == KB_LEDGER_CSV ? csv_name(row, length, name, got)
                                 : json_name(row, length, name, got);
}

/* --- all rows ----------------------------------------------------------------------------- */

struct scan {
    const char *path, *header;
    kb_ledger_form form;
    kb_ledger_reader reader;
    int fd;
    uint64_t at; /* offset of what is not yet seen: the end of the last whole row */
    bool headed; /* the header is behind us */
    uint64_t rows;
    char *buffer, *name;
    size_t capacity, held;
};

/* The length of the row that begins at FROM in the buffer, 0: its end is not there. */
static size_t row_length(const struct scan *s, size_t from)
{
    bool quoted = false;
    for (size_t i = from; i < s->held; i++) {
        quoted ^= s->form == KB_LEDGER_CSV && s->buffer[i] == '"';
        if (s->buffer[i] == '\n' && !quoted)
            return i + 1 - from;
    }
    return 0;
}

static kb_status is_no_ledger(const struct scan *s, kb_error *err)
{
    return kb_fail(err, KB_ERR_FORMAT,
                   "%s: labels cannot be appended: it holds something else at byte %llu", s->path,
                   (unsigned long long)s->at);
}

static kb_status take_row(struct scan *s, const char *row, size_t length, kb_error *err)
{
    size_t n = strlen(s->header), got;
    if (s->form == KB_LEDGER_CSV && !s->headed) {
        s->headed = true;
        bool right = length == n + 1 && memcmp(row, s->header, n) == 0;
        return right ? KB_OK : is_no_ledger(s, err);
    }
    if (!kb_ledger_name(s->form, row, length, s->name, &got))
        return is_no_ledger(s, err);
    s->rows++;
    return s->reader.name(s->reader.ctx, s->name, got, err);
}

static kb_status take_rows(struct scan *s, kb_error *err)
{
    size_t from = 0, length;
    while ((length = row_length(s, from)) > 0) {
        kb_status status = take_row(s, s->buffer + from, length, err);
        if (status)
            return status;
        s->at += length;
        from += length;
    }
    s->held -= from;
    memmove(s->buffer, s->buffer + from, s->held);
    return s->held > ROW_MAX ? is_no_ledger(s, err) : KB_OK;
}

static kb_status scan_rows(struct scan *s, kb_error *err)
{
    for (;;) {
        ssize_t n =
            pread(s->fd, s->buffer + s->held, s->capacity - s->held, (off_t)(s->at + s->held));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return kb_fail_errno(err, s->path, "cannot read", errno);
        if (n == 0)
            return KB_OK;
        s->held += (size_t)n;
        kb_status status = take_rows(s, err);
        if (status)
            return status;
    }
}

/* What is left after the last whole row was torn off. */
static kb_status cut_off(const struct scan *s, kb_error *err)
{
    if (s->held && (ftruncate(s->fd, (off_t)s->at) != 0 || fsync(s->fd) != 0))
        return kb_fail_errno(err, s->path, "a torn row cannot be cut off", errno);
    return KB_OK;
}

static kb_status recover(struct scan *s, kb_ledger_place *place, kb_error *err)
{
    struct stat st;
    if (fstat(s->fd, &st) != 0)
        return kb_fail_errno(err, s->path, "cannot read", errno);
    if (!S_ISREG(st.st_mode)) {
        *place = (kb_ledger_place){0};
        return KB_OK;
    }
    bool same = place->device == (uint64_t)st.st_dev && place->inode == (uint64_t)st.st_ino &&
                place->offset <= (uint64_t)st.st_size;
    s->at = same ? place->offset : 0;
    s->headed = s->at > 0;
    kb_status status = scan_rows(s, err);
    if (!status)
        status = cut_off(s, err);
    *place = (kb_ledger_place){(uint64_t)st.st_dev, (uint64_t)st.st_ino, s->at};
    return status;
}

kb_status kb_ledger_recover(const char *path, kb_ledger_form form, const char *header,
                            kb_ledger_place *place, kb_ledger_reader reader, uint64_t *rows,
                            kb_error *err)
{
    struct scan s = {.path = path, .header = header, .form = form, .reader = reader};
    *rows = 0;
    s.fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (s.fd < 0 && errno == ENOENT) {
        *place = (kb_ledger_place){0};
        return KB_OK;
    }
    if (s.fd < 0)
        return kb_fail_errno(err, path, "cannot be opened", errno);
    s.capacity = (size_t)CHUNK + ROW_MAX;
    s.buffer = malloc(s.capacity);
    s.name = malloc(s.capacity);
    kb_status status =
        s.buffer && s.name ? recover(&s, place, err) : kb_fail_memory(err, "reading a file");
    *rows = s.rows;
    free(s.buffer);
    free(s.name);
    close(s.fd);
    return status;
}

/* --- where it has gone -------------------------------------------------------------------- */

static char *join(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", dir, name);
    return path;
}

char *kb_ledger_find(const char *path, const kb_ledger_place *place)
{
    char *copy = kb_strdup(path), *found = NULL;
    const char *dir = copy ? dirname(copy) : NULL;
    DIR *folder = dir ? opendir(dir) : NULL;
    struct dirent *entry;
    while (folder && !found && (entry = readdir(folder))) {
        struct stat st;
        if ((uint64_t)entry->d_ino != place->inode)
            continue;
        found = join(dir, entry->d_name);
        if (found && (stat(found, &st) != 0 || (uint64_t)st.st_dev != place->device)) {
            free(found);
            found = NULL;
        }
    }
    if (folder)
        closedir(folder);
    free(copy);
    return found;
}
