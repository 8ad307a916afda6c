#include "sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "outfile.h"

kb_value kb_sheet_cell(const kb_sheet *sheet, size_t row, size_t column)
{
    kb_value value = {0};
    sheet->cell(sheet->ctx, row, column, &value);
    if (value.kind == KB_VALUE_REAL && isnan(value.number))
        value.kind = KB_VALUE_NONE;
    return value;
}

uint64_t kb_sheet_key(const kb_sheet *sheet, size_t row)
{
    return sheet->key ? sheet->key(sheet->ctx, row) : row;
}

const char *kb_value_shown(const kb_value *value, char *text, size_t size)
{
    switch (value->kind) {
    case KB_VALUE_NONE:
        return "";
    case KB_VALUE_TEXT:
        return value->text == NULL ? value->buffer : value->text;
    case KB_VALUE_COUNT:
        snprintf(text, size, "%.0f", value->number);
        return text;
    case KB_VALUE_REAL:
        snprintf(text, size, "%.4g", value->number);
        return text;
    case KB_VALUE_SHARE:
        snprintf(text, size, "%.1f%%", 100 * value->number);
        return text;
    case KB_VALUE_FLAG:
        return value->number != 0 ? "yes" : "";
    }
    return "";
}

const char *kb_value_filed(const kb_value *value, char *text, size_t size)
{
    if (value->kind == KB_VALUE_NONE || value->kind == KB_VALUE_TEXT)
        return kb_value_shown(value, text, size);
    if (value->kind == KB_VALUE_COUNT || value->kind == KB_VALUE_FLAG)
        snprintf(text, size, "%.0f", value->number);
    else
        snprintf(text, size, "%.9g", value->number);
    return text;
}

int kb_value_compare(const kb_value *a, const kb_value *b)
{
    bool no_a = a->kind == KB_VALUE_NONE, no_b = b->kind == KB_VALUE_NONE;
    if (no_a || no_b)
        return (int)no_a - (int)no_b;
    if (a->kind == KB_VALUE_TEXT && b->kind == KB_VALUE_TEXT) {
        char unused[1];
        return strcmp(kb_value_shown(a, unused, 1), kb_value_shown(b, unused, 1));
    }
    return (a->number > b->number) - (a->number < b->number);
}

/* --- CSV ---------------------------------------------------------------------------------- */
static kb_status write_text(kb_outfile *file, const char *text, kb_error *err)
{
    return kb_outfile_write(file, text, strlen(text), err);
}

static kb_status write_field(kb_outfile *file, const char *text, kb_error *err)
{
    bool plain =
        !strpbrk(text, ",\"\r\n") && text[0] != ' ' && (!*text || text[strlen(text) - 1] != ' ');
    if (plain)
        return write_text(file, text, err);
    kb_status status = write_text(file, "\"", err);
    while (!status && *text) {
        size_t run = strcspn(text, "\"");
        status = kb_outfile_write(file, text, run, err);
        text += run;
        if (!status && *text) {
            status = write_text(file, "\"\"", err);
            text++;
        }
    }
    return status ? status : write_text(file, "\"", err);
}

/* ROW SIZE_MAX: the header. */
static kb_status write_row(kb_outfile *file, const kb_sheet *sheet, size_t row, kb_error *err)
{
    const char *separator = "";
    kb_status status = KB_OK;
    for (size_t c = 0; c < sheet->column_count && !status; c++) {
        char text[64];
        if (sheet->columns[c].graphic)
            continue;
        kb_value value = {0};
        if (row != SIZE_MAX)
            value = kb_sheet_cell(sheet, row, c);
        status = write_text(file, separator, err);
        if (!status)
            status = write_field(file,
                                 row == SIZE_MAX ? sheet->columns[c].name
                                                 : kb_value_filed(&value, text, sizeof text),
                                 err);
        separator = ",";
    }
    return status ? status : write_text(file, "\n", err);
}

kb_status kb_sheet_write(const kb_sheet *sheet, const size_t *order, size_t count, const char *path,
                         kb_error *err)
{
    kb_outfile *file;
    kb_status status = kb_outfile_open(&file, path, err);
    if (status)
        return status;
    status = write_row(file, sheet, SIZE_MAX, err);
    if (!order)
        count = sheet->row_count;
    for (size_t i = 0; i < count && !status; i++)
        status = write_row(file, sheet, order ? order[i] : i, err);
    if (!status)
        return kb_outfile_commit(file, err);
    kb_outfile_abort(file);
    return status;
}
