/* The C library's allocator replaced by one that can be told to fail, and that counts what was not
 * freed. For one file of a test program; only #if defined(__GLIBC__) && !defined(KB_SANITIZED). */
#ifndef KB_TEST_FAILING_MEMORY_H
#define KB_TEST_FAILING_MEMORY_H

#if defined(__GLIBC__) && !defined(KB_SANITIZED)

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

static atomic_long live;            /* allocations that were not freed */
static atomic_long until_fail = -1; /* how many allocations succeed before one fails; < 0: all do */
static atomic_bool for_good;        /* all that follow fail as well */

static bool fails(void)
{
    long left = atomic_load(&until_fail);
    if (left < 0)
        return false;
    left = atomic_fetch_sub(&until_fail, 1);
    if (left > 0)
        return false;
    if (atomic_load(&for_good))
        atomic_store(&until_fail, 0);
    return left == 0 || atomic_load(&for_good);
}

static void *count(void *p)
{
    if (p)
        atomic_fetch_add(&live, 1);
    return p;
}

void *malloc(size_t size)
{
    return fails() ? (errno = ENOMEM, NULL) : count(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
    return fails() ? (errno = ENOMEM, NULL) : count(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size)
{
    if (fails())
        return errno = ENOMEM, NULL;
    void *q = __libc_realloc(p, size);
    return p ? q : count(q);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? (errno = ENOMEM, NULL) : count(__libc_memalign(alignment, size));
}

void free(void *p)
{
    if (p)
        atomic_fetch_sub(&live, 1);
    __libc_free(p);
}

/* Under valgrind the allocator is valgrind's. */
static bool is_ours(void)
{
    long before = atomic_load(&live);
    void *volatile p = malloc(1);
    bool counted = atomic_load(&live) > before;
    free(p);
    return counted;
}

#endif

#endif
