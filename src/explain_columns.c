/* What explain prints: the columns of each measure, as one table. */
#include <math.h>
#include <stdlib.h>

#include "explain_groups.h"
#include "memory.h"

enum { COLUMNS_MAX = 32 };

/* One object of one group, and what its cells are made of. */
typedef struct cells {
    const explanation *e;
    const explain_group *group;
    size_t place;                /* in group->order */
    const kb_contrast_row *row;  /* NULL for mutations */
    const kb_mutation *mutation; /* or NULL */
    kb_measure measure;
} cells;

typedef struct column_row {
    output_column head;
    void (*write)(output *out, const cells *c);
} column_row;

static const char *object_name(const cells *c, uint32_t object)
{
    return kb_store_object_name(kb_corpus_store(c->e->work.corpus), object);
}

/* --- shares and means --------------------------------------------------------------------- */

static const kb_presence_row *shares(const cells *c)
{
    return c->measure == KB_BY_ABSENCE ? &c->row->absence : &c->row->presence;
}

static void write_presence(output *out, const cells *c)
{
    output_real(out, shares(c)->presence);
}

static void write_other(output *out, const cells *c)
{
    output_real(out, shares(c)->other);
}

static void write_f1(output *out, const cells *c)
{
    output_real(out, shares(c)->f1);
}

static void write_inside(output *out, const cells *c)
{
    output_count(out, shares(c)->inside);
}

static void write_outside(output *out, const cells *c)
{
    output_count(out, shares(c)->outside);
}

static void write_mean(output *out, const cells *c)
{
    output_real(out, c->row->mean);
}

static void write_mean_other(output *out, const cells *c)
{
    output_real(out, c->row->mean_other);
}

static void write_ratio(output *out, const cells *c)
{
    output_real(out, c->row->mean / c->row->mean_other);
}

static const kb_moments *moments(const cells *c)
{
    return c->measure == KB_BY_RANK ? &c->row->level : &c->row->rise;
}

static void write_moment(output *out, const cells *c)
{
    output_real(out, moments(c)->inside);
}

static void write_moment_other(output *out, const cells *c)
{
    output_real(out, moments(c)->outside);
}

static void write_d(output *out, const cells *c)
{
    output_real(out, moments(c)->d);
}

static void write_d_low(output *out, const cells *c)
{
    output_real(out, moments(c)->low);
}

static void write_d_high(output *out, const cells *c)
{
    output_real(out, moments(c)->high);
}

/* --- tests -------------------------------------------------------------------------------- */

/* Of an absence the odds are those of presence, turned around. */
static kb_effect effect_of(const cells *c)
{
    if (c->measure != KB_BY_ABSENCE)
        return c->row->effect[kb_measure_test(c->measure)];
    kb_effect present = c->row->effect[KB_TEST_ODDS];
    return (kb_effect){-present.value, -present.high, -present.low, present.p};
}

static void write_effect(output *out, const cells *c)
{
    output_real(out, effect_of(c).value);
}

static void write_low(output *out, const cells *c)
{
    output_real(out, effect_of(c).low);
}

static void write_high(output *out, const cells *c)
{
    output_real(out, effect_of(c).high);
}

static void write_p(output *out, const cells *c)
{
    output_real(out, effect_of(c).p);
}

static void write_q(output *out, const cells *c)
{
    kb_test test = c->measure == KB_BY_ABSENCE ? KB_TEST_ODDS : kb_measure_test(c->measure);
    output_real(out, c->row->q[test]);
}

static void write_gate(output *out, const cells *c)
{
    output_text(out, kb_gate_name(kb_contrast_gate(&c->group->contrast, c->row, c->measure)));
}

static void write_score(output *out, const cells *c)
{
    output_real(out, c->row->score[kb_measure_test(c->measure)]);
}

static void write_lead(output *out, const cells *c)
{
    output_text(out, c->row->lead == KB_TEST_RISE ? "growth" : "rank");
}

static const kb_effect *remaining(const cells *c)
{
    return &c->row->given[kb_measure_test(c->measure)];
}

static void write_given(output *out, const cells *c)
{
    output_real(out, remaining(c)->value);
}

static void write_given_low(output *out, const cells *c)
{
    output_real(out, remaining(c)->low);
}

static void write_given_high(output *out, const cells *c)
{
    output_real(out, remaining(c)->high);
}

static void write_given_p(output *out, const cells *c)
{
    output_real(out, remaining(c)->p);
}

static void write_given_q(output *out, const cells *c)
{
    output_real(out, c->row->given_q[kb_measure_test(c->measure)]);
}

/* --- what is folded into it --------------------------------------------------------------- */

static bool is_folded_into(const cells *c, size_t place)
{
    return place != c->place && c->group->leader[place] == c->place;
}

static void write_folded(output *out, const cells *c)
{
    uint64_t count = 0;
    for (size_t i = c->place + 1; i < c->group->ranked; i++)
        count += is_folded_into(c, i);
    output_count(out, count);
}

/* Their names, as they are ranked. A row that there is no memory for is told as missing. */
static void write_also(output *out, const cells *c)
{
    size_t count = 0;
    const char **names = kb_calloc(c->group->ranked + 1, sizeof *names);
    if (!names) {
        output_missing(out);
        return;
    }
    for (size_t i = c->place + 1; i < c->group->ranked; i++)
        if (is_folded_into(c, i))
            names[count++] = object_name(c, c->group->contrast.rows[c->group->order[i]].object);
    output_list(out, names, count);
    free(names);
}

/* --- mutations ---------------------------------------------------------------------------- */

static kb_share flipped(const cells *c)
{
    const kb_mutation *m = c->mutation;
    return kb_share_of((size_t)m->zeroed_flips + m->injected_flips,
                       (size_t)m->zeroed + m->injected);
}

static void write_share(output *out, const cells *c)
{
    output_real(out, flipped(c).value);
}

static void write_share_low(output *out, const cells *c)
{
    output_real(out, flipped(c).low);
}

static void write_share_high(output *out, const cells *c)
{
    output_real(out, flipped(c).high);
}

static void write_zeroed(output *out, const cells *c)
{
    output_count(out, c->mutation->zeroed);
}

static void write_zeroed_flips(output *out, const cells *c)
{
    output_count(out, c->mutation->zeroed_flips);
}

static void write_injected(output *out, const cells *c)
{
    output_count(out, c->mutation->injected);
}

static void write_injected_flips(output *out, const cells *c)
{
    output_count(out, c->mutation->injected_flips);
}

/* --- the table ---------------------------------------------------------------------------- */

/* DROP: see output_column. What a set has goes last, then what others have, what ranks, and tests.
 */
#define COLUMN(name, drop_, write_)                                                                \
    {                                                                                              \
        {name, .drop = (drop_)}, write_                                                            \
    }
#define SHARES                                                                                     \
    COLUMN("presence", 1, write_presence), COLUMN("other", 3, write_other),                        \
        COLUMN("f1", 7, write_f1)
#define COUNTS COLUMN("inside", 12, write_inside), COLUMN("outside", 13, write_outside)
#define TEST                                                                                       \
    COLUMN("effect", 5, write_effect), COLUMN("low", 9, write_low),                                \
        COLUMN("high", 10, write_high), COLUMN("p", 8, write_p), COLUMN("q", 4, write_q)
#define MOMENTS                                                                                    \
    COLUMN("other", 3, write_moment_other), COLUMN("d", 2, write_d),                               \
        COLUMN("d_low", 16, write_d_low), COLUMN("d_high", 17, write_d_high)
#define GATE COLUMN("gate", 6, write_gate)
#define FOLDED COLUMN("folded", 14, write_folded), COLUMN("also", 15, write_also)

/* The columns behind cluster,rank,object; where there is an effect given another object, its
 * columns follow those of the gate. */
static const column_row columns_of[CLI_MEASURES][COLUMNS_MAX] = {
    [KB_BY_COMBINED] = {SHARES, COLUMN("score", 2, write_score), COLUMN("lead", 11, write_lead),
                        COUNTS, TEST, GATE, FOLDED},
    [KB_BY_GROWTH] = {COLUMN("growth", 1, write_moment), MOMENTS, COUNTS, TEST, GATE, FOLDED},
    [KB_BY_RANK] = {COLUMN("level", 1, write_moment), MOMENTS, COUNTS, TEST, GATE, FOLDED},
    [KB_BY_ODDS] = {SHARES, COUNTS, TEST, GATE, FOLDED},
    [KB_BY_PRESENCE] = {SHARES},
    [KB_BY_ABSENCE] = {COLUMN("absence", 1, write_presence), COLUMN("other", 3, write_other),
                       COLUMN("f1", 7, write_f1), COUNTS, TEST},
    [KB_BY_MEAN] = {COLUMN("mean", 1, write_mean), COLUMN("other", 3, write_mean_other),
                    COLUMN("ratio", 2, write_ratio), COUNTS, TEST},
    [CLI_BY_MUTATION] = {COLUMN("share", 1, write_share), COLUMN("low", 9, write_share_low),
                         COLUMN("high", 10, write_share_high), COLUMN("zeroed", 11, write_zeroed),
                         COLUMN("zeroed_flips", 2, write_zeroed_flips),
                         COLUMN("injected", 12, write_injected),
                         COLUMN("injected_flips", 3, write_injected_flips)},
};

static const column_row given_columns[] = {
    COLUMN("given", 5, write_given), COLUMN("given_low", 18, write_given_low),
    COLUMN("given_high", 19, write_given_high), COLUMN("given_p", 20, write_given_p),
    COLUMN("given_q", 6, write_given_q)};

/* CHOSEN (COLUMNS_MAX): the columns of this run; returns how many. */
static size_t choose_columns(column_row *chosen, const cli_options *options)
{
    size_t n = 0, given = sizeof given_columns / sizeof *given_columns;
    for (const column_row *column = columns_of[options->by]; column->head.name; column++) {
        chosen[n++] = *column;
        for (size_t i = 0; column->write == write_gate && options->given && i < given; i++)
            chosen[n++] = given_columns[i];
    }
    return n;
}

static void write_number(output *out, const explain_group *group)
{
    if (group->number)
        output_count(out, group->number);
    else
        output_missing(out);
}

static void write_row(output *out, const cells *c, size_t rank, const column_row *columns,
                      size_t count)
{
    write_number(out, c->group);
    output_count(out, rank);
    output_text(out, object_name(c, c->row ? c->row->object : c->mutation->object));
    for (size_t i = 0; i < count; i++)
        columns[i].write(out, c);
}

static void write_group(output *out, const explanation *e, size_t g, const column_row *columns,
                        size_t count)
{
    const cli_options *options = e->work.options;
    const explain_group *group = &e->groups[g];
    bool mutated = options->by == CLI_BY_MUTATION;
    size_t rank = 0;
    for (size_t i = 0; i < group->ranked && (!options->top || rank < options->top); i++) {
        cells c = {.e = e, .group = group, .place = i};
        if (!mutated && group->leader[i] != i)
            continue;
        if (mutated) {
            c.mutation = &e->mutations.rows[g * e->mutations.objects + group->order[i]];
        } else {
            c.row = &group->contrast.rows[group->order[i]];
            c.measure = (kb_measure)options->by;
        }
        write_row(out, &c, ++rank, columns, count);
    }
}

static int write_objects(explanation *e)
{
    column_row columns[COLUMNS_MAX];
    output_column heads[COLUMNS_MAX + 3] = {
        {.name = "cluster"}, {.name = "rank"}, {.name = "object"}};
    size_t count = choose_columns(columns, e->work.options);
    for (size_t i = 0; i < count; i++)
        heads[3 + i] = columns[i].head;
    output *out = cli_output(&e->work, heads, 3 + count);
    for (size_t g = 0; out && g < e->count; g++)
        write_group(out, e, g, columns, count);
    return cli_finish_output(&e->work.console, out);
}

static int write_representatives(explanation *e)
{
    static const output_column heads[] = {{.name = "cluster"},
                                          {.name = "kind"},
                                          {.name = "rank"},
                                          {.name = "session"},
                                          {.name = "distance"}};
    output *out = cli_output(&e->work, heads, sizeof heads / sizeof *heads);
    for (size_t g = 0; out && g < e->count; g++) {
        const kb_representatives *found = &e->groups[g].representatives;
        for (size_t i = 0; i < found->count; i++) {
            write_number(out, &e->groups[g]);
            output_text(out, kb_representative_name(found->items[i].kind));
            output_count(out, found->items[i].rank);
            output_text(out, kb_corpus_session(e->work.corpus, found->items[i].row)->name);
            output_real(out, found->items[i].distance);
        }
    }
    return cli_finish_output(&e->work.console, out);
}

int explain_write(explanation *e)
{
    return e->work.options->representatives ? write_representatives(e) : write_objects(e);
}
