#include "canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "memory.h"

enum { ESCAPE_SIZE = 16 };

bool kb_canvas_resize(kb_canvas *canvas, int cols, int rows)
{
    size_t count;
    kb_cell *cells = NULL;
    if (cols > 0 && rows > 0 && kb_size_mul((size_t)cols, (size_t)rows, &count))
        cells = kb_calloc(count, sizeof *cells);
    free(canvas->cells);
    canvas->cells = cells;
    canvas->cols = cells ? cols : 0;
    canvas->rows = cells ? rows : 0;
    kb_canvas_clear(canvas);
    return cells != NULL;
}

void kb_canvas_free(kb_canvas *canvas)
{
    free(canvas->cells);
    *canvas = (kb_canvas){0};
}

void kb_canvas_clear(kb_canvas *canvas)
{
    size_t count = (size_t)canvas->cols * (size_t)canvas->rows;
    for (size_t i = 0; i < count; i++)
        canvas->cells[i] = (kb_cell){.glyph = U' '};
    canvas->clip = kb_rect_of(0, 0, canvas->cols, canvas->rows);
}

kb_rect kb_rect_cut(kb_rect a, kb_rect b)
{
    int x0 = a.x > b.x ? a.x : b.x, y0 = a.y > b.y ? a.y : b.y;
    int x1 = a.x + a.cols < b.x + b.cols ? a.x + a.cols : b.x + b.cols;
    int y1 = a.y + a.rows < b.y + b.rows ? a.y + a.rows : b.y + b.rows;
    return kb_rect_of(x0, y0, x1 > x0 ? x1 - x0 : 0, y1 > y0 ? y1 - y0 : 0);
}

bool kb_rect_holds(kb_rect rect, int x, int y)
{
    return x >= rect.x && y >= rect.y && x < rect.x + rect.cols && y < rect.y + rect.rows;
}

kb_rect kb_canvas_clip(kb_canvas *canvas, kb_rect rect)
{
    kb_rect old = canvas->clip;
    canvas->clip = kb_rect_cut(old, rect);
    return old;
}

const kb_cell *kb_canvas_at(const kb_canvas *canvas, int x, int y)
{
    if (!kb_rect_holds(kb_rect_of(0, 0, canvas->cols, canvas->rows), x, y))
        return NULL;
    return &canvas->cells[(size_t)y * (size_t)canvas->cols + (size_t)x];
}

/* The cell, or NULL outside the clip. */
static kb_cell *cell_at(kb_canvas *canvas, int x, int y)
{
    if (!kb_rect_holds(canvas->clip, x, y))
        return NULL;
    return &canvas->cells[(size_t)y * (size_t)canvas->cols + (size_t)x];
}

/* --- UTF-8 -------------------------------------------------------------------------------- */
size_t kb_utf8_decode(const char *s, char32_t *out)
{
    static const char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)*s;
    if (lead < 0x80) {
        *out = lead;
        return lead ? 1 : 0;
    }
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    char32_t c = lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)s[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | ((unsigned char)s[i] & 0x3Fu);
    }
    if (c < least[length] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *out = c;
    return length;
}

size_t kb_utf8_encode(char32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[length] | c);
    return length;
}

/* --- ornaments without Unicode ------------------------------------------------------------ */
static char32_t block_look_alike(char32_t c)
{
    static const char lower[] = ".._-=+*#"; /* U+2581 .. U+2588: filled from below */
    static const char left[] = "######::."; /* U+2588 .. U+258F: filled from the left */
    if (c >= 0x2581 && c <= 0x2588)
        return (char32_t)lower[c - 0x2581];
    if (c > 0x2588 && c <= 0x258F)
        return (char32_t)left[c - 0x2588];
    return c >= 0x2580 && c <= 0x259F ? U'#' : 0;
}

/* An ASCII character that looks like ornament C, or 0. */
static char32_t look_alike(char32_t c)
{
    static const struct {
        char32_t from;
        char to;
    } pairs[] = {
        {U'─', '-'}, {U'│', '|'}, {U'┌', '+'}, {U'┐', '+'}, {U'└', '+'}, {U'┘', '+'},
        {U'├', '+'}, {U'┤', '+'}, {U'┬', '+'}, {U'┴', '+'}, {U'┼', '+'}, {U'…', '~'},
        {U'›', '>'}, {U'▲', '^'}, {U'▼', 'v'}, {U'●', 'o'}, {U'◆', '*'}, {U'○', 'o'},
        {U'·', '.'}, {U'×', 'x'}, {U'┊', ':'}, {U'←', '<'}, {U'→', '>'}, {U'↑', '^'},
        {U'↓', 'v'}, {U'–', '-'}, {U'•', '*'}, {U'▸', '>'}, {U'╌', '-'},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].from == c)
            return (char32_t)pairs[i].to;
    return block_look_alike(c);
}

/* --- cells -------------------------------------------------------------------------------- */
static void blank(kb_canvas *canvas, int x, int y)
{
    kb_cell *cell = cell_at(canvas, x, y);
    if (cell) {
        cell->glyph = U' ';
        cell->mark = 0;
    }
}

/* A wide character that loses one half leaves a blank in the other. */
static void heal(kb_canvas *canvas, int x, int y, int width)
{
    const kb_cell *first = kb_canvas_at(canvas, x, y), *after = kb_canvas_at(canvas, x + width, y);
    if (first && first->glyph == 0)
        blank(canvas, x - 1, y);
    if (after && after->glyph == 0)
        blank(canvas, x + width, y);
}

static void set_cell(kb_canvas *canvas, int x, int y, char32_t glyph, int width, kb_style style)
{
    if (!cell_at(canvas, x, y) || !cell_at(canvas, x + width - 1, y))
        return;
    heal(canvas, x, y, width);
    *cell_at(canvas, x, y) = (kb_cell){glyph, 0, style};
    if (width == 2)
        *cell_at(canvas, x + 1, y) = (kb_cell){0, 0, style};
}

void kb_canvas_put(kb_canvas *canvas, int x, int y, char32_t glyph, kb_style style)
{
    if (canvas->ascii && glyph > 0x7E) {
        char32_t plain = look_alike(glyph);
        glyph = plain ? plain : U'?';
    }
    set_cell(canvas, x, y, glyph, 1, style);
}

/* --- text --------------------------------------------------------------------------------- */
/* Characters that change how their neighbours are shown (bidirectional controls, joiners, tags,
 * byte order marks). */
static bool is_treacherous(char32_t c)
{
    return (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF ||
           (c >= 0xFFF9 && c <= 0xFFFB) || c >= 0xE0000 || c == 0x061C || c == 0xAD;
}

/* One step through a text: a character as it can be shown, or an escape of it. */
struct piece {
    char32_t glyph; /* where escape is empty */
    int width;      /* cells; 0: a mark on the last one */
    char escape[ESCAPE_SIZE];
};

static void escape_as(struct piece *piece, const char *format, unsigned value)
{
    snprintf(piece->escape, sizeof piece->escape, format, value);
    piece->width = (int)strlen(piece->escape);
}

static void piece_beyond_ascii(struct piece *piece, char32_t c, bool ascii)
{
    int width = wcwidth((wchar_t)c);
    char32_t plain = ascii || width < 0 ? look_alike(c) : 0;
    piece->glyph = plain ? plain : c;
    piece->width = plain ? 1 : width;
    if (!plain && (ascii || width < 0 || is_treacherous(c)))
        escape_as(piece, "\\u{%x}", (unsigned)c);
}

/* Fills PIECE from S (not at its end); returns the bytes taken. */
static size_t next_piece(const char *s, bool ascii, struct piece *piece)
{
    char32_t c;
    size_t length = kb_utf8_decode(s, &c);
    *piece = (struct piece){0};
    if (length == 0) {
        escape_as(piece, "\\x%02x", (unsigned char)*s);
        return 1;
    }
    if (c < 0x20 || c == 0x7F) {
        if (c == '\t' || c == '\n' || c == '\r')
            snprintf(piece->escape, sizeof piece->escape, "\\%c",
                     c == '\t'   ? 't'
                     : c == '\n' ? 'n'
                                 : 'r');
        else
            escape_as(piece, "\\x%02x", (unsigned)c);
        piece->width = (int)strlen(piece->escape);
    } else if (c < 0x80) {
        piece->glyph = c;
        piece->width = 1;
    } else {
        piece_beyond_ascii(piece, c, ascii);
    }
    return length;
}

int kb_text_cells(const char *text, bool ascii)
{
    int cells = 0;
    struct piece piece;
    for (; *text && cells < 1 << 20; cells += piece.width)
        text += next_piece(text, ascii, &piece);
    return cells;
}

static void draw_piece(kb_canvas *canvas, int x, int y, kb_style style, const struct piece *piece)
{
    if (piece->width == 0) {
        kb_cell *cell = cell_at(canvas, x - 1, y);
        if (cell && cell->glyph)
            cell->mark = piece->glyph;
    } else if (piece->escape[0]) {
        for (int i = 0; i < piece->width; i++)
            set_cell(canvas, x + i, y, (unsigned char)piece->escape[i], 1, style);
    } else {
        set_cell(canvas, x, y, piece->glyph, piece->width, style);
    }
}

/* Whether what begins at S needs no more than COLS cells; looks no further than it must. */
static bool fits(const char *s, int cols, bool ascii)
{
    struct piece piece;
    int used = 0;
    while (*s && used <= cols) {
        s += next_piece(s, ascii, &piece);
        used += piece.width;
    }
    return used <= cols;
}

int kb_canvas_text(kb_canvas *canvas, int x, int y, int cols, kb_style style, const char *text)
{
    if (cols <= 0)
        return 0;
    bool whole = fits(text, cols, canvas->ascii);
    int room = whole ? cols : cols - 1, used = 0;
    struct piece piece;
    while (*text) {
        size_t length = next_piece(text, canvas->ascii, &piece);
        if (used + piece.width > room)
            break;
        draw_piece(canvas, x + used, y, style, &piece);
        used += piece.width;
        text += length;
    }
    if (!whole)
        kb_canvas_put(canvas, x + used++, y, U'…', style);
    return used;
}

int kb_canvas_print(kb_canvas *canvas, int x, int y, int cols, kb_style style, const char *format,
                    ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return kb_canvas_text(canvas, x, y, cols, style, text);
}

void kb_canvas_text_right(kb_canvas *canvas, int x, int y, int cols, kb_style style,
                          const char *text)
{
    int cells = fits(text, cols, canvas->ascii) ? kb_text_cells(text, canvas->ascii) : cols;
    kb_canvas_text(canvas, x + cols - cells, y, cells, style, text);
}

/* How many bytes of TEXT go on a line of COLS cells: up to the last blank that fits, or as much as
 * fits of one long word. */
static size_t line_bytes(const char *text, int cols, bool ascii)
{
    size_t at = 0, blank_at = 0;
    int used = 0;
    struct piece piece;
    while (text[at]) {
        size_t length = next_piece(text + at, ascii, &piece);
        if (text[at] == ' ')
            blank_at = at;
        if (used + piece.width > cols)
            return blank_at ? blank_at : at ? at : length;
        used += piece.width;
        at += length;
    }
    return at;
}

int kb_canvas_wrap(kb_canvas *canvas, kb_rect rect, kb_style style, const char *text)
{
    char line[1024];
    int row = 0;
    while (*text && row < rect.rows && rect.cols > 0) {
        size_t bytes = line_bytes(text, rect.cols, canvas->ascii);
        snprintf(line, sizeof line, "%.*s", bytes < sizeof line ? (int)bytes : (int)sizeof line - 1,
                 text);
        kb_canvas_text(canvas, rect.x, rect.y + row++, rect.cols, style, line);
        text += bytes;
        text += strspn(text, " ");
    }
    return row;
}

/* --- areas -------------------------------------------------------------------------------- */
void kb_canvas_fill(kb_canvas *canvas, kb_rect rect, char32_t glyph, kb_style style)
{
    rect = kb_rect_cut(rect, canvas->clip);
    for (int y = rect.y; y < rect.y + rect.rows; y++)
        for (int x = rect.x; x < rect.x + rect.cols; x++)
            kb_canvas_put(canvas, x, y, glyph, style);
}

void kb_canvas_tint(kb_canvas *canvas, kb_rect rect, kb_style style)
{
    rect = kb_rect_cut(rect, canvas->clip);
    for (int y = rect.y; y < rect.y + rect.rows; y++)
        for (int x = rect.x; x < rect.x + rect.cols; x++)
            cell_at(canvas, x, y)->style = style;
}

void kb_canvas_box(kb_canvas *canvas, kb_rect rect, kb_style style, const char *title)
{
    int right = rect.x + rect.cols - 1, bottom = rect.y + rect.rows - 1;
    if (rect.cols < 2 || rect.rows < 2)
        return;
    kb_canvas_fill(canvas, kb_rect_of(rect.x, rect.y, rect.cols, 1), U'─', style);
    kb_canvas_fill(canvas, kb_rect_of(rect.x, bottom, rect.cols, 1), U'─', style);
    kb_canvas_fill(canvas, kb_rect_of(rect.x, rect.y, 1, rect.rows), U'│', style);
    kb_canvas_fill(canvas, kb_rect_of(right, rect.y, 1, rect.rows), U'│', style);
    kb_canvas_put(canvas, rect.x, rect.y, U'┌', style);
    kb_canvas_put(canvas, right, rect.y, U'┐', style);
    kb_canvas_put(canvas, rect.x, bottom, U'└', style);
    kb_canvas_put(canvas, right, bottom, U'┘', style);
    if (title && rect.cols > 6) {
        int used = kb_canvas_text(canvas, rect.x + 2, rect.y, rect.cols - 5, style, " ");
        used +=
            kb_canvas_text(canvas, rect.x + 2 + used, rect.y, rect.cols - 5 - used, style, title);
        kb_canvas_text(canvas, rect.x + 2 + used, rect.y, 1, style, " ");
    }
}

size_t kb_canvas_row_text(const kb_canvas *canvas, int y, char *text, size_t size)
{
    size_t length = 0, last = 0;
    for (int x = 0; x < canvas->cols && length + 9 < size; x++) {
        const kb_cell *cell = kb_canvas_at(canvas, x, y);
        if (!cell || !cell->glyph)
            continue;
        length += kb_utf8_encode(cell->glyph, text + length);
        if (cell->mark)
            length += kb_utf8_encode(cell->mark, text + length);
        if (cell->glyph != U' ')
            last = length;
    }
    text[last] = '\0';
    return last;
}
