/* shell: the explorer without a terminal: the views and what is open in them, the command line, the
 * help. Keys and mouse go in, a canvas comes out. Used by the screen's thread only. */
#ifndef KB_SHELL_H
#define KB_SHELL_H

#include "canvas.h"
#include "view.h"

typedef struct kb_shell kb_shell;

/* WORKBENCH outlives the shell. UNICODE: characters beyond ASCII can be shown; MOUSE: it is on. */
kb_status kb_shell_create(kb_shell **out, kb_workbench *workbench, bool unicode, bool mouse,
                          kb_error *err);
void kb_shell_free(kb_shell *shell);

/* Takes the workbench's news; true when there is something new to draw. */
bool kb_shell_update(kb_shell *shell);
/* One slice of work between frames; true when there is more. */
bool kb_shell_work(kb_shell *shell);
void kb_shell_key(kb_shell *shell, int32_t key);
void kb_shell_mouse(kb_shell *shell, const kb_mouse *mouse);
/* Draws everything. *X, *Y: where the cursor belongs; *X -1: hidden. */
void kb_shell_draw(kb_shell *shell, kb_canvas *canvas, int *x, int *y);

bool kb_shell_done(const kb_shell *shell); /* the user has quit */
bool kb_shell_busy(const kb_shell *shell); /* work is going on */
bool kb_shell_mouse_wanted(const kb_shell *shell);
bool kb_shell_redraw_wanted(kb_shell *shell); /* the whole screen afresh; true once for each wish */

#endif
