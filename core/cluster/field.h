/* field: points of a layout and the forces upon them, as t-SNE's ways of measuring forces share
 * them. One float array a coordinate, so that loops over points read whole vectors. */
#ifndef KB_FIELD_H
#define KB_FIELD_H

#include <stdbool.h>
#include <stddef.h>

enum { KB_FIELD_LANES = 16 };

/* w_ij = 1 / (1 + |y_i - y_j|^2). The gradient of t-SNE is 4 (exaggeration pull - push / Z). */
typedef struct kb_field {
    size_t n;      /* points */
    size_t padded; /* n and at least a whole vector more, a multiple of KB_FIELD_LANES */
    float *x, *y;  /* padded; points past n stand so far away that they exert no force, yet the
                      square of the distance to them is a number */
    double *pull_x, *pull_y; /* n: sum_j p_ij w_ij (y_i - y_j) */
    double *push_x, *push_y; /* n: sum_j w_ij^2 (y_i - y_j) */
    double normaliser;       /* Z = sum over i and j, j != i, of w_ij; > 0 */
} kb_field;

/* All points at 0. False when there is no memory. Freed with kb_field_free, which is fine on a
 * zeroed one. */
bool kb_field_make(kb_field *field, size_t n);
void kb_field_free(kb_field *field);

/* From and to rows of (x, y): N x 2. */
void kb_field_set(kb_field *field, const float *layout);
void kb_field_get(const kb_field *field, float *layout);

#endif
