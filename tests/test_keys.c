/* keys and prompt: one table for bindings, help, hints and names; the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "keys.h"
#include "prompt.h"

/* --- keys --- */
static void narrow_scopes_win_over_wide_ones(void **state)
{
    kb_keys keys;
    (void)state;
    kb_keys_init(&keys);
    assert_int_equal(kb_keys_find(&keys, KB_IN_LIST, KB_KEY_TAB), KB_DO_NEXT_VIEW);
    assert_int_equal(kb_keys_find(&keys, KB_IN_LIST | KB_IN_CLUSTER, KB_KEY_TAB), KB_DO_SIBLING);
    assert_int_equal(kb_keys_find(&keys, KB_IN_LIST, 's'), KB_DO_SORT_REVERSE);
    assert_int_equal(kb_keys_find(&keys, KB_IN_LIST | KB_IN_CLUSTER, 's'), KB_DO_SESSIONS);
    assert_int_equal(kb_keys_find(&keys, KB_IN_MAP, '+'), KB_DO_MORE);
    assert_int_equal(kb_keys_find(&keys, KB_IN_LIST, '+'), KB_DO_NOTHING);
    assert_int_equal(kb_keys_find(&keys, 0, 'q'), KB_DO_QUIT);
}

/* Within one scope a key has one meaning, and of two scopes that views combine neither hides a key
 * of the other by the order of the table. */
static void no_key_is_bound_twice_in_a_scope(void **state)
{
    kb_keys keys;
    (void)state;
    kb_keys_init(&keys);
    for (size_t i = 0; i < keys.count; i++)
        for (size_t j = 0; j < i; j++)
            if (keys.items[i].key == keys.items[j].key &&
                keys.items[i].scope == keys.items[j].scope)
                fail_msg("key %d is bound twice in scope %u", (int)keys.items[i].key,
                         keys.items[i].scope);
}

static void every_key_has_a_name_that_leads_back_to_it(void **state)
{
    kb_keys keys;
    char name[16];
    (void)state;
    kb_keys_init(&keys);
    for (size_t i = 0; i < keys.count; i++)
        assert_int_equal(kb_key_parse(kb_key_name(keys.items[i].key, name, sizeof name)),
                         keys.items[i].key);
    assert_int_equal(kb_key_parse("F12"), KB_KEY_F12);
    assert_int_equal(kb_key_parse("F13"), KB_KEY_NONE);
    assert_int_equal(kb_key_parse("C-l"), 12);
    assert_int_equal(kb_key_parse("é"), 0xE9);
    assert_int_equal(kb_key_parse(""), KB_KEY_NONE);
    assert_int_equal(kb_key_parse("Nonsense"), KB_KEY_NONE);
}

static void every_command_has_a_name_that_leads_back_to_it(void **state)
{
    kb_keys keys;
    (void)state;
    kb_keys_init(&keys);
    for (size_t i = 0; i < keys.count; i++)
        assert_int_equal(kb_do_parse(kb_do_name(keys.items[i].command)), keys.items[i].command);
}

static void a_key_can_be_bound_to_another_command(void **state)
{
    kb_keys keys;
    char hints[256];
    (void)state;
    kb_keys_init(&keys);
    assert_null(kb_keys_bind(&keys, "F5", "retrain"));
    assert_int_equal(kb_keys_find(&keys, KB_IN_WORK, KB_KEY_F1 + 4), KB_DO_RETRAIN);
    assert_null(kb_keys_bind(&keys, "q", "keys"));
    assert_int_equal(kb_keys_find(&keys, 0, 'q'), KB_DO_HELP);
    assert_non_null(kb_keys_bind(&keys, "NoKey", "retrain"));
    assert_non_null(kb_keys_bind(&keys, "F5", "no-command"));
    /* Nothing leads out by a key any more, so the hints do not claim it. */
    kb_keys_hints(&keys, 0, 80, hints, sizeof hints);
    assert_null(strstr(hints, "quit"));
}

static void help_shows_a_key_only_where_it_works(void **state)
{
    kb_keys keys;
    kb_help_line lines[128];
    (void)state;
    kb_keys_init(&keys);
    size_t count = kb_keys_help(&keys, KB_IN_LIST | KB_IN_CLUSTER, lines, 128);
    for (size_t i = 0; i < count; i++) {
        if (lines[i].command == KB_DO_SORT_REVERSE)
            assert_string_equal(lines[i].keys, "S"); /* s is taken by the cluster's sessions */
        assert_int_not_equal(lines[i].command, KB_DO_NEXT_VIEW);
        assert_int_not_equal(lines[i].command, KB_DO_RECALIBRATE);
    }
    assert_true(count > 20);
}

static void hints_fit_and_always_say_how_to_leave(void **state)
{
    kb_keys keys;
    char hints[512];
    (void)state;
    kb_keys_init(&keys);
    for (int cols = 16; cols < 250; cols++) {
        size_t length = kb_keys_hints(&keys, KB_IN_LIST | KB_IN_CLUSTER, cols, hints, sizeof hints);
        assert_int_equal(length, strlen(hints));
        assert_true(length <= (size_t)cols);
        assert_non_null(strstr(hints, "q quit"));
        assert_non_null(strstr(hints, "? help"));
    }
}

/* --- the line --- */
static void press(kb_prompt *prompt, const char *keys)
{
    for (; *keys; keys++)
        kb_prompt_key(prompt, (unsigned char)*keys);
}

static void the_line_is_edited_by_characters_not_bytes(void **state)
{
    kb_prompt prompt;
    (void)state;
    kb_prompt_set(&prompt, "");
    kb_prompt_key(&prompt, 'a');
    kb_prompt_key(&prompt, 0x6F22);
    kb_prompt_key(&prompt, 'b');
    assert_string_equal(prompt.text, "a漢b");
    kb_prompt_key(&prompt, KB_KEY_LEFT);
    kb_prompt_key(&prompt, KB_KEY_BACKSPACE);
    assert_string_equal(prompt.text, "ab");
    kb_prompt_key(&prompt, KB_KEY_HOME);
    kb_prompt_key(&prompt, KB_KEY_DELETE);
    assert_string_equal(prompt.text, "b");
    kb_prompt_key(&prompt, KB_KEY_END);
    press(&prompt, " two  three");
    kb_prompt_key(&prompt, 23); /* C-w */
    assert_string_equal(prompt.text, "b two  ");
    kb_prompt_key(&prompt, 21); /* C-u */
    assert_string_equal(prompt.text, "");
    kb_prompt_key(&prompt, KB_KEY_BACKSPACE);
    assert_int_equal(prompt.length, 0);
    assert_false(kb_prompt_key(&prompt, KB_KEY_ENTER));
    assert_false(kb_prompt_key(&prompt, KB_KEY_UP));
}

static void a_line_that_is_full_takes_no_more(void **state)
{
    kb_prompt prompt;
    (void)state;
    kb_prompt_set(&prompt, "");
    for (int i = 0; i < 2 * KB_PROMPT_MAX; i++)
        kb_prompt_key(&prompt, 0x6F22);
    assert_true(prompt.length < KB_PROMPT_MAX);
    assert_int_equal(prompt.length % 3, 0);
    assert_int_equal(strlen(prompt.text), prompt.length);
}

static void orders_are_taken_apart(void **state)
{
    (void)state;
    kb_order_line line = kb_order_parse("  export!   some file.csv");
    assert_int_equal(line.order, KB_ORDER_EXPORT);
    assert_true(line.forced);
    assert_string_equal(line.argument, "some file.csv");
    assert_int_equal(kb_order_parse("q").order, KB_ORDER_QUIT);
    assert_int_equal(kb_order_parse("w x").order, KB_ORDER_WRITE);
    assert_int_equal(kb_order_parse("k 4").order, KB_ORDER_K);
    assert_int_equal(kb_order_parse("").order, KB_ORDER_NONE);
    assert_int_equal(kb_order_parse("frobnicate").order, KB_ORDER_UNKNOWN);
    assert_int_equal(kb_order_parse("helpme").order, KB_ORDER_UNKNOWN);
    assert_false(kb_order_parse("write x").forced);
}

static const char *fruit(void *ctx, kb_order order, size_t i)
{
    static const char *const names[] = {"apple", "apricot", "banana"};
    (void)ctx;
    assert_int_equal(order, KB_ORDER_GOTO);
    return i < 3 ? names[i] : NULL;
}

static void completion_goes_as_far_as_all_agree(void **state)
{
    kb_prompt prompt;
    char shown[128];
    (void)state;
    kb_prompt_set(&prompt, "go");
    assert_int_equal(kb_prompt_complete(&prompt, fruit, NULL, shown, sizeof shown), 1);
    assert_string_equal(prompt.text, "goto ");
    press(&prompt, "a");
    assert_int_equal(kb_prompt_complete(&prompt, fruit, NULL, shown, sizeof shown), 2);
    assert_string_equal(prompt.text, "goto ap");
    assert_string_equal(shown, "apple  apricot");
    press(&prompt, "r");
    assert_int_equal(kb_prompt_complete(&prompt, fruit, NULL, shown, sizeof shown), 1);
    assert_string_equal(prompt.text, "goto apricot");
    press(&prompt, "x");
    assert_int_equal(kb_prompt_complete(&prompt, fruit, NULL, shown, sizeof shown), 0);
    assert_string_equal(prompt.text, "goto apricotx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(narrow_scopes_win_over_wide_ones),
        cmocka_unit_test(no_key_is_bound_twice_in_a_scope),
        cmocka_unit_test(every_key_has_a_name_that_leads_back_to_it),
        cmocka_unit_test(every_command_has_a_name_that_leads_back_to_it),
        cmocka_unit_test(a_key_can_be_bound_to_another_command),
        cmocka_unit_test(help_shows_a_key_only_where_it_works),
        cmocka_unit_test(hints_fit_and_always_say_how_to_leave),
        cmocka_unit_test(the_line_is_edited_by_characters_not_bytes),
        cmocka_unit_test(a_line_that_is_full_takes_no_more),
        cmocka_unit_test(orders_are_taken_apart),
        cmocka_unit_test(completion_goes_as_far_as_all_agree),
    };
    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
