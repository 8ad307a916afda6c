#include "tree_forces.h"

#include <math.h>
#include <stdlib.h>

#include "memory.h"
#include "points.h"
#include "simd.h"

enum {
    LANES = 16,
    TILE = 256 /* rows of the matrix that a thread takes at a time */
};

void kb_tree_forces_free(kb_tree_forces *forces)
{
    for (size_t s = 0; forces->views && s < forces->shares; s++)
        kb_quadtree_view_free(&forces->views[s]);
    free(forces->views);
    free(forces->weight);
    kb_quadtree_free(&forces->tree);
    *forces = (kb_tree_forces){0};
}

bool kb_tree_forces_make(kb_tree_forces *forces, const kb_sparse *p, double theta, size_t threads)
{
    *forces = (kb_tree_forces){.p = p, .theta = theta, .shares = threads};
    bool made = kb_quadtree_make(&forces->tree, p->n);
    forces->weight = kb_calloc(p->n, sizeof *forces->weight);
    forces->views = kb_calloc(threads, sizeof *forces->views);
    made = made && forces->weight && forces->views;
    for (size_t s = 0; made && s < threads; s++)
        made = kb_quadtree_view_make(&forces->views[s], &forces->tree);
    if (!made)
        kb_tree_forces_free(forces);
    return made;
}

struct measurement {
    kb_tree_forces *forces;
    kb_field *field;
    const kb_progress *progress;
};

/* --- repulsion ---------------------------------------------------------------------------- */

static void push_group(struct measurement *m, kb_quadtree_view *view, kb_quadtree_group group)
{
    const kb_quadtree *tree = &m->forces->tree;
    float low[2], high[2];
    kb_quadtree_box(tree, group, low, high);
    kb_quadtree_look(view, tree, low, high, m->forces->theta);
    for (size_t at = group.first; at < group.first + group.count; at++) {
        double sums[3];
        uint32_t i = tree->order[at];
        kb_quadtree_sum(sums, view, tree->x[at], tree->y[at]);
        m->forces->weight[i] = sums[0] - 1; /* less the point itself */
        m->field->push_x[i] = sums[1];
        m->field->push_y[i] = sums[2];
    }
}

static void push_share(void *ctx, size_t share)
{
    struct measurement *m = ctx;
    const kb_quadtree *tree = &m->forces->tree;
    for (size_t g = share; g < tree->group_count; g += m->forces->shares) {
        if (kb_cancelled(m->progress))
            return;
        push_group(m, &m->forces->views[share], tree->groups[g]);
    }
}

/* --- attraction --------------------------------------------------------------------------- */

/* One row of the matrix: COUNT entries P of columns COLUMN. */
static KB_SIMD void pull_row(double pull[2], const kb_field *f, const uint32_t *column,
                             const float *p, size_t count, float xi, float yi)
{
    kb_float16 sum_x = {0}, sum_y = {0};
    for (size_t e = 0; e < count; e += LANES) {
        kb_float16 x = {0}, y = {0}, mass = {0};
        size_t here = count - e < LANES ? count - e : LANES;
        if (here == LANES) {
            for (size_t l = 0; l < LANES; l++) {
                x[l] = f->x[column[e + l]];
                y[l] = f->y[column[e + l]];
            }
            mass = *(const kb_float16 *)(p + e);
        } else {
            for (size_t l = 0; l < here; l++) {
                x[l] = f->x[column[e + l]];
                y[l] = f->y[column[e + l]];
                mass[l] = p[e + l];
            }
        }
        kb_float16 dx = xi - x, dy = yi - y;
        kb_float16 force = mass / (1.0F + dx * dx + dy * dy);
        sum_x += force * dx;
        sum_y += force * dy;
    }
    pull[0] = pull[1] = 0;
    for (size_t l = 0; l < LANES; l++) {
        pull[0] += (double)sum_x[l];
        pull[1] += (double)sum_y[l];
    }
}

static void pull_tile(void *ctx, size_t tile)
{
    struct measurement *m = ctx;
    const kb_sparse *p = m->forces->p;
    kb_field *f = m->field;
    size_t last = p->n - tile * TILE < TILE ? p->n : (tile + 1) * TILE;
    for (size_t i = tile * TILE; i < last && !kb_cancelled(m->progress); i++) {
        double pull[2];
        size_t begin = p->begin[i];
        pull_row(pull, f, p->column + begin, p->p + begin, p->begin[i + 1] - begin, f->x[i],
                 f->y[i]);
        f->pull_x[i] = pull[0];
        f->pull_y[i] = pull[1];
    }
}

/* --- both --------------------------------------------------------------------------------- */

void kb_tree_forces_measure(kb_tree_forces *forces, kb_field *field, kb_pool *pool,
                            const kb_progress *progress)
{
    struct measurement m = {forces, field, progress};
    kb_quadtree_build(&forces->tree, field->x, field->y);
    kb_pool_run(pool, forces->shares, push_share, &m);
    kb_pool_run(pool, (field->n + TILE - 1) / TILE, pull_tile, &m);
    double total = 0;
    for (size_t i = 0; i < field->n; i++)
        total += forces->weight[i];
    field->normaliser = fmax(total, 1e-300);
}

double kb_tree_forces_divergence(const kb_tree_forces *forces, const kb_field *field)
{
    const kb_sparse *matrix = forces->p;
    double kl = 0, total = 0;
    for (size_t i = 0; i < matrix->n; i++) {
        for (size_t e = matrix->begin[i]; e < matrix->begin[i + 1]; e++) {
            size_t j = matrix->column[e];
            double p = (double)matrix->p[e];
            double dx = (double)field->x[i] - (double)field->x[j];
            double dy = (double)field->y[i] - (double)field->y[j];
            if (p > 0) {
                kl += p * log(p * (1 + dx * dx + dy * dy));
                total += p;
            }
        }
    }
    return kl + total * log(field->normaliser);
}
