/* options: the command line, as one table.
 *
 * A row of the table says what an option is called, what it takes, which verbs know it, its range
 * and its help; getopt_long, --help, the checks and the messages all walk that table. Parsing
 * prints what has to be said (help to standard output, usage errors to standard error). Strings in
 * cli_options are those of argv. */
#ifndef KB_CLI_OPTIONS_H
#define KB_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "comparison.h"
#include "contrast.h"
#include "drift.h"
#include "explorer.h"
#include "filter.h"
#include "generate.h"
#include "import.h"
#include "ngram_lift.h"
#include "output.h"
#include "pipeline.h"
#include "session_join.h"
#include "tally.h"
#include "truncations.h"
#include "watch.h"

enum {
    CLI_DONE = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_RECALIBRATE = 3, /* drift --exit-status alone */
    CLI_RETRAIN = 4
}; /* exit statuses; a signal gives 128 + its number */

typedef enum cli_verb {
    CLI_EXPLORE, /* no word on the command line */
    CLI_TRAIN,
    CLI_CALIBRATE,
    CLI_ELBOW,
    CLI_ASSIGN,
    CLI_EMBED,
    CLI_PROJECT,
    CLI_EXPLAIN,
    CLI_NGRAMS,
    CLI_SCORE,
    CLI_CHECK,
    CLI_GENERATE,
    CLI_IMPORT,
    CLI_INFO,
    CLI_CACHE,
    CLI_CLUSTERS,
    CLI_EMERGING,
    CLI_COMPARE,
    CLI_DRIFT,
    CLI_WATCH,
    CLI_NAME,
    CLI_VARIANTS,
    CLI_VERBS /* how many */
} cli_verb;

/* What --by can be: a kb_measure, or what only a model knows. */
enum { CLI_BY_MUTATION = KB_MEASURES, CLI_MEASURES };

/* An option that may be given again and again. */
enum { CLI_TEXTS_MAX = 32 };

typedef struct cli_texts {
    const char *items[CLI_TEXTS_MAX];
    size_t count;
} cli_texts;

/* --fold */
enum { CLI_FOLD_ON, CLI_FOLD_OFF, CLI_FOLDS };

/* emerging --show */
enum { CLI_SHOW_OBJECTS, CLI_SHOW_GROUPS, CLI_SHOW_SESSIONS, CLI_SHOWS };

/* clusters --by; the others are kb_tally_by + 1. */
enum { CLI_TALLY_ALL };

/* --split; the first four are kb_split's. Unfitted: the sessions that the model was not fitted on,
 * for drift. */
enum { CLI_SPLIT_ALL = KB_SPLITS, CLI_SPLIT_UNFITTED, CLI_SPLITS };

/* Operands of a verb, at most. */
enum { CLI_OPERANDS_MAX = 3 };

typedef struct cli_options {
    cli_verb verb;
    const char *operand; /* CORPUS, EVENTS, DIR or FILE: the first of operands */
    const char *operands[CLI_OPERANDS_MAX];
    const char *model, *output, *log;
    uint64_t seed;
    size_t threads;
    unsigned format; /* output_format */
    bool quiet, verbose;
    size_t timesteps;             /* 0: not given */
    unsigned fill;                /* kb_fill + 1; 0: not given */
    unsigned split;               /* kb_split, CLI_SPLIT_ALL or CLI_SPLIT_UNFITTED */
    size_t top;                   /* 0: all */
    size_t cluster;               /* 0: every cluster */
    unsigned by;                  /* kb_measure or CLI_BY_MUTATION */
    cli_texts where;              /* conditions that all hold; none: the model's clusters */
    const char *sessions, *given; /* a file of names; an object */
    unsigned fold;
    size_t representatives; /* 0: objects are told, and no sessions */
    unsigned tally_by;      /* CLI_TALLY_ALL, or kb_tally_by + 1 */
    kb_tally_options tally;
    unsigned show; /* what emerging prints */
    kb_comparison_options comparison;
    kb_drift_options drift;
    bool exit_status;              /* drift's advice is told by the exit status */
    const char *corpus, *corpus_b; /* of models that are compared; NULL: not given */
    const char *from;              /* the model that names come from */
    unsigned color;                /* kb_color_mode */
    bool ascii, no_mouse;
    bool baselines;
    bool no_cache, list, clear;
    size_t cache_limit; /* MiB */
    char cache_folder[4096];
    kb_cache cache; /* reading's, in cache_folder */
    kb_corpus_options reading;
    size_t runs; /* seeds to train with; 0: auto */
    kb_train_options training;
    kb_calibrate_options calibration;
    size_t memory; /* MiB; 0: as the machine has it */
    size_t open;   /* of assign and watch */
    double settle; /* 0: never */
    kb_filter_options filtering;
    kb_watch_options watching;
    const char *state;     /* --state */
    char state_file[4096]; /* it, or where a watch keeps it; "" if nowhere */
    kb_tsne_options map;
    size_t map_iterations;  /* 0: not given */
    const char *into;       /* a map that sessions are placed into; NULL: a new one */
    const char *map_corpus; /* where the sessions of that map are; NULL: in the operand */
    kb_place_options placing;
    kb_truncation_options starts;
    kb_lift_options lifts; /* and the lengths of n-grams, with a model or without */
    kb_join_options joining;
    const char *needs_model; /* the name of an option that was given and means nothing without -m,
                                or sessions chosen by hand */
    kb_generate_options generation;
    kb_import_format import_format; /* import's FORMAT */
    kb_import_options importing;
} cli_options;

/* True: OPTIONS is complete and checked, go on. False: everything was said already (help, version
 * or what is wrong), and *STATUS is what to exit with. */
bool cli_parse(cli_options *options, int argc, char **argv, int *status);

/* The word, "" for the explorer. */
const char *cli_verb_name(cli_verb verb);

/* Prints "kaboom VERB: TEXT" and where help is to standard error; returns CLI_USAGE. */
int cli_usage_error(cli_verb verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
