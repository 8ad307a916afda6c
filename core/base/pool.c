#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "memory.h"
#include "thread.h"

struct kb_pool {
    size_t threads;
    pthread_t *workers; /* threads - 1 */
    size_t started;

    pthread_mutex_t lock; /* guards what follows, except next */
    pthread_cond_t wake, idle;
    unsigned long generation; /* counts jobs; a worker joins each one once */
    size_t busy;              /* workers that have not finished this generation */
    bool quitting;
    size_t count;
    void (*piece)(void *ctx, size_t i);
    void *ctx;

    atomic_size_t next; /* the next piece to take */
};

static void take_pieces(kb_pool *pool, size_t count, void (*piece)(void *, size_t), void *ctx)
{
    for (;;) {
        size_t i = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (i >= count)
            return;
        piece(ctx, i);
    }
}

static void *work(void *arg)
{
    kb_pool *pool = arg;
    unsigned long seen = 0;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->quitting && pool->generation == seen)
            pthread_cond_wait(&pool->wake, &pool->lock);
        if (pool->quitting)
            break;
        seen = pool->generation;
        size_t count = pool->count;
        void (*piece)(void *, size_t) = pool->piece;
        void *ctx = pool->ctx;
        pthread_mutex_unlock(&pool->lock);
        take_pieces(pool, count, piece, ctx);
        pthread_mutex_lock(&pool->lock);
        if (--pool->busy == 0)
            pthread_cond_signal(&pool->idle);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static bool start_workers(kb_pool *pool)
{
    while (pool->started < pool->threads - 1 &&
           kb_thread_start(&pool->workers[pool->started], work, pool) == 0)
        pool->started++;
    return pool->started == pool->threads - 1;
}

kb_status kb_pool_create(kb_pool **out, size_t threads, kb_error *err)
{
    *out = NULL;
    if (threads < 1 || threads > 1024)
        return kb_fail(err, KB_ERR_USAGE, "threads: %zu is not in 1..1024", threads);
    kb_pool *pool = kb_calloc(1, sizeof *pool);
    if (!pool)
        return kb_fail_memory(err, "a thread pool");
    pool->threads = threads;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->idle, NULL);
    pool->workers = kb_calloc(threads, sizeof *pool->workers);
    if (!pool->workers || !start_workers(pool)) {
        kb_pool_free(pool);
        return kb_fail(err, KB_ERR_MEMORY, "cannot start %zu threads", threads);
    }
    *out = pool;
    return KB_OK;
}

void kb_pool_free(kb_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->quitting = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i], NULL);
    pthread_cond_destroy(&pool->idle);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}

size_t kb_pool_threads(const kb_pool *pool)
{
    return pool ? pool->threads : 1;
}

void kb_pool_run(kb_pool *pool, size_t count, void (*piece)(void *ctx, size_t i), void *ctx)
{
    if (!pool || pool->threads == 1 || count <= 1) {
        for (size_t i = 0; i < count; i++)
            piece(ctx, i);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->count = count;
    pool->piece = piece;
    pool->ctx = ctx;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    pool->busy = pool->started;
    pool->generation++;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);

    take_pieces(pool, count, piece, ctx);

    pthread_mutex_lock(&pool->lock);
    while (pool->busy)
        pthread_cond_wait(&pool->idle, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}
