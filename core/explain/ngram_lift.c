#include "ngram_lift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fdr.h"
#include "fisher.h"
#include "memory.h"

enum { CHECK_EVERY = 1 << 12 };

kb_lift_options kb_lift_defaults(void)
{
    return (kb_lift_options){.ngrams = kb_ngram_defaults(), .support = 5};
}

/* Of an n-gram, over all groups. */
struct whole {
    uint64_t count, users;
    uint64_t firsts;    /* users whose first sequence of all has it */
    uint32_t last_user; /* seen so far */
};

/* Of an n-gram in a group. A user's votes outside the group are the first of all his sequences, or,
 * where that lies inside, the first that does not. So outside votes = firsts of the whole - firsts
 * here + seconds here. */
struct cell {
    uint64_t count, users, sessions;
    uint64_t votes;  /* users whose first sequence in the group has it */
    uint64_t firsts; /* those of them whose first of all it is */
    uint64_t
        seconds; /* users whose first of all lies in the group, and whose first outside has it */
    uint32_t last_user;
};

struct group {
    uint64_t sequences, users; /* users with one of them */
    uint64_t only;             /* those who have none elsewhere */
    uint32_t last_user;
};

#define NOBODY UINT32_MAX

struct work {
    const kb_lift_input *in;
    const kb_progress *progress;
    kb_ngram_table table;
    struct whole *wholes; /* by n-gram */
    size_t whole_count, whole_capacity;
    kb_tuples cell_keys; /* group, n-gram */
    struct cell *cells;
    size_t cell_count, cell_capacity;
    kb_tuples of_sessions; /* session, n-gram */
    struct group *groups;  /* by number; [0] is not used */
    uint64_t sequences, users;
};

static kb_status no_memory(kb_error *err)
{
    return kb_fail_memory(err, "the n-grams of groups");
}

/* --- counting ----------------------------------------------------------------------------- */

static struct cell *cell_of(struct work *w, uint32_t group, size_t ngram)
{
    const uint32_t key[2] = {group, (uint32_t)ngram};
    size_t id = kb_tuples_add(&w->cell_keys, key, NULL);
    if (id == SIZE_MAX || !kb_grow((void **)&w->cells, &w->cell_capacity, id + 1, sizeof *w->cells))
        return NULL;
    if (id == w->cell_count) {
        w->cells[id] = (struct cell){.last_user = NOBODY};
        w->cell_count++;
    }
    return &w->cells[id];
}

static struct whole *whole_of(struct work *w, size_t ngram)
{
    if (ngram >= UINT32_MAX ||
        !kb_grow((void **)&w->wholes, &w->whole_capacity, ngram + 1, sizeof *w->wholes))
        return NULL;
    if (ngram == w->whole_count) {
        w->wholes[ngram] = (struct whole){.last_user = NOBODY};
        w->whole_count++;
    }
    return &w->wholes[ngram];
}

/* What a sequence is among its user's. */
struct role {
    uint32_t user, group, session;
    bool first_in_group, first_of_all;
    uint32_t
        second_of; /* the group of the first of all, whose first outside this is; 0: it is not */
};

static bool count_ngram(struct work *w, size_t ngram, const struct role *role)
{
    bool new_session;
    const uint32_t of_session[2] = {role->session, (uint32_t)ngram};
    struct whole *whole = whole_of(w, ngram);
    struct cell *cell = whole ? cell_of(w, role->group, ngram) : NULL;
    if (!cell || kb_tuples_add(&w->of_sessions, of_session, &new_session) == SIZE_MAX)
        return false;
    whole->count++;
    whole->users += whole->last_user != role->user;
    whole->last_user = role->user;
    whole->firsts += role->first_of_all;
    cell->count++;
    cell->users += cell->last_user != role->user;
    cell->last_user = role->user;
    cell->sessions += new_session;
    cell->votes += role->first_in_group;
    cell->firsts += role->first_of_all;
    if (!role->second_of)
        return true;
    cell = cell_of(w, role->second_of, ngram);
    if (cell)
        cell->seconds++;
    return cell != NULL;
}

static uint32_t group_of(const struct work *w, size_t sequence)
{
    size_t session = w->in->sessions[sequence];
    return session == SIZE_MAX ? 0 : w->in->groups[session];
}

static bool count_sequence(struct work *w, size_t sequence, const struct role *role)
{
    size_t ids[KB_NGRAM_MAX];
    const kb_truncation *t = &w->in->truncations->items[sequence];
    size_t found = kb_ngram_table_add(&w->table, w->in->events, t, ids);
    bool good = found > 0;
    for (size_t i = 0; good && i < found; i++)
        good = count_ngram(w, ids[i], role);
    return good;
}

/* The sequences from BEGIN to END are one user's. */
static bool count_user(struct work *w, size_t begin, size_t end)
{
    uint32_t first = 0, second = 0; /* groups of the first of all, of the first outside that */
    bool good = true;
    for (size_t i = begin; good && i < end; i++) {
        struct role role = {.user = w->in->truncations->items[i].user, .group = group_of(w, i)};
        if (!role.group)
            continue;
        struct group *group = &w->groups[role.group];
        role.session = (uint32_t)w->in->sessions[i];
        role.first_of_all = !first;
        role.first_in_group = group->last_user != role.user;
        role.second_of = first && !second && role.group != first ? first : 0;
        first = first ? first : role.group;
        second = role.second_of ? role.group : second;
        group->last_user = role.user;
        group->users += role.first_in_group;
        group->sequences++;
        w->sequences++;
        good = count_sequence(w, i, &role) && !(i % CHECK_EVERY == 0 && kb_cancelled(w->progress));
    }
    w->users += first != 0;
    if (first && !second)
        w->groups[first].only++;
    return good;
}

static kb_status count_all(struct work *w, kb_error *err)
{
    const kb_truncations *t = w->in->truncations;
    for (size_t begin = 0, end = 0; begin < t->count; begin = end) {
        while (end < t->count && t->items[end].user == t->items[begin].user)
            end++;
        if (w->users % 1024 == 0)
            kb_progress_report(w->progress, "n-grams", begin, t->count);
        if (kb_cancelled(w->progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        if (!count_user(w, begin, end))
            return kb_cancelled(w->progress) ? kb_fail(err, KB_ERR_CANCELLED, "cancelled")
                                             : no_memory(err);
    }
    kb_progress_report(w->progress, "n-grams", t->count, t->count);
    return KB_OK;
}

/* --- testing ------------------------------------------------------------------------------ */

/* p and q of all pairs of a group with users and an n-gram with support: groups x n-grams. */
struct tests {
    size_t *places;   /* by n-gram: its place among those with support, or SIZE_MAX */
    uint32_t *ngrams; /* those with support */
    size_t ngram_count;
    size_t *rows; /* by group: which row, or SIZE_MAX */
    size_t group_count;
    double *p;
};

static void tests_free(struct tests *tests)
{
    free(tests->places);
    free(tests->ngrams);
    free(tests->rows);
    free(tests->p);
}

static bool find_tests(struct tests *tests, const struct work *w, size_t support)
{
    size_t pairs;
    tests->places = kb_calloc(w->whole_count, sizeof *tests->places);
    tests->ngrams = kb_calloc(w->whole_count, sizeof *tests->ngrams);
    tests->rows = kb_calloc(w->in->group_count + 1, sizeof *tests->rows);
    if (!tests->places || !tests->ngrams || !tests->rows)
        return false;
    for (size_t x = 0; x < w->whole_count; x++) {
        bool enough = w->wholes[x].users >= support;
        tests->places[x] = enough ? tests->ngram_count : SIZE_MAX;
        if (enough)
            tests->ngrams[tests->ngram_count++] = (uint32_t)x;
    }
    for (size_t g = 1; g <= w->in->group_count; g++)
        tests->rows[g] = w->groups[g].users ? tests->group_count++ : SIZE_MAX;
    if (!kb_size_mul(tests->ngram_count, tests->group_count, &pairs))
        return false;
    tests->p = kb_calloc(pairs, sizeof *tests->p);
    return tests->p != NULL;
}

static double test_pair(const struct work *w, uint32_t group, uint32_t ngram)
{
    static const struct cell none = {0};
    const uint32_t key[2] = {group, ngram};
    size_t id = kb_tuples_find(&w->cell_keys, key);
    const struct cell *cell = id == SIZE_MAX ? &none : &w->cells[id];
    const struct group *g = &w->groups[group];
    uint64_t outside = w->wholes[ngram].firsts - cell->firsts + cell->seconds;
    return kb_fisher_exact(cell->votes, g->users, outside, w->users - g->only);
}

static kb_status test_all(struct tests *tests, const struct work *w, kb_error *err)
{
    size_t done = 0, pairs = tests->ngram_count * tests->group_count;
    for (uint32_t g = 1; g <= w->in->group_count; g++) {
        for (size_t x = 0; tests->rows[g] != SIZE_MAX && x < tests->ngram_count; x++) {
            if (done % CHECK_EVERY == 0) {
                kb_progress_report(w->progress, "testing", done, pairs);
                if (kb_cancelled(w->progress))
                    return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
            }
            tests->p[done++] = test_pair(w, g, tests->ngrams[x]);
        }
    }
    kb_progress_report(w->progress, "testing", pairs, pairs);
    return KB_OK;
}

/* --- rows --------------------------------------------------------------------------------- */

/* Q by test, as tests->p. */
static void fill_row(kb_lift_row *row, const struct work *w, const struct tests *tests,
                     const double *q, size_t id)
{
    const uint32_t *key = kb_tuples_at(&w->cell_keys, id);
    const struct cell *cell = &w->cells[id];
    const struct group *group = &w->groups[key[0]];
    uint64_t other = w->wholes[key[1]].count - cell->count, rest = w->sequences - group->sequences;
    bool tested = tests->places[key[1]] != SIZE_MAX;
    size_t test = tested ? tests->rows[key[0]] * tests->ngram_count + tests->places[key[1]] : 0;
    *row = (kb_lift_row){.group = key[0],
                         .n = kb_ngram_table_length(&w->table, key[1]),
                         .events = kb_tuples_at(&w->table.tuples, key[1]),
                         .count = cell->count,
                         .users = cell->users,
                         .sessions = cell->sessions,
                         .share = (double)cell->count / (double)group->sequences,
                         .other = rest ? (double)other / (double)rest : 0,
                         .p = tested ? tests->p[test] : (double)NAN,
                         .q = tested ? q[test] : (double)NAN};
    row->lift = other ? row->share / row->other : (double)INFINITY;
}

static int by_rank(const void *a, const void *b, void *ctx)
{
    const kb_lift_row *x = a, *y = b;
    bool x_more = x->lift > 1, y_more = y->lift > 1, x_rare = isnan(x->p), y_rare = isnan(y->p);
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x_rare != y_rare)
        return y_rare ? -1 : 1;
    if (x_more != y_more)
        return x_more ? -1 : 1;
    if (!x_rare && x->p != y->p)
        return x->p < y->p ? -1 : 1;
    if (x->lift != y->lift)
        return x->lift > y->lift ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return kb_ngram_compare(x->events, y->events, *(const size_t *)ctx);
}

/* The scratch of folding, by cell. */
struct folding {
    uint64_t *counts, *best;
    size_t *parents;
    bool *folded;
};

/* A cell without support has no count here: it cannot stand for another. */
static void prepare_folding(struct folding *f, const struct work *w, const struct tests *tests)
{
    for (size_t i = 0; i < w->cell_count; i++) {
        const uint32_t *key = kb_tuples_at(&w->cell_keys, i);
        size_t parent = w->table.parents[key[1]];
        const uint32_t up[2] = {key[0], (uint32_t)parent};
        f->counts[i] = tests->places[key[1]] == SIZE_MAX ? 0 : w->cells[i].count;
        f->parents[i] = parent == SIZE_MAX ? SIZE_MAX : kb_tuples_find(&w->cell_keys, up);
    }
}

static void take_rows(kb_lifts *out, struct work *w, const struct tests *tests, const double *q,
                      const struct folding *f, bool rare)
{
    for (size_t i = 0; i < w->cell_count; i++)
        if ((rare ? w->cells[i].count : f->counts[i]) && !f->folded[i])
            fill_row(&out->rows[out->count++], w, tests, q, i);
    qsort_r(out->rows, out->count, sizeof *out->rows, by_rank, &out->width);
    out->storage = w->table.tuples.ids;
    w->table.tuples.ids = NULL;
}

static kb_status collect(kb_lifts *out, struct work *w, const struct tests *tests,
                         const kb_lift_options *options, kb_error *err)
{
    size_t cells = w->cell_count;
    struct folding f = {kb_calloc(cells, sizeof *f.counts), kb_calloc(cells, sizeof *f.best),
                        kb_calloc(cells, sizeof *f.parents), kb_calloc(cells, sizeof *f.folded)};
    out->tested = tests->ngram_count * tests->group_count;
    out->rare = w->whole_count - tests->ngram_count;
    out->rows = kb_calloc(cells, sizeof *out->rows);
    double *q = kb_calloc(out->tested, sizeof *q);
    bool room = f.counts && f.best && f.parents && f.folded && out->rows && q;
    kb_status status = room ? kb_fdr(q, tests->p, out->tested, err) : no_memory(err);
    if (!status) {
        prepare_folding(&f, w, tests);
        out->folded =
            kb_ngram_fold(f.folded, f.best, f.counts, f.parents, cells, options->ngrams.fold);
        take_rows(out, w, tests, q, &f, options->rare);
    }
    free(f.counts);
    free(f.best);
    free(f.parents);
    free(f.folded);
    free(q);
    return status;
}

static kb_status begin(struct work *w, const kb_lift_options *options, kb_error *err)
{
    kb_ngram_table_init(&w->table, &options->ngrams);
    w->cell_keys.width = w->of_sessions.width = 2;
    w->groups = kb_calloc(w->in->group_count + 1, sizeof *w->groups);
    for (size_t g = 0; w->groups && g <= w->in->group_count; g++)
        w->groups[g].last_user = NOBODY;
    return w->groups ? KB_OK : no_memory(err);
}

static void end(struct work *w)
{
    kb_ngram_table_clear(&w->table);
    kb_tuples_clear(&w->cell_keys);
    kb_tuples_clear(&w->of_sessions);
    free(w->wholes);
    free(w->cells);
    free(w->groups);
}

kb_status kb_lifts_of(kb_lifts *out, const kb_lift_input *input, const kb_lift_options *options,
                      const kb_progress *progress, kb_error *err)
{
    *out = (kb_lifts){.width = options->ngrams.most - 1};
    kb_status status = kb_ngram_check(&options->ngrams, err);
    if (status)
        return status;
    struct work w = {.in = input, .progress = progress};
    struct tests tests = {0};
    status = begin(&w, options, err);
    if (!status)
        status = count_all(&w, err);
    if (!status && !find_tests(&tests, &w, options->support))
        status = no_memory(err);
    if (!status)
        status = test_all(&tests, &w, err);
    if (!status)
        status = collect(out, &w, &tests, options, err);
    tests_free(&tests);
    end(&w);
    if (status)
        kb_lifts_clear(out);
    return status;
}

void kb_lifts_clear(kb_lifts *lifts)
{
    free(lifts->rows);
    free(lifts->storage);
    *lifts = (kb_lifts){0};
}
