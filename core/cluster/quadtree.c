#include "quadtree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "points.h"
#include "simd.h"

enum {
    LEAF = 8,       /* points of a cell that is not divided */
    SIDE_BITS = 20, /* of a place along a side */
    KEY_BITS = 2 * SIDE_BITS,
    INDEX_BITS = 24, /* of a point's number, below its key */
    DIGIT_BITS = 10, /* sorted by at a time */
    LANES = 16,
    CHUNK = 64 * LANES /* terms until lanes are emptied into doubles */
};

/* 32 bytes, two to a cache line. */
struct kb_quadtree_cell {
    float x, y, mass; /* centre of mass, number of points */
    float extent2;    /* the square of the longer side of its points' box */
    uint32_t skip;    /* the next cell that is no part of this one */
    uint32_t first;   /* of its points */
    uint32_t points;  /* how many are to be looked at one by one; 0: it is divided, or a heap */
    uint32_t heap;    /* points too near each other to be told apart: always taken as one */
};

bool kb_quadtree_make(kb_quadtree *tree, size_t n)
{
    *tree = (kb_quadtree){.n = n};
    tree->order = kb_alloc_aligned(n, sizeof *tree->order);
    tree->x = kb_alloc_aligned(n, sizeof *tree->x);
    tree->y = kb_alloc_aligned(n, sizeof *tree->y);
    tree->groups = kb_alloc_aligned(n, sizeof *tree->groups);
    /* Every divided cell has two parts at least, and at most n are not divided. */
    tree->cells = kb_alloc_aligned(n, 2 * sizeof *tree->cells);
    tree->keys = kb_alloc_aligned(n, sizeof *tree->keys);
    tree->spare = kb_alloc_aligned(n, sizeof *tree->spare);
    if (tree->order && tree->x && tree->y && tree->groups && tree->cells && tree->keys &&
        tree->spare)
        return true;
    kb_quadtree_free(tree);
    return false;
}

void kb_quadtree_free(kb_quadtree *tree)
{
    free(tree->order);
    free(tree->x);
    free(tree->y);
    free(tree->groups);
    free(tree->cells);
    free(tree->keys);
    free(tree->spare);
    *tree = (kb_quadtree){0};
}

/* --- along the curve ---------------------------------------------------------------------- */

/* Bit i of V becomes bit 2 i. */
static uint64_t spread_bits(uint32_t v)
{
    uint64_t s = v;
    s = (s | s << 16) & 0x0000FFFF0000FFFF;
    s = (s | s << 8) & 0x00FF00FF00FF00FF;
    s = (s | s << 4) & 0x0F0F0F0F0F0F0F0F;
    s = (s | s << 2) & 0x3333333333333333;
    return (s | s << 1) & 0x5555555555555555;
}

static uint32_t place_along(float value, float low, double scale)
{
    double place = ((double)value - (double)low) * scale;
    const uint32_t last = (1U << SIDE_BITS) - 1;
    return place < (double)last ? (uint32_t)place : last;
}

static void make_keys(kb_quadtree *tree, const float *x, const float *y)
{
    float low[2] = {x[0], y[0]}, high[2] = {x[0], y[0]};
    for (size_t i = 1; i < tree->n; i++) {
        low[0] = fminf(low[0], x[i]);
        low[1] = fminf(low[1], y[i]);
        high[0] = fmaxf(high[0], x[i]);
        high[1] = fmaxf(high[1], y[i]);
    }
    double side = fmax((double)high[0] - (double)low[0], (double)high[1] - (double)low[1]);
    double scale = side > 0 ? (double)(1U << SIDE_BITS) / side : 0;
    for (size_t i = 0; i < tree->n; i++) {
        uint64_t key = spread_bits(place_along(x[i], low[0], scale)) |
                       spread_bits(place_along(y[i], low[1], scale)) << 1;
        tree->keys[i] = key << INDEX_BITS | i;
    }
}

/* By key; a point's number decides between equal ones, since they start in that order. */
static void sort_keys(kb_quadtree *tree)
{
    enum { DIGITS = 1 << DIGIT_BITS };
    for (unsigned shift = INDEX_BITS; shift < INDEX_BITS + KEY_BITS; shift += DIGIT_BITS) {
        size_t begin[DIGITS] = {0}, sum = 0;
        for (size_t i = 0; i < tree->n; i++)
            begin[tree->keys[i] >> shift & (DIGITS - 1)]++;
        for (size_t d = 0; d < DIGITS; d++) {
            size_t count = begin[d];
            begin[d] = sum;
            sum += count;
        }
        for (size_t i = 0; i < tree->n; i++)
            tree->spare[begin[tree->keys[i] >> shift & (DIGITS - 1)]++] = tree->keys[i];
        uint64_t *sorted = tree->spare;
        tree->spare = tree->keys;
        tree->keys = sorted;
    }
}

/* --- cells -------------------------------------------------------------------------------- */

/* A cell's points, as its parent needs them. */
struct summary {
    double x, y; /* sums of the places */
    float low[2], high[2];
};

static void widen(struct summary *s, const float low[2], const float high[2])
{
    for (size_t c = 0; c < 2; c++) {
        s->low[c] = fminf(s->low[c], low[c]);
        s->high[c] = fmaxf(s->high[c], high[c]);
    }
}

static struct summary sum_points(const kb_quadtree *tree, size_t first, size_t last)
{
    struct summary s = {.low = {INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY}};
    for (size_t i = first; i < last; i++) {
        const float at[2] = {tree->x[i], tree->y[i]};
        s.x += (double)at[0];
        s.y += (double)at[1];
        widen(&s, at, at);
    }
    return s;
}

/* The end of the points from FIRST on that have the same two bits at SHIFT as FIRST. */
static size_t same_quarter(const kb_quadtree *tree, size_t first, size_t last, unsigned shift)
{
    uint64_t quarter = tree->keys[first] >> shift;
    size_t low = first + 1, high = last;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tree->keys[middle] >> shift == quarter)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_group(kb_quadtree *tree, size_t first, size_t last)
{
    for (size_t at = first; at < last; at += KB_QUADTREE_GROUP) {
        size_t left = last - at, count = left < KB_QUADTREE_GROUP ? left : KB_QUADTREE_GROUP;
        tree->groups[tree->group_count++] = (kb_quadtree_group){(uint32_t)at, (uint32_t)count};
    }
}

static struct summary add_cell(kb_quadtree *tree, size_t first, size_t last, bool grouped);

/* The parts of the cell: as many as the highest two bits that are not the same to all have values.
 */
static struct summary add_parts(kb_quadtree *tree, size_t first, size_t last, uint64_t differing,
                                bool grouped)
{
    unsigned highest = 63U - (unsigned)__builtin_clzll(differing);
    unsigned shift = (highest - INDEX_BITS) / 2 * 2 + INDEX_BITS;
    struct summary s = {.low = {INFINITY, INFINITY}, .high = {-INFINITY, -INFINITY}};
    for (size_t at = first; at < last;) {
        size_t end = same_quarter(tree, at, last, shift);
        struct summary part = add_cell(tree, at, end, grouped);
        s.x += part.x;
        s.y += part.y;
        widen(&s, part.low, part.high);
        at = end;
    }
    return s;
}

/* The cell of the points FIRST .. LAST-1 and all below it. GROUPED: they are in a group already. At
 * most SIDE_BITS deep. */
static struct summary add_cell(kb_quadtree *tree, size_t first, size_t last, bool grouped)
{
    size_t place = tree->cell_count++, count = last - first;
    uint64_t differing = (tree->keys[first] ^ tree->keys[last - 1]) >> INDEX_BITS << INDEX_BITS;
    bool whole = count <= LEAF || !differing;
    if (!grouped && (count <= KB_QUADTREE_GROUP || whole)) {
        add_group(tree, first, last);
        grouped = true;
    }
    struct summary s =
        whole ? sum_points(tree, first, last) : add_parts(tree, first, last, differing, grouped);
    float extent = fmaxf(s.high[0] - s.low[0], s.high[1] - s.low[1]);
    bool heap = count > LEAF && !differing;
    tree->cells[place] = (struct kb_quadtree_cell){.x = (float)(s.x / (double)count),
                                                   .y = (float)(s.y / (double)count),
                                                   .mass = (float)count,
                                                   .extent2 = extent * extent,
                                                   .skip = (uint32_t)tree->cell_count,
                                                   .first = (uint32_t)first,
                                                   .points = whole && !heap ? (uint32_t)count : 0,
                                                   .heap = heap};
    return s;
}

void kb_quadtree_build(kb_quadtree *tree, const float *x, const float *y)
{
    make_keys(tree, x, y);
    sort_keys(tree);
    for (size_t i = 0; i < tree->n; i++) {
        uint32_t point = (uint32_t)(tree->keys[i] & ((1U << INDEX_BITS) - 1));
        tree->order[i] = point;
        tree->x[i] = x[point];
        tree->y[i] = y[point];
    }
    tree->cell_count = tree->group_count = 0;
    add_cell(tree, 0, tree->n, false);
}

/* --- looking ------------------------------------------------------------------------------ */

bool kb_quadtree_view_make(kb_quadtree_view *view, const kb_quadtree *tree)
{
    /* Each thing in a view stands for a point at least; what is behind the last fills a vector. */
    size_t room = tree->n + LANES;
    *view = (kb_quadtree_view){.x = kb_alloc_aligned(room, sizeof *view->x),
                               .y = kb_alloc_aligned(room, sizeof *view->y),
                               .mass = kb_alloc_aligned(room, sizeof *view->mass)};
    if (view->x && view->y && view->mass)
        return true;
    kb_quadtree_view_free(view);
    return false;
}

void kb_quadtree_view_free(kb_quadtree_view *view)
{
    free(view->x);
    free(view->y);
    free(view->mass);
    *view = (kb_quadtree_view){0};
}

void kb_quadtree_box(const kb_quadtree *tree, kb_quadtree_group group, float low[2], float high[2])
{
    struct summary s = sum_points(tree, group.first, group.first + group.count);
    memcpy(low, s.low, sizeof s.low);
    memcpy(high, s.high, sizeof s.high);
}

static void see(kb_quadtree_view *view, float x, float y, float mass)
{
    view->x[view->count] = x;
    view->y[view->count] = y;
    view->mass[view->count++] = mass;
}

static void see_points(kb_quadtree_view *view, const kb_quadtree *tree, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        see(view, tree->x[i], tree->y[i], 1);
}

/* Whole vectors: nothing, seen from anywhere, adds nothing. */
static void fill_up(kb_quadtree_view *view)
{
    for (size_t i = view->count; i % LANES; i++)
        view->x[i] = view->y[i] = view->mass[i] = 0;
}

void kb_quadtree_look(kb_quadtree_view *view, const kb_quadtree *tree, const float low[2],
                      const float high[2], double theta)
{
    const float theta2 = (float)(theta * theta);
    view->count = 0;
    for (size_t i = 0; i < tree->cell_count;) {
        const struct kb_quadtree_cell *cell = &tree->cells[i];
        float dx = fmaxf(fmaxf(low[0] - cell->x, cell->x - high[0]), 0);
        float dy = fmaxf(fmaxf(low[1] - cell->y, cell->y - high[1]), 0);
        if (cell->extent2 < theta2 * (dx * dx + dy * dy) || cell->heap) {
            see(view, cell->x, cell->y, cell->mass);
            i = cell->skip;
        } else {
            see_points(view, tree, cell->first, cell->points);
            i = cell->points ? cell->skip : i + 1;
        }
    }
    fill_up(view);
}

static KB_SIMD void sum_chunk(double sums[3], const float *x, const float *y, const float *mass,
                              size_t count, float xi, float yi)
{
    kb_float16 weight = {0}, push_x = {0}, push_y = {0};
    for (size_t j = 0; j < count; j += LANES) {
        kb_float16 dx = xi - *(const kb_float16 *)(x + j), dy = yi - *(const kb_float16 *)(y + j);
        kb_float16 w = 1.0F / (1.0F + dx * dx + dy * dy);
        kb_float16 many = w * *(const kb_float16 *)(mass + j);
        weight += many;
        push_x += many * w * dx;
        push_y += many * w * dy;
    }
    for (size_t l = 0; l < LANES; l++) {
        sums[0] += (double)weight[l];
        sums[1] += (double)push_x[l];
        sums[2] += (double)push_y[l];
    }
}

void kb_quadtree_sum(double sums[3], const kb_quadtree_view *view, float x, float y)
{
    size_t whole = (view->count + LANES - 1) / LANES * LANES;
    sums[0] = sums[1] = sums[2] = 0;
    for (size_t j = 0; j < whole; j += CHUNK)
        sum_chunk(sums, view->x + j, view->y + j, view->mass + j,
                  whole - j < CHUNK ? whole - j : CHUNK, x, y);
}
