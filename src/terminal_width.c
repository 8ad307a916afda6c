#include "terminal_width.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Digits only; 0 for anything else. */
static size_t asked_for(void)
{
    const char *text = getenv("COLUMNS");
    if (!text || !*text || text[strspn(text, "0123456789")])
        return 0;
    errno = 0;
    unsigned long value = strtoul(text, NULL, 10);
    return errno ? 0 : value;
}

size_t terminal_width(int fd)
{
    struct winsize size;
    if (fd < 0 || !isatty(fd))
        return 0;
    size_t asked = asked_for();
    if (asked)
        return asked;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
