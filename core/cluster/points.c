#include "points.h"

#include <math.h>
#include <string.h>

#include "simd.h"

/* Four floats from P on, as doubles. */
#define FOUR_DOUBLES(p) __builtin_convertvector(*(const kb_float4 *)(p), kb_double4)

KB_SIMD double kb_point_distance2(const float *a, const float *b, size_t dims)
{
    kb_double4 low = {0}, high = {0};
    size_t f = 0;
    for (; f + 8 <= dims; f += 8) {
        kb_double4 first = FOUR_DOUBLES(a + f) - FOUR_DOUBLES(b + f);
        kb_double4 second = FOUR_DOUBLES(a + f + 4) - FOUR_DOUBLES(b + f + 4);
        low += first * first;
        high += second * second;
    }
    low += high;
    double total = (low[0] + low[1]) + (low[2] + low[3]);
    for (; f < dims; f++) {
        double difference = (double)a[f] - (double)b[f];
        total += difference * difference;
    }
    return total;
}

void kb_lanes_pack(float *block, kb_const_matrix x, const size_t *rows, size_t count)
{
    for (size_t r = 0; r < KB_LANES; r++) {
        const float *row = kb_const_matrix_row(x, rows[r < count ? r : count - 1]);
        for (size_t f = 0; f < x.cols; f++)
            block[f * KB_LANES + r] = row[f];
    }
}

/* Four rows at once hide the latency of the additions; sums over 32 columns are added to a second
 * level, which keeps the rounding error of long rows small. */
KB_SIMD void kb_lanes_distance2(float *out, const float *block, kb_const_matrix x)
{
    for (size_t j = 0; j < x.rows; j += 4) {
        const float *rows[4];
        for (size_t r = 0; r < 4; r++)
            rows[r] = kb_const_matrix_row(x, j + r < x.rows ? j + r : x.rows - 1);
        kb_float8 totals[4][2] = {{{0}}};
        for (size_t f0 = 0; f0 < x.cols; f0 += 32) {
            size_t f1 = x.cols - f0 < 32 ? x.cols : f0 + 32;
            kb_float8 sums[4][2] = {{{0}}};
            for (size_t f = f0; f < f1; f++) {
                kb_float8 low = *(const kb_float8 *)(block + f * KB_LANES);
                kb_float8 high = *(const kb_float8 *)(block + f * KB_LANES + 8);
                for (size_t r = 0; r < 4; r++) {
                    kb_float8 to_low = low - rows[r][f], to_high = high - rows[r][f];
                    sums[r][0] += to_low * to_low;
                    sums[r][1] += to_high * to_high;
                }
            }
            for (size_t r = 0; r < 4; r++) {
                totals[r][0] += sums[r][0];
                totals[r][1] += sums[r][1];
            }
        }
        for (size_t r = 0; r < 4 && j + r < x.rows; r++) {
            *(kb_float8 *)(out + (j + r) * KB_LANES) = totals[r][0];
            *(kb_float8 *)(out + (j + r) * KB_LANES + 8) = totals[r][1];
        }
    }
}

void kb_label_sizes(size_t *sizes, const uint32_t *labels, size_t n, size_t clusters)
{
    memset(sizes, 0, clusters * sizeof *sizes);
    for (size_t i = 0; i < n; i++)
        sizes[labels[i]]++;
}

KB_SIMD void kb_label_means(double *means, kb_const_matrix x, const uint32_t *labels,
                            const size_t *sizes, size_t clusters, size_t first, size_t last)
{
    for (size_t k = 0; k < clusters; k++)
        memset(means + k * x.cols + first, 0, (last - first) * sizeof *means);
    for (size_t i = 0; i < x.rows; i++) {
        const float *row = kb_const_matrix_row(x, i);
        double *mean = means + labels[i] * x.cols;
        KB_INDEPENDENT
        for (size_t f = first; f < last; f++)
            mean[f] += (double)row[f];
    }
    for (size_t k = 0; k < clusters; k++)
        for (size_t f = first; f < last && sizes[k]; f++)
            means[k * x.cols + f] /= (double)sizes[k];
}

bool kb_points_finite(kb_const_matrix x, size_t *row)
{
    for (size_t i = 0; i < x.rows; i++) {
        const float *values = kb_const_matrix_row(x, i);
        for (size_t f = 0; f < x.cols; f++) {
            if (!isfinite(values[f])) {
                *row = i;
                return false;
            }
        }
    }
    return true;
}

static void column_means(double *mean, kb_const_matrix x)
{
    memset(mean, 0, x.cols * sizeof *mean);
    for (size_t i = 0; i < x.rows; i++)
        for (size_t f = 0; f < x.cols; f++)
            mean[f] += (double)kb_const_matrix_row(x, i)[f];
    for (size_t f = 0; f < x.cols; f++)
        mean[f] /= (double)x.rows;
}

static double greatest_deviation(const double *mean, kb_const_matrix x)
{
    double greatest = 0;
    for (size_t i = 0; i < x.rows; i++)
        for (size_t f = 0; f < x.cols; f++)
            greatest = fmax(greatest, fabs((double)kb_const_matrix_row(x, i)[f] - mean[f]));
    return greatest;
}

int kb_points_centre(float *out, double *mean, kb_const_matrix x)
{
    column_means(mean, x);
    int exponent = 0;
    frexp(greatest_deviation(mean, x), &exponent);
    double scale = ldexp(1, -exponent);
    for (size_t i = 0; i < x.rows; i++)
        for (size_t f = 0; f < x.cols; f++)
            out[i * x.cols + f] = (float)(((double)kb_const_matrix_row(x, i)[f] - mean[f]) * scale);
    return exponent;
}
