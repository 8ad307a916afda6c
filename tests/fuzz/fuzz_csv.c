/* The rows of a CSV file. Whatever the bytes are, rows cut at their marks must be those that libcsv
 * parses, with the same problems and lines; so must be those of a file that a second thread
 * decompresses; and a plain file read in two ranges must be the file read whole. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv_rows.h"
#include "support.h"

/* One way to read, and what came of it. */
struct reading {
    kb_csv_options options;
    uint64_t before; /* lines before the range */
    kb_status status;
    kb_error err;
    bool opened;
    uint64_t first, stop, lines;
    FILE *f;
    char *text; /* rows and problems, a line each */
    size_t size;
};

static void hear(void *ctx, const kb_problem *problem)
{
    struct reading *r = ctx;
    uint64_t line = problem->line ? problem->line + r->before : 0;
    fprintf(r->f, "%" PRIu64 " bad %d: %s\n", line, (int)problem->kind, problem->reason);
}

static void put_row(struct reading *r, const kb_csv *csv, const kb_field *fields)
{
    fprintf(r->f, "%" PRIu64, kb_csv_line(csv) + r->before);
    for (size_t i = 0; i < kb_csv_width(csv); i++) {
        fuzz_check(strlen(fields[i].text) == fields[i].length, "a field is not as long as it says");
        fputc('|', r->f);
        fwrite(fields[i].text, 1, fields[i].length, r->f);
    }
    fputc('\n', r->f);
}

static kb_status read_rows(struct reading *r, kb_csv *csv)
{
    for (;;) {
        const kb_field *fields;
        bool got;
        kb_status status = kb_csv_next(csv, &fields, &got, &r->err);
        if (status != KB_OK || !got)
            return status;
        if (fields)
            put_row(r, csv, fields);
    }
}

/* Of a file all of whose columns are delivered. */
static void check_names(const kb_csv *csv)
{
    for (size_t i = 0; i < kb_csv_width(csv); i++)
        fuzz_check(strlen(kb_csv_name(csv, i).text) == kb_csv_name(csv, i).length,
                   "a name is not as long as it says");
}

static void run(struct reading *r, const char *path)
{
    kb_problems *problems = kb_problems_create((kb_problem_listener){hear, r});
    kb_csv *csv;
    r->f = open_memstream(&r->text, &r->size);
    r->options.problems = problems;
    r->status = kb_csv_open(&csv, path, &r->options, &r->err);
    r->opened = r->status == KB_OK;
    if (r->opened) {
        if (!r->options.columns)
            check_names(csv);
        r->first = kb_csv_first(csv);
        r->status = read_rows(r, csv);
        r->stop = kb_csv_stop(csv);
        r->lines = kb_csv_next_line(csv) - 1;
        kb_csv_close(csv);
    }
    fclose(r->f);
    kb_problems_free(problems);
}

/* Where a file stops that cannot be read to its end means nothing: it may be in a line that is
 * lost. */
static void expect_same(const char *what, const struct reading *a, const struct reading *b)
{
    bool stop = a->stop == b->stop || a->status != KB_OK;
    fuzz_same(what, a->text, b->text);
    fuzz_check(a->status == b->status && stop && a->lines == b->lines,
               "%s differ: status %d and %d, stop %" PRIu64 " and %" PRIu64 ", lines %" PRIu64
               " and %" PRIu64,
               what, (int)a->status, (int)b->status, a->stop, b->stop, a->lines, b->lines);
    if (a->status)
        fuzz_same(what, a->err.text, b->err.text);
}

static void check_slow(const struct reading *whole, const char *path)
{
    struct reading slow = {.options = whole->options};
    slow.options.slow = true;
    run(&slow, path);
    expect_same("rows by marks and rows by libcsv", whole, &slow);
    free(slow.text);
}

static void check_ahead(const struct reading *whole, const char *path)
{
    struct reading ahead = {.options = whole->options};
    ahead.options.ahead = true;
    run(&ahead, path);
    expect_same("one thread and two", whole, &ahead);
    free(ahead.text);
}

/* FIRST and SECOND, which begins where FIRST stopped, are WHOLE. */
static void expect_whole(const struct reading *whole, const struct reading *first,
                         const struct reading *second)
{
    char *both;
    fuzz_check(asprintf(&both, "%s%s", first->text, second->text) >= 0, "no memory");
    fuzz_same("the whole and its two ranges", whole->text, both);
    free(both);
    uint64_t lines = first->lines + second->lines;
    fuzz_check(
        whole->status == second->status && whole->stop == second->stop && whole->lines == lines,
        "the whole and its two ranges differ: status %d and %d, stop %" PRIu64 " and %" PRIu64
        ", lines %" PRIu64 " and %" PRIu64,
        (int)whole->status, (int)second->status, whole->stop, second->stop, whole->lines, lines);
}

/* A second range that does not begin where the first one has stopped is read again from there. */
static void check_ranges(const struct reading *whole, const char *path, uint64_t cut)
{
    struct reading first = {.options = whole->options}, second = {.options = whole->options};
    first.options.end = cut;
    run(&first, path);
    if (first.status != KB_OK) {
        fuzz_check(whole->status == first.status, "a range fails, the whole does not");
        fuzz_same("the whole and a range that fails", whole->text, first.text);
        free(first.text);
        return;
    }
    second.before = first.lines;
    second.options.begin = cut;
    run(&second, path);
    if (!second.opened || second.first != first.stop) {
        free(second.text);
        second = (struct reading){.options = whole->options, .before = first.lines};
        second.options.begin = first.stop;
        second.options.exact = true;
        run(&second, path);
        fuzz_check(second.opened && second.first == first.stop, "an exact range begins elsewhere");
    }
    expect_whole(whole, &first, &second);
    free(first.text);
    free(second.text);
}

static const kb_column wanted[] = {
    {"session", true, NULL}, {"time", true, "ts"}, {"object", true, NULL}, {"value", false, NULL}};

/* Which columns are asked for and how is of the input, but nothing that it says. */
static kb_csv_options choose(uint64_t hash, size_t size)
{
    kb_csv_options options = {.strict = hash % 8 == 1};
    if (hash / 8 % 4 == 0) {
        options.columns = wanted;
        options.column_count = sizeof wanted / sizeof *wanted;
    }
    if (hash / 32 % 32 == 0)
        options.size = size + 1; /* as if it had shrunk */
    return options;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t hash = fuzz_hash(data, size);
    fuzz_file file = fuzz_file_make(data, size);
    struct reading whole = {.options = choose(hash, size)};
    run(&whole, file.path);
    check_slow(&whole, file.path);
    if (fuzz_is_gzip(data, size))
        check_ahead(&whole, file.path);
    else if (!whole.options.size && size)
        check_ranges(&whole, file.path, 1 + hash / 1024 % size);
    free(whole.text);
    fuzz_file_remove(&file);
    return 0;
}
