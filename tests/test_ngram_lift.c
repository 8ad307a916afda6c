/* ngram_lift, session_join, folding: against pandas, SciPy and statsmodels, and rules by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus_draft.h"
#include "corpus_files.h"
#include "memory.h"
#include "ngram_lift.h"
#include "session_join.h"

struct expected {
    uint32_t group;
    const char *gram;
    uint64_t count, users, sessions;
    double share, other, p, q;
};

#include "lifts.inc"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- lifts --------------------------------------------------------------------------------- */

static kb_events *load_events(const char *path)
{
    kb_problems *problems = kb_problems_create((kb_problem_listener){0});
    kb_events *events;
    kb_error err;
    kb_file file = {.path = (char *)(uintptr_t)path, .kind = KB_FILE_EVENTS};
    kb_reading reading = {.strict = true, .problems = problems};
    if (kb_events_load(&events, &file, 1, NULL, &reading, &err))
        fail_msg("%s", err.text);
    kb_problems_free(problems);
    return events;
}

/* A log whose sessions are called GROUP:NUMBER, and what lifts need of it. */
struct trial {
    kb_events *events;
    kb_truncations truncations;
    size_t *sessions;
    uint32_t *groups;
};

static void trial_begin(struct trial *t, const char *path)
{
    kb_truncation_options starts = {.start = "S", .end = "E"};
    t->events = load_events(path);
    assert_int_equal(kb_truncations_find(&t->truncations, t->events, NULL, &starts, NULL, NULL), 0);
    t->sessions = kb_calloc(t->truncations.count, sizeof *t->sessions);
    t->groups = kb_calloc(kb_events_sessions(t->events), sizeof *t->groups);
    for (size_t i = 0; i < t->truncations.count; i++) {
        const kb_truncation *at = &t->truncations.items[i];
        size_t length;
        uint32_t session = kb_events_of(t->events, at->user, &length)[at->start - 1].session;
        t->sessions[i] = session == KB_NAME_NONE ? SIZE_MAX : session;
    }
    for (uint32_t s = 0; s < kb_events_sessions(t->events); s++)
        t->groups[s] = (uint32_t)strtoul(kb_events_session_name(t->events, s), NULL, 10);
}

static void trial_end(struct trial *t)
{
    kb_events_free(t->events);
    kb_truncations_clear(&t->truncations);
    free(t->sessions);
    free(t->groups);
}

static kb_status find_lifts(kb_lifts *out, const struct trial *t, size_t groups, size_t least,
                            size_t most, double fold, size_t support, const kb_progress *progress)
{
    kb_lift_input input = {t->events, &t->truncations, t->sessions, t->groups, groups};
    kb_lift_options options = {{.least = least, .most = most, .fold = fold}, .support = support};
    return kb_lifts_of(out, &input, &options, progress, NULL);
}

/* "e0 e1", an empty event as "-". */
static const char *gram_text(const struct trial *t, const kb_lifts *lifts, const kb_lift_row *row)
{
    static char text[512];
    size_t used = 0;
    for (size_t e = 0; e < lifts->width; e++)
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%s%s", e ? " " : "",
            row->events[e] == KB_NAME_NONE ? "-" : kb_events_kind_name(t->events, row->events[e]));
    return text;
}

static const kb_lift_row *find_row(const struct trial *t, const kb_lifts *lifts, uint32_t group,
                                   const char *gram)
{
    for (size_t i = 0; i < lifts->count; i++)
        if (lifts->rows[i].group == group && !strcmp(gram_text(t, lifts, &lifts->rows[i]), gram))
            return &lifts->rows[i];
    return NULL;
}

static void assert_near(double found, double wanted, const char *what, const char *gram)
{
    if (!(fabs(found - wanted) <= 1e-9 * wanted))
        fail_msg("%s of %s: %.17g instead of %.17g", what, gram, found, wanted);
}

static void assert_lifts(const struct trial *t, size_t least, size_t most,
                         const struct expected *expected, size_t count, size_t tested)
{
    kb_lifts lifts;
    assert_int_equal(find_lifts(&lifts, t, 3, least, most, 0, 5, NULL), KB_OK);
    assert_int_equal(lifts.count, count);
    assert_int_equal(lifts.tested, tested);
    for (size_t i = 0; i < count; i++) {
        const struct expected *e = &expected[i];
        const kb_lift_row *row = find_row(t, &lifts, e->group, e->gram);
        if (!row)
            fail_msg("no %s in group %u", e->gram, e->group);
        assert_int_equal(row->count, e->count);
        assert_int_equal(row->users, e->users);
        assert_int_equal(row->sessions, e->sessions);
        assert_near(row->share, e->share, "share", e->gram);
        assert_near(row->other, e->other, "other", e->gram);
        assert_near(row->p, e->p, "p", e->gram);
        assert_near(row->q, e->q, "q", e->gram);
        if (e->other > 0)
            assert_near(row->lift, e->share / e->other, "lift", e->gram);
        else
            assert_true(isinf(row->lift));
    }
    kb_lifts_clear(&lifts);
}

static const char *fixture_log(void)
{
    static char path[1024];
    const char *source = getenv("srcdir");
    snprintf(path, sizeof path, "%s/tests/fixtures/ngrams/events.csv", source ? source : ".");
    return path;
}

static void lifts_are_those_of_pandas_and_scipy(void **state)
{
    (void)state;
    struct trial t;
    trial_begin(&t, fixture_log());
    assert_lifts(&t, 3, 3, lifts_of_3, COUNT(lifts_of_3), lifts_of_3_tested);
    assert_lifts(&t, 2, 4, lifts_of_2_to_4, COUNT(lifts_of_2_to_4), lifts_of_2_to_4_tested);
    trial_end(&t);
}

static void what_is_more_common_and_less_probable_comes_first(void **state)
{
    (void)state;
    struct trial t;
    kb_lifts lifts;
    trial_begin(&t, fixture_log());
    assert_int_equal(find_lifts(&lifts, &t, 3, 2, 3, 0, 1, NULL), KB_OK);
    for (size_t i = 1; i < lifts.count; i++) {
        const kb_lift_row *a = &lifts.rows[i - 1], *b = &lifts.rows[i];
        assert_true(a->group <= b->group);
        if (a->group == b->group && (a->lift > 1) == (b->lift > 1))
            assert_true(a->p <= b->p);
        else if (a->group == b->group)
            assert_true(a->lift > 1);
    }
    assert_string_equal(gram_text(&t, &lifts, &lifts.rows[0]), "a b");
    kb_lifts_clear(&lifts);
    trial_end(&t);
}

static void a_row_that_a_longer_one_repeats_is_folded(void **state)
{
    (void)state;
    struct trial t;
    kb_lifts all, kept;
    trial_begin(&t, fixture_log());
    assert_int_equal(find_lifts(&all, &t, 3, 2, 4, 0, 1, NULL), KB_OK);
    assert_int_equal(find_lifts(&kept, &t, 3, 2, 4, .5, 1, NULL), KB_OK);
    assert_int_equal(all.count, kept.count + kept.folded);
    assert_true(kept.folded > 0);
    for (size_t i = 0; i < all.count; i++) {
        const kb_lift_row *row = &all.rows[i];
        bool repeated = false; /* by a longer one that is kept */
        for (size_t k = 0; k < kept.count; k++) {
            const kb_lift_row *other = &kept.rows[k];
            size_t tail = row->n - 1, width = all.width;
            repeated |= other->group == row->group && other->n > row->n &&
                        (double)other->count >= .5 * (double)row->count &&
                        !memcmp(other->events + width - tail, row->events + width - tail,
                                tail * sizeof *row->events);
        }
        char gram[64];
        snprintf(gram, sizeof gram, "%s", gram_text(&t, &all, row));
        assert_int_equal(repeated, !find_row(&t, &kept, row->group, gram));
    }
    kb_lifts_clear(&all);
    kb_lifts_clear(&kept);
    trial_end(&t);
}

/* One user has the habit of "h" and crashes a hundred times, always in group 1. */
static void a_users_habit_is_one_vote(void **state)
{
    (void)state;
    char folder[256], *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    fputs("user,time,event,session\n", f);
    for (int i = 0; i < 100; i++)
        fprintf(f, "habit,%d,h,1:h%d\nhabit,%d,S,1:h%d\n", 2 * i, i, 2 * i + 1, i);
    for (int u = 0; u < 20; u++)
        fprintf(f, "u%d,1,%s,%d:u%d\nu%d,2,S,%d:u%d\n", u, u % 7 ? "x" : "h", 1 + u % 2, u, u,
                1 + u % 2, u);
    fclose(f);
    make_folder(folder, sizeof folder);
    struct trial t;
    trial_begin(&t, write_bytes(folder, "events.csv", text, size));
    kb_lifts lifts;
    assert_int_equal(find_lifts(&lifts, &t, 2, 2, 2, 0, 1, NULL), KB_OK);
    const kb_lift_row *row = find_row(&t, &lifts, 1, "h");
    assert_non_null(row);
    assert_int_equal(row->count, 102);
    assert_int_equal(row->users, 3);
    assert_int_equal(row->sessions, 102);
    assert_true(row->lift > 9);
    assert_true(row->p > .5); /* 3 of 11 against 1 of 10 */
    kb_lifts_clear(&lifts);
    trial_end(&t);
    free(text);
    remove_folder(folder);
}

static void one_group_has_nothing_to_differ_from(void **state)
{
    (void)state;
    struct trial t;
    kb_lifts lifts;
    trial_begin(&t, fixture_log());
    for (uint32_t s = 0; s < kb_events_sessions(t.events); s++)
        t.groups[s] = 2;
    assert_int_equal(find_lifts(&lifts, &t, 4, 3, 3, 0, 5, NULL), KB_OK);
    assert_true(lifts.count > 0);
    for (size_t i = 0; i < lifts.count; i++)
        assert_true(lifts.rows[i].group == 2 && lifts.rows[i].p == 1 && lifts.rows[i].other == 0);
    assert_int_equal(lifts.tested, lifts.count);
    kb_lifts_clear(&lifts);
    for (uint32_t s = 0; s < kb_events_sessions(t.events); s++)
        t.groups[s] = 0;
    assert_int_equal(find_lifts(&lifts, &t, 4, 3, 3, 0, 5, NULL), KB_OK);
    assert_int_equal(lifts.count + lifts.tested, 0);
    kb_lifts_clear(&lifts);
    trial_end(&t);
}

static void rare_rows_come_last_and_are_not_tested(void **state)
{
    (void)state;
    struct trial t;
    kb_lifts with, without;
    trial_begin(&t, fixture_log());
    kb_lift_input input = {t.events, &t.truncations, t.sessions, t.groups, 3};
    kb_lift_options options = {{.least = 3, .most = 3}, .support = 8};
    assert_int_equal(kb_lifts_of(&without, &input, &options, NULL, NULL), KB_OK);
    options.rare = true;
    assert_int_equal(kb_lifts_of(&with, &input, &options, NULL, NULL), KB_OK);
    assert_true(with.rare > 0 && with.rare == without.rare && with.tested == without.tested);
    size_t seen = 0, count[4] = {0};
    bool rare[4] = {false};
    for (size_t i = 0; i < with.count; i++) {
        const kb_lift_row *row = &with.rows[i];
        count[row->group] += row->count;
        assert_true(isnan(row->p) == isnan(row->q) && (isnan(row->p) || !rare[row->group]));
        rare[row->group] |= isnan(row->p);
        if (!isnan(row->p))
            assert_true(row->q == without.rows[seen++].q);
    }
    assert_int_equal(seen, without.count);
    size_t sequences[4] = {0};
    for (size_t i = 0; i < t.truncations.count; i++)
        if (t.sessions[i] != SIZE_MAX)
            sequences[t.groups[t.sessions[i]]]++;
    for (size_t g = 1; g < 4; g++)
        assert_int_equal(count[g], sequences[g]);
    kb_lifts_clear(&with);
    kb_lifts_clear(&without);
    trial_end(&t);
}

static void a_cancelled_count_says_so(void **state)
{
    (void)state;
    struct trial t;
    kb_lifts lifts;
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    trial_begin(&t, fixture_log());
    assert_int_equal(find_lifts(&lifts, &t, 3, 3, 3, 0, 5, &progress), KB_ERR_CANCELLED);
    assert_int_equal(lifts.count, 0);
    trial_end(&t);
}

/* --- joining ------------------------------------------------------------------------------- */

/* Joins the log EVENTS to SESSIONS ("name,user,first,last" each, or "name,user" for one without
 * rows), and expects TEXT: "user@time>session" for each truncated sequence, with the time of its
 * last event and "-" for none, as far as it is joined. */
static kb_joined join_as(const char *events, const char *const *sessions, kb_join_options options,
                         const char *wanted)
{
    char folder[256], *metrics, *listing, text[2048] = "";
    size_t metrics_size, listing_size, used = 0;
    FILE *m = open_memstream(&metrics, &metrics_size), *l = open_memstream(&listing, &listing_size);
    fputs("session,time,object,value\n", m);
    fputs("session,user\n", l);
    for (; *sessions; sessions++) {
        char name[32], user[32];
        double first, last;
        int fields = sscanf(*sessions, "%31[^,],%31[^,],%lf,%lf", name, user, &first, &last);
        fprintf(l, "%s,%s\n", name, user);
        if (fields == 4)
            fprintf(m, "%s,%.17g,x,1\n%s,%.17g,x,1\n", name, first, name, last);
    }
    fclose(m);
    fclose(l);
    make_folder(folder, sizeof folder);
    write_bytes(folder, "metrics.csv", metrics, metrics_size);
    write_bytes(folder, "sessions.csv", listing, listing_size);
    write_bytes(folder, "events.csv", events, strlen(events));
    kb_corpus *corpus;
    kb_corpus_options reading = kb_corpus_defaults();
    kb_error err;
    if (kb_corpus_load(&corpus, folder, &reading, NULL, &err))
        fail_msg("%s", err.text);
    kb_truncation_options starts = {.start = "S", .end = "E"};
    kb_truncations t;
    kb_joined joined;
    const kb_events *log = kb_corpus_events(corpus);
    assert_int_equal(kb_truncations_find(&t, log, NULL, &starts, NULL, NULL), KB_OK);
    assert_int_equal(kb_join_sessions(&joined, corpus, &t, "S", "E", &options, NULL, NULL), KB_OK);
    size_t none = 0;
    for (size_t i = 0; i < t.count; i++) {
        size_t length;
        const kb_event *items = kb_events_of(log, t.items[i].user, &length);
        none += joined.sessions[i] == SIZE_MAX;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s@%g>%s", i ? " " : "",
                                 kb_events_user_name(log, t.items[i].user),
                                 kb_time_to_double(items[t.items[i].start - 1].time),
                                 joined.sessions[i] == SIZE_MAX
                                     ? "-"
                                     : kb_corpus_session(corpus, joined.sessions[i])->name);
    }
    assert_string_equal(text, wanted);
    assert_int_equal(joined.by[KB_JOIN_AUTO], none);
    kb_truncations_clear(&t);
    kb_corpus_free(corpus);
    free(metrics);
    free(listing);
    remove_folder(folder);
    kb_joined copy = joined;
    copy.sessions = NULL;
    kb_joined_clear(&joined);
    return copy;
}

#define SESSIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const kb_join_options AUTO = {KB_JOIN_AUTO, 10}, BY_TIME = {KB_JOIN_TIME, 10},
                             BY_ORDER = {KB_JOIN_ORDER, 10}, BY_NAME = {KB_JOIN_NAME, 10};

/* The START that follows a crash is the next session's. */
static void the_last_event_that_names_a_session_tells(void **state)
{
    (void)state;
    static const char log[] =
        "user,time,event,session\nu,1,S,a\nu,2,x,a\nu,3,y,\nu,4,S,b\nu,5,x,b\n"
        "u,6,S,c\nu,7,x,elsewhere\nu,8,S,\nu,9,x,\nu,10,S,a\n";
    kb_joined j =
        join_as(log, SESSIONS("a,v,1,10", "b,u", "c,u,6,12"), BY_NAME, "u@3>a u@5>b u@7>- u@9>-");
    assert_int_equal(j.by[KB_JOIN_NAME], 2);
    /* Without a name, time says it; with a foreign name, nothing does. */
    j = join_as(log, SESSIONS("a,v,1,10", "b,u", "c,u,6,12"), AUTO, "u@3>a u@5>b u@7>- u@9>c");
    assert_int_equal(j.by[KB_JOIN_TIME], 1);
}

static void a_sequence_inside_a_session_belongs_to_it(void **state)
{
    (void)state;
    static const char log[] = "user,time,event\nu,10,x\nu,11,S\nu,20,x\nu,21,S\nu,30,x\nu,31,S\n"
                              "v,20,x\nv,21,S\n";
    join_as(log, SESSIONS("a,u,5,30"), BY_TIME, "u@10>a u@20>a u@30>a v@20>-");
    join_as(log, SESSIONS("long,u,5,99", "short,u,15,20", "other,v,1,20"), BY_TIME,
            "u@10>long u@20>short u@30>long v@20>other");
    join_as(log, SESSIONS("b,u,5,20", "a,u,6,20", "c,u,21,21"), BY_TIME,
            "u@10>a u@20>a u@30>c v@20>-");
    join_as(log, SESSIONS("late,u,10,25", "early,u,1,25"), BY_TIME,
            "u@10>early u@20>early u@30>late v@20>-");
}

static void outside_the_nearest_ends_belong_together(void **state)
{
    (void)state;
    static const char log[] = "user,time,event\nu,100,x\nu,101,S\nu,104,x\nu,105,S\nu,200,x\n"
                              "u,201,S\n";
    /* Sampled too seldom to reach the crash; the next session begins at once. */
    join_as(log, SESSIONS("a,u,50,95", "b,u,106,192"), BY_TIME, "u@100>a u@104>- u@200>b");
    join_as(log, SESSIONS("a,u,50,95", "b,u,40,98"), BY_TIME, "u@100>b u@104>- u@200>-");
    join_as(log, SESSIONS("a,u,50,60", "b,u,206,210"), BY_TIME, "u@100>- u@104>- u@200>b");
    join_as(log, SESSIONS("a,u,50,60", "b,u,206,211"), BY_TIME, "u@100>- u@104>- u@200>-");
    /* Between two: the earlier. */
    join_as(log, SESSIONS("a,u,102,102"), BY_TIME, "u@100>a u@104>- u@200>-");
    join_as(log, SESSIONS("a,u,98,98", "b,u,102,102"), BY_TIME, "u@100>a u@104>- u@200>-");
}

static void a_constant_skew_is_taken_away(void **state)
{
    (void)state;
    char log[1024] = "user,time,event\n";
    for (int u = 0; u < 5; u++)
        sprintf(log + strlen(log), "u%d,%d,x\nu%d,%d,S\n", u, 1000 + 37 * u, u, 1001 + 37 * u);
    strcat(log, "w,1000,x\nw,1001,S\nw,4000,x\nw,4001,S\n");
    kb_joined j =
        join_as(log,
                SESSIONS("s0,u0,6990,7000", "s1,u1,6990,7037", "s2,u2,6990,7077", "s3,u3,6990,7111",
                         "s4,u4,6990,7150", "a,w,6900,7001", "b,w,9900,10003"),
                BY_TIME,
                "u0@1000>s0 u1@1037>s1 u2@1074>s2 u3@1111>s3 u4@1148>s4 w@1000>a "
                "w@4000>b");
    assert_true(j.skew == 6000);
    /* One user less is not enough to tell. */
    *strstr(log, "u4,1148") = 'w';
    *strstr(log, "u4,1149") = 'w';
    j = join_as(log, SESSIONS("s0,u0,6990,7000", "s1,u1,6990,7037"), BY_TIME,
                "u0@1000>- u1@1037>- u2@1074>- u3@1111>- w@1000>- w@4000>- w4@1148>-");
    assert_true(j.skew == 0);
}

static void times_of_ones_own_leave_the_order(void **state)
{
    (void)state;
    static const char log[] = "user,time,event\nu,1000,S\nu,1001,a\nu,1002,S\nu,1003,E\nu,1004,S\n"
                              "u,1005,b\nu,1006,S\nu,1007,c\nv,1000,S\nv,1001,a\nv,1002,S\n";
    kb_joined j = join_as(log, SESSIONS("s1,u,0,9", "s2,u,0,9", "s3,u,0,9", "t1,v,0,9"), AUTO,
                          "u@1001>s1 u@1005>s2 v@1001>-");
    assert_int_equal(j.by[KB_JOIN_ORDER], 2);
    /* v's last run has begun, and counts. */
    join_as(log, SESSIONS("s1,u,0,9", "s2,u,0,9", "s3,u,0,9", "t1,v,0,9", "t2,v,0,9"), AUTO,
            "u@1001>s1 u@1005>s2 v@1001>t1");
    join_as(log, SESSIONS("s1,u,999,1001", "s2,u,1,1005", "s3,u,0,9"), BY_ORDER,
            "u@1001>s1 u@1005>s2 v@1001>-");
}

static void equal_times_keep_the_order_of_the_file(void **state)
{
    (void)state;
    static const char log[] =
        "user,time,event,session\nu,1,S,a\nu,1,x,a\nu,1,S,b\nu,1,y,b\nu,1,S,c\n";
    join_as(log, SESSIONS("a,u,1,1", "b,u,1,1"), BY_NAME, "u@1>a u@1>b");
    join_as(log, SESSIONS("a,u,1,1", "b,u,1,1"), BY_TIME, "u@1>a u@1>a");
}

/* A user whose log is long, and who has many sessions: each sequence lies in one. */
static void a_user_with_100_000_events_is_joined(void **state)
{
    (void)state;
    enum { RUNS = 25000 };
    corpus_draft draft;
    begin_draft(&draft, "user,time,event");
    FILE **f = draft.files;
    for (int r = 0; r < RUNS; r++) {
        fprintf(f[0], "u,%d,S\nu,%d,a\nu,%d,b\nu,%d,c\n", 10 * r, 10 * r + 1, 10 * r + 2,
                10 * r + 3);
        fprintf(f[1], "s%05d,u\n", r);
        fprintf(f[2], "s%05d,%d,x,1\ns%05d,%d,x,1\n", r, 10 * r, r, 10 * r + (r % 2 ? 3 : 4));
    }
    kb_corpus *corpus = load_draft(&draft);
    kb_truncation_options starts = {.start = "S", .end = "E"};
    kb_truncations t;
    kb_joined joined;
    kb_join_options options = kb_join_defaults();
    assert_int_equal(kb_truncations_find(&t, kb_corpus_events(corpus), NULL, &starts, NULL, NULL),
                     KB_OK);
    assert_int_equal(kb_join_sessions(&joined, corpus, &t, "S", "E", &options, NULL, NULL), KB_OK);
    assert_int_equal(t.count, RUNS - 1);
    for (size_t i = 0; i < t.count; i++)
        assert_int_equal(joined.sessions[i], i);
    kb_joined_clear(&joined);
    kb_truncations_clear(&t);
    kb_corpus_free(corpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lifts_are_those_of_pandas_and_scipy),
        cmocka_unit_test(what_is_more_common_and_less_probable_comes_first),
        cmocka_unit_test(a_row_that_a_longer_one_repeats_is_folded),
        cmocka_unit_test(a_users_habit_is_one_vote),
        cmocka_unit_test(one_group_has_nothing_to_differ_from),
        cmocka_unit_test(rare_rows_come_last_and_are_not_tested),
        cmocka_unit_test(a_cancelled_count_says_so),
        cmocka_unit_test(the_last_event_that_names_a_session_tells),
        cmocka_unit_test(a_sequence_inside_a_session_belongs_to_it),
        cmocka_unit_test(outside_the_nearest_ends_belong_together),
        cmocka_unit_test(a_constant_skew_is_taken_away),
        cmocka_unit_test(times_of_ones_own_leave_the_order),
        cmocka_unit_test(equal_times_keep_the_order_of_the_file),
        cmocka_unit_test(a_user_with_100_000_events_is_joined),
    };
    return cmocka_run_group_tests_name("ngram_lift", tests, NULL, NULL);
}
