/* What the targets of imports share. */
#ifndef KB_FUZZ_IMPORTING_H
#define KB_FUZZ_IMPORTING_H

#include "import.h"

/* Imports IN into FOLDER/out. Whatever IN is, either nothing is left or a corpus that can be read
 * strictly and has what the result says. */
void fuzz_import(kb_import_format format, const char *in, const char *folder,
                 kb_import_options options);
/* The same with a file that holds BYTES. */
void fuzz_import_file(kb_import_format format, const void *bytes, size_t size,
                      const kb_import_options *options);

#endif
