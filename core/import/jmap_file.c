#include "jmap_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"
#include "lines.h"
#include "memory.h"
#include "names.h"
#include "number.h"

kb_status kb_jmap_count(const kb_importer *importer, const char *path, size_t *whole, kb_error *err)
{
    kb_lines *lines;
    kb_line line;
    kb_histogram_row row;
    kb_histogram_place place = KB_HISTOGRAM_BEFORE;
    *whole = 0;
    kb_status status = kb_lines_open(&lines, path, importer->progress, err);
    if (status)
        return status;
    for (bool got = true; !status && got;) {
        status = kb_lines_next(lines, &line, &got, err);
        if (status || !got || line.too_long)
            continue;
        kb_histogram_step step = kb_histogram_line(&place, line.text, line.length, &row);
        *whole += step == KB_HISTOGRAM_END;
        got = step != KB_HISTOGRAM_NO_HEADER;
    }
    kb_lines_close(lines);
    return status == KB_ERR_DAMAGED ? KB_OK : status;
}

/* A file being read, and the sums of its histogram at hand. */
struct reading {
    const kb_importer *importer;
    const kb_jmap_file *file;
    size_t samples; /* so far */
    kb_histogram_place place;
    uint64_t line;
    bool damaged;    /* the rest of the file cannot be read */
    bool spoken;     /* a line that says something was seen */
    char words[128]; /* the first of that line, if it is text */
    bool strayed;    /* one that is none was told of behind the last histogram */
    kb_names *classes;
    uint64_t *sums; /* by class */
    size_t capacity;
    char *name; /* of a class, as an object */
    size_t name_capacity;
};

static kb_status reject(struct reading *r, const char *reason, kb_error *err)
{
    kb_place at = {r->file->path, r->line, NULL};
    return kb_intake_reject(r->importer->intake, &at, err, "%s", reason);
}

static kb_status damage(struct reading *r, uint64_t line, const char *reason, kb_error *err)
{
    kb_error found;
    kb_fail(&found, KB_ERR_DAMAGED, "%s", reason);
    return kb_intake_damage(r->importer->intake, r->file->path, line, &found, err);
}

/* The class's name without addresses, in r->name; false: no memory. */
static bool set_name(struct reading *r, const kb_histogram_row *row, kb_cell *object)
{
    const char *end = row->class + row->length;
    size_t length = 0;
    if (!kb_grow((void **)&r->name, &r->name_capacity, row->length + 1, 1))
        return false;
    for (const char *s = row->class; s < end; s++) {
        s += kb_histogram_address(s, end);
        if (s < end)
            r->name[length++] = *s;
    }
    *object = (kb_cell){r->name, length};
    return true;
}

static kb_status add_row(struct reading *r, const kb_histogram_row *row, kb_error *err)
{
    kb_cell object;
    char reason[KB_REASON];
    bool bytes = r->importer->options->value == KB_JMAP_BYTES;
    if (!set_name(r, row, &object))
        return kb_fail_memory(err, "the name of a class");
    if (!kb_intake_name("class", object, reason))
        return reject(r, reason, err);
    size_t before = kb_names_count(r->classes);
    uint32_t id = kb_names_add(r->classes, object.text, object.length);
    if (id == KB_NAME_NONE ||
        !kb_grow((void **)&r->sums, &r->capacity, (size_t)id + 1, sizeof *r->sums))
        return kb_fail_memory(err, "the names of classes");
    if (id == before)
        r->sums[id] = 0;
    if (__builtin_add_overflow(r->sums[id], bytes ? row->bytes : row->instances, &r->sums[id]))
        return reject(r, "the sum for this class is beyond 64 bits", err);
    return KB_OK;
}

static kb_status forget_sums(struct reading *r, kb_error *err)
{
    kb_names_free(r->classes);
    r->classes = kb_names_create();
    return r->classes ? KB_OK : kb_fail_memory(err, "the names of classes");
}

static kb_status write_sums(struct reading *r, const char *time, kb_error *err)
{
    kb_place at = {r->file->path, 0, NULL};
    kb_cell session = {r->file->session, strlen(r->file->session)};
    kb_status status = KB_OK;
    for (uint32_t id = 0; id < kb_names_count(r->classes) && !status; id++) {
        char digits[24];
        int n = snprintf(digits, sizeof digits, "%" PRIu64, r->sums[id]);
        kb_cell object = {kb_names_get(r->classes, id), kb_names_length(r->classes, id)};
        status = kb_intake_reading(r->importer->intake, &at, session, (kb_cell){time, strlen(time)},
                                   object, (kb_cell){digits, (size_t)n}, err);
    }
    return status;
}

/* A histogram has come to its end. */
static kb_status end_sample(struct reading *r, kb_error *err)
{
    char rank[24];
    snprintf(rank, sizeof rank, "%zu", r->samples);
    r->samples++;
    r->strayed = false;
    if (!r->file->several && !*r->file->time) /* it had no end when it was looked at */
        return damage(r, r->line, "changed while it was read", err);
    kb_status status = write_sums(r, r->file->several ? rank : r->file->time, err);
    return status ? status : forget_sums(r, err);
}

/* Behind a histogram no row can be lost, and one such line is as good as all. */
static kb_status stray(struct reading *r, kb_error *err)
{
    static const char reason[] = "not a line of a class histogram";
    kb_place at = {r->file->path, r->line, NULL};
    if (kb_histogram_is_in(r->place))
        return reject(r, reason, err);
    if (r->strayed)
        return KB_OK;
    r->strayed = true;
    return kb_intake_tell(r->importer->intake, &at, err, "%s", reason);
}

/* The histogram at hand has no end, but another one begins, maybe with ROW. */
static kb_status begin_anew(struct reading *r, const kb_histogram_row *row, kb_error *err)
{
    kb_status status =
        damage(r, r->line,
               "a histogram begins before the line Total of the last one, which is left out", err);
    if (!status)
        status = forget_sums(r, err);
    return status || !row->class ? status : add_row(r, row, err);
}

/* *MORE becomes false where the rest is left out. */
static kb_status take_line(struct reading *r, const kb_line *line, bool *more, kb_error *err)
{
    kb_histogram_row row;
    r->line = line->number;
    if (line->too_long)
        return kb_histogram_is_in(r->place) ? reject(r, "a line longer than 64 MiB", err) : KB_OK;
    kb_histogram_step step = kb_histogram_line(&r->place, line->text, line->length, &row);
    bool second = step == KB_HISTOGRAM_BEGIN && r->samples && !r->file->several;
    if (second || step == KB_HISTOGRAM_NO_HEADER) {
        *more = false;
        r->place = KB_HISTOGRAM_BEHIND;
        return reject(
            r, "a second histogram begins, but a file is one sample: the rest is left out", err);
    }
    if (step == KB_HISTOGRAM_ROW)
        return add_row(r, &row, err);
    if (step == KB_HISTOGRAM_BAD_ROW)
        return reject(r, row.wrong, err);
    if (step == KB_HISTOGRAM_STRAY)
        return stray(r, err);
    if (step == KB_HISTOGRAM_END)
        return end_sample(r, err);
    return step == KB_HISTOGRAM_CUT ? begin_anew(r, &row, err) : KB_OK;
}

/* The first words of a file, for people who wonder what it is. */
static void remember_words(struct reading *r, const kb_line *line)
{
    enum { MOST = 120 };
    size_t blanks = strspn(line->text, " \t");
    bool text = strlen(line->text) == line->length && kb_utf8_valid(line->text, line->length);
    if (r->spoken || strspn(line->text, " \t0123456789:") == line->length)
        return; /* a number is that of the process */
    r->spoken = true;
    if (text)
        snprintf(r->words, sizeof r->words, "%.*s%s", MOST, line->text + blanks,
                 line->length - blanks > MOST ? "..." : "");
}

static kb_status read_lines(struct reading *r, kb_lines *lines, kb_error *err)
{
    kb_line line;
    kb_status status = KB_OK;
    for (bool more = true, got; !status && more;) {
        kb_error wrong = {0};
        status = kb_lines_next(lines, &line, &got, &wrong);
        r->damaged = status == KB_ERR_DAMAGED;
        if (r->damaged)
            return kb_intake_damage(r->importer->intake, r->file->path, 0, &wrong, err);
        if (status)
            return kb_fail(err, status, "%s", wrong.text);
        more = got;
        if (got && r->place == KB_HISTOGRAM_BEFORE)
            remember_words(r, &line);
        if (got)
            status = take_line(r, &line, &more, err);
    }
    return status;
}

/* What is wrong with a file that was read to its end, if something is. */
static kb_status judge(struct reading *r, kb_error *err)
{
    char reason[200];
    if (r->damaged || (r->place == KB_HISTOGRAM_BEHIND && r->samples))
        return KB_OK;
    if (kb_histogram_is_in(r->place))
        return damage(r, r->line, "the histogram breaks off before its line Total and is left out",
                      err);
    snprintf(reason, sizeof reason, "no class histogram in it%s%s%s", *r->words ? ", but '" : "",
             r->words, *r->words ? "'" : "");
    return damage(r, 0, r->line ? reason : "empty: no class histogram in it", err);
}

static kb_status read_all(struct reading *r, kb_error *err)
{
    kb_lines *lines;
    kb_status status = forget_sums(r, err);
    if (!status)
        status = kb_lines_open(&lines, r->file->path, r->importer->progress, err);
    if (status)
        return status;
    status = read_lines(r, lines, err);
    kb_lines_close(lines);
    return status ? status : judge(r, err);
}

kb_status kb_jmap_read(const kb_importer *importer, const kb_jmap_file *file, kb_error *err)
{
    struct reading r = {.importer = importer, .file = file};
    kb_status status = read_all(&r, err);
    kb_names_free(r.classes);
    free(r.sums);
    free(r.name);
    return status;
}
