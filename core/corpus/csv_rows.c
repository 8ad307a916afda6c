/* libcsv is fed one physical line at a time, from a buffer that keeps all bytes of the row being
 * read. So a row's line number is exact, and a row that turns out to be damaged (a quote that never
 * closes) can be given up: the parser is reset and reading resumes on the line after the row's
 * first. That stays linear: a line that opens a quote when it is read as the start of a row closes
 * one when it is read inside of a quote, and only FOLDS_MAX lines of a row may do that. */
#include "csv_rows.h"

#include <csv.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "memory.h"
#include "number.h"
#include "simd.h"

enum {
    CHUNK_BYTES = 256 * 1024,
    ROW_BYTES_MAX = 64 * 1024 * 1024, /* a longer line is skipped, so that memory stays bounded */
    FOLDS_MAX = 32, /* lines of one row that end in another quoted field than they began in */
    ENTRY_BLOCK = 16 * 1024, /* how libcsv's field buffer grows */
    LIST_BYTES = 400         /* of the header, in an error */
};

/* What the buffer holds besides plain text; a buffer without any of it needs no closer look at its
 * lines. */
enum { HAS_NUL = 1, HAS_HIGH = 2, HAS_CR = 4, HAS_BLANK = 8 };

/* How reading a row ended. */
enum outcome {
    ROW_DONE,   /* the parser saw its end; reason says whether it is good */
    ROW_BROKEN, /* it cannot be finished; resume behind its first line */
    ROW_NONE    /* the end of the file */
};

struct kb_csv {
    kb_bytes *bytes;
    struct csv_parser parser;
    char *label;
    bool strict;
    kb_problems *problems;

    /* bytes [row, end) of buffer are not done with: [row, at) have been parsed, [at, searched) hold
     * no newline */
    char *buffer;
    size_t capacity, row, at, searched, end;
    unsigned flags;      /* HAS_*, of [row, end) and maybe more */
    bool ended;          /* nothing comes after END */
    kb_error damage;     /* why it ended, when not at the end of the file */
    uint64_t line;       /* of the byte at AT */
    uint64_t row_line;   /* of the byte at ROW */
    uint64_t given_line; /* of the row last delivered */

    const kb_column *columns;
    size_t column_count;
    uint32_t *wanted; /* by field of the file: index of its column, or NOT_WANTED */
    size_t wanted_capacity, header_fields;
    bool *found; /* by column */
    char *text;  /* by column: KB_FIELD_MAX + 1 bytes */
    size_t *lengths;

    /* the row being parsed */
    size_t fields, folds;
    bool complete, overlong, no_memory;
    const char *reason; /* why it is bad, or NULL */
    size_t twice;       /* header: a column found twice, or SIZE_MAX */
    char list[LIST_BYTES + 8];
    bool list_full;
};

#define NOT_WANTED UINT32_MAX

/* --- what libcsv calls
 * ---------------------------------------------------------------------------------------------- */

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
    size_t i = csv->fields++;
    uint32_t column = i < csv->header_fields ? csv->wanted[i] : NOT_WANTED;
    if (too_long(csv, length)) {
        if (column != NOT_WANTED)
            csv->reason = "a field longer than 4096 bytes";
        return;
    }
    if (column == NOT_WANTED)
        return;
    char *copy = csv->text + (size_t)column * (KB_FIELD_MAX + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    csv->lengths[column] = length;
}

/* Appends a column's name to the list for the error about a missing one. */
static void list_name(kb_csv *csv, const char *text, size_t length)
{
    if (csv->list_full)
        return;
    size_t used = strlen(csv->list), room = LIST_BYTES - used;
    csv->list_full = length + 2 >= room;
    const char *comma = used ? ", " : "";
    if (csv->list_full)
        snprintf(csv->list + used, room + 8, "%s...", comma);
    else
        snprintf(csv->list + used, room, "%s%.*s", comma, (int)length, text);
}

static void take_name(void *text, size_t length, void *ctx)
{
    kb_csv *csv = ctx;
    size_t i = csv->fields++;
    if (!kb_grow((void **)&csv->wanted, &csv->wanted_capacity, i + 1, sizeof *csv->wanted)) {
        csv->no_memory = true;
        csv->fields--;
        return;
    }
    csv->wanted[i] = NOT_WANTED;
    if (too_long(csv, length))
        return;
    list_name(csv, text, length);
    for (size_t c = 0; c < csv->column_count; c++) {
        const char *name = csv->columns[c].name;
        if (strlen(name) != length || memcmp(name, text, length) != 0)
            continue;
        if (csv->found[c])
            csv->twice = c;
        csv->found[c] = true;
        csv->wanted[i] = (uint32_t)c;
    }
}

static void end_row(int terminator, void *ctx)
{
    (void)terminator;
    kb_csv *csv = ctx;
    csv->complete = true;
}

static int never_blank(unsigned char c)
{
    (void)c;
    return 0;
}

/* --- bytes into lines
 * -----------------------------------------------------------------------------------------------
 */

/* The HAS_* of N bytes at S. */
KB_SIMD static unsigned inspect(const unsigned char *s, size_t n)
{
    unsigned char high = 0, nul = 0, cr = 0, blank = 0;
    for (size_t i = 0; i < n; i++) {
        high |= s[i];
        nul |= s[i] == 0;
        cr |= s[i] == '\r';
        blank |= (s[i] == ' ') | (s[i] == '\t');
    }
    return (nul ? HAS_NUL : 0u) | (high & 0x80 ? HAS_HIGH : 0u) | (cr ? HAS_CR : 0u) |
           (blank ? HAS_BLANK : 0u);
}

/* libcsv drops blanks around a field unless it is told that nothing is one; without any in the
 * buffer its own test is right as well, and faster. */
static void set_flags(kb_csv *csv, unsigned flags)
{
    csv->flags = flags;
    csv_set_space_func(&csv->parser, flags & HAS_BLANK ? never_blank : NULL);
}

/* A damaged stream ends like a file, except that its last line was cut somewhere and is not a row.
 */
static void end_of_bytes(kb_csv *csv, bool damaged)
{
    csv->ended = true;
    if (damaged)
        csv->end = csv->searched = csv->at;
    else if (csv->end > csv->at && csv->buffer[csv->end - 1] != '\n')
        csv->buffer[csv->end++] = '\n'; /* a last line without a newline is a row */
}

/* Reads more bytes behind those of the row being read. */
static kb_status refill(kb_csv *csv, kb_error *err)
{
    size_t kept = csv->end - csv->row;
    if (csv->row)
        memmove(csv->buffer, csv->buffer + csv->row, kept);
    csv->at -= csv->row;
    csv->searched -= csv->row;
    csv->row = 0;
    csv->end = kept;
    if (!kb_grow((void **)&csv->buffer, &csv->capacity, kept + CHUNK_BYTES + 1, 1))
        return kb_fail_memory(err, "a line of a file");
    size_t got;
    kb_status status =
        kb_bytes_read(csv->bytes, csv->buffer + kept, CHUNK_BYTES, &got, &csv->damage);
    if (status != KB_OK || !got) {
        if (status == KB_OK)
            csv->damage.status = KB_OK;
        end_of_bytes(csv, status != KB_OK);
        return KB_OK;
    }
    csv->end += got;
    bool small = kept < CHUNK_BYTES; /* looking at it again is cheap, and forgets what has gone */
    const unsigned char *start = (const unsigned char *)csv->buffer + (small ? 0 : kept);
    unsigned flags = inspect(start, got + (small ? kept : 0));
    set_flags(csv, small ? flags : flags | csv->flags);
    return KB_OK;
}

/* *LENGTH becomes that of the line at AT with its newline; 0 at the end of the file; SIZE_MAX when
 * the row is too long. */
static kb_status find_line(kb_csv *csv, size_t *length, kb_error *err)
{
    for (;;) {
        const char *newline = memchr(csv->buffer + csv->searched, '\n', csv->end - csv->searched);
        if (newline) {
            csv->searched = (size_t)(newline - csv->buffer);
            *length = csv->searched + 1 - csv->at;
            return KB_OK;
        }
        csv->searched = csv->end;
        *length = csv->end - csv->row >= ROW_BYTES_MAX ? SIZE_MAX : 0;
        if (*length || csv->ended)
            return KB_OK;
        kb_status status = refill(csv, err);
        if (status != KB_OK)
            return status;
    }
}

/* Moves AT over N bytes, of which the last may be a newline. */
static void step(kb_csv *csv, size_t n)
{
    csv->at += n;
    if (csv->buffer[csv->at - 1] == '\n')
        csv->line++;
    if (csv->searched < csv->at)
        csv->searched = csv->at;
}

/* Bytes of the LENGTH at AT that are to be parsed at once: up to a carriage return inside, which
 * may end a row too. */
static size_t segment(const kb_csv *csv, size_t length)
{
    if (!(csv->flags & HAS_CR))
        return length;
    const char *s = csv->buffer + csv->at, *cr = memchr(s, '\r', length);
    if (!cr || (size_t)(cr - s) + 2 == length)
        return length;
    return (size_t)(cr - s) + 1;
}

/* --- lines into rows
 * ------------------------------------------------------------------------------------------------
 */

/* Puts libcsv's state back to the start of a row; its buffer stays. */
static void reset_parser(kb_csv *csv)
{
    csv_fini(&csv->parser, NULL, NULL, NULL);
    csv->fields = 0;
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
        csv->reason = "text behind a closing quote";
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
        csv->reason = "a quoted field longer than 4096 bytes";
    return csv->overlong;
}

static bool too_many_folds(kb_csv *csv, size_t fields_before)
{
    csv->folds += !csv->complete && csv->fields > fields_before;
    if (csv->folds > FOLDS_MAX)
        csv->reason = "quoted fields that run on from line to line";
    return csv->folds > FOLDS_MAX;
}

/* Parses N bytes at S in pieces no longer than the longest field; false: the row is broken. */
static bool feed(kb_csv *csv, const char *s, size_t n, void (*take)(void *, size_t, void *))
{
    size_t fields = csv->fields;
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
    if ((csv->flags & HAS_NUL) && memchr(s, 0, n))
        csv->reason = "a NUL byte";
    else if ((csv->flags & HAS_HIGH) && !csv->reason && !kb_utf8_valid(s, n))
        csv->reason = "not UTF-8";
}

static bool is_blank_line(const char *s, size_t n)
{
    return s[0] == '\n' || (s[0] == '\r' && (n == 1 || s[1] == '\n'));
}

static void begin_row(kb_csv *csv)
{
    csv->row = csv->at;
    csv->row_line = csv->line;
    csv->fields = csv->folds = 0;
    csv->complete = false;
    csv->reason = NULL;
}

/* The rest of a line of which no end is in sight; the buffer is emptied as it fills. */
static kb_status skip_line(kb_csv *csv, kb_error *err)
{
    size_t length = SIZE_MAX;
    while (length == SIZE_MAX) {
        csv->row = csv->at = csv->searched = csv->end;
        kb_status status = find_line(csv, &length, err);
        if (status != KB_OK)
            return status;
    }
    if (length)
        step(csv, length);
    csv->reason = "a line longer than 64 MiB";
    return KB_OK;
}

static kb_status read_row(kb_csv *csv, void (*take)(void *, size_t, void *), enum outcome *outcome,
                          kb_error *err)
{
    begin_row(csv);
    while (!csv->complete) {
        size_t length;
        kb_status status = find_line(csv, &length, err);
        if (status != KB_OK)
            return status;
        bool fresh = csv->at == csv->row;
        if (length == 0 || length == SIZE_MAX) {
            if (fresh && length) {
                *outcome = ROW_DONE;
                return skip_line(csv, err);
            }
            csv->reason = length ? "a row longer than 64 MiB" : "a quoted field that never ends";
            *outcome = fresh ? ROW_NONE : ROW_BROKEN;
            return KB_OK;
        }
        const char *s = csv->buffer + csv->at;
        length = segment(csv, length);
        if (fresh && is_blank_line(s, length)) {
            step(csv, length);
            begin_row(csv);
            continue;
        }
        bool whole = feed(csv, s, length, take);
        if (csv->flags & (HAS_NUL | HAS_HIGH))
            check_bytes(csv, s, length);
        step(csv, length);
        if (!whole) {
            *outcome = ROW_BROKEN;
            return csv->no_memory ? kb_fail_memory(err, "a row of a file") : KB_OK;
        }
    }
    *outcome = ROW_DONE;
    return KB_OK;
}

/* Goes back to the end of the row's first line. */
static void give_up_row(kb_csv *csv)
{
    const char *newline = memchr(csv->buffer + csv->row, '\n', csv->end - csv->row);
    csv->at = newline ? (size_t)(newline + 1 - csv->buffer) : csv->end;
    csv->searched = csv->at;
    csv->line = csv->row_line + 1;
    reset_parser(csv);
}

/* --- the reader
 * -----------------------------------------------------------------------------------------------------
 */

static kb_status tell(kb_csv *csv, uint64_t line, const char *reason, kb_error *err)
{
    kb_problems_add(csv->problems, csv->label, line, "%s", reason);
    if (!csv->strict)
        return KB_OK;
    kb_status status = kb_fail(err, KB_ERR_FORMAT, "%s:%" PRIu64 ": %s", csv->label, line, reason);
    if (err)
        kb_printable(err->text);
    return status;
}

/* Why the row just parsed is bad: REASON or TEXT (64 bytes), or NULL. */
static const char *verdict(const kb_csv *csv, char *text)
{
    if (csv->reason || csv->fields == csv->header_fields)
        return csv->reason;
    snprintf(text, 64, "%zu field%s, the header has %zu", csv->fields, csv->fields == 1 ? "" : "s",
             csv->header_fields);
    return text;
}

kb_status kb_csv_next(kb_csv *csv, kb_field *fields, bool *got, kb_error *err)
{
    *got = false;
    for (;;) {
        enum outcome outcome;
        kb_status status = read_row(csv, take_field, &outcome, err);
        if (status != KB_OK)
            return status;
        if (outcome == ROW_NONE)
            return csv->damage.status == KB_OK
                       ? KB_OK
                       : kb_fail(err, csv->damage.status, "%s", csv->damage.text);
        char text[64];
        const char *reason = verdict(csv, text);
        if (!reason)
            break;
        status = tell(csv, csv->row_line, reason, err);
        if (outcome == ROW_BROKEN)
            give_up_row(csv);
        if (status != KB_OK)
            return status;
    }
    csv->given_line = csv->row_line;
    for (size_t c = 0; c < csv->column_count; c++)
        fields[c] = (kb_field){csv->text + c * (KB_FIELD_MAX + 1), csv->lengths[c]};
    *got = true;
    return KB_OK;
}

kb_status kb_csv_reject(kb_csv *csv, kb_error *err, const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return tell(csv, csv->given_line, reason, err);
}

static kb_status check_columns(const kb_csv *csv, kb_error *err)
{
    if (csv->twice != SIZE_MAX)
        return kb_fail(err, KB_ERR_FORMAT, "%s: column '%s' is there twice", csv->label,
                       csv->columns[csv->twice].name);
    for (size_t c = 0; c < csv->column_count; c++)
        if (csv->columns[c].required && !csv->found[c])
            return kb_fail(err, KB_ERR_FORMAT, "%s: no column '%s' (the header has: %s)",
                           csv->label, csv->columns[c].name, csv->list);
    return KB_OK;
}

/* Reads as far as the first line and steps over a byte order mark. */
static kb_status skip_mark(kb_csv *csv, kb_error *err)
{
    size_t length;
    kb_status status = find_line(csv, &length, err);
    if (status != KB_OK)
        return status;
    if (csv->end >= 3 && memcmp(csv->buffer, "\xEF\xBB\xBF", 3) == 0) {
        csv->at = 3;
        if (csv->searched < csv->at)
            csv->searched = csv->at;
    }
    return KB_OK;
}

static kb_status read_header(kb_csv *csv, kb_error *err)
{
    kb_status status = skip_mark(csv, err);
    enum outcome outcome = ROW_NONE;
    if (status == KB_OK)
        status = read_row(csv, take_name, &outcome, err);
    if (status != KB_OK)
        return status;
    if (csv->no_memory)
        return kb_fail_memory(err, "the header of a file");
    if (outcome == ROW_NONE && csv->damage.status != KB_OK)
        return kb_fail(err, csv->damage.status, "%s", csv->damage.text);
    if (outcome == ROW_NONE)
        return kb_fail(err, KB_ERR_FORMAT, "%s: empty, a header row was expected", csv->label);
    if (csv->reason)
        return kb_fail(err, KB_ERR_FORMAT, "%s:%" PRIu64 ": the header row does not parse: %s",
                       csv->label, csv->row_line, csv->reason);
    csv->header_fields = csv->fields;
    kb_printable(csv->list);
    return check_columns(csv, err);
}

static bool allocate(kb_csv *csv, const char *label)
{
    csv->label = kb_strdup(label);
    csv->found = kb_calloc(csv->column_count, sizeof *csv->found);
    csv->text = kb_calloc(csv->column_count, KB_FIELD_MAX + 1);
    csv->lengths = kb_calloc(csv->column_count, sizeof *csv->lengths);
    return csv->label && csv->found && csv->text && csv->lengths &&
           kb_grow((void **)&csv->buffer, &csv->capacity, CHUNK_BYTES + 1, 1);
}

static void set_up_parser(kb_csv *csv)
{
    csv_init(&csv->parser, CSV_STRICT);
    csv_set_blk_size(&csv->parser, ENTRY_BLOCK);
}

kb_status kb_csv_open(kb_csv **out, const char *path, const char *label, const kb_column *columns,
                      size_t count, bool strict, kb_problems *problems, const kb_progress *progress,
                      kb_error *err)
{
    *out = NULL;
    kb_csv *csv = kb_calloc(1, sizeof *csv);
    if (!csv)
        return kb_fail_memory(err, "reading a file");
    csv->columns = columns;
    csv->column_count = count;
    csv->strict = strict;
    csv->problems = problems;
    csv->line = 1;
    csv->twice = SIZE_MAX;
    set_up_parser(csv);
    kb_status status = KB_OK;
    if (!allocate(csv, label ? label : path))
        status = kb_fail_memory(err, "reading a file");
    if (status == KB_OK)
        status = kb_bytes_open(&csv->bytes, path, csv->label, progress, err);
    if (status == KB_OK)
        status = read_header(csv, err);
    if (status != KB_OK) {
        kb_csv_close(csv);
        return status;
    }
    *out = csv;
    return KB_OK;
}

void kb_csv_close(kb_csv *csv)
{
    if (!csv)
        return;
    kb_bytes_close(csv->bytes);
    csv_free(&csv->parser);
    free(csv->label);
    free(csv->buffer);
    free(csv->wanted);
    free(csv->found);
    free(csv->text);
    free(csv->lengths);
    free(csv);
}

bool kb_csv_has_column(const kb_csv *csv, size_t column)
{
    return csv->found[column];
}

uint64_t kb_csv_line(const kb_csv *csv)
{
    return csv->given_line;
}

uint64_t kb_csv_bytes(const kb_csv *csv)
{
    return kb_bytes_consumed(csv->bytes);
}
