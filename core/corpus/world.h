/* world: what a synthetic corpus is drawn from. An invented app with its objects, the ways people
 * use it, and the crashes that are planted in it. A pure function of the options; immutable once
 * made. */
#ifndef KB_WORLD_H
#define KB_WORLD_H

#include <stdint.h>

#include "curve.h"
#include "generate.h"
#include "status.h"

enum { KB_WORKFLOWS = 4, KB_LABEL_BYTES = 32, KB_OBJECT_BYTES = 48 };

/* A planted crash: its leaking objects grow until the end, its companions are only around more
 * often than elsewhere. */
typedef struct kb_crash {
    char label[KB_LABEL_BYTES]; /* "type-01", ..., "emerging-new", "emerging-mix" */
    uint32_t *leaks;            /* leak_count object numbers */
    kb_curve *shapes;           /* of each leak */
    uint32_t *companions;       /* companion_count object numbers */
    uint32_t last[2];           /* the actions users tend to end with, older first */
} kb_crash;

typedef struct kb_world {
    size_t objects, types;
    char (*names)[KB_OBJECT_BYTES];    /* of the objects */
    double *presence;                  /* chance of each object to be in a session of version 3.1 */
    double *later;                     /* the same for version 3.2 */
    double *size;                      /* the typical highest count of each object */
    kb_curve *habit;                   /* how each object usually behaves */
    uint32_t *workflows[KB_WORKFLOWS]; /* workflow_size objects that are used together; nothing to
                                          do with crashes */
    size_t workflow_size, leak_count, companion_count;
    kb_crash *crashes; /* TYPES known ones, then emerging-new (leaks nobody has seen) and
                          emerging-mix (of known objects) */
    struct kb_arena *arena;
} kb_world;

/* OPTIONS have passed kb_generate_check. */
kb_status kb_world_create(kb_world **out, const kb_generate_options *options, kb_error *err);
void kb_world_free(kb_world *world); /* NULL is fine */

/* What people do in the app: names of events. */
enum { KB_ACTIONS = 16 };
const char *kb_world_action(uint32_t action);

#endif
