/* tally: sessions, users, days and versions counted by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "corpus_files.h"
#include "fdr.h"
#include "memory.h"
#include "model_private.h"
#include "tally.h"
#include "trend.h"

enum { SESSIONS = 10 };

/* Sessions a to i, of which the first reading is a day before the last; j has no rows. */
static const char READINGS[] = "session,time,object,value\n"
                               "a,2026-02-27T23:00:00Z,o,1\na,2026-02-28T23:59:59Z,o,1\n"
                               "b,2026-03-01T00:00:00Z,o,1\n"
                               "c,2026-03-01T12:00:00Z,o,1\n"
                               "d,2026-03-01T23:59:59.9Z,o,1\n"
                               "e,2024-02-29T01:00:00Z,o,1\n"
                               "f,2026-03-01T01:00:00Z,o,1\n"
                               "g,1969-12-31T23:59:59Z,o,1\n"
                               "h,2026-03-01T05:00:00Z,o,1\n"
                               "i,2026-02-28T05:00:00Z,o,1\n";
static const char LISTING[] = "session,user,version\n"
                              "a,u1,3.9\nb,u1,3.10\nc,u2,3.10\nd,,3.9\ne,u1,3.10.1\nf,u3,\n"
                              "g,u2,3.9\nh,u9,3.10\ni,u2,3.9\nj,u1,3.9\n";
static const uint32_t cluster_of[SESSIONS] = {1, 1, 1, 1, 1, 2, 2, 2, 1, 0};

struct fixture {
    kb_corpus *corpus;
    kb_model *model;
    size_t ids[SESSIONS];
    kb_assignment assigned[SESSIONS];
};

static void load(struct fixture *f, const char *readings)
{
    char folder[256];
    kb_error err = {0};
    kb_corpus_options options = kb_corpus_defaults();
    make_folder(folder, sizeof folder);
    write_text(folder, "metrics.csv", readings);
    write_text(folder, "sessions.csv", LISTING);
    if (kb_corpus_load(&f->corpus, folder, &options, NULL, &err))
        fail_msg("%s", err.text);
    remove_folder(folder);
}

/* Clusters 1, 2 and 7, which is empty; h is emerging. */
static void start(struct fixture *f, const char *readings)
{
    *f = (struct fixture){.model = kb_model_create()};
    kb_cluster *clusters = kb_calloc(3, sizeof *clusters);
    clusters[0].number = 1;
    clusters[1].number = 2;
    clusters[2].number = 7;
    kb_model_set_clusters(f->model, 3, clusters, NULL);
    load(f, readings);
    assert_int_equal(kb_corpus_sessions(f->corpus), SESSIONS);
    for (size_t i = 0; i < SESSIONS; i++) {
        f->ids[i] = i;
        f->assigned[i] = (kb_assignment){.cluster = cluster_of[i], .emerging = i == 7};
    }
}

static void end(struct fixture *f)
{
    kb_corpus_free(f->corpus);
    kb_model_free(f->model);
}

static void tally(struct fixture *f, kb_tally *out, kb_tally_options options)
{
    assert_int_equal(
        kb_tally_of(out, f->model, f->corpus, f->ids, f->assigned, SESSIONS, &options, NULL),
        KB_OK);
}

static void expect_groups(const kb_tally *t, const char *const *names, const size_t *sessions,
                          size_t count)
{
    assert_int_equal(t->group_count, count);
    for (size_t g = 0; g < count; g++) {
        assert_string_equal(t->groups[g].name, names[g]);
        assert_int_equal(t->groups[g].sessions, sessions[g]);
    }
}

static void sessions_and_users_are_counted(void **state)
{
    (void)state;
    struct fixture f;
    kb_tally t;
    start(&f, READINGS);
    tally(&f, &t, (kb_tally_options){.by = KB_BY_VERSION});
    const size_t sessions[] = {6, 2, 0, 1}, emerging[] = {0, 1, 0, 1}, users[] = {2, 2, 0, 1};
    const uint32_t numbers[] = {1, 2, 7, 0};
    assert_int_equal(t.sessions, 9);
    assert_int_equal(t.row_count, 4);
    for (size_t r = 0; r < 4; r++) {
        assert_int_equal(t.rows[r].cluster, numbers[r]);
        assert_int_equal(t.rows[r].sessions, sessions[r]);
        assert_int_equal(t.rows[r].emerging, emerging[r]);
        assert_int_equal(t.rows[r].users, users[r]);
        assert_true(fabs(t.rows[r].share - (double)sessions[r] / 9) < 1e-15);
        assert_true(t.rows[r].interval.low <= t.rows[r].share);
    }
    kb_tally_clear(&t);
    end(&f);
}

static void versions_come_in_their_order_and_unknown_ones_last(void **state)
{
    (void)state;
    struct fixture f;
    kb_tally t;
    start(&f, READINGS);
    tally(&f, &t, (kb_tally_options){.by = KB_BY_VERSION});
    const char *const names[] = {"3.9", "3.10", "3.10.1", ""};
    const size_t sessions[] = {4, 3, 1, 1};
    expect_groups(&t, names, sessions, 4);
    const kb_tally_cell *cells = t.rows[0].cells;
    assert_int_equal(cells[0].sessions, 3);
    assert_int_equal(cells[0].users, 2);
    assert_int_equal(cells[1].sessions, 2);
    assert_int_equal(cells[1].users, 2);
    assert_int_equal(cells[2].sessions, 1);
    assert_int_equal(cells[3].sessions, 0);
    /* The trend leaves out what is not known. */
    const int64_t ranks[] = {0, 1, 2};
    const uint64_t hits[] = {3, 2, 1}, totals[] = {4, 3, 1};
    kb_share_test test;
    assert_int_equal(kb_cochran_armitage(&test, ranks, hits, totals, 3, NULL), KB_OK);
    assert_true(fabs(t.rows[0].trend.statistic - test.statistic) < 1e-12);
    assert_true(fabs(t.rows[0].trend.p - test.p) < 1e-12);
    assert_true(isnan(t.rows[2].trend.p) && isnan(t.rows[2].q));
    double ps[4], qs[4];
    for (size_t r = 0; r < 4; r++)
        ps[r] = t.rows[r].trend.p;
    assert_int_equal(kb_fdr(qs, ps, 4, NULL), KB_OK);
    assert_true(fabs(t.rows[0].q - qs[0]) < 1e-15 && fabs(t.rows[3].q - qs[3]) < 1e-15);
    kb_tally_clear(&t);
    tally(&f, &t, (kb_tally_options){.by = KB_BY_VERSION, .trend = KB_TREND_ANY});
    assert_true(fabs(t.rows[0].trend.p - kb_chi_square_shares(hits, totals, 3).p) < 1e-12);
    kb_tally_clear(&t);
    end(&f);
}

static void days_are_those_of_the_calendar(void **state)
{
    (void)state;
    struct fixture f;
    kb_tally t;
    start(&f, READINGS);
    tally(&f, &t, (kb_tally_options){.by = KB_BY_DAY});
    const char *const names[] = {"1969-12-31", "2024-02-29", "2026-02-28", "2026-03-01"};
    const size_t sessions[] = {1, 1, 2, 5};
    expect_groups(&t, names, sessions, 4);
    assert_int_equal(t.groups[0].score, -1);
    assert_int_equal(t.groups[3].score - t.groups[2].score, 1);
    kb_tally_clear(&t);
    end(&f);
}

/* The same moment in several units. */
static void units_are_told_by_size(void **state)
{
    (void)state;
    static const char *const times[] = {"1772366400", "1772366400000", "1772366400000000",
                                        "1772366400000000000"};
    for (unsigned u = 0; u < 4; u++) {
        struct fixture f;
        kb_tally t;
        char text[512] = "session,time,object,value\n";
        for (char s = 'a'; s < 'j'; s++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%c,%s,o,1\n", s, times[u]);
        const char *const names[] = {"2026-03-01"};
        const size_t sessions[] = {9};
        start(&f, text);
        tally(&f, &t, (kb_tally_options){.by = KB_BY_DAY});
        expect_groups(&t, names, sessions, 1);
        kb_tally_clear(&t);
        tally(&f, &t,
              (kb_tally_options){.by = KB_BY_DAY, .unit = (kb_time_unit)(KB_UNIT_SECONDS + u)});
        expect_groups(&t, names, sessions, 1);
        kb_tally_clear(&t);
        end(&f);
    }
}

static void counters_are_no_dates(void **state)
{
    (void)state;
    struct fixture f;
    kb_tally t;
    const char *const names[] = {""};
    const size_t sessions[] = {9};
    start(&f, "session,time,object,value\na,0,o,1\nb,1,o,1\nc,2,o,1\nd,99999,o,1\ne,5,o,1\n"
              "f,5,o,1\ng,-100000,o,1\nh,5,o,1\ni,5,o,1\n");
    tally(&f, &t, (kb_tally_options){.by = KB_BY_DAY});
    expect_groups(&t, names, sessions, 1);
    assert_true(isnan(t.rows[0].trend.p));
    kb_tally_clear(&t);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_and_users_are_counted),
        cmocka_unit_test(versions_come_in_their_order_and_unknown_ones_last),
        cmocka_unit_test(days_are_those_of_the_calendar),
        cmocka_unit_test(units_are_told_by_size),
        cmocka_unit_test(counters_are_no_dates),
    };
    return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
