/* Rows are cut at their marks (csv_marks.h) as long as they are what most rows are: plain fields,
 * or fields that are a quote, text without one, and a quote, all on one line. Any other row is
 * libcsv's, which is fed one physical line at a time, while the text keeps all bytes of the row
 * being read. So a row's line number is exact, and a row that turns out to be damaged (a quote that
 * never closes) can be given up: the parser is reset and reading resumes on the line after the
 * row's first. That stays linear: a line that opens a quote when it is read as the start of a row
 * closes one when it is read inside of a quote, and only FOLDS_MAX lines of a row may do that. */
#include "csv_rows.h"

#include <csv.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv_marks.h"
#include "csv_text.h"
#include "foreign.h"
#include "memory.h"
#include "number.h"
#include "sizes.h"

enum {
    /* lines of one row that end in another quoted field than they began in */
    FOLDS_MAX = KB_SIZE(32, 5),
    ENTRY_BLOCK = 16 * 1024, /* how libcsv's field buffer grows */
    LIST_BYTES = 400,        /* of the header, in an error */
    REASON_BYTES = 64,
    BAD_ROWS_AT_ONCE = KB_SIZE(4096, 5)
};

/* How reading a row ended. */
enum outcome {
    ROW_CUT,    /* at its marks: it is good, and the spans are its fields */
    ROW_ODD,    /* it is not for the marks */
    ROW_DONE,   /* libcsv saw its end; reason says whether it is good */
    ROW_BROKEN, /* it cannot be finished; resume behind its first line */
    ROW_NONE    /* the end of the file */
};

/* A growing text of strings, each with its NUL, known by where they start. */
struct strings {
    char *text;
    size_t size, capacity;
    size_t *starts;
    size_t count, starts_capacity;
};

struct kb_csv {
    kb_csv_text text;
    struct csv_parser parser;
    char *label;
    kb_csv_options options;
    uint64_t first; /* offset of the first row */
    uint64_t header_line;
    uint64_t row_line;   /* of the row being read */
    uint64_t given_line; /* of the row last delivered */

    struct strings header; /* the names; "" for one that is too long */
    size_t width;          /* fields of a row as delivered */
    size_t *places;        /* by delivered field: field of the file, or SIZE_MAX */
    bool *wanted;          /* by field of the file */

    kb_field *spans;      /* by field of the file: of the row last cut */
    kb_field *fields;     /* by delivered field: the spans where all columns are wanted */
    struct strings cells; /* the wanted fields of the row that libcsv parses */

    /* the row being parsed by libcsv */
    size_t field_count, folds;
    bool complete, overlong, no_memory;
    const char *reason; /* why it is bad, or NULL */
    kb_problem_kind kind;
};

/* --- strings ------------------------------------------------------------------------------ */

static bool add_string(struct strings *strings, const char *s, size_t length)
{
    if (!kb_grow((void **)&strings->starts, &strings->starts_capacity, strings->count + 1,
                 sizeof *strings->starts) ||
        !kb_grow((void **)&strings->text, &strings->capacity, strings->size + length + 1, 1))
        return false;
    strings->starts[strings->count++] = strings->size;
    if (length)
        memcpy(strings->text + strings->size, s, length);
    strings->size += length;
    strings->text[strings->size++] = '\0';
    return true;
}

static kb_field get_string(const struct strings *strings, size_t i)
{
    size_t end = i + 1 < strings->count ? strings->starts[i + 1] : strings->size;
    return (kb_field){strings->text + strings->starts[i], end - strings->starts[i] - 1};
}

static void free_strings(struct strings *strings)
{
    free(strings->text);
    free(strings->starts);
}

/* The row being read is bad. */
static void blame(kb_csv *csv, kb_problem_kind kind, const char *reason)
{
    csv->kind = kind;
    csv->reason = reason;
}

/* --- what libcsv calls -------------------------------------------------------------------- */

/* A field longer than a piece (see feed) began in an earlier one, so that the parser's state as of
 * the last call tells whether this very field is quoted. */
static bool too_long(kb_csv *csv, size_t length)
{
    if (length <= KB_FIELD_MAX)
        return false;
    csv->overlong |= csv->parser.quoted != 0;
    return true;
}

static void take_field(void *text, size_t length, void *ctx)
{
    kb_csv *csv = ctx;
    size_t i = csv->field_count++;
    bool wanted = i < csv->header.count && csv->wanted[i];
    if (too_long(csv, length)) {
        if (wanted)
            blame(csv, KB_PROBLEM_LENGTH, "a field longer than 4096 bytes");
        length = 0;
    }
    if (i < csv->header.count && !add_string(&csv->cells, text, wanted ? length : 0))
        csv->no_memory = true;
}

static void take_name(void *text, size_t length, void *ctx)
{
    kb_csv *csv = ctx;
    csv->field_count++;
    if (csv->header.count == KB_COLUMNS_MAX)
        blame(csv, KB_PROBLEM_LENGTH, "more than 1048576 columns");
    else if (!add_string(&csv->header, text, too_long(csv, length) ? 0 : length))
        csv->no_memory = true;
}

static void end_row(int terminator, void *ctx)
{
    (void)terminator;
    kb_csv *csv = ctx;
    csv->complete = true;
}

/* libcsv drops blanks around a field unless it is told that nothing is one. */
static int never_blank(unsigned char c)
{
    (void)c;
    return 0;
}

/* --- rows by libcsv ----------------------------------------------------------------------- */

/* Puts libcsv's state back to the start of a row; its buffer stays. */
static void reset_parser(kb_csv *csv)
{
    csv_fini(&csv->parser, NULL, NULL, NULL);
    csv->field_count = 0;
    csv->complete = csv->overlong = false;
    csv->reason = NULL;
}

/* The strict parser stopped at *S. A quote inside of an unquoted field is text; one that closes a
 * field must be followed by a comma or the end of the line, or else the row is broken. */
static bool forgive_quote(kb_csv *csv, const char *s, void (*take)(void *, size_t, void *))
{
    if (csv_error(&csv->parser) != CSV_EPARSE) {
        csv->no_memory = true;
        return false;
    }
    if (csv->parser.quoted) {
        blame(csv, KB_PROBLEM_QUOTES, "text behind a closing quote");
        return false;
    }
    csv_set_opts(&csv->parser, 0);
    csv_parse(&csv->parser, s, 1, take, end_row, csv);
    csv_set_opts(&csv->parser, CSV_STRICT);
    return true;
}

static bool quoted_too_long(kb_csv *csv)
{
    /* While a quoted field is open the parser's buffer may end in the quote that closes it. */
    if (csv->parser.quoted && csv->parser.entry_pos > KB_FIELD_MAX + 1)
        csv->overlong = true;
    if (csv->overlong)
        blame(csv, KB_PROBLEM_LENGTH, "a quoted field longer than 4096 bytes");
    return csv->overlong;
}

static bool too_many_folds(kb_csv *csv, size_t fields_before)
{
    csv->folds += !csv->complete && csv->field_count > fields_before;
    if (csv->folds > FOLDS_MAX)
        blame(csv, KB_PROBLEM_QUOTES, "quoted fields that run on from line to line");
    return csv->folds > FOLDS_MAX;
}

/* Parses N bytes at S in pieces no longer than the longest field; false: the row is broken. */
static bool feed(kb_csv *csv, const char *s, size_t n, void (*take)(void *, size_t, void *))
{
    size_t fields = csv->field_count;
    while (n) {
        size_t piece = n < KB_FIELD_MAX ? n : KB_FIELD_MAX;
        size_t eaten = csv_parse(&csv->parser, s, piece, take, end_row, csv);
        if (eaten < piece && !csv->overlong) {
            if (!forgive_quote(csv, s + eaten, take))
                return false;
            eaten++;
        }
        if (quoted_too_long(csv))
            return false;
        s += eaten;
        n -= eaten;
    }
    return !too_many_folds(csv, fields);
}

static void check_bytes(kb_csv *csv, const char *s, size_t n)
{
    if (memchr(s, 0, n))
        blame(csv, KB_PROBLEM_BYTES, "a NUL byte");
    else if (!kb_utf8_valid(s, n))
        blame(csv, KB_PROBLEM_BYTES, "not UTF-8");
}

/* Bytes of the LENGTH at AT that are to be parsed at once: up to a carriage return inside, which
 * may end a row too. */
static size_t segment(const kb_csv *csv, size_t length)
{
    const char *s = csv->text.buffer + csv->text.at, *cr = memchr(s, '\r', length);
    if (!cr || (size_t)(cr - s) + 2 == length)
        return length;
    return (size_t)(cr - s) + 1;
}

static bool is_blank_line(const char *s, size_t n)
{
    return s[0] == '\n' || (s[0] == '\r' && (n == 1 || s[1] == '\n'));
}

static void begin_row(kb_csv *csv)
{
    csv->text.row = csv->text.at;
    csv->row_line = csv->text.line;
    csv->field_count = csv->folds = csv->cells.count = csv->cells.size = 0;
    csv->complete = false;
    csv->reason = NULL;
}

/* Moves over the line at AT, which is too long. The buffer is emptied as it fills, but for a byte:
 * where the text ends without a newline, this line gets one as any other does. */
static kb_status skip_line(kb_csv_text *text, kb_error *err)
{
    size_t length = SIZE_MAX;
    while (length == SIZE_MAX) {
        text->row = text->at = text->searched - 1;
        kb_status status = kb_csv_text_find_line(text, &length, err);
        if (status != KB_OK)
            return status;
    }
    if (length)
        kb_csv_text_step(text, length);
    return KB_OK;
}

/* A row that no further line continues: LENGTH 0, the text has ended; SIZE_MAX, it is too long. */
static kb_status end_early(kb_csv *csv, size_t length, enum outcome *outcome, kb_error *err)
{
    bool fresh = csv->text.at == csv->text.row;
    if (fresh && length) {
        *outcome = ROW_DONE;
        blame(csv, KB_PROBLEM_LENGTH, "a line longer than 64 MiB");
        return skip_line(&csv->text, err);
    }
    if (length)
        blame(csv, KB_PROBLEM_LENGTH, "a row longer than 64 MiB");
    else
        blame(csv, KB_PROBLEM_QUOTES, "a quoted field that never ends");
    *outcome = fresh ? ROW_NONE : ROW_BROKEN;
    return KB_OK;
}

static kb_status parse_row(kb_csv *csv, void (*take)(void *, size_t, void *), enum outcome *outcome,
                           kb_error *err)
{
    kb_csv_text *text = &csv->text;
    begin_row(csv);
    while (!csv->complete) {
        size_t length;
        kb_status status = kb_csv_text_find_line(text, &length, err);
        if (status != KB_OK)
            return status;
        if (length == 0 || length == SIZE_MAX)
            return end_early(csv, length, outcome, err);
        const char *s = text->buffer + text->at;
        length = segment(csv, length);
        if (text->at == text->row && is_blank_line(s, length)) {
            kb_csv_text_step(text, length);
            begin_row(csv);
            continue;
        }
        bool whole = feed(csv, s, length, take);
        if (!csv->reason)
            check_bytes(csv, s, length);
        kb_csv_text_step(text, length);
        if (!whole || csv->no_memory) {
            *outcome = ROW_BROKEN;
            return csv->no_memory ? kb_fail_memory(err, "a row of a file") : KB_OK;
        }
    }
    *outcome = ROW_DONE;
    return KB_OK;
}

/* --- rows by their marks ------------------------------------------------------------------ */

/* Steps M over the marks of a quoted field, of which *M is the one behind its first quote; returns
 * its last quote's offset, or 0 when there is none before END or on the line. */
static size_t find_closing(const char *s, const uint32_t **m, const uint32_t *end)
{
    while (*m < end && s[**m] == ',')
        ++*m;
    if (*m == end || s[**m] != '"')
        return 0;
    return *(*m)++;
}

/* Fills the spans of the row at AT from its marks; returns where it ends, 0: more marks are needed,
 * SIZE_MAX: it is odd. Every field must end at a comma but the last, which ends the line. */
static size_t cut_row(kb_csv *csv)
{
    const kb_csv_text *text = &csv->text;
    const char *s = text->buffer;
    const uint32_t *m = text->marks + text->mark, *end = text->marks + text->mark_count;
    size_t begin = text->at, last = csv->header.count - 1;
    for (size_t f = 0; m < end; f++) {
        size_t stop = *m++, close = stop;
        if (s[stop] == '"') {
            close = stop == begin++ ? find_closing(s, &m, end) : SIZE_MAX;
            if (m == end)
                return 0;
            if (!close || close == SIZE_MAX || *m != close + 1)
                return SIZE_MAX;
            stop = *m++;
        }
        if (close - begin > KB_FIELD_MAX)
            return SIZE_MAX;
        csv->spans[f] = (kb_field){s + begin, close - begin};
        begin = stop + 1;
        if (f < last && s[stop] == ',')
            continue;
        if (f < last || s[stop] == ',' || s[stop] == '"')
            return SIZE_MAX;
        if (s[stop] == '\n')
            return begin;
        return m == end ? 0 : s[*m] == '\n' && *m == begin ? begin + 1 : SIZE_MAX;
    }
    return 0;
}

/* Moves over lines with nothing in them. */
static void skip_blank_lines(kb_csv_text *text)
{
    while (text->mark < text->mark_count) {
        const uint32_t *m = text->marks + text->mark;
        const char *s = text->buffer + *m;
        size_t n = *s == '\n' ? 1 : 2;
        if (*m != text->at || (n == 2 && (*s != '\r' || text->mark + 1 == text->mark_count ||
                                          m[1] != *m + 1 || s[1] != '\n')))
            return;
        text->mark += n;
        kb_csv_text_step(text, n);
    }
}

/* Tries to take the next row by its marks. The row is left alone if that cannot be. */
static kb_status take_marks(kb_csv *csv, enum outcome *outcome, kb_error *err)
{
    kb_csv_text *text = &csv->text;
    kb_csv_text_resync(text);
    for (;;) {
        skip_blank_lines(text);
        begin_row(csv);
        size_t end = cut_row(csv);
        *outcome = ROW_ODD;
        if (end == SIZE_MAX)
            return KB_OK;
        if (end) {
            size_t n = end - text->at;
            if (n > KB_ROW_BYTES_MAX)
                return KB_OK;
            if (kb_csv_text_flags(text))
                check_bytes(csv, text->buffer + text->at, n);
            kb_csv_text_step(text, n);
            *outcome = ROW_CUT;
            return KB_OK;
        }
        bool more;
        kb_status status = kb_csv_text_more_marks(text, &more, err);
        if (status != KB_OK || !more)
            return status;
    }
}

/* --- the reader --------------------------------------------------------------------------- */

static kb_status tell(kb_csv *csv, uint64_t line, kb_problem_kind kind, const char *reason,
                      kb_error *err)
{
    kb_problems_add(csv->options.problems, csv->label, line, kind, "%s", reason);
    if (!csv->options.strict)
        return KB_OK;
    const kb_problem problem = {csv->label, line, kind, reason};
    char text[sizeof err->text];
    kb_problem_text(&problem, text, sizeof text);
    kb_printable(text);
    return kb_fail(err, KB_ERR_FORMAT, "%s", text);
}

/* Why the row just read is bad: REASON or TEXT (REASON_BYTES), or NULL. */
static const char *verdict(kb_csv *csv, enum outcome outcome, char *text)
{
    if (csv->reason || outcome == ROW_CUT || csv->field_count == csv->header.count)
        return csv->reason;
    snprintf(text, REASON_BYTES, "%zu field%s, the header has %zu", csv->field_count,
             csv->field_count == 1 ? "" : "s", csv->header.count);
    csv->kind = KB_PROBLEM_FIELDS;
    return text;
}

/* Fills fields from the row that was cut. The bytes behind a field, which are marks, become its
 * NUL. */
static void deliver_cut(kb_csv *csv)
{
    char *buffer = csv->text.buffer;
    for (size_t c = 0; c < csv->width; c++) {
        size_t f = csv->places[c];
        kb_field field = f == SIZE_MAX ? (kb_field){"", 0} : csv->spans[f];
        csv->fields[c] = field;
        if (f != SIZE_MAX)
            buffer[(size_t)(field.text - buffer) + field.length] = '\0';
    }
}

/* The same from the row that libcsv parsed. */
static void deliver_parsed(kb_csv *csv)
{
    for (size_t c = 0; c < csv->width; c++) {
        size_t f = csv->places[c];
        csv->fields[c] = f == SIZE_MAX ? (kb_field){"", 0} : get_string(&csv->cells, f);
    }
}

static kb_status read_row(kb_csv *csv, enum outcome *outcome, kb_error *err)
{
    *outcome = ROW_ODD;
    kb_status status = csv->options.slow ? KB_OK : take_marks(csv, outcome, err);
    if (status == KB_OK && *outcome == ROW_ODD)
        status = parse_row(csv, take_field, outcome, err);
    return status;
}

/* Rows that begin behind the range are somebody else's. */
static bool is_past_range(const kb_csv *csv)
{
    return csv->options.end && kb_csv_stop(csv) >= csv->options.end;
}

kb_status kb_csv_next(kb_csv *csv, const kb_field **fields, bool *got, kb_error *err)
{
    *got = false;
    for (size_t bad = 0; !*got && !is_past_range(csv); bad++) {
        enum outcome outcome;
        char text[REASON_BYTES];
        if (bad == BAD_ROWS_AT_ONCE) {
            *fields = NULL;
            *got = true;
            return KB_OK;
        }
        kb_status status = read_row(csv, &outcome, err);
        if (status != KB_OK)
            return status;
        if (outcome == ROW_NONE)
            return csv->text.damage.status == KB_OK
                       ? KB_OK
                       : kb_fail(err, csv->text.damage.status, "%s", csv->text.damage.text);
        const char *reason = verdict(csv, outcome, text);
        *got = !reason;
        if (reason) {
            status = tell(csv, csv->row_line, csv->kind, reason, err);
            if (outcome == ROW_BROKEN) {
                kb_csv_text_back(&csv->text, csv->row_line);
                reset_parser(csv);
            }
            if (status != KB_OK)
                return status;
        } else if (outcome == ROW_CUT) {
            deliver_cut(csv);
        } else {
            deliver_parsed(csv);
        }
    }
    csv->given_line = csv->row_line;
    *fields = csv->fields;
    return KB_OK;
}

kb_status kb_csv_tell(kb_csv *csv, uint64_t line, kb_error *err, kb_problem_kind kind,
                      const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return tell(csv, line, kind, reason, err);
}

kb_status kb_csv_reject(kb_csv *csv, kb_error *err, kb_problem_kind kind, const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return tell(csv, csv->given_line, kind, reason, err);
}

/* --- the header --------------------------------------------------------------------------- */

/* Where the header has NAME: SIZE_MAX when it has not. *TWICE is set when it has it again. */
static size_t find_name(const kb_csv *csv, const char *name, bool *twice)
{
    size_t found = SIZE_MAX;
    for (size_t f = 0; name && f < csv->header.count; f++) {
        if (strcmp(get_string(&csv->header, f).text, name) != 0)
            continue;
        *twice = found != SIZE_MAX;
        if (*twice)
            break;
        found = f;
    }
    return found;
}

static bool shows_in_a_list(const kb_field *name)
{
    return name->length && name->text[0] != ' ' && name->text[name->length - 1] != ' ' &&
           !strchr(name->text, ',');
}

/* The header's names for an error. */
static void list_names(const kb_csv *csv, char *list, size_t size)
{
    size_t used = 0;
    for (size_t f = 0; f < csv->header.count; f++) {
        kb_field name = get_string(&csv->header, f);
        const char *comma = f ? ", " : "", *quote = shows_in_a_list(&name) ? "" : "'";
        if (used + name.length + sizeof ", '', ..." > size) {
            snprintf(list + used, size - used, "%s...", comma);
            break;
        }
        used +=
            (size_t)snprintf(list + used, size - used, "%s%s%s%s", comma, quote, name.text, quote);
    }
    kb_printable(list);
}

static kb_status missing_column(const kb_csv *csv, const kb_column *column, kb_error *err)
{
    char list[LIST_BYTES] = "", nor[LIST_BYTES / 2] = "";
    list_names(csv, list, sizeof list);
    if (column->mapped)
        snprintf(nor, sizeof nor, " nor '%.150s'", column->mapped);
    return kb_fail(err, KB_ERR_FORMAT, "%s: no column '%s'%s (the header has: %s)", csv->label,
                   column->name, nor, list);
}

kb_status kb_csv_find_column(const kb_csv *csv, const kb_column *column, size_t *place,
                             kb_error *err)
{
    bool twice = false;
    *place = find_name(csv, column->mapped, &twice);
    const char *name = *place == SIZE_MAX ? column->name : column->mapped;
    if (*place == SIZE_MAX)
        *place = find_name(csv, name, &twice);
    if (twice)
        return kb_fail(err, KB_ERR_FORMAT, "%s: column '%s' is there twice", csv->label, name);
    if (*place == SIZE_MAX && column->required)
        return missing_column(csv, column, err);
    return KB_OK;
}

static kb_status place_columns(kb_csv *csv, kb_error *err)
{
    size_t n = csv->header.count;
    csv->width = csv->options.columns ? csv->options.column_count : n;
    csv->places = kb_calloc(csv->width, sizeof *csv->places);
    csv->wanted = kb_calloc(n, sizeof *csv->wanted);
    csv->spans = kb_calloc(n, sizeof *csv->spans);
    csv->fields = csv->options.columns ? kb_calloc(csv->width, sizeof *csv->fields) : csv->spans;
    if (!csv->places || !csv->fields || !csv->wanted || !csv->spans)
        return kb_fail_memory(err, "the header of a file");
    kb_status status = KB_OK;
    for (size_t c = 0; status == KB_OK && c < csv->width; c++) {
        csv->places[c] = c;
        if (csv->options.columns)
            status = kb_csv_find_column(csv, &csv->options.columns[c], &csv->places[c], err);
        if (status == KB_OK && csv->places[c] != SIZE_MAX)
            csv->wanted[csv->places[c]] = true;
    }
    return status;
}

/* Reads as far as the first line and steps over a byte order mark. */
static kb_status skip_mark(kb_csv_text *text, kb_error *err)
{
    size_t length;
    kb_status status = kb_csv_text_find_line(text, &length, err);
    if (status != KB_OK)
        return status;
    if (text->end >= 3 && memcmp(text->buffer, "\xEF\xBB\xBF", 3) == 0) {
        text->at = 3;
        if (text->searched < text->at)
            text->searched = text->at;
    }
    return KB_OK;
}

/* A file that was created and never written to has lost all that was to be in it. */
static kb_status no_header(const kb_csv *csv, kb_error *err)
{
    bool nothing = kb_csv_stop(csv) == 0;
    return kb_fail(err, nothing ? KB_ERR_DAMAGED : KB_ERR_FORMAT,
                   "%s: empty, a header row was expected", csv->label);
}

static kb_status read_header(kb_csv *csv, kb_error *err)
{
    kb_status status = skip_mark(&csv->text, err);
    enum outcome outcome = ROW_NONE;
    const char *foreign = kb_foreign(csv->text.buffer, csv->text.end);
    if (status == KB_OK && foreign)
        status = kb_fail(err, KB_ERR_FORMAT,
                         "%s: is %s: CSV in UTF-8 was expected, plain or gzip-compressed",
                         csv->label, foreign);
    if (status == KB_OK)
        status = parse_row(csv, take_name, &outcome, err);
    if (status != KB_OK)
        return status;
    if (outcome == ROW_NONE && csv->text.damage.status != KB_OK)
        return kb_fail(err, csv->text.damage.status, "%s", csv->text.damage.text);
    if (outcome == ROW_NONE)
        return no_header(csv, err);
    if (csv->reason)
        return kb_fail(err, KB_ERR_FORMAT, "%s:%" PRIu64 ": the header row does not parse: %s",
                       csv->label, csv->row_line, csv->reason);
    csv->header_line = csv->row_line;
    return place_columns(csv, err);
}

/* Goes to where the range's first row begins, or is taken to. */
static kb_status enter_range(kb_csv *csv, kb_error *err)
{
    const kb_csv_options *range = &csv->options;
    if (!range->begin)
        return KB_OK;
    kb_status status = kb_csv_text_seek(&csv->text, range->begin - !range->exact, err);
    size_t length = 0;
    if (status != KB_OK || range->exact)
        return status;
    status = kb_csv_text_find_line(&csv->text, &length, err);
    if (length == SIZE_MAX && status == KB_OK)
        status = skip_line(&csv->text, err);
    else if (length && status == KB_OK)
        kb_csv_text_step(&csv->text, length);
    csv->text.line = 1;
    return status;
}

/* --- opening and closing ------------------------------------------------------------------ */

kb_status kb_csv_open(kb_csv **out, const char *path, const kb_csv_options *options, kb_error *err)
{
    *out = NULL;
    kb_csv *csv = kb_calloc(1, sizeof *csv);
    if (!csv)
        return kb_fail_memory(err, "reading a file");
    csv->options = *options;
    csv_init(&csv->parser, CSV_STRICT);
    csv_set_blk_size(&csv->parser, ENTRY_BLOCK);
    csv_set_space_func(&csv->parser, never_blank);
    csv->label = kb_strdup(options->label ? options->label : path);
    kb_status status = csv->label ? KB_OK : kb_fail_memory(err, "reading a file");
    if (status == KB_OK)
        status = kb_csv_text_open(&csv->text, path, csv->label, options->progress, err);
    if (status == KB_OK)
        kb_bytes_expect(csv->text.bytes, options->size);
    if (status == KB_OK)
        status = read_header(csv, err);
    if (status == KB_OK)
        status = enter_range(csv, err);
    if (status != KB_OK) {
        kb_csv_close(csv);
        return status;
    }
    csv->first = kb_csv_stop(csv);
    if (options->ahead)
        kb_csv_text_go_ahead(&csv->text);
    *out = csv;
    return KB_OK;
}

void kb_csv_close(kb_csv *csv)
{
    if (!csv)
        return;
    kb_csv_text_close(&csv->text);
    csv_free(&csv->parser);
    free_strings(&csv->header);
    free_strings(&csv->cells);
    free(csv->label);
    free(csv->places);
    free(csv->wanted);
    if (csv->fields != csv->spans)
        free(csv->fields);
    free(csv->spans);
    free(csv);
}

/* --- asking ------------------------------------------------------------------------------- */

void kb_csv_on_idle(kb_csv *csv, kb_idle idle)
{
    kb_bytes_on_idle(csv->text.bytes, idle);
}

const char *kb_csv_label(const kb_csv *csv)
{
    return csv->label;
}

size_t kb_csv_width(const kb_csv *csv)
{
    return csv->width;
}

kb_field kb_csv_name(const kb_csv *csv, size_t i)
{
    return get_string(&csv->header, i);
}

bool kb_csv_is_of(const kb_csv *csv, const struct kb_file *file)
{
    return kb_bytes_are_of(csv->text.bytes, file);
}

uint64_t kb_csv_header_line(const kb_csv *csv)
{
    return csv->header_line;
}

uint64_t kb_csv_line(const kb_csv *csv)
{
    return csv->given_line;
}

uint64_t kb_csv_next_line(const kb_csv *csv)
{
    return csv->text.line;
}

uint64_t kb_csv_first(const kb_csv *csv)
{
    return csv->first;
}

uint64_t kb_csv_stop(const kb_csv *csv)
{
    return csv->text.origin + csv->text.at;
}

uint64_t kb_csv_bytes(const kb_csv *csv)
{
    return kb_csv_text_consumed(&csv->text);
}
