#include "blas_core.h"

#include <cblas.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* All that the AVX-512 kernels were compiled for. */
static bool has_avx512(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512cd");
#else
    return false;
#endif
}

const char *kb_blas_better_core(void)
{
    if (getenv("OPENBLAS_CORETYPE") || !has_avx512())
        return NULL;
    const char *core = openblas_get_corename();
    bool old = strcmp(core, "Haswell") == 0 || strcmp(core, "Zen") == 0;
    /* A build with the kernels of one processor only ignores the environment. */
    return old && strstr(openblas_get_config(), "DYNAMIC_ARCH") ? "SkylakeX" : NULL;
}
