/* no memory: whichever allocation fails on the way from a log to lifts, it ends well or with
 * KB_ERR_MEMORY, and gives back all that it took. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus_draft.h"
#include "failing_memory.h"
#include "ngram_lift.h"
#include "ngrams.h"
#include "session_join.h"

#if defined(__GLIBC__) && !defined(KB_SANITIZED)

enum { USERS = 40, GROUPS = 3 };

/* Enough n-grams that tables grow; sessions by name, by time and, where the log's times are others
 * than theirs, by order. */
static kb_corpus *load_corpus(bool own_times)
{
    corpus_draft draft;
    begin_draft(&draft, "user,time,event,session");
    FILE **f = draft.files;
    for (int u = 0; u < USERS; u++) {
        for (int r = 0; r < 6; r++)
            fprintf(f[0],
                    "u%d,%d,app.launched,\nu%d,%d,a%d,%s\nu%d,%d,b%d,\nu%d,%d,app.launched,\n", u,
                    10 * r, u, 10 * r + 1, (u + r) % 30, u % 5 || own_times ? "" : "s1", u,
                    10 * r + 2, u % 25, u, 10 * r + 3);
        fprintf(f[1], "s%d,u%d\n", u, u);
        fprintf(f[2], "s%d,%d,x,1\n", u, (own_times ? 900 : 0) + 5 * (u % 9));
    }
    return load_draft(&draft);
}

/* All of it; *ROWS becomes how many rows came out. */
static kb_status work(const kb_corpus *corpus, size_t *rows)
{
    static uint32_t groups[USERS];
    const kb_events *events = kb_corpus_events(corpus);
    kb_truncation_options starts = kb_truncation_defaults();
    kb_lift_options options = {{.least = 2, .most = 4, .fold = .9}, .support = 2};
    kb_join_options how = kb_join_defaults();
    kb_truncations truncations;
    kb_joined joined = {0};
    kb_ngrams ngrams = {0};
    kb_lifts lifts = {0};
    for (uint32_t s = 0; s < USERS; s++)
        groups[s] = 1 + s % GROUPS;
    starts.no_explained = true;
    kb_status status = kb_truncations_find(&truncations, events, NULL, &starts, NULL, NULL);
    if (!status)
        status = kb_ngrams_of(&ngrams, events, &truncations, &options.ngrams, NULL, NULL);
    if (!status)
        status = kb_join_sessions(&joined, corpus, &truncations, starts.start, starts.end, &how,
                                  NULL, NULL);
    kb_lift_input input = {events, &truncations, joined.sessions, groups, GROUPS};
    if (!status)
        status = kb_lifts_of(&lifts, &input, &options, NULL, NULL);
    *rows = ngrams.count + lifts.count;
    kb_ngrams_clear(&ngrams);
    kb_lifts_clear(&lifts);
    kb_joined_clear(&joined);
    kb_truncations_clear(&truncations);
    return status;
}

static void fail_each(bool own_times)
{
    size_t expected, rows;
    kb_corpus *corpus = load_corpus(own_times);
    assert_int_equal(work(corpus, &expected), KB_OK);
    assert_true(expected > 50);
    for (int both = 0; both < 2; both++) {
        bool reached = true; /* something failed, or might have with one allocation more */
        long tries = 0;
        for (; reached; tries++) {
            long before = atomic_load(&live);
            atomic_store(&for_good, both);
            atomic_store(&until_fail, tries);
            kb_status status = work(corpus, &rows);
            reached = atomic_load(&until_fail) <= 0;
            atomic_store(&until_fail, -1);
            assert_int_equal(atomic_load(&live), before);
            assert_true(status == KB_OK || (status == KB_ERR_MEMORY && reached));
            assert_true(status || rows == expected); /* sorting can do without memory */
            assert_true(tries < 5000);
        }
        assert_true(tries > 60);
    }
    kb_corpus_free(corpus);
}

static void any_allocation_may_fail_where_time_tells(void **state)
{
    (void)state;
    fail_each(false);
}

static void any_allocation_may_fail_where_order_tells(void **state)
{
    (void)state;
    fail_each(true);
}

int main(void)
{
    if (!is_ours()) {
        printf("skip test_ngram_memory: another allocator is in place of the one that can fail\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail_where_time_tells),
        cmocka_unit_test(any_allocation_may_fail_where_order_tells),
    };
    return cmocka_run_group_tests_name("ngram_memory", tests, NULL, NULL);
}

#else

int main(void)
{
    printf("skip test_ngram_memory: the allocator is not ours to replace here\n");
    return 77;
}

#endif
