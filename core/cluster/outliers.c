#include "outliers.h"

#include <math.h>

#include "neighbours.h"

static void measure_row(const kb_neighbours *nearest, size_t i, const float *spacing,
                        double *distance, double *ratio)
{
    double sum = 0, usual = 0;
    for (size_t j = i * nearest->k; j < (i + 1) * nearest->k; j++) {
        sum += sqrt((double)nearest->distance2[j]);
        if (ratio)
            usual += (double)spacing[nearest->index[j]];
    }
    distance[i] = sum / (double)nearest->k;
    if (ratio)
        ratio[i] = usual > 0 ? sum / usual : 1;
}

kb_status kb_outliers_of(double *distance, double *ratio, kb_const_matrix x, kb_const_matrix points,
                         const float *spacing, size_t k, bool itself, kb_pool *pool,
                         const kb_progress *progress, kb_error *err)
{
    size_t others = points.rows - (itself && points.rows);
    if (!others) {
        for (size_t i = 0; i < x.rows; i++) {
            distance[i] = 0;
            if (ratio)
                ratio[i] = 1;
        }
        return KB_OK;
    }
    kb_neighbours nearest;
    kb_progress quiet = {.outer = progress};
    kb_status status =
        kb_neighbours_find(&nearest, x, points, k < others ? k : others, itself, pool, &quiet, err);
    if (status)
        return status;
    for (size_t i = 0; i < x.rows; i++)
        measure_row(&nearest, i, spacing, distance, ratio);
    kb_neighbours_clear(&nearest);
    return KB_OK;
}
