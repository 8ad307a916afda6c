#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "corpus_files.h"
#include "ledger.h"

static const char header[] = "session,cluster";

struct names {
    char text[4096];
    size_t count;
};

static kb_status hear(void *ctx, const char *name, size_t length, kb_error *err)
{
    struct names *names = ctx;
    (void)err;
    snprintf(names->text + strlen(names->text), sizeof names->text - strlen(names->text), "[%.*s]",
             (int)length, name);
    names->count++;
    return KB_OK;
}

static kb_status recover(const char *path, kb_ledger_form form, kb_ledger_place *place,
                         struct names *names)
{
    uint64_t rows;
    *names = (struct names){0};
    kb_ledger_reader reader = {hear, names};
    kb_status status = kb_ledger_recover(path, form, header, place, reader, &rows, NULL);
    if (!status)
        assert_int_equal(rows, names->count);
    return status;
}

static size_t size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (size_t)st.st_size;
}

static const char csv[] = "session,cluster\na,1\n\"b \"\"x\"\", y\",2\n\"two\nlines\",3\nc,4\n";
static const char json[] = "{\"session\":\"a\",\"cluster\":1}\n"
                           "{\"session\":\"b \\\"x\\\" \\\\ \\u000a\",\"cluster\":2}\n"
                           "{\"session\":\"\xC3\xA9\",\"cluster\":3}\n";

static void sessions_of_rows(void **state)
{
    (void)state;
    char folder[256];
    struct names names;
    kb_ledger_place place = {0};
    make_folder(folder, sizeof folder);
    const char *path = write_text(folder, "out.csv", csv);
    assert_int_equal(recover(path, KB_LEDGER_CSV, &place, &names), KB_OK);
    assert_string_equal(names.text, "[a][b \"x\", y][two\nlines][c]");
    assert_int_equal(place.offset, sizeof csv - 1);
    assert_int_equal(recover(path, KB_LEDGER_CSV, &place, &names), KB_OK);
    assert_int_equal(names.count, 0); /* all is accounted for */
    place = (kb_ledger_place){0};
    path = write_text(folder, "out.json", json);
    assert_int_equal(recover(path, KB_LEDGER_JSON, &place, &names), KB_OK);
    assert_string_equal(names.text, "[a][b \"x\" \\ \n][\xC3\xA9]");
    remove_folder(folder);
}

/* Cut off anywhere: whole rows count, the rest goes. */
static void a_torn_row_is_cut_off(const char *text, kb_ledger_form form)
{
    char folder[256];
    make_folder(folder, sizeof folder);
    for (size_t n = 0; n <= strlen(text); n++) {
        struct names names, again;
        kb_ledger_place place = {0};
        const char *path = write_bytes(folder, "out", text, n);
        assert_int_equal(recover(path, form, &place, &names), KB_OK);
        assert_int_equal(place.offset, size_of(path));
        assert_true(place.offset == 0 || text[place.offset - 1] == '\n');
        place = (kb_ledger_place){0};
        assert_int_equal(recover(path, form, &place, &again), KB_OK);
        assert_string_equal(names.text, again.text);
    }
    remove_folder(folder);
}

static void torn_rows(void **state)
{
    (void)state;
    a_torn_row_is_cut_off(csv, KB_LEDGER_CSV);
    a_torn_row_is_cut_off(json, KB_LEDGER_JSON);
}

static void something_else_is_left_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {"my notes\nare here", "session,cluster,more\na,1\n",
                                        "{\"a\":1}\n{\"session\":\"x\",\"cluster\":1}\n"};
    char folder[256];
    make_folder(folder, sizeof folder);
    for (size_t i = 0; i < 3; i++)
        for (int form = 0; form < 2; form++) {
            struct names names;
            kb_ledger_place place = {0};
            const char *path = write_text(folder, "out", texts[i]);
            assert_int_equal(recover(path, (kb_ledger_form)form, &place, &names), KB_ERR_FORMAT);
            assert_int_equal(size_of(path), strlen(texts[i]));
        }
    remove_folder(folder);
}

static void from_the_place_on(void **state)
{
    (void)state;
    char folder[256], renamed[300];
    struct names names;
    kb_ledger_place place = {0};
    make_folder(folder, sizeof folder);
    const char *path = write_text(folder, "out.csv", "session,cluster\na,1\n");
    assert_int_equal(recover(path, KB_LEDGER_CSV, &place, &names), KB_OK);
    FILE *f = fopen(path, "a");
    fputs("b,1\nc", f);
    fclose(f);
    kb_ledger_place before = place;
    assert_int_equal(recover(path, KB_LEDGER_CSV, &place, &names), KB_OK);
    assert_string_equal(names.text, "[b]");
    snprintf(renamed, sizeof renamed, "%s/out.1", folder);
    assert_int_equal(rename(path, renamed), 0);
    char *found = kb_ledger_find(path, &before);
    assert_string_equal(found, renamed);
    free(found);
    write_text(folder, "out.csv", "session,cluster\nz,1\n");
    assert_int_equal(recover(path, KB_LEDGER_CSV, &place, &names), KB_OK);
    assert_string_equal(names.text, "[z]"); /* another file: all of it */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(recover(path, KB_LEDGER_CSV, &place, &names), KB_OK);
    assert_int_equal(place.inode, 0);
    before.inode = 1;
    assert_null(kb_ledger_find(path, &before));
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_of_rows),
        cmocka_unit_test(torn_rows),
        cmocka_unit_test(something_else_is_left_alone),
        cmocka_unit_test(from_the_place_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
