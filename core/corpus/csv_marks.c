/* 64 bytes become one word with a bit for each mark, whose set bits are then walked. */
#include "csv_marks.h"

#include <stdbool.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK = 64 };

static bool is_mark(unsigned char c)
{
    return c == ',' || c == '\n' || c == '"' || c == '\r';
}

static unsigned flags_of(unsigned char c)
{
    return (c == 0 ? KB_HAS_NUL : 0u) | (c & 0x80 ? KB_HAS_HIGH : 0u);
}

static size_t mark_bytes(const char *s, size_t length, uint32_t base, uint32_t *marks,
                         unsigned *flags)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)s[i];
        *flags |= flags_of(c);
        if (is_mark(c))
            marks[count++] = base + (uint32_t)i;
    }
    return count;
}

#ifdef __SSE2__

/* Bits of one quarter of a block. */
struct bits {
    uint64_t marks, nul, high;
};

static struct bits look_at(const char *s)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)s);
    __m128i comma = _mm_cmpeq_epi8(x, _mm_set1_epi8(','));
    __m128i newline = _mm_cmpeq_epi8(x, _mm_set1_epi8('\n'));
    __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
    __m128i cr = _mm_cmpeq_epi8(x, _mm_set1_epi8('\r'));
    __m128i any = _mm_or_si128(_mm_or_si128(comma, newline), _mm_or_si128(quote, cr));
    return (struct bits){(uint16_t)_mm_movemask_epi8(any),
                         (uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_setzero_si128())),
                         (uint16_t)_mm_movemask_epi8(x)};
}

static uint64_t look_at_block(const char *s, unsigned *flags)
{
    struct bits a = look_at(s), b = look_at(s + 16), c = look_at(s + 32), d = look_at(s + 48);
    if (a.nul | b.nul | c.nul | d.nul)
        *flags |= KB_HAS_NUL;
    if (a.high | b.high | c.high | d.high)
        *flags |= KB_HAS_HIGH;
    return a.marks | b.marks << 16 | c.marks << 32 | d.marks << 48;
}

#else

static uint64_t look_at_block(const char *s, unsigned *flags)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < BLOCK; i++) {
        *flags |= flags_of((unsigned char)s[i]);
        bits |= (uint64_t)is_mark((unsigned char)s[i]) << i;
    }
    return bits;
}

#endif

size_t kb_csv_marks(const char *s, size_t length, uint32_t base, uint32_t *marks, unsigned *flags)
{
    size_t count = 0, i = 0;
    for (; i + BLOCK <= length; i += BLOCK) {
        uint64_t bits = look_at_block(s + i, flags);
        uint32_t at = base + (uint32_t)i;
        for (; bits; bits &= bits - 1)
            marks[count++] = at + (uint32_t)__builtin_ctzll(bits);
    }
    return count + mark_bytes(s + i, length - i, base + (uint32_t)i, marks + count, flags);
}
