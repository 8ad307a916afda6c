/* trace: one session's own file, in wide form, read whole. */
#ifndef KB_TRACE_H
#define KB_TRACE_H

#include "metrics.h"

typedef struct kb_trace_options {
    size_t timesteps;
    kb_fill fill;
    const kb_column_names *names; /* NULL: those of the format */
    kb_problems *problems;
    const kb_progress *progress; /* only asked for cancellation */
} kb_trace_options;

/* *OUT: the session that PATH is called by, settled, for kb_stream_adopt; NULL where the file's
 * name is none, which was told. The caller frees it. Also where it returns KB_ERR_DAMAGED: what
 * came before the damage. NULL on other errors. *BYTES grows by those of the file. */
kb_status kb_trace_read(kb_ingest **out, uint64_t *bytes, const char *path,
                        const kb_trace_options *options, kb_error *err);

#endif
