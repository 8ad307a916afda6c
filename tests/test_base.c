/* base: memory, names, random numbers, the pool, files written whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "names.h"
#include "outfile.h"
#include "pool.h"
#include "rng.h"
#include "sorting.h"

/* The known-answer vectors published with Random123 (kat_vectors, philox4x32 with 10 rounds). */
static void philox_matches_published_vectors(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], expected[4];
    } vectors[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint32_t out[4];
        kb_philox4x32(vectors[i].counter, vectors[i].key, out);
        assert_memory_equal(out, vectors[i].expected, sizeof out);
    }
}

static void normal_numbers_have_their_moments(void **state)
{
    (void)state;
    enum { N = 200000 };
    kb_rng rng = kb_rng_start(7, KB_STREAM_TEST);
    double sum = 0, squares = 0, fourth = 0;
    for (int i = 0; i < N; i++) {
        double x = kb_rng_normal(&rng);
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
    }
    assert_true(fabs(sum / N) < 0.01);
    assert_true(fabs(squares / N - 1) < 0.02);
    assert_true(fabs(fourth / N - 3) < 0.1);
}

static void below_is_in_range_and_even(void **state)
{
    (void)state;
    kb_rng rng = kb_rng_start(1, KB_STREAM_TEST);
    size_t counts[7] = {0};
    for (int i = 0; i < 70000; i++)
        counts[kb_rng_below(&rng, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9600, 10400);
}

static void streams_are_independent_and_repeatable(void **state)
{
    (void)state;
    kb_rng a = kb_rng_start(1, KB_STREAM_INIT), b = kb_rng_start(1, KB_STREAM_INIT);
    kb_rng other = kb_rng_start(1, KB_STREAM_NOISE), seed = kb_rng_start(2, KB_STREAM_INIT);
    uint32_t first = kb_rng_u32(&a);
    assert_int_equal(first, kb_rng_u32(&b));
    assert_int_not_equal(first, kb_rng_u32(&other));
    assert_int_not_equal(first, kb_rng_u32(&seed));
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    size_t out = 5;
    assert_false(kb_size_mul(SIZE_MAX / 2, 3, &out));
    assert_int_equal(out, 5);
    assert_null(kb_alloc_aligned(SIZE_MAX / 4, 8));
    void *items = NULL;
    size_t capacity = 0;
    assert_false(kb_grow(&items, &capacity, SIZE_MAX / 4, 16));
    assert_null(items);
}

static void names_keep_their_ids_through_growth(void **state)
{
    (void)state;
    enum { N = 5000 };
    kb_names *names = kb_names_create();
    char text[32];
    for (unsigned i = 0; i < N; i++) {
        int length = snprintf(text, sizeof text, "name %u", i);
        assert_int_equal(kb_names_add(names, text, (size_t)length), i);
    }
    for (unsigned i = 0; i < N; i++) {
        int length = snprintf(text, sizeof text, "name %u", i);
        assert_int_equal(kb_names_find(names, text, (size_t)length), i);
        assert_int_equal(kb_names_add(names, text, (size_t)length), i);
        assert_string_equal(kb_names_get(names, i), text);
    }
    assert_int_equal(kb_names_find(names, "name", 4), KB_NAME_NONE);
    assert_int_equal(kb_names_count(names), N);
    kb_names_free(names);
}

static void names_sort_bytewise(void **state)
{
    (void)state;
    kb_names *names = kb_names_create();
    kb_names_add(names, "b", 1);
    kb_names_add(names, "\xC3\xA9", 2);
    kb_names_add(names, "B", 1);
    kb_names_add(names, "ba", 2);
    uint32_t order[4];
    kb_names_sorted(names, order);
    assert_int_equal(order[0], 2);
    assert_int_equal(order[1], 0);
    assert_int_equal(order[2], 3);
    assert_int_equal(order[3], 1);
    kb_names_free(names);
}

struct tally {
    atomic_int *hits;
};

static void count_piece(void *ctx, size_t i)
{
    struct tally *tally = ctx;
    atomic_fetch_add(&tally->hits[i], 1);
}

static void the_pool_does_every_piece_once(void **state)
{
    (void)state;
    enum { N = 1000 };
    for (size_t threads = 1; threads <= 4; threads++) {
        kb_pool *pool;
        assert_int_equal(kb_pool_create(&pool, threads, NULL), KB_OK);
        for (int round = 0; round < 50; round++) {
            atomic_int *hits = calloc(N, sizeof *hits);
            kb_pool_run(pool, N, count_piece, &(struct tally){hits});
            for (int i = 0; i < N; i++)
                assert_int_equal(atomic_load(&hits[i]), 1);
            free(hits);
        }
        kb_pool_free(pool);
    }
}

static char *temporary_path(char *buffer, size_t size, const char *name)
{
    const char *folder = getenv("TMPDIR");
    snprintf(buffer, size, "%s/kb-test-%ld-%s", folder ? folder : "/tmp", (long)getpid(), name);
    return buffer;
}

static void read_all(const char *path, char *text, size_t size)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, size - 1, f);
    text[n] = '\0';
    fclose(f);
}

static void an_aborted_file_leaves_the_old_one(void **state)
{
    (void)state;
    char path[256], text[64];
    temporary_path(path, sizeof path, "abort");
    kb_outfile *file;
    assert_int_equal(kb_outfile_open(&file, path, NULL), KB_OK);
    kb_outfile_write(file, "old", 3, NULL);
    assert_int_equal(kb_outfile_commit(file, NULL), KB_OK);
    assert_int_equal(kb_outfile_open(&file, path, NULL), KB_OK);
    kb_outfile_write(file, "new", 3, NULL);
    read_all(path, text, sizeof text);
    assert_string_equal(text, "old");
    kb_outfile_abort(file);
    read_all(path, text, sizeof text);
    assert_string_equal(text, "old");
    unlink(path);
}

static void a_device_is_not_replaced_and_a_link_is_followed(void **state)
{
    (void)state;
    char path[256], link_path[256], text[64];
    kb_error err;
    kb_outfile *file;
    assert_int_equal(kb_outfile_open(&file, "/dev/null", &err), KB_ERR_IO);
    assert_non_null(strstr(err.text, "not a regular file"));
    temporary_path(path, sizeof path, "target");
    temporary_path(link_path, sizeof link_path, "link");
    assert_int_equal(kb_outfile_open(&file, path, NULL), KB_OK);
    assert_int_equal(kb_outfile_commit(file, NULL), KB_OK);
    assert_int_equal(symlink(path, link_path), 0);
    assert_int_equal(kb_outfile_open(&file, link_path, NULL), KB_OK);
    kb_outfile_write(file, "through", 7, NULL);
    assert_int_equal(kb_outfile_commit(file, NULL), KB_OK);
    read_all(path, text, sizeof text);
    assert_string_equal(text, "through");
    struct stat st;
    assert_int_equal(lstat(link_path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    unlink(link_path);
    unlink(path);
}

static void a_folder_that_is_missing_is_told_by_name(void **state)
{
    (void)state;
    kb_error err;
    kb_outfile *file;
    assert_int_equal(kb_outfile_open(&file, "/nonexistent-folder/x", &err), KB_ERR_IO);
    assert_non_null(strstr(err.text, "/nonexistent-folder/x"));
}

static void numbers_are_sorted(void **state)
{
    (void)state;
    double doubles[] = {3, -INFINITY, 0, 3, -1e300, INFINITY};
    float floats[] = {2, -1, 2, -7};
    size_t sizes[] = {SIZE_MAX, 0, 5, (size_t)INT_MAX + 1};
    kb_sort_doubles(doubles, 6);
    kb_sort_floats(floats, 4);
    kb_sort_sizes(sizes, 4);
    assert_memory_equal(doubles, ((double[]){-INFINITY, -1e300, 0, 3, 3, INFINITY}),
                        sizeof doubles);
    assert_memory_equal(floats, ((float[]){-7, -1, 2, 2}), sizeof floats);
    assert_memory_equal(sizes, ((size_t[]){0, 5, (size_t)INT_MAX + 1, SIZE_MAX}), sizeof sizes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_sorted),
        cmocka_unit_test(philox_matches_published_vectors),
        cmocka_unit_test(normal_numbers_have_their_moments),
        cmocka_unit_test(below_is_in_range_and_even),
        cmocka_unit_test(streams_are_independent_and_repeatable),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(names_keep_their_ids_through_growth),
        cmocka_unit_test(names_sort_bytewise),
        cmocka_unit_test(the_pool_does_every_piece_once),
        cmocka_unit_test(an_aborted_file_leaves_the_old_one),
        cmocka_unit_test(a_device_is_not_replaced_and_a_link_is_followed),
        cmocka_unit_test(a_folder_that_is_missing_is_told_by_name),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
