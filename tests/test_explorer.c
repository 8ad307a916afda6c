/* explorer: the program itself on a terminal, from the first frame to the last, and what it leaves
 * behind.
 *
 * Waits are generous (a busy machine is no failure), and what must be quick is printed, not judged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program_world.h"
#include "pty.h"

enum { PATIENCE = 400, ROWS = 24, COLS = 100 }; /* seconds; cells */

/* --- files and the batch verbs --- */

static char *read_file(const struct world *world, const char *name)
{
    char path[2 * WORLD_PATH], *text = NULL;
    size_t room = 0;
    snprintf(path, sizeof path, "%s/%s", world->folder, name);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s: %s", path, strerror(errno));
    ssize_t length = getdelim(&text, &room, '\0', f);
    fclose(f);
    assert_true(length > 0);
    return text;
}

/* Every line of SHORTER (whose last field may end earlier) begins the line of LONGER that has the
 * same number. */
static void check_begins_lines(const char *shorter, const char *longer)
{
    while (*shorter) {
        size_t length = strcspn(shorter, "\n"), full = strcspn(longer, "\n");
        if (full < length || memcmp(shorter, longer, length) != 0 ||
            (full > length && longer[length] != ','))
            fail_msg("'%.*s' does not begin with '%.*s'", (int)full, longer, (int)length, shorter);
        shorter += length + (shorter[length] == '\n');
        longer += full + (longer[full] == '\n');
    }
    assert_int_equal(*longer, '\0');
}

/* What all tests share: a folder with a corpus "crashes", a model "trained" of it, and
 * "endless.csv", a pipe that never tells anything. */
static int build_world(void **state)
{
    static struct world world;
    if (!world_open(&world, "explorer"))
        return -1;
    *state = &world;
    run(&world,
        "\"$KABOOM\" generate crashes --sessions 150 --objects 60 --timesteps 30 --types 5 -q");
    run(&world, "\"$KABOOM\" train crashes -o trained --device cpu --threads 1 -q");
    run(&world, "mkfifo endless.csv");
    return 0;
}

static int raze_world(void **state)
{
    world_close(*state);
    return 0;
}

/* --- the explorer, as a user has it --- */

static pty *explore_sized(const struct world *world, const char *options, int rows, int cols)
{
    static const char *const env[] = {"XDG_STATE_HOME=.", "XDG_CONFIG_HOME=.", "XDG_CACHE_HOME=.",
                                      NULL};
    char command[3 * WORLD_PATH];
    snprintf(command, sizeof command, "exec '%s' --threads=1 --device=cpu %s", world->program,
             options);
    const char *argv[] = {"sh", "-c", command, NULL};
    pty *p = pty_start(argv, env, world->folder, rows, cols);
    assert_non_null(p);
    return p;
}

static pty *explore(const struct world *world, const char *options)
{
    return explore_sized(world, options, ROWS, COLS);
}

static void fail_with_screen(pty *p, const char *what, const char *text)
{
    char *screen = pty_screen(p);
    fprintf(stderr, "%s '%s' on this screen:\n%s", what, text, screen);
    free(screen);
    pty_close(p);
    fail();
}

static void see(pty *p, const char *text)
{
    if (!pty_wait_text(p, text, PATIENCE))
        fail_with_screen(p, "no", text);
}

static void see_no_more(pty *p, const char *text)
{
    if (!pty_wait_gone(p, text, PATIENCE))
        fail_with_screen(p, "still", text);
}

/* Types KEYS and waits for what they bring. */
static void type(pty *p, const char *keys, const char *brings)
{
    pty_send(p, keys);
    see(p, brings);
}

/* Where the LAST of the two texts stands in what was written; the first is no good end. */
static bool ends_with_off(pty *p, const char *on, const char *off)
{
    size_t length;
    const char *output = pty_output(p, &length), *last_on = NULL, *last_off = NULL;
    for (const char *at = output; (at = memmem(at, length - (size_t)(at - output), on, strlen(on)));
         at++)
        last_on = at;
    for (const char *at = output;
         (at = memmem(at, length - (size_t)(at - output), off, strlen(off))); at++)
        last_off = at;
    return !last_on || (last_off && last_off > last_on);
}

/* The terminal is as the program found it. */
static void check_restored(pty *p)
{
    struct termios before = pty_first_modes(p), after = pty_modes(p);
    assert_true(pty_same_modes(&before, &after));
    assert_false(pty_alternate_screen(p));
    assert_false(pty_mouse(p));
    assert_true(pty_cursor_visible(p));
    assert_true(ends_with_off(p, "\033[?1006h", "\033[?1006l"));
    assert_true(ends_with_off(p, "\033[?1002h", "\033[?1002l"));
}

static int wait_status(pty *p)
{
    int status = -1;
    if (!pty_wait_exit(p, PATIENCE, &status))
        fail_with_screen(p, "it does not end;", "q");
    return status;
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check_exited(pty *p, int expected)
{
    int status = wait_status(p);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != expected)
        fail_msg("wait status %#x, expected exit %d", (unsigned)status, expected);
    check_restored(p);
}

static void leave(pty *p, const char *keys, int expected)
{
    double began = seconds_now();
    pty_send(p, keys);
    check_exited(p, expected);
    print_message("left in %.2f s\n", seconds_now() - began);
    pty_close(p);
}

/* --- from loading to the map --- */

static void it_opens_at_once_and_shows_that_it_loads(void **state)
{
    pty *p = explore(*state, "endless.csv");
    see(p, "1 Overview 2 Clusters 3 Map 4 Elbow");
    see(p, "▸ load");
    type(p, "2", "load");
    leave(p, "q", 0);
}

static void it_is_browsed_while_it_trains(void **state)
{
    pty *p = explore(*state, "crashes --epochs=1000000 --patience=1000000");
    see(p, "▸ train");
    see(p, "autoencoder, epoch");
    type(p, "5", "s0000001");
    type(p, "6", "60 rows");
    type(p, "5\r", "s0000001 ");
    see(p, "▁");
    type(p, "1", "▸ train");
    leave(p, "q", 0);
}

static void it_reaches_clusters_by_itself(void **state)
{
    pty *p = explore(*state, "crashes");
    see(p, "Everything is done.");
    see(p, "● load  ● train  ● calibrate  ● map");
    type(p, "2", "Clusters (");
    leave(p, "q", 0);
}

static void the_sample_opens_and_trains(void **state)
{
    char command[WORLD_PATH], *sample = getenv("srcdir") ? realpath(getenv("srcdir"), NULL) : NULL;
    if (!sample)
        skip();
    snprintf(command, sizeof command, "'%s/samples/crashes'", sample);
    free(sample);
    pty *p = explore(*state, command);
    see(p, "Corpus");
    see(p, "Everything is done.");
    type(p, "2", "Clusters (");
    see_no_more(p, "…"); /* the top objects come when there is time */
    leave(p, "q", 0);
}

static void enter_goes_in_and_escape_comes_back(void **state)
{
    pty *p = explore(*state, "crashes -m trained");
    see(p, "Everything is done.");
    type(p, "2", "top object");
    type(p, "\r", "› C1 objects");
    see(p, "elsewhere");
    type(p, "\r", "presence in each cluster");
    see(p, "counts over time");
    see(p, "▃"); /* a sparkline */
    type(p, "\r", "raw count by step");
    type(p, "\033", "counts over time");
    type(p, "\177", "elsewhere");
    type(p, "\t", "› C1 sessions");
    type(p, "\033", "top object");
    see_no_more(p, "›");
    leave(p, "q", 0);
}

static void escape_comes_back_to_the_row_that_was_left(void **state)
{
    pty *p = explore(*state, "crashes -m trained");
    int row, col, back;
    see(p, "Everything is done.");
    type(p, "5", "s0000004");
    pty_send(p, "jjj");
    pty_wait_quiet(p, 0.3, PATIENCE);
    pty_cursor(p, &row, &col);
    char *line = pty_line(p, row);
    assert_non_null(strstr(line, "s0000004"));
    free(line);
    type(p, "\r", "› s0000004");
    pty_send(p, "\033");
    see_no_more(p, "›");
    pty_wait_quiet(p, 0.3, PATIENCE);
    pty_cursor(p, &back, &col);
    assert_int_equal(back, row);
    leave(p, "q", 0);
}

static void help_lists_the_keys_of_the_view(void **state)
{
    pty *p = explore(*state, "crashes -m trained");
    see(p, "Everything is done.");
    type(p, "?", "stop the running work");
    see(p, "write what is shown to a CSV file");
    pty_send(p, "\033");
    see_no_more(p, "stop the running work");
    type(p, "4?", "let the elbow choose k again");
    pty_send(p, "\033");
    see_no_more(p, "let the elbow choose k again");
    leave(p, "q", 0);
}

static void another_k_is_chosen_at_the_elbow(void **state)
{
    pty *p = explore(*state, "crashes -m trained -k auto");
    see(p, "Everything is done.");
    type(p, "4a", "silhouette (higher is better)");
    pty_send(p, ":k 3\r");
    see(p, "k = 3 in use");
    type(p, "]", "Candidate: 4");
    type(p, "]", "Candidate: 5");
    type(p, "[", "Candidate: 4");
    type(p, "\r", "k = 4 in use");
    type(p, "2", "Clusters (4)");
    leave(p, "q", 0);
}

static void the_map_shows_its_clusters(void **state)
{
    pty *p = explore(*state, "crashes -m trained");
    see(p, "Everything is done.");
    type(p, "3", "nearest: s0");
    see(p, "● C1 ● C2");
    type(p, "\r", "› s0");
    pty_send(p, "\033");
    see_no_more(p, "›");
    type(p, "t", "150 rows");
    leave(p, "q", 0);
}

static void a_filter_shows_only_what_matches(void **state)
{
    pty *p = explore(*state, "crashes -m trained");
    see(p, "Everything is done.");
    type(p, "5", "s0000001");
    pty_send(p, "/s0000017\r");
    see_no_more(p, "s0000001 ");
    see(p, "s0000017");
    pty_send(p, "\033");
    see(p, "s0000001 ");
    leave(p, "q", 0);
}

static void the_mouse_opens_tabs_and_rows(void **state)
{
    pty *p = explore(*state, "crashes -m trained");
    int row, col;
    char click[64];
    see(p, "Everything is done.");
    assert_true(pty_mouse(p));
    assert_true(pty_find(p, "2 Clusters", &row, &col));
    snprintf(click, sizeof click, "\033[<0;%d;%dM\033[<0;%d;%dm", col + 3, row + 1, col + 3,
             row + 1);
    type(p, click, "top object");
    pty_send(p, "M");
    while (pty_mouse(p))
        assert_true(pty_wait_quiet(p, 0.05, PATIENCE));
    leave(p, "q", 0);
}

static void no_mouse_means_no_mouse(void **state)
{
    pty *p = explore(*state, "crashes -m trained --no-mouse");
    size_t length;
    see(p, "Everything is done.");
    const char *output = pty_output(p, &length);
    assert_null(memmem(output, length, "\033[?1002h", 8));
    leave(p, "q", 0);
}

/* --- what it writes --- */

static void export(pty *p, const char *name)
{
    char keys[WORLD_PATH];
    snprintf(keys, sizeof keys, ":export! %s\r", name);
    type(p, keys, name);
    see(p, "wrote");
    see(p, "rows to");
}

static void exports_hold_the_numbers_of_the_verbs(void **state)
{
    static const struct {
        const char *keys, *shows, *file, *verb;
    } views[] = {
        {"5", "novelty", "sessions.csv", "assign crashes -m trained --threads 1"},
        {"3t", "150 rows", "map.csv", "project crashes -m trained --threads 1"},
        {"2\r", "› C1 objects", "objects.csv",
         "explain crashes -m trained --by presence --threads 1 --top 1000 | grep -E "
         "'^(cluster|1),'"},
    };
    const struct world *world = *state;
    pty *p = explore(world, "crashes -m trained");
    see(p, "Everything is done.");
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        char command[WORLD_PATH];
        type(p, views[i].keys, views[i].shows);
        export(p, views[i].file);
        snprintf(command, sizeof command, "\"$KABOOM\" %s >verb.csv", views[i].verb);
        run(world, command);
        char *exported = read_file(world, views[i].file), *printed = read_file(world, "verb.csv");
        check_begins_lines(printed, exported);
        free(exported);
        free(printed);
    }
    leave(p, "q", 0);
}

static void the_elbow_exported_is_that_of_the_verb(void **state)
{
    const struct world *world = *state;
    pty *p = explore(world, "crashes -m trained");
    see(p, "Everything is done.");
    type(p, "4a", "silhouette");
    type(p, "t", "19 rows");
    export(p, "elbow.csv");
    leave(p, "q", 0);
    run(world, "\"$KABOOM\" elbow crashes -m trained --threads 1 >verb.csv");
    char *exported = read_file(world, "elbow.csv"), *printed = read_file(world, "verb.csv");
    assert_string_equal(exported, printed);
    free(exported);
    free(printed);
}

static void a_file_that_is_there_is_not_replaced_unasked(void **state)
{
    const struct world *world = *state;
    pty *p = explore(world, "crashes -m trained");
    see(p, "Everything is done.");
    run(world, "echo mine >taken.csv");
    type(p, "5:export taken.csv\r", "taken.csv is there already");
    char *text = read_file(world, "taken.csv");
    assert_string_equal(text, "mine\n");
    free(text);
    leave(p, "q", 0);
}

static void a_model_written_here_is_one_that_verbs_take(void **state)
{
    const struct world *world = *state;
    pty *p = explore(world, "crashes -m trained");
    see(p, "Everything is done.");
    type(p, ":write! again\r", "wrote the model to again");
    leave(p, ":quit\r", 0);
    run(world, "\"$KABOOM\" assign crashes -m again --threads 1 >a.csv");
    run(world, "\"$KABOOM\" assign crashes -m trained --threads 1 >b.csv && cmp a.csv b.csv");
}

/* --- sizes and looks --- */

static void it_lives_through_every_size(void **state)
{
    static const int sizes[][2] = {{24, 80}, {6, 20}, {3, 10},   {1, 40},
                                   {40, 3},  {1, 1},  {60, 220}, {24, 100}};
    static const char views[] = "12345678";
    pty *p = explore(*state, "crashes -m trained");
    see(p, "Everything is done.");
    for (size_t v = 0; views[v]; v++) {
        char key[] = {views[v], '\r', '\0'};
        pty_send(p, key);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            int row, col;
            pty_resize(p, sizes[s][0], sizes[s][1]);
            pty_send(p, s % 2 ? "j" : "k");
            pty_wait_quiet(p, 0.08, 5);
            pty_cursor(p, &row, &col);
            assert_true(row < sizes[s][0] && col < sizes[s][1]);
        }
        pty_send(p, "\033");
    }
    type(p, "1", "Everything is done.");
    see(p, "1 Overview 2 Clusters");
    leave(p, "q", 0);
}

static void twenty_by_six_is_enough(void **state)
{
    pty *p = explore_sized(*state, "crashes -m trained", 6, 20);
    see(p, "Overview");
    type(p, "5", "s00000");
    pty_resize(p, 5, 19);
    see(p, "too small");
    pty_resize(p, 24, 80);
    see(p, "s0000012");
    leave(p, "q", 0);
}

static bool any_colour(pty *p)
{
    for (int row = 0; row < ROWS; row++)
        for (int col = 0; col < COLS; col++) {
            pty_colors c = pty_colors_at(p, row, col);
            if (!c.default_foreground || !c.default_background)
                return true;
        }
    return false;
}

static void colours_are_there_unless_they_are_unwanted(void **state)
{
    const struct world *world = *state;
    pty *p = explore(world, "crashes -m trained");
    see(p, "Everything is done.");
    assert_true(any_colour(p));
    leave(p, "q", 0);
    p = explore(world, "crashes -m trained --color=never");
    see(p, "Everything is done.");
    assert_false(any_colour(p));
    leave(p, "q", 0);
    char command[2 * WORLD_PATH];
    snprintf(command, sizeof command, "NO_COLOR=1 exec '%s' crashes -m trained --threads=1",
             world->program);
    const char *argv[] = {"sh", "-c", command, NULL};
    p = pty_start(argv, NULL, world->folder, ROWS, COLS);
    see(p, "Everything is done.");
    assert_false(any_colour(p));
    leave(p, "q", 0);
}

static void check_ascii(pty *p)
{
    for (const char *view = "1234567"; *view; view++) {
        char key[] = {*view, '\0'};
        pty_send(p, key);
        pty_wait_quiet(p, 0.1, 5);
        char *screen = pty_screen(p);
        for (const char *s = screen; *s; s++)
            if ((unsigned char)*s >= 0x80) {
                fprintf(stderr, "view %s:\n%s", key, screen);
                fail();
            }
        free(screen);
    }
}

static void ascii_draws_nothing_beyond_ascii(void **state)
{
    const struct world *world = *state;
    pty *p = explore(world, "crashes -m trained --ascii");
    see(p, "Everything is done.");
    check_ascii(p);
    leave(p, "q", 0);
    char command[2 * WORLD_PATH];
    snprintf(command, sizeof command, "LC_ALL=C exec '%s' crashes -m trained --threads=1",
             world->program);
    const char *argv[] = {"sh", "-c", command, NULL};
    p = pty_start(argv, NULL, world->folder, ROWS, COLS);
    see(p, "Everything is done.");
    check_ascii(p);
    leave(p, "q", 0);
}

static void idle_it_writes_nothing(void **state)
{
    pty *p = explore(*state, "crashes -m trained");
    size_t before, after;
    see(p, "Everything is done.");
    pty_wait_quiet(p, 1, PATIENCE);
    pty_output(p, &before);
    pty_wait_quiet(p, 1.5, 2);
    pty_output(p, &after);
    assert_int_equal(before, after);
    leave(p, "q", 0);
}

/* --- stopping --- */

static const char *const busy[][2] = {
    {"endless.csv", "▸ load"},
    {"crashes --epochs=1000000 --patience=1000000", "▸ train"},
    {"crashes -m trained --iterations=1000000", "▸ map"},
};

static void q_ends_it_in_every_stage(void **state)
{
    for (size_t i = 0; i < sizeof busy / sizeof *busy; i++) {
        pty *p = explore(*state, busy[i][0]);
        see(p, busy[i][1]);
        print_message("%s: ", busy[i][1]);
        leave(p, "q", 0);
    }
}

static void training_is_cancelled_and_begun_again(void **state)
{
    pty *p = explore(*state, "crashes --epochs=1000000 --patience=1000000");
    see(p, "autoencoder, epoch");
    type(p, "c", "(y/n)");
    pty_send(p, "n");
    see_no_more(p, "(y/n)");
    see(p, "▸ train");
    type(p, "c", "(y/n)");
    type(p, "y", "Cancelled.");
    type(p, "5", "s0000001");
    type(p, "1r", "(y/n)");
    type(p, "y", "▸ train");
    leave(p, "q", 0);
}

static void signals_end_it_with_their_status(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t s = 0; s < sizeof signals / sizeof *signals; s++)
        for (size_t i = 0; i < sizeof busy / sizeof *busy; i++) {
            pty *p = explore(*state, busy[i][0]);
            see(p, busy[i][1]);
            pty_signal(p, signals[s]);
            check_exited(p, 128 + signals[s]);
            pty_close(p);
        }
}

static void the_interrupt_key_ends_it(void **state)
{
    pty *p = explore(*state, "crashes -m trained");
    see(p, "Everything is done.");
    leave(p, "\003", 130);
}

static void a_terminal_that_goes_away_ends_it(void **state)
{
    for (size_t i = 0; i < sizeof busy / sizeof *busy; i++) {
        pty *p = explore(*state, busy[i][0]);
        see(p, busy[i][1]);
        pty_hang_up(p);
        int status = wait_status(p);
        /* The signal itself may come after the program has seen the end of its input and gone. */
        bool told = WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGHUP;
        if (!told && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP))
            fail_msg("%s: wait status %#x", busy[i][1], (unsigned)status);
        pty_close(p);
    }
}

static void faults_leave_a_terminal_that_works(void **state)
{
    static const int faults[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE};
    for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
        pty *p = explore(*state, busy[f % 3][0]);
        see(p, busy[f % 3][1]);
        pty_signal(p, faults[f]);
        int status = wait_status(p);
#ifndef KB_SANITIZED /* a sanitizer ends the program its own way */
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == faults[f]);
#endif
        (void)status;
        check_restored(p);
        pty_close(p);
    }
}

static void check_stop(pty *p)
{
    if (!pty_wait_stopped(p, PATIENCE))
        fail_with_screen(p, "not stopped", "");
    pty_wait_quiet(p, 0.1, 5);
    check_restored(p);
    pty_signal(p, SIGCONT);
    see(p, "1 Overview");
    see(p, "q quit");
    assert_true(pty_alternate_screen(p) && pty_mouse(p));
    type(p, "5", "s0000001");
    type(p, "1", "● load");
}

static void it_is_stopped_and_continued(void **state)
{
    pty *p = explore(*state, "crashes --epochs=1000000 --patience=1000000");
    see(p, "▸ train");
    pty_send(p, "\032");
    check_stop(p);
    pty_signal(p, SIGTSTP);
    check_stop(p);
    leave(p, "q", 0);
}

static void a_size_changed_while_stopped_is_seen(void **state)
{
    pty *p = explore(*state, "crashes -m trained");
    int row, col;
    see(p, "Everything is done.");
    pty_send(p, "\032");
    assert_true(pty_wait_stopped(p, PATIENCE));
    pty_resize(p, 12, 60);
    pty_signal(p, SIGCONT);
    see(p, "? help");
    assert_true(pty_find(p, "? help", &row, &col));
    assert_int_equal(row, 11);
    leave(p, "q", 0);
}

static void a_corpus_that_is_not_there_is_told(void **state)
{
    pty *p = explore(*state, "nowhere");
    see(p, "nowhere: cannot open");
    pty_send(p, "q");
    int status = wait_status(p);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    check_restored(p);
    pty_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_at_once_and_shows_that_it_loads),
        cmocka_unit_test(it_is_browsed_while_it_trains),
        cmocka_unit_test(it_reaches_clusters_by_itself),
        cmocka_unit_test(the_sample_opens_and_trains),
        cmocka_unit_test(enter_goes_in_and_escape_comes_back),
        cmocka_unit_test(escape_comes_back_to_the_row_that_was_left),
        cmocka_unit_test(help_lists_the_keys_of_the_view),
        cmocka_unit_test(another_k_is_chosen_at_the_elbow),
        cmocka_unit_test(the_map_shows_its_clusters),
        cmocka_unit_test(a_filter_shows_only_what_matches),
        cmocka_unit_test(the_mouse_opens_tabs_and_rows),
        cmocka_unit_test(no_mouse_means_no_mouse),
        cmocka_unit_test(exports_hold_the_numbers_of_the_verbs),
        cmocka_unit_test(the_elbow_exported_is_that_of_the_verb),
        cmocka_unit_test(a_file_that_is_there_is_not_replaced_unasked),
        cmocka_unit_test(a_model_written_here_is_one_that_verbs_take),
        cmocka_unit_test(it_lives_through_every_size),
        cmocka_unit_test(twenty_by_six_is_enough),
        cmocka_unit_test(colours_are_there_unless_they_are_unwanted),
        cmocka_unit_test(ascii_draws_nothing_beyond_ascii),
        cmocka_unit_test(idle_it_writes_nothing),
        cmocka_unit_test(q_ends_it_in_every_stage),
        cmocka_unit_test(training_is_cancelled_and_begun_again),
        cmocka_unit_test(signals_end_it_with_their_status),
        cmocka_unit_test(the_interrupt_key_ends_it),
        cmocka_unit_test(a_terminal_that_goes_away_ends_it),
        cmocka_unit_test(faults_leave_a_terminal_that_works),
        cmocka_unit_test(it_is_stopped_and_continued),
        cmocka_unit_test(a_size_changed_while_stopped_is_seen),
        cmocka_unit_test(a_corpus_that_is_not_there_is_told),
    };
    if (!pty_available()) {
        printf("skip test_explorer: no pseudo-terminals here (is /dev/pts mounted?)\n");
        return 77;
    }
    if (getenv("KB_TEST")) /* one of them, or a pattern of their names */
        cmocka_set_test_filter(getenv("KB_TEST"));
    return cmocka_run_group_tests_name("explorer", tests, build_world, raze_world);
}
