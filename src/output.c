#include "output.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "memory.h"
#include "number.h"
#include "problems.h"

enum { GAP = 2 };

typedef enum cell_kind { CELL_TEXT, CELL_NUMBER, CELL_MISSING } cell_kind;

struct output {
    FILE *file;
    output_format format;
    const char *const *columns;
    size_t count;
    size_t streamed; /* see output_open */
    bool lines;      /* an object of JSON a line */
    bool header;     /* columns are named at the beginning */
    size_t column;   /* of the next cell */
    uint64_t rows;   /* begun so far */
    bool no_memory;  /* a cell of a table was lost */
    int error; /* errno of the first write that failed: the stream itself only remembers that one
                  did */
    size_t *widths; /* of a table's columns, in terminal cells */
    bool *is_text;  /* a table's column has text in it and is set to the left */
    char **cells;   /* a kept table: row after row */
    size_t cell_count, cell_capacity;
};

const char *output_format_name(output_format format)
{
    static const char *const names[OUTPUT_FORMATS] = {"table", "csv", "json", "auto"};
    return names[format];
}

/* --- text in a terminal ------------------------------------------------------------------ */
/* A name may hold anything that is UTF-8, escape sequences included. */
static char *printable(const char *text)
{
    char *copy = kb_strdup(text);
    if (copy)
        kb_printable(copy);
    return copy;
}

static size_t display_width(const char *text)
{
    mbstate_t state = {0};
    size_t width = 0;
    while (*text) {
        wchar_t wide;
        size_t n = mbrtowc(&wide, text, strlen(text), &state);
        if (n == (size_t)-1 || n == (size_t)-2) {
            memset(&state, 0, sizeof state);
            n = 1;
            width++;
        } else if (wcwidth(wide) > 0) {
            width += (size_t)wcwidth(wide);
        }
        text += n;
    }
    return width;
}

static void put_blanks(FILE *file, size_t count)
{
    while (count--)
        putc(' ', file);
}

/* Blanks after the last column of a line would only be copied along. */
static void put_table_cell(output *out, size_t column, const char *text)
{
    size_t width = display_width(text);
    size_t pad = width < out->widths[column] ? out->widths[column] - width : 0;
    bool last = column + 1 == out->count;
    if (!out->is_text[column])
        put_blanks(out->file, pad);
    fputs(text, out->file);
    if (out->is_text[column] && !last)
        put_blanks(out->file, pad);
    if (last)
        putc('\n', out->file);
    else
        put_blanks(out->file, GAP);
}

static void keep_cell(output *out, char *text)
{
    void *cells = out->cells;
    if (!text || !kb_grow(&cells, &out->cell_capacity, out->cell_count + 1, sizeof *out->cells)) {
        free(text);
        out->no_memory = true;
        return;
    }
    out->cells = cells;
    out->cells[out->cell_count++] = text;
    size_t width = display_width(text);
    if (width > out->widths[out->column])
        out->widths[out->column] = width;
}

static void table_cell(output *out, cell_kind kind, const char *text)
{
    if (out->no_memory)
        return;
    if (kind == CELL_TEXT)
        out->is_text[out->column] = true;
    char *shown = printable(text);
    if (!out->streamed) {
        keep_cell(out, shown);
        return;
    }
    if (shown)
        put_table_cell(out, out->column, shown);
    else
        out->no_memory = true;
    free(shown);
}

static void table_header(output *out)
{
    for (size_t c = 0; c < out->count; c++)
        put_table_cell(out, c, out->columns[c]);
}

static void table_flush(output *out)
{
    table_header(out);
    for (size_t i = 0; i < out->cell_count; i++)
        put_table_cell(out, i % out->count, out->cells[i]);
}

/* --- CSV and JSON ------------------------------------------------------------------------ */
void output_csv_field(FILE *file, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, file);
        return;
    }
    putc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', file);
        putc(*text, file);
    }
    putc('"', file);
}

static void csv_cell(output *out, const char *text)
{
    output_csv_field(out->file, text);
    putc(out->column + 1 == out->count ? '\n' : ',', out->file);
}

/* A path from the command line need not be UTF-8; JSON must be. */
static void json_string(FILE *file, const char *text)
{
    putc('"', file);
    while (*text) {
        unsigned char c = (unsigned char)*text;
        size_t n = c < 0x80 ? 1 : c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
        if (c == '"' || c == '\\')
            fprintf(file, "\\%c", c);
        else if (c < 0x20 || c == 0x7F)
            fprintf(file, "\\u%04x", c);
        else if (strnlen(text, n) < n || !kb_utf8_valid(text, n))
            n = 1, fputs("\\ufffd", file);
        else
            fwrite(text, 1, n, file);
        text += n;
    }
    putc('"', file);
}

static void json_cell(output *out, cell_kind kind, const char *text)
{
    if (out->column == 0)
        fputs(out->lines ? "{" : out->rows > 1 ? ",\n{" : "\n{", out->file);
    else
        putc(',', out->file);
    json_string(out->file, out->columns[out->column]);
    putc(':', out->file);
    if (kind == CELL_MISSING)
        fputs("null", out->file);
    else if (kind == CELL_NUMBER)
        fputs(text, out->file);
    else
        json_string(out->file, text);
    if (out->column + 1 == out->count)
        fputs(out->lines ? "}\n" : "}", out->file);
}

/* --- opening, cells, closing ------------------------------------------------------------- */
static output_format settle(output_format format, FILE *file)
{
    if (format != OUTPUT_AUTO)
        return format;
    return isatty(fileno(file)) ? OUTPUT_TABLE : OUTPUT_CSV;
}

static void begin(output *out)
{
    if (out->format == OUTPUT_JSON && !out->lines)
        putc('[', out->file);
    for (size_t c = 0; out->format == OUTPUT_CSV && out->header && c < out->count; c++) {
        out->column = c;
        csv_cell(out, out->columns[c]);
    }
    out->column = 0;
    for (size_t c = 0; c < out->count; c++) {
        size_t width = display_width(out->columns[c]);
        out->widths[c] = width < out->streamed ? out->streamed : width;
        out->is_text[c] = out->streamed > 0;
    }
    if (out->format == OUTPUT_TABLE && out->streamed && out->header)
        table_header(out);
}

static output *open_output(const output *how)
{
    size_t count = how->count;
    output *out = kb_calloc(1, sizeof *out);
    size_t *widths = kb_calloc(count, sizeof *widths);
    bool *is_text = kb_calloc(count, sizeof *is_text);
    if (!out || !widths || !is_text) {
        free(out);
        free(widths);
        free(is_text);
        return NULL;
    }
    *out = *how;
    out->format = settle(how->format, how->file);
    out->widths = widths;
    out->is_text = is_text;
    begin(out);
    return out;
}

output *output_open(FILE *file, output_format format, const char *const *columns, size_t count,
                    size_t streamed)
{
    return open_output(&(output){.file = file,
                                 .format = format,
                                 .columns = columns,
                                 .count = count,
                                 .streamed = streamed,
                                 .header = true});
}

output *output_open_rows(FILE *file, output_format format, const char *const *columns, size_t count,
                         size_t width, bool header)
{
    return open_output(&(output){.file = file,
                                 .format = format,
                                 .columns = columns,
                                 .count = count,
                                 .streamed = width,
                                 .lines = true,
                                 .header = header});
}

int output_flush(output *out)
{
    if (!out)
        return ENOMEM;
    if (fflush(out->file) != 0 && !out->error)
        out->error = errno ? errno : EIO;
    if (out->no_memory && !out->error)
        out->error = ENOMEM;
    return out->error;
}

static void cell(output *out, cell_kind kind, const char *text)
{
    if (!out || out->error)
        return;
    if (out->column == 0)
        out->rows++;
    if (out->format == OUTPUT_TABLE)
        table_cell(out, kind, text);
    else if (out->format == OUTPUT_CSV)
        csv_cell(out, text);
    else
        json_cell(out, kind, text);
    out->column = (out->column + 1) % out->count;
    if (ferror(out->file))
        out->error = errno ? errno : EIO;
}

void output_text(output *out, const char *text)
{
    cell(out, CELL_TEXT, text);
}

void output_count(output *out, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    cell(out, CELL_NUMBER, text);
}

void output_real(output *out, double value)
{
    char text[40];
    if (!isfinite(value)) {
        output_missing(out);
        return;
    }
    snprintf(text, sizeof text, "%.*g", out && out->format == OUTPUT_TABLE ? 6 : 9, value);
    cell(out, CELL_NUMBER, text);
}

void output_missing(output *out)
{
    cell(out, CELL_MISSING, "");
}

static void dispose(output *out)
{
    for (size_t i = 0; i < out->cell_count; i++)
        free(out->cells[i]);
    free(out->cells);
    free(out->widths);
    free(out->is_text);
    free(out);
}

int output_end(FILE *file)
{
    int error = ferror(file) ? (errno ? errno : EIO) : 0;
    if (fflush(file) != 0 && !error)
        error = errno;
    if (fclose(file) != 0 && !error)
        error = errno;
    return error;
}

int output_close(output *out)
{
    if (!out)
        return ENOMEM;
    if (out->format == OUTPUT_TABLE && !out->streamed && !out->no_memory)
        table_flush(out);
    if (out->format == OUTPUT_JSON && !out->lines)
        fputs(out->rows ? "\n]\n" : "]\n", out->file);
    int error = output_end(out->file);
    if (out->error)
        error = out->error;
    if (out->no_memory && !error)
        error = ENOMEM;
    dispose(out);
    return error;
}
