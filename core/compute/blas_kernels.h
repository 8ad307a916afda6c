/* blas_kernels: whether OpenBLAS has taken kernels that fit the processor. A library that is older
 * than the processor takes those of a Prescott, which know no AVX and are several times slower. It
 * can be told better by OPENBLAS_CORETYPE, but only before it is loaded. */
#ifndef KB_BLAS_KERNELS_H
#define KB_BLAS_KERNELS_H

#include <stdbool.h>

/* The core type that OpenBLAS should be told instead of CORE, the name of its present one (as
 * openblas_get_corename), on a processor with AVX2 and FMA and, perhaps, AVX-512 (F, BW, DQ, VL).
 * Static; NULL: CORE will do. */
const char *kb_blas_better_core(const char *core, bool avx2, bool avx512);

/* The same for this process and processor. Thread-safe. */
const char *kb_blas_core_wanted(void);

#endif
