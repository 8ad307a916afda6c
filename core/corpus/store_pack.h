/* store_pack: a store as sections of a container, and back. */
#ifndef KB_STORE_PACK_H
#define KB_STORE_PACK_H

#include "pack.h"
#include "store.h"

kb_status kb_store_pack(const kb_store *store, kb_packer *packer, kb_error *err);
/* The store looks into the reader's memory: the reader must outlive it. What does not hold together
 * is KB_ERR_FORMAT. */
kb_status kb_store_unpack(kb_store **out, kb_container_reader *reader, size_t timesteps,
                          kb_error *err);

#endif
