/* modelfile: a model as bytes on disk (kaboom-model(5)).
 *
 * Layout: magic, version, table of sections, then the sections. Text sections are zlib-compressed,
 * tensors raw little-endian float32 aligned to 64 bytes; every section and the table carry a
 * CRC-32. Written whole or not at all. */
#ifndef KB_MODELFILE_H
#define KB_MODELFILE_H

#include "container.h"
#include "model.h"

kb_status kb_model_save(const kb_model *model, const char *path, kb_error *err);
/* Refuses what is damaged or foreign, and says which section and why. */
kb_status kb_model_load(kb_model **out, const char *path, kb_error *err);
/* True when the file begins like a model, whatever follows (for `info`, which takes both models and
 * corpora). */
bool kb_model_looks_like(const char *path);

/* The section table, for `info`; the caller frees *SECTIONS. *VERSION: the format's. */
kb_status kb_model_sections(const char *path, kb_section **sections, size_t *count,
                            uint32_t *version, kb_error *err);

#endif
