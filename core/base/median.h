/* median: of numbers. */
#ifndef KB_MEDIAN_H
#define KB_MEDIAN_H

#include <stddef.h>

/* Sorts VALUES (COUNT, none NAN). The mean of the two in the middle where COUNT is even; NAN where
 * it is 0. Any thread. */
double kb_median(double *values, size_t count);

#endif
