/* ahead: a stream that a thread of its own decompresses while its reader is busy with what came
 * before. Where there are fewer files than threads it gives one file two of them. */
#ifndef KB_AHEAD_H
#define KB_AHEAD_H

#include "bytes.h"

typedef struct kb_ahead kb_ahead;

/* Goes on reading BYTES, which is nobody else's to read until the ahead is freed. KB_ERR_MEMORY: no
 * memory, or no thread is to be had. */
kb_status kb_ahead_start(kb_ahead **out, kb_bytes *bytes, kb_error *err);
/* Waits for the thread, which reads at most one block more. NULL is fine. */
void kb_ahead_free(kb_ahead *ahead);

/* As kb_bytes_read and kb_bytes_consumed. */
kb_status kb_ahead_read(kb_ahead *ahead, char *buffer, size_t room, size_t *got, kb_error *err);
uint64_t kb_ahead_consumed(const kb_ahead *ahead);

#endif
