#include "follow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "csv_text.h"
#include "ingest.h"
#include "memory.h"
#include "trace.h"

enum {
    PIECE_BYTES = KB_SIZE(4 << 20, 64), /* of a plain file, read at once */
    PIECE_ROWS = KB_SIZE(1 << 16, 4),   /* of a compressed one */
    QUOTED_MAX = KB_SIZE(1 << 16, 64),  /* a row that seems to be longer has a broken quote */
    MARK_BYTES = 64
};

/* Seconds between looks when nothing happens, at least; and in shares of what a look takes. */
static const double look_every = 1, look_least = .05, look_share = 10;

/* Seconds that a file is looked at after it was renamed: its writer may not know yet. */
static const double linger = 60;

/* A file that is known. Plain: appended to, read up to OFFSET. Otherwise it is read whole. */
struct input {
    char *name; /* in the folder */
    bool trace, packed;
    bool found; /* by the last look, under its name or another one that is looked at */
    uint64_t device, inode, size;
    int64_t modified[2];
    double gone;     /* when it was not found for the first time since it was; 0: it is found */
    double changed;  /* when that was seen to change */
    uint64_t offset; /* of what is not yet read; of a compressed file: rows read */
    uint64_t line;   /* lines before that */
    uint64_t mark;   /* hash of the MARK_LENGTH bytes before offset */
    uint32_t mark_length;
    int fd;        /* -1: not open */
    bool news;     /* there may be something to read */
    bool done;     /* whole file: has been read as it is now */
    bool told;     /* why it cannot be read */
    bool restored; /* and not seen since: it may have grown under another name */
};

struct kb_follow {
    char *dir;
    kb_follow_options options;
    kb_column_names names;
    kb_column columns[KB_METRIC_COLUMNS];
    kb_problems *problems;
    uint64_t line;         /* what is to be added to lines of problems */
    struct input **inputs; /* by name */
    size_t count, capacity, next;
    int events;
    double looked, look_takes;
    size_t open; /* plain files that are */
    bool due;    /* something came or went */
    bool lost;   /* the folder could not be listed, which was told */
    uint64_t bytes;
    /* The compressed file that is being read, or NULL. */
    kb_csv *csv;
    struct input *reading;
};

/* --- making ------------------------------------------------------------------------------- */

static bool is_plain(const struct input *in)
{
    return !in->trace && !in->packed;
}

static void hear_problem(void *ctx, const kb_problem *problem)
{
    const kb_follow *f = ctx;
    kb_problem told = *problem;
    if (told.line)
        told.line += f->line;
    if (f->options.problem.tell)
        f->options.problem.tell(f->options.problem.ctx, &told);
}

kb_status kb_follow_create(kb_follow **out, const char *dir, const kb_follow_options *options,
                           kb_error *err)
{
    *out = NULL;
    kb_follow *f = kb_calloc(1, sizeof *f);
    if (!f)
        return kb_fail_memory(err, "following a folder");
    f->options = *options;
    f->looked = -(double)INFINITY;
    f->events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    int reason = errno;
    f->dir = kb_strdup(dir);
    f->problems = kb_problems_create((kb_problem_listener){hear_problem, f});
    kb_status status = f->dir && f->problems ? KB_OK : kb_fail_memory(err, "following a folder");
    struct stat st;
    if (!status && f->events < 0)
        status = kb_fail_errno(err, dir, "cannot be listened to", reason);
    if (!status && stat(dir, &st) != 0)
        status = kb_fail_errno(err, dir, "cannot open", errno);
    if (!status && !S_ISDIR(st.st_mode))
        status = kb_fail(err, KB_ERR_IO, "%s: not a directory", dir);
    if (!status)
        status = kb_column_names_parse(&f->names, options->columns, err);
    kb_metrics_columns(f->columns, &f->names);
    if (status)
        kb_follow_free(f);
    else
        *out = f;
    return status;
}

static void set_fd(kb_follow *f, struct input *in, int fd)
{
    f->open += fd >= 0;
    f->open -= in->fd >= 0;
    if (in->fd >= 0)
        close(in->fd);
    in->fd = fd;
}

static void free_input(kb_follow *f, struct input *in)
{
    set_fd(f, in, -1);
    free(in->name);
    free(in);
}

static void end_reading(kb_follow *f)
{
    kb_csv_close(f->csv);
    f->csv = NULL;
    f->reading = NULL;
}

void kb_follow_free(kb_follow *f)
{
    if (!f)
        return;
    end_reading(f);
    for (size_t i = 0; i < f->count; i++)
        free_input(f, f->inputs[i]);
    free(f->inputs);
    if (f->events >= 0)
        close(f->events);
    kb_problems_free(f->problems);
    kb_column_names_clear(&f->names);
    free(f->dir);
    free(f);
}

void kb_follow_reshape(kb_follow *f, size_t timesteps, kb_fill fill)
{
    f->options.timesteps = timesteps;
    f->options.fill = fill;
}

/* DIR/NAME; the caller frees it. */
static char *path_of(const kb_follow *f, const char *name)
{
    size_t size = strlen(f->dir) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", f->dir, name);
    return path;
}

static void tell(kb_follow *f, const struct input *in, kb_problem_kind kind, const char *reason)
{
    char *path = path_of(f, in->name);
    f->line = 0;
    if (path)
        kb_problems_add(f->problems, path, 0, kind, "%s", reason);
    free(path);
}

static void tell_once(kb_follow *f, struct input *in, const char *reason)
{
    if (!in->told)
        tell(f, in, KB_PROBLEM_FILE, reason);
    in->told = true;
}

/* --- what there is ------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct input *const *)a)->name, (*(struct input *const *)b)->name);
}

static int by_inode(const void *a, const void *b)
{
    const struct input *x = *(struct input *const *)a, *y = *(struct input *const *)b;
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* What a look works with: the inputs in the order of their inodes. */
struct look {
    kb_follow *f;
    struct input **known;
    size_t count;
    double now;
};

static struct input *find_inode(const struct look *look, const struct stat *st, const char *name)
{
    size_t low = 0, high = look->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (look->known[middle]->inode < (uint64_t)st->st_ino)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < look->count && look->known[low]->inode == (uint64_t)st->st_ino; low++) {
        struct input *in = look->known[low];
        if (in->device == (uint64_t)st->st_dev || strcmp(in->name, name) == 0)
            return in;
    }
    return NULL;
}

static bool ends_in_gz(const char *name)
{
    size_t n = strlen(name);
    return n > 3 && strcmp(name + n - 3, ".gz") == 0;
}

/* How long ago the file was written to, by the wall clock. */
static double age_of(const struct stat *st)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    double age =
        (double)(t.tv_sec - st->st_mtim.tv_sec) + 1e-9 * (double)(t.tv_nsec - st->st_mtim.tv_nsec);
    return age > 0 ? age : 0;
}

static struct input *add_input(kb_follow *f, const char *name, bool trace, const struct stat *st,
                               double now)
{
    struct input *in = kb_calloc(1, sizeof *in);
    char *copy = kb_strdup(name);
    if (!in || !copy ||
        !kb_grow((void **)&f->inputs, &f->capacity, f->count + 1, sizeof *f->inputs)) {
        free(in);
        free(copy);
        return NULL;
    }
    *in = (struct input){.name = copy,
                         .trace = trace,
                         .packed = ends_in_gz(name),
                         .device = (uint64_t)st->st_dev,
                         .inode = (uint64_t)st->st_ino,
                         .changed = now - age_of(st),
                         .fd = -1};
    f->inputs[f->count++] = in;
    return in;
}

/* IN is as ST says, which may be news. */
static void update(struct input *in, const struct stat *st, double now)
{
    bool same = in->size == (uint64_t)st->st_size && in->modified[0] == st->st_mtim.tv_sec &&
                in->modified[1] == st->st_mtim.tv_nsec;
    bool fresh = !in->modified[0] && !in->modified[1];
    in->found = true;
    in->gone = 0;
    in->restored = false;
    in->device = (uint64_t)st->st_dev;
    if (!same) {
        in->size = (uint64_t)st->st_size;
        in->modified[0] = st->st_mtim.tv_sec;
        in->modified[1] = st->st_mtim.tv_nsec;
        in->changed = fresh ? in->changed : now;
        in->done = false;
        in->told = in->told && is_plain(in); /* what is read on tells when it can be read again */
        in->news = true;
    }
    /* a plain file may be told to be unreadable, and become readable without a change */
    in->news |= is_plain(in) ? in->offset < in->size || in->told : !in->done;
}

static uint64_t hash_bytes(const unsigned char *bytes, size_t length)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325); /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        h = (h ^ bytes[i]) * UINT64_C(0x100000001B3);
    return h;
}

/* What lies before IN's offset in FD is what was read there. */
static bool mark_fits(const struct input *in, int fd)
{
    unsigned char bytes[MARK_BYTES];
    off_t from = (off_t)(in->offset - in->mark_length);
    return pread(fd, bytes, in->mark_length, from) == (ssize_t)in->mark_length &&
           hash_bytes(bytes, in->mark_length) == in->mark;
}

static void set_mark(struct input *in, int fd)
{
    unsigned char bytes[MARK_BYTES];
    in->mark_length = in->offset < MARK_BYTES ? (uint32_t)in->offset : MARK_BYTES;
    ssize_t n = pread(fd, bytes, in->mark_length, (off_t)(in->offset - in->mark_length));
    if (n < 0 || (size_t)n < in->mark_length)
        in->mark_length = 0;
    in->mark = hash_bytes(bytes, in->mark_length);
}

/* A plain file that has another inode than the one that was called so, and the same bytes up to
 * where reading has got to: a copy that has grown, as rsync leaves it. */
static struct input *find_copied(const struct look *look, const char *name, const char *path,
                                 const struct stat *st)
{
    for (size_t i = 0; i < look->count; i++) {
        struct input *in = look->known[i];
        struct stat now;
        if (strcmp(in->name, name) != 0 || !is_plain(in) || !in->offset ||
            (uint64_t)st->st_size < in->offset)
            continue;
        if (in->fd >= 0 && fstat(in->fd, &now) == 0 && now.st_nlink)
            continue; /* it goes on under another name */
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        bool fits = fd >= 0 && in->mark_length && mark_fits(in, fd);
        if (!fits) {
            if (fd >= 0)
                close(fd);
            continue;
        }
        set_fd(look->f, in, fd);
        in->inode = (uint64_t)st->st_ino;
        return in;
    }
    return NULL;
}

static bool rename_input(struct input *in, const char *name)
{
    if (strcmp(in->name, name) == 0)
        return true;
    char *copy = kb_strdup(name);
    if (!copy)
        return false;
    free(in->name);
    in->name = copy;
    return true;
}

static kb_status look_at_file(struct look *look, const char *path, bool trace, kb_error *err)
{
    struct stat st;
    const char *name = path + strlen(look->f->dir);
    name += *name == '/';
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return KB_OK; /* it has gone again, or is none to follow */
    struct input *in = find_inode(look, &st, name);
    if (!in && !trace && !ends_in_gz(name))
        in = find_copied(look, name, path, &st);
    if (!in)
        in = add_input(look->f, name, trace, &st, look->now);
    if (!in || !rename_input(in, name))
        return kb_fail_memory(err, "following a folder");
    update(in, &st, look->now);
    return KB_OK;
}

static kb_status look_at_files(struct look *look, const char *dir, const char *prefix, bool trace,
                               kb_error *err)
{
    kb_paths paths;
    kb_status status = kb_paths_list(&paths, dir, prefix, err);
    for (size_t i = 0; !status && i < paths.count; i++)
        status = look_at_file(look, paths.items[i], trace, err);
    kb_paths_free(&paths);
    return status;
}

/* --- what has gone ------------------------------------------------------------------------ */

/* A plain file that is not there under a name to look at: it may have another one. */
static void open_elsewhere(kb_follow *f, struct input *in)
{
    DIR *folder = opendir(f->dir);
    struct dirent *entry;
    while (folder && in->fd < 0 && (entry = readdir(folder))) {
        struct stat st;
        if ((uint64_t)entry->d_ino != in->inode)
            continue;
        char *path = path_of(f, entry->d_name);
        int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
        free(path);
        if (fd >= 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_dev == in->device &&
            (uint64_t)st.st_size >= in->offset && mark_fits(in, fd))
            set_fd(f, in, fd);
        else if (fd >= 0)
            close(fd);
    }
    if (folder)
        closedir(folder);
}

static bool is_quiet(const kb_follow *f, const struct input *in, double now)
{
    return now - in->changed >= f->options.settle;
}

/* IN is not looked at any more; true: nothing is left to be read of it. */
static bool has_ended(kb_follow *f, struct input *in, double now)
{
    struct stat st;
    double gone = in->gone > 0 ? in->gone : now;
    if (in == f->reading)
        return false; /* it is open */
    if (!is_plain(in)) {
        if (!in->done && in->size)
            tell(f, in, KB_PROBLEM_FILE, "has gone before it was read");
        return true;
    }
    if (in->fd < 0 && (in->offset < in->size || in->restored))
        open_elsewhere(f, in);
    in->restored = false;
    if (in->fd < 0 || fstat(in->fd, &st) != 0) {
        if (in->offset < in->size)
            tell(f, in, KB_PROBLEM_FILE, "has gone before it was read to its end");
        return true;
    }
    update(in, &st, now);
    in->found = false;
    in->gone = gone;
    return in->offset >= in->size && is_quiet(f, in, now) && now - gone >= linger;
}

static void drop_ended(kb_follow *f, double now)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        struct input *in = f->inputs[i];
        if (in->found || !has_ended(f, in, now))
            f->inputs[kept++] = in;
        else
            free_input(f, in);
    }
    f->count = kept;
    f->next = f->next < kept ? f->next : 0;
}

/* --- looking ------------------------------------------------------------------------------ */

static kb_status look_at_folder(struct look *look, kb_error *err)
{
    kb_follow *f = look->f;
    kb_error why = {0};
    for (size_t i = 0; i < f->count; i++)
        f->inputs[i]->found = false;
    kb_status status = look_at_files(look, f->dir, "metrics", false, &why);
    if (status == KB_ERR_IO) {
        if (!f->lost)
            kb_problems_add(f->problems, f->dir, 0, KB_PROBLEM_FILE, "%s; it is tried again",
                            kb_problem_reason(why.text, f->dir));
        f->lost = true;
        return KB_OK;
    }
    f->lost = false;
    char *traces = status ? NULL : path_of(f, "traces");
    struct stat st;
    if (!status && !traces)
        return kb_fail_memory(err, "following a folder");
    if (!status && stat(traces, &st) == 0 && S_ISDIR(st.st_mode))
        status = look_at_files(look, traces, "", true, &why);
    free(traces);
    if (status && status != KB_ERR_IO)
        return kb_fail(err, status, "%s", why.text);
    if (status == KB_OK)
        drop_ended(f, look->now);
    return KB_OK;
}

/* Listening is a matter of inodes: what was made anew is listened to again. */
static void listen_to(const kb_follow *f)
{
    const uint32_t what = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MODIFY |
                          IN_CLOSE_WRITE | IN_ATTRIB;
    char *traces = path_of(f, "traces");
    (void)inotify_add_watch(f->events, f->dir, what | IN_DELETE_SELF | IN_MOVE_SELF);
    if (traces)
        (void)inotify_add_watch(f->events, traces, what);
    free(traces);
}

static struct input *find_name(const kb_follow *f, const char *name)
{
    size_t low = 0, high = f->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(f->inputs[middle]->name, name);
        if (!order)
            return f->inputs[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* A plain file that is known has grown: only that one is to be looked at. Otherwise all are. */
static void hear(kb_follow *f, const struct inotify_event *event, double now)
{
    struct input *in = event->len ? find_name(f, event->name) : NULL;
    if (in && is_plain(in) && in->fd >= 0 &&
        !(event->mask & ~(uint32_t)(IN_MODIFY | IN_CLOSE_WRITE))) {
        in->news = true;
        in->changed = now;
    } else {
        f->due = true;
    }
}

static void drain_events(kb_follow *f, double now)
{
    union {
        struct inotify_event first;
        char bytes[16384];
    } buffer;
    ssize_t n;
    while ((n = read(f->events, &buffer, sizeof buffer)) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(buffer.bytes + at);
            hear(f, event, now);
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
}

int kb_follow_fd(const kb_follow *f)
{
    return f->events;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

kb_status kb_follow_look(kb_follow *f, double now, kb_error *err)
{
    drain_events(f, now);
    double least = fmax(look_least, look_share * f->look_takes);
    if (now - f->looked < (f->due ? least : fmax(look_every, least)))
        return KB_OK;
    double began = seconds();
    listen_to(f);
    struct look look = {f, kb_calloc(f->count, sizeof *f->inputs), f->count, now};
    if (!look.known)
        return kb_fail_memory(err, "following a folder");
    if (f->count) {
        memcpy(look.known, f->inputs, f->count * sizeof *f->inputs);
        qsort(look.known, look.count, sizeof *look.known, by_inode);
    }
    kb_status status = look_at_folder(&look, err);
    free(look.known);
    if (f->count)
        qsort(f->inputs, f->count, sizeof *f->inputs, by_name);
    f->due = false;
    f->looked = now;
    f->look_takes = seconds() - began;
    return status;
}

/* --- plain files -------------------------------------------------------------------------- */

size_t kb_follow_whole_rows(const char *text, size_t length)
{
    size_t end = 0, last = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        quoted ^= text[i] == '"';
        if (text[i] != '\n')
            continue;
        last = i + 1;
        if (!quoted)
            end = i + 1;
        else if (i - end > QUOTED_MAX) {
            end = i + 1;
            quoted = false;
        }
    }
    return last - end > QUOTED_MAX ? last : end;
}

/* *END becomes where the last whole row of a piece at IN's offset ends, offset if there is none;
 * *MORE: what follows the piece was not looked at. */
static kb_status find_end(const struct input *in, uint64_t *end, bool *more, kb_error *err)
{
    size_t room = PIECE_BYTES;
    *end = in->offset;
    for (;;) {
        char *text = malloc(room);
        if (!text)
            return kb_fail_memory(err, "a piece of a file");
        ssize_t n = pread(in->fd, text, room, (off_t)in->offset);
        size_t whole = n > 0 ? kb_follow_whole_rows(text, (size_t)n) : 0;
        free(text);
        *end = in->offset + whole;
        *more = n == (ssize_t)room;
        if (whole || n < (ssize_t)room)
            return KB_OK;
        if (room >= KB_ROW_BYTES_MAX) {
            *end = in->offset + room; /* no row is that long: it is told, and left out */
            return KB_OK;
        }
        room *= 2;
    }
}

static void begin_again(kb_follow *f, struct input *in, const char *why)
{
    if (in->offset)
        tell(f, in, KB_PROBLEM_FILE, why);
    in->offset = in->line = 0;
    in->mark_length = 0;
}

/* Of too many open files the one that has not changed for the longest is closed. */
static void close_oldest(kb_follow *f)
{
    struct input *oldest = NULL;
    for (size_t i = 0; i < f->count; i++) {
        struct input *in = f->inputs[i];
        if (in->fd >= 0 && in->found && !in->news && (!oldest || in->changed < oldest->changed))
            oldest = in;
    }
    if (oldest)
        set_fd(f, oldest, -1);
}

static bool open_input(kb_follow *f, struct input *in)
{
    if (in->fd >= 0)
        return true;
    if (f->open >= KB_FOLLOW_OPEN)
        close_oldest(f);
    char *path = path_of(f, in->name);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
    int reason = errno;
    free(path);
    set_fd(f, in, fd);
    if (fd >= 0)
        return true;
    char text[160];
    snprintf(text, sizeof text, "cannot open: %s; it is tried again", strerror(reason));
    tell_once(f, in, text);
    return false;
}

/* Rows from CSV until MOST or its end; *GOT false: there are no more. */
static kb_status take_rows(kb_follow *f, kb_csv *csv, kb_stream *stream, double now, size_t most,
                           kb_stream_count *count, bool *got, kb_error *err)
{
    kb_status status = KB_OK;
    *got = true;
    for (size_t i = 0; !status && *got && i < most; i++) {
        const kb_field *fields;
        status = kb_csv_next(csv, &fields, got, err);
        if (!status && *got && fields)
            status = kb_stream_row(stream, csv, fields, now, count, err);
        if (kb_cancelled(f->options.progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    }
    return status;
}

/* What is wrong with a file is told, and no error. */
static kb_status only_told(kb_follow *f, struct input *in, const char *path, kb_status status,
                           const kb_error *why, kb_error *err)
{
    if (status == KB_OK)
        return KB_OK;
    if (status != KB_ERR_IO && status != KB_ERR_FORMAT && status != KB_ERR_DAMAGED)
        return kb_fail(err, status, "%s", why->text);
    tell_once(f, in, kb_problem_reason(why->text, path));
    return KB_OK;
}

static kb_status read_range(kb_follow *f, struct input *in, const char *path, uint64_t end,
                            kb_stream *stream, double now, kb_stream_count *count, kb_error *err)
{
    char open_file[40];
    snprintf(open_file, sizeof open_file, "/proc/self/fd/%d", in->fd);
    kb_csv_options options = {.label = path,
                              .columns = f->columns,
                              .column_count = KB_METRIC_COLUMNS,
                              .begin = in->offset,
                              .end = end,
                              .exact = true,
                              .problems = f->problems,
                              .progress = f->options.progress};
    kb_csv *csv;
    bool got;
    f->line = in->line;
    kb_status status = kb_csv_open(&csv, open_file, &options, err);
    if (status)
        return status;
    status = take_rows(f, csv, stream, now, SIZE_MAX, count, &got, err);
    uint64_t stop = kb_csv_stop(csv);
    in->line += kb_csv_next_line(csv) - 1;
    f->bytes += end - in->offset;
    in->offset = stop > in->offset ? stop : end;
    in->told = false;
    kb_csv_close(csv);
    return status;
}

static bool is_gzip(int fd)
{
    unsigned char magic[2];
    return pread(fd, magic, 2, 0) == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
}

static kb_status read_plain(kb_follow *f, struct input *in, kb_stream *stream, double now,
                            kb_stream_count *count, bool *busy, kb_error *err)
{
    struct stat st;
    in->news = false;
    if (!open_input(f, in) || fstat(in->fd, &st) != 0)
        return KB_OK;
    if (!in->offset && is_gzip(in->fd)) {
        in->packed = true;
        in->news = true;
        return KB_OK;
    }
    in->size = (uint64_t)st.st_size;
    if (in->size < in->offset)
        begin_again(f, in, "was truncated: it is read from its beginning");
    else if (in->offset && !mark_fits(in, in->fd))
        begin_again(f, in, "has other contents than before: it is read from its beginning");
    uint64_t end;
    bool more = false;
    kb_status status = find_end(in, &end, &more, err);
    if (!in->found && end == in->offset && is_quiet(f, in, now))
        end = in->size; /* nobody will end its last line */
    if (!status && end > in->offset) {
        kb_error why = {0};
        char *path = path_of(f, in->name);
        if (!path)
            return kb_fail_memory(err, "following a folder");
        status = read_range(f, in, path, end, stream, now, count, &why);
        status = only_told(f, in, path, status, &why, err);
        free(path);
        set_mark(in, in->fd);
        /* what cannot be read now waits for the next look */
        in->news = more && !in->told;
        *busy |= in->news;
    }
    return status;
}

/* --- whole files -------------------------------------------------------------------------- */

/* All of the file can be read: a compressed one that is still being written cannot. */
static kb_status read_through(const kb_follow *f, const char *path, kb_error *err)
{
    enum { BUFFER = 1 << 16 };
    kb_bytes *bytes;
    kb_status status = kb_bytes_open(&bytes, path, path, f->options.progress, err);
    char *buffer = status ? NULL : malloc(BUFFER);
    if (!status && !buffer)
        status = kb_fail_memory(err, "reading a file");
    size_t got = 1;
    while (!status && got)
        status = kb_bytes_read(bytes, buffer, BUFFER, &got, err);
    free(buffer);
    if (bytes)
        kb_bytes_close(bytes);
    return status;
}

static kb_status read_trace(kb_follow *f, struct input *in, const char *path, kb_stream *stream,
                            double now, kb_stream_count *count, kb_error *err)
{
    kb_ingest *ingest = NULL;
    kb_error why = {0};
    size_t length;
    bool late = false;
    const char *name = kb_file_stem(path, &length);
    const kb_trace_options options = {.timesteps = f->options.timesteps,
                                      .fill = f->options.fill,
                                      .names = &f->names,
                                      .problems = f->problems,
                                      .progress = f->options.progress};
    f->line = 0;
    kb_status status = kb_trace_read(&ingest, &f->bytes, path, &options, &why);
    in->done = status != KB_ERR_CANCELLED;
    if (status) {
        kb_ingest_free(ingest);
        return only_told(f, in, path, status, &why, err);
    }
    if (ingest) {
        status = kb_stream_adopt(stream, ingest, name, length, now, &late, err);
        count->rows += !late;
        count->late += late;
        kb_stream_end(stream, name, length);
    }
    if (late)
        tell(f, in, KB_PROBLEM_LATE, "late: the session has been labelled");
    kb_ingest_free(ingest);
    return status;
}

/* Opens a compressed file and goes to where reading has got to before. */
static kb_status begin_packed(kb_follow *f, struct input *in, const char *path, kb_error *err)
{
    kb_status status = read_through(f, path, err);
    kb_csv_options options = {.columns = f->columns,
                              .column_count = KB_METRIC_COLUMNS,
                              .problems = f->problems,
                              .progress = f->options.progress};
    f->line = 0;
    if (!status)
        status = kb_csv_open(&f->csv, path, &options, err);
    bool got = true;
    for (uint64_t i = 0; !status && got && i < in->offset; i++) {
        const kb_field *fields;
        status = kb_csv_next(f->csv, &fields, &got, err);
    }
    f->reading = status ? NULL : in;
    if (status)
        end_reading(f);
    return status;
}

static kb_status read_packed(kb_follow *f, struct input *in, const char *path, kb_stream *stream,
                             double now, kb_stream_count *count, kb_error *err)
{
    kb_error why = {0};
    bool got = false;
    kb_stream_count before = *count;
    f->line = 0;
    kb_status status = f->csv ? KB_OK : begin_packed(f, in, path, &why);
    if (!status)
        status = take_rows(f, f->csv, stream, now, PIECE_ROWS, count, &got, &why);
    in->offset +=
        count->rows - before.rows + count->late - before.late + count->again - before.again;
    if (status || !got) {
        in->done = status != KB_ERR_CANCELLED;
        f->bytes += f->csv ? kb_csv_bytes(f->csv) : 0;
        end_reading(f);
    }
    return only_told(f, in, path, status, &why, err);
}

static kb_status read_whole(kb_follow *f, struct input *in, kb_stream *stream, double now,
                            kb_stream_count *count, bool *busy, kb_error *err)
{
    char *path = path_of(f, in->name);
    if (!path)
        return kb_fail_memory(err, "following a folder");
    kb_status status = in->trace ? read_trace(f, in, path, stream, now, count, err)
                                 : read_packed(f, in, path, stream, now, count, err);
    in->news = !in->done;
    *busy |= in->news;
    free(path);
    return status;
}

/* --- reading ------------------------------------------------------------------------------ */

static bool is_due(const kb_follow *f, const struct input *in, double now)
{
    if (!in->news || (f->reading && !is_plain(in) && in != f->reading))
        return false;
    return is_plain(in) || in == f->reading || is_quiet(f, in, now);
}

kb_status kb_follow_read(kb_follow *f, kb_stream *stream, double now, kb_stream_count *count,
                         bool *busy, kb_error *err)
{
    kb_status status = KB_OK;
    *busy = false;
    for (size_t n = 0; !status && n < f->count; n++) {
        struct input *in = f->inputs[f->next];
        f->next = (f->next + 1) % f->count;
        if (!is_due(f, in, now))
            continue;
        status = is_plain(in) ? read_plain(f, in, stream, now, count, busy, err)
                              : read_whole(f, in, stream, now, count, busy, err);
        if (kb_stream_ended(stream) >= KB_STREAM_BATCH) {
            *busy = true;
            break;
        }
    }
    return status;
}

uint64_t kb_follow_bytes(const kb_follow *f)
{
    return f->bytes;
}

size_t kb_follow_files(const kb_follow *f)
{
    return f->count;
}

/* --- on disk ------------------------------------------------------------------------------ */

void kb_follow_save(const kb_follow *f, kb_record *r)
{
    kb_record_u64(r, f->count);
    for (size_t i = 0; i < f->count; i++) {
        const struct input *in = f->inputs[i];
        kb_record_text(r, in->name, strlen(in->name));
        kb_record_u32(r, (uint32_t)in->trace | (uint32_t)in->packed << 1 | (uint32_t)in->done << 2);
        kb_record_u64(r, in->device);
        kb_record_u64(r, in->inode);
        kb_record_u64(r, in->size);
        kb_record_u64(r, (uint64_t)in->modified[0]);
        kb_record_u64(r, (uint64_t)in->modified[1]);
        kb_record_u64(r, in->offset);
        kb_record_u64(r, in->line);
        kb_record_u64(r, in->mark);
        kb_record_u32(r, in->mark_length);
    }
}

static bool restore_input(kb_follow *f, kb_record_reader *r)
{
    size_t length;
    const char *text = kb_read_text(r, &length);
    char *name = length && length < 8192 && !memchr(text, 0, length) ? strndup(text, length) : NULL;
    const struct stat none = {0};
    struct input *in = name ? add_input(f, name, false, &none, 0) : NULL;
    free(name);
    if (!in)
        return false;
    uint32_t flags = kb_read_u32(r);
    in->trace = flags & 1;
    in->packed = flags >> 1 & 1;
    in->done = flags >> 2 & 1;
    in->device = kb_read_u64(r);
    in->inode = kb_read_u64(r);
    in->size = kb_read_u64(r);
    in->modified[0] = (int64_t)kb_read_u64(r);
    in->modified[1] = (int64_t)kb_read_u64(r);
    in->offset = kb_read_u64(r);
    in->line = kb_read_u64(r);
    in->mark = kb_read_u64(r);
    in->mark_length = kb_read_u32(r);
    in->restored = true;
    return in->mark_length <= MARK_BYTES && in->mark_length <= in->offset &&
           in->offset <= INT64_MAX;
}

kb_status kb_follow_restore(kb_follow *f, kb_record_reader *r, kb_error *err)
{
    bool good = true;
    for (size_t n = kb_read_count(r, 80); good && n; n--)
        good = restore_input(f, r);
    if (f->count)
        qsort(f->inputs, f->count, sizeof *f->inputs, by_name);
    return good && !r->broken
               ? KB_OK
               : kb_fail(err, KB_ERR_FORMAT, "the list of files is not what it should be");
}
