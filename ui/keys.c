#include "keys.h"

#include <stdio.h>
#include <string.h>

#include "canvas.h"

/* --- names of keys ------------------------------------------------------------------------ */
static const struct {
    int32_t key;
    const char *name;
} key_names[] = {
    {KB_KEY_TAB, "Tab"},
    {KB_KEY_ENTER, "Enter"},
    {KB_KEY_ESCAPE, "Esc"},
    {KB_KEY_BACKSPACE, "Backspace"},
    {' ', "Space"},
    {KB_KEY_UP, "Up"},
    {KB_KEY_DOWN, "Down"},
    {KB_KEY_LEFT, "Left"},
    {KB_KEY_RIGHT, "Right"},
    {KB_KEY_SHIFT_UP, "S-Up"},
    {KB_KEY_SHIFT_DOWN, "S-Down"},
    {KB_KEY_SHIFT_LEFT, "S-Left"},
    {KB_KEY_SHIFT_RIGHT, "S-Right"},
    {KB_KEY_PAGE_UP, "PgUp"},
    {KB_KEY_PAGE_DOWN, "PgDn"},
    {KB_KEY_HOME, "Home"},
    {KB_KEY_END, "End"},
    {KB_KEY_DELETE, "Del"},
    {KB_KEY_BACK_TAB, "S-Tab"},
};

enum { KEY_NAMES = sizeof key_names / sizeof *key_names };

const char *kb_key_name(int32_t key, char *text, size_t size)
{
    for (size_t i = 0; i < KEY_NAMES; i++)
        if (key_names[i].key == key)
            return key_names[i].name;
    if (key >= KB_KEY_F1 && key <= KB_KEY_F12) {
        snprintf(text, size, "F%d", key - KB_KEY_F1 + 1);
    } else if (key > 0 && key < ' ') {
        snprintf(text, size, "C-%c", key + 'a' - 1);
    } else {
        char bytes[4] = {0};
        int length = (int)kb_utf8_encode((char32_t)key, bytes);
        snprintf(text, size, "%.*s", length, bytes);
    }
    return text;
}

int32_t kb_key_parse(const char *name)
{
    int number;
    char rest;
    char32_t c;
    for (size_t i = 0; i < KEY_NAMES; i++)
        if (strcmp(key_names[i].name, name) == 0)
            return key_names[i].key;
    if (sscanf(name, "F%d%c", &number, &rest) == 1 && number >= 1 && number <= 12)
        return KB_KEY_F1 + number - 1;
    if (name[0] == 'C' && name[1] == '-' && name[2] >= 'a' && name[2] <= 'z' && !name[3])
        return name[2] - 'a' + 1;
    size_t length = kb_utf8_decode(name, &c);
    return length && !name[length] && c >= ' ' ? (int32_t)c : KB_KEY_NONE;
}

/* --- the table ---------------------------------------------------------------------------- */
enum { KEYS_MAX = 4 };

struct row {
    kb_do command;
    unsigned scope;
    int32_t keys[KEYS_MAX];
    const char *name, *text, *hint;
};

/* In the order of the help, narrow scopes first. A command may stand here once for each of its
 * scopes. */
static const struct row table[] = {
    {KB_DO_OPEN, KB_IN_MAP, {KB_KEY_ENTER}, "open", "open the session at the crosshair", "open"},
    {KB_DO_UP, KB_IN_MAP, {KB_KEY_UP, 'k'}, "up", "move the crosshair up", NULL},
    {KB_DO_DOWN, KB_IN_MAP, {KB_KEY_DOWN, 'j'}, "down", "move the crosshair down", NULL},
    {KB_DO_LEFT, KB_IN_MAP, {KB_KEY_LEFT, 'h'}, "left", "move the crosshair left", NULL},
    {KB_DO_RIGHT, KB_IN_MAP, {KB_KEY_RIGHT, 'l'}, "right", "move the crosshair right", NULL},
    {KB_DO_MORE, KB_IN_MAP, {'+', '='}, "more", "zoom in", "zoom"},
    {KB_DO_LESS, KB_IN_MAP, {'-'}, "less", "zoom out", NULL},
    {KB_DO_RESET, KB_IN_MAP, {'0'}, "reset", "show the whole map", "all"},
    {KB_DO_PAN_UP, KB_IN_MAP, {KB_KEY_SHIFT_UP, 'K'}, "pan-up", "move the map's window up", NULL},
    {KB_DO_PAN_DOWN,
     KB_IN_MAP,
     {KB_KEY_SHIFT_DOWN, 'J'},
     "pan-down",
     "move the map's window down",
     NULL},
    {KB_DO_PAN_LEFT,
     KB_IN_MAP,
     {KB_KEY_SHIFT_LEFT, 'H'},
     "pan-left",
     "move the map's window left",
     NULL},
    {KB_DO_PAN_RIGHT,
     KB_IN_MAP,
     {KB_KEY_SHIFT_RIGHT, 'L'},
     "pan-right",
     "move the map's window right",
     NULL},
    {KB_DO_EMERGING,
     KB_IN_MAP,
     {'e'},
     "emerging",
     "lay the sessions of split emerging over the map",
     "emerging"},
    {KB_DO_LATER,
     KB_IN_MAP,
     {'d'},
     "later",
     "lay the sessions of split later over the map (drift)",
     "later"},

    {KB_DO_LESS, KB_IN_ELBOW, {'[', KB_KEY_LEFT, 'h'}, "less", "a smaller k", NULL},
    {KB_DO_MORE, KB_IN_ELBOW, {']', KB_KEY_RIGHT, 'l'}, "more", "a larger k", "[ k"},
    {KB_DO_RECALIBRATE,
     KB_IN_ELBOW,
     {KB_KEY_ENTER},
     "recalibrate",
     "find the clusters again with this k",
     "use this k"},
    {KB_DO_AUTOMATIC, KB_IN_ELBOW, {'a'}, "automatic", "let the elbow choose k again", "automatic"},

    {KB_DO_MORE, KB_IN_NGRAMS, {'+', '='}, "more", "one event more in each n-gram", "longer"},
    {KB_DO_LESS, KB_IN_NGRAMS, {'-'}, "less", "one event less in each n-gram", "shorter"},

    {KB_DO_SIBLING,
     KB_IN_CLUSTER,
     {KB_KEY_TAB},
     "sibling",
     "objects, sessions, n-grams of this cluster in turn",
     "objects/sessions/n-grams"},
    {KB_DO_OBJECTS, KB_IN_CLUSTER, {'o'}, "objects", "the objects of this cluster", NULL},
    {KB_DO_SESSIONS, KB_IN_CLUSTER, {'s'}, "sessions", "the sessions of this cluster", NULL},
    {KB_DO_NGRAMS,
     KB_IN_CLUSTER,
     {'n'},
     "ngrams",
     "the n-grams before this cluster's crashes",
     NULL},

    {KB_DO_OPEN, KB_IN_LIST, {KB_KEY_ENTER}, "open", "open the selected row", "open"},
    {KB_DO_UP, KB_IN_LIST, {KB_KEY_UP, 'k'}, "up", "up", NULL},
    {KB_DO_DOWN, KB_IN_LIST, {KB_KEY_DOWN, 'j'}, "down", "down", NULL},
    {KB_DO_PAGE_UP, KB_IN_LIST, {KB_KEY_PAGE_UP, 'b' - 'a' + 1}, "page-up", "a page up", NULL},
    {KB_DO_PAGE_DOWN,
     KB_IN_LIST,
     {KB_KEY_PAGE_DOWN, 'f' - 'a' + 1, ' '},
     "page-down",
     "a page down",
     NULL},
    {KB_DO_FIRST, KB_IN_LIST, {'g', KB_KEY_HOME}, "first", "the first row", NULL},
    {KB_DO_LAST, KB_IN_LIST, {'G', KB_KEY_END}, "last", "the last row", NULL},
    {KB_DO_FILTER,
     KB_IN_LIST,
     {'/'},
     "filter",
     "show only rows with a text (Esc shows all again)",
     "filter"},
    {KB_DO_NEXT_MATCH,
     KB_IN_LIST,
     {'n'},
     "next-match",
     "the next row with the last filter's text",
     NULL},
    {KB_DO_PREVIOUS_MATCH,
     KB_IN_LIST,
     {'N'},
     "previous-match",
     "the previous row with the last filter's text",
     NULL},
    {KB_DO_SORT_REVERSE, KB_IN_LIST, {'s', 'S'}, "sort-reverse", "reverse the order", NULL},
    {KB_DO_SORT_NEXT, KB_IN_LIST, {'>'}, "sort-next", "sort by the next column", "sort"},
    {KB_DO_SORT_PREVIOUS, KB_IN_LIST, {'<'}, "sort-previous", "sort by the previous column", NULL},

    {KB_DO_TABLE,
     KB_IN_CHART,
     {'t'},
     "table",
     "the numbers as a table, or the picture again",
     "table"},
    {KB_DO_DOTS, KB_IN_CHART, {'b'}, "dots", "draw with braille, blocks or ASCII", NULL},

    {KB_DO_CANCEL, KB_IN_WORK, {'c'}, "cancel", "stop the running work", "cancel"},
    {KB_DO_RETRAIN,
     KB_IN_WORK,
     {'r'},
     "retrain",
     "train again from the start, with the next seed",
     "retrain"},

    {KB_DO_BACK,
     KB_IN_ANY,
     {KB_KEY_ESCAPE, KB_KEY_BACKSPACE},
     "back",
     "back to where you came from",
     "back"},
    {KB_DO_EXPORT, KB_IN_ANY, {'x'}, "export-view", "write what is shown to a CSV file", "export"},
    {KB_DO_VIEW_1, KB_IN_ANY, {'1'}, "overview", "Overview", NULL},
    {KB_DO_VIEW_1 + 1, KB_IN_ANY, {'2'}, "clusters", "Clusters", NULL},
    {KB_DO_VIEW_1 + 2, KB_IN_ANY, {'3'}, "map", "Map", NULL},
    {KB_DO_VIEW_1 + 3, KB_IN_ANY, {'4'}, "elbow", "Elbow", NULL},
    {KB_DO_VIEW_1 + 4, KB_IN_ANY, {'5'}, "all-sessions", "Sessions", NULL},
    {KB_DO_VIEW_1 + 5, KB_IN_ANY, {'6'}, "all-objects", "Objects", NULL},
    {KB_DO_VIEW_1 + 6, KB_IN_ANY, {'7'}, "all-ngrams", "N-grams", NULL},
    {KB_DO_VIEW_8, KB_IN_ANY, {'8'}, "problems", "Problems", NULL},
    {KB_DO_NEXT_VIEW, KB_IN_ANY, {KB_KEY_TAB}, "next-view", "the next view", NULL},
    {KB_DO_PREVIOUS_VIEW, KB_IN_ANY, {KB_KEY_BACK_TAB}, "previous-view", "the previous view", NULL},
    {KB_DO_WRITE, KB_IN_ANY, {'w'}, "write-model", "write the model to a file", NULL},
    {KB_DO_COMMAND, KB_IN_ANY, {':'}, "command", "the command line (Tab completes)", NULL},
    {KB_DO_MOUSE,
     KB_IN_ANY,
     {'M'},
     "mouse",
     "mouse on or off (Shift-drag selects text meanwhile)",
     NULL},
    {KB_DO_REDRAW, KB_IN_ANY, {'l' - 'a' + 1}, "redraw", "draw the screen afresh", NULL},
    {KB_DO_HELP, KB_IN_ANY, {'?', KB_KEY_F1}, "keys", "this help", "help"},
    {KB_DO_QUIT, KB_IN_ANY, {'q'}, "leave", "leave kaboom", "quit"},
};

enum { ROWS = sizeof table / sizeof *table };

void kb_keys_init(kb_keys *keys)
{
    keys->count = 0;
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < KEYS_MAX && table[r].keys[i]; i++)
            keys->items[keys->count++] =
                (kb_binding){table[r].keys[i], table[r].scope, table[r].command};
}

/* Narrow scopes come before KB_IN_ANY, and the more particular ones before lists. */
static int rank(unsigned scope)
{
    return scope == KB_IN_ANY ? 2 : scope == KB_IN_LIST ? 1 : 0;
}

kb_do kb_keys_find(const kb_keys *keys, unsigned scopes, int32_t key)
{
    const kb_binding *best = NULL;
    scopes |= KB_IN_ANY;
    for (size_t i = 0; i < keys->count; i++) {
        const kb_binding *item = &keys->items[i];
        if (item->key == key && (item->scope & scopes) &&
            (!best || rank(item->scope) < rank(best->scope)))
            best = item;
    }
    return best ? best->command : KB_DO_NOTHING;
}

/* In SCOPE, KEY does COMMAND from now on and nothing else. */
static bool bind_in(kb_keys *keys, int32_t key, unsigned scope, kb_do command)
{
    for (size_t i = 0; i < keys->count; i++)
        if (keys->items[i].key == key && keys->items[i].scope == scope) {
            keys->items[i].command = command;
            return true;
        }
    if (keys->count == KB_BINDINGS_MAX)
        return false;
    keys->items[keys->count++] = (kb_binding){key, scope, command};
    return true;
}

const char *kb_keys_bind(kb_keys *keys, const char *key, const char *name)
{
    int32_t code = kb_key_parse(key);
    kb_do command = kb_do_parse(name);
    if (code == KB_KEY_NONE)
        return "no such key";
    if (command == KB_DO_NOTHING)
        return "no such command";
    for (size_t r = 0; r < ROWS; r++)
        if (table[r].command == command && !bind_in(keys, code, table[r].scope, command))
            return "too many bindings";
    return NULL;
}

kb_do kb_do_parse(const char *name)
{
    for (size_t r = 0; r < ROWS; r++)
        if (strcmp(table[r].name, name) == 0)
            return table[r].command;
    return KB_DO_NOTHING;
}

const char *kb_do_name(kb_do command)
{
    for (size_t r = 0; r < ROWS; r++)
        if (table[r].command == command)
            return table[r].name;
    return "";
}

/* --- help --------------------------------------------------------------------------------- */
/* The keys that do row R's command in a view with SCOPES; a key that a narrower scope has taken
 * away is not one of them. */
static void list_keys(const kb_keys *keys, unsigned scopes, const struct row *row, char *text,
                      size_t size)
{
    size_t used = 0;
    char name[16];
    text[0] = '\0';
    for (size_t i = 0; i < keys->count && used < size; i++) {
        const kb_binding *item = &keys->items[i];
        if (item->command == row->command && item->scope == row->scope &&
            kb_keys_find(keys, scopes, item->key) == row->command)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "",
                                     kb_key_name(item->key, name, sizeof name));
    }
}

size_t kb_keys_help(const kb_keys *keys, unsigned scopes, kb_help_line *lines, size_t max)
{
    size_t count = 0;
    scopes |= KB_IN_ANY;
    for (size_t r = 0; r < ROWS && count < max; r++) {
        if (!(table[r].scope & scopes))
            continue;
        kb_help_line *line = &lines[count];
        list_keys(keys, scopes, &table[r], line->keys, sizeof line->keys);
        line->text = table[r].text;
        line->hint = table[r].hint;
        line->name = table[r].name;
        line->command = table[r].command;
        count += line->keys[0] != '\0';
    }
    return count;
}

/* How to get help and how to leave come last and are kept room for. */
static bool is_vital(const kb_help_line *line)
{
    return line->command == KB_DO_HELP || line->command == KB_DO_QUIT;
}

/* "KEY HINT", with a gap before it unless it is the first; returns its length, written or not. */
static size_t add_hint(const kb_help_line *line, char *text, size_t used, size_t size)
{
    int first = (int)strcspn(line->keys, " ");
    return (size_t)snprintf(text + used, size - used, "%s%.*s %s", used ? "  " : "", first,
                            line->keys, line->hint);
}

size_t kb_keys_hints(const kb_keys *keys, unsigned scopes, int cols, char *text, size_t size)
{
    kb_help_line lines[ROWS];
    char tail[64] = "";
    size_t count = kb_keys_help(keys, scopes, lines, ROWS), used = 0, tail_length = 0;
    size_t room = cols > 0 ? (size_t)cols : 0;
    room = room < size ? room : size - 1;
    for (size_t i = 0; i < count; i++)
        if (lines[i].hint && is_vital(&lines[i]) && tail_length + 16 < sizeof tail)
            tail_length += add_hint(&lines[i], tail, tail_length, sizeof tail);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (!lines[i].hint || is_vital(&lines[i]))
            continue;
        size_t length = add_hint(&lines[i], text, used, size);
        if (used + length + tail_length + 2 <= room)
            used += length;
        text[used] = '\0';
    }
    return used + (size_t)snprintf(text + used, size - used, "%s%s", used ? "  " : "", tail);
}
