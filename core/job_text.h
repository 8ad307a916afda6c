/* job_text: how far a job is, in words. */
#ifndef KB_JOB_TEXT_H
#define KB_JOB_TEXT_H

#include <stddef.h>

#include "job.h"

/* "52.0 of 112.3 MB, 10.6 M rows", or "3 of 40": what the phase has done. */
void kb_job_amount_text(const kb_job_state *state, char *text, size_t size);
/* "48.1 MB/s, 2 s left"; "" before there is a rate. */
void kb_job_rate_text(const kb_job_state *state, char *text, size_t size);
/* "40 s", "2 min 05 s", "1 h 10 min". */
void kb_duration_text(double seconds, char *text, size_t size);

#endif
