/* cache: what was read before comes back the same, and whatever lies in the folder instead of it is
 * not believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "corpus.h"
#include "corpus_files.h"
#include "corpus_text.h"
#include "rng.h"

#define HEADER "session,time,object,value\n"

enum { ROOM = 256 };

/* A corpus and a cache, both in folders of their own. */
struct world {
    char corpus[ROOM], folder[ROOM];
    kb_cache cache;
    kb_corpus_options options;
};

static void write_corpus(const char *folder, unsigned extra)
{
    char *s;
    size_t size;
    FILE *f = open_memstream(&s, &size);
    fputs(HEADER, f);
    for (unsigned i = 0; i < 60; i++)
        fprintf(f, "s%u,%u.5,o%u,%u\n", i % 5, i % 7, i % 3, (i + extra) % 4);
    fputs("s1,1,o\ns1,x,o,1\n\"s, 9\",1,\"two\nlines\",1\n", f);
    fclose(f);
    write_text(folder, "metrics-1.csv", s);
    free(s);
    write_text(folder, "metrics-2.csv.gz", HEADER "s0,9,o9,4\ns0,9\n");
    write_text(folder, "sessions.csv",
               "session,user,version,split,label\ns1,u1,1.0,later,leak\n"
               "nobody,,,,\ns1,u2,1.0,later,leak\n");
    write_text(folder, "events.csv", "user,time,event,session\nu1,2,b,s1\nu1,1,a,\nu2,1\n");
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    make_folder(w->corpus, sizeof w->corpus);
    make_folder(w->folder, sizeof w->folder);
    write_corpus(w->corpus, 0);
    w->cache = kb_cache_defaults(w->folder);
    w->cache.least = 1;
    w->cache.settled = 0;
    w->options = kb_corpus_defaults();
    w->options.timesteps = 5;
    w->options.cache = &w->cache;
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    remove_folder(w->corpus);
    remove_folder(w->folder);
    free(w);
    return 0;
}

/* Loads; *TAKEN: from the cache. The caller frees. */
static char *load(const struct world *w, bool *taken)
{
    char note[256] = ""; /* nothing is noted where the load fails */
    char *text = load_text(w->corpus, w->options, note);
    *taken = strcmp(note, w->options.skip_events ? "readings taken from the cache"
                                                 : "readings and events taken from the cache") == 0;
    return text;
}

/* What is loaded without a cache. */
static char *load_plainly(const struct world *w)
{
    kb_corpus_options options = w->options;
    options.cache = NULL;
    return load_text(w->corpus, options, NULL);
}

/* Loads, and holds the result against that without a cache. */
static bool is_taken(const struct world *w)
{
    bool taken;
    char *plain = load_plainly(w), *text = load(w, &taken);
    assert_string_equal(text, plain);
    free(text);
    free(plain);
    return taken;
}

static size_t count_entries(const struct world *w)
{
    kb_cache_entries entries;
    assert_int_equal(kb_cache_list(&entries, w->folder, NULL), KB_OK);
    size_t count = entries.count;
    kb_cache_entries_free(&entries);
    return count;
}

/* The path of the entry whose name ends in SUFFIX. */
static const char *entry_path(const struct world *w, const char *suffix)
{
    static char path[2 * ROOM];
    kb_cache_entries entries;
    assert_int_equal(kb_cache_list(&entries, w->folder, NULL), KB_OK);
    path[0] = '\0';
    for (size_t i = 0; i < entries.count; i++)
        if (strstr(entries.items[i].name, suffix))
            snprintf(path, sizeof path, "%s/%s", w->folder, entries.items[i].name);
    kb_cache_entries_free(&entries);
    assert_true(*path);
    return path;
}

static size_t slurp(const char *path, char **bytes)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    *bytes = malloc((size_t)st.st_size + 1);
    FILE *f = fopen(path, "rb");
    assert_int_equal(fread(*bytes, 1, (size_t)st.st_size, f), st.st_size);
    fclose(f);
    return (size_t)st.st_size;
}

static void spill(const char *path, const char *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* --- what comes back ---------------------------------------------------------------------- */

static void the_second_reading_is_the_first(void **state)
{
    const struct world *w = *state;
    assert_false(is_taken(w));
    assert_int_equal(count_entries(w), 2);
    for (int i = 0; i < 3; i++)
        assert_true(is_taken(w));
    assert_int_equal(count_entries(w), 2);
}

static void a_part_that_is_missing_is_read(void **state)
{
    const struct world *w = *state;
    assert_false(is_taken(w));
    unlink(entry_path(w, ".events"));
    assert_false(is_taken(w));
    assert_int_equal(count_entries(w), 2);
    assert_true(is_taken(w));
    unlink(entry_path(w, ".corpus"));
    is_taken(w); /* problems of events are told behind those of readings all the same */
    assert_int_equal(count_entries(w), 2);
    assert_true(is_taken(w));
}

static void events_that_are_not_wanted_leave_their_entry(void **state)
{
    struct world *w = *state;
    w->options.skip_events = true;
    assert_false(is_taken(w));
    assert_int_equal(count_entries(w), 1);
    assert_true(is_taken(w));
    w->options.skip_events = false;
    assert_false(is_taken(w)); /* only partly */
    assert_int_equal(count_entries(w), 2);
}

static void other_options_are_another_entry(void **state)
{
    struct world *w = *state;
    assert_false(is_taken(w));
    w->options.timesteps = 4;
    is_taken(w);
    assert_int_equal(count_entries(w), 3); /* the events are the same */
    w->options.fill = KB_FILL_HOLD;
    is_taken(w);
    assert_int_equal(count_entries(w), 4);
    w->options.columns = "version=build";
    is_taken(w);
    assert_int_equal(count_entries(w), 6);
    assert_true(is_taken(w));
}

static void strict_readings_fail_as_without_a_cache(void **state)
{
    struct world *w = *state;
    assert_false(is_taken(w));
    w->options.strict = true;
    assert_false(is_taken(w));
    write_text(w->corpus, "sessions.csv", "session\ns1\n");
    write_text(w->corpus, "metrics-1.csv", HEADER "s1,1,o,1\n");
    write_text(w->corpus, "metrics-2.csv.gz", HEADER "s1,1,o,1\n");
    write_text(w->corpus, "events.csv", "user,time,event\nu,1,e\n");
    assert_false(is_taken(w));
    assert_true(is_taken(w));
}

static void a_fresh_reading_replaces_what_was_kept(void **state)
{
    struct world *w = *state;
    is_taken(w);
    w->options.fresh = true;
    assert_false(is_taken(w));
    w->options.fresh = false;
    assert_true(is_taken(w));
}

/* --- what is not believed ----------------------------------------------------------------- */

static void changed_files_are_read_again(void **state)
{
    const struct world *w = *state;
    char path[2 * ROOM];
    struct stat before;
    is_taken(w);
    assert_true(is_taken(w));
    snprintf(path, sizeof path, "%s/metrics-1.csv", w->corpus);
    assert_int_equal(stat(path, &before), 0);
    write_corpus(w->corpus, 1); /* as many bytes, other values */
    assert_false(is_taken(w));
    assert_true(is_taken(w));
    write_corpus(w->corpus, 2);
    const struct timespec times[2] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0),
                     0); /* as "cp -p" or "touch -r" leave it */
    assert_false(is_taken(w));
    write_text(w->corpus, "metrics-3.csv", HEADER "new,1,o,1\n");
    assert_false(is_taken(w));
    snprintf(path, sizeof path, "%s/metrics-3.csv", w->corpus);
    unlink(path);
    assert_false(is_taken(w));
    assert_int_equal(count_entries(w), 2);
}

static void files_that_have_just_changed_are_not_kept(void **state)
{
    struct world *w = *state;
    w->cache.settled = 3600;
    assert_false(is_taken(w));
    assert_false(is_taken(w));
    assert_int_equal(count_entries(w), 0);
}

static void small_corpora_are_not_kept(void **state)
{
    struct world *w = *state;
    w->cache.least = 1 << 20;
    assert_false(is_taken(w));
    assert_int_equal(count_entries(w), 0);
}

static void check_damage(const struct world *w, const char *suffix, size_t stride)
{
    char path[2 * ROOM], *bytes;
    snprintf(path, sizeof path, "%s", entry_path(w, suffix));
    size_t n = slurp(path, &bytes), refused = 0;
    for (size_t i = 0; i < n; i += stride) {
        bytes[i] = (char)(bytes[i] ^ 0x41);
        spill(path, bytes, n);
        bool taken;
        char *text = load(w, &taken), *plain = load_plainly(w);
        assert_string_equal(text, plain);
        free(text);
        free(plain);
        bytes[i] = (char)(bytes[i] ^ 0x41);
        char *now;
        size_t size = slurp(path, &now);
        assert_int_equal(size, n);
        refused += memcmp(now, bytes, n) == 0; /* it was not believed, and written anew */
        free(now);
        if (i % (16 * stride))
            continue;
        spill(path, bytes, i);
        text = load(w, &taken), plain = load_plainly(w);
        assert_string_equal(text, plain);
        free(text);
        free(plain);
    }
    assert_true(refused > n / stride / 2);
    free(bytes);
}

static void damaged_and_cut_entries_are_as_if_not_there(void **state)
{
    const struct world *w = *state;
    is_taken(w);
    check_damage(w, ".corpus", 5);
    check_damage(w, ".events", 3);
}

/* --- entries that are whole, and nonsense ------------------------------------------------- */

/* What a section is changed into: LENGTH bytes at OFFSET become BYTES; or, without any, the section
 * loses its last item of CUT bytes. */
struct change {
    const char *suffix, *section;
    size_t offset, length;
    const void *bytes;
    size_t cut;
};

static void copy_section(kb_container_writer *writer, kb_container_reader *reader, size_t i,
                         const struct change *change, kb_piece *piece, char **copy)
{
    kb_section section = kb_container_section(reader, i);
    const void *bytes;
    size_t length;
    assert_int_equal(kb_container_bytes(reader, section.name, &bytes, &length, NULL), KB_OK);
    *copy = malloc(length + 1);
    memcpy(*copy, bytes, length);
    if (strcmp(section.name, change->section) == 0) {
        assert_true(change->offset + change->length <= length && change->cut <= length);
        if (change->length)
            memcpy(*copy + change->offset, change->bytes, change->length);
        length -= change->cut;
    }
    *piece = (kb_piece){*copy, length};
    assert_int_equal(kb_container_add_pieces(writer, section.name, piece, 1, NULL), KB_OK);
}

/* Writes the entry anew, with right sizes and checksums. */
static void change_entry(const struct world *w, const struct change *change)
{
    enum { SECTIONS = 32 };
    char path[2 * ROOM], *copies[SECTIONS];
    kb_piece pieces[SECTIONS];
    kb_container_reader *reader;
    kb_container_writer *writer = kb_container_writer_create(&kb_cache_kind);
    snprintf(path, sizeof path, "%s", entry_path(w, change->suffix));
    assert_int_equal(kb_container_open(&reader, &kb_cache_kind, path, NULL), KB_OK);
    size_t count = kb_container_count(reader);
    assert_true(count <= SECTIONS);
    for (size_t i = 0; i < count; i++)
        copy_section(writer, reader, i, change, &pieces[i], &copies[i]);
    assert_int_equal(kb_container_write(writer, path, false, NULL, NULL), KB_OK);
    kb_container_writer_free(writer);
    kb_container_close(reader);
    for (size_t i = 0; i < count; i++)
        free(copies[i]);
}

#define BYTES(...)                                                                                 \
    sizeof((const unsigned char[]){__VA_ARGS__}), (const unsigned char[])                          \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define MANY 0xFF, 0xFF, 0xFF, 0x7E

static const struct change nonsense[] = {
    {".corpus", "times", 8, BYTES(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F), 0},
    {".corpus", "times", 23, BYTES(0x7F), 0}, /* a session's first is its last */
    {".corpus", "times", 0, 0, NULL, 16},
    {".corpus", "times", 0, 0, NULL, 3},
    {".corpus", "runs", 0, BYTES(MANY), 0},        /* object */
    {".corpus", "runs", 16, BYTES(2, 0, 0, 0), 0}, /* not rising */
    {".corpus", "runs", 4, BYTES(0xFF, 0xFF), 0},  /* first */
    {".corpus", "runs", 6, BYTES(0xFF, 0xFF), 0},  /* count */
    {".corpus", "runs", 6, BYTES(0, 0), 0},
    {".corpus", "runs", 8, BYTES(MANY), 0}, /* offset */
    {".corpus", "runs", 0, 0, NULL, 16},
    {".corpus", "values", 0, BYTES(0, 0, 0xC0, 0x7F), 0}, /* not a number */
    {".corpus", "values", 0, BYTES(0, 0, 0x80, 0xBF), 0}, /* -1 */
    {".corpus", "values", 0, BYTES(0, 0, 0x80, 0x7F), 0}, /* infinite */
    {".corpus", "values", 0, 0, NULL, 4},
    {".corpus", "windows", 0, BYTES(MANY), 0},
    {".corpus", "windows", 8, BYTES(MANY), 0},
    {".corpus", "windows", 12, BYTES(MANY), 0},
    {".corpus", "windows", 0, 0, NULL, 16},
    {".corpus", "store", 0, 0, NULL, 16},
    {".corpus", "rows", 0, 0, NULL, 8},
    {".corpus", "sessions", 0, BYTES('z'), 0}, /* not in order */
    {".corpus", "sessions", 0, BYTES(0xFF), 0},
    {".corpus", "objects", 0, BYTES('z'), 0},
    {".corpus", "texts", 1, BYTES(0xFF), 0},
    {".corpus", "described", 0, BYTES(MANY), 0},
    {".corpus", "described", 4, BYTES(MANY), 0},
    {".corpus", "described", 8, BYTES(MANY), 0},
    {".corpus", "described", 12, BYTES(4), 0}, /* split */
    {".corpus", "described", 0, 0, NULL, 16},
    {".corpus", "problems", 8, BYTES(MANY), 0},  /* reason */
    {".corpus", "problems", 16, BYTES(MANY), 0}, /* file */
    {".corpus", "problems", 20, BYTES(99), 0},   /* kind */
    {".corpus", "reasons", 0, 0, NULL, 1},
    {".events", "items", 8, BYTES(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F), 0},
    {".events", "items", 7, BYTES(0x7F), 0}, /* the user's first is the last */
    {".events", "items", 16, BYTES(MANY), 0},
    {".events", "items", 20, BYTES(MANY), 0},
    {".events", "items", 0, 0, NULL, 24},
    {".events", "ends", 0, BYTES(MANY), 0},
    {".events", "ends", 0, 0, NULL, 8},
    {".events", "users", 0, BYTES(0xFF), 0},
    {".events", "kinds", 0, BYTES('z'), 0},
    {".events", "problems", 16, BYTES(MANY), 0},
};

static void entries_of_nonsense_are_as_if_not_there(void **state)
{
    const struct world *w = *state;
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        const struct change *c = &nonsense[i];
        kb_cache_clear(w->folder, NULL);
        is_taken(w);
        change_entry(w, &(struct change){c->suffix, "", 0, 0, NULL, 0});
        assert_true(is_taken(w)); /* written anew, but not changed */
        change_entry(w, c);
        if (is_taken(w))
            fail_msg("a change of %s %s at %zu is believed", c->suffix, c->section, c->offset);
        assert_true(is_taken(w));
    }
}

/* Another release may read the same files otherwise. */
static void an_entry_of_another_release_is_not_believed(void **state)
{
    const struct world *w = *state;
    static const char *const keys[] = {"\nprogram=", "\nreading="};
    for (size_t k = 0; k < 2; k++) {
        kb_container_reader *reader;
        const void *text;
        size_t length;
        is_taken(w);
        assert_int_equal(kb_container_open(&reader, &kb_cache_kind, entry_path(w, ".corpus"), NULL),
                         KB_OK);
        assert_int_equal(kb_container_bytes(reader, "key", &text, &length, NULL), KB_OK);
        const char *place = memmem(text, length, keys[k], strlen(keys[k]));
        assert_non_null(place);
        size_t offset = (size_t)(place - (const char *)text) + strlen(keys[k]);
        kb_container_close(reader);
        change_entry(w, &(struct change){".corpus", "key", offset, 1, "?", 0});
        assert_false(is_taken(w));
        assert_true(is_taken(w));
    }
}

/* Adds a row when everything has been read, which nobody has seen by then. */
static void add_row(void *ctx, const kb_progress_state *progress)
{
    struct world *w = ctx;
    char path[2 * ROOM];
    if (strcmp(progress->phase, "sorting") != 0)
        return;
    snprintf(path, sizeof path, "%s/metrics-1.csv", w->corpus);
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    fputs("s1,77,o1,4\n", f);
    fclose(f);
}

static void files_that_change_while_they_are_read_are_not_kept(void **state)
{
    struct world *w = *state;
    const kb_progress progress = {.report = add_row, .ctx = w};
    kb_corpus *corpus;
    assert_int_equal(kb_corpus_load(&corpus, w->corpus, &w->options, &progress, NULL), KB_OK);
    assert_string_equal(kb_corpus_cache_note(corpus),
                        "not kept in the cache: the files change while they are read");
    kb_corpus_free(corpus);
    assert_int_equal(count_entries(w), 1); /* the events */
    assert_false(is_taken(w));
    assert_true(is_taken(w));
}

/* What a survey puts up with is an error for everybody else. */
static void what_only_a_survey_could_read_is_not_kept(void **state)
{
    struct world *w = *state;
    write_text(w->corpus, "metrics-3.csv", "session,time,value\n");
    w->options.survey = true;
    assert_false(is_taken(w));
    assert_int_equal(count_entries(w), 0);
    w->options.survey = false;
    assert_false(is_taken(w));
}

static void an_entry_of_another_corpus_is_not_believed(void **state)
{
    struct world *w = *state;
    char first[2 * ROOM], *bytes, *other;
    is_taken(w);
    snprintf(first, sizeof first, "%s", entry_path(w, ".corpus"));
    size_t n = slurp(first, &bytes);
    write_corpus(w->corpus, 3);
    is_taken(w);
    size_t m = slurp(first, &other);
    assert_true(m != n || memcmp(bytes, other, n) != 0);
    spill(first, bytes, n); /* whole, of this place, of its files as they were */
    assert_false(is_taken(w));
    spill(first, "foreign", 7);
    assert_false(is_taken(w));
    assert_true(is_taken(w));
    free(bytes);
    free(other);
}

static void an_entry_that_others_can_write_is_not_believed(void **state)
{
    const struct world *w = *state;
    char path[2 * ROOM], elsewhere[2 * ROOM];
    is_taken(w);
    snprintf(path, sizeof path, "%s", entry_path(w, ".corpus"));
    assert_int_equal(chmod(path, 0660), 0);
    bool taken;
    free(load(w, &taken));
    assert_true(is_taken(w)); /* written anew */
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", w->folder);
    assert_int_equal(rename(path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
    char *bytes, *after;
    size_t n = slurp(elsewhere, &bytes);
    free(load(w, &taken));
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode)); /* the link was replaced, what it led to was not */
    assert_int_equal(slurp(elsewhere, &after), n);
    assert_memory_equal(bytes, after, n);
    free(bytes);
    free(after);
}

/* --- the folder --------------------------------------------------------------------------- */

static void the_least_used_entries_go_first(void **state)
{
    struct world *w = *state;
    is_taken(w);
    struct stat st;
    assert_int_equal(stat(entry_path(w, ".corpus"), &st), 0);
    char names[3][2 * ROOM];
    w->options.skip_events = true;
    kb_cache_clear(w->folder, NULL);
    for (size_t t = 0; t < 3; t++) {
        w->options.timesteps = 5;
        w->options.columns = t == 0 ? NULL : t == 1 ? "user=a" : "user=b";
        w->cache.limit = 3 * (uint64_t)st.st_size - 100; /* two fit, three do not */
        if (t == 2) {
            w->options.columns = NULL;
            assert_true(is_taken(w)); /* used once more */
            w->options.columns = "user=b";
        }
        is_taken(w);
        usleep(20000);
        kb_cache_entries entries;
        kb_cache_list(&entries, w->folder, NULL);
        snprintf(names[t], sizeof names[t], "%s", entries.items[0].name);
        kb_cache_entries_free(&entries);
    }
    assert_int_equal(count_entries(w), 2);
    w->options.columns = NULL;
    assert_true(is_taken(w));
    w->cache.limit = 1;
    w->options.columns = "user=c";
    bool taken;
    char note[256];
    free(load_text(w->corpus, w->options, note));
    assert_non_null(strstr(note, "larger than the cache may be"));
    free(load(w, &taken));
    assert_false(taken);
}

static void entries_are_listed_and_cleared(void **state)
{
    const struct world *w = *state;
    char path[2 * ROOM];
    is_taken(w);
    write_text(w->folder, "notes.txt", "mine");
    write_text(w->folder, "0123456789abcdef.corpus.XyZ123.tmp", "of a process that was killed");
    kb_cache_entries entries;
    assert_int_equal(kb_cache_list(&entries, w->folder, NULL), KB_OK);
    assert_int_equal(entries.count, 2);
    for (size_t i = 0; i < 2; i++) {
        char *place = realpath(w->corpus, NULL);
        assert_string_equal(entries.items[i].corpus, place);
        assert_true(entries.items[i].bytes > 500 && entries.items[i].used > 1700000000);
        free(place);
    }
    kb_cache_entries_free(&entries);
    assert_int_equal(kb_cache_clear(w->folder, NULL), KB_OK);
    assert_int_equal(count_entries(w), 0);
    snprintf(path, sizeof path, "%s/notes.txt", w->folder);
    assert_int_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/0123456789abcdef.corpus.XyZ123.tmp", w->folder);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(kb_cache_list(&entries, "/nonexistent/cache", NULL), KB_OK);
    assert_int_equal(entries.count, 0);
    assert_int_equal(kb_cache_clear("/nonexistent/cache", NULL), KB_OK);
}

/* What another process is writing now is left alone. */
static void only_old_leavings_are_removed(void **state)
{
    const struct world *w = *state;
    const char *path = write_text(w->folder, "0123456789abcdef.corpus.1a2b3c.tmp", "half");
    is_taken(w);
    assert_int_equal(access(path, F_OK), 0);
    const struct timespec times[2] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    kb_cache_entries entries;
    assert_int_equal(kb_cache_list(&entries, w->folder, NULL), KB_OK);
    for (size_t i = 0; i < entries.count; i++) {
        char entry[2 * ROOM + 64];
        snprintf(entry, sizeof entry, "%s/%s", w->folder, entries.items[i].name);
        unlink(entry);
    }
    kb_cache_entries_free(&entries);
    is_taken(w);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void missing_folders_are_made_for_the_user_alone(void **state)
{
    struct world *w = *state;
    char folder[2 * ROOM];
    struct stat st;
    snprintf(folder, sizeof folder, "%s/a/b", w->folder);
    w->cache.folder = folder;
    is_taken(w);
    assert_true(is_taken(w));
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(kb_cache_clear(folder, NULL), KB_OK);
    rmdir(folder);
    w->cache.folder = w->folder;
}

static void a_cache_that_cannot_be_written_is_only_a_remark(void **state)
{
    struct world *w = *state;
    char note[256], folder[2 * ROOM];
    snprintf(folder, sizeof folder, "%s/file/cache", w->folder);
    write_text(w->folder, "file", "");
    w->cache.folder = folder;
    char *text = load_text(w->corpus, w->options, note), *plain = load_plainly(w);
    assert_string_equal(text, plain);
    assert_non_null(strstr(note, "not kept in the cache: "));
    assert_non_null(strstr(note, folder));
    free(text);
    free(plain);
    w->cache.folder = w->folder;
}

static void a_full_disk_leaves_nothing_behind(void **state)
{
    struct world *w = *state;
    struct rlimit before, small;
    char note[256];
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 700, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    char *text = load_text(w->corpus, w->options, note);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    char *plain = load_plainly(w);
    assert_string_equal(text, plain);
    assert_non_null(strstr(note, "not kept in the cache: "));
    free(text);
    free(plain);
    DIR *dir = opendir(w->folder);
    for (struct dirent *entry; (entry = readdir(dir));)
        assert_int_equal(entry->d_name[0], '.');
    closedir(dir);
}

static void standard_input_is_not_kept(void **state)
{
    struct world *w = *state;
    char path[2 * ROOM];
    int before = dup(STDIN_FILENO);
    snprintf(path, sizeof path, "%s/metrics-1.csv", w->corpus);
    assert_non_null(freopen(path, "r", stdin));
    char *text = load_text("-", w->options, NULL);
    dup2(before, STDIN_FILENO);
    close(before);
    assert_non_null(strstr(text, "session s1:"));
    assert_int_equal(count_entries(w), 0);
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_second_reading_is_the_first),
        TEST(a_part_that_is_missing_is_read),
        TEST(events_that_are_not_wanted_leave_their_entry),
        TEST(other_options_are_another_entry),
        TEST(strict_readings_fail_as_without_a_cache),
        TEST(a_fresh_reading_replaces_what_was_kept),
        TEST(changed_files_are_read_again),
        TEST(files_that_have_just_changed_are_not_kept),
        TEST(small_corpora_are_not_kept),
        TEST(damaged_and_cut_entries_are_as_if_not_there),
        TEST(entries_of_nonsense_are_as_if_not_there),
        TEST(an_entry_of_another_release_is_not_believed),
        TEST(files_that_change_while_they_are_read_are_not_kept),
        TEST(what_only_a_survey_could_read_is_not_kept),
        TEST(an_entry_of_another_corpus_is_not_believed),
        TEST(an_entry_that_others_can_write_is_not_believed),
        TEST(the_least_used_entries_go_first),
        TEST(entries_are_listed_and_cleared),
        TEST(only_old_leavings_are_removed),
        TEST(missing_folders_are_made_for_the_user_alone),
        TEST(a_cache_that_cannot_be_written_is_only_a_remark),
        TEST(a_full_disk_leaves_nothing_behind),
        TEST(standard_input_is_not_kept),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
