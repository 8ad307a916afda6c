/* lapack: what went wrong, by the number that a LAPACKE function returned. */
#ifndef KB_LAPACK_H
#define KB_LAPACK_H

#include "status.h"

/* INFO is not 0, or what came out is not what was asked for: KB_ERR_MEMORY where LAPACKE had no
 * room to work in, else KB_ERR_NUMERIC, "WHAT failed (FUNCTION: INFO)". */
kb_status kb_fail_lapack(kb_error *err, const char *what, const char *function, int info);

#endif
