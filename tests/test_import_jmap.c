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
                     "   7:  1  8  a/0x\n" TOTAL);
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
    trial_put(&t, "h-2.txt", HEADER "   1:  1  8  A\n" TOTAL);
    trial_put(&t, "h-10.txt", HEADER "   1:  2  16  A\n" TOTAL);
    trial_put(&t, "other/h-1.txt", HEADER "   1:  3  24  A\n" TOTAL);
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
    trial_put(&t, "crash.histo.txt.gz", HEADER "   1:  1  8  A\n" TOTAL);
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
    trial_put(&t, "run/1.txt", HEADER "   1:  1  8  A\n" TOTAL);
    trial_put(&t, "run/more/2.txt", HEADER "   1:  1  8  A\n" TOTAL);
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
    trial_put(&t, "1.txt", HEADER "   1:  1  8  A\n" TOTAL);
    trial_put(&t, "in/1.txt", HEADER "   1:  1  8  A\n" TOTAL);
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
    assert_int_equal(t.result.left_out, 8); /* behind the end there are no rows to lose */
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
    memcpy(text + n, "\0ul\n" TOTAL, 4 + strlen(TOTAL));
    trial_put_bytes(&t, "run/1.txt", text, (size_t)n + 4 + strlen(TOTAL));
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/1.txt:3: class longer than 4096 bytes\n"
                                    "run/1.txt:6: class with a NUL character\n");
    kb_corpus *corpus = trial_load(&t);
    assert_true(trial_value(corpus, "run", 0, name + 1) == 8);
    assert_true(trial_value(corpus, "run", 0, "a,b") == 8);
    kb_corpus_free(corpus);
    trial_end(&t);
}

static void a_file_without_a_histogram_is_damage(void **state)
{
    (void)state;
    trial t;
    static const char binary[] = "\x7F"
                                 "ELF\0\x01\n  7: 1 8\n";
    trial_begin(&t);
    trial_put(&t, "run/1.txt", HEADER "   1:  1  8  A\n" TOTAL);
    trial_put(&t, "run/2.txt", "");
    trial_put(&t, "run/3.txt", "\n \nDear diary,\nnothing happened.\n");
    trial_put(&t, "run/4.txt", "6722: No such process\n");
    trial_put(&t, "run/5.txt",
              "4711:\ncom.sun.tools.attach.AttachNotSupportedException: Unable to open socket "
              "file /proc/4711/root/tmp/.java_pid4711: target process 4711 doesn't respond within "
              "10500ms\n\tat jdk.attach/sun.tools.attach.VirtualMachineImpl.<init>\n");
    trial_put_bytes(&t, "run/6.hprof", binary, sizeof binary - 1);
    trial_put(&t, "run/7.txt", "\n\n");
    trial_put(&t, "run/8.txt", "Total of nothing\n---\n");
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(
        t.problems,
        "run/2.txt: empty: no class histogram in it\n"
        "run/3.txt: no class histogram in it, but 'Dear diary,'\n"
        "run/4.txt: no class histogram in it, but '6722: No such process'\n"
        "run/5.txt: no class histogram in it, but 'com.sun.tools.attach."
        "AttachNotSupportedException: Unable to open socket file /proc/4711/root/tmp/.java_pid4711"
        ": target p...'\n"
        "run/6.hprof: no class histogram in it\n"
        "run/7.txt: no class histogram in it\n"
        "run/8.txt: no class histogram in it, but 'Total of nothing'\n");
    assert_int_equal(t.result.damaged, 7);
    assert_int_equal(t.result.left_out, 0);
    assert_string_equal(trial_metrics(&t), "run,1,A,8\n");
    trial_end(&t);
}

static void a_folder_of_no_histograms_says_what_is_there(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/1.txt", "6722: No such process\n");
    trial_put(&t, "run/2.txt", "");
    trial_refused(&t, KB_IMPORT_JMAP, NULL,
                  "run/1.txt: no class histogram in it, but '6722: No such process'");
    trial_end(&t);
}

/* However much of it is there: only with the line Total it is all there. */
static void a_histogram_without_its_total_is_left_out(void **state)
{
    (void)state;
    static const char text[] = HEADER "   1:  1  8  A\n   2:  1  8  B\n" TOTAL;
    size_t whole = sizeof text - 1 - strlen(TOTAL) + strlen("Total ");
    for (size_t cut = strlen(HEADER); cut < sizeof text; cut++) {
        trial t;
        trial_begin(&t);
        trial_put_bytes(&t, "run/1.txt", text, cut);
        trial_put(&t, "run/2.txt", HEADER "   1:  1  80  A\n" TOTAL);
        trial_succeed(&t, KB_IMPORT_JMAP, NULL);
        assert_int_equal(t.result.damaged, cut < whole);
        assert_string_equal(trial_metrics(&t),
                            cut < whole ? "run,2,A,80\n" : "run,1,A,8\nrun,1,B,8\nrun,2,A,80\n");
        if (cut < whole)
            assert_non_null(strstr(t.problems, "the histogram breaks off before its line Total and "
                                               "is left out\n"));
        trial_end(&t);
    }
}

static void where_a_histogram_breaks_off_is_told(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/1.txt", "4711:\n" HEADER "   1:  1  8  A\n   2:  1  8  B\n");
    trial_put(&t, "run/2.txt", HEADER "   1:  1  80  A\n" TOTAL);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/1.txt:5: the histogram breaks off before its line Total "
                                    "and is left out\n");
    assert_int_equal(t.result.damaged, 1);
    assert_int_equal(t.result.left_out, 0);
    assert_string_equal(trial_metrics(&t), "run,2,A,80\n");
    trial_end(&t);
}

/* --- several in a file ------------------------------------------------------------------- */
static void a_second_histogram_among_timed_files_is_told_and_left_out(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/1.txt",
              HEADER "   1:  1  8  A\n" TOTAL HEADER "   1:  1  80  A\n" TOTAL HEADER TOTAL);
    trial_put(&t, "run/2.txt", HEADER "   1:  1  9  A\n" TOTAL);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/1.txt:5: a second histogram begins, but a file is one "
                                    "sample: the rest is left out\n");
    assert_int_equal(t.result.damaged, 0);
    assert_string_equal(trial_metrics(&t), "run,1,A,8\nrun,2,A,9\n");
    assert_string_equal(t.notes, "");
    trial_end(&t);
}

static void rows_behind_a_total_are_told_and_left_out(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/1.txt", HEADER "   1:  1  8  A\n" TOTAL "   1:  1  80  A\n" TOTAL);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/1.txt:5: a second histogram begins, but a file is one "
                                    "sample: the rest is left out\n");
    assert_string_equal(trial_metrics(&t), "run,1,A,8\n");
    trial_end(&t);
}

/* "jmap -histo PID >> FILE": other files of the session hold none. */
static void the_histograms_of_one_file_are_samples_in_their_order(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/2026-05-01.txt",
              HEADER "   1:  1  8  A\n" TOTAL HEADER "   1:  2  16  A\n" TOTAL "\n" HEADER
                     "   1:  3  24  A\n   2:  1  8  B\n" TOTAL);
    trial_put(&t, "run/README", "made by a script\n");
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/README: no class histogram in it, but 'made by a "
                                    "script'\n");
    assert_string_equal(trial_metrics(&t), "run,0,A,8\nrun,1,A,16\nrun,2,A,24\nrun,2,B,8\n");
    assert_string_equal(t.notes, "session 'run': '2026-05-01.txt' holds 3 histograms; they are "
                                 "numbered in their order\n");
    trial_end(&t);
}

/* As a JVM printed them, one behind the other, until it was gone. */
static void what_is_said_between_histograms_is_no_row(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run.txt",
              "26140:\n" HEADER "   1:  1  8  A\n" TOTAL "26140:\n" HEADER "   1:  2  16  A\n" TOTAL
              "26140:\njava.io.IOException: No such process\n\tat jdk.attach/sun.tools.attach\n"
              "\tat jdk.jcmd/sun.tools.jcmd\n6722: No such process\n");
    trial_succeed(&t, KB_IMPORT_JMAP, trial_path(&t, "run.txt"));
    assert_non_null(strstr(t.problems, "run.txt:12: not a line of a class histogram\n"));
    assert_int_equal(t.result.problems, 1);
    assert_int_equal(t.result.left_out, 0);
    assert_string_equal(trial_metrics(&t), "run,0,A,8\nrun,1,A,16\n");
    trial_end(&t);
}

/* Within a line, between two lines, and at the end. */
static void one_of_several_that_breaks_off_is_left_out(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/all.txt",
              HEADER "   1:  1  8  A\n" TOTAL HEADER "   1:  9  99  A\n   2:" HEADER
                     "   1:  2  16  A\n" TOTAL HEADER "   1:  9  99  A\n" HEADER
                     "   1:  3  24  A\n" TOTAL HEADER "   1:  9  99  A\n");
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/all.txt:8: a histogram begins before the line Total of "
                                    "the last one, which is left out\n"
                                    "run/all.txt:15: a histogram begins before the line Total of "
                                    "the last one, which is left out\n"
                                    "run/all.txt:21: the histogram breaks off before its line "
                                    "Total and is left out\n");
    assert_int_equal(t.result.damaged, 1);
    assert_string_equal(trial_metrics(&t), "run,0,A,8\nrun,1,A,16\nrun,2,A,24\n");
    trial_end(&t);
}

/* Without a header only the numbers tell. */
static void a_row_1_begins_another_histogram(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/7.txt",
              "   1:  9  99  A\n   2:  9  99  B\n   1:  1  8  A\n   2:  1  8  C\n" TOTAL);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/7.txt:3: a histogram begins before the line Total of the "
                                    "last one, which is left out\n");
    assert_int_equal(t.result.damaged, 1);
    assert_string_equal(trial_metrics(&t), "run,7,A,8\nrun,7,C,8\n");
    trial_end(&t);
}

static void a_sum_beyond_64_bits_is_told(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/1.txt",
              HEADER "   1:  1  18446744073709551615  A\n   2:  1  1  A\n   3:  1  1  B\n" TOTAL);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/1.txt:4: the sum for this class is beyond 64 bits\n");
    assert_non_null(strstr(trial_metrics(&t), "run,1,B,1\n"));
    trial_end(&t);
}

static void a_truncated_gzip_file_is_told_once_and_left_out(void **state)
{
    (void)state;
    trial t;
    char text[20000] = HEADER;
    for (int i = 0; i < 300; i++)
        sprintf(text + strlen(text), "%4d:  %d  %d  class%d\n", i + 1, i * 7919 % 1000, 8 + i, i);
    trial_begin(&t);
    trial_put(&t, "run/1.txt.gz", strcat(text, TOTAL));
    trial_put(&t, "run/2.txt", HEADER "   1:  1  8  A\n" TOTAL);
    trial_cut(&t, "run/1.txt.gz", 1200);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.problems, "run/1.txt.gz: truncated: the gzip data end early\n");
    assert_int_equal(t.result.damaged, 1);
    assert_int_equal(t.result.left_out, 0);
    assert_string_equal(trial_metrics(&t), "run,2,A,8\n");
    trial_end(&t);
}

/* What came before the damage is there with its end. */
static void a_whole_histogram_before_the_damage_is_kept(void **state)
{
    (void)state;
    trial t;
    char text[40000] = HEADER;
    for (int i = 0; i < 300; i++)
        sprintf(text + strlen(text), "%4d:  %d  %d  class%d\n", i + 1, i * 7919 % 1000, 8 + i, i);
    strcat(text, TOTAL);
    for (int i = 0; i < 300; i++)
        sprintf(text + strlen(text), "%d\n", i * 7919 % 1000);
    trial_begin(&t);
    trial_put(&t, "run/1.txt.gz", text);
    struct stat about;
    assert_int_equal(stat(trial_path(&t, "run/1.txt.gz"), &about), 0);
    trial_cut(&t, "run/1.txt.gz", (long)about.st_size - 40);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_non_null(strstr(t.problems, "run/1.txt.gz: truncated: the gzip data end early\n"));
    assert_int_equal(t.result.damaged, 1);
    assert_int_equal(t.result.readings, 300);
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
        kb_sample_fault fault;
        if (!kb_sample_times(times, &cases[i].name, 1, &fault))
            fail_msg("%s: no time", cases[i].name);
        if (strcmp(times[0], cases[i].time) != 0)
            fail_msg("%s: %s, not %s", cases[i].name, times[0], cases[i].time);
    }
}

static void names_without_times_of_one_kind_tell_none(void **state)
{
    (void)state;
    static const struct {
        const char *names[3];
        kb_sample_fault fault;
    } cases[] = {
        {{"a1", "b", "c3"}, {1, false}},                          /* one has none */
        {{"a1", "b01", "c3"}, {1, true}},                         /* two are the same */
        {{"2", "1", "1.0"}, {2, true}},                           /* likewise */
        {{"99999999999999999999999", "1", "2"}, {0, false}},      /* out of range */
        {{"2026-05-01", "2026-06-01", "2026-07-x1"}, {2, false}}, /* numbers are the same */
        {{"2026-05-01", "b", "c"}, {1, false}},
        {{"txt", "a.b", "c"}, {0, false}},
    };
    char times[3][KB_SAMPLE_TIME_ROOM];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kb_sample_fault fault = {9, false};
        if (kb_sample_times(times, cases[i].names, 3, &fault))
            fail_msg("%s: %s %s %s", cases[i].names[0], times[0], times[1], times[2]);
        assert_int_equal(fault.name, cases[i].fault.name);
        assert_int_equal(fault.same, cases[i].fault.same);
    }
}

static void samples_without_times_are_numbered_and_noted(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/after", HEADER "   1:  2  16  A\n" TOTAL);
    trial_put(&t, "run/before", HEADER "   1:  1  8  A\n" TOTAL);
    trial_put(&t, "timed/5", HEADER "   1:  3  24  A\n" TOTAL);
    trial_put(&t, "single/only", HEADER "   1:  4  32  A\n" TOTAL);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(trial_metrics(&t), "run,0,A,16\nrun,1,A,8\nsingle,0,A,32\ntimed,5,A,24\n");
    assert_string_equal(t.notes, "session 'run': no time in the name of 'after'; its samples are "
                                 "numbered in the order of names\n");
    assert_string_equal(t.problems, "");
    trial_put(&t, "twice/a1", HEADER "   1:  4  32  A\n" TOTAL);
    trial_put(&t, "twice/b1", HEADER "   1:  4  32  A\n" TOTAL);
    trial_put(&t, "early/all", HEADER TOTAL HEADER TOTAL);
    snprintf(t.out, sizeof t.out, "%s/again", t.folder);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.notes, "session 'early': 'all' holds 2 histograms; they are numbered in "
                                 "their order; so are those of 2 other sessions\n");
    trial_end(&t);
}

static void files_with_the_same_time_are_noted(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "run/a1", HEADER "   1:  2  16  A\n" TOTAL);
    trial_put(&t, "run/b01", HEADER "   1:  1  8  A\n" TOTAL);
    trial_succeed(&t, KB_IMPORT_JMAP, NULL);
    assert_string_equal(t.notes, "session 'run': another file's time in the name of 'b01'; its "
                                 "samples are numbered in the order of names\n");
    assert_string_equal(trial_metrics(&t), "run,0,A,16\nrun,1,A,8\n");
    trial_end(&t);
}

/* Its name has no time, the same as another's, or a time of another kind. */
static void a_stray_file_does_not_change_the_times_of_others(void **state)
{
    (void)state;
    static const char *const names[] = {"run/notes", "run/h-05.log", "run/README.1"};
    static const char *const texts[] = {"", "6722: No such process\n",
                                        HEADER "   1:  1  8  B\n   2:"};
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            trial t;
            trial_begin(&t);
            trial_put(&t, "run/h-5.txt", HEADER "   1:  1  8  A\n" TOTAL);
            trial_put(&t, "run/h-10.txt", HEADER "   1:  2  16  A\n" TOTAL);
            trial_put(&t, names[i], texts[j]);
            trial_succeed(&t, KB_IMPORT_JMAP, NULL);
            assert_string_equal(trial_metrics(&t), "run,10,A,16\nrun,5,A,8\n");
            assert_string_equal(t.notes, "");
            assert_int_equal(t.result.damaged, 1);
            trial_end(&t);
        }
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
        cmocka_unit_test(a_file_without_a_histogram_is_damage),
        cmocka_unit_test(a_folder_of_no_histograms_says_what_is_there),
        cmocka_unit_test(a_histogram_without_its_total_is_left_out),
        cmocka_unit_test(where_a_histogram_breaks_off_is_told),
        cmocka_unit_test(a_second_histogram_among_timed_files_is_told_and_left_out),
        cmocka_unit_test(rows_behind_a_total_are_told_and_left_out),
        cmocka_unit_test(the_histograms_of_one_file_are_samples_in_their_order),
        cmocka_unit_test(what_is_said_between_histograms_is_no_row),
        cmocka_unit_test(one_of_several_that_breaks_off_is_left_out),
        cmocka_unit_test(a_row_1_begins_another_histogram),
        cmocka_unit_test(a_sum_beyond_64_bits_is_told),
        cmocka_unit_test(a_truncated_gzip_file_is_told_once_and_left_out),
        cmocka_unit_test(a_whole_histogram_before_the_damage_is_kept),
        cmocka_unit_test(standard_input_is_refused),
        cmocka_unit_test(damage_at_random_does_no_harm),
        cmocka_unit_test(times_come_from_names),
        cmocka_unit_test(names_without_times_of_one_kind_tell_none),
        cmocka_unit_test(samples_without_times_are_numbered_and_noted),
        cmocka_unit_test(files_with_the_same_time_are_noted),
        cmocka_unit_test(a_stray_file_does_not_change_the_times_of_others),
    };
    return cmocka_run_group_tests_name("import_jmap", tests, NULL, NULL);
}
