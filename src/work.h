/* work: what most verbs need before their own step: a corpus in memory, a model, threads, and the
 * sessions that are asked for.
 *
 * A verb embeds a cli_work, calls cli_work_load first thing in its job, and cli_work_end at the
 * end, whatever happened between. */
#ifndef KB_CLI_WORK_H
#define KB_CLI_WORK_H

#include "run.h"

typedef struct cli_work {
    const cli_options *options;
    cli_console console;
    kb_pool *pool;
    kb_model *model; /* NULL for verbs without -m */
    kb_corpus *corpus;
    size_t *sessions; /* ids of the split that is asked for, rising */
    size_t count;
    kb_assignment *assigned; /* one for each of sessions, after cli_work_assign */
    kb_matrix points;        /* count rows, after a verb has made them: embeddings, a map */
} cli_work;

void cli_work_start(cli_work *work, const cli_options *options);
/* Frees what WORK has and returns what the program is to exit with: STATUS, or CLI_FAILED when that
 * would be CLI_DONE although the end of a file was lost, which is told. */
int cli_work_end(cli_work *work, int status);
/* kb_calibrate with the verb's options, and a note when the sessions are too few for the
 * false-alarm rate that was asked for. *ELBOW as kb_calibrate's. */
kb_status cli_work_calibrate(cli_work *work, kb_elbow *elbow, const kb_progress *progress,
                             kb_error *err);
/* That note alone, for a model calibrated otherwise. */
void cli_note_calibration(cli_work *work);

/* Threads, the model of -m (its timesteps rule; a contradicting --timesteps is KB_ERR_USAGE), and
 * the corpus; then selects the sessions. On the job's thread. */
kb_status cli_work_load(cli_work *work, const kb_progress *progress, kb_error *err);
kb_status cli_work_assign(cli_work *work, const kb_progress *progress, kb_error *err);
/* CHOSEN (by session of the corpus) becomes false where --where or --sessions does not hold.
 * CLUSTERS (the same; 0: none) may be NULL. */
kb_status cli_select_described(const cli_work *work, bool *chosen, const uint32_t *clusters,
                               const kb_progress *progress, kb_error *err);
/* KB_ERR_USAGE when the model is calibrated and lacks the cluster of --cluster. */
kb_status cli_check_cluster(const cli_work *work, kb_error *err);

/* The model of -m, if there is one, whose rules READING gets; see kb_features_adopt. */
kb_status cli_load_model(cli_work *work, kb_corpus_options *reading, kb_error *err);
/* Reading options with the console as listener; under --strict the one bad row is the error, and
 * told once. */
kb_corpus_options cli_reading(cli_work *work);

/* The corpus that is the verb's operand; tells its problems, and with --verbose what it holds and
 * what became of the cache. */
kb_status cli_load_corpus(cli_work *work, const kb_corpus_options *reading,
                          const kb_progress *progress, kb_error *err);

/* The same for any PATH, into *OUT. */
kb_status cli_read_corpus(cli_work *work, kb_corpus **out, const char *path,
                          const kb_corpus_options *reading, const kb_progress *progress,
                          kb_error *err);

/* *IDS (the caller frees it): the sessions of CORPUS of the split that is asked for; *COUNT how
 * many. */
kb_status cli_select(const cli_work *work, const kb_corpus *corpus, size_t **ids, size_t *count,
                     kb_error *err);

const kb_session *cli_work_session(const cli_work *work, size_t i); /* the i-th of sessions */

/* Opens standard output for a result with COLUMNS. */
output *cli_output(const cli_work *work, const output_column *columns, size_t count);

/* KB_ERR_IO when no file can be put at PATH, so that this is known before the work and not after.
 */
kb_status cli_check_target(const char *path, kb_error *err);

#endif
