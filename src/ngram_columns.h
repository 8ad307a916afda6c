/* ngram_columns: what the two forms of "ngrams" have in common: the events' columns, and remarks on
 * what was left out. */
#ifndef KB_CLI_NGRAM_COLUMNS_H
#define KB_CLI_NGRAM_COLUMNS_H

#include "ngram_table.h"
#include "output.h"
#include "run.h"
#include "truncations.h"

enum { CLI_NGRAM_EXTRA = 12 }; /* columns beside the events' */

typedef struct cli_ngram_columns {
    char events[KB_NGRAM_MAX][24]; /* e0, e1, ... */
    output_column items[KB_NGRAM_MAX + CLI_NGRAM_EXTRA];
    size_t count;
} cli_ngram_columns;

/* FIRST, n where the lengths are several, e0 to e(most - 2), LAST; both end with one without a
 * name. COLUMNS must stay where it is while its items are in use. */
void cli_ngram_columns_init(cli_ngram_columns *columns, const kb_ngram_options *lengths,
                            const output_column *first, const output_column *last);
/* The cells of n and of the events of a row of length N. */
void cli_write_ngram(output *out, const kb_events *events, const kb_ngram_options *lengths,
                     size_t n, const uint32_t *row);

/* Unless --quiet: which starts were left out, and which events of the lists are not there. */
void cli_note_truncations(cli_console *console, const kb_truncations *truncations);
/* The same for rows: FOLDED of them. */
void cli_note_folded(cli_console *console, size_t folded);

/* "ngrams" with a model, or for sessions that are described. */
int cli_cluster_ngrams(const cli_options *options);

#endif
