/* label_rows: what assign and watch print of a session. */
#ifndef KB_CLI_LABEL_ROWS_H
#define KB_CLI_LABEL_ROWS_H

#include "filter.h"
#include "output.h"

enum { CLI_LABEL_COLUMNS = 6 };

/* The columns as the first line of CSV. */
#define CLI_LABEL_HEADER "session,cluster,distance,novelty,emerging,p_value"

extern const output_column cli_label_columns[CLI_LABEL_COLUMNS];

void cli_write_label(output *out, const char *session, const kb_assignment *assignment);
/* All of LABELS, and on their way: KB_ERR_IO names TARGET, without a text when its reader has gone.
 */
kb_status cli_write_labels(output *out, const kb_labels *labels, const char *target, kb_error *err);

#endif
