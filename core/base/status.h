/* status: how every fallible function in kaboom reports what went wrong.
 *
 * A function that can fail returns a kb_status and takes a kb_error that the CALLER owns (usually
 * on its stack, and NULL is allowed where the text is of no interest). The library never prints and
 * never exits; only src/ does. */
#ifndef KB_STATUS_H
#define KB_STATUS_H

typedef enum kb_status {
    KB_OK = 0,
    KB_ERR_IO,      /* a file could not be opened, read, written, synced or renamed */
    KB_ERR_FORMAT,  /* the bytes are not what their format says (a bad row under --strict, a damaged
                       model) */
    KB_ERR_DAMAGED, /* a file's bytes are cut off or corrupt; what came before them is good */
    KB_ERR_MEMORY,  /* an allocation failed, or a size would overflow */
    KB_ERR_USAGE,   /* an option out of range, or options that contradict each other or a model */
    KB_ERR_CANCELLED, /* the caller asked to stop; not an error to tell the user about */
    KB_ERR_NUMERIC,   /* training diverged, or a factorisation failed */
    KB_ERR_DEVICE     /* a compute device is missing or failed */
} kb_status;

typedef struct kb_error {
    kb_status status;
    char text[768]; /* one line, no newline, NUL-terminated; names the file, line, column or option
                     */
} kb_error;

/* Fills ERR (if not NULL) and returns STATUS, so that "return kb_fail(err, KB_ERR_IO, ...)" reads
 * as one step. */
kb_status kb_fail(kb_error *err, kb_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Out of memory while making WHAT ("no memory for WHAT"). */
kb_status kb_fail_memory(kb_error *err, const char *what);

/* KB_ERR_IO (KB_ERR_MEMORY for ENOMEM) with strerror(ERRNUM): "PATH: ACTION: reason". */
kb_status kb_fail_errno(kb_error *err, const char *path, const char *action, int errnum);

#endif
