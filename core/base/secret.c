#include "secret.h"

#include <sys/random.h>
#include <time.h>

uint64_t kb_secret(void)
{
    uint64_t secret;
    if (getrandom(&secret, sizeof secret, GRND_NONBLOCK) != sizeof secret) {
        struct timespec now; /* early in the boot of a machine: better than nothing */
        clock_gettime(CLOCK_MONOTONIC, &now);
        secret = ((uint64_t)now.tv_nsec + (uint64_t)(uintptr_t)&now) * 0x9E3779B97F4A7C15u;
    }
    return secret | 1;
}
