/* verbs: what each word on the command line does. Each takes checked options and returns an exit
 * status. */
#ifndef KB_CLI_VERBS_H
#define KB_CLI_VERBS_H

#include "options.h"

int verb_explore(const cli_options *options);
int verb_train(const cli_options *options);
int verb_calibrate(const cli_options *options);
int verb_elbow(const cli_options *options);
int verb_assign(const cli_options *options);
int verb_embed(const cli_options *options);
int verb_project(const cli_options *options);
int verb_explain(const cli_options *options);
int verb_ngrams(const cli_options *options);
int verb_score(const cli_options *options);
int verb_check(const cli_options *options);
int verb_generate(const cli_options *options);
int verb_import(const cli_options *options);
int verb_info(const cli_options *options);
int verb_cache(const cli_options *options);
int verb_clusters(const cli_options *options);
int verb_emerging(const cli_options *options);
int verb_compare(const cli_options *options);
int verb_drift(const cli_options *options);
int verb_watch(const cli_options *options);
int verb_name(const cli_options *options);
int verb_variants(const cli_options *options);

/* The elbow table on standard output, for the verbs that end with one. */
struct cli_work;
int cli_write_elbow(struct cli_work *work, const kb_elbow *elbow);
/* The cells of one of its rows, from k to chosen. */
void cli_write_elbow_row(struct output *out, const kb_elbow_row *row);

#endif
