/* sorting: numbers into rising order, in place. */
#ifndef KB_SORTING_H
#define KB_SORTING_H

#include <stddef.h>

/* None is NAN. Any thread. */
void kb_sort_doubles(double *values, size_t count);
void kb_sort_floats(float *values, size_t count);
void kb_sort_sizes(size_t *values, size_t count);

#endif
