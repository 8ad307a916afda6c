#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

kb_status kb_fail(kb_error *err, kb_status status, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        err->status = status;
    }
    return status;
}

kb_status kb_fail_memory(kb_error *err, const char *what)
{
    return kb_fail(err, KB_ERR_MEMORY, "no memory for %s", what);
}

kb_status kb_fail_errno(kb_error *err, const char *path, const char *action, int errnum)
{
    char reason[128];
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
    const char *text = strerror_r(errnum, reason, sizeof reason);
#else
    const char *text = strerror_r(errnum, reason, sizeof reason) == 0 ? reason : "unknown error";
#endif
    return kb_fail(err, errnum == ENOMEM ? KB_ERR_MEMORY : KB_ERR_IO, "%s: %s: %s", path, action,
                   text);
}
