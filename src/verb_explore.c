#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verbs.h"

/* A corpus that comes through standard input leaves no keyboard there: the data moves to another
 * descriptor, whose name is put into PATH, and the terminal takes its place. Where there is no
 * terminal the explorer says so itself. */
static const char *free_standard_input(char *path, size_t size)
{
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC), data;
    if (terminal < 0)
        return "-";
    data = dup(STDIN_FILENO);
    if (data >= 0 && dup2(terminal, STDIN_FILENO) == STDIN_FILENO)
        snprintf(path, size, "/dev/fd/%d", data);
    else
        path = NULL;
    close(terminal);
    return path ? path : "-";
}

int verb_explore(const cli_options *options)
{
    char input[32];
    const char *corpus = options->operand;
    if (strcmp(corpus, "-") == 0 && !isatty(STDIN_FILENO))
        corpus = free_standard_input(input, sizeof input);
    else if (access(corpus, F_OK) != 0 && errno == ENOENT) {
        fprintf(stderr, "kaboom: %s: cannot open: there is no such file, nor a verb of this name\n",
                corpus);
        return CLI_FAILED;
    }
    kb_explorer_options explorer = {
        .work = {.corpus = corpus,
                 .model = options->model,
                 .reading = options->reading,
                 .training = options->training,
                 .runs = options->runs,
                 .calibration = options->calibration,
                 .map = options->map,
                 .threads = options->threads},
        .color = (kb_color_mode)options->color,
        .ascii = options->ascii,
        .mouse = !options->no_mouse,
    };
    int number = 0;
    kb_error err = {0};
    kb_status status = kb_explorer_run(&explorer, &number, &err);
    if (number)
        return 128 + number;
    if (status == KB_OK)
        return CLI_DONE;
    if (status == KB_ERR_USAGE)
        return cli_usage_error(CLI_EXPLORE, "%s", err.text);
    fprintf(stderr, "kaboom: %s\n", err.text);
    return CLI_FAILED;
}
