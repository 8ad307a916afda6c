/* Whether OpenBLAS's kernels fit the processor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "blas_kernels.h"

static void kernels_without_avx_are_bettered_where_the_processor_has_it(void **state)
{
    (void)state;
    assert_string_equal(kb_blas_better_core("Prescott", true, true), "SkylakeX");
    assert_string_equal(kb_blas_better_core("Prescott", true, false), "Haswell");
    assert_string_equal(kb_blas_better_core("NEHALEM", true, false), "Haswell");
}

static void kernels_that_fit_are_left_alone(void **state)
{
    (void)state;
    assert_null(kb_blas_better_core("Prescott", false, false));
    assert_null(kb_blas_better_core("Haswell", true, true));
    assert_null(kb_blas_better_core("Zen", true, false));
    assert_null(kb_blas_better_core("Cooperlake", true, true));
    assert_null(kb_blas_better_core("", true, true));
    assert_null(kb_blas_better_core(NULL, true, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_without_avx_are_bettered_where_the_processor_has_it),
        cmocka_unit_test(kernels_that_fit_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
