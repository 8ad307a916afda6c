/* jsonl: shapes of JSON, and how maps of fields find their way: arrays, selections, numbers among
 * other members, and values that are not one a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "field_map.h"
#include "import_support.h"

static void put_and_import(trial *t, const char *fields, const char *text)
{
    trial_begin(t);
    t->options.fields = fields;
    trial_put(t, "a.jsonl", text);
    trial_succeed(t, KB_IMPORT_JSONL, NULL);
}

/* TEXT, read by FIELDS, gives PROBLEMS and the readings or events ROWS. */
static void expect_metrics(const char *fields, const char *text, const char *problems,
                           const char *rows)
{
    trial t;
    put_and_import(&t, fields, text);
    assert_string_equal(t.problems, problems);
    assert_string_equal(trial_metrics(&t), rows);
    trial_end(&t);
}

static void expect_events(const char *fields, const char *text, const char *problems,
                          const char *rows)
{
    trial t;
    put_and_import(&t, fields, text);
    assert_string_equal(t.problems, problems);
    assert_string_equal(trial_events(&t), rows);
    trial_end(&t);
}

/* --- maps -------------------------------------------------------------------------------- */
static void a_path_is_names_and_arrays(void **state)
{
    (void)state;
    kb_field_map *map;
    assert_int_equal(kb_field_map_create(&map,
                                         "session=a.b,time=c\\.d.e[][].f\\[\\]\\\\, \"user=x,y\" ,"
                                         "object= o ",
                                         NULL),
                     KB_OK);
    const kb_path *path = &map->paths[KB_MAP_SESSION];
    assert_int_equal(path->count, 2);
    assert_int_equal(path->shared, 0);
    assert_string_equal(path->steps[0].name, "a");
    assert_string_equal(path->steps[1].name, "b");
    path = &map->paths[KB_MAP_TIME];
    assert_int_equal(path->count, 3);
    assert_int_equal(path->shared, 2);
    assert_string_equal(path->steps[0].name, "c.d");
    assert_int_equal(path->steps[1].arrays, 2);
    assert_string_equal(path->steps[2].name, "f[]\\");
    assert_string_equal(map->paths[KB_MAP_USER].steps[0].name, "x,y");
    assert_string_equal(map->paths[KB_MAP_OBJECT].steps[0].name, " o");
    assert_string_equal(map->paths[KB_MAP_VALUE].steps[0].name, "value");
    assert_false(map->paths[KB_MAP_VALUE].given);
    assert_int_equal(map->paths[KB_MAP_READINGS].count, 0);
    assert_ptr_equal(map->iterating, &map->paths[KB_MAP_TIME]);
    assert_string_equal(map->prefix, "c.d.e[][]");
    assert_false(map->paths[KB_MAP_READINGS].sought);
    kb_field_map_free(map);
}

static void a_path_may_select_and_be_loose(void **state)
{
    (void)state;
    kb_field_map *map;
    assert_int_equal(kb_field_map_create(&map,
                                         "session=a[k\\=l=x.y\\]z].b,time=c[].t,readings=c[].m.,"
                                         "user=c[].m.u.id,event=c[].e",
                                         NULL),
                     KB_OK);
    const kb_path *path = &map->paths[KB_MAP_SESSION];
    assert_string_equal(path->written, "a[k\\=l=x.y\\]z].b");
    assert_int_equal(path->count, 2);
    assert_false(path->in_element);
    assert_string_equal(path->steps[0].name, "a");
    assert_string_equal(path->steps[0].member, "k=l");
    assert_string_equal(path->steps[0].text, "x.y]z");
    assert_null(path->steps[1].member);
    path = &map->paths[KB_MAP_READINGS];
    assert_true(path->loose && path->in_element && path->sought);
    assert_int_equal(path->count, 2);
    assert_int_equal(path->shared, 1);
    assert_int_equal(map->used_count, 1);
    assert_string_equal(map->used[0], "u");
    kb_field_map_free(map);
}

static void maps_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *map, *error;
    } cases[] = {
        {"session", "'session' is not KEY=PATH"},
        {"session=", "is not KEY=PATH"},
        {"=a", "is not KEY=PATH"},
        {"sessions=a", "'sessions' is not one of session, time"},
        {"Session=a", "is not one of"},
        {"session=a,session=b", "there twice"},
        {"session=a,", "'' is not KEY=PATH"},
        {"session=a..b", "a name is empty"},
        {"session=.a", "a name is empty"},
        {"session=a.", "a name is empty"},
        {"session=[]", "a name is empty"},
        {"session=a[0]", "'[]' or '[MEMBER=TEXT]' was expected"},
        {"session=a[]b", "'.' or the end was expected"},
        {"session=a[", "'[]' or '[MEMBER=TEXT]' was expected"},
        {"session=a[=b]", "'[]' or '[MEMBER=TEXT]' was expected"},
        {"session=a[b", "'[]' or '[MEMBER=TEXT]' was expected"},
        {"session=a[b=", "a ']' is missing"},
        {"session=a[b=c", "a ']' is missing"},
        {"session=a[b=c\\]", "a ']' is missing"},
        {"session=a[b=c]d", "'.' or the end was expected"},
        {"session=a[b=c][]", "'.' or the end was expected"},
        {"session=a[][b=c]", "'[MEMBER=TEXT]' cannot stand behind '[]'"},
        {"session=[b=c]", "a name is empty"},
        {"session=.", "a name is empty"},
        {"readings=..", "a name is empty"},
        {"readings=a..", "a name is empty"},
        {"time=a[k=b].l[].t,event=a[k=c].l[].e", "time and event go through different arrays"},
        {"time=a[k=b].l[].t,event=a.l[].e", "time and event go through different arrays"},
        {"session=\"a", "not one row"},
        {"\"session=a", "not one row"},
        {"session=a\ntime=b", "not one row"},
        {"time=a[].t,event=b[].e", "time and event go through different arrays"},
        {"time=a[].t,event=a[].b[].e", "time and event go through different arrays"},
        {"time=a[].t,event=a[][].e", "time and event go through different arrays"},
        {"readings=a,object=b", "not both"},
        {"value=a,readings=b", "not both"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kb_error err = {0};
        if (kb_field_map_check(cases[i].map, &err) != KB_ERR_USAGE ||
            !strstr(err.text, cases[i].error))
            fail_msg("%s: '%s' lacks '%s'", cases[i].map, err.text, cases[i].error);
        assert_non_null(strstr(err.text, "--fields"));
    }
    assert_int_equal(kb_field_map_check(NULL, NULL), KB_OK);
}

static void a_path_with_odd_names_finds_them(void **state)
{
    (void)state;
    expect_metrics("\"object=a,b.c\\.d\",value=\\[x\\].y",
                   "{\"session\":\"s\",\"time\":1,\"a,b\":{\"c.d\":\"o\"},\"[x]\":{\"y\":2}}\n", "",
                   "s,1,o,2\n");
}

/* --- arrays ------------------------------------------------------------------------------ */
static void the_elements_of_nested_arrays_are_rows(void **state)
{
    (void)state;
    expect_metrics(
        "session=id,time=heaps[].samples[].t,object=heaps[].samples[].o.name,"
        "value=heaps[].samples[].n",
        "{\"id\":\"s\",\"heaps\":[{\"samples\":[{\"t\":1,\"o\":{\"name\":\"a\"},\"n\":2},"
        "{\"t\":2,\"o\":{\"name\":\"b\"},\"n\":3}]},{\"samples\":[]},"
        "{\"samples\":[{\"t\":3,\"o\":{\"name\":\"c\"},\"n\":4}]}]}\n",
        "", "s,1,a,2\ns,2,b,3\ns,3,c,4\n");
}

static void arrays_of_arrays_and_of_texts_work(void **state)
{
    (void)state;
    expect_events("event=log[][]",
                  "{\"user\":\"u\",\"time\":1,\"log\":[[\"a\",\"b\"],[],[\"c\"]]}\n", "",
                  "u,1,a,\nu,1,b,\nu,1,c,\n");
}

static void readings_can_be_in_an_array(void **state)
{
    (void)state;
    expect_metrics(
        "time=samples[].t,readings=samples[].n",
        "{\"session\":\"s\",\"samples\":[{\"t\":1,\"n\":{\"a\":1,\"b\":\"x\"}},{\"t\":2,\"n\":"
        "{\"a\":2}}]}\n",
        "a.jsonl:1: element 1 of samples[]: b: value 'x': not a number\n", "s,1,a,1\ns,2,a,2\n");
}

static void bad_elements_are_told_by_their_number(void **state)
{
    (void)state;
    expect_events(
        "time=log[].t,event=log[].e",
        "{\"user\":\"u\",\"log\":[{\"t\":1,\"e\":\"a\"},{\"t\":2},7,null,{\"t\":3,\"e\":[]},"
        "{\"t\":\"x\",\"e\":\"b\"},{\"t\":4,\"e\":\"c\"}]}\n"
        "{\"user\":\"u\"}\n"
        "{\"user\":\"u\",\"log\":null}\n"
        "{\"user\":\"u\",\"log\":{\"t\":1}}\n"
        "{\"user\":\"u\",\"log\":[]}\n"
        "{\"user\":{\"id\":1},\"log\":[{\"t\":1,\"e\":\"a\"}]}\n",
        "a.jsonl:1: element 2 of log[]: neither a reading (no session, object, value) nor an event "
        "(no event)\n"
        "a.jsonl:1: element 3 of log[]: neither a reading (no session, time, object, value) nor an "
        "event (no time, event)\n"
        "a.jsonl:1: element 4 of log[]: neither a reading (no session, time, object, value) nor an "
        "event (no time, event)\n"
        "a.jsonl:1: element 5 of log[]: event is an array, text or a number was expected\n"
        "a.jsonl:1: element 6 of log[]: time 'x': neither a number nor ISO 8601\n"
        "a.jsonl:2: no array at log[]\n"
        "a.jsonl:3: no array at log[]\n"
        "a.jsonl:4: no array at log[]\n"
        "a.jsonl:6: element 1 of log[]: neither a reading (no session, object, value) nor an event "
        "(no user)\n",
        "u,1,a,\nu,4,c,\n");
}

/* --- elements that are selected ---------------------------------------------------------- */
static void the_first_element_with_the_text_is_selected(void **state)
{
    (void)state;
    expect_metrics(
        "session=p[k=id].v,object=p[n=7].v",
        "{\"time\":1,\"value\":2,\"p\":[null,3,{\"k\":7},{\"k\":\"x\",\"v\":\"no\"},"
        "{\"k\":\"id\",\"v\":\"s\"},{\"k\":\"id\",\"v\":\"t\"},{\"n\":7,\"v\":\"o\"}]}\n"
        "{\"time\":2,\"value\":2,\"p\":[{\"k\":\"id2\",\"v\":\"s\"}]}\n"
        "{\"time\":3,\"value\":2,\"p\":{\"k\":\"id\",\"v\":\"s\"}}\n"
        "{\"time\":4,\"value\":2}\n",
        "a.jsonl:2: neither a reading (no session, object) nor an event (no user, event)\n"
        "a.jsonl:3: neither a reading (no session, object) nor an event (no user, event)\n"
        "a.jsonl:4: neither a reading (no session, object) nor an event (no user, event)\n",
        "s,1,o,2\n");
}

static void a_selection_may_have_odd_characters(void **state)
{
    (void)state;
    expect_metrics("session=p[a\\=b=c\\]\\\\.d=e].v,\"object=p[k=x,y].v\",value=p[k=].v",
                   "{\"time\":1,\"p\":[{\"a=b\":\"c]\\\\.d=e\",\"v\":\"s\"},{\"k\":\"x,y\",\"v\":"
                   "\"o\"},{\"k\":\"\",\"v\":5}]}\n",
                   "", "s,1,o,5\n");
}

static void selections_and_arrays_go_together(void **state)
{
    (void)state;
    expect_metrics("session=id,time=parts[k=log].rows[].t,object=parts[k=log].rows[].p[k=o].v,"
                   "value=parts[k=log].rows[].p[k=n].v",
                   "{\"id\":\"s\",\"parts\":[{\"k\":\"x\"},{\"k\":\"log\",\"rows\":[{\"t\":1,\"p\":"
                   "[{\"k\":\"o\",\"v\":\"a\"},{\"k\":\"n\",\"v\":2}]},{\"t\":2,\"p\":[]}]}]}\n"
                   "{\"id\":\"s\",\"parts\":[]}\n",
                   "a.jsonl:1: element 2 of parts[k=log].rows[]: neither a reading (no "
                   "object, value) nor an event (no user, event)\n"
                   "a.jsonl:2: no array at parts[k=log].rows[]\n",
                   "s,1,a,2\n");
}

/* --- readings that are members among others ---------------------------------------------- */
static void numbers_of_the_line_itself_can_be_readings(void **state)
{
    (void)state;
    trial t;
    put_and_import(&t, "session=host,time=ts,readings=.,version=app.v",
                   "{\"host\":\"h\",\"ts\":1,\"rss_kb\":1000,\"heap\":3,\"ok\":true,\"name\":\"7\","
                   "\"none\":null,\"app\":{\"v\":1,\"n\":2},\"list\":[1]}\n"
                   "{\"host\":7,\"ts\":2,\"rss_kb\":1.5e3,\"label\":1,\"value\":5}\n"
                   "{\"host\":\"h\",\"ts\":3,\"heap\":-1,\"rss_kb\":2}\n"
                   "{\"host\":\"h\",\"ts\":4,\"ok\":false}\n"
                   "{\"host\":\"h\",\"app\":{\"v\":1}}\n");
    assert_string_equal(
        t.problems, "a.jsonl:3: heap: value '-1': negative\n"
                    "a.jsonl:4: neither a reading (no readings) nor an event (no user, event)\n");
    assert_string_equal(trial_metrics(&t),
                        "h,1,rss_kb,1000\nh,1,heap,3\n7,2,rss_kb,1.5e3\n7,2,value,5\n"
                        "h,3,rss_kb,2\n");
    assert_string_equal(trial_sessions(&t), "h,,1,,\n7,,,,1\n");
    trial_end(&t);
}

/* "." is the element where there is one; a dot behind a path is what that leads to. */
static void numbers_of_an_element_or_a_member_can_be_readings(void **state)
{
    (void)state;
    static const char *const fields[] = {"session=id,time=log[].t,readings=.",
                                         "session=id,time=log[].t,readings=log[]."};
    trial t;
    for (size_t i = 0; i < 2; i++) {
        expect_metrics(fields[i],
                       "{\"id\":\"s\",\"n\":9,\"log\":[{\"t\":1,\"rss\":2,\"x\":\"y\"},{\"t\":2,"
                       "\"rss\":3},7]}\n",
                       "a.jsonl:1: element 3 of log[]: readings is a single value, "
                       "an object was expected\n",
                       "s,1,rss,2\ns,2,rss,3\n");
    }
    put_and_import(&t, "session=heap.id,time=t,readings=heap.",
                   "{\"t\":1,\"n\":9,\"heap\":{\"id\":4,\"rss\":2,\"t\":5}}\n");
    assert_string_equal(trial_metrics(&t), "4,1,rss,2\n4,1,t,5\n");
    trial_end(&t);
    put_and_import(&t, "session=id,time=log[].m.t,readings=log[].m.",
                   "{\"id\":\"s\",\"log\":[{\"n\":9,\"m\":{\"t\":1,\"rss\":2}}]}\n");
    assert_string_equal(trial_metrics(&t), "s,1,rss,2\n");
    trial_end(&t);
    put_and_import(&t, "session=id,time=log[].t,readings=counts.",
                   "{\"id\":\"s\",\"counts\":{\"id\":4},\"log\":[{\"t\":1},{\"t\":2}]}\n");
    assert_string_equal(trial_metrics(&t), "s,1,id,4\ns,2,id,4\n");
    trial_end(&t);
}

/* Without the dot every member is one, and what is no number is told. */
static void a_path_without_a_dot_takes_every_member(void **state)
{
    (void)state;
    expect_metrics("session=id,time=log[].t,readings=log[]",
                   "{\"id\":\"s\",\"log\":[{\"t\":1,\"rss\":2,\"x\":\"y\"}]}\n",
                   "a.jsonl:1: element 1 of log[]: x: value 'y': not a number\n",
                   "s,1,t,1\ns,1,rss,2\n");
}

/* --- arrays, and objects over several lines ---------------------------------------------- */
#define ROW(time) "{\"session\":\"s\",\"time\":" time ",\"object\":\"o\",\"value\":2}"

static void elements_of_an_array_are_as_good_as_lines(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[" ROW("1") "," ROW("2") "]",
        "[\n" ROW("1") ",\n" ROW("2") "\n]\n",
        "\xEF\xBB\xBF \r\n\t[ " ROW("1") "\n ,\n" ROW("2") "]",
        "[" ROW("1") "]\n[]\n[" ROW("2") "]\n",
        "[{\n  \"session\": \"s\",\n  \"time\": 1,\n  \"object\": \"o\",\n  \"value\": 2\n},"
        "\n{\"session\":\"s\",\n\"time\":2,\"object\":\"o\",\"value\":2}]",
        "[\n" ROW("1") "]" ROW("2"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expect_metrics(NULL, texts[i], "", "s,1,o,2\ns,2,o,2\n");
    }
}

static void pretty_printed_objects_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\n  \"session\": \"s\",\n  \"time\": 1,\n  \"object\": \"o\",\n  \"value\": 2\n}\n"
        "{\n  \"session\": \"s\",\n  \"time\": 2,\n  \"object\": \"o\",\n  \"value\": 2\n}\n",
        "\n{ \t\r\n\"session\":\"s\",\"time\":1,\"object\":\"o\",\"value\":2}" ROW("2"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expect_metrics(NULL, texts[i], "", "s,1,o,2\ns,2,o,2\n");
    }
}

static void what_is_wrong_in_an_array_is_told_by_its_line(void **state)
{
    (void)state;
    trial t;
    put_and_import(
        &t, NULL,
        "\n[ " ROW("1") ",\n"
                        "{\"session\":\"s\",\n\"time\":2,\"object\":\"o\",\"value\":\"x\"}, 7,\n"
                        "{},\n"
                        "{\"a\":\n\n!},\n"
                        "[" ROW("3") "]\n,{\"a\":\"\xFF\"}]\n" ROW("4") "]\n");
    assert_string_equal(t.problems,
                        "a.jsonl:3: value 'x': not a number\n"
                        "a.jsonl:4: not an object\n"
                        "a.jsonl:5: neither a reading (no session, time, object, value) nor an "
                        "event (no user, time, event)\n"
                        "a.jsonl:8: not JSON: unexpected character\n"
                        "a.jsonl:9: not an object\n"
                        "a.jsonl:10: not UTF-8\n"
                        "a.jsonl:11: ']' where a value was expected\n");
    assert_int_equal(t.result.damaged, 1);
    assert_int_equal(t.result.left_out, 6);
    assert_string_equal(trial_metrics(&t), "s,1,o,2\ns,4,o,2\n");
    trial_end(&t);
}

static void an_array_that_breaks_off_keeps_what_came_before(void **state)
{
    (void)state;
    static const char text[] = "[" ROW("1") ",\n" ROW("2") "]";
    size_t first = 1 + strlen(ROW("1")), both = sizeof text - 2;
    for (size_t cut = 1; cut < sizeof text - 1; cut++) {
        trial t;
        trial_begin(&t);
        trial_put_bytes(&t, "a.json", text, cut);
        if (cut < first) {
            trial_refused(&t, KB_IMPORT_JSONL, NULL, "a.json:1: truncated: the JSON ends early");
        } else {
            trial_succeed(&t, KB_IMPORT_JSONL, NULL);
            assert_int_equal(t.result.damaged, 1);
            assert_string_equal(trial_metrics(&t), cut < both ? "s,1,o,2\n" : "s,1,o,2\ns,2,o,2\n");
        }
        trial_end(&t);
    }
}

static void an_array_in_a_truncated_gzip_file_keeps_what_came_before(void **state)
{
    (void)state;
    trial t;
    static char text[40000];
    strcpy(text, "[");
    for (int i = 0; i < 300; i++)
        sprintf(text + strlen(text),
                "%s{\"session\":\"s%d\",\"time\":%d,\"object\":\"o\",\"value\":2}", i ? ",\n" : "",
                i * 7919 % 1000, i);
    trial_begin(&t);
    trial_put(&t, "a.json.gz", strcat(text, "]"));
    trial_cut(&t, "a.json.gz", 1000);
    trial_succeed(&t, KB_IMPORT_JSONL, NULL);
    assert_int_equal(t.result.damaged, 1);
    assert_non_null(strstr(t.problems, ": truncated: the gzip data end early\n"));
    assert_true(t.result.readings > 10 && t.result.readings < 300);
    trial_end(&t);
    trial_begin(&t);
    trial_put(&t, "a.json.gz", "[");
    trial_cut(&t, "a.json.gz", 12);
    trial_refused(&t, KB_IMPORT_JSONL, NULL, "truncated: the gzip data end early");
    trial_end(&t);
}

static void an_element_that_is_too_long_is_told(void **state)
{
    (void)state;
    trial t;
    size_t most = (size_t)64 << 20;
    char *text = malloc(most + 200);
    assert_non_null(text);
    memset(text, ' ', most + 200);
    memcpy(text, "[{", 2);
    char *end = text + most + 2;
    end += sprintf(end, "},\n" ROW("1") "]");
    trial_begin(&t);
    trial_put_bytes(&t, "a.json.gz", text, (size_t)(end - text));
    free(text);
    trial_succeed(&t, KB_IMPORT_JSONL, NULL);
    assert_string_equal(t.problems, "a.json.gz:1: a value longer than 64 MiB\n");
    assert_string_equal(trial_metrics(&t), "s,1,o,2\n");
    trial_end(&t);
}

/* More blanks than are looked at come before it. */
static void an_array_far_down_is_a_line(void **state)
{
    (void)state;
    char text[6000];
    memset(text, '\n', 5000);
    strcpy(text + 5000, "[]\n" ROW("1"));
    expect_metrics(NULL, text, "a.jsonl:5001: not an object\n", "s,1,o,2\n");
}

static void an_array_comes_through_a_pipe_in_pieces(void **state)
{
    (void)state;
    static const char *const texts[] = {"\xEF\xBB\xBF\n[" ROW("1") "," ROW("2") "]",
                                        "\xEF\xBB\xBF\n{\n\"session\":\"s\",\"time\":1,\"object\":"
                                        "\"o\",\"value\":2}" ROW("2"),
                                        "\xEF\xBB\xBF\n" ROW("1") "\n" ROW("2")};
    for (size_t i = 0; i < 3; i++) {
        trial t;
        trial_begin(&t);
        trial_succeed_piped(&t, KB_IMPORT_JSONL, texts[i], 12);
        assert_string_equal(t.problems, "");
        assert_string_equal(trial_metrics(&t), "s,1,o,2\ns,2,o,2\n");
        trial_end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_names_and_arrays),
        cmocka_unit_test(a_path_may_select_and_be_loose),
        cmocka_unit_test(maps_that_are_none_are_refused),
        cmocka_unit_test(a_path_with_odd_names_finds_them),
        cmocka_unit_test(the_elements_of_nested_arrays_are_rows),
        cmocka_unit_test(arrays_of_arrays_and_of_texts_work),
        cmocka_unit_test(readings_can_be_in_an_array),
        cmocka_unit_test(bad_elements_are_told_by_their_number),
        cmocka_unit_test(the_first_element_with_the_text_is_selected),
        cmocka_unit_test(a_selection_may_have_odd_characters),
        cmocka_unit_test(selections_and_arrays_go_together),
        cmocka_unit_test(numbers_of_the_line_itself_can_be_readings),
        cmocka_unit_test(numbers_of_an_element_or_a_member_can_be_readings),
        cmocka_unit_test(a_path_without_a_dot_takes_every_member),
        cmocka_unit_test(elements_of_an_array_are_as_good_as_lines),
        cmocka_unit_test(pretty_printed_objects_are_read),
        cmocka_unit_test(what_is_wrong_in_an_array_is_told_by_its_line),
        cmocka_unit_test(an_array_that_breaks_off_keeps_what_came_before),
        cmocka_unit_test(an_array_in_a_truncated_gzip_file_keeps_what_came_before),
        cmocka_unit_test(an_element_that_is_too_long_is_told),
        cmocka_unit_test(an_array_far_down_is_a_line),
        cmocka_unit_test(an_array_comes_through_a_pipe_in_pieces),
    };
    return cmocka_run_group_tests_name("import_shapes", tests, NULL, NULL);
}
