/* secret: numbers that no file can have been made for. Hash tables take theirs from here, so that
 * nobody can write names or times that all fall on one place. Nothing that is written or shown may
 * depend on one. */
#ifndef KB_SECRET_H
#define KB_SECRET_H

#include <stdint.h>

/* An odd number, another one for each call. Any thread. */
uint64_t kb_secret(void);

#endif
