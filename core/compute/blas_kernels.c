#include "blas_kernels.h"

#include <cblas.h>
#include <string.h>
#include <strings.h>

/* What OpenBLAS falls back on; in case it was built for one of them it ignores what it is told. */
static const char *const without_avx[] = {"Generic", "Katmai",     "Coppermine", "Northwood",
                                          "Banias",  "Atom",       "Prescott",   "Core2",
                                          "Penryn",  "Dunnington", "Nehalem"};

const char *kb_blas_better_core(const char *core, bool avx2, bool avx512)
{
    if (!core || !avx2)
        return NULL;
    for (size_t i = 0; i < sizeof without_avx / sizeof *without_avx; i++)
        if (strcasecmp(core, without_avx[i]) == 0)
            return avx512 ? "SkylakeX" : "Haswell";
    return NULL;
}

const char *kb_blas_core_wanted(void)
{
#ifdef __x86_64__
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return kb_blas_better_core(openblas_get_corename(), avx2, avx512);
#else
    return NULL;
#endif
}
