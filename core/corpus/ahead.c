/* A ring of blocks: the thread fills one after the other, the reader empties them. */
#include "ahead.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "sizes.h"
#include "thread.h"

enum { BLOCKS = 4, BLOCK_BYTES = KB_SIZE(256 * 1024, 128) };

struct block {
    char *data;
    size_t size; /* 0: the end of the stream, or an error */
    uint64_t consumed;
    kb_status status;
    kb_error error;
};

struct kb_ahead {
    kb_bytes *bytes; /* the thread's */
    pthread_t thread;
    struct block blocks[BLOCKS]; /* the thread's while empty, the reader's while filled */
    size_t at;                   /* the reader's: of the first filled block, bytes given */
    uint64_t consumed;           /* the reader's */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t moved;
    size_t first, filled; /* blocks first .. first + filled - 1, around the ring */
    bool quitting;
};

static bool fill_block(struct block *block, kb_bytes *bytes)
{
    block->status = kb_bytes_read(bytes, block->data, BLOCK_BYTES, &block->size, &block->error);
    if (block->status != KB_OK)
        block->size = 0;
    block->consumed = kb_bytes_consumed(bytes);
    return block->size > 0;
}

static void *run(void *arg)
{
    kb_ahead *ahead = arg;
    bool more = true;
    for (size_t next = 0; more; next = (next + 1) % BLOCKS) {
        pthread_mutex_lock(&ahead->lock);
        while (ahead->filled == BLOCKS && !ahead->quitting)
            pthread_cond_wait(&ahead->moved, &ahead->lock);
        bool quitting = ahead->quitting;
        pthread_mutex_unlock(&ahead->lock);
        if (quitting)
            break;
        more = fill_block(&ahead->blocks[next], ahead->bytes);
        pthread_mutex_lock(&ahead->lock);
        ahead->filled++;
        pthread_cond_broadcast(&ahead->moved);
        pthread_mutex_unlock(&ahead->lock);
    }
    return NULL;
}

static void dispose(kb_ahead *ahead)
{
    for (size_t i = 0; i < BLOCKS; i++)
        free(ahead->blocks[i].data);
    pthread_cond_destroy(&ahead->moved);
    pthread_mutex_destroy(&ahead->lock);
    free(ahead);
}

kb_status kb_ahead_start(kb_ahead **out, kb_bytes *bytes, kb_error *err)
{
    *out = NULL;
    kb_ahead *ahead = kb_calloc(1, sizeof *ahead);
    if (!ahead)
        return kb_fail_memory(err, "reading a file");
    ahead->bytes = bytes;
    ahead->consumed = kb_bytes_consumed(bytes);
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->moved, NULL);
    bool room = true;
    for (size_t i = 0; i < BLOCKS; i++)
        room &= (ahead->blocks[i].data = malloc(BLOCK_BYTES)) != NULL;
    if (!room || kb_thread_start(&ahead->thread, run, ahead) != 0) {
        dispose(ahead);
        return kb_fail_memory(err, "reading a file");
    }
    *out = ahead;
    return KB_OK;
}

void kb_ahead_free(kb_ahead *ahead)
{
    if (!ahead)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->quitting = true;
    pthread_cond_broadcast(&ahead->moved);
    pthread_mutex_unlock(&ahead->lock);
    pthread_join(ahead->thread, NULL);
    dispose(ahead);
}

/* The first filled block, which there will be. */
static struct block *await_block(kb_ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->filled)
        pthread_cond_wait(&ahead->moved, &ahead->lock);
    struct block *block = &ahead->blocks[ahead->first];
    pthread_mutex_unlock(&ahead->lock);
    return block;
}

static void give_back(kb_ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->first = (ahead->first + 1) % BLOCKS;
    ahead->filled--;
    ahead->at = 0;
    pthread_cond_broadcast(&ahead->moved);
    pthread_mutex_unlock(&ahead->lock);
}

/* The last block, which is empty, stays where it is, so that the end is told as often as it is
 * asked for. */
kb_status kb_ahead_read(kb_ahead *ahead, char *buffer, size_t room, size_t *got, kb_error *err)
{
    struct block *block = await_block(ahead);
    size_t left = block->size - ahead->at, n = left < room ? left : room;
    *got = n;
    ahead->consumed = block->consumed;
    if (!block->size)
        return block->status == KB_OK ? KB_OK
                                      : kb_fail(err, block->status, "%s", block->error.text);
    memcpy(buffer, block->data + ahead->at, n);
    ahead->at += n;
    if (n == left)
        give_back(ahead);
    return KB_OK;
}

uint64_t kb_ahead_consumed(const kb_ahead *ahead)
{
    return ahead->consumed;
}
