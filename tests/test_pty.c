/* pty: the harness of the explorer's tests, tried on small shell programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "pty.h"

enum { PATIENCE = 60 }; /* seconds; only how long a broken test hangs */

static pty *shell(const char *script, int rows, int cols)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    pty *p = pty_start(argv, NULL, NULL, rows, cols);
    assert_non_null(p);
    return p;
}

static int exit_status(pty *p)
{
    int status = -1;
    assert_true(pty_wait_exit(p, PATIENCE, &status));
    return status;
}

static void what_is_typed_reaches_the_program_and_its_output_the_screen(void **state)
{
    (void)state;
    const char *argv[] = {"cat", NULL};
    pty *p = pty_start(argv, NULL, NULL, 5, 20);
    assert_non_null(p);
    pty_send(p, "hello\r");
    assert_true(pty_wait_text(p, "hello", PATIENCE));
    assert_false(pty_wait_text(p, "goodbye", 0.05));
    assert_true(pty_wait_gone(p, "goodbye", 0));
    pty_send(p, "\004");
    int status = exit_status(p);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    char *screen = pty_screen(p);
    assert_string_equal(screen, "hello\nhello\n\n\n\n");
    free(screen);
    size_t length;
    const char *output = pty_output(p, &length);
    assert_int_equal(length, strlen("hello\r\nhello\r\n"));
    assert_string_equal(output, "hello\r\nhello\r\n");
    pty_close(p);
}

static void the_program_sees_its_size_and_its_changes(void **state)
{
    (void)state;
    pty *p = shell("trap 'stty size' WINCH; stty size; while :; do sleep 0.02; done", 7, 33);
    assert_true(pty_wait_text(p, "7 33", PATIENCE));
    pty_resize(p, 9, 44);
    assert_true(pty_wait_text(p, "9 44", PATIENCE));
    pty_close(p);
}

static void exits_and_deaths_are_told_apart(void **state)
{
    (void)state;
    pty *p = shell("exit 3", 5, 20);
    int status = exit_status(p);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    pty_close(p);
    p = shell("echo up; kill -TERM $$", 5, 20);
    status = exit_status(p);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    pty_close(p);
}

static void interrupts_typed_reach_the_foreground_job(void **state)
{
    (void)state;
    pty *p = shell("echo up; exec sleep 100", 5, 20);
    assert_true(pty_wait_text(p, "up", PATIENCE));
    pty_send(p, "\003");
    int status = exit_status(p);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    pty_close(p);
}

static void a_program_is_stopped_and_continued(void **state)
{
    (void)state;
    const char *argv[] = {"cat", NULL};
    pty *p = pty_start(argv, NULL, NULL, 5, 20);
    assert_non_null(p);
    pty_send(p, "up\r");
    assert_true(pty_wait_text(p, "up", PATIENCE));
    pty_send(p, "\032");
    assert_true(pty_wait_stopped(p, PATIENCE));
    pty_signal(p, SIGCONT);
    pty_send(p, "again\r\004");
    int status = exit_status(p);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(pty_find(p, "again", NULL, NULL));
    pty_close(p);
}

static void a_hang_up_ends_the_program(void **state)
{
    (void)state;
    pty *p = shell("echo up; exec sleep 100", 5, 20);
    assert_true(pty_wait_text(p, "up", PATIENCE));
    pty_hang_up(p);
    int status = exit_status(p);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
    assert_true(pty_find(p, "up", NULL, NULL));
    pty_close(p);
}

static void modes_that_a_program_changes_are_seen(void **state)
{
    (void)state;
    pty *p = shell("read a; stty raw -echo; echo raw; read b; stty sane; exit 0", 5, 20);
    struct termios before = pty_modes(p);
    pty_send(p, "\r");
    assert_true(pty_wait_text(p, "raw", PATIENCE));
    struct termios during = pty_modes(p), same = pty_modes(p);
    assert_false(pty_same_modes(&before, &during));
    assert_true(pty_same_modes(&during, &same));
    assert_true(before.c_lflag & ECHO);
    assert_false(during.c_lflag & ECHO);
    pty_close(p);
}

static void colours_cursor_mouse_and_alternate_screen_are_seen(void **state)
{
    (void)state;
    pty *p = shell("printf '\\033[?1049h\\033[?25l\\033[?1002h\\033[?1006h\\033[2J\\033[2;3H"
                   "\\033[1;7;38;2;10;20;30;48;5;196mX\\033[0mY'; read a; "
                   "printf '\\033[?1006l\\033[?1002l\\033[?25h\\033[?1049ldone'",
                   5, 20);
    assert_true(pty_wait_text(p, "XY", PATIENCE));
    assert_true(pty_alternate_screen(p) && pty_mouse(p) && !pty_cursor_visible(p));
    int row, col;
    assert_true(pty_find(p, "Y", &row, &col));
    assert_int_equal(row, 1);
    assert_int_equal(col, 3);
    pty_colors x = pty_colors_at(p, 1, 2), y = pty_colors_at(p, 1, 3);
    static const uint8_t foreground[] = {10, 20, 30};
    assert_memory_equal(x.foreground, foreground, 3);
    assert_true(x.background[0] > 200 && x.background[1] < 50 && x.bold && x.reverse);
    assert_true(y.default_foreground && y.default_background && !y.bold && !y.reverse);
    pty_cursor(p, &row, &col);
    assert_int_equal(row, 1);
    assert_int_equal(col, 4);
    pty_send(p, "\r");
    exit_status(p);
    assert_false(pty_alternate_screen(p) || pty_mouse(p));
    assert_true(pty_cursor_visible(p));
    assert_true(pty_find(p, "done", NULL, NULL));
    assert_false(pty_find(p, "XY", NULL, NULL));
    pty_close(p);
}

static void characters_beyond_ascii_are_read_back(void **state)
{
    (void)state;
    pty *p = shell("printf 'a\\342\\240\\277b \\346\\227\\245x'", 3,
                   20); /* braille, then a wide character */
    exit_status(p);
    char *line = pty_line(p, 0);
    assert_string_equal(line, "a\u283Fb \u65E5x");
    free(line);
    int row, col;
    assert_true(pty_find(p, "x", &row, &col));
    assert_int_equal(col, 6);
    pty_close(p);
}

static void the_environment_is_what_was_asked(void **state)
{
    (void)state;
    const char *argv[] = {"sh", "-c", "echo $TERM $LC_ALL $MINE [$LINES]; pwd", NULL};
    const char *env[] = {"MINE=yes", "TERM=dumb", NULL};
    setenv("LINES", "99", 1);
    pty *p = pty_start(argv, env, "/", 5, 40);
    assert_non_null(p);
    exit_status(p);
    char *screen = pty_screen(p);
    assert_string_equal(screen, "dumb C.UTF-8 yes []\n/\n\n\n\n");
    free(screen);
    unsetenv("LINES");
    pty_close(p);
}

static void questions_to_the_terminal_are_answered(void **state)
{
    (void)state;
    pty *p = shell(
        "stty raw -echo; printf '\\033[6n'; dd bs=1 count=6 2>/dev/null | od -An -c; stty sane", 5,
        60);
    assert_true(pty_wait_text(p, "033   [   1   ;   1   R", PATIENCE));
    pty_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_typed_reaches_the_program_and_its_output_the_screen),
        cmocka_unit_test(the_program_sees_its_size_and_its_changes),
        cmocka_unit_test(exits_and_deaths_are_told_apart),
        cmocka_unit_test(interrupts_typed_reach_the_foreground_job),
        cmocka_unit_test(a_program_is_stopped_and_continued),
        cmocka_unit_test(a_hang_up_ends_the_program),
        cmocka_unit_test(modes_that_a_program_changes_are_seen),
        cmocka_unit_test(colours_cursor_mouse_and_alternate_screen_are_seen),
        cmocka_unit_test(characters_beyond_ascii_are_read_back),
        cmocka_unit_test(the_environment_is_what_was_asked),
        cmocka_unit_test(questions_to_the_terminal_are_answered),
    };
    if (!pty_available()) {
        printf("skip test_pty: no pseudo-terminals here (is /dev/pts mounted?)\n");
        return 77;
    }
    return cmocka_run_group_tests_name("pty", tests, NULL, NULL);
}
