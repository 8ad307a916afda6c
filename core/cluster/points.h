/* points: what every method here does with a set of points: distances, means of labelled points, a
 * centred copy.
 *
 * Nothing is owned; every array is the caller's. Results depend on the points alone, never on who
 * computes them, so that callers may share rows or columns out over threads as they like. */
#ifndef KB_POINTS_H
#define KB_POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "matrix.h"

/* Vector types of the compiler: the same code for every instruction set (simd.h), and loads that
 * need no alignment. 32 bytes, which both levels of AVX hold in registers; 64 where plenty of
 * independent work lets a narrower processor take two at a time. */
typedef float kb_float4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef float kb_float8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef float kb_float16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef double kb_double4 __attribute__((vector_size(32), aligned(8), may_alias));

enum { KB_LANES = 16 };

/* |a - b|^2 of two points of DIMS floats; differences and sum in double. */
double kb_point_distance2(const float *a, const float *b, size_t dims);

/* One point a lane: BLOCK[f * 16 + r] = X[ROWS[r]][f]. BLOCK: d x 16; ROWS: COUNT of them, 1..16;
 * lanes past COUNT repeat the last. */
void kb_lanes_pack(float *block, kb_const_matrix x, const size_t *rows, size_t count);

/* OUT[j * 16 + r] = |X[j] - lane r of BLOCK|^2 for every row j of X. OUT: rows x 16. Differences
 * are taken first, so nothing cancels; relative error below about (32 + d / 32) * 2^-24. */
void kb_lanes_distance2(float *out, const float *block, kb_const_matrix x);

/* SIZES (CLUSTERS) = how many of the N labels are 0, 1, ... */
void kb_label_sizes(size_t *sizes, const uint32_t *labels, size_t n, size_t clusters);

/* MEANS (CLUSTERS x d): columns FIRST .. LAST-1 of the means of X's rows by label; 0 where SIZES is
 * 0. The columns let threads share the work without a change in the order of any sum. */
void kb_label_means(double *means, kb_const_matrix x, const uint32_t *labels, const size_t *sizes,
                    size_t clusters, size_t first, size_t last);

/* False, and *ROW the first row at fault, when X holds a value that is not finite. */
bool kb_points_finite(kb_const_matrix x, size_t *row);

/* OUT (N x d, contiguous) = (X - MEAN) / 2^e and returns e, the least that brings every |OUT| to 1
 * or below: squares can then neither overflow nor vanish, and dot products lose little to
 * cancellation. MEAN: d, receives the column means. X is finite. */
int kb_points_centre(float *out, double *mean, kb_const_matrix x);

#endif
