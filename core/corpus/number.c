#include "number.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTO UINT64_C(1000000000000000000)

/* Significant digits that a uint64_t surely holds. */
enum { DIGITS = 19 };

/* --- the grammar of decimal numbers ------------------------------------------------------- */

/* A checked decimal: value = +-(digits from..to, the point skipped) * 10^exponent. */
struct decimal {
    bool negative;
    bool short_form;   /* at most DIGITS significant digits: mantissa holds them all */
    uint64_t mantissa; /* valid when short_form */
    const char *from;  /* first significant digit (a point may lie among the digits) */
    const char *to;    /* behind the last digit */
    long exponent;     /* of the last digit */
    bool zero;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The exponent's text [s, end) without its 'e'; clamped far outside of any range that matters. */
static bool scan_exponent(const char *s, const char *end, long *exponent)
{
    bool negative = s < end && *s == '-';
    if (s < end && (*s == '-' || *s == '+'))
        s++;
    if (s == end)
        return false;
    long e = 0;
    for (; s < end; s++) {
        if (!is_digit(*s))
            return false;
        if (e < 100000000)
            e = e * 10 + (*s - '0');
    }
    *exponent = negative ? -e : e;
    return true;
}

/* The mantissa of [s, end): digits with an optional point. Returns where it ends, or NULL without a
 * digit. */
static const char *scan_mantissa(struct decimal *d, const char *s, const char *end)
{
    const char *point = NULL, *start = s;
    uint64_t mantissa = 0;
    size_t significant = 0;
    d->from = end;
    for (; s < end; s++) {
        unsigned digit = (unsigned char)*s - (unsigned)'0';
        if (digit <= 9) {
            if (digit | significant) {
                if (!significant)
                    d->from = s;
                mantissa = mantissa * 10 + digit; /* wraps beyond DIGITS; not used then */
                significant++;
            }
        } else if (*s == '.' && !point) {
            point = s;
        } else {
            break;
        }
    }
    if (s - start == (point ? 1 : 0))
        return NULL;
    d->to = s;
    d->mantissa = mantissa;
    d->zero = !significant;
    d->short_form = significant <= DIGITS;
    d->exponent = point ? (long)(point + 1 - s) : 0;
    return s;
}

static bool scan_decimal(struct decimal *d, const char *s, size_t length)
{
    const char *end = s + length;
    d->negative = length && *s == '-';
    if (length && (*s == '-' || *s == '+'))
        s++;
    s = scan_mantissa(d, s, end);
    if (!s)
        return false;
    if (s == end)
        return true;
    long e;
    if ((*s != 'e' && *s != 'E') || !scan_exponent(s + 1, end, &e))
        return false;
    d->exponent += e;
    return true;
}

/* --- whole numbers without a sign, which most readings and many times are ----------------- */

static bool is_eight_digits(uint64_t word)
{
    const uint64_t zeros = UINT64_C(0x3030303030303030), high = UINT64_C(0xF0F0F0F0F0F0F0F0);
    return (word & high) == zeros && ((word + UINT64_C(0x0606060606060606)) & high) == zeros;
}

/* The number of eight digits, of which the first is the lowest byte: neighbours are joined to
 * numbers of two, four, and eight digits. */
static uint64_t value_of_eight(uint64_t word)
{
    word -= UINT64_C(0x3030303030303030);
    word = word * 10 + (word >> 8);
    uint64_t odd = word & UINT64_C(0x000000FF000000FF);
    uint64_t even = word >> 16 & UINT64_C(0x000000FF000000FF);
    return (uint32_t)((odd * (100 + (UINT64_C(1000000) << 32)) +
                       even * (1 + (UINT64_C(10000) << 32))) >>
                      32);
}

/* 1 to 18 digits and nothing else. */
static bool quick_whole(uint64_t *out, const char *s, size_t length)
{
    uint64_t value = 0;
    if (length < 1 || length > 18)
        return false;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (uint64_t word; length >= 8; s += 8, length -= 8) {
        memcpy(&word, s, sizeof word);
        if (!is_eight_digits(word))
            return false;
        value = value * 100000000 + value_of_eight(word);
    }
#endif
    for (; length; s++, length--) {
        unsigned digit = (unsigned char)*s - (unsigned)'0';
        if (digit > 9)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

/* --- readings ----------------------------------------------------------------------------- */

/* Powers of ten that a long double holds exactly, with as many as its mantissa has room for. */
#if LDBL_MANT_DIG >= 64
enum { EXACT_POWERS = 28, EXACT_BITS = 64 };
#else
enum { EXACT_POWERS = 23, EXACT_BITS = 53 };
#endif

static const long double powers[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,
                                     1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
                                     1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L,
                                     1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};

/* X lies exactly between two floats, of which F is one. */
static bool is_midpoint(long double x, float f)
{
    if (x == (long double)f)
        return false;
    float g = nextafterf(f, x > (long double)f ? INFINITY : 0);
    return x == ((long double)f + (long double)g) / 2;
}

/* One rounding to long double, one to float: the same as a single correct rounding unless the first
 * one landed on the midpoint of two floats, which then is left to the slow way. */
static bool quick_float(float *out, const struct decimal *d)
{
    long e = d->exponent;
    if (!d->short_form || e <= -EXACT_POWERS || e >= EXACT_POWERS)
        return false;
    if (EXACT_BITS < 64 && d->mantissa >> (EXACT_BITS - 1))
        return false;
    long double m = (long double)d->mantissa;
    long double x = e < 0 ? m / powers[-e] : m * powers[e];
    if (x > (long double)FLT_MAX)
        return false;
    *out = (float)x;
    return !is_midpoint(x, *out);
}

/* Digits and an exponent without a point read the same in every locale. No midpoint of two floats
 * has more than 113 significant digits, so that beyond KEPT of them it only matters whether
 * anything follows. */
static float slow_float(const struct decimal *d)
{
    enum { KEPT = 160 };
    char text[KEPT + 32];
    size_t n = 0;
    long exponent = d->exponent;
    bool more = false;
    for (const char *s = d->from; s < d->to; s++) {
        if (*s == '.')
            continue;
        if (n < KEPT) {
            text[n++] = *s;
        } else {
            more |= *s != '0';
            exponent++;
        }
    }
    if (more) {
        text[n++] = '1';
        exponent--;
    }
    snprintf(text + n, sizeof text - n, "e%ld", exponent);
    int before = errno;
    float f = strtof(text, NULL);
    errno = before;
    return f;
}

const char *kb_value_parse(float *out, const char *s, size_t length)
{
    struct decimal d;
    uint64_t whole;
    if (quick_whole(&whole, s, length) && whole <= 1 << FLT_MANT_DIG) {
        *out = (float)whole;
        return NULL;
    }
    if (!scan_decimal(&d, s, length))
        return "not a number";
    if (d.zero) {
        *out = 0;
        return NULL;
    }
    if (d.negative)
        return "negative";
    float f;
    if (!quick_float(&f, &d))
        f = slow_float(&d);
    if (f > FLT_MAX)
        return "larger than FLT_MAX";
    *out = f > 0 ? f : nextafterf(0, 1);
    return NULL;
}

/* --- points in time ----------------------------------------------------------------------- */

static const char out_of_range[] = "out of range";
static const char not_a_time[] = "neither a number nor ISO 8601";

/* +-(whole + atto * 1e-18), and less by LOST (something below 1e-18 was cut off): rounded towards
 * minus infinity. */
static const char *signed_time(kb_time *out, bool negative, uint64_t whole, uint64_t atto,
                               bool lost)
{
    if (whole > INT64_MAX)
        return out_of_range;
    if (!negative) {
        *out = (kb_time){(int64_t)whole, atto};
        return NULL;
    }
    atto += lost;
    int64_t w = -(int64_t)whole;
    if (atto == ATTO)
        *out = (kb_time){w - 1, 0};
    else if (atto)
        *out = (kb_time){w - 1, ATTO - atto};
    else
        *out = (kb_time){w, 0};
    return NULL;
}

static const uint64_t tens[] = {UINT64_C(1),
                                UINT64_C(10),
                                UINT64_C(100),
                                UINT64_C(1000),
                                UINT64_C(10000),
                                UINT64_C(100000),
                                UINT64_C(1000000),
                                UINT64_C(10000000),
                                UINT64_C(100000000),
                                UINT64_C(1000000000),
                                UINT64_C(10000000000),
                                UINT64_C(100000000000),
                                UINT64_C(1000000000000),
                                UINT64_C(10000000000000),
                                UINT64_C(100000000000000),
                                UINT64_C(1000000000000000),
                                UINT64_C(10000000000000000),
                                UINT64_C(100000000000000000),
                                ATTO};

/* Digit by digit, each by its weight: 10^w. */
static const char *long_time(kb_time *out, const struct decimal *d)
{
    long w = d->exponent - 1;
    for (const char *s = d->from; s < d->to; s++)
        w += *s != '.';
    uint64_t whole = 0, atto = 0;
    bool lost = false;
    if (w > 18)
        return out_of_range;
    for (const char *s = d->from; s < d->to; s++) {
        if (*s == '.')
            continue;
        uint64_t digit = (uint64_t)(*s - '0');
        if (w >= 0)
            whole += digit * tens[w];
        else if (w >= -18)
            atto += digit * tens[18 + w];
        else
            lost |= digit != 0;
        w--;
    }
    return signed_time(out, d->negative, whole, atto, lost);
}

static const char *decimal_time(kb_time *out, const struct decimal *d)
{
    if (d->zero) {
        *out = (kb_time){0, 0};
        return NULL;
    }
    if (!d->short_form || d->exponent > 0 || d->exponent < -18)
        return long_time(out, d);
    if (d->exponent == 0)
        return signed_time(out, d->negative, d->mantissa, 0, false);
    uint64_t unit = tens[-d->exponent];
    uint64_t whole = d->mantissa / unit, rest = d->mantissa % unit;
    return signed_time(out, d->negative, whole, rest * tens[18 + d->exponent], false);
}

/* Exactly N digits at *S, which moves behind them; -1: not there. */
static int take_digits(const char **s, const char *end, int n)
{
    int value = 0;
    if (end - *s < n)
        return -1;
    for (int i = 0; i < n; i++, (*s)++) {
        if (!is_digit(**s))
            return -1;
        value = value * 10 + (**s - '0');
    }
    return value;
}

static bool take_char(const char **s, const char *end, char c)
{
    if (*s == end || **s != c)
        return false;
    (*s)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar; years are counted from March, so that a
 * leap day comes last. */
static int64_t days_from_epoch(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool take_date(const char **s, const char *end, int64_t *days)
{
    int year = take_digits(s, end, 4);
    if (year < 0 || !take_char(s, end, '-'))
        return false;
    int month = take_digits(s, end, 2);
    if (month < 1 || month > 12 || !take_char(s, end, '-'))
        return false;
    int day = take_digits(s, end, 2);
    if (day < 1 || day > days_in_month(year, month))
        return false;
    *days = days_from_epoch(year, month, day);
    return true;
}

/* Behind the seconds' point or comma: digits, those after the 18th cut off. */
static bool take_fraction(const char **s, const char *end, uint64_t *atto)
{
    const char *start = *s;
    uint64_t unit = ATTO;
    for (; *s < end && is_digit(**s); (*s)++) {
        unit /= 10;
        *atto += unit * (uint64_t)(**s - '0');
    }
    return *s > start;
}

/* hh:mm, then optionally :ss (60 is a leap second) and a fraction. */
static bool take_clock(const char **s, const char *end, int64_t *seconds, uint64_t *atto)
{
    int hour = take_digits(s, end, 2);
    if (hour < 0 || hour > 23 || !take_char(s, end, ':'))
        return false;
    int minute = take_digits(s, end, 2), second = 0;
    if (minute < 0 || minute > 59)
        return false;
    if (take_char(s, end, ':')) {
        second = take_digits(s, end, 2);
        if (second < 0 || second > 60)
            return false;
        if ((take_char(s, end, '.') || take_char(s, end, ',')) && !take_fraction(s, end, atto))
            return false;
    }
    *seconds = (hour * 60 + minute) * 60 + second;
    return true;
}

/* Z, +hh:mm, +hhmm, +hh, or nothing, up to the end. */
static bool take_offset(const char **s, const char *end, int64_t *seconds)
{
    *seconds = 0;
    if (*s == end || take_char(s, end, 'Z'))
        return *s == end;
    bool west = **s == '-';
    if (!take_char(s, end, '+') && !take_char(s, end, '-'))
        return false;
    int hours = take_digits(s, end, 2), minutes = 0;
    if (hours < 0 || hours > 23)
        return false;
    if (*s < end) {
        take_char(s, end, ':');
        minutes = take_digits(s, end, 2);
    }
    if (minutes < 0 || minutes > 59)
        return false;
    *seconds = (hours * 60 + minutes) * 60;
    if (west)
        *seconds = -*seconds;
    return *s == end;
}

static bool iso_time(kb_time *out, const char *s, size_t length)
{
    const char *end = s + length;
    int64_t days, clock = 0, offset = 0;
    uint64_t atto = 0;
    if (!take_date(&s, end, &days))
        return false;
    if (s < end) {
        if (!take_char(&s, end, 'T') && !take_char(&s, end, ' '))
            return false;
        if (!take_clock(&s, end, &clock, &atto) || !take_offset(&s, end, &offset))
            return false;
    }
    *out = (kb_time){days * 86400 + clock - offset, atto};
    return true;
}

const char *kb_time_parse(kb_time *out, const char *s, size_t length)
{
    struct decimal d;
    uint64_t whole;
    if (quick_whole(&whole, s, length)) {
        *out = (kb_time){(int64_t)whole, 0};
        return NULL;
    }
    if (scan_decimal(&d, s, length))
        return decimal_time(out, &d);
    return iso_time(out, s, length) ? NULL : not_a_time;
}

double kb_time_to_double(kb_time t)
{
    return (double)((long double)t.whole + (long double)t.atto * 1e-18L);
}

char *kb_time_format(kb_time t, char *buffer, size_t size)
{
    bool negative = t.whole < 0;
    uint64_t whole = negative ? -(uint64_t)t.whole : (uint64_t)t.whole, atto = t.atto;
    if (negative && atto) {
        whole--;
        atto = ATTO - atto;
    }
    int n = snprintf(buffer, size, "%s%" PRIu64, negative ? "-" : "", whole);
    if (!atto || n < 0 || (size_t)n >= size)
        return buffer;
    int digits = 18;
    for (; atto % 10 == 0; atto /= 10)
        digits--;
    snprintf(buffer + n, size - (size_t)n, ".%0*" PRIu64, digits, atto);
    return buffer;
}

/* --- UTF-8 -------------------------------------------------------------------------------- */

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* The length of the character at S (not ASCII, LEFT bytes there), 0 when it is none: the table of
 * RFC 3629, section 4. */
static size_t character(const unsigned char *s, size_t left)
{
    unsigned char c = s[0];
    if (c >= 0xC2 && c <= 0xDF)
        return left >= 2 && is_tail(s[1]) ? 2 : 0;
    if (c >= 0xE0 && c <= 0xEF) {
        unsigned char low = c == 0xE0 ? 0xA0 : 0x80, high = c == 0xED ? 0x9F : 0xBF;
        return left >= 3 && s[1] >= low && s[1] <= high && is_tail(s[2]) ? 3 : 0;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        unsigned char low = c == 0xF0 ? 0x90 : 0x80, high = c == 0xF4 ? 0x8F : 0xBF;
        return left >= 4 && s[1] >= low && s[1] <= high && is_tail(s[2]) && is_tail(s[3]) ? 4 : 0;
    }
    return 0;
}

bool kb_utf8_valid(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text, *end = s + length;
    while (s < end) {
        uint64_t word;
        if (end - s >= 8 && (memcpy(&word, s, 8), !(word & UINT64_C(0x8080808080808080)))) {
            s += 8;
        } else if (*s < 0x80) {
            s++;
        } else {
            size_t n = character(s, (size_t)(end - s));
            if (!n)
                return false;
            s += n;
        }
    }
    return true;
}
