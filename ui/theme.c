#include "theme.h"

struct color {
    int16_t eight, sixteen, cube; /* palette indices; -1: the terminal's default */
};

static const struct color inks[KB_INKS] = {
    [KB_INK_PLAIN] = {-1, -1, -1},
    [KB_INK_DIM] = {-1, 8, 244},
    [KB_INK_TITLE] = {6, 6, 31},
    [KB_INK_ACCENT] = {6, 6, 37},
    [KB_INK_GOOD] = {2, 2, 35},
    [KB_INK_WARN] = {3, 3, 172},
    [KB_INK_BAD] = {1, 9, 160},
    [KB_INK_BAR] = {7, 15, 254},
    [KB_INK_SELECTED] = {7, 15, 231},
    [KB_INK_FIRST] = {6, 6, 32},
    [KB_INK_SECOND] = {3, 3, 172},
    [KB_INK_CLUSTER] = {1, 9, 197},
    {4, 12, 93},
    {6, 14, 75},
    {5, 5, 126},
    {3, 3, 142},
    {5, 13, 175},
    {4, 4, 62},
    {2, 2, 58},
    {6, 6, 29},
    {1, 1, 209},
    {2, 10, 108},
    {3, 3, 100},
    {5, 5, 132},
    {4, 4, 97},
};

static const struct color papers[KB_PAPERS] = {
    [KB_PAPER_PLAIN] = {-1, -1, -1},
    [KB_PAPER_BAR] = {4, 4, 238},
    [KB_PAPER_SELECTED] = {4, 4, 25},
};

/* xterm's 256 colours beyond the first 16: a 6 x 6 x 6 cube, then greys. */
static int rgb_of_cube(int index)
{
    static const int levels[] = {0, 95, 135, 175, 215, 255};
    if (index >= 232)
        return (8 + 10 * (index - 232)) * 0x010101;
    index -= 16;
    return levels[index / 36] << 16 | levels[index / 6 % 6] << 8 | levels[index % 6];
}

static int color_of(kb_depth depth, struct color color)
{
    switch (depth) {
    case KB_DEPTH_8:
        return color.eight;
    case KB_DEPTH_16:
        return color.sixteen;
    case KB_DEPTH_256:
        return color.cube;
    case KB_DEPTH_DIRECT:
        return color.cube < 0 ? -1 : rgb_of_cube(color.cube);
    case KB_DEPTH_MONO:
        break;
    }
    return -1;
}

int kb_theme_ink(kb_depth depth, unsigned ink)
{
    return ink < KB_INKS ? color_of(depth, inks[ink]) : -1;
}

int kb_theme_paper(kb_depth depth, unsigned paper)
{
    return paper < KB_PAPERS ? color_of(depth, papers[paper]) : -1;
}

uint8_t kb_theme_attributes(kb_depth depth, kb_style style)
{
    uint8_t attributes = style.attributes;
    if (depth == KB_DEPTH_MONO) {
        if (style.paper != KB_PAPER_PLAIN)
            attributes |= KB_REVERSE;
        if (style.ink == KB_INK_BAD || style.ink == KB_INK_WARN || style.ink == KB_INK_TITLE ||
            style.ink == KB_INK_ACCENT)
            attributes |= KB_BOLD;
    }
    if (depth == KB_DEPTH_8 && style.paper != KB_PAPER_PLAIN)
        attributes |= KB_BOLD;
    return attributes;
}

kb_depth kb_theme_depth(int colors, bool direct_color)
{
    if (direct_color && colors > 256)
        return KB_DEPTH_DIRECT;
    return colors >= 256  ? KB_DEPTH_256
           : colors >= 16 ? KB_DEPTH_16
           : colors >= 8  ? KB_DEPTH_8
                          : KB_DEPTH_MONO;
}

uint8_t kb_theme_cluster(uint32_t number)
{
    if (number == 0)
        return KB_INK_DIM;
    return (uint8_t)(KB_INK_CLUSTER + (number - 1) % KB_CLUSTER_INKS);
}

char kb_theme_glyph(uint32_t number)
{
    static const char glyphs[] = "?123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return number < sizeof glyphs - 1 ? glyphs[number] : '?';
}
