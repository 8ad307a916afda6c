#include "cell_text.h"

#include <limits.h>
#include <string.h>
#include <wchar.h>

/* The bytes of the character at TEXT (not its end); *WIDTH: its cells. */
static size_t next_character(const char *text, mbstate_t *state, size_t *width)
{
    wchar_t wide;
    size_t n = mbrtowc(&wide, text, strlen(text), state);
    *width = 1;
    if (n == (size_t)-1 || n == (size_t)-2) {
        memset(state, 0, sizeof *state);
        return 1;
    }
    int cells = wcwidth(wide);
    *width = cells > 0 ? (size_t)cells : 0;
    return n;
}

size_t cell_text_width(const char *text)
{
    mbstate_t state = {0};
    size_t total = 0, width;
    while (*text) {
        text += next_character(text, &state, &width);
        total += width;
    }
    return total;
}

const char *cell_text_mark(void)
{
    char bytes[MB_LEN_MAX];
    mbstate_t state = {0};
    return wcwidth(L'…') == 1 && wcrtomb(bytes, L'…', &state) != (size_t)-1 ? "…" : "~";
}

/* How many bytes of TEXT fit into CELLS; *TAKEN: the cells that they take. */
static size_t head_of(const char *text, size_t cells, size_t *taken)
{
    mbstate_t state = {0};
    size_t at = 0, width;
    *taken = 0;
    while (text[at]) {
        size_t n = next_character(text + at, &state, &width);
        if (*taken + width > cells)
            break;
        *taken += width;
        at += n;
    }
    return at;
}

/* Where the longest end of TEXT (TOTAL cells) begins that fits into CELLS; *TAKEN likewise. */
static size_t tail_of(const char *text, size_t total, size_t cells, size_t *taken)
{
    mbstate_t state = {0};
    size_t at = 0, width;
    *taken = total;
    while (text[at]) {
        size_t n = next_character(text + at, &state, &width);
        if (*taken <= cells && width)
            break;
        *taken -= width;
        at += n;
    }
    return at;
}

size_t cell_text_write(FILE *file, const char *text, size_t cells)
{
    size_t total = cell_text_width(text), before, behind;
    if (total <= cells) {
        fputs(text, file);
        return total;
    }
    size_t head = head_of(text, cells / 2, &before);
    size_t tail = tail_of(text, total, cells - 1 - cells / 2, &behind);
    fwrite(text, 1, head, file);
    fputs(cell_text_mark(), file);
    fputs(text + tail, file);
    return before + 1 + behind;
}
