/* jmap: class histograms of a JVM, as "jmap -histo" and "jcmd GC.class_histogram" print them. A
 * folder is a session, a file in it is a sample. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "importer.h"
#include "lines.h"
#include "memory.h"
#include "names.h"
#include "sample_time.h"

/* One session: its name and the files of its samples. */
struct session {
    char *name;
    kb_folder samples;
};

struct jmap {
    kb_importer *importer;
    struct session *sessions;
    size_t count, capacity;
    size_t ranked; /* sessions of several samples whose files do not tell their times */
};

/* --- one line ---------------------------------------------------------------------------- */
enum line_kind { LINE_BLANK, LINE_HEADER, LINE_RULE, LINE_ROW, LINE_TOTAL, LINE_OTHER };

/* "   1:   12345   1234567  [B (java.base@17.0.15)" */
struct row {
    uint64_t instances, bytes;
    kb_cell class;
    const char *wrong; /* with the row, or NULL */
};

static const char *skip_blanks(const char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

static const char *skip_digits(const char *s)
{
    while (*s >= '0' && *s <= '9')
        s++;
    return s;
}

/* The digits at *S up to a blank; *S moves behind them. */
static const char *take_number(const char **s, uint64_t *value, const char *missing)
{
    const char *start = skip_blanks(*s), *end = skip_digits(start);
    if (end == start || (*end != ' ' && *end != '\t' && *end != '\0'))
        return missing;
    *value = 0;
    for (const char *d = start; d < end; d++)
        if (__builtin_mul_overflow(*value, 10u, value) ||
            __builtin_add_overflow(*value, (uint64_t)(*d - '0'), value))
            return "a number beyond 64 bits";
    *s = end;
    return NULL;
}

/* S is behind the colon. The class's name ends where its module begins, or with the line. */
static void parse_row(struct row *row, const char *s, const char *end)
{
    *row = (struct row){0};
    row->wrong = take_number(&s, &row->instances, "no number of instances");
    if (!row->wrong)
        row->wrong = take_number(&s, &row->bytes, "no number of bytes");
    if (row->wrong)
        return;
    s = skip_blanks(s);
    const char *module = strstr(s, " (");
    if (module)
        end = module;
    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    row->class = (kb_cell){s, (size_t)(end - s)};
    if (end == s)
        row->wrong = "no name of a class";
}

static enum line_kind classify(const kb_line *line, struct row *row)
{
    const char *s = skip_blanks(line->text), *number = skip_digits(s);
    if (!*s)
        return LINE_BLANK;
    if (number > s && *number == ':' && *skip_blanks(number + 1)) {
        parse_row(row, number + 1, line->text + line->length);
        return LINE_ROW;
    }
    if (strncmp(s, "num ", 4) == 0 && strstr(s, "#instances"))
        return LINE_HEADER;
    if (strncmp(s, "---", 3) == 0)
        return LINE_RULE;
    return strncmp(s, "Total ", 6) == 0 ? LINE_TOTAL : LINE_OTHER;
}

/* --- one histogram ----------------------------------------------------------------------- */
/* A sample being read: the sum for each class. */
struct histogram {
    struct jmap *jmap;
    const char *file;
    kb_names *classes;
    uint64_t *sums; /* by class */
    size_t capacity;
    bool begun, ended; /* its header or a row was seen, its last line was */
    char *name;        /* of a class, as an object */
    size_t name_capacity;
};

static kb_status reject(struct histogram *h, uint64_t line, const char *reason, kb_error *err)
{
    kb_place at = {h->file, line, NULL};
    return kb_intake_reject(h->jmap->importer->intake, &at, err, "%s", reason);
}

/* How many bytes at S are the address of a hidden class, another in each run: "/0x000001000c0840",
 * "/1831932724", "+0x00007f9751002220"; 0: none. */
static size_t address(const char *s, const char *end)
{
    const char *start = s + 1;
    if ((*s != '/' && *s != '+') || start == end)
        return 0;
    bool hex = end - start > 2 && start[0] == '0' && start[1] == 'x';
    if (*s == '+' && !hex)
        return 0;
    start += hex ? 2 : 0;
    const char *d = start;
    while (d < end && ((*d >= '0' && *d <= '9') || (hex && *d >= 'a' && *d <= 'f')))
        d++;
    return d > start && (d == end || *d == ';') ? (size_t)(d - s) : 0;
}

/* The class's name without addresses, in h->name; false: no memory. */
static bool set_name(struct histogram *h, kb_cell class, kb_cell *object)
{
    const char *end = class.text + class.length;
    size_t length = 0;
    if (!kb_grow((void **)&h->name, &h->name_capacity, class.length + 1, 1))
        return false;
    for (const char *s = class.text; s < end; s++) {
        size_t skipped = address(s, end);
        s += skipped;
        if (s < end)
            h->name[length++] = *s;
    }
    *object = (kb_cell){h->name, length};
    return true;
}

static kb_status add_row(struct histogram *h, uint64_t line, const struct row *row, kb_error *err)
{
    kb_cell object;
    char reason[KB_REASON];
    uint64_t value =
        h->jmap->importer->options->value == KB_JMAP_BYTES ? row->bytes : row->instances;
    if (row->wrong)
        return reject(h, line, row->wrong, err);
    if (!set_name(h, row->class, &object))
        return kb_fail_memory(err, "the name of a class");
    if (!kb_intake_name("class", object, reason))
        return reject(h, line, reason, err);
    size_t before = kb_names_count(h->classes);
    uint32_t id = kb_names_add(h->classes, object.text, object.length);
    if (id == KB_NAME_NONE ||
        !kb_grow((void **)&h->sums, &h->capacity, (size_t)id + 1, sizeof *h->sums))
        return kb_fail_memory(err, "the names of classes");
    if (kb_names_count(h->classes) > before)
        h->sums[id] = 0;
    if (__builtin_add_overflow(h->sums[id], value, &h->sums[id]))
        return reject(h, line, "the sum for this class is beyond 64 bits", err);
    return KB_OK;
}

/* *MORE becomes false at the beginning of a second histogram. */
static kb_status take_line(struct histogram *h, const kb_line *line, bool *more, kb_error *err)
{
    struct row row;
    if (line->too_long)
        return reject(h, line->number, "a line longer than 64 MiB", err);
    enum line_kind kind = classify(line, &row);
    if (kind == LINE_HEADER && h->begun)
        *more = false;
    if (kind == LINE_ROW && h->ended)
        *more = false;
    if (!*more)
        return reject(h, line->number,
                      "a second histogram begins, but a file is one sample: the rest is left out",
                      err);
    h->begun |= kind == LINE_HEADER || kind == LINE_ROW;
    h->ended |= kind == LINE_TOTAL && h->begun;
    if (kind == LINE_ROW)
        return add_row(h, line->number, &row, err);
    if (kind == LINE_OTHER && h->begun) /* before, there is room for what Java has to say */
        return reject(h, line->number, "not a line of a class histogram", err);
    return KB_OK;
}

static kb_status read_lines(struct histogram *h, kb_error *err)
{
    const kb_importer *importer = h->jmap->importer;
    kb_lines *lines;
    kb_line line;
    bool got = true, more = true;
    kb_status status = kb_lines_open(&lines, h->file, importer->progress, err);
    if (status)
        return status;
    while (!status && more) {
        kb_error damage = {0};
        status = kb_lines_next(lines, &line, &got, &damage);
        if (status == KB_ERR_DAMAGED)
            status = kb_intake_damage(importer->intake, h->file, 0, &damage, err);
        else if (status)
            kb_fail(err, status, "%s", damage.text);
        more = more && got;
        if (!status && more)
            status = take_line(h, &line, &more, err);
    }
    kb_lines_close(lines);
    return status;
}

static kb_status write_sums(struct histogram *h, const char *session, const char *time,
                            kb_error *err)
{
    kb_place at = {h->file, 0, NULL};
    kb_status status = KB_OK;
    for (uint32_t id = 0; id < kb_names_count(h->classes) && !status; id++) {
        char digits[24];
        int n = snprintf(digits, sizeof digits, "%" PRIu64, h->sums[id]);
        kb_cell object = {kb_names_get(h->classes, id), kb_names_length(h->classes, id)};
        status = kb_intake_reading(
            h->jmap->importer->intake, &at, (kb_cell){session, strlen(session)},
            (kb_cell){time, strlen(time)}, object, (kb_cell){digits, (size_t)n}, err);
    }
    return status;
}

static kb_status read_sample(struct jmap *jmap, const kb_entry *file, const char *session,
                             const char *time, kb_error *err)
{
    struct histogram h = {.jmap = jmap, .file = file->path, .classes = kb_names_create()};
    kb_status status = kb_importer_report(jmap->importer, 0, err);
    if (!status && !h.classes)
        status = kb_fail_memory(err, "the names of classes");
    if (!status)
        status = read_lines(&h, err);
    if (!status && !h.begun)
        status = reject(&h, 0, "no class histogram in it", err);
    if (!status)
        status = write_sums(&h, session, time, err);
    jmap->importer->done += file->bytes;
    kb_names_free(h.classes);
    free(h.sums);
    free(h.name);
    return status;
}

/* --- a session --------------------------------------------------------------------------- */
/* TIMES (of the samples) from the names of the files, or their places. */
static kb_status set_times(struct jmap *jmap, const kb_folder *samples,
                           char (*times)[KB_SAMPLE_TIME_ROOM], kb_error *err)
{
    const char **names = kb_calloc(samples->count, sizeof *names);
    if (!names)
        return kb_fail_memory(err, "the times of samples");
    for (size_t i = 0; i < samples->count; i++)
        names[i] = samples->entries[i].name;
    if (!kb_sample_times(times, names, samples->count)) {
        jmap->ranked += samples->count > 1;
        for (size_t i = 0; i < samples->count; i++)
            snprintf(times[i], KB_SAMPLE_TIME_ROOM, "%zu", i);
    }
    free(names);
    return KB_OK;
}

static kb_status read_session(struct jmap *jmap, const struct session *session, kb_error *err)
{
    size_t count = session->samples.count;
    char(*times)[KB_SAMPLE_TIME_ROOM] = kb_calloc(count, sizeof *times);
    kb_status status = times ? set_times(jmap, &session->samples, times, err)
                             : kb_fail_memory(err, "the times of samples");
    for (size_t i = 0; i < count && !status; i++)
        status = read_sample(jmap, &session->samples.entries[i], session->name, times[i], err);
    free(times);
    return status;
}

/* --- which files are what ---------------------------------------------------------------- */
/* The new session NAME (LENGTH bytes), without samples; NULL: no memory. */
static struct session *add_session(struct jmap *jmap, const char *name, size_t length)
{
    char *copy = malloc(length + 1);
    if (!copy || !kb_grow((void **)&jmap->sessions, &jmap->capacity, jmap->count + 1,
                          sizeof *jmap->sessions)) {
        free(copy);
        return NULL;
    }
    memcpy(copy, name, length);
    copy[length] = '\0';
    jmap->sessions[jmap->count] = (struct session){.name = copy};
    return &jmap->sessions[jmap->count++];
}

/* Leaves the files of FOLDER in it, and tells of what else is there, folders only where
 * TELL_FOLDERS is set. */
static kb_status keep_files(struct jmap *jmap, kb_folder *folder, bool tell_folders, kb_error *err)
{
    size_t kept = 0;
    kb_status status = KB_OK;
    for (size_t i = 0; i < folder->count; i++) {
        kb_entry *entry = &folder->entries[i];
        kb_place at = {entry->path, 0, NULL};
        if (entry->kind == KB_ENTRY_FILE) {
            jmap->importer->total += entry->bytes;
            folder->entries[kept++] = *entry;
            continue;
        }
        if (!status && (tell_folders || entry->kind == KB_ENTRY_OTHER))
            status = kb_intake_reject(jmap->importer->intake, &at, err,
                                      entry->kind == KB_ENTRY_OTHER
                                          ? "not a regular file"
                                          : "a folder inside of a session's folder");
        free(entry->path);
    }
    folder->count = kept;
    return status;
}

static kb_status add_folder(struct jmap *jmap, const kb_entry *entry, kb_error *err)
{
    struct session *session = add_session(jmap, entry->name, strlen(entry->name));
    if (!session)
        return kb_fail_memory(err, "a list of sessions");
    kb_status status = kb_folder_read(&session->samples, entry->path, err);
    return status ? status : keep_files(jmap, &session->samples, true, err);
}

/* The last part of IN's name, *LENGTH bytes; of "." and the like there is none. */
static const char *last_part(const char *in, size_t *length)
{
    size_t end = strlen(in), start;
    while (end && in[end - 1] == '/')
        end--;
    for (start = end; start && in[start - 1] != '/'; start--)
        ;
    *length = end - start;
    bool dots = (*length == 1 || *length == 2) && strspn(in + start, ".") >= *length;
    return *length && !dots ? in + start : NULL;
}

/* The session of the files right in IN. */
static kb_status add_root(struct jmap *jmap, const char *in, kb_error *err)
{
    size_t length;
    const char *name = last_part(in, &length);
    char *real = name ? NULL : realpath(in, NULL);
    if (!name && !real)
        return kb_fail_errno(err, in, "cannot open", errno);
    if (!name)
        name = last_part(real, &length);
    bool added = add_session(jmap, name ? name : "/", name ? length : 1) != NULL;
    free(real);
    return added ? KB_OK : kb_fail_memory(err, "a list of sessions");
}

static kb_status check_names(const struct jmap *jmap, const char *in, kb_error *err)
{
    for (size_t i = 1; i < jmap->count; i++)
        if (strcmp(jmap->sessions[0].name, jmap->sessions[i].name) == 0)
            return kb_fail(err, KB_ERR_FORMAT,
                           "%s: the files in it and those in its folder '%s' would be one session",
                           in, jmap->sessions[0].name);
    return KB_OK;
}

/* Files right in IN are a session of their own, the first. */
static kb_status list_directory(struct jmap *jmap, const char *in, kb_error *err)
{
    kb_folder root;
    kb_status status = kb_folder_read(&root, in, err);
    for (size_t i = 0; i < root.count && !status; i++)
        if (root.entries[i].kind == KB_ENTRY_FILE && !jmap->count)
            status = add_root(jmap, in, err);
    bool files = jmap->count > 0;
    for (size_t i = 0; i < root.count && !status; i++)
        if (root.entries[i].kind == KB_ENTRY_FOLDER)
            status = add_folder(jmap, &root.entries[i], err);
    if (!status && files)
        status = check_names(jmap, in, err);
    if (!status)
        status = keep_files(jmap, &root, false, err);
    if (!status && files) {
        jmap->sessions[0].samples = root;
        return KB_OK;
    }
    kb_folder_clear(&root);
    return status;
}

/* One file is a session of one sample. */
static kb_status list_single(struct jmap *jmap, const char *in, kb_error *err)
{
    const char *slash = strrchr(in, '/'), *name = slash ? slash + 1 : in;
    struct session *session = add_session(jmap, name, kb_sample_stem(name));
    if (!session)
        return kb_fail_memory(err, "a list of sessions");
    kb_status status = kb_folder_single(&session->samples, in, err);
    jmap->importer->total = status ? 0 : session->samples.entries[0].bytes;
    return status;
}

static kb_status list_sessions(struct jmap *jmap, const char *in, kb_error *err)
{
    struct stat about;
    if (stat(in, &about) != 0)
        return kb_fail_errno(err, in, "cannot open", errno);
    return S_ISDIR(about.st_mode) ? list_directory(jmap, in, err) : list_single(jmap, in, err);
}

static void note_ranks(const struct jmap *jmap)
{
    const kb_import_options *options = jmap->importer->options;
    char text[160];
    if (!jmap->ranked || !options->note)
        return;
    snprintf(text, sizeof text,
             "%zu session%s: the names of the files do not tell their times; samples are numbered "
             "in the order of names",
             jmap->ranked, jmap->ranked == 1 ? "" : "s");
    options->note(options->note_ctx, text);
}

kb_status kb_jmap_import(kb_importer *importer, const char *in, kb_error *err)
{
    struct jmap jmap = {.importer = importer};
    kb_status status = list_sessions(&jmap, in, err);
    for (size_t i = 0; i < jmap.count && !status; i++)
        status = read_session(&jmap, &jmap.sessions[i], err);
    if (!status)
        note_ranks(&jmap);
    for (size_t i = 0; i < jmap.count; i++) {
        free(jmap.sessions[i].name);
        kb_folder_clear(&jmap.sessions[i].samples);
    }
    free(jmap.sessions);
    return status;
}
