#include "explorer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "screen.h"
#include "shell.h"

/* The loop waits for the keyboard, the workbench and signals; it draws at once after a key and at
 * most every FRAME_MS for anything else, and sleeps without a timer while there is nothing to do.
 */
enum { FRAME_MS = 60, TICK_MS = 1000 };

static const double close_seconds = 0.5;

struct explorer {
    kb_workbench *workbench;
    kb_screen *screen;
    kb_shell *shell;
    kb_canvas canvas;
    bool dirty;       /* there is something to draw */
    bool urgent;      /* ... that the user waits for */
    bool more;        /* the shell has work for idle moments */
    bool mouse;       /* is on */
    int64_t drawn_at; /* milliseconds */
    int signal;       /* that ends the program */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void draw(struct explorer *x)
{
    int cols, rows, cursor_x, cursor_y;
    kb_screen_size(x->screen, &cols, &rows);
    x->dirty = x->urgent = false;
    x->drawn_at = now_ms();
    if ((cols != x->canvas.cols || rows != x->canvas.rows) &&
        !kb_canvas_resize(&x->canvas, cols, rows))
        return;
    if (kb_shell_redraw_wanted(x->shell))
        kb_screen_redraw(x->screen);
    kb_shell_draw(x->shell, &x->canvas, &cursor_x, &cursor_y);
    kb_screen_show(x->screen, &x->canvas, cursor_x, cursor_y);
}

static void take_input(struct explorer *x)
{
    kb_input event;
    while (!kb_shell_done(x->shell) && kb_screen_read(x->screen, &event)) {
        x->dirty = x->urgent = true;
        if (event.kind == KB_INPUT_KEY)
            kb_shell_key(x->shell, event.key);
        else if (event.kind == KB_INPUT_MOUSE)
            kb_shell_mouse(x->shell, &event.mouse);
    }
    if (x->mouse != kb_shell_mouse_wanted(x->shell)) {
        x->mouse = !x->mouse;
        kb_screen_mouse(x->screen, x->mouse);
    }
}

static void take_signals(struct explorer *x)
{
    int number;
    while ((number = kb_screen_signal(x->screen)) != 0) {
        if (number == SIGTSTP)
            kb_screen_stop(x->screen);
        else if (number == SIGCONT)
            kb_screen_resume(x->screen);
        else if (number != SIGWINCH) /* that one is told by the keyboard */
            x->signal = number;
        x->dirty = x->urgent = true;
    }
}

/* How long to sleep: not at all for waiting work, to the next frame when there is something to
 * draw, to the next second while work runs whose clock is shown, else for ever. */
static int patience(const struct explorer *x)
{
    int64_t left = x->drawn_at + FRAME_MS - now_ms();
    if (x->more || x->urgent)
        return 0;
    if (x->dirty)
        return left > 0 ? (int)left : 0;
    return kb_shell_busy(x->shell) ? TICK_MS : -1;
}

static void wait_for_news(struct explorer *x)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = kb_workbench_fd(x->workbench), .events = POLLIN},
                           {.fd = kb_screen_signal_fd(x->screen), .events = POLLIN}};
    int ready = poll(fds, 3, patience(x));
    /* A terminal that has gone away ends the program as its hang-up signal would. */
    if (ready > 0 && (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)))
        x->signal = SIGHUP;
    if (ready == 0 && !x->more)
        x->dirty = true;
    if (ready > 0 && fds[1].revents)
        x->dirty |= kb_shell_update(x->shell);
}

static void loop(struct explorer *x)
{
    x->dirty = x->urgent = x->more = true;
    while (!kb_shell_done(x->shell) && !x->signal) {
        if (x->urgent || (x->dirty && now_ms() - x->drawn_at >= FRAME_MS))
            draw(x);
        wait_for_news(x);
        take_signals(x);
        /* Always: a resize is told by the keyboard. */
        take_input(x);
        x->dirty |= kb_shell_update(x->shell);
        bool more = kb_shell_work(x->shell);
        x->dirty |= x->more || more;
        x->more = more;
    }
}

static bool colors_wanted(const kb_explorer_options *options)
{
    const char *no = getenv("NO_COLOR");
    return options->color == KB_COLOR_AUTO && !(no && *no);
}

static kb_status open_all(struct explorer *x, const kb_explorer_options *options, kb_error *err)
{
    kb_status status = kb_screen_open(&x->screen, colors_wanted(options), options->mouse, err);
    if (!status)
        status = kb_workbench_open(&x->workbench, &options->work, err);
    if (!status)
        status =
            kb_shell_create(&x->shell, x->workbench,
                            kb_screen_unicode(x->screen) && !options->ascii, options->mouse, err);
    return status;
}

/* A corpus that could not be read was told on the screen, which is gone now: it is the explorer's
 * failure too. */
static kb_status outcome(const struct explorer *x, kb_error *err)
{
    kb_work_state state;
    kb_workbench_update(x->workbench, &state);
    if (x->signal || kb_workbench_corpus(x->workbench) || !state.paused_by_error)
        return KB_OK;
    return kb_fail(err, state.job.error.status, "%s", state.job.error.text);
}

kb_status kb_explorer_run(const kb_explorer_options *options, int *signal_out, kb_error *err)
{
    struct explorer x = {.mouse = options->mouse};
    *signal_out = 0;
    kb_status status = open_all(&x, options, err);
    if (!status) {
        loop(&x);
        status = outcome(&x, err);
    }
    *signal_out = x.signal;
    /* The terminal first: whatever the worker does now, the user has it back. */
    kb_shell_free(x.shell);
    kb_screen_close(x.screen);
    kb_canvas_free(&x.canvas);
    if (x.workbench && !kb_workbench_close(x.workbench, close_seconds))
        _exit(status ? 1 : x.signal ? 128 + x.signal : 0);
    return status;
}
