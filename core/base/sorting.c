#include "sorting.h"

#include <stdlib.h>

static int by_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int by_float(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

void kb_sort_doubles(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_double);
}

void kb_sort_floats(float *values, size_t count)
{
    qsort(values, count, sizeof *values, by_float);
}

void kb_sort_sizes(size_t *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
}
