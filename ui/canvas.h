/* canvas: a grid of character cells that views draw on; it knows no terminal.
 *
 * Coordinates count cells from the top left; drawing outside the clip is dropped, so no caller
 * needs to check sizes. Colours are small numbers (inks and papers of theme.h) that the screen
 * turns into what the terminal has. Text from outside is made harmless here: control characters,
 * bidirectional overrides, invalid bytes and characters of unknown width are shown as escapes,
 * never passed on. */
#ifndef KB_CANVAS_H
#define KB_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uchar.h>

enum { KB_BOLD = 1, KB_UNDERLINE = 2, KB_REVERSE = 4 };

typedef struct kb_style {
    uint8_t ink, paper, attributes;
} kb_style;

typedef struct kb_cell {
    char32_t glyph; /* 0: the right half of a wide character */
    char32_t mark;  /* a combining character on it, or 0 */
    kb_style style;
} kb_cell;

typedef struct kb_rect {
    int x, y, cols, rows;
} kb_rect;

typedef struct kb_canvas {
    kb_cell *cells; /* rows x cols */
    int cols, rows;
    kb_rect clip;
    bool ascii; /* nothing beyond ASCII is drawn: ornaments become look-alikes, letters become
                   escapes */
} kb_canvas;

/* Makes CANVAS (zeroed before its first use) COLS x ROWS and blank. False, leaving it 0 x 0, when
 * there is no memory. */
bool kb_canvas_resize(kb_canvas *canvas, int cols, int rows);
void kb_canvas_free(kb_canvas *canvas);
/* Blanks everything and lifts the clip. */
void kb_canvas_clear(kb_canvas *canvas);

static inline kb_rect kb_rect_of(int x, int y, int cols, int rows)
{
    return (kb_rect){x, y, cols, rows};
}

kb_rect kb_rect_cut(kb_rect a, kb_rect b); /* what both cover; cols or rows 0 when nothing */
bool kb_rect_holds(kb_rect rect, int x, int y);

/* Narrows drawing to RECT within the present clip; returns the old clip, to be put back into
 * canvas->clip. */
kb_rect kb_canvas_clip(kb_canvas *canvas, kb_rect rect);

/* NULL outside the grid. */
const kb_cell *kb_canvas_at(const kb_canvas *canvas, int x, int y);

/* One ornament of the program's own, one cell wide. */
void kb_canvas_put(kb_canvas *canvas, int x, int y, char32_t glyph, kb_style style);
/* UTF-8 text in at most COLS cells, with an ellipsis where it does not fit. Returns the cells used.
 */
int kb_canvas_text(kb_canvas *canvas, int x, int y, int cols, kb_style style, const char *text);
int kb_canvas_print(kb_canvas *canvas, int x, int y, int cols, kb_style style, const char *format,
                    ...) __attribute__((format(printf, 6, 7)));
/* The same, ending at the right edge of the COLS cells. */
void kb_canvas_text_right(kb_canvas *canvas, int x, int y, int cols, kb_style style,
                          const char *text);
/* Wraps TEXT at blanks into the rectangle; returns the rows used. */
int kb_canvas_wrap(kb_canvas *canvas, kb_rect rect, kb_style style, const char *text);
/* The cells that kb_canvas_text would need for all of TEXT. */
int kb_text_cells(const char *text, bool ascii);

void kb_canvas_fill(kb_canvas *canvas, kb_rect rect, char32_t glyph, kb_style style);
/* Changes the colours of what is drawn and keeps the glyphs. */
void kb_canvas_tint(kb_canvas *canvas, kb_rect rect, kb_style style);
/* A frame along the inside of RECT with TITLE (NULL: none) in its upper edge. */
void kb_canvas_box(kb_canvas *canvas, kb_rect rect, kb_style style, const char *title);

/* The row as UTF-8 without trailing blanks, for tests and screen dumps; returns the length. Cut at
 * SIZE - 1 bytes. */
size_t kb_canvas_row_text(const kb_canvas *canvas, int y, char *text, size_t size);

/* Decodes one character of UTF-8 at S into *OUT; returns its bytes, or 0 where S is not UTF-8 (or
 * the end). */
size_t kb_utf8_decode(const char *s, char32_t *out);
/* Writes C (4 bytes at most, no NUL); returns the bytes. */
size_t kb_utf8_encode(char32_t c, char *out);

#endif
