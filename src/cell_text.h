/* cell_text: texts in the cells of a terminal: how many they take, and how they look in fewer. */
#ifndef KB_CLI_CELL_TEXT_H
#define KB_CLI_CELL_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* The cells that TEXT, of printable characters of the locale, takes (wcwidth); a byte that is none
 * takes one. */
size_t cell_text_width(const char *text);

/* What stands for the middle of a text: an ellipsis, or "~" where the locale has none. One cell. */
const char *cell_text_mark(void);

/* Writes TEXT in at most CELLS (at least 1) cells, its middle replaced by the mark where it is
 * longer: wide characters are never halved, and what combines stays with its character. Returns the
 * cells taken. */
size_t cell_text_write(FILE *file, const char *text, size_t cells);

#endif
