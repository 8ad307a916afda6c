/* map_file: good maps, and whatever else may be in a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "map_file.h"

static kb_status load(kb_map_file *map, const char *text, size_t length, kb_error *err)
{
    char path[] = "/tmp/kaboom-map.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    close(fd);
    kb_status status = kb_map_file_load(map, path, NULL, err);
    unlink(path);
    return status;
}

static void assert_place(const kb_map_file *map, const char *session, float x, float y)
{
    uint32_t id = kb_names_find(map->sessions, session, strlen(session));
    assert_int_not_equal(id, KB_NAME_NONE);
    assert_true(map->places[2 * id] == x && map->places[2 * id + 1] == y);
}

static void places_are_read_whatever_the_order_of_columns(void **state)
{
    (void)state;
    const char text[] = "cluster,y,session,x\n3,-1.25,b,4e-1\n1,+2,\"a,1\",-0\n0,,lost,\n";
    kb_map_file map;
    assert_int_equal(load(&map, text, strlen(text), NULL), KB_OK);
    assert_int_equal(kb_names_count(map.sessions), 2);
    assert_place(&map, "b", 0.4F, -1.25F);
    assert_place(&map, "a,1", 0, 2);
    kb_map_file_clear(&map);
}

static void what_is_no_map_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"session,x\na,1\n", "y"},
        {"session,x,y\n", "no session has a place"},
        {"session,x,y\na,1,2\n,1,2\n", ":3: empty session"},
        {"session,x,y\na,1,\n", ":2: y ''"},
        {"session,x,y\na,--1,2\n", ":2: x '--1': not a number"},
        {"session,x,y\na,-+1,2\n", ":2: x '-+1': not a number"},
        {"session,x,y\na,-,2\n", ":2: x '-': not a number"},
        {"session,x,y\na,nan,2\n", ":2: x 'nan': not a number"},
        {"session,x,y\na,1e99,2\n", ":2: x '1e99': larger than FLT_MAX"},
        {"session,x,y\na,1,2,3\n", ":2:"},
        {"session,x,y\na,1,2\nb,1,2\na,1,2\n", ":4: session 'a' is there twice"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kb_map_file map;
        kb_error err;
        if (load(&map, bad[i].text, strlen(bad[i].text), &err) != KB_ERR_FORMAT)
            fail_msg("not refused: %s", bad[i].text);
        if (!strstr(err.text, bad[i].says))
            fail_msg("'%s' does not say '%s'", err.text, bad[i].says);
        kb_map_file_clear(&map);
    }
    kb_map_file map;
    assert_int_equal(load(&map, "", 0, NULL), KB_ERR_DAMAGED);
    kb_map_file_clear(&map);
    assert_int_equal(kb_map_file_load(&map, "/nowhere/map.csv", NULL, NULL), KB_ERR_IO);
    kb_map_file_clear(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_read_whatever_the_order_of_columns),
        cmocka_unit_test(what_is_no_map_is_refused_with_its_line),
    };
    return cmocka_run_group_tests_name("map_file", tests, NULL, NULL);
}
