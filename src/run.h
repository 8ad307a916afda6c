/* run: a verb's work on a thread of its own, while the main thread watches it, shows how far it is,
 * and hears signals.
 *
 * Everything that goes to standard error while work runs goes through a console, so that lines and
 * the progress bar do not write over each other. */
#ifndef KB_CLI_RUN_H
#define KB_CLI_RUN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "job.h"
#include "options.h"
#include "problems.h"

typedef struct cli_console {
    atomic_uint
        *hangups; /* SIGHUP adds one and cancels nothing; NULL: it is a signal like others */
    pthread_mutex_t lock; /* standard error and the two fields below */
    bool bar_shown;
    uint64_t problems, bad_rows; /* so far; the latter are the problems that cost a row */
    bool terminal, quiet, verbose;
    double next_line; /* seconds of the job at which the next plain line is due; main thread only */
    char phase[48];   /* of the last verbose line; main thread only */
} cli_console;

/* Phase that a worker reports while it writes files: the end of that is waited for, even after a
 * signal. */
extern const char cli_phase_writing[];

enum { CLI_PROBLEMS_TOLD = 20 };

void cli_console_start(cli_console *console, const cli_options *options);
/* "kaboom: TEXT" on standard error. Any thread. */
void cli_say(cli_console *console, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, unless --quiet; kb_train_observer.note with a console as CTX. */
void cli_note(void *ctx, const char *text);
/* kb_problem_listener with a console as CTX: tells the first CLI_PROBLEMS_TOLD, and each damage. */
void cli_tell_problem(void *ctx, const kb_problem *problem);
/* The next CLI_PROBLEMS_TOLD are told again: for work that goes on for days. */
void cli_tell_more_problems(cli_console *console);
/* One line with their number, unless each has been told and cost no row. */
void cli_sum_problems(cli_console *console, const char *path);

/* What to exit with when DAMAGED files lost their ends: CLI_FAILED, which is told, instead of
 * CLI_DONE. */
int cli_end_damaged(cli_console *console, size_t damaged, int status);

/* From here on SIGINT, SIGTERM and SIGHUP end the process with 128 + signal; while cli_run works
 * they cancel the job first. */
void cli_catch_signals(void);
/* SIGHUP is heard even under nohup: for a console with hangups. */
void cli_catch_hangup(void);

/* Runs WORK(CTX) as a job and says what went wrong. Returns an exit status: 0, 1, 2, or 128 +
 * signal. When the work does not stop within a second of a signal, the process ends here. */
int cli_run(cli_console *console, kb_job_work *work, void *ctx);

/* Closes OUT and says what went wrong with it: 0 or 1. */
int cli_finish_output(cli_console *console, output *out);

#endif
