/* label_file: where watch's labels go: standard output, or a file that they are appended to and
 * read back from (ledger.h). */
#ifndef KB_CLI_LABEL_FILE_H
#define KB_CLI_LABEL_FILE_H

#include "label_rows.h"
#include "run.h"
#include "watch.h"

typedef struct label_file {
    cli_console *console;
    const char *path; /* NULL: standard output */
    output_format format;
    bool regular; /* it is a file that can be read back */
    output *out;  /* NULL before it is opened */
    int fd;       /* of out */
} label_file;

/* PATH: NULL or a file, which is not touched yet; something else than a regular file is only
 * written to. */
void label_file_prepare(label_file *file, cli_console *console, const char *path,
                        output_format format);
/* The sink that writes into FILE. What is not read back is opened here: an error, if any. */
kb_status label_file_sink(label_file *file, kb_watch_sink *sink, kb_error *err);
/* CLI_DONE, or CLI_FAILED when the end could not be written, which is told. */
int label_file_close(label_file *file);

#endif
