/* import: what holds for every format: options, --strict, cancelling, all files or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import_support.h"

#define LINE                                                                                       \
    "{\"session\":\"s\",\"user\":\"u\",\"time\":1,\"object\":\"o\",\"value\":2,\"event\":\"e\"}\n"

/* One input a format, with a row that passes and one that does not. */
static const struct {
    kb_import_format format;
    const char *name, *text, *problem;
} inputs[] = {
    {KB_IMPORT_JMAP, "run/1.txt", "  1:  1  8  A\n  2:  x  8  B\nTotal 1 8\n",
     "run/1.txt:2: no number of instances"},
    {KB_IMPORT_PROMETHEUS, "a.json",
     "{\"status\":\"success\",\"data\":{\"result\":[{\"metric\":{\"instance\":\"h\"},\"values\":[["
     "1,"
     "\"2\"],\n[2,\"NaN\"]]}]}}",
     "a.json:1: {}: value 'NaN': not a number"},
    {KB_IMPORT_JSONL, "a.jsonl", LINE "{}\n", "a.jsonl:2: neither a reading"},
};

enum { INPUTS = sizeof inputs / sizeof *inputs };

/* --- options ----------------------------------------------------------------------------- */
static void formats_have_names(void **state)
{
    (void)state;
    for (int i = 0; i < KB_IMPORT_FORMATS; i++) {
        kb_import_format format;
        assert_true(kb_import_format_parse(&format, kb_import_format_name((kb_import_format)i)));
        assert_int_equal(format, i);
    }
    kb_import_format format;
    assert_false(kb_import_format_parse(&format, "csv"));
    assert_false(kb_import_format_parse(&format, ""));
}

static void options_of_another_format_are_wrong_usage(void **state)
{
    (void)state;
    kb_import_options value = kb_import_defaults(), label = value, drop = value, fields = value;
    value.value = KB_JMAP_INSTANCES;
    label.session_label = "pod";
    drop.drop_labels = "none";
    fields.fields = "session=a";
    const struct {
        const char *option;
        const kb_import_options *options;
        kb_import_format owner;
    } cases[] = {{"--value", &value, KB_IMPORT_JMAP},
                 {"--session-label", &label, KB_IMPORT_PROMETHEUS},
                 {"--drop-labels", &drop, KB_IMPORT_PROMETHEUS},
                 {"--fields", &fields, KB_IMPORT_JSONL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int f = 0; f < KB_IMPORT_FORMATS; f++) {
            kb_error err = {0};
            kb_import_format format = (kb_import_format)f;
            kb_status status = kb_import_check(format, "in", cases[i].options, &err);
            assert_int_equal(status, format == cases[i].owner ? KB_OK : KB_ERR_USAGE);
            if (status)
                assert_non_null(strstr(err.text, cases[i].option));
        }
}

/* --- every format ------------------------------------------------------------------------ */
static void what_does_not_pass_is_told_and_the_rest_is_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < INPUTS; i++) {
        trial t;
        trial_begin(&t);
        trial_put(&t, inputs[i].name, inputs[i].text);
        trial_succeed(&t, inputs[i].format, NULL);
        assert_memory_equal(t.problems, inputs[i].problem, strlen(inputs[i].problem));
        assert_int_equal(t.result.readings, 1);
        assert_int_equal(t.result.sessions, 1);
        assert_int_equal(t.result.objects, 1);
        assert_int_equal(t.result.left_out, 1);
        assert_int_equal(t.result.problems, 1);
        assert_int_equal(t.result.damaged, 0);
        kb_corpus_free(trial_load(&t));
        trial_end(&t);
    }
}

static void strict_stops_at_the_first_and_leaves_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < INPUTS; i++) {
        trial t;
        trial_begin(&t);
        t.options.strict = true;
        trial_put(&t, inputs[i].name, inputs[i].text);
        trial_refused(&t, inputs[i].format, NULL, inputs[i].problem);
        trial_end(&t);
    }
}

static void strict_stops_at_damage_too(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    t.options.strict = true;
    trial_put(&t, "a.json", "{\"status\":\n\"success\",");
    trial_refused(&t, KB_IMPORT_PROMETHEUS, NULL, "a.json:2: truncated: the JSON ends early");
    trial_put(&t, "run/1.txt.gz", "  1:  1  8  A\nTotal 1 8\n");
    trial_cut(&t, "run/1.txt.gz", 15);
    trial_refused(&t, KB_IMPORT_JMAP, trial_path(&t, "run/1.txt.gz"),
                  "1.txt.gz: truncated: the gzip data end early");
    trial_refused(&t, KB_IMPORT_JSONL, trial_path(&t, "run/1.txt.gz"),
                  "1.txt.gz: truncated: the gzip data end early");
    trial_end(&t);
}

static void a_corpus_that_is_there_is_left_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < INPUTS; i++) {
        trial t;
        trial_begin(&t);
        trial_put(&t, inputs[i].name, inputs[i].text);
        trial_put(&t, "../out/sessions.csv", "session\nold\n");
        assert_int_equal(trial_import(&t, inputs[i].format, NULL), KB_ERR_IO);
        assert_non_null(strstr(t.err.text, "there is a corpus already"));
        assert_string_equal(trial_rows(&t, "sessions.csv", "session"), "old\n");
        assert_string_equal(trial_metrics(&t), "");
        trial_end(&t);
    }
}

static void only_files_with_rows_are_written(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "a.jsonl", "{\"user\":\"u\",\"time\":1,\"event\":\"e\"}\n");
    trial_succeed(&t, KB_IMPORT_JSONL, NULL);
    assert_int_equal(access(trial_path(&t, "../out/events.csv.gz"), F_OK), 0);
    assert_int_not_equal(access(trial_path(&t, "../out/metrics.csv.gz"), F_OK), 0);
    assert_int_not_equal(access(trial_path(&t, "../out/sessions.csv"), F_OK), 0);
    trial_end(&t);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    snprintf(t.out, sizeof t.out, "%s/no/where", t.folder);
    trial_put(&t, "a.jsonl", LINE);
    assert_int_equal(trial_import(&t, KB_IMPORT_JSONL, NULL), KB_ERR_IO);
    assert_non_null(strstr(t.err.text, "no/where"));
    trial_end(&t);
}

/* The one file cannot get its name, so that the others lose theirs. */
static void a_failure_at_the_end_leaves_nothing(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "a.jsonl", LINE);
    trial_put(&t, "../out/keep", "");
    trial_put(&t, "../out/sessions.csv/x", "");
    assert_int_equal(trial_import(&t, KB_IMPORT_JSONL, NULL), KB_ERR_IO);
    assert_non_null(strstr(t.err.text, "sessions.csv"));
    assert_string_equal(trial_metrics(&t), "");
    assert_string_equal(trial_events(&t), "");
    trial_end(&t);
}

/* --- what is said of what came of it ------------------------------------------------------- */
static void import_lines(trial *t, const char *text)
{
    trial_begin(t);
    trial_put(t, "a.jsonl", text);
    trial_succeed(t, KB_IMPORT_JSONL, NULL);
}

#define READING(session, object)                                                                   \
    "{\"session\":\"" session "\",\"time\":1,\"object\":\"" object "\",\"value\":2}\n"

static void sessions_that_share_no_object_are_noted(void **state)
{
    (void)state;
    trial t;
    import_lines(&t, READING("a", "x") READING("a", "y") READING("b", "z") READING("c", "w"));
    assert_string_equal(t.notes, "no object occurs in more than one session, so that clusters of "
                                 "them would mean nothing\n");
    assert_string_equal(t.problems, "");
    trial_end(&t);
    trial_begin(&t);
    trial_put(&t, "a/1", "  1:  1  8  A\nTotal 1 8\n");
    trial_put(&t, "b/1", "  1:  1  8  B\nTotal 1 8\n");
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_non_null(strstr(t.notes, "no object occurs in more than one session"));
    trial_end(&t);
}

/* One object is enough, and one session shares nothing with nobody. */
static void sessions_that_share_an_object_are_not_noted(void **state)
{
    (void)state;
    static const char *const texts[] = {READING("a", "x") READING("b", "y") READING("c", "z")
                                            READING("a", "z"),
                                        READING("a", "x") READING("a", "y"), READING("a", "x"),
                                        READING("a", "x") "{\"session\":\"b\",\"version\":\"1\"}\n",
                                        READING("a", "x") READING("b", "x") READING("c", "y")};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        trial t;
        import_lines(&t, texts[i]);
        assert_string_equal(t.notes, "");
        trial_end(&t);
    }
}

/* A session whose only row is bad has no readings. */
static void what_was_left_out_does_not_count_as_shared(void **state)
{
    (void)state;
    trial t;
    import_lines(&t, READING("a", "x") "{\"session\":\"b\",\"time\":1,\"object\":\"x\","
                                       "\"value\":-2}\n" READING("b", "y"));
    assert_non_null(strstr(t.notes, "no object occurs"));
    trial_end(&t);
}

/* --- progress and cancelling ------------------------------------------------------------- */
struct watcher {
    uint64_t last, total, rows;
    bool falls;
    size_t reports, cancel_at; /* cancel at that report; 0: never */
    atomic_bool cancel;
};

static void watch(void *ctx, const kb_progress_state *state)
{
    struct watcher *w = ctx;
    if (strcmp(state->phase, "importing") != 0)
        return;
    w->falls |= state->done < w->last || state->done > state->total || !state->bytes;
    w->last = state->done;
    w->total = state->total;
    w->rows = state->rows;
    if (++w->reports == w->cancel_at)
        atomic_store(&w->cancel, true);
}

static kb_status watched_import(trial *t, struct watcher *w, size_t input)
{
    kb_progress progress = {.report = watch, .ctx = w, .cancel = &w->cancel};
    trial_begin(t);
    for (int i = 0; i < 20; i++) {
        char name[40];
        snprintf(name, sizeof name,
                 inputs[input].format == KB_IMPORT_JMAP ? "run/%d.txt" : "%d.json", i);
        trial_put(t, name, inputs[input].text);
    }
    return kb_import(&t->result, inputs[input].format, t->in, t->out, &t->options, &progress,
                     &t->err);
}

static void progress_goes_through_all_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < INPUTS; i++) {
        trial t;
        struct watcher w = {0};
        assert_int_equal(watched_import(&t, &w, i), KB_OK);
        assert_int_equal(w.total, 20 * strlen(inputs[i].text));
        assert_int_equal(w.last, w.total);
        assert_int_equal(w.rows, t.result.readings + t.result.events);
        assert_false(w.falls);
        assert_true(w.reports >= 20);
        trial_end(&t);
    }
}

static void cancelling_leaves_nothing_whenever_it_comes(void **state)
{
    (void)state;
    for (size_t i = 0; i < INPUTS; i++)
        for (size_t at = 1; at <= 21; at += 4) {
            trial t;
            struct watcher w = {.cancel_at = at};
            assert_int_equal(watched_import(&t, &w, i), KB_ERR_CANCELLED);
            assert_int_equal(w.reports, at);
            assert_true(trial_nothing(&t));
            trial_end(&t);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_have_names),
        cmocka_unit_test(options_of_another_format_are_wrong_usage),
        cmocka_unit_test(what_does_not_pass_is_told_and_the_rest_is_written),
        cmocka_unit_test(strict_stops_at_the_first_and_leaves_nothing),
        cmocka_unit_test(strict_stops_at_damage_too),
        cmocka_unit_test(a_corpus_that_is_there_is_left_alone),
        cmocka_unit_test(only_files_with_rows_are_written),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_named),
        cmocka_unit_test(a_failure_at_the_end_leaves_nothing),
        cmocka_unit_test(sessions_that_share_no_object_are_noted),
        cmocka_unit_test(sessions_that_share_an_object_are_not_noted),
        cmocka_unit_test(what_was_left_out_does_not_count_as_shared),
        cmocka_unit_test(progress_goes_through_all_bytes),
        cmocka_unit_test(cancelling_leaves_nothing_whenever_it_comes),
    };
    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
