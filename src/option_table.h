/* option_table: every verb and every option of the command line, as data. Add an option here and
 * nowhere else. */
#ifndef KB_CLI_OPTION_TABLE_H
#define KB_CLI_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"

typedef struct verb_row {
    const char *name;
    const char *operand;  /* what its operands are called, with blanks between them */
    const char *required; /* options that must be there, as the usage line shows them */
    const char *summary;
} verb_row;

extern const verb_row cli_verbs[CLI_VERBS];

typedef enum option_kind {
    KIND_FLAG,   /* bool: true when given */
    KIND_TEXT,   /* const char *, not empty */
    KIND_TEXTS,  /* cli_texts: one more each time */
    KIND_SIZE,   /* size_t in min..max; the zero word, if any, gives 0 */
    KIND_SPAN,   /* size_t[2], least and most, in min..max: N or LEAST..MOST */
    KIND_SEED,   /* uint64_t */
    KIND_REAL,   /* double in min..max; above_min: min itself is out */
    KIND_CHOICE, /* unsigned, one of count words */
    KIND_HELP,
    KIND_VERSION
} option_kind;

typedef struct option_row {
    const char *name;
    char letter; /* 0: none */
    option_kind kind;
    unsigned verbs; /* bits */
    size_t field;   /* offset in cli_options */
    const char *metavar;
    const char *help;
    double min, max;
    bool above_min;
    const char *zero; /* the word for 0 */
    const char *nan;  /* of a KIND_REAL: the word for NAN */
    unsigned count;
    const char *(*word)(unsigned i);
    unsigned with_model; /* bits: verbs for which it means nothing without -m, or sessions
                                chosen by hand */
} option_row;

/* Sets of verbs, as bits. */
#define V(verb) (1u << CLI_##verb)
enum {
    ALL = (1u << CLI_VERBS) - 1,
    ON_SESSIONS = V(ASSIGN) | V(EMBED) | V(PROJECT) | V(EXPLAIN) | V(SCORE) | V(CLUSTERS) |
                  V(DRIFT) | V(EMERGING),
    ON_MODEL_CORPUS = ON_SESSIONS | V(CALIBRATE) | V(ELBOW) | V(EXPLORE),
    ON_MODEL = ON_MODEL_CORPUS | V(WATCH),
    ON_CORPUS =
        ON_MODEL_CORPUS | V(TRAIN) | V(VARIANTS) | V(CHECK) | V(INFO) | V(COMPARE) | V(NAME),
    TRAINING = V(TRAIN) | V(VARIANTS) | V(EXPLORE),
    CALIBRATION = V(TRAIN) | V(CALIBRATE) | V(EXPLORE)
};

enum { CLI_ROWS_MAX = 128 };

extern const option_row cli_rows[];
extern const size_t cli_row_count; /* <= CLI_ROWS_MAX */

#endif
