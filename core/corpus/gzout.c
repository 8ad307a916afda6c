#include "gzout.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "memory.h"
#include "outfile.h"

enum {
    BUFFER_BYTES = 1 << 16,
    GZIP_WINDOW = 15 + 16, /* the largest window; + 16 asks zlib for a gzip header */
    LEVEL = 6,
    MEMORY_LEVEL = 8
};

struct kb_gzout {
    kb_outfile *file;
    z_stream z;
    size_t pending; /* bytes in input: rows are short, deflate likes more at a time */
    unsigned char input[BUFFER_BYTES], output[BUFFER_BYTES];
};

kb_status kb_gzout_open(kb_gzout **out, const char *path, kb_error *err)
{
    *out = NULL;
    kb_gzout *gz = kb_calloc(1, sizeof *gz);
    if (!gz)
        return kb_fail_memory(err, "a file buffer");
    if (deflateInit2(&gz->z, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY)) {
        free(gz);
        return kb_fail_memory(err, "compression");
    }
    kb_status status = kb_outfile_open(&gz->file, path, err);
    if (status) {
        deflateEnd(&gz->z);
        free(gz);
        return status;
    }
    *out = gz;
    return KB_OK;
}

/* Compresses what is pending; FLUSH is Z_NO_FLUSH or Z_FINISH. deflate cannot fail here: its state
 * is valid and output is always taken away, so the loop ends when it leaves room in the output. */
static kb_status compress_pending(kb_gzout *gz, int flush, kb_error *err)
{
    gz->z.next_in = gz->input;
    gz->z.avail_in = (uInt)gz->pending;
    gz->pending = 0;
    do {
        gz->z.next_out = gz->output;
        gz->z.avail_out = sizeof gz->output;
        deflate(&gz->z, flush);
        size_t made = sizeof gz->output - gz->z.avail_out;
        kb_status status = kb_outfile_write(gz->file, gz->output, made, err);
        if (status)
            return status;
    } while (!gz->z.avail_out);
    return KB_OK;
}

kb_status kb_gzout_write(kb_gzout *gz, const void *bytes, size_t length, kb_error *err)
{
    const unsigned char *from = bytes;
    while (length) {
        size_t room = sizeof gz->input - gz->pending, part = length < room ? length : room;
        memcpy(gz->input + gz->pending, from, part);
        gz->pending += part;
        from += part;
        length -= part;
        if (gz->pending < sizeof gz->input)
            continue;
        kb_status status = compress_pending(gz, Z_NO_FLUSH, err);
        if (status)
            return status;
    }
    return KB_OK;
}

kb_status kb_gzout_commit(kb_gzout *gz, kb_error *err)
{
    kb_status status = compress_pending(gz, Z_FINISH, err);
    if (status) {
        kb_gzout_abort(gz);
        return status;
    }
    deflateEnd(&gz->z);
    status = kb_outfile_commit(gz->file, err);
    free(gz);
    return status;
}

void kb_gzout_abort(kb_gzout *gz)
{
    if (!gz)
        return;
    deflateEnd(&gz->z);
    kb_outfile_abort(gz->file);
    free(gz);
}
