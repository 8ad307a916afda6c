/* describe: what a corpus holds, as rows "item,value". */
#ifndef KB_CLI_DESCRIBE_H
#define KB_CLI_DESCRIBE_H

#include "corpus.h"
#include "output.h"

/* One row each. */
void cli_item_text(output *out, const char *item, const char *value);
void cli_item_count(output *out, const char *item, uint64_t value);
void cli_item_real(output *out, const char *item, double value);

/* Files, sessions by split and version, objects, density, time ranges, events, and problems by
 * kind. */
void cli_describe_corpus(output *out, const kb_corpus *corpus);

#endif
