/* corpus: a folder, a file or standard input; sessions.csv; what is wrong with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "corpus.h"
#include "corpus_files.h"
#include "corpus_text.h"

#define HEADER "session,time,object,value\n"

static kb_corpus *load(const char *path)
{
    kb_corpus *corpus;
    kb_error err;
    if (kb_corpus_load(&corpus, path, NULL, NULL, &err) != KB_OK)
        fail_msg("%s", err.text);
    return corpus;
}

static kb_status load_error(const char *path, bool strict, kb_error *err)
{
    kb_corpus_options options = kb_corpus_defaults();
    options.strict = strict;
    kb_corpus *corpus;
    kb_status status = kb_corpus_load(&corpus, path, &options, NULL, err);
    assert_int_not_equal(status, KB_OK);
    assert_null(corpus);
    return status;
}

static const kb_session *session(const kb_corpus *corpus, const char *name)
{
    size_t id = kb_store_find_session(kb_corpus_store(corpus), name);
    assert_int_not_equal(id, SIZE_MAX);
    return kb_corpus_session(corpus, id);
}

/* The first reading of the session's only series. */
static double reading(const kb_corpus *corpus, const char *name)
{
    const kb_store *store = kb_corpus_store(corpus);
    size_t id = kb_store_find_session(store, name);
    assert_int_equal(kb_store_series_count(store, id), 1);
    return (double)kb_store_series(store, id, 0).values[0];
}

static void shards_are_read_in_name_order_and_the_last_row_wins(void **state)
{
    (void)state;
    char folder[256], extra[512];
    make_folder(folder, sizeof folder);
    write_text(folder, "metrics-9.csv", HEADER "a,1,x,9\n");
    write_text(folder, "metrics-10.csv.gz", HEADER "a,1,x,10\nb,1,x,1\nb,1,x,2\n");
    write_text(folder, "metrics.csv", "value,object,note,time,session\n3,x,,1,c\n");
    write_text(folder, "metrics.txt", "not a table\n");
    write_text(folder, "other.csv", "not a table\n");
    kb_corpus *corpus = load(folder);
    assert_int_equal(kb_corpus_sessions(corpus), 3);
    assert_int_equal(kb_corpus_rows(corpus), 5);
    assert_true(reading(corpus, "a") == 9);
    assert_true(reading(corpus, "b") == 2);
    assert_true(reading(corpus, "c") == 3);
    assert_null(kb_corpus_events(corpus));
    assert_string_equal(kb_corpus_path(corpus), folder);
    kb_corpus_free(corpus);
    snprintf(extra, sizeof extra, "%s/", folder);
    kb_corpus_free(load(extra));
    remove_folder(folder);
}

static void a_list_of_files_is_sorted_and_selected(void **state)
{
    (void)state;
    char folder[256], expected[1024];
    static const char *const names[] = {"events-10.csv", "events-9.csv.gz", "events.csv"};
    make_folder(folder, sizeof folder);
    for (size_t i = 3; i-- > 0;)
        write_text(folder, names[i], "");
    write_text(folder, "events.csv.tmp", "");
    write_text(folder, "Events.csv", "");
    kb_paths paths;
    assert_int_equal(kb_paths_list(&paths, folder, "events", NULL), KB_OK);
    assert_int_equal(paths.count, 3);
    for (size_t i = 0; i < 3; i++) {
        snprintf(expected, sizeof expected, "%s/%s", folder, names[i]);
        assert_string_equal(paths.items[i], expected);
    }
    kb_paths_free(&paths);
    remove_folder(folder);
    kb_error err;
    assert_int_equal(kb_paths_list(&paths, folder, "events", &err), KB_ERR_IO);
}

static void sessions_csv_describes_sessions(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder, sizeof folder);
    write_text(folder, "metrics.csv", HEADER "a,1,x,1\nb,1,x,1\nd,1,x,1\nf,1,x,1\n");
    write_text(folder, "sessions.csv.gz",
               "label,session,split,user,version,more\n"
               "leak,a,validation,u1,1.2,\n"
               ",b,,,,\n"
               "leak,c,later,u1,2.0,\n"   /* without a row */
               "leak,d,testing,u1,2.0,\n" /* not a split: as if not listed */
               "other,a,train,u9,9.9,\n"  /* twice: the first one counts */
               ",,train,,,\n"             /* no name */
               "new,e,emerging,,,\n");
    kb_corpus *corpus = load(folder);
    assert_int_equal(kb_corpus_sessions(corpus), 6);
    const kb_session *s = session(corpus, "a");
    assert_string_equal(s->name, "a");
    assert_string_equal(s->user, "u1");
    assert_string_equal(s->version, "1.2");
    assert_string_equal(s->label, "leak");
    assert_int_equal(s->split, KB_SPLIT_VALIDATION);
    assert_true(s->has_rows);
    assert_int_equal(session(corpus, "b")->split, KB_SPLIT_TRAIN);
    assert_false(session(corpus, "c")->has_rows);
    assert_int_equal(session(corpus, "d")->split, KB_SPLIT_TRAIN);
    assert_string_equal(session(corpus, "d")->label, "");
    assert_int_equal(session(corpus, "e")->split, KB_SPLIT_EMERGING);
    assert_string_equal(session(corpus, "f")->user, "");
    size_t ids[6];
    assert_int_equal(kb_corpus_select(corpus, KB_SPLIT_TRAIN, ids), 3);
    assert_string_equal(kb_corpus_session(corpus, ids[1])->name, "d");
    assert_int_equal(kb_corpus_select(corpus, KB_SPLIT_LATER, ids), 1);
    const kb_problems *problems = kb_corpus_problems(corpus);
    assert_int_equal(kb_corpus_bad_rows(corpus), 3);
    assert_int_equal(kb_problems_get(problems, 0).line, 5);
    assert_non_null(strstr(kb_problems_get(problems, 0).reason, "split 'testing'"));
    assert_int_equal(kb_problems_get(problems, 1).line, 6);
    assert_non_null(strstr(kb_problems_get(problems, 1).reason, "listed twice"));
    assert_int_equal(kb_problems_get(problems, 2).line, 7);
    kb_corpus_free(corpus);
    remove_folder(folder);
}

static void splits_have_names(void **state)
{
    (void)state;
    kb_split split;
    for (int i = 0; i < KB_SPLITS; i++) {
        assert_true(kb_split_parse(&split, kb_split_name((kb_split)i)));
        assert_int_equal(split, i);
    }
    assert_false(kb_split_parse(&split, "Train"));
    assert_false(kb_split_parse(&split, ""));
}

static void one_file_or_standard_input_is_a_corpus(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder, sizeof folder);
    write_text(folder, "sessions.csv", "session,split\nlisted,train\n");
    const char *path = write_text(folder, "anything.txt", HEADER "a,1,x,4\n");
    kb_corpus *corpus = load(path);
    assert_int_equal(kb_corpus_sessions(corpus), 1);
    kb_corpus_free(corpus);
    int before = dup(STDIN_FILENO);
    assert_non_null(freopen(path, "r", stdin));
    corpus = load("-");
    dup2(before, STDIN_FILENO);
    close(before);
    assert_true(reading(corpus, "a") == 4);
    kb_corpus_free(corpus);
    remove_folder(folder);
}

struct heard {
    size_t count;
    char text[4096];
};

static void hear(void *ctx, const kb_problem *problem)
{
    struct heard *heard = ctx;
    size_t used = strlen(heard->text);
    heard->count++;
    snprintf(heard->text + used, sizeof heard->text - used, "%llu: %s\n",
             (unsigned long long)problem->line, problem->reason);
}

static void bad_rows_are_told_and_the_good_ones_kept(void **state)
{
    (void)state;
    struct heard heard = {0};
    kb_corpus_options options = kb_corpus_defaults();
    options.problem = (kb_problem_listener){hear, &heard};
    kb_corpus *corpus;
    assert_int_equal(kb_corpus_load(&corpus, fixture("bad-rows.csv"), &options, NULL, NULL), KB_OK);
    assert_string_equal(heard.text, "3: 3 fields, the header has 4\n"
                                    "4: 5 fields, the header has 4\n"
                                    "5: time 'x': neither a number nor ISO 8601\n"
                                    "6: value 'nan': not a number\n"
                                    "7: value '-4': negative\n"
                                    "8: empty session\n"
                                    "9: empty object\n"
                                    "10: value '1e999': larger than FLT_MAX\n"
                                    "11: a NUL byte\n"
                                    "12: not UTF-8\n"
                                    "13: not UTF-8\n"
                                    "14: time '': neither a number nor ISO 8601\n"
                                    "15: value ' 1': not a number\n"
                                    "16: value '0x10': not a number\n");
    assert_int_equal(kb_corpus_rows(corpus), 2);
    assert_int_equal(kb_corpus_bad_rows(corpus), 14);
    assert_int_equal(heard.count, 14);
    assert_int_equal(kb_store_objects(kb_corpus_store(corpus)), 1);
    kb_corpus_free(corpus);
    kb_error err;
    assert_int_equal(load_error(fixture("bad-rows.csv"), true, &err), KB_ERR_FORMAT);
    assert_non_null(strstr(err.text, "bad-rows.csv:3: "));
}

/* --- wide form */

static void write_trace(const char *folder, const char *name, const char *text)
{
    char traces[512];
    snprintf(traces, sizeof traces, "%s/traces", folder);
    mkdir(traces, 0700);
    write_text(traces, name, text);
}

static void remove_traces(const char *folder)
{
    char traces[512];
    snprintf(traces, sizeof traces, "%s/traces", folder);
    remove_folder(traces);
    remove_folder(folder);
}

static kb_corpus *load_hearing(const char *path, struct heard *heard)
{
    kb_corpus *corpus;
    kb_error err;
    kb_corpus_options options = kb_corpus_defaults();
    *heard = (struct heard){0};
    options.problem = (kb_problem_listener){hear, heard};
    if (kb_corpus_load(&corpus, path, &options, NULL, &err) != KB_OK)
        fail_msg("%s", err.text);
    return corpus;
}

static void expect_reading(const kb_corpus *corpus, const char *name, const char *object,
                           size_t step, double expected)
{
    const kb_store *store = kb_corpus_store(corpus);
    size_t session = kb_store_find_session(store, name), id = kb_store_find_object(store, object);
    kb_series series;
    assert_int_not_equal(session, SIZE_MAX);
    assert_int_not_equal(id, SIZE_MAX);
    bool present = kb_store_find_series(store, session, (uint32_t)id, &series);
    bool inside = present && step >= series.first && step < series.first + series.count;
    assert_true((inside ? (double)series.values[step - series.first] : 0) == expected);
}

static void traces_are_sessions_in_wide_form(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder, sizeof folder);
    write_trace(folder, "b.csv", "x,time,\"y, z\"\n1,10,\n,20,2.5\n,30,\n0,40,4\n");
    write_trace(folder, "a.csv.gz", "time,x\n2026-05-01T00:00:00Z,7\n");
    write_trace(folder, "none.csv", "time,x\n");
    write_trace(folder, "notes.txt", "not a trace\n");
    write_text(folder, "metrics.csv", HEADER "b,20,\"y, z\",9\nb,20,w,3\n");
    struct heard heard;
    kb_corpus *corpus = load_hearing(folder, &heard);
    assert_int_equal(kb_corpus_sessions(corpus), 3);
    assert_int_equal(kb_corpus_rows(corpus), 2 + 1 + 4);
    assert_int_equal(kb_corpus_files(corpus, KB_FILE_TRACE), 3);
    assert_int_equal(kb_store_length(kb_corpus_store(corpus), 1), 4); /* 30 has no reading */
    expect_reading(corpus, "b", "x", 0, 1);
    expect_reading(corpus, "b", "x", 3, 0);
    expect_reading(corpus, "b", "y, z", 1, 2.5); /* metrics.csv is read before traces/ */
    expect_reading(corpus, "b", "y, z", 3, 4);
    expect_reading(corpus, "b", "w", 1, 3);
    expect_reading(corpus, "a", "x", 0, 7);
    assert_false(session(corpus, "none")->has_rows);
    assert_int_equal(heard.count, 0);
    kb_corpus_free(corpus);
    remove_traces(folder);
}

static void a_trace_alone_is_a_corpus(void **state)
{
    (void)state;
    char folder[256], path[512];
    make_folder(folder, sizeof folder);
    write_trace(folder, "s 1.csv", "time,x\n1,5\n");
    snprintf(path, sizeof path, "%s/traces//s 1.csv", folder);
    kb_corpus *corpus = load(path);
    assert_string_equal(session(corpus, "s 1")->name, "s 1");
    kb_corpus_free(corpus);
    remove_traces(folder);
}

/* The folder counts that a file lies in, whatever it is called by. */
static void a_trace_is_known_by_its_real_folder(void **state)
{
    (void)state;
    char folder[256], traces[512], link[512], path[600], before[1024];
    make_folder(folder, sizeof folder);
    write_trace(folder, "s1.csv", "time,x\n1,5\n");
    snprintf(traces, sizeof traces, "%s/traces", folder);
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(symlink("traces", link), 0);
    snprintf(path, sizeof path, "%s/s1.csv", link);
    kb_corpus_free(load(path));
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(traces), 0);
    kb_corpus_free(load("s1.csv"));
    kb_corpus_free(load("./s1.csv"));
    assert_int_equal(chdir(before), 0);
    unlink(link);
    remove_traces(folder);
}

static void columns_without_names_are_told_once(void **state)
{
    (void)state;
    char folder[256], *text;
    make_folder(folder, sizeof folder);
    write_trace(folder, "s.csv", "\n\ntime,,x,,\n1,2,3,4,5\n");
    text = load_text(folder, kb_corpus_defaults(), NULL);
    assert_non_null(strstr(text, "s.csv:3: 3 columns have no name of 1 to 4096 bytes and are left "
                                 "out, the first of them column 2\n"));
    assert_non_null(strstr(text, "1 rows, 0 bad, 0 damaged"));
    free(text);
    remove_traces(folder);
}

static void there_are_limits_to_columns(void **state)
{
    (void)state;
    kb_error err;
    char folder[256], *commas = malloc(KB_COLUMNS_MAX + 16);
    make_folder(folder, sizeof folder);
    memset(commas, ',', KB_COLUMNS_MAX + 8);
    memcpy(commas, "time", 4);
    strcpy(commas + KB_COLUMNS_MAX + 8, "\n");
    write_trace(folder, "s.csv", commas);
    assert_int_equal(load_error(folder, false, &err), KB_ERR_FORMAT);
    assert_non_null(strstr(err.text, "s.csv:1: the header row does not parse: more than"));
    free(commas);
    remove_traces(folder);
}

static void bad_cells_cost_their_row(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder, sizeof folder);
    write_trace(folder, "s.csv",
                "time,x,,y\n1,1,9,1\n2,2,9,many\n3,-1,9,3\nx,4,9,4\n"
                "5,5,9\n6,,bad,6\n");
    struct heard heard;
    kb_corpus *corpus = load_hearing(folder, &heard);
    assert_string_equal(heard.text, "1: column 3 has no name of 1 to 4096 bytes: it is left out\n"
                                    "3: column 'y': value 'many': not a number\n"
                                    "4: column 'x': value '-1': negative\n"
                                    "5: time 'x': neither a number nor ISO 8601\n"
                                    "6: 3 fields, the header has 4\n");
    assert_int_equal(kb_corpus_rows(corpus), 2);
    assert_int_equal(kb_store_length(kb_corpus_store(corpus), 0), 2);
    assert_int_equal(kb_store_objects(kb_corpus_store(corpus)), 2);
    expect_reading(corpus, "s", "x", 1, 0);
    expect_reading(corpus, "s", "y", 1, 6);
    kb_corpus_free(corpus);
    remove_traces(folder);
}

static void traces_need_a_time_and_distinct_columns(void **state)
{
    (void)state;
    char folder[256];
    kb_error err;
    make_folder(folder, sizeof folder);
    write_trace(folder, "s.csv", "when,x\n1,1\n");
    assert_int_equal(load_error(folder, false, &err), KB_ERR_FORMAT);
    assert_non_null(strstr(err.text, "s.csv: no column 'time' (the header has: when, x)"));
    write_trace(folder, "s.csv", "time,x,y,x\n1,1,1,1\n");
    assert_int_equal(load_error(folder, false, &err), KB_ERR_FORMAT);
    assert_non_null(strstr(err.text, "s.csv: column 'x' is there twice"));
    remove_traces(folder);
}

static void thousands_of_columns_are_read(void **state)
{
    (void)state;
    enum { OBJECTS = 5000, TIMES = 3 };
    char folder[256], *text = malloc(OBJECTS * TIMES * 16), *end = text, name[32];
    end += sprintf(end, "time");
    for (int i = 0; i < OBJECTS; i++)
        end += sprintf(end, ",object%d", i);
    for (int t = 0; t < TIMES; t++) {
        end += sprintf(end, "\n%d", t);
        for (int i = 0; i < OBJECTS; i++)
            end += sprintf(end, i % 3 == t ? ",%d" : i % 7 ? "," : ",\"%d\"", i);
    }
    make_folder(folder, sizeof folder);
    write_trace(folder, "s.csv", text);
    kb_corpus *corpus = load(folder);
    assert_int_equal(kb_store_objects(kb_corpus_store(corpus)), OBJECTS);
    for (int i = 1; i < OBJECTS; i += 13) {
        snprintf(name, sizeof name, "object%d", i);
        for (int t = 0; t < TIMES; t++)
            expect_reading(corpus, "s", name, (size_t)t, i % 3 == t || i % 7 == 0 ? i : 0);
    }
    kb_corpus_free(corpus);
    remove_traces(folder);
    free(text);
}

/* --- names of columns, and filling */

static kb_status load_with(kb_corpus **out, const char *path, const char *columns, kb_fill fill,
                           kb_error *err)
{
    kb_corpus_options options = kb_corpus_defaults();
    options.columns = columns;
    options.fill = fill;
    return kb_corpus_load(out, path, &options, NULL, err);
}

static void columns_may_have_other_names(void **state)
{
    (void)state;
    char folder[256];
    kb_corpus *corpus;
    kb_error err;
    make_folder(folder, sizeof folder);
    write_text(folder, "metrics-1.csv",
               "sid,ts,metric name,\"count, mean\",time\ns1,1,x,5,9\ns1,2,x,6,8\n");
    write_text(folder, "metrics-2.csv", HEADER "s1,3,x,7\n");
    write_text(folder, "sessions.csv", "session,build\ns1,1.0\n");
    write_text(folder, "events.csv", "who,ts,what\nu,1,e\n");
    const char *columns = "session=sid,time=ts,object=metric name,\"value=count, mean\","
                          "version=build,user=who,event=what";
    assert_int_equal(load_with(&corpus, folder, columns, KB_FILL_ZERO, &err), KB_OK);
    assert_int_equal(kb_store_length(kb_corpus_store(corpus), 0), 3);
    assert_int_equal(kb_store_time(kb_corpus_store(corpus), 0, 0).whole, 1);
    expect_reading(corpus, "s1", "x", 1, 6);
    expect_reading(corpus, "s1", "x", 2, 7);
    assert_string_equal(session(corpus, "s1")->version, "1.0");
    assert_int_equal(kb_events_count(kb_corpus_events(corpus)), 1);
    kb_corpus_free(corpus);
    assert_int_equal(load_with(&corpus, folder, "session=sid", KB_FILL_ZERO, &err), KB_ERR_FORMAT);
    assert_non_null(strstr(err.text, "metrics-1.csv: no column 'object' (the header has: sid, "));
    write_text(folder, "metrics-1.csv", "sid,when,object,value\n");
    assert_int_equal(load_with(&corpus, folder, "session=sid,time=ts", KB_FILL_ZERO, &err),
                     KB_ERR_FORMAT);
    assert_non_null(strstr(err.text, "no column 'time' nor 'ts'"));
    remove_folder(folder);
}

static void names_of_columns_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wrong;
    } bad[] = {{"", "'' is not KEY=NAME"},
               {"time", "'time' is not KEY=NAME"},
               {"time=", "'time=' is not KEY=NAME"},
               {"times=ts", "'times' is not one of session, time"},
               {"time=ts,time=t", "time is there twice"},
               {"time=ts,", "'' is not KEY=NAME"},
               {"\"time=ts", "is not one row of CSV"},
               {"time=ts\nvalue=v", "is not one row of CSV"}};
    kb_corpus_options options = kb_corpus_defaults();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kb_error err;
        options.columns = bad[i].text;
        assert_int_equal(kb_corpus_check(&options, &err), KB_ERR_USAGE);
        if (!strstr(err.text, bad[i].wrong))
            fail_msg("'%s' instead of '%s'", err.text, bad[i].wrong);
    }
    options.columns = "time= t = s ";
    assert_int_equal(kb_corpus_check(&options, NULL), KB_OK);
}

static void readings_are_held_where_that_is_asked_for(void **state)
{
    (void)state;
    char folder[256];
    kb_corpus *corpus;
    make_folder(folder, sizeof folder);
    write_text(folder, "metrics.csv", HEADER "s,1,x,5\ns,2,y,1\ns,3,y,0\ns,4,z,1\n");
    assert_int_equal(load_with(&corpus, folder, NULL, KB_FILL_ZERO, NULL), KB_OK);
    assert_int_equal(kb_corpus_fill(corpus), KB_FILL_ZERO);
    expect_reading(corpus, "s", "x", 3, 0);
    kb_corpus_free(corpus);
    assert_int_equal(load_with(&corpus, folder, NULL, KB_FILL_HOLD, NULL), KB_OK);
    assert_int_equal(kb_corpus_fill(corpus), KB_FILL_HOLD);
    expect_reading(corpus, "s", "x", 3, 5);
    expect_reading(corpus, "s", "y", 0, 0);
    expect_reading(corpus, "s", "y", 3, 0);
    kb_corpus_free(corpus);
    remove_folder(folder);
}

static void the_window_is_the_last_t_times(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder, sizeof folder);
    const char *path = write_text(folder, "metrics.csv",
                                  HEADER "a,3,x,3\na,1,x,1\na,2,x,2\na,2026-05-01,y,0\nb,1,x,1\n");
    kb_corpus_options options = kb_corpus_defaults();
    options.timesteps = 2;
    kb_corpus *corpus;
    assert_int_equal(kb_corpus_load(&corpus, path, &options, NULL, NULL), KB_OK);
    assert_int_equal(kb_store_length(kb_corpus_store(corpus), 0), 2);
    assert_true(reading(corpus, "a") == 3);
    kb_corpus_free(corpus);
    options.timesteps = 0;
    assert_int_equal(kb_corpus_load(&corpus, path, &options, NULL, NULL), KB_ERR_USAGE);
    remove_folder(folder);
}

static void expect_refused(const char *path, kb_status status, const char *first,
                           const char *second)
{
    kb_error err;
    assert_int_equal(load_error(path, false, &err), status);
    if (!strstr(err.text, first) || !strstr(err.text, second))
        fail_msg("'%s' names not both '%s' and '%s'", err.text, first, second);
}

static void what_is_no_corpus_is_refused_by_name(void **state)
{
    (void)state;
    char folder[256], path[512];
    make_folder(folder, sizeof folder);
    expect_refused(folder, KB_ERR_FORMAT, "no metrics*.csv", "(it is empty)");
    static const char *const others[] = {"metrics.csv.zst", "a", "b", "c", "z\n", ".hidden"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        write_text(folder, others[i], "x");
    expect_refused(folder, KB_ERR_FORMAT, folder, "(it has a, b, c, metrics.csv.zst and 1 more)");
    expect_refused("/nonexistent-corpus", KB_ERR_IO, "/nonexistent-corpus", "No such file");
    write_text(folder, "metrics.csv", HEADER);
    expect_refused(folder, KB_ERR_FORMAT, folder, "no usable session");
    write_text(folder, "metrics.csv", HEADER "a,b,c,d\n");
    write_text(folder, "sessions.csv", "session\nlisted\n");
    expect_refused(folder, KB_ERR_FORMAT, folder, "no usable session");
    write_text(folder, "metrics.csv", HEADER "a,1,x,1\n");
    write_text(folder, "sessions.csv", "name\nlisted\n");
    expect_refused(folder, KB_ERR_FORMAT, "sessions.csv", "'session'");
    write_text(folder, "sessions.csv", "session\na\n");
    write_text(folder, "events.csv", "user,event\nu,e\n");
    expect_refused(folder, KB_ERR_FORMAT, "events.csv", "'time'");
    write_text(folder, "events.csv", "user,time,event\nu,1,e\n");
    kb_corpus_free(load(folder));
    snprintf(path, sizeof path, "%s/metrics-2.csv", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_refused(folder, KB_ERR_IO, "metrics-2.csv", "directory");
    rmdir(path);
    expect_refused(fixture("bad-no-column.csv"), KB_ERR_FORMAT, "bad-no-column.csv", "'time'");
    remove_folder(folder);
}

/* What ends a reading otherwise costs a survey no more than the file. */
static void a_survey_reads_the_other_files(void **state)
{
    (void)state;
    char folder[256], *text;
    make_folder(folder, sizeof folder);
    kb_corpus_options options = kb_corpus_defaults();
    options.survey = true;
    write_text(folder, "metrics-1.csv", HEADER "a,1,o,1\nbad\n");
    write_text(folder, "metrics-2.csv", "session,time,value\na,1,2\n");
    write_text(folder, "metrics-3.csv", "\n\"session,time\n");
    write_text(folder, "metrics-4.csv", HEADER "z,1,o,2\n");
    write_text(folder, "sessions.csv", "name\na\n");
    write_text(folder, "events.csv", "user,time\n");
    write_trace(folder, "twins.csv", "time,u,v,u\n1,2,3,4\n");
    text = load_text(folder, options, NULL);
    assert_non_null(strstr(text, "session a: 1\n"));
    assert_non_null(strstr(text, "session z: 1\n"));
    assert_null(strstr(text, "twins:"));
    assert_non_null(strstr(text, "\n1 objects"));
    assert_non_null(strstr(text, "2 rows, 1 bad, 0 damaged\n"));
    assert_non_null(strstr(text, "sessions.csv:0: no column 'session' (the header has: name)\n"));
    assert_non_null(strstr(text, "metrics-1.csv:3: 1 field, the header has 4\n"));
    assert_non_null(strstr(text, "metrics-2.csv:0: no column 'object'"));
    assert_non_null(strstr(text, "metrics-3.csv:2: the header row does not parse: "));
    assert_non_null(strstr(text, "twins.csv:0: column 'u' is there twice\n"));
    assert_non_null(strstr(text, "events.csv:0: no column 'event'"));
    free(text);
    options.strict = true;
    text = load_text(folder, options, NULL);
    assert_non_null(strstr(text, "error"));
    free(text);
    remove_traces(folder);
}

static void hidden_files_are_no_part_of_a_corpus(void **state)
{
    (void)state;
    char folder[256];
    kb_files files;
    make_folder(folder, sizeof folder);
    write_trace(folder, "._s1.csv", "\x00\x05\x16\x07");
    write_trace(folder, "s1.csv", "time,a\n1,2\n");
    assert_int_equal(kb_files_of_corpus(&files, folder, NULL), KB_OK);
    assert_int_equal(files.count, 1);
    assert_non_null(strstr(files.items[0].path, "/s1.csv"));
    kb_files_free(&files);
    remove_traces(folder);
}

/* A label that is looked for under a wrong name would silently be none. */
static void a_column_that_was_named_is_missed(void **state)
{
    (void)state;
    char folder[256], *text;
    make_folder(folder, sizeof folder);
    kb_corpus_options options = kb_corpus_defaults();
    options.columns = "label=kind,version=build,session=sid";
    write_text(folder, "metrics.csv", HEADER "a,1,o,1\n");
    write_text(folder, "sessions.csv", "session,label,build\na,x,7\n");
    text = load_text(folder, options, NULL);
    assert_non_null(
        strstr(text, "sessions.csv:1: no column 'kind', which --columns names for label\n"));
    assert_null(strstr(text, "'build'"));
    assert_null(strstr(text, "'sid'"));
    assert_non_null(strstr(text, "1 rows, 0 bad"));
    free(text);
    remove_folder(folder);
}

static void events_belong_to_the_corpus(void **state)
{
    (void)state;
    char folder[256];
    make_folder(folder, sizeof folder);
    write_text(folder, "metrics.csv", HEADER "a,1,x,1\n");
    write_text(folder, "events-1.csv", "user,time,event\nu,1,e1\nu,2\n");
    write_text(folder, "events-2.csv.gz", "user,time,event,session\nu,1,e2,a\n");
    kb_corpus *corpus = load(folder);
    assert_int_equal(kb_events_count(kb_corpus_events(corpus)), 2);
    assert_int_equal(kb_corpus_bad_rows(corpus), 1);
    kb_corpus_free(corpus);
    kb_corpus_options options = kb_corpus_defaults();
    options.skip_events = true;
    assert_int_equal(kb_corpus_load(&corpus, folder, &options, NULL, NULL), KB_OK);
    assert_null(kb_corpus_events(corpus));
    assert_int_equal(kb_corpus_bad_rows(corpus), 0);
    kb_corpus_free(corpus);
    remove_folder(folder);
}

struct watched {
    uint64_t last, total, rows;
    atomic_bool cancel;
    bool cancel_soon;
};

static void watch(void *ctx, const kb_progress_state *at)
{
    struct watched *w = ctx;
    if (strcmp(at->phase, "sorting") == 0)
        return;
    assert_string_equal(at->phase, "reading");
    assert_true(at->bytes);
    assert_true(at->done >= w->last && at->done <= at->total);
    assert_true(at->rows >= w->rows);
    w->last = at->done;
    w->total = at->total;
    w->rows = at->rows;
    if (w->cancel_soon)
        atomic_store(&w->cancel, true);
}

static void progress_counts_bytes_and_cancels(void **state)
{
    (void)state;
    enum { ROWS = 60000 };
    char folder[256], *text = malloc(ROWS * 32), *end = text;
    end += sprintf(end, HEADER);
    for (int i = 0; i < ROWS; i++)
        end += sprintf(end, "s%d,%d,x,%d\n", i % 50, i, i % 5);
    make_folder(folder, sizeof folder);
    write_text(folder, "metrics.csv", text);
    write_text(folder, "events.csv.gz", "user,time,event\nu,1,e\n");
    write_text(folder, "sessions.csv", "session\na\n");
    struct watched w = {0};
    kb_progress progress = {.report = watch, .ctx = &w, .cancel = &w.cancel};
    kb_corpus *corpus;
    assert_int_equal(kb_corpus_load(&corpus, folder, NULL, &progress, NULL), KB_OK);
    assert_int_equal(kb_corpus_rows(corpus), ROWS);
    assert_true(w.total > (uint64_t)(end - text));
    assert_int_equal(w.last, w.total);
    assert_int_equal(w.rows, ROWS + 2);
    kb_corpus_free(corpus);
    w = (struct watched){.cancel_soon = true};
    assert_int_equal(kb_corpus_load(&corpus, folder, NULL, &progress, NULL), KB_ERR_CANCELLED);
    assert_null(corpus);
    assert_true(w.last < w.total / 2);
    remove_folder(folder);
    free(text);
}

static void problems_are_counted_beyond_those_kept(void **state)
{
    (void)state;
    kb_problems *problems = kb_problems_create((kb_problem_listener){0});
    for (uint64_t i = 0; i < KB_PROBLEMS_KEPT + 5; i++)
        kb_problems_add(problems, i % 2 ? "a" : "b", i, KB_PROBLEM_OTHER, "row %llu",
                        (unsigned long long)i);
    assert_int_equal(kb_problems_count(problems), KB_PROBLEMS_KEPT + 5);
    assert_int_equal(kb_problems_kept(problems), KB_PROBLEMS_KEPT);
    assert_string_equal(kb_problems_get(problems, 7).reason, "row 7");
    assert_string_equal(kb_problems_get(problems, 7).file, "a");
    assert_int_equal(kb_problems_get(problems, 7).line, 7);
    kb_problems_free(problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_are_read_in_name_order_and_the_last_row_wins),
        cmocka_unit_test(a_list_of_files_is_sorted_and_selected),
        cmocka_unit_test(sessions_csv_describes_sessions),
        cmocka_unit_test(splits_have_names),
        cmocka_unit_test(one_file_or_standard_input_is_a_corpus),
        cmocka_unit_test(bad_rows_are_told_and_the_good_ones_kept),
        cmocka_unit_test(traces_are_sessions_in_wide_form),
        cmocka_unit_test(a_trace_alone_is_a_corpus),
        cmocka_unit_test(a_trace_is_known_by_its_real_folder),
        cmocka_unit_test(columns_without_names_are_told_once),
        cmocka_unit_test(there_are_limits_to_columns),
        cmocka_unit_test(bad_cells_cost_their_row),
        cmocka_unit_test(traces_need_a_time_and_distinct_columns),
        cmocka_unit_test(thousands_of_columns_are_read),
        cmocka_unit_test(columns_may_have_other_names),
        cmocka_unit_test(names_of_columns_are_checked),
        cmocka_unit_test(readings_are_held_where_that_is_asked_for),
        cmocka_unit_test(the_window_is_the_last_t_times),
        cmocka_unit_test(what_is_no_corpus_is_refused_by_name),
        cmocka_unit_test(a_survey_reads_the_other_files),
        cmocka_unit_test(hidden_files_are_no_part_of_a_corpus),
        cmocka_unit_test(a_column_that_was_named_is_missed),
        cmocka_unit_test(events_belong_to_the_corpus),
        cmocka_unit_test(progress_counts_bytes_and_cancels),
        cmocka_unit_test(problems_are_counted_beyond_those_kept),
    };
    return cmocka_run_group_tests_name("corpus", tests, NULL, NULL);
}
