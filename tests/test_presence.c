/* presence: the published table of F values, and the counting behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "presence.h"

/* Table 2 of the KabOOM paper (ICSE-SEIP 2022). Its percentages are rounded themselves, hence the
 * tolerance of one unit in the last place. Object F of cluster 2 (.42, .53) is left out: it is
 * printed with F .53, where the formula that all the others follow gives .47. */
static void f_reproduces_the_published_table(void **state)
{
    (void)state;
    static const struct {
        const char *object;
        double presence, other, f1;
    } rows[] = {
        {"1A", .50, .12, .62}, {"1B", .38, .17, .58}, {"1C", .42, .30, .53}, {"2D", .72, .08, .64},
        {"2E", .41, .17, .59}, {"3G", .12, .01, .64}, {"3H", .35, .25, .54}, {"3I", .12, .13, .49},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double f1 = round(kb_presence_f1(rows[i].presence, rows[i].other) * 100) / 100;
        if (fabs(f1 - rows[i].f1) > .01 + 1e-9)
            fail_msg("object %s: %.2f instead of %.2f", rows[i].object, f1, rows[i].f1);
    }
}

static void f_of_nothing_is_zero(void **state)
{
    (void)state;
    assert_true(kb_presence_f1(0, 0) == 0);
    assert_true(kb_presence_f1(0, .7) == 0);
    assert_true(fabs(kb_presence_f1(.3, 0) - 2.0 / 3) < 1e-15);
    assert_true(fabs(kb_presence_f1(1, 1) - .5) < 1e-15);
}

/* Sessions a to e; "zero" is never present though it has rows, "tie1" and "tie2" go together,
 * session e is all zeros. */
static const char METRICS[] = "session,time,object,value\n"
                              "a,1,everywhere,4\na,2,everywhere,5\na,1,leak,1\na,2,zero,0\n"
                              "b,1,everywhere,4\nb,2,leak,9\nb,1,tie2,1\nb,1,tie1,1\n"
                              "c,1,everywhere,4\nc,1,leak,0\nc,2,leak,3\n"
                              "d,1,everywhere,4\nd,1,outside,2\n"
                              "e,1,everywhere,0\ne,2,leak,0\n";

static kb_corpus *load(const char *text)
{
    const char *folder = getenv("TMPDIR");
    char path[256];
    snprintf(path, sizeof path, "%s/kb-presence-%ld.csv", folder ? folder : "/tmp", (long)getpid());
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    kb_corpus_options options = kb_corpus_defaults();
    kb_corpus *corpus;
    kb_error err;
    if (kb_corpus_load(&corpus, path, &options, NULL, &err))
        fail_msg("%s", err.text);
    unlink(path);
    return corpus;
}

/* The presence in the sessions whose (one-letter) names are in MEMBERS, among those in CONSIDERED
 * (NULL: the default). */
static kb_presence presence_of(const kb_corpus *corpus, const char *members, const char *considered)
{
    bool member[8] = {false}, part[8] = {false};
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++) {
        char letter = kb_corpus_session(corpus, s)->name[0];
        member[s] = strchr(members, letter) != NULL;
        part[s] = considered && strchr(considered, letter) != NULL;
    }
    kb_presence presence;
    assert_int_equal(kb_presence_of(&presence, corpus, member, considered ? part : NULL, NULL),
                     KB_OK);
    return presence;
}

static void assert_row(const kb_corpus *corpus, const kb_presence *presence, size_t i,
                       const char *object, unsigned inside, unsigned outside)
{
    assert_true(i < presence->count);
    const kb_presence_row *row = &presence->rows[i];
    assert_string_equal(kb_store_object_name(kb_corpus_store(corpus), row->object), object);
    assert_int_equal(row->inside, inside);
    assert_int_equal(row->outside, outside);
    double p = inside / (double)presence->set_size;
    double q = presence->rest_size ? outside / (double)presence->rest_size : 0;
    assert_true(fabs(row->presence - p) < 1e-12);
    assert_true(fabs(row->other - q) < 1e-12);
    assert_true(fabs(row->f1 - p / (p + (p + q) / 2)) < 1e-12);
}

static void objects_are_ranked_by_f_then_presence_then_name(void **state)
{
    (void)state;
    kb_corpus *corpus = load(METRICS);
    kb_presence presence = presence_of(corpus, "ab", NULL);
    assert_int_equal(presence.set_size, 2);
    assert_int_equal(presence.rest_size, 3);
    /* tie1 and tie2: F 2/3; leak: 1/(1 + (1 + 1/3)/2) = .6; everywhere: 1/(1 + (1 + 2/3)/2) = .545
     */
    assert_int_equal(presence.count, 4);
    assert_row(corpus, &presence, 0, "tie1", 1, 0);
    assert_row(corpus, &presence, 1, "tie2", 1, 0);
    assert_row(corpus, &presence, 2, "leak", 2, 1);
    assert_row(corpus, &presence, 3, "everywhere", 2, 2);
    kb_presence_clear(&presence);
    kb_corpus_free(corpus);
}

static void equal_f_puts_the_more_present_first(void **state)
{
    (void)state;
    kb_corpus *corpus = load("session,time,object,value\n"
                             "a,1,half,1\na,1,whole,1\nb,1,whole,1\nc,1,beside,1\n");
    kb_presence presence = presence_of(corpus, "ab", NULL);
    assert_int_equal(presence.count, 2);
    assert_row(corpus, &presence, 0, "whole", 2, 0);
    assert_row(corpus, &presence, 1, "half", 1, 0);
    kb_presence_clear(&presence);
    kb_corpus_free(corpus);
}

static void zeros_are_not_presence(void **state)
{
    (void)state;
    kb_corpus *corpus = load(METRICS);
    kb_presence presence = presence_of(corpus, "e", NULL);
    assert_int_equal(presence.set_size, 1);
    assert_int_equal(presence.count, 0);
    kb_presence_clear(&presence);
    kb_corpus_free(corpus);
}

static void only_considered_sessions_take_part(void **state)
{
    (void)state;
    kb_corpus *corpus = load(METRICS);
    kb_presence presence = presence_of(corpus, "ab", "bcd");
    assert_int_equal(presence.set_size, 1);
    assert_int_equal(presence.rest_size, 2);
    assert_int_equal(presence.count, 4);
    assert_row(corpus, &presence, 2, "leak", 1, 1);
    kb_presence_clear(&presence);
    kb_corpus_free(corpus);
}

static void an_empty_rest_has_no_presence(void **state)
{
    (void)state;
    kb_corpus *corpus = load(METRICS);
    kb_presence presence = presence_of(corpus, "abcde", NULL);
    assert_int_equal(presence.rest_size, 0);
    assert_int_equal(presence.count, 5);
    assert_row(corpus, &presence, 0, "everywhere", 4, 0);
    assert_row(corpus, &presence, 1, "leak", 3, 0);
    assert_row(corpus, &presence, 2, "outside", 1, 0);
    kb_presence_clear(&presence);
    kb_corpus_free(corpus);
}

static void an_empty_set_has_no_objects(void **state)
{
    (void)state;
    kb_corpus *corpus = load(METRICS);
    kb_presence presence = presence_of(corpus, "", NULL);
    assert_int_equal(presence.set_size, 0);
    assert_int_equal(presence.rest_size, 5);
    assert_int_equal(presence.count, 0);
    kb_presence_clear(&presence);
    kb_corpus_free(corpus);
}

/* Only the window counts: what was there before the last t steps is not present. */
static void presence_is_that_of_the_window(void **state)
{
    (void)state;
    char text[8192];
    size_t used = (size_t)snprintf(text, sizeof text, "session,time,object,value\na,0,early,7\n");
    for (int i = 1; i <= 100; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "a,%d,late,1\n", i);
    kb_corpus *corpus = load(text);
    kb_presence presence = presence_of(corpus, "a", NULL);
    assert_int_equal(presence.count, 1);
    assert_row(corpus, &presence, 0, "late", 1, 0);
    kb_presence_clear(&presence);
    kb_corpus_free(corpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f_reproduces_the_published_table),
        cmocka_unit_test(f_of_nothing_is_zero),
        cmocka_unit_test(objects_are_ranked_by_f_then_presence_then_name),
        cmocka_unit_test(equal_f_puts_the_more_present_first),
        cmocka_unit_test(zeros_are_not_presence),
        cmocka_unit_test(only_considered_sessions_take_part),
        cmocka_unit_test(an_empty_rest_has_no_presence),
        cmocka_unit_test(an_empty_set_has_no_objects),
        cmocka_unit_test(presence_is_that_of_the_window),
    };
    return cmocka_run_group_tests_name("presence", tests, NULL, NULL);
}
