/* outfile: files that are written whole or not at all.
 *
 * Bytes go to a temporary file beside the target ("PATH.XXXXXX.tmp"); commit syncs it, renames it
 * over the target and syncs the folder. Until then the target is what it was; abort removes the
 * temporary file. */
#ifndef KB_OUTFILE_H
#define KB_OUTFILE_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef struct kb_outfile kb_outfile;

kb_status kb_outfile_open(kb_outfile **out, const char *path, kb_error *err);
/* A file that only this user may read, and that can be made again: its commit does not wait for the
 * disk, so that after a crash of the machine it may be damaged. */
kb_status kb_outfile_open_private(kb_outfile **out, const char *path, kb_error *err);
kb_status kb_outfile_write(kb_outfile *file, const void *bytes, size_t length, kb_error *err);
uint64_t kb_outfile_position(const kb_outfile *file);
/* Both free FILE whatever they return; a commit that fails leaves the old target and no temporary
 * file. */
kb_status kb_outfile_commit(kb_outfile *file, kb_error *err);
void kb_outfile_abort(kb_outfile *file); /* NULL is fine */

#endif
