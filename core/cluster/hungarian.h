/* hungarian: the assignment problem (Kuhn 1955; shortest augmenting paths, O(n^2 m) for n <= m rows
 * and columns). */
#ifndef KB_HUNGARIAN_H
#define KB_HUNGARIAN_H

#include <stddef.h>

#include "status.h"

/* COST: ROWS x COLS, row-major, finite (else KB_ERR_NUMERIC). COLUMN_OF[r] becomes the column given
 * to row r, or SIZE_MAX for a row left over when ROWS > COLS. Minimises the total cost; negate to
 * maximise. */
kb_status kb_hungarian(const double *cost, size_t rows, size_t cols, size_t *column_of,
                       kb_error *err);

#endif
