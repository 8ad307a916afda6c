/* prometheus: answers of its query API as they come, and answers that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "import_support.h"
#include "store.h"

#define BEGIN "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":["
#define END "]}}"
#define SERIES(name, samples)                                                                      \
    "{\"metric\":{\"__name__\":\"" name "\",\"instance\":\"h\"},\"values\":[" samples "]}"

static void put_and_import(trial *t, const char *text)
{
    trial_begin(t);
    trial_put(t, "a.json", text);
    trial_succeed(t, KB_IMPORT_PROMETHEUS, NULL);
}

/* --- what Prometheus answered ------------------------------------------------------------ */
static void answers_to_range_queries_become_sessions(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_succeed(&t, KB_IMPORT_PROMETHEUS, import_fixture("prometheus/good"));
    assert_string_equal(t.problems, "");
    kb_corpus *corpus = trial_load(&t);
    const kb_store *store = kb_corpus_store(corpus);
    assert_int_equal(kb_corpus_sessions(corpus), 2);
    assert_int_equal(kb_corpus_rows(corpus), 166);
    assert_int_equal(t.result.readings, 166);
    assert_int_equal(kb_store_objects(store), 9);
    size_t local = kb_store_find_session(store, "localhost:19090");
    assert_int_not_equal(local, SIZE_MAX);
    /* 13 whole tens of a minute, 12 by five from half a second on; both sides have them */
    assert_int_equal(kb_store_length(store, local), 7 + 12);
    assert_int_equal(kb_store_time(store, local, 0).whole, 1795557558);
    assert_int_equal(kb_store_time(store, local, 0).atto, 0);
    assert_int_equal(kb_store_time(store, local, 1).whole, 1795557558);
    assert_int_equal(kb_store_time(store, local, 1).atto, 500000000000000000);
    const char *alloc = "go_memstats_alloc_bytes{job=\"prometheus\"}";
    assert_true(trial_value(corpus, "localhost:19090", 1, alloc) == 19376384);
    assert_true(trial_value(corpus, "127.0.0.1:19090", 1, alloc) == 19075792);
    kb_corpus_free(corpus);
    trial_end(&t);
}

static void times_and_values_keep_their_digits(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, BEGIN SERIES("m", "[1435781430.781,\"1\"],[1435781430,\"1.50e+06\"],"
                                         "[-1.5,\"0\"],[1e3,\"0.000110284\"]") END);
    assert_string_equal(trial_metrics(&t), "h,1435781430.781,m,1\nh,1435781430,m,1.50e+06\n"
                                           "h,-1.5,m,0\nh,1e3,m,0.000110284\n");
    trial_end(&t);
}

static void a_vector_is_one_sample(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_succeed(&t, KB_IMPORT_PROMETHEUS, import_fixture("prometheus/vector.json"));
    assert_string_equal(trial_metrics(&t),
                        "127.0.0.1:19090,1795557618,"
                        "\"process_resident_memory_bytes{job=\"\"prometheus\"\"}\",59691008\n"
                        "localhost:19090,1795557618,"
                        "\"process_resident_memory_bytes{job=\"\"prometheus\"\"}\",59691008\n");
    trial_end(&t);
}

static void a_series_without_a_name_is_its_labels(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_succeed(&t, KB_IMPORT_PROMETHEUS, import_fixture("prometheus/rate.json"));
    assert_non_null(
        strstr(trial_metrics(&t), "localhost:19090,1795557573,\"{job=\"\"prometheus\"\"}\","));
    trial_end(&t);
}

static void what_is_no_count_is_left_out_and_told(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_succeed(&t, KB_IMPORT_PROMETHEUS, import_fixture("prometheus/not-counts.json"));
    assert_int_equal(t.result.readings, 6);
    assert_int_equal(t.result.left_out, 18);
    assert_non_null(strstr(t.problems, "not-counts.json:1: {job=\"prometheus\",kind=\"nan\"}: "
                                       "value 'NaN': not a number\n"));
    assert_non_null(strstr(t.problems, "kind=\"inf\"}: value '+Inf': infinite\n"));
    assert_non_null(strstr(t.problems, "kind=\"negative\"}: value '-16': negative\n"));
    kb_corpus *corpus = trial_load(&t);
    assert_true(trial_value(corpus, "localhost:19090", 0,
                            "process_open_fds{job=\"prometheus\","
                            "kind=\"say \\\"hi\\\"\\\\n\\\\\\\\\"}") == 16);
    kb_corpus_free(corpus);
    trial_end(&t);
}

static void answers_that_hold_no_series_are_errors(void **state)
{
    (void)state;
    static const struct {
        const char *file, *text;
    } cases[] = {
        {"prometheus/error.json", "error.json: the query failed: bad_data: invalid parameter"},
        {"prometheus/scalar.json", "scalar.json: the result is a scalar"},
        {"prometheus/string.json", "string.json: the result is a string"},
        {"prometheus/empty.json",
         "empty.json: no usable reading or event in it; line 1: no series in the result"},
        {"prometheus/sum.json", "sum.json: no usable reading"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trial t;
        trial_begin(&t);
        trial_refused(&t, KB_IMPORT_PROMETHEUS, import_fixture(cases[i].file), cases[i].text);
        trial_end(&t);
    }
}

/* --- names ------------------------------------------------------------------------------- */
static void another_label_can_name_the_session(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    t.options.session_label = "pod";
    trial_put(&t, "a.json",
              BEGIN "{\"metric\":{\"__name__\":\"m\",\"pod\":\"p-1\",\"instance\":\"h\"},"
                    "\"values\":[[1,\"2\"]]}," SERIES("n", "[1,\"2\"]") END);
    trial_succeed(&t, KB_IMPORT_PROMETHEUS, NULL);
    assert_string_equal(trial_metrics(&t), "p-1,1,m,2\n");
    assert_string_equal(t.problems, "a.json:1: no label 'pod' in n{instance=\"h\"}\n");
    trial_end(&t);
}

/* --- labels that are left out ------------------------------------------------------------ */
/* Pods of two runs, as Prometheus told of them. */
static void import_pods(trial *t, const char *session, const char *drop)
{
    trial_begin(t);
    t->options.session_label = session;
    if (drop)
        t->options.drop_labels = drop;
    trial_succeed(t, KB_IMPORT_PROMETHEUS, import_fixture("prometheus/pods.json"));
    assert_int_equal(t->result.readings, 8);
    assert_int_equal(t->result.left_out, 0);
}

static void labels_that_name_the_session_again_can_be_left_out(void **state)
{
    (void)state;
    trial t;
    import_pods(&t, "run", "instance,pod,container_id");
    assert_string_equal(t.problems, "");
    assert_string_equal(t.notes, "");
    assert_int_equal(t.result.sessions, 2);
    assert_int_equal(t.result.objects, 2);
    kb_corpus *corpus = trial_load(&t);
    assert_true(trial_value(corpus, "r1", 0, "go_goroutines{job=\"web\"}") == 34);
    assert_true(trial_value(corpus, "r2", 0, "go_goroutines{job=\"web\"}") == 35);
    kb_corpus_free(corpus);
    trial_end(&t);
}

static void labels_that_still_name_the_session_are_noted(void **state)
{
    (void)state;
    static const struct {
        const char *drop, *advice;
    } cases[] = {
        {NULL, "the label container_id differs from session to session: leave it out with "
               "--drop-labels instance,pod,node,host,hostname,container_id\n"},
        {"none", "the labels container_id,instance,pod differ from session to session: leave them "
                 "out with --drop-labels container_id,instance,pod\n"},
        {" pod , instance", "leave it out with --drop-labels  pod , instance,container_id\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trial t;
        import_pods(&t, "run", cases[i].drop);
        assert_int_equal(t.result.objects, 4);
        assert_non_null(strstr(t.notes, "no object occurs in more than one session, so that "
                                        "clusters of them would mean nothing; "));
        if (!strstr(t.notes, cases[i].advice))
            fail_msg("%s", t.notes);
        trial_end(&t);
    }
}

/* Metrics of two jobs that have nothing in common. */
static void sessions_without_a_telltale_label_are_noted_too(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t,
                   BEGIN SERIES("m", "[1,\"2\"]") ",{\"metric\":{\"__name__\":\"n\","
                                                  "\"instance\":\"i\"},\"value\":[1,\"2\"]}" END);
    assert_string_equal(t.notes, "no object occurs in more than one session, so that clusters of "
                                 "them would mean nothing; --drop-labels leaves labels out of "
                                 "their names\n");
    trial_end(&t);
}

static void nothing_but_the_label_of_the_session_may_be_left_out(void **state)
{
    (void)state;
    trial t;
    import_pods(&t, "job", "none");
    assert_string_equal(t.problems, "");
    assert_int_equal(t.result.sessions, 1);
    assert_int_equal(t.result.objects, 4);
    assert_non_null(strstr(trial_metrics(&t),
                           "\"go_goroutines{container_id=\"\"0f3a9c\"\",instance="
                           "\"\"127.0.0.1:19291\"\",pod="
                           "\"\"web-7d9c-x2k4p\"\",run=\"\"r1\"\"}\""));
    trial_end(&t);
}

static void series_that_come_to_one_reading_are_told_once_for_each_object(void **state)
{
    (void)state;
    trial t;
    import_pods(&t, "job", "instance,pod,container_id,run");
    assert_int_equal(t.result.problems, 2);
    assert_non_null(strstr(
        t.problems, "pods.json:1: go_goroutines: session 'web' has this twice at one time, "
                    "as {container_id=\"0f3a9c\",instance=\"127.0.0.1:19291\",pod="
                    "\"web-7d9c-x2k4p\",run=\"r1\"} and as {container_id=\"b71e02\",instance="
                    "\"localhost:19291\",pod=\"web-7d9c-q8z7m\",run=\"r2\"}: the last one "
                    "counts; see --drop-labels\n"));
    assert_non_null(strstr(t.problems, "pods.json:1: process_open_fds: session 'web' has"));
    kb_corpus *corpus = trial_load(&t);
    assert_true(trial_value(corpus, "web", 0, "go_goroutines") == 35);
    kb_corpus_free(corpus);
    t.options.strict = true;
    snprintf(t.out, sizeof t.out, "%s/strict", t.folder);
    trial_refused(&t, KB_IMPORT_PROMETHEUS, import_fixture("prometheus/pods.json"),
                  "go_goroutines: session 'web' has this twice at one time");
    trial_end(&t);
}

#define OF_POD(pod, samples)                                                                       \
    "{\"metric\":{\"__name__\":\"m\",\"instance\":\"h\",\"pod\":\"" pod "\"},\"values\":[" samples \
    "]}"

static void twins_are_told_where_their_times_meet_and_nowhere_else(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool told;
    } cases[] = {
        {OF_POD("a", "[1,\"1\"],[2,\"1\"]") "," OF_POD("b", "[3,\"1\"],[4,\"1\"]"), false},
        {OF_POD("a", "[1,\"1\"],[2,\"1\"]") "," OF_POD("b", "[2,\"1\"],[3,\"1\"]"), true},
        {OF_POD("a", "[1,\"1\"],[2,\"1\"]") "," OF_POD("a", "[2,\"1\"],[3,\"1\"]"), false},
        {OF_POD("a", "[0,\"1\"],[10,\"1\"],[20,\"1\"]") "," OF_POD("b", "[5,\"1\"],[15,\"1\"]"),
         false},
        {OF_POD("a", "[0,\"1\"],[10,\"1\"],[20,\"1\"]") "," OF_POD("b", "[5,\"1\"],[20,\"1\"]"),
         true},
        {OF_POD("a", "[0,\"1\"],[10,\"1\"],[40,\"1\"],[50,\"1\"]") "," OF_POD("b", "[20,\"1\"],"
                                                                                   "[30,\"1\"]"),
         false},
        {OF_POD("a", "[0,\"1\"],[10,\"1\"],[40,\"1\"],[50,\"1\"]") "," OF_POD("b", "[50,\"1\"]"),
         true},
        {OF_POD("a", "[9,\"1\"],[5,\"1\"],[5,\"1\"],[1,\"1\"]") "," OF_POD("b", "[5,\"1\"]"), true},
        {OF_POD("a", "[1.000001,\"1\"]") "," OF_POD("b", "[1.000002,\"1\"]"), false},
        {OF_POD("a", "[1.000001,\"1\"]") "," OF_POD("b", "[1.0000010,\"1\"]"), true},
        {OF_POD("a", "[\"1970-01-01T00:00:07Z\",\"1\"]") "," OF_POD("b", "[7,\"1\"]"), true},
        {OF_POD("a", "[-9000000000000,\"1\"]") "," OF_POD("b", "[-9000000000000,\"1\"]"), false},
        {OF_POD("a", "[1,\"NaN\"]") "," OF_POD("b", "[1,\"1\"]"), false},
        {SERIES("m", "[1,\"1\"]") "," OF_POD("b", "[1,\"1\"]"), true},
        {SERIES("n", "[1,\"1\"]") "," OF_POD("b", "[1,\"1\"]"), false},
        {OF_POD("a", "[1,\"1\"]") END BEGIN OF_POD("b", "[1,\"1\"]"), true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trial t;
        char text[2000];
        snprintf(text, sizeof text, BEGIN "%s" END, cases[i].text);
        put_and_import(&t, text);
        if ((strstr(t.problems, "twice at one time") != NULL) != cases[i].told)
            fail_msg("case %zu: %s", i, t.problems);
        trial_end(&t);
    }
}

/* Times without a rhythm: of many only the last are remembered, of a few all. */
static void twins_without_a_rhythm_are_told_by_their_last_times(void **state)
{
    (void)state;
    for (int many = 20; many <= 2000; many *= 10) {
        trial t;
        static char text[200000];
        char *end = stpcpy(text, BEGIN);
        for (int pod = 0; pod < 2; pod++) {
            end += sprintf(end,
                           "%s{\"metric\":{\"__name__\":\"m\",\"instance\":\"h\",\"pod\":"
                           "\"%d\"},\"values\":[[0,\"1\"]",
                           pod ? "," : "", pod);
            for (int i = 1; i < many; i++)
                end += sprintf(end, ",[%d.%03d,\"1\"]", i, pod * (i < many - 5) + i * i % 499);
            end = stpcpy(end, "]}");
        }
        strcpy(end, END);
        put_and_import(&t, text);
        assert_int_equal(t.result.problems, 1);
        trial_end(&t);
    }
}

static void twins_in_other_sessions_are_none(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t,
                   BEGIN OF_POD("a", "[1,\"1\"]") ",{\"metric\":{\"__name__\":\"m\",\"instance\":"
                                                  "\"i\",\"pod\":\"b\"},\"value\":[1,\"2\"]}" END);
    assert_string_equal(t.problems, "");
    assert_string_equal(trial_metrics(&t), "h,1,m,1\ni,1,m,2\n");
    trial_end(&t);
}

static void a_bad_label_that_is_left_out_is_told(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t,
                   BEGIN OF_POD("n\\u0000ul", "[1,\"1\"],[2,\"1\"]") ",{\"metric\":{\"instance\":"
                                                                     "\"h\",\"pod\":7},"
                                                                     "\"value\":[1,\"2\"]}," SERIES(
                                                                         "m", "[1,\"2\"]") END);
    assert_string_equal(t.problems, "a.json:1: a label with a NUL character\n"
                                    "a.json:1: label 'pod' is not a string\n");
    assert_int_equal(t.result.left_out, 3);
    assert_string_equal(trial_metrics(&t), "h,1,m,2\n");
    trial_end(&t);
}

static void lists_of_labels_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *list, *error; /* NULL: it is one */
    } cases[] = {
        {"none", NULL},
        {"a", NULL},
        {" a ,\tb.c ", NULL},
        {"none,a", NULL},
        {"", "a name is empty"},
        {",", "a name is empty"},
        {"a,,b", "'a,,b': a name is empty"},
        {"a,", "a name is empty"},
        {"a, ", "a name is empty"},
        {"a,__name__", "__name__ is the metric's name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kb_error err = {0};
        kb_import_options options = kb_import_defaults();
        options.drop_labels = cases[i].list;
        kb_status status = kb_import_check(KB_IMPORT_PROMETHEUS, "in", &options, &err);
        assert_int_equal(status, cases[i].error ? KB_ERR_USAGE : KB_OK);
        if (status && !(strstr(err.text, "--drop-labels: ") && strstr(err.text, cases[i].error)))
            fail_msg("%s", err.text);
    }
}

static void labels_are_sorted_and_escaped(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, BEGIN "{\"metric\":{\"z\":\"a\\\\b\",\"__name__\":\"m\",\"instance\":\"h\","
                             "\"id\":\"G1 \\\"Old\\\"\\nGen\",\"B\":\"\\u00e9,\"},"
                             "\"values\":[[1,\"2\"]]}" END);
    kb_corpus *corpus = trial_load(&t);
    assert_string_equal(kb_store_object_name(kb_corpus_store(corpus), 0),
                        "m{B=\"\xC3\xA9,\",id=\"G1 \\\"Old\\\"\\nGen\",z=\"a\\\\b\"}");
    kb_corpus_free(corpus);
    trial_end(&t);
}

static void a_name_alone_has_no_braces(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, BEGIN SERIES("up", "[1,\"1\"]") ",{\"metric\":{\"instance\":\"h\"},"
                                                       "\"value\":[2,\"3\"]}" END);
    assert_string_equal(trial_metrics(&t), "h,1,up,1\nh,2,{},3\n");
    trial_end(&t);
}

/* --- documents --------------------------------------------------------------------------- */
static void members_may_come_in_any_order_among_others(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t,
                   "\xEF\xBB\xBF {\"warnings\":[\"a ] } \\\" b\",{\"x\":[[]]},null,true,-1.5e3],\n"
                   "\"data\" : { \"stats\":{\"a\":{\"b\":[1,{}]}}, \"result\" : [ " SERIES(
                       "m", "[1,\"2\"]") " ] ,\n \"resultType\":\"matrix\" } , \"infos\":[], "
                                         "\"status\" : \"success\" }\n\n");
    assert_string_equal(t.problems, "");
    assert_int_equal(t.result.damaged, 0);
    assert_string_equal(trial_metrics(&t), "h,1,m,2\n");
    trial_end(&t);
}

static void escaped_names_of_members_are_recognised(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, "{\"st\\u0061tus\":\"success\",\"d\\u0061ta\":{\"res\\u0075lt\":[" SERIES(
                           "m", "[1,\"2\"]") "]}}");
    assert_string_equal(trial_metrics(&t), "h,1,m,2\n");
    trial_end(&t);
}

static void documents_may_follow_each_other(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, BEGIN SERIES("m", "[1,\"2\"]") END "\n" BEGIN SERIES("m", "[2,\"3\"]")
                           END BEGIN END);
    assert_string_equal(t.problems, "");
    assert_string_equal(trial_metrics(&t), "h,1,m,2\nh,2,m,3\n");
    trial_end(&t);
}

static void files_of_a_folder_are_read_by_name(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "b.json", BEGIN SERIES("m", "[1,\"2\"]") END);
    trial_put(&t, "a.json.gz", BEGIN SERIES("m", "[1,\"1\"]") END);
    trial_put(&t, "c.txt", "no business of ours");
    trial_put(&t, "d.json/e.json", "a folder");
    trial_succeed(&t, KB_IMPORT_PROMETHEUS, NULL);
    assert_string_equal(t.problems, "");
    assert_string_equal(trial_metrics(&t), "h,1,m,1\nh,1,m,2\n");
    trial_end(&t);
    trial_begin(&t);
    trial_put(&t, "c.txt", "no business of ours");
    trial_refused(&t, KB_IMPORT_PROMETHEUS, NULL, "no *.json");
    trial_end(&t);
}

static void native_histograms_are_left_alone(void **state)
{
    (void)state;
    trial t;
    put_and_import(
        &t, BEGIN SERIES(
                "m",
                "[1,\"2\"]") ",{\"metric\":{\"__name__\":\"d\",\"instance\":"
                             "\"h\"},\"histograms\":[[1,{\"count\":\"3\",\"sum\":\"4\",\"buckets\":"
                             "[[1,\"0\",\"1\",\"3\"]]}]]}" END);
    assert_string_equal(t.problems, "");
    assert_string_equal(trial_metrics(&t), "h,1,m,2\n");
    trial_end(&t);
}

/* --- bad series -------------------------------------------------------------------------- */
static void bad_series_are_told_by_the_line_they_begin_on(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t,
                   "{\"status\":\"success\",\n\"data\":{\"result\":[\n"
                   "7,\n"
                   "{\"values\":[[1,\"2\"]]},\n"
                   "{\"metric\":{\"__name__\":\"m\",\"instance\":5},\n\"values\":[[1,\"2\"]]},\n"
                   "{\"metric\":{\"__name__\":\"m\",\"instance\":\"\"},\"values\":[[1,\"2\"]]},\n"
                   "{\"metric\":{\"__name__\":\"\",\"instance\":\"h\"},\"values\":[[1,\"2\"]]},\n"
                   "{\"metric\":{\"__name__\":\"m\",\"instance\":\"h\"}},\n"
                   "{\"metric\":{\"__name__\":\"m\",\"instance\":\"h\"},\"values\":{}},\n"
                   "{\"metric\":{\"__name__\":\"m\",\"instance\":\"h\",\"a\":null},\"value\":7},\n"
                   "{\"metric\":{\"__name__\":\"m\",\"instance\":\"h\"},\"value\":7},\n"
                   "{\"metric\":{\"__name__\":\"m\" \"instance\":\"h\"},\"value\":7},\n" SERIES(
                       "good", "[1,\"2\"]") "]}}");
    assert_string_equal(t.problems, "a.json:3: a series that is not an object\n"
                                    "a.json:4: a series without \"metric\"\n"
                                    "a.json:5: label 'instance' is not a string\n"
                                    "a.json:7: m: empty session\n"
                                    "a.json:8: empty metric\n"
                                    "a.json:9: m: a series without values\n"
                                    "a.json:10: m: values that are not an array\n"
                                    "a.json:11: label 'a' is not a string\n"
                                    "a.json:12: m: a sample that is not [time, value]\n"
                                    "a.json:13: not JSON: object value separator ',' expected\n");
    assert_string_equal(trial_metrics(&t), "h,1,good,2\n");
    assert_int_equal(t.result.damaged, 0);
    trial_end(&t);
}

static void bad_samples_do_not_take_their_series_along(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t,
                   BEGIN SERIES("m", "[1],[1,\"2\",3],7,[null,\"1\"],[true,\"1\"],[1,[]],[1,{}],"
                                     "[\"noon\",\"1\"],[\"\",\"1\"],[5,\"\"],[6,7],"
                                     "[1e999,\"1\"],[8,\"1e99\"],"
                                     "[9,\"1\"]") END);
    assert_string_equal(t.problems, "a.json:1: m: a sample that is not [time, value]\n"
                                    "a.json:1: m: a sample that is not [time, value]\n"
                                    "a.json:1: m: a sample that is not [time, value]\n"
                                    "a.json:1: m: nothing as the time of a sample\n"
                                    "a.json:1: m: a truth value as the time of a sample\n"
                                    "a.json:1: m: an array as the value of a sample\n"
                                    "a.json:1: m: an object as the value of a sample\n"
                                    "a.json:1: m: time 'noon': neither a number nor ISO 8601\n"
                                    "a.json:1: m: time '': neither a number nor ISO 8601\n"
                                    "a.json:1: m: value '': not a number\n"
                                    "a.json:1: m: time '1e999': out of range\n"
                                    "a.json:1: m: value '1e99': larger than FLT_MAX\n");
    assert_string_equal(trial_metrics(&t), "h,6,m,7\nh,9,m,1\n");
    trial_end(&t);
}

/* json-c clips it, or takes it for no JSON, depending on its age. */
static void a_whole_number_beyond_64_bits_is_never_clipped(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t,
                   BEGIN SERIES("m", "[99999999999999999999,\"1\"]") "," SERIES(
                       "n", "[-99999999999999999999,\"1\"]") "," SERIES("good", "[1,\"2\"]") END);
    assert_int_equal(t.result.left_out, 2);
    assert_non_null(strstr(t.problems, "number"));
    assert_string_equal(trial_metrics(&t), "h,1,good,2\n");
    trial_end(&t);
}

static void odd_characters_are_told(void **state)
{
    (void)state;
    trial t;
    put_and_import(
        &t,
        BEGIN SERIES("bad\xFF", "[1,\"2\"]") "," SERIES(
            "n\\u0000ul",
            "[1,\"2\"]") ",{\"metric\":{\"instance\":\"h\",\"la\\u0000bel\":\"x\"},\"value\":[1,"
                         "\"2\"]}," SERIES("cut\xED\xA0\x80",
                                           "[1,\"2\"]") "," SERIES("good", "[1,\"2\"]") END);
    assert_string_equal(t.problems, "a.json:1: not UTF-8\n"
                                    "a.json:1: metric with a NUL character\n"
                                    "a.json:1: a member name with a NUL character\n"
                                    "a.json:1: not UTF-8\n");
    assert_string_equal(trial_metrics(&t), "h,1,good,2\n");
    trial_end(&t);
}

static void a_nul_byte_is_told(void **state)
{
    (void)state;
    trial t;
    static const char text[] = BEGIN SERIES("m\0", "[1,\"2\"]") "," SERIES("good", "[1,\"2\"]") END;
    trial_begin(&t);
    trial_put_bytes(&t, "a.json", text, sizeof text - 1);
    trial_succeed(&t, KB_IMPORT_PROMETHEUS, NULL);
    assert_string_equal(t.problems, "a.json:1: a NUL byte\n");
    assert_string_equal(trial_metrics(&t), "h,1,good,2\n");
    trial_end(&t);
}

static void a_label_that_is_there_twice_counts_as_it_stands_last(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t,
                   BEGIN "{\"metric\":{\"__name__\":\"a\",\"__name__\":\"b\",\"instance\":\"h\","
                         "\"instance\":\"i\"},\"value\":[1,\"2\"]}" END);
    assert_string_equal(trial_metrics(&t), "i,1,b,2\n");
    trial_end(&t);
}

static char *repeat(const char *before, const char *what, size_t times, const char *after)
{
    size_t n = strlen(what);
    char *text = malloc(strlen(before) + n * times + strlen(after) + 1);
    assert_non_null(text);
    char *end = stpcpy(text, before);
    for (size_t i = 0; i < times; i++)
        end = memcpy(end, what, n), end += n;
    strcpy(end, after);
    return text;
}

static void deep_nesting_is_told_or_stepped_over(void **state)
{
    (void)state;
    trial t;
    char *closed = repeat("", "]", 100000, "," SERIES("good", "[1,\"2\"]") END);
    char *series = repeat(BEGIN, "[", 100000, closed);
    put_and_import(&t, series);
    assert_string_equal(t.problems, "a.json:1: nested deeper than 63 levels\n");
    assert_string_equal(trial_metrics(&t), "h,1,good,2\n");
    trial_end(&t);
    free(closed);
    free(series);

    closed = repeat("", "}", 100000, ",\"data\":{\"result\":[" SERIES("good", "[1,\"2\"]") END);
    series =
        repeat("{\"status\":\"success\",\"other\":{\"a\":1", ",\"a\":{\"a\":[]", 99999, closed);
    put_and_import(&t, series);
    assert_string_equal(t.problems, "");
    assert_string_equal(trial_metrics(&t), "h,1,good,2\n");
    trial_end(&t);
    free(closed);
    free(series);
}

static void a_series_that_is_too_long_is_told(void **state)
{
    (void)state;
    trial t;
    char *text = repeat(BEGIN "{\"metric\":\n", " ", (size_t)64 << 20,
                        "{}},\n" SERIES("good", "[1,\"2\"]") END);
    trial_begin(&t);
    trial_put(&t, "a.json.gz", text);
    free(text);
    trial_succeed(&t, KB_IMPORT_PROMETHEUS, NULL);
    assert_string_equal(t.problems, "a.json.gz:1: a series longer than 64 MiB\n");
    assert_string_equal(trial_metrics(&t), "h,1,good,2\n");
    trial_end(&t);
}

/* Each "{}" would become a table of a thousand bytes. */
static void a_series_that_would_need_too_much_memory_is_told(void **state)
{
    (void)state;
    trial t;
    char *text = repeat(BEGIN "[{}", ",{}", 1 << 20, "]," SERIES("good", "[1,\"2\"]") END);
    trial_begin(&t);
    trial_put(&t, "a.json.gz", text);
    free(text);
    trial_succeed(&t, KB_IMPORT_PROMETHEUS, NULL);
    assert_string_equal(t.problems, "a.json.gz:1: more values than fit into 1 GiB\n");
    assert_string_equal(trial_metrics(&t), "h,1,good,2\n");
    trial_end(&t);
}

/* --- damaged documents ------------------------------------------------------------------- */
/* However much is there: the whole series are kept, and the rest is told. */
static void a_truncated_document_keeps_what_came_before(void **state)
{
    (void)state;
    static const char first[] = BEGIN SERIES("m", "[1,\"2\"]");
    static const char text[] = BEGIN SERIES("m", "[1,\"2\"]") "," SERIES("n", "[1,\"3\"]") END;
    size_t length = sizeof text - 1, both = length - strlen(END);
    for (size_t cut = 0; cut < length; cut++) {
        trial t;
        trial_begin(&t);
        trial_put_bytes(&t, "a.json", text, cut);
        if (cut < sizeof first - 1) {
            trial_refused(&t, KB_IMPORT_PROMETHEUS, NULL, "no usable reading");
        } else {
            trial_succeed(&t, KB_IMPORT_PROMETHEUS, NULL);
            assert_int_equal(t.result.damaged, 1);
            assert_string_equal(trial_metrics(&t), cut < both ? "h,1,m,2\n" : "h,1,m,2\nh,1,n,3\n");
        }
        assert_string_equal(t.problems, cut ? "a.json:1: truncated: the JSON ends early\n"
                                            : "a.json:1: empty: a response of Prometheus was "
                                              "expected\n");
        assert_int_equal(t.result.left_out, 0);
        trial_end(&t);
    }
}

static void other_files_are_read_after_a_damaged_one(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "a.json",
              "{\"status\":\"success\",\n\"data\":{\"result\":[\n" SERIES("m", "[1,\"2\"]") ",\n!");
    trial_put(&t, "b.json", "<html>\n");
    trial_put(&t, "c.json", "[1,2]");
    trial_put(&t, "d.json", BEGIN SERIES("m", "[2,\"2\"]") END " trailing");
    trial_put(&t, "e.json", BEGIN SERIES("m", "[3,\"2\"]") ",]}}");
    trial_put(&t, "f.json", BEGIN SERIES("m", "[4,\"2\"]") "}}}");
    trial_put(&t, "g.json", BEGIN SERIES("m", "[5,\"2\"]") END);
    trial_succeed(&t, KB_IMPORT_PROMETHEUS, NULL);
    assert_int_equal(t.result.damaged, 6);
    assert_string_equal(t.problems, "a.json:4: not JSON: unexpected character\n"
                                    "a.json:4: truncated: the JSON ends early\n"
                                    "b.json:1: '<' where an object was expected\n"
                                    "c.json:1: '[' where an object was expected\n"
                                    "d.json:1: 't' where an object was expected\n"
                                    "e.json:1: ']' where a value was expected\n"
                                    "f.json:1: '}' where ',' or ']' was expected\n");
    assert_string_equal(trial_metrics(&t), "h,1,m,2\nh,2,m,2\nh,3,m,2\nh,4,m,2\nh,5,m,2\n");
    trial_end(&t);
}

static void a_truncated_gzip_file_keeps_what_came_before(void **state)
{
    (void)state;
    trial t;
    char text[40000] = BEGIN SERIES("first", "[1,\"2\"]");
    for (int i = 0; i < 300; i++)
        sprintf(text + strlen(text), "," SERIES("m%d", "[%d,\"%d\"]"), i * 7919 % 1000, i, i * i);
    trial_begin(&t);
    trial_put(&t, "a.json.gz", strcat(text, END));
    trial_cut(&t, "a.json.gz", 1500);
    trial_succeed(&t, KB_IMPORT_PROMETHEUS, NULL);
    assert_int_equal(t.result.damaged, 1);
    assert_string_equal(t.problems, "a.json.gz:1: truncated: the gzip data end early\n");
    assert_true(t.result.readings > 10 && t.result.readings < 300);
    trial_end(&t);
}

static void json_that_is_no_answer_is_an_error(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"{}", "not a response of Prometheus: no data.result"},
        {"{\"status\":\"success\"}", "no data.result"},
        {"{\"status\":\"success\",\"data\":[1]}", "no data.result"},
        {"{\"status\":\"success\",\"data\":{\"result\":{}}}", "no data.result"},
        {"{\"data\":{\"result\":[]}}", "no \"status\""},
        {"{\"status\":7,\"data\":{\"result\":[]}}", "no \"status\""},
        {"{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query \\u001b[1m timed "
         "out\"}",
         "the query failed: timeout: query ?[1m timed out"},
        {"{\"data\":{\"result\":[1,\"2\"],\"resultType\":\"scalar\"},\"status\":\"success\"}",
         "the result is a scalar"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trial t;
        trial_begin(&t);
        trial_put(&t, "a.json", cases[i].text);
        trial_refused(&t, KB_IMPORT_PROMETHEUS, trial_path(&t, "a.json"), cases[i].error);
        assert_non_null(strstr(t.err.text, "a.json: "));
        trial_end(&t);
    }
}

/* Each is fatal where it is alone. */
static void answers_without_series_are_damage_among_others(void **state)
{
    (void)state;
    static const char *const names[] = {"error.json", "scalar.json", "string.json"};
    trial t;
    trial_begin(&t);
    trial_put(&t, "a.json", "{\"status\":\n\"success\"}");
    trial_put(&t, "b.json", "{\"data\":{\"result\":[" SERIES("m", "[1,\"2\"]") "]}}");
    for (size_t i = 0; i < 3; i++) {
        char path[100], text[1000] = "";
        snprintf(path, sizeof path, "prometheus/%s", names[i]);
        FILE *file = fopen(import_fixture(path), "rb");
        assert_non_null(file);
        assert_true(fread(text, 1, sizeof text - 1, file) > 10);
        fclose(file);
        trial_put(&t, names[i], text);
    }
    trial_put(
        &t, "t.json",
        BEGIN SERIES("m", "[2,\"2\"]") END
        "\n{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"too long\"}\n" BEGIN SERIES(
            "m", "[3,\"2\"]") END);
    trial_succeed(&t, KB_IMPORT_PROMETHEUS, NULL);
    assert_string_equal(
        t.problems, "a.json:1: not a response of Prometheus: no data.result\n"
                    "b.json:1: not a response of Prometheus: no \"status\"\n"
                    "error.json:1: the query failed: bad_data: invalid parameter \"query\": 1:18: "
                    "parse error: unexpected end of input inside braces\n"
                    "scalar.json:1: the result is a scalar, a matrix or a vector was expected\n"
                    "string.json:1: the result is a string, a matrix or a vector was expected\n"
                    "t.json:2: the query failed: timeout: too long\n");
    assert_int_equal(t.result.damaged, 6);
    assert_int_equal(t.result.left_out, 0);
    assert_string_equal(trial_metrics(&t), "h,1,m,2\nh,2,m,2\nh,3,m,2\n");
    trial_end(&t);
}

static void a_folder_of_failed_queries_says_why(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_put(&t, "a.json", "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"x\"}");
    trial_refused(&t, KB_IMPORT_PROMETHEUS, NULL, "a.json:1: the query failed: timeout: x");
    t.options.strict = true;
    trial_refused(&t, KB_IMPORT_PROMETHEUS, NULL, "a.json:1: the query failed: timeout: x");
    trial_end(&t);
}

/* A series takes all its samples along. */
static void samples_of_series_that_are_left_out_are_counted(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, BEGIN
                   "{\"metric\":{\"__name__\":\"m\"},\"values\":[[1,\"1\"],[2,\"1\"],[3,"
                   "\"1\"]]},{\"metric\":{\"__name__\":\"m\"},\"value\":[1,\"1\"]},"
                   "{\"metric\":{\"__name__\":\"m\",\"instance\":\"h\"}}," SERIES("m", "[1,\"2\"]")
                       END);
    assert_string_equal(t.problems, "a.json:1: no label 'instance' in m\n"
                                    "a.json:1: no label 'instance' in m\n"
                                    "a.json:1: m: a series without values\n");
    assert_int_equal(t.result.left_out, 4);
    trial_end(&t);
}

static void damage_at_random_does_no_harm(void **state)
{
    (void)state;
    char text[8192];
    FILE *file = fopen(import_fixture("prometheus/not-counts.json"), "rb");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_true(length > 1000 && length < sizeof text);
    trial_damage(KB_IMPORT_PROMETHEUS, "a.json", NULL, text, length, 500);
}

/* A writer that takes a rest inside of the byte order mark. */
static void a_mark_may_come_in_pieces(void **state)
{
    (void)state;
    static const char text[] = "\xEF\xBB\xBF" BEGIN SERIES("m", "[1,\"2\"]") END;
    trial t;
    trial_begin(&t);
    trial_succeed_piped(&t, KB_IMPORT_PROMETHEUS, text, 4);
    assert_string_equal(t.problems, "");
    assert_string_equal(trial_metrics(&t), "h,1,m,2\n");
    trial_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_to_range_queries_become_sessions),
        cmocka_unit_test(times_and_values_keep_their_digits),
        cmocka_unit_test(a_vector_is_one_sample),
        cmocka_unit_test(a_series_without_a_name_is_its_labels),
        cmocka_unit_test(what_is_no_count_is_left_out_and_told),
        cmocka_unit_test(answers_that_hold_no_series_are_errors),
        cmocka_unit_test(another_label_can_name_the_session),
        cmocka_unit_test(labels_that_name_the_session_again_can_be_left_out),
        cmocka_unit_test(labels_that_still_name_the_session_are_noted),
        cmocka_unit_test(sessions_without_a_telltale_label_are_noted_too),
        cmocka_unit_test(nothing_but_the_label_of_the_session_may_be_left_out),
        cmocka_unit_test(series_that_come_to_one_reading_are_told_once_for_each_object),
        cmocka_unit_test(twins_are_told_where_their_times_meet_and_nowhere_else),
        cmocka_unit_test(twins_without_a_rhythm_are_told_by_their_last_times),
        cmocka_unit_test(twins_in_other_sessions_are_none),
        cmocka_unit_test(a_bad_label_that_is_left_out_is_told),
        cmocka_unit_test(lists_of_labels_are_checked),
        cmocka_unit_test(labels_are_sorted_and_escaped),
        cmocka_unit_test(a_name_alone_has_no_braces),
        cmocka_unit_test(members_may_come_in_any_order_among_others),
        cmocka_unit_test(escaped_names_of_members_are_recognised),
        cmocka_unit_test(documents_may_follow_each_other),
        cmocka_unit_test(files_of_a_folder_are_read_by_name),
        cmocka_unit_test(native_histograms_are_left_alone),
        cmocka_unit_test(bad_series_are_told_by_the_line_they_begin_on),
        cmocka_unit_test(bad_samples_do_not_take_their_series_along),
        cmocka_unit_test(a_whole_number_beyond_64_bits_is_never_clipped),
        cmocka_unit_test(odd_characters_are_told),
        cmocka_unit_test(a_nul_byte_is_told),
        cmocka_unit_test(a_label_that_is_there_twice_counts_as_it_stands_last),
        cmocka_unit_test(deep_nesting_is_told_or_stepped_over),
        cmocka_unit_test(a_series_that_is_too_long_is_told),
        cmocka_unit_test(a_series_that_would_need_too_much_memory_is_told),
        cmocka_unit_test(a_truncated_document_keeps_what_came_before),
        cmocka_unit_test(other_files_are_read_after_a_damaged_one),
        cmocka_unit_test(a_truncated_gzip_file_keeps_what_came_before),
        cmocka_unit_test(json_that_is_no_answer_is_an_error),
        cmocka_unit_test(answers_without_series_are_damage_among_others),
        cmocka_unit_test(a_folder_of_failed_queries_says_why),
        cmocka_unit_test(samples_of_series_that_are_left_out_are_counted),
        cmocka_unit_test(damage_at_random_does_no_harm),
        cmocka_unit_test(a_mark_may_come_in_pieces),
    };
    return cmocka_run_group_tests_name("import_prometheus", tests, NULL, NULL);
}
