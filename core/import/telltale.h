/* telltale: labels that name the session again in other words: they have values in several
 * sessions, and no value in more than one. Not thread-safe. */
#ifndef KB_TELLTALE_H
#define KB_TELLTALE_H

#include <stdbool.h>

#include "corpus_writer.h"

typedef struct kb_telltale kb_telltale;

kb_telltale *kb_telltale_create(void);        /* NULL: no memory */
void kb_telltale_free(kb_telltale *telltale); /* NULL is fine */

/* LABEL has VALUE in SESSION. False: no memory. */
bool kb_telltale_add(kb_telltale *telltale, kb_cell session, const char *label, kb_cell value);
/* LIST (SIZE bytes) becomes the names of such labels, "a,b", as far as they fit; how many. */
size_t kb_telltale_list(const kb_telltale *telltale, char *list, size_t size);

#endif
