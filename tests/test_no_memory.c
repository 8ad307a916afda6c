/* no memory: whichever allocation fails, loading a corpus ends well or with KB_ERR_MEMORY, and
 * gives back all that it took. The C library's allocator is replaced by one that can be told to
 * fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "corpus.h"
#include "corpus_files.h"
#include "failing_memory.h"

#if defined(__GLIBC__) && !defined(KB_SANITIZED)

/* --- the work ----------------------------------------------------------------------------- */

struct world {
    char corpus[256], folder[256];
    kb_cache cache;
    kb_pool *pool;
};

static void write_corpus(const char *folder)
{
    char traces[512], rows[4096], *end = rows;
    end += sprintf(end, "session,time,object,value\n");
    for (int i = 0; i < 80; i++)
        end += sprintf(end, "s%d,%d,o%d,%d\n", i % 4, i % 9, i % 3, i % 5);
    sprintf(end, "s1,x,o,1\ns1,1,o\n\"s 1\",1,\"a\n\"\"b\"\"\",1\n");
    write_text(folder, "metrics-1.csv", rows);
    write_text(folder, "metrics-2.csv.gz", rows);
    write_text(folder, "sessions.csv", "session,user,split,label\ns1,u,later,leak\ns9,,,\ns1,,,\n");
    write_text(folder, "events.csv", "user,time,event,session\nu,2,b,s1\nu,1,a,\nv,1\n");
    snprintf(traces, sizeof traces, "%s/traces", folder);
    mkdir(traces, 0700);
    write_text(traces, "s2.csv", "time,o1,,o7\n1,2,,3\n30,,,4\n2,x,,\n");
}

static uint64_t mix(uint64_t h, const void *bytes, size_t length)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < length; i++)
        h = (h ^ b[i]) * UINT64_C(0x100000001B3);
    return h;
}

/* All that was loaded and how much was wrong, without allocating anything. */
static uint64_t digest(const kb_corpus *corpus)
{
    const kb_store *store = kb_corpus_store(corpus);
    const uint64_t counts[] = {kb_corpus_rows(corpus), kb_corpus_bad_rows(corpus),
                               kb_problems_count(kb_corpus_problems(corpus)),
                               kb_events_count(kb_corpus_events(corpus))};
    uint64_t h = mix(0, counts, sizeof counts);
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++) {
        const kb_session *session = kb_corpus_session(corpus, s);
        h = mix(h, session->name, strlen(session->name));
        h = mix(h, session->label, strlen(session->label));
        for (size_t i = 0; i < kb_store_length(store, s); i++)
            h = mix(h, &(kb_time){kb_store_time(store, s, i).whole, 0}, sizeof(kb_time));
        for (size_t i = 0; i < kb_store_series_count(store, s); i++) {
            kb_series series = kb_store_series(store, s, i);
            h = mix(h, &series.object, sizeof series.object);
            h = mix(h, series.values, series.count * sizeof *series.values);
        }
    }
    return h;
}

static void hear(void *ctx, const kb_problem *problem)
{
    size_t *told = ctx;
    *told += problem->line > 0;
}

/* Loads and frees; returns how it went. What is loaded is *EXPECTED, if that is not 0, which it
 * becomes. */
static kb_status load_as(const struct world *w, bool cached, kb_fill fill, bool strict,
                         uint64_t *expected)
{
    size_t told = 0;
    kb_corpus_options options = kb_corpus_defaults();
    options.timesteps = 5;
    options.fill = fill;
    options.strict = strict;
    options.problem = (kb_problem_listener){hear, &told};
    options.columns = "version=build";
    options.pool = w->pool;
    options.lane_bytes = 100;
    options.cache = cached ? &w->cache : NULL;
    kb_corpus *corpus;
    kb_error err;
    kb_status status = kb_corpus_load(&corpus, w->corpus, &options, NULL, &err);
    assert_true((corpus != NULL) == (status == KB_OK));
    if (corpus) {
        uint64_t got = digest(corpus);
        assert_int_equal(told, kb_problems_count(kb_corpus_problems(corpus)));
        if (*expected && got != *expected)
            fail_msg("what was loaded is not all that there is");
        *expected = got;
    }
    kb_corpus_free(corpus);
    return status;
}

static kb_status load(const struct world *w, bool cached, kb_fill fill)
{
    static uint64_t expected[KB_FILLS];
    return load_as(w, cached, fill, false, &expected[fill]);
}

/* Fails each allocation in turn until a load needs none of them; returns how many that were. */
static size_t fail_each(const struct world *w, bool cached, kb_fill fill, bool all_that_follow)
{
    for (long n = 0;; n++) {
        long before = atomic_load(&live);
        atomic_store(&for_good, all_that_follow);
        atomic_store(&until_fail, n);
        kb_status status = load(w, cached, fill);
        bool reached = atomic_exchange(&until_fail, -1) <= 0;
        if (status != KB_OK && status != KB_ERR_MEMORY)
            fail_msg("allocation %ld fails with status %d", n, (int)status);
        if (atomic_load(&live) != before)
            fail_msg("allocation %ld: %ld are not given back", n, atomic_load(&live) - before);
        if (!reached) {
            assert_int_equal(status, KB_OK);
            return (size_t)n;
        }
    }
}

static int set_up(void **state)
{
    static struct world w;
    atomic_store(&until_fail, -1);
    make_folder(w.corpus, sizeof w.corpus);
    make_folder(w.folder, sizeof w.folder);
    write_corpus(w.corpus);
    w.cache = kb_cache_defaults(w.folder);
    w.cache.least = 1;
    w.cache.settled = 0;
    if (kb_pool_create(&w.pool, 2, NULL) != KB_OK)
        return -1;
    for (int fill = 0; fill < KB_FILLS; fill++) /* what the C library allocates once and keeps */
        load(&w, false, (kb_fill)fill);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    char traces[512];
    kb_pool_free(w->pool);
    snprintf(traces, sizeof traces, "%s/traces", w->corpus);
    remove_folder(traces);
    remove_folder(w->corpus);
    remove_folder(w->folder);
    return 0;
}

static void any_allocation_may_fail_while_files_are_read(void **state)
{
    const struct world *w = *state;
    for (int fill = 0; fill < KB_FILLS; fill++) {
        assert_true(fail_each(w, false, (kb_fill)fill, false) > 100);
        assert_true(fail_each(w, false, (kb_fill)fill, true) > 100);
    }
}

static void any_allocation_may_fail_before_the_first_bad_row_is_told(void **state)
{
    const struct world *w = *state;
    uint64_t expected = 0;
    for (long n = 0, reached = 1; reached; n++) {
        long before = atomic_load(&live);
        atomic_store(&for_good, n % 2);
        atomic_store(&until_fail, n);
        kb_status status = load_as(w, false, KB_FILL_ZERO, true, &expected);
        reached = atomic_exchange(&until_fail, -1) <= 0;
        assert_true(status == KB_ERR_FORMAT || status == KB_ERR_MEMORY);
        assert_true(reached || status == KB_ERR_FORMAT);
        assert_int_equal(atomic_load(&live), before);
    }
}

static void any_allocation_may_fail_while_the_cache_is_written(void **state)
{
    const struct world *w = *state;
    for (long n = 0; n < 1500; n += 7) {
        kb_cache_clear(w->folder, NULL);
        long before = atomic_load(&live);
        atomic_store(&for_good, n % 2);
        atomic_store(&until_fail, n);
        kb_status status = load(w, true, KB_FILL_ZERO);
        atomic_store(&until_fail, -1);
        assert_true(status == KB_OK || status == KB_ERR_MEMORY);
        assert_int_equal(atomic_load(&live), before);
    }
}

static void any_allocation_may_fail_while_the_cache_is_read(void **state)
{
    const struct world *w = *state;
    assert_int_equal(load(w, true, KB_FILL_ZERO), KB_OK);
    assert_true(fail_each(w, true, KB_FILL_ZERO, false) > 50);
    assert_int_equal(load(w, true, KB_FILL_ZERO), KB_OK);
    assert_true(fail_each(w, true, KB_FILL_ZERO, true) > 50);
}

int main(void)
{
    if (!is_ours()) {
        printf("skip test_no_memory: another allocator is in place of the one that can fail\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail_while_files_are_read),
        cmocka_unit_test(any_allocation_may_fail_before_the_first_bad_row_is_told),
        cmocka_unit_test(any_allocation_may_fail_while_the_cache_is_written),
        cmocka_unit_test(any_allocation_may_fail_while_the_cache_is_read),
    };
    return cmocka_run_group_tests_name("no_memory", tests, set_up, tear_down);
}

#else

int main(void)
{
    printf("skip test_no_memory: the allocator is not ours to replace here\n");
    return 77;
}

#endif
