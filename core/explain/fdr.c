#include "fdr.h"

#include <math.h>
#include <stdlib.h>

#include "memory.h"

struct ranked {
    double p;
    size_t at;
};

static int by_p(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->p != y->p)
        return x->p < y->p ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

kb_status kb_fdr(double *q, const double *p, size_t count, kb_error *err)
{
    struct ranked *tests = kb_calloc(count, sizeof *tests);
    if (!tests)
        return kb_fail_memory(err, "the q-values");
    size_t tested = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(p[i]))
            q[i] = NAN;
        else
            tests[tested++] = (struct ranked){p[i], i};
    }
    qsort(tests, tested, sizeof *tests, by_p);
    double least = 1;
    for (size_t i = tested; i-- > 0;) {
        double q_here = tests[i].p * (double)tested / (double)(i + 1);
        least = fmin(least, fmax(q_here, tests[i].p)); /* rounding must not make it less than p */
        q[tests[i].at] = least;
    }
    free(tests);
    return KB_OK;
}
