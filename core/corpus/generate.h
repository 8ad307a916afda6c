/* generate: writes a synthetic corpus with planted crash types, an emerging type, drift and event logs, in the
 * public format. What was planted is in sessions.csv (label) and truth.csv (label,object,role). */
#ifndef KB_GENERATE_H
#define KB_GENERATE_H

#include <stdint.h>

#include "progress.h"
#include "status.h"

typedef struct kb_generate_options {
    size_t sessions;  /* in all: train, validation, emerging, later in about 70:15:5:10. >= 20. Default 400 */
    size_t objects;   /* Default 200 */
    size_t timesteps; /* Default 100 */
    size_t types;     /* planted crash types, imbalanced. Default 6 */
    uint64_t seed;    /* another seed is another world */
} kb_generate_options;

kb_generate_options kb_generate_defaults(void);
/* What is wrong with OPTIONS, as KB_ERR_USAGE. */
kb_status kb_generate_check(const kb_generate_options *options, kb_error *err);
/* Makes DIR if it is missing and writes metrics.csv.gz, sessions.csv, events.csv.gz, truth.csv there, each whole or not at all. */
kb_status kb_generate(const char *dir, const kb_generate_options *options,
                      const kb_progress *progress, kb_error *err);

#endif
