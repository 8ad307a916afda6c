/* generate: writes a synthetic corpus with planted crash types, an emerging type, drift and event
 * logs, in the public format. What was planted is in sessions.csv (label) and truth.csv
 * (label,object,role).
 *
 * Each type has objects that leak in a shape of their own and companions that are merely around
 * more often; so has "emerging-new", whose leaks no other session has, and "emerging-mix", whose
 * objects are all known. "misc" sessions have nothing planted. Version 3.2 (split later) uses a
 * twelfth of the objects differently, has fixed the second type and made the last one worse (from
 * four types on). */
#ifndef KB_GENERATE_H
#define KB_GENERATE_H

#include <stddef.h>
#include <stdint.h>

#include "progress.h"
#include "status.h"

typedef struct kb_generate_options {
    size_t sessions;  /* in all: train, validation, emerging, later in about
                         72:15:3:10. 20..10,000,000. Default 400 */
    size_t objects;   /* 40..1,000,000. Default 200 */
    size_t timesteps; /* samples of a session, of most of them: some are shorter. 10..65,535.
                         Default 100 */
    size_t types;  /* planted crash types, each .85 as common as the one before. At least 1; at most
                    * 64, a tenth of the  sessions, a fifth of the objects. Default 6 */
    uint64_t seed; /* another seed is another world */
    size_t shards; /* files of readings, 1..256; the sessions take turns. Default 1 */
} kb_generate_options;

kb_generate_options kb_generate_defaults(void);
/* What is wrong with OPTIONS, as KB_ERR_USAGE. */
kb_status kb_generate_check(const kb_generate_options *options, kb_error *err);
/* Makes DIR if it is missing and writes metrics.csv.gz (metrics-000.csv.gz and so on where there
 * are several shards), sessions.csv, events.csv.gz, truth.csv there, each whole or not at all, and
 * none before all are complete. The same options give the same bytes. A DIR that holds a corpus
 * already is left alone (KB_ERR_IO). Reports phase "generating" in sessions. */
kb_status kb_generate(const char *dir, const kb_generate_options *options,
                      const kb_progress *progress, kb_error *err);

#endif
