/* selection: a set of sessions, by what sessions.csv says of them or by their names.
 *
 * A condition is KEY=VALUE or KEY!=VALUE with KEY one of session, user, version, split, label,
 * cluster; several hold together. A label counts only where somebody asks for it here. */
#ifndef KB_SELECTION_H
#define KB_SELECTION_H

#include "corpus.h"
#include "progress.h"
#include "status.h"

/* What is known of the sessions besides the corpus. */
typedef struct kb_selecting {
    const kb_corpus *corpus;
    const uint32_t *clusters; /* by session, 0: none; NULL: there are no clusters */
} kb_selecting;

/* CHOSEN[s] (kb_corpus_sessions flags) becomes false where CONDITION does not hold. KB_ERR_USAGE
 * where it is no condition, or asks for clusters that are not there: the text begins with what is
 * wrong, not with an option's name. */
kb_status kb_select_where(bool *chosen, const kb_selecting *selecting, const char *condition,
                          kb_error *err);

/* CHOSEN[s] becomes false where session s is not named in the file PATH ("-": standard input): a
 * CSV file with a column "session", or a list of names, one a line (a line is read as a row of CSV,
 * and names may be quoted). A name that the corpus lacks is KB_ERR_FORMAT with its line; so is a
 * bad row. */
kb_status kb_select_named(bool *chosen, const kb_corpus *corpus, const char *path,
                          const kb_progress *progress, kb_error *err);

#endif
