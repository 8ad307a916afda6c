#include "median.h"

#include <math.h>
#include <stdlib.h>

#include "sorting.h"

double kb_median(double *values, size_t count)
{
    if (!count)
        return (double)NAN;
    kb_sort_doubles(values, count);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}
