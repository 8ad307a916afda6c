/* kaboom: the program. Reads the command line and hands over to a verb or the explorer. */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "blas_kernels.h"
#include "run.h"
#include "verbs.h"

static int (*const run_verb[CLI_VERBS])(const cli_options *) = {
    [CLI_EXPLORE] = verb_explore,     [CLI_TRAIN] = verb_train,
    [CLI_CALIBRATE] = verb_calibrate, [CLI_ELBOW] = verb_elbow,
    [CLI_ASSIGN] = verb_assign,       [CLI_EMBED] = verb_embed,
    [CLI_PROJECT] = verb_project,     [CLI_EXPLAIN] = verb_explain,
    [CLI_NGRAMS] = verb_ngrams,       [CLI_SCORE] = verb_score,
    [CLI_CHECK] = verb_check,         [CLI_GENERATE] = verb_generate,
    [CLI_IMPORT] = verb_import,       [CLI_INFO] = verb_info,
    [CLI_CACHE] = verb_cache,         [CLI_CLUSTERS] = verb_clusters,
    [CLI_COMPARE] = verb_compare,     [CLI_NAME] = verb_name,
    [CLI_DRIFT] = verb_drift,         [CLI_VARIANTS] = verb_variants,
    [CLI_EMERGING] = verb_emerging,   [CLI_WATCH] = verb_watch,
};

/* A file opened later must not become standard output where that was closed. What takes a closed
 * one's place is open the wrong way round, so that using it is an error as before. */
static void hold_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Where OpenBLAS has taken kernels for a processor of long ago, the program begins anew with better
 * ones, for it cannot change them once it is loaded. Once at most, and not against the user's own
 * OPENBLAS_CORETYPE. If it cannot, it goes on with what there is. By its path, for a process is
 * called after the last part of what it was begun with: "exe" would not be found by pgrep. */
static void begin_with_fitting_kernels(char **argv)
{
    char path[4096];
    const char *core = getenv("OPENBLAS_CORETYPE") ? NULL : kb_blas_core_wanted();
    ssize_t length = core ? readlink("/proc/self/exe", path, sizeof path) : -1;
    if (length <= 0 || (size_t)length == sizeof path)
        return;
    path[length] = '\0';
    if (setenv("OPENBLAS_CORETYPE", core, 1) == 0)
        execv(path, argv);
}

int main(int argc, char **argv)
{
    cli_options options;
    int status;
    begin_with_fitting_kernels(argv);
    hold_standard_files();
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C"); /* numbers are written the same everywhere */
    signal(SIGPIPE, SIG_IGN);   /* a reader that goes away shows as EPIPE */
    signal(SIGXFSZ, SIG_IGN);   /* and a file that may not grow as EFBIG */
    if (!cli_parse(&options, argc, argv, &status))
        return status;
    if (options.verb != CLI_EXPLORE)
        cli_catch_signals(); /* the explorer has a terminal to restore and catches its own */
    return run_verb[options.verb](&options);
}
