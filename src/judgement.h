/* judgement: what two models say of the same sessions, of one corpus or two; or one model of two.
 */
#ifndef KB_CLI_JUDGEMENT_H
#define KB_CLI_JUDGEMENT_H

#include "comparison.h"
#include "work.h"

typedef struct cli_judgement {
    cli_work work;
    kb_model *a, *b;                        /* B may be A */
    const char *name_a, *name_b;            /* their files */
    const char *corpora[2];                 /* paths; NULL: none, or no second one */
    kb_assignment *assigned_a, *assigned_b; /* COUNT; B's are A's where B is A */
    uint32_t *retired;                      /* COUNT: see kb_side */
    size_t count, first;                    /* the first FIRST are of the first corpus */
    size_t damaged;                         /* files whose end is lost */
} cli_judgement;

/* Loads the models NAME_A and NAME_B (which may be the same pointer: one model), reads the corpora
 * as each wants them, and assigns their sessions. On the job's thread. KB_ERR_USAGE for a --fill or
 * --timesteps that a model contradicts. */
kb_status cli_judge(cli_judgement *j, const kb_progress *progress, kb_error *err);
/* Compares what was judged: by members; by number where there is one model; by profiles where there
 * was no corpus. */
kb_status cli_compare(const cli_judgement *j, kb_comparison *out, kb_error *err);
/* Frees what J has and ends its work with STATUS, as cli_work_end. */
int cli_judgement_end(cli_judgement *j, int status);

#endif
