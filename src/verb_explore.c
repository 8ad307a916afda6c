#include <stdio.h>

#include "verbs.h"

int verb_explore(const cli_options *options)
{
    kb_explorer_options explorer = {
        .work = {.corpus = options->operand,
                 .model = options->model,
                 .reading = options->reading,
                 .training = options->training,
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
