/* bench_tool: what benchmarks measure with. Not a test, and not installed.
 *
 *   bench_tool floor THREADS FILE...     seconds that zlib and libcsv alone take over the files
 *   bench_tool run COMMAND...            seconds and KiB of memory that a command takes
 *   bench_tool repeat N                  N sessions: those of standard input (long form, grouped)
 * again and again, each time with another number before their names
 *   bench_tool screen TEXT KEYS COMMAND  seconds until TEXT is on the terminal of a command that
 * was typed KEYS at its first output */
#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int failed(const char *what)
{
    fprintf(stderr, "bench_tool: %s: %s\n", what, errno ? strerror(errno) : "failed");
    return 1;
}

/* --- the floor: each file is inflated and cut into fields by the libraries, and nothing is done
 * with them --- */

struct floor {
    char **files;
    size_t count;
    atomic_size_t next, bad;
    atomic_ullong fields;
};

static void count_field(void *text, size_t length, void *ctx)
{
    (void)text;
    (void)length;
    ++*(unsigned long long *)ctx;
}

static bool read_file(const char *path, unsigned long long *fields)
{
    enum { CHUNK = 256 * 1024 };
    struct csv_parser parser;
    char *buffer = malloc(CHUNK);
    gzFile file = gzopen(path, "rb");
    int n = -1;
    if (buffer && file && csv_init(&parser, 0) == 0) {
        gzbuffer(file, CHUNK / 2);
        while ((n = gzread(file, buffer, CHUNK)) > 0)
            if (csv_parse(&parser, buffer, (size_t)n, count_field, NULL, fields) != (size_t)n)
                break;
        csv_fini(&parser, count_field, NULL, fields);
        csv_free(&parser);
    }
    if (file)
        gzclose(file);
    free(buffer);
    return n == 0;
}

static void *read_files(void *arg)
{
    struct floor *f = arg;
    for (size_t i; (i = atomic_fetch_add(&f->next, 1)) < f->count;) {
        unsigned long long fields = 0;
        if (!read_file(f->files[i], &fields))
            atomic_fetch_add(&f->bad, 1);
        atomic_fetch_add(&f->fields, fields);
    }
    return NULL;
}

static int measure_floor(int argc, char **argv)
{
    enum { MOST = 256 };
    pthread_t threads[MOST];
    size_t count = argc > 1 ? strtoul(argv[0], NULL, 10) : 0, started = 0;
    struct floor f = {.files = argv + 1, .count = (size_t)argc - 1};
    if (count < 1 || count > MOST)
        return failed("floor THREADS FILE...");
    double begun = now();
    while (started < count && pthread_create(&threads[started], NULL, read_files, &f) == 0)
        started++;
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (atomic_load(&f.bad) || started < count)
        return failed("reading");
    printf("%.3f\n", now() - begun);
    return 0;
}

/* --- a command --- */

static int run(char **argv)
{
    double begun = now();
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    struct rusage usage;
    int status;
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return failed(argv[0]);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        errno = 0;
        return failed(argv[0]);
    }
    printf("%.3f %ld\n", now() - begun, usage.ru_maxrss);
    return 0;
}

/* --- a screen --- */

/* Reads what the terminal shows until TEXT is among it; the seconds, or -1. */
static double await(int terminal, const char *text, const char *keys, double begun)
{
    enum { ROOM = 1 << 20, PATIENCE_MS = 60000 };
    static char seen[ROOM + 1];
    size_t size = 0;
    struct pollfd wait = {terminal, POLLIN, 0};
    while (size < ROOM && poll(&wait, 1, PATIENCE_MS) > 0) {
        ssize_t n = read(terminal, seen + size, ROOM - size);
        if (n <= 0)
            break;
        if (!size && write(terminal, keys, strlen(keys)) < 0)
            break;
        size += (size_t)n;
        seen[size] = '\0';
        if (memmem(seen, size, text, strlen(text)))
            return now() - begun;
    }
    return -1;
}

static int measure_screen(const char *text, const char *keys, char **argv)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    int terminal;
    double begun = now();
    pid_t child = forkpty(&terminal, NULL, NULL, &size);
    if (child == 0) {
        setenv("TERM", "xterm-256color", 1);
        execvp(argv[0], argv);
        _exit(127);
    }
    if (child < 0)
        return failed("a terminal");
    double seconds = await(terminal, text, keys, begun);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    if (seconds < 0)
        return failed("the text did not come");
    printf("%.3f\n", seconds);
    return 0;
}

/* --- many sessions ----------------------------------------------------------------------- */

static char *read_all(FILE *file)
{
    size_t length = 0, room = 1 << 20, n;
    char *text = malloc(room + 1);
    while (text && (n = fread(text + length, 1, room - length, file)) > 0) {
        length += n;
        if (length == room) {
            char *more = realloc(text, 2 * room + 1);
            room *= 2;
            if (!more)
                free(text);
            text = more;
        }
    }
    if (text)
        text[length] = '\0';
    return text;
}

/* Rows of TEXT once, ROUND before their names, until *LEFT sessions are written. */
static void write_round(const char *text, size_t round, size_t *left)
{
    const char *last = NULL;
    for (const char *row = text, *next; *row; row = next) {
        const char *end = strchr(row, '\n');
        size_t name = strcspn(row, ",");
        next = end ? end + 1 : row + strlen(row);
        bool same = last && strncmp(row, last, name + 1) == 0;
        if (!same && !(*left)--) {
            *left = 0;
            return;
        }
        last = row;
        printf("r%zu-", round);
        fwrite(row, 1, (size_t)(next - row), stdout);
    }
}

static int repeat(const char *count)
{
    static char buffer[1 << 20];
    size_t left = strtoul(count, NULL, 10);
    char *text = read_all(stdin), *rows = text ? strchr(text, '\n') : NULL;
    if (!rows || !*++rows)
        return failed("repeat");
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    fwrite(text, 1, (size_t)(rows - text), stdout);
    for (size_t round = 0; left && !ferror(stdout); round++)
        write_round(rows, round, &left);
    free(text);
    return fflush(stdout) == 0 ? 0 : failed("repeat");
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "repeat") == 0)
        return repeat(argv[2]);
    if (argc > 3 && strcmp(argv[1], "floor") == 0)
        return measure_floor(argc - 2, argv + 2);
    if (argc > 2 && strcmp(argv[1], "run") == 0)
        return run(argv + 2);
    if (argc > 4 && strcmp(argv[1], "screen") == 0)
        return measure_screen(argv[2], argv[3], argv + 4);
    fprintf(stderr, "usage: bench_tool floor THREADS FILE... | run COMMAND... | repeat N | "
                    "screen TEXT KEYS COMMAND...\n");
    return 2;
}
