#include "import_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "rng.h"
#include "store.h"

/* --- folders and files ------------------------------------------------------------------- */
void trial_begin(trial *t)
{
    const char *parent = getenv("TMPDIR");
    *t = (trial){.options = kb_import_defaults()};
    snprintf(t->folder, sizeof t->folder, "%s/kb-import-XXXXXX", parent ? parent : "/tmp");
    assert_non_null(mkdtemp(t->folder));
    snprintf(t->in, sizeof t->in, "%s/in", t->folder);
    snprintf(t->out, sizeof t->out, "%s/out", t->folder);
    assert_int_equal(mkdir(t->in, 0777), 0);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *ftw)
{
    (void)about;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void remove_all(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void trial_end(trial *t)
{
    remove_all(t->folder);
}

const char *trial_path(const trial *t, const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", t->in, name);
    return path;
}

const char *import_fixture(const char *name)
{
    static char path[1024];
    const char *source = getenv("srcdir");
    snprintf(path, sizeof path, "%s/tests/files/import/%s", source ? source : ".", name);
    return path;
}

static void make_folders(const trial *t, const char *name)
{
    char path[1024];
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(path, sizeof path, "%s/%.*s", t->in, (int)(slash - name), name);
        mkdir(path, 0777);
    }
}

void trial_put_bytes(trial *t, const char *name, const void *bytes, size_t length)
{
    size_t n = strlen(name);
    make_folders(t, name);
    gzFile file =
        gzopen(trial_path(t, name), n > 3 && strcmp(name + n - 3, ".gz") == 0 ? "wb1" : "wbT");
    assert_non_null(file);
    assert_true(length == 0 || gzwrite(file, bytes, (unsigned)length) == (int)length);
    assert_int_equal(gzclose(file), Z_OK);
}

void trial_put(trial *t, const char *name, const char *text)
{
    trial_put_bytes(t, name, text, strlen(text));
}

void trial_cut(trial *t, const char *name, long length)
{
    assert_int_equal(truncate(trial_path(t, name), length), 0);
}

/* --- importing --------------------------------------------------------------------------- */
static void append(char *text, size_t size, const char *line)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s\n", line);
}

static void hear_problem(void *ctx, const kb_problem *problem)
{
    trial *t = ctx;
    char line[2048];
    size_t n = strlen(t->in);
    const char *file = problem->file;
    if (strncmp(file, t->in, n) == 0 && file[n] == '/')
        file += n + 1;
    if (problem->line)
        snprintf(line, sizeof line, "%s:%llu: %s", file, (unsigned long long)problem->line,
                 problem->reason);
    else
        snprintf(line, sizeof line, "%s: %s", file, problem->reason);
    append(t->problems, sizeof t->problems, line);
}

static void hear_note(void *ctx, const char *text)
{
    trial *t = ctx;
    append(t->notes, sizeof t->notes, text);
}

kb_status trial_import(trial *t, kb_import_format format, const char *in)
{
    t->options.problem = (kb_problem_listener){hear_problem, t};
    t->options.note = hear_note;
    t->options.note_ctx = t;
    *t->problems = *t->notes = '\0';
    t->err = (kb_error){0};
    return kb_import(&t->result, format, in ? in : t->in, t->out, &t->options, NULL, &t->err);
}

void trial_succeed(trial *t, kb_import_format format, const char *in)
{
    if (trial_import(t, format, in))
        fail_msg("%s (problems: %s)", t->err.text, t->problems);
}

/* The other end of a pipe, as a process of its own. */
static pid_t write_slowly(const int ends[2], const char *text, size_t slow)
{
    pid_t writer = fork();
    if (writer != 0)
        return writer;
    close(ends[0]);
    bool done = true;
    for (size_t at = 0; text[at] && done; at++) {
        done = write(ends[1], text + at, 1) == 1;
        if (at < slow)
            usleep(20000);
    }
    _exit(!done);
}

void trial_succeed_piped(trial *t, kb_import_format format, const char *text, size_t slow)
{
    int before = dup(STDIN_FILENO), ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t writer = write_slowly(ends, text, slow);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    trial_succeed(t, format, "-");
    dup2(before, STDIN_FILENO);
    close(before);
    waitpid(writer, NULL, 0);
}

void trial_refused(trial *t, kb_import_format format, const char *in, const char *text)
{
    assert_int_equal(trial_import(t, format, in), KB_ERR_FORMAT);
    if (!strstr(t->err.text, text))
        fail_msg("'%s' lacks '%s'", t->err.text, text);
    assert_true(trial_nothing(t));
}

/* --- what came of it --------------------------------------------------------------------- */
const char *trial_rows(const trial *t, const char *name, const char *header)
{
    enum { MOST = 4 << 20 };
    static char text[MOST];
    char path[1024];
    size_t n = strlen(header);
    snprintf(path, sizeof path, "%s/%s", t->out, name);
    gzFile file = gzopen(path, "rb");
    if (!file)
        return "";
    int got = gzread(file, text, MOST - 1);
    assert_true(got >= 0 && got < MOST - 1);
    text[got] = '\0';
    gzclose(file);
    assert_memory_equal(text, header, n);
    assert_int_equal(text[n], '\n');
    return text + n + 1;
}

const char *trial_metrics(const trial *t)
{
    return trial_rows(t, "metrics.csv.gz", "session,time,object,value");
}

const char *trial_events(const trial *t)
{
    return trial_rows(t, "events.csv.gz", "user,time,event,session");
}

const char *trial_sessions(const trial *t)
{
    return trial_rows(t, "sessions.csv", "session,user,version,split,label");
}

bool trial_nothing(const trial *t)
{
    return access(t->out, F_OK) != 0;
}

kb_corpus *trial_load(const trial *t)
{
    kb_corpus *corpus;
    kb_error err = {0};
    kb_corpus_options reading = kb_corpus_defaults();
    reading.strict = true;
    if (kb_corpus_load(&corpus, t->out, &reading, NULL, &err))
        fail_msg("%s", err.text);
    return corpus;
}

double trial_value(const kb_corpus *corpus, const char *session, size_t step, const char *object)
{
    const kb_store *store = kb_corpus_store(corpus);
    size_t s = kb_store_find_session(store, session), o = kb_store_find_object(store, object);
    kb_series series;
    if (s == SIZE_MAX || o == SIZE_MAX || !kb_store_find_series(store, s, (uint32_t)o, &series) ||
        step < series.first || step - series.first >= series.count)
        return -1;
    return (double)series.values[step - series.first];
}

/* --- damage ------------------------------------------------------------------------------ */
/* One to four places: a byte becomes another, or goes, or a stretch is doubled, or all behind it is
 * gone. */
static size_t damage(char *text, size_t length, size_t room, kb_rng *rng)
{
    static const char likely[] = "{}[]\",:\\0-.eEnu\n \x80\xFF";
    for (uint64_t places = 1 + kb_rng_below(rng, 4); places && length; places--) {
        size_t at = kb_rng_below(rng, length);
        size_t stretch = kb_rng_below(rng, 40);
        switch (kb_rng_below(rng, 5)) {
        case 0:
            text[at] = (char)kb_rng_below(rng, 256);
            break;
        case 1:
            text[at] = likely[kb_rng_below(rng, sizeof likely)];
            break;
        case 2:
            memmove(text + at, text + at + 1, --length - at);
            break;
        case 3:
            if (stretch > length - at)
                stretch = length - at;
            if (length + stretch > room)
                break;
            memmove(text + at + stretch, text + at, length - at);
            length += stretch;
            break;
        default:
            if (kb_rng_below(rng, 8) == 0)
                length = at;
        }
    }
    return length;
}

void trial_damage(kb_import_format format, const char *name, const char *fields, const char *text,
                  size_t length, size_t rounds)
{
    size_t room = length + 200;
    char *copy = malloc(room);
    assert_non_null(copy);
    for (size_t round = 0; round < rounds; round++) {
        trial t;
        kb_rng rng = kb_rng_start(round, KB_STREAM_TEST);
        trial_begin(&t);
        t.options.fields = fields;
        memcpy(copy, text, length);
        trial_put_bytes(&t, name, copy, damage(copy, length, room, &rng));
        kb_status status = trial_import(&t, format, NULL);
        if (status != KB_OK && status != KB_ERR_FORMAT)
            fail_msg("round %zu: %s", round, t.err.text);
        assert_int_equal(trial_nothing(&t), status != KB_OK);
        if (!status && t.result.readings)
            kb_corpus_free(trial_load(&t));
        trial_end(&t);
    }
    free(copy);
}
