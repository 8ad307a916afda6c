#include "corpus.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "csv_rows.h"
#include "memory.h"

enum { REPORT_ROWS = 4096 };

struct kb_corpus {
    char *path;
    kb_store *store;
    kb_session *sessions; /* by id */
    kb_names *texts;      /* behind user, version and label */
    kb_events *events;
    kb_problems *problems;
    uint64_t rows;
};

/* What sessions.csv says of one session. */
struct listing {
    const char *user, *version, *label;
    kb_split split;
};

struct loader {
    kb_corpus *corpus;
    kb_corpus_options options;
    const kb_progress *progress;
    uint64_t done, total; /* bytes of the files as they are on the disk */
    kb_ingest *ingest;
    char last_name[KB_FIELD_MAX]; /* the session of the row before, of LAST_LENGTH bytes */
    size_t last_length;
    uint32_t last_session;
    kb_names *listed;
    struct listing *listings; /* by id in listed */
    size_t listings_capacity;
};

/* --- splits
 * ---------------------------------------------------------------------------------------------------------
 */

static const char *const split_names[KB_SPLITS] = {"train", "validation", "emerging", "later"};

const char *kb_split_name(kb_split split)
{
    return split_names[split];
}

bool kb_split_parse(kb_split *out, const char *text)
{
    for (int i = 0; i < KB_SPLITS; i++) {
        if (strcmp(text, split_names[i]) == 0) {
            *out = (kb_split)i;
            return true;
        }
    }
    return false;
}

/* --- lists of files
 * -------------------------------------------------------------------------------------------------
 */

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);
    return n >= s && strcmp(name + n - s, suffix) == 0;
}

static bool name_matches(const char *name, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(name, prefix, n) == 0 &&
           (ends_with(name + n, ".csv") || ends_with(name + n, ".csv.gz"));
}

static char *join(const char *dir, const char *name)
{
    size_t d = strlen(dir), n = strlen(name);
    bool slash = d && dir[d - 1] != '/';
    char *path = malloc(d + slash + n + 1);
    if (!path)
        return NULL;
    memcpy(path, dir, d);
    if (slash)
        path[d] = '/';
    memcpy(path + d + slash, name, n + 1);
    return path;
}

static kb_status add_path(kb_paths *paths, size_t *capacity, const char *dir, const char *name,
                          kb_error *err)
{
    if (!kb_grow((void **)&paths->items, capacity, paths->count + 1, sizeof *paths->items))
        return kb_fail_memory(err, "a list of files");
    paths->items[paths->count] = join(dir, name);
    if (!paths->items[paths->count])
        return kb_fail_memory(err, "a list of files");
    paths->count++;
    return KB_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static kb_status add_matching(kb_paths *out, DIR *folder, const char *dir, const char *prefix,
                              kb_error *err)
{
    size_t capacity = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(folder);
        if (!entry)
            return errno ? kb_fail_errno(err, dir, "cannot list", errno) : KB_OK;
        if (!name_matches(entry->d_name, prefix))
            continue;
        kb_status status = add_path(out, &capacity, dir, entry->d_name, err);
        if (status != KB_OK)
            return status;
    }
}

kb_status kb_paths_list(kb_paths *out, const char *dir, const char *prefix, kb_error *err)
{
    *out = (kb_paths){0};
    DIR *folder = opendir(dir);
    if (!folder)
        return kb_fail_errno(err, dir, "cannot list", errno);
    kb_status status = add_matching(out, folder, dir, prefix, err);
    closedir(folder);
    if (status != KB_OK)
        kb_paths_free(out);
    else if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_bytes);
    return status;
}

void kb_paths_free(kb_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->items[i]);
    free(paths->items);
    *paths = (kb_paths){0};
}

/* The files of a corpus by kind. */
struct files {
    kb_paths metrics, sessions, events;
};

static void free_files(struct files *files)
{
    kb_paths_free(&files->metrics);
    kb_paths_free(&files->sessions);
    kb_paths_free(&files->events);
}

/* Keeps sessions.csv and sessions.csv.gz only: other files may start with the same word. */
static void keep_exact(kb_paths *paths)
{
    size_t kept = 0;
    for (size_t i = 0; i < paths->count; i++) {
        const char *slash = strrchr(paths->items[i], '/');
        const char *name = slash ? slash + 1 : paths->items[i];
        if (strcmp(name, "sessions.csv") == 0 || strcmp(name, "sessions.csv.gz") == 0)
            paths->items[kept++] = paths->items[i];
        else
            free(paths->items[i]);
    }
    paths->count = kept;
}

static kb_status list_directory(struct files *files, const char *dir, bool skip_events,
                                kb_error *err)
{
    kb_status status = kb_paths_list(&files->metrics, dir, "metrics", err);
    if (status == KB_OK)
        status = kb_paths_list(&files->sessions, dir, "sessions", err);
    if (status == KB_OK && !skip_events)
        status = kb_paths_list(&files->events, dir, "events", err);
    if (status != KB_OK)
        return status;
    keep_exact(&files->sessions);
    if (!files->metrics.count)
        return kb_fail(err, KB_ERR_FORMAT,
                       "%s: no metrics*.csv or metrics*.csv.gz in this directory", dir);
    return KB_OK;
}

static kb_status list_files(struct files *files, const char *path, bool skip_events, kb_error *err)
{
    struct stat about;
    if (strcmp(path, "-") != 0) {
        if (stat(path, &about) != 0)
            return kb_fail_errno(err, path, "cannot open", errno);
        if (S_ISDIR(about.st_mode))
            return list_directory(files, path, skip_events, err);
    }
    size_t capacity = 0;
    return add_path(&files->metrics, &capacity, "", path, err);
}

static uint64_t total_bytes(const kb_paths *paths)
{
    uint64_t total = 0;
    struct stat about;
    for (size_t i = 0; i < paths->count; i++)
        if (stat(paths->items[i], &about) == 0 && S_ISREG(about.st_mode))
            total += (uint64_t)about.st_size;
    return total;
}

/* --- one file
 * -------------------------------------------------------------------------------------------------------
 */

static void report(const struct loader *l, const kb_csv *csv)
{
    kb_progress_report(l->progress, "reading", l->done + kb_csv_bytes(csv), l->total);
}

/* Reads PATH and hands each good row to TAKE, which may reject it. Cancelling is the reader's work.
 */
static kb_status
read_file(struct loader *l, const char *path, const kb_column *columns, size_t count,
          kb_status (*take)(struct loader *, kb_csv *, const kb_field *, kb_error *), kb_error *err)
{
    kb_csv *csv;
    const kb_field *fields;
    kb_csv_options options = {.columns = columns,
                              .column_count = count,
                              .strict = l->options.strict,
                              .problems = l->corpus->problems,
                              .progress = l->progress};
    kb_status status = kb_csv_open(&csv, path, &options, err);
    if (status != KB_OK)
        return status;
    bool got = true;
    for (uint64_t rows = 0; status == KB_OK && got; rows++) {
        if (rows % REPORT_ROWS == 0)
            report(l, csv);
        status = kb_csv_next(csv, &fields, &got, err);
        if (status == KB_OK && got)
            status = take(l, csv, fields, err);
    }
    report(l, csv);
    l->done += kb_csv_bytes(csv);
    kb_csv_close(csv);
    return status;
}

/* --- metrics
 * --------------------------------------------------------------------------------------------------------
 */

enum { M_SESSION, M_TIME, M_OBJECT, M_VALUE, M_COLUMNS };

static const kb_column metric_columns[M_COLUMNS] = {
    {"session", true, NULL}, {"time", true, NULL}, {"object", true, NULL}, {"value", true, NULL}};

/* Rows of one session mostly follow each other. */
static uint32_t find_session(struct loader *l, const kb_field *name)
{
    if (name->length != l->last_length || memcmp(name->text, l->last_name, name->length) != 0) {
        l->last_session = kb_ingest_session(l->ingest, name->text, name->length);
        memcpy(l->last_name, name->text, name->length);
        l->last_length = name->length;
    }
    return l->last_session;
}

static kb_status take_metric(struct loader *l, kb_csv *csv, const kb_field *f, kb_error *err)
{
    if (!f[M_SESSION].length)
        return kb_csv_reject(csv, err, "empty session");
    if (!f[M_OBJECT].length)
        return kb_csv_reject(csv, err, "empty object");
    kb_time time;
    const char *wrong = kb_time_parse(&time, f[M_TIME].text, f[M_TIME].length);
    if (wrong)
        return kb_csv_reject(csv, err, "time '%.60s': %s", f[M_TIME].text, wrong);
    float value;
    wrong = kb_value_parse(&value, f[M_VALUE].text, f[M_VALUE].length);
    if (wrong)
        return kb_csv_reject(csv, err, "value '%.60s': %s", f[M_VALUE].text, wrong);
    uint32_t session = find_session(l, &f[M_SESSION]);
    uint32_t object = kb_ingest_object(l->ingest, f[M_OBJECT].text, f[M_OBJECT].length);
    if (session == KB_NAME_NONE || object == KB_NAME_NONE)
        return kb_fail_memory(err, "names");
    l->corpus->rows++;
    return kb_ingest_add(l->ingest, session, object, time, value, err);
}

static kb_status read_metrics(struct loader *l, const kb_paths *paths, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; status == KB_OK && i < paths->count; i++)
        status = read_file(l, paths->items[i], metric_columns, M_COLUMNS, take_metric, err);
    return status;
}

/* --- sessions.csv
 * ---------------------------------------------------------------------------------------------------
 */

enum { S_SESSION, S_USER, S_VERSION, S_SPLIT, S_LABEL, S_COLUMNS };

static const kb_column session_columns[S_COLUMNS] = {{"session", true, NULL},
                                                     {"user", false, NULL},
                                                     {"version", false, NULL},
                                                     {"split", false, NULL},
                                                     {"label", false, NULL}};

/* The field's text for as long as the corpus lives; NULL: no memory. */
static const char *keep_text(struct loader *l, const kb_field *field)
{
    uint32_t id = kb_names_add(l->corpus->texts, field->text, field->length);
    return id == KB_NAME_NONE ? NULL : kb_names_get(l->corpus->texts, id);
}

static kb_status add_listing(struct loader *l, const kb_field *f, kb_split split, kb_error *err)
{
    struct listing listing = {keep_text(l, &f[S_USER]), keep_text(l, &f[S_VERSION]),
                              keep_text(l, &f[S_LABEL]), split};
    uint32_t id = kb_names_add(l->listed, f[S_SESSION].text, f[S_SESSION].length);
    if (!listing.user || !listing.version || !listing.label || id == KB_NAME_NONE ||
        kb_ingest_session(l->ingest, f[S_SESSION].text, f[S_SESSION].length) == KB_NAME_NONE ||
        !kb_grow((void **)&l->listings, &l->listings_capacity, (size_t)id + 1, sizeof *l->listings))
        return kb_fail_memory(err, "the list of sessions");
    l->listings[id] = listing;
    return KB_OK;
}

static kb_status take_session(struct loader *l, kb_csv *csv, const kb_field *f, kb_error *err)
{
    kb_split split = KB_SPLIT_TRAIN;
    if (!f[S_SESSION].length)
        return kb_csv_reject(csv, err, "empty session");
    if (f[S_SPLIT].length && !kb_split_parse(&split, f[S_SPLIT].text))
        return kb_csv_reject(csv, err,
                             "split '%.60s': not train, validation, emerging, later or empty",
                             f[S_SPLIT].text);
    if (kb_names_find(l->listed, f[S_SESSION].text, f[S_SESSION].length) != KB_NAME_NONE)
        return kb_csv_reject(csv, err, "session '%.60s' is listed twice; its first line counts",
                             f[S_SESSION].text);
    return add_listing(l, f, split, err);
}

static kb_status read_listings(struct loader *l, const kb_paths *paths, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; status == KB_OK && i < paths->count; i++)
        status = read_file(l, paths->items[i], session_columns, S_COLUMNS, take_session, err);
    return status;
}

/* --- events
 * ---------------------------------------------------------------------------------------------------------
 */

/* The log reader counts its own bytes; what was read before it is added here. */
static void report_events(void *ctx, const char *phase, uint64_t done, uint64_t total)
{
    const struct loader *l = ctx;
    (void)total;
    kb_progress_report(l->progress, phase, l->done + done, l->total);
}

static kb_status read_events(struct loader *l, const kb_paths *paths, kb_error *err)
{
    if (!paths->count)
        return KB_OK;
    kb_progress shifted = {report_events, l, l->progress ? l->progress->cancel : NULL};
    return kb_events_load(&l->corpus->events, (const char *const *)paths->items, paths->count,
                          l->options.strict, l->corpus->problems, &shifted, err);
}

/* --- the whole
 * ------------------------------------------------------------------------------------------------------
 */

kb_corpus_options kb_corpus_defaults(void)
{
    return (kb_corpus_options){.timesteps = 100};
}

static kb_session describe(const struct loader *l, size_t id)
{
    const kb_store *store = l->corpus->store;
    const char *name = kb_store_session_name(store, id);
    kb_session session = {name, "", "", "", KB_SPLIT_TRAIN, kb_store_length(store, id) > 0};
    uint32_t listed = kb_names_find(l->listed, name, strlen(name));
    if (listed == KB_NAME_NONE)
        return session;
    const struct listing *listing = &l->listings[listed];
    session.user = listing->user;
    session.version = listing->version;
    session.label = listing->label;
    session.split = listing->split;
    return session;
}

static kb_status describe_sessions(struct loader *l, kb_error *err)
{
    kb_corpus *corpus = l->corpus;
    size_t count = kb_store_sessions(corpus->store), usable = 0;
    corpus->sessions = kb_calloc(count, sizeof *corpus->sessions);
    if (!corpus->sessions)
        return kb_fail_memory(err, "the list of sessions");
    for (size_t id = 0; id < count; id++) {
        corpus->sessions[id] = describe(l, id);
        usable += corpus->sessions[id].has_rows;
    }
    if (!usable)
        return kb_fail(err, KB_ERR_FORMAT,
                       "%s: no usable session: not one good row, %" PRIu64 " bad", corpus->path,
                       kb_problems_count(corpus->problems));
    return KB_OK;
}

static kb_status load_files(struct loader *l, const struct files *files, kb_error *err)
{
    kb_status status = kb_ingest_create(&l->ingest, l->options.timesteps, err);
    if (status == KB_OK)
        status = read_listings(l, &files->sessions, err);
    if (status == KB_OK)
        status = read_metrics(l, &files->metrics, err);
    if (status == KB_OK)
        status = read_events(l, &files->events, err);
    if (status != KB_OK)
        return status;
    status = kb_ingest_finish(l->ingest, &l->corpus->store, err);
    l->ingest = NULL;
    return status == KB_OK ? describe_sessions(l, err) : status;
}

static kb_status load(struct loader *l, const char *path, kb_error *err)
{
    kb_corpus *corpus = l->corpus;
    corpus->path = kb_strdup(path);
    corpus->texts = kb_names_create();
    corpus->problems = kb_problems_create(l->options.problem);
    l->listed = kb_names_create();
    if (!corpus->path || !corpus->texts || !corpus->problems || !l->listed)
        return kb_fail_memory(err, "a corpus");
    struct files files = {0};
    kb_status status = list_files(&files, path, l->options.skip_events, err);
    if (status == KB_OK) {
        l->total =
            total_bytes(&files.metrics) + total_bytes(&files.sessions) + total_bytes(&files.events);
        status = load_files(l, &files, err);
    }
    free_files(&files);
    return status;
}

kb_status kb_corpus_load(kb_corpus **out, const char *path, const kb_corpus_options *options,
                         const kb_progress *progress, kb_error *err)
{
    *out = NULL;
    kb_corpus *corpus = kb_calloc(1, sizeof *corpus);
    if (!corpus)
        return kb_fail_memory(err, "a corpus");
    struct loader l = {.corpus = corpus, .progress = progress};
    l.options = options ? *options : kb_corpus_defaults();
    kb_status status = load(&l, path, err);
    kb_ingest_free(l.ingest);
    kb_names_free(l.listed);
    free(l.listings);
    if (status != KB_OK) {
        kb_corpus_free(corpus);
        return status;
    }
    *out = corpus;
    return KB_OK;
}

void kb_corpus_free(kb_corpus *corpus)
{
    if (!corpus)
        return;
    kb_store_free(corpus->store);
    kb_events_free(corpus->events);
    kb_problems_free(corpus->problems);
    kb_names_free(corpus->texts);
    free(corpus->sessions);
    free(corpus->path);
    free(corpus);
}

/* --- asking
 * ---------------------------------------------------------------------------------------------------------
 */

const char *kb_corpus_path(const kb_corpus *corpus)
{
    return corpus->path;
}

const kb_store *kb_corpus_store(const kb_corpus *corpus)
{
    return corpus->store;
}

size_t kb_corpus_sessions(const kb_corpus *corpus)
{
    return kb_store_sessions(corpus->store);
}

const kb_session *kb_corpus_session(const kb_corpus *corpus, size_t id)
{
    return &corpus->sessions[id];
}

const kb_events *kb_corpus_events(const kb_corpus *corpus)
{
    return corpus->events;
}

const kb_problems *kb_corpus_problems(const kb_corpus *corpus)
{
    return corpus->problems;
}

uint64_t kb_corpus_rows(const kb_corpus *corpus)
{
    return corpus->rows;
}

uint64_t kb_corpus_bad_rows(const kb_corpus *corpus)
{
    return kb_problems_count(corpus->problems);
}

size_t kb_corpus_select(const kb_corpus *corpus, kb_split split, size_t *ids)
{
    size_t count = 0;
    for (size_t id = 0; id < kb_corpus_sessions(corpus); id++)
        if (corpus->sessions[id].split == split)
            ids[count++] = id;
    return count;
}
