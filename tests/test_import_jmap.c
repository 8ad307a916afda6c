/* jmap: histograms as a JVM prints them, and files that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import_support.h"
#include "sample_time.h"
#include "store.h"

#define HEADER                                                                                     \
    " num     #instances         #bytes  class name (module)\n"                                    \
    "-------------------------------------------------------\n"
#define TOTAL "Total            40            800\n"

/* --- what a JVM printed ------------------------------------------------------------------ */
static void histograms_of_a_jvm_become_sessions_and_samples(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_succeed(&t, KB_IMPORT_JMAP, import_fixture("jmap"));
    assert_string_equal(t.problems, "");
    assert_string_equal(t.notes, "");
    assert_string_equal(trial_events(&t), "");
    assert_string_equal(trial_sessions(&t), "");
    kb_corpus *corpus = trial_load(&t);
    const kb_store *store = kb_corpus_store(corpus);
    assert_int_equal(kb_corpus_sessions(corpus), 2);
    assert_int_equal(t.result.sessions, 2);
    assert_int_equal(t.result.objects, kb_store_objects(store));
    assert_int_equal(t.result.readings, kb_corpus_rows(corpus));
    size_t leak = kb_store_find_session(store, "leak");
    assert_int_not_equal(leak, SIZE_MAX);
    assert_int_equal(kb_store_length(store, leak), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(kb_store_time(store, leak, i).whole, 10 * (i + 1));
        assert_int_equal(kb_store_time(store, leak, i).atto, 0);
    }
    assert_true(trial_value(corpus, "leak", 0, "Leak$Bitmap") == 17600);
    assert_true(trial_value(corpus, "leak", 1, "Leak$Bitmap") == 52800);
    assert_true(trial_value(corpus, "leak", 1, "[B") == 426704);
    assert_true(trial_value(corpus, "steady", 2, "Leak$Bitmap") == 88000);
    assert_true(trial_value(corpus, "steady", 2, "Leak$Listener") == 8000);
    kb_corpus_free(corpus);
    trial_end(&t);
}

/* Two loaders have loaded it: 200 and 100 instances of 16 bytes. */
static void a_class_of_two_loaders_is_one_object(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_succeed(&t, KB_IMPORT_JMAP, import_fixture("jmap"));
    kb_corpus *corpus = trial_load(&t);
    for (size_t i = 0; i < 3; i++)
        assert_true(trial_value(corpus, "leak", i, "Plugin") == 4800);
    kb_corpus_free(corpus);
    trial_end(&t);
}

static void a_hidden_class_is_the_same_object_in_every_run(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_succeed(&t, KB_IMPORT_JMAP, import_fixture("jmap"));
    kb_corpus *corpus = trial_load(&t);
    assert_true(trial_value(corpus, "leak", 1, "Leak$$Lambda$1") == 528);
    assert_true(trial_value(corpus, "steady", 1, "Leak$$Lambda$1") == 544);
    const kb_store *store = kb_corpus_store(corpus);
    for (size_t o = 0; o < kb_store_objects(store); o++)
        assert_null(strstr(kb_store_object_name(store, o), "/0x"));
    kb_corpus_free(corpus);
    trial_end(&t);
}

static void instances_can_be_the_reading(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    t.options.value = KB_JMAP_INSTANCES;
    trial_succeed(&t, KB_IMPORT_JMAP, import_fixture("jmap"));
    kb_corpus *corpus = trial_load(&t);
    assert_true(trial_value(corpus, "leak", 1, "Leak$Bitmap") == 3300);
    assert_true(trial_value(corpus, "leak", 1, "Plugin") == 300);
    kb_corpus_free(corpus);
    trial_end(&t);
}

static void the_output_of_jcmd_is_read(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_succeed(&t, KB_IMPORT_JMAP, import_fixture("jcmd/histo-0030.txt"));
    assert_string_equal(t.problems, "");
    kb_corpus *corpus = trial_load(&t);
    assert_true(trial_value(corpus, "histo-0030", 0, "Plugin") == 4800);
    assert_true(trial_value(corpus, "histo-0030", 0, "[B") == 426704);
    kb_corpus_free(corpus);
    trial_end(&t);
}

static void histograms_of_jdk_8_are_read(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/1.txt",
              "\n num     #instances         #bytes  class name\n"
              "----------------------------------------------\n"
              "   1:         10        1000  [C\n"
              "   2:          2          32  com.example.App$$Lambda$1/1831932724\n"
              "   3:          1          24  [Lcom.example.App$$Lambda$7/558638686;\n" TOTAL);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "");
    assert_string_equal(trial_metrics(&t), "run,1,[C,1000\n"
                                           "run,1,com.example.App$$Lambda$1,32\n"
                                           "run,1,[Lcom.example.App$$Lambda$7;,24\n");
    trial_end(&t);
}

static void only_addresses_are_taken_from_a_name(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/1.txt",
              HEADER "   1:  1  8  a.B$$Lambda/0x00007f0123abcdef (java.base@21)\n"
                     "   2:  1  8  a.B$$Lambda+0x00007f0123abcd00\n"
                     "   3:  1  8  a/0xZZ\n"
                     "   4:  1  8  a/b\n"
                     "   5:  1  8  a+12\n"
                     "   6:  1  8  a/\n"
                     "   7:  1  8  a/0x\n");
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(trial_metrics(&t), "run,1,a.B$$Lambda,16\nrun,1,a/0xZZ,8\nrun,1,a/b,8\n"
                                           "run,1,a+12,8\nrun,1,a/,8\nrun,1,a/0x,8\n");
    trial_end(&t);
}

/* --- which files are what ---------------------------------------------------------------- */
static void files_in_the_folder_itself_are_one_session(void **state)
{
    (void)state;
    trial t;
    char names[4][600], metrics[600];
    trial_begin(&t);
    trial_put(&t, "h-2.txt", HEADER "   1:  1  8  A\n");
    trial_put(&t, "h-10.txt", HEADER "   1:  2  16  A\n");
    trial_put(&t, "other/h-1.txt", HEADER "   1:  3  24  A\n");
    trial_put(&t, ".hidden", "nothing");
    snprintf(names[0], sizeof names[0], "%s", t.in);
    snprintf(names[1], sizeof names[1], "%s//", t.in);
    snprintf(names[2], sizeof names[2], "%s/other/..", t.in);
    snprintf(names[3], sizeof names[3], "%s/link", t.folder);
    assert_int_equal(symlink(t.in, names[3]), 0);
    for (size_t i = 0; i < 4; i++) {
        trial_succeed(&t, KB_IMPORT_JMAP, names[i]);
        assert_string_equal(t.problems, "");
        assert_string_equal(trial_metrics(&t), i == 3 ? "link,10,A,16\nlink,2,A,8\nother,1,A,24\n"
                                                      : "in,10,A,16\nin,2,A,8\nother,1,A,24\n");
        snprintf(metrics, sizeof metrics, "%s/metrics.csv.gz", t.out);
        assert_int_equal(unlink(metrics), 0);
    }
    trial_end(&t);
}

static void one_file_is_a_session_of_one_sample(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "crash.histo.txt.gz", HEADER "   1:  1  8  A\n");
    trial_succeed(&t, KB_IMPORT_JMAP, trial_path(&t, "crash.histo.txt.gz"));
    assert_string_equal(trial_metrics(&t), "crash.histo,0,A,8\n");
    assert_string_equal(t.notes, "");
    trial_end(&t);
}

static void what_is_no_sample_in_a_folder_is_told(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/1.txt", HEADER "   1:  1  8  A\n");
    trial_put(&t, "run/more/2.txt", HEADER "   1:  1  8  A\n");
    assert_int_equal(mkfifo(trial_path(&t, "run/pipe"), 0600), 0);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/more: a folder inside of a session's folder\n"
                                    "run/pipe: not a regular file\n");
    assert_string_equal(trial_metrics(&t), "run,1,A,8\n");
    trial_end(&t);
}

static void two_sessions_of_one_name_are_refused(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "1.txt", HEADER "   1:  1  8  A\n");
    trial_put(&t, "in/1.txt", HEADER "   1:  1  8  A\n");
    trial_refused(&t, KB_IMPORT_JMAP, NULL, "'in' would be one session");
    trial_end(&t);
}

static void folders_with_nothing_are_refused(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_refused(&t, KB_IMPORT_JMAP, NULL, "no usable reading");
    assert_non_null(strstr(t.err.text, t.in));
    assert_int_equal(mkdir(trial_path(&t, "empty"), 0777), 0);
    trial_refused(&t, KB_IMPORT_JMAP, NULL, "no usable reading");
    assert_int_equal(trial_import(&t, KB_IMPORT_JMAP, trial_path(&t, "missing")), KB_ERR_IO);
    assert_non_null(strstr(t.err.text, "missing"));
    assert_true(trial_nothing(&t));
    trial_end(&t);
}

/* --- bad files --------------------------------------------------------------------------- */
static void bad_lines_are_told_with_their_numbers(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/1.txt",
              "12345:\nPicked up JAVA_TOOL_OPTIONS: -Xmx1g\n" HEADER "   1:  1  8  A\n"
              "   2:  x  8  B\n"
              "   3:  1  8x  C\n"
              "   4:  1  8\n"
              "   5:  1  8   \n"
              "   6:  99999999999999999999  8  D\n"
              "   7:  1  -8  E\n"
              "   8:  1  8  \xFF\n"
              "some words\n\n"
              "   9:  1  8  F (java.base@17)\r\n" TOTAL "more words\n");
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/1.txt:6: no number of instances\n"
                                    "run/1.txt:7: no number of bytes\n"
                                    "run/1.txt:8: no name of a class\n"
                                    "run/1.txt:9: no name of a class\n"
                                    "run/1.txt:10: a number beyond 64 bits\n"
                                    "run/1.txt:11: no number of bytes\n"
                                    "run/1.txt:12: class is not UTF-8\n"
                                    "run/1.txt:13: not a line of a class histogram\n"
                                    "run/1.txt:17: not a line of a class histogram\n");
    assert_int_equal(t.result.left_out, 9);
    assert_string_equal(trial_metrics(&t), "run,1,A,8\nrun,1,F,8\n");
    trial_end(&t);
}

static void odd_class_names_are_told_or_kept(void **state)
{
    (void)state;
    trial t;
    char text[12000], name[4098];
    memset(name, 'x', 4097);
    name[4097] = '\0';
    trial_begin(&t);
    int n = snprintf(text, sizeof text,
                     HEADER "   1:  1  8  %s\n   2:  1  8  %s\n   3:  1  8  a,b\n"
                            "   4:  1  8  N",
                     name, name + 1);
    memcpy(text + n, "\0ul\n", 5);
    trial_put_bytes(&t, "run/1.txt", text, (size_t)n + 4);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/1.txt:3: class longer than 4096 bytes\n"
                                    "run/1.txt:6: class with a NUL character\n");
    kb_corpus *corpus = trial_load(&t);
    assert_true(trial_value(corpus, "run", 0, name + 1) == 8);
    assert_true(trial_value(corpus, "run", 0, "a,b") == 8);
    kb_corpus_free(corpus);
    trial_end(&t);
}

static void a_file_without_a_histogram_is_told(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/1.txt", HEADER "   1:  1  8  A\n");
    trial_put(&t, "run/2.txt", "");
    trial_put(&t, "run/3.txt", "Dear diary,\nnothing happened.\n");
    trial_put(&t, "run/4.txt", "4711: Unable to open socket file\n");
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/2.txt: no class histogram in it\n"
                                    "run/3.txt: no class histogram in it\n"
                                    "run/4.txt:1: no number of instances\n");
    assert_string_equal(trial_metrics(&t), "run,1,A,8\n");
    trial_end(&t);
}

static void a_second_histogram_in_a_file_is_told_and_left_out(void **state)
{
    (void)state;
    static const char *const seconds[] = {HEADER "   1:  1  80  A\n" TOTAL, "   1:  1  80  A\n"};
    for (size_t i = 0; i < 2; i++) {
        trial t;
        char text[1000];
        trial_begin(&t);
        snprintf(text, sizeof text, "%s   1:  1  8  A\n%s%s", HEADER, TOTAL, seconds[i]);
        trial_put(&t, "run/1.txt", text);
        trial_succeed(&t, KB_IMPORT_JMAP, NULL);
        assert_string_equal(t.problems, "run/1.txt:5: a second histogram begins, but a file is one "
                                        "sample: the rest is left out\n");
        assert_string_equal(trial_metrics(&t), "run,1,A,8\n");
        trial_end(&t);
    }
}

static void a_sum_beyond_64_bits_is_told(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/1.txt",
              HEADER "   1:  1  18446744073709551615  A\n   2:  1  1  A\n   3:  1  1  B\n");
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/1.txt:4: the sum for this class is beyond 64 bits\n");
    assert_non_null(strstr(trial_metrics(&t), "run,1,B,1\n"));
    trial_end(&t);
}

static void a_truncated_file_keeps_its_whole_lines(void **state)
{
    (void)state;
    trial t;
    char text[20000] = HEADER;
    for (int i = 0; i < 300; i++)
        sprintf(text + strlen(text), "%4d:  %d  %d  class%d\n", i + 1, i * 7919 % 1000, 8 + i, i);
    trial_begin(&t);
    trial_put(&t, "run/1.txt.gz", text);
    trial_put(&t, "run/2.txt", HEADER "   1:  1  8  A\n");
    trial_cut(&t, "run/1.txt.gz", 1200);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/1.txt.gz: truncated: the gzip data end early\n");
    assert_int_equal(t.result.damaged, 1);
    assert_int_equal(t.result.left_out, 0);
    assert_true(t.result.readings > 10 && t.result.readings < 300);
    assert_non_null(strstr(trial_metrics(&t), "run,2,A,8\n"));
    trial_end(&t);
}

static void standard_input_is_refused(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    assert_int_equal(trial_import(&t, KB_IMPORT_JMAP, "-"), KB_ERR_USAGE);
    assert_non_null(strstr(t.err.text, "standard input"));
    assert_true(trial_nothing(&t));
    trial_end(&t);
}

static void damage_at_random_does_no_harm(void **state)
{
    (void)state;
    char text[8192];
    FILE *file = fopen(import_fixture("jmap/leak/histo-0010.txt"), "rb");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_true(length > 1000 && length < sizeof text);
    trial_damage(KB_IMPORT_JMAP, "run/1.txt", NULL, text, length, 300);
}

/* --- times ------------------------------------------------------------------------------- */
static void times_come_from_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *time;
    } cases[] = {
        {"histo-0012.txt", "12"},
        {"1700000000.5.txt", "1700000000.5"},
        {"7", "7"},
        {"histo.001", "1"},
        {"h3.txt.gz", "3"},
        {"h2-at-15s.log", "15"},
        {"host9-heap", "9"},
        {"v1.2.3", "2.3"},
        {"0.50", "0.5"},
        {".5", "5"},
        {"20260501100000", "20260501100000"},
        {"2026-05-01.txt", "2026-05-01"},
        {"heap-2026-05-01T10:00:00Z.txt", "2026-05-01T10:00:00Z"},
        {"heap-2026-05-01T10-00-00Z.txt", "2026-05-01T10:00:00Z"},
        {"2026-05-01T10-00-00.250Z", "2026-05-01T10:00:00.250Z"},
        {"2026-05-01_10-00-07.txt.gz", "2026-05-01T10:00:07"},
        {"2026-05-01 10:00.txt", "2026-05-01T10:00"},
        {"2026-05-01T10:00:00+02:00.txt", "2026-05-01T10:00:00+02:00"},
        {"2026-05-01T10-00-00+0200.txt", "2026-05-01T10:00:00+0200"},
        {"2026-05-01T10:00:00-05:00.txt", "2026-05-01T10:00:00-05:00"},
        {"2026-05-01T10-00-00-0001.txt", "2026-05-01T10:00:00"},
        {"pid4711-2026-05-01T10-00-00-3.txt", "2026-05-01T10:00:00"},
        {"2026-13-01.txt", "1"}, /* no date */
        {"2026-05-012.txt", "12"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char times[1][KB_SAMPLE_TIME_ROOM];
        if (!kb_sample_times(times, &cases[i].name, 1))
            fail_msg("%s: no time", cases[i].name);
        if (strcmp(times[0], cases[i].time) != 0)
            fail_msg("%s: %s, not %s", cases[i].name, times[0], cases[i].time);
    }
}

static void names_without_times_of_one_kind_tell_none(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"a1", "b", "c3"},                          /* one has none */
        {"a1", "b01", "c3"},                        /* two are the same */
        {"1", "1.0", "2"},                          /* likewise */
        {"99999999999999999999999", "1", "2"},      /* out of range */
        {"2026-05-01", "2026-06-01", "2026-07-x1"}, /* the last has no date; numbers are the same */
        {"txt", "a.b", "c"},
    };
    char times[3][KB_SAMPLE_TIME_ROOM];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (kb_sample_times(times, cases[i], 3))
            fail_msg("%s: %s %s %s", cases[i][0], times[0], times[1], times[2]);
}

static void samples_without_times_are_numbered_and_noted(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/after", HEADER "   1:  2  16  A\n");
    trial_put(&t, "run/before", HEADER "   1:  1  8  A\n");
    trial_put(&t, "timed/5", HEADER "   1:  3  24  A\n");
    trial_put(&t, "single/only", HEADER "   1:  4  32  A\n");
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(trial_metrics(&t), "run,0,A,16\nrun,1,A,8\nsingle,0,A,32\ntimed,5,A,24\n");
    assert_string_equal(t.notes, "1 session: the names of the files do not tell their times; "
                                 "samples are numbered in the order of names\n");
    assert_string_equal(t.problems, "");
    trial_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histograms_of_a_jvm_become_sessions_and_samples),
        cmocka_unit_test(a_class_of_two_loaders_is_one_object),
        cmocka_unit_test(a_hidden_class_is_the_same_object_in_every_run),
        cmocka_unit_test(instances_can_be_the_reading),
        cmocka_unit_test(the_output_of_jcmd_is_read),
        cmocka_unit_test(histograms_of_jdk_8_are_read),
        cmocka_unit_test(only_addresses_are_taken_from_a_name),
        cmocka_unit_test(files_in_the_folder_itself_are_one_session),
        cmocka_unit_test(one_file_is_a_session_of_one_sample),
        cmocka_unit_test(what_is_no_sample_in_a_folder_is_told),
        cmocka_unit_test(two_sessions_of_one_name_are_refused),
        cmocka_unit_test(folders_with_nothing_are_refused),
        cmocka_unit_test(bad_lines_are_told_with_their_numbers),
        cmocka_unit_test(odd_class_names_are_told_or_kept),
        cmocka_unit_test(a_file_without_a_histogram_is_told),
        cmocka_unit_test(a_second_histogram_in_a_file_is_told_and_left_out),
        cmocka_unit_test(a_sum_beyond_64_bits_is_told),
        cmocka_unit_test(a_truncated_file_keeps_its_whole_lines),
        cmocka_unit_test(standard_input_is_refused),
        cmocka_unit_test(damage_at_random_does_no_harm),
        cmocka_unit_test(times_come_from_names),
        cmocka_unit_test(names_without_times_of_one_kind_tell_none),
        cmocka_unit_test(samples_without_times_are_numbered_and_noted),
    };
    return cmocka_run_group_tests_name("import_jmap", tests, NULL, NULL);
}
