/* Three processes: the test; a keeper, which leads the session, stays its leader until the test
 * lets go (a leader's end would hang up the terminal before its modes can be compared), and tells
 * what becomes of the program; the program itself, the foreground job. */
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vterm.h>

struct pty {
    int master, slave; /* -1 once hung up */
    struct termios first_modes;
    int keeper_end; /* reads the program's fate; closing it ends the keeper */
    pid_t keeper, program;
    bool stopped, exited;
    int status;

    VTerm *vterm;
    VTermScreen *screen;
    int rows, cols;
    VTermPos cursor;
    bool cursor_visible, alternate, mouse;

    char *output;
    size_t length, capacity;
    double last_output; /* when bytes came last */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- the other two processes --- */

static void set_environment(const char *const *env)
{
    /* OpenBLAS's choice of kernels changes last digits, which some tests compare with a verb's. */
    static const char *const kept[] = {
        "PATH",         "ASAN_OPTIONS",      "UBSAN_OPTIONS",       "TSAN_OPTIONS",
        "LSAN_OPTIONS", "OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS"};
    char *values[sizeof kept / sizeof *kept];
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        values[i] = getenv(kept[i]) ? strdup(getenv(kept[i])) : NULL;
    clearenv();
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (values[i])
            setenv(kept[i], values[i], 1);
    setenv("TERM", "xterm-256color", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("HOME", "/nonexistent", 1);
    for (; env && *env; env++)
        putenv(strdup(*env));
}

static void default_signals(void)
{
    sigset_t none;
    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run_program(int slave, const char *const *argv, const char *const *env,
                        const char *folder)
{
    setpgid(0, 0);
    tcsetpgrp(slave, getpid());
    default_signals();
    for (int fd = 0; fd < 3; fd++)
        dup2(slave, fd);
    set_environment(env);
    if (folder && chdir(folder) != 0)
        _exit(126);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static volatile sig_atomic_t kept_program; /* the keeper's; its handler has no other way to know */

/* A terminal that goes away tells the session's leader alone; a shell then passes it on to its
 * jobs, and wakes those that are stopped. */
static void pass_on(int signal)
{
    if (kept_program > 0) {
        kill(-kept_program, signal);
        kill(-kept_program, SIGCONT);
    }
}

/* So that nobody who reads the test's output waits for the keeper. */
static void leave_standard_files(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
}

static bool wait_for_change(pid_t program, int *status)
{
    pid_t changed;
    do
        changed = waitpid(program, status, WUNTRACED | WCONTINUED);
    while (changed < 0 && errno == EINTR);
    return changed == program && program > 0;
}

/* Tells the program's id, then each change of its state, then waits until the test closes its end.
 */
static void keep(int slave, int end, const char *const *argv, const char *const *env,
                 const char *folder)
{
    char byte;
    int status;
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    signal(SIGHUP, pass_on);
    signal(SIGTTOU, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    int begun[2]; /* closed by the program's exec: what is typed earlier would reach nobody */
    if (pipe2(begun, O_CLOEXEC) != 0)
        _exit(1);
    pid_t program = fork();
    if (program == 0)
        run_program(slave, argv, env, folder);
    close(begun[1]);
    kept_program = program;
    setpgid(program, program);
    leave_standard_files();
    while (read(begun[0], &byte, 1) < 0 && errno == EINTR)
        ;
    bool told = write(end, &program, sizeof program) == sizeof program;
    while (told && wait_for_change(program, &status)) {
        told = write(end, &status, sizeof status) == sizeof status;
        if (WIFEXITED(status) || WIFSIGNALED(status))
            break;
    }
    while (read(end, &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(0);
}

/* --- the emulator --- */

static int note_property(VTermProp property, VTermValue *value, void *user)
{
    pty *p = user;
    if (property == VTERM_PROP_CURSORVISIBLE)
        p->cursor_visible = value->boolean;
    else if (property == VTERM_PROP_ALTSCREEN)
        p->alternate = value->boolean;
    else if (property == VTERM_PROP_MOUSE)
        p->mouse = value->number != VTERM_PROP_MOUSE_NONE;
    return 1;
}

static int note_cursor(VTermPos at, VTermPos before, int visible, void *user)
{
    (void)before;
    (void)visible;
    ((pty *)user)->cursor = at;
    return 1;
}

/* What a terminal answers when it is asked where its cursor is, and the like. */
static void answer(const char *bytes, size_t length, void *user)
{
    pty *p = user;
    if (p->master >= 0)
        (void)!write(p->master, bytes, length);
}

static void start_emulator(pty *p)
{
    static const VTermScreenCallbacks callbacks = {.settermprop = note_property,
                                                   .movecursor = note_cursor};
    p->vterm = vterm_new(p->rows, p->cols);
    vterm_set_utf8(p->vterm, 1);
    vterm_output_set_callback(p->vterm, answer, p);
    p->screen = vterm_obtain_screen(p->vterm);
    vterm_screen_set_callbacks(p->screen, &callbacks, p);
    vterm_screen_enable_altscreen(p->screen, 1);
    p->cursor_visible = true;
    vterm_screen_reset(p->screen, 1);
}

/* --- starting and ending --- */

bool pty_available(void)
{
    int master, slave;
    if (openpty(&master, &slave, NULL, NULL, NULL) != 0)
        return false;
    close(master);
    close(slave);
    return true;
}

static bool start_keeper(pty *p, const char *const *argv, const char *const *env,
                         const char *folder)
{
    struct winsize size = {.ws_row = (unsigned short)p->rows, .ws_col = (unsigned short)p->cols};
    int ends[2];
    if (openpty(&p->master, &p->slave, NULL, NULL, &size) != 0)
        return false;
    tcgetattr(p->slave, &p->first_modes);
    fcntl(p->master, F_SETFD, FD_CLOEXEC);
    fcntl(p->slave, F_SETFD, FD_CLOEXEC);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    p->keeper_end = ends[0];
    p->keeper = fork();
    if (p->keeper == 0) {
        close(p->master);
        close(ends[0]);
        keep(p->slave, ends[1], argv, env, folder);
    }
    close(ends[1]);
    fcntl(p->master, F_SETFL, O_NONBLOCK);
    return p->keeper > 0 &&
           read(p->keeper_end, &p->program, sizeof p->program) == sizeof p->program &&
           p->program > 0;
}

pty *pty_start(const char *const *argv, const char *const *env, const char *folder, int rows,
               int cols)
{
    pty *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->master = p->slave = p->keeper_end = -1;
    p->rows = rows;
    p->cols = cols;
    p->last_output = now();
    start_emulator(p);
    if (start_keeper(p, argv, env, folder))
        return p;
    pty_close(p);
    return NULL;
}

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void pty_close(pty *p)
{
    int status;
    if (!p)
        return;
    if (p->program > 0 && !p->exited) {
        kill(-p->program, SIGKILL);
        pty_wait_exit(p, 60, &status);
    }
    close_if_open(&p->keeper_end);
    close_if_open(&p->slave);
    close_if_open(&p->master);
    if (p->keeper > 0)
        waitpid(p->keeper, NULL, 0);
    vterm_free(p->vterm);
    free(p->output);
    free(p);
}

pid_t pty_pid(const pty *p)
{
    return p->program;
}

/* --- reading --- */

static void keep_output(pty *p, const char *bytes, size_t length)
{
    if (p->length + length + 1 > p->capacity) {
        size_t capacity = (p->length + length + 1) * 2;
        char *grown = realloc(p->output, capacity);
        if (!grown)
            abort();
        p->output = grown;
        p->capacity = capacity;
    }
    memcpy(p->output + p->length, bytes, length);
    p->length += length;
    p->output[p->length] = '\0';
}

/* True when bytes came. */
static bool read_terminal(pty *p)
{
    char bytes[65536];
    ssize_t n = p->master < 0 ? -1 : read(p->master, bytes, sizeof bytes);
    if (n <= 0)
        return false;
    keep_output(p, bytes, (size_t)n);
    vterm_input_write(p->vterm, bytes, (size_t)n);
    p->last_output = now();
    return true;
}

static void read_keeper(pty *p)
{
    int status;
    if (recv(p->keeper_end, &status, sizeof status, MSG_DONTWAIT) != sizeof status)
        return;
    p->stopped = WIFSTOPPED(status);
    if (!WIFEXITED(status) && !WIFSIGNALED(status))
        return;
    p->exited = true;
    p->status = status;
}

/* Waits up to SECONDS for output or news of the program, and takes what is there. */
static void pump(pty *p, double seconds)
{
    struct pollfd fds[] = {{.fd = p->master, .events = POLLIN},
                           {.fd = p->exited ? -1 : p->keeper_end, .events = POLLIN}};
    if (seconds > 0)
        poll(fds, 2, (int)(seconds * 1000) + 1);
    while (read_terminal(p))
        ;
    if (!p->exited)
        read_keeper(p);
}

static bool wait_for(pty *p, bool (*ready)(pty *p, const void *arg), const void *arg,
                     double seconds)
{
    double deadline = now() + seconds;
    pump(p, 0);
    while (!ready(p, arg)) {
        double left = deadline - now();
        if (left <= 0)
            return false;
        pump(p, left < 0.05 ? left : 0.05);
    }
    return true;
}

static bool has_text(pty *p, const void *arg)
{
    return pty_find(p, arg, NULL, NULL);
}

bool pty_wait_text(pty *p, const char *text, double seconds)
{
    return wait_for(p, has_text, text, seconds);
}

static bool lacks_text(pty *p, const void *arg)
{
    return !pty_find(p, arg, NULL, NULL);
}

bool pty_wait_gone(pty *p, const char *text, double seconds)
{
    return wait_for(p, lacks_text, text, seconds);
}

static bool is_quiet(pty *p, const void *arg)
{
    return now() - p->last_output >= *(const double *)arg;
}

bool pty_wait_quiet(pty *p, double quiet, double seconds)
{
    p->last_output = now();
    return wait_for(p, is_quiet, &quiet, seconds);
}

static bool has_exited(pty *p, const void *arg)
{
    (void)arg;
    return p->exited;
}

bool pty_wait_exit(pty *p, double seconds, int *status)
{
    double quiet = 0.05; /* the kernel hands over the last bytes a moment after the end */
    if (!wait_for(p, has_exited, NULL, seconds))
        return false;
    pty_wait_quiet(p, quiet, 5);
    *status = p->status;
    return true;
}

static bool is_stopped(pty *p, const void *arg)
{
    (void)arg;
    return p->stopped;
}

bool pty_wait_stopped(pty *p, double seconds)
{
    return wait_for(p, is_stopped, NULL, seconds);
}

/* --- acting --- */

void pty_send(pty *p, const char *keys)
{
    size_t left = strlen(keys);
    while (left && p->master >= 0 && !p->exited) {
        ssize_t n = write(p->master, keys, left);
        if (n > 0) {
            keys += n;
            left -= (size_t)n;
        }
        pump(p, n > 0 ? 0 : 0.01);
    }
}

void pty_resize(pty *p, int rows, int cols)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    pump(p, 0);
    p->rows = rows;
    p->cols = cols;
    vterm_set_size(p->vterm, rows, cols);
    ioctl(p->master, TIOCSWINSZ, &size);
}

void pty_signal(pty *p, int signal)
{
    if (signal == SIGCONT)
        p->stopped = false;
    /* As a shell does: what the terminal has stopped is the whole job. */
    kill(signal == SIGCONT ? -p->program : p->program, signal);
}

void pty_hang_up(pty *p)
{
    pump(p, 0);
    close_if_open(&p->slave);
    close_if_open(&p->master);
}

/* --- looking --- */

static size_t encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[more] | c >> 6 * more);
    for (size_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (c >> 6 * (more - i) & 0x3F));
    return more + 1;
}

/* Appends the cell's characters (a blank for an empty one, nothing for the right half of a wide
 * one). */
static size_t encode_cell(pty *p, int row, int col, char *out)
{
    VTermScreenCell cell;
    size_t length = 0;
    if (!vterm_screen_get_cell(p->screen, (VTermPos){row, col}, &cell) || !cell.chars[0]) {
        out[0] = ' ';
        return 1;
    }
    if (cell.chars[0] == (uint32_t)-1)
        return 0;
    for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i]; i++)
        length += encode(cell.chars[i], out + length);
    return length;
}

/* COLUMNS (NULL, or room for the bytes of a line) gets the column of each byte. */
static char *read_line(pty *p, int row, int *columns)
{
    char *line = malloc((size_t)p->cols * VTERM_MAX_CHARS_PER_CELL * 4 + 1);
    size_t length = 0;
    if (!line)
        abort();
    for (int col = 0; col < p->cols; col++) {
        size_t bytes = encode_cell(p, row, col, line + length);
        for (size_t i = 0; columns && i < bytes; i++)
            columns[length + i] = col;
        length += bytes;
    }
    while (length && line[length - 1] == ' ')
        length--;
    line[length] = '\0';
    return line;
}

char *pty_line(pty *p, int row)
{
    return read_line(p, row, NULL);
}

char *pty_screen(pty *p)
{
    char *text = NULL;
    size_t length = 0;
    FILE *f = open_memstream(&text, &length);
    if (!f)
        abort();
    for (int row = 0; row < p->rows; row++) {
        char *line = pty_line(p, row);
        fprintf(f, "%s\n", line);
        free(line);
    }
    fclose(f);
    return text;
}

bool pty_find(pty *p, const char *text, int *row, int *col)
{
    int *columns = calloc((size_t)p->cols * VTERM_MAX_CHARS_PER_CELL * 4 + 1, sizeof *columns);
    bool found = false;
    if (!columns)
        abort();
    for (int r = 0; r < p->rows && !found; r++) {
        char *line = read_line(p, r, columns);
        const char *place = strstr(line, text);
        found = place != NULL;
        if (found && row)
            *row = r;
        if (found && col)
            *col = columns[place - line];
        free(line);
    }
    free(columns);
    return found;
}

static void copy_color(pty *p, VTermColor color, uint8_t rgb[3])
{
    vterm_screen_convert_color_to_rgb(p->screen, &color);
    rgb[0] = color.rgb.red;
    rgb[1] = color.rgb.green;
    rgb[2] = color.rgb.blue;
}

pty_colors pty_colors_at(pty *p, int row, int col)
{
    VTermScreenCell cell;
    pty_colors colors = {.default_foreground = true, .default_background = true};
    if (!vterm_screen_get_cell(p->screen, (VTermPos){row, col}, &cell))
        return colors;
    copy_color(p, cell.fg, colors.foreground);
    copy_color(p, cell.bg, colors.background);
    colors.default_foreground = VTERM_COLOR_IS_DEFAULT_FG(&cell.fg);
    colors.default_background = VTERM_COLOR_IS_DEFAULT_BG(&cell.bg);
    colors.bold = cell.attrs.bold;
    colors.underline = cell.attrs.underline;
    colors.reverse = cell.attrs.reverse;
    return colors;
}

void pty_cursor(const pty *p, int *row, int *col)
{
    *row = p->cursor.row;
    *col = p->cursor.col;
}

bool pty_cursor_visible(const pty *p)
{
    return p->cursor_visible;
}

bool pty_alternate_screen(const pty *p)
{
    return p->alternate;
}

bool pty_mouse(const pty *p)
{
    return p->mouse;
}

const char *pty_output(const pty *p, size_t *length)
{
    *length = p->length;
    return p->output ? p->output : "";
}

struct termios pty_first_modes(const pty *p)
{
    return p->first_modes;
}

struct termios pty_modes(const pty *p)
{
    struct termios modes;
    memset(&modes, 0, sizeof modes);
    tcgetattr(p->slave, &modes);
    return modes;
}

bool pty_same_modes(const struct termios *a, const struct termios *b)
{
    return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
           a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof a->c_cc) == 0;
}
