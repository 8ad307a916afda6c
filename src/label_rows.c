#include "label_rows.h"

#include <errno.h>

/* A streamed table takes 70 cells at the least, and 98 where there is room. */
const output_column cli_label_columns[CLI_LABEL_COLUMNS] = {
    {"session", .width = 40, .least = 12}, {"cluster", .width = 7},
    {"distance", .drop = 4, .width = 11},  {"novelty", .drop = 2, .width = 11},
    {"emerging", .drop = 1, .width = 8},   {"p_value", .drop = 3, .width = 11}};

void cli_write_label(output *out, const char *session, const kb_assignment *a)
{
    output_text(out, session);
    output_count(out, a->cluster);
    output_real(out, a->distance);
    output_real(out, a->novelty);
    output_count(out, a->emerging);
    output_real(out, a->p_value);
}

kb_status cli_write_labels(output *out, const kb_labels *labels, const char *target, kb_error *err)
{
    for (size_t i = 0; i < labels->count; i++)
        cli_write_label(out, kb_label_name(labels, i), &labels->assigned[i]);
    int error = output_flush(out);
    if (error == EPIPE)
        return kb_fail(err, KB_ERR_IO, "%s", "");
    return error ? kb_fail_errno(err, target, "cannot be written", error) : KB_OK;
}
