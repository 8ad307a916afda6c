/* tables: what people see on terminals of all widths, and what scripts get, which is always the
 * whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <wchar.h>

#include "program_world.h"
#include "pty.h"

enum { PATIENCE = 90, ROWS = 24 };

#define LONG_NAME "com.example.feed.日本語の画像キャッシュ.ThumbnailHolder"

/* "crashes" with its model "trained"; "named", whose leaking objects have long names, one folded
 * into the other. */
static int build_world(void **state)
{
    static struct world world;
    if (!setlocale(LC_CTYPE, "C.UTF-8") || !world_open(&world, "tables"))
        return -1;
    *state = &world;
    run(&world,
        "\"$KABOOM\" generate crashes --sessions 120 --objects 40 --timesteps 20 --types 3 -q");
    run(&world, "\"$KABOOM\" train crashes -o trained --threads 1 -q --epochs 4 --dec-epochs 3"
                " --hidden 32 --latent 24 --runs 1 -k 3 2>train.err");
    run(&world, "gzip -dc crashes/metrics.csv.gz >rows.csv");
    run(&world,
        "mkdir named && awk 'BEGIN { m = \"named/metrics.csv\"; l = \"named/sessions.csv\";"
        " print \"session,time,object,value\" >m; print \"session,label\" >l;"
        " for (s = 1; s <= 40; s++) { leak = s <= 20;"
        " print \"s\" s \",\" (leak ? \"leak\" : \"other\") >l;"
        " for (t = 0; t < 12; t++) { print \"s\" s \",\" t \",noise,\" 1 + (s * 7 + t * 3) % 5 >m;"
        " for (i = 1; i <= 2; i++) if (leak || s % 7 == 0)"
        " print \"s\" s \",\" t \"," LONG_NAME "\" i \",\" 1 + t * 3 * leak + s % 3 >m } } }'");
    return 0;
}

static int raze_world(void **state)
{
    world_close(*state);
    return 0;
}

/* What "kaboom COMMAND" writes on a terminal of COLS columns (COLUMNS=ENV, if that is not NULL),
 * the carriage returns taken out. The caller frees. */
static char *shown_with(const struct world *world, const char *command, int cols, const char *env)
{
    char line[3 * WORLD_PATH], cache[2 * WORLD_PATH];
    const char *const environment[] = {cache, env, NULL};
    snprintf(cache, sizeof cache, "XDG_CACHE_HOME=%s", world->folder);
    snprintf(line, sizeof line, "exec '%s' -q %s 2>errors", world->program, command);
    const char *argv[] = {"sh", "-c", line, NULL};
    pty *p = pty_start(argv, environment, world->folder, ROWS, cols);
    assert_non_null(p);
    int status = -1;
    assert_true(pty_wait_exit(p, PATIENCE, &status));
    size_t length, kept = 0;
    const char *output = pty_output(p, &length);
    char *text = malloc(length + 1);
    for (size_t i = 0; i < length; i++)
        if (output[i] != '\r')
            text[kept++] = output[i];
    text[kept] = '\0';
    pty_close(p);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s: %s", command, text);
    return text;
}

static char *shown(const struct world *world, const char *command, int cols)
{
    return shown_with(world, command, cols, NULL);
}

/* The cells of the line at TEXT, *LENGTH its bytes. */
static size_t line_width(const char *text, size_t *length)
{
    wchar_t wide[4096];
    char line[4096];
    *length = strcspn(text, "\n");
    assert_true(*length < sizeof line);
    memcpy(line, text, *length);
    line[*length] = '\0';
    size_t n = mbstowcs(wide, line, sizeof wide / sizeof *wide);
    assert_true(n != (size_t)-1);
    int width = wcswidth(wide, n);
    assert_true(width >= 0);
    return (size_t)width;
}

/* No line is wider than COLS; returns how wide the widest is. */
static size_t check_width(const char *command, const char *text, size_t cols)
{
    size_t widest = 0, length;
    while (*text) {
        size_t width = line_width(text, &length);
        if (width > cols)
            fail_msg("%s: %zu cells in a line: %.*s", command, width, (int)length, text);
        widest = width > widest ? width : widest;
        text += length + (text[length] == '\n');
    }
    return widest;
}

static void check_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no '%s' in:\n%s", part, text);
}

static void check_lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("'%s' in:\n%s", part, text);
}

static const char *const verbs[] = {
    "explain crashes -m trained --top 3",
    "explain crashes -m trained --by rank --top 3",
    "explain crashes -m trained --by mean --top 3",
    "explain crashes -m trained --by mutation --top 3",
    "explain crashes -m trained --representatives 1",
    "clusters crashes -m trained",
    "clusters crashes -m trained --by version",
    "compare trained trained --corpus crashes",
    "compare-variants crashes --epochs 2 --dec-epochs 1 --hidden 8 --latent 2 --kmin 2 --kmax 3",
    "assign crashes -m trained --split later",
    "assign - -m trained <rows.csv",
    "embed crashes -m trained --split later",
    "project crashes -m trained --split later --iterations 20 --perplexity 3",
    "elbow crashes -m trained --kmin 2 --kmax 4",
    "score crashes -m trained --baselines",
    "ngrams crashes -n 5",
    "ngrams crashes -m trained -n 2..4 --top 3",
    "name trained",
    "info trained",
    "info crashes",
    "check crashes",
    "cache",
};

static void no_table_is_wider_than_its_terminal(void **state)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        char *text = shown(*state, verbs[i], 80);
        check_width(verbs[i], text, 80);
        free(text);
        text = shown(*state, verbs[i], 200);
        check_width(verbs[i], text, 200);
        free(text);
    }
}

static void what_is_left_out_is_told(void **state)
{
    char *text = shown(*state, "explain crashes -m trained --top 2", 80);
    check_has(text, "cluster  rank  object ");
    check_has(text, "  presence ");
    check_has(text, "\nLeft out: f1, lead, inside, outside,");
    check_has(text, " folded, also;\n--format csv or a terminal of ");
    check_has(text, " columns has all\n");
    free(text);
}

static void a_wide_terminal_has_everything(void **state)
{
    char *text = shown(*state, "explain crashes -m trained --top 2", 200);
    check_has(text, "  folded  also\n");
    check_lacks(text, "Left out");
    free(text);
}

/* The number that the note tells is enough, and one less is not. */
static void the_width_that_is_told_is_enough(void **state)
{
    static const char command[] = "clusters crashes -m trained";
    char *text = shown(*state, command, 70);
    const char *told = strstr(text, "a terminal of ");
    assert_non_null(told);
    int width = atoi(told + strlen("a terminal of "));
    free(text);
    text = shown(*state, command, width);
    check_lacks(text, "Left out");
    assert_int_equal(check_width(command, text, (size_t)width), width);
    free(text);
    text = shown(*state, command, width - 1);
    check_has(text, "Left out");
    free(text);
}

static void names_lose_their_middle(void **state)
{
    static const char command[] = "explain named --where label=leak --by presence";
    char *text = shown(*state, command, 72);
    check_has(text, "  com.example.fee…umbnailHolder1  ");
    check_has(text, "\n… stands for a part of a name;");
    check_lacks(text, "Left out");
    check_width(command, text, 72);
    free(text);
    text = shown(*state, command, 200);
    check_has(text, "  " LONG_NAME "1  ");
    check_lacks(text, "…");
    free(text);
}

static void the_environment_may_ask_for_another_width(void **state)
{
    static const char command[] = "clusters crashes -m trained";
    char *narrow = shown(*state, command, 80);
    char *text = shown_with(*state, command, 200, "COLUMNS=80");
    assert_string_equal(text, narrow);
    free(text);
    free(narrow);
    text = shown_with(*state, command, 80, "COLUMNS=1000");
    check_lacks(text, "Left out");
    free(text);
    text = shown_with(*state, command, 80, "COLUMNS=none");
    check_width(command, text, 80);
    free(text);
}

/* CSV and JSON on a terminal, and all forms elsewhere. */
static void all_else_is_whole(void **state)
{
    static const char *const formats[] = {"csv", "json", "table"};
    const struct world *world = *state;
    for (size_t i = 0; i < 3; i++) {
        char command[2 * WORLD_PATH];
        snprintf(command, sizeof command,
                 "COLUMNS=40 \"$KABOOM\" explain named --where label=leak --format %s >whole && "
                 "grep -q also whole && grep -q %s2 whole && ! grep -q 'Left out' whole",
                 formats[i], LONG_NAME);
        run(world, command);
        if (i == 2)
            continue;
        snprintf(command, sizeof command, "explain named --where label=leak --format %s",
                 formats[i]);
        char *text = shown(world, command, 80);
        check_has(text, LONG_NAME "2");
        check_has(text, "also");
        check_lacks(text, "Left out");
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_table_is_wider_than_its_terminal),
        cmocka_unit_test(what_is_left_out_is_told),
        cmocka_unit_test(a_wide_terminal_has_everything),
        cmocka_unit_test(the_width_that_is_told_is_enough),
        cmocka_unit_test(names_lose_their_middle),
        cmocka_unit_test(the_environment_may_ask_for_another_width),
        cmocka_unit_test(all_else_is_whole),
    };
    if (!pty_available()) {
        printf("skip test_tables: no pseudo-terminals here (is /dev/pts mounted?)\n");
        return 77;
    }
    return cmocka_run_group_tests_name("tables", tests, build_world, raze_world);
}
