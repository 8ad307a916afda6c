/* pty: runs a program on a terminal of its own and looks at the screen that it draws.
 *
 * The program gets a pseudo-terminal, a session with job control (so that it can be stopped and
 * continued) and a small, fixed environment. What it writes is fed to a terminal emulator
 * (libvterm). All waiting reads the program's output, so it never blocks on a full terminal.
 * Nothing here judges: the callers' assertions do. */
#ifndef PTY_H
#define PTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

typedef struct pty pty;

/* There are pseudo-terminals here. A bare chroot, whose /dev/pts is not mounted, has none. */
bool pty_available(void);

/* ARGV and ENV end with NULL; ENV ("NAME=VALUE", may be NULL) is added to TERM=xterm-256color,
 * LC_ALL=C.UTF-8, PATH, HOME and the options of sanitizers. FOLDER (NULL: the current one) is where
 * it runs. NULL when there is no pseudo-terminal or no process. */
pty *pty_start(const char *const *argv, const char *const *env, const char *folder, int rows,
               int cols);
/* Kills the program if it still runs, and frees. NULL is fine. */
void pty_close(pty *p);
pid_t pty_pid(const pty *p);

/* --- what the user does --- */
void pty_send(pty *p, const char *keys); /* the bytes of KEYS, as typed */
void pty_resize(pty *p, int rows, int cols);
void pty_signal(pty *p, int signal); /* to the program alone; SIGCONT to all of its job */
void pty_hang_up(pty *p);            /* the terminal goes away; the last screen can still be read */

/* --- waiting; all return false when SECONDS have passed --- */
bool pty_wait_text(pty *p, const char *text,
                   double seconds); /* TEXT stands in one line of the screen */
bool pty_wait_gone(pty *p, const char *text, double seconds); /* it does not */
bool pty_wait_quiet(pty *p, double quiet, double seconds);    /* nothing was written for QUIET */
bool pty_wait_exit(pty *p, double seconds,
                   int *status);               /* STATUS as waitpid's; output is complete then */
bool pty_wait_stopped(pty *p, double seconds); /* stopped by a signal of job control */

/* --- what is on the screen --- */
/* Lines without trailing blanks, each ended by a newline, UTF-8. The caller frees. */
char *pty_screen(pty *p);
char *pty_line(pty *p, int row); /* one line, no newline */
/* Where TEXT begins; false when it is not there. */
bool pty_find(pty *p, const char *text, int *row, int *col);

typedef struct pty_colors {
    uint8_t foreground[3], background[3]; /* red, green, blue */
    bool default_foreground, default_background;
    bool bold, underline, reverse;
} pty_colors;

pty_colors pty_colors_at(pty *p, int row, int col);
void pty_cursor(const pty *p, int *row, int *col);
bool pty_cursor_visible(const pty *p);
bool pty_alternate_screen(const pty *p);
bool pty_mouse(const pty *p); /* any kind of reporting */
/* All bytes since the start; valid until the next call of anything here. */
const char *pty_output(const pty *p, size_t *length);

/* --- the terminal's modes --- */
struct termios pty_first_modes(const pty *p); /* before the program had it */
struct termios pty_modes(const pty *p);
bool pty_same_modes(const struct termios *a, const struct termios *b);

#endif
