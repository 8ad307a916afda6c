#include "field.h"

#include <stdlib.h>

#include "memory.h"

static const float FAR_AWAY = 1e15F;

void kb_field_free(kb_field *field)
{
    free(field->x);
    free(field->y);
    free(field->pull_x);
    *field = (kb_field){0};
}

bool kb_field_make(kb_field *field, size_t n)
{
    *field = (kb_field){.n = n, .padded = (n / KB_FIELD_LANES + 2) * KB_FIELD_LANES};
    field->x = kb_alloc_aligned(field->padded, sizeof *field->x);
    field->y = kb_alloc_aligned(field->padded, sizeof *field->y);
    field->pull_x = kb_calloc(n, 4 * sizeof *field->pull_x); /* all four, in one block */
    if (!field->x || !field->y || !field->pull_x) {
        kb_field_free(field);
        return false;
    }
    field->pull_y = field->pull_x + n;
    field->push_x = field->pull_x + 2 * n;
    field->push_y = field->pull_x + 3 * n;
    for (size_t i = 0; i < field->padded; i++)
        field->x[i] = field->y[i] = i < n ? 0 : FAR_AWAY;
    return true;
}

void kb_field_set(kb_field *field, const float *layout)
{
    for (size_t i = 0; i < field->n; i++) {
        field->x[i] = layout[2 * i];
        field->y[i] = layout[2 * i + 1];
    }
}

void kb_field_get(const kb_field *field, float *layout)
{
    for (size_t i = 0; i < field->n; i++) {
        layout[2 * i] = field->x[i];
        layout[2 * i + 1] = field->y[i];
    }
}
