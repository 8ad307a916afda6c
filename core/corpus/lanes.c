/* All lanes are read first, each keeping its problems; then they are settled in their order: is a
 * lane where the one before it ended, its problems are told, otherwise it is read again from there.
 * So is a lane with more problems than can be kept, telling them as they are found. */
#include "lanes.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

enum {
    LANE_BYTES = 4 << 20, /* less text than this is not worth a thread */
    GZIP_RATIO = 8,       /* bytes of text for one that is compressed, about */
    REPORT_ROWS = 4096
};

/* A place in all the files. */
struct cut {
    size_t file;
    uint64_t offset; /* 0: at its beginning */
};

struct lane {
    struct reading *whole;
    struct cut begin, end;
    bool exact; /* begin is known to be the beginning of a row */
    void *data[KB_COLLECTORS];

    kb_problems *problems;
    bool live;            /* they are told as they are found */
    bool overflow;        /* they were more than could be kept */
    bool broken_off;      /* the rest of the last of its files is lost */
    uint64_t bytes, rows; /* what it has added to the reading's count */
    uint64_t base;        /* lines of its first file before the lane */
    uint64_t first;       /* where its first row begins in that file */
    uint64_t stop, lines; /* where it ended in its last file: offset, and lines before that, which
                             count from the lane's beginning in that file until it is settled */
    kb_status status;
    kb_error error;
    atomic_bool stopped;  /* by itself, or since an earlier lane has failed */
    kb_progress progress; /* tells it so */
};

struct reading {
    const kb_file *inputs;
    const kb_reader *const *readers;
    size_t input_count;
    const kb_collector *collectors;
    const kb_reading *options;
    kb_reading_count *counter, own_counter;
    struct lane *lanes;
    size_t count;
    pthread_mutex_t report_lock; /* one report at a time, so that what is told is never late */
};

/* --- cutting ------------------------------------------------------------------------------ */

static bool is_compressed(const kb_file *input)
{
    unsigned char magic[2] = {0, 0};
    int fd = open(input->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? 0 : pread(fd, magic, sizeof magic, 0);
    if (fd >= 0)
        close(fd);
    return n != sizeof magic || (magic[0] == 0x1F && magic[1] == 0x8B);
}

/* How much text a file holds, by its name. */
static uint64_t text_bytes(const kb_file *input)
{
    size_t n = strlen(input->path);
    bool gzip = n > 3 && strcmp(input->path + n - 3, ".gz") == 0;
    return gzip && input->size < UINT64_MAX / GZIP_RATIO ? input->size * GZIP_RATIO : input->size;
}

/* The cut nearest to INSIDE bytes of text of FILE. */
static struct cut cut_file(const struct reading *r, size_t file, uint64_t inside)
{
    const kb_file *input = &r->inputs[file];
    uint64_t text = text_bytes(input);
    bool divisible =
        input->regular && text == input->size && inside < text && !r->readers[file]->whole;
    if (divisible && !is_compressed(input))
        return (struct cut){file, inside};
    return (struct cut){file + (inside > text / 2), 0};
}

static bool is_before(struct cut a, struct cut b)
{
    return a.file < b.file || (a.file == b.file && a.offset < b.offset);
}

/* CUTS (room for WANTED + 1) become the ends of lanes of about the same text; returns how many
 * lanes there are, since some cuts may fall on each other. */
static size_t cut_inputs(const struct reading *r, struct cut *cuts, size_t wanted, uint64_t total)
{
    size_t count = 0, file = 0;
    uint64_t before = 0; /* text of the files before FILE */
    cuts[0] = (struct cut){0, 0};
    for (size_t l = 1; l < wanted; l++) {
        uint64_t place = total / wanted * l;
        while (before + text_bytes(&r->inputs[file]) < place)
            before += text_bytes(&r->inputs[file++]);
        struct cut cut = cut_file(r, file, place - before);
        if (is_before(cuts[count], cut) && cut.file < r->input_count)
            cuts[++count] = cut;
    }
    cuts[++count] = (struct cut){r->input_count, 0};
    return count;
}

static size_t wanted_lanes(const struct reading *r, uint64_t total)
{
    uint64_t least = r->options->lane_bytes ? r->options->lane_bytes : LANE_BYTES;
    uint64_t most = total / least, threads = kb_pool_threads(r->options->pool);
    return most < 2 ? 1 : most < threads ? (size_t)most : (size_t)threads;
}

/* --- problems ----------------------------------------------------------------------------- */

/* Lines of a file that the lane begins in the middle of count from there. */
static uint64_t line_of(const struct lane *lane, const kb_problem *problem)
{
    bool shifted = lane->begin.offset && problem->line &&
                   strcmp(problem->file, lane->whole->inputs[lane->begin.file].path) == 0;
    return problem->line + (shifted ? lane->base : 0);
}

static void tell(const struct lane *lane, const kb_problem *problem)
{
    kb_problems_add(lane->whole->options->problems, problem->file, line_of(lane, problem),
                    problem->kind, "%s", problem->reason);
}

static void hear_problem(void *ctx, const kb_problem *problem)
{
    struct lane *lane = ctx;
    if (lane->live) {
        tell(lane, problem);
    } else if (kb_problems_count(lane->problems) > kb_problems_kept(lane->problems)) {
        lane->overflow = true;
        atomic_store(&lane->stopped, true);
    }
}

/* The row that a strict reading ended at. */
static kb_status first_problem(const struct lane *lane, kb_error *err)
{
    if (!kb_problems_kept(lane->problems))
        return kb_fail_memory(err, "a list of problems");
    kb_problem problem = kb_problems_get(lane->problems, 0);
    char text[sizeof err->text];
    problem.line = line_of(lane, &problem);
    return kb_fail(err, KB_ERR_FORMAT, "%s", kb_problem_text(&problem, text, sizeof text));
}

/* --- one lane ----------------------------------------------------------------------------- */

static void report(struct lane *lane, uint64_t bytes, uint64_t rows)
{
    struct reading *r = lane->whole;
    kb_reading_count *count = r->counter;
    lane->bytes += bytes;
    lane->rows += rows;
    pthread_mutex_lock(&r->report_lock);
    uint64_t done = atomic_fetch_add(&count->bytes, bytes) + bytes;
    kb_progress_state state = {.phase = "reading",
                               .done = count->total && done > count->total ? count->total : done,
                               .total = count->total,
                               .bytes = true,
                               .rows = atomic_fetch_add(&count->rows, rows) + rows};
    kb_progress_tell(r->options->progress, &state);
    pthread_mutex_unlock(&r->report_lock);
}

/* *ANY: there was a row. */
static kb_status read_rows(struct lane *lane, const kb_reader *reader, kb_csv *csv, bool *any,
                           kb_error *err)
{
    void *data = lane->data[reader->collector];
    uint64_t told = 0, rows = 0;
    const kb_field *fields;
    bool got = true;
    kb_status status = KB_OK;
    while (status == KB_OK && got) {
        status = kb_csv_next(csv, &fields, &got, err);
        bool row = status == KB_OK && got && fields;
        if (row) {
            status = reader->take(data, csv, fields, err);
            rows++;
            *any = true;
        }
        if (row && rows < REPORT_ROWS && status == KB_OK)
            continue;
        report(lane, kb_csv_bytes(csv) - told, rows);
        told = kb_csv_bytes(csv);
        rows = 0;
        if (status == KB_OK && kb_cancelled(&lane->progress))
            status = kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    }
    return status;
}

/* The part of FILE that lies in the lane. */
static kb_csv_options part_of(const struct lane *lane, size_t file)
{
    const kb_reader *reader = lane->whole->readers[file];
    return (kb_csv_options){.columns = reader->columns,
                            .column_count = reader->column_count,
                            .strict = lane->whole->options->strict,
                            .ahead =
                                lane->whole->count < kb_pool_threads(lane->whole->options->pool),
                            .begin = file == lane->begin.file ? lane->begin.offset : 0,
                            .end = file == lane->end.file ? lane->end.offset : 0,
                            .exact = lane->exact,
                            .size = lane->whole->inputs[file].size,
                            .problems = lane->problems,
                            .progress = &lane->progress};
}

static kb_status open_collection(struct lane *lane, size_t i, kb_error *err)
{
    const kb_collector *collector = &lane->whole->collectors[i];
    if (lane->data[i])
        return KB_OK;
    return collector->open(&lane->data[i], collector->ctx, lane->whole->count > 1, err);
}

/* An error's TEXT behind "PATH: " or "PATH:LINE: ", which becomes LINE. */
static const char *without_place(const char *text, const char *path, uint64_t *line)
{
    size_t n = strlen(path);
    if (strncmp(text, path, n) != 0 || text[n] != ':')
        return text;
    char *end = NULL;
    unsigned long long number = text[n + 1] == ' ' ? 0 : strtoull(text + n + 1, &end, 10);
    if (end && *end == ':')
        *line = number;
    text = end ? end : text + n;
    return strncmp(text, ": ", 2) == 0 ? text + 2 : text;
}

/* The rest of the file is lost: that is a problem at LINE (0: of the file as a whole), and what
 * came before it stands. */
static kb_status note_loss(struct lane *lane, const char *path, uint64_t line, bool any,
                           const kb_error *why)
{
    bool damage = why->status == KB_ERR_DAMAGED;
    bool strict = lane->whole->options->strict;
    const char *text = without_place(why->text, path, &line);
    kb_problems_add(lane->problems, path, line, damage ? KB_PROBLEM_DAMAGE : KB_PROBLEM_FILE,
                    "%s%s", text, any && !strict ? "; the rows before that are kept" : "");
    lane->broken_off = true;
    return strict ? KB_ERR_FORMAT : KB_OK;
}

static bool is_about_the_file(const struct lane *lane, kb_status status)
{
    bool file = status == KB_ERR_IO || status == KB_ERR_FORMAT;
    const kb_reading *options = lane->whole->options;
    return status == KB_ERR_DAMAGED || (file && options->survey && !options->strict);
}

/* Parts of a file are read at different times, and must be of the same one. */
static bool is_as_listed(const struct lane *lane, size_t file, const kb_csv *csv)
{
    bool part = (file == lane->begin.file && lane->begin.offset) ||
                (file == lane->end.file && lane->end.offset);
    return !part || kb_csv_is_of(csv, &lane->whole->inputs[file]);
}

static kb_status read_file(struct lane *lane, size_t file, kb_error *err)
{
    const kb_reader *reader = lane->whole->readers[file];
    const char *path = lane->whole->inputs[file].path;
    kb_csv_options options = part_of(lane, file);
    kb_csv *csv;
    kb_error why = {0};
    uint64_t line = 0;
    bool any = options.begin > 0;
    kb_status status = open_collection(lane, reader->collector, err);
    if (status != KB_OK)
        return status;
    lane->broken_off = false;
    status = kb_csv_open(&csv, path, &options, &why);
    if (status == KB_OK && !is_as_listed(lane, file, csv))
        status = kb_fail(&why, KB_ERR_DAMAGED, "%s: changed while it was read", path);
    if (status == KB_OK) {
        if (options.begin)
            lane->first = kb_csv_first(csv);
        if (reader->begin)
            status = reader->begin(lane->data[reader->collector], csv, path, !options.begin, &why);
        if (status == KB_OK)
            status = read_rows(lane, reader, csv, &any, &why);
        line = status == KB_ERR_DAMAGED ? kb_csv_next_line(csv) : 0;
        lane->stop = kb_csv_stop(csv);
        lane->lines = kb_csv_next_line(csv) - 1;
    }
    kb_csv_close(csv);
    if (is_about_the_file(lane, status))
        return note_loss(lane, path, line, any, &why);
    return status ? kb_fail(err, status, "%s", why.text) : KB_OK;
}

static kb_status read_files(struct lane *lane, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t file = lane->begin.file; status == KB_OK && file < lane->whole->input_count &&
                                         is_before((struct cut){file, 0}, lane->end);
         file++)
        status = read_file(lane, file, err);
    for (size_t i = 0; status == KB_OK && i < KB_COLLECTORS; i++)
        if (lane->data[i] && lane->whole->collectors[i].finish)
            status = lane->whole->collectors[i].finish(lane->data[i], err);
    return status;
}

static void read_lane(struct lane *lane)
{
    lane->problems = kb_problems_create((kb_problem_listener){hear_problem, lane});
    lane->status = lane->problems ? read_files(lane, &lane->error)
                                  : kb_fail_memory(&lane->error, "a list of problems");
}

static void clear_lane(struct lane *lane)
{
    for (size_t i = 0; i < KB_COLLECTORS; i++) {
        if (lane->data[i])
            lane->whole->collectors[i].close(lane->data[i]);
        lane->data[i] = NULL;
    }
    kb_problems_free(lane->problems);
    lane->problems = NULL;
}

/* --- all lanes ---------------------------------------------------------------------------- */

static void read_piece(void *ctx, size_t l)
{
    struct reading *r = ctx;
    read_lane(&r->lanes[l]);
    if (r->lanes[l].status != KB_OK && !r->lanes[l].overflow)
        for (size_t later = l + 1; later < r->count; later++)
            atomic_store(&r->lanes[later].stopped, true);
}

/* The last of the lane's files. */
static size_t last_file(const struct lane *lane)
{
    return lane->end.offset ? lane->end.file : lane->end.file - 1;
}

/* A lane that begins in the middle of a file must begin where the one before it, which ends there,
 * has stopped. One that was stopped for the sake of a lane that has been read again since is
 * wanted after all. */
static bool must_be_read_again(const struct lane *lane)
{
    bool misplaced = lane->begin.offset && !lane->exact && lane->first != lane[-1].stop;
    bool stopped =
        lane->status == KB_ERR_CANCELLED && !kb_cancelled(lane->whole->options->progress);
    return lane->overflow || misplaced || stopped || (lane->begin.offset && lane[-1].broken_off);
}

/* What lies behind the place where a file broke off is lost. */
static void find_beginning(struct lane *lane)
{
    if (!lane->begin.offset)
        return;
    lane->begin.offset = lane[-1].stop;
    lane->exact = true;
    if (!lane[-1].broken_off)
        return;
    lane->broken_off = last_file(lane) == lane->begin.file;
    lane->stop = lane[-1].stop;
    lane->begin = (struct cut){lane->begin.file + 1, 0};
}

static void read_again(struct lane *lane)
{
    clear_lane(lane);
    atomic_fetch_sub(&lane->whole->counter->bytes, lane->bytes);
    atomic_fetch_sub(&lane->whole->counter->rows, lane->rows);
    lane->bytes = lane->rows = 0;
    atomic_store(&lane->stopped, false);
    find_beginning(lane);
    lane->live = true;
    lane->overflow = false;
    read_lane(lane);
}

/* The lanes before it are settled, and none of them has failed. */
static kb_status settle_lane(struct lane *lane, kb_error *err)
{
    lane->base = lane->begin.offset ? lane[-1].lines : 0;
    if (must_be_read_again(lane))
        read_again(lane);
    if (lane->begin.offset && last_file(lane) == lane->begin.file)
        lane->lines += lane->base;
    for (size_t i = 0; !lane->live && lane->problems && i < kb_problems_kept(lane->problems); i++) {
        kb_problem problem = kb_problems_get(lane->problems, i);
        tell(lane, &problem);
    }
    if (lane->status == KB_OK)
        return KB_OK;
    bool strict = lane->whole->options->strict && lane->status == KB_ERR_FORMAT;
    if (strict && kb_problems_count(lane->problems))
        return first_problem(lane, err);
    return kb_fail(err, lane->status, "%s", lane->error.text);
}

static kb_status make_lanes(struct reading *r, kb_error *err)
{
    uint64_t total = 0;
    for (size_t i = 0; i < r->input_count; i++)
        total += text_bytes(&r->inputs[i]);
    size_t wanted = wanted_lanes(r, total);
    struct cut *cuts = kb_calloc(wanted + 1, sizeof *cuts);
    r->lanes = kb_calloc(wanted, sizeof *r->lanes);
    if (!cuts || !r->lanes) {
        free(cuts);
        return kb_fail_memory(err, "reading files");
    }
    r->count = cut_inputs(r, cuts, wanted, total);
    for (size_t l = 0; l < r->count; l++) {
        struct lane *lane = &r->lanes[l];
        lane->whole = r;
        lane->begin = cuts[l];
        lane->end = cuts[l + 1];
        lane->live = l == 0;
        atomic_init(&lane->stopped, false);
        lane->progress = (kb_progress){.cancel = &lane->stopped, .outer = r->options->progress};
    }
    free(cuts);
    return KB_OK;
}

static kb_status hand_over(kb_lanes *out, struct reading *r, kb_error *err)
{
    out->data = kb_calloc(r->count, sizeof *out->data);
    if (!out->data)
        return kb_fail_memory(err, "reading files");
    out->count = r->count;
    for (size_t l = 0; l < r->count; l++) {
        memcpy(out->data[l], r->lanes[l].data, sizeof *out->data);
        memset(r->lanes[l].data, 0, sizeof r->lanes[l].data);
    }
    return KB_OK;
}

kb_status kb_lanes_read(kb_lanes *out, const kb_file *inputs, const kb_reader *const *readers,
                        size_t count, const kb_collector *collectors, const kb_reading *reading,
                        kb_error *err)
{
    *out = (kb_lanes){0};
    struct reading r = {.inputs = inputs,
                        .readers = readers,
                        .input_count = count,
                        .collectors = collectors,
                        .options = reading,
                        .counter = reading->count ? reading->count : &r.own_counter,
                        .report_lock = PTHREAD_MUTEX_INITIALIZER};
    kb_status status = make_lanes(&r, err);
    if (status == KB_OK)
        kb_pool_run(reading->pool, r.count, read_piece, &r);
    for (size_t l = 0; status == KB_OK && l < r.count; l++)
        status = settle_lane(&r.lanes[l], err);
    if (status == KB_OK)
        status = hand_over(out, &r, err);
    for (size_t l = 0; l < r.count; l++)
        clear_lane(&r.lanes[l]);
    free(r.lanes);
    pthread_mutex_destroy(&r.report_lock);
    return status;
}

void kb_lanes_clear(kb_lanes *lanes, const kb_collector *collectors)
{
    for (size_t l = 0; l < lanes->count; l++)
        for (size_t i = 0; i < KB_COLLECTORS; i++)
            if (lanes->data[l][i])
                collectors[i].close(lanes->data[l][i]);
    free(lanes->data);
    *lanes = (kb_lanes){0};
}
