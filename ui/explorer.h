/* explorer: the full-screen program. Opens at once, works in the background through a workbench,
 * and returns when the user quits. */
#ifndef KB_EXPLORER_H
#define KB_EXPLORER_H

#include "workbench.h"

typedef enum kb_color_mode { KB_COLOR_AUTO, KB_COLOR_NEVER } kb_color_mode;

typedef struct kb_explorer_options {
    kb_workbench_options work;
    kb_color_mode color; /* AUTO looks at NO_COLOR and the terminal */
    bool ascii;          /* no characters beyond ASCII, whatever the locale */
    bool mouse;          /* default true */
} kb_explorer_options;

/* Needs a terminal on standard input and output (KB_ERR_USAGE otherwise). *SIGNAL_OUT: 0, or the
 * signal (SIGINT, SIGTERM, SIGHUP) that ended it, after the terminal was restored. When a worker
 * cannot be stopped in time the terminal is restored and the process ends by _exit with the status
 * the caller would have used (0, or 128 + signal). A corpus or model that could not be read is
 * shown, and its error returned once the user has quit. */
kb_status kb_explorer_run(const kb_explorer_options *options, int *signal_out, kb_error *err);

#endif
