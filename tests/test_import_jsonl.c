/* jsonl: exports in the shapes that analytics and crash reporting give them, maps of fields, and
 * lines that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "import_support.h"
#include "store.h"

static void put_and_import(trial *t, const char *fields, const char *text)
{
    trial_begin(t);
    t->options.fields = fields;
    trial_put(t, "a.jsonl", text);
    trial_succeed(t, KB_IMPORT_JSONL, NULL);
}

static void import_sample(trial *t, const char *name, const char *fields)
{
    trial_begin(t);
    t->options.fields = fields;
    trial_succeed(t, KB_IMPORT_JSONL, import_fixture(name));
}

/* --- documented shapes ------------------------------------------------------------------- */
static void a_mixpanel_export_becomes_a_log(void **state)
{
    (void)state;
    trial t;
    import_sample(&t, "jsonl/mixpanel.jsonl", "time=properties.time,user=properties.distinct_id");
    assert_string_equal(t.problems, "");
    assert_string_equal(trial_events(&t), "u-1001,1777629600,app.launched,\n"
                                          "u-1001,1777629611,camera.opened,\n"
                                          "u-1001,1777629617,filter.applied,\n"
                                          "u-1001,1777629655,app.launched,\n"
                                          "$device:9C41E0D2-11B4,1777629601,app.launched,\n"
                                          "$device:9C41E0D2-11B4,1777629604,feed.opened,\n");
    assert_string_equal(trial_metrics(&t), "");
    assert_string_equal(trial_sessions(&t), "");
    assert_int_equal(t.result.users, 2);
    assert_int_equal(t.result.events, 6);
    trial_end(&t);
}

static void an_amplitude_export_has_sessions(void **state)
{
    (void)state;
    trial t;
    import_sample(&t, "jsonl/amplitude.jsonl",
                  "user=user_id,session=session_id,time=event_time,event=event_type,"
                  "version=version_name");
    assert_string_equal(trial_events(&t),
                        "u-2001,2026-05-01 10:00:00.250000,app.launched,1777629600250\n"
                        "u-2001,2026-05-01 10:00:07.900000,chat.opened,1777629600250\n"
                        "u-2001,2026-05-01 10:02:12.000000,app.launched,1777629732000\n");
    assert_string_equal(trial_sessions(&t), "1777629600250,u-2001,3.1,,\n"
                                            "1777629732000,u-2001,3.1,,\n"
                                            "1777629660000,,3.2,,\n");
    assert_non_null(strstr(t.problems, "amplitude.jsonl:4: neither a reading (no object, value) "
                                       "nor an event (no user)\n"));
    trial_end(&t);
}

/* Read back as any log is: by user and time. */
static void the_breadcrumbs_of_sentry_become_a_log(void **state)
{
    (void)state;
    trial t;
    import_sample(&t, "jsonl/sentry.jsonl",
                  "session=event_id,user=user.id,version=release,"
                  "time=breadcrumbs.values[].timestamp,event=breadcrumbs.values[].category");
    assert_string_equal(t.problems, "");
    assert_int_equal(t.result.sessions, 3);
    assert_non_null(strstr(trial_sessions(&t), "0123456789abcdef0123456789abcdef,u-3003,"
                                               "com.example.photos@3.2+2200,,\n"));
    kb_files files;
    kb_column_names names;
    kb_events *events;
    kb_reading reading = {.strict = true, .problems = kb_problems_create((kb_problem_listener){0})};
    assert_int_equal(kb_files_of_events(&files, t.out, NULL), KB_OK);
    assert_int_equal(kb_column_names_parse(&names, NULL, NULL), KB_OK);
    assert_int_equal(kb_events_load(&events, files.items, files.count, &names, &reading, NULL),
                     KB_OK);
    assert_int_equal(kb_events_count(events), 5);
    size_t count, user = kb_events_find_user(events, "u-3001");
    const kb_event *log = kb_events_of(events, user, &count);
    static const char *const kinds[] = {"app.launched", "touch", "http"};
    static const int64_t times[] = {1777629842, 1777629880, 1777629911};
    assert_int_equal(count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(kb_events_kind_name(events, log[i].event), kinds[i]);
        assert_int_equal(log[i].time.whole, times[i]);
        assert_string_equal(kb_events_session_name(events, log[i].session),
                            "fc6d8c0c43fc4630ad850ee518f1b9d0");
    }
    assert_int_equal(log[2].time.atto, 750000000000000000);
    kb_events_free(events);
    kb_problems_free(reading.problems);
    kb_column_names_clear(&names);
    kb_files_free(&files);
    trial_end(&t);
}

static void a_log_of_readings_by_object_becomes_sessions(void **state)
{
    (void)state;
    trial t;
    import_sample(&t, "jsonl/telemetry.jsonl", "time=t,readings=counts,version=app.version");
    assert_string_equal(t.problems, "");
    assert_string_equal(trial_sessions(&t), "s-1,u-1,3.1,,feed-leak\ns-2,,3.2,,\n");
    kb_corpus *corpus = trial_load(&t);
    const kb_store *store = kb_corpus_store(corpus);
    size_t s = kb_store_find_session(store, "s-1");
    assert_int_equal(kb_corpus_sessions(corpus), 2);
    assert_int_equal(kb_store_length(store, s), 3);
    assert_int_equal(kb_store_time(store, s, 1).whole, 5);
    assert_int_equal(kb_store_time(store, s, 1).atto, 250000000000000000);
    assert_true(trial_value(corpus, "s-1", 2, "Bitmap") == 77);
    assert_true(trial_value(corpus, "s-1", 0, "com.example.Cache<String, Bitmap>") == 1);
    assert_true(trial_value(corpus, "s-1", 2, "\xC3\x89moji \"\xC3\xA9\"") == 100);
    assert_true(trial_value(corpus, "s-2", 0, "Bitmap") == 3);
    assert_string_equal(kb_corpus_session(corpus, s)->label, "feed-leak");
    kb_corpus_free(corpus);
    trial_end(&t);
}

/* The export of a table, and the result of a query: pretty-printed, in one array, with nulls. */
static void exports_of_firebase_are_selected_from(void **state)
{
    (void)state;
    static const char *const names[] = {"jsonl/firebase.jsonl", "jsonl/firebase.json"};
    for (size_t i = 0; i < 2; i++) {
        trial t;
        import_sample(&t, names[i],
                      "time=event_timestamp,user=user_pseudo_id,event=event_name,"
                      "version=app_info.version,"
                      "session=event_params[key=ga_session_id].value.int_value");
        assert_string_equal(t.problems, "");
        assert_string_equal(t.notes, "");
        assert_string_equal(
            trial_events(&t),
            "0e7609ca977178ec4c6f0191922fc45a,1777629600250000,session_start,1777629600\n"
            "0e7609ca977178ec4c6f0191922fc45a,1777629601104000,screen_view,1777629600\n"
            "0e7609ca977178ec4c6f0191922fc45a,1777629609731000,photo_opened,1777629600\n"
            "0e7609ca977178ec4c6f0191922fc45a,1777629612002000,app_exception,1777629600\n"
            "0e7609ca977178ec4c6f0191922fc45a,1777629660000000,session_start,1777629660\n"
            "d50d60807f5347eb64ef0cd5a3d4c4cd,1777629603000000,app_remove,\n");
        assert_string_equal(trial_sessions(&t),
                            "1777629600,0e7609ca977178ec4c6f0191922fc45a,3.1,,\n"
                            "1777629660,0e7609ca977178ec4c6f0191922fc45a,3.1,,\n");
        trial_end(&t);
    }
}

/* --- rows -------------------------------------------------------------------------------- */
static void without_a_map_keys_have_their_own_names(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, NULL,
                   "{\"session\":\"s\",\"time\":1,\"object\":\"o\",\"value\":2}\n"
                   "{\"session\":\"s\",\"user\":\"u\",\"time\":2,\"event\":\"e\",\"split\":"
                   "\"validation\",\"label\":\"l\",\"version\":\"v\"}\n");
    assert_string_equal(t.problems, "");
    assert_string_equal(trial_metrics(&t), "s,1,o,2\n");
    assert_string_equal(trial_events(&t), "u,2,e,s\n");
    assert_string_equal(trial_sessions(&t), "s,u,v,validation,l\n");
    trial_end(&t);
}

static void a_line_can_be_a_reading_and_an_event(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, NULL,
                   "{\"session\":\"s\",\"user\":\"u\",\"time\":1,\"event\":\"e\",\"object\":\"o\","
                   "\"value\":2}\n");
    assert_string_equal(t.problems, "");
    assert_string_equal(trial_metrics(&t), "s,1,o,2\n");
    assert_string_equal(trial_events(&t), "u,1,e,s\n");
    trial_end(&t);
}

static void texts_and_numbers_keep_their_spelling(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, NULL,
                   "{\"session\":7,\"time\":1700000000.2500,\"object\":1.50,\"value\":2e1}\n"
                   "{\"session\":18446744073709551614,\"time\":-9223372036854775807,\"object\":-3,"
                   "\"value\":\"+4.0\"}\n"
                   "{\"session\":\"s\",\"time\":\"2026-05-01T10:00:00.250+02:00\",\"object\":\" a,"
                   "\\\"b\\\"\\n\",\"value\":0.1000000000000000055511151231257827}\n");
    assert_string_equal(t.problems, "");
    assert_string_equal(trial_metrics(&t), "7,1700000000.2500,1.50,2e1\n"
                                           "18446744073709551614,-9223372036854775807,-3,+4.0\n"
                                           "s,2026-05-01T10:00:00.250+02:00,\" a,\"\"b\"\"\n"
                                           "\",0.1000000000000000055511151231257827\n");
    trial_end(&t);
}

static void what_is_missing_is_told(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, NULL,
                   "{\"session\":\"s\",\"time\":1,\"object\":\"o\",\"value\":2}\n"
                   "{}\n"
                   "\n  \t\n"
                   "{\"session\":\"s\",\"time\":1,\"object\":\"o\"}\n"
                   "{\"session\":null,\"time\":1,\"object\":\"o\",\"value\":3}\n"
                   "{\"user\":\"u\",\"event\":\"e\"}\n"
                   "{\"session\":\"s\"}\n");
    assert_string_equal(
        t.problems,
        "a.jsonl:2: neither a reading (no session, time, object, value) nor an event (no user, "
        "time, event)\n"
        "a.jsonl:5: neither a reading (no value) nor an event (no user, event)\n"
        "a.jsonl:6: neither a reading (no session) nor an event (no user, event)\n"
        "a.jsonl:7: neither a reading (no session, time, object, value) nor an event (no time)\n"
        "a.jsonl:8: neither a reading (no time, object, value) nor an event (no user, time, "
        "event)\n");
    assert_int_equal(t.result.left_out, 5);
    trial_end(&t);
}

static void bad_fields_are_told(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, "session=id,time=time",
                   "{\"id\":\"s\",\"time\":1,\"object\":\"o\",\"value\":-2}\n"
                   "{\"id\":\"s\",\"time\":\"noon\",\"object\":\"o\",\"value\":2}\n"
                   "{\"id\":\"\",\"time\":1,\"object\":\"o\",\"value\":2}\n"
                   "{\"id\":\"s\",\"time\":1,\"object\":\"\",\"value\":2}\n"
                   "{\"id\":\"s\",\"time\":1,\"object\":\"n\\u0000ul\",\"value\":2}\n"
                   "{\"id\":[1],\"time\":1,\"object\":\"o\",\"value\":2}\n"
                   "{\"id\":\"s\",\"time\":true,\"object\":\"o\",\"value\":2}\n"
                   "{\"id\":\"s\",\"time\":1,\"object\":\"o\",\"value\":NaN}\n"
                   "{\"id\":\"s\",\"time\":1,\"object\":\"o\",\"value\":-Infinity}\n"
                   "{\"id\":\"s\",\"time\":1,\"object\":\"o\",\"value\":1e39}\n"
                   "{\"id\":\"s\",\"time\":1,\"object\":{\"a\":1},\"value\":2}\n"
                   "{\"id\":\"s\",\"user\":\"\",\"time\":1,\"event\":\"e\"}\n"
                   "{\"id\":\"s\",\"user\":\"u\",\"time\":1,\"event\":\"\"}\n"
                   "{\"id\":\"s\",\"time\":1,\"object\":\"o\",\"value\":2}\n");
    assert_string_equal(t.problems,
                        "a.jsonl:1: value '-2': negative\n"
                        "a.jsonl:2: time 'noon': neither a number nor ISO 8601\n"
                        "a.jsonl:3: empty session\n"
                        "a.jsonl:4: empty object\n"
                        "a.jsonl:5: object with a NUL character\n"
                        "a.jsonl:6: session is an array, text or a number was expected\n"
                        "a.jsonl:7: time is a truth value, text or a number was expected\n"
                        "a.jsonl:8: value 'NaN': not a number\n"
                        "a.jsonl:9: value '-Infinity': infinite\n"
                        "a.jsonl:10: value '1e39': larger than FLT_MAX\n"
                        "a.jsonl:11: neither a reading (no object) nor an event (no user, event)\n"
                        "a.jsonl:12: empty user\n"
                        "a.jsonl:13: empty event\n");
    assert_string_equal(trial_metrics(&t), "s,1,o,2\n");
    assert_string_equal(trial_events(&t), "");
    trial_end(&t);
}

static void what_is_there_by_chance_may_be_anything(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, NULL,
                   "{\"session\":\"s\",\"time\":1,\"object\":\"o\",\"value\":2,\"user\":{\"id\":7},"
                   "\"label\":[1],\"event\":true}\n");
    assert_string_equal(t.problems, "");
    assert_string_equal(trial_metrics(&t), "s,1,o,2\n");
    assert_string_equal(trial_sessions(&t), "");
    trial_end(&t);
}

static void names_have_their_greatest_length(void **state)
{
    (void)state;
    trial t;
    char name[4098], text[20000];
    memset(name, '"', 4097);
    name[4097] = '\0';
    char escaped[9000] = "";
    for (int i = 0; i < 4096; i++)
        memcpy(escaped + 2 * i, "\\\"", 3);
    snprintf(text, sizeof text,
             "{\"session\":\"s\",\"time\":1,\"object\":\"%s\",\"value\":2}\n"
             "{\"session\":\"s\",\"time\":1,\"object\":\"%s\\\"\",\"value\":2}\n",
             escaped, escaped);
    put_and_import(&t, NULL, text);
    assert_string_equal(t.problems, "a.jsonl:2: object longer than 4096 bytes\n");
    kb_corpus *corpus = trial_load(&t);
    assert_true(trial_value(corpus, "s", 0, name + 1) == 2);
    kb_corpus_free(corpus);
    trial_end(&t);
}

static void bad_members_of_readings_are_told_by_name(void **state)
{
    (void)state;
    trial t;
    put_and_import(
        &t, "readings=counts",
        "{\"session\":\"s\",\"time\":1,\"counts\":{\"a\":-1,\"b\":\"x\",\"c\":[],\"d\":null,"
        "\"\":5,\"e\":6}}\n"
        "{\"session\":\"s\",\"time\":2,\"counts\":[1]}\n"
        "{\"session\":\"s\",\"time\":2,\"counts\":7}\n"
        "{\"session\":\"s\",\"time\":2,\"object\":\"o\",\"value\":1}\n"
        "{\"session\":\"s\",\"time\":3,\"counts\":{}}\n");
    assert_string_equal(
        t.problems, "a.jsonl:1: a: value '-1': negative\n"
                    "a.jsonl:1: b: value 'x': not a number\n"
                    "a.jsonl:1: c: an array as a value\n"
                    "a.jsonl:1: : empty object\n"
                    "a.jsonl:2: readings is an array, an object was expected\n"
                    "a.jsonl:3: readings is a single value, an object was expected\n"
                    "a.jsonl:4: neither a reading (no readings) nor an event (no user, event)\n");
    assert_string_equal(trial_metrics(&t), "s,1,e,6\n");
    trial_end(&t);
}

/* --- sessions ---------------------------------------------------------------------------- */
static void the_first_of_two_values_stays_and_the_other_is_told_once(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, NULL,
                   "{\"session\":\"s\",\"time\":1,\"object\":\"o\",\"value\":1,\"version\":\"1\"}\n"
                   "{\"session\":\"s\",\"time\":2,\"object\":\"o\",\"value\":1,\"version\":\"2\"}\n"
                   "{\"session\":\"s\",\"time\":3,\"object\":\"o\",\"value\":1,\"version\":\"3\","
                   "\"label\":\"x\"}\n"
                   "{\"session\":\"s\",\"time\":4,\"object\":\"o\",\"value\":1,\"label\":\"y\"}\n"
                   "{\"session\":\"r\",\"version\":\"2\",\"label\":\"\"}\n");
    assert_string_equal(t.problems,
                        "a.jsonl:2: session 's' has version '1' already, '2' is ignored\n"
                        "a.jsonl:4: session 's' has label 'x' already, 'y' is ignored\n");
    assert_string_equal(trial_sessions(&t), "s,,1,,x\nr,,2,,\n");
    assert_int_equal(t.result.readings, 4);
    assert_int_equal(t.result.left_out, 0);
    assert_int_equal(t.result.problems, 2);
    assert_int_equal(t.result.sessions, 2);
    trial_end(&t);
}

static void a_split_that_is_none_is_told(void **state)
{
    (void)state;
    trial t;
    put_and_import(
        &t, NULL,
        "{\"session\":\"s\",\"time\":1,\"object\":\"o\",\"value\":1,\"split\":\"test\"}\n"
        "{\"session\":\"s\",\"time\":2,\"object\":\"o\",\"value\":1,\"split\":\"later\"}\n");
    assert_string_equal(t.problems, "a.jsonl:1: split 'test': neither train, validation, emerging "
                                    "nor later\n");
    assert_string_equal(trial_sessions(&t), "s,,,later,\n");
    assert_string_equal(trial_metrics(&t), "s,1,o,1\ns,2,o,1\n");
    assert_int_equal(t.result.left_out, 0);
    assert_int_equal(t.result.problems, 1);
    trial_end(&t);
}

/* A bad session is told with the row that it spoils, and once. */
static void a_bad_session_is_told_once(void **state)
{
    (void)state;
    trial t;
    put_and_import(
        &t, NULL,
        "{\"session\":\"\",\"time\":1,\"object\":\"o\",\"value\":1,\"version\":\"1\"}\n"
        "{\"session\":\"\",\"user\":\"u\",\"time\":1,\"event\":\"e\",\"version\":\"1\"}\n"
        "{\"session\":\"\",\"version\":\"1\"}\n"
        "{\"session\":\"n\\u0000ul\",\"version\":\"1\"}\n");
    assert_string_equal(t.problems,
                        "a.jsonl:1: empty session\n"
                        "a.jsonl:3: neither a reading (no time, object, value) nor an event (no "
                        "user, time, event)\n"
                        "a.jsonl:4: session with a NUL character\n");
    assert_int_equal(t.result.left_out, 2);
    assert_string_equal(trial_events(&t), "u,1,e,\n");
    assert_string_equal(trial_sessions(&t), "");
    trial_end(&t);
}

/* --- lines ------------------------------------------------------------------------------- */
static void bad_lines_are_told_with_their_numbers(void **state)
{
    (void)state;
    trial t;
    char deep[400] = "";
    memset(deep, '[', 100);
    static char text[4000];
    snprintf(text, sizeof text,
             "\xEF\xBB\xBF{\"session\":\"s\",\"time\":1,\"object\":\"o\",\"value\":2}\r\n"
             "[1]\n7\nnull\n\"text\"\n"
             "{\"session\":\n"
             "{\"session\":\"s\",}\n"
             "{'session':1}\n"
             "{\"session\":\"s\"} {}\n"
             "{\"session\":\"\xC3\x28\"}\n"
             "{\"session\":\"\xED\xA0\x80\"}\n"
             "{\"session\":01}\n"
             "{\"a\":%s\n"
             "{\"sess\\u0000ion\":\"s\"}\n"
             "{\"session\":\"s\",\"time\":2,\"object\":\"\\\\u0000\",\"value\":2}",
             deep);
    put_and_import(&t, NULL, text);
    assert_string_equal(t.problems, "a.jsonl:2: not an object\n"
                                    "a.jsonl:3: not an object\n"
                                    "a.jsonl:4: not an object\n"
                                    "a.jsonl:5: not an object\n"
                                    "a.jsonl:6: the JSON ends early (column 12)\n"
                                    "a.jsonl:7: not JSON: unexpected character (column 16)\n"
                                    "a.jsonl:8: not JSON: a single quote (column 2)\n"
                                    "a.jsonl:9: not JSON: unexpected character (column 17)\n"
                                    "a.jsonl:10: not UTF-8 (column 1)\n"
                                    "a.jsonl:11: not UTF-8 (column 1)\n"
                                    "a.jsonl:12: not JSON: number expected (column 14)\n"
                                    "a.jsonl:13: nested deeper than 63 levels (column 69)\n"
                                    "a.jsonl:14: a member name with a NUL character (column 2)\n");
    assert_string_equal(trial_metrics(&t), "s,1,o,2\ns,2,\\u0000,2\n");
    trial_end(&t);
}

static void a_nul_byte_is_told(void **state)
{
    (void)state;
    trial t;
    static const char text[] = "{\"session\":\"s\0\"}\n"
                               "{\"session\":\"s\",\"time\":1,\"object\":\"o\",\"value\":2}\n";
    trial_begin(&t);
    trial_put_bytes(&t, "a.jsonl", text, sizeof text - 1);
    trial_succeed(&t, KB_IMPORT_JSONL, NULL);
    assert_string_equal(t.problems, "a.jsonl:1: a NUL byte (column 14)\n");
    assert_string_equal(trial_metrics(&t), "s,1,o,2\n");
    trial_end(&t);
}

static void a_name_that_is_there_twice_counts_as_it_stands_last(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, NULL,
                   "{\"session\":\"s\",\"time\":1,\"object\":\"o\",\"value\":2,\"value\":3}\n");
    assert_string_equal(trial_metrics(&t), "s,1,o,3\n");
    trial_end(&t);
}

static void a_line_that_is_too_long_is_told_and_left_behind(void **state)
{
    (void)state;
    trial t;
    size_t most = (size_t)64 << 20;
    static const char good[] = "{\"session\":\"s\",\"time\":1,\"object\":\"o\",\"value\":2}";
    char *text = malloc(2 * most + 200);
    assert_non_null(text);
    memset(text, ' ', 2 * most + 200);
    memcpy(text, good, strlen(good));
    text[most] = '\n'; /* a line of just the most */
    text[2 * most + 2] = '\n';
    memcpy(text + 2 * most + 3, good, strlen(good));
    trial_begin(&t);
    trial_put_bytes(&t, "a.jsonl.gz", text, 2 * most + 3 + strlen(good));
    free(text);
    trial_succeed(&t, KB_IMPORT_JSONL, NULL);
    assert_string_equal(t.problems, "a.jsonl.gz:2: a line longer than 64 MiB\n");
    assert_string_equal(trial_metrics(&t), "s,1,o,2\ns,1,o,2\n");
    trial_end(&t);
}

/* Longer than the pieces in which a text is fed to the parser, which end within letters then. */
static void a_long_line_is_read_whole(void **state)
{
    (void)state;
    trial t;
    static const char begin[] = "{\"other\":\"", end[] =
                                                     "\",\"session\":\"s\",\"time\":1,\"object\":"
                                                     "\"o\",\"value\":2}\n";
    for (size_t shift = 0; shift < 4; shift++) {
        size_t letters = 3 << 19, length = 0;
        char *text = malloc(letters * 3 + 300);
        assert_non_null(text);
        length += (size_t)sprintf(text, "%s%.*s", begin, (int)shift, "abc");
        for (size_t i = 0; i < letters; i++, length += 3)
            memcpy(text + length, "\xE2\x82\xAC", 3);
        length += (size_t)sprintf(text + length, "%s", end);
        trial_begin(&t);
        trial_put_bytes(&t, "a.jsonl", text, length);
        free(text);
        trial_succeed(&t, KB_IMPORT_JSONL, NULL);
        assert_string_equal(t.problems, "");
        assert_string_equal(trial_metrics(&t), "s,1,o,2\n");
        trial_end(&t);
    }
}

static void many_readings_in_a_line_are_read(void **state)
{
    (void)state;
    trial t;
    enum { MANY = 120000 };
    char *text = malloc(MANY * 30 + 100), *end = text;
    assert_non_null(text);
    end += sprintf(end, "{\"session\":\"s\",\"time\":1,\"counts\":{\"first\":1");
    for (int i = 0; i < MANY; i++)
        end += sprintf(end, ",\"object%06d\":%d.25", i, i);
    sprintf(end, "}}\n");
    put_and_import(&t, "readings=counts", text);
    free(text);
    assert_int_equal(t.result.readings, MANY + 1);
    kb_corpus *corpus = trial_load(&t);
    assert_true(trial_value(corpus, "s", 0, "object119999") == 119999.25);
    assert_true(trial_value(corpus, "s", 0, "object060000") == 60000.25);
    kb_corpus_free(corpus);
    trial_end(&t);
}

/* --- files ------------------------------------------------------------------------------- */
static void files_of_a_folder_are_read_by_name(void **state)
{
    (void)state;
    trial t;
    static const char text[] = "{\"session\":\"s\",\"time\":1,\"object\":\"o\",\"value\":%d}\n";
    static const char *const names[] = {"d.jsonl.gz", "c.ndjson", "b.json", "a.jsonl",
                                        "e.ndjson.gz"};
    trial_begin(&t);
    for (int i = 0; i < 5; i++) {
        char line[100];
        snprintf(line, sizeof line, text, i);
        trial_put(&t, names[i], line);
    }
    trial_put(&t, "a.csv", "no business of ours");
    trial_succeed(&t, KB_IMPORT_JSONL, NULL);
    assert_string_equal(trial_metrics(&t), "s,1,o,3\ns,1,o,2\ns,1,o,1\ns,1,o,0\ns,1,o,4\n");
    trial_end(&t);
}

static void nothing_usable_is_an_error_that_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "; no line in it"},
        {"\n \n", "; no line in it"},
        {"\n\n{}\nx\n",
         "; line 3: neither a reading (no session, time, object, value) nor an event "
         "(no user, time, event)"},
        {"{\"session\":\"s\",\"value\":3}\n{\"a\":1}\n",
         "; line 1: neither a reading (no time, object) nor an event (no user, time, event)"},
        {"{\"session\":\"s\",\"version\":\"3\"}\n",
         "; 1 line only describes a session; line 1: neither a reading (no time, object, value) "
         "nor "
         "an event (no user, time, event)"},
        {"\n{\"session\":\"s\",\"version\":\"3\"}\n{\"session\":\"t\",\"label\":\"x\"}\n",
         "; 2 lines only describe sessions; line 2: neither a reading (no time, object, value) nor "
         "an event (no user, time, event)"},
        {"{\"session\":\"s\",\"version\":\"3\"}\n{\"session\":\"s\",\"t\":1,\"value\":2}\n",
         "; 1 line only describes a session; line 2: neither a reading (no time, object) nor an "
         "event (no user, time, event)"},
        {"{\"session\":\"s\",\"time\":1,\"object\":\"o\",\"value\":-2}\n",
         "; line 1: value '-2': negative"},
        {"{ \"session\":\"s\",\n\"time\":1}\n",
         "; line 1: the JSON ends early (column 17): one object a line is expected, and this looks "
         "like pretty-printed JSON"},
        {"[]", "; no line in it"},
        {"[1,2]", "; line 1: not an object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trial t;
        char whole[500], among[1000];
        trial_begin(&t);
        trial_put(&t, "a.jsonl", cases[i].text);
        snprintf(whole, sizeof whole, "a.jsonl: no usable reading or event in it%s", cases[i].why);
        trial_refused(&t, KB_IMPORT_JSONL, trial_path(&t, "a.jsonl"), whole);
        trial_refused(&t, KB_IMPORT_JSONL, NULL, "/in: no usable reading or event in it; ");
        if (strncmp(cases[i].why, "; line ", 7) == 0) {
            snprintf(among, sizeof among, "/a.jsonl:%s", cases[i].why + 7);
            trial_refused(&t, KB_IMPORT_JSONL, NULL, among);
        }
        trial_end(&t);
    }
}

static void arrays_without_elements_are_a_reason(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    t.options.fields = "time=log[].t,event=log[].e";
    trial_put(&t, "a.jsonl", "{\"user\":\"u\",\"log\":[]}\n{\"user\":\"v\",\"log\":[]}\n");
    trial_refused(&t, KB_IMPORT_JSONL, trial_path(&t, "a.jsonl"),
                  "a.jsonl: no usable reading or event in it; line 1: no element in log[]");
    trial_end(&t);
}

static void no_file_of_the_kind_is_an_error(void **state)
{
    (void)state;
    trial t;
    trial_begin(&t);
    trial_refused(
        &t, KB_IMPORT_JSONL, NULL,
        "/in: no *.jsonl, *.ndjson or *.json in this directory, with or without .gz behind "
        "it");
    assert_int_equal(trial_import(&t, KB_IMPORT_JSONL, trial_path(&t, "missing")), KB_ERR_IO);
    assert_non_null(strstr(t.err.text, "missing"));
    trial_end(&t);
}

static void keys_that_lead_nowhere_are_noted(void **state)
{
    (void)state;
    trial t;
    put_and_import(
        &t, "session=host,version=app.hots,label=tags[k=x].v",
        "{\"host\":\"s\",\"time\":1,\"object\":\"o\",\"value\":2,\"app\":{\"hots\":null}}"
        "\n{\"user\":\"u\"}\n");
    assert_string_equal(t.notes, "no line has 'app.hots' (version)\n"
                                 "no line has 'tags[k=x].v' (label)\n");
    trial_end(&t);
    trial_begin(&t);
    t.options.fields = "session=hots,time=log[].t,readings=.";
    trial_put(&t, "a.jsonl", "{\"host\":\"s\",\"log\":[{\"t\":1}]}\n");
    trial_refused(&t, KB_IMPORT_JSONL, NULL, "neither a reading (no session, readings)");
    assert_string_equal(t.notes, "no line has 'hots' (session)\nno line has '.' (readings)\n");
    trial_put(&t, "a.jsonl", "\n");
    trial_refused(&t, KB_IMPORT_JSONL, NULL, "no line in it");
    assert_string_equal(t.notes, "");
    trial_end(&t);
}

/* One that is there and cannot be used is told where it is. */
static void keys_of_the_wrong_kind_are_not_noted(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, "session=host,version=app",
                   "{\"host\":\"s\",\"time\":1,\"object\":\"o\",\"value\":2}\n"
                   "{\"host\":\"s\",\"time\":1,\"object\":\"o\",\"value\":2,\"app\":[]}\n");
    assert_string_equal(t.notes, "");
    assert_non_null(strstr(t.problems, "a.jsonl:2: version is an array"));
    trial_end(&t);
}

static void a_truncated_file_keeps_its_whole_lines(void **state)
{
    (void)state;
    trial t;
    static char text[40000];
    *text = '\0';
    for (int i = 0; i < 300; i++)
        sprintf(text + strlen(text),
                "{\"session\":\"s%d\",\"time\":%d,\"object\":\"o\",\"value\":2}\n", i * 7919 % 1000,
                i);
    trial_begin(&t);
    trial_put(&t, "a.jsonl.gz", text);
    trial_cut(&t, "a.jsonl.gz", 1000);
    trial_put(&t, "b.jsonl", "{\"session\":\"s\",\"time\":1,\"object\":\"o\",\"value\":2}\n");
    trial_succeed(&t, KB_IMPORT_JSONL, NULL);
    assert_int_equal(t.result.damaged, 1);
    assert_string_equal(t.problems, "a.jsonl.gz: truncated: the gzip data end early\n");
    assert_true(t.result.readings > 10 && t.result.readings < 300);
    assert_non_null(strstr(trial_metrics(&t), "\ns,1,o,2\n"));
    trial_end(&t);
}

static void damage_at_random_does_no_harm(void **state)
{
    (void)state;
    char text[8192];
    FILE *file = fopen(import_fixture("jsonl/sentry.jsonl"), "rb");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    trial_damage(KB_IMPORT_JSONL, "a.jsonl",
                 "session=event_id,user=user.id,version=release,"
                 "time=breadcrumbs.values[].timestamp,event=breadcrumbs.values[].category",
                 text, length, 300);
    file = fopen(import_fixture("jsonl/telemetry.jsonl"), "rb");
    assert_non_null(file);
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    trial_damage(KB_IMPORT_JSONL, "a.jsonl", "time=t,readings=counts", text, length, 300);
    trial_damage(KB_IMPORT_JSONL, "a.jsonl", "time=t,readings=.", text, length, 100);
    file = fopen(import_fixture("jsonl/firebase.json"), "rb");
    assert_non_null(file);
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    trial_damage(KB_IMPORT_JSONL, "a.json",
                 "time=event_timestamp,user=user_pseudo_id,event=event_name,"
                 "session=event_params[key=ga_session_id].value.int_value",
                 text, length, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mixpanel_export_becomes_a_log),
        cmocka_unit_test(an_amplitude_export_has_sessions),
        cmocka_unit_test(the_breadcrumbs_of_sentry_become_a_log),
        cmocka_unit_test(a_log_of_readings_by_object_becomes_sessions),
        cmocka_unit_test(exports_of_firebase_are_selected_from),
        cmocka_unit_test(without_a_map_keys_have_their_own_names),
        cmocka_unit_test(a_line_can_be_a_reading_and_an_event),
        cmocka_unit_test(texts_and_numbers_keep_their_spelling),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(bad_fields_are_told),
        cmocka_unit_test(what_is_there_by_chance_may_be_anything),
        cmocka_unit_test(names_have_their_greatest_length),
        cmocka_unit_test(bad_members_of_readings_are_told_by_name),
        cmocka_unit_test(the_first_of_two_values_stays_and_the_other_is_told_once),
        cmocka_unit_test(a_split_that_is_none_is_told),
        cmocka_unit_test(a_bad_session_is_told_once),
        cmocka_unit_test(bad_lines_are_told_with_their_numbers),
        cmocka_unit_test(a_nul_byte_is_told),
        cmocka_unit_test(a_name_that_is_there_twice_counts_as_it_stands_last),
        cmocka_unit_test(a_line_that_is_too_long_is_told_and_left_behind),
        cmocka_unit_test(a_long_line_is_read_whole),
        cmocka_unit_test(many_readings_in_a_line_are_read),
        cmocka_unit_test(files_of_a_folder_are_read_by_name),
        cmocka_unit_test(nothing_usable_is_an_error_that_says_why),
        cmocka_unit_test(arrays_without_elements_are_a_reason),
        cmocka_unit_test(no_file_of_the_kind_is_an_error),
        cmocka_unit_test(keys_that_lead_nowhere_are_noted),
        cmocka_unit_test(keys_of_the_wrong_kind_are_not_noted),
        cmocka_unit_test(a_truncated_file_keeps_its_whole_lines),
        cmocka_unit_test(damage_at_random_does_no_harm),
    };
    return cmocka_run_group_tests_name("import_jsonl", tests, NULL, NULL);
}
