#include "lapack.h"

#include <lapacke.h>

kb_status kb_fail_lapack(kb_error *err, const char *what, const char *function, int info)
{
    if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR)
        return kb_fail_memory(err, what);
    return kb_fail(err, KB_ERR_NUMERIC, "%s failed (%s: %d)", what, function, info);
}
