/* comparison, profile: what is told of clusters whose members, or looks, are known to the session.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "comparison.h"
#include "fisher.h"
#include "memory.h"
#include "model_private.h"
#include "profile.h"
#include "shares.h"

enum { SESSIONS_MAX = 2000, OBJECTS = 4 };

static const char *const objects[OBJECTS] = {"a", "b", "c", "d"};

/* A model of NUMBERS (K, rising), size 10 each, and of the first COUNT of the objects from FIRST
 * on.
 */
static kb_model *make_model(const uint32_t *numbers, size_t k, size_t first, size_t count)
{
    const kb_recipe recipe = {.timesteps = 1};
    kb_model *m = kb_model_create();
    assert_non_null(m);
    assert_int_equal(kb_features_create(&m->features, objects + first, count, &recipe, NULL, NULL),
                     KB_OK);
    kb_cluster *clusters = kb_calloc(k, sizeof *clusters);
    for (size_t i = 0; i < k; i++)
        clusters[i] = (kb_cluster){.number = numbers[i], .size = 10, .threshold = 1};
    kb_model_set_clusters(m, k, clusters, kb_calloc(k, sizeof(float)));
    m->next_number = 100;
    m->layout.latent = 1;
    return m;
}

/* What two models say of sessions; filled block by block. */
struct sayings {
    kb_assignment a[SESSIONS_MAX], b[SESSIONS_MAX];
    uint32_t retired[SESSIONS_MAX];
    size_t count;
};

/* COUNT sessions in cluster A of the one, B of the other; 0 is emerging (nearest to FIRST). */
static void say(struct sayings *s, uint32_t a, uint32_t b, size_t count)
{
    for (size_t i = 0; i < count; i++, s->count++) {
        assert_true(s->count < SESSIONS_MAX);
        s->a[s->count] = (kb_assignment){.cluster = a ? a : 1, .emerging = !a};
        s->b[s->count] = (kb_assignment){.cluster = b ? b : 1, .emerging = !b};
    }
}

static void say_retired(struct sayings *s, uint32_t a, uint32_t b, size_t count, uint32_t retired)
{
    for (size_t i = 0; i < count; i++)
        s->retired[s->count + i] = retired;
    say(s, a, b, count);
}

struct pair {
    kb_model *a, *b;
    struct sayings s;
    kb_comparison c;
};

static void pair_start(struct pair *p, const uint32_t *a, size_t ka, const uint32_t *b, size_t kb)
{
    *p = (struct pair){.a = make_model(a, ka, 0, OBJECTS)};
    p->b = b ? make_model(b, kb, 0, OBJECTS) : p->a;
}

static void pair_end(struct pair *p)
{
    kb_comparison_clear(&p->c);
    if (p->b != p->a)
        kb_model_free(p->b);
    kb_model_free(p->a);
}

/* With the shares of B's side being of the sessions from MIDDLE on; 0: of all on both sides. */
static void compare(struct pair *p, size_t middle, const kb_comparison_options *options)
{
    const kb_comparison_options defaults = kb_comparison_defaults();
    struct sayings *s = &p->s;
    kb_side a = {p->a, s->a, s->count, 0, middle ? middle : s->count, s->retired};
    kb_side b = {p->b, p->b == p->a ? s->a : s->b, s->count, middle, s->count, NULL};
    kb_comparison_clear(&p->c);
    assert_int_equal(kb_compare(&p->c, &a, &b, options ? options : &defaults, NULL), KB_OK);
}

static const kb_change_row *row(const struct pair *p, uint32_t a, uint32_t b)
{
    for (size_t i = 0; i < p->c.count; i++)
        if (p->c.rows[i].a == a && p->c.rows[i].b == b)
            return &p->c.rows[i];
    fail_msg("no row of %u and %u", (unsigned)a, (unsigned)b);
    return NULL;
}

static void expect(const struct pair *p, uint32_t a, uint32_t b, kb_change change)
{
    const kb_change_row *r = row(p, a, b);
    if (r->change != change)
        fail_msg("%u and %u: %s instead of %s (q %g)", (unsigned)a, (unsigned)b,
                 kb_change_name(r->change), kb_change_name(change), r->q);
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-12 * (1 + fabs(expected))))
        fail_msg("%.17g instead of %.17g", value, expected);
}

static const uint32_t three[] = {1, 2, 3}, four[] = {4, 5, 6};

static void clusters_with_the_same_members_are_the_same_whatever_their_numbers(void **state)
{
    (void)state;
    struct pair p;
    pair_start(&p, three, 3, four, 3);
    say(&p.s, 1, 6, 50);
    say(&p.s, 2, 4, 40);
    say(&p.s, 3, 5, 30);
    say(&p.s, 3, 4, 2);
    say(&p.s, 0, 0, 3);
    compare(&p, 0, NULL);
    assert_int_equal(p.c.kind, KB_MATCH_MEMBERS);
    assert_true(p.c.same_sessions);
    assert_int_equal(p.c.count, 4);
    expect(&p, 1, 6, KB_CHANGE_SAME);
    expect(&p, 2, 4, KB_CHANGE_SAME);
    expect(&p, 3, 5, KB_CHANGE_SAME);
    expect(&p, 0, 0, KB_CHANGE_SAME);
    const kb_change_row *r = row(&p, 2, 4);
    assert_int_equal(r->shared, 40);
    assert_near(r->jaccard, 40. / 42);
    assert_near(r->a_in_b, 1);
    assert_near(r->b_in_a, 40. / 42);
    assert_near(r->share_a, 40. / 125);
    assert_near(r->share_b, 42. / 125);
    assert_near(r->p, kb_mcnemar_exact(0, 2));
    pair_end(&p);
}

static void a_cluster_that_gains_sessions_has_grown(void **state)
{
    (void)state;
    struct pair p;
    pair_start(&p, three, 3, four, 3);
    say(&p.s, 1, 4, 100);
    say(&p.s, 1, 5, 40); /* of the first, 40 go over to the second */
    say(&p.s, 2, 5, 60);
    say(&p.s, 3, 6, 50);
    compare(&p, 0, NULL);
    expect(&p, 1, 4, KB_CHANGE_SHRUNK);
    expect(&p, 2, 5, KB_CHANGE_GROWN);
    expect(&p, 3, 6, KB_CHANGE_SAME);
    assert_near(row(&p, 1, 4)->p, kb_mcnemar_exact(40, 0));
    kb_comparison_options options = kb_comparison_defaults();
    options.ratio = 1.5;
    compare(&p, 0, &options);
    expect(&p, 1, 4, KB_CHANGE_SAME);
    expect(&p, 2, 5, KB_CHANGE_GROWN);
    options.alpha = 1e-20;
    compare(&p, 0, &options);
    expect(&p, 2, 5, KB_CHANGE_SAME);
    pair_end(&p);
}

static void different_sessions_are_tested_as_such(void **state)
{
    (void)state;
    struct pair p;
    pair_start(&p, three, 3, four, 3);
    say(&p.s, 1, 4, 100);
    say(&p.s, 2, 5, 60);
    say(&p.s, 3, 6, 40);
    say(&p.s, 1, 4, 50); /* from here on B's */
    say(&p.s, 2, 5, 90);
    say(&p.s, 0, 0, 60);
    compare(&p, 200, NULL);
    assert_false(p.c.same_sessions);
    assert_int_equal(p.c.total_a, 200);
    assert_int_equal(p.c.total_b, 200);
    expect(&p, 1, 4, KB_CHANGE_SHRUNK);
    expect(&p, 2, 5, KB_CHANGE_GROWN);
    expect(&p, 3, 6, KB_CHANGE_GONE);
    expect(&p, 0, 0, KB_CHANGE_GROWN);
    assert_near(row(&p, 1, 4)->p, kb_fisher_exact(100, 200, 50, 200));
    assert_near(row(&p, 0, 0)->p, kb_fisher_exact(0, 200, 60, 200));
    /* The largest of the four p is its own q. */
    assert_near(row(&p, 2, 5)->q, row(&p, 2, 5)->p);
    pair_end(&p);
}

static void clusters_go_and_others_are_new(void **state)
{
    (void)state;
    struct pair p;
    pair_start(&p, three, 3, four, 3);
    say(&p.s, 1, 4, 50);
    say(&p.s, 2, 5, 40);
    say(&p.s, 3, 4, 10); /* the third is scattered */
    say(&p.s, 3, 5, 9);
    say(&p.s, 3, 0, 11);
    say(&p.s, 0, 6, 30); /* what was emerging is a cluster */
    compare(&p, 0, NULL);
    assert_int_equal(p.c.count, 5);
    expect(&p, 1, 4, KB_CHANGE_SAME);
    expect(&p, 2, 5, KB_CHANGE_SAME);
    expect(&p, 3, 0, KB_CHANGE_GONE);
    expect(&p, 0, 6, KB_CHANGE_NEW);
    assert_near(row(&p, 0, 6)->p, kb_mcnemar_exact(0, 30));
    assert_near(row(&p, 3, 0)->p, kb_mcnemar_exact(30, 0));
    pair_end(&p);
}

static void a_cluster_is_split_and_two_are_merged(void **state)
{
    (void)state;
    const uint32_t two[] = {8, 9};
    struct pair p, q;
    pair_start(&p, two, 2, four, 3);
    say(&p.s, 8, 4, 60);
    say(&p.s, 8, 5, 40);
    say(&p.s, 9, 6, 50);
    say(&p.s, 9, 5, 3);
    compare(&p, 0, NULL);
    assert_int_equal(p.c.count, 4);
    expect(&p, 8, 4, KB_CHANGE_SPLIT);
    expect(&p, 8, 5, KB_CHANGE_SPLIT);
    expect(&p, 9, 6, KB_CHANGE_SAME);
    assert_true(row(&p, 8, 4)->partner);
    assert_false(row(&p, 8, 5)->partner);
    /* Of the whole and its parts together. */
    assert_near(row(&p, 8, 4)->p, kb_mcnemar_exact(0, 3));
    assert_near(row(&p, 8, 5)->p, kb_mcnemar_exact(0, 3));

    pair_start(&q, four, 3, two, 2);
    memcpy(q.s.a, p.s.b, sizeof q.s.a);
    memcpy(q.s.b, p.s.a, sizeof q.s.b);
    q.s.count = p.s.count;
    compare(&q, 0, NULL);
    expect(&q, 4, 8, KB_CHANGE_MERGED);
    expect(&q, 5, 8, KB_CHANGE_MERGED);
    expect(&q, 6, 9, KB_CHANGE_SAME);

    /* Crumbs are no parts. */
    kb_comparison_options options = kb_comparison_defaults();
    options.part = .45;
    compare(&p, 0, &options);
    expect(&p, 8, 4, KB_CHANGE_SHRUNK);
    expect(&p, 0, 5, KB_CHANGE_NEW);
    pair_end(&p);
    pair_end(&q);
}

/* A type that is no more lies in the second's other cluster, more than that has itself; one that is
 * new lay in the first's. */
static void what_one_corpus_lacks_is_neither_merged_nor_split(void **state)
{
    (void)state;
    struct pair p;
    pair_start(&p, three, 3, four, 3);
    say(&p.s, 1, 4, 100); /* in both */
    say(&p.s, 2, 4, 120); /* gone */
    say(&p.s, 3, 5, 60);  /* in both */
    say(&p.s, 1, 4, 80);  /* from here on B's */
    say(&p.s, 2, 4, 1);
    say(&p.s, 3, 5, 70);
    say(&p.s, 3, 6, 90); /* new */
    compare(&p, 280, NULL);
    assert_int_equal(p.c.count, 5);
    assert_true(row(&p, 1, 4)->partner);
    expect(&p, 1, 4, KB_CHANGE_SAME);
    expect(&p, 2, 0, KB_CHANGE_GONE);
    expect(&p, 0, 6, KB_CHANGE_NEW);
    assert_true(row(&p, 3, 5)->partner);
    compare(&p, 0, NULL); /* as one corpus there is no telling */
    expect(&p, 2, 4, KB_CHANGE_MERGED);
    expect(&p, 3, 6, KB_CHANGE_SPLIT);
    pair_end(&p);
}

/* A's history: one cluster, 9, with a profile. */
static void retire(kb_model *m)
{
    kb_lineage *l = &m->lineage;
    l->calibrations = 2;
    l->retired_count = 1;
    l->retired = kb_calloc(1, sizeof *l->retired);
    l->retired[0] = (kb_retired){.number = 9, .size = 5, .calibration = 1, .profiled = true};
    l->retired_centroids = kb_calloc(1, sizeof(float));
    l->retired_profiles = kb_calloc(2 * OBJECTS, sizeof(float));
}

/* To A its sessions were in the second cluster, and more than that one had itself. */
static void a_retired_cluster_comes_back(void **state)
{
    (void)state;
    struct pair p;
    pair_start(&p, three, 3, four, 3);
    retire(p.a);
    say(&p.s, 1, 4, 50);
    say(&p.s, 2, 5, 20);
    say(&p.s, 3, 0, 4);
    say_retired(&p.s, 2, 6, 25, 9);
    say_retired(&p.s, 0, 6, 5, 9);
    say_retired(&p.s, 1, 4, 2, 9);
    compare(&p, 0, NULL);
    expect(&p, 1, 4, KB_CHANGE_SAME);
    expect(&p, 2, 5, KB_CHANGE_SHRUNK);
    expect(&p, 9, 6, KB_CHANGE_BACK);
    assert_near(row(&p, 9, 6)->jaccard, 30. / 32);
    assert_near(row(&p, 9, 6)->share_a, 0);
    memset(p.s.retired, 0, sizeof p.s.retired);
    compare(&p, 0, NULL);
    expect(&p, 2, 6, KB_CHANGE_SPLIT);
    pair_end(&p);
}

static void one_model_is_compared_by_number(void **state)
{
    (void)state;
    struct pair p;
    pair_start(&p, three, 3, NULL, 0);
    say(&p.s, 1, 0, 100);
    say(&p.s, 2, 0, 100);
    say(&p.s, 1, 0, 100);
    say(&p.s, 3, 0, 70);
    say(&p.s, 0, 0, 30);
    compare(&p, 200, NULL);
    assert_int_equal(p.c.kind, KB_MATCH_NUMBER);
    assert_int_equal(p.c.count, 4);
    expect(&p, 1, 1, KB_CHANGE_SAME);
    expect(&p, 2, 2, KB_CHANGE_GONE);
    expect(&p, 3, 3, KB_CHANGE_BACK);
    expect(&p, 0, 0, KB_CHANGE_GROWN);
    assert_true(isnan(row(&p, 1, 1)->jaccard));
    pair_end(&p);
}

static void sessions_without_a_cluster_do_not_count(void **state)
{
    (void)state;
    struct pair p;
    pair_start(&p, three, 3, four, 3);
    say(&p.s, 1, 4, 5);
    p.s.a[4].cluster = p.s.b[4].cluster = 0;
    compare(&p, 0, NULL);
    assert_int_equal(p.c.total_a, 4);
    assert_int_equal(row(&p, 1, 4)->sessions_a, 4);
    assert_int_equal(row(&p, 1, 4)->shared, 4);
    pair_end(&p);
}

/* --- by profiles -------------------------------------------------------------------------- */
static void set_profile(kb_model *m, size_t cluster, size_t object, float level, float growth)
{
    size_t width = 2 * kb_features_objects(m->features);
    if (!m->lineage.profiles)
        m->lineage.profiles = kb_calloc(m->clusters * width, sizeof(float));
    m->lineage.profiles[cluster * width + 2 * object] = level;
    m->lineage.profiles[cluster * width + 2 * object + 1] = growth;
}

static void compare_models(struct pair *p)
{
    const kb_comparison_options options = kb_comparison_defaults();
    const kb_side a = {.model = p->a}, b = {.model = p->b};
    assert_int_equal(kb_compare(&p->c, &a, &b, &options, NULL), KB_OK);
}

/* Object by object, though B lacks the first of A's. */
static void models_alone_are_compared_by_what_their_clusters_look_like(void **state)
{
    (void)state;
    struct pair p = {.a = make_model(three, 3, 0, 3), .b = make_model(four, 3, 1, 3)};
    set_profile(p.a, 0, 0, 5, 0);
    set_profile(p.a, 1, 1, 4, 1);
    set_profile(p.a, 2, 2, 3, 3);
    set_profile(p.b, 0, 1, 3, 2.8F); /* c */
    set_profile(p.b, 1, 0, 4.2F, 1); /* b */
    set_profile(p.b, 2, 2, 6, 0);    /* d */
    p.a->cluster[2].size = 40;
    p.b->cluster[1].size = 40;
    compare_models(&p);
    assert_int_equal(p.c.kind, KB_MATCH_PROFILES);
    assert_int_equal(p.c.total_a, 60);
    expect(&p, 3, 4, KB_CHANGE_SHRUNK);
    expect(&p, 2, 5, KB_CHANGE_GROWN);
    expect(&p, 1, 0, KB_CHANGE_GONE);
    expect(&p, 0, 6, KB_CHANGE_NEW);
    assert_int_equal(p.c.count, 4);
    assert_true(row(&p, 3, 4)->similarity > .8);
    pair_end(&p);
}

static void a_retired_cluster_is_known_by_its_profile(void **state)
{
    (void)state;
    struct pair p;
    pair_start(&p, three, 2, four, 3);
    set_profile(p.a, 0, 0, 5, 0);
    set_profile(p.a, 1, 1, 5, 0);
    retire(p.a);
    p.a->lineage.retired_profiles[4] = 5;
    set_profile(p.b, 0, 2, 5, 0);
    set_profile(p.b, 1, 0, 5, 0);
    set_profile(p.b, 2, 1, 5, 0);
    compare_models(&p);
    expect(&p, 9, 4, KB_CHANGE_BACK);
    expect(&p, 1, 5, KB_CHANGE_SAME);
    expect(&p, 2, 6, KB_CHANGE_SAME);
    kb_comparison_clear(&p.c);
    p.a->lineage.retired[0].profiled = false;
    compare_models(&p);
    expect(&p, 0, 4, KB_CHANGE_NEW);
    pair_end(&p);
}

static void models_without_profiles_need_a_corpus(void **state)
{
    (void)state;
    struct pair p;
    kb_error err;
    const kb_comparison_options options = kb_comparison_defaults();
    pair_start(&p, three, 3, four, 3);
    set_profile(p.a, 0, 0, 1, 1);
    const kb_side a = {.model = p.a}, b = {.model = p.b};
    assert_int_equal(kb_compare(&p.c, &a, &b, &options, &err), KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "second model has no profiles"));
    p.a->clusters = 0;
    assert_int_equal(kb_compare(&p.c, &a, &b, &options, &err), KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "first model has no clusters"));
    p.a->clusters = 3;
    pair_end(&p);
}

/* --- names -------------------------------------------------------------------------------- */
static void names_go_along_with_partners_only(void **state)
{
    (void)state;
    const uint32_t two[] = {8, 9};
    struct pair p;
    bool carried[8];
    pair_start(&p, two, 2, four, 3);
    say(&p.s, 8, 4, 60);
    say(&p.s, 8, 5, 40);
    say(&p.s, 9, 6, 50);
    compare(&p, 0, NULL);
    assert_int_equal(kb_model_set_cluster_name(p.a, 8, "eight", NULL), KB_OK);
    assert_int_equal(kb_model_set_cluster_name(p.a, 9, "nine", NULL), KB_OK);
    assert_int_equal(kb_model_set_cluster_name(p.a, 7, "seven", NULL), KB_ERR_USAGE);
    assert_int_equal(kb_model_set_cluster_name(p.b, 6, "six", NULL), KB_OK);
    assert_int_equal(kb_carry_names(p.b, p.a, &p.c, carried, NULL), KB_OK);
    assert_string_equal(kb_model_cluster_name(p.b, 4), "eight");
    assert_string_equal(kb_model_cluster_name(p.b, 5), "");
    assert_string_equal(kb_model_cluster_name(p.b, 6), "six");
    assert_true(carried[0]);
    assert_false(carried[1] || carried[2] || carried[3]);
    pair_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clusters_with_the_same_members_are_the_same_whatever_their_numbers),
        cmocka_unit_test(a_cluster_that_gains_sessions_has_grown),
        cmocka_unit_test(different_sessions_are_tested_as_such),
        cmocka_unit_test(clusters_go_and_others_are_new),
        cmocka_unit_test(a_cluster_is_split_and_two_are_merged),
        cmocka_unit_test(what_one_corpus_lacks_is_neither_merged_nor_split),
        cmocka_unit_test(a_retired_cluster_comes_back),
        cmocka_unit_test(one_model_is_compared_by_number),
        cmocka_unit_test(sessions_without_a_cluster_do_not_count),
        cmocka_unit_test(models_alone_are_compared_by_what_their_clusters_look_like),
        cmocka_unit_test(a_retired_cluster_is_known_by_its_profile),
        cmocka_unit_test(models_without_profiles_need_a_corpus),
        cmocka_unit_test(names_go_along_with_partners_only),
    };
    return cmocka_run_group_tests_name("comparison", tests, NULL, NULL);
}
