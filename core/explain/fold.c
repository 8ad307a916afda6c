#include "fold.h"

#include <math.h>

static const double ALIKE = .95;

/* Sums over the sessions considered that have both of two objects. */
struct common {
    double sessions, level, rise; /* how many; sums of products */
};

static struct common common_of(const kb_contrast *contrast, const kb_traits *traits, size_t a,
                               size_t b)
{
    const kb_trait *x = traits->items + traits->start[a], *y = traits->items + traits->start[b];
    const kb_trait *x_end = x + kb_traits_count(traits, a), *y_end = y + kb_traits_count(traits, b);
    struct common sums = {0};
    while (x < x_end && y < y_end) {
        uint32_t sx = x->session, sy = y->session;
        if (sx == sy && contrast->group[sx] < 2) {
            sums.sessions++;
            sums.level += (double)x->level * (double)y->level;
            sums.rise += (double)x->rise * (double)y->rise;
        }
        x += sx <= sy;
        y += sy <= sx;
    }
    return sums;
}

/* PRODUCTS: sum of x y over N sessions. Two constants agree. */
static bool correlated(double products, double n, const kb_moments *x, const kb_moments *y)
{
    double scale = x->sd * y->sd;
    if (!(scale > 0))
        return x->sd == y->sd;
    return products / n - x->mean * y->mean >= ALIKE * scale;
}

static double sessions_with(const kb_contrast_row *row)
{
    return (double)row->presence.inside + (double)row->presence.outside;
}

static bool near_duplicates(const kb_contrast *contrast, const kb_traits *traits,
                            const kb_contrast_row *a, const kb_contrast_row *b)
{
    double x = sessions_with(a), y = sessions_with(b);
    if (fmin(x, y) < ALIKE * fmax(x, y))
        return false;
    struct common common = common_of(contrast, traits, a->object, b->object);
    double n = (double)contrast->set_size + (double)contrast->rest_size;
    return common.sessions >= ALIKE * (x + y - common.sessions) &&
           correlated(common.level, n, &a->level, &b->level) &&
           correlated(common.rise, n, &a->rise, &b->rise);
}

kb_status kb_fold(size_t *leader, const kb_contrast *contrast, const kb_traits *traits,
                  const size_t *order, size_t count, size_t most, const kb_progress *progress,
                  kb_error *err)
{
    const kb_contrast_row *rows = contrast->rows;
    for (size_t i = 0; i < count; i++)
        leader[i] = i;
    size_t leaders = 0;
    for (size_t i = 0; i < count && (!most || leaders < most); i++) {
        if (leader[i] != i)
            continue;
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        leaders++;
        for (size_t j = i + 1; j < count; j++) {
            if (leader[j] == j &&
                near_duplicates(contrast, traits, &rows[order[i]], &rows[order[j]]))
                leader[j] = i;
        }
    }
    return KB_OK;
}
