/* pack: names and arrays as sections of a container, and back, each checked on the way. */
#ifndef KB_PACK_H
#define KB_PACK_H

#include <stdbool.h>

#include "container.h"
#include "memory.h"
#include "names.h"

/* What is packed is borrowed until the container is written; what has to be made for it lives in
 * the arena. */
typedef struct kb_packer {
    kb_container_writer *writer;
    kb_arena *arena;
} kb_packer;

kb_status kb_pack_array(kb_packer *packer, const char *section, const void *items, size_t count,
                        size_t size, kb_error *err);
kb_status kb_pack_names(kb_packer *packer, const char *section, const kb_names *names,
                        kb_error *err);

/* *ITEMS (in the reader's memory) and *COUNT: a section of items of SIZE bytes. */
kb_status kb_unpack_array(kb_container_reader *reader, const char *section, size_t size,
                          const void **items, size_t *count, kb_error *err);
/* RISING: their bytes must be in order. The caller frees *OUT. */
kb_status kb_unpack_names(kb_container_reader *reader, const char *section, bool rising,
                          kb_names **out, kb_error *err);
/* The section holds what no writer of ours would write. */
kb_status kb_unpack_nonsense(const char *section, kb_error *err);

#endif
