/* ledger: a file to which rows of labels are appended, read back to learn which sessions it has.
 *
 * A process that ends in the middle of a row leaves a torn one: it is cut off, so that the file
 * ends with a whole row. Rows are CSV with a header (RFC 4180), or JSON objects, one a line, whose
 * first member is the session. */
#ifndef KB_LEDGER_H
#define KB_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef enum kb_ledger_form { KB_LEDGER_CSV, KB_LEDGER_JSON } kb_ledger_form;

/* Which file, and how much of it is accounted for. */
typedef struct kb_ledger_place {
    uint64_t device, inode, offset;
} kb_ledger_place;

/* Hears each session. */
typedef struct kb_ledger_reader {
    kb_status (*name)(void *ctx, const char *name, size_t length, kb_error *err);
    void *ctx;
} kb_ledger_reader;

/* Reads the rows of PATH from PLACE->offset on, if it is the file that PLACE says, otherwise all of
 * them; cuts off a torn one; then PLACE is its end. HEADER: the first line of CSV, without its
 * newline. *ROWS becomes their number. A file that is not there: KB_OK, and PLACE all zero. One
 * that begins otherwise is KB_ERR_FORMAT, and left alone. */
kb_status kb_ledger_recover(const char *path, kb_ledger_form form, const char *header,
                            kb_ledger_place *place, kb_ledger_reader reader, uint64_t *rows,
                            kb_error *err);
/* The file of PLACE, wherever it lies in the folder of PATH by now: its name, or NULL. The caller
 * frees it. */
char *kb_ledger_find(const char *path, const kb_ledger_place *place);

/* For tests and fuzzing: the session of the row (LENGTH bytes with the newline) in NAME (LENGTH
 * bytes of room). False: it is no row. */
bool kb_ledger_name(kb_ledger_form form, const char *row, size_t length, char *name, size_t *got);

#endif
