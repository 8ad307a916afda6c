/* gzout: a gzip-compressed file that is written whole or not at all. The same bytes in give the
 * same bytes out: the header holds neither name nor time. */
#ifndef KB_GZOUT_H
#define KB_GZOUT_H

#include <stddef.h>

#include "status.h"

typedef struct kb_gzout kb_gzout;

kb_status kb_gzout_open(kb_gzout **out, const char *path, kb_error *err);
kb_status kb_gzout_write(kb_gzout *gz, const void *bytes, size_t length, kb_error *err);
/* Both free GZ whatever they return; see kb_outfile. */
kb_status kb_gzout_commit(kb_gzout *gz, kb_error *err);
void kb_gzout_abort(kb_gzout *gz); /* NULL is fine */

#endif
