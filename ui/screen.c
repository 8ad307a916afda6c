#include "screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "keys.h"
#include "memory.h"
#include "theme.h"

/* Button, drag and SGR coordinates. Asked for by hand: curses takes a protocol without drags or
 * wide screens under tmux and screen. */
#define MOUSE_ON "\033[?1002h\033[?1006h"
#define MOUSE_OFF "\033[?1006l\033[?1002l"

enum { KEY_SGR_MOUSE = KEY_MAX + 64, MOUSE_TEXT = 32, RESET_BYTES = 256, ESCAPE_MS = 25 };

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static const int requests[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT};

enum { FAULTS = sizeof faults / sizeof *faults, REQUESTS = sizeof requests / sizeof *requests };

/* What signal handlers need. They get no argument of ours, so this alone is static. Written by the
 * screen's thread while the handlers are not installed; the handlers only read it. */
static struct {
    char reset[RESET_BYTES];
    size_t reset_bytes;
    struct termios modes; /* as they were before us */
    bool have_modes;
    int pipe;
    struct sigaction before[FAULTS];
    struct sigaction resize; /* curses' own */
} rescue;

struct kb_screen {
    SCREEN *curses;
    kb_depth depth;
    bool unicode, mouse, defaults;
    int pairs[KB_INKS][KB_PAPERS];
    char mouse_text[MOUSE_TEXT]; /* of a mouse report that is coming in */
    size_t mouse_length;
    bool in_mouse;
    int pipe[2];
    void *signal_stack;
    struct sigaction before[REQUESTS];
    bool cursor_hidden;
    bool expect_continue; /* the next SIGCONT ends a stop of our own, after which all is set up
                             already */
};

static void send_bytes(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(STDOUT_FILENO, bytes, length);
        if (n < 0 && errno != EINTR)
            return;
        bytes += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
    }
}

/* --- signals ------------------------------------------------------------------------------ */
/* Only what is allowed in a handler: the fixed text, the modes, and the fault again, for whoever
 * was to have it. */
static void on_fault(int number)
{
    send_bytes(rescue.reset, rescue.reset_bytes);
    if (rescue.have_modes)
        tcsetattr(STDIN_FILENO, TCSANOW, &rescue.modes);
    for (size_t i = 0; i < FAULTS; i++)
        if (faults[i] == number)
            sigaction(number, &rescue.before[i], NULL);
    raise(number);
}

static void on_request(int number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    (void)!write(rescue.pipe, &byte, 1);
    errno = saved;
}

/* Curses notes the new size for its next look at the keyboard. The byte sees to it that there is
 * one: the signal may come when nobody waits, or to a thread that is not ours (OpenBLAS starts
 * some). */
static void on_resize(int number)
{
    if (rescue.resize.sa_handler != SIG_DFL && rescue.resize.sa_handler != SIG_IGN)
        rescue.resize.sa_handler(number);
    on_request(number);
}

static void add_capability(const char *name)
{
    const char *text = tigetstr((char *)(uintptr_t)name);
    if (!text || text == (const char *)-1 || rescue.reset_bytes + strlen(text) >= RESET_BYTES)
        return;
    memcpy(rescue.reset + rescue.reset_bytes, text, strlen(text));
    rescue.reset_bytes += strlen(text);
}

/* What undoes all that curses and we have done to this kind of terminal. Padding ("$<5>") is for
 * machines of another age. */
static void prepare_rescue(void)
{
    static const char *const names[] = {"sgr0", "cnorm", "rmkx", "rmcup"};
    memcpy(rescue.reset, MOUSE_OFF, strlen(MOUSE_OFF));
    rescue.reset_bytes = strlen(MOUSE_OFF);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        add_capability(names[i]);
}

static void handle(int number, void (*handler)(int), int flags, struct sigaction *before)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, before);
}

/* Before curses starts: finding SIGTSTP taken, it leaves it alone. Otherwise it would ignore it
 * during each update, and a Ctrl-Z then would be lost. */
static void catch_requests(kb_screen *screen)
{
    rescue.pipe = screen->pipe[1];
    for (size_t i = 0; i < REQUESTS; i++)
        handle(requests[i], on_request, SA_RESTART, &screen->before[i]);
}

/* After curses has started, for it takes SIGWINCH only when nobody has. */
static void catch_resizes(void)
{
    handle(SIGWINCH, on_resize, 0, &rescue.resize);
}

static void release_requests(const kb_screen *screen)
{
    handle(SIGWINCH, SIG_DFL, 0, NULL);
    for (size_t i = 0; i < REQUESTS; i++)
        sigaction(requests[i], &screen->before[i], NULL);
}

static void catch_faults(kb_screen *screen)
{
    prepare_rescue();
    screen->signal_stack = malloc((size_t)SIGSTKSZ);
    if (screen->signal_stack)
        sigaltstack(&(stack_t){.ss_sp = screen->signal_stack, .ss_size = (size_t)SIGSTKSZ}, NULL);
    for (size_t i = 0; i < FAULTS; i++)
        handle(faults[i], on_fault, SA_ONSTACK, &rescue.before[i]);
}

static void release_faults(kb_screen *screen)
{
    for (size_t i = 0; i < FAULTS; i++)
        sigaction(faults[i], &rescue.before[i], NULL);
    if (screen->signal_stack)
        sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
    free(screen->signal_stack);
}

int kb_screen_signal_fd(const kb_screen *screen)
{
    return screen->pipe[0];
}

int kb_screen_signal(kb_screen *screen)
{
    unsigned char byte;
    return read(screen->pipe[0], &byte, 1) == 1 ? byte : 0;
}

/* --- colours ------------------------------------------------------------------------------ */
/* One pair for each two colours that differ; made once, because a pair that changes repaints its
 * cells. */
static void make_pairs(kb_screen *screen)
{
    int made = 0;
    struct {
        int ink, paper;
    } known[KB_INKS * KB_PAPERS];
    for (unsigned ink = 0; ink < KB_INKS; ink++)
        for (unsigned paper = 0; paper < KB_PAPERS; paper++) {
            int fore = kb_theme_ink(screen->depth, ink),
                back = kb_theme_paper(screen->depth, paper), i = 0;
            if (!screen->defaults) {
                fore = fore < 0 ? COLOR_WHITE : fore;
                back = back < 0 ? COLOR_BLACK : back;
            }
            while (i < made && (known[i].ink != fore || known[i].paper != back))
                i++;
            if (i == made && (i + 1 >= COLOR_PAIRS || init_extended_pair(i + 1, fore, back) == ERR))
                continue;
            known[i].ink = fore;
            known[i].paper = back;
            made += i == made;
            screen->pairs[ink][paper] = i + 1;
        }
}

static void set_up_colors(kb_screen *screen, bool color)
{
    screen->depth = KB_DEPTH_MONO;
    if (!color || !has_colors() || start_color() == ERR)
        return;
    screen->defaults = use_default_colors() == OK;
    char direct[] = "RGB";
    bool direct_color = tigetflag(direct) > 0 || tigetnum(direct) > 0 ||
                        (tigetstr(direct) && tigetstr(direct) != (char *)-1);
    screen->depth = kb_theme_depth(COLORS, direct_color);
    make_pairs(screen);
}

/* --- opening and closing ------------------------------------------------------------------ */
static kb_status open_pipe(kb_screen *screen, kb_error *err)
{
    if (pipe2(screen->pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return kb_fail(err, KB_ERR_IO, "a pipe for signals: %s", strerror(errno));
    return KB_OK;
}

static void set_up_terminal(kb_screen *screen, bool color)
{
    set_escdelay(ESCAPE_MS);
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    define_key("\033[<", KEY_SGR_MOUSE);
    set_up_colors(screen, color);
}

kb_status kb_screen_open(kb_screen **out, bool color, bool mouse, kb_error *err)
{
    *out = NULL;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return kb_fail(err, KB_ERR_USAGE,
                       "the explorer needs a terminal; the verbs do the same work without one");
    kb_screen *screen = kb_calloc(1, sizeof *screen);
    if (!screen)
        return kb_fail_memory(err, "the screen");
    kb_status status = open_pipe(screen, err);
    if (status) {
        free(screen);
        return status;
    }
    rescue.have_modes = tcgetattr(STDIN_FILENO, &rescue.modes) == 0;
    /* Exported sizes would keep the screen from following the window. */
    unsetenv("LINES");
    unsetenv("COLUMNS");
    catch_requests(screen);
    screen->curses = newterm(NULL, stdout, stdin);
    if (!screen->curses) {
        const char *term = getenv("TERM");
        release_requests(screen);
        close(screen->pipe[0]);
        close(screen->pipe[1]);
        free(screen);
        return kb_fail(err, KB_ERR_USAGE, "TERM is \"%s\", a terminal that is not known here",
                       term ? term : "");
    }
    catch_resizes();
    set_up_terminal(screen, color);
    screen->unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 && wcwidth(0x28FF) == 1;
    catch_faults(screen);
    refresh();
    kb_screen_mouse(screen, mouse);
    *out = screen;
    return KB_OK;
}

void kb_screen_close(kb_screen *screen)
{
    if (!screen)
        return;
    kb_screen_mouse(screen, false);
    endwin();
    release_faults(screen);
    release_requests(screen);
    delscreen(screen->curses);
    close(screen->pipe[0]);
    close(screen->pipe[1]);
    free(screen);
}

bool kb_screen_unicode(const kb_screen *screen)
{
    return screen->unicode;
}

void kb_screen_size(const kb_screen *screen, int *cols, int *rows)
{
    (void)screen;
    getmaxyx(stdscr, *rows, *cols);
}

void kb_screen_mouse(kb_screen *screen, bool on)
{
    if (screen->mouse != on)
        send_bytes(on ? MOUSE_ON : MOUSE_OFF, strlen(on ? MOUSE_ON : MOUSE_OFF));
    screen->mouse = on;
}

void kb_screen_redraw(kb_screen *screen)
{
    (void)screen;
    clearok(curscr, TRUE);
}

static void set_up_again(kb_screen *screen)
{
    if (screen->mouse)
        send_bytes(MOUSE_ON, strlen(MOUSE_ON));
    refresh();
    kb_screen_redraw(screen);
}

void kb_screen_resume(kb_screen *screen)
{
    bool expected = screen->expect_continue;
    screen->expect_continue = false;
    if (expected)
        return;
    endwin();
    set_up_again(screen);
}

void kb_screen_stop(kb_screen *screen)
{
    struct sigaction ours;
    if (screen->mouse)
        send_bytes(MOUSE_OFF, strlen(MOUSE_OFF));
    endwin();
    screen->expect_continue = true;
    handle(SIGTSTP, SIG_DFL, 0, &ours);
    raise(SIGTSTP);
    sigaction(SIGTSTP, &ours, NULL);
    set_up_again(screen);
}

/* --- output ------------------------------------------------------------------------------- */
static attr_t attributes_of(const kb_screen *screen, kb_style style)
{
    uint8_t bits = kb_theme_attributes(screen->depth, style);
    attr_t attributes = A_NORMAL;
    if (bits & KB_BOLD)
        attributes |= A_BOLD;
    if (bits & KB_UNDERLINE)
        attributes |= A_UNDERLINE;
    if (bits & KB_REVERSE)
        attributes |= A_REVERSE;
    return attributes;
}

static void put_cell(const kb_screen *screen, const kb_cell *cell, int x, int y)
{
    wchar_t text[3] = {(wchar_t)cell->glyph, (wchar_t)cell->mark, 0};
    cchar_t curses_cell;
    kb_style style = cell->style;
    int pair =
        style.ink < KB_INKS && style.paper < KB_PAPERS ? screen->pairs[style.ink][style.paper] : 0;
    attr_t attributes = attributes_of(screen, style);
    if (cell->glyph == U' ' && attributes == A_NORMAL && style.paper == KB_PAPER_PLAIN)
        return;
    /* The pair goes through the last argument: a short would not hold large numbers. */
    if (setcchar(&curses_cell, text, attributes, 0, &pair) == OK)
        mvadd_wch(y, x, &curses_cell);
}

static void set_cursor(kb_screen *screen, int x, int y)
{
    if ((x < 0) != screen->cursor_hidden)
        curs_set(x < 0 ? 0 : 1);
    screen->cursor_hidden = x < 0;
    if (x >= 0)
        move(y, x);
}

void kb_screen_show(kb_screen *screen, const kb_canvas *canvas, int x, int y)
{
    erase();
    for (int row = 0; row < canvas->rows; row++)
        for (int col = 0; col < canvas->cols; col++) {
            const kb_cell *cell = kb_canvas_at(canvas, col, row);
            if (cell->glyph)
                put_cell(screen, cell, col, row);
        }
    set_cursor(screen, x, y);
    refresh();
}

/* --- input -------------------------------------------------------------------------------- */
static int32_t key_of_code(wint_t code)
{
    static const struct {
        int code;
        int32_t key;
    } table[] = {
        {KEY_UP, KB_KEY_UP},
        {KEY_DOWN, KB_KEY_DOWN},
        {KEY_LEFT, KB_KEY_LEFT},
        {KEY_RIGHT, KB_KEY_RIGHT},
        {KEY_SR, KB_KEY_SHIFT_UP},
        {KEY_SF, KB_KEY_SHIFT_DOWN},
        {KEY_SLEFT, KB_KEY_SHIFT_LEFT},
        {KEY_SRIGHT, KB_KEY_SHIFT_RIGHT},
        {KEY_PPAGE, KB_KEY_PAGE_UP},
        {KEY_NPAGE, KB_KEY_PAGE_DOWN},
        {KEY_HOME, KB_KEY_HOME},
        {KEY_END, KB_KEY_END},
        {KEY_DC, KB_KEY_DELETE},
        {KEY_BTAB, KB_KEY_BACK_TAB},
        {KEY_ENTER, KB_KEY_ENTER},
        {KEY_BACKSPACE, KB_KEY_BACKSPACE},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if ((wint_t)table[i].code == code)
            return table[i].key;
    if (code >= KEY_F(1) && code <= KEY_F(12))
        return KB_KEY_F1 + (int32_t)(code - KEY_F(1));
    return KB_KEY_NONE;
}

static int32_t key_of_character(wint_t c)
{
    return c == '\n' || c == '\r' ? KB_KEY_ENTER : c == '\b' ? KB_KEY_BACKSPACE : (int32_t)c;
}

/* "BUTTON;COLUMN;ROW" and M for a press or m for a release, as xterm's control sequences have it.
 */
static bool read_mouse(const char *text, bool release, kb_mouse *mouse)
{
    int code, col, row;
    if (sscanf(text, "%d;%d;%d", &code, &col, &row) != 3 || col < 1 || row < 1)
        return false;
    *mouse = (kb_mouse){.kind = release ? KB_MOUSE_RELEASE : KB_MOUSE_PRESS,
                        .button = (code & 3) + 1,
                        .x = col - 1,
                        .y = row - 1};
    if (code & 64)
        mouse->kind = code & 1 ? KB_MOUSE_WHEEL_DOWN : KB_MOUSE_WHEEL_UP;
    else if (code & 32)
        mouse->kind = KB_MOUSE_DRAG;
    return true;
}

/* One more character of a mouse report; true when it completes an event. */
static bool gather_mouse(kb_screen *screen, wint_t c, kb_input *event)
{
    bool ends = c == 'M' || c == 'm';
    if (!ends && screen->mouse_length + 1 < MOUSE_TEXT && (c == ';' || (c >= '0' && c <= '9'))) {
        screen->mouse_text[screen->mouse_length++] = (char)c;
        return false;
    }
    screen->in_mouse = false;
    screen->mouse_text[screen->mouse_length] = '\0';
    event->kind = KB_INPUT_MOUSE;
    return ends && read_mouse(screen->mouse_text, c == 'm', &event->mouse);
}

/* What one code from curses means; true when it is an event. */
static bool event_of(kb_screen *screen, int kind, wint_t code, kb_input *event)
{
    if (kind == KEY_CODE_YES && code == KEY_SGR_MOUSE) {
        screen->in_mouse = true;
        screen->mouse_length = 0;
        return false;
    }
    if (kind == OK && screen->in_mouse)
        return gather_mouse(screen, code, event);
    event->kind = kind == KEY_CODE_YES && code == KEY_RESIZE ? KB_INPUT_RESIZE : KB_INPUT_KEY;
    event->key = kind == KEY_CODE_YES ? key_of_code(code) : key_of_character(code);
    return event->kind == KB_INPUT_RESIZE || event->key != KB_KEY_NONE;
}

bool kb_screen_read(kb_screen *screen, kb_input *event)
{
    wint_t code;
    int kind;
    while ((kind = get_wch(&code)) != ERR)
        if (event_of(screen, kind, code, event))
            return true;
    return false;
}
