/* blas_core: which of its kernels OpenBLAS took for this processor.
 *
 * OpenBLAS chooses by the processor's model when it is loaded, and takes the kernels of an old one
 * when it does not know a new one: with AVX-512 they then run at half the speed that they could.
 * The choice can only be changed by OPENBLAS_CORETYPE in the environment that a program starts
 * with. */
#ifndef KB_BLAS_CORE_H
#define KB_BLAS_CORE_H

/* What OPENBLAS_CORETYPE should have said, or NULL when OpenBLAS chose as well as it could, or was
 * told. Static. */
const char *kb_blas_better_core(void);

#endif
