/* braille: pictures made of dots, several to a character cell.
 *
 * A dots picture covers a rectangle of cells. In braille a cell holds 2 x 4 dots, in blocks 2 x 2,
 * in ASCII 1 x 2. Each dot has a colour (an ink; 0 is no dot); a cell is painted in the ink that
 * most of its dots have, the smallest where they tie. */
#ifndef KB_BRAILLE_H
#define KB_BRAILLE_H

#include <stdbool.h>
#include <stdint.h>

#include "canvas.h"

typedef enum kb_dots_mode { KB_DOTS_BRAILLE, KB_DOTS_BLOCK, KB_DOTS_ASCII } kb_dots_mode;

enum { KB_DOTS_MODES = 3 };

const char *kb_dots_mode_name(kb_dots_mode mode); /* "braille", "block", "ascii" */

typedef struct kb_dots {
    kb_dots_mode mode;
    int cols, rows;    /* cells */
    int width, height; /* dots */
    uint8_t *ink;      /* height x width; 0: no dot */
} kb_dots;

/* Dots to a cell. */
int kb_dots_across(kb_dots_mode mode);
int kb_dots_down(kb_dots_mode mode);

/* False, with *OUT empty (drawing on it does nothing), when there is no memory or nothing to cover.
 */
bool kb_dots_create(kb_dots *out, kb_dots_mode mode, int cols, int rows);
void kb_dots_free(kb_dots *dots);
/* Dots outside are dropped. INK is not 0. */
void kb_dots_set(kb_dots *dots, int x, int y, uint8_t ink);
/* A straight line, both ends included (Bresenham 1965). */
void kb_dots_line(kb_dots *dots, int x0, int y0, int x1, int y1, uint8_t ink);
/* The character of one cell (' ' when empty) and the ink of most of its dots. */
char32_t kb_dots_glyph(const kb_dots *dots, int col, int row, uint8_t *ink);
/* Paints all cells that hold a dot with their top left at X, Y; the others are left alone. */
void kb_dots_draw(const kb_dots *dots, kb_canvas *canvas, int x, int y);

#endif
