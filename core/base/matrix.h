/* matrix: views of row-major float matrices. A view owns nothing; whoever allocated the data frees
 * it. */
#ifndef KB_MATRIX_H
#define KB_MATRIX_H

#include <stddef.h>

typedef struct kb_matrix {
    float *data; /* row i starts at data + i * stride */
    size_t rows, cols;
    size_t stride; /* in floats, >= cols */
} kb_matrix;

typedef struct kb_const_matrix {
    const float *data;
    size_t rows, cols, stride;
} kb_const_matrix;

static inline kb_matrix kb_matrix_of(float *data, size_t rows, size_t cols)
{
    return (kb_matrix){data, rows, cols, cols};
}

static inline kb_const_matrix kb_const_matrix_of(const float *data, size_t rows, size_t cols)
{
    return (kb_const_matrix){data, rows, cols, cols};
}

static inline kb_const_matrix kb_matrix_const(kb_matrix m)
{
    return (kb_const_matrix){m.data, m.rows, m.cols, m.stride};
}

static inline float *kb_matrix_row(kb_matrix m, size_t i)
{
    return m.data + i * m.stride;
}

static inline const float *kb_const_matrix_row(kb_const_matrix m, size_t i)
{
    return m.data + i * m.stride;
}

#endif
