/* simd: marks a hot loop to be compiled for several instruction sets, the best being taken when the
 * program starts. */
#ifndef KB_SIMD_H
#define KB_SIMD_H

#if defined(KB_HAVE_TARGET_CLONES) && !defined(KB_SANITIZED) && !defined(__clang__)
#define KB_SIMD                                                                                    \
    __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3")))
#else
#define KB_SIMD
#endif

/* Before a loop whose iterations do not depend on each other. */
#ifdef __clang__
#define KB_INDEPENDENT
#else
#define KB_INDEPENDENT _Pragma("GCC ivdep")
#endif

#endif
