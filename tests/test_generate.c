/* generate: what a synthetic corpus promises, read back the way any corpus is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "corpus.h"
#include "curve.h"
#include "generate.h"

static const char *const files[] = {"metrics.csv.gz", "events.csv.gz", "sessions.csv", "truth.csv"};
enum { FILES = sizeof files / sizeof *files };

static char *folder_path(char *path, size_t size, const char *name)
{
    const char *folder = getenv("TMPDIR");
    snprintf(path, size, "%s/kb-generate-%ld-%s", folder ? folder : "/tmp", (long)getpid(), name);
    return path;
}

static void remove_shards(const char *dir, size_t shards)
{
    for (size_t i = 0; i < FILES + (shards > 1 ? shards : 0); i++) {
        char path[512];
        if (i < FILES)
            snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        else
            snprintf(path, sizeof path, "%s/metrics-%03zu.csv.gz", dir, i - FILES);
        unlink(path);
    }
    rmdir(dir);
}

static void remove_folder(const char *dir)
{
    remove_shards(dir, 1);
}

static kb_generate_options small(void)
{
    kb_generate_options options = kb_generate_defaults();
    options.sessions = 120;
    options.objects = 80;
    options.timesteps = 30;
    options.types = 4;
    return options;
}

static void generate(const char *dir, const kb_generate_options *options)
{
    kb_error err;
    if (kb_generate(dir, options, NULL, &err))
        fail_msg("%s", err.text);
}

/* The corpus of OPTIONS, strictly read; its folder is gone when this returns. */
static kb_corpus *generated(const kb_generate_options *options)
{
    char dir[256];
    generate(folder_path(dir, sizeof dir, "read"), options);
    kb_corpus_options reading = kb_corpus_defaults();
    reading.strict = true;
    kb_corpus *corpus;
    kb_error err;
    if (kb_corpus_load(&corpus, dir, &reading, NULL, &err))
        fail_msg("%s", err.text);
    remove_shards(dir, options->shards);
    return corpus;
}

/* The bytes of a file, which the caller frees. */
static char *slurp(const char *dir, const char *name, size_t *length)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    *length = (size_t)st.st_size;
    char *bytes = malloc(*length + 1);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fread(bytes, 1, *length, f), *length);
    bytes[*length] = '\0';
    fclose(f);
    return bytes;
}

static bool same_bytes(const char *a, const char *b, const char *name)
{
    size_t n, m;
    char *x = slurp(a, name, &n), *y = slurp(b, name, &m);
    bool same = n == m && memcmp(x, y, n) == 0;
    free(x);
    free(y);
    return same;
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
    (void)state;
    char a[256], b[256], c[256];
    kb_generate_options options = small();
    generate(folder_path(a, sizeof a, "a"), &options);
    generate(folder_path(b, sizeof b, "b"), &options);
    options.seed = 2;
    generate(folder_path(c, sizeof c, "c"), &options);
    for (size_t i = 0; i < FILES; i++) {
        assert_true(same_bytes(a, b, files[i]));
        assert_false(same_bytes(a, c, files[i]));
    }
    remove_folder(a);
    remove_folder(b);
    remove_folder(c);
}

static void splits_have_their_shares(void **state)
{
    (void)state;
    kb_generate_options options = small();
    options.sessions = 200;
    kb_corpus *corpus = generated(&options);
    size_t ids[200];
    assert_int_equal(kb_corpus_sessions(corpus), 200);
    assert_int_equal(kb_corpus_select(corpus, KB_SPLIT_TRAIN, ids), 144);
    assert_int_equal(kb_corpus_select(corpus, KB_SPLIT_VALIDATION, ids), 30);
    assert_int_equal(kb_corpus_select(corpus, KB_SPLIT_EMERGING, ids), 6);
    assert_int_equal(kb_corpus_select(corpus, KB_SPLIT_LATER, ids), 20);
    kb_corpus_free(corpus);
}

static size_t count_label(const kb_corpus *corpus, kb_split split, const char *label)
{
    size_t count = 0;
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++) {
        const kb_session *session = kb_corpus_session(corpus, s);
        count += session->split == split && strcmp(session->label, label) == 0;
    }
    return count;
}

static void types_are_imbalanced_and_some_sessions_have_none(void **state)
{
    (void)state;
    kb_generate_options options = small();
    options.sessions = 400;
    kb_corpus *corpus = generated(&options);
    size_t before = SIZE_MAX;
    for (unsigned y = 1; y <= 4; y++) {
        char label[16];
        snprintf(label, sizeof label, "type-%02u", y);
        size_t count = count_label(corpus, KB_SPLIT_TRAIN, label);
        assert_true(count < before && count > 0);
        if (y > 1)
            assert_true(fabs((double)count / (double)before - .85) < .04);
        before = count;
    }
    assert_int_equal(count_label(corpus, KB_SPLIT_TRAIN, "misc"), 12); /* 4% of 288 */
    assert_int_equal(count_label(corpus, KB_SPLIT_TRAIN, "emerging-new"), 0);
    assert_int_equal(count_label(corpus, KB_SPLIT_TRAIN, "emerging-mix"), 0);
    assert_int_equal(count_label(corpus, KB_SPLIT_EMERGING, "emerging-new"), 6);
    assert_int_equal(count_label(corpus, KB_SPLIT_EMERGING, "emerging-mix"), 6);
    kb_corpus_free(corpus);
}

static void the_next_version_is_in_later_only(void **state)
{
    (void)state;
    kb_generate_options options = small();
    kb_corpus *corpus = generated(&options);
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++) {
        const kb_session *session = kb_corpus_session(corpus, s);
        assert_string_equal(session->version, session->split == KB_SPLIT_LATER ? "3.2" : "3.1");
    }
    assert_int_equal(count_label(corpus, KB_SPLIT_LATER, "type-02"), 0);
    assert_true(count_label(corpus, KB_SPLIT_LATER, "type-04") > 0);
    kb_corpus_free(corpus);
}

static void lengths_differ_and_counts_are_whole(void **state)
{
    (void)state;
    kb_generate_options options = small();
    kb_corpus *corpus = generated(&options);
    const kb_store *store = kb_corpus_store(corpus);
    size_t whole = 0, brief = 0;
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++) {
        size_t length = kb_store_length(store, s);
        assert_in_range(length, 1, options.timesteps);
        *(length == options.timesteps ? &whole : &brief) += 1;
        for (size_t i = 0; i < kb_store_series_count(store, s); i++) {
            kb_series series = kb_store_series(store, s, i);
            for (size_t j = 0; j < series.count; j++)
                assert_true(series.values[j] == roundf(series.values[j]));
        }
    }
    assert_true(whole > brief && brief > 5);
    kb_corpus_free(corpus);
}

/* --- what truth.csv says ------------------------------------------------------------------ */

struct truth {
    char *text, *next;
};

static struct truth read_truth(const kb_generate_options *options)
{
    char dir[256];
    generate(folder_path(dir, sizeof dir, "truth"), options);
    size_t length;
    char *text = slurp(dir, "truth.csv", &length);
    remove_folder(dir);
    assert_true(strncmp(text, "label,object,role\n", 18) == 0);
    return (struct truth){text, text + 18};
}

static bool next_truth(struct truth *truth, char *label, char *object, char *role)
{
    int used = 0;
    if (sscanf(truth->next, "%63[^,],%63[^,],%63[^\n]\n%n", label, object, role, &used) != 3)
        return false;
    truth->next += used;
    return true;
}

/* The share of the sessions with LABEL (of another label: with INVERT) in which the object is
 * present. */
static double presence_in(const kb_corpus *corpus, const char *label, bool invert, uint32_t object)
{
    const kb_store *store = kb_corpus_store(corpus);
    size_t sessions = 0, with = 0;
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++) {
        if ((strcmp(kb_corpus_session(corpus, s)->label, label) == 0) == invert)
            continue;
        kb_series series;
        sessions++;
        with += kb_store_find_series(store, s, object, &series);
    }
    return sessions ? (double)with / (double)sessions : 0;
}

static void leaks_are_there_when_their_type_is(void **state)
{
    (void)state;
    kb_generate_options options = small();
    options.sessions = 400;
    kb_corpus *corpus = generated(&options);
    struct truth truth = read_truth(&options);
    char label[64], object[64], role[64];
    size_t leaks = 0, companions = 0;
    double lift = 0;
    while (next_truth(&truth, label, object, role)) {
        size_t id = kb_store_find_object(kb_corpus_store(corpus), object);
        assert_true(id != SIZE_MAX);
        double inside = presence_in(corpus, label, false, (uint32_t)id);
        double outside = presence_in(corpus, label, true, (uint32_t)id);
        if (strcmp(role, "leak") == 0) {
            leaks++;
            assert_true(inside >= .5);
            if (strcmp(label, "emerging-new") == 0)
                assert_true(outside == 0);
        } else {
            assert_string_equal(role, "companion");
            companions++;
            lift += inside - outside;
        }
    }
    assert_true(leaks >= 6 * 2);
    assert_int_equal(companions, 2 * leaks);
    assert_true(lift / (double)companions > .3);
    free(truth.text);
    kb_corpus_free(corpus);
}

static double mean_of(const kb_series *series, size_t from, size_t to)
{
    double sum = 0;
    for (size_t i = from; i < to; i++)
        if (i >= series->first && i < series->first + series->count)
            sum += (double)series->values[i - series->first];
    return sum / (double)(to - from);
}

/* In a session of its type a leak is higher in the last tenth than in the first half, nearly
 * always. */
static void leaks_grow_until_the_end(void **state)
{
    (void)state;
    kb_generate_options options = small();
    kb_corpus *corpus = generated(&options);
    const kb_store *store = kb_corpus_store(corpus);
    struct truth truth = read_truth(&options);
    char label[64], object[64], role[64];
    size_t grown = 0, all = 0;
    while (next_truth(&truth, label, object, role)) {
        uint32_t id = (uint32_t)kb_store_find_object(store, object);
        for (size_t s = 0; s < kb_corpus_sessions(corpus) && role[0] == 'l'; s++) {
            kb_series series;
            if (strcmp(kb_corpus_session(corpus, s)->label, label) != 0 ||
                !kb_store_find_series(store, s, id, &series))
                continue;
            size_t length = kb_store_length(store, s);
            double first = mean_of(&series, 0, length / 2);
            double last = mean_of(&series, length - length / 10 - 1, length);
            all++;
            grown += last > 1.5 * first;
        }
    }
    assert_true(all > 100);
    assert_true((double)grown > .85 * (double)all);
    free(truth.text);
    kb_corpus_free(corpus);
}

static void a_few_objects_are_everywhere_and_most_are_rare(void **state)
{
    (void)state;
    kb_generate_options options = small();
    options.objects = 200;
    kb_corpus *corpus = generated(&options);
    const kb_store *store = kb_corpus_store(corpus);
    size_t common = 0, rare = 0;
    for (uint32_t j = 0; j < kb_store_objects(store); j++) {
        double presence = presence_in(corpus, "no such label", true, j);
        common += presence > .6;
        rare += presence < .2;
    }
    assert_in_range(common, 1, 20);
    assert_true(rare > 100);
    kb_corpus_free(corpus);
}

/* --- event logs --------------------------------------------------------------------------- */

/* Every session has its run in its user's log: from app.launched to the crash, and the next launch
 * has no end before it. */
static void every_crash_is_in_its_users_log(void **state)
{
    (void)state;
    kb_generate_options options = small();
    kb_corpus *corpus = generated(&options);
    const kb_events *events = kb_corpus_events(corpus);
    assert_non_null(events);
    uint32_t start = kb_events_find_kind(events, "app.launched");
    uint32_t end = kb_events_find_kind(events, "app.terminated");
    size_t crashes = 0, clean = 0;
    for (size_t u = 0; u < kb_events_users(events); u++) {
        size_t count;
        const kb_event *log = kb_events_of(events, u, &count);
        assert_int_equal(log[0].event, start);
        for (size_t i = 1; i < count; i++) {
            assert_true(kb_time_compare(log[i - 1].time, log[i].time) <= 0);
            if (log[i].event != start)
                continue;
            clean += log[i - 1].event == end;
            crashes += log[i - 1].session != KB_NAME_NONE;
        }
    }
    assert_int_equal(crashes, options.sessions);
    assert_true(clean > 20);
    kb_corpus_free(corpus);
}

/* The last two events of most sessions of a type are the same. */
static void the_last_events_depend_on_the_type(void **state)
{
    (void)state;
    kb_generate_options options = small();
    kb_corpus *corpus = generated(&options);
    const kb_events *events = kb_corpus_events(corpus);
    size_t kinds = kb_events_kinds(events), agree = 0, most = 0;
    size_t *pairs = calloc(kinds * kinds, sizeof *pairs);
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++) {
        const kb_session *session = kb_corpus_session(corpus, s);
        if (strcmp(session->label, "type-01") != 0)
            continue;
        size_t count, user = kb_events_find_user(events, session->user);
        const kb_event *log = kb_events_of(events, user, &count);
        for (size_t i = 1; i + 1 < count; i++) {
            /* a session's last sample is PERIOD (5 s) before its crash; its log ends a second
             * before that */
            kb_time last = kb_store_time(kb_corpus_store(corpus), s,
                                         kb_store_length(kb_corpus_store(corpus), s) - 1);
            if (log[i].time.whole != last.whole + 4 || log[i].session == KB_NAME_NONE)
                continue;
            size_t n = ++pairs[log[i - 1].event * kinds + log[i].event];
            most = n > most ? n : most;
            agree++;
        }
    }
    assert_int_equal(agree, count_label(corpus, KB_SPLIT_TRAIN, "type-01") +
                                count_label(corpus, KB_SPLIT_VALIDATION, "type-01") +
                                count_label(corpus, KB_SPLIT_LATER, "type-01"));
    assert_true((double)most > .6 * (double)agree);
    free(pairs);
    kb_corpus_free(corpus);
}

/* --- files and options -------------------------------------------------------------------- */

static void gzip_headers_hold_no_time(void **state)
{
    (void)state;
    char dir[256];
    kb_generate_options options = small();
    generate(folder_path(dir, sizeof dir, "header"), &options);
    size_t length;
    unsigned char *bytes = (unsigned char *)slurp(dir, "metrics.csv.gz", &length);
    assert_memory_equal(bytes, "\x1f\x8b\x08\0\0\0\0\0", 8);
    free(bytes);
    remove_folder(dir);
}

static void cancelling_leaves_nothing_behind(void **state)
{
    (void)state;
    char dir[256];
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    kb_generate_options options = small();
    assert_int_equal(kb_generate(folder_path(dir, sizeof dir, "cancel"), &options, &progress, NULL),
                     KB_ERR_CANCELLED);
    assert_int_not_equal(access(dir, F_OK), 0);
}

static void a_corpus_that_is_there_is_not_overwritten(void **state)
{
    (void)state;
    char dir[256], copy[256];
    kb_generate_options options = small();
    generate(folder_path(dir, sizeof dir, "old"), &options);
    generate(folder_path(copy, sizeof copy, "copy"), &options);
    kb_error err;
    options.seed = 9;
    assert_int_equal(kb_generate(dir, &options, NULL, &err), KB_ERR_IO);
    assert_non_null(strstr(err.text, dir));
    for (size_t i = 0; i < FILES; i++)
        assert_true(same_bytes(dir, copy, files[i]));
    remove_folder(copy);
    remove_folder(dir);
    assert_int_not_equal(access(dir, F_OK), 0); /* no temporary file kept it alive */
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    kb_generate_options options = small();
    kb_error err;
    assert_int_equal(kb_generate("/nonexistent-folder/x", &options, NULL, &err), KB_ERR_IO);
    assert_non_null(strstr(err.text, "/nonexistent-folder/x"));
}

static void shards_hold_the_same_readings(void **state)
{
    (void)state;
    kb_generate_options options = small();
    kb_corpus *one = generated(&options);
    options.shards = 3;
    kb_corpus *three = generated(&options);
    assert_int_equal(kb_corpus_files(one, KB_FILE_METRICS), 1);
    assert_int_equal(kb_corpus_files(three, KB_FILE_METRICS), 3);
    assert_int_equal(kb_corpus_rows(one), kb_corpus_rows(three));
    const kb_store *a = kb_corpus_store(one), *b = kb_corpus_store(three);
    assert_int_equal(kb_store_nonzero(a), kb_store_nonzero(b));
    for (size_t s = 0; s < kb_store_sessions(a); s++) {
        kb_series x = kb_store_series(a, s, 0), y = kb_store_series(b, s, 0);
        assert_int_equal(x.object, y.object);
        assert_int_equal(x.count, y.count);
        assert_memory_equal(x.values, y.values, x.count * sizeof *x.values);
    }
    kb_corpus_free(one);
    kb_corpus_free(three);
}

static void options_out_of_range_are_named(void **state)
{
    (void)state;
    static const struct {
        kb_generate_options options;
        const char *name;
    } bad[] = {
        {{19, 200, 100, 1, 1, 1}, "sessions"},  {{0, 200, 100, 1, 1, 1}, "sessions"},
        {{400, 39, 100, 6, 1, 1}, "objects"},   {{400, 2000000, 100, 6, 1, 1}, "objects"},
        {{400, 200, 9, 6, 1, 1}, "timesteps"},  {{400, 200, 65536, 6, 1, 1}, "timesteps"},
        {{400, 200, 100, 0, 1, 1}, "types"},    {{400, 200, 100, 41, 1, 1}, "types"},
        {{50, 200, 100, 6, 1, 1}, "types"},     {{400, 200, 100, 6, 1, 0}, "shards"},
        {{400, 200, 100, 6, 1, 257}, "shards"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kb_error err = {0};
        assert_int_equal(kb_generate_check(&bad[i].options, &err), KB_ERR_USAGE);
        assert_non_null(strstr(err.text, bad[i].name));
    }
    kb_generate_options options = kb_generate_defaults();
    assert_int_equal(kb_generate_check(&options, NULL), KB_OK);
}

/* The smallest and the most crowded worlds that the check lets through. */
static void extreme_options_work(void **state)
{
    (void)state;
    static const kb_generate_options extremes[] = {{20, 40, 10, 2, 1, 1},
                                                   {20, 40, 10, 1, 3, 2},
                                                   {80, 40, 12, 8, 4, 1},
                                                   {640, 320, 10, 64, 5, 256}};
    for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
        kb_corpus *corpus = generated(&extremes[i]);
        assert_int_equal(kb_corpus_sessions(corpus), extremes[i].sessions);
        assert_int_equal(kb_problems_count(kb_corpus_problems(corpus)), 0);
        kb_corpus_free(corpus);
    }
}

static void curves_are_normalised_and_leaks_end_high(void **state)
{
    (void)state;
    kb_rng rng = kb_rng_start(1, KB_STREAM_TEST);
    double y[100];
    for (int kind = 0; kind < KB_CURVES; kind++)
        for (size_t length = 1; length <= 100; length += 11) {
            kb_curve_draw((kb_curve)kind, &rng, y, length);
            double highest = 0;
            for (size_t i = 0; i < length; i++) {
                assert_true(y[i] >= 0);
                highest = fmax(highest, y[i]);
            }
            assert_true(fabs(highest - 1) < 1e-12);
            if (kind >= KB_CURVES_BACKGROUND)
                assert_true(y[length - 1] > .8);
            if (kind >= KB_CURVES_BACKGROUND && length > 30)
                assert_true(y[length / 3] < .5);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(splits_have_their_shares),
        cmocka_unit_test(types_are_imbalanced_and_some_sessions_have_none),
        cmocka_unit_test(the_next_version_is_in_later_only),
        cmocka_unit_test(lengths_differ_and_counts_are_whole),
        cmocka_unit_test(leaks_are_there_when_their_type_is),
        cmocka_unit_test(leaks_grow_until_the_end),
        cmocka_unit_test(a_few_objects_are_everywhere_and_most_are_rare),
        cmocka_unit_test(every_crash_is_in_its_users_log),
        cmocka_unit_test(the_last_events_depend_on_the_type),
        cmocka_unit_test(gzip_headers_hold_no_time),
        cmocka_unit_test(cancelling_leaves_nothing_behind),
        cmocka_unit_test(a_corpus_that_is_there_is_not_overwritten),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_named),
        cmocka_unit_test(shards_hold_the_same_readings),
        cmocka_unit_test(options_out_of_range_are_named),
        cmocka_unit_test(extreme_options_work),
        cmocka_unit_test(curves_are_normalised_and_leaks_end_high),
    };
    return cmocka_run_group_tests_name("generate", tests, NULL, NULL);
}
