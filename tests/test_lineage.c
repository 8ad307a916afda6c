/* lineage: names that may be, names that stay, clusters that go and come back, and their text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lineage.h"
#include "lineage_support.h"
#include "memory.h"

static void set(kb_lineage *lineage, uint32_t number, const char *text)
{
    assert_int_equal(kb_lineage_set_name(lineage, number, text, NULL), KB_OK);
}

static void names_are_text_that_can_be_shown(void **state)
{
    (void)state;
    static const char *const good[] = {"Feed image cache", "x", "Größe 名前 🐘", "a,\"b\"'c'\\"};
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "nothing"},
        {"  \xC2\xA0\xE3\x80\x80", "nothing"},
        {"\xE2\x80\x8B", "nothing"},
        {"tab\there", "U+0009"},
        {"line\n", "U+000A"},
        {"esc\x1B[2J", "U+001B"},
        {"\x7F", "U+007F"},
        {"c1 \xC2\x9B", "U+009B"},
        {"\xE2\x80\xAE reversed", "U+202E"},
        {"isolated \xE2\x81\xA6", "U+2066"},
        {"\xE2\x80\xA8", "U+2028"},
        {"\xEF\xBB\xBF", "U+FEFF"},
        {"cut \xC3", "UTF-8"},
        {"\xC0\xAF", "UTF-8"},
        {"\xED\xA0\x80", "UTF-8"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(kb_cluster_name_check(good[i], NULL), KB_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kb_error err;
        assert_int_equal(kb_cluster_name_check(bad[i].text, &err), KB_ERR_USAGE);
        if (!strstr(err.text, bad[i].why))
            fail_msg("'%s' lacks '%s'", err.text, bad[i].why);
    }
    char longest[KB_CLUSTER_NAME_MAX + 2];
    memset(longest, 'n', sizeof longest);
    longest[KB_CLUSTER_NAME_MAX] = '\0';
    assert_int_equal(kb_cluster_name_check(longest, NULL), KB_OK);
    longest[KB_CLUSTER_NAME_MAX] = 'n';
    longest[KB_CLUSTER_NAME_MAX + 1] = '\0';
    assert_int_equal(kb_cluster_name_check(longest, NULL), KB_ERR_USAGE);
}

static void names_are_set_changed_and_removed(void **state)
{
    (void)state;
    kb_lineage l = {0};
    set(&l, 7, "seven");
    set(&l, 2, "two");
    set(&l, 5, "five");
    set(&l, 2, "zwei");
    set(&l, 9, "");
    assert_int_equal(l.name_count, 3);
    assert_string_equal(kb_lineage_name(&l, 2), "zwei");
    assert_string_equal(kb_lineage_name(&l, 5), "five");
    assert_string_equal(kb_lineage_name(&l, 7), "seven");
    assert_string_equal(kb_lineage_name(&l, 6), "");
    assert_string_equal(kb_lineage_name(&l, 9), "");
    set(&l, 5, "");
    assert_string_equal(kb_lineage_name(&l, 5), "");
    assert_string_equal(kb_lineage_name(&l, 7), "seven");
    assert_int_equal(kb_lineage_set_name(&l, 7, "\t", NULL), KB_ERR_USAGE);
    assert_string_equal(kb_lineage_name(&l, 7), "seven");
    kb_lineage_clear(&l);
}

/* A step from the clusters NUMBERS (K), each with its number as size, centroid and profile, to NOW,
 * which are BACK. */
static void step_back(kb_lineage *l, const uint32_t *numbers, size_t k, const uint32_t *now,
                      size_t now_k, int64_t until, const uint32_t *back)
{
    size_t sizes[256];
    float centroids[256];
    kb_lineage next;
    float *profiles = kb_alloc_aligned(2 * now_k, sizeof *profiles);
    assert_non_null(profiles);
    for (size_t i = 0; i < k; i++) {
        sizes[i] = numbers[i];
        centroids[i] = (float)numbers[i];
    }
    for (size_t i = 0; i < 2 * now_k; i++)
        profiles[i] = (float)now[i / 2] + .5F * (float)(i % 2);
    const kb_lineage_step s = {.z = 1,
                               .p = 2,
                               .k = k,
                               .numbers = numbers,
                               .sizes = sizes,
                               .centroids = centroids,
                               .new_k = now_k,
                               .new_numbers = now,
                               .back = back,
                               .profiles = profiles,
                               .until = {until, 0}};
    assert_int_equal(kb_lineage_step_on(&next, l, &s, NULL), KB_OK);
    kb_lineage_clear(l);
    *l = next;
}

static void step(kb_lineage *l, const uint32_t *numbers, size_t k, const uint32_t *now,
                 size_t now_k, int64_t until)
{
    step_back(l, numbers, k, now, now_k, until, NULL);
}

static void clusters_go_and_come_back(void **state)
{
    (void)state;
    const uint32_t first[] = {1, 2, 3}, second[] = {1, 3}, third[] = {4, 5};
    const uint32_t back[] = {2, 0};
    kb_lineage l = {0};
    step(&l, NULL, 0, first, 3, 100);
    assert_int_equal(l.calibrations, 1);
    assert_int_equal(l.retired_count, 0);
    set(&l, 2, "two");
    set(&l, 3, "three");
    step(&l, first, 3, second, 2, 200);
    assert_int_equal(l.retired_count, 1);
    const kb_retired *r = &l.retired[0];
    assert_int_equal(r->number, 2);
    assert_int_equal(r->size, 2);
    assert_int_equal(r->calibration, 1);
    assert_int_equal(r->until.whole, 100);
    assert_true(r->profiled);
    assert_true(l.retired_centroids[0] == 2.F && l.retired_profiles[1] == 2.5F);
    assert_string_equal(kb_lineage_name(&l, 2), "two");
    step_back(&l, second, 2, third, 2, 300, back);
    assert_int_equal(l.retired_count, 3);
    for (uint32_t n = 1; n <= 3; n++) {
        assert_int_equal(l.retired[n - 1].number, n);
        assert_int_equal(l.retired[n - 1].back_as, n == 2 ? 4 : 0);
        assert_int_equal(l.retired[n - 1].calibration, n == 2 ? 1 : 2);
        assert_int_equal(l.retired[n - 1].until.whole, n == 2 ? 100 : 200);
        assert_true(l.retired_centroids[n - 1] == (float)n);
        assert_true(l.retired_profiles[2 * n - 2] == (float)n);
    }
    assert_string_equal(kb_lineage_name(&l, 2), "");
    assert_string_equal(kb_lineage_name(&l, 4), "two");
    assert_string_equal(kb_lineage_name(&l, 3), "three");
    assert_int_equal(l.until.whole, 300);
    kb_lineage_clear(&l);
}

static void clusters_of_a_model_without_profiles_are_retired_without(void **state)
{
    (void)state;
    const uint32_t first[] = {1, 2}, second[] = {1};
    kb_lineage l = {0};
    step(&l, first, 2, second, 1, 50);
    assert_int_equal(l.retired_count, 1);
    assert_false(l.retired[0].profiled);
    assert_int_equal(l.retired[0].calibration, 0);
    assert_true(l.retired_profiles[0] == 0.F);
    kb_lineage_clear(&l);
}

/* Each calibration finds one other cluster. */
static void those_seen_longest_ago_are_forgotten_with_their_names(void **state)
{
    (void)state;
    kb_lineage l = {0};
    uint32_t now = 1;
    step(&l, NULL, 0, &now, 1, 0);
    set(&l, 1, "first");
    for (uint32_t n = 2; n <= KB_RETIRED_MAX + 1; n++) {
        uint32_t was = now;
        now = n;
        step(&l, &was, 1, &now, 1, n);
    }
    assert_int_equal(l.retired_count, KB_RETIRED_MAX);
    assert_string_equal(kb_lineage_name(&l, 1), "first");
    uint32_t was = now;
    now++;
    step(&l, &was, 1, &now, 1, 0);
    assert_int_equal(l.retired_count, KB_RETIRED_MAX);
    assert_int_equal(l.retired[0].number, 2);
    assert_int_equal(l.retired[KB_RETIRED_MAX - 1].number, KB_RETIRED_MAX + 1);
    assert_int_equal(l.name_count, 0);
    kb_lineage_clear(&l);
}

static void a_copy_is_the_same_and_its_own(void **state)
{
    (void)state;
    const uint32_t first[] = {1, 2, 3}, second[] = {1, 3};
    kb_lineage l = {0}, copy;
    step(&l, NULL, 0, first, 3, 100);
    step(&l, first, 3, second, 2, 200);
    set(&l, 2, "two");
    assert_int_equal(kb_lineage_copy(&copy, &l, 2, 1, 2, NULL), KB_OK);
    kb_lineage_clear(&l);
    assert_int_equal(copy.calibrations, 2);
    assert_int_equal(copy.until.whole, 200);
    assert_true(copy.profiles[3] == 3.5F);
    assert_int_equal(copy.retired[0].number, 2);
    assert_true(copy.retired_centroids[0] == 2.F && copy.retired_profiles[1] == 2.5F);
    assert_string_equal(kb_lineage_name(&copy, 2), "two");
    kb_lineage_clear(&copy);
}

static void text_reads_back(void **state)
{
    (void)state;
    const uint32_t first[] = {1, 2, 3}, second[] = {3};
    kb_lineage l = {0}, again = {0};
    char *text;
    size_t length;
    step(&l, NULL, 0, first, 3, -5);
    step(&l, first, 3, second, 1, 200);
    set(&l, 2, "two, \xC3\xB6 \\n");
    set(&l, 3, " 3");
    assert_int_equal(kb_lineage_write_names(&l, &text, &length, NULL), KB_OK);
    assert_string_equal(text, "2 two, \xC3\xB6 \\n\n3  3\n");
    assert_int_equal(kb_lineage_read_names(&again, text, 4), 0);
    free(text);
    assert_string_equal(kb_lineage_name(&again, 2), "two, \xC3\xB6 \\n");
    assert_string_equal(kb_lineage_name(&again, 3), " 3");
    assert_int_equal(kb_lineage_write_retired(&l, &text, &length, NULL), KB_OK);
    assert_string_equal(text, "1 1 1 -5 0 1 0\n2 2 1 -5 0 1 0\n");
    assert_int_equal(kb_lineage_read_retired(&again, text, 4), 0);
    free(text);
    assert_int_equal(again.retired_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_same_retired(&again.retired[i], &l.retired[i]);
    kb_lineage_clear(&again);
    kb_lineage_clear(&l);
}

static void text_that_makes_no_sense_is_refused_by_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t line;
    } names[] = {{"1 a\n1 b\n", 2}, {"2 a\n1 b\n", 2},    {"0 a\n", 1}, {"4 a\n", 1},
                 {"1 a", 1},        {"1\n", 1},           {"1 \n", 1},  {"-1 a\n", 1},
                 {"x a\n", 1},      {"1 a\tb\n", 1},      {"1  \n", 1}, {"1 a\n2 \xFF\n", 2},
                 {"\n", 1},         {"4294967297 a\n", 1}},
      retired[] = {{"1 2 3 4 5 1\n", 1},
                   {"1 2 3 4 5 2 0\n", 1},
                   {"1 2 3 4 5 1 0", 1},
                   {"1 2 3 4 1000000000000000000 1 0\n", 1},
                   {"1 2 3 99999999999999999999 5 1 0\n", 1},
                   {"1 2 3 4 5 1 0\n1 2 3 4 5 1 0\n", 2},
                   {"4 2 3 4 5 1 0\n", 1},
                   {"1 2 3 4 5 1 4\n", 1},
                   {"2 2 3 4 5 1 1\n", 1},
                   {"1 2 4294967296 4 5 1 0\n", 1},
                   {"1 -2 3 4 5 1 0\n", 1},
                   {"1 2 3 4 5 1 0 \n", 1}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        kb_lineage l = {0};
        assert_int_equal(kb_lineage_read_names(&l, names[i].text, 4), names[i].line);
        kb_lineage_clear(&l);
    }
    for (size_t i = 0; i < sizeof retired / sizeof *retired; i++) {
        kb_lineage l = {0};
        assert_int_equal(kb_lineage_read_retired(&l, retired[i].text, 4), retired[i].line);
        kb_lineage_clear(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_text_that_can_be_shown),
        cmocka_unit_test(names_are_set_changed_and_removed),
        cmocka_unit_test(clusters_go_and_come_back),
        cmocka_unit_test(clusters_of_a_model_without_profiles_are_retired_without),
        cmocka_unit_test(those_seen_longest_ago_are_forgotten_with_their_names),
        cmocka_unit_test(a_copy_is_the_same_and_its_own),
        cmocka_unit_test(text_reads_back),
        cmocka_unit_test(text_that_makes_no_sense_is_refused_by_line),
    };
    return cmocka_run_group_tests_name("lineage", tests, NULL, NULL);
}
