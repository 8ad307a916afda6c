/* screen: the terminal. The only part of kaboom that knows curses.
 *
 * One screen at a time, used by the thread that opened it. It turns a canvas into what the terminal
 * can show, keys and mouse into events, and leaves the terminal as it found it: on close, on a stop
 * (Ctrl-Z), and when the process dies of a fault. */
#ifndef KB_SCREEN_H
#define KB_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "canvas.h"
#include "status.h"
#include "view.h"

typedef struct kb_screen kb_screen;

typedef struct kb_input {
    enum { KB_INPUT_KEY, KB_INPUT_MOUSE, KB_INPUT_RESIZE } kind;
    int32_t key; /* as in keys.h */
    kb_mouse mouse;
} kb_input;

/* Takes the terminal over. KB_ERR_USAGE where standard input or output is no terminal, or TERM is
 * unknown. From now on SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT and SIGWINCH make
 * kb_screen_signal_fd readable. COLOR false: none is used. */
kb_status kb_screen_open(kb_screen **out, bool color, bool mouse, kb_error *err);
/* Gives it back; NULL is fine. */
void kb_screen_close(kb_screen *screen);

/* Whether braille and other characters beyond ASCII arrive (asked of the locale). */
bool kb_screen_unicode(const kb_screen *screen);
void kb_screen_size(const kb_screen *screen, int *cols, int *rows);
/* Shows CANVAS; only what differs from the last is sent. The cursor goes to X, Y; X -1 hides it. */
void kb_screen_show(kb_screen *screen, const kb_canvas *canvas, int x, int y);
/* The next event that has come in; false when there is none. Never waits. */
bool kb_screen_read(kb_screen *screen, kb_input *event);
void kb_screen_mouse(kb_screen *screen, bool on);
/* The next kb_screen_show sends everything. */
void kb_screen_redraw(kb_screen *screen);

/* For poll(). */
int kb_screen_signal_fd(const kb_screen *screen);
/* The next signal that has come in, or 0. */
int kb_screen_signal(kb_screen *screen);
/* Stops the process as Ctrl-Z does, with the terminal given back meanwhile; returns when it goes
 * on. */
void kb_screen_stop(kb_screen *screen);
/* After a stop that nobody announced (SIGCONT): sets the terminal up again. */
void kb_screen_resume(kb_screen *screen);

#endif
