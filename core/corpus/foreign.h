/* foreign: what bytes that are not a CSV file in UTF-8 are instead, for an error that helps. */
#ifndef KB_FOREIGN_H
#define KB_FOREIGN_H

#include <stddef.h>

/* "compressed with zstd", "text in UTF-16", ...: what the LENGTH first bytes of a file say that it
 * is, after decompression if that is gzip. 16 bytes are enough. NULL: it may be a CSV file. */
const char *kb_foreign(const char *bytes, size_t length);

#endif
