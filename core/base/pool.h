/* pool: a fixed set of threads that share out independent pieces of work.
 *
 * One job at a time: kb_pool_run is called by one thread, which works too, and returns when all
 * pieces are done. The pieces must not depend on which thread takes them, so results are the same
 * for any number of threads as long as each piece writes only its own output. Workers block all
 * signals. */
#ifndef KB_POOL_H
#define KB_POOL_H

#include <stddef.h>

#include "status.h"

typedef struct kb_pool kb_pool;

/* THREADS >= 1 counts the caller. */
kb_status kb_pool_create(kb_pool **out, size_t threads, kb_error *err);
void kb_pool_free(kb_pool *pool);            /* NULL is fine */
size_t kb_pool_threads(const kb_pool *pool); /* 1 for NULL */

/* Calls PIECE(ctx, i) once for each i in 0 .. count-1. A NULL pool runs them in order on the
 * caller. */
void kb_pool_run(kb_pool *pool, size_t count, void (*piece)(void *ctx, size_t i), void *ctx);

#endif
