#include "job_text.h"

#include <inttypes.h>
#include <stdio.h>

void kb_duration_text(double seconds, char *text, size_t size)
{
    uint64_t s = seconds < 1e9 ? (uint64_t)(seconds + 0.5) : 1000000000;
    if (s < 60)
        snprintf(text, size, "%" PRIu64 " s", s);
    else if (s < 3600)
        snprintf(text, size, "%" PRIu64 " min %02" PRIu64 " s", s / 60, s % 60);
    else
        snprintf(text, size, "%" PRIu64 " h %02" PRIu64 " min", s / 3600, s / 60 % 60);
}

static void count_text(uint64_t count, char *text, size_t size)
{
    if (count < 100000)
        snprintf(text, size, "%" PRIu64, count);
    else if (count < 100000000)
        snprintf(text, size, "%.1f M", (double)count / 1e6);
    else
        snprintf(text, size, "%.0f M", (double)count / 1e6);
}

void kb_job_amount_text(const kb_job_state *state, char *text, size_t size)
{
    double done = (double)state->done / 1e6, total = (double)state->total / 1e6;
    char rows[32];
    int used;
    if (state->bytes && state->total)
        used = snprintf(text, size, "%.1f of %.1f MB", done, total);
    else if (state->bytes)
        used = snprintf(text, size, "%.1f MB", done);
    else if (state->total)
        used = snprintf(text, size, "%" PRIu64 " of %" PRIu64, state->done, state->total);
    else
        used = snprintf(text, size, "%" PRIu64, state->done);
    if (!state->rows || used < 0 || (size_t)used >= size)
        return;
    count_text(state->rows, rows, sizeof rows);
    snprintf(text + used, size - (size_t)used, ", %s rows", rows);
}

void kb_job_rate_text(const kb_job_state *state, char *text, size_t size)
{
    char left[32];
    double rate = state->phase_seconds > 0 ? (double)state->done / state->phase_seconds : 0;
    text[0] = '\0';
    if (!(rate > 0) || state->phase_seconds < 0.5)
        return;
    int used = state->bytes ? snprintf(text, size, "%.1f MB/s", rate / 1e6)
                            : snprintf(text, size, "%.4g/s", rate);
    if (state->done >= state->total || used < 0 || (size_t)used >= size)
        return;
    kb_duration_text((double)(state->total - state->done) / rate, left, sizeof left);
    snprintf(text + used, size - (size_t)used, ", %s left", left);
}
