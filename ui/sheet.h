/* sheet: what a view shows, as columns and rows. The list on the screen, the table in place of a
 * chart, the CSV file and the tests all read the same sheet. A sheet owns nothing; its context must
 * live as long as it is used. */
#ifndef KB_SHEET_H
#define KB_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "canvas.h"
#include "status.h"

typedef enum kb_value_kind {
    KB_VALUE_NONE, /* empty */
    KB_VALUE_TEXT,
    KB_VALUE_COUNT, /* a whole number */
    KB_VALUE_REAL,
    KB_VALUE_SHARE, /* 0..1: a percentage on the screen, a fraction in a file */
    KB_VALUE_FLAG   /* yes or nothing on the screen, 1 or 0 in a file */
} kb_value_kind;

typedef struct kb_value {
    kb_value_kind kind;
    double number;
    const char *text; /* of KB_VALUE_TEXT; NULL: the text in BUFFER */
    uint8_t ink;
    char buffer[96];
} kb_value;

typedef struct kb_sheet_column {
    const char *name;  /* in a file: one lower-case word */
    const char *title; /* on the screen; NULL: the name */
    uint8_t width;     /* cells on the screen; of a flexible column the least */
    uint8_t drop;  /* narrow screens lose columns with a larger number first; 0 is always there */
    bool flexible; /* takes the room that is left, up to what its texts need */
    bool graphic;  /* painted, not written: not part of a file */
} kb_sheet_column;

typedef struct kb_sheet {
    const kb_sheet_column *columns;
    size_t column_count, row_count;
    /* Fills *VALUE (zeroed before). */
    void (*cell)(void *ctx, size_t row, size_t column, kb_value *value);
    /* Draws a graphic column; NULL when there is none. */
    void (*paint)(void *ctx, size_t row, size_t column, kb_canvas *canvas, kb_rect rect);
    /* What a row is known by when the rows change; NULL: its number. */
    uint64_t (*key)(void *ctx, size_t row);
    void *ctx;
    uint64_t version; /* differs whenever rows or cells differ */
} kb_sheet;

kb_value kb_sheet_cell(const kb_sheet *sheet, size_t row, size_t column);
uint64_t kb_sheet_key(const kb_sheet *sheet, size_t row);
/* As shown on the screen. TEXT (SIZE bytes) may be used for it or not; returns the text. */
const char *kb_value_shown(const kb_value *value, char *text, size_t size);
/* As written to a file: numbers with nine significant digits, always with a decimal point. */
const char *kb_value_filed(const kb_value *value, char *text, size_t size);
/* Numbers by size, texts bytewise, nothing last. */
int kb_value_compare(const kb_value *a, const kb_value *b);

static inline void kb_value_text(kb_value *value, const char *text)
{
    value->kind = KB_VALUE_TEXT;
    value->text = text;
}

static inline void kb_value_number(kb_value *value, kb_value_kind kind, double number)
{
    value->kind = kind;
    value->number = number;
}

/* The rows ORDER[0 .. COUNT) of SHEET (ORDER NULL: all, COUNT ignored) as RFC 4180 CSV with a
 * header, whole or not at all. */
kb_status kb_sheet_write(const kb_sheet *sheet, const size_t *order, size_t count, const char *path,
                         kb_error *err);

#endif
