/* number: decimals and points in time. The C library's strtof (in the C locale) is the reference
 * for readings; points in time are checked against values worked out by another calendar
 * implementation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "rng.h"

#define HALF UINT64_C(500000000000000000)
#define MOST UINT64_C(999999999999999999)

static void value_is(const char *text, float expected)
{
    float value = -1;
    const char *wrong = kb_value_parse(&value, text, strlen(text));
    if (wrong)
        fail_msg("%s: %s", text, wrong);
    if (memcmp(&value, &expected, sizeof value) != 0)
        fail_msg("%s: %.9g instead of %.9g", text, (double)value, (double)expected);
}

static void readings_are_read(void **state)
{
    (void)state;
    value_is("0", 0);
    value_is("-0", 0);
    value_is("-0.000e7", 0);
    value_is("+12", 12);
    value_is("007.50", 7.5f);
    value_is(".5", 0.5f);
    value_is("5.", 5);
    value_is("1.5e3", 1500);
    value_is("25E-1", 2.5f);
    value_is("16777217", 16777216); /* a tie, to even */
    value_is("16777219", 16777220);
    value_is("340282346638528859811704183484516925440", FLT_MAX);
    value_is("3.40282347e+38", FLT_MAX);
    value_is("1e-45", FLT_TRUE_MIN);
}

static void a_positive_reading_never_becomes_zero(void **state)
{
    (void)state;
    value_is("1e-46", FLT_TRUE_MIN);
    value_is("1e-999999999999", FLT_TRUE_MIN);
    value_is("0.00000000000000000000000000000000000000000000000000000000001", FLT_TRUE_MIN);
}

static void value_is_refused(const char *text, const char *reason)
{
    float value;
    const char *wrong = kb_value_parse(&value, text, strlen(text));
    if (!wrong)
        fail_msg("'%s' was read as %g", text, (double)value);
    assert_string_equal(wrong, reason);
}

static void what_is_no_reading_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",  " ", " 1",    "1 ",  "nan", "inf", "-inf",  "0x10", "1e",  "1e+",  "e5", ".",
        "-", "+", "1.2.3", "1,5", "--1", "1f",  "1e5.0", "1_0",  "1\t", "NULL", "-."};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        value_is_refused(texts[i], "not a number");
    value_is_refused("-4", "negative");
    value_is_refused("-1e-99999", "negative");
    value_is_refused("1e999", "larger than FLT_MAX");
    value_is_refused("3.4028236e38", "larger than FLT_MAX");
    value_is_refused("1e99999999999999999999", "larger than FLT_MAX");
    float value;
    assert_non_null(kb_value_parse(&value, "1\0", 2)); /* all of the bytes count */
}

static void expect_same_as_strtof(const char *text)
{
    float expected = strtof(text, NULL), value;
    if (isinf(expected)) {
        assert_non_null(kb_value_parse(&value, text, strlen(text)));
        return;
    }
    value_is(text, expected > 0 ? expected : FLT_TRUE_MIN);
}

static void readings_are_rounded_like_the_c_library_does(void **state)
{
    (void)state;
    kb_rng rng = kb_rng_start(3, KB_STREAM_TEST);
    for (int i = 0; i < 50000; i++) {
        char text[96];
        int n = 0, digits = 1 + (int)kb_rng_below(&rng, 40);
        int point = (int)kb_rng_below(&rng, (uint64_t)digits);
        text[n++] = (char)('1' + kb_rng_below(&rng, 9));
        for (int d = 1; d < digits; d++) {
            if (d == point)
                text[n++] = '.';
            text[n++] = (char)('0' + kb_rng_below(&rng, 10));
        }
        text[n] = '\0';
        if (kb_rng_below(&rng, 2))
            snprintf(text + n, sizeof text - (size_t)n, "e%d", (int)kb_rng_below(&rng, 100) - 50);
        expect_same_as_strtof(text);
    }
}

/* The exact decimal of the midpoint of two neighbouring floats, and the numbers right beside it. */
static void midpoints_are_rounded_exactly(void **state)
{
    (void)state;
    volatile long double one = 1, sum = one + 0x1p-60L;
    if (LDBL_MANT_DIG > DBL_MANT_DIG && sum == one) {
        print_message("valgrind computes long double as double, and rounds twice\n");
        skip();
    }
    kb_rng rng = kb_rng_start(4, KB_STREAM_TEST);
    for (int i = 0; i < 20000; i++) {
        float f = (float)exp(kb_rng_uniform(&rng) * 60 - 40);
        double middle = ((double)f + (double)nextafterf(f, INFINITY)) / 2;
        char text[256];
        int n = snprintf(text, sizeof text, "%.90f", middle);
        expect_same_as_strtof(text);
        text[n++] = '1'; /* a little more than the midpoint */
        text[n] = '\0';
        expect_same_as_strtof(text);
        snprintf(text, sizeof text, "%.19g", nextafter(middle, 0));
        expect_same_as_strtof(text);
        snprintf(text, sizeof text, "%.19g", middle);
        expect_same_as_strtof(text);
    }
}

static void time_is(const char *text, int64_t whole, uint64_t atto)
{
    kb_time t = {-1, 7};
    const char *wrong = kb_time_parse(&t, text, strlen(text));
    if (wrong)
        fail_msg("%s: %s", text, wrong);
    if (t.whole != whole || t.atto != atto)
        fail_msg("%s: %lld + %llu", text, (long long)t.whole, (unsigned long long)t.atto);
}

static void times_are_exact_to_eighteen_digits(void **state)
{
    (void)state;
    time_is("0", 0, 0);
    time_is("-0", 0, 0);
    time_is("1700000050", 1700000050, 0);
    time_is("1.5", 1, HALF);
    time_is("1e3", 1000, 0);
    time_is("12.5e-1", 1, HALF / 2);
    time_is("0.000000000000000001", 0, 1);
    time_is("9223372036854775807.999999999999999999", INT64_MAX, MOST);
    time_is("0.1234567890123456789", 0, UINT64_C(123456789012345678));
    time_is("000000000000000000000000000000000000001", 1, 0);
    time_is("123456789012345678901e-3", INT64_C(123456789012345678), UINT64_C(901000000000000000));
}

static void whole_numbers_of_any_length_are_exact(void **state)
{
    (void)state;
    kb_rng rng = kb_rng_start(3, KB_STREAM_TEST);
    uint64_t most = 1;
    for (int digits = 1; digits <= 18; digits++) {
        most *= 10;
        for (int i = 0; i < 200; i++) {
            uint64_t number = i ? kb_rng_below(&rng, most) : most - 1;
            char text[32];
            snprintf(text, sizeof text, "%0*" PRIu64, digits, number);
            time_is(text, (int64_t)number, 0);
            float value;
            assert_null(kb_value_parse(&value, text, strlen(text)));
            assert_true(value == strtof(text, NULL));
            size_t at = (size_t)kb_rng_below(&rng, (uint64_t)digits);
            text[at] = "/:;0x\xB0"[kb_rng_below(&rng, 6)];
            kb_time time;
            assert_true(text[at] == '0' || kb_time_parse(&time, text, strlen(text)));
            assert_true(text[at] == '0' || kb_value_parse(&value, text, strlen(text)));
        }
    }
}

static void negative_times_round_down(void **state)
{
    (void)state;
    time_is("-1", -1, 0);
    time_is("-0.5", -1, HALF);
    time_is("-1.25", -2, HALF + HALF / 2);
    time_is("-0.000000000000000001", -1, MOST);
    time_is("-0.0000000000000000001", -1, MOST);
    time_is("-0.9999999999999999991", -1, 0);
    time_is("-9223372036854775807.5", INT64_MIN, HALF);
}

/* Expected seconds: Python's datetime. */
static void iso_times_are_read(void **state)
{
    (void)state;
    time_is("2026-05-01T10:00:00.250Z", 1777629600, HALF / 2);
    time_is("2026-05-01 10:00:00,25", 1777629600, HALF / 2);
    time_is("2026-05-01T10:00Z", 1777629600, 0);
    time_is("2026-05-01T15:30:00+05:30", 1777629600, 0);
    time_is("2026-05-01T15:30:00+0530", 1777629600, 0);
    time_is("2026-05-01T03:00:00-07", 1777629600, 0);
    time_is("1969-12-31T23:59:59.5Z", -1, HALF);
    time_is("2000-02-29", 951782400, 0);
    time_is("1600-03-01T00:00:00Z", -11670912000, 0);
    time_is("9999-12-31T23:59:59Z", 253402300799, 0);
    time_is("0000-01-01", -62167219200, 0);
    time_is("2016-12-31T23:59:60Z", 1483228800, 0);
    time_is("2026-05-01T10:00:00.0000000000000000019Z", 1777629600, 1);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "abc",
                                        " 1",
                                        "1 ",
                                        "nan",
                                        "inf",
                                        "0x1",
                                        "2026-5-01",
                                        "2026-13-01",
                                        "2026-00-10",
                                        "2026-02-29",
                                        "1900-02-29",
                                        "2026-04-31",
                                        "2026-05-01T",
                                        "2026-05-01T10",
                                        "2026-05-01T24:00",
                                        "2026-05-01T10:60",
                                        "2026-05-01T10:00:61",
                                        "2026-05-01T10:00:00.",
                                        "2026-05-01T10:00:00ZZ",
                                        "2026-05-01T10:00:00+5",
                                        "2026-05-01T10:00:00+05:",
                                        "2026-05-01X10:00:00",
                                        "2026-05-01Z",
                                        "9223372036854775808",
                                        "-9223372036854775808",
                                        "1e19",
                                        "1e99999999999"};
    kb_time t;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!kb_time_parse(&t, texts[i], strlen(texts[i])))
            fail_msg("'%s' was read as %lld", texts[i], (long long)t.whole);
}

static void times_compare_as_numbers(void **state)
{
    (void)state;
    static const char *const rising[] = {"-2",  "-1.5", "-1", "-0.000000000000000001", "0", "1e-18",
                                         "0.5", "1",    "10", "100.000000000000000001"};
    for (size_t i = 0; i + 1 < sizeof rising / sizeof *rising; i++) {
        kb_time a, b;
        assert_null(kb_time_parse(&a, rising[i], strlen(rising[i])));
        assert_null(kb_time_parse(&b, rising[i + 1], strlen(rising[i + 1])));
        assert_true(kb_time_compare(a, b) < 0);
        assert_true(kb_time_compare(b, a) > 0);
        assert_int_equal(kb_time_compare(a, a), 0);
        assert_true(kb_time_to_double(a) <= kb_time_to_double(b));
    }
}

static void formatted_times_parse_back(void **state)
{
    (void)state;
    char text[64];
    assert_string_equal(kb_time_format((kb_time){-1, HALF}, text, sizeof text), "-0.5");
    assert_string_equal(kb_time_format((kb_time){12, 0}, text, sizeof text), "12");
    assert_string_equal(kb_time_format((kb_time){0, 1}, text, sizeof text), "0.000000000000000001");
    kb_rng rng = kb_rng_start(5, KB_STREAM_TEST);
    for (int i = 0; i < 10000; i++) {
        int64_t whole = (int64_t)(kb_rng_below(&rng, UINT64_MAX) >> kb_rng_below(&rng, 63));
        uint64_t atto = kb_rng_below(&rng, MOST + 1);
        if (kb_rng_below(&rng, 2))
            atto -= atto % 1000000000000;
        if (whole == INT64_MIN)
            whole++;
        kb_time_format((kb_time){whole, atto}, text, sizeof text);
        time_is(text, whole, atto);
    }
}

static void utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "plain ASCII, longer than a word",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "0123456\xC3\xA9"};
    static const char *const bad[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC3",
                                      "\xC3(",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xE2\x82",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "01234567\xFE",
                                      "\xF0\x90\x80"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(kb_utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(kb_utf8_valid(bad[i], strlen(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_are_read),
        cmocka_unit_test(a_positive_reading_never_becomes_zero),
        cmocka_unit_test(what_is_no_reading_is_refused),
        cmocka_unit_test(readings_are_rounded_like_the_c_library_does),
        cmocka_unit_test(midpoints_are_rounded_exactly),
        cmocka_unit_test(times_are_exact_to_eighteen_digits),
        cmocka_unit_test(whole_numbers_of_any_length_are_exact),
        cmocka_unit_test(negative_times_round_down),
        cmocka_unit_test(iso_times_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(times_compare_as_numbers),
        cmocka_unit_test(formatted_times_parse_back),
        cmocka_unit_test(utf8_is_told_from_other_bytes),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
