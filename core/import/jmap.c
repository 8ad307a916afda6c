/* jmap: class histograms of a JVM, as "jmap -histo" and "jcmd GC.class_histogram" print them. A
 * folder is a session, a file in it is a sample. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "importer.h"
#include "jmap_file.h"
#include "memory.h"
#include "sample_time.h"

/* One session: its name and the files of its samples. */
struct session {
    char *name;
    kb_folder samples;
};

/* What is known of a file before it is read. */
struct sample {
    size_t whole; /* histograms in it that have an end */
    char time[KB_SAMPLE_TIME_ROOM];
};

struct jmap {
    kb_importer *importer;
    struct session *sessions;
    size_t count, capacity;
    size_t ranked;          /* sessions whose samples are numbered, not timed */
    char remark[KB_REASON]; /* why that is with the first of them */
};

/* --- a session --------------------------------------------------------------------------- */
/* A pipe can be read but once. */
static kb_status look_at(struct jmap *jmap, const kb_folder *folder, struct sample *samples,
                         kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; i < folder->count && !status; i++) {
        const kb_entry *entry = &folder->entries[i];
        samples[i].whole = 1;
        if (entry->kind == KB_ENTRY_FILE)
            status = kb_jmap_count(jmap->importer, entry->path, &samples[i].whole, err);
    }
    return status;
}

/* The samples of SESSION are numbered, and this is why. */
static void remark(struct jmap *jmap, const char *session, const char *format, ...)
{
    va_list args;
    if (jmap->ranked++)
        return;
    int n = snprintf(jmap->remark, sizeof jmap->remark, "session '%.100s': ", session);
    va_start(args, format);
    vsnprintf(jmap->remark + n, sizeof jmap->remark - (size_t)n, format, args);
    va_end(args);
}

/* Files that hold a histogram: their places in the session, and their names. */
struct holders {
    size_t *files;
    const char **names;
    size_t count;
};

/* Times from the names, or else the places. */
static kb_status set_times(struct jmap *jmap, const char *session, const struct holders *holders,
                           struct sample *samples, kb_error *err)
{
    kb_sample_fault fault;
    char(*times)[KB_SAMPLE_TIME_ROOM] = kb_calloc(holders->count, sizeof *times);
    if (!times)
        return kb_fail_memory(err, "the times of samples");
    bool timed = kb_sample_times(times, holders->names, holders->count, &fault);
    for (size_t i = 0; i < holders->count; i++) {
        char *time = samples[holders->files[i]].time;
        if (timed)
            memcpy(time, times[i], sizeof times[i]);
        else
            snprintf(time, sizeof times[i], "%zu", i);
    }
    if (!timed && holders->count > 1)
        remark(jmap, session,
               "%s the name of '%.100s'; its samples are numbered in the order of names",
               fault.same ? "another file's time in" : "no time in", holders->names[fault.name]);
    free(times);
    return KB_OK;
}

/* *SEVERAL: the one file with histograms has more than one, so that they are all samples. */
static kb_status arrange(struct jmap *jmap, const struct session *session, struct sample *samples,
                         bool *several, kb_error *err)
{
    const kb_folder *folder = &session->samples;
    struct holders holders = {.files = kb_calloc(folder->count, sizeof *holders.files),
                              .names = kb_calloc(folder->count, sizeof *holders.names)};
    kb_status status = holders.files && holders.names ? KB_OK : kb_fail_memory(err, "a session");
    for (size_t i = 0; i < folder->count && !status; i++) {
        if (!samples[i].whole)
            continue;
        holders.files[holders.count] = i;
        holders.names[holders.count++] = folder->entries[i].name;
    }
    *several = !status && holders.count == 1 && samples[*holders.files].whole > 1;
    if (*several)
        remark(jmap, session->name,
               "'%.100s' holds %zu histograms; they are numbered in their order", *holders.names,
               samples[*holders.files].whole);
    if (!status)
        status = set_times(jmap, session->name, &holders, samples, err);
    free(holders.files);
    free(holders.names);
    return status;
}

static kb_status read_samples(struct jmap *jmap, const struct session *session,
                              struct sample *samples, kb_error *err)
{
    bool several;
    kb_status status = look_at(jmap, &session->samples, samples, err);
    if (!status)
        status = arrange(jmap, session, samples, &several, err);
    for (size_t i = 0; i < session->samples.count && !status; i++) {
        const kb_entry *entry = &session->samples.entries[i];
        kb_jmap_file file = {.path = entry->path,
                             .session = session->name,
                             .time = samples[i].time,
                             .several = several && samples[i].whole};
        status = kb_importer_report(jmap->importer, 0, err);
        if (!status)
            status = kb_jmap_read(jmap->importer, &file, err);
        jmap->importer->done += entry->bytes;
    }
    return status;
}

static kb_status read_session(struct jmap *jmap, const struct session *session, kb_error *err)
{
    struct sample *samples = kb_calloc(session->samples.count, sizeof *samples);
    if (!samples)
        return kb_fail_memory(err, "the times of samples");
    kb_status status = read_samples(jmap, session, samples, err);
    free(samples);
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
            status = kb_intake_tell(jmap->importer->intake, &at, err,
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
    size_t others = jmap->ranked - 1;
    if (jmap->ranked == 1)
        kb_importer_note(jmap->importer, "%s", jmap->remark);
    else if (jmap->ranked)
        kb_importer_note(jmap->importer, "%s; so are those of %zu other session%s", jmap->remark,
                         others, others == 1 ? "" : "s");
}

kb_status kb_jmap_import(kb_importer *importer, const char *in, kb_error *err)
{
    struct jmap jmap = {.importer = importer};
    kb_status status = list_sessions(&jmap, in, err);
    if (!status)
        kb_intake_idle(importer->intake, &(kb_place){in, 0, NULL}, false, "no file in it");
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
