/* container: what is written comes back; every single damaged byte and every cut is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container.h"

static const kb_container_kind kind = {
    .magic = {'K', 'A', 'B', 'O', 'O', 'M', 'D', 'L'}, .version = 1, .noun = "model"};
static const float FLOATS[5] = {1.5f, -2, 0, 1e30f, 3};
static const char TEXT[] = "key=value\nanother=line\n";

static char *path_of(char *buffer, size_t size)
{
    const char *folder = getenv("TMPDIR");
    snprintf(buffer, size, "%s/kb-container-%ld", folder ? folder : "/tmp", (long)getpid());
    return buffer;
}

static void write_sample(const char *path)
{
    kb_container_writer *w = kb_container_writer_create(&kind);
    assert_int_equal(kb_container_add_text(w, "text", TEXT, strlen(TEXT), NULL), KB_OK);
    assert_int_equal(kb_container_add_text(w, "empty", "", 0, NULL), KB_OK);
    assert_int_equal(kb_container_add_floats(w, "tensor", FLOATS, 5, NULL), KB_OK);
    const kb_piece pieces[] = {{FLOATS, 8}, {NULL, 0}, {FLOATS + 2, 12}};
    assert_int_equal(kb_container_add_pieces(w, "pieces", pieces, 3, NULL), KB_OK);
    assert_int_equal(kb_container_write(w, path, true, NULL, NULL), KB_OK);
    kb_container_writer_free(w);
}

/* Everything in the file is read; the first failure's text goes to ERR. */
static kb_status read_sample(const char *path, kb_error *err)
{
    kb_container_reader *r;
    kb_status status = kb_container_open(&r, &kind, path, err);
    if (status)
        return status;
    char *text = NULL;
    size_t length;
    float floats[5];
    status = kb_container_text(r, "text", &text, &length, err);
    if (!status && (length != strlen(TEXT) || strcmp(text, TEXT) != 0))
        fail_msg("the text came back changed");
    free(text);
    text = NULL;
    if (!status)
        status = kb_container_text(r, "empty", &text, &length, err);
    free(text);
    if (!status)
        status = kb_container_floats(r, "tensor", floats, 5, err);
    if (!status && memcmp(floats, FLOATS, sizeof floats) != 0)
        fail_msg("the tensor came back changed");
    const void *bytes;
    if (!status)
        status = kb_container_bytes(r, "pieces", &bytes, &length, err);
    if (!status && (length != sizeof FLOATS || memcmp(bytes, FLOATS, length) != 0))
        fail_msg("the pieces came back changed");
    if (!status)
        assert_int_equal((uintptr_t)bytes % 64, 0);
    kb_container_close(r);
    return status;
}

static size_t slurp(const char *path, unsigned char *bytes, size_t size)
{
    FILE *f = fopen(path, "rb");
    size_t n = fread(bytes, 1, size, f);
    fclose(f);
    return n;
}

static void spill(const char *path, const unsigned char *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    fwrite(bytes, 1, size, f);
    fclose(f);
}

static void what_is_written_comes_back(void **state)
{
    (void)state;
    char path[256];
    kb_error err = {0};
    write_sample(path_of(path, sizeof path));
    assert_int_equal(read_sample(path, &err), KB_OK);
    unlink(path);
}

static void tensors_are_aligned(void **state)
{
    (void)state;
    char path[256];
    unsigned char bytes[4096];
    write_sample(path_of(path, sizeof path));
    size_t n = slurp(path, bytes, sizeof bytes);
    const unsigned char *found = memmem(bytes, n, FLOATS, sizeof FLOATS);
    assert_non_null(found);
    assert_int_equal((size_t)(found - bytes) % 64, 0);
    unlink(path);
}

/* Padding may change unnoticed (it means nothing); every other byte may not. Whatever happens,
 * nothing wrong comes back. */
static void every_damaged_byte_is_noticed_or_harmless(void **state)
{
    (void)state;
    char path[256];
    unsigned char bytes[4096];
    write_sample(path_of(path, sizeof path));
    size_t n = slurp(path, bytes, sizeof bytes), noticed = 0;
    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= 0x41;
        spill(path, bytes, n);
        kb_error err = {0};
        kb_status status = read_sample(path, &err);
        if (status) {
            assert_int_equal(status, KB_ERR_FORMAT);
            assert_non_null(strstr(err.text, path));
            noticed++;
        }
        bytes[i] ^= 0x41;
    }
    /* header 32 + table 4 * 80 + the sections themselves */
    assert_true(noticed >= 32 + 4 * 80 + 2 * sizeof FLOATS + 20);
    unlink(path);
}

static void every_cut_is_noticed(void **state)
{
    (void)state;
    char path[256];
    unsigned char bytes[4096];
    write_sample(path_of(path, sizeof path));
    size_t n = slurp(path, bytes, sizeof bytes);
    for (size_t i = 0; i < n; i++) {
        spill(path, bytes, i);
        assert_int_equal(read_sample(path, NULL), KB_ERR_FORMAT);
    }
    unlink(path);
}

static void the_damaged_section_is_named(void **state)
{
    (void)state;
    char path[256];
    unsigned char bytes[4096];
    kb_error err;
    write_sample(path_of(path, sizeof path));
    size_t n = slurp(path, bytes, sizeof bytes);
    bytes[n - 1] ^= 1;
    spill(path, bytes, n);
    assert_int_equal(read_sample(path, &err), KB_ERR_FORMAT);
    assert_non_null(strstr(err.text, "section pieces"));
    unlink(path);
}

static void a_private_file_is_for_its_owner(void **state)
{
    (void)state;
    char path[256];
    struct stat st;
    kb_container_writer *w = kb_container_writer_create(&kind);
    kb_container_add_text(w, "text", TEXT, strlen(TEXT), NULL);
    mode_t before = umask(0);
    assert_int_equal(kb_container_write(w, path_of(path, sizeof path), false, NULL, NULL), KB_OK);
    umask(before);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    kb_container_writer_free(w);
    unlink(path);
}

static void a_foreign_file_is_refused(void **state)
{
    (void)state;
    char path[256];
    kb_error err;
    path_of(path, sizeof path);
    spill(path,
          (const unsigned char *)"session,time,object,value\ns,1,o,2\ns,1,o,2\ns,1,o,2\ns,1,o,2\n",
          57);
    assert_int_equal(read_sample(path, &err), KB_ERR_FORMAT);
    assert_non_null(strstr(err.text, "not a kaboom model"));
    assert_int_equal(read_sample("/tmp", &err), KB_ERR_FORMAT);
    assert_int_equal(read_sample("/nonexistent/model", &err), KB_ERR_IO);
    unlink(path);
}

static void a_place_that_cannot_be_written_is_told(void **state)
{
    (void)state;
    kb_error err;
    kb_container_writer *w = kb_container_writer_create(&kind);
    kb_container_add_text(w, "text", TEXT, strlen(TEXT), NULL);
    assert_int_equal(kb_container_write(w, "/nonexistent/kaboom", true, NULL, &err), KB_ERR_IO);
    assert_non_null(strstr(err.text, "/nonexistent/kaboom"));
    kb_container_writer_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_comes_back),
        cmocka_unit_test(tensors_are_aligned),
        cmocka_unit_test(every_damaged_byte_is_noticed_or_harmless),
        cmocka_unit_test(every_cut_is_noticed),
        cmocka_unit_test(the_damaged_section_is_named),
        cmocka_unit_test(a_private_file_is_for_its_owner),
        cmocka_unit_test(a_foreign_file_is_refused),
        cmocka_unit_test(a_place_that_cannot_be_written_is_told),
    };
    return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}
