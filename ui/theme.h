/* theme: which colour means what, and what each kind of terminal shows for it.
 *
 * Views name inks (foregrounds) and papers (backgrounds) by meaning. Colours never stand alone: a
 * cluster also has its number, a state its word. The cluster colours were picked from the
 * 256-colour cube by largest least distance (CIELAB) under normal sight and simulated protanopia,
 * deuteranopia and tritanopia (Machado et al. 2009), among those readable on black and on white. */
#ifndef KB_THEME_H
#define KB_THEME_H

#include <stdbool.h>
#include <stdint.h>

#include "canvas.h"

typedef enum kb_depth {
    KB_DEPTH_MONO,
    KB_DEPTH_8,
    KB_DEPTH_16,
    KB_DEPTH_256,
    KB_DEPTH_DIRECT
} kb_depth;

enum { KB_CLUSTER_INKS = 14 };

typedef enum kb_ink {
    KB_INK_PLAIN,
    KB_INK_DIM,    /* axes, frames, hints */
    KB_INK_TITLE,  /* headings */
    KB_INK_ACCENT, /* keys, the running bar */
    KB_INK_GOOD,
    KB_INK_WARN, /* emerging, notes */
    KB_INK_BAD,  /* errors */
    KB_INK_BAR,  /* on the top line */
    KB_INK_SELECTED,
    KB_INK_FIRST,  /* first series of a chart */
    KB_INK_SECOND, /* second series */
    KB_INK_CLUSTER,
    KB_INKS = KB_INK_CLUSTER + KB_CLUSTER_INKS
} kb_ink;

typedef enum kb_paper { KB_PAPER_PLAIN, KB_PAPER_BAR, KB_PAPER_SELECTED, KB_PAPERS } kb_paper;

/* What the terminal is given: -1 its own default, a palette index, or 0xRRGGBB under
 * KB_DEPTH_DIRECT. */
int kb_theme_ink(kb_depth depth, unsigned ink);
int kb_theme_paper(kb_depth depth, unsigned paper);
/* KB_BOLD and the like that stand in for colours that DEPTH does not have. */
uint8_t kb_theme_attributes(kb_depth depth, kb_style style);

/* The depth of a terminal with COLORS colours (0 or less: none); DIRECT_COLOR when its numbers are
 * RGB values. */
kb_depth kb_theme_depth(int colors, bool direct_color);

/* The ink of a cluster's number (from 1; 0: no cluster). Numbers beyond the palette repeat it. */
uint8_t kb_theme_cluster(uint32_t number);
/* One character for a cluster: 1-9, then A-Z, a-z; '?' for 0 and beyond. */
char kb_theme_glyph(uint32_t number);

static inline kb_style kb_ink_style(unsigned ink)
{
    return (kb_style){.ink = (uint8_t)ink};
}

static inline kb_style kb_bold_style(unsigned ink)
{
    return (kb_style){.ink = (uint8_t)ink, .attributes = KB_BOLD};
}

#endif
