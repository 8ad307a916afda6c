/* A file as a stream of plain bytes, compressed or not: it must be what zlib makes of it in one
 * piece, in whatever pieces it is read, and end as it should. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bytes.h"
#include "support.h"

enum { MOST = 1 << 18 }; /* bytes that are looked at */

/* A stream's first bytes, and how it ends if it ends within them. */
struct stream {
    char *bytes; /* MOST */
    size_t size;
    kb_status status;
};

static struct stream make_stream(void)
{
    struct stream s = {.bytes = malloc(MOST)};
    fuzz_check(s.bytes != NULL, "no memory");
    return s;
}

/* --- by zlib alone ----------------------------------------------------------------------- */
/* One member at *AT, which moves behind it. */
static bool inflate_member(struct stream *s, const uint8_t *data, size_t size, size_t *at)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)(data + *at), .avail_in = (uInt)(size - *at)};
    fuzz_check(inflateInit2(&z, MAX_WBITS + 16) == Z_OK, "no memory");
    z.next_out = (Bytef *)s->bytes + s->size;
    z.avail_out = (uInt)(MOST - s->size);
    int result = inflate(&z, Z_FINISH);
    *at = size - z.avail_in;
    s->size = MOST - z.avail_out;
    inflateEnd(&z);
    return result == Z_STREAM_END;
}

static void expect_members(struct stream *s, const uint8_t *data, size_t size)
{
    s->status = KB_ERR_DAMAGED;
    for (size_t at = 0; s->size < MOST && inflate_member(s, data, size, &at);) {
        while (at < size && !data[at])
            at++;
        if (at == size)
            s->status = KB_OK;
        if (at == size || data[at] != 0x1F)
            return;
    }
}

static struct stream expect_stream(const uint8_t *data, size_t size)
{
    struct stream s = make_stream();
    if (fuzz_is_gzip(data, size)) {
        expect_members(&s, data, size);
        return s;
    }
    s.size = size < MOST ? size : MOST;
    if (s.size)
        memcpy(s.bytes, data, s.size);
    return s;
}

/* --- by the reader ----------------------------------------------------------------------- */
static struct stream read_stream(kb_bytes *bytes, size_t room)
{
    struct stream s = make_stream();
    size_t got = 1;
    while (s.size < MOST && s.status == KB_OK && got) {
        size_t left = MOST - s.size;
        s.status = kb_bytes_read(bytes, s.bytes + s.size, left < room ? left : room, &got, NULL);
        fuzz_check(got <= left && got <= room, "more bytes than there is room for");
        s.size += got;
    }
    return s;
}

static void expect_same(const struct stream *a, const struct stream *b)
{
    fuzz_check(a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0,
               "zlib makes %zu bytes, the reader %zu, or others", a->size, b->size);
    fuzz_check(a->size == MOST || a->status == b->status, "the end should be %d, and is %d",
               (int)a->status, (int)b->status);
}

/* A plain file goes on at PLACE; a compressed one cannot. */
static void check_seek(kb_bytes *bytes, const uint8_t *data, size_t size, size_t place)
{
    kb_status status = kb_bytes_seek(bytes, place, NULL);
    fuzz_check(status == (fuzz_is_gzip(data, size) ? KB_ERR_DAMAGED : KB_OK), "seeking gives %d",
               (int)status);
    if (status != KB_OK)
        return;
    struct stream all = expect_stream(data + place, 0), rest = read_stream(bytes, 100);
    all.size = size - place < MOST ? size - place : MOST;
    memcpy(all.bytes, data + place, all.size);
    expect_same(&all, &rest);
    free(all.bytes);
    free(rest.bytes);
}

/* SHRUNK: it had another byte when it was listed. */
static void check(const uint8_t *data, size_t size, const char *path, size_t room, bool shrunk)
{
    kb_bytes *bytes;
    kb_error err;
    fuzz_check(kb_bytes_open(&bytes, path, path, NULL, &err) == KB_OK, "%s", err.text);
    if (shrunk)
        kb_bytes_expect(bytes, size + 1);
    struct stream expected = expect_stream(data, size), got = read_stream(bytes, room);
    if (shrunk)
        expected.status = KB_ERR_DAMAGED;
    expect_same(&expected, &got);
    bool ended = got.status == KB_OK && got.size < MOST;
    fuzz_check(!ended || kb_bytes_consumed(bytes) == size, "not all bytes are consumed");
    if (size && !shrunk)
        check_seek(bytes, data, size, (size_t)(fuzz_hash(data, size) % size));
    kb_bytes_close(bytes);
    free(expected.bytes);
    free(got.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t rooms[] = {1, 2, 7, 63, 300, 4096, MOST};
    fuzz_file file = fuzz_file_make(data, size);
    uint64_t hash = fuzz_hash(data, size);
    check(data, size, file.path, rooms[hash / 8 % 7], hash / 64 % 4 == 0);
    fuzz_file_remove(&file);
    return 0;
}

/* --- changes ----------------------------------------------------------------------------- */
/* Appends the LENGTH bytes at TEXT as a member to the *SIZE bytes at OUT; false: no room. */
static bool add_member(uint8_t *out, size_t *size, size_t room, const uint8_t *text, size_t length,
                       int level)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)text, .avail_in = (uInt)length};
    if (deflateInit2(&z, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    z.next_out = out + *size;
    z.avail_out = (uInt)(room - *size);
    bool done = deflate(&z, Z_FINISH) == Z_STREAM_END;
    *size = room - z.avail_out;
    deflateEnd(&z);
    return done;
}

/* Bytes of a compressed stream are changed as they are, or else what they stand for is, which then
 * becomes one member or two. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    if (seed % 4 == 0)
        return LLVMFuzzerMutate(data, size, room);
    struct stream s = expect_stream(data, size);
    size_t most = room < MOST ? room : MOST, made = 0;
    uint8_t *text = (uint8_t *)s.bytes;
    size_t length = LLVMFuzzerMutate(text, s.size < most ? s.size : most, most);
    size_t cut = seed / 4 % 4 ? length : seed / 16 % (length + 1);
    int level = (int)(seed / 64 % 10);
    bool done = add_member(data, &made, room, text, cut, level);
    if (done && cut < length)
        done = add_member(data, &made, room, text + cut, length - cut, 9 - level);
    free(s.bytes);
    return done ? made : LLVMFuzzerMutate(data, made, room);
}
