/* terminal_width: how wide a terminal is. */
#ifndef KB_CLI_TERMINAL_WIDTH_H
#define KB_CLI_TERMINAL_WIDTH_H

#include <stddef.h>

/* The columns of the terminal that FD is: COLUMNS of the environment where that is a number above
 * 0, what the terminal says otherwise. 0: FD is no terminal, or it does not say. */
size_t terminal_width(int fd);

#endif
