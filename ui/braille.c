#include "braille.h"

#include <stdlib.h>

#include "memory.h"

static const struct {
    const char *name;
    int across, down;
} modes[KB_DOTS_MODES] = {
    [KB_DOTS_BRAILLE] = {"braille", 2, 4},
    [KB_DOTS_BLOCK] = {"block", 2, 2},
    [KB_DOTS_ASCII] = {"ascii", 1, 2},
};

const char *kb_dots_mode_name(kb_dots_mode mode)
{
    return modes[mode].name;
}

int kb_dots_across(kb_dots_mode mode)
{
    return modes[mode].across;
}

int kb_dots_down(kb_dots_mode mode)
{
    return modes[mode].down;
}

bool kb_dots_create(kb_dots *out, kb_dots_mode mode, int cols, int rows)
{
    *out = (kb_dots){.mode = mode};
    size_t count;
    if (cols <= 0 || rows <= 0 || cols > INT16_MAX || rows > INT16_MAX)
        return false;
    int width = cols * modes[mode].across, height = rows * modes[mode].down;
    if (!kb_size_mul((size_t)width, (size_t)height, &count))
        return false;
    out->ink = kb_calloc(count, 1);
    if (!out->ink)
        return false;
    out->cols = cols;
    out->rows = rows;
    out->width = width;
    out->height = height;
    return true;
}

void kb_dots_free(kb_dots *dots)
{
    free(dots->ink);
    *dots = (kb_dots){.mode = dots->mode};
}

void kb_dots_set(kb_dots *dots, int x, int y, uint8_t ink)
{
    if (x >= 0 && y >= 0 && x < dots->width && y < dots->height)
        dots->ink[(size_t)y * (size_t)dots->width + (size_t)x] = ink;
}

void kb_dots_line(kb_dots *dots, int x0, int y0, int x1, int y1, uint8_t ink)
{
    int dx = abs(x1 - x0), dy = -abs(y1 - y0);
    int step_x = x0 < x1 ? 1 : -1, step_y = y0 < y1 ? 1 : -1;
    for (int error = dx + dy;;) {
        kb_dots_set(dots, x0, y0, ink);
        if (x0 == x1 && y0 == y1)
            return;
        int twice = 2 * error;
        if (twice >= dy) {
            error += dy;
            x0 += step_x;
        }
        if (twice <= dx) {
            error += dx;
            y0 += step_y;
        }
    }
}

/* The bit of a dot in its cell: Unicode's order of braille dots; row by row otherwise. */
static unsigned dot_bit(kb_dots_mode mode, int x, int y)
{
    static const uint8_t braille[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    return mode == KB_DOTS_BRAILLE ? braille[y][x] : 1u << (y * modes[mode].across + x);
}

static char32_t pattern_glyph(kb_dots_mode mode, unsigned pattern)
{
    static const char32_t quadrants[] = U" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█";
    static const char32_t ascii[] = U" '.:";
    if (pattern == 0)
        return U' ';
    return mode == KB_DOTS_BRAILLE ? 0x2800 + pattern
           : mode == KB_DOTS_BLOCK ? quadrants[pattern]
                                   : ascii[pattern];
}

/* The most frequent of COUNT inks, the smallest of equals. */
static uint8_t majority(const uint8_t *inks, int count)
{
    uint8_t best = 0;
    int most = 0;
    for (int i = 0; i < count; i++) {
        int same = 0;
        for (int j = 0; j < count; j++)
            same += inks[j] == inks[i];
        if (same > most || (same == most && inks[i] < best)) {
            most = same;
            best = inks[i];
        }
    }
    return best;
}

char32_t kb_dots_glyph(const kb_dots *dots, int col, int row, uint8_t *ink)
{
    uint8_t inks[8];
    int count = 0, across = modes[dots->mode].across, down = modes[dots->mode].down;
    unsigned pattern = 0;
    *ink = 0;
    if (col < 0 || row < 0 || col >= dots->cols || row >= dots->rows)
        return U' ';
    for (int y = 0; y < down; y++)
        for (int x = 0; x < across; x++) {
            size_t at = (size_t)(row * down + y) * (size_t)dots->width + (size_t)(col * across + x);
            if (!dots->ink[at])
                continue;
            inks[count++] = dots->ink[at];
            pattern |= dot_bit(dots->mode, x, y);
        }
    *ink = majority(inks, count);
    return pattern_glyph(dots->mode, pattern);
}

void kb_dots_draw(const kb_dots *dots, kb_canvas *canvas, int x, int y)
{
    for (int row = 0; row < dots->rows; row++)
        for (int col = 0; col < dots->cols; col++) {
            uint8_t ink;
            char32_t glyph = kb_dots_glyph(dots, col, row, &ink);
            if (glyph != U' ')
                kb_canvas_put(canvas, x + col, y + row, glyph, (kb_style){.ink = ink});
        }
}
