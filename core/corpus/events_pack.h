/* events_pack: a log as sections of a container, and back. */
#ifndef KB_EVENTS_PACK_H
#define KB_EVENTS_PACK_H

#include "events.h"
#include "pack.h"

kb_status kb_events_pack(const kb_events *events, kb_packer *packer, kb_error *err);
/* The log looks into the reader's memory: the reader must outlive it. What does not hold together
 * is KB_ERR_FORMAT. */
kb_status kb_events_unpack(kb_events **out, kb_container_reader *reader, kb_error *err);

#endif
