#include "output.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell_text.h"
#include "memory.h"
#include "number.h"
#include "problems.h"
#include "table_layout.h"
#include "terminal_width.h"

/* TEXT_LEAST: an output_column's LEAST where it has none. TEXT_FLOOR: less says nothing. */
enum { TEXT_LEAST = 20, TEXT_FLOOR = 8 };

/* CELL_RAW: JSON as it is to be written. */
typedef enum cell_kind { CELL_TEXT, CELL_NUMBER, CELL_MISSING, CELL_RAW } cell_kind;

struct output {
    FILE *file;
    output_format format;
    const output_column *columns;
    size_t count;
    bool streamed;  /* see output_open */
    bool lines;     /* an object of JSON a line */
    bool header;    /* columns are named at the beginning */
    size_t column;  /* of the next cell */
    uint64_t rows;  /* begun so far */
    bool no_memory; /* a cell of a table was lost */
    int error;    /* errno of the first write that failed: the stream itself only remembers that one
                     did */
    size_t limit; /* cells in a line of a table; 0: any number */
    table_column *layout; /* of a table's columns */
    size_t last_shown;    /* the last of them that is */
    size_t slack;         /* cells that a line of a streamed table leaves to long texts */
    bool shortened;       /* a text was */
    bool *is_text;        /* a table's column has text in it and is set to the left */
    char **cells;         /* a kept table: row after row */
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

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void put_blanks(FILE *file, size_t count)
{
    while (count--)
        putc(' ', file);
}

/* The cells that TEXT may take: a line of a streamed table may be longer than others. */
static size_t room_of(const output *out, size_t column, cell_kind kind)
{
    if (!out->limit || kind != CELL_TEXT || out->columns[column].whole)
        return SIZE_MAX;
    return out->layout[column].width + out->slack;
}

/* Blanks after the last column of a line would only be copied along. */
static void put_table_cell(output *out, size_t column, cell_kind kind, const char *text)
{
    const table_column *layout = &out->layout[column];
    if (!layout->shown)
        return;
    size_t natural = cell_text_width(text), room = room_of(out, column, kind);
    size_t taken = smaller(natural, room);
    size_t pad = taken < layout->width ? layout->width - taken : 0;
    bool last = column == out->last_shown;
    if (!out->is_text[column])
        put_blanks(out->file, pad);
    /* A wide character at the cut may leave a cell free. */
    pad += taken - cell_text_write(out->file, text, room);
    out->shortened = out->shortened || natural > room;
    if (out->is_text[column] && !last)
        put_blanks(out->file, pad);
    if (last)
        putc('\n', out->file);
    else
        put_blanks(out->file, TABLE_GAP);
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
}

static void table_cell(output *out, cell_kind kind, const char *text)
{
    if (out->no_memory)
        return;
    if (kind == CELL_TEXT)
        out->is_text[out->column] = true;
    char *shown = printable(text);
    table_column *layout = &out->layout[out->column];
    if (shown)
        layout->natural = larger(layout->natural, cell_text_width(shown));
    if (!out->streamed) {
        keep_cell(out, shown);
        return;
    }
    if (shown)
        put_table_cell(out, out->column, kind, shown);
    else
        out->no_memory = true;
    free(shown);
}

static void table_header(output *out)
{
    for (size_t c = 0; c < out->count; c++)
        put_table_cell(out, c, CELL_NUMBER, out->columns[c].name);
}

static void lay_out(output *out)
{
    table_lay_out(out->layout, out->count, out->limit);
    for (size_t c = 0; c < out->count; c++)
        if (out->layout[c].shown)
            out->last_shown = c;
}

/* Once all cells are there. */
static void lay_out_kept(output *out)
{
    for (size_t c = 0; c < out->count; c++) {
        table_column *layout = &out->layout[c];
        const output_column *column = &out->columns[c];
        size_t least = column->least ? column->least : TEXT_LEAST;
        size_t name = cell_text_width(column->name);
        bool fixed = !out->is_text[c] || column->whole;
        layout->drop = column->drop;
        layout->least = fixed ? layout->natural : smaller(larger(least, name), layout->natural);
        layout->floor = fixed ? layout->natural : smaller(larger(TEXT_FLOOR, name), layout->least);
    }
    lay_out(out);
}

/* Before there is any: by the widths that the columns ask for. */
static void lay_out_streamed(output *out)
{
    size_t used = 0;
    for (size_t c = 0; c < out->count; c++) {
        table_column *layout = &out->layout[c];
        const output_column *column = &out->columns[c];
        size_t name = cell_text_width(column->name);
        layout->drop = column->drop;
        layout->natural = larger(column->width, name);
        layout->least =
            column->least ? smaller(larger(column->least, name), layout->natural) : layout->natural;
        layout->floor = smaller(layout->least, larger(TEXT_FLOOR, name));
        out->is_text[c] = true;
    }
    lay_out(out);
    for (size_t c = 0; c < out->count; c++)
        used += out->layout[c].width + (used && out->layout[c].shown ? TABLE_GAP : 0);
    out->slack = used < out->limit ? out->limit - used : 0;
}

/* The cells that the names of the columns left out take from column FIRST on, each with what stands
 * before it. */
static size_t width_left_out(const output *out, size_t first)
{
    size_t width = 0;
    for (size_t c = first; c < out->count; c++)
        if (!out->layout[c].shown)
            width += cell_text_width(out->columns[c].name) + sizeof ", " - 1;
    return width;
}

/* "a, b, c", or "a, b and 9 more" where ROOM cells are too few. Returns the cells taken, at most.
 */
static size_t put_left_out(output *out, size_t room)
{
    static const size_t more = sizeof " and 9999 more" - 1;
    size_t used = 0, put = 0, left = 0;
    for (size_t c = 0; c < out->count; c++)
        left += !out->layout[c].shown;
    for (size_t c = 0; c < out->count; c++) {
        size_t width = cell_text_width(out->columns[c].name) + sizeof ", " - 1;
        if (out->layout[c].shown)
            continue;
        if (put && used + width + more > room && used + width_left_out(out, c) > room) {
            fprintf(out->file, " and %zu more", left - put);
            return used + more;
        }
        fprintf(out->file, "%s%s", put++ ? ", " : "", out->columns[c].name);
        used += width;
    }
    return used;
}

/* A terminal that has not shown everything is told what, and where all of it is. */
static void table_note(output *out)
{
    static const char left_out[] = "Left out: ", shortened[] = " stands for a part of a name";
    char how[96];
    size_t used = sizeof shortened;
    bool hidden = width_left_out(out, 0) > 0;
    if (!hidden && !out->shortened)
        return;
    int length = snprintf(how, sizeof how, "--format csv or a terminal of %zu columns has all",
                          table_natural(out->layout, out->count));
    if (hidden) {
        fputs(left_out, out->file);
        used = sizeof left_out - 1;
        used += put_left_out(out, out->limit - smaller(out->limit, used));
    } else {
        fprintf(out->file, "%s%s", cell_text_mark(), shortened);
    }
    bool fits = used + sizeof "; " - 1 + (size_t)length <= out->limit;
    fprintf(out->file, ";%c%s\n", fits ? ' ' : '\n', how);
}

static void table_end(output *out)
{
    if (!out->streamed) {
        lay_out_kept(out);
        table_header(out);
    }
    for (size_t i = 0; i < out->cell_count; i++) {
        size_t c = i % out->count;
        put_table_cell(out, c, out->is_text[c] ? CELL_TEXT : CELL_NUMBER, out->cells[i]);
    }
    table_note(out);
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
    json_string(out->file, out->columns[out->column].name);
    putc(':', out->file);
    if (kind == CELL_MISSING)
        fputs("null", out->file);
    else if (kind == CELL_NUMBER || kind == CELL_RAW)
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
        csv_cell(out, out->columns[c].name);
    }
    out->column = 0;
    if (out->format != OUTPUT_TABLE)
        return;
    out->limit = terminal_width(fileno(out->file));
    for (size_t c = 0; c < out->count; c++)
        out->layout[c].natural = cell_text_width(out->columns[c].name);
    if (!out->streamed)
        return;
    lay_out_streamed(out);
    if (out->header)
        table_header(out);
}

static output *open_output(const output *how)
{
    size_t count = how->count;
    output *out = kb_calloc(1, sizeof *out);
    table_column *layout = kb_calloc(count, sizeof *layout);
    bool *is_text = kb_calloc(count, sizeof *is_text);
    if (!out || !layout || !is_text) {
        free(out);
        free(layout);
        free(is_text);
        return NULL;
    }
    *out = *how;
    out->format = settle(how->format, how->file);
    out->layout = layout;
    out->is_text = is_text;
    begin(out);
    return out;
}

output *output_open(FILE *file, output_format format, const output_column *columns, size_t count,
                    bool streamed)
{
    return open_output(&(output){.file = file,
                                 .format = format,
                                 .columns = columns,
                                 .count = count,
                                 .streamed = streamed,
                                 .header = true});
}

output *output_open_rows(FILE *file, output_format format, const output_column *columns,
                         size_t count, bool header)
{
    return open_output(&(output){.file = file,
                                 .format = format,
                                 .columns = columns,
                                 .count = count,
                                 .streamed = true,
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

static void put_list_text(FILE *file, const char *text)
{
    for (; *text; text++) {
        if (*text == ';' || *text == '\\')
            putc('\\', file);
        putc(*text, file);
    }
}

void output_list(output *out, const char *const *texts, size_t count)
{
    char *text = NULL;
    size_t size = 0;
    bool json = out && out->format == OUTPUT_JSON;
    FILE *memory = out ? open_memstream(&text, &size) : NULL;
    if (memory && json)
        putc('[', memory);
    for (size_t i = 0; memory && i < count; i++) {
        if (i)
            putc(json ? ',' : ';', memory);
        if (json)
            json_string(memory, texts[i]);
        else
            put_list_text(memory, texts[i]);
    }
    if (memory && json)
        putc(']', memory);
    if (memory && fclose(memory) == 0)
        cell(out, json ? CELL_RAW : CELL_TEXT, text);
    else
        output_missing(out);
    free(text);
}

static void dispose(output *out)
{
    for (size_t i = 0; i < out->cell_count; i++)
        free(out->cells[i]);
    free(out->cells);
    free(out->layout);
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
    if (out->format == OUTPUT_TABLE && !out->no_memory)
        table_end(out);
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
