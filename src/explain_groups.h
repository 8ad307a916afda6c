/* explain_groups: the sets of sessions that explain tells of, and what it has found out about each:
 * the model's clusters, or one set that the command line describes. */
#ifndef KB_CLI_EXPLAIN_GROUPS_H
#define KB_CLI_EXPLAIN_GROUPS_H

#include "contrast.h"
#include "mutation.h"
#include "representatives.h"
#include "work.h"

typedef struct explain_group {
    uint32_t number; /* of the cluster; 0: the set of the command line */
    bool *member;    /* by session of the corpus */
    size_t size;
    kb_contrast contrast;
    size_t *order, *leader; /* ranked rows, and who stands for each (fold.h) */
    size_t ranked;
    kb_representatives representatives;
} explain_group;

typedef struct explanation {
    cli_work work;
    bool *considered;  /* by session: is asked for, and has rows */
    uint32_t *cluster; /* by session, 0: none; NULL without a model */
    explain_group *groups;
    size_t count;
    kb_traits traits;
    kb_mutations mutations;
} explanation;

/* CONSIDERED, CLUSTER and GROUPS of what work was loaded (and assigned, where there is a model).
 * Clusters without a session have no group; a set without one is KB_ERR_USAGE. */
kb_status explain_find_groups(explanation *e, const kb_progress *progress, kb_error *err);
void explain_clear_groups(explanation *e);

/* Writes the rows of all groups to standard output; an exit status. */
int explain_write(explanation *e);

#endif
