/* fdr: which of many tests to believe: Benjamini and Hochberg's false discovery rate (1995). */
#ifndef KB_FDR_H
#define KB_FDR_H

#include <stddef.h>

#include "status.h"

/* Q[i] becomes the adjusted p-value of P[i], COUNT of them: with the m p-values that are not NAN in
 * rising order, q(i) = min over j >= i of min(1, p(j) m / j). Calling all rows with q <= x found
 * makes at most a share x of them false on average, where the tests are independent or positively
 * dependent. NAN (not tested) stays NAN and is not counted. Q may be P. KB_ERR_MEMORY. Any thread.
 */
kb_status kb_fdr(double *q, const double *p, size_t count, kb_error *err);

#endif
