/* Kills a watch with SIGKILL again and again while sessions are written into its folder.
 *
 *   watch_killer KABOOM MODEL SOURCE.csv DIR OUTPUT STATE FORM KILLS SEED
 *
 * SOURCE.csv is in long form, its sessions one after the other. A writer puts them into DIR, a
 * dozen at a time, row by row in turn, in pieces that end anywhere in a row; the file is renamed
 * now and then (rotated, to a name that is not looked at) and begun anew, and every eighth session
 * is a compressed file that appears whole. Meanwhile a watch is started, killed at a random moment,
 * and started again. After KILLS of them the last one may go on until OUTPUT has a row for each
 * session, and is ended by SIGTERM. What OUTPUT then holds is the caller's to judge. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum { ACTIVE = 12, SESSIONS_MAX = 100000, PIECE = 700, ROTATE_BYTES = 1000000 };

static void fail(const char *what)
{
    fprintf(stderr, "watch_killer: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void pause_for(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- the source -------------------------------------------------------------------------- */
struct source {
    char *text, *header; /* rows behind the header */
    char *begin[SESSIONS_MAX + 1];
    size_t sessions;
};

static size_t name_length(const char *row)
{
    return strcspn(row, ",\n");
}

static void read_source(struct source *s, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0 || !(s->text = malloc((size_t)st.st_size + 1)) ||
        read(fd, s->text, (size_t)st.st_size) != st.st_size)
        fail(path);
    close(fd);
    s->text[st.st_size] = '\0';
    char *row = strchr(s->text, '\n') + 1, *last = NULL;
    s->header = strndup(s->text, (size_t)(row - s->text));
    for (; *row; row = strchr(row, '\n') + 1) {
        bool same = last && name_length(row) == name_length(last) &&
                    memcmp(row, last, name_length(row)) == 0;
        if (!same && s->sessions < SESSIONS_MAX)
            s->begin[s->sessions++] = row;
        last = row;
    }
    s->begin[s->sessions] = row;
}

/* --- the writer -------------------------------------------------------------------------- */
struct writer {
    const char *dir;
    const struct source *source;
    int fd;
    size_t written, files;
    double began; /* the file */
    char waiting[1 << 16];
    size_t held;
    uint64_t random;
};

static void path_in(const struct writer *w, char *path, size_t size, const char *format, size_t n)
{
    int used = snprintf(path, size, "%s/", w->dir);
    snprintf(path + used, size - (size_t)used, format, n);
}

static void write_all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0)
            fail("writing");
        bytes += n;
        length -= (size_t)n;
    }
}

static void flush(struct writer *w, size_t length)
{
    write_all(w->fd, w->waiting, length);
    w->held -= length;
    memmove(w->waiting, w->waiting + length, w->held);
    w->written += length;
}

static void rotate(struct writer *w)
{
    char live[4096], old[4096];
    path_in(w, live, sizeof live, "metrics-live.csv", 0);
    bool seen = now() - w->began > 4;
    path_in(w, old, sizeof old, seen ? "old.%zu" : "metrics-old-%zu.csv", ++w->files);
    if (w->fd >= 0) {
        flush(w, w->held);
        if (rename(live, old) != 0)
            fail(live);
        close(w->fd);
    }
    w->fd = open(live, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC, 0666);
    if (w->fd < 0)
        fail(live);
    w->written = 0;
    w->began = now();
    write_all(w->fd, w->source->header, strlen(w->source->header));
}

static void write_row(struct writer *w, const char *row, size_t length)
{
    memcpy(w->waiting + w->held, row, length);
    w->held += length;
    if (w->held < PIECE)
        return;
    flush(w, 1 + next_random(&w->random) % w->held);
    bool by_time = w->files % 2;
    if (by_time ? now() - w->began > 4.5 : w->written > ROTATE_BYTES)
        rotate(w);
}

static void write_packed(const struct writer *w, size_t session)
{
    char hidden[4096], path[4096];
    path_in(w, hidden, sizeof hidden, ".being-written-%zu", session);
    path_in(w, path, sizeof path, "metrics-s%zu.csv.gz", session);
    gzFile gz = gzopen(hidden, "wb");
    const char *begin = w->source->begin[session];
    size_t length = (size_t)(w->source->begin[session + 1] - begin);
    if (!gz || gzputs(gz, w->source->header) < 0 || gzwrite(gz, begin, (unsigned)length) <= 0 ||
        gzclose(gz) != Z_OK || rename(hidden, path) != 0)
        fail(path);
}

/* The sessions take SECONDS in all. */
static void write_sessions(struct writer *w, double seconds)
{
    const struct source *s = w->source;
    char *at[ACTIVE] = {0}, *end[ACTIVE] = {0};
    size_t next = 0, active;
    double began = now();
    size_t bytes = (size_t)(s->begin[s->sessions] - s->begin[0]), done = 0;
    do {
        active = 0;
        for (size_t a = 0; a < ACTIVE; a++) {
            if (at[a] == end[a] && next < s->sessions) {
                if (next % 8 == 7) {
                    write_packed(w, next);
                    done += (size_t)(s->begin[next + 1] - s->begin[next]);
                } else {
                    at[a] = s->begin[next];
                    end[a] = s->begin[next + 1];
                }
                next++;
            }
            if (at[a] == end[a])
                continue;
            size_t length = (size_t)(strchr(at[a], '\n') + 1 - at[a]);
            write_row(w, at[a], length);
            at[a] += length;
            done += length;
            active++;
        }
        double due = began + seconds * (double)done / (double)bytes - now();
        if (due > .002)
            pause_for(due);
    } while (active || next < s->sessions);
    flush(w, w->held);
}

static pid_t start_writer(const struct source *source, const char *dir, uint64_t seed,
                          double seconds)
{
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid)
        return pid;
    static struct writer w;
    w = (struct writer){.dir = dir, .source = source, .fd = -1, .random = seed};
    rotate(&w);
    write_sessions(&w, seconds);
    _exit(0);
}

/* --- the watch --------------------------------------------------------------------------- */
static pid_t start_watch(char **argv)
{
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (!pid) {
        execl(argv[1], "kaboom", "watch", argv[4], "-m", argv[2], "--output", argv[5], "--state",
              argv[6], "--format", argv[7], "--settle", "1.5", "--threads", "1", "--quiet",
              (char *)NULL);
        fail(argv[1]);
    }
    return pid;
}

static size_t count_rows(const char *path)
{
    FILE *f = fopen(path, "r");
    size_t rows = 0;
    for (int c; f && (c = getc(f)) != EOF;)
        rows += c == '\n';
    if (f)
        fclose(f);
    return rows;
}

static void wait_for_rows(const char *path, size_t rows, double seconds)
{
    double until = now() + seconds;
    while (count_rows(path) < rows && now() < until)
        pause_for(.1);
}

int main(int argc, char **argv)
{
    static struct source source;
    int status = 0;
    if (argc != 10)
        return 2;
    size_t kills = strtoul(argv[8], NULL, 10);
    uint64_t random = strtoul(argv[9], NULL, 10);
    bool csv = strcmp(argv[7], "csv") == 0;
    read_source(&source, argv[3]);
    pid_t writer = start_writer(&source, argv[4], random, .35 * (double)kills);
    for (size_t i = 0; i < kills; i++) {
        pid_t pid = start_watch(argv);
        pause_for(.05 + (double)(next_random(&random) % 1000) / 1500);
        if (waitpid(pid, &status, WNOHANG) != 0) {
            fprintf(stderr, "watch_killer: the watch ended by itself, status %x\n", status);
            kill(writer, SIGKILL);
            return 1;
        }
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    pid_t pid = start_watch(argv);
    waitpid(writer, &status, 0);
    wait_for_rows(argv[5], source.sessions + csv, 60);
    pause_for(2); /* for what would come twice */
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    printf("sessions %zu, kills %zu, the last watch exits with %d\n", source.sessions, kills,
           WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return WIFEXITED(status) && WEXITSTATUS(status) == 143 ? 0 : 1;
}
