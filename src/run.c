#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "job_text.h"
#include "terminal_width.h"

const char cli_phase_writing[] = "writing";

static const double line_every = 5;    /* seconds between plain lines of progress */
static const double stop_within = 1;   /* seconds that a worker has after a signal */
static const double write_within = 10; /* the same while it writes a file */
enum { BAR_WIDTH = 24, PHASE_WIDTH = 12, LINE_MAX_WIDTH = 200, SAY_ROOM = 8192, TICK_MS = 1000 };

/* --- the console ------------------------------------------------------------------------- */
void cli_console_start(cli_console *console, const cli_options *options)
{
    *console = (cli_console){.lock = PTHREAD_MUTEX_INITIALIZER,
                             .terminal = isatty(STDERR_FILENO) == 1,
                             .quiet = options->quiet,
                             .verbose = options->verbose,
                             .next_line = line_every};
}

/* With the lock held. */
static void clear_bar(cli_console *console)
{
    if (console->bar_shown)
        fputs("\r\033[K", stderr);
    console->bar_shown = false;
}

void cli_say(cli_console *console, const char *format, ...)
{
    char text[SAY_ROOM];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    kb_printable(text); /* names of files may hold anything */
    pthread_mutex_lock(&console->lock);
    clear_bar(console);
    fprintf(stderr, "kaboom: %s\n", text);
    pthread_mutex_unlock(&console->lock);
}

void cli_note(void *ctx, const char *text)
{
    cli_console *console = ctx;
    if (!console->quiet)
        cli_say(console, "%s", text);
}

void cli_tell_problem(void *ctx, const kb_problem *problem)
{
    cli_console *console = ctx;
    pthread_mutex_lock(&console->lock);
    bool enough = console->problems++ >= CLI_PROBLEMS_TOLD;
    console->bad_rows += kb_problem_is_a_row(problem->kind);
    pthread_mutex_unlock(&console->lock);
    if (enough && problem->kind != KB_PROBLEM_DAMAGE)
        return;
    char text[SAY_ROOM];
    cli_say(console, "%s", kb_problem_text(problem, text, sizeof text));
}

void cli_tell_more_problems(cli_console *console)
{
    pthread_mutex_lock(&console->lock);
    console->problems = 0;
    pthread_mutex_unlock(&console->lock);
}

void cli_sum_problems(cli_console *console, const char *path)
{
    unsigned long long problems = console->problems, rows = console->bad_rows;
    char told[48] = "";
    if (!rows && problems <= CLI_PROBLEMS_TOLD)
        return; /* there is nothing to add to what has been said */
    if (problems > CLI_PROBLEMS_TOLD)
        snprintf(told, sizeof told, " (the first %d are above)", CLI_PROBLEMS_TOLD);
    cli_say(console, "%s: %llu problem%s, %llu row%s left out%s", path, problems,
            problems == 1 ? "" : "s", rows, rows == 1 ? "" : "s", told);
}

int cli_end_damaged(cli_console *console, size_t damaged, int status)
{
    if (status != CLI_DONE || !damaged)
        return status;
    if (damaged == 1)
        cli_say(console, "what a damaged file held after the damage is missing from the result");
    else
        cli_say(console, "what %zu damaged files held after the damage is missing from the result",
                damaged);
    return CLI_FAILED;
}

/* --- progress ---------------------------------------------------------------------------- */
static int share_of(const kb_job_state *state)
{
    if (!state->total || state->done >= state->total)
        return state->total ? 100 : 0;
    return (int)(100.0 * (double)state->done / (double)state->total);
}

/* "45%  52.0 of 112.3 MB, 10.6 M rows, 48.1 MB/s, 2 s left" */
static void describe_progress(const kb_job_state *state, char *text, size_t size)
{
    char amount[96], rate[64], share[8] = "";
    kb_job_amount_text(state, amount, sizeof amount);
    kb_job_rate_text(state, rate, sizeof rate);
    if (state->total)
        snprintf(share, sizeof share, "%3d%%  ", share_of(state));
    snprintf(text, size, "%s%s%s%s", share, amount, *rate ? ", " : "", rate);
}

static size_t line_width(void)
{
    size_t width = terminal_width(STDERR_FILENO);
    if (width < 2)
        return 80;
    return width < LINE_MAX_WIDTH ? width : LINE_MAX_WIDTH - 1;
}

/* The bar takes the room that the words leave. */
static void draw_bar(cli_console *console, const kb_job_state *state)
{
    char line[LINE_MAX_WIDTH + 128], bar[BAR_WIDTH + 1] = "", text[192];
    describe_progress(state, text, sizeof text);
    size_t room = line_width() - 1, taken = strlen(text) + PHASE_WIDTH + 4;
    size_t width = taken + BAR_WIDTH <= room ? BAR_WIDTH : taken < room ? room - taken : 0;
    for (size_t i = 0; i < width; i++)
        bar[i] = i * 100 < (size_t)share_of(state) * width ? '#' : '.';
    if (state->total && width > 2)
        snprintf(line, sizeof line, "%-*s [%s] %s", PHASE_WIDTH, state->phase, bar, text);
    else if (state->total || state->done)
        snprintf(line, sizeof line, "%-*s %s", PHASE_WIDTH, state->phase, text);
    else
        snprintf(line, sizeof line, "%-*s %.0f s", PHASE_WIDTH, state->phase, state->phase_seconds);
    line[room] = '\0';
    pthread_mutex_lock(&console->lock);
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
    console->bar_shown = true;
    pthread_mutex_unlock(&console->lock);
}

static void plain_line(cli_console *console, const kb_job_state *state)
{
    bool new_phase = console->verbose && strcmp(console->phase, state->phase) != 0;
    if (!new_phase && state->seconds < console->next_line)
        return;
    console->next_line = state->seconds + line_every;
    snprintf(console->phase, sizeof console->phase, "%s", state->phase);
    char text[192];
    describe_progress(state, text, sizeof text);
    if (state->done)
        cli_say(console, "%s: %s", state->phase, text);
    else
        cli_say(console, "%s", state->phase);
}

static void show_progress(cli_console *console, const kb_job_state *state)
{
    if (console->quiet || state->finished || !*state->phase)
        return;
    if (console->terminal)
        draw_bar(console, state);
    else
        plain_line(console, state);
}

static void end_progress(cli_console *console)
{
    pthread_mutex_lock(&console->lock);
    clear_bar(console);
    fflush(stderr);
    pthread_mutex_unlock(&console->lock);
}

/* --- signals ----------------------------------------------------------------------------- */
/* A handler can reach nothing but what is static: the write end of the pipe that cli_run polls, or
 * -1 while no job runs. */
static volatile sig_atomic_t signal_pipe = -1;

static void on_signal(int number)
{
    int saved = errno;
    char byte = (char)number;
    if (signal_pipe < 0)
        _exit(128 + number);
    (void)!write(signal_pipe, &byte, 1);
    errno = saved;
}

/* SIGHUP stays ignored under nohup. SIGINT and SIGTERM are heard even where a shell started us in
 * the background with SIGINT ignored: who sends them by hand means us. */
void cli_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, old;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
}

void cli_catch_hangup(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGHUP, &action, NULL);
}

/* The next signal that ends the work, or 0. */
static int received_signal(const cli_console *console, int fd)
{
    char byte;
    while (read(fd, &byte, 1) == 1) {
        if (byte != SIGHUP || !console->hangups)
            return byte;
        atomic_fetch_add(console->hangups, 1);
    }
    return 0;
}

/* --- watching a job ---------------------------------------------------------------------- */
static bool stops_in_time(kb_job *job)
{
    kb_job_state state;
    if (kb_job_wait(job, stop_within))
        return true;
    kb_job_poll(job, &state);
    return strcmp(state.phase, cli_phase_writing) == 0 && kb_job_wait(job, write_within);
}

/* Until the work has ended; returns the signal that ended it, or 0. */
static int watch(cli_console *console, kb_job *job, int signals, kb_job_state *state)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = kb_job_fd(job), .events = POLLIN},
                                {.fd = signals, .events = POLLIN}};
        (void)!poll(fds, 2, TICK_MS); /* EINTR included: what happened is asked below */
        int number = received_signal(console, signals);
        if (number) {
            kb_job_cancel(job);
            if (!stops_in_time(job)) {
                end_progress(console);
                _exit(128 + number);
            }
        }
        kb_job_poll(job, state);
        if (number || state->finished)
            return number;
        show_progress(console, state);
    }
}

static int conclude(cli_console *console, const kb_job_state *state, int number)
{
    end_progress(console);
    if (number)
        return 128 + number;
    if (state->status == KB_OK)
        return CLI_DONE;
    if (*state->error.text)
        cli_say(console, "%s", state->error.text);
    return state->status == KB_ERR_USAGE ? CLI_USAGE : CLI_FAILED;
}

static int run_job(cli_console *console, kb_job_work *work, void *ctx, const int pipes[2])
{
    kb_job *job;
    kb_job_state state = {0};
    kb_error err = {0};
    if (kb_job_start(&job, work, ctx, &err)) {
        cli_say(console, "%s", err.text);
        return CLI_FAILED;
    }
    signal_pipe = pipes[1];
    int number = watch(console, job, pipes[0], &state);
    signal_pipe = -1;
    if (!number)
        number = received_signal(console, pipes[0]);
    kb_job_free(job);
    return conclude(console, &state, number);
}

int cli_run(cli_console *console, kb_job_work *work, void *ctx)
{
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) != 0) {
        cli_say(console, "a pipe cannot be made: %s", strerror(errno));
        return CLI_FAILED;
    }
    int status = run_job(console, work, ctx, pipes);
    close(pipes[0]);
    close(pipes[1]);
    return status;
}

/* A reader that has gone (head, a pager) has had what it wanted: that is a failure, but none to
 * talk about. */
int cli_finish_output(cli_console *console, output *out)
{
    int error = output_close(out);
    if (error && error != EPIPE)
        cli_say(console, "standard output: %s", strerror(error));
    return error ? CLI_FAILED : CLI_DONE;
}
