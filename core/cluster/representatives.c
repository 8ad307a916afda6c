#include "representatives.h"

#include <math.h>
#include <stdlib.h>

#include "memory.h"

enum { CANDIDATES = 2048 };

const char *kb_representative_name(kb_representative_kind kind)
{
    static const char *const names[] = {"medoid", "typical", "extreme"};
    return names[kind];
}

struct placed {
    size_t row;
    double distance; /* from the mean */
};

static int by_distance(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static double distance_of(const float *a, const float *b, size_t cols)
{
    double sum = 0;
    for (size_t i = 0; i < cols; i++) {
        double off = (double)a[i] - (double)b[i];
        sum += off * off;
    }
    return sqrt(sum);
}

static double distance_from(const float *a, const double *mean, size_t cols)
{
    double sum = 0;
    for (size_t i = 0; i < cols; i++)
        sum += ((double)a[i] - mean[i]) * ((double)a[i] - mean[i]);
    return sqrt(sum);
}

/* PLACED (COUNT): the rows by rising distance from their mean. MEAN: room for it. */
static void place(struct placed *placed, double *mean, kb_const_matrix z, const size_t *rows,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const float *point = kb_const_matrix_row(z, rows[i]);
        for (size_t c = 0; c < z.cols; c++)
            mean[c] += (double)point[c] / (double)count;
    }
    for (size_t i = 0; i < count; i++)
        placed[i] =
            (struct placed){rows[i], distance_from(kb_const_matrix_row(z, rows[i]), mean, z.cols)};
    qsort(placed, count, sizeof *placed, by_distance);
}

static double mean_distance(kb_const_matrix z, const struct placed *placed, size_t count,
                            size_t row)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum +=
            distance_of(kb_const_matrix_row(z, row), kb_const_matrix_row(z, placed[i].row), z.cols);
    return count > 1 ? sum / (double)(count - 1) : 0;
}

static kb_status find_medoid(struct placed *medoid, kb_const_matrix z, const struct placed *placed,
                             size_t count, const kb_progress *progress, kb_error *err)
{
    size_t candidates = count < CANDIDATES ? count : CANDIDATES;
    *medoid = (struct placed){.distance = (double)INFINITY};
    for (size_t i = 0; i < candidates; i++) {
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        struct placed one = {placed[i].row, mean_distance(z, placed, count, placed[i].row)};
        if (by_distance(&one, medoid) < 0)
            *medoid = one;
    }
    return KB_OK;
}

static void add(kb_representatives *out, kb_representative_kind kind, size_t rank,
                const struct placed *placed)
{
    out->items[out->count++] = (kb_representative){kind, rank, placed->row, placed->distance};
}

/* PLACED is sorted by rising distance; of the farthest, equal ones by row. */
static void add_extremes(kb_representatives *out, struct placed *placed, size_t count, size_t each)
{
    for (size_t i = 0; i < count; i++)
        placed[i].distance = -placed[i].distance;
    qsort(placed, count, sizeof *placed, by_distance);
    for (size_t i = 0; i < each; i++) {
        placed[i].distance = -placed[i].distance;
        add(out, KB_REPRESENTATIVE_EXTREME, i + 1, &placed[i]);
    }
}

static kb_status choose(kb_representatives *out, kb_const_matrix z, struct placed *placed,
                        size_t count, size_t each, const kb_progress *progress, kb_error *err)
{
    struct placed medoid;
    kb_status status = find_medoid(&medoid, z, placed, count, progress, err);
    if (status)
        return status;
    add(out, KB_REPRESENTATIVE_MEDOID, 1, &medoid);
    for (size_t i = 0; i < each; i++)
        add(out, KB_REPRESENTATIVE_TYPICAL, i + 1, &placed[i]);
    add_extremes(out, placed, count, each);
    return KB_OK;
}

kb_status kb_representatives_of(kb_representatives *out, kb_const_matrix z, const size_t *rows,
                                size_t count, size_t each, const kb_progress *progress,
                                kb_error *err)
{
    *out = (kb_representatives){0};
    if (!count)
        return KB_OK;
    each = each < count ? each : count;
    struct placed *placed = kb_calloc(count, sizeof *placed);
    double *mean = kb_calloc(z.cols, sizeof *mean);
    out->items = kb_calloc(2 * each + 1, sizeof *out->items);
    kb_status status = KB_OK;
    if (placed && mean && out->items) {
        place(placed, mean, z, rows, count);
        status = choose(out, z, placed, count, each, progress, err);
    } else {
        status = kb_fail_memory(err, "representative sessions");
    }
    free(placed);
    free(mean);
    if (status)
        kb_representatives_clear(out);
    return status;
}

void kb_representatives_clear(kb_representatives *representatives)
{
    free(representatives->items);
    *representatives = (kb_representatives){0};
}
