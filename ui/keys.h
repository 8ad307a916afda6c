/* keys: the one table that says which key does what. Bindings, the help, the hints on the bottom
 * line, the names on the command line and rebinding all read it. */
#ifndef KB_KEYS_H
#define KB_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys are Unicode characters; those without one follow here. Control keys are their control
 * characters. */
enum {
    KB_KEY_NONE = 0,
    KB_KEY_TAB = 9,
    KB_KEY_ENTER = 13,
    KB_KEY_ESCAPE = 27,
    KB_KEY_BACKSPACE = 127,
    KB_KEY_UP = 0x110000,
    KB_KEY_DOWN,
    KB_KEY_LEFT,
    KB_KEY_RIGHT,
    KB_KEY_SHIFT_UP,
    KB_KEY_SHIFT_DOWN,
    KB_KEY_SHIFT_LEFT,
    KB_KEY_SHIFT_RIGHT,
    KB_KEY_PAGE_UP,
    KB_KEY_PAGE_DOWN,
    KB_KEY_HOME,
    KB_KEY_END,
    KB_KEY_DELETE,
    KB_KEY_BACK_TAB,
    KB_KEY_F1, /* F2 .. F12 follow */
    KB_KEY_F12 = KB_KEY_F1 + 11
};

/* What a key can do. */
typedef enum kb_do {
    KB_DO_NOTHING,
    KB_DO_QUIT,
    KB_DO_HELP,
    KB_DO_BACK,
    KB_DO_OPEN,
    KB_DO_UP,
    KB_DO_DOWN,
    KB_DO_LEFT,
    KB_DO_RIGHT,
    KB_DO_PAGE_UP,
    KB_DO_PAGE_DOWN,
    KB_DO_FIRST,
    KB_DO_LAST,
    KB_DO_VIEW_1, /* the top-level views, in order */
    KB_DO_VIEW_8 = KB_DO_VIEW_1 + 7,
    KB_DO_NEXT_VIEW,
    KB_DO_PREVIOUS_VIEW,
    KB_DO_FILTER,
    KB_DO_NEXT_MATCH,
    KB_DO_PREVIOUS_MATCH,
    KB_DO_SORT_NEXT,
    KB_DO_SORT_PREVIOUS,
    KB_DO_SORT_REVERSE,
    KB_DO_TABLE,
    KB_DO_EXPORT,
    KB_DO_COMMAND,
    KB_DO_CANCEL,
    KB_DO_RETRAIN,
    KB_DO_WRITE,
    KB_DO_DOTS,
    KB_DO_MOUSE,
    KB_DO_REDRAW,
    KB_DO_OBJECTS, /* of a cluster */
    KB_DO_SESSIONS,
    KB_DO_NGRAMS,
    KB_DO_SIBLING, /* the next of these three */
    KB_DO_MORE,    /* longer n-grams; zoom in */
    KB_DO_LESS,
    KB_DO_RESET, /* the map's whole extent */
    KB_DO_PAN_UP,
    KB_DO_PAN_DOWN,
    KB_DO_PAN_LEFT,
    KB_DO_PAN_RIGHT,
    KB_DO_EMERGING, /* lay a split over the map */
    KB_DO_LATER,
    KB_DO_RECALIBRATE,
    KB_DO_AUTOMATIC,
    KB_DOS
} kb_do;

/* Where a binding holds. A view names its scopes; KB_IN_ANY holds everywhere, and a narrower scope
 * wins over it. */
enum {
    KB_IN_ANY = 1,
    KB_IN_LIST = 2,
    KB_IN_MAP = 4,
    KB_IN_ELBOW = 8,
    KB_IN_NGRAMS = 16,
    KB_IN_CLUSTER = 32,
    KB_IN_CHART = 64, /* has a picture that a table can replace */
    KB_IN_WORK = 128  /* training and its kin are at hand */
};

typedef struct kb_binding {
    int32_t key;
    unsigned scope; /* one KB_IN_* */
    kb_do command;
} kb_binding;

enum { KB_BINDINGS_MAX = 192 };

/* Bindings as they stand; starts as the built-in ones. */
typedef struct kb_keys {
    kb_binding items[KB_BINDINGS_MAX];
    size_t count;
} kb_keys;

void kb_keys_init(kb_keys *keys);
/* What KEY does in a view with SCOPES. */
kb_do kb_keys_find(const kb_keys *keys, unsigned scopes, int32_t key);
/* Binds KEY (by name) to the command called NAME in each scope where that command is at home. What
 * is wrong, as static text, or NULL. */
const char *kb_keys_bind(kb_keys *keys, const char *key, const char *name);

/* One line of the help: "j, Down" / "down". */
typedef struct kb_help_line {
    char keys[48];
    const char *text;
    const char *hint; /* one word for the bottom line, or NULL */
    const char *name; /* on the command line */
    kb_do command;
} kb_help_line;

/* The lines for a view with SCOPES, its own first; at most MAX. Returns how many. Commands without
 * a key are left out. */
size_t kb_keys_help(const kb_keys *keys, unsigned scopes, kb_help_line *lines, size_t max);
/* "Enter open  / filter  ..." in at most COLS cells. Returns the length. */
size_t kb_keys_hints(const kb_keys *keys, unsigned scopes, int cols, char *text, size_t size);

/* "Enter", "C-l", "a"; at least 16 bytes. */
const char *kb_key_name(int32_t key, char *text, size_t size);
/* The key of a name; KB_KEY_NONE when there is none. */
int32_t kb_key_parse(const char *name);
/* The command called NAME ("sort-next"); KB_DO_NOTHING when there is none. */
kb_do kb_do_parse(const char *name);
const char *kb_do_name(kb_do command);

#endif
