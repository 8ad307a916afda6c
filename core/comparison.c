#include "comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fdr.h"
#include "fisher.h"
#include "hungarian.h"
#include "memory.h"
#include "novelty.h"
#include "pipeline.h"
#include "profile.h"
#include "shares.h"

const char *kb_change_name(kb_change change)
{
    static const char *const names[KB_CHANGES] = {"same",      "grown", "shrunk", "gone",
                                                  "come back", "new",   "split",  "merged"};
    return names[change];
}

const char *kb_match_name(kb_match_kind kind)
{
    static const char *const names[] = {"members", "profiles", "number"};
    return names[kind];
}

kb_comparison_options kb_comparison_defaults(void)
{
    return (kb_comparison_options){
        .overlap = .5, .part = .1, .similarity = .5, .ratio = 1.25, .rest = .15, .alpha = .05};
}

static bool within(double value, double low, double high)
{
    return value >= low && value <= high;
}

kb_status kb_comparison_check(const kb_comparison_options *o, kb_error *err)
{
    if (!(o->overlap > 0 && o->overlap <= 1) || !within(o->part, 0, 1))
        return kb_fail(err, KB_ERR_USAGE, "overlap %g, part %g: expected shares", o->overlap,
                       o->part);
    if (!within(o->similarity, -1, 1))
        return kb_fail(err, KB_ERR_USAGE, "similarity %g: expected -1 to 1", o->similarity);
    if (!(o->ratio >= 1 && isfinite(o->ratio)))
        return kb_fail(err, KB_ERR_USAGE, "ratio %g: expected 1 or more", o->ratio);
    if (!within(o->rest, 0, 1) || !within(o->alpha, 0, 1))
        return kb_fail(err, KB_ERR_USAGE, "rest %g, alpha %g: expected shares", o->rest, o->alpha);
    return KB_OK;
}

/* --- what is known of the two ------------------------------------------------------------- */

/* In which of two corpora a cluster is, by its own model. */
enum where { IN_BOTH, IN_FIRST, IN_SECOND };

/* ka, kb, kr: clusters of A and of B, retired ones of A. Tables of sessions have one row and one
 * column more, the last, for those that a model calls emerging. */
struct matching {
    const kb_side *a, *b;
    const kb_comparison_options *options;
    kb_match_kind kind;
    bool same_sessions;
    size_t ka, kb, kr;
    size_t *shared;            /* (ka + 1) x (kb + 1): n_ij, over all sessions */
    size_t *counted;           /* the same over the sessions whose shares are told, if those are the
                                  same for both */
    size_t *recalled;          /* kr x (kb + 1): by retired cluster */
    size_t *size_a, *size_b;   /* (ka + 1), (kb + 1): over all sessions */
    size_t *size_r;            /* kr */
    size_t *count_a, *count_b; /* (ka + 1), (kb + 1): those whose shares are told */
    size_t total_a, total_b;
    enum where *where_a, *where_b; /* ka, kb */
    double *similarity;            /* (ka + kr) x kb, by profiles */
    size_t *partner;               /* ka: the cluster of B, or SIZE_MAX */
    size_t *back;                  /* kb: the retired cluster that it was, or SIZE_MAX */
    bool *child, *parent;          /* ka x kb: b_j is a part of a_i, a_i one of b_j */
    size_t *children, *parents;    /* ka, kb: how many */
};

static void matching_clear(struct matching *m)
{
    free(m->shared);
    free(m->counted);
    free(m->recalled);
    free(m->size_a);
    free(m->size_b);
    free(m->size_r);
    free(m->count_a);
    free(m->count_b);
    free(m->where_a);
    free(m->where_b);
    free(m->similarity);
    free(m->partner);
    free(m->back);
    free(m->child);
    free(m->parent);
    free(m->children);
    free(m->parents);
}

static void *table(size_t rows, size_t cols, size_t size)
{
    size_t cells;
    return kb_size_mul(rows, cols, &cells) ? kb_calloc(cells, size) : NULL;
}

static kb_status matching_alloc(struct matching *m, kb_error *err)
{
    size_t ka = m->ka, kb = m->kb, kr = m->kr;
    m->shared = table(ka + 1, kb + 1, sizeof *m->shared);
    m->counted = table(ka + 1, kb + 1, sizeof *m->counted);
    m->recalled = table(kr, kb + 1, sizeof *m->recalled);
    m->size_a = kb_calloc(ka + 1, sizeof *m->size_a);
    m->size_b = kb_calloc(kb + 1, sizeof *m->size_b);
    m->size_r = kb_calloc(kr, sizeof *m->size_r);
    m->count_a = kb_calloc(ka + 1, sizeof *m->count_a);
    m->count_b = kb_calloc(kb + 1, sizeof *m->count_b);
    m->where_a = kb_calloc(ka, sizeof *m->where_a);
    m->where_b = kb_calloc(kb, sizeof *m->where_b);
    m->similarity = table(ka + kr, kb, sizeof *m->similarity);
    m->partner = kb_calloc(ka, sizeof *m->partner);
    m->back = kb_calloc(kb, sizeof *m->back);
    m->child = table(ka, kb, sizeof *m->child);
    m->parent = table(ka, kb, sizeof *m->parent);
    m->children = kb_calloc(ka, sizeof *m->children);
    m->parents = kb_calloc(kb, sizeof *m->parents);
    bool ok = m->shared && m->counted && m->recalled && m->size_a && m->size_b && m->size_r &&
              m->count_a && m->count_b && m->where_a && m->where_b && m->similarity && m->partner &&
              m->back && m->child && m->parent && m->children && m->parents;
    return ok ? KB_OK : kb_fail_memory(err, "a comparison");
}

/* The row or column of a session; SIZE_MAX for one without a cluster. */
static size_t place_of(const kb_model *model, const kb_assignment *assigned)
{
    size_t low = 0, high = kb_model_clusters(model);
    if (!assigned->cluster)
        return SIZE_MAX;
    if (assigned->emerging)
        return high;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        *(kb_model_cluster(model, middle)->number <= assigned->cluster ? &low : &high) = middle;
    }
    return low;
}

static size_t retired_place(const kb_lineage *lineage, uint32_t number)
{
    size_t r = 0;
    while (r < lineage->retired_count && lineage->retired[r].number != number)
        r++;
    return r;
}

/* COUNTS (clusters + 1) += the sessions BEGIN..END by cluster; returns how many. */
static size_t count_sessions(const kb_side *side, size_t begin, size_t end, size_t *counts)
{
    size_t total = 0;
    for (size_t s = begin; s < end; s++) {
        size_t at = place_of(side->model, &side->assigned[s]);
        if (at == SIZE_MAX)
            continue;
        counts[at]++;
        total++;
    }
    return total;
}

static size_t share_counts(const kb_side *side, size_t *counts)
{
    size_t total = 0;
    if (side->assigned)
        return count_sessions(side, side->begin, side->end, counts);
    for (size_t i = 0; i < kb_model_clusters(side->model); i++) {
        counts[i] = kb_model_cluster(side->model, i)->size;
        total += counts[i];
    }
    return total;
}

/* How many sessions A's retired clusters would share with B's. */
static void share_retired(struct matching *m)
{
    const kb_side *a = m->a, *b = m->b;
    const kb_lineage *lineage = kb_model_lineage(a->model);
    for (size_t s = 0; s < a->count; s++) {
        size_t j = place_of(b->model, &b->assigned[s]);
        if (j == SIZE_MAX)
            continue;
        m->size_b[j]++;
        size_t r = a->retired && a->retired[s] ? retired_place(lineage, a->retired[s]) : m->kr;
        if (r < m->kr) {
            m->recalled[r * (m->kb + 1) + j]++;
            m->size_r[r]++;
        }
    }
}

/* The session would be in a retired cluster of A's that has come back in B. */
static bool is_recalled(const struct matching *m, const bool *returned, size_t s)
{
    const kb_side *a = m->a;
    if (!a->retired || !a->retired[s])
        return false;
    size_t r = retired_place(kb_model_lineage(a->model), a->retired[s]);
    return r < m->kr && returned[r];
}

/* The tables of sessions that both assigned. To A a cluster that has come back is in others, where
 * its sessions were not before and are not after: in the matching they count as emerging. RETURNED:
 * which of the retired ones have. */
static void share_members(struct matching *m, const bool *returned)
{
    const kb_side *a = m->a, *b = m->b;
    for (size_t s = 0; s < a->count; s++) {
        size_t i = place_of(a->model, &a->assigned[s]), j = place_of(b->model, &b->assigned[s]);
        if (i == SIZE_MAX || j == SIZE_MAX)
            continue;
        m->counted[i * (m->kb + 1) + j] += m->same_sessions && s >= a->begin && s < a->end;
        if (is_recalled(m, returned, s))
            i = m->ka;
        m->shared[i * (m->kb + 1) + j]++;
        m->size_a[i]++;
    }
}

/* similarity of A's clusters, then of its retired ones, with B's. */
static kb_status compare_profiles(struct matching *m, kb_error *err)
{
    const kb_lineage *a = kb_model_lineage(m->a->model), *b = kb_model_lineage(m->b->model);
    const kb_features *features = kb_model_features(m->a->model);
    size_t width = 2 * kb_features_objects(features);
    if (!a->profiles || !b->profiles)
        return kb_fail(
            err, KB_ERR_USAGE,
            "the %s model has no profiles of its clusters: calibrate it again, or name a "
            "corpus that both can assign",
            a->profiles ? "second" : "first");
    float *profiles = table(m->ka + m->kr, width, sizeof *profiles);
    if (!profiles)
        return kb_fail_memory(err, "profiles of clusters");
    memcpy(profiles, a->profiles, m->ka * width * sizeof *profiles);
    if (m->kr)
        memcpy(profiles + m->ka * width, a->retired_profiles, m->kr * width * sizeof *profiles);
    kb_status status =
        kb_profile_similarity(m->similarity, features, profiles, m->ka + m->kr,
                              kb_model_features(m->b->model), b->profiles, m->kb, err);
    free(profiles);
    return status;
}

static enum where place_between(const struct matching *m, size_t first, size_t second)
{
    double a = m->total_a ? (double)first / (double)m->total_a : 0;
    double b = m->total_b ? (double)second / (double)m->total_b : 0;
    if ((b > m->options->rest * a && a > m->options->rest * b) ||
        kb_fisher_exact(first, m->total_a, second, m->total_b) > m->options->alpha)
        return IN_BOTH;
    return a > b ? IN_FIRST : IN_SECOND;
}

/* A type that is in the second corpus only was in one of A's clusters nevertheless, and one that is
 * in the first only is in one of B's: where A and B say so themselves, that is no match. */
static kb_status find_where(struct matching *m, kb_error *err)
{
    const kb_side *a = m->a, *b = m->b;
    size_t *second = kb_calloc(m->ka + 1, sizeof *second);
    size_t *first = kb_calloc(m->kb + 1, sizeof *first);
    kb_status status = second && first ? KB_OK : kb_fail_memory(err, "a comparison");
    if (!status) {
        count_sessions(a, b->begin, b->end, second);
        count_sessions(b, a->begin, a->end, first);
    }
    for (size_t i = 0; !status && i < m->ka; i++)
        m->where_a[i] = place_between(m, m->count_a[i], second[i]);
    for (size_t j = 0; !status && j < m->kb; j++)
        m->where_b[j] = place_between(m, first[j], m->count_b[j]);
    free(second);
    free(first);
    return status;
}

/* --- who is whose ------------------------------------------------------------------------- */

static size_t shared_of(const struct matching *m, size_t i, size_t j)
{
    return m->shared[i * (m->kb + 1) + j];
}

static double jaccard(size_t shared, size_t a, size_t b)
{
    return shared ? (double)shared / (double)(a + b - shared) : 0;
}

static double share_of(size_t part, size_t whole)
{
    return whole ? (double)part / (double)whole : (double)NAN;
}

/* How good a pair of A's ROW (from ka on: retired ones) and B's J is, from 0. */
static double worth(const struct matching *m, size_t row, size_t j)
{
    if (m->kind == KB_MATCH_PROFILES)
        return 1 + m->similarity[row * m->kb + j];
    if (row < m->ka)
        return jaccard(shared_of(m, row, j), m->size_a[row], m->size_b[j]);
    size_t r = row - m->ka;
    return jaccard(m->recalled[r * (m->kb + 1) + j], m->size_r[r], m->size_b[j]);
}

/* By its profile; one that has come back is among the others. */
static bool is_known(const kb_retired *retired)
{
    return retired->profiled && !retired->back_as;
}

static bool holds(const struct matching *m, size_t row, size_t j)
{
    const kb_comparison_options *o = m->options;
    size_t r = row - m->ka;
    if (m->kind == KB_MATCH_PROFILES)
        return m->similarity[row * m->kb + j] >= o->similarity &&
               (row < m->ka || is_known(&kb_model_lineage(m->a->model)->retired[r]));
    if (row < m->ka) {
        size_t smaller = m->size_a[row] < m->size_b[j] ? m->size_a[row] : m->size_b[j];
        size_t n = m->where_a[row] == m->where_b[j] ? shared_of(m, row, j) : 0;
        return n > 0 && (double)n >= o->overlap * (double)smaller;
    }
    size_t n = m->recalled[r * (m->kb + 1) + j];
    return n > 0 && (double)n >= o->overlap * (double)m->size_b[j] &&
           (double)n >= o->overlap * (double)m->size_r[r];
}

/* MATCH (rows): the partner of A's rows FROM.., ROWS of them, among B's clusters that are VACANT,
 * or SIZE_MAX. */
static kb_status pair_rows(const struct matching *m, size_t from, size_t rows, const bool *vacant,
                           size_t *match, kb_error *err)
{
    double *cost = table(rows, m->kb, sizeof *cost);
    if (!cost)
        return kb_fail_memory(err, "a comparison");
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < m->kb; j++)
            cost[i * m->kb + j] = vacant[j] && holds(m, from + i, j) ? -worth(m, from + i, j) : 0;
    kb_status status = rows ? kb_hungarian(cost, rows, m->kb, match, err) : KB_OK;
    for (size_t i = 0; !status && i < rows; i++)
        if (match[i] != SIZE_MAX && !(cost[i * m->kb + match[i]] < 0))
            match[i] = SIZE_MAX;
    free(cost);
    return status;
}

/* Parts need members; by profiles a whole and its parts look alike, but so do neighbours. */
static void find_parts(struct matching *m)
{
    const kb_comparison_options *o = m->options;
    for (size_t i = 0; i < m->ka; i++)
        for (size_t j = 0; j < m->kb; j++) {
            double n = (double)shared_of(m, i, j);
            double of_a = o->overlap * (double)m->size_a[i],
                   of_b = o->overlap * (double)m->size_b[j];
            n = m->back[j] == SIZE_MAX && m->where_a[i] == m->where_b[j] ? n : 0;
            bool child = n > 0 && n >= of_b && n >= o->part * (double)m->size_a[i];
            bool parent = n > 0 && n >= of_a && n >= o->part * (double)m->size_b[j];
            m->child[i * m->kb + j] = child;
            m->parent[i * m->kb + j] = parent;
            m->children[i] += child;
            m->parents[j] += parent;
        }
}

static bool is_split(const struct matching *m, size_t i, size_t j)
{
    return m->children[i] > 1 && m->child[i * m->kb + j];
}

static bool is_merged(const struct matching *m, size_t i, size_t j)
{
    return !is_split(m, i, j) && m->parents[j] > 1 && m->parent[i * m->kb + j];
}

static bool is_related(const struct matching *m, size_t i, size_t j)
{
    return m->partner[i] == j || is_split(m, i, j) || is_merged(m, i, j);
}

/* VACANT (kb): nothing of A's is related to it. */
static void find_vacant(const struct matching *m, bool *vacant)
{
    for (size_t j = 0; j < m->kb; j++) {
        vacant[j] = m->back[j] == SIZE_MAX;
        for (size_t i = 0; i < m->ka; i++)
            vacant[j] = vacant[j] && !is_related(m, i, j);
    }
}

/* Whichever of A's clusters, the retired ones among them, looks most like it. */
static kb_status match_profiles(struct matching *m, bool *vacant, kb_error *err)
{
    size_t *match = kb_calloc(m->ka + m->kr, sizeof *match);
    if (!match)
        return kb_fail_memory(err, "a comparison");
    kb_status status = pair_rows(m, 0, m->ka + m->kr, vacant, match, err);
    for (size_t i = 0; !status && i < m->ka; i++)
        m->partner[i] = match[i];
    for (size_t r = 0; !status && r < m->kr; r++)
        if (match[m->ka + r] != SIZE_MAX)
            m->back[match[m->ka + r]] = r;
    free(match);
    return status;
}

/* Retired clusters come first, as in a calibration. */
static kb_status match_members(struct matching *m, bool *vacant, kb_error *err)
{
    size_t *match = kb_calloc(m->kr, sizeof *match);
    bool *returned = kb_calloc(m->kr, sizeof *returned);
    kb_status status = match && returned ? KB_OK : kb_fail_memory(err, "a comparison");
    if (!status) {
        share_retired(m);
        status = pair_rows(m, m->ka, m->kr, vacant, match, err);
    }
    for (size_t r = 0; !status && r < m->kr; r++) {
        returned[r] = match[r] != SIZE_MAX;
        if (returned[r]) {
            m->back[match[r]] = r;
            vacant[match[r]] = false;
        }
    }
    if (!status) {
        share_members(m, returned);
        find_parts(m);
        status = pair_rows(m, 0, m->ka, vacant, m->partner, err);
    }
    free(match);
    free(returned);
    return status;
}

static kb_status match_clusters(struct matching *m, kb_error *err)
{
    bool *vacant = kb_calloc(m->kb, sizeof *vacant);
    if (!vacant)
        return kb_fail_memory(err, "a comparison");
    kb_status status = KB_OK;
    for (size_t j = 0; j < m->kb; j++) {
        vacant[j] = true;
        m->back[j] = SIZE_MAX;
    }
    for (size_t i = 0; m->kind == KB_MATCH_NUMBER && i < m->ka; i++)
        m->partner[i] = i;
    if (m->kind == KB_MATCH_PROFILES)
        status = match_profiles(m, vacant, err);
    else if (m->kind == KB_MATCH_MEMBERS)
        status = match_members(m, vacant, err);
    free(vacant);
    return status;
}

/* --- rows --------------------------------------------------------------------------------- */

static kb_change_row unmatched_row(void)
{
    return (kb_change_row){.jaccard = (double)NAN,
                           .a_in_b = (double)NAN,
                           .b_in_a = (double)NAN,
                           .similarity = (double)NAN};
}

static kb_change_row pair_row(const struct matching *m, size_t i, size_t j)
{
    kb_change_row row = unmatched_row();
    row.a = kb_model_cluster(m->a->model, i)->number;
    row.b = kb_model_cluster(m->b->model, j)->number;
    row.change = is_split(m, i, j)    ? KB_CHANGE_SPLIT
                 : is_merged(m, i, j) ? KB_CHANGE_MERGED
                                      : KB_CHANGE_SAME;
    row.partner = m->partner[i] == j;
    if (m->kind == KB_MATCH_PROFILES)
        row.similarity = m->similarity[i * m->kb + j];
    if (m->kind == KB_MATCH_MEMBERS) {
        row.shared = shared_of(m, i, j);
        row.jaccard = jaccard(row.shared, m->size_a[i], m->size_b[j]);
        row.a_in_b = share_of(row.shared, m->size_a[i]);
        row.b_in_a = share_of(row.shared, m->size_b[j]);
    }
    row.sessions_a = m->count_a[i];
    row.sessions_b = m->count_b[j];
    return row;
}

static kb_change_row gone_row(const struct matching *m, size_t i)
{
    kb_change_row row = unmatched_row();
    row.a = kb_model_cluster(m->a->model, i)->number;
    row.change = KB_CHANGE_GONE;
    row.sessions_a = m->count_a[i];
    return row;
}

static kb_change_row new_row(const struct matching *m, size_t j)
{
    kb_change_row row = unmatched_row();
    size_t r = m->back[j];
    row.b = kb_model_cluster(m->b->model, j)->number;
    row.change = KB_CHANGE_NEW;
    row.sessions_b = m->count_b[j];
    if (r == SIZE_MAX)
        return row;
    row.change = KB_CHANGE_BACK;
    row.partner = true;
    row.a = kb_model_lineage(m->a->model)->retired[r].number;
    if (m->kind == KB_MATCH_PROFILES) {
        row.similarity = m->similarity[(m->ka + r) * m->kb + j];
        return row;
    }
    row.shared = m->recalled[r * (m->kb + 1) + j];
    row.jaccard = jaccard(row.shared, m->size_r[r], m->size_b[j]);
    row.a_in_b = share_of(row.shared, m->size_r[r]);
    row.b_in_a = share_of(row.shared, m->size_b[j]);
    return row;
}

/* Which clusters a row's test is about: members of A's and of B's, as flags (the last: emerging).
 */
struct family {
    bool *a, *b;
};

static kb_status add_row(kb_comparison *out, size_t *capacity, kb_change_row row, kb_error *err)
{
    if (!kb_grow((void **)&out->rows, capacity, out->count + 1, sizeof *out->rows))
        return kb_fail_memory(err, "a comparison");
    out->rows[out->count++] = row;
    return KB_OK;
}

static kb_status list_rows(const struct matching *m, kb_comparison *out, kb_error *err)
{
    size_t capacity = 0;
    kb_status status = KB_OK;
    bool *vacant = kb_calloc(m->kb, sizeof *vacant);
    if (!vacant)
        return kb_fail_memory(err, "a comparison");
    for (size_t i = 0; !status && i < m->ka; i++) {
        size_t related = 0;
        for (size_t j = 0; !status && j < m->kb; j++) {
            if (!is_related(m, i, j))
                continue;
            related++;
            status = add_row(out, &capacity, pair_row(m, i, j), err);
        }
        if (!status && !related)
            status = add_row(out, &capacity, gone_row(m, i), err);
    }
    find_vacant(m, vacant);
    for (size_t j = 0; !status && j < m->kb; j++)
        if (vacant[j] || m->back[j] != SIZE_MAX)
            status = add_row(out, &capacity, new_row(m, j), err);
    free(vacant);
    kb_change_row emerging = unmatched_row();
    emerging.sessions_a = m->count_a[m->ka];
    emerging.sessions_b = m->count_b[m->kb];
    if (m->kind == KB_MATCH_MEMBERS)
        emerging.shared = shared_of(m, m->ka, m->kb);
    if (!status && m->a->assigned)
        status = add_row(out, &capacity, emerging, err);
    return status;
}

/* --- tests -------------------------------------------------------------------------------- */

static size_t index_of(const kb_model *model, uint32_t number)
{
    const kb_assignment known = {.cluster = number};
    return place_of(model, &known);
}

static void find_family(const struct matching *m, const kb_change_row *row, struct family *family)
{
    memset(family->a, 0, (m->ka + 1) * sizeof *family->a);
    memset(family->b, 0, (m->kb + 1) * sizeof *family->b);
    bool emerging = !row->a && !row->b;
    size_t i = emerging ? m->ka : m->ka + 1, j = emerging ? m->kb : m->kb + 1;
    if (row->a && row->change != KB_CHANGE_BACK)
        i = index_of(m->a->model, row->a);
    if (row->b)
        j = index_of(m->b->model, row->b);
    if (i <= m->ka)
        family->a[i] = true;
    if (j <= m->kb)
        family->b[j] = true;
    for (size_t other = 0; row->change == KB_CHANGE_SPLIT && other < m->kb; other++)
        family->b[other] = is_split(m, i, other);
    for (size_t other = 0; row->change == KB_CHANGE_MERGED && other < m->ka; other++)
        family->a[other] = is_merged(m, other, j);
}

static double change_p(const struct matching *m, const struct family *family)
{
    uint64_t only_a = 0, only_b = 0, in_a = 0, in_b = 0;
    for (size_t i = 0; i <= m->ka; i++)
        in_a += family->a[i] ? m->count_a[i] : 0;
    for (size_t j = 0; j <= m->kb; j++)
        in_b += family->b[j] ? m->count_b[j] : 0;
    if (!m->same_sessions)
        return kb_fisher_exact(in_a, m->total_a, in_b, m->total_b);
    for (size_t i = 0; i <= m->ka; i++)
        for (size_t j = 0; j <= m->kb; j++) {
            size_t n = m->counted[i * (m->kb + 1) + j];
            only_a += family->a[i] && !family->b[j] ? n : 0;
            only_b += family->b[j] && !family->a[i] ? n : 0;
        }
    return kb_mcnemar_exact(only_a, only_b);
}

/* The first row that tells of the same change: itself, unless one is split or merged. */
static size_t leader_of(const kb_comparison *out, size_t at)
{
    const kb_change_row *row = &out->rows[at];
    for (size_t i = 0; i < at; i++) {
        const kb_change_row *other = &out->rows[i];
        if (other->change == row->change &&
            ((row->change == KB_CHANGE_SPLIT && other->a == row->a) ||
             (row->change == KB_CHANGE_MERGED && other->b == row->b)))
            return i;
    }
    return at;
}

static kb_status test_rows(const struct matching *m, kb_comparison *out, kb_error *err)
{
    struct family family = {kb_calloc(m->ka + 1, sizeof(bool)), kb_calloc(m->kb + 1, sizeof(bool))};
    double *ps = kb_calloc(out->count, sizeof *ps);
    kb_status status = family.a && family.b && ps ? KB_OK : kb_fail_memory(err, "a comparison");
    for (size_t i = 0; !status && i < out->count; i++) {
        kb_change_row *row = &out->rows[i];
        row->share_a = share_of(row->sessions_a, m->total_a);
        row->share_b = share_of(row->sessions_b, m->total_b);
        find_family(m, row, &family);
        row->p = change_p(m, &family);
        ps[i] = leader_of(out, i) == i ? row->p : (double)NAN;
    }
    if (!status)
        status = kb_fdr(ps, ps, out->count, err);
    for (size_t i = 0; !status && i < out->count; i++)
        out->rows[i].q = ps[leader_of(out, i)];
    free(family.a);
    free(family.b);
    free(ps);
    return status;
}

/* What became of a pair, by its shares. */
static kb_change change_of(const struct matching *m, const kb_change_row *row)
{
    const kb_comparison_options *o = m->options;
    bool emerging = !row->a && !row->b, apart = !m->same_sessions && !emerging;
    if (!(row->q <= o->alpha))
        return KB_CHANGE_SAME;
    if (apart && row->share_b <= o->rest * row->share_a)
        return KB_CHANGE_GONE;
    if (apart && row->share_a <= o->rest * row->share_b)
        return KB_CHANGE_BACK;
    if (row->share_b >= o->ratio * row->share_a && row->share_b > row->share_a)
        return KB_CHANGE_GROWN;
    if (row->share_a >= o->ratio * row->share_b && row->share_a > row->share_b)
        return KB_CHANGE_SHRUNK;
    return KB_CHANGE_SAME;
}

static kb_status check_sides(const struct matching *m, kb_error *err)
{
    if (!m->ka || !m->kb)
        return kb_fail(err, KB_ERR_USAGE,
                       "the %s model has no clusters yet: run `kaboom calibrate`",
                       m->ka ? "second" : "first");
    return kb_comparison_check(m->options, err);
}

static kb_status fill_tables(struct matching *m, kb_error *err)
{
    m->total_a = share_counts(m->a, m->count_a);
    m->total_b = share_counts(m->b, m->count_b);
    if (m->kind == KB_MATCH_MEMBERS && !m->same_sessions)
        return find_where(m, err);
    return m->kind == KB_MATCH_PROFILES ? compare_profiles(m, err) : KB_OK;
}

kb_status kb_compare(kb_comparison *out, const kb_side *a, const kb_side *b,
                     const kb_comparison_options *options, kb_error *err)
{
    struct matching m = {.a = a, .b = b, .options = options};
    m.kind = a->model == b->model ? KB_MATCH_NUMBER
             : a->assigned        ? KB_MATCH_MEMBERS
                                  : KB_MATCH_PROFILES;
    m.same_sessions = m.kind == KB_MATCH_MEMBERS && a->begin == b->begin && a->end == b->end;
    m.ka = kb_model_clusters(a->model);
    m.kb = kb_model_clusters(b->model);
    m.kr = m.kind == KB_MATCH_NUMBER ? 0 : kb_model_lineage(a->model)->retired_count;
    *out = (kb_comparison){.kind = m.kind, .same_sessions = m.same_sessions};
    kb_status status = check_sides(&m, err);
    if (!status)
        status = matching_alloc(&m, err);
    if (!status)
        status = fill_tables(&m, err);
    if (!status)
        status = match_clusters(&m, err);
    if (!status)
        status = list_rows(&m, out, err);
    if (!status)
        status = test_rows(&m, out, err);
    for (size_t i = 0; !status && i < out->count; i++)
        if (out->rows[i].change == KB_CHANGE_SAME)
            out->rows[i].change = change_of(&m, &out->rows[i]);
    out->total_a = m.total_a;
    out->total_b = m.total_b;
    matching_clear(&m);
    if (status)
        kb_comparison_clear(out);
    return status;
}

void kb_comparison_clear(kb_comparison *comparison)
{
    free(comparison->rows);
    *comparison = (kb_comparison){0};
}

/* --- retired clusters --------------------------------------------------------------------- */

static kb_status nearest_retired(uint32_t *retired, const size_t *at, kb_readings *readings,
                                 const kb_model *model, kb_error *err)
{
    const kb_lineage *lineage = kb_model_lineage(model);
    double *known = kb_calloc(readings->count, sizeof *known);
    if (!known)
        return kb_fail_memory(err, "distances");
    kb_status status = kb_readings_distances(readings, kb_model_centroids(model), err);
    for (size_t i = 0; !status && i < readings->count; i++)
        known[i] = readings->signals[i].value[KB_SIGNAL_DISTANCE];
    if (!status)
        status = kb_readings_distances(readings,
                                       kb_const_matrix_of(lineage->retired_centroids,
                                                          lineage->retired_count,
                                                          kb_model_latent(model)),
                                       err);
    for (size_t i = 0; !status && i < readings->count; i++)
        if (readings->signals[i].value[KB_SIGNAL_DISTANCE] < known[i] &&
            !lineage->retired[readings->nearest[i]].back_as)
            retired[at[i]] = lineage->retired[readings->nearest[i]].number;
    free(known);
    return status;
}

kb_status kb_assign_retired(uint32_t *retired, const kb_model *model, const kb_corpus *corpus,
                            const size_t *sessions, size_t count, kb_pool *pool,
                            const kb_progress *progress, kb_error *err)
{
    memset(retired, 0, count * sizeof *retired);
    if (!kb_model_lineage(model)->retired_count)
        return KB_OK;
    size_t *ids = kb_calloc(count, sizeof *ids), *at = kb_calloc(count, sizeof *at), n = 0;
    kb_readings readings = {0};
    kb_status status = ids && at ? KB_OK : kb_fail_memory(err, "session ids");
    for (size_t i = 0; !status && i < count; i++) {
        if (!kb_corpus_session(corpus, sessions[i])->has_rows)
            continue;
        ids[n] = sessions[i];
        at[n++] = i;
    }
    if (!status && n)
        status = kb_readings_of(&readings, model, corpus, ids, n, pool, progress, err);
    if (!status && n)
        status = nearest_retired(retired, at, &readings, model, err);
    kb_readings_clear(&readings);
    free(ids);
    free(at);
    return status;
}

/* --- names -------------------------------------------------------------------------------- */

kb_status kb_carry_names(kb_model *to, const kb_model *from, const kb_comparison *comparison,
                         bool *carried, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; !status && i < comparison->count; i++) {
        const kb_change_row *row = &comparison->rows[i];
        carried[i] = row->partner && row->a && row->b && *kb_model_cluster_name(from, row->a) &&
                     !*kb_model_cluster_name(to, row->b);
        if (carried[i])
            status =
                kb_model_set_cluster_name(to, row->b, kb_model_cluster_name(from, row->a), err);
    }
    return status;
}
