/* twins: series that come to one object of one session, because labels that would tell them apart
 * are left out, and have a sample at the same time, so that one takes the other's place.
 *
 * Memory follows the series and not their samples: times that follow each other in equal steps are
 * one stretch, and for an object of a session the last KB_STRETCHES are remembered, at most half of
 * them of one series. Times that are no whole microseconds are not compared. Not thread-safe. */
#ifndef KB_TWINS_H
#define KB_TWINS_H

#include <stdbool.h>

#include "corpus_writer.h"

enum { KB_STRETCHES = 64 };

typedef struct kb_twins kb_twins;

kb_twins *kb_twins_create(void);     /* NULL: no memory */
void kb_twins_free(kb_twins *twins); /* NULL is fine */

/* The samples that follow are those of OBJECT of SESSION; DROPPED is a text of what tells their
 * series from others of the same object. False: no memory. */
bool kb_twins_begin(kb_twins *twins, kb_cell session, kb_cell object, kb_cell dropped);
/* A sample at TIME, a time of a corpus. *OTHER is what tells another series that has one at that
 * time, valid until the twins are freed, or NULL; it is given once for each object, whatever the
 * session. False: no memory. */
bool kb_twins_sample(kb_twins *twins, kb_cell time, const char **other);

#endif
