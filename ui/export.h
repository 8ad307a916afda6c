/* export: what a pane shows, as a CSV file. */
#ifndef KB_EXPORT_H
#define KB_EXPORT_H

#include "view.h"

/* A name for the file, from what the pane shows: "kaboom-clusters.csv". */
void kb_export_name(kb_pane *pane, char *text, size_t size);
/* PATH as a shell would read a leading "~/". */
void kb_export_path(const char *typed, char *path, size_t size);
/* Whether PATH may be written: it is not there yet, or FORCED. What is wrong goes to ERR. */
kb_status kb_export_allowed(const char *path, bool forced, kb_error *err);
/* Writes the rows as they are shown: filtered and sorted. *ROWS: how many. */
kb_status kb_export_pane(kb_pane *pane, const char *path, size_t *rows, kb_error *err);

#endif
